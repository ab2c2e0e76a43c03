//! What recognisers are known to invent where nobody speaks, as data, one file a language. Pure.
//!
//! Every language counts whatever was asked for: an invention keeps to none.

use serde::Deserialize;
use std::sync::LazyLock;

const FILES: [(&str, &str); 7] = [
    ("de", include_str!("de.toml")),
    ("en", include_str!("en.toml")),
    ("fr", include_str!("fr.toml")),
    ("it", include_str!("it.toml")),
    ("pl", include_str!("pl.toml")),
    ("ru", include_str!("ru.toml")),
    ("tr", include_str!("tr.toml")),
];

static KNOWN: LazyLock<Known> = LazyLock::new(|| Known::read().expect("a test reads the files"));

/// Phrases as [`plain`] words, joined by blanks.
struct Known {
    anywhere: Vec<String>,
    alone: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    invention: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    kind: Kind,
    source: String,
    texts: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Nobody says it to a mailbox.
    Anywhere,
    /// Callers say it too: an invention only as the whole text.
    Alone,
}

impl Known {
    fn read() -> Result<Self, String> {
        let mut known = Self { anywhere: Vec::new(), alone: Vec::new() };
        for (language, text) in FILES {
            let file: File = toml::from_str(text).map_err(|error| format!("{language}: {error}"))?;
            for group in file.invention {
                if group.source.trim().is_empty() {
                    return Err(format!("{language}: a group without a source"));
                }
                let list = if group.kind == Kind::Alone { &mut known.alone } else { &mut known.anywhere };
                list.extend(group.texts.iter().map(|text| plain(text).join(" ")));
            }
        }
        Ok(known)
    }
}

/// Lower-case words without punctuation.
#[must_use]
pub(super) fn plain(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Whether known inventions make up a third of a text of [`plain`] words, or are all of it.
#[must_use]
pub(super) fn is_invention(words: &[String]) -> bool {
    let text = words.join(" ");
    if KNOWN.alone.contains(&text) {
        return true;
    }
    let padded = format!(" {text} ");
    let mut covered = vec![false; padded.len()];
    for phrase in KNOWN.anywhere.iter().map(|phrase| format!(" {phrase} ")) {
        for (at, found) in padded.match_indices(&phrase) {
            covered[at..at + found.len() - 1].fill(true);
        }
    }
    covered.iter().filter(|covered| **covered).count() * 3 > text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_no_phrase_is_empty_or_stands_twice() {
        let known = Known::read().unwrap();
        let mut all: Vec<&String> = known.anywhere.iter().chain(&known.alone).collect();
        assert!(all.len() > 60 && all.iter().all(|phrase| !phrase.is_empty()), "{all:?}");
        all.sort();
        let twice: Vec<_> = all.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn a_phrase_in_a_message_is_none_and_the_same_alone_is() {
        let judged = |text: &str| is_invention(&plain(text));
        assert!(judged("Danke schön!") && judged("Thank you.") && judged("Спасибо."));
        assert!(!judged("Danke schön, Vogel hier, bitte um Rückruf."));
        assert!(judged("Altyazı M.K.") && judged("Субтитры сделал DimaTorzok"));
        assert!(judged("Also. Napisy stworzone przez społeczność Amara.org"));
    }
}
