//! A pushed message read from its request: a multipart form, or the sound alone with the rest in the query.
//!
//! What is known of the call is data of strangers: cut to a bounded length, never refused for its length. Only what the
//! peer itself makes (time, id) is refused where it cannot be right, by its name and without quoting it.

use super::Limits;
use super::answer::Problem;
use super::peer::Call;
use crate::domain::report::Caller;
use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use std::time::Duration;

/// Longest field of a form, in bytes.
const FIELD_MAX: usize = 8 * 1024;
/// Longest text that is kept, in letters.
const TEXT_MAX: usize = 200;
/// A clock or a time zone may be wrong, and the caller must not pay for it: so far ahead counts as now.
const AHEAD: TimeDelta = TimeDelta::days(1);
/// Room for the fields and seams of a form beside its sound.
const SEAMS: usize = 64 * 1024;

/// What is told of a pushed recording.
pub(super) struct Upload {
    pub(super) call: Call,
    /// The time as it was told.
    pub(super) time: Option<DateTime<Utc>>,
    /// Its identity, where the peer named one.
    pub(super) id: Option<String>,
}

/// The sound, or how it begins where it is too large.
pub(super) enum Voice {
    Whole { name: String, bytes: Vec<u8> },
    TooLarge { begins: Vec<u8> },
}

/// Reads a request of a peer that is known. Sound beyond `max_bytes` is no error: it is `Voice::TooLarge`.
pub(super) async fn read(
    request: Request,
    limits: &Limits,
    max_bytes: usize,
    now: DateTime<Utc>,
) -> Result<(Upload, Voice), Problem> {
    let headers = request.headers();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(unsupported("the body must not be compressed (Content-Encoding)"));
    }
    let mime = mime(headers);
    let key = text_of(headers, "idempotency-key")?;
    let mut told = Told::default();
    for (name, value) in pairs(request.uri().query().unwrap_or("")) {
        if let Some(slot) = told.slot(&name) {
            *slot = Some(plus_again(&name, &value));
        }
    }
    let voice = if mime == "multipart/form-data" {
        in_time(limits.body, form(request, limits.idle, max_bytes, &mut told)).await??
    } else if let Some(ending) = ending(&mime) {
        let name = format!("push.{ending}");
        in_time(limits.body, raw(request.into_body(), limits.idle, max_bytes, name)).await??
    } else {
        return Err(unsupported(
            "Content-Type: send multipart/form-data with a file named sound, or the sound itself as audio/... or \
             application/octet-stream",
        ));
    };
    if matches!(&voice, Voice::Whole { bytes, .. } if bytes.is_empty()) {
        return Err(Problem::field("sound", "is empty"));
    }
    let time = told.time(now)?;
    let id = told.id(key)?;
    let caller = Caller { number: kept(told.caller), name: kept(told.name) };
    let call = Call { caller, called: kept(told.called), called_at: time.map(|time| time.min(now)) };
    Ok((Upload { call, time, id }, voice))
}

/// What the peer tells of the call, as it came.
#[derive(Default)]
struct Told {
    caller: Option<String>,
    name: Option<String>,
    called: Option<String>,
    time: Option<String>,
    id: Option<String>,
}

impl Told {
    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "caller" => Some(&mut self.caller),
            "name" => Some(&mut self.name),
            "called" => Some(&mut self.called),
            "time" => Some(&mut self.time),
            "id" => Some(&mut self.id),
            _ => None,
        }
    }

    fn time(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(time) = self.time.as_deref().map(str::trim).filter(|time| !time.is_empty()) else { return Ok(None) };
        let time = DateTime::parse_from_rfc3339(time)
            .map_err(|_| Problem::field("time", "is no time as in RFC 3339; write e.g. 2026-11-21T22:14:00+01:00"))?
            .to_utc();
        if time > now + AHEAD {
            return Err(Problem::field("time", "lies more than a day in the future; is the peer's clock right?"));
        }
        Ok(Some(time))
    }

    /// The message's identity: the header, or the field; not two different ones.
    fn id(&self, header: Option<String>) -> Result<Option<String>, Problem> {
        let field = self.id.as_deref().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
        let header = header.map(|key| key.trim().trim_matches('"').to_owned());
        if let (Some(field), Some(header)) = (&field, &header)
            && field != header
        {
            return Err(Problem::field("id", "is not the same as the header Idempotency-Key"));
        }
        let id = header.or(field);
        let fit = |id: &String| id.chars().count() <= TEXT_MAX && !id.is_empty() && !id.chars().any(char::is_control);
        if id.as_ref().is_some_and(|id| !fit(id)) {
            return Err(Problem::field("id", "must have 1 to 200 letters and no control characters"));
        }
        Ok(id)
    }
}

/// A text about the caller, bounded; nothing, if it is empty.
fn kept(text: Option<String>) -> Option<String> {
    let text = text?;
    let kept: String = text.trim().chars().filter(|letter| !letter.is_control()).take(TEXT_MAX).collect();
    Some(kept).filter(|kept| !kept.is_empty())
}

/// The sound as it grows.
struct Growing {
    bytes: Vec<u8>,
    max: usize,
    too_large: bool,
}

impl Growing {
    fn new(max: usize) -> Self {
        Self { bytes: Vec::new(), max, too_large: false }
    }

    fn add(&mut self, chunk: &[u8]) {
        let room = self.max - self.bytes.len();
        self.too_large |= chunk.len() > room;
        self.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    fn voice(self, name: String) -> Voice {
        let bytes = self.bytes;
        if self.too_large { Voice::TooLarge { begins: bytes } } else { Voice::Whole { name, bytes } }
    }
}

async fn raw(body: Body, idle: Duration, max: usize, name: String) -> Result<Voice, Problem> {
    let (mut sound, mut read) = (Growing::new(max), 0usize);
    let mut chunks = body.into_data_stream();
    loop {
        match in_time(idle, chunks.next()).await {
            Ok(Some(Ok(chunk))) => {
                read = read.saturating_add(chunk.len());
                sound.add(&chunk);
            }
            Ok(None) => break,
            // how it goes on does not matter any more
            _ if sound.too_large => break,
            Ok(Some(Err(_))) => return Err(Problem::broken_off()),
            Err(slow) => return Err(slow),
        }
        // a little more is read away, so that the peer is ready to hear the answer
        if read > max.saturating_mul(2) {
            break;
        }
    }
    Ok(sound.voice(name))
}

async fn form(mut request: Request, idle: Duration, max: usize, told: &mut Told) -> Result<Voice, Problem> {
    DefaultBodyLimit::max(max.saturating_mul(2).saturating_add(SEAMS)).apply(&mut request);
    let no_form = |_| Problem::new(StatusCode::BAD_REQUEST, "Content-Type: the form's boundary is missing");
    let mut form = Multipart::from_request(request, &()).await.map_err(no_form)?;
    let mut voice = None;
    loop {
        let read = async {
            let Some(field) = in_time(idle, form.next_field()).await?.map_err(|error| broken(&error))? else {
                return Ok::<_, Problem>(false);
            };
            read_field(field, idle, max, told, &mut voice).await?;
            Ok(true)
        };
        match read.await {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) if matches!(voice, Some(Voice::TooLarge { .. })) => break,
            Err(problem) if problem.is_too_large() => return Ok(Voice::TooLarge { begins: Vec::new() }),
            Err(problem) => return Err(problem),
        }
    }
    voice.ok_or_else(|| Problem::field("sound", "is missing: send the recording as a file of this name"))
}

async fn read_field(
    mut field: Field<'_>,
    idle: Duration,
    max: usize,
    told: &mut Told,
    voice: &mut Option<Voice>,
) -> Result<(), Problem> {
    let name = field.name().unwrap_or_default().to_owned();
    if name == "sound" {
        if voice.is_some() {
            return Err(Problem::field("sound", "stands twice: send each recording in a request of its own"));
        }
        let ending = ending(&field.content_type().unwrap_or_default().to_ascii_lowercase()).unwrap_or("sound");
        let file = kept(field.file_name().map(str::to_owned)).unwrap_or_else(|| format!("push.{ending}"));
        let mut sound = Growing::new(max);
        loop {
            match next_chunk(&mut field, idle).await {
                Ok(Some(chunk)) => sound.add(&chunk),
                Ok(None) => break,
                Err(_) if sound.too_large => break,
                Err(problem) => return Err(problem),
            }
        }
        *voice = Some(sound.voice(file));
    } else if let Some(slot) = told.slot(&name) {
        let mut text = Vec::new();
        while let Some(chunk) = next_chunk(&mut field, idle).await? {
            let room = FIELD_MAX - text.len();
            text.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        *slot = Some(String::from_utf8_lossy(&text).into_owned());
    }
    Ok(())
}

async fn next_chunk(field: &mut Field<'_>, idle: Duration) -> Result<Option<Bytes>, Problem> {
    in_time(idle, field.chunk()).await?.map_err(|error| broken(&error))
}

fn broken(error: &MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("the body is too large"),
        _ => Problem::broken_off(),
    }
}

pub(super) async fn in_time<T>(limit: Duration, asked: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(limit, asked).await.map_err(|_| Problem::slow())
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

fn text_of(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Problem::field("id", "the header Idempotency-Key must be ASCII"))?;
    Ok(Some(text.to_owned()))
}

fn mime(headers: &HeaderMap) -> String {
    let whole = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A hint for the decoder; the content decides. `None` where it is no sound.
fn ending(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "wav",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/ogg" | "application/ogg" | "audio/opus" => "ogg",
        "audio/gsm" | "audio/x-gsm" => "gsm",
        "audio/basic" | "audio/pcmu" => "ulaw",
        "audio/pcma" => "alaw",
        "application/octet-stream" => "sound",
        other if other.starts_with("audio/") => "sound",
        _ => return None,
    })
}

/// The pairs of a query or an HTML form, decoded.
pub(super) fn pairs(encoded: &str) -> Vec<(String, String)> {
    let Ok(mut url) = reqwest::Url::parse("form:/") else { return Vec::new() };
    url.set_query(Some(encoded));
    url.query_pairs().into_owned().collect()
}

/// In a query "+" means a blank: a peer that forgot to encode it still means the number and the time zone.
fn plus_again(name: &str, value: &str) -> String {
    let digit = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
    match (name, value.rsplit_once(' ')) {
        ("caller" | "called", _) if value.strip_prefix(' ').is_some_and(digit) => format!("+{}", &value[1..]),
        ("time", Some((time, zone))) if time.contains(['T', 't']) && digit(zone) => format!("{time}+{zone}"),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_plus_is_found_again() {
        assert_eq!(plus_again("caller", " 499721555017"), "+499721555017");
        assert_eq!(plus_again("time", "2026-11-21T22:14:00 01:00"), "2026-11-21T22:14:00+01:00");
        assert_eq!(plus_again("name", " 49"), " 49");
        assert_eq!(plus_again("caller", "0 97 21"), "0 97 21");
    }

    #[test]
    fn a_query_is_decoded_as_a_form_is() {
        let found = pairs("a=1+2&b=%2B49&c=%C3%BC&d=%23x#y&e");
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("a", "1 2"), ("b", "+49"), ("c", "\u{fc}"), ("d", "#x#y"), ("e", "")]);
    }

    #[test]
    fn a_sound_never_grows_beyond_its_limit() {
        let mut sound = Growing::new(5);
        sound.add(b"abc");
        sound.add(b"de");
        assert!(!sound.too_large);
        sound.add(b"f");
        sound.add(b"ghi");
        assert!(matches!(sound.voice("x".into()), Voice::TooLarge { begins } if begins == b"abcde"));
    }
}
