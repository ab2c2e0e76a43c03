//! A small world: a caller says a text, time moves, Anna's phone shows a message, Anna presses.
//!
//! Real: store, steps, wording, Telegram's client on a wire. By hand: the clock and the transcriber's answer.

use crate::fake_bot::{FakeBot, Shown};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::acknowledge::{Actor, Answer, Desk as AnswerDesk, telegram::Listener};
use nachtwache::assess::{AssessStep, rules::Rules};
use nachtwache::config::Settings;
use nachtwache::domain::act::Act;
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::case::{Case, CaseId};
use nachtwache::domain::report::{Arrival, Caller, Content, Recording, ReportId, Sound, Stage};
use nachtwache::domain::transcript::{Doubt, Transcript, Word};
use nachtwache::escalate::audit::AuditStep;
use nachtwache::escalate::channels::Channels;
use nachtwache::escalate::paths::PathStep;
use nachtwache::escalate::plan::PlanStep;
use nachtwache::escalate::send::SendStep;
use nachtwache::escalate::telegram::TelegramNotifier;
use nachtwache::intake::Desk;
use nachtwache::roster::Roster;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::{Clock, HandClock};
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::status::Status;
use nachtwache::runtime::voices::{Playable, Voice, Voices};
use nachtwache::runtime::worker::{Round, Step};
use nachtwache::store::{Claim, Store, assessments, cases, notices, reports, transcripts};
use nachtwache::telegram::{Bot, Limits};
use nachtwache::transcribe::sound::plain::peaks;
use nachtwache::transcribe::sound::voice::voice_message;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

pub(crate) const ANNA: i64 = 101;
pub(crate) const BERND: i64 = 102;
pub(crate) const OFFICE: i64 = -500;
/// A Saturday night: Sa 21.11.2026 22:14 in Berlin.
pub(crate) const NIGHT: &str = "2026-11-21T21:14:00Z";
/// A Monday morning in the office.
pub(crate) const MORNING: &str = "2026-11-23T09:00:00Z";

pub(crate) const EMERGENCY: &str = "Guten Abend, hier spricht Dirk Rossmeisl von der Firma Rossmeisl Elektrotechnik. \
     Wir haben einen unternehmenskritischen Notfall. Das Internet ist seit heute Mittag komplett ausgefallen, der Betrieb steht still. \
     Mit den Geschäftsbedingungen und der Aktivierungsgebühr von 48 Euro bin ich einverstanden. \
     Bitte rufen Sie mich zurück unter 0171 3920020.";
pub(crate) const NO_EMERGENCY: &str = "Guten Tag, hier ist Birgit Paulus vom Architekturbüro Paulus. Das ist kein Notfall. \
     Der Bildschirm flackert ein bisschen. Es reicht, wenn Sie sich am Montag melden.";
/// The number that the mailbox shows.
pub(crate) const CALLER: &str = "09721555017";

const SETTINGS: &str = r#"
[[technicians]]
name = "Anna"
telegram_chat = 101
[[technicians]]
name = "Bernd"
telegram_chat = 102
[office]
telegram_chat = -500
[telegram]
redact_closed = false
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
hours = "outside"
steps = [{ after_min = 0, tell = ["duty"], repeat_every_min = 5 }, { after_min = 12, tell = ["everyone"], repeat_every_min = 10 }]
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
hours = "inside"
steps = [{ after_min = 0, tell = ["office"], repeat_every_min = 10 }]
"#;

/// The built-in rules, read once: that takes longer than most stories.
static RULES: OnceLock<Arc<Rules>> = OnceLock::new();
/// A second of a voice message.
static VOICE: OnceLock<Vec<u8>> = OnceLock::new();

/// Makes a voice message of anything.
struct Voicing(PathBuf);

#[async_trait]
impl Voices for Voicing {
    async fn voice_of(&self, _: &Recording) -> Result<Voice, String> {
        Ok(Voice { path: self.0.clone(), sound_ms: 47_000 })
    }

    async fn playable(&self, file: &str, _: &str) -> Result<Playable, String> {
        // as where the file is no sound: "sound 1" is what the world's callers leave
        let path =
            self.0.with_file_name("sound").join(file.split('.').next().unwrap_or(file)).with_extension("page.wav");
        let wav = std::fs::read(&path).map_err(|_| "not a sound".to_owned())?;
        let sound_ms = u32::try_from((wav.len() - 44) / 32).unwrap();
        let sample = |two: &[u8]| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0;
        let samples: Vec<f32> = wav[44..].chunks_exact(2).map(sample).collect();
        Ok(Playable { path, sound_ms, peaks: peaks(&samples, 1_000) })
    }
}

pub(crate) struct World {
    pub(crate) bot: FakeBot,
    pub(crate) store: Store,
    pub(crate) clock: HandClock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) roster: Roster,
    pub(crate) channels: Arc<Channels>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) limits: Limits,
    begun_at: DateTime<Utc>,
    kept: Mutex<Option<(String, Bot)>>,
    url: String,
    calls: u32,
}

impl World {
    /// A night on SQLite.
    pub(crate) async fn night() -> Self {
        Self::at(NIGHT, None, "").await
    }

    /// A world at `start` where Anna and the office have a second way each, of their own names; `more` says which.
    pub(crate) async fn with_ways(start: &str, more: &str) -> Self {
        let settings = SETTINGS
            .replace("telegram_chat = 101", "telegram_chat = 101\nchannels = [\"anna\"]")
            .replace("telegram_chat = -500", "telegram_chat = -500\nchannels = [\"office\"]");
        Self::by(start, None, &format!("{more}\n{settings}")).await
    }

    /// A world at `start`, on SQLite or at `database`, with more settings.
    pub(crate) async fn at(start: &str, database: Option<String>, more: &str) -> Self {
        Self::by(start, database, &format!("{more}\n{SETTINGS}")).await
    }

    /// A world by its whole settings.
    pub(crate) async fn by(start: &str, database: Option<String>, settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = database.unwrap_or_else(|| format!("sqlite://{}/nachtwache.db", folder.path().display()));
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        let settings = Arc::new(Settings::parse(settings).unwrap());
        let voice = VOICE.get_or_init(|| voice_message(&vec![0.1; 16_000]).unwrap());
        std::fs::write(folder.path().join("voice.ogg"), voice).unwrap();
        Self {
            bot: FakeBot::start().await,
            store,
            clock: HandClock::at(start.parse().unwrap()),
            roster: Roster::new(settings.clone()),
            channels: Arc::new(Channels::from(&settings).unwrap()),
            settings,
            folder,
            limits: Limits { pace: false, ..Limits::default() },
            begun_at: start.parse().unwrap(),
            kept: Mutex::new(None),
            url,
            calls: 0,
        }
    }

    /// Somebody leaves a message; it is stored, nothing else has happened yet.
    pub(crate) async fn call(&mut self) -> ReportId {
        self.calls += 1;
        let arrival = self.arrival(self.calls);
        self.desk().accept(arrival).await.unwrap().id
    }

    pub(crate) fn arrival(&self, number: u32) -> Arrival {
        let sound = Sound::Bytes { name: "msg0000.wav".into(), bytes: format!("sound {number}").into_bytes() };
        Arrival {
            source: "spool".into(),
            key: format!("default/100/{number}"),
            mailbox: Some("100".into()),
            caller: Caller { number: Some(CALLER.into()), name: None },
            called_at: Some(self.clock.now()),
            content: Content::Voicemail(sound),
            twin: None,
            longest_s: None,
        }
    }

    /// Somebody says `text`: stored, transcribed, and everything that is due then is done.
    pub(crate) async fn hear(&mut self, text: &str) -> ReportId {
        let report = self.call().await;
        self.settle().await;
        self.transcribed(report, &spoken(text)).await;
        self.settle().await;
        report
    }

    /// The transcriber's answer for the oldest waiting report, which must be `report`.
    pub(crate) async fn transcribed(&self, report: ReportId, transcript: &Transcript) {
        let now = self.clock.now();
        let mut tx = self.store.begin().await.unwrap();
        let claim = Claim { now, lease: Duration::from_mins(1) };
        let (claimed, lease) =
            reports::claim(&mut tx, Stage::Transcribe, claim).await.unwrap().expect("a report waits");
        assert_eq!(claimed.id, report);
        transcripts::put(&mut tx, report, transcript, Duration::from_secs(1), now).await.unwrap();
        reports::advance(&mut tx, report, &lease, Stage::Assess, Some(now)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Time moves on minute by minute, and everything that falls due is done.
    pub(crate) async fn after(&self, minutes: i64) {
        for _ in 0..minutes {
            self.after_seconds(60).await;
        }
    }

    pub(crate) async fn after_seconds(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
        self.settle().await;
    }

    /// Does everything that is due now.
    pub(crate) async fn settle(&self) {
        let mut steps: Vec<Box<dyn Step>> = vec![Box::new(self.plan()), Box::new(self.send()), Box::new(self.assess())];
        for _ in 0..500 {
            let mut worked = false;
            for step in &mut steps {
                worked |= step.tick().await.unwrap() == Round::Worked;
            }
            if !worked {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// One press on a button of the newest message with such a button, dealt with as the service does.
    pub(crate) async fn press(&self, chat: i64, label: &str, user: i64) -> Option<String> {
        let messages = self.bot.messages(chat);
        let has = |shown: &&Shown| !shown.deleted && shown.buttons.iter().flatten().any(|key| key.label == label);
        let message = messages.iter().rev().find(has).unwrap_or_else(|| panic!("no button {label} in chat {chat}")).id;
        self.press_on(chat, message, label, user).await
    }

    pub(crate) async fn press_on(&self, chat: i64, message: i64, label: &str, user: i64) -> Option<String> {
        let callback = self.bot.press(chat, message, label, user);
        let lifecycle = Lifecycle::default();
        // What came of it is what a story asks for, however busy the machine is.
        let listener = Listener { desk: self.answers(), bot: self.wire(), patience: Duration::from_secs(10) };
        lifecycle.spawn("listener".into(), listener.run(Status::default(), lifecycle.clone()));
        let answered = |call: &crate::fake_bot::Call| {
            call.method == "answercallbackquery" && call.callback.as_deref() == Some(&callback) && call.status == 200
        };
        assert!(self.bot.wait_until(|bot| bot.calls().iter().any(answered)).await, "the press was not answered");
        lifecycle.abort();
        self.settle().await;
        self.bot.calls().into_iter().find(answered).and_then(|call| call.text)
    }

    /// The same act by another door.
    pub(crate) async fn act(&self, who: &str, act: Act, case: CaseId) -> Answer {
        let chat = if who == "Anna" { ANNA } else { BERND };
        let answer = self.answers().act(&Actor { name: who.into(), chat }, &act, case).await.unwrap();
        self.settle().await;
        answer
    }

    /// What a phone shows now.
    pub(crate) fn phone(&self, chat: i64) -> Vec<Shown> {
        self.bot.messages(chat).into_iter().filter(|shown| !shown.deleted).collect()
    }

    /// The messages that rang on a phone.
    pub(crate) fn rings(&self, chat: i64) -> usize {
        self.bot.messages(chat).iter().filter(|shown| !shown.silent).count()
    }

    pub(crate) async fn case(&self, report: ReportId) -> Option<Case> {
        cases::of_report(&mut self.store.read().await.unwrap(), report).await.unwrap()
    }

    pub(crate) async fn verdict(&self, report: ReportId) -> Option<Verdict> {
        let found = assessments::find(&mut self.store.read().await.unwrap(), report).await.unwrap();
        found.map(|assessment| assessment.verdict)
    }

    pub(crate) async fn pending(&self) -> i64 {
        notices::pending(&mut self.store.read().await.unwrap()).await.unwrap()
    }

    pub(crate) fn desk(&self) -> Desk {
        Desk {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
        }
    }

    pub(crate) fn answers(&self) -> AnswerDesk {
        AnswerDesk {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
        }
    }

    /// A connection by the limits as they are now; one that is not paced is kept, for it takes long to make.
    pub(crate) fn wire(&self) -> Bot {
        let key = format!("{:?}", self.limits);
        let mut kept = self.kept.lock().unwrap();
        if let Some((_, bot)) = kept.as_ref().filter(|(limits, _)| *limits == key && !self.limits.pace) {
            return bot.clone();
        }
        let bot = Bot::with_limits(&self.bot.url(), self.bot.token().into(), false, self.limits).unwrap();
        *kept = Some((key, bot.clone()));
        bot
    }

    pub(crate) fn plan(&self) -> PlanStep {
        PlanStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
        }
    }

    /// The ways to people, looked after since the world began.
    pub(crate) fn paths(&self) -> PathStep {
        PathStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
            begun_at: self.begun_at,
        }
    }

    pub(crate) fn assess(&self) -> AssessStep {
        AssessStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            rules: Self::rules(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
        }
    }

    pub(crate) fn audit(&self) -> AuditStep {
        AuditStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
        }
    }

    pub(crate) fn send(&self) -> SendStep {
        SendStep {
            number: 1,
            store: self.store.clone(),
            settings: self.settings.clone(),
            clock: Arc::new(self.clock.clone()),
            bells: Bells::default(),
            notifier: Arc::new(TelegramNotifier::new(self.wire())),
            channels: self.channels.clone(),
            voices: self.voices(),
        }
    }

    pub(crate) fn voices(&self) -> Arc<dyn Voices> {
        Arc::new(Voicing(self.folder.path().join("voice.ogg")))
    }

    pub(crate) fn rules() -> Arc<Rules> {
        RULES.get_or_init(|| Arc::new(Rules::with(&[]).unwrap())).clone()
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The one column of rows that no part of the service reads as such.
    pub(crate) async fn lines(&self, statement: &str) -> Vec<String> {
        use sqlx::Connection as _;
        let mut db = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        sqlx::query_scalar(sqlx::AssertSqlSafe(statement.to_owned())).fetch_all(&mut db).await.unwrap()
    }

    /// Does something to the database that the service never would.
    pub(crate) async fn sql(&self, statement: &str) {
        use sqlx::{Connection as _, Executor as _, SqlSafeStr as _};
        let mut db = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        db.execute(sqlx::AssertSqlSafe(statement.to_owned()).into_sql_str()).await.unwrap();
    }
}

/// A text as the transcriber would hand it over: heard twice alike, half a second a word, all of it speech.
pub(crate) fn spoken(text: &str) -> Transcript {
    let word = |(index, text): (u32, &str)| Word {
        text: text.to_owned(),
        start_ms: index * 500,
        end_ms: index * 500 + 450,
        probability: 0.9,
    };
    let words: Vec<Word> = (0u32..).zip(text.split_whitespace()).map(word).collect();
    let end = words.last().map_or(0, |word| word.end_ms);
    let joined: Vec<&str> = text.split_whitespace().collect();
    Transcript {
        model: "test".into(),
        language: "de".into(),
        sound_ms: end + 900,
        second: Some(joined.join(" ")),
        words,
        speech: vec![(0, end)],
        doubt: None,
        remark: None,
    }
}

/// A transcript that is not to be believed.
pub(crate) fn doubted(doubt: Doubt) -> Transcript {
    Transcript { doubt: Some(doubt), ..spoken("") }
}
