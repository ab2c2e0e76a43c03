//! The roster: who is on duty at an instant, who is the backup, and where nobody is.
//!
//! At every instant there is an order of technicians; the first has duty, the second is the backup. It is made in
//! layers, each over the one before: the plain order or the rotation, weekly rules, rules for public holidays, calendar
//! feeds, fixed entries, overrides; an absence removes at last. Where nobody is left there is a gap, and the last resort
//! stands in. Wall-clock times become instants by one function ([`instant`]), so that a hand-over is one instant for both
//! sides: never nobody, never two, whatever the clocks do that night.

mod layers;
mod local;
#[cfg(test)]
mod tests;

pub use local::{instant, local, parse_instant, parse_local};

use crate::domain::assessment::words;
use crate::domain::hours::BusinessHours;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use layers::{Line, Place};

words! {
    /// What an entry gives.
    Role {
        /// He is told first.
        Duty = "duty",
        /// He is told next.
        Backup = "backup",
    }
}

words! {
    /// From where whoever has duty has it.
    Why {
        /// The plain order of the settings.
        Order = "order",
        /// A rotation.
        Rotation = "rotation",
        /// A rule for a weekday.
        Weekly = "weekly",
        /// A rule for public holidays.
        Holiday = "holiday",
        /// A calendar feed.
        Feed = "feed",
        /// A fixed entry.
        Entry = "entry",
        /// An override or a swap.
        Override = "override",
        /// Whoever would have it is away.
        Absence = "absence",
        /// Nobody has it.
        Gap = "gap",
    }
}

/// Technicians who take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// In which order; whoever is next in it is the backup.
    pub technicians: Vec<String>,
    /// A hand-over, local time: there the first one's turn begins, and all others at the same time of day.
    pub begins: NaiveDateTime,
    /// Days of a turn, 1 or more.
    pub days: u32,
}

/// The same every week, or on every public holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// Who.
    pub technician: String,
    /// On which weekdays it begins, Monday first.
    pub weekdays: [bool; 7],
    /// It begins on public holidays.
    pub holidays: bool,
    /// From, local time.
    pub from: NaiveTime,
    /// To, not included; not later than `from` = on the next day.
    pub until: NaiveTime,
    /// As what.
    pub role: Role,
}

/// One technician, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub technician: String,
    /// From.
    pub from: DateTime<Utc>,
    /// To, not included.
    pub until: DateTime<Utc>,
    /// As what.
    pub role: Role,
}

/// What a change does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// The technician takes a place in the order.
    Override {
        /// Whose; none = whoever has duty.
        replaces: Option<String>,
    },
    /// The technician is away.
    Absence,
}

/// A change of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// Who takes over, or who is away.
    pub technician: String,
    /// From.
    pub from: DateTime<Utc>,
    /// To, not included.
    pub until: DateTime<Utc>,
}

/// Everything that says who is on duty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The zone of all local times, and the public holidays.
    pub hours: BusinessHours,
    /// The order where no rotation has begun; empty = nobody.
    pub order: Vec<String>,
    /// The one that began last counts.
    pub rotations: Vec<Rotation>,
    /// The same every week.
    pub weekly: Vec<Weekly>,
    /// From calendars.
    pub feeds: Vec<Entry>,
    /// From the settings.
    pub entries: Vec<Entry>,
    /// Overrides and absences, in the order they were made.
    pub changes: Vec<Change>,
    /// Who is told in a gap: names, "everyone", "office".
    pub last_resort: Vec<String>,
}

/// Who is on duty at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDuty {
    /// The first has duty, the second is the backup; empty = a gap.
    pub order: Vec<String>,
    /// From where the first has it.
    pub why: Why,
}

impl OnDuty {
    /// Whether nobody is on duty: the last resort is told.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.order.is_empty()
    }
}

/// A time in which the order stays the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// From.
    pub from: DateTime<Utc>,
    /// To, not included.
    pub until: DateTime<Utc>,
    /// The first has duty, the second is the backup; empty = a gap.
    pub order: Vec<String>,
    /// From where the first has it, at its beginning.
    pub why: Why,
}

impl Shift {
    /// Who has duty; `None` = a gap.
    #[must_use]
    pub fn duty(&self) -> Option<&str> {
        self.order.first().map(String::as_str)
    }

    /// Who is the backup.
    #[must_use]
    pub fn backup(&self) -> Option<&str> {
        self.order.get(1).map(String::as_str)
    }

    /// Whether nobody is on duty.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.order.is_empty()
    }
}

/// How far ahead the next hand-over is looked for: first a few weeks, then more than a year (days).
const AHEAD: [i64; 2] = [40, 400];

impl Plan {
    /// Who is on duty at `now`.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>) -> OnDuty {
        let mut line = self.base(now);
        let (weekly, holiday) = self.weekly_places(now);
        line.step_in(weekly, Why::Weekly);
        line.step_in(holiday, Why::Holiday);
        line.step_in(places(&self.feeds, now), Why::Feed);
        line.step_in(places(&self.entries, now), Why::Entry);
        let active = || self.changes.iter().filter(|change| (change.from..change.until).contains(&now));
        for change in active() {
            if let ChangeKind::Override { replaces } = &change.kind {
                line.replace(&change.technician, replaces.as_deref());
            }
        }
        for change in active().filter(|change| change.kind == ChangeKind::Absence) {
            line.remove(&change.technician);
        }
        line.done()
    }

    /// The whole time from `from` to `until` without a hole, in spans as long as the order stays the same; the first and
    /// the last are cut there.
    #[must_use]
    pub fn shifts(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Shift> {
        let mut shifts: Vec<Shift> = Vec::new();
        if from >= until {
            return shifts;
        }
        let bounds = self.bounds(from, until);
        let ends = bounds.iter().skip(1).copied().chain([until]);
        for (from, until) in bounds.iter().copied().zip(ends) {
            let OnDuty { order, why } = self.at(from);
            match shifts.last_mut() {
                Some(last) if last.order == order => last.until = until,
                _ => shifts.push(Shift { from, until, order, why }),
            }
        }
        shifts
    }

    /// As [`Plan::shifts`], in spans as long as the same person has duty.
    #[must_use]
    pub fn duties(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Shift> {
        duties(self.shifts(from, until))
    }

    /// When nobody is on duty.
    #[must_use]
    pub fn gaps(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Shift> {
        self.shifts(from, until).into_iter().filter(Shift::is_gap).collect()
    }

    /// The next time, after `now`, at which duty comes to this technician from another (or from nobody), with the time he
    /// has it; looked for more than a year ahead.
    #[must_use]
    pub fn next_shift_of(&self, technician: &str, now: DateTime<Utc>) -> Option<Shift> {
        self.ahead(now, |duties| duties.iter().skip(1).find(|shift| shift.duty() == Some(technician)).cloned())
    }

    /// The next time after `now` at which another has duty, or nobody; looked for more than a year ahead.
    #[must_use]
    pub fn next_handover(&self, now: DateTime<Utc>) -> Option<Shift> {
        self.ahead(now, |duties| duties.get(1).cloned())
    }

    /// Looks at the coming duties, few first. A duty that the end of what was looked at cuts is looked at again.
    fn ahead(&self, now: DateTime<Utc>, wanted: impl Fn(&[Shift]) -> Option<Shift>) -> Option<Shift> {
        let mut found = None;
        for days in AHEAD {
            let until = now + TimeDelta::days(days);
            found = wanted(&self.duties(now, until));
            if found.as_ref().is_some_and(|shift| shift.until < until) {
                break;
            }
        }
        found
    }

    /// The order before anybody steps in.
    fn base(&self, now: DateTime<Utc>) -> Line<'_> {
        let zone = self.hours.zone;
        let begun = self.rotations.iter().filter(|one| !one.technicians.is_empty() && one.begins_at(zone) <= now);
        match begun.max_by_key(|one| one.begins) {
            Some(rotation) => {
                let first = rotation.turn(zone, now).rem_euclid(len(&rotation.technicians));
                let first = usize::try_from(first).unwrap_or(0);
                let (done, next) = rotation.technicians.split_at(first);
                Line::of(next.iter().chain(done), Why::Rotation)
            }
            None => Line::of(self.order.iter(), Why::Order),
        }
    }

    /// Who has a place by a weekly rule, and who by one for holidays.
    fn weekly_places(&self, now: DateTime<Utc>) -> (Vec<Place<'_>>, Vec<Place<'_>>) {
        let (mut weekly, mut holiday) = (Vec::new(), Vec::new());
        if self.weekly.is_empty() {
            return (weekly, holiday);
        }
        let today = local(self.hours.zone, now).date();
        for day in today.pred_opt().into_iter().chain([today]) {
            for (rule, kind) in self.rules_of(day) {
                let (from, until) = rule.span(day, self.hours.zone);
                if (from..until).contains(&now) {
                    let place = Place { technician: &rule.technician, role: rule.role, since: from };
                    if kind == Why::Holiday { &mut holiday } else { &mut weekly }.push(place);
                }
            }
        }
        (weekly, holiday)
    }

    /// The weekly rules that begin on a day.
    fn rules_of(&self, day: NaiveDate) -> impl Iterator<Item = (&Weekly, Why)> {
        let is_holiday = self.weekly.iter().any(|rule| rule.holidays) && self.hours.is_holiday(day);
        self.weekly.iter().filter_map(move |rule| {
            if rule.holidays && is_holiday {
                return Some((rule, Why::Holiday));
            }
            rule.weekdays[day.weekday().num_days_from_monday() as usize].then_some((rule, Why::Weekly))
        })
    }

    /// `from` and every later instant before `until` at which the order may change, ascending.
    fn bounds(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let zone = self.hours.zone;
        let mut bounds = vec![from];
        for rotation in &self.rotations {
            let first = if rotation.begins_at(zone) > from { 0 } else { rotation.turn(zone, from) };
            bounds.extend((first..).map(|turn| rotation.turn_at(zone, turn)).take_while(|at| *at < until));
        }
        if !self.weekly.is_empty() {
            let (first, last) = (local(zone, from).date() - Days::new(1), local(zone, until).date());
            for day in first.iter_days().take_while(|day| *day <= last) {
                bounds
                    .extend(self.rules_of(day).map(|(rule, _)| rule.span(day, zone)).flat_map(|span| [span.0, span.1]));
            }
        }
        bounds.extend(self.feeds.iter().chain(&self.entries).flat_map(|entry| [entry.from, entry.until]));
        bounds.extend(self.changes.iter().flat_map(|change| [change.from, change.until]));
        bounds.retain(|at| (from..until).contains(at));
        bounds.sort_unstable();
        bounds.dedup();
        bounds
    }
}

impl Rotation {
    fn begins_at(&self, zone: chrono_tz::Tz) -> DateTime<Utc> {
        instant(zone, self.begins)
    }

    /// When a turn begins; the first is 0.
    fn turn_at(&self, zone: chrono_tz::Tz, turn: i64) -> DateTime<Utc> {
        let days = TimeDelta::try_days(turn.saturating_mul(i64::from(self.days.max(1))));
        let at = days.and_then(|days| self.begins.checked_add_signed(days));
        at.map_or(DateTime::<Utc>::MAX_UTC, |at| instant(zone, at))
    }

    /// Whose turn it is at an instant, counted from 0.
    fn turn(&self, zone: chrono_tz::Tz, now: DateTime<Utc>) -> i64 {
        let mut turn = (local(zone, now) - self.begins).num_days().div_euclid(i64::from(self.days.max(1)));
        // The wall clock is up to a change of the clocks away from the instant.
        while self.turn_at(zone, turn) > now {
            turn -= 1;
        }
        while self.turn_at(zone, turn + 1) <= now {
            turn += 1;
        }
        turn
    }
}

impl Weekly {
    /// From when to when it is, beginning on a day.
    fn span(&self, day: NaiveDate, zone: chrono_tz::Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        let end = if self.until > self.from { Some(day) } else { day.checked_add_days(Days::new(1)) };
        (instant(zone, day.and_time(self.from)), instant(zone, end.unwrap_or(day).and_time(self.until)))
    }
}

fn places(entries: &[Entry], now: DateTime<Utc>) -> Vec<Place<'_>> {
    let active = entries.iter().filter(|entry| (entry.from..entry.until).contains(&now));
    active.map(|entry| Place { technician: &entry.technician, role: entry.role, since: entry.from }).collect()
}

/// The shifts, with those of the same person on duty put together.
fn duties(shifts: Vec<Shift>) -> Vec<Shift> {
    let mut duties: Vec<Shift> = Vec::new();
    for shift in shifts {
        match duties.last_mut() {
            Some(last) if last.duty() == shift.duty() => last.until = shift.until,
            _ => duties.push(shift),
        }
    }
    duties
}

fn len(technicians: &[String]) -> i64 {
    i64::try_from(technicians.len()).unwrap_or(1)
}
