//! Blocking work on other threads, awaited on the JS thread.

use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_util::FutureExt;
use tokio::sync::oneshot;

use crate::pool::{self, SerialQueue};
use crate::unheard::{Done, Unheard};
use eas_core::driver::LocalFuture;
use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::{Job, Runtime, caught};

/// Runs blocking work on another thread; the future completes on the JS thread and keeps its
/// loop alive until then. The work is done even if the future is dropped.
pub fn offload<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    offload_by(runtime, |job| runtime.run_blocking(job), None, work)
}

/// As [`offload`], for a write: should it fail, that is noted until its caller hears of it.
pub fn offload_write<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    unheard: &Arc<Unheard>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let unheard = Some(unheard.clone());
    offload_by(runtime, |job| runtime.run_blocking(job), unheard, work)
}

/// As [`offload_write`], after everything of the serial queue.
pub fn offload_in<T: Send + 'static>(
    queue: &Arc<SerialQueue>,
    runtime: &Rc<dyn Runtime>,
    unheard: &Arc<Unheard>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let start = |job: Job| queue.submit(job, |job| runtime.run_blocking(job));
    offload_by(runtime, start, Some(unheard.clone()), work)
}

/// As [`offload`] or [`offload_write`], for work that takes long, on the serial queue's own thread after
/// everything of the queue.
pub fn offload_aside<T: Send + 'static>(
    queue: &Arc<SerialQueue>,
    runtime: &Rc<dyn Runtime>,
    unheard: Option<Arc<Unheard>>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let start = |job| queue.submit(job, pool::submit_aside);
    offload_by(runtime, start, unheard, work)
}

/// As [`offload`], on a thread of its own. For work that waits for someone else, who may need the
/// threads of the process to get on.
pub fn offload_alone<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    offload_by(
        runtime,
        |job| pool::run_on_own_thread("eas-wait", job),
        None,
        work,
    )
}

fn offload_by<T: Send + 'static>(
    runtime: &Rc<dyn Runtime>,
    start: impl FnOnce(Job),
    unheard: Option<Arc<Unheard>>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> LocalFuture<Result<T>> {
    let (answer, outcome) = oneshot::channel();
    let settled = settled(outcome, runtime, unheard.clone());
    start(Box::new(move || {
        let done = match unheard {
            Some(unheard) => unheard.watch(|| caught(work)),
            None => (caught(work), None),
        };
        // Nobody listens once the JS context has shut down; the work was done all the same.
        let _ = answer.send(done);
    }));
    settled
}

/// What another thread answers; the loop of the JS thread is kept alive until then.
pub(super) fn settled<T: 'static>(
    outcome: oneshot::Receiver<Done<T>>,
    runtime: &Rc<dyn Runtime>,
    unheard: Option<Arc<Unheard>>,
) -> LocalFuture<Result<T>> {
    let alive = runtime.keep_alive();
    let mut outcome = outcome;
    Box::pin(async move {
        let answer = match (&mut outcome).now_or_never() {
            Some(answer) => {
                // Within the call nobody can hear of it: the caller may end the process next.
                if matches!(answer, Ok((Err(_), _))) {
                    next_turn().await;
                }
                answer
            }
            None => outcome.await,
        };
        drop(alive);
        let Ok((outcome, number)) = answer else {
            return Err(Error::new(Kind::Disposed, "the context has ended"));
        };
        if let (Some(unheard), Some(number)) = (unheard, number) {
            unheard.heard(number);
        }
        outcome
    })
}

/// Completes when it is polled again.
fn next_turn() -> impl Future<Output = ()> {
    let mut is_next = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut is_next, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use eas_core::runtime::testing::{Jobs, TestRuntime};

    #[test]
    fn a_job_is_done_and_its_answer_comes_back() {
        for kind in [Jobs::Threads, Jobs::ByHand] {
            let runtime = TestRuntime::new(kind, 0);
            let answer = runtime.block_on(offload(&runtime.port(), || Ok(7)));
            assert_eq!(answer.ok(), Some(7), "{kind:?}");
            assert_eq!(runtime.holds(), 0);
        }
    }

    #[test]
    fn a_write_that_failed_is_noted_until_its_caller_hears_of_it() {
        let runtime = TestRuntime::new(Jobs::ByHand, 0);
        let unheard = Arc::<Unheard>::default();
        let fails = || Err::<(), _>(Error::new(Kind::System("EIO"), "it fails"));
        let mut heard = offload_write(&runtime.port(), &unheard, fails);
        assert!(unheard.is_empty());
        assert!(runtime.run_job());
        assert!(runtime.now(heard.as_mut()).is_none(), "not within the call");
        assert!(!unheard.is_empty());
        assert!(runtime.block_on(heard).is_err());
        assert!(unheard.is_empty());
        // The context shuts down before it is awaited.
        drop(offload_write(&runtime.port(), &unheard, fails));
        assert!(runtime.run_job());
        assert!(!unheard.is_empty());
    }

    #[test]
    fn jobs_by_hand_wait_until_they_are_run() {
        let runtime = TestRuntime::new(Jobs::ByHand, 0);
        let mut answer = offload(&runtime.port(), || Ok(7));
        assert!(runtime.now(answer.as_mut()).is_none());
        assert_eq!((runtime.waiting_jobs(), runtime.holds()), (1, 1));
        assert!(runtime.run_job());
        assert_eq!(runtime.now(answer).and_then(Result::ok), Some(7));
    }
}
