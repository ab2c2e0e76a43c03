use super::*;
use crate::domain::roster::{Plan, Role, Shift, Why, parse_instant};
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

fn person(name: &str, words: &[&str]) -> Person {
    Person { name: name.into(), words: words.iter().map(|&word| word.to_owned()).collect() }
}

fn people() -> Vec<Person> {
    vec![person("Anna", &["AM", "Müller"]), person("Bernd", &[]), person("Anna Lena", &[]), person("Jörg", &[])]
}

fn when(text: &str) -> DateTime<Utc> {
    parse_instant(Berlin, text).unwrap()
}

fn reading(people: &[Person]) -> Reading<'_> {
    Reading { people, zone: Berlin, now: when("2026-11-15 12:00") }
}

fn calendar(events: &str) -> Calendar {
    let text = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
    read(&text, &reading(&people())).unwrap()
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\r\nUID:one\r\n{}\r\nEND:VEVENT\r\n", lines.replace('\n', "\r\n"))
}

/// Entries as "technician role from until", local times.
fn told(calendar: &Calendar) -> Vec<String> {
    let shown = |at: DateTime<Utc>| at.with_timezone(&Berlin).format("%Y-%m-%d %H:%M").to_string();
    let entry =
        |one: &Entry| format!("{} {} {} - {}", one.technician, one.role.as_str(), shown(one.from), shown(one.until));
    calendar.entries.iter().map(entry).collect()
}

fn one(lines: &str) -> Vec<String> {
    told(&calendar(&event(lines)))
}

fn oddity(lines: &str) -> Vec<Oddity> {
    calendar(&event(lines)).odd.into_iter().map(|odd| odd.why).collect()
}

fn named(summary: &str) -> String {
    let lines = format!("SUMMARY:{summary}\nDTSTART:20261120\n");
    let calendar = calendar(&event(&lines));
    let of = |entry: &Entry| format!("{} {}", entry.technician, entry.role.as_str());
    let odd = calendar.odd.iter().map(|odd| format!("{:?}", odd.why));
    calendar.entries.iter().map(of).chain(odd).collect::<Vec<_>>().join(", ")
}

#[test]
fn whole_days_zones_utc_and_times_without_a_zone_are_understood() {
    assert_eq!(
        one("SUMMARY:Anna\nDTSTART;VALUE=DATE:20261120\nDTEND;VALUE=DATE:20261122"),
        ["Anna duty 2026-11-20 00:00 - 2026-11-22 00:00"]
    );
    assert_eq!(one("SUMMARY:Anna\nDTSTART;VALUE=DATE:20261120"), ["Anna duty 2026-11-20 00:00 - 2026-11-21 00:00"]);
    assert_eq!(
        one("SUMMARY:Anna\nDTSTART:20261120T170000Z\nDTEND:20261121T070000Z"),
        ["Anna duty 2026-11-20 18:00 - 2026-11-21 08:00"]
    );
    assert_eq!(
        one("SUMMARY:Anna\nDTSTART:20261120T180000\nDTEND:20261121T080000"),
        ["Anna duty 2026-11-20 18:00 - 2026-11-21 08:00"]
    );
    assert_eq!(
        one("SUMMARY:Anna\nDTSTART;TZID=America/New_York:20261120T120000\nDURATION:PT14H"),
        ["Anna duty 2026-11-20 18:00 - 2026-11-21 08:00"]
    );
    for zone in ["W. Europe Standard Time", "\"W. Europe Standard Time\"", "/example.org/20260101/Europe/Berlin"] {
        assert_eq!(
            one(&format!("SUMMARY:Anna\nDTSTART;TZID={zone}:20261120T180000\nDTEND;TZID={zone}:20261121T080000")),
            ["Anna duty 2026-11-20 18:00 - 2026-11-21 08:00"],
            "{zone}"
        );
    }
    let unknown = "SUMMARY:Anna\nDTSTART;TZID=Home:20261120T180000\nDTEND;TZID=Home:20261121T080000";
    assert_eq!(one(unknown), ["Anna duty 2026-11-20 18:00 - 2026-11-21 08:00"]);
    assert_eq!(oddity(unknown), [Oddity::Zone]);
}

#[test]
fn a_series_keeps_its_wall_clock_time_through_the_nights_of_the_clocks() {
    let weekly = "SUMMARY:Bernd\nDTSTART;TZID=Europe/Berlin:20261019T080000\nDTEND;TZID=Europe/Berlin:20261026T080000\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3";
    let calendar = calendar(&event(weekly));
    assert_eq!(
        told(&calendar),
        [
            "Bernd duty 2026-10-19 08:00 - 2026-10-26 08:00",
            "Bernd duty 2026-11-02 08:00 - 2026-11-09 08:00",
            "Bernd duty 2026-11-16 08:00 - 2026-11-23 08:00"
        ]
    );
    assert_eq!(calendar.entries[0].until - calendar.entries[0].from, TimeDelta::hours(7 * 24 + 1));
    let nights = one(
        "SUMMARY:Anna\nDTSTART;TZID=Europe/Berlin:20270327T023000\nDTEND;TZID=Europe/Berlin:20270328T023000\nRRULE:FREQ=DAILY;COUNT=3",
    );
    assert_eq!(
        nights,
        [
            "Anna duty 2027-03-27 02:30 - 2027-03-28 03:30",
            "Anna duty 2027-03-28 03:30 - 2027-03-29 02:30",
            "Anna duty 2027-03-29 02:30 - 2027-03-30 02:30"
        ]
    );
}

#[test]
fn exceptions_moved_and_cancelled_events_and_added_ones_are_kept() {
    let series = "SUMMARY:Anna\nDTSTART;TZID=Europe/Berlin:20261102T080000\nDTEND;TZID=Europe/Berlin:20261103T080000\n\
                  RRULE:FREQ=WEEKLY;UNTIL=20261207T070000Z\nEXDATE;TZID=Europe/Berlin:20261109T080000\nRDATE:20261205T110000Z";
    let moved = "SUMMARY:Bernd\nDTSTART;TZID=Europe/Berlin:20261117T080000\nDTEND;TZID=Europe/Berlin:20261118T080000\n\
                 RECURRENCE-ID;TZID=Europe/Berlin:20261116T080000";
    let cancelled = "SUMMARY:Anna\nSTATUS:CANCELLED\nDTSTART:20261123T070000Z\nDTEND:20261124T070000Z\nRECURRENCE-ID:20261123T070000Z";
    let calendar = calendar(&[series, moved, cancelled].map(event).concat());
    assert_eq!(
        told(&calendar),
        [
            "Anna duty 2026-11-02 08:00 - 2026-11-03 08:00",
            "Bernd duty 2026-11-17 08:00 - 2026-11-18 08:00",
            "Anna duty 2026-11-30 08:00 - 2026-12-01 08:00",
            "Anna duty 2026-12-05 12:00 - 2026-12-06 12:00",
            "Anna duty 2026-12-07 08:00 - 2026-12-08 08:00",
        ]
    );
    assert_eq!(one("SUMMARY:Anna\nSTATUS:CANCELLED\nDTSTART:20261123T070000Z\nDTEND:20261124T070000Z"), [""; 0]);
    assert_eq!(
        one("SUMMARY:Anna\nDTSTART;VALUE=DATE:20261102\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261103"),
        ["Anna duty 2026-11-02 00:00 - 2026-11-03 00:00", "Anna duty 2026-11-04 00:00 - 2026-11-05 00:00"]
    );
}

#[test]
fn a_series_that_began_long_ago_is_followed_and_its_end_counts() {
    let old = one("SUMMARY:Anna\nDTSTART:19990104T070000Z\nDTEND:19990105T070000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2");
    assert!(old.contains(&"Anna duty 2026-11-16 08:00 - 2026-11-17 08:00".to_owned()), "{old:#?}");
    assert!(!old.iter().any(|line| line.contains("2026-11-09")), "the phase is kept");
    assert_eq!(old.len(), 57, "400 days back and 400 ahead");
    let ended = "SUMMARY:Anna\nDTSTART;VALUE=DATE:20261101\nRRULE:FREQ=DAILY;UNTIL=20261103";
    assert_eq!(one(ended).len(), 3, "the last day counts");
    assert_eq!(one("SUMMARY:Anna\nDTSTART;VALUE=DATE:20261101\nRRULE:FREQ=DAILY;UNTIL=20261001").len(), 1);
    let month = one("SUMMARY:Anna\nDTSTART;VALUE=DATE:20261106\nRRULE:FREQ=MONTHLY;BYDAY=1FR;COUNT=3");
    assert_eq!(month.last().unwrap(), "Anna duty 2027-01-01 00:00 - 2027-01-02 00:00");
}

#[test]
fn a_name_is_a_whole_word_and_the_words_before_it_tell_the_role() {
    for (summary, want) in [
        ("Anna", "Anna duty"),
        ("Bereitschaft: anna", "Anna duty"),
        ("Dienst (AM)", "Anna duty"),
        ("Frau MÜLLER", "Anna duty"),
        ("JÖRG", "Jörg duty"),
        ("Anna Lena", "Anna Lena duty"),
        ("Anna / Bernd", "Anna duty, Bernd backup"),
        ("Dienst: Bernd\\, Vertretung: Anna", "Bernd duty, Anna backup"),
        ("Backup Bernd", "Bernd backup"),
        ("Back-up: Bernd\\, Dienst: Anna", "Bernd backup, Anna duty"),
        ("Anna Anna", "Anna duty"),
        ("Hannah und Annabell", "Nameless"),
        ("Bernds Geburtstag", "Nameless"),
        ("Teamabend", "Nameless"),
        ("Urlaub Anna", "Away"),
        ("", "Nameless"),
    ] {
        assert_eq!(named(summary), want, "{summary}");
    }
}

#[test]
fn what_cannot_be_read_costs_only_itself() {
    let text = [
        "SUMMARY:Anna\nDTSTART:soon",
        "SUMMARY:Anna\nDTSTART:20261120T080000Z",
        "SUMMARY:Anna\nDTSTART:20261120T080000Z\nDTEND:20261120T070000Z",
        "SUMMARY:Anna\nDTSTART:99991231T235959Z\nDURATION:P999999W",
        "this is no line\nSUMMARY:Bernd\nDTSTART:20261120\nBEGIN:VALARM\nSUMMARY:Anna\nTRIGGER:-PT15M\nEND:VALARM",
        "SUMMARY:Anna\nDTSTART:20261121\nRRULE:FREQ=HOURLY",
        "SUMMARY:Anna\nDTSTART:20261123\nRRULE:FREQ=WEEKLY;BYDAY=XX",
    ];
    let calendar = calendar(&text.map(event).concat());
    assert_eq!(
        told(&calendar),
        [
            "Bernd duty 2026-11-20 00:00 - 2026-11-21 00:00",
            "Anna duty 2026-11-21 00:00 - 2026-11-22 00:00",
            "Anna duty 2026-11-23 00:00 - 2026-11-24 00:00"
        ]
    );
    let why: Vec<Oddity> = calendar.odd.iter().map(|odd| odd.why).collect();
    assert_eq!(why, [Oddity::Time, Oddity::Time, Oddity::Time, Oddity::Time, Oddity::Rule, Oddity::Rule]);
    assert_eq!(oddity("SUMMARY:Teamabend\nDTSTART:20200101"), [], "what is long ago is not told");
}

#[test]
fn folded_lines_byte_marks_and_lower_case_are_read_and_a_part_of_a_calendar_is_not() {
    let text = "\u{feff}begin:vcalendar\nbegin:vevent\nuid:1\nsummary:Ber\n nd\ndtstart;value=date:20261120\nend:vevent\nend:vcalendar";
    let people = people();
    assert_eq!(read(text, &reading(&people)).unwrap().entries.len(), 1);
    assert_eq!(read(&text[..text.len() - 14], &reading(&people)), Err(IcalError::CutOff));
    assert_eq!(read("<html>", &reading(&people)), Err(IcalError::NoCalendar));
    assert_eq!(read("", &reading(&people)), Err(IcalError::NoCalendar));
    assert_eq!(read(&" ".repeat(MAX_BYTES + 1), &reading(&people)), Err(IcalError::TooLarge));
}

#[test]
fn the_largest_and_the_deepest_calendar_end_in_bounded_work() {
    let daily = event("SUMMARY:Anna Bernd\nDTSTART:19000101\nRRULE:FREQ=DAILY");
    let many = calendar(&daily.repeat(6000));
    assert!(many.is_cut && many.entries.len() == MAX_EVENTS);
    let deep = calendar(&format!("{}{}", "BEGIN:VEVENT\r\n".repeat(100_000), event("SUMMARY:Anna\nDTSTART:20261120")));
    assert_eq!(deep.entries, []);
    let never = event("SUMMARY:Anna\nDTSTART:20200101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30");
    let never = calendar(&never.repeat(40));
    assert!(never.entries.is_empty() && never.is_cut, "the work is bounded, and that is told");
}

#[test]
fn what_is_exported_is_read_back_as_the_same_order() {
    let shift = |from: &str, until: &str, order: &[&str]| Shift {
        from: when(from),
        until: when(until),
        order: order.iter().map(|&name| name.to_owned()).collect(),
        why: Why::Rotation,
    };
    let shifts = [
        shift("2026-10-19 08:00", "2026-10-26 08:00", &["Anna", "Bernd", "Jörg"]),
        shift("2026-10-26 08:00", "2026-11-02 08:00", &["Anna Lena"]),
        shift("2026-11-02 08:00", "2026-11-03 08:00", &[]),
        shift("2026-11-03 08:00", "2026-11-09 08:00", &["Jörg", "Anna"]),
    ];
    let text = export(&shifts, when("2026-11-15 12:00"));
    assert_eq!(text, export(&shifts, when("2026-11-15 12:00")), "the same each time");
    assert!(text.contains("UID:20261019T060000Z@roster.nachtwache\r\n") && text.contains("DTSTART:20261019T060000Z"));
    let people = people();
    let feeds = read(&text, &reading(&people)).unwrap();
    assert_eq!(feeds.odd, []);
    let plan = Plan { feeds: feeds.entries, ..Plan::default() };
    let back = plan.shifts(when("2026-10-19 08:00"), when("2026-11-09 08:00"));
    let orders =
        |shifts: &[Shift]| shifts.iter().map(|one| (one.from, one.until, one.order.clone())).collect::<Vec<_>>();
    assert_eq!(orders(&back), orders(&shifts));
}

/// Lines as calendars have them, with anything in their values.
fn any_line() -> impl Strategy<Value = String> {
    let time = || {
        prop_oneof![
            "2026(0[1-9]|1[0-2])[0-3][0-9]",
            "202[5-7](0[1-9]|1[0-2])[0-3][0-9]T[0-2][0-9][0-6][0-9]00Z?",
            "[0-9TZ]{0,16}",
        ]
    };
    prop_oneof![
        "SUMMARY:(Anna|Bernd|Backup|[^\r\n]){0,4}",
        time().prop_map(|at| format!("DTSTART:{at}")),
        time().prop_map(|at| format!("DTSTART;TZID=Europe/Berlin:{at}")),
        time().prop_map(|at| format!("DTEND:{at}")),
        time().prop_map(|at| format!("EXDATE:{at}")),
        time().prop_map(|at| format!("RECURRENCE-ID:{at}")),
        "DURATION:P[0-9WDTHMS]{0,8}",
        "RRULE:FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY|HOURLY)(;(INTERVAL|COUNT|BYMONTH|BYMONTHDAY|BYSETPOS|BYWEEKNO|BYYEARDAY|BYDAY|UNTIL|WKST)=[-0-9MOTUWEFR,]{1,5}){0,3}",
        "(BEGIN|END):(VEVENT|VALARM|VCALENDAR)",
        "[^\r\n]{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_lines_make_it_panic_and_every_entry_has_a_length(lines in prop::collection::vec(any_line(), 0..40)) {
        let people = people();
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR\n", lines.join("\n"));
        if let Ok(calendar) = read(&text, &reading(&people)) {
            prop_assert!(calendar.entries.len() <= MAX_EVENTS && calendar.odd.len() <= MAX_ODD);
            prop_assert!(calendar.entries.iter().all(|entry| entry.from < entry.until));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let people = people();
        let text = format!("BEGIN:VCALENDAR\n{}\nEND:VCALENDAR", String::from_utf8_lossy(&bytes));
        drop(read(&text, &reading(&people)));
    }
}

#[test]
fn a_role_is_not_lost() {
    let calendar = calendar(&event("SUMMARY:Vertretung Bernd\nDTSTART:20261120"));
    assert_eq!(calendar.entries[0].role, Role::Backup);
}
