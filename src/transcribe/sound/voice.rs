//! Samples become the Ogg/Opus file a chat plays as a voice message (RFC 7845).

use super::{RATE, SoundError};
use ogg::PacketWriter;
use ogg::writing::PacketWriteEndInfo;
use opus::{Application, Bitrate, Channels, Encoder, Signal};

/// Samples of a packet: 20 ms.
const FRAME: usize = RATE as usize / 50;
/// Granule positions count at 48 kHz.
const PER_SAMPLE: u64 = 48_000 / RATE as u64;
/// Enough for voice in wide band.
const BITRATE: i32 = 24_000;
/// The encoder's quickest search: a fifth of the default's CPU, for telephone speech at a generous bit rate, and the first
/// word must be quick.
const COMPLEXITY: i32 = 0;
/// A page every second, as players expect.
const PACKETS_A_PAGE: usize = 50;
/// Largest packet RFC 6716 knows for one frame.
const LARGEST: usize = 1_275;
/// One logical stream, so any number will do.
const SERIAL: u32 = 1;

/// Makes a voice message of 16 kHz mono samples: about 24 kbit/s, packets of 20 ms.
///
/// # Errors
/// [`SoundError::NoSound`] for no samples, [`SoundError::Encode`] where the encoder refuses.
pub fn voice_message(samples: &[f32]) -> Result<Vec<u8>, SoundError> {
    if samples.is_empty() {
        return Err(SoundError::NoSound { what: "a sound of length 0".to_owned() });
    }
    let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip).map_err(failed)?;
    encoder.set_bitrate(Bitrate::Bits(BITRATE)).map_err(failed)?;
    encoder.set_complexity(COMPLEXITY).map_err(failed)?;
    encoder.set_signal(Signal::Voice).map_err(failed)?;
    let delay = usize::try_from(encoder.get_lookahead().map_err(failed)?).unwrap_or(0);
    let mut writer = PacketWriter::new(Vec::new());
    writer.write_packet(head(delay), SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(failed)?;
    writer.write_packet(tags(), SERIAL, PacketWriteEndInfo::EndPage, 0).map_err(failed)?;
    // the decoder gives everything late by the encoder's delay, so as much silence is encoded after the end
    let packets = (samples.len() + delay).div_ceil(FRAME);
    let whole = (samples.len() + delay) as u64 * PER_SAMPLE;
    for index in 0..packets {
        let rest = samples.get(index * FRAME..).unwrap_or_default();
        let mut frame = [0.0; FRAME];
        let there = rest.len().min(FRAME);
        frame[..there].copy_from_slice(&rest[..there]);
        let packet = encoder.encode_vec_float(&frame, LARGEST).map_err(failed)?;
        let end = if index + 1 == packets {
            PacketWriteEndInfo::EndStream
        } else if (index + 1) % PACKETS_A_PAGE == 0 {
            PacketWriteEndInfo::EndPage
        } else {
            PacketWriteEndInfo::NormalPacket
        };
        let position = (((index + 1) * FRAME) as u64 * PER_SAMPLE).min(whole);
        writer.write_packet(packet, SERIAL, end, position).map_err(failed)?;
    }
    Ok(writer.into_inner())
}

/// Identification header: version 1, mono, pre-skip, input rate, no gain, mapping family 0.
fn head(delay: usize) -> Vec<u8> {
    let skip = u16::try_from(delay as u64 * PER_SAMPLE).unwrap_or(u16::MAX);
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(skip.to_le_bytes());
    head.extend(RATE.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

/// Comment header: the vendor, no comments.
fn tags() -> Vec<u8> {
    const VENDOR: &[u8; 10] = b"nachtwache";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((VENDOR.len() as u32).to_le_bytes());
    tags.extend(VENDOR);
    tags.extend(0_u32.to_le_bytes());
    tags
}

fn failed(error: impl std::fmt::Display) -> SoundError {
    SoundError::Encode(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcribe::sound::{Limits, decode};

    #[test]
    fn a_voice_message_is_as_long_as_the_sound_to_the_sample() {
        for length in [1, 319, 320, 16_000, 50_001] {
            let samples: Vec<f32> = (0..length).map(|i| (i as f32 * 0.2).sin() * 0.3).collect();
            let message = voice_message(&samples).unwrap();
            let again = decode("voice.ogg", &message, &Limits::default()).unwrap();
            assert_eq!(again.samples.len(), samples.len());
            assert_eq!(again.remark, None);
            assert_eq!(again.format, "Opus, 16000 Hz, mono");
        }
    }

    #[test]
    fn no_sound_makes_no_voice_message() {
        assert!(matches!(voice_message(&[]), Err(SoundError::NoSound { .. })));
    }
}
