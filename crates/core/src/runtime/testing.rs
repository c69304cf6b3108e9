//! A JS runtime for tests: a clock that stands still until it is moved, jobs on threads or run by hand,
//! and an executor of one thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Job, Runtime, lock};
use crate::driver::LocalFuture;

/// How long threads of the process may be silent before a test that waits for them is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How jobs for other threads are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// Each on a thread of its own, at once.
    Threads,
    /// On the test's thread, in their order, when a future waits or the test asks for it.
    ByHand,
}

/// The JS runtime of a test. It lives on the thread of the test.
pub struct TestRuntime {
    this: Weak<TestRuntime>,
    kind: Jobs,
    now_ms: Cell<u64>,
    jobs: RefCell<VecDeque<Job>>,
    tasks: RefCell<Vec<LocalFuture<()>>>,
    sleepers: RefCell<Vec<(u64, oneshot::Sender<()>)>>,
    warnings: RefCell<Vec<(&'static str, String)>>,
    holds: Rc<Cell<usize>>,
    signal: Arc<Signal>,
}

/// Tells the executor that there is something to poll.
#[derive(Default)]
struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_woken: bool,
    /// Jobs on threads that have not ended.
    running: usize,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        lock(&self.state).is_woken = true;
        self.changed.notify_all();
    }
}

impl TestRuntime {
    /// A JS runtime whose clock shows `now_ms`.
    pub fn new(kind: Jobs, now_ms: u64) -> Rc<Self> {
        Rc::new_cyclic(|this| TestRuntime {
            this: this.clone(),
            kind,
            now_ms: Cell::new(now_ms),
            jobs: RefCell::default(),
            tasks: RefCell::default(),
            sleepers: RefCell::default(),
            warnings: RefCell::default(),
            holds: Rc::default(),
            signal: Arc::default(),
        })
    }

    /// The JS runtime as the core sees it.
    pub fn port(&self) -> Rc<dyn Runtime> {
        self.this
            .upgrade()
            .expect("a method is called on a live value")
    }

    /// The outcome of a future that needs no waiting; `None` when it is pending, and it is dropped.
    pub fn now<F: Future>(&self, future: F) -> Option<F::Output> {
        match self.poll(pin!(future)) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    /// Runs everything until the future is ready.
    ///
    /// # Panics
    /// When it would wait forever: no job is left, no thread wakes it, and time stands still.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            lock(&self.signal.state).is_woken = false;
            if let Poll::Ready(outcome) = self.poll(future.as_mut()) {
                return outcome;
            }
            self.poll_tasks();
            assert!(
                self.wait() || self.run_job() || self.wait_for_others(),
                "the future waits for something that nobody does"
            );
        }
    }

    /// Runs everything that can go on without waiting, jobs by hand included.
    pub fn settle(&self) {
        loop {
            lock(&self.signal.state).is_woken = false;
            self.poll_tasks();
            if !self.wait() && !self.run_job() {
                return;
            }
        }
    }

    /// Runs the oldest job by hand; says whether there was one.
    pub fn run_job(&self) -> bool {
        let job = self.jobs.borrow_mut().pop_front();
        job.map(|job| job()).is_some()
    }

    /// How many jobs wait to be run by hand.
    pub fn waiting_jobs(&self) -> usize {
        self.jobs.borrow().len()
    }

    /// Moves the clock, ends the sleeps that are over and runs what they waited for.
    pub fn advance(&self, ms: u64) {
        self.pass(ms);
        self.settle();
    }

    /// Moves the clock and ends the sleeps that are over. Tasks go on, before and after, to where
    /// they wait again; no job is run by hand.
    pub fn pass(&self, ms: u64) {
        self.poll_tasks();
        let now_ms = self.now_ms.get() + ms;
        self.now_ms.set(now_ms);
        let mut sleepers = self.sleepers.take();
        sleepers.sort_by_key(|(until_ms, _)| *until_ms);
        for (until_ms, sleeper) in sleepers {
            if until_ms <= now_ms {
                // Whoever slept may be gone.
                let _ = sleeper.send(());
            } else {
                self.sleepers.borrow_mut().push((until_ms, sleeper));
            }
        }
        self.poll_tasks();
    }

    /// How many tasks have not ended.
    pub fn tasks(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// How many sleeps somebody waits for.
    pub fn sleeps(&self) -> usize {
        let sleepers = self.sleepers.borrow();
        sleepers
            .iter()
            .filter(|(_, sleeper)| !sleeper.is_closed())
            .count()
    }

    /// The warnings so far, each once.
    pub fn warnings(&self) -> Vec<(&'static str, String)> {
        self.warnings.borrow().clone()
    }

    /// How many guards keep the event loop alive.
    pub fn holds(&self) -> usize {
        self.holds.get()
    }

    fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        let waker = Waker::from(self.signal.clone());
        future.poll(&mut Context::from_waker(&waker))
    }

    fn poll_tasks(&self) {
        // Tasks that start while others are polled join the list behind them.
        let tasks = self.tasks.take();
        for mut task in tasks {
            if self.poll(Pin::new(&mut task)).is_pending() {
                self.tasks.borrow_mut().push(task);
            }
        }
    }

    /// Waits for a wake-up as long as a thread can give one; says whether there was one.
    fn wait(&self) -> bool {
        let mut state = lock(&self.signal.state);
        while !state.is_woken && state.running > 0 {
            state = self
                .signal
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.is_woken
    }

    /// Waits for a wake-up by threads that are not the JS runtime's, such as those of the process's pool;
    /// says whether there was one.
    fn wait_for_others(&self) -> bool {
        if self.kind == Jobs::ByHand {
            return false;
        }
        let state = lock(&self.signal.state);
        let (state, _) = self
            .signal
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.is_woken)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_woken
    }
}

/// Counts down when its job has ended, also by a panic.
struct Running(Arc<Signal>);

impl Drop for Running {
    fn drop(&mut self) {
        lock(&self.0.state).running -= 1;
        self.0.changed.notify_all();
    }
}

struct Hold(Rc<Cell<usize>>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Runtime for TestRuntime {
    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    fn run_blocking(&self, job: Job) {
        if self.kind == Jobs::ByHand {
            self.jobs.borrow_mut().push_back(job);
            return;
        }
        lock(&self.signal.state).running += 1;
        let running = Running(self.signal.clone());
        std::thread::spawn(move || {
            let _running = running;
            job();
        });
    }

    fn sleep(&self, ms: u64) -> LocalFuture<()> {
        let (sleeper, over) = oneshot::channel();
        let until_ms = self.now_ms.get().saturating_add(ms);
        self.sleepers.borrow_mut().push((until_ms, sleeper));
        Box::pin(async move {
            let _ = over.await;
        })
    }

    fn spawn(&self, mut task: LocalFuture<()>) {
        if self.poll(Pin::new(&mut task)).is_pending() {
            self.tasks.borrow_mut().push(task);
        }
    }

    fn keep_alive(&self) -> Box<dyn Any> {
        self.holds.set(self.holds.get() + 1);
        Box::new(Hold(self.holds.clone()))
    }

    fn warn(&self, code: &'static str, message: String) {
        let warning = (code, message);
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_end_when_the_clock_passes_them_and_not_before() {
        let runtime = TestRuntime::new(Jobs::ByHand, 100);
        let woken = Rc::new(RefCell::new(Vec::new()));
        for ms in [20, 10] {
            let (sleep, woken) = (runtime.sleep(ms), woken.clone());
            runtime.spawn(Box::pin(async move {
                sleep.await;
                woken.borrow_mut().push(ms);
            }));
        }
        drop(runtime.sleep(5));
        runtime.advance(9);
        assert!(woken.borrow().is_empty());
        assert_eq!(runtime.sleeps(), 2);
        runtime.advance(1);
        assert_eq!(*woken.borrow(), [10]);
        assert_eq!(runtime.sleeps(), 1);
        runtime.advance(100);
        assert_eq!(*woken.borrow(), [10, 20]);
        assert_eq!(runtime.now_ms(), 210);
    }

    #[test]
    #[should_panic(expected = "nobody does")]
    fn waiting_for_nothing_is_told_apart_from_waiting() {
        TestRuntime::new(Jobs::ByHand, 0).block_on(std::future::pending::<()>());
    }
}
