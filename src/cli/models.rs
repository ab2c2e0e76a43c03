//! `nachtwache models`: what is published, what lies here, and whether it is whole.

use crate::config::Settings;
use crate::transcribe::models::{self, Presence};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// What is published, and what of it lies in the folder
    #[command(after_help = "Example:\n  nachtwache models list --json")]
    List {
        /// The folder of models; that of transcribe.model, if not given
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a model; goes on where it was interrupted, and checks the sum before use
    #[command(after_help = "Example:\n  nachtwache models fetch small-q8_0 --dir /var/lib/nachtwache/models")]
    Fetch {
        /// Its name as in the list
        name: String,
        /// The folder of models; that of transcribe.model, if not given
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Where it is fetched from; `transcribe.models_url`, if not given
        #[arg(long)]
        from: Option<String>,
    },
    /// Read a model file and say whether it is whole
    #[command(after_help = "Example:\n  nachtwache models verify models/ggml-test-de.bin")]
    Verify {
        /// The file; that of transcribe.model, if not given
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn models(settings: &Settings, options: Options) -> anyhow::Result<ExitCode> {
    let model = &settings.transcribe.model;
    let folder = |dir: Option<PathBuf>| dir.unwrap_or_else(|| model.parent().unwrap_or(Path::new(".")).to_owned());
    match options {
        Options::List { dir, json } => list(settings, &folder(dir), json)?,
        Options::Fetch { name, dir, from } => {
            let bar = ProgressBar::new(0).with_style(
                ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} noch {eta}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar.set_message(name.clone());
            let from = from.unwrap_or_else(|| settings.transcribe.models_url.clone());
            let progress = |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            };
            let path = models::fetch(&name, &folder(dir), &from, progress).await?;
            bar.finish();
            super::say(&format!("{}: whole; set transcribe.model to it", path.display()));
        }
        Options::Verify { file, json } => verify(&file.unwrap_or_else(|| model.clone()), json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Which setting names this file.
fn used_as(settings: &Settings, path: &Path) -> Option<&'static str> {
    let transcribe = &settings.transcribe;
    if transcribe.model == path {
        return Some("transcribe.model");
    }
    (transcribe.confirm_model.as_deref() == Some(path)).then_some("transcribe.confirm_model")
}

fn list(settings: &Settings, dir: &Path, json: bool) -> anyhow::Result<()> {
    let states = models::list(dir);
    if json {
        let row = |state: &models::ModelState| {
            serde_json::json!({
                "name": state.model.name, "file": state.model.file, "bytes": state.model.bytes,
                "sha256": state.model.sha256, "here": state.presence == Presence::Here,
                "used_as": used_as(settings, &state.path),
            })
        };
        return super::say_json(&states.iter().map(row).collect::<Vec<_>>());
    }
    for state in states {
        let here = match state.presence {
            Presence::Absent => "-".to_owned(),
            Presence::Here => "here".to_owned(),
            Presence::Part(bytes) => format!("{} MB of it here: fetch goes on", bytes / 1_000_000),
            Presence::WrongSize(bytes) => format!("{bytes} bytes: not whole, fetch it again"),
        };
        let used = used_as(settings, &state.path).map(|key| format!(", {key}")).unwrap_or_default();
        super::say(&format!("{:<24} {:>6} MB  {here}{used}", state.model.name, state.model.bytes / 1_000_000));
    }
    Ok(())
}

fn verify(file: &Path, json: bool) -> anyhow::Result<()> {
    let checked = models::verify(file)?;
    if json {
        return super::say_json(&serde_json::json!({
            "file": file, "bytes": checked.bytes, "sha256": checked.sha256, "known": checked.known,
        }));
    }
    let known =
        checked.known.map_or("not in the list: only its header was checked".to_owned(), |name| format!("it is {name}"));
    super::say(&format!("{}: {} bytes, sha256 {}; {known}", file.display(), checked.bytes, checked.sha256));
    Ok(())
}
