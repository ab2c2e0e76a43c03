//! Where somebody speaks. Promises to be generous: in doubt it is speech, short phrases are never dropped, stretches
//! are padded and small gaps closed. Can go wrong: music, noises and other voices count as speech; the recogniser and
//! [`doubt`](super::doubt) see to those.
//!
//! How: in each band of the telephone channel the level is compared with the softest it has been around that moment.
//! A voice rises above that in some band even where the noise as a whole is as loud as the voice.

use super::sound::spectrum::{self, BANDS, Frame, HOP, HOP_MS};
use super::sound::{RATE, tones};

/// How far (dB) a band must rise above its floor; the narrow lowest band swings more by itself.
const RISE: [f32; BANDS] = [7.0, 6.0, 6.0, 6.0, 6.0];
/// Half the time over which the floor is sought: in 8 s everybody draws breath.
const AROUND: usize = 4 * FRAMES_A_SECOND;
/// Added before and after each stretch, in ms: soft beginnings and ends.
const PAD_MS: u32 = 300;
/// Gaps up to this are closed, in ms.
const GAP_MS: u32 = 1_000;
/// A frame louder than this (dB of full scale) is worth listening to.
const LOUD: f32 = -40.0;
const FRAMES_A_SECOND: usize = RATE as usize / HOP;

/// Stretches `(start_ms, end_ms)` of a 16 kHz mono sound in which somebody speaks, in order, not touching.
/// Empty where nothing but silence, steady noise or network tones is to be heard.
#[must_use]
pub fn speech(samples: &[f32]) -> Vec<(u32, u32)> {
    let frames = spectrum::frames(samples);
    let length = u32::try_from(samples.len() as u64 * 1000 / u64::from(RATE)).unwrap_or(u32::MAX);
    let tone = tones_alone(&frames);
    let rest: Vec<Frame> = frames.iter().zip(&tone).filter(|(_, tone)| !**tone).map(|(frame, _)| *frame).collect();
    if rest.is_empty() || tones::is_steady(&rest) {
        return Vec::new();
    }
    let active: Vec<bool> = active(&frames).into_iter().zip(&tone).map(|(active, tone)| active && !tone).collect();
    let voiced = active.iter().filter(|active| **active).count();
    let loud = frames.iter().zip(&tone).filter(|(frame, tone)| frame.level > LOUD && !**tone).count();
    if voiced == 0 || voiced * 10 < loud * 3 {
        // the sound is energetic and the floor does not explain it: let the recogniser hear everything
        return vec![(0, length)];
    }
    padded(&active, length)
}

/// Network tones under which nobody speaks, with their edges.
fn tones_alone(frames: &[Frame]) -> Vec<bool> {
    let mut mask = tones::mask(frames);
    if !tones::nobody_under(frames, &mask) {
        mask.fill(false);
    }
    tones::with_edges(&mask)
}

/// The frames in which some band stands above its floor.
fn active(frames: &[Frame]) -> Vec<bool> {
    let mut active = vec![false; frames.len()];
    for (band, rise) in RISE.into_iter().enumerate() {
        let levels = tones::smoothed(frames, band);
        let floors = floors(&levels);
        let shift = (frames.len() - levels.len()) / 2;
        for (i, level) in levels.iter().enumerate() {
            active[i + shift] |= *level > floors[i / FRAMES_A_SECOND] + rise;
        }
    }
    active
}

/// For each second, the level that a tenth of the surrounding frames does not reach.
fn floors(levels: &[f32]) -> Vec<f32> {
    (0..levels.len().div_ceil(FRAMES_A_SECOND))
        .map(|second| {
            let middle = second * FRAMES_A_SECOND + FRAMES_A_SECOND / 2;
            let around = middle.saturating_sub(AROUND)..(middle + AROUND).min(levels.len());
            let mut near = levels[around].to_vec();
            let tenth = near.len() / 10;
            *near.select_nth_unstable_by(tenth, f32::total_cmp).1
        })
        .collect()
}

fn padded(active: &[bool], length: u32) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for (start, end) in tones::runs(active) {
        let ms = |frame: usize| u32::try_from(frame).unwrap_or(u32::MAX).saturating_mul(HOP_MS);
        let start = ms(start).saturating_sub(PAD_MS).min(length);
        let end = ms(end).saturating_add(PAD_MS).min(length);
        match stretches.last_mut() {
            Some((_, last)) if start <= last.saturating_add(GAP_MS) => *last = end,
            _ => stretches.push((start, end)),
        }
    }
    stretches
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "test sounds are short")]
mod tests {
    use super::*;

    const SECOND: usize = RATE as usize;

    /// White noise of the given size.
    fn noise(length: usize, size: f32) -> Vec<f32> {
        let mut state = 7_u32;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / 8_388_608.0 - 1.0) * size
            })
            .collect()
    }

    /// Adds something vowel-like: harmonics of 130 Hz that swell and fade within `ms`.
    fn vowel(samples: &mut [f32], at: usize, ms: usize, size: f32) {
        let length = ms * 16;
        for i in 0..length {
            let swell = (std::f32::consts::PI * i as f32 / length as f32).sin();
            let voice: f32 = [1.0, 4.0, 5.0, 9.0, 17.0]
                .iter()
                .map(|n| (n * 130.0 * std::f32::consts::TAU * i as f32 / RATE as f32).sin() / 5.0)
                .sum();
            samples[at + i] += voice * swell * size;
        }
    }

    #[test]
    fn silence_and_steady_noise_are_no_speech() {
        assert!(speech(&[]).is_empty());
        assert!(speech(&vec![0.0; 5 * SECOND]).is_empty());
        assert!(speech(&noise(10 * SECOND, 0.02)).is_empty());
    }

    #[test]
    fn a_single_short_word_is_found_in_silence_and_in_noise() {
        for size in [0.0, 0.01] {
            let mut samples = noise(10 * SECOND, size);
            vowel(&mut samples, 5 * SECOND, 250, 0.1);
            let found = speech(&samples);
            assert_eq!(found.len(), 1, "{found:?}");
            let (start, end) = found[0];
            assert!(start <= 4_850 && end >= 5_400, "{found:?}");
            if size == 0.0 {
                assert!(start > 4_000 && end < 6_500, "{found:?}");
            }
        }
    }

    #[test]
    fn small_gaps_are_closed_and_large_ones_are_not() {
        let mut samples = noise(20 * SECOND, 0.0005);
        for second in [2, 3, 4, 12, 13] {
            vowel(&mut samples, second * SECOND, 400, 0.1);
        }
        let found = speech(&samples);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].0 <= 2_000 && found[0].1 >= 4_400 && found[1].0 <= 12_000 && found[1].1 >= 13_400,
            "{found:?}"
        );
    }

    #[test]
    fn stretches_stay_within_the_sound() {
        let mut samples = noise(2 * SECOND, 0.0005);
        vowel(&mut samples, 0, 300, 0.1);
        vowel(&mut samples, 2 * SECOND - 4_800, 300, 0.1);
        let found = speech(&samples);
        assert_eq!(found.first().unwrap().0, 0);
        assert!(found.last().unwrap().1 <= 2_000);
    }
}
