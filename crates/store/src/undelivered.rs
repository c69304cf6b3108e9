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
    /// How many are on their way.
    open: Cell<usize>,
    starting: RefCell<Vec<Awaiting>>,
}

/// A watch, for as long as a write is on its way that was asked for before it.
struct Awaiting {
    watch: Rc<Starting>,
    /// The number of the last write before it.
    last: u64,
    /// How many of the writes before it are on their way.
    left: usize,
}

/// A write, on its way until this is dropped.
struct Way {
    undelivered: Rc<Undelivered>,
    number: u64,
}

impl Way {
    /// The watches that started since the write was asked for.
    fn watches(&self) -> Vec<Rc<Starting>> {
        let starting = self.undelivered.starting.borrow();
        let since = starting
            .iter()
            .filter(|starting| starting.last >= self.number);
        since.map(|starting| starting.watch.clone()).collect()
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        let open = &self.undelivered.open;
        open.set(open.get() - 1);
        let mut starting = self.undelivered.starting.borrow_mut();
        let over = starting.extract_if(.., |starting| {
            if starting.last >= self.number {
                starting.left -= 1;
            }
            starting.left == 0
        });
        let over: Vec<_> = over.collect();
        drop(starting);
        // What a watch holds may have something to say when it goes.
        drop(over);
    }
}

impl Undelivered {
    /// Follows a write to its caller; `changes` says what it did.
    pub(super) fn track<T: 'static>(
        self: &Rc<Self>,
        written: Op<T>,
        changes: impl FnOnce(&T) -> Vec<Event> + 'static,
    ) -> Op<T> {
        let Op::Pending(written) = written else {
            return written;
        };
        let number = self.last.get() + 1;
        self.last.set(number);
        self.open.set(self.open.get() + 1);
        Op::later(Delivery {
            written,
            outcome: None,
            is_polled: false,
            changes: Some(changes),
            way: Way {
                undelivered: self.clone(),
                number,
            },
        })
    }

    /// Has a watch hear of what is on its way.
    pub(super) fn add(&self, watch: Starting) {
        if self.open.get() > 0 {
            self.starting.borrow_mut().push(Awaiting {
                watch: Rc::new(watch),
                last: self.last.get(),
                left: self.open.get(),
            });
        }
    }
}

/// The outcome of a write. It is never there within the call: the caller may go on to start a watch before
/// it can learn of it.
struct Delivery<T, F> {
    written: LocalFuture<Result<T>>,
    outcome: Option<Result<T>>,
    is_polled: bool,
    changes: Option<F>,
    way: Way,
}

impl<T, F> Unpin for Delivery<T, F> {}

impl<T, F: FnOnce(&T) -> Vec<Event>> Delivery<T, F> {
    fn deliver(&mut self, outcome: Result<T>) -> Poll<Result<T>> {
        let watches = self.way.watches();
        if let Ok(written) = &outcome
            && !watches.is_empty()
            && let Some(changes) = self.changes.take()
        {
            for event in changes(written) {
                let deaf = watches.iter().filter(|watch| !(watch.hears)(&event.key));
                deaf.for_each(|watch| (watch.sink)(event.clone()));
            }
        }
        Poll::Ready(outcome)
    }
}

impl<T, F: FnOnce(&T) -> Vec<Event>> Future for Delivery<T, F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.outcome.take() {
            return self.deliver(outcome);
        }
        let is_first = !std::mem::replace(&mut self.is_polled, true);
        match self.written.as_mut().poll(cx) {
            Poll::Ready(outcome) if is_first => {
                self.outcome = Some(outcome);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(outcome) => self.deliver(outcome),
            Poll::Pending => Poll::Pending,
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
        assert_eq!(undelivered.open.get(), 0);
        assert!(undelivered.starting.borrow().is_empty());
    }

    #[test]
    fn a_watch_is_kept_as_long_as_the_writes_before_it() {
        let undelivered = Rc::<Undelivered>::default();
        let log = Log::default();
        let first = write(&undelivered, "first");
        undelivered.add(starting(&log, ""));
        let second = write(&undelivered, "second");
        undelivered.add(starting(&log, ""));
        let third = write(&undelivered, "third");
        let kept = || undelivered.starting.borrow().len();
        assert_eq!(kept(), 2);
        drop(first);
        assert_eq!(kept(), 1);
        drop(third);
        assert_eq!(kept(), 1);
        drop(second);
        assert_eq!(kept(), 0);
        undelivered.add(starting(&log, ""));
        assert_eq!(kept(), 0);
    }
}
