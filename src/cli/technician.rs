//! `nachtwache technician`: pair a phone by a one-time code, see how everybody is reached, take a phone off.

use super::roster::shown;
use super::roster_change::known;
use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::roster::Roster;
use crate::run;
use crate::runtime::clock::{Clock as _, SystemClock};
use crate::store::accounts::{self, Purpose};
use crate::store::phones::{self, Phone};
use crate::store::{Store, events, sessions};
use anyhow::Context as _;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Make a one-time code that pairs a technician's phone
    #[command(
        after_help = "Example:\n  nachtwache technician invite Anna\n  nachtwache technician invite Anna --hours 2 --json"
    )]
    Invite(InviteOptions),
    /// Say how each technician is reached, and who is on duty
    #[command(after_help = "Example:\n  nachtwache technician list\n  nachtwache technician list --json")]
    List(ListOptions),
    /// Take a technician's paired phone off: lost, or somebody else's now
    #[command(after_help = "Example:\n  nachtwache technician unpair Anna")]
    Unpair(UnpairOptions),
}

#[derive(Debug, clap::Args)]
pub(super) struct InviteOptions {
    /// The technician's name in the settings
    name: String,
    /// For how many hours the code is valid
    #[arg(long, default_value_t = 24, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=720))]
    hours: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListOptions {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct UnpairOptions {
    /// The technician's name in the settings
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a code is made of: no letter that is taken for another. 32 of them, 5 bits each.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 60 random bits.
const LENGTH: usize = 12;

pub(super) async fn technician(settings: Settings, options: Options) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!settings.technicians.is_empty(), "there is no [[technicians]]: nobody can be invited; add one");
    match options {
        Options::Invite(options) => invite(&settings, &options).await,
        Options::List(options) => list(Arc::new(settings), &options).await,
        Options::Unpair(options) => unpair(&settings, &options).await,
    }
}

async fn invite(settings: &Settings, options: &InviteOptions) -> anyhow::Result<ExitCode> {
    let name = known(settings, &options.name)?;
    let code = code();
    let now = SystemClock.now();
    let until = now + TimeDelta::hours(options.hours);
    let store = run::open_store(settings).await?;
    let mut tx = store.begin().await?;
    phones::invite(&mut tx, &name, &code, now, until).await?;
    let event = Event::new(now, EventKind::Paired, format!("{name}: invited until {until}"));
    events::append(&mut tx, &event).await?;
    tx.commit().await.context("could not note the invitation")?;
    store.close().await;
    let shown_code = grouped(&code);
    let bot = match run::bot(settings) {
        Ok(bot) => bot.me().await.map(|me| me.username).map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    let link = bot.as_ref().ok().map(|bot| format!("https://t.me/{bot}?start={shown_code}"));
    if options.json {
        super::say_json(&json!({
            "technician": name, "code": shown_code, "until": until, "bot": bot.as_ref().ok(), "link": link,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let until = shown(settings.business_hours().zone, until);
    super::say(&format!("Invitation for {name}, valid once, until {until}. {name}, on the phone that is to ring:"));
    match (&bot, &link) {
        (Ok(bot), Some(link)) => {
            super::say(&format!("  open {link} and press \"Start\","));
            super::say(&format!("  or write to @{bot} in Telegram: /start {shown_code}"));
        }
        (Err(error), _) | (Ok(error), None) => {
            super::say(&format!("  write to the bot in Telegram: /start {shown_code}"));
            super::say(&format!("note: the bot's name is not known: {error}"));
        }
    }
    super::say("Whoever has the code gets the alarms: hand it over yourself. Earlier codes are no longer valid.");
    Ok(ExitCode::SUCCESS)
}

/// A code from the operating system's randomness.
fn code() -> String {
    let bytes = Uuid::new_v4().into_bytes();
    // the bytes 6 and 8 hold the version and the variant: they are not all random
    let random = bytes.iter().enumerate().filter(|(at, _)| !matches!(at, 6 | 8)).map(|(_, byte)| byte);
    random.take(LENGTH).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// "ABCD-EFGH-JKLM"
fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

async fn list(settings: Arc<Settings>, options: &ListOptions) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let (phones, order) = if run::has_store(&settings) {
        let store = run::existing_store(&settings).await?;
        let mut reader = store.read().await?;
        let phones = phones::all(&mut reader).await?;
        let order = Roster::new(settings.clone()).at(&mut reader, now).await?.order().to_vec();
        drop(reader);
        store.close().await;
        (phones, order)
    } else {
        (Vec::new(), settings.plan(&[], Vec::new()).at(now).order)
    };
    let people: Vec<Reached> = settings
        .technicians
        .iter()
        .map(|one| Reached {
            name: &one.name,
            phone: phones.iter().find(|phone| phone.technician == one.name),
            by_settings: one.telegram_chat.is_some(),
            channels: &one.channels,
            place: order.iter().position(|name| *name == one.name),
        })
        .collect();
    if options.json {
        super::say_json(&people.iter().map(Reached::as_json).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let zone = settings.business_hours().zone;
    let width = people.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    for one in &people {
        let paired = one.phone.map(|phone| format!(", paired {}", shown(zone, phone.paired_at))).unwrap_or_default();
        let (name, duty, ways) = (one.name, one.duty(), one.ways());
        let ways = if ways.is_empty() { "NOT REACHED: invite".to_owned() } else { ways.join(", ") };
        super::say(&format!("{name:<width$}  {duty:<6}  {ways}{paired}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// How a technician is reached.
struct Reached<'a> {
    name: &'a str,
    phone: Option<&'a Phone>,
    by_settings: bool,
    channels: &'a [String],
    /// In the order of duty, from 0.
    place: Option<usize>,
}

impl Reached<'_> {
    fn duty(&self) -> &'static str {
        match self.place {
            Some(0) => "duty",
            Some(1) => "backup",
            _ => "-",
        }
    }

    fn ways(&self) -> Vec<&str> {
        let telegram = (self.phone.is_some() || self.by_settings).then_some("telegram");
        telegram.into_iter().chain(self.channels.iter().map(String::as_str)).collect()
    }

    fn as_json(&self) -> Value {
        json!({
            "name": self.name, "paired": self.phone.is_some(), "paired_at": self.phone.map(|phone| phone.paired_at),
            "telegram_in_settings": self.by_settings, "ways": self.ways(), "duty": self.place == Some(0),
            "backup": self.place == Some(1),
        })
    }
}

async fn unpair(settings: &Settings, options: &UnpairOptions) -> anyhow::Result<ExitCode> {
    let name = known(settings, &options.name)?;
    let store = run::existing_store(settings).await?;
    let done = take_off(&store, &name).await?;
    store.close().await;
    anyhow::ensure!(done, "no phone is paired with {name}; `nachtwache technician list` says how each is reached");
    let in_settings = settings.technicians.iter().find(|one| one.name == name);
    let again = in_settings.is_some_and(|one| one.telegram_chat.is_some());
    if options.json {
        super::say_json(&json!({ "technician": name, "paired": false, "telegram_in_settings": again }))?;
        return Ok(ExitCode::SUCCESS);
    }
    super::say(&format!(
        "{name}'s phone is no longer told of anything, and {name} is logged out of the page everywhere"
    ));
    if again {
        super::say(&format!("note: the chat in the settings (telegram_chat) counts for {name} again"));
    } else {
        super::say(&format!("note: {name} is not reached by Telegram now; `nachtwache technician invite {name}`"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn take_off(store: &Store, name: &str) -> anyhow::Result<bool> {
    let mut tx = store.begin().await?;
    let done = phones::unpair(&mut tx, name).await?;
    if done {
        let event = Event::new(SystemClock.now(), EventKind::Paired, format!("{name}: the phone was taken off"));
        events::append(&mut tx, &event).await?;
        // whoever has the phone may be inside by it, or hold a link from it
        if let Some(account) = accounts::of_technician(tx.reading(), name).await? {
            accounts::unlink(&mut tx, account.id, Purpose::Enter).await?;
            sessions::end_all(&mut tx, account.id).await?;
        }
    }
    tx.commit().await.context("could not take the phone off")?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_easy_to_type_and_never_the_same() {
        let codes: std::collections::HashSet<String> = (0..1000).map(|_| code()).collect();
        assert_eq!(codes.len(), 1000);
        for code in &codes {
            assert!(code.len() == LENGTH && code.bytes().all(|letter| LETTERS.contains(&letter)), "{code}");
        }
        let used: std::collections::HashSet<u8> = codes.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(used.len(), LETTERS.len(), "all letters come up");
        assert_eq!(grouped("ABCDEFGH2345"), "ABCD-EFGH-2345");
    }
}
