//! The person a caller wants to be called back: "rufen Sie Herrn Lother an, nicht mich".

use super::fields::Reader;
use super::text::Token;
use super::words::WORDS;

impl Reader<'_> {
    /// "Bitte rufen Sie Herrn Lother an", "Ansprechpartner ist nicht ich, sondern Herr Saathoff".
    pub(super) fn asked_for(&self) -> Option<String> {
        let away = [
            "urlaub",
            "abwesend",
            "abwesenheit",
            "elternzeit",
            "fortbildung",
            "mutterschutz",
            "vertretung",
            "vertreter",
        ];
        let out = |at: usize| {
            away.contains(&self.word(at))
                || self.word(at) == "nicht"
                    && matches!(
                        (self.word(at + 1), self.word(at + 2)),
                        ("im" | "am", "buero" | "haus" | "hause" | "dienst" | "arbeitsplatz")
                    )
        };
        let away = (0..self.tokens().len()).any(out);
        (0..self.tokens().len()).find_map(|at| {
            let word = self.word(at);
            let before = self.before(at, 1);
            let asks = self.before_a_number(at)
                || WORDS.asks_for.contains(word)
                || matches!((before, word), ("ask", "for") | ("back" | "speak" | "talk", "to"))
                || matches!(word, "call" | "ring" | "phone" | "contact") && before != "to"
                || matches!(word, "anruf" | "zurueckgerufen" | "angerufen");
            if !asks
                || away && word == "wenden"
                || word == "ruft" && matches!(before, "da" | "dann" | "jetzt" | "mich" | "uns" | "gerade")
                || word == "sprechen" && self.word(at + 1) == "sie" && !(at + 2..at + 4).any(|i| self.word(i) == "mit")
            {
                return None;
            }
            let (_, to) = self.scene.sentence(at);
            let backward = matches!(word, "anruf" | "zurueckgerufen" | "angerufen");
            // "… nicht mich an, ich sitze gleich bei der Polizei, sondern unseren Systembetreuer"
            let reach = if (at..to).any(|i| self.word(i) == "sondern") { 20 } else { 12 };
            let forward = || self.please_call(at + 1, to).or_else(|| self.wanted(at + 1, to.min(at + reach)));
            let found = self.wishes(at).or_else(|| if backward { None } else { forward() });
            // "Herr Sarıkaya, unser Fuhrparkleiter, ist der richtige Ansprechpartner"
            let is_he = |from: usize| {
                let title = (from..at).find(|i| matches!(self.word(*i), "herr" | "frau"))?;
                (title..at).any(|i| self.word(i) == "ist").then(|| self.titled(title, title + 1)).flatten()
            };
            let partner = || {
                let asked = word.starts_with("ansprechpartner") || word == "zustaendig";
                if asked { is_he(self.scene.sentence(at).0) } else { None }
            };
            found.or_else(|| self.to_be_called(at)).or_else(|| self.him(at)).or_else(partner)
        })
    }

    /// "Please ring Magdalena Kos", "llamen a mi compañera Lucía Olmedo": a name nobody needs to know before.
    fn please_call(&self, from: usize, to: usize) -> Option<String> {
        if self.lower || self.scene.language == "de" {
            return None;
        }
        let own = ["me", "us", "my", "back", "not", "mi", "nous", "moi", "mnie"];
        let person = |at: usize| {
            let title = WORDS.titles.contains(self.word(at));
            let two = self.adjoins(at) && self.proper(at + 1);
            let number = |i: usize| self.tokens().get(i).is_some_and(|t| t.is_number() || t.norm == "+");
            let named = self.is_given(at) || two || (at + 1..at + 4).any(number);
            self.tokens()[at].capital && (title || self.proper(at) && named && !self.is_trade(at + 1))
        };
        let at = (from..to.min(from + 7)).find(|at| person(*at) || own.contains(&self.word(*at)))?;
        person(at).then(|| self.person(at)).flatten()
    }

    /// "Bitte Frau Güler, 0178 …".
    fn before_a_number(&self, at: usize) -> bool {
        self.word(at) == "bitte"
            && matches!(self.word(at + 1), "frau" | "herrn" | "an" | "bei" | "direkt")
            && (at + 3..at + 6).any(|i| self.tokens().get(i).is_some_and(Token::is_number))
    }

    /// The answer to a form's question: "Wen anrufen: …", "Wer soll angerufen werden? …", "bitte direkt mich: …".
    pub(super) fn answered(&self) -> Option<String> {
        let calls = [
            "anruf",
            "angeruf",
            "ruck",
            "rueckruf",
            "zurueckruf",
            "zurueckgeruf",
            "ansprech",
            "kontakt",
            "melden",
            "sprechen",
        ];
        let ends = |at: usize| {
            let (Some(a), Some(b)) = (self.tokens().get(at), self.tokens().get(at + 1)) else { return false };
            self.scene.text.source.get(a.end..b.start).is_some_and(|between| between.contains([':', '?']))
        };
        // "Mich, Walther Immel, 0160 …"
        let myself =
            |at: usize| self.word(at) == "mich" && self.scene.sentence(at).0 == at && self.scene.clause(at).1 == at + 1;
        (0..self.tokens().len()).filter(|at| ends(*at) || myself(*at)).find_map(|at| {
            let from = self.scene.sentence(at).0;
            let about = from.max(at.saturating_sub(14))..at + 1;
            let whom = about
                .clone()
                .any(|i| matches!(self.word(i), "wer" | "wen" | "wem" | "bei" | "an" | "person" | "direkt"));
            let called = about.clone().any(|i| calls.iter().any(|begin| self.word(i).starts_with(begin)));
            let me = matches!(self.word(at), "mich" | "mir") && at - from < 6;
            if whom && called || me { self.named_next(at + 1) } else { None }
        })
    }

    /// The person at a place, behind "bitte", "mich" and what he does.
    fn named_next(&self, at: usize) -> Option<String> {
        let skipped = |i: &usize| {
            self.is_role(*i)
                || matches!(
                    self.word(*i),
                    "mich"
                        | "mir"
                        | "bitte"
                        | "bei"
                        | "den"
                        | "die"
                        | "der"
                        | "an"
                        | "mag"
                        | "gern"
                        | "am"
                        | "besten"
                        | "ja"
                        | "direkt"
                )
        };
        let start = at + (at..at + 4).take_while(skipped).count();
        let capital = self.tokens().get(start).is_some_and(|token| token.capital);
        let unknown = self.proper(start) && self.adjoins(start) && self.proper(start + 1) || self.is_given(start);
        (capital && (unknown || WORDS.titles.contains(self.word(start)))).then(|| self.person(start)).flatten()
    }

    /// The first person in `[from, to)` that is not declined.
    fn wanted(&self, from: usize, to: usize) -> Option<String> {
        for near in from..to {
            let word = self.word(near);
            // "ruf mich an, Thomas"
            let thing = ["nummer", "handy", "mobil", "durchwahl", "telefon", "buero", "festnetz"];
            let mine = matches!(word, "meine" | "ihre" | "meiner" | "meinem")
                && thing.iter().any(|thing| self.word(near + 1).contains(thing));
            let own = mine || matches!(word, "mich" | "uns" | "me" | "us" | "mir");
            let declined = near > 0 && self.word(near - 1) == "nicht";
            if own && !declined {
                // "… bitte an mich, Jana Kurz"
                let ends = self.scene.clause(near).1 == near + 1 && matches!(word, "mich" | "mir");
                return if ends { self.named_next(near + 1) } else { None };
            }
            let title = matches!(
                word,
                "herrn" | "frau" | "herr" | "monsieur" | "madame" | "doktor" | "dr" | "mr" | "mrs" | "ms"
            );
            let given = WORDS.first_names.contains(word) && self.proper(near);
            let article = matches!(self.before(near, 1), "den" | "die" | "herrn");
            let whose = (from.saturating_sub(4)..near)
                .any(|i| matches!(self.word(i), "meine" | "meinen" | "unsere" | "unseren" | "unsern"));
            let apart = self.tokens()[near].clause != self.tokens()[from - 1].clause && !article && !whose;
            if (title || given && !apart)
                && !(from..near).any(|i| self.word(i) == "nicht" && !(i..near).any(|k| self.word(k) == "sondern"))
            {
                // "mit Dagny Holm": the given name may be unknown and the surname a given one.
                let first = near > from
                    && !self.lower
                    && self.adjoins(near - 1)
                    && self.proper(near - 1)
                    && !self.is_role(near - 1);
                return if title { self.titled(near, near + 1) } else { self.person(near - usize::from(first)) };
            }
        }
        None
    }

    /// "Bitte direkt Herrn Quast anrufen", "er heißt Mihai Ionescu, bitte ihn anrufen".
    fn to_be_called(&self, at: usize) -> Option<String> {
        let passive = matches!(self.word(at), "zurueckgerufen" | "angerufen") && self.word(at + 1) == "werden";
        if !passive && !matches!(self.word(at), "anrufen" | "zurueckrufen" | "verlangen") {
            return None;
        }
        let (from, _) = self.scene.sentence(at);
        let near = (from.max(at.saturating_sub(6))..at).rev();
        for i in near {
            let kept = i == 0 || !matches!(self.word(i - 1), "von" | "dass" | "nicht" | "hat");
            let title = matches!(self.word(i), "herrn" | "frau") || passive && self.word(i) == "herr";
            if title && kept {
                return self.titled(i, i + 1);
            }
            if self.is_given(i) && kept && self.proper(i) && !matches!(self.word(i), "an") {
                let first = if i > from && self.is_given(i - 1) { i - 1 } else { i };
                return self.person(first);
            }
        }
        None
    }

    /// "Herr Hagedorn wünscht Ihren Anruf", "Frau Doktor Roth möchte zurückgerufen werden".
    fn wishes(&self, at: usize) -> Option<String> {
        if !matches!(self.word(at), "anruf" | "rueckruf" | "zurueckgerufen" | "angerufen" | "rueckmeldung") {
            return None;
        }
        let wish =
            ["wuenscht", "bittet", "erwartet", "wartet", "moechte", "will", "haette", "braucht", "ersucht", "verlangt"];
        let (from, _) = self.scene.sentence(at);
        let verb = (from..at).rev().find(|i| wish.contains(&self.word(*i)))?;
        if matches!(self.before(verb, 1), "er" | "sie") {
            return self.last_spoken_of(verb - 1, self.word(verb - 1) == "sie");
        }
        let (clause, _) = self.scene.clause(verb);
        // "Mein Chef, der Herr Zehnter, wartet auf Ihren Anruf"
        let clause = if clause == verb && verb > from { self.scene.clause(verb - 1).0 } else { clause };
        let title = |i: &usize| matches!(self.word(*i), "herr" | "frau");
        let subject = (clause..verb).find(title).filter(|i| verb - i <= 5);
        subject.and_then(|i| self.titled(i, i + 1))
    }

    /// "…, er ist unter 0221 4710 134 zu sprechen", "nicht bei mir, sondern bei ihr": of whom he spoke before.
    pub(super) fn spoken_for(&self) -> Option<String> {
        let number = |at: usize| {
            let digit = |token: &Token| token.is_number() && token.norm.len() > 1 || token.norm == "null";
            self.tokens().iter().skip(at).take(12).any(digit)
        };
        (1..self.tokens().len()).find_map(|at| {
            let reached = matches!(self.word(at + 2), "unter" | "ueber" | "auf" | "die" | "erreichbar" | "telefonisch");
            let calls = || {
                let (from, to) = self.scene.sentence(at);
                (from..to).any(|i| ["ruf", "anruf", "meld", "rueck"].iter().any(|begin| self.word(i).contains(begin)))
            };
            let she = match (self.word(at), self.word(at + 1)) {
                ("sie", "ist" | "hat") if reached && number(at) => true,
                ("bei" | "an" | "mit", "ihr") if calls() => true,
                ("er", "ist" | "hat") if reached && number(at) => false,
                ("bei" | "an" | "mit", "ihm" | "ihn") | ("direkt", "ihn") if calls() => false,
                ("sein", "anschluss" | "handy" | "telefon" | "mobiltelefon")
                | ("seine", "nummer" | "handynummer" | "mobilnummer" | "durchwahl" | "rufnummer")
                | ("erreichen" | "erreicht", "ihn")
                    if number(at) =>
                {
                    false
                }
                _ => return None,
            };
            let himself = !matches!(self.word(at), "bei" | "an" | "mit" | "direkt");
            // "auf sein Handy, Direktor Vincent Adelhardt"
            let next = || if matches!(self.word(at), "sein" | "seine") { self.named_next(at + 2) } else { None };
            if himself && self.asks_for_himself(at) {
                return None;
            }
            // "Sein Handy hat die …, er heißt Ottokar Ried"
            let (_, to) = self.scene.sentence(at);
            let called = (at..to).find(|i| self.word(*i) == "heisst" && self.proper(i + 1));
            next().or_else(|| called.and_then(|i| self.person(i + 1))).or_else(|| self.last_spoken_of(at, she))
        })
    }

    /// "…, er ist unter … zu sprechen. Für Rückfragen rufen Sie mich an."
    fn asks_for_himself(&self, from: usize) -> bool {
        (from..self.tokens().len()).filter(|at| matches!(self.word(*at), "mich" | "mir")).any(|at| {
            let (from, to) = self.scene.sentence(at);
            (from..to).any(|i| ["ruf", "erreich", "meld"].iter().any(|begin| self.word(i).starts_with(begin)))
        })
    }

    /// The last man or woman before a place that is named by title, or by "heißt".
    fn last_spoken_of(&self, at: usize, she: bool) -> Option<String> {
        (0..at).rev().find_map(|i| {
            let lady = self.word(i) == "frau";
            let doctor = matches!(self.word(i), "dr" | "doktor") && self.before(i, 1) != "frau";
            if lady && she || !she && (doctor || matches!(self.word(i), "herr" | "herrn")) {
                return self.titled(i, i + 1);
            }
            if self.word(i) == "heisst" { self.person(i + 1).filter(|_| self.proper(i + 1)) } else { None }
        })
    }

    /// "Der heißt Jochen Zöllner, rufen Sie bitte den an", "für meinen Mann, Wenzel Kaltwasser, … rufen Sie ihn an".
    fn him(&self, at: usize) -> Option<String> {
        let (from, to) = self.scene.sentence(at);
        let near = from.max(at.saturating_sub(5))..to.min(at + 6);
        let him = near.clone().any(|i| {
            let next = self.word(i + 1);
            self.word(i) == "ihn"
                || self.word(i) == "den" && matches!(next, "an" | "anrufen" | "zurueckrufen" | "zurueck")
        });
        // "Meine Chefin, Frau Adjei, sagt ja. Bitte sie anrufen."
        let her = !self.lower
            && near.clone().any(|i| {
                let small = self.word(i) == "sie" && !self.tokens()[i].capital;
                small && matches!(self.word(i + 1), "an" | "anrufen" | "zurueckrufen" | "zurueck" | "bitte")
            });
        let relative =
            near.into_iter().any(|i| matches!(self.word(i), "mein" | "meinen" | "meine" | "unseren" | "unsere"));
        if her && let Some(found) = self.last_spoken_of(at, true) {
            return Some(found);
        }
        if !him && !relative {
            return None;
        }
        let called = (0..to).rev().filter(|i| self.word(*i) == "heisst").find_map(|i| {
            let surname = self.tokens().get(i + 1).is_some_and(|token| token.capital) && self.proper(i + 1);
            self.named_next(i + 1).or_else(|| if surname { self.person(i + 1) } else { None })
        });
        called.or_else(|| {
            let whose = |i: &usize| {
                matches!(self.word(*i), "mein" | "meinen" | "meine" | "unser" | "unseren" | "unsere" | "auftrag")
                    || self.is_role(*i)
            };
            let first = |i: usize| (i + 1..i + 4).find(|k| self.is_given(*k) && self.proper(*k));
            let titled = |i: usize| (i + 1..i + 3).find_map(|k| self.titled(k, k + 1));
            let near = |i: usize| first(i).and_then(|k| self.person(k)).or_else(|| titled(i));
            him.then(|| (0..at).filter(whose).find_map(near).or_else(|| self.last_spoken_of(at, false))).flatten()
        })
    }

    /// "0176 …, Yildirim.": the last words of a call.
    pub(super) fn behind_number(&self) -> Option<String> {
        let count = self.tokens().len();
        let (from, _) = self.scene.clause(count.checked_sub(1)?);
        let known = |at: usize| {
            let word = self.word(at);
            let said = WORDS.introduces.contains(word) || WORDS.greetings.contains(word) || word == "ende";
            said || self.is_trade(at) || self.is_role(at)
        };
        let named = (from..count).all(|at| self.proper(at) && !known(at)) && count - from <= 2;
        let name = || self.name(from, count).filter(|name| super::contact::sounds(name));
        let number = from > 0 && self.tokens()[from - 1].is_number() && !self.lower && self.scene.language == "de";
        (number && named).then(name).flatten()
    }

    /// "Kortländer, 0178 …": a clause of one or two names before the number.
    pub(super) fn before_number(&self) -> Option<String> {
        let count = self.tokens().len();
        (1..count).rev().filter(|at| self.tokens()[*at].is_number() && !self.tokens()[at - 1].is_number()).find_map(
            |at| {
                let (from, to) = self.scene.clause(at - 1);
                let begins = from == 0 || self.tokens()[from - 1].sentence != self.tokens()[from].sentence;
                let known = |i: usize| self.is_trade(i) || self.is_role(i) || WORDS.introduces.contains(self.word(i));
                let named = to == at && at - from <= 2 && (from..at).all(|i| self.proper(i) && !known(i));
                (begins && named && !self.lower)
                    .then(|| self.name(from, at))
                    .flatten()
                    .filter(|name| super::contact::sounds(name))
            },
        )
    }
}
