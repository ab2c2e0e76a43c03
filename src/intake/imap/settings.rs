//! Settings of a mailbox, its secrets read.

use super::oauth::OAuthSettings;
use crate::config::Tls;
use crate::intake::mail::Reading;
use crate::store::sound::sha256;
use chrono::TimeDelta;
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How the server is logged in to.
#[derive(Debug, Clone)]
pub enum Login {
    /// By password.
    Password(SecretString),
    /// By token.
    OAuth(OAuthSettings),
}

/// How a stored mail is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// With this keyword.
    Keyword(String),
    /// As read.
    Seen,
    /// Moved to this folder.
    Move(String),
}

/// Settings of a mailbox.
#[derive(Debug, Clone)]
pub struct ImapSettings {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Encryption.
    pub tls: Tls,
    /// Certificates that are trusted instead of the system's.
    pub ca: Option<PathBuf>,
    /// User.
    pub username: String,
    /// Password or token.
    pub login: Login,
    /// The folder that is watched.
    pub folder: String,
    /// How a stored mail is marked.
    pub confirm: Confirm,
    /// Between two looks under IDLE.
    pub poll: Duration,
    /// IDLE is asked for anew after so long.
    pub idle: Duration,
    /// So far before the first start mails are still taken.
    pub first_look: TimeDelta,
    /// No ordinary answer may take longer.
    pub patience: Duration,
    /// What mails are read for.
    pub reading: Arc<Reading>,
}

impl ImapSettings {
    /// Fingerprint of the mailbox: another server, user or folder is another one.
    pub(super) fn identity(&self) -> String {
        sha256(format!("{}\n{}\n{}", self.host, self.username, self.folder).as_bytes())[..16].to_owned()
    }
}
