//! More than one way to a human: when it begins, what it says, and what happens while Telegram is away. Covers F-80 (path
//! fault within 90 s, the other way at once), F-82 (blocked for a minute), F-85 (blocked bot), F-111 and F-22 (late alerts
//! are one list), and the rule of EN 50136 DP4.

use crate::fake_bot::Fault;
use crate::hook::Hook;
use crate::world::{ANNA, BERND, EMERGENCY, NIGHT, OFFICE, World};
use chrono::TimeDelta;
use nachtwache::domain::case::CaseState;
use nachtwache::escalate::paths::ProbeStep;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::worker::{Round, Step as _};
use nachtwache::store::paths::{self, TELEGRAM};
use std::sync::Arc;

/// Anna has a second way; Bernd has none; the office has one.
async fn world(hook: &Hook) -> World {
    World::with_ways(NIGHT, &format!(
        "[[channels]]\nkind = \"webhook\"\nname = \"anna\"\nurl = \"{0}/anna\"\nbody = '{{\"title\": \"{{title}}\", \"text\": \"{{text}}\"}}'\n\
         [[channels]]\nkind = \"webhook\"\nname = \"office\"\nurl = \"{0}/office\"\nview = \"minimal\"\nbody = '{{\"title\": \"{{title}}\", \"text\": \"{{text}}\"}}'\n",
        hook.url()
    ))
    .await
}

/// Telegram was heard at the world's time, or was not.
async fn polled(world: &World, error: Option<&str>) {
    let mut tx = world.store.begin().await.unwrap();
    paths::tried(&mut tx, TELEGRAM, error, world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// Time moves on, and the ways to people are looked after.
async fn looked_after(world: &World, seconds: i64) {
    world.clock.advance(TimeDelta::seconds(seconds));
    world.paths().tick().await.unwrap();
    world.settle().await;
}

#[tokio::test]
async fn an_alert_that_nobody_answers_goes_the_second_way_though_it_was_delivered() {
    let hook = Hook::start().await;
    let mut world = world(&hook).await;
    world.hear(EMERGENCY).await;
    assert_eq!((world.rings(ANNA), hook.got("anna").len()), (1, 0));
    world.after(1).await;
    assert!(hook.got("anna").is_empty());
    world.after(1).await;
    let told = hook.got("anna");
    assert_eq!(told.len(), 1, "two minutes without an answer");
    assert!(
        told[0].contains("🚨 NOTFALL BESTÄTIGT · Vorgang 1001") && told[0].contains("+491713920020"),
        "{}",
        told[0]
    );
    assert!(hook.got("office").is_empty(), "who was not told by Telegram is not told here");
}

#[tokio::test]
async fn whoever_answers_in_time_is_left_alone() {
    let hook = Hook::start().await;
    let mut world = world(&hook).await;
    let report = world.hear(EMERGENCY).await;
    world.after(1).await;
    world.press(ANNA, "Übernehmen", ANNA).await;
    world.after(20).await;
    assert!(hook.got("anna").is_empty());
    assert_eq!(world.case(report).await.unwrap().state, CaseState::Taken);
}

#[tokio::test]
async fn a_blocked_bot_begins_the_second_way_and_the_next_one_at_once() {
    let hook = Hook::start().await;
    let mut world = world(&hook).await;
    world.bot.fail_next_in(ANNA, "sendMessage", Fault::Blocked403);
    world.hear(EMERGENCY).await;
    assert_eq!(hook.got("anna").len(), 1);
    assert_eq!(world.rings(BERND), 1, "the escalation does not wait for her");
}

#[tokio::test]
async fn telegram_down_for_90_seconds_switches_every_open_case_and_says_so() {
    let hook = Hook::start().await;
    let mut world = world(&hook).await;
    polled(&world, None).await;
    world.hear(EMERGENCY).await;
    world.hear(EMERGENCY).await;
    world.bot.fail_always("*", Fault::BadGatewayHtml);
    for _ in 0..5 {
        looked_after(&world, 15).await;
        polled(&world, Some("no answer")).await;
    }
    assert!(!hook.got("anna").iter().any(|told| told.contains("TELEGRAM IST GESTÖRT")), "75 s: not yet");
    looked_after(&world, 15).await;
    let told = hook.got("anna");
    assert!(told.iter().any(|text| text.contains("TELEGRAM IST GESTÖRT seit 22:1")), "{told:?}");
    assert!(told.iter().any(|text| text.contains("NOTFALL BESTÄTIGT · Vorgang 1001")), "{told:?}");
    assert!(hook.got("office").iter().any(|text| text.contains("TELEGRAM IST GESTÖRT")));
    let reader = &mut world.store.read().await.unwrap();
    assert!(paths::telegram_is_down(reader).await.unwrap());
    world.bot.heal();
    polled(&world, None).await;
    looked_after(&world, 10).await;
    assert!(!paths::telegram_is_down(&mut world.store.read().await.unwrap()).await.unwrap());
    assert!(world.phone(ANNA).iter().any(|shown| shown.text.contains("Telegram ist wieder da")));
}

#[tokio::test]
async fn the_second_path_is_probed_every_quarter_of_an_hour_and_every_minute_while_the_first_is_down() {
    let hook = Hook::start().await;
    let world = world(&hook).await;
    let mut probe = ProbeStep {
        store: world.store.clone(),
        channels: world.channels.clone(),
        clock: Arc::new(world.clock.clone()),
    };
    let mut tried = async |seconds| {
        world.clock.advance(TimeDelta::seconds(seconds));
        let mut count = 0;
        while probe.tick().await.unwrap() == Round::Worked {
            count += 1;
        }
        count
    };
    assert_eq!(tried(0).await, 2, "both at the start");
    assert_eq!(tried(14 * 60).await, 0);
    assert_eq!(tried(60).await, 2);
    polled(&world, Some("no answer")).await;
    looked_after(&world, 90).await;
    assert_eq!(tried(0).await, 0, "telling of it was a try of both");
    assert_eq!(tried(59).await, 0);
    assert_eq!(tried(1).await, 2, "while the first path is down, within 90 s");
}

#[tokio::test]
async fn a_second_way_that_fails_is_told_by_telegram_once_and_so_is_its_return() {
    let hook = Hook::start().await;
    let world = world(&hook).await;
    polled(&world, None).await;
    let fail = async |error: Option<&str>| {
        let mut tx = world.store.begin().await.unwrap();
        paths::tried(&mut tx, "anna", error, world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    };
    fail(Some("refused")).await;
    for _ in 0..4 {
        looked_after(&world, 60).await;
        polled(&world, None).await;
        fail(Some("refused")).await;
    }
    let said = |chat, text: &str| world.phone(chat).iter().filter(|shown| shown.text.contains(text)).count();
    assert_eq!(
        (said(ANNA, "„anna“ IST GESTÖRT"), said(OFFICE, "„anna“ IST GESTÖRT"), said(BERND, "GESTÖRT")),
        (1, 1, 0)
    );
    fail(None).await;
    looked_after(&world, 5).await;
    assert_eq!(said(ANNA, "„anna“ geht wieder"), 1);
}

#[tokio::test]
async fn after_an_outage_one_list_tells_what_is_open_and_nothing_is_replayed() {
    let mut world = World::night().await;
    let mut reports = Vec::new();
    for _ in 0..4 {
        reports.push(world.call().await);
    }
    // the service is away for two hours; then everything is overdue
    world.clock.advance(TimeDelta::hours(2));
    world.settle().await;
    let loud: Vec<_> = world.phone(ANNA).into_iter().filter(|shown| !shown.silent).collect();
    assert_eq!(loud.len(), 1, "{loud:#?}");
    assert!(loud[0].text.starts_with("🚨 NACH EINER STÖRUNG: 4 OFFENE VORGÄNGE"), "{}", loud[0].text);
    assert_eq!(world.rings(BERND), 0, "opened just now, so his turn is still to come");
    world.press(ANNA, "1002 übernehmen", ANNA).await;
    let shown = world.phone(ANNA).into_iter().find(|shown| shown.text.contains("NACH EINER STÖRUNG")).unwrap();
    assert!(
        shown.text.contains("3 OFFENE VORGÄNGE") && shown.text.contains("👉 1002 · übernommen von Anna"),
        "{}",
        shown.text
    );
    world.press(ANNA, "1001 zeigen", ANNA).await;
    assert!(world.phone(ANNA).iter().any(|shown| shown.text.contains("Vorgang 1001") && shown.buttons.len() > 2));
    assert!(world.phone(ANNA).iter().any(|shown| shown.file.is_some()), "with its recording");
}

#[tokio::test]
async fn alerts_that_telegram_held_up_become_one_list() {
    let mut world = World::night().await;
    world.bot.fail_always("*", Fault::BadGatewayHtml);
    for _ in 0..3 {
        world.hear(EMERGENCY).await;
    }
    world.after(6).await;
    assert!(world.phone(ANNA).is_empty());
    world.bot.heal();
    world.after(1).await;
    let loud: Vec<_> = world.phone(ANNA).into_iter().filter(|shown| !shown.silent).map(|shown| shown.text).collect();
    assert_eq!(loud.len(), 1, "{loud:#?}");
}
