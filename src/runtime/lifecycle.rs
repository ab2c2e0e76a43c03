//! Start and stop: a soft token (finish your step), a hard token (drop it; the lease brings it back).

use futures::FutureExt as _;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Shared by all tasks of the service.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
    broken: Arc<AtomicBool>,
}

impl Lifecycle {
    /// Runs a task of the service. One that ends although nobody asked it to stops the whole service with an error:
    /// a half-running watch is worse than one that is started again.
    pub fn spawn(&self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        let this = self.clone();
        #[expect(clippy::disallowed_methods, reason = "the one home of spawn")]
        let running = tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                () = this.hard.cancelled() => return,
            }
            if !this.is_stopping() {
                tracing::error!(task = %name, "a task ended by itself: stopping the service");
                this.broken.store(true, Ordering::SeqCst);
                this.soft.cancel();
            }
        });
        let this = self.clone();
        self.tasks.spawn(async move {
            if let Err(error) = running.await {
                tracing::error!(%error, "a task panicked: stopping the service");
                this.broken.store(true, Ordering::SeqCst);
                this.soft.cancel();
            }
        });
    }

    /// Runs a task on two threads of its own: however busy it is, the others are not kept waiting. It must end when the
    /// service stops.
    ///
    /// # Errors
    /// Where the threads cannot be had.
    pub fn spawn_apart(&self, name: String, task: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(name.clone())
            .enable_all()
            .build()?;
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let hard = self.hard.clone();
        std::thread::Builder::new().name(name.clone()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = task => {}
                    () = hard.cancelled() => {}
                }
            });
            runtime.shutdown_background();
            // dropped by a panic, too
            drop(ended);
        })?;
        self.spawn(name, async move { drop(end.await) });
        Ok(())
    }

    /// Runs something whose fault must not stop the watch; whether it ended without a panic. The panic's words are in the
    /// log; what it worked on must not be used any further.
    pub async fn ends_well(name: &str, future: impl Future<Output = ()>) -> bool {
        let ended = AssertUnwindSafe(future).catch_unwind().await;
        if ended.is_err() {
            tracing::error!(task = name, "panicked; the service goes on");
        }
        ended.is_ok()
    }

    /// Whether the service is asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Whether a task ended by itself.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Asks every task to finish its step and end.
    pub fn stop(&self) {
        self.soft.cancel();
    }

    /// Drops every task at its next await.
    pub fn abort(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }

    /// Waits until the service is asked to stop.
    pub async fn stopping(&self) {
        self.soft.cancelled().await;
    }

    /// The future's value, or `None` when the service is asked to stop first.
    pub async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.soft.cancelled() => None,
            value = future => Some(value),
        }
    }

    /// Waits for all tasks to end.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// First SIGTERM or SIGINT stops softly, the second (or `grace` later) hard. Ends when all tasks have ended.
    ///
    /// # Errors
    /// Where the signals cannot be listened to.
    pub async fn until_ended(&self, grace: std::time::Duration) -> std::io::Result<()> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = term.recv() => tracing::info!("asked to stop: finishing the steps under way"),
            _ = int.recv() => tracing::info!("asked to stop: finishing the steps under way"),
            () = self.soft.cancelled() => {}
        }
        self.soft.cancel();
        tokio::select! {
            () = self.ended() => return Ok(()),
            _ = term.recv() => tracing::warn!("asked again: dropping the steps under way"),
            _ = int.recv() => tracing::warn!("asked again: dropping the steps under way"),
            () = tokio::time::sleep(grace) => tracing::warn!("the steps under way take too long: dropping them"),
        }
        self.hard.cancel();
        self.ended().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_that_is_held_costs_its_task_and_never_the_service() {
        let lifecycle = Lifecycle::default();
        let (told, end) = tokio::sync::oneshot::channel();
        let stop = lifecycle.clone();
        lifecycle.spawn("page".into(), async move {
            let well = Lifecycle::ends_well("replay", async { panic!("a fault") }).await;
            assert!(told.send(well).is_ok());
            stop.stopping().await;
        });
        assert_eq!(end.await, Ok(false));
        assert!(!lifecycle.is_stopping() && !lifecycle.is_broken());
        lifecycle.spawn("alarm".into(), async { panic!("a fault that nobody holds") });
        lifecycle.ended().await;
        assert!(lifecycle.is_broken(), "a half-running watch stops");
    }
}
