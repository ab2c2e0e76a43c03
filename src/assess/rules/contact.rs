//! The person to call back: asked for, introduced, titled, or by a first name.

use super::fields::Reader;
use super::words::WORDS;

impl Reader<'_> {
    pub(super) fn contact(&self, company: Option<&str>) -> Option<String> {
        self.asked_for()
            .or_else(|| self.by_phrase())
            .or_else(|| self.titled(0, 60))
            .or_else(|| self.by_first_name(company))
            .or_else(|| self.surname(company))
    }

    /// "Bitte rufen Sie Herrn Lother an."
    pub(super) fn asked_for(&self) -> Option<String> {
        (0..self.tokens().len()).find_map(|at| {
            let asks = matches!(self.word(at), "rufen" | "ruft" | "anrufen" | "rappeler");
            let near = (at + 1..at + 6).find(|i| matches!(self.word(*i), "herrn" | "frau" | "monsieur"))?;
            let negated = (at..near).any(|i| self.word(i) == "nicht");
            (asks && !negated).then(|| self.titled(near, near + 1)).flatten()
        })
    }

    /// "Mein Name ist X", "hier spricht X", "X am Apparat".
    pub(super) fn by_phrase(&self) -> Option<String> {
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
                ("ben" | "tu" | "hier" | "heisse" | "its", _, _) => at + 1,
                ("ich", "bin" | "bins", "die" | "der") if WORDS.first_names.contains(self.word(at + 3)) => at + 3,
                _ => continue,
            };
            if let Some(name) = self.person(start) {
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
            if ends || here { (from < at).then(|| self.person(from)).flatten() } else { None }
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
        if self.lower && WORDS.first_names.contains(self.word(start)) {
            end = end.min(start + 2);
        }
        // "Richard von Auersdorff"
        if end == start + 1
            && matches!(self.word(end), "von" | "van" | "de")
            && WORDS.first_names.contains(self.word(start))
            && self.proper(end + 1)
            && !self.is_trade(end + 1)
        {
            let surname_only = self.name_end(end + 1, 4) == end + 2 && self.form_length(end + 2) == 0;
            let ends_clause = self.tokens().get(end + 2).is_none_or(|t| t.clause != self.tokens()[end].clause);
            if surname_only && ends_clause && !matches!(self.word(end + 1), "firma") && self.word(end) != "de" {
                end += 2;
            }
        }
        let business = (start..end).any(|at| self.is_trade(at) || self.form_length(at) > 0 || self.word(at) == "firma");
        let business = business && !WORDS.first_names.contains(self.word(start));
        if business { None } else { self.name(start, end) }
    }

    /// "Frau Sommer", "Herr Breunig", "Doktor Haase".
    pub(super) fn titled(&self, from: usize, to: usize) -> Option<String> {
        (from..to.min(self.tokens().len())).find_map(|at| {
            let title = self.word(at);
            let after_business = at > 0 && self.is_trade(at - 1) && self.adjoins(at - 1);
            if !(WORDS.titles.contains(title) || title == "monsieur") || after_business || !self.proper(at + 1) {
                return None;
            }
            let mut end = at + 1;
            while end < at + 4 && self.proper(end) && (end == at + 1 || self.adjoins(end - 1)) {
                end += 1;
            }
            let name = self.name(at + 1, end)?;
            Some(match title {
                "herr" | "herrn" => format!("Herr {name}"),
                "monsieur" => name,
                "doktor" | "dr" => format!("Dr. {name}"),
                _ => format!("{} {name}", self.name(at, at + 1)?),
            })
        })
    }

    /// A clause of the opening, a late signature or a line below a mail that begins with a first name.
    pub(super) fn by_first_name(&self, company: Option<&str>) -> Option<String> {
        let fits = |at: &usize| WORDS.first_names.contains(self.word(*at)) && (self.proper(*at));
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

    /// A clause of the opening that is a single proper name.
    pub(super) fn surname(&self, company: Option<&str>) -> Option<String> {
        let opening = self.tokens().iter().position(|t| t.sentence > 2).unwrap_or(self.tokens().len()).min(30);
        (0..opening).find_map(|at| {
            let (from, to) = self.scene.clause(at);
            let single =
                to - from <= 2 && self.proper(at) && to == at + 1 && !self.is_trade(at) && self.form_length(at) == 0;
            let name = single.then(|| self.name(at, at + 1)).flatten()?;
            let is_company = company.is_some_and(|company| company == name);
            (name.chars().count() > 2 && !is_company).then_some(name)
        })
    }
}
