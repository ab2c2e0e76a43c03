//! WAV files as telephone systems write them: PCM, float, A-law, µ-law, GSM 6.10 and MP3 inside RIFF.
//!
//! A size of 0, of 0xFFFFFFFF or beyond the end means "to the end of the file": the writer died, was a pipe, or the
//! file was cut. All arithmetic is on slices that exist; no size from a header ever allocates.

use super::law::Law;
use super::{Limits, Mono, Raw, SoundError, cap, check, compressed, gsm};

/// Sizes from here on are written by programs that did not know the length.
const NO_LENGTH: usize = 0x7fff_0000;
const CODECS: &str = "set the recorder to PCM, A-law, \u{b5}-law, GSM 6.10 or MP3, or convert the file";

/// The `fmt ` chunk.
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    block: usize,
    bits: u16,
}

/// The sound of a WAV and what was promised.
struct Wave<'a> {
    format: Format,
    data: &'a [u8],
    /// Bytes the header promises, where it promises more than there are.
    promised: Option<usize>,
    /// The header gives no length.
    endless: bool,
}

/// Decodes a whole WAV file.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Raw, SoundError> {
    let wave = parse(bytes)?;
    let Format { channels, rate, .. } = wave.format;
    if channels == 0 {
        return Err(header("it says 0 channels"));
    }
    check(rate, channels, limits)?;
    let (codec, per_block, mono) = samples(&wave, limits)?;
    let block = wave.format.block;
    let promised = wave.promised.map(|size| (size / block * per_block) as f64 / f64::from(rate));
    let mut remarks = Vec::new();
    if wave.endless {
        remarks.push("the header gives no length: read to the end of the file".to_owned());
    }
    Ok(Raw { mono, rate, channels, codec, promised, remarks })
}

/// A headerless file of 16 bit little-endian mono samples.
pub(super) fn decode_linear(bytes: &[u8], rate: u32, limits: &Limits) -> Result<Raw, SoundError> {
    check(rate, 1, limits)?;
    let mono = frames(bytes, 2, 1, cap(rate, limits), &|sample| integer(sample));
    Ok(Raw { mono, rate, channels: 1, codec: "PCM 16 bit", promised: None, remarks: Vec::new() })
}

/// Codec name, samples per block and channel, and the mono samples.
fn samples(wave: &Wave<'_>, limits: &Limits) -> Result<(&'static str, usize, Vec<f32>), SoundError> {
    let Format { tag, channels, rate, block, bits } = wave.format;
    if block == 0 {
        return Err(header("it says a block of 0 bytes (block align)"));
    }
    let most = cap(rate, limits);
    let count = usize::from(channels);
    match tag {
        1 | 3 => {
            let width = block / count;
            let read = sample_reader(tag, width).filter(|_| block % count == 0 && usize::from(bits) <= width * 8);
            let (codec, read) = read.ok_or_else(|| {
                header(&format!("it says {bits} bit in blocks of {block} bytes for {channels} channels (tag {tag})"))
            })?;
            Ok((codec, 1, frames(wave.data, width, count, most, read)))
        }
        6 | 7 => {
            let law = if tag == 6 { Law::A } else { Law::Mu };
            let read = |byte: &[u8]| f32::from(law.expand(byte[0])) / 32_768.0;
            Ok((law.name(), block.div_ceil(count), frames(wave.data, 1, count, most, &read)))
        }
        0x31 if block == gsm::BLOCK_BYTES && channels == 1 => {
            Ok(("MS-GSM", 2 * gsm::FRAME, gsm::decode_blocks(wave.data, limits)))
        }
        0x31 => Err(header(&format!("GSM in blocks of {block} bytes and {channels} channels instead of 65 and 1"))),
        0x55 => {
            let raw = compressed::mp3(wave.data, limits)?;
            // the length of MP3 does not follow from its bytes
            Ok(("MP3 in WAV", 0, raw.mono))
        }
        _ => Err(SoundError::NotRead {
            what: format!("a WAV file with codec tag 0x{tag:04X} ({}), which is not read", codec_name(tag)),
            remedy: CODECS,
        }),
    }
}

fn codec_name(tag: u16) -> &'static str {
    match tag {
        0x02 => "MS ADPCM",
        0x11 => "IMA ADPCM",
        0x22 => "TrueSpeech",
        0x40 | 0x45 | 0x64 => "G.726 ADPCM",
        0x42 => "G.723.1",
        0x50 => "MPEG layer I or II",
        0x65 => "G.722",
        0x83 => "G.729",
        0xff => "AAC",
        0xa109 => "Speex",
        _ => "unknown",
    }
}

type Reader = &'static (dyn Fn(&[u8]) -> f32 + Sync);

/// The reader of one PCM or float sample of `width` bytes.
fn sample_reader(tag: u16, width: usize) -> Option<(&'static str, Reader)> {
    Some(match (tag, width) {
        (1, 1) => ("PCM 8 bit", &|bytes| (f32::from(bytes[0]) - 128.0) / 128.0),
        (1, 2) => ("PCM 16 bit", &integer),
        (1, 3) => ("PCM 24 bit", &integer),
        (1, 4) => ("PCM 32 bit", &integer),
        (3, 4) => ("float 32 bit", &|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])),
        (3, 8) => ("float 64 bit", &|bytes| {
            let mut wide = [0; 8];
            wide.copy_from_slice(bytes);
            f64::from_le_bytes(wide) as f32
        }),
        _ => return None,
    })
}

/// A signed little-endian integer of 2 to 4 bytes as a fraction of full scale.
fn integer(bytes: &[u8]) -> f32 {
    let mut top = [0; 4];
    top[4 - bytes.len()..].copy_from_slice(bytes);
    i32::from_le_bytes(top) as f32 / 2_147_483_648.0
}

/// Whole frames of `count` samples of `width` bytes, as mono.
fn frames(data: &[u8], width: usize, count: usize, most: usize, read: &dyn Fn(&[u8]) -> f32) -> Vec<f32> {
    let mut mono = Mono::up_to(most);
    let mut frame = vec![0.0; count];
    for bytes in data.chunks_exact(width * count) {
        if mono.full() {
            break;
        }
        for (sample, bytes) in frame.iter_mut().zip(bytes.chunks_exact(width)) {
            *sample = read(bytes);
        }
        mono.add(&frame, count);
    }
    mono.samples
}

/// Walks the chunks to `fmt ` and `data`.
fn parse(bytes: &[u8]) -> Result<Wave<'_>, SoundError> {
    match bytes.get(8..12) {
        Some(b"WAVE") => {}
        Some(_) => {
            return Err(SoundError::NotRead { what: "a RIFF file that is no WAVE".to_owned(), remedy: CODECS });
        }
        None => return Err(cut_off(bytes)),
    }
    let mut format = None;
    let mut at = 12;
    while let (Some(id), Some(size)) = (bytes.get(at..at + 4), word(bytes, at + 4)) {
        let body = bytes.get(at + 8..).unwrap_or_default();
        let size = size as usize;
        match (id, format.take()) {
            (b"data", Some(found)) => return Ok(sound(found, body, size)),
            (b"data", None) => return Err(header("its sound stands before its fmt chunk")),
            (b"fmt ", _) => format = Some(fmt(&body[..size.min(body.len())]).ok_or_else(|| cut_off(bytes))?),
            (_, earlier) => format = earlier,
        }
        at = at.saturating_add(8).saturating_add(size).saturating_add(size & 1);
    }
    match format {
        Some(_) => Err(SoundError::NoSound { what: "a WAV header".to_owned() }),
        None => Err(cut_off(bytes)),
    }
}

fn sound(format: Format, body: &[u8], size: usize) -> Wave<'_> {
    if size == 0 && is_chunk_to_the_end(body) {
        return Wave { format, data: &[], promised: None, endless: false };
    }
    let endless = size == 0 || size >= NO_LENGTH;
    let data = if endless { body } else { &body[..size.min(body.len())] };
    let promised = (!endless && size > body.len()).then_some(size);
    Wave { format, data, promised, endless: endless && !body.is_empty() }
}

/// Whether an empty recording is followed by a well-formed chunk (then its size of 0 is meant so).
fn is_chunk_to_the_end(body: &[u8]) -> bool {
    let known = [b"LIST", b"fact", b"bext", b"id3 ", b"cue ", b"PEAK"].iter().any(|id| body.starts_with(*id));
    known && word(body, 4).is_some_and(|size| (size as usize).saturating_add(8) <= body.len())
}

/// The `fmt ` chunk: 16 bytes are enough, extensible ones carry the real tag at 24.
fn fmt(chunk: &[u8]) -> Option<Format> {
    let tag = match half(chunk, 0)? {
        0xfffe => half(chunk, 24)?,
        tag => tag,
    };
    Some(Format {
        tag,
        channels: half(chunk, 2)?,
        rate: word(chunk, 4)?,
        block: usize::from(half(chunk, 12)?),
        bits: half(chunk, 14)?,
    })
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

fn header(why: &str) -> SoundError {
    SoundError::Header { what: "WAV", why: why.to_owned() }
}

fn cut_off(bytes: &[u8]) -> SoundError {
    header(&format!("the file ends after {} bytes, before its format is known", bytes.len()))
}
