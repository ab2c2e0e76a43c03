//! Who calls and on which number, in the openings and signatures of `introductions.txt`: one line is one more test.

use super::corpus::TERMS;
use nachtwache::assess::rules::{Message, judge};
use std::collections::HashSet;

/// At least 0.6 of the longer one's words shared, forms of address aside; none is none.
fn same(want: &str, got: Option<&str>) -> bool {
    let words = |text: &str| -> HashSet<String> {
        let folded = text.to_lowercase().replace('&', " und ");
        let words = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.filter(|word| !["herr", "frau", "dr", "doktor"].contains(word)).map(str::to_owned).collect()
    };
    let Some(got) = got else { return want == "-" };
    let (want, got) = (words(want), words(got));
    let longer = want.len().max(got.len());
    want.intersection(&got).count() * 10 >= longer * 6 && longer > 0
}

#[test]
fn company_person_and_number_are_nearly_always_read() {
    let path = format!("{}/tests/corpus/introductions.txt", env!("CARGO_MANIFEST_DIR"));
    let lines = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with('#')).collect();
    let mut wrong = Vec::new();
    for line in &lines {
        let parts: Vec<&str> = line.split('\t').collect();
        let [text, company, contact, number] = parts[..] else { panic!("four columns: {line}") };
        let mail = text.strip_prefix("mail: ").map(|text| text.replace(" / ", "\n"));
        let message = Message {
            text: mail.as_deref().unwrap_or(text),
            subject: mail.as_ref().map(|_| "Ausfall"),
            displayed: None,
            at: None,
            outside_hours: true,
            headers: &[],
        };
        let read = judge(&message, &TERMS).fields;
        let right = same(company, read.company.as_deref()) && same(contact, read.contact.as_deref());
        if !right || read.callback.as_deref().unwrap_or("-") != number {
            wrong.push(format!("{line}\n  {:?} {:?} {:?}", read.company, read.contact, read.callback));
        }
    }
    assert!(lines.len() > 150 && wrong.len() * 20 < lines.len(), "{} of {}: {wrong:#?}", wrong.len(), lines.len());
}
