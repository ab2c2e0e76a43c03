//! Who watches the watch: the sign of life goes out only while every stage is well, and its end is noticed outside.
//! Covers F-115 (service, host or network dead: noticed within 180 s), F-110 (starts again and again), F-02.

use crate::channels::Peer;
use crate::world::{ANNA, EMERGENCY, NIGHT, OFFICE, World, spoken};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::config::Settings;
use nachtwache::domain::notice::NoticeKind;
use nachtwache::escalate::queue::QueueStep;
use nachtwache::escalate::start::tell_start;
use nachtwache::escalate::watch::{Ill, Watch};
use nachtwache::roster::Roster;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::status::{State, Status};
use nachtwache::runtime::worker::Step as _;
use nachtwache::store::notices::{self, Plan};
use nachtwache::store::paths;
use std::sync::Arc;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
const CHANNEL: &str = "[[channels]]\nkind = \"webhook\"\nname = \"hook\"\nurl = \"https://hook.example\"\ncontent_type = \"text/plain\"\nbody = \"{text}\"\n";

/// A healthchecks server with a period of 60 s and a grace of 120 s, seen at the wire; and the watch that asks it.
struct Outside {
    peer: Peer,
    status: Status,
    watch: Watch,
    /// The requests so far, and when the last good one came.
    heard: usize,
    last_beat: Option<DateTime<Utc>>,
}

impl Outside {
    async fn of(world: &World) -> Self {
        Self::with(world, "").await
    }

    async fn with(world: &World, more: &str) -> Self {
        let peer = Peer::start(&[OK]).await;
        let anna = "[[technicians]]\nname = \"Anna\"\ntelegram_chat = 101\n";
        let text = format!("{more}\n{anna}[heartbeat]\nurl = \"http://127.0.0.1:{}/ping/KEY\"\n", peer.port);
        let settings = Arc::new(Settings::parse(&text).unwrap());
        let status = Status::default();
        let clock = Arc::new(world.clock.clone());
        let watch =
            Watch::new(world.store.clone(), settings.clone(), Roster::new(settings), status.clone(), clock).unwrap();
        Self { peer, status, watch, heard: 0, last_beat: None }
    }

    /// Time goes on by ten seconds, everybody says that he is well, and the watch looks.
    async fn look(&mut self, world: &World) -> Option<Ill> {
        self.look_silently(world, &["escalate.plan", "transcribe", "acknowledge.telegram"]).await
    }

    async fn look_silently(&mut self, world: &World, who: &[&str]) -> Option<Ill> {
        world.clock.advance(TimeDelta::seconds(10));
        for worker in who {
            self.status.say(worker, State::Idle, "", world.clock.now());
        }
        let ill = self.watch.round().await;
        let seen = self.peer.seen();
        if seen[self.heard..].iter().any(|one| one.line.starts_with("GET /ping/KEY ")) {
            self.last_beat = Some(world.clock.now());
        }
        self.heard = seen.len();
        ill
    }

    /// Whether somebody outside is alarmed by now.
    fn alarmed(&self, now: DateTime<Utc>) -> bool {
        self.last_beat.is_none_or(|at| now - at >= TimeDelta::seconds(60 + 120))
    }

    fn fails(&self) -> Vec<String> {
        let seen = self.peer.seen();
        seen.into_iter().filter(|one| one.line.starts_with("POST /ping/KEY/fail ")).map(|one| one.body).collect()
    }
}

#[tokio::test]
async fn a_dead_service_is_noticed_outside_within_180_seconds_of_its_last_beat() {
    let world = World::night().await;
    let mut outside = Outside::of(&world).await;
    for _ in 0..60 {
        assert_eq!(outside.look(&world).await, None);
        assert!(!outside.alarmed(world.clock.now()));
    }
    let beats = outside.peer.seen().len();
    assert_eq!(beats, 10, "one a minute");
    world.clock.advance(TimeDelta::seconds(170));
    assert!(!outside.alarmed(outside.last_beat.unwrap() + TimeDelta::seconds(179)));
    assert!(outside.alarmed(outside.last_beat.unwrap() + TimeDelta::seconds(180)));
}

#[tokio::test]
async fn a_worker_that_hangs_ends_the_beats_after_one_word_and_they_come_back_with_it() {
    let world = World::night().await;
    let mut outside = Outside::of(&world).await;
    outside.look(&world).await;
    let others = ["transcribe", "acknowledge.telegram"];
    let mut ill = None;
    for _ in 0..16 {
        ill = outside.look_silently(&world, &others).await;
    }
    assert_eq!(ill, Some(Ill::Silent("escalate.plan".into())));
    let before = outside.peer.seen().len();
    for _ in 0..30 {
        outside.look_silently(&world, &others).await;
    }
    assert_eq!(outside.peer.seen().len(), before, "silence, and no second word");
    assert_eq!(outside.fails(), ["worker silent"]);
    assert!(outside.alarmed(world.clock.now()));
    let board = outside.status.board();
    assert_eq!(board["watch"].state, State::Failing);
    assert!(board["watch"].detail.contains("escalate.plan"));
    assert_eq!(outside.look(&world).await, None);
    assert!(!outside.alarmed(world.clock.now()));
}

#[tokio::test]
async fn a_worker_that_fails_may_do_so_for_90_seconds_and_a_mailbox_for_ever() {
    let world = World::night().await;
    let mut outside = Outside::of(&world).await;
    let mut round = async |worker: &str| {
        outside.status.say(worker, State::Running, "", world.clock.now());
        outside.status.say(worker, State::Failing, "no", world.clock.now());
        outside.look(&world).await
    };
    for _ in 0..60 {
        assert_eq!(round("intake.imap").await, None, "people are told of it elsewhere");
    }
    for _ in 0..9 {
        assert_eq!(round("assess").await, None);
    }
    assert_eq!(round("assess").await, Some(Ill::Failing("assess".into())));
}

#[tokio::test]
async fn a_transcription_may_take_minutes() {
    let world = World::night().await;
    let mut outside = Outside::of(&world).await;
    outside.status.say("transcribe", State::Running, "", world.clock.now());
    for _ in 0..360 {
        assert_eq!(outside.look_silently(&world, &["escalate.plan"]).await, None);
    }
    for _ in 0..260 {
        outside.look_silently(&world, &["escalate.plan"]).await;
    }
    assert_eq!(outside.look_silently(&world, &["escalate.plan"]).await, Some(Ill::Silent("transcribe".into())));
}

#[tokio::test]
async fn a_case_that_nobody_looks_at_ends_the_beats() {
    let mut world = World::night().await;
    let mut outside = Outside::of(&world).await;
    world.hear(EMERGENCY).await;
    // the planner says that it is well, and does nothing
    let mut seen = Vec::new();
    for _ in 0..40 {
        seen.push(outside.look(&world).await);
    }
    assert!(seen[..35].iter().all(Option::is_none), "it rings again after 5 min: {seen:?}");
    assert!(matches!(seen[39], Some(Ill::Overdue(_))), "{seen:?}");
    world.settle().await;
    assert_eq!(outside.look(&world).await, None);
}

#[tokio::test]
async fn a_backlog_after_an_outage_gets_its_minute_first() {
    let mut world = World::night().await;
    world.hear(EMERGENCY).await;
    world.clock.advance(TimeDelta::hours(3));
    let mut outside = Outside::of(&world).await;
    for _ in 0..6 {
        assert_eq!(outside.look(&world).await, None);
    }
    assert!(outside.look(&world).await.is_some());
}

#[tokio::test]
async fn a_loud_notice_that_arrives_by_no_way_ends_the_beats() {
    let mut world = World::night().await;
    let mut outside = Outside::of(&world).await;
    let report = world.call().await;
    world.transcribed(report, &crate::world::spoken(EMERGENCY)).await;
    world.assess().tick().await.unwrap();
    world.plan().tick().await.unwrap();
    world.sql("UPDATE cases SET due_at = due_at + 3600000").await;
    for _ in 0..18 {
        assert_eq!(outside.look(&world).await, None);
    }
    assert_eq!(outside.look(&world).await, Some(Ill::Untold(world.case(report).await.unwrap().id)));
    world.settle().await;
    assert_eq!(outside.look(&world).await, None);

    let message = Plan { loud: true, body: Some("x".into()), ..Plan::new(NoticeKind::Message, "Anna", 101) };
    let mut tx = world.store.begin().await.unwrap();
    notices::plan(&mut tx, &message, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..18 {
        assert_eq!(outside.look(&world).await, None);
    }
    assert_eq!(outside.look(&world).await, Some(Ill::Undelivered(1)), "what is about no case counts, too");
}

#[tokio::test]
async fn one_way_down_is_told_elsewhere_and_none_left_ends_the_beats() {
    let world = World::night().await;
    let down = async |name: &str| {
        let mut tx = world.store.begin().await.unwrap();
        let now = world.clock.now();
        paths::tried(&mut tx, name, Some("no route"), now).await.unwrap();
        paths::set_down(&mut tx, name, Some(now)).await.unwrap();
        tx.commit().await.unwrap();
    };
    let mut outside = Outside::with(&world, CHANNEL).await;
    let mut alone = Outside::of(&world).await;
    down("telegram").await;
    assert_eq!(outside.look(&world).await, None, "there is the other way");
    assert_eq!(alone.look(&world).await, Some(Ill::NoWay), "there is none");
    down("hook").await;
    assert_eq!(outside.look(&world).await, Some(Ill::NoWay));
}

#[tokio::test]
async fn a_store_that_refuses_ends_the_beats() {
    let world = World::night().await;
    let mut outside = Outside::of(&world).await;
    outside.look(&world).await;
    world.sql("ALTER TABLE marks RENAME TO gone").await;
    let ill = outside.look(&world).await;
    assert!(matches!(ill, Some(Ill::Store(_))), "{ill:?}");
    assert_eq!(outside.fails(), ["store"]);
    world.sql("ALTER TABLE gone RENAME TO marks").await;
    assert_eq!(outside.look(&world).await, None);
}

async fn start(world: &World) {
    tell_start(&world.store, &world.settings, &world.roster, world.clock.now()).await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn every_start_is_told_silently_with_how_long_it_was_off() {
    let world = World::night().await;
    start(&world).await;
    let first = &world.phone(OFFICE)[0];
    assert!(first.silent);
    assert_eq!(
        first.text,
        "🌙 Nachtwache ist wach seit Sa 21.11. 22:14 · erster Start\nDienst: Anna, Vertretung Bernd\nPostfächer: \nWege: Telegram"
    );
    world.clock.advance(TimeDelta::minutes(93));
    start(&world).await;
    assert!(world.phone(OFFICE)[1].text.contains("Sa 21.11. 23:47 · vorher aus für 1 h 33 min"));
    assert!(world.phone(ANNA).is_empty());
}

#[tokio::test]
async fn a_service_that_starts_again_and_again_says_so_once_and_loudly() {
    let world = World::night().await;
    for _ in 0..9 {
        start(&world).await;
        world.clock.advance(TimeDelta::seconds(40));
    }
    let told = world.phone(OFFICE);
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[3].text.contains("STARTET IMMER WIEDER NEU") && !told[3].silent);
    assert_eq!(world.rings(ANNA), 1);
    world.clock.advance(TimeDelta::minutes(11));
    start(&world).await;
    assert!(world.phone(OFFICE)[4].text.contains("wach seit"));
}

/// Somebody looks whether reports wait too long for their transcripts.
async fn look_at_the_queue(world: &World) {
    let mut step = QueueStep {
        store: world.store.clone(),
        settings: world.settings.clone(),
        roster: world.roster.clone(),
        clock: Arc::new(world.clock.clone()),
        bells: Bells::default(),
    };
    step.tick().await.unwrap();
    world.settle().await;
}

fn of_the_queue(world: &World) -> Vec<(String, bool)> {
    let told = world
        .phone(OFFICE)
        .into_iter()
        .filter(|one| one.text.contains("Abschriften") || one.text.contains("ABSCHRIFTEN"));
    told.map(|one| (one.text.lines().next().unwrap().to_owned(), one.silent)).collect()
}

#[tokio::test]
async fn a_report_that_waits_too_long_is_told_once_and_once_when_it_is_over() {
    let mut world = World::night().await;
    let report = world.call().await;
    for _ in 0..10 {
        world.after(1).await;
        look_at_the_queue(&world).await;
    }
    assert_eq!(of_the_queue(&world), [], "ten minutes are still well");
    for _ in 0..10 {
        world.after(1).await;
        look_at_the_queue(&world).await;
    }
    let grows = ("⚠ DIE ABSCHRIFTEN KOMMEN NICHT NACH".to_owned(), false);
    assert_eq!(of_the_queue(&world), std::slice::from_ref(&grows));
    world.transcribed(report, &spoken(EMERGENCY)).await;
    look_at_the_queue(&world).await;
    look_at_the_queue(&world).await;
    let over = "✅ Die Abschriften sind wieder auf dem Laufenden (Rückstand gemeldet vor 9 min)".to_owned();
    assert_eq!(of_the_queue(&world), [grows, (over, true)]);
}

#[tokio::test]
async fn more_reports_than_may_wait_are_told_at_once_and_not_again_at_the_brink() {
    let mut world = World::at(NIGHT, None, "[watch]\nwaiting_most = 3\n").await;
    let first = world.call().await;
    for _ in 0..3 {
        world.call().await;
    }
    look_at_the_queue(&world).await;
    assert_eq!(of_the_queue(&world).len(), 1);
    world.transcribed(first, &spoken(EMERGENCY)).await;
    look_at_the_queue(&world).await;
    world.call().await;
    look_at_the_queue(&world).await;
    assert_eq!(of_the_queue(&world).len(), 1, "from four to three and back is one story");
}
