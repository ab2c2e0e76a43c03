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

/// All patterns by what they begin with: a token names those that can begin there, so that nobody asks every pattern at
/// every token. A shelf is whatever its owner keeps apart: here a concept's patterns, or what takes it back.
#[derive(Default)]
pub(super) struct Index {
    patterns: Vec<Pattern>,
    /// The shelf of each pattern.
    shelves: Vec<usize>,
    words: HashMap<String, Vec<usize>>,
    prefixes: HashMap<String, Vec<usize>>,
    suffixes: HashMap<String, Vec<usize>>,
    parts: Vec<(String, usize)>,
    /// By the first byte of the keyword.
    keywords: Vec<Vec<(String, usize)>>,
    numbers: Vec<usize>,
    /// By the concept.
    concepts: Vec<Vec<usize>>,
}

/// Where patterns may begin, for every shelf: `(token, pattern)`.
pub(super) type Starts = Vec<Vec<(usize, usize)>>;

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
    /// Takes a pattern onto a shelf.
    pub(super) fn add(&mut self, pattern: Pattern, onto: usize) {
        let at = self.patterns.len();
        if let Some(Element::One { choices, .. }) = pattern.elements.first() {
            for choice in choices {
                self.sort_in(choice, at);
            }
        }
        self.patterns.push(pattern);
        self.shelves.push(onto);
    }

    fn sort_in(&mut self, choice: &Choice, at: usize) {
        match choice {
            Choice::Exact(word) => self.words.entry(word.clone()).or_default().push(at),
            Choice::Prefix(word) => self.prefixes.entry(word.clone()).or_default().push(at),
            Choice::Suffix(word) => self.suffixes.entry(word.clone()).or_default().push(at),
            Choice::Contains(word) => self.parts.push((word.clone(), at)),
            Choice::Number => self.numbers.push(at),
            Choice::Keyword(word) => {
                self.keywords.resize_with(256, Vec::new);
                self.keywords[first_byte(word)].push((word.clone(), at));
            }
            Choice::Concept(name) => {
                let known = self.concepts.len().max(name + 1);
                self.concepts.resize_with(known, Vec::new);
                self.concepts[*name].push(at);
            }
        }
    }

    /// Where patterns begin with a word of the text. Those that begin with a concept follow by [`Self::found`].
    pub(super) fn starts(&self, text: &Text<'_>, shelves: usize) -> Starts {
        let mut starts = vec![Vec::new(); shelves];
        let mut named: Vec<usize> = Vec::new();
        for (start, token) in text.tokens.iter().enumerate() {
            self.named(token, &text.tokens[start..], &mut named);
            named.sort_unstable();
            named.dedup();
            named.drain(..).for_each(|pattern| starts[self.shelves[pattern]].push((start, pattern)));
        }
        starts
    }

    /// The patterns that this token can begin.
    fn named(&self, token: &Token, rest: &[Token], named: &mut Vec<usize>) {
        let word = token.norm.as_str();
        named.extend(self.words.get(word).into_iter().flatten());
        for (at, _) in word.char_indices() {
            named.extend(self.suffixes.get(&word[at..]).into_iter().flatten());
            named.extend(self.prefixes.get(&word[..at]).into_iter().flatten());
        }
        named.extend(self.prefixes.get(word).into_iter().flatten());
        named.extend(self.parts.iter().filter(|(part, _)| word.contains(part.as_str())).map(|(_, at)| at));
        let alike = self.keywords.get(first_byte(word)).into_iter().flatten();
        named.extend(alike.filter(|(keyword, _)| keyword_end(keyword, rest).is_some()).map(|(_, at)| at));
        if token.is_number() {
            named.extend(&self.numbers);
        }
    }

    /// A concept is found at a token: what begins with it can begin there.
    pub(super) fn found(&self, name: usize, start: usize, starts: &mut Starts) {
        for pattern in self.concepts.get(name).into_iter().flatten() {
            starts[self.shelves[*pattern]].push((start, *pattern));
        }
    }

    /// Where a pattern that matches from token `start` ends.
    pub(super) fn end(&self, pattern: usize, text: &Text<'_>, found: &Found, start: usize) -> Option<usize> {
        follow(&self.patterns[pattern].elements, text, found, start, start)
    }
}

fn first_byte(word: &str) -> usize {
    word.bytes().next().map_or(0, usize::from)
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
