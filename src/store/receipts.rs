//! Receipts to people who wrote a mail: at most one per address and day, sent at most once.

use super::reports::parse_id;
use super::row::Fields;
use super::{Claim, Lease, Result, Tx, expect_one, ms, ms_opt};
use crate::domain::assessment::words;
use crate::domain::report::ReportId;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::AnyConnection;

words! {
    /// How far a receipt is.
    State {
        /// Not tried, or provably not sent.
        Due = "due",
        /// Written down before sending; found again it may have been sent, and is not sent again.
        Sending = "sending",
        /// The mail server took it.
        Sent = "sent",
        /// Given up.
        Failed = "failed",
    }
}

/// A receipt to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which mail is answered.
    pub report: ReportId,
    /// To whom.
    pub address: String,
    /// How far it is.
    pub state: State,
}

/// Plans a receipt. `false`: this address got (or will get) one on that day.
///
/// # Errors
/// Where the database refused.
pub async fn plan(tx: &mut Tx, report: ReportId, address: &str, day: NaiveDate, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO receipts (report_id, address, day, state, due_at, attempt) VALUES ($1, $2, $3, 'due', $4, 0)
         ON CONFLICT DO NOTHING",
    )
    .bind(report.to_string())
    .bind(address)
    .bind(day.to_string())
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Claims one due receipt and counts the try.
///
/// # Errors
/// Where the database refused.
pub async fn claim(tx: &mut Tx, claim: Claim) -> Result<Option<(Receipt, Lease)>> {
    let token = Claim::token();
    let sql = tx.dialect.sql(
        "UPDATE receipts SET lease_until = $1, lease_token = $2, attempt = attempt + 1
         WHERE report_id = (SELECT report_id FROM receipts WHERE due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3)
                            ORDER BY due_at, report_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(claim.until()).bind(&token).bind(ms(claim.now)).fetch_optional(tx.db()).await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::named(&row, "receipts", "?".to_owned());
    let receipt = Receipt {
        report: parse_id("receipts", "report_id", &fields.text("report_id")?)?,
        address: fields.text("address")?,
        state: fields.word("state", State::parse)?,
    };
    let attempt = fields.count("attempt")?;
    Ok(Some((receipt, Lease { token, attempt })))
}

/// Journals "about to send"; committed before the mail leaves.
///
/// # Errors
/// `LeaseLost`; where the database refused.
pub async fn sending(tx: &mut Tx, report: ReportId, lease: &Lease) -> Result<()> {
    let done = sqlx::query("UPDATE receipts SET state = 'sending' WHERE report_id = $1 AND lease_token = $2")
        .bind(report.to_string())
        .bind(&lease.token)
        .execute(tx.db())
        .await?;
    expect_one(&done, || format!("receipt of {report}"))
}

/// Ends a try; `due_at` is when to try again, `sent_at` when it was taken.
///
/// # Errors
/// `LeaseLost`; where the database refused.
pub async fn tried(
    tx: &mut Tx,
    report: ReportId,
    lease: &Lease,
    state: State,
    at: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    error: Option<&str>,
) -> Result<()> {
    let (due_at, sent_at) = at;
    let done = sqlx::query(
        "UPDATE receipts SET state = $1, due_at = $2, sent_at = $3, error = $4, lease_until = NULL, lease_token = NULL
         WHERE report_id = $5 AND lease_token = $6",
    )
    .bind(state.as_str())
    .bind(ms_opt(due_at))
    .bind(ms_opt(sent_at))
    .bind(error)
    .bind(report.to_string())
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("receipt of {report}"))
}

/// How far the receipt of a report is; `None` = there is none.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn state(db: &mut AnyConnection, report: ReportId) -> Result<Option<State>> {
    let row =
        sqlx::query("SELECT * FROM receipts WHERE report_id = $1").bind(report.to_string()).fetch_optional(db).await?;
    row.map(|row| Fields::named(&row, "receipts", report.to_string()).word("state", State::parse)).transpose()
}
