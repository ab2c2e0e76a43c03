//! `nachtwache rules`: check rule files, and see what changed rules would do to what is stored.

use crate::assess::{self, replay, rules::Rules};
use crate::config::Settings;
use crate::domain::assessment::Finding;
use crate::review;
use crate::run;
use indicatif::ProgressBar;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Read every example of every concept; exit code 1 where one goes wrong
    #[command(after_help = "Example:\n  nachtwache rules check\n  nachtwache rules check /etc/nachtwache/rules --json")]
    Check(CheckOptions),
    /// Judge everything in the store anew and show what would flip; changes nothing
    #[command(after_help = "Example:\n  nachtwache rules replay --rules /etc/nachtwache/rules-new")]
    Replay(ReplayOptions),
    /// Print the examples that were kept on the page, one JSON object a line, as `eval messages` reads them
    #[command(after_help = "Example:\n  nachtwache rules examples > mine.jsonl\n  nachtwache eval messages mine.jsonl")]
    Examples,
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckOptions {
    /// Folder with rule files to lay over the built-in ones, or one such file; assess.rules, if not given
    #[arg(value_name = "PATH")]
    folder: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayOptions {
    /// Folder with the changed rule files; assess.rules, if not given
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn rules(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    match options {
        Options::Check(options) => check(&settings, &options),
        Options::Replay(options) => replayed(&settings, &options).await,
        Options::Examples => kept(&settings).await,
    }
}

fn check(settings: &Settings, options: &CheckOptions) -> anyhow::Result<ExitCode> {
    let rules = assess::rules_of(options.folder.as_deref().or(settings.assess.rules.as_deref()))?;
    let wrong = rules.check();
    let (concepts, examples) = rules.size();
    if options.json {
        super::say_json(&serde_json::json!({
            "version": rules.version(), "concepts": concepts, "examples": examples, "wrong": wrong,
        }))?;
    } else {
        for one in &wrong {
            super::say(&format!("{}: {}: {}", one.file, one.concept, one.what));
        }
        super::say(&format!(
            "version {}: {concepts} concepts, {examples} examples, {} wrong",
            rules.version(),
            wrong.len()
        ));
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn kept(settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = run::existing_store(settings).await?;
    let examples = review::examples::all(&store).await;
    store.close().await;
    super::say(review::examples::lines(&examples?).trim_end());
    Ok(ExitCode::SUCCESS)
}

async fn replayed(settings: &Settings, options: &ReplayOptions) -> anyhow::Result<ExitCode> {
    let rules: Rules = assess::rules_of(options.rules.as_deref().or(settings.assess.rules.as_deref()))?;
    let store = run::existing_store(settings).await?;
    let bar = ProgressBar::new_spinner().with_message("judging anew");
    let replay = replay::replay(&store, settings, &rules, |done| bar.set_message(format!("{done} judged anew"))).await;
    bar.finish_and_clear();
    store.close().await;
    let replay = replay?;
    if options.json {
        super::say_json(&serde_json::json!({ "version": rules.version(), "replay": replay }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for flip in &replay.flips {
        let ((verdict, declaration, consent), now) = (flip.before, flip.after);
        super::say(&format!("{}: {} -> {}", flip.report, verdict.as_str(), now.0.as_str()));
        for (what, before, after) in
            [("declaration", declaration.as_str(), now.1.as_str()), ("consent", consent.as_str(), now.2.as_str())]
        {
            if before != after {
                super::say(&format!("    {what}: {before} -> {after}"));
            }
        }
        let show = |sign: &str, list: &[Finding]| {
            for one in list {
                super::say(&format!("    {sign} {} ({}): {:?}", one.rule, one.polarity.as_str(), one.quote));
            }
        };
        show("-", &flip.gone);
        show("+", &flip.new);
    }
    super::say(&format!("{} judged anew, {} would flip, nothing was changed", replay.n, replay.flips.len()));
    Ok(ExitCode::SUCCESS)
}
