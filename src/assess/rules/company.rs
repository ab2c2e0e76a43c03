//! The caller's company: by its legal form, by the words that introduce it, by the kind of business.

use super::fields::Reader;
use super::words::WORDS;

impl Reader<'_> {
    /// "… `GmbH` & Co. KG", "… e.K.": the name before a legal form.
    pub(super) fn legal_form(&self) -> Option<String> {
        let count = self.tokens().len();
        let form = (1..count).find(|at| self.form_length(*at) > 0 && self.adjoins(at - 1))?;
        let mut from = form;
        while from > 0 && form - from < 7 && self.adjoins(from - 1) {
            let joins = ["und", "fuer", "am", "zum", "&"].contains(&self.word(from - 1)) && !self.lower;
            let enough = from > 1 && self.adjoins(from - 2) && self.proper(from - 2);
            let lead = ["vom", "von", "firma", "der", "bei", "die", "bin", "ist"].contains(&self.word(from - 1))
                && !(joins && enough && from < form);
            if lead || !(self.proper(from - 1) || joins && enough && from < form) {
                break;
            }
            from -= 1;
        }
        let mut to = form;
        while self.form_length(to) > 0 {
            to += self.form_length(to);
        }
        if from == form {
            return None;
        }
        let name = self.name(from, form)?;
        let written: Vec<&str> = (form..to).map(|at| self.word(at)).collect();
        Some(format!("{name} {}", form_written(&written)))
    }

    /// How many tokens the legal form at `at` has; 0: none stands there.
    pub(super) fn form_length(&self, at: usize) -> usize {
        let word = self.word(at);
        if word == "e" && matches!(self.word(at + 1), "k" | "v" | "kfr" | "kfm") {
            return 2;
        }
        if (word == "und" || word == "&") && matches!(self.word(at + 1), "co" | "compagnie") {
            return 2;
        }
        if word == "b" && self.word(at + 1) == "v" {
            return 2;
        }
        if word == "s" && self.word(at + 1) == "r" && self.word(at + 2) == "o" {
            return 3;
        }
        usize::from(
            WORDS.forms.contains(word) && (self.lower || self.tokens()[at].capital || word == "ggmbh") && word != "co",
        )
    }

    /// "von der Firma X", "vom Reisebüro X", "bei der X", "aus dem Pflegeheim X".
    pub(super) fn introduced(&self) -> Option<String> {
        for at in 0..self.opening() {
            let start = match (self.word(at), self.word(at + 1)) {
                ("firma", _) if self.proper(at + 1) => at + 1,
                ("von" | "bei" | "aus" | "vo", "der" | "dem") => at + 2,
                ("vom" | "from" | "von", _) => at + 1,
                _ => continue,
            };
            let start = start + usize::from(matches!(self.word(start), "firma" | "the"));
            let end = self.name_end(start, 6);
            let trade = (start..end).any(|i| self.is_trade(i));
            let by_name = at > 0 && !self.is_place(start, end);
            if end > start && (trade || by_name) && !WORDS.titles.contains(self.word(start)) {
                return self.name(start, end);
            }
        }
        None
    }

    /// A single word after "von" is as often a part of a name as a company.
    pub(super) fn is_place(&self, from: usize, to: usize) -> bool {
        to == from + 1
            && from >= 2
            && self.tokens()[from - 2].capital
            && WORDS.first_names.contains(self.word(from - 2))
            && !self.is_trade(from)
            && self.word(from - 1) == "von"
            && self.tokens().get(to).is_some_and(|t| t.clause == self.tokens()[from].clause)
    }

    pub(super) fn is_trade(&self, at: usize) -> bool {
        let word = self.word(at);
        word.len() > 2
            && WORDS
                .trades
                .iter()
                .any(|trade| word.ends_with(trade) || trade.len() > 5 && *trade != "technik" && word.starts_with(trade))
    }

    /// How many tokens the caller's introduction has.
    pub(super) fn opening(&self) -> usize {
        let count = self.tokens().len();
        self.tokens().iter().position(|t| t.sentence > 3).unwrap_or(count).min(45)
    }

    /// A proper name among the tokens `[from, to)` that names a kind of business.
    pub(super) fn trade(&self, from: usize, to: usize) -> Option<String> {
        let own = |at: usize| {
            let before = if at == 0 { "" } else { self.word(at - 1) };
            !(before.starts_with("unser")
                || before.starts_with("kein")
                || [
                    "eine",
                    "einen",
                    "neue",
                    "im",
                    "in",
                    "ins",
                    "dem",
                    "zum",
                    "am",
                    "beim",
                    "den",
                    "fuer",
                    "ganze",
                    "komplette",
                    "mit",
                ]
                .contains(&before))
        };
        (from..to).filter(|at| self.is_trade(*at) && self.proper(*at)).find_map(|at| {
            let mut first = at;
            while first > from && self.adjoins(first - 1) && self.proper(first - 1) && !self.lower {
                first -= 1;
            }
            let end = self.name_end(first, 7);
            let (clause, last) = self.scene.clause(at);
            let whole = clause == first && last == end;
            let lead = first.checked_sub(1).map_or("", |i| self.word(i));
            let announced = ["von", "vom", "der", "bei", "das", "die", "firma", "ist", "vo", "aus"].contains(&lead);
            (own(first) && (end > first + 1 || whole || announced && end > first))
                .then(|| self.name(first, end))
                .flatten()
        })
    }

    /// The company below a mail.
    pub(super) fn signed(&self) -> Option<String> {
        let count = self.tokens().len();
        let from = self.tokens().iter().position(|t| t.signature).unwrap_or(count);
        self.trade(from, count).or_else(|| self.trade(count.saturating_sub(14), count))
    }
}

fn form_written(words: &[&str]) -> String {
    match words {
        ["e", "k", ..] => "e.K.".to_owned(),
        ["e", "v", ..] => "e.V.".to_owned(),
        ["b", "v"] => "B.V.".to_owned(),
        ["s", "r", "o"] => "s.r.o.".to_owned(),
        ["gmbh", "und" | "&", "co", "kg"] => "GmbH & Co. KG".to_owned(),
        ["gmbh", ..] => "GmbH".to_owned(),
        ["ggmbh"] => "gGmbH".to_owned(),
        ["ug"] => "UG".to_owned(),
        ["mbb"] => "mbB".to_owned(),
        ["gbr"] => "GbR".to_owned(),
        ["partgmbb"] => "PartGmbB".to_owned(),
        ["holding"] => "Holding".to_owned(),
        [one] => one.to_uppercase(),
        more => more.join(" "),
    }
}
