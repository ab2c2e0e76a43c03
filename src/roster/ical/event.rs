//! One event: the properties that matter for a roster.

use super::stamp::{Length, Stamp, length, stamps};
use super::{Oddity, after, repeat};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use icalendar::parser::Property;

/// The properties that are looked at; all others are not even parsed.
const WANTED: [&str; 11] =
    ["UID", "SUMMARY", "STATUS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "EXRULE"];

/// An event as it stands in the calendar.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) uid: String,
    pub(super) summary: String,
    pub(super) cancelled: bool,
    pub(super) start: Option<Stamp>,
    pub(super) length: Option<Length>,
    pub(super) rules: Vec<String>,
    /// Further times.
    pub(super) added: Vec<Stamp>,
    /// Times of the series at which it is not.
    pub(super) left_out: Vec<Stamp>,
    /// The time of the series that it stands for.
    pub(super) instead_of: Option<Stamp>,
    /// What is odd about it.
    pub(super) odd: Vec<Oddity>,
}

impl Event {
    /// The event of these (unfolded) lines; a line that cannot be read is left out.
    pub(super) fn parse(lines: &[&str], firm: Tz) -> Self {
        let mut event = Self::default();
        let mut end = None;
        for line in lines {
            let key = line.split([':', ';']).next().unwrap_or_default().trim();
            if !WANTED.iter().any(|wanted| wanted.eq_ignore_ascii_case(key)) {
                continue;
            }
            let Ok(property) = Property::try_from(*line) else { continue };
            event.take(&key.to_ascii_uppercase(), &property, firm, &mut end);
        }
        event.length = match (&event.start, end, event.length) {
            (Some(start), Some(end), _) => Some(between(start, &end)),
            (_, None, Some(length)) => Some(length),
            (Some(start), None, None) if start.is_day => {
                Some(Length { local: TimeDelta::days(1), exact: TimeDelta::zero() })
            }
            _ => None,
        };
        event.length = event.length.filter(|length| length.local + length.exact > TimeDelta::zero());
        event
    }

    fn take(&mut self, key: &str, property: &Property<'_>, firm: Tz, end: &mut Option<Stamp>) {
        let value = property.val.as_str();
        let mut times = || {
            let (times, is_odd) = stamps(property, firm);
            if is_odd && !self.odd.contains(&Oddity::Zone) {
                self.odd.push(Oddity::Zone);
            }
            times
        };
        match key {
            "UID" => value.trim().clone_into(&mut self.uid),
            "SUMMARY" => self.summary = value.chars().take(500).collect(),
            "STATUS" => self.cancelled = value.trim().eq_ignore_ascii_case("CANCELLED"),
            "DTSTART" => self.start = times().into_iter().next(),
            "DTEND" => *end = times().into_iter().next(),
            "DURATION" => self.length = length(value),
            "RRULE" => self.rules.push(value.trim().to_owned()),
            "RDATE" => self.added.extend(times()),
            "EXDATE" => self.left_out.extend(times()),
            "RECURRENCE-ID" => {
                self.instead_of = times().into_iter().next();
                if property.params.iter().any(|one| after(one.key.as_str(), "RANGE").is_some()) {
                    self.odd.push(Oddity::Following);
                }
            }
            // rules of exceptions, which nobody writes any more
            _ => self.odd.push(Oddity::Rule),
        }
    }

    /// All times at which it begins between two instants, and whether its rules were understood.
    pub(super) fn times(
        &self,
        start: &Stamp,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        work: &mut repeat::Work,
    ) -> (Vec<Stamp>, bool) {
        let mut times = vec![start.clone()];
        let mut understood = self.rules.len() <= 1;
        if let Some(rule) = self.rules.first() {
            match repeat::times(rule, start, from, until, work) {
                Some(more) => times.extend(more),
                None => understood = false,
            }
        }
        times.extend(self.added.iter().cloned());
        times.sort_by_key(Stamp::at);
        times.dedup_by_key(|time| time.at());
        (times, understood)
    }
}

/// From a beginning to an end: by the wall clock where both have the same zone.
fn between(start: &Stamp, end: &Stamp) -> Length {
    if start.zone == end.zone {
        return Length { local: end.local - start.local, exact: TimeDelta::zero() };
    }
    Length { local: TimeDelta::zero(), exact: end.at() - start.at() }
}
