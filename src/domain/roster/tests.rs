//! Covers F-20: who is on duty through both nights in which the clocks change, and every other minute.

use super::*;
use chrono::TimeDelta;
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

fn when(text: &str) -> DateTime<Utc> {
    parse_instant(Berlin, text).unwrap()
}

fn names(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn rotation(technicians: &str, begins: &str, days: u32) -> Rotation {
    Rotation { technicians: names(technicians), begins: parse_local(begins).unwrap(), days }
}

fn entry(technician: &str, from: &str, until: &str, role: Role) -> Entry {
    Entry { technician: technician.into(), from: when(from), until: when(until), role }
}

fn takes(technician: &str, replaces: Option<&str>, from: &str, until: &str) -> Change {
    let kind = ChangeKind::Override { replaces: replaces.map(str::to_owned) };
    Change { kind, technician: technician.into(), from: when(from), until: when(until) }
}

fn away(technician: &str, from: &str, until: &str) -> Change {
    Change { kind: ChangeKind::Absence, technician: technician.into(), from: when(from), until: when(until) }
}

fn weekly(technician: &str, days: &str, from: &str, until: &str) -> Weekly {
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
    let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| days.contains(day));
    let holidays = days.contains("holiday");
    Weekly { technician: technician.into(), weekdays, holidays, from: time(from), until: time(until), role: Role::Duty }
}

/// Anna, Bernd and Carla, a week each, Mondays at eight.
fn three() -> Plan {
    Plan { rotations: vec![rotation("Anna Bernd Carla", "2026-11-02 08:00", 7)], ..Plan::default() }
}

fn order(plan: &Plan, at: &str) -> String {
    plan.at(when(at)).order.join(" ")
}

/// Shifts as lines "from-until order".
fn told(plan: &Plan, from: &str, until: &str) -> Vec<String> {
    let shown = |at: DateTime<Utc>| local(Berlin, at).format("%m-%d %H:%M").to_string();
    let shifts = plan.shifts(when(from), when(until));
    shifts.iter().map(|one| format!("{} - {} {}", shown(one.from), shown(one.until), one.order.join(" "))).collect()
}

#[test]
fn a_rotation_hands_over_to_the_minute_and_the_next_is_the_backup() {
    let plan = three();
    assert_eq!(order(&plan, "2026-11-02 07:59"), "", "it has not begun");
    assert_eq!(order(&plan, "2026-11-02 08:00"), "Anna Bernd Carla");
    assert_eq!(order(&plan, "2026-11-09 07:59"), "Anna Bernd Carla");
    assert_eq!(order(&plan, "2026-11-09 08:00"), "Bernd Carla Anna");
    assert_eq!(order(&plan, "2026-11-16 08:00"), "Carla Anna Bernd");
    assert_eq!(order(&plan, "2026-11-23 08:00"), "Anna Bernd Carla");
    assert_eq!(plan.at(when("2026-11-23 08:00")).why, Why::Rotation);
}

#[test]
fn the_rotation_that_began_last_counts() {
    let mut plan = three();
    plan.rotations.push(rotation("Dora Emil", "2027-01-04 18:00", 1));
    assert_eq!(order(&plan, "2027-01-04 17:59"), "Anna Bernd Carla");
    assert_eq!(order(&plan, "2027-01-04 18:00"), "Dora Emil");
    assert_eq!(order(&plan, "2027-01-05 18:00"), "Emil Dora");
}

#[test]
fn without_any_plan_the_order_is_the_one_of_the_settings() {
    let plan = Plan { order: names("Anna Bernd"), ..Plan::default() };
    assert_eq!(order(&plan, "2026-12-24 03:00"), "Anna Bernd");
    assert_eq!(plan.shifts(when("2026-01-01"), when("2027-01-01")).len(), 1);
    assert_eq!(plan.next_handover(when("2026-01-01")), None);
}

#[test]
fn turns_go_on_over_the_year_change_and_the_29th_of_february() {
    let plan = three();
    assert_eq!(
        told(&plan, "2026-12-30", "2027-01-12"),
        [
            "12-30 00:00 - 01-04 08:00 Carla Anna Bernd",
            "01-04 08:00 - 01-11 08:00 Anna Bernd Carla",
            "01-11 08:00 - 01-12 00:00 Bernd Carla Anna"
        ]
    );
    let daily = Plan { rotations: vec![rotation("Anna Bernd", "2028-02-28 12:00", 1)], ..Plan::default() };
    assert_eq!(
        told(&daily, "2028-02-28 12:00", "2028-03-02"),
        [
            "02-28 12:00 - 02-29 12:00 Anna Bernd",
            "02-29 12:00 - 03-01 12:00 Bernd Anna",
            "03-01 12:00 - 03-02 00:00 Anna Bernd"
        ]
    );
    let leap = Plan { entries: vec![entry("Anna", "2028-02-29", "2028-03-01", Role::Duty)], ..Plan::default() };
    assert_eq!(told(&leap, "2028-02-28", "2028-03-02")[1], "02-29 00:00 - 03-01 00:00 Anna");
}

#[test]
fn a_hand_over_in_the_hour_that_happens_twice_is_at_the_first() {
    let plan = Plan { rotations: vec![rotation("Anna Bernd", "2026-10-18 02:30", 7)], ..Plan::default() };
    let shifts = plan.shifts(when("2026-10-24"), when("2026-10-26"));
    assert_eq!(shifts[0].until.to_rfc3339(), "2026-10-25T00:30:00+00:00");
    assert_eq!((shifts[0].duty(), shifts[1].duty(), shifts.len()), (Some("Anna"), Some("Bernd"), 2));
    assert_eq!(plan.at("2026-10-25T00:29:59Z".parse().unwrap()).order[0], "Anna");
    for at in ["2026-10-25T00:30:00Z", "2026-10-25T01:29:00Z", "2026-10-25T01:31:00Z"] {
        assert_eq!(plan.at(at.parse().unwrap()).order[0], "Bernd", "{at}");
    }
    assert_eq!(shifts[1].until - shifts[0].until, TimeDelta::minutes(22 * 60 + 30), "after a day of 25 hours");
}

#[test]
fn a_hand_over_in_the_hour_that_does_not_happen_is_shifted() {
    let plan = Plan { rotations: vec![rotation("Anna Bernd", "2027-03-21 02:30", 7)], ..Plan::default() };
    let shifts = plan.shifts(when("2027-03-27"), when("2027-03-29"));
    assert_eq!(shifts[0].until.to_rfc3339(), "2027-03-28T01:30:00+00:00", "03:30 summer time");
    let fixed = Plan {
        entries: vec![
            entry("Anna", "2027-03-27", "2027-03-28 02:30", Role::Duty),
            entry("Bernd", "2027-03-28 02:30", "2027-03-29", Role::Duty),
        ],
        ..Plan::default()
    };
    assert_eq!(fixed.gaps(when("2027-03-27"), when("2027-03-29")), []);
    assert_eq!(fixed.shifts(when("2027-03-27"), when("2027-03-29")).len(), 2);
}

#[test]
fn layers_lie_over_one_another() {
    let mut plan = three();
    plan.weekly.push(weekly("Dora", "tue", "00:00", "00:00"));
    assert_eq!(order(&plan, "2026-11-24 10:00"), "Dora Anna Bernd Carla", "a weekly rule over the rotation");
    plan.feeds.push(entry("Emil", "2026-11-24 09:00", "2026-11-24 12:00", Role::Duty));
    assert_eq!(order(&plan, "2026-11-24 10:00"), "Emil Dora Anna Bernd Carla", "a feed over the weekly rule");
    plan.entries.push(entry("Frida", "2026-11-24 09:30", "2026-11-24 11:00", Role::Duty));
    assert_eq!(order(&plan, "2026-11-24 10:00"), "Frida Emil Dora Anna Bernd Carla", "a fixed entry over the feed");
    plan.changes.push(takes("Carla", None, "2026-11-24 09:45", "2026-11-24 10:30"));
    assert_eq!(order(&plan, "2026-11-24 10:00"), "Carla Emil Dora Anna Bernd Frida", "an override over all");
    plan.changes.push(away("Carla", "2026-11-24 10:00", "2026-11-24 10:15"));
    assert_eq!(order(&plan, "2026-11-24 10:00"), "Emil Dora Anna Bernd Frida", "and an absence removes");
    assert_eq!(plan.at(when("2026-11-24 10:00")).why, Why::Absence);
    assert_eq!(told(&plan, "2026-11-24 09:00", "2026-11-24 12:00").len(), 7);
}

#[test]
fn a_backup_steps_into_the_second_place_and_leads_only_alone() {
    let mut plan = three();
    plan.entries.push(entry("Dora", "2026-11-02", "2026-11-30", Role::Backup));
    assert_eq!(order(&plan, "2026-11-03 10:00"), "Anna Dora Bernd Carla");
    assert_eq!(plan.at(when("2026-11-03 10:00")).why, Why::Rotation);
    plan.entries.push(entry("Anna", "2026-11-02", "2026-11-30", Role::Backup));
    assert_eq!(order(&plan, "2026-11-03 10:00"), "Bernd Dora Anna Carla");
    plan.rotations.clear();
    plan.entries.pop();
    assert_eq!(order(&plan, "2026-11-03 10:00"), "Dora");
}

#[test]
fn what_began_later_lies_over_what_began_earlier() {
    let mut plan = Plan::default();
    plan.feeds.push(entry("Bernd", "2026-11-25", "2026-11-26", Role::Duty));
    plan.feeds.push(entry("Anna", "2026-11-23", "2026-11-30", Role::Duty));
    assert_eq!(order(&plan, "2026-11-24 10:00"), "Anna");
    assert_eq!(order(&plan, "2026-11-25 10:00"), "Bernd Anna");
    assert_eq!(order(&plan, "2026-11-26 10:00"), "Anna");
}

#[test]
fn an_override_follows_the_one_it_replaces() {
    let mut plan = three();
    plan.changes.push(takes("Dora", Some("Anna"), "2026-11-02 08:00", "2026-11-23 08:00"));
    assert_eq!(order(&plan, "2026-11-03 10:00"), "Dora Bernd Carla Anna");
    assert_eq!(order(&plan, "2026-11-10 10:00"), "Bernd Carla Dora Anna");
    assert_eq!(order(&plan, "2026-11-17 10:00"), "Carla Dora Bernd Anna");
    plan.changes.push(takes("Emil", Some("Nobody"), "2026-11-02 08:00", "2026-11-23 08:00"));
    assert_eq!(order(&plan, "2026-11-03 10:00"), "Dora Bernd Carla Anna", "whoever has no place cannot be replaced");
}

#[test]
fn two_who_swap_have_each_others_shift() {
    let mut plan = three();
    plan.changes.push(takes("Bernd", Some("Anna"), "2026-11-02 08:00", "2026-11-09 08:00"));
    plan.changes.push(takes("Anna", Some("Bernd"), "2026-11-09 08:00", "2026-11-16 08:00"));
    assert_eq!(
        told(&plan, "2026-11-02 08:00", "2026-11-23 08:00"),
        [
            "11-02 08:00 - 11-09 08:00 Bernd Carla Anna",
            "11-09 08:00 - 11-16 08:00 Anna Carla Bernd",
            "11-16 08:00 - 11-23 08:00 Carla Anna Bernd"
        ]
    );
}

#[test]
fn where_everybody_is_away_there_is_a_gap_and_somebody_who_jumps_in_fills_it() {
    let mut plan = Plan { rotations: vec![rotation("Anna Bernd", "2026-11-02 08:00", 7)], ..Plan::default() };
    plan.changes.push(away("Anna", "2026-12-24", "2026-12-27"));
    assert_eq!(order(&plan, "2026-12-24 12:00"), "Bernd");
    plan.changes.push(away("Bernd", "2026-12-25", "2026-12-26"));
    let gaps = plan.gaps(when("2026-12-01"), when("2027-01-01"));
    assert_eq!((gaps.len(), gaps[0].from, gaps[0].until), (1, when("2026-12-25"), when("2026-12-26")));
    assert_eq!((gaps[0].why, gaps[0].duty()), (Why::Gap, None));
    assert!(plan.at(when("2026-12-25 12:00")).is_gap());
    plan.changes.push(takes("Carla", Some("Bernd"), "2026-12-25", "2026-12-26"));
    assert_eq!(order(&plan, "2026-12-25 12:00"), "Carla", "an absence removes after all overrides");
    assert_eq!(plan.gaps(when("2026-12-01"), when("2027-01-01")), []);
}

#[test]
fn public_holidays_and_weekdays_have_their_own_people() {
    let mut plan = three();
    plan.weekly.push(weekly("Dora", "holiday", "08:00", "08:00"));
    plan.weekly.push(weekly("Emil", "tue fri", "17:00", "08:00"));
    assert_eq!(order(&plan, "2026-12-25 07:59"), "Bernd Carla Anna", "Friday, still the night of Thursday");
    assert_eq!(order(&plan, "2026-12-25 08:00"), "Dora Bernd Carla Anna", "Christmas Day, a Friday");
    assert_eq!(order(&plan, "2026-12-25 17:00"), "Dora Emil Bernd Carla Anna", "a holiday counts more than a weekday");
    assert_eq!(order(&plan, "2026-12-27 07:59"), "Dora Bernd Carla Anna", "the night of the second day of Christmas");
    assert_eq!(order(&plan, "2026-12-29 16:59"), "Carla Anna Bernd");
    assert_eq!(order(&plan, "2026-12-30 07:59"), "Emil Carla Anna Bernd", "over midnight");
    assert_eq!(order(&plan, "2026-12-30 08:00"), "Carla Anna Bernd");
    assert_eq!(order(&plan, "2026-06-04 12:00"), "Dora", "Corpus Christi in Bavaria, before the rotation began");
}

#[test]
fn the_next_shift_and_the_next_hand_over_are_found() {
    let plan = three();
    let shift = plan.next_shift_of("Bernd", when("2026-11-03 10:00")).unwrap();
    assert_eq!((shift.from, shift.until), (when("2026-11-09 08:00"), when("2026-11-16 08:00")));
    let shift = plan.next_shift_of("Anna", when("2026-11-03 10:00")).unwrap();
    assert_eq!(shift.from, when("2026-11-23 08:00"), "the one that runs does not count");
    assert_eq!(plan.next_shift_of("Nobody", when("2026-11-03 10:00")), None);
    let next = plan.next_handover(when("2026-11-09 08:00")).unwrap();
    assert_eq!((next.from, next.duty()), (when("2026-11-16 08:00"), Some("Carla")));
    assert_eq!(plan.next_handover(when("2026-11-09 07:59")).unwrap().from, when("2026-11-09 08:00"));
}

#[test]
fn another_backup_is_no_hand_over() {
    let mut plan = three();
    plan.entries.push(entry("Dora", "2026-11-04", "2026-11-05", Role::Backup));
    assert_eq!(plan.next_handover(when("2026-11-03")).unwrap().from, when("2026-11-09 08:00"));
    assert_eq!(plan.next_shift_of("Anna", when("2026-11-03")).unwrap().from, when("2026-11-23 08:00"));
}

#[test]
fn local_times_are_read_or_refused() {
    assert_eq!(when("2026-12-24 08:00").to_rfc3339(), "2026-12-24T07:00:00+00:00");
    assert_eq!(when("2026-12-24T08:00:00+05:00").to_rfc3339(), "2026-12-24T03:00:00+00:00");
    assert_eq!(when("2026-07-01"), when("2026-07-01 00:00"));
    for bad in ["", "tomorrow", "2026-13-01", "2027-02-29", "2026-12-24 25:00", "9999-01-01", "-5000-01-01 00:00"] {
        assert_eq!(parse_instant(Berlin, bad), None, "{bad}");
    }
}

/// Every span touches the next, agrees with `at`, and differs from its neighbour.
fn tiles(plan: &Plan, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Shift> {
    let shifts = plan.shifts(from, until);
    assert_eq!((shifts[0].from, shifts.last().unwrap().until), (from, until));
    for pair in shifts.windows(2) {
        assert_eq!(pair[0].until, pair[1].from);
        assert_ne!(pair[0].order, pair[1].order);
    }
    for shift in &shifts {
        assert!(shift.from < shift.until, "{shift:?}");
        for at in [shift.from, shift.until - TimeDelta::milliseconds(1)] {
            assert_eq!(plan.at(at).order, shift.order, "{at}");
        }
    }
    shifts
}

/// Every minute is covered exactly once, by those whom `at` names.
fn every_minute(plan: &Plan, from: DateTime<Utc>, until: DateTime<Utc>) {
    let shifts = tiles(plan, from, until);
    let mut at = from;
    for shift in &shifts {
        while at < shift.until {
            let now = plan.at(at);
            assert_eq!(now.order, shift.order, "{at}");
            assert!(now.order.iter().all(|name| now.order.iter().filter(|other| *other == name).count() == 1));
            at += TimeDelta::minutes(1);
        }
    }
    assert_eq!(at, until);
}

const TEAM: [&str; 5] = ["Anna", "Bernd", "Carla", "Dora", "Emil"];

fn any_name() -> impl Strategy<Value = String> {
    prop::sample::select(&TEAM[..]).prop_map(str::to_owned)
}

fn any_role() -> impl Strategy<Value = Role> {
    prop_oneof![3 => Just(Role::Duty), 1 => Just(Role::Backup)]
}

/// A local time near one of four nights in which the clocks change, or anywhere in the years around them.
fn any_local() -> impl Strategy<Value = NaiveDateTime> {
    let nights = ["2026-10-25", "2027-03-28", "2027-10-31", "2028-03-26"];
    let near = (prop::sample::select(nights.to_vec()), -600i64..900)
        .prop_map(|(day, minutes)| parse_local(day).unwrap() + TimeDelta::minutes(minutes));
    let anywhere = (0i64..2 * 365 * 24 * 4)
        .prop_map(|quarter| parse_local("2026-07-01").unwrap() + TimeDelta::minutes(quarter * 15));
    prop_oneof![near, anywhere]
}

fn any_span() -> impl Strategy<Value = (DateTime<Utc>, DateTime<Utc>)> {
    (any_local(), 1i64..20_000)
        .prop_map(|(from, minutes)| (instant(Berlin, from), instant(Berlin, from + TimeDelta::minutes(minutes))))
}

fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (any_name(), any_span(), any_role()).prop_map(|(technician, (from, until), role)| Entry {
        technician,
        from,
        until,
        role,
    });
    prop::collection::vec(entry, 0..4)
}

prop_compose! {
    fn any_plan()(
        rotations in prop::collection::vec((prop::collection::vec(any_name(), 1..5), any_local(), 1u32..15), 0..3),
        weekly in prop::collection::vec((any_name(), any::<[bool; 7]>(), any::<bool>(), 0u32..96, 0u32..96, any_role()), 0..3),
        feeds in any_entries(),
        entries in any_entries(),
        changes in prop::collection::vec((any_name(), prop::option::of(any_name()), any::<bool>(), any_span()), 0..4),
        order in prop::collection::vec(any_name(), 0..3),
    ) -> Plan {
        let time = |quarter: u32| NaiveTime::from_num_seconds_from_midnight_opt(quarter * 900, 0).unwrap();
        Plan {
            hours: BusinessHours::default(),
            order,
            rotations: rotations.into_iter().map(|(technicians, begins, days)| Rotation { technicians, begins, days }).collect(),
            weekly: weekly.into_iter().map(|(technician, weekdays, holidays, from, until, role)| Weekly {
                technician, weekdays, holidays, from: time(from), until: time(until), role,
            }).collect(),
            feeds,
            entries,
            changes: changes.into_iter().map(|(technician, replaces, away, (from, until))| Change {
                kind: if away { ChangeKind::Absence } else { ChangeKind::Override { replaces } }, technician, from, until,
            }).collect(),
            last_resort: names("everyone"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn two_years_are_covered_without_hole_or_overlap_and_the_nights_of_the_clocks_minute_by_minute(plan in any_plan()) {
        tiles(&plan, when("2026-07-01"), when("2028-07-01"));
        for night in ["2026-10-24 22:00", "2027-03-27 22:00", "2027-10-30 22:00", "2028-03-25 22:00"] {
            every_minute(&plan, when(night), when(night) + TimeDelta::hours(9));
        }
    }

    #[test]
    fn what_follows_a_hand_over_is_what_the_shifts_say(plan in any_plan(), at in any_local()) {
        let now = instant(Berlin, at);
        if let Some(next) = plan.next_handover(now) {
            let duty = |at| plan.at(at).order.first().cloned();
            prop_assert!(next.from > now);
            prop_assert_ne!(duty(next.from), duty(now));
            prop_assert_eq!(duty(next.from - TimeDelta::milliseconds(1)), duty(now));
        }
    }
}

/// Every minute of ten years, on a plan with all layers:
/// `cargo test --release --locked --lib every_minute_of_ten_years -- --ignored`
#[test]
#[ignore = "takes minutes in a debug build"]
fn every_minute_of_ten_years() {
    let mut plan = three();
    plan.rotations.push(rotation("Dora Emil Anna", "2029-03-25 02:30", 3));
    plan.weekly.push(weekly("Dora", "holiday", "02:30", "02:30"));
    plan.weekly.push(weekly("Emil", "sat sun", "02:15", "02:45"));
    plan.entries.push(entry("Bernd", "2030-03-31 02:30", "2030-10-27 02:30", Role::Backup));
    plan.changes.push(away("Anna", "2031-10-26 02:10", "2032-03-28 02:40"));
    plan.changes.push(takes("Carla", Some("Bernd"), "2027-03-28 02:00", "2027-10-31 02:59"));
    every_minute(&plan, when("2026-11-02 08:00"), when("2036-11-02 08:00"));
}
