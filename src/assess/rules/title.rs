//! Persons by their form of address or their office ("Frau Sommer", "Herr von Thun", "Diensthabender: …"), and how names
//! are completed and shown.

use super::fields::{Piece, Reader};
use super::signature;
use super::text::fold;
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
            let after_business =
                doctor && at > 0 && self.is_trade(at - 1) && self.adjoins(at - 1) && !self.is_crafted_or_role(at - 1);
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
            // "Herrn Tierarzt Dr. Mönch"
            if self.is_title(at + 2) && !self.is_title(at + 1) && self.is_crafted_or_role(at + 1) {
                return self.titled(at + 2, at + 3);
            }
            let mut end = at + 1 + of;
            if of == 1 {
                return self.titled_as(at, end + 1);
            }
            let given = usize::from(self.is_given(at + 1));
            let longest = if self.lower { 2 + given } else { 4 };
            // "Herr Doktor Imhof"
            let ends = |end: usize| {
                end > at + 1 && !OFFICES.contains(&self.word(end - 1)) && (self.is_trade(end) || self.is_role(end))
            };
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

    fn is_crafted_or_role(&self, at: usize) -> bool {
        self.is_role(at)
            || [
                "arzt",
                "aerztin",
                "anwalt",
                "anwaeltin",
                "notar",
                "notarin",
                "berater",
                "beraterin",
                "architekt",
                "architektin",
            ]
            .iter()
            .any(|end| self.word(at).ends_with(end))
    }

    /// The name up to `end` with the title at `at` in its form.
    fn titled_as(&self, at: usize, end: usize) -> Option<String> {
        let name = self.name(at + 1, end)?;
        Some(match self.word(at) {
            "herr" | "herrn" => format!("Herr {name}"),
            "monsieur" => name,
            // "Mr Sanjay Menon"
            "mr" | "mrs" | "ms" if name.contains(' ') => name,
            "doktor" | "dr" | "doctor" => format!("Dr. {name}"),
            _ => format!("{} {name}", self.name(at, at + 1)?),
        })
    }

    /// A form of address or an office; "dr Karl" is an article of dialect.
    pub(super) fn is_title(&self, at: usize) -> bool {
        let article = self.word(at) == "dr" && !self.lower && self.tokens().get(at).is_some_and(|token| !token.capital);
        WORDS.titles.contains(self.word(at)) && !article
    }

    /// The rest of a form's line, "Firma: …".
    pub(super) fn line(&self, labels: &[&str]) -> Option<String> {
        (0..self.tokens().len()).filter(|at| labels.contains(&self.word(*at))).find_map(|at| {
            // "2) Ansprechpartner vor Ort: …"
            let first = at - usize::from(at > 0 && self.tokens()[at - 1].is_number() && self.begins(at - 1));
            let begins = self.begins(first);
            let place = ["vor", "ort", "heute", "nachts"];
            let last = at + (at + 1..at + 3).take_while(|i| place.contains(&self.word(*i))).count();
            let end = self.tokens()[last].end;
            let rest = self.scene.text.source.get(end..)?;
            if !begins || !rest.trim_start_matches([' ', '*']).starts_with(':') {
                return None;
            }
            let (_, to) = self.scene.sentence(at);
            let last = self.tokens().get(to).map_or(self.scene.text.source.len(), |token| token.start);
            let rest = self.scene.text.source.get(end..last)?.trim_start_matches([' ', '*', ':']);
            let rest = rest.lines().next()?.split('<').next()?.trim();
            let rest = rest.split([';', '|', '(']).next()?.trim();
            let named = rest.chars().any(char::is_alphabetic) && !rest.contains('@');
            named.then(|| signature::without_office(rest.split(", ").next().unwrap_or(rest)).to_owned())
        })
    }

    /// "Diensthabender: Jonathan Rauh".
    pub(super) fn on_duty(&self) -> Option<String> {
        let labels = [
            "diensthabender",
            "diensthabende",
            "diensthabend",
            "bereitschaft",
            "rufbereitschaft",
            "bereitschaftsdienst",
            "ansprechperson",
            "zustaendig",
            "verantwortlich",
        ];
        self.line(&labels).filter(|name| signature::is_name(name) && name.contains(' '))
    }

    /// Whether a sentence begins at a token.
    fn begins(&self, at: usize) -> bool {
        at == 0 || self.tokens()[at - 1].sentence != self.tokens()[at].sentence
    }

    /// "Rufen Sie meinen Mann an, den Rudolf": of the caller's family, so of his surname.
    pub(super) fn of_family(&self, name: String, caller: impl FnOnce() -> Option<String>) -> String {
        let kin = [
            "mann", "frau", "ehemann", "ehefrau", "sohn", "tochter", "vater", "mutter", "bruder", "papa", "mama",
            "opa", "enkel",
        ];
        let given = fold(&name);
        let related = |at: usize| {
            self.word(at) == given
                && (at.saturating_sub(5)..at)
                    .any(|i| kin.contains(&self.word(i)) && self.before(i, 1).starts_with("mein"))
        };
        if !WORDS.first_names.contains(&given) || !(0..self.tokens().len()).any(related) {
            return name;
        }
        caller()
            .and_then(|caller| caller.rsplit_once(' ').map(|(_, surname)| format!("{name} {surname}")))
            .unwrap_or(name)
    }

    /// "Kleinhenz" with the given name that stands before it elsewhere, "W. Thein" with the name the letter stands for.
    pub(super) fn in_full(&self, name: String) -> String {
        if let Some((initial, surname)) = name.split_once(". ").filter(|(initial, _)| initial.chars().count() == 1) {
            let (initial, surname) = (fold(initial), fold(surname));
            let stands = |at: &usize| {
                let given = self.is_given(*at) && self.word(*at).starts_with(&initial);
                given && self.adjoins(*at) && self.word(*at + 1) == surname
            };
            let found = (0..self.tokens().len()).find(stands).and_then(|at| self.name(at, at + 2));
            return found.unwrap_or(name);
        }
        if name.contains([' ', '-', '.']) {
            return name;
        }
        let surname = fold(&name);
        if WORDS.first_names.contains(&surname) {
            return name;
        }
        let full =
            |at: &usize| self.is_given(*at) && self.proper(*at) && self.adjoins(*at) && self.word(*at + 1) == surname;
        let found = (0..self.tokens().len()).find(full);
        found.and_then(|at| self.name(at, at + 2)).unwrap_or(name)
    }

    /// "Malermeister Quandt": somebody with a craft is called by the name behind it.
    pub(super) fn by_craft(&self, pieces: &[Piece]) -> Option<String> {
        let craft = |word: &str| {
            [
                "meister",
                "anwalt",
                "arzt",
                "advokat",
                "architekt",
                "notar",
                "steuerberater",
                "winzer",
                "wirt",
                "landwirt",
                "advokatin",
            ]
            .iter()
            .any(|craft| word.ends_with(craft))
        };
        let piece = pieces.iter().find(|piece| piece.to > piece.from + 1 && craft(self.word(piece.from)))?;
        self.name(piece.from + 1, piece.to.min(piece.from + 3))
    }
}

/// "Олена Коваленко" as a German would write it; other names stay as they are.
pub(super) fn latin(name: &str) -> String {
    let letter = |c: char| {
        Some(match c {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' | 'ґ' => "g",
            'д' => "d",
            'е' | 'э' | 'є' => "e",
            'ё' => "jo",
            'и' | 'і' | 'ї' => "i",
            'й' => "j",
            'к' => "k",
            'л' => "l",
            'м' => "m",
            'н' => "n",
            'о' => "o",
            'п' => "p",
            'р' => "r",
            'з' | 'с' => "s",
            'т' => "t",
            'у' => "u",
            'ф' => "f",
            'х' => "ch",
            'ц' => "z",
            'ч' => "tsch",
            'ж' | 'ш' => "sch",
            'щ' => "schtsch",
            'ъ' | 'ь' => "",
            'ы' => "y",
            'ю' => "ju",
            'я' => "ja",
            _ => return None,
        })
    };
    name.chars().fold(String::with_capacity(name.len()), |mut out, c| {
        let lower = c.to_lowercase().next().unwrap_or(c);
        match letter(lower) {
            Some(written) if c.is_uppercase() => {
                let mut letters = written.chars();
                out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                out.extend(letters);
            }
            Some(written) => out.push_str(written),
            None => out.push(c),
        }
        out
    })
}
