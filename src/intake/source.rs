//! The seam between a mailbox and the intake loop.
//!
//! A source lists what lies there, hands over one message at a time, and is told when a message is safe.
//! It never decides what is new (the store knows) and never forgets on its own.

use crate::domain::report::Arrival;
use async_trait::async_trait;
use std::time::Duration;

/// A message that lies in the mailbox, known by its identity only. Cheap: no sound was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Found {
    /// Identity within the source, stable over renumbering and restarts.
    pub key: String,
    /// Where it lies now; a hint for `take`, allowed to be out of date.
    pub place: String,
}

/// Something at the source that a person should mend, and that may cost a caller's voice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trouble {
    /// Identity of the trouble within the source (path and kind), so that it is told once.
    pub key: String,
    /// What is wrong and what to do, in English, naming the file.
    pub what: String,
    /// A caller's message may be lost by it: wakes a human.
    pub loses_calls: bool,
}

/// One look at the mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Every message that lies there, stored already or not.
    pub found: Vec<Found>,
    /// Everything that should be mended, as long as it lasts.
    pub troubles: Vec<Trouble>,
}

/// Why a source did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The message is being moved, written or renumbered: look again in a moment.
    #[error("{0}")]
    Busy(String),
    /// The message is no longer there (taken, moved or deleted by somebody else).
    #[error("{0}")]
    Gone(String),
    /// The mailbox as a whole cannot be used; the text names path or host and the remedy.
    #[error("{0}")]
    Unreachable(String),
    /// The mailbox is there and refuses us (password, token, right): a person must mend it; told at once, tried seldom.
    #[error("{0}")]
    Refused(String),
}

/// One thing that `nachtwache check` says of a mailbox: what holds, or what is wrong and what to do.
pub type Said = Result<String, String>;

/// A mailbox that is watched.
#[async_trait]
pub trait Source: Send {
    /// The name from the settings.
    fn name(&self) -> &str;

    /// Everything that lies there now.
    async fn list(&mut self) -> Result<Listing, SourceError>;

    /// One message whole, caller and voice from the same moment. A sound that is no file, too large or unreadable is
    /// an arrival with `Sound::Refused`, not an error.
    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError>;

    /// Tells the mailbox that the message is safe (moved, flagged). Must be harmless when repeated or when the message is gone.
    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError>;

    /// Returns when something may have changed; may return early, may be dropped at any time. Never later than the
    /// source's own poll interval.
    async fn changed(&mut self);

    /// What `nachtwache check` says of this mailbox: whether it can be used, and what would cut a caller off.
    async fn examine(&mut self) -> Vec<Said> {
        vec![match self.list().await {
            Ok(listing) => Ok(format!("{} messages", listing.found.len())),
            Err(error) => Err(error.to_string()),
        }]
    }

    /// The longest pause between two tries while the mailbox cannot be reached.
    fn longest_pause(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// How long a busy message is left alone before it is looked at again.
    fn retry_after(&self) -> Duration {
        Duration::from_millis(50)
    }
}
