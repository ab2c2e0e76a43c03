//! Who was told of a case or a report, by which way, and what came of it.

use super::row::Fields;
use super::{Result, notices};
use crate::domain::case::CaseId;
use crate::domain::notice::Notice;
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// One notice with what is only read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The notice.
    pub notice: Notice,
    /// Why the last try failed, in English.
    pub error: Option<String>,
    /// When it is tried next.
    pub due_at: Option<DateTime<Utc>>,
}

/// The notices of a case, or of a report that has none, the oldest first; of so many at most the newest.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn of_story(db: &mut AnyConnection, case: Option<CaseId>, report: ReportId, most: i64) -> Result<Vec<Told>> {
    let rows = sqlx::query("SELECT * FROM notices WHERE case_id = $1 OR report_id = $2 ORDER BY id DESC LIMIT $3")
        .bind(case.map(|case| case.0))
        .bind(report.to_string())
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter()
        .rev()
        .map(|row| {
            let fields = Fields::of(row, "notices")?;
            let (error, due_at) = (fields.maybe_text("error")?, fields.maybe_instant("due_at")?);
            Ok(Told { notice: notices::read(row)?, error, due_at })
        })
        .collect()
}
