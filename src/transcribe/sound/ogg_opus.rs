//! Ogg Opus (RFC 7845) through the `ogg` and `opus` crates. The decoder gives 16 kHz mono itself, whatever was encoded.

use super::{Limits, Mono, RATE, Raw, SoundError, cap, check};
use ogg::PacketReader;
use opus::{Channels, Decoder};
use std::io::Cursor;

const WHAT: &str = "Opus";
/// Longest packet Opus knows: 120 ms.
const LONGEST: usize = RATE as usize * 120 / 1000;
/// Granule positions count at 48 kHz.
const PER_SAMPLE: u64 = 48_000 / RATE as u64;

/// Decodes an Ogg Opus file.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raw, SoundError> {
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let first = reader.read_packet().map_err(|error| damaged(&error))?;
    let first = first.ok_or_else(|| SoundError::NoSound { what: "an Ogg file".to_owned() })?;
    let (channels, skip) = head(&first.data)?;
    check(RATE, channels, limits)?;
    let mut decoder = Decoder::new(RATE, Channels::Mono).map_err(|error| damaged(&error))?;
    let mut mono = Mono::up_to(cap(RATE, limits).saturating_add(skip));
    let mut buffer = [0.0; LONGEST];
    let (mut bad, mut ended, mut end) = (0_u32, false, 0);
    while !mono.full() {
        // a page that fails its check sum ends the sound: what follows has no place in time
        let Ok(Some(packet)) = reader.read_packet() else { break };
        if packet.stream_serial() != first.stream_serial() || packet.data.starts_with(b"OpusTags") {
            continue;
        }
        match decoder.decode_float(&packet.data, &mut buffer, false) {
            Ok(count) => mono.add(&buffer[..count.min(LONGEST)], 1),
            Err(_) => bad += 1,
        }
        (ended, end) = (packet.last_in_stream(), packet.absgp_page());
        if ended {
            break;
        }
    }
    let mut samples = mono.samples;
    if ended && bad == 0 {
        samples.truncate(usize::try_from(end / PER_SAMPLE).unwrap_or(usize::MAX));
    }
    samples.drain(..skip.min(samples.len()));
    Ok(Raw { mono: samples, rate: RATE, channels, codec: WHAT, promised: None, remarks: remarks(bad, ended) })
}

fn remarks(bad: u32, ended: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    if bad > 0 {
        remarks.push(format!("{bad} damaged Opus packets were left out"));
    }
    if !ended {
        remarks.push("truncated: the stream has no end mark".to_owned());
    }
    remarks
}

/// Channels and pre-skip (in samples of ours) from the identification header.
fn head(packet: &[u8]) -> Result<(u16, usize), SoundError> {
    let broken = |why: String| SoundError::Header { what: WHAT, why };
    let &[b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', version, channels, low, high, ..] = packet else {
        return Err(broken("its first packet is not OpusHead".to_owned()));
    };
    if version > 15 || channels == 0 {
        return Err(broken(format!("it says version {version} and {channels} channels")));
    }
    let family = packet.get(18).copied().unwrap_or(0);
    if channels > 2 || family > 1 {
        return Err(SoundError::NotRead {
            what: format!("an Opus file of {channels} channels (mapping family {family}), which is not read"),
            remedy: "record in mono",
        });
    }
    let skip = u64::from(u16::from_le_bytes([low, high])) / PER_SAMPLE;
    Ok((u16::from(channels), usize::try_from(skip).unwrap_or(0)))
}

fn damaged(error: &dyn std::fmt::Display) -> SoundError {
    SoundError::Damaged { what: WHAT, why: error.to_string() }
}
