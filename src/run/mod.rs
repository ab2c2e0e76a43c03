//! Wiring: settings → store → stages → doors → start and stop; nothing else.
//!
//! Whoever can still help starts before whoever brings work: escalation first, intake last.

mod confirm;
mod doors;
mod escalation;
mod page;
mod rules;
mod sources;
mod watch;

pub use doors::{door, says};
pub use rules::rules;
use sources::drill_source;
pub use sources::{oauth, source};

use crate::acknowledge::{
    Desk as AnswerDesk,
    commands::{SwapStep, name_commands},
    notes::NoteStep,
    telegram::{Listener, PATIENCE},
};
use crate::assess::{AssessStep, rules::Rules};
use crate::config::Settings;
use crate::escalate::channels::Channels;
use crate::escalate::heartbeat::Beat;
use crate::escalate::notifier::Notifier;
use crate::escalate::siren::Ear;
use crate::escalate::smtp::Mailer;
use crate::escalate::telegram::TelegramNotifier;
use crate::intake::push::{Door, DoorSettings};
use crate::intake::source::Source;
use crate::intake::{Desk, Intake};
use crate::review::inbox::InboxStep;
use crate::review::retention::RetentionStep;
use crate::roster::Roster;
use crate::runtime::bell::{Bell, Bells};
use crate::runtime::clock::{Clock, SystemClock};
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::siren::{Siren, siren};
use crate::runtime::status::Status;
use crate::runtime::tls::Certificate;
use crate::runtime::worker::{Step, Worker};
use crate::store::Store;
use crate::telegram::Bot;
use crate::transcribe::TranscribeStep;
use crate::transcribe::child::{Child, ChildOptions};
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How many notices are on their way side by side.
const SENDERS: usize = 8;
/// A missed bell costs this much.
const POLL: Duration = Duration::from_secs(1);
/// How often it is looked whether a way to people went down or came back.
const LOOK: Duration = Duration::from_secs(5);
/// How long steps under way may take after a stop was asked for.
pub const GRACE: Duration = Duration::from_secs(15);

/// The service, running.
pub struct Service {
    /// Start and stop.
    pub lifecycle: Lifecycle,
    /// Its store.
    pub store: Store,
    /// The lock on the folder: one service a folder.
    _lock: std::fs::File,
}

/// How people are reached.
pub struct Reach {
    /// The way to the phones.
    pub notifier: Arc<dyn Notifier>,
    /// The bot whose buttons are listened to; none in a demo on the terminal.
    pub bot: Option<Bot>,
}

impl Reach {
    /// By the bot of the settings.
    ///
    /// # Errors
    /// Where there is no token or it cannot be read.
    pub fn telegram(settings: &Settings) -> anyhow::Result<Self> {
        let bot = bot(settings)?;
        Ok(Self { notifier: Arc::new(TelegramNotifier::new(bot.clone())), bot: Some(bot) })
    }
}

/// The bot of the settings; nothing is sent yet.
///
/// # Errors
/// Where there is no token, it cannot be read, or it has not the shape of one.
pub fn bot(settings: &Settings) -> anyhow::Result<Bot> {
    let secret =
        settings.telegram.token.as_ref().context("telegram.token is missing: nobody could be woken; set it")?;
    let token = secret.reveal().map_err(anyhow::Error::msg).context("could not read telegram.token")?;
    Bot::new(&settings.telegram.api_url, token, true).context("could not use telegram.api_url or telegram.token")
}

/// Opens the store of the settings.
///
/// # Errors
/// Where the database or the folder cannot be used.
pub async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let folder = &settings.store.folder;
    let url = match &settings.store.postgres {
        Some(secret) => {
            use secrecy::ExposeSecret as _;
            let url = secret.reveal().map_err(anyhow::Error::msg).context("could not read store.postgres")?;
            url.expose_secret().to_owned()
        }
        None => sqlite_url(&folder.join(DATABASE)),
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("could not make store.folder {}: make it writable for this user", folder.display()))?;
    let opened = Store::open(&url, &folder.join("sound")).await;
    opened.with_context(|| format!("could not open the store in {}", folder.display()))
}

/// Whether there is a store already.
#[must_use]
pub fn has_store(settings: &Settings) -> bool {
    settings.store.postgres.is_some() || settings.store.folder.join(DATABASE).exists()
}

/// Opens the store of the settings only if there is one: what only reads must not make an empty one.
///
/// # Errors
/// Where there is none yet, or as [`open_store`].
pub async fn existing_store(settings: &Settings) -> anyhow::Result<Store> {
    let folder = &settings.store.folder;
    anyhow::ensure!(
        has_store(settings),
        "there is no store in {}: set store.folder, or start the service once",
        folder.display()
    );
    open_store(settings).await
}

/// The database in the store's folder.
const DATABASE: &str = "nachtwache.db";

fn sqlite_url(path: &Path) -> String {
    let text = path.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{text}")
}

impl Service {
    /// Starts every stage.
    ///
    /// # Errors
    /// Where the store cannot be opened, another service has the folder, or a source's secret cannot be read.
    pub async fn start(settings: Settings, reach: Reach) -> anyhow::Result<Self> {
        let store = open_store(&settings).await?;
        let lock = lock(&settings.store.folder)?;
        store.fresh_start().await.context("could not prepare the store for a fresh start")?;
        let rows = settings.sources.iter();
        let mut sources =
            rows.filter_map(|row| source(row, &settings, &store).transpose()).collect::<anyhow::Result<Vec<_>>>()?;
        sources.extend(drill_source(&settings));
        let door = door(&settings)?;
        let rules = Arc::new(rules(&settings)?);
        if !settings.transcribe.model.exists() {
            let model = settings.transcribe.model.display();
            tracing::error!(%model, "there is no speech model: people are woken without text; `nachtwache models fetch small-q8_0`");
        }
        let (siren, cries) = siren();
        let settings = Arc::new(settings);
        let wiring = Wiring {
            settings: settings.clone(),
            roster: Roster::new(settings),
            clock: Arc::new(SystemClock),
            store: store.clone(),
            bells: Bells::default(),
            lifecycle: Lifecycle::default(),
            status: Status::default(),
        };
        let ear = Ear { roster: wiring.roster.clone(), clock: wiring.clock.clone(), notifier: reach.notifier.clone() };
        wiring.lifecycle.spawn("siren".into(), ear.run(cries));
        wiring.complain_if_nobody_is_reached().await?;
        wiring.tell_start().await;
        wiring.start_escalation(&reach.notifier)?;
        if let Some(bot) = reach.bot {
            wiring.work(&Bell::default(), Duration::from_mins(1), SwapStep { desk: wiring.answer_desk() });
            let notes = NoteStep { store: store.clone(), clock: wiring.clock.clone(), bot: bot.clone() };
            wiring.work(&Bell::default(), LOOK, notes);
            let commands = name_commands(bot.clone(), wiring.settings.web.is_some(), wiring.lifecycle.clone());
            wiring.lifecycle.spawn("acknowledge.commands".into(), commands);
            let listener = Listener { desk: wiring.answer_desk(), bot, patience: PATIENCE };
            wiring.lifecycle.spawn("acknowledge".into(), listener.run(wiring.status.clone(), wiring.lifecycle.clone()));
        }
        wiring.start_understanding(rules.clone());
        wiring.start_review();
        wiring.start_intake(sources, door, &siren)?;
        wiring.start_page(rules);
        let keep = wiring.status.keep(store.clone(), wiring.clock.clone(), wiring.lifecycle.clone());
        wiring.lifecycle.spawn("status".into(), keep);
        wiring.lifecycle.spawn("systemd".into(), tell_systemd(wiring.lifecycle.clone(), siren));
        Ok(Self { lifecycle: wiring.lifecycle, store, _lock: lock })
    }

    /// Runs until asked to stop. `Err` where a task ended by itself.
    ///
    /// # Errors
    /// See above.
    pub async fn until_ended(self) -> anyhow::Result<()> {
        self.lifecycle.until_ended(GRACE).await.context("could not listen to signals")?;
        self.store.close().await;
        anyhow::ensure!(!self.lifecycle.is_broken(), "a part of the service ended by itself; see the log");
        Ok(())
    }
}

struct Wiring {
    settings: Arc<Settings>,
    roster: Roster,
    clock: Arc<dyn Clock>,
    store: Store,
    bells: Bells,
    lifecycle: Lifecycle,
    status: Status,
}

impl Wiring {
    fn work(&self, bell: &Bell, poll: Duration, step: impl Step + 'static) {
        let worker = Worker {
            bell: bell.clone(),
            poll,
            lifecycle: self.lifecycle.clone(),
            status: self.status.clone(),
            clock: self.clock.clone(),
        };
        self.lifecycle.spawn(step.name(), worker.run(step));
    }

    /// The service starts all the same: a phone is paired by the running service.
    async fn complain_if_nobody_is_reached(&self) -> anyhow::Result<()> {
        let mut reader = self.store.read().await?;
        if self.roster.at(&mut reader, self.clock.now()).await?.recipients(&["everyone", "office"]).is_empty() {
            tracing::error!("nobody can be reached by any way: pair a phone with `nachtwache technician invite NAME`");
        }
        Ok(())
    }

    fn answer_desk(&self) -> AnswerDesk {
        AnswerDesk {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        }
    }

    fn start_understanding(&self, rules: Arc<Rules>) {
        self.start_second_hearing(rules.clone());
        let assess = AssessStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            rules,
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        };
        self.work(&self.bells.assess, POLL, assess);
        let transcribe = TranscribeStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
            child: Child::new(child_options(&self.settings, "transcriber")),
        };
        self.work(&self.bells.transcribe, POLL, transcribe);
    }

    fn start_review(&self) {
        self.work(&Bell::default(), Duration::from_mins(1), InboxStep::new(self.store.clone()));
        let (store, settings) = (self.store.clone(), self.settings.clone());
        let step = RetentionStep::new(store, settings, self.clock.clone(), self.bells.clone());
        self.work(&Bell::default(), Duration::from_mins(1), step);
    }

    fn start_intake(
        &self,
        sources: Vec<Box<dyn Source>>,
        door: Option<DoorSettings>,
        siren: &Siren,
    ) -> anyhow::Result<()> {
        let desk = Desk {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        };
        for source in sources {
            let name = format!("intake.{}", source.name());
            let intake = Intake::new(desk.clone(), source, siren.clone());
            self.lifecycle.spawn(name, intake.run(self.status.clone(), self.lifecycle.clone()));
        }
        if let Some(settings) = door {
            let door = Door::new(settings, desk, siren.clone(), self.status.clone())
                .map_err(anyhow::Error::msg)
                .context("could not make the door for pushed recordings")?;
            self.lifecycle.spawn("intake.push".into(), door.run(self.lifecycle.clone()));
        }
        Ok(())
    }
}

/// Whether the certificate of `[web]` can be used; `None` where there is none.
#[must_use]
pub fn examine_certificate(settings: &Settings) -> Option<Result<(), String>> {
    let web = settings.web.as_ref()?;
    let read = Certificate::read(web.certificate.as_ref()?, web.key.as_ref()?);
    Some(read.map(|_| ()).map_err(|error| format!("web.certificate, web.key: {error}")))
}

/// Whether the mail server of `[smtp]` answers and lets us in; `None` where there is none.
pub async fn examine_smtp(settings: &Settings) -> Option<Result<(), String>> {
    let smtp = settings.smtp.as_ref()?;
    Some(match Mailer::new(smtp) {
        Ok(mailer) => mailer.probe().await,
        Err(error) => Err(error),
    })
}

/// Each channel's name, and whether the way is there; nobody is told.
///
/// # Errors
/// Where one of them cannot be made; the text names the key.
pub async fn examine_channels(settings: &Settings) -> Result<Vec<(String, Result<(), String>)>, String> {
    let channels = Channels::from(settings)?;
    let probe = async |name: &str| (name.to_owned(), channels.probe(name).await);
    Ok(futures::future::join_all(channels.names().map(probe)).await)
}

/// Whether the host that listens for our heartbeat answers; `None` where none listens.
pub async fn examine_heartbeat(settings: &Settings) -> Option<Result<(), String>> {
    match Beat::of(settings) {
        Ok(beat) => Some(beat?.probe().await),
        Err(error) => Some(Err(error)),
    }
}

/// How the child is kept, by the settings.
#[must_use]
pub fn child_options(settings: &Settings, name: &str) -> ChildOptions {
    ChildOptions {
        idle_after: Duration::from_secs(settings.transcribe.idle_after_min * 60),
        silent_at_most: Duration::from_secs(settings.transcribe.silence_limit_s),
        name: name.to_owned(),
        ..ChildOptions::default()
    }
}

/// One service a folder: two would wake people twice.
fn lock(folder: &Path) -> anyhow::Result<std::fs::File> {
    let path = folder.join("service.lock");
    let file = std::fs::File::create(&path).with_context(|| format!("could not make {}", path.display()))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .with_context(|| format!("another nachtwache runs on {}: stop it first", folder.display()))?;
    Ok(file)
}

/// Ready, alive, stopping. Keeps the siren's sounding end alive as long as the service.
async fn tell_systemd(lifecycle: Lifecycle, siren: Siren) {
    say(&[sd_notify::NotifyState::Ready]);
    while !lifecycle.is_stopping() {
        say(&[sd_notify::NotifyState::Watchdog]);
        lifecycle.unless_stopped(tokio::time::sleep(Duration::from_secs(10))).await;
    }
    say(&[sd_notify::NotifyState::Stopping]);
    drop(siren);
}

fn say(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "could not tell systemd");
    }
}
