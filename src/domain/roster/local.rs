//! Local times and instants: one way from the one to the other, so that both sides of a hand-over mean the same instant.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// The instant of a local time. An hour that happens twice (autumn) means the first; an hour that does not happen (spring)
/// is shifted on by what the clocks skip: 02:30 is then 03:30.
#[must_use]
pub fn instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    if let Some(at) = zone.from_local_datetime(&local).earliest() {
        return at.with_timezone(&Utc);
    }
    // No zone skips more than a day; the offset from before the gap gives the shift.
    let before = (1..=25).find_map(|hours| {
        let earlier = local.checked_sub_signed(TimeDelta::hours(hours))?;
        let at = zone.from_local_datetime(&earlier).earliest()?;
        at.with_timezone(&Utc).checked_add_signed(TimeDelta::hours(hours))
    });
    before.unwrap_or_else(|| local.and_utc())
}

/// The local time of an instant.
#[must_use]
pub fn local(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// A local time as people write it: "2026-12-24 08:00", with "T" between, or the day alone for its first minute.
#[must_use]
pub fn parse_local(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let both = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let at =
        both.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN)))?;
    // what no roster means, and what date arithmetic could fall off
    (1900..2500).contains(&chrono::Datelike::year(&at)).then_some(at)
}

/// As [`parse_local`], or RFC 3339 with its own offset.
#[must_use]
pub fn parse_instant(zone: Tz, text: &str) -> Option<DateTime<Utc>> {
    let whole = DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.with_timezone(&Utc));
    let whole = whole.filter(|at| (1900..2500).contains(&chrono::Datelike::year(at)));
    whole.or_else(|| parse_local(text).map(|at| instant(zone, at)))
}
