//! The corpus as a worse recogniser would have written it: words split and joined, key words misheard, no punctuation, other
//! digits, fillers, repetitions, inventions. Deterministic: the same record and number give the same text.
//!
//! No noise may change what a human would decide: negations, conditions and question marks are never touched.

use super::corpus::{judged, records, reworded};
use nachtwache::assess::bench::Record;
use nachtwache::domain::assessment::{Consent, Verdict};
use std::collections::BTreeMap;

const VARIANTS: u64 = 4;

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn of(id: &str, variant: u64) -> Self {
        Self(id.bytes().fold(variant + 1, |sum, byte| sum.wrapping_mul(1_099_511_628_211) ^ u64::from(byte)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn one_of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// Words as a recogniser splits them.
const SPLIT: [(&str, &str); 16] = [
    ("nternehmenskritisch", "nternehmens kritisch"),
    ("eschäftskritisch", "eschäfts kritisch"),
    ("etriebskritisch", "etriebs kritisch"),
    ("otfallaktivierungsgebühr", "otfall Aktivierungs Gebühr"),
    ("Aktivierungsgebühr", "Aktivierungs Gebühr"),
    ("Aktivierungsgebühr", "Aktivierung Gebühr"),
    ("Geschäftsbedingungen", "Geschäfts Bedingungen"),
    ("Notfallbedingungen", "Notfall Bedingungen"),
    ("Notfallkonditionen", "Notfall Konditionen"),
    ("Notfallgebühr", "Notfall Gebühr"),
    ("einverstanden", "ein verstanden"),
    ("kritischer Notfall", "kritischer not fall"),
    ("kritischen Notfall", "kritischen not fall"),
    ("kritischer Notfall", "kritischer Not Fall"),
    ("Stillstand", "Still stand"),
    ("akzeptieren", "akzep tieren"),
];

/// Words as a recogniser joins them.
const JOINED: [(&str, &str); 6] = [
    ("Aktivierungs Gebühr", "Aktivierungsgebühr"),
    ("unternehmens kritisch", "unternehmenskritisch"),
    ("ein verstanden", "einverstanden"),
    ("Not Fall", "Notfall"),
    ("48 Euro", "48Euro"),
    ("Notfall Gebühr", "Notfallgebühr"),
];

/// Key words as a recogniser mishears them.
const MISHEARD: [(&str, &str); 21] = [
    ("Notfall", "Notfahl"),
    ("Notfall", "Nottfall"),
    ("Bedingungen", "Bedienungen"),
    ("Bedingungen", "Bedingung"),
    ("Bedingungen", "Bedingnungen"),
    ("einverstanden", "einverstanten"),
    ("einverstanden", "einverstanen"),
    ("einverstanden", "einferstanden"),
    ("Konditionen", "Kondition"),
    ("Konditionen", "Konditzionen"),
    ("Aktivierungsgebühr", "Aktivierungsgebür"),
    ("Aktivierungsgebühr", "Aktivirungsgebühr"),
    ("Gebühr ", "Gebür "),
    ("kritischen", "kritschen"),
    ("kritischer", "kritische"),
    ("unternehmens", "unternehmen"),
    ("akzeptieren", "akzeptiern"),
    ("akzeptiere ", "akzeptire "),
    ("akzeptiere", "akzeptier"),
    ("zustimm", "zu stimm"),
    ("bestätige", "bestätig"),
];

const FILLERS: [&str; 6] = ["äh", "ähm", "hm", "also", "ja", "mhm"];

const INVENTED: [&str; 5] = [
    " Vielen Dank fürs Zuschauen.",
    " Untertitel im Auftrag des ZDF für funk, 2017",
    " Untertitel der Amara.org-Community",
    " Vielen Dank. Vielen Dank. Vielen Dank.",
    " Bis zum nächsten Mal.",
];

const DIGITS: [&str; 10] = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"];

/// Words that stay as and where they are: they carry a negation, a condition or a question.
const FIXED: [&str; 30] = [
    "nicht",
    "net",
    "ned",
    "nit",
    "kein",
    "keine",
    "keinen",
    "keiner",
    "keinem",
    "nein",
    "nie",
    "weder",
    "noch",
    "ohne",
    "wenn",
    "falls",
    "sofern",
    "ob",
    "außer",
    "nur",
    "aber",
    "doppel",
    "doppelt",
    "korrigiere",
    "korrektur",
    "quatsch",
    "falsch",
    "sondern",
    "statt",
    "no",
];

type Noise = (&'static str, fn(&str, &mut Dice) -> String);

const NOISES: [Noise; 11] = [
    ("fillers", fillers),
    ("stammered", stammered),
    ("split", |text, dice| swapped(text, &SPLIT, 60, dice)),
    ("joined", |text, dice| swapped(text, &JOINED, 100, dice)),
    ("misheard", |text, dice| swapped(text, &MISHEARD, 40, dice)),
    ("figures", figures),
    ("digits", digits),
    ("no punctuation", unpointed),
    ("lower case", |text, _| text.to_lowercase()),
    ("repeated", repeated),
    ("invented", |text, dice| text.to_owned() + dice.one_of(&INVENTED)),
];

/// What typing can do to a mail.
const TYPED: [&str; 5] = ["split", "joined", "misheard", "no punctuation", "lower case"];

/// Letters and digits only, in lower case.
fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Rewrites word by word; `change` sees the word before, too.
fn by_word(text: &str, mut change: impl FnMut(&str, &str) -> String) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let before = |at: usize| if at == 0 { "." } else { words[at - 1] };
    words.iter().enumerate().map(|(at, word)| change(before(at), word)).collect::<Vec<_>>().join(" ")
}

/// A filler inside a sentence only, never beside a word that carries a negation: "ja" behind a question is an answer.
fn fillers(text: &str, dice: &mut Dice) -> String {
    by_word(text, |before, word| {
        let inside = before.ends_with(char::is_alphabetic) && word.starts_with(char::is_alphabetic);
        let free = inside && ![before, word].iter().any(|word| FIXED.contains(&plain(word).as_str()));
        if free && dice.percent(6) { format!("{} {word}", dice.one_of(&FILLERS)) } else { word.to_owned() }
    })
}

/// A word said twice; no figures, no negations ("nicht nicht" would be none).
fn stammered(text: &str, dice: &mut Dice) -> String {
    by_word(text, |_, word| {
        let free = word.chars().all(char::is_alphabetic) && !word.is_empty() && digit_of(word).is_none();
        // "acht und und vierzig" would be no number.
        let free = free && plain(word) != "und" && !FIXED.contains(&plain(word).as_str());
        if free && dice.percent(4) { format!("{word} {word}") } else { word.to_owned() }
    })
}

fn swapped(text: &str, pairs: &[(&str, &str)], chance: usize, dice: &mut Dice) -> String {
    pairs.iter().fold(
        text.to_owned(),
        |text, (right, heard)| {
            if dice.percent(chance) { text.replace(right, heard) } else { text }
        },
    )
}

/// Commas and full stops go; question marks stay, and so does what parts a question from the sentence before it.
fn unpointed(text: &str, _: &mut Dice) -> String {
    let mut out = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let spaced = letters.peek().is_none_or(|(_, next)| *next == ' ');
        let rest = &text[at + letter.len_utf8()..];
        let asks = rest.find(['.', '!', '?']).is_some_and(|end| rest[end..].starts_with('?'));
        let goes = spaced && (letter == ',' || matches!(letter, '.' | '!') && !asks);
        if !goes {
            out.push(letter);
        }
    }
    out
}

fn digit_of(word: &str) -> Option<usize> {
    let word = plain(word);
    if word == "zwo" { Some(2) } else { DIGITS.iter().position(|digit| *digit == word) }
}

/// Long numbers in figures: spoken digit by digit (with "zwo"), or grouped by twos or threes.
fn digits(text: &str, dice: &mut Dice) -> String {
    let (style, zwo) = (dice.below(3), dice.percent(50));
    by_word(text, |_, word| {
        let bare: Vec<u8> = word.bytes().filter(u8::is_ascii_digit).collect();
        let tail = word.trim_start_matches(|c: char| c.is_ascii_digit());
        if bare.len() < 4 || !word.starts_with('0') || tail.len() > 1 {
            return word.to_owned();
        }
        let said = |digit: &u8| match digit - b'0' {
            2 if zwo => "zwo".to_owned(),
            digit => DIGITS[usize::from(digit)].to_owned(),
        };
        let grouped = |by| bare.chunks(by).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
        let parts: Vec<String> = match style {
            0 => bare.iter().map(said).collect(),
            1 => grouped(2),
            _ => grouped(3),
        };
        parts.join(" ") + tail
    })
}

/// Rows of four and more spoken digits as figures, the way a recogniser normalises them.
fn figures(text: &str, _: &mut Dice) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < words.len() {
        let inner =
            words[at..].iter().take_while(|w| digit_of(w).is_some() && w.ends_with(char::is_alphabetic)).count();
        let last = words.get(at + inner).filter(|w| digit_of(w).is_some());
        let row = &words[at..at + inner + usize::from(last.is_some())];
        let beside = |at: Option<&&str>| at.is_some_and(|word| FIXED.contains(&plain(word).as_str()));
        let free = !beside(at.checked_sub(1).and_then(|at| words.get(at))) && !beside(words.get(at + row.len()));
        if row.len() < 4 || !free {
            let taken = row.len().max(1);
            out.extend(words[at..at + taken].iter().map(|word| (*word).to_owned()));
            at += taken;
            continue;
        }
        let tail = row[row.len() - 1].trim_start_matches(char::is_alphabetic);
        out.push(
            row.iter().filter_map(|word| digit_of(word)).map(|digit| digit.to_string()).collect::<String>() + tail,
        );
        at += row.len();
    }
    out.join(" ")
}

/// One sentence twice.
fn repeated(text: &str, dice: &mut Dice) -> String {
    let sentences: Vec<&str> = text.split_inclusive(". ").collect();
    if sentences.len() < 2 {
        return text.to_owned();
    }
    let twice = dice.below(sentences.len());
    sentences.iter().enumerate().map(|(at, s)| s.repeat(1 + usize::from(at == twice && s.ends_with(' ')))).collect()
}

/// A mail's own words suffer, line by line; quoted lines, markup and everything from the greeting on stay.
fn typed(text: &str, noise: fn(&str, &mut Dice) -> String, dice: &mut Dice) -> String {
    let signs = ["mit freundlich", "freundlich", "viele gr", "beste gr", "schöne gr", "liebe gr", "gru", "grü", "mfg"];
    let mut signed = false;
    let line = |line: &str| {
        let start = line.trim_start().to_lowercase();
        signed |= signs.iter().any(|sign| start.starts_with(sign)) || start.starts_with("--");
        if signed || start.starts_with(['>', '<']) { line.to_owned() } else { noise(line, dice) }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn applied(record: &Record, text: &str, (name, noise): Noise, dice: &mut Dice) -> Option<String> {
    let rough = match record.subject {
        Some(_) if TYPED.contains(&name) => typed(text, noise, dice),
        Some(_) => return None,
        None => noise(text, dice),
    };
    (rough != text && !text.is_empty()).then_some(rough)
}

/// A record with some noises; which, is the dice's choice.
fn roughened(record: &Record, variant: u64) -> Record {
    let mut dice = Dice::of(&record.id, variant);
    let mut text = record.text.clone();
    for noise in NOISES {
        if dice.percent(40) {
            text = applied(record, &text, noise, &mut dice).unwrap_or(text);
        }
    }
    reworded(record, text)
}

#[derive(Default)]
struct Score {
    tried: usize,
    right: usize,
    clean: usize,
    lost: Vec<String>,
    made_up: Vec<String>,
    wrong: Vec<String>,
}

impl Score {
    fn add(&mut self, record: &Record, clean: Verdict, rough: &Record) {
        let (expected, found) = (&record.expect, judged(rough));
        let line = || {
            let (found, expected) = (found.verdict.as_str(), expected.verdict.as_str());
            format!("{} {found} for {expected}: {}", record.id, rough.text)
        };
        self.tried += 1;
        self.clean += usize::from(clean == expected.verdict);
        self.right += usize::from(found.verdict == expected.verdict);
        if expected.verdict.wakes() && !found.verdict.wakes() {
            self.lost.push(line());
        }
        if found.consent == Consent::Full && expected.consent != Consent::Full {
            self.made_up.push(line());
        }
        if found.verdict != expected.verdict && clean == expected.verdict {
            self.wrong.push(line());
        }
    }

    /// Percent right on the clean texts of the same records, and on the rough ones.
    fn shares(&self) -> (f64, f64) {
        let count = |n: usize| f64::from(u32::try_from(n).unwrap());
        let share = |part: usize| 100.0 * count(part) / count(self.tried.max(1));
        (share(self.clean), share(self.right))
    }

    fn row(&self, name: &str) -> String {
        let (clean, rough) = self.shares();
        let (lost, made_up) = (self.lost.len(), self.made_up.len());
        format!("{name:<16}{:>6}{clean:>8.1}{rough:>8.1}{lost:>6}{made_up:>9}", self.tried)
    }
}

#[test]
fn rough_texts_are_judged_nearly_as_well_as_clean_ones() {
    let (mut all, mut alone) = (Score::default(), BTreeMap::<&str, Score>::new());
    for record in &records() {
        let clean = judged(record).verdict;
        for variant in 0..VARIANTS {
            all.add(record, clean, &roughened(record, variant));
        }
        for noise in NOISES {
            let mut dice = Dice::of(&record.id, VARIANTS);
            if let Some(text) = applied(record, &record.text, noise, &mut dice) {
                alone.entry(noise.0).or_default().add(record, clean, &reworded(record, text));
            }
        }
    }
    println!("{:<16}{:>6}{:>8}{:>8}{:>6}{:>9}", "noise alone", "n", "clean", "rough", "lost", "made up");
    for (name, score) in &alone {
        println!("{}", score.row(name));
    }
    println!("{}", all.row("mixed"));
    if nachtwache::config::environment("SHOW_WRONG").is_some() {
        for (name, score) in alone.iter().chain([(&"mixed", &all)]) {
            println!("=== {name}\n{}", score.wrong.join("\n"));
            println!("--- lost\n{}\n--- made up\n{}", score.lost.join("\n"), score.made_up.join("\n"));
        }
    }
    let made_up: Vec<&String> = alone.values().chain([&all]).flat_map(|score| &score.made_up).collect();
    assert!(made_up.is_empty(), "{made_up:#?}");
    assert!(all.lost.len() * 200 < all.tried, "{:#?}", all.lost);
    let (clean, rough) = all.shares();
    assert!(clean - rough < 4.0, "{clean} {rough}\n{}", all.wrong.join("\n"));
}
