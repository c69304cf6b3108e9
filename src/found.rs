//! What the updates of a context found.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use eas_core::condition::Expected;
use eas_core::storage::Storage;

/// What an update found, and where.
pub(super) struct FoundItem {
    pub(super) storage: Rc<Storage>,
    /// The key as the caller gave it.
    pub(super) key: String,
    pub(super) expected: Expected,
}

/// What updates found that are under way, by the numbers that the facade gives them.
#[derive(Default)]
pub(super) struct Found {
    /// The newest: a Sync update takes it before another one begins.
    newest: Cell<Option<(u64, FoundItem)>>,
    older: RefCell<FxHashMap<u64, FoundItem>>,
}

impl Found {
    pub(super) fn keep(&self, update: u64, found: FoundItem) {
        if let Some((update, found)) = self.newest.replace(Some((update, found))) {
            let before = self.older.borrow_mut().insert(update, found);
            drop(before);
        }
    }

    pub(super) fn take(&self, update: u64) -> Option<FoundItem> {
        match self.newest.take() {
            Some((newest, found)) if newest == update => Some(found),
            other => {
                self.newest.set(other);
                self.older.borrow_mut().remove(&update)
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        drop(self.newest.take());
        let older = self.older.take();
        drop(older);
    }
}
