//! Sounds from real telephone systems and the sample recordings, from their bytes to what is certain about them.

use nachtwache::domain::transcript::Doubt;
use nachtwache::transcribe::chunks::chunks;
use nachtwache::transcribe::doubt::of_sound;
use nachtwache::transcribe::sound::voice::voice_message;
use nachtwache::transcribe::sound::{Decoded, Limits, RATE, SoundError, decode};
use nachtwache::transcribe::speech::speech;
use std::path::Path;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn bytes(folder: &str, name: &str) -> Vec<u8> {
    std::fs::read(Path::new(DATA).join(folder).join(name)).unwrap()
}

fn sound(name: &str) -> Result<Decoded, SoundError> {
    decode(name, &bytes("sound", name), &Limits::default())
}

/// The manifest's lines: file, seconds, whether somebody speaks.
fn recordings() -> Vec<(String, f64, bool)> {
    let manifest = String::from_utf8(bytes("recordings", "manifest.jsonl")).unwrap();
    let entry = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let spoken = !entry["text"].as_str().unwrap().is_empty();
        (entry["file"].as_str().unwrap().to_owned(), entry["seconds"].as_f64().unwrap(), spoken)
    };
    manifest.lines().map(entry).collect()
}

/// Greatest likeness of two sounds over small shifts, 1 for the same.
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let most = (dot(a, a) * dot(b, b)).sqrt();
    (0..200).map(|shift| dot(&a[shift..], b) / most).fold(0.0, f32::max)
}

#[test]
fn what_telephone_systems_write_is_read_as_the_same_sound() {
    let reference = sound("pcm16-8k.wav").unwrap();
    for (name, format) in [
        ("alaw-8k-fmt18.wav", "A-law, 8000 Hz, mono"),
        ("fritz-alaw-8k-fmt16.wav", "A-law, 8000 Hz, mono"),
        ("mulaw-8k-fmt16.wav", "\u{b5}-law, 8000 Hz, mono"),
        ("mulaw-8k-fmt18.wav", "\u{b5}-law, 8000 Hz, mono"),
        ("pcm16-16k.wav", "PCM 16 bit, 16000 Hz, mono"),
        ("pcm16-8k-size0.wav", "PCM 16 bit, 8000 Hz, mono"),
        ("pcm16-8k-sizeffffffff.wav", "PCM 16 bit, 8000 Hz, mono"),
        ("gsm0610.gsm", "GSM, 8000 Hz, mono"),
        ("msgsm-0031.WAV", "MS-GSM, 8000 Hz, mono"),
    ] {
        let sound = sound(name).unwrap();
        assert_eq!(sound.format, format, "{name}");
        assert!(sound.sound_ms.abs_diff(reference.sound_ms) <= 20, "{name}: {} ms", sound.sound_ms);
        let alike = likeness(&sound.samples, &reference.samples);
        assert!(alike > 0.9, "{name}: {alike}");
    }
}

#[test]
fn a_file_cut_off_within_its_header_is_an_error_that_says_so() {
    let error = sound("truncated.wav").unwrap_err().to_string();
    assert!(error.contains("ends after 30 bytes") && error.contains("fetch the file again"), "{error}");
}

#[test]
fn every_sample_recording_has_its_length_and_its_certain_doubt() {
    let mut count = 0;
    for (name, seconds, spoken) in recordings() {
        let sound = decode(&name, &bytes("recordings", &name), &Limits::default()).unwrap();
        assert!((f64::from(sound.sound_ms) / 1000.0 - seconds).abs() < 0.3, "{name}: {} ms", sound.sound_ms);
        assert_eq!(sound.remark, None, "{name}");
        let stretches = speech(&sound.samples);
        let doubt = of_sound(&sound.samples, &stretches);
        if spoken {
            assert_eq!(doubt, None, "{name}");
            let found: u32 = stretches.iter().map(|(start, end)| end - start).sum();
            assert!(f64::from(found) > seconds * 900.0, "{name}: {stretches:?}");
        } else {
            assert!(doubt.is_some_and(Doubt::means_nobody_spoke), "{name}: {doubt:?}");
            assert!(stretches.is_empty(), "{name}: {stretches:?}");
        }
        count += 1;
    }
    assert_eq!(count, 24);
}

#[test]
fn speech_however_soft_is_never_taken_for_silence() {
    for (name, _, _) in recordings().into_iter().filter(|(_, _, spoken)| *spoken).take(4) {
        let sound = decode(&name, &bytes("recordings", &name), &Limits::default()).unwrap();
        for gain in [0.3, 0.056, 0.01] {
            let soft: Vec<f32> = sound.samples.iter().map(|sample| sample * gain).collect();
            assert_eq!(of_sound(&soft, &speech(&soft)), None, "{name} at {gain}");
        }
    }
}

#[test]
fn the_pieces_of_a_recording_hold_all_its_speech_and_are_short_enough() {
    for (name, _, _) in recordings() {
        let sound = decode(&name, &bytes("recordings", &name), &Limits::default()).unwrap();
        let stretches = speech(&sound.samples);
        let pieces = chunks(&sound.samples, &stretches);
        assert_eq!(pieces.is_empty(), stretches.is_empty(), "{name}");
        assert!(pieces.iter().all(|piece| piece.len() <= 28 * RATE as usize), "{name}: {pieces:?}");
        assert!(pieces.windows(2).all(|pair| pair[0].end <= pair[1].start), "{name}: {pieces:?}");
        let within = |ms: u32| {
            let at = (ms as usize * 16).min(sound.samples.len() - 1);
            pieces.iter().any(|piece| piece.contains(&at))
        };
        assert!(stretches.iter().all(|(start, end)| (*start..*end).step_by(10).all(within)), "{name}: {pieces:?}");
    }
}

#[test]
fn a_voice_message_sounds_like_the_recording() {
    let original = sound("pcm16-16k.wav").unwrap();
    let message = voice_message(&original.samples).unwrap();
    assert!(message.starts_with(b"OggS"));
    assert!(message.len() < 45_000, "{} bytes for 9 s", message.len());
    let again = decode("voice.ogg", &message, &Limits::default()).unwrap();
    assert_eq!(again.samples.len(), original.samples.len());
    let alike = likeness(&again.samples, &original.samples);
    assert!(alike > 0.85, "{alike}");
}
