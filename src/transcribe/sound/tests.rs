use super::*;
use crate::transcribe::speech::speech;
use hound::{SampleFormat, WavSpec, WavWriter};
use proptest::prelude::*;
use std::io::Cursor;

macro_rules! sample {
    ($name:literal) => {
        ($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sound/", $name)))
    };
}
const SHORT: [(&str, &[u8]); 9] = [
    sample!("short-pcm16.wav"),
    sample!("short-alaw.wav"),
    sample!("short-msgsm.WAV"),
    sample!("short.gsm"),
    sample!("short-id3.mp3"),
    sample!("short-stereo.mp3"),
    sample!("short-mp3-in.wav"),
    sample!("short-vorbis.ogg"),
    sample!("short-opus.ogg"),
];

fn read(name: &str, bytes: &[u8]) -> Result<Decoded, SoundError> {
    decode(name, bytes, &Limits::default())
}

/// A WAV of a 440 Hz tone, written by hound.
fn wav(spec: WavSpec, seconds: f32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
    for i in 0..(seconds * spec.sample_rate as f32) as u32 {
        let sample = (i as f32 * 440.0 * std::f32::consts::TAU / spec.sample_rate as f32).sin() * 0.2;
        for _ in 0..spec.channels {
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(sample).unwrap(),
                SampleFormat::Int => {
                    let scale = 2_f32.powi(i32::from(spec.bits_per_sample) - 1) - 1.0;
                    writer.write_sample((sample * scale) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn spec(rate: u32, channels: u16, bits: u16, format: SampleFormat) -> WavSpec {
    WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format }
}

fn pcm(seconds: f32) -> Vec<u8> {
    wav(spec(8_000, 1, 16, SampleFormat::Int), seconds)
}

#[test]
fn every_pcm_width_and_float_gives_the_same_sound() {
    let reference = read("a.wav", &pcm(1.0)).unwrap().samples;
    for (bits, format, name, channels) in [
        (8, SampleFormat::Int, "PCM 8 bit", 1),
        (24, SampleFormat::Int, "PCM 24 bit", 1),
        (32, SampleFormat::Int, "PCM 32 bit", 2),
        (32, SampleFormat::Float, "float 32 bit", 2),
        (16, SampleFormat::Int, "PCM 16 bit", 2),
    ] {
        let sound = read("a.wav", &wav(spec(8_000, channels, bits, format), 1.0)).unwrap();
        assert!(sound.format.starts_with(name), "{}", sound.format);
        assert_eq!(sound.samples.len(), 16_000);
        let apart = sound.samples.iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 0.01, "{name}: {apart}");
    }
}

#[test]
fn every_rate_becomes_16_khz_of_the_same_length_and_pitch() {
    for rate in [8_000, 8_001, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
        let sound = read("a.wav", &wav(spec(rate, 1, 16, SampleFormat::Int), 1.0)).unwrap();
        assert_eq!((sound.samples.len(), sound.sound_ms), (16_000, 1_000), "{rate}");
        let frame = spectrum::frames(&sound.samples)[25];
        assert!((frame.tones.0 - 440.0).abs() < 6.0 && frame.purity > 0.99, "{rate}: {frame:?}");
    }
}

#[test]
fn short_files_of_every_format_are_read_and_named() {
    let formats: Vec<String> = SHORT.iter().map(|(name, bytes)| read(name, bytes).unwrap().format).collect();
    assert_eq!(
        formats,
        [
            "PCM 16 bit, 8000 Hz, mono",
            "A-law, 8000 Hz, mono",
            "MS-GSM, 8000 Hz, mono",
            "GSM, 8000 Hz, mono",
            "MP3, 8000 Hz, mono",
            "MP3, 44100 Hz, stereo",
            "MP3 in WAV, 8000 Hz, mono",
            "Vorbis, 16000 Hz, mono",
            "Opus, 16000 Hz, mono",
        ]
    );
    for (name, bytes) in SHORT {
        let sound = read(name, bytes).unwrap();
        assert!((250..600).contains(&sound.sound_ms), "{name}: {} ms", sound.sound_ms);
        assert!(!speech(&sound.samples).is_empty(), "{name}");
        assert_eq!(sound.remark, None, "{name}");
    }
}

#[test]
fn the_name_helps_only_where_the_bytes_say_nothing() {
    let (_, alaw) = SHORT[1];
    let headerless = read("msg0000.alaw", &alaw[58..]).unwrap();
    assert_eq!(headerless.format, "A-law, 8000 Hz, mono");
    assert_eq!(read("msg0000.sln", &[1, 0, 2, 0]).unwrap().format, "PCM 16 bit, 8000 Hz, mono");
    assert!(matches!(read("msg0000.bin", &alaw[58..]), Err(SoundError::NotRead { .. })));
}

#[test]
fn a_cut_file_gives_what_is_there_and_says_so() {
    let bytes = pcm(2.0);
    let sound = read("a.wav", &bytes[..44 + 8_000]).unwrap();
    assert_eq!(sound.sound_ms, 500);
    assert_eq!(sound.remark.unwrap(), "truncated: the header promises 2.0 s, 0.5 s are there");
    let (_, opus) = SHORT[8];
    let remark = read("a.ogg", &opus[..opus.len() - 10]);
    assert!(remark.is_err() || remark.unwrap().remark.unwrap().contains("no end mark"));
}

#[test]
fn a_header_without_a_length_is_read_to_the_end() {
    for size in [0_u32, 0xffff_ffff, 0x7fff_ffff] {
        let mut bytes = pcm(1.0);
        bytes[40..44].copy_from_slice(&size.to_le_bytes());
        let sound = read("a.wav", &bytes).unwrap();
        assert_eq!(sound.sound_ms, 1_000);
        assert!(sound.remark.unwrap().contains("no length"));
    }
}

#[test]
fn extensible_headers_and_foreign_chunks_are_understood() {
    let bytes = pcm(0.5);
    let mut extensible = b"RIFF\0\0\0\0WAVEJUNK\x03\0\0\0abc\0fmt \x28\0\0\0\xfe\xff".to_vec();
    extensible.extend(&bytes[22..36]);
    extensible.extend([22, 0, 16, 0, 4, 0, 0, 0, 1, 0]);
    extensible.extend([0; 14]);
    extensible.extend(&bytes[36..]);
    assert_eq!(read("a.wav", &extensible).unwrap().samples, read("a.wav", &bytes).unwrap().samples);
}

#[test]
fn nonsense_in_a_header_is_named_with_a_remedy() {
    let broken = |at: usize, value: &[u8]| {
        let mut bytes = pcm(0.5);
        bytes[at..at + value.len()].copy_from_slice(value);
        read("a.wav", &bytes).unwrap_err().to_string()
    };
    for (error, words) in [
        (broken(22, &[0, 0]), "0 channels"),
        (broken(22, &[9, 0]), "9 channels is outside the allowed 2 channels"),
        (broken(32, &[0, 0]), "block of 0 bytes"),
        (broken(24, &[0, 0, 0, 0]), "sample rate of 0 Hz"),
        (broken(24, &[255, 255, 255, 255]), "sample rate of 4294967295 Hz"),
        (broken(20, &[0x11, 0]), "0x0011 (IMA ADPCM)"),
        (broken(20, &[0x31, 0]), "GSM in blocks of 2 bytes"),
        (broken(34, &[64, 0]), "64 bit in blocks of 2"),
        (broken(8, b"AVI "), "no WAVE"),
    ] {
        assert!(error.contains(words) && error.contains(';'), "{error}");
    }
}

#[test]
fn nothing_in_it_is_said_as_such() {
    assert_eq!(read("a.wav", b""), Err(SoundError::Empty));
    assert!(matches!(read("a.wav", &pcm(0.0)), Err(SoundError::NoSound { .. })));
    let mut tail = pcm(0.0);
    tail.extend(b"LIST\x04\0\0\0abcd");
    assert!(matches!(read("a.wav", &tail), Err(SoundError::NoSound { .. })));
}

#[test]
fn limits_hold_before_and_while_decoding() {
    let limits = Limits { max_seconds: 1, ..Limits::default() };
    let sound = decode("a.wav", &pcm(3.0), &limits).unwrap();
    assert_eq!((sound.samples.len(), sound.sound_ms), (16_000, 1_000));
    assert_eq!(sound.remark.unwrap(), "longer than 1 s: only the beginning was read");
    let small = Limits { max_bytes: 100, ..Limits::default() };
    assert!(matches!(decode("a.wav", &pcm(1.0), &small), Err(SoundError::TooLarge { max: 100, .. })));
    let none = Limits { max_seconds: 0, ..Limits::default() };
    for (name, bytes) in SHORT {
        assert!(decode(name, bytes, &none).is_err(), "{name}");
    }
}

#[test]
fn quiet_speech_is_raised_and_silence_and_noise_are_not() {
    let (_, alaw) = SHORT[1];
    let speech = read("a.wav", alaw).unwrap().samples;
    let mut quiet: Vec<f32> = speech.iter().map(|sample| sample * 0.05).collect();
    shape::normalise(&mut quiet);
    let apart = quiet.iter().zip(&speech).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 0.01, "{apart}");
    let mut silence = vec![1e-5; 16_000];
    shape::normalise(&mut silence);
    assert!(silence.iter().all(|&sample| sample < 2e-5));
    let mut state = 1_u32;
    let mut noise: Vec<f32> = (0..32_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32 / 65_536.0 * 0.02 - 0.01
        })
        .collect();
    let before = noise.clone();
    shape::normalise(&mut noise);
    assert_eq!(noise, before);
}

#[test]
fn a_constant_offset_is_removed() {
    let mut bytes = pcm(1.0);
    for pair in bytes[44..].chunks_exact_mut(2) {
        let shifted = i16::from_le_bytes([pair[0], pair[1]]) + 9_000;
        pair.copy_from_slice(&shifted.to_le_bytes());
    }
    let apart = read("a.wav", &bytes).unwrap().samples;
    let plain = read("a.wav", &pcm(1.0)).unwrap().samples;
    assert!(apart.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 0.01));
}

#[test]
fn cut_at_any_byte_no_file_panics() {
    for (name, bytes) in SHORT {
        for end in 0..bytes.len() {
            if let Ok(sound) = read(name, &bytes[..end]) {
                assert!(!sound.samples.is_empty() && sound.sound_ms < 1_000, "{name} at {end}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_or_leave_the_range(
        start in prop::sample::select(vec![
            &b""[..], b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", b"OggS\0\x02", b"ID3\x03\0\0\0\0\0\0", b"\xff\xfb\x90\0", b"\xd0",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..3_000),
        name in prop::sample::select(vec!["a", "a.gsm", "a.ulaw", "a.sln"]),
    ) {
        let bytes = [start, &rest].concat();
        if let Ok(sound) = read(name, &bytes) {
            prop_assert!(sound.samples.iter().all(|sample| sample.abs() <= 1.0));
        }
    }

    #[test]
    fn no_change_to_a_real_file_panics(
        which in 0..SHORT.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        early in any::<bool>(),
    ) {
        let (name, bytes) = SHORT[which];
        let mut bytes = bytes.to_vec();
        let reach = if early { bytes.len().min(128) } else { bytes.len() };
        for (index, value) in changes {
            bytes[index.index(reach)] = value;
        }
        if let Ok(sound) = read(name, &bytes) {
            prop_assert!(sound.samples.iter().all(|sample| sample.abs() <= 1.0));
            prop_assert!(sound.samples.len() <= 16_000 * 600 + 1_000);
        }
    }
}
