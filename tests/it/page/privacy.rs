//! What a caller may ask for, through the page.

use super::Site;
use crate::world::{EMERGENCY, World};
use chrono::TimeDelta;
use nachtwache::domain::account::Role;
use nachtwache::store::transcripts;
use reqwest::StatusCode;

const NUMBER: [(&str, &str); 2] = [("wonach", "nummer"), ("was", "0171 3920020")];

#[tokio::test]
async fn only_the_administration_sees_the_page_and_nobody_else_can_use_it() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    for role in [Role::Technician, Role::Reviewer] {
        let browser = site.inside(role.as_str(), role).await;
        assert_eq!(browser.get("/datenschutz").await.status, StatusCode::FORBIDDEN);
        for path in ["suche", "auszug", "loeschen", "aufbewahren", "freigeben"] {
            let answer = browser.post(&format!("/datenschutz/{path}"), &NUMBER).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    let petra = site.inside("Petra", Role::Admin).await;
    let page = petra.get("/datenschutz").await.page();
    assert!(page.contains("Die Kette ist ganz") && page.contains("ab Abschluss des Vorgangs"), "{page}");
    for (what, text) in [("nummer", "555017"), ("name", "ab"), ("meldung", "x"), ("alles", "09721 555017")] {
        let answer = petra.post("/datenschutz/suche", &[("wonach", what), ("was", text)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what} {text}");
    }
}

#[tokio::test]
async fn a_caller_is_found_handed_out_held_and_erased() {
    let mut world = World::night().await;
    let report = world.hear(&EMERGENCY.replace("Dirk Rossmeisl", "Dirk <i>Rossmeisl</i>")).await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let found = petra.post("/datenschutz/suche", &NUMBER).await.page();
    assert!(found.contains(&report.to_string()), "the spoken number is found: {found}");
    assert!(found.contains("eine Gebühr wartet") && !found.contains("<i>"), "{found}");

    let archive = petra.post("/datenschutz/auszug", &NUMBER).await;
    assert_eq!(archive.headers.get("content-type").unwrap(), "application/zip");
    let as_file = archive.headers.get("content-disposition").unwrap().to_str().unwrap();
    assert_eq!(as_file, "attachment; filename=\"auszug-2026-11-21.zip\"");

    let id = report.to_string();
    let hold = [("meldung", id.as_str()), ("grund", "Streit um <b>48 €</b>"), ("bis", "2027-06-30")];
    assert_eq!(petra.post("/datenschutz/aufbewahren", &hold).await.onward(), "/datenschutz");
    let page = petra.get("/datenschutz").await.page();
    assert!(page.contains("Streit um &#60;b&#62;48 €") && page.contains("01.07.2027 00:00"), "{page}");

    let sure = [NUMBER[0], NUMBER[1], ("sicher", "ja"), ("auch_offene", "ja")];
    let unsure = petra.post("/datenschutz/loeschen", &NUMBER).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(petra.post("/datenschutz/loeschen", &sure).await.page().contains("0 gelöscht, 1 behalten"));
    assert_eq!(petra.post("/datenschutz/freigeben", &[("meldung", &id)]).await.onward(), "/datenschutz");
    let done = petra.post("/datenschutz/loeschen", &sure).await.page();
    assert!(done.contains("1 gelöscht, 0 behalten") && done.contains("Nichts gespeichert"), "{done}");
    let words = transcripts::find(&mut world.store.read().await.unwrap(), report).await.unwrap();
    assert!(words.is_none());
    let page = petra.get("/datenschutz").await.page();
    assert!(page.contains("2026-11") && page.contains("Ton (auf Verlangen): 1"), "{page}");

    // whoever proved long ago who he is does so again before anything is handed out
    world.clock.advance(TimeDelta::minutes(6));
    let stale = petra.post("/datenschutz/auszug", &NUMBER).await;
    assert!(stale.onward().starts_with("/anmelden/bestaetigen"), "{}", stale.onward());
}
