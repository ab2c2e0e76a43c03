//! A story against the world.

use super::parse::{How, PEOPLE, Step, Story, What};
use crate::fake_bot::{Fault, Shown};
use crate::hosted::web::{Reply, Web};
use crate::world::{World, spoken};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use nachtwache::acknowledge::telegram::Listener;
use nachtwache::domain::case::{Case, CaseId, CaseState};
use nachtwache::domain::report::{Caller, ReportId};
use nachtwache::domain::roster::{Change, ChangeKind, instant};
use nachtwache::roster::Roster;
use nachtwache::runtime::clock::Clock as _;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use nachtwache::runtime::worker::Step as _;
use nachtwache::store::roster::ChangeState;
use nachtwache::store::{cases, charges, marks, paths, roster};
use nachtwache::telegram::Limits;
use sqlx::{AnyConnection, Connection as _, Row as _};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::time::Duration;

/// Who is told when, unless the story has policies of its own.
const POLICIES: &str = r#"
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
hours = "outside"
steps = [
    { after_min = 0, tell = ["duty"], repeat_every_min = 5 },
    { after_min = 12, tell = ["backup"], repeat_every_min = 5 },
    { after_min = 20, tell = ["everyone"], repeat_every_min = 10 },
]
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
hours = "inside"
steps = [{ after_min = 0, tell = ["office"], repeat_every_min = 10 }, { after_min = 20, tell = ["office", "duty"], repeat_every_min = 10 }]
"#;

/// The longest time in one go where nothing is due.
const STEP_S: i64 = 300;

/// Something that came onto a phone.
struct Told {
    at: i64,
    who: String,
    how: How,
    text: String,
}

pub(crate) struct Play {
    world: World,
    web: Web,
    db: AnyConnection,
    /// Seconds since the beginning, by a clock that is never set.
    at: i64,
    told: Vec<Told>,
    /// Messages of each chat that were looked at, and requests to the push server.
    seen: HashMap<i64, usize>,
    pushes: usize,
    heard: HashMap<String, String>,
    left: Option<ReportId>,
    answers: bool,
    up: bool,
    unanswered: Vec<String>,
    calls: u32,
}

type Held = Result<(), String>;

fn chat_of(who: &str) -> i64 {
    match PEOPLE.iter().position(|name| *name == who).expect("the parser knows everybody") {
        3 => crate::world::OFFICE,
        place => 101 + i64::try_from(place).unwrap(),
    }
}

fn proper(who: &str) -> String {
    let mut name = who.to_owned();
    name[..1].make_ascii_uppercase();
    name
}

fn clock(seconds: i64) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl Play {
    /// Tells a story; what is not so.
    pub(crate) async fn of(story: &Story) -> Held {
        let web = Web::start().await;
        web.on("push", Reply::Json("{}".into()));
        let start = NaiveDateTime::parse_from_str(&story.night, "%Y-%m-%d %H:%M").map_err(|_| "night: no time")?;
        let start = instant(chrono_tz::Europe::Berlin, start).to_rfc3339();
        let world = World::by(&start, None, &settings(story, &web)).await;
        let db = AnyConnection::connect(world.url()).await.unwrap();
        let mut play = Self {
            world,
            web,
            db,
            at: 0,
            told: Vec::new(),
            seen: HashMap::new(),
            pushes: 0,
            heard: HashMap::new(),
            left: None,
            answers: true,
            up: true,
            unanswered: Vec::new(),
            calls: 0,
        };
        let mut before = (0, 0);
        for step in &story.steps {
            let done = play.one(step, before).await;
            done.map_err(|why| format!("line {}: {}\n  {why}\n{}", step.line, step.text, play.story()))?;
            before = (play.at, play.told.len());
        }
        Ok(())
    }

    fn story(&self) -> String {
        let mut lines = String::from("  what happened:");
        for Told { at, who, how, text } in &self.told {
            let head = text.lines().next().unwrap_or_default();
            let how = format!("{how:?}").to_lowercase();
            write!(lines, "\n    {} {who} {how}: {head}", clock(*at)).unwrap();
        }
        lines
    }

    async fn one(&mut self, step: &Step, (since, known): (i64, usize)) -> Held {
        if let What::Nothing = step.what {
            self.run_to(step.at - 1).await;
            let loud = self.told.iter().skip(known).find(|told| told.how != How::Silently && told.at > since);
            return loud.map_or(Ok(()), |told| Err(format!("{} was told at {}", told.who, clock(told.at))));
        }
        self.run_to(step.at).await;
        match &step.what {
            What::Told { .. }
            | What::NotTold(_)
            | What::Times { .. }
            | What::Shows { .. }
            | What::Hears { .. }
            | What::Case { .. }
            | What::Charge(_) => self.must_be(&step.what).await,
            what => {
                self.happens(what).await?;
                if self.up {
                    self.tick().await;
                }
                self.collect();
                Ok(())
            }
        }
    }

    async fn run_to(&mut self, until: i64) {
        while self.at < until {
            let left = until - self.at;
            let step = if self.up { self.next_due().await.clamp(1, STEP_S).min(left) } else { left };
            self.world.clock.advance(TimeDelta::seconds(step));
            self.at += step;
            if self.up {
                self.tick().await;
            }
            self.collect();
        }
    }

    /// In how many seconds something is due.
    async fn next_due(&mut self) -> i64 {
        const DUE: &str = "SELECT MIN(due) AS due FROM (SELECT MIN(due_at) AS due FROM cases UNION ALL SELECT MIN(due_at) FROM \
             notices UNION ALL SELECT MIN(second_at) FROM notices UNION ALL SELECT MIN(unheard_at) FROM reports) AS all_due";
        let row = sqlx::query(DUE).fetch_one(&mut self.db).await.unwrap();
        let due: Option<i64> = row.try_get("due").unwrap();
        let Some(due) = due.and_then(DateTime::<Utc>::from_timestamp_millis) else { return STEP_S };
        let wait = due - self.world.clock.now();
        // what was due and could not be done is looked at again soon
        if wait <= TimeDelta::zero() { 20 } else { (wait + TimeDelta::milliseconds(999)).num_seconds() }
    }

    /// Everything the service does at a moment.
    async fn tick(&mut self) {
        let error = (!self.answers).then_some("fails");
        let mut tx = self.world.store.begin().await.unwrap();
        paths::tried(&mut tx, paths::TELEGRAM, error, self.world.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        self.world.audit().tick().await.unwrap();
        self.world.paths().tick().await.unwrap();
        self.world.settle().await;
    }

    /// What came onto phones since.
    fn collect(&mut self) {
        for who in PEOPLE {
            let messages = self.world.bot.messages(chat_of(who));
            let seen = self.seen.entry(chat_of(who)).or_default();
            for shown in messages.iter().skip(*seen) {
                let how = match () {
                    () if shown.silent => How::Silently,
                    () if shown.text.contains("RÜCKRUF ÜBERFÄLLIG") => How::Reminded,
                    () if shown.text.contains("möchte dir Vorgang") => How::Asked,
                    () if shown.text.to_uppercase().contains("NACH EINER STÖRUNG") => How::List,
                    () => How::Loudly,
                };
                self.told.push(Told { at: self.at, who: who.to_owned(), how, text: shown.text.clone() });
            }
            *seen = messages.len();
        }
        let pushes = self.web.seen();
        for push in pushes.iter().skip(self.pushes).filter(|push| push.line.contains("/push/")) {
            let who = PEOPLE.iter().find(|who| push.line.contains(&format!("/push/{who}"))).unwrap_or(&"?");
            self.told.push(Told { at: self.at, who: (*who).to_owned(), how: How::Push, text: push.body.clone() });
        }
        self.pushes = pushes.len();
    }

    async fn happens(&mut self, what: &What) -> Held {
        match what {
            What::Says { text, line } => self.call(text, line.as_deref()).await,
            What::Leaves => self.left = Some(self.world.call().await),
            What::WordsArrive(text) => {
                let report = self.left.take().ok_or("nobody left a message")?;
                self.world.transcribed(report, &spoken(text)).await;
            }
            What::Block(people) => {
                for who in people {
                    self.world.bot.fail_always_in(chat_of(who), "*", Fault::Blocked403);
                }
            }
            What::Telegram(how) => self.telegram(how)?,
            What::PushRefuses => {
                self.web.clear();
                self.web.on("push", Reply::Status(404));
            }
            What::Stops => self.up = false,
            What::Starts => self.start().await,
            What::Clock(minutes) => self.world.clock.advance(TimeDelta::minutes(*minutes)),
            What::Instead { who, of, until } => {
                let kind = ChangeKind::Override { replaces: Some(proper(of)) };
                self.change(kind, who, *until).await;
            }
            What::Away { who, until } => self.change(ChangeKind::Absence, who, *until).await,
            by_people => self.somebody_does(by_people).await?,
        }
        Ok(())
    }

    /// On a phone.
    async fn somebody_does(&mut self, what: &What) -> Held {
        match what {
            What::Presses { who, label, case, office } => {
                let chat = if *office { chat_of("office") } else { chat_of(who) };
                let message = self.button(chat, label, *case)?;
                self.press(who, chat, message, label).await;
            }
            What::PressesOld { who, data } => {
                let messages = self.world.bot.messages(chat_of(who));
                let first = messages.iter().find(|shown| shown.file.is_none()).ok_or("nothing to press on")?;
                let callback = self.world.bot.press_forged(chat_of(who), first.id, data, chat_of(who));
                self.unanswered.push(callback.clone());
                self.listen().await;
                self.hear(who, &callback);
            }
            What::AtOnce { one, other, label } => {
                let mut callbacks = Vec::new();
                for who in [one, other] {
                    let message = self.button(chat_of(who), label, None)?;
                    callbacks.push(self.world.bot.press(chat_of(who), message, label, chat_of(who)));
                }
                self.unanswered.extend(callbacks.clone());
                self.listen().await;
                for (who, callback) in [one, other].into_iter().zip(callbacks) {
                    self.hear(who, &callback);
                }
            }
            What::Writes { who, text } => {
                let message = self.last_message(who)?;
                self.world.bot.answer_from(chat_of(who), chat_of(who), message, text);
                self.read_answer().await;
            }
            What::Speaks(who) => {
                let message = self.last_message(who)?;
                self.world.bot.voice_from(chat_of(who), chat_of(who), b"OggS", 7, Some(message));
                self.read_answer().await;
            }
            _ => unreachable!("it is looked at, it does not happen"),
        }
        Ok(())
    }

    async fn call(&mut self, text: &str, line: Option<&str>) {
        self.calls += 1;
        let mut arrival = self.world.arrival(100 + self.calls);
        if let Some(line) = line {
            arrival.mailbox = Some(line.to_owned());
        }
        // another caller calls from another number
        if text.contains("Vogt") {
            arrival.caller = Caller { number: Some("09721555031".into()), name: None };
        }
        let report = self.world.desk().accept(arrival).await.unwrap().id;
        if self.up {
            self.world.settle().await;
        }
        self.world.transcribed(report, &spoken(text)).await;
    }

    fn telegram(&mut self, how: &str) -> Held {
        let bot = &self.world.bot;
        match how {
            "works" => {
                bot.heal();
                self.answers = true;
                self.world.limits = Limits { pace: false, ..Limits::default() };
            }
            "fails" => {
                bot.fail_always("*", Fault::BadGatewayHtml);
                self.answers = false;
            }
            "hangs" => {
                let short = Duration::from_millis(300);
                self.world.limits = Limits { connect: short, text: short, upload: short, pace: false };
                bot.fail_next("sendMessage", Fault::HangAfterAccept);
            }
            "loses an answer" => bot.fail_next("sendMessage", Fault::DropAfterAccept),
            "fails once" => bot.fail_next("sendMessage", Fault::BadGatewayHtml),
            "asks for a pause of 20 s" => bot.fail_next("sendMessage", Fault::TooMany(20)),
            other => return Err(format!("telegram cannot do that: {other}")),
        }
        Ok(())
    }

    async fn change(&mut self, kind: ChangeKind, who: &str, until: i64) {
        let now = self.world.clock.now();
        let change =
            Change { kind, technician: proper(who), from: now, until: now + TimeDelta::seconds(until - self.at) };
        let mut tx = self.world.store.begin().await.unwrap();
        roster::make(&mut tx, &change, ChangeState::Active, "test", now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What was in memory is gone; presses that came meanwhile are read first.
    async fn start(&mut self) {
        self.up = true;
        self.world.roster = Roster::new(self.world.settings.clone());
        if !self.unanswered.is_empty() {
            self.listen().await;
        }
    }

    fn button(&self, chat: i64, label: &str, case: Option<i64>) -> Result<i64, String> {
        let has = |shown: &&Shown| {
            let about = case.is_none_or(|case| shown.text.contains(&format!("Vorgang {case}")));
            about && !shown.deleted && shown.buttons.iter().flatten().any(|key| key.label == label)
        };
        let messages = self.world.bot.messages(chat);
        let found = messages.iter().rev().find(has).map(|shown| shown.id);
        found.ok_or_else(|| format!("there is no button {label}"))
    }

    async fn press(&mut self, who: &str, chat: i64, message: i64, label: &str) {
        let callback = self.world.bot.press(chat, message, label, chat_of(who));
        self.unanswered.push(callback.clone());
        if self.up {
            self.listen().await;
            self.hear(who, &callback);
        }
    }

    /// Reads presses until each is answered.
    async fn listen(&mut self) {
        let waiting: HashSet<String> = self.unanswered.drain(..).collect();
        let lifecycle = self.listener();
        let all = self.world.bot.wait_until(|bot| {
            let answered = |call: &&crate::fake_bot::Call| {
                call.method == "answercallbackquery"
                    && call.status == 200
                    && call.callback.as_ref().is_some_and(|callback| waiting.contains(callback))
            };
            bot.calls().iter().filter(answered).count() >= waiting.len()
        });
        assert!(all.await, "a press was not answered");
        lifecycle.abort();
    }

    /// Reads an answer to a message until it is dealt with.
    async fn read_answer(&mut self) {
        let before = self.offset().await;
        let lifecycle = self.listener();
        loop {
            let polls = self.world.bot.calls_of("getUpdates").len();
            if self.offset().await != before {
                break;
            }
            assert!(self.world.bot.wait_until(|bot| bot.called("getUpdates") > polls).await, "nobody reads");
        }
        lifecycle.abort();
    }

    async fn offset(&self) -> Option<i64> {
        marks::find(&mut self.world.store.read().await.unwrap(), "telegram.offset").await.unwrap()
    }

    fn listener(&self) -> Lifecycle {
        let lifecycle = Lifecycle::default();
        let listener =
            Listener { desk: self.world.answers(), bot: self.world.wire(), patience: Duration::from_secs(10) };
        lifecycle.spawn("listener".into(), listener.run(Status::default(), lifecycle.clone()));
        lifecycle
    }

    fn hear(&mut self, who: &str, callback: &str) {
        let calls = self.world.bot.calls();
        let answer = calls.into_iter().find(|call| call.callback.as_deref() == Some(callback) && call.status == 200);
        let said = answer.and_then(|call| call.text).unwrap_or_default();
        self.heard.insert(who.to_owned(), said);
    }

    fn last_message(&self, who: &str) -> Result<i64, String> {
        let last = self.world.phone(chat_of(who)).last().map(|shown| shown.id);
        last.ok_or_else(|| format!("{who} has no message"))
    }

    async fn must_be(&mut self, what: &What) -> Held {
        match what {
            What::Told { who, how } => {
                let told = self.told.iter().any(|told| told.at == self.at && told.who == *who && told.how == *how);
                if told { Ok(()) } else { Err(format!("{who} was not told so then")) }
            }
            What::NotTold(who) => self.times(who, 0),
            What::Times { who, count } => self.times(who, *count),
            What::Shows { who, text, yes } => {
                let shown = self.world.phone(chat_of(who));
                let all: Vec<&str> = shown.iter().map(|shown| shown.text.as_str()).collect();
                let labels =
                    shown.iter().flat_map(|shown| shown.buttons.iter().flatten()).any(|key| key.label == *text);
                let found = labels || all.iter().any(|shown| shown.contains(text));
                if found == *yes { Ok(()) } else { Err(format!("{who}'s phone shows:\n{}", all.join("\n---\n"))) }
            }
            What::Hears { who, text } => {
                let heard = self.heard.get(who).map(String::as_str).unwrap_or_default();
                if heard.contains(text) { Ok(()) } else { Err(format!("{who} hears {heard:?}")) }
            }
            What::Case { case, is } => {
                let found = cases::find(&mut self.world.store.read().await.unwrap(), CaseId(*case)).await.unwrap();
                let is_now = found.as_ref().map_or("not there".to_owned(), state);
                if is_now == *is { Ok(()) } else { Err(format!("it is {is_now}")) }
            }
            What::Charge(yes) => {
                let charge = charges::of_case(&mut self.world.store.read().await.unwrap(), CaseId(1001)).await.unwrap();
                if charge.is_some() == *yes { Ok(()) } else { Err(format!("{charge:?}")) }
            }
            _ => unreachable!("it happens, it is not looked at"),
        }
    }

    fn times(&self, who: &str, count: usize) -> Held {
        let loud = |told: &&Told| told.who == who && told.how == How::Loudly;
        let times = self.told.iter().filter(loud).count();
        if times == count { Ok(()) } else { Err(format!("{who} was told {times} times")) }
    }
}

fn state(case: &Case) -> String {
    match (case.state, &case.taken_by, case.outcome) {
        (CaseState::Open, ..) => "open".into(),
        (CaseState::Taken, Some(who), _) => format!("taken by {}", who.to_lowercase()),
        (CaseState::Taken, None, _) => "taken by nobody".into(),
        (CaseState::Closed, _, outcome) => {
            format!("closed: {}", outcome.map(nachtwache::domain::case::Outcome::as_str).unwrap_or_default())
        }
    }
}

fn settings(story: &Story, web: &Web) -> String {
    let mut text = String::new();
    for person in &story.people {
        let (who, push) = person.split_once(['+', '-']).map_or((person.as_str(), false), |(who, _)| (who, true));
        let head = if who == "office" {
            "[office]".to_owned()
        } else {
            format!("[[technicians]]\nname = \"{}\"", proper(who))
        };
        writeln!(text, "{head}").unwrap();
        if !person.ends_with("-push") {
            writeln!(text, "telegram_chat = {}", chat_of(who)).unwrap();
        }
        if push {
            writeln!(text, "channels = [\"push-{who}\"]").unwrap();
        }
    }
    for who in story.people.iter().filter_map(|person| person.strip_suffix("push")) {
        let who = who.trim_end_matches(['+', '-']);
        let url = web.url(&format!("/push/{who}"));
        writeln!(text, "[[channels]]\nkind = \"webhook\"\nname = \"push-{who}\"\nurl = \"{url}\"\nbody = '{{\"text\":\"{{text}}\"}}'").unwrap();
    }
    if !story.settings.contains("[[escalation.policies]]") {
        text.push_str(POLICIES);
    }
    let telegram = if story.settings.contains("[telegram]") { "" } else { "[telegram]\nredact_closed = false\n" };
    format!("{}\n{telegram}{text}", story.settings)
}
