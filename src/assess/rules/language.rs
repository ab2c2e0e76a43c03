//! Which language a message is in, by its small words (`de/languages.txt`) or its letters.
//!
//! German wherever nothing speaks against it: this is a German firm's mailbox, and an unknown language is listened to by a human.

use super::text::{Text, fold};
use std::collections::HashSet;
use std::sync::LazyLock;

/// One language a line: its code, then its small words.
pub(super) const LIST: &str = include_str!("de/languages.txt");

static WORDS: LazyLock<Vec<(&'static str, HashSet<String>)>> = LazyLock::new(|| {
    let lines = LIST.lines().filter_map(|line| line.split_once(": "));
    lines.map(|(code, words)| (code, words.split_whitespace().map(fold).collect())).collect()
});

/// Letters that only one language here is written in.
const SCRIPTS: [(&str, char, char); 5] = [
    ("el", '\u{370}', '\u{3ff}'),
    ("he", '\u{590}', '\u{5ff}'),
    ("ar", '\u{600}', '\u{6ff}'),
    ("zh", '\u{4e00}', '\u{9fff}'),
    ("ja", '\u{3040}', '\u{30ff}'),
];

/// What the rules understand well enough to let a message wait for the morning.
pub(super) fn understood(code: &str) -> bool {
    matches!(code, "de" | "en" | "tr" | "pl")
}

/// ISO 639-1 code of a text's language.
pub(super) fn of(text: &Text<'_>) -> &'static str {
    let own = || text.tokens.iter().filter(|t| !t.signature && !t.forwarded).map(|t| t.norm.as_str());
    let all = || text.tokens.iter().filter(|t| !t.signature).map(|t| t.norm.as_str());
    let mut tokens: Vec<&str> = if own().count() > 3 { own().collect() } else { all().collect() };
    // Each word once: in dialect a single "de" or "a" stands for every article.
    tokens.sort_unstable();
    tokens.dedup();
    let script = SCRIPTS.iter().find(|(_, from, to)| {
        let written = |token: &&&str| token.starts_with(|c: char| (*from..=*to).contains(&c));
        tokens.iter().filter(written).count() * 2 > tokens.len()
    });
    if let Some((code, ..)) = script {
        return code;
    }
    let count = |words: &HashSet<String>| tokens.iter().filter(|token| words.contains(**token)).count();
    let german = WORDS.iter().find(|(code, _)| *code == "de").map_or(0, |(_, words)| count(words));
    let likely = WORDS.iter().filter(|(code, _)| *code != "de").map(|(code, words)| (*code, count(words)));
    // The first of equals: the list begins with the more frequent callers.
    let best = likely.rev().max_by_key(|(_, hits)| *hits);
    let enough = |hits: usize| hits > german && (hits >= 3 || hits == 2 && german == 0 && tokens.len() <= 8);
    best.filter(|(_, hits)| enough(*hits)).map_or("de", |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_tell_the_language() {
        for (text, want) in [
            ("", "de"),
            ("Unternehmenskritischer Notfall, Server tot", "de"),
            ("Good evening, this is Harriet, I need to report a business-critical emergency", "en"),
            ("Dzień dobry, nasz serwer nie odpowiada i cała firma stoi, to jest awaria", "pl"),
            ("Bonsoir, nous avons une urgence, merci de rappeler notre bureau", "fr"),
            ("Bună seara, serverul nu mai pornește și toată firma stă", "ro"),
            ("Καλησπέρα, ο διακομιστής δεν λειτουργεί", "el"),
        ] {
            assert_eq!(of(&Text::new(text)), want, "{text}");
        }
    }
}
