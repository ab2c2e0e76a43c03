//! A consent that is turned round, asked, promised for somebody else or left out is none: no mutation of a confirmed
//! message stays confirmed.

use super::corpus::{judged, records, reworded};
use nachtwache::assess::bench::Record;
use nachtwache::domain::assessment::{Finding, Polarity, Subject, Verdict};

const NEGATED: [&str; 6] = [
    "Mit den Bedingungen und der Aktivierungsgebühr sind wir nicht einverstanden.",
    "Die Bedingungen und die Gebühr von 48 Euro akzeptiere ich nicht.",
    "Ich stimme weder Ihren Bedingungen noch der Gebühr zu.",
    "Die 48 Euro zahlen wir nicht, und Ihre Konditionen lehnen wir ab.",
    "Den Bedingungen stimme ich zu, die Gebühr übernehmen wir aber nicht.",
    "Die Gebühr ist in Ordnung, mit den Bedingungen bin ich jedoch nicht einverstanden.",
];

const ASKED: [&str; 5] = [
    "Muss ich mit den Bedingungen und der Gebühr einverstanden sein?",
    "Sollen wir den Bedingungen und der Aktivierungsgebühr zustimmen?",
    "Heißt das, dass ich mit den Bedingungen und den 48 Euro einverstanden bin?",
    "Akzeptiere ich damit Ihre Konditionen und die Gebühr?",
    "Was passiert, wenn ich den Bedingungen und der Gebühr zustimme?",
];

const LATER: [&str; 6] = [
    "Der Chef wird den Bedingungen und der Gebühr morgen zustimmen.",
    "Mein Kollege wird Ihnen bestätigen, dass er mit den Bedingungen und der Gebühr einverstanden ist.",
    "Frau Brandt wird die Bedingungen und die Aktivierungsgebühr wohl akzeptieren.",
    "Die Geschäftsleitung wird sich zu den Bedingungen und der Gebühr noch äußern.",
    "Ob mein Chef mit den Bedingungen und den 48 Euro einverstanden ist, wird er Ihnen sagen.",
    "Unsere Buchhaltung wird die Gebühr bezahlen und die Bedingungen akzeptieren, denke ich.",
];

/// Where the sentences stand that hold the consent, as byte ranges that do not overlap.
fn consent_sentences(record: &Record, findings: &[Finding]) -> Vec<(usize, usize)> {
    let text = &record.text;
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
    let mut ranges: Vec<(usize, usize)> = findings
        .iter()
        .filter(|f| matches!(f.subject, Subject::Conditions | Subject::Fee) && f.polarity == Polarity::Holds)
        .filter(|f| f.range != (0, 0))
        .map(|f| {
            let from = text[..f.range.0].rfind(ends).map_or(0, |at| at + 1);
            let to = text[f.range.1..].find(ends).map_or(text.len(), |at| f.range.1 + at + 1);
            (from, to)
        })
        .collect();
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlaps = next.0 < kept.1;
        kept.1 = if overlaps { kept.1.max(next.1) } else { kept.1 };
        overlaps
    });
    ranges
}

/// The text with these sentences put as `change` says; the first of them gets the number 0.
fn put(text: &str, ranges: &[(usize, usize)], change: impl Fn(usize, &str) -> String) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for (number, (from, to)) in ranges.iter().enumerate() {
        out.push_str(&text[at..*from]);
        out.push(' ');
        out.push_str(&change(number, &text[*from..*to]));
        out.push(' ');
        at = *to;
    }
    out + &text[at..]
}

/// How a sentence is put otherwise.
type Bend<'a> = &'a dyn Fn(&str) -> String;

/// The mutations of a message: the name of each and its text.
fn mutations(record: &Record, ranges: &[(usize, usize)]) -> Vec<(String, String)> {
    let only =
        |with: &str| put(&record.text, ranges, |number, _| if number == 0 { with.to_owned() } else { String::new() });
    let mut all = vec![("cut".to_owned(), only(""))];
    for (kind, list) in [("negated", &NEGATED[..]), ("asked", &ASKED[..]), ("later", &LATER[..])] {
        all.extend(list.iter().map(|with| (format!("{kind}: {with}"), only(with))));
    }
    // The rest of a sentence that also declares the emergency stays, so only a consent's own sentence is bent in place.
    let bare = |sentence: &str| sentence.trim().trim_end_matches(['.', '!', '?']).trim().to_owned();
    let told = |text: &str| {
        let mut letters = text.chars();
        letters.next().map(|c| c.to_lowercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    let bent: [(&str, Bend<'_>); 4] = [
        ("asked in place", &|s| format!("Heißt das, {}?", told(&bare(s)))),
        ("asked of the firm", &|s| format!("Muss ich sagen, {}?", told(&bare(s)))),
        ("not said in place", &|s| format!("Ich sage ausdrücklich nicht, {}.", told(&bare(s)))),
        ("told of a colleague", &|s| format!("Mein Kollege sagt vielleicht morgen, {}.", told(&bare(s)))),
    ];
    // A whole message without a full stop is not one statement that could be told of somebody else.
    let short = ranges.iter().all(|(from, to)| record.text[*from..*to].split_whitespace().count() <= 30)
        && ranges.iter().all(|(from, to)| !record.text[*from..*to].trim().contains(['<', '\n']));
    for (name, bend) in bent.into_iter().filter(|_| short) {
        all.push((name.to_owned(), put(&record.text, ranges, |_, sentence| bend(sentence))));
    }
    all
}

#[test]
fn no_confirmed_message_stays_confirmed_when_its_consent_is_mutated() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for record in records() {
        let found = judged(&record);
        if found.verdict != Verdict::Confirmed {
            continue;
        }
        let ranges = consent_sentences(&record, &found.findings);
        if ranges.is_empty() {
            continue;
        }
        for (name, text) in mutations(&record, &ranges) {
            tried += 1;
            // A subject line may hold the consent too (dev-e-023).
            let mutant = Record { subject: None, ..reworded(&record, text) };
            let judged = judged(&mutant);
            if judged.verdict == Verdict::Confirmed {
                wrong.push(format!("{} {name}\n    {}\n    {:?}", record.id, mutant.text, judged.findings));
            }
        }
    }
    println!("{tried} mutations, {} stayed confirmed", wrong.len());
    assert!(tried > 1500, "only {tried} mutations");
    assert!(wrong.is_empty(), "{} of {tried} stayed confirmed:\n{}", wrong.len(), wrong.join("\n"));
}
