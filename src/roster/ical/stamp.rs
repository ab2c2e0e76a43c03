//! Times of a calendar: whole days, local times with or without a zone, UTC; and lengths.

use crate::domain::roster::instant;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use icalendar::parser::Property;

/// A time as it stands in a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) local: NaiveDateTime,
    pub(super) zone: Tz,
    /// A whole day, from midnight.
    pub(super) is_day: bool,
}

/// How long an event is: by the wall clock, and by the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) local: TimeDelta,
    pub(super) exact: TimeDelta,
}

impl Stamp {
    pub(super) fn at(&self) -> DateTime<Utc> {
        instant(self.zone, self.local)
    }

    /// When an event that begins here ends.
    pub(super) fn ends(&self, length: Length) -> DateTime<Utc> {
        let end = self.local.checked_add_signed(length.local).map(|local| instant(self.zone, local));
        end.and_then(|end| end.checked_add_signed(length.exact)).unwrap_or_else(|| self.at())
    }

    /// Whether this means that time of a series: the same instant, or the day on which it is.
    pub(super) fn means(&self, time: &Self) -> bool {
        let same_day = self.is_day && !time.is_day && self.local.date() == time.local.date();
        same_day || self.at() == time.at()
    }
}

/// The times of a property, those that can be read; and whether its zone is not known.
pub(super) fn stamps(property: &Property<'_>, firm: Tz) -> (Vec<Stamp>, bool) {
    let named = property.params.iter().find(|one| one.key.as_str().eq_ignore_ascii_case("TZID"));
    let named = named.and_then(|one| one.val.as_ref()).map(|value| zone(value.as_str()));
    let is_odd = named.is_some_and(|zone| zone.is_none());
    let zone = named.flatten().unwrap_or(firm);
    // of a period (start/end) the start
    let starts = property.val.as_str().split(',').take(1000).filter_map(|text| text.split('/').next());
    (starts.filter_map(|text| stamp(text.trim(), zone, firm)).collect(), is_odd)
}

/// One time: `20261224`, `20261224T080000`, `20261224T070000Z`.
pub(super) fn stamp(text: &str, zone: Tz, firm: Tz) -> Option<Stamp> {
    let stamp = if let Some(utc) = text.strip_suffix(['Z', 'z']) {
        Stamp { local: NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%S").ok()?, zone: Tz::UTC, is_day: false }
    } else if text.contains(['T', 't']) {
        Stamp { local: NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?, zone, is_day: false }
    } else {
        let day = NaiveDate::parse_from_str(text, "%Y%m%d").ok().filter(|_| text.len() == 8)?;
        Stamp { local: day.and_time(NaiveTime::MIN), zone: firm, is_day: true }
    };
    (1900..2500).contains(&stamp.local.year()).then_some(stamp)
}

/// The zone of a name: an IANA name, also with a prefix, or one of Windows' names for zones of our neighbours.
fn zone(name: &str) -> Option<Tz> {
    let name = name.trim().trim_matches('"');
    let windows = match name {
        "W. Europe Standard Time" => Some(Tz::Europe__Berlin),
        "Central Europe Standard Time" => Some(Tz::Europe__Budapest),
        "Central European Standard Time" => Some(Tz::Europe__Warsaw),
        "Romance Standard Time" => Some(Tz::Europe__Paris),
        "GMT Standard Time" => Some(Tz::Europe__London),
        "E. Europe Standard Time" => Some(Tz::Europe__Chisinau),
        "FLE Standard Time" => Some(Tz::Europe__Kyiv),
        _ => None,
    };
    // "/freeassociation.sourceforge.net/Europe/Berlin"
    let mut rest = name;
    windows.or_else(|| {
        loop {
            if let Ok(zone) = rest.parse() {
                return Some(zone);
            }
            rest = rest.split_once('/')?.1;
        }
    })
}

/// A length: `P1D`, `PT12H`, `P1W`, `P1DT6H30M`.
pub(super) fn length(text: &str) -> Option<Length> {
    let text = text.trim().to_ascii_uppercase();
    let mut length = Length { local: TimeDelta::zero(), exact: TimeDelta::zero() };
    let (mut digits, mut in_time) = (String::new(), false);
    for letter in text.strip_prefix('+').unwrap_or(&text).strip_prefix('P')?.chars() {
        if letter.is_ascii_digit() && digits.len() < 6 {
            digits.push(letter);
            continue;
        }
        if letter == 'T' && digits.is_empty() {
            in_time = true;
            continue;
        }
        let number: i64 = std::mem::take(&mut digits).parse().ok()?;
        match (letter, in_time) {
            ('W', false) => length.local += TimeDelta::days(7 * number),
            ('D', false) => length.local += TimeDelta::days(number),
            ('H', true) => length.exact += TimeDelta::hours(number),
            ('M', true) => length.exact += TimeDelta::minutes(number),
            ('S', true) => length.exact += TimeDelta::seconds(number),
            _ => return None,
        }
    }
    digits.is_empty().then_some(length)
}
