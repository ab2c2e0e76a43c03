//! Any text as a duty calendar: no panic, bounded, every entry has a length, and a plan made of it has no hole.
//!
//! Only the reader of calendars and the domain are compiled here.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the modules are compiled here without their other users")]

#[path = "../../src/domain/mod.rs"]
mod domain;

#[path = "../../src/roster/ical/mod.rs"]
mod ical;

use domain::roster::Plan;
use ical::{Person, Reading, read};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let now = chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    let person = |name: &str, word: &str| Person { name: name.into(), words: vec![word.into()] };
    let people = [person("Anna", "AM"), person("Bernd", "Müller")];
    let reading = Reading { people: &people, zone: chrono_tz::Europe::Berlin, now };
    // most inputs would fail at the first line
    let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{input}\nEND:VEVENT\nEND:VCALENDAR");
    let Ok(calendar) = read(&text, &reading) else { return };
    assert!(calendar.entries.len() <= 5000);
    assert!(calendar.entries.iter().all(|entry| entry.from < entry.until));
    if calendar.entries.len() > 100 {
        return;
    }
    let plan = Plan { feeds: calendar.entries, ..Plan::default() };
    let (from, until) = (now - chrono::TimeDelta::days(30), now + chrono::TimeDelta::days(30));
    let shifts = plan.shifts(from, until);
    assert!(shifts.windows(2).all(|pair| pair[0].until == pair[1].from && pair[0].order != pair[1].order));
    assert!(shifts.first().is_some_and(|shift| shift.from == from));
    assert!(shifts.last().is_some_and(|shift| shift.until == until));
});
