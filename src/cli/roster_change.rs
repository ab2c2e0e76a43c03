//! `nachtwache roster override|swap|absence|withdraw`: the plan changed without a restart.

use super::roster::{gaps_first, instant, shown, table};
use crate::config::Settings;
use crate::domain::roster::{Change, Shift};
use crate::roster::change::{self, Office, Span};
use crate::roster::feed::Calendars;
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::{Store, phones};
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
    let span = span(settings, &options.from, &options.until)?;
    let replaces = options.instead_of.map(|name| known(settings, &name)).transpose()?;
    let technician = known(settings, &options.name)?;
    make(settings, &change::take_over(&technician, replaces.as_deref(), span, SystemClock.now())?).await
}

pub(super) async fn swap(settings: &Arc<Settings>, options: SwapOptions) -> anyhow::Result<ExitCode> {
    let (Ok(from), Ok(until)) = (<[String; 2]>::try_from(options.from), <[String; 2]>::try_from(options.until)) else {
        anyhow::bail!("a swap needs two names, each with --from and --until");
    };
    let (one, other) = (known(settings, &options.name)?, known(settings, &options.other)?);
    let (ones, others) = (span(settings, &from[0], &until[0])?, span(settings, &from[1], &until[1])?);
    make(settings, &change::swap((&one, ones), (&other, others), SystemClock.now())?).await
}

pub(super) async fn absence(settings: &Arc<Settings>, options: AbsenceOptions) -> anyhow::Result<ExitCode> {
    let span = span(settings, &options.from, &options.until)?;
    let technician = known(settings, &options.name)?;
    make(settings, &change::absence(&technician, span, SystemClock.now())?).await
}

pub(super) async fn withdraw(settings: &Arc<Settings>, options: &WithdrawOptions) -> anyhow::Result<ExitCode> {
    let store = run::existing_store(settings).await?;
    let office = office(settings, &store).await?;
    let mut tx = store.begin().await?;
    office.withdraw(&mut tx, options.id.trim()).await?.with_context(|| {
        format!("no change {:?} counts or waits for an answer; `nachtwache roster show` lists them", options.id)
    })?;
    tx.commit().await.context("could not take the change back")?;
    store.close().await;
    super::say("taken back");
    Ok(ExitCode::SUCCESS)
}

async fn office<'a>(settings: &'a Arc<Settings>, store: &Store) -> anyhow::Result<Office<'a>> {
    let now = SystemClock.now();
    let mut reader = store.read().await?;
    let before = Calendars::default().plan(settings, &mut reader, now, now).await?;
    let phones = phones::all(&mut reader).await?;
    Ok(Office { settings, before, phones, made_by: MADE_BY, now })
}

/// Notes the changes, all or none, tells those concerned, and shows what they make of the time.
async fn make(settings: &Arc<Settings>, changes: &[Change]) -> anyhow::Result<ExitCode> {
    let store = run::open_store(settings).await?;
    let office = office(settings, &store).await?;
    let mut tx = store.begin().await?;
    let ids = office.make(&mut tx, changes).await?;
    tx.commit().await.context("could not note the change")?;
    for id in ids {
        super::say(&format!("change {id}"));
    }
    let mut reader = store.read().await?;
    let after = Calendars::default().plan(settings, &mut reader, office.now, office.now).await?;
    drop(reader);
    store.close().await;
    let zone = after.hours.zone;
    for change in changes {
        let shifts = after.shifts(change.from, change.until);
        gaps_first(&after, &shifts, zone);
        for line in table(&shifts, zone) {
            super::say(&line);
        }
        if orders(&shifts) == orders(&office.before.shifts(change.from, change.until)) {
            let (from, until) = (shown(zone, change.from), shown(zone, change.until));
            super::say(&format!("note: this changes nothing from {from} to {until}: is it the right time and person?"));
        }
    }
    Ok(ExitCode::SUCCESS)
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

fn span(settings: &Settings, from: &str, until: &str) -> anyhow::Result<Span> {
    let zone = settings.business_hours().zone;
    let from_at = instant(zone, from).context("could not use --from")?;
    let until_at = instant(zone, until).context("could not use --until")?;
    anyhow::ensure!(from_at < until_at, "--until {until:?} is not after --from {from:?}");
    Ok((from_at, until_at))
}
