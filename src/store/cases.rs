//! Cases: opened once a report, rung until taken.

use super::reports::parse_id;
use super::row::Fields;
use super::{Claim, Lease, Result, Tx, expect_one, inbox, ms, ms_opt};
use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseId, CaseState, Offer, Outcome, Reason};
use crate::domain::escalation::Progress;
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// Opens a case for a report; its first ring is due at once.
///
/// # Errors
/// Where the database refused, or the report has one already.
pub async fn open(tx: &mut Tx, report: ReportId, verdict: Verdict, unheard: bool, now: DateTime<Utc>) -> Result<Case> {
    let number: i64 = sqlx::query_scalar("UPDATE counters SET value = value + 1 WHERE name = 'cases' RETURNING value")
        .fetch_one(tx.db())
        .await?;
    let row = sqlx::query(
        "INSERT INTO cases (id, report_id, verdict, unheard, state, opened_at, began_at, steps_begun, rings, due_at, attempt)
         VALUES ($1, $2, $3, $4, 'open', $5, $5, 0, 0, $5, 0) RETURNING *",
    )
    .bind(number)
    .bind(report.to_string())
    .bind(verdict.as_str())
    .bind(i64::from(unheard))
    .bind(ms(now))
    .fetch_one(tx.db())
    .await?;
    inbox::refresh(tx, report).await?;
    read(&row)
}

/// Claims one case with which something is due.
///
/// # Errors
/// Where the database refused.
pub async fn claim(tx: &mut Tx, claim: Claim) -> Result<Option<(Case, Lease)>> {
    let token = Claim::token();
    let sql = tx.dialect.sql(
        "UPDATE cases SET lease_until = $1, lease_token = $2, attempt = attempt + 1
         WHERE id = (SELECT id FROM cases WHERE state <> 'closed' AND due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3)
                     ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(claim.until()).bind(&token).bind(ms(claim.now)).fetch_optional(tx.db()).await?;
    let Some(row) = row else { return Ok(None) };
    let attempt = number(&row)?.count("attempt")?;
    Ok(Some((read(&row)?, Lease { token, attempt })))
}

/// Writes a leased case as it is after what was due.
///
/// # Errors
/// `LeaseLost` where somebody else has it or somebody did something with it meanwhile; where the database refused.
pub async fn woken(tx: &mut Tx, case: &Case, lease: &Lease) -> Result<()> {
    write(tx, case, Some(&lease.token)).await
}

/// Writes a case as changed by an act or a verdict. Any lease ends.
///
/// # Errors
/// Where the database refused.
pub async fn put(tx: &mut Tx, case: &Case) -> Result<()> {
    write(tx, case, None).await
}

async fn write(tx: &mut Tx, case: &Case, token: Option<&str>) -> Result<()> {
    debug_assert_eq!(case.due_at.is_none(), case.state == CaseState::Closed);
    let offer = case.offer.as_ref();
    let done = sqlx::query(
        "UPDATE cases SET verdict = $1, unheard = $2, state = $3, began_at = $4, steps_begun = $5, rings = $6, taken_by = $7,
             taken_at = $8, called_back_at = $9, closed_by = $10, closed_at = $11, outcome = $12, due_at = $13,
             eta_at = $14, reminded_at = $15, handing_to = $16, handing_until = $17, reason = $18,
             answered_at = COALESCE(answered_at, $8, CASE WHEN $10 IS NULL THEN NULL ELSE $11 END),
             first_called_at = COALESCE(first_called_at, $9),
             attempt = 0, lease_until = NULL, lease_token = NULL
         WHERE id = $19 AND ($20 IS NULL OR lease_token = $20)",
    )
    .bind(case.verdict.as_str())
    .bind(i64::from(case.unheard))
    .bind(case.state.as_str())
    .bind(ms(case.progress.began_at))
    .bind(i64::try_from(case.progress.steps_begun).unwrap_or(i64::MAX))
    .bind(i64::from(case.progress.rings))
    .bind(&case.taken_by)
    .bind(ms_opt(case.taken_at))
    .bind(ms_opt(case.called_back_at))
    .bind(&case.closed_by)
    .bind(ms_opt(case.closed_at))
    .bind(case.outcome.map(Outcome::as_str))
    .bind(ms_opt(case.due_at))
    .bind(ms_opt(case.eta_at))
    .bind(ms_opt(case.reminded_at))
    .bind(offer.map(|offer| offer.to.clone()))
    .bind(ms_opt(offer.map(|offer| offer.until)))
    .bind(case.reason.as_ref().map(Reason::stored))
    .bind(case.id.0)
    .bind(token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("case {}", case.id))?;
    inbox::follow(tx, case).await
}

/// The case says something else from now on; its escalation goes on as it is.
///
/// # Errors
/// Where the database refused.
pub async fn set_verdict(tx: &mut Tx, id: CaseId, verdict: Verdict) -> Result<()> {
    sqlx::query("UPDATE cases SET verdict = $1 WHERE id = $2")
        .bind(verdict.as_str())
        .bind(id.0)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// One case for changing: on PostgreSQL its row is locked until the transaction ends; SQLite has one writer anyway.
///
/// # Errors
/// Where the database refused.
pub async fn lock(tx: &mut Tx, id: CaseId) -> Result<Option<Case>> {
    // A no-op update is a row lock on both databases.
    let row =
        sqlx::query("UPDATE cases SET id = id WHERE id = $1 RETURNING *").bind(id.0).fetch_optional(tx.db()).await?;
    row.as_ref().map(read).transpose()
}

/// The case a report opened, for changing (as `lock`).
///
/// # Errors
/// Where the database refused.
pub async fn lock_of_report(tx: &mut Tx, report: ReportId) -> Result<Option<Case>> {
    let row = sqlx::query("UPDATE cases SET id = id WHERE report_id = $1 RETURNING *")
        .bind(report.to_string())
        .fetch_optional(tx.db())
        .await?;
    row.as_ref().map(read).transpose()
}

/// One case.
///
/// # Errors
/// Where the database refused.
pub async fn find(db: &mut AnyConnection, id: CaseId) -> Result<Option<Case>> {
    let row = sqlx::query("SELECT * FROM cases WHERE id = $1").bind(id.0).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The case a report opened.
///
/// # Errors
/// Where the database refused.
pub async fn of_report(db: &mut AnyConnection, report: ReportId) -> Result<Option<Case>> {
    let row =
        sqlx::query("SELECT * FROM cases WHERE report_id = $1").bind(report.to_string()).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// Cases that are not closed and were opened since `since`, the newest first.
///
/// # Errors
/// Where the database refused.
pub async fn living(db: &mut AnyConnection, since: DateTime<Utc>) -> Result<Vec<Case>> {
    let rows = sqlx::query("SELECT * FROM cases WHERE state <> 'closed' AND opened_at >= $1 ORDER BY id DESC")
        .bind(ms(since))
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// Something is due with the case at this time.
///
/// # Errors
/// Where the database refused.
pub async fn due(tx: &mut Tx, id: CaseId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE cases SET due_at = $1 WHERE id = $2").bind(ms(at)).bind(id.0).execute(tx.db()).await?;
    Ok(())
}

/// Every case that nobody has rings at once.
///
/// # Errors
/// Where the database refused.
pub async fn ring_open(tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE cases SET due_at = $1 WHERE state = 'open' AND due_at > $1")
        .bind(ms(now))
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Cases that are not closed, the oldest first.
///
/// # Errors
/// Where the database refused.
pub async fn unclosed(db: &mut AnyConnection) -> Result<Vec<Case>> {
    let rows = sqlx::query("SELECT * FROM cases WHERE state <> 'closed' ORDER BY id").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// Cases that are not closed, or were opened or closed since `since`, the oldest first.
///
/// # Errors
/// Where the database refused.
pub async fn lively(db: &mut AnyConnection, since: DateTime<Utc>) -> Result<Vec<Case>> {
    let rows =
        sqlx::query("SELECT * FROM cases WHERE state <> 'closed' OR opened_at >= $1 OR closed_at >= $1 ORDER BY id")
            .bind(ms(since))
            .fetch_all(db)
            .await?;
    rows.iter().map(read).collect()
}

/// Puts every case that is not closed and has no due time back to work (invariant I2) and gives their numbers.
///
/// # Errors
/// Where the database refused.
pub async fn mend_forgotten(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<CaseId>> {
    let rows: Vec<i64> =
        sqlx::query_scalar("UPDATE cases SET due_at = $1 WHERE state <> 'closed' AND due_at IS NULL RETURNING id")
            .bind(ms(now))
            .fetch_all(tx.db())
            .await?;
    Ok(rows.into_iter().map(CaseId).collect())
}

fn number(row: &AnyRow) -> Result<Fields<'_>> {
    use sqlx::Row as _;
    let id: i64 = row.try_get("id")?;
    Ok(Fields::named(row, "cases", id.to_string()))
}

fn read(row: &AnyRow) -> Result<Case> {
    let fields = number(row)?;
    Ok(Case {
        id: CaseId(fields.number("id")?),
        report: parse_id("cases", "report_id", &fields.text("report_id")?)?,
        verdict: fields.word("verdict", Verdict::parse)?,
        unheard: fields.truth("unheard")?,
        state: fields.word("state", CaseState::parse)?,
        opened_at: fields.instant("opened_at")?,
        progress: Progress {
            began_at: fields.instant("began_at")?,
            steps_begun: fields.count("steps_begun")?,
            rings: fields.count("rings")?,
        },
        taken_by: fields.maybe_text("taken_by")?,
        taken_at: fields.maybe_instant("taken_at")?,
        called_back_at: fields.maybe_instant("called_back_at")?,
        closed_by: fields.maybe_text("closed_by")?,
        closed_at: fields.maybe_instant("closed_at")?,
        outcome: fields.maybe_word("outcome", Outcome::parse)?,
        reason: fields.maybe_word("reason", Reason::parse)?,
        eta_at: fields.maybe_instant("eta_at")?,
        reminded_at: fields.maybe_instant("reminded_at")?,
        offer: fields
            .maybe_text("handing_to")?
            .zip(fields.maybe_instant("handing_until")?)
            .map(|(to, until)| Offer { to, until }),
        due_at: fields.maybe_instant("due_at")?,
    })
}
