//! What a store still has to do when the host's context ends.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use crate::sequence::Sequence;
use eas_core::blocking::BlockingDriver;
use eas_core::runtime::{AtExit, Moves, Runtime, run_at_exit};

/// Sees to it that writes that were asked for are done when the context ends.
pub(super) struct Exit {
    runtime: Rc<dyn Runtime>,
    guard: RefCell<Option<Box<dyn Any>>>,
}

/// The writes of one store.
struct Writes<D> {
    driver: Weak<D>,
    sequence: Arc<Sequence>,
}

impl Exit {
    pub(super) fn new(runtime: Rc<dyn Runtime>) -> Self {
        Exit {
            runtime,
            guard: RefCell::default(),
        }
    }

    /// From now on the end of the context waits for the store's writes. Stores that never write
    /// cost it nothing.
    pub(super) fn wait_for<D: BlockingDriver>(&self, driver: &Arc<D>, sequence: &Arc<Sequence>) {
        if self.guard.borrow().is_some() {
            return;
        }
        let writes = Writes {
            driver: Arc::downgrade(driver),
            sequence: sequence.clone(),
        };
        *self.guard.borrow_mut() = Some(self.runtime.at_exit(Rc::new(writes)));
    }
}

impl<D: BlockingDriver> AtExit for Writes<D> {
    fn start(&self, moves: Moves) {
        let Some(driver) = self.driver.upgrade() else {
            return;
        };
        let many = self.sequence.many();
        if many.is_first() && !driver.is_behind_at_exit() {
            return;
        }
        let finish = move || {
            many.wait_for_all_older(|| moves.on());
            // There is nobody left to tell of a failure.
            let _ = driver.flush_at_exit(&|| moves.on());
        };
        run_at_exit(Box::new(finish));
    }

    fn give_up(&self) {
        if let Some(driver) = self.driver.upgrade()
            && !self.sequence.many().is_first()
        {
            eprintln!(
                "[electron-async-storage] [{}] the process ends with writes that could not be finished",
                driver.name()
            );
        }
    }
}
