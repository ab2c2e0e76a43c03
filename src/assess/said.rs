//! What somebody reported, whichever way: the words of a recording, or a mail.

use crate::domain::report::{Mail, Medium, Report};
use crate::domain::transcript::Transcript;
use crate::store::{Reader, StoreError, mails, transcripts};

/// What is judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// There is nothing to judge.
    Nothing,
    /// The words of a recording.
    Spoken(Transcript),
    /// A mail, with the SHA-256 of its bytes as they came.
    Written(Mail, String),
}

impl Said {
    /// What a report says, read from the store.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn of(report: &Report, reader: &mut Reader) -> Result<Self, StoreError> {
        Ok(if report.medium == Medium::Voicemail {
            let found = transcripts::find(reader, report.id).await?;
            found.map_or(Self::Nothing, |(transcript, _)| Self::Spoken(transcript))
        } else {
            let found = mails::find(reader, report.id).await?;
            found.map_or(Self::Nothing, |(mail, sha256)| Self::Written(mail, sha256))
        })
    }

    /// Its words as one text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Spoken(transcript) => transcript.text(),
            Self::Written(mail, _) => mail.text.clone(),
        }
    }

    /// The sender's address.
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        match self {
            Self::Written(mail, _) => mail.sender.as_deref(),
            _ => None,
        }
    }
}
