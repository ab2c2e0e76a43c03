//! HTTP/1.1 with what a server in the open needs: a time limit for the request's head (which axum's own server lacks),
//! bounded heads, a bounded number of connections, and a soft stop.
//!
//! All connections live in this one task: whoever drops it drops them. A panic costs its connection only.

use super::Limits;
use crate::runtime::lifecycle::Lifecycle;
use axum::Router;
use futures::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// A request's line and headers together.
const HEAD_BYTES: usize = 32 * 1024;
const HEADERS: usize = 64;

pub(super) async fn serve(listener: TcpListener, app: Router, limits: Limits, lifecycle: &Lifecycle) {
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = lifecycle.stopping() => break,
            Some(()) = open.next() => {}
            accepted = listener.accept(), if open.len() < limits.connections => match accepted {
                Ok((stream, _)) => open.push(connection(stream, app.clone(), limits, lifecycle)),
                // no file handle left, or the peer went away: others may do better in a moment
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    while open.next().await.is_some() {}
}

async fn connection(stream: TcpStream, app: Router, limits: Limits, lifecycle: &Lifecycle) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    let mut serving = Box::pin(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    let talk = async {
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = lifecycle.stopping() => None,
            // a peer that never reads its answers would hold its place for ever
            () = tokio::time::sleep(limits.connection) => None,
        };
        let ended = if let Some(ended) = ended {
            Ok(ended)
        } else {
            serving.as_mut().graceful_shutdown();
            tokio::time::timeout(limits.body + limits.fetch, serving).await
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a connection broke off"),
            Err(_) => tracing::debug!("a connection was cut off"),
        }
    };
    if AssertUnwindSafe(talk).catch_unwind().await.is_err() {
        tracing::error!("a request panicked: its connection was dropped");
    }
}
