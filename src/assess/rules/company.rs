//! The caller's company: by its legal form, by the words that introduce it, by the kind of business.

use super::fields::{Kind, Piece, Reader};
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
        if from == form { None } else { self.formed(from, form) }
    }

    /// "Yayla Market'ten", "Karadeniz Fırını'ndan": where a Turkish caller calls from.
    pub(super) fn suffixed(&self) -> Option<String> {
        let from_there = ["ten", "tan", "den", "dan", "nden", "ndan"];
        (self.scene.language == "tr").then_some(())?;
        (0..self.tokens().len()).find_map(|at| {
            let (quote, _) = self.scene.text.quote(at, at + 1);
            let (_, suffix) = quote.split_once(['\'', '’'])?;
            let mut from = at;
            while from > 0 && self.adjoins(from - 1) && self.proper(from - 1) {
                from -= 1;
            }
            let whole = self.scene.text.quote(from, at + 1).0;
            let name = whole.rsplit_once(['\'', '’'])?.0.trim().to_owned();
            (from_there.contains(&suffix) && at < self.opening() && name.contains(' ')).then_some(name)
        })
    }

    /// A name `[from, form)` and the legal form behind it, as a German would write it.
    pub(super) fn formed(&self, from: usize, form: usize) -> Option<String> {
        let mut to = form;
        while self.form_length(to) > 0 {
            to += self.form_length(to);
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
        if matches!((word, self.word(at + 1)), ("b", "v") | ("s", "l" | "a")) && self.is_written_large(at) {
            return 2;
        }
        if word == "s" && self.word(at + 1) == "r" && self.word(at + 2) == "o" {
            return 3;
        }
        usize::from(WORDS.forms.contains(word) && (self.lower || self.is_written_large(at)) && word != "co")
    }

    /// "`GmbH`", "eG": a capital anywhere in it.
    pub(super) fn is_written_large(&self, at: usize) -> bool {
        self.scene.text.quote(at, at + 1).0.contains(char::is_uppercase)
    }

    /// The first stretch of the opening that has a legal form.
    pub(super) fn form_piece(&self, pieces: &[Piece]) -> Option<String> {
        let form = |piece: &&Piece| (piece.from + 1..piece.to).any(|at| self.form_length(at) > 0);
        pieces.iter().find(form).and_then(|piece| self.name(piece.from, piece.to))
    }

    /// The first stretch of the opening that names a business, or the first that is introduced as one.
    pub(super) fn company_piece(&self, pieces: &[Piece]) -> Option<String> {
        let whole = |piece: &Piece| piece.to > piece.from + 1 || self.alone(piece) || self.leads_company(piece.from);
        let trade = pieces.iter().find(|piece| {
            piece.kind == Kind::Company && whole(piece) && self.is_own(piece.from) && self.has_body(piece)
        });
        let led = || {
            pieces.iter().find(|piece| {
                let long = (piece.from..piece.to).map(|at| self.word(at).len()).sum::<usize>() > 3;
                let early = self.tokens().get(piece.from).is_some_and(|token| token.sentence < 2);
                piece.kind == Kind::Name
                    && early
                    && (long && (self.before(piece.from, 2) != "aus" || piece.to > piece.from + 1))
                    && !self.shouted(piece)
                    && self.leads_company(piece.from)
                    && !self.is_place(piece.from, piece.to)
            })
        };
        trade.or_else(led).and_then(|piece| self.name(piece.from, piece.to))
    }

    /// A stretch of two words or more that is no person, beside a person: "Dr. Oyelaran speaking, Main Valley Biotech".
    pub(super) fn company_beside(&self, pieces: &[Piece]) -> Option<String> {
        let named = pieces.iter().any(|piece| piece.kind == Kind::Person);
        let single =
            pieces.iter().any(|piece| piece.kind == Kind::Name && piece.to == piece.from + 1 && self.alone(piece));
        let early = |piece: &Piece| self.tokens().get(piece.from).is_some_and(|token| token.sentence < 3);
        let free = |piece: &&Piece| {
            piece.kind == Kind::Name
                && early(piece)
                && self.alone(piece)
                && self.is_own(piece.from)
                && !self.is_where(piece.from)
        };
        let place = |piece: &Piece| ["kreis", "stadt", "gemeinde", "markt"].contains(&self.word(piece.from));
        let several =
            pieces.iter().filter(free).find(|piece| piece.to > piece.from + 1 && (named || single || place(piece)));
        let one = || {
            let surname = |piece: &Piece| {
                pieces.iter().any(|other| {
                    other.from != piece.from && (other.from..other.to).any(|at| self.word(at) == self.word(piece.from))
                })
            };
            let first = pieces.iter().find(free)?;
            (named && !surname(first) && self.word(first.from).len() > 3).then_some(first)
        };
        several.or_else(one).and_then(|piece| self.name(piece.from, piece.to))
    }

    /// Fragments of a bad line: "vom La".
    fn shouted(&self, piece: &Piece) -> bool {
        piece.to == piece.from + 1 && self.word(piece.from).chars().count() < 4
    }

    /// Whether nothing but greetings and the words of an introduction stands beside it in its clause.
    pub(super) fn alone(&self, piece: &Piece) -> bool {
        let (from, to) = self.scene.clause(piece.from);
        let behind = self.word(piece.to);
        let ends = piece.to >= to
            || matches!(
                behind,
                "hier" | "in" | "aus" | "mein" | "am" | "guten" | "gruess" | "da" | "speaking" | "noch" | "selbst"
            );
        let small =
            ["ja", "hallo", "guten", "abend", "tag", "morgen", "hier", "moin", "der", "die", "das", "ist", "so"];
        ends && (from..piece.from)
            .all(|at| small.contains(&self.word(at)) || !self.proper(at) && piece.from - from <= 3)
    }

    /// More than a common word: "Praxis" alone names nobody.
    pub(super) fn has_body(&self, piece: &Piece) -> bool {
        !(piece.from..piece.to).all(|at| self.bare(at))
    }

    pub(super) fn bare(&self, at: usize) -> bool {
        WORDS.bare_trades.contains(self.word(at))
    }

    /// Whether words before it say that it is where the caller works.
    pub(super) fn leads_company(&self, at: usize) -> bool {
        let before = |back: usize| self.before(at, back);
        let article = matches!(before(1), "der" | "dem" | "die" | "das" | "the" | "den");
        let preposition = |word: &str| {
            matches!(
                word,
                "von" | "bei" | "vo" | "from" | "run" | "fuer" | "at" | "z" | "chez" | "aus" | "da" | "dalla" | "od"
            )
        };
        matches!(before(1), "vom" | "beim" | "firma" | "from" | "firmy" | "firm" | "fa" | "company" | "called")
            || article && preposition(before(2))
            || matches!(before(1), "von" | "vo" | "bei" | "at" | "of" | "chez" | "z")
    }

    /// Whether it may be the caller's own: not "im Lager", "unsere Praxis".
    pub(super) fn is_own(&self, at: usize) -> bool {
        let before = |back: usize| self.before(at, back);
        let has =
            ["haben", "habe", "hab", "betreibe", "betreiben", "fuehre", "fuehren", "leite", "leiten", "fuer", "run"];
        if has.contains(&before(2)) && matches!(before(1), "den" | "das" | "die" | "the" | "eine" | "ein") {
            return true;
        }
        let inside = matches!(before(1), "im" | "dem" | "fuer" | "beim");
        let whole = !self.bare(at) && self.adjoins(at) && self.proper(at + 1);
        let placed = inside && !whole && !self.function_before(at - 1);
        !(before(1).starts_with("unser")
            || before(1).starts_with("kein")
            || WORDS.not_own.contains(before(1))
            || placed)
    }

    /// Whether "in" or "aus" makes it a place.
    pub(super) fn is_where(&self, at: usize) -> bool {
        at > 0 && matches!(self.word(at - 1), "in" | "aus" | "nach")
    }

    /// "Haustechnik im Seniorenstift", "Nachtdienst im Pflegezentrum", "ich rufe aus dem …".
    fn function_before(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|i| self.is_role(i) || matches!(self.word(i), "aus" | "bei" | "von" | "ich"))
    }

    /// "von der Firma X", "vom Reisebüro X", "bei der X", "aus dem Pflegeheim X".
    pub(super) fn introduced(&self) -> Option<String> {
        let early = self.tokens().iter().position(|t| t.sentence > 1).unwrap_or(self.tokens().len());
        let romance = matches!(self.scene.language.as_str(), "es" | "it" | "fr" | "pt");
        for at in 0..self.opening().min(early) {
            let start = match (self.word(at), self.word(at + 1)) {
                ("firma", _) if self.proper(at + 1) => at + 1,
                // "mein Blumengeschäft heißt Wiesengrün"
                ("heisst", _) if at > 1 && self.is_trade(at - 1) && self.proper(at + 1) => at + 1,
                ("von" | "bei" | "aus" | "vo", "der" | "dem") => at + 2,
                ("vom" | "from" | "von", _) => at + 1,
                // "I am shift supervisor in the Hellweg Parcel Hub"
                ("in" | "at" | "of" | "with", "the") if self.adjoins(at + 2) && self.proper(at + 3) => at + 2,
                // "de la residencia Casa Girasol"
                ("de" | "del" | "della" | "dalla" | "dal" | "du", _) if romance && at > 0 && self.proper(at - 1) => {
                    at + 1 + (at + 1..at + 3).take_while(|i| self.tokens().get(*i).is_some_and(|t| !t.capital)).count()
                }
                _ => continue,
            };
            let start = start + usize::from(matches!(self.word(start), "firma" | "the"));
            let end = self.name_end(start, 6);
            let trade = (start..end).any(|i| self.is_trade(i));
            let by_name = at > 0 && self.word(at) != "aus" && !self.is_place(start, end);
            let body = (start..end).any(|i| !self.bare(i));
            if end > start && body && (trade || by_name) && !WORDS.titles.contains(self.word(start)) {
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
            && self.is_given(from - 2)
            && !self.is_trade(from)
            && self.word(from - 1) == "von"
            && self.tokens().get(to).is_some_and(|t| t.clause == self.tokens()[from].clause)
    }

    /// What `is_trade` knows, read from the words.
    pub(super) fn names_trade(&self, at: usize) -> bool {
        let word = self.word(at);
        // "Praxisprogramm" is what the business uses.
        word.len() > 2
            && !(self.is_given(at) && self.adjoins(at) && self.proper(at + 1))
            && (!super::signature::is_function(word) || WORDS.trades.iter().any(|trade| trade == word))
            && !WORDS.tools.iter().any(|end| word.ends_with(end.as_str()))
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
        let own = |at: usize| self.is_own(at);
        // "Hallo, Schlüsseldienst?"
        let asked = |at: usize| {
            let (from, to) = self.scene.sentence(at);
            to - from <= 3 && self.scene.asks(from)
        };
        let known = |at: &usize| self.is_trade(*at) && !self.is_role(*at) && self.proper(*at) && !asked(*at);
        (from..to).filter(known).find_map(|at| {
            let mut first = at;
            while first > from && self.adjoins(first - 1) && self.proper(first - 1) && !self.lower {
                first -= 1;
            }
            let end = self.name_end(first, 7);
            let (clause, last) = self.scene.clause(at);
            let whole = clause == first && last == end;
            let lead = self.before(first, 1);
            let announced = ["von", "vom", "der", "bei", "das", "die", "firma", "ist", "vo", "aus"].contains(&lead);
            (own(first) && (end > first + 1 || (whole || announced && end > first) && !self.bare(first)))
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

/// Whether a folded word of a name is a kind of business and no name: "technik", "Elektrotechnik".
pub(super) fn is_generic(word: &str) -> bool {
    let general = |word: &str| {
        WORDS.trades.iter().any(|trade| trade == word)
            || WORDS.bare_trades.contains(word)
            || WORDS.compound_heads.contains(word)
            || WORDS.compound_tails.contains(word)
            || WORDS.crafts.contains(word)
    };
    // short endings are endings of names, too: "Rossbau"
    let parts = || WORDS.trades.iter().filter_map(|trade| word.strip_suffix(trade.as_str()));
    general(word) || parts().any(general)
}

fn form_written(words: &[&str]) -> String {
    match words {
        ["ek"] | ["e", "k", ..] => "e.K.".to_owned(),
        ["ev"] | ["e", "v", ..] => "e.V.".to_owned(),
        ["b", "v"] => "B.V.".to_owned(),
        ["s", "l"] => "S.L.".to_owned(),
        ["s", "a"] => "S.A.".to_owned(),
        ["s", "r", "o"] => "s.r.o.".to_owned(),
        ["gmbh", "und" | "&", "co", "kg"] => "GmbH & Co. KG".to_owned(),
        ["gmbh", ..] => "GmbH".to_owned(),
        ["ggmbh"] => "gGmbH".to_owned(),
        ["eg"] => "eG".to_owned(),
        ["ug"] => "UG".to_owned(),
        ["mbb"] => "mbB".to_owned(),
        ["gbr"] => "GbR".to_owned(),
        ["partgmbb"] => "PartGmbB".to_owned(),
        ["holding"] => "Holding".to_owned(),
        [one] => one.to_uppercase(),
        more => more.join(" "),
    }
}

/// "Abwasser Zweck Verband": one word, as a German would write it. First parts without a last one stay apart.
fn compounded(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let folded: Vec<String> = words.iter().map(|word| super::text::fold(word)).collect();
    let head = |at: usize| folded.get(at).is_some_and(|word| WORDS.compound_heads.contains(word));
    let tail = |at: usize| folded.get(at).is_some_and(|word| WORDS.compound_tails.contains(word));
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let heads = (at..words.len()).take_while(|at| head(*at)).count();
        // A word may be both: "Bau", "Hotel".
        let end = (at + 1..=at + heads).rev().find(|end| tail(*end)).unwrap_or(at);
        let rest = words[at + 1..(end + 1).max(at + 1)].iter().map(|word| word.to_lowercase());
        out.push(std::iter::once(words[at].to_owned()).chain(rest).collect());
        at = end.max(at) + 1;
    }
    out.join(" ")
}

/// A kind of business in dialect, as it is written.
fn standard(name: &str) -> String {
    let forms = [
        ("tankstell", "tankstelle"),
        ("sägwerk", "sägewerk"),
        ("sächwerk", "sägewerk"),
        ("stübche", "stübchen"),
        ("lädche", "lädchen"),
        ("hopfahof", "hopfenhof"),
        ("apothek", "apotheke"),
        ("schul", "schule"),
    ];
    let word = |word: &str| {
        let lower = word.to_lowercase();
        let found = forms.iter().find_map(|(dialect, form)| Some((lower.strip_suffix(dialect)?.to_owned(), *form)));
        match found {
            Some((head, form)) if head.is_empty() && word.starts_with(char::is_uppercase) => {
                let mut letters = form.chars();
                letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
            }
            Some((head, form)) => format!("{}{form}", word.get(..head.len()).unwrap_or(&head)),
            None => word.to_owned(),
        }
    };
    name.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// As a German would write it.
pub(super) fn tidy(name: &str) -> String {
    let name = standard(&compounded(&name.replace("Doktor ", "Dr. ").replace("Fa. ", "")));
    name.trim_matches([' ', ',', '.', '-', ':', '&']).to_owned()
        + if name.ends_with(['K', 'V', 'o']) || !name.ends_with('.') { "" } else { "." }
}
