//! The end of things: flush, unmount, dispose.

use std::rc::Rc;

use super::routes::Storage;
use crate::driver::{Driver, Mode, Op};
use crate::error::Kind;
use crate::fallbacks;
use crate::key;

impl Storage {
    /// Resolves when everything that was asked for before is done, and under `base` durable. In
    /// [`Mode::Sync`], all of it that needs no waiting for JavaScript.
    pub fn flush(self: &Rc<Self>, base: &str, mode: Mode) -> Op<()> {
        if mode == Mode::Sync {
            self.clears.finish();
            return self.flush_drivers(base, mode);
        }
        let Some(older) = self.in_flight.done() else {
            return self.flush_drivers(base, mode);
        };
        let (storage, base) = (self.clone(), base.to_owned());
        Op::later(async move {
            let _ = older.await;
            storage.flush_drivers(&base, mode).await
        })
    }

    /// Flushes the drivers that keep keys under `base`.
    pub(super) fn flush_drivers(&self, base: &str, mode: Mode) -> Op<()> {
        let base = key::normalize_base(base);
        // A driver may call the storage: its mounts are not borrowed then.
        let drivers: Vec<_> = {
            let mounts = self.mounts.borrow();
            let around = (!mounts.is_mounted(&base)).then(|| mounts.find(&base));
            let drivers = around.into_iter().chain(mounts.under(&base));
            drivers.map(|(_, driver)| driver.clone()).collect()
        };
        let flushed = drivers.iter().map(|driver| fallbacks::flush(driver, mode));
        fallbacks::all(flushed.collect())
    }

    /// Takes out the mount of `base`, and with `dispose` its driver's end. The root stays.
    pub fn unmount(self: &Rc<Self>, base: &str, dispose: bool) -> Op<()> {
        let base = key::normalize_base(base);
        let Some(driver) = self.mounts.borrow_mut().remove(&base) else {
            return Op::ok(());
        };
        let unwatched = self.unwatch_mount(&base);
        let older = self.in_flight.done();
        Op::later(async move {
            let unwatched = unwatched.await;
            if let Some(older) = older {
                let _ = older.await;
            }
            let ended = if dispose {
                flushed_and_disposed(&driver).await
            } else {
                fallbacks::flush(&driver, Mode::Async).await
            };
            unwatched.and(ended)
        })
    }

    /// Does what was asked for before, flushes and frees every driver and stops watching. From now on
    /// the storage is disposed; a second call does nothing.
    pub fn dispose(self: &Rc<Self>) -> Op<()> {
        if self.is_disposed.replace(true) {
            return Op::ok(());
        }
        let drivers: Vec<_> = self
            .mounts
            .borrow()
            .iter()
            .map(|(_, driver)| driver.clone())
            .collect();
        let unwatched = self.unwatch_all();
        let older = self.in_flight.done();
        Op::later(async move {
            let unwatched = unwatched.await;
            if let Some(older) = older {
                let _ = older.await;
            }
            let mut ends = vec![Op::ready(unwatched)];
            for driver in drivers {
                ends.push(Op::later(
                    async move { flushed_and_disposed(&driver).await },
                ));
            }
            fallbacks::all(ends).await
        })
    }
}

/// A driver that fails to flush is disposed all the same; the failure is reported. One that another
/// storage has disposed was flushed then.
async fn flushed_and_disposed(driver: &Rc<dyn Driver>) -> crate::error::Result<()> {
    let flushed = match fallbacks::flush(driver, Mode::Async).await {
        Err(error) if error.kind() == Kind::Disposed => Ok(()),
        flushed => flushed,
    };
    flushed.and(fallbacks::dispose(driver, Mode::Async).await)
}
