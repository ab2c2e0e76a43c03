//! Cuts a sound into pieces the recogniser takes at once. Promises: every stretch of speech lies in the pieces, no
//! piece is longer than 22 s, cuts lie in pauses where there is one within reach, else at the quietest spot.
//!
//! Pieces of a long stretch are about equal: they are heard side by side, and the longest one counts. They are much shorter
//! than the recogniser's window of 30 s, which is fitted to them: the encoder's work and memory grow with its square.

use super::sound::RATE;
use std::ops::Range;

/// What is longer than this (18 s) is cut, so that no piece is longer than 22 s.
const CUT_FROM: usize = 18 * SECOND;
/// A cut is sought so far (4 s) before and after where it would make equal pieces.
const REACH: usize = 4 * SECOND;
/// Stretches that are not further apart than this (3 s) share a piece: context helps, long silence makes inventions.
const APART: usize = 3 * SECOND;
/// Width of the pause that is looked for (300 ms), and the steps in which it is looked for (20 ms).
const PAUSE: usize = SECOND * 3 / 10;
const STEP: usize = SECOND / 50;
const SECOND: usize = RATE as usize;

/// The sample ranges to be recognised, in order; `speech` in ms as from [`speech`](super::speech::speech).
/// Empty where there is no speech.
#[must_use]
pub fn chunks(samples: &[f32], speech: &[(u32, u32)]) -> Vec<Range<usize>> {
    let mut near: Vec<Range<usize>> = Vec::new();
    for stretch in speech.iter().map(|&stretch| in_samples(stretch, samples.len())).filter(|range| !range.is_empty()) {
        match near.last_mut() {
            Some(last) if stretch.start <= last.end + APART => last.end = last.end.max(stretch.end),
            _ => near.push(stretch),
        }
    }
    near.into_iter().flat_map(|range| divided(samples, range)).collect()
}

fn in_samples((start, end): (u32, u32), length: usize) -> Range<usize> {
    let at = |ms: u32| usize::try_from(u64::from(ms) * u64::from(RATE) / 1000).unwrap_or(usize::MAX).min(length);
    // stretches are whole milliseconds: the last one reaches the end
    let end = at(end);
    at(start)..if length - end < STEP { length } else { end }
}

fn divided(samples: &[f32], whole: Range<usize>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut rest = whole;
    loop {
        let count = rest.len().div_ceil(CUT_FROM);
        if count < 2 {
            pieces.push(rest);
            return pieces;
        }
        let equal = rest.start + rest.len() / count;
        let cut = quietest(samples, equal - REACH..(equal + REACH).min(rest.end));
        pieces.push(rest.start..cut);
        rest.start = cut;
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
        let pauses = [(13_000, 13_400), (29_000, 29_500), (46_000, 46_400)];
        let pieces = chunks(&sound(60, &pauses), &[(0, 60_000)]);
        assert_eq!(pieces.len(), 4);
        for (piece, (from, until)) in pieces.iter().zip(pauses) {
            assert!((from * 16..until * 16).contains(&piece.end), "{pieces:?}");
        }
        assert_eq!((pieces[0].start, pieces[3].end), (0, 60 * SECOND));
    }

    #[test]
    fn what_is_cut_is_cut_in_about_equal_pieces() {
        for seconds in [19, 24, 30, 41, 60, 120, 300] {
            let pieces = chunks(&sound(seconds, &[]), &[(0, u32::try_from(seconds).unwrap() * 1_000)]);
            let shortest = pieces.iter().map(Range::len).min().unwrap();
            assert!(shortest >= 5 * SECOND && pieces.iter().all(|piece| piece.len() <= CUT_FROM + REACH), "{pieces:?}");
        }
    }

    #[test]
    fn without_any_pause_pieces_are_still_short_enough_and_touch() {
        let samples = sound(100, &[]);
        let pieces = chunks(&samples, &[(0, 100_000)]);
        assert!(pieces.iter().all(|piece| piece.len() <= CUT_FROM + REACH));
        assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(pieces.last().unwrap().end, samples.len());
    }
}
