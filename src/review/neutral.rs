//! Makes a labelled message anonymous: who called is somebody invented, what was said stays as it was. Pure.
//!
//! Promise: each name, number and address is replaced everywhere by the same invented one, also within the labels. What nobody
//! knows to be a name cannot be found: whoever keeps the example sees what was replaced, and may name more.

use crate::assess::bench::{Expect, Record};
use crate::assess::rules::{self, is_given_name, proper_words};
use crate::domain::phone;
use std::collections::HashMap;

/// What was replaced by what.
pub type Replaced = Vec<(String, String)>;

/// Invented surnames and names of firms; nobody in the corpus has one.
const INVENTED: [&str; 16] = [
    "Talmann",
    "Brendorf",
    "Ostrach",
    "Kellinghof",
    "Wiesbrand",
    "Hagenow",
    "Molkwitz",
    "Sandrup",
    "Ehrwald",
    "Grotenbek",
    "Lindrath",
    "Varnhold",
    "Tessmar",
    "Ruhwinkel",
    "Quellbach",
    "Nordstett",
];
/// Given names in their place.
const GIVEN: [&str; 10] =
    ["Andrea", "Martin", "Sabine", "Thomas", "Claudia", "Stefan", "Monika", "Michael", "Petra", "Andreas"];
/// Headers by which a mail that a machine wrote is known; no other is needed to judge.
const HEADERS: [&str; 9] = [
    "auto-submitted",
    "x-autoreply",
    "x-autorespond",
    "precedence",
    "list-id",
    "list-unsubscribe",
    "x-auto-response-suppress",
    "return-path",
    "content-type",
];
/// Endings that a name may carry.
const ENDINGS: [&str; 6] = ["", "s", "n", "en", "er", "e"];

/// A record without the caller: `known` are more words that name him (also what the rules read), beside the labels' own.
#[must_use]
pub fn anonymised(record: &Record, known: &[String]) -> (Record, Replaced) {
    let mut masks = Masks::default();
    let all = format!("{}\n{}", record.text, record.subject.as_deref().unwrap_or_default());
    let expect = &record.expect;
    let names = [&expect.company, &expect.contact].into_iter().flatten().chain(known);
    for word in names.flat_map(|name| proper_words(name)).chain(rules::people(&all)) {
        masks.name(&word, &all);
    }
    let field = |masks: &mut Masks, value: &Option<String>| value.as_ref().map(|value| masks.over(value));
    let text = masks.over(&record.text);
    let subject = record.subject.as_ref().map(|subject| masks.over(subject));
    let expect = Expect {
        company: field(&mut masks, &expect.company),
        contact: field(&mut masks, &expect.contact),
        description: field(&mut masks, &expect.description),
        callback: expect.callback.as_ref().map(|number| masks.number(number).1),
        ..expect.clone()
    };
    let caller_id = record.caller_id.as_ref().map(|number| masks.number(number).0);
    let machine = |(name, _): &&(String, String)| HEADERS.contains(&name.to_lowercase().as_str());
    let headers =
        record.headers.iter().filter(machine).map(|(name, value)| (name.clone(), masks.over(value))).collect();
    let out =
        Record { id: record.id.clone(), text, subject, headers, caller_id, received_at: record.received_at, expect };
    (out, masks.shown)
}

/// What stands for what, the same everywhere.
#[derive(Default)]
struct Masks {
    /// By the folded word.
    names: HashMap<String, &'static str>,
    /// By E.164, or by the digits where they are no number.
    numbers: HashMap<String, usize>,
    addresses: HashMap<String, usize>,
    used: (usize, usize),
    shown: Replaced,
}

impl Masks {
    fn name(&mut self, word: &str, text: &str) {
        let key = folded(word);
        if self.names.contains_key(&key) {
            return;
        }
        let given = is_given_name(word);
        let (pool, next): (&[&'static str], _) =
            if given { (&GIVEN, &mut self.used.0) } else { (&INVENTED, &mut self.used.1) };
        // one that stands in the text would lead two people into one
        let free = (0..pool.len()).map(|step| (*next + step) % pool.len()).find(|at| !text.contains(pool[*at]));
        let at = free.unwrap_or(*next % pool.len());
        *next = at + 1;
        self.names.insert(key, pool[at]);
    }

    /// A text with everything replaced: addresses, then digits, then names.
    fn over(&mut self, text: &str) -> String {
        let mut out = String::new();
        for piece in text.split_inclusive(char::is_whitespace) {
            out.push_str(&self.address(piece).unwrap_or_else(|| piece.to_owned()));
        }
        let found = rules::digits(&out);
        for one in found.iter().rev() {
            let range = one.range.0..one.range.1;
            let Some(was) = out.get(range.clone()).map(str::to_owned) else { continue };
            if is_date(&was) {
                continue;
            }
            let digits = self.digits(&one.digits);
            let spoken = !was.contains(|c: char| c.is_ascii_digit());
            let now = if spoken { rules::said(&digits) } else { digits };
            self.show(&was, &now);
            out.replace_range(range, &now);
        }
        self.words(&out)
    }

    /// "mail@firma.de," as "post1@example.org,"; `None` where it is no address.
    fn address(&mut self, piece: &str) -> Option<String> {
        let core = piece.trim_matches(|c: char| !c.is_alphanumeric());
        let at = core.find('@').is_some_and(|at| at > 0 && at + 1 < core.len());
        let lower = core.to_lowercase();
        let site = lower.starts_with("www.") || lower.starts_with("http://") || lower.starts_with("https://");
        if !at && !site {
            return None;
        }
        let next = self.addresses.len() + 1;
        let number = *self.addresses.entry(lower).or_insert(next);
        let now = if at { format!("post{number}@example.org") } else { format!("www.example{number}.org") };
        self.show(core, &now);
        Some(piece.replacen(core, &now, 1))
    }

    /// Digits in the place of others: numbers that nobody has where it is a telephone number.
    fn digits(&mut self, digits: &str) -> String {
        if phone::e164(digits).is_some() {
            return self.number(digits).0;
        }
        let plain: String = digits.chars().filter(char::is_ascii_digit).collect();
        let next = self.numbers.len() + 1;
        let step = *self.numbers.entry(plain.clone()).or_insert(next);
        let first = if plain.starts_with('0') { "0" } else { "1" };
        let rest = (1..plain.len()).map(|at| char::from(b'0' + u8::try_from((at * 3 + step) % 10).unwrap_or(0)));
        first.chars().chain(rest).collect()
    }

    /// A telephone number as a German writes it, and as E.164: one of those that are kept free for films and books.
    fn number(&mut self, written: &str) -> (String, String) {
        let key = phone::e164(written).unwrap_or_else(|| written.to_owned());
        let next = self.numbers.len();
        let step = *self.numbers.entry(key).or_insert(next) % 90 + 10;
        (format!("0171 39200{step}"), format!("+4917139200{step}"))
    }

    fn words(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(from) = rest.find(char::is_alphabetic) {
            out.push_str(&rest[..from]);
            let word = &rest[from..];
            let to = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
            let now = self.word(&word[..to]);
            if let Some(now) = &now {
                self.show(&word[..to], now);
            }
            out.push_str(now.as_deref().unwrap_or(&word[..to]));
            rest = &word[to..];
        }
        out + rest
    }

    /// A word with the name in it replaced: inflected, or a part of a longer one.
    fn word(&self, word: &str) -> Option<String> {
        let heard = folded(word);
        let whole = |key: &String| heard.strip_prefix(key.as_str()).filter(|ending| ENDINGS.contains(ending));
        let part = |key: &String| (key.len() > 4).then(|| heard.find(key.as_str())).flatten();
        let mut known: Vec<(&String, &&str)> = self.names.iter().collect();
        known.sort_by_key(|(key, _)| (usize::MAX - key.len(), *key));
        let inflected = known.iter().find_map(|&(key, name)| Some(format!("{name}{}", whole(key)?)));
        let within = || {
            known.iter().find_map(|&(key, name)| {
                let at = part(key)?;
                Some(format!("{}{name}{}", &heard[..at], &heard[at + key.len()..]))
            })
        };
        let now = inflected.or_else(within)?;
        let large = word.starts_with(char::is_uppercase);
        Some(if large { capital(&now.to_lowercase()) } else { now.to_lowercase() })
    }

    fn show(&mut self, was: &str, now: &str) {
        let pair = (was.to_owned(), now.to_owned());
        if was != now && !self.shown.contains(&pair) {
            self.shown.push(pair);
        }
    }
}

fn folded(word: &str) -> String {
    crate::assess::bench::words(word).concat()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// "21.11.2026": when, not who.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let digits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(|part| digits(part)) && parts[0].len() < 3 && parts[1].len() < 3
}
