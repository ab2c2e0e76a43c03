//! The list at each opening: complete, once, and readable on a phone. Covers F-116 (nobody notices that all is quiet), F-02.

use crate::mail_server::{MailServer, readable};
use crate::world::{ANNA, EMERGENCY, NO_EMERGENCY, OFFICE, World};
use chrono::TimeDelta;
use nachtwache::domain::act::Act;
use nachtwache::domain::case::Reason;
use nachtwache::escalate::morning::MorningStep;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::worker::Step as _;
use nachtwache::store::{paths, troubles};
use std::sync::Arc;

impl World {
    /// A step as a start makes it: nothing is kept in memory.
    async fn list(&self) {
        let clock = Arc::new(self.clock.clone());
        let (store, settings, roster) = (self.store.clone(), self.settings.clone(), self.roster.clone());
        let mut step = MorningStep::new(store, settings, roster, clock, Bells::default()).unwrap();
        step.tick().await.unwrap();
        self.settle().await;
    }

    async fn until(&self, at: &str) {
        let at = at.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        self.clock.advance(at - self.clock.now());
        self.settle().await;
    }

    fn lists(&self) -> Vec<String> {
        self.phone(OFFICE).into_iter().map(|one| one.text).filter(|text| text.starts_with("☀")).collect()
    }
}

#[tokio::test]
async fn a_quiet_night_is_a_list_too_once_over_restarts() {
    let world = World::at("2026-11-24T06:59:00Z", None, "").await;
    world.list().await;
    assert!(world.lists().is_empty(), "not before the opening");
    world.clock.advance(TimeDelta::minutes(1));
    for _ in 0..3 {
        world.list().await;
    }
    assert_eq!(world.lists(), ["☀ Morgenliste Di 24.11. 08:00\nNichts eingegangen seit Mo 23.11. 08:00."]);
    assert!(world.phone(OFFICE)[0].silent);
    world.until("2026-11-24T12:00:00Z").await;
    world.list().await;
    assert_eq!(world.lists().len(), 1, "the afternoon is no opening of the day");
    world.until("2026-11-25T07:00:00Z").await;
    world.list().await;
    assert_eq!(world.lists()[1], "☀ Morgenliste Mi 25.11. 08:00\nNichts eingegangen seit Di 24.11. 08:00.");
}

#[tokio::test]
async fn after_an_outage_over_the_opening_it_comes_as_soon_as_we_are_back() {
    let world = World::at("2026-11-24T10:47:00Z", None, "").await;
    world.list().await;
    assert!(world.lists()[0].starts_with("☀ Morgenliste Di 24.11. 11:47"));
}

#[tokio::test]
async fn on_days_off_there_is_none_and_the_next_one_tells_of_them() {
    // Fr 25.12. is a holiday, then the weekend
    let mut world = World::at("2026-12-24T07:00:00Z", None, "").await;
    world.list().await;
    for day in ["2026-12-25T08:00:00Z", "2026-12-26T08:00:00Z", "2026-12-27T08:00:00Z"] {
        world.until(day).await;
        world.list().await;
    }
    assert_eq!(world.lists().len(), 1);
    world.hear(NO_EMERGENCY).await;
    world.until("2026-12-28T07:00:00Z").await;
    world.list().await;
    assert!(world.lists()[1].contains("1 Nachricht seit Do 24.12. 08:00:\n1 × kein Notfall"), "{:?}", world.lists());
}

#[tokio::test]
async fn a_whole_weekend_is_told_with_what_is_open_first() {
    let more =
        "[[roster.weekly]]\ntechnician = \"Anna\"\nweekdays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\"]\n";
    let mut world = World::at("2026-11-20T07:00:00Z", None, more).await;
    world.list().await;
    world.until("2026-11-21T21:14:00Z").await;
    let done = world.hear(EMERGENCY).await;
    let done = world.case(done).await.unwrap().id;
    world.act("Anna", Act::Take, done).await;
    world.clock.advance(TimeDelta::minutes(9));
    world.act("Anna", Act::CalledBack, done).await;
    world.act("Anna", Act::Consent(true), done).await;
    world.act("Anna", Act::Done, done).await;
    world.clock.advance(TimeDelta::hours(2));
    world.hear(NO_EMERGENCY).await;
    world.clock.advance(TimeDelta::hours(10));
    let waits = world.hear(EMERGENCY).await;
    let waits = world.case(waits).await.unwrap().id;
    world.act("Anna", Act::NoEmergency(Reason::CanWait), waits).await;
    world.until("2026-11-23T06:20:00Z").await;
    let open = world.hear(EMERGENCY).await;
    let open = world.case(open).await.unwrap().id;
    world.act("Anna", Act::Take, open).await;
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    troubles::seen(&mut tx, "spool", "unreachable", "the mailbox cannot be read: remedy", true, now).await.unwrap();
    paths::tried(&mut tx, "telegram", Some("no route"), now).await.unwrap();
    tx.commit().await.unwrap();
    world.until("2026-11-23T07:00:00Z").await;
    world.list().await;
    let text = &world.lists()[1];
    println!("{}", narrow(text, 40));
    let head =
        "☀ Morgenliste Mo 23.11. 08:00\n4 Nachrichten seit Fr 20.11. 08:00:\n3 × Notfall bestätigt\n1 × kein Notfall\n";
    assert!(text.starts_with(head), "{text}");
    let places: Vec<usize> = ["NOCH OFFEN", "ZURÜCKRUFEN", "GEBÜHREN", "ERLEDIGT", "WEG GESTÖRT", "DIENSTPLAN"]
        .iter()
        .map(|head| text.find(head).unwrap_or_else(|| panic!("{head} is missing in {text}")))
        .collect();
    assert!(places.is_sorted(), "{text}");
    for line in [
        &format!("{open} · Mo 07:20 · bestätigt\n  Rossmeisl Elektrotechnik"),
        "  bei Anna, noch kein Rückruf",
        &format!("So 10:23 · Vorgang {waits}"),
        &format!("{waits} · 48,00 € netto\n  in der Nachricht zugestimmt"),
        "niemand eingeteilt:\n  So 29.11. 00:00 bis Mo 30.11. 00:00",
        "telegram",
    ] {
        assert!(text.contains(line), "{line:?} is missing in {text}");
    }
    assert!(!text.contains("spool"), "no mailbox of the settings");
}

#[tokio::test]
async fn where_telegram_sees_nothing_of_the_caller_the_list_shows_nothing_of_him() {
    let mut world = World::at("2026-11-22T21:14:00Z", None, "").await;
    let settings = (*world.settings).clone();
    let mut telegram = settings.telegram.clone();
    telegram.view = nachtwache::config::View::Minimal;
    world.settings = Arc::new(nachtwache::config::Settings { telegram, ..settings });
    world.hear(EMERGENCY).await;
    world.hear(NO_EMERGENCY).await;
    world.until("2026-11-23T07:00:00Z").await;
    world.list().await;
    let text = &world.lists()[0];
    for secret in ["Rossmeisl", "Paulus", "0171", "+49"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains("NOCH OFFEN"));
}

#[tokio::test]
async fn a_long_night_is_cut_with_a_number_and_still_arrives() {
    let mut world = World::at("2026-11-23T03:00:00Z", None, "[escalation]\njoin_within_h = 0\n").await;
    for _ in 0..40 {
        world.hear(NO_EMERGENCY).await;
        world.clock.advance(TimeDelta::minutes(1));
    }
    world.until("2026-11-23T07:00:00Z").await;
    world.list().await;
    let text = &world.lists()[0];
    assert!(text.contains("ZURÜCKRUFEN (40)") && text.ends_with("… und 15 weitere"), "{text}");
    assert!(world.phone(ANNA).iter().all(|one| !one.text.starts_with('☀')));
}

#[tokio::test]
async fn the_office_gets_it_by_mail_as_well_once() {
    let server = MailServer::start(&[]).await;
    let more = format!(
        "[morning]\nmail_to = [\"office@example.de\"]\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"Notdienst <service@example.de>\"\n",
        server.port
    );
    let world = World::at("2026-11-24T07:00:00Z", None, &more).await;
    for _ in 0..3 {
        world.list().await;
    }
    let mails = server.kept();
    assert_eq!(mails.len(), 1);
    let mail = readable(&mails[0]);
    assert!(mail.contains("Nichts eingegangen seit"), "{mail}");
}

/// As a phone breaks it: words that do not fit go to the next line.
fn narrow(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut row = String::new();
        for word in line.split(' ') {
            if !row.is_empty() && row.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut row));
            } else if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        lines.push(row);
    }
    lines.join("\n")
}
