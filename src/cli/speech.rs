//! `nachtwache transcribe` and `nachtwache assess`: the two steps by hand.

use crate::assess::{self, Said};
use crate::config::Settings;
use crate::domain::assessment::Assessment;
use crate::domain::report::{Caller, Medium, Report, ReportId, Stage};
use crate::domain::transcript::{Transcript, Word};
use crate::run::{self, child_options};
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::transcribe::{child::Child, job};
use crate::wording::{self, Known};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// By hand somebody waits and can stop it himself.
const LIMIT: Duration = Duration::from_hours(1);

#[derive(Debug, clap::Args)]
pub(super) struct TranscribeOptions {
    /// The recordings
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The model file; transcribe.model, if not given
    #[arg(long)]
    model: Option<PathBuf>,
    /// Print JSON, one array of transcripts
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct AssessOptions {
    /// A text file; "-" reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// When the message was left (RFC 3339); now, if not given
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
    /// The number that was shown
    #[arg(long)]
    caller: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn transcribe(mut settings: Settings, options: TranscribeOptions) -> anyhow::Result<ExitCode> {
    if let Some(model) = options.model {
        settings.transcribe.model = model;
    }
    let model = &settings.transcribe.model;
    anyhow::ensure!(
        model.exists(),
        "there is no model {}: name one with --model, or fetch one with `nachtwache models fetch small-q8_0`",
        model.display()
    );
    if !settings.transcribe.prompt.is_empty() {
        // they say whether it may be used
        run::rules(&settings)?;
    }
    let mut child = child(&settings);
    let mut all = Vec::new();
    let mut failed = false;
    for file in &options.files {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let bar = ProgressBar::new(100).with_message(name.clone());
        let started = Instant::now();
        let path = std::path::absolute(file)?;
        let tried = child
            .transcribe(&job(&settings, &path, &name), (LIMIT, |_| LIMIT), |done| bar.set_position(percent(done)))
            .await;
        bar.finish_and_clear();
        match tried {
            Ok(transcript) if options.json => {
                all.push(serde_json::json!({ "file": file, "seconds_taken": started.elapsed().as_secs_f64(), "transcript": transcript }));
            }
            Ok(transcript) => show(&file.display().to_string(), &transcript, started.elapsed()),
            Err(error) => {
                failed = true;
                super::complain(&format!("could not transcribe {}: {error}", file.display()));
            }
        }
    }
    child.stop().await;
    if options.json {
        super::say_json(&all)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The process that listens.
pub(super) fn child(settings: &Settings) -> Child {
    Child::new(child_options(settings, "transcriber"))
}

/// Transcribes one recording.
pub(super) async fn hear(settings: &Settings, child: &mut Child, path: &Path) -> anyhow::Result<Transcript> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(child.transcribe(&job(settings, path, &name), (LIMIT, |_| LIMIT), |_| ()).await?)
}

fn show(file: &str, transcript: &Transcript, took: Duration) {
    super::say(&format!(
        "{file}  ({} of sound, {:.1} s taken)",
        wording::clock(transcript.sound_ms / 1000),
        took.as_secs_f64()
    ));
    if let Some(doubt) = transcript.doubt {
        super::say(&format!("  not to be believed: {doubt:?}"));
    }
    if let Some(remark) = &transcript.remark {
        super::say(&format!("  {remark}"));
    }
    super::say(&format!("  {}", transcript.text()));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100")]
fn percent(done: f32) -> u64 {
    (done * 100.0).clamp(0.0, 100.0) as u64
}

pub(super) fn assess(settings: &Settings, options: &AssessOptions) -> anyhow::Result<ExitCode> {
    let text = if options.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("could not read standard input")?
    } else {
        std::fs::read_to_string(&options.file).with_context(|| format!("could not read {}", options.file.display()))?
    };
    let now = SystemClock.now();
    let report = Report {
        id: ReportId::fresh(),
        source: "assess".into(),
        key: "-".into(),
        mailbox: None,
        caller: Caller { number: options.caller.clone(), name: None },
        called_at: options.at.unwrap_or(now),
        stored_at: now,
        recording: None,
        trouble: None,
        medium: Medium::Voicemail,
        longest_s: None,
        stage: Stage::Done,
    };
    let rules = run::rules(settings)?;
    let assessment = assess::assess(&rules, settings, &report, &Said::Spoken(as_if_spoken(&text, settings)));
    if options.json {
        super::say_json(&assessment)?;
    } else {
        show_assessment(settings, &report, &assessment);
    }
    Ok(ExitCode::SUCCESS)
}

/// A text as a transcript that leaves no doubt about its sound: words half a second each.
fn as_if_spoken(text: &str, settings: &Settings) -> Transcript {
    let word = |(index, text): (u32, &str)| Word {
        text: text.to_owned(),
        start_ms: index * 500,
        end_ms: index * 500 + 500,
        probability: 1.0,
    };
    let words: Vec<Word> = (0u32..).zip(text.split_whitespace()).map(word).collect();
    let end = words.last().map_or(0, |word| word.end_ms);
    let spoken: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    Transcript {
        model: "-".into(),
        language: settings.transcribe.language.clone(),
        sound_ms: end,
        second: Some(spoken.join(" ")),
        words,
        speech: vec![(0, end)],
        doubt: None,
        remark: None,
    }
}

fn show_assessment(settings: &Settings, report: &Report, found: &Assessment) {
    let hours = settings.business_hours();
    let known = Known {
        report,
        case: None,
        assessment: Some(found),
        zone: hours.zone,
        outside: !hours.is_open(report.called_at),
        reaction_hours: settings.terms.reaction_hours,
        sound_ms: None,
        cut_off: false,
        mail: None,
        later: &[],
        phone: None,
        notes: &[],
        quieter: None,
    };
    super::say(&format!("{} ({})", wording::title(found.verdict), found.verdict.as_str()));
    super::say(&wording::judgement(&known, found));
    for missing in &found.missing {
        super::say(&format!("fehlt: {}", wording::missing(*missing)));
    }
}
