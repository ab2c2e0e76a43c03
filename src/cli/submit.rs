//! `nachtwache submit`: for `externnotify`, `mailcmd` and scripts. Stores directly; the running service finds it.

use crate::config::Settings;
use crate::domain::report::{Arrival, Caller, Content, Sound};
use crate::intake::Desk;
use crate::roster::Roster;
use crate::run;
use crate::runtime::bell::Bells;
use crate::runtime::clock::SystemClock;
use crate::store::sound::sha256;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The recording
    file: PathBuf,
    /// The number that called
    #[arg(long)]
    caller: Option<String>,
    /// The name that was shown
    #[arg(long)]
    name: Option<String>,
    /// When the call was made (RFC 3339); now, if not given
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// The mailbox it was left on
    #[arg(long)]
    mailbox: Option<String>,
    /// Identity of the message: the same again changes nothing; the sound's checksum, if not given
    #[arg(long)]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn submit(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    let max = settings.intake.max_mib * 1024 * 1024;
    let path = &options.file;
    let about = std::fs::metadata(path).with_context(|| format!("could not read {}", path.display()))?;
    anyhow::ensure!(about.is_file(), "{} is no file: name a recording", path.display());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (key, sound) = if about.len() > max {
        let why = format!("{} bytes are more than intake.max_mib allows; listen to the file itself", about.len());
        (format!("{name}:{}", about.len()), Sound::Refused { name, path: path.clone(), why })
    } else {
        let bytes = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
        (sha256(&bytes), Sound::Bytes { name, bytes })
    };
    let at = options.at.map(|at| at.timestamp().to_string()).unwrap_or_default();
    let arrival = Arrival {
        source: "submit".into(),
        key: options.key.unwrap_or_else(|| format!("{key}:{}:{at}", options.caller.as_deref().unwrap_or("-"))),
        mailbox: options.mailbox,
        caller: Caller { number: options.caller, name: options.name },
        called_at: options.at,
        content: Content::Voicemail(sound),
        twin: None,
        longest_s: None,
    };
    let store = run::open_store(&settings).await?;
    let settings = Arc::new(settings);
    let desk = Desk {
        store: store.clone(),
        roster: Roster::new(settings.clone()),
        settings,
        clock: Arc::new(SystemClock),
        bells: Bells::default(),
    };
    let accepted = desk.accept(arrival).await.with_context(|| format!("could not store {}", options.file.display()));
    store.close().await;
    let accepted = accepted?;
    if options.json {
        super::say_json(&serde_json::json!({ "report": accepted.id.to_string(), "new": accepted.new }))?;
    } else if accepted.new {
        super::say(&format!("stored as report {}", accepted.id));
    } else {
        super::say("known already: nothing was changed");
    }
    Ok(ExitCode::SUCCESS)
}
