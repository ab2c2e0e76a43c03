//! The seam by which the escalation gets a recording as a voice message without knowing who decodes it.

use crate::domain::report::Recording;
use async_trait::async_trait;
use std::path::PathBuf;

/// A recording as Ogg/Opus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The file.
    pub path: PathBuf,
    /// Its length in milliseconds.
    pub sound_ms: u32,
}

/// Makes voice messages.
#[async_trait]
pub trait Voices: Send + Sync {
    /// The recording as a voice message.
    ///
    /// # Errors
    /// Why it cannot be made, in English; the original file is then sent as it is.
    async fn voice_of(&self, recording: &Recording) -> Result<Voice, String>;

    /// Called while there is nothing to do: gives memory back.
    async fn rest(&self) {}
}
