//! A web server that answers what a test tells it to, and remembers what it was asked.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// One answer.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// JSON with status 200.
    Json(String),
    /// Bytes of a kind with status 200.
    File(&'static str, Vec<u8>),
    /// A status with a text nobody may quote.
    Status(u16),
    /// 429 and how long to wait.
    TooMany(u64),
    /// A redirect.
    Moved(String),
    /// Nothing, ever.
    Hang,
    /// Half of an answer.
    Drop,
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// `GET /path?query`, decoded.
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct Told {
    /// Part of the line, and its answers in order; the last one stays.
    rules: Vec<(String, Vec<Reply>)>,
    seen: Vec<Seen>,
}

pub(crate) struct Web {
    port: u16,
    told: Arc<Mutex<Told>>,
}

impl Web {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::new(Told::default()));
        let app = Router::new().fallback(answer).with_state(told.clone());
        #[expect(clippy::disallowed_methods, reason = "a fake peer has no lifecycle")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, told }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next answer to lines with this part in them.
    pub(crate) fn on(&self, part: &str, reply: Reply) {
        let mut told = self.told.lock().unwrap();
        match told.rules.iter_mut().find(|(known, _)| known == part) {
            Some((_, replies)) => replies.push(reply),
            None => told.rules.push((part.to_owned(), vec![reply])),
        }
    }

    /// Forgets what it was told.
    pub(crate) fn clear(&self) {
        self.told.lock().unwrap().rules.clear();
    }

    pub(crate) fn file(&self, path: &str, bytes: &[u8]) {
        self.on(&format!("GET {path}"), Reply::File("audio/mpeg", bytes.to_vec()));
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.told.lock().unwrap().seen.clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

async fn answer(State(told): State<Arc<Mutex<Told>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    let decoded: Vec<String> = reqwest::Url::parse(&format!("http://x{}", parts.uri))
        .unwrap()
        .query_pairs()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let question = if decoded.is_empty() { String::new() } else { format!("?{}", decoded.join("&")) };
    let line = format!("{} {}{question}", parts.method, parts.uri.path());
    let reply = {
        let mut told = told.lock().unwrap();
        told.seen.push(Seen { line: line.clone(), authorization, body: String::from_utf8_lossy(&body).into_owned() });
        let replies = told.rules.iter_mut().find(|(part, _)| line.contains(part)).map(|(_, replies)| replies);
        match replies {
            Some(replies) if replies.len() > 1 => replies.remove(0),
            Some(replies) => replies[0].clone(),
            None => Reply::Status(404),
        }
    };
    match reply {
        Reply::Json(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Reply::File(kind, bytes) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Reply::Status(code) => {
            (StatusCode::from_u16(code).unwrap(), "<html>+491701234567 geheim</html>").into_response()
        }
        Reply::TooMany(wait) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait.to_string())]).into_response()
        }
        Reply::Moved(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Reply::Hang => std::future::pending().await,
        Reply::Drop => {
            let pieces: [Result<Bytes, std::io::Error>; 2] =
                [Ok(Bytes::from_static(b"[{\"id\": 1, ")), Err(std::io::Error::other("cut"))];
            Body::from_stream(stream::iter(pieces)).into_response()
        }
    }
}
