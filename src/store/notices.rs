//! Notices: planned, journaled before sending, then kept in step with what they show.

use super::reports::parse_id;
use super::row::Fields;
use super::{Claim, Lease, Result, StoreError, Tx, expect_one, ms, ms_opt};
use crate::domain::case::CaseId;
use crate::domain::notice::{Delivery, Menu, Notice, NoticeId, NoticeKind};
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// The channel that is Telegram.
pub(super) const TELEGRAM: &str = "telegram";

/// A notice to be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The report it is about.
    pub report: Option<ReportId>,
    /// The case it is about.
    pub case: Option<CaseId>,
    /// What it shows.
    pub kind: NoticeKind,
    /// The technician's name, or "office".
    pub recipient: String,
    /// The channel's name where it goes another way than Telegram.
    pub channel: Option<String>,
    /// The Telegram chat; 0 on another way.
    pub chat: i64,
    /// Whether it rings.
    pub loud: bool,
    /// Which ring it belongs to.
    pub ring: u32,
    /// What the kind needs beside report and case.
    pub body: Option<String>,
    /// When it should have gone out; none = now.
    pub wanted_at: Option<DateTime<Utc>>,
    /// When the recipient's other ways begin unless somebody answers; none = never.
    pub second_at: Option<DateTime<Utc>>,
}

impl Plan {
    /// A silent notice by Telegram about nothing yet.
    #[must_use]
    pub fn new(kind: NoticeKind, recipient: &str, chat: i64) -> Self {
        Self {
            report: None,
            case: None,
            kind,
            recipient: recipient.to_owned(),
            channel: None,
            chat,
            loud: false,
            ring: 0,
            body: None,
            wanted_at: None,
            second_at: None,
        }
    }

    /// The same by another way, where nothing follows after it.
    #[must_use]
    pub fn by(&self, channel: &str) -> Self {
        Self { channel: Some(channel.to_owned()), chat: 0, second_at: None, ..self.clone() }
    }
}

/// Plans a notice, due at once.
///
/// # Errors
/// Where the database refused.
pub async fn plan(tx: &mut Tx, plan: &Plan, now: DateTime<Utc>) -> Result<NoticeId> {
    let id = NoticeId(Uuid::now_v7());
    sqlx::query(
        "INSERT INTO notices (id, report_id, case_id, kind, recipient, chat, loud, ring, body, delivery, repeated, created_at,
             due_at, version, attempt, channel, wanted_at, second_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'due', 0, $10, $10, 0, 0, $11, $12, $13)",
    )
    .bind(id.to_string())
    .bind(plan.report.map(|id| id.to_string()))
    .bind(plan.case.map(|id| id.0))
    .bind(plan.kind.as_str())
    .bind(&plan.recipient)
    .bind(plan.chat)
    .bind(i64::from(plan.loud))
    .bind(i64::from(plan.ring))
    .bind(&plan.body)
    .bind(ms(now))
    .bind(plan.channel.as_deref().unwrap_or(TELEGRAM))
    .bind(ms_opt(plan.wanted_at))
    .bind(ms_opt(plan.second_at))
    .execute(tx.db())
    .await?;
    Ok(id)
}

/// Whether this chat has (or will get) the recording of this report already.
///
/// # Errors
/// Where the database refused.
pub async fn has_voice(tx: &mut Tx, report: ReportId, chat: i64) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM notices WHERE report_id = $1 AND chat = $2 AND kind = 'voice' AND delivery NOT IN ('failed', 'gone')",
    )
    .bind(report.to_string())
    .bind(chat)
    .fetch_one(tx.db())
    .await?;
    Ok(count > 0)
}

/// Everybody who was told of a case.
///
/// # Errors
/// Where the database refused.
pub async fn told(tx: &mut Tx, case: CaseId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(
        "SELECT DISTINCT recipient FROM notices WHERE case_id = $1 AND kind = 'alert' AND delivery <> 'failed' ORDER BY recipient",
    )
    .bind(case.0)
    .fetch_all(tx.db())
    .await?)
}

/// The report's notices belong to this case from now on.
///
/// # Errors
/// Where the database refused.
pub async fn adopt(tx: &mut Tx, report: ReportId, case: CaseId) -> Result<()> {
    sqlx::query("UPDATE notices SET case_id = $1 WHERE report_id = $2 AND case_id IS NULL")
        .bind(case.0)
        .bind(report.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// The report's notices belong to this case instead of the one it had joined.
///
/// # Errors
/// Where the database refused.
pub async fn reassign(tx: &mut Tx, report: ReportId, case: CaseId) -> Result<()> {
    sqlx::query("UPDATE notices SET case_id = $1 WHERE report_id = $2")
        .bind(case.0)
        .bind(report.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Lets every notice of the report be looked at again; one in a worker's hand stays due after its try.
///
/// # Errors
/// Where the database refused.
pub async fn refresh(tx: &mut Tx, report: ReportId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET version = version + 1,
             due_at = CASE WHEN delivery = 'sent' AND due_at IS NULL THEN $1 ELSE due_at END
         WHERE report_id = $2 AND channel = 'telegram' AND kind <> 'transcript' AND delivery IN ('due', 'sending', 'sent')",
    )
    .bind(ms(now))
    .bind(report.to_string())
    .execute(tx.db())
    .await?;
    Ok(())
}

/// As [`refresh`], for every notice of the case: those of later reports, and the words that were sent on request.
///
/// # Errors
/// Where the database refused.
pub async fn refresh_case(tx: &mut Tx, case: CaseId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET version = version + 1,
             due_at = CASE WHEN delivery = 'sent' AND due_at IS NULL THEN $1 ELSE due_at END
         WHERE case_id = $2 AND channel = 'telegram' AND delivery IN ('due', 'sending', 'sent')",
    )
    .bind(ms(now))
    .bind(case.0)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Claims one due notice, loud ones first, and counts the try. One chat (or channel) is served by one worker at a time, so
/// that its messages keep their order.
///
/// # Errors
/// Where the database refused.
pub async fn claim(tx: &mut Tx, claim: Claim) -> Result<Option<(Notice, Lease)>> {
    let token = Claim::token();
    let sql = tx.dialect.sql(
        "UPDATE notices SET lease_until = $1, lease_token = $2, attempt = attempt + 1
         WHERE id = (SELECT id FROM notices AS free WHERE due_at <= $3 AND (lease_until IS NULL OR lease_until <= $3)
                         AND NOT EXISTS (SELECT 1 FROM notices AS busy WHERE busy.chat = free.chat
                                         AND busy.channel = free.channel AND busy.lease_until > $3)
                     ORDER BY loud DESC, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(claim.until()).bind(&token).bind(ms(claim.now)).fetch_optional(tx.db()).await?;
    let Some(row) = row else { return Ok(None) };
    let notice = read(&row)?;
    let attempt = notice.attempt;
    Ok(Some((notice, Lease { token, attempt })))
}

/// Journals "about to send". Committed before the request leaves; found again after a crash it means *unknown*.
///
/// # Errors
/// `LeaseLost`; where the database refused.
pub async fn sending(tx: &mut Tx, id: NoticeId, lease: &Lease, repeated: bool) -> Result<()> {
    let done = sqlx::query("UPDATE notices SET delivery = 'sending', repeated = $1 WHERE id = $2 AND lease_token = $3")
        .bind(i64::from(repeated))
        .bind(id.to_string())
        .bind(&lease.token)
        .execute(tx.db())
        .await?;
    expect_one(&done, || format!("notice {id}"))
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// How far the delivery is now.
    pub delivery: Delivery,
    /// The message's number, where there is one.
    pub message: Option<i64>,
    /// Fingerprint of what the phone shows.
    pub shown: Option<String>,
    /// An earlier try may have arrived.
    pub repeated: bool,
    /// When it arrived.
    pub sent_at: Option<DateTime<Utc>>,
    /// The failure, without personal data.
    pub error: Option<String>,
    /// When to try or look again.
    pub due_at: Option<DateTime<Utc>>,
    /// The other side asked to wait: that was no try.
    pub waited: bool,
}

/// Ends a try. When the case changed while the try was under way, the notice stays due.
///
/// # Errors
/// `LeaseLost`; where the database refused.
pub async fn tried(tx: &mut Tx, notice: &Notice, lease: &Lease, tried: &Tried, now: DateTime<Utc>) -> Result<()> {
    let done = sqlx::query(
        "UPDATE notices SET delivery = $1, message = $2, shown = $3, repeated = $4, sent_at = $5, error = $6,
             due_at = CASE WHEN version = $8 OR $1 IN ('failed', 'gone') THEN $7 ELSE $9 END,
             lease_until = NULL, lease_token = NULL, attempt = CASE WHEN $7 IS NULL THEN 0 ELSE attempt - $12 END
         WHERE id = $10 AND lease_token = $11",
    )
    .bind(tried.delivery.as_str())
    .bind(tried.message)
    .bind(&tried.shown)
    .bind(i64::from(tried.repeated))
    .bind(ms_opt(tried.sent_at))
    .bind(&tried.error)
    .bind(ms_opt(tried.due_at))
    .bind(notice.version)
    .bind(ms(now))
    .bind(notice.id.to_string())
    .bind(&lease.token)
    .bind(i64::from(tried.waited))
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("notice {}", notice.id))
}

/// Alerts of the case in this chat that never got out, or nobody knows, are no longer wanted: a newer one comes. Gives when the recipient's other ways
/// should have begun, if that has not come.
///
/// # Errors
/// Where the database refused.
pub async fn supersede(tx: &mut Tx, case: CaseId, plan: &Plan) -> Result<Option<DateTime<Utc>>> {
    let rows: Vec<Option<i64>> = sqlx::query_scalar(
        "UPDATE notices SET delivery = 'gone', due_at = NULL
         WHERE case_id = $1 AND chat = $2 AND channel = $3 AND kind = 'alert' AND delivery IN ('due', 'sending') AND lease_token IS NULL
         RETURNING second_at",
    )
    .bind(case.0)
    .bind(plan.chat)
    .bind(plan.channel.as_deref().unwrap_or(TELEGRAM))
    .fetch_all(tx.db())
    .await?;
    sqlx::query("UPDATE notices SET second_at = NULL WHERE case_id = $1 AND delivery = 'gone'")
        .bind(case.0)
        .execute(tx.db())
        .await?;
    Ok(rows.into_iter().flatten().min().and_then(DateTime::from_timestamp_millis))
}

/// A chat has a new number: every notice follows it.
///
/// # Errors
/// Where the database refused.
pub async fn move_chat(tx: &mut Tx, old: i64, new: i64) -> Result<()> {
    sqlx::query("UPDATE notices SET chat = $1 WHERE chat = $2").bind(new).bind(old).execute(tx.db()).await?;
    Ok(())
}

/// The notice that is this message in this chat.
///
/// # Errors
/// Where the database refused.
pub async fn of_message(db: &mut AnyConnection, chat: i64, message: i64) -> Result<Option<Notice>> {
    let row = sqlx::query("SELECT * FROM notices WHERE chat = $1 AND message = $2 LIMIT 1")
        .bind(chat)
        .bind(message)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// All notices in the order they were planned.
///
/// # Errors
/// Where the database refused.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Notice>> {
    sqlx::query("SELECT * FROM notices ORDER BY id").fetch_all(db).await?.iter().map(read).collect()
}

/// The voice message of this report in this chat, to answer to.
///
/// # Errors
/// Where the database refused.
pub async fn voice_message(tx: &mut Tx, report: ReportId, chat: i64) -> Result<Option<i64>> {
    let found: Option<Option<i64>> = sqlx::query_scalar(
        "SELECT message FROM notices WHERE report_id = $1 AND chat = $2 AND kind = 'voice' AND delivery = 'sent' LIMIT 1",
    )
    .bind(report.to_string())
    .bind(chat)
    .fetch_optional(tx.db())
    .await?;
    Ok(found.flatten())
}

pub(super) fn read(row: &AnyRow) -> Result<Notice> {
    let fields = Fields::of(row, "notices")?;
    let id = fields.text("id")?;
    let id = Uuid::parse_str(&id).map_err(|_| StoreError::Row {
        table: "notices",
        column: "id",
        id: id.clone(),
        value: id,
    })?;
    let report = fields.maybe_text("report_id")?;
    Ok(Notice {
        id: NoticeId(id),
        report: report.map(|id| parse_id("notices", "report_id", &id)).transpose()?,
        case: fields.maybe_number("case_id")?.map(CaseId),
        kind: fields.word("kind", NoticeKind::parse)?,
        recipient: fields.text("recipient")?,
        channel: Some(fields.text("channel")?).filter(|channel| channel != TELEGRAM),
        chat: fields.number("chat")?,
        loud: fields.truth("loud")?,
        ring: fields.count("ring")?,
        body: fields.maybe_text("body")?,
        delivery: fields.word("delivery", Delivery::parse)?,
        message: fields.maybe_number("message")?,
        shown: fields.maybe_text("shown")?,
        repeated: fields.truth("repeated")?,
        attempt: fields.count("attempt")?,
        version: fields.number("version")?,
        menu: fields.maybe_word("menu", Menu::parse)?,
        created_at: fields.instant("created_at")?,
        wanted_at: fields.maybe_instant("wanted_at")?.map_or_else(|| fields.instant("created_at"), Ok)?,
        sent_at: fields.maybe_instant("sent_at")?,
    })
}

/// How many notices are still to be sent or changed.
///
/// # Errors
/// Where the database refused.
pub async fn pending(db: &mut AnyConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM notices WHERE due_at IS NOT NULL").fetch_one(db).await?)
}
