//! Lines like "Anruf von: 0170 …": a label and what stands behind it.

/// Lines of a text that are looked at.
const MOST_LINES: usize = 400;

/// What stands behind a label, on its line or on the next one, once for each line that begins with it. A short label
/// ("von") needs its colon: it begins sentences, too.
pub(super) fn labelled<'x>(text: &'x str, label: &'x str) -> impl Iterator<Item = String> + 'x {
    let lines = text.lines().take(MOST_LINES);
    lines.clone().enumerate().filter_map(move |(at, line)| {
        let rest = behind(line.trim_start_matches([' ', '\t', '-', '*', '|', '•', '\u{a0}']), label)?;
        let value = rest.trim_matches([' ', '\t', ':', '|', '*', '\u{a0}']);
        if value.is_empty() {
            // a table whose cells are lines
            return lines.clone().skip(at + 1).map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
        }
        Some(value.to_owned())
    })
}

fn behind<'x>(line: &'x str, label: &str) -> Option<&'x str> {
    let mut wanted = label.chars();
    let mut rest = line;
    for c in wanted.by_ref() {
        let first = rest.chars().next()?;
        if !first.to_lowercase().eq(c.to_lowercase()) {
            return None;
        }
        rest = &rest[first.len_utf8()..];
    }
    let trimmed = rest.trim_start_matches([' ', '\t', '\u{a0}', '*', '.']);
    let colon = trimmed.starts_with([':', '|']);
    let spaced = rest.starts_with([' ', '\t', '\u{a0}']) || rest.is_empty();
    (colon || spaced && label.chars().count() > 6).then_some(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, label: &str) -> Vec<String> {
        labelled(text, label).collect()
    }

    #[test]
    fn a_value_stands_behind_its_label_or_below_it() {
        assert_eq!(values("Hallo\n  Anruf von: Anna (0170)\n", "anruf von"), ["Anna (0170)"]);
        assert_eq!(values("ANRUFER\n\n0170 1\n", "anrufer"), ["0170 1"]);
        assert_eq!(values("Von der Firma\nVon: 0170\n", "von"), ["0170"]);
        assert_eq!(values("für die Rufnummer: 9782362", "rufnummer"), [""; 0]);
        assert_eq!(values("Anrufer", "anrufer"), [""; 0]);
    }
}
