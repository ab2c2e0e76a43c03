//! Samples become the WAV file that every browser plays, and the picture of it.

use super::RATE;

/// Bytes before the first sample.
const HEADER: u32 = 44;

/// 16 kHz mono samples as a WAV file of 16 bit PCM.
#[must_use]
pub fn wav(samples: &[f32]) -> Vec<u8> {
    let data = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX - HEADER);
    let mut bytes = Vec::with_capacity(samples.len() * 2 + HEADER as usize);
    bytes.extend(b"RIFF");
    bytes.extend((data + HEADER - 8).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    // PCM, one channel
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(RATE.to_le_bytes());
    bytes.extend((RATE * 2).to_le_bytes());
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    for sample in samples {
        bytes.extend(((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes());
    }
    bytes
}

/// How loud the samples are in at most `most` stretches of equal length: the largest swing of each, 0 to 255.
#[must_use]
pub fn peaks(samples: &[f32], most: usize) -> Vec<u8> {
    let stretch = samples.len().div_ceil(most.max(1)).max(1);
    let loudest = |part: &[f32]| part.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    samples.chunks(stretch).map(|part| (loudest(part).min(1.0) * 255.0).round() as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::sound::{Limits, decode};

    #[test]
    fn our_own_decoder_reads_what_is_written() {
        let tone: Vec<f32> = (0..16_000).map(|n| (n as f32 * 0.17).sin() * 0.5).collect();
        let decoded = decode("a.wav", &wav(&tone), &Limits::default()).unwrap();
        assert_eq!((decoded.sound_ms, decoded.samples.len(), decoded.remark), (1000, 16_000, None));
    }

    #[test]
    fn the_picture_has_a_value_a_stretch_and_never_more_than_asked() {
        let mut samples = vec![0.0; 16_000];
        samples[15_999] = -2.0;
        let peaks = peaks(&samples, 1_000);
        assert_eq!((peaks.len(), peaks[0], peaks[999]), (1_000, 0, 255));
        assert!(super::peaks(&[], 1_000).is_empty());
        assert!(super::peaks(&vec![0.1; 16_001], 1_000).len() <= 1_000);
    }
}
