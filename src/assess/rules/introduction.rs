//! How a caller introduces himself: greeting, company, role, person and place, in any order and any number of clauses.
//!
//! A clause belongs to the introduction where nothing else stands in it ("vom Sägewerk Pongratz", "die Evi", "in Prien").
//! What a stretch of names is, its own words tell, then what leads it ("vom", "hier ist"), then what the others are: beside
//! a company the other one is a person, beside a person the other one is a company.

use super::fields::{Kind, Piece, Reader};
use super::words::WORDS;

/// What was introduced.
#[derive(Debug, Default)]
pub(super) struct Introduced {
    /// The caller's company.
    pub company: Option<String>,
    /// The caller, or whom he names.
    pub contact: Option<String>,
}

/// What stands before a stretch of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// Nothing of these.
    Nothing,
    /// "hier ist", "mein Name ist".
    Person,
    /// "der", "die".
    Article,
    /// "von der", "bei", "Firma".
    Works,
    /// "in", "aus".
    Place,
}

/// A stretch of names and what leads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The stretch.
    pub piece: Piece,
    /// What leads it.
    pub lead: Lead,
}

impl Reader<'_> {
    /// Reads the introduction of a call; nothing where it is not written with capitals.
    pub(super) fn introduction(&self) -> Introduced {
        if self.lower {
            return Introduced::default();
        }
        let named = |part: &Part| matches!(part.piece.kind, Kind::Person | Kind::Company);
        let led = |part: &Part| matches!(part.lead, Lead::Person | Lead::Works);
        let early = self.introducing();
        let known = early.iter().any(|part| named(part) || led(part) && part.piece.kind == Kind::Name);
        let parts = if known { early } else { self.signing_off().unwrap_or(early) };
        let company = self.employer(&parts);
        let contact = self.introduced_one(&parts, company);
        Introduced {
            company: company.and_then(|at| self.company_name(&parts, at)),
            contact: contact.and_then(|at| {
                let piece = parts[at].piece;
                let from = piece.from + usize::from(self.is_crafted(&piece));
                self.called(&Piece { from, ..piece })
            }),
        }
    }

    /// The stretches of names of the first sentences that introduce somebody.
    fn introducing(&self) -> Vec<Part> {
        let mut found: Vec<Part> = Vec::new();
        let mut chatter = 0;
        let person = |parts: &[Part]| parts.iter().any(|part| part.piece.kind == Kind::Person);
        for (from, to) in self.scene.text.sentences().into_iter().take(8) {
            let (mut parts, mut whole) = self.in_sentence(from, to);
            // "Um Gottes willen, Verlag Heimatbote, …"
            let behind = self.scene.clause(from).1;
            if found.is_empty() && parts.is_empty() && !whole && behind - from <= 5 && behind < to {
                (parts, whole) = self.in_sentence(behind, to);
                chatter += 1;
            }
            let place = |part: &&Part| part.lead == Lead::Place && part.piece.kind != Kind::Company;
            let names = parts.iter().filter(|part| part.piece.kind != Kind::Role && !place(part)).count();
            let led = parts.iter().any(|part| {
                matches!(part.lead, Lead::Person | Lead::Works) && part.piece.kind != Kind::Role
                    || part.piece.kind == Kind::Person && part.lead == Lead::Article
            });
            if self.scene.asks(from) || found.is_empty() && self.is_address(from, behind) {
                chatter += 1;
            } else if found.is_empty() {
                // Behind chatter ("Geht da wer ran?") a lone word is no name.
                if names > usize::from(chatter > 0) || led && names > 0 {
                    found = parts;
                    if !whole {
                        break;
                    }
                } else {
                    chatter += usize::from(!whole);
                }
            } else if whole && names > 0 && (!self.complete(&found) || person(&parts) && !person(&found)) {
                found.extend(parts);
            } else if names > 0 || !whole {
                break;
            }
        }
        let family: Vec<usize> = (0..found.len())
            .filter(|i| found[*i].piece.kind == Kind::Person && found[*i].piece.to > found[*i].piece.from + 1)
            .map(|i| found[i].piece.to - 1)
            .collect();
        for part in &mut found {
            let piece = &mut part.piece;
            let long = piece.kind == Kind::Person && piece.to > piece.from + 1;
            let again = |at: &usize| !(piece.from..piece.to).contains(at) && self.word(*at) == self.word(piece.from);
            if long && family.iter().any(again) {
                piece.kind = Kind::Company;
            }
        }
        found
    }

    /// "Stefan, ruf mich an": whom he speaks to.
    fn is_address(&self, from: usize, behind: usize) -> bool {
        let greeted = usize::from(matches!(self.word(from), "hallo" | "hi" | "hey" | "du" | "servus" | "moin"));
        let asks =
            ["ruf", "falls", "kannst", "koenntest", "wenn", "meld", "geh", "komm", "hoer", "schau", "du", "nimm"];
        behind == from + greeted + 1 && self.is_given(from + greeted) && asks.contains(&self.word(behind))
    }

    /// "…, bitte um Gutschrift. Tankschutz Mehring, Frau Olbrich.": who says at the end who he is.
    fn signing_off(&self) -> Option<Vec<Part>> {
        let sentences = self.scene.text.sentences();
        let late = sentences.into_iter().skip(1).rev().take(5);
        late.filter(|(from, _)| !self.scene.asks(*from)).find_map(|(from, to)| {
            let (parts, whole) = self.in_sentence(from, to);
            let begins = parts.first().is_some_and(|part| part.piece.from <= from + 4);
            let business = |part: &Part| part.piece.kind == Kind::Company && self.has_body(&part.piece);
            let person = |part: &Part| part.piece.kind == Kind::Person && part.piece.to > part.piece.from + 1;
            let named = parts.iter().any(business) && (whole || parts.len() > 1) || whole && parts.iter().any(person);
            (begins && named).then_some(parts)
        })
    }

    fn complete(&self, parts: &[Part]) -> bool {
        self.employer(parts).is_some_and(|company| self.introduced_one(parts, Some(company)).is_some())
    }

    /// The parts of a sentence up to the first clause that says something else, and whether there is none.
    fn in_sentence(&self, from: usize, to: usize) -> (Vec<Part>, bool) {
        let mut parts: Vec<Part> = Vec::new();
        let mut at = from;
        while at < to {
            let end = self.scene.clause(at).1.clamp(at + 1, to);
            if let (false, Some(next)) = (parts.is_empty(), self.takes_back(at, to)) {
                let (righted, whole) = self.in_sentence(next, to);
                let names = |part: &Part| matches!(part.piece.kind, Kind::Person | Kind::Company);
                if righted.iter().any(names) {
                    let person = righted.iter().any(|part| part.piece.kind == Kind::Person);
                    parts.retain(|part| part.piece.kind == Kind::Person && !person);
                    parts.extend(righted);
                    return (parts, whole);
                }
            }
            let (mut clause, whole) = self.in_clause(at, end);
            if !whole {
                // "…, ich jobb hier nur, im Kino Metropol": said about himself.
                let aside = matches!(self.word(at), "ich" | "i" | "mir" | "wir") && clause.is_empty();
                if aside && !parts.is_empty() {
                    clause.extend(self.works_for(at, end));
                } else {
                    // "do isch d'Häberle vo dr Drogerie Häberle und …"
                    let works = |part: &Part| part.lead == Lead::Works && part.piece.kind == Kind::Company;
                    let working = clause.iter().any(works);
                    let called = |part: &Part| matches!(part.lead, Lead::Person | Lead::Article) && working;
                    clause.retain(|part| stands_by_itself(part, at) || called(part));
                    parts.append(&mut clause);
                    // "Ich bin Luca und jobbe im Eiscafé Venezia"
                    let known = parts.iter().any(|part| part.piece.kind == Kind::Company);
                    if let (false, Some(last)) = (known, parts.last()) {
                        parts.extend(self.works_for(last.piece.to, end));
                    }
                    return (parts, false);
                }
            }
            parts.append(&mut clause);
            at = end;
        }
        (parts, true)
    }

    /// "Stadtbücherei, nein, die bin ich ja gar nicht mehr, Volkshochschule Oberau": where he begins anew.
    fn takes_back(&self, at: usize, to: usize) -> Option<usize> {
        let end = self.scene.clause(at).1.clamp(at + 1, to);
        let said = |i: usize| {
            let word = self.word(i);
            WORDS.corrects.contains(word)
                || matches!(word, "ach" | "ne" | "nee" | "was" | "red" | "ich" | "aeh" | "also")
        };
        let own =
            (at..end).all(said) && (at..end).any(|i| WORDS.corrects.contains(self.word(i)) || self.word(i) == "nee");
        let mut next = end;
        let begins = |i: usize| self.proper(i) && !WORDS.introduces.contains(self.word(i));
        while own && next < to && next < end + 9 {
            if begins(next) {
                return Some(next);
            }
            next = self.scene.clause(next).1.max(next + 1);
        }
        None
    }

    /// "Ich fahr für Trans-Balaton", "ich koordiniere die Ausgabe bei der Tafel Donautal".
    fn works_for(&self, from: usize, to: usize) -> Option<Part> {
        let at = (from..to).find(|at| matches!(self.word(*at), "bei" | "beim" | "vom" | "von" | "fuer" | "im"))? + 1;
        let at = at + usize::from(matches!(self.word(at), "der" | "dem" | "die" | "das" | "firma"));
        let end = self.name_end(at, 9).min(to);
        let at = self.behind_department(at, end);
        let known = (at..end).any(|i| self.is_trade(i) || self.form_length(i) > 0) || self.hyphened(at);
        let piece = Piece { from: at, to: end, kind: Kind::Company };
        (known && end > at + 1).then_some(Part { piece, lead: Lead::Works })
    }

    /// The parts of a clause up to the first word that belongs to no introduction.
    fn in_clause(&self, from: usize, to: usize) -> (Vec<Part>, bool) {
        let mut parts: Vec<Part> = Vec::new();
        let mut lead = Lead::Nothing;
        let mut at = from;
        while at < to {
            let word = self.word(at);
            let named = !WORDS.introduces.contains(word) || lead == Lead::Works || self.is_given_in_full(at);
            if self.proper(at) && named {
                let end = self.name_end(at, 9).clamp(at + 1, to);
                let mut pieces = Vec::new();
                self.cut(at, end, &mut pieces);
                for piece in pieces {
                    let lead = match lead {
                        _ if piece.from > at && self.leads_company(piece.from) => Lead::Works,
                        Lead::Person | Lead::Article if piece.from > at => Lead::Nothing,
                        lead => lead,
                    };
                    parts.push(Part { piece, lead });
                }
                lead = Lead::Nothing;
                at = end;
                continue;
            }
            let next = self.lead(at, lead);
            match next {
                Some(next) => lead = next,
                // "Kraftraum 24"
                None if !parts.is_empty() && (self.tokens()[at].is_number() && word.len() <= 3 || counts(word)) => {}
                // "Inhaberin der Löwenapotheke"
                None if self.tokens()[at].capital && self.is_role(at) => {}
                None => return (parts, false),
            }
            at += 1;
        }
        // "Zentralserver aus": what leads must lead to something.
        (parts, !matches!(lead, Lead::Works | Lead::Place))
    }

    /// "Ben Fischbach", where "ben" alone would introduce a Turk.
    fn is_given_in_full(&self, at: usize) -> bool {
        let name = |at: usize| self.proper(at) && !WORDS.introduces.contains(self.word(at));
        self.scene.language != "tr" && self.is_given(at) && self.adjoins(at) && name(at + 1)
    }

    /// What the small words up to `at` lead to; nothing where the word belongs to no introduction.
    fn lead(&self, at: usize, before: Lead) -> Option<Lead> {
        let word = self.word(at);
        Some(match word {
            "von" | "vom" | "vo" | "vum" | "vun" | "bei" | "beim" | "fuer" | "from" | "at" | "of" | "firma" | "fa"
            | "z" | "firmy" | "société" | "societe" | "ditta" | "empresa" | "van" | "hause" | "haus" | "chez" => {
                Lead::Works
            }
            // "im Keller" is where he stands.
            "im" if self.is_trade(at + 1) || self.adjoins(at + 1) && self.proper(at + 2) => Lead::Works,
            "der" | "dem" | "die" | "dr" | "da" | "de" | "the" | "das" | "den" | "d" | "s" if before == Lead::Works => {
                Lead::Works
            }
            // "Uhrmacher Nußbaumer aus der Spitalgasse"
            "der" | "dem" if before == Lead::Place => {
                let street = ["strasse", "gasse", "allee", "weg", "platz", "siedlung"];
                if street.iter().any(|end| self.word(at + 1).ends_with(end)) { before } else { Lead::Works }
            }
            "hab" | "habe" | "betreibe" | "fuehre" | "leite" if self.is_trade(at + 2) && self.proper(at + 2) => {
                Lead::Works
            }
            "sind" if matches!(self.word(at + 1), "der" | "die" | "das") => Lead::Works,
            "in" | "im" | "aus" | "ausm" | "us" | "usem" | "nach" | "en" | "i" | "auf" | "an" | "am"
                if self.followed_by_name(at) =>
            {
                Lead::Place
            }
            "der" | "die" | "de" | "d" | "das" | "des" | "s" | "ein" | "eine" => {
                if before == Lead::Person {
                    before
                } else {
                    Lead::Article
                }
            }
            // "dr Karl": an article of dialect.
            "dr" | "dae" | "da" | "dor" if self.proper(at + 1) => {
                if before == Lead::Person {
                    before
                } else {
                    Lead::Article
                }
            }
            "ist" | "is" | "isch" | "war" | "et" | "bin" | "bins" | "spricht" | "heisse" | "mit" | "hier" | "name" => {
                Lead::Person
            }
            _ if WORDS.introduces.contains(word) => before,
            _ => return None,
        })
    }

    /// Whether a name stands behind a preposition, an article between them or not.
    fn followed_by_name(&self, at: usize) -> bool {
        let article = usize::from(matches!(self.word(at + 1), "der" | "dem" | "da" | "dr" | "den" | "die"));
        let house = matches!(self.word(at + 1 + article), "hause" | "haus");
        (house || self.proper(at + 1 + article)) && self.tokens()[at].clause == self.tokens()[at + 1 + article].clause
    }
}

/// "Halle drei", "Station vier".
fn counts(word: &str) -> bool {
    [
        "eins", "zwei", "zwo", "drei", "vier", "fuenf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwoelf",
        "dreizehn",
    ]
    .contains(&word)
}

/// In a clause that says more only what begins it counts, or what is led and has a word for a business.
fn stands_by_itself(part: &Part, clause: usize) -> bool {
    match part.lead {
        Lead::Person | Lead::Article => part.piece.from <= clause + 4 && part.piece.kind != Kind::Name,
        Lead::Works => part.piece.kind == Kind::Company && part.piece.to > part.piece.from + 1,
        _ => part.piece.from <= clause + 3 && part.piece.kind == Kind::Person,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Rules, lexicon::Scene, text::Text};
    use super::*;
    use crate::domain::tariff::Cents;

    fn introduced(text: &str) -> (Option<String>, Option<String>) {
        let scene = Scene::new(Rules::built_in(), Text::new(text), "de", Cents(4800));
        let found = Reader::new(&scene, false).introduction();
        (found.company, found.contact)
    }

    #[test]
    fn the_parts_stand_in_any_order() {
        let both = (Some("Kaltwalzwerk Regental GmbH".to_owned()), Some("Ferdinand Kreil".to_owned()));
        for text in [
            "Nachtmeister Ferdinand Kreil, Kaltwalzwerk Regental GmbH. Der Server steht.",
            "Kaltwalzwerk Regental GmbH, Nachtschicht, der Ferdinand Kreil. Der Server steht.",
            "Hallo? Geht da wer ran? Ferdinand Kreil, ich bin der Nachtmeister vom Kaltwalzwerk Regental GmbH.",
        ] {
            assert_eq!(introduced(text), both, "{text}");
        }
    }

    #[test]
    fn beside_a_person_the_unknown_is_the_company_and_beside_a_company_the_person() {
        assert_eq!(introduced("Petra Lindner, Quintarix. Nichts geht.").0.as_deref(), Some("Quintarix"));
        assert_eq!(introduced("Autohaus Lind, Wrzesinski. Nichts geht.").1.as_deref(), Some("Wrzesinski"));
    }

    #[test]
    fn nouns_of_the_fault_are_no_names() {
        assert_eq!(introduced("Geht da wer ran? Rot. Alles rot, die Maschine steht."), (None, None));
    }
}
