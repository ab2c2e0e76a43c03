//! What of a mail is its sender's own: markup, entities, quoted lines, forwarded parts and signatures.
//!
//! Quoted lines (`> …`) are dropped: what somebody said earlier is not said now. Forwarded parts and signatures are kept
//! but flagged. A voicemail has none of this and passes through unchanged.

use super::text::{Glyph, fold};

/// The readable characters of a text with their places in it.
pub(super) fn readable(source: &str) -> Vec<Glyph> {
    let glyphs = if looks_like_html(source) { unmarked(source) } else { plain(source) };
    if !glyphs.iter().any(|glyph| glyph.c == '\n') {
        return glyphs;
    }
    let mut out = Vec::with_capacity(glyphs.len());
    let mut part = Part::default();
    for line in glyphs.split_inclusive(|glyph| glyph.c == '\n') {
        let text: String = line.iter().map(|glyph| glyph.c).collect();
        if text.starts_with('>') {
            continue;
        }
        if part.turn(text.trim()) {
            continue;
        }
        out.extend(line.iter().map(|glyph| Glyph { signature: part.signature, forwarded: part.forwarded, ..*glyph }));
    }
    out
}

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
        if self.signature && (folded.starts_with("p.s.") || folded.starts_with("ps:") || folded.starts_with("ps ")) {
            self.signature = false;
        } else if line.len() < 60 && CLOSINGS.iter().any(|closing| closes(&folded, closing)) {
            self.signature = true;
        }
        let head = folded.starts_with("von:") || folded.starts_with("from:") || folded.contains("nachricht ----");
        if head || folded.starts_with("-----urspruengliche") || folded.starts_with("--- original message") {
            self.forwarded = true;
            self.signature = false;
        }
        folded.starts_with("am ") && folded.ends_with(':') && folded.contains(" schrieb ")
            || self.forwarded
                && ["von:", "gesendet:", "datum:", "an:", "cc:"].iter().any(|name| folded.starts_with(name))
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
    fn broken_markup_and_entities_do_not_panic() {
        for source in ["<div", "<br>&", "<br>&uuml", "<p>&#99999999;", "<br>&#x;", "<br>ä&öäü;"] {
            readable(source);
        }
    }
}
