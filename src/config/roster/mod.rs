//! Who is on duty when, as data.

mod check;
#[cfg(test)]
mod tests;

pub(super) use check::complaints;

use super::{Secret, Settings};
use crate::domain::hours::BusinessHours;
use crate::domain::roster::{Change, ChangeKind, Entry, Plan, Role, Rotation, Weekly, parse_instant, parse_local};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;
use std::path::PathBuf;

/// `[roster]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RosterRow {
    /// Technicians in the order they are told where no rotation has begun; none = as listed, if there is no other plan.
    pub order: Vec<String>,
    /// Who is told where nobody is on duty: names, "everyone", "office".
    pub last_resort: Vec<String>,
    /// Minutes before a hand-over at which whoever takes over is asked whether he is ready; 0 = never.
    pub ready_before_min: u32,
    /// Technicians who take turns.
    pub rotations: Vec<RotationRow>,
    /// The same every week, or on every public holiday.
    pub weekly: Vec<WeeklyRow>,
    /// One technician, once.
    pub entries: Vec<EntryRow>,
    /// One takes another's place.
    pub overrides: Vec<OverrideRow>,
    /// Who is away when.
    pub absences: Vec<AbsenceRow>,
    /// Calendars.
    pub feeds: Vec<FeedRow>,
}

impl Default for RosterRow {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            last_resort: vec!["everyone".into()],
            ready_before_min: 60,
            rotations: Vec::new(),
            weekly: Vec::new(),
            entries: Vec::new(),
            overrides: Vec::new(),
            absences: Vec::new(),
            feeds: Vec::new(),
        }
    }
}

/// `[[roster.rotations]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationRow {
    /// In which order; the next in it is the backup.
    pub technicians: Vec<String>,
    /// A hand-over, local time, "2026-11-30 08:00".
    pub begins: String,
    /// Days of a turn.
    #[serde(default = "a_week")]
    pub days: u32,
}

fn a_week() -> u32 {
    7
}

fn duty() -> Role {
    Role::Duty
}

/// `[[roster.weekly]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyRow {
    /// Who.
    pub technician: String,
    /// On which days it begins: "mon" to "sun", "holiday".
    pub weekdays: Vec<String>,
    /// From, local time, "17:00".
    #[serde(default = "midnight")]
    pub from: String,
    /// To, not included; not later than `from` = on the next day.
    #[serde(default = "midnight")]
    pub until: String,
    /// As what.
    #[serde(default = "duty")]
    pub role: Role,
}

fn midnight() -> String {
    "00:00".into()
}

/// `[[roster.entries]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRow {
    /// Who.
    pub technician: String,
    /// From, local time, "2026-12-24 08:00".
    pub from: String,
    /// To, not included.
    pub until: String,
    /// As what.
    #[serde(default = "duty")]
    pub role: Role,
}

/// `[[roster.overrides]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRow {
    /// Who takes over.
    pub technician: String,
    /// From whom; none = from whoever has duty.
    pub instead_of: Option<String>,
    /// As `entries.from`.
    pub from: String,
    /// To, not included.
    pub until: String,
}

/// `[[roster.absences]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceRow {
    /// Who is away.
    pub technician: String,
    /// As `entries.from`.
    pub from: String,
    /// To, not included.
    pub until: String,
}

/// `[[roster.feeds]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedRow {
    /// Its name, unique.
    pub name: String,
    /// Its address; whoever knows it can read the calendar, so it may be a secret.
    pub url: Option<Secret>,
    /// A calendar file instead.
    pub path: Option<PathBuf>,
    /// Minutes between two looks.
    #[serde(default = "a_quarter")]
    pub refresh_min: u64,
}

fn a_quarter() -> u64 {
    15
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const HOLIDAY: &str = "holiday";
const CHECKED: &str = "checked when the settings were loaded";

impl Settings {
    /// The plan: what the settings say, what was changed since (in the order it was made), and what the calendars say. What
    /// names somebody who is no technician (any more) is left out: an order of nobody that can be told would be no gap.
    #[must_use]
    pub fn plan(&self, changes: &[Change], feeds: Vec<Entry>) -> Plan {
        let (row, hours) = (&self.roster, self.business_hours());
        let span = |from: &str, until: &str| span(&hours, "roster", from, until).expect(CHECKED);
        let mut all = row.changes(&span);
        let is_known = |name: &String| self.technicians.iter().any(|technician| technician.name == *name);
        all.extend(changes.iter().filter(|change| is_known(&change.technician)).cloned());
        let entries = row.entries.iter().map(|row| {
            let (from, until) = span(&row.from, &row.until);
            Entry { technician: row.technician.clone(), from, until, role: row.role }
        });
        let entries = entries.collect();
        let rotations = row.rotations.iter().map(|row| Rotation {
            technicians: row.technicians.clone(),
            begins: parse_local(&row.begins).expect(CHECKED),
            days: row.days,
        });
        Plan {
            hours,
            order: if row.is_unplanned() { self.names() } else { row.order.clone() },
            rotations: rotations.collect(),
            weekly: row.weekly.iter().map(|row| row.rule().expect(CHECKED)).collect(),
            feeds: feeds.into_iter().filter(|entry| is_known(&entry.technician)).collect(),
            entries,
            changes: all,
            last_resort: row.last_resort.clone(),
        }
    }

    fn names(&self) -> Vec<String> {
        self.technicians.iter().map(|technician| technician.name.clone()).collect()
    }
}

impl RosterRow {
    /// Whether nothing says who is on duty, so that the technicians as listed are.
    fn is_unplanned(&self) -> bool {
        self.order.is_empty()
            && self.rotations.is_empty()
            && self.weekly.is_empty()
            && self.entries.is_empty()
            && self.feeds.is_empty()
    }

    fn changes(&self, span: &impl Fn(&str, &str) -> (DateTime<Utc>, DateTime<Utc>)) -> Vec<Change> {
        let overrides = self.overrides.iter().map(|row| {
            let (from, until) = span(&row.from, &row.until);
            let kind = ChangeKind::Override { replaces: row.instead_of.clone() };
            Change { kind, technician: row.technician.clone(), from, until }
        });
        let absences = self.absences.iter().map(|row| {
            let (from, until) = span(&row.from, &row.until);
            Change { kind: ChangeKind::Absence, technician: row.technician.clone(), from, until }
        });
        overrides.chain(absences).collect()
    }
}

impl WeeklyRow {
    fn rule(&self) -> Result<Weekly, String> {
        let mut weekdays = [false; 7];
        for word in self.weekdays.iter().filter(|word| *word != HOLIDAY) {
            let day = WEEKDAYS.iter().position(|day| day == word).ok_or_else(|| {
                format!(
                    "roster.weekly.weekdays: {word:?} is no day; write mon, tue, wed, thu, fri, sat, sun or holiday"
                )
            })?;
            weekdays[day] = true;
        }
        if self.weekdays.is_empty() {
            return Err(format!(
                "roster.weekly.weekdays: no day for {:?}; write e.g. [\"tue\", \"holiday\"]",
                self.technician
            ));
        }
        let time = |key: &str, text: &str| {
            NaiveTime::parse_from_str(text, "%H:%M")
                .map_err(|_| format!("roster.weekly.{key}: {text:?} is no time of day; write e.g. \"17:00\""))
        };
        Ok(Weekly {
            technician: self.technician.clone(),
            weekdays,
            holidays: self.weekdays.iter().any(|word| word == HOLIDAY),
            from: time("from", &self.from)?,
            until: time("until", &self.until)?,
            role: self.role,
        })
    }
}

impl FeedRow {
    /// Whether the next look is due; `tried_at` is the last one. One in the future comes from a clock that was wrong.
    #[must_use]
    pub fn is_due(&self, tried_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let every = TimeDelta::minutes(i64::try_from(self.refresh_min).unwrap_or(15));
        tried_at.is_none_or(|at| at > now || now - at >= every)
    }
}

/// Two times as instants.
fn span(hours: &BusinessHours, key: &str, from: &str, until: &str) -> Result<(DateTime<Utc>, DateTime<Utc>), String> {
    let read = |end: &str, text: &str| {
        parse_instant(hours.zone, text)
            .ok_or_else(|| format!("{key}.{end}: {text:?} is no time; write e.g. \"2026-12-24 08:00\" (local time)"))
    };
    let (from_at, until_at) = (read("from", from)?, read("until", until)?);
    if until_at <= from_at {
        return Err(format!("{key}.until: {until:?} is not after {from:?}"));
    }
    Ok((from_at, until_at))
}
