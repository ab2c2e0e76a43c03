//! How the watch is, as its page, its figures and its words for machines show it.

use super::Site;
use crate::world::{CALLER, EMERGENCY, NIGHT, World};
use chrono::TimeDelta;
use nachtwache::domain::account::Role;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::status::State;
use nachtwache::store::watched::{self, Watched};
use nachtwache::store::{paths, troubles};
use reqwest::{Method, StatusCode};
use std::collections::HashSet;

const SOURCE: &str = "[[sources]]\nkind = \"folder\"\nname = \"ordner\"\npath = \"/nowhere\"\n";

#[tokio::test]
async fn what_is_wrong_is_red_and_says_what_to_do() {
    let world = World::at(NIGHT, None, SOURCE).await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    let now = world.clock.now();
    site.status.say("assess", State::Idle, "", now);
    let before = anna.get("/zustand").await.page();
    assert!(before.contains("ordner") && before.contains("noch nicht abgefragt"), "{before}");
    assert!(before.contains("nachtwache models fetch"), "there is no model in a test: {before}");

    let down = Watched {
        failing_since: Some(now - TimeDelta::minutes(5)),
        failures: 7,
        why: Some("<b>no route</b>".into()),
        ..Watched::default()
    };
    let mut tx = world.store.begin().await.unwrap();
    watched::put(&mut tx, "ordner", &down).await.unwrap();
    paths::tried(&mut tx, "telegram", Some("502"), now).await.unwrap();
    troubles::seen(&mut tx, "ordner", "full", "the mailbox is full", true, now).await.unwrap();
    tx.commit().await.unwrap();
    site.status.say("assess", State::Failing, "disk I/O error", now - TimeDelta::minutes(3));
    let page = anna.get("/zustand").await.page();
    for part in [
        "nicht erreichbar seit 21.11.2026 22:09 (7 Versuche)",
        "Prüfen Sie Anlage, Netz und Zugangsdaten",
        "&#60;b&#62;no route",
        "gestört seit 21.11.2026 22:14: 502",
        "the mailbox is full",
        "schlägt fehl seit 21.11.2026 22:11: disk I/O error",
        "systemctl restart nachtwache",
        "Störungen. Was zu tun ist",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("<b>no route"), "what a source says is no HTML");
}

#[tokio::test]
async fn a_queue_that_grows_is_red_and_a_figure() {
    let mut world = World::night().await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    world.call().await;
    world.clock.advance(TimeDelta::minutes(10));
    let figures = anna.get("/metrics").await.page();
    assert!(figures.contains("nachtwache_stage_behind{stage=\"transcribe\"} 0"), "{figures}");
    world.clock.advance(TimeDelta::minutes(1));
    let figures = anna.get("/metrics").await.page();
    for row in ["stage_behind{stage=\"transcribe\"} 1", "report_waits_seconds{stage=\"transcribe\"} 660"] {
        assert!(figures.contains(row), "{row} is missing in {figures}");
    }
    let page = anna.get("/zustand").await.page();
    assert!(page.contains("1 Meldung wartet, die älteste seit 21.11.2026 22:14"), "{page}");
}

#[tokio::test]
async fn machines_are_told_in_one_word_and_in_figures_without_anything_of_a_caller() {
    let mut world = World::at(NIGHT, None, SOURCE).await;
    let report = world.hear(EMERGENCY).await;
    assert!(world.case(report).await.is_some());
    let site = Site::of(&world).await;
    site.status.say("assess", State::Idle, "", world.clock.now());
    let nobody = site.browser();
    assert_eq!(nobody.get("/healthz").await.page(), "ok\n");
    assert_eq!(nobody.get("/readyz").await.page(), "ready\n");

    let answer = nobody.send(Method::GET, "/metrics", &[], None).await;
    assert_eq!(answer.headers.get("content-type").unwrap(), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.page();
    let figures = parsed(&text);
    assert!(figures.contains(&("nachtwache_cases{state=\"open\"}".to_owned(), "1".to_owned())), "{text}");
    assert!(figures.contains(&("nachtwache_worker_ill{worker=\"assess\"}".to_owned(), "0".to_owned())), "{text}");
    for private in [CALLER, "Rossmeisl", "3920020", "Internet"] {
        assert!(!text.contains(private), "{private} stands in the figures");
    }

    world.clock.advance(TimeDelta::minutes(10));
    let answer = nobody.get("/readyz").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"));
    assert!(nobody.get("/metrics").await.page().contains("nachtwache_worker_ill{worker=\"assess\"} 1"));
    world.store.close().await;
    assert_eq!(nobody.get("/healthz").await.page(), "ok\n", "the process lives all the same");
}

/// By the grammar of the text format: each name has its help and its type once, each row one figure.
fn parsed(text: &str) -> Vec<(String, String)> {
    let (mut known, mut rows) = (HashSet::new(), Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(known.insert(name.to_owned()) && kind == "gauge", "{line}");
        } else if !line.starts_with("# HELP ") {
            let (series, figure) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(known.contains(name) && figure.parse::<f64>().is_ok(), "{line}");
            assert!(!rows.iter().any(|(other, _)| other == series), "twice: {line}");
            rows.push((series.to_owned(), figure.to_owned()));
        }
    }
    assert!(text.ends_with('\n') && rows.len() > 10);
    rows
}
