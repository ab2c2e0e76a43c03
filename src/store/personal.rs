//! Every text about persons that is stored of a report, many reports at once: for a request that looks through all of them.

use super::reports::parse_id;
use super::row::Fields;
use super::{Dialect, Reader, Result};
use crate::domain::report::ReportId;
use crate::domain::transcript::Transcript;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::BTreeMap;

/// All that is stored of a report about persons.
#[derive(Debug)]
pub struct Texts {
    /// The report.
    pub report: ReportId,
    /// What is read in its words, as JSON.
    pub judged: Option<String>,
    /// Number, name, words, mail (its headers as JSON), written notes, corrections.
    pub written: Vec<String>,
}

/// Every report, in order.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn every(db: &mut Reader) -> Result<Vec<ReportId>> {
    let rows = sqlx::query("SELECT id FROM reports ORDER BY id").fetch_all(&mut **db).await?;
    rows.iter().map(id).collect()
}

/// Every report with a text in which these letters follow one another, whatever their case, in order: found by the database,
/// which is a multiple quicker than reading all texts. Only letters of ASCII but "i" and "k": the databases fold no others,
/// and signs of other alphabets are folded to those two.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn with_letters(db: &mut Reader, letters: &str) -> Result<Vec<ReportId>> {
    let has = |column: &str| match db.dialect {
        Dialect::Sqlite => format!("{column} LIKE $1"),
        Dialect::Postgres => format!("LOWER({column} COLLATE \"C\") LIKE $1"),
    };
    let any = |columns: &[&str]| columns.iter().map(|column| has(column)).collect::<Vec<_>>().join(" OR ");
    let sql = format!(
        "SELECT id FROM reports WHERE {}
         UNION SELECT report_id FROM assessments WHERE {}
         UNION SELECT report_id FROM transcripts WHERE {}
         UNION SELECT report_id FROM hearings WHERE {}
         UNION SELECT report_id FROM mails WHERE {}
         UNION SELECT cases.report_id FROM notes JOIN cases ON cases.id = notes.case_id WHERE {}
         UNION SELECT report_id FROM corrections WHERE {} ORDER BY 1",
        any(&["caller_name"]),
        any(&["COALESCE(corrected_body, body)"]),
        any(&["body"]),
        any(&["body"]),
        any(&["sender", "reply_to", "subject", "body", "headers"]),
        any(&["notes.body"]),
        any(&["before", "after"]),
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(format!("%{letters}%")).fetch_all(&mut **db).await?;
    rows.iter().map(id).collect()
}

fn id(row: &AnyRow) -> Result<ReportId> {
    parse_id("reports", "id", row.try_get(0)?)
}

/// Of these reports, in their order.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn texts(db: &mut Reader, of: &[ReportId]) -> Result<Vec<Texts>> {
    let places = (1..=of.len()).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ");
    let mut found = BTreeMap::new();
    for row in &fetch(db, ALL, &places, of).await? {
        let texts = read(row)?;
        found.insert(texts.report, texts);
    }
    for more in [NOTES, CORRECTIONS] {
        for row in &fetch(db, more, &places, of).await? {
            let fields = Fields::of(row, "notes")?;
            if let Some(texts) = found.get_mut(&parse_id("notes", "report_id", &fields.text("id")?)?) {
                texts.written.extend(fields.maybe_text("one")?);
                texts.written.extend(fields.maybe_text("other")?);
            }
        }
    }
    Ok(found.into_values().collect())
}

const ALL: &str =
    "SELECT r.id, r.caller_number, r.caller_name, COALESCE(a.corrected_body, a.body) AS judged, t.body AS heard,
         h.body AS heard_again, m.sender, m.reply_to, m.subject, m.body AS written, m.headers
     FROM reports AS r LEFT JOIN assessments AS a ON a.report_id = r.id LEFT JOIN transcripts AS t ON t.report_id = r.id
         LEFT JOIN hearings AS h ON h.report_id = r.id LEFT JOIN mails AS m ON m.report_id = r.id
     WHERE r.id IN";
const NOTES: &str = "SELECT cases.report_id AS id, notes.body AS one, NULL AS other
     FROM notes JOIN cases ON cases.id = notes.case_id WHERE notes.body IS NOT NULL AND cases.report_id IN";
const CORRECTIONS: &str = "SELECT report_id AS id, before AS one, after AS other FROM corrections WHERE report_id IN";

async fn fetch(db: &mut Reader, sql: &str, places: &str, of: &[ReportId]) -> Result<Vec<AnyRow>> {
    let query = sqlx::query(AssertSqlSafe(format!("{sql} ({places})")));
    Ok(of.iter().fold(query, |query, id| query.bind(id.to_string())).fetch_all(&mut **db).await?)
}

fn read(row: &AnyRow) -> Result<Texts> {
    let fields = Fields::of(row, "reports")?;
    let mut written = Vec::new();
    for column in ["caller_number", "caller_name", "sender", "reply_to", "subject", "written", "headers"] {
        written.extend(fields.maybe_text(column)?);
    }
    for column in ["heard", "heard_again"] {
        if fields.maybe_text(column)?.is_some_and(|body| !body.is_empty()) {
            written.push(fields.json::<Transcript>(column)?.text());
        }
    }
    let report = parse_id("reports", "id", &fields.text("id")?)?;
    Ok(Texts { report, judged: fields.maybe_text("judged")?, written })
}
