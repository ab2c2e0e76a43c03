//! One's own account: password, second factor, sessions.
//!
//! Promise: a new password ends every other session; nobody sees or ends somebody else's sessions here.

use super::App;
use super::answer::{Page, Trouble, go, page, page_with};
use super::doors::{Doors, Need};
use super::enter::complaint;
use super::form::{Form, Nothing, Path, Query};
use super::frame::{self, Frame};
use super::proxy::Address;
use super::session::Visitor;
use crate::config::SecondFactor;
use crate::domain::account::{Account, Right, Session, SessionStage};
use crate::domain::event::{Event, EventKind};
use crate::store::{accounts, events, factors, sessions};
use crate::wording::moment;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/konto", Need::May(Right::Own), show)
        .post("/konto/passwort", Need::May(Right::Own), change_password)
        .post("/konto/sitzungen/beenden", Need::May(Right::Own), end_others)
        .post("/konto/sitzungen/{id}/beenden", Need::May(Right::Own), end_one)
}

/// What was done just now.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    getan: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    alt: SecretString,
    passwort: SecretString,
    wiederholt: SecretString,
}

/// A session in the list.
struct Row {
    id: String,
    browser: String,
    address: String,
    since: String,
    seen: String,
    here: bool,
}

#[derive(Template)]
#[template(path = "own.html")]
struct OwnPage {
    frame: Frame,
    account: Account,
    role: &'static str,
    /// The second factor is demanded of everybody.
    required: bool,
    codes_left: i64,
    sessions: Vec<Row>,
    done: Option<&'static str>,
    wrong: Option<String>,
}

async fn show(State(app): State<App>, visitor: Visitor, Query(done): Query<Done>) -> Page {
    let done = match done.getan.as_deref() {
        Some("passwort") => Some("Das Passwort ist geändert. Alle anderen Sitzungen sind beendet."),
        Some("abgelegt") => Some("Der zweite Faktor ist abgelegt. Alle anderen Sitzungen sind beendet."),
        Some("beendet") => Some("Beendet."),
        _ => None,
    };
    page(&own_page(&app, visitor, done, None).await?)
}

async fn own_page(
    app: &App,
    visitor: Visitor,
    done: Option<&'static str>,
    wrong: Option<String>,
) -> Result<OwnPage, Trouble> {
    let (now, lifetimes) = (app.desk.clock.now(), app.settings.lifetimes());
    let zone = app.desk.settings.business_hours().zone;
    let mut reader = app.desk.store.read().await?;
    let all = sessions::of_account(&mut reader, visitor.account.id).await?;
    let codes_left = factors::recovery_left(&mut reader, visitor.account.id).await?;
    drop(reader);
    let row = |one: Session| Row {
        here: one.id == visitor.session.id,
        id: one.id.to_string(),
        browser: browser(&one.browser),
        address: one.address,
        since: moment(one.created_at, zone),
        seen: moment(one.seen_at, zone),
    };
    Ok(OwnPage {
        frame: Frame::of(&visitor, "/konto", "Mein Konto"),
        role: frame::role(visitor.account.role),
        required: app.settings.second_factor == SecondFactor::Required,
        codes_left,
        sessions: all.into_iter().filter(|one| one.lives(&lifetimes, now)).map(row).collect(),
        account: visitor.account,
        done,
        wrong,
    })
}

/// Out of what a browser calls itself, what its owner knows it by.
fn browser(given: &str) -> String {
    let of =
        |known: &[(&str, &'static str)]| known.iter().find(|(word, _)| given.contains(word)).map(|(_, name)| *name);
    // the order matters: each calls itself by its forerunners' names, too
    let program = of(&[
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = of(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} auf {system}"),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => "unbekannter Browser".to_owned(),
    }
}

async fn change_password(
    State(app): State<App>,
    visitor: Visitor,
    Address(address): Address,
    headers: HeaderMap,
    Form(form): Form<ChangePassword>,
) -> Page {
    app.tries.count(&visitor.account.name, address)?;
    let phc = accounts::password(&mut *app.desk.store.read().await?, visitor.account.id).await?;
    if !app.passwords.fits(form.alt, phc).await? {
        app.note_refused().await?;
        let wrong = Some("Das alte Passwort stimmt nicht.".to_owned());
        return page_with(StatusCode::UNAUTHORIZED, &own_page(&app, visitor, None, wrong).await?);
    }
    let wrong = complaint(&form.passwort, &form.wiederholt, &visitor.account.name);
    if wrong.is_some() {
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &own_page(&app, visitor, None, wrong).await?);
    }
    let phc = app.passwords.hash(form.passwort).await?;
    let account = &visitor.account;
    let mut tx = app.desk.store.begin().await?;
    accounts::set_password(&mut tx, account.id, &phc).await?;
    sessions::end_all(&mut tx, account.id).await?;
    let event = Event::new(app.desk.clock.now(), EventKind::Account, "password changed").by(&account.name);
    events::append(&mut tx, &event).await?;
    let stage = SessionStage::Full;
    let cookie = app.begin_session(&mut tx, account, stage, &headers, &address.to_string()).await?;
    tx.commit().await?;
    app.entered(account, stage, cookie, "/konto?getan=passwort")
}

async fn end_one(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    let id = Uuid::parse_str(&id).map_err(|_| Trouble::Missing)?;
    let mut tx = app.desk.store.begin().await?;
    if !sessions::end(&mut tx, visitor.account.id, id).await? {
        return Err(Trouble::Missing);
    }
    let event = Event::new(app.desk.clock.now(), EventKind::Access, "session ended").by(&visitor.account.name);
    events::append(&mut tx, &event).await?;
    tx.commit().await?;
    go("/konto?getan=beendet")
}

async fn end_others(State(app): State<App>, visitor: Visitor, Form(Nothing {}): Form<Nothing>) -> Page {
    let mut tx = app.desk.store.begin().await?;
    let ended = sessions::end_others(&mut tx, visitor.account.id, visitor.session.id).await?;
    let event = Event::new(app.desk.clock.now(), EventKind::Access, format!("other sessions ended: {ended}"));
    events::append(&mut tx, &event.by(&visitor.account.name)).await?;
    tx.commit().await?;
    go("/konto?getan=beendet")
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_called_as_its_owner_calls_it() {
        for (given, called) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox auf Linux"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
                "Safari auf iPhone",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
                "Edge auf Windows",
            ),
            ("<script>", "unbekannter Browser"),
        ] {
            assert_eq!(browser(given), called);
        }
    }
}
