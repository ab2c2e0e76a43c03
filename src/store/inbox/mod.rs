//! The list of what came in, newest first: filtered, counted, searched.
//!
//! The truth is in `reports`, `assessments`, `cases` and so on. Beside it each report but the drills has a row of what is filtered on
//! (`inbox`), one of what is shown (`inbox_shown`) and its words (`inbox_words`), written in the same transactions. So a page, its counts and
//! a search cost the same whatever the number of reports.

mod filter;
mod keep;
mod words;

pub(super) use keep::follow;
pub use keep::{catch_up, due, forget, refresh};

use super::reports::parse_id;
use super::row::Fields;
use super::{Reader, Result};
use crate::domain::assessment::{Verdict, words};
use crate::domain::case::{CaseId, CaseState};
use crate::domain::report::{Medium, ReportId, Stage};
use chrono::{DateTime, Utc};
use filter::Chosen;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// So many rows are on a page.
pub const PAGE: usize = 50;

words! {
    /// Where a report stands for whoever looks at the list.
    State {
        /// It has neither verdict nor case yet.
        Waiting = "waiting",
        /// Its case is open: nobody has it.
        Open = "open",
        /// Somebody has its case.
        Taken = "taken",
        /// Its case is closed.
        Closed = "closed",
        /// It was judged and needs no case.
        None = "none",
    }
}

impl State {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Open, Self::Taken, Self::Closed, Self::None];

    fn of(case: CaseState) -> Self {
        match case {
            CaseState::Open => Self::Open,
            CaseState::Taken => Self::Taken,
            CaseState::Closed => Self::Closed,
        }
    }
}

/// All verdicts, the loudest first.
pub const VERDICTS: [Verdict; 5] =
    [Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear, Verdict::NotEmergency, Verdict::Ignored];

/// Which reports are asked for. Empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// One of these verdicts; empty: any or none.
    pub verdicts: Vec<Verdict>,
    /// In this state.
    pub state: Option<State>,
    /// Called from then on.
    pub from: Option<DateTime<Utc>>,
    /// Called before then.
    pub until: Option<DateTime<Utc>>,
    /// Came in at this source.
    pub source: Option<String>,
    /// This technician has the case or closed it.
    pub technician: Option<String>,
    /// All of these words are in it, the last one perhaps only begun. Whatever was typed.
    pub words: String,
}

/// Which page is asked for. Places are those of `Row::place`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cursor {
    /// The newest.
    #[default]
    Newest,
    /// What came before this place.
    Before(i64),
    /// What came after this place: the page just above it.
    After(i64),
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands: greater is newer.
    pub place: i64,
    /// Which report.
    pub report: ReportId,
    /// When the caller called.
    pub called_at: DateTime<Utc>,
    /// Where it came in.
    pub source: String,
    /// By which way.
    pub medium: Medium,
    /// How far it has come.
    pub stage: Stage,
    /// The displayed number, unparsed.
    pub displayed: Option<String>,
    /// The displayed name.
    pub caller: Option<String>,
    /// As read out of the message.
    pub company: Option<String>,
    /// As read out of the message.
    pub contact: Option<String>,
    /// The number to call back on, E.164.
    pub callback: Option<String>,
    /// The description, else the first words or the subject; at most about 160 characters on one line.
    pub opening: Option<String>,
    /// The report's own verdict; `None` while there is none.
    pub verdict: Option<Verdict>,
    /// Length of the recording in milliseconds, once it was decoded.
    pub sound_ms: Option<u32>,
    /// The case it opened or joined.
    pub case: Option<CaseId>,
    /// Where it stands.
    pub state: State,
    /// Who has the case, or closed it.
    pub technician: Option<String>,
    /// Whether a charge waits for its case to be released or cancelled.
    pub charge: bool,
}

/// One page of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most `PAGE`, newest first.
    pub rows: Vec<Row>,
    /// `Cursor::Before` this leads to the next older page; `None`: there is none.
    pub older: Option<i64>,
    /// `Cursor::After` this leads to the next newer page; `None`: this is the newest.
    pub newer: Option<i64>,
}

/// So many reports with certain words are counted. Where more have them, only that is told: a word that is everywhere narrows
/// nothing, and is not worth the time.
pub const COUNTED: i64 = 2_000;

/// How many reports pass a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// More than `COUNTED` have the words: then the numbers below are those of some of them, and worth nothing.
    pub more: bool,
    /// All that pass.
    pub all: i64,
    /// By verdict, as in `VERDICTS`: as if the filter named no verdict.
    pub verdicts: [i64; 5],
    /// By state, as in `State::ALL`: as if the filter named no state.
    pub states: [i64; 5],
}

/// One page of the reports that pass.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn page(db: &mut Reader, filter: &Filter, cursor: Cursor) -> Result<Page> {
    let more = i64::try_from(PAGE).unwrap_or(i64::MAX) + 1;
    let mut chosen = Chosen::all(db.dialect, filter);
    if let Some(ends) = Chosen::ends(db.dialect, filter) {
        let row = ends.fetch_one(&mut **db).await?;
        let fields = Fields::named(&row, "inbox", "ends".to_owned());
        let (first, last) = (fields.maybe_number("first")?, fields.maybe_number("last")?);
        let Some((first, last)) = first.zip(last) else { return Ok(Page::default()) };
        chosen.at(">=", first);
        chosen.at("<=", last);
    }
    let upwards = match cursor {
        Cursor::Newest => false,
        Cursor::Before(place) => {
            chosen.at("<", place);
            false
        }
        Cursor::After(place) => {
            chosen.at(">", place);
            true
        }
    };
    let order = if upwards { "ASC" } else { "DESC" };
    let (place, by) = (chosen.place, chosen.order);
    let inner = format!(" ORDER BY {by} {order} LIMIT {more}) AS page {JOINED} ORDER BY page.place {order}");
    let head = format!("SELECT {COLUMNS} FROM (SELECT {place} AS place");
    let rows = chosen.query(&head, &inner).fetch_all(&mut **db).await?;
    let mut rows = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    let is_more = rows.len() > PAGE;
    if upwards && !is_more {
        // the top is reached: it is shown full
        return Box::pin(page(db, filter, Cursor::Newest)).await;
    }
    rows.truncate(PAGE);
    if upwards {
        rows.reverse();
    }
    let (first, last) = (rows.first().map(|row| row.place), rows.last().map(|row| row.place));
    Ok(Page { older: last.filter(|_| upwards || is_more), newer: first.filter(|_| cursor != Cursor::Newest), rows })
}

/// One report's line; `None` where it has none.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn row(db: &mut Reader, report: ReportId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM (SELECT place FROM inbox WHERE report_id = $1) AS page {JOINED}");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(report.to_string()).fetch_optional(&mut **db).await?;
    row.as_ref().map(read).transpose()
}

/// How many reports pass, in all, by verdict and by state.
///
/// # Errors
/// Where the database refused.
pub async fn counts(db: &mut Reader, filter: &Filter) -> Result<Counts> {
    let chosen = Chosen::base(db.dialect, filter);
    let searched = chosen.tables != "inbox";
    let head = "SELECT hits.verdict AS verdict, hits.state AS state, COUNT(*) AS many
        FROM (SELECT inbox.verdict AS verdict, inbox.state AS state";
    let most = if searched { format!(" LIMIT {}", COUNTED + 1) } else { String::new() };
    let tail = format!("{most}) AS hits GROUP BY hits.verdict, hits.state");
    let rows = chosen.query(head, &tail).fetch_all(&mut **db).await?;
    let mut counts = Counts::default();
    let mut found = 0;
    for row in &rows {
        let fields = Fields::named(row, "inbox", "counts".to_owned());
        let verdict = fields.maybe_word("verdict", Verdict::parse)?;
        let state = fields.word("state", State::parse)?;
        let many = fields.number("many")?;
        found += many;
        let wanted = filter.verdicts.is_empty() || verdict.is_some_and(|verdict| filter.verdicts.contains(&verdict));
        let here = filter.state.is_none_or(|wanted| wanted == state);
        for (of, count) in VERDICTS.iter().zip(&mut counts.verdicts) {
            *count += if here && Some(*of) == verdict { many } else { 0 };
        }
        for (of, count) in State::ALL.iter().zip(&mut counts.states) {
            *count += if wanted && *of == state { many } else { 0 };
        }
        counts.all += if here && wanted { many } else { 0 };
    }
    counts.more = searched && found > COUNTED;
    Ok(counts)
}

const COLUMNS: &str =
    "inbox.place AS place, inbox.report_id AS report_id, inbox.source AS source, inbox.verdict AS verdict,
    inbox.state AS state, inbox.technician AS technician, inbox.case_id AS case_id, reports.called_at AS called_at,
    reports.medium AS medium, reports.stage AS stage, reports.caller_number AS displayed, reports.caller_name AS caller,
    inbox_shown.sound_ms AS sound_ms, inbox_shown.company AS company, inbox_shown.contact AS contact,
    inbox_shown.callback AS callback, inbox_shown.opening AS opening,
    CASE WHEN charges.state = 'proposed' THEN 1 ELSE 0 END AS charge";

const JOINED: &str = "JOIN inbox ON inbox.place = page.place JOIN reports ON reports.id = inbox.report_id
    LEFT JOIN inbox_shown ON inbox_shown.place = page.place LEFT JOIN charges ON charges.case_id = inbox.case_id";

fn read(row: &AnyRow) -> Result<Row> {
    let id = Fields::named(row, "inbox", String::new()).text("report_id")?;
    let fields = Fields::named(row, "inbox", id.clone());
    Ok(Row {
        place: fields.number("place")?,
        report: parse_id("inbox", "report_id", &id)?,
        called_at: fields.instant("called_at")?,
        source: fields.text("source")?,
        medium: fields.word("medium", Medium::parse)?,
        stage: fields.word("stage", Stage::parse)?,
        displayed: fields.maybe_text("displayed")?,
        caller: fields.maybe_text("caller")?,
        company: fields.maybe_text("company")?,
        contact: fields.maybe_text("contact")?,
        callback: fields.maybe_text("callback")?,
        opening: fields.maybe_text("opening")?,
        verdict: fields.maybe_word("verdict", Verdict::parse)?,
        sound_ms: fields.maybe_number("sound_ms")?.and_then(|length| u32::try_from(length).ok()),
        case: fields.maybe_number("case_id")?.map(CaseId),
        state: fields.word("state", State::parse)?,
        technician: fields.maybe_text("technician")?,
        charge: fields.truth("charge")?,
    })
}
