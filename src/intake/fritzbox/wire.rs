//! The connections to the box: bounded requests, pinned certificates, one login.
//!
//! No address leaves this file in an error: a session id may stand in it. Redirects are not followed, proxies not used.

use super::home::{Door, Home};
use super::menu;
use super::pin::{Fingerprint, Pin};
use super::{FritzSettings, Limits};
use crate::intake::digest::Challenge;
use crate::intake::memory::Memory;
use crate::intake::source::SourceError;
use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{Client, RequestBuilder};
use secrecy::SecretString;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the box answered, whole.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Who answered.
    pub(super) peer: Option<IpAddr>,
    /// What it asks for.
    pub(super) challenge: Option<Challenge>,
}

/// Why there is no answer.
pub(super) enum Lost {
    /// The certificate is another one.
    Certificate { pinned: String, shown: Fingerprint },
    /// No connection, no answer, or it broke off.
    Network(String),
    /// More than so many bytes.
    TooLarge(u64),
    /// The store cannot remember the certificate.
    Memory(SourceError),
}

/// One of the box's servers.
struct Server {
    client: Client,
    pin: Option<Arc<Pin>>,
    /// By which name its certificate is remembered.
    name: String,
}

/// The way to the box.
pub(super) struct Wire {
    pub(super) home: Home,
    pub(super) username: String,
    pub(super) password: SecretString,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    /// What the TR-064 server asked for last.
    pub(super) challenge: Option<Challenge>,
    /// A session at the box's pages, and since when.
    pub(super) session: Option<(String, Instant)>,
    /// The box wants no login at its pages before.
    pub(super) blocked_until: Option<Instant>,
    tr064: Server,
    web: Server,
}

impl Wire {
    /// Nothing is reached for yet, but what was remembered is read.
    pub(super) async fn open(settings: &FritzSettings, memory: Memory) -> Result<Self, SourceError> {
        let home = Home::new(settings.address.clone(), settings.web.clone());
        let name = |door| format!("certificate of {}", home.shown(door));
        let (tr064, web) = (name(Door::Tr064), name(Door::Web));
        let mut pinned = settings.fingerprints.clone();
        if pinned.is_empty() {
            pinned.extend(memory.recall(&tr064).await?);
        }
        let is_tls = |door| home.url(door).scheme() == "https";
        let first = is_tls(Door::Tr064).then(|| Pin::new(pinned, None));
        // where the settings name certificates no other one counts, at neither door
        let known = match settings.fingerprints.as_slice() {
            [] => Vec::from_iter(memory.recall(&web).await?),
            configured => configured.to_vec(),
        };
        let second = is_tls(Door::Web).then(|| Pin::new(known, first.clone()));
        Ok(Self {
            tr064: Server::new(tr064, first, settings.limits)?,
            web: Server::new(web, second, settings.limits)?,
            home,
            username: settings.username.clone(),
            password: settings.password.clone(),
            limits: settings.limits,
            memory,
            challenge: None,
            session: None,
            blocked_until: None,
        })
    }

    pub(super) fn client(&self, door: Door) -> &Client {
        &self.server(door).client
    }

    fn server(&self, door: Door) -> &Server {
        match door {
            Door::Tr064 => &self.tr064,
            Door::Web => &self.web,
        }
    }

    /// The certificate that the TR-064 server must show; `None` without TLS.
    pub(super) fn pinned(&self) -> Option<String> {
        self.tr064.pin.as_ref().map(|pin| pin.pinned())
    }

    /// Sends a request and reads the whole answer, at most `max` bytes. A certificate seen for the first time is
    /// remembered before this returns.
    pub(super) async fn fetch(
        &self,
        door: Door,
        request: RequestBuilder,
        limit: Duration,
        max: u64,
    ) -> Result<Answer, Lost> {
        let server = self.server(door);
        let sent = request.timeout(limit).send().await;
        if let Some(pin) = &server.pin
            && let Some(fresh) = pin.fresh()
        {
            if sent.as_ref().is_err_and(reqwest::Error::is_connect) {
                pin.forget_fresh();
            } else if sent.is_ok() {
                self.memory.keep(&server.name, &fresh).await.map_err(Lost::Memory)?;
                pin.remembered();
            }
        }
        let mut response = sent.map_err(|error| server.lost(error))?;
        let headers = response.headers().get_all(WWW_AUTHENTICATE);
        let challenge = headers.iter().filter_map(|value| value.to_str().ok()).find_map(Challenge::parse);
        let (status, peer) = (response.status().as_u16(), response.remote_addr().map(|address| address.ip()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| server.lost(error))? {
            if (body.len() + chunk.len()) as u64 > max {
                return Err(Lost::TooLarge(max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body, peer, challenge })
    }

    /// What a lost answer means for the mailbox.
    pub(super) fn failed(&self, door: Door, lost: Lost) -> SourceError {
        let shown = self.home.shown(door);
        match lost {
            Lost::Certificate { pinned, shown: other } => SourceError::Refused(format!(
                "the certificate of the FRITZ!Box at {shown} has changed: known is {pinned}, shown was {other}; nothing was \
                 sent to it; remedy: if the box was replaced or reset, write fingerprint = \"{other}\" for this source in \
                 the settings (several, divided by commas, where its doors differ); if not, find out who answers there"
            )),
            Lost::Network(why) => SourceError::Unreachable(format!(
                "the FRITZ!Box at {shown} cannot be reached: {why}; remedy: check the address, the network and the box \
                 ({})",
                menu::LET_PROGRAMS_IN
            )),
            Lost::TooLarge(max) => {
                SourceError::Unreachable(format!("the FRITZ!Box at {shown} answers with more than {max} bytes"))
            }
            Lost::Memory(error) => error,
        }
    }
}

impl Server {
    fn new(name: String, pin: Option<Arc<Pin>>, limits: Limits) -> Result<Self, SourceError> {
        let unusable = |error: String| SourceError::Unreachable(format!("no TLS is to be had: {error}"));
        let mut client = Client::builder()
            .connect_timeout(limits.connect)
            // boxes close idle connections early
            .pool_idle_timeout(Duration::from_secs(5))
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("nachtwache/", env!("CARGO_PKG_VERSION")));
        if let Some(pin) = &pin {
            client = client.use_preconfigured_tls(pin.tls().map_err(|error| unusable(error.to_string()))?);
        }
        let client = client.build().map_err(|error| unusable(error.to_string()))?;
        Ok(Self { client, pin, name })
    }

    fn lost(&self, error: reqwest::Error) -> Lost {
        if let Some(pin) = &self.pin
            && let Some(shown) = pin.wrong()
        {
            return Lost::Certificate { pinned: pin.pinned(), shown };
        }
        Lost::Network(told(error))
    }
}

/// What went wrong, without the address.
fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let error = error.without_url();
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}
