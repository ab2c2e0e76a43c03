//! The books: a person releases a proposed charge or cancels one, each once; every step is added and none is changed.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, ms, ms_opt};
use crate::domain::assessment::{Assessment, Fields as Read};
use crate::domain::case::CaseId;
use crate::domain::charge::{
    Basis, ChargeState, Customer, Entry, Filter, Objection, Proof, Signed, Step, StepKind, Sum,
};
use crate::domain::tariff::Cents;
use chrono::{DateTime, Utc};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};
use uuid::Uuid;

/// Charges out of `chosen`, with when the caller called and, while nobody decided, what is read in the messages now.
macro_rules! entries {
    ($chosen:literal, $order:literal) => {
        concat!(
            "SELECT charges.*, reports.called_at AS called_at,
                 CASE WHEN charges.state = 'proposed' THEN own.body END AS own_body,
                 CASE WHEN charges.state = 'proposed' AND cases.report_id <> charges.report_id THEN first.body END AS first_body
             FROM (SELECT * FROM charges WHERE ",
            $chosen,
            ") AS charges JOIN reports ON reports.id = charges.report_id JOIN cases ON cases.id = charges.case_id
             LEFT JOIN assessments AS own ON own.report_id = charges.report_id
             LEFT JOIN assessments AS first ON first.report_id = cases.report_id ",
            $order
        )
    };
}

/// One charge for changing: on PostgreSQL its row is locked until the transaction ends; SQLite has one writer anyway.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn lock(tx: &mut Tx, case: CaseId) -> Result<Option<Entry>> {
    // A no-op update is a row lock on both databases.
    sqlx::query("UPDATE charges SET case_id = case_id WHERE case_id = $1").bind(case.0).execute(tx.db()).await?;
    find(tx.db(), case).await
}

/// The charge of a case.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, case: CaseId) -> Result<Option<Entry>> {
    let row = sqlx::query(entries!("case_id = $1", "")).bind(case.0).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// A person releases a proposed charge; `proof` is frozen with it. `false`: it is not proposed (any more).
///
/// # Errors
/// Where the database refused.
pub async fn release(tx: &mut Tx, entry: &Entry, proof: &Proof, by: &str, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE charges SET state = 'released', released_at = $1, released_by = $2, booked_at = $1, proof = $3
         WHERE case_id = $4 AND state = 'proposed'",
    )
    .bind(ms(now))
    .bind(by)
    .bind(as_json(proof))
    .bind(entry.case.0)
    .execute(tx.db())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    step(tx, entry.case, StepKind::Released, entry.net, Some(by), entry.basis.as_str(), now).await?;
    Ok(true)
}

/// A person cancels a charge that stands as `entry` says, and why. `false`: it stands elsewhere by now.
///
/// # Errors
/// Where the database refused.
pub async fn cancel(
    tx: &mut Tx,
    entry: &Entry,
    proof: &Proof,
    by: &str,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let kind = match entry.state {
        ChargeState::Proposed => StepKind::Cancelled,
        ChargeState::Released => StepKind::Credited,
        ChargeState::Cancelled => return Ok(false),
    };
    let done = sqlx::query(
        "UPDATE charges SET state = 'cancelled', cancelled_at = $1, cancelled_by = $2, cancel_reason = $3, proof = $4
         WHERE case_id = $5 AND state = $6",
    )
    .bind(ms(now))
    .bind(by)
    .bind(reason)
    .bind(as_json(proof))
    .bind(entry.case.0)
    .bind(entry.state.as_str())
    .execute(tx.db())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    step(tx, entry.case, kind, entry.net, Some(by), reason, now).await?;
    Ok(true)
}

fn as_json(proof: &Proof) -> String {
    serde_json::to_string(proof).expect("a proof has no map with odd keys")
}

/// Up to `limit` charges behind the first `skip`, the newest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn page(db: &mut AnyConnection, filter: &Filter, limit: i64, skip: i64) -> Result<Vec<Entry>> {
    let sql = entries!(
        "booked_at >= $1 AND booked_at < $2 AND ($3 IS NULL OR state = $3)
         ORDER BY booked_at DESC, case_id DESC LIMIT $4 OFFSET $5",
        "ORDER BY charges.booked_at DESC, charges.case_id DESC"
    );
    let (from, until) = bounds(filter);
    let rows = sqlx::query(sql)
        .bind(from)
        .bind(until)
        .bind(filter.state.map(ChargeState::as_str))
        .bind(limit)
        .bind(skip)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// Everything that may have a line in the accounts of the filter's span: what counts in it, and what was credited in it; the
/// oldest first. `domain::charge::lines` makes the lines.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn to_book(db: &mut AnyConnection, filter: &Filter) -> Result<Vec<Entry>> {
    let sql = entries!(
        "(booked_at >= $1 AND booked_at < $2)
             OR (released_at IS NOT NULL AND cancelled_at >= $1 AND cancelled_at < $2)",
        "ORDER BY charges.booked_at, charges.case_id"
    );
    let (from, until) = bounds(filter);
    let rows = sqlx::query(sql).bind(from).bind(until).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// What the charges of the filter's span come to, by where they stand; its state is not looked at.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn sums(db: &mut AnyConnection, filter: &Filter) -> Result<Vec<Sum>> {
    let (from, until) = bounds(filter);
    let rows = sqlx::query(
        "SELECT state, COUNT(*) AS count, CAST(SUM(net_cents) AS BIGINT) AS net, CAST(SUM(gross_cents) AS BIGINT) AS gross
         FROM charges WHERE booked_at >= $1 AND booked_at < $2 GROUP BY state ORDER BY state DESC",
    )
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "charges", "sums".into());
            Ok(Sum {
                state: fields.word("state", ChargeState::parse)?,
                count: fields.count("count")?,
                net: Cents(fields.number("net")?),
                gross: Cents(fields.number("gross")?),
            })
        })
        .collect()
}

fn bounds(filter: &Filter) -> (i64, i64) {
    let (from, until) = (filter.span.map(|(from, _)| from), filter.span.map(|(_, until)| until));
    (ms_opt(from).unwrap_or(i64::MIN), ms_opt(until).unwrap_or(i64::MAX))
}

/// Every step of the charge of a case, in order.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn steps(db: &mut AnyConnection, case: CaseId) -> Result<Vec<Step>> {
    let rows =
        sqlx::query("SELECT * FROM charge_steps WHERE case_id = $1 ORDER BY at, id").bind(case.0).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::of(row, "charge_steps")?;
            Ok(Step {
                at: fields.instant("at")?,
                kind: fields.word("step", StepKind::parse)?,
                actor: fields.maybe_text("actor")?,
                net: Cents(fields.number("net_cents")?),
                detail: fields.text("detail")?,
            })
        })
        .collect()
}

/// Adds one step.
pub(super) async fn step(
    tx: &mut Tx,
    case: CaseId,
    kind: StepKind,
    net: Cents,
    actor: Option<&str>,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO charge_steps (id, case_id, at, step, actor, net_cents, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(case.0)
    .bind(ms(now))
    .bind(kind.as_str())
    .bind(actor)
    .bind(net.0)
    .bind(detail)
    .execute(tx.db())
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Entry> {
    let case: i64 = row.try_get("case_id")?;
    let fields = Fields::named(row, "charges", case.to_string());
    let proof: Proof = fields.json("proof")?;
    let signed = |by: Option<String>, at: Option<DateTime<Utc>>| by.zip(at).map(|(by, at)| Signed { by, at });
    Ok(Entry {
        case: CaseId(case),
        report: parse_id("charges", "report_id", &fields.text("report_id")?)?,
        state: fields.word("state", ChargeState::parse)?,
        net: Cents(fields.number("net_cents")?),
        gross: Cents(fields.number("gross_cents")?),
        basis: fields.word("basis", Basis::parse)?,
        customer: match proof.customer.clone() {
            Some(frozen) => frozen,
            None => found_now(&fields)?,
        },
        proof,
        called_at: fields.instant("called_at")?,
        proposed_at: fields.instant("proposed_at")?,
        released: signed(fields.maybe_text("released_by")?, fields.maybe_instant("released_at")?),
        cancelled: signed(fields.maybe_text("cancelled_by")?, fields.maybe_instant("cancelled_at")?),
        reason: fields.maybe_text("cancel_reason")?,
        objection: fields.maybe_word("objection", Objection::parse)?,
    })
}

/// Whom the messages name: the one that proves the charge, and where it names nobody the one that opened the case.
fn found_now(fields: &Fields<'_>) -> Result<Customer> {
    let read_in = |column| -> Result<Read> {
        // a deleted text is empty
        let body = fields.maybe_text(column)?.filter(|body| !body.is_empty());
        let Some(body) = body else { return Ok(Read::default()) };
        let found: Assessment =
            serde_json::from_str(&body).map_err(|error| fields.broken(column, error.to_string()))?;
        Ok(found.fields)
    };
    Ok(read_in("own_body")?.filled_from(read_in("first_body")?).into())
}
