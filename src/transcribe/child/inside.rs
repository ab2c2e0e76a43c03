//! What the child process runs: it waits for a request on its standard input, answers on its standard output, and
//! ends when the input does.
//!
//! Promises: nothing but frames on the output; no word of a caller on the error output (panics name only their
//! place); no core file with a caller's voice; it dies with its parent and is the first the kernel kills for memory. It
//! does not step back for others (nice): on a busy machine that alone makes a message take several times as long.
//! What can go wrong: everything. Whatever is not answered here is a crash to the parent.

use crate::domain::transcript::Doubt;
use crate::transcribe::child::load;
use crate::transcribe::child::protocol::{self, FrameError, Job, Refusal, Reply, Request, VERSION};
use crate::transcribe::child::recording::prepared;
use crate::transcribe::child::together::{self, Waiting, answer, say};
use crate::transcribe::sound::{self, Decoded, Limits, plain, voice};
use crate::transcribe::whisper::{ON_GPU, Whisper, WhisperError};
use crate::transcribe::{cpu, models};
use rustix::process::{Resource, Rlimit, Signal};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Memory beside the model, for decoded sound, and for each state's scratch: it reserves much more than it uses.
const BESIDE_THE_MODEL: u64 = 1 << 30;
/// How much rather than others the kernel may kill this process for memory, of 1000.
const OOM_SCORE: &str = "500";

/// Serves the parent until it closes the pipe. The whole life of `nachtwache child`.
///
/// # Errors
/// When the pipe to the parent breaks or brings no request; the process should end with a failure then.
pub fn run() -> Result<(), FrameError> {
    humble();
    // a panic's message may hold the text it stumbled over
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, ToString::to_string);
        drop(writeln!(io::stderr(), "panic at {place}"));
    }));
    serve(&mut io::stdin().lock(), &mut io::stdout().lock())
}

/// Answers requests from `input` on `output` until `input` ends.
///
/// # Errors
/// When either pipe breaks or a request cannot be read.
pub fn serve(input: &mut impl Read, output: &mut impl Write) -> Result<(), FrameError> {
    let mut kept = None;
    say(output, &Reply::Hello { version: VERSION })?;
    while let Some(request) = protocol::read::<Request>(input)? {
        let reply = match request {
            Request::Transcribe { jobs } => {
                transcribe(&jobs, &mut kept, output)?;
                continue;
            }
            Request::Voice { path, name, to } => write_voice(&path, &name, &to),
            Request::Listen { path, name, to } => write_listening(&path, &name, &to),
        };
        say(output, &reply)?;
    }
    Ok(())
}

/// The model that was used last: recordings come in a row and want the same.
struct Kept {
    model: PathBuf,
    language: String,
    /// What memory is granted for.
    states: u32,
    whisper: Whisper,
}

/// Decodes the jobs' sounds, hears those that want the same model together, and answers each as soon as it is done.
fn transcribe(jobs: &[Job], kept: &mut Option<Kept>, output: &mut impl Write) -> Result<(), FrameError> {
    let mut waiting = Vec::new();
    for (number, job) in jobs.iter().enumerate() {
        match decode(&job.path, &job.name) {
            Ok(decoded) => {
                say(output, &Reply::Sound { job: number, sound_ms: decoded.sound_ms })?;
                let model = job.model.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                waiting.push(Waiting { number, job, prepared: prepared(decoded, &model, &job.language) });
            }
            Err(refusal) => say(output, &answer(number, Err(refusal)))?,
        }
    }
    for same in waiting.chunk_by(|a, b| a.job.model == b.job.model && a.job.language == b.job.language) {
        match loaded(same[0].job, kept) {
            Ok(whisper) => together::hear(whisper, same, output)?,
            Err(why) => {
                let refused = Refusal { why, doubt: None };
                same.iter().try_for_each(|one| say(output, &answer(one.number, Err(refused.clone()))))?;
            }
        }
    }
    Ok(())
}

/// The wanted model, loaded anew where the last job wanted another; checked before whisper.cpp reads a byte of it.
fn loaded<'a>(job: &Job, kept: &'a mut Option<Kept>) -> Result<&'a Whisper, String> {
    let fits = |kept: &Kept| kept.model == job.model && kept.language == job.language && kept.states == job.states;
    if !kept.as_ref().is_some_and(fits) {
        // the old one first: two would not fit into the memory granted
        *kept = None;
        cpu::fits()?;
        let checked = models::verify(&job.model).map_err(|error| error.to_string())?;
        grant_memory(checked.bytes, load::states(job.states).get() as u64);
        huge_pages(true);
        let whisper = Whisper::load(&job.model, &job.language);
        huge_pages(false);
        let whisper = whisper.map_err(|error: WhisperError| error.to_string())?;
        *kept = Some(Kept { model: job.model.clone(), language: job.language.clone(), states: job.states, whisper });
    }
    kept.as_ref().map(|kept| &kept.whisper).ok_or_else(|| "no model is loaded".to_owned())
}

fn decode(path: &Path, name: &str) -> Result<Decoded, Refusal> {
    let limits = Limits::default();
    let bytes = fs::read(path)
        .map_err(|error| Refusal { why: format!("could not read {}: {error}", path.display()), doubt: None })?;
    sound::decode(name, &bytes, &limits)
        .map_err(|error| Refusal { why: error.to_string(), doubt: Some(Doubt::Undecodable) })
}

fn write_voice(path: &Path, name: &str, to: &Path) -> Reply {
    let decoded = match decode(path, name) {
        Ok(decoded) => decoded,
        Err(refused) => return Reply::Refused(refused),
    };
    let written = voice::voice_message(&decoded.samples)
        .map_err(|error| error.to_string())
        .and_then(|bytes| write_whole(to, &bytes).map_err(|error| error.to_string()));
    match written {
        Ok(()) => Reply::Voice { sound_ms: decoded.sound_ms, remark: decoded.remark },
        Err(error) => Reply::Refused(not_written(to, &error)),
    }
}

fn write_listening(path: &Path, name: &str, to: &Path) -> Reply {
    let decoded = match decode(path, name) {
        Ok(decoded) => decoded,
        Err(refused) => return Reply::Refused(refused),
    };
    match write_whole(to, &plain::wav(&decoded.samples)) {
        Ok(()) => {
            Reply::Listen { sound_ms: decoded.sound_ms, peaks: plain::peaks(&decoded.samples, protocol::MAX_PEAKS) }
        }
        Err(error) => Reply::Refused(not_written(to, &error)),
    }
}

fn not_written(to: &Path, error: &impl std::fmt::Display) -> Refusal {
    Refusal { why: format!("could not write {}: {error}", to.display()), doubt: None }
}

/// The file stands there whole or not at all, also after a power cut.
fn write_whole(to: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = to.with_added_extension("part");
    let mut file = fs::File::create(&part)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&part, to)?;
    match to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Puts the process below its parent. None of it is worth failing for: a kernel without it still transcribes.
fn humble() {
    let steps = [
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from),
        set_limit(Resource::Core, 0),
        fs::write("/proc/self/oom_score_adj", OOM_SCORE),
    ];
    for error in steps.into_iter().filter_map(Result::err) {
        drop(writeln!(io::stderr(), "could not step back: {error}"));
    }
    grant_memory(0, 0);
}

/// Caps the address space at what is used now, the model, and half of it and a gigabyte for each state. There is no cap on
/// processor time: it counts over the whole life of a process that serves many jobs; the parent's clock ends a job.
/// A driver of a graphics card reserves far more than it uses: then there is no cap.
fn grant_memory(model: u64, side_by_side: u64) {
    if ON_GPU {
        return;
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let Some(used) = status.lines().find_map(|line| line.strip_prefix("VmSize:")) else { return };
    let Ok(kib) = used.trim().trim_end_matches("kB").trim().parse::<u64>() else { return };
    let scratch = (model / 2).saturating_add(BESIDE_THE_MODEL).saturating_mul(side_by_side.max(1));
    let cap = kib.saturating_mul(1024).saturating_add(model).saturating_add(scratch);
    if let Err(error) = set_limit(Resource::As, cap) {
        drop(writeln!(io::stderr(), "could not cap the memory: {error}"));
    }
}

/// Huge pages where glibc asks for them (`running.rs`). For the weights only, most of which each token reads: what a state
/// computes in would need some 10 MiB more.
fn huge_pages(wanted: bool) {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(!wanted) {
        drop(writeln!(io::stderr(), "could not switch huge pages: {error}"));
    }
}

/// The soft limit only, so that a larger model can be granted more later.
fn set_limit(resource: Resource, most: u64) -> io::Result<()> {
    let maximum = rustix::process::getrlimit(resource).maximum;
    let current = Some(maximum.map_or(most, |maximum| maximum.min(most)));
    Ok(rustix::process::setrlimit(resource, Rlimit { current, maximum })?)
}
