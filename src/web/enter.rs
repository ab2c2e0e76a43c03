//! The way in and out: name and password, one-time links, proving anew who one is, and leaving.
//!
//! Promise: what was wrong is never said, and takes as long as what was right; each way in makes a new session.

use super::answer::{Page, Trouble, go, page, page_with};
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Path, Query};
use super::frame::Frame;
use super::proxy::Address;
use super::session::{COOKIE, Visitor, set_cookie};
use super::{App, Inner, password};
use crate::config::SecondFactor;
use crate::domain::account::{Account, Right, Role, SessionStage};
use crate::domain::event::{Event, EventKind};
use crate::store::accounts::Purpose;
use crate::store::{accounts, events, sessions};
use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/anmelden", Need::Nobody, ask)
        .post("/anmelden", Need::Nobody, enter)
        .get("/anmelden/bestaetigen", Need::May(Right::Own), ask_anew)
        .post("/anmelden/bestaetigen", Need::May(Right::Own), prove)
        .get("/einladung/{token}", Need::Nobody, invited)
        .post("/einladung/{token}", Need::Nobody, begin)
        .get("/eintreten/{token}", Need::Nobody, linked)
        .post("/eintreten/{token}", Need::Nobody, enter_by_link)
        .post("/abmelden", Need::Half, leave)
}

/// Where to go on.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Onward {
    pub(super) weiter: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogIn {
    name: String,
    passwort: SecretString,
    #[serde(default)]
    weiter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    passwort: SecretString,
    #[serde(default)]
    code: SecretString,
    #[serde(default)]
    weiter: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    passwort: SecretString,
    wiederholt: SecretString,
}

#[derive(Template)]
#[template(path = "enter.html")]
struct EnterPage {
    frame: Frame,
    onward: String,
    name: String,
    wrong: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "prove.html")]
struct ProvePage {
    frame: Frame,
    onward: String,
    /// A code is asked for, too.
    second: bool,
    wrong: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "begin.html")]
struct BeginPage {
    frame: Frame,
    name: String,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "linked.html")]
struct LinkedPage {
    frame: Frame,
    name: String,
}

/// Bytes of a name at the log-in.
const LONGEST_NAME: usize = 200;
const NOT_RIGHT: &str = "Name oder Passwort stimmt nicht.";

/// A path of this page and nothing else: what a link brought may lead nowhere else.
pub(super) fn local(path: &str) -> &str {
    let fits = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if fits { path } else { "/" }
}

async fn ask(visitor: Option<Extension<Visitor>>, Query(onward): Query<Onward>) -> Page {
    let onward = onward.weiter.unwrap_or_default();
    if visitor.is_some_and(|visitor| visitor.session.stage == SessionStage::Full) {
        return go(local(&onward));
    }
    page(&EnterPage { frame: Frame::bare("Anmelden"), onward, name: String::new(), wrong: None })
}

async fn enter(State(app): State<App>, Address(address): Address, headers: HeaderMap, Form(form): Form<LogIn>) -> Page {
    let name = form.name.trim();
    if name.len() > LONGEST_NAME {
        // tries are counted by name: nobody fills the memory with names
        return Err(Trouble::Wrong(NOT_RIGHT.to_owned()));
    }
    app.tries.count(name, address)?;
    let mut reader = app.desk.store.read().await?;
    let account = accounts::named(&mut reader, name).await?;
    let account = account.filter(|account| app.may_enter(account));
    let phc = match &account {
        Some(account) => accounts::password(&mut reader, account.id).await?,
        None => None,
    };
    drop(reader);
    // a name that nobody has is counted, too: else the answer would tell which ones exist
    if !account.as_ref().is_some_and(|account| app.knows_device(&headers, account.id)) {
        app.tries.count_stranger(name)?;
    }
    let old = phc.as_deref().is_some_and(password::is_old);
    let fits = app.passwords.fits(form.passwort.clone(), phc).await?;
    let Some(account) = account.filter(|_| fits) else {
        app.note_refused().await?;
        let frame = Frame::bare("Anmelden");
        let shown = EnterPage { frame, onward: form.weiter, name: form.name, wrong: Some(NOT_RIGHT) };
        return page_with(StatusCode::UNAUTHORIZED, &shown);
    };
    let stronger = if old { Some(app.passwords.hash(form.passwort).await?) } else { None };
    let mut tx = app.desk.store.begin().await?;
    if let Some(phc) = stronger {
        accounts::set_password(&mut tx, account.id, &phc).await?;
    }
    let stage = app.stage_of(&account);
    let cookie = app.begin_session(&mut tx, &account, stage, &headers, &address.to_string()).await?;
    tx.commit().await?;
    app.entered(&account, stage, cookie, local(&form.weiter))
}

async fn ask_anew(visitor: Visitor, Query(onward): Query<Onward>) -> Page {
    let frame = Frame::of(&visitor, "", "Bestätigen");
    let second = visitor.account.has_second();
    page(&ProvePage { frame, onward: onward.weiter.unwrap_or_default(), second, wrong: None })
}

/// Somebody proves anew who he is, before something weighty.
async fn prove(State(app): State<App>, visitor: Visitor, Address(address): Address, Form(form): Form<Proof>) -> Page {
    app.tries.count(&visitor.account.name, address)?;
    let phc = accounts::password(&mut *app.desk.store.read().await?, visitor.account.id).await?;
    let knows = app.passwords.fits(form.passwort, phc).await?;
    let mut tx = app.desk.store.begin().await?;
    let second = visitor.account.has_second();
    // a code is used up only where the password was right
    if !knows || (second && !app.second_fits(&mut tx, &visitor.account, form.code.expose_secret()).await?) {
        drop(tx);
        app.note_refused().await?;
        let frame = Frame::of(&visitor, "", "Bestätigen");
        let wrong = Some(if second { "Passwort oder Code stimmt nicht." } else { "Das Passwort stimmt nicht." });
        return page_with(StatusCode::UNAUTHORIZED, &ProvePage { frame, onward: form.weiter, second, wrong });
    }
    sessions::proved(&mut tx, visitor.session.id, app.desk.clock.now()).await?;
    tx.commit().await?;
    go(local(&form.weiter))
}

async fn invited(State(app): State<App>, Path(token): Path<String>) -> Page {
    let account = app.of_link(Purpose::Begin, &token).await?;
    page(&BeginPage { frame: Frame::bare("Willkommen"), name: account.name, wrong: None })
}

/// Somebody sets his first or a new password by a one-time link. Whoever was inside with the old one is out.
async fn begin(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Path(token): Path<String>,
    Form(form): Form<NewPassword>,
) -> Page {
    app.tries.count("", address)?;
    let account = app.of_link(Purpose::Begin, &token).await?;
    if let Some(wrong) = complaint(&form.passwort, &form.wiederholt, &account.name) {
        let shown = BeginPage { frame: Frame::bare("Willkommen"), name: account.name, wrong: Some(wrong) };
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown);
    }
    let phc = app.passwords.hash(form.passwort).await?;
    let now = app.desk.clock.now();
    let mut tx = app.desk.store.begin().await?;
    // two at once: the second one finds no link any more
    accounts::use_link(&mut tx, Purpose::Begin, &token, now).await?.ok_or(Trouble::Missing)?;
    accounts::set_password(&mut tx, account.id, &phc).await?;
    sessions::end_all(&mut tx, account.id).await?;
    events::append(&mut tx, &Event::new(now, EventKind::Account, "password set by a link").by(&account.name)).await?;
    let stage = app.stage_of(&account);
    let cookie = app.begin_session(&mut tx, &account, stage, &headers, &address.to_string()).await?;
    tx.commit().await?;
    app.entered(&account, stage, cookie, "/")
}

/// What is wrong with a new password that was typed twice.
pub(super) fn complaint(password: &SecretString, again: &SecretString, name: &str) -> Option<String> {
    if password.expose_secret() != again.expose_secret() {
        return Some("Die beiden Eingaben sind verschieden.".to_owned());
    }
    password::complaint(password.expose_secret(), &[name])
}

/// Only asks: a program that looks into links (a chat's preview) must not use them up.
async fn linked(State(app): State<App>, Path(token): Path<String>) -> Page {
    let account = app.of_link(Purpose::Enter, &token).await?;
    page(&LinkedPage { frame: Frame::bare("Anmelden"), name: account.name })
}

/// A technician whose paired phone asked for this link. The phone is what he has; a second factor is not asked for.
async fn enter_by_link(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Path(token): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    app.tries.count("", address)?;
    let account = app.of_link(Purpose::Enter, &token).await?;
    let mut tx = app.desk.store.begin().await?;
    accounts::use_link(&mut tx, Purpose::Enter, &token, app.desk.clock.now()).await?.ok_or(Trouble::Missing)?;
    let stage = SessionStage::Full;
    let cookie = app.begin_session(&mut tx, &account, stage, &headers, &address.to_string()).await?;
    tx.commit().await?;
    app.entered(&account, stage, cookie, "/")
}

async fn leave(State(app): State<App>, visitor: Visitor, Form(Nothing {}): Form<Nothing>) -> Page {
    let mut tx = app.desk.store.begin().await?;
    sessions::end(&mut tx, visitor.account.id, visitor.session.id).await?;
    let event = Event::new(app.desk.clock.now(), EventKind::Access, "left").by(&visitor.account.name);
    events::append(&mut tx, &event).await?;
    tx.commit().await?;
    let mut response = go("/anmelden")?;
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(COOKIE, "", Some(0)));
    let clear = HeaderName::from_static("clear-site-data");
    response.headers_mut().insert(clear, HeaderValue::from_static("\"cache\", \"storage\""));
    Ok(response)
}

impl Inner {
    /// How far somebody is whose password was right.
    fn stage_of(&self, account: &Account) -> SessionStage {
        match self.settings.second_factor {
            _ if account.has_second() => SessionStage::Second,
            SecondFactor::Required => SessionStage::Enrol,
            SecondFactor::Optional => SessionStage::Full,
        }
    }

    /// With his cookies to where he wanted to go. Only whoever is wholly inside is known by his browser from now on: with
    /// the password alone, codes are not tried without being counted.
    pub(super) fn entered(&self, account: &Account, stage: SessionStage, cookie: HeaderValue, onward: &str) -> Page {
        let mut response: Response = go(onward)?.into_response();
        response.headers_mut().append(header::SET_COOKIE, cookie);
        if stage == SessionStage::Full {
            response.headers_mut().append(header::SET_COOKIE, self.known_device(account.id));
        }
        Ok(response)
    }

    /// Whose link that is, while it is valid and he may enter.
    async fn of_link(&self, purpose: Purpose, token: &str) -> Result<Account, Trouble> {
        let mut reader = self.desk.store.read().await?;
        let id = accounts::of_link(&mut reader, purpose, token, self.desk.clock.now()).await?;
        let account = accounts::find(&mut reader, id.ok_or(Trouble::Missing)?).await?;
        // a phone stands in for a technician's password, for nobody's else
        let fits = |one: &Account| purpose == Purpose::Begin || one.role == Role::Technician;
        account.filter(|account| self.may_enter(account) && fits(account)).ok_or(Trouble::Missing)
    }

    /// What was typed is not noted: it may be a password in the wrong field.
    pub(super) async fn note_refused(&self) -> Result<(), Trouble> {
        tracing::warn!("a log-in was refused");
        let mut tx = self.desk.store.begin().await?;
        events::append(&mut tx, &Event::new(self.desk.clock.now(), EventKind::Access, "log-in refused")).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_led_away_from_the_page() {
        for away in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb"]
        {
            assert_eq!(local(away), "/", "{away}");
        }
        assert_eq!(local("/vorgaenge/1042?x=1"), "/vorgaenge/1042?x=1");
    }
}
