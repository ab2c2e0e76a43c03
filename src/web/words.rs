//! A transcript for reading along: paragraphs by the pauses, each word with its second and how sure it is. Pure.

use super::wave::{Marks, Span};
use crate::domain::assessment::Finding;
use crate::domain::transcript::{Transcript, Word};

/// From here on a word is taken for sure.
const SURE: f32 = 0.7;
/// A pause of so many milliseconds makes a new paragraph.
const PARAGRAPH_MS: u32 = 1_200;
/// What seconds lose on their way through a float, milliseconds.
const ROUNDING_MS: u32 = 2;

/// Some words without a pause between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paragraph {
    /// "0:07"
    pub(super) at: String,
    pub(super) words: Vec<Said>,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    /// Seconds from the beginning, "7.50".
    pub(super) start: String,
    /// How sure it is and whether it proves something, as classes of the style.
    pub(super) class: &'static str,
    /// How probable, where that is worth saying: "23 %".
    pub(super) doubt: Option<String>,
}

/// The words in paragraphs. Less probable than `least` is doubtful; `proofs` prove something.
pub(super) fn paragraphs(transcript: &Transcript, least: f32, proofs: &[Span]) -> Vec<Paragraph> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut until = 0;
    for word in &transcript.words {
        if paragraphs.is_empty() || word.start_ms.saturating_sub(until) >= PARAGRAPH_MS {
            paragraphs.push(Paragraph { at: clock(word.start_ms), words: Vec::new() });
        }
        until = word.end_ms;
        if let Some(last) = paragraphs.last_mut() {
            last.words.push(said(word, least, proofs));
        }
    }
    paragraphs
}

fn said(word: &Word, least: f32, proofs: &[Span]) -> Said {
    let proves = proofs.iter().any(|(start, end)| {
        word.start_ms.saturating_add(ROUNDING_MS) >= *start && word.end_ms <= end.saturating_add(ROUNDING_MS)
    });
    let class = match (word.probability, proves) {
        (p, true) if p < least => "doubtful proof",
        (p, false) if p < least => "doubtful",
        (p, true) if p < SURE => "unsure proof",
        (p, false) if p < SURE => "unsure",
        (_, true) => "proof",
        (_, false) => "",
    };
    let doubt = (word.probability < least.max(SURE)).then(|| format!("{:.0} %", word.probability * 100.0));
    Said { text: word.text.clone(), start: seconds(word.start_ms), class, doubt }
}

/// What the picture of the recording marks.
pub(super) fn marks(transcript: Option<&Transcript>, findings: &[Finding], least: f32) -> Marks {
    let doubtful = |word: &&Word| word.probability < least;
    Marks {
        speech: transcript.map(|transcript| transcript.speech.clone()),
        proofs: findings.iter().filter_map(span).collect(),
        doubts: transcript
            .map(|transcript| {
                transcript.words.iter().filter(doubtful).map(|word| (word.start_ms, word.end_ms)).collect()
            })
            .unwrap_or_default(),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a recording, never negative")]
pub(super) fn span(finding: &Finding) -> Option<Span> {
    let ms = |seconds: f32| (seconds * 1000.0).round() as u32;
    finding.seconds.map(|(start, end)| (ms(start), ms(end)))
}

/// "7.50"
pub(super) fn seconds(ms: u32) -> String {
    format!("{}.{:02}", ms / 1000, ms % 1000 / 10)
}

/// "0:07"
pub(super) fn clock(ms: u32) -> String {
    crate::wording::clock(ms / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(words: &[(&str, u32, f32)]) -> Transcript {
        let word = |(text, start_ms, probability): &(&str, u32, f32)| Word {
            text: (*text).to_owned(),
            start_ms: *start_ms,
            end_ms: start_ms + 400,
            probability: *probability,
        };
        Transcript {
            model: "-".into(),
            language: "de".into(),
            sound_ms: 60_000,
            words: words.iter().map(word).collect(),
            second: None,
            speech: Vec::new(),
            doubt: None,
            remark: None,
        }
    }

    #[test]
    fn a_word_is_sure_unsure_or_doubtful_and_may_prove_something() {
        let transcript =
            transcript(&[("Ein", 0, 0.9), ("Notfall", 500, 0.9), ("bei", 1_000, 0.5), ("Vogel", 1_500, 0.2)]);
        let shown = paragraphs(&transcript, 0.35, &[(500, 900)]);
        let classes: Vec<&str> = shown[0].words.iter().map(|word| word.class).collect();
        assert_eq!(classes, ["", "proof", "unsure", "doubtful"]);
        assert_eq!(shown[0].words[3].doubt.as_deref(), Some("20 %"));
        assert_eq!((shown[0].words[1].start.as_str(), shown[0].words[1].doubt.as_deref()), ("0.50", None));
        let all_doubtful = paragraphs(&transcript, 0.95, &[(1_500, 1_900)]);
        assert_eq!(all_doubtful[0].words[0].class, "doubtful");
        assert_eq!(all_doubtful[0].words[3].class, "doubtful proof");
    }

    #[test]
    fn a_pause_makes_a_paragraph() {
        let shown = paragraphs(&transcript(&[("Hallo", 0, 0.9), ("ja", 600, 0.9), ("Danke", 33_100, 0.9)]), 0.35, &[]);
        let starts: Vec<(&str, usize)> = shown.iter().map(|one| (one.at.as_str(), one.words.len())).collect();
        assert_eq!(starts, [("0:00", 2), ("0:33", 1)]);
        assert_eq!(shown[1].words[0].start, "33.10");
    }
}
