//! A month of the roster as a calendar: whole weeks, Monday first. Pure.

use crate::domain::roster::{Plan, Shift, instant, local};
use crate::wording::weekday;
use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;

const NAMES: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// "November 2026"
pub(super) fn month_name(month: NaiveDate) -> String {
    format!("{} {}", NAMES[month.month0() as usize], month.year())
}

/// A month, by its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Month(NaiveDate);

/// A week of it.
pub(super) struct Week {
    /// Its number (ISO 8601).
    pub(super) number: u32,
    pub(super) days: Vec<Day>,
}

/// A day.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// "2026-11-28"
    pub(super) date: String,
    pub(super) number: u32,
    pub(super) weekday: &'static str,
    /// It belongs to the month before or after.
    pub(super) outside: bool,
    pub(super) today: bool,
    pub(super) past: bool,
    pub(super) holiday: Option<&'static str>,
    pub(super) pieces: Vec<Piece>,
}

/// A part of a day in which one person has duty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// `None`: nobody.
    pub(super) who: Option<String>,
    /// "bis 08:00", "ab 08:00", "08:00–12:00"; empty = the whole day.
    pub(super) time: String,
    /// It is whoever looks.
    pub(super) mine: bool,
}

impl Month {
    /// Out of "2026-12"; without one, the month of `today`. `None`: that is no month, or one that no roster means.
    pub(super) fn of(text: Option<&str>, today: NaiveDate) -> Option<Self> {
        let day = match text {
            Some(text) => NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?,
            None => today,
        };
        (2000..2200).contains(&day.year()).then_some(())?;
        day.with_day(1).map(Self)
    }

    /// "Dezember 2026"
    pub(super) fn title(self) -> String {
        month_name(self.0)
    }

    /// The month before, "2026-11".
    pub(super) fn previous(self) -> String {
        (self.0 - Months::new(1)).format("%Y-%m").to_string()
    }

    /// The month after, "2027-01".
    pub(super) fn next(self) -> String {
        (self.0 + Months::new(1)).format("%Y-%m").to_string()
    }

    fn days(self) -> (NaiveDate, NaiveDate) {
        let last = self.0 + Months::new(1) - Days::new(1);
        let first = self.0 - Days::new(u64::from(self.0.weekday().num_days_from_monday()));
        (first, last + Days::new(u64::from(6 - last.weekday().num_days_from_monday())))
    }

    /// What its weeks show, from when to when.
    pub(super) fn shown(self, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
        let (first, last) = self.days();
        (midnight(zone, first), midnight(zone, last + Days::new(1)))
    }

    /// Its weeks, as `me` sees them.
    pub(super) fn weeks(self, plan: &Plan, now: DateTime<Utc>, me: Option<&str>) -> Vec<Week> {
        let zone = plan.hours.zone;
        let (from, until) = self.shown(zone);
        let duties = plan.duties(from, until);
        let today = local(zone, now).date();
        let day = |day: NaiveDate| Day {
            date: day.to_string(),
            number: day.day(),
            weekday: weekday(day.weekday()),
            outside: day.month() != self.0.month(),
            today: day == today,
            past: day < today,
            holiday: plan.hours.holiday_name(day).or(plan.hours.is_holiday(day).then_some("geschlossen")),
            pieces: pieces(&duties, day, zone, me),
        };
        let (first, last) = self.days();
        let days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
        let week = |days: &[NaiveDate]| Week {
            number: days.first().map_or(0, |first| first.iso_week().week()),
            days: days.iter().copied().map(day).collect(),
        };
        days.chunks(7).map(week).collect()
    }
}

fn midnight(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    instant(zone, day.and_time(NaiveTime::MIN))
}

fn pieces(duties: &[Shift], day: NaiveDate, zone: Tz, me: Option<&str>) -> Vec<Piece> {
    let (begins, ends) = (midnight(zone, day), midnight(zone, day + Days::new(1)));
    let clock = |at| local(zone, at).format("%H:%M").to_string();
    let piece = |shift: &Shift| Piece {
        who: shift.duty().map(str::to_owned),
        time: match (shift.from > begins, shift.until < ends) {
            (false, false) => String::new(),
            (false, true) => format!("bis {}", clock(shift.until)),
            (true, false) => format!("ab {}", clock(shift.from)),
            (true, true) => format!("{}–{}", clock(shift.from), clock(shift.until)),
        },
        mine: me.is_some() && shift.duty() == me,
    };
    duties.iter().filter(|shift| shift.from < ends && shift.until > begins).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::roster::{Change, ChangeKind, Rotation, parse_local};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_is_read_or_refused() {
        let today = day("2026-11-28");
        assert_eq!(Month::of(None, today).unwrap().title(), "November 2026");
        let december = Month::of(Some("2026-12"), today).unwrap();
        assert_eq!((december.previous(), december.next()), ("2026-11".to_owned(), "2027-01".to_owned()));
        for odd in ["", "2026", "2026-13", "1999-12", "9999-01", "2026-12-01", "x"] {
            assert_eq!(Month::of(Some(odd), today), None, "{odd}");
        }
    }

    #[test]
    fn weeks_are_whole_and_a_day_says_who_has_duty_when_and_where_nobody_has() {
        let mut plan = Plan {
            rotations: vec![Rotation {
                technicians: vec!["Anna".into(), "Bernd".into()],
                begins: parse_local("2026-11-02 08:00").unwrap(),
                days: 7,
            }],
            ..Plan::default()
        };
        let zone = plan.hours.zone;
        for technician in ["Anna", "Bernd"] {
            let (from, until) = (midnight(zone, day("2026-12-24")), midnight(zone, day("2026-12-25")));
            plan.changes.push(Change { kind: ChangeKind::Absence, technician: technician.into(), from, until });
        }
        let month = Month::of(Some("2026-12"), day("2026-12-03")).unwrap();
        let weeks = month.weeks(&plan, "2026-12-03T12:00:00Z".parse().unwrap(), Some("Anna"));
        assert!(weeks.iter().all(|week| week.days.len() == 7));
        assert_eq!((weeks.len(), weeks[0].number, weeks[0].days[0].date.as_str()), (5, 49, "2026-11-30"));
        assert!(weeks[0].days[0].outside && weeks[0].days[3].today && weeks[0].days[2].past);
        let monday = &weeks[1].days[0];
        let piece = |who: Option<&str>, time: &str| Piece {
            who: who.map(str::to_owned),
            time: time.to_owned(),
            mine: who == Some("Anna"),
        };
        assert_eq!(monday.pieces, [piece(Some("Anna"), "bis 08:00"), piece(Some("Bernd"), "ab 08:00")]);
        assert_eq!(weeks[1].days[1].pieces, [piece(Some("Bernd"), "")]);
        let eve = &weeks[3].days[3];
        assert_eq!((eve.number, eve.holiday, &eve.pieces), (24, None, &vec![piece(None, "")]));
        assert_eq!(weeks[3].days[4].holiday, Some("Erster Weihnachtsfeiertag"));
    }
}
