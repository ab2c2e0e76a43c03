//! `nachtwache roster override|swap|absence|withdraw`: the plan changed without a restart.

use super::roster::{gaps_first, instant, shown, table};
use super::roster_told::Told;
use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::roster::{Change, ChangeKind, Shift};
use crate::roster::feed::Calendars;
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::roster::{self, ChangeState};
use crate::store::{events, replies};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::process::ExitCode;
use std::sync::Arc;

/// Who makes changes by command.
const MADE_BY: &str = "command line";

#[derive(Debug, clap::Args)]
pub(super) struct OverrideOptions {
    /// Who takes over
    name: String,
    /// From, as "2026-12-24 08:00" (local time) or RFC 3339
    #[arg(long, value_name = "TIME")]
    from: String,
    /// To, not included
    #[arg(long, value_name = "TIME")]
    until: String,
    /// From whom; without it, from whoever has duty
    #[arg(long, value_name = "NAME")]
    instead_of: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SwapOptions {
    /// One of the two
    name: String,
    /// The other
    other: String,
    /// From when the first one's time is, and from when the second one's
    #[arg(long, required = true, value_name = "TIME", num_args = 1, action = clap::ArgAction::Append)]
    from: Vec<String>,
    /// To when, for each
    #[arg(long, required = true, value_name = "TIME", num_args = 1, action = clap::ArgAction::Append)]
    until: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct AbsenceOptions {
    /// Who is away
    name: String,
    /// From, as "2026-12-24 08:00" (local time), only the day, or RFC 3339
    #[arg(long, value_name = "TIME")]
    from: String,
    /// To, not included
    #[arg(long, value_name = "TIME")]
    until: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct WithdrawOptions {
    /// The change's id
    id: String,
}

pub(super) async fn take_over(settings: &Arc<Settings>, options: OverrideOptions) -> anyhow::Result<ExitCode> {
    let (from, until) = span(settings, &options.from, &options.until)?;
    let replaces = options.instead_of.map(|name| known(settings, &name)).transpose()?;
    let technician = known(settings, &options.name)?;
    anyhow::ensure!(replaces.as_ref() != Some(&technician), "{technician} would replace himself");
    make(settings, &[Change { kind: ChangeKind::Override { replaces }, technician, from, until }]).await
}

pub(super) async fn swap(settings: &Arc<Settings>, options: SwapOptions) -> anyhow::Result<ExitCode> {
    let (Ok(from), Ok(until)) = (<[String; 2]>::try_from(options.from), <[String; 2]>::try_from(options.until)) else {
        anyhow::bail!("a swap needs two names, each with --from and --until");
    };
    let (one, other) = (known(settings, &options.name)?, known(settings, &options.other)?);
    anyhow::ensure!(one != other, "{one} would swap with himself");
    let change = |technician: &str, replaces: &str, at: usize| {
        let (from, until) = span(settings, &from[at], &until[at])?;
        let kind = ChangeKind::Override { replaces: Some(replaces.to_owned()) };
        anyhow::Ok(Change { kind, technician: technician.to_owned(), from, until })
    };
    let changes = [change(&other, &one, 0)?, change(&one, &other, 1)?];
    let overlap = changes[0].from < changes[1].until && changes[1].from < changes[0].until;
    anyhow::ensure!(!overlap, "the two times overlap: who is on duty then would not be clear");
    make(settings, &changes).await
}

pub(super) async fn absence(settings: &Arc<Settings>, options: AbsenceOptions) -> anyhow::Result<ExitCode> {
    let (from, until) = span(settings, &options.from, &options.until)?;
    let technician = known(settings, &options.name)?;
    make(settings, &[Change { kind: ChangeKind::Absence, technician, from, until }]).await
}

pub(super) async fn withdraw(settings: &Arc<Settings>, options: &WithdrawOptions) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let store = run::existing_store(settings).await?;
    let told = Told::read(settings, &store, now).await?;
    let mut tx = store.begin().await?;
    let noted = roster::lock(&mut tx, options.id.trim()).await?;
    let counts = noted.filter(|one| matches!(one.state, ChangeState::Active | ChangeState::Asked));
    let noted = counts.with_context(|| {
        format!("no change {:?} counts or waits for an answer; `nachtwache roster show` lists them", options.id)
    })?;
    roster::withdraw(&mut tx, &noted.id).await?;
    // those who were asked see that it is over
    replies::refresh(&mut tx, NoticeKind::Swap, &noted.id, now).await?;
    let mut after = told.before.clone();
    if let (ChangeState::Active, Some(at)) =
        (noted.state, after.changes.iter().position(|change| *change == noted.change))
    {
        after.changes.remove(at);
    }
    told.tell(&mut tx, settings, &after, std::slice::from_ref(&noted.change), now).await?;
    let event = Event::new(now, EventKind::Roster, format!("taken back: {}", described(&noted.change)));
    events::append(&mut tx, &event.by(MADE_BY)).await?;
    tx.commit().await.context("could not take the change back")?;
    store.close().await;
    super::say("taken back");
    Ok(ExitCode::SUCCESS)
}

/// Notes the changes, all or none, tells those concerned, and shows what they make of the time.
async fn make(settings: &Arc<Settings>, changes: &[Change]) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let over = changes.iter().find(|change| change.until <= now);
    anyhow::ensure!(over.is_none(), "that time is over already: nothing would change");
    let store = run::open_store(settings).await?;
    let told = Told::read(settings, &store, now).await?;
    let mut after = told.before.clone();
    after.changes.extend_from_slice(changes);
    let mut tx = store.begin().await?;
    let mut ids = Vec::new();
    for change in changes {
        ids.push(roster::make(&mut tx, change, ChangeState::Active, MADE_BY, now).await?);
        let event = Event::new(now, EventKind::Roster, described(change));
        events::append(&mut tx, &event.by(MADE_BY)).await?;
    }
    told.tell(&mut tx, settings, &after, changes, now).await?;
    tx.commit().await.context("could not note the change")?;
    for id in ids {
        super::say(&format!("change {id}"));
    }
    let mut reader = store.read().await?;
    let after = Calendars::default().plan(settings, &mut reader, now, now).await?;
    drop(reader);
    store.close().await;
    let zone = after.hours.zone;
    for change in changes {
        let shifts = after.shifts(change.from, change.until);
        gaps_first(&after, &shifts, zone);
        for line in table(&shifts, zone) {
            super::say(&line);
        }
        if orders(&shifts) == orders(&told.before.shifts(change.from, change.until)) {
            let (from, until) = (shown(zone, change.from), shown(zone, change.until));
            super::say(&format!("note: this changes nothing from {from} to {until}: is it the right time and person?"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn described(change: &Change) -> String {
    let (who, from, until) = (&change.technician, change.from, change.until);
    match &change.kind {
        ChangeKind::Absence => format!("{who} is away from {from} to {until}"),
        ChangeKind::Override { replaces: Some(other) } => format!("{who} stands in for {other} from {from} to {until}"),
        ChangeKind::Override { replaces: None } => format!("{who} takes over from {from} to {until}"),
    }
}

fn orders(shifts: &[Shift]) -> Vec<(DateTime<Utc>, &[String])> {
    shifts.iter().map(|shift| (shift.from, shift.order.as_slice())).collect()
}

/// A technician's name as the settings write it, whatever the case.
pub(super) fn known(settings: &Settings, name: &str) -> anyhow::Result<String> {
    let mut names = settings.technicians.iter().map(|technician| &technician.name);
    let found = names.clone().find(|known| known.to_lowercase() == name.trim().to_lowercase());
    found.cloned().with_context(|| {
        let all: Vec<&str> = names.by_ref().map(String::as_str).collect();
        format!("{name:?} is no technician; known: {}", all.join(", "))
    })
}

fn span(settings: &Settings, from: &str, until: &str) -> anyhow::Result<(DateTime<Utc>, DateTime<Utc>)> {
    let zone = settings.business_hours().zone;
    let from_at = instant(zone, from).context("could not use --from")?;
    let until_at = instant(zone, until).context("could not use --until")?;
    anyhow::ensure!(from_at < until_at, "--until {until:?} is not after --from {from:?}");
    Ok((from_at, until_at))
}
