//! Every verdict of the development corpus with its findings, as one file whose diff shows what a change of the rules does.

use super::corpus::{judged, records};
use std::collections::BTreeMap;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/verdicts.txt");

/// One line, however the text was broken.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One block a record: the labels, marked where a human decided otherwise, the fields, the proof.
fn snapshot() -> String {
    let mut out = String::new();
    for record in records() {
        let (found, expected) = (judged(&record), &record.expect);
        let right = found.verdict == expected.verdict
            && found.declaration == expected.declaration
            && found.consent == expected.consent
            && found.urgent == expected.urgent;
        let urgent = if found.urgent { " · urgent" } else { "" };
        let (verdict, declaration, consent) =
            (found.verdict.as_str(), found.declaration.as_str(), found.consent.as_str());
        let mark = if right { " " } else { "!" };
        let head = format!("{verdict} · {declaration} · {consent}{urgent} · {}", found.language);
        out += format!("{mark} {} {head}\n", record.id).as_str();
        if !right {
            let urgent = if expected.urgent { " · urgent" } else { "" };
            let (verdict, declaration, consent) =
                (expected.verdict.as_str(), expected.declaration.as_str(), expected.consent.as_str());
            out += format!("      expected: {verdict} · {declaration} · {consent}{urgent}\n").as_str();
        }
        let fields = &found.fields;
        for (name, value) in [
            ("company", &fields.company),
            ("contact", &fields.contact),
            ("callback", &fields.callback),
            ("description", &fields.description),
        ] {
            if let Some(value) = value {
                out += format!("      {name}: {}\n", flat(value)).as_str();
            }
        }
        for finding in &found.findings {
            out += format!("      {} ({}) \"{}\"\n", finding.rule, finding.polarity.as_str(), flat(&finding.quote))
                .as_str();
        }
    }
    out
}

/// The blocks of a snapshot by the id in their first line.
fn blocks(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let (mut blocks, mut id) = (BTreeMap::<&str, Vec<&str>>::new(), "");
    for line in text.lines() {
        if !line.starts_with("   ") {
            id = line.get(2..).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        }
        blocks.entry(id).or_default().push(line);
    }
    blocks
}

/// The lines that only one side has, record by record: a line that also stands in another record's block still shows.
fn difference(written: &str, now: &str) -> String {
    let (written, now) = (blocks(written), blocks(now));
    let mut ids: Vec<&str> = written.keys().chain(now.keys()).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut out = String::new();
    for id in ids {
        let (none, empty) = (Vec::new(), Vec::new());
        let (old, new) = (written.get(id).unwrap_or(&none), now.get(id).unwrap_or(&empty));
        if old == new {
            continue;
        }
        out += format!("{id}\n").as_str();
        for line in old.iter().filter(|line| !new.contains(line)) {
            out += format!("  - {line}\n").as_str();
        }
        for line in new.iter().filter(|line| !old.contains(line)) {
            out += format!("  + {line}\n").as_str();
        }
        // The same lines in another order, or one of them twice.
        if old.iter().all(|line| new.contains(line)) && new.iter().all(|line| old.contains(line)) {
            out.push_str("  order or number of lines\n");
        }
    }
    out
}

#[test]
fn the_verdicts_of_the_corpus_are_as_written_down() {
    let now = snapshot();
    if nachtwache::config::environment("UPDATE_SNAPSHOT").is_some() {
        std::fs::write(FILE, &now).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == now,
        "the rules judge otherwise than written down; if that is right: UPDATE_SNAPSHOT=1 cargo test --test it snapshot\n{}",
        difference(&written, &now)
    );
}

#[test]
fn a_difference_names_its_record_even_where_another_has_the_same_line() {
    let written = "  a ignored\n      x\n  b ignored\n      x\n";
    assert_eq!(difference(written, "  a ignored\n      x\n  b ignored\n"), "b\n  -       x\n");
    assert_eq!(difference(written, written), "");
}
