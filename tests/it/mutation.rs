//! A consent that is turned round, asked, promised for somebody else or left out is none: no mutation of a message
//! labelled confirmed stays confirmed.

use super::corpus::{judged, records, reworded};
use nachtwache::assess::bench::Record;
use nachtwache::domain::assessment::{Consent, Finding, Polarity, Subject, Verdict};
use std::collections::BTreeMap;

type Range = (usize, usize);

const NEGATED: [&str; 10] = [
    "Mit den Bedingungen und der Gebühr sind wir nicht einverstanden.",
    "Die Bedingungen und die Gebühr von 48 Euro akzeptiere ich nicht.",
    "Ich stimme weder Ihren Bedingungen noch der Gebühr zu.",
    "Die 48 Euro zahlen wir nicht, und Ihre Konditionen lehnen wir ab.",
    "Den Bedingungen stimme ich zu, die Gebühr übernehmen wir aber nicht.",
    "Die Gebühr ist in Ordnung, mit den Bedingungen bin ich jedoch nicht einverstanden.",
    "Mit der Aktivierungsgebühr und Ihren Bedingungen bin ich auf keinen Fall einverstanden.",
    "Ich kann den Bedingungen und der Gebühr so nicht zustimmen.",
    "Wir akzeptieren keine Bedingungen und auch keine Aktivierungsgebühr.",
    "Einverstanden mit Bedingungen und Gebühr sind wir keineswegs.",
];

const ASKED: [&str; 9] = [
    "Muss ich mit den Bedingungen und der Gebühr einverstanden sein?",
    "Muss ich die Bedingungen und die Gebühr akzeptieren?",
    "Sollen wir mit den Bedingungen und der Aktivierungsgebühr einverstanden sein?",
    "Sollen wir den Bedingungen und der Aktivierungsgebühr zustimmen?",
    "Heißt das, dass ich mit den Bedingungen und den 48 Euro einverstanden bin?",
    "Akzeptiere ich damit Ihre Konditionen und die Gebühr?",
    "Was passiert, wenn ich den Bedingungen und der Gebühr zustimme?",
    "Reicht es, wenn ich sage, ich bin mit den Bedingungen und der Gebühr einverstanden?",
    "Wer von uns muss den Bedingungen und der Gebühr denn zustimmen?",
];

const LATER: [&str; 10] = [
    "Der Chef wird den Bedingungen und der Gebühr morgen zustimmen.",
    "Mein Kollege wird sich dazu melden, ob er mit den Bedingungen und der Gebühr einverstanden ist.",
    "Mein Kollege wird Ihnen bestätigen, dass er mit den Bedingungen und der Gebühr einverstanden ist.",
    "Frau Brandt wird die Bedingungen und die Aktivierungsgebühr wohl akzeptieren.",
    "Die Geschäftsleitung wird sich zu den Bedingungen und der Gebühr noch äußern.",
    "Ob mein Chef mit den Bedingungen und den 48 Euro einverstanden ist, wird er Ihnen sagen.",
    "Unsere Buchhaltung wird die Gebühr bezahlen und die Bedingungen akzeptieren, denke ich.",
    "Der Inhaber entscheidet morgen, ob wir den Bedingungen und der Gebühr zustimmen.",
    "Ich frage gleich meine Chefin, ob wir mit Bedingungen und Gebühr einverstanden sind.",
    "Den Bedingungen und der Gebühr stimmt dann Herr Vogel zu, sobald er im Haus ist.",
];

/// What stands before a full stop that ends no sentence.
const ABBREVIATED: [&str; 14] =
    ["zzgl", "mwst", "inkl", "ca", "nr", "str", "tel", "bzw", "evtl", "st", "dr", "z", "b", "hr"];

/// Words that already turn a sentence round: a second one would turn it back.
const TURNS: [&str; 12] =
    ["nicht", "net", "ned", "kein", "keine", "keinen", "nein", "weder", "ohne", "nie", "niemand", "nichts"];

/// Finite verbs of a consent, which "nicht" may follow.
const VERBS: [&str; 16] = [
    "akzeptiere",
    "akzeptieren",
    "akzeptiert",
    "zahle",
    "zahlen",
    "bezahle",
    "bezahlen",
    "übernehme",
    "übernehmen",
    "bestätige",
    "bestätigen",
    "genehmige",
    "genehmigen",
    "erkenne",
    "anerkenne",
    "bewillige",
];

/// Adverbs that turn a predicate round.
const TURNED: [&str; 4] = ["nicht", "keinesfalls", "leider nicht", "noch nicht"];

/// Whether the byte at `at` ends a sentence: no point of an abbreviation or a number, no line that only wraps.
fn ends_sentence(text: &str, at: usize) -> bool {
    if !text.as_bytes()[at].is_ascii() {
        return false;
    }
    let (before, after) = (&text[..at], &text[at + 1..]);
    match text.as_bytes()[at] {
        b'!' | b'?' => true,
        b'.' => {
            let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
            let number = word.chars().all(|c| c.is_ascii_digit()) && !word.is_empty();
            let opens = after.chars().find(|c| !c.is_whitespace()).is_none_or(|c| !c.is_lowercase());
            let spaced = after.chars().next().is_none_or(char::is_whitespace);
            spaced && !ABBREVIATED.contains(&word.as_str()) && (opens || !number)
        }
        b'\n' => {
            let closed = before.ends_with(['.', '!', '?', ':', '\n']);
            closed || after.chars().next().is_none_or(|c| !c.is_lowercase())
        }
        _ => false,
    }
}

/// Where the sentences stand that hold the consent, as byte ranges that do not overlap.
fn consent_sentences(text: &str, findings: &[Finding]) -> Vec<Range> {
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).filter(|at| ends_sentence(text, *at)).collect();
    let mut ranges: Vec<Range> = findings
        .iter()
        .filter(|f| matches!(f.subject, Subject::Conditions | Subject::Fee) && f.polarity == Polarity::Holds)
        .filter(|f| f.range != (0, 0))
        .map(|f| {
            let from = ends.iter().rev().find(|at| **at < f.range.0).map_or(0, |at| at + 1);
            let to = ends.iter().find(|at| **at + 1 >= f.range.1).map_or(text.len(), |at| at + 1);
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
fn put(text: &str, ranges: &[Range], change: impl Fn(usize, &str) -> String) -> String {
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

/// The sentence with each of its consents negated by a word of its own; `None` where none can be or one already is.
fn turned(sentence: &str, with: &str) -> Option<String> {
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let words: Vec<&str> = sentence.split_whitespace().collect();
    if words.iter().any(|word| TURNS.contains(&plain(word).as_str())) {
        return None;
    }
    let (mut out, mut changed) = (Vec::new(), false);
    let last = words.len().saturating_sub(1);
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map(|next| plain(next)).unwrap_or_default();
        let predicate = matches!(plain(word).as_str(), "einverstanden" | "okay" | "ok" | "akzeptabel")
            || plain(word) == "in" && next == "ordnung"
            || plain(word) == "zu" && (at == last || word.ends_with([',', '.']));
        if predicate {
            out.push(with.to_owned());
        }
        // A verb before a comma keeps the comma behind "nicht".
        if VERBS.contains(&plain(word).as_str()) {
            let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
            out.push(format!("{bare} {with}{}", &word[bare.len()..]));
        } else {
            out.push((*word).to_owned());
        }
        changed |= predicate || VERBS.contains(&plain(word).as_str());
    }
    changed.then(|| out.join(" "))
}

/// As a recogniser writes it that hears no pauses.
fn unpointed(text: &str) -> String {
    text.replace(['.', ',', '!'], "").to_lowercase()
}

/// The consent's own sentences, bent where they stand.
fn bent(record: &Record, ranges: &[Range]) -> Vec<(String, String)> {
    let bare = |sentence: &str| sentence.trim().trim_end_matches(['.', '!', '?']).trim().to_owned();
    let told = |text: &str| {
        let mut letters = text.chars();
        letters.next().map(|c| c.to_lowercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    let frames = [
        ("asked", "Heißt das, dass {}?"),
        ("asked", "Heißt das, {}?"),
        ("asked", "Muss ich sagen, {}?"),
        ("asked", "Soll ich jetzt also sagen: {}?"),
        ("negated", "Ich sage ausdrücklich nicht, {}."),
        ("negated", "Es ist nicht so, dass {}."),
        ("later", "Mein Chef sagt morgen, ob {}."),
        ("later", "Mein Kollege sagt vielleicht morgen, {}."),
        ("later", "Wir klären noch, ob {}."),
        ("later", "Ich kann Ihnen erst morgen sagen, ob {}."),
    ];
    let frame = |(kind, frame): (&str, &str)| {
        let text = put(&record.text, ranges, |_, sentence| frame.replace("{}", &told(&bare(sentence))));
        (format!("{kind} in place: {frame}"), text)
    };
    let mut all: Vec<(String, String)> = frames.into_iter().map(frame).collect();
    for with in TURNED {
        let sentences: Option<Vec<String>> =
            ranges.iter().map(|(from, to)| turned(&record.text[*from..*to], with)).collect();
        if let Some(sentences) = sentences {
            let text = put(&record.text, ranges, |number, _| sentences[number].clone());
            all.push((format!("negated in place: {with}"), text));
        }
    }
    all
}

/// The mutations of a message: the name of each and its text.
fn mutations(record: &Record, ranges: &[Range]) -> Vec<(String, String)> {
    let only =
        |with: &str| put(&record.text, ranges, |number, _| if number == 0 { with.to_owned() } else { String::new() });
    let mut all = vec![("cut".to_owned(), only(""))];
    for (kind, list) in [("negated", &NEGATED[..]), ("asked", &ASKED[..]), ("later", &LATER[..])] {
        all.extend(list.iter().map(|with| (format!("{kind}: {with}"), only(with))));
    }
    // What is left without the sentences must be free of any consent, or the rest could be read as one.
    let bare = judged(&reworded(record, unpointed(&only("")))).consent == Consent::Absent;
    if bare && record.subject.is_none() && !record.text.contains('?') {
        for (kind, list) in [("negated", &NEGATED[..]), ("later", &LATER[..])] {
            let heard = list.iter().map(|with| (format!("{kind} unpointed: {with}"), unpointed(&only(with))));
            all.extend(heard);
        }
    }
    // A whole message without a full stop is not one statement that could be told of somebody else.
    let short = ranges.iter().all(|(from, to)| {
        let sentence = record.text[*from..*to].trim();
        sentence.split_whitespace().count() <= 30 && !sentence.contains(['<', '\n', ':'])
    });
    if short {
        all.extend(bent(record, ranges));
    }
    all
}

#[test]
fn no_confirmed_message_stays_confirmed_when_its_consent_is_mutated() {
    let (mut wrong, mut unproved) = (Vec::new(), Vec::new());
    let mut by_kind: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let confirmed = records().into_iter().filter(|record| record.expect.verdict == Verdict::Confirmed);
    for (at, record) in confirmed.enumerate() {
        let ranges = consent_sentences(&record.text, &judged(&record).findings);
        if ranges.is_empty() {
            unproved.push(record.id);
            continue;
        }
        // Every second mutation of a message, the others of the next: each is tried on half of all messages.
        for (name, text) in mutations(&record, &ranges).into_iter().skip(at % 2).step_by(2) {
            // A subject line may hold the consent too (dev-e-023).
            let mutant = Record { subject: None, ..reworded(&record, text) };
            let judged = judged(&mutant);
            let kept = judged.verdict == Verdict::Confirmed;
            let sum = by_kind.entry(name.split(':').next().unwrap_or_default().to_owned()).or_default();
            *sum = (sum.0 + 1, sum.1 + usize::from(kept));
            if kept {
                let proof: Vec<String> = judged
                    .findings
                    .iter()
                    .filter(|f| matches!(f.subject, Subject::Conditions | Subject::Fee))
                    .map(|f| format!("{} ({}) \"{}\"", f.rule, f.polarity.as_str(), f.quote))
                    .collect();
                wrong.push(format!("{} {name}\n    {}\n    {}", record.id, mutant.text, proof.join("\n    ")));
            }
        }
    }
    let tried: usize = by_kind.values().map(|(n, _)| n).sum();
    println!("{tried} mutations, {} stayed confirmed; no consent found in {unproved:?}", wrong.len());
    for (kind, (n, kept)) in by_kind {
        println!("{kind:<24}{n:>6}{kept:>6}");
    }
    assert!(tried > 1500, "only {tried} mutations");
    assert!(wrong.is_empty(), "{} of {tried} stayed confirmed:\n{}", wrong.len(), wrong.join("\n"));
}
