//! The answering machine of a FRITZ!Box, faked at the wire.

mod fake;
mod listens;
mod marks;
mod story;
mod takes;
mod trusts;

use chrono::TimeDelta;
use fake::{FakeBox, Message, PASSWORD, USER};
use nachtwache::domain::report::{Arrival, Content, Sound};
use nachtwache::intake::Memory;
use nachtwache::intake::fritzbox::{FritzBox, FritzSettings, Limits};
use nachtwache::intake::source::{Found, Source};
use nachtwache::runtime::clock::HandClock;
use nachtwache::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Sa 28.11.2026 21:31 in Berlin.
const NOW: &str = "2026-11-28T20:31:00Z";
const RECORDING: &[u8] = include_bytes!("../../data/sound/short-alaw.wav");

/// A message from one minute ago that nobody heard.
fn erika() -> Message {
    let sound = RECORDING.to_vec();
    Message { date: "28.11.26 21:30", number: "01710000001", name: "", file: "rec.0.001", new: true, path: None, sound }
}

/// One that a person heard this morning.
fn heard() -> Message {
    let mut sound = RECORDING.to_vec();
    sound.truncate(1000);
    sound[4..8].copy_from_slice(&992_u32.to_le_bytes());
    Message { date: "28.11.26 09:05", number: "", name: "Otto & Co", file: "rec.0.000", new: false, path: None, sound }
}

/// A store and a clock for one source.
struct Here {
    _folder: TempDir,
    store: Store,
    clock: HandClock,
}

impl Here {
    async fn at(now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/nachtwache.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        Self { _folder: folder, store, clock: HandClock::at(now.parse().unwrap()) }
    }

    fn memory(&self) -> Memory {
        Memory::new(self.store.clone(), "box".into())
    }

    fn source(&self, settings: FritzSettings) -> FritzBox {
        FritzBox::new("box".into(), settings, self.memory(), Arc::new(self.clock.clone()))
    }
}

fn settings(fake: &FakeBox) -> FritzSettings {
    FritzSettings {
        address: fake.address.parse().unwrap(),
        web: Some(fake.web.parse().unwrap()),
        username: USER.into(),
        password: PASSWORD.into(),
        tams: vec![0],
        fingerprints: Vec::new(),
        monitor: None,
        poll: Duration::from_mins(1),
        mark_read: true,
        longest_s: Some(180),
        first_look: TimeDelta::hours(24),
        zone: chrono_tz::Europe::Berlin,
        max_bytes: 1_000_000,
        limits: Limits {
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            download: Duration::from_secs(10),
            mark: Duration::from_millis(10),
            after_call: Duration::from_millis(10),
            tries: 3,
            trying: Duration::from_mins(1),
        },
    }
}

/// As `settings`, but what hangs is given up soon.
fn impatient(fake: &FakeBox) -> FritzSettings {
    let mut settings = settings(fake);
    (settings.limits.answer, settings.limits.download) = (Duration::from_secs(1), Duration::from_secs(1));
    settings
}

/// A box with these messages, the source that watches it, and its store.
async fn watched(messages: &[Message]) -> (FakeBox, FritzBox, Here) {
    let fake = FakeBox::start().await;
    fake.inside().messages.extend_from_slice(messages);
    let here = Here::at(NOW).await;
    let source = here.source(settings(&fake));
    (fake, source, here)
}

async fn found(source: &mut FritzBox) -> Vec<Found> {
    source.list().await.unwrap().found
}

fn bytes(arrival: &Arrival) -> &[u8] {
    match &arrival.content {
        Content::Voicemail(Sound::Bytes { bytes, .. }) => bytes,
        other => panic!("{other:?}"),
    }
}

fn refusal(arrival: &Arrival) -> &str {
    match &arrival.content {
        Content::Voicemail(Sound::Refused { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

/// No answer of the source may show what is secret.
fn silent(text: &str) {
    for secret in [PASSWORD, "geheim", "sid=", "01710000001"] {
        assert!(!text.contains(secret), "{secret} stands in: {text}");
    }
}
