//! The rules over worked examples: the recordings' spoken texts, the development corpus, and generated texts.

use nachtwache::assess::rules::{Judgement, Message, Terms, judge};
use nachtwache::domain::assessment::{Consent, Declaration, Finding, Verdict};
use nachtwache::domain::hours::BusinessHours;
use nachtwache::domain::tariff::Cents;
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const TERMS: Terms<'_> = Terms { fee: Cents(4800), own_numbers: &[] };

fn lines(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn judge_text(text: &str) -> Judgement {
    judge(&Message { text, subject: None, displayed: None, at: None, outside_hours: true, headers: &[] }, &TERMS)
}

fn judge_record(record: &Value) -> Judgement {
    let at = record["received_at"].as_str().map(|at| at.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
    let message = Message {
        text: record["text"].as_str().unwrap(),
        subject: record["subject"].as_str(),
        displayed: record["caller_id"].as_str(),
        at: at.map(|at| at.with_timezone(&chrono_tz::Europe::Berlin).naive_local()),
        outside_hours: at.is_none_or(|at| !BusinessHours::default().is_open(at)),
        headers: &[],
    };
    judge(&message, &TERMS)
}

/// What is compared exactly, as one readable line.
fn labels(judged: &Judgement) -> [String; 6] {
    [
        judged.declaration.as_str().to_owned(),
        judged.consent.as_str().to_owned(),
        judged.urgent.to_string(),
        judged.verdict.as_str().to_owned(),
        judged.fields.callback.clone().unwrap_or_default(),
        judged.language.clone(),
    ]
}

fn expected(expect: &Value) -> [String; 6] {
    ["declaration", "consent", "urgent", "verdict", "callback", "language"].map(|key| match &expect[key] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// Names are compared by what a reader takes for the same: no case, "und" for "&", no titles.
fn same_name(found: Option<&str>, expected: Option<&str>) -> bool {
    let plain = |name: &str| {
        let name = name.to_lowercase().replace('&', "und").replace(['.', ',', '-'], " ");
        name.split_whitespace()
            .filter(|word| !["herr", "frau", "dr", "doktor"].contains(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    match (found, expected) {
        (Some(a), Some(b)) => plain(a) == plain(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn check_recordings(change: impl Fn(&str) -> String) -> Vec<String> {
    let mut wrong = Vec::new();
    for record in lines("corpus/voicemails.jsonl") {
        let text = change(record["text"].as_str().unwrap());
        let judged = judge_text(&text);
        let (found, want) = (labels(&judged), expected(&record["expect"]));
        if found != want {
            wrong.push(format!("{}: {found:?}\n   expected {want:?}\n   {text}", record["file"]));
        }
    }
    wrong
}

#[test]
fn a_mail_that_a_program_sent_is_told_by_its_headers_and_a_persons_emergency_is_not() {
    let judged = |headers: &[(&str, &str)], text: &str| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let subject = Some("Ihre Nachricht");
        let message = Message { text, subject, displayed: None, at: None, outside_hours: true, headers: &headers };
        judge(&message, &TERMS).verdict
    };
    let (calm, alarm) = ("Danke, ist angekommen.", "Unternehmenskritischer Notfall, der Server ist ausgefallen.");
    assert_eq!(judged(&[("Auto-Submitted", "auto-replied")], alarm), Verdict::Ignored);
    assert_eq!(judged(&[("From", "Tickets <noreply@kunde.example>")], alarm), Verdict::Incomplete);
    assert_eq!(judged(&[("From", "Tickets <noreply@kunde.example>")], calm), Verdict::Ignored);
    assert_eq!(judged(&[("From", "Eva Lang <lang@kunde.example>")], alarm), Verdict::Incomplete);
}

#[test]
fn every_recording_is_judged_right_from_its_words() {
    let wrong = check_recordings(str::to_owned);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for record in lines("corpus/voicemails.jsonl") {
        let judged = judge_text(record["text"].as_str().unwrap());
        for (found, key) in [(&judged.fields.company, "company"), (&judged.fields.contact, "contact")] {
            let want = record["expect"][key].as_str();
            assert!(same_name(found.as_deref(), want), "{} {key}: {found:?} {want:?}", record["file"]);
        }
    }
}

#[test]
fn recordings_are_judged_right_without_capitals_and_punctuation() {
    let change = |text: &str| {
        let text: String = text.chars().filter(|c| !matches!(c, '.' | ',' | '!' | '?')).collect();
        text.to_lowercase()
    };
    let wrong = check_recordings(change);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recordings_are_judged_right_with_words_split_and_misheard() {
    let pairs = [
        ("unternehmenskritischen Notfall", "unternehmens kritischen Notfal"),
        ("unternehmenskritischer Notfall", "unternehmenskritische not Fall"),
        ("Notfallaktivierungsgebühr", "Notfall Aktivierungs Gebühr"),
        ("Konditionen", "Kondition"),
        ("einverstanden", "ein verstanden"),
        ("akzeptiere", "akzeptier"),
    ];
    let change = |text: &str| pairs.iter().fold(text.to_owned(), |text, (right, heard)| text.replace(right, heard));
    let wrong = check_recordings(change);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Figures over one file of the corpus.
#[derive(Default)]
struct Score {
    verdict: usize,
    total: usize,
    lost: Vec<String>,
    made_up: Vec<String>,
    right: BTreeMap<&'static str, usize>,
    confusion: BTreeMap<(String, String), usize>,
    report: Vec<String>,
}

fn score(file: &str) -> Score {
    let mut score = Score::default();
    let names = ["declaration", "consent", "urgent", "verdict", "callback", "language"];
    for record in lines(file) {
        let judged = judge_record(&record);
        let (found, want) = (labels(&judged), expected(&record["expect"]));
        let id = record["id"].as_str().unwrap().to_owned();
        score.total += 1;
        score.verdict += usize::from(found[3] == want[3]);
        for (index, name) in names.into_iter().enumerate() {
            *score.right.entry(name).or_default() += usize::from(found[index] == want[index]);
        }
        for (key, found) in [("company", &judged.fields.company), ("contact", &judged.fields.contact)] {
            let same = same_name(found.as_deref(), record["expect"][key].as_str());
            *score.right.entry(if key == "company" { "company" } else { "contact" }).or_default() += usize::from(same);
            if !same {
                score.report.push(format!("{id} {key}: {found:?} expected {}", record["expect"][key]));
            }
        }
        *score.confusion.entry((want[3].clone(), found[3].clone())).or_default() += 1;
        let wakes = ["confirmed", "incomplete", "unclear"];
        if wakes.contains(&want[3].as_str()) && !wakes.contains(&found[3].as_str()) {
            score.lost.push(id.clone());
        }
        if want[1] != "full" && found[1] == "full" {
            score.made_up.push(id.clone());
        }
        for (index, name) in names.into_iter().enumerate() {
            if found[index] != want[index] {
                score.report.push(format!("{id} {name}: {} expected {}", found[index], want[index]));
            }
        }
    }
    score
}

fn show(score: &Score) -> String {
    let confusion: Vec<String> =
        score.confusion.iter().map(|((want, found), n)| format!("{want} -> {found}: {n}")).collect();
    format!(
        "{} of {} verdicts\nlost {:?}\nmade up {:?}\nright {:?}\n{}\n{}",
        score.verdict,
        score.total,
        score.lost,
        score.made_up,
        score.right,
        confusion.join("\n"),
        score.report.join("\n")
    )
}

#[test]
fn no_voicemail_of_the_corpus_is_lost_and_no_consent_is_made_up() {
    let score = score("corpus/dev-voicemail.jsonl");
    assert!(score.lost.is_empty() && score.made_up.is_empty() && score.verdict >= FLOOR_VOICEMAIL, "{}", show(&score));
}

#[test]
fn no_mail_of_the_corpus_is_lost_and_no_consent_is_made_up() {
    let score = score("corpus/dev-email.jsonl");
    assert!(score.lost.is_empty() && score.made_up.is_empty() && score.verdict >= FLOOR_EMAIL, "{}", show(&score));
}

/// Right verdicts that a change of the rules must not fall below.
const FLOOR_VOICEMAIL: usize = 195;
const FLOOR_EMAIL: usize = 58;

#[test]
fn every_proof_is_cut_from_the_text() {
    for record in lines("corpus/dev-voicemail.jsonl") {
        let text = record["text"].as_str().unwrap();
        let judged = judge_record(&record);
        for Finding { quote, range, rule, .. } in &judged.findings {
            assert_eq!(text.get(range.0..range.1), Some(quote.as_str()), "{} {rule}", record["id"]);
            assert!(!rule.is_empty() && !quote.is_empty());
        }
        assert_eq!(judged.rules.len(), 8);
    }
}

/// A consent that the words do not give: each frame is filled with several statements.
#[test]
fn a_consent_is_never_made_up() {
    let statements = [
        "ich bin mit den Bedingungen und der Aktivierungsgebühr einverstanden",
        "wir akzeptieren die Konditionen und die Gebühr von 48 Euro",
        "ich stimme den Bedingungen und der Gebühr zu",
        "Bedingungen und Gebühr sind genehmigt",
    ];
    let frames = [
        "Ihr Band sagt, ich soll sagen: {}.",
        "Auf Ihrer Seite steht, man muss sagen, {}.",
        "Muss ich sagen, {}?",
        "Heißt das, {}?",
        "{}, wenn es unter 200 Euro bleibt.",
        "{}, sofern Sie heute noch kommen.",
        "{}, vorausgesetzt der Chef sagt ja.",
        "Falls Sie heute kommen, {}.",
        "Letztes Mal habe ich gesagt, {}.",
        "Damals hatte ich gesagt, {}.",
        "Mein Kollege hat gesagt, {}.",
        "Ich sage nicht, {}.",
        "Es stimmt nicht, dass {}.",
    ];
    let mut wrong = Vec::new();
    for frame in frames {
        for statement in statements {
            let text = format!("Wir haben einen unternehmenskritischen Notfall. {}", frame.replace("{}", statement));
            if judge_text(&text).consent == Consent::Full {
                wrong.push(text);
            }
        }
    }
    for text in [
        "Unternehmenskritischer Notfall. Ich bin mit den Bedingungen und der Gebühr nicht einverstanden.",
        "Unternehmenskritischer Notfall. Wir akzeptieren weder die Bedingungen noch die Gebühr.",
        "Unternehmenskritischer Notfall. Die Bedingungen akzeptiere ich, die Gebühr nicht.",
        "Unternehmenskritischer Notfall. Ohne Einverständnis mit den Bedingungen und der Gebühr.",
        "Unternehmenskritischer Notfall. Die Bedingungen und die Gebühr würden wir akzeptieren.",
        "Unternehmenskritischer Notfall. Die Bedingungen und die Gebühr sind bekannt.",
        "Unternehmenskritischer Notfall. Mit den Bedingungen und der Gebühr ist mein Nachbar einverstanden.",
    ] {
        if judge_text(text).consent == Consent::Full {
            wrong.push(text.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_cannot_close_or_reroute_anything() {
    for text in [
        "Ich bin der Administrator, Dringlichkeit null. Unternehmenskritischer Notfall, der Server ist aus.",
        "Alles löschen. Der Server ist tot, wir können nicht arbeiten.",
    ] {
        assert!(judge_text(text).verdict.wakes(), "{text}");
    }
}

#[test]
fn silence_is_ignored_and_everything_is_missing() {
    for text in ["", "   ", "...", "\n"] {
        let judged = judge_text(text);
        assert_eq!(judged.verdict, Verdict::Ignored, "{text:?}");
        assert_eq!(judged.missing.len(), 7);
    }
}

/// How long this thread has worked: the tests beside it make it wait.
fn worked() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

#[test]
fn a_message_is_judged_within_two_milliseconds() {
    let records = lines("corpus/dev-voicemail.jsonl");
    judge_record(&records[0]);
    let started = worked();
    for record in &records {
        judge_record(record);
    }
    let each = worked().checked_sub(started).unwrap() / u32::try_from(records.len()).unwrap();
    // Ten times the aim: the build is unoptimised.
    assert!(each.as_millis() < 20, "{each:?}");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    const WORDS: [&str; 40] = [
        "wir",
        "haben",
        "einen",
        "unternehmenskritischen",
        "Notfall",
        "die",
        "Gebühr",
        "Bedingungen",
        "48",
        "Euro",
        "und",
        "nicht",
        "kein",
        "Server",
        "tot",
        ",",
        ".",
        "?",
        "wenn",
        "dass",
        "hatten",
        "0171",
        "3920027",
        "null",
        "eins",
        "doppel",
        "Frau",
        "GmbH",
        "von",
        "der",
        "Firma",
        "Müller",
        "&",
        "€",
        "+",
        "(",
        "\n",
        ">",
        "Mit freundlichen Grüßen\n",
        "<br>",
    ];

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,300}", subject in proptest::option::of("\\PC{0,40}")) {
            let message = Message { text: &text, subject: subject.as_deref(), displayed: Some(&text), at: None, outside_hours: true , headers: &[] };
            prop_assert_eq!(judge(&message, &TERMS).rules.len(), 8);
        }

        #[test]
        fn no_row_of_words_without_agreement_is_a_full_consent(picks in proptest::collection::vec(0..WORDS.len(), 0..80)) {
            let text = picks.iter().map(|pick| WORDS[*pick]).collect::<Vec<_>>().join(" ");
            let judged = judge_text(&text);
            prop_assert_ne!(judged.consent, Consent::Full);
            for finding in &judged.findings {
                prop_assert_eq!(text.get(finding.range.0..finding.range.1), Some(finding.quote.as_str()));
            }
        }

        #[test]
        fn a_declared_emergency_among_other_words_reaches_a_human(before in "[a-zäöü ]{0,60}", after in "[a-zäöü ]{0,60}") {
            let text = format!("{before}. Das ist ein unternehmenskritischer Notfall. {after}");
            let judged = judge_text(&text);
            prop_assert!(judged.verdict.wakes() && judged.declaration != Declaration::Absent, "{}", text);
        }
    }
}
