//! The threads of the process for work that must not hold up a host's thread.
//!
//! One tokio runtime serves every context of the process. It starts with the first job and is never
//! dropped, so that no context's end has to wait for another's work.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinHandle;

use crate::runtime::Job;

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

const KEEP_IDLE: Duration = Duration::from_secs(60);

/// One thread drives the timers, as one worker of tokio's larger scheduler would, at half its size.
fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(THREADS)
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

/// Runs a job on one of the threads; jobs start in the order in which they were submitted.
pub fn submit(job: Job) {
    runtime().spawn_blocking(job);
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
