//! Listeners, and where their events come from.
//!
//! A driver that watches reports its changes, those of other processes too; for the others the
//! storage reports what it writes itself.

use std::rc::{Rc, Weak};

use super::hub::{Keep, Listener, ListenerId};
use super::routes::Storage;
use crate::driver::{Driver, Event, EventKind, EventSink, Mode, Op};
use crate::fallbacks;
use crate::key;

impl Storage {
    /// Sets what the storage and its listeners are kept alive with while a driver watches.
    pub fn keep_while_watched(&self, keep: Keep) {
        *self.hub.keep.borrow_mut() = Some(keep);
    }

    /// Adds a listener; resolves when every driver that watches does.
    pub fn watch(self: &Rc<Self>, listener: Listener) -> Op<ListenerId> {
        let id = self.hub.last_id.get() + 1;
        self.hub.last_id.set(id);
        let is_first = !self.hub.is_watched();
        self.hub.listeners.borrow_mut().push((id, listener));
        if !is_first {
            return Op::ok(id);
        }
        let mounts: Vec<_> = self
            .mounts
            .borrow()
            .iter()
            .map(|(base, driver)| (base.to_owned(), driver.clone()))
            .collect();
        let started: Vec<_> = mounts
            .into_iter()
            .map(|(base, driver)| self.start_watch(base, driver))
            .collect();
        let started = match fallbacks::all(started) {
            Op::Ready(Some(Ok(()))) => return Op::ok(id),
            started => started,
        };
        let storage = self.clone();
        Op::later(async move {
            let outcome = started.await;
            if outcome.is_err() {
                // The watches that did start end with their last listener. What went wrong first counts.
                let _ = storage.unwatch(id).await;
            }
            outcome.map(|()| id)
        })
    }

    /// Takes out a listener; with the last one the drivers' watches end.
    pub fn unwatch(self: &Rc<Self>, id: ListenerId) -> Op<()> {
        let was_watched = self.hub.is_watched();
        self.hub
            .listeners
            .borrow_mut()
            .retain(|(other, _)| *other != id);
        if was_watched && !self.hub.is_watched() {
            self.unwatch_all()
        } else {
            Op::ok(())
        }
    }

    /// Takes out every listener.
    pub fn unwatch_all(self: &Rc<Self>) -> Op<()> {
        self.hub.listeners.borrow_mut().clear();
        self.hub.expiries.take();
        let watches = std::mem::take(&mut *self.hub.watches.borrow_mut());
        self.hub.keep_while_watched();
        fallbacks::all(
            watches
                .into_values()
                .map(|watch| watch.stop(Mode::Async))
                .collect(),
        )
    }

    /// Reports a change of the storage's own, where the driver does not. Callers make sure that something
    /// changed.
    pub(super) fn announce(&self, kind: EventKind, key: &str, driver: &dyn Driver) {
        if self.hub.is_watched() && !driver.info().watches() {
            self.hub.emit(kind, key);
        }
    }

    /// Watches a driver that was mounted while there are listeners.
    pub(super) fn watch_mount(self: &Rc<Self>, base: String, driver: Rc<dyn Driver>) {
        if !self.hub.is_watched() {
            return;
        }
        // The root may have been another driver.
        let stopped = self.unwatch_mount(&base);
        let started = self.start_watch(base, driver);
        let runtime = self.runtime.clone();
        self.runtime.spawn(Box::pin(async move {
            for outcome in [stopped.await, started.await] {
                if let Err(error) = outcome {
                    runtime.warn("EAS_WATCH", error.to_string());
                }
            }
        }));
    }

    pub(super) fn unwatch_mount(&self, base: &str) -> Op<()> {
        self.hub.expiries.borrow_mut().remove(base);
        let watch = self.hub.watches.borrow_mut().remove(base);
        self.hub.keep_while_watched();
        watch.map_or_else(|| Op::ok(()), |watch| watch.stop(Mode::Async))
    }

    fn start_watch(self: &Rc<Self>, base: String, driver: Rc<dyn Driver>) -> Op<()> {
        let sink = self.sink(base.clone());
        if !driver.info().watches() {
            if let Some(guard) = driver.on_expired(sink) {
                self.hub.expiries.borrow_mut().insert(base, guard);
            }
            return Op::ok(());
        }
        let storage = Rc::downgrade(self);
        let started = driver.clone().watch(sink);
        Op::later(async move {
            let watch = started.await?;
            if let Some(storage) = storage.upgrade()
                && storage.wants_watch(&base, &driver)
            {
                storage.hub.watches.borrow_mut().insert(base, watch);
                storage.hub.keep_while_watched();
                return Ok(());
            }
            // The last listener or the mount went while the watch was starting.
            watch.stop(Mode::Async).await
        })
    }

    /// Whether there are listeners of a driver at its mount, and no watch of it yet.
    fn wants_watch(&self, base: &str, driver: &Rc<dyn Driver>) -> bool {
        let mounts = self.mounts.borrow();
        let is_mounted = mounts
            .iter()
            .any(|(mount, other)| mount == base && Rc::ptr_eq(other, driver));
        is_mounted && self.hub.is_watched() && !self.hub.watches.borrow().contains_key(base)
    }

    /// Where the driver mounted at `base` reports. Holds the storage weakly: a watch of the driver
    /// must not keep the storage.
    fn sink(self: &Rc<Self>, base: String) -> EventSink {
        let storage: Weak<Storage> = Rc::downgrade(self);
        Rc::new(move |event: Event| {
            let Some(storage) = storage.upgrade() else {
                return;
            };
            let relative = key::normalize(&event.key);
            let key = format!("{base}{relative}");
            // An inner mount hides the keys of the one around it.
            if storage.mounts.borrow().find(&key).0 == base {
                storage.hub.emit(event.kind, &key);
            }
        })
    }
}
