//! Dialect and everyday spellings as the standard words that the rules know: "mia ham koan Strom" is "wir haben keinen
//! Strom". Data in `de/dialect.toml`. Quotes keep the caller's own words; only what is compared changes.

use super::text::fold;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The table as written, for the rules' version.
pub(super) const TABLE: &str = include_str!("de/dialect.toml");

static STANDARD: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let table: HashMap<String, String> = toml::from_str(TABLE).expect("a test reads the table");
    let spelled = table.iter().flat_map(|(standard, spellings)| {
        let words: Vec<String> = standard.split(' ').map(fold).collect();
        spellings.split(' ').map(move |spelling| (fold(spelling), words.clone()))
    });
    spelled.collect()
});

static FEE: LazyLock<[String; 1]> = LazyLock::new(|| ["achtundvierzig".to_owned()]);

static AGREED: LazyLock<[String; 1]> = LazyLock::new(|| ["einverstanden".to_owned()]);

/// The standard word (or the two words of a contraction) for a folded spelling; `None`: it is standard itself.
pub(super) fn standard(word: &str) -> Option<&'static [String]> {
    let listed = STANDARD.get(word).map(Vec::as_slice);
    listed.or_else(|| agreed(word).then_some(AGREED.as_slice())).or_else(|| fee(word).then_some(FEE.as_slice()))
}

/// "Achdavierzg", "achtnvierzsch": the sum that everybody has to name.
fn fee(word: &str) -> bool {
    word.starts_with("ach")
        && ["vierz", "fierz", "virz", "vaerz", "verz"].iter().any(|ten| word.contains(ten))
        && word.len() <= 18
        && !word.contains("ig")
        && !word.contains("stel")
}

/// "Eiverschtanda", "einverstanna", "averstande": every valley says it in its own way, and its consonants stay.
fn agreed(word: &str) -> bool {
    if !word.starts_with(['a', 'e', 'i', 'o']) || !word.contains("ver") && !word.contains("vr") || word.len() > 16 {
        return false;
    }
    let soft = word.replace("sch", "s").replace('d', "t");
    let mut bones: Vec<char> = soft.chars().filter(|c| !"aeiouy".contains(*c)).collect();
    bones.dedup();
    let bones: String = bones.into_iter().collect();
    word != "einverstanden"
        && matches!(bones.as_str(), "nvrstntn" | "nvrstnt" | "nvrstn" | "vrstntn" | "vrstnt" | "vrstn")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreed_in_every_valley_and_understood_in_none() {
        for word in ["eiverschtanda", "einverstanna", "averstande", "iverstande", "oiverschtande", "eenverstaan"] {
            assert!(agreed(word), "{word}");
        }
        for word in ["verstanden", "unverstanden", "einverstanden", "einverständnis", "einverleibt"] {
            assert!(!agreed(word), "{word}");
        }
    }

    #[test]
    fn no_spelling_is_listed_twice_or_is_a_standard_word_of_the_table() {
        let table: HashMap<String, String> = toml::from_str(TABLE).unwrap();
        let spellings = table.values().map(|list| list.split(' ').count()).sum::<usize>();
        assert_eq!(STANDARD.len(), spellings);
        for standard in table.keys() {
            let words: Vec<&str> = standard.split(' ').collect();
            assert!(words.len() < 3, "{standard}");
            assert!(words.iter().all(|word| STANDARD.get(&fold(word)).is_none()), "{standard}");
        }
    }
}
