//! What is kept and what is doubted of sounds that end on a mailbox, by the real child with the real test model.

use crate::child::{LONG, job, real, within};
use nachtwache::domain::transcript::{Doubt, Transcript};
use nachtwache::transcribe::child::Job;
use nachtwache::transcribe::sound::{Limits, RATE, decode};
use std::f32::consts::{PI, TAU};
use std::path::Path;

const SECOND: usize = RATE as usize;
/// Loudness of the sounds: full scale is 1.
const SIZE: f32 = 0.1;

/// Even noise between -1 and 1.
fn noise(length: usize) -> Vec<f32> {
    let mut state = 5_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

/// As much power in each octave: the mean of noises that change ever more seldom.
fn pink(length: usize) -> Vec<f32> {
    let white = noise(length * 2);
    let row = |octave: usize, i: usize| white[(i >> octave) + octave * length / 16];
    (0..length).map(|i| (0..12).map(|octave| row(octave, i)).sum::<f32>() / 6.0).collect()
}

fn seconds(index: usize) -> f32 {
    f32::from(u16::try_from(index % SECOND).unwrap()) / 16_000.0 + f32::from(u16::try_from(index / SECOND).unwrap())
}

/// Tones of the given frequencies, on and off for so many milliseconds.
fn tones(hertz: &[f32], on: usize, off: usize, length: usize) -> Vec<f32> {
    let sine = |i: usize| hertz.iter().map(|hertz| (TAU * hertz * seconds(i)).sin()).sum::<f32>();
    (0..length).map(|i| if i / 16 % (on + off) < on { SIZE * sine(i) } else { 0.0 }).collect()
}

fn dialled(digits: &[[f32; 2]]) -> Vec<f32> {
    digits.iter().flat_map(|pair| tones(pair, 200, 300, SECOND / 2)).collect()
}

/// A tune over chords, as telephone systems play it.
fn music(length: usize) -> Vec<f32> {
    let tune = [523.0, 587.0, 659.0, 698.0, 784.0, 698.0, 659.0, 587.0];
    let chords = [[262.0, 330.0, 392.0], [220.0, 262.0, 330.0], [175.0, 220.0, 262.0], [196.0, 247.0, 294.0]];
    let note = SECOND * 2 / 5;
    let sample = |i: usize| {
        let (count, t) = (i / note, seconds(i % note));
        let voice = |hertz: f32, n: f32| (TAU * hertz * n * t).sin() / n;
        let melody: f32 = [1.0, 2.0, 3.0].iter().map(|n| voice(tune[count % 8], *n)).sum();
        let chord: f32 = chords[count / 4 % 4].iter().map(|hertz| voice(*hertz, 1.0) + voice(*hertz, 2.0)).sum();
        0.3 * SIZE * (melody + 0.5 * chord) * (-2.0 * t).exp() * (t * 50.0).min(1.0)
    };
    (0..length).map(sample).collect()
}

/// Somebody breathes in and out, close to the microphone, for three seconds.
fn breath() -> Vec<f32> {
    let white = noise(6 * SECOND);
    let swell = |i: usize| (PI * seconds(i) / 1.5).sin().powi(2);
    let air = |i: usize| (white[i] + white[i - 1] + white[i - 2]) * 0.3;
    let loud = |i: usize| if (SECOND..4 * SECOND).contains(&i) { swell(i - SECOND) } else { 0.002 };
    (0..6 * SECOND).map(|i| if i < 2 { 0.0 } else { 2.0 * SIZE * air(i) * loud(i) }).collect()
}

/// Syllables of no language: vowels whose pitch glides, with a hiss before each.
fn babble(length: usize) -> Vec<f32> {
    let white = noise(length);
    let mut phase = 0.0;
    let mut samples = Vec::with_capacity(length);
    for (i, hiss) in white.iter().enumerate() {
        let syllable = i / (SECOND / 4);
        let part = seconds(i % (SECOND / 4)) * 4.0;
        phase += TAU * (115.0 + 12.0 * (TAU * seconds(i) / 1.7).sin() + 20.0 * part) / 16_000.0;
        let formants = [[700.0, 1_200.0], [300.0, 2_200.0], [500.0, 900.0]][syllable % 3];
        let loud = |n: f32| formants.iter().map(|f| 1.0 / (1.0 + ((n * 120.0 - f) / 120.0).powi(2))).sum::<f32>();
        let vowel: f32 = (1..25_u16).map(f32::from).map(|n| loud(n) * (phase * n).sin()).sum();
        let pause = syllable % 7 == 6;
        let sound = if part < 0.2 { 0.3 * hiss } else { 0.3 * vowel * (PI * (part - 0.2) / 0.8).sin() };
        samples.push(if pause { 0.001 * hiss } else { SIZE * sound });
    }
    samples
}

/// A recording of the samples, its level brought to -20 dB as everything that is read.
fn recording(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(crate::child::voicemail(name)).unwrap();
    decode(name, &bytes, &Limits::default()).unwrap().samples
}

fn scaled(samples: &[f32], gain: f32) -> Vec<f32> {
    samples.iter().map(|sample| sample * gain).collect()
}

/// One frame of 20 ms in twenty is lost, and silence stands in its place.
fn lossy(samples: &[f32]) -> Vec<f32> {
    let dice = noise(samples.len() / 320 + 1);
    samples.iter().enumerate().map(|(i, sample)| if dice[i / 320] > 0.9 { 0.0 } else { *sample }).collect()
}

fn mixed(one: &[f32], other: &[f32]) -> Vec<f32> {
    let length = one.len().max(other.len());
    let at = |samples: &[f32], i: usize| samples.get(i).copied().unwrap_or(0.0);
    (0..length).map(|i| 0.7 * (at(one, i) + at(other, i))).collect()
}

fn write(path: &Path, samples: &[f32]) {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for sample in samples {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bit")]
        file.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).unwrap();
    }
    file.finalize().unwrap();
}

/// The transcript of each sound, and a table of them.
#[expect(clippy::print_stdout, reason = "`--nocapture` shows the table")]
async fn transcripts(sounds: Vec<(&str, Vec<f32>)>) -> Vec<(String, Transcript)> {
    let folder = tempfile::TempDir::new().unwrap();
    let mut child = real();
    let mut transcripts = Vec::new();
    for (name, samples) in sounds {
        let path = folder.path().join("sound.wav");
        write(&path, &samples);
        let job = Job { path, name: "sound.wav".to_owned(), ..job("-") };
        let transcript = child.transcribe(&job, within(LONG), |_| ()).await.unwrap();
        let judged = transcript.doubt.map_or_else(|| "kept".to_owned(), |doubt| format!("{doubt:?}"));
        println!("{name:24} {judged:14} {:3} words  {}", transcript.words.len(), transcript.text());
        transcripts.push((name.to_owned(), transcript));
    }
    transcripts
}

#[tokio::test]
async fn no_word_is_judged_where_nobody_speaks() {
    let eight = 8 * SECOND;
    let sounds = vec![
        ("silence", vec![0.0; eight]),
        ("faint line noise", scaled(&noise(eight), 0.001)),
        ("ring-back", tones(&[425.0], 1_000, 4_000, 2 * eight)),
        ("busy", tones(&[425.0], 480, 480, eight)),
        ("dialled digits", dialled(&[[697.0, 1209.0], [770.0, 1336.0], [852.0, 1477.0], [941.0, 1336.0]])),
        ("fax calls (1100 Hz)", tones(&[1_100.0], 500, 3_000, 2 * eight)),
        ("fax answers (2100 Hz)", tones(&[2_100.0], 3_000, 500, eight)),
        ("hum", tones(&[50.0, 150.0, 250.0], 1, 0, eight)),
        ("white noise", scaled(&noise(eight), SIZE)),
        ("pink noise", scaled(&pink(eight), SIZE)),
        ("clipped noise", noise(eight).iter().map(|sample| (sample * 4.0).clamp(-0.9, 0.9)).collect()),
        ("hold music", music(2 * eight)),
        ("three seconds of breath", breath()),
    ];
    for (name, transcript) in transcripts(sounds).await {
        assert!(transcript.words.is_empty() || transcript.doubt.is_some(), "{name}: {}", transcript.text());
    }
}

#[tokio::test]
async fn speech_on_a_bad_line_is_heard() {
    let [one, other] = ["vm-10.wav", "vm-06.wav"].map(recording);
    let sounds = vec![
        ("as it is", one.clone()),
        // by 25 dB softer than the -20 dB of everything that is read
        ("at -45 dB", scaled(&one, 0.056)),
        ("clipped", one.iter().map(|sample| (sample * 6.0).clamp(-0.4, 0.4)).collect()),
        ("one packet in 20 lost", lossy(&other)),
        ("noise, 15 dB softer", mixed(&one, &scaled(&noise(one.len()), 0.03))),
    ];
    for (name, transcript) in transcripts(sounds).await {
        assert_eq!(transcript.doubt, None, "{name}: {}", transcript.text());
        assert!(transcript.words.len() > 12, "{name}: {}", transcript.text());
    }
}

#[tokio::test]
async fn two_at_once_and_a_foreign_tongue_are_somebody() {
    let [one, other] = ["vm-10.wav", "vm-06.wav"].map(recording);
    let sounds = vec![("two at once", mixed(&one, &other)), ("no language at all", babble(8 * SECOND))];
    for (name, transcript) in transcripts(sounds).await {
        assert!(!transcript.doubt.is_some_and(Doubt::means_nobody_spoke), "{name}");
    }
}
