//! `[smtp]`: the mail server by which mails go out: receipts, and alarms over a channel of kind "mail".

use super::Secret;
use serde::Deserialize;

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// TLS from the first byte (port 465).
    Implicit,
    /// Begins in the clear and must switch to TLS (port 587).
    Starttls,
    /// In the clear; only to this machine.
    None,
}

/// `[smtp]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The mail server.
    pub host: String,
    /// Its port.
    #[serde(default = "port")]
    pub port: u16,
    /// How the connection is secured.
    #[serde(default = "tls")]
    pub tls: SmtpTls,
    /// User at the mail server; none = without a login.
    pub username: Option<String>,
    /// His password.
    pub password: Option<Secret>,
    /// The sender, "Name <address>".
    pub from: String,
}

fn port() -> u16 {
    587
}

fn tls() -> SmtpTls {
    SmtpTls::Starttls
}

/// What is wrong with the section.
pub(super) fn complain(row: Option<&Smtp>, wrong: &mut Vec<String>) {
    let Some(row) = row else { return };
    if row.host.is_empty() {
        wrong
            .push("smtp.host: is empty; write the name of the mail server that sends, e.g. \"smtp.example.de\"".into());
    }
    if row.from.parse::<lettre::message::Mailbox>().is_err() {
        wrong.push(format!("smtp.from: {:?} is no sender; write e.g. \"Notdienst <service@example.de>\"", row.from));
    }
    let here = matches!(row.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if row.tls == SmtpTls::None && !here {
        wrong.push("smtp.tls: \"none\" only to this machine; write \"starttls\" or \"implicit\"".into());
    }
    if row.username.is_some() != row.password.is_some() {
        wrong.push("smtp.password: username and password belong together; set both or none".into());
    }
}
