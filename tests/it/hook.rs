//! A webhook's other end: remembers what was told under each path.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{any, post};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

type Told = Arc<Mutex<HashMap<String, Vec<String>>>>;

pub(crate) struct Hook {
    port: u16,
    told: Told,
}

impl Hook {
    #[expect(clippy::disallowed_methods, reason = "a peer of its own, it ends with the test")]
    pub(crate) async fn start() -> Self {
        let told = Told::default();
        let hear = async |State(told): State<Told>, Path(name): Path<String>, body: String| {
            told.lock().unwrap().entry(name).or_default().push(body);
        };
        let routes = Router::new().route("/{name}", post(hear)).fallback(any(async || "here")).with_state(told.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { port, told }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The bodies that came under this path, in order.
    pub(crate) fn got(&self, name: &str) -> Vec<String> {
        self.told.lock().unwrap().get(name).cloned().unwrap_or_default()
    }
}
