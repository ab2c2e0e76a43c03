//! Asterisk and FreePBX: the voicemail spool of a PBX on this machine or on a mounted folder.
//!
//! Promises: never takes Asterisk's lock, never writes into the spool; a voice is handed over with its own caller or
//! not at all; a message is the same message wherever it is renumbered or moved to. Tested against the files of a real
//! Asterisk 22.10.1 and a replay of what it did to them.
//!
//! Identity (`Found::key`) is `context/mailbox/msg_id`. A message without an id (Asterisk < 11), or with one that was
//! given to it later, is known by its start, caller, first mailbox and length (hashed); so it keeps its identity when a
//! newer Asterisk gives it an id.
//!
//! What can go wrong: no rights (the user must be in the group asterisk), a lock left behind, text without sound, a
//! full mailbox: each is a `Trouble`. Moving a message that is safe to another folder is done by Asterisk itself, over
//! its manager interface, and only if that is configured; if it fails nothing is lost.

mod ami;
mod limits;
mod listing;
mod message;
mod read;
mod take;

pub use ami::AmiSettings;

use crate::domain::report::Arrival;
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::intake::watch::{Watch, blocking, lock};
use async_trait::async_trait;
use limits::Conf;
use listing::Memory;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// New messages lie in these; `Urgent` ones not in INBOX.
const TO_READ: [&str; 2] = ["INBOX", "Urgent"];
/// Settings of a spool.
#[derive(Debug)]
pub struct SpoolSettings {
    /// The folder `voicemail` of Asterisk's spool, usually `/var/spool/asterisk/voicemail`.
    pub root: PathBuf,
    /// Context and mailbox; empty means every mailbox found.
    pub mailboxes: Vec<(String, String)>,
    /// How often to look where nothing was noticed.
    pub poll: Duration,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// Asterisk's `voicemail.conf`; read once, where it can be read.
    pub conf: Option<PathBuf>,
    /// Asterisk's `maxmsg`, messages per folder, where `conf` does not say it; 0 never warns.
    pub max_messages: usize,
    /// Warn when a folder holds this many per cent of it.
    pub warn_percent: usize,
    /// Move messages that are safe.
    pub ami: Option<AmiSettings>,
}

impl SpoolSettings {
    /// All mailboxes below `root`: poll 30 s, 64 MiB, 80 % of 100 messages, nothing is moved.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            mailboxes: Vec::new(),
            poll: Duration::from_secs(30),
            max_bytes: 64 * 1024 * 1024,
            conf: None,
            max_messages: 100,
            warn_percent: 80,
            ami: None,
        }
    }
}

/// The voicemail spool of an Asterisk.
pub struct AsteriskSpool {
    name: String,
    settings: Arc<SpoolSettings>,
    memory: Arc<Mutex<Memory>>,
    watch: Watch,
    unsettled: bool,
}

impl AsteriskSpool {
    /// A spool; but for `voicemail.conf` nothing is read before the first `list`.
    #[must_use]
    pub fn new(name: String, settings: SpoolSettings) -> Self {
        let watch = Watch::new(settings.root.clone(), true, |name| name.starts_with("msg"));
        let text = settings.conf.as_ref().and_then(|conf| std::fs::read_to_string(conf).ok());
        let memory = Memory::knowing(text.map(|text| Conf::parse(&text)));
        let memory = Arc::new(Mutex::new(memory));
        Self { name, settings: Arc::new(settings), memory, watch, unsettled: false }
    }
}

#[async_trait]
impl Source for AsteriskSpool {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let (settings, memory, watch) = (self.settings.clone(), self.memory.clone(), self.watch.clone());
        let look = blocking(move || {
            watch.ensure();
            listing::list(&settings, &mut lock(&memory))
        })
        .await?;
        self.unsettled = look.unsettled;
        let mut listing = look.listing;
        let watching = self.watch.trouble();
        listing.troubles.extend(watching.map(|what| Trouble { key: "watch".to_owned(), what, loses_calls: false }));
        Ok(listing)
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let (settings, memory, wanted) = (self.settings.clone(), self.memory.clone(), found.clone());
        let source = self.name.clone();
        blocking(move || take::take(&settings, &mut lock(&memory), &source, &wanted)).await
    }

    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError> {
        let Some(ami) = &self.settings.ami else { return Ok(()) };
        let Some(there) = self.locate(found).await? else { return Ok(()) };
        let Some(id) = there.id.clone() else { return Ok(()) };
        let request =
            ami::Move { context: &there.mailbox.context, mailbox: &there.mailbox.name, folder: &there.folder, id: &id };
        let why = match ami::move_message(ami, &request).await {
            Ok(ami::Answer::Moved) => return Ok(()),
            Ok(ami::Answer::NotMoved(why)) => why,
            Err(error) => return Err(SourceError::Unreachable(error.to_string())),
        };
        match self.locate(found).await? {
            // somebody else was faster
            None => Ok(()),
            Some(_) => Err(SourceError::Unreachable(format!(
                "Asterisk did not move message {id} of mailbox {} to {}: {why}; remedy: see whether that folder is full",
                there.mailbox.name, ami.to_folder
            ))),
        }
    }

    async fn examine(&mut self) -> Vec<Said> {
        let remedy = "is it the right path? Add this user to the group asterisk (usermod -aG asterisk nachtwache) and \
                      start again";
        let shown = self.settings.root.display().to_string();
        let root = self.settings.root.clone();
        let read = blocking(move || Ok(std::fs::read_dir(&root).map(drop))).await;
        let mut said = vec![match read {
            Ok(Ok(())) => Ok(shown),
            Ok(Err(error)) => Err(format!("{shown} cannot be read ({error}): {remedy}")),
            Err(error) => Err(error.to_string()),
        }];
        match (&lock(&self.memory).conf, &self.settings.conf) {
            (Some(conf), _) => said.extend(conf.said(&self.settings.mailboxes)),
            (None, Some(path)) => said.push(Ok(format!(
                "{} cannot be read: what would cut a caller off (maxsecs, maxsilence, minsecs, maxmsg) is not known",
                path.display()
            ))),
            (None, None) => {}
        }
        said
    }

    async fn changed(&mut self) {
        let within = if self.unsettled { self.retry_after() } else { self.settings.poll };
        self.watch.changed(within).await;
    }
}

impl AsteriskSpool {
    /// Where a message lies among the new ones.
    async fn locate(&self, found: &Found) -> Result<Option<take::There>, SourceError> {
        let (settings, memory, wanted) = (self.settings.clone(), self.memory.clone(), found.clone());
        blocking(move || {
            let mailbox = take::mailbox_of(&settings, &wanted.key)?;
            let places = take::search(&mailbox, &wanted, &mut lock(&memory))?.places;
            Ok(places.into_iter().find(|there| TO_READ.contains(&there.folder.as_str())))
        })
        .await
    }
}
