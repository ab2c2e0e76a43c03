//! Who called: the caller's company and the person to call back.
//!
//! Read from what Germans say first ("hier ist Petra Lindner, Bäckerei Lindner in Fulda"), from titles, from legal forms, and
//! from a mail's signature or form lines. Nothing certain hangs on these: they are shown beside the sound.

use super::company::tidy;
use super::contact::with_surname;
use super::introduction::Introduced;
use super::lexicon::Scene;
use super::signature;
use super::text::Token;
use super::words::WORDS;

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    /// The company, as a German would write it.
    pub company: Option<String>,
    /// The contact.
    pub contact: Option<String>,
}

/// A message, and how names are written in it.
pub(super) struct Reader<'a> {
    /// The message.
    pub scene: &'a Scene<'a>,
    /// Written without capitals.
    pub lower: bool,
    /// For every token whether it is a word for a kind of business; asked again and again.
    trades: Vec<bool>,
}

/// What a stretch of names in the opening is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A title or a given name leads it.
    Person,
    /// It has a legal form or a word for a business.
    Company,
    /// A department or a function.
    Role,
    /// Anything else that is written like a name.
    Name,
}

/// A stretch of names in the opening, tokens `[from, to)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// First token.
    pub from: usize,
    /// One past the last token.
    pub to: usize,
    /// What it is.
    pub kind: Kind,
}

/// Reads company and contact.
pub(super) fn read(scene: &Scene<'_>, mail: bool) -> Who {
    let tokens = &scene.text.tokens;
    // What a telephone adds below a mail is not written by him.
    let footer =
        tokens.iter().rposition(|t| matches!(t.norm.as_str(), "gesendet" | "sent")).filter(|at| mail && *at > 5);
    let own = &tokens[..footer.unwrap_or(tokens.len())];
    let capitals = own.iter().filter(|t| t.capital).count();
    let reader = Reader::new(scene, capitals * 12 < own.len() && (own.len() > 12 || capitals == 0));
    if reader.broken() {
        return Who::default();
    }
    let signed = if mail { signature::read(scene.text.source) } else { signature::Signature::default() };
    let pieces = reader.pieces();
    let spoken = if mail { Introduced::default() } else { reader.introduction() };
    let introduced = spoken.contact.is_some();
    let company = reader
        .line(&["firma", "unternehmen", "kunde", "betrieb", "company", "firmenname", "einrichtung", "organisation"])
        .or_else(|| reader.line(&["standort", "objekt"]).filter(|place| signature::is_business(place)))
        .or(signed.company)
        .or_else(|| reader.suffixed())
        .or(spoken.company)
        .or_else(|| reader.lower.then(|| reader.form_piece(&pieces)).flatten())
        .or_else(|| reader.legal_form())
        .or_else(|| reader.company_piece(&pieces).filter(|name| !introduced || name.contains([' ', '-'])))
        .or_else(|| if introduced { None } else { reader.trade(0, reader.opening()) })
        .or_else(|| if mail || introduced { None } else { reader.company_beside(&pieces) })
        .or_else(|| reader.introduced())
        .or_else(|| if mail { reader.signed() } else { None });
    let contact = reader
        .line(&["ansprechpartner", "ansprechpartnerin", "kontaktperson", "kontakt", "contact", "name", "melder"])
        .map(|name| signature::shown(&name))
        .or_else(|| reader.on_duty())
        .or_else(|| reader.answered())
        .or_else(|| reader.asked_for())
        .or_else(|| reader.spoken_for())
        .map(|name| {
            let caller = || signed.name.clone().or_else(|| spoken.contact.clone());
            reader.of_family(name, || caller().or_else(|| reader.contact(&pieces, company.as_deref(), mail)))
        })
        .or(signed.name)
        .or(spoken.contact)
        .or_else(|| if mail { None } else { reader.names_himself() })
        .or_else(|| if mail { None } else { reader.before_number().or_else(|| reader.behind_number()) })
        .or_else(|| reader.contact(&pieces, company.as_deref(), mail));
    let company = company.or_else(|| contact.as_deref().and_then(|name| reader.namesake(name)));
    let contact = contact.map(|name| with_surname(reader.in_full(name), company.as_deref()));
    // "Sonnige Grüße, Valeska Imhof": a person and no business.
    let person = |name: &String| contact.as_ref() == Some(name) && name.contains(' ') && is_person(name);
    let company = company.filter(|name| !super::contact::stutters(name) && !person(name));
    Who { company: company.map(|name| tidy(&name)), contact: contact.map(|name| super::title::latin(&tidy(&name))) }
}

/// A company in a mail's subject: "Schreinerei Obermeier - nix geht mehr".
pub(super) fn titled(subject: &Scene<'_>) -> Option<String> {
    let reader = Reader::new(subject, false);
    let whole = |piece: &Piece| piece.kind == Kind::Company && piece.to > piece.from + 1;
    let piece = || reader.pieces().into_iter().find(whole).and_then(|piece| reader.name(piece.from, piece.to));
    reader.legal_form().or_else(piece).map(|name| tidy(&name))
}

impl<'a> Reader<'a> {
    /// Reads a message, `lower` says that it is written without capitals.
    pub(super) fn new(scene: &'a Scene<'a>, lower: bool) -> Self {
        let mut reader = Self { scene, lower, trades: Vec::new() };
        reader.trades = (0..scene.text.tokens.len()).map(|at| reader.names_trade(at)).collect();
        reader
    }

    /// Whether a token is a word for a kind of business.
    pub(super) fn is_trade(&self, at: usize) -> bool {
        self.trades.get(at) == Some(&true)
    }

    /// Its tokens.
    pub(super) fn tokens(&self) -> &[Token] {
        &self.scene.text.tokens
    }

    /// The folded word at a token; empty outside.
    pub(super) fn word(&self, at: usize) -> &str {
        self.scene.word(at)
    }

    /// The word so many tokens before a token; empty outside.
    pub(super) fn before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back).map_or("", |i| self.word(i))
    }

    /// Whether a token is a given name.
    pub(super) fn is_given(&self, at: usize) -> bool {
        WORDS.first_names.contains(self.word(at))
    }

    /// Cut to shreds by the line, or nobody's words: the pauses make more clauses than there are words in them.
    fn broken(&self) -> bool {
        let count = self.tokens().len();
        let stubs = self.tokens().iter().filter(|token| token.norm.chars().count() <= 2 && !token.is_number()).count();
        let clauses = self.tokens().last().map_or(0, |token| token.clause + 1);
        // "…, wir sind hier in der, und das Licht, also, oder.": clauses that end before their noun.
        let open =
            ["der", "die", "den", "dem", "ein", "eine", "vom", "von", "im", "zum", "und", "oder", "seit", "unser"];
        let ends = |at: &usize| self.tokens().get(at + 1).is_none_or(|t| t.clause != self.tokens()[*at].clause);
        let dangling = (0..count).filter(|at| open.contains(&self.word(*at)) && ends(at)).count();
        let scraps = dangling > 2 || dangling == 2 && clauses * 3 > count;
        // "Rausch, knack, …": what the line adds.
        let noises = ["rausch", "knack", "knister", "piep", "krach", "tuut", "rauschen", "knacken"];
        let noisy = self.tokens().iter().filter(|token| noises.contains(&token.norm.as_str())).count() > 2;
        if noisy || count < 45 && clauses > 5 && scraps {
            return true;
        }
        self.word(0).starts_with("untertitel") || count > 6 && stubs * 2 > count && clauses * 2 > count
    }

    /// "Kranz Kälte-Klima" of Silvio Kranz: names beside the surname of who calls.
    fn namesake(&self, contact: &str) -> Option<String> {
        let surname = super::text::fold(contact.rsplit(' ').next()?);
        let count = self.tokens().len();
        (0..count).filter(|at| self.word(*at) == surname && self.proper(*at)).find_map(|at| {
            let whole = |from: usize| from == 0 || self.tokens()[from - 1].clause != self.tokens()[from].clause;
            let other = |i: usize| !self.is_given(i) && !self.is_role(i) && !WORDS.titles.contains(self.word(i));
            let end = self.name_end(at, 6);
            let behind = whole(at) && end > at + 1 && other(at + 1);
            let before = at > 0 && whole(at - 1) && self.adjoins(at - 1) && self.proper(at - 1) && other(at - 1);
            let known = self.word(at.saturating_sub(1)).len() > 4;
            match (behind, before && known) {
                (true, _) => self.name(at, end),
                (_, true) => self.name(at - 1, end),
                _ => None,
            }
        })
    }

    /// Whether a company is named other than by what stands before this place.
    pub(super) fn works_elsewhere(&self, from: usize) -> bool {
        self.legal_form().is_some()
            || (0..self.opening()).any(|at| (at >= from || at + 4 < from) && self.is_trade(at) && self.proper(at))
    }

    /// Whether a word tells what somebody does, or in which room.
    pub(super) fn is_role(&self, at: usize) -> bool {
        // "sozial station": a business written in two words.
        let tail = || {
            at > 0
                && WORDS.compound_tails.contains(self.word(at))
                && WORDS.compound_heads.contains(self.word(at - 1))
                && self.adjoins(at - 1)
        };
        signature::is_function(self.word(at)) && !tail()
    }

    /// Words `[from, to)` joined as written.
    pub(super) fn name(&self, from: usize, to: usize) -> Option<String> {
        if from >= to {
            return None;
        }
        let quote = self.scene.text.quote(from, to).0;
        if !self.lower {
            return Some(quote.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        let upper = |word: &str| {
            let mut chars = word.chars();
            chars.next().map(|c| c.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
        };
        Some(quote.split_whitespace().map(upper).collect::<Vec<_>>().join(" "))
    }

    /// Whether nothing but blanks, a hyphen, a dot or an ampersand stands between a token and the next.
    pub(super) fn adjoins(&self, at: usize) -> bool {
        let (Some(a), Some(b)) = (self.tokens().get(at), self.tokens().get(at + 1)) else { return false };
        let between = self.scene.text.source.get(a.end..b.start).unwrap_or("?");
        a.sentence == b.sentence
            && between.len() <= 3
            && between.chars().all(|c| matches!(c, ' ' | '-' | '.' | '&' | '/'))
    }

    /// Whether only a hyphen stands between a token and the next.
    pub(super) fn hyphened(&self, at: usize) -> bool {
        let (Some(a), Some(b)) = (self.tokens().get(at), self.tokens().get(at + 1)) else { return false };
        self.scene.text.source.get(a.end..b.start) == Some("-")
    }

    /// Whether a token can be part of a proper name.
    pub(super) fn proper(&self, at: usize) -> bool {
        let Some(token) = self.tokens().get(at) else { return false };
        if self.lower {
            return !WORDS.stops.contains(token.norm.as_str()) && !token.is_number();
        }
        // "eG"
        let form = matches!(token.norm.as_str(), "eg" | "ggmbh" | "mbb") && self.is_written_large(at);
        (token.capital || form)
            && !is_day(&token.norm)
            && (!WORDS.no_name.contains(token.norm.as_str()) || self.is_surname(at))
            || token.norm == "&"
    }

    /// The end of a proper name that begins at `at`; small words only between two capitalised ones.
    pub(super) fn name_end(&self, at: usize, longest: usize) -> usize {
        let mut end = at;
        while end < at + longest {
            let linked = end == at || self.adjoins(end - 1);
            // "Gasthaus Zu den Drei Linden"
            if linked && end > at && self.word(end) == "zu" && self.word(end + 1) == "den" && self.is_trade(end - 1) {
                let number = usize::from(is_small_number(self.word(end + 2)));
                if self.tokens().get(end + 2).is_some_and(|t| t.capital) && self.proper(end + 2 + number) {
                    end += 3 + number;
                    continue;
                }
            }
            if linked && self.proper(end) {
                end += 1;
                continue;
            }
            let small = ["und", "am", "zum", "zur", "fuer", "von", "im", "an", "der", "des", "dem", "den", "e", "and"];
            // "Ristorante Da Franco"
            let named = |at: usize| {
                // "Landgasthof Drei Kronen"
                let number = is_small_number(self.word(at));
                (number || matches!(self.word(at), "da" | "al" | "la" | "zum" | "zur" | "am" | "im"))
                    && self.tokens()[at].capital
                    && self.is_trade(at - 1)
                    && self.proper(at + 1)
            };
            if linked && !self.lower && end > at && end + 1 < self.tokens().len() && self.adjoins(end) && named(end) {
                end += 2;
                continue;
            }
            // "Femke de Groot"
            if linked && end > at && !self.lower && self.is_particle(end) {
                end += 2;
                continue;
            }
            let skip = (1..=2).find(|n| {
                (0..*n).all(|k| small.contains(&self.word(end + k)) && self.adjoins(end + k))
                    && self.tokens().get(end + n).is_some_and(|t| t.capital)
                    && (self.proper(end + n) || self.word(end + n) == "e")
            });
            match skip {
                Some(n) if linked && end > at && !self.lower => end += n,
                _ if linked && end > at && self.joins_lower(at, end) => end += 2,
                _ => break,
            }
        }
        end.max(at)
    }

    /// Whether a particle of a surname stands between a given name and a name.
    fn is_particle(&self, at: usize) -> bool {
        let known = matches!(self.word(at), "de" | "van" | "di" | "ten" | "ter" | "zu" | "dos");
        let romance = matches!(self.scene.language.as_str(), "es" | "it" | "fr" | "pt" | "ro");
        known && !romance && self.is_given(at - 1) && self.adjoins(at) && self.proper(at + 1) && !self.is_trade(at + 1)
    }

    /// "Sabine Ruf", "Karl Sonntag": behind a given name these are none of the words they are elsewhere.
    fn is_surname(&self, at: usize) -> bool {
        let known = [
            "ruf",
            "kurz",
            "sonntag",
            "freitag",
            "montag",
            "mensch",
            "lang",
            "gut",
            "morgen",
            "maus",
            "april",
            "uhr",
            "abend",
            "tag",
            "schoen",
            "wunderbar",
            "sturm",
            "himmel",
            "sommer",
            "winter",
            "kunde",
            "raum",
            "hilfe",
        ];
        let business =
            |at: usize| !self.word(at + 1).ends_with(['g', 'd', 'n']) && self.adjoins(at) && self.is_trade(at);
        let title = |at: usize| matches!(self.word(at), "frau" | "herr" | "herrn");
        let led = at > 0 && (self.is_given(at - 1) || title(at - 1) || business(at - 1));
        !self.lower && known.contains(&self.word(at)) && self.tokens()[at].capital && led
    }

    /// Without capitals: "schlüter und wolff", "apotheke am kanal".
    fn joins_lower(&self, from: usize, at: usize) -> bool {
        let business = (from..at).any(|i| self.is_trade(i));
        let small = match self.word(at) {
            "und" => business || matches!(self.word(at + 1), "soehne" | "sohn" | "partner" | "toechter" | "tochter"),
            "am" | "zum" | "zur" => self.is_trade(at - 1),
            _ => false,
        };
        self.lower && small && self.adjoins(at) && self.proper(at + 1)
    }
}

/// As in "Drei Kronen".
fn is_small_number(word: &str) -> bool {
    matches!(word, "zwei" | "drei" | "vier" | "fuenf" | "sechs" | "sieben" | "zwoelf")
}

/// "Pfingstmontag", "Sonntagabend": when he calls.
fn is_day(word: &str) -> bool {
    let days =
        ["montag", "dienstag", "donnerstag", "freitag", "samstag", "sonntag", "abend", "nachmittag", "vormittag"];
    word.ends_with(['g', 'd']) && days.iter().any(|day| word.len() > day.len() + 2 && word.ends_with(day))
}

/// A given name and nothing of a business behind it.
fn is_person(name: &str) -> bool {
    let mut words = name.split([' ', '-']).map(super::text::fold);
    words.next().is_some_and(|first| WORDS.first_names.contains(&first))
        && words.all(|word| !WORDS.trades.contains(&word) && !WORDS.forms.contains(&word))
}
