//! Whom the source talks to, and what it says when it cannot.

use super::fake::{FakeBox, Fault};
use super::{Here, NOW, RECORDING, bytes, erika, found, impatient, settings, silent, watched};
use nachtwache::intake::fritzbox::FritzSettings;
use nachtwache::intake::source::{Source, SourceError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

fn refused(error: SourceError) -> String {
    let SourceError::Refused(why) = error else { panic!("{error:?}") };
    silent(&why);
    why
}

fn unreachable(error: SourceError) -> String {
    let SourceError::Unreachable(why) = error else { panic!("{error:?}") };
    silent(&why);
    why
}

#[tokio::test]
async fn the_first_certificate_is_remembered_and_another_one_is_refused() {
    let (fake, here) = (FakeBox::with_tls().await, Here::at(NOW).await);
    fake.inside().messages.push(erika());
    let mut source = here.source(settings(&fake));
    let listed = found(&mut source).await;
    assert_eq!(bytes(&source.take(&listed[0]).await.unwrap()), RECORDING);
    let name = format!("certificate of {}", fake.address.trim_start_matches("https://"));
    assert_eq!(here.memory().recall(&name).await.unwrap(), fake.fingerprint);
    // after a restart the same address shows another certificate
    here.memory().keep(&name, &"ab".repeat(32)).await.unwrap();
    let (mut source, before) = (here.source(settings(&fake)), fake.inside().wire.len());
    let why = refused(source.list().await.unwrap_err());
    assert!(why.contains(&"ab".repeat(32)) && why.contains(fake.fingerprint.as_ref().unwrap()), "{why}");
    assert!(why.contains("fingerprint = "), "{why}");
    assert_eq!(fake.inside().wire.len(), before, "nothing was sent");
    // the settings decide
    let mut source = here.source(FritzSettings {
        fingerprints: vec!["cd".repeat(32), fake.fingerprint.clone().unwrap()],
        ..settings(&fake)
    });
    assert_eq!(found(&mut source).await.len(), 1);
}

#[tokio::test]
async fn a_configured_fingerprint_is_the_only_one() {
    let (fake, here) = (FakeBox::with_tls().await, Here::at(NOW).await);
    let mut source = here.source(FritzSettings { fingerprints: vec!["cd".repeat(32)], ..settings(&fake) });
    refused(source.list().await.unwrap_err());
    assert!(fake.inside().wire.is_empty());
}

#[tokio::test]
async fn the_pages_are_spoken_to_over_tls_as_well() {
    let (fake, here) = (FakeBox::with_tls().await, Here::at(NOW).await);
    fake.inside().messages.push(erika());
    fake.inside().ways = ["pages"].into();
    fake.inside().pages_want_login = true;
    let mut source = here.source(settings(&fake));
    let found = found(&mut source).await;
    assert_eq!(bytes(&source.take(&found[0]).await.unwrap()), RECORDING);
}

#[tokio::test]
async fn pages_with_another_certificate_than_before_are_one_way_less() {
    let (fake, here) = (FakeBox::with_tls().await, Here::at(NOW).await);
    fake.inside().messages.push(erika());
    // what was seen first of the pages, and of the box itself, was another one
    let name = format!("certificate of {}", fake.web.trim_start_matches("https://"));
    here.memory().keep(&name, &"ab".repeat(32)).await.unwrap();
    here.memory().keep("way to the sound", "luacgi_notimeout").await.unwrap();
    let mut source = here.source(FritzSettings { address: fake.plain.parse().unwrap(), ..settings(&fake) });
    let found = found(&mut source).await;
    assert_eq!(bytes(&source.take(&found[0]).await.unwrap()), RECORDING);
    fake.inside().ways.clear();
    let SourceError::Busy(why) = source.take(&found[0]).await.unwrap_err() else { panic!("another error") };
    assert!(why.contains("has changed") && why.contains(fake.fingerprint.as_ref().unwrap()), "{why}");
}

#[tokio::test]
async fn a_configured_fingerprint_is_the_only_one_at_the_pages_too() {
    let (fake, here) = (FakeBox::with_tls().await, Here::at(NOW).await);
    fake.inside().messages.push(erika());
    fake.inside().ways = ["pages"].into();
    fake.inside().pages_want_login = true;
    // what was seen and remembered before does not count any longer
    let name = format!("certificate of {}", fake.web.trim_start_matches("https://"));
    here.memory().keep(&name, fake.fingerprint.as_ref().unwrap()).await.unwrap();
    let address: reqwest::Url = fake.plain.parse().unwrap();
    let with = |fingerprint: String| FritzSettings {
        address: address.clone(),
        fingerprints: vec![fingerprint],
        ..settings(&fake)
    };
    let mut source = here.source(with("cd".repeat(32)));
    let listed = found(&mut source).await;
    let SourceError::Busy(why) = source.take(&listed[0]).await.unwrap_err() else { panic!("another error") };
    assert!(why.contains("has changed") && why.contains(&"cd".repeat(32)), "{why}");
    let asked = fake.inside().asked.clone();
    assert!(!asked.iter().any(|line| line.contains("login_sid") || line.contains("luacgi")), "{asked:?}");
    let mut source = here.source(with(fake.fingerprint.clone().unwrap()));
    let listed = found(&mut source).await;
    assert_eq!(bytes(&source.take(&listed[0]).await.unwrap()), RECORDING);
}

#[tokio::test]
async fn a_machine_that_was_removed_keeps_no_other_one_waiting() {
    let (fake, _source, here) = watched(&[erika()]).await;
    let mut source = here.source(FritzSettings { tams: vec![3, 0], ..settings(&fake) });
    let listing = source.list().await.unwrap();
    assert_eq!(listing.found.len(), 1);
    let [trouble] = listing.troubles.as_slice() else { panic!("{:?}", listing.troubles) };
    assert!(trouble.loses_calls && trouble.key == "tam3:list", "{trouble:?}");
    assert!(trouble.what.contains("no such answering machine") && trouble.what.contains("remedy"), "{trouble:?}");
    silent(&trouble.what);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_for_all_machines() {
    let (fake, _source, here) = watched(&[]).await;
    fake.inside().password = "another";
    let mut source = here.source(FritzSettings { tams: vec![0, 1, 2], ..settings(&fake) });
    refused(source.list().await.unwrap_err());
    assert_eq!(fake.inside().wire.len(), 2);
}

#[tokio::test]
async fn a_list_somewhere_else_is_not_read() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = elsewhere.local_addr().unwrap().port();
    for hostile in [
        format!("http://127.0.0.1:{port}/tamcalllist.lua"),
        format!("http://fritz.box@localhost:{port}/tamcalllist.lua"),
        "https://evil.example/tamcalllist.lua".into(),
        "//evil.example/tamcalllist.lua".into(),
        "@evil.example/tamcalllist.lua".into(),
        "file:///etc/passwd".into(),
    ] {
        let (fake, mut source, _here) = watched(&[erika()]).await;
        fake.inside().list_url = Some(hostile.clone());
        let why = refused(source.list().await.unwrap_err());
        assert!(why.contains("nothing was sent there"), "{hostile}: {why}");
    }
    let waiting = tokio::time::timeout(Duration::from_millis(50), elsewhere.accept()).await;
    assert!(waiting.is_err(), "somebody else was asked");
}

#[tokio::test]
async fn a_list_under_another_name_of_the_box_is_read_at_the_configured_address() {
    for own in ["http://fritz.box:49000/tamcalllist.lua", "https://127.0.0.1:49443/tamcalllist.lua", "/tamcalllist.lua"]
    {
        let (fake, mut source, _here) = watched(&[erika()]).await;
        fake.inside().list_url = Some(own.into());
        assert_eq!(found(&mut source).await.len(), 1, "{own}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_remedy_and_tried_once() {
    let (fake, mut source, _here) = watched(&[]).await;
    fake.inside().password = "another";
    let why = refused(source.list().await.unwrap_err());
    assert!(why.contains("username and password") && why.contains("FRITZ!Box-Benutzer"), "{why}");
    assert_eq!(fake.inside().wire.len(), 2, "more tries would lock the user out");
}

#[tokio::test]
async fn an_old_nonce_is_no_wrong_password() {
    for says_stale in [true, false] {
        let (fake, mut source, _here) = watched(&[erika()]).await;
        (fake.inside().nonce_good_for, fake.inside().says_stale) = (1, says_stale);
        for _ in 0..3 {
            assert_eq!(found(&mut source).await.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_missing_right_names_the_right() {
    for code in [401, 606] {
        let (fake, mut source, _here) = watched(&[]).await;
        fake.fails("GetMessageList", &[Fault::Soap(code)]);
        let why = refused(source.list().await.unwrap_err());
        assert!(why.contains("Sprachnachrichten") && why.contains("FRITZ!Box-Benutzer"), "{why}");
    }
    let (fake, _source, here) = watched(&[]).await;
    let why = refused(here.source(FritzSettings { tams: vec![3], ..settings(&fake) }).list().await.unwrap_err());
    assert!(why.contains("no such answering machine"), "{why}");
    let (fake, mut source, _here) = watched(&[]).await;
    fake.fails("GetMessageList", &[Fault::Status(404)]);
    assert!(refused(source.list().await.unwrap_err()).contains("Zugriff für Anwendungen zulassen"));
}

#[tokio::test]
async fn what_is_broken_at_the_box_is_unreachable_and_over_when_it_is_over() {
    for (what, fault, words) in [
        ("GetMessageList", Fault::Status(503), "HTTP 503"),
        ("GetMessageList", Fault::Garbage, "something else"),
        ("GetMessageList", Fault::Soap(501), "fault 501"),
        ("GetMessageList", Fault::Hang, "no answer in time"),
        ("tamcalllist.lua", Fault::Status(500), "HTTP 500"),
        ("tamcalllist.lua", Fault::Garbage, "no XML"),
        ("tamcalllist.lua", Fault::Hang, "no answer in time"),
    ] {
        let (fake, _source, here) = watched(&[erika()]).await;
        let mut source = here.source(impatient(&fake));
        fake.fails(what, &[fault]);
        let why = unreachable(source.list().await.unwrap_err());
        assert!(why.contains(words) && why.contains("127.0.0.1:"), "{words}: {why}");
        assert_eq!(found(&mut source).await.len(), 1, "{words}");
    }
}

#[tokio::test]
async fn a_box_that_is_away_is_unreachable_in_time() {
    let (fake, _source, here) = watched(&[]).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut source = here.source(FritzSettings { address: address.parse().unwrap(), ..settings(&fake) });
    let why = unreachable(source.list().await.unwrap_err());
    assert!(why.contains("cannot be reached") && why.contains("remedy"), "{why}");
    // accepts, and says nothing
    let silent_peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", silent_peer.local_addr().unwrap());
    let mut source = here.source(FritzSettings { address: address.parse().unwrap(), ..impatient(&fake) });
    let began = Instant::now();
    unreachable(source.list().await.unwrap_err());
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_look_that_is_dropped_midway_leaves_nothing_behind() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.fails("tamcalllist.lua", &[Fault::Hang]);
    tokio::select! {
        _ = source.list() => panic!("it hangs"),
        () = fake.was_asked("GET /tamcalllist.lua") => {}
    }
    let found = found(&mut source).await;
    fake.fails("download.lua", &[Fault::Hang]);
    tokio::select! {
        _ = source.take(&found[0]) => panic!("it hangs"),
        () = fake.was_asked("GET /download.lua") => {}
    }
    assert_eq!(bytes(&source.take(&found[0]).await.unwrap()), RECORDING);
}
