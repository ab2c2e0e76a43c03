//! Calendars fetched from a web server and from a file, and the commands of the roster by the real binary.

use crate::hosted::web::{Reply, Web};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::config::Settings;
use nachtwache::roster::feed::{Calendars, Complaint, FeedStep};
use nachtwache::runtime::clock::{Clock as _, HandClock};
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::{Store, notices};
use std::process::Command;
use std::sync::Arc;

const PEOPLE: &str = "[[technicians]]\nname = \"Anna\"\ntelegram_chat = 1\n\
                      [[technicians]]\nname = \"Bernd\"\ntelegram_chat = 2\n";

fn ics(events: &[(&str, &str)]) -> String {
    let event = |(name, day): &(&str, &str)| {
        format!("BEGIN:VEVENT\r\nUID:{name}{day}\r\nSUMMARY:{name}\r\nDTSTART;VALUE=DATE:{day}\r\nEND:VEVENT\r\n")
    };
    format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", events.iter().map(event).collect::<String>())
}

/// A calendar feed, its fetcher and its clock.
struct Office {
    store: Store,
    settings: Arc<Settings>,
    clock: HandClock,
    step: FeedStep,
    calendars: Calendars,
    folder: tempfile::TempDir,
}

impl Office {
    async fn with(feed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/a.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        let feed = feed.replace("FOLDER", &folder.path().display().to_string());
        let settings = format!("{PEOPLE}[[roster.feeds]]\nname = \"duty\"\nrefresh_min = 10\n{feed}");
        let settings = Arc::new(Settings::parse(&settings).unwrap());
        let clock = HandClock::at("2026-11-20T11:00:00Z".parse().unwrap());
        let step = FeedStep::new(store.clone(), settings.clone(), Arc::new(clock.clone())).unwrap();
        Self { store, settings, clock, step, calendars: Calendars::default(), folder }
    }

    async fn look(&mut self) -> Round {
        self.step.tick().await.unwrap()
    }

    /// Who has duty now; empty = a gap.
    async fn duty(&self) -> String {
        let (mut reader, now) = (self.store.read().await.unwrap(), self.clock.now());
        let plan = self.calendars.plan(&self.settings, &mut reader, now, now).await.unwrap();
        plan.at(now).order.join(" ")
    }

    async fn complaints(&self) -> Vec<Complaint> {
        let mut reader = self.store.read().await.unwrap();
        self.calendars.complaints(&self.settings, &mut reader, self.clock.now()).await.unwrap()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_calendar_on_the_web_says_who_has_duty_and_the_last_good_one_stays() {
    let web = Web::start().await;
    let mut office = Office::with(&format!("url = \"{}\"", web.url("/secret-key/duty.ics"))).await;
    assert_eq!(office.duty().await, "", "nothing is known yet: a gap, so the last resort");
    assert_eq!(office.complaints().await, []);
    web.on("duty.ics", Reply::File("text/calendar", ics(&[("Anna", "20261120"), ("Bernd", "20261121")]).into()));
    assert_eq!((office.look().await, office.look().await), (Round::Worked, Round::Idle));
    assert_eq!(office.duty().await, "Anna");
    web.clear();
    web.on("duty.ics", Reply::File("text/calendar", ics(&[("Bernd", "20261120")]).into()));
    office.clock.advance(TimeDelta::minutes(9));
    assert_eq!(office.look().await, Round::Idle, "it is not due yet");
    office.clock.advance(TimeDelta::minutes(1));
    assert_eq!(office.look().await, Round::Worked);
    assert_eq!(office.duty().await, "Bernd", "the newest counts");
    for bad in [
        Reply::Status(500),
        Reply::Status(404),
        Reply::Drop,
        Reply::File("text/html", b"<html>Please log in</html>".to_vec()),
        Reply::File("text/calendar", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n".to_vec()),
        Reply::File("text/calendar", vec![b' '; 2 * 1024 * 1024 + 1]),
        Reply::Moved("http://elsewhere.example/duty.ics".into()),
    ] {
        web.clear();
        web.on("duty.ics", bad.clone());
        office.clock.advance(TimeDelta::minutes(10));
        assert_eq!(office.look().await, Round::Worked);
        assert_eq!(office.duty().await, "Bernd", "after {bad:?}");
    }
    assert_eq!(office.complaints().await, [], "not yet a day");
    office.clock.advance(TimeDelta::hours(23));
    office.look().await;
    let complaints = office.complaints().await;
    let [Complaint::Stale { since, error, .. }] = complaints.as_slice() else { panic!("{complaints:?}") };
    assert_eq!(*since, at("2026-11-20T11:10:00Z"));
    assert!(error.contains("127.0.0.1") && !error.contains("secret-key"), "{error}");
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed() {
    let web = Web::start().await;
    web.on("old.ics", Reply::Moved("/new/duty".into()));
    web.on("new/duty", Reply::File("text/calendar", ics(&[("Anna", "20261120")]).into()));
    let mut office = Office::with(&format!("url = \"{}\"", web.url("/old.ics"))).await;
    office.look().await;
    assert_eq!(office.duty().await, "Anna");
}

#[tokio::test]
async fn a_calendar_file_that_is_missing_or_names_nobody_is_told() {
    let mut office = Office::with("path = \"FOLDER/duty.ics\"").await;
    office.look().await;
    let complaints = office.complaints().await;
    assert!(
        matches!(complaints.as_slice(), [Complaint::Never { error, .. }] if error.contains("duty.ics")),
        "{complaints:?}"
    );
    std::fs::write(office.folder.path().join("duty.ics"), ics(&[("Teamabend", "20261120")])).unwrap();
    office.clock.advance(TimeDelta::minutes(10));
    office.look().await;
    assert_eq!(office.complaints().await, [Complaint::NamesNobody { feed: "duty".into() }]);
    std::fs::write(office.folder.path().join("duty.ics"), ics(&[("Bernd", "20261120")])).unwrap();
    office.clock.advance(TimeDelta::minutes(10));
    office.look().await;
    assert_eq!((office.complaints().await, office.duty().await.as_str()), (Vec::new(), "Bernd"));
}

/// The real binary with settings of its own.
struct Shell(tempfile::TempDir);

impl Shell {
    fn new(roster: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let text = format!("[store]\nfolder = \"{}\"\n{PEOPLE}{roster}", store.display());
        std::fs::write(folder.path().join("n.toml"), text).unwrap();
        Self(folder)
    }

    /// Whether it went well, and what it printed.
    fn roster(&self, arguments: &[&str]) -> (bool, String) {
        let config = self.0.path().join("n.toml");
        let out = Command::new(env!("CARGO_BIN_EXE_nachtwache"))
            .args(["--config", config.to_str().unwrap(), "roster"])
            .args(arguments)
            .output()
            .unwrap();
        let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (out.status.success(), text)
    }

    fn told(&self, arguments: &[&str]) -> String {
        let (well, text) = self.roster(arguments);
        assert!(well, "{arguments:?}: {text}");
        text
    }

    fn refused(&self, arguments: &[&str], why: &str) {
        let (well, text) = self.roster(arguments);
        assert!(!well && text.contains(why), "{arguments:?}: {text}");
    }
}

/// Far enough ahead that no change is over.
const ROTATION: &str = "[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\nbegins = \"2098-11-03 08:00\"\n";

#[test]
fn the_commands_show_and_change_who_has_duty() {
    let feed = "[[roster.feeds]]\nname = \"duty\"\npath = \"/nowhere.ics\"\n";
    let shell = Shell::new(&format!("{ROTATION}{feed}"));
    let shown = shell.told(&["show", "--from", "2098-11-01", "--days", "16"]);
    assert!(shown.contains("calendar \"duty\": not read yet"), "{shown}");
    assert!(
        shown.contains(
            "GAP  nobody is on duty from Sat 2098-11-01 00:00 to Mon 2098-11-03 08:00: told instead: everyone"
        ),
        "{shown}"
    );
    assert!(shown.contains("Mon 2098-11-03 08:00   Mon 2098-11-10 08:00   Anna   Bernd  rotation"), "{shown}");
    assert!(shown.contains("public holiday: Sat 2098-11-01 Allerheiligen"), "{shown}");
    assert!(
        shown.contains("there is no store yet") && !shell.0.path().join("store").exists(),
        "reading makes no store"
    );

    let (night, morning) = ("2098-11-04 18:00", "2098-11-05 08:00");
    let made = shell.told(&["override", "bernd", "--from", night, "--until", morning, "--instead-of", "Anna"]);
    assert_eq!(
        shell.told(&["who", "--at", "2098-11-04 20:00"]),
        "Bernd, backup Anna (by override), until Wed 2098-11-05 08:00\n"
    );
    assert_eq!(
        shell.told(&["who", "--at", "2098-11-05 08:00"]),
        "Anna, backup Bernd (by rotation), until Mon 2098-11-10 08:00\n"
    );
    let id = made.lines().next().unwrap().strip_prefix("change ").unwrap();
    let shown = shell.told(&["show", "--from", "2098-11-03", "--days", "7"]);
    assert!(shown.contains(&format!("change {id} (active): Bernd instead of Anna")), "{shown}");
    shell.told(&["withdraw", id]);
    shell.refused(&["withdraw", id], "roster show");
    assert!(shell.told(&["who", "--at", "2098-11-04T19:00:00Z"]).starts_with("Anna"));

    shell.told(&["absence", "Anna", "--from", "2098-11-06", "--until", "2098-11-08"]);
    let made = shell.told(&["absence", "Bernd", "--from", "2098-11-07", "--until", "2098-11-09"]);
    assert!(made.contains("GAP  nobody is on duty from Fri 2098-11-07 00:00 to Sat 2098-11-08 00:00"), "{made}");
    assert_eq!(
        shell.told(&["who", "--at", "2098-11-07 12:00"]),
        "NOBODY, until Sat 2098-11-08 00:00: told instead: everyone\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&shell.told(&["who", "--at", "2098-11-07 12:00", "--json"])).unwrap();
    assert_eq!((json["gap"].as_bool(), json["duty"].is_null()), (Some(true), true));
}

#[tokio::test]
async fn a_change_by_command_is_told_to_both_and_so_is_its_end() {
    let shell = Shell::new(ROTATION);
    let (night, morning) = ("2098-11-04 18:00", "2098-11-05 08:00");
    let made = shell.told(&["override", "Bernd", "--from", night, "--until", morning, "--instead-of", "Anna"]);
    shell.told(&["withdraw", made.lines().next().unwrap().strip_prefix("change ").unwrap()]);
    let folder = shell.0.path().join("store");
    let url = format!("sqlite://{}/nachtwache.db", folder.display());
    let store = Store::open(&url, &folder.join("sound")).await.unwrap();
    let told = notices::all(&mut store.read().await.unwrap()).await.unwrap();
    let told: Vec<_> = told.into_iter().map(|one| (one.recipient, one.loud, one.body.unwrap())).collect();
    let expected = [
        ("Bernd", "Du hast den Dienst von Anna übernommen"),
        ("Anna", "Bernd hat deinen Dienst übernommen"),
        ("Anna", "Du hast den Dienst von Bernd übernommen"),
        ("Bernd", "Anna hat deinen Dienst übernommen"),
    ];
    let time = "Di 04.11. 18:00 – Mi 05.11. 08:00";
    assert_eq!(told, expected.map(|(who, text)| (who.to_owned(), false, format!("✅ {text}\n{time}"))));
}

#[test]
fn two_swap_their_weeks() {
    let shell = Shell::new(ROTATION);
    let (first, second, end) = ("2098-11-03 08:00", "2098-11-10 08:00", "2098-11-17 08:00");
    shell.told(&["swap", "Anna", "--from", first, "--until", second, "Bernd", "--from", second, "--until", end]);
    assert!(shell.told(&["who", "--at", first]).starts_with("Bernd, backup Anna"));
    assert!(shell.told(&["who", "--at", second]).starts_with("Anna, backup Bernd"));
    assert!(shell.told(&["who", "--at", end]).starts_with("Anna, backup Bernd"));
    let json: serde_json::Value =
        serde_json::from_str(&shell.told(&["show", "--from", first, "--days", "14", "--json"])).unwrap();
    assert_eq!(json["shifts"].as_array().unwrap().len(), 2);
    assert_eq!(json["changes"].as_array().unwrap().len(), 2);
    assert_eq!(json["shifts"][0]["why"], "override");
}

#[test]
fn what_makes_no_sense_is_refused_with_the_remedy() {
    let shell = Shell::new(ROTATION);
    let (from, until) = ("2098-11-04", "2098-11-05");
    shell.refused(&["override", "Carla", "--from", from, "--until", until], "known: Anna, Bernd");
    shell.refused(&["override", "Anna", "--from", until, "--until", from], "is not after");
    shell.refused(&["override", "Anna", "--from", "soon", "--until", until], "2026-12-24 08:00");
    shell.refused(&["override", "Anna", "--from", "2020-01-01", "--until", "2020-01-02"], "over already");
    shell.refused(&["override", "Anna", "--from", from, "--until", until, "--instead-of", "anna"], "himself");
    shell.refused(&["swap", "Anna", "Bernd", "--from", from, "--until", until], "each with --from and --until");
    let overlap =
        ["swap", "Anna", "Bernd", "--from", from, "--until", "2098-11-06", "--from", until, "--until", "2098-11-07"];
    shell.refused(&overlap, "overlap");
    shell.refused(&["withdraw", "x"], "there is no store");
    let nothing = shell.told(&["override", "Anna", "--from", from, "--until", until]);
    assert!(nothing.contains("changes nothing"), "{nothing}");
}

#[test]
fn every_exported_event_has_what_other_programs_ask_for() {
    let begins = "[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\nbegins = \"2020-01-06 08:00\"\ndays = 2\n";
    let ics = Shell::new(begins).told(&["export", "--days", "30"]);
    assert!(ics.starts_with("BEGIN:VCALENDAR\r\n") && ics.ends_with("END:VCALENDAR\r\n"), "{ics}");
    assert!(ics.matches("BEGIN:VEVENT").count() >= 15);
    for event in ics.split("BEGIN:VEVENT").skip(1) {
        for key in ["UID:", "DTSTAMP:", "DTSTART:", "DTEND:", "SUMMARY:"] {
            assert!(event.contains(key), "{key} is missing in {event}");
        }
    }
}
