//! One's own account, everybody's accounts, and the way in from the phone.

use super::{COOKIE, Site, account};
use crate::world::{ANNA, World};
use chrono::TimeDelta;
use nachtwache::domain::account::{Account, Role};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::accounts::{self, Purpose};
use nachtwache::store::sessions;
use reqwest::StatusCode;

const PASSWORD: &str = "drei blaue Pferde im Regen";
const OTHER: &str = "sieben gelbe Boote am Steg";

async fn named(world: &World, name: &str) -> Account {
    accounts::named(&mut world.store.read().await.unwrap(), name).await.unwrap().unwrap()
}

/// Who did what, as it stays on record.
async fn story(world: &World) -> Vec<String> {
    world.lines("SELECT COALESCE(actor, '') || ': ' || detail FROM events ORDER BY at, id").await
}

#[tokio::test]
async fn somebody_changes_his_password_and_whoever_else_is_inside_by_it_is_out() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    let petra = account("Petra", Role::Reviewer, now);
    accounts::add(&mut tx, &petra).await.unwrap();
    accounts::link(&mut tx, petra.id, Purpose::Begin, "token", now, now + TimeDelta::hours(24)).await.unwrap();
    tx.commit().await.unwrap();
    let browser = site.browser();
    browser.post("/einladung/token", &[("passwort", PASSWORD), ("wiederholt", PASSWORD)]).await;
    let other = site.inside("Petra", Role::Reviewer).await;
    let change = async |old: &str, new: &str| {
        browser.post("/konto/passwort", &[("alt", old), ("passwort", new), ("wiederholt", new)]).await
    };
    assert_eq!(change(OTHER, OTHER).await.status, StatusCode::UNAUTHORIZED, "the old one is asked for");
    assert_eq!(change(PASSWORD, "kurz").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.get("/konto").await.status, StatusCode::OK);
    let before = browser.cookie(COOKIE).unwrap();
    assert_eq!(change(PASSWORD, OTHER).await.onward(), "/konto?getan=passwort");
    assert_ne!(browser.cookie(COOKIE).unwrap(), before);
    assert!(browser.get("/konto?getan=passwort").await.page().contains("Das Passwort ist geändert"));
    assert_eq!(other.get("/konto").await.status, StatusCode::SEE_OTHER, "out");
    assert!(story(&world).await.contains(&"Petra: password changed".to_owned()));
}

#[tokio::test]
async fn somebody_sees_and_ends_his_own_sessions_and_nobody_elses() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    let second = site.inside("Anna", Role::Technician).await;
    let third = site.inside("Anna", Role::Technician).await;
    let bernd = site.inside("Bernd", Role::Technician).await;
    assert_eq!(anna.get("/konto").await.page().matches("data-name=\"Browser\"").count(), 3);
    let id = async |browser: &super::Browser| {
        let token = browser.cookie(COOKIE).unwrap();
        sessions::of_token(&mut world.store.read().await.unwrap(), &token).await.unwrap().unwrap().id
    };
    let foreign = format!("/konto/sitzungen/{}/beenden", id(&bernd).await);
    assert_eq!(anna.post(&foreign, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bernd.get("/konto").await.status, StatusCode::OK, "he is still inside");
    let own = format!("/konto/sitzungen/{}/beenden", id(&second).await);
    assert_eq!(anna.post(&own, &[]).await.onward(), "/konto?getan=beendet");
    assert_eq!(second.get("/konto").await.status, StatusCode::SEE_OTHER);
    assert_eq!(third.get("/konto").await.status, StatusCode::OK);
    anna.post("/konto/sitzungen/beenden", &[]).await;
    assert_eq!(third.get("/konto").await.status, StatusCode::SEE_OTHER);
    assert_eq!(anna.get("/konto").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_administration_adds_somebody_by_a_link_that_is_shown_once() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let new = [("name", "Bernd"), ("rolle", "technician"), ("techniker", "Bernd")];
    let page = petra.post("/konten", &new).await.page();
    let path = page.split("/einladung/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(!petra.get("/konten").await.page().contains(&path));
    assert_eq!(named(&world, "Bernd").await.technician.as_deref(), Some("Bernd"));
    let bernd = site.browser();
    let set = [("passwort", PASSWORD), ("wiederholt", PASSWORD)];
    assert_eq!(bernd.post(&format!("/einladung/{path}"), &set).await.onward(), "/");
    assert_eq!(petra.post("/konten", &new).await.status, StatusCode::UNPROCESSABLE_ENTITY, "the name is taken");
    let odd = [("name", "Zoe"), ("rolle", "technician"), ("techniker", "Nobody")];
    assert_eq!(petra.post("/konten", &odd).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = story(&world).await;
    assert!(told.contains(&"Petra: Bernd: added: technician".to_owned()), "{told:?}");
    assert!(!told.iter().any(|line| line.contains(&path)), "{told:?}");
}

#[tokio::test]
async fn whoever_is_changed_is_out_and_changes_need_a_fresh_proof() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let anna = site.inside("Anna", Role::Technician).await;
    let id = named(&world, "Anna").await.id;
    assert_eq!(petra.post(&format!("/konten/{id}/rolle"), &[("rolle", "reviewer")]).await.onward(), "/konten");
    assert_eq!(named(&world, "Anna").await.role, Role::Reviewer);
    assert_eq!(anna.get("/konto").await.status, StatusCode::SEE_OTHER);
    let anna = site.inside("Anna", Role::Reviewer).await;
    petra.post(&format!("/konten/{id}/sperren"), &[]).await;
    assert_eq!(anna.get("/konto").await.status, StatusCode::SEE_OTHER);
    assert!(petra.get("/konten").await.page().contains("gesperrt"));
    petra.post(&format!("/konten/{id}/freigeben"), &[]).await;
    assert_eq!(named(&world, "Anna").await.disabled_at, None);
    let anna = site.inside("Anna", Role::Reviewer).await;
    assert_eq!(anna.get("/konten").await.status, StatusCode::FORBIDDEN);
    petra.post(&format!("/konten/{id}/abmelden"), &[]).await;
    assert_eq!(anna.get("/konto").await.status, StatusCode::SEE_OTHER);
    world.clock.advance(TimeDelta::minutes(6));
    assert!(petra.get("/konten").await.page().contains("bestätigen Sie bitte erst"));
    let stale = petra.post(&format!("/konten/{id}/sperren"), &[]).await;
    assert!(stale.onward().starts_with("/anmelden/bestaetigen"), "{}", stale.onward());
    assert_eq!(named(&world, "Anna").await.disabled_at, None);
    let told = story(&world).await;
    for line in ["Petra: Anna: role: reviewer", "Petra: Anna: disabled", "Petra: Anna: enabled"] {
        assert!(told.contains(&line.to_owned()), "{line}: {told:?}");
    }
}

#[tokio::test]
async fn somebody_of_the_administration_is_always_left_and_nobody_shuts_himself_out() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let id = named(&world, "Petra").await.id;
    let demote = async |browser: &super::Browser, id| {
        browser.post(&format!("/konten/{id}/rolle"), &[("rolle", "reviewer")]).await
    };
    let refused = demote(&petra, id).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("das letzte Konto der Verwaltung"), "{}", refused.body);
    let oskar = site.inside("Oskar", Role::Admin).await;
    assert_eq!(petra.post(&format!("/konten/{id}/sperren"), &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(demote(&oskar, id).await.onward(), "/konten", "there is another one now");
    let last = named(&world, "Oskar").await.id;
    assert_eq!(demote(&oskar, last).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(named(&world, "Oskar").await.role, Role::Admin);
}

#[tokio::test]
async fn anna_asks_the_bot_for_the_page_and_is_inside_by_his_link_once() {
    let world = World::at(crate::world::NIGHT, None, "[web]\npublic_url = \"http://localhost:8787\"").await;
    let site = Site::of(&world).await;
    assert!(world.write(ANNA, "/hilfe").await.contains("/seite"));
    let said = world.write(ANNA, "/seite").await;
    let (_, token) = said.split_once("http://localhost:8787/eintreten/").unwrap_or_else(|| panic!("{said}"));
    let phone = site.browser();
    let path = format!("/eintreten/{token}");
    assert!(phone.get(&path).await.page().contains("Hallo Anna"));
    assert_eq!(phone.post(&path, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(phone.get("/konto").await.page().contains("Technik"));
    assert_eq!(site.browser().post(&path, &[]).await.status, StatusCode::NOT_FOUND, "once");
    let again = world.write(ANNA, "/seite").await;
    let late = again.split_once("/eintreten/").unwrap().1;
    world.clock.advance(TimeDelta::minutes(10));
    assert_eq!(site.browser().get(&format!("/eintreten/{late}")).await.status, StatusCode::NOT_FOUND, "too late");
    let told = story(&world).await;
    assert!(told.contains(&"Anna: Anna: link asked for by his phone".to_owned()), "{told:?}");
    assert!(!told.iter().any(|line| line.contains(token) || line.contains(late)), "{told:?}");
}

#[tokio::test]
async fn a_phone_opens_no_account_that_may_more_than_a_technicians() {
    let world = World::at(crate::world::NIGHT, None, "[web]\npublic_url = \"http://localhost:8787\"").await;
    let site = Site::of(&world).await;
    let first = world.write(ANNA, "/seite").await;
    let mut tx = world.store.begin().await.unwrap();
    let anna = named(&world, "Anna").await.id;
    accounts::set_role(&mut tx, anna, Role::Admin).await.unwrap();
    tx.commit().await.unwrap();
    let path = format!("/eintreten/{}", first.split_once("/eintreten/").unwrap().1);
    assert_eq!(site.browser().post(&path, &[]).await.status, StatusCode::NOT_FOUND, "the link of before, neither");
    assert!(world.write(ANNA, "/seite").await.starts_with("Du meldest dich mit Passwort an"));
    let mut tx = world.store.begin().await.unwrap();
    accounts::set_disabled(&mut tx, anna, Some(world.clock.now())).await.unwrap();
    tx.commit().await.unwrap();
    assert!(world.write(ANNA, "/seite").await.starts_with("Dein Konto ist gesperrt"));
    let without = World::night().await;
    assert!(without.write(ANNA, "/seite").await.starts_with("Das habe ich nicht verstanden"));
}
