//! A provider's recordings at the wire, with scripted answers.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// One answer to a request for a recording.
#[derive(Clone)]
pub(super) enum Gives {
    Sound(Vec<u8>),
    Status(u16),
    Redirect(String),
    Hangs,
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Gives>,
    asked: Vec<(String, Option<String>)>,
}

#[derive(Clone)]
pub(super) struct Provider {
    pub(super) host: String,
    script: Arc<Mutex<Script>>,
}

impl Provider {
    /// Gives these answers in turn, the last one for ever.
    pub(super) async fn giving(answers: &[Gives]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script { answers: answers.iter().cloned().collect(), ..Script::default() }));
        let app = Router::new().fallback(give).with_state(script.clone());
        #[expect(clippy::disallowed_methods, reason = "a fake peer has no lifecycle")]
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { host, script }
    }

    /// Path and Authorization of each request so far.
    pub(super) fn asked(&self) -> Vec<(String, Option<String>)> {
        self.script.lock().unwrap().asked.clone()
    }
}

async fn give(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let answer = {
        let mut script = script.lock().unwrap();
        let login = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
        script.asked.push((request.uri().to_string(), login));
        if script.answers.len() > 1 { script.answers.pop_front() } else { script.answers.front().cloned() }
    };
    match answer {
        Some(Gives::Sound(bytes)) => ([(header::CONTENT_TYPE, "audio/x-wav")], bytes).into_response(),
        Some(Gives::Status(status)) => axum::http::StatusCode::from_u16(status).unwrap().into_response(),
        Some(Gives::Redirect(place)) => {
            (axum::http::StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
        }
        Some(Gives::Hangs) | None => std::future::pending().await,
    }
}
