//! `nachtwache check`: the doctor. One line each: what, well or not, and what to do.

use crate::config::{ConfigError, Settings, SourceRow};
use crate::intake::source::Said;
use crate::roster::Duty;
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::{Store, phones};
use crate::transcribe::{cpu, models, whisper};
use std::path::Path;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, serde::Serialize)]
struct Line {
    what: String,
    well: bool,
    says: String,
}

impl Line {
    fn of(what: impl Into<String>, result: Result<String, String>) -> Self {
        let well = result.is_ok();
        Self { what: what.into(), well, says: result.unwrap_or_else(|error| error) }
    }
}

/// What `run` cannot do without.
pub(super) fn fit_to_run(settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(!settings.technicians.is_empty(), "there is no [[technicians]]: nobody could be woken; add one");
    anyhow::ensure!(!settings.sources.is_empty(), "there is no [[sources]]: no mailbox is watched; add one");
    Ok(())
}

pub(super) async fn check(path: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    let lines = examine(path).await;
    let well = lines.iter().all(|line| line.well);
    if options.json {
        super::say_json(&serde_json::json!({ "well": well, "lines": lines }))?;
    } else {
        for line in &lines {
            super::say(&format!("{}  {}: {}", if line.well { "ok  " } else { "FAIL" }, line.what, line.says));
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(path: &Path) -> Vec<Line> {
    let loaded = Settings::load(path);
    let mut lines = vec![Line::of(
        "settings",
        loaded.as_ref().map(|_| path.display().to_string()).map_err(|error: &ConfigError| error.to_string()),
    )];
    let Ok(settings) = loaded else { return lines };
    lines
        .push(Line::of("people", fit_to_run(&settings).map(|()| people(&settings)).map_err(|error| error.to_string())));
    let store = match database(&settings).await {
        Ok(store) => {
            lines.push(Line::of("database", Ok(format!("whole, in {}", settings.store.folder.display()))));
            Some(store)
        }
        Err(error) => {
            lines.push(Line::of("database", Err(error)));
            None
        }
    };
    let rules = run::rules(&settings).map(|rules| format!("version {}", rules.version()));
    lines.push(Line::of("rules", rules.map_err(|error| format!("{error:#}"))));
    lines.push(Line::of("recogniser", cpu::fits().map(|()| whisper::built_with())));
    lines.push(Line::of("model", model(&settings.transcribe.model)));
    lines.extend(
        settings.transcribe.confirm_model.as_ref().map(|larger| Line::of("model of the second hearing", model(larger))),
    );
    // without the store it is not known which phones are paired
    let mut duty = None;
    if let Some(store) = store {
        match ways_to_people(&settings, &store).await {
            Ok(known) => {
                lines.extend(reached(&known));
                duty = Some(known);
            }
            Err(error) => lines.push(Line::of("paired phones", Err(error))),
        }
        for row in &settings.sources {
            let said = mailbox(row, &settings, &store).await;
            lines.extend(said.into_iter().map(|said| Line::of(format!("mailbox {}", row.name()), said)));
        }
        store.close().await;
    }
    ways(&settings, &mut lines).await;
    let duty = duty.unwrap_or_else(|| by(&settings, &[]));
    telegram(&settings, &duty, &mut lines).await;
    lines
}

/// The ways to everybody, by these phones; who is on duty is not asked.
fn by(settings: &Settings, phones: &[phones::Phone]) -> Duty {
    Duty::by(settings, &settings.plan(&[], Vec::new()), phones, SystemClock.now())
}

async fn ways_to_people(settings: &Settings, store: &Store) -> Result<Duty, String> {
    let mut reader = store.read().await.map_err(|error| error.to_string())?;
    let phones = phones::all(&mut reader).await.map_err(|error| error.to_string())?;
    Ok(by(settings, &phones))
}

/// Who cannot be woken, and who only by one way.
fn reached(duty: &Duty) -> Vec<Line> {
    let mut lines = Vec::new();
    for one in duty.people() {
        let invite = format!("`nachtwache technician invite {}`", one.name);
        let says = match (one.chat, one.channels.len()) {
            (None, 0) => Err(format!("reached by no way; {invite}")),
            (Some(_), 0) => Ok("no second way beside Telegram; name one in technicians.channels".to_owned()),
            (None, 1) => Ok(format!("no second way, and cannot take a case; {invite}")),
            _ => continue,
        };
        lines.push(Line::of(one.name.clone(), says));
    }
    if duty.recipients(&["everyone", "office"]).is_empty() {
        let remedy = "pair a phone with `nachtwache technician invite NAME`, or name technicians.channels";
        lines.push(Line::of("anybody", Err(format!("nobody at all can be woken; {remedy}"))));
    }
    lines
}

fn people(settings: &Settings) -> String {
    format!("{} technicians", settings.technicians.len())
}

async fn database(settings: &Settings) -> Result<Store, String> {
    let store = run::open_store(settings).await.map_err(|error| format!("{error:#}"))?;
    store.check().await.map_err(|error| error.to_string())?;
    Ok(store)
}

fn model(path: &Path) -> Result<String, String> {
    let checked = models::verify(path)
        .map_err(|error| format!("{error}; `nachtwache models list` names those that can be fetched"))?;
    match checked.known {
        Some(name) => Ok(format!("{name}, {} bytes", checked.bytes)),
        None => Ok(format!("{}: not a published model, its header is right", path.display())),
    }
}

/// The ways beside Telegram: mail server, channels, heartbeat. Nobody is told anything.
async fn ways(settings: &Settings, lines: &mut Vec<Line>) {
    if let Some(smtp) = &settings.smtp {
        let found = run::examine_smtp(settings).await.unwrap_or(Ok(()));
        let found = found.map(|()| smtp.host.clone());
        lines.push(Line::of("mail server", found.map_err(|error| format!("{}: {error}; look at [smtp]", smtp.host))));
    }
    if let Some(found) = run::examine_certificate(settings) {
        lines.push(Line::of("page", found.map(|()| "its certificate can be used".to_owned())));
    }
    match run::examine_channels(settings).await {
        Ok(found) => lines.extend(found.into_iter().map(|(name, found)| {
            let found = found.map(|()| "answers; nobody was told".to_owned());
            Line::of(format!("channel {name}"), found.map_err(|error| format!("{error}; look at [[channels]]")))
        })),
        Err(error) => lines.push(Line::of("channels", Err(error))),
    }
    if let Some(found) = run::examine_heartbeat(settings).await {
        let found = found.map(|()| "its host answers".to_owned());
        lines.push(Line::of("heartbeat", found.map_err(|error| format!("{error}; look at [heartbeat]"))));
    }
}

/// What each source says of itself.
async fn mailbox(row: &SourceRow, settings: &Settings, store: &Store) -> Vec<Said> {
    match run::source(row, settings, store) {
        Ok(Some(mut source)) => source.examine().await,
        Ok(None) => run::says(row, settings),
        Err(error) => vec![Err(format!("{error:#}"))],
    }
}

async fn telegram(settings: &Settings, duty: &Duty, lines: &mut Vec<Line>) {
    let bot = match run::bot(settings) {
        Ok(bot) => bot,
        Err(error) => return lines.push(Line::of("Telegram", Err(format!("{error:#}")))),
    };
    let me = bot.me().await.map(|me| format!("@{}", me.username));
    lines.push(Line::of(
        "Telegram",
        me.map_err(|error| format!("{error}; is telegram.token right, is the network there?")),
    ));
    let chats = duty.people().iter().chain(duty.office()).filter_map(|one| Some((&one.name, one.chat?)));
    for (name, chat) in chats {
        let found = bot.chat(chat).await;
        let hint = |error| {
            format!("{error}; has {name} pressed Start in the chat with the bot (or was the bot added to the group)?")
        };
        lines.push(Line::of(format!("chat of {name}"), found.map(|chat| chat.kind).map_err(hint)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(people: &str, phones: &[phones::Phone]) -> Vec<String> {
        let settings = Settings::parse(people).unwrap();
        let line = |line: Line| format!("{} {}: {}", line.well, line.what, line.says);
        reached(&by(&settings, phones)).into_iter().map(line).collect()
    }

    #[test]
    fn whoever_is_reached_by_no_way_is_named_with_the_remedy() {
        let smtp = "[smtp]\nhost = \"smtp.example.de\"\nfrom = \"a@example.de\"\n\
                    [[channels]]\nkind = \"mail\"\nname = \"mail\"\nto = \"anna@example.de\"\n";
        let anna = "[[technicians]]\nname = \"Anna\"\n";
        let nobody = told(anna, &[]);
        assert_eq!(nobody[0], "false Anna: reached by no way; `nachtwache technician invite Anna`");
        assert!(nobody[1].starts_with("false anybody: nobody at all can be woken"), "{nobody:?}");

        let two = format!("{anna}[[technicians]]\nname = \"Bernd\"\ntelegram_chat = 2\nchannels = [\"mail\"]\n{smtp}");
        assert_eq!(told(&two, &[]), [nobody[0].clone()], "Bernd has two ways");

        let phone =
            phones::Phone { technician: "Anna".into(), chat: 1, user: 1, paired_at: chrono::DateTime::UNIX_EPOCH };
        let paired = told(&two, &[phone]);
        assert_eq!(paired, ["true Anna: no second way beside Telegram; name one in technicians.channels"]);
        let mail = told(&format!("{anna}channels = [\"mail\"]\n{smtp}"), &[]);
        assert!(mail[0].starts_with("true Anna: no second way"), "{mail:?}");
        assert_eq!(mail.len(), 1);
    }
}
