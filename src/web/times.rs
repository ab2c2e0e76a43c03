//! Times as people say them, in the firm's zone. Pure.

use crate::wording;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// "heute 22:14", "gestern 22:14", "Sa 22:14" within a week, else "21.11.2026 22:14".
pub(crate) fn relative(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let days = (now.with_timezone(&zone).date_naive() - local.date_naive()).num_days();
    let hour = wording::hour(at, zone);
    match days {
        0 => format!("heute {hour}"),
        1 => format!("gestern {hour}"),
        2..=6 => format!("{} {hour}", wording::weekday(local.weekday())),
        _ => wording::minute(at, zone),
    }
}

/// When a day of the firm's calendar begins.
pub(crate) fn begin_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let begin = zone.from_local_datetime(&midnight).earliest();
    // a zone that skips midnight once a year begins that day an hour later
    let begin = begin.or_else(|| zone.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest());
    begin.map_or_else(|| midnight.and_utc(), |begin| begin.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_from_now() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = at("2026-11-22T09:00:00Z");
        let told = |text: &str| relative(at(text), now, chrono_tz::Europe::Berlin);
        assert_eq!(told("2026-11-22T08:14:00Z"), "heute 09:14");
        assert_eq!(told("2026-11-21T23:14:00Z"), "heute 00:14", "by the firm's midnight");
        assert_eq!(told("2026-11-21T21:14:00Z"), "gestern 22:14");
        assert_eq!(told("2026-11-16T21:14:00Z"), "Mo 22:14");
        assert_eq!(told("2026-11-15T21:14:00Z"), "15.11.2026 22:14");
        assert_eq!(told("2026-11-23T21:14:00Z"), "23.11.2026 22:14", "a clock that runs ahead");
    }

    #[test]
    fn a_day_begins_at_midnight_also_where_there_is_none() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(begin_of(day("2026-07-01"), chrono_tz::Europe::Berlin).to_rfc3339(), "2026-06-30T22:00:00+00:00");
        let skipped = begin_of(day("2018-11-04"), chrono_tz::America::Sao_Paulo);
        assert_eq!(skipped.to_rfc3339(), "2018-11-04T03:00:00+00:00");
    }
}
