//! The main job on recordings that are brought along: the real service, a scratch folder, and the terminal (or a real
//! chat) as the phone.

mod spool;
mod terminal;

use crate::config::{self, Secret, Settings, SourceRow, Spool, Technician};
use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::report::{Report, Stage};
use crate::run::{GRACE, Reach, Service};
use crate::store::{Reader, assessments, notices, reports, transcripts};
use crate::wording;
use anyhow::Context as _;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use terminal::Terminal;

/// How the demo is played.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// End after the recordings; else the mailbox stays watched
    #[arg(long)]
    once: bool,
    /// Print JSON at the end and nothing else
    #[arg(long)]
    json: bool,
    /// The recordings; a manifest.jsonl beside them says what is right
    #[arg(long, default_value = "tests/data/recordings")]
    recordings: PathBuf,
    /// The speech model
    #[arg(long, default_value = "models/ggml-test-de.bin")]
    model: PathBuf,
}

/// One line of the closing table.
#[derive(Debug, serde::Serialize)]
struct Row {
    recording: String,
    sound_seconds: f64,
    seconds_taken: f64,
    verdict: Verdict,
    expected: Option<String>,
    callback: Option<String>,
}

/// Plays the demo; `say` prints a line for people.
///
/// # Errors
/// Where recordings or model are missing, or the service cannot start.
pub async fn play(options: &Options, say: fn(&str)) -> anyhow::Result<ExitCode> {
    let recordings = spool::recordings(&options.recordings)?;
    anyhow::ensure!(
        options.model.exists(),
        "there is no model {}: start the demo in the project's folder, or name one with --model",
        options.model.display()
    );
    let scratch =
        tempfile::Builder::new().prefix("nachtwache-demo-").tempdir().context("could not make a scratch folder")?;
    let mailbox = scratch.path().join("voicemail");
    let inbox = spool::lay(&mailbox, &recordings)?;
    let settings = settings(scratch.path(), &mailbox, &options.model)?;
    let by_telegram = settings.telegram.token.is_some();
    let tell = if options.json { |_: &str| () } else { say };
    tell(&format!("{} Aufnahmen liegen im Postfach {}.", recordings.len(), inbox.display()));
    tell("Es ist Nacht: in der Demo ist das Büro nie besetzt. Dienst hat Anna, nach ihr Bernd.");
    let reach = if by_telegram {
        by_chat(&settings).await?
    } else {
        Reach { notifier: Arc::new(Terminal::new(tell)), bot: None }
    };
    let service = Service::start(settings, reach).await?;
    let outcome = until_done(&service, recordings.len(), tell).await;
    let rows = match outcome {
        Ok(()) => rows(&service, &options.recordings).await?,
        Err(error) => return end(service, Err(error)).await,
    };
    if options.json {
        tell("");
        say(&serde_json::to_string_pretty(&rows)?);
    } else {
        table(&rows, say);
    }
    if !options.once {
        tell(&format!(
            "\nDas Postfach wird weiter überwacht. Eine Aufnahme hineinlegen:\n  {}",
            spool::how_to_add(&inbox)
        ));
        tell("Ende mit Strg-C.");
        service.until_ended().await?;
        return Ok(ExitCode::SUCCESS);
    }
    end(service, Ok(())).await
}

/// The real chat; a wrong token or number is said before anything starts.
async fn by_chat(settings: &Settings) -> anyhow::Result<Reach> {
    let reach = Reach::telegram(settings)?;
    let chat = settings.technicians.first().and_then(|technician| technician.telegram_chat);
    if let (Some(bot), Some(chat)) = (&reach.bot, chat) {
        bot.me().await.context("could not use NACHTWACHE_TELEGRAM_TOKEN")?;
        let chat = bot.chat(chat).await;
        chat.context("could not use NACHTWACHE_TELEGRAM_CHAT: press Start in the chat with the bot first")?;
    }
    Ok(reach)
}

async fn end(service: Service, outcome: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    service.lifecycle.stop();
    if tokio::time::timeout(GRACE, service.lifecycle.ended()).await.is_err() {
        service.lifecycle.abort();
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// The settings of the demo: the defaults, a scratch folder, no business hours, two technicians.
fn settings(scratch: &Path, mailbox: &Path, model: &Path) -> anyhow::Result<Settings> {
    let mut settings = Settings::parse("")?;
    settings.store.folder = scratch.join("store");
    settings.watch.tell_start = false;
    settings.drill.enabled = false;
    settings.morning.enabled = false;
    settings.roster.ready_before_min = 0;
    settings.transcribe.model = std::path::absolute(model)?;
    // A whole night at once: the first word goes out at once, the words are waited for.
    settings.escalation.unheard_after_s = 600;
    for day in [&mut settings.hours.monday, &mut settings.hours.tuesday, &mut settings.hours.wednesday] {
        day.clear();
    }
    settings.hours.thursday.clear();
    settings.hours.friday.clear();
    let poll_s = 30;
    let spool = Spool {
        name: "postfach".into(),
        path: mailbox.to_owned(),
        conf: mailbox.join("voicemail.conf"),
        mailboxes: Vec::new(),
        poll_s,
        ami: None,
    };
    settings.sources = vec![SourceRow::Asterisk(spool)];
    let mut chats = (1, 2);
    if let Some(token) = config::environment("NACHTWACHE_TELEGRAM_TOKEN") {
        let chat = config::environment("NACHTWACHE_TELEGRAM_CHAT")
            .and_then(|chat| chat.trim().parse().ok())
            .context("NACHTWACHE_TELEGRAM_CHAT is missing or no number: set it to the chat that is to be told")?;
        settings.telegram.token = Some(Secret::Text(token.into()));
        if let Some(url) = config::environment("NACHTWACHE_TELEGRAM_URL") {
            settings.telegram.api_url = url;
        }
        chats = (chat, chat);
    }
    let technician = |name: &str, chat| Technician {
        name: name.into(),
        telegram_chat: Some(chat),
        telegram_user: None,
        channels: Vec::new(),
        calendar: Vec::new(),
    };
    settings.technicians = vec![technician("Anna", chats.0)];
    if chats.0 != chats.1 {
        settings.technicians.push(technician("Bernd", chats.1));
    }
    Ok(settings)
}

/// Waits until every report has its verdict and every notice is out; says how far it is.
async fn until_done(service: &Service, wanted: usize, tell: fn(&str)) -> anyhow::Result<()> {
    let mut said = 0;
    loop {
        anyhow::ensure!(!service.lifecycle.is_stopping(), "the service stopped before the demo was through");
        let mut reader = service.store.read().await?;
        let done = reports::all(&mut reader).await?.iter().filter(|report| report.stage == Stage::Done).count();
        let pending = notices::pending(&mut reader).await?;
        drop(reader);
        if done > said {
            said = done;
            tell(&format!("── {done} von {wanted} Aufnahmen geprüft ──"));
        }
        if done >= wanted && pending == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn rows(service: &Service, recordings: &Path) -> anyhow::Result<Vec<Row>> {
    let expected = spool::expected(recordings);
    let mut reader = service.store.read().await?;
    let mut rows = Vec::new();
    for report in reports::all(&mut reader).await? {
        rows.push(row(&mut reader, &report, &expected).await?);
    }
    rows.sort_by(|one, other| one.recording.cmp(&other.recording));
    Ok(rows)
}

async fn row(reader: &mut Reader, report: &Report, expected: &HashMap<String, String>) -> anyhow::Result<Row> {
    let assessment: Option<Assessment> = assessments::find(reader, report.id).await?;
    let transcript = transcripts::find(reader, report.id).await?;
    let (sound_ms, took_ms) = transcript.map_or((0, 0), |(transcript, took)| (transcript.sound_ms, took));
    // The spool names every message msgNNNN; the caller's name carries the recording's own.
    let recording = report.caller.name.clone().unwrap_or_else(|| report.key.clone());
    Ok(Row {
        sound_seconds: f64::from(sound_ms) / 1000.0,
        seconds_taken: f64::from(u32::try_from(took_ms).unwrap_or(u32::MAX)) / 1000.0,
        verdict: assessment.as_ref().map_or(Verdict::Unclear, |found| found.verdict),
        expected: expected.get(&recording).cloned(),
        callback: assessment.and_then(|found| found.fields.callback),
        recording,
    })
}

fn table(rows: &[Row], say: fn(&str)) {
    say("\nAufnahme       Ton      gebraucht  Prüfung                    Rückruf");
    let mut right = 0;
    for row in rows {
        let mark = match &row.expected {
            Some(expected) if expected == row.verdict.as_str() => {
                right += 1;
                String::new()
            }
            Some(expected) => format!("  (laut Liste: {expected})"),
            None => String::new(),
        };
        say(&format!(
            "{:<12} {:>6.1} s  {:>7.1} s  {:<25}  {}{mark}",
            row.recording,
            row.sound_seconds,
            row.seconds_taken,
            wording::title(row.verdict),
            row.callback.as_deref().unwrap_or("-"),
        ));
    }
    let judged = rows.iter().filter(|row| row.expected.is_some()).count();
    if judged > 0 {
        say(&format!("{right} von {judged} Aufnahmen wie in der Liste."));
    }
}
