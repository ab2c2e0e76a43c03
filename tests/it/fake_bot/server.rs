//! The fake's wire: one call in, one answer out, or what a test asked to go wrong instead.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::serve::{IncomingStream, Listener};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::rules::{Arguments, Outcome};
use super::{Fault, Shared};

pub(super) async fn serve(listener: StdListener, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
    let app = Router::new()
        .route("/{bot}/{method}", any(one_call))
        .route("/file/{bot}/{*path}", get(one_file))
        .layer(DefaultBodyLimit::max(50 << 20))
        .with_state(shared)
        .into_make_service_with_connect_info::<Scissors>();
    axum::serve(CuttableListener(listener), app).await.expect("the fake serves until it is stopped");
}

async fn one_call(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let method = method.to_lowercase();
    if bot.strip_prefix("bot") != Some(shared.token) {
        return refusal(401, "Unauthorized", Value::Null);
    }
    let arguments = Arguments::read(request).await;
    let mut over = None;
    let (at, mut fault) = {
        let mut world = shared.world();
        world.calls.push(arguments.as_call(&method));
        (world.calls.len() - 1, world.fault(&method, arguments.int("chat_id")))
    };
    let kept = |fault: &Fault| matches!(fault, Fault::DropAfterAccept | Fault::HangAfterAccept | Fault::Garbled);
    let result = match &fault {
        Some(fault) if !kept(fault) => None,
        _ if method == "getupdates" => Some(long_poll(&shared, &arguments).await),
        _ => Some(shared.world().execute_within_limits(&method, &arguments).unwrap_or_else(|wait| {
            fault = None;
            over = Some(wait);
            Err((429, String::new()))
        })),
    };
    let answer = match (fault, result) {
        (None, _) if over.is_some() => too_many(over.unwrap_or_default()),
        (Some(fault), result) => failing(&shared, &fault, result.is_some(), &scissors).await,
        (None, Some(Ok(result))) => axum::Json(json!({"ok": true, "result": result})).into_response(),
        (None, Some(Err((code, text)))) => refusal(code, &text, Value::Null),
        (None, None) => unreachable!("only a fault leaves a call undone"),
    };
    if !scissors.0.load(Ordering::SeqCst) {
        shared.world().calls[at].status = answer.status().as_u16();
    }
    shared.changed();
    answer
}

async fn failing(shared: &Shared, fault: &Fault, done: bool, scissors: &Scissors) -> Response {
    let plain = |code, text: &str| refusal(code, text, Value::Null);
    match fault {
        Fault::TooMany(wait) => too_many(*wait),
        Fault::BadGatewayHtml => {
            let page = "<html><head><title>502 Bad Gateway</title></head></html>";
            (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        Fault::Drop | Fault::DropAfterAccept => {
            scissors.0.store(true, Ordering::SeqCst);
            StatusCode::OK.into_response()
        }
        Fault::Hang | Fault::HangAfterAccept => {
            assert_eq!(done, matches!(fault, Fault::HangAfterAccept), "only one of the two is done");
            shared.changed();
            std::future::pending().await
        }
        Fault::Garbled => (StatusCode::OK, "<html>Welcome to Airport-WiFi</html>").into_response(),
        Fault::ParseRefused => {
            plain(400, "Bad Request: can't parse entities: Unsupported start tag \"müller\" at byte offset 3")
        }
        Fault::ButtonsRefused => plain(400, "Bad Request: BUTTON_DATA_INVALID"),
        Fault::Conflict409 => plain(409, OTHER_POLLER),
        Fault::Webhook409 => plain(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        ),
        Fault::Blocked403 => plain(403, "Forbidden: bot was blocked by the user"),
        Fault::ChatNotFound => plain(400, "Bad Request: chat not found"),
        Fault::Migrate(to) => {
            refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", json!({"migrate_to_chat_id": to}))
        }
        Fault::VoiceForbidden => plain(400, "Bad Request: VOICE_MESSAGES_FORBIDDEN"),
        Fault::Unauthorized401 => plain(401, "Unauthorized"),
        Fault::Refused(code, text) => plain(*code, text),
    }
}

/// The bytes of a file that somebody sent; the path comes from `getFile`.
async fn one_file(State(shared): State<Arc<Shared>>, Path((bot, path)): Path<(String, String)>) -> Response {
    if bot.strip_prefix("bot") != Some(shared.token) {
        return refusal(401, "Unauthorized", Value::Null);
    }
    match shared.world().uploads.values().find(|upload| upload.path == path) {
        Some(upload) => ([(header::CONTENT_TYPE, "application/octet-stream")], upload.bytes.clone()).into_response(),
        None => refusal(404, "Not Found", Value::Null),
    }
}

fn too_many(wait: u64) -> Response {
    refusal(429, &format!("Too Many Requests: retry after {wait}"), json!({"retry_after": wait}))
}

const OTHER_POLLER: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";

fn refusal(code: u16, text: &str, parameters: Value) -> Response {
    let mut body = json!({"ok": false, "error_code": code, "description": text});
    if !parameters.is_null() {
        body["parameters"] = parameters;
    }
    (StatusCode::from_u16(code).expect("a status"), axum::Json(body)).into_response()
}

async fn long_poll(shared: &Shared, arguments: &Arguments) -> Outcome {
    let offset = arguments.int("offset").unwrap_or(0);
    let mine = {
        let mut world = shared.world();
        world.updates.retain(|update| update["update_id"].as_i64() >= Some(offset));
        if let Some(allowed) = arguments.json("allowed_updates") {
            let names = allowed.as_array().into_iter().flatten();
            world.allowed = names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
        }
        world.poller += 1;
        world.poller
    };
    shared.changed();
    let end = tokio::time::sleep(Duration::from_secs(arguments.int("timeout").unwrap_or(0).unsigned_abs()));
    tokio::pin!(end);
    let mut changes = shared.changed.subscribe();
    loop {
        changes.mark_unchanged();
        {
            let world = shared.world();
            if world.poller != mine {
                return Err((409, OTHER_POLLER.to_owned()));
            }
            if !world.updates.is_empty() {
                return Ok(world.updates.iter().take(100).cloned().collect());
            }
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = &mut end => return Ok(json!([])),
        }
    }
}

/// Set: the connection ends without another byte.
#[derive(Clone, Default)]
struct Scissors(Arc<AtomicBool>);

struct CuttableListener(TcpListener);

struct Cuttable {
    stream: TcpStream,
    scissors: Scissors,
}

impl Listener for CuttableListener {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Cuttable { stream, scissors: Scissors::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().scissors.clone()
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.scissors.0.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
