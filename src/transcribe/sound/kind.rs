//! Which format a file is: its first bytes decide, its name only where a format has no mark.

use super::{SoundError, gsm};

/// A format that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// RIFF or RF64 WAVE.
    Wave,
    /// Raw GSM 06.10 frames.
    Gsm,
    /// Headerless µ-law.
    ULaw,
    /// Headerless A-law.
    ALaw,
    /// Headerless 16 bit little-endian samples (Asterisk `.sln`).
    Linear {
        /// Samples per second.
        rate: u32,
    },
    /// MPEG audio.
    Mp3,
    /// Ogg with Vorbis.
    Vorbis,
    /// Ogg with Opus.
    Opus,
}

const CONVERT: &str = "set the source to WAV, MP3 or Ogg, or convert the file";
const FETCH: &str = "that is no recording: look what the source really sends";

/// First bytes of what is known and not read: offset, bytes, what it is, what to do.
const FOREIGN: [(usize, &[u8], &str, &str); 19] = [
    (4, b"ftyp", "an MP4/M4A file, which is not read", CONVERT),
    (0, b"fLaC", "a FLAC file, which is not read", CONVERT),
    (0, b"#!AMR", "an AMR file, which is not read", CONVERT),
    (0, b"#!SILK", "a SILK file, which is not read", CONVERT),
    (0, b"FORM", "an AIFF file, which is not read", CONVERT),
    (0, b".snd", "a Sun AU file, which is not read", CONVERT),
    (0, b"caff", "an Apple CAF file, which is not read", CONVERT),
    (0, b"RIFX", "a big-endian WAV file, which is not read", CONVERT),
    (0, b"\x30\x26\xb2\x75", "a Windows Media file, which is not read", CONVERT),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska/WebM file, which is not read", CONVERT),
    (0, b"%PDF", "a PDF document", FETCH),
    (0, b"PK\x03\x04", "a ZIP archive", FETCH),
    (0, b"MZ", "a Windows program", FETCH),
    (0, b"\x7fELF", "a Linux program", FETCH),
    (0, b"\x1f\x8b", "a gzip archive", FETCH),
    (0, b"\x89PNG", "a picture", FETCH),
    (0, b"\xff\xd8\xff", "a picture", FETCH),
    (0, b"<", "a web page or XML", FETCH),
    (0, b"{", "JSON text", FETCH),
];

/// The format of a file.
pub(super) fn of(name: &str, bytes: &[u8]) -> Result<Kind, SoundError> {
    if bytes.is_empty() {
        return Err(SoundError::Empty);
    }
    if bytes.starts_with(b"RIFF") || bytes.starts_with(b"RF64") {
        return Ok(Kind::Wave);
    }
    if bytes.starts_with(b"OggS") {
        return in_ogg(bytes);
    }
    if bytes.starts_with(b"ID3") {
        return Ok(Kind::Mp3);
    }
    if let Some(kind) = headerless(name, bytes) {
        return Ok(kind);
    }
    if is_mp3(bytes) {
        return Ok(Kind::Mp3);
    }
    if is_gsm(bytes, 8) {
        return Ok(Kind::Gsm);
    }
    Err(foreign(bytes))
}

fn foreign(bytes: &[u8]) -> SoundError {
    let known = FOREIGN.iter().find(|(at, mark, ..)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
    if let Some((_, _, what, remedy)) = known {
        return SoundError::NotRead { what: (*what).to_owned(), remedy };
    }
    let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    SoundError::NotRead { what: format!("an unknown format (it begins with {})", start.join(" ")), remedy: CONVERT }
}

/// What the name says, for formats that have no mark of their own.
fn headerless(name: &str, bytes: &[u8]) -> Option<Kind> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    match ending.as_str() {
        "gsm" => is_gsm(bytes, 1).then_some(Kind::Gsm),
        "ulaw" | "ul" | "mulaw" | "mu" | "pcmu" => Some(Kind::ULaw),
        "alaw" | "al" | "pcma" => Some(Kind::ALaw),
        "sln" | "slin" => Some(Kind::Linear { rate: 8_000 }),
        "sln16" => Some(Kind::Linear { rate: 16_000 }),
        _ => None,
    }
}

/// Whether the file's frames carry the mark of GSM: at least `least` of them and all that are looked at.
fn is_gsm(bytes: &[u8], least: usize) -> bool {
    let frames = bytes.chunks_exact(gsm::RAW_BYTES).take(50);
    frames.len() >= least && frames.clone().all(gsm::is_frame)
}

/// Whether a plausible MPEG frame header stands at the beginning (layer III, no reserved values).
fn is_mp3(bytes: &[u8]) -> bool {
    let &[first, second, third, _, ..] = bytes else { return false };
    first == 0xff
        && second & 0xe0 == 0xe0
        && second & 0x18 != 0x08
        && second & 0x06 == 0x02
        && third & 0xf0 != 0xf0
        && third & 0xf0 != 0
        && third & 0x0c != 0x0c
}

/// The codec inside an Ogg file, from the first packet (it begins after the first page's segment table).
fn in_ogg(bytes: &[u8]) -> Result<Kind, SoundError> {
    let segments = bytes.get(26).copied().map_or(0, usize::from);
    let packet = bytes.get(27 + segments..).unwrap_or_default();
    if packet.starts_with(b"\x01vorbis") {
        return Ok(Kind::Vorbis);
    }
    if packet.starts_with(b"OpusHead") {
        return Ok(Kind::Opus);
    }
    let what = match packet {
        [b'S', b'p', b'e', b'e', b'x', ..] => "an Ogg file with Speex, which is not read",
        [0x7f, b'F', b'L', b'A', b'C', ..] => "an Ogg file with FLAC, which is not read",
        _ => "an Ogg file that begins with neither Vorbis nor Opus",
    };
    Err(SoundError::NotRead { what: what.to_owned(), remedy: CONVERT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide_against_the_name() {
        assert_eq!(of("a.mp3", b"RIFF\0\0\0\0WAVE"), Ok(Kind::Wave));
        assert_eq!(of("a.wav", &[0xff, 0xfb, 0x90, 0x00]), Ok(Kind::Mp3));
        assert_eq!(of("a.bin", &[0xd0; 330]), Ok(Kind::Gsm));
    }

    #[test]
    fn the_name_decides_where_there_is_no_mark() {
        assert_eq!(of("msg0000.ULAW", &[0xff, 0xfb, 0x90, 0x00]), Ok(Kind::ULaw));
        assert_eq!(of("x.alaw", &[0xd5; 9]), Ok(Kind::ALaw));
        assert_eq!(of("x.sln", &[0; 9]), Ok(Kind::Linear { rate: 8_000 }));
        assert_eq!(of("x.gsm", &[0xd0; 33]), Ok(Kind::Gsm));
    }

    #[test]
    fn what_is_no_sound_is_named() {
        for (bytes, word) in [
            (&b"<html><body>Login"[..], "web page"),
            (b"%PDF-1.4", "PDF"),
            (b"\0\0\0\x20ftypM4A ", "M4A"),
            (b"abcdefgh", "61 62 63"),
            (b"OggS", "neither Vorbis nor Opus"),
        ] {
            let error = of("x.wav", bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        assert_eq!(of("x.wav", b""), Err(SoundError::Empty));
    }
}
