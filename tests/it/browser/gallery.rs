//! Pictures of every page over a year at a small firm, for docs/screenshots: made by
//! `cargo test --test it gallery -- --ignored`, looked at by people.

use super::{Chromium, tour::PASSWORD};
use crate::corpus::records;
use crate::page::{Site, invited_with};
use crate::world::{World, spoken};
use chrono::TimeDelta;
use nachtwache::domain::account::Role;
use nachtwache::domain::act::Act;
use nachtwache::domain::case::{CaseId, CaseState};
use nachtwache::domain::report::{Arrival, Caller, ReportId};
use nachtwache::domain::transcript::Transcript;
use nachtwache::review::charges::release;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::status::State;
use nachtwache::transcribe::sound::plain::wav;
use nachtwache::transcribe::sound::{Limits, decode};
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
];

/// What Martina Vogel said in tests/data/recordings/vm-01.wav.
const SAID: &str = "Guten Abend, hier spricht Martina Vogel von der Sonnenberg Logistik GmbH in Regensburg. Wir haben einen \
     unternehmenskritischen Notfall. Unser Lagerverwaltungssystem ist seit heute Abend nicht mehr erreichbar, der Versand \
     steht still. Mit den Konditionen und der Notfallaktivierungsgebühr von 48 Euro sind wir einverstanden. Bitte rufen Sie \
     mich zurück unter 0171 3920012. Vielen Dank, auf Wiederhören.";

/// The firm has two who take turns, a mailbox and a model.
fn firm() -> String {
    format!(
        "[transcribe]\nmodel = \"{}/models/ggml-test-de.bin\"\n[roster]\n[[roster.rotations]]\ntechnicians = [\"Anna\", \"Bernd\"]\n\
         begins = \"2025-11-03 17:00\"\ndays = 7\n[[sources]]\nkind = \"folder\"\nname = \"spool\"\npath = \"/var/spool/notruf\"\n",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// A year at a small firm: calls at all hours, most taken within minutes, the last night still under way.
async fn year() -> (World, String, String) {
    let mut world = World::at("2025-11-24T18:40:00Z", None, &firm()).await;
    let records = records();
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
        if index >= 237 || case.state != CaseState::Open {
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
    let decided: Vec<i64> = world.numbers("SELECT case_id FROM charges ORDER BY case_id").await;
    for case in decided.iter().rev().skip(3) {
        release(&world.store, CaseId(*case), "Petra", world.clock.now()).await.unwrap();
    }
    let (report, case) = tonight(&mut world).await;
    (world, report.to_string(), case.to_string())
}

/// Tonight Martina Vogel calls, and Anna has it.
async fn tonight(world: &mut World) -> (ReportId, CaseId) {
    world.clock.advance(TimeDelta::minutes(97));
    let report = world.desk().accept(world.arrival(999)).await.unwrap().id;
    let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings/vm-01.wav")).unwrap();
    let sound = decode("vm-01.wav", &bytes, &Limits::default()).unwrap();
    std::fs::write(world.store.sound_folder().join(format!("{report}.page.wav")), wav(&sound.samples)).unwrap();
    world.settle().await;
    world.transcribed(report, &over(SAID, sound.sound_ms)).await;
    world.settle().await;
    let case = world.case(report).await.unwrap().id;
    world.clock.advance(TimeDelta::minutes(3));
    world.act("Anna", Act::Take, case).await;
    world.clock.advance(TimeDelta::minutes(11));
    let note = "Server hängt am Speicher, fahre hin. Frau Vogel schließt die Halle auf.";
    assert!(world.answers().note_at_page("Anna", case, note).await.unwrap());
    (report, case)
}

/// A text spread over so many milliseconds, by the letters of its words; the number was hard to make out.
fn over(text: &str, sound_ms: u32) -> Transcript {
    let mut transcript = spoken(text);
    let letters = u32::try_from(text.len()).unwrap();
    let mut at = 400;
    for word in &mut transcript.words {
        word.start_ms = at;
        at += (sound_ms - 1_500) * (u32::try_from(word.text.len()).unwrap() + 1) / letters;
        word.end_ms = at - 40;
        if word.text.starts_with("01") || word.text.starts_with("39") {
            word.probability = 0.42;
        }
    }
    Transcript { sound_ms, speech: vec![(300, sound_ms / 2), (sound_ms / 2 + 700, sound_ms - 900)], ..transcript }
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
