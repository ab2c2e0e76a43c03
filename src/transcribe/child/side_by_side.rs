//! Chunks heard side by side: several states over one loaded model, each on threads of its own.
//!
//! Promises: every chunk is heard once, quickly where the sound is clear and thoroughly where it is not; what comes out
//! does not depend on how many are heard at once.
//! Why one thread each where there are several: threads of one state wait for each other after each step, and collapse
//! on a machine that does something else; states wait for nobody.

use crate::transcribe::doubt;
use crate::transcribe::whisper::{Heard, How, Search, Transcriber, WhisperError};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// What the machine gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// States that may be used at once.
    pub states: NonZeroUsize,
    /// Threads for all of them together.
    pub threads: NonZeroUsize,
}

/// One chunk and what helps to hear it.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// 16 kHz mono, -1 to 1, at most 30 seconds.
    pub samples: &'a [f32],
    /// Whether a second decode is wanted.
    pub second: bool,
    /// Words that help the recogniser.
    pub prompt: Option<&'a str>,
}

/// Hears the tasks, the first ones first. `done` learns each task's number with what came of it, in the order in which they
/// end; with `None` it learns that a task takes longer.
pub fn hear(
    engine: &dyn Transcriber,
    tasks: &[Task<'_>],
    share: Share,
    mut done: impl FnMut(usize, Option<Result<Heard, WhisperError>>),
) {
    let states = share.states.get().min(tasks.len()).max(1);
    let threads = u32::try_from((share.threads.get() / states).max(1)).unwrap_or(1);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..states {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((number, task)) = take(tasks, next) {
                    let longer = || drop(sender.send((number, None)));
                    let heard = hear_one(engine, task, threads, &longer);
                    if sender.send((number, Some(heard))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (number, heard) in receiver {
            done(number, heard);
        }
    });
}

fn take<'a, 'b>(tasks: &'a [Task<'b>], next: &AtomicUsize) -> Option<(usize, &'a Task<'b>)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    tasks.get(number).map(|task| (number, task))
}

fn hear_one(engine: &dyn Transcriber, task: &Task<'_>, threads: u32, longer: &dyn Fn()) -> Result<Heard, WhisperError> {
    let how = How { search: Search::Quick, second: task.second, threads, prompt: task.prompt };
    let quick = engine.hear(task.samples, how)?;
    if doubt::is_clear(&quick.words) {
        return Ok(quick);
    }
    let again = |search| {
        longer();
        engine.hear(task.samples, How { search, second: false, ..how })
    };
    let mut heard = again(Search::Thorough)?;
    if doubt::goes_round(&heard.words) {
        heard = again(Search::Whole)?;
    }
    Ok(Heard { second: quick.second, ..heard })
}
