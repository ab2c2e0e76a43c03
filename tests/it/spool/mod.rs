//! The Asterisk spool, against the files of a real Asterisk 22.10.1 and a replay of everything it did to them.

mod ami;
mod replay;

use nachtwache::domain::report::{Arrival, Content, Sound};
use nachtwache::intake::asterisk::{AsteriskSpool, SpoolSettings};
use nachtwache::intake::source::{Found, Source, SourceError};
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const ARCHIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/spool/asterisk-spool.tar.xz");
const ERIKA: &str = "default/100/1795342769-00000000";

// ── the archive ──

/// Unpacks parts of the archive.
fn unpack(parts: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let parts = parts.iter().map(|part| format!("asterisk-spool/{part}"));
    let done = Command::new("tar").arg("-xJf").arg(ARCHIVE).arg("-C").arg(folder.path()).args(parts).status();
    assert!(done.unwrap().success(), "tar and xz are needed");
    folder
}

fn inside(folder: &TempDir, part: &str) -> PathBuf {
    folder.path().join("asterisk-spool").join(part)
}

/// One snapshot as a spool of its own.
fn snapshot(name: &str) -> (TempDir, PathBuf) {
    let folder = unpack(&[name]);
    let root = inside(&folder, name);
    (folder, root)
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn line(text: &str, key: &str) -> Option<String> {
    let found = text.lines().find_map(|line| line.split_once('=').filter(|(name, _)| name.trim() == key));
    found.map(|(_, value)| value.trim().to_owned())
}

/// What belongs together: mailbox and callerid, and the voice.
type Truth = HashMap<(String, String), Vec<u8>>;

/// Learns from a tree at rest.
fn learn(root: &Path, truth: &mut Truth) {
    for text in files(root).iter().filter(|path| path.extension().is_some_and(|ending| ending == "txt")) {
        let Ok(voice) = fs::read(text.with_extension("wav")) else { continue };
        let content = fs::read_to_string(text).unwrap();
        let mut steps = text.strip_prefix(root).unwrap().components().map(|step| step.as_os_str().to_string_lossy());
        let mailbox = format!("{1}@{0}", steps.next().unwrap(), steps.next().unwrap());
        let before = truth.insert((mailbox, line(&content, "callerid").unwrap()), voice.clone());
        assert!(before.is_none_or(|before| before == voice), "the archive agrees with itself: {}", text.display());
    }
}

/// The callerid an arrival shows, as Asterisk writes it.
fn callerid(arrival: &Arrival) -> String {
    match (&arrival.caller.name, &arrival.caller.number) {
        (Some(name), Some(number)) => format!("\"{name}\" <{number}>"),
        (None, Some(number)) => number.clone(),
        (Some(name), None) => name.clone(),
        (None, None) => "Unknown".to_owned(),
    }
}

fn voice(arrival: &Arrival) -> &[u8] {
    match &arrival.content {
        Content::Voicemail(Sound::Bytes { bytes, .. }) => bytes,
        Content::Voicemail(Sound::Refused { why, .. }) => panic!("refused: {why}"),
        other => panic!("{other:?}"),
    }
}

/// Mailbox and caller, who identify a call in this archive; and whether the voice is the caller's.
fn judged(arrival: &Arrival, truth: &Truth) -> ((String, String), bool) {
    let call = (arrival.mailbox.clone().unwrap(), callerid(arrival));
    let right = truth.get(&call).is_some_and(|right| right == voice(arrival));
    (call, right)
}

// ── small helpers ──

fn spool(root: &Path) -> AsteriskSpool {
    AsteriskSpool::new("pbx".to_owned(), SpoolSettings::new(root.to_owned()))
}

/// Asks until it is no longer busy, as the intake loop does.
async fn take(source: &mut AsteriskSpool, found: &Found) -> Result<Arrival, SourceError> {
    loop {
        match source.take(found).await {
            Err(SourceError::Busy(_)) => tokio::task::yield_now().await,
            other => return other,
        }
    }
}

fn set_age(path: &Path, age: Duration) {
    #[expect(clippy::disallowed_methods, reason = "files are stamped by the wall clock")]
    let then = SystemTime::now() - age;
    File::open(path).unwrap().set_times(fs::FileTimes::new().set_modified(then)).unwrap();
}

fn settle(folder: &Path) {
    for path in files(folder) {
        set_age(&path, Duration::from_mins(5));
        set_age(path.parent().unwrap(), Duration::from_mins(5));
    }
}

/// A mailbox 100 with `count` messages of two seconds.
fn mailbox(count: usize) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let inbox = folder.path().join("default/100/INBOX");
    fs::create_dir_all(&inbox).unwrap();
    for number in 0..count {
        let second = 1_795_000_000 + number;
        let text = format!(
            "callerid=\"A{number}\" <0{number}>\norigtime={second}\nmsg_id={second}-{number:08x}\nduration=2\n"
        );
        fs::write(inbox.join(format!("msg{number:04}.txt")), text).unwrap();
        fs::write(inbox.join(format!("msg{number:04}.gsm")), vec![u8::try_from(number % 251).unwrap(); 3_300]).unwrap();
    }
    settle(folder.path());
    (folder, inbox)
}

fn keys(found: &[Found]) -> BTreeSet<String> {
    found.iter().map(|found| found.key.clone()).collect()
}

// ── snapshots ──

const SNAPSHOTS: [&str; 18] = [
    "run1-normal/01-one-new",
    "run1-normal/02-four-new-one-urgent",
    "run1-normal/03-recording-in-progress",
    "run1-normal/04-all",
    "run1-normal/05-first-moved-to-Old-rest-renumbered",
    "run1-normal/06-moved-family-and-urgent-to-old",
    "run1-normal/07-first-inbox-removed",
    "run1-normal/08-removed-with-backupdeleted",
    "run1-normal/09-external-delete",
    "run2-hazards/20-before-stale-lock",
    "run2-hazards/21-with-stale-lock",
    "run2-hazards/22-after-lock-removed",
    "run2-hazards/23-msg_id-regenerated",
    "run2-hazards/24-gap-left-by-external-move",
    "run2-hazards/25-new-message-after-gap",
    "run2-hazards/26-resequenced-by-summary",
    "run2-hazards/27-orphans-then-new-message",
    "run2-hazards/28-orphans-after-summary",
];

#[tokio::test]
async fn every_snapshot_gives_every_voice_to_its_caller() {
    let folder = unpack(&["run1-normal", "run2-hazards"]);
    let mut truth = Truth::new();
    // 04 and 22 are at rest and hold, between them, who is in the others; 26 to 28 bring the last two
    for name in ["run1-normal/04-all", "run2-hazards/22-after-lock-removed", "run2-hazards/28-orphans-after-summary"] {
        learn(&inside(&folder, name), &mut truth);
    }
    let mut read = 0;
    for name in SNAPSHOTS {
        let root = inside(&folder, name);
        let expected = files(&root)
            .iter()
            .filter(|path| {
                path.extension().is_some_and(|ending| ending == "txt") && path.with_extension("wav").exists()
            })
            .filter(|path| ["INBOX", "Urgent"].iter().any(|new| path.parent().unwrap().ends_with(new)))
            .count();
        let before: Vec<_> =
            files(&root).iter().map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap())).collect();
        let mut source = spool(&root);
        let listing = source.list().await.unwrap();
        assert_eq!(listing.found.len(), expected, "{name}");
        for found in &listing.found {
            let arrival = take(&mut source, found).await.unwrap();
            assert!(judged(&arrival, &truth).1, "{name} {}", found.place);
            assert_eq!(arrival.key, found.key);
            source.confirm(found).await.unwrap();
            read += 1;
        }
        let after: Vec<_> =
            files(&root).iter().map(|path| (path.clone(), path.metadata().unwrap().modified().unwrap())).collect();
        assert_eq!(before, after, "nothing is written into {name}");
    }
    assert_eq!(read, 95);
}

#[tokio::test]
async fn a_message_tells_caller_time_and_mailbox() {
    let (_folder, root) = snapshot("run1-normal/04-all");
    let mut source = spool(&root);
    let listing = source.list().await.unwrap();
    assert_eq!(listing.troubles, []);
    let found = |key: &str| listing.found.iter().find(|found| found.key == key).unwrap().clone();

    let joerg = take(&mut source, &found("default/100/1795342802-00000002")).await.unwrap();
    assert_eq!(
        (joerg.caller.name.as_deref(), joerg.caller.number.as_deref()),
        (Some("Jörg Müller"), Some("+4997211234"))
    );
    assert_eq!(joerg.called_at.unwrap().to_rfc3339(), "2026-11-22T10:20:02+00:00");
    assert_eq!(joerg.mailbox.as_deref(), Some("100@default"));
    assert!(matches!(&joerg.content, Content::Voicemail(Sound::Bytes { name, .. }) if name == "msg0002.wav"));

    let nobody = take(&mut source, &found("default/100/1795342788-00000001")).await.unwrap();
    assert_eq!((nobody.caller.name, nobody.caller.number), (None, None));
    let urgent = take(&mut source, &found("default/100/1795342823-00000003")).await.unwrap();
    assert_eq!(urgent.caller.name.as_deref(), Some("Kasse"));
}

#[tokio::test]
async fn one_call_to_two_mailboxes_is_two_messages_and_a_moved_one_stays_the_same() {
    let folder = unpack(&["run1-normal"]);
    let mut seen = Vec::new();
    for name in &SNAPSHOTS[3..9] {
        seen.push(keys(&spool(&inside(&folder, name)).list().await.unwrap().found));
    }
    assert!(seen[0].contains("default/102/1795342905-00000009"));
    assert!(seen[0].contains("firma/9782362/1795342905-00000009"));
    for later in &seen[1..] {
        assert!(later.is_subset(&seen[0]), "renumbering brings nothing new");
    }
}

#[tokio::test]
async fn a_message_is_found_where_it_was_moved_to_and_gone_when_deleted() {
    let (_folder, root) = snapshot("run1-normal/04-all");
    let mut source = spool(&root);
    let listing = source.list().await.unwrap();
    let erika = listing.found.iter().find(|found| found.key == ERIKA).unwrap();
    let (inbox, old) = (root.join("default/100/INBOX"), root.join("default/100/Old"));
    fs::create_dir_all(&old).unwrap();
    for ending in ["gsm", "WAV", "wav", "txt"] {
        fs::rename(inbox.join(format!("msg0000.{ending}")), old.join(format!("msg0007.{ending}"))).unwrap();
        fs::rename(inbox.join(format!("msg0001.{ending}")), inbox.join(format!("msg0000.{ending}"))).unwrap();
    }
    let arrival = take(&mut source, erika).await.unwrap();
    assert_eq!(arrival.caller.name.as_deref(), Some("Erika Mustermann"));
    for ending in ["txt", "wav", "gsm", "WAV"] {
        fs::remove_file(old.join(format!("msg0007.{ending}"))).unwrap();
    }
    assert!(matches!(take(&mut source, erika).await, Err(SourceError::Gone(_))));
}

#[tokio::test]
async fn an_id_given_later_does_not_make_a_known_message_new() {
    let folder = unpack(&["run2-hazards"]);
    let root = inside(&folder, "run2-hazards/22-after-lock-removed");
    let text = root.join("default/102/INBOX/msg0000.txt");
    let rewritten = inside(&folder, "run2-hazards/23-msg_id-regenerated/default/102/INBOX/msg0000.txt");
    let mut source = spool(&root);
    let first = keys(&source.list().await.unwrap().found);
    // an Asterisk before 11 wrote no id ...
    let content = fs::read_to_string(&text).unwrap();
    let without: String = content.split_inclusive('\n').filter(|line| !line.starts_with("msg_id")).collect();
    fs::write(&text, without).unwrap();
    settle(&root);
    assert_eq!(keys(&source.list().await.unwrap().found), first, "an outside program stripped it");
    let old = keys(&spool(&root).list().await.unwrap().found);
    // ... and a newer one gives it one
    fs::copy(rewritten, &text).unwrap();
    settle(&root);
    assert_eq!(keys(&spool(&root).list().await.unwrap().found), old, "even after a restart");
    assert_eq!(keys(&source.list().await.unwrap().found), first);
}

// ── troubles ──

#[tokio::test]
async fn a_lock_left_behind_is_told_and_its_messages_are_still_read() {
    let (_folder, root) = snapshot("run2-hazards/21-with-stale-lock");
    let mut source = spool(&root);
    let listing = source.list().await.unwrap();
    let trouble = listing.troubles.iter().find(|trouble| trouble.key.starts_with("stale-lock:")).unwrap();
    assert!(trouble.loses_calls && trouble.what.contains("102/INBOX/.lock"), "{trouble:?}");
    let found = listing.found.iter().find(|found| found.key == "default/102/1795343024-0000000a").unwrap();
    assert!(take(&mut source, found).await.is_ok());
}

#[tokio::test]
async fn a_message_under_a_fresh_lock_is_busy_until_it_is_released() {
    let (_folder, inbox) = mailbox(1);
    let root = inbox.ancestors().nth(3).unwrap();
    let mut source = spool(root);
    let found = source.list().await.unwrap().found.remove(0);
    fs::write(inbox.join(".lock"), b"").unwrap();
    assert!(matches!(source.take(&found).await, Err(SourceError::Busy(_))));
    assert!(!source.list().await.unwrap().troubles.iter().any(|trouble| trouble.key.starts_with("stale-lock")));
    fs::remove_file(inbox.join(".lock")).unwrap();
    assert!(take(&mut source, &found).await.is_ok());
}

#[tokio::test]
async fn a_folder_locked_by_flock_is_busy() {
    let (_folder, inbox) = mailbox(1);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    let found = source.list().await.unwrap().found.remove(0);
    let lock = File::create(inbox.join("lock")).unwrap();
    settle(&inbox);
    lock.lock().unwrap();
    assert!(matches!(source.take(&found).await, Err(SourceError::Busy(_))));
    lock.unlock().unwrap();
    assert!(take(&mut source, &found).await.is_ok());
}

#[tokio::test]
async fn orphans_are_told_after_a_minute() {
    for (name, wav) in [(SNAPSHOTS[16], "msg0007.wav"), (SNAPSHOTS[17], "msg0002.wav")] {
        let (_folder, root) = snapshot(name);
        let troubles = spool(&root).list().await.unwrap().troubles;
        let told =
            |kind: &str, file: &str| troubles.iter().find(|t| t.key.starts_with(kind) && t.key.contains(file)).unwrap();
        assert!(told("no-text:", wav).loses_calls);
        assert!(!told("no-sound:", "msg0008.txt").loses_calls, "another copy has its sound");
        assert_eq!(troubles.len(), 2, "{troubles:?}");
    }
}

#[tokio::test]
async fn a_text_that_lost_its_sound_brings_its_caller_after_a_minute() {
    let (_folder, inbox) = mailbox(2);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    fs::remove_file(inbox.join("msg0001.gsm")).unwrap();
    let listing = source.list().await.unwrap();
    assert_eq!((listing.found.len(), listing.troubles.len()), (1, 0), "it may come back at once");
    settle(&inbox);
    let listing = source.list().await.unwrap();
    assert!(listing.troubles[0].loses_calls && listing.troubles[0].what.contains("msg0001.txt"));
    let silent = listing.found.iter().find(|found| found.place.ends_with("msg0001.txt")).unwrap();
    let arrival = take(&mut source, silent).await.unwrap();
    assert_eq!(arrival.caller.number.as_deref(), Some("01"));
    assert!(matches!(arrival.content, Content::Voicemail(Sound::Refused { .. })));
}

#[tokio::test]
async fn a_full_mailbox_is_told_before_it_turns_callers_away() {
    for (count, kind, loses_calls) in [(79, None, false), (80, Some("near-full"), false), (100, Some("full"), true)] {
        let (_folder, inbox) = mailbox(count);
        let listing = spool(inbox.ancestors().nth(3).unwrap()).list().await.unwrap();
        assert_eq!(listing.found.len(), count);
        let told: Vec<_> =
            listing.troubles.iter().map(|trouble| (trouble.key.split(':').next(), trouble.loses_calls)).collect();
        assert_eq!(told, kind.map(|kind| (Some(kind), loses_calls)).into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_directory_named_like_a_recording_is_told_and_the_other_format_taken() {
    let (_folder, inbox) = mailbox(2);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    fs::create_dir(inbox.join("msg0000.wav")).unwrap();
    fs::remove_file(inbox.join("msg0001.gsm")).unwrap();
    fs::create_dir(inbox.join("msg0001.WAV")).unwrap();
    settle(&inbox);
    let listing = source.list().await.unwrap();
    let told: Vec<_> = listing.troubles.iter().map(|trouble| trouble.loses_calls).collect();
    assert_eq!(told, [false, true], "{:?}", listing.troubles);
    let first = take(&mut source, &listing.found[0]).await.unwrap();
    assert!(matches!(first.content, Content::Voicemail(Sound::Bytes { name, .. }) if name == "msg0000.gsm"));
    let second = take(&mut source, &listing.found[1]).await.unwrap();
    assert!(
        matches!(second.content, Content::Voicemail(Sound::Refused { why, .. }) if why.contains("no regular file"))
    );
}

#[tokio::test]
async fn a_huge_recording_is_refused_unread_unless_another_format_is_small_enough() {
    let (_folder, inbox) = mailbox(2);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    for name in ["msg0000.wav", "msg0001.gsm"] {
        File::create(inbox.join(name)).unwrap().set_len(3 << 30).unwrap();
    }
    settle(&inbox);
    let listing = source.list().await.unwrap();
    let first = take(&mut source, &listing.found[0]).await.unwrap();
    assert!(matches!(first.content, Content::Voicemail(Sound::Bytes { name, .. }) if name == "msg0000.gsm"));
    let second = take(&mut source, &listing.found[1]).await.unwrap();
    assert!(
        matches!(second.content, Content::Voicemail(Sound::Refused { why, .. }) if why.contains("3221225472 bytes"))
    );
    assert_eq!(second.caller.number.as_deref(), Some("01"));
}

#[tokio::test]
async fn endings_are_told_apart_by_case_and_the_best_is_taken() {
    let (_folder, inbox) = mailbox(1);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    let found = source.list().await.unwrap().found.remove(0);
    for (ending, best) in [("sln", "gsm"), ("WAV", "WAV"), ("wav", "wav"), ("ulaw", "wav"), ("siren7", "wav")] {
        fs::write(inbox.join(format!("msg0000.{ending}")), ending).unwrap();
        settle(&inbox);
        let arrival = take(&mut source, &found).await.unwrap();
        assert!(
            matches!(&arrival.content, Content::Voicemail(Sound::Bytes { name, .. }) if *name == format!("msg0000.{best}")),
            "{arrival:?}"
        );
    }
}

#[tokio::test]
async fn a_length_that_does_not_fit_delays_a_message_but_loses_nothing() {
    let (_folder, inbox) = mailbox(1);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    fs::write(inbox.join("msg0000.gsm"), vec![7_u8; 33 * 5_000]).unwrap();
    settle(&inbox);
    let found = source.list().await.unwrap().found.remove(0);
    let arrival = take(&mut source, &found).await.unwrap();
    assert_eq!(voice(&arrival).len(), 33 * 5_000);
}

#[tokio::test]
async fn garbage_instead_of_a_text_still_brings_the_voice() {
    let (_folder, inbox) = mailbox(1);
    let mut source = spool(inbox.ancestors().nth(3).unwrap());
    fs::write(inbox.join("msg0000.txt"), b"\xff\xfe\x00=\x00 = ;\n[").unwrap();
    let fresh = source.list().await.unwrap();
    assert_eq!(fresh.found, [], "it may be half written");
    settle(&inbox);
    let found = source.list().await.unwrap().found.remove(0);
    let arrival = take(&mut source, &found).await.unwrap();
    assert_eq!((arrival.called_at, voice(&arrival).len()), (None, 3_300));
}

#[tokio::test]
async fn folders_without_rights_are_named_with_the_remedy() {
    let (_folder, inbox) = mailbox(1);
    let root = inbox.ancestors().nth(3).unwrap();
    fs::set_permissions(&inbox, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    // root may read everything; then there is nothing to see here
    if fs::read_dir(&inbox).is_err() {
        let troubles = spool(root).list().await.unwrap().troubles;
        assert!(
            troubles[0].loses_calls
                && troubles[0].what.contains("INBOX")
                && troubles[0].what.contains("group asterisk")
        );
    }
    fs::set_permissions(&inbox, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn the_links_of_freepbx_do_not_double_a_mailbox() {
    let (_folder, inbox) = mailbox(1);
    let root = inbox.ancestors().nth(3).unwrap();
    fs::create_dir(root.join("aaa-device")).unwrap();
    std::os::unix::fs::symlink("../default/100", root.join("aaa-device/100")).unwrap();
    let found = spool(root).list().await.unwrap().found;
    assert_eq!(found.len(), 1);
    assert!(found[0].key.starts_with("default/100/"));
}

#[tokio::test]
async fn only_the_mailboxes_named_are_read() {
    let (_folder, root) = snapshot("run1-normal/04-all");
    let mut settings = SpoolSettings::new(root);
    settings.mailboxes =
        vec![("firma".to_owned(), "9782362".to_owned()), ("default".to_owned(), "not-yet-there".to_owned())];
    let listing = AsteriskSpool::new("pbx".to_owned(), settings).list().await.unwrap();
    assert_eq!((listing.found.len(), listing.troubles.len()), (2, 0));
}

#[tokio::test]
async fn a_spool_that_appears_later_is_seen_when_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("voicemail");
    let mut settings = SpoolSettings::new(root.clone());
    settings.poll = Duration::from_millis(20);
    let mut source = AsteriskSpool::new("pbx".to_owned(), settings);
    assert!(matches!(source.list().await, Err(SourceError::Unreachable(why)) if why.contains("voicemail")));
    source.changed().await;
    let inbox = root.join("default/100/INBOX");
    fs::create_dir_all(&inbox).unwrap();
    assert_eq!(source.list().await.unwrap().found, []);
    fs::write(inbox.join("msg0000.wav"), b"x").unwrap();
    fs::write(inbox.join("msg0000.txt"), "callerid=1\norigtime=1\nduration=0\nmsg_id=1-0\n").unwrap();
    while source.list().await.unwrap().found.is_empty() {
        source.changed().await;
    }
}

// ── closing gaps without a lock ──

/// Everything is renumbered again and again, sound first, nobody locks, with pauses longer than any clock tick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renumbering_without_a_lock_never_gives_a_voice_to_another_caller() {
    const ROUNDS: usize = 12;
    let (folder, inbox) = mailbox(4);
    let mover = std::thread::spawn(move || {
        let mut pauses = [0, 3, 40, 60, 1, 45, 2].into_iter().cycle();
        let name = |number: usize, ending: &str| inbox.join(format!("msg{number:04}.{ending}"));
        for _ in 0..ROUNDS {
            let first = ["gsm", "txt"].map(|ending| (ending, fs::read(name(0, ending)).unwrap()));
            // as Asterisk closes a gap: each one over the one before
            for number in 1..4 {
                for ending in ["gsm", "txt"] {
                    fs::rename(name(number, ending), name(number - 1, ending)).unwrap();
                    pause(Duration::from_millis(pauses.next().unwrap()));
                }
            }
            // the first one comes back as the last
            for (ending, bytes) in first {
                fs::write(inbox.join("new"), bytes).unwrap();
                fs::rename(inbox.join("new"), name(3, ending)).unwrap();
            }
            pause(Duration::from_millis(60));
        }
    });
    let mut source = spool(folder.path());
    let mut taken = 0;
    while !mover.is_finished() {
        for found in source.list().await.unwrap().found {
            match source.take(&found).await {
                Ok(arrival) => {
                    let name = arrival.caller.name.clone().unwrap();
                    assert_eq!(name, format!("A{}", voice(&arrival)[0]), "a caller with another's voice");
                    taken += 1;
                }
                // gone: on its way from first to last
                Err(SourceError::Busy(_) | SourceError::Gone(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    mover.join().unwrap();
    assert!(taken > ROUNDS, "{taken} taken");
}

/// What the world does between two of its steps; nothing waits for it.
fn pause(time: Duration) {
    std::thread::sleep(time);
}
