//! Recordings that lie where an answer says: fetched with care, tried again for a while, then told of without sound.
//!
//! Promises: a login goes only to addresses that are trusted with it; any other address must be https in the public
//! internet (an answer must not make this service ask inside the firm's network); a redirect is an address like any
//! other. A recording that cannot be had is an arrival without sound after a while, never a message that is dropped.

use crate::domain::report::Sound;
use crate::intake::http::{self, Cut, Peer};
use crate::intake::source::SourceError;
use reqwest::{Client, RequestBuilder, Url, header};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A refused recording is tried again for so long: a fresh list may bring a fresh address.
const FORBIDDEN_FOR: Duration = Duration::from_mins(1);
/// So many redirects are followed.
const HOPS: usize = 3;

/// Why a recording is not here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotFetched {
    /// It may be there later.
    Later(String),
    /// It will not be there without somebody doing something.
    Forbidden(String),
    /// It is there and is not taken.
    Never(String),
}

/// User name and password.
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a SecretString,
}

/// Fetches what answers point to.
#[derive(Debug)]
pub(super) struct Files {
    own: Client,
    public: Client,
    /// The peer is this machine: then its files may be, too.
    trial: bool,
    limit: Duration,
    max_bytes: u64,
}

/// An answer's body, or where it lies instead.
enum Step {
    Whole(Vec<u8>),
    Moved(String),
}

impl Files {
    /// Fetches for a peer; recordings of more than `max_bytes` are not taken.
    ///
    /// # Errors
    /// Where HTTP cannot be used at all.
    pub(super) fn of(peer: &Peer, max_bytes: u64) -> Result<Self, String> {
        let public = http::public_client(&peer.limits())?;
        let (own, limit) = (peer.client().clone(), peer.limits().recording);
        Ok(Self { own, public, trial: peer.is_loopback(), limit, max_bytes })
    }

    /// The recording at `url`; an address that `trusted` knows may lie anywhere and gets the login.
    pub(super) async fn fetch(
        &self,
        mut url: Url,
        trusted: impl Fn(&Url) -> bool,
        login: Option<&Login<'_>>,
    ) -> Result<Vec<u8>, NotFetched> {
        for _ in 0..=HOPS {
            let trusted = trusted(&url);
            let own = trusted || self.trial && http::is_loopback(&url);
            if !own {
                http::check_public(&url).map_err(|why| NotFetched::Never(why.to_owned()))?;
            }
            let request = if own { &self.own } else { &self.public }.get(url.clone()).timeout(self.limit);
            let request = match login.filter(|_| trusted) {
                Some(login) => request.basic_auth(login.user, Some(login.password.expose_secret())),
                None => request,
            };
            match self.step(request).await? {
                Step::Whole(bytes) => return Ok(bytes),
                Step::Moved(to) => {
                    url = url.join(&to).map_err(|_| NotFetched::Later("it points to what is no address".into()))?;
                }
            }
        }
        Err(NotFetched::Later("it points from one address to the next".into()))
    }

    async fn step(&self, request: RequestBuilder) -> Result<Step, NotFetched> {
        let answer = request.send().await.map_err(|error| NotFetched::Later(http::told(error)))?;
        let told = |name| answer.headers().get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        match answer.status().as_u16() {
            200 => {}
            301 | 302 | 303 | 307 | 308 => {
                let to = told(header::LOCATION).ok_or(NotFetched::Later("it points nowhere".into()))?;
                return Ok(Step::Moved(to.to_owned()));
            }
            code @ (401 | 403) => {
                return Err(NotFetched::Forbidden(format!("it may not be fetched (status {code})")));
            }
            code => return Err(NotFetched::Later(format!("it is not there (status {code})"))),
        }
        let kind = told(header::CONTENT_TYPE).unwrap_or_default();
        if ["text/html", "application/json"].iter().any(|text| kind.starts_with(text)) {
            return Err(NotFetched::Later("a text stands in its place".into()));
        }
        match http::body(answer, self.max_bytes).await {
            Ok(bytes) if bytes.is_empty() => Err(NotFetched::Later("it is empty".into())),
            Ok(bytes) => Ok(Step::Whole(bytes)),
            Err(Cut::Broken(why)) => Err(NotFetched::Later(why)),
            Err(Cut::TooLarge(_)) => Err(NotFetched::Never(format!("it has more than {} bytes", self.max_bytes))),
        }
    }
}

/// Since when each recording has been tried.
#[derive(Debug)]
pub(super) struct Attempts {
    since: HashMap<String, Instant>,
    give_up: Duration,
}

impl Attempts {
    /// Gives a recording up after `give_up`.
    pub(super) fn new(give_up: Duration) -> Self {
        Self { since: HashMap::new(), give_up }
    }

    /// Forgets the recordings that are not listed any more.
    pub(super) fn retain(&mut self, listed: impl Fn(&str) -> bool) {
        self.since.retain(|key, _| listed(key));
    }

    /// The sound of a message after one more try; `place` and `remedy` are for the admin.
    ///
    /// # Errors
    /// `Busy` while it is to be tried again.
    pub(super) fn sound(
        &mut self,
        key: &str,
        tried: Result<Vec<u8>, NotFetched>,
        name: String,
        place: PathBuf,
        remedy: &str,
    ) -> Result<Sound, SourceError> {
        let (why, patience) = match tried {
            Ok(bytes) => {
                self.since.remove(key);
                return Ok(Sound::Bytes { name, bytes });
            }
            Err(NotFetched::Later(why)) => (why, self.give_up),
            Err(NotFetched::Forbidden(why)) => (why, self.give_up.min(FORBIDDEN_FOR)),
            Err(NotFetched::Never(why)) => (why, Duration::ZERO),
        };
        let since = *self.since.entry(key.to_owned()).or_insert_with(Instant::now);
        if since.elapsed() < patience {
            return Err(SourceError::Busy(format!("a recording cannot be fetched yet: {why}")));
        }
        self.since.remove(key);
        Ok(Sound::Refused { name, path: place, why: format!("the recording was not taken: {why}; remedy: {remedy}") })
    }
}
