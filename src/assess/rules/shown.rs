//! The rules as they are written, for people to read.

use super::Rules;

/// A concept as it is written, with the sentences in which it holds and those in which it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Name of its file.
    pub file: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Only for messages in these languages.
    pub language: Option<&'a str>,
    /// Its patterns.
    pub patterns: &'a [String],
    /// What takes it back.
    pub except: &'a [String],
    /// Sentences in which it holds.
    pub holds: &'a [String],
    /// Sentences in which it does not.
    pub not: &'a [String],
}

impl Rules {
    /// Every concept, in the order in which they are read.
    pub fn shown(&self) -> impl Iterator<Item = Shown<'_>> {
        self.written.iter().map(|(file, concept)| Shown {
            file,
            name: &concept.name,
            language: concept.language.as_deref(),
            patterns: &concept.patterns,
            except: &concept.except,
            holds: &concept.holds,
            not: &concept.not,
        })
    }
}
