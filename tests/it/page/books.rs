//! Charges, their proof and the figures, as a browser gets them.

use super::Site;
use crate::world::{EMERGENCY, World};
use nachtwache::acknowledge::Answer;
use nachtwache::domain::account::Role;
use nachtwache::domain::act::{Act, Refusal};
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::case::{CaseId, CaseState};
use nachtwache::domain::charge::ChargeState;
use nachtwache::domain::event::EventKind;
use nachtwache::domain::report::ReportId;
use nachtwache::store::{assessments, cases, charge_steps, events};
use reqwest::StatusCode;

const PAGES: [&str; 6] = [
    "/gebuehren",
    "/gebuehren/export",
    "/vorgaenge/1001/nachweis",
    "/vorgaenge/1001/beleg/0",
    "/auswertung",
    "/auswertung/export",
];

/// A night with one proposed charge, and the page over it.
async fn a_proposed_charge() -> (World, Site, ReportId) {
    let mut world = World::night().await;
    let report = world.hear(EMERGENCY).await;
    assert_eq!(world.case(report).await.unwrap().id, CaseId(1001));
    let site = Site::of(&world).await;
    (world, site, report)
}

async fn state(world: &World) -> ChargeState {
    charge_steps::find(&mut world.store.read().await.unwrap(), CaseId(1001)).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_technician_sees_no_charge_and_no_figure_and_changes_none() {
    let (world, site, _) = a_proposed_charge().await;
    let anna = site.inside("Anna", Role::Technician).await;
    for path in PAGES {
        let answer = anna.get(path).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.body.contains("Rossmeisl"), "{path}");
    }
    for (path, fields) in [
        ("/gebuehren/1001/freigeben", &[][..]),
        ("/gebuehren/1001/stornieren", &[("grund", "x")][..]),
        ("/gebuehren/1001/zustimmung", &[("antwort", "ja")][..]),
    ] {
        assert_eq!(anna.post(path, fields).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(state(&world).await, ChargeState::Proposed);
}

#[tokio::test]
async fn a_reviewer_releases_a_charge_once_and_the_second_one_is_told() {
    let (world, site, _) = a_proposed_charge().await;
    let (klara, jens) = (site.inside("Klara", Role::Reviewer).await, site.inside("Jens", Role::Admin).await);
    let listed = klara.get("/gebuehren").await.page();
    for part in
        ["Vorgang 1001", "Rossmeisl Elektrotechnik", "48,00 €", "57,12 €", "einverstanden", "anhören", "Freigeben"]
    {
        assert!(listed.contains(part), "{part} is missing");
    }
    let released = klara.post("/gebuehren/1001/freigeben", &[]).await;
    assert_eq!((released.status, released.onward()), (StatusCode::SEE_OTHER, "/vorgaenge/1001/nachweis"));
    assert!(klara.get("/vorgaenge/1001/nachweis").await.page().contains("freigegeben von Klara am 21.11.2026 22:1"));
    let second = jens.post("/gebuehren/1001/freigeben", &[]).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert!(second.body.contains("schon entschieden: freigegeben von Klara"), "{}", second.body);
    assert!(!klara.get("/gebuehren").await.page().contains("Vorgang 1001"), "nothing waits any more");
    assert!(klara.get("/gebuehren?stand=freigegeben&monat=2026-11").await.page().contains("Vorgang 1001"));
    assert!(!klara.get("/gebuehren?stand=freigegeben&monat=2026-10").await.page().contains("Vorgang 1001"));
    assert_eq!(state(&world).await, ChargeState::Released);
}

#[tokio::test]
async fn a_charge_is_cancelled_with_a_reason_and_no_second_time() {
    let (world, site, _) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    assert_eq!(
        klara.post("/gebuehren/1001/stornieren", &[("grund", "  ")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(klara.post("/gebuehren/1001/stornieren", &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(state(&world).await, ChargeState::Proposed);
    let reason = "Kulanz <b>für</b> \"Stammkunden\"";
    assert_eq!(klara.post("/gebuehren/1001/stornieren", &[("grund", reason)]).await.status, StatusCode::SEE_OTHER);
    let again = klara.post("/gebuehren/1001/stornieren", &[("grund", "noch mal")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let proof = klara.get("/vorgaenge/1001/nachweis").await.page();
    assert!(proof.contains("storniert von Klara") && !proof.contains("<b>für"), "{proof}");
    assert_eq!(klara.post("/gebuehren/9/freigeben", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_sheet_has_everything_that_proves_the_charge_and_prints_without_buttons() {
    let (world, site, report) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    let sheet = klara.get("/vorgaenge/1001/nachweis").await.page();
    let found = assessments::find(&mut world.store.read().await.unwrap(), report).await.unwrap().unwrap();
    assert!(!found.findings.is_empty());
    for finding in &found.findings {
        assert!(sheet.contains(&finding.quote), "{} is missing", finding.quote);
    }
    let entry = charge_steps::find(&mut world.store.read().await.unwrap(), CaseId(1001)).await.unwrap().unwrap();
    let sum = entry.proof.sound_sha256.unwrap();
    for part in [
        sum.as_str(),
        "bestätigt",
        &found.rules,
        "21.11.2026 22:14",
        "48,00 €",
        "9,12 € (19 %)",
        "57,12 €",
        "Dirk Rossmeisl",
        "Sekunden",
        "vorgeschlagen, Grundlage: Nachricht",
        "Nachweis zu Vorgang 1001",
        "no-print",
    ] {
        assert!(sheet.contains(part), "{part} is missing");
    }
    assert_eq!(found.verdict, Verdict::Confirmed);
    assert!(sheet.contains("Den Vorgang hat noch niemand übernommen"), "why no consent can be noted");
    assert_eq!(klara.get("/vorgaenge/9/nachweis").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_consent_on_the_phone_is_the_buttons_own_operation() {
    let (world, site, _) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    let path = "/gebuehren/1001/zustimmung";
    let early = klara.post(path, &[("antwort", "nein")]).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{}", early.body);
    world.act("Anna", Act::Take, CaseId(1001)).await;
    assert_eq!(klara.post(path, &[("antwort", "vielleicht")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(klara.post(path, &[("antwort", "nein")]).await.status, StatusCode::SEE_OTHER);
    let sheet = klara.get("/vorgaenge/1001/nachweis").await.page();
    assert!(sheet.contains("am Telefon abgelehnt, vermerkt von Klara"), "{sheet}");
    assert!(sheet.contains("Der Kunde hat danach am Telefon abgelehnt"), "it is to be looked at");
    assert_eq!(klara.post(path, &[("antwort", "ja")]).await.status, StatusCode::SEE_OTHER);
    assert!(!klara.get("/vorgaenge/1001/nachweis").await.page().contains("Der Kunde hat danach am Telefon abgelehnt"));
}

#[tokio::test]
async fn the_office_notes_in_the_morning_what_was_said_on_the_phone_though_the_case_is_closed() {
    let (world, site, _) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    for act in [Act::Take, Act::Done] {
        world.act("Anna", act, CaseId(1001)).await;
    }
    let late = world.act("Anna", Act::Consent(false), CaseId(1001)).await;
    assert_eq!(late, Answer::Refused(Refusal::Closed), "not by a button of the messenger");
    assert!(klara.get("/vorgaenge/1001").await.page().contains("Zustimmung abgelehnt"));
    assert_eq!(klara.post("/gebuehren/1001/zustimmung", &[("antwort", "nein")]).await.status, StatusCode::SEE_OTHER);
    let sheet = klara.get("/vorgaenge/1001/nachweis").await.page();
    assert!(sheet.contains("am Telefon abgelehnt, vermerkt von Klara"), "{sheet}");
    let mut reader = world.store.read().await.unwrap();
    let case = cases::find(&mut reader, CaseId(1001)).await.unwrap().unwrap();
    assert_eq!((case.state, case.closed_by.as_deref()), (CaseState::Closed, Some("Anna")));
    let story = events::of_report(&mut reader, case.report).await.unwrap();
    let last = story.iter().rfind(|event| event.actor.as_deref() == Some("Klara")).unwrap();
    assert_eq!((last.kind, last.detail.as_str()), (EventKind::Acted, "consent: no"));
}

#[tokio::test]
async fn the_table_is_a_download_of_what_is_shown() {
    let (_world, site, _) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    klara.post("/gebuehren/1001/freigeben", &[]).await;
    let table = klara.get("/gebuehren/export?stand=freigegeben&monat=2026-11").await;
    assert_eq!(table.headers["content-disposition"], "attachment; filename=\"gebuehren-freigegeben-2026-11.csv\"");
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    let body = table.page();
    assert!(body.contains("\"1001\";\"21.11.2026\";\"Rossmeisl Elektrotechnik\";\"Dirk Rossmeisl\";\"'+49 "), "{body}");
    assert!(
        body.contains(";\"48,00\";\"19\";\"9,12\";\"57,12\";\"Nachricht\";") && body.contains(";\"Klara\";"),
        "{body}"
    );
    let none = klara.get("/gebuehren/export?stand=freigegeben&monat=2026-10").await.page();
    assert_eq!(none.lines().count(), 1, "{none}");
    for odd in ["stand=bezahlt", "monat=2026-13", "monat=November", "seite=-1", "seite=x", "anderes=1"] {
        let answer = klara.get(&format!("/gebuehren?{odd}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{odd}");
    }
}

#[tokio::test]
async fn what_others_wrote_is_text_on_every_page_and_runs_in_no_table() {
    const HOSTILE: &str = "=cmd()<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let (world, site, report) = a_proposed_charge().await;
    let mut tx = world.store.begin().await.unwrap();
    let mut found = assessments::find(tx.reading(), report).await.unwrap().unwrap();
    found.fields.company = Some(HOSTILE.into());
    found.fields.contact = Some(HOSTILE.into());
    assessments::put(&mut tx, report, &found, chrono::DateTime::UNIX_EPOCH).await.unwrap();
    tx.commit().await.unwrap();
    let proof = serde_json::json!({ "findings": [{ "subject": "fee", "polarity": "holds", "rule": HOSTILE, "quote": HOSTILE,
        "range": [0, 1], "seconds": [1.0, 2.0], "probability": 0.5 }], "sound_sha256": HOSTILE, "rules": HOSTILE });
    world.sql(&format!("UPDATE charges SET proof = '{}'", proof.to_string().replace('\'', "''"))).await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    for path in ["/gebuehren", "/vorgaenge/1001/nachweis", "/auswertung"] {
        let page = klara.get(path).await.page();
        assert!(!page.contains("<script>alert") && !page.contains("<img"), "{path}: {page}");
    }
    let table = klara.get("/gebuehren/export?stand=alle").await.page();
    assert!(table.contains("\"'=cmd()<script>") && !table.contains("\"=cmd"), "{table}");
}

#[tokio::test]
async fn the_proving_seconds_are_heard_and_nothing_else_of_the_disk() {
    let (world, site, report) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    let stored = nachtwache::store::reports::find(&mut world.store.read().await.unwrap(), report).await.unwrap();
    // as it lies there once it was made playable
    let path = world.store.sound_folder().join(stored.recording.unwrap().file).with_extension("page.wav");
    let spec =
        hound::WavSpec { channels: 1, sample_rate: 8000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    (0..8000 * 120).for_each(|_| wav.write_sample(1_i16).unwrap());
    wav.finalize().unwrap();
    let heard = klara.get("/vorgaenge/1001/beleg/0").await;
    assert_eq!((heard.status, heard.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "audio/wav"));
    let long: u64 = heard.headers["content-length"].to_str().unwrap().parse().unwrap();
    assert!(long > 8000 && long < 8000 * 2 * 30, "{long} bytes of 1,920,044");
    assert_eq!(klara.get("/vorgaenge/1001/beleg/99").await.status, StatusCode::NOT_FOUND);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        klara.get("/vorgaenge/1001/beleg/0").await.status,
        StatusCode::NOT_FOUND,
        "deleted when its time is over"
    );
    assert!(klara.get("/vorgaenge/1001/nachweis").await.page().contains("SHA-256"), "the proof outlives it");
}

#[tokio::test]
async fn a_year_is_one_small_page_and_a_table() {
    let (_world, site, _) = a_proposed_charge().await;
    let klara = site.inside("Klara", Role::Reviewer).await;
    for zeit in ["", "?zeit=jahr", "?zeit=90", "?zeit=monat"] {
        let page = klara.get(&format!("/auswertung{zeit}")).await.page();
        assert!(page.len() < 100_000, "{zeit}: {} bytes", page.len());
        assert!(page.contains("role=\"img\"") && page.contains("Meldungen je") && page.contains("Wann gemeldet wird"));
    }
    let table = klara.get("/auswertung/export?zeit=monat").await;
    assert!(table.headers["content-disposition"].to_str().unwrap().contains("attachment"));
    let body = table.page();
    assert!(body.contains("\"21.11.2026\";\"1\";\"0\";\"0\";\"0\";\"0\""), "{body}");
    assert_eq!(klara.get("/auswertung?zeit=immer").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
