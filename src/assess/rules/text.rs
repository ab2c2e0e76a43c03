//! The message as tokens: folded words that remember where they stand, in sentences and clauses.
//!
//! Every rule works on tokens, never on raw text, and every proof is cut from the original by a token's byte range.
//! Handled here so that no rule has to: umlauts, HTML, quoted and forwarded mail, signatures, abbreviations, digits.
//! Total: any input gives tokens, never a panic.

use super::dialect;

/// One word, number or sign.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent property of the place in the text")]
pub(super) struct Token {
    /// Lower case, umlauts spelled out, apostrophes dropped: the form the patterns are written in.
    pub norm: String,
    /// Byte range in the original text.
    pub start: usize,
    /// End of the byte range.
    pub end: usize,
    /// Number of its sentence.
    pub sentence: usize,
    /// Number of its clause, counted through the whole text.
    pub clause: usize,
    /// Starts with a capital letter.
    pub capital: bool,
    /// Part of a mail's signature.
    pub signature: bool,
    /// Below the head of a forwarded message.
    pub forwarded: bool,
    /// Between quotation marks.
    pub quoted: bool,
    /// Directly behind a colon: what is announced begins here.
    pub announced: bool,
}

impl Token {
    /// Whether it is made of digits (with inner `.`, `,` or `:`).
    pub(super) fn is_number(&self) -> bool {
        self.norm.starts_with(|c: char| c.is_ascii_digit())
    }
}

/// The folded word at a token; empty outside.
pub(super) fn word(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |token| token.norm.as_str())
}

/// A tokenised text.
#[derive(Debug)]
pub(super) struct Text<'a> {
    /// As given.
    pub source: &'a str,
    /// Its tokens in order.
    pub tokens: Vec<Token>,
    /// For every sentence whether it ends in a question mark.
    pub asks: Vec<bool>,
}

impl<'a> Text<'a> {
    /// Splits a text into tokens; what is German is read in standard words.
    pub(super) fn new(source: &'a str) -> Self {
        let text = Self::read(source, false);
        let spoken = text.tokens.iter().any(|token| dialect::standard(&token.norm).is_some());
        if spoken && super::language::of(&text) == "de" { Self::read(source, true) } else { text }
    }

    /// Splits a text into tokens; `german` says whether it is read in standard words.
    pub(super) fn read(source: &'a str, german: bool) -> Self {
        let mut reader = Reader { glyphs: super::mail::readable(source), german, ..Reader::default() };
        reader.run();
        let (tokens, asks) = super::breath::split(reader.tokens, &reader.asks);
        Self { source, tokens, asks }
    }

    /// The original words from token `from` up to (not including) token `to`, with their byte range.
    pub(super) fn quote(&self, from: usize, to: usize) -> (&'a str, (usize, usize)) {
        let (Some(first), Some(last)) = (self.tokens.get(from), self.tokens.get(to.wrapping_sub(1))) else {
            return ("", (0, 0));
        };
        let range = (first.start, last.end.max(first.start));
        (self.source.get(range.0..range.1).unwrap_or(""), range)
    }

    /// Token range `[from, to)` of every sentence.
    pub(super) fn sentences(&self) -> Vec<(usize, usize)> {
        let mut list: Vec<(usize, usize)> = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            match list.last_mut() {
                Some(open) if self.tokens[open.0].sentence == token.sentence => open.1 = at + 1,
                _ => list.push((at, at + 1)),
            }
        }
        list
    }
}

/// The form in which words are compared: lower case, `ä` as `ae`, `ß` as `ss`, no apostrophes, no other accents.
pub(super) fn fold(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 2);
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            '\'' | '’' | '`' | '\u{300}'..='\u{308}' => {}
            c => out.push(bare(c)),
        }
    }
    out
}

/// A letter without its accent: a recogniser writes "cała" or "cala".
fn bare(c: char) -> char {
    match c {
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' => 'ι',
        'ό' => 'ο',
        'ύ' => 'υ',
        'ώ' => 'ω',
        'á' | 'à' | 'â' | 'ã' | 'å' | 'ă' | 'ą' | 'ā' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'é' | 'è' | 'ê' | 'ë' | 'ě' | 'ę' | 'ė' | 'ē' => 'e',
        'ğ' => 'g',
        'í' | 'ì' | 'î' | 'ï' | 'ı' | 'į' | 'ī' => 'i',
        'ł' | 'ľ' | 'ĺ' => 'l',
        'ñ' | 'ń' | 'ň' => 'n',
        'ó' | 'ò' | 'ô' | 'õ' | 'ő' | 'ø' => 'o',
        'ř' | 'ŕ' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ț' | 'ţ' => 't',
        'ú' | 'ù' | 'û' | 'ů' | 'ű' | 'ū' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ż' | 'ž' => 'z',
        c => c,
    }
}

/// A readable character with its byte range in the original and where it stands in a mail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    /// The character.
    pub c: char,
    /// Byte range start.
    pub start: usize,
    /// Byte range end.
    pub end: usize,
    /// Part of a signature.
    pub signature: bool,
    /// Part of a forwarded message.
    pub forwarded: bool,
}

/// A full stop after one of these ends no sentence.
const ABBREVIATIONS: &[&str] = &[
    "max", "min", "mtl", "dr", "prof", "med", "co", "fa", "str", "ca", "inkl", "zzgl", "nr", "tel", "bzw", "ggf",
    "evtl", "usw", "ing", "dipl", "st", "mr", "mrs", "ms", "vs", "exkl", "gebr", "inh", "kfz",
];

/// How months begin: "5. September" goes on.
const MONTHS: &[&str] = &[
    "jan", "feb", "mae", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez", "jae", "mar", "may", "oct",
    "dec",
];

/// Sounds of thinking: they stand anywhere, even within a compound, and say nothing.
const HESITATIONS: &[&str] = &["aeh", "aehm", "oeh", "ehm", "hm", "hmm", "mhm", "tja", "uhm"];

/// Words that begin a clause of their own, with or without a comma before them.
const OPENERS: &str = "aber sondern jedoch allerdings weil sofern falls wenn obwohl dass vorausgesetzt ohne \
    solange soweit but if because although unless provided";

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent state of the reading")]
struct Reader {
    glyphs: Vec<Glyph>,
    tokens: Vec<Token>,
    asks: Vec<bool>,
    clause: usize,
    open_sentence: bool,
    in_quotes: bool,
    colon: bool,
    /// Dialect is read as standard words.
    german: bool,
}

#[derive(PartialEq, Clone, Copy)]
enum Kind {
    Letters,
    Digits,
    Sign,
    Other,
}

fn kind(c: char) -> Kind {
    match c {
        c if c.is_ascii_digit() => Kind::Digits,
        c if c.is_alphanumeric() => Kind::Letters,
        '€' | '+' | '&' | '%' => Kind::Sign,
        _ => Kind::Other,
    }
}

impl Reader {
    fn at(&self, index: usize) -> char {
        self.glyphs.get(index).map_or(' ', |glyph| glyph.c)
    }

    fn run(&mut self) {
        let mut index = 0;
        while index < self.glyphs.len() {
            let end = match kind(self.at(index)) {
                Kind::Letters => self.word_end(index),
                Kind::Digits => self.number_end(index),
                Kind::Sign => index + 1,
                Kind::Other => {
                    self.punctuation(index);
                    index += 1;
                    continue;
                }
            };
            self.push(index, end);
            index = end;
        }
        if self.open_sentence {
            self.asks.push(false);
        }
    }

    fn word_end(&self, from: usize) -> usize {
        let mut end = from + 1;
        // "d'Gebühr", "s'Internet": the article is a word of its own.
        if matches!(self.at(from), 'd' | 'D' | 's' | 'S' | 'l') && matches!(self.at(end), '\'' | '’') {
            return end;
        }
        loop {
            let c = self.at(end);
            let inner = matches!(c, '\'' | '’' | '\u{307}' | '\u{308}') && kind(self.at(end + 1)) == Kind::Letters;
            if kind(c) != Kind::Letters && !inner && !matches!(c, '\u{307}' | '\u{308}') {
                return end;
            }
            end += 1;
        }
    }

    fn number_end(&self, from: usize) -> usize {
        let mut end = from + 1;
        loop {
            let inner = matches!(self.at(end), '.' | ',' | ':') && self.at(end + 1).is_ascii_digit();
            if !self.at(end).is_ascii_digit() && !inner {
                return end;
            }
            end += 1;
        }
    }

    fn push(&mut self, from: usize, to: usize) {
        let raw: String = self.glyphs[from..to].iter().map(|glyph| glyph.c).collect();
        let norm = match raw.as_str() {
            "€" => "euro".to_owned(),
            // "i. H. v. 48,00 €": nobody's "i" for "ich".
            "i" if self.at(to) == '.' => "i.".to_owned(),
            _ => fold(&raw),
        };
        // A capital inside a sentence may begin a name ("Hen", "Koa").
        let common = self.german && (!self.open_sentence || !self.glyphs[from].c.is_uppercase());
        // "48 EUR net" is an amount, not a negation.
        let amount = norm == "net" && self.tokens.last().is_some_and(|last| last.norm == "eur");
        match dialect::standard(&norm).filter(|_| common && !amount) {
            Some(words) => words.iter().for_each(|word| self.add(word.clone(), from, to)),
            None => self.add(norm, from, to),
        }
    }

    /// Adds a word that stands at these glyphs.
    fn add(&mut self, norm: String, from: usize, to: usize) {
        // "Ohne dass …", but "ohne weitere Rückfrage".
        let following = || self.glyphs[to..].iter().map(|glyph| glyph.c).skip_while(|c| c.is_whitespace());
        let opens = norm != "ohne" || following().take(3).eq("das".chars());
        if opens && OPENERS.split(' ').any(|opener| opener == norm) {
            self.clause += 1;
        }
        if HESITATIONS.contains(&norm.as_str()) {
            return;
        }
        let first = self.glyphs[from];
        self.tokens.push(Token {
            norm,
            start: first.start,
            end: self.glyphs[to - 1].end,
            sentence: self.asks.len(),
            clause: self.clause,
            capital: first.c.is_uppercase(),
            signature: first.signature,
            forwarded: first.forwarded,
            quoted: self.in_quotes,
            announced: std::mem::take(&mut self.colon),
        });
        self.open_sentence = true;
    }

    fn punctuation(&mut self, index: usize) {
        let (c, next) = (self.at(index), self.at(index + 1));
        match c {
            '?' | '!' | '…' => self.end_sentence(c == '?'),
            '.' if (next.is_whitespace() || next == '"' || next == '“' || index + 1 == self.glyphs.len())
                && !self.after_abbreviation(index) =>
            {
                self.end_sentence(false);
            }
            '\n' => {
                let rest =
                    self.glyphs[index + 1..].iter().map(|glyph| glyph.c).find(|c| *c == '\n' || !c.is_whitespace());
                if rest.is_none_or(|c| !c.is_lowercase()) {
                    self.end_sentence(false);
                }
            }
            // "48,- netto"
            ',' if matches!(next, '-' | '–') => {}
            '-' | '–' if index > 0 && self.at(index - 1) == ',' => {}
            // A comma inside a row of digits separates groups of one number, not clauses.
            ',' if self.tokens.last().is_some_and(Token::is_number)
                && next == ' '
                && self.at(index + 2).is_ascii_digit() => {}
            '"' | '„' | '“' | '”' | '»' | '«' => {
                self.in_quotes = if c == '„' { true } else { !self.in_quotes };
                self.clause += 1;
            }
            ':' => {
                self.colon = true;
                self.clause += 1;
            }
            ',' | ';' | '(' | ')' | '–' | '—' => self.clause += 1,
            '-' if next == ' ' && (index == 0 || self.at(index - 1).is_whitespace()) => self.clause += 1,
            _ => {}
        }
    }

    /// Whether the full stop at `index` belongs to an abbreviation or an ordinal.
    fn after_abbreviation(&self, index: usize) -> bool {
        let Some(last) = self.tokens.last() else { return false };
        let next = self.glyphs[index..].iter().map(|glyph| glyph.c).skip(1).find(|c| !c.is_whitespace());
        let single = last.norm.chars().count() == 1 && last.norm.chars().all(char::is_alphabetic);
        // In dialect "i" is "ich" and "a" is "auch", and an abbreviation only before another letter and point ("i. V.").
        let mut rest = self.glyphs[index..].iter().map(|glyph| glyph.c).skip(1).skip_while(|c| c.is_whitespace());
        let single = single && (!matches!(last.norm.as_str(), "i" | "a") || rest.nth(1) == Some('.'));
        let rest_of = || self.glyphs[index..].iter().map(|glyph| glyph.c).skip(1).skip_while(|c| c.is_whitespace());
        let month = || MONTHS.contains(&fold(&rest_of().take(3).collect::<String>()).as_str());
        let dated = last.norm.len() <= 2 || last.norm.contains('.');
        let ordinal = last.is_number() && dated && (next.is_some_and(char::is_lowercase) || month());
        let tax = matches!(last.norm.as_str(), "mwst" | "ust") && next.is_some_and(char::is_lowercase);
        index > 0 && (tax || single && next.is_some() || ordinal || ABBREVIATIONS.contains(&last.norm.as_str()))
    }

    fn end_sentence(&mut self, asks: bool) {
        if self.open_sentence {
            self.asks.push(asks);
            self.open_sentence = false;
            self.clause += 1;
        } else if let (true, Some(last)) = (asks, self.asks.last_mut()) {
            *last = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norms(text: &str) -> Vec<Vec<String>> {
        let text = Text::new(text);
        text.sentences().iter().map(|s| text.tokens[s.0..s.1].iter().map(|t| t.norm.clone()).collect()).collect()
    }

    #[test]
    fn abbreviations_and_amounts_end_no_sentence() {
        assert_eq!(norms("Dr. Kuhn zahlt 48,00 €. Ja."), [vec!["dr", "kuhn", "zahlt", "48,00", "euro"], vec!["ja"]]);
        assert_eq!(norms("Stoll e.K. hier, um 18:20 Uhr.").len(), 1);
    }

    #[test]
    fn a_quote_is_cut_from_the_original() {
        let text = Text::new("Für uns ist das ein Notfall.");
        assert_eq!(text.quote(4, 6).0, "ein Notfall");
        assert_eq!(text.quote(9, 99).0, "");
    }

    #[test]
    fn html_is_read_as_text_and_ranges_stay_in_the_source() {
        let source = "<div>Die Geb&uuml;hr <b>passt</b>.<br>Gru&szlig;</div>";
        let text = Text::new(source);
        assert_eq!(text.tokens[1].norm, "gebuehr");
        assert_eq!(text.quote(1, 2).0, "Geb&uuml;hr");
        assert_eq!(text.sentences().len(), 2);
    }
}
