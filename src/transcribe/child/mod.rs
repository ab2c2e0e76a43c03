//! The parent's side of the process that decodes and transcribes: whatever foreign bytes or whisper.cpp do there, the
//! alarm path lives on.
//!
//! Promises: a job ends in its result or in a `ChildError` within its limit; a child that crashed, hung, talked
//! garbage or whose job was dropped half-way is killed with its process group and started afresh for the next job;
//! the model stays loaded between jobs and is given back by `rest`. The child's error output is kept (its last lines
//! go to the log after a fault); it never holds a caller's words.
//! What can go wrong: the child is killed when the *thread* that started it ends (that is how Linux sends the
//! parent-death signal); on a runtime's worker thread that is the runtime's end. A kill between two jobs costs a
//! start, no job.

pub mod inside;
mod load;
pub mod protocol;
pub mod recording;
mod running;
pub mod side_by_side;
pub mod together;

use crate::domain::transcript::{Doubt, Transcript};
use protocol::{MAX_PEAKS, Refusal, Reply, Request, VERSION};
use running::{Fault, Running};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

pub use load::states;
pub use protocol::Job;

/// How long a started child may take to its hello.
const START_WITHIN: Duration = Duration::from_secs(20);
/// Decoding one recording takes no longer than this.
pub const DECODE_WITHIN: Duration = Duration::from_secs(30);

/// How the child is started and kept.
#[derive(Debug, Clone)]
pub struct ChildOptions {
    /// The program to run; by default this very binary, also where it was replaced on disk meanwhile.
    pub program: PathBuf,
    /// Its arguments; by default `child`.
    pub args: Vec<OsString>,
    /// After how long without a job `rest` ends it.
    pub idle_after: Duration,
    /// How long it may be silent within a job: one chunk of one pass, or loading the model.
    pub silent_at_most: Duration,
    /// What it is called in the log.
    pub name: String,
}

impl Default for ChildOptions {
    fn default() -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            args: vec![OsString::from("child")],
            idle_after: Duration::from_mins(10),
            silent_at_most: Duration::from_mins(2),
            name: "transcriber".to_owned(),
        }
    }
}

/// Why a job gave no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ChildError {
    /// The child could not be started or did not say its hello.
    #[error("could not start {name}: {why}")]
    Start {
        /// Its name in the log.
        name: String,
        /// What happened.
        why: String,
    },
    /// It ended in the middle of the job.
    #[error("the child crashed (exit code {code:?}, signal {signal:?})")]
    Crashed {
        /// Its exit code, where it exited.
        code: Option<i32>,
        /// The signal that ended it, where one did.
        signal: Option<i32>,
    },
    /// It took longer than its limit, or was silent for too long; it was killed.
    #[error("the child was killed: {0}")]
    TimedOut(&'static str),
    /// It said something that is no answer; it was killed.
    #[error("the child talked garbage: {0}")]
    Garbage(String),
    /// It is well and says that the job cannot be done.
    #[error("{why}")]
    Refused {
        /// Why, in English.
        why: String,
        /// What that says about the sound; `None` where the fault is ours (model, disk).
        doubt: Option<Doubt>,
    },
}

impl ChildError {
    /// Whether the same job may come out differently another time. Only a sound that cannot be decoded stays so.
    #[must_use]
    pub fn may_be_tried_again(&self) -> bool {
        !matches!(self, Self::Refused { doubt: Some(_), .. })
    }
}

impl From<Refusal> for ChildError {
    fn from(Refusal { why, doubt }: Refusal) -> Self {
        Self::Refused { why, doubt }
    }
}

/// What is heard while recordings are written down.
#[derive(Debug)]
pub enum Told {
    /// The part of all that is done, 0 to 1.
    Progress(f32),
    /// What came of the job with this place.
    Result(usize, Result<Transcript, ChildError>),
}

/// Whether a job is spoken of for the first time.
fn is_first(open: &mut [bool], job: usize) -> bool {
    open.get_mut(job).is_some_and(std::mem::take)
}

/// A voice message that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceInfo {
    /// Length of the sound, milliseconds.
    pub sound_ms: u32,
    /// What the decoder noticed, in English.
    pub remark: Option<String>,
}

/// A process that does one job at a time, started when the first job comes.
#[derive(Debug)]
pub struct Child {
    options: ChildOptions,
    running: Option<Running>,
}

impl Child {
    /// A child that is not started yet.
    #[must_use]
    pub fn new(options: ChildOptions) -> Self {
        Self { options, running: None }
    }

    /// The process that runs, if one does, with the same options; what stays behind starts a fresh one.
    #[must_use]
    pub fn taken(&mut self) -> Self {
        Self { options: self.options.clone(), running: self.running.take() }
    }

    /// Its process id while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().and_then(running::Running::pid)
    }

    /// Writes down a recording, decoded within `decode_within` and then heard within the time that `limit` gives for its
    /// length in milliseconds; `progress` hears the part that is done, 0 to 1.
    ///
    /// # Errors
    /// See `ChildError`; the child is fit for the next job after each of them.
    pub async fn transcribe(
        &mut self,
        job: &Job,
        (decode_within, limit): (Duration, impl Fn(u32) -> Duration + Send),
        progress: impl FnMut(f32) + Send,
    ) -> Result<Transcript, ChildError> {
        let (mut progress, mut answer) = (progress, None);
        let told = |told| match told {
            Told::Progress(done) => progress(done),
            Told::Result(_, result) => answer = Some(result),
        };
        self.transcribe_all(std::slice::from_ref(job), (decode_within, limit), told).await?;
        answer.unwrap_or_else(|| Err(self.mismatch()))
    }

    /// Writes down recordings at once, each within the same time as one (together they have the sum). `told` hears of each as soon as it is done.
    ///
    /// # Errors
    /// See `ChildError`: what was not told of until then came to nothing; the child is fit for the next job.
    pub async fn transcribe_all(
        &mut self,
        jobs: &[Job],
        (decode_within, limit): (Duration, impl Fn(u32) -> Duration + Send),
        mut told: impl FnMut(Told) + Send,
    ) -> Result<(), ChildError> {
        let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        let mut deadline = Instant::now() + decode_within * count;
        let mut running = self.started(deadline).await?;
        let request = Request::Transcribe { jobs: jobs.to_vec() };
        let mut sent = running.send(&request, deadline).await;
        let (mut sounds, mut open) = (vec![true; jobs.len()], vec![true; jobs.len()]);
        while sent.is_ok() && open.contains(&true) {
            let silent_at_most = self.options.silent_at_most;
            let heard = running.listen(deadline, silent_at_most, &mut |done| told(Told::Progress(done))).await;
            match heard {
                Ok(Reply::Sound { job, sound_ms }) if is_first(&mut sounds, job) => deadline += limit(sound_ms),
                Ok(Reply::Transcribed { job, result }) if is_first(&mut open, job) => {
                    told(Told::Result(job, result.map_err(ChildError::from)));
                }
                Ok(_) => return Err(self.mismatch()),
                Err(fault) => sent = Err(fault),
            }
        }
        match sent {
            Ok(()) => {
                self.keep(running);
                Ok(())
            }
            Err(fault) => Err(self.lost(running, fault).await),
        }
    }

    /// Writes the sound at `path` as an Ogg/Opus voice message to `to`, whole or not at all.
    ///
    /// # Errors
    /// See `ChildError`; the child is fit for the next job after each of them.
    pub async fn voice(
        &mut self,
        path: &Path,
        name: &str,
        to: &Path,
        limit: Duration,
    ) -> Result<VoiceInfo, ChildError> {
        let request = Request::Voice { path: path.to_owned(), name: name.to_owned(), to: to.to_owned() };
        match self.ask(&request, limit, |_| ()).await? {
            Reply::Voice { sound_ms, remark } => Ok(VoiceInfo { sound_ms, remark }),
            _ => Err(self.mismatch()),
        }
    }

    /// Writes the sound at `path` as a WAV file that every browser plays to `to`, whole or not at all. Gives its length in
    /// milliseconds and how loud it is in stretches of equal length.
    ///
    /// # Errors
    /// See `ChildError`; the child is fit for the next job after each of them.
    pub async fn listen(
        &mut self,
        path: &Path,
        name: &str,
        to: &Path,
        limit: Duration,
    ) -> Result<(u32, Vec<u8>), ChildError> {
        let request = Request::Listen { path: path.to_owned(), name: name.to_owned(), to: to.to_owned() };
        match self.ask(&request, limit, |_| ()).await? {
            Reply::Listen { sound_ms, peaks } if peaks.len() <= MAX_PEAKS => Ok((sound_ms, peaks)),
            _ => Err(self.mismatch()),
        }
    }

    /// To be called when there is nothing to do: ends a child that has been idle for `idle_after`, which gives its
    /// memory back. Says after how long to call again; `None` where no child runs.
    pub async fn rest(&mut self) -> Option<Duration> {
        let due = self.running.as_ref()?.last_used + self.options.idle_after;
        let left = due.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Some(left);
        }
        tracing::info!(child = self.options.name, "the child has been idle and is ended");
        self.stop().await;
        None
    }

    /// Ends the child now.
    pub async fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().await;
        }
    }

    /// One job from the request to the answer. The child is held outside of `self` meanwhile: where the job is
    /// dropped half-way, the child is dropped with it and killed, and no old answer can meet a new request.
    async fn ask(
        &mut self,
        request: &Request,
        limit: Duration,
        progress: impl FnMut(f32) + Send,
    ) -> Result<Reply, ChildError> {
        let deadline = Instant::now() + limit;
        let mut running = self.started(deadline).await?;
        match running.answer(request, deadline, self.options.silent_at_most, progress).await {
            Ok(reply) => {
                self.keep(running);
                match reply {
                    Reply::Refused(refusal) => Err(refusal.into()),
                    reply => Ok(reply),
                }
            }
            Err(fault) => Err(self.lost(running, fault).await),
        }
    }

    /// The child that runs, or a fresh one.
    async fn started(&mut self, deadline: Instant) -> Result<Running, ChildError> {
        match self.running.take().and_then(Running::alive) {
            Some(running) => Ok(running),
            None => self.start(deadline).await,
        }
    }

    fn keep(&mut self, mut running: Running) {
        running.last_used = Instant::now();
        self.running = Some(running);
    }

    async fn lost(&self, mut running: Running, fault: Fault) -> ChildError {
        let error = running.autopsy(Some(fault)).await;
        let stderr = running.stderr_text();
        tracing::warn!(child = self.options.name, %error, stderr, "the child is lost");
        error
    }

    async fn start(&self, deadline: Instant) -> Result<Running, ChildError> {
        let fault = |why: String| ChildError::Start { name: self.options.name.clone(), why };
        let mut running = Running::spawn(&self.options).map_err(|error| fault(error.to_string()))?;
        let hello = running.listen(deadline, START_WITHIN, &mut |_| ()).await;
        let error = match hello {
            Ok(Reply::Hello { version: VERSION }) => return Ok(running),
            Ok(Reply::Hello { version }) => return Err(fault(format!("it speaks protocol {version}, not {VERSION}"))),
            Ok(_) => return Err(fault("it does not begin with a hello".to_owned())),
            Err(error) => running.autopsy(Some(error)).await,
        };
        let stderr = running.stderr_text();
        tracing::warn!(child = self.options.name, %error, stderr, "the child did not start");
        Err(fault(error.to_string()))
    }

    /// An answer to another question: the child is not to be trusted further.
    fn mismatch(&mut self) -> ChildError {
        self.running = None;
        ChildError::Garbage("an answer to another question".to_owned())
    }
}
