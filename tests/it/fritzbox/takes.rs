//! Listing and taking: which messages, and their sound by whichever way the box offers.

use super::fake::{FakeBox, Fault, Message};
use super::{Here, RECORDING, bytes, erika, found, heard, impatient, refusal, settings, silent, watched};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::intake::source::{Source, SourceError};
use std::collections::HashSet;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_message_is_taken_with_its_caller_its_time_and_its_voice() {
    let (fake, mut source, _here) = watched(&[heard(), erika()]).await;
    let found = found(&mut source).await;
    assert_eq!(found.len(), 2, "the one that was heard this morning, too");
    let first = source.take(&found[0]).await.unwrap();
    assert_eq!((first.caller.number.as_deref(), first.caller.name.as_deref()), (None, Some("Otto & Co")));
    let arrival = source.take(&found[1]).await.unwrap();
    assert_eq!(bytes(&arrival), RECORDING);
    assert_eq!(arrival.called_at, Some(at("2026-11-28T20:30:00Z")));
    assert_eq!(arrival.caller.number.as_deref(), Some("01710000001"));
    assert_eq!(arrival.caller.name, None);
    assert_eq!(arrival.mailbox.as_deref(), Some("9782362"));
    assert_eq!((arrival.key.as_str(), arrival.longest_s), (found[1].key.as_str(), Some(180)));
    assert_ne!(first.twin, arrival.twin);
    let wire = fake.inside().wire.join("\n");
    assert!(!wire.contains("geheim"), "the password is never sent");
    assert!(wire.contains("nc=00000002"), "a nonce is used more than once");
}

#[tokio::test]
async fn an_empty_box_is_fine_and_is_asked_little() {
    let (fake, mut source, _here) = watched(&[]).await;
    assert_eq!(found(&mut source).await, []);
    assert_eq!(fake.inside().asked, ["SOAP GetMessageList", "GET /tamcalllist.lua", "SOAP GetInfo"]);
}

#[tokio::test]
async fn what_was_heard_before_the_first_look_is_left_alone_and_later_nothing_is() {
    let old = Message { date: "20.11.26 08:00", file: "rec.0.007", ..heard() };
    let old_but_new = Message { new: true, file: "rec.0.008", ..old.clone() };
    let (fake, mut source, here) = watched(&[old, old_but_new.clone(), heard()]).await;
    let taken = found(&mut source).await;
    assert_eq!(taken.len(), 2, "unheard ones of any age, heard ones of one day");
    // a week later, after a restart: somebody heard a message at the phone before we looked
    here.clock.advance(TimeDelta::days(7));
    fake.inside().messages.push(Message { date: "05.12.26 20:00", new: false, file: "rec.0.009", ..erika() });
    let mut source = here.source(settings(&fake));
    let keys: HashSet<String> = found(&mut source).await.into_iter().map(|found| found.key).collect();
    assert_eq!(keys.len(), 3);
    assert!(taken.iter().all(|found| keys.contains(&found.key)));
}

#[tokio::test]
async fn the_hour_that_comes_twice_in_autumn_is_the_one_that_is_past() {
    for (now, called) in
        [("2026-10-25T00:31:00Z", "2026-10-25T00:30:00Z"), ("2026-10-25T01:31:00Z", "2026-10-25T01:30:00Z")]
    {
        let fake = FakeBox::start().await;
        fake.inside().messages.push(Message { date: "25.10.26 02:30", ..erika() });
        let here = Here::at(now).await;
        let mut source = here.source(settings(&fake));
        let found = found(&mut source).await;
        assert_eq!(source.take(&found[0]).await.unwrap().called_at, Some(at(called)));
    }
}

#[tokio::test]
async fn each_known_way_to_the_sound_is_found_and_remembered() {
    for (way, login, last) in [
        ("download", false, "GET /download.lua"),
        ("pages", false, "GET /cgi-bin/luacgi_notimeout"),
        ("pages", true, "GET /cgi-bin/luacgi_notimeout"),
        ("ending", false, "GET /download.lua"),
    ] {
        let (fake, mut source, here) = watched(&[heard(), erika()]).await;
        fake.inside().ways = HashSet::from([way]);
        fake.inside().pages_want_login = login;
        let listed = found(&mut source).await;
        assert_eq!(bytes(&source.take(&listed[1]).await.unwrap()), RECORDING, "{way}");
        let mut source = here.source(settings(&fake));
        found(&mut source).await;
        fake.inside().asked.clear();
        assert_eq!(bytes(&source.take(&listed[1]).await.unwrap()), RECORDING, "{way}");
        let mut asked = fake.inside().asked.clone();
        asked.retain(|what| !what.contains("login") && !what.contains("List") && !what.contains("list"));
        assert_eq!(asked, [last], "{way}, login {login}: the winner is tried first");
    }
}

#[tokio::test]
async fn a_session_that_is_too_old_is_made_anew() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.inside().list_sid_is_old = true;
    let found = found(&mut source).await;
    assert_eq!(bytes(&source.take(&found[0]).await.unwrap()), RECORDING);
    assert_eq!(fake.count("SOAP X_AVM-DE_CreateUrlSID"), 1);
    assert_eq!(fake.count("GET /login_sid.lua"), 0);
}

#[tokio::test]
async fn a_login_at_the_pages_is_not_tried_while_the_box_wants_a_pause() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.inside().ways = HashSet::new();
    fake.inside().block_s = 64;
    let found = found(&mut source).await;
    for _ in 0..2 {
        let SourceError::Busy(why) = source.take(&found[0]).await.unwrap_err() else { panic!("another error") };
        assert!(why.contains("HTTP 404"), "{why}");
        silent(&why);
    }
    assert_eq!((fake.count("GET /login_sid.lua"), fake.count("POST /login_sid.lua")), (1, 0));
}

#[tokio::test]
async fn a_sound_that_no_way_gives_wakes_a_human_after_some_tries_and_stays_new() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.inside().ways = HashSet::new();
    let found = found(&mut source).await;
    for _ in 0..2 {
        assert!(matches!(source.take(&found[0]).await, Err(SourceError::Busy(_))));
        source.list().await.unwrap();
    }
    let arrival = source.take(&found[0]).await.unwrap();
    let why = refusal(&arrival);
    assert!(why.contains("download.lua: HTTP 404") && why.contains("remedy: listen"), "{why}");
    assert_eq!(arrival.caller.number.as_deref(), Some("01710000001"), "who called is known all the same");
    silent(why);
    source.confirm(&found[0]).await.unwrap();
    assert!(fake.inside().messages[0].new, "nobody heard it");
    assert_eq!(fake.count("SOAP MarkMessage"), 0);
}

#[tokio::test]
async fn a_hanging_download_is_a_try_and_no_end() {
    let (fake, _source, here) = watched(&[erika()]).await;
    let mut source = here.source(impatient(&fake));
    let found = found(&mut source).await;
    fake.fails("download.lua", &[Fault::Hang]);
    assert_eq!(bytes(&source.take(&found[0]).await.unwrap()), RECORDING);
}

#[tokio::test]
async fn a_sound_cut_short_is_tried_again_and_then_taken_as_it_is() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.inside().messages[0].sound.truncate(500);
    let found = found(&mut source).await;
    for _ in 0..2 {
        assert!(matches!(source.take(&found[0]).await, Err(SourceError::Busy(_))));
    }
    assert_eq!(bytes(&source.take(&found[0]).await.unwrap()), &RECORDING[..500]);
}

#[tokio::test]
async fn a_sound_that_is_too_large_is_refused_at_once() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    fake.inside().messages[0].sound.resize(1_000_001, 0x55);
    let found = found(&mut source).await;
    let arrival = source.take(&found[0]).await.unwrap();
    assert!(refusal(&arrival).contains("more than 1000000 bytes"));
}

#[tokio::test]
async fn a_path_that_leads_away_from_the_box_is_not_followed() {
    for path in
        ["@evil.example/x.wav", "//evil.example/x.wav", "https://evil.example/x.wav", "http://127.0.0.1:1/x", ""]
    {
        let (fake, mut source, _here) = watched(&[Message { path: Some(path.into()), ..erika() }]).await;
        let found = found(&mut source).await;
        let arrival = source.take(&found[0]).await.unwrap();
        assert!(refusal(&arrival).contains("the address of the sound"), "{path}: {}", refusal(&arrival));
        assert_eq!(fake.count("SOAP X_AVM-DE_CreateUrlSID"), 0, "{path}");
        assert!(!fake.inside().asked.iter().any(|asked| asked.contains("download")), "{path}");
    }
}

#[tokio::test]
async fn a_voice_under_a_name_that_is_used_again_is_nobody_elses() {
    let (fake, mut source, _here) = watched(&[erika()]).await;
    let found = found(&mut source).await;
    // deleted by somebody, and the next caller's voice lies under the same name
    fake.inside().messages[0] = Message { date: "28.11.26 21:31", number: "01710000002", ..erika() };
    assert!(matches!(source.take(&found[0]).await, Err(SourceError::Gone(_))));
    let listed = source.list().await.unwrap().found;
    assert_ne!(listed[0].key, found[0].key);
    assert_eq!(source.take(&listed[0]).await.unwrap().caller.number.as_deref(), Some("01710000002"));
}

#[tokio::test]
async fn all_machines_that_are_on_are_watched_where_none_is_named() {
    let (fake, _source, here) = watched(&[erika()]).await;
    let mut any = settings(&fake);
    any.tams = Vec::new();
    let mut source = here.source(any.clone());
    assert_eq!(found(&mut source).await.len(), 1);
    fake.inside().enabled = "0";
    let listing = here.source(any).list().await.unwrap();
    assert!(listing.troubles.iter().any(|trouble| trouble.key == "no-machine" && trouble.loses_calls));
}

#[tokio::test]
async fn what_keeps_callers_from_leaving_a_message_is_told() {
    for (enabled, capacity, mode, key, loses_calls) in [
        ("0", "40", "record_message", "tam0:off", true),
        ("1", "0", "record_message", "tam0:full", true),
        ("1", "4", "record_message", "tam0:room", false),
        ("1", "40", "play_announcement", "tam0:plays", true),
    ] {
        let (fake, mut source, _here) = watched(&[]).await;
        {
            let mut inside = fake.inside();
            (inside.enabled, inside.capacity, inside.mode) = (enabled, capacity, mode);
        }
        let troubles = source.list().await.unwrap().troubles;
        let told: Vec<_> = troubles.iter().map(|trouble| (trouble.key.as_str(), trouble.loses_calls)).collect();
        assert_eq!(told, [(key, loses_calls)]);
        assert!(troubles[0].what.contains("remedy"));
    }
    let (fake, mut source, _here) = watched(&[]).await;
    (fake.inside().enabled, fake.inside().capacity) = ("", "?");
    assert_eq!(source.list().await.unwrap().troubles, [], "what is not understood is no trouble");
    fake.fails("GetInfo", &[Fault::Soap(501)]);
    let listing = source.list().await.unwrap();
    assert_eq!((listing.troubles[0].key.as_str(), listing.troubles[0].loses_calls), ("tam0:info", false));
}
