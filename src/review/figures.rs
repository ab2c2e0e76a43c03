//! What a span of time comes to, in days, weeks and months of the firm's zone.
//!
//! The store counts by the hour, an hour is put where it begins in the zone: the days on which clocks are changed have 23 or
//! 25 of them, and are one day.

use crate::domain::case::{CaseState, Outcome};
use crate::domain::charge::ChargeState;
use crate::domain::roster::instant;
use crate::domain::tariff::Cents;
use crate::store::figures::{self, Charges, Reports, Span, Waits, Written};
use crate::store::{Reader, StoreError};
use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveTime, Timelike as _, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// How far back figures look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Twelve months, by the week.
    Year,
    /// 90 days, by the day.
    Quarter,
    /// One month back, by the day.
    Month,
}

impl Reach {
    /// The first day, so that today is the last one. A year begins on a Monday: its weeks are whole.
    #[must_use]
    pub fn first_day(self, today: NaiveDate) -> NaiveDate {
        let back = |months| today.checked_sub_months(Months::new(months)).unwrap_or(today);
        match self {
            Self::Year => monday(back(12)),
            Self::Quarter => today - Days::new(89),
            Self::Month => back(1),
        }
    }

    fn step(self) -> Step {
        if self == Self::Year { Step::Week } else { Step::Day }
    }
}

/// What one place on a time axis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A day.
    Day,
    /// A week from Monday on, known by that day.
    Week,
}

impl Step {
    fn of(self, day: NaiveDate) -> NaiveDate {
        if self == Self::Week { monday(day) } else { day }
    }
}

/// How long people took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// How many cases it is about.
    pub count: u32,
    /// Half of them were not slower, seconds.
    pub median_s: u32,
    /// Nine of ten were not slower, seconds.
    pub most_s: u32,
}

/// What the transcriber did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Speed {
    /// Recordings.
    pub count: u32,
    /// It took so many milliseconds,
    pub took_ms: u64,
    /// for so many of sound.
    pub sound_ms: u64,
}

impl Speed {
    /// Seconds of work for one second of sound.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a factor of two decimals")]
    pub fn factor(&self) -> Option<f64> {
        (self.sound_ms > 0).then(|| self.took_ms as f64 / self.sound_ms as f64)
    }
}

/// Charges of one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Month {
    /// Not decided.
    pub proposed: u32,
    /// Released.
    pub released: u32,
    /// Cancelled.
    pub cancelled: u32,
    /// Net of what is released.
    pub net: Cents,
}

/// Everything the page of the figures tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The first day and the last one.
    pub days: (NaiveDate, NaiveDate),
    /// What one place on the time axes is.
    pub step: Step,
    /// Every place on the time axes, in order, whether there is anything or not.
    pub places: Vec<NaiveDate>,
    /// Reports by verdict, in the order of `figures::VERDICTS`.
    pub reports: BTreeMap<NaiveDate, [u32; 5]>,
    /// Reports by weekday (from Monday on) and hour.
    pub busiest: [[u32; 24]; 7],
    /// From the opening of a case to the first answer.
    pub answers: BTreeMap<NaiveDate, Wait>,
    /// The same over the whole span.
    pub answer: Option<Wait>,
    /// From the opening of a case to the first call-back.
    pub call_backs: BTreeMap<NaiveDate, Wait>,
    /// The same over the whole span.
    pub call_back: Option<Wait>,
    /// The transcriber.
    pub speeds: BTreeMap<NaiveDate, Speed>,
    /// Cases by how they stand or ended.
    pub outcomes: Vec<(CaseState, Option<Outcome>, u32)>,
    /// Cases by who took them; `None` = nobody. The one with the most first.
    pub technicians: Vec<(Option<String>, u32)>,
    /// Charges by the first day of the month in which they count.
    pub charges: BTreeMap<NaiveDate, Month>,
}

/// The figures of so far back.
///
/// # Errors
/// Where the store refused or a row is broken.
pub async fn figures(reader: &mut Reader, reach: Reach, zone: Tz, now: DateTime<Utc>) -> Result<Figures, StoreError> {
    let today = now.with_timezone(&zone).date_naive();
    let (first, step) = (reach.first_day(today), reach.step());
    let midnight = |day: NaiveDate| instant(zone, day.and_time(NaiveTime::MIN));
    let span: Span = (midnight(first), midnight(today + Days::new(1)));
    // a month of charges is a whole one
    let months_of: Span = (midnight(first.with_day(1).unwrap_or(first)), span.1);
    let place = |hour: DateTime<Utc>| step.of(hour.with_timezone(&zone).date_naive()).max(step.of(first));
    let reports = figures::reports(reader, span).await?;
    let (answers, answer) = waits(figures::answers(reader, span).await?, place);
    let (call_backs, call_back) = waits(figures::call_backs(reader, span).await?, place);
    let cases = figures::cases(reader, span).await?;
    Ok(Figures {
        days: (first, today),
        step,
        places: places(first, today, step),
        busiest: busiest(&reports, zone),
        reports: by_verdict(&reports, place),
        answers,
        answer,
        call_backs,
        call_back,
        speeds: speeds(&figures::written(reader, span).await?, place),
        outcomes: outcomes(&cases),
        technicians: technicians(&cases),
        charges: months(&figures::charges(reader, months_of).await?, zone),
    })
}

fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(day.weekday().num_days_from_monday().into())
}

fn places(first: NaiveDate, last: NaiveDate, step: Step) -> Vec<NaiveDate> {
    let mut days: Vec<NaiveDate> = first.iter_days().take_while(|day| *day <= last).map(|day| step.of(day)).collect();
    days.dedup();
    days
}

fn by_verdict(reports: &[Reports], place: impl Fn(DateTime<Utc>) -> NaiveDate) -> BTreeMap<NaiveDate, [u32; 5]> {
    let mut found = BTreeMap::<NaiveDate, [u32; 5]>::new();
    for one in reports {
        let sums = found.entry(place(one.hour)).or_default();
        sums.iter_mut().zip(one.counts).for_each(|(sum, count)| *sum += count);
    }
    found
}

fn busiest(reports: &[Reports], zone: Tz) -> [[u32; 24]; 7] {
    let mut found = [[0; 24]; 7];
    for one in reports {
        let local = one.hour.with_timezone(&zone);
        found[local.weekday().num_days_from_monday() as usize][local.hour() as usize] += one.counts.iter().sum::<u32>();
    }
    found
}

type ByPlace = BTreeMap<NaiveDate, Wait>;

fn waits(hours: Vec<Waits>, place: impl Fn(DateTime<Utc>) -> NaiveDate) -> (ByPlace, Option<Wait>) {
    let mut found = BTreeMap::<NaiveDate, Vec<u32>>::new();
    for one in hours {
        found.entry(place(one.hour)).or_default().extend(one.seconds);
    }
    let all = wait(found.values().flatten().copied().collect());
    (found.into_iter().filter_map(|(day, seconds)| Some((day, wait(seconds)?))).collect(), all)
}

/// The nearest rank: a wait that somebody really had.
fn wait(mut seconds: Vec<u32>) -> Option<Wait> {
    seconds.sort_unstable();
    let rank =
        |tenths: usize| (seconds.len() * tenths).div_ceil(10).checked_sub(1).and_then(|nth| seconds.get(nth).copied());
    Some(Wait { count: u32::try_from(seconds.len()).unwrap_or(u32::MAX), median_s: rank(5)?, most_s: rank(9)? })
}

fn speeds(hours: &[Written], place: impl Fn(DateTime<Utc>) -> NaiveDate) -> BTreeMap<NaiveDate, Speed> {
    let mut found = BTreeMap::<NaiveDate, Speed>::new();
    for one in hours {
        let sum = found.entry(place(one.hour)).or_default();
        sum.count += one.count;
        sum.took_ms += one.took_ms;
        sum.sound_ms += one.sound_ms;
    }
    found
}

fn outcomes(cases: &[figures::Cases]) -> Vec<(CaseState, Option<Outcome>, u32)> {
    let mut found: Vec<(CaseState, Option<Outcome>, u32)> = Vec::new();
    for one in cases {
        match found.iter_mut().find(|(state, outcome, _)| (*state, *outcome) == (one.state, one.outcome)) {
            Some((.., count)) => *count += one.count,
            None => found.push((one.state, one.outcome, one.count)),
        }
    }
    found.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    found
}

fn technicians(cases: &[figures::Cases]) -> Vec<(Option<String>, u32)> {
    let mut found = BTreeMap::<Option<String>, u32>::new();
    for one in cases {
        *found.entry(one.technician.clone()).or_default() += one.count;
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

fn months(hours: &[Charges], zone: Tz) -> BTreeMap<NaiveDate, Month> {
    let mut found = BTreeMap::<NaiveDate, Month>::new();
    for one in hours {
        let day = one.hour.with_timezone(&zone).date_naive();
        let month = found.entry(day.with_day(1).unwrap_or(day)).or_default();
        match one.state {
            ChargeState::Proposed => month.proposed += one.count,
            ChargeState::Cancelled => month.cancelled += one.count,
            ChargeState::Released => {
                month.released += one.count;
                month.net.0 += one.net.0;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_counts_on_the_day_and_at_the_hour_of_the_zone() {
        let one = |hour: &str| Reports { hour: at(hour), counts: [1, 0, 0, 0, 2] };
        // the night in which clocks go back has the hour from two to three twice
        let hours =
            ["2026-10-24T22:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T23:00:00Z"].map(one);
        let place = |hour: DateTime<Utc>| hour.with_timezone(&Berlin).date_naive();
        let days = by_verdict(&hours, place);
        assert_eq!(days, BTreeMap::from([(day("2026-10-25"), [3, 0, 0, 0, 6]), (day("2026-10-26"), [1, 0, 0, 0, 2])]));
        let busiest = busiest(&hours, Berlin);
        assert_eq!((busiest[6][0], busiest[6][2], busiest[0][0], busiest[6][1]), (3, 6, 3, 0));
    }

    #[test]
    fn a_year_is_whole_weeks_and_today_is_in_it() {
        let today = day("2026-11-28");
        let first = Reach::Year.first_day(today);
        assert_eq!((first, first.weekday()), (day("2025-11-24"), chrono::Weekday::Mon));
        let weeks = places(first, today, Step::Week);
        assert_eq!((weeks.len(), weeks.last().copied()), (53, Some(day("2026-11-23"))));
        assert_eq!(places(Reach::Quarter.first_day(today), today, Step::Day).len(), 90);
        assert_eq!(Reach::Month.first_day(day("2026-03-31")), day("2026-02-28"));
    }

    #[test]
    fn the_median_and_the_ninth_of_ten_are_waits_that_somebody_had() {
        assert_eq!(wait(Vec::new()), None);
        assert_eq!(wait(vec![7]), Some(Wait { count: 1, median_s: 7, most_s: 7 }));
        assert_eq!(wait((1..=10).rev().collect()), Some(Wait { count: 10, median_s: 5, most_s: 9 }));
        assert_eq!(wait((1..=11).collect()), Some(Wait { count: 11, median_s: 6, most_s: 10 }));
    }

    #[test]
    fn months_begin_in_the_zone() {
        let one = |hour: &str, state, net| Charges { hour: at(hour), state, count: 1, net: Cents(net) };
        let hours = [
            one("2026-10-31T23:00:00Z", ChargeState::Released, 4800),
            one("2026-10-31T22:00:00Z", ChargeState::Released, 100),
            one("2026-11-15T22:00:00Z", ChargeState::Cancelled, 4800),
        ];
        let found = months(&hours, Berlin);
        assert_eq!(found[&day("2026-10-01")], Month { released: 1, net: Cents(100), ..Month::default() });
        assert_eq!(
            found[&day("2026-11-01")],
            Month { released: 1, cancelled: 1, net: Cents(4800), ..Month::default() }
        );
    }
}
