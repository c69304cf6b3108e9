//! Clears that are under way, and what was written since each was asked for.
//!
//! A clear that has to list the keys before it removes them ends later than it was asked for. What is
//! written in between comes after it in the order of the calls and must stay.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::FutureExt;
use rustc_hash::FxHashMap;

use crate::driver::{Call, Driver, EventKind, Mode, Op};
use crate::error::Result;
use crate::key;
use crate::keys::Keys;

/// The clears that one caller of drivers has under way.
#[derive(Default)]
pub struct Clears {
    open: RefCell<Vec<Rc<Open>>>,
}

struct Open {
    driver: Rc<dyn Driver>,
    /// What was done last to each key, in normal form and relative to the driver.
    since: RefCell<FxHashMap<String, EventKind>>,
    /// Does all of it at once, until somebody goes on with it.
    at_once: Cell<Option<AtOnce>>,
    /// The outcome of that.
    outcome: Cell<Option<Result<Keys>>>,
}

type AtOnce = Box<dyn FnOnce() -> Op<Keys>>;

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
            at_once: Cell::new(None),
            outcome: Cell::new(None),
        });
        self.open.borrow_mut().push(open.clone());
        Clear {
            clears: self.clone(),
            open,
        }
    }

    /// Goes on at once with every clear that has yet to remove something, for a caller that cannot
    /// wait. Those of drivers without the Sync methods stay.
    pub fn finish(&self) {
        let open = self.open.borrow().clone();
        for open in open {
            if let Some(at_once) = open.at_once.take() {
                let outcome = at_once().now_or_never();
                // A driver that gives a Promise has begun all the same.
                open.outcome
                    .set(Some(outcome.unwrap_or_else(|| Ok(Keys::new()))));
            }
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
    /// Lists, and removes what `remove` makes of that. It takes effect at once where
    /// [`Clears::finish`] asks for it meanwhile.
    pub fn in_steps(
        self: &Rc<Self>,
        mode: Mode,
        list: impl Fn(Mode) -> Op<Keys> + 'static,
        remove: impl Fn(Result<Keys>, Mode) -> Op<Keys> + 'static,
    ) -> Op<Keys> {
        let listed = list(mode);
        let steps = Rc::new((list, remove));
        if mode == Mode::Async && self.can_be_at_once() {
            let steps = steps.clone();
            self.open.at_once.set(Some(Box::new(move || {
                Op::later(async move {
                    let listed = steps.0(Mode::Sync).await;
                    steps.1(listed, Mode::Sync).await
                })
            })));
        }
        let clear = self.clone();
        Op::later(async move {
            let listed = listed.await;
            drop(clear.open.at_once.take());
            match clear.open.outcome.take() {
                Some(outcome) => outcome,
                None => steps.1(listed, mode).await,
            }
        })
    }

    fn can_be_at_once(&self) -> bool {
        let info = self.open.driver.info();
        info.has(Call::GetKeys, Mode::Sync) && info.clears(Mode::Sync)
    }

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
