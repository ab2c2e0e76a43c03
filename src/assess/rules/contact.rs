//! The person to call back: asked for, introduced, titled, or by a first name.

use super::fields::{Kind, Piece, Reader};
use super::words::WORDS;

impl Reader<'_> {
    pub(super) fn contact(&self, pieces: &[Piece], company: Option<&str>, mail: bool) -> Option<String> {
        let below = if mail && self.lower { self.closing() } else { None };
        below
            .or_else(|| self.introduced_person(pieces))
            .or_else(|| self.person_piece(pieces, mail))
            .or_else(|| self.closing())
            .or_else(|| if mail { None } else { self.lone_name(pieces, company) })
            .or_else(|| self.by_phrase(company))
            .or_else(|| if mail { None } else { self.titled_caller() })
            .or_else(|| if mail { None } else { self.by_first_name(company) })
            .or_else(|| self.by_craft(pieces))
    }

    /// A stretch of the opening that the words beside it call a person: "mein Name ist …", "… am Apparat".
    fn introduced_person(&self, pieces: &[Piece]) -> Option<String> {
        pieces
            .iter()
            .filter(|piece| matches!(piece.kind, Kind::Person | Kind::Name) && !self.leads_company(piece.from))
            .filter(|piece| self.word(piece.from).chars().count() > 2 || piece.to > piece.from + 1)
            .filter(|piece| self.is_led(piece) || self.is_followed(piece, pieces))
            // "Hier ist die Sozialstation, mein Name ist …"
            .max_by_key(|piece| (self.before(piece.from, 2) == "name", std::cmp::Reverse(piece.from)))
            .and_then(|piece| self.called(piece))
    }

    /// "mein Name ist", "hier spricht wieder der".
    fn is_led(&self, piece: &Piece) -> bool {
        let before = |back: usize| self.before(piece.from, back);
        let article = matches!(before(1), "der" | "die" | "de");
        let begins = piece.from > 1 && self.tokens()[piece.from - 1].clause != self.tokens()[piece.from - 2].clause;
        let person = piece.kind == Kind::Person;
        let again = ["wieder", "noch", "mal", "nochmal", "auch", "nur", "nochmals", "again"];
        let skip = (1 + usize::from(article)..9).take_while(|back| again.contains(&before(*back))).count()
            + usize::from(article);
        let says = [
            "spricht",
            "schreibt",
            "heisse",
            "ben",
            "tu",
            "adim",
            "chiamo",
            "its",
            "jmenuji",
            "зовут",
            "звати",
            "казвам",
        ];
        article && begins && person
            || says.contains(&before(1 + skip))
            || match (before(2 + skip), before(1 + skip)) {
                ("name" | "this" | "hier", "ist" | "is") | ("spricht" | "sprechen", "mit") | ("i", "am") => true,
                ("ich", "bin" | "bins") | ("it", "is") => person,
                _ => false,
            }
    }

    /// "… mein Name", "… am Apparat", "… von der Firma".
    fn is_followed(&self, piece: &Piece, pieces: &[Piece]) -> bool {
        let (first, second) = (self.word(piece.to), self.word(piece.to + 1));
        let begins = matches!(self.word(piece.to + 2), "ist" | "is" | "lautet" | "war");
        let works = pieces.iter().any(|next| {
            (piece.to + 1..=piece.to + 3).contains(&next.from)
                && self.leads_company(next.from)
                && self.tokens()[next.from].sentence == self.tokens()[piece.from].sentence
                && !matches!(first, "und" | "mit" | "oder")
        });
        match (first, second) {
            _ if works && (piece.kind == Kind::Person || self.alone_before(piece)) => true,
            ("mein" | "my", "name") | ("is" | "ist", "mein" | "mei" | "my") | ("am", "apparat") if !begins => true,
            ("speaking" | "persoenlich" | "selbst", _) => true,
            ("hier", _) => piece.kind == Kind::Person || !second.is_empty() && self.leads_company(piece.to + 2),
            _ => false,
        }
    }

    /// Whether the stretch begins its clause, greetings aside.
    fn alone_before(&self, piece: &Piece) -> bool {
        let (from, _) = self.scene.clause(piece.from);
        piece.from - from <= 3
            && (from..piece.from).all(|at| !self.proper(at) && !matches!(self.word(at), "wir" | "ich" | "bei" | "im"))
    }

    /// A title or a given name leads it.
    fn person_piece(&self, pieces: &[Piece], mail: bool) -> Option<String> {
        let greets = ["hallo", "tag", "abend", "morgen", "moin", "hi", "dear"];
        let others =
            ["unser", "unsere", "euer", "ihr", "an", "wie", "von", "fuer", "geehrter", "geehrte", "lieber", "liebe"];
        let addressed = |piece: &Piece| {
            let before = self.before(piece.from, 1);
            mail && greets.contains(&before) || others.contains(&before)
        };
        let receiver =
            |piece: &Piece| mail && matches!(self.word(self.scene.sentence(piece.from).0), "an" | "cc" | "to");
        pieces
            .iter()
            .filter(|piece| piece.kind == Kind::Person && !addressed(piece) && !receiver(piece))
            .find(|piece| !self.leads_company(piece.from))
            .and_then(|piece| self.called(piece))
    }

    /// A name as it is shown: titles in their form, at most three names.
    pub(super) fn called(&self, piece: &Piece) -> Option<String> {
        if WORDS.titles.contains(self.word(piece.from)) {
            return self.titled(piece.from, piece.from + 1);
        }
        // "Bernd von der Heide"
        let noble = super::pieces::is_noble(self.word(piece.from + 1));
        let particle = matches!(self.word(piece.from + 1 + usize::from(noble)), "von" | "van" | "zu" | "de");
        if particle && piece.to > piece.from + 2 {
            return self.name(piece.from, piece.to.min(piece.from + 5));
        }
        let dialect = piece.to == piece.from + 2 && self.is_given(piece.from + 1);
        let first = self.name(piece.from, piece.from + 1)?;
        let article = piece.from > 0 && matches!(self.word(piece.from - 1), "der" | "die" | "da" | "de" | "s");
        // "der Ackermanns Schorsch", "der Rosenzweigs Michl, vo der Brauerei Rosenzweig"
        let given = self.is_given(piece.from);
        let folded = super::text::fold(&first);
        let stem = folded.strip_suffix('s').filter(|stem| stem.len() > 3 && !given && piece.to == piece.from + 2);
        let family = stem.is_some_and(|stem| (0..self.tokens().len()).any(|at| self.word(at) == stem));
        let dialect = dialect || family;
        if let (true, Some(surname)) = (dialect && article && !given, first.strip_suffix('s')) {
            return Some(format!("{} {surname}", self.name(piece.from + 1, piece.to)?));
        }
        let junior = usize::from(matches!(self.word(piece.to), "junior" | "senior"));
        let longest = if self.lower { 2 } else { 3 };
        // "Hauke am Rohr"
        let place = |at: &usize| matches!(self.word(*at), "am" | "an" | "im" | "zum");
        let to = (piece.from + 1..piece.to).find(place).unwrap_or(piece.to);
        self.name(piece.from, (to + junior).min(piece.from + longest))
    }

    /// A single word between commas: "Stadtwerke Erlenrath, Leitwarte, Kowalke."
    fn lone_name(&self, pieces: &[Piece], company: Option<&str>) -> Option<String> {
        let business = pieces.iter().find(|piece| piece.kind == Kind::Company).or_else(|| {
            pieces
                .iter()
                .find(|piece| company.is_some_and(|name| self.name(piece.from, piece.to).as_deref() == Some(name)))
        });
        let particle =
            |piece: &Piece| (piece.from..piece.to).any(|at| matches!(self.word(at), "van" | "von" | "de" | "zu"));
        let fits = |piece: &&Piece| {
            let name = self.name(piece.from, piece.to).unwrap_or_default();
            let distance = business.map_or(piece.from, |other| piece.from.max(other.from) - piece.from.min(other.from));
            let near = if company.is_none() { piece.from <= 3 } else { distance <= 12 || piece.from < 12 };
            let beside = !self.lower
                || business.is_some_and(|other| {
                    other.to + 2 >= piece.from && other.from <= piece.to + 2 && other.from != piece.from
                });
            piece.kind == Kind::Name
                && !self.is_town(piece)
                && (piece.to - piece.from <= 2 || particle(piece))
                && near
                && beside
                && !self.behind_preposition(piece)
                && !self.is_where(piece.from)
                && !self.leads_company(piece.from)
                && sounds(&name)
                && (self.alone(piece) || self.lower)
                && company.is_none_or(|company| company != name)
        };
        let inside = |piece: &&Piece| {
            company.is_some_and(|company| self.name(piece.from, piece.to).is_some_and(|name| company.contains(&name)))
        };
        let own: Vec<&Piece> = pieces.iter().filter(fits).collect();
        let sentence = own.first().and_then(|piece| self.tokens().get(piece.from)).map(|token| token.sentence);
        let last = own
            .iter()
            .copied()
            .rev()
            .find(|piece| self.tokens().get(piece.from).map(|token| token.sentence) == sentence);
        let single = own
            .iter()
            .copied()
            .find(|piece| piece.to == piece.from + 1 && business.is_some_and(|other| other.from > piece.from));
        let found = own.iter().copied().find(inside).or(single).or(last)?;
        self.name(found.from, found.to)
    }

    /// "ohne Netz", "der Alarm": a noun, not a name.
    fn behind_preposition(&self, piece: &Piece) -> bool {
        let before = self.before(piece.from, 1);
        let here = before == "der" || before == "die";
        let (from, _) = self.scene.clause(piece.from);
        let calls = (from..piece.from).any(|at| matches!(self.word(at), "hier" | "is" | "ist" | "spricht"));
        here && !calls
            || matches!(
                before,
                "ohne"
                    | "mit"
                    | "das"
                    | "den"
                    | "des"
                    | "fuer"
                    | "im"
                    | "beim"
                    | "am"
                    | "unser"
                    | "unsere"
                    | "ein"
                    | "eine"
                    | "einen"
                    | "auf"
                    | "um"
                    | "kein"
                    | "keine"
                    | "zwei"
                    | "drei"
                    | "zehn"
            )
    }

    /// The last words of a call or mail: "…, Hauke.", "Gruß Piet".
    fn closing(&self) -> Option<String> {
        let count = self.tokens().len();
        let greeting = (count.saturating_sub(25)..count)
            .rev()
            .find(|at| matches!(self.word(*at), "gruss" | "gruesse" | "lg" | "mfg" | "vg"));
        if let Some(at) = greeting {
            let next = at + 1 + usize::from(matches!(self.word(at + 1), "von" | "vom" | "der" | "die"));
            if self.is_given(next) && !WORDS.stops.contains(self.word(next)) {
                let to = if !self.lower && self.adjoins(next) && self.proper(next + 1) { next + 2 } else { next + 1 };
                return self.name(next, to);
            }
        }
        let last = count.checked_sub(1)?;
        let (from, to) = self.scene.clause(last);
        let first = (from..to).find(|at| self.proper(*at))?;
        let given = self.is_given(first) && self.proper(first);
        let lead = first == from || matches!(self.word(first - 1), "danke" | "gruss" | "der" | "die" | "hier");
        (given && lead && to - first <= 2 && count > 6 && !self.lower).then(|| self.name(first, to)).flatten()
    }

    /// "Mein Name ist X", "hier spricht X", "X am Apparat".
    pub(super) fn by_phrase(&self, company: Option<&str>) -> Option<String> {
        let limit = self.tokens().len().min(90);
        for at in 0..limit {
            let start = match (self.word(at), self.word(at + 1), self.word(at + 2)) {
                ("name", "ist", _)
                | ("sprechen", "mit", _)
                | ("this", "is", _)
                | ("hier", "spricht" | "ist", "der" | "die") => {
                    at + 2 + usize::from(matches!(self.word(at + 2), "der" | "die"))
                }
                ("hier", "spricht" | "ist", _) => at + 2,
                ("ich", "bins", _) | ("i", "am", _) if self.is_given(at + 2) => at + 2,
                ("ben" | "tu" | "hier" | "heisse" | "its", _, _) => at + 1,
                ("ich", "bin" | "bins", "die" | "der") if self.is_given(at + 3) => at + 3,
                _ => continue,
            };
            let other = |name: &String| company != Some(name.as_str());
            if let Some(name) = self.person(start).filter(other) {
                return Some(name);
            }
        }
        (1..limit).find_map(|at| {
            let ends = matches!(
                (self.word(at), self.word(at + 1)),
                ("am", "apparat")
                    | ("mein", "name")
                    | ("ist", "mein")
                    | ("hier", "von")
                    | ("speaking" | "persoenlich", _)
            );
            let from = self.back(at);
            let whole = from == 0
                || self.tokens()[from - 1].clause != self.tokens()[from].clause
                || self.word(from - 1) == "ja";
            let here = self.word(at) == "hier" && whole && from < at;
            let begins = matches!(self.word(at + 2), "ist" | "is" | "lautet" | "war");
            if (ends || here) && !begins { (from < at).then(|| self.person(from)).flatten() } else { None }
        })
    }

    /// The beginning of the capitalised words before a token.
    pub(super) fn back(&self, at: usize) -> usize {
        let mut from = at;
        while from > 0 && at - from < 3 && self.proper(from - 1) && (from == at || self.adjoins(from - 1)) {
            from -= 1;
        }
        from
    }

    /// A person's name at `start`: title and name, or one to three names, but no business.
    pub(super) fn person(&self, start: usize) -> Option<String> {
        if WORDS.titles.contains(self.word(start)) {
            return self.titled(start, start + 1);
        }
        let mut end = start;
        while end < start + 3 && self.proper(end) && (end == start || self.adjoins(end - 1)) {
            end += 1;
        }
        if self.lower && self.is_given(start) {
            end = end.min(start + 2);
        }
        // "Richard von Auersdorff"
        if end == start + 1
            && matches!(self.word(end), "von" | "van" | "de" | "zu")
            && self.is_given(start)
            && self.proper(end + 1)
            && !self.is_trade(end + 1)
        {
            let surname_only = self.name_end(end + 1, 4) == end + 2 && self.form_length(end + 2) == 0;
            // "Anneke de Wit"
            let dutch = matches!(self.scene.language.as_str(), "de" | "en" | "nl");
            let ends_clause = self.tokens().get(end + 2).is_none_or(|t| t.clause != self.tokens()[end].clause);
            if surname_only && ends_clause && self.word(end + 1) != "firma" && (self.word(end) != "de" || dutch) {
                end += 2;
            }
        }
        let business = (start..end).any(|at| self.is_trade(at) || self.form_length(at) > 0 || self.word(at) == "firma");
        let business = business && !self.is_given(start);
        if business { None } else { self.name(start, end) }
    }

    /// A clause of the opening, a late signature or a line below a mail that begins with a first name.
    pub(super) fn by_first_name(&self, company: Option<&str>) -> Option<String> {
        let spoken_of = |at: usize| {
            let other = ["mit", "beim", "vom", "fuer", "an", "unser", "unsere", "unserem", "dem", "den"];
            let behind = self.scene.clause(at).0 < at;
            self.tokens().get(at).is_some_and(|token| !token.signature) && behind && other.contains(&self.before(at, 1))
        };
        let fits = |at: &usize| self.is_given(*at) && self.proper(*at) && !spoken_of(*at);
        let inside =
            |at: usize| company.is_some_and(|name| self.name(at, at + 1).is_some_and(|word| name.contains(&word)));
        let opening = self.tokens().len().min(40);
        let signed = (0..self.tokens().len()).filter(|at| self.tokens()[*at].signature);
        let ending = self.tokens().len().saturating_sub(20)..self.tokens().len();
        let all: Vec<usize> = (0..opening).chain(signed).chain(ending).filter(fits).collect();
        let at = all
            .iter()
            .copied()
            .find(|at| !inside(*at) || self.adjoins(*at) && self.proper(at + 1))
            .or_else(|| all.first().copied())?;
        let from = if at > 0 && self.adjoins(at - 1) && self.proper(at - 1) && WORDS.titles.contains(self.word(at - 1))
        {
            at - 1
        } else {
            at
        };
        self.person(from)
    }
}

/// Whether it can be spoken as a name: "Sch" and "Piiiep" cannot.
pub(super) fn sounds(name: &str) -> bool {
    let letters: Vec<char> = name.to_lowercase().chars().collect();
    letters.len() > 2 && letters.iter().any(|c| "aeiouyäöüı".contains(*c)) && !stutters(name)
}

/// A sound written out: "Tüüüt".
pub(super) fn stutters(name: &str) -> bool {
    let letters: Vec<char> = name.to_lowercase().chars().collect();
    // "Schifffahrt" has three of them rightly.
    let long = letters.len() > 9 && !letters.windows(4).any(|four| four.iter().all(|c| *c == four[0]));
    let thrice = |three: &[char]| three[0].is_alphabetic() && three[0] == three[1] && three[1] == three[2];
    !long && letters.windows(3).any(thrice)
}

/// "Tischlerei Ubbo Janssen …, der Ubbo": the company's name completes the given name.
pub(super) fn with_surname(name: String, company: Option<&str>) -> String {
    let words: Vec<&str> = company.unwrap_or("").split_whitespace().collect();
    let behind = words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1));
    match behind {
        Some(surname)
            if surname.starts_with(char::is_uppercase) && WORDS.first_names.contains(&super::text::fold(&name)) =>
        {
            format!("{name} {surname}")
        }
        _ => name,
    }
}
