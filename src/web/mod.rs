//! The page of the people in the office: one file per page, and its templates.
//!
//! Promise: nobody sees or does what his role may not, whatever the route; what a page does is the same operation as the
//! button's. A fault here costs a page, never an alarm: it runs on threads and reading connections of its own, and a panic
//! is held.
//!
//! How a page is made: a file with `routes(doors) -> Doors`, which names for each route the right it needs (`doors.rs`; a
//! handler without one cannot be added), handlers that take `State<App>`, `Visitor` and answer `Page`, and a template that
//! extends `layout.html` and holds the visitor's `Frame`. Forms are read by `form::Form`, which knows every field.

mod accounts;
mod acts;
mod answer;
mod assets;
mod case;
mod charges;
pub mod charts;
mod correct;
mod device;
mod doors;
mod enter;
mod examples;
mod figures;
mod form;
mod frame;
mod guard;
mod heard;
mod inbox;
mod keys;
mod live;
mod month;
mod own;
mod password;
mod privacy;
mod proof;
mod proxy;
mod report;
mod roster;
mod rules;
mod second;
mod session;
mod sound;
mod state;
mod times;
mod trial;
mod tries;
mod vocabulary;
mod wave;
mod words;

pub use doors::{Doors, Need, Route};

use crate::acknowledge::Desk;
use crate::assess::rules::Rules;
use crate::config;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::server::{self, Bounds};
use crate::runtime::status::{State as Condition, Status};
use crate::runtime::tls::Certificate;
use crate::runtime::voices::Voices;
use axum::Router;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;

/// The worker's name on the board.
pub const WORKER: &str = "web";
/// A request may take so long; a download or a stream has its own limits.
const REQUEST: Duration = Duration::from_secs(30);
const BOUNDS: Bounds = Bounds {
    head: Duration::from_secs(5),
    connection: Duration::from_hours(1),
    finish: Duration::from_secs(10),
    connections: 256,
};
/// What the page needs cannot be had (an address, a certificate): tried again after so long.
pub const RETRY: Duration = Duration::from_secs(15);

/// What the page stands on.
#[derive(Clone)]
pub struct Parts {
    /// Store, settings, roster, clock, bells: what a button has.
    pub desk: Desk,
    /// What each worker says of itself.
    pub status: Status,
    /// Makes recordings audible.
    pub voices: Arc<dyn Voices>,
    /// The rules that judge.
    pub rules: Arc<Rules>,
}

/// What every handler can reach.
pub struct Inner {
    pub(crate) desk: Desk,
    pub(crate) status: Status,
    pub(crate) voices: Arc<dyn Voices>,
    pub(crate) rules: Arc<Rules>,
    /// The section `[web]`.
    pub(crate) settings: config::Web,
    /// What people type into their browser, without a slash at the end.
    pub(crate) origin: String,
    pub(crate) keys: keys::Keys,
    pub(crate) tries: tries::Tries,
    pub(crate) passwords: password::Passwords,
    pub(crate) live: live::Live,
    pub(crate) trials: trial::Trials,
    /// The paths of everything that can be fetched, as the router has them.
    pub(crate) pages: OnceLock<Vec<&'static str>>,
}

/// The page.
pub type App = Arc<Inner>;

/// The page, ready to be served.
pub struct Web {
    app: App,
    certificate: Option<Arc<Certificate>>,
}

impl Web {
    /// The page of the settings; nothing is listened to yet. `folder` keeps the key that seals second factors.
    ///
    /// # Errors
    /// Where the certificate or the key cannot be read or the database has no connections left, with what to do.
    pub async fn new(parts: Parts, settings: config::Web, folder: &Path) -> Result<Self, String> {
        let certificate = match (&settings.certificate, &settings.key) {
            (Some(chain), Some(key)) => {
                let read = Certificate::read(chain, key);
                Some(Arc::new(read.map_err(|error| format!("web.certificate, web.key: {error}"))?))
            }
            _ => None,
        };
        let store = parts.desk.store.apart().await.map_err(|error| error.to_string())?;
        let inner = Inner {
            desk: Desk { store, ..parts.desk },
            status: parts.status,
            voices: parts.voices,
            rules: parts.rules,
            origin: settings.origin(),
            keys: keys::Keys::of(folder)?,
            tries: tries::Tries::default(),
            passwords: password::Passwords::default(),
            live: live::Live::default(),
            trials: trial::Trials::default(),
            pages: OnceLock::new(),
            settings,
        };
        Ok(Self { app: Arc::new(inner), certificate })
    }

    /// Every route with the right it needs.
    #[must_use]
    pub fn routes(&self) -> Vec<Route> {
        doors(&self.app).table
    }

    /// Listens until the service stops. Where the address cannot be had, it is tried again and again.
    /// After a fault it is served anew: it costs a page, never an alarm.
    pub async fn run(self, lifecycle: Lifecycle) {
        self.start_trials(&lifecycle);
        let listen = self.app.settings.listen;
        while !lifecycle.is_stopping() {
            match TcpListener::bind(listen).await {
                Ok(listener) => {
                    if !Lifecycle::ends_well(WORKER, self.serve_at(listener, &lifecycle)).await {
                        self.app.say(Condition::Failing, "a fault in the page; it is served anew");
                    }
                }
                Err(error) => {
                    let error = format!(
                        "{listen} cannot be listened on: {error}; end what else listens there, or change web.listen"
                    );
                    tracing::error!(error, "the page cannot be served");
                    self.app.say(Condition::Failing, &error);
                }
            }
            lifecycle.unless_stopped(tokio::time::sleep(RETRY)).await;
        }
    }

    /// Serves the page at `listener` until the service stops.
    pub async fn serve(self, listener: TcpListener, lifecycle: Lifecycle) {
        self.start_trials(&lifecycle);
        self.serve_at(listener, &lifecycle).await;
    }

    /// Trials reckon long: in a task of their own they keep no page waiting.
    fn start_trials(&self, lifecycle: &Lifecycle) {
        lifecycle.spawn("web.trials".into(), trial::work(self.app.clone(), lifecycle.clone()));
    }

    async fn serve_at(&self, listener: TcpListener, lifecycle: &Lifecycle) {
        tracing::info!(address = ?listener.local_addr().ok(), "the page is served");
        self.app.say(Condition::Idle, "");
        let served = server::serve(listener, self.router(), BOUNDS, self.certificate.clone(), lifecycle);
        tokio::join!(served, self.app.live.watch(&self.app, lifecycle), session::tidy(&self.app, lifecycle));
    }

    fn router(&self) -> Router {
        doors(&self.app).router(&self.app)
    }
}

/// Every page. The order is the one of the menu.
fn doors(app: &App) -> Doors {
    let doors = Doors::new(app.clone());
    let doors = assets::routes(doors);
    let doors = enter::routes(doors);
    let doors = state::routes(doors);
    let doors = privacy::routes(doors);
    let doors = report::routes(doors);
    let doors = case::routes(doors);
    let doors = sound::routes(doors);
    let doors = charges::routes(doors);
    let doors = proof::routes(doors);
    let doors = figures::routes(doors);
    let doors = inbox::routes(doors);
    let doors = correct::routes(doors);
    let doors = rules::routes(doors);
    let doors = examples::routes(doors);
    let doors = trial::routes(doors);
    let doors = vocabulary::routes(doors);
    let doors = second::routes(doors);
    let doors = own::routes(doors);
    let doors = roster::routes(doors);
    let doors = accounts::routes(doors);
    live::routes(doors)
}

impl Inner {
    fn say(&self, condition: Condition, detail: &str) {
        self.status.say(WORKER, condition, detail, self.desk.clock.now());
    }
}
