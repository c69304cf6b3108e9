//! The end of things: flush, unmount, dispose.

use std::rc::Rc;

use super::Storage;
use crate::calls;
use crate::driver::{Driver, Mode, Op};
use crate::key;

impl Storage {
    /// Resolves when everything written under `base` before is where it belongs.
    pub fn flush(&self, base: &str, mode: Mode) -> Op<()> {
        let base = key::normalize_base(base);
        let mounts = self.mounts.borrow();
        let around = (!mounts.is_mounted(&base)).then(|| mounts.find(&base));
        let drivers = around
            .into_iter()
            .chain(mounts.under(&base))
            .map(|(_, driver)| driver);
        calls::all(drivers.map(|driver| calls::flush(driver, mode)).collect())
    }

    /// Takes out the mount of `base`, and with `dispose` its driver's end. The root stays.
    pub fn unmount(self: &Rc<Self>, base: &str, dispose: bool) -> Op<()> {
        let base = key::normalize_base(base);
        let Some(driver) = self.mounts.borrow_mut().remove(&base) else {
            return Op::ok(());
        };
        let unwatched = self.unwatch_mount(&base);
        if !dispose {
            return unwatched;
        }
        let runtime = self.runtime.clone();
        Op::later(async move {
            unwatched.await?;
            flushed_and_disposed(&driver).await?;
            drop(runtime);
            Ok(())
        })
    }

    /// Flushes and frees every driver and stops watching. Callers make sure that it runs once.
    pub fn dispose(self: &Rc<Self>) -> Op<()> {
        let drivers: Vec<_> = self
            .mounts
            .borrow()
            .iter()
            .map(|(_, driver)| driver.clone())
            .collect();
        let unwatched = self.unwatch_all();
        Op::later(async move {
            let unwatched = unwatched.await;
            let mut ends = vec![Op::ready(unwatched)];
            for driver in drivers {
                ends.push(Op::later(
                    async move { flushed_and_disposed(&driver).await },
                ));
            }
            calls::all(ends).await
        })
    }
}

/// A driver that fails to flush is disposed all the same; the failure is reported.
async fn flushed_and_disposed(driver: &Rc<dyn Driver>) -> crate::error::Result<()> {
    let flushed = calls::flush(driver, Mode::Async).await;
    flushed.and(calls::dispose(driver, Mode::Async).await)
}
