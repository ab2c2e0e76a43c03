//! Sentences that name the conditions and the fee, in ordinary messages, with and without punctuation: those of
//! `no-consent.txt` never make a full consent and silence nothing, those of `full-consent.txt` nearly always do; those of
//! `consents.txt` carry the label that they are to be heard with.

use super::corpus::TERMS;
use nachtwache::assess::rules::{Judgement, Message, judge};
use nachtwache::domain::assessment::Consent;

/// What stands before and behind a sentence.
const CARRIERS: [(&str, &str); 3] = [
    (
        "Guten Abend, hier ist Petra Lindner von der Bäckerei Lindner in Fulda. Unser Kassenserver ist seit halb acht \
         komplett ausgefallen. Das ist ein unternehmenskritischer Notfall.",
        "Bitte rufen Sie mich zurück unter 0171 3920014.",
    ),
    (
        "Hier Lohr, Spedition Lohr GmbH. Ich melde einen geschäftskritischen Notfall, die Disposition steht, kein LKW \
         fährt mehr.",
        "Meine Nummer ist 0160 9417703. Danke.",
    ),
    (
        "Ja, grüß Gott, Brauerei Wieser, Wieser Hans. Die Abfüllung läuft nicht mehr, unternehmenskritischer Notfall, der \
         ganze Betrieb steht.",
        "Handy 0172 9973186, bitte schnell.",
    ),
];

/// Every message that a file's sentences make: as written, and as a recogniser that hears no pauses writes it.
fn messages(file: &str) -> Vec<String> {
    let path = format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"));
    let sentences = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut all = Vec::new();
    for sentence in sentences.lines() {
        for (before, behind) in CARRIERS {
            let text = format!("{before} {sentence} {behind}");
            // A question without its mark is another sentence.
            if !sentence.contains('?') {
                all.push(text.replace(['.', ',', '!'], "").to_lowercase());
            }
            all.push(text);
        }
    }
    all
}

fn heard(text: &str) -> Judgement {
    judge(&Message { text, subject: None, displayed: None, at: None, outside_hours: true, headers: &[] }, &TERMS)
}

fn full(text: &str) -> bool {
    heard(text).consent == Consent::Full
}

#[test]
fn no_sentence_that_agrees_to_less_makes_a_full_consent() {
    let messages = messages("no-consent.txt");
    let (mut made_up, mut silent) = (Vec::new(), Vec::new());
    for text in &messages {
        let heard = heard(text);
        made_up.extend((heard.consent == Consent::Full).then_some(text));
        silent.extend((!heard.verdict.wakes()).then_some(text));
    }
    assert!(messages.len() > 500, "only {}", messages.len());
    assert!(made_up.is_empty(), "{} of {}: {made_up:#?}", made_up.len(), messages.len());
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn sentences_that_agree_to_both_are_heard() {
    let messages = messages("full-consent.txt");
    let missed: Vec<&String> = messages.iter().filter(|text| !full(text)).collect();
    println!("{} of {} are not full", missed.len(), messages.len());
    assert!(missed.len() * 10 < messages.len(), "{} of {}: {missed:#?}", missed.len(), messages.len());
}

#[test]
fn kinds_of_consent_are_told_apart() {
    let path = format!("{}/tests/corpus/consents.txt", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut wrong = Vec::new();
    for (label, sentence) in lines.lines().filter_map(|line| line.split_once('|')) {
        let (before, behind) = CARRIERS[0];
        let consent = heard(&format!("{before} {sentence} {behind}")).consent;
        assert!(consent != Consent::Full || label == "full", "made up: {sentence}");
        if format!("{consent:?}").to_lowercase() != label.replace('_', "") {
            wrong.push((sentence, label, consent));
        }
    }
    assert!(wrong.len() * 20 < lines.lines().count(), "{wrong:#?}");
}
