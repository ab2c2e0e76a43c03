//! Concepts ("fee", "agree", "condition") as patterns in TOML, compiled once, and where they stand in a text.
//!
//! A pattern is a row of elements, matched against tokens:
//!
//! | element | matches |
//! | --- | --- |
//! | `word` | this word (folded: `ae` for `ä`) |
//! | `word*`, `*word`, `*word*` | a word that begins, ends with or contains it |
//! | `~word` | a keyword: inflected, misheard by a letter or two, split over up to four tokens, or joined |
//! | `a\|b` | either |
//! | `#` | a number in digits |
//! | `<name>` | an earlier concept |
//! | `..` | up to four tokens of the same clause |
//! | `...` | up to ten tokens of the same sentence |
//! | `x?` | optional |
//!
//! `except` patterns take a concept back where they overlap it. Every concept carries sentences in which it holds and
//! sentences in which it does not; a test reads them all.

use super::pattern::{Found, Index, Pattern};
use super::text::{Text, Token};
use crate::domain::tariff::Cents;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The rule files, in the order in which concepts may refer to each other.
const FILES: [(&str, &str); 6] = [
    ("statement.toml", include_str!("de/statement.toml")),
    ("consent.toml", include_str!("de/consent.toml")),
    ("scope.toml", include_str!("de/scope.toml")),
    ("outage.toml", include_str!("de/outage.toml")),
    ("noise.toml", include_str!("de/noise.toml")),
    ("foreign.toml", include_str!("de/foreign.toml")),
];

/// The compiled rules.
pub(super) static LEXICON: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::read().expect("a test compiles the rule files"));

/// All concepts, and the version of their data.
pub(super) struct Lexicon {
    concepts: Vec<Compiled>,
    names: Vec<String>,
    /// First eight hex digits of the data's SHA-256.
    pub version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    concept: Vec<Concept>,
}

/// A concept as written in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Concept {
    name: String,
    #[serde(default)]
    language: Option<String>,
    patterns: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are read by a test"))]
    holds: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples are read by a test"))]
    not: Vec<String>,
}

struct Compiled {
    name: usize,
    language: Option<String>,
    patterns: Index,
    except: Index,
}

/// A concept found in a text: tokens `[start, end)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Index of the concept's name.
    name: usize,
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
}

/// A text with all its marks.
pub(super) struct Scene<'a> {
    /// The text.
    pub text: Text<'a>,
    marks: Vec<Mark>,
}

impl<'a> Scene<'a> {
    /// Finds every concept in a text of this language; sums are judged against the fee.
    pub(super) fn new(text: Text<'a>, language: &'static str, fee: Cents) -> Self {
        let marks = LEXICON.marks(&text, language, fee);
        Self { text, marks }
    }

    /// The marks of one concept, in order.
    pub(super) fn marks<'b>(&'b self, name: &str) -> impl Iterator<Item = &'b Mark> + use<'b, 'a> {
        let name = LEXICON.names.iter().position(|known| known == name);
        debug_assert!(name.is_some(), "no such concept");
        self.marks.iter().filter(move |mark| Some(mark.name) == name)
    }

    /// Whether a concept stands anywhere.
    pub(super) fn has(&self, name: &str) -> bool {
        self.marks(name).next().is_some()
    }

    /// Whether a concept touches the tokens `[from, to)`.
    pub(super) fn touches(&self, name: &str, from: usize, to: usize) -> bool {
        self.marks(name).any(|mark| mark.start < to && mark.end > from)
    }

    /// Token range of the clause around a token.
    pub(super) fn clause(&self, at: usize) -> (usize, usize) {
        self.stretch(at, |token| token.clause)
    }

    /// Token range of the sentence around a token.
    pub(super) fn sentence(&self, at: usize) -> (usize, usize) {
        self.stretch(at, |token| token.sentence)
    }

    fn stretch(&self, at: usize, key: impl Fn(&Token) -> usize) -> (usize, usize) {
        let tokens = &self.text.tokens;
        let Some(here) = tokens.get(at).map(&key) else { return (at, at) };
        let from = tokens[..at].iter().rposition(|token| key(token) != here).map_or(0, |p| p + 1);
        let to = tokens[at..].iter().position(|token| key(token) != here).map_or(tokens.len(), |p| at + p);
        (from, to)
    }

    /// Whether the sentence of this token ends in a question mark.
    pub(super) fn asks(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|token| self.text.asks.get(token.sentence) == Some(&true))
    }
}

impl Lexicon {
    fn read() -> Result<Self, String> {
        let mut lexicon = Self { concepts: Vec::new(), names: Vec::new(), version: String::new() };
        let mut hash = Sha256::new();
        for (file, data) in FILES {
            hash.update(data);
            let read: File = toml::from_str(data).map_err(|error| format!("{file}: {error}"))?;
            for concept in read.concept {
                lexicon.add(&concept).map_err(|error| format!("{file}: {}: {error}", concept.name))?;
            }
        }
        let version = hash.finalize().iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        lexicon.version = format!("{version:08x}");
        Ok(lexicon)
    }

    fn add(&mut self, concept: &Concept) -> Result<(), String> {
        let name = self.names.iter().position(|known| *known == concept.name).unwrap_or_else(|| {
            self.names.push(concept.name.clone());
            self.names.len() - 1
        });
        let compile =
            |list: &[String]| list.iter().map(|text| Pattern::parse(text, &self.names)).collect::<Result<Vec<_>, _>>();
        let (patterns, except) = (Index::new(compile(&concept.patterns)?), Index::new(compile(&concept.except)?));
        self.concepts.push(Compiled { name, language: concept.language.clone(), patterns, except });
        Ok(())
    }

    fn marks(&self, text: &Text<'_>, language: &str, fee: Cents) -> Vec<Mark> {
        let mut found: Found = vec![Vec::new(); text.tokens.len()];
        for (concept, start, end) in super::numbers::amounts(text, fee) {
            let name = self.names.iter().position(|name| name == concept);
            found[start].extend(name.map(|name| (name, end)));
        }
        for concept in &self.concepts {
            if concept.language.as_deref().is_none_or(|only| only == language) {
                concept.mark(text, &mut found);
            }
        }
        let marks = found.into_iter().enumerate();
        marks.flat_map(|(start, list)| list.into_iter().map(move |(name, end)| Mark { name, start, end })).collect()
    }
}

impl Compiled {
    /// Adds this concept's places to what is found.
    fn mark(&self, text: &Text<'_>, found: &mut Found) {
        let mut own: Vec<(usize, usize)> = Vec::new();
        for start in 0..text.tokens.len() {
            if own.last().is_none_or(|(_, end)| *end <= start) {
                own.extend(self.patterns.ends(text, found, start).max().map(|end| (start, end)));
            }
        }
        for (start, end) in &own {
            found[*start].push((self.name, *end));
        }
        if own.is_empty() || self.except.is_empty() {
            return;
        }
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for start in 0..text.tokens.len() {
            taken.extend(self.except.ends(text, found, start).map(|end| (start, end)));
        }
        for (start, end) in own {
            if taken.iter().any(|(from, to)| *from < end && *to > start) {
                found[start].retain(|mark| *mark != (self.name, end));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_concept_holds_in_its_examples_and_in_none_of_its_counterexamples() {
        let mut wrong = Vec::new();
        for (file, data) in FILES {
            let read: File = toml::from_str(data).unwrap();
            for concept in read.concept {
                assert!(!concept.holds.is_empty() && !concept.not.is_empty(), "{file} {}: no examples", concept.name);
                let language: &'static str = concept.language.clone().map_or("de", |l| Box::leak(l.into_boxed_str()));
                for (example, want) in
                    concept.holds.iter().map(|e| (e, true)).chain(concept.not.iter().map(|e| (e, false)))
                {
                    if Scene::new(Text::new(example), language, Cents(4800)).has(&concept.name) != want {
                        wrong.push(format!(
                            "{file} {} should {}hold: {example}",
                            concept.name,
                            if want { "" } else { "not " }
                        ));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
