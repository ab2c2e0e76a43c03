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
}

/// Patterns by what they begin with, so that a token asks only those that can begin there.
pub(super) struct Index {
    patterns: Vec<Pattern>,
    /// By the first and the last byte of their first word.
    words: Vec<Vec<usize>>,
    /// By the first byte of a beginning or a keyword.
    beginnings: Vec<Vec<usize>>,
    /// By the last byte of an ending.
    endings: Vec<Vec<usize>>,
    /// By the concept they begin with.
    concepts: Vec<(usize, usize)>,
    numbers: Vec<usize>,
    any: Vec<usize>,
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
        match elements.first() {
            Some(Element::One { optional: false, .. }) => Ok(Self { elements }),
            Some(_) => Err("begins with a gap or an optional element".to_owned()),
            None => Err("is empty".to_owned()),
        }
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
    /// Sorts patterns by what they begin with.
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        let empty = || vec![Vec::new(); 256];
        let mut index = Self {
            patterns: Vec::new(),
            words: empty(),
            beginnings: empty(),
            endings: empty(),
            concepts: Vec::new(),
            numbers: Vec::new(),
            any: Vec::new(),
        };
        for (at, pattern) in patterns.iter().enumerate() {
            if let Some(Element::One { choices, .. }) = pattern.elements.first() {
                for choice in choices {
                    index.sort_in(choice, at);
                }
            }
        }
        index.patterns = patterns;
        index
    }

    fn sort_in(&mut self, choice: &Choice, at: usize) {
        let list = match choice {
            Choice::Exact(word) => &mut self.words[both_ends(word)],
            Choice::Prefix(word) | Choice::Keyword(word) => &mut self.beginnings[first_byte(word)],
            Choice::Suffix(word) => &mut self.endings[last_byte(word)],
            Choice::Concept(name) => return self.concepts.push((*name, at)),
            Choice::Number => &mut self.numbers,
            Choice::Contains(_) => &mut self.any,
        };
        if list.last() != Some(&at) {
            list.push(at);
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether any pattern can begin at a token: most of a text's words are on no shelf of most concepts.
    pub(super) fn begins(&self, text: &Text<'_>, found: &Found, start: usize) -> bool {
        let token = &text.tokens[start];
        let word = token.norm.as_str();
        let marked = |name: usize| found[start].iter().any(|mark| mark.0 == name);
        !self.any.is_empty()
            || !self.words[both_ends(word)].is_empty()
            || !self.beginnings[first_byte(word)].is_empty()
            || !self.endings[last_byte(word)].is_empty()
            || !self.numbers.is_empty() && token.is_number()
            || self.concepts.iter().any(|(name, _)| marked(*name))
    }

    /// Where the patterns that match from token `start` end.
    pub(super) fn ends<'a>(
        &'a self,
        text: &'a Text<'_>,
        found: &'a Found,
        start: usize,
    ) -> impl Iterator<Item = usize> + 'a {
        let token = &text.tokens[start];
        let word = token.norm.as_str();
        let numbers = if token.is_number() { self.numbers.as_slice() } else { &[] };
        let marked = move |name: &usize| found[start].iter().any(|mark| mark.0 == *name);
        let concepts = self.concepts.iter().filter(move |(name, _)| marked(name)).map(|(_, at)| at);
        let written = self.words[both_ends(word)].iter().chain(&self.beginnings[first_byte(word)]);
        let candidates = written.chain(&self.endings[last_byte(word)]).chain(numbers).chain(&self.any).chain(concepts);
        candidates.filter_map(move |at| follow(&self.patterns[*at].elements, text, found, start, start))
    }
}

fn first_byte(word: &str) -> usize {
    word.bytes().next().map_or(0, usize::from)
}

fn last_byte(word: &str) -> usize {
    word.bytes().last().map_or(0, usize::from)
}

/// One of 256 shelves for a word, by its ends.
fn both_ends(word: &str) -> usize {
    (first_byte(word) * 31 + last_byte(word)) % 256
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
