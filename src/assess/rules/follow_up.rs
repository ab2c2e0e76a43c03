//! Is a later message about the same trouble as an earlier one of the same caller?
//!
//! Same: it tells no trouble of its own, refers back ("immer noch", "noch niemand zurückgerufen"), or its description shares
//! what the earlier one was about. Not the same where it says so itself ("ein weiteres Problem"). When in doubt it is not: a
//! second case wakes somebody, a wrong join would not.

use super::text::fold;
use std::collections::HashSet;

/// What is compared of a message.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The whole text.
    pub text: &'a str,
    /// The sentences that describe the fault.
    pub description: Option<&'a str>,
}

/// Says that it is something else.
const ANOTHER: [&str; 16] = [
    "anderes problem",
    "neues problem",
    "weiteres problem",
    "zweites problem",
    "noch ein problem",
    "andere stoerung",
    "neue stoerung",
    "weitere stoerung",
    "noch eine stoerung",
    "zweiter notfall",
    "weiterer notfall",
    "anderer notfall",
    "noch ein notfall",
    "neuer notfall",
    "was anderes",
    "diesmal ist es",
];

/// Refers back to an earlier message.
const BACK: [&str; 22] = [
    "immer noch",
    "nach wie vor",
    "weiterhin",
    "vorhin",
    "wie besprochen",
    "noch mal angerufen",
    "nochmal angerufen",
    "bereits angerufen",
    "schon angerufen",
    "schon mal angerufen",
    "meine nachricht",
    "meine mail",
    "meine letzte",
    "meinen anruf",
    "noch niemand",
    "noch keiner",
    "noch nichts gehoert",
    "wo bleib",
    "warte noch",
    "warten noch",
    "nachfragen",
    "hat sich erledigt",
];

/// Words that stand in every description and make no two alike.
const COMMON: [&str; 60] = [
    "abend",
    "aktuell",
    "alle",
    "alles",
    "anlage",
    "arbeiten",
    "ausfall",
    "ausgefallen",
    "betrieb",
    "betriebskrit",
    "bitte",
    "dringend",
    "einem",
    "einen",
    "einer",
    "euch",
    "fehler",
    "firma",
    "funktionieren",
    "funktioniert",
    "gesamte",
    "geschaeftskrit",
    "haben",
    "heute",
    "ihnen",
    "immer",
    "jetzt",
    "kaputt",
    "keine",
    "koennen",
    "komplett",
    "krit",
    "leider",
    "mehr",
    "melden",
    "minuten",
    "mitarbeiter",
    "mittag",
    "morgen",
    "nachmittag",
    "nicht",
    "nichts",
    "niemand",
    "notfall",
    "notruf",
    "ploetzlich",
    "problem",
    "schnell",
    "seit",
    "steht",
    "still",
    "stoerung",
    "stunde",
    "system",
    "unser",
    "unsere",
    "unternehmenskrit",
    "vormittag",
    "wieder",
    "wirklich",
];

/// Letters that make two forms of a word the same ("Server", "Servern").
const STEM: usize = 5;

/// Whether `later` is about the trouble that `earlier` told.
#[must_use]
pub fn same_trouble(earlier: Told<'_>, later: Told<'_>) -> bool {
    let text = spaced(later.text);
    if ANOTHER.iter().any(|phrase| text.contains(phrase)) {
        return false;
    }
    let Some(description) = later.description else { return true };
    if BACK.iter().any(|phrase| text.contains(phrase)) {
        return true;
    }
    let before = stems(earlier.text);
    let now = stems(description);
    let shared = now.intersection(&before).count();
    shared > 0 && shared * 2 >= now.len()
}

/// Whether two texts are the same message in two transcriptions: nearly all words in common.
#[must_use]
pub fn same_words(one: &str, other: &str) -> bool {
    let words = |text: &str| spaced(text).split(' ').map(str::to_owned).collect::<HashSet<_>>();
    let (one, other) = (words(one), words(other));
    let shared = one.intersection(&other).count();
    shared >= 5 && shared * 5 >= one.len().max(other.len()) * 4
}

/// Folded words with single blanks between.
fn spaced(text: &str) -> String {
    let folded = fold(text);
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn stems(text: &str) -> HashSet<String> {
    let spaced = spaced(text);
    let telling = |word: &&str| word.chars().count() >= 4 && !COMMON.iter().any(|common| word.starts_with(common));
    spaced.split(' ').filter(telling).map(|word| word.chars().take(STEM).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str =
        "Hier Rossmeisl. Das Internet ist seit heute Mittag komplett tot, die Leitstelle läuft darüber.";

    fn same(later: &str, description: Option<&str>) -> bool {
        same_trouble(Told { text: EARLIER, description: None }, Told { text: later, description })
    }

    #[test]
    fn who_asks_where_we_are_means_the_same() {
        assert!(same("Ich noch mal, wo bleibt ihr denn?", None));
        assert!(same(
            "Es hat noch niemand zurückgerufen, der Zustand ist furchtbar.",
            Some("der Zustand ist furchtbar")
        ));
        assert!(same("Das Internet geht nicht.", Some("Das Internet geht nicht.")));
    }

    #[test]
    fn who_tells_something_else_does_not() {
        assert!(!same("Jetzt ist der Server ausgefallen.", Some("Jetzt ist der Server ausgefallen.")));
        assert!(!same("Wir haben noch ein Problem mit dem Internet.", Some("Problem mit dem Internet")));
        assert!(!same("Die Telefonanlage klingelt nicht mehr.", Some("Die Telefonanlage klingelt nicht mehr.")));
    }

    #[test]
    fn two_transcriptions_of_one_message_have_nearly_all_words_in_common() {
        assert!(same_words(EARLIER, &EARLIER.replace("tot", "Tod")));
        assert!(!same_words(EARLIER, "Hier Rossmeisl. Jetzt ist auch der Server ausgefallen."));
    }
}
