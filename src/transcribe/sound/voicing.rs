//! Where a voice sounds: vocal cords make a sound that repeats itself 70 to 400 times a second, and never quite evenly. A breath,
//! noise and silence repeat nothing; a tone and an instrument hold their pitch as no voice does. Pure and total.
//!
//! It only doubts a text and never decides what is listened to. Can go wrong: who sings, and strings that are bowed, count as
//! a voice; a whisper, and a voice under loud music, do not.

use super::RATE;
use super::spectrum::{HOP, HOP_MS};
use super::tones::runs;

/// Half the sample rate is enough for what is looked at.
const SLOW: usize = RATE as usize / 2;
/// The band (Hz) in which voices on a telephone are strong, and noise has little of its power.
const BAND: (f32, f32) = (250.0, 1_000.0);
/// Samples at the slow rate from frame to frame, and compared in one: 40 ms.
const STEP: usize = HOP / 2;
const WIDTH: usize = 2 * STEP;
/// Periods (samples at the slow rate) of 400 and 70 Hz.
const PERIODS: (usize, usize) = (SLOW / 400, SLOW / 70);
/// A frame repeats itself where it and its shifted self agree so far, of 1.
const ALIKE: f32 = 0.5;
/// Of several periods the shortest that is nearly as good as the best.
const NEARLY: f32 = 0.9;
/// A frame softer than this (power of full scale, -50 dB) says nothing.
const AUDIBLE: f32 = 1e-5;
/// From frame to frame a voice's pitch moves by no more than this share.
const GLIDE: f32 = 0.12;
/// Frames in a row that make a voice: 80 ms.
const SHORTEST: usize = 4;
/// A pitch that moves by no more than `STILL` within `HELD` frames (160 ms) is a tone, with its ends.
const HELD: usize = 8;
const STILL: f32 = 0.012;
const ENDS: usize = 2;
/// Voice among so many times as many frames of tones, within a second on either side, is music.
const AMONG: usize = 2;
const AROUND: usize = 1_000 / HOP_MS as usize;
/// Added before and after each stretch, in ms: consonants, and the pauses between words.
const PAD_MS: u32 = 500;

/// Stretches `(start_ms, end_ms)` of a 16 kHz mono sound with a voice in them, in order, not touching.
#[must_use]
pub fn voiced(samples: &[f32]) -> Vec<(u32, u32)> {
    let length = u32::try_from(samples.len() as u64 * 1000 / u64::from(RATE)).unwrap_or(u32::MAX);
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for (start, end) in runs(&voice(&pitches(&narrowed(samples)))) {
        let ms = |frame: usize| u32::try_from(frame).unwrap_or(u32::MAX).saturating_mul(HOP_MS);
        let start = ms(start).saturating_sub(PAD_MS);
        let end = ms(end).saturating_add(HOP_MS + PAD_MS).min(length);
        match stretches.last_mut() {
            Some((_, last)) if start <= *last => *last = end,
            _ => stretches.push((start, end)),
        }
    }
    stretches
}

/// What two lists of stretches have in common.
#[must_use]
pub fn both(some: &[(u32, u32)], others: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let common = |&(a, b): &(u32, u32)| others.iter().map(move |&(c, d)| (a.max(c), b.min(d)));
    some.iter().flat_map(common).filter(|(start, end)| start < end).collect()
}

/// The frames in which a voice sounds.
fn voice(pitches: &[Option<f32>]) -> Vec<bool> {
    let mut sounding = vec![false; pitches.len()];
    let mut held = vec![false; pitches.len()];
    for (start, end) in glides(pitches) {
        sounding[start..end].fill(true);
        for from in start..=end.saturating_sub(HELD).max(start) {
            let window = &pitches[from..(from + HELD).min(end)];
            if window.len() == HELD && is_still(window) {
                held[from.saturating_sub(ENDS)..(from + HELD + ENDS).min(pitches.len())].fill(true);
            }
        }
    }
    let mut voice: Vec<bool> = sounding.iter().zip(&held).map(|(sounds, held)| *sounds && !held).collect();
    let whole = voice.clone();
    for (start, end) in runs(&whole) {
        let near = start.saturating_sub(AROUND)..(end + AROUND).min(whole.len());
        let count = |mask: &[bool]| mask[near.clone()].iter().filter(|is| **is).count();
        if end - start < SHORTEST || count(&held) > AMONG * count(&whole) {
            voice[start..end].fill(false);
        }
    }
    voice
}

/// Start and end of each row of frames whose pitch does not jump.
fn glides(pitches: &[Option<f32>]) -> Vec<(usize, usize)> {
    let mut glides = Vec::new();
    let mut from = 0;
    for i in 0..=pitches.len() {
        let goes_on = i > from
            && match (pitches[i - 1], pitches.get(i).copied().flatten()) {
                (Some(before), Some(now)) => (now / before).ln().abs() < GLIDE,
                _ => false,
            };
        if !goes_on {
            if i - from >= SHORTEST {
                glides.push((from, i));
            }
            from = i;
        }
    }
    glides
}

fn is_still(pitches: &[Option<f32>]) -> bool {
    let known = pitches.iter().copied().flatten();
    let (low, high) = known.fold((f32::MAX, f32::MIN), |(low, high), pitch| (low.min(pitch), high.max(pitch)));
    high <= low * (1.0 + STILL)
}

/// For each frame how often a second its sound repeats itself; `None` where it does not.
fn pitches(sound: &[f32]) -> Vec<Option<f32>> {
    let (shortest, longest) = PERIODS;
    let whole = WIDTH + longest + 1;
    let starts = (0..sound.len().saturating_sub(whole)).step_by(STEP);
    starts.map(|start| pitch(&sound[start..start + whole], shortest - 1)).collect()
}

/// `sound` is one frame and as much more as the longest period needs.
fn pitch(sound: &[f32], first: usize) -> Option<f32> {
    let frame = &sound[..WIDTH];
    let power: f32 = frame.iter().map(|x| x * x).sum();
    if power < AUDIBLE * WIDTH as f32 {
        return None;
    }
    let mut shifted: f32 = sound[first..first + WIDTH].iter().map(|x| x * x).sum();
    let mut likeness = Vec::with_capacity(sound.len() - WIDTH - first);
    for lag in first..sound.len() - WIDTH {
        let product: f32 = frame.iter().zip(&sound[lag..]).map(|(a, b)| a * b).sum();
        likeness.push(product / (power * shifted).sqrt().max(f32::MIN_POSITIVE));
        shifted = (shifted + sound[lag + WIDTH].powi(2) - sound[lag].powi(2)).max(0.0);
    }
    let peaks = (1..likeness.len().saturating_sub(1))
        .filter(|&i| likeness[i] >= likeness[i - 1] && likeness[i] >= likeness[i + 1]);
    let best = peaks.clone().map(|i| likeness[i]).fold(0.0, f32::max);
    if best < ALIKE {
        return None;
    }
    let peak = peaks.into_iter().find(|&i| likeness[i] >= NEARLY * best)?;
    let (before, at, after) = (likeness[peak - 1], likeness[peak], likeness[peak + 1]);
    let bend = before - 2.0 * at + after;
    // between two samples the top lies where a parabola through the three has it
    let beside = if bend.abs() > f32::EPSILON { 0.5 * (before - after) / bend } else { 0.0 };
    Some(SLOW as f32 / ((first + peak) as f32 + beside))
}

/// The band in which voices are strong, at the slow rate.
fn narrowed(samples: &[f32]) -> Vec<f32> {
    let (low, high) = BAND;
    let (mut above, mut below) = (Filter::new(low, true), Filter::new(high, false));
    let band = samples.iter().map(|sample| below.next(above.next(*sample)));
    band.step_by(2).collect()
}

/// A Butterworth filter of the second order at 16 kHz.
struct Filter {
    forward: [f32; 3],
    back: [f32; 2],
    input: [f32; 2],
    output: [f32; 2],
}

impl Filter {
    fn new(hertz: f32, keeps_above: bool) -> Self {
        let angle = std::f32::consts::TAU * hertz / RATE as f32;
        let (sin, cos) = angle.sin_cos();
        let alpha = sin * std::f32::consts::FRAC_1_SQRT_2;
        let scale = 1.0 / (1.0 + alpha);
        let side = scale * if keeps_above { f32::midpoint(1.0, cos) } else { (1.0 - cos) / 2.0 };
        let middle = if keeps_above { -2.0 * side } else { 2.0 * side };
        Self {
            forward: [side, middle, side],
            back: [-2.0 * cos * scale, (1.0 - alpha) * scale],
            input: [0.0; 2],
            output: [0.0; 2],
        }
    }

    fn next(&mut self, sample: f32) -> f32 {
        let [a, b, c] = self.forward;
        let fed = a * sample + b * self.input[0] + c * self.input[1];
        let value = fed - self.back[0] * self.output[0] - self.back[1] * self.output[1];
        self.input = [sample, self.input[0]];
        self.output = [value, self.output[0]];
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::{PI, TAU};

    /// A vowel whose pitch glides, for `ms` from `at`.
    fn vowel(sound: &mut [f32], at: usize, ms: usize) {
        let length = ms * 16;
        let mut phase = 0.0;
        for i in 0..length {
            let part = i as f32 / length as f32;
            phase += TAU * (120.0 + 25.0 * part) / RATE as f32;
            let sum: f32 = [3.0, 4.0, 5.0, 6.0, 9.0].iter().map(|n| (phase * n).sin() / 5.0).sum();
            sound[at + i] += 0.2 * sum * (PI * part).sin();
        }
    }

    fn noise(length: usize, size: f32) -> Vec<f32> {
        let mut state = 11_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / 8_388_608.0 - 1.0) * size
        };
        (0..length).map(|_| next()).collect()
    }

    fn notes(seconds: usize) -> Vec<f32> {
        let scale = [262.0, 330.0, 392.0, 523.0, 440.0, 349.0];
        let sample = |i: usize| {
            let (note, inside) = (i / 4_800, i % 4_800);
            let angle = TAU * scale[note % 6] * inside as f32 / RATE as f32;
            [1.0, 2.0, 3.0].iter().map(|n| (angle * n).sin() / n).sum::<f32>()
                * 0.05
                * (-(inside as f32) / 6_000.0).exp()
        };
        (0..seconds * RATE as usize).map(sample).collect()
    }

    #[test]
    fn a_short_word_is_a_voice_in_silence_and_in_noise() {
        for size in [0.0, 0.02] {
            let mut sound = noise(5 * RATE as usize, size);
            vowel(&mut sound, 2 * RATE as usize, 250);
            let found = voiced(&sound);
            assert_eq!(found.len(), 1, "{size}: {found:?}");
            assert!(found[0].0 < 2_000 && found[0].0 > 1_300 && found[0].1 > 2_200 && found[0].1 < 3_000, "{found:?}");
        }
    }

    #[test]
    fn silence_noise_tones_and_tunes_are_none() {
        let tone = |hertz: f32| (0..48_000).map(move |i| 0.1 * (TAU * hertz * i as f32 / RATE as f32).sin());
        for (what, sound) in [
            ("nothing", vec![]),
            ("silence", vec![0.0; 48_000]),
            ("noise", noise(160_000, 0.1)),
            ("ring-back", tone(425.0).collect()),
            ("hum", tone(150.0).zip(tone(250.0)).map(|(a, b)| a + b).collect()),
            ("a tune", notes(8)),
        ] {
            assert_eq!(voiced(&sound), [], "{what}");
        }
    }

    #[test]
    fn what_two_lists_have_in_common_is_found() {
        assert_eq!(both(&[(0, 10), (20, 30)], &[(5, 22), (28, 40)]), [(5, 10), (20, 22), (28, 30)]);
        assert_eq!(both(&[(0, 10)], &[(10, 20)]), []);
        assert_eq!(both(&[], &[(0, 1)]), []);
    }
}
