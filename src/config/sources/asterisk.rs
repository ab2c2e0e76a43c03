//! `kind = "asterisk"`.

use crate::config::Secret;
use serde::Deserialize;
use std::path::PathBuf;

/// A voicemail spool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spool {
    /// Its name, unique.
    pub name: String,
    /// The folder that holds the contexts.
    #[serde(default = "spool_path")]
    pub path: PathBuf,
    /// Asterisk's `voicemail.conf`, from which the limits of a recording are read.
    #[serde(default = "conf_path")]
    pub conf: PathBuf,
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

fn conf_path() -> PathBuf {
    "/etc/asterisk/voicemail.conf".into()
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

impl Spool {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        for mailbox in &self.mailboxes {
            if mailbox.split_once('@').is_none_or(|(number, context)| number.is_empty() || context.is_empty()) {
                wrong.push(format!("sources.mailboxes: {mailbox:?} is no mailbox; write e.g. \"100@default\""));
            }
        }
        super::range(wrong, "poll_s", &self.name, self.poll_s, 1, 600);
    }
}
