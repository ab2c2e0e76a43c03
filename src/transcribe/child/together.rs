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
    let (places, tasks): (Vec<_>, Vec<_>) = waiting.iter().enumerate().flat_map(tasks).unzip();
    let mut answers = Answers::new(waiting, places, output);
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

/// A recording's chunks as tasks, each with its place, the longest first: what begins last ends last, and the others wait.
fn tasks<'a>((at, one): (usize, &'a Waiting<'_>)) -> Vec<((usize, usize), Task<'a>)> {
    let (second, prompt) = (one.job.second, one.job.prompt.as_deref());
    let task = |(chunk, samples)| ((at, chunk), Task { samples, second, prompt });
    let mut tasks: Vec<_> = one.prepared.chunks().enumerate().map(task).collect();
    tasks.sort_by_key(|(_, task)| Reverse(task.samples.len()));
    tasks
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
    fn new(waiting: &'a [Waiting<'a>], places: Vec<(usize, usize)>, output: &'a mut W) -> Self {
        let heard = waiting.iter().map(|one| Some(vec![None; one.prepared.chunks().count()])).collect();
        Self { waiting, places, heard, done: 0, output }
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
