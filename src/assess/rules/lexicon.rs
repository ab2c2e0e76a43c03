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
//! | `...` | up to 14 tokens of the same sentence |
//! | `x?` | optional |
//!
//! `except` patterns take a concept back where they overlap it. Every concept carries sentences in which it holds and
//! sentences in which it does not; a test reads them all.

use super::error::{Complaint, RulesError};
use super::pattern::{Found, Index, Pattern, Starts};
use super::text::{Text, Token, word};
use crate::domain::tariff::Cents;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The rule files, in the order in which concepts may refer to each other.
const FILES: [(&str, &str); 7] = [
    ("grammar.toml", include_str!("de/grammar.toml")),
    ("statement.toml", include_str!("de/statement.toml")),
    ("consent.toml", include_str!("de/consent.toml")),
    ("scope.toml", include_str!("de/scope.toml")),
    ("outage.toml", include_str!("de/outage.toml")),
    ("noise.toml", include_str!("de/noise.toml")),
    ("foreign.toml", include_str!("de/foreign.toml")),
];

/// Lists that are not laid over, but belong to the version.
const LISTS: [&str; 4] =
    [include_str!("de/words.toml"), include_str!("de/names.txt"), super::dialect::TABLE, super::language::LIST];

/// The built-in rules.
pub(super) static BUILT_IN: LazyLock<Rules> =
    LazyLock::new(|| Rules::with(&[]).expect("a test compiles the rule files"));

/// Compiled rules: all concepts, and the version of their data.
pub struct Rules {
    concepts: Vec<Compiled>,
    /// Of the concept at `i`: its patterns on shelf `2 * i`, what takes it back on the next.
    patterns: Index,
    names: HashMap<String, usize>,
    pub(super) written: Vec<(String, Concept)>,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    concept: Vec<Concept>,
}

/// A concept as written in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Concept {
    pub name: String,
    #[serde(default)]
    pub language: Option<String>,
    pub patterns: Vec<String>,
    #[serde(default)]
    pub except: Vec<String>,
    pub holds: Vec<String>,
    pub not: Vec<String>,
}

struct Compiled {
    name: usize,
    language: Option<String>,
    /// From a firm's own file, or for one language: its `except` takes back what earlier definitions found, too.
    added: bool,
}

/// A concept found in a text: tokens `[start, end)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
}

/// A text with all its marks.
pub(super) struct Scene<'a> {
    /// The text.
    pub text: Text<'a>,
    /// ISO 639-1.
    pub language: String,
    rules: &'a Rules,
    /// Of every concept, in order.
    marks: Vec<Vec<Mark>>,
}

impl<'a> Scene<'a> {
    /// Finds every concept in a text of this language; sums are judged against the fee.
    pub(super) fn new(rules: &'a Rules, text: Text<'a>, language: &str, fee: Cents) -> Self {
        let marks = rules.marks(&text, language, fee);
        Self { text, language: language.to_owned(), rules, marks }
    }

    /// The marks of one concept, in order.
    pub(super) fn marks<'b>(&'b self, name: &str) -> impl Iterator<Item = &'b Mark> + use<'b, 'a> {
        let name = self.rules.names.get(name).copied();
        debug_assert!(name.is_some(), "no such concept");
        name.into_iter().flat_map(|name| &self.marks[name])
    }

    /// Whether a concept stands anywhere.
    pub(super) fn has(&self, name: &str) -> bool {
        self.marks(name).next().is_some()
    }

    /// Whether a concept touches the tokens `[from, to)`.
    pub(super) fn touches(&self, name: &str, from: usize, to: usize) -> bool {
        self.marks(name).any(|mark| mark.start < to && mark.end > from)
    }

    /// The folded word at a token; empty outside.
    pub(super) fn word(&self, at: usize) -> &str {
        word(&self.text.tokens, at)
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

impl Rules {
    /// The rules that are brought along.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The built-in rules with a firm's own files (name, text) laid over them: a file with a built-in one's name replaces
    /// it; another adds concepts, and patterns to concepts that are there.
    ///
    /// # Errors
    /// Where a file is not TOML or a pattern cannot be read.
    pub fn with(own: &[(String, String)]) -> Result<Self, RulesError> {
        if let Some((file, _)) = own.iter().find(|(name, _)| name == "words.toml") {
            return Err(RulesError::Fixed { file: file.clone() });
        }
        let mut hash = Sha256::new();
        let mut written: Vec<(String, Concept)> = Vec::new();
        for (file, built_in) in FILES {
            let text = own.iter().find(|(name, _)| name == file).map_or(built_in, |(_, text)| text.as_str());
            hash.update(text);
            written.extend(read(file, text)?);
        }
        for (file, text) in own.iter().filter(|(name, _)| FILES.iter().all(|(known, _)| known != name)) {
            hash.update(text);
            for (file, concept) in read(file, text)? {
                let at = place(&written, &concept);
                written.insert(at, (file, concept));
            }
        }
        complete(&written)?;
        for list in LISTS {
            hash.update(list);
        }
        hash.update(env!("CARGO_PKG_VERSION"));
        let version = hash.finalize().iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let mut rules = Self {
            concepts: Vec::new(),
            patterns: Index::default(),
            names: HashMap::new(),
            written: Vec::new(),
            version: format!("{version:08x}"),
        };
        for (file, concept) in &written {
            let added = FILES.iter().all(|(known, _)| known != file) || concept.language.is_some();
            rules.add(concept, added).map_err(|what| RulesError::Pattern {
                file: file.clone(),
                concept: concept.name.clone(),
                what,
            })?;
        }
        rules.written = written;
        Ok(rules)
    }

    /// First eight hex digits of the SHA-256 over all rule data and the program's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many concepts and examples there are.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let examples = self.written.iter().map(|(_, concept)| concept.holds.len() + concept.not.len()).sum();
        (self.names.len(), examples)
    }

    /// Reads every example of every concept; gives those that go wrong.
    #[must_use]
    pub fn check(&self) -> Vec<Complaint> {
        let mut wrong = Vec::new();
        for (file, concept) in &self.written {
            let mut complain =
                |what: String| wrong.push(Complaint { file: file.clone(), concept: concept.name.clone(), what });
            if concept.holds.is_empty() || concept.not.is_empty() {
                complain("give at least one sentence under `holds` and one under `not`".to_owned());
            }
            let language = concept.language.as_deref().and_then(|only| only.split(' ').next()).unwrap_or("de");
            let holds = |text: &str| {
                let text = Text::read(text, language == "de");
                Scene::new(self, text, language, Cents(4800)).has(&concept.name)
            };
            for text in concept.holds.iter().filter(|text| !holds(text)) {
                complain(format!("should hold in: {text}"));
            }
            for text in concept.not.iter().filter(|text| holds(text)) {
                complain(format!("should not hold in: {text}"));
            }
        }
        wrong
    }

    fn add(&mut self, concept: &Concept, added: bool) -> Result<(), String> {
        let next = self.names.len();
        let name = *self.names.entry(concept.name.clone()).or_insert(next);
        let german = concept.language.as_deref().is_none_or(|language| language == "de");
        let parse = |text: &String| {
            Pattern::parse(text, &self.names, german).map_err(|what| format!("pattern {text:?}: {what}"))
        };
        let compile = |list: &[String]| list.iter().map(parse).collect::<Result<Vec<_>, _>>();
        let (patterns, except) = (compile(&concept.patterns)?, compile(&concept.except)?);
        let at = 2 * self.concepts.len();
        for pattern in patterns {
            self.patterns.add(pattern, at);
        }
        for pattern in except {
            self.patterns.add(pattern, at + 1);
        }
        self.concepts.push(Compiled { name, language: concept.language.clone(), added });
        Ok(())
    }

    fn marks(&self, text: &Text<'_>, language: &str, fee: Cents) -> Vec<Vec<Mark>> {
        let mut found: Found = vec![Vec::new(); text.tokens.len()];
        let mut starts = self.patterns.starts(text, 2 * self.concepts.len());
        for (concept, start, end) in super::numbers::amounts(text, fee) {
            if let Some(name) = self.names.get(concept) {
                found[start].push((*name, end));
                self.patterns.found(*name, start, &mut starts);
            }
        }
        for (at, concept) in self.concepts.iter().enumerate() {
            if concept.language.as_deref().is_none_or(|only| only.split(' ').any(|code| code == language)) {
                self.mark(at, text, &mut found, &mut starts);
            }
        }
        let mut marks = vec![Vec::new(); self.names.len()];
        for (start, list) in found.into_iter().enumerate() {
            for (name, end) in list {
                marks[name].push(Mark { start, end });
            }
        }
        marks
    }

    /// Adds the places of the concept at `at` to what is found.
    fn mark(&self, at: usize, text: &Text<'_>, found: &mut Found, starts: &mut Starts) {
        let concept = &self.concepts[at];
        let mut own: Vec<(usize, usize)> = Vec::new();
        let mut begun = std::mem::take(&mut starts[2 * at]);
        begun.sort_unstable();
        for here in begun.chunk_by(|a, b| a.0 == b.0) {
            let start = here[0].0;
            if own.last().is_none_or(|(_, end)| *end <= start) {
                let ends = here.iter().filter_map(|(_, pattern)| self.patterns.end(*pattern, text, found, start));
                own.extend(ends.max().map(|end| (start, end)));
            }
        }
        for (start, end) in &own {
            found[*start].push((concept.name, *end));
            self.patterns.found(concept.name, *start, starts);
        }
        let back = std::mem::take(&mut starts[2 * at + 1]);
        if !back.is_empty() && (!own.is_empty() || concept.added) {
            let until = |(start, pattern)| Some((start, self.patterns.end(pattern, text, found, start)?));
            let taken: Vec<(usize, usize)> = back.into_iter().filter_map(until).collect();
            for (start, list) in found.iter_mut().enumerate() {
                let overlaps = |end: usize| taken.iter().any(|(from, to)| *from < end && *to > start);
                let mine = |end: usize| concept.added || own.contains(&(start, end));
                list.retain(|(name, end)| *name != concept.name || !mine(*end) || !overlaps(*end));
            }
        }
    }
}

/// Where a firm's concept goes: behind its namesake, so that what refers to the concept sees the addition too; a new one
/// behind what it refers to, so that additions may refer to it.
fn place(written: &[(String, Concept)], concept: &Concept) -> usize {
    let namesake = written.iter().rposition(|(_, known)| known.name == concept.name && known.language.is_none());
    let refers = |name: &str| {
        let name = format!("<{name}>");
        concept.patterns.iter().chain(&concept.except).any(|pattern| pattern.contains(&name))
    };
    namesake.or_else(|| written.iter().rposition(|(_, known)| refers(&known.name))).map_or(0, |at| at + 1)
}

/// Whether everything is there that the code asks for: without "negation" every consent would hold.
fn complete(written: &[(String, Concept)]) -> Result<(), RulesError> {
    for (file, text) in FILES {
        for (file, concept) in read(file, text)? {
            if written.iter().all(|(_, known)| known.name != concept.name) {
                let what = "is missing: a file that replaces a built-in one must keep its concepts".to_owned();
                return Err(RulesError::Pattern { file, concept: concept.name, what });
            }
        }
    }
    Ok(())
}

fn read(file: &str, text: &str) -> Result<Vec<(String, Concept)>, RulesError> {
    let read: File =
        toml::from_str(text).map_err(|error| RulesError::Toml { file: file.to_owned(), error: Box::new(error) })?;
    Ok(read.concept.into_iter().map(|concept| (file.to_owned(), concept)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str) -> [(String, String); 1] {
        [("own.toml".to_owned(), text.to_owned())]
    }

    #[test]
    fn every_concept_holds_in_its_examples_and_in_none_of_its_counterexamples() {
        let wrong = Rules::built_in().check();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_firms_own_file_adds_to_a_concept_and_is_seen_by_those_that_refer_to_it() {
        let rules = Rules::with(&own(r#"
            [[concept]]
            name = "emergency"
            patterns = ["code rot"]
            holds = ["wir haben Code Rot"]
            not = ["das rote Kabel"]
            "#))
        .unwrap();
        assert!(rules.check().is_empty() && rules.version() != Rules::built_in().version());
        let scene = Scene::new(&rules, Text::new("Das ist kein Code Rot."), "de", Cents(4800));
        assert!(scene.has("no_emergency"));
    }

    #[test]
    fn a_bad_rule_file_is_named_with_what_is_wrong() {
        let concept = |patterns: &str, holds: &str| {
            own(&format!("[[concept]]\nname = \"x\"\npatterns = [{patterns}]\nholds = [{holds}]\nnot = [\"b\"]"))
        };
        let error = Rules::with(&concept("\"<unheard>\"", "\"a\"")).err().unwrap().to_string();
        assert!(error.contains("own.toml") && error.contains("unheard"), "{error}");
        assert!(Rules::with(&own("concept = 1")).err().unwrap().to_string().contains("own.toml"));
        let replaced = [("scope.toml".to_owned(), concept("\"b\"", "\"b\"")[0].1.clone())];
        let error = Rules::with(&replaced).err().unwrap().to_string();
        assert!(error.contains("must keep"), "{error}");
        let wrong = Rules::with(&concept("\"b\"", "\"a\"")).unwrap().check();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
    }
}
