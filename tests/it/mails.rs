//! Mails become what they are: every file of tests/data/mail is what tests/data/mail/expected.toml says that a person reads.

use nachtwache::assess::rules::{Message, Terms, judge};
use nachtwache::config::ProfileRow;
use nachtwache::domain::report::{Mail, Sound};
use nachtwache::domain::tariff::Cents;
use nachtwache::intake::mail::{BY_STRUCTURE, Letter, Reading, built_in, learn, profiles, read, twin};
use proptest::prelude::*;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mail")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.eml"))).unwrap()
}

fn reading() -> Reading {
    Reading {
        voicemails: true,
        reports: true,
        profiles: built_in().to_vec(),
        own_numbers: vec!["+4997219782362".into()],
        own_addresses: vec!["service@kister-it.example".into(), "service@kanzlei-birnbaum.example".into()],
        zone: chrono_tz::Europe::Berlin,
        max_bytes: 30 * 1024 * 1024,
        longest_s: None,
    }
}

#[derive(Deserialize)]
struct Expectations {
    mails: Vec<Expected>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    file: String,
    kind: String,
    profile: Option<String>,
    number: Option<String>,
    name: Option<String>,
    mailbox: Option<String>,
    at: Option<String>,
    seconds: Option<u32>,
    sound: Option<String>,
    refused: Option<String>,
    place: Option<String>,
    automatic: Option<bool>,
    subject: Option<String>,
    sender: Option<String>,
    text: Vec<String>,
    lacks: Vec<String>,
    verdict: Option<String>,
}

/// Everything in which a mail is not what was expected.
fn differences(expected: &Expected, letter: &Letter) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, wanted: Option<&str>, found: Option<&str>| {
        if let Some(wanted) = wanted
            && (wanted == "-" && found.is_some() || wanted != "-" && found != Some(wanted))
        {
            wrong.push(format!("{}: {what} is {found:?}, expected {wanted:?}", expected.file));
        }
    };
    let (kind, mail) = match letter {
        // what stands beside a recording is kept, too
        Letter::Voicemail { note, .. } => ("voicemail", note.as_deref()),
        Letter::Email(mail) => ("email", Some(mail)),
        Letter::Fax(mail) => ("fax", Some(mail)),
        Letter::Foreign => ("foreign", None),
    };
    same("kind", Some(&expected.kind), Some(kind));
    if let Letter::Voicemail { profile, sound, caller, mailbox, called_at, seconds, .. } = letter {
        same("profile", expected.profile.as_deref(), Some(profile));
        same("number", expected.number.as_deref(), caller.number.as_deref());
        same("name", expected.name.as_deref(), caller.name.as_deref());
        same("mailbox", expected.mailbox.as_deref(), mailbox.as_deref());
        let at = called_at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        same("time", expected.at.as_deref(), at.as_deref());
        let length = |seconds: Option<u32>| seconds.map(|seconds| seconds.to_string());
        same("length", length(expected.seconds).as_deref(), length(*seconds).as_deref());
        match sound {
            Sound::Bytes { name, .. } => same("sound", expected.sound.as_deref().or(Some("refused")), Some(name)),
            Sound::Refused { why, path, .. } => {
                let wanted = expected.refused.as_deref().unwrap_or("no refusal");
                same("refusal", Some(wanted), Some(if why.contains(wanted) { wanted } else { why }));
                same("place", expected.place.as_deref(), path.to_str());
            }
        }
    }
    let Some(mail) = mail else { return wrong };
    same("sender", expected.sender.as_deref(), mail.sender.as_deref());
    same("subject", expected.subject.as_deref(), Some(&mail.subject));
    let yes = |value: bool| if value { "automatic" } else { "by a person" };
    same("writer", expected.automatic.map(yes), Some(yes(mail.automatic)));
    let verdict = expected.verdict.is_some().then(|| verdict(mail));
    same("verdict", expected.verdict.as_deref(), verdict.as_deref());
    let missing = expected.text.iter().filter(|text| !mail.text.contains(*text));
    wrong.extend(missing.map(|text| format!("{}: no {text:?} in {:?}", expected.file, mail.text)));
    let there = expected.lacks.iter().filter(|text| mail.text.contains(*text));
    wrong.extend(there.map(|text| format!("{}: {text:?} in {:?}", expected.file, mail.text)));
    wrong
}

fn verdict(mail: &Mail) -> String {
    let message = Message {
        text: &mail.text,
        subject: Some(&mail.subject),
        displayed: None,
        at: None,
        outside_hours: true,
        headers: &mail.headers,
    };
    judge(&message, &Terms { fee: Cents(4800), own_numbers: &[] }).verdict.as_str().to_owned()
}

#[test]
fn every_sample_is_read_as_a_person_reads_it() {
    let expectations: Expectations =
        toml::from_str(&std::fs::read_to_string(folder().join("expected.toml")).unwrap()).unwrap();
    let mut wrong: Vec<String> = Vec::new();
    for expected in &expectations.mails {
        wrong.extend(differences(expected, &read(&sample(&expected.file), &reading())));
    }
    let files = std::fs::read_dir(folder()).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        (path.extension()? == "eml").then(|| path.file_stem().unwrap().to_string_lossy().into_owned())
    });
    let unasked = files.filter(|file| !expectations.mails.iter().any(|expected| expected.file == *file));
    wrong.extend(unasked.map(|file| format!("{file}: nothing is expected of it")));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_same_mails_with_carriage_returns_are_read_alike() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "eml") {
            continue;
        }
        let unix: Vec<u8> = std::fs::read(&path).unwrap().into_iter().filter(|byte| *byte != b'\r').collect();
        let wire: Vec<u8> =
            unix.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect();
        match (read(&unix, &reading()), read(&wire, &reading())) {
            (Letter::Email(unix), Letter::Email(wire)) | (Letter::Fax(unix), Letter::Fax(wire)) => {
                assert_eq!(Mail { raw: Vec::new(), ..unix }, Mail { raw: Vec::new(), ..wire }, "{}", path.display());
            }
            (mut unix, mut wire) => {
                for letter in [&mut unix, &mut wire] {
                    if let Letter::Voicemail { note: Some(note), .. } = letter {
                        note.raw.clear();
                    }
                }
                assert_eq!(unix, wire, "{}", path.display());
            }
        }
    }
}

#[test]
fn what_an_account_is_not_asked_for_is_not_touched() {
    let only_voicemails = Reading { reports: false, ..reading() };
    for name in ["html-report", "placetel-missed", "fritzbox-call-list", "fax-placetel", "out-of-office"] {
        assert_eq!(read(&sample(name), &only_voicemails), Letter::Foreign, "{name}");
    }
    let only_reports = Reading { voicemails: false, ..reading() };
    for name in ["fritzbox", "sipgate", "asterisk-named"] {
        assert!(
            matches!(read(&sample(name), &only_reports), Letter::Email(mail) if mail.raw == sample(name)),
            "{name}"
        );
    }
    let nothing = Reading { voicemails: false, reports: false, ..reading() };
    assert_eq!(read(&sample("fritzbox"), &nothing), Letter::Foreign);
}

#[test]
fn an_own_profile_comes_before_the_built_in_ones() {
    let row: ProfileRow = toml::from_str(
        "name = \"unser Amt\"\nsender = \"@sipgate.de\"\nnumber = 'Anrufer: (?P<number>.*)'\n\
         time = '(?P<day>\\d+\\.\\d+\\.\\d+) (?P<time>\\d+:\\d+) Uhr'\ncalled = 'auf Ihrer (\\w+)'\n",
    )
    .unwrap();
    let reading = Reading { profiles: profiles(&[row]).unwrap(), ..reading() };
    let Letter::Voicemail { profile, mailbox, called_at, .. } = read(&sample("sipgate"), &reading) else {
        panic!("no voicemail")
    };
    assert_eq!((profile.as_str(), mailbox.as_deref()), ("unser Amt", Some("Voicemail")));
    assert_eq!(called_at.unwrap().to_rfc3339(), "2026-11-19T18:04:00+00:00");
}

#[test]
fn a_provider_sends_other_mails_too() {
    let bill = b"From: Rechnung <rechnung@sipgate.de>\nSubject: Ihre Rechnung\n\nAnbei die Rechnung.\n";
    assert!(matches!(read(bill, &reading()), Letter::Email(_)));
    let news = b"From: News <no-reply@placetel.de>\nSubject: Neue Voicemail-Funktionen\nIn-Reply-To: <a@b>\n\nHallo\n";
    assert!(matches!(read(news, &reading()), Letter::Email(mail) if mail.automatic));
}

#[test]
fn the_voice_of_a_mail_that_is_too_large_wakes_a_human_and_a_long_text_is_cut() {
    let raw = sample("asterisk-named");
    let small = Reading { max_bytes: 10_000, ..reading() };
    let Letter::Voicemail { sound: Sound::Refused { why, .. }, caller, .. } = read(&raw, &small) else {
        panic!("no refusal")
    };
    assert!(why.contains("the limit is 10000"), "{why}");
    assert_eq!(caller.number.as_deref(), Some("01701234567"));

    let mut raw = b"From: a@kunde.example\nSubject: lang\nContent-Type: text/plain; charset=utf-8\n\nNOTFALL ".to_vec();
    raw.extend("Der Server ächzt. ".repeat(500_000).bytes());
    let Letter::Email(mail) = read(&raw, &reading()) else { panic!("no mail") };
    assert!(mail.text.len() <= 256 * 1024 && mail.text.starts_with("NOTFALL Der Server ächzt."));
    assert_eq!(mail.raw.len(), raw.len());
}

#[test]
fn nested_and_numerous_parts_are_bounded() {
    let mut bombs: Vec<Vec<u8>> = vec![
        b"Content-Type: message/rfc822\n\n".repeat(200_000),
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\n".repeat(100_000),
        [b"Content-Type: multipart/mixed; boundary=a\n\n".to_vec(), b"--a\n\nx\n".repeat(200_000)].concat(),
        [b"Content-Type: text/html\n\n".to_vec(), b"<style><blockquote>".repeat(100_000)].concat(),
        [b"Content-Type: text/html\n\n".to_vec(), b"<a x=\"'>".repeat(200_000)].concat(),
        [b"Content-Type: text/html\n\n".to_vec(), b"<".repeat(1_000_000)].concat(),
        b"X: =?utf-8?q?".repeat(200_000),
        b"A: b\n".repeat(300_000),
        [
            b"Subject: Voicemail ".to_vec(),
            b"von 0171 ".repeat(100_000),
            b"\n\n".to_vec(),
            b"von 0171 555 von\n".repeat(50_000),
        ]
        .concat(),
        [b"Subject: Voicemail\n\n".to_vec(), b"1".repeat(1_000_000)].concat(),
        [b"Subject: Voicemail\n\nhttp://".to_vec(), b"http://a.b/".repeat(100_000)].concat(),
    ];
    let mut inner = b"Content-Type: message/rfc822\n\n".repeat(10_000);
    for _ in 0..4 {
        use base64::Engine as _;
        let coded = base64::engine::general_purpose::STANDARD.encode(&inner);
        inner = format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{coded}").into_bytes();
    }
    bombs.push(inner);
    for (number, bomb) in bombs.iter().enumerate() {
        let started = Instant::now();
        drop(read(bomb, &reading()));
        drop(twin(bomb));
        assert!(started.elapsed() < Duration::from_mins(1), "bomb {number} took {:?}", started.elapsed());
    }
}

#[test]
fn a_mail_is_its_message_id_and_its_bytes() {
    let raw = sample("asterisk-named");
    let first = twin(&raw);
    assert!(first.starts_with("Asterisk-1-1003143235-100-23291@vm "), "{first}");
    assert_eq!(first.len(), "Asterisk-1-1003143235-100-23291@vm ".len() + 64);
    assert_eq!(twin(b"\n\nno head"), twin(b"\n\nno head"));
    assert!(twin(b"").starts_with("- e3b0c442"));
    assert_ne!(twin(&[raw, b"x".to_vec()].concat()), first);
}

#[test]
fn a_learned_profile_reads_its_sample() {
    let raw = sample("unknown-provider");
    let learned = learn(&raw, &reading());
    assert!(matches!(learned.letter, Letter::Voicemail { ref profile, .. } if profile == BY_STRUCTURE));
    let row = learned.profile.expect("a profile is offered");
    let written = toml::to_string(&row).unwrap();
    let again: ProfileRow = toml::from_str(&written).unwrap();
    let reading = Reading { profiles: profiles(&[again]).unwrap(), ..reading() };
    let Letter::Voicemail { profile, caller, sound, .. } = read(&raw, &reading) else { panic!("not read: {written}") };
    assert_eq!(profile, "fernsprech");
    assert_eq!(caller.number.as_deref(), Some("+49 151 55501377"));
    assert!(matches!(sound, Sound::Bytes { name, .. } if name == "aufz-1.wav"));
    // what is known needs none, what is no voicemail gets none that reads it wrongly
    assert!(learn(&sample("fritzbox"), &self::reading()).profile.is_none());
    for name in ["placetel-missed", "html-report", "out-of-office"] {
        assert!(learn(&sample(name), &self::reading()).profile.is_none(), "{name}");
    }
}

#[test]
fn the_profile_on_the_page_can_be_used() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sources/voicemail-mails.md");
    let page = std::fs::read_to_string(page).unwrap();
    let block = page.split("```toml\n[[sources.profiles]]\n").nth(1).unwrap().split("```").next().unwrap();
    let row: ProfileRow = toml::from_str(block).unwrap();
    let reading = Reading { profiles: profiles(&[row]).unwrap(), ..reading() };
    let raw = b"From: voicemail@provider.example\nX-Provider-Type: voicemail\nSubject: Neue Nachricht von Anna\n\n\
        Teilnehmer: 0171 5550199\nAnschluss: 23\n21.11.2026, 22:14\nDauer: 0:47\n";
    let Letter::Voicemail { profile, caller, mailbox, called_at, seconds, .. } = read(raw, &reading) else {
        panic!("no voicemail")
    };
    assert_eq!((profile.as_str(), caller.number.as_deref()), ("our provider", Some("0171 5550199")));
    assert_eq!((mailbox.as_deref(), seconds), (Some("23"), Some(47)));
    assert_eq!(called_at.unwrap().to_rfc3339(), "2026-11-21T21:14:00+00:00");
}

#[test]
fn the_command_shows_what_is_read_and_a_block_to_paste() {
    let settings = tempfile::NamedTempFile::new().unwrap();
    let run = |name: &str, more: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_nachtwache"))
            .args(["sources", "learn"])
            .arg(folder().join(format!("{name}.eml")))
            .arg("--config")
            .arg(settings.path())
            .args(more)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let known = run("fritzbox", &[]);
    for word in
        ["FRITZ!Box", "01701234567", "Erika Mustermann", "9782362", "2026-11-22T11:35:00+01:00", "0:08", "A-law"]
    {
        assert!(known.contains(word), "{word} is missing in:\n{known}");
    }
    assert!(!known.contains("[[sources.profiles]]"));
    let unknown = run("unknown-provider", &[]);
    let block = unknown.split_once("[[sources.profiles]]").expect("a block").1;
    let row: ProfileRow = toml::from_str(block).unwrap();
    assert_eq!(row.sender.as_deref(), Some("meldung@fernsprech.example"));
    let json: serde_json::Value = serde_json::from_str(&run("fusionpbx-link", &["--json"])).unwrap();
    assert_eq!(json["kind"], "voicemail");
    assert_eq!(json["sound"]["refused"].as_str().map(|why| why.contains("link")), Some(true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_panic(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        drop(read(&raw, &reading()));
        drop(twin(&raw));
    }

    #[test]
    fn no_damaged_mail_panics(
        name in proptest::sample::select(vec![
            "fritzbox-anonym-autumn", "freeswitch", "forwarded-nested", "smime-opaque", "smime-stream", "winmail-report",
            "winmail-voice", "html-report", "broken-mime", "bounce", "telekom-like",
        ]),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<proptest::sample::Index>(),
        head in "[ -~]{0,60}",
    ) {
        let mut raw = sample(name);
        for (at, byte) in damage {
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        raw.truncate(cut.index(raw.len() * 2).max(1));
        let letter = read(&raw, &reading());
        if let Letter::Email(mail) = letter {
            prop_assert!(mail.text.len() <= 256 * 1024);
        }
        let headed = [head.as_bytes(), b": x\n", &raw].concat();
        drop(read(&headed, &reading()));
        drop(learn(&headed, &reading()));
    }
}

/// A mail with one short WAV; `head` are further lines of its head.
fn with_sound(from: &str, subject: &str, head: &str, text: &str) -> Vec<u8> {
    let sound = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";
    format!(
        "From: {from}\nSubject: {subject}\nDate: Sat, 21 Nov 2026 22:15:00 +0100\n{head}MIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n\
         --b\nContent-Type: audio/wav; name=ton.wav\nContent-Transfer-Encoding: base64\n\n{sound}\n--b--\n"
    )
    .into_bytes()
}

#[test]
fn a_sound_that_a_person_sends_is_heard_and_so_are_his_words() {
    let text = "Guten Abend, unser Server ist ausgefallen, unternehmenskritischer Notfall.\n\nEva Lang\nTelefonnummer: 09721 555017";
    for subject in [
        "Notfall Server",
        "Anrufbeantworter spielt falsche Ansage - Notfall",
        "WG: Neue Sprachnachricht von 01712345678",
    ] {
        let raw = with_sound("lang@kunde.example", subject, "", text);
        let Letter::Voicemail { sound: Sound::Bytes { .. }, note, caller, .. } = read(&raw, &reading()) else {
            panic!("{subject}: the sound is not taken")
        };
        assert!(note.expect("his words").text.contains("unternehmenskritischer Notfall"), "{subject}");
        assert_ne!(caller.number.as_deref(), Some("09721 555017"), "a signature is no displayed number");
    }
}

#[test]
fn a_system_that_nobody_described_brings_its_voicemail_and_an_advert_brings_none() {
    for (from, subject, text) in [
        ("noreply@tk.example", "Neue Nachricht von 01712345678", "Länge: 47 Sekunden"),
        ("tk@firma.example", "Anruf von 01712345678", "Anrufer\tHuber\nDauer\t0:47"),
        ("noreply@tk.example", "Message from Huber 01712345678", "Duration: 47 sec"),
    ] {
        let raw = with_sound(from, subject, "", text);
        let Letter::Voicemail { caller, .. } = read(&raw, &reading()) else { panic!("{subject} is missed") };
        assert_eq!(caller.number.as_deref(), Some("01712345678"), "{subject}");
    }
    let advert = with_sound(
        "info@werbung.example",
        "Ansagen für Ihren Anrufbeantworter",
        "List-Unsubscribe: <https://x.example>\n",
        "Hören Sie rein!",
    );
    assert!(matches!(read(&advert, &reading()), Letter::Email(_)));
}
