//! What of a mail is its sender's own: markup, entities, quoted lines, forwarded parts and signatures.
//!
//! Quoted lines (`> …`) are dropped: what somebody said earlier is not said now. Forwarded parts and signatures are kept
//! but flagged. A voicemail has none of this and passes through unchanged.

use super::boxes::ticked;
use super::text::{Glyph, fold};

/// The readable characters of a text with their places in it.
pub(super) fn readable(source: &str) -> Vec<Glyph> {
    let glyphs = ticked(if looks_like_html(source) { unmarked(source) } else { plain(source) });
    let mut own = if glyphs.iter().any(|glyph| glyph.c == '\n') { unquoted(&glyphs) } else { glyphs };
    answer(&mut own);
    own
}

/// Without quoted lines, but with the quoted questions that a yes makes the answerer's own.
fn unquoted(glyphs: &[Glyph]) -> Vec<Glyph> {
    let mut out = Vec::with_capacity(glyphs.len());
    let mut part = Part::default();
    let mut asked: Vec<Glyph> = Vec::new();
    for line in glyphs.split_inclusive(|glyph| glyph.c == '\n') {
        let text: String = line.iter().map(|glyph| glyph.c).collect();
        if text.starts_with('>') {
            asked.extend_from_slice(line);
            continue;
        }
        if !text.trim().is_empty() {
            if agrees(&text) {
                out.extend(question(&asked));
            }
            asked.clear();
        }
        if part.turn(text.trim()) {
            continue;
        }
        out.extend(line.iter().map(|glyph| Glyph { signature: part.signature, forwarded: part.forwarded, ..*glyph }));
    }
    let opening: String = out.iter().map(|glyph| glyph.c).skip_while(|c| c.is_whitespace()).take(60).collect();
    if !asked.is_empty() && agrees(&opening) {
        out.splice(..0, emergency_asked(&asked));
    }
    out
}

/// "Ja, ist einer" above the quoted questions: whether it is an emergency is taken up, what is to be agreed to never.
fn emergency_asked(quoted: &[Glyph]) -> Vec<Glyph> {
    let asks = quoted.split_inclusive(|glyph| glyph.c == '?').find(|part| {
        let text = fold(&part.iter().map(|glyph| glyph.c).collect::<String>());
        let last = text.rsplit(['.', '!', ':']).next().unwrap_or("");
        last.contains("notfall") && !["beding", "gebuehr", "kosten", "einverst"].iter().any(|word| last.contains(word))
    });
    asks.map(question).unwrap_or_default()
}

/// Words that say yes, whatever limits them later.
const YES: [&str; 13] =
    ["ja", "jawohl", "jawoll", "jo", "jep", "yes", "genau", "richtig", "korrekt", "definitiv", "tak", "evet", "oui"];

/// Words that say yes where nothing in their sentence limits them.
const SURELY: [&str; 30] = [
    "allerdings",
    "auch",
    "ebenfalls",
    "ebenso",
    "natuerlich",
    "selbstverstaendlich",
    "selbstredend",
    "sicher",
    "klar",
    "gern",
    "gerne",
    "einverstanden",
    "stimmt",
    "freilich",
    "absolut",
    "unbedingt",
    "durchaus",
    "beides",
    "passt",
    "ok",
    "okay",
    "dito",
    "gewiss",
    "zweifellos",
    "eindeutig",
    "leider",
    "akzeptiert",
    "angenommen",
    "bestaetigt",
    "si",
];

/// Words that limit a yes.
const LIMITS: [&str; 26] = [
    "nicht",
    "nein",
    "net",
    "ned",
    "noch",
    "wenn",
    "aber",
    "nur",
    "falls",
    "sofern",
    "vielleicht",
    "eigentlich",
    "glaube",
    "denke",
    "wohl",
    "muss",
    "erst",
    "wuerde",
    "waere",
    "ob",
    "weiss",
    "sobald",
    "bis",
    "vermutlich",
    "not",
    "if",
];

/// Whether an answer begins with a yes.
fn agrees(answer: &str) -> bool {
    let folded = fold(answer);
    let first = words(&folded).next().unwrap_or("");
    let sentence = folded.split(['.', '!', '?']).find(|part| !part.trim().is_empty()).unwrap_or("");
    YES.contains(&first) || surely(&folded, first) && !limited(sentence)
}

/// "Allerdings", "so ist es", "das tut es", "sind wir".
fn surely(folded: &str, first: &str) -> bool {
    let phrases = ["so ist es", "das tut es", "das ist es", "das sind wir", "sind wir", "bin ich", "tun wir", "ist es"];
    let answer = folded.trim_start();
    SURELY.contains(&first) || phrases.iter().any(|phrase| answer.starts_with(phrase))
}

fn limited(sentence: &str) -> bool {
    words(sentence).any(|word| LIMITS.contains(&word) || word.starts_with("kein"))
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Asks for something else than a yes or no.
const ASKS_FOR: [&str; 16] = [
    "was", "wer", "wen", "wem", "wie", "wo", "wohin", "woher", "wann", "warum", "wieso", "weshalb", "welche",
    "welcher", "welches", "wieviel",
];

/// "Bedingungen angenommen? Ja": a short yes behind a question makes it a statement of the answerer's.
fn answer(own: &mut [Glyph]) {
    let marks: Vec<usize> = (0..own.len()).filter(|at| own[*at].c == '?').collect();
    for mark in marks {
        let Some(from) = (mark + 1..own.len()).find(|at| !own[*at].c.is_whitespace()) else { return };
        let to = (from..own.len()).find(|at| matches!(own[*at].c, '.' | '!' | '?' | '\n')).unwrap_or(own.len());
        let said = fold(&own[from..to].iter().map(|glyph| glyph.c).collect::<String>());
        let short = words(&said).count() <= 5 && own.get(to).is_none_or(|glyph| glyph.c != '?');
        let begins =
            (0..mark).rev().find(|at| opens(own, *at) || matches!(own[*at].c, '?' | '\n')).map_or(0, |at| at + 1);
        let asked = fold(&own[begins..mark].iter().map(|glyph| glyph.c).collect::<String>());
        let open = words(&asked).find(|word| !word.starts_with(char::is_numeric)).is_none_or(|w| ASKS_FOR.contains(&w));
        if !short || open || !agrees(&said) || limited(&said) {
            continue;
        }
        own[mark].c = ',';
        for glyph in &mut own[mark + 1..from] {
            glyph.c = ' ';
        }
        take_over(&mut own[begins..mark]);
    }
}

/// "Akzeptieren Sie …?", answered with a yes, is "akzeptieren wir".
fn take_over(question: &mut [Glyph]) {
    let letter = |glyph: Option<&Glyph>| glyph.is_some_and(|glyph| glyph.c.is_alphabetic());
    for at in 0..question.len().saturating_sub(2) {
        let you = question[at..at + 3].iter().map(|glyph| glyph.c).eq("Sie".chars());
        if you && !letter(question.get(at + 3)) && !(at > 0 && letter(question.get(at - 1))) {
            for (glyph, c) in question[at..].iter_mut().zip("wir".chars()) {
                glyph.c = c;
            }
        }
    }
}

/// A quoted question that is answered with a yes becomes the beginning of the answer's sentence, so that what limits the
/// answer ("ja, wenn …") limits it too. A quoted text that asks nothing, or more than one thing, stays out.
fn question(quoted: &[Glyph]) -> Vec<Glyph> {
    let mut own: Vec<Glyph> = quoted.iter().filter(|glyph| glyph.c != '>').copied().collect();
    while own.last().is_some_and(|glyph| glyph.c.is_whitespace()) {
        own.pop();
    }
    let asks = own.last().is_some_and(|glyph| glyph.c == '?') && own.iter().filter(|glyph| glyph.c == '?').count() == 1;
    if !asks {
        return Vec::new();
    }
    let begins = (0..own.len()).rev().find(|at| opens(&own, *at)).map_or(0, |at| at + 1);
    if let Some(mark) = own.last_mut() {
        mark.c = ',';
    }
    for glyph in &mut own {
        glyph.c = if glyph.c == '\n' { ' ' } else { glyph.c };
    }
    let mut asked = own.split_off(begins);
    take_over(&mut asked);
    asked
}

/// Whether a sentence begins behind this sign: "zzgl. `MwSt`. einverstanden" goes on.
fn opens(glyphs: &[Glyph], at: usize) -> bool {
    let next = glyphs[at + 1..].iter().map(|glyph| glyph.c).find(|c| !c.is_whitespace());
    let from = glyphs[..at].iter().rposition(|glyph| !glyph.c.is_alphabetic()).map_or(0, |before| before + 1);
    let word: String = glyphs[from..at].iter().flat_map(|glyph| glyph.c.to_lowercase()).collect();
    match glyphs[at].c {
        '!' | ':' => true,
        '.' => next.is_some_and(char::is_uppercase) && !matches!(word.as_str(), "zzgl" | "inkl" | "ca"),
        _ => false,
    }
}

/// What follows a signature and is the sender's word again.
const POSTSCRIPTS: [&str; 8] = ["p.s.", "p. s.", "ps:", "ps ", "pps", "p.p.s.", "nachtrag", "nb:"];

#[derive(Default)]
struct Part {
    signature: bool,
    forwarded: bool,
}

const CLOSINGS: &[&str] = &[
    "mit freundlich",
    "mit besten grue",
    "mit lieben grue",
    "mit herzlich",
    "freundliche grue",
    "viele grue",
    "liebe grue",
    "ganz liebe grue",
    "herzliche grue",
    "beste grue",
    "schoene grue",
    "hochachtungsvoll",
    "gruss",
    "lg",
    "mfg",
    "vg",
    "kind regards",
    "best regards",
    "best,",
    "regards",
    "cheers",
    "cordialement",
    "met vriendelijke groet",
    "s pozdravem",
];

impl Part {
    /// Takes a line into account; true where the line itself is only an envelope and is dropped.
    fn turn(&mut self, line: &str) -> bool {
        let folded = fold(line);
        if self.signature && POSTSCRIPTS.iter().any(|mark| folded.starts_with(mark)) {
            self.signature = false;
        } else if matches!(line, "--" | "__")
            || line.len() < 60 && CLOSINGS.iter().any(|closing| closes(&folded, closing))
        {
            self.signature = true;
        }
        let head = folded.starts_with("von:")
            || folded.starts_with("from:")
            || folded.contains("nachricht ----")
            || folded.contains("weitergeleitet ---");
        if head || folded.starts_with("-----urspruengliche") || folded.starts_with("--- original message") {
            self.forwarded = true;
            self.signature = false;
        }
        folded.ends_with(':') && (folded.contains(" schrieb ") || folded.ends_with(" wrote:"))
            || self.forwarded
                && ["von:", "gesendet:", "datum:", "an:", "cc:", "from:", "sent:", "date:", "to:"]
                    .iter()
                    .any(|name| folded.starts_with(name))
    }
}

fn closes(line: &str, closing: &str) -> bool {
    line.strip_prefix(closing).is_some_and(|rest| closing.len() > 5 || !rest.starts_with(char::is_alphabetic))
}

fn looks_like_html(source: &str) -> bool {
    ["<div", "<br", "<p>", "<html", "<body", "<span"].iter().any(|tag| source.contains(tag))
}

fn plain(source: &str) -> Vec<Glyph> {
    source
        .char_indices()
        .map(|(start, c)| Glyph { c, start, end: start + c.len_utf8(), signature: false, forwarded: false })
        .collect()
}

/// Without tags, entities decoded; a block's tag becomes a line break.
fn unmarked(source: &str) -> Vec<Glyph> {
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    while let Some(c) = source.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &source[at..];
        let glyph = |c, end| Glyph { c, start: at, end, signature: false, forwarded: false };
        if let Some(length) = (c == '<').then(|| rest.find('>')).flatten() {
            let tag = rest[1..length].trim_start_matches('/').to_lowercase();
            if ["br", "div", "p", "li", "tr", "h"].iter().any(|block| tag.starts_with(block)) {
                out.push(glyph('\n', at));
            }
            at += length + 1;
        } else if let Some((decoded, length)) = (c == '&').then(|| entity(rest)).flatten() {
            out.push(glyph(decoded, at + length));
            at += length;
        } else {
            out.push(glyph(c, at + c.len_utf8()));
            at += c.len_utf8();
        }
    }
    out
}

/// The character of an entity at the text's beginning, and the entity's length in bytes.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let name = text.get(1..end)?;
    let c = match name {
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "euro" => '€',
        "nbsp" => ' ',
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "eacute" => 'é',
        _ => char::from_u32(name.strip_prefix('#')?.parse().ok()?)?,
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        readable(source).iter().map(|glyph| glyph.c).collect()
    }

    #[test]
    fn quoted_lines_are_dropped_and_a_postscript_is_not_signature() {
        assert_eq!(text("ja\n> nein\n").trim(), "ja");
        let glyphs = readable("a\nMit freundlichen Grüßen\nb\nP.S. x");
        let x = glyphs.iter().find(|glyph| glyph.c == 'x').unwrap();
        assert!(!x.signature && glyphs.iter().find(|glyph| glyph.c == 'b').unwrap().signature);
    }

    #[test]
    fn a_quoted_question_counts_where_a_yes_stands_under_it() {
        let under = |answer: &str| text(&format!("Hallo.\n> Guten Tag. Ist es ein Notfall?\n\n{answer}\n"));
        assert!(under("Ja, der Versand steht.").contains("Ist es ein Notfall,Ja"));
        assert!(!under("Nein.").contains("Ist es"));
        let asked = text("> Sind Sie mit der Gebühr von 48 € zzgl. MwSt. einverstanden?\nJa.\n");
        assert!(asked.contains("Gebühr") && asked.contains("einverstanden,Ja"), "{asked}");
        assert!(!text("> Ist das so? Oder so?\nJa.\n").contains("Oder"));
    }

    #[test]
    fn broken_markup_and_entities_do_not_panic() {
        for source in ["<div", "<br>&", "<br>&uuml", "<p>&#99999999;", "<br>&#x;", "<br>ä&öäü;"] {
            readable(source);
        }
    }
}
