//! `nachtwache health`: what the running service last said of itself.

use crate::config::Settings;
use crate::domain::report::{DRILL, Stage};
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::runtime::status::EVERY;
use crate::store::troubles::Standing;
use crate::store::watched::Watched;
use crate::store::workers::Beat;
use crate::store::{Store, reports, troubles, watched, workers};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A worker that has said nothing for so many rounds of the board is not well. A transcription may take long and says so.
const SILENT_ROUNDS: u32 = 6;

pub(super) async fn health(settings: &Settings, options: &Options) -> anyhow::Result<ExitCode> {
    let store = run::existing_store(settings).await?;
    let mut reader = store.read().await?;
    let beats = workers::all(&mut reader).await?;
    let (waiting, oldest) = reports::waiting(&mut reader, Stage::Transcribe).await?;
    let drills = |name: &str| name == DRILL && settings.drill.enabled;
    let configured = |name: &str| settings.sources.iter().any(|row| row.name() == name) || drills(name);
    let mut standing = troubles::standing(&mut reader).await?;
    standing.retain(|one| configured(&one.source));
    let mut sources = watched::all(&mut reader).await?;
    sources.retain(|(name, _)| configured(name));
    drop(reader);
    let now = SystemClock.now();
    let alive = has_spoken(&beats, now);
    let failing: Vec<_> = beats.iter().filter(|beat| beat.state == "failing").collect();
    let behind = settings.watch.is_behind(waiting, oldest, now);
    let well = alive && failing.is_empty() && standing.is_empty() && !behind;
    if options.json {
        let state = json!({
            "well": well,
            "running": alive,
            "waiting_for_transcript": waiting,
            "oldest_waiting_since": oldest,
            "behind": behind,
            "workers": beats.iter().map(beat_as_json).collect::<Vec<_>>(),
            "sources": sources.iter().map(source_as_json).collect::<Vec<_>>(),
            "troubles": standing.iter().map(trouble_as_json).collect::<Vec<_>>(),
        });
        super::say_json(&state)?;
    } else {
        super::say(if alive {
            "running"
        } else {
            "not running (or its status is older than a minute): start the service"
        });
        say_queue(waiting, oldest, behind, now);
        for (name, one) in &sources {
            super::say(&format!("mailbox {name}: {}", mailbox(one, now)));
        }
        for beat in &failing {
            super::say(&format!("failing: {}: {}", beat.name, beat.detail));
        }
        for one in &standing {
            super::say(&format!("trouble at {} since {}: {}", one.source, one.since.format("%F %H:%M UTC"), one.what));
        }
    }
    store.close().await;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_queue(waiting: i64, oldest: Option<DateTime<Utc>>, behind: bool, now: DateTime<Utc>) {
    let since = |oldest: DateTime<Utc>| format!(", the oldest for {} s", (now - oldest).num_seconds());
    super::say(&format!("waiting for a transcript: {waiting}{}", oldest.map(since).unwrap_or_default()));
    if behind {
        super::say("behind: more reports wait for a transcript than should, or for too long; listen to them yourself");
    }
}

/// Whether a service runs on this store.
pub(super) async fn is_running(store: &Store, now: DateTime<Utc>) -> anyhow::Result<bool> {
    let mut reader = store.read().await?;
    Ok(has_spoken(&workers::all(&mut reader).await?, now))
}

fn has_spoken(beats: &[Beat], now: DateTime<Utc>) -> bool {
    let silent = chrono::TimeDelta::from_std(EVERY * SILENT_ROUNDS).unwrap_or_default();
    beats.iter().any(|beat| beat.name == "status" && now - beat.at < silent)
}

/// How long ago a mailbox answered and brought something, or since when it does not.
fn mailbox(one: &Watched, now: DateTime<Utc>) -> String {
    let ago = |at: Option<DateTime<Utc>>| {
        at.map_or_else(|| "never".to_owned(), |at| format!("{} s ago", (now - at).num_seconds()))
    };
    let news = format!("last message {}", ago(one.arrived_at));
    match (one.failing_since, one.next_try_at) {
        (Some(since), Some(next)) => format!(
            "not reached since {} ({} tries, the next in {} s): {}; {news}",
            since.format("%F %H:%M UTC"),
            one.failures,
            (next - now).num_seconds().max(0),
            one.why.as_deref().unwrap_or("-")
        ),
        _ if one.reached_at.is_none() => format!("waits for its peer, {news}"),
        _ => format!("reached {}, {news}", ago(one.reached_at)),
    }
}

fn beat_as_json(beat: &Beat) -> Value {
    json!({ "name": beat.name, "state": beat.state, "detail": beat.detail, "at": beat.at })
}

fn source_as_json((name, one): &(String, Watched)) -> Value {
    json!({
        "name": name, "reached_at": one.reached_at, "arrived_at": one.arrived_at, "failing_since": one.failing_since,
        "failures": one.failures, "next_try_at": one.next_try_at, "why": one.why,
    })
}

fn trouble_as_json(one: &Standing) -> Value {
    json!({ "source": one.source, "what": one.what, "loses_calls": one.loses_calls, "since": one.since })
}
