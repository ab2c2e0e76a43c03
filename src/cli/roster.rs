//! `nachtwache roster`: who is on duty when, where nobody is, and the same as a calendar.

use super::roster_change;
use crate::config::Settings;
use crate::domain::roster::{ChangeKind, Plan, Shift, local, parse_instant};
use crate::roster::feed::{Calendars, Complaint};
use crate::roster::ical::{self, Odd};
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::roster::{self, Noted};
use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Show the coming shifts, the gaps among them, and the changes
    #[command(
        after_help = "Example:\n  nachtwache roster show\n  nachtwache roster show --from 2026-12-20 --days 14 --json"
    )]
    Show(ShowOptions),
    /// Say who is on duty, now or at another time
    #[command(after_help = "Example:\n  nachtwache roster who\n  nachtwache roster who --at '2026-12-24 22:00'")]
    Who(WhoOptions),
    /// Print the coming shifts as a calendar (iCal)
    #[command(after_help = "Example:\n  nachtwache roster export --days 90 > duty.ics")]
    Export(ExportOptions),
    /// Let a technician take over for a time
    #[command(
        after_help = "Example:\n  nachtwache roster override Bernd --from '2026-12-24 18:00' --until '2026-12-25 08:00' --instead-of Anna"
    )]
    Override(roster_change::OverrideOptions),
    /// Let two technicians swap their times: each takes the other's
    #[command(
        after_help = "Example:\n  nachtwache roster swap Anna --from '2026-12-21 08:00' --until '2026-12-28 08:00' Bernd --from '2026-12-28 08:00' --until '2027-01-04 08:00'"
    )]
    Swap(roster_change::SwapOptions),
    /// Note that a technician is away
    #[command(after_help = "Example:\n  nachtwache roster absence Anna --from 2027-02-01 --until 2027-02-15")]
    Absence(roster_change::AbsenceOptions),
    /// Take a change back; `roster show` tells its id
    #[command(after_help = "Example:\n  nachtwache roster withdraw 019e6f2a-0c1f-7c35-9d0e-0f5f5a1f2b3c")]
    Withdraw(roster_change::WithdrawOptions),
}

#[derive(Debug, clap::Args)]
pub(super) struct ShowOptions {
    /// From when, as "2026-12-24", "2026-12-24 08:00" or RFC 3339; without it from now on
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// How many days
    #[arg(long, default_value_t = 28, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=400))]
    days: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct WhoOptions {
    /// When, as "2026-12-24 08:00" or RFC 3339; without it now
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportOptions {
    /// How many days
    #[arg(long, default_value_t = 90, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=400))]
    days: i64,
}

/// So far back the beginning of the shift that runs now is looked for.
const BACK: TimeDelta = TimeDelta::days(40);

pub(super) async fn roster(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!settings.technicians.is_empty(), "there is no [[technicians]]: nobody can be on duty; add one");
    let settings = Arc::new(settings);
    match options {
        Options::Show(options) => show(&settings, &options).await,
        Options::Who(options) => who(&settings, &options).await,
        Options::Export(options) => export(&settings, &options).await,
        Options::Override(options) => roster_change::take_over(&settings, options).await,
        Options::Swap(options) => roster_change::swap(&settings, options).await,
        Options::Absence(options) => roster_change::absence(&settings, options).await,
        Options::Withdraw(options) => roster_change::withdraw(&settings, &options).await,
    }
}

/// What is known of the roster: without a store only what the settings say.
struct Known {
    plan: Plan,
    changes: Vec<Noted>,
    complaints: Vec<Complaint>,
    odd: Vec<(String, Odd)>,
    /// Calendars that nobody tried to read yet.
    untried: Vec<String>,
    has_store: bool,
}

impl Known {
    /// Whole from `after` on.
    async fn of(settings: &Arc<Settings>, after: DateTime<Utc>, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut untried: Vec<String> = settings.roster.feeds.iter().map(|feed| feed.name.clone()).collect();
        if !run::has_store(settings) {
            let (plan, changes) = (settings.plan(&[], Vec::new()), Vec::new());
            return Ok(Self { plan, changes, complaints: Vec::new(), odd: Vec::new(), untried, has_store: false });
        }
        let store = run::existing_store(settings).await?;
        let calendars = Calendars::default();
        let mut reader = store.read().await?;
        let tried = roster::feeds(&mut reader).await?;
        untried.retain(|name| !tried.iter().any(|feed| feed.name == *name));
        let odd = calendars.of_settings(settings, &mut reader, now).await?;
        let odd = odd.into_iter().flat_map(|(name, calendar)| {
            calendar.odd.iter().map(|odd| (name.clone(), odd.clone())).collect::<Vec<_>>()
        });
        let known = Self {
            odd: odd.collect(),
            plan: calendars.plan(settings, &mut reader, after, now).await?,
            changes: roster::list(&mut reader, after).await?,
            complaints: calendars.complaints(settings, &mut reader, now).await?,
            untried,
            has_store: true,
        };
        drop(reader);
        store.close().await;
        Ok(known)
    }
}

async fn show(settings: &Arc<Settings>, options: &ShowOptions) -> anyhow::Result<ExitCode> {
    let zone = settings.business_hours().zone;
    let now = SystemClock.now();
    let from = options.from.as_deref().map_or(Ok(now), |text| instant(zone, text).context("could not use --from"))?;
    let until = from + TimeDelta::days(options.days);
    let known = Known::of(settings, from, now).await?;
    let shifts = known.plan.shifts(from, until);
    let holidays = holidays(&known.plan, from, until);
    if options.json {
        super::say_json(&json!({
            "from": from,
            "until": until,
            "shifts": shifts.iter().map(shift_as_json).collect::<Vec<_>>(),
            "gaps": shifts.iter().filter(|shift| shift.is_gap()).map(shift_as_json).collect::<Vec<_>>(),
            "last_resort": known.plan.last_resort,
            "holidays": holidays.iter().map(|(day, name)| json!({ "day": day, "name": name })).collect::<Vec<_>>(),
            "changes": known.changes.iter().map(change_as_json).collect::<Vec<_>>(),
            "complaints": known.complaints.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "odd_events": known.odd.iter().map(|(feed, odd)| json!({
                "feed": feed, "summary": odd.summary, "from": odd.from, "why": odd.why.to_string(),
            })).collect::<Vec<_>>(),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    gaps_first(&known.plan, &shifts, zone);
    for line in table(&shifts, zone) {
        super::say(&line);
    }
    for (day, name) in holidays {
        super::say(&format!("public holiday: {} {name}", day.format("%a %F")));
    }
    asides(&known, zone);
    Ok(ExitCode::SUCCESS)
}

/// What must not be overlooked stands above.
pub(super) fn gaps_first(plan: &Plan, shifts: &[Shift], zone: Tz) {
    for gap in shifts.iter().filter(|shift| shift.is_gap()) {
        super::say(&format!(
            "GAP  nobody is on duty from {} to {}: told instead: {}",
            shown(zone, gap.from),
            shown(zone, gap.until),
            plan.last_resort.join(", ")
        ));
    }
}

/// The shifts in columns.
pub(super) fn table(shifts: &[Shift], zone: Tz) -> Vec<String> {
    let or_nobody = |name: Option<&str>| name.unwrap_or("NOBODY").to_owned();
    let width = |names: Vec<usize>| names.into_iter().max().unwrap_or(0).max(6);
    let duty = width(shifts.iter().map(|one| or_nobody(one.duty()).chars().count()).collect());
    let backup = width(shifts.iter().map(|one| one.backup().unwrap_or("-").chars().count()).collect());
    let head = format!("{:<22} {:<22} {:<duty$} {:<backup$} by", "from", "to", "duty", "backup");
    let line = |one: &Shift| {
        let (from, until) = (shown(zone, one.from), shown(zone, one.until));
        let (first, second) = (or_nobody(one.duty()), one.backup().unwrap_or("-"));
        format!("{from:<22} {until:<22} {first:<duty$} {second:<backup$} {}", one.why.as_str())
    };
    std::iter::once(head).chain(shifts.iter().map(line)).collect()
}

/// Changes, and what is wrong with calendars.
fn asides(known: &Known, zone: Tz) {
    for one in &known.changes {
        let change = &one.change;
        let what = match &change.kind {
            ChangeKind::Absence => format!("{} is away", change.technician),
            ChangeKind::Override { replaces: Some(other) } => format!("{} instead of {other}", change.technician),
            ChangeKind::Override { replaces: None } => format!("{} takes over", change.technician),
        };
        let (from, until) = (shown(zone, change.from), shown(zone, change.until));
        super::say(&format!("change {} ({}): {what} from {from} to {until}", one.id, one.state.as_str()));
    }
    for complaint in &known.complaints {
        super::say(&format!("calendar: {complaint}"));
    }
    for (feed, odd) in &known.odd {
        let from = odd.from.map_or_else(|| "-".to_owned(), |at| shown(zone, at));
        super::say(&format!("calendar {feed:?}: the event {:?} of {from} {}", odd.summary, odd.why));
    }
    for feed in &known.untried {
        super::say(&format!("calendar {feed:?}: not read yet; the running service reads it"));
    }
    if !known.has_store {
        super::say("note: there is no store yet, so only what the settings say is shown");
    }
}

async fn who(settings: &Arc<Settings>, options: &WhoOptions) -> anyhow::Result<ExitCode> {
    let zone = settings.business_hours().zone;
    let now = SystemClock.now();
    let at = options.at.as_deref().map_or(Ok(now), |text| instant(zone, text).context("could not use --at"))?;
    let plan = Known::of(settings, at, now).await?.plan;
    let on_duty = plan.at(at);
    let next = plan.next_handover(at);
    if options.json {
        super::say_json(&json!({
            "at": at,
            "duty": on_duty.order.first(),
            "backup": on_duty.order.get(1),
            "order": on_duty.order,
            "gap": on_duty.is_gap(),
            "why": on_duty.why.as_str(),
            "last_resort": plan.last_resort,
            "until": next.map(|shift| shift.from),
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let until = next.map_or_else(String::new, |shift| format!(", until {}", shown(zone, shift.from)));
    match on_duty.order.split_first() {
        Some((duty, rest)) => {
            let backup = rest.first().map_or_else(String::new, |name| format!(", backup {name}"));
            super::say(&format!("{duty}{backup} (by {}){until}", on_duty.why.as_str()));
        }
        None => super::say(&format!("NOBODY{until}: told instead: {}", plan.last_resort.join(", "))),
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(settings: &Arc<Settings>, options: &ExportOptions) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let plan = Known::of(settings, now - BACK, now).await?.plan;
    let mut shifts = plan.shifts(now - BACK, now + TimeDelta::days(options.days));
    // the one that runs keeps its beginning, and so its identity
    shifts.retain(|shift| shift.until > now);
    // its last line ends as all others of a calendar do
    super::say(&format!("{}\r", ical::export(&shifts, now).trim_end()));
    Ok(ExitCode::SUCCESS)
}

/// The public holidays and other closed days between two instants.
fn holidays(plan: &Plan, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<(NaiveDate, &'static str)> {
    let zone = plan.hours.zone;
    let last = local(zone, until).date();
    let days = local(zone, from).date().iter_days().take_while(|day| *day <= last);
    let named = days.filter(|day| plan.hours.is_holiday(*day));
    named.map(|day| (day, plan.hours.holiday_name(day).unwrap_or("(hours.closed_on)"))).collect()
}

/// A time of the command line.
pub(super) fn instant(zone: Tz, text: &str) -> anyhow::Result<DateTime<Utc>> {
    parse_instant(zone, text)
        .with_context(|| format!("{text:?} is no time; write \"2026-12-24 08:00\" (local time) or RFC 3339"))
}

/// A time for people.
pub(super) fn shown(zone: Tz, at: DateTime<Utc>) -> String {
    local(zone, at).format("%a %F %H:%M").to_string()
}

fn shift_as_json(shift: &Shift) -> Value {
    json!({
        "from": shift.from, "until": shift.until, "duty": shift.duty(), "backup": shift.backup(), "order": shift.order,
        "why": shift.why.as_str(), "gap": shift.is_gap(),
    })
}

fn change_as_json(one: &Noted) -> Value {
    let (kind, replaces) = match &one.change.kind {
        ChangeKind::Override { replaces } => ("override", replaces.clone()),
        ChangeKind::Absence => ("absence", None),
    };
    json!({
        "id": one.id, "kind": kind, "technician": one.change.technician, "instead_of": replaces,
        "from": one.change.from, "until": one.change.until, "state": one.state.as_str(), "made_by": one.made_by,
        "made_at": one.made_at,
    })
}
