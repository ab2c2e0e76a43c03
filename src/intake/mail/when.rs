//! When somebody called and how long the message is, from what a mail says.
//!
//! The text of a mail names a local time without a zone, often without seconds. Where the clock was put back an hour names
//! two instants; then the time at which the mail was sent decides.

use super::labels::labelled;
use super::opened::Opened;
use super::profile::Profile;
use super::{automatic::expression, words};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use regex::Regex;
use std::sync::LazyLock;

/// A clock that goes ahead, and the way of a mail.
const AHEAD: TimeDelta = TimeDelta::minutes(10);
/// How long a mail may have waited on a line that was down.
const OLDEST: TimeDelta = TimeDelta::days(30);

static CLOCK: LazyLock<Regex> = LazyLock::new(|| expression(r"^\D{0,3}(\d{1,3}):(\d{2})(?::(\d{2}))?\b"));
static MINUTES: LazyLock<Regex> = LazyLock::new(|| expression(words::MINUTES));
static SECONDS: LazyLock<Regex> = LazyLock::new(|| expression(words::SECONDS));
static DAY_AND_TIME: LazyLock<Regex> = LazyLock::new(|| expression(words::DAY_AND_TIME));

/// The length in seconds: by the profile, else on a labelled line.
pub(super) fn seconds(mail: &Opened, text: &str, file: &str, profile: Option<&Profile>) -> Option<u32> {
    let own = profile.and_then(|profile| profile.length.as_ref());
    let by_profile = own
        .and_then(|length| [&mail.subject, text, file].into_iter().find_map(|place| capture(length, place, "length")));
    by_profile
        .and_then(|found| length(&found))
        .or_else(|| words::LENGTH.iter().find_map(|label| labelled(text, label).find_map(|value| length(&value))))
}

/// A group by its name, else the first one.
pub(super) fn capture(expression: &Regex, place: &str, name: &str) -> Option<String> {
    let found = expression.captures(place)?;
    let group = found.name(name).or_else(|| found.get(1))?;
    let text = group.as_str().trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// "00:14" (minutes and seconds), "1:02:03", "14 s", "1 Min. 5 Sek.".
fn length(text: &str) -> Option<u32> {
    let text = text.trim();
    let number = |found: Option<regex::Match<'_>>| found.and_then(|found| found.as_str().parse::<u32>().ok());
    if let Some(found) = CLOCK.captures(text) {
        let (first, second) = (number(found.get(1))?, number(found.get(2))?);
        return Some(match number(found.get(3)) {
            Some(third) => first * 3600 + second * 60 + third,
            None => first * 60 + second,
        });
    }
    let minutes = MINUTES.captures(text).and_then(|found| number(found.get(1)));
    let seconds = SECONDS.captures(text).and_then(|found| number(found.get(1)));
    match (minutes, seconds) {
        (None, None) => text.parse().ok().filter(|seconds| *seconds < 36_000),
        (minutes, seconds) => Some(minutes.unwrap_or_default() * 60 + seconds.unwrap_or_default()),
    }
}

/// When the caller began to speak: the time in the text by the profile, else the mail's own less the length (a mail goes
/// out when the caller has hung up), else any time in the text.
pub(super) fn called_at(
    mail: &Opened,
    text: &str,
    file: &str,
    profile: Option<&Profile>,
    seconds: Option<u32>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let places = [mail.subject.as_str(), text, file];
    let told = profile.and_then(|profile| profile.time.as_ref()).and_then(|time| {
        places.into_iter().flat_map(|place| time.captures_iter(place)).find_map(|found| told(&found, mail.date, zone))
    });
    let spoken = TimeDelta::seconds(i64::from(seconds.unwrap_or_default().min(3600)));
    let sent = || mail.date.map(|sent| sent - spoken);
    let any = || places.into_iter().find_map(|place| told_of(&DAY_AND_TIME, place, mail.date, zone));
    if super::ANSWER.is_match(&mail.subject) {
        // its date is that of whoever passed it on
        return told.or_else(any).or_else(sent);
    }
    told.or_else(sent).or_else(any)
}

fn told_of(time: &Regex, place: &str, sent: Option<DateTime<Utc>>, zone: Tz) -> Option<DateTime<Utc>> {
    time.captures_iter(place).find_map(|found| told(&found, sent, zone))
}

/// The instant that a day and a time of the text mean, if it is one that this mail can tell of.
fn told(found: &regex::Captures<'_>, sent: Option<DateTime<Utc>>, zone: Tz) -> Option<DateTime<Utc>> {
    let time = clock(found.name("time")?.as_str())?;
    let day = match found.name("day") {
        Some(text) => day(text.as_str())?,
        None => sent?.with_timezone(&zone).date_naive(),
    };
    let instants = local(day, time, zone);
    let Some(sent) = sent else { return instants.first().copied() };
    let possible = |at: &&DateTime<Utc>| **at <= sent + AHEAD && **at >= sent - OLDEST;
    instants.iter().filter(possible).max().copied()
}

/// The instants that a local time means: one, two where the clock was put back, the one an hour later where it was put on.
fn local(day: NaiveDate, time: NaiveTime, zone: Tz) -> Vec<DateTime<Utc>> {
    use chrono::offset::LocalResult;
    let at = day.and_time(time);
    match at.and_local_timezone(zone) {
        LocalResult::Single(one) => vec![one.to_utc()],
        LocalResult::Ambiguous(first, second) => vec![first.to_utc(), second.to_utc()],
        LocalResult::None => {
            (at + TimeDelta::hours(1)).and_local_timezone(zone).earliest().map(|at| at.to_utc()).into_iter().collect()
        }
    }
}

fn clock(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split([':', '.']).map(|part| part.trim().parse::<u32>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    NaiveTime::from_hms_opt(hour, minute, parts.next().flatten().unwrap_or_default())
}

/// "22.11.26", "22.11.2026", "2026-11-22", "22 November 2026", "22. Nov. 2026".
fn day(text: &str) -> Option<NaiveDate> {
    let parts: Vec<&str> = text.split(['.', '-', ' ', '/', ',']).filter(|part| !part.is_empty()).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    let month = || {
        let name = second.to_lowercase();
        let at = words::MONTHS.iter().position(|month| month.iter().any(|start| name.starts_with(start)))?;
        u32::try_from(at + 1).ok()
    };
    let month = second.parse().ok().or_else(month)?;
    if first.len() == 4 {
        return NaiveDate::from_ymd_opt(first.parse().ok()?, month, third.parse().ok()?);
    }
    let year: i32 = third.parse().ok()?;
    NaiveDate::from_ymd_opt(if year < 100 { year + 2000 } else { year }, month, first.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_minutes_and_seconds() {
        for (text, seconds) in [
            ("00:03", Some(3)),
            ("0:14", Some(14)),
            ("1:02:03", Some(3723)),
            ("14 Sekunden", Some(14)),
            ("1 Min. 5 Sek.", Some(65)),
            ("47 s", Some(47)),
            ("12", Some(12)),
            ("lang", None),
        ] {
            assert_eq!(length(text), seconds, "{text}");
        }
    }

    #[test]
    fn days_are_read_as_they_are_written_here() {
        let wanted = NaiveDate::from_ymd_opt(2026, 3, 22);
        for text in ["22.03.26", "22.3.2026", "2026-03-22", "22 March 2026", "22. März 2026", "22. Mär. 2026"] {
            assert_eq!(day(text), wanted, "{text}");
        }
        assert_eq!(day("31.02.2026"), None);
    }

    #[test]
    fn the_hour_that_comes_twice_is_decided_by_the_mail() {
        let time = expression(r"(?P<day>\S+) (?P<time>\S+)");
        let read = |text: &str, sent: &str| {
            let sent = sent.parse().ok();
            told_of(&time, text, sent, chrono_tz::Europe::Berlin).map(|at| at.to_rfc3339())
        };
        let first = read("25.10.26 02:30", "2026-10-25T00:31:00Z");
        assert_eq!(first.as_deref(), Some("2026-10-25T00:30:00+00:00"));
        let second = read("25.10.26 02:30", "2026-10-25T01:31:00Z");
        assert_eq!(second.as_deref(), Some("2026-10-25T01:30:00+00:00"));
        // the hour that does not exist
        assert!(read("29.03.26 02:30", "2026-03-29T01:31:00Z").is_some());
        // a box without a clock
        assert_eq!(read("01.01.70 00:10", "2026-10-25T01:31:00Z"), None);
    }
}
