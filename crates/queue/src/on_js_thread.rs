//! Writing on the JS thread, for drivers below that live there: those of JavaScript, and other
//! wrappers.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::{Rc, Weak};

use futures_util::future::join_all;

use super::control::{Control, Next, Outcomes, Step};
use super::group::QueuedGroup;
use super::pending_queue::{Batch, Before, Change, Operation, PendingQueue, Place};
use eas_core::driver::{Call, Driver, Item, Mode, Op, Options};
use eas_core::error::{Error, Kind, Result};
use eas_core::fallbacks;
use eas_core::group::Committed;
use eas_core::runtime::{AtExit, Progress, Runtime};
use eas_core::value::{Text, Value};

use super::runtime::{now_ms, warn};

/// After so many attempts that wrote nothing, about six seconds, a queue no longer keeps the
/// program from ending.
const MOST_FAILURES_TO_WAIT_FOR: u32 = 6;

/// The writer of one queue.
pub struct OnJsThread {
    /// What waits.
    pub control: Control,
    inner: Rc<dyn Driver>,
    runtime: Rc<dyn Runtime>,
    this: Weak<OnJsThread>,
    held: RefCell<Held>,
    /// Writes when the program ends, for as long as it is held.
    at_exit: RefCell<Option<Box<dyn Any>>>,
}

/// What must not go away while something waits.
#[derive(Default)]
struct Held {
    program: Option<Box<dyn Any>>,
    driver: Option<(Box<dyn Any>, Rc<OnJsThread>)>,
}

impl OnJsThread {
    /// A writer to `inner`.
    pub fn new(control: Control, inner: Rc<dyn Driver>, runtime: Rc<dyn Runtime>) -> Rc<Self> {
        Rc::new_cyclic(|this| {
            let at_exit = runtime.at_exit(Rc::new(Ending(this.clone())));
            OnJsThread {
                control,
                inner,
                runtime,
                this: this.clone(),
                held: RefCell::default(),
                at_exit: RefCell::new(Some(at_exit)),
            }
        })
    }

    /// Nothing is written any more.
    pub fn end(&self) {
        self.at_exit.borrow_mut().take();
    }

    /// Does what is next.
    pub fn go(self: &Rc<Self>, next: Next) {
        self.hold();
        match next {
            Next::Nothing => {}
            Next::Start => {
                let this = self.clone();
                self.runtime
                    .spawn(Box::pin(async move { this.pass().await }));
            }
            Next::Wait { ms, timer } => {
                let sleep = if self.inner.info().in_js {
                    self.runtime.js_sleep(ms)
                } else {
                    self.runtime.sleep(ms)
                };
                let this = self.this.clone();
                self.runtime.spawn(Box::pin(async move {
                    sleep.await;
                    if let Some(this) = this.upgrade() {
                        let next = this.control.timer_fired(timer);
                        this.go(next);
                    }
                }));
            }
        }
    }

    fn hold(self: &Rc<Self>) {
        let (waits, is_with_driver) = self
            .control
            .with_pending(|pending| (!pending.is_empty(), pending.is_handed_out()));
        // What the driver waits for keeps the program by itself, if the driver wants that; its
        // Promise may never settle.
        let is_hopeful = !is_with_driver && self.control.failures() <= MOST_FAILURES_TO_WAIT_FOR;
        let mut held = self.held.borrow_mut();
        let mut dropped = Held::default();
        if !waits {
            dropped.driver = held.driver.take();
        } else if held.driver.is_none() {
            held.driver = Some((self.inner.hold(), self.clone()));
        }
        if !waits || !is_hopeful {
            dropped.program = held.program.take();
        } else if held.program.is_none() {
            held.program = Some(self.runtime.keep_alive());
        }
        drop(held);
        drop(dropped);
    }

    async fn pass(self: Rc<Self>) {
        if !self.control.begin_pass() {
            return;
        }
        loop {
            match self.control.step() {
                Step::Batch(batch) => {
                    self.hold();
                    if let Some(group) = batch.group() {
                        let committed = self.commit(group, Mode::Async).await;
                        let next = self.control.finish_group(&batch, committed);
                        self.go(next);
                        continue;
                    }
                    let outcomes = self.write_batch(&batch, Mode::Async).await;
                    let next = self.control.finish(&batch, outcomes);
                    self.go(next);
                }
                Step::End { next, unreported } => {
                    if let Some(error) = unreported {
                        warn(&*self.runtime, &self.inner.info().name, &error);
                    }
                    self.go(next);
                    return;
                }
            }
        }
    }

    /// Writes a batch. Operations of one key go one after the other; after one of a key failed, the
    /// others of that key are not tried.
    async fn write_batch(&self, batch: &Batch, mode: Mode) -> Outcomes {
        let mut outcomes = Outcomes::new();
        let mut left: Vec<&(Place, Operation)> = batch.operations.iter().collect();
        let mut failed: HashSet<&str> = HashSet::new();
        while !left.is_empty() {
            let mut keys: HashSet<&str> = HashSet::new();
            let (wave, later): (Vec<_>, Vec<_>) = left
                .into_iter()
                .partition(|(_, operation)| keys.insert(&operation.key));
            for (place, outcome) in self.write_wave(&wave, mode).await {
                if outcome.is_err() {
                    let at = wave.iter().find(|(other, _)| *other == place);
                    failed.extend(at.map(|(_, operation)| &*operation.key));
                }
                outcomes.push((place, outcome));
            }
            left = later
                .into_iter()
                .filter(|(_, operation)| !failed.contains(&*operation.key))
                .collect();
        }
        outcomes
    }

    /// Writes operations of keys that are all different.
    async fn write_wave(&self, wave: &[&(Place, Operation)], mode: Mode) -> Outcomes {
        let (sets, others): (Vec<_>, Vec<_>) = wave.iter().copied().partition(|(_, operation)| {
            text_of(operation).is_some() && !self.has_expired(operation)
        });
        let together = sets.len() > 1 && self.inner.info().has(Call::SetItems, mode);
        let mut singles: Vec<_> = others;
        let written = if together {
            let items = sets.iter().filter_map(|(_, operation)| {
                Some(Item {
                    key: operation.key.as_ref().to_owned(),
                    value: text_of(operation)?.clone(),
                    options: self.options(operation),
                })
            });
            let items = items.collect();
            Some(fallbacks::set_items(
                &self.inner,
                items,
                &Options::default(),
                mode,
            ))
        } else {
            singles.extend(&sets);
            singles.sort_unstable_by_key(|(place, _)| *place);
            None
        };
        let started: Vec<_> = singles
            .iter()
            .map(|(place, operation)| {
                let write = self.write(operation, mode);
                async move { (*place, write.await) }
            })
            .collect();
        let mut outcomes = Outcomes::with_capacity(wave.len());
        if let Some(written) = written {
            let outcome = written.await;
            outcomes.extend(sets.iter().map(|(place, _)| (*place, outcome.clone())));
        }
        outcomes.extend(join_all(started).await);
        outcomes
    }

    /// Starts one operation.
    fn write(&self, operation: &Operation, mode: Mode) -> Op<()> {
        let (inner, key) = (&self.inner, &*operation.key);
        if self.has_expired(operation) {
            // What the driver still has of the key is older.
            let options = Options {
                ttl_ms: None,
                ..operation.options.clone()
            };
            return fallbacks::remove_item(inner, key, &options, mode);
        }
        let options = self.options(operation);
        match &operation.change {
            Change::Set(Value::Text(text)) => {
                fallbacks::set_item(inner, key, text.clone(), &options, mode)
            }
            Change::Set(value) | Change::SetRaw(value) => {
                fallbacks::set_item_raw(inner, key, value.clone(), &options, mode)
            }
            Change::Remove => fallbacks::remove_item(inner, key, &options, mode),
            Change::Clear => fallbacks::clear(inner, key, &options, mode),
            Change::Commit(group) => self.commit(group, mode).map(drop),
        }
    }

    /// Starts a group.
    fn commit(&self, group: &QueuedGroup, mode: Mode) -> Op<Committed> {
        let due = group.at(self.now_ms());
        self.inner.clone().commit(due, group.operation, mode)
    }

    /// Makes a group at once with the Sync method, after what waits for its keys.
    ///
    /// # Errors
    /// Those of the driver, also of what waits; [`Kind::SyncUnsupported`] where something of its keys is on
    /// its way. Then the group is not made.
    pub fn commit_through(self: &Rc<Self>, group: &QueuedGroup) -> Result<Committed> {
        let has_older = || {
            self.control
                .with_pending(|pending| pending.has_any(group.keys()))
        };
        if has_older() {
            let flushed = self.flush_here();
            // What fails beside the group is no business of it.
            if has_older() {
                flushed?;
                let message = "a write of one of the keys is on its way to the driver, which cannot be waited for here; use the Promise form";
                return Err(Error::new(Kind::SyncUnsupported, message)
                    .driver(&self.inner.info().name)
                    .operation(group.operation));
            }
        }
        at_once(self.commit(group, Mode::Sync))
    }

    fn now_ms(&self) -> u64 {
        now_ms(&*self.runtime, self.inner.info())
    }

    fn has_expired(&self, operation: &Operation) -> bool {
        operation
            .expires_ms
            .is_some_and(|expires_ms| expires_ms <= self.now_ms())
    }

    /// The options of the call, with what is left of the time to live.
    fn options(&self, operation: &Operation) -> Options {
        let now_ms = self.now_ms();
        let left = |expires_ms: u64| expires_ms.saturating_sub(now_ms).max(1);
        Options {
            ttl_ms: operation.expires_ms.map(left),
            ..operation.options.clone()
        }
    }

    /// Makes a change at once with the Sync methods, after what waits for its key. Behind something
    /// of the key that is on its way it is queued.
    ///
    /// # Errors
    /// Those of the driver, also of what waits; then the change is not made.
    pub fn write_through(self: &Rc<Self>, operation: Operation, merges: bool) -> Result<()> {
        let is_clear = operation.is_clear();
        let take = || {
            if is_clear {
                self.control.take_base(&operation.key, false)
            } else {
                self.control.take_key(&operation.key, false)
            }
        };
        let mut before = take()?;
        if matches!(before, Before::First) {
            let flushed = self.flush_here();
            before = take()?;
            // What fails beside it is no business of this write.
            if matches!(before, Before::First) {
                flushed?;
            }
        }
        let Before::Taken(batch) = before else {
            self.check(&operation)?;
            // It is written later, by the other form of the method.
            self.check_twins(&operation)?;
            let (_, next) = self.control.push(vec![operation])?;
            self.go(next);
            return Ok(());
        };
        let mut outcomes = Outcomes::new();
        let mut outcome = Ok(());
        if !merges && !is_clear {
            for (place, waiting) in &batch.operations {
                outcome = self.write_at_once(waiting);
                if outcome.is_err() {
                    break;
                }
                outcomes.push((*place, Ok(())));
            }
        }
        if outcome.is_ok() {
            outcome = at_once(self.write(&operation, Mode::Sync));
        }
        if outcome.is_ok() {
            // What the change made pointless is done as well.
            outcomes = batch
                .operations
                .iter()
                .map(|(place, _)| (*place, Ok(())))
                .collect();
        }
        let next = self.control.finish(&batch, outcomes);
        self.go(next);
        outcome
    }

    /// Makes a change that waits with the Sync method, if that does what the other one does: where a
    /// program replaced one of the two, the other must not be used in its place.
    fn write_at_once(&self, operation: &Operation) -> Result<()> {
        self.check_twins(operation)?;
        at_once(self.write(operation, Mode::Sync))
    }

    fn check_twins(&self, operation: &Operation) -> Result<()> {
        let info = self.inner.info();
        let call = match &operation.change {
            Change::Set(Value::Text(_)) => Call::SetItem,
            Change::Set(_) | Change::SetRaw(_) if info.has(Call::SetItemRaw, Mode::Sync) => {
                Call::SetItemRaw
            }
            Change::Set(_) | Change::SetRaw(_) => Call::SetItem,
            Change::Remove => Call::RemoveItem,
            Change::Clear if info.has(Call::Clear, Mode::Sync) => Call::Clear,
            Change::Clear => Call::RemoveItem,
            Change::Commit(_) => Call::Commit,
        };
        if info.are_twins(call) {
            return Ok(());
        }
        let (name, sync_name) = (call.name(Mode::Async), call.name(Mode::Sync));
        let message = format!(
            "one of the methods `{name}` and `{sync_name}` was replaced and the other was not, so that neither can stand in for the other; replace both, or use the Promise form"
        );
        Err(Error::new(Kind::SyncUnsupported, message)
            .driver(&info.name)
            .operation(sync_name)
            .key(&operation.key))
    }

    /// Begins what waits with the methods that give Promises. What they do before they give one is done;
    /// nobody hears what becomes of the rest.
    fn begin_all(&self) {
        let up_to = self.control.with_pending(PendingQueue::last_place);
        let mut looked_to = 0;
        while let Some((batch, to)) = self.control.take_beside(looked_to, up_to) {
            looked_to = to;
            for (_, operation) in &batch.operations {
                drop(self.write(operation, Mode::Async));
            }
        }
    }

    /// Fails where the driver has no Sync method for the change.
    fn check(&self, operation: &Operation) -> Result<()> {
        let has = |call| self.inner.info().has(call, Mode::Sync);
        let call = match &operation.change {
            Change::Set(Value::Text(_)) => Call::SetItem,
            Change::Set(_) | Change::SetRaw(_) if has(Call::SetItemRaw) => Call::SetItemRaw,
            Change::Set(_) | Change::SetRaw(_) => Call::SetItem,
            Change::Remove => Call::RemoveItem,
            Change::Clear => return fallbacks::can_clear(&self.inner, Mode::Sync).map(drop),
            Change::Commit(_) => Call::Commit,
        };
        if has(call) {
            Ok(())
        } else {
            Err(fallbacks::unsupported(&*self.inner, call).key(&operation.key))
        }
    }

    /// Writes everything with the Sync methods, also what is on its way and may come to be written
    /// twice: the driver's Promises cannot be waited for.
    ///
    /// # Errors
    /// The first of the driver; what failed waits on. [`Kind::SyncUnsupported`] for what has to wait
    /// until another operation, of its key or a clear, has come to its end.
    pub fn flush_here(self: &Rc<Self>) -> Result<()> {
        let up_to = self.control.with_pending(PendingQueue::last_place);
        let (mut looked_to, mut outcome) = (0, Ok(()));
        while let Some((batch, to)) = self.control.take_beside(looked_to, up_to) {
            looked_to = to;
            if let Some(group) = batch.group() {
                let next = match self.can_commit_at_once(&batch) {
                    Ok(()) => {
                        let committed = at_once(self.commit(group, Mode::Sync));
                        self.control.finish_group(&batch, committed)
                    }
                    Err(error) => {
                        outcome = outcome.and(Err(error));
                        self.control.finish(&batch, Outcomes::new())
                    }
                };
                self.go(next);
                continue;
            }
            let mut outcomes = Outcomes::new();
            let mut failed: HashSet<&str> = HashSet::new();
            for (place, operation) in &batch.operations {
                if failed.contains(&*operation.key) {
                    continue;
                }
                let written = self.write_at_once(operation);
                if let Err(error) = &written {
                    failed.insert(&operation.key);
                    if outcome.is_ok() {
                        outcome = Err(error.clone());
                    }
                }
                outcomes.push((*place, written));
            }
            let next = self.control.finish(&batch, outcomes);
            self.go(next);
        }
        outcome.and_then(|()| self.write_again(up_to))
    }

    /// Fails where a group of the Promise form has to be left to it.
    fn can_commit_at_once(&self, batch: &Batch) -> Result<()> {
        batch.operations.iter().try_for_each(|(_, operation)| {
            self.check(operation)
                .and_then(|()| self.check_twins(operation))
        })
    }

    /// Writes what is on its way with the Sync methods too. Whatever comes after it, of its key or
    /// under its base, waits for its end, so that it overwrites nothing newer when it gets there.
    fn write_again(&self, up_to: Place) -> Result<()> {
        let (operations, is_all) = self
            .control
            .with_pending(|pending| pending.on_the_way(up_to));
        let mut keys: HashSet<&str> = HashSet::new();
        let is_one_each = operations
            .iter()
            .all(|operation| keys.insert(&operation.key));
        for operation in &operations {
            self.write_at_once(operation)?;
        }
        if is_all && is_one_each {
            Ok(())
        } else {
            let message =
                "an operation waits for an older one that the driver has not finished; use `flush`";
            Err(Error::new(Kind::SyncUnsupported, message)
                .driver(&self.inner.info().name)
                .operation(Call::Flush.name(Mode::Sync)))
        }
    }
}

/// What the queue still has to do when the context shuts down.
struct Ending(Weak<OnJsThread>);

/// The Promises of the driver cannot be waited for any more: its Sync methods write what is left.
impl AtExit for Ending {
    fn call_js(&self) {
        let Some(this) = self.0.upgrade() else {
            return;
        };
        let left = this.control.with_pending(PendingQueue::len);
        if left == 0 {
            return;
        }
        if let Err(error) = this.flush_here() {
            if error.kind() == Kind::SyncUnsupported {
                this.begin_all();
            }
            eprintln!(
                "[electron-async-storage] [queue] the process ends with some of {left} operations that were not seen to be written to {}: {error}",
                this.inner.info().name
            );
        }
    }

    fn start(&self, _progress: Progress) {}
}

/// The outcome of an operation that was started with [`Mode::Sync`].
fn at_once<T>(op: Op<T>) -> Result<T> {
    use futures_util::FutureExt;

    op.now_or_never().unwrap_or_else(|| {
        Err(Error::new(
            Kind::SyncUnsupported,
            "the driver did not finish at once; use the Promise form",
        ))
    })
}

fn text_of(operation: &Operation) -> Option<&Text> {
    match &operation.change {
        Change::Set(Value::Text(text)) => Some(text),
        _ => None,
    }
}
