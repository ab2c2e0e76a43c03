//! What somebody reported, whichever way: the words of a recording, or a mail.

use crate::domain::hearing::Twice;
use crate::domain::report::{Mail, Medium, Report};
use crate::domain::transcript::Transcript;
use crate::store::{Db, StoreError, hearings, mails, transcripts};

/// What is judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// There is nothing to judge.
    Nothing,
    /// The words of a recording.
    Spoken(Transcript),
    /// A mail, with the SHA-256 of its bytes as they came.
    Written(Mail, String),
    /// The words of a recording, and the mail that it came in.
    Both(Transcript, Mail),
    /// The words of a recording as two models heard them, and the mail that it came in, where it did.
    Twice(Box<Twice>, Option<Mail>),
}

impl Said {
    /// What a report says after all corrections, read from the store.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn of(report: &Report, db: &mut Db) -> Result<Self, StoreError> {
        let spoken = transcripts::find(db, report.id).await?;
        Self::from(report, spoken.map(|(transcript, _)| transcript), db).await
    }

    /// What a report says as it was heard, before any correction.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn heard(report: &Report, db: &mut Db) -> Result<Self, StoreError> {
        let first = transcripts::first(db, report.id).await?.map(|(transcript, _)| transcript);
        let second = hearings::find(db, report.id).await?.filter(|hearing| hearing.verdict.is_some());
        if let (Some(first), Some(hearing)) = (&first, second) {
            let twice = Twice { first: first.clone(), second: hearing.transcript, second_counts: hearing.counts };
            let mail = mails::find(db, report.id).await?.map(|(mail, _)| mail);
            return Ok(Self::Twice(Box::new(twice), mail));
        }
        Self::from(report, first, db).await
    }

    async fn from(report: &Report, spoken: Option<Transcript>, db: &mut Db) -> Result<Self, StoreError> {
        let mail = mails::find(db, report.id).await?;
        if report.medium != Medium::Voicemail {
            return Ok(mail.map_or(Self::Nothing, |(mail, sha256)| Self::Written(mail, sha256)));
        }
        Ok(match (spoken, mail) {
            (None, _) => Self::Nothing,
            (Some(transcript), None) => Self::Spoken(transcript),
            (Some(transcript), Some((mail, _))) => Self::Both(transcript, mail),
        })
    }

    /// Its words as one text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Spoken(transcript) => transcript.text(),
            // who writes everything into the subject line has written it
            Self::Written(mail, _) if mail.text.trim().is_empty() => mail.subject.clone(),
            Self::Written(mail, _) => mail.text.clone(),
            Self::Both(transcript, mail) => format!("{}\n\n{}", transcript.text(), mail.text),
            Self::Twice(twice, None) => twice.counting().text(),
            Self::Twice(twice, Some(mail)) => format!("{}\n\n{}", twice.counting().text(), mail.text),
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
