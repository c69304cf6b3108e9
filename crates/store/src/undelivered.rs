//! Writes whose callers have not heard of them yet: a watch that starts meanwhile reports those too that
//! took effect before it was there.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use eas_core::driver::{Event, LocalFuture, Op};
use eas_core::error::Result;
use eas_core::store::SharedSink;
use rustc_hash::FxHashMap;

/// A watch that started while writes were under way.
pub(super) struct Starting {
    /// Whether the store reports its last change of the key to the watch.
    pub(super) hears: Box<dyn Fn(&str) -> bool>,
    pub(super) sink: SharedSink,
}

/// The writes of one store that are on their way to their callers.
#[derive(Default)]
pub(super) struct Undelivered {
    last: Cell<u64>,
    /// For each of them, the watches that started since it was asked for.
    open: RefCell<FxHashMap<u64, Vec<Rc<Starting>>>>,
}

/// A write, on its way until this is dropped.
struct Way {
    undelivered: Rc<Undelivered>,
    number: u64,
}

impl Way {
    fn watches(&self) -> Vec<Rc<Starting>> {
        let mut open = self.undelivered.open.borrow_mut();
        open.get_mut(&self.number)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.undelivered.open.borrow_mut().remove(&self.number);
    }
}

impl Undelivered {
    /// Follows a write to its caller; `changes` says what it did.
    pub(super) fn track<T: 'static>(
        self: &Rc<Self>,
        written: Op<T>,
        changes: impl FnOnce(&T) -> Vec<Event> + 'static,
    ) -> Op<T> {
        if matches!(written, Op::Ready(_)) {
            return written;
        }
        let number = self.last.get() + 1;
        self.last.set(number);
        self.open.borrow_mut().insert(number, Vec::new());
        let way = Way {
            undelivered: self.clone(),
            number,
        };
        let Op::Pending(written) = written else {
            return written;
        };
        let written = Op::later(NextTurn {
            written,
            outcome: None,
            is_polled: false,
        });
        written.map_result(move |outcome| {
            let watches = way.watches();
            if let Ok(written) = &outcome
                && !watches.is_empty()
            {
                for event in changes(written) {
                    let deaf = watches.iter().filter(|watch| !(watch.hears)(&event.key));
                    deaf.for_each(|watch| (watch.sink)(event.clone()));
                }
            }
            outcome
        })
    }

    /// Has a watch hear of what is on its way.
    pub(super) fn add(&self, watch: Starting) {
        let watch = Rc::new(watch);
        for watches in self.open.borrow_mut().values_mut() {
            watches.push(watch.clone());
        }
    }
}

/// An outcome that is never there within the call: the caller may go on to start a watch before it can
/// learn of it.
struct NextTurn<T> {
    written: LocalFuture<Result<T>>,
    outcome: Option<Result<T>>,
    is_polled: bool,
}

impl<T> Unpin for NextTurn<T> {}

impl<T> Future for NextTurn<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.outcome.take() {
            return Poll::Ready(outcome);
        }
        let is_first = !std::mem::replace(&mut self.is_polled, true);
        match self.written.as_mut().poll(cx) {
            Poll::Ready(outcome) if is_first => {
                self.outcome = Some(outcome);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            polled => polled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eas_core::driver::EventKind;
    use eas_core::error::{Error, Kind};
    use futures_util::FutureExt;
    use std::sync::{Arc, Mutex};
    use tokio::sync::oneshot;

    type Log = Arc<Mutex<Vec<String>>>;

    fn starting(log: &Log, heard: &'static str) -> Starting {
        let log = log.clone();
        Starting {
            hears: Box::new(move |key| key == heard),
            sink: Arc::new(move |event| log.lock().expect("whole").push(event.key)),
        }
    }

    fn write(undelivered: &Rc<Undelivered>, key: &'static str) -> (oneshot::Sender<bool>, Op<()>) {
        let (done, outcome) = oneshot::channel();
        let written = Op::later(async move {
            match outcome.await {
                Ok(true) => Ok(()),
                _ => Err(Error::new(Kind::System("EIO"), "it fails")),
            }
        });
        let update = move |(): &()| {
            vec![Event {
                kind: EventKind::Update,
                key: key.to_owned(),
            }]
        };
        (done, undelivered.track(written, update))
    }

    #[test]
    fn a_watch_hears_of_writes_on_their_way_that_the_store_does_not_report_to_it() {
        let undelivered = Rc::<Undelivered>::default();
        let log = Log::default();
        let (early, heard) = (write(&undelivered, "early"), write(&undelivered, "heard"));
        let (failed, dropped) = (
            write(&undelivered, "failed"),
            write(&undelivered, "dropped"),
        );
        undelivered.add(starting(&log, "heard"));
        let late = write(&undelivered, "late");
        for ((done, written), is_written) in
            [(late, true), (heard, true), (failed, false), (early, true)]
        {
            done.send(is_written).expect("somebody listens");
            let mut written = written;
            assert!(
                (&mut written).now_or_never().is_none(),
                "not within the call"
            );
            let outcome = written.now_or_never().expect("ready");
            assert_eq!(outcome.is_ok(), is_written);
        }
        drop(dropped);
        assert_eq!(*log.lock().expect("whole"), ["early"]);
        assert!(undelivered.open.borrow().is_empty());
    }
}
