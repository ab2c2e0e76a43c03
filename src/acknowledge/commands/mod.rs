//! What a technician may ask for with a "/" in his private chat, and the choices under the answers.
//!
//! Promise: an answer is planned within one short transaction, together with what it says is done; where somebody stands
//! in a dialogue is written in the buttons' data or in the store, so that an old button is either still right or refused.

mod cases;
mod duty;
mod page;
mod pause;
mod probe;
mod swap;
mod swapped;

pub use swapped::SwapStep;

use super::pairing::{self, Guests};
use super::telegram::{Listener, OFFSET, Person};
use super::{Actor, Desk};
use crate::domain::notice::{NoticeKind, Recipient, Said};
use crate::runtime::lifecycle::Lifecycle;
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, marks, notices, people, replies};
use crate::telegram::Bot;
use crate::wording::{self, commands as words};
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use std::time::Duration;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// "/start", with or without a code.
    Start,
    /// "/hilfe"
    Help,
    /// "/dienst": who is on duty?
    Duty,
    /// "/offen": which cases are open?
    Cases,
    /// "/test": a test alarm to me.
    Test,
    /// "/pause": nobody rings me for a while.
    Pause,
    /// "/tausch": a colleague takes a shift of mine.
    Swap,
    /// "/seite": let me into the page.
    Page,
    /// Any other.
    Unknown,
}

impl Command {
    /// Out of a text; `None`: it is no command. Telegram appends "@" and the bot's name in groups.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().strip_prefix('/')?.split_whitespace().next().unwrap_or_default();
        let word = word.split('@').next().unwrap_or_default().to_lowercase();
        Some(match word.as_str() {
            "start" => Self::Start,
            "hilfe" | "help" => Self::Help,
            "dienst" => Self::Duty,
            "offen" => Self::Cases,
            "test" => Self::Test,
            "pause" => Self::Pause,
            "tausch" => Self::Swap,
            "seite" => Self::Page,
            _ => Self::Unknown,
        })
    }
}

/// A button under an answer. Times in its data are minutes since 1970: 64 bytes are few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The test alarm was heard.
    Arrived,
    /// A pause of so many minutes.
    Pause(u32),
    /// A pause until the next 8:00.
    PauseUntilMorning,
    /// The pause ends.
    PauseEnds,
    /// This shift is to be given away.
    Shift(DateTime<Utc>, DateTime<Utc>),
    /// To this colleague.
    Colleague(DateTime<Utc>, DateTime<Utc>, String),
    /// I take the shift (the change's identity).
    Agree(String),
    /// I do not.
    Refuse(String),
    /// I keep it after all.
    Withdraw(String),
}

impl Choice {
    /// As a button's data.
    #[must_use]
    pub fn data(&self) -> String {
        let minutes = |at: &DateTime<Utc>| at.timestamp().div_euclid(60);
        match self {
            Self::Arrived => "test:ok".to_owned(),
            Self::Pause(minutes) => format!("pause:{minutes}"),
            Self::PauseUntilMorning => "pause:morning".to_owned(),
            Self::PauseEnds => "pause:end".to_owned(),
            Self::Shift(from, until) => format!("swap:{}:{}", minutes(from), minutes(until)),
            Self::Colleague(from, until, name) => format!("swap:{}:{}:{name}", minutes(from), minutes(until)),
            Self::Agree(id) => format!("swapyes:{id}"),
            Self::Refuse(id) => format!("swapno:{id}"),
            Self::Withdraw(id) => format!("swapback:{id}"),
        }
    }

    /// Out of a button's data.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        let (word, rest) = data.split_once(':')?;
        let at = |text: &str| {
            let minutes: i64 = text.parse().ok()?;
            DateTime::from_timestamp(minutes.checked_mul(60)?, 0)
        };
        match (word, rest) {
            ("test", "ok") => Some(Self::Arrived),
            ("pause", "morning") => Some(Self::PauseUntilMorning),
            ("pause", "end") => Some(Self::PauseEnds),
            ("pause", minutes) => {
                let offered = |minutes: &u32| pause::HOURS.iter().any(|hours| hours * 60 == *minutes);
                minutes.parse().ok().filter(offered).map(Self::Pause)
            }
            ("swap", times) => {
                let mut parts = times.splitn(3, ':');
                let (from, until) = (at(parts.next()?)?, at(parts.next()?)?);
                let shift = || Some(Self::Shift(from, until));
                // whatever somebody makes up: a plan is laid out for some days, not for centuries
                let sane = from < until && until - from <= LONGEST_SHIFT && until.year() < 2500;
                sane.then_some(())?;
                parts.next().map_or_else(shift, |name| Some(Self::Colleague(from, until, name.to_owned())))
            }
            ("swapyes", id) => Some(Self::Agree(id.to_owned())),
            ("swapno", id) => Some(Self::Refuse(id.to_owned())),
            ("swapback", id) => Some(Self::Withdraw(id.to_owned())),
            _ => None,
        }
    }

    fn key(&self, label: impl Into<String>) -> (String, String) {
        (label.into(), self.data())
    }
}

/// No longer time is offered to be swapped (`swap::shifts_of`).
const LONGEST_SHIFT: TimeDelta = TimeDelta::days(14);

/// Tells Telegram which commands there are, until it knows; then waits for the service's end. `page`: there is a page.
pub async fn name_commands(bot: Bot, page: bool, lifecycle: Lifecycle) {
    let commands: Vec<_> = words::commands(page).collect();
    let mut pause = Duration::from_secs(1);
    while let Some(Err(error)) = lifecycle.unless_stopped(bot.commands_set(&commands)).await {
        tracing::warn!(%error, "could not tell Telegram the commands; trying again");
        lifecycle.unless_stopped(tokio::time::sleep(pause)).await;
        pause = (pause * 2).min(Duration::from_mins(10));
    }
    lifecycle.stopping().await;
}

impl Listener {
    /// Somebody writes a command.
    pub(super) async fn command(
        &self,
        guests: &Guests,
        next: i64,
        by: Person,
        command: Command,
        text: &str,
    ) -> Result<(), StoreError> {
        let technician = self.technician(by).await?;
        if !by.is_private() {
            return self.in_group(guests, next, by, (command, text), technician.is_some()).await;
        }
        if command == Command::Start
            && let Some(code) = pairing::code_in(text)
        {
            return self.pair(guests, next, by, &code).await;
        }
        let Some(name) = technician else { return self.guest(guests, next, by).await };
        let actor = Actor { name, chat: by.chat };
        let said = self.desk.look(&actor, command).await?;
        let mut tx = self.desk.store.begin().await?;
        match said {
            Some(said) => self.desk.reply(&mut tx, &actor, &said).await?,
            None if command == Command::Page => self.desk.let_into_page(&mut tx, &actor).await?,
            None => self.desk.test_alarm(&mut tx, &actor).await?,
        }
        marks::put(&mut tx, OFFSET, next).await?;
        tx.commit().await?;
        self.desk.ring();
        Ok(())
    }

    /// In a group nothing is said of cases and duties; other bots' commands are none of our business.
    async fn in_group(
        &self,
        guests: &Guests,
        next: i64,
        by: Person,
        (command, text): (Command, &str),
        known: bool,
    ) -> Result<(), StoreError> {
        let code = pairing::code_in(text).filter(|_| command == Command::Start);
        let meant = command == Command::Start || (known && command != Command::Unknown);
        let now = self.desk.clock.now();
        if let Some(code) = code {
            let mut tx = self.desk.store.begin().await?;
            self.shown_in_group(&mut tx, &code).await?;
            tx.commit().await?;
        }
        let said = (meant && guests.may_be_answered(by.user, now)).then(words::not_here);
        self.say_to_guest(next, by, said).await
    }
}

impl Desk {
    /// The answer to a command that changes nothing; `None`: it does something.
    async fn look(&self, actor: &Actor, command: Command) -> Result<Option<Said>, StoreError> {
        Ok(Some(match command {
            Command::Start | Command::Help => Said::only(words::help(&actor.name, self.settings.web.is_some())),
            Command::Duty => self.on_duty(&actor.name).await?,
            Command::Cases => self.open_cases(&actor.name).await?,
            Command::Pause => self.pause_menu(&actor.name).await?,
            Command::Swap => self.my_shifts(&actor.name),
            Command::Page if self.settings.web.is_none() => Said::only(words::not_understood()),
            Command::Unknown => Said::only(words::not_understood()),
            Command::Test | Command::Page => return Ok(None),
        }))
    }

    /// Does what a choice under an answer means; what is said to the one who pressed.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub(super) async fn chose(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
        choice: &Choice,
    ) -> Result<String, StoreError> {
        match choice {
            Choice::Arrived => self.test_arrived(tx, actor, message).await,
            Choice::Pause(minutes) => {
                let until = self.clock.now() + TimeDelta::minutes(i64::from(*minutes));
                self.begin_pause(tx, actor, message, until).await
            }
            Choice::PauseUntilMorning => {
                let until = pause::morning_after(self.clock.now(), self.settings.business_hours().zone);
                self.begin_pause(tx, actor, message, until).await
            }
            Choice::PauseEnds => self.end_pause(tx, actor, message).await,
            Choice::Shift(from, until) => self.choose_colleague(tx, actor, message, (*from, *until)).await,
            Choice::Colleague(from, until, name) => self.ask_colleague(tx, actor, message, (*from, *until), name).await,
            Choice::Agree(id) => self.agree_swap(tx, actor, id).await,
            Choice::Refuse(id) => self.refuse_swap(tx, actor, id).await,
            Choice::Withdraw(id) => self.withdraw_swap(tx, actor, id).await,
        }
    }

    /// Answers with buttons, silently.
    async fn reply(&self, tx: &mut Tx, actor: &Actor, said: &Said) -> Result<(), StoreError> {
        let plan = Plan { body: Some(said.body()), ..Plan::new(NoticeKind::Reply, &actor.name, actor.chat) };
        notices::plan(tx, &plan, self.clock.now()).await.map(drop)
    }

    /// The answer whose button was pressed says something else from now on; where it is gone, a new one does.
    async fn answer_turns(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
        said: &Said,
    ) -> Result<(), StoreError> {
        let pressed = match message {
            Some(message) => replies::pressed(tx, actor.chat, message).await?,
            None => None,
        };
        match pressed.filter(|notice| notice.kind == NoticeKind::Reply) {
            Some(notice) => replies::becomes(tx, notice.id, NoticeKind::Reply, &said.body(), self.clock.now()).await,
            None => self.reply(tx, actor, said).await,
        }
    }

    /// Tells somebody something; loud, over his other ways too.
    async fn tell(&self, tx: &mut Tx, to: &Recipient, text: &str, loud: bool) -> Result<(), StoreError> {
        people::text(tx, to, text, loud, self.clock.now()).await
    }

    /// Tells the office something, silently.
    pub(super) async fn tell_office(&self, tx: &mut Tx, text: &str) -> Result<(), StoreError> {
        match self.roster.last_known(self.clock.now()).office() {
            Some(office) => self.tell(tx, office, text, false).await,
            None => Ok(()),
        }
    }
}

/// What of an answer fits into the little one to a press.
fn head(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The little answer to a press on something that is no longer there.
fn gone() -> String {
    wording::unknown_button().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_as_people_and_telegram_write_it() {
        for (text, command) in [
            ("/dienst", Some(Command::Duty)),
            ("/Dienst@nachtwache_bot jetzt", Some(Command::Duty)),
            (" /start ABCD", Some(Command::Start)),
            ("/help", Some(Command::Help)),
            ("/seite", Some(Command::Page)),
            ("/", Some(Command::Unknown)),
            ("dienst", None),
            ("", None),
        ] {
            assert_eq!(Command::parse(text), command, "{text:?}");
        }
    }

    #[test]
    fn a_choice_fits_into_a_button_and_comes_back() {
        let from: DateTime<Utc> = "2026-11-23T07:00:00Z".parse().unwrap();
        let until = from + TimeDelta::days(7);
        let id = "019e6f2a-0c1f-7c35-9d0e-0f5f5a1f2b3c".to_owned();
        for choice in [
            Choice::Arrived,
            Choice::Pause(120),
            Choice::PauseUntilMorning,
            Choice::PauseEnds,
            Choice::Shift(from, until),
            Choice::Colleague(from, until, "N".repeat(40)),
            Choice::Agree(id.clone()),
            Choice::Refuse(id.clone()),
            Choice::Withdraw(id),
        ] {
            let data = choice.data();
            assert!(data.len() <= 64, "{data}");
            assert_eq!(Choice::parse(&data), Some(choice));
        }
        for odd in [
            "pause:7",
            "pause:119",
            "swap:2:1",
            "swap:x:y",
            "swap:0:900000000",
            "swap:900000000:900000001",
            "swap:1",
            "test:no",
            "swapyes",
        ] {
            assert_eq!(Choice::parse(odd), None, "{odd}");
        }
    }
}
