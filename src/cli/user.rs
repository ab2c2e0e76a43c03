//! `nachtwache user`: who may enter the page. Nobody types a password here: each sets his own by a one-time link.

use super::roster::shown;
use crate::config::{self, Settings};
use crate::domain::account::{Account, AccountId, Role};
use crate::domain::event::{Event, EventKind};
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::accounts::{self, Purpose};
use crate::store::{Store, Tx, events, factors, sessions};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Add somebody, and print the link by which he sets his password
    #[command(
        after_help = "Example:\n  nachtwache user add Petra --role admin\n  nachtwache user add Anna --role technician --technician Anna"
    )]
    Add(AddOptions),
    /// Print a new link for somebody who forgot his password or lost his second factor (with --reset)
    #[command(after_help = "Example:\n  nachtwache user link Petra\n  nachtwache user link Petra --reset")]
    Link(LinkOptions),
    /// Say who may enter
    #[command(after_help = "Example:\n  nachtwache user list --json")]
    List(ListOptions),
    /// Make somebody admin, reviewer or technician
    #[command(after_help = "Example:\n  nachtwache user role Petra reviewer")]
    Role(RoleOptions),
    /// Shut somebody out; what he did stays on record
    #[command(after_help = "Example:\n  nachtwache user disable Petra")]
    Disable(NameOptions),
    /// Let somebody in again
    #[command(after_help = "Example:\n  nachtwache user enable Petra")]
    Enable(NameOptions),
    /// End all of somebody's sessions
    #[command(after_help = "Example:\n  nachtwache user logout Petra")]
    Logout(NameOptions),
}

#[derive(Debug, clap::Args)]
pub(super) struct AddOptions {
    /// As typed at the log-in
    name: String,
    /// admin, reviewer or technician
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
    /// Who of the technicians in the settings this is; cases are taken under that name
    #[arg(long, value_name = "NAME")]
    technician: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct LinkOptions {
    /// The account's name
    name: String,
    /// Take the second factor off, too: it is set up anew
    #[arg(long)]
    reset: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListOptions {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RoleOptions {
    /// The account's name
    name: String,
    /// admin, reviewer or technician
    #[arg(value_name = "ROLE", value_parser = role)]
    role: Role,
}

#[derive(Debug, clap::Args)]
pub(super) struct NameOptions {
    /// The account's name
    name: String,
}

/// A link is valid for so long.
const VALID: TimeDelta = TimeDelta::hours(24);

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "write admin, reviewer or technician".to_owned())
}

pub(super) async fn user(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    let web = settings.web.clone().context("there is no page: write [web] into the settings")?;
    let store = run::open_store(&settings).await?;
    let done = match options {
        Options::Add(options) => add(&settings, &web, &store, options).await,
        Options::Link(options) => link(&settings, &web, &store, &options).await,
        Options::List(options) => list(&store, &options).await,
        Options::Role(options) => {
            change(&store, &options.name, &format!("role: {}", options.role.as_str()), async |tx, id, _| {
                accounts::set_role(tx, id, options.role).await
            })
            .await
        }
        Options::Disable(options) => {
            change(&store, &options.name, "disabled", async |tx, id, now| {
                accounts::set_disabled(tx, id, Some(now)).await
            })
            .await
        }
        Options::Enable(options) => {
            change(&store, &options.name, "enabled", async |tx, id, _| accounts::set_disabled(tx, id, None).await).await
        }
        Options::Logout(options) => change(&store, &options.name, "logged out", async |_, _, _| Ok(())).await,
    };
    store.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

async fn add(settings: &Settings, web: &config::Web, store: &Store, options: AddOptions) -> anyhow::Result<()> {
    let name = options.name.trim().to_owned();
    anyhow::ensure!(Account::can_be_called(&name), "a name has 1 to 60 characters, no control characters, no colon");
    if let Some(technician) = &options.technician {
        let known = settings.technicians.iter().any(|one| one.name == *technician);
        anyhow::ensure!(known, "{technician:?} is no technician of the settings; see `nachtwache technician list`");
    }
    let now = SystemClock.now();
    let account = Account::new(&name, options.role, options.technician, now);
    let mut tx = store.begin().await?;
    let added = accounts::add(&mut tx, &account).await?;
    anyhow::ensure!(added, "somebody has the name {name:?} already, or is that technician; see `nachtwache user list`");
    note(&mut tx, &name, &format!("added: {}", options.role.as_str()), now).await?;
    let (link, until) = linked(&mut tx, web, account.id, now).await?;
    tx.commit().await.context("could not add the account")?;
    tell_link(settings, &name, &link, until, options.json)
}

async fn link(settings: &Settings, web: &config::Web, store: &Store, options: &LinkOptions) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut tx = store.begin().await?;
    let account = found(&mut tx, &options.name).await?;
    if options.reset {
        factors::forget(&mut tx, account.id).await?;
        sessions::end_all(&mut tx, account.id).await?;
        note(&mut tx, &account.name, "second factor taken off", now).await?;
    }
    let (link, until) = linked(&mut tx, web, account.id, now).await?;
    note(&mut tx, &account.name, "link made", now).await?;
    tx.commit().await.context("could not make the link")?;
    tell_link(settings, &account.name, &link, until, options.json)
}

/// A fresh link that sets a password.
async fn linked(
    tx: &mut Tx,
    web: &config::Web,
    id: AccountId,
    now: DateTime<Utc>,
) -> anyhow::Result<(String, DateTime<Utc>)> {
    let token = accounts::token()?;
    let until = now + VALID;
    accounts::link(tx, id, Purpose::Begin, &token, now, until).await?;
    Ok((web.link(&format!("/einladung/{token}")), until))
}

fn tell_link(settings: &Settings, name: &str, link: &str, until: DateTime<Utc>, json: bool) -> anyhow::Result<()> {
    if json {
        return super::say_json(&json!({ "name": name, "link": link, "until": until }));
    }
    let until = shown(settings.business_hours().zone, until);
    super::say(&format!("Link for {name}, valid once, until {until}:\n  {link}"));
    super::say("Whoever opens it sets the password: hand it over yourself. Earlier links are no longer valid.");
    Ok(())
}

async fn list(store: &Store, options: &ListOptions) -> anyhow::Result<()> {
    let all = accounts::all(&mut *store.read().await?).await?;
    if options.json {
        let row = |one: &Account| {
            json!({
                "name": one.name, "role": one.role, "technician": one.technician, "password": one.has_password,
                "totp": one.has_totp, "disabled_at": one.disabled_at, "seen_at": one.seen_at,
            })
        };
        return super::say_json(&all.iter().map(row).collect::<Vec<_>>());
    }
    if all.is_empty() {
        super::say("nobody can enter yet: nachtwache user add NAME --role admin");
    }
    for one in all {
        let second = if one.has_totp { "time codes" } else { "no second factor" };
        let state = match (one.disabled_at.is_some(), one.has_password) {
            (true, _) => "disabled",
            (false, true) => "password set",
            (false, false) => "no password yet",
        };
        let technician = one.technician.map(|name| format!(", technician {name}")).unwrap_or_default();
        super::say(&format!("{}: {}{technician}, {state}, {second}", one.name, one.role.as_str()));
    }
    Ok(())
}

/// Changes an account and ends its sessions: whoever is inside shows anew who he is now.
async fn change(
    store: &Store,
    name: &str,
    what: &str,
    act: impl AsyncFnOnce(&mut Tx, AccountId, DateTime<Utc>) -> Result<(), crate::store::StoreError>,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mut tx = store.begin().await?;
    let account = found(&mut tx, name).await?;
    act(&mut tx, account.id, now).await?;
    let ended = sessions::end_all(&mut tx, account.id).await?;
    note(&mut tx, &account.name, what, now).await?;
    tx.commit().await.context("could not change the account")?;
    super::say(&format!("{}: {what}; sessions ended: {ended}", account.name));
    Ok(())
}

async fn found(tx: &mut Tx, name: &str) -> anyhow::Result<Account> {
    let found = accounts::named(tx.reading(), name.trim()).await?;
    found.with_context(|| format!("there is no account {name:?}; see `nachtwache user list`"))
}

async fn note(tx: &mut Tx, name: &str, what: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let event = Event::new(now, EventKind::Account, format!("{name}: {what} (command line)"));
    Ok(events::append(tx, &event).await?)
}
