//! What the core needs from the program it runs in: time, threads, tasks and a place for warnings.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::driver::LocalFuture;
use crate::error::{Error, Kind, Result};
use crate::pool::{self, Lane};

mod exit;
#[doc(hidden)]
pub mod testing;

pub use exit::{AtExit, Moves, finish, run_at_exit};

/// Work for another thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// The ports of the core. All methods are called on the host's thread.
pub trait Runtime {
    /// Wall-clock time in ms since the epoch.
    fn now_ms(&self) -> u64;

    /// Runs a job on another thread, in the order of the calls as far as threads are free.
    fn run_blocking(&self, job: Job);

    /// Completes after `ms` milliseconds. Does not keep the host's loop alive.
    fn sleep(&self, ms: u64) -> LocalFuture<()>;

    /// Runs a task on the host's thread. Its first poll is at once.
    fn spawn(&self, task: LocalFuture<()>);

    /// Keeps the host's loop alive for as long as the guard lives.
    fn keep_alive(&self) -> Box<dyn Any>;

    /// Does `work` when the host's context ends, in whatever way but a kill, unless the guard was
    /// dropped before. It may be started twice, when the end begins and when it is there. Hosts that
    /// do not end on their own ignore it.
    fn at_exit(&self, _work: Rc<dyn AtExit>) -> Box<dyn Any> {
        Box::new(())
    }

    /// Whether the context has begun to end: there may be no later moment for work on other threads.
    fn is_ending(&self) -> bool {
        false
    }

    /// Shows a warning to the developer of the program, once per `code` and `message`.
    fn warn(&self, code: &'static str, message: String);
}

/// Locks a mutex whose data stays consistent even if a holder panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs blocking work on another thread; the future completes on the host's thread and keeps its
/// loop alive until then. The work is done even if the future is dropped.
pub fn offload<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    offload_by(runtime, |job| runtime.run_blocking(job), work)
}

/// As [`offload`], after everything of the lane.
pub fn offload_in<T: Send + 'static>(
    lane: &Arc<Lane>,
    runtime: &Rc<dyn Runtime>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let start = |job: Job| lane.submit(job, |job| runtime.run_blocking(job));
    offload_by(runtime, start, work)
}

/// As [`offload_in`], for work that takes long, on the lane's own thread.
pub fn offload_aside<T: Send + 'static>(
    lane: &Arc<Lane>,
    runtime: &Rc<dyn Runtime>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    offload_by(runtime, |job| lane.submit(job, pool::submit_aside), work)
}

/// As [`offload`], on a thread of its own. For work that waits for someone else, who may need the
/// threads of the process to get on.
pub fn offload_alone<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let start = |job: Job| {
        // Without a thread the job is dropped, and the future ends with an error.
        let _ = thread::Builder::new()
            .name("eas-wait".to_owned())
            .spawn(job);
    };
    offload_by(runtime, start, work)
}

fn offload_by<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    start: impl FnOnce(Job),
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let alive = runtime.keep_alive();
    let (answer, outcome) = oneshot::channel();
    start(Box::new(move || {
        // Nobody listens once the host's context has ended; the work was done all the same.
        let _ = answer.send(caught(work));
    }));
    Box::pin(async move {
        let outcome = outcome.await;
        drop(alive);
        outcome.unwrap_or_else(|_| Err(Error::new(Kind::Disposed, "the context has ended")))
    })
}

/// Runs work, with a panic as its error.
pub fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(Error::panic(&*payload)))
}
