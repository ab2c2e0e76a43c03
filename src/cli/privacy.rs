//! `nachtwache privacy`: what a caller may ask for, what is held, and the proof of what was deleted.

use crate::config::Settings;
use crate::domain::report::ReportId;
use crate::domain::retention::Kept;
use crate::review::requests::{Erased, Order, Whom};
use crate::review::{export, ledger, requests, retention};
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::{Store, ledger as rows};
use anyhow::Context as _;
use chrono::{NaiveDate, NaiveTime};
use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Who does it, in stories.
const ACTOR: &str = "command line";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Write what is stored of somebody into an archive
    #[command(after_help = "Example:\n  nachtwache privacy export --number '09721 555017' --to caller.zip")]
    Export {
        #[command(flatten)]
        whom: WhomOptions,
        /// The archive to be written; it must not be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Delete what is stored of somebody; times, verdict and amounts stay
    #[command(after_help = "Example:\n  nachtwache privacy erase --number '09721 555017'")]
    Erase {
        #[command(flatten)]
        whom: WhomOptions,
        /// Also where a case or a charge is open, or a released charge may have to be proved
        #[arg(long)]
        even_open: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Check the ledger of deletions, and count it by month
    Ledger {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep a report until a day (a dispute, say), or list what is kept
    #[command(
        after_help = "Example:\n  nachtwache privacy hold 0194f3c2-… --reason 'dispute about the fee' --until 2027-06-30"
    )]
    Hold {
        /// The report; without it what is held is listed
        report: Option<ReportId>,
        /// Why
        #[arg(long, requires = "report")]
        reason: Option<String>,
        /// The last day
        #[arg(long, requires = "report")]
        until: Option<NaiveDate>,
        /// It need not be kept any longer
        #[arg(long, requires = "report", conflicts_with_all = ["reason", "until"])]
        end: bool,
    },
    /// After a backup was restored: delete again what had been deleted
    Reapply,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct WhomOptions {
    /// Whoever has this number, with its area code, in any spelling
    #[arg(long)]
    number: Option<String>,
    /// Whoever has this name: a person, a company, a mail address
    #[arg(long)]
    name: Option<String>,
    /// One report
    #[arg(long)]
    report: Option<ReportId>,
}

impl WhomOptions {
    fn whom(&self) -> anyhow::Result<Whom> {
        match self {
            Self { number: Some(number), .. } => Whom::number(number),
            Self { name: Some(name), .. } => Whom::name(name),
            Self { report, .. } => {
                report.map(Whom::Report).ok_or_else(|| "say whom: --number, --name or --report".into())
            }
        }
        .map_err(anyhow::Error::msg)
    }
}

pub(super) async fn privacy(settings: &Settings, options: &Options) -> anyhow::Result<ExitCode> {
    let store = run::existing_store(settings).await?;
    let done = act(&store, settings, options).await;
    store.close().await;
    done
}

async fn act(store: &Store, settings: &Settings, options: &Options) -> anyhow::Result<ExitCode> {
    match options {
        Options::Export { whom, to } => export_to(store, &whom.whom()?, to).await,
        Options::Erase { whom, even_open, yes } => erase(store, settings, &whom.whom()?, *even_open, *yes).await,
        Options::Ledger { json } => show_ledger(store, settings, *json).await,
        Options::Hold { report: Some(report), end: true, .. } => {
            let was = requests::release_hold(store, *report, ACTOR, SystemClock.now()).await?;
            super::say(if was { "it is held no longer" } else { "it was not held" });
            Ok(if was { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Options::Hold { report: Some(report), reason, until, .. } => {
            let day = until.context("say until when: --until 2027-06-30")?;
            let zone = settings.business_hours().zone;
            let night = day.and_time(NaiveTime::MIN) + chrono::TimeDelta::days(1);
            let until = night.and_local_timezone(zone).latest().context("that day has no midnight")?.to_utc();
            let reason = reason.as_deref().unwrap_or_default();
            let held = requests::hold(store, *report, reason, until, ACTOR, SystemClock.now()).await?;
            held.map_err(anyhow::Error::msg)?;
            super::say(&format!("report {report} is held to the end of {day}"));
            Ok(ExitCode::SUCCESS)
        }
        Options::Hold { report: None, .. } => list_holds(store).await,
        Options::Reapply => reapply(store, settings).await,
    }
}

async fn export_to(store: &Store, whom: &Whom, to: &PathBuf) -> anyhow::Result<ExitCode> {
    let (bytes, count) = export::export(store, whom, ACTOR, SystemClock.now()).await?;
    if count == 0 {
        super::say("nothing is stored of that caller");
        return Ok(ExitCode::FAILURE);
    }
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let mut file =
        opened.with_context(|| format!("could not make {}: name a file that is not there yet", to.display()))?;
    file.write_all(&bytes).with_context(|| format!("could not write {}", to.display()))?;
    super::say(&format!("{count} reports and words of the list, {} bytes in {}", bytes.len(), to.display()));
    Ok(ExitCode::SUCCESS)
}

async fn erase(
    store: &Store,
    settings: &Settings,
    whom: &Whom,
    even_open: bool,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let periods = settings.retention.periods();
    let found = requests::find(store, whom).await?;
    let words = requests::words(store, whom).await?;
    if found.is_empty() && words.is_empty() {
        super::say("nothing is stored of that caller");
        return Ok(ExitCode::FAILURE);
    }
    for report in &found {
        let obstacle = requests::obstacle(store, report.id, &periods, now).await?;
        let note = obstacle.map(|kept| format!("  {}", says(kept))).unwrap_or_default();
        super::say(&format!("{}  {}{note}", report.id, report.called_at.format("%Y-%m-%d %H:%M UTC")));
    }
    for word in &words {
        super::say(&format!("on the list of words: {}", word.word));
    }
    if !yes && !confirmed(found.len())? {
        super::say("nothing was deleted");
        return Ok(ExitCode::FAILURE);
    }
    let ids: Vec<ReportId> = found.iter().map(|report| report.id).collect();
    let order = Order { actor: ACTOR, even_open, periods: &periods };
    let Erased { erased, kept } = requests::erase(store, &ids, order, now).await?;
    let taken = requests::erase_words(store, whom, ACTOR, now).await?;
    ledger::follow(store, &settings.store.folder).await?;
    super::say(&format!("{} erased, {} kept", erased.len(), kept.len()));
    if taken > 0 {
        super::say(&format!("{taken} taken off the list of words"));
    }
    super::say("what became free is overwritten; the service writes the file anew in its next quiet hour");
    for (report, why) in &kept {
        super::say(&format!("kept: {report}: {}", says(*why)));
    }
    Ok(if kept.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn confirmed(count: usize) -> anyhow::Result<bool> {
    super::say(&format!("Delete what is stored of these {count} reports, for ever? Write yes:"));
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

fn says(kept: Kept) -> String {
    match kept {
        Kept::Unjudged => "it has no verdict yet: wait until it has".into(),
        Kept::OpenCase => "its case is open: close it, or --even-open".into(),
        Kept::OpenCharge => "a charge waits for a decision: release or cancel it, or --even-open".into(),
        Kept::Proof(until) => {
            format!("a released charge may have to be proved until {}: or --even-open", until.format("%Y-%m-%d"))
        }
        Kept::Held(until) => {
            format!("it is held until {}: `nachtwache privacy hold` lists why", until.format("%Y-%m-%d"))
        }
    }
}

async fn list_holds(store: &Store) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    for hold in requests::holds(store).await? {
        let state = if hold.holds(now) { "held" } else { "over" };
        super::say(&format!(
            "{state}  {}  until {}  {}  {}",
            hold.report,
            hold.until.format("%Y-%m-%d"),
            hold.made_by,
            hold.reason
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_ledger(store: &Store, settings: &Settings, json: bool) -> anyhow::Result<ExitCode> {
    let check = ledger::check(store, &settings.store.folder).await?;
    let mut months: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for row in rows::behind(&mut *store.read().await?, 0).await? {
        let month = months.entry(row.at.format("%Y-%m").to_string()).or_default();
        *month.entry(format!("{} ({})", row.class, row.why)).or_default() += 1;
    }
    if json {
        super::say_json(&serde_json::json!({
            "rows": check.rows, "in_file": check.in_file, "whole": check.is_whole(),
            "broken_at": check.broken_at, "differs_at": check.differs_at, "months": months,
        }))?;
    } else {
        for (month, counts) in &months {
            let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{what}: {count}")).collect();
            super::say(&format!("{month}  {}", counts.join(", ")));
        }
        super::say(&match (check.broken_at, check.differs_at) {
            (Some(row), _) => format!("NOT WHOLE: row {row} is not as it was written"),
            (None, Some(row)) => format!("NOT IN STEP: database and {} differ from row {row} on", ledger::FILE),
            (None, None) => format!("whole: {} rows, each fits behind the one before it", check.rows),
        });
    }
    Ok(if check.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn reapply(store: &Store, settings: &Settings) -> anyhow::Result<ExitCode> {
    let taken = ledger::follow(store, &settings.store.folder).await?;
    let reports = retention::reapply(store, SystemClock.now()).await?;
    ledger::follow(store, &settings.store.folder).await?;
    super::say(&format!("{taken} rows of the ledger were new to the database; {reports} reports were deleted again"));
    Ok(ExitCode::SUCCESS)
}
