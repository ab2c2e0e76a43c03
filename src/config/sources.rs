//! The mailboxes.

use super::Secret;
use serde::Deserialize;
use std::path::PathBuf;

/// `[[sources]]`: one mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SourceRow {
    /// An Asterisk or FreePBX voicemail spool.
    Asterisk(Spool),
    /// A folder into which anything drops sound files.
    Folder {
        /// Its name, unique.
        name: String,
        /// Which folder.
        path: PathBuf,
        /// Seconds between two looks.
        #[serde(default = "five")]
        poll_s: u64,
    },
}

fn five() -> u64 {
    5
}

/// A voicemail spool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spool {
    /// Its name, unique.
    pub name: String,
    /// The folder that holds the contexts.
    #[serde(default = "spool_path")]
    pub path: PathBuf,
    /// Mailboxes as "100@default"; none = all.
    #[serde(default)]
    pub mailboxes: Vec<String>,
    /// Seconds between two looks beside inotify.
    #[serde(default = "thirty")]
    pub poll_s: u64,
    /// AMI account by which a stored message is moved to `Old`.
    pub ami: Option<Ami>,
}

fn spool_path() -> PathBuf {
    "/var/spool/asterisk/voicemail".into()
}

fn thirty() -> u64 {
    30
}

/// An account at Asterisk's manager interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ami {
    /// Host and port.
    #[serde(default = "ami_address")]
    pub address: String,
    /// User.
    pub username: String,
    /// Its secret.
    pub secret: Secret,
    /// Folder into which a stored message is moved.
    #[serde(default = "ami_folder")]
    pub to_folder: String,
}

fn ami_address() -> String {
    "127.0.0.1:5038".into()
}

fn ami_folder() -> String {
    "Old".into()
}

impl SourceRow {
    /// The source's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Asterisk(spool) => &spool.name,
            Self::Folder { name, .. } => name,
        }
    }
}
