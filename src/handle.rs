//! What the facade holds of a storage.

use std::rc::Rc;

use eas_core::driver::Driver;
use eas_core::runtime::Runtime;
use eas_core::storage::Storage;

/// What a handle of the facade stands for: a storage, or a driver as a storage of its own.
pub(super) struct Handle {
    pub(super) storage: Rc<Storage>,
    root: Rc<dyn Driver>,
}

impl Handle {
    pub(super) fn new(root: Rc<dyn Driver>, runtime: &Rc<dyn Runtime>) -> Self {
        Handle {
            storage: Storage::new(root.clone(), runtime.clone()),
            root,
        }
    }

    /// The driver at the root.
    pub(super) fn root(&self) -> Rc<dyn Driver> {
        self.root.clone()
    }
}
