//! Second factors: time codes, each once and only the one of now; recovery codes; who must have one.

use super::{Browser, COOKIE, Site, account};
use crate::world::World;
use chrono::TimeDelta;
use nachtwache::config::SecondFactor;
use nachtwache::domain::account::{AccountId, Role, SessionStage};
use nachtwache::runtime::clock::Clock as _;
use nachtwache::store::accounts::{self, Purpose};
use nachtwache::store::{factors, sessions};
use reqwest::StatusCode;
use totp_rs::Builder;

const PASSWORD: &str = "drei blaue Pferde im Regen";

/// The value of a field of the page.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let at = page.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    page[at..].split('"').nth(3).unwrap()
}

/// What stands between two words of the page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before).unwrap_or_else(|| panic!("no {before}: {page}")).1.split_once(after).unwrap().0
}

/// What the app on the phone shows so many seconds from now.
fn code(world: &World, seed: &str, seconds: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(seed.replace('-', "")).unwrap();
    let at = u64::try_from(world.clock.now().timestamp() + seconds).unwrap();
    Builder::new().with_secret(secret).build().unwrap().generate(at).to_string()
}

/// Petra has a password and comes in by it; where she is sent.
async fn with_password(world: &World, site: &Site) -> (Browser, String) {
    let now = world.clock.now();
    let mut tx = world.store.begin().await.unwrap();
    let petra = account("Petra", Role::Admin, now);
    accounts::add(&mut tx, &petra).await.unwrap();
    accounts::link(&mut tx, petra.id, Purpose::Begin, "token", now, now + TimeDelta::hours(24)).await.unwrap();
    tx.commit().await.unwrap();
    let browser = site.browser();
    browser.post("/einladung/token", &[("passwort", PASSWORD), ("wiederholt", PASSWORD)]).await;
    let onward = browser.get("/konto").await.onward().to_owned();
    (browser, onward)
}

async fn log_in(site: &Site) -> Browser {
    let browser = site.browser();
    let entered = browser.post("/anmelden", &[("name", "Petra"), ("passwort", PASSWORD)]).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    browser
}

/// Sets a factor up; its seed, and the recovery codes.
async fn set_up(world: &World, browser: &Browser) -> (String, Vec<String>) {
    let page = browser.get("/konto/zweiter").await.page();
    let seed = between(&page, "6 Ziffern): <code>", "</code>").to_owned();
    let done =
        browser.post("/konto/zweiter", &[("samen", field(&page, "samen")), ("code", &code(world, &seed, 0))]).await;
    let list = done.page();
    let codes = list.split("<li><code>").skip(1).map(|one| one.split('<').next().unwrap().to_owned()).collect();
    (seed, codes)
}

async fn stage(world: &World, browser: &Browser) -> Option<SessionStage> {
    let token = browser.cookie(COOKIE)?;
    let found = sessions::of_token(&mut world.store.read().await.unwrap(), &token).await.unwrap();
    found.map(|session| session.stage)
}

async fn petra(world: &World) -> AccountId {
    accounts::named(&mut world.store.read().await.unwrap(), "Petra").await.unwrap().unwrap().id
}

#[tokio::test]
async fn where_it_is_demanded_nobody_is_inside_before_a_factor_is_set_up() {
    let world = World::night().await;
    let site = Site::with(&world, |web| web.second_factor = SecondFactor::Required).await;
    let (browser, onward) = with_password(&world, &site).await;
    assert_eq!(onward, "/konto/zweiter");
    let page = browser.get("/konto/zweiter").await.page();
    assert!(page.contains("<svg class=\"qr\"") && !page.contains("style="), "a picture that the policy allows");
    let wrong = [("samen", field(&page, "samen")), ("code", "000000")];
    assert_eq!(browser.post("/konto/zweiter", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stage(&world, &browser).await, Some(SessionStage::Enrol));
    let half = browser.cookie(COOKIE).unwrap();
    let (seed, codes) = set_up(&world, &browser).await;
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|one| one.replace('-', "").len() == 32), "128 bits: {codes:?}");
    assert_ne!(browser.cookie(COOKIE).unwrap(), half, "a new session");
    assert_eq!(browser.get("/konto").await.status, StatusCode::OK);
    let mut reader = world.store.read().await.unwrap();
    assert!(sessions::of_token(&mut reader, &half).await.unwrap().is_none());
    let sealed = factors::totp(&mut reader, petra(&world).await).await.unwrap().unwrap();
    assert!(!sealed.contains(&seed.replace('-', "")));
    drop(reader);
    world.clock.advance(TimeDelta::minutes(1));
    let off = browser.post("/konto/zweiter/ablegen", &[]).await;
    assert_eq!(off.status, StatusCode::UNPROCESSABLE_ENTITY, "it is demanded");
}

#[tokio::test]
async fn a_code_counts_in_its_half_minute_and_once() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let (first, _) = with_password(&world, &site).await;
    let (seed, _) = set_up(&world, &first).await;
    let browser = log_in(&site).await;
    assert_eq!(browser.get("/konto").await.onward(), "/anmelden/zweiter?weiter=/konto");
    let enter = async |code: String| {
        let answer = browser.post("/anmelden/zweiter", &[("code", &code), ("weiter", "/konto")]).await;
        (answer.status, answer.onward().to_owned())
    };
    let refused = (StatusCode::UNAUTHORIZED, String::new());
    assert_eq!(enter(code(&world, &seed, 0)).await, refused, "the code that confirmed the set-up");
    world.clock.advance(TimeDelta::seconds(30));
    assert_eq!(enter(code(&world, &seed, -30)).await, refused, "the step before");
    let half = browser.cookie(COOKIE).unwrap();
    assert_eq!(enter(code(&world, &seed, 0)).await, (StatusCode::SEE_OTHER, "/konto".to_owned()));
    assert_ne!(browser.cookie(COOKIE).unwrap(), half, "a new session");
    assert_eq!(stage(&world, &browser).await, Some(SessionStage::Full));
    let other = log_in(&site).await;
    let replayed = other.post("/anmelden/zweiter", &[("code", &code(&world, &seed, 0))]).await;
    assert_eq!(replayed.status, StatusCode::UNAUTHORIZED, "nobody who looked over her shoulder enters by it");
}

#[tokio::test]
async fn a_recovery_code_lets_in_once() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let (first, _) = with_password(&world, &site).await;
    let (_, codes) = set_up(&world, &first).await;
    let enter = async |code: &str| {
        let browser = log_in(&site).await;
        browser.post("/anmelden/zweiter", &[("code", code)]).await.status
    };
    assert_eq!(enter(&codes[3].to_uppercase()).await, StatusCode::SEE_OTHER, "as people copy it");
    assert_eq!(enter(&codes[3]).await, StatusCode::UNAUTHORIZED);
    let id = petra(&world).await;
    assert_eq!(factors::recovery_left(&mut world.store.read().await.unwrap(), id).await.unwrap(), 9);
}

#[tokio::test]
async fn a_code_cannot_be_guessed() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let (first, _) = with_password(&world, &site).await;
    set_up(&world, &first).await;
    let browser = log_in(&site).await;
    let mut answers = Vec::new();
    for guess in 0..6 {
        let code = format!("{guess:06}");
        answers.push(browser.post("/anmelden/zweiter", &[("code", &code)]).await.status);
    }
    assert_eq!(answers.last(), Some(&StatusCode::TOO_MANY_REQUESTS), "{answers:?}");
}

#[tokio::test]
async fn with_the_password_alone_nobody_sets_another_factor_up() {
    let world = World::night().await;
    let site = Site::with(&world, |web| web.second_factor = SecondFactor::Required).await;
    let (first, _) = with_password(&world, &site).await;
    // somebody who knows the password is waiting in the set-up, too
    let thief = log_in(&site).await;
    let page = thief.get("/konto/zweiter").await.page();
    let seed = between(&page, "6 Ziffern): <code>", "</code>").to_owned();
    set_up(&world, &first).await;
    let stolen = [("samen", field(&page, "samen")), ("code", &code(&world, &seed, 0))];
    assert_eq!(thief.post("/konto/zweiter", &stolen).await.onward(), "/anmelden");
    let again = log_in(&site).await;
    assert_eq!(again.get("/konto/zweiter").await.onward(), "/anmelden/zweiter");
    assert_eq!(again.post("/konto/zweiter", &stolen).await.onward(), "/anmelden/zweiter");
    // and a seed that was offered to another session opens for nobody else
    let foreign = first.post("/konto/zweiter", &stolen).await;
    assert_eq!(foreign.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(foreign.body.contains("abgelaufen"), "{}", foreign.body);
}

#[tokio::test]
async fn weighty_acts_ask_for_the_code_too_and_the_factor_can_be_taken_off() {
    let world = World::night().await;
    let site = Site::of(&world).await;
    let (browser, _) = with_password(&world, &site).await;
    let (seed, _) = set_up(&world, &browser).await;
    world.clock.advance(TimeDelta::minutes(6));
    let asked = browser.post("/konto/zweiter/ablegen", &[]).await;
    assert!(asked.onward().starts_with("/anmelden/bestaetigen"), "{}", asked.onward());
    assert!(browser.get("/anmelden/bestaetigen").await.page().contains("Code aus der App"));
    let prove = async |code: &str| {
        browser.post("/anmelden/bestaetigen", &[("passwort", PASSWORD), ("code", code)]).await.status
    };
    assert_eq!(prove("").await, StatusCode::UNAUTHORIZED, "the password alone");
    assert_eq!(prove(&code(&world, &seed, 0)).await, StatusCode::SEE_OTHER);
    assert_eq!(browser.post("/konto/zweiter/ablegen", &[]).await.onward(), "/konto?getan=abgelegt");
    let id = petra(&world).await;
    let mut reader = world.store.read().await.unwrap();
    assert_eq!(factors::totp(&mut reader, id).await.unwrap(), None);
    assert_eq!(factors::recovery_left(&mut reader, id).await.unwrap(), 0);
    drop(reader);
    assert_eq!(stage(&world, &log_in(&site).await).await, Some(SessionStage::Full));
}
