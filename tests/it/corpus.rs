//! The labelled messages of tests/corpus.

use nachtwache::assess::bench::{Record, message};
use nachtwache::assess::rules::{Judgement, Terms, judge};
use nachtwache::domain::hours::BusinessHours;
use nachtwache::domain::tariff::Cents;

pub(crate) const TERMS: Terms<'_> = Terms { fee: Cents(4800), own_numbers: &[] };

/// All records of the development corpus.
pub(crate) fn records() -> Vec<Record> {
    [read("dev-voicemail.jsonl"), read("dev-email.jsonl")].concat()
}

/// The records of one file.
pub(crate) fn read(file: &str) -> Vec<Record> {
    let path = format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn judged(record: &Record) -> Judgement {
    judge(&message(record, &BusinessHours::default()), &TERMS)
}

/// The same record with another text.
pub(crate) fn reworded(record: &Record, text: String) -> Record {
    Record { text, ..record.clone() }
}
