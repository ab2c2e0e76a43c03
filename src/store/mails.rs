//! What written reports say; the mail as it came lies beside the sounds.

use super::row::Fields;
use super::{Result, StoreError, Tx};
use crate::domain::report::{Mail, Recording, ReportId};
use sqlx::AnyConnection;

/// Stores what a written report says; `file` is the mail as it came, already on disk.
///
/// # Errors
/// Where the database refused.
pub async fn put(tx: &mut Tx, report: ReportId, mail: &Mail, file: &Recording) -> Result<()> {
    let headers = serde_json::to_string(&mail.headers).expect("pairs of texts are always JSON");
    sqlx::query(
        "INSERT INTO mails (report_id, sender, reply_to, message_id, subject, body, headers, automatic, file, sha256, bytes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(report.to_string())
    .bind(&mail.sender)
    .bind(&mail.reply_to)
    .bind(&mail.message_id)
    .bind(&mail.subject)
    .bind(&mail.text)
    .bind(headers)
    .bind(i64::from(mail.automatic))
    .bind(&file.file)
    .bind(&file.sha256)
    .bind(i64::try_from(file.bytes).unwrap_or(i64::MAX))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// What a written report says (`raw` stays empty: it lies on disk), with the SHA-256 of the mail as it came.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, report: ReportId) -> Result<Option<(Mail, String)>> {
    let row =
        sqlx::query("SELECT * FROM mails WHERE report_id = $1").bind(report.to_string()).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::named(&row, "mails", report.to_string());
    let mail = Mail {
        sender: fields.maybe_text("sender")?,
        reply_to: fields.maybe_text("reply_to")?,
        message_id: fields.maybe_text("message_id")?,
        subject: fields.text("subject")?,
        text: fields.text("body")?,
        headers: fields.json("headers")?,
        automatic: fields.truth("automatic")?,
        raw: Vec::new(),
    };
    Ok::<_, StoreError>(Some((mail, fields.text("sha256")?)))
}

/// The file of the mail as it came.
///
/// # Errors
/// Where the database refused.
pub async fn file(db: &mut AnyConnection, report: ReportId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT file FROM mails WHERE report_id = $1")
        .bind(report.to_string())
        .fetch_optional(db)
        .await?)
}
