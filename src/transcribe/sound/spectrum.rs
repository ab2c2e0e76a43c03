//! Short-time spectra of a 16 kHz sound: how loud each band of the telephone channel is, and whether a moment is
//! nothing but one or two pure tones. What [`speech`](crate::transcribe::speech) and
//! [`doubt`](crate::transcribe::doubt) look at. Pure and total: any samples give frames.

use super::RATE;

/// Milliseconds from frame to frame.
pub const HOP_MS: u32 = 20;
/// Samples from frame to frame.
pub const HOP: usize = (RATE * HOP_MS / 1000) as usize;
/// Bands of the telephone channel.
pub const BANDS: usize = 5;

/// Points of the transform: 32 ms, so that a voice's harmonics stand apart.
const SIZE: usize = 512;
/// Band edges in bins of 31.25 Hz: 188, 500, 1000, 1700, 2500, 3400 Hz.
const EDGES: [usize; BANDS + 1] = [6, 16, 32, 54, 80, 109];
/// First and last bin in which tones are looked for (60 to 3900 Hz).
const TONE_BINS: std::ops::Range<usize> = 2..125;
/// Power that is always there (-90 dB), so that digital silence has a level.
const FLOOR: f32 = 1e-9;

/// 20 ms of a sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Level of each band in dB of full scale.
    pub bands: [f32; BANDS],
    /// Level of all of it (60 to 3900 Hz) in dB of full scale.
    pub level: f32,
    /// The two strongest tones, the lower first, in Hz (twice the same where there is one).
    pub tones: (f32, f32),
    /// Share of the power that lies in these tones, 0 to 1.
    pub purity: f32,
}

/// The frames of a sound, one for every 20 ms begun. Frame `i` looks at the 32 ms from `i * HOP`.
#[must_use]
pub fn frames(samples: &[f32]) -> Vec<Frame> {
    let transform = Transform::new();
    let starts = (0..samples.len()).step_by(HOP);
    starts.map(|start| frame(&transform.power(&samples[start..samples.len().min(start + SIZE)]))).collect()
}

fn frame(power: &[f32; SIZE / 2]) -> Frame {
    let bands = std::array::from_fn(|band| decibel(power[EDGES[band]..EDGES[band + 1]].iter().sum()));
    let total: f32 = power[TONE_BINS].iter().sum();
    let (first, first_power) = strongest(power, None);
    let (second, second_power) = strongest(power, Some(first));
    let two = second_power > 0.1 * first_power;
    let (low, high) = if two { (first.min(second), first.max(second)) } else { (first, first) };
    let pure = if two { first_power + second_power } else { first_power };
    Frame {
        bands,
        level: decibel(total),
        tones: (centre(power, low), centre(power, high)),
        purity: pure / (total + FLOOR),
    }
}

/// Bin and power of the strongest peak (with the two bins on either side, as wide as the window smears it), away
/// from another one.
fn strongest(power: &[f32; SIZE / 2], other: Option<usize>) -> (usize, f32) {
    let far = |bin: &usize| other.is_none_or(|other| bin.abs_diff(other) > 4);
    let peak = TONE_BINS.filter(far).max_by(|&a, &b| power[a].total_cmp(&power[b])).unwrap_or(TONE_BINS.start);
    (peak, power[peak - 2..=peak + 2].iter().sum())
}

/// Frequency of a peak: the centre of gravity of its bins.
fn centre(power: &[f32; SIZE / 2], peak: usize) -> f32 {
    let bins = peak.max(2) - 2..=peak + 2;
    let total: f32 = power[bins.clone()].iter().sum();
    let moment: f32 = bins.map(|bin| bin as f32 * power[bin]).sum();
    moment / (total + f32::MIN_POSITIVE) * RATE as f32 / SIZE as f32
}

fn decibel(power: f32) -> f32 {
    10.0 * (power + FLOOR).log10()
}

/// A plain radix-2 transform with its tables.
struct Transform {
    window: Vec<f32>,
    /// Cosine and sine of the roots of unity.
    roots: Vec<(f32, f32)>,
    /// Makes the sum over the bins the mean square of the samples.
    scale: f32,
}

impl Transform {
    fn new() -> Self {
        let angle = |i: usize| std::f32::consts::TAU * i as f32 / SIZE as f32;
        let window: Vec<f32> = (0..SIZE).map(|i| 0.5 - 0.5 * angle(i).cos()).collect();
        let weight: f32 = window.iter().map(|w| w * w).sum();
        let roots = (0..SIZE / 2).map(|i| (angle(i).cos(), -angle(i).sin())).collect();
        Self { window, roots, scale: 2.0 / (weight * SIZE as f32) }
    }

    /// Power in each bin; missing samples at the end are silence.
    fn power(&self, samples: &[f32]) -> [f32; SIZE / 2] {
        let mut points = [(0.0_f32, 0.0_f32); SIZE];
        for (i, (sample, weight)) in samples.iter().zip(&self.window).enumerate() {
            let place = i.reverse_bits() >> (usize::BITS - SIZE.trailing_zeros());
            points[place].0 = sample * weight;
        }
        let mut half = 1;
        while half < SIZE {
            for pair in points.chunks_exact_mut(2 * half) {
                let (left, right) = pair.split_at_mut(half);
                for (i, (a, b)) in left.iter_mut().zip(right).enumerate() {
                    let (cos, sin) = self.roots[i * (SIZE / 2 / half)];
                    let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                    *b = (a.0 - turned.0, a.1 - turned.1);
                    *a = (a.0 + turned.0, a.1 + turned.1);
                }
            }
            half *= 2;
        }
        std::array::from_fn(|i| (points[i].0 * points[i].0 + points[i].1 * points[i].1) * self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f32, size: f32) -> Vec<f32> {
        let angle = |i: u16| std::f32::consts::TAU * hertz * f32::from(i) / RATE as f32;
        (0..16_000).map(|i| size * angle(i).sin()).collect()
    }

    #[test]
    fn a_sine_has_its_level_its_frequency_and_is_pure() {
        for hertz in [425.0, 1100.0, 2100.0] {
            let frame = frames(&tone(hertz, 0.1))[10];
            assert!((frame.level + 23.0).abs() < 0.1, "{frame:?}");
            assert!((frame.tones.0 - hertz).abs() < 6.0, "{frame:?}");
            assert!(frame.purity > 0.99, "{frame:?}");
        }
    }

    #[test]
    fn two_tones_are_found_in_order() {
        let sum: Vec<f32> = tone(770.0, 0.1).iter().zip(tone(1336.0, 0.1)).map(|(a, b)| a + b).collect();
        let frame = frames(&sum)[10];
        assert!((frame.tones.0 - 770.0).abs() < 10.0 && (frame.tones.1 - 1336.0).abs() < 10.0, "{frame:?}");
        assert!(frame.purity > 0.98, "{frame:?}");
    }

    #[test]
    fn no_sound_has_no_frames_and_silence_has_a_level() {
        assert!(frames(&[]).is_empty());
        assert_eq!(frames(&[0.0; 100]).len(), 1);
        assert!(frames(&[0.0; 100])[0].level <= -89.9);
    }
}
