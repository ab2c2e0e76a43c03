//! How long it takes to make 60 s of a voicemail ready for the recogniser, and a voice message of it.

#![expect(missing_docs, reason = "criterion's macro makes public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use nachtwache::transcribe::sound::voice::voice_message;
use nachtwache::transcribe::sound::{Limits, decode};
use nachtwache::transcribe::{chunks, doubt, speech};
use std::hint::black_box;

const WAV49: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sound/msgsm-0031.WAV"));
/// Blocks of 40 ms that make 60 s.
const BLOCKS: usize = 1_500;

/// The fixture's blocks over and over, under a header that gives no length.
fn a_minute() -> Vec<u8> {
    let (header, blocks) = WAV49.split_at(60);
    let mut bytes = header.to_vec();
    bytes[56..60].fill(0xff);
    bytes.extend(blocks.chunks_exact(65).cycle().take(BLOCKS).flatten());
    bytes
}

fn sound(criterion: &mut Criterion) {
    let bytes = a_minute();
    let limits = Limits::default();
    let decoded = decode("a.WAV", &bytes, &limits).expect("the fixture is sound");
    criterion.bench_function("decode and resample 60 s wav49", |bench| {
        bench.iter(|| decode("a.WAV", black_box(&bytes), &limits));
    });
    criterion.bench_function("find speech in 60 s", |bench| bench.iter(|| speech::speech(black_box(&decoded.samples))));
    let stretches = speech::speech(&decoded.samples);
    criterion.bench_function("doubt 60 s of sound", |bench| {
        bench.iter(|| doubt::of_sound(black_box(&decoded.samples), &stretches));
    });
    criterion.bench_function("cut 60 s into chunks", |bench| {
        bench.iter(|| chunks::chunks(black_box(&decoded.samples), &stretches));
    });
    criterion
        .bench_function("voice message of 60 s", |bench| bench.iter(|| voice_message(black_box(&decoded.samples))));
}

criterion_group!(benches, sound);
criterion_main!(benches);
