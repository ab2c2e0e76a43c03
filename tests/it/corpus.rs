//! The labelled messages of tests/corpus.

use nachtwache::assess::bench::{Record, message};
use nachtwache::assess::rules::{Judgement, Terms, judge};
use nachtwache::domain::hours::BusinessHours;
use nachtwache::domain::tariff::Cents;

pub(crate) const TERMS: Terms<'_> = Terms { fee: Cents(4800), own_numbers: &[] };

/// All records of the development corpus.
pub(crate) fn records() -> Vec<Record> {
    let read = |file: &str| {
        let path = format!("{}/tests/corpus/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let text = read("dev-voicemail.jsonl") + &read("dev-email.jsonl");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn judged(record: &Record) -> Judgement {
    judge(&message(record, &BusinessHours::default()), &TERMS)
}

/// The same record with another text.
pub(crate) fn reworded(record: &Record, text: String) -> Record {
    Record { text, ..record.clone() }
}
