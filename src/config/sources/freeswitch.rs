//! `kind = "freeswitch"`.

use super::checks;
use crate::config::Secret;
use serde::Deserialize;
use std::path::PathBuf;

/// Mailboxes of FreeSWITCH's `mod_voicemail`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeSwitch {
    /// Its name, unique.
    pub name: String,
    /// Host and port of the event socket.
    #[serde(default = "esl_address")]
    pub address: String,
    /// The event socket's password.
    pub password: Secret,
    /// Mailboxes as "1000@pbx.example".
    pub mailboxes: Vec<String>,
    /// The voicemail profile where it is not "default".
    pub profile: Option<String>,
    /// The folder that holds all recordings, as FreeSWITCH names it.
    #[serde(default = "storage")]
    pub storage: PathBuf,
    /// A web server that serves that folder; without one it is on this machine.
    pub files: Option<FreeSwitchFiles>,
    /// Seconds between two looks beside the events.
    #[serde(default = "thirty")]
    pub poll_s: u64,
    /// Mark a stored message as read.
    #[serde(default)]
    pub mark_read: bool,
    /// How far back read messages are taken at the first start, in hours.
    #[serde(default = "day")]
    pub first_look_h: u64,
    /// The mailbox ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

/// A web server that serves the recordings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeSwitchFiles {
    /// The address that stands for the storage folder.
    pub url: String,
    /// User name, where it asks for one.
    pub username: Option<String>,
    /// The password that goes with it.
    pub password: Option<Secret>,
}

fn esl_address() -> String {
    "127.0.0.1:8021".into()
}

fn storage() -> PathBuf {
    "/var/lib/freeswitch/storage/voicemail".into()
}

fn thirty() -> u64 {
    30
}

fn day() -> u64 {
    24
}

impl FreeSwitch {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        if self.mailboxes.is_empty() {
            wrong.push(format!("sources.mailboxes: none is named; write e.g. [\"1000@pbx.example\"] ({})", self.name));
        }
        for mailbox in &self.mailboxes {
            let parts = mailbox.split_once('@').filter(|(user, domain)| is_plain(user) && is_plain(domain));
            if parts.is_none() {
                wrong.push(format!("sources.mailboxes: {mailbox:?} is no mailbox; write e.g. \"1000@pbx.example\""));
            }
        }
        if let Some(profile) = self.profile.as_ref().filter(|profile| !is_plain(profile)) {
            wrong.push(format!("sources.profile: {profile:?} is no name of a voicemail profile ({})", self.name));
        }
        if !self.storage.is_absolute() {
            wrong.push(format!("sources.storage: write the folder's whole path, from / on ({})", self.name));
        }
        if let Some(files) = &self.files {
            checks::address(wrong, "files.url", &self.name, &files.url);
            if files.username.is_some() != files.password.is_some() {
                wrong.push(format!("sources.files: username and password go together ({})", self.name));
            }
        }
        checks::looks(wrong, &self.name, self.poll_s, self.first_look_h, self.longest_s);
    }
}

/// What may stand in a command to FreeSWITCH.
fn is_plain(part: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_+*#".contains(c);
    !part.is_empty() && part.len() <= 200 && part.chars().all(allowed)
}
