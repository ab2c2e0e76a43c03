//! HTTP/1.1 with what a server in the open needs: a time limit for the request's head (which axum's own server lacks),
//! bounded heads, a bounded number of connections, TLS where a certificate is given, and a soft stop.
//!
//! All connections live in this one task: whoever drops it drops them. A panic costs its connection only. Each request
//! carries its `Peer`.

use super::tls::Certificate;
use crate::runtime::lifecycle::Lifecycle;
use axum::{Extension, Router};
use futures::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A request's line and headers together.
const HEAD_BYTES: usize = 32 * 1024;
const HEADERS: usize = 64;

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What a server allows.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// A request's head, the handshake before it, and the pause between two requests.
    pub head: Duration,
    /// A connection, whatever comes over it; what is under way then is finished.
    pub connection: Duration,
    /// How long that may take.
    pub finish: Duration,
    /// Connections at once.
    pub connections: usize,
}

/// Serves `app` until the service stops; requests under way are finished. With a certificate only TLS is spoken.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    bounds: Bounds,
    certificate: Option<Arc<Certificate>>,
    lifecycle: &Lifecycle,
) {
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            () = lifecycle.stopping() => break,
            Some(()) = open.next() => {}
            accepted = listener.accept(), if open.len() < bounds.connections => match accepted {
                Ok((stream, peer)) => {
                    let app = app.clone().layer(Extension(Peer(peer)));
                    open.push(connection(stream, app, bounds, certificate.clone(), lifecycle));
                }
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

async fn connection(
    stream: TcpStream,
    app: Router,
    bounds: Bounds,
    certificate: Option<Arc<Certificate>>,
    lifecycle: &Lifecycle,
) {
    let Some(certificate) = certificate else { return talk(stream, app, bounds, lifecycle).await };
    match tokio::time::timeout(bounds.head, certificate.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => talk(stream, app, bounds, lifecycle).await,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: Router,
    bounds: Bounds,
    lifecycle: &Lifecycle,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(bounds.head).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    let mut serving = Box::pin(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    let talk = async {
        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = lifecycle.stopping() => None,
            // a peer that never reads its answers would hold its place for ever
            () = tokio::time::sleep(bounds.connection) => None,
        };
        let ended = if let Some(ended) = ended {
            Ok(ended)
        } else {
            serving.as_mut().graceful_shutdown();
            tokio::time::timeout(bounds.finish, serving).await
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
