//! The mailboxes: `[[sources]]`, one kind a file. Each kind checks its own keys.

mod asterisk;
mod folder;
mod profile;

pub use asterisk::{Ami, Spool};
pub use folder::Folder;
pub use profile::ProfileRow;

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
}

impl SourceRow {
    /// The source's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Asterisk(row) => &row.name,
            Self::Folder(row) => &row.name,
        }
    }

    /// The telephone systems whose mails it describes; none where it reads no mails.
    #[must_use]
    pub fn profiles(&self) -> &[ProfileRow] {
        match self {
            Self::Asterisk(_) | Self::Folder(_) => &[],
        }
    }

    /// What is wrong with its keys, by the key's name and what to write instead.
    fn complain(&self, wrong: &mut Vec<String>) {
        match self {
            Self::Asterisk(row) => row.complain(wrong),
            Self::Folder(row) => row.complain(wrong),
        }
    }
}

/// All complaints about the mailboxes.
pub(super) fn complaints(sources: &[SourceRow], wrong: &mut Vec<String>) {
    let mut names = HashSet::new();
    for source in sources {
        if source.name().is_empty() || source.name() == "submit" || !names.insert(source.name()) {
            wrong.push(format!(
                "sources.name: {:?} is empty, stands twice or is \"submit\": use another",
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
