//! The call monitor as a hint, and what `nachtwache check` says.

use super::fake::FakeBox;
use super::{Here, NOW, erika, settings, watched};
use nachtwache::intake::fritzbox::FritzSettings;
use nachtwache::intake::source::{Said, Source};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);
const A_WHILE: Duration = Duration::from_millis(200);
const TAKEN: &[u8] =
    b"28.11.26 21:30:00;RING;2;01710000001;9782362;SIP0;\r\n28.11.26 21:30:10;CONNECT;2;40;01710000001;\r\n";
const ENDED: &[u8] = b"28.11.26 21:30:40;DISCONNECT;2;30;\r\n";

async fn monitored() -> (TcpListener, nachtwache::intake::fritzbox::FritzBox, Here) {
    let (fake, here) = (FakeBox::start().await, Here::at(NOW).await);
    let monitor = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = monitor.local_addr().unwrap().to_string();
    let source = here.source(FritzSettings { monitor: Some(address), ..settings(&fake) });
    (monitor, source, here)
}

async fn accept(monitor: &TcpListener) -> TcpStream {
    timeout(SOON, monitor.accept()).await.expect("the source listens").unwrap().0
}

#[tokio::test]
async fn the_end_of_a_call_that_a_machine_took_is_a_reason_to_look() {
    let (monitor, mut source, _here) = monitored().await;
    let (mut peer, quiet) = tokio::join!(accept(&monitor), timeout(A_WHILE, source.changed()));
    assert!(quiet.is_err(), "nothing happened yet");
    // the line comes in two pieces, and the wait between is dropped
    peer.write_all(TAKEN).await.unwrap();
    peer.write_all(&ENDED[..12]).await.unwrap();
    assert!(timeout(A_WHILE, source.changed()).await.is_err(), "the call goes on");
    peer.write_all(&ENDED[12..]).await.unwrap();
    timeout(SOON, source.changed()).await.expect("a look");
    // a call that a person took is none of our business
    peer.write_all(b"x;CONNECT;1;11;01710000001;\r\nx;DISCONNECT;1;5;\r\n").await.unwrap();
    assert!(timeout(A_WHILE, source.changed()).await.is_err());
}

#[tokio::test]
async fn a_call_monitor_that_is_away_or_breaks_off_costs_no_more_than_the_poll() {
    let (monitor, _source, here) = monitored().await;
    let fake = FakeBox::start().await;
    let address = monitor.local_addr().unwrap().to_string();
    let poll = Duration::from_millis(100);
    let mut source = here.source(FritzSettings { monitor: Some(address), poll, ..settings(&fake) });
    let (peer, ()) = tokio::join!(accept(&monitor), source.changed());
    drop(peer);
    drop(monitor);
    for _ in 0..2 {
        timeout(SOON, source.changed()).await.expect("the poll");
    }
}

#[tokio::test]
async fn without_a_call_monitor_the_poll_is_the_only_clock() {
    let (fake, _source, here) = watched(&[]).await;
    let mut source = here.source(FritzSettings { poll: Duration::from_millis(20), ..settings(&fake) });
    timeout(SOON, source.changed()).await.expect("the poll");
}

fn line<'a>(said: &'a [Said], words: &str) -> Result<&'a str, &'a str> {
    let all: Vec<_> = said.iter().map(|line| line.as_deref().map_err(String::as_str)).collect();
    let has = |line: &&Result<&str, &str>| matches!(line, Ok(text) | Err(text) if text.contains(words));
    *all.iter().find(has).unwrap_or_else(|| panic!("nothing about {words:?} in {all:#?}"))
}

#[tokio::test]
async fn the_check_says_how_the_box_is() {
    let (fake, here) = (FakeBox::with_tls().await, Here::at(NOW).await);
    fake.inside().messages.push(erika());
    let monitor = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = monitor.local_addr().unwrap().to_string();
    let with_monitor = FritzSettings { monitor: Some(address), ..settings(&fake) };
    let said = here.source(with_monitor.clone()).examine().await;
    assert!(line(&said, "the login at 127.0.0.1:").unwrap().contains("0 \"AB 0\" is on, 1 \"AB 1\" is off"));
    assert!(line(&said, "SHA-256").unwrap().contains(fake.fingerprint.as_deref().unwrap()));
    line(&said, "answering machine 0: 1 messages, 40 minutes left").unwrap();
    line(&said, "tells of calls at once").unwrap();
    drop(monitor);
    fake.inside().enabled = "0";
    let said = here.source(with_monitor).examine().await;
    line(&said, "is switched off").unwrap_err();
    assert!(line(&said, "cannot be reached").unwrap().contains("#96*5*"), "no trouble, but said");
}

#[tokio::test]
async fn the_check_says_what_is_wrong() {
    let (fake, mut source, _here) = watched(&[]).await;
    line(&source.examine().await, "http: ").unwrap();
    fake.inside().password = "another";
    let said = source.examine().await;
    assert_eq!(said.len(), 1);
    line(&said, "refused the login").unwrap_err();
}
