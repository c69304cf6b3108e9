//! The end of a context: everything that is left to do is started at once and waited for together.

use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::jobs::{Job, lock};

/// What a context still has to do when it ends.
pub trait AtExit {
    /// Does what needs the JS runtime, which is called for the last time. Not called where a context is torn
    /// down from outside.
    fn call_js(&self) {}

    /// Starts it on threads of its own, which keep `progress` until it is done. Called on the JS runtime's
    /// thread; cannot call the JS runtime.
    fn start(&self, progress: Progress);

    /// It was not done in time; the context shuts down without it.
    fn give_up(&self) {}
}

/// Notified by work at the end of a context whenever it makes progress; dropped when it is done.
#[derive(Clone)]
pub struct Progress(Sender<()>);

impl Progress {
    /// Something was done.
    pub fn made(&self) {
        // Nobody waits any more where the end was given up.
        let _ = self.0.send(());
    }
}

/// Runs a job on a thread of its own; on this one where there is no other to be had.
pub fn run_at_exit(job: Job) {
    let job = Arc::new(Mutex::new(Some(job)));
    let run = {
        let job = job.clone();
        move || {
            let job = lock(&job).take();
            if let Some(job) = job {
                job();
            }
        }
    };
    let thread = thread::Builder::new().name("eas-exit".to_owned());
    if thread.spawn(run.clone()).is_err() {
        run();
    }
}

/// Does all of it, and says whether it came to its end. Waits for as long as any of it makes progress, and
/// `patience` more: what hangs holds up neither the rest nor, more than once, the end.
pub fn finish(work: &[Rc<dyn AtExit>], patience: Duration) -> bool {
    let (sender, progressed) = channel();
    for each in work {
        each.start(Progress(sender.clone()));
    }
    drop(sender);
    loop {
        match progressed.recv_timeout(patience) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => return true,
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    for each in work {
        each.give_up();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::sync::mpsc::Receiver;

    /// Longer than any test takes.
    const FOREVER: Duration = Duration::from_secs(600);

    /// Waits for a message before it is done.
    struct Waits(RefCell<Option<Receiver<()>>>);

    /// Sends a message when it starts.
    struct Tells(Sender<()>);

    /// Is never done.
    #[derive(Default)]
    struct Hangs {
        held: RefCell<Vec<Progress>>,
        given_up: Cell<usize>,
    }

    impl AtExit for Waits {
        fn start(&self, progress: Progress) {
            let message = self.0.take();
            thread::spawn(move || {
                let _progress = progress;
                message.map(|message| message.recv())
            });
        }
    }

    impl AtExit for Tells {
        fn start(&self, _progress: Progress) {
            let _ = self.0.send(());
        }
    }

    impl AtExit for Hangs {
        fn start(&self, progress: Progress) {
            progress.made();
            self.held.borrow_mut().push(progress);
        }

        fn give_up(&self) {
            self.given_up.set(self.given_up.get() + 1);
        }
    }

    #[test]
    fn all_of_it_is_started_before_any_is_waited_for() {
        let (tell, told) = channel();
        let waits = Rc::new(Waits(RefCell::new(Some(told))));
        assert!(finish(&[waits, Rc::new(Tells(tell))], FOREVER));
    }

    #[test]
    fn what_hangs_is_given_up_once_and_together() {
        let hanging: Vec<Rc<Hangs>> = (0..3).map(|_| Rc::default()).collect();
        let work: Vec<Rc<dyn AtExit>> = hanging.iter().map(|each| each.clone() as _).collect();
        assert!(!finish(&work, Duration::from_millis(1)));
        assert!(hanging.iter().all(|each| each.given_up.get() == 1));
    }

    #[test]
    fn nothing_to_do_is_no_wait() {
        assert!(finish(&[], FOREVER));
    }
}
