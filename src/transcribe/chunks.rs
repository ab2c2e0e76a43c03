//! Cuts a sound into pieces the recogniser takes at once. Promises: every stretch of speech lies in the pieces, no
//! piece is longer than 28 s, cuts lie in pauses where there is one within reach, else at the quietest spot.

use super::sound::RATE;
use std::ops::Range;

/// Longest piece in samples (28 s; the recogniser's window is 30).
const LONGEST: usize = 28 * RATE as usize;
/// A cut is not sought before this (14 s), so that pieces do not become many and small.
const EARLIEST: usize = LONGEST / 2;
/// Stretches that are not further apart than this (3 s) share a piece: context helps, long silence makes inventions.
const APART: usize = 3 * RATE as usize;
/// Width of the pause that is looked for (300 ms), and the steps in which it is looked for (20 ms).
const PAUSE: usize = RATE as usize * 3 / 10;
const STEP: usize = RATE as usize / 50;

/// The sample ranges to be recognised, in order; `speech` in ms as from [`speech`](super::speech::speech).
/// Empty where there is no speech.
#[must_use]
pub fn chunks(samples: &[f32], speech: &[(u32, u32)]) -> Vec<Range<usize>> {
    let mut chunks: Vec<Range<usize>> = Vec::new();
    for stretch in speech.iter().map(|&stretch| in_samples(stretch, samples.len())).filter(|range| !range.is_empty()) {
        match chunks.last_mut() {
            Some(last) if stretch.start <= last.end + APART && stretch.end <= last.start + LONGEST => {
                last.end = last.end.max(stretch.end);
            }
            _ => divide(samples, stretch, &mut chunks),
        }
    }
    chunks
}

fn in_samples((start, end): (u32, u32), length: usize) -> Range<usize> {
    let at = |ms: u32| usize::try_from(u64::from(ms) * u64::from(RATE) / 1000).unwrap_or(usize::MAX).min(length);
    // stretches are whole milliseconds: the last one reaches the end
    let end = at(end);
    at(start)..if length - end < STEP { length } else { end }
}

fn divide(samples: &[f32], mut rest: Range<usize>, chunks: &mut Vec<Range<usize>>) {
    if let Some(last) = chunks.last() {
        rest.start = rest.start.max(last.end);
    }
    while rest.len() > LONGEST {
        let cut = quietest(samples, rest.start + EARLIEST..rest.start + LONGEST);
        chunks.push(rest.start..cut);
        rest.start = cut;
    }
    if !rest.is_empty() {
        chunks.push(rest);
    }
}

/// Middle of the quietest 300 ms in a range.
fn quietest(samples: &[f32], range: Range<usize>) -> usize {
    let energies: Vec<f32> = samples[range.clone()].chunks(STEP).map(|step| step.iter().map(|s| s * s).sum()).collect();
    let quiet = energies
        .windows(PAUSE / STEP)
        .map(|window| window.iter().sum::<f32>())
        .enumerate()
        .min_by(|(_, a), (_, b)| a.total_cmp(b));
    quiet.map_or(range.end, |(step, _)| range.start + step * STEP + PAUSE / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = RATE as usize;

    /// A loud buzz with silence in the given ranges (ms).
    fn sound(seconds: usize, pauses: &[(usize, usize)]) -> Vec<f32> {
        let mut samples: Vec<f32> = (0..seconds * SECOND).map(|i| if i % 100 < 50 { 0.2 } else { -0.2 }).collect();
        for (start, end) in pauses {
            samples[start * 16..end * 16].fill(0.0);
        }
        samples
    }

    #[test]
    fn no_speech_makes_no_pieces() {
        assert!(chunks(&sound(3, &[]), &[]).is_empty());
        assert!(chunks(&[], &[(0, 1000)]).is_empty());
    }

    #[test]
    fn near_stretches_share_a_piece_and_far_ones_do_not() {
        let pieces = chunks(&sound(30, &[]), &[(0, 2_000), (4_000, 6_000), (20_000, 22_000)]);
        assert_eq!(pieces, [0..6 * SECOND, 20 * SECOND..22 * SECOND]);
    }

    #[test]
    fn a_long_stretch_is_cut_in_its_pauses() {
        let pieces = chunks(&sound(60, &[(20_000, 20_400), (41_000, 41_500)]), &[(0, 60_000)]);
        assert_eq!(pieces.len(), 3);
        assert!((20_000 * 16..20_400 * 16).contains(&pieces[0].end), "{pieces:?}");
        assert!((41_000 * 16..41_500 * 16).contains(&pieces[1].end), "{pieces:?}");
        assert_eq!((pieces[0].start, pieces[2].end), (0, 60 * SECOND));
    }

    #[test]
    fn without_any_pause_pieces_are_still_short_enough_and_touch() {
        let samples = sound(100, &[]);
        let pieces = chunks(&samples, &[(0, 100_000)]);
        assert!(pieces.iter().all(|piece| piece.len() <= LONGEST));
        assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(pieces.last().unwrap().end, samples.len());
    }
}
