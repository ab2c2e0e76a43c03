//! One pattern over tokens: reading it, finding it. What its elements mean stands in the head of `lexicon`.
//!
//! Keywords are found split over tokens, inflected and misheard by a few letters, because that is how a recogniser
//! writes long German compounds; short words must be exact.

use super::dialect;
use super::text::{Text, Token, fold};
use std::collections::HashMap;

/// One pattern.
pub(super) struct Pattern {
    elements: Vec<Element>,
    /// First bytes a match can begin with; `None`: any.
    first: Option<Vec<u8>>,
}

/// Patterns by the first byte of their first word, so that a token asks only those that can begin there.
pub(super) struct Index {
    by_byte: Vec<Vec<usize>>,
    any: Vec<usize>,
    patterns: Vec<Pattern>,
}

/// The concepts found so far, by the token they begin at: `(name, end)`.
pub(super) type Found = Vec<Vec<(usize, usize)>>;

enum Element {
    One { choices: Vec<Choice>, optional: bool },
    Gap { tokens: usize, same_clause: bool },
}

enum Choice {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Keyword(String),
    Number,
    Concept(usize),
}

impl Pattern {
    /// Reads a pattern; `names` are the concepts it may refer to, `german` says that its words may be dialect.
    pub(super) fn parse(text: &str, names: &HashMap<String, usize>, german: bool) -> Result<Self, String> {
        // A text is read in standard words: "wenns geht" finds "wenn es geht".
        let contracted = |word: &&str| dialect::standard(word).filter(|words| german && words.len() > 1);
        let words = text.split_whitespace().flat_map(|word| match contracted(&word) {
            Some(words) => words.iter().map(String::as_str).collect(),
            None => vec![word],
        });
        let elements = words.map(|word| element(word, names, german)).collect::<Result<Vec<_>, _>>()?;
        let first = match elements.first() {
            Some(Element::One { choices, optional: false }) => choices.iter().map(Choice::first_byte).collect(),
            Some(_) => return Err("begins with a gap or an optional element".to_owned()),
            None => return Err("is empty".to_owned()),
        };
        Ok(Self { elements, first })
    }
}

fn element(word: &str, names: &HashMap<String, usize>, german: bool) -> Result<Element, String> {
    match word {
        ".." => return Ok(Element::Gap { tokens: 4, same_clause: true }),
        "..." => return Ok(Element::Gap { tokens: 14, same_clause: false }),
        _ => {}
    }
    let (word, optional) = word.strip_suffix('?').map_or((word, false), |rest| (rest, true));
    let mut choices = word.split('|').map(|choice| parse_choice(choice, names)).collect::<Result<Vec<_>, _>>()?;
    // A text is read in standard words: a pattern that is written in dialect still finds them.
    let standard = choices.iter().filter_map(|choice| match choice {
        Choice::Exact(word) if german => {
            dialect::standard(word).filter(|words| words.len() == 1).map(|words| words[0].clone())
        }
        _ => None,
    });
    let standard: Vec<Choice> = standard.map(Choice::Exact).collect();
    choices.extend(standard);
    Ok(Element::One { choices, optional })
}

fn parse_choice(word: &str, names: &HashMap<String, usize>) -> Result<Choice, String> {
    if word == "#" {
        return Ok(Choice::Number);
    }
    if let Some(name) = word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        let known = names.get(name).copied();
        return known.map(Choice::Concept).ok_or_else(|| format!("unknown concept {name}"));
    }
    let bare = word.trim_matches(['*', '~']);
    if bare.is_empty() || bare.contains(['-', ',', '<', '>', '~']) {
        return Err(format!("{word} is no word"));
    }
    let bare = fold(bare);
    Ok(match (word.starts_with('~'), word.starts_with('*'), word.ends_with('*')) {
        (true, ..) => Choice::Keyword(bare),
        (_, true, true) => Choice::Contains(bare),
        (_, true, _) => Choice::Suffix(bare),
        (_, _, true) => Choice::Prefix(bare),
        _ => Choice::Exact(bare),
    })
}

impl Index {
    /// Sorts patterns by their first byte.
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        let mut index = Self { by_byte: vec![Vec::new(); 256], any: Vec::new(), patterns };
        for (at, pattern) in index.patterns.iter().enumerate() {
            match &pattern.first {
                Some(bytes) => {
                    for byte in bytes {
                        let list = &mut index.by_byte[usize::from(*byte)];
                        if list.last() != Some(&at) {
                            list.push(at);
                        }
                    }
                }
                None => index.any.push(at),
            }
        }
        index
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Where the patterns that match from token `start` end.
    pub(super) fn ends<'a>(
        &'a self,
        text: &'a Text<'_>,
        found: &'a Found,
        start: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let byte = text.tokens[start].norm.as_bytes().first().copied().unwrap_or(0);
        let candidates = self.by_byte[usize::from(byte)].iter().chain(&self.any);
        candidates.filter_map(move |at| follow(&self.patterns[*at].elements, text, found, start, start))
    }
}

/// The farthest end of a match of `elements` from token `at`.
fn follow(elements: &[Element], text: &Text<'_>, found: &Found, start: usize, at: usize) -> Option<usize> {
    let Some((element, rest)) = elements.split_first() else { return Some(at) };
    match element {
        Element::Gap { tokens, same_clause } => {
            let last = text.tokens.get(at.checked_sub(1)?)?;
            let near = |token: &&Token| {
                if *same_clause { token.clause == last.clause } else { token.sentence == last.sentence }
            };
            let room = text.tokens[at..].iter().take(*tokens + 1).take_while(near).count();
            (0..=room.min(*tokens)).find_map(|skip| follow(rest, text, found, start, at + skip))
        }
        Element::One { choices, optional } => {
            let connected = at == start || same_sentence(text, start, at);
            let taken = choices.iter().filter(|_| connected).filter_map(|choice| choice.end(text, found, at));
            let longest = taken.filter_map(|next| follow(rest, text, found, start, next)).max();
            longest.or_else(|| if *optional { follow(rest, text, found, start, at) } else { None })
        }
    }
}

fn same_sentence(text: &Text<'_>, a: usize, b: usize) -> bool {
    text.tokens.get(a).zip(text.tokens.get(b)).is_some_and(|(a, b)| a.sentence == b.sentence && !b.announced)
}

impl Choice {
    fn first_byte(&self) -> Option<u8> {
        match self {
            Self::Exact(word) | Self::Prefix(word) | Self::Keyword(word) => word.bytes().next(),
            _ => None,
        }
    }

    fn end(&self, text: &Text<'_>, found: &Found, at: usize) -> Option<usize> {
        let token = text.tokens.get(at)?;
        let one = match self {
            Self::Exact(word) => token.norm == *word,
            Self::Prefix(word) => token.norm.starts_with(word.as_str()),
            Self::Suffix(word) => token.norm.ends_with(word.as_str()),
            Self::Contains(word) => token.norm.contains(word.as_str()),
            Self::Number => token.is_number(),
            Self::Concept(name) => return found[at].iter().filter(|mark| mark.0 == *name).map(|mark| mark.1).max(),
            Self::Keyword(word) => return keyword_end(word, &text.tokens[at..]).map(|count| at + count),
        };
        one.then_some(at + 1)
    }
}

/// How many tokens spell this keyword, split, inflected or misheard.
fn keyword_end(word: &str, tokens: &[Token]) -> Option<usize> {
    let mut joined = String::new();
    for (index, token) in tokens.iter().take(4).enumerate() {
        if index > 0 && token.clause != tokens[0].clause || !token.norm.starts_with(char::is_alphabetic) {
            return None;
        }
        joined.push_str(&token.norm);
        if joined.len() > word.len() + 6 {
            return None;
        }
        if spells(word, &joined, index > 0) {
            return Some(index + 1);
        }
    }
    None
}

const ENDINGS: [&str; 9] = ["", "e", "n", "s", "en", "er", "es", "em", "ens"];

/// Whether `heard` is `word`, with an ending, or within the letters that a recogniser mistakes.
fn spells(word: &str, heard: &str, split: bool) -> bool {
    if heard.strip_prefix(word).is_some_and(|ending| ENDINGS.contains(&ending)) {
        return true;
    }
    let slack = match word.len() {
        0..=6 => 0,
        7..=10 => usize::from(!split),
        11..=15 => 2 - usize::from(split),
        _ => 3 - usize::from(split),
    };
    if slack == 0 || heard.as_bytes().first() != word.as_bytes().first() || heard.len() + slack < word.len() {
        return false;
    }
    ENDINGS
        .iter()
        .filter_map(|ending| heard.strip_suffix(ending))
        .any(|stem| stem.len().abs_diff(word.len()) <= slack && strsim::levenshtein(stem, word) <= slack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_heard_split_joined_inflected_and_misheard() {
        for heard in
            ["unternehmenskritischen", "unternehmenskritscher", "unternehmenskritische", "unternemenskritischen"]
        {
            assert!(spells("unternehmenskritisch", heard, false), "{heard}");
        }
        assert!(!spells("notfall", "notfallplan", false) && !spells("notfall", "unfall", false));
        assert!(spells("notfall", "notfal", false) && spells("notfall", "notfahl", false));
    }
}
