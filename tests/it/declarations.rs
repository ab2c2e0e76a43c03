//! Short messages with what they declare (`declarations.txt`: the label, a tab, the text), as written and as a recogniser
//! that writes small. Nearly all are heard rightly; none that declares an emergency is taken for a denial.

use super::corpus::TERMS;
use nachtwache::assess::rules::{Judgement, Message, judge};
use nachtwache::domain::assessment::Declaration;

fn heard(text: &str) -> Judgement {
    judge(&Message { text, subject: None, displayed: None, at: None, outside_hours: true, headers: &[] }, &TERMS)
}

fn labelled() -> Vec<(Declaration, String)> {
    let path = format!("{}/tests/corpus/declarations.txt", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let label = |word: &str| match word {
        "declared" => Declaration::Declared,
        "unqualified" => Declaration::Unqualified,
        "denied" => Declaration::Denied,
        "absent" => Declaration::Absent,
        other => panic!("no label: {other}"),
    };
    let split = |line: &str| line.split_once('\t').map(|(word, text)| (label(word), text.to_owned()));
    lines.lines().map(|line| split(line).unwrap_or_else(|| panic!("no tab: {line}"))).collect()
}

#[test]
fn what_callers_declare_is_heard() {
    let all = labelled();
    let wrong: Vec<_> = all.iter().filter(|(label, text)| heard(text).declaration != *label).collect();
    println!("{} of {} are wrong", wrong.len(), all.len());
    assert!(all.len() > 200, "only {}", all.len());
    assert!(wrong.len() * 50 < all.len(), "{} of {}: {wrong:#?}", wrong.len(), all.len());
}

#[test]
fn no_emergency_that_is_declared_is_silent_whatever_its_spelling() {
    let declared = |label: &Declaration| matches!(label, Declaration::Declared | Declaration::Unqualified);
    for (_, text) in labelled().into_iter().filter(|(label, _)| declared(label)) {
        assert!(heard(&text).verdict.wakes(), "{text}");
        assert!(heard(&text.to_lowercase()).verdict.wakes(), "in lower case: {text}");
    }
}
