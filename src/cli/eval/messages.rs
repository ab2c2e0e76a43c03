//! `nachtwache eval messages`: labelled texts through the rules.

use crate::assess;
use crate::assess::bench::{self, Labels, Record, Scores, Wrong};
use crate::assess::rules::Terms;
use crate::config::Settings;
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub(in crate::cli) struct Options {
    /// Labelled messages, one JSON object a line
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only every M-th record by sorted id, beginning with the N-th: to tune on some and look at the others last
    #[arg(long, value_name = "N/M", value_parser = fold)]
    fold: Option<(usize, usize)>,
    /// Leave out the records of --fold instead of taking only them
    #[arg(long, requires = "fold")]
    rest: bool,
    /// A folder with rule files to lay over the built-in ones
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Show every record that differs, not the worst 20
    #[arg(long)]
    all: bool,
    /// Show wrong companies, contacts and descriptions as well
    #[arg(long)]
    fields: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const WORST: usize = 20;

pub(super) fn messages(settings: &Settings, options: &Options) -> anyhow::Result<ExitCode> {
    let mut records = Vec::new();
    for file in &options.files {
        records.extend(read(file)?);
    }
    if let Some((part, of)) = options.fold {
        records.sort_by(|a, b| a.id.cmp(&b.id));
        let mut at = 0;
        records.retain(|_| {
            at += 1;
            ((at - 1) % of + 1 == part) != options.rest
        });
    }
    anyhow::ensure!(!records.is_empty(), "there is no message to judge");
    let rules = assess::rules_of(options.rules.as_deref().or(settings.assess.rules.as_deref()))?;
    let terms = Terms {
        fee: settings.terms.fee_cents().map_err(anyhow::Error::msg)?,
        own_numbers: &settings.terms.own_numbers,
    };
    let hours = settings.business_hours();
    let epoch = Instant::now();
    // The first judgement compiles the rules.
    drop(bench::score(&rules, &records[..records.len().min(1)], &terms, &hours, &|| epoch.elapsed()));
    let scores = bench::score(&rules, &records, &terms, &hours, &|| epoch.elapsed());
    if options.json {
        crate::cli::say_json(&scores)?;
    } else {
        crate::cli::say(&shown(&scores, if options.all { usize::MAX } else { WORST }, options.fields));
    }
    Ok(ExitCode::SUCCESS)
}

fn fold(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
    parts.filter(|(n, m)| (1..=*m).contains(n)).ok_or_else(|| "write it as 5/5: the fifth of five parts".to_owned())
}

fn read(file: &Path) -> anyhow::Result<Vec<Record>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let record: Record = serde_json::from_str(line).with_context(|| {
                format!("{}, line {}: no message with its labels (see docs/rules.md)", file.display(), at + 1)
            })?;
            Ok(record)
        })
        .collect()
}

/// The scores for people.
fn shown(scores: &Scores, most: usize, fields: bool) -> String {
    let mut out = format!("{} messages, {:.2} ms each\n", scores.n, scores.ms_per_message);
    for (name, labels) in
        [("verdict", &scores.verdict), ("declaration", &scores.declaration), ("consent", &scores.consent)]
    {
        out.push_str(
            &(format!("\n{name}: {} right, macro F1 {:.3}", percent(labels.accuracy), labels.macro_f1) + "\n"),
        );
        out.push_str(&matrix(labels));
    }
    let list = |ids: &[String]| if ids.is_empty() { "none".to_owned() } else { ids.join(" ") };
    out += (format!("\nlost:    {}\nmade up: {}\n", list(&scores.lost), list(&scores.made_up)) + "\n").as_str();
    for (name, share) in [
        ("urgent", scores.urgent.accuracy),
        ("language", scores.language.accuracy),
        ("callback, exact", scores.callback.exact),
        ("company", scores.company.score),
        ("contact", scores.contact.score),
        ("description", scores.description.score),
    ] {
        out += (format!("{name:<16}{:>8}", percent(share)) + "\n").as_str();
    }
    let cases: Vec<String> = scores.wrong.iter().filter_map(|wrong| case(wrong, fields)).collect();
    out.extend(cases.iter().take(most).map(String::as_str));
    if cases.len() > most {
        out += format!("\n… and {} more (--all)", cases.len() - most).as_str();
    }
    out
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Rows: expected. Columns: found.
fn matrix(labels: &Labels) -> String {
    let rows = labels.confusion.keys();
    let columns = labels.confusion.values().flat_map(|row| row.keys());
    let names: BTreeSet<&String> = rows.chain(columns).collect();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0).max(8) + 2;
    let mut out = format!("{:width$}", "expected");
    for name in &names {
        out += format!("{name:>width$}").as_str();
    }
    for expected in &names {
        out += format!("\n{expected:<width$}").as_str();
        for found in &names {
            let n = labels.confusion.get(*expected).and_then(|row| row.get(*found)).copied().unwrap_or(0);
            let shown = if n == 0 { "·".to_owned() } else { n.to_string() };
            out += format!("{shown:>width$}").as_str();
        }
    }
    out.push('\n');
    out
}

/// What only `--fields` shows.
const FIELDS: [&str; 3] = ["company", "contact", "description"];

/// Nothing where only fields differ that are not asked for.
fn case(wrong: &Wrong, fields: bool) -> Option<String> {
    let differs: Vec<_> = wrong.differs.iter().filter(|(name, ..)| fields || !FIELDS.contains(name)).collect();
    if differs.is_empty() {
        return None;
    }
    let text: String = wrong.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    let mut out = format!("\n{}: {text}\n", wrong.id);
    for (name, expected, found) in differs {
        out += (format!("    {name}: expected {expected}, found {found}") + "\n").as_str();
    }
    for finding in &wrong.findings {
        out += (format!("    {} ({}): {:?}", finding.rule, finding.polarity.as_str(), finding.quote) + "\n").as_str();
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_a_part_of_a_whole() {
        assert_eq!(fold("5/5"), Ok((5, 5)));
        assert!(fold("6/5").is_err() && fold("0/5").is_err() && fold("x").is_err());
    }

    #[test]
    fn fields_are_shown_only_where_asked_for() {
        let differs = vec![("company", "Kuhn".to_owned(), "-".to_owned())];
        let wrong = Wrong { id: "x".into(), text: String::new(), differs, findings: Vec::new() };
        assert!(case(&wrong, false).is_none());
        assert!(case(&wrong, true).is_some_and(|shown| shown.contains("company: expected Kuhn")));
    }

    #[test]
    fn a_label_left_out_is_no_null() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = r#"{"id": "x", "text": "", "received_at": "2026-11-21T22:14:00+01:00", "expect": {"verdict": "ignored",
            "declaration": "absent", "consent": "absent", "urgent": false, "contact": null, "callback": null,
            "description": null, "language": "de"}}"#;
        std::fs::write(file.path(), line.replace('\n', " ")).unwrap();
        let error = format!("{:#}", read(file.path()).unwrap_err());
        assert!(error.contains("line 1") && error.contains("missing field `company`"), "{error}");
    }

    #[test]
    fn a_bad_line_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\n{\"id\": \"x\"}\n").unwrap();
        let error = format!("{:#}", read(file.path()).unwrap_err());
        assert!(error.contains("line 2") && error.contains("missing field"), "{error}");
    }
}
