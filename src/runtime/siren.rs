//! The way to a human when the store itself cannot be written (disk full): no row, no plan, just a message.
//!
//! Whoever finds that a voice may be lost sounds it; the escalation listens and sends at once, at most one message a key
//! in ten minutes. Kept in memory only: it is the last resort, not a queue.

use tokio::sync::mpsc;

/// One cry for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cry {
    /// Source and caller; the same key is not repeated for ten minutes. Not for the log.
    pub key: String,
    /// The source at which a message waits.
    pub source: String,
    /// The reason, in English, for the log and the message.
    pub why: String,
}

/// The sounding end.
#[derive(Debug, Clone)]
pub struct Siren(mpsc::Sender<Cry>);

/// A siren and the ear that hears it.
#[must_use]
pub fn siren() -> (Siren, mpsc::Receiver<Cry>) {
    let (sender, receiver) = mpsc::channel(64);
    (Siren(sender), receiver)
}

impl Siren {
    /// Sounds it. With 64 cries unheard, more change nothing.
    pub fn sound(&self, cry: Cry) {
        if self.0.try_send(cry).is_err() {
            tracing::warn!("the siren is not heard: nobody listens or too many cries wait");
        }
    }
}
