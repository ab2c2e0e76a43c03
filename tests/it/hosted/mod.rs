//! Providers that keep the voicemail: sipgate and Placetel, faked at the wire.

mod placetel;
mod sipgate;
pub(crate) mod web;

use crate::world::World;
use nachtwache::config::Settings;
use nachtwache::domain::report::{Arrival, Content, Sound};
use nachtwache::intake::http::Limits;
use nachtwache::intake::source::{Listing, SourceError};
use std::time::Duration;
use web::{Reply, Web};

/// Answers in time, gives up at once.
fn hasty() -> Limits {
    Limits { answer: Duration::from_millis(300), give_up: Duration::ZERO, ..Limits::default() }
}

fn keys(listing: &Listing) -> Vec<&str> {
    listing.found.iter().map(|found| found.key.as_str()).collect()
}

fn sound(arrival: &Arrival) -> Result<&[u8], &str> {
    match &arrival.content {
        Content::Voicemail(Sound::Bytes { bytes, .. }) => Ok(bytes),
        Content::Voicemail(Sound::Refused { why, .. }) => Err(why),
        other => panic!("{other:?}"),
    }
}

/// What can go wrong with a list, and whether a person must mend it.
fn list_faults() -> Vec<(Reply, bool)> {
    let json = |text: &str| Reply::Json(text.to_owned());
    vec![
        (Reply::Status(401), true),
        (Reply::Status(403), true),
        (Reply::Status(404), false),
        (Reply::Status(400), false),
        (Reply::Status(500), false),
        (Reply::Status(502), false),
        (Reply::Moved("https://evil.example/".into()), false),
        (Reply::Hang, false),
        (Reply::Drop, false),
        (Reply::File("text/html", b"<html>Airport-WiFi geheim +491701234567".to_vec()), false),
        (json("{\"items\": [{\"source\": \"+491701234567\", geheim"), false),
        (json("\"geheim\""), false),
        (json("{\"items\": 7}"), false),
    ]
}

/// The error names the host and the remedy, and nothing of what was answered.
fn assert_told(error: &SourceError, refused: bool, fault: &Reply) {
    assert_eq!(matches!(error, SourceError::Refused(_)), refused, "{fault:?}: {error:?}");
    assert!(refused || matches!(error, SourceError::Unreachable(_)), "{fault:?}: {error:?}");
    let text = error.to_string();
    assert!(text.contains("127.0.0.1") && text.contains("remedy"), "{fault:?}: {text}");
    for private in ["geheim", "4917", "token-", "evil", "/v2"] {
        assert!(!text.contains(private), "{fault:?}: {text}");
    }
}

/// The commented blocks of the example for these kinds, switched on.
fn example() -> String {
    let text = include_str!("../../../config.example.toml");
    let mut rows = String::new();
    for kind in ["freeswitch", "sipgate", "placetel"] {
        let begin = text.find(&format!("# [[sources]]\n# kind = \"{kind}\"")).unwrap();
        let block = text[begin..].split("\n\n").next().unwrap();
        for line in block.lines().filter(|line| line.contains(" = ") || line.contains("[[")) {
            rows.push_str(line.trim_start_matches("# "));
            rows.push('\n');
        }
    }
    rows
}

#[tokio::test]
async fn the_examples_blocks_are_settings_and_become_sources() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "geheim\n").unwrap();
    let rows = example();
    let mut readable = String::new();
    for line in rows.lines() {
        let (before, after) = line.split_once("{ file = \"").unwrap_or((line, ""));
        let rest = after.split_once('"').map_or("", |(_, rest)| rest);
        let file = if after.is_empty() { String::new() } else { format!("{{ file = \"{}\"{rest}", secret.display()) };
        readable.extend([before, &file, "\n"]);
    }
    let settings = Settings::parse(&readable).unwrap();
    let world = World::night().await;
    let names: Vec<String> = settings
        .sources
        .iter()
        .map(|row| nachtwache::run::source(row, &settings, &world.store).unwrap().unwrap().name().to_owned())
        .collect();
    assert_eq!(names, ["freeswitch", "sipgate", "placetel"]);
    let missing = Settings::parse(&rows).unwrap();
    for (row, key) in missing.sources.iter().zip(["sources.files.password", "sources.token", "sources.key"]) {
        let error = nachtwache::run::source(row, &missing, &world.store).err().unwrap();
        assert!(format!("{error:#}").contains(key), "{error:#}");
    }
}

#[test]
fn what_makes_no_sense_is_told_by_its_key() {
    let rows = example();
    for (right, wrong, key) in [
        ("1000@pbx.example", "1000", "sources.mailboxes"),
        ("1000@pbx.example", "1000@pbx.example api", "sources.mailboxes"),
        ("profile = \"default\"", "profile = \"a b\"", "sources.profile"),
        ("\"/var/lib/freeswitch", "\"var/lib/freeswitch", "sources.storage"),
        ("https://pbx.example/voicemail", "http://pbx.example/voicemail", "sources.files.url"),
        (", password = {", ", passwort = {", "passwort"),
        ("username = \"nachtwache\", ", "", "sources.files"),
        ("https://api.sipgate.com/v2", "http://api.sipgate.com/v2", "sources.api"),
        ("https://api.placetel.de/v2", "http://localhost.evil.example/v2", "sources.api"),
        ("token-ABC123", "", "sources.token_id"),
        ("numbers = []", "numbers = [\"09721 97823\"]", "sources.numbers"),
        ("poll_s = 60", "poll_s = 1", "sources.poll_s"),
        ("first_look_h = 24", "first_look_h = 10000", "sources.first_look_h"),
        ("longest_s = 180", "longest_s = 0", "sources.longest_s"),
        ("mailboxes = [\"1000@pbx.example\"]", "mailboxes = []", "sources.mailboxes"),
    ] {
        assert!(rows.contains(right), "{right}");
        let error = Settings::parse(&rows.replacen(right, wrong, 1)).unwrap_err().to_string();
        assert!(error.contains(key), "{key} is missing in: {error}");
    }
}
