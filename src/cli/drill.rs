//! `nachtwache drill`: a recording of our own travels through the running service, and how far it comes is shown.

use crate::config::Settings;
use crate::domain::drill::Reached;
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::runtime::drill::{folder, lay};
use crate::store::{Store, drills};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(250);

pub(super) async fn drill(settings: &Settings, options: &Options) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(settings.drill.enabled, "drill.enabled is false: the service looks for no drill; set it to true");
    let store = run::existing_store(settings).await?;
    let outcome = travel(&store, settings, options).await;
    store.close().await;
    let arrived = outcome?;
    Ok(if arrived { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn travel(store: &Store, settings: &Settings, options: &Options) -> anyhow::Result<bool> {
    let begun_at = SystemClock.now();
    let running = super::health::is_running(store, begun_at).await?;
    anyhow::ensure!(
        running,
        "no service runs (or its status is older than a minute): start it first, a drill goes through it"
    );
    let until_at = begun_at + settings.drill.within();
    let mut tx = store.begin().await?;
    let id = drills::begin(&mut tx, begun_at, until_at).await?;
    tx.commit().await?;
    if let Err(error) = lay(&folder(&settings.store.folder), &id).await {
        // nothing travels: nobody is to be told that it did not arrive
        let mut tx = store.begin().await?;
        drills::failed(&mut tx, &id, Reached::Laid, SystemClock.now()).await?;
        tx.commit().await?;
        return Err(error).context("could not lay the recording down in store.folder");
    }
    let mut stages: Vec<(Reached, DateTime<Utc>)> = Vec::new();
    let reached = loop {
        let now = SystemClock.now();
        let mut reader = store.read().await?;
        let drill = drills::find(&mut reader, &id).await?.context("the drill is gone from the store")?;
        let (reached, _) = drills::reached(&mut reader, &drill).await?;
        drop(reader);
        if stages.last().is_none_or(|(last, _)| *last != reached) {
            stages.push((reached, now));
            if !options.json {
                super::say(&format!("{:>4} s  {}", (now - begun_at).num_seconds(), says(reached)));
            }
        }
        if reached == Reached::Arrived || drill.failed_at.is_some() || now > until_at {
            break reached;
        }
        tokio::time::sleep(LOOK).await;
    };
    let arrived = reached == Reached::Arrived;
    if options.json {
        let stages: Vec<_> =
            stages.iter().map(|(stage, at)| serde_json::json!({ "stage": stage.as_str(), "at": at })).collect();
        super::say_json(&serde_json::json!({ "id": id, "arrived": arrived, "begun_at": begun_at, "stages": stages }))?;
    } else if !arrived {
        super::say(&format!("it did not arrive within {} min; people are told", settings.drill.within_min));
    }
    Ok(arrived)
}

fn says(reached: Reached) -> &'static str {
    match reached {
        Reached::Laid => "laid down",
        Reached::Stored => "stored",
        Reached::NotTranscribed => "NOT transcribed: look at the model and the log",
        Reached::Transcribed => "transcribed",
        Reached::Assessed => "assessed",
        Reached::Arrived => "arrived in the chat",
    }
}
