//! Stretches of names in an opening: where one ends and the next begins, and what each is.

use super::fields::{Kind, Piece, Reader};
use super::words::WORDS;

impl Reader<'_> {
    /// The caller's introduction cut into stretches of names.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let mut found: Vec<Piece> = Vec::new();
        let end = self.opening();
        let mut at = 0;
        while at < end {
            let content = matches!(self.word(at), "wir" | "unser" | "unsere" | "unserem" | "notfall" | "we" | "our");
            let named = found.iter().any(|piece| matches!(piece.kind, Kind::Person | Kind::Company));
            if content && named && (self.lower || found.len() > 1) {
                break;
            }
            if !self.proper(at) {
                at += 1;
                continue;
            }
            let to = self.name_end(at, 8).max(at + 1);
            self.cut(at, to, &mut found);
            at = to;
        }
        // "Thomas Otto, Otto Haustechnik": what repeats another's surname in front is no given name.
        let family: Vec<usize> =
            found.iter().filter(|p| p.kind == Kind::Person && p.to > p.from + 1).map(|p| p.to - 1).collect();
        for piece in found.iter_mut().filter(|piece| piece.kind == Kind::Person && piece.to > piece.from + 1) {
            if family.iter().any(|at| !(piece.from..piece.to).contains(at) && self.word(*at) == self.word(piece.from)) {
                piece.kind = Kind::Company;
            }
        }
        found
    }

    /// Cuts a stretch where one name ends and the next begins.
    pub(super) fn cut(&self, from: usize, to: usize, found: &mut Vec<Piece>) {
        let mut start = from;
        for at in from + 1..=to {
            if at < to && !self.parts(start, at, to) {
                continue;
            }
            let small = |at: usize| {
                matches!(self.word(at), "der" | "des" | "und" | "am" | "im" | "von" | "zum" | "dem" | "vom" | "an")
            };
            let mut first = start;
            let named = |from: usize| {
                (from..at).any(|i| self.is_trade(i) || self.form_length(i) > 0 || self.is_given(i))
                    || WORDS.titles.contains(self.word(from))
            };
            // "Buchhaltung Hotel Stadtmühle", but "Taxizentrale Regnitzaue".
            let role = |i: usize| self.is_role(i) && (!self.is_trade(i) || self.bare(i) || named(i + 1));
            while first + 1 < at && (role(first) || small(first) && (start > from || first > start)) {
                first += 1;
            }
            first = first.max(self.behind_department(start, at));
            if first > start {
                found.push(Piece { from: start, to: first, kind: Kind::Role });
            }
            found.push(Piece { from: first, to: at, kind: self.kind(first, at) });
            start = at;
        }
    }

    /// "Justitiariat der Breitscheidt Holding": where the business begins behind "der", if nothing before it is one.
    pub(super) fn behind_department(&self, from: usize, to: usize) -> usize {
        let known = |at: usize| self.is_trade(at) && !self.is_role(at) || self.form_length(at) > 0;
        let joins = |at: &usize| matches!(self.word(*at), "der" | "des" | "vom" | "beim" | "bei");
        let of = (from + 1..to).find(joins).filter(|of| !(from..*of).any(known) && (*of..to).any(known));
        of.map_or(from, |of| of + 1)
    }

    /// Whether a new name begins at `at` within the stretch `[start, to)`.
    fn parts(&self, start: usize, at: usize, to: usize) -> bool {
        let before = self.word(at - 1);
        // "Kay-Olaf"
        if self.hyphened(at - 1) {
            return false;
        }
        let given = |at: usize| self.is_given(at);
        let title = |at: usize| self.is_title(at);
        let doctor = matches!(self.word(at), "dr" | "doktor" | "prof" | "professor" | "dres");
        let craftsman = self.is_crafted(&Piece { from: start, to: at, kind: Kind::Name });
        let from_there = matches!(self.word(at), "von" | "vo")
            && !title(at - 1)
            && (self.kind(start, at) != Kind::Company || craftsman);
        // "Constantin Freiherr von Thüngfeld"
        if from_there && is_noble(before) {
            return false;
        }
        if from_there {
            return !self.of_nobility(start, at, to) || !self.works_elsewhere(to);
        }
        let joined = [
            "und", "&", "am", "zum", "im", "von", "der", "fuer", "an", "den", "sankt", "st", "familie", "van", "de",
            "des", "and", "da",
        ];
        if joined.contains(&before) {
            return false;
        }
        // "in husum jens petersen"
        if given(at) && at == start + 1 && to > at + 1 && self.is_where(start) {
            return true;
        }
        if title(at) {
            let named = self.is_trade(at - 1) || self.is_practice(start, at) || self.has_own_trade(at - 1);
            return !(title(at - 1) || doctor && named);
        }
        if self.is_role(at) && self.lower && !(given(start) && at == start + 1)
            || self.form_length(at - 1) > 0 && self.form_length(at) == 0 && !joined.contains(&self.word(at))
        {
            return true;
        }
        let business = (start..at).any(|i| self.is_trade(i) || self.form_length(i) > 0);
        // "Hausverwaltung Mommsen Tobias Mommsen"
        if given(at) && at + 1 < to && business && !self.is_trade(at - 1) && !self.is_trade(at) && !title(at - 1) {
            return true;
        }
        self.begins_again(start, at, to, business)
    }

    /// "Thorben Lammers Lammers Containerdienst": whether the next name begins where a surname is said again.
    fn begins_again(&self, start: usize, at: usize, to: usize, business: bool) -> bool {
        let given = |at: usize| self.is_given(at);
        // "Thorben Lammers Lammers Containerdienst", "Kreuzer Druckerei Kreuzer"
        let again = |i: usize| self.word(i).len() > 2 && (start..i).any(|j| self.word(j) == self.word(i));
        let person = (given(start) || self.is_title(start)) && at >= start + 2 || at == start + 1;
        let later = (at..to).any(|i| self.is_trade(i) || self.form_length(i) > 0);
        // "Autolackiererei Scheuring Scheuring Gerd"
        if again(at) && given(at + 1) && at + 2 == to && business && !given(at) {
            return true;
        }
        if again(at) && !given(at + 1) {
            return at == start + 1 || given(start) || business;
        }
        let repeated =
            (at + 1..to).any(|i| (start..at).any(|j| self.word(i) == self.word(j) && self.word(i).len() > 2));
        if self.is_trade(at) && repeated && person && !business {
            return true;
        }
        let two = given(start) && at == start + 2 + usize::from(given(start + 1)) && !business && !self.is_trade(start);
        two && later && to > at + 1 && !given(at) && (self.lower || to - start >= 4)
    }

    /// "Bernd von der Heide", "Freya von Ahlefeldt-Busch": one word behind a given name and "von".
    fn of_nobility(&self, start: usize, at: usize, to: usize) -> bool {
        let small = |i: usize| i < at + 2 && matches!(self.word(i), "der" | "dem" | "den");
        let one = (at + 1..to.saturating_sub(1)).all(|i| self.hyphened(i) || small(i));
        // "Levi von Rollwerk, dem Lastenradverleih in Schweinfurt"
        let told = matches!(self.word(to), "dem" | "der") && self.is_trade(to + 1);
        self.is_given(start) && at == start + 1 && to > at + 1 && (one || self.lower) && !told
    }

    /// "Praxis für Kinderheilkunde Doktor Sauerbier": named by its doctor.
    fn is_practice(&self, from: usize, to: usize) -> bool {
        let kinds = ["praxis", "kanzlei", "ordination", "klinik"];
        (from..to).any(|at| kinds.iter().any(|kind| self.word(at).ends_with(kind)))
    }

    /// What the tokens `[from, to)` name.
    fn kind(&self, from: usize, to: usize) -> Kind {
        if WORDS.titles.contains(self.word(from)) {
            return if to > from + 1 { Kind::Person } else { Kind::Role };
        }
        if (from..to).all(|at| self.is_role(at)) {
            return Kind::Role;
        }
        let town = matches!(
            self.word(from),
            "stadt"
                | "gemeinde"
                | "markt"
                | "kreis"
                | "bistum"
                | "pfarrei"
                | "universitaet"
                | "eiscafe"
                | "bar"
                | "cafe"
        );
        if to == from + 2 && self.is_given(from) && self.is_surname_too(from + 1) {
            return Kind::Person;
        }
        if town && to > from + 1 || (from..to).any(|at| self.is_trade(at) || self.form_length(at) > 0) {
            return Kind::Company;
        }
        let given = |at: usize| self.is_given(at);
        // "Wolf und Partner"
        if to > from + 2 && self.word(to - 2) == "und" && WORDS.crafts.contains(self.word(to - 1)) {
            return Kind::Company;
        }
        let street = ["strasse", "gasse", "allee"].iter().any(|end| self.word(from).ends_with(end));
        if street && to == from + 1 {
            return Kind::Role;
        }
        let initial = self.word(from).chars().count() == 1 && to == from + 2;
        if given(from) && to - from <= 4 || initial || to == from + 2 && given(from + 1) && !self.joined(from, to) {
            return Kind::Person;
        }
        Kind::Name
    }

    /// "Sabine Schreiner", "Petra Neuhof", but "Autohaus": a name as well as a kind of business.
    fn is_surname_too(&self, at: usize) -> bool {
        let word = self.word(at);
        let trade = WORDS.trades.iter().any(|trade| trade == word);
        let known =
            ["zimmermann", "schreiner", "tischler", "maler", "winzer", "obst", "bank", "kino", "moden", "blumen"];
        known.contains(&word) || !trade && word.len() < 11 && (word.ends_with("hof") || word.ends_with("haus"))
    }

    fn joined(&self, from: usize, to: usize) -> bool {
        (from..to).any(|at| matches!(self.word(at), "und" | "&" | "am" | "zum"))
    }
}

/// A rank of nobility, which stands before "von".
pub(super) fn is_noble(word: &str) -> bool {
    ["freiherr", "freifrau", "graf", "graefin", "baron", "baronin", "prinz", "prinzessin", "ritter", "edler", "fuerst"]
        .contains(&word)
}
