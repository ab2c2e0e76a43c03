//! The daily proof that a message travels from a source to a phone.

use crate::domain::assessment::words;

words! {
    /// How far a drill has come.
    Reached {
        /// The recording lies in the folder.
        Laid = "laid",
        /// It is stored.
        Stored = "stored",
        /// The recogniser made no text of it.
        NotTranscribed = "not_transcribed",
        /// It has its text.
        Transcribed = "transcribed",
        /// It has its verdict.
        Assessed = "assessed",
        /// Its notice is in the chat.
        Arrived = "arrived",
    }
}
