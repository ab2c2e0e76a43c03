//! How a caller introduces himself: greeting, company, role, person and place, in any order and any number of clauses.
//!
//! A clause belongs to the introduction where nothing else stands in it ("vom Sägewerk Pongratz", "die Evi", "in Prien").
//! What a stretch of names is, its own words tell, then what leads it ("vom", "hier ist"), then what the others are: beside
//! a company the other one is a person, beside a person the other one is a company.

use super::company::tidy;
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
enum Lead {
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

#[derive(Debug, Clone, Copy)]
struct Part {
    piece: Piece,
    lead: Lead,
}

impl Reader<'_> {
    /// Reads the introduction of a call; nothing where it is not written with capitals.
    pub(super) fn introduction(&self) -> Introduced {
        if self.lower {
            return Introduced::default();
        }
        let parts = self.introducing();
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
        for (from, to) in self.scene.text.sentences().into_iter().take(8) {
            let (mut parts, mut whole) = self.in_sentence(from, to);
            // "Um Gottes willen, Verlag Heimatbote, …"
            let behind = self.scene.clause(from).1;
            if found.is_empty() && parts.is_empty() && !whole && behind - from <= 5 && behind < to {
                (parts, whole) = self.in_sentence(behind, to);
                chatter += 1;
            }
            let names = parts.iter().filter(|part| !matches!(part.piece.kind, Kind::Role)).count();
            let led = parts.iter().any(|part| {
                matches!(part.lead, Lead::Person | Lead::Works) && part.piece.kind != Kind::Role
                    || part.piece.kind == Kind::Person && part.lead == Lead::Article
            });
            if found.is_empty() {
                // Behind chatter ("Geht da wer ran?") a lone word is no name.
                if names > usize::from(chatter > 0) || led && names > 0 {
                    found = parts;
                    if !whole {
                        break;
                    }
                } else {
                    chatter += usize::from(!whole);
                }
            } else if whole && names > 0 && !self.complete(&found) {
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

    fn complete(&self, parts: &[Part]) -> bool {
        self.employer(parts).is_some_and(|company| self.introduced_one(parts, Some(company)).is_some())
    }

    /// The parts of a sentence up to the first clause that says something else, and whether there is none.
    fn in_sentence(&self, from: usize, to: usize) -> (Vec<Part>, bool) {
        let mut parts = Vec::new();
        let mut at = from;
        while at < to {
            let end = self.scene.clause(at).1.clamp(at + 1, to);
            let (mut clause, whole) = self.in_clause(at, end);
            if !whole {
                // "…, ich jobb hier nur, im Kino Metropol": said about himself.
                let aside = matches!(self.word(at), "ich" | "i" | "mir" | "wir") && clause.is_empty();
                if aside && !parts.is_empty() {
                    clause.extend(self.works_for(at, end));
                } else {
                    clause.retain(|part| self.stands_by_itself(part, at));
                    parts.append(&mut clause);
                    return (parts, false);
                }
            }
            parts.append(&mut clause);
            at = end;
        }
        (parts, true)
    }

    /// "Ich fahr für Trans-Balaton", "ich koordiniere die Ausgabe bei der Tafel Donautal".
    fn works_for(&self, from: usize, to: usize) -> Option<Part> {
        let at = (from..to).find(|at| matches!(self.word(*at), "bei" | "beim" | "vom" | "von" | "fuer" | "im"))? + 1;
        let at = at + usize::from(matches!(self.word(at), "der" | "dem" | "die" | "das" | "firma"));
        let end = self.name_end(at, 9).min(to);
        let known = (at..end).any(|i| self.is_trade(i) || self.form_length(i) > 0) || self.hyphened(at);
        let piece = Piece { from: at, to: end, kind: Kind::Company };
        (known && end > at + 1).then_some(Part { piece, lead: Lead::Works })
    }

    /// In a clause that says more only what begins it counts, or what is led and has a word for a business.
    fn stands_by_itself(&self, part: &Part, clause: usize) -> bool {
        match part.lead {
            Lead::Person | Lead::Article => part.piece.from <= clause + 4 && part.piece.kind != Kind::Name,
            Lead::Works => part.piece.kind == Kind::Company && part.piece.to > part.piece.from + 1,
            _ => part.piece.from <= clause + 3 && part.piece.kind == Kind::Person,
        }
    }

    /// The parts of a clause up to the first word that belongs to no introduction.
    fn in_clause(&self, from: usize, to: usize) -> (Vec<Part>, bool) {
        let mut parts: Vec<Part> = Vec::new();
        let mut lead = Lead::Nothing;
        let mut at = from;
        while at < to {
            let word = self.word(at);
            if self.proper(at) && (!WORDS.introduces.contains(word) || lead == Lead::Works) {
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
                None => return (parts, false),
            }
            at += 1;
        }
        // "Zentralserver aus": what leads must lead to something.
        (parts, !matches!(lead, Lead::Works | Lead::Place))
    }

    /// What the small words up to `at` lead to; nothing where the word belongs to no introduction.
    fn lead(&self, at: usize, before: Lead) -> Option<Lead> {
        let word = self.word(at);
        Some(match word {
            "von" | "vom" | "vo" | "vum" | "vun" | "bei" | "beim" | "fuer" | "from" | "at" | "of" | "firma" | "fa"
            | "z" | "firmy" | "hause" | "haus" | "chez" | "im" => Lead::Works,
            "der" | "dem" | "die" | "dr" | "da" | "de" | "the" | "das" | "den" | "d" | "s" if before == Lead::Works => {
                Lead::Works
            }
            "der" | "dem" if before == Lead::Place => Lead::Works,
            "hab" | "habe" | "betreibe" | "fuehre" | "leite" if self.is_trade(at + 2) && self.proper(at + 2) => {
                Lead::Works
            }
            "in" | "aus" | "ausm" | "nach" | "en" | "i" | "auf" | "an" | "am" if self.followed_by_name(at) => {
                Lead::Place
            }
            "der" | "die" | "de" | "d" | "das" | "s" | "ein" | "eine" => {
                if before == Lead::Person {
                    before
                } else {
                    Lead::Article
                }
            }
            "ist" | "is" | "isch" | "bin" | "bins" | "spricht" | "heisse" | "mit" | "hier" | "name" => Lead::Person,
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

    /// The part that names the company.
    fn employer(&self, parts: &[Part]) -> Option<usize> {
        let all = || 0..parts.len();
        let kind = |at: usize, kind: Kind| parts[at].piece.kind == kind;
        let words = |at: usize| parts[at].piece.to - parts[at].piece.from;
        let form = |at: &usize| (parts[*at].piece.from..parts[*at].piece.to).any(|i| self.form_length(i) > 0);
        let body = |at: &usize| kind(*at, Kind::Company) && self.has_body(&parts[*at].piece);
        let here = |at: &usize| parts[*at].lead != Lead::Place || form(at) || words(*at) > 1;
        let known = all().find(|at| form(at) && words(*at) > 1).or_else(|| {
            let works = |at: usize| parts[at].lead == Lead::Works && words(at) > 1;
            let own = |at: &usize| body(at) && here(at) && (works(*at) || self.is_own(parts[*at].piece.from));
            let whole = |at: &usize| own(at) && words(*at) > 1;
            let crafted = |at: &usize| self.is_crafted(&parts[*at].piece);
            all().find(|at| whole(at) && !crafted(at)).or_else(|| all().find(whole)).or_else(|| all().find(own))
        });
        if let Some(at) = known {
            // "Wolfshöfer und Reim, Rechtsanwälte"
            let partners = at > 0 && kind(at - 1, Kind::Name) && self.is_craft(&parts[at].piece);
            let two = |piece: &Piece| (piece.from..piece.to).any(|i| self.word(i) == "und");
            return Some(if partners && two(&parts[at - 1].piece) { at - 1 } else { at });
        }
        let free =
            |at: &usize| kind(*at, Kind::Name) && parts[*at].lead != Lead::Place && self.long_enough(&parts[*at]);
        let led = all().find(|at| free(at) && parts[*at].lead == Lead::Works && !self.of_nobility(parts, *at));
        let person = all().any(|at| kind(at, Kind::Person));
        led.or_else(|| {
            let free: Vec<usize> = all().filter(|at| free(at) && parts[*at].lead == Lead::Nothing).collect();
            if person {
                return free.into_iter().find(|at| !self.is_family_name(parts, *at));
            }
            // Of two unknown ones the company is the longer.
            let weight = |at: &usize| {
                let longest = (parts[*at].piece.from..parts[*at].piece.to).map(|i| self.word(i).len()).max();
                (words(*at), longest)
            };
            let others = all().filter(|at| kind(*at, Kind::Name) && parts[*at].lead != Lead::Place).count();
            free.into_iter().filter(|_| others > 1).max_by_key(weight)
        })
    }

    fn long_enough(&self, part: &Part) -> bool {
        (part.piece.from..part.piece.to).map(|at| self.word(at).len()).sum::<usize>() > 4
    }

    /// "Freya von Ahlefeldt": directly behind a given name, and somebody else is the company.
    fn of_nobility(&self, parts: &[Part], at: usize) -> bool {
        let from = parts[at].piece.from;
        at > 0 && self.before(from, 1) == "von" && parts[at - 1].piece.to + 1 == from && parts.len() > at + 1
    }

    /// "Staudigel ist mein Name, Ludwig Staudigel".
    fn is_family_name(&self, parts: &[Part], at: usize) -> bool {
        let piece = parts[at].piece;
        let repeats = |other: &Piece| (other.from..other.to).any(|i| self.word(i) == self.word(piece.from));
        piece.to == piece.from + 1 && parts.iter().any(|part| part.piece.from != piece.from && repeats(&part.piece))
    }

    /// The part that names the person.
    fn introduced_one(&self, parts: &[Part], company: Option<usize>) -> Option<usize> {
        let length = |at: &usize| (parts[*at].piece.to - parts[*at].piece.from).min(3);
        let person = |piece: &Piece| piece.kind == Kind::Person || self.is_crafted(piece);
        let known = (0..parts.len()).filter(|at| person(&parts[*at].piece) && Some(*at) != company);
        // The first of the fullest: "die Ruth" behind "Wenzel Kaltwasser" is another.
        let known = known.max_by_key(|at| (length(at).min(2), std::cmp::Reverse(*at)));
        let small = |at: &usize| {
            let part = &parts[*at];
            part.piece.kind == Kind::Name
                && Some(*at) != company
                && !matches!(part.lead, Lead::Works | Lead::Place)
                && part.piece.to - part.piece.from <= 3
                && self.word(part.piece.from).chars().count() > 2
                && !self.is_thing(part.piece.to - 1)
                && self.sounds(&part.piece)
        };
        known.or_else(|| {
            let led =
                (0..parts.len()).find(|at| small(at) && parts[*at].lead == Lead::Person && !self.is_office(parts, *at));
            let alone = |at: &usize| parts.len() == 1 && parts[*at].lead != Lead::Article;
            led.or_else(|| (0..parts.len()).find(|at| small(at) && (company.is_some() || alone(at))))
        })
    }

    /// "Hier ist der Werkschutz, Sauter": who is called by an article, and by a name behind it.
    fn is_office(&self, parts: &[Part], at: usize) -> bool {
        let piece = parts[at].piece;
        let article = matches!(self.before(piece.from, 1), "der" | "die" | "das");
        let named = |next: &Part| {
            matches!(next.piece.kind, Kind::Name | Kind::Person)
                && next.lead == Lead::Nothing
                && self.tokens()[next.piece.from].sentence == self.tokens()[piece.from].sentence
        };
        article && piece.to == piece.from + 1 && parts.get(at + 1).is_some_and(named)
    }

    /// "Notfalleinsatz", "Zentralserver": what a call is about.
    fn is_thing(&self, at: usize) -> bool {
        let word = self.word(at);
        ["notf", "notein", "notd", "notr"].iter().any(|begin| word.starts_with(begin))
            || ["mittag", "abend", "morgen", "nacht"]
                .iter()
                .any(|end| word.ends_with(end) && word.len() > end.len() + 2)
            || WORDS.tools.iter().any(|end| word.ends_with(end.as_str()))
    }

    fn sounds(&self, piece: &Piece) -> bool {
        self.name(piece.from, piece.to).is_some_and(|name| super::contact::sounds(&name))
    }

    /// The company's name with what belongs to it: "Alpenverein, Sektion Grafenried", "Kraftraum 24".
    fn company_name(&self, parts: &[Part], at: usize) -> Option<String> {
        let piece = parts[at].piece;
        let to = self.without_place(piece);
        let mut end = to;
        if let Some(next) = self.tokens().get(to)
            && next.is_number()
            && next.norm.len() <= 3
            && self.adjoins(to - 1)
        {
            end += 1;
        }
        let of = self.before(piece.from, 1);
        let form = (piece.from + 1..to).find(|i| self.form_length(*i) > 0);
        let name = match form {
            Some(form) => self.formed(piece.from, form)?,
            None => self.name(piece.from, end)?,
        };
        let behind = parts.get(at + 1).map(|part| part.piece).filter(|next| {
            let section = matches!(self.word(next.from), "sektion" | "ortsgruppe" | "ortsverein" | "kreisverband");
            section || self.is_craft(next) && self.word(piece.from + 1) == "und"
        });
        let behind = behind.and_then(|next| self.name(next.from, next.to)).unwrap_or_default();
        let name = nominative(&name, of, self.word(piece.from + 1)).unwrap_or(name);
        Some(tidy(&format!("{name} {behind}")))
    }

    fn is_craft(&self, piece: &Piece) -> bool {
        piece.to == piece.from + 1 && WORDS.crafts.contains(self.word(piece.from))
    }

    /// "Rechtsanwalt Jochen Stiegler": a craft before a person's name.
    fn is_crafted(&self, piece: &Piece) -> bool {
        let craft = [
            "anwalt",
            "arzt",
            "aerztin",
            "anwaeltin",
            "meister",
            "meisterin",
            "berater",
            "beraterin",
            "notar",
            "notarin",
            "architekt",
        ];
        craft.iter().any(|end| self.word(piece.from).ends_with(end))
            && piece.to > piece.from + 1
            && self.is_given(piece.from + 1)
    }

    /// "Kino Metropol am Grünen Markt": where it lies, unless the name is nothing without ("Lichtspielhaus am Anger").
    fn without_place(&self, piece: Piece) -> usize {
        let adjective = |at: usize| self.word(at).ends_with(['s', 'e', 'r']) && self.is_trade(at + 1);
        let known = |at: usize| self.is_trade(at) || self.form_length(at) > 0 || adjective(at);
        (piece.from + 2..piece.to)
            .find(|at| matches!(self.word(*at), "am" | "an") && (piece.from..*at).any(|i| !known(i)))
            .unwrap_or(piece.to)
    }
}

/// "Halle drei", "Station vier".
fn counts(word: &str) -> bool {
    ["eins", "zwei", "zwo", "drei", "vier", "fuenf", "sechs", "sieben", "acht", "neun", "zehn"].contains(&word)
}

/// "von der Freiwilligen Feuerwehr", "vom Roten Kreuz": the adjective as it stands in a name.
fn nominative(name: &str, lead: &str, head: &str) -> Option<String> {
    let (first, rest) = name.split_once(' ')?;
    let known = WORDS.adjectives.iter().any(|end| super::text::fold(first).ends_with(end.as_str()));
    let stem = first.strip_suffix("en").filter(|_| known)?;
    let neuter = [
        "kreuz", "haus", "werk", "heim", "amt", "zentrum", "hotel", "theater", "museum", "institut", "labor",
        "klinikum",
    ];
    let end = match lead {
        "der" | "die" => "e",
        "vom" | "beim" | "im" | "dem" if neuter.iter().any(|end| head.ends_with(end)) => "es",
        "vom" | "beim" | "im" | "dem" => "er",
        _ => return None,
    };
    Some(format!("{stem}{end} {rest}"))
}
