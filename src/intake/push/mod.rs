//! The door for peers that come to us: recordings pushed over HTTP, and webhooks that tell of one.
//!
//! Promise: a 2xx means that the recording is safe on our disk. The same message twice is one report; an id that is used
//! for another recording loses neither. What is too large stays on record and wakes a human. A stranger (no token, no
//! signature) makes us read nothing and store nothing.
//!
//! What can go wrong: the address cannot be listened on (tried again, told to people as any mailbox that cannot be
//! reached), the store refuses (503 and the siren), a recording cannot be fetched (twilio). A slow or broken body costs its
//! sender a 408 or 400; nothing of it is kept. At most eight messages of a peer are taken in at once.

mod answer;
mod peer;
mod twilio;
mod upload;
mod voicemails;

pub use answer::ROUTES;

use crate::intake::Desk;
use crate::intake::source::SourceError;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::server::{self, Bounds};
use crate::runtime::siren::Siren;
use crate::runtime::status::{State, Status};
use axum::routing::{get, post};
use axum::{Router, middleware};
use peer::Peer;
use reqwest::Url;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use twilio::Webhook;
use voicemails::Pusher;

/// The worker's name on the board.
const WORKER: &str = "intake.push";
/// What `GET /api/v1/openapi.json` answers.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// Everything the door needs to know.
#[derive(Debug, Clone)]
pub struct DoorSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// Peers that push.
    pub pushers: Vec<PushSettings>,
    /// Providers whose webhooks come in.
    pub webhooks: Vec<TwilioSettings>,
    /// How long and how much at once.
    pub limits: Limits,
}

/// A peer that pushes.
#[derive(Debug, Clone)]
pub struct PushSettings {
    /// The source's name.
    pub name: String,
    /// The tokens that count now.
    pub tokens: Vec<SecretString>,
    /// The mailbox where the peer names none.
    pub mailbox: Option<String>,
    /// The peer ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

/// A provider whose webhooks come in.
#[derive(Debug, Clone)]
pub struct TwilioSettings {
    /// The source's name, the end of the webhook's path.
    pub name: String,
    /// User of the recordings.
    pub account_sid: String,
    /// Signs the webhooks, password of the recordings.
    pub auth_token: SecretString,
    /// The webhook's address as the provider has it.
    pub public_url: String,
    /// The only host that recordings are fetched from.
    pub recording_host: Url,
    /// The mailbox; the number that was called, if none.
    pub mailbox: Option<String>,
    /// The provider ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

/// How long things may take, and how many there may be at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A request's head, and the pause between two requests.
    pub head: Duration,
    /// The pause between two pieces of a body.
    pub idle: Duration,
    /// A whole body.
    pub body: Duration,
    /// A connection, whatever comes over it; what is under way then is finished.
    pub connection: Duration,
    /// Fetching a recording while its webhook waits for the answer.
    pub fetch: Duration,
    /// Fetching it later, when nobody waits.
    pub fetch_later: Duration,
    /// The pause between two tries to fetch.
    pub retry: Duration,
    /// Connections at once.
    pub connections: usize,
    /// Messages of one peer at once.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            body: Duration::from_mins(15),
            connection: Duration::from_mins(5),
            // the provider waits 15 s
            fetch: Duration::from_secs(12),
            fetch_later: Duration::from_mins(2),
            retry: Duration::from_secs(15),
            connections: 64,
            at_once: 8,
        }
    }
}

/// The door.
pub struct Door {
    listen: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    desk: Desk,
    siren: Siren,
    status: Status,
    max_bytes: usize,
    limits: Limits,
    pushers: Vec<Pusher>,
    webhooks: Vec<Webhook>,
}

impl Door {
    /// A door; nothing is listened to before `run`.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(settings: DoorSettings, desk: Desk, siren: Siren, status: Status) -> Result<Self, String> {
        let limits = settings.limits;
        let pushers = settings.pushers.iter().map(|row| Pusher::new(row, &desk, limits.at_once)).collect();
        let webhooks = settings.webhooks.into_iter().map(|row| Webhook::new(row, &desk, limits.at_once));
        let inner = Inner {
            webhooks: webhooks.collect::<Result<_, _>>()?,
            max_bytes: usize::try_from(settings.max_bytes).unwrap_or(usize::MAX / 8),
            desk,
            siren,
            status,
            limits,
            pushers,
        };
        Ok(Self { listen: settings.listen, inner: Arc::new(inner) })
    }

    /// Listens until the service stops. Where the address cannot be had, it is tried again and again.
    pub async fn run(self, lifecycle: Lifecycle) {
        while !lifecycle.is_stopping() {
            let error = match TcpListener::bind(self.listen).await {
                Ok(listener) => return self.serve(listener, lifecycle).await,
                Err(error) => SourceError::Unreachable(format!(
                    "{} cannot be listened on: {error}; remedy: end what else listens there, or change push.listen",
                    self.listen
                )),
            };
            self.inner.say(State::Failing, &error.to_string());
            let mut pause = self.inner.limits.retry;
            for peer in self.inner.peers() {
                pause = pause.min(peer.failed(&error).await);
            }
            lifecycle.unless_stopped(tokio::time::sleep(pause)).await;
        }
    }

    /// Serves what comes in at `listener` until the service stops; requests under way are finished.
    pub async fn serve(self, listener: TcpListener, lifecycle: Lifecycle) {
        tracing::info!(address = ?listener.local_addr().ok(), "listening for pushed recordings");
        self.inner.say(State::Idle, "");
        let app = Router::new()
            .route("/api/v1/voicemails", post(voicemails::take_in))
            .route("/api/v1/voicemails/{report}", get(voicemails::tell))
            .route("/api/v1/twilio/{source}", post(twilio::take_in))
            .route("/api/v1/health", get(answer::health))
            .route("/api/v1/openapi.json", get(answer::openapi))
            .fallback(answer::no_such_route)
            .method_not_allowed_fallback(answer::no_such_method)
            .layer(middleware::from_fn(answer::logged))
            .with_state(self.inner.clone());
        let limits = self.inner.limits;
        let bounds = Bounds {
            head: limits.head,
            connection: limits.connection,
            finish: limits.body + limits.fetch,
            connections: limits.connections,
        };
        let served = server::serve(listener, app, bounds, None, &lifecycle);
        tokio::join!(served, self.inner.look_after(&lifecycle));
    }
}

impl Inner {
    fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.pushers.iter().map(|pusher| &pusher.peer).chain(self.webhooks.iter().map(|webhook| &webhook.peer))
    }

    fn say(&self, state: State, detail: &str) {
        self.status.say(WORKER, state, detail, self.desk.clock.now());
    }

    /// Again and again: what could not be fetched is tried once more, and each peer's health is written down.
    async fn look_after(&self, lifecycle: &Lifecycle) {
        while lifecycle.unless_stopped(tokio::time::sleep(self.limits.retry)).await.is_some() {
            for pusher in &self.pushers {
                pusher.peer.reached().await;
            }
            for webhook in &self.webhooks {
                lifecycle.unless_stopped(webhook.fetch_pending(self)).await;
            }
        }
    }
}
