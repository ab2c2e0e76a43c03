//! Sound becomes text, by Whisper, in a process of its own.
//!
//! Promise: every report that enters leaves with a transcript or with the reason why there is none to believe; a child
//! that crashes, hangs or talks garbage costs an attempt, never the service. The try is counted before it is made.

pub mod child;
pub mod chunks;
pub mod confirm;
pub mod cpu;
pub mod doubt;
mod inventions;
pub mod models;
pub mod sound;
pub mod speech;
mod tokens;
pub mod voice;
pub mod whisper;

use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::{Recording, Report, Stage};
use crate::domain::transcript::{Doubt, Transcript};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Claim, Lease, Store, StoreError, events, reports, transcripts, vocabulary};
use async_trait::async_trait;
use child::{Child, ChildError, DECODE_WITHIN, Job, Told};
use chrono::TimeDelta;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A lease lasts so much longer than the work.
const BESIDE_THE_WORK: Duration = Duration::from_mins(1);

/// The transcriber's step.
pub struct TranscribeStep {
    /// Where reports wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when a transcript is there.
    pub bells: Bells,
    /// The process that listens.
    pub child: Child,
}

/// So many characters the recogniser is told to expect at most; it looks back on no more.
const LONGEST_PROMPT: usize = 800;

/// What a try came to.
enum Tried {
    Transcript(Transcript),
    Again(ChildError),
}

#[async_trait]
impl Step for TranscribeStep {
    fn name(&self) -> String {
        "transcribe".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let mut claims = Vec::new();
        for _ in 0..self.at_once() {
            let Some(claim) = self.claim().await? else { break };
            // what failed before is tried alone: it may take its neighbours with it
            let alone = claim.1.attempt > 1;
            claims.push(claim);
            if alone {
                break;
            }
        }
        if claims.is_empty() {
            return Ok(Round::Idle);
        }
        let alone = claims.pop_if(|(_, lease)| lease.attempt > 1);
        self.hear_and_commit(claims).await?;
        self.hear_and_commit(alone.into_iter().collect()).await?;
        Ok(Round::Worked)
    }

    async fn idle(&mut self) {
        self.child.rest().await;
    }
}

impl TranscribeStep {
    /// Claims one waiting report.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn claim(&self) -> Result<Option<(Report, Lease)>, StoreError> {
        let each = self.settings.transcribe.limit(sound::Limits::default().max_seconds * 1000);
        let lease = each * u32::try_from(self.at_once()).unwrap_or(1) + BESIDE_THE_WORK;
        let mut tx = self.store.begin().await?;
        let claimed = reports::claim(&mut tx, Stage::Transcribe, Claim { now: self.clock.now(), lease }).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// How many reports are heard at once: as many as the child has states.
    fn at_once(&self) -> usize {
        child::states(self.settings.transcribe.states).get()
    }

    /// Hears reports side by side and commits each as soon as it is heard.
    async fn hear_and_commit(&mut self, claims: Vec<(Report, Lease)>) -> Result<(), StoreError> {
        let mut waiting = Vec::new();
        for (report, lease) in claims {
            if report.recording.is_some() {
                waiting.push((report, lease));
            } else {
                let nothing = self.nothing(Doubt::Undecodable, report.trouble.clone());
                self.commit(&report, &lease, Tried::Transcript(nothing), Duration::ZERO).await?;
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let jobs = self.jobs(&waiting).await;
        let started = Instant::now();
        let (sender, mut answers) = mpsc::unbounded_channel();
        // dropped half-way, the process is killed and a fresh one hears the next
        let mut child = self.child.taken();
        let told = move |told| {
            if let Told::Result(job, result) = told {
                // nobody listens any more where the store refused: the lease brings the report back
                drop(sender.send((job, result)));
            }
        };
        let hear =
            child.transcribe_all(&jobs, (DECODE_WITHIN, |sound_ms| self.settings.transcribe.limit(sound_ms)), told);
        let commit = async {
            let mut open: Vec<Option<(Report, Lease)>> = waiting.into_iter().map(Some).collect();
            while let Some((job, result)) = answers.recv().await {
                if let Some((report, lease)) = open.get_mut(job).and_then(Option::take) {
                    self.commit(&report, &lease, self.tried(result), started.elapsed()).await?;
                }
            }
            Ok::<_, StoreError>(open)
        };
        let (heard, open) = tokio::join!(hear, commit);
        self.child = child;
        let error = heard.err();
        for (report, lease) in open?.into_iter().flatten() {
            let error = error.clone().unwrap_or_else(|| ChildError::Garbage("an answer is missing".into()));
            self.commit(&report, &lease, Tried::Again(error), started.elapsed()).await?;
        }
        Ok(())
    }

    fn tried(&self, result: Result<Transcript, ChildError>) -> Tried {
        match result {
            Ok(transcript) => Tried::Transcript(transcript),
            Err(ChildError::Refused { why, doubt: Some(doubt) }) => Tried::Transcript(self.nothing(doubt, Some(why))),
            Err(error) => Tried::Again(error),
        }
    }

    async fn jobs(&self, waiting: &[(Report, Lease)]) -> Vec<Job> {
        let prompt = expected(&self.store, &self.settings, "transcribe").await;
        let recordings = waiting.iter().filter_map(|(report, _)| report.recording.as_ref());
        let job = |recording: &Recording| {
            let path = self.store.sound_folder().join(&recording.file);
            Job { prompt: prompt.clone(), ..job(&self.settings, &path, &recording.name) }
        };
        recordings.map(job).collect()
    }

    /// Commits what a try came to: the transcript, or the next try, or that it is given up.
    async fn commit(&self, report: &Report, lease: &Lease, tried: Tried, took: Duration) -> Result<(), StoreError> {
        let now = self.clock.now();
        let transcript = match tried {
            Tried::Transcript(transcript) => transcript,
            Tried::Again(error) => {
                let waits = &self.settings.transcribe.retry_after_s;
                let next = usize::try_from(lease.attempt).ok().and_then(|attempt| waits.get(attempt - 1));
                tracing::warn!(report.id = %report.id, attempt = lease.attempt, %error, stage = "transcribe", "a try failed");
                if let Some(wait) = next {
                    return self.again(report, lease, &error, *wait).await;
                }
                self.nothing(Doubt::GivenUp, Some(error.to_string()))
            }
        };
        let kind = if transcript.doubt == Some(Doubt::GivenUp) { EventKind::GivenUp } else { EventKind::Transcribed };
        let detail =
            transcript.doubt.map_or_else(|| format!("{} words", transcript.words.len()), |doubt| format!("{doubt:?}"));
        let mut tx = self.store.begin().await?;
        transcripts::put(&mut tx, report.id, &transcript, took, now).await?;
        reports::advance(&mut tx, report.id, lease, Stage::Assess, Some(now)).await?;
        events::append(&mut tx, &Event::new(now, kind, detail).report(report.id)).await?;
        tx.commit().await?;
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(report.id = %report.id, duration_ms, stage = "transcribe", "a report has its transcript");
        self.bells.assess.ring();
        Ok(())
    }

    async fn again(&self, report: &Report, lease: &Lease, error: &ChildError, wait_s: u64) -> Result<(), StoreError> {
        let now = self.clock.now();
        let due_at = now + TimeDelta::seconds(i64::try_from(wait_s).unwrap_or(5));
        let mut tx = self.store.begin().await?;
        reports::again(&mut tx, report.id, lease, due_at).await?;
        let detail = format!("transcribe, try {}: {error}", lease.attempt);
        events::append(&mut tx, &Event::new(now, EventKind::Failed, detail).report(report.id)).await?;
        tx.commit().await
    }

    fn nothing(&self, doubt: Doubt, remark: Option<String>) -> Transcript {
        Transcript {
            model: "-".into(),
            language: self.settings.transcribe.language.clone(),
            sound_ms: 0,
            words: Vec::new(),
            second: None,
            speech: Vec::new(),
            doubt: Some(doubt),
            remark,
        }
    }
}

/// What the recogniser is told to expect now; a list that cannot be read costs no hearing. `stage` is for the log.
async fn expected(store: &Store, settings: &Settings, stage: &str) -> Option<String> {
    let read = async { vocabulary::all(&mut *store.read().await?).await };
    let list = read.await.unwrap_or_else(|error: StoreError| {
        tracing::warn!(%error, stage, "could not read the vocabulary: the recogniser goes without");
        Vec::new()
    });
    let words: Vec<String> = list.into_iter().map(|entry| entry.word).collect();
    prompt(&settings.transcribe.prompt, &words)
}

/// What the recogniser is told to expect: the words of the settings, then as many of the firm's list (the newest first) as
/// [`LONGEST_PROMPT`] has room for.
#[must_use]
pub fn prompt(own: &str, list: &[String]) -> Option<String> {
    let mut text = own.trim().to_owned();
    for word in list {
        if text.chars().count() + word.chars().count() + 2 > LONGEST_PROMPT {
            break;
        }
        if !text.is_empty() {
            text.push_str(if text.ends_with(['.', ',']) { " " } else { ", " });
        }
        text.push_str(word);
    }
    Some(text).filter(|text| !text.is_empty())
}

/// The job for one recording by the settings.
#[must_use]
pub fn job(settings: &Settings, path: &Path, name: &str) -> Job {
    let transcribe = &settings.transcribe;
    Job {
        path: path.to_owned(),
        name: name.to_owned(),
        model: transcribe.model.clone(),
        language: transcribe.language.clone(),
        states: transcribe.states,
        threads: transcribe.threads,
        second: transcribe.second_decode,
        prompt: Some(transcribe.prompt.clone()).filter(|prompt| !prompt.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recogniser_expects_the_words_of_the_settings_then_the_newest_of_the_list() {
        let list: Vec<String> = (0..200).map(|number| format!("Kunde{number}")).collect();
        let told = prompt("Nachtwache.", &list).unwrap();
        assert!(told.starts_with("Nachtwache. Kunde0, Kunde1, ") && told.chars().count() <= LONGEST_PROMPT);
        assert!(!told.contains("Kunde199"));
        assert_eq!(prompt(" ", &[]), None);
        assert_eq!(prompt("", &list[..2]).as_deref(), Some("Kunde0, Kunde1"));
    }
}
