//! A started child as the parent holds it: its pipes, what it said, how it is killed.
//!
//! Promises: whoever drops a `Running` kills its process group; waiting for it loses no byte.
//! What can go wrong: the child, in every way; a `Fault` says which.

use super::protocol::{self, FrameError, Frames, Reply, Request};
use super::{ChildError, ChildOptions};
use rustix::process::{Pid, Signal};
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

/// Bytes read from a pipe at once.
const PIECE: usize = 4 * 1024;
/// How much of the child's error output is kept for the log.
const KEPT_STDERR: usize = 4 * 1024;
/// How long a child that closed its pipes may take to end by itself.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// What ended a conversation.
#[derive(Debug)]
pub(super) enum Fault {
    /// The pipes closed: it died.
    Gone,
    /// A limit passed.
    Late(&'static str),
    /// It said what is no message.
    Frame(FrameError),
}

/// How glibc gets the child's memory (mallopt(3), the manual's "Memory Allocation Tunables").
const MEMORY: [(&str, &str); 2] = [
    // What is at least this large (bytes) goes back as soon as it is freed. By itself glibc keeps blocks of up to 32 MiB, in
    // an arena for each thread: what one piece needed lies beside what the next one needs.
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    // Huge pages where the kernel has them for whoever asks: each token reads the whole decoder. The child switches them
    // off once the weights lie in them.
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
];

/// A started child. Dropping it kills its process group.
#[derive(Debug)]
pub(super) struct Running {
    process: tokio::process::Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    frames: Frames,
    /// The last bytes of its error output.
    said: VecDeque<u8>,
    stderr_open: bool,
    /// When it last finished a job.
    pub(super) last_used: Instant,
}

impl Running {
    /// Starts the program; it has said nothing yet.
    pub(super) fn spawn(options: &ChildOptions) -> std::io::Result<Self> {
        let mut process = Command::new(&options.program)
            .args(&options.args)
            // it needs nothing of our environment, and secrets may stand there
            .env_clear()
            .envs(MEMORY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(std::io::Error::other("a pipe is missing"));
        };
        Ok(Self {
            process,
            stdin,
            stdout,
            stderr,
            frames: Frames::default(),
            said: VecDeque::new(),
            stderr_open: true,
            last_used: Instant::now(),
        })
    }

    /// Its process id, as long as it has not been waited for.
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Itself, where it still lives.
    pub(super) fn alive(mut self) -> Option<Self> {
        matches!(self.process.try_wait(), Ok(None)).then_some(self)
    }

    /// Asks and waits for the answer.
    pub(super) async fn answer(
        &mut self,
        request: &Request,
        deadline: Instant,
        silent_at_most: Duration,
        mut progress: impl FnMut(f32) + Send,
    ) -> Result<Reply, Fault> {
        self.send(request, deadline).await?;
        self.listen(deadline, silent_at_most, &mut progress).await
    }

    /// Asks, without waiting for an answer.
    pub(super) async fn send(&mut self, request: &Request, deadline: Instant) -> Result<(), Fault> {
        let bytes = protocol::frame(request).map_err(Fault::Frame)?;
        match timeout_at(deadline, self.stdin.write_all(&bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Fault::Gone),
            Err(_) => Err(Fault::Late("its limit passed")),
        }
    }

    /// The next message that is not about progress.
    pub(super) async fn listen(
        &mut self,
        deadline: Instant,
        silent_at_most: Duration,
        progress: &mut (dyn FnMut(f32) + Send),
    ) -> Result<Reply, Fault> {
        let mut silent_until = Instant::now() + silent_at_most;
        loop {
            match self.frames.take::<Reply>().map_err(Fault::Frame)? {
                Some(Reply::Progress { done }) => {
                    silent_until = Instant::now() + silent_at_most;
                    progress(if done.is_finite() { done.clamp(0.0, 1.0) } else { 0.0 });
                    if Instant::now() >= deadline {
                        return Err(Fault::Late("its limit passed"));
                    }
                }
                Some(reply) => {
                    if let Reply::Transcribed { result, .. } = &reply
                        && let Ok(transcript) = result.as_ref()
                    {
                        protocol::check(transcript).map_err(Fault::Frame)?;
                    }
                    return Ok(reply);
                }
                None => match timeout_at(deadline.min(silent_until), self.hear()).await {
                    Ok(true) => (),
                    Ok(false) => return Err(Fault::Gone),
                    Err(_) if silent_until < deadline => return Err(Fault::Late("it was silent for too long")),
                    Err(_) => return Err(Fault::Late("its limit passed")),
                },
            }
        }
    }

    /// Waits for bytes on either pipe; false at the end of its output. May be dropped at any time without loss.
    async fn hear(&mut self) -> bool {
        let (mut piece, mut aside) = ([0; PIECE], [0; 1024]);
        tokio::select! {
            read = self.stdout.read(&mut piece) => match read {
                Ok(length @ 1..) => { self.frames.push(&piece[..length]); true }
                _ => false,
            },
            read = self.stderr.read(&mut aside), if self.stderr_open => {
                self.note(&aside[..*read.as_ref().unwrap_or(&0)]);
                true
            }
        }
    }

    fn note(&mut self, bytes: &[u8]) {
        self.stderr_open = !bytes.is_empty();
        self.said.extend(bytes);
        let surplus = self.said.len().saturating_sub(KEPT_STDERR);
        self.said.drain(..surplus);
    }

    /// What the child's end says about the fault; afterwards it is dead in any case.
    pub(super) async fn autopsy(&mut self, fault: Option<Fault>) -> ChildError {
        let gone = matches!(fault, Some(Fault::Gone) | None);
        if gone {
            drop(tokio::time::timeout(LAST_BREATH, self.process.wait()).await);
        }
        let status = self.kill().await;
        // what it had to say stands in the pipe even now
        let mut rest = vec![0; KEPT_STDERR];
        if let Ok(Ok(length)) = tokio::time::timeout(LAST_BREATH, self.stderr.read(&mut rest)).await {
            self.note(&rest[..length]);
        }
        match fault {
            Some(Fault::Late(why)) => ChildError::TimedOut(why),
            Some(Fault::Frame(error)) => ChildError::Garbage(error.to_string()),
            Some(Fault::Gone) | None => ChildError::Crashed {
                code: status.and_then(|status| status.code()),
                signal: status.and_then(|status| status.signal()),
            },
        }
    }

    /// Kills the whole group and waits for the leader, who would stay as a zombie else.
    pub(super) async fn kill(&mut self) -> Option<ExitStatus> {
        self.kill_group();
        self.process.wait().await.ok()
    }

    fn kill_group(&self) {
        // no id once it is waited for: the number may be somebody else's by then
        let pid = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // an error says that it is gone already
            rustix::process::kill_process_group(pid, Signal::KILL).unwrap_or_default();
        }
    }

    /// The last of what it said on its error output.
    pub(super) fn stderr_text(&self) -> String {
        let bytes: Vec<u8> = self.said.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
    }
}
