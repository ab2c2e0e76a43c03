//! From the recogniser's pieces of words to words with times and probabilities. Pure.

use crate::domain::transcript::Word;

/// One piece of a word as whisper.cpp gives it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Bytes, possibly half a character.
    pub(super) bytes: Vec<u8>,
    /// Start and end in hundredths of a second from the chunk's start; -1 where unknown.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) probability: f32,
    /// Whether it opens a segment.
    pub(super) opens: bool,
}

/// Joins tokens to words: a word begins with a blank or a segment. Times are kept in order and inside the chunk.
pub(super) fn words(tokens: &[Token], length_ms: u32) -> Vec<Word> {
    let mut groups: Vec<&[Token]> = Vec::new();
    let mut from = 0;
    for (index, token) in tokens.iter().enumerate() {
        if index > from && (token.opens || token.bytes.first() == Some(&b' ')) {
            groups.push(&tokens[from..index]);
            from = index;
        }
    }
    groups.push(&tokens[from..]);
    let mut earliest = 0;
    let mut words = Vec::with_capacity(groups.len());
    for group in groups {
        let text = plain_text(group.iter().map(|token| token.bytes.as_slice()));
        let (Some(head), Some(tail)) = (group.first(), group.last()) else { continue };
        if text.is_empty() {
            continue;
        }
        let start_ms = milliseconds(head.start).clamp(earliest, length_ms.max(earliest));
        let end_ms = milliseconds(tail.end).clamp(start_ms, length_ms.max(start_ms));
        earliest = start_ms;
        words.push(Word { text, start_ms, end_ms, probability: probability(group) });
    }
    words
}

/// The lowest probability of the tokens that carry letters or digits; a comma in doubt makes no word doubtful.
fn probability(group: &[Token]) -> f32 {
    let spoken = |token: &&Token| token.bytes.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let lowest = |all: &mut dyn Iterator<Item = f32>| all.reduce(f32::min);
    let least = lowest(&mut group.iter().filter(spoken).map(|token| token.probability))
        .or_else(|| lowest(&mut group.iter().map(|token| token.probability)))
        .unwrap_or(0.0);
    if least.is_finite() { least.clamp(0.0, 1.0) } else { 0.0 }
}

fn milliseconds(hundredths: i64) -> u32 {
    u32::try_from(hundredths.max(0).saturating_mul(10)).unwrap_or(u32::MAX)
}

/// The pieces of words as one text with single blanks.
pub(super) fn plain_text<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let bytes: Vec<u8> = pieces.flatten().copied().collect();
    String::from_utf8_lossy(&bytes).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, start: i64, end: i64, probability: f32) -> Token {
        Token { bytes: text.as_bytes().to_vec(), start, end, probability, opens: false }
    }

    #[test]
    fn tokens_become_words_with_the_lowest_probability_of_their_letters() {
        let tokens = [
            token(" Not", 10, 20, 0.9),
            token("fall", 20, 30, 0.7),
            token(".", 30, 31, 0.2),
            token(" 48", 40, 50, 0.8),
        ];
        let words = words(&tokens, 1000);
        assert_eq!(words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["Notfall.", "48"]);
        assert!((words[0].probability - 0.7).abs() < f32::EPSILON);
        assert_eq!((words[0].start_ms, words[0].end_ms), (100, 310));
    }

    #[test]
    fn a_character_split_over_two_tokens_is_joined() {
        let mut tokens =
            vec![token(" Geb", 0, 1, 0.9), token("", 1, 2, 0.8), token("", 2, 3, 0.8), token("hr", 3, 4, 0.9)];
        tokens[1].bytes = vec![0xc3];
        tokens[2].bytes = vec![0xbc];
        assert_eq!(words(&tokens, 100)[0].text, "Gebühr");
    }

    #[test]
    fn a_segment_opens_a_word_even_without_a_blank() {
        let mut tokens = vec![token(" Ja", 0, 5, 0.9), token("Nein", 6, 9, 0.9)];
        tokens[1].opens = true;
        assert_eq!(words(&tokens, 1000).len(), 2);
    }

    #[test]
    fn times_stay_in_order_and_inside_the_chunk() {
        let tokens = [token(" a", -1, 50, f32::NAN), token(" b", 20, 10, 2.0), token(" c", 5, 9999, -1.0)];
        let words = words(&tokens, 600);
        let mut before = 0;
        for word in &words {
            assert!(before <= word.start_ms && word.start_ms <= word.end_ms && word.end_ms <= 600);
            assert!((0.0..=1.0).contains(&word.probability));
            before = word.start_ms;
        }
    }

    #[test]
    fn no_tokens_are_no_words() {
        assert!(words(&[], 100).is_empty());
    }
}
