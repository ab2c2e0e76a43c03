//! MP3 and Ogg Vorbis, through symphonia. The readers are named directly: nothing is probed, tags and pictures are
//! stepped over without being read. A decoder that panics (it is given hostile bytes) counts as damaged sound.

use super::{Limits, Mono, Raw, SoundError, cap, check};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::default::formats::{MpaReader, OggReader};

/// Decodes MPEG audio.
pub(super) fn mp3(bytes: &[u8], limits: &Limits) -> Result<Raw, SoundError> {
    guarded("MP3", || {
        let stream = source(without_tag(bytes));
        let reader = MpaReader::try_new(stream, FormatOptions::default()).map_err(|error| damaged("MP3", &error))?;
        decode("MP3", Box::new(reader), limits)
    })
}

/// Decodes Ogg Vorbis.
pub(super) fn vorbis(bytes: &[u8], limits: &Limits) -> Result<Raw, SoundError> {
    guarded("Vorbis", || {
        let stream = source(bytes);
        let reader = OggReader::try_new(stream, FormatOptions::default()).map_err(|error| damaged("Vorbis", &error))?;
        decode("Vorbis", Box::new(reader), limits)
    })
}

fn source(bytes: &[u8]) -> MediaSourceStream<'static> {
    MediaSourceStream::new(Box::new(Cursor::new(bytes.to_vec())), MediaSourceStreamOptions::default())
}

fn guarded(what: &'static str, work: impl FnOnce() -> Result<Raw, SoundError>) -> Result<Raw, SoundError> {
    let gave_up = |_| Err(SoundError::Damaged { what, why: "the decoder gave up".to_owned() });
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(gave_up)
}

/// Steps over an `ID3v2` tag (title, pictures), whose size is written in four bytes of seven bits.
fn without_tag(bytes: &[u8]) -> &[u8] {
    let Some(&[b'I', b'D', b'3', _, _, flags, a, b, c, d]) = bytes.first_chunk::<10>() else { return bytes };
    let size = [a, b, c, d].iter().fold(0_usize, |size, &seven| size << 7 | usize::from(seven & 0x7f));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    bytes.get(10 + size + footer..).unwrap_or_default()
}

fn decode(what: &'static str, mut reader: Box<dyn FormatReader + '_>, limits: &Limits) -> Result<Raw, SoundError> {
    let missing = || SoundError::NoSound { what: format!("{what} file") };
    let track = reader.default_track(TrackType::Audio).ok_or_else(missing)?;
    let (track_id, promised) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|all| all.audio()).ok_or_else(missing)?;
    if let Some(rate) = parameters.sample_rate {
        let channels = parameters.channels.as_ref().map_or(1, symphonia::core::audio::Channels::count);
        check(rate, u16::try_from(channels).unwrap_or(u16::MAX), limits)?;
    }
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| damaged(what, &error))?;
    let mut sound = Sound { mono: Mono::up_to(0), rate: 0, channels: 0 };
    let (mut buffer, mut bad) = (Vec::<f32>::new(), 0_u32);
    let mut cut = false;
    while !sound.full() {
        let packet = match reader.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(_) => {
                cut = true;
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(audio) => {
                let (rate, channels) = (audio.spec().rate(), audio.spec().channels().count());
                if !sound.fits(rate, channels, limits)? {
                    cut = true;
                    break;
                }
                audio.copy_to_vec_interleaved(&mut buffer);
                sound.mono.add(&buffer, channels);
            }
            Err(Error::DecodeError(_)) => bad += 1,
            Err(_) => {
                cut = true;
                break;
            }
        }
    }
    Ok(sound.into_raw(what, promised, bad, cut))
}

/// The sound so far; rate and channels are those of the first packet.
struct Sound {
    mono: Mono,
    rate: u32,
    channels: usize,
}

impl Sound {
    fn full(&self) -> bool {
        self.rate > 0 && self.mono.full()
    }

    /// Whether a packet continues the sound; the first one sets its form.
    fn fits(&mut self, rate: u32, channels: usize, limits: &Limits) -> Result<bool, SoundError> {
        if self.rate == 0 {
            check(rate, u16::try_from(channels).unwrap_or(u16::MAX), limits)?;
            (self.rate, self.channels) = (rate, channels);
            self.mono = Mono::up_to(cap(rate, limits));
        }
        Ok(self.rate == rate && self.channels == channels)
    }

    fn into_raw(self, codec: &'static str, promised: Option<u64>, bad: u32, cut: bool) -> Raw {
        let there = self.mono.samples.len() as u64;
        let rate = self.rate.max(1);
        // the encoder's padding at both ends is not missing sound
        let short = promised.filter(|&frames| there > 0 && there + u64::from(rate) / 5 < frames);
        let mut remarks = Vec::new();
        if bad > 0 {
            remarks.push(format!("{bad} damaged {codec} packets were left out"));
        }
        if cut {
            remarks.push(format!("damaged after {:.1} s: the rest was left out", there as f64 / f64::from(rate)));
        }
        Raw {
            mono: self.mono.samples,
            rate,
            channels: u16::try_from(self.channels).unwrap_or(u16::MAX),
            codec,
            promised: short.map(|frames| frames as f64 / f64::from(rate)),
            remarks,
        }
    }
}

fn damaged(what: &'static str, error: &Error) -> SoundError {
    SoundError::Damaged { what, why: error.to_string() }
}
