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
    let address = row.host.parse::<std::net::Ipv6Addr>().is_ok();
    if row.host.contains(char::is_whitespace) || (row.host.contains([':', '/']) && !address) {
        wrong.push(format!(
            "smtp.host: {:?} is no host name; write only the name, e.g. \"smtp.example.de\", and the port as smtp.port",
            row.host
        ));
    }
    if row.port == 0 {
        wrong.push("smtp.port: 0 is no port; write 587 (starttls), 465 (implicit) or your server's".into());
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

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(host: &str, more: &str) -> String {
        let text = format!("[smtp]\nhost = {host:?}\nfrom = \"Notdienst <service@example.de>\"\n{more}\n");
        Settings::parse(&text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_server_that_no_mail_could_reach_is_refused() {
        assert_eq!(complaint("smtp.example.de", "port = 465"), "");
        assert_eq!(complaint("::1", "tls = \"none\""), "");
        for host in ["", "smtp.example.de:587", "smtp example.de", " smtp.example.de", "smtp://smtp.example.de"] {
            let told = complaint(host, "");
            assert!(told.contains("smtp.host"), "{host:?}: {told:?}");
        }
        let told = complaint("smtp.example.de", "port = 0");
        assert!(told.contains("smtp.port") && told.contains("587"), "{told}");
    }
}
