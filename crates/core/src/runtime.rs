//! What the core needs from the program it runs in: time, threads, tasks and a place for warnings.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use crate::driver::LocalFuture;
use crate::value::{JsHandle, Text};

mod exit;
mod jobs;
#[doc(hidden)]
pub mod testing;

pub use exit::{AtExit, Progress, finish, run_at_exit};
pub use jobs::{Job, caught, lock};

/// The time of the system's clock, in ms since the epoch.
pub fn system_time_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Tells the time on any thread, in ms since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The ports of the core. All methods are called on the JS thread.
pub trait Runtime {
    /// Wall-clock time in ms since the epoch.
    fn now_ms(&self) -> u64;

    /// Runs a job on another thread, in the order of the calls as far as threads are free.
    fn run_blocking(&self, job: Job);

    /// Completes after `ms` milliseconds. Does not keep the event loop alive.
    fn sleep(&self, ms: u64) -> LocalFuture<()>;

    /// The time as JavaScript tells it: tests of programs put clocks of their own in place.
    fn js_now_ms(&self) -> u64 {
        self.now_ms()
    }

    /// As [`sleep`](Self::sleep), by the timers that JavaScript has when this is called.
    fn js_sleep(&self, ms: u64) -> LocalFuture<()> {
        self.sleep(ms)
    }

    /// Runs a task on the JS thread. Its first poll is at once.
    fn spawn(&self, task: LocalFuture<()>);

    /// Keeps the event loop alive for as long as the guard lives.
    fn keep_alive(&self) -> Box<dyn Any>;

    /// Does `work` when the JS context shuts down, in whatever way but a kill, unless the guard was
    /// dropped before. It may be started twice, when the end begins and when it is there. Runtimes that
    /// do not end on their own ignore it.
    fn at_exit(&self, _work: Rc<dyn AtExit>) -> Box<dyn Any> {
        Box::new(())
    }

    /// Whether the context has begun to end: there may be no later moment for work on other threads.
    fn is_ending(&self) -> bool {
        false
    }

    /// The text that the codec writes for a value of JavaScript; `None` where it has none.
    fn encode(&self, _value: &JsHandle) -> Option<Text> {
        None
    }

    /// Shows a warning to the developer of the program, once per `code` and `message`.
    fn warn(&self, code: &'static str, message: String);
}
