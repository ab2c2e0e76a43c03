//! The tones of a telephone network: which frames are nothing but one of them, and whether frames are steady.

use super::spectrum::{BANDS, Frame};

/// Tones in Hz: dial, ring-back and busy (350 to 620), DTMF, information tones (950, 1400, 1800), beep (1000), fax
/// and modem (980 to 2100).
const KNOWN: [f32; 24] = [
    350.0, 400.0, 425.0, 440.0, 450.0, 480.0, 620.0, 697.0, 770.0, 852.0, 941.0, 950.0, 1000.0, 1100.0, 1209.0, 1300.0,
    1336.0, 1400.0, 1477.0, 1633.0, 1650.0, 1800.0, 1850.0, 2100.0,
];
/// Share of the power that must lie in the tones: what else there is, is 15 dB below.
const PURE: f32 = 0.97;
/// A tone softer than this (dB of full scale) says nothing.
const AUDIBLE: f32 = -55.0;
/// A tone lasts at least 80 ms; a vowel is not that pure for so long.
const SHORTEST: usize = 4;
/// What stands beside a tone is its switching on and off: 60 ms.
const EDGE: usize = 3;

/// What is left of a tone frame beside the tone, dB of full scale: below that nobody speaks under the tone.
const UNDER_TONE: f32 = -50.0;
/// How far that rest may rise above its softest tenth (dB) without being a voice.
const UNDER_TONE_RISE: f32 = 10.0;

/// Frames over which levels are averaged: 100 ms.
const AVERAGE: usize = 5;
/// What is shorter than this (1 s) is not judged: a single word may be as steady as noise.
const JUDGED: usize = 50;
/// Levels below this (dB of full scale) are all the same: silence.
const SILENT: f32 = -70.0;
/// How far above its median (dB) a band of steady noise may rise; the narrow lowest band swings more.
const RISE: [f32; BANDS] = [4.5, 3.5, 3.5, 3.5, 3.5];
/// How far the lower tenth may lie below the median (dB).
const FALL: f32 = 5.0;
/// Longest rise (averaged frames) that is only a click: no word is so short.
const CLICK: usize = 7;
/// More clicks than this are no accident.
const CLICKS: usize = 4;

/// For each frame, whether it is a network tone and nothing else.
#[must_use]
pub fn mask(frames: &[Frame]) -> Vec<bool> {
    let mut mask: Vec<bool> = frames.iter().map(is_tone).collect();
    for (start, end) in runs(&mask) {
        if end - start < SHORTEST {
            mask[start..end].fill(false);
        }
    }
    mask
}

/// The mask with the switching on and off of each tone.
#[must_use]
pub fn with_edges(mask: &[bool]) -> Vec<bool> {
    let near = |i: usize| i.saturating_sub(EDGE)..(i + EDGE + 1).min(mask.len());
    (0..mask.len()).map(|i| mask[near(i)].contains(&true)).collect()
}

fn is_tone(frame: &Frame) -> bool {
    frame.level > AUDIBLE && frame.purity >= PURE && is_known(frame.tones.0) && is_known(frame.tones.1)
}

fn is_known(hertz: f32) -> bool {
    KNOWN.iter().any(|known| (hertz - known).abs() < 8.0 + known * 0.01)
}

/// Whether what is left beside the tones is too soft or too steady to be a voice.
#[must_use]
pub fn nobody_under(frames: &[Frame], mask: &[bool]) -> bool {
    let mut rest: Vec<f32> = Vec::new();
    for (start, end) in runs(mask) {
        let inner = (start + 2).min(end)..end.saturating_sub(2).max((start + 2).min(end));
        rest.extend(frames[inner].iter().map(|frame| frame.level + 10.0 * (1.0 - frame.purity).max(1e-4).log10()));
    }
    rest.sort_by(f32::total_cmp);
    let at = |share: f32| rest.get((rest.len() as f32 * share) as usize).copied().unwrap_or(UNDER_TONE);
    at(0.98) <= UNDER_TONE.max(at(0.1) + UNDER_TONE_RISE)
}

/// Whether nothing moves in these frames but what moves in silence, hum or steady noise; a few clicks are allowed.
#[must_use]
pub fn is_steady(frames: &[Frame]) -> bool {
    // the ends are cut through: half a frame of noise is not as loud as a whole one
    let trimmed = frames.get(AVERAGE..frames.len().saturating_sub(AVERAGE)).filter(|rest| rest.len() >= JUDGED);
    let Some(frames) = trimmed else {
        return frames.iter().all(|frame| frame.level < SILENT);
    };
    let mut risen = vec![false; frames.len() - AVERAGE + 1];
    for (band, rise) in RISE.into_iter().enumerate() {
        let levels = smoothed(frames, band);
        let mut sorted = levels.clone();
        sorted.sort_by(f32::total_cmp);
        let (median, low) = (sorted[sorted.len() / 2], sorted[sorted.len() / 10]);
        if median - low > FALL {
            return false;
        }
        for (risen, level) in risen.iter_mut().zip(&levels) {
            *risen |= *level > median + rise;
        }
    }
    let moves = runs(&risen);
    let clicks = moves.iter().filter(|(start, end)| end - start > 3).count();
    clicks <= CLICKS.max(frames.len() / 500) && moves.iter().all(|(start, end)| end - start <= CLICK)
}

/// Levels of a band in dB, averaged over 100 ms (fewer where there are fewer frames).
#[must_use]
pub fn smoothed(frames: &[Frame], band: usize) -> Vec<f32> {
    let powers: Vec<f32> = frames.iter().map(|frame| 10_f32.powf(frame.bands[band] / 10.0)).collect();
    let width = AVERAGE.min(powers.len()).max(1);
    let mean = |window: &[f32]| (10.0 * (window.iter().sum::<f32>() / width as f32).log10()).max(SILENT);
    powers.windows(width).map(mean).collect()
}

/// Start and end of each run of `true`.
pub(crate) fn runs(mask: &[bool]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (i, _) in mask.iter().enumerate().filter(|(_, is)| **is) {
        match runs.last_mut() {
            Some((_, end)) if *end == i => *end = i + 1,
            _ => runs.push((i, i + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::sound::spectrum;

    fn tone(hertz: f32, seconds: usize) -> Vec<f32> {
        (0..seconds * 16_000).map(|i| (std::f32::consts::TAU * hertz * i as f32 / 16_000.0).sin() * 0.1).collect()
    }

    #[test]
    fn network_tones_are_tones_and_others_are_not() {
        for (hertz, known) in
            [(425.0, true), (1100.0, true), (1112.0, true), (2100.0, true), (700.0, true), (540.0, false)]
        {
            let mask = mask(&spectrum::frames(&tone(hertz, 1)));
            assert_eq!(mask.iter().filter(|is| **is).count() > 40, known, "{hertz}");
        }
    }

    #[test]
    fn runs_are_half_open() {
        assert_eq!(runs(&[true, true, false, true]), [(0, 2), (3, 4)]);
        assert!(runs(&[]).is_empty());
    }
}
