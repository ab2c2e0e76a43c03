//! `[receipt]`: the answer to somebody who wrote a mail.

use super::{Secret, Settings};
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

/// `[receipt]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptRow {
    /// Whether senders of mails get a receipt.
    pub enabled: bool,
    /// The mail server that sends it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub tls: SmtpTls,
    /// User at the mail server; none = without a login.
    pub username: Option<String>,
    /// His password.
    pub password: Option<Secret>,
    /// The sender, "Name <address>".
    pub from: String,
}

impl Default for ReceiptRow {
    fn default() -> Self {
        Self {
            enabled: false,
            host: String::new(),
            port: 587,
            tls: SmtpTls::Starttls,
            username: None,
            password: None,
            from: String::new(),
        }
    }
}

/// What is wrong with the section.
pub(super) fn complaints(settings: &Settings, wrong: &mut Vec<String>) {
    let row = &settings.receipt;
    if !row.enabled {
        return;
    }
    if row.host.is_empty() {
        wrong.push(
            "receipt.host: is empty; write the name of the mail server that sends, e.g. \"smtp.example.de\"".into(),
        );
    }
    if !row.from.contains('@') {
        wrong.push(format!("receipt.from: {:?} is no sender; write e.g. \"Notdienst <service@example.de>\"", row.from));
    }
    let here = matches!(row.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if row.tls == SmtpTls::None && !here {
        wrong.push("receipt.tls: \"none\" only to this machine; write \"starttls\" or \"implicit\"".into());
    }
    if row.username.is_some() != row.password.is_some() {
        wrong.push("receipt.password: username and password belong together; set both or none".into());
    }
}
