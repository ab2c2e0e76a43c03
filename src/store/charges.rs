//! Charges: proposed with their proof; a human releases them.

use super::row::Fields;
use super::{Result, Tx, corrections, events, ms};
use crate::domain::assessment::{Assessment, Consent, ConsentDoubt, Declaration, Verdict, words};
use crate::domain::case::{Case, CaseId, PhoneConsent};
use crate::domain::correction::What;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::{Report, ReportId};
use crate::domain::tariff::{Cents, Tariff};
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

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
    /// What it stands on.
    pub basis: Basis,
    /// Findings with words and seconds, SHA-256 of the sound; or who asked on the phone and when. JSON.
    pub proof: String,
}

words! {
    /// What a charge stands on. No two are ever mixed.
    Basis {
        /// The caller's own words in a report.
        Spoken = "spoken",
        /// What a technician recorded of a call-back.
        Phone = "phone",
        /// What a person heard in a recording and wrote down; the recogniser did not hear it so.
        Heard = "heard",
    }
}

/// On what a report's assessment lets a charge be proposed.
#[must_use]
pub fn basis_of(found: &Assessment) -> Option<Basis> {
    match (found.consent, found.consent_doubt) {
        (Consent::Full, None) if found.verdict == Verdict::Confirmed => Some(Basis::Spoken),
        (_, Some(ConsentDoubt::Heard))
            if found.declaration == Declaration::Declared
                && matches!(found.verdict, Verdict::Confirmed | Verdict::Incomplete) =>
        {
            Some(Basis::Heard)
        }
        _ => None,
    }
}

/// Proposes what a report proves, and writes that into the story; anything else proposes nothing. `mail_sha256` is of a
/// written report.
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
    let (Some(basis), Tariff::Activation { net, gross, .. }) = (basis_of(found), found.tariff) else {
        return Ok(());
    };
    let sound = report.recording.as_ref().map(|recording| &recording.sha256);
    let mut proof = serde_json::json!({
        "findings": found.findings, "sound_sha256": sound, "mail_sha256": mail_sha256, "rules": found.rules,
    });
    if basis == Basis::Heard {
        // whoever saved the text answers for the whole of it
        let standing = corrections::standing(tx.db(), report.id).await?;
        let Some(typed) = standing.correction(What::Transcript) else { return Ok(()) };
        proof["by"] = typed.actor.clone().into();
        proof["at"] = typed.at.to_rfc3339().into();
    }
    let charge = Charge { case, report: report.id, net, gross, basis, proof: proof.to_string() };
    if propose(tx, &charge, now).await? {
        let detail = if basis == Basis::Heard { format!("{} (heard by a person)", net.german()) } else { net.german() };
        events::append(tx, &Event::new(now, EventKind::Proposed, detail).report(report.id).case(case)).await?;
    }
    Ok(())
}

/// Withdraws a proposal that this report no longer proves, or not on the same basis. `false`: nothing of it is proposed, or
/// it still stands.
///
/// # Errors
/// Where the database refused.
pub async fn withdraw_unproven(
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    found: &Assessment,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query(
        "DELETE FROM charges
         WHERE case_id = $1 AND report_id = $2 AND state = 'proposed' AND basis IN ('spoken', 'heard') AND basis <> $3",
    )
    .bind(case.0)
    .bind(report.to_string())
    .bind(basis_of(found).map_or("", Basis::as_str))
    .execute(tx.db())
    .await?;
    let withdrawn = done.rows_affected() > 0;
    if withdrawn {
        let event = Event::new(now, EventKind::Withdrawn, "not proven after a correction").report(report).case(case);
        events::append(tx, &event).await?;
    }
    Ok(withdrawn)
}

/// Proposes a charge. `false`: the case has one already, and its proof stands.
///
/// # Errors
/// Where the database refused.
pub async fn propose(tx: &mut Tx, charge: &Charge, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO charges (case_id, report_id, proposed_at, state, net_cents, gross_cents, proof, basis)
         VALUES ($1, $2, $3, 'proposed', $4, $5, $6, $7) ON CONFLICT (case_id) DO NOTHING",
    )
    .bind(charge.case.0)
    .bind(charge.report.to_string())
    .bind(ms(now))
    .bind(charge.net.0)
    .bind(charge.gross.0)
    .bind(&charge.proof)
    .bind(charge.basis.as_str())
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Proposes what the customer agreed to on the phone, where the case has no charge yet.
///
/// # Errors
/// Where the database refused.
pub async fn propose_by_phone(
    tx: &mut Tx,
    case: &Case,
    consent: &PhoneConsent,
    tariff: Tariff,
    now: DateTime<Utc>,
) -> Result<()> {
    let Tariff::Activation { net, gross, .. } = tariff else { return Ok(()) };
    let proof = serde_json::json!({ "by": consent.actor, "at": consent.at.to_rfc3339() }).to_string();
    let charge = Charge { case: case.id, report: case.report, net, gross, basis: Basis::Phone, proof };
    if propose(tx, &charge, now).await? {
        let detail = format!("{} (on the phone)", net.german());
        events::append(tx, &Event::new(now, EventKind::Proposed, detail).report(case.report).case(case.id)).await?;
    }
    Ok(())
}

/// The customer refused after all: a proposal that stood on the phone alone is gone; the records of both calls stay.
///
/// # Errors
/// Where the database refused.
pub async fn withdraw_by_phone(tx: &mut Tx, case: CaseId, now: DateTime<Utc>) -> Result<()> {
    let done = sqlx::query("DELETE FROM charges WHERE case_id = $1 AND basis = 'phone' AND state = 'proposed'")
        .bind(case.0)
        .execute(tx.db())
        .await?;
    if done.rows_affected() > 0 {
        events::append(tx, &Event::new(now, EventKind::Withdrawn, "refused on the phone").case(case)).await?;
    }
    Ok(())
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
    row.as_ref().map(read).transpose()
}

/// Those that wait until a human releases them, by their case.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn waiting(db: &mut AnyConnection) -> Result<Vec<Charge>> {
    let rows = sqlx::query("SELECT * FROM charges WHERE state = 'proposed' ORDER BY case_id").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Charge> {
    let case: i64 = row.try_get("case_id")?;
    let fields = Fields::named(row, "charges", case.to_string());
    Ok(Charge {
        case: CaseId(case),
        report: fields.word("report_id", |text| text.parse().ok())?,
        net: Cents(fields.number("net_cents")?),
        gross: Cents(fields.number("gross_cents")?),
        basis: fields.word("basis", Basis::parse)?,
        proof: fields.text("proof")?,
    })
}
