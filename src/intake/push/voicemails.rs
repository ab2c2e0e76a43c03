//! `POST /api/v1/voicemails`: a peer pushes a recording; `GET /api/v1/voicemails/{report}`: it asks for one it pushed.
//!
//! The token says which source it is. An id names a message: the same id with the same sound and caller is the same message
//! (200). An id used again for another sound or caller is a mistake of the peer, and no reason to lose a caller: that one
//! is stored as a report of its own, and answered 409 so that the mistake is seen. Without an id the sound, caller and
//! time are the identity.

use super::answer::{Problem, from};
use super::peer::{Call, Peer};
use super::upload::{self, Upload, Voice};
use super::{Inner, PushSettings};
use crate::domain::report::{Report, ReportId, Sound};
use crate::intake::{Accepted, Desk};
use crate::store::{StoreError, reports, sightings, sound};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use subtle::{Choice, ConstantTimeEq as _};
use tokio::sync::Mutex;

/// So much of a stranger's body is read away before he hears that he is one, within so long.
const STRANGER_BYTES: usize = 256 * 1024;
const STRANGER_TIME: Duration = Duration::from_secs(1);

pub(super) struct Pusher {
    pub(super) peer: Peer,
    /// Digests of equal length, so that comparing tells nothing.
    tokens: Vec<[u8; 32]>,
    /// Held from the look whether an id is known until its message is stored.
    storing: Mutex<()>,
}

impl Pusher {
    pub(super) fn new(row: &PushSettings, desk: &Desk, at_once: usize) -> Self {
        let digest = |token: &SecretString| Sha256::digest(token.expose_secret().as_bytes()).into();
        let tokens = row.tokens.iter().map(digest).collect();
        Self { peer: Peer::pushing(row, desk, at_once), tokens, storing: Mutex::new(()) }
    }

    fn has(&self, digest: &[u8; 32]) -> Choice {
        self.tokens.iter().fold(Choice::from(0), |found, token| found | token.ct_eq(digest))
    }
}

impl Inner {
    /// Whose token it is. Always compares with every token there is.
    fn pusher(&self, headers: &HeaderMap) -> Option<&Pusher> {
        let presented = headers.get(header::AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
        let (scheme, token) = presented.split_at(presented.len().min("Bearer ".len()));
        let digest = Sha256::digest(token.trim_ascii()).into();
        let mut found = None;
        for pusher in &self.pushers {
            if bool::from(pusher.has(&digest)) {
                found = Some(pusher);
            }
        }
        found.filter(|_| scheme.eq_ignore_ascii_case(b"Bearer "))
    }
}

pub(super) async fn take_in(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let Some(pusher) = inner.pusher(request.headers()) else {
        read_away(request.into_body()).await;
        return Problem::unauthorized().into_response();
    };
    from(&pusher.peer.name, pusher.take_in(&inner, request).await)
}

pub(super) async fn tell(
    State(inner): State<Arc<Inner>>,
    report: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let Some(pusher) = inner.pusher(&headers) else { return Problem::unauthorized().into_response() };
    let report = report.map(|Path(report)| report).unwrap_or_default();
    from(&pusher.peer.name, pusher.tell(&inner, &report).await)
}

/// A peer that still sends does not listen; a little patience lets it hear what is wrong.
async fn read_away(body: Body) {
    let reading = async {
        let (mut read, mut chunks) = (0, body.into_data_stream());
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > STRANGER_BYTES {
                break;
            }
        }
    };
    // strangers get no more time than that
    drop(tokio::time::timeout(STRANGER_TIME, reading).await);
}

impl Pusher {
    async fn take_in(&self, inner: &Inner, request: Request) -> Result<Response, Problem> {
        let _place = self.peer.place()?;
        let (upload, voice) = upload::read(request, &inner.limits, inner.max_bytes, inner.desk.clock.now()).await?;
        match voice {
            Voice::TooLarge { begins } => self.refuse(inner, upload, begins).await,
            Voice::Whole { name, bytes } => self.store(inner, upload, name, bytes).await,
        }
    }

    /// Too large: on record without its sound, so that a human is woken.
    async fn refuse(&self, inner: &Inner, upload: Upload, begins: Vec<u8>) -> Result<Response, Problem> {
        let print = print(&sha256(begins).await.0, &upload.call, upload.time);
        let key = format!("large/{print}/{}", upload.id.unwrap_or_default());
        let why = format!(
            "{} pushed a recording of more than {} bytes (intake.max_mib); remedy: listen to it there",
            self.peer.name, inner.max_bytes
        );
        let sound = Sound::Refused { name: "push".into(), path: self.peer.name.clone().into(), why };
        let accepted = self.peer.accept(inner, self.peer.arrival(key, &upload.call, sound)).await;
        let report = accepted.map_err(|_| Problem::not_stored())?.id;
        Err(Problem::too_large("the recording is too large (intake.max_mib): reported without its sound").about(report))
    }

    async fn store(&self, inner: &Inner, upload: Upload, name: String, bytes: Vec<u8>) -> Result<Response, Problem> {
        let (sha256, bytes) = sha256(bytes).await;
        let sound = Sound::Bytes { name, bytes };
        let number = upload.call.caller.number.clone();
        let Some(id) = upload.id else {
            let key = format!("sound/{}", print(&sha256, &upload.call, upload.time));
            let accepted = self.peer.accept(inner, self.peer.arrival(key, &upload.call, sound)).await;
            return Ok(done(accepted.map_err(|_| Problem::not_stored())?));
        };
        let _storing = self.storing.lock().await;
        let key = format!("id/{id}");
        let first = self.known(inner, &key).await.map_err(|error| {
            self.peer.cry(inner, number.as_deref(), &error.to_string());
            Problem::not_stored()
        })?;
        let same = |report: &Report| {
            report.recording.as_ref().is_some_and(|kept| kept.sha256 == sha256) && report.caller.number == number
        };
        let key = match &first {
            Some(report) if same(report) => return Ok(done(Accepted { id: report.id, new: false })),
            // a repeat may name another time
            Some(_) => format!("other/{}/{id}", print(&sha256, &upload.call, None)),
            None => key,
        };
        let accepted = self.peer.accept(inner, self.peer.arrival(key, &upload.call, sound)).await;
        let accepted = accepted.map_err(|_| Problem::not_stored())?;
        if first.is_some_and(|first| first.id != accepted.id) {
            let detail =
                "the id was used for another recording; this one was stored all the same: give each its own id";
            return Err(Problem::new(StatusCode::CONFLICT, detail).about(accepted.id));
        }
        Ok(done(accepted))
    }

    /// The report that this peer has under a key.
    async fn known(&self, inner: &Inner, key: &str) -> Result<Option<Report>, StoreError> {
        let mut tx = inner.desk.store.begin().await?;
        let known = sightings::of_key(&mut tx, &self.peer.name, key).await?;
        drop(tx);
        match known {
            Some(id) => Ok(Some(reports::find(&mut *inner.desk.store.read().await?, id).await?)),
            None => Ok(None),
        }
    }

    async fn tell(&self, inner: &Inner, report: &str) -> Result<Response, Problem> {
        let none = || Problem::new(StatusCode::NOT_FOUND, "this source pushed no such report");
        let id: ReportId = report.parse().map_err(|_| none())?;
        let found = async { reports::of_source(&mut *inner.desk.store.read().await?, &self.peer.name, id).await };
        let report = found.await.map_err(|error: StoreError| {
            tracing::warn!(source = %self.peer.name, %error, "a report could not be looked up");
            Problem::not_stored()
        })?;
        let report = report.ok_or_else(none)?;
        let body = json!({
            "report": id.to_string(),
            "stored_at": report.stored_at,
            "called_at": report.called_at,
            "sha256": report.recording.map(|kept| kept.sha256),
        });
        Ok(Json(body).into_response())
    }
}

fn done(accepted: Accepted) -> Response {
    let report = accepted.id.to_string();
    let place = format!("/api/v1/voicemails/{report}");
    let body = Json(json!({ "report": report, "new": accepted.new }));
    if accepted.new {
        return (StatusCode::CREATED, [(header::LOCATION, place)], body).into_response();
    }
    body.into_response()
}

/// What a message is known by beside its peer's id.
fn print(sha256: &str, call: &Call, time: Option<DateTime<Utc>>) -> String {
    let time = time.map(|at| at.timestamp().to_string()).unwrap_or_default();
    sound::sha256(format!("{sha256}\n{}\n{time}", call.caller.number.as_deref().unwrap_or_default()).as_bytes())
}

/// Off the server's own thread: a long recording takes its time.
async fn sha256(bytes: Vec<u8>) -> (String, Vec<u8>) {
    let counted = tokio::task::spawn_blocking(move || (sound::sha256(&bytes), bytes)).await;
    counted.expect("a checksum does not panic")
}
