//! The proving seconds of a recording, as a sound of their own. Pure.

use std::ops::Range;

/// So much is heard before and after the words, seconds.
const MARGIN_S: f32 = 0.5;
const HEADER: usize = 44;

/// Why there is no clip.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// Not what the decoder hands out.
    #[error("not a WAV of 16 bit PCM")]
    NotPcm,
    /// The seconds lie outside the recording.
    #[error("the seconds lie outside the recording")]
    Outside,
}

/// The WAV's format, as far as it is needed.
struct Format {
    channels: u16,
    rate: u32,
}

impl Format {
    /// Bytes of one sample of all channels.
    fn block(&self) -> usize {
        usize::from(self.channels) * 2
    }
}

/// Cuts `from_s` to `until_s` out of a WAV of 16-bit PCM, with half a second before and behind, as a WAV of its own.
///
/// # Errors
/// Where it is no such WAV, or has nothing there.
pub fn cut(wav: &[u8], from_s: f32, until_s: f32) -> Result<Vec<u8>, ClipError> {
    let (format, data) = read(wav).ok_or(ClipError::NotPcm)?;
    if !(from_s.is_finite() && until_s.is_finite() && from_s <= until_s) {
        return Err(ClipError::Outside);
    }
    let (block, count) = (format.block(), data.len() / format.block());
    let sample = |seconds: f32| sample_at(seconds, format.rate).min(count);
    let (from, until) = (sample(from_s - MARGIN_S), sample(until_s + MARGIN_S));
    if sample(from_s) >= count || from >= until {
        return Err(ClipError::Outside);
    }
    Ok(written(&format, &data[from * block..until * block]))
}

/// Which sample is heard then: the first one for seconds before the beginning.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative, and a cast saturates")]
fn sample_at(seconds: f32, rate: u32) -> usize {
    (f64::from(seconds.max(0.0)) * f64::from(rate)).round() as usize
}

fn written(format: &Format, data: &[u8]) -> Vec<u8> {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let block = u16::try_from(format.block()).unwrap_or(u16::MAX);
    let mut wav = Vec::with_capacity(HEADER + data.len());
    wav.extend(b"RIFF");
    wav.extend(length(HEADER - 8 + data.len()));
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    wav.extend(1_u16.to_le_bytes());
    wav.extend(format.channels.to_le_bytes());
    wav.extend(format.rate.to_le_bytes());
    wav.extend(format.rate.saturating_mul(u32::from(block)).to_le_bytes());
    wav.extend(block.to_le_bytes());
    wav.extend(16_u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend(length(data.len()));
    wav.extend(data);
    wav
}

/// Format and samples; no length of a header is believed beyond the end.
fn read(wav: &[u8]) -> Option<(Format, &[u8])> {
    if wav.get(..4)? != b"RIFF" || wav.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut format) = (12, None);
    loop {
        let name = wav.get(at..at + 4)?;
        let length = usize::try_from(u32::from_le_bytes(wav.get(at + 4..at + 8)?.try_into().ok()?)).ok()?;
        let body = at + 8..(at + 8).saturating_add(length).min(wav.len());
        match name {
            b"fmt " => format = Some(pcm(wav.get(body.clone())?)?),
            b"data" => return Some((format?, samples(wav, body)?)),
            _ => {}
        }
        // chunks begin at even places
        at = (at + 8).checked_add(length)?.checked_add(length % 2)?;
    }
}

fn pcm(body: &[u8]) -> Option<Format> {
    let short = |at: usize| Some(u16::from_le_bytes(body.get(at..at + 2)?.try_into().ok()?));
    let rate = u32::from_le_bytes(body.get(4..8)?.try_into().ok()?);
    let channels = short(2)?;
    (short(0)? == 1 && short(14)? == 16 && channels > 0 && rate > 0).then_some(Format { channels, rate })
}

fn samples(wav: &[u8], body: Range<usize>) -> Option<&[u8]> {
    wav.get(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds, each sample its own number, with a chunk of odd length before the sound.
    fn ten_seconds(channels: u16) -> Vec<u8> {
        let format = Format { channels, rate: 100 };
        let samples = (0..1000_i16).flat_map(|nth| std::iter::repeat_n(nth, usize::from(channels)));
        let plain = written(&format, &samples.flat_map(i16::to_le_bytes).collect::<Vec<_>>());
        let mut wav = plain[..36].to_vec();
        wav.extend(b"LIST\x03\0\0\0abc\0");
        wav.extend(&plain[36..]);
        wav
    }

    fn heard(wav: &[u8]) -> (i16, i16, usize) {
        let (_, data) = read(wav).unwrap();
        let number = |at: usize| i16::from_le_bytes([data[at], data[at + 1]]);
        (number(0), number(data.len() - 2), data.len())
    }

    #[test]
    fn the_seconds_are_cut_out_with_half_a_second_around_them() {
        assert_eq!(heard(&cut(&ten_seconds(1), 3.0, 4.0).unwrap()), (250, 449, 400));
        assert_eq!(heard(&cut(&ten_seconds(2), 3.0, 4.0).unwrap()), (250, 449, 800));
    }

    #[test]
    fn a_clip_is_a_whole_wav_that_says_how_long_it_is() {
        let clip = cut(&ten_seconds(1), 3.0, 4.0).unwrap();
        assert_eq!(clip.len(), HEADER + 400);
        assert_eq!(u32::from_le_bytes(clip[4..8].try_into().unwrap()) as usize, clip.len() - 8);
        assert_eq!(u32::from_le_bytes(clip[40..44].try_into().unwrap()), 400);
        let mut reader = hound::WavReader::new(clip.as_slice()).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.duration()), (100, 200));
        assert_eq!(reader.samples::<i16>().next().unwrap().unwrap(), 250);
    }

    #[test]
    fn at_its_ends_a_recording_ends() {
        assert_eq!(heard(&cut(&ten_seconds(1), 0.2, 0.4).unwrap()), (0, 89, 180));
        assert_eq!(heard(&cut(&ten_seconds(1), 9.0, 99.0).unwrap()), (850, 999, 300));
        assert_eq!(heard(&cut(&ten_seconds(1), -5.0, 0.0).unwrap()).0, 0);
    }

    #[test]
    fn what_is_not_there_is_no_clip() {
        let wav = ten_seconds(1);
        for (from, until) in [(10.0, 11.0), (5.0, 4.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
            assert_eq!(cut(&wav, from, until), Err(ClipError::Outside), "{from} to {until}");
        }
    }

    #[test]
    fn no_bytes_panic_it() {
        let wav = ten_seconds(1);
        for length in 0..58 {
            assert!(cut(&wav[..length], 0.0, 1.0).is_err(), "{length} bytes");
        }
        for (at, value) in (0..60).flat_map(|at| [0, 1, 127, 255].map(|value| (at, value))) {
            let mut broken = wav.clone();
            broken[at] = value;
            drop(cut(&broken, 1.0, 2.0));
        }
        let mut endless = wav.clone();
        endless[52..56].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(heard(&cut(&endless, 3.0, 4.0).unwrap()).0, 250, "a length of no meaning means to the end");
    }
}
