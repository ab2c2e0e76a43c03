//! The folder other programs drop recordings into.

use nachtwache::domain::report::{Arrival, Content, Sound};
use nachtwache::intake::folder::{FolderSettings, FolderSource};
use nachtwache::intake::source::{Found, Listing, Source, SourceError};
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn source(path: &Path) -> FolderSource {
    FolderSource::new("drop".to_owned(), FolderSettings::new(path.to_owned()))
}

/// A source for which every file is complete at once.
fn hasty(path: &Path) -> FolderSource {
    let mut settings = FolderSettings::new(path.to_owned());
    settings.settle = Duration::ZERO;
    settings.max_bytes = 1_000_000;
    FolderSource::new("drop".to_owned(), settings)
}

fn drop_in(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn places(listing: &Listing) -> Vec<String> {
    let mut places: Vec<_> = listing.found.iter().map(|found| found.place.clone()).collect();
    places.sort();
    places
}

fn found(listing: &Listing, place: &str) -> Found {
    listing.found.iter().find(|found| found.place == place).unwrap().clone()
}

fn bytes(arrival: &Arrival) -> &[u8] {
    match &arrival.content {
        Content::Voicemail(Sound::Bytes { bytes, .. }) => bytes,
        Content::Voicemail(Sound::Refused { why, .. }) => panic!("{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whatever_is_dropped_is_taken_but_what_is_none() {
    let left_out = ["a.json", "b.tmp", "c.part", ".hidden", "D.TMP"];
    let taken = ["a.wav", "b.WAV", "c.mp3", "d.opus", "no-ending", "e.xyz", "f.json.wav"];
    let files: Vec<_> = left_out.iter().chain(&taken).map(|name| (*name, "{}")).collect();
    let folder = drop_in(&files);
    fs::create_dir(folder.path().join("done")).unwrap();
    fs::create_dir(folder.path().join("somebody's")).unwrap();
    let listing = hasty(folder.path()).list().await.unwrap();
    let mut expected: Vec<_> = taken.iter().map(|name| (*name).to_owned()).collect();
    expected.sort();
    assert_eq!(places(&listing), expected);
    assert_eq!(listing.troubles, []);
}

#[tokio::test]
async fn a_side_car_tells_caller_time_and_identity() {
    let told =
        r#"{"caller": " +49 9721 1234 ", "name": "Jörg", "time": "2026-11-22T11:19:29+01:00", "id": "x-1", "more": 1}"#;
    let folder = drop_in(&[("a.wav", "aaa"), ("a.wav.json", told), ("b.mp3", "bb"), ("b.json", r#"{"name": "Anna"}"#)]);
    let mut source = hasty(folder.path());
    let listing = source.list().await.unwrap();
    let a = source.take(&found(&listing, "a.wav")).await.unwrap();
    assert_eq!((a.caller.number.as_deref(), a.caller.name.as_deref()), (Some("+49 9721 1234"), Some("Jörg")));
    assert_eq!(a.called_at.unwrap().to_rfc3339(), "2026-11-22T10:19:29+00:00");
    assert_eq!((a.key.as_str(), bytes(&a), a.source.as_str()), ("x-1/3", "aaa".as_bytes(), "drop"));
    let b = source.take(&found(&listing, "b.mp3")).await.unwrap();
    assert_eq!((b.caller.number, b.caller.name.as_deref(), b.called_at), (None, Some("Anna"), None));
    assert!(b.key.starts_with("b.mp3/2/"), "{}", b.key);
}

#[tokio::test]
async fn a_bad_side_car_is_told_without_quoting_it_and_the_sound_is_taken() {
    for bad in ["", "{\"caller\": ", "[1]", "{\"caller\": 301}", "{\"time\": \"gestern\"}", "\u{0}"] {
        let folder = drop_in(&[("a.wav", "aaa"), ("a.json", bad)]);
        let mut source = hasty(folder.path());
        let listing = source.list().await.unwrap();
        let trouble = &listing.troubles[0];
        assert!(
            !trouble.loses_calls && trouble.what.contains("a.json") && !trouble.what.contains("gestern"),
            "{trouble:?}"
        );
        let arrival = source.take(&listing.found[0]).await.unwrap();
        assert_eq!((bytes(&arrival), arrival.caller.number.as_deref()), ("aaa".as_bytes(), None));
        source.confirm(&listing.found[0]).await.unwrap();
        assert!(folder.path().join("done/a.json").exists());
    }
}

#[tokio::test]
async fn two_recordings_of_one_name_do_not_share_a_caller() {
    let folder = drop_in(&[("a.wav", "one"), ("a.mp3", "two"), ("a.json", r#"{"id": "x", "caller": "0301"}"#)]);
    let mut source = hasty(folder.path());
    let listing = source.list().await.unwrap();
    assert_eq!(places(&listing), ["a.mp3", "a.wav"]);
    for found in &listing.found {
        assert_eq!(source.take(found).await.unwrap().caller.number, None, "whose is it?");
    }
}

#[tokio::test]
async fn two_recordings_under_one_id_are_two_messages() {
    let id = r#"{"id": "x"}"#;
    let folder = drop_in(&[("a.wav", "one"), ("a.wav.json", id), ("b.wav", "three"), ("b.wav.json", id)]);
    assert_eq!(places(&hasty(folder.path()).list().await.unwrap()), ["a.wav", "b.wav"]);
}

#[tokio::test]
async fn what_is_safe_lies_in_done_and_nothing_there_is_overwritten() {
    let folder = drop_in(&[]);
    let mut source = hasty(folder.path());
    for round in ["first", "second", "third"] {
        fs::write(folder.path().join("a.wav.json"), format!("{{\"name\": \"{round}\"}}")).unwrap();
        fs::write(folder.path().join("a.wav"), round).unwrap();
        let listing = source.list().await.unwrap();
        source.confirm(&listing.found[0]).await.unwrap();
        source.confirm(&listing.found[0]).await.unwrap();
        assert_eq!(source.list().await.unwrap().found, []);
        assert!(matches!(source.take(&listing.found[0]).await, Err(SourceError::Gone(_))));
    }
    for (name, content) in [("a.wav", "first"), ("a-1.wav", "second"), ("a-2.wav", "third")] {
        assert_eq!(fs::read_to_string(folder.path().join("done").join(name)).unwrap(), content);
        let side_car = fs::read_to_string(folder.path().join("done").join(format!("{name}.json"))).unwrap();
        assert!(side_car.contains(content), "{name} keeps its own side-car");
    }
}

#[tokio::test]
async fn another_file_of_the_same_name_is_another_message_and_stays() {
    let folder = drop_in(&[("a.wav", "one")]);
    let mut source = hasty(folder.path());
    let first = source.list().await.unwrap().found.remove(0);
    fs::write(folder.path().join("a.wav"), "another").unwrap();
    source.confirm(&first).await.unwrap();
    assert!(matches!(source.take(&first).await, Err(SourceError::Gone(_))));
    let second = source.list().await.unwrap().found.remove(0);
    assert_ne!(first.key, second.key);
    assert_eq!(bytes(&source.take(&second).await.unwrap()), b"another");
}

#[tokio::test]
async fn a_file_still_being_written_is_left_alone_until_it_stands_still() {
    let folder = drop_in(&[("a.wav", "begin")]);
    let mut settings = FolderSettings::new(folder.path().to_owned());
    settings.settle = Duration::from_millis(150);
    let mut source = FolderSource::new("drop".to_owned(), settings);
    assert_eq!(source.list().await.unwrap().found, []);
    let started = std::time::Instant::now();
    let listing = loop {
        source.changed().await;
        let listing = source.list().await.unwrap();
        if !listing.found.is_empty() {
            break listing;
        }
    };
    assert!(started.elapsed() >= Duration::from_millis(100) && started.elapsed() < Duration::from_secs(4));
    assert_eq!(bytes(&source.take(&listing.found[0]).await.unwrap()), b"begin");
}

#[tokio::test]
async fn a_file_with_an_old_time_that_is_still_being_copied_is_left_alone() {
    let folder = drop_in(&[("a.wav", "begin")]);
    #[expect(clippy::disallowed_methods, reason = "files are stamped by the wall clock")]
    let then = SystemTime::now() - Duration::from_hours(1);
    let file = File::options().write(true).open(folder.path().join("a.wav")).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(then)).unwrap();
    assert_eq!(source(folder.path()).list().await.unwrap().found, []);
}

#[tokio::test]
async fn a_file_that_arrives_by_rename_is_taken_at_once() {
    let folder = drop_in(&[]);
    let mut source = source(folder.path());
    source.list().await.unwrap();
    fs::write(folder.path().join("a.wav.json.tmp"), "{\"name\": \"Anna\"}").unwrap();
    fs::write(folder.path().join("a.part"), "whole").unwrap();
    let started = std::time::Instant::now();
    fs::rename(folder.path().join("a.wav.json.tmp"), folder.path().join("a.wav.json")).unwrap();
    fs::rename(folder.path().join("a.part"), folder.path().join("a.wav")).unwrap();
    let listing = loop {
        source.changed().await;
        let listing = source.list().await.unwrap();
        if !listing.found.is_empty() {
            break listing;
        }
    };
    assert!(started.elapsed() < Duration::from_millis(1_500), "it did not have to settle");
    assert_eq!(source.take(&listing.found[0]).await.unwrap().caller.name.as_deref(), Some("Anna"));
}

#[tokio::test]
async fn a_huge_file_is_refused_unread() {
    let folder = drop_in(&[]);
    File::create(folder.path().join("a.wav")).unwrap().set_len(2 << 30).unwrap();
    let mut source = hasty(folder.path());
    let listing = source.list().await.unwrap();
    let arrival = source.take(&listing.found[0]).await.unwrap();
    assert!(
        matches!(arrival.content, Content::Voicemail(Sound::Refused { why, name, .. }) if why.contains("2147483648 bytes") && name == "a.wav")
    );
    source.confirm(&listing.found[0]).await.unwrap();
    assert!(folder.path().join("done/a.wav").exists());
}

#[tokio::test]
async fn what_is_no_file_is_told() {
    let folder = drop_in(&[]);
    fs::create_dir(folder.path().join("msg0000.wav")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("link.wav")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let name: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"J\xf6rg.wav");
    fs::write(folder.path().join(name), "x").unwrap();
    let listing = hasty(folder.path()).list().await.unwrap();
    assert_eq!(listing.found, []);
    let mut told: Vec<_> = listing.troubles.iter().map(|trouble| trouble.key.split(':').next().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, ["link", "name", "no-file", "no-file"]);
    assert!(listing.troubles.iter().all(|trouble| trouble.loses_calls));
}

#[tokio::test]
async fn an_unreadable_file_is_refused_with_the_remedy() {
    let folder = drop_in(&[("a.wav", "x")]);
    let path = folder.path().join("a.wav");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    // root may read everything; then there is nothing to see here
    if File::open(&path).is_err() {
        let mut source = hasty(folder.path());
        let listing = source.list().await.unwrap();
        let arrival = source.take(&listing.found[0]).await.unwrap();
        assert!(matches!(arrival.content, Content::Voicemail(Sound::Refused { why, .. }) if why.contains("remedy")));
    }
}

#[tokio::test]
async fn a_missing_folder_is_named_and_seen_once_it_is_there() {
    let folder = drop_in(&[]);
    let path = folder.path().join("drop");
    let mut source = hasty(&path);
    assert!(matches!(source.list().await, Err(SourceError::Unreachable(why)) if why.contains("create it")));
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a.wav"), "x").unwrap();
    assert_eq!(source.list().await.unwrap().found.len(), 1);
}
