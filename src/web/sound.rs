//! Recordings to listen to and originals to keep. What a browser plays was written anew by ourselves; foreign bytes leave only
//! as attachments. Parts of a file are sent where they are asked for: without that a browser cannot jump.

use super::App;
use super::answer::{Page, Trouble};
use super::doors::{Doors, Need};
use super::form::Path;
use super::session::Visitor;
use crate::domain::account::Right;
use crate::domain::case::NoteContent;
use crate::domain::report::{Report, ReportId};
use crate::runtime::voices::Playable;
use crate::store::{mails, notes, reports};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use futures::Stream;
use std::io::{self, SeekFrom};
use std::path::Path as FilePath;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use uuid::Uuid;

/// Read and sent at once.
const PIECE: usize = 64 * 1024;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/meldungen/{id}/aufnahme.wav", Need::May(Right::Read), recording)
        .get("/meldungen/{id}/original", Need::May(Right::Read), original)
        .get("/meldungen/{id}/mail.eml", Need::May(Right::Read), mail)
        .get("/notizen/{id}/notiz.wav", Need::May(Right::Read), note)
}

async fn recording(State(app): State<App>, _: Visitor, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let report = find(&app, &id).await?;
    let recording = report.recording.ok_or(Trouble::Missing)?;
    let made = app.voices.playable(&recording.file, &recording.name).await;
    play(made, &format!("aufnahme-{}.wav", report.id), &headers).await
}

async fn note(State(app): State<App>, _: Visitor, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let id = Uuid::parse_str(&id).map_err(|_| Trouble::Missing)?.hyphenated().to_string();
    let found = notes::find(&mut *app.desk.store.read().await?, &id).await?.ok_or(Trouble::Missing)?;
    let NoteContent::Spoken { file: Some(file), .. } = found.content else { return Err(Trouble::Missing) };
    play(app.voices.playable(&file, "note.ogg").await, &format!("notiz-{id}.wav"), &headers).await
}

async fn original(State(app): State<App>, _: Visitor, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let report = find(&app, &id).await?;
    let file = report.recording.ok_or(Trouble::Missing)?.file;
    let ending: String =
        file.rsplit('.').next().into_iter().flat_map(str::chars).filter(char::is_ascii_alphanumeric).collect();
    keep(&app, &file, &format!("original-{}.{ending}", report.id), &headers).await
}

async fn mail(State(app): State<App>, _: Visitor, Path(id): Path<String>, headers: HeaderMap) -> Page {
    let report = find(&app, &id).await?;
    let file = mails::file(&mut *app.desk.store.read().await?, report.id).await?.ok_or(Trouble::Missing)?;
    keep(&app, &file, &format!("mail-{}.eml", report.id), &headers).await
}

/// The report of an address.
pub(super) async fn find(app: &App, id: &str) -> Result<Report, Trouble> {
    let id: ReportId = id.parse().map_err(|_| Trouble::Missing)?;
    reports::maybe(&mut *app.desk.store.read().await?, id).await?.ok_or(Trouble::Missing)
}

async fn play(made: Result<Playable, String>, name: &str, asked: &HeaderMap) -> Page {
    let made = made.map_err(|error| {
        tracing::warn!(error, "a recording could not be made audible");
        Trouble::Wrong("Diese Aufnahme lässt sich nicht abspielen. Laden Sie das Original herunter.".to_owned())
    })?;
    send(&made.path, "audio/wav", &format!("inline; filename=\"{name}\""), asked).await
}

/// As it came, for keeping; never shown by the browser.
async fn keep(app: &App, file: &str, name: &str, asked: &HeaderMap) -> Page {
    let is_plain = FilePath::new(file).file_name().is_some_and(|name| name == file);
    let path = is_plain.then(|| app.desk.store.sound_folder().join(file)).ok_or(Trouble::Missing)?;
    send(&path, "application/octet-stream", &format!("attachment; filename=\"{name}\""), asked).await
}

async fn send(path: &FilePath, kind: &'static str, disposition: &str, asked: &HeaderMap) -> Page {
    let mut file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Trouble::Missing),
        Err(error) => return Err(Trouble::Ours(format!("could not read {}: {error}", path.display()))),
    };
    let fault = |error: io::Error| Trouble::Ours(format!("could not read {}: {error}", path.display()));
    let length = file.metadata().await.map_err(fault)?.len();
    let text = |text: String| HeaderValue::try_from(text).map_err(|error| Trouble::Ours(error.to_string()));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, text(disposition.to_owned())?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // a browser that takes it for a page after all runs nothing in it
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static("sandbox"));
    let range = asked.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (status, first, sent) = match asked_for(range, length) {
        Asked::Whole => (StatusCode::OK, 0, length),
        Asked::Part(first, last) => {
            headers.insert(header::CONTENT_RANGE, text(format!("bytes {first}-{last}/{length}"))?);
            (StatusCode::PARTIAL_CONTENT, first, last - first + 1)
        }
        Asked::Beyond => {
            headers.insert(header::CONTENT_RANGE, text(format!("bytes */{length}"))?);
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(sent));
    file.seek(SeekFrom::Start(first)).await.map_err(fault)?;
    Ok((status, headers, Body::from_stream(pieces(file, sent))).into_response())
}

/// `left` bytes of a file, piece by piece: however long it is, little of it is held.
fn pieces(file: File, left: u64) -> impl Stream<Item = io::Result<Bytes>> {
    futures::stream::try_unfold((file, left), |(mut file, left)| async move {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; most];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        let left = left.saturating_sub(read as u64);
        Ok((read > 0).then(|| (Bytes::from(piece), (file, left))))
    })
}

/// What part of a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Whole,
    /// First and last byte.
    Part(u64, u64),
    /// Nothing of it is there.
    Beyond,
}

/// RFC 9110, 14.2. What is no single range of bytes is not heeded, as the standard allows.
fn asked_for(range: Option<&str>, length: u64) -> Asked {
    let Some((first, last)) = range.and_then(|range| range.strip_prefix("bytes=")).and_then(|one| one.split_once('-'))
    else {
        return Asked::Whole;
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (first, last) {
        ("", last) => match number(last) {
            None => Asked::Whole,
            Some(0) => Asked::Beyond,
            Some(_) if length == 0 => Asked::Beyond,
            Some(count) => Asked::Part(length.saturating_sub(count), length - 1),
        },
        (first, last) => match (number(first), if last.is_empty() { Some(u64::MAX) } else { number(last) }) {
            (Some(first), Some(last)) if last < first => Asked::Whole,
            (Some(first), Some(_)) if first >= length => Asked::Beyond,
            (Some(first), Some(last)) => Asked::Part(first, last.min(length - 1)),
            _ => Asked::Whole,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_the_standard_says_and_never_more_than_is_there() {
        let cases = [
            (None, Asked::Whole),
            (Some("bytes=0-9"), Asked::Part(0, 9)),
            (Some("bytes=90-"), Asked::Part(90, 99)),
            (Some("bytes=-10"), Asked::Part(90, 99)),
            (Some("bytes=-1000"), Asked::Part(0, 99)),
            (Some("bytes=50-1000"), Asked::Part(50, 99)),
            (Some("bytes=99-99"), Asked::Part(99, 99)),
            (Some("bytes=100-"), Asked::Beyond),
            (Some("bytes=-0"), Asked::Beyond),
            (Some("bytes=9-3"), Asked::Whole),
            (Some("bytes=0-1,5-6"), Asked::Whole),
            (Some("bytes=+1-2"), Asked::Whole),
            (Some("bytes=-"), Asked::Whole),
            (Some("lines=0-9"), Asked::Whole),
            (Some("bytes=0-99999999999999999999999"), Asked::Whole),
        ];
        for (range, expected) in cases {
            assert_eq!(asked_for(range, 100), expected, "{range:?}");
        }
        assert_eq!(asked_for(Some("bytes=0-"), 0), Asked::Beyond);
        assert_eq!(asked_for(Some("bytes=-5"), 0), Asked::Beyond);
    }
}
