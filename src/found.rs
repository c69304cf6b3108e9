//! What the updates of a context found.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use eas_core::condition::Expected;

/// What updates found that are under way, by the numbers that the facade gives them.
#[derive(Default)]
pub(super) struct Found(RefCell<FxHashMap<u64, Expected>>);

impl Found {
    pub(super) fn keep(&self, update: u64, found: Expected) {
        let before = self.0.borrow_mut().insert(update, found);
        drop(before);
    }

    pub(super) fn take(&self, update: u64) -> Option<Expected> {
        self.0.borrow_mut().remove(&update)
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let found = self.0.take();
        drop(found);
    }
}
