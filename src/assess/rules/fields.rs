//! Who called: the caller's company and the person to call back.
//!
//! Read from what Germans say first ("hier ist Petra Lindner, Bäckerei Lindner in Fulda"), from titles, from legal forms, and
//! from a mail's signature or form lines. Nothing certain hangs on these: they are shown beside the sound.

use super::lexicon::Scene;
use super::opening;
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
}

/// Reads company and contact.
pub(super) fn read(scene: &Scene<'_>, mail: bool) -> Who {
    let tokens = &scene.text.tokens;
    let capitals = tokens.iter().filter(|t| t.capital).count();
    let reader = Reader { scene, lower: capitals * 12 < tokens.len() && tokens.len() > 12 };
    let signed = if mail { signature::read(scene.text.source) } else { signature::Signature::default() };
    let opening = if mail { opening::Opening::default() } else { opening::read(&reader) };
    let company = reader
        .line("firma")
        .or_else(|| signed.company.filter(|_| mail))
        .or_else(|| reader.legal_form())
        .or(opening.company)
        .or_else(|| reader.trade(0, reader.opening()))
        .or_else(|| reader.introduced())
        .or_else(|| reader.signed());
    let contact = reader
        .line("ansprechpartner")
        .or_else(|| reader.asked_for())
        .or(signed.name)
        .or_else(|| reader.by_phrase())
        .or(opening.contact)
        .or_else(|| reader.contact(company.as_deref()));
    Who { company: company.map(|name| tidy(&name)), contact: contact.map(|name| tidy(&name)) }
}

impl Reader<'_> {
    /// Its tokens.
    pub(super) fn tokens(&self) -> &[Token] {
        &self.scene.text.tokens
    }

    /// The folded word at a token; empty outside.
    pub(super) fn word(&self, at: usize) -> &str {
        self.tokens().get(at).map_or("", |token| token.norm.as_str())
    }

    /// The rest of a form's line, "Firma: …".
    pub(super) fn line(&self, label: &str) -> Option<String> {
        let at = (0..self.tokens().len()).find(|at| {
            let begins = *at == 0 || self.tokens()[at - 1].sentence != self.tokens()[*at].sentence;
            begins && self.word(*at) == label && self.scene.text.source[self.tokens()[*at].end..].starts_with(':')
        })?;
        let (_, to) = self.scene.sentence(at);
        let last = self.tokens().get(to).map_or(self.scene.text.source.len(), |token| token.start);
        let rest = self.scene.text.source.get(self.tokens()[at].end + 1..last)?;
        Some(rest.lines().next()?.trim().to_owned()).filter(|rest| !rest.is_empty())
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

    /// Whether a token can be part of a proper name.
    pub(super) fn proper(&self, at: usize) -> bool {
        let Some(token) = self.tokens().get(at) else { return false };
        if self.lower {
            return !WORDS.stops.contains(token.norm.as_str()) && !token.is_number();
        }
        token.capital && !(WORDS.no_name.contains(token.norm.as_str())) || token.norm == "&"
    }

    /// The end of a proper name that begins at `at`; small words only between two capitalised ones.
    pub(super) fn name_end(&self, at: usize, longest: usize) -> usize {
        let mut end = at;
        while end < at + longest {
            let linked = end == at || self.adjoins(end - 1);
            if linked && self.proper(end) {
                end += 1;
                continue;
            }
            let small = ["und", "am", "zum", "zur", "fuer", "von", "im", "an", "der", "dem", "den", "e"];
            let skip = (1..=2).find(|n| {
                (0..*n).all(|k| small.contains(&self.word(end + k)) && self.adjoins(end + k))
                    && self.tokens().get(end + n).is_some_and(|t| t.capital)
                    && (self.proper(end + n) || self.word(end + n) == "e")
            });
            match skip {
                Some(n) if linked && end > at && !self.lower => end += n,
                _ => break,
            }
        }
        end.max(at)
    }
}

/// As a German would write it.
fn tidy(name: &str) -> String {
    let name = name.replace("Doktor ", "Dr. ").replace("Fa. ", "");
    name.trim_matches([' ', ',', '.', '-', ':', '&']).to_owned()
        + if name.ends_with(['K', 'V', 'o']) || !name.ends_with('.') { "" } else { "." }
}
