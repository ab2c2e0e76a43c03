//! Model files: fetched from a real HTTP server on this machine that can be told to fail, and verified.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use futures::stream;
use nachtwache::transcribe::models::{self, ModelError, Presence};
use std::fs;
use std::future::{Future, IntoFuture};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const NAME: &str = "test-de";
const FILE: &str = "ggml-test-de.bin";

fn weights() -> Vec<u8> {
    fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/ggml-test-de.bin")).unwrap()
}

/// What the server does with a request, in order; then `Whole` for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// Answers as asked.
    Whole,
    /// Closes the connection after so many bytes of the body.
    Cut(usize),
    /// Answers 200 with everything, whatever range is asked for.
    NoRanges,
    /// One byte is another.
    Wrong,
    /// A complete answer, but too short.
    Short,
    /// 404.
    Missing,
}

#[derive(Clone)]
struct Server {
    weights: Arc<Vec<u8>>,
    faults: Arc<Mutex<Vec<Fault>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn serve(State(server): State<Server>, headers: HeaderMap) -> Response {
    let range = headers.get(header::RANGE).map(|range| range.to_str().unwrap().to_owned()).unwrap_or_default();
    server.asked.lock().unwrap().push(range.clone());
    let mut faults = server.faults.lock().unwrap();
    let fault = if faults.is_empty() { Fault::Whole } else { faults.remove(0) };
    let mut bytes = server.weights.to_vec();
    let whole = bytes.len();
    let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
    let from = from.filter(|_| fault != Fault::NoRanges);
    match fault {
        Fault::Missing => return Response::builder().status(StatusCode::NOT_FOUND).body(Body::empty()).unwrap(),
        Fault::Wrong => bytes[1_000_000] ^= 1,
        Fault::Short => bytes.truncate(whole / 2),
        _ => (),
    }
    let mut answer = Response::builder().status(if from.is_some() { 206 } else { 200 });
    if let Some(from) = from {
        bytes.drain(..from);
        answer = answer.header(header::CONTENT_RANGE, format!("bytes {from}-{}/{whole}", whole - 1));
    }
    answer = answer.header(header::CONTENT_LENGTH, bytes.len());
    if let Fault::Cut(length) = fault {
        bytes.truncate(length);
        let pieces = vec![Ok(bytes), Err(io::Error::other("cut"))];
        return answer.body(Body::from_stream(stream::iter(pieces))).unwrap();
    }
    answer.body(Body::from(bytes)).unwrap()
}

/// Runs `story` beside a server with these faults; gives its result and the ranges that were asked for.
async fn beside<T, F: Future<Output = T>>(faults: Vec<Fault>, story: impl FnOnce(String) -> F) -> (T, Vec<String>) {
    let server = Server {
        weights: Arc::new(weights()),
        faults: Arc::new(Mutex::new(faults)),
        asked: Arc::new(Mutex::new(Vec::new())),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/models/", listener.local_addr().unwrap());
    let app = Router::new().route(&format!("/models/{FILE}"), axum::routing::get(serve)).with_state(server.clone());
    let result = tokio::select! {
        result = story(url) => result,
        _ = axum::serve(listener, app).into_future() => panic!("the server ended"),
    };
    let asked = server.asked.lock().unwrap().clone();
    (result, asked)
}

async fn fetch(dir: &Path, url: &str) -> Result<PathBuf, ModelError> {
    models::fetch(NAME, dir, url, |_, _| ()).await
}

fn presence(dir: &Path) -> Presence {
    models::list(dir).into_iter().find(|state| state.model.name == NAME).unwrap().presence
}

#[test]
fn the_manifest_names_every_model_once_with_size_and_checksum() {
    let known = models::known();
    assert_eq!(known.len(), 18);
    for model in known {
        assert_eq!(known.iter().filter(|other| other.name == model.name || other.file == model.file).count(), 1);
        assert_eq!(model.file, format!("ggml-{}.bin", model.name));
        assert!(model.bytes > 10_000_000);
        let sum = model.sha256.as_deref().unwrap();
        assert!(sum.len() == 64 && sum.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)), "{sum}");
    }
}

#[test]
fn the_test_model_is_what_the_manifest_says() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models"));
    let checked = models::verify(&folder.join(FILE)).unwrap();
    assert_eq!(checked.known.as_deref(), Some(NAME));
    assert_eq!(presence(folder), Presence::Here);
}

#[tokio::test]
async fn a_model_is_fetched_once_and_its_progress_told() {
    let dir = TempDir::new().unwrap();
    let mut told = Vec::new();
    let ((), asked) = beside(Vec::new(), async |url: String| {
        let path = models::fetch(FILE, dir.path(), &url, |here, all| told.push((here, all))).await.unwrap();
        assert_eq!(fs::read(path).unwrap(), weights());
        fetch(dir.path(), &url).await.unwrap();
    })
    .await;
    assert_eq!(asked, [""], "the second time nothing is asked");
    assert!(told.is_sorted() && told.last() == Some(&(12_594_999, 12_594_999)));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_cut_connection_is_resumed_where_it_was_cut() {
    let dir = TempDir::new().unwrap();
    let faults = vec![Fault::Cut(3_000_000), Fault::Cut(2_000_000)];
    let (path, asked) = beside(faults, async |url: String| fetch(dir.path(), &url).await.unwrap()).await;
    assert_eq!(fs::read(path).unwrap(), weights());
    assert_eq!(asked.len(), 3);
    assert!(asked[1].starts_with("bytes=") && asked[2].starts_with("bytes="), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_gives_nothing_is_an_error_and_what_is_here_is_resumed_later() {
    let dir = TempDir::new().unwrap();
    let faults = vec![Fault::Cut(3_000_000), Fault::Missing];
    let (result, _) = beside(faults, async |url: String| fetch(dir.path(), &url).await).await;
    assert!(matches!(result, Err(ModelError::Network { .. })), "{result:?}");
    assert!(matches!(presence(dir.path()), Presence::Part(1..=3_000_000)), "{:?}", presence(dir.path()));
    let (path, asked) = beside(Vec::new(), async |url: String| fetch(dir.path(), &url).await.unwrap()).await;
    assert_eq!(fs::read(path).unwrap(), weights());
    assert!(asked[0].starts_with("bytes="));
}

#[tokio::test]
async fn a_server_without_ranges_begins_again_from_the_start() {
    let dir = TempDir::new().unwrap();
    let faults = vec![Fault::Cut(3_000_000), Fault::NoRanges];
    let (path, _) = beside(faults, async |url: String| fetch(dir.path(), &url).await.unwrap()).await;
    assert_eq!(fs::read(path).unwrap(), weights());
}

#[tokio::test]
async fn a_wrong_file_is_refused_removed_and_never_replaces_a_right_one() {
    let dir = TempDir::new().unwrap();
    let (result, _) = beside(vec![Fault::Wrong], async |url: String| fetch(dir.path(), &url).await).await;
    assert!(matches!(result, Err(ModelError::Checksum { .. })), "{result:?}");
    let (result, _) = beside(vec![Fault::Short], async |url: String| fetch(dir.path(), &url).await).await;
    assert!(matches!(result, Err(ModelError::Size { .. })), "{result:?}");
    assert_eq!(presence(dir.path()), Presence::Absent);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_truncated_model_is_found_and_fetched_anew() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(FILE);
    fs::write(&path, &weights()[..5_000_000]).unwrap();
    assert_eq!(presence(dir.path()), Presence::WrongSize(5_000_000));
    assert!(matches!(models::verify(&path), Err(ModelError::Size { .. })));
    beside(Vec::new(), async |url: String| fetch(dir.path(), &url).await.unwrap()).await;
    assert!(models::verify(&path).is_ok());
}

#[tokio::test]
async fn a_full_disk_says_how_much_is_missing() {
    let dir = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/dev/full", dir.path().join(format!("{FILE}.part"))).unwrap();
    let (result, _) = beside(Vec::new(), async |url: String| fetch(dir.path(), &url).await).await;
    assert!(matches!(result, Err(ModelError::DiskFull { needed: 12_594_999, .. })), "{result:?}");
}

#[tokio::test]
async fn an_unknown_name_and_a_dead_server_are_told_apart() {
    let dir = TempDir::new().unwrap();
    let unknown = models::fetch("huge", dir.path(), models::BASE_URL, |_, _| ()).await;
    assert!(matches!(unknown, Err(ModelError::Unknown(_))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(fetch(dir.path(), &url).await, Err(ModelError::Network { .. })));
}

#[test]
fn a_file_that_is_no_model_is_told_from_a_model_of_ones_own() {
    let dir = TempDir::new().unwrap();
    let own = dir.path().join("ggml-own.bin");
    fs::write(&own, weights()).unwrap();
    assert_eq!(models::verify(&own).unwrap().known, None);
    let mut spoilt = weights();
    for (at, value) in [(0, 1_u8), (4, 0xff), (11, 0xff), (19, 0xff), (44, 0xff)] {
        let before = std::mem::replace(&mut spoilt[at], value);
        spoilt[45] = if at == 44 { 0xff } else { spoilt[45] };
        fs::write(&own, &spoilt).unwrap();
        assert!(matches!(models::verify(&own), Err(ModelError::NotAModel { .. })), "byte {at}");
        spoilt[at] = before;
    }
    fs::write(&own, b"GGUF").unwrap();
    assert!(matches!(models::verify(&own), Err(ModelError::NotAModel { .. })));
}
