//! What makes no sense in `[roster]`, each complaint with its key and the remedy.

use super::{RosterRow, span};
use crate::config::{Secret, Settings};
use crate::domain::hours::BusinessHours;
use crate::domain::roster::{instant, parse_local};
use secrecy::ExposeSecret as _;
use std::collections::HashSet;

/// All complaints about the roster.
pub(in crate::config) fn complaints(settings: &Settings, wrong: &mut Vec<String>) {
    let row = &settings.roster;
    let hours = settings.hours.parsed().unwrap_or_default();
    let known: Vec<&str> = settings.technicians.iter().map(|technician| technician.name.as_str()).collect();
    let named = |key: &str, name: &str, wrong: &mut Vec<String>| {
        if !known.contains(&name) {
            wrong.push(format!("roster.{key}: {name:?} is no technician; known: {known:?}"));
        }
    };
    for name in &row.order {
        named("order", name, wrong);
    }
    for row in &row.rotations {
        for name in &row.technicians {
            named("rotations.technicians", name, wrong);
        }
    }
    for row in &row.weekly {
        named("weekly.technician", &row.technician, wrong);
        wrong.extend(row.rule().err());
    }
    let spans = (row.entries.iter().map(|row| ("entries", &row.technician, &row.from, &row.until)))
        .chain(row.overrides.iter().map(|row| ("overrides", &row.technician, &row.from, &row.until)))
        .chain(row.absences.iter().map(|row| ("absences", &row.technician, &row.from, &row.until)));
    for (key, technician, from, until) in spans {
        named(&format!("{key}.technician"), technician, wrong);
        wrong.extend(span(&hours, &format!("roster.{key}"), from, until).err());
    }
    for row in &row.overrides {
        if let Some(name) = &row.instead_of {
            named("overrides.instead_of", name, wrong);
        }
    }
    rotations(row, &hours, wrong);
    last_resort(settings, wrong);
    feeds(row, wrong);
    calendar_names(settings, wrong);
}

fn rotations(row: &RosterRow, hours: &BusinessHours, wrong: &mut Vec<String>) {
    let mut begun = HashSet::new();
    for row in &row.rotations {
        if row.technicians.is_empty() {
            wrong.push(
                "roster.rotations.technicians: the list is empty: nobody would be on duty; name at least one".into(),
            );
        }
        if !(1..=366).contains(&row.days) {
            wrong.push(format!("roster.rotations.days: {} is not between 1 and 366", row.days));
        }
        match parse_local(&row.begins) {
            None => wrong.push(format!(
                "roster.rotations.begins: {:?} is no local time; write e.g. \"2026-11-30 08:00\"",
                row.begins
            )),
            Some(begins) if !begun.insert(instant(hours.zone, begins)) => wrong.push(format!(
                "roster.rotations.begins: two rotations begin at {:?}; the later one takes over, so give each its own time",
                row.begins
            )),
            Some(_) => {}
        }
    }
}

fn last_resort(settings: &Settings, wrong: &mut Vec<String>) {
    let words = &settings.roster.last_resort;
    if words.is_empty() {
        wrong.push("roster.last_resort: the list is empty: in a gap nobody would be told; write [\"everyone\"]".into());
    }
    if settings.technicians.is_empty() {
        // as with the policies: `transcribe`, `assess` and `models` work without people
        return;
    }
    for word in words {
        match word.as_str() {
            "everyone" => {}
            "office" if settings.office.is_some() => {}
            "office" => wrong.push("roster.last_resort: \"office\" reaches nobody: there is no [office]".into()),
            "duty" | "backup" => wrong.push(format!(
                "roster.last_resort: {word:?} is nobody in a gap; write \"everyone\", \"office\" or technicians' names"
            )),
            name if settings.technicians.iter().any(|technician| technician.name == name) => {}
            name => {
                wrong.push(format!("roster.last_resort: {name:?} is nobody: write \"everyone\", \"office\" or names"));
            }
        }
    }
}

fn feeds(row: &RosterRow, wrong: &mut Vec<String>) {
    let mut names = HashSet::new();
    for feed in &row.feeds {
        let name = &feed.name;
        if name.trim().is_empty() || !names.insert(name) {
            wrong.push(format!("roster.feeds.name: {name:?} is empty or stands twice; give each its own"));
        }
        match (&feed.url, &feed.path) {
            (Some(Secret::Text(url)), None) => {
                let url = url.expose_secret();
                if !["https://", "http://", "webcal://"].iter().any(|scheme| url.starts_with(scheme)) {
                    wrong.push(format!("roster.feeds.url: that of {name:?} does not begin with https://"));
                }
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => wrong.push(format!("roster.feeds: {name:?} needs either url or path")),
        }
        if !(1..=1440).contains(&feed.refresh_min) {
            wrong.push(format!("roster.feeds.refresh_min: {} is not between 1 and 1440", feed.refresh_min));
        }
    }
}

/// One word of a calendar must not mean two people.
fn calendar_names(settings: &Settings, wrong: &mut Vec<String>) {
    let mut owners: Vec<(String, &str)> = Vec::new();
    for one in &settings.technicians {
        for word in std::iter::once(&one.name).chain(&one.calendar) {
            let key = word.trim().to_lowercase();
            if !key.chars().any(char::is_alphanumeric) {
                wrong.push(format!("technicians.calendar: {word:?} of {:?} is no word", one.name));
            } else if let Some((_, other)) = owners.iter().find(|(known, other)| *known == key && *other != one.name) {
                wrong.push(format!(
                    "technicians.calendar: {word:?} means {other:?} and {:?}; use another word",
                    one.name
                ));
            } else {
                owners.push((key, &one.name));
            }
        }
    }
}
