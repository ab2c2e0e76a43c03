//! What no decent client does: slow, broken and endless requests; many at once; a stop in the middle.

use super::{MAX, Rig, TOKEN, settings, until};
use nachtwache::intake::push::{DoorSettings, Limits};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn hasty(change: impl FnOnce(&mut Limits)) -> DoorSettings {
    let mut settings = settings();
    settings.limits.head = Duration::from_millis(300);
    settings.limits.idle = Duration::from_millis(300);
    change(&mut settings.limits);
    settings
}

fn head(length: usize) -> String {
    format!(
        "POST /api/v1/voicemails HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: audio/wav\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

async fn sent(rig: &Rig, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Everything that comes until the door hangs up.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    // a connection that is cut hard has said what it had to say
    drop(tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await.unwrap());
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn a_slow_body_is_given_up_and_nothing_of_it_is_kept() {
    let rig = Rig::with(hasty(|_| ())).await;
    let stream = sent(&rig, &format!("{}half", head(8))).await;
    assert!(rest(stream).await.starts_with("HTTP/1.1 408 "));
    // each piece is in time, the whole is not
    let rig = Rig::with(hasty(|limits| limits.body = Duration::from_millis(200))).await;
    let mut stream = sent(&rig, &head(100)).await;
    let drip = async {
        for _ in 0..100 {
            if stream.write_all(b"x").await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let started = Instant::now();
    drip.await;
    assert!(rest(stream).await.contains("408") || started.elapsed() < Duration::from_secs(5));
    assert!(rig.reports().await.is_empty());
}

#[tokio::test]
async fn a_slow_or_endless_head_is_cut_off() {
    let rig = Rig::with(hasty(|_| ())).await;
    for start in ["", "POST /api/v1/voice", "GET /api/v1/health HTTP/1.1\r\nHost: x\r\n"] {
        rest(sent(&rig, start).await).await;
    }
    let endless = format!("GET /api/v1/health HTTP/1.1\r\nX: {}", "x".repeat(200_000));
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    drop(stream.write_all(endless.as_bytes()).await);
    let said = rest(stream).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 431 "), "{said}");
    assert!(rig.client.get(rig.url("/api/v1/health")).send().await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_stored() {
    let rig = Rig::with(hasty(|_| ())).await;
    let mut stream = sent(&rig, &format!("{}half", head(8))).await;
    stream.shutdown().await.unwrap();
    rest(stream).await;
    drop(sent(&rig, &format!("{}half", head(8))).await);
    assert_eq!(super::answer(rig.raw("", "whole")).await.0, 201);
    assert_eq!(rig.reports().await.len(), 1);
}

#[tokio::test]
async fn too_large_is_known_before_all_of_it_came() {
    let rig = Rig::with(hasty(|_| ())).await;
    let stream = sent(&rig, &format!("{}{}", head(1 << 40), "x".repeat(MAX + 10))).await;
    assert!(rest(stream).await.starts_with("HTTP/1.1 413 "));
    assert_eq!(rig.reports().await.len(), 1);
}

#[tokio::test]
async fn more_messages_of_a_peer_than_there_are_places_wait_for_another_try() {
    let rig = Rig::with(hasty(|limits| {
        limits.at_once = 1;
        limits.idle = Duration::from_secs(10);
    }))
    .await;
    let mut slow = sent(&rig, &format!("{}half", head(8))).await;
    until("the place is taken", async || super::answer(rig.raw("?id=1", "second")).await.0 == 429).await;
    let other = rig.client.post(rig.url("/api/v1/voicemails")).bearer_auth(super::OTHER);
    assert_eq!(super::answer(other.header("content-type", "audio/wav").body("x")).await.0, 201, "of another peer");
    slow.write_all(b"more").await.unwrap();
    until("the place is free", async || super::answer(rig.raw("?id=1", "second")).await.0 < 300).await;
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_open_and_the_others_wait() {
    let rig = Rig::with(hasty(|limits| limits.connections = 2)).await;
    let _idle = [sent(&rig, "").await, sent(&rig, "").await];
    let started = Instant::now();
    assert!(rig.client.get(rig.url("/api/v1/health")).send().await.unwrap().status().is_success());
    assert!(started.elapsed() < Duration::from_secs(5), "the idle ones are cut off by then");
}

#[tokio::test]
async fn a_connection_does_not_last_for_ever_and_a_slow_webhook_is_given_up() {
    let rig = Rig::with(hasty(|limits| {
        limits.head = Duration::from_mins(1);
        limits.connection = Duration::from_millis(300);
    }))
    .await;
    let kept = "GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(rest(sent(&rig, kept).await).await.starts_with("HTTP/1.1 200 "), "and then it is closed");
    let mut with_webhook = hasty(|_| ());
    with_webhook.webhooks = vec![super::webhook("http://127.0.0.1:9")];
    let rig = Rig::with(with_webhook).await;
    let slow = "POST /api/v1/twilio/hotline HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
    assert!(rest(sent(&rig, slow).await).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_takes_nothing_new() {
    let rig = Rig::with(hasty(|limits| limits.idle = Duration::from_secs(10))).await;
    let mut slow = sent(&rig, &format!("{}half", head(8))).await;
    let _idle = sent(&rig, "").await;
    // the request is under way when its bytes were read; a second one is answered only after that
    assert!(rig.client.get(rig.url("/api/v1/health")).send().await.unwrap().status().is_success());
    rig.lifecycle.stop();
    slow.write_all(b"more").await.unwrap();
    assert!(rest(slow).await.starts_with("HTTP/1.1 201 "));
    tokio::time::timeout(Duration::from_secs(5), rig.lifecycle.ended()).await.unwrap();
    assert!(!rig.lifecycle.is_broken() && TcpStream::connect(rig.address).await.is_err());
    assert_eq!(rig.reports().await.len(), 1);
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_number_no_name_and_no_token_reaches_the_log() {
    let kept = Kept::default();
    let writer = kept.clone();
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    let log = log.finish();
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    let guard = tracing::subscriber::set_default(log);
    let rig = Rig::with(hasty(|_| ())).await;
    let query = "?caller=%2B499721555017&name=Rossmeisl&id=secret-id";
    assert_eq!(super::answer(rig.raw(query, "sound of it")).await.0, 201);
    assert_eq!(super::answer(rig.raw(query, "another sound")).await.0, 409);
    assert_eq!(super::answer(rig.raw(query, vec![1; MAX + 1])).await.0, 413);
    assert_eq!(super::answer(rig.raw("?time=Rossmeisl", "sound")).await.0, 400);
    assert_eq!(rig.client.get(rig.url("/Rossmeisl?x=555017")).send().await.unwrap().status(), 404);
    rig.world.store.close().await;
    assert_eq!(super::answer(rig.raw(query, "sound of it")).await.0, 503);
    drop(guard);
    let log = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a message was refused") && log.contains("a request failed"), "{log}");
    assert!(log.contains("route=\"/api/v1/voicemails\"") && log.contains("status=409"), "{log}");
    let ours = log.lines().filter(|line| line.contains("nachtwache"));
    for line in ours {
        for private in ["555017", "Rossmeisl", "secret-id", TOKEN, "sound of it"] {
            assert!(!line.contains(private), "{private} stands in the log: {line}");
        }
    }
}
