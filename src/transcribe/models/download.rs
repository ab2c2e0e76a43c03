//! Fetching one model file over HTTP, resumed where it was cut. What was written is judged by the caller.

use super::{Model, ModelError, file};
use futures::StreamExt;
use reqwest::{StatusCode, header};
use std::path::Path;
use std::time::Duration;
use std::{fs, io};
use tokio::io::AsyncWriteExt;

/// Fetches into `part` until it has the model's size. A cut that brought bytes is resumed at once, one that brought
/// none is an error; so it ends.
pub(super) async fn download(
    model: &Model,
    url: &str,
    part: &Path,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), ModelError> {
    let client = client(url)?;
    let mut here = fs::metadata(part).map_or(0, |data| data.len());
    while here < model.bytes {
        let before = here;
        match pass(&client, model, url, part, &mut here, progress).await {
            Ok(()) => break,
            Err(ModelError::Network { .. }) if here > before => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn client(url: &str) -> Result<reqwest::Client, ModelError> {
    let network = |why: String| ModelError::Network { url: url.to_owned(), why };
    let mut builder =
        reqwest::Client::builder().connect_timeout(Duration::from_secs(20)).read_timeout(Duration::from_mins(1));
    let host = reqwest::Url::parse(url).map_err(|error| network(error.to_string()))?;
    if matches!(host.host_str(), Some("127.0.0.1" | "localhost")) {
        // a proxy of the environment cannot reach this machine's own mirror
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| network(chain(&error)))
}

/// One request: from where `part` ends, or from the beginning where the server knows no ranges.
async fn pass(
    client: &reqwest::Client,
    model: &Model,
    url: &str,
    part: &Path,
    here: &mut u64,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), ModelError> {
    let network = |why: String| ModelError::Network { url: url.to_owned(), why };
    let mut request = client.get(url);
    if *here > 0 {
        request = request.header(header::RANGE, format!("bytes={here}-"));
    }
    let answer = request.send().await.map_err(|error| network(chain(&error)))?;
    let resumes = answer.status() == StatusCode::PARTIAL_CONTENT && starts_at(&answer, *here);
    if !resumes && answer.status() != StatusCode::OK {
        return Err(network(format!("the server answered {}", answer.status())));
    }
    let mut options = tokio::fs::OpenOptions::new();
    options.create(true).append(resumes).write(true).truncate(!resumes);
    let mut written = options.open(part).await.map_err(file("open", part))?;
    if !resumes {
        *here = 0;
    }
    let mut cut = None;
    let mut stream = answer.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => {
                cut = Some(network(chain(&error)));
                break;
            }
        };
        *here = here.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if *here > model.bytes {
            break;
        }
        written.write_all(&piece).await.map_err(|error| full(error, part, model.bytes))?;
        progress(*here, model.bytes);
    }
    written.flush().await.map_err(|error| full(error, part, model.bytes))?;
    written.sync_all().await.map_err(|error| full(error, part, model.bytes))?;
    match cut {
        Some(cut) => Err(cut),
        None if *here == model.bytes => Ok(()),
        None if resumes && *here < model.bytes => Err(network("the server gave less than was asked for".to_owned())),
        None => {
            // a whole answer of another length: never this model, and nothing to resume
            fs::remove_file(part).map_err(file("remove", part))?;
            Err(ModelError::Size { path: part.to_owned(), expected: model.bytes, found: *here })
        }
    }
}

/// Whether a partial answer begins where it was asked to ("bytes 100-199/200").
fn starts_at(answer: &reqwest::Response, here: u64) -> bool {
    let range = answer.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse::<u64>().ok());
    start == Some(here)
}

fn full(source: io::Error, path: &Path, wanted: u64) -> ModelError {
    if source.kind() == io::ErrorKind::StorageFull {
        let here = fs::metadata(path).map_or(0, |data| data.len());
        return ModelError::DiskFull { path: path.to_owned(), needed: wanted.saturating_sub(here) };
    }
    ModelError::File { verb: "write", path: path.to_owned(), source }
}

/// reqwest's errors say little without their causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
