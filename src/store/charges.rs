//! Charges: proposed with their proof, withdrawn, moved with the report that proves them. What a person decided
//! (`super::charge_steps`) is changed by nothing here.

use super::charge_steps::step;
use super::row::Fields;
use super::{Result, Tx, corrections, events, hearings, ms, transcripts};
use crate::domain::assessment::{Assessment, Consent, ConsentDoubt, Declaration, Verdict};
use crate::domain::case::{Case, CaseId, PhoneConsent};
pub use crate::domain::charge::Basis;
use crate::domain::charge::{ChargeState, Objection, StepKind};
use crate::domain::correction::What;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::{Report, ReportId};
use crate::domain::tariff::{Cents, Tariff};
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

/// Why a charge is not proven any longer: what a person corrected, or what the larger model did not hear. For the story.
pub const NOT_AFTER_CORRECTION: &str = "not proven after a correction";
/// See above.
pub const NOT_HEARD_AGAIN: &str = "not heard a second time";

/// A charge to propose.
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
    /// `domain::charge::Proof` as JSON: findings with words and seconds, SHA-256 of the sound; or who asked on the phone
    /// and when.
    pub proof: String,
}

/// On what a report's assessment lets a charge be proposed.
#[must_use]
pub fn basis_of(found: &Assessment) -> Option<Basis> {
    if found.declaration != Declaration::Declared {
        return None;
    }
    match (found.consent, found.consent_doubt) {
        (Consent::Full, None) if found.verdict == Verdict::Confirmed => Some(Basis::Spoken),
        (_, Some(ConsentDoubt::Heard)) if matches!(found.verdict, Verdict::Confirmed | Verdict::Incomplete) => {
            Some(Basis::Heard)
        }
        _ => None,
    }
}

/// Proposes what a report proves, and writes that into the story; anything else proposes nothing, and neither does
/// a report that proves another case's charge already: nobody pays twice for one message. Where it proves the case's own
/// proposal on the same basis already, that one shows what proves it now. `mail_sha256` is of a written report.
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
    if proves_another(tx, report.id, case).await? {
        return Ok(());
    }
    let sound = report.recording.as_ref().map(|recording| &recording.sha256);
    let mut proof = serde_json::json!({
        "findings": found.findings, "sound_sha256": sound, "mail_sha256": mail_sha256, "rules": found.rules,
        "models": models(tx, report.id).await?,
    });
    let mut recorded_at = now;
    if basis == Basis::Heard {
        // whoever saved the text answers for the whole of it
        let standing = corrections::standing(tx.db(), report.id).await?;
        let Some(typed) = standing.correction(What::Transcript) else { return Ok(()) };
        proof["by"] = typed.actor.clone().into();
        proof["at"] = typed.at.to_rfc3339().into();
        recorded_at = typed.at;
    }
    let charge = Charge { case, report: report.id, net, gross, basis, proof: proof.to_string() };
    if propose_recorded(tx, &charge, recorded_at, now).await? {
        let detail = if basis == Basis::Heard { format!("{} (heard by a person)", net.german()) } else { net.german() };
        return events::append(tx, &Event::new(now, EventKind::Proposed, detail).report(report.id).case(case)).await;
    }
    prove_anew(tx, &charge).await
}

/// The speech models that heard it, the first one first.
async fn models(tx: &mut Tx, report: ReportId) -> Result<Vec<String>> {
    let first = transcripts::first(tx.db(), report).await?.map(|(heard, _)| heard.model);
    let second = hearings::find(tx.db(), report).await?.filter(|heard| heard.verdict.is_some());
    Ok(first.into_iter().chain(second.map(|heard| heard.transcript.model)).collect())
}

/// A proposal that nobody decided about shows the words that prove it now.
async fn prove_anew(tx: &mut Tx, charge: &Charge) -> Result<()> {
    sqlx::query(
        "UPDATE charges SET proof = $1 WHERE case_id = $2 AND report_id = $3 AND basis = $4 AND state = 'proposed'",
    )
    .bind(&charge.proof)
    .bind(charge.case.0)
    .bind(charge.report.to_string())
    .bind(charge.basis.as_str())
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Withdraws a proposal that this report no longer proves, or not on the same basis; what was released stands, with an
/// objection. `why` is for the story. `false`: nothing of it is proposed, or it still stands.
///
/// # Errors
/// Where the database refused.
pub async fn withdraw_unproven(
    tx: &mut Tx,
    case: CaseId,
    report: ReportId,
    found: &Assessment,
    why: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let gone: Option<i64> = sqlx::query_scalar(
        "DELETE FROM charges
         WHERE case_id = $1 AND report_id = $2 AND state = 'proposed' AND basis IN ('spoken', 'heard') AND basis <> $3
         RETURNING net_cents",
    )
    .bind(case.0)
    .bind(report.to_string())
    .bind(basis_of(found).map_or("", Basis::as_str))
    .fetch_optional(tx.db())
    .await?;
    let Some(net) = gone else {
        let released: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM charges WHERE case_id = $1 AND report_id = $2 AND state = 'released'
                 AND basis IN ('spoken', 'heard') AND basis <> $3",
        )
        .bind(case.0)
        .bind(report.to_string())
        .bind(basis_of(found).map_or("", Basis::as_str))
        .fetch_one(tx.db())
        .await?;
        if released > 0 {
            object(tx, case, Objection::Judged, why, now).await?;
        }
        return Ok(false);
    };
    step(tx, case, StepKind::Withdrawn, Cents(net), None, why, now).await?;
    let event = Event::new(now, EventKind::Withdrawn, why).report(report).case(case);
    events::append(tx, &event).await?;
    Ok(true)
}

async fn proves_another(tx: &mut Tx, report: ReportId, case: CaseId) -> Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM charges WHERE report_id = $1 AND case_id <> $2")
        .bind(report.to_string())
        .bind(case.0)
        .fetch_one(tx.db())
        .await?;
    Ok(count > 0)
}

/// Proposes a charge. `false`: the case has one already, and its proof stands. A proposal that a person cancelled is replaced
/// only by what a person recorded (phone, heard) after that, never by the service; a credit is final.
///
/// # Errors
/// Where the database refused.
pub async fn propose(tx: &mut Tx, charge: &Charge, now: DateTime<Utc>) -> Result<bool> {
    propose_recorded(tx, charge, now, now).await
}

/// As `propose`, on what a person recorded at `recorded_at`.
async fn propose_recorded(
    tx: &mut Tx,
    charge: &Charge,
    recorded_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO charges (case_id, report_id, proposed_at, state, net_cents, gross_cents, proof, basis, booked_at)
         VALUES ($1, $2, $3, 'proposed', $4, $5, $6, $7, (SELECT called_at FROM reports WHERE id = $2))
         ON CONFLICT (case_id) DO UPDATE SET report_id = excluded.report_id, proposed_at = excluded.proposed_at,
             state = 'proposed', net_cents = excluded.net_cents, gross_cents = excluded.gross_cents, proof = excluded.proof,
             basis = excluded.basis, booked_at = excluded.booked_at, cancelled_at = NULL, cancelled_by = NULL,
             cancel_reason = NULL, objection = NULL
         WHERE charges.state = 'cancelled' AND charges.released_at IS NULL AND excluded.basis <> 'spoken'
             AND charges.cancelled_at < $8",
    )
    .bind(charge.case.0)
    .bind(charge.report.to_string())
    .bind(ms(now))
    .bind(charge.net.0)
    .bind(charge.gross.0)
    .bind(&charge.proof)
    .bind(charge.basis.as_str())
    .bind(ms(recorded_at))
    .execute(tx.db())
    .await?;
    let proposed = done.rows_affected() == 1;
    if proposed {
        step(tx, charge.case, StepKind::Proposed, charge.net, None, charge.basis.as_str(), now).await?;
    }
    Ok(proposed)
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
    if propose_recorded(tx, &charge, consent.at, now).await? {
        let detail = format!("{} (on the phone)", net.german());
        events::append(tx, &Event::new(now, EventKind::Proposed, detail).report(case.report).case(case.id)).await?;
    } else {
        agreed_after_all(tx, case.id, &consent.actor, now).await?;
    }
    Ok(())
}

/// The refusal that stood against the charge does so no longer.
async fn agreed_after_all(tx: &mut Tx, case: CaseId, actor: &str, now: DateTime<Utc>) -> Result<()> {
    let net: Option<i64> = sqlx::query_scalar(
        "UPDATE charges SET objection = NULL WHERE case_id = $1 AND objection = 'refused' RETURNING net_cents",
    )
    .bind(case.0)
    .fetch_optional(tx.db())
    .await?;
    let Some(net) = net else { return Ok(()) };
    step(tx, case, StepKind::Agreed, Cents(net), Some(actor), "", now).await
}

/// The customer refused after all: a proposal that stood on the phone alone is gone; the records of both calls stay, and so
/// do its steps. Any other charge that is not cancelled stands, with an objection: a person decides.
///
/// # Errors
/// Where the database refused.
pub async fn withdraw_by_phone(tx: &mut Tx, case: CaseId, now: DateTime<Utc>) -> Result<()> {
    let gone: Option<i64> = sqlx::query_scalar(
        "DELETE FROM charges WHERE case_id = $1 AND basis = 'phone' AND state = 'proposed' RETURNING net_cents",
    )
    .bind(case.0)
    .fetch_optional(tx.db())
    .await?;
    let Some(net) = gone else {
        return object(tx, case, Objection::Refused, "refused on the phone", now).await;
    };
    step(tx, case, StepKind::Withdrawn, Cents(net), None, "", now).await?;
    events::append(tx, &Event::new(now, EventKind::Withdrawn, "refused on the phone").case(case)).await
}

/// Something speaks against the charge of a case, unless it is cancelled: it stands, and a person must look. `detail` is for
/// the story, in a few words.
///
/// # Errors
/// Where the database refused.
pub async fn object(tx: &mut Tx, case: CaseId, objection: Objection, detail: &str, now: DateTime<Utc>) -> Result<()> {
    let net: Option<i64> = sqlx::query_scalar(
        "UPDATE charges SET objection = $1 WHERE case_id = $2 AND state <> 'cancelled' RETURNING net_cents",
    )
    .bind(objection.as_str())
    .bind(case.0)
    .fetch_optional(tx.db())
    .await?;
    let Some(net) = net else { return Ok(()) };
    let kind = match objection {
        Objection::Refused => StepKind::Refused,
        Objection::Split => StepKind::Kept,
        Objection::Judged => StepKind::Judged,
    };
    step(tx, case, kind, Cents(net), None, detail, now).await?;
    events::append(tx, &Event::new(now, EventKind::Objected, detail).case(case)).await
}

/// The charge that this report proves goes to another case, as long as nobody decided about it. What was released stays with
/// the case it was released for, with an objection; what was cancelled stays as it is.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn move_to(tx: &mut Tx, report: ReportId, case: CaseId, now: DateTime<Utc>) -> Result<()> {
    let rows = sqlx::query("SELECT * FROM charges WHERE report_id = $1 AND case_id <> $2 ORDER BY case_id")
        .bind(report.to_string())
        .bind(case.0)
        .fetch_all(tx.db())
        .await?;
    for row in &rows {
        let charge = read(row)?;
        match Fields::named(row, "charges", charge.case.to_string()).word("state", ChargeState::parse)? {
            ChargeState::Proposed => {
                sqlx::query("UPDATE charges SET case_id = $1 WHERE case_id = $2")
                    .bind(case.0)
                    .bind(charge.case.0)
                    .execute(tx.db())
                    .await?;
                step(tx, charge.case, StepKind::Moved, charge.net, None, &format!("to {case}"), now).await?;
                step(tx, case, StepKind::Moved, charge.net, None, &format!("from {}", charge.case), now).await?;
            }
            ChargeState::Released => {
                let detail = format!("its report is case {case} now");
                object(tx, charge.case, Objection::Split, &detail, now).await?;
            }
            ChargeState::Cancelled => {}
        }
    }
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
