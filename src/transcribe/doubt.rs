//! Is this text to be believed, and did anybody speak at all? Promises: what it says about a sound is certain
//! ([`Doubt::NoVoice`], [`Doubt::Tones`]); what it says about a text errs towards doubt, which wakes a human.
//! Can go wrong: music and other people's voices pass `of_sound`; a well-formed invention that stands where
//! somebody speaks passes `of_text` (a second decode has to agree, see the transcript's `second`).

#![expect(clippy::cast_precision_loss, reason = "words and milliseconds of one recording are few")]

use super::inventions::{is_invention, plain};
use super::sound::spectrum::{self, Frame, HOP};
use super::sound::{RATE, tones};
use crate::domain::transcript::{Doubt, Word};

/// Tone frames that make a recording one of tones: 160 ms, a pressed key.
const TONE_FRAMES: usize = 8;
/// A stretch of speech as short as this (ms) is a click with its padding.
const CLICK_MS: u32 = 900;

/// Words may stand this far (ms) beside speech: the recogniser's times are not exact.
const BESIDE_MS: u32 = 500;
/// Mean probability below which a text is improbable.
const IMPROBABLE: f32 = 0.4;
/// Mean probability from which a quick search is as good as a thorough one. Measured with the test model on its recordings
/// (docs/performance.md).
const CLEAR: f32 = 0.85;
/// Words a second of speech beyond which nobody speaks, and below which hardly anything was understood.
const WORDS_A_SECOND: (f32, f32) = (7.0, 0.2);

/// What is certain about a 16 kHz mono sound without recognising it; `speech` as from
/// [`speech`](super::speech::speech). `None` in every other case.
#[must_use]
pub fn of_sound(samples: &[f32], speech: &[(u32, u32)]) -> Option<Doubt> {
    let frames = spectrum::frames(samples);
    let mask = tones::mask(&frames);
    let edged = tones::with_edges(&mask);
    let rest: Vec<Frame> = frames.iter().zip(&edged).filter(|(_, tone)| !**tone).map(|(frame, _)| *frame).collect();
    if !tones::is_steady(&rest) || speech.iter().any(|stretch| is_spoken(*stretch, &edged)) {
        return None;
    }
    let count = mask.iter().filter(|tone| **tone).count();
    if count < TONE_FRAMES {
        return (count == 0 && !frames.is_empty()).then_some(Doubt::NoVoice);
    }
    tones::nobody_under(&frames, &mask).then_some(Doubt::Tones)
}

/// Whether a stretch holds more than a click beside its tones.
fn is_spoken((start, end): (u32, u32), tone: &[bool]) -> bool {
    let frame = |ms: u32| (ms as usize * RATE as usize / 1000 / HOP).min(tone.len());
    let toneless = tone[frame(start)..frame(end)].iter().filter(|tone| !**tone).count();
    toneless * HOP * 1000 / RATE as usize > CLICK_MS as usize
}

/// Why a text is not to be believed; `None` where nothing speaks against it. `speech` is where somebody speaks *and* a voice
/// sounds ([`voiced`](super::sound::voicing::voiced)): energy alone is a door, a breath, a tune.
#[must_use]
pub fn of_text(words: &[Word], speech: &[(u32, u32)], sound_ms: u32) -> Option<Doubt> {
    let plain: Vec<String> =
        words.iter().filter(|word| !is_note(&word.text)).flat_map(|word| plain(&word.text)).collect();
    if plain.is_empty() {
        return Some(Doubt::NoWords);
    }
    if is_loop(&plain) {
        return Some(Doubt::Loop);
    }
    if is_invention(&plain) {
        return Some(Doubt::Invention);
    }
    let outside = words.iter().filter(|word| stands_outside(word, speech)).count();
    if outside * 2 > words.len() {
        return Some(Doubt::OutsideSpeech);
    }
    is_improbable(words, speech, sound_ms).then_some(Doubt::Improbable)
}

/// Whether what a quick search heard is clear enough to do without a thorough one.
#[must_use]
pub fn is_clear(words: &[Word]) -> bool {
    !goes_round(words) && mean(words) >= CLEAR
}

/// Whether the recogniser went round in circles, or found nothing.
#[must_use]
pub fn goes_round(words: &[Word]) -> bool {
    let plain: Vec<String> = words.iter().flat_map(|word| plain(&word.text)).collect();
    plain.is_empty() || is_loop(&plain)
}

/// Why a text is not to be believed beside that of the second decode: they have less than half of their words in common, so at
/// least one of them has little to do with the sound.
#[must_use]
pub fn of_two(words: &[Word], second: &str) -> Option<Doubt> {
    let mut first: Vec<String> = words.iter().flat_map(|word| plain(&word.text)).collect();
    let mut second = plain(second);
    let all = first.len() + second.len();
    first.sort_unstable();
    second.sort_unstable();
    let mut rest = second.iter().peekable();
    let shared = first.iter().filter(|word| {
        while rest.next_if(|other| other < word).is_some() {}
        rest.next_if_eq(word).is_some()
    });
    (shared.count() * 4 < all).then_some(Doubt::Improbable)
}

/// Whether a word stands where nobody speaks.
#[must_use]
pub fn stands_outside(word: &Word, speech: &[(u32, u32)]) -> bool {
    let reaches = |&(start, end): &(u32, u32)| {
        word.start_ms <= end.saturating_add(BESIDE_MS) && word.end_ms.saturating_add(BESIDE_MS) >= start
    };
    !speech.iter().any(reaches)
}

/// "[Musik]", "*Applaus*", "(lacht)": the recogniser's notes are no words.
fn is_note(text: &str) -> bool {
    let inner = text.trim().trim_end_matches(['.', ',']);
    [('[', ']'), ('(', ')'), ('*', '*')]
        .iter()
        .any(|&(open, close)| inner.len() > 1 && inner.starts_with(open) && inner.ends_with(close))
        || inner.chars().all(|c| "♪♫[]()*".contains(c))
}

/// The same words over and over in a row. A caller who says his number three times is no loop.
fn is_loop(words: &[String]) -> bool {
    let longest = (words.len() / 3).min(30);
    let repeats = |width: usize| {
        let needed = width
            * if width == 1 {
                7
            } else if width < 4 {
                4
            } else {
                3
            };
        // `needed` words in a row of which each equals the one a period before
        let mut same = 0;
        (width..words.len()).any(|i| {
            same = if words[i] == words[i - width] { same + 1 } else { 0 };
            same >= needed
        })
    };
    (1..=longest).any(repeats)
}

fn mean(words: &[Word]) -> f32 {
    words.iter().map(|word| word.probability).sum::<f32>() / words.len() as f32
}

fn is_improbable(words: &[Word], speech: &[(u32, u32)], sound_ms: u32) -> bool {
    let count = words.len() as f32;
    let mean = mean(words);
    let spoken: u32 = speech.iter().map(|(start, end)| end.saturating_sub(*start)).sum();
    let seconds = spoken.min(sound_ms) as f32 / 1000.0;
    let (most, least) = WORDS_A_SECOND;
    mean.is_nan()
        || mean < IMPROBABLE
        || (count > 12.0 && count > seconds * most)
        || (seconds > 10.0 && count < seconds * least)
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "test texts are short")]
mod tests {
    use super::*;

    const SPEECH: [(u32, u32); 1] = [(0, 20_000)];

    /// The words of a text, two a second from the beginning.
    fn words(text: &str) -> Vec<Word> {
        let word = |(i, text): (usize, &str)| Word {
            text: text.to_owned(),
            start_ms: i as u32 * 500,
            end_ms: i as u32 * 500 + 400,
            probability: 0.9,
        };
        text.split_whitespace().enumerate().map(word).collect()
    }

    fn doubt(text: &str) -> Option<Doubt> {
        of_text(&words(text), &SPEECH, 20_000)
    }

    /// A tone that is on and off for the given milliseconds, 6 s long.
    fn tone(hertz: [f32; 2], on: usize, off: usize) -> Vec<f32> {
        let sine = |hertz: f32, i: usize| (std::f32::consts::TAU * hertz * i as f32 / RATE as f32).sin() * 0.1;
        let sample = |i: usize| if i / 16 % (on + off) < on { sine(hertz[0], i) + sine(hertz[1], i) } else { 0.0 };
        (0..6 * RATE as usize).map(sample).collect()
    }

    fn heard(samples: &[f32]) -> Option<Doubt> {
        of_sound(samples, &crate::transcribe::speech::speech(samples))
    }

    #[test]
    fn silence_and_hum_are_no_voice() {
        assert_eq!(heard(&vec![0.0; 48_000]), Some(Doubt::NoVoice));
        assert_eq!(heard(&tone([50.0, 150.0], 1, 0)), Some(Doubt::NoVoice));
        assert_eq!(heard(&[]), None);
    }

    #[test]
    fn network_tones_are_tones() {
        for (hertz, on, off) in [
            ([1100.0, 1100.0], 500, 3_000),
            ([2100.0, 2100.0], 3_000, 3_000),
            ([425.0, 425.0], 1_000, 4_000),
            ([425.0, 425.0], 480, 480),
            ([425.0, 425.0], 1, 0),
            ([770.0, 1336.0], 200, 300),
        ] {
            assert_eq!(heard(&tone(hertz, on, off)), Some(Doubt::Tones), "{hertz:?}");
        }
    }

    #[test]
    fn other_tones_may_be_music_and_are_not_certain() {
        assert_eq!(heard(&tone([523.0, 659.0], 300, 100)), None);
    }

    #[test]
    fn a_plain_message_is_believed() {
        assert_eq!(doubt("Hier ist die Firma Vogel, unser Server steht. Bitte rufen Sie zurück."), None);
        assert_eq!(of_text(&words("Ja."), &[(0, 1_000)], 1_500), None);
        assert_eq!(doubt("Vielen Dank, Vogel hier, bitte Rückruf, vielen Dank."), None);
    }

    #[test]
    fn a_number_said_three_times_is_no_loop() {
        assert_eq!(doubt("Meine Nummer 0171 392 0012, ich wiederhole 0171 392 0012, nochmal 0171 392 0012."), None);
        assert_eq!(doubt("0171 392 0012, 0171 392 0012, 0171 392 0012."), None);
        assert_eq!(doubt("null null null eins sieben"), None);
    }

    #[test]
    fn going_round_in_circles_is_a_loop() {
        assert_eq!(doubt(&"ja ".repeat(12)), Some(Doubt::Loop));
        assert_eq!(doubt(&"Wir sind da. ".repeat(6)), Some(Doubt::Loop));
        assert_eq!(doubt(&"Ich bin mit den Konditionen einverstanden. ".repeat(5)), Some(Doubt::Loop));
    }

    #[test]
    fn known_inventions_are_seen() {
        for text in [
            "Untertitel der Amara.org-Community",
            "Untertitelung des ZDF, 2020",
            "Untertitel im Auftrag des ZDF für funk, 2017",
            "Vielen Dank fürs Zuschauen!",
            "Vielen Dank.",
            "Copyright WDR 2021",
        ] {
            assert_eq!(doubt(text), Some(Doubt::Invention), "{text}");
        }
    }

    #[test]
    fn no_words_and_mere_notes_are_no_words() {
        for text in ["", "[Musik]", "*Applaus* (lacht)", "♪♪", "..."] {
            assert_eq!(doubt(text), Some(Doubt::NoWords), "{text}");
        }
    }

    #[test]
    fn words_where_nobody_speaks_are_doubted() {
        let far = words("Wir sind einverstanden mit der Gebühr");
        assert_eq!(of_text(&far, &[(10_000, 12_000)], 20_000), Some(Doubt::OutsideSpeech));
        assert_eq!(of_text(&far, &[], 20_000), Some(Doubt::OutsideSpeech));
        assert_eq!(of_text(&far, &[(0, 3_000)], 20_000), None);
    }

    #[test]
    fn two_decodes_that_share_less_than_half_their_words_are_improbable() {
        let first = words("Guten Tag, hier spricht Vogel, der Server steht.");
        for (second, doubt) in [
            ("guten Tag hier spricht Vogel der Server steht", None),
            ("Guten Tag, hier spricht Krause, der Server geht.", None),
            ("der Server steht steht steht steht steht steht", Some(Doubt::Improbable)),
            ("Wir sind mit den Konditionen einverstanden.", Some(Doubt::Improbable)),
            ("", Some(Doubt::Improbable)),
        ] {
            assert_eq!(of_two(&first, second), doubt, "{second}");
        }
    }

    #[test]
    fn unsure_too_many_or_too_few_words_are_improbable() {
        let mut unsure = words("Hier spricht jemand der kaum zu verstehen ist");
        for word in &mut unsure {
            word.probability = 0.3;
        }
        assert_eq!(of_text(&unsure, &SPEECH, 20_000), Some(Doubt::Improbable));
        unsure[0].probability = f32::NAN;
        assert_eq!(of_text(&unsure, &SPEECH, 20_000), Some(Doubt::Improbable));
        assert_eq!(of_text(&words("Guten Tag"), &SPEECH, 20_000), Some(Doubt::Improbable));
        let mut many = words("eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn");
        for word in &mut many {
            (word.start_ms, word.end_ms) = (word.start_ms / 5, word.end_ms / 5);
        }
        assert_eq!(of_text(&many, &[(0, 1_500)], 20_000), Some(Doubt::Improbable));
    }
}
