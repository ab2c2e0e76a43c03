//! A report that was judged wrong becomes an example for the rules: a message with the labels a person gives it, in the
//! bench's own format. Kept here, handed out only by hand.

use super::Review;
pub use super::neutral::{Replaced, anonymised};
use crate::assess::Said;
use crate::assess::bench::{self, Expect, Record, Scores};
use crate::assess::rules::{self, Judgement, Names, Rules, Terms};
use crate::domain::assessment::{Consent, Declaration, Verdict};
use crate::domain::correction::What;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::{Report, ReportId};
use crate::store::{Store, StoreError, assessments, corrections, events, examples, reports};
use std::time::Duration;
use uuid::Uuid;

/// An example with its message.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As it is kept.
    pub example: examples::Example,
    /// The message with its labels; none where no version of this program wrote it.
    pub record: Option<Record>,
}

impl Review {
    /// What would be kept of a report, its labels filled in: what the rules read, over it what people corrected. `None`: there
    /// is no such report, or nothing in it to judge.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn draft_example(&self, id: ReportId) -> Result<Option<Record>, StoreError> {
        let mut reader = self.store.read().await?;
        let Some(report) = reports::maybe(&mut reader, id).await? else { return Ok(None) };
        let said = Said::of(&report, &mut reader).await?;
        let Some(mut record) = self.record(&report, &said) else { return Ok(None) };
        let found = self.judged(&record, &self.rules);
        record.expect = expected(&found);
        if let Some(now) = assessments::find(&mut reader, id).await? {
            let standing = corrections::standing(&mut reader, id).await?;
            let (labels, fields) = (&mut record.expect, now.fields);
            (labels.company, labels.contact) = (fields.company, fields.contact);
            (labels.callback, labels.description) = (fields.callback, fields.description);
            if standing.correction(What::Verdict).is_some() {
                labels.verdict = now.verdict;
            }
        }
        Ok(Some(record))
    }

    /// Keeps a report with these labels; gives the example's id. `None`: see [`Review::draft_example`].
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn keep_example(&self, id: ReportId, labels: Expect, actor: &str) -> Result<Option<String>, StoreError> {
        let Some(mut record) = self.draft_example(id).await? else { return Ok(None) };
        record.expect = labels;
        let now = self.clock.now();
        let example = examples::Example {
            id: record.id.clone(),
            report: Some(id),
            made_at: now,
            made_by: actor.to_owned(),
            anonymised: false,
            record: line(&record),
        };
        let mut tx = self.store.begin().await?;
        examples::add(&mut tx, &example).await?;
        events::append(&mut tx, &Event::new(now, EventKind::Example, "kept").report(id).by(actor)).await?;
        tx.commit().await?;
        Ok(Some(example.id))
    }

    /// Makes an example anonymous for good; `more` are words that name somebody and are not among its labels. Gives what was
    /// replaced; `None`: there is no such example.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn anonymise_example(
        &self,
        id: &str,
        more: &[String],
        actor: &str,
    ) -> Result<Option<Replaced>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(kept) = examples::find(tx.reading(), id).await?.map(kept) else { return Ok(None) };
        let Some(record) = kept.record else { return Ok(None) };
        let (record, replaced) = self.without_caller(&record, more);
        examples::anonymise(&mut tx, id, &line(&record)).await?;
        events::append(&mut tx, &Event::new(now, EventKind::Example, "made anonymous").by(actor)).await?;
        tx.commit().await?;
        Ok(Some(replaced))
    }

    /// What making it anonymous would give; nothing is written.
    #[must_use]
    pub fn without_caller(&self, record: &Record, more: &[String]) -> (Record, Replaced) {
        let read = self.judged(record, &self.rules).fields;
        let known: Vec<String> = more.iter().cloned().chain(read.company).chain(read.contact).collect();
        anonymised(record, &known)
    }

    /// Throws an example away. `false`: there is none.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn remove_example(&self, id: &str, actor: &str) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let removed = examples::remove(&mut tx, id).await?;
        if removed {
            events::append(&mut tx, &Event::new(now, EventKind::Example, "thrown away").by(actor)).await?;
            tx.commit().await?;
        }
        Ok(removed)
    }

    /// All examples, the oldest first.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn examples(&self) -> Result<Vec<Kept>, StoreError> {
        all(&self.store).await
    }

    /// How rules judge these messages; who differs is in `wrong`.
    #[must_use]
    pub fn score(&self, rules: &Rules, records: &[Record]) -> Scores {
        bench::score(rules, records, &self.terms(), &self.settings.business_hours(), &|| Duration::ZERO)
    }

    /// What rules say about one message, as in the bench: without a recording's proof.
    #[must_use]
    pub fn judged(&self, record: &Record, rules: &Rules) -> Judgement {
        let hours = self.settings.business_hours();
        rules::judge_knowing(rules, &bench::message(record, &hours), &self.terms(), &Names::default())
    }

    /// A report as a record, without labels, for the bench. `None`: there is no such report, or nothing in it to judge.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn record_of(&self, id: ReportId) -> Result<Option<Record>, StoreError> {
        let mut reader = self.store.read().await?;
        let Some(report) = reports::maybe(&mut reader, id).await? else { return Ok(None) };
        Ok(self.record(&report, &Said::of(&report, &mut reader).await?))
    }

    /// A text as somebody typed it into the bench, as if it were left now.
    #[must_use]
    pub fn record_of_text(&self, text: String) -> Record {
        let zone = self.settings.business_hours().zone;
        Record {
            id: String::new(),
            text,
            subject: None,
            headers: Vec::new(),
            caller_id: None,
            received_at: self.clock.now().with_timezone(&zone).fixed_offset(),
            expect: unlabelled(),
        }
    }

    fn terms(&self) -> Terms<'_> {
        let terms = &self.settings.terms;
        Terms { fee: terms.fee_cents().unwrap_or_default(), own_numbers: &terms.own_numbers }
    }

    fn record(&self, report: &Report, said: &Said) -> Option<Record> {
        let (text, mail) = match said {
            Said::Nothing => return None,
            Said::Spoken(transcript) | Said::Both(transcript, _) => (transcript.text(), None),
            Said::Twice(twice, _) => (twice.counting().text(), None),
            Said::Written(mail, _) => (mail.text.clone(), Some(mail)),
        };
        let zone = self.settings.business_hours().zone;
        let id = Uuid::now_v7().to_string();
        let empty = Record {
            id,
            text,
            subject: mail.map(|mail| mail.subject.clone()),
            headers: mail.map(|mail| mail.headers.clone()).unwrap_or_default(),
            caller_id: report.caller.number.clone(),
            received_at: report.called_at.with_timezone(&zone).fixed_offset(),
            expect: unlabelled(),
        };
        (!empty.text.trim().is_empty() || mail.is_some()).then_some(empty)
    }
}

/// All examples of a store, the oldest first.
///
/// # Errors
/// Where the store refused.
pub async fn all(store: &Store) -> Result<Vec<Kept>, StoreError> {
    Ok(examples::all(&mut *store.read().await?).await?.into_iter().map(kept).collect())
}

/// The records as lines of JSON, as `nachtwache eval messages` reads them.
#[must_use]
pub fn lines(kept: &[Kept]) -> String {
    kept.iter().filter_map(|one| one.record.as_ref()).map(|record| line(record) + "\n").collect()
}

/// An example with its record.
#[must_use]
pub fn kept(example: examples::Example) -> Kept {
    let record = serde_json::from_str(&example.record).ok();
    Kept { example, record }
}

fn line(record: &Record) -> String {
    serde_json::to_string(record).expect("a record has no map with odd keys")
}

/// Before anybody has labelled it.
fn unlabelled() -> Expect {
    Expect {
        verdict: Verdict::NotEmergency,
        declaration: Declaration::Absent,
        consent: Consent::Absent,
        urgent: false,
        company: None,
        contact: None,
        callback: None,
        description: None,
        language: "de".into(),
    }
}

fn expected(found: &Judgement) -> Expect {
    Expect {
        verdict: found.verdict,
        declaration: found.declaration,
        consent: found.consent,
        urgent: found.urgent,
        company: found.fields.company.clone(),
        contact: found.fields.contact.clone(),
        callback: found.fields.callback.clone(),
        description: found.fields.description.clone(),
        language: found.language.clone(),
    }
}
