//! The seam to a phone: a message can be shown, changed and taken off.

use async_trait::async_trait;
use std::path::PathBuf;
use std::time::Duration;

/// A button: label and data (64 bytes at most).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Button {
    /// What stands on it.
    pub label: String,
    /// What comes back when it is pressed.
    pub data: String,
}

/// A sound to be attached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// A voice message (Ogg/Opus).
    Voice(PathBuf),
    /// A file as it is, with the name to show.
    File(PathBuf, String),
}

/// How a message looks: plain text (whoever sends it escapes it), rows of buttons, perhaps a sound.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Face {
    /// The text, or the caption of the sound.
    pub text: String,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// The sound.
    pub attachment: Option<Attachment>,
}

/// How a message is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// The chat.
    pub chat: i64,
    /// Whether it rings.
    pub loud: bool,
    /// The message it answers to.
    pub answers: Option<i64>,
}

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// The other side asks to wait.
    #[error("asked to wait {0:?}")]
    Wait(Duration),
    /// Provably not delivered.
    #[error("not delivered: {0}")]
    Again(String),
    /// It may have been delivered.
    #[error("unknown whether delivered: {0}")]
    Unknown(String),
    /// The chat has a new number.
    #[error("the chat moved")]
    Moved(i64),
    /// This person cannot be reached this way.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The message itself was refused.
    #[error("refused: {0}")]
    Refused(String),
}

/// Shows messages on phones.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Shows a message; its number.
    ///
    /// # Errors
    /// See `NotifyError`.
    async fn show(&self, how: How, face: &Face) -> Result<i64, NotifyError>;

    /// Changes text and buttons of a message; `captioned`: the text stands under a sound.
    ///
    /// # Errors
    /// See `NotifyError`.
    async fn change(&self, chat: i64, message: i64, face: &Face, captioned: bool) -> Result<(), NotifyError>;

    /// Takes a message off the phone.
    ///
    /// # Errors
    /// See `NotifyError`.
    async fn remove(&self, chat: i64, message: i64) -> Result<(), NotifyError>;
}
