//! Bells between stages: a ring makes the next stage quick; a missed one costs a poll, never a report.

use std::sync::Arc;
use tokio::sync::Notify;

/// One stage's bell. Listen by waiting *after* looking: a ring in between is kept.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes one waiter, or the next one to wait.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits for a ring.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// All bells of the service.
#[derive(Debug, Clone, Default)]
pub struct Bells {
    /// A report waits for its transcript.
    pub transcribe: Bell,
    /// A transcript waits for its assessment.
    pub assess: Bell,
    /// A case waits for a ring.
    pub escalate: Bell,
    /// A notice waits to be sent or changed.
    pub send: Bell,
}
