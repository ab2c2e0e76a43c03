//! The commands. People read the output; `--json` is for machines.

mod charges;
mod check;
mod drill;
mod eval;
mod health;
mod models;
mod policy;
mod privacy;
mod roster;
mod roster_change;
mod rules;
mod sources;
mod sources_login;
mod speech;
mod submit;
mod technician;
mod user;

use crate::config::{self, Settings};
use crate::demo;
use crate::run::{Reach, Service};
use crate::runtime::telemetry;
use crate::transcribe::child;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Picks up the emergency mailbox, writes down what was said, and wakes the technician on duty.
#[derive(Debug, Parser)]
#[command(name = "nachtwache", version, about, max_term_width = 100)]
pub struct Command {
    /// The settings file
    #[arg(long, global = true, env = "NACHTWACHE_CONFIG", default_value = config::DEFAULT_PATH, value_name = "FILE")]
    config: PathBuf,
    /// Log as JSON lines
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run the service until it is asked to stop
    #[command(after_help = "Example:\n  nachtwache run --config /etc/nachtwache/nachtwache.toml")]
    Run,
    /// Play the main job through on recordings that are brought along
    #[command(after_help = "Example:\n  nachtwache demo --once\n  nachtwache demo --once --json")]
    Demo(demo::Options),
    /// Say whether everything is ready: settings, database, model, mailboxes, Telegram
    #[command(after_help = "Example:\n  nachtwache check --config nachtwache.toml")]
    Check(check::Options),
    /// Hand in a recording by hand or from a script; exit code 0 means that it is stored
    #[command(
        after_help = "Example:\n  nachtwache submit msg0000.wav --caller 01701234567 --at 2026-11-21T22:14:00+01:00"
    )]
    Submit(submit::Options),
    /// Write down recordings
    #[command(after_help = "Example:\n  nachtwache transcribe msg0000.wav --model models/ggml-test-de.bin")]
    Transcribe(speech::TranscribeOptions),
    /// Judge a text as if it had been left on the mailbox
    #[command(
        after_help = "Example:\n  nachtwache assess message.txt --at 2026-11-21T22:14:00+01:00\n  echo 'Hallo ...' | nachtwache assess - --json"
    )]
    Assess(speech::AssessOptions),
    /// Measure how good it is on labelled examples
    #[command(subcommand, after_help = "Example:\n  nachtwache eval messages tests/corpus/dev-voicemail.jsonl")]
    Eval(eval::Options),
    /// The rules that judge a text: check rule files, replay changed rules over the store
    #[command(subcommand, after_help = "Example:\n  nachtwache rules check /etc/nachtwache/rules")]
    Rules(rules::Options),
    /// The mailboxes: learn how a telephone system's mails are read, let the service log in to one
    #[command(subcommand, after_help = "Example:\n  nachtwache sources learn voicemail.eml")]
    Sources(sources::Options),
    /// Who is on duty when: show it, change it, export it as a calendar
    #[command(subcommand, after_help = "Example:\n  nachtwache roster show --days 14\n  nachtwache roster who")]
    Roster(roster::Options),
    /// Who is told when: print the time-line of a policy
    #[command(
        subcommand,
        after_help = "Example:\n  nachtwache policy explain --verdict confirmed --at '2026-12-24 22:00'"
    )]
    Policy(policy::Options),
    /// The technicians' phones: invite one, list them, take one off
    #[command(subcommand, after_help = "Example:\n  nachtwache technician invite Anna\n  nachtwache technician list")]
    Technician(technician::Options),
    /// What is stored of a caller: hand it out, erase it, hold it; the ledger of deletions
    #[command(subcommand, after_help = "Example:\n  nachtwache privacy ledger")]
    Privacy(privacy::Options),
    /// The fees: list them, hand them to the accounts, release or cancel one
    #[command(
        subcommand,
        after_help = "Example:\n  nachtwache charges list --state proposed\n  nachtwache charges release 1042 --by 'Klara Vogt'"
    )]
    Charges(charges::Options),
    /// The people at the page: add one, let one in again, list them
    #[command(
        subcommand,
        after_help = "Example:\n  nachtwache user add Petra --role admin\n  nachtwache user link Petra"
    )]
    User(user::Options),
    /// Speech models: list, fetch, verify
    #[command(subcommand, after_help = "Example:\n  nachtwache models fetch small-q8_0")]
    Models(models::Options),
    /// Say whether the running service is well; exit code 0 means yes
    #[command(after_help = "Example:\n  nachtwache health --json")]
    Health(health::Options),
    /// Send a recording of our own through the running service, up to the chat; exit code 0 means that it arrived
    #[command(after_help = "Example:\n  nachtwache drill\n  nachtwache drill --json")]
    Drill(drill::Options),
    /// The process that listens; started by the service itself
    #[command(hide = true)]
    Child,
}

/// Runs a command. Exit codes: 0 done, 1 not well or failed, 2 wrong arguments.
#[must_use]
pub fn main(command: Command) -> ExitCode {
    telemetry::quiet_panics();
    if let What::Child = command.what {
        return match child::inside::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let quiet = !matches!(command.what, What::Run);
    let filter = config::environment("RUST_LOG").or_else(|| quiet.then(|| "error".to_owned()));
    telemetry::start(filter.as_deref(), command.log_json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(run(command)),
        Err(error) => Err(anyhow::Error::new(error).context("could not start")),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("nachtwache: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let load = || Settings::load(&command.config);
    match command.what {
        What::Run => {
            let settings = load()?;
            check::fit_to_run(&settings)?;
            let reach = Reach::telegram(&settings)?;
            Service::start(settings, reach).await?.until_ended().await?;
            Ok(ExitCode::SUCCESS)
        }
        What::Demo(options) => demo::play(&options, say).await,
        What::Check(options) => check::check(&command.config, &options).await,
        What::Submit(options) => submit::submit(load()?, options).await,
        What::Transcribe(options) => speech::transcribe(settings_or_defaults(&command.config)?, options).await,
        What::Assess(options) => speech::assess(&settings_or_defaults(&command.config)?, &options),
        What::Eval(options) => eval::eval(settings_or_defaults(&command.config)?, options).await,
        What::Rules(options) => rules::rules(settings_or_defaults(&command.config)?, options).await,
        What::Sources(options) => sources::sources(&command.config, &options).await,
        What::Roster(options) => roster::roster(load()?, options).await,
        What::Policy(options) => policy::policy(load()?, options).await,
        What::Technician(options) => technician::technician(load()?, options).await,
        What::Privacy(options) => privacy::privacy(&load()?, &options).await,
        What::Charges(options) => charges::charges(&load()?, options).await,
        What::User(options) => user::user(load()?, options).await,
        What::Models(options) => models::models(&settings_or_defaults(&command.config)?, options).await,
        What::Health(options) => health::health(&load()?, &options).await,
        What::Drill(options) => drill::drill(&load()?, &options).await,
        What::Child => Ok(ExitCode::FAILURE),
    }
}

/// The commands that work without a firm's settings take the defaults where there is no file.
fn settings_or_defaults(path: &std::path::Path) -> anyhow::Result<Settings> {
    if path.exists() { Ok(Settings::load(path)?) } else { Ok(Settings::parse("")?) }
}

/// One line (or several) on standard output. A reader that went away is no error.
fn say(text: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// One line on standard error.
fn complain(text: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// A value as indented JSON on standard output.
fn say_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}
