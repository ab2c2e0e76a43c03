//! Recordings pushed over HTTP: real requests over loopback, each answer held against docs/openapi.json.

mod contract;
mod provider;
mod twilio;
mod wire;

use crate::world::{ANNA, CALLER, EMERGENCY, NIGHT, World, spoken};
use contract::checked;
use nachtwache::config::Settings;
use nachtwache::domain::report::Report;
use nachtwache::intake::push::{Door, DoorSettings, Limits, PushSettings, TwilioSettings};
use nachtwache::run;
use nachtwache::runtime::lifecycle::Lifecycle;
use nachtwache::runtime::siren::{Cry, siren};
use nachtwache::runtime::status::Status;
use nachtwache::store::{reports, troubles};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;

const TOKEN: &str = "the-token-of-the-pbx-0123456789";
const NEXT: &str = "the-next-token-of-the-pbx-01234";
const OTHER: &str = "the-token-of-another-peer-01234";
const MAX: usize = 4_000;

/// A door and a client before it.
pub(super) struct Rig {
    pub(super) world: World,
    pub(super) address: SocketAddr,
    pub(super) client: reqwest::Client,
    pub(super) lifecycle: Lifecycle,
    pub(super) cries: Receiver<Cry>,
}

pub(super) fn settings() -> DoorSettings {
    let pusher = |name: &str, tokens: &[&str]| PushSettings {
        name: name.into(),
        tokens: tokens.iter().map(|token| (*token).to_owned().into()).collect(),
        mailbox: Some("9782362".into()),
        longest_s: Some(180),
    };
    DoorSettings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        max_bytes: MAX as u64,
        pushers: vec![pusher("pbx", &[TOKEN, NEXT]), pusher("other", &[OTHER])],
        webhooks: Vec::new(),
        limits: Limits { retry: Duration::from_millis(20), ..Limits::default() },
    }
}

impl Rig {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(super) async fn with(settings: DoorSettings) -> Self {
        Self::in_world(World::night().await, settings).await
    }

    pub(super) async fn in_world(world: World, settings: DoorSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (siren, cries) = siren();
        let lifecycle = Lifecycle::default();
        let door = Door::new(settings, world.desk(), siren, Status::default()).unwrap();
        lifecycle.spawn("push".into(), door.serve(listener, lifecycle.clone()));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { world, address, client, lifecycle, cries }
    }

    /// The service is killed and started again on the same store.
    pub(super) async fn restarted(self, settings: DoorSettings) -> Self {
        self.lifecycle.abort();
        self.lifecycle.ended().await;
        Self::in_world(self.world, settings).await
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path)).bearer_auth(TOKEN)
    }

    /// The sound alone.
    fn raw(&self, query: &str, sound: impl Into<reqwest::Body>) -> RequestBuilder {
        self.post(&format!("/api/v1/voicemails{query}")).header("content-type", "audio/wav").body(sound)
    }

    fn form(&self, form: Form) -> RequestBuilder {
        self.post("/api/v1/voicemails").multipart(form)
    }

    pub(super) async fn reports(&self) -> Vec<Report> {
        reports::all(&mut self.world.store.read().await.unwrap()).await.unwrap()
    }

    fn sound_of(&self, report: &Report) -> Vec<u8> {
        let file = &report.recording.as_ref().unwrap().file;
        std::fs::read(self.world.store.sound_folder().join(file)).unwrap()
    }
}

/// Status and body of an answer that is as the contract says.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = checked(request).await;
    (answer.status, answer.body)
}

fn sound(bytes: &[u8]) -> Part {
    Part::bytes(bytes.to_vec()).file_name("msg0000.wav")
}

pub(super) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    crate::whole::until(what, Duration::from_secs(10), async || so().await).await;
}

#[tokio::test]
async fn a_pushed_message_becomes_a_report_a_first_notice_and_an_alert() {
    let rig = Rig::new().await;
    let form = Form::new()
        .text("caller", "+49 9721 555017")
        .text("name", " Dirk Rossmeisl\u{7} ")
        .text("called", "100")
        .text("time", "2026-11-21T22:13:00+01:00")
        .text("id", "4711")
        .text("colour", "blue")
        .part("sound", sound(b"RIFF and so on"));
    let made = checked(rig.form(form)).await;
    assert_eq!((made.status, &made.body["new"]), (201, &Value::Bool(true)));
    let report = rig.reports().await.remove(0);
    assert_eq!(made.body["report"], report.id.to_string());
    assert_eq!((report.source.as_str(), report.mailbox.as_deref()), ("pbx", Some("100")));
    assert_eq!(report.caller.number.as_deref(), Some("+49 9721 555017"));
    assert_eq!(report.caller.name.as_deref(), Some("Dirk Rossmeisl"));
    assert_eq!(report.called_at.to_rfc3339(), "2026-11-21T21:13:00+00:00");
    assert_eq!((report.longest_s, report.recording.as_ref().unwrap().name.as_str()), (Some(180), "msg0000.wav"));
    assert_eq!(rig.sound_of(&report), b"RIFF and so on");
    let place = made.location.unwrap();
    let (status, told) = answer(rig.client.get(rig.url(&place)).bearer_auth(TOKEN)).await;
    assert_eq!((status, told["sha256"].as_str()), (200, report.recording.as_ref().map(|kept| kept.sha256.as_str())));
    let (status, _) = answer(rig.client.get(rig.url(&place)).bearer_auth(OTHER)).await;
    assert_eq!(status, 404, "of another source");
    rig.world.settle().await;
    let phone = rig.world.phone(ANNA);
    assert!(phone[0].file.as_ref().unwrap().voice && phone[0].silent, "the first notice");
    rig.world.transcribed(report.id, &spoken(EMERGENCY)).await;
    rig.world.settle().await;
    assert!(rig.world.phone(ANNA).iter().any(|shown| shown.text.contains("NOTFALL BESTÄTIGT")));
}

#[tokio::test]
async fn the_sound_may_come_alone_with_the_rest_in_the_query() {
    let rig = Rig::new().await;
    // both signs "+" are forgotten to be encoded
    let query = "?caller=+499721555017&name=J%C3%B6rg+K.&time=2026-11-21T22:13:00+01:00&called=&id=7";
    assert_eq!(answer(rig.raw(query, "sound")).await.0, 201);
    let report = rig.reports().await.remove(0);
    assert_eq!(report.caller.number.as_deref(), Some("+499721555017"));
    assert_eq!(report.caller.name.as_deref(), Some("J\u{f6}rg K."));
    assert_eq!((report.mailbox.as_deref(), report.called_at.timestamp()), (Some("9782362"), 1_795_295_580));
    assert_eq!(report.recording.unwrap().name, "push.wav");
    let bare = rig.post("/api/v1/voicemails").header("content-type", "application/octet-stream").body("more");
    assert_eq!(answer(bare).await.0, 201);
    let report = rig.reports().await.remove(1);
    assert_eq!((report.caller.number, report.called_at), (None, NIGHT.parse().unwrap()));
}

#[tokio::test]
async fn the_same_message_twice_is_one_report() {
    let rig = Rig::new().await;
    let ways: [&dyn Fn() -> RequestBuilder; 4] = [
        &|| rig.raw("?caller=0301", "by nothing").header("x-more", "1"),
        &|| rig.raw("?caller=0302&id=a", "by field"),
        &|| rig.raw("?caller=0303", "by header").header("idempotency-key", "\"b\""),
        &|| rig.form(Form::new().part("sound", sound(b"by form")).text("id", "c")),
    ];
    for (count, way) in (1..).zip(ways) {
        let (status, first) = answer(way()).await;
        assert_eq!((status, &first["new"]), (201, &Value::Bool(true)));
        // later, so that it is not the sound alone that makes them one
        rig.world.clock.advance(chrono::TimeDelta::hours(1));
        for _ in 0..2 {
            let (status, second) = answer(way()).await;
            assert_eq!((status, &second["new"], &second["report"]), (200, &Value::Bool(false), &first["report"]));
        }
        assert_eq!(rig.reports().await.len(), count);
    }
    // a repeat that names the time of the repeat
    assert_eq!(answer(rig.raw("?caller=0302&id=a&time=2026-11-22T01:00:00Z", "by field")).await.0, 200);
}

#[tokio::test]
async fn many_at_once_with_one_id_are_one_report() {
    let rig = Rig::new().await;
    let requests = (0..8).map(|_| answer(rig.raw("?id=one&caller=0301", "sound")));
    let answers = futures::future::join_all(requests).await;
    let new = answers.iter().filter(|(status, _)| *status == 201).count();
    let known = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!((new, known, rig.reports().await.len()), (1, 7, 1), "{answers:?}");
    assert!(answers.iter().all(|(_, body)| body["report"] == answers[0].1["report"]));
    let files = std::fs::read_dir(rig.world.store.sound_folder()).unwrap().count();
    assert_eq!(files, 1, "no stray file");
}

#[tokio::test]
async fn an_id_used_again_loses_neither_caller() {
    let rig = Rig::new().await;
    let (_, first) = answer(rig.raw("?id=1&caller=0301", "the first")).await;
    let (status, second) = answer(rig.raw("?id=1&caller=0302", "the second")).await;
    assert_eq!(status, 409);
    assert_ne!(first["report"], second["report"]);
    let (status, again) = answer(rig.raw("?id=1&caller=0302", "the second")).await;
    assert_eq!((status, &again["report"]), (409, &second["report"]), "the repeat changes nothing");
    let (status, third) = answer(rig.raw("?id=1&caller=0303", "the first")).await;
    assert_eq!(status, 409, "the same sound of another caller");
    assert_ne!(first["report"], third["report"]);
    assert_eq!(
        answer(rig.raw("?id=1&caller=0301", "the first")).await,
        (200, serde_json::json!({"report": first["report"], "new": false}))
    );
    let all = rig.reports().await;
    let sounds: Vec<_> = all.iter().map(|report| rig.sound_of(report)).collect();
    assert_eq!(sounds, [&b"the first"[..], b"the second", b"the first"]);
    let of_other = rig.client.post(rig.url("/api/v1/voicemails?id=1")).bearer_auth(OTHER);
    let (status, _) = answer(of_other.header("content-type", "audio/wav").body("a fourth")).await;
    assert_eq!(status, 201, "ids are each source's own");
}

#[tokio::test]
async fn a_crash_between_store_and_answer_costs_a_repeat_and_nothing_else() {
    let rig = Rig::new().await;
    let (_, first) = answer(rig.raw("?id=1", "sound")).await;
    let rig = rig.restarted(settings()).await;
    let (status, again) = answer(rig.raw("?id=1", "sound")).await;
    assert_eq!((status, &again["report"], rig.reports().await.len()), (200, &first["report"], 1));
}

#[tokio::test]
async fn a_token_says_which_source_it_is_and_two_count_while_one_is_changed() {
    let rig = Rig::new().await;
    let push = |authorization: &str, sound: &'static str| {
        let request = rig.client.post(rig.url("/api/v1/voicemails")).header("content-type", "audio/wav").body(sound);
        if authorization.is_empty() { request } else { request.header("authorization", authorization) }
    };
    assert_eq!(answer(push(&format!("Bearer {TOKEN}"), "1")).await.0, 201);
    assert_eq!(answer(push(&format!("bearer {NEXT}"), "2")).await.0, 201);
    assert_eq!(answer(push(&format!("Bearer {OTHER}"), "3")).await.0, 201);
    let sources: Vec<_> = rig.reports().await.into_iter().map(|report| report.source).collect();
    assert_eq!(sources, ["pbx", "pbx", "other"]);
    let short = &TOKEN[..TOKEN.len() - 1];
    for wrong in ["", "Bearer", "Bearer ", &format!("Bearer {short}"), &format!("Basic {TOKEN}"), TOKEN, "Bearer x y"] {
        let refused = checked(push(wrong, "4")).await;
        assert_eq!(refused.status, 401, "{wrong}");
        assert!(refused.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    }
    let (status, _) = answer(rig.client.get(rig.url("/api/v1/voicemails/x"))).await;
    assert_eq!((status, rig.reports().await.len()), (401, 3));
    // a stranger with much to say hears it, too
    let much = checked(push("", "5").body(vec![0; 200_000])).await;
    assert_eq!(much.status, 401);
}

#[tokio::test]
async fn too_large_is_told_and_stays_on_record_without_its_sound() {
    let rig = Rig::new().await;
    let (status, fits) = answer(rig.raw("", vec![1; MAX])).await;
    assert_eq!((status, &fits["new"]), (201, &Value::Bool(true)), "to the byte");
    let large = || rig.raw("?caller=0301", vec![1; MAX + 1]);
    let (status, first) = answer(large()).await;
    assert_eq!(status, 413);
    assert_eq!(answer(large()).await, (413, first.clone()), "a repeat changes nothing");
    let (status, other) = answer(rig.raw("?caller=0302", vec![1; MAX * 5])).await;
    assert_eq!(status, 413);
    assert_ne!(first["report"], other["report"], "another caller");
    let form = Form::new().part("sound", sound(&[2; MAX + 1])).text("caller", CALLER).text("id", "9");
    let (status, of_form) = answer(rig.form(form)).await;
    assert_eq!(status, 413);
    let all = rig.reports().await;
    assert_eq!(all.len(), 4);
    let report = all.iter().find(|report| of_form["report"] == report.id.to_string()).unwrap();
    assert_eq!(report.caller.number.as_deref(), Some(CALLER), "what stands behind the sound is read");
    let trouble = report.trouble.as_deref().unwrap();
    assert!(
        report.recording.is_none() && trouble.contains("intake.max_mib") && trouble.starts_with("pbx"),
        "{trouble}"
    );
    // the same message in a smaller format
    let smaller = Form::new().part("sound", sound(b"small")).text("id", "9");
    assert_eq!(answer(rig.form(smaller)).await.0, 201);
    // a form that is too large by a field nobody knows
    let odd = Form::new().part("file", sound(&vec![3; MAX * 40]));
    assert_eq!(answer(rig.form(odd)).await.0, 413);
}

#[tokio::test]
async fn what_cannot_be_right_is_named_and_not_quoted() {
    let rig = Rig::new().await;
    let long = "x".repeat(201);
    let table = [
        ("time=gestern", "time"),
        ("time=2026-11-21", "time"),
        ("time=2026-11-21T22:14:00", "time"),
        ("time=2026-11-22T22:14:00Z", "time"),
        (&*format!("id={long}"), "id"),
        ("id=a%0Ab", "id"),
    ];
    for (query, field) in table {
        let (status, problem) = answer(rig.raw(&format!("?{query}"), "sound")).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{query}");
        assert!(!problem.to_string().contains("gestern"));
    }
    let (status, problem) = answer(rig.raw("?id=a", "sound").header("idempotency-key", "b")).await;
    assert_eq!((status, problem["field"].as_str()), (400, Some("id")));
    for form in [
        Form::new().text("caller", "0301"),
        Form::new().part("sound", sound(b"")),
        Form::new().part("sound", sound(b"1")).part("sound", sound(b"2")),
    ] {
        let (status, problem) = answer(rig.form(form)).await;
        assert_eq!((status, problem["field"].as_str()), (400, Some("sound")));
    }
    assert_eq!(answer(rig.raw("", "")).await.1["field"], "sound");
    let no_seam = rig.post("/api/v1/voicemails").header("content-type", "multipart/form-data").body("x");
    assert_eq!(answer(no_seam).await.0, 400);
    let broken = rig.post("/api/v1/voicemails").header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(answer(broken.body("--b\r\nContent-Disposition: form-data; name=\"sound\"\r\n\r\nhalf")).await.0, 400);
    assert!(rig.reports().await.is_empty());
    // a stranger's text is cut, not refused
    let query = format!("?name={}&time=2026-11-21T22:14:00Z", "y".repeat(5_000));
    for status in [201, 200] {
        assert_eq!(answer(rig.raw(&query, "sound")).await.0, status);
        rig.world.clock.advance(chrono::TimeDelta::minutes(15));
    }
    let report = rig.reports().await.remove(0);
    assert_eq!(report.caller.name.unwrap().len(), 200);
    assert_eq!(report.called_at, report.stored_at, "a time zone that was forgotten costs no caller");
}

#[tokio::test]
async fn only_sound_is_taken_and_not_compressed() {
    let rig = Rig::new().await;
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json", "video/mp4"] {
        let request = rig.post("/api/v1/voicemails").header("content-type", kind).body("x");
        assert_eq!(answer(request).await.0, 415, "{kind}");
    }
    assert_eq!(answer(rig.post("/api/v1/voicemails").body("x")).await.0, 415);
    assert_eq!(answer(rig.raw("", "x").header("content-encoding", "gzip")).await.0, 415);
    assert!(rig.reports().await.is_empty());
}

#[tokio::test]
async fn when_nothing_can_be_stored_the_peer_keeps_it_and_a_human_hears_of_it() {
    let mut rig = Rig::new().await;
    let folder = rig.world.store.sound_folder().to_owned();
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "a file where a folder should be").unwrap();
    let refused = checked(rig.raw("?caller=0301&id=1", "sound")).await;
    assert_eq!(refused.status, 503);
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
    let cry = rig.cries.try_recv().unwrap();
    assert_eq!((cry.source.as_str(), cry.key.as_str()), ("pbx", "pbx/0301"));
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(answer(rig.raw("?caller=0301&id=1", "sound")).await.0, 201, "the repeat is taken");
    rig.world.store.close().await;
    for query in ["?id=2", ""] {
        assert_eq!(answer(rig.raw(query, "sound")).await.0, 503);
        assert!(rig.cries.try_recv().is_ok(), "{query}");
    }
    let asked = rig.client.get(rig.url("/api/v1/voicemails/0192f0c1-2345-7000-8000-000000000000"));
    assert_eq!(answer(asked.bearer_auth(TOKEN)).await.0, 503);
}

#[tokio::test]
async fn health_and_contract_are_for_everybody_and_nothing_else_is_there() {
    let rig = Rig::new().await;
    let get = |path: &str| rig.client.get(rig.url(path));
    assert_eq!(answer(get("/api/v1/health")).await, (200, serde_json::json!({"status": "ok"})));
    assert_eq!(answer(get("/api/v1/openapi.json")).await.1["openapi"], "3.1.0");
    for path in ["/", "/api/v1", "/api/v1/voicemails/a/b", "/api/v1/twilio/"] {
        let response = get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
    let response = rig.client.delete(rig.url("/api/v1/voicemails")).send().await.unwrap();
    assert_eq!(
        (response.status(), response.headers()["allow"].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
    let (status, _) = answer(get("/api/v1/voicemails/no-uuid").bearer_auth(TOKEN)).await;
    assert_eq!(status, 404);
    assert_eq!(answer(get("/api/v1/voicemails/%FF").bearer_auth(TOKEN)).await.0, 404);
    assert_eq!(answer(rig.client.post(rig.url("/api/v1/twilio/%FF"))).await.0, 404);
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_and_taken_when_it_is_free() {
    let world = World::at(NIGHT, None, "[intake]\nunreachable_after_min = 1").await;
    let squatter = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = squatter.local_addr().unwrap();
    let (siren, _cries) = siren();
    let lifecycle = Lifecycle::default();
    let door = Door::new(DoorSettings { listen, ..settings() }, world.desk(), siren, Status::default()).unwrap();
    lifecycle.spawn("push".into(), door.run(lifecycle.clone()));
    let clock = world.clock.clone();
    until("the trouble", async || {
        clock.advance(chrono::TimeDelta::minutes(2));
        let standing = troubles::standing(&mut world.store.read().await.unwrap()).await.unwrap();
        standing.iter().any(|one| one.source == "pbx" && one.what.contains("push.listen"))
    })
    .await;
    drop(squatter);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    until("the door", async || client.get(format!("http://{listen}/api/v1/health")).send().await.is_ok()).await;
    until("the trouble's end", async || {
        troubles::standing(&mut world.store.read().await.unwrap()).await.unwrap().is_empty()
    })
    .await;
    lifecycle.stop();
    lifecycle.ended().await;
    assert!(!lifecycle.is_broken());
}

#[tokio::test]
async fn rows_become_a_door_and_bad_tokens_are_named() {
    let rows = |token: &str, other: &str| {
        let text = format!(
            "[push]\n[[sources]]\nkind = \"push\"\nname = \"pbx\"\ntoken = \"{token}\"\nmailbox = \"100\"\nlongest_s = 60\n\
             [[sources]]\nkind = \"push\"\nname = \"other\"\ntoken = \"{OTHER}\"\ntoken_next = \"{other}\"\n\
             [[sources]]\nkind = \"twilio\"\nname = \"hotline\"\naccount_sid = \"AC1\"\nauth_token = \"secret\"\n\
             public_url = \"https://voice.example.com/api/v1/twilio/hotline\"\n"
        );
        Settings::parse(&text).unwrap()
    };
    let settings = rows(TOKEN, NEXT);
    let door = run::door(&settings).unwrap().unwrap();
    assert_eq!((door.listen.to_string().as_str(), door.pushers.len(), door.webhooks.len()), ("127.0.0.1:8740", 2, 1));
    assert_eq!((door.pushers[0].tokens.len(), door.pushers[1].tokens.len()), (1, 2));
    assert_eq!(door.webhooks[0].recording_host.as_str(), "https://api.twilio.com/");
    let world = World::night().await;
    for row in &settings.sources {
        assert!(run::source(row, &settings, &world.store).unwrap().is_none(), "nothing is looked at");
        let said = run::says(row, &settings).remove(0).unwrap();
        assert!(said.contains("127.0.0.1:8740/api/v1/") && said.contains("there"), "{said}");
    }
    for (settings, why) in [(rows("short", NEXT), "sources.token"), (rows(TOKEN, TOKEN), "stands twice")] {
        let error = format!("{:#}", run::door(&settings).unwrap_err());
        assert!(error.contains(why) && !error.contains(TOKEN), "{error}");
    }
    assert!(run::door(&Settings::parse("").unwrap()).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_opens_the_door_and_check_names_it() {
    let firm = crate::whole::Firm::new("/nowhere/model.bin").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = firm.folder.path().join("nachtwache.toml");
    let more =
        format!("[[sources]]\nkind = \"push\"\nname = \"pbx\"\ntoken = \"{TOKEN}\"\n[push]\nlisten = \"{free}\"\n");
    let text = std::fs::read_to_string(&settings).unwrap() + more.as_str();
    std::fs::write(&settings, text).unwrap();
    let said = String::from_utf8(firm.command().arg("check").output().unwrap().stdout).unwrap();
    assert!(
        said.contains(&format!("ok    mailbox pbx: comes in at {free}/api/v1/voicemails; its token is there")),
        "{said}"
    );
    let _service = firm.start();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{free}/api/v1");
    crate::whole::until("the door", Duration::from_secs(30), async || {
        client.get(format!("{url}/health")).send().await.is_ok()
    })
    .await;
    let sound = crate::whole::recording("vm-13.WAV");
    let push = client.post(format!("{url}/voicemails?caller=09721555017")).bearer_auth(TOKEN);
    let (status, _) = answer(push.header("content-type", "audio/wav").body(sound)).await;
    assert_eq!(status, 201);
    crate::whole::until("the recording on the phone", Duration::from_secs(30), async || {
        firm.bot.messages(crate::whole::ANNA).iter().any(|shown| shown.file.is_some())
    })
    .await;
    let log = firm.log();
    assert!(log.contains("a request was answered") && !log.contains(TOKEN) && !log.contains("555017"), "{log}");
}

pub(super) fn webhook(host: &str) -> TwilioSettings {
    TwilioSettings {
        name: "hotline".into(),
        account_sid: "AC01".into(),
        auth_token: twilio::SECRET.to_owned().into(),
        public_url: "https://voice.example.com/api/v1/twilio/hotline#rc=3&rp=all".into(),
        recording_host: host.parse().unwrap(),
        mailbox: None,
        longest_s: Some(300),
    }
}
