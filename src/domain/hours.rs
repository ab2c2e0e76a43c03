//! Business hours of the firm: is somebody in the office at a given instant?
//!
//! Opening times are local times of the firm's zone, so the switch to and from summer time needs no care of
//! its own: an instant is turned into a local time, never the other way round. What can go wrong: a holiday that only
//! some communities keep (Augsburger Friedensfest, Fronleichnam in parts of Sachsen and Thüringen) is not
//! computed and belongs into `extra_closed`.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use holiday_de::{DateExt, GermanHoliday, GermanRegion};

/// A German federal state, for its public holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FederalState {
    /// Baden-Württemberg.
    Bw,
    /// Bayern.
    By,
    /// Berlin.
    Be,
    /// Brandenburg.
    Bb,
    /// Bremen.
    Hb,
    /// Hamburg.
    Hh,
    /// Hessen.
    He,
    /// Mecklenburg-Vorpommern.
    Mv,
    /// Niedersachsen.
    Ni,
    /// Nordrhein-Westfalen.
    Nw,
    /// Rheinland-Pfalz.
    Rp,
    /// Saarland.
    Sl,
    /// Sachsen.
    Sn,
    /// Sachsen-Anhalt.
    St,
    /// Schleswig-Holstein.
    Sh,
    /// Thüringen.
    Th,
}

/// Code and region of every state; one table for reading, writing and computing.
const STATES: [(FederalState, &str, GermanRegion); 16] = [
    (FederalState::Bw, "BW", GermanRegion::BadenWuerttemberg),
    (FederalState::By, "BY", GermanRegion::Bayern),
    (FederalState::Be, "BE", GermanRegion::Berlin),
    (FederalState::Bb, "BB", GermanRegion::Brandenburg),
    (FederalState::Hb, "HB", GermanRegion::Bremen),
    (FederalState::Hh, "HH", GermanRegion::Hamburg),
    (FederalState::He, "HE", GermanRegion::Hessen),
    (FederalState::Mv, "MV", GermanRegion::MechlenburgVorpommern),
    (FederalState::Ni, "NI", GermanRegion::Niedersachsen),
    (FederalState::Nw, "NW", GermanRegion::NordrheinWestfalen),
    (FederalState::Rp, "RP", GermanRegion::RheinlandPfalz),
    (FederalState::Sl, "SL", GermanRegion::Saarland),
    (FederalState::Sn, "SN", GermanRegion::Sachsen),
    (FederalState::St, "ST", GermanRegion::SachsenAnhalt),
    (FederalState::Sh, "SH", GermanRegion::SchleswigHolstein),
    (FederalState::Th, "TH", GermanRegion::Thueringen),
];

impl FederalState {
    /// The state of an ISO 3166-2:DE code without its country ("BY"), upper or lower case.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        STATES.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(code.trim())).map(|(state, ..)| *state)
    }

    /// Its code ("BY").
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> &'static (Self, &'static str, GermanRegion) {
        STATES.iter().find(|(state, ..)| *state == self).expect("the table names every state")
    }
}

/// When the office is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessHours {
    /// The zone of the times below.
    pub zone: Tz,
    /// Opening spans `[from, to)` of each weekday, Monday first; empty on days off.
    pub days: [Vec<(NaiveTime, NaiveTime)>; 7],
    /// Whose public holidays count.
    pub state: FederalState,
    /// Further days on which the office is closed.
    pub extra_closed: Vec<NaiveDate>,
}

impl BusinessHours {
    /// Whether the office is open at this instant: an opening span of the local weekday, no public holiday.
    #[must_use]
    pub fn is_open(&self, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&self.zone).naive_local();
        let spans = &self.days[local.weekday().num_days_from_monday() as usize];
        spans.iter().any(|(from, to)| (*from..*to).contains(&local.time())) && !self.is_holiday(local.date())
    }

    /// Whether this day is a public holiday of the state, or listed as closed.
    #[must_use]
    pub fn is_holiday(&self, day: NaiveDate) -> bool {
        self.holiday_name(day).is_some() || self.extra_closed.contains(&day)
    }

    /// The public holiday of the state that this day is, by its German name.
    #[must_use]
    pub fn holiday_name(&self, day: NaiveDate) -> Option<&'static str> {
        // The library leaves out Brandenburg's two holidays that always fall on a Sunday.
        let sundays = [GermanHoliday::Ostersonntag, GermanHoliday::Pfingstsonntag];
        let brandenburg =
            || sundays.into_iter().find(|sunday| self.state == FederalState::Bb && day.is_holiday(*sunday));
        day.public_holiday_in(self.state.row().2).or_else(brandenburg).map(|holiday| holiday.description())
    }
}

impl Default for BusinessHours {
    /// Monday to Friday 8:00-12:00 and 12:45-17:00, Europe/Berlin, Bavarian holidays.
    fn default() -> Self {
        let day: Vec<_> = ["08:00-12:00", "12:45-17:00"].into_iter().filter_map(parse_span).collect();
        let days = std::array::from_fn(|weekday| if weekday < 5 { day.clone() } else { Vec::new() });
        Self { zone: chrono_tz::Europe::Berlin, days, state: FederalState::By, extra_closed: Vec::new() }
    }
}

/// A span of local time, "08:00-12:00"; the end is later than the start and not part of it.
#[must_use]
pub fn parse_span(text: &str) -> Option<(NaiveTime, NaiveTime)> {
    let (from, to) = text.split_once(['-', '–'])?;
    let time = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").ok();
    let span = (time(from)?, time(to)?);
    (span.0 < span.1).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Days, TimeZone};

    fn open(local: &str) -> bool {
        let naive = chrono::NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
        let hours = BusinessHours::default();
        hours.is_open(hours.zone.from_local_datetime(&naive).earliest().unwrap().with_timezone(&Utc))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_office_opens_and_closes_to_the_minute() {
        for (at, want) in [("07:59", false), ("08:00", true), ("11:59", true), ("12:00", false), ("12:44", false)] {
            assert_eq!(open(&format!("2026-11-23 {at}")), want, "{at}");
        }
        assert!(open("2026-11-23 12:45") && open("2026-11-23 16:59") && !open("2026-11-23 17:00"));
        assert!(!open("2026-11-21 10:00") && !open("2026-11-22 10:00"));
    }

    #[test]
    fn summer_and_winter_time_both_open_at_eight_local_time() {
        let hours = BusinessHours::default();
        for (utc, want) in [
            ("2026-03-27T06:59:00Z", false), // winter, 7:59
            ("2026-03-27T07:00:00Z", true),  // winter, 8:00
            ("2026-03-30T05:59:00Z", false), // summer, 7:59
            ("2026-03-30T06:00:00Z", true),  // summer, 8:00
            ("2026-10-23T06:00:00Z", true),  // summer, 8:00
            ("2026-10-26T06:00:00Z", false), // winter again, 7:00
        ] {
            assert_eq!(hours.is_open(utc.parse().unwrap()), want, "{utc}");
        }
    }

    #[test]
    fn every_hour_of_three_years_agrees_with_the_local_clock() {
        let hours = BusinessHours::default();
        let mut at: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().unwrap();
        let mut open_hours = 0;
        for _ in 0..3 * 365 * 24 {
            if hours.is_open(at) {
                let local = at.with_timezone(&hours.zone);
                assert!(
                    (8..17).contains(&chrono::Timelike::hour(&local)) && local.weekday().num_days_from_monday() < 5
                );
                open_hours += 1;
            }
            at += chrono::TimeDelta::hours(1);
        }
        // About 250 working days a year, eight full hours each (12:00 is closed).
        assert!((5_800..6_200).contains(&open_hours), "{open_hours}");
    }

    #[test]
    fn bavarian_holidays_of_2026() {
        let hours = BusinessHours::default();
        let expected = [
            "2026-01-01",
            "2026-01-06",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-05-25",
            "2026-06-04",
            "2026-08-15",
            "2026-10-03",
            "2026-11-01",
            "2026-12-25",
            "2026-12-26",
        ];
        let found: Vec<_> = (0..365)
            .map(|n| day("2026-01-01") + Days::new(n))
            .filter(|day| hours.is_holiday(*day))
            .map(|day| day.to_string())
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn other_states_have_their_own_holidays() {
        let of = |code: &str| BusinessHours { state: FederalState::parse(code).unwrap(), ..BusinessHours::default() };
        assert!(of("be").is_holiday(day("2026-03-08")) && !of("BY").is_holiday(day("2026-03-08")));
        assert!(of("BB").is_holiday(day("2026-04-05")) && of("BB").is_holiday(day("2026-05-24")));
        assert!(of("SN").is_holiday(day("2026-11-18")) && !of("BY").is_holiday(day("2026-11-18")));
        assert!(of("MV").is_holiday(day("2026-10-31")));
        for (state, code, _) in STATES {
            assert_eq!(FederalState::parse(code), Some(state));
            assert_eq!(state.as_str(), code);
        }
        assert_eq!(FederalState::parse("XX"), None);
    }

    #[test]
    fn a_listed_day_is_closed() {
        let hours = BusinessHours { extra_closed: vec![day("2026-12-24")], ..BusinessHours::default() };
        assert!(!hours.is_open("2026-12-24T09:00:00Z".parse().unwrap()));
        assert!(hours.is_open("2026-12-23T09:00:00Z".parse().unwrap()));
    }

    #[test]
    fn spans_are_read_or_refused() {
        assert!(parse_span("08:00-12:00").is_some() && parse_span("8:00 – 12:00").is_some());
        for bad in ["", "08:00", "12:00-08:00", "08:00-08:00", "25:00-26:00", "a-b"] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
    }
}
