//! What in a message says who somebody is: the proper words of names, people, stretches of digits. For making it anonymous.

use super::callback;
use super::company::is_generic;
use super::text::{Text, fold};
use super::words::WORDS;

/// A stretch of digits in a text, spoken or in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    /// Its bytes.
    pub range: (usize, usize),
    /// The digits, "+" before them where it was said.
    pub digits: String,
}

/// Fewer digits name nobody: a time, an amount, a year.
const LEAST_DIGITS: usize = 5;

/// Every stretch of five digits or more, in order.
#[must_use]
pub fn digits(text: &str) -> Vec<Digits> {
    let read = Text::new(text);
    let tokens = &read.tokens;
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let groups = callback::run_at(tokens, at);
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else {
            at += 1;
            continue;
        };
        let digits = callback::joined(&groups);
        if digits.chars().filter(char::is_ascii_digit).count() >= LEAST_DIGITS {
            found.push(Digits { range: (tokens[first.start].start, tokens[last.end - 1].end), digits });
        }
        at = last.end;
    }
    found
}

/// The words of a name that tell whose it is: no legal form, no kind of business, no title, no small word.
#[must_use]
pub fn proper_words(name: &str) -> Vec<String> {
    let small = [
        "und", "am", "an", "der", "die", "das", "den", "dem", "des", "von", "vom", "zum", "zur", "im", "in", "fuer",
        "co", "and", "the", "frau", "herr", "herrn", "de", "e", "k", "v",
    ];
    let own = |word: &&str| {
        let word = fold(word);
        word.chars().count() > 1
            && !small.contains(&word.as_str())
            && !WORDS.forms.contains(&word)
            && !WORDS.titles.contains(&word)
            && !is_generic(&word)
    };
    name.split(|c: char| !c.is_alphanumeric()).filter(own).map(str::to_owned).collect()
}

/// Whether a word is a given name.
#[must_use]
pub fn is_given_name(word: &str) -> bool {
    WORDS.first_names.contains(&fold(word))
}

/// The proper words of people in a text: behind a title, or a given name and what follows it.
#[must_use]
pub fn people(text: &str) -> Vec<String> {
    let read = Text::new(text);
    let tokens = &read.tokens;
    let named = |at: usize| tokens.get(at).is_some_and(|token| token.capital && !WORDS.no_name.contains(&token.norm));
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let title = ["frau", "herr", "herrn"].contains(&tokens[at].norm.as_str());
        let given = tokens[at].capital && WORDS.first_names.contains(&tokens[at].norm);
        let same = tokens.get(at + 1).is_some_and(|next| next.clause == tokens[at].clause);
        if (title || given) && same && named(at + 1) {
            found.extend(proper_words(read.quote(if title { at + 1 } else { at }, at + 2).0));
        }
    }
    found
}

/// Digits as they are said, one by one.
#[must_use]
pub fn said(digits: &str) -> String {
    let words = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"];
    let word = |c: char| c.to_digit(10).and_then(|digit| words.get(digit as usize).copied());
    digits.chars().filter_map(word).collect::<Vec<_>>().join(" ")
}
