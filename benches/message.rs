//! How long a message of 30 s takes on its whole way but for the recogniser: from the bytes of the recording to the verdict.

#![expect(missing_docs, reason = "criterion's macro makes public functions")]

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use nachtwache::assess::rules::Rules;
use nachtwache::assess::{Said, assess};
use nachtwache::config::Settings;
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::report::{Caller, Medium, Report, ReportId, Stage};
use nachtwache::domain::transcript::{Transcript, Word};
use nachtwache::transcribe::child::recording::prepared;
use nachtwache::transcribe::doubt;
use nachtwache::transcribe::sound::{Decoded, Limits, RATE, decode};
use nachtwache::transcribe::whisper::Heard;
use std::hint::black_box;

const RECORDING: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/recordings/vm-01.wav"));
/// What is said in the recording (tests/data/recordings/manifest.jsonl).
const TEXT: &str = "Guten Abend, hier spricht Martina Vogel von der Sonnenberg Logistik GmbH in Regensburg. Wir haben einen \
                    unternehmenskritischen Notfall. Unser Lagerverwaltungssystem ist seit heute Abend nicht mehr erreichbar, \
                    der Versand steht still. Mit den Konditionen und der Notfallaktivierungsgebühr von 48 Euro sind wir \
                    einverstanden. Bitte rufen Sie mich zurück unter 0171 3920012. Vielen Dank, auf Wiederhören.";

/// What a recogniser that takes no time hears in chunks of these lengths: what is said, evenly in time.
fn heard(chunks: &[usize], all: usize) -> Vec<Heard> {
    let mut given = 0;
    let chunk = |samples: &usize| {
        let share = (TEXT.split_whitespace().count() * samples).div_ceil(all);
        let texts = TEXT.split_whitespace().skip(given).take(share);
        let length = milliseconds(*samples) / u32::try_from(share.max(1)).expect("a text of a few words");
        given += share;
        let word = |(at, text): (u32, &str)| Word {
            text: text.to_owned(),
            start_ms: at * length,
            end_ms: (at + 1) * length,
            probability: 0.9,
        };
        let second = texts.clone().collect::<Vec<_>>().join(" ");
        Heard { words: (0..).zip(texts).map(word).collect(), second: Some(second) }
    };
    chunks.iter().map(chunk).collect()
}

fn milliseconds(samples: usize) -> u32 {
    u32::try_from(samples * 1000 / RATE as usize).expect("a recording of half a minute")
}

fn transcribed(decoded: Decoded) -> Transcript {
    let prepared = prepared(decoded, "none", "de");
    let chunks: Vec<usize> = prepared.chunks().map(<[f32]>::len).collect();
    prepared.transcript(heard(&chunks, chunks.iter().sum()), true)
}

fn report() -> Report {
    // at night, where an emergency counts
    let at = DateTime::<Utc>::from_timestamp(1_760_050_000, 0).expect("a time of our days");
    Report {
        id: ReportId::fresh(),
        source: "bench".into(),
        key: "-".into(),
        mailbox: None,
        caller: Caller { number: None, name: None },
        called_at: at,
        stored_at: at,
        recording: None,
        trouble: None,
        medium: Medium::Voicemail,
        longest_s: None,
        stage: Stage::Done,
    }
}

fn message(criterion: &mut Criterion) {
    let settings = Settings::parse("").expect("every setting has a default");
    let rules = Rules::with(&[]).expect("the built-in rules are sound");
    let limits = Limits::default();
    let report = report();
    let decoded = decode("vm-01.wav", RECORDING, &limits).expect("the recording is sound");
    let transcript = transcribed(decoded);
    let said = Said::Spoken(transcript.clone());
    let found = assess(&rules, &settings, &report, &said).verdict;
    assert_eq!(found, Verdict::Confirmed, "the way does not end where the message leads: {transcript:?}");

    criterion.bench_function("doubt the text of 30 s", |bench| {
        bench.iter(|| doubt::of_text(black_box(&transcript.words), &transcript.speech, transcript.sound_ms));
    });
    criterion.bench_function("judge the text of 30 s", |bench| {
        bench.iter(|| assess(&rules, &settings, &report, black_box(&said)));
    });
    // scripts/bench-transcribe reads what this one took
    criterion.bench_function("everything but the model for 30 s", |bench| {
        bench.iter(|| {
            let decoded = decode("vm-01.wav", black_box(RECORDING), &limits).expect("the recording is sound");
            assess(&rules, &settings, &report, &Said::Spoken(transcribed(decoded)))
        });
    });
}

criterion_group!(benches, message);
criterion_main!(benches);
