//! The boxes of a form in a mail: of "[x] ja [ ] nein" only "ja" is said, and what is not ticked is not said at all.

use super::text::Glyph;

/// A box in a line: where it begins and ends, and whether it is ticked.
type Tick = (usize, usize, bool);

/// Leaves out the boxes, and the words of those that are not ticked.
pub(super) fn ticked(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    if !glyphs.iter().any(|glyph| matches!(glyph.c, '[' | '(' | '☐' | '☒' | '☑')) {
        return glyphs;
    }
    glyphs.split_inclusive(|glyph| glyph.c == '\n').flat_map(line).collect()
}

fn line(glyphs: &[Glyph]) -> Vec<Glyph> {
    let ticks = ticks(glyphs);
    let (Some(first), Some(last)) = (ticks.first(), ticks.last()) else { return glyphs.to_vec() };
    let said = |range: &[Glyph]| range.iter().any(|glyph| glyph.c.is_alphanumeric());
    let mut out = Vec::with_capacity(glyphs.len());
    if said(&glyphs[last.1..]) {
        // "Einverstanden: [x] ja [ ] nein"
        out.extend_from_slice(&glyphs[..first.0]);
        for (at, tick) in ticks.iter().enumerate() {
            let end = ticks.get(at + 1).map_or(glyphs.len(), |next| next.0);
            out.extend_from_slice(if tick.2 { &glyphs[tick.1..end] } else { &[] });
        }
    } else {
        // "Einverstanden: ja [x] nein [ ]"
        let before = &glyphs[..first.0];
        let head = before.iter().rposition(|glyph| matches!(glyph.c, ':' | '?')).map_or(0, |at| at + 1);
        out.extend_from_slice(&glyphs[..head]);
        let mut from = head;
        for tick in &ticks {
            out.extend_from_slice(if tick.2 { &glyphs[from..tick.0] } else { &[] });
            from = tick.1;
        }
    }
    out.extend(glyphs.last().filter(|glyph| glyph.c == '\n' && out.last().is_none_or(|last| last.c != '\n')).copied());
    out
}

/// The boxes of a line: "[x]", "[ ]", "( )", "☒".
fn ticks(glyphs: &[Glyph]) -> Vec<Tick> {
    let c = |at: usize| glyphs.get(at).map_or('\n', |glyph| glyph.c);
    let mut found = Vec::new();
    let mut at = 0;
    while at < glyphs.len() {
        let tick = match (c(at), c(at + 1), c(at + 2)) {
            ('☒' | '☑', ..) => Some((at, at + 1, true)),
            ('☐', ..) => Some((at, at + 1, false)),
            ('[', 'x' | 'X', ']') | ('(', 'x' | 'X', ')') => Some((at, at + 3, true)),
            ('[', ' ' | '_', ']') | ('(', ' ' | '_', ')') => Some((at, at + 3, false)),
            ('[', ']', _) => Some((at, at + 2, false)),
            _ => None,
        };
        at = tick.map_or(at + 1, |tick| tick.1);
        found.extend(tick);
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::assess::rules::text::Text;

    fn words(text: &str) -> String {
        Text::new(text).tokens.iter().map(|token| token.norm.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_is_ticked_is_said() {
        assert_eq!(words("Bedingungen: [x] ja  [ ] nein\nGebühr: [ ] ja [X] nein"), "bedingungen ja gebuehr nein");
        assert_eq!(words("Gebühr akzeptiert? ja [x] nein [ ]\nDanke"), "gebuehr akzeptiert ja danke");
        assert_eq!(words("☐ Ich akzeptiere die Gebühr\n☒ Ich brauche Hilfe"), "ich brauche hilfe");
        assert_eq!(words("Server (alt) steht"), "server alt steht");
    }
}
