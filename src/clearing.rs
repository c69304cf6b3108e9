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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::blocking::Offloaded;
    use crate::drivers::memory::MemoryStore;
    use crate::runtime::testing::{Jobs, TestRuntime};

    fn driver() -> Rc<dyn Driver> {
        let runtime = TestRuntime::new(Jobs::ByHand, 0);
        Rc::new(Offloaded::new(
            MemoryStore::new(Arc::new(|| 0)),
            runtime.port(),
        ))
    }

    #[test]
    fn a_clear_spares_what_was_written_last_and_tells_what_was_not_touched() {
        use EventKind::{Remove, Update};

        for (since, spares, tells) in [
            (&[][..], false, true),
            (&[Update], true, false),
            (&[Remove], false, false),
            (&[Update, Remove], false, false),
            (&[Remove, Update], true, false),
        ] {
            let (clears, driver) = (Rc::<Clears>::default(), driver());
            clears.note(Update, &driver, "a");
            let clear = clears.begin(&driver);
            for kind in since {
                clears.note(*kind, &driver, "a");
            }
            assert_eq!(clear.spares("a"), spares, "{since:?}");
            assert_eq!(clear.spares_any(|key| key == "a"), spares, "{since:?}");
            assert_eq!(clear.tells("a"), tells, "{since:?}");
        }
    }

    #[test]
    fn of_two_clears_one_tells_of_a_key() {
        let (clears, driver) = (Rc::<Clears>::default(), driver());
        let (first, second) = (clears.begin(&driver), clears.begin(&driver));
        assert!(first.tells("a"));
        assert!(!second.tells("a"));
    }

    #[test]
    fn a_clear_hears_of_its_own_driver_alone_and_ends_when_it_is_dropped() {
        let (clears, one, other) = (Rc::<Clears>::default(), driver(), driver());
        let clear = clears.begin(&one);
        clears.note(EventKind::Update, &other, "a");
        assert!(!clear.spares("a"));
        drop(clear);
        assert!(!clears.is_any_open());
    }
}
