//! Several recordings heard at once in the child: each is answered as soon as its last chunk is heard.

use crate::domain::transcript::Transcript;
use crate::transcribe::child::load;
use crate::transcribe::child::protocol::{self, FrameError, Job, Refusal, Reply};
use crate::transcribe::child::recording::Prepared;
use crate::transcribe::child::side_by_side::{self, Task};
use crate::transcribe::whisper::{Heard, Transcriber, WhisperError};
use std::cmp::Reverse;
use std::io::Write;

/// A decoded recording and its place among the jobs.
pub struct Waiting<'a> {
    /// Its place among the jobs.
    pub number: usize,
    /// How it is to be heard.
    pub job: &'a Job,
    /// What there is to hear.
    pub prepared: Prepared,
}

/// Hears recordings that want the same model; how much of the machine is used stands in the first one's job.
///
/// # Errors
/// When the pipe to the parent breaks.
pub fn hear(engine: &dyn Transcriber, waiting: &[Waiting<'_>], output: &mut impl Write) -> Result<(), FrameError> {
    say(output, &Reply::Progress { done: 0.0 })?;
    let mut answers = Answers::new(waiting, output);
    let tasks: Vec<Task<'_>> = waiting.iter().flat_map(tasks).collect();
    let mut broken = answers.without_chunks().err();
    if let Some(first) = waiting.first().filter(|_| !tasks.is_empty()) {
        let share = load::share(first.job.states, first.job.threads);
        side_by_side::hear(engine, &tasks, share, |task, step| {
            if let Err(error) = answers.note(task, step) {
                broken.get_or_insert(error);
            }
        });
    }
    broken.map_or(Ok(()), Err)
}

fn tasks<'a>(one: &'a Waiting<'_>) -> impl Iterator<Item = Task<'a>> {
    let (second, prompt) = (one.job.second, one.job.prompt.as_deref());
    order(one).into_iter().map(move |(_, samples)| Task { samples, second, prompt })
}

/// A recording's chunks with their places in it, the longest first: what begins last ends last, and the others wait.
fn order<'a>(one: &'a Waiting<'_>) -> Vec<(usize, &'a [f32])> {
    let mut chunks: Vec<_> = one.prepared.chunks().enumerate().collect();
    chunks.sort_by_key(|(_, samples)| Reverse(samples.len()));
    chunks
}

/// What was heard so far, and who waits for it.
struct Answers<'a, W> {
    waiting: &'a [Waiting<'a>],
    /// Of each task: the recording and the chunk in it.
    places: Vec<(usize, usize)>,
    /// Of each recording: what was heard in its chunks; gone where one could not be heard.
    heard: Vec<Option<Vec<Option<Heard>>>>,
    done: usize,
    output: &'a mut W,
}

impl<'a, W: Write> Answers<'a, W> {
    fn new(waiting: &'a [Waiting<'a>], output: &'a mut W) -> Self {
        let in_order = |(at, one)| order(one).into_iter().map(move |(chunk, _)| (at, chunk));
        let places = waiting.iter().enumerate().flat_map(in_order);
        let heard = waiting.iter().map(|one| Some(vec![None; one.prepared.chunks().count()])).collect();
        Self { waiting, places: places.collect(), heard, done: 0, output }
    }

    /// Answers the recordings in which there is nothing to hear.
    fn without_chunks(&mut self) -> Result<(), FrameError> {
        (0..self.waiting.len()).filter(|at| self.waiting[*at].prepared.chunks().next().is_none()).try_for_each(|at| {
            let one = &self.waiting[at];
            say(self.output, &answer(one.number, Ok(one.prepared.transcript(Vec::new(), one.job.second))))
        })
    }

    fn note(&mut self, task: usize, step: Option<Result<Heard, WhisperError>>) -> Result<(), FrameError> {
        self.done += usize::from(step.is_some());
        let part = |count: usize| f32::from(u16::try_from(count).unwrap_or(u16::MAX));
        // before the answer: nobody listens after the last one
        say(self.output, &Reply::Progress { done: part(self.done) / part(self.places.len().max(1)) })?;
        match self.places.get(task).copied().zip(step) {
            Some(((at, chunk), result)) => self.ended(at, chunk, result),
            None => Ok(()),
        }
    }

    fn ended(&mut self, at: usize, chunk: usize, result: Result<Heard, WhisperError>) -> Result<(), FrameError> {
        let one = &self.waiting[at];
        // half a transcript would be taken for a whole one
        let Some(heard) = &mut self.heard[at] else { return Ok(()) };
        match result {
            Ok(words) => heard[chunk] = Some(words),
            Err(error) => {
                self.heard[at] = None;
                let refused = Refusal { why: error.to_string(), doubt: None };
                return say(self.output, &answer(one.number, Err(refused)));
            }
        }
        if heard.iter().any(Option::is_none) {
            return Ok(());
        }
        let heard = heard.drain(..).flatten().collect();
        say(self.output, &answer(one.number, Ok(one.prepared.transcript(heard, one.job.second))))
    }
}

/// What came of one of the jobs.
#[must_use]
pub fn answer(job: usize, result: Result<Transcript, Refusal>) -> Reply {
    Reply::Transcribed { job, result: Box::new(result) }
}

/// Says one thing to the parent.
///
/// # Errors
/// When the pipe is broken.
pub fn say(output: &mut impl Write, reply: &Reply) -> Result<(), FrameError> {
    output.write_all(&protocol::frame(reply)?)?;
    Ok(output.flush()?)
}
