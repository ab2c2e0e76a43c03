//! The corpus as a worse recogniser would have written it: words split and joined, key words misheard, no punctuation, other
//! digits, fillers, repetitions, inventions. Deterministic: the same record and number give the same text.

use super::corpus::{judged, records, reworded};
use nachtwache::assess::bench::Record;
use nachtwache::domain::assessment::Consent;
use std::collections::BTreeMap;

const VARIANTS: u64 = 10;

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
}

/// Words as a recogniser splits them.
const SPLIT: [(&str, &str); 8] = [
    ("nternehmenskritisch", "nternehmens kritisch"),
    ("eschäftskritisch", "eschäfts kritisch"),
    ("etriebskritisch", "etriebs kritisch"),
    ("Aktivierungsgebühr", "Aktivierungs Gebühr"),
    ("Geschäftsbedingungen", "Geschäfts Bedingungen"),
    ("Notfallbedingungen", "Notfall Bedingungen"),
    ("Notfallgebühr", "Notfall Gebühr"),
    ("einverstanden", "ein verstanden"),
];

/// Key words as a recogniser mishears them.
const MISHEARD: [(&str, &str); 12] = [
    ("Notfall", "Notfahl"),
    ("Notfall", "Not Fall"),
    ("Bedingungen", "Bedienungen"),
    ("Bedingungen", "Bedingung"),
    ("einverstanden", "einverstanten"),
    ("einverstanden", "einverstanen"),
    ("Konditionen", "Kondition"),
    ("Konditionen", "Konditzionen"),
    ("Aktivierungsgebühr", "Aktivierungsgebür"),
    ("kritischen", "kritschen"),
    ("akzeptieren", "akzeptiern"),
    ("akzeptiere", "akzeptier"),
];

const FILLERS: [&str; 3] = ["äh", "ähm", "hm"];

const INVENTED: [&str; 3] =
    [" Vielen Dank fürs Zuschauen.", " Untertitel im Auftrag des ZDF.", " Untertitel der Amara.org-Community"];

const DIGITS: [&str; 10] = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"];

type Noise = (&'static str, fn(&str, &mut Dice) -> String);

/// Each noise by itself; a question keeps its mark, because without it a listener could not tell either.
const NOISES: [Noise; 8] = [
    ("fillers", |text, dice| {
        let word = |word: &str| {
            let filler = dice.percent(6).then(|| FILLERS[dice.below(FILLERS.len())]);
            filler.map_or_else(|| word.to_owned(), |filler| format!("{filler} {word}"))
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    }),
    ("split", |text, dice| swapped(text, &SPLIT, 100, dice)),
    ("misheard", |text, dice| swapped(text, &MISHEARD, 60, dice)),
    ("lower case", |text, _| text.to_lowercase()),
    ("no punctuation", |text, _| {
        if text.contains('?') { text.to_owned() } else { text.replace(". ", " ").replace([',', '!', ';'], "") }
    }),
    ("digits", |text, dice| digits(text, dice)),
    ("repeated", |text, dice| {
        let sentences: Vec<&str> = text.split_inclusive(". ").collect();
        if sentences.len() < 2 {
            return text.to_owned();
        }
        let twice = dice.below(sentences.len());
        sentences.iter().enumerate().map(|(at, s)| s.repeat(1 + usize::from(at == twice && s.ends_with(' ')))).collect()
    }),
    ("invented", |text, dice| text.to_owned() + INVENTED[dice.below(INVENTED.len())]),
];

fn swapped(text: &str, pairs: &[(&str, &str)], chance: usize, dice: &mut Dice) -> String {
    pairs.iter().fold(
        text.to_owned(),
        |text, (right, heard)| {
            if dice.percent(chance) { text.replace(right, heard) } else { text }
        },
    )
}

/// Long numbers spoken digit by digit, or grouped by twos.
fn digits(text: &str, dice: &mut Dice) -> String {
    let spoken = dice.percent(50);
    let number = |word: &str| {
        let bare: Vec<u8> = word.bytes().filter(u8::is_ascii_digit).collect();
        let tail = word.trim_start_matches(|c: char| c.is_ascii_digit());
        if bare.len() < 4 || !word.starts_with('0') || tail.len() > 1 {
            return word.to_owned();
        }
        let parts: Vec<String> = if spoken {
            bare.iter().map(|digit| DIGITS[usize::from(digit - b'0')].to_owned()).collect()
        } else {
            bare.chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect()
        };
        parts.join(" ") + tail
    };
    text.split(' ').map(number).collect::<Vec<_>>().join(" ")
}

/// A record with some noises; which, is the dice's choice. Mails are typed: only their words suffer.
fn roughened(record: &Record, variant: u64) -> (Vec<&'static str>, Record) {
    let mut dice = Dice::of(&record.id, variant);
    let (mut names, mut text) = (Vec::new(), record.text.clone());
    let typed = record.subject.is_some();
    for (name, noise) in NOISES {
        let fits = !typed || matches!(name, "split" | "misheard" | "lower case");
        if dice.percent(45) && !text.is_empty() && fits {
            text = noise(&text, &mut dice);
            names.push(name);
        }
    }
    (names, reworded(record, text))
}

#[test]
fn rough_texts_are_judged_nearly_as_well_as_clean_ones() {
    let (mut tried, mut right, mut clean) = (0_usize, 0_usize, 0_usize);
    let (mut lost, mut made_up, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_noise: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let records = records();
    for record in &records {
        let expected = &record.expect;
        clean += usize::from(judged(record).verdict == expected.verdict);
        for variant in 0..VARIANTS {
            let (noises, rough) = roughened(record, variant);
            let found = judged(&rough);
            let same = found.verdict == expected.verdict;
            tried += 1;
            right += usize::from(same);
            for name in noises {
                let sum = by_noise.entry(name).or_default();
                *sum = (sum.0 + 1, sum.1 + usize::from(same));
            }
            if expected.verdict.wakes() && !found.verdict.wakes() {
                lost.push(format!("{}/{variant}: {}", record.id, rough.text));
            }
            if found.consent == Consent::Full && expected.consent != Consent::Full {
                made_up.push(format!("{}/{variant}: {}", record.id, rough.text));
            }
            if !same {
                wrong.push(format!(
                    "{}/{variant} {} for {}: {}",
                    record.id,
                    found.verdict.as_str(),
                    expected.verdict.as_str(),
                    rough.text
                ));
            }
        }
    }
    let share = |part: usize, of: usize| {
        100.0 * f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(of).unwrap())
    };
    let (clean, rough) = (share(clean, records.len()), share(right, tried));
    println!("clean {clean:.1} %, rough {rough:.1} % of {tried}, lost {}, made up {}", lost.len(), made_up.len());
    for (name, (n, right)) in by_noise {
        println!("{name:<16}{n:>6}{:>8.1} %", share(right, n));
    }
    if nachtwache::config::environment("SHOW_WRONG").is_some() {
        println!("{}", wrong.join("\n"));
    }
    assert!(made_up.is_empty(), "{}", made_up.join("\n"));
    assert!(lost.len() * 200 < tried, "{}", lost.join("\n"));
    assert!(clean - rough < 4.0, "{clean} {rough}\n{}", wrong.join("\n"));
}
