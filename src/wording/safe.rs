//! Words of others in our messages: shortened to a stated length, and without what turns, hides or fakes a line. Pure.
//!
//! The one home of it. Lengths are UTF-16 units, as Telegram counts.

use std::ops::RangeInclusive;

/// What stands where something was cut off.
const MORE: &str = " …";
/// Longest number that is shown.
const NUMBER: usize = 40;
/// Soft hyphens, marks of direction, fillers, blanks without width, tags. Not the joiner of emoji.
const UNSEEN: [RangeInclusive<char>; 15] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200c}',
    '\u{200e}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff9}'..='\u{fffb}',
    '\u{e0000}'..='\u{e0fff}',
];

/// On one line, at most so long, cut at a word where that keeps half of it.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    // what lies beyond any length we show need not be looked at
    let seen: String = text.chars().filter_map(visible).take(most * 8).collect();
    let line = joined_rightly(&seen.split_whitespace().collect::<Vec<_>>().join(" "));
    shortened(line.trim(), most)
}

/// With the lines that its writer made, at most so long.
#[must_use]
pub fn lines(text: &str, most: usize) -> String {
    let mut kept = Vec::new();
    for one in text.trim().replace("\r\n", "\n").split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        let seen: String = one.chars().filter_map(visible).collect();
        kept.push(joined_rightly(seen.trim_end()));
    }
    shortened(kept.join("\n").trim(), most)
}

/// A number to tap: nothing invisible within.
#[must_use]
pub fn number(text: &str) -> String {
    line(&text.replace('\u{200d}', ""), NUMBER)
}

fn shortened(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut units = MORE.encode_utf16().count();
    let mut end = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > most {
            break;
        }
        end = at + c.len_utf8();
    }
    let kept = &text[..end];
    let cut = kept.rfind(char::is_whitespace).filter(|cut| cut * 2 >= end).unwrap_or(end);
    format!("{}{MORE}", whole_signs(&kept[..cut]).trim_end())
}

/// Without the half of a sign at the end: a joiner, or one letter of a flag.
fn whole_signs(text: &str) -> &str {
    let text = text.trim_end_matches('\u{200d}');
    let flag = |c: &char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    let letters = text.chars().rev().take_while(flag).count();
    if letters % 2 == 1 { &text[..text.len() - '\u{1f1e6}'.len_utf8()] } else { text }
}

/// A joiner only where it joins signs: behind one that is no letter.
fn joined_rightly(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        let joins = kept.chars().next_back().is_some_and(|last| !last.is_ascii() && !last.is_alphanumeric());
        if c != '\u{200d}' || (joins && !kept.ends_with('\u{200d}')) {
            kept.push(c);
        }
    }
    kept.truncate(kept.trim_end_matches('\u{200d}').len());
    kept
}

/// The character as it is shown; white space of any kind is a blank.
fn visible(c: char) -> Option<char> {
    if c.is_whitespace() {
        return Some(' ');
    }
    let unseen = c.is_control() || UNSEEN.iter().any(|range| range.contains(&c));
    (!unseen).then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stays_on_its_line_and_cannot_turn_it() {
        assert_eq!(line("Firma X\n✅ Gebühr\u{2028}48\u{85}Euro\r\n", 99), "Firma X ✅ Gebühr 48 Euro");
        assert_eq!(line("a\u{202e}b\u{2066}c\u{200b}\u{feff}\0\u{7}d", 99), "abcd");
        assert_eq!(line(" \u{200b}\n ", 99), "");
    }

    #[test]
    fn it_is_cut_at_a_word_but_not_to_nothing() {
        assert_eq!(line("eins zwei drei vier", 12), "eins zwei …");
        assert_eq!(line("A Donaudampfschiff", 10), "A Donaud …");
        assert_eq!(line("genau so lang", 13), "genau so lang");
    }

    #[test]
    fn signs_of_several_parts_stay_whole() {
        assert_eq!(line("👨‍👩‍👧‍👦 und 🇩🇪", 99), "👨‍👩‍👧‍👦 und 🇩🇪");
        assert_eq!(line("🇩🇪🇩🇪", 7), "🇩🇪 …");
        assert_eq!(line("👨‍👩‍👧‍👦", 7), "👨‍👩 …");
        assert_eq!(line("Mül\u{200d}ler", 99), "Müller");
    }

    #[test]
    fn a_number_has_no_gap_that_nobody_sees() {
        assert_eq!(number("+49171\u{200b}39\u{200d}20\u{202e}027"), "+491713920027");
    }

    #[test]
    fn a_letter_keeps_its_lines() {
        assert_eq!(lines("Guten Abend,\r\n\r\nes\u{202e} brennt. \n", 99), "Guten Abend,\n\nes brennt.");
        assert_eq!(lines(&"x".repeat(50), 10).chars().count(), 10);
    }
}
