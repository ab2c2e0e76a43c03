//! The mailbox at a provider: against a real Dovecot, a server that misbehaves on the wire, and a faked token address.

mod dovecot;
mod faults;
mod mailbox;
mod oauth;
mod stories;
mod wire;

use chrono::TimeDelta;
use nachtwache::config::{ProfileRow, Settings, Tls};
use nachtwache::domain::report::{Arrival, Content, Sound};
use nachtwache::intake::imap::{Confirm, ImapSettings, ImapSource, Login};
use nachtwache::intake::mail::{self, Reading};
use nachtwache::intake::source::{Listing, Source};
use nachtwache::intake::{Desk, Intake, Memory};
use nachtwache::roster::Roster;
use nachtwache::runtime::bell::Bells;
use nachtwache::runtime::clock::SystemClock;
use nachtwache::runtime::siren::siren;
use nachtwache::store::Store;
use std::sync::Arc;
use std::time::Duration;

/// A store in a folder of its own.
pub(crate) struct House {
    pub(crate) store: Store,
    folder: tempfile::TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/nachtwache.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        Self { store, folder }
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory::new(self.store.clone(), "mail".into())
    }

    pub(crate) fn source(&self, settings: ImapSettings) -> ImapSource {
        ImapSource::new("mail".into(), settings, self.memory(), Arc::new(SystemClock))
    }

    pub(crate) fn intake(&self, settings: ImapSettings) -> Intake {
        let people = "[[technicians]]\nname = \"Anna\"\ntelegram_chat = 1\n";
        let people = Arc::new(Settings::parse(people).unwrap());
        let desk = Desk {
            store: self.store.clone(),
            roster: Roster::new(people.clone()),
            settings: people,
            clock: Arc::new(SystemClock),
            bells: Bells::default(),
        };
        Intake::new(desk, Box::new(self.source(settings)), siren().0)
    }

    async fn number(&self, sql: &str) -> i64 {
        use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _};
        let url = format!("sqlite://{}/nachtwache.db", self.folder.path().display());
        let mut db = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()).into_sql_str()).fetch_one(&mut db).await.unwrap()
    }

    /// Changes the store behind its back.
    pub(crate) async fn does(&self, sql: &str) {
        use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr as _};
        let url = format!("sqlite://{}/nachtwache.db", self.folder.path().display());
        let mut db = sqlx::AnyConnection::connect(&url).await.unwrap();
        sqlx::query(AssertSqlSafe(sql.to_owned()).into_sql_str()).execute(&mut db).await.unwrap();
    }

    /// Stored reports, and how many of them the source was told of.
    pub(crate) async fn reports(&self) -> (i64, i64) {
        let stored = self.number("SELECT COUNT(*) FROM reports").await;
        (stored, self.number("SELECT COUNT(*) FROM reports WHERE confirmed_at IS NOT NULL").await)
    }

    /// Reports by their subjects: how many different ones.
    pub(crate) async fn different(&self) -> i64 {
        self.number("SELECT COUNT(DISTINCT sound_sha256) FROM reports").await
    }
}

pub(crate) fn settings(port: u16, user: &str) -> ImapSettings {
    let profile = ProfileRow { name: "box".into(), sender: Some("box@example.org".into()), ..ProfileRow::default() };
    let reading = Reading {
        voicemails: true,
        reports: false,
        profiles: mail::profiles(&[profile]).unwrap(),
        own_numbers: Vec::new(),
        own_addresses: Vec::new(),
        zone: chrono_tz::Europe::Berlin,
        max_bytes: 1024 * 1024,
        longest_s: Some(180),
    };
    ImapSettings {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        ca: None,
        username: user.into(),
        login: Login::Password("test".to_owned().into()),
        folder: "INBOX".into(),
        confirm: Confirm::Keyword("$Nachtwache".into()),
        poll: Duration::from_mins(1),
        idle: Duration::from_mins(9),
        first_look: TimeDelta::hours(24),
        patience: Duration::from_secs(10),
        reading: Arc::new(reading),
    }
}

/// A recording as a mail.
pub(crate) fn voicemail(number: u32) -> String {
    format!(
        "From: box@example.org\r\nTo: firm@example.org\r\nSubject: Neue Nachricht {number}\r\n\
         Message-ID: <voice-{number}@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nAnruf\r\n\
         --b\r\nContent-Type: audio/x-wav; name=\"{number}.wav\"\r\nContent-Disposition: attachment; filename=\"{number}.wav\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        base64_of(format!("sound of call {number}").as_bytes())
    )
}

/// A mail that is none of ours.
pub(crate) fn foreign(number: u32) -> String {
    format!(
        "From: shop@example.org\r\nSubject: Angebot {number}\r\nMessage-ID: <offer-{number}@example.org>\r\n\r\nKaufen Sie.\r\n"
    )
}

pub(crate) fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn sound(arrival: &Arrival) -> String {
    match &arrival.content {
        Content::Voicemail(Sound::Bytes { bytes, .. }) => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn refused(arrival: &Arrival) -> String {
    match &arrival.content {
        Content::Voicemail(Sound::Refused { why, .. }) => why.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn keys(source: &mut ImapSource) -> Vec<String> {
    let listing: Listing = source.list().await.unwrap();
    listing.found.into_iter().map(|found| found.key).collect()
}

/// Looks until nothing more is asked for at once.
pub(crate) async fn look_all(intake: &mut Intake) -> usize {
    let (mut stored, mut idle) = (0, 0);
    for _ in 0..200 {
        let look = intake.look().await.unwrap();
        stored += look.stored;
        idle = if look.stored == 0 && look.pause.is_none() && !look.again { idle + 1 } else { 0 };
        if idle == 2 {
            return stored;
        }
        if let Some(pause) = look.pause {
            tokio::time::sleep(pause.min(Duration::from_millis(100))).await;
        }
    }
    panic!("the mailbox does not come to rest");
}
