//! What a storage holds, and which of its mounts keeps a key.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::hub::Hub;
use super::mounts::Mounts;
use super::recorder::Recorder;
use crate::clearing::Clears;
use crate::driver::{Driver, Op};
use crate::error::{Error, Kind, Result};
use crate::in_flight::InFlight;
use crate::key;
use crate::runtime::Runtime;

/// A key-value store over mounted drivers. Lives on the JS thread.
pub struct Storage {
    pub(super) runtime: Rc<dyn Runtime>,
    pub(super) mounts: RefCell<Mounts<Rc<dyn Driver>>>,
    pub(super) hub: Rc<Hub>,
    /// The clears whose place in the order of writes the storage keeps.
    pub(super) clears: Rc<Clears>,
    /// Changes by drivers that keep no order themselves, and those of migrations.
    pub(super) in_flight: InFlight,
    pub(super) is_disposed: Cell<bool>,
    /// Present while a migration runs.
    pub(super) recorder: RefCell<Option<Rc<Recorder>>>,
}

/// A key and the driver that keeps it.
pub(super) struct Route {
    pub(super) driver: Rc<dyn Driver>,
    /// The key in full, in normal form.
    pub(super) key: String,
    /// How much of the key is the base of the mount.
    pub(super) base_len: usize,
}

impl Route {
    pub(super) fn relative(&self) -> &str {
        &self.key[self.base_len..]
    }
}

impl Storage {
    /// A storage with `root` mounted at the empty base.
    pub fn new(root: Rc<dyn Driver>, runtime: Rc<dyn Runtime>) -> Rc<Self> {
        Rc::new(Storage {
            runtime,
            mounts: RefCell::new(Mounts::new(root)),
            hub: Rc::default(),
            clears: Rc::default(),
            in_flight: InFlight::default(),
            is_disposed: Cell::new(false),
            recorder: RefCell::default(),
        })
    }

    /// Mounts `driver` at `base`: keys that begin with the base are kept there from now on.
    ///
    /// # Errors
    /// [`Kind::AlreadyMounted`] when the base has a mount.
    pub fn mount(self: &Rc<Self>, base: &str, driver: Rc<dyn Driver>) -> Result<()> {
        let base = key::normalize_base(base);
        if self.mounts.borrow().is_mounted(&base) {
            let message = if base.is_empty() {
                "already mounted at \"\": the root is what the storage was made with".to_owned()
            } else {
                format!("already mounted at {base}")
            };
            return Err(Error::new(Kind::AlreadyMounted, message));
        }
        self.mounts
            .borrow_mut()
            .insert(base.clone(), driver.clone());
        self.watch_mount(base, driver);
        Ok(())
    }

    /// Whether the storage was disposed: callers make no call then.
    #[inline]
    pub fn is_disposed(&self) -> bool {
        self.is_disposed.get()
    }

    /// Counts a change that is not ready, where the driver does not count it.
    #[inline]
    pub(super) fn tracked<T: 'static>(&self, driver: &Rc<dyn Driver>, op: Op<T>) -> Op<T> {
        if matches!(op, Op::Ready(_)) || driver.info().ordered {
            op
        } else {
            self.in_flight.track(op)
        }
    }

    /// The base of the mount that keeps `key`; a base names its own mount.
    pub fn mount_of(&self, key: &str) -> String {
        let base = key::normalize_base(key);
        self.mounts.borrow().find(&base).0.to_owned()
    }

    /// The bases of the mounts under `base`, longest first, and with `parents` those around it.
    pub fn mount_bases(&self, base: &str, parents: bool) -> Vec<String> {
        let base = key::normalize_base(base);
        let mounts = self.mounts.borrow();
        let mut bases: Vec<String> = mounts
            .under(&base)
            .map(|(base, _)| base.to_owned())
            .collect();
        if parents {
            bases.extend(mounts.around(&base).map(|(base, _)| base.to_owned()));
        }
        bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
        bases
    }

    /// The driver that keeps a key that may be in any form.
    pub(super) fn route(&self, key: &str) -> Route {
        self.route_normal(key::normalize(key).into_owned())
    }

    pub(super) fn route_normal(&self, key: String) -> Route {
        let mounts = self.mounts.borrow();
        let (base, driver) = mounts.find(&key);
        Route {
            driver: driver.clone(),
            base_len: base.len(),
            key,
        }
    }

    /// As [`route`](Self::route), for a write: an empty key names no item.
    pub(super) fn route_write(&self, key: &str) -> Result<Route> {
        let route = self.route(key);
        if route.key.is_empty() {
            return Err(empty_key(key));
        }
        Ok(route)
    }
}

pub(super) fn empty_key(given: &str) -> Error {
    Error::new(
        Kind::InvalidKey,
        format!(
            "Invalid key: {given:?}. A key must name an item; it has no segment left in normal form"
        ),
    )
    .key(given)
}
