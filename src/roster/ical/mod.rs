//! A duty calendar (RFC 5545): its events become entries of the roster, and the roster's shifts become events.
//!
//! Promises: any text is read to its end without a panic and in bounded work; one event that cannot be read costs only
//! itself and is told. A calendar that was cut off on its way is none, so that it never replaces a whole one. Local times
//! become instants by the roster's own function: a series keeps its wall-clock time through both nights of the clocks.
//! What is not read: changes of "this and all following" events of a series (RANGE), rules finer than daily.

mod event;
mod export;
mod names;
mod repeat;
mod stamp;
#[cfg(test)]
mod tests;

pub use export::export;
pub use names::Person;

use crate::domain::roster::Entry;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event::Event;
use icalendar::parser::unfold;
use names::{Named, Names};
use std::collections::HashSet;

/// Largest calendar that is read, in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// So many events are read, and so many entries given.
const MAX_EVENTS: usize = 5000;
/// So many oddities are told.
const MAX_ODD: usize = 50;
/// Events further away than this are left out, before and after now (days).
const HORIZON: i64 = 400;

/// What a calendar is read for.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Who may be named.
    pub people: &'a [Person],
    /// The zone of times without one, and of whole days.
    pub zone: Tz,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What a calendar says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Who has duty or is the backup, by time.
    pub entries: Vec<Entry>,
    /// Events that gave no entry, or not all.
    pub odd: Vec<Odd>,
    /// There was more than is read.
    pub is_cut: bool,
}

/// An event that gave no entry, or not all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Its summary, shortened.
    pub summary: String,
    /// When it begins, if that is known.
    pub from: Option<DateTime<Utc>>,
    /// What is odd.
    pub why: Oddity,
}

/// What is odd about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// No technician's name stands in its summary.
    #[error("names no technician")]
    Nameless,
    /// It speaks of leave or illness: that is no duty.
    #[error("speaks of leave or illness, so it is no duty; use `nachtwache roster absence`")]
    Away,
    /// Its times cannot be read.
    #[error("has no beginning or no end that can be read")]
    Time,
    /// Its zone is not known.
    #[error("names a time zone that is not known; the firm's own was taken")]
    Zone,
    /// It repeats in a way that is not understood.
    #[error("repeats in a way that is not understood; only its first time counts")]
    Rule,
    /// It changes all following events of a series.
    #[error("changes all following events of a series; only this one was changed")]
    Following,
}

/// Why a text is no calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IcalError {
    /// It does not begin as one.
    #[error("it is no calendar: it does not begin with BEGIN:VCALENDAR")]
    NoCalendar,
    /// Its end is missing.
    #[error("the calendar is cut off: END:VCALENDAR is missing")]
    CutOff,
    /// It is too large.
    #[error("the calendar has more than {} MiB", MAX_BYTES / 1024 / 1024)]
    TooLarge,
}

/// Reads a calendar.
///
/// # Errors
/// Where the text is no whole calendar.
pub fn read(text: &str, reading: &Reading<'_>) -> Result<Calendar, IcalError> {
    if text.len() > MAX_BYTES {
        return Err(IcalError::TooLarge);
    }
    let text = unfold(text.trim_start_matches('\u{feff}').trim());
    let is = |line: Option<&str>, wanted: &str| line.is_some_and(|line| line.trim().eq_ignore_ascii_case(wanted));
    if !is(text.lines().next(), "BEGIN:VCALENDAR") {
        return Err(IcalError::NoCalendar);
    }
    if !is(text.lines().last(), "END:VCALENDAR") {
        return Err(IcalError::CutOff);
    }
    let mut reader = Reader {
        names: Names::new(reading.people),
        from: reading.now - TimeDelta::days(HORIZON),
        until: reading.now + TimeDelta::days(HORIZON),
        work: repeat::Work::default(),
        calendar: Calendar::default(),
    };
    reader.read(&text, reading.zone);
    reader.calendar.entries.sort_by_key(|entry| entry.from);
    Ok(reader.calendar)
}

struct Reader<'a> {
    names: Names<'a>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    work: repeat::Work,
    calendar: Calendar,
}

impl Reader<'_> {
    fn read(&mut self, text: &str, zone: Tz) {
        let (blocks, is_cut) = blocks(text);
        self.calendar.is_cut = is_cut;
        let events: Vec<Event> = blocks.iter().map(|lines| Event::parse(lines, zone)).collect();
        // An event of a series that was moved or cancelled stands for itself; the series leaves it out.
        let moved: HashSet<(&str, DateTime<Utc>)> =
            events.iter().filter_map(|event| Some((event.uid.as_str(), event.instead_of.as_ref()?.at()))).collect();
        for event in events.iter().filter(|event| !event.cancelled) {
            if self.calendar.entries.len() >= MAX_EVENTS {
                self.calendar.is_cut = true;
                break;
            }
            self.take(event, &moved);
        }
    }

    fn take(&mut self, event: &Event, moved: &HashSet<(&str, DateTime<Utc>)>) {
        let Some((start, length)) = event.start.as_ref().zip(event.length) else {
            return self.odd(event, Oddity::Time);
        };
        let spans =
            |begins: DateTime<Utc>, ends: DateTime<Utc>| ends > self.from && begins < self.until && ends > begins;
        let last_can_be = if event.rules.is_empty() { start.ends(length) } else { self.until };
        if event.added.is_empty() && !spans(start.at(), last_can_be.max(start.ends(length))) {
            return;
        }
        let named = match self.names.of(&event.summary) {
            Named::These(named) => named,
            Named::Nobody => return self.odd(event, Oddity::Nameless),
            Named::Away => return self.odd(event, Oddity::Away),
        };
        for why in &event.odd {
            self.odd(event, *why);
        }
        let (times, understood) = event.times(start, self.from - TimeDelta::days(HORIZON), self.until, &mut self.work);
        if !understood {
            self.odd(event, Oddity::Rule);
        }
        for time in times {
            let (from, until) = (time.at(), time.ends(length));
            let is_moved = event.instead_of.is_none() && moved.contains(&(event.uid.as_str(), from));
            let is_left_out = event.left_out.iter().any(|out| out.means(&time));
            if is_moved || is_left_out || until <= self.from || from >= self.until || until <= from {
                continue;
            }
            for (technician, role) in &named {
                if self.calendar.entries.len() >= MAX_EVENTS {
                    self.calendar.is_cut = true;
                    return;
                }
                self.calendar.entries.push(Entry { technician: (*technician).to_owned(), from, until, role: *role });
            }
        }
        self.calendar.is_cut |= self.work.is_done();
    }

    fn odd(&mut self, event: &Event, why: Oddity) {
        if self.calendar.odd.len() < MAX_ODD {
            let summary = event.summary.chars().filter(|letter| !letter.is_control()).take(60).collect();
            self.calendar.odd.push(Odd { summary, from: event.start.as_ref().map(stamp::Stamp::at), why });
        }
    }
}

/// The lines of every event, without those of what stands inside it (alarms); whether there were too many.
fn blocks(text: &str) -> (Vec<Vec<&str>>, bool) {
    let (mut blocks, mut current, mut inner) = (Vec::new(), None::<Vec<&str>>, 0_usize);
    for line in text.lines() {
        let (begins, ends) = (after(line, "BEGIN:"), after(line, "END:"));
        match &mut current {
            Some(_) if begins.is_some() => inner += 1,
            Some(_) if ends.is_some() && inner > 0 => inner -= 1,
            Some(_) if ends.is_some() => blocks.extend(current.take()),
            Some(lines) if inner == 0 => lines.push(line),
            None if begins.is_some_and(|name| name.trim().eq_ignore_ascii_case("VEVENT")) => {
                if blocks.len() == MAX_EVENTS {
                    return (blocks, true);
                }
                current = Some(Vec::new());
            }
            _ => {}
        }
    }
    (blocks, false)
}

/// What follows a prefix, whatever its case.
fn after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = line.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}
