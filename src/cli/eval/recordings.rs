//! `nachtwache eval recordings`: labelled recordings through a speech model and the rules.

use crate::assess::{self, Said, bench, rules::Rules};
use crate::config::Settings;
use crate::domain::assessment::{Consent, Verdict};
use crate::domain::report::{Caller, Medium, Report, ReportId, Stage};
use crate::domain::transcript::Transcript;
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::transcribe::child::Child;
use anyhow::Context as _;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// Labelled recordings, one JSON object a line; paths are relative to this file
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// The speech model; without it the settings' own
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A line of the manifest.
#[derive(Debug, Deserialize)]
struct Sample {
    file: PathBuf,
    text: String,
    #[serde(default)]
    condition: Option<String>,
    #[serde(default)]
    format: Option<String>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
struct Expect {
    verdict: Verdict,
    consent: Consent,
}

/// What became of one recording.
#[derive(Debug, Serialize)]
struct Heard {
    file: PathBuf,
    condition: String,
    /// Words wrong, of so many.
    words: Errors,
    /// Digits wrong, of so many.
    digits: Errors,
    expected: Verdict,
    found: Option<Verdict>,
    made_up: bool,
    seconds_of_sound: f64,
    seconds_taken: f64,
    /// Why it could not be transcribed.
    failed: Option<String>,
}

/// Edit distance to what was said, and the length of what was said.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Errors {
    wrong: usize,
    of: usize,
}

pub(super) async fn recordings(mut settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    if let Some(model) = &options.model {
        anyhow::ensure!(model.is_file(), "--model {}: no such file", model.display());
        settings.transcribe.model = std::path::absolute(model)?;
    }
    let rules = run::rules(&settings)?;
    let folder = options.manifest.parent().unwrap_or(Path::new("."));
    let samples = read(&options.manifest)?;
    let mut child = crate::cli::speech::child(&settings);
    let bar = ProgressBar::new(samples.len() as u64);
    let mut all = Vec::new();
    for sample in samples {
        bar.set_message(sample.file.display().to_string());
        let path = std::path::absolute(folder.join(&sample.file))?;
        anyhow::ensure!(path.is_file(), "{}: no such recording: {}", options.manifest.display(), path.display());
        all.push(hear(&rules, &settings, &mut child, &sample, &path).await);
        bar.inc(1);
    }
    bar.finish_and_clear();
    child.stop().await;
    let failed = all.iter().any(|one| one.failed.is_some());
    if options.json {
        crate::cli::say_json(&summary(&all))?;
    } else {
        crate::cli::say(&shown(&all));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(file: &Path) -> anyhow::Result<Vec<Sample>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| {
                format!("{}, line {}: no recording with its labels (see docs/rules.md)", file.display(), at + 1)
            })
        })
        .collect()
}

async fn hear(rules: &Rules, settings: &Settings, child: &mut Child, sample: &Sample, path: &Path) -> Heard {
    let started = Instant::now();
    let tried = crate::cli::speech::hear(settings, child, path).await;
    let seconds_taken = started.elapsed().as_secs_f64();
    let mut heard = Heard {
        file: sample.file.clone(),
        condition: sample.condition.clone().or_else(|| sample.format.clone()).unwrap_or_else(|| "-".into()),
        words: errors(&bench::words(&sample.text), &[]),
        digits: errors(&digits(&sample.text), &[]),
        expected: sample.expect.verdict,
        found: None,
        made_up: false,
        seconds_of_sound: 0.0,
        seconds_taken,
        failed: None,
    };
    match tried {
        Ok(transcript) => {
            let text = transcript.text();
            heard.seconds_of_sound = seconds(&transcript);
            let found = assess::assess(rules, settings, &at_night(settings), &Said::Spoken(transcript));
            heard.words = errors(&bench::words(&sample.text), &bench::words(&text));
            heard.digits = errors(&digits(&sample.text), &digits(&text));
            heard.found = Some(found.verdict);
            heard.made_up = found.consent == Consent::Full && sample.expect.consent != Consent::Full;
        }
        Err(error) => heard.failed = Some(format!("{error:#}")),
    }
    heard
}

fn seconds(transcript: &Transcript) -> f64 {
    f64::from(transcript.sound_ms) / 1000.0
}

/// A report out of hours: what the manifest's verdicts are about.
fn at_night(settings: &Settings) -> Report {
    let hours = settings.business_hours();
    let mut at = SystemClock.now();
    while hours.is_open(at) {
        at += chrono::TimeDelta::hours(1);
    }
    Report {
        id: ReportId::fresh(),
        source: "eval".into(),
        key: "-".into(),
        mailbox: None,
        caller: Caller { number: None, name: None },
        called_at: at,
        stored_at: at,
        recording: None,
        trouble: None,
        medium: Medium::Voicemail,
        longest_s: None,
        stage: Stage::Done,
    }
}

/// The digits in order, spoken or in figures: "null acht, 15" is 0 8 1 5.
fn digits(text: &str) -> Vec<String> {
    assess::rules::spoken_digits(text).chars().map(String::from).collect()
}

/// Levenshtein distance over words.
fn errors(said: &[String], heard: &[String]) -> Errors {
    Errors { wrong: strsim::generic_levenshtein(&Slice(said), &Slice(heard)), of: said.len() }
}

/// Lets a slice be compared item by item.
struct Slice<'a>(&'a [String]);

impl<'a> IntoIterator for &Slice<'a> {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Several recordings taken together.
#[derive(Debug, Default, Serialize)]
struct Sum {
    n: usize,
    /// Word error rate over all words.
    wer: f64,
    /// The same over digits.
    digit_error_rate: f64,
    verdict: Accuracy,
    /// Seconds taken a second of sound.
    real_time_factor: f64,
}

#[derive(Debug, Default, Serialize)]
struct Accuracy {
    accuracy: f64,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    sum: Sum,
    lost: Vec<&'a Path>,
    made_up: Vec<&'a Path>,
    conditions: BTreeMap<&'a str, Sum>,
    files: &'a [Heard],
}

#[expect(clippy::cast_precision_loss, reason = "no manifest has 2^52 words")]
fn sum<'a>(all: &(impl Iterator<Item = &'a Heard> + Clone)) -> Sum {
    let rate = |of: fn(&Heard) -> Errors| {
        let (wrong, total) = all.clone().map(of).fold((0, 0), |sum, one| (sum.0 + one.wrong, sum.1 + one.of));
        wrong as f64 / total.max(1) as f64
    };
    let n = all.clone().count();
    let right = all.clone().filter(|one| one.found == Some(one.expected)).count();
    let sound: f64 = all.clone().map(|one| one.seconds_of_sound).sum();
    let taken: f64 = all.clone().filter(|one| one.failed.is_none()).map(|one| one.seconds_taken).sum();
    Sum {
        n,
        wer: rate(|one| one.words),
        digit_error_rate: rate(|one| one.digits),
        verdict: Accuracy { accuracy: right as f64 / n.max(1) as f64 },
        real_time_factor: if sound > 0.0 { taken / sound } else { 0.0 },
    }
}

fn summary(all: &[Heard]) -> Summary<'_> {
    let names = all.iter().map(|one| one.condition.as_str());
    let silent = |one: &&Heard| one.expected.wakes() && one.found.is_some_and(|found| !found.wakes());
    Summary {
        sum: sum(&all.iter()),
        lost: all.iter().filter(silent).map(|one| one.file.as_path()).collect(),
        made_up: all.iter().filter(|one| one.made_up).map(|one| one.file.as_path()).collect(),
        conditions: names.map(|name| (name, sum(&all.iter().filter(|one| one.condition == name)))).collect(),
        files: all,
    }
}

/// The table for people.
fn shown(all: &[Heard]) -> String {
    let mut out = format!("{:<28}{:>9}{:>11}{:>9}  verdict\n", "recording", "words", "digits", "× time");
    for one in all {
        let factor = if one.seconds_of_sound > 0.0 { one.seconds_taken / one.seconds_of_sound } else { 0.0 };
        let verdict = match (&one.failed, one.found) {
            (Some(why), _) => format!("failed: {why}"),
            (_, Some(found)) if found == one.expected => found.as_str().to_owned(),
            (_, found) => format!("{}, expected {}", found.map_or("-", Verdict::as_str), one.expected.as_str()),
        };
        out.push_str(
            &(format!(
                "{:<28}{:>9}{:>11}{:>9.2}  {verdict}",
                one.file.display().to_string(),
                format!("{}/{}", one.words.wrong, one.words.of),
                format!("{}/{}", one.digits.wrong, one.digits.of),
                factor
            ) + "\n"),
        );
    }
    let summary = summary(all);
    out.push_str(
        &(format!("\n{:<28}{:>4}{:>9}{:>9}{:>10}{:>8}", "condition", "n", "words", "digits", "verdicts", "× time")
            + "\n"),
    );
    for (name, sum) in summary.conditions.iter().map(|(name, sum)| (*name, sum)).chain([("all", &summary.sum)]) {
        out.push_str(
            &(format!(
                "{name:<28}{:>4}{:>8.1}%{:>8.1}%{:>9.1}%{:>8.2}",
                sum.n,
                sum.wer * 100.0,
                sum.digit_error_rate * 100.0,
                sum.verdict.accuracy * 100.0,
                sum.real_time_factor
            ) + "\n"),
        );
    }
    let list = |files: &[&Path]| files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" ");
    out += format!("\nlost:    {}\nmade up: {}", list(&summary.lost), list(&summary.made_up)).as_str();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn errors_are_counted_in_words() {
        let errors = errors(&words("der server ist tot"), &words("der serwer ist"));
        assert_eq!((errors.wrong, errors.of), (2, 4));
    }

    #[test]
    fn digits_are_the_same_spoken_and_in_figures() {
        assert_eq!(digits("null eins sieben eins, doppel drei"), digits("0171 33"));
    }
}
