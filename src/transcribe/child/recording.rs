//! One recording's way from samples to a transcript: where somebody speaks, doubts of the sound, chunks, words,
//! the second decode, doubts of the text. Pure but for the recogniser it is given.
//!
//! Promises: where it is certain that nobody speaks no recogniser is asked (it would invent); the words stand on the
//! recording's clock, in order, inside it.

use crate::domain::transcript::{Doubt, Transcript, Word};
use crate::transcribe::child::protocol::{MAX_TEXT, MAX_WORDS};
use crate::transcribe::sound::{Decoded, RATE, voicing};
use crate::transcribe::whisper::Heard;
use crate::transcribe::{chunks, doubt, speech};
use std::ops::Range;

/// A recording before it is heard: what is certain without, and the chunks to be heard.
pub struct Prepared {
    samples: Vec<f32>,
    chunks: Vec<Range<usize>>,
    transcript: Transcript,
}

/// Looks at one decoded recording. `model` and `language` are only noted.
#[must_use]
pub fn prepared(decoded: Decoded, model: &str, language: &str) -> Prepared {
    let speech = speech::speech(&decoded.samples);
    let doubt = doubt::of_sound(&decoded.samples, &speech);
    let chunks = if doubt.is_some() { Vec::new() } else { chunks::chunks(&decoded.samples, &speech) };
    let transcript = Transcript {
        model: if doubt.is_some() { "-" } else { model }.to_owned(),
        language: language.to_owned(),
        sound_ms: decoded.sound_ms,
        words: Vec::new(),
        second: None,
        speech,
        doubt,
        remark: decoded.remark,
    };
    Prepared { samples: decoded.samples, chunks, transcript }
}

impl Prepared {
    /// The sounds to be heard, in order; none where it is certain that nobody speaks.
    pub fn chunks(&self) -> impl Iterator<Item = &[f32]> {
        self.chunks.iter().map(|chunk| self.samples.get(chunk.clone()).unwrap_or_default())
    }

    /// The transcript, by what was heard in each of its chunks. `second` says whether second decodes were wanted.
    #[must_use]
    pub fn transcript(&self, heard: Vec<Heard>, second: bool) -> Transcript {
        let mut transcript = self.transcript.clone();
        if transcript.doubt.is_some() {
            return transcript;
        }
        let mut seconds = Vec::new();
        for (chunk, heard) in self.chunks.iter().zip(heard) {
            let offset = milliseconds(chunk.start);
            let earliest = transcript.words.last().map_or(0, |word| word.start_ms);
            let placed = heard.words.into_iter().map(|word| placed(word, offset, earliest, transcript.sound_ms));
            transcript.words.extend(placed);
            seconds.extend(heard.second.filter(|text| !text.is_empty()));
        }
        transcript.second = second.then(|| seconds.join(" "));
        // energy decided what was listened to; only a voice makes words of it credible
        transcript.speech = voicing::both(&transcript.speech, &voicing::voiced(&self.samples));
        let Transcript { words, second, speech, .. } = &transcript;
        let apart = || second.as_deref().and_then(|second| doubt::of_two(words, second));
        transcript.doubt = doubt::of_text(words, speech, transcript.sound_ms).or_else(apart);
        if limit(&mut transcript) {
            transcript.doubt = Some(Doubt::Loop);
        }
        transcript
    }
}

/// A word of a chunk on the recording's clock.
fn placed(word: Word, offset: u32, earliest: u32, sound_ms: u32) -> Word {
    let start_ms = word.start_ms.saturating_add(offset).min(sound_ms).max(earliest);
    let end_ms = word.end_ms.saturating_add(offset).min(sound_ms).max(start_ms);
    Word { start_ms, end_ms, ..word }
}

/// Cuts a text beyond the protocol's caps and says whether it did; nobody speaks so much.
fn limit(transcript: &mut Transcript) -> bool {
    let mut bytes = 0;
    let fits = |word: &&Word| {
        bytes += word.text.len() + 1;
        bytes <= MAX_TEXT
    };
    let keep = transcript.words.iter().take(MAX_WORDS).take_while(fits).count();
    let mut cut = keep < transcript.words.len();
    transcript.words.truncate(keep);
    if let Some(second) = transcript.second.as_mut().filter(|second| second.len() > MAX_TEXT) {
        second.truncate(second.floor_char_boundary(MAX_TEXT));
        cut = true;
    }
    cut
}

fn milliseconds(samples: usize) -> u32 {
    let rate = usize::try_from(RATE).unwrap_or(16_000);
    u32::try_from(samples.saturating_mul(1_000) / rate).unwrap_or(u32::MAX)
}
