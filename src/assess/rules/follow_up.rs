//! Is a later message about the same trouble as an earlier one of the same caller?
//!
//! Same: it describes no trouble of its own, or nothing in its description is foreign to the earlier text, or most of it is
//! not. Not the same where it says so itself ("ein weiteres Problem"). When in doubt it is not: a second case wakes
//! somebody, a wrong join would not.

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

/// Beginnings of words that stand in every description and make no two alike. One that is missing here only makes a
/// message a case of its own.
const COMMON: [&str; 136] = [
    "abend",
    "aber",
    "aktuell",
    "alle",
    "also",
    "angeruf",
    "anlage",
    "anruf",
    "arbeit",
    "auch",
    "ausfall",
    "ausgefall",
    "beim",
    "bereits",
    "betrieb",
    "betriebskrit",
    "bitte",
    "bleib",
    "bleibt",
    "brauch",
    "dann",
    "dass",
    "dein",
    "denn",
    "doch",
    "dort",
    "dringend",
    "eben",
    "eigentlich",
    "einem",
    "einen",
    "einer",
    "endlich",
    "euch",
    "eure",
    "fehler",
    "firma",
    "funktionier",
    "furchtbar",
    "ganz",
    "gehen",
    "geht",
    "gemeld",
    "gerade",
    "gesamt",
    "geschaeftskrit",
    "gestern",
    "gibt",
    "haben",
    "haette",
    "hatte",
    "heute",
    "hier",
    "hilfe",
    "ihnen",
    "ihre",
    "immer",
    "immernoch",
    "irgend",
    "jetzt",
    "kann",
    "kaputt",
    "kein",
    "koenn",
    "komm",
    "komplett",
    "krit",
    "laeuft",
    "lange",
    "lauft",
    "leider",
    "liegt",
    "mehr",
    "mein",
    "meine",
    "melde",
    "minut",
    "mitarbeiter",
    "mittag",
    "morgen",
    "muss",
    "nach",
    "nachmittag",
    "nachricht",
    "nicht",
    "nichts",
    "niemand",
    "noch",
    "notfall",
    "notruf",
    "ploetzlich",
    "problem",
    "rueckruf",
    "schlimm",
    "schnell",
    "schon",
    "sehr",
    "seit",
    "selbst",
    "sich",
    "sind",
    "sofort",
    "soll",
    "sonst",
    "stehen",
    "steht",
    "still",
    "stoer",
    "stund",
    "system",
    "tagen",
    "total",
    "ueber",
    "unser",
    "unternehmenskrit",
    "vielleicht",
    "vorhin",
    "vormittag",
    "waere",
    "wann",
    "warte",
    "warum",
    "wegen",
    "weil",
    "weiter",
    "welche",
    "wenn",
    "werden",
    "wieder",
    "wird",
    "wirklich",
    "wollt",
    "worden",
    "wurde",
    "zurueck",
    "zustand",
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
    let before = stems(earlier.text);
    let now = later.description.map(stems).unwrap_or_default();
    let shared = now.intersection(&before).count();
    let foreign = now.len() - shared;
    foreign == 0 || (shared >= 2 && shared > foreign)
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
        let waits = "Es hat noch niemand zurückgerufen, der Zustand ist furchtbar.";
        assert!(same(waits, Some(waits)));
        assert!(same("Das Internet geht immer noch nicht.", Some("Das Internet geht immer noch nicht.")));
    }

    #[test]
    fn who_tells_something_else_does_not() {
        for other in [
            "Jetzt ist der Server ausgefallen.",
            "Der Server läuft nicht mehr.",
            "Jetzt geht der Server nicht mehr.",
            "Seit vorhin ist auch unser Server ausgefallen, die Produktion steht.",
            "Der Server ist abgestürzt, das Internet geht weiterhin nicht.",
            "Meine Mailbox ist leer und der Server ist tot.",
            "Die Telefonanlage klingelt nicht mehr.",
        ] {
            assert!(!same(other, Some(other)), "{other}");
        }
        assert!(!same("Wir haben noch ein Problem mit dem Internet.", Some("Problem mit dem Internet")));
    }

    #[test]
    fn two_transcriptions_of_one_message_have_nearly_all_words_in_common() {
        assert!(same_words(EARLIER, &EARLIER.replace("tot", "Tod")));
        assert!(!same_words(EARLIER, "Hier Rossmeisl. Jetzt ist auch der Server ausgefallen."));
    }
}
