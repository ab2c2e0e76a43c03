//! What a span of time comes to, counted by the hour: whoever asks puts the hours into days and weeks of his zone.
//!
//! Only verdicts, times and lengths are needed: the texts may be deleted long since.

use super::row::Fields;
use super::{Result, ms};
use crate::domain::assessment::Verdict;
use crate::domain::case::{CaseState, Outcome};
use crate::domain::charge::ChargeState;
use crate::domain::tariff::Cents;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// From here, up to here and not further.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

const HOUR_MS: i64 = 3_600_000;

/// Reports of one hour by their verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reports {
    /// When the hour begins (UTC).
    pub hour: DateTime<Utc>,
    /// How many of each verdict, in the order of `VERDICTS`.
    pub counts: [u32; 5],
}

/// The verdicts in the order in which figures tell them.
pub const VERDICTS: [Verdict; 5] =
    [Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear, Verdict::NotEmergency, Verdict::Ignored];

/// How many reports were stored in each hour, by verdict. Hours without any are left out; drills count nowhere.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn reports(db: &mut AnyConnection, span: Span) -> Result<Vec<Reports>> {
    let rows = rows(
        db,
        span,
        "SELECT stored_at / 3600000 AS hour,
             SUM(CASE WHEN COALESCE(corrected_verdict, verdict) = 'confirmed' THEN 1 ELSE 0 END) AS confirmed,
             SUM(CASE WHEN COALESCE(corrected_verdict, verdict) = 'incomplete' THEN 1 ELSE 0 END) AS incomplete,
             SUM(CASE WHEN COALESCE(corrected_verdict, verdict) = 'unclear' THEN 1 ELSE 0 END) AS unclear,
             SUM(CASE WHEN COALESCE(corrected_verdict, verdict) = 'not_emergency' THEN 1 ELSE 0 END) AS not_emergency,
             SUM(CASE WHEN COALESCE(corrected_verdict, verdict) = 'ignored' THEN 1 ELSE 0 END) AS ignored
         FROM assessments WHERE stored_at >= $1 AND stored_at < $2 GROUP BY stored_at / 3600000 ORDER BY 1",
    )
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "assessments", "hour".into());
            let mut counts = [0; 5];
            for (count, verdict) in counts.iter_mut().zip(VERDICTS) {
                *count = fields.count(verdict.as_str())?;
            }
            Ok(Reports { hour: hour(&fields)?, counts })
        })
        .collect()
}

/// How long people took with the cases that were opened in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// When the hour begins (UTC).
    pub hour: DateTime<Utc>,
    /// Seconds, one number a case.
    pub seconds: Vec<u32>,
}

/// From a case's opening to the first answer of a person: he took it or ended it.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn answers(db: &mut AnyConnection, span: Span) -> Result<Vec<Waits>> {
    waits(
        db,
        span,
        "SELECT opened_at / 3600000 AS hour, STRING_AGG(CAST((answered_at - opened_at) / 1000 AS TEXT), ',') AS seconds
         FROM cases WHERE opened_at >= $1 AND opened_at < $2 AND answered_at IS NOT NULL GROUP BY opened_at / 3600000
         ORDER BY 1",
    )
    .await
}

/// From a case's opening to the first call-back.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn call_backs(db: &mut AnyConnection, span: Span) -> Result<Vec<Waits>> {
    waits(
        db,
        span,
        "SELECT opened_at / 3600000 AS hour, STRING_AGG(CAST((first_called_at - opened_at) / 1000 AS TEXT), ',') AS seconds
         FROM cases WHERE opened_at >= $1 AND opened_at < $2 AND first_called_at IS NOT NULL GROUP BY opened_at / 3600000
         ORDER BY 1",
    )
    .await
}

async fn waits(db: &mut AnyConnection, span: Span, sql: &'static str) -> Result<Vec<Waits>> {
    let rows = rows(db, span, sql).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "cases", "hour".into());
            let list = fields.text("seconds")?;
            let seconds = list.split(',').map(str::parse::<i64>).collect::<std::result::Result<Vec<_>, _>>();
            let seconds = seconds.map_err(|_| fields.broken("seconds", list.clone()))?;
            // a clock that was set back makes no negative wait
            let seconds = seconds.into_iter().map(|one| u32::try_from(one.max(0)).unwrap_or(u32::MAX)).collect();
            Ok(Waits { hour: hour(&fields)?, seconds })
        })
        .collect()
}

/// What the transcriber did in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// When the hour begins (UTC).
    pub hour: DateTime<Utc>,
    /// Recordings.
    pub count: u32,
    /// It took so many milliseconds,
    pub took_ms: u64,
    /// for so many of sound.
    pub sound_ms: u64,
}

/// How long writing down took beside the length of the sound, by the hour in which it was written down.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn written(db: &mut AnyConnection, span: Span) -> Result<Vec<Written>> {
    let rows = rows(
        db,
        span,
        "SELECT created_at / 3600000 AS hour, COUNT(*) AS count, CAST(SUM(took_ms) AS BIGINT) AS took,
             CAST(SUM(sound_ms) AS BIGINT) AS sound
         FROM transcripts WHERE created_at >= $1 AND created_at < $2 AND sound_ms > 0 GROUP BY created_at / 3600000
         ORDER BY 1",
    )
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "transcripts", "hour".into());
            let (took_ms, sound_ms) = (fields.count("took")?, fields.count("sound")?);
            Ok(Written { hour: hour(&fields)?, count: fields.count("count")?, took_ms, sound_ms })
        })
        .collect()
}

/// How many cases stand or ended so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cases {
    /// Where they stand.
    pub state: CaseState,
    /// How they ended; `None` while they are not closed.
    pub outcome: Option<Outcome>,
    /// Who has or had them; `None` = nobody took them.
    pub technician: Option<String>,
    /// How many.
    pub count: u32,
}

/// Cases opened in the span by state, outcome and technician.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn cases(db: &mut AnyConnection, span: Span) -> Result<Vec<Cases>> {
    let rows = rows(
        db,
        span,
        "SELECT state, outcome, taken_by, COUNT(*) AS count FROM cases WHERE opened_at >= $1 AND opened_at < $2
         GROUP BY state, outcome, taken_by ORDER BY state, outcome, taken_by",
    )
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "cases", "count".into());
            Ok(Cases {
                state: fields.word("state", CaseState::parse)?,
                outcome: fields.maybe_word("outcome", Outcome::parse)?,
                technician: fields.maybe_text("taken_by")?,
                count: fields.count("count")?,
            })
        })
        .collect()
}

/// Charges that count in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charges {
    /// When the hour begins (UTC).
    pub hour: DateTime<Utc>,
    /// Where they stand.
    pub state: ChargeState,
    /// How many.
    pub count: u32,
    /// Net.
    pub net: Cents,
}

/// Charges by the hour in which they count (as `domain::charge::Filter`) and by where they stand.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn charges(db: &mut AnyConnection, span: Span) -> Result<Vec<Charges>> {
    let rows = rows(
        db,
        span,
        "SELECT booked_at / 3600000 AS hour, state, COUNT(*) AS count, CAST(SUM(net_cents) AS BIGINT) AS net
         FROM charges WHERE booked_at >= $1 AND booked_at < $2 GROUP BY booked_at / 3600000, state ORDER BY 1, 2",
    )
    .await?;
    rows.iter().map(charges_of).collect()
}

fn charges_of(row: &AnyRow) -> Result<Charges> {
    let fields = Fields::named(row, "charges", "hour".into());
    Ok(Charges {
        hour: hour(&fields)?,
        state: fields.word("state", ChargeState::parse)?,
        count: fields.count("count")?,
        net: Cents(fields.number("net")?),
    })
}

/// What a statement gives for a span: its beginning is `$1`, its end `$2`.
async fn rows(db: &mut AnyConnection, span: Span, sql: &'static str) -> Result<Vec<AnyRow>> {
    Ok(sqlx::query(sql).bind(ms(span.0)).bind(ms(span.1)).fetch_all(db).await?)
}

fn hour(fields: &Fields<'_>) -> Result<DateTime<Utc>> {
    let number = fields.number("hour")?;
    let at = number.checked_mul(HOUR_MS).and_then(DateTime::from_timestamp_millis);
    at.ok_or_else(|| fields.broken("hour", number.to_string()))
}
