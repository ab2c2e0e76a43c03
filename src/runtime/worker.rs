//! The worker, once for all stages: look, work, or wait for the bell; never end before the service does.
//!
//! A step claims one due row under a lease (the try is counted before it is made), works, and commits its result, the next
//! work and the event in one transaction guarded by the lease's token. A panic in a step is a failed try: the lease brings
//! the row back.

use crate::runtime::bell::Bell;
use crate::runtime::clock::Clock;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::status::{State, Status};
use crate::store::StoreError;
use async_trait::async_trait;
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// Whether a round found work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// It did: look again at once.
    Worked,
    /// Nothing is due.
    Idle,
}

/// One stage's work.
#[async_trait]
pub trait Step: Send {
    /// The worker's name in logs and on the status board.
    fn name(&self) -> String;

    /// Does one round: at most one row.
    ///
    /// # Errors
    /// Where the store refused; the row, if one was claimed, comes back with its lease.
    async fn tick(&mut self) -> Result<Round, StoreError>;

    /// Called while there is nothing to do.
    async fn idle(&mut self) {}
}

/// What a worker needs beside its step.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Rung when work may be there.
    pub bell: Bell,
    /// Looked anyway after so long.
    pub poll: Duration,
    /// Start and stop.
    pub lifecycle: Lifecycle,
    /// The board.
    pub status: Status,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Worker {
    /// Works until the service stops.
    pub async fn run(self, mut step: impl Step) {
        let name = step.name();
        let mut failures = 0u32;
        while !self.lifecycle.is_stopping() {
            self.status.say(&name, State::Running, "", self.clock.now());
            match AssertUnwindSafe(step.tick()).catch_unwind().await {
                Ok(Ok(Round::Worked)) => {
                    failures = 0;
                    self.status.say(&name, State::Idle, "", self.clock.now());
                }
                Ok(Ok(Round::Idle)) => {
                    failures = 0;
                    self.status.say(&name, State::Idle, "", self.clock.now());
                    step.idle().await;
                    self.rest(self.poll).await;
                }
                Ok(Err(StoreError::LeaseLost(what))) => {
                    tracing::info!(worker = %name, %what, "somebody else was quicker: the result is dropped");
                }
                Ok(Err(error)) => {
                    failures = failures.saturating_add(1);
                    tracing::error!(worker = %name, %error, "a round failed; trying again");
                    self.status.say(&name, State::Failing, error.to_string(), self.clock.now());
                    self.rest(backoff(failures)).await;
                }
                Err(_) => {
                    failures = failures.saturating_add(1);
                    tracing::error!(worker = %name, "a step panicked; its row comes back with its lease");
                    self.status.say(&name, State::Failing, "a step panicked", self.clock.now());
                    self.rest(backoff(failures)).await;
                }
            }
        }
    }

    async fn rest(&self, at_most: Duration) {
        let woken = async {
            tokio::select! {
                () = self.bell.wait() => {}
                () = tokio::time::sleep(at_most) => {}
            }
        };
        self.lifecycle.unless_stopped(woken).await;
    }
}

/// 100 ms, doubled each time, 5 s at most.
fn backoff(failures: u32) -> Duration {
    Duration::from_millis(100).saturating_mul(1 << failures.min(6)).min(Duration::from_secs(5))
}
