//! Persons by their form of address or their office: "Frau Sommer", "Doktor Haase", "Herr von Thun".

use super::fields::Reader;
use super::words::WORDS;

/// Behind "Herr" and "Frau" these stand for a name.
const OFFICES: [&str; 14] = [
    "direktor",
    "direktorin",
    "pfarrer",
    "pfarrerin",
    "doktor",
    "professor",
    "rektor",
    "rektorin",
    "kollege",
    "kollegin",
    "praesident",
    "vorsitzender",
    "nachbar",
    "nachbarin",
];

impl Reader<'_> {
    /// The first that is titled and not only spoken of: "die Signatur von Frau Menzel".
    pub(super) fn titled_caller(&self) -> Option<String> {
        let count = self.tokens().len().min(60);
        (0..count).filter(|at| self.is_title(*at)).find_map(|at| {
            let article = usize::from(matches!(self.before(at, 1), "der" | "dem" | "den"));
            let of = matches!(self.before(at, 1 + article), "von" | "fuer" | "mit" | "bei" | "ihr" | "ihrem" | "ihren");
            let doctor = self.before(at, 1) == "frau";
            // "Nein, Frau Huth, der nächste soll warten."
            let of = of || matches!(self.before(at, 1), "nein" | "jetzt" | "moment");
            if of || doctor { None } else { self.titled(at, at + 1) }
        })
    }

    /// "Ich bin die Irmgard", "Lehnhardt heiß ich": said anywhere.
    pub(super) fn names_himself(&self) -> Option<String> {
        (0..self.tokens().len()).find_map(|at| match (self.word(at), self.word(at + 1)) {
            ("ich", "bin" | "bins") => {
                let article = usize::from(matches!(self.word(at + 2), "der" | "die"));
                let start = at + 2 + article;
                (self.is_given(start) && self.proper(start) && !self.lower).then(|| self.person(start)).flatten()
            }
            ("heiss" | "heisse" | "hoass", "ich" | "i") => {
                let from = self.back(at);
                let begins = from < at && (from == 0 || self.tokens()[from - 1].clause != self.tokens()[at].clause);
                begins.then(|| self.person(from)).flatten()
            }
            _ => None,
        })
    }

    /// "Frau Sommer", "Herr Breunig", "Doktor Haase".
    pub(super) fn titled(&self, from: usize, to: usize) -> Option<String> {
        (from..to.min(self.tokens().len())).find_map(|at| {
            let title = self.word(at);
            let doctor = matches!(title, "dr" | "doktor" | "prof" | "professor");
            let after_business = doctor && at > 0 && self.is_trade(at - 1) && self.adjoins(at - 1);
            // "Herr von Thun"
            let noble = matches!(title, "herr" | "herrn" | "frau" | "dr" | "doktor");
            let of = noble && matches!(self.word(at + 1), "von" | "van" | "zu") && self.proper(at + 2);
            let of = usize::from(of);
            // "Herr Direktor": addressed or spoken of without a name.
            let unnamed = noble && !doctor && OFFICES.contains(&self.word(at + 1)) && !self.proper(at + 2);
            let unnamed = unnamed || noble && OFFICES.contains(&self.word(at + 1)) && !self.adjoins(at + 1);
            if !self.is_title(at) || after_business || unnamed || !self.proper(at + 1 + of) {
                return None;
            }
            let mut end = at + 1 + of;
            if of == 1 {
                return self.titled_as(at, end + 1);
            }
            let given = usize::from(self.is_given(at + 1));
            let longest = if self.lower { 2 + given } else { 4 };
            let ends = |end: usize| end > at + 1 && (self.is_trade(end) || self.is_role(end));
            while end < at + longest && self.proper(end) && !ends(end) && (end == at + 1 || self.adjoins(end - 1)) {
                end += 1;
            }
            if given == 1 && matches!(self.word(end), "von" | "van" | "zu") && end == at + 2 && self.proper(end + 1) {
                end += 2;
            }
            end += usize::from(matches!(self.word(end), "junior" | "senior"));
            self.titled_as(at, end)
        })
    }

    /// The name up to `end` with the title at `at` in its form.
    fn titled_as(&self, at: usize, end: usize) -> Option<String> {
        let name = self.name(at + 1, end)?;
        Some(match self.word(at) {
            "herr" | "herrn" => format!("Herr {name}"),
            "monsieur" => name,
            // "Mr Sanjay Menon"
            "mr" | "mrs" | "ms" if name.contains(' ') => name,
            "doktor" | "dr" => format!("Dr. {name}"),
            _ => format!("{} {name}", self.name(at, at + 1)?),
        })
    }

    /// A form of address or an office; "dr Karl" is an article of dialect.
    pub(super) fn is_title(&self, at: usize) -> bool {
        let article = self.word(at) == "dr" && !self.lower && self.tokens().get(at).is_some_and(|token| !token.capital);
        WORDS.titles.contains(self.word(at)) && !article
    }
}
