//! Messages by many different voices, each with what it is: machines, sellers, pocket calls, mails with quoted questions,
//! callers in other languages. One line is one more test: label | subject ("-": a voicemail) | text (" / ": a new line).

use super::corpus::TERMS;
use nachtwache::assess::rules::{Judgement, Message, judge};

/// The lines of a file that are judged as they are labelled, and those that are not.
fn judged(file: &str) -> (usize, Vec<String>) {
    let path = format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with('#')).collect();
    let wrong = lines.iter().filter(|line| !right(line)).map(|line| (*line).to_owned()).collect();
    (lines.len(), wrong)
}

fn heard(line: &str) -> Judgement {
    let mut parts = line.splitn(3, " | ").skip(1);
    let subject = parts.next().filter(|subject| *subject != "-");
    let text = parts.next().unwrap_or("").replace(" / ", "\n");
    judge(&Message { text: &text, subject, displayed: None, at: None, outside_hours: true, headers: &[] }, &TERMS)
}

/// Whether every word of the label (one of several, parted by commas) is what was judged.
fn right(line: &str) -> bool {
    let judgement = heard(line);
    let plain = |label: String| label.to_lowercase();
    let got = [
        plain(format!("{:?}", judgement.verdict)),
        plain(format!("{:?}", judgement.declaration)),
        plain(format!("{:?}", judgement.consent)),
        judgement.language.clone(),
    ];
    let label = line.split(" | ").next().unwrap_or("").replace('_', "");
    label.split_whitespace().all(|word| word.split(',').any(|one| got.iter().any(|got| got == one)))
}

/// Nobody is silenced who should have been heard, and nearly all is as labelled.
fn holds(file: &str) {
    let (all, wrong) = judged(file);
    let silenced: Vec<&String> = wrong
        .iter()
        .filter(|line| {
            !line.starts_with("ignored") && !line.starts_with("not_emergency") && !heard(line).verdict.wakes()
        })
        .collect();
    assert!(silenced.is_empty(), "{silenced:#?}");
    assert!(wrong.len() * 20 <= all, "{} of {all}: {wrong:#?}", wrong.len());
}

#[test]
fn machines_sellers_and_pocket_calls_wake_nobody_and_callers_do() {
    holds("noise.txt");
}

#[test]
fn what_a_mail_quotes_is_told_from_what_its_sender_says() {
    holds("mails.txt");
}

#[test]
fn callers_in_other_languages_reach_a_human() {
    holds("foreign.txt");
}
