//! Operations that were asked for and have not come to their end, for those who wait for all of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use tokio::sync::oneshot;

use crate::driver::Op;

/// The operations of one caller of drivers.
#[derive(Clone, Default)]
pub struct InFlight(Rc<Inner>);

#[derive(Default)]
struct Inner {
    last: Cell<u64>,
    open: RefCell<BTreeSet<u64>>,
    waiters: RefCell<Vec<Waiter>>,
}

struct Waiter {
    up_to: u64,
    done: oneshot::Sender<()>,
}

/// An operation, in flight until it is dropped.
struct Flight {
    inner: Rc<Inner>,
    number: u64,
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut open = self.inner.open.borrow_mut();
        open.remove(&self.number);
        let oldest = open.first().copied().unwrap_or(u64::MAX);
        drop(open);
        let waiters = std::mem::take(&mut *self.inner.waiters.borrow_mut());
        let (done, waiting): (Vec<_>, Vec<_>) = waiters
            .into_iter()
            .partition(|waiter| waiter.up_to < oldest);
        self.inner.waiters.borrow_mut().extend(waiting);
        for waiter in done {
            // One that went away needs no answer.
            let _ = waiter.done.send(());
        }
    }
}

impl InFlight {
    /// Counts an operation that is not ready.
    pub fn track<T: 'static>(&self, op: Op<T>) -> Op<T> {
        let Op::Pending(future) = op else {
            return op;
        };
        let number = self.0.last.get() + 1;
        self.0.last.set(number);
        self.0.open.borrow_mut().insert(number);
        let flight = Flight {
            inner: self.0.clone(),
            number,
        };
        Op::later(async move {
            let outcome = future.await;
            drop(flight);
            outcome
        })
    }

    /// Completes when everything that is in flight now has come to its end; `None` where nothing is.
    pub fn done(&self) -> Option<oneshot::Receiver<()>> {
        if self.0.open.borrow().is_empty() {
            return None;
        }
        let (done, receiver) = oneshot::channel();
        self.0.waiters.borrow_mut().push(Waiter {
            up_to: self.0.last.get(),
            done,
        });
        Some(receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn who_waits_is_notified_by_the_last_of_what_was_in_flight() {
        let in_flight = InFlight::default();
        assert!(in_flight.done().is_none());
        let pending = || {
            let (end, ended) = oneshot::channel::<()>();
            let op = in_flight.track(Op::later(async move {
                let _ = ended.await;
                Ok(())
            }));
            (end, op)
        };
        let (first, second) = (pending(), pending());
        let mut done = in_flight.done().expect("something is");
        let third = pending();
        drop(first.0);
        assert!(first.1.now_or_never().is_some());
        assert!(done.try_recv().is_err());
        // An operation that is dropped has come to its end too.
        drop(second);
        assert!(done.try_recv().is_ok());
        drop(third);
        assert!(in_flight.done().is_none());
    }
}
