//! The threads of the process for work that must not hold up a JS thread.
//!
//! One tokio runtime serves every context of the process. It starts with the first job and is never
//! dropped, so that no context's end has to wait for another's work.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use eas_core::runtime::{Job, lock};

/// Threads for blocking work. Desktop disks gain little beyond this, and each thread holds at most
/// a few descriptors, which bounds those as well.
pub const THREADS: usize = 4;

/// Into how many jobs work on many items is split: no more than there are cores, so that what serves
/// a JS thread does not keep it from running.
pub fn parallel_jobs() -> usize {
    cores().min(THREADS)
}

/// How many threads of its own the long work of a store has at a time: one processor is left to the
/// JS runtime's thread, which waits now and then for the threads of its engine as well.
pub fn long_jobs() -> usize {
    (cores() - 1).clamp(1, THREADS)
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

/// How many there may be with those that [stepped aside](step_aside).
const MOST_THREADS: usize = 64;

const KEEP_IDLE: Duration = Duration::from_secs(60);

/// How long a thread that has no more jobs looks out for the next one before it sleeps. A caller that
/// awaits one job after the other comes back within this time, and to wake a thread takes several times
/// as long as to read a small file.
const LOOK_OUT: Duration = Duration::from_micros(50);

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
    /// Threads that have a job or look out for one, without those that stepped aside.
    busy: usize,
    /// Whether one of them looks out for a job.
    is_looked_out: bool,
    /// Jobs that wait for a thread.
    jobs: VecDeque<Job>,
}

static WORK: Mutex<Work> = Mutex::new(Work {
    busy: 0,
    is_looked_out: false,
    jobs: VecDeque::new(),
});

/// Whether a job came to wait since a thread began to look out for one.
static HAS_COME: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HAS_PLACE: Cell<bool> = const { Cell::new(false) };
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread does what others wait for elsewhere: a call that runs in place keeps its caller,
/// who may be the JS thread, from all else.
pub fn is_off_the_caller() -> bool {
    IS_OURS.get()
}

/// Runs a job on one of the threads; jobs that have to wait for one get it in the order in which they were
/// submitted.
pub fn submit(job: Job) {
    let mut work = lock(&WORK);
    let is_expected = work.is_looked_out && work.jobs.is_empty();
    if work.busy < THREADS && !is_expected {
        work.busy += 1;
        drop(work);
        start(job);
    } else {
        work.jobs.push_back(job);
        HAS_COME.store(true, Ordering::Release);
    }
}

/// A place among the busy ones that goes to nobody if it is dropped.
struct Place;

impl Drop for Place {
    fn drop(&mut self) {
        lock(&WORK).busy -= 1;
    }
}

/// Gives a job to a thread that counts as busy. Where the system has none to spare, it runs in place.
fn start(job: Job) {
    start_with(
        |work| {
            runtime().spawn_blocking(work);
        },
        job,
    );
}

fn start_with(spawn: impl FnOnce(Job), job: Job) {
    let place = Place;
    let job = Arc::new(Mutex::new(Some(job)));
    let work = {
        let job = job.clone();
        move || {
            HAS_PLACE.set(true);
            IS_OURS.set(true);
            let mut job = lock(&job).take();
            while let Some(next) = job.take() {
                // Whoever waits for a job that panics finds its answer gone.
                let _ = catch_unwind(AssertUnwindSafe(next));
                job = next_job();
            }
            HAS_PLACE.set(false);
            IS_OURS.set(false);
        }
    };
    // tokio panics where it can start no thread and has none.
    if catch_unwind(AssertUnwindSafe(|| spawn(Box::new(work)))).is_ok() {
        std::mem::forget(place);
        return;
    }
    drop(place);
    let job = lock(&job).take();
    if let Some(job) = job {
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

fn next_job() -> Option<Job> {
    let mut work = lock(&WORK);
    // One that stepped aside has come back.
    let is_surplus = work.busy > THREADS;
    if work.jobs.is_empty() && !is_surplus && !work.is_looked_out && cores() > 1 {
        work.is_looked_out = true;
        HAS_COME.store(false, Ordering::Release);
        drop(work);
        look_out();
        work = lock(&WORK);
        work.is_looked_out = false;
    }
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

fn look_out() {
    let start = Instant::now();
    while !HAS_COME.load(Ordering::Acquire) && start.elapsed() < LOOK_OUT {
        std::hint::spin_loop();
    }
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

/// Lets another thread work in place of this one, which waits for something that may take long. `None`
/// on threads that are not of the pool.
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

/// Runs long work on a thread of its own.
pub fn submit_aside(job: Job) {
    run_on_own_thread("eas-batch", job);
}

/// Runs a job on a thread of its own; in place where the system has none to spare.
pub fn run_on_own_thread(name: &str, job: Job) {
    run_on(
        |job| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            let job = move || {
                IS_OURS.set(true);
                job();
            };
            thread.spawn(job).map(drop)
        },
        job,
    );
}

fn run_on(spawn: impl FnOnce(Job) -> std::io::Result<()>, job: Job) {
    let job = Arc::new(Mutex::new(Some(job)));
    let run: Job = {
        let job = job.clone();
        Box::new(move || {
            let job = lock(&job).take();
            if let Some(job) = job {
                job();
            }
        })
    };
    if spawn(run).is_err() {
        let job = lock(&job).take();
        if let Some(job) = job {
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }
}

/// Something that is had by one thread at a time, at times for long.
#[derive(Default)]
pub struct Turns {
    state: Mutex<TurnState>,
    free: Condvar,
}

#[derive(Default)]
struct TurnState {
    is_taken: bool,
    /// How many threads wait: to wake nobody is a system call too.
    waiting: usize,
}

/// The right to go on; ends when it is dropped.
pub struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.is_taken = false;
        let is_awaited = state.waiting > 0;
        drop(state);
        if is_awaited {
            self.0.free.notify_one();
        }
    }
}

impl Turns {
    /// Waits for the turn; a thread of the pool [steps aside](step_aside) where that takes longer.
    pub fn take(&self) -> Turn<'_> {
        self.take_soon().unwrap_or_else(|| {
            let _aside = step_aside();
            let mut state = lock(&self.state);
            state.waiting += 1;
            let waited = self.free.wait_while(state, |state| state.is_taken);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
            state.is_taken = true;
            Turn(self)
        })
    }

    /// Waits for the turn as long as it takes as a rule.
    pub fn take_soon(&self) -> Option<Turn<'_>> {
        let mut state = lock(&self.state);
        if state.is_taken {
            state.waiting += 1;
            let waited = self
                .free
                .wait_timeout_while(state, SOON, |state| state.is_taken);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        (!std::mem::replace(&mut state.is_taken, true)).then(|| Turn(self))
    }
}

/// Jobs that wait for each other anyway: they run one after the other and need one thread.
#[derive(Default)]
pub struct SerialQueue {
    jobs: Mutex<SerialJobs>,
    /// Whether its thread is no other's.
    is_alone: bool,
}

#[derive(Default)]
struct SerialJobs {
    is_busy: bool,
    waiting: VecDeque<Job>,
}

/// A serial queue that no thread was found for. Its jobs are dropped: whoever waits finds the answer gone.
struct Unstarted<'a>(Option<&'a SerialQueue>);

impl Drop for Unstarted<'_> {
    fn drop(&mut self) {
        if let Some(queue) = self.0 {
            let dropped = std::mem::take(&mut *lock(&queue.jobs));
            drop(dropped);
        }
    }
}

impl SerialQueue {
    /// A serial queue that keeps its thread for as long as it has jobs.
    pub fn alone() -> Self {
        SerialQueue {
            is_alone: true,
            ..SerialQueue::default()
        }
    }

    /// Runs a job after those that were submitted before. `run` runs what it is given on a thread.
    pub fn submit(self: &Arc<Self>, job: Job, run: impl FnOnce(Job)) {
        let mut jobs = lock(&self.jobs);
        jobs.waiting.push_back(job);
        if std::mem::replace(&mut jobs.is_busy, true) {
            return;
        }
        drop(jobs);
        self.start(run);
    }

    fn start(self: &Arc<Self>, run: impl FnOnce(Job)) {
        let mut unstarted = Unstarted(Some(self));
        run(self.runner());
        unstarted.0 = None;
    }

    /// Runs what there is, and goes back behind the jobs of others.
    fn runner(self: &Arc<Self>) -> Job {
        let this = self.clone();
        Box::new(move || {
            while let Some(job) = this.next() {
                let _ = catch_unwind(AssertUnwindSafe(job));
                let is_wanted_elsewhere = !this.is_alone && !lock(&WORK).jobs.is_empty();
                if is_wanted_elsewhere {
                    this.start(submit);
                    return;
                }
            }
        })
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

    /// Held by tests that have jobs wait, and by those that jobs must not wait beside.
    static ALONE: Mutex<()> = Mutex::new(());

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
        let _alone = lock(&ALONE);
        assert!(meet(3 * THREADS, step_aside));
        assert!(meet(THREADS, || None));
    }

    #[test]
    fn jobs_are_done_whenever_they_come_to_threads_that_look_out_for_them() {
        let _alone = lock(&ALONE);
        std::thread::scope(|scope| {
            for caller in 0..3 {
                scope.spawn(move || {
                    let (sender, done) = channel();
                    for round in 0..2000 {
                        let sender = sender.clone();
                        submit(Box::new(move || {
                            let _ = sender.send(round);
                        }));
                        assert_eq!(done.recv_timeout(Duration::from_secs(60)), Ok(round));
                        // Before, at and after the end of the time in which a thread looks out.
                        let pause = Duration::from_micros((round * (caller + 1)) % 120);
                        let start = Instant::now();
                        while start.elapsed() < pause {
                            std::hint::spin_loop();
                        }
                    }
                });
            }
        });
        assert!(meet(THREADS, || None));
    }

    #[test]
    fn serial_queues_that_never_end_leave_threads_to_others() {
        /// Submits itself to its serial queue until somebody says stop.
        fn refill(queue: &Arc<SerialQueue>, stop: &Arc<AtomicBool>) {
            if !stop.load(Ordering::Relaxed) {
                let (queue, stop) = (queue.clone(), stop.clone());
                let again = queue.clone();
                queue.submit(Box::new(move || refill(&again, &stop)), submit);
            }
        }
        let _alone = lock(&ALONE);
        let stop = Arc::default();
        for _ in 0..2 * THREADS {
            refill(&Arc::default(), &stop);
        }
        let others = meet(THREADS, || None);
        stop.store(true, Ordering::Relaxed);
        assert!(others);
    }

    #[test]
    fn a_job_that_finds_no_thread_costs_no_place_and_no_serial_queue() {
        let _alone = lock(&ALONE);
        let queue = Arc::<SerialQueue>::default();
        let no_thread = |_| panic!("expected");
        let failed = catch_unwind(AssertUnwindSafe(|| {
            queue.submit(Box::new(|| ()), no_thread);
        }));
        assert!(failed.is_err());
        let (done, is_done) = channel();
        let job = move || done.send(()).expect("the test listens");
        queue.submit(Box::new(job), |job| job());
        assert_eq!(is_done.try_recv(), Ok(()));
        let busy = lock(&WORK).busy;
        lock(&WORK).busy += 1;
        drop(Place);
        assert_eq!(lock(&WORK).busy, busy);
    }

    #[test]
    fn jobs_run_in_place_where_no_thread_can_be_started() {
        let _alone = lock(&ALONE);
        let (sender, done) = channel();
        let job = |number: usize| {
            let sender = sender.clone();
            Box::new(move || sender.send(number).expect("the test listens")) as Job
        };
        let no_thread = |_: Job| Err(std::io::Error::from(std::io::ErrorKind::WouldBlock));
        run_on(no_thread, job(0));
        let queue = Arc::new(SerialQueue::alone());
        for number in 1..3 {
            queue.submit(job(number), |job| run_on(no_thread, job));
        }
        lock(&WORK).busy += 1;
        start_with(|_| panic!("expected: no thread"), job(3));
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_thread_of_another_kind_has_no_place_to_leave() {
        assert!(step_aside().is_none());
    }

    #[test]
    fn long_work_leaves_a_processor_where_there_are_two() {
        assert!(long_jobs() > 0 && (long_jobs() < cores() || cores() == 1));
    }

    #[test]
    fn a_serial_queue_of_its_own_thread_is_not_kept_up_by_others() {
        let _alone = lock(&ALONE);
        let (sender, done) = channel();
        let (release, released) = channel::<()>();
        // The last of them waits for a place.
        let released = Arc::new(Mutex::new(released));
        for _ in 0..=THREADS {
            let released = released.clone();
            submit(Box::new(move || {
                let _ = lock(&released).recv();
            }));
        }
        let queue = Arc::new(SerialQueue::alone());
        for _ in 0..3 {
            let sender = sender.clone();
            let name = || std::thread::current().name().map(str::to_owned);
            let job = move || sender.send(name()).expect("the test listens");
            queue.submit(Box::new(job), submit_aside);
        }
        drop(sender);
        let names: Vec<_> = done.iter().flatten().collect();
        drop(release);
        assert_eq!(names, ["eas-batch"; 3]);
    }

    #[test]
    fn the_jobs_of_a_serial_queue_run_in_order_on_one_thread_each_though_one_panics() {
        // One of the others leaves its thread to the jobs that wait, such as those of other tests.
        let queue = Arc::new(SerialQueue::alone());
        let (sender, done) = channel();
        let mut started = Vec::new();
        for number in 0..3 {
            let sender = sender.clone();
            let job = move || {
                sender.send(number).expect("the test listens");
                assert_ne!(number, 1, "expected");
            };
            queue.submit(Box::new(job), |job| started.push(job));
        }
        assert_eq!(started.len(), 1, "the first has taken the thread");
        started.pop().expect("there is one")();
        assert_eq!(done.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
        queue.submit(Box::new(|| ()), |job| started.push(job));
        assert_eq!(
            started.len(),
            1,
            "a serial queue that was empty takes a thread again"
        );
    }
}
