//! Words as they are looked for: folded alike before they are kept and before they are asked for, so that every database
//! answers alike.
//!
//! "Müller", "mueller" and "MÜLLER" are one word; accents do not count. A phone number is found by any five or more of its
//! digits in a row, however they are written. Total: any input gives words, never an error.

use crate::domain::phone;
use std::collections::BTreeSet;

/// The longest word that is kept whole, in bytes.
const LONGEST: usize = 64;
/// A mail may be endless: so many bytes of a text are read, so many different words kept.
const MOST_TEXT: usize = 256 * 1024;
const MOST_WORDS: usize = 5_000;
/// A run of digits shorter than this is a word like others, a longer one than the other is no number.
const NUMBER: std::ops::RangeInclusive<usize> = 5..=32;
/// More words than that are not asked for.
const MOST_TERMS: usize = 12;
/// A single letter would begin half of all words: the last word counts as a beginning only from here on.
const SHORTEST_BEGINNING: usize = 2;

/// One word that must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Folded: letters and digits only, so no database can take it for anything else.
    pub word: String,
    /// Whether words that begin with it count too.
    pub begins: bool,
}

impl Term {
    /// Whether it is (a part of) a phone number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.word
            .strip_prefix('n')
            .is_some_and(|digits| digits.len() >= *NUMBER.start() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// The different words of these texts, as they are kept.
#[must_use]
pub fn kept<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let beginnings = texts.into_iter().map(|text| &text[..text.floor_char_boundary(MOST_TEXT)]);
    for piece in beginnings.flat_map(pieces) {
        if words.len() >= MOST_WORDS {
            break;
        }
        match piece {
            Piece::Word(word) => drop(words.insert(word)),
            Piece::Number { written, digits } => words.extend(ends(&written, &digits)),
        }
    }
    words
}

/// What somebody who types this looks for: all of it must be found. Empty: nothing to look for was typed.
#[must_use]
pub fn sought(typed: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for piece in pieces(typed).into_iter().take(MOST_TERMS) {
        terms.push(match piece {
            Piece::Word(word) => Term { word, begins: false },
            Piece::Number { digits, .. } => Term { word: format!("n{digits}"), begins: true },
        });
    }
    if let Some(last) = terms.last_mut().filter(|last| last.word.chars().count() >= SHORTEST_BEGINNING) {
        last.begins = true;
    }
    terms
}

enum Piece {
    Word(String),
    /// Digits in a row, across the blanks and strokes between them.
    Number {
        written: String,
        digits: String,
    },
}

/// A number under every end of its digits: so each row of digits in it is the beginning of a kept word.
fn ends(written: &str, digits: &str) -> Vec<String> {
    let mut forms = vec![digits.to_owned()];
    if let Some(number) = phone::e164(written) {
        let number = number.trim_start_matches('+');
        forms.push(format!("00{number}"));
        forms.extend(number.strip_prefix("49").map(|national| format!("0{national}")));
    }
    let ends_of = |form: String| -> Vec<String> {
        let last = form.len().saturating_sub(*NUMBER.start());
        (0..=last).map(|from| format!("n{}", &form[from..])).collect()
    };
    forms.into_iter().flat_map(ends_of).collect()
}

fn pieces(text: &str) -> Vec<Piece> {
    // "+49 (0)170 …": this nought is not dialled
    let text = text.replace("(0)", " ");
    let mut found = Vec::new();
    let mut run = Run::default();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_alphanumeric() || is_mark(c) {
            fold_into(&mut word, c);
            continue;
        }
        run.word(std::mem::take(&mut word), &mut found);
        run.between(c, &mut found);
    }
    run.end(&mut found);
    found
}

/// Groups of digits that may be one number.
#[derive(Default)]
struct Run {
    groups: Vec<String>,
    written: String,
}

impl Run {
    fn word(&mut self, mut word: String, found: &mut Vec<Piece>) {
        if word.is_empty() {
            return;
        }
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            self.written.push_str(&word);
            self.groups.push(word);
            return;
        }
        self.end(found);
        word.truncate(word.floor_char_boundary(LONGEST));
        found.push(Piece::Word(word));
    }

    fn between(&mut self, c: char, found: &mut Vec<Piece>) {
        // a plus begins a number
        let inside = c != '+' && phone::is_written(c);
        if !inside {
            self.end(found);
        }
        if c == '+' || (inside && !self.groups.is_empty()) {
            self.written.push(c);
        }
    }

    fn end(&mut self, found: &mut Vec<Piece>) {
        let digits = self.groups.concat();
        let written = std::mem::take(&mut self.written);
        let groups = std::mem::take(&mut self.groups);
        if NUMBER.contains(&digits.len()) {
            found.push(Piece::Number { written, digits });
        } else {
            let short = groups.into_iter().filter(|group| group.len() <= LONGEST);
            found.extend(short.map(Piece::Word));
        }
    }
}

/// A combining mark: an accent that stands behind its letter.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

fn fold_into(word: &mut String, c: char) {
    if c == '\u{308}' {
        if word.ends_with(['a', 'o', 'u']) {
            word.push('e');
        }
        return;
    }
    if is_mark(c) {
        return;
    }
    for c in c.to_lowercase() {
        match plain(c) {
            Some(letters) => word.push_str(letters),
            // the small mark that some capital letters leave behind
            None if is_mark(c) => {}
            None => word.push(c),
        }
    }
}

/// A letter with an accent in plain letters.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à'..='ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='õ' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether what was typed finds the text, by the same law as the databases.
    fn finds(typed: &str, text: &str) -> bool {
        let kept = kept([text]);
        sought(typed).iter().all(|term| {
            if term.begins { kept.iter().any(|word| word.starts_with(&term.word)) } else { kept.contains(&term.word) }
        })
    }

    #[test]
    fn a_name_is_found_however_its_umlauts_are_written() {
        for text in ["Müller", "MÜLLER", "mueller", "Mu\u{308}ller"] {
            for typed in ["Müller", "mueller", "MUELLER", "Mu\u{308}ller", "müll"] {
                assert!(finds(typed, text), "{typed} in {text}");
            }
        }
        assert!(finds("strasse", "Straße") && finds("Große", "GROSSE"));
        assert!(finds("andre", "André") && finds("Š", "š") && finds("istanbul", "İstanbul"));
        assert!(!finds("Muller", "Müller"));
    }

    #[test]
    fn all_words_must_be_found_and_the_last_one_may_be_begun() {
        let text = "Der Server vom Autohaus Brandl steht still.";
        assert!(finds("brandl serv", text) && finds("AUTOHAUS", text) && finds("", text) && finds("?!", text));
        assert!(!finds("serv brandl", text), "only the last word may be begun");
        assert!(!finds("brandl drucker", text));
        assert!(!finds("s", text), "one letter is a word of its own");
    }

    #[test]
    fn a_number_is_found_in_every_spelling() {
        let spellings =
            ["+49 9721 555017", "09721/55 50-17", "0049 9721 555017", "+49 (0)9721 555017", "(09721) 555017"];
        for text in spellings {
            for typed in spellings.into_iter().chain(["9721 555017", "555017", "09721 55", "499721"]) {
                assert!(finds(typed, text), "{typed} in {text}");
            }
        }
        assert!(!finds("09721 555018", "+49 9721 555017"));
        assert!(finds("0171 392", "Sie erreichen mich unter 0 1 7 1, nein: 01 71 39 20 02 7."));
        assert!(finds("0041 79 555", "+41 79 555 01 23"));
        assert!(finds("vorgang 1042", "Vorgang 1042") && !finds("1042", "0171 1042 555"), "a part is no case");
    }

    proptest! {
        #[test]
        fn what_is_typed_becomes_words_of_letters_and_digits_alone(typed in any::<String>()) {
            for term in sought(&typed) {
                prop_assert!(!term.word.is_empty() && term.word.chars().all(char::is_alphanumeric), "{:?}", term);
            }
        }

        #[test]
        fn every_text_is_found_by_itself(text in "[a-zA-ZäöüÄÖÜß0-9 +./()-]{0,60}") {
            prop_assume!(pieces(&text).len() <= MOST_TERMS);
            prop_assert!(finds(&text, &text));
        }
    }
}
