//! `nachtwache policy explain`: who would be told when, if nobody answered.

use crate::config::Settings;
use crate::domain::assessment::Verdict;
use crate::domain::escalation::Progress;
use crate::domain::notice::Recipient;
use crate::domain::roster::{Plan, parse_instant};
use crate::roster::{Duty, Roster};
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::phones::{self, Phone};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Print the time-line of who would be told when
    #[command(
        after_help = "Example:\n  nachtwache policy explain --verdict confirmed --at '2026-12-24 22:00'\n  nachtwache policy explain --verdict unclear --line 9782362 --hours 2 --json"
    )]
    Explain(ExplainOptions),
}

#[derive(Debug, clap::Args)]
pub(super) struct ExplainOptions {
    /// What the message is: confirmed, incomplete or unclear
    #[arg(long, value_name = "VERDICT", value_parser = verdict)]
    verdict: Verdict,
    /// When the case is opened, as "2026-12-24 22:00" or RFC 3339; without it now
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The mailbox or line the message was left on
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// How far the time-line goes
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=48))]
    hours: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn verdict(word: &str) -> Result<Verdict, String> {
    Verdict::parse(word)
        .filter(|verdict| verdict.wakes())
        .ok_or_else(|| format!("{word:?} wakes nobody; write confirmed, incomplete or unclear"))
}

/// Something on the time-line.
struct Told {
    at: DateTime<Utc>,
    loud: bool,
    /// By Telegram, or (`false`) by the other ways, unless somebody answered.
    first_way: bool,
    people: Vec<Recipient>,
}

pub(super) async fn policy(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    let Options::Explain(options) = options;
    let settings = Arc::new(settings);
    anyhow::ensure!(!settings.technicians.is_empty(), "there is no [[technicians]]: nobody could be told; add one");
    let zone = settings.business_hours().zone;
    let now = SystemClock.now();
    let begins = match options.at.as_deref() {
        Some(text) => parse_instant(zone, text)
            .with_context(|| format!("could not use --at {text:?}: write e.g. \"2026-12-24 22:00\""))?,
        None => now,
    };
    let (plan, phones) = known(&settings, begins).await?;
    let told = time_line(&settings, &plan, &phones, &options, begins);
    let everywhere = told.iter().all(|one| !one.people.is_empty());
    let code = if everywhere { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if options.json {
        super::say_json(&told.iter().map(|one| as_json(one, begins)).collect::<Vec<_>>())?;
        return Ok(code);
    }
    let hours = if settings.business_hours().is_open(begins) { "inside" } else { "outside" };
    super::say(&format!("{}, opened {}, {hours} business hours", options.verdict.as_str(), shown(zone, begins)));
    for one in &told {
        super::say(&line(one, begins, zone));
    }
    if !everywhere {
        super::say("Pair a phone with `nachtwache technician invite NAME`, or name technicians.channels.");
        return Ok(code);
    }
    let escalation = &settings.escalation;
    super::say(&format!(
        "… and so on until somebody takes the case. Whoever takes it is expected to call back within {} min or the time he names, \
         then reminded; {} min after that it rings again.",
        escalation.eta_min, escalation.resume_after_min
    ));
    Ok(code)
}

/// Plan and phones of the store, or of the settings alone where there is none yet.
async fn known(settings: &Arc<Settings>, from: DateTime<Utc>) -> anyhow::Result<(Plan, Vec<Phone>)> {
    if !run::has_store(settings) {
        return Ok((settings.plan(&[], Vec::new()), Vec::new()));
    }
    let store = run::existing_store(settings).await?;
    let mut reader = store.read().await?;
    let known = (Roster::new(settings.clone()).plan(&mut reader, from).await?, phones::all(&mut reader).await?);
    drop(reader);
    store.close().await;
    Ok(known)
}

fn time_line(
    settings: &Settings,
    plan: &Plan,
    phones: &[Phone],
    options: &ExplainOptions,
    begins: DateTime<Utc>,
) -> Vec<Told> {
    let mut told = Vec::new();
    let (mut progress, mut at) = (Progress::start(begins), begins);
    while at < begins + TimeDelta::hours(options.hours) {
        let policy = settings.policy(options.verdict, options.line.as_deref(), at);
        let ring = policy.ring(progress, at);
        let people = Duty::by(settings, plan, phones, at).recipients(&ring.tell);
        let more: Vec<Recipient> =
            people.iter().filter(|one| ring.loud && one.chat.is_some() && !one.channels.is_empty()).cloned().collect();
        told.push(Told { at, loud: ring.loud, first_way: true, people });
        if !more.is_empty() {
            told.push(Told { at: at + policy.second_after, loud: true, first_way: false, people: more });
        }
        (progress, at) = (ring.progress, ring.next_at);
    }
    told.sort_by_key(|one| one.at);
    told
}

fn line(one: &Told, begins: DateTime<Utc>, zone: Tz) -> String {
    let minutes = (one.at - begins).num_minutes();
    let head = format!("  +{}:{:02}  {}", minutes / 60, minutes % 60, shown(zone, one.at));
    if one.people.is_empty() {
        return format!("{head}  NOBODY is reached");
    }
    let names: Vec<String> = one.people.iter().map(|person| by(person, one.first_way)).collect();
    let what = match (one.first_way, one.loud) {
        (true, true) => "rings",
        (true, false) => "tells silently",
        (false, _) => "not answered: also",
    };
    format!("{head}  {what} {}", names.join(", "))
}

fn by(person: &Recipient, first_way: bool) -> String {
    match (person.chat, first_way) {
        (Some(_), true) => person.name.clone(),
        _ => format!("{} by {}", person.name, person.channels.join(" and ")),
    }
}

fn as_json(one: &Told, begins: DateTime<Utc>) -> serde_json::Value {
    let person = |person: &Recipient| {
        let telegram = one.first_way && person.chat.is_some();
        let channels = if telegram { &[][..] } else { &person.channels };
        json!({ "name": person.name, "telegram": telegram, "channels": channels })
    };
    json!({
        "at": one.at,
        "after_s": (one.at - begins).num_seconds(),
        "loud": one.loud,
        "unless_answered": !one.first_way,
        "tell": one.people.iter().map(person).collect::<Vec<_>>(),
    })
}

fn shown(zone: Tz, at: DateTime<Utc>) -> String {
    at.with_timezone(&zone).format("%a %F %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_is_reached_the_line_says_so() {
        let begins: DateTime<Utc> = "2026-12-24T21:00:00Z".parse().unwrap();
        let mut told = Told { at: begins, loud: true, first_way: true, people: Vec::new() };
        assert_eq!(line(&told, begins, Tz::UTC), "  +0:00  Thu 2026-12-24 21:00  NOBODY is reached");
        told.people.push(Recipient { name: "Anna".into(), chat: Some(1), channels: Vec::new() });
        assert_eq!(line(&told, begins, Tz::UTC), "  +0:00  Thu 2026-12-24 21:00  rings Anna");
    }
}
