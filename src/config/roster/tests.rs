use super::*;
use crate::config::ConfigError;

const PEOPLE: &str = "[[technicians]]\nname = \"Anna\"\ntelegram_chat = 1\ncalendar = [\"AM\"]\n\
                      [[technicians]]\nname = \"Bernd\"\ntelegram_chat = 2\n";

fn settings(roster: &str) -> Settings {
    Settings::parse(&format!("{PEOPLE}{roster}")).unwrap()
}

fn complaint(roster: &str) -> String {
    match Settings::parse(&format!("{PEOPLE}{roster}")) {
        Err(ConfigError::Invalid(wrong)) => wrong.join("\n"),
        Err(error) => error.to_string(),
        Ok(_) => panic!("taken: {roster}"),
    }
}

fn order(settings: &Settings, at: &str) -> Vec<String> {
    let plan = settings.plan(&[], Vec::new());
    plan.at(parse_instant(plan.hours.zone, at).unwrap()).order
}

#[test]
fn a_firm_of_two_needs_no_plan() {
    assert_eq!(order(&settings(""), "2026-12-24 03:00"), ["Anna", "Bernd"]);
    assert_eq!(order(&settings("[roster]\norder = [\"Bernd\"]\n"), "2026-12-24 03:00"), ["Bernd"]);
}

#[test]
fn a_plan_says_who_and_where_it_says_nothing_there_is_a_gap() {
    let entries = "[[roster.entries]]\ntechnician = \"Bernd\"\nfrom = \"2026-12-24\"\nuntil = \"2026-12-25\"\n";
    assert_eq!(order(&settings(entries), "2026-12-24 03:00"), ["Bernd"]);
    assert_eq!(order(&settings(entries), "2026-12-25 00:00"), [""; 0]);
    let with_order = format!("[roster]\norder = [\"Anna\"]\n{entries}");
    assert_eq!(order(&settings(&with_order), "2026-12-24 03:00"), ["Bernd", "Anna"]);
    assert_eq!(order(&settings(&with_order), "2026-12-25 00:00"), ["Anna"]);
}

#[test]
fn every_part_of_the_roster_is_read() {
    let settings = settings(
        "[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\nbegins = \"2026-11-30 08:00\"\n\
         [[roster.weekly]]\ntechnician = \"Bernd\"\nweekdays = [\"tue\", \"holiday\"]\nfrom = \"18:00\"\nuntil = \"08:00\"\n\
         [[roster.overrides]]\ntechnician = \"Anna\"\ninstead_of = \"Bernd\"\nfrom = \"2026-12-01 20:00\"\nuntil = \"2026-12-01 22:00\"\n\
         [[roster.absences]]\ntechnician = \"Anna\"\nfrom = \"2026-12-03\"\nuntil = \"2026-12-04\"\n",
    );
    assert_eq!(order(&settings, "2026-12-01 17:59"), ["Anna", "Bernd"]);
    assert_eq!(order(&settings, "2026-12-02 07:59"), ["Bernd", "Anna"]);
    assert_eq!(order(&settings, "2026-12-01 21:00"), ["Anna", "Bernd"]);
    assert_eq!(order(&settings, "2026-12-03 12:00"), ["Bernd"]);
    let changes = [Change {
        kind: ChangeKind::Absence,
        technician: "Bernd".into(),
        from: "2026-12-03T11:00:00Z".parse().unwrap(),
        until: "2026-12-03T12:00:00Z".parse().unwrap(),
    }];
    let plan = settings.plan(&changes, Vec::new());
    assert!(plan.at("2026-12-03T11:30:00Z".parse().unwrap()).is_gap());
    assert_eq!(plan.last_resort, ["everyone"]);
}

/// What makes no sense, and the beginning of the complaint.
const WRONG: &[(&str, &str)] = &[
    ("[roster]\norder = [\"Carla\"]\n", "roster.order: \"Carla\" is no technician"),
    ("[roster]\nlast_resort = []\n", "roster.last_resort: the list is empty"),
    ("[roster]\nlast_resort = [\"office\"]\n", "roster.last_resort: \"office\" reaches nobody"),
    ("[roster]\nlast_resort = [\"duty\"]\n", "roster.last_resort: \"duty\" is nobody in a gap"),
    ("[roster]\nlast_resort = [\"Carla\"]\n", "roster.last_resort: \"Carla\" is nobody"),
    (
        "[[roster.rotations]]\ntechnicians = []\nbegins = \"2026-11-30\"\n",
        "roster.rotations.technicians: the list is empty",
    ),
    (
        "[[roster.rotations]]\ntechnicians = [\"Carla\"]\nbegins = \"2026-11-30\"\n",
        "roster.rotations.technicians: \"Carla\"",
    ),
    ("[[roster.rotations]]\ntechnicians = [\"Anna\"]\nbegins = \"soon\"\n", "roster.rotations.begins: \"soon\""),
    ("[[roster.rotations]]\ntechnicians = [\"Anna\"]\nbegins = \"2026-11-30\"\ndays = 0\n", "roster.rotations.days: 0"),
    ("[[roster.weekly]]\ntechnician = \"Anna\"\nweekdays = [\"xmas\"]\n", "roster.weekly.weekdays: \"xmas\" is no day"),
    ("[[roster.weekly]]\ntechnician = \"Anna\"\nweekdays = []\n", "roster.weekly.weekdays: no day"),
    (
        "[[roster.weekly]]\ntechnician = \"Anna\"\nweekdays = [\"mon\"]\nfrom = \"25:00\"\n",
        "roster.weekly.from: \"25:00\"",
    ),
    ("[[roster.weekly]]\ntechnician = \"Anna\"\nweekdays = [\"mon\"]\nrole = \"boss\"\n", "unknown variant `boss`"),
    (
        "[[roster.entries]]\ntechnician = \"Carla\"\nfrom = \"2026-12-24\"\nuntil = \"2026-12-25\"\n",
        "roster.entries.technician",
    ),
    (
        "[[roster.entries]]\ntechnician = \"Anna\"\nfrom = \"2026-12-24\"\nuntil = \"2026-12-24\"\n",
        "roster.entries.until",
    ),
    (
        "[[roster.overrides]]\ntechnician = \"Anna\"\nfrom = \"24.12.\"\nuntil = \"2026-12-24\"\n",
        "roster.overrides.from",
    ),
    (
        "[[roster.overrides]]\ntechnician = \"Anna\"\ninstead_of = \"Carla\"\nfrom = \"2026-12-23\"\nuntil = \"2026-12-24\"\n",
        "roster.overrides.instead_of",
    ),
    (
        "[[roster.absences]]\ntechnician = \"Anna\"\nfrom = \"2026-12-24\"\nuntil = \"2026-12-23\"\n",
        "roster.absences.until",
    ),
    ("[[roster.feeds]]\nname = \"a\"\n", "roster.feeds: \"a\" needs either url or path"),
    ("[[roster.feeds]]\nname = \"\"\npath = \"/a.ics\"\n", "roster.feeds.name"),
    ("[[roster.feeds]]\nname = \"a\"\nurl = \"ftp://a/secret\"\n", "roster.feeds.url"),
    ("[[roster.feeds]]\nname = \"a\"\npath = \"/a.ics\"\nrefresh_min = 0\n", "roster.feeds.refresh_min: 0"),
    (
        "[[technicians]]\nname = \"Carla\"\ntelegram_chat = 3\ncalendar = [\"am\"]\n",
        "technicians.calendar: \"am\" means \"Anna\"",
    ),
];

#[test]
fn what_makes_no_sense_is_named_with_its_key() {
    for (roster, key) in WRONG {
        let told = complaint(roster);
        assert!(told.contains(key) && !told.contains("secret"), "{key} is missing in: {told}");
    }
}

#[test]
fn two_rotations_at_one_time_are_refused_and_an_hour_that_does_not_happen_makes_no_span() {
    let rotation = "[[roster.rotations]]\ntechnicians = [\"Anna\"]\nbegins = \"2026-11-30 08:00\"\n";
    assert!(complaint(&rotation.repeat(2)).contains("two rotations begin"));
    let gap = "[[roster.entries]]\ntechnician = \"Anna\"\nfrom = \"2027-03-28 02:30\"\nuntil = \"2027-03-28 03:00\"\n";
    assert!(complaint(gap).contains("roster.entries.until"), "02:30 is 03:30 in that night");
}

#[test]
fn whoever_left_the_firm_is_left_out_of_changes_and_calendars() {
    let (from, until) = ("2026-12-03T11:00:00Z".parse().unwrap(), "2026-12-03T12:00:00Z".parse().unwrap());
    let kind = ChangeKind::Override { replaces: None };
    let changes = [Change { kind, technician: "Carla".into(), from, until }];
    let feeds = vec![Entry { technician: "Carla".into(), from, until, role: Role::Duty }];
    assert_eq!(settings("").plan(&changes, feeds).at(from).order, ["Anna", "Bernd"]);
}
