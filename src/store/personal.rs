//! Every text about persons that is stored of a report, many reports at once: for a request that looks through all of them.

use super::Result;
use super::reports::parse_id;
use super::row::Fields;
use crate::domain::report::ReportId;
use crate::domain::transcript::Transcript;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// A report and all its texts: number, name, what is read in it (as JSON), words, mail, written notes, corrections.
pub type Texts = (ReportId, Vec<String>);

/// Of up to `limit` reports behind `after`, in their order.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn page(db: &mut AnyConnection, after: Option<ReportId>, limit: i64) -> Result<Vec<Texts>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = sqlx::query(
        "SELECT r.id, r.caller_number, r.caller_name, COALESCE(a.corrected_body, a.body) AS judged, t.body AS heard,
             m.sender, m.reply_to, m.subject, m.body AS written, m.headers
         FROM (SELECT id, caller_number, caller_name FROM reports WHERE id > $1 ORDER BY id LIMIT $2) AS r
         LEFT JOIN assessments AS a ON a.report_id = r.id
         LEFT JOIN transcripts AS t ON t.report_id = r.id
         LEFT JOIN mails AS m ON m.report_id = r.id
         ORDER BY r.id",
    )
    .bind(&after)
    .bind(limit)
    .fetch_all(&mut *db)
    .await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let (id, texts) = read(row)?;
        found.insert(id, texts);
    }
    let Some(last) = found.keys().next_back().map(ToString::to_string) else { return Ok(Vec::new()) };
    for more in [
        "SELECT cases.report_id AS id, notes.body AS one, NULL AS other FROM notes JOIN cases ON cases.id = notes.case_id
         WHERE cases.report_id > $1 AND cases.report_id <= $2 AND notes.body IS NOT NULL",
        "SELECT report_id AS id, before AS one, after AS other FROM corrections
         WHERE report_id > $1 AND report_id <= $2",
    ] {
        for row in sqlx::query(more).bind(&after).bind(&last).fetch_all(&mut *db).await? {
            let fields = Fields::of(&row, "notes")?;
            if let Some(texts) = found.get_mut(&parse_id("notes", "report_id", &fields.text("id")?)?) {
                texts.extend(fields.maybe_text("one")?);
                texts.extend(fields.maybe_text("other")?);
            }
        }
    }
    Ok(found.into_iter().collect())
}

fn read(row: &AnyRow) -> Result<Texts> {
    let fields = Fields::of(row, "reports")?;
    let mut texts = Vec::new();
    for column in ["caller_number", "caller_name", "judged", "sender", "reply_to", "subject", "written", "headers"] {
        texts.extend(fields.maybe_text(column)?);
    }
    if fields.maybe_text("heard")?.is_some_and(|body| !body.is_empty()) {
        texts.push(fields.json::<Transcript>("heard")?.text());
    }
    Ok((parse_id("reports", "id", &fields.text("id")?)?, texts))
}
