//! Clears that are under way, and what was written since each was asked for.
//!
//! A clear that has to list the keys before it removes them ends later than it was asked for. What is
//! written in between comes after it in the order of the calls and must stay.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::driver::{Driver, EventKind};
use crate::key;

/// The clears that one caller of drivers has under way.
#[derive(Default)]
pub struct Clears {
    open: RefCell<Vec<Rc<Open>>>,
}

struct Open {
    driver: Rc<dyn Driver>,
    /// What was done last to each key, in normal form and relative to the driver.
    since: RefCell<FxHashMap<String, EventKind>>,
}

/// A clear of a driver, under way until it is dropped.
pub struct Clear {
    clears: Rc<Clears>,
    open: Rc<Open>,
}

impl Clears {
    /// Begins a clear: from now on what is written to `driver` is noted for it.
    pub fn begin(self: &Rc<Self>, driver: &Rc<dyn Driver>) -> Clear {
        let open = Rc::new(Open {
            driver: driver.clone(),
            since: RefCell::default(),
        });
        self.open.borrow_mut().push(open.clone());
        Clear {
            clears: self.clone(),
            open,
        }
    }

    /// Whether one is under way.
    #[inline]
    pub fn is_any_open(&self) -> bool {
        !self.open.borrow().is_empty()
    }

    /// Notes that a key of the driver, in normal form, is written or removed.
    #[inline]
    pub fn note(&self, kind: EventKind, driver: &Rc<dyn Driver>, key: &str) {
        if self.is_any_open() {
            self.note_open(kind, driver, key);
        }
    }

    #[cold]
    fn note_open(&self, kind: EventKind, driver: &Rc<dyn Driver>, key: &str) {
        for open in self.open.borrow().iter() {
            if Rc::ptr_eq(&open.driver, driver) {
                open.since.borrow_mut().insert(key.to_owned(), kind);
            }
        }
    }
}

impl Clear {
    /// Whether the key was written since, and not removed after that: it is to stay.
    pub fn spares(&self, key: &str) -> bool {
        self.open.since.borrow().get(&*key::normalize(key)) == Some(&EventKind::Update)
    }

    /// Whether a key for which `is_its` says so was written since.
    pub fn spares_any(&self, mut is_its: impl FnMut(&str) -> bool) -> bool {
        let since = self.open.since.borrow();
        since
            .iter()
            .any(|(key, kind)| *kind == EventKind::Update && is_its(key))
    }

    /// Whether it is for this clear to tell that the key is gone; no other one tells it then. What was
    /// written or removed since is told by the call that did so.
    pub fn tells(&self, key: &str) -> bool {
        let key = key::normalize(key);
        let tells = !self.open.since.borrow().contains_key(&*key);
        if tells {
            self.clears.note(EventKind::Remove, &self.open.driver, &key);
        }
        tells
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        self.clears
            .open
            .borrow_mut()
            .retain(|open| !Rc::ptr_eq(open, &self.open));
    }
}
