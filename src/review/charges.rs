//! A person decides about charges: released for billing, or cancelled with a reason. And everything that proves one.
//!
//! Promise: what two people decide at once is decided once, and the second one learns what stands; with the decision the
//! proof is frozen as it was then. Page and command call these functions.

use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseId, PhoneConsent};
use crate::domain::charge::{self, ChargeState, Entry, Filter, Line, Proof, Step, Sum};
use crate::domain::event::{Event, EventKind};
use crate::domain::report::Report;
use crate::domain::roster::instant;
use crate::store::{Reader, Store, StoreError, Tx, assessments, cases, charge_steps, consents, events, reports};
use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

/// Longest reason that is kept, characters.
pub const REASON_MAX: usize = 500;

/// What came of a decision.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// It is done, and committed; the charge as it is now.
    Done(Box<Entry>),
    /// Somebody decided before: the charge as it stands.
    Already(Box<Entry>),
    /// The case has no charge.
    Unknown,
    /// Nobody is named who decides.
    Nobody,
    /// A cancellation needs a reason, of at most `REASON_MAX` characters.
    NoReason,
}

/// `by` releases the charge of a case for billing.
///
/// # Errors
/// Where the store refused: nothing was changed.
pub async fn release(store: &Store, case: CaseId, by: &str, now: DateTime<Utc>) -> Result<Decided, StoreError> {
    let by = by.trim();
    if by.is_empty() {
        return Ok(Decided::Nobody);
    }
    let mut tx = store.begin().await?;
    let Some(entry) = charge_steps::lock(&mut tx, case).await? else { return Ok(Decided::Unknown) };
    let proof = frozen(&mut tx, &entry).await?;
    if !charge_steps::release(&mut tx, &entry, &proof, by, now).await? {
        return Ok(Decided::Already(Box::new(entry)));
    }
    decided(tx, &entry, Event::new(now, EventKind::Released, entry.net.german()).by(by)).await
}

/// `by` cancels the charge of a case, and says why. Of what was released it is a credit; the release stays in the books.
///
/// # Errors
/// Where the store refused: nothing was changed.
pub async fn cancel(
    store: &Store,
    case: CaseId,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Decided, StoreError> {
    let (by, reason) = (by.trim(), reason.trim());
    if by.is_empty() {
        return Ok(Decided::Nobody);
    }
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Ok(Decided::NoReason);
    }
    let mut tx = store.begin().await?;
    let Some(entry) = charge_steps::lock(&mut tx, case).await? else { return Ok(Decided::Unknown) };
    // what was released is frozen already
    let proof = if entry.state == ChargeState::Proposed { frozen(&mut tx, &entry).await? } else { entry.proof.clone() };
    if !charge_steps::cancel(&mut tx, &entry, &proof, by, reason, now).await? {
        return Ok(Decided::Already(Box::new(entry)));
    }
    let what = if entry.state == ChargeState::Released { "a credit" } else { "not released" };
    // the reason is the charge's own: it goes with its proof
    let detail = format!("{} ({what})", entry.net.german());
    decided(tx, &entry, Event::new(now, EventKind::Cancelled, detail).by(by)).await
}

/// The proof as it is when a person decides.
async fn frozen(tx: &mut Tx, entry: &Entry) -> Result<Proof, StoreError> {
    let verdict = assessments::find(tx.reading(), entry.report).await?.map(|found| found.verdict);
    Ok(Proof { verdict, customer: Some(entry.customer.clone()), ..entry.proof.clone() })
}

async fn decided(mut tx: Tx, entry: &Entry, event: Event) -> Result<Decided, StoreError> {
    let state = event.kind.as_str();
    events::append(&mut tx, &event.report(entry.report).case(entry.case)).await?;
    let now = charge_steps::find(tx.reading(), entry.case).await?;
    tx.commit().await?;
    tracing::info!(case.id = %entry.case, state, stage = "review", "a person decided about a charge");
    Ok(now.map_or(Decided::Unknown, |entry| Decided::Done(Box::new(entry))))
}

/// Some charges, and what all of the same time come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// By where they stand, of all states.
    pub sums: Vec<Sum>,
    /// How many the filter lets through.
    pub count: u64,
}

/// Up to `limit` charges behind the first `skip`.
///
/// # Errors
/// Where the store refused or a row is broken.
pub async fn page(reader: &mut Reader, filter: &Filter, limit: u32, skip: u32) -> Result<Page, StoreError> {
    let entries = charge_steps::page(reader, filter, limit.into(), skip.into()).await?;
    let sums = charge_steps::sums(reader, filter).await?;
    let counted = sums.iter().filter(|sum| filter.state.is_none_or(|state| state == sum.state));
    Ok(Page { entries, count: counted.map(|sum| sum.count).sum(), sums })
}

/// The lines for the accounts, the oldest first. `wording::charges::csv` writes them.
///
/// # Errors
/// Where the store refused or a row is broken.
pub async fn lines(reader: &mut Reader, filter: &Filter) -> Result<Vec<Line>, StoreError> {
    Ok(charge::lines(charge_steps::to_book(reader, filter).await?, filter))
}

/// Everything that proves one charge.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// The charge with its proof.
    pub entry: Entry,
    /// The report that proves it.
    pub report: Report,
    /// Its case.
    pub case: Case,
    /// The verdict when a person decided; while nobody has, the one of now.
    pub verdict: Option<Verdict>,
    /// Every record of what the customer said on the phone, the oldest first.
    pub consents: Vec<PhoneConsent>,
    /// Every step of the charge, the oldest first.
    pub steps: Vec<Step>,
}

impl Dossier {
    /// From where to where the `nth` finding is heard, seconds; `None` where it was written, or there is no sound (any more).
    #[must_use]
    pub fn seconds(&self, nth: usize) -> Option<(f32, f32)> {
        self.report.recording.as_ref()?;
        self.entry.proof.findings.get(nth)?.seconds
    }
}

/// The dossier of a case's charge; `None` where it has none.
///
/// # Errors
/// Where the store refused or a row is broken.
pub async fn dossier(reader: &mut Reader, case: CaseId) -> Result<Option<Dossier>, StoreError> {
    let Some(entry) = charge_steps::find(reader, case).await? else { return Ok(None) };
    let Some(case) = cases::find(reader, case).await? else { return Ok(None) };
    let verdict = match entry.proof.verdict {
        Some(frozen) => Some(frozen),
        None => assessments::find(reader, entry.report).await?.map(|found| found.verdict),
    };
    Ok(Some(Dossier {
        report: reports::find(reader, entry.report).await?,
        verdict,
        consents: consents::all(reader, case.id).await?,
        steps: charge_steps::steps(reader, case.id).await?,
        case,
        entry,
    }))
}

/// A month of the firm's zone, of "2026-11".
#[must_use]
pub fn month(text: &str) -> Option<NaiveDate> {
    let (year, month) = text.trim().split_once('-')?;
    let digits = |part: &str, most: usize| part.len() == most && part.chars().all(|c| c.is_ascii_digit());
    (digits(year, 4) && digits(month, 2)).then_some(())?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

/// From a month's first instant in the zone to the next one's.
#[must_use]
pub fn span_of(month: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let first = month.with_day(1).unwrap_or(month);
    let next = first.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
    let midnight = |day: NaiveDate| instant(zone, day.and_time(NaiveTime::MIN));
    (midnight(first), midnight(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_the_zones_and_not_the_worlds() {
        let (from, until) = span_of(month("2026-10").unwrap(), chrono_tz::Europe::Berlin);
        assert_eq!(
            (from.to_rfc3339(), until.to_rfc3339()),
            ("2026-09-30T22:00:00+00:00".into(), "2026-10-31T23:00:00+00:00".into())
        );
        let december = span_of(month("2026-12").unwrap(), chrono_tz::Tz::UTC);
        assert_eq!(december.1.to_rfc3339(), "2027-01-01T00:00:00+00:00");
    }

    #[test]
    fn what_is_no_month_is_none() {
        for odd in ["", "2026", "2026-13", "26-01", "2026-1", "2026-00", "+026-01", "2026-01-01", "alle"] {
            assert_eq!(month(odd), None, "{odd}");
        }
    }
}
