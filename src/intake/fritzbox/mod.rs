//! AVM FRITZ!Box: the answering machine of a box, over TR-064.
//!
//! Promises: a name, a password or a session id goes to the configured box only, and only to the certificate that is
//! known; a voice is handed over with its own caller or not at all; nothing is deleted at the box. A message that was
//! stored is marked as heard there, and the list read again says whether that worked.
//!
//! Identity (`Found::key`) is machine, date to the minute, number and file name, hashed. Listed are the messages that nobody
//! heard and all since the first look: one that is heard at the phone before we saw it is not lost.
//!
//! What can go wrong: the box is away (`Unreachable`); login, right or certificate are wrong (`Refused`); a machine is
//! switched off or full (`Trouble`); no known way gives the sound (`Sound::Refused` after some tries: a human is woken).

mod home;
mod list;
mod machine;
mod mark;
mod menu;
mod monitor;
mod pages;
mod pin;
mod soap;
mod sound;
mod take;
mod tam;
mod wire;

use crate::domain::report::Arrival;
use crate::intake::memory::Memory;
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::runtime::clock::Clock;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use monitor::Monitor;
use reqwest::Url;
use secrecy::SecretString;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tam::Entry;
use wire::Wire;

/// By which name the first look is remembered.
const SINCE: &str = "messages since";

/// How long each step may take, and the pauses between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name, connection and TLS together.
    pub connect: Duration,
    /// One answer that is no sound, in all.
    pub answer: Duration,
    /// One recording, in all.
    pub download: Duration,
    /// How long a mark may take to show in the list.
    pub mark: Duration,
    /// How long after a call its message is in the list.
    pub after_call: Duration,
    /// So often a recording that no way gives is tried.
    pub tries: u32,
    /// And so long at most.
    pub trying: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(20),
            download: Duration::from_mins(1),
            mark: Duration::from_secs(2),
            after_call: Duration::from_secs(5),
            tries: 5,
            trying: Duration::from_mins(3),
        }
    }
}

/// Settings of a box.
#[derive(Debug, Clone)]
pub struct FritzSettings {
    /// Where TR-064 is, usually `https://fritz.box:49443`; scheme, host and port.
    pub address: Url,
    /// Where the box's pages are; `None` is the usual port of the same host and scheme.
    pub web: Option<Url>,
    /// User at the box.
    pub username: String,
    /// His password.
    pub password: SecretString,
    /// Which answering machines, from 0; empty takes all that are switched on.
    pub tams: Vec<u8>,
    /// SHA-256 of the right certificates, lower-case hex; none pins the first one seen.
    pub fingerprints: Vec<String>,
    /// Where the call monitor is, host and port; `None` does without.
    pub monitor: Option<String>,
    /// How often to look where nothing was heard.
    pub poll: Duration,
    /// Mark a stored message as heard.
    pub mark_read: bool,
    /// The machine ends a recording after so many seconds.
    pub longest_s: Option<u32>,
    /// The first look takes messages that were heard already and are not older.
    pub first_look: TimeDelta,
    /// The box's time zone.
    pub zone: Tz,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// Time limits.
    pub limits: Limits,
}

/// A message as it was listed last, and the session to read its sound with.
type Known = (Entry, Option<String>);

/// A recording that could not be fetched yet.
struct Trying {
    tries: u32,
    since: Instant,
}

/// The answering machine of a FRITZ!Box.
pub struct FritzBox {
    name: String,
    settings: FritzSettings,
    memory: Memory,
    clock: Arc<dyn Clock>,
    wire: Option<Wire>,
    monitor: Option<Monitor>,
    /// From when on messages are taken though somebody heard them, and whether that is written down.
    begin: Option<(DateTime<Utc>, bool)>,
    /// The messages of the last look.
    entries: HashMap<String, Known>,
    trying: HashMap<String, Trying>,
    /// Stored without sound: they stay new at the box.
    unheard: HashSet<String>,
    /// Marking does not work.
    mark_trouble: Option<Trouble>,
}

impl FritzBox {
    /// A box; nothing is reached for before the first `list`.
    #[must_use]
    pub fn new(name: String, settings: FritzSettings, memory: Memory, clock: Arc<dyn Clock>) -> Self {
        let monitor = settings.monitor.clone().map(Monitor::new);
        Self {
            name,
            settings,
            memory,
            clock,
            wire: None,
            monitor,
            begin: None,
            entries: HashMap::new(),
            trying: HashMap::new(),
            unheard: HashSet::new(),
            mark_trouble: None,
        }
    }

    /// The connection, opened at the first use.
    async fn wire(&mut self) -> Result<&mut Wire, SourceError> {
        let wire = match self.wire.take() {
            Some(wire) => wire,
            None => Wire::open(&self.settings, self.memory.clone()).await?,
        };
        Ok(self.wire.insert(wire))
    }

    /// Which machines are watched; none is a trouble.
    async fn machines(&mut self) -> Result<Vec<u8>, SourceError> {
        if !self.settings.tams.is_empty() {
            return Ok(self.settings.tams.clone());
        }
        let slots = self.wire().await?.slots().await?;
        Ok(slots.into_iter().filter(|slot| slot.on).map(|slot| slot.index).collect())
    }

    /// Messages from here on are taken though somebody heard them already.
    async fn since(&mut self) -> Result<DateTime<Utc>, SourceError> {
        let (since, is_kept) = match self.begin {
            Some(begin) => begin,
            None => match self.memory.recall(SINCE).await?.and_then(|text| text.parse().ok()) {
                Some(since) => (since, true),
                None => (self.clock.now() - self.settings.first_look, false),
            },
        };
        self.begin = Some((since, is_kept));
        if !is_kept {
            // a memory that takes nothing must not keep a message waiting; it is tried again at the next look
            let kept = self.memory.keep(SINCE, &since.to_rfc3339()).await;
            if let Err(error) = &kept {
                tracing::warn!(source = %self.name, %error, "the first look could not be remembered");
            }
            self.begin = Some((since, kept.is_ok()));
        }
        Ok(since)
    }

    fn called_at(&self, entry: &Entry) -> Option<DateTime<Utc>> {
        tam::instant(entry.date?, self.settings.zone, self.clock.now())
    }

    fn shown(&self) -> String {
        let address = &self.settings.address;
        format!("{}:{}", address.host_str().unwrap_or(""), address.port_or_known_default().unwrap_or(0))
    }

    fn no_machine(&self) -> Trouble {
        let (shown, machines) = (self.shown(), menu::MACHINES);
        Trouble {
            key: "no-machine".into(),
            what: format!(
                "no answering machine of the FRITZ!Box at {shown} is switched on: callers cannot leave a message; remedy: \
                 switch one on under {machines}"
            ),
            loses_calls: true,
        }
    }

    /// How the machines are: one line each.
    async fn examine_machines(&mut self, said: &mut Vec<Said>) -> Result<(), SourceError> {
        let shown = self.shown();
        let slots = self.wire().await?.slots().await?;
        let slots: Vec<String> = slots
            .iter()
            .map(|slot| format!("{} {:?} is {}", slot.index, slot.name, if slot.on { "on" } else { "off" }))
            .collect();
        said.push(Ok(format!("the login at {shown} works; answering machines: {}", slots.join(", "))));
        let machines = self.machines().await?;
        if machines.is_empty() {
            said.push(Err(self.no_machine().what));
        }
        for tam in machines {
            let wire = self.wire().await?;
            let info = wire.info(tam).await?;
            let messages = wire.messages(tam).await?.entries.len();
            let left = info.left_min.map(|left| format!(", {left} minutes left")).unwrap_or_default();
            let troubles = info.troubles(tam, &shown);
            if troubles.is_empty() {
                said.push(Ok(format!("answering machine {tam}: {messages} messages{left}")));
            }
            said.extend(troubles.into_iter().map(|trouble| Err(trouble.what)));
        }
        Ok(())
    }

    fn examine_certificate(&self) -> Said {
        let by = if self.settings.fingerprints.is_empty() { "as it was seen first" } else { "as the settings say" };
        match self.wire.as_ref().map(Wire::pinned) {
            Some(Some(pinned)) if !pinned.is_empty() => {
                Ok(format!("its certificate is known by SHA-256 {pinned}, {by}"))
            }
            Some(None) if self.settings.address.scheme() == "http" => Ok(
                "http: the password is not sent, but who listens can read the messages; https and port 49443 hide them"
                    .into(),
            ),
            _ => Err("its certificate was not seen".into()),
        }
    }

    async fn examine_monitor(&self) -> Option<Said> {
        let monitor = self.monitor.as_ref()?;
        let address = monitor.address();
        Some(Ok(match monitor.reach().await {
            Ok(_) => format!("the call monitor at {address} tells of calls at once"),
            Err(why) => format!(
                "the call monitor at {address} cannot be reached ({why}): messages are found every {} s; dial #96*5* on a \
                 phone of the box to switch it on",
                self.settings.poll.as_secs()
            ),
        }))
    }
}

#[async_trait]
impl Source for FritzBox {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        self.list_all().await
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        self.take_one(found).await
    }

    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError> {
        if !self.settings.mark_read || self.unheard.contains(&found.key) {
            return Ok(());
        }
        self.mark_one(found).await
    }

    async fn changed(&mut self) {
        let poll = tokio::time::sleep(self.settings.poll);
        let after_call = self.settings.limits.after_call;
        match &mut self.monitor {
            None => poll.await,
            Some(monitor) => {
                let hinted = async {
                    monitor.call_ended().await;
                    tokio::time::sleep(after_call).await;
                };
                tokio::select! {
                    () = poll => {}
                    () = hinted => {}
                }
            }
        }
    }

    async fn examine(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        if let Err(error) = self.examine_machines(&mut said).await {
            said.push(Err(error.to_string()));
            return said;
        }
        said.insert(1, self.examine_certificate());
        said.extend(self.examine_monitor().await);
        said
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_mins(5)
    }

    fn retry_after(&self) -> Duration {
        // a box is not asked more often
        Duration::from_secs(30).min(self.settings.poll)
    }
}
