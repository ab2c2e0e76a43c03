//! "Bist du bereit?" before a hand-over. Covers F-113 (whoever is on duty does not know it, or cannot be reached).

use crate::world::{ANNA, BERND, OFFICE, World};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::domain::roster::{Change, ChangeKind};
use nachtwache::escalate::ready::ReadyStep;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::worker::Step as _;
use nachtwache::store::roster;
use std::sync::Arc;

const TURNS: &str =
    "[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\nbegins = \"2026-11-23 08:00\"\ndays = 1\n";

async fn world(start: &str) -> World {
    World::at(start, None, TURNS).await
}

impl World {
    /// Time moves on minute by minute, and somebody may have to be asked.
    async fn asking(&self, minutes: i64) {
        for minute in 0..=minutes {
            let mut step = ReadyStep {
                store: self.store.clone(),
                settings: self.settings.clone(),
                roster: self.roster.clone(),
                clock: Arc::new(self.clock.clone()),
                bells: Bells::default(),
            };
            step.tick().await.unwrap();
            self.settle().await;
            if minute < minutes {
                self.clock.advance(TimeDelta::minutes(1));
            }
        }
    }

    fn shown(&self, chat: i64) -> Vec<(String, bool)> {
        self.phone(chat).into_iter().map(|one| (one.text, !one.silent)).collect()
    }
}

const QUESTION: &str = "Bist du bereit? Dein Dienst beginnt um 08:00.";

#[tokio::test]
async fn at_0700_bernd_is_asked_at_0710_he_taps_and_nobody_else_hears_of_it() {
    let world = world("2026-11-24T05:50:00Z").await;
    world.asking(9).await;
    assert!(world.phone(BERND).is_empty());
    world.asking(2).await;
    assert_eq!(world.shown(BERND), [(QUESTION.into(), true)]);
    assert_eq!(world.press(BERND, "Bin bereit", BERND).await.as_deref(), Some("Danke, ist vermerkt."));
    world.asking(90).await;
    assert_eq!(world.shown(BERND), [("✅ Bereit gemeldet · Dienst ab Di 24.11.2026 08:00".into(), true)]);
    assert!(world.phone(ANNA).is_empty() && world.phone(OFFICE).is_empty());
}

#[tokio::test]
async fn who_does_not_tap_is_asked_again_and_then_told_of_once() {
    let world = world("2026-11-24T06:00:00Z").await;
    world.asking(45).await;
    assert_eq!(world.shown(BERND), [(format!("⏰ {QUESTION}"), true)], "the first question is off the phone");
    assert_eq!(world.rings(BERND), 2);
    world.asking(14).await;
    assert_eq!(world.rings(OFFICE) + world.rings(ANNA), 0);
    world.asking(30).await;
    for chat in [OFFICE, ANNA] {
        let told = world.shown(chat);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].0.starts_with("⚠ Bernd hat nicht bestätigt") && told[0].1);
    }
    // he taps late: fine, and those who were told hear of it
    world.press(BERND, "Bin bereit", BERND).await;
    for chat in [OFFICE, ANNA] {
        assert_eq!(world.shown(chat)[1], ("✅ Bernd hat doch noch bestätigt (08:29)".into(), false));
    }
    world.press_again(BERND).await;
    assert_eq!(world.phone(ANNA).len(), 2);
}

impl World {
    /// The button is gone; an old screen may still show it.
    async fn press_again(&self, chat: i64) {
        assert!(self.phone(chat).iter().all(|one| one.buttons.is_empty()));
        self.asking(1).await;
    }
}

#[tokio::test]
async fn a_shift_that_is_no_longer_his_takes_the_question_off_and_asks_whoever_has_it() {
    let world = world("2026-11-24T06:00:00Z").await;
    world.asking(10).await;
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let change = Change {
        kind: ChangeKind::Override { replaces: None },
        technician: "Anna".into(),
        from: at("2026-11-24T07:00:00Z"),
        until: at("2026-11-25T07:00:00Z"),
    };
    let mut tx = world.store.begin().await.unwrap();
    roster::make(&mut tx, &change, roster::ChangeState::Active, "Anna", world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    world.asking(60).await;
    assert!(world.phone(BERND).is_empty(), "the question is gone");
    assert!(world.phone(ANNA).is_empty(), "she has duty before and after: no hand-over");
    assert!(world.phone(OFFICE).is_empty());
}

#[tokio::test]
async fn at_night_the_first_question_is_silent() {
    let turns = TURNS.replace("08:00", "05:30");
    let world = World::at("2026-11-24T03:30:00Z", None, &turns).await;
    world.asking(0).await;
    assert_eq!(world.shown(BERND), [("Bist du bereit? Dein Dienst beginnt um 05:30.".into(), false)]);
    world.asking(45).await;
    assert_eq!(world.rings(BERND), 1);
}

#[tokio::test]
async fn in_the_night_the_clocks_change_it_is_an_hour_before_the_hand_over_all_the_same() {
    // 25.10.2026, 03:00 becomes 02:00; the hand-over is at 03:30 winter time = 02:30 UTC
    let turns = TURNS.replace("2026-11-23 08:00", "2026-10-24 03:30");
    let world = World::at("2026-10-25T01:29:00Z", None, &turns).await;
    world.asking(0).await;
    assert!(world.phone(BERND).is_empty());
    world.asking(1).await;
    assert_eq!(world.shown(BERND).len(), 1);
}
