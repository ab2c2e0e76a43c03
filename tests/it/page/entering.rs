//! In and out: passwords, links, sessions that end.

use super::{COOKIE, Site, account};
use crate::world::World;
use chrono::TimeDelta;
use nachtwache::domain::account::{Role, SessionStage};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::accounts::{self, Purpose};
use nachtwache::store::sessions;
use reqwest::StatusCode;

const PASSWORD: &str = "drei blaue Pferde im Regen";

/// Petra is invited, and her link is good for a day.
async fn invited(world: &World) -> &'static str {
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    let petra = account("Petra", Role::Admin, now);
    accounts::add(&mut tx, &petra).await.unwrap();
    accounts::link(&mut tx, petra.id, Purpose::Begin, "token", now, now + TimeDelta::hours(24)).await.unwrap();
    tx.commit().await.unwrap();
    "/einladung/token"
}

#[tokio::test]
async fn somebody_invited_sets_a_password_once_and_enters_by_it() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let link = invited(&world).await;
    let first = site.browser();
    assert!(first.get(link).await.page().contains("Willkommen, Petra"));
    let short = first.post(link, &[("passwort", "kurz"), ("wiederholt", "kurz")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.body.contains("mindestens 15 Zeichen"));
    let set = first.post(link, &[("passwort", PASSWORD), ("wiederholt", PASSWORD)]).await;
    assert_eq!((set.status, set.onward()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(first.get(link).await.status, StatusCode::NOT_FOUND, "the link is used up");

    let other = site.browser();
    let wrong = other.post("/anmelden", &[("name", "Petra"), ("passwort", "drei blaue Pferde im Schnee")]).await;
    let nobody = other.post("/anmelden", &[("name", "Paul"), ("passwort", PASSWORD)]).await;
    assert_eq!((wrong.status, nobody.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    let said = "Name oder Passwort stimmt nicht.";
    assert!(wrong.body.contains(said) && nobody.body.contains(said), "what was wrong is not said");
    let entered =
        other.post("/anmelden", &[("name", "Petra"), ("passwort", PASSWORD), ("weiter", "//evil.example")]).await;
    assert_eq!((entered.status, entered.onward()), (StatusCode::SEE_OTHER, "/"));
    let cookie = entered.headers.get("set-cookie").unwrap().to_str().unwrap().to_owned();
    for part in ["__Host-sitzung=", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn a_session_is_new_at_each_log_in_and_lies_in_the_store_as_a_hash_only() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let link = invited(&world).await;
    let browser = site.browser();
    browser.set_cookie(COOKIE, "planted-by-somebody-else");
    browser.post(link, &[("passwort", PASSWORD), ("wiederholt", PASSWORD)]).await;
    let first = browser.cookie(COOKIE).unwrap();
    assert_ne!(first, "planted-by-somebody-else");
    browser.post("/anmelden", &[("name", "Petra"), ("passwort", PASSWORD)]).await;
    let second = browser.cookie(COOKIE).unwrap();
    assert_ne!(first, second);
    let mut reader = world.store.read().await.unwrap();
    assert!(sessions::of_token(&mut reader, &first).await.unwrap().is_none(), "the earlier session is over");
    assert!(sessions::of_token(&mut reader, &second).await.unwrap().is_some());
    drop(reader);
    world.store.close().await;
    for file in ["nachtwache.db", "nachtwache.db-wal"] {
        let bytes = std::fs::read(world.folder.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(second.len()).any(|window| window == second.as_bytes()), "{file}");
    }
}

#[tokio::test]
async fn whoever_leaves_is_out_and_his_cookie_is_worth_nothing() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let browser = site.inside("Petra", Role::Admin).await;
    let cookie = browser.cookie(COOKIE).unwrap();
    let left = browser.post("/abmelden", &[]).await;
    assert_eq!(left.onward(), "/anmelden");
    assert!(left.headers.contains_key("clear-site-data"));
    browser.set_cookie(COOKIE, &cookie);
    assert_eq!(browser.get("/anmelden/bestaetigen").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_unused_session_is_over_after_half_an_hour_and_any_after_twelve() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let inside = async || petra.get("/anmelden/bestaetigen").await.status == StatusCode::OK;
    for _ in 0..24 {
        world.clock.advance(TimeDelta::minutes(29));
        assert!(inside().await);
    }
    world.clock.advance(TimeDelta::minutes(25));
    assert!(!inside().await, "twelve hours are over");
    let again = site.inside("Petra", Role::Admin).await;
    world.clock.advance(TimeDelta::minutes(31));
    assert_eq!(again.get("/anmelden/bestaetigen").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_an_open_page_fetches_by_itself_is_no_use_of_it() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    let refreshed =
        async || petra.send(reqwest::Method::GET, "/konto", &[("x-refresh", "1")], None).await.status == StatusCode::OK;
    world.clock.advance(TimeDelta::minutes(20));
    assert!(refreshed().await);
    assert_eq!(petra.head_of("/live").await.status, StatusCode::OK);
    world.clock.advance(TimeDelta::minutes(11));
    assert!(!refreshed().await, "half an hour is over");
    assert!(petra.get("/konto").await.onward().starts_with("/anmelden"));
}

#[tokio::test]
async fn half_a_log_in_ends_no_whole_one() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let own = site.inside("Petra", Role::Admin).await;
    for _ in 0..6 {
        site.inside_as("Petra", Role::Admin, SessionStage::Second).await;
    }
    assert_eq!(own.get("/konto").await.status, StatusCode::OK);
    assert_eq!(world.count("SELECT COUNT(*) FROM sessions").await, 6, "five halves and a whole");
    for _ in 0..5 {
        site.inside("Petra", Role::Admin).await;
    }
    assert!(own.get("/konto").await.onward().starts_with("/anmelden"), "the sixth whole one ends the first");
}

#[tokio::test]
async fn a_technician_who_left_the_settings_is_out() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let anna = site.inside("Anna", Role::Technician).await;
    assert_eq!(anna.get("/konto").await.status, StatusCode::OK);
    world.sql("UPDATE accounts SET technician = 'Zoe' WHERE name = 'Anna'").await;
    assert!(anna.get("/konto").await.onward().starts_with("/anmelden"));
}

#[tokio::test]
async fn whoever_proves_anew_who_he_is_comes_back_to_a_page() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let petra = site.inside("Petra", Role::Admin).await;
    world.clock.advance(TimeDelta::minutes(6));
    for (from, back) in [("/konten", "/konten"), ("/konten/7/link", "/konten"), ("/gibt/es/nicht", "")] {
        let referer = format!("{}{from}", site.url);
        let headers = [("sec-fetch-site", "same-origin"), ("referer", referer.as_str())];
        let asked = petra.send(reqwest::Method::POST, "/konten", &headers, Some(String::new())).await;
        let onward = if back.is_empty() { String::new() } else { format!("?weiter={back}") };
        assert_eq!(asked.onward(), format!("/anmelden/bestaetigen{onward}"), "{from}");
    }
}

#[tokio::test]
async fn a_link_from_the_phone_lets_a_technician_in_once_and_a_preview_does_not_use_it_up() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    let anna = account("Anna", Role::Technician, now);
    accounts::add(&mut tx, &anna).await.unwrap();
    accounts::link(&mut tx, anna.id, Purpose::Enter, "anna", now, now + TimeDelta::minutes(10)).await.unwrap();
    tx.commit().await.unwrap();
    let phone = site.browser();
    assert!(phone.get("/eintreten/anna").await.page().contains("Hallo Anna"));
    assert_eq!(phone.post("/eintreten/anna", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(phone.cookie(COOKIE).is_some());
    assert_eq!(site.browser().post("/eintreten/anna", &[]).await.status, StatusCode::NOT_FOUND);
}
