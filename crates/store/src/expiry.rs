//! The end of items whose time is over: one timer for the next of them, none when there is none.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures_util::future::{Either, pending, select};
use tokio::sync::watch;

use crate::offload::offload;
use eas_core::driver::{Event, EventKind, EventSink};
use eas_core::runtime::Runtime;
use eas_core::store::Store;

/// Timers this long apart wake a machine once a day at most.
const LONGEST_SLEEP_MS: u64 = 24 * 60 * 60 * 1000;

/// How long after a sweep that failed the next one is, and how often items are looked for that other processes
/// left to expire.
const AGAIN_MS: u64 = 5 * 1000;

/// Removes items of one driver when their time is over, and reports them.
pub(super) struct Expiry {
    driver: Arc<dyn Store>,
    runtime: Rc<dyn Runtime>,
    /// When the timer runs out. It follows every change, and ends with this.
    wakes_ms: watch::Sender<Option<u64>>,
    sinks: RefCell<Vec<(u64, EventSink)>>,
    last_sink: Cell<u64>,
    /// Whether the driver was disposed.
    is_stopped: Cell<bool>,
    /// Held while the store is looked at or swept.
    at_work: Arc<tokio::sync::Mutex<()>>,
}

/// Takes a listener out when it is dropped.
struct Subscription {
    expiry: Weak<Expiry>,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(expiry) = self.expiry.upgrade() {
            expiry.sinks.borrow_mut().retain(|(id, _)| *id != self.id);
        }
    }
}

impl Expiry {
    pub(super) fn new(driver: Arc<dyn Store>, runtime: Rc<dyn Runtime>) -> Rc<Self> {
        Rc::new(Expiry {
            driver,
            runtime,
            wakes_ms: watch::Sender::default(),
            sinks: RefCell::default(),
            last_sink: Cell::new(0),
            is_stopped: Cell::new(false),
            at_work: Arc::default(),
        })
    }

    /// Ends the timer; the returned future ends with the sweep that is under way.
    pub(super) fn stop(&self) -> impl Future<Output = ()> + 'static {
        self.is_stopped.set(true);
        self.wakes_ms.send_replace(None);
        let at_work = self.at_work.clone();
        async move {
            drop(at_work.lock_owned().await);
        }
    }

    pub(super) fn subscribe(self: &Rc<Self>, sink: EventSink) -> Box<dyn std::any::Any> {
        let id = self.last_sink.get() + 1;
        self.last_sink.set(id);
        self.sinks.borrow_mut().push((id, sink));
        Box::new(Subscription {
            expiry: Rc::downgrade(self),
            id,
        })
    }

    /// Sees to it that items are swept at `expires_ms`, or before.
    pub(super) fn schedule(self: &Rc<Self>, expires_ms: u64) {
        let is_in_time = |wakes_ms| wakes_ms <= expires_ms;
        if self.is_stopped.get() || self.wakes_ms.borrow().is_some_and(is_in_time) {
            return;
        }
        self.wakes_ms.send_replace(Some(expires_ms));
        if self.wakes_ms.receiver_count() == 0 {
            let timer = Self::run_timer(Rc::downgrade(self), self.wakes_ms.subscribe());
            self.runtime.spawn(Box::pin(timer));
        }
    }

    /// Sweeps whenever the time has come. There is one timer at most: changes that come faster than
    /// the event loop turns leave nothing behind.
    async fn run_timer(expiry: Weak<Self>, mut wakes_ms: watch::Receiver<Option<u64>>) {
        loop {
            let next = *wakes_ms.borrow_and_update();
            let sleep = match (expiry.upgrade(), next) {
                (None, _) => return,
                (Some(_), None) => Box::pin(pending()),
                (Some(expiry), Some(next)) => {
                    let ms = next.saturating_sub(expiry.runtime.now_ms());
                    expiry.runtime.sleep(ms.clamp(1, LONGEST_SLEEP_MS))
                }
            };
            match select(pin!(wakes_ms.changed()), sleep).await {
                Either::Left((Ok(()), _)) => {}
                Either::Left((Err(_), _)) => return,
                Either::Right(_) => {
                    if let Some(expiry) = expiry.upgrade() {
                        expiry.sweep().await;
                    }
                }
            }
        }
    }

    /// Looks for items that an earlier process left to end.
    pub(super) fn look(self: &Rc<Self>) {
        let expiry = Rc::downgrade(self);
        let driver = self.driver.clone();
        let runtime = self.runtime.clone();
        self.runtime.spawn(Box::pin(async move {
            let Some(at_work) = expiry.upgrade().map(|expiry| expiry.at_work.clone()) else {
                return;
            };
            let at_work = at_work.lock_owned().await;
            let next = offload(&runtime, move || driver.next_expiry()).await;
            drop(at_work);
            if let (Ok(next), Some(expiry)) = (next, expiry.upgrade()) {
                expiry.schedule_next(next, expiry.runtime.now_ms());
            }
        }));
    }

    /// Sees to the item that expires next, and to those of other processes.
    fn schedule_next(self: &Rc<Self>, next: Option<u64>, now_ms: u64) {
        let look = self.driver.info().others_expire.then(|| now_ms + AGAIN_MS);
        if let Some(wakes_ms) = next.into_iter().chain(look).min() {
            self.schedule(wakes_ms);
        }
    }

    async fn sweep(self: &Rc<Self>) {
        self.wakes_ms.send_replace(None);
        let at_work = self.at_work.clone().lock_owned().await;
        if self.is_stopped.get() {
            return;
        }
        let now_ms = self.runtime.now_ms();
        let driver = self.driver.clone();
        let work = move || Ok((driver.sweep(now_ms)?, driver.next_expiry()?));
        let swept = if self.driver.info().is_instant {
            work()
        } else {
            offload(&self.runtime, work).await
        };
        drop(at_work);
        // A failed sweep costs disk space, not correctness: ended items read as missing anyway.
        let Ok((keys, next)) = swept else {
            self.schedule(now_ms + AGAIN_MS);
            return;
        };
        for key in keys {
            let sinks: Vec<EventSink> = self
                .sinks
                .borrow()
                .iter()
                .map(|(_, sink)| sink.clone())
                .collect();
            for sink in sinks {
                sink(Event {
                    kind: EventKind::Remove,
                    key: key.clone(),
                });
            }
        }
        self.schedule_next(next.map(|next| next.max(now_ms + 1)), now_ms);
    }
}
