//! What is done to every sound whatever its format: DC removed, 16 kHz, a sensible level.

use super::{RATE, SoundError};
use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

/// Level speech is brought to: RMS of its louder parts, as a fraction of full scale (-20 dB).
const TARGET: f32 = 0.1;
/// Most a quiet sound is raised (30 dB): speech at -50 dB becomes usable, the noise of a silent line stays a whisper.
const MOST_GAIN: f32 = 31.6;
/// A sound whose louder parts are below this (-76 dB, five steps of 16 bit) is silence and is not raised at all.
const SILENCE: f32 = 1.6e-4;
/// Loud against soft parts below which a sound is steady (hum, hiss) and is never raised.
const STEADY: f32 = 2.0;

/// The sound without its mean.
pub(super) fn without_dc(mut samples: Vec<f32>) -> Vec<f32> {
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample)).sum();
    let mean = (sum / samples.len().max(1) as f64) as f32;
    for sample in &mut samples {
        *sample -= mean;
    }
    samples
}

/// The sound at 16 kHz; the length is exact (rounded up).
pub(super) fn resample(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, SoundError> {
    if rate == RATE || samples.is_empty() {
        return Ok(samples);
    }
    let failed =
        |why: String| SoundError::Damaged { what: "sound", why: format!("not resampled from {rate} Hz: {why}") };
    let mut fft = Fft::<f32>::new(rate as usize, RATE as usize, 1024, 1, FixedSync::Both)
        .map_err(|error| failed(error.to_string()))?;
    let length = samples.len();
    let input = InterleavedSlice::new(&samples, 1, length).map_err(|error| failed(error.to_string()))?;
    let output = fft.process_all(&input, length, None).map_err(|error| failed(error.to_string()))?;
    let mut output = output.take_data();
    let exact = (length as u64 * u64::from(RATE)).div_ceil(u64::from(rate));
    output.resize(usize::try_from(exact).unwrap_or(usize::MAX), 0.0);
    Ok(output)
}

/// Brings the louder parts to the target level; quiet sounds are raised by a bounded gain, silence and steady noise
/// not at all. Peaks that would leave ±1 are clipped: they are rare clicks, the gain minds the 99.9th percentile.
pub(super) fn normalise(samples: &mut [f32]) {
    let frame = RATE as usize / 50;
    let mut levels: Vec<f32> = samples.chunks(frame).map(rms).collect();
    levels.sort_by(f32::total_cmp);
    let at = |share: f32| levels.get((levels.len() as f32 * share) as usize).copied().unwrap_or(0.0);
    let (loud, soft) = (at(0.9), at(0.1));
    let loudest = at(0.98);
    if loudest < SILENCE {
        return;
    }
    // short speech in a long silence has its level above the 90th percentile
    let level = loud.max(loudest / 4.0);
    let steady = loudest < soft * STEADY;
    let most = if steady { 1.0 } else { MOST_GAIN.min(0.97 / peak(samples).max(1e-6)).max(1.0) };
    let gain = (TARGET / level).min(most);
    for sample in samples {
        *sample = (*sample * gain).clamp(-1.0, 1.0);
    }
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32).sqrt()
}

/// The size that one sample in a thousand exceeds.
fn peak(samples: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = samples.iter().map(|sample| sample.abs()).collect();
    let at = sizes.len().saturating_sub(1 + sizes.len() / 1000);
    if sizes.is_empty() {
        return 0.0;
    }
    *sizes.select_nth_unstable_by(at, f32::total_cmp).1
}
