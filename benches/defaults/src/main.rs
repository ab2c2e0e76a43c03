//! The recogniser with its own defaults: beam of 5, the whole window of 30 s, flash attention, as many threads as
//! whisper.cpp's program takes. `defaults MODEL FILE.wav...` loads the model once, prints one JSON object a file (seconds
//! taken, text) and at last its peak memory. Reads 16 kHz mono WAV of 16 bits.

use anyhow::Context as _;
use std::path::Path;
use std::time::Instant;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

/// whisper.cpp's program takes no more threads by itself.
const MOST_THREADS: usize = 4;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().context("usage: defaults MODEL FILE.wav...")?;
    let mut parameters = WhisperContextParameters::default();
    parameters.use_gpu(false).flash_attn(true);
    let context = WhisperContext::new_with_params(&model, parameters)?;
    for file in arguments {
        let samples = samples(Path::new(&file)).with_context(|| format!("could not read {file}"))?;
        let started = Instant::now();
        let text = transcribe(&context, &samples)?;
        let taken = started.elapsed().as_secs_f64();
        println!("{}", serde_json::json!({ "file": file, "seconds_taken": taken, "text": text }));
    }
    println!("{}", serde_json::json!({ "peak_kib": peak_kib()? }));
    Ok(())
}

fn transcribe(context: &WhisperContext, samples: &[f32]) -> anyhow::Result<String> {
    // the crate has no way to set the best-of for the tries after a beam has failed: it is 1 there, which is faster than 5
    let mut params = FullParams::new(SamplingStrategy::BeamSearch { beam_size: 5, patience: -1.0 });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    params.set_n_threads(i32::try_from(cores.min(MOST_THREADS))?);
    params.set_language(Some("de"));
    params.set_print_progress(false);
    params.set_print_realtime(false);
    params.set_print_timestamps(false);
    let mut state = context.create_state()?;
    state.full(params, samples)?;
    let segments: Result<Vec<_>, _> = state.as_iter().map(|segment| segment.to_str_lossy()).collect();
    Ok(segments?.concat().trim().to_owned())
}

fn samples(file: &Path) -> anyhow::Result<Vec<f32>> {
    let mut reader = hound::WavReader::open(file)?;
    let spec = reader.spec();
    anyhow::ensure!(
        (spec.channels, spec.sample_rate, spec.bits_per_sample) == (1, 16_000, 16),
        "not 16 kHz mono of 16 bits: {spec:?}"
    );
    reader.samples::<i16>().map(|sample| Ok(f32::from(sample?) / 32_768.0)).collect()
}

fn peak_kib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
