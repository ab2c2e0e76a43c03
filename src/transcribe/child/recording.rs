//! One recording's way from samples to a transcript: where somebody speaks, doubts of the sound, chunks, words,
//! the second decode, doubts of the text. Pure but for the recogniser it is given.
//!
//! Promises: where it is certain that nobody speaks no recogniser is asked (it would invent); the words stand on the
//! recording's clock, in order, inside it.

use crate::domain::transcript::{Doubt, Transcript, Word};
use crate::transcribe::child::protocol::{MAX_TEXT, MAX_WORDS};
use crate::transcribe::sound::{Decoded, RATE, voicing};
use crate::transcribe::whisper::{Pass, Transcriber, WhisperError};
use crate::transcribe::{chunks, doubt, speech};
use std::ops::Range;

/// Writes down one decoded recording. `model` and `language` are only noted; `progress` hears the part that is done,
/// 0 to 1, after every chunk of every pass.
///
/// # Errors
/// When the recogniser fails on a chunk: half a transcript would be taken for a whole one.
pub fn transcribe_recording(
    engine: &mut dyn Transcriber,
    decoded: &Decoded,
    model: &str,
    language: &str,
    second_pass: bool,
    progress: &mut dyn FnMut(f32),
) -> Result<Transcript, WhisperError> {
    let speech = speech::speech(&decoded.samples);
    let mut transcript = Transcript {
        model: model.to_owned(),
        language: language.to_owned(),
        sound_ms: decoded.sound_ms,
        words: Vec::new(),
        second: None,
        speech,
        doubt: None,
        remark: decoded.remark.clone(),
    };
    if let Some(certain) = doubt::of_sound(&decoded.samples, &transcript.speech) {
        "-".clone_into(&mut transcript.model);
        transcript.doubt = Some(certain);
        return Ok(transcript);
    }
    let chunks = chunks::chunks(&decoded.samples, &transcript.speech);
    let mut steps = Steps { done: 0, all: chunks.len() * if second_pass { 2 } else { 1 }, progress };
    transcript.words = one_pass(engine, decoded, &chunks, Pass::First, &mut steps)?;
    if second_pass {
        let words = one_pass(engine, decoded, &chunks, Pass::Second, &mut steps)?;
        transcript.second = Some(text(&words));
    }
    // energy decided what was listened to; only a voice makes words of it credible
    transcript.speech = voicing::both(&transcript.speech, &voicing::voiced(&decoded.samples));
    let Transcript { words, second, speech, .. } = &transcript;
    let apart = || second.as_deref().and_then(|second| doubt::of_two(words, second));
    transcript.doubt = doubt::of_text(words, speech, transcript.sound_ms).or_else(apart);
    if limit(&mut transcript) {
        transcript.doubt = Some(Doubt::Loop);
    }
    Ok(transcript)
}

/// How far a recording has come, and who wants to know.
struct Steps<'a> {
    done: usize,
    all: usize,
    progress: &'a mut dyn FnMut(f32),
}

impl Steps<'_> {
    fn step(&mut self) {
        self.done += 1;
        let part = u16::try_from(self.done).unwrap_or(u16::MAX);
        let all = u16::try_from(self.all).unwrap_or(u16::MAX).max(1);
        (self.progress)((f32::from(part) / f32::from(all)).min(1.0));
    }
}

fn one_pass(
    engine: &mut dyn Transcriber,
    decoded: &Decoded,
    chunks: &[Range<usize>],
    pass: Pass,
    steps: &mut Steps<'_>,
) -> Result<Vec<Word>, WhisperError> {
    let mut words: Vec<Word> = Vec::new();
    for chunk in chunks {
        let samples = decoded.samples.get(chunk.clone()).unwrap_or_default();
        let offset = milliseconds(chunk.start);
        let earliest = words.last().map_or(0, |word| word.start_ms);
        words.extend(engine.transcribe(samples, pass)?.into_iter().map(|word| {
            let start_ms = word.start_ms.saturating_add(offset).min(decoded.sound_ms).max(earliest);
            let end_ms = word.end_ms.saturating_add(offset).min(decoded.sound_ms).max(start_ms);
            Word { start_ms, end_ms, ..word }
        }));
        steps.step();
    }
    Ok(words)
}

fn text(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
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
