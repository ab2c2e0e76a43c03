//! `POST /api/v1/twilio/{source}`: a provider's signed webhook tells of a recording, which is fetched and stored.
//!
//! Promise: 200 means that the recording is on our disk (or, where it can never be had, a report without sound that wakes a
//! human). What a webhook told is written down before the recording is fetched: a provider that never repeats, a crash and a
//! recording that is not ready yet cost nothing. It is tried again for ten minutes; then a human is woken without it.
//! Account and token go to the configured host only, never along a redirect.

mod fetch;
mod pending;
mod signature;

use super::answer::{Problem, from};
use super::peer::{Call, Peer};
use super::upload::{in_time, pairs};
use super::{Inner, TwilioSettings};
use crate::domain::report::{Caller, Sound};
use crate::intake::source::SourceError;
use crate::intake::{Accepted, Desk};
use crate::store::StoreError;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use fetch::{Fetched, Recordings};
use futures::StreamExt as _;
use pending::{Pending, Told};
use signature::Signature;
use std::collections::HashMap;
use std::sync::Arc;

/// A webhook is a short form.
const FORM_MAX: usize = 64 * 1024;
/// So many recordings are fetched side by side.
const FETCHES: usize = 4;
/// After this time a recording that cannot be fetched wakes a human without it.
const GIVE_UP: TimeDelta = TimeDelta::minutes(10);
/// An answer that the provider takes, whether it asked for instructions or only told.
const NOTHING_TO_DO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

/// A provider whose webhooks come in.
pub(super) struct Webhook {
    pub(super) peer: Peer,
    signature: Signature,
    recordings: Recordings,
    pending: Pending,
}

pub(super) async fn take_in(
    State(inner): State<Arc<Inner>>,
    source: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let source = source.map(|Path(source)| source).unwrap_or_default();
    let Some(webhook) = inner.webhooks.iter().find(|webhook| webhook.peer.name == source) else {
        return Problem::new(StatusCode::NOT_FOUND, "no source of kind \"twilio\" has this name").into_response();
    };
    from(&source, webhook.take_in(&inner, request).await)
}

impl Webhook {
    pub(super) fn new(row: TwilioSettings, desk: &Desk, at_once: usize) -> Result<Self, String> {
        Ok(Self {
            peer: Peer::calling(&row, desk, at_once),
            pending: Pending::new(desk.store.clone(), row.name),
            signature: Signature::new(&row.public_url, row.auth_token.clone()),
            recordings: Recordings::new(row.recording_host, row.account_sid, row.auth_token)?,
        })
    }

    async fn take_in(&self, inner: &Inner, request: Request) -> Result<Response, Problem> {
        let (head, body) = request.into_parts();
        let form = pairs(&in_time(inner.limits.idle, small(body)).await??);
        let query = head.uri.query().unwrap_or("");
        let signed = head.headers.get("x-twilio-signature").map_or(&[][..], |value| value.as_bytes());
        if !self.signature.fits(query, &form, signed) {
            let detail = "X-Twilio-Signature does not fit: are public_url and auth_token those of the provider?";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        let fields: HashMap<String, String> = pairs(query).into_iter().chain(form).collect();
        match fields.get("RecordingStatus").map_or("completed", String::as_str) {
            "completed" | "failed" => {}
            _ => return Ok(StatusCode::NO_CONTENT.into_response()),
        }
        let told = told(&fields, inner.desk.clock.now())?;
        // strangers take no place, and what is noted is fetched by itself where none is free
        if let Some(told) = self.note(inner, &told).await? {
            let _place = self.peer.place().map_err(|_| Problem::not_fetched())?;
            self.have(inner, &told).await?;
        }
        Ok(([(header::CONTENT_TYPE, "text/xml")], NOTHING_TO_DO).into_response())
    }

    /// Writes down what is to be fetched: what was told of this recording first. `None`: it is stored already.
    async fn note(&self, inner: &Inner, told: &Told) -> Result<Option<Told>, Problem> {
        let not_stored = |why: String| {
            self.peer.cry(inner, told.from.as_deref(), &why);
            Problem::not_stored()
        };
        if self.pending.is_stored(&told.sid).await.map_err(|error| not_stored(error.to_string()))? {
            return Ok(None);
        }
        self.pending.note(told).await.map(Some).map_err(|error| not_stored(error.to_string()))
    }

    /// Fetches and stores a recording that is noted.
    async fn have(&self, inner: &Inner, told: &Told) -> Result<(), Problem> {
        let _fetching = self.pending.fetching(&told.sid).ok_or_else(Problem::not_fetched)?;
        let fetched = self.recordings.fetch(&told.url, told.failed, inner.max_bytes, inner.limits.fetch).await;
        // the peer cried already
        let stored = self.settle(inner, told, fetched).await.map_err(|_| Problem::not_stored())?;
        stored.map(|_| ()).map_err(|error| {
            tracing::warn!(source = %self.peer.name, %error, "a recording could not be fetched yet");
            Problem::not_fetched()
        })
    }

    /// Stores what was fetched, or that it cannot be. The inner error: not yet.
    async fn settle(
        &self,
        inner: &Inner,
        told: &Told,
        fetched: Fetched,
    ) -> Result<Result<Accepted, SourceError>, StoreError> {
        let refused = |why: String| {
            let remedy = "remedy: listen to it at the provider";
            let why = format!("{}: {why}; {remedy} ({})", self.peer.name, told.sid);
            Sound::Refused { name: told.sid.clone(), path: self.peer.name.clone().into(), why }
        };
        let age = inner.desk.clock.now() - told.seen_at;
        let sound = match fetched {
            Fetched::Sound(bytes) => Sound::Bytes { name: format!("{}.wav", told.sid), bytes },
            Fetched::Never(why) => refused(why),
            Fetched::Later(error) if age >= GIVE_UP => refused(format!("given up after 10 minutes: {error}")),
            Fetched::Later(error) => return Ok(Err(error)),
        };
        let call = Call {
            caller: Caller { number: told.from.clone(), name: None },
            called: told.to.clone(),
            called_at: Some(told.called_at),
        };
        let accepted = self.peer.accept(inner, self.peer.arrival(told.sid.clone(), &call, sound)).await?;
        if let Err(error) = self.pending.forget(&told.sid).await {
            tracing::warn!(source = %self.peer.name, %error, "a stored recording stays noted; it is known, so nothing comes of it");
        }
        Ok(Ok(accepted))
    }

    /// Tries once more to fetch what could not be fetched when it was told.
    pub(super) async fn fetch_pending(&self, inner: &Inner) {
        let waiting = self.pending.all().await.unwrap_or_else(|error| {
            tracing::warn!(source = %self.peer.name, %error, "could not look which recordings are to be fetched");
            Vec::new()
        });
        let tries = futures::stream::iter(waiting).map(|told| async move {
            let _fetching = self.pending.fetching(&told.sid)?;
            if self.pending.is_stored(&told.sid).await.ok()? {
                self.pending.forget(&told.sid).await.ok()?;
                return None;
            }
            let limit = inner.limits.fetch_later;
            let fetched = self.recordings.fetch(&told.url, told.failed, inner.max_bytes, limit).await;
            self.settle(inner, &told, fetched).await.ok().and_then(Result::err)
        });
        let troubles: Vec<SourceError> =
            tries.buffer_unordered(FETCHES).filter_map(|trouble| async { trouble }).collect().await;
        // one that is not there yet is no trouble of the mailbox
        match troubles.iter().find(|error| !matches!(error, SourceError::Gone(_))) {
            Some(error) => _ = self.peer.failed(error).await,
            None => self.peer.reached().await,
        }
    }
}

async fn small(body: Body) -> Result<String, Problem> {
    let (mut read, mut chunks) = (Vec::new(), body.into_data_stream());
    while let Some(chunk) = chunks.next().await {
        read.extend_from_slice(&chunk.map_err(|_| Problem::broken_off())?);
        if read.len() > FORM_MAX {
            return Err(Problem::too_large("a webhook is a form of at most 64 KiB"));
        }
    }
    String::from_utf8(read).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is no form"))
}

fn told(fields: &HashMap<String, String>, now: DateTime<Utc>) -> Result<Told, Problem> {
    let field = |name: &str| fields.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let sid = field("RecordingSid").ok_or_else(|| Problem::field("RecordingSid", "is missing"))?;
    if sid.len() > 64 || !sid.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err(Problem::field("RecordingSid", "is no identity of a recording"));
    }
    let failed = field("RecordingStatus") == Some("failed");
    let url = field("RecordingUrl").filter(|url| url.len() <= 2048);
    let url = url.or(failed.then_some("")).ok_or_else(|| Problem::field("RecordingUrl", "is missing"))?;
    let seconds = field("RecordingDuration").and_then(|text| text.parse().ok()).filter(|seconds| *seconds <= 14_400);
    let started = field("RecordingStartTime").and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    let started = started.map(|at| at.to_utc()).filter(|at| *at <= now);
    let party = |name: &str| field(name).filter(|text| !is_withheld(text)).map(|text| text.chars().take(200).collect());
    Ok(Told {
        sid: sid.to_owned(),
        url: url.to_owned(),
        failed,
        from: party("From"),
        to: party("To"),
        called_at: started.unwrap_or(now - TimeDelta::seconds(i64::from(seconds.unwrap_or(0u32)))),
        seen_at: now,
    })
}

/// Words, and words typed on a telephone's keys, that stand for a number that is not shown.
fn is_withheld(number: &str) -> bool {
    let words = ["anonymous", "restricted", "unknown", "unavailable", "blocked"];
    let keys = ["+266696687", "+7378742833", "+8656696", "+86282452253", "+2562533"];
    keys.contains(&number) || words.contains(&number.to_ascii_lowercase().as_str())
}
