//! What a store still has to do when the host's context ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::BlockingDriver;
use super::sequence::Sequence;
use crate::runtime::Runtime;

/// A program that exits waits this long for its disk, and no longer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Sees to it that writes that were asked for are done when the context ends.
pub(super) struct Exit {
    runtime: Rc<dyn Runtime>,
    hook: RefCell<Option<Box<dyn std::any::Any>>>,
}

impl Exit {
    pub(super) fn new(runtime: Rc<dyn Runtime>) -> Self {
        Exit {
            runtime,
            hook: RefCell::default(),
        }
    }

    /// From now on the end of the context waits for the store's writes. Stores that never write
    /// cost it nothing.
    pub(super) fn wait_for<D: BlockingDriver>(&self, driver: &Arc<D>, sequence: &Arc<Sequence>) {
        if self.hook.borrow().is_some() {
            return;
        }
        let (driver, sequence) = (Arc::downgrade(driver), sequence.clone());
        let hook = self
            .runtime
            .at_exit(Box::new(move || finish(&driver, &sequence)));
        *self.hook.borrow_mut() = Some(hook);
    }
}

fn finish<D: BlockingDriver>(driver: &Weak<D>, sequence: &Arc<Sequence>) {
    let Some(driver) = driver.upgrade() else {
        return;
    };
    let sequence = sequence.clone();
    let (done, finished) = channel();
    let thread = std::thread::Builder::new()
        .name("eas-exit".to_owned())
        .spawn(move || {
            sequence.many().wait_for_older("");
            // There is nobody left to tell of a failure.
            let _ = driver.flush_at_exit();
            let _ = done.send(());
        });
    if thread.is_ok() {
        let _ = finished.recv_timeout(LONGEST_WAIT);
    }
}
