//! The wall clock as it was seen last, and what waits for a time of a clock that was set back.

use super::{Result, Tx, cases, marks, ms};
use crate::domain::life::Patience;
use chrono::{DateTime, TimeDelta, Utc};

/// No worker has a row for longer; a lease beyond is one by the clock as it was.
const LONGEST_LEASE: TimeDelta = TimeDelta::minutes(15);

/// The name under which the time seen last is kept, in milliseconds.
const SEEN: &str = "clock.seen";

/// Remembers the time, and gives the one remembered before.
///
/// # Errors
/// Where the database refused.
pub async fn look(tx: &mut Tx, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let seen = marks::find(tx.db(), SEEN).await?;
    marks::put(tx, SEEN, now.timestamp_millis()).await?;
    Ok(seen.and_then(DateTime::from_timestamp_millis))
}

/// The clock was set back `by` so much: nothing is put off by that, and no lease goes on for hours.
///
/// # Errors
/// Where the database refused.
pub async fn set_back(tx: &mut Tx, by: TimeDelta, now: DateTime<Utc>, patience: &Patience) -> Result<()> {
    for mut case in cases::unclosed(tx.db()).await? {
        case.set_back(by, now, patience);
        cases::put(tx, &case).await?;
    }
    // whoever waits keeps his place before those who come by the new clock
    sqlx::query(
        "UPDATE reports SET turn_at = COALESCE(turn_at, stored_at) - $1 WHERE stage <> 'done' AND stored_at > $2",
    )
    .bind(by.num_milliseconds())
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    for sql in [
        "UPDATE notices SET due_at = $1 WHERE due_at > $1",
        "UPDATE notices SET second_at = $1 WHERE second_at > $1",
        "UPDATE reports SET unheard_at = $1 WHERE unheard_at > $1",
        "UPDATE reports SET due_at = $1 WHERE due_at > $1",
        "UPDATE receipts SET due_at = $1 WHERE due_at > $1",
        "UPDATE notes SET due_at = $1 WHERE due_at > $1",
        "UPDATE hearings SET due_at = $1 WHERE due_at > $1",
    ] {
        sqlx::query(sql).bind(ms(now)).execute(tx.db()).await?;
    }
    for sql in [
        "UPDATE cases SET lease_until = $1 WHERE lease_until > $2",
        "UPDATE notices SET lease_until = $1 WHERE lease_until > $2",
        "UPDATE reports SET lease_until = $1 WHERE lease_until > $2",
        "UPDATE receipts SET lease_until = $1 WHERE lease_until > $2",
        "UPDATE hearings SET lease_until = $1 WHERE lease_until > $2",
    ] {
        sqlx::query(sql).bind(ms(now)).bind(ms(now + LONGEST_LEASE)).execute(tx.db()).await?;
    }
    Ok(())
}
