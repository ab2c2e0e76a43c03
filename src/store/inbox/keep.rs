//! Keeps the list in step with the truth: whoever writes something that it shows, filters on or finds calls one of these in
//! the same transaction.

use super::{State, words};
use crate::domain::assessment::Assessment;
use crate::domain::case::{Case, CaseId, CaseState};
use crate::domain::report::{DRILL, ReportId};
use crate::domain::search;
use crate::domain::transcript::Transcript;
use crate::store::reports::parse_id;
use crate::store::row::Fields;
use crate::store::{Result, Store, StoreError, Tx, corrections};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

/// So many characters of what was said are shown in the list.
const OPENING: usize = 160;
/// So many reports that are due are looked up in one go.
const BATCH: i64 = 200;

/// The report's row, its shown texts and its words, anew from what is stored about it. What the list refuses costs its row
/// there until it is caught up, and nothing else: an alarm's transaction goes on.
///
/// # Errors
/// Where the whole transaction is lost.
pub async fn refresh(tx: &mut Tx, report: ReportId) -> Result<()> {
    run(tx, "SAVEPOINT list").await?;
    let done = anew(tx, report).await;
    settle(tx, done, "SELECT id FROM reports WHERE id = $1", &report.to_string()).await
}

async fn anew(tx: &mut Tx, report: ReportId) -> Result<()> {
    // A no-op update is a row lock on both databases. The order is always report, case, list: so no two wait for each other.
    let row = sqlx::query(
        "UPDATE reports SET id = id WHERE id = $1 RETURNING source, called_at, caller_number, caller_name, medium",
    )
    .bind(report.to_string())
    .fetch_optional(tx.db())
    .await?;
    let Some(row) = row else { return Ok(()) };
    let fields = Fields::named(&row, "reports", report.to_string());
    if fields.text("source")? == DRILL {
        return Ok(());
    }
    let case = case_of(tx, report).await?;
    let told = Told::of(tx, report).await?;
    let line = Line::of(fields.text("source")?, told.verdict.clone(), case);
    let place = put_line(tx, report, fields.number("called_at")?, &line).await?;
    put_shown(tx, place, &told).await?;
    let displayed = [fields.maybe_text("caller_number")?, fields.maybe_text("caller_name")?];
    // as people write it, folded
    let number = line.case.map(|case| format!("vorgang {case}"));
    let texts = displayed.iter().flatten().chain(&number).chain(&told.texts).map(String::as_str);
    words::put(tx, place, &search::kept(texts)).await
}

/// The case is as given from now on: so are the rows of its reports. What the list refuses is caught up as by `refresh`.
///
/// # Errors
/// Where the whole transaction is lost.
pub(in crate::store) async fn follow(tx: &mut Tx, case: &Case) -> Result<()> {
    run(tx, "SAVEPOINT list").await?;
    let done = put_case(tx, case).await;
    let reports = "SELECT report_id FROM cases WHERE CAST(id AS TEXT) = $1
                   UNION SELECT report_id FROM joins WHERE CAST(case_id AS TEXT) = $1";
    settle(tx, done, reports, &case.id.0.to_string()).await
}

/// Ends what was begun with the savepoint: kept, or undone and noted as due. `reports` selects whose rows it was about.
async fn settle(tx: &mut Tx, done: Result<()>, reports: &'static str, of: &str) -> Result<()> {
    if let Err(error) = done {
        if run(tx, "ROLLBACK TO SAVEPOINT list").await.is_err() {
            // the transaction is gone as a whole: a full disk, a lost connection
            return Err(error);
        }
        tracing::error!(%error, of, "the list could not be written; what it misses is caught up");
        let sql = format!("INSERT INTO inbox_due (report_id) {reports} ON CONFLICT (report_id) DO NOTHING");
        if let Err(error) = sqlx::query(AssertSqlSafe(sql)).bind(of).execute(tx.db()).await {
            tracing::error!(%error, of, "what the list misses could not be noted");
            run(tx, "ROLLBACK TO SAVEPOINT list").await?;
        }
    }
    run(tx, "RELEASE SAVEPOINT list").await
}

async fn run(tx: &mut Tx, statement: &'static str) -> Result<()> {
    sqlx::query(statement).execute(tx.db()).await?;
    Ok(())
}

async fn put_case(tx: &mut Tx, case: &Case) -> Result<()> {
    sqlx::query(
        "UPDATE inbox SET state = $1, technician = $2
         WHERE case_id = $3 AND (state <> $1 OR technician IS DISTINCT FROM $2)",
    )
    .bind(State::of(case.state).as_str())
    .bind(technician(case.state, case.taken_by.clone(), case.closed_by.clone()))
    .bind(case.id.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Deletes the report's words and shown texts for good; its row stays, with source, verdict and state. Whoever deletes
/// what they came from calls this in the same transaction, and `refresh` behind it where something may still be found.
///
/// # Errors
/// Where the database refused.
pub async fn forget(tx: &mut Tx, report: ReportId) -> Result<()> {
    let id = report.to_string();
    sqlx::query("DELETE FROM inbox_due WHERE report_id = $1").bind(&id).execute(tx.db()).await?;
    let place: Option<i64> =
        sqlx::query_scalar("SELECT place FROM inbox WHERE report_id = $1").bind(&id).fetch_optional(tx.db()).await?;
    let Some(place) = place else { return Ok(()) };
    sqlx::query("DELETE FROM inbox_shown WHERE place = $1").bind(place).execute(tx.db()).await?;
    words::forget(tx, place).await
}

/// The next reports that are due in the list, the newest first: stored before there was one, or refused by it. Behind
/// `behind` where it is given.
///
/// # Errors
/// Where the database refused.
pub async fn due(db: &mut AnyConnection, behind: Option<&str>) -> Result<Vec<String>> {
    // every id begins with a hexadecimal digit
    let behind = behind.unwrap_or("z");
    let due =
        sqlx::query_scalar("SELECT report_id FROM inbox_due WHERE report_id < $1 ORDER BY report_id DESC LIMIT $2");
    Ok(due.bind(behind).bind(BATCH).fetch_all(db).await?)
}

/// Gives a report that is due its row. One transaction a report: nobody who stores a call waits for more than one of them.
///
/// # Errors
/// Where the database refused or a row is broken: it stays due.
pub async fn catch_up(store: &Store, due: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    anew(&mut tx, parse_id("inbox_due", "report_id", due)?).await?;
    sqlx::query("DELETE FROM inbox_due WHERE report_id = $1").bind(due).execute(tx.db()).await?;
    tx.commit().await
}

/// What is filtered on.
struct Line {
    source: String,
    verdict: Option<String>,
    state: State,
    technician: Option<String>,
    case: Option<CaseId>,
}

impl Line {
    fn of(source: String, verdict: Option<String>, case: Option<OfCase>) -> Self {
        if let Some(case) = case {
            return Self { source, verdict, state: case.state, technician: case.technician, case: Some(case.id) };
        }
        let state = if verdict.is_none() { State::Waiting } else { State::None };
        Self { source, verdict, state, technician: None, case: None }
    }
}

struct OfCase {
    id: CaseId,
    state: State,
    technician: Option<String>,
}

/// The case that the report opened, else the one it joined.
async fn case_of(tx: &mut Tx, report: ReportId) -> Result<Option<OfCase>> {
    let mut rows = sqlx::query(
        "UPDATE cases SET id = id WHERE report_id = $1 OR id = (SELECT case_id FROM joins WHERE joins.report_id = $1)
         RETURNING id, report_id, state, taken_by, closed_by",
    )
    .bind(report.to_string())
    .fetch_all(tx.db())
    .await?;
    let own = |row: &AnyRow| row.try_get::<String, _>("report_id").is_ok_and(|id| id == report.to_string());
    rows.sort_by_key(|row| !own(row));
    let Some(row) = rows.first() else { return Ok(None) };
    let id: i64 = row.try_get("id")?;
    let fields = Fields::named(row, "cases", id.to_string());
    let state = fields.word("state", CaseState::parse)?;
    let technician = technician(state, fields.maybe_text("taken_by")?, fields.maybe_text("closed_by")?);
    Ok(Some(OfCase { id: CaseId(id), state: State::of(state), technician }))
}

fn technician(state: CaseState, taken_by: Option<String>, closed_by: Option<String>) -> Option<String> {
    match state {
        CaseState::Open => None,
        CaseState::Taken => taken_by,
        CaseState::Closed => closed_by.or(taken_by),
    }
}

async fn put_line(tx: &mut Tx, report: ReportId, called_at: i64, line: &Line) -> Result<i64> {
    let update = sqlx::query_scalar(
        "UPDATE inbox SET source = $1, verdict = $2, state = $3, technician = $4, case_id = $5 WHERE report_id = $6
         RETURNING place",
    );
    let known: Option<i64> = update
        .bind(&line.source)
        .bind(&line.verdict)
        .bind(line.state.as_str())
        .bind(&line.technician)
        .bind(line.case.map(|id| id.0))
        .bind(report.to_string())
        .fetch_optional(tx.db())
        .await?;
    if let Some(place) = known {
        return Ok(place);
    }
    // several may call in one millisecond
    let mut place = called_at.saturating_mul(256).saturating_add(i64::from(report.0.as_bytes()[15]));
    loop {
        let done = sqlx::query(
            "INSERT INTO inbox (place, report_id, source, verdict, state, technician, case_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (place) DO NOTHING",
        )
        .bind(place)
        .bind(report.to_string())
        .bind(&line.source)
        .bind(&line.verdict)
        .bind(line.state.as_str())
        .bind(&line.technician)
        .bind(line.case.map(|id| id.0))
        .execute(tx.db())
        .await?;
        if done.rows_affected() == 1 {
            return Ok(place);
        }
        place += 1;
    }
}

async fn put_shown(tx: &mut Tx, place: i64, told: &Told) -> Result<()> {
    sqlx::query(
        "INSERT INTO inbox_shown (place, sound_ms, company, contact, callback, opening) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (place) DO UPDATE SET sound_ms = excluded.sound_ms, company = excluded.company,
             contact = excluded.contact, callback = excluded.callback, opening = excluded.opening",
    )
    .bind(place)
    .bind(told.sound_ms)
    .bind(&told.company)
    .bind(&told.contact)
    .bind(&told.callback)
    .bind(&told.opening)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// What a report tells, as far as it is known by now.
#[derive(Default)]
struct Told {
    verdict: Option<String>,
    sound_ms: Option<i64>,
    company: Option<String>,
    contact: Option<String>,
    callback: Option<String>,
    opening: Option<String>,
    texts: Vec<String>,
}

impl Told {
    /// A body that cannot be read counts as none: the list may be poorer for it, an alarm must not be.
    async fn of(tx: &mut Tx, report: ReportId) -> Result<Self> {
        let row = sqlx::query(
            "SELECT COALESCE(assessments.corrected_verdict, assessments.verdict) AS verdict,
                 COALESCE(assessments.corrected_body, assessments.body) AS assessment,
                 CASE WHEN hearings.counts = 1 AND hearings.body IS NOT NULL THEN hearings.body ELSE transcripts.body END AS transcript,
                 mails.sender AS sender, mails.subject AS subject, mails.body AS mail
             FROM reports LEFT JOIN assessments ON assessments.report_id = reports.id
                 LEFT JOIN transcripts ON transcripts.report_id = reports.id LEFT JOIN mails ON mails.report_id = reports.id
                 LEFT JOIN hearings ON hearings.report_id = reports.id
             WHERE reports.id = $1",
        )
        .bind(report.to_string())
        .fetch_one(tx.db())
        .await?;
        let text = |column: &'static str| -> Result<Option<String>> { Ok::<_, StoreError>(row.try_get(column)?) };
        let found: Option<Assessment> = text("assessment")?.and_then(|body| serde_json::from_str(&body).ok());
        let transcript: Option<Transcript> = text("transcript")?.and_then(|body| serde_json::from_str(&body).ok());
        let read = found.map(|found| found.fields).unwrap_or_default();
        let heard = transcript.as_ref().map(Transcript::text);
        // what a person typed is shown; what was heard is found, too
        let typed = corrections::standing(tx.db(), report).await?.text().map(str::to_owned);
        let spoken = typed.or_else(|| heard.clone());
        let (subject, mail) = (text("subject")?, text("mail")?);
        let opening =
            [&read.description, &spoken, &subject, &mail].into_iter().flatten().find_map(|text| opening(text));
        let texts = [&spoken, &heard, &subject, &mail, &text("sender")?, &read.company, &read.contact, &read.callback]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        Ok(Self {
            verdict: text("verdict")?,
            sound_ms: transcript.map(|transcript| i64::from(transcript.sound_ms)).filter(|length| *length > 0),
            company: read.company,
            contact: read.contact,
            callback: read.callback,
            opening,
            texts,
        })
    }
}

/// The first words of a text on one line; `None` where it has none.
fn opening(text: &str) -> Option<String> {
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        length += word.chars().count() + 1;
        if length > OPENING {
            let rest: String = if line.is_empty() { word.chars().take(OPENING).collect() } else { String::new() };
            return Some(format!("{}{rest} …", line.trim_end()));
        }
        line.push_str(word);
        line.push(' ');
    }
    let line = line.trim_end();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opening_ends_between_words() {
        assert_eq!(opening(" \n "), None);
        assert_eq!(opening(" the \n server\tis down ").as_deref(), Some("the server is down"));
        let long = opening(&"word ".repeat(100)).unwrap();
        assert!(long.ends_with("word …") && long.chars().count() <= OPENING + 2, "{long}");
        assert_eq!(opening(&"x".repeat(900)).unwrap().chars().count(), OPENING + 2);
    }
}
