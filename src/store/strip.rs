//! What the deletion of each class takes out of the rows. A table that holds something of a report has its statement here.

use super::{Result, StoreError, Tx, forgotten, ms};
use crate::domain::assessment::Assessment;
use crate::domain::report::{Medium, ReportId};
use crate::domain::retention::{Class, shortened};
use chrono::{DateTime, Utc};
use sqlx::Row as _;

/// The files in the sound folder that go with a class.
pub(super) async fn files(tx: &mut Tx, report: ReportId, class: Class) -> Result<Vec<String>> {
    let id = report.to_string();
    let mut found = Vec::new();
    let medium: String =
        sqlx::query_scalar("SELECT medium FROM reports WHERE id = $1").bind(&id).fetch_one(tx.db()).await?;
    let mail: Option<String> =
        sqlx::query_scalar("SELECT file FROM mails WHERE report_id = $1").bind(&id).fetch_optional(tx.db()).await?;
    // a mail that brought a recording holds its sound
    let spoken = medium == Medium::Voicemail.as_str();
    match class {
        Class::Sound => {
            let sound: Option<String> =
                sqlx::query_scalar("SELECT sound_file FROM reports WHERE id = $1").bind(&id).fetch_one(tx.db()).await?;
            let notes: Vec<String> = sqlx::query_scalar(
                "SELECT sound_file FROM notes WHERE sound_file IS NOT NULL
                     AND case_id IN (SELECT id FROM cases WHERE report_id = $1)",
            )
            .bind(&id)
            .fetch_all(tx.db())
            .await?;
            for file in sound.into_iter().chain(notes) {
                let stem = file.split('.').next().unwrap_or_default();
                found.extend(DERIVED.iter().map(|ending| format!("{stem}.{ending}")));
                found.push(file);
            }
            found.extend(mail.filter(|_| spoken));
        }
        Class::Text => found.extend(mail),
        Class::Number | Class::Metadata | Class::Proof => {}
    }
    Ok(found)
}

/// What is made of a sound beside it: the voice message, what the page plays, its picture.
const DERIVED: &[&str] = &["voice.ogg", "page.wav", "page.json"];

/// `$1` = the report.
const SOUND: &[&str] = &[
    "UPDATE notes SET sound_file = NULL, file_id = NULL, due_at = NULL
     WHERE body IS NULL AND case_id IN (SELECT id FROM cases WHERE report_id = $1)",
    "UPDATE reports SET sound_file = NULL WHERE id = $1",
    "UPDATE hearings SET stage = 'done', due_at = NULL, lease_until = NULL, lease_token = NULL
     WHERE report_id = $1 AND stage = 'listen'",
];
const TEXT: &[&str] = &[
    "UPDATE transcripts SET body = '' WHERE report_id = $1",
    "UPDATE hearings SET body = NULL, stage = 'done', due_at = NULL, lease_until = NULL, lease_token = NULL WHERE report_id = $1",
    "DELETE FROM mails WHERE report_id = $1",
    "UPDATE corrections SET before = NULL, after = NULL, reason = NULL WHERE report_id = $1",
    "DELETE FROM examples WHERE report_id = $1",
    "UPDATE receipts SET address = report_id WHERE report_id = $1",
    "DELETE FROM notes WHERE sound_file IS NULL AND case_id IN (SELECT id FROM cases WHERE report_id = $1)",
    "UPDATE notices SET body = NULL, shown = NULL
     WHERE report_id = $1 OR case_id IN (SELECT id FROM cases WHERE report_id = $1)",
    "UPDATE cases SET reason = 'other:' WHERE report_id = $1 AND reason LIKE 'other:%'",
    "UPDATE events SET detail = 'no_emergency: other:' WHERE detail LIKE 'no_emergency: other:%'
         AND (report_id = $1 OR case_id IN (SELECT id FROM cases WHERE report_id = $1))",
    "UPDATE legal_holds SET reason = '' WHERE report_id = $1",
];
const METADATA: &[&str] = &[
    "DELETE FROM notes WHERE case_id IN (SELECT id FROM cases WHERE report_id = $1)",
    "DELETE FROM consents WHERE case_id IN (SELECT id FROM cases WHERE report_id = $1)
         AND case_id NOT IN (SELECT case_id FROM charges WHERE proof_deleted_at IS NULL)",
    "UPDATE reports SET caller_number = NULL, mailbox = NULL, sound_sha256 = NULL WHERE id = $1",
];

/// Takes a class out of the rows, and notes when.
pub(super) async fn strip(tx: &mut Tx, report: ReportId, class: Class, now: DateTime<Utc>) -> Result<()> {
    let id = report.to_string();
    let (statements, stamp) = match class {
        Class::Sound => (SOUND, "UPDATE reports SET sound_deleted_at = $1 WHERE id = $2"),
        Class::Text => {
            forget_words(tx, &id).await?;
            (TEXT, "UPDATE reports SET text_deleted_at = $1 WHERE id = $2")
        }
        Class::Number => {
            shorten(tx, &id).await?;
            (&[][..], "UPDATE reports SET number_deleted_at = $1 WHERE id = $2")
        }
        Class::Metadata => {
            forget_keys(tx, &id).await?;
            (METADATA, "UPDATE reports SET metadata_deleted_at = $1 WHERE id = $2")
        }
        Class::Proof => {
            forget_proof(tx, &id).await?;
            (&[][..], "UPDATE charges SET proof_deleted_at = $1 WHERE report_id = $2")
        }
    };
    for statement in statements {
        sqlx::query(*statement).bind(&id).execute(tx.db()).await?;
    }
    sqlx::query(stamp).bind(ms(now)).bind(&id).execute(tx.db()).await?;
    Ok(())
}

/// Verdict, tariff and what was missing stay: they are counted.
async fn forget_words(tx: &mut Tx, id: &str) -> Result<()> {
    let row = sqlx::query("SELECT body, corrected_body FROM assessments WHERE report_id = $1")
        .bind(id)
        .fetch_optional(tx.db())
        .await?;
    let Some(row) = row else { return Ok(()) };
    let bare = |column: &'static str, body: &str| {
        let found: Assessment = serde_json::from_str(body).map_err(|error| StoreError::Row {
            table: "assessments",
            column,
            id: id.to_owned(),
            value: error.to_string(),
        })?;
        let bare = serde_json::to_string(&found.without_words());
        Ok::<_, StoreError>(bare.expect("an assessment has no map with odd keys"))
    };
    let (body, corrected): (String, Option<String>) = (row.try_get("body")?, row.try_get("corrected_body")?);
    sqlx::query("UPDATE assessments SET body = $1, corrected_body = $2 WHERE report_id = $3")
        .bind(bare("body", &body)?)
        .bind(corrected.map(|body| bare("corrected_body", &body)).transpose()?)
        .bind(id)
        .execute(tx.db())
        .await?;
    Ok(())
}

async fn shorten(tx: &mut Tx, id: &str) -> Result<()> {
    let number: Option<String> =
        sqlx::query_scalar("SELECT caller_number FROM reports WHERE id = $1").bind(id).fetch_one(tx.db()).await?;
    sqlx::query(
        "UPDATE reports SET caller_number = $1, caller_name = NULL, sound_name = CASE WHEN sound_file IS NULL THEN NULL ELSE '' END,
             trouble = NULL WHERE id = $2",
    )
    .bind(number.as_deref().and_then(shortened))
    .bind(id)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The message may still lie at its source: its key stays known, by its hash.
async fn forget_keys(tx: &mut Tx, id: &str) -> Result<()> {
    let row =
        sqlx::query("SELECT source, source_key, twin FROM reports WHERE id = $1").bind(id).fetch_one(tx.db()).await?;
    let (source, key): (String, String) = (row.try_get("source")?, row.try_get("source_key")?);
    let twin: Option<String> = row.try_get("twin")?;
    sqlx::query("UPDATE reports SET source_key = $1, twin = $2 WHERE id = $3")
        .bind(forgotten(&source, &key))
        .bind(twin.map(|twin| forgotten(&source, &twin)))
        .bind(id)
        .execute(tx.db())
        .await?;
    let rows = sqlx::query("SELECT source, source_key FROM sightings WHERE report_id = $1")
        .bind(id)
        .fetch_all(tx.db())
        .await?;
    for row in rows {
        let (source, key): (String, String) = (row.try_get("source")?, row.try_get("source_key")?);
        sqlx::query("UPDATE sightings SET source_key = $1 WHERE source = $2 AND source_key = $3")
            .bind(forgotten(&source, &key))
            .bind(&source)
            .bind(&key)
            .execute(tx.db())
            .await?;
    }
    Ok(())
}

/// The amounts stay, and by which rules they were proposed.
async fn forget_proof(tx: &mut Tx, id: &str) -> Result<()> {
    let rows =
        sqlx::query("SELECT case_id, proof FROM charges WHERE report_id = $1").bind(id).fetch_all(tx.db()).await?;
    for row in rows {
        let (case, proof): (i64, String) = (row.try_get("case_id")?, row.try_get("proof")?);
        let rules = serde_json::from_str::<serde_json::Value>(&proof).map(|proof| proof["rules"].clone());
        let bare = serde_json::json!({ "findings": [], "rules": rules.unwrap_or_default() }).to_string();
        sqlx::query("UPDATE charges SET proof = $1 WHERE case_id = $2").bind(bare).bind(case).execute(tx.db()).await?;
        for statement in [
            "DELETE FROM consents WHERE case_id = $1",
            "UPDATE charges SET cancel_reason = NULL WHERE case_id = $1",
            "UPDATE charge_steps SET detail = '' WHERE case_id = $1 AND step IN ('cancelled', 'credited')",
        ] {
            sqlx::query(statement).bind(case).execute(tx.db()).await?;
        }
        forget_told_reasons(tx, case).await?;
    }
    Ok(())
}

/// Events of earlier versions said why a charge was cancelled: "48,00 € (not released): …". What stands before it stays.
async fn forget_told_reasons(tx: &mut Tx, case: i64) -> Result<()> {
    let rows = sqlx::query("SELECT id, detail FROM events WHERE case_id = $1 AND kind = 'cancelled'")
        .bind(case)
        .fetch_all(tx.db())
        .await?;
    for row in rows {
        let (id, detail): (String, String) = (row.try_get("id")?, row.try_get("detail")?);
        if let Some((before, _)) = detail.split_once("): ") {
            sqlx::query("UPDATE events SET detail = $1 WHERE id = $2")
                .bind(format!("{before})"))
                .bind(id)
                .execute(tx.db())
                .await?;
        }
    }
    Ok(())
}
