//! The person a caller wants to be called back: "rufen Sie Herrn Lother an, nicht mich".

use super::fields::Reader;
use super::words::WORDS;

impl Reader<'_> {
    /// "Bitte rufen Sie Herrn Lother an", "Ansprechpartner ist nicht ich, sondern Herr Saathoff".
    pub(super) fn asked_for(&self) -> Option<String> {
        (0..self.tokens().len()).find_map(|at| {
            let word = self.word(at);
            let before = self.before(at, 1);
            let asks = WORDS.asks_for.contains(word)
                || word == "ask" && self.word(at + 1) == "for"
                || word == "call" && before != "to";
            if !asks || word == "sprechen" && self.word(at + 1) == "sie" && self.word(at + 2) != "mit" {
                return None;
            }
            let (_, to) = self.scene.sentence(at);
            self.wanted(at + 1, to.min(at + 12)).or_else(|| self.to_be_called(at))
        })
    }

    /// The first person in `[from, to)` that is not declined.
    fn wanted(&self, from: usize, to: usize) -> Option<String> {
        for near in from..to {
            let word = self.word(near);
            // "ruf mich an, Thomas"
            let own = matches!(word, "mich" | "uns" | "me" | "us" | "meine" | "ihre" | "mir");
            let declined = near > 0 && self.word(near - 1) == "nicht";
            if own && !declined {
                return None;
            }
            let title = matches!(word, "herrn" | "frau" | "herr" | "monsieur" | "madame" | "doktor" | "dr");
            let given = WORDS.first_names.contains(word) && self.proper(near);
            let apart = self.tokens()[near].clause != self.tokens()[from - 1].clause;
            if (title || given && !apart)
                && !(from..near).any(|i| self.word(i) == "nicht" && !(i..near).any(|k| self.word(k) == "sondern"))
            {
                return if title { self.titled(near, near + 1) } else { self.person(near) };
            }
        }
        None
    }

    /// "Bitte direkt Herrn Quast anrufen", "er heißt Mihai Ionescu, bitte ihn anrufen".
    fn to_be_called(&self, at: usize) -> Option<String> {
        if !matches!(self.word(at), "anrufen" | "zurueckrufen" | "verlangen") {
            return None;
        }
        let (from, _) = self.scene.sentence(at);
        let near = (from.max(at.saturating_sub(6))..at).rev();
        for i in near {
            let kept = i == 0 || !matches!(self.word(i - 1), "von" | "dass" | "nicht" | "hat");
            if matches!(self.word(i), "herrn" | "frau") && kept {
                return self.titled(i, i + 1);
            }
            if self.is_given(i) && kept && self.proper(i) && !matches!(self.word(i), "an") {
                let first = if i > from && self.is_given(i - 1) { i - 1 } else { i };
                return self.person(first);
            }
        }
        let him = (from..at).any(|i| matches!(self.word(i), "ihn" | "sie" | "den"));
        let named = (from..at).find(|i| {
            matches!(self.word(*i), "heisst") && matches!(self.word(i.wrapping_sub(1)), "er" | "sie" | "der" | "die")
        })?;
        him.then(|| self.person(named + 1)).flatten()
    }
}
