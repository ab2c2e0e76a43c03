//! The seam by which the escalation gets a recording as a voice message, and the page one to listen to, without knowing
//! who decodes it.

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

/// A recording as a browser plays it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playable {
    /// The file: WAV, 16 bit PCM, mono.
    pub path: PathBuf,
    /// Its length in milliseconds.
    pub sound_ms: u32,
    /// How loud it is in stretches of equal length, 0 to 255.
    pub peaks: Vec<u8>,
}

/// Makes voice messages, and recordings to listen to.
#[async_trait]
pub trait Voices: Send + Sync {
    /// The recording as a voice message.
    ///
    /// # Errors
    /// Why it cannot be made, in English; the original file is then sent as it is.
    async fn voice_of(&self, recording: &Recording) -> Result<Voice, String>;

    /// The sound file of this name in the sound folder, written anew by ourselves so that every browser plays it. `name` is
    /// its name at the source.
    ///
    /// # Errors
    /// Why it cannot be made, in English; the original file can still be handed out.
    async fn playable(&self, file: &str, name: &str) -> Result<Playable, String>;

    /// Called while there is nothing to do: gives memory back.
    async fn rest(&self) {}
}
