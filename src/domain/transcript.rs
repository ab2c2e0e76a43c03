//! A recording's words, each with start, end and probability.

use serde::{Deserialize, Serialize};

/// One word on the recording's own clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The word with its punctuation, without surrounding blanks.
    pub text: String,
    /// Start, milliseconds from the recording's beginning.
    pub start_ms: u32,
    /// End, milliseconds from the recording's beginning.
    pub end_ms: u32,
    /// The recogniser's probability, 0 to 1 (the lowest of its tokens).
    pub probability: f32,
}

/// Why a text is not to be believed, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Certain: digital silence, hum or steady noise without a voice. Nobody spoke.
    NoVoice,
    /// Certain: fax, dial, ring-back or DTMF tones and no voice.
    Tones,
    /// A voice may be there but the recogniser found no words.
    NoWords,
    /// The recogniser went round in circles.
    Loop,
    /// A known invention of the recogniser ("Untertitel der Amara.org-Community").
    Invention,
    /// The words stand where nobody speaks: no energy, or no voice in it.
    OutsideSpeech,
    /// The words are improbable on the whole.
    Improbable,
    /// The sound could not be decoded.
    Undecodable,
    /// The transcriber gave up after its attempts.
    GivenUp,
}

impl Doubt {
    /// Whether it is certain that nobody spoke (then the report is `ignored`, not `unclear`).
    #[must_use]
    pub fn means_nobody_spoke(self) -> bool {
        matches!(self, Self::NoVoice | Self::Tones)
    }
}

/// What the transcriber made of one recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// Model file name, or "-" where none was asked.
    pub model: String,
    /// ISO 639-1 language it was transcribed in.
    pub language: String,
    /// Length of the sound in milliseconds.
    pub sound_ms: u32,
    /// The words in order.
    pub words: Vec<Word>,
    /// The text of a second, different decode: proof needs both to agree.
    pub second: Option<String>,
    /// Stretches where somebody speaks with a voice, `(start_ms, end_ms)`, in order.
    pub speech: Vec<(u32, u32)>,
    /// Why the text is not to be believed.
    pub doubt: Option<Doubt>,
    /// What the decoder noticed ("truncated after 3.2 s"), in English.
    pub remark: Option<String>,
}

/// A mailbox's clock and ours differ by so much, milliseconds.
const CLOCKS_APART_MS: u32 = 1500;
/// Nobody stops speaking and hangs up within so few milliseconds. Measured on test recordings: the last word ends 440 ms or
/// more before the end of a whole one, at most 81 ms before the end of one that was cut in a word (in a pause: unseen).
const SPEAKS_TO_THE_END_MS: u32 = 150;

impl Transcript {
    /// Whether the recording seems to end in the middle: at the mailbox's longest (seconds), or while somebody speaks.
    #[must_use]
    pub fn seems_cut_off(&self, longest_s: Option<u32>) -> bool {
        if self.sound_ms == 0 {
            return false;
        }
        let full = longest_s.is_some_and(|longest| self.sound_ms + CLOCKS_APART_MS >= longest.saturating_mul(1000));
        let last = self.speech.last().map_or(0, |(_, end)| *end);
        let spoken = self.words.last().map_or(0, |word| word.end_ms);
        full || last.min(spoken) + SPEAKS_TO_THE_END_MS >= self.sound_ms
    }

    /// The words as one text, joined by single blanks.
    #[must_use]
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }
}
