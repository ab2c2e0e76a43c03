//! A provider's webhook, its signature, and the recording that is fetched.

use super::contract::checked;
use super::provider::{Gives, Provider};
use super::{Rig, settings, until, webhook};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit as _, Mac as _};
use nachtwache::intake::push::{DoorSettings, Limits};
use nachtwache::store::troubles;
use reqwest::RequestBuilder;
use sha1::Sha1;
use std::time::Duration;

pub(super) const SECRET: &str = "twelve-thirty-four-provider-token";
const PUBLIC: &str = "https://voice.example.com/api/v1/twilio/hotline";
/// AC01 and the secret, as basic authentication has it.
const LOGIN: &str = "Basic QUMwMTp0d2VsdmUtdGhpcnR5LWZvdXItcHJvdmlkZXItdG9rZW4=";
const PATH: &str = "/2010-04-01/Accounts/AC01/Recordings/RE1";

/// A door for this provider that tries again by itself only after `retry`.
fn door(provider: &Provider, retry: Duration) -> DoorSettings {
    let limits =
        Limits { retry, fetch: Duration::from_millis(400), fetch_later: Duration::from_secs(2), ..Limits::default() };
    DoorSettings { webhooks: vec![webhook(&provider.host)], limits, ..settings() }
}

const NEVER: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_millis(20);

fn sign(address: &str, fields: &[(&str, &str)]) -> String {
    let mut fields = fields.to_vec();
    fields.sort_unstable();
    let mut code = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    code.update(address.as_bytes());
    for (name, value) in fields {
        code.update(format!("{name}{value}").as_bytes());
    }
    STANDARD.encode(code.finalize().into_bytes())
}

fn tell(rig: &Rig, fields: &[(&str, &str)]) -> RequestBuilder {
    let request = rig.client.post(rig.url("/api/v1/twilio/hotline")).form(fields);
    request.header("x-twilio-signature", sign(PUBLIC, fields))
}

/// The usual webhook for a recording at `url`.
fn told(url: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("AccountSid", "AC01"),
        ("CallSid", "CA01"),
        ("RecordingSid", "RE1"),
        ("RecordingUrl", url),
        ("RecordingStatus", "completed"),
        ("RecordingDuration", "47"),
        ("From", "+499721555017"),
        ("To", "+4997219782362"),
    ]
}

async fn status(request: RequestBuilder) -> u16 {
    checked(request).await.status
}

#[tokio::test]
async fn a_recording_is_stored_before_its_webhook_is_answered_and_fetched_once() {
    let provider = Provider::giving(&[Gives::Sound(b"RIFF of the caller".to_vec())]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let url = format!("{}{PATH}", provider.host);
    let answer = checked(tell(&rig, &told(&url))).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.as_str().unwrap().ends_with("<Response/>"));
    let report = rig.reports().await.remove(0);
    assert_eq!((report.source.as_str(), report.key.as_str()), ("hotline", "RE1"));
    assert_eq!(report.caller.number.as_deref(), Some("+499721555017"));
    assert_eq!((report.mailbox.as_deref(), report.longest_s), (Some("+4997219782362"), Some(300)));
    assert_eq!(report.called_at, report.stored_at - TimeDelta::seconds(47));
    assert_eq!(rig.sound_of(&report), b"RIFF of the caller");
    assert_eq!(provider.asked(), [(format!("{PATH}.wav"), Some(LOGIN.to_owned()))]);
    assert_eq!(status(tell(&rig, &told(&url))).await, 200, "repeated by the provider");
    assert_eq!((provider.asked().len(), rig.reports().await.len()), (1, 1));
    rig.world.settle().await;
    assert!(rig.world.phone(crate::world::ANNA)[0].file.is_some(), "the first notice");
}

#[tokio::test]
async fn the_signature_is_that_of_an_independent_computation() {
    let provider = Provider::giving(&[]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let fields = [
        ("RecordingSid", "RE00000000000000000000000000000001"),
        ("RecordingStatus", "in-progress"),
        ("CallSid", "CA01"),
        ("From", "+499721555017"),
        ("AccountSid", "AC01"),
        ("b", "2"),
        ("B", "1"),
        ("\u{fc}", "\u{e4} \u{f6}"),
    ];
    // by another program: base64(HMAC-SHA1(secret, address + sorted fields))
    for (query, signature) in [("", "HRQ6DlSY2oVf5jqrUXFDzjQ4jC0="), ("?From=%2B49123", "Dk2vZGePTH0+/nNVgdbp1m2sue0=")]
    {
        let request = |signature: &str| {
            let url = rig.url(&format!("/api/v1/twilio/hotline{query}"));
            rig.client.post(url).form(&fields).header("x-twilio-signature", signature)
        };
        assert_eq!(status(request(signature)).await, 204, "{query}");
        for wrong in ["", "x", "HRQ6DlSY2oVf5jqrUXFDzjQ4jC1=", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", &signature[..20]] {
            assert_eq!(status(request(wrong)).await, 403, "{query} {wrong}");
        }
    }
    let unsigned = rig.client.post(rig.url("/api/v1/twilio/hotline")).form(&fields);
    assert_eq!(status(unsigned).await, 403);
    let with_fragment = sign(&format!("{PUBLIC}#rc=3&rp=all"), &fields);
    let request = rig.client.post(rig.url("/api/v1/twilio/hotline")).form(&fields);
    assert_eq!(status(request.header("x-twilio-signature", with_fragment)).await, 204);
    assert_eq!(status(rig.client.post(rig.url("/api/v1/twilio/nobody")).form(&fields)).await, 404);
}

#[tokio::test]
async fn a_recording_that_is_not_ready_is_fetched_later_though_nobody_repeats() {
    let provider = Provider::giving(&[Gives::Status(404), Gives::Status(502), Gives::Sound(b"sound".to_vec())]).await;
    let rig = Rig::with(door(&provider, SOON)).await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 503);
    until("the report", async || rig.reports().await.len() == 1).await;
    let report = rig.reports().await.remove(0);
    assert_eq!(rig.sound_of(&report), b"sound");
    assert_eq!(report.caller.number.as_deref(), Some("+499721555017"));
    assert_eq!(status(tell(&rig, &told(&url))).await, 200);
}

#[tokio::test]
async fn a_repeat_of_the_provider_fetches_too() {
    let provider = Provider::giving(&[Gives::Status(404), Gives::Sound(b"sound".to_vec())]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 503);
    rig.world.clock.advance(TimeDelta::minutes(3));
    assert_eq!(status(tell(&rig, &told(&url))).await, 200);
    let report = rig.reports().await.remove(0);
    assert_eq!(report.stored_at - report.called_at, TimeDelta::seconds(3 * 60 + 47), "by the first telling");
}

#[tokio::test]
async fn nobody_fetches_what_somebody_is_fetching() {
    let provider = Provider::giving(&[Gives::Hangs]).await;
    let rig = Rig::with(door(&provider, SOON)).await;
    let url = format!("{}{PATH}", provider.host);
    let first = status(tell(&rig, &told(&url)));
    let second = async {
        until("the fetching", async || !provider.asked().is_empty()).await;
        (status(tell(&rig, &told(&url))).await, provider.asked().len())
    };
    assert_eq!(tokio::join!(first, second), (503, (503, 1)));
}

#[tokio::test]
async fn what_finds_no_place_is_noted_and_fetched_by_itself() {
    let sounds = [b"one", b"two"].map(|sound| Gives::Sound(sound.to_vec()));
    let provider = Provider::giving(&[&[Gives::Hangs][..], &sounds].concat()).await;
    let mut door = door(&provider, SOON);
    door.limits.at_once = 1;
    let rig = Rig::with(door).await;
    let url = format!("{}{PATH}", provider.host);
    let mut second = told(&url);
    second[2].1 = "RE2";
    let other = async {
        until("the fetching", async || !provider.asked().is_empty()).await;
        status(tell(&rig, &second)).await
    };
    assert_eq!(tokio::join!(status(tell(&rig, &told(&url))), other), (503, 503));
    until("both reports", async || rig.reports().await.len() == 2).await;
}

#[tokio::test]
async fn what_was_told_outlives_a_restart() {
    let provider = Provider::giving(&[Gives::Hangs, Gives::Sound(b"sound".to_vec())]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 503, "within its time");
    let rig = rig.restarted(door(&provider, SOON)).await;
    until("the report", async || rig.reports().await.len() == 1).await;
}

#[tokio::test]
async fn a_recording_that_never_comes_wakes_a_human_without_it() {
    let provider = Provider::giving(&[Gives::Status(500)]).await;
    let rig = Rig::with(door(&provider, SOON)).await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 503);
    until("some tries", async || provider.asked().len() > 3).await;
    assert!(rig.reports().await.is_empty());
    rig.world.clock.advance(TimeDelta::minutes(11));
    until("the report", async || rig.reports().await.len() == 1).await;
    let report = rig.reports().await.remove(0);
    let trouble = report.trouble.unwrap();
    assert!(trouble.contains("RE1") && trouble.contains("500") && !trouble.contains(SECRET), "{trouble}");
    let tries = provider.asked().len();
    assert_eq!(status(tell(&rig, &told(&url))).await, 200);
    assert!(provider.asked().len() <= tries + 1, "it is left alone now");
}

#[tokio::test]
async fn a_refused_account_is_told_at_once() {
    let provider = Provider::giving(&[Gives::Status(401)]).await;
    let rig = Rig::with(door(&provider, SOON)).await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 503);
    until("the trouble", async || {
        let standing = troubles::standing(&mut rig.world.store.read().await.unwrap()).await.unwrap();
        standing.iter().any(|one| one.source == "hotline" && one.what.contains("auth_token") && one.loses_calls)
    })
    .await;
}

#[tokio::test]
async fn no_other_host_is_asked_nor_gets_the_token() {
    let hostile = Provider::giving(&[Gives::Sound(b"not the caller".to_vec())]).await;
    let provider = Provider::giving(&[Gives::Redirect(format!("{}/there", hostile.host))]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let elsewhere = format!("{}{PATH}", hostile.host);
    assert_eq!(status(tell(&rig, &told(&elsewhere))).await, 200);
    let report = rig.reports().await.remove(0);
    assert!(report.trouble.unwrap().contains("recording_host"), "on record, a human is woken");
    let redirected = format!("{}/RE2", provider.host);
    let mut fields = told(&redirected);
    fields[2].1 = "RE2";
    assert_eq!(status(tell(&rig, &fields)).await, 503);
    assert_eq!(provider.asked().len(), 1);
    assert!(hostile.asked().is_empty(), "{:?}", hostile.asked());
}

#[tokio::test]
async fn too_large_and_failed_recordings_stay_on_record() {
    let provider = Provider::giving(&[Gives::Sound(vec![1; super::MAX + 1])]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 200);
    let failed = [("RecordingSid", "RE2"), ("RecordingStatus", "failed"), ("From", "+266696687")];
    assert_eq!(status(tell(&rig, &failed)).await, 200);
    let all = rig.reports().await;
    assert!(all[0].trouble.as_deref().unwrap().contains("intake.max_mib"));
    assert!(all[1].trouble.as_deref().unwrap().contains("could not record"));
    assert_eq!(all[1].caller.number, None, "a number that spells ANONYMOUS");
}

#[tokio::test]
async fn only_the_end_of_a_recording_counts_and_the_query_may_say_who_called() {
    let provider = Provider::giving(&[Gives::Sound(b"sound".to_vec())]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    let url = format!("{}{PATH}.mp3", provider.host);
    for word in ["in-progress", "absent", "paused"] {
        let fields = [("RecordingSid", "RE1"), ("RecordingUrl", &*url), ("RecordingStatus", word)];
        assert_eq!(status(tell(&rig, &fields)).await, 204, "{word}");
    }
    let start = "Sat, 21 Nov 2026 21:10:00 +0000";
    let fields = [("RecordingSid", "RE1"), ("RecordingUrl", &*url), ("RecordingStartTime", start)];
    let query = "From=%2B49123456&To=%2B49654321";
    let request = rig.client.post(rig.url(&format!("/api/v1/twilio/hotline?{query}"))).form(&fields);
    let signed = request.header("x-twilio-signature", sign(&format!("{PUBLIC}?{query}"), &fields));
    assert_eq!(status(signed).await, 200);
    let report = rig.reports().await.remove(0);
    assert_eq!((report.caller.number.as_deref(), report.mailbox.as_deref()), (Some("+49123456"), Some("+49654321")));
    assert_eq!(report.called_at.to_rfc3339(), "2026-11-21T21:10:00+00:00");
    assert_eq!(provider.asked()[0].0, format!("{PATH}.mp3"), "it has an ending");
}

#[tokio::test]
async fn what_a_webhook_lacks_is_named() {
    let provider = Provider::giving(&[]).await;
    let rig = Rig::with(door(&provider, NEVER)).await;
    for (fields, field) in [
        (vec![("RecordingUrl", "https://x/y")], "RecordingSid"),
        (vec![("RecordingSid", "RE/1"), ("RecordingUrl", "https://x/y")], "RecordingSid"),
        (vec![("RecordingSid", "RE1")], "RecordingUrl"),
    ] {
        let answer = checked(tell(&rig, &fields)).await;
        assert_eq!((answer.status, answer.body["field"].as_str()), (400, Some(field)));
    }
    let large = rig.client.post(rig.url("/api/v1/twilio/hotline")).body(vec![b'a'; 70_000]);
    assert_eq!(status(large).await, 413);
    let no_text = rig.client.post(rig.url("/api/v1/twilio/hotline")).body(vec![0xff_u8; 10]);
    assert_eq!(status(no_text).await, 400);
    assert!(rig.reports().await.is_empty());
}

#[tokio::test]
async fn when_nothing_can_be_noted_a_human_hears_of_it() {
    let provider = Provider::giving(&[Gives::Sound(b"sound".to_vec())]).await;
    let mut rig = Rig::with(door(&provider, NEVER)).await;
    rig.world.store.close().await;
    let url = format!("{}{PATH}", provider.host);
    assert_eq!(status(tell(&rig, &told(&url))).await, 503);
    assert_eq!(rig.cries.try_recv().unwrap().source, "hotline");
    assert!(provider.asked().is_empty());
}
