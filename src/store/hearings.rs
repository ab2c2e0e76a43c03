//! Second hearings by a larger model, one a report: waiting, heard, judged. The first transcript stays where it is.

use super::reports::parse_id;
use super::row::Fields;
use super::{Claim, Lease, Result, Tx, expect_one, ms, ms_opt};
use crate::domain::assessment::Verdict;
use crate::domain::hearing::{Hearing, HearingStage};
use crate::domain::report::ReportId;
use crate::domain::transcript::Transcript;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use std::time::Duration;

/// The report is to be heard a second time; once planned, it stays planned.
///
/// # Errors
/// Where the database refused.
pub async fn plan(tx: &mut Tx, report: ReportId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO hearings (report_id, stage, counts, due_at, attempt) VALUES ($1, 'listen', 0, $2, 0)
         ON CONFLICT (report_id) DO NOTHING",
    )
    .bind(report.to_string())
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Claims one that is due in `stage`, and counts the try before it is made. Nothing is heard a second time while a report
/// waits for its first hearing.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn claim(tx: &mut Tx, stage: HearingStage, claim: Claim) -> Result<Option<(ReportId, Lease)>> {
    let token = Claim::token();
    let sql = tx.dialect.sql(
        "UPDATE hearings SET lease_until = $1, lease_token = $2, attempt = attempt + 1
         WHERE report_id = (SELECT report_id FROM hearings
                            WHERE stage = $3 AND due_at <= $4 AND (lease_until IS NULL OR lease_until <= $4)
                                AND (stage <> 'listen'
                                     OR NOT EXISTS (SELECT 1 FROM reports WHERE reports.stage = 'transcribe' AND reports.due_at <= $4))
                            ORDER BY due_at, report_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING report_id, attempt",
    );
    let row = sqlx::query(sql)
        .bind(claim.until())
        .bind(&token)
        .bind(stage.as_str())
        .bind(ms(claim.now))
        .fetch_optional(tx.db())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::named(&row, "hearings", "?".to_owned());
    let report = parse_id("hearings", "report_id", &fields.text("report_id")?)?;
    Ok(Some((report, Lease { token, attempt: fields.count("attempt")? })))
}

/// It was heard; what is not to be believed is kept, and not judged.
///
/// # Errors
/// `LeaseLost` where somebody else has it by now; where the database refused.
pub async fn heard(
    tx: &mut Tx,
    report: ReportId,
    lease: &Lease,
    transcript: &Transcript,
    took: Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let body = serde_json::to_string(transcript).expect("a transcript has no map with odd keys");
    let believed = transcript.doubt.is_none();
    let stage = if believed { HearingStage::Judge } else { HearingStage::GivenUp };
    let done = sqlx::query(
        "UPDATE hearings SET body = $1, heard_at = $2, took_ms = $3, stage = $4, due_at = $5, attempt = 0, lease_until = NULL,
             lease_token = NULL WHERE report_id = $6 AND lease_token = $7",
    )
    .bind(body)
    .bind(ms(now))
    .bind(i64::try_from(took.as_millis()).unwrap_or(i64::MAX))
    .bind(stage.as_str())
    .bind(ms_opt(believed.then_some(now)))
    .bind(report.to_string())
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("the second hearing of report {report}"))
}

/// Gives it back: the same stage again at `due_at`.
///
/// # Errors
/// `LeaseLost` where somebody else has it by now; where the database refused.
pub async fn again(tx: &mut Tx, report: ReportId, lease: &Lease, due_at: DateTime<Utc>) -> Result<()> {
    let done = sqlx::query(
        "UPDATE hearings SET due_at = $1, lease_until = NULL, lease_token = NULL WHERE report_id = $2 AND lease_token = $3",
    )
    .bind(ms(due_at))
    .bind(report.to_string())
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("the second hearing of report {report}"))
}

/// It was judged: what it says by itself, and whether its words count from now on.
///
/// # Errors
/// `LeaseLost` where somebody else has it by now; where the database refused.
pub async fn judged(tx: &mut Tx, report: ReportId, lease: &Lease, verdict: Verdict, counts: bool) -> Result<()> {
    end(tx, report, lease, HearingStage::Done).await?;
    sqlx::query("UPDATE hearings SET verdict = $1, counts = $2 WHERE report_id = $3")
        .bind(verdict.as_str())
        .bind(i64::from(counts))
        .bind(report.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// It ends here; the first hearing stands alone.
///
/// # Errors
/// `LeaseLost` where somebody else has it by now; where the database refused.
pub async fn end(tx: &mut Tx, report: ReportId, lease: &Lease, stage: HearingStage) -> Result<()> {
    let done = sqlx::query(
        "UPDATE hearings SET stage = $1, due_at = NULL, lease_until = NULL, lease_token = NULL
         WHERE report_id = $2 AND lease_token = $3",
    )
    .bind(stage.as_str())
    .bind(report.to_string())
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("the second hearing of report {report}"))
}

/// What was heard the second time; `None` where nothing was (yet), or its words were deleted.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, report: ReportId) -> Result<Option<Hearing>> {
    let row =
        sqlx::query("SELECT body, took_ms, verdict, counts FROM hearings WHERE report_id = $1 AND body IS NOT NULL")
            .bind(report.to_string())
            .fetch_optional(db)
            .await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::named(&row, "hearings", report.to_string());
    Ok(Some(Hearing {
        transcript: fields.json("body")?,
        took_ms: fields.count("took_ms")?,
        verdict: fields.maybe_word("verdict", Verdict::parse)?,
        counts: fields.truth("counts")?,
    }))
}

/// How many wait to be heard a second time, and how many were given up of the reports stored since `since`.
///
/// # Errors
/// Where the database refused.
pub async fn state(db: &mut AnyConnection, since: DateTime<Utc>) -> Result<(i64, i64)> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM hearings WHERE stage IN ('listen', 'judge')) AS waiting,
                (SELECT COUNT(*) FROM hearings JOIN reports ON reports.id = hearings.report_id
                 WHERE hearings.stage = 'given_up' AND hearings.body IS NULL AND reports.stored_at >= $1) AS failed",
    )
    .bind(ms(since))
    .fetch_one(db)
    .await?;
    let fields = Fields::named(&row, "hearings", "-".to_owned());
    Ok((fields.number("waiting")?, fields.number("failed")?))
}
