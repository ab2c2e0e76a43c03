//! sipgate's history.

use super::{Reply, Web, assert_told, hasty, keys, list_faults, sound};
use crate::world::{NIGHT, World};
use nachtwache::intake::sipgate::{SipgateSettings, SipgateSource};
use nachtwache::intake::source::{Source, SourceError};
use nachtwache::intake::{Intake, Memory};
use nachtwache::runtime::siren::siren;
use nachtwache::store::reports;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// `token-ABC123:geheim` in base 64.
const LOGIN: &str = "Basic dG9rZW4tQUJDMTIzOmdlaGVpbQ==";

struct Account {
    web: Web,
    world: World,
}

impl Account {
    async fn start() -> Self {
        Self { web: Web::start().await, world: World::at(NIGHT, None, "").await }
    }

    fn source(&self) -> SipgateSource {
        self.source_with(|_| {})
    }

    fn source_with(&self, change: impl FnOnce(&mut SipgateSettings)) -> SipgateSource {
        let mut settings = SipgateSettings {
            api: self.web.url("/v2"),
            token_id: "token-ABC123".into(),
            token: SecretString::from("geheim"),
            numbers: Vec::new(),
            poll: Duration::from_mins(1),
            mark_read: true,
            first_look: chrono::TimeDelta::hours(24),
            longest_s: None,
            max_bytes: 1000,
            limits: hasty(),
        };
        change(&mut settings);
        let memory = Memory::new(self.world.store.clone(), "sipgate".into());
        SipgateSource::open("sipgate".into(), settings, memory, Arc::new(self.world.clock.clone())).unwrap()
    }

    fn entry(&self, id: &str) -> Value {
        json!({
            "id": id, "source": "+491701234567", "sourceAlias": "Erika Mustermann", "target": "+4997219782362",
            "targetAlias": "Notdienst", "type": "VOICEMAIL", "created": "2026-11-21T21:10:00Z",
            "lastModified": "2026-11-21T21:11:00Z", "direction": "MISSED_INCOMING", "read": false, "archived": false,
            "transcription": "", "recordingUrl": self.web.url(&format!("/v2/recordings/{id}.mp3")), "duration": 14,
        })
    }

    fn history(&self, items: &[Value]) {
        self.web.clear();
        self.web.on("GET /v2/history", Reply::Json(json!({ "items": items, "totalCount": items.len() }).to_string()));
    }
}

#[tokio::test]
async fn a_voicemail_is_stored_once_marked_after_and_a_second_look_changes_nothing() {
    let account = Account::start().await;
    account.history(&[account.entry("4711")]);
    account.web.file("/v2/recordings/4711.mp3", b"mp3");
    account.web.on("PUT /v2/history/4711", Reply::Json("{}".into()));
    let mut intake = Intake::new(account.world.desk(), Box::new(account.source()), siren().0);
    assert_eq!(intake.look().await.unwrap().stored, 1);
    let all = async || reports::all(&mut account.world.store.read().await.unwrap()).await.unwrap();
    let report = all().await.remove(0);
    assert_eq!((report.key.as_str(), report.mailbox.as_deref()), ("4711", Some("+4997219782362")));
    assert_eq!(report.caller.number.as_deref(), Some("+491701234567"));
    assert_eq!(report.caller.name.as_deref(), Some("Erika Mustermann"));
    assert_eq!(report.called_at.to_rfc3339(), "2026-11-21T21:10:00+00:00");
    let kept = std::fs::read(account.world.store.sound_folder().join(report.recording.unwrap().file)).unwrap();
    assert_eq!(kept, b"mp3");

    let seen = account.web.seen();
    assert_eq!(
        seen[0].line,
        "GET /v2/history?types=VOICEMAIL&directions=INCOMING&directions=MISSED_INCOMING&archived=false\
         &from=2026-11-20T21:14:00Z&limit=100&offset=0"
    );
    assert_eq!((seen[2].line.as_str(), seen[2].body.as_str()), ("PUT /v2/history/4711", "{\"read\":true}"));
    assert!(seen.iter().all(|seen| seen.authorization.as_deref() == Some(LOGIN)), "{seen:?}");

    assert_eq!(intake.look().await.unwrap().stored, 0);
    let mut after_restart = Intake::new(account.world.desk(), Box::new(account.source()), siren().0);
    assert_eq!(after_restart.look().await.unwrap().stored, 0);
    assert_eq!((all().await.len(), account.web.seen().len()), (1, 5), "two lists and nothing else");
}

#[tokio::test]
async fn every_page_is_read_and_an_entry_that_stands_on_two_is_one() {
    let account = Account::start().await;
    let entries: Vec<Value> = (0..230).map(|number| account.entry(&number.to_string())).collect();
    let page = |items: &[Value]| Reply::Json(json!({ "items": items, "totalCount": 230 }).to_string());
    account.web.on("offset=0", page(&entries[..100]));
    account.web.on("offset=100", page(&entries[99..199]));
    account.web.on("offset=200", page(&entries[199..]));
    account.web.on("offset=231", page(&[]));
    let listing = account.source().list().await.unwrap();
    assert_eq!((listing.found.len(), listing.troubles.len()), (230, 0));
    // a server that gives fewer than were asked for is asked on
    account.web.clear();
    account.web.on("offset=0", page(&entries[..50]));
    account.web.on("offset=50", page(&entries[50..]));
    account.web.on("offset=230", page(&[]));
    assert_eq!(account.source().list().await.unwrap().found.len(), 230);
    // one that never ends is not followed for ever
    account.web.clear();
    account.web.on("GET", page(&entries[..100]));
    let listing = account.source().list().await.unwrap();
    assert!(listing.found.len() == 100 && listing.troubles[0].loses_calls, "{:?}", listing.troubles);
}

#[tokio::test]
async fn a_recording_that_is_not_there_yet_is_waited_for_and_given_up_in_the_end() {
    let account = Account::start().await;
    account.history(&[account.entry("4711")]);
    account.web.on("GET /v2/recordings", Reply::Status(404));
    account.web.on("GET /v2/recordings", Reply::File("audio/mpeg", b"mp3".to_vec()));
    let mut source = account.source_with(|settings| settings.limits.give_up = Duration::from_mins(10));
    let found = source.list().await.unwrap().found.remove(0);
    assert!(matches!(source.take(&found).await, Err(SourceError::Busy(_))));
    assert!(source.retry_after() >= Duration::from_secs(5));
    assert_eq!(sound(&source.take(&found).await.unwrap()).unwrap(), b"mp3");

    for never in [
        Reply::Status(404),
        Reply::Status(403),
        Reply::Status(500),
        Reply::Drop,
        Reply::File("audio/mpeg", Vec::new()),
        Reply::File("audio/mpeg", vec![0; 1001]),
        Reply::File("text/html; charset=utf-8", b"please log in".to_vec()),
        Reply::Moved("/v2/recordings/again.mp3".into()),
        Reply::Moved("http://192.168.178.1/".into()),
        Reply::Moved("::".into()),
    ] {
        account.history(&[account.entry("4711")]);
        account.web.on("GET /v2/recordings", never.clone());
        let mut source = account.source();
        let found = source.list().await.unwrap().found.remove(0);
        let arrival = source.take(&found).await.unwrap();
        let why = sound(&arrival).unwrap_err();
        assert!(why.contains("remedy") && !why.contains("4917") && !why.contains("http://"), "{never:?}: {why}");
        assert_eq!(arrival.caller.number.as_deref(), Some("+491701234567"), "a human is woken, with the number");
    }
    let mut without = account.entry("4711");
    without["recordingUrl"] = Value::Null;
    account.history(&[without]);
    let mut source = account.source();
    let found = source.list().await.unwrap().found.remove(0);
    assert!(sound(&source.take(&found).await.unwrap()).unwrap_err().contains("no address"));
}

#[tokio::test]
async fn the_token_is_shown_to_its_host_only() {
    let (account, other) = (Account::start().await, Web::start().await);
    other.file("/r.mp3", b"from elsewhere");
    for address in [other.url("/r.mp3"), account.web.url("/v2/moved")] {
        let mut entry = account.entry("4711");
        entry["recordingUrl"] = address.into();
        account.history(&[entry]);
        account.web.on("GET /v2/moved", Reply::Moved(other.url("/r.mp3")));
        let mut source = account.source();
        let found = source.list().await.unwrap().found.remove(0);
        assert_eq!(sound(&source.take(&found).await.unwrap()).unwrap(), b"from elsewhere");
    }
    assert_eq!(other.seen().len(), 2);
    assert!(other.seen().iter().all(|seen| seen.authorization.is_none()), "{:?}", other.seen());

    for address in
        ["http://evil.example/r.mp3", "https://192.168.178.1/r.mp3", "https://[fd00::1]/r", "file:///etc/passwd"]
    {
        let mut entry = account.entry("4711");
        entry["recordingUrl"] = address.into();
        account.history(&[entry]);
        let mut source = account.source();
        let found = source.list().await.unwrap().found.remove(0);
        let arrival = source.take(&found).await.unwrap();
        assert!(sound(&arrival).unwrap_err().contains("its address"), "{address}");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_told_and_tells_nothing_private() {
    let account = Account::start().await;
    for (fault, refused) in list_faults() {
        account.web.clear();
        account.web.on("GET /v2/history", fault.clone());
        assert_told(&account.source().list().await.unwrap_err(), refused, &fault);
        let said = account.source().examine().await.remove(0).unwrap_err();
        assert!(said.contains("remedy"), "{said}");
    }
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut source = account.source_with(|settings| settings.api = format!("http://{nobody}/v2"));
    assert_told(&source.list().await.unwrap_err(), false, &Reply::Hang);
}

#[tokio::test]
async fn a_429_is_obeyed_and_told_when_it_lasts() {
    let account = Account::start().await;
    account.web.on("GET /v2/history", Reply::TooMany(120));
    let mut source = account.source();
    for _ in 0..3 {
        assert!(matches!(source.list().await, Err(SourceError::Busy(_))));
    }
    assert_eq!(account.web.seen().len(), 1, "nothing is asked before the time is over");
    assert!(source.retry_after() > Duration::from_secs(100));
}

#[tokio::test]
async fn odd_entries_are_left_out_taken_or_told_but_never_stop_the_list() {
    let account = Account::start().await;
    let with = |id: &str, key: &str, value: Value| {
        let mut entry = account.entry(id);
        entry[key] = value;
        entry
    };
    account.history(&[
        with("call", "type", "CALL".into()),
        with("old", "created", "2026-11-19T21:10:00Z".into()),
        with("elsewhere", "target", "+4930123456".into()),
        with("x", "id", Value::Null),
        json!(7),
        with("extension", "target", "v0".into()),
        with("no-time", "created", "gestern".into()),
        with("n", "id", json!(4712)),
        with("withheld", "source", "anonymous".into()),
    ]);
    account.web.file("/v2/recordings", b"mp3");
    let mut source = account.source_with(|settings| settings.numbers = vec!["+4997219782362".into()]);
    let listing = source.list().await.unwrap();
    assert_eq!(keys(&listing), ["extension", "no-time", "4712", "withheld"]);
    assert_eq!(listing.troubles.len(), 1);
    assert!(listing.troubles[0].loses_calls && listing.troubles[0].what.contains("without an id"));
    assert_eq!(source.take(&listing.found[1]).await.unwrap().called_at, None);
    assert_eq!(source.take(&listing.found[3]).await.unwrap().caller.number, None);
}

#[tokio::test]
async fn marking_is_harmless_when_repeated_told_when_refused_and_left_out_without_the_setting() {
    let account = Account::start().await;
    account.history(&[account.entry("4711")]);
    account.web.on("PUT", Reply::Status(403));
    account.web.on("PUT", Reply::Status(404));
    let mut source = account.source();
    let found = source.list().await.unwrap().found.remove(0);
    assert!(matches!(source.confirm(&found).await, Err(SourceError::Refused(why)) if why.contains("history:write")));
    let trouble = source.list().await.unwrap().troubles.remove(0);
    assert!(!trouble.loses_calls && trouble.what.contains("history:write"), "{trouble:?}");
    source.confirm(&found).await.unwrap();
    source.confirm(&found).await.unwrap();
    assert_eq!(source.list().await.unwrap().troubles, []);

    let asked = account.web.seen().len();
    let mut source = account.source_with(|settings| settings.mark_read = false);
    source.confirm(&found).await.unwrap();
    assert_eq!(account.web.seen().len(), asked);
}

#[tokio::test]
async fn after_an_outage_the_history_is_asked_for_from_the_last_good_look_on() {
    let account = Account::start().await;
    account.history(&[]);
    account.world.clock.advance(chrono::TimeDelta::days(10));
    account.source().list().await.unwrap();
    account.world.clock.advance(chrono::TimeDelta::days(7));
    account.source().list().await.unwrap();
    let lines = account.web.lines();
    assert!(lines[0].contains("from=2026-11-30T21:14:00Z"), "{}", lines[0]);
    assert!(lines[1].contains("from=2026-11-30T21:14:00Z"), "nothing from before the first start: {}", lines[1]);
    account.world.clock.advance(chrono::TimeDelta::days(7));
    account.source().list().await.unwrap();
    assert!(account.web.lines()[2].contains("from=2026-12-05T21:14:00Z"), "{}", account.web.lines()[2]);
}
