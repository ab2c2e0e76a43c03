//! `nachtwache charges`: list them, hand them to the accounts, release or cancel one. The page does the same by the same
//! functions.

use super::roster::shown;
use crate::config::Settings;
use crate::domain::case::CaseId;
use crate::domain::charge::{ChargeState, Entry, Filter, Line, Objection, Signed, Sum};
use crate::review::charges::{self, Decided, REASON_MAX};
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::Store;
use crate::wording::charges::csv;
use anyhow::Context as _;
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// List charges, the newest first, and what they come to
    #[command(
        after_help = "Example:\n  nachtwache charges list --state proposed\n  nachtwache charges list --month 2026-11 --json"
    )]
    List(ListOptions),
    /// Write charges as a table for the accounts (CSV: semicolon, decimal comma, UTF-8)
    #[command(
        after_help = "Example:\n  nachtwache charges export --month 2026-11 --output gebuehren-2026-11.csv\n  nachtwache charges export --state proposed --json"
    )]
    Export(ExportOptions),
    /// Release a proposed charge for billing
    #[command(after_help = "Example:\n  nachtwache charges release 1042 --by 'Klara Vogt'")]
    Release(ReleaseOptions),
    /// Cancel a charge; of a released one it is a credit
    #[command(
        after_help = "Example:\n  nachtwache charges cancel 1042 --by 'Klara Vogt' --reason 'two calls, one fault'"
    )]
    Cancel(CancelOptions),
}

#[derive(Debug, clap::Args)]
pub(super) struct ListOptions {
    /// Only those that stand here: proposed, released or cancelled
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<ChargeState>,
    /// Only those of this month: a released one counts when it was released, any other when the caller called
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<NaiveDate>,
    /// So many at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Leave out so many of the newest
    #[arg(long, default_value_t = 0, value_name = "N")]
    skip: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportOptions {
    /// Which: released with their credits, proposed, cancelled, or all
    #[arg(long, default_value = "released", value_name = "STATE")]
    state: String,
    /// Only those of this month: released or credited in it
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<NaiveDate>,
    /// Into this file, which must not be there yet; without it to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReleaseOptions {
    /// The case's number
    case: i64,
    /// Who releases it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CancelOptions {
    /// The case's number
    case: i64,
    /// Who cancels it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn state(word: &str) -> Result<ChargeState, String> {
    ChargeState::parse(word).ok_or_else(|| format!("{word:?} is none; write proposed, released or cancelled"))
}

fn month(text: &str) -> Result<NaiveDate, String> {
    charges::month(text).ok_or_else(|| format!("{text:?} is no month; write e.g. 2026-11"))
}

pub(super) async fn charges(settings: &Settings, options: Options) -> anyhow::Result<ExitCode> {
    let store = run::existing_store(settings).await?;
    let zone = settings.business_hours().zone;
    let done = match options {
        Options::List(options) => list(&store, zone, &options).await,
        Options::Export(options) => export(&store, zone, &options).await,
        Options::Release(options) => {
            let case = CaseId(options.case);
            let decided = charges::release(&store, case, &options.by, SystemClock.now()).await;
            tell(case, decided.context("could not release the charge")?, zone, options.json)
        }
        Options::Cancel(options) => {
            let case = CaseId(options.case);
            let decided = charges::cancel(&store, case, &options.by, &options.reason, SystemClock.now()).await;
            tell(case, decided.context("could not cancel the charge")?, zone, options.json)
        }
    };
    store.close().await;
    done
}

async fn list(store: &Store, zone: Tz, options: &ListOptions) -> anyhow::Result<ExitCode> {
    let filter = Filter { state: options.state, span: options.month.map(|month| charges::span_of(month, zone)) };
    let page = charges::page(&mut store.read().await?, &filter, options.limit, options.skip).await?;
    if options.json {
        let entries: Vec<Value> = page.entries.iter().map(entry_as_json).collect();
        let sums: Vec<Value> = page.sums.iter().map(sum_as_json).collect();
        super::say_json(&json!({ "charges": entries, "count": page.count, "sums": sums }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for entry in &page.entries {
        let company = entry.customer.company.as_deref().unwrap_or("-");
        let (called, net, state) = (shown(zone, entry.called_at), entry.net.german(), entry.state.as_str());
        let look = if entry.objection.is_some() { "  LOOK AT IT" } else { "" };
        super::say(&format!(
            "{}  {called}  {net:>8}  {state:<9}  {:<6}  {company}{look}",
            entry.case,
            entry.basis.as_str()
        ));
    }
    for sum in &page.sums {
        let (net, gross) = (sum.net.german(), sum.gross.german());
        super::say(&format!("{:<9}  {} charges, {net} EUR net, {gross} EUR with VAT", sum.state.as_str(), sum.count));
    }
    let left = page.count.saturating_sub(u64::from(options.skip) + page.entries.len() as u64);
    if left > 0 {
        super::say(&format!("{left} more: --skip {}", options.skip as usize + page.entries.len()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn export(store: &Store, zone: Tz, options: &ExportOptions) -> anyhow::Result<ExitCode> {
    let wanted = match options.state.as_str() {
        "all" => None,
        word => Some(state(word).map_err(|error| anyhow::anyhow!("--state: {error}, or all"))?),
    };
    let filter = Filter { state: wanted, span: options.month.map(|month| charges::span_of(month, zone)) };
    let lines = charges::lines(&mut store.read().await?, &filter).await?;
    if options.json {
        super::say_json(&lines.iter().map(line_as_json).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let table = csv(&lines, zone);
    let Some(path) = &options.output else {
        use std::io::Write as _;
        // a reader that went away is no error
        drop(std::io::stdout().write_all(&table));
        return Ok(ExitCode::SUCCESS);
    };
    let could_not = || format!("could not write {}", path.display());
    let mut file = std::fs::File::create_new(path).with_context(could_not)?;
    std::io::Write::write_all(&mut file, &table).with_context(could_not)?;
    super::say(&format!("{} lines in {}", lines.len(), path.display()));
    Ok(ExitCode::SUCCESS)
}

fn tell(case: CaseId, decided: Decided, zone: Tz, as_json: bool) -> anyhow::Result<ExitCode> {
    let (entry, done) = match decided {
        Decided::Done(entry) => (entry, true),
        Decided::Already(entry) => (entry, false),
        Decided::Unknown => anyhow::bail!("case {case} has no charge; `nachtwache charges list` lists them"),
        Decided::Nobody => anyhow::bail!("--by: say who decides"),
        Decided::NoReason => anyhow::bail!("--reason: say why, in at most {REASON_MAX} characters"),
    };
    if as_json {
        super::say_json(&json!({ "done": done, "charge": entry_as_json(&entry) }))?;
    } else {
        let signed = entry.cancelled.as_ref().or(entry.released.as_ref());
        let who = signed.map(|signed| format!(" by {}, {}", signed.by, shown(zone, signed.at))).unwrap_or_default();
        let already = if done { "" } else { "nothing changed: " };
        super::say(&format!("{already}the charge of case {case} is {}{who}", entry.state.as_str()));
    }
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line_as_json(line: &Line) -> Value {
    json!({ "credit": line.credit, "charge": entry_as_json(&line.entry) })
}

fn entry_as_json(entry: &Entry) -> Value {
    let signed = |signed: &Option<Signed>| signed.as_ref().map(|signed| json!({ "by": signed.by, "at": signed.at }));
    json!({
        "case": entry.case.0, "report": entry.report.to_string(), "state": entry.state.as_str(), "net_cents": entry.net.0,
        "vat_percent": entry.vat_percent(), "gross_cents": entry.gross.0, "basis": entry.basis.as_str(),
        "called_at": entry.called_at, "proposed_at": entry.proposed_at, "released": signed(&entry.released),
        "cancelled": signed(&entry.cancelled), "reason": entry.reason,
        "objection": entry.objection.map(Objection::as_str),
        "customer": entry.customer, "proof": entry.proof,
    })
}

fn sum_as_json(sum: &Sum) -> Value {
    json!({ "state": sum.state.as_str(), "count": sum.count, "net_cents": sum.net.0, "gross_cents": sum.gross.0 })
}
