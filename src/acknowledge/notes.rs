//! Fetches what technicians said as voice notes, so that the words on a case do not hang on Telegram.
//!
//! Its own worker: a press must not wait for a download. Given up after a day, the note says that it was spoken and how long.

use crate::domain::case::{Note, NoteContent};
use crate::domain::report::ReportId;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Store, StoreError, notes, sound};
use crate::telegram::{Bot, DOWNLOAD_MAX, Failure};
use async_trait::async_trait;
use chrono::TimeDelta;
use std::sync::Arc;

/// Tries at a quarter of an hour's distance: a day in all.
const TRIES: u32 = 96;
const AGAIN: TimeDelta = TimeDelta::minutes(15);

/// The fetcher's step.
pub struct NoteStep {
    /// Where notes wait.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the voices are.
    pub bot: Bot,
}

#[async_trait]
impl Step for NoteStep {
    fn name(&self) -> String {
        "acknowledge.notes".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let taken = notes::take_due(&mut tx, now, now + AGAIN).await?;
        tx.commit().await?;
        let Some((note, attempt)) = taken else { return Ok(Round::Idle) };
        match self.fetch(&note).await {
            Ok(file) => self.done(&note, Some(&file)).await?,
            Err((error, lasting)) => {
                tracing::warn!(case.id = %note.case, attempt, %error, "a spoken note could not be fetched");
                if lasting || attempt >= TRIES {
                    self.done(&note, None).await?;
                }
            }
        }
        Ok(Round::Worked)
    }
}

impl NoteStep {
    /// The file in the sound folder; or why not, and whether that lasts.
    async fn fetch(&self, note: &Note) -> Result<String, (String, bool)> {
        let NoteContent::Spoken { file_id, .. } = &note.content else { return Err(("not spoken".into(), true)) };
        let said = |error: crate::telegram::BotError| (error.to_string(), matches!(error.kind(), Failure::Refused));
        let path = self.bot.file(file_id).await.map_err(said)?;
        let bytes = self.bot.download(&path, DOWNLOAD_MAX).await.map_err(said)?;
        let id: ReportId = note.id.parse().map_err(|_| ("its id is broken".to_owned(), true))?;
        let folder = self.store.sound_folder().to_owned();
        let written = tokio::task::spawn_blocking(move || sound::write(&folder, id, "note.ogg", &bytes)).await;
        let written = written.expect("writing a file does not panic");
        written.map(|kept| kept.file).map_err(|error| (error.to_string(), false))
    }

    async fn done(&self, note: &Note, file: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        notes::fetched(&mut tx, &note.id, file).await?;
        tx.commit().await
    }
}
