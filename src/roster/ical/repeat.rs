//! Series: the times of a rule, in bounded work.
//!
//! A rule is followed in local time without a zone, so that what the clocks do to a time is decided in one place.

use super::stamp::{Stamp, stamp};
use crate::domain::roster::local;
use chrono::{DateTime, Days, NaiveDateTime, Utc};
use rrule::{RRule, Tz, Unvalidated};

/// So many times of series are looked at in one calendar.
const MAX_STEPS: u32 = 200_000;
/// So many series are followed in one calendar.
const MAX_SERIES: u32 = 1000;
/// So many rules that never come true (30 February) are followed to the end of all years.
const MAX_BARREN: u32 = 20;

/// How much has been followed.
#[derive(Debug, Default)]
pub(super) struct Work {
    steps: u32,
    series: u32,
    barren: u32,
}

impl Work {
    /// Whether no more is followed.
    pub(super) fn is_done(&self) -> bool {
        self.steps >= MAX_STEPS || self.series > MAX_SERIES || self.barren > MAX_BARREN
    }
}

/// The times of a rule between two instants, the beginning of the series left out; `None` where it is not understood.
pub(super) fn times(
    rule: &str,
    start: &Stamp,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    work: &mut Work,
) -> Option<Vec<Stamp>> {
    let rule = Rule::parse(rule, start)?;
    work.series += 1;
    if work.is_done() || rule.last.is_some_and(|last| last < start.local) {
        return Some(Vec::new());
    }
    let first = rule.nearer(start.local, local(start.zone, from));
    let series = rule.text.parse::<RRule<Unvalidated>>().ok()?.build(first.and_utc().with_timezone(&Tz::UTC)).ok()?;
    let (mut times, before) = (Vec::new(), work.steps);
    for time in &series.limit() {
        work.steps += 1;
        let stamp = Stamp { local: time.naive_utc(), ..start.clone() };
        if work.is_done() || stamp.at() >= until {
            break;
        }
        if stamp.at() >= from {
            times.push(stamp);
        }
    }
    work.barren += u32::from(work.steps == before);
    Some(times)
}

/// A rule, its end told in local time.
struct Rule {
    text: String,
    last: Option<NaiveDateTime>,
    /// Days after which it is in the same phase again, where it can be begun later.
    period: Option<u64>,
}

impl Rule {
    /// `None` where it is finer than daily or has a part that cannot be read.
    fn parse(text: &str, start: &Stamp) -> Option<Self> {
        let (mut parts, mut last) = (Vec::new(), None);
        let (mut frequency, mut interval, mut is_counted) = (String::new(), 1, false);
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=')?;
            let (key, value) = (key.to_ascii_uppercase(), value.to_ascii_uppercase());
            match key.as_str() {
                "UNTIL" => {
                    let end = end(&value, start)?;
                    last = Some(end);
                    parts.push(format!("UNTIL={}", end.format("%Y%m%dT%H%M%SZ")));
                    continue;
                }
                "FREQ" => frequency.clone_from(&value),
                "INTERVAL" => interval = value.parse::<u16>().ok().filter(|interval| *interval > 0)?,
                "COUNT" => is_counted = true,
                "BYDAY" | "BYMONTHDAY" | "BYMONTH" | "BYSETPOS" | "BYWEEKNO" | "BYYEARDAY" | "WKST" => {}
                _ => return None,
            }
            parts.push(format!("{key}={value}"));
        }
        let days = match frequency.as_str() {
            "DAILY" => Some(u64::from(interval)),
            "WEEKLY" => Some(7 * u64::from(interval)),
            "MONTHLY" | "YEARLY" => None,
            _ => return None,
        };
        Some(Self { text: parts.join(";"), last, period: days.filter(|_| !is_counted) })
    }

    /// The beginning, or a later one in the same phase that is not after `from`.
    fn nearer(&self, start: NaiveDateTime, from: NaiveDateTime) -> NaiveDateTime {
        let to = self.last.map_or(from, |last| last.min(from));
        let Some(period) = self.period else { return start };
        let periods = u64::try_from((to - start).num_days()).unwrap_or(0) / period;
        start.checked_add_days(Days::new(periods.saturating_sub(1) * period)).unwrap_or(start)
    }
}

/// The end of a series in the local time of its beginning; of a whole day its last second.
fn end(value: &str, start: &Stamp) -> Option<NaiveDateTime> {
    let end = stamp(value, start.zone, start.zone)?;
    if end.is_day {
        return end.local.date().and_hms_opt(23, 59, 59);
    }
    Some(local(start.zone, end.at()))
}
