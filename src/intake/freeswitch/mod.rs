//! FreeSWITCH: the mailboxes of `mod_voicemail`, over the event socket.
//!
//! Promises: a message is taken when it stands in `vm_list` (the file alone is no sign: the caller is recorded straight
//! into it); marking as read names one call, always, and is looked at afterwards; a lost connection is made again.
//! Identity (`Found::key`) is the call's id with the name of the recording: one call can leave several messages. An event makes us look at once; the poll is there for when none comes.
//!
//! What can go wrong: the password or the access list (`Refused`), a profile that is not known (`Trouble`), a recording
//! outside the storage folder or not readable (`Sound::Refused`), and a mailbox that does not exist: FreeSWITCH lists it
//! as an empty one, which only `nachtwache check` can tell. FusionPBX keeps its voicemail elsewhere: nothing is seen here.

mod esl;
mod frame;
mod messages;
mod sound;

pub use esl::EslSettings;
pub use messages::Mailbox;
pub use sound::WebFiles;

use crate::domain::report::{Arrival, Content};
use crate::intake::files::Attempts;
use crate::intake::http::Limits;
use crate::intake::memory::Memory;
use crate::intake::shown;
use crate::intake::since::{Reach, Since, Window};
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::runtime::clock::Clock;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use esl::Session;
use messages::{CallId, Command, NoListing, Row};
use sound::Recordings;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A message that somebody has read is listed for so long after it was left.
const OVERLAP: TimeDelta = TimeDelta::days(31);
/// The event is fired before the message stands in the mailbox: look again after these.
const ECHOES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// A lost session is not made again sooner.
const RECONNECT: Duration = Duration::from_secs(1);

/// Settings of a FreeSWITCH.
#[derive(Debug)]
pub struct FreeSwitchSettings {
    /// Its event socket.
    pub esl: EslSettings,
    /// Which mailboxes.
    pub mailboxes: Vec<Mailbox>,
    /// The folder that holds all recordings, as FreeSWITCH names it.
    pub storage: PathBuf,
    /// A web server that serves that folder; without one it is on this machine.
    pub files: Option<WebFiles>,
    /// How often to look where no event comes.
    pub poll: Duration,
    /// Mark a stored message as read.
    pub mark_read: bool,
    /// How far back read messages are taken at the first start; unread ones always are.
    pub first_look: TimeDelta,
    /// The mailbox ends a recording after so many seconds.
    pub longest_s: Option<u32>,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// How long requests for recordings may take.
    pub limits: Limits,
}

/// The messages of a mailbox and how many have no name, or what is wrong with it.
type Listed = Result<(Vec<Row>, usize), Trouble>;

/// Messages by key, each with the place of its mailbox in the settings.
type Rows = HashMap<String, (usize, Row)>;

/// The mailboxes of a FreeSWITCH.
pub struct FreeSwitch {
    name: String,
    esl: EslSettings,
    mailboxes: Vec<Mailbox>,
    recordings: Recordings,
    settings: Kept,
    since: Since,
    clock: Arc<dyn Clock>,
    attempts: Attempts,
    session: Option<Session>,
    /// What was listed last.
    rows: Rows,
    /// When to look again after an event.
    echoes: Vec<Instant>,
}

/// Settings that are only read.
struct Kept {
    poll: Duration,
    mark_read: bool,
    longest_s: Option<u32>,
    max_bytes: u64,
}

impl FreeSwitch {
    /// A FreeSWITCH; nothing is asked before the first `list`.
    ///
    /// # Errors
    /// Where the address of the recordings' web server cannot be used.
    pub fn open(
        name: String,
        settings: FreeSwitchSettings,
        memory: Memory,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let FreeSwitchSettings { storage, files, limits, max_bytes, .. } = settings;
        let (first_look, longest) = (settings.first_look, TimeDelta::days(36_500));
        Ok(Self {
            name,
            esl: settings.esl,
            mailboxes: settings.mailboxes,
            recordings: Recordings::open(storage, files, limits, max_bytes)?,
            settings: Kept {
                poll: settings.poll,
                mark_read: settings.mark_read,
                longest_s: settings.longest_s,
                max_bytes,
            },
            since: Since::new(memory, Reach { first_look, overlap: OVERLAP, longest }),
            clock,
            attempts: Attempts::new(limits.give_up),
            session: None,
            rows: HashMap::new(),
            echoes: Vec::new(),
        })
    }

    /// Asks, over the session that is there or over a new one. The session is out of reach meanwhile: a call that is
    /// dropped midway leaves none that waits for somebody else's answer.
    async fn ask(&mut self, command: &Command) -> Result<Vec<u8>, SourceError> {
        if let Some(mut session) = self.session.take()
            && let Ok(answer) = session.ask(&self.esl, command).await
        {
            self.session = Some(session);
            return Ok(answer);
        }
        // it was from before FreeSWITCH's restart, or there was none
        let mut session = Session::open(&self.esl).await?;
        let answer = session.ask(&self.esl, command).await?;
        self.session = Some(session);
        Ok(answer)
    }

    /// The messages of one mailbox, or what is wrong with it alone.
    async fn rows(&mut self, mailbox: &Mailbox) -> Result<Listed, SourceError> {
        let answer = self.ask(&Command::list(mailbox)).await?;
        let address = &self.esl.address;
        match messages::parse(&answer) {
            Ok(rows) => Ok(Ok(rows)),
            Err(NoListing::NoMailbox) => {
                let what = format!(
                    "FreeSWITCH at {address} knows no voicemail profile for {mailbox}; remedy: check the key profile"
                );
                Ok(Err(Trouble { key: format!("mailbox/{mailbox}"), what, loses_calls: true }))
            }
            Err(NoListing::NoModule) => Err(SourceError::Unreachable(format!(
                "FreeSWITCH at {address} has no mod_voicemail; remedy: load it (FusionPBX: see docs/sources/freeswitch.md)"
            ))),
            Err(NoListing::Garbage) => Err(SourceError::Unreachable(format!(
                "FreeSWITCH at {address} lists {mailbox} in a way that is not understood; remedy: see whether it is overloaded"
            ))),
        }
    }

    /// Every mailbox's messages, or what is wrong with it; an error where none could be read for another reason than
    /// its own.
    async fn read_all(&mut self) -> Result<Vec<Listed>, SourceError> {
        let (mut all, mut first, mut gone) = (Vec::new(), None, None::<String>);
        let failed = |mailbox: &Mailbox, why: &str| {
            let what = format!("the messages of {mailbox} cannot be listed: {why}");
            Err(Trouble { key: format!("mailbox/{mailbox}"), what, loses_calls: true })
        };
        for mailbox in self.mailboxes.clone() {
            if let Some(why) = &gone {
                // nobody is there: to ask for every further mailbox would only take its time
                all.push(failed(&mailbox, why));
                continue;
            }
            match self.rows(&mailbox).await {
                Ok(listed) => all.push(listed),
                Err(error) => {
                    all.push(failed(&mailbox, &error.to_string()));
                    first.get_or_insert(error);
                    if self.session.is_none() && all.len() < self.mailboxes.len() {
                        // this mailbox alone may have cost the session
                        match Session::open(&self.esl).await {
                            Ok(session) => self.session = Some(session),
                            Err(error) => gone = Some(error.to_string()),
                        }
                    }
                }
            }
        }
        match first {
            Some(error) if all.iter().all(Result::is_err) => Err(error),
            _ => Ok(all),
        }
    }

    /// Puts one mailbox's messages into the listing; what was listed before stays in it, read or not.
    fn note(&mut self, at: usize, rows: Vec<Row>, before: &Rows, window: Window, listing: &mut Listing) {
        for row in rows {
            let created = row.created.and_then(|second| DateTime::from_timestamp(second, 0));
            let is_old = created.is_some_and(|created| created < window.from);
            let is_done = row.is_read && is_old && !before.contains_key(&row.key);
            if !is_done && !self.rows.contains_key(&row.key) {
                listing.found.push(Found { key: row.key.clone(), place: self.mailboxes[at].to_string() });
                self.rows.insert(row.key.clone(), (at, row));
            }
        }
    }

    /// Messages that cannot be told apart and so cannot be taken.
    fn nameless(&self, at: usize, count: usize) -> Option<Trouble> {
        let mailbox = &self.mailboxes[at];
        let what = format!("{mailbox} holds {count} messages without id and file; remedy: listen to it by telephone");
        (count > 0).then(|| Trouble { key: format!("nameless/{mailbox}"), what, loses_calls: true })
    }

    async fn mark(&mut self, mailbox: &Mailbox, id: CallId, key: &str) -> Result<(), SourceError> {
        let answer = self.ask(&Command::read(mailbox, id)).await?;
        let unread = match self.rows(mailbox).await? {
            Ok((rows, _)) => rows.iter().any(|row| row.key == key && !row.is_read),
            Err(trouble) => return Err(SourceError::Unreachable(trouble.what)),
        };
        if !unread {
            return Ok(());
        }
        let says = if answer.starts_with(b"+OK") { "and says that it did" } else { "and says why in its log" };
        Err(SourceError::Unreachable(format!(
            "FreeSWITCH at {} did not mark message {key} of {mailbox} as read {says}; remedy: see whether its database is full",
            self.esl.address
        )))
    }

    /// The next time to look: an echo of the last event, or the poll.
    fn wait(&self) -> Duration {
        let until = |at: &Instant| at.saturating_duration_since(Instant::now());
        self.echoes.iter().map(until).min().map_or(self.settings.poll, |echo| echo.min(self.settings.poll))
    }
}

#[async_trait]
impl Source for FreeSwitch {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let now = self.clock.now();
        let window = self.since.window(now).await?;
        let all = self.read_all().await?;
        let mut listing = Listing::default();
        let whole = all.iter().all(Result::is_ok);
        let before = std::mem::take(&mut self.rows);
        for (at, rows) in all.into_iter().enumerate() {
            match rows {
                Ok((rows, nameless)) => {
                    self.note(at, rows, &before, window, &mut listing);
                    listing.troubles.extend(self.nameless(at, nameless));
                }
                Err(trouble) => {
                    listing.troubles.push(trouble);
                    // what is known of its messages holds until it can be read again
                    let of_it = before.iter().filter(|(_, (mailbox, _))| *mailbox == at);
                    self.rows.extend(of_it.map(|(key, known)| (key.clone(), known.clone())));
                }
            }
        }
        let rows = &self.rows;
        self.attempts.retain(|key| rows.contains_key(key));
        if whole {
            self.since.looked(now).await;
        }
        Ok(listing)
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let gone = || SourceError::Gone(format!("message {} is no longer in {}", found.key, found.place));
        let (at, row) = self.rows.get(&found.key).cloned().ok_or_else(gone)?;
        let fetched = self.recordings.fetch(&row.path, self.settings.max_bytes).await;
        let name = Path::new(&row.path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let place = if row.path.is_empty() { PathBuf::from(&found.place) } else { PathBuf::from(&row.path) };
        let sound =
            self.attempts.sound(&found.key, fetched, name, place, "listen to it by telephone, then mend that")?;
        // the row is written when the recording ends
        let began = row.created.map(|second| second - i64::from(row.seconds));
        Ok(Arrival {
            source: self.name.clone(),
            key: found.key.clone(),
            mailbox: Some(self.mailboxes[at].to_string()),
            caller: shown::caller(&row.number, &row.name),
            called_at: began.and_then(|second| DateTime::from_timestamp(second, 0)),
            content: Content::Voicemail(sound),
            twin: None,
            longest_s: self.settings.longest_s,
        })
    }

    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError> {
        let Some((at, row)) = self.rows.get(&found.key).filter(|_| self.settings.mark_read) else { return Ok(()) };
        // an id of another form cannot be named safely: the message stays as it is, the store knows it
        let Some(id) = CallId::parse(&row.uuid).filter(|_| !row.is_read) else { return Ok(()) };
        let mailbox = self.mailboxes[*at].clone();
        self.mark(&mailbox, id, &found.key).await
    }

    async fn changed(&mut self) {
        self.echoes.retain(|at| *at > Instant::now());
        let wait = self.wait();
        let Some(session) = &mut self.session else { return tokio::time::sleep(wait).await };
        match tokio::time::timeout(wait, session.hint()).await {
            Ok(Ok(())) => self.echoes = ECHOES.iter().map(|after| Instant::now() + *after).collect(),
            Ok(Err(why)) => {
                tracing::warn!(source = %self.name, why, "the session with FreeSWITCH ended; making a new one");
                self.session = None;
                tokio::time::sleep(RECONNECT).await;
            }
            Err(_) => {}
        }
    }

    async fn examine(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        for mailbox in self.mailboxes.clone() {
            let rows = match self.rows(&mailbox).await {
                Ok(Ok((rows, _))) => Ok(format!("{mailbox}: {} messages", rows.len())),
                Ok(Err(trouble)) => Err(trouble.what),
                Err(error) => return vec![Err(error.to_string())],
            };
            let known = self.ask(&Command::user_exists(&mailbox)).await;
            let missing = known.is_ok_and(|answer| answer.starts_with(b"false"));
            let unknown = || format!("FreeSWITCH's directory knows no {mailbox}; remedy: check the key mailboxes");
            said.push(if missing { Err(unknown()) } else { rows });
        }
        said.push(self.recordings.examine());
        said
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_mins(5)
    }

    fn retry_after(&self) -> Duration {
        RECONNECT
    }
}
