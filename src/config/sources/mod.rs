//! The mailboxes: `[[sources]]`, one kind a file. Each kind checks its own keys.

mod asterisk;
mod checks;
mod folder;
mod freeswitch;
mod fritzbox;
mod imap;
mod placetel;
mod profile;
mod push;
mod sipgate;
mod twilio;

pub use asterisk::{Ami, Spool};
pub use folder::Folder;
pub use freeswitch::{FreeSwitch, FreeSwitchFiles};
pub use fritzbox::FritzBox;
pub use imap::{Confirm, Flow, Imap, OAuth, Provider, Tls, Use};
pub use placetel::Placetel;
pub use profile::ProfileRow;
pub use push::Push;
pub use sipgate::Sipgate;
pub use twilio::Twilio;

use crate::domain::report::DRILL;
use serde::Deserialize;
use std::collections::HashSet;

/// `[[sources]]`: one mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SourceRow {
    /// An Asterisk or FreePBX voicemail spool.
    Asterisk(Spool),
    /// A folder into which anything drops sound files.
    Folder(Folder),
    /// A peer that pushes recordings over HTTP.
    Push(Push),
    /// A telephony provider that tells of recordings by a signed webhook, as Twilio does.
    Twilio(Twilio),
    /// A mailbox at a mail provider.
    Imap(Box<Imap>),
    /// Mailboxes of FreeSWITCH's `mod_voicemail`.
    FreeSwitch(FreeSwitch),
    /// The voicemails of a Placetel account.
    Placetel(Placetel),
    /// The voicemails of a sipgate account.
    Sipgate(Sipgate),
    /// The answering machine of an AVM FRITZ!Box.
    FritzBox(FritzBox),
}

impl SourceRow {
    /// The source's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Asterisk(row) => &row.name,
            Self::Folder(row) => &row.name,
            Self::Push(row) => &row.name,
            Self::Twilio(row) => &row.name,
            Self::Imap(row) => &row.name,
            Self::FreeSwitch(row) => &row.name,
            Self::Placetel(row) => &row.name,
            Self::Sipgate(row) => &row.name,
            Self::FritzBox(row) => &row.name,
        }
    }

    /// The telephone systems whose mails it describes; none where it reads no mails.
    #[must_use]
    pub fn profiles(&self) -> &[ProfileRow] {
        if let Self::Imap(row) = self { &row.profiles } else { &[] }
    }

    /// What is wrong with its keys, by the key's name and what to write instead.
    fn complain(&self, wrong: &mut Vec<String>) {
        match self {
            Self::Asterisk(row) => row.complain(wrong),
            Self::Folder(row) => row.complain(wrong),
            Self::Push(row) => row.complain(wrong),
            Self::Twilio(row) => row.complain(wrong),
            Self::Imap(row) => row.complain(wrong),
            Self::FreeSwitch(row) => row.complain(wrong),
            Self::Placetel(row) => row.complain(wrong),
            Self::Sipgate(row) => row.complain(wrong),
            Self::FritzBox(row) => row.complain(wrong),
        }
    }
}

/// All complaints about the mailboxes.
pub(super) fn complaints(sources: &[SourceRow], wrong: &mut Vec<String>) {
    let mut names = HashSet::new();
    for source in sources {
        let reserved = matches!(source.name(), "" | "submit" | DRILL);
        if reserved || !names.insert(source.name()) {
            wrong.push(format!(
                "sources.name: {:?} is empty, stands twice or is \"submit\" or \"drill\": use another",
                source.name()
            ));
        }
        source.complain(wrong);
    }
}

/// A number that must lie between two others.
fn range(wrong: &mut Vec<String>, key: &str, name: &str, value: u64, from: u64, to: u64) {
    if !(from..=to).contains(&value) {
        wrong.push(format!("sources.{key}: {value} is not between {from} and {to} ({name})"));
    }
}
