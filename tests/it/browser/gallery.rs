//! Pictures of every page over a year at a small firm, for docs/screenshots: made by
//! `cargo test --test it gallery -- --ignored`, looked at by people.

use super::{Chromium, tour::PASSWORD};
use crate::corpus::records;
use crate::page::{Site, invited_with};
use crate::world::{World, spoken};
use chrono::TimeDelta;
use nachtwache::domain::account::Role;
use nachtwache::domain::act::Act;
use nachtwache::domain::case::CaseState;
use nachtwache::domain::report::{Arrival, Caller};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::status::State;
use std::path::Path;

/// Name of the picture, path.
const PAGES: &[(&str, &str)] = &[
    ("eingang", "/"),
    ("meldung", "/meldungen/{report}"),
    ("vorgang", "/vorgaenge/{case}"),
    ("gebuehren", "/gebuehren"),
    ("nachweis", "/vorgaenge/{case}/nachweis"),
    ("dienstplan", "/dienstplan"),
    ("auswertung", "/auswertung"),
    ("regeln", "/regeln"),
    ("wortschatz", "/wortschatz"),
    ("zustand", "/zustand"),
    ("konten", "/konten"),
    ("konto", "/konto"),
    ("datenschutz", "/datenschutz"),
    ("protokoll", "/protokoll"),
];

/// A year at a small firm: calls at all hours, most taken within minutes, the last night still under way.
async fn year() -> (World, String, String) {
    let mut world = World::at("2025-11-24T18:40:00Z", None, "").await;
    let records = records();
    let mut last = None;
    for (index, record) in (0i64..).zip(records.iter().filter(|one| one.subject.is_none()).cycle().take(240)) {
        // odd steps, so that nights, mornings and weekends all come by
        world.clock.advance(TimeDelta::minutes(2177 + (index * 389) % 977 - (index * 53) % 611));
        let number = u32::try_from(index).unwrap() + 1;
        let arrival =
            Arrival { caller: Caller { number: record.caller_id.clone(), name: None }, ..world.arrival(number) };
        let report = world.desk().accept(arrival).await.unwrap().id;
        world.settle().await;
        world.transcribed(report, &spoken(&record.text)).await;
        world.settle().await;
        let Some(case) = world.case(report).await else { continue };
        last = Some((report, case.id));
        if index >= 236 || case.state != CaseState::Open {
            continue;
        }
        world.clock.advance(TimeDelta::minutes(2 + (index * 7) % 19));
        let who = if index % 3 == 0 { "Bernd" } else { "Anna" };
        world.act(who, Act::Take, case.id).await;
        world.clock.advance(TimeDelta::minutes(9 + (index * 11) % 43));
        world.act(who, Act::CalledBack, case.id).await;
        world.clock.advance(TimeDelta::minutes(20));
        world.act(who, Act::Done, case.id).await;
    }
    let (report, case) = last.unwrap();
    (world, report.to_string(), case.to_string())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes the pictures of docs/screenshots"]
async fn pictures_of_every_page() {
    let (world, report, case) = year().await;
    let site = Site::of(&world).await;
    for worker in ["escalate.plan", "escalate.send.1", "transcribe", "assess", "intake.spool", "watch"] {
        site.status.say(worker, State::Idle, "", world.clock.now());
    }
    drop(invited_with(&world, &site, "Petra", Role::Admin, PASSWORD).await);
    drop(site.inside("Anna", Role::Technician).await);
    drop(site.inside("Jonas", Role::Reviewer).await);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let chromium = Chromium::start().await;
    chromium.screen(1280, 900, false).await;
    chromium.open(&format!("{}/anmelden", site.url)).await;
    std::fs::write(folder.join("anmelden.png"), chromium.picture().await).unwrap();
    chromium.log_in(&site.url, "Petra", PASSWORD).await;
    for (name, path) in PAGES {
        let path = path.replace("{report}", &report).replace("{case}", &case);
        for (suffix, width, height, dark) in [("", 1280, 900, false), ("-390", 390, 844, true)] {
            chromium.screen(width, height, dark).await;
            chromium.open(&format!("{}{path}", site.url)).await;
            std::fs::write(folder.join(format!("{name}{suffix}.png")), chromium.picture().await).unwrap();
        }
    }
}
