//! A person corrects what was heard, read or judged: the report is judged anew at once.
//!
//! Promise: one transaction; the original stays; whoever corrects what somebody else corrected meanwhile is told, and changes
//! nothing. No correction ends a case.

use super::Review;
use crate::assess::Anew;
use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::case::Case;
use crate::domain::correction::{Correction, Standing, What};
use crate::domain::event::{Event, EventKind};
use crate::domain::phone;
use crate::domain::report::{Medium, Report, ReportId, Stage};
use crate::store::{Db, StoreError, assessments, corrections, events, reports, transcripts};
use chrono::{DateTime, Utc};

/// The longest text, characters: half an hour of quick speech.
const LONGEST_TEXT: usize = 20_000;
/// The most words: as many as a transcript holds.
const MOST_WORDS: usize = 5_000;
/// The longest description or reason, characters.
const LONGEST_LINES: usize = 2_000;
/// The longest name, characters.
const LONGEST_NAME: usize = 200;

/// What a person changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The whole text of a recording, typed anew; also unchanged, as heard by the person, too.
    Transcript(String),
    /// The company; empty = none was said. So for the other fields.
    Company(String),
    /// The person to call back.
    Contact(String),
    /// The call-back number, in any usual form.
    Callback(String),
    /// The fault.
    Description(String),
    /// The verdict, and why.
    Verdict(Verdict, String),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done, and committed.
    Done(Box<Corrected>),
    /// Somebody else corrected the report meanwhile; nothing was changed.
    Changed {
        /// Who did last.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
    /// It cannot be; nothing was changed.
    Refused(Refusal),
    /// There is no such report.
    Unknown,
}

/// A report after a correction.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// As it counts now.
    pub assessment: Assessment,
    /// Its case, where it has one now.
    pub case: Option<Case>,
    /// The version to correct next.
    pub version: usize,
}

/// Why a correction changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The service has not judged it yet.
    NotJudged,
    /// A mail says what its sender wrote: there is nothing to write down.
    Written,
    /// It proves that the service itself works, and is nobody's message.
    Drill,
    /// A text without a word; who hears nobody sets the verdict.
    Empty,
    /// Longer than is kept.
    TooLong,
    /// No number that can be called back.
    NoNumber,
    /// A verdict by hand needs its reason.
    NoReason,
    /// It says what stands there already.
    Same,
    /// Its words were deleted: there is nothing left to judge.
    WordsDeleted,
}

impl Review {
    /// Corrects a report that has `version` corrections so far, judges it anew, and does to its case what a later verdict does.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub async fn correct(
        &self,
        id: ReportId,
        version: usize,
        change: Change,
        actor: &str,
    ) -> Result<Outcome, StoreError> {
        let now = self.clock.now();
        let (what, after, reason) = match written(change) {
            Ok(written) => written,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let mut correction =
            Correction { report: id, at: now, actor: actor.to_owned(), what, before: None, after, reason };
        let anew = Anew { rules: &self.rules, settings: &self.settings, roster: &self.roster, now };
        // people are looked up and words compared before anything is locked
        let mut reader = self.store.read().await?;
        self.roster.at(&mut reader, now).await?;
        let Some(report) = reports::maybe(&mut reader, id).await? else { return Ok(Outcome::Unknown) };
        let mut made = match correctable(&mut reader, &report, what, version).await? {
            Ok(made) => made,
            Err(outcome) => return Ok(outcome),
        };
        let version = made.len();
        made.push(correction.clone());
        let assessment = anew.judged(&mut reader, &report, &Standing::of(&made)).await?;
        drop(reader);
        let mut tx = self.store.begin().await?;
        let Some(report) = reports::lock(&mut tx, id).await? else { return Ok(Outcome::Unknown) };
        if let Err(outcome) = correctable(tx.reading(), &report, what, version).await? {
            return Ok(outcome);
        }
        correction.before = before(tx.reading(), id, what).await?;
        if correction.before == correction.after && what != What::Transcript {
            return Ok(Outcome::Refused(Refusal::Same));
        }
        let was = assessments::find(tx.reading(), id).await?.map(|found| found.verdict);
        corrections::add(&mut tx, &correction).await?;
        let case = anew.corrected(&mut tx, &report, &assessment).await?;
        let turned = was.filter(|was| *was != assessment.verdict);
        let detail = turned.map(|was| format!(": {} -> {}", was.as_str(), assessment.verdict.as_str()));
        let event = Event::new(now, EventKind::Corrected, format!("{}{}", what.as_str(), detail.unwrap_or_default()));
        let event = Event { case: case.as_ref().map(|case| case.id), ..event.report(id).by(actor) };
        events::append(&mut tx, &event).await?;
        tx.commit().await?;
        tracing::info!(report.id = %id, what = what.as_str(), verdict = assessment.verdict.as_str(), stage = "review", "a report was corrected");
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(Outcome::Done(Box::new(Corrected { assessment, case, version: made.len() })))
    }
}

/// The corrections so far, where there may be another one; else what it comes to.
async fn correctable(
    db: &mut Db,
    report: &Report,
    what: What,
    version: usize,
) -> Result<Result<Vec<Correction>, Outcome>, StoreError> {
    if let Some(refusal) = refused(report, what) {
        return Ok(Err(Outcome::Refused(refusal)));
    }
    if reports::lost_its_words(db, report.id).await? {
        return Ok(Err(Outcome::Refused(Refusal::WordsDeleted)));
    }
    let made = corrections::of_report(db, report.id).await?;
    Ok(match made.last().filter(|_| made.len() != version) {
        Some(last) => Err(Outcome::Changed { by: last.actor.clone(), at: last.at }),
        None => Ok(made),
    })
}

/// What stands there now.
async fn before(db: &mut Db, id: ReportId, what: What) -> Result<Option<String>, StoreError> {
    if what == What::Transcript {
        return Ok(transcripts::find(db, id).await?.map(|(transcript, _)| transcript.text()));
    }
    let Some(found) = assessments::find(db, id).await? else { return Ok(None) };
    Ok(match what {
        What::Company => found.fields.company,
        What::Contact => found.fields.contact,
        What::Callback => found.fields.callback,
        What::Description => found.fields.description,
        What::Verdict | What::Transcript => Some(found.verdict.as_str().to_owned()),
    })
}

/// A change as it is kept: what, the value, why.
fn written(change: Change) -> Result<(What, Option<String>, Option<String>), Refusal> {
    let field = |value: String, longest: usize| {
        let value = value.trim().to_owned();
        if value.chars().count() > longest {
            return Err(Refusal::TooLong);
        }
        Ok(Some(value).filter(|value| !value.is_empty()))
    };
    Ok(match change {
        Change::Transcript(text) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            if words.len() > MOST_WORDS {
                return Err(Refusal::TooLong);
            }
            let text = words.join(" ");
            (What::Transcript, Some(field(text, LONGEST_TEXT)?.ok_or(Refusal::Empty)?), None)
        }
        Change::Company(value) => (What::Company, field(value, LONGEST_NAME)?, None),
        Change::Contact(value) => (What::Contact, field(value, LONGEST_NAME)?, None),
        Change::Description(value) => (What::Description, field(value, LONGEST_LINES)?, None),
        Change::Callback(value) => {
            let number = field(value, LONGEST_NAME)?;
            let dialable = number.map(|number| phone::e164(&number).ok_or(Refusal::NoNumber));
            (What::Callback, dialable.transpose()?, None)
        }
        Change::Verdict(verdict, reason) => {
            let reason = field(reason, LONGEST_LINES)?.ok_or(Refusal::NoReason)?;
            (What::Verdict, Some(verdict.as_str().to_owned()), Some(reason))
        }
    })
}

fn refused(report: &Report, what: What) -> Option<Refusal> {
    if report.is_drill() {
        return Some(Refusal::Drill);
    }
    if report.stage != Stage::Done {
        return Some(Refusal::NotJudged);
    }
    (what == What::Transcript && report.medium != Medium::Voicemail).then_some(Refusal::Written)
}
