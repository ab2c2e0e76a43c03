//! Placetel's calls.

use super::{Reply, Web, assert_told, hasty, keys, list_faults, sound};
use crate::world::{NIGHT, World};
use nachtwache::intake::placetel::{PlacetelSettings, PlacetelSource};
use nachtwache::intake::source::{Source, SourceError};
use nachtwache::intake::{Intake, Memory};
use nachtwache::runtime::siren::siren;
use nachtwache::store::reports;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

struct Account {
    web: Web,
    /// Where the signed addresses lead.
    files: Web,
    world: World,
}

impl Account {
    async fn start() -> Self {
        Self::at(NIGHT).await
    }

    async fn at(start: &str) -> Self {
        Self { web: Web::start().await, files: Web::start().await, world: World::at(start, None, "").await }
    }

    fn source(&self) -> PlacetelSource {
        self.source_with(|_| {})
    }

    fn source_with(&self, change: impl FnOnce(&mut PlacetelSettings)) -> PlacetelSource {
        let mut settings = PlacetelSettings {
            api: self.web.url("/v2"),
            key: SecretString::from("geheim"),
            numbers: Vec::new(),
            zone: chrono_tz::Europe::Berlin,
            poll: Duration::from_mins(1),
            first_look: chrono::TimeDelta::hours(24),
            longest_s: Some(120),
            max_bytes: 1000,
            limits: hasty(),
        };
        change(&mut settings);
        let memory = Memory::new(self.world.store.clone(), "placetel".into());
        PlacetelSource::open("placetel".into(), settings, memory, Arc::new(self.world.clock.clone())).unwrap()
    }

    fn call(&self, id: u64) -> Value {
        json!({
            "id": id, "type": "voicemail", "from_number": "+491701234567", "received_at": "2026-11-21T22:10:00+01:00",
            "to_number": {"number": "+4997219782362", "name": "Notdienst"}, "duration": 14, "unread": true,
            "file_url": self.files.url(&format!("/signed/{id}.mp3?signature=abc")),
        })
    }

    fn on(&self, day: &str, calls: &[Value]) {
        self.web.on(&format!("filter[date]={day}"), Reply::Json(json!(calls).to_string()));
    }

    /// The days that were asked for.
    fn days(&self) -> Vec<String> {
        let day = |line: &String| line.split("filter[date]=").nth(1).map(|rest| rest[..10].to_owned());
        self.web.lines().iter().filter_map(day).collect()
    }
}

#[tokio::test]
async fn a_voicemail_is_stored_once_and_a_second_look_changes_nothing() {
    let account = Account::start().await;
    let mut without_message = account.call(1);
    without_message["file_url"] = Value::Null;
    without_message["duration"] = 0.into();
    account.on("2026-11-21", &[account.call(4711), without_message]);
    account.on("2026-11-20", &[]);
    account.files.file("/signed/4711.mp3", b"mp3");
    let mut intake = Intake::new(account.world.desk(), Box::new(account.source()), siren().0);
    assert_eq!(intake.look().await.unwrap().stored, 1);
    let all = async || reports::all(&mut account.world.store.read().await.unwrap()).await.unwrap();
    let report = all().await.remove(0);
    assert_eq!((report.key.as_str(), report.mailbox.as_deref()), ("4711", Some("+4997219782362")));
    assert_eq!((report.caller.number.as_deref(), report.caller.name), (Some("+491701234567"), None));
    assert_eq!(report.called_at.to_rfc3339(), "2026-11-21T21:10:00+00:00");
    assert_eq!(report.longest_s, Some(120));

    let seen = account.web.seen();
    assert_eq!(seen[0].line, "GET /v2/calls?filter[date]=2026-11-20&filter[type]=voicemail&per_page=100&page=1");
    assert!(seen.iter().all(|seen| seen.authorization.as_deref() == Some("Bearer geheim")));
    let fetched = account.files.seen();
    assert_eq!(fetched.len(), 1);
    assert_eq!((fetched[0].line.as_str(), &fetched[0].authorization), ("GET /signed/4711.mp3?signature=abc", &None));

    assert_eq!(intake.look().await.unwrap().stored, 0);
    let mut after_restart = Intake::new(account.world.desk(), Box::new(account.source()), siren().0);
    assert_eq!(after_restart.look().await.unwrap().stored, 0);
    assert_eq!((all().await.len(), account.files.seen().len()), (1, 1));
}

#[tokio::test]
async fn the_day_is_the_firms_day() {
    // 22:59:30 UTC is 23:59:30 in Berlin in winter
    let account = Account::at("2026-11-21T22:59:30Z").await;
    account.web.on("GET /v2/calls", Reply::Json("[]".into()));
    let mut source = account.source();
    source.list().await.unwrap();
    assert_eq!(account.days(), ["2026-11-20", "2026-11-21"]);
    account.world.clock.advance(chrono::TimeDelta::seconds(60));
    source.list().await.unwrap();
    assert_eq!(account.days()[2..], ["2026-11-20", "2026-11-21", "2026-11-22"]);
    account.world.clock.advance(chrono::TimeDelta::seconds(60));
    source.list().await.unwrap();
    assert_eq!(account.days()[5..], ["2026-11-21", "2026-11-22"]);
    // in summer the day is two hours ahead
    let account = Account::at("2026-07-01T22:30:00Z").await;
    account.web.on("GET /v2/calls", Reply::Json("[]".into()));
    account.source().list().await.unwrap();
    assert_eq!(account.days(), ["2026-07-01", "2026-07-02"]);
}

#[tokio::test]
async fn after_an_outage_every_day_since_is_asked_for_but_not_more_than_two_weeks() {
    let account = Account::start().await;
    account.web.on("GET /v2/calls", Reply::Json("[]".into()));
    account.source().list().await.unwrap();
    account.world.clock.advance(chrono::TimeDelta::days(5));
    account.source().list().await.unwrap();
    let days = account.days();
    assert_eq!((days[2].as_str(), days[days.len() - 1].as_str(), days.len()), ("2026-11-20", "2026-11-26", 2 + 7));
    account.world.clock.advance(chrono::TimeDelta::days(60));
    account.source().list().await.unwrap();
    assert_eq!(account.days().len(), 9 + 15);
}

#[tokio::test]
async fn every_page_of_a_day_is_read() {
    let account = Account::start().await;
    let calls: Vec<Value> = (0..130).map(|id| account.call(id)).collect();
    account.on("2026-11-21&filter[type]=voicemail&per_page=100&page=1", &calls[..100]);
    account.on("2026-11-21&filter[type]=voicemail&per_page=100&page=2", &calls[100..]);
    account.on("2026-11-20", &[]);
    let listing = account.source().list().await.unwrap();
    assert_eq!((listing.found.len(), listing.troubles.len()), (130, 0));
    // a server that gives fewer than were asked for is asked on
    account.web.clear();
    account.on("2026-11-21&filter[type]=voicemail&per_page=100&page=1", &calls[..25]);
    account.on("2026-11-21&filter[type]=voicemail&per_page=100&page=2", &calls[25..50]);
    account.on("2026-11-21&filter[type]=voicemail&per_page=100&page=3", &calls[50..52]);
    account.on("2026-11-20", &[]);
    assert_eq!(account.source().list().await.unwrap().found.len(), 52);
    // one that knows no pages is not asked for ever
    account.web.clear();
    account.on("2026-11-21", &calls[..100]);
    account.on("2026-11-20", &[]);
    let asked = account.days().len();
    assert_eq!(account.source().list().await.unwrap().found.len(), 100);
    assert_eq!(account.days().len() - asked, 3);
}

#[tokio::test]
async fn a_signed_address_inside_a_network_is_not_asked() {
    let account = Account::start().await;
    for address in [
        "http://files.example/x.mp3",
        "https://192.168.178.1/x",
        "https://169.254.169.254/",
        "https://[::ffff:10.0.0.1]/",
    ] {
        let mut call = account.call(1);
        call["file_url"] = address.into();
        account.web.clear();
        account.on("2026-11-21", &[call]);
        account.on("2026-11-20", &[]);
        let mut source = account.source();
        let found = source.list().await.unwrap().found.remove(0);
        let arrival = source.take(&found).await.unwrap();
        let why = sound(&arrival).unwrap_err();
        assert!(why.contains("its address") && !why.contains("192.168"), "{why}");
    }
}

#[tokio::test]
async fn a_recording_that_is_not_there_yet_is_waited_for_and_given_up_in_the_end() {
    let account = Account::start().await;
    account.on("2026-11-21", &[account.call(1)]);
    account.on("2026-11-20", &[]);
    account.files.on("GET", Reply::Status(404));
    account.files.on("GET", Reply::Drop);
    account.files.on("GET", Reply::File("audio/mpeg", b"mp3".to_vec()));
    let mut source = account.source_with(|settings| settings.limits.give_up = Duration::from_mins(10));
    let found = source.list().await.unwrap().found.remove(0);
    for _ in 0..2 {
        assert!(matches!(source.take(&found).await, Err(SourceError::Busy(_))));
    }
    assert_eq!(sound(&source.take(&found).await.unwrap()).unwrap(), b"mp3");
    account.files.clear();
    let mut source = account.source();
    let found = source.list().await.unwrap().found.remove(0);
    assert!(sound(&source.take(&found).await.unwrap()).unwrap_err().contains("404"));
}

#[tokio::test]
async fn somebody_who_spoke_and_has_no_recording_wakes_a_human_in_the_end() {
    let account = Account::start().await;
    let without = |id: u64, duration: Value| {
        let mut call = account.call(id);
        (call["file_url"], call["duration"]) = (Value::Null, duration);
        call
    };
    account.on(
        "2026-11-21",
        &[without(1, 14.into()), without(2, 0.into()), without(3, Value::Null), without(4, "7".into())],
    );
    account.on("2026-11-20", &[]);
    let mut source = account.source_with(|settings| settings.limits.give_up = Duration::from_mins(10));
    let listing = source.list().await.unwrap();
    assert_eq!(keys(&listing), ["1", "4"]);
    assert!(matches!(source.take(&listing.found[0]).await, Err(SourceError::Busy(_))));
    let mut source = account.source();
    let found = source.list().await.unwrap().found.remove(0);
    let arrival = source.take(&found).await.unwrap();
    assert!(sound(&arrival).unwrap_err().contains("no address"), "{arrival:?}");
    assert_eq!(arrival.caller.number.as_deref(), Some("+491701234567"));
}

#[tokio::test]
async fn whatever_goes_wrong_is_told_and_tells_nothing_private() {
    let account = Account::start().await;
    for (fault, refused) in list_faults() {
        account.web.clear();
        account.web.on("GET /v2/calls", fault.clone());
        assert_told(&account.source().list().await.unwrap_err(), refused, &fault);
        assert!(account.source().examine().await.remove(0).is_err());
    }
}

#[tokio::test]
async fn odd_calls_are_left_out_taken_or_told_but_never_stop_the_list() {
    let account = Account::start().await;
    let with = |id: u64, key: &str, value: Value| {
        let mut call = account.call(id);
        call[key] = value;
        call
    };
    account.on(
        "2026-11-21",
        &[
            with(1, "type", "accepted".into()),
            with(2, "received_at", "2026-11-20T21:00:00+01:00".into()),
            with(3, "to_number", "+4930123456".into()),
            with(4, "id", Value::Null),
            json!("x"),
            with(5, "to_number", Value::Null),
            with(6, "received_at", "2026-11-21 22:05:00".into()),
            with(7, "to_number", "+4997219782362".into()),
        ],
    );
    account.on("2026-11-20", &[]);
    account.files.on("GET", Reply::File("audio/mpeg", b"mp3".to_vec()));
    let mut source = account.source_with(|settings| settings.numbers = vec!["+4997219782362".into()]);
    let listing = source.list().await.unwrap();
    assert_eq!(keys(&listing), ["5", "6", "7"]);
    assert!(listing.troubles.len() == 1 && listing.troubles[0].loses_calls);
    let local = source.take(&listing.found[1]).await.unwrap().called_at.unwrap();
    assert_eq!(local.to_rfc3339(), "2026-11-21T21:05:00+00:00", "a time without a zone is the firm's");
}
