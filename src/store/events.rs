//! Events: append-only. There is no update and no delete here.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::case::CaseId;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::ReportId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// Writes one line of a story.
///
/// # Errors
/// Where the database refused.
pub async fn append(tx: &mut Tx, event: &Event) -> Result<()> {
    sqlx::query(
        "INSERT INTO events (id, at, kind, report_id, case_id, actor, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(ms(event.at))
    .bind(event.kind.as_str())
    .bind(event.report.map(|id| id.to_string()))
    .bind(event.case.map(|id| id.0))
    .bind(&event.actor)
    .bind(&event.detail)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The id of what happened last.
///
/// # Errors
/// Where the database refused.
pub async fn newest(db: &mut AnyConnection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT MAX(id) FROM events").fetch_one(db).await?)
}

/// The story of a report and its case.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn of_report(db: &mut AnyConnection, report: ReportId) -> Result<Vec<Event>> {
    let rows = sqlx::query(
        "SELECT * FROM events WHERE report_id = $1 OR case_id IN (SELECT id FROM cases WHERE report_id = $1)
             OR case_id IN (SELECT case_id FROM joins WHERE report_id = $1) ORDER BY id",
    )
    .bind(report.to_string())
    .fetch_all(db)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Event> {
    let fields = Fields::of(row, "events")?;
    let report = fields.maybe_text("report_id")?;
    Ok(Event {
        at: fields.instant("at")?,
        kind: fields.word("kind", EventKind::parse)?,
        report: report.map(|id| parse_id("events", "report_id", &id)).transpose()?,
        case: fields.maybe_number("case_id")?.map(CaseId),
        actor: fields.maybe_text("actor")?,
        detail: fields.text("detail")?,
    })
}

/// How many events of a kind a report has.
///
/// # Errors
/// Where the database refused.
pub async fn count(db: &mut AnyConnection, report: ReportId, kind: EventKind) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM events WHERE report_id = $1 AND kind = $2")
        .bind(report.to_string())
        .bind(kind.as_str())
        .fetch_one(db)
        .await?)
}
