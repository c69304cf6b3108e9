//! The listeners of a storage, and the watches that they hear of changes by.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::driver::{EventKind, Unwatch};
use crate::key;

/// Names a listener of one storage.
pub type ListenerId = u64;

pub(super) type Listener = Rc<dyn Fn(EventKind, &str)>;

/// Gives what keeps a storage and its listeners alive for as long as it is held.
pub(super) type Keep = Rc<dyn Fn() -> Box<dyn Any>>;

/// The listeners of a storage and the watches of its drivers.
#[derive(Default)]
pub(super) struct Hub {
    pub(super) listeners: RefCell<Vec<(ListenerId, Listener)>>,
    pub(super) last_id: Cell<ListenerId>,
    /// By the base of the mount; present for as long as there are listeners.
    pub(super) watches: RefCell<HashMap<String, Box<dyn Unwatch>>>,
    /// By the base of the mount: what reports items whose time is over, for drivers that do not
    /// watch.
    pub(super) expiries: RefCell<HashMap<String, Box<dyn Any>>>,
    pub(super) keep: RefCell<Option<Keep>>,
    /// Present for as long as a driver watches.
    kept: RefCell<Option<Box<dyn Any>>>,
}

impl Hub {
    pub(super) fn is_watched(&self) -> bool {
        !self.listeners.borrow().is_empty()
    }

    /// Changes of others come without a call: a storage that nobody refers to reports them as well.
    pub(super) fn keep_while_watched(&self) {
        let has_watches = !self.watches.borrow().is_empty();
        let keep = self.keep.borrow().clone().filter(|_| has_watches);
        let kept = self.kept.replace(keep.map(|keep| keep()));
        drop(kept);
    }

    pub(super) fn emit(&self, kind: EventKind, key: &str) {
        if key::is_kept(key) {
            return;
        }
        // A listener may add or remove listeners.
        let listeners: Vec<Listener> = self
            .listeners
            .borrow()
            .iter()
            .map(|(_, listener)| listener.clone())
            .collect();
        for listener in listeners {
            listener(kind, key);
        }
    }
}
