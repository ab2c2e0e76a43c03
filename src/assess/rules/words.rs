//! The plain word lists of `de/words.toml` and the first names of `de/names.txt`, read once.

use serde::Deserialize;
use std::collections::HashSet;
use std::sync::LazyLock;

/// All lists.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words: Words = toml::from_str(include_str!("de/words.toml")).expect("a test reads the word lists");
    words.first_names = include_str!("de/names.txt").split_whitespace().map(super::text::fold).collect();
    words
});

/// Folded words, each list with one job.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    /// Legal forms as single tokens.
    pub forms: HashSet<String>,
    /// Endings (and, if long, beginnings) of words for a kind of business.
    pub trades: Vec<String>,
    /// Kinds of business that alone name nobody.
    pub bare_trades: HashSet<String>,
    /// Before a business these say that it is not the caller's.
    pub not_own: HashSet<String>,
    /// Endings of what a business uses: "Praxisprogramm" is none.
    pub tools: Vec<String>,
    /// Words that make a short line the greeting under a mail.
    pub greetings: HashSet<String>,
    /// Beginnings of words in a line that tells what somebody does, or where.
    pub roles: Vec<String>,
    /// What somebody does, or where: as a whole word.
    pub functions: HashSet<String>,
    /// Endings of such words.
    pub function_endings: Vec<String>,
    /// Before or behind the person to be called back.
    pub asks_for: HashSet<String>,
    /// Greetings and small words beside the names of an introduction.
    pub introduces: HashSet<String>,
    /// Crafts as an apposition to names: "Wolfshöfer und Reim, Rechtsanwälte".
    pub crafts: HashSet<String>,
    /// Trades that have masters: "Bäckermeister".
    pub masters: HashSet<String>,
    /// Endings of adjectives within a company's name.
    pub adjectives: Vec<String>,
    /// First parts of compounds that are no names: a recogniser writes "frucht gummi", "kranken haus".
    pub compound_heads: HashSet<String>,
    /// Last parts of such compounds.
    pub compound_tails: HashSet<String>,
    /// Before a surname.
    pub titles: HashSet<String>,
    /// End a name in text without capitals.
    pub stops: HashSet<String>,
    /// Capitalised, but no part of a name.
    pub no_name: HashSet<String>,
    /// A sentence is likely to begin at one of these before a verb.
    pub pronouns: HashSet<String>,
    /// Verbs behind them.
    pub verbs: HashSet<String>,
    /// What callers agree to; a sentence often begins with it.
    pub nouns: HashSet<String>,
    /// Words after which a sentence does not begin with such a noun.
    pub hold: HashSet<String>,
    /// Words after which no main sentence begins.
    pub subordinate: HashSet<String>,
    /// Begin a sentence by themselves.
    pub starters: HashSet<String>,
    /// Written with a capital inside a row, these begin a sentence: nobody writes them so elsewhere.
    pub capital_starts: HashSet<String>,
    /// Before an adjective these belong to it.
    pub before_adjective: HashSet<String>,
    /// How words of agreement begin.
    pub agrees: Vec<String>,
    /// Begin a noun phrase, and a sentence only where none is under way.
    pub phrases: HashSet<String>,
    /// Finite verbs that wait for an infinitive or a participle.
    pub auxiliaries: HashSet<String>,
    /// What a stretch may hold that leans on its neighbour's agreement: it names, and says nothing of its own.
    pub leaning: HashSet<String>,
    /// Infinitives and participles of agreement.
    pub closes: HashSet<String>,
    /// Stand between two groups of one number.
    pub connectors: HashSet<String>,
    /// A number behind one of these is no telephone number.
    pub other_numbers: HashSet<String>,
    /// Ask to be called on the number that follows.
    pub wanted: HashSet<String>,
    /// Speak against the number beside them.
    pub unwanted: HashSet<String>,
    /// Take back what was said before.
    pub corrects: HashSet<String>,
    /// Given names.
    #[serde(skip)]
    pub first_names: HashSet<String>,
}

impl Words {
    /// Whether a word begins like one of agreement.
    pub(super) fn agreeing(&self, word: &str) -> bool {
        self.agrees.iter().any(|stem| word.starts_with(stem.as_str()))
    }
}

/// The words by which two texts are compared: folded, no punctuation, no form of address, "&" as "und".
pub(in crate::assess) fn compared(text: &str) -> Vec<String> {
    super::text::fold(&text.replace('&', " und "))
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !["herr", "frau", "dr", "doktor"].contains(word))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read_and_hold_no_word_that_is_not_folded() {
        assert!(WORDS.first_names.len() > 300 && WORDS.trades.len() > 50);
        let lists = [&WORDS.titles, &WORDS.no_name, &WORDS.wanted, &WORDS.verbs, &WORDS.first_names];
        for word in lists.into_iter().flatten() {
            assert_eq!(*word, crate::assess::rules::text::fold(word));
        }
    }
}
