//! A mailbox at a mail provider, by IMAP: recordings that arrive as mails, and written reports.
//!
//! Promises: mails are read by `BODY.PEEK[]` only; nothing is touched but the mails that are stored, and those only as
//! `confirm` says. A mail is the same mail when the server numbers anew or somebody moves it out and back (`twin`). A
//! mail that cannot be read, is too large or cannot be fetched is handed over all the same: a person looks.
//!
//! Identity (`Found::key`) is `UIDVALIDITY/UID`, with a counter behind it where another server, user or folder took over
//! the name of the source. Mails that came before the first start (less `first_look`) are left
//! alone for ever; everything later is taken, however long the service was away.
//! Where the server numbers anew, mails from the week before the last good look on are looked at once more, older ones are
//! settled, and so are those that carry our keyword.
//!
//! What can go wrong: the line (pauses up to five minutes), the login (a person mends it), a token that ends (come by
//! anew), a mailbox that is full (told at 90 %). IDLE may die unnoticed: under it lie keepalive and the poll.

mod begin;
mod book;
mod look;
mod oauth;
mod session;
mod settings;
mod speech;
mod take;
mod wire;

pub use oauth::{DeviceCode, OAuthSettings, Tokens};
pub use settings::{Confirm, ImapSettings, Login};

use crate::domain::report::Arrival;
use crate::intake::memory::Memory;
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::runtime::clock::Clock;
use async_trait::async_trait;
use book::Book;
use look::Look;
use session::Session;
use speech::Fault;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::ClientConfig;

/// Without IDLE the folder is looked at so often, whatever the settings say.
const POLL_ONLY: Duration = Duration::from_mins(1);
/// How often the server is asked how full the mailbox is.
const QUOTA_EVERY: Duration = Duration::from_mins(15);
/// While the server is away, marking does not reach for it more often.
const AWAY: Duration = Duration::from_secs(10);
/// A session that lived longer was a good one.
const GOOD: Duration = Duration::from_mins(1);

/// A mailbox at a mail provider.
pub struct ImapSource {
    name: String,
    settings: ImapSettings,
    memory: Memory,
    clock: Arc<dyn Clock>,
    trust: Option<Arc<ClientConfig>>,
    tokens: Option<Tokens>,
    /// Taken out while in use: a call that is dropped midway leaves no half-used session.
    session: Option<Session>,
    book: Book,
    /// When the server was last asked how full the mailbox is.
    asked: Option<Instant>,
    troubles: Vec<Trouble>,
    /// When the server could not be reached last, if no session was opened since.
    away: Option<Instant>,
    /// Look again so soon.
    soon: Option<Duration>,
    /// Sessions in a row that ended early.
    short: u32,
    no_idle: bool,
}

impl ImapSource {
    /// A mailbox; nothing is reached for before the first `list`.
    #[must_use]
    pub fn new(name: String, settings: ImapSettings, memory: Memory, clock: Arc<dyn Clock>) -> Self {
        let tokens = match &settings.login {
            Login::OAuth(oauth) => Some(Tokens::new(oauth.clone(), memory.clone(), settings.patience)),
            Login::Password(_) => None,
        };
        Self {
            name,
            settings,
            memory,
            clock,
            trust: None,
            tokens,
            session: None,
            book: Book::default(),
            asked: None,
            troubles: Vec::new(),
            away: None,
            soon: None,
            short: 0,
            no_idle: false,
        }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }

    async fn open(&mut self) -> Result<Session, SourceError> {
        let trust = if let Some(trust) = &self.trust {
            trust.clone()
        } else {
            let read = wire::trust(self.settings.ca.as_deref());
            self.trust.insert(read.map_err(SourceError::Refused)?).clone()
        };
        let session = Session::open(&self.settings, &trust, self.tokens.as_mut()).await?;
        self.asked = None;
        Ok(session)
    }

    /// The session, or a new one.
    async fn session(&mut self) -> Result<Session, SourceError> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let opened = self.open().await;
        self.away = opened.is_err().then(Instant::now);
        opened
    }

    /// One look; the session is kept unless it broke.
    async fn look(&mut self, began: Instant) -> Result<Option<Duration>, SourceError> {
        let mut session = self.session().await?;
        let place = self.place();
        let keyword = match &self.settings.confirm {
            Confirm::Keyword(keyword) => Some(keyword.as_str()),
            Confirm::Seen | Confirm::Move(_) => None,
        };
        let looked = Look {
            session: &mut session,
            book: &mut self.book,
            memory: &self.memory,
            reading: &self.settings.reading,
            place: &place,
            folder: &self.settings.folder,
            identity: &self.settings.identity(),
            keyword,
            began,
            old: 0,
            now: self.clock.now(),
            reach_back: self.settings.first_look,
        }
        .look()
        .await;
        if matches!(looked, Ok(_) | Err(SourceError::Busy(_))) {
            self.session = Some(session);
        }
        looked
    }

    /// What should be mended; while there is no session, what was found last.
    async fn troubles(&mut self) -> Vec<Trouble> {
        let Some(mut session) = self.session.take() else { return self.troubles.clone() };
        let place = self.place();
        self.troubles.retain(|trouble| trouble.key != "confirm");
        if let Some(why) = session.unmarkable(&self.settings) {
            let what = format!("{place}: {why}; until then only the store knows what was taken");
            self.troubles.push(Trouble { key: "confirm".to_owned(), what, loses_calls: false });
        }
        if self.asked.is_some_and(|asked| asked.elapsed() < QUOTA_EVERY) {
            self.session = Some(session);
            return self.troubles.clone();
        }
        match session.filled(&self.settings.folder).await {
            Ok(filled) => {
                self.asked = Some(Instant::now());
                self.session = Some(session);
                self.troubles.retain(|trouble| trouble.key == "confirm");
                self.troubles.extend(full(&place, filled.unwrap_or(0)));
            }
            Err(fault) => tracing::debug!(source = %self.name, why = %fault.why(), "the session ended"),
        }
        self.troubles.clone()
    }
}

/// A mailbox that fills up; one that is full loses what comes next.
fn full(place: &str, filled: u64) -> Option<Trouble> {
    let (key, loses_calls) = match filled {
        ..90 => return None,
        90..98 => ("nearly full", false),
        98.. => ("full", true),
    };
    let what = format!("{place}: the mailbox is filled to {filled} %; remedy: delete old mails");
    Some(Trouble { key: key.to_owned(), what, loses_calls })
}

#[async_trait]
impl Source for ImapSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let used = self.session.is_some();
        let began = Instant::now();
        let mut looked = self.look(began).await;
        if used && began.elapsed() < GOOD && matches!(looked, Err(SourceError::Unreachable(_))) {
            // a session that was kept may have died unnoticed
            self.session = None;
            looked = self.look(began).await;
        }
        self.soon = match looked {
            Ok(soon) => soon,
            // what was read before the line broke is taken first
            Err(error @ (SourceError::Unreachable(_) | SourceError::Refused(_))) if self.book.has_unoffered() => {
                tracing::debug!(source = %self.name, %error, "the look broke off");
                Some(Duration::from_secs(1))
            }
            Err(error) => {
                // what could not be stored meanwhile is listed again at the next look
                self.book.offered(false);
                return Err(error);
            }
        };
        self.book.offered(true);
        let troubles = self.troubles().await;
        let found = |uid: u32| Found { key: self.book.key(uid), place: self.settings.folder.clone() };
        Ok(Listing { found: self.book.pending().into_iter().map(found).collect(), troubles })
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        self.take_one(found).await
    }

    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError> {
        let Some((validity, uid)) = book::parts(&found.key) else { return Ok(()) };
        self.book.stored(validity, uid);
        if self.session.is_none() && self.away.is_some_and(|at| at.elapsed() < AWAY) {
            // what else was read is stored first
            return Err(SourceError::Unreachable(format!("{}: cannot be reached", self.place())));
        }
        let mut session = self.session().await?;
        // numbered anew: it is confirmed under its new key
        if session.validity != validity {
            self.session = Some(session);
            return Ok(());
        }
        let place = self.place();
        match session.confirm(&self.settings, uid).await {
            Err(fault @ Fault::Lost(_)) => Err(SourceError::Unreachable(format!("{place}: {}", fault.why()))),
            Err(fault) => {
                self.session = Some(session);
                let text = format!("{place}: a stored mail cannot be marked: {}", fault.why());
                Err(SourceError::Refused(format!("{text}; remedy: give the right, or change confirm")))
            }
            Ok(()) => {
                self.session = Some(session);
                Ok(())
            }
        }
    }

    async fn changed(&mut self) {
        if let Some(soon) = self.soon.take() {
            return tokio::time::sleep(soon).await;
        }
        let idles = self.session.as_ref().is_some_and(Session::can_idle) && !self.no_idle;
        let news = self.session.as_ref().is_some_and(Session::has_news);
        if news {
            return;
        }
        if !idles {
            return tokio::time::sleep(self.settings.poll.min(POLL_ONLY)).await;
        }
        let Some(mut session) = self.session.take() else { return };
        let lived = session.opened;
        match session.idle(self.settings.poll.min(self.settings.idle)).await {
            Ok(()) => {
                self.short = 0;
                self.session = Some(session);
            }
            Err(Fault::Denied { .. }) => {
                tracing::warn!(source = %self.name, "the server refuses IDLE: new mails are seen by polling");
                self.no_idle = true;
                self.session = Some(session);
            }
            Err(Fault::Lost(why)) => {
                tracing::debug!(source = %self.name, %why, "the session ended");
                self.short = if lived.elapsed() < GOOD { self.short.saturating_add(1) } else { 0 };
                // a server that ends every session at once is not to be stormed
                let pause = Duration::from_secs((1 << self.short.min(12)) - 1).min(self.settings.poll);
                tokio::time::sleep(pause).await;
            }
        }
    }

    async fn examine(&mut self) -> Vec<Said> {
        let place = self.place();
        let mut session = match self.session().await {
            Ok(session) => session,
            Err(error) => return vec![Err(error.to_string())],
        };
        let (folder, exists) = (&self.settings.folder, session.exists);
        let mut said = vec![Ok(format!("{place}: logged in, the folder {folder} is open, {exists} mails in it"))];
        said.push(Ok(if session.can_idle() {
            "the server tells of new mails at once (IDLE)".to_owned()
        } else {
            let poll = self.settings.poll.min(POLL_ONLY).as_secs();
            format!("the server has no IDLE: it is asked every {poll} s")
        }));
        said.push(Ok(match (session.unmarkable(&self.settings), &self.settings.confirm) {
            (Some(why), _) => format!("{why}; until then only the store knows what was taken"),
            (None, Confirm::Keyword(keyword)) => format!("stored mails get the keyword {keyword}"),
            (None, Confirm::Seen) => "stored mails are marked as read".to_owned(),
            (None, Confirm::Move(to)) => format!("stored mails are moved to {to}"),
        }));
        match session.filled(folder).await {
            Ok(Some(filled)) if filled >= 90 => {
                said.push(Err(format!("the mailbox is filled to {filled} %; remedy: delete old mails")));
            }
            Ok(Some(filled)) => said.push(Ok(format!("the mailbox is filled to {filled} %"))),
            Ok(None) => {}
            Err(fault) => said.push(Err(format!("{place}: {}", fault.why()))),
        }
        self.session = Some(session);
        said
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_mins(5)
    }

    fn retry_after(&self) -> Duration {
        Duration::from_secs(1)
    }
}
