//! The threads of the process for work that must not hold up a host's thread.
//!
//! One tokio runtime serves every context of the process. It starts with the first job and is never
//! dropped, so that no context's end has to wait for another's work.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::runtime::{Job, lock};

/// Threads for blocking work. Desktop disks gain little beyond this, and each thread holds at most
/// a few descriptors, which bounds those as well.
pub const THREADS: usize = 4;

/// Into how many jobs work on many items is split: no more than there are cores, so that what serves
/// a host's thread does not keep it from running.
pub fn parallel_jobs() -> usize {
    static JOBS: OnceLock<usize> = OnceLock::new();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    *JOBS.get_or_init(|| cores().min(THREADS))
}

/// How many there may be with those that [stepped aside](step_aside).
const MOST_THREADS: usize = 64;

const KEEP_IDLE: Duration = Duration::from_secs(60);

/// One thread drives the timers, as one worker of tokio's larger scheduler would, at half its size.
fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(MOST_THREADS)
            .thread_keep_alive(KEEP_IDLE)
            .thread_name("eas-pool")
            .enable_time()
            .build()
            .expect("the system has timers to spare");
        let handle = runtime.handle().clone();
        std::thread::Builder::new()
            .name("eas-pool".to_owned())
            .spawn(move || runtime.block_on(std::future::pending::<()>()))
            .expect("the system has threads to spare");
        handle
    })
}

/// What the threads do.
struct Work {
    /// Threads that have a job, without those that stepped aside.
    busy: usize,
    /// Jobs that wait for a thread.
    jobs: VecDeque<Job>,
}

static WORK: Mutex<Work> = Mutex::new(Work {
    busy: 0,
    jobs: VecDeque::new(),
});

thread_local! {
    static HAS_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// Runs a job on one of the threads; jobs start in the order in which they were submitted.
pub fn submit(job: Job) {
    let mut work = lock(&WORK);
    if work.busy < THREADS {
        work.busy += 1;
        drop(work);
        start(job);
    } else {
        work.jobs.push_back(job);
    }
}

/// Gives a job to a thread that counts as busy.
fn start(job: Job) {
    runtime().spawn_blocking(move || {
        HAS_PLACE.set(true);
        let mut job = Some(job);
        while let Some(next) = job.take() {
            // Whoever waits for a job that panics finds its answer gone.
            let _ = catch_unwind(AssertUnwindSafe(next));
            job = next_job();
        }
        HAS_PLACE.set(false);
    });
}

fn next_job() -> Option<Job> {
    let mut work = lock(&WORK);
    // One that stepped aside has come back.
    let is_surplus = work.busy > THREADS;
    let job = if is_surplus {
        None
    } else {
        work.jobs.pop_front()
    };
    if job.is_none() {
        work.busy -= 1;
    }
    job
}

/// The place of a thread among the busy ones, which another has until this is dropped.
pub struct Aside(());

impl Drop for Aside {
    fn drop(&mut self) {
        lock(&WORK).busy += 1;
        HAS_PLACE.set(true);
    }
}

/// What is held for a few calls of the system is free again by then, as a rule.
pub const SOON: Duration = Duration::from_millis(2);

/// Lets another thread work in place of this one, which waits for something that may take long. `None` on threads that are not of the pool.
pub fn step_aside() -> Option<Aside> {
    if !HAS_PLACE.replace(false) {
        return None;
    }
    let mut work = lock(&WORK);
    let job = work.jobs.pop_front();
    if job.is_none() {
        work.busy -= 1;
    }
    drop(work);
    if let Some(job) = job {
        start(job);
    }
    Some(Aside(()))
}

/// Something that is had by one thread at a time, at times for long.
#[derive(Default)]
pub struct Turns {
    is_taken: Mutex<bool>,
    free: Condvar,
}

/// The right to go on; ends when it is dropped.
pub struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(&self.0.is_taken) = false;
        self.0.free.notify_one();
    }
}

impl Turns {
    /// Waits for the turn; a thread of the pool [steps aside](step_aside) where that takes longer.
    pub fn take(&self) -> Turn<'_> {
        let is_taken = lock(&self.is_taken);
        let waited = self
            .free
            .wait_timeout_while(is_taken, SOON, |is_taken| *is_taken);
        let (mut is_taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_taken {
            drop(is_taken);
            let _aside = step_aside();
            let waited = self
                .free
                .wait_while(lock(&self.is_taken), |is_taken| *is_taken);
            is_taken = waited.unwrap_or_else(PoisonError::into_inner);
        }
        *is_taken = true;
        Turn(self)
    }
}

/// Jobs that wait for each other anyway: they run one after the other and need one thread.
#[derive(Default)]
pub struct Lane {
    jobs: Mutex<LaneJobs>,
}

#[derive(Default)]
struct LaneJobs {
    is_busy: bool,
    waiting: VecDeque<Job>,
}

impl Lane {
    /// Runs a job after those that were submitted before. `run` runs what it is given on a thread.
    pub fn submit(self: &Arc<Self>, job: Job, run: impl FnOnce(Job)) {
        let mut jobs = lock(&self.jobs);
        jobs.waiting.push_back(job);
        if std::mem::replace(&mut jobs.is_busy, true) {
            return;
        }
        drop(jobs);
        let this = self.clone();
        run(Box::new(move || {
            while let Some(job) = this.next() {
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        }));
    }

    fn next(&self) -> Option<Job> {
        let mut jobs = lock(&self.jobs);
        let job = jobs.waiting.pop_front();
        jobs.is_busy = job.is_some();
        job
    }
}

/// Runs a job on one of the threads after a delay.
pub fn submit_after(delay: Duration, job: Job) {
    drop(spawn(async move {
        tokio::time::sleep(delay).await;
        submit(job);
    }));
}

/// Runs a task that waits for timers, never for disks.
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    runtime().spawn(task)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Jobs that wait until `count` of them have begun.
    fn meet(count: usize, prepare: fn() -> Option<Aside>) -> bool {
        let (begun, begins) = channel();
        let mut releases: Vec<Sender<()>> = Vec::new();
        for _ in 0..count {
            let (release, released) = channel::<()>();
            releases.push(release);
            let begun = begun.clone();
            submit(Box::new(move || {
                let _aside = prepare();
                let _ = begun.send(());
                let _ = released.recv();
            }));
        }
        (0..count).all(|_| begins.recv_timeout(Duration::from_secs(60)).is_ok())
    }

    #[test]
    fn threads_that_step_aside_leave_their_place_to_others() {
        assert!(meet(3 * THREADS, step_aside));
        // And all places are taken again: this one test uses the pool.
        assert!(meet(THREADS, || None));
    }

    #[test]
    fn a_thread_of_another_kind_has_no_place_to_leave() {
        assert!(step_aside().is_none());
    }

    #[test]
    fn the_jobs_of_a_lane_run_in_order_on_one_thread_each_though_one_panics() {
        let lane = Arc::new(Lane::default());
        let (sender, done) = channel();
        let mut started = Vec::new();
        for number in 0..3 {
            let sender = sender.clone();
            let job = move || {
                sender.send(number).expect("the test listens");
                assert_ne!(number, 1, "expected");
            };
            lane.submit(Box::new(job), |job| started.push(job));
        }
        assert_eq!(started.len(), 1, "the first has taken the thread");
        started.pop().expect("there is one")();
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        lane.submit(Box::new(|| ()), |job| started.push(job));
        assert_eq!(
            started.len(),
            1,
            "a lane that was empty takes a thread again"
        );
    }
}
