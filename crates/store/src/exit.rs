//! What a store still has to do when the JS context shuts down.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use crate::clearing::finish_clear;
use crate::filtered::Unasked;
use crate::order::Order;
use crate::unheard::Unheard;
use eas_core::driver::Mode;
use eas_core::error::Error;
use eas_core::runtime::{AtExit, Progress, Runtime, run_at_exit};
use eas_core::store::Store;

/// Sees to it that writes that were asked for are done when the context shuts down.
pub(super) struct Exit {
    runtime: Rc<dyn Runtime>,
    guard: RefCell<Option<Box<dyn Any>>>,
}

/// The writes of one store.
struct Writes {
    driver: Weak<dyn Store>,
    order: Arc<Order>,
    unasked: Rc<Unasked>,
    unheard: Arc<Unheard>,
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
    pub(super) fn wait_for(
        &self,
        driver: &Arc<dyn Store>,
        order: &Arc<Order>,
        unasked: &Rc<Unasked>,
        unheard: &Arc<Unheard>,
    ) {
        if self.guard.borrow().is_some() {
            return;
        }
        let writes = Writes {
            driver: Arc::downgrade(driver),
            order: order.clone(),
            unasked: unasked.clone(),
            unheard: unheard.clone(),
        };
        *self.guard.borrow_mut() = Some(self.runtime.at_exit(Rc::new(writes)));
    }
}

/// What the standard error is told where what was written cannot be made durable any more.
pub fn not_durable(driver: &str, error: &Error) -> String {
    format!(
        "[electron-async-storage] [{driver}] the process ends with writes that may not outlast a loss of power: {error}"
    )
}

impl AtExit for Writes {
    fn call_js(&self) {
        if let Some(driver) = self.driver.upgrade() {
            self.unasked
                .finish(|clear, filter| finish_clear(&*driver, clear, filter, Mode::Async));
        }
    }

    fn start(&self, progress: Progress) {
        let Some(driver) = self.driver.upgrade() else {
            return;
        };
        let (order, up_to) = (self.order.clone(), self.order.now());
        if !order.is_behind(up_to) && !driver.is_behind_at_exit() && self.unheard.is_empty() {
            return;
        }
        let unheard = self.unheard.clone();
        let finish = move || {
            order.wait(up_to, || progress.made());
            let flushed = driver.flush_at_exit(&|| progress.made());
            let name = driver.info().name;
            if let Some(words) = unheard.last_words(name) {
                eprintln!("{words}");
            }
            if let Err(error) = flushed {
                eprintln!("{}", not_durable(name, &error));
            }
        };
        run_at_exit(Box::new(finish));
    }

    fn give_up(&self) {
        if let Some(driver) = self.driver.upgrade()
            && self.order.is_behind(self.order.now())
        {
            eprintln!(
                "[electron-async-storage] [{}] the process ends with writes that could not be finished",
                driver.info().name
            );
        }
    }
}
