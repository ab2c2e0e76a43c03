//! Charges: proposed with their proof; a human releases them.

use super::row::Fields;
use super::{Result, Tx, events, ms};
use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::case::CaseId;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::{Report, ReportId};
use crate::domain::tariff::{Cents, Tariff};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// A proposed charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// For which case.
    pub case: CaseId,
    /// Proven by which report.
    pub report: ReportId,
    /// Net amount.
    pub net: Cents,
    /// With VAT.
    pub gross: Cents,
    /// Findings with words and seconds, SHA-256 of the sound; JSON.
    pub proof: String,
}

/// Proposes what a confirmed report proves, and writes that into the story; anything else proposes nothing. `mail_sha256` is
/// of a written report.
///
/// # Errors
/// Where the database refused.
pub async fn propose_by(
    tx: &mut Tx,
    case: CaseId,
    report: &Report,
    found: &Assessment,
    mail_sha256: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let (Verdict::Confirmed, Tariff::Activation { net, gross, .. }) = (found.verdict, found.tariff) else {
        return Ok(());
    };
    let sound = report.recording.as_ref().map(|recording| &recording.sha256);
    let proof = serde_json::json!({
        "findings": found.findings, "sound_sha256": sound, "mail_sha256": mail_sha256, "rules": found.rules,
    });
    let charge = Charge { case, report: report.id, net, gross, proof: proof.to_string() };
    if propose(tx, &charge, now).await? {
        events::append(tx, &Event::new(now, EventKind::Proposed, net.german()).report(report.id).case(case)).await?;
    }
    Ok(())
}

/// Proposes a charge. `false`: the case has one already, and its proof stands.
///
/// # Errors
/// Where the database refused.
pub async fn propose(tx: &mut Tx, charge: &Charge, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO charges (case_id, report_id, proposed_at, state, net_cents, gross_cents, proof)
         VALUES ($1, $2, $3, 'proposed', $4, $5, $6) ON CONFLICT (case_id) DO NOTHING",
    )
    .bind(charge.case.0)
    .bind(charge.report.to_string())
    .bind(ms(now))
    .bind(charge.net.0)
    .bind(charge.gross.0)
    .bind(&charge.proof)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The charge that this report proves goes to another case.
///
/// # Errors
/// Where the database refused.
pub async fn move_to(tx: &mut Tx, report: ReportId, case: CaseId) -> Result<()> {
    sqlx::query("UPDATE charges SET case_id = $1 WHERE report_id = $2")
        .bind(case.0)
        .bind(report.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// The charge of a case.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn of_case(db: &mut AnyConnection, case: CaseId) -> Result<Option<Charge>> {
    let row = sqlx::query("SELECT * FROM charges WHERE case_id = $1").bind(case.0).fetch_optional(db).await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::named(&row, "charges", case.to_string());
    Ok(Some(Charge {
        case,
        report: fields.word("report_id", |text| text.parse().ok())?,
        net: Cents(fields.number("net_cents")?),
        gross: Cents(fields.number("gross_cents")?),
        proof: fields.text("proof")?,
    }))
}
