//! Bytes of a sound file become 16 kHz mono samples. Pure: bytes in, values out.
//!
//! Promises: every format a German telephone system, mailbox mail or provider is known to write is read (WAV with PCM,
//! A-law, µ-law, GSM 6.10 or MP3 inside, raw GSM, headerless law files, MP3, Ogg Vorbis, Ogg Opus); what is cut off is
//! read as far as it goes and said so in `remark`; no bytes make it panic or take memory out of proportion.
//! Can go wrong: see [`SoundError`], whose text says what was found and what to do.
//!
//! The WAV reader is our own because the public ones refuse what telephone systems really write: a `fmt ` chunk of 16
//! bytes with A-law (FRITZ!Box), codec 0x31 (Asterisk wav49), sizes of 0 or 0xFFFFFFFF (the writer died or was piped).

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "signal arithmetic: counts stay below 2^25, fractions index sorted levels, rounding is meant"
)]

pub mod plain;
pub mod spectrum;
pub mod tones;
pub mod voice;
pub mod voicing;

mod compressed;
mod gsm;
mod kind;
mod law;
mod ogg_opus;
mod riff;
mod shape;

use self::kind::Kind;

/// Sample rate of everything that is handed out, in Hz.
pub const RATE: u32 = 16_000;

/// What is refused before any decoding, and where decoding stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest file in bytes.
    pub max_bytes: u64,
    /// Longest sound in seconds; what is longer is cut there, with a remark.
    pub max_seconds: u32,
    /// Most channels.
    pub max_channels: u16,
    /// Lowest sample rate in Hz.
    pub min_rate: u32,
    /// Highest sample rate in Hz.
    pub max_rate: u32,
}

impl Default for Limits {
    /// 30 MiB, 10 minutes, 2 channels, 6 to 48 kHz (telephony is 8 kHz; some recorders write a little less).
    fn default() -> Self {
        Self { max_bytes: 30 * 1024 * 1024, max_seconds: 600, max_channels: 2, min_rate: 6_000, max_rate: 48_000 }
    }
}

/// A decoded sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// 16 kHz mono, free of DC, level normalised, within ±1.
    pub samples: Vec<f32>,
    /// Length in milliseconds.
    pub sound_ms: u32,
    /// What it was: codec, sample rate, channels ("MS-GSM, 8000 Hz, mono").
    pub format: String,
    /// What the admin should know about the file ("truncated: the header promises 12.0 s, 3.2 s are there").
    pub remark: Option<String>,
}

/// Why a sound could not be decoded (or a voice message not made). The text names no file: the caller adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// More bytes than allowed.
    #[error("the file has {bytes} bytes, more than the allowed {max}; shorten the recording time at the source")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// No byte at all.
    #[error("the file is empty; the recording was not written or not fetched whole: fetch it again from the source")]
    Empty,
    /// A sound format without any sound in it.
    #[error("{what} without any sound in it; the caller hung up at once or the recording was still being written")]
    NoSound {
        /// The format.
        what: String,
    },
    /// Not a sound, or a format that is not read.
    #[error("{what}; {remedy}")]
    NotRead {
        /// What was found.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A sound format whose header makes no sense.
    #[error("broken {what} header: {why}; fetch the file again or listen to the original at the source")]
    Header {
        /// The format.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A value outside the limits.
    #[error("{what} is outside the allowed {allowed}; set the recorder to a telephone format (8 or 16 kHz, mono)")]
    Limit {
        /// The value found.
        what: String,
        /// What is allowed.
        allowed: String,
    },
    /// The decoder gave up before the first sound.
    #[error("damaged {what}: {why}; fetch the file again or listen to the original at the source")]
    Damaged {
        /// The format.
        what: &'static str,
        /// The decoder's words.
        why: String,
    },
    /// The voice message for the chat could not be made.
    #[error("could not make the Opus voice message: {0}; send the original file instead")]
    Encode(String),
}

/// What a format's reader hands over: mono at its own rate.
struct Raw {
    mono: Vec<f32>,
    rate: u32,
    channels: u16,
    codec: &'static str,
    /// Seconds the file promised, where it did and holds less.
    promised: Option<f64>,
    /// Anything else worth saying.
    remarks: Vec<String>,
}

/// Decodes a sound file of any known format. `name` is only a hint for headerless files (`.gsm`, `.ulaw`, `.alaw`,
/// `.sln`); everywhere else the first bytes decide.
///
/// # Errors
/// [`SoundError`] where there is no sound to be had; never for a file that is merely cut off.
pub fn decode(name: &str, bytes: &[u8], limits: &Limits) -> Result<Decoded, SoundError> {
    let size = bytes.len() as u64;
    if size > limits.max_bytes {
        return Err(SoundError::TooLarge { bytes: size, max: limits.max_bytes });
    }
    let raw = match kind::of(name, bytes)? {
        Kind::Wave => riff::decode(bytes, limits)?,
        Kind::Gsm => gsm::decode_raw(bytes, limits),
        Kind::ULaw => law::decode_raw(bytes, law::Law::Mu, limits),
        Kind::ALaw => law::decode_raw(bytes, law::Law::A, limits),
        Kind::Linear { rate } => riff::decode_linear(bytes, rate, limits)?,
        Kind::Mp3 => compressed::mp3(bytes, limits)?,
        Kind::Vorbis => compressed::vorbis(bytes, limits)?,
        Kind::Opus => ogg_opus::decode(bytes, limits)?,
    };
    finish(raw, limits)
}

fn finish(raw: Raw, limits: &Limits) -> Result<Decoded, SoundError> {
    if raw.mono.is_empty() {
        return Err(SoundError::NoSound { what: format!("{} sound", raw.codec) });
    }
    let seconds = raw.mono.len() as f64 / f64::from(raw.rate);
    let format = format!("{}, {} Hz, {}", raw.codec, raw.rate, channel_word(raw.channels));
    let mut remarks = raw.remarks;
    if raw.mono.len() >= cap(raw.rate, limits) {
        remarks.push(format!("longer than {} s: only the beginning was read", limits.max_seconds));
    } else if let Some(promised) = raw.promised {
        remarks.push(format!("truncated: the header promises {promised:.1} s, {seconds:.1} s are there"));
    }
    let mut samples = shape::resample(shape::without_dc(raw.mono), raw.rate)?;
    shape::normalise(&mut samples);
    Ok(Decoded {
        samples,
        sound_ms: (seconds * 1000.0).round() as u32,
        format,
        remark: (!remarks.is_empty()).then(|| remarks.join("; ")),
    })
}

fn channel_word(channels: u16) -> String {
    match channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    }
}

/// Most mono samples at `rate` that are decoded.
fn cap(rate: u32, limits: &Limits) -> usize {
    usize::try_from(u64::from(rate) * u64::from(limits.max_seconds)).unwrap_or(usize::MAX)
}

/// Refuses channel counts and rates outside the limits, before any decoding.
fn check(rate: u32, channels: u16, limits: &Limits) -> Result<(), SoundError> {
    if channels > limits.max_channels {
        return Err(SoundError::Limit {
            what: format!("a sound of {channels} channels"),
            allowed: format!("{} channels", limits.max_channels),
        });
    }
    if rate < limits.min_rate || rate > limits.max_rate {
        return Err(SoundError::Limit {
            what: format!("a sample rate of {rate} Hz"),
            allowed: format!("{} to {} Hz", limits.min_rate, limits.max_rate),
        });
    }
    Ok(())
}

/// Collects mono samples up to a cap, so that no file makes more of itself than the limits allow.
struct Mono {
    samples: Vec<f32>,
    cap: usize,
}

impl Mono {
    fn up_to(cap: usize) -> Self {
        Self { samples: Vec::new(), cap }
    }

    fn full(&self) -> bool {
        self.samples.len() >= self.cap
    }

    /// Adds interleaved frames of `channels` samples as their mean. Floats out of any reason become silence.
    fn add(&mut self, interleaved: &[f32], channels: usize) {
        let room = self.cap.saturating_sub(self.samples.len());
        if channels == 1 {
            return self.samples.extend(interleaved.iter().take(room).copied().map(sane));
        }
        let share = 1.0 / channels.max(1) as f32;
        let frames = interleaved.chunks_exact(channels.max(1)).take(room);
        self.samples.extend(frames.map(|frame| sane(frame.iter().sum::<f32>() * share)));
    }
}

fn sane(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-4.0, 4.0) } else { 0.0 }
}

#[cfg(test)]
mod tests;
