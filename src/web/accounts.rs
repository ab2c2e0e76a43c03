//! Everybody who may enter: who is what, and how he is let in, changed and shut out.
//!
//! Promise: somebody of the administration is always left, and nobody shuts himself out; whoever is changed logs in anew;
//! each change stays on record with who made it. A one-time link is shown once and kept as a hash.

use super::answer::{Page, Trouble, go, page};
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Path};
use super::frame::{self, Frame};
use super::session::Visitor;
use super::{App, Inner};
use crate::domain::account::{Account, AccountId, Right, Role};
use crate::domain::event::{Event, EventKind};
use crate::store::accounts::Purpose;
use crate::store::{Tx, accounts, events, factors, sessions};
use crate::wording::moment;
use askama::Template;
use axum::extract::State;
use chrono::TimeDelta;
use serde::Deserialize;
use uuid::Uuid;

/// A link is valid for so long.
const VALID: TimeDelta = TimeDelta::hours(24);

pub(super) fn routes(doors: Doors) -> Doors {
    let freshly = Need::Freshly(Right::Accounts);
    doors
        .get("/konten", Need::May(Right::Accounts), list)
        .post("/konten", freshly, add)
        .post("/konten/{id}/link", freshly, new_link)
        .post("/konten/{id}/rolle", freshly, set_role)
        .post("/konten/{id}/sperren", freshly, disable)
        .post("/konten/{id}/freigeben", freshly, enable)
        .post("/konten/{id}/abmelden", freshly, log_out)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    rolle: Role,
    #[serde(default)]
    techniker: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLink {
    /// "ja": the second factor is lost, too.
    #[serde(default)]
    ohne_zweiten: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    rolle: Role,
}

/// An account in the list.
struct Row {
    account: Account,
    role: &'static str,
    seen: String,
    /// It is the visitor's own.
    own: bool,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    rows: Vec<Row>,
    /// Technicians of the settings who have no account.
    technicians: Vec<String>,
    roles: [(Role, &'static str); 3],
    /// Changes ask for the password first.
    stale: bool,
}

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    name: String,
    link: String,
    until: String,
}

async fn list(State(app): State<App>, visitor: Visitor) -> Page {
    let zone = app.desk.settings.business_hours().zone;
    let all = accounts::all(&mut *app.desk.store.read().await?).await?;
    let known = app.desk.settings.technicians.iter().map(|one| one.name.clone());
    let technicians = known.filter(|name| !all.iter().any(|one| one.technician.as_ref() == Some(name))).collect();
    let row = |account: Account| Row {
        role: frame::role(account.role),
        seen: account.seen_at.map_or_else(|| "noch nie".to_owned(), |at| moment(at, zone)),
        own: account.id == visitor.account.id,
        account,
    };
    page(&AccountsPage {
        frame: Frame::of(&visitor, "/konten", "Konten"),
        rows: all.into_iter().map(row).collect(),
        technicians,
        roles: [Role::Technician, Role::Reviewer, Role::Admin].map(|role| (role, frame::role(role))),
        stale: !visitor.session.is_fresh(&app.settings.lifetimes(), app.desk.clock.now()),
    })
}

async fn add(State(app): State<App>, visitor: Visitor, Form(form): Form<New>) -> Page {
    let name = form.name.trim();
    let wrong = |text: &str| Err(Trouble::Wrong(text.to_owned()));
    if !Account::can_be_called(name) {
        return wrong("Ein Name hat 1 bis 60 Zeichen, ohne Doppelpunkt und Steuerzeichen.");
    }
    let technician = Some(form.techniker).filter(|name| !name.is_empty());
    let known = |name: &String| app.desk.settings.technicians.iter().any(|one| one.name == *name);
    if !technician.as_ref().is_none_or(known) {
        return wrong("Diesen Techniker gibt es in den Einstellungen nicht.");
    }
    let account = Account::new(name, form.rolle, technician, app.desk.clock.now());
    let mut tx = app.desk.store.begin().await?;
    if !accounts::add(&mut tx, &account).await? {
        return wrong("Den Namen hat schon jemand, oder der Techniker hat schon ein Konto.");
    }
    app.note(&mut tx, &visitor, &account, &format!("added: {}", account.role.as_str())).await?;
    link_page(&app, tx, &visitor, &account).await
}

async fn new_link(State(app): State<App>, visitor: Visitor, Path(id): Path<String>, Form(form): Form<NewLink>) -> Page {
    let mut tx = app.desk.store.begin().await?;
    let account = found(&mut tx, &id).await?;
    if form.ohne_zweiten == "ja" {
        factors::forget(&mut tx, account.id).await?;
        sessions::end_all(&mut tx, account.id).await?;
        app.note(&mut tx, &visitor, &account, "second factor taken off").await?;
    }
    app.note(&mut tx, &visitor, &account, "link made").await?;
    link_page(&app, tx, &visitor, &account).await
}

/// Makes a link that sets a password, commits, and shows it: this once.
async fn link_page(app: &App, mut tx: Tx, visitor: &Visitor, account: &Account) -> Page {
    let (now, token) = (app.desk.clock.now(), accounts::token()?);
    accounts::link(&mut tx, account.id, Purpose::Begin, &token, now, now + VALID).await?;
    tx.commit().await?;
    page(&LinkPage {
        frame: Frame::of(visitor, "/konten", "Einmal-Link"),
        name: account.name.clone(),
        link: app.settings.link(&format!("/einladung/{token}")),
        until: moment(now + VALID, app.desk.settings.business_hours().zone),
    })
}

async fn set_role(State(app): State<App>, visitor: Visitor, Path(id): Path<String>, Form(form): Form<NewRole>) -> Page {
    let mut tx = app.desk.store.begin().await?;
    let account = found(&mut tx, &id).await?;
    if account.role == form.rolle {
        return go("/konten");
    }
    keep_an_admin(&mut tx, &account).await?;
    accounts::set_role(&mut tx, account.id, form.rolle).await?;
    app.changed(tx, &visitor, &account, &format!("role: {}", form.rolle.as_str())).await
}

async fn disable(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    let mut tx = app.desk.store.begin().await?;
    let account = found(&mut tx, &id).await?;
    if account.id == visitor.account.id {
        return Err(Trouble::Wrong("Sich selbst sperrt hier niemand aus.".to_owned()));
    }
    keep_an_admin(&mut tx, &account).await?;
    accounts::set_disabled(&mut tx, account.id, Some(app.desk.clock.now())).await?;
    app.changed(tx, &visitor, &account, "disabled").await
}

async fn enable(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    let mut tx = app.desk.store.begin().await?;
    let account = found(&mut tx, &id).await?;
    accounts::set_disabled(&mut tx, account.id, None).await?;
    app.changed(tx, &visitor, &account, "enabled").await
}

async fn log_out(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    let mut tx = app.desk.store.begin().await?;
    let account = found(&mut tx, &id).await?;
    app.changed(tx, &visitor, &account, "logged out").await
}

async fn found(tx: &mut Tx, id: &str) -> Result<Account, Trouble> {
    let id = Uuid::parse_str(id).map_err(|_| Trouble::Missing)?;
    accounts::lock(tx, AccountId(id)).await?.ok_or(Trouble::Missing)
}

/// Without an admin nobody could let anybody in any more.
async fn keep_an_admin(tx: &mut Tx, account: &Account) -> Result<(), Trouble> {
    let admins = accounts::lock_admins(tx).await?;
    if admins.iter().any(|one| one.id == account.id) && admins.len() == 1 {
        let text = "Das ist das letzte Konto der Verwaltung. Geben Sie diese Rolle zuerst jemand anderem.";
        return Err(Trouble::Wrong(text.to_owned()));
    }
    Ok(())
}

impl Inner {
    async fn note(&self, tx: &mut Tx, visitor: &Visitor, account: &Account, what: &str) -> Result<(), Trouble> {
        let event = Event::new(self.desk.clock.now(), EventKind::Account, format!("{}: {what}", account.name));
        Ok(events::append(tx, &event.by(&visitor.account.name)).await?)
    }

    /// The account is another from now on: whoever is inside by it shows anew who he is.
    async fn changed(&self, mut tx: Tx, visitor: &Visitor, account: &Account, what: &str) -> Page {
        sessions::end_all(&mut tx, account.id).await?;
        self.note(&mut tx, visitor, account, what).await?;
        tx.commit().await?;
        go("/konten")
    }
}
