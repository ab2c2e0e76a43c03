//! What customers said to a technician on the phone about the conditions and the fee. Never the spoken proof of a report.

use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::case::{CaseId, PhoneConsent};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// Records it; earlier records stay.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, case: CaseId, consent: &PhoneConsent) -> Result<()> {
    sqlx::query("INSERT INTO consents (id, case_id, given, actor, at) VALUES ($1, $2, $3, $4, $5)")
        .bind(Uuid::now_v7().to_string())
        .bind(case.0)
        .bind(i64::from(consent.given))
        .bind(&consent.actor)
        .bind(ms(consent.at))
        .execute(tx.db())
        .await?;
    Ok(())
}

/// The newest record of a case.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn newest(db: &mut AnyConnection, case: CaseId) -> Result<Option<PhoneConsent>> {
    let row = sqlx::query("SELECT * FROM consents WHERE case_id = $1 ORDER BY id DESC LIMIT 1")
        .bind(case.0)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Every record of a case, the oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection, case: CaseId) -> Result<Vec<PhoneConsent>> {
    let rows = sqlx::query("SELECT * FROM consents WHERE case_id = $1 ORDER BY id").bind(case.0).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<PhoneConsent> {
    let fields = Fields::of(row, "consents")?;
    Ok(PhoneConsent { given: fields.truth("given")?, actor: fields.text("actor")?, at: fields.instant("at")? })
}
