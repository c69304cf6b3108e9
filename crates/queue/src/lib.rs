//! A driver that collects writes and hands them to another driver in batches.
//!
//! - [`pending_queue`]: what waits and in which order, as data; [`control`]: when it is written;
//! - [`threaded`]: writing on other threads, for drivers that are plain blocking code;
//!   [`on_js_thread`]: writing on the JS thread, for all others;
//! - [`group`]: a group of changes that waits;
//! - `form`: what a value that waits reads as; `runtime`: the time and the warnings of the JS runtime.
//!
//! A write is in the pending queue when its call returns, so that reads see it and nothing overtakes it;
//! where the pending queue is full, its operation completes when there is room.

pub mod control;
mod form;
pub mod group;
pub mod on_js_thread;
pub mod pending_queue;
mod runtime;
pub mod threaded;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use self::control::{Control, Limits, Next, Room};
use self::form::Form;
use self::group::QueuedGroup;
use self::on_js_thread::OnJsThread;
use self::pending_queue::{Change, Operation, Seen};
use self::runtime::{now_ms, warn};
use self::threaded::{Notice, ProcessThreads, Threaded, Threads};
use eas_core::clearing::Clears;
use eas_core::delegate;
use eas_core::driver::{
    Call, Capabilities, Driver, DriverInfo, EventKind, Item, KeyFilter, KeyQuery, Meta, Mode,
    NativeMeta, Op, Options,
};
use eas_core::error::{Error, Kind, Result};
use eas_core::fallbacks;
use eas_core::group::{Committed, Group};
use eas_core::in_flight::InFlight;
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::options::DriverOptions;
use eas_core::runtime::Runtime;
use eas_core::store::Store;
use eas_core::value::{Text, Value};
use eas_store::pending::Pending;

/// The name of the driver.
pub const NAME: &str = "queue";

const BATCH_SIZE: u32 = 100;
const FLUSH_INTERVAL_MS: u32 = 1000;
const MAX_QUEUE_SIZE: u32 = 1000;

/// The options of a queue.
pub struct Settings {
    /// What bounds it.
    pub limits: Limits,
    /// Whether an operation replaces one of its key that waits.
    pub merges: bool,
}

impl Settings {
    /// Reads the options.
    ///
    /// # Errors
    /// [`Kind::InvalidOption`] for a number that is not whole or too small.
    pub fn read(options: &DriverOptions) -> Result<Self> {
        let number = |name, least, default| options.whole_number(name, least, default);
        Ok(Settings {
            limits: Limits {
                batch_size: number("batchSize", 1, BATCH_SIZE)? as usize,
                flush_interval_ms: number("flushInterval", 0, FLUSH_INTERVAL_MS)?.into(),
                max_queue_size: number("maxQueueSize", 1, MAX_QUEUE_SIZE)? as usize,
            },
            merges: options.bool("mergeUpdates", true)?,
        })
    }
}

/// What a queue in front of such a driver is: what that is, in order.
fn info_of(inner: &DriverInfo) -> DriverInfo {
    let mut capabilities = Capabilities::ALL;
    if !inner.watches() {
        capabilities = capabilities.without(Call::Watch);
    }
    for mode in [Mode::Async, Mode::Sync] {
        if !inner.has(Call::Commit, mode) {
            capabilities = capabilities.without_mode(Call::Commit, mode);
        }
    }
    // A Sync write finds out for itself, so that the error names the driver below.
    for call in [
        Call::SetItem,
        Call::SetItems,
        Call::SetItemRaw,
        Call::RemoveItem,
    ] {
        if !inner.writes(call, Mode::Async) && !inner.read_only.is_read_only() {
            capabilities = capabilities.without_mode(call, Mode::Async);
        }
    }
    if !inner.clears(Mode::Async) {
        capabilities = capabilities.without_mode(Call::Clear, Mode::Async);
    }
    DriverInfo {
        name: NAME.into(),
        capabilities,
        twins: Capabilities::ALL,
        clears_base: true,
        ordered: true,
        ..inner.clone()
    }
}

enum Writer {
    Threaded(Arc<Threaded>),
    OnJsThread(Rc<OnJsThread>),
}

impl Writer {
    fn control(&self) -> &Control {
        match self {
            Writer::Threaded(threaded) => &threaded.control,
            Writer::OnJsThread(on_js_thread) => &on_js_thread.control,
        }
    }

    fn go(&self, next: Next) {
        match self {
            Writer::Threaded(threaded) => threaded.go(next),
            Writer::OnJsThread(on_js_thread) => on_js_thread.go(next),
        }
    }
}

/// A queue in front of a driver.
pub struct QueueDriver {
    info: DriverInfo,
    inner: Rc<dyn Driver>,
    /// The store below, where it can be called on any thread.
    store: Option<Arc<dyn Store>>,
    runtime: Rc<dyn Runtime>,
    writer: Writer,
    form: Form,
    merges: bool,
    /// The clears that list first.
    clears: Rc<Clears>,
    /// Those of them that are under way.
    listing: InFlight,
    is_over: Cell<bool>,
    /// Flushes when the program ends, for as long as it is held.
    at_exit: RefCell<Option<Box<dyn Any>>>,
}

/// Makes a queue from its options.
///
/// # Errors
/// [`Kind::RequiredOption`] without a driver, [`Kind::InvalidOption`].
pub fn open(options: &DriverOptions, runtime: &Rc<dyn Runtime>) -> Result<Rc<dyn Driver>> {
    let inner = options.required_driver("driver")?;
    let settings = Settings::read(options)?;
    let threads = Arc::new(ProcessThreads);
    Ok(QueueDriver::new(inner, &settings, runtime.clone(), threads))
}

impl QueueDriver {
    /// A clear of what a filter leaves of what is listed, which gives the keys that it removed.
    fn clear_listed(
        self: Rc<Self>,
        base: &str,
        options: &Options,
        mode: Mode,
        filter: KeyFilter,
    ) -> Op<Keys> {
        let query = KeyQuery {
            base: base.to_owned(),
            ..KeyQuery::default()
        };
        let clear = Rc::new(self.clears.begin(&self.inner));
        let list = {
            let queue = self.clone();
            move |mode| queue.list(&query, mode)
        };
        let (spared, options, base) = (clear.clone(), options.clone(), base.to_owned());
        let filter = Cell::new(Some(filter));
        let remove = move |listed: Result<Keys>, mode| {
            let chosen = listed.and_then(|keys| {
                let is_its = |key: &str| {
                    let key = key::normalize(key);
                    key::is_under(&key, &base) && !key::is_kept(&key)
                };
                let filter = filter.take().expect("a clear removes once");
                filter(keys.filtered(is_its))
            });
            let keys = match chosen {
                Ok(keys) => keys,
                Err(error) => return Op::fail(error),
            };
            let removed = keys.clone().with_metadata();
            let removed = removed.filtered(|key| !spared.spares(key));
            let removals = removed
                .iter()
                .map(|key| self.operation_of(key, Change::Remove, &options))
                .collect();
            self.change_all(removals, Call::RemoveItem, mode)
                .map(|()| keys)
        };
        clear.in_steps(mode, list, remove)
    }

    /// A queue in front of `inner`, which writes on `threads` where `inner` can.
    pub fn new(
        inner: Rc<dyn Driver>,
        settings: &Settings,
        runtime: Rc<dyn Runtime>,
        threads: Arc<dyn Threads>,
    ) -> Rc<Self> {
        let control = Control::new(settings.limits, settings.merges);
        let store = inner.shared_store();
        let form = Form::of(&inner, store.as_ref());
        let mut at_exit = None;
        let writer = if let Some(store) = store.clone() {
            let (notices, received) = mpsc::unbounded_channel();
            listen(received, inner.clone(), &runtime);
            let threaded = Threaded::new(control, store, threads, notices);
            at_exit = Some(runtime.at_exit(Rc::new(threaded::Ending(Arc::downgrade(&threaded)))));
            Writer::Threaded(threaded)
        } else {
            Writer::OnJsThread(OnJsThread::new(control, inner.clone(), runtime.clone()))
        };
        Rc::new(QueueDriver {
            info: info_of(inner.info()),
            inner,
            store,
            runtime,
            writer,
            form,
            merges: settings.merges,
            clears: Rc::default(),
            listing: InFlight::default(),
            is_over: Cell::new(false),
            at_exit: RefCell::new(at_exit),
        })
    }

    /// How many operations wait, whether some are on their way, whether the queue is disposed.
    pub fn status(&self) -> (usize, bool, bool) {
        self.control().status()
    }

    /// The operations on items that wait, oldest first.
    pub fn operations(&self) -> Vec<Operation> {
        self.control()
            .with_pending(|pending| pending.operations().cloned().collect())
    }

    /// The newest operation that waits for a key.
    pub fn operation(&self, key: &str) -> Option<Operation> {
        self.control()
            .with_pending(|pending| pending.operation(key).cloned())
    }

    fn control(&self) -> &Control {
        self.writer.control()
    }

    /// The time by which items of the pending queue have expired.
    fn now_ms(&self) -> u64 {
        now_ms(&*self.runtime, &self.info)
    }

    /// Looks up a key: `Some` when the pending queue has the answer.
    fn seen<T>(&self, key: &str, read: impl FnOnce(&Operation, &Value) -> T) -> Option<Option<T>> {
        if self
            .control()
            .with_pending(pending_queue::PendingQueue::is_empty)
        {
            return None;
        }
        // A clock of JavaScript must not be asked under the lock.
        let now_ms = self.now_ms();
        self.control()
            .with_pending(|pending| match pending.read(key, now_ms) {
                Seen::Nothing => None,
                Seen::Gone => Some(None),
                Seen::Value(operation, value) => Some(Some(read(operation, value))),
            })
    }

    /// What the store below is going to give for what waits; nothing where it keeps values as they are given.
    fn stored(&self, operation: &Operation, value: &Value) -> Option<Pending> {
        let store = self.store.as_ref().filter(|_| self.form == Form::Bytes)?;
        let is_raw = matches!(operation.change, Change::SetRaw(_));
        Some(Pending::new(
            store.info(),
            value,
            is_raw,
            operation.expires_ms,
            operation.timestamp_ms,
        ))
    }

    fn read(&self, operation: &Operation, value: &Value) -> Option<Value> {
        match self.stored(operation, value) {
            Some(stored) => stored.text(),
            None => Some(value.clone()),
        }
    }

    fn read_raw(&self, operation: &Operation, value: &Value) -> Option<Value> {
        match self.stored(operation, value) {
            Some(stored) => stored.raw(),
            None => Some(self.form.read_raw(value)),
        }
    }

    fn operation_of(&self, key: &str, change: Change, options: &Options) -> Operation {
        let now_ms = self.now_ms();
        let expires_ms = self.expiry_of(&change, options, now_ms);
        Operation {
            key: key.into(),
            change,
            options: options.clone(),
            expires_ms,
            timestamp_ms: now_ms,
        }
    }

    fn expiry_of(&self, change: &Change, options: &Options, now_ms: u64) -> Option<u64> {
        match options.ttl_ms {
            Some(ttl_ms) => Some(now_ms.saturating_add(ttl_ms)),
            None if self.info.ttl && self.store.is_some() => match change {
                Change::Set(value) => value.expiry_ms_of_copy(),
                Change::SetRaw(value) => value.expiry_ms(),
                Change::Remove | Change::Clear | Change::Commit(_) => None,
            },
            None => None,
        }
    }

    /// Whether the driver below takes a change, which is checked as far as that goes without making
    /// it.
    fn takes(&self, key: &str, call: Call, mode: Mode) -> Result<bool> {
        if let Some(store) = &self.store {
            store.check_key(key).map_err(|error| {
                error
                    .driver(store.info().name)
                    .operation(call.name(mode))
                    .key(key)
            })?;
        }
        let info = self.inner.info();
        fallbacks::refuse(info, call, mode)?;
        if info.read_only.is_read_only() {
            return Ok(false);
        }
        // A driver that only reads ignores writes; a Sync write finds out for itself.
        Ok(mode == Mode::Sync || info.writes(call, Mode::Async))
    }

    fn change(&self, operation: Operation, call: Call, mode: Mode) -> Op<()> {
        match self.takes(&operation.key, call, mode) {
            Ok(true) => self.make([operation], call, mode),
            Ok(false) => Op::ok(()),
            Err(error) => Op::fail(error),
        }
    }

    fn change_all(&self, operations: Vec<Operation>, call: Call, mode: Mode) -> Op<()> {
        let mut taken = Vec::with_capacity(operations.len());
        for operation in operations {
            match self.takes(&operation.key, call, mode) {
                Ok(true) => taken.push(operation),
                Ok(false) => {}
                Err(error) => return Op::fail(error),
            }
        }
        self.make(taken, call, mode)
    }

    /// Makes changes that the driver below takes.
    fn make(
        &self,
        operations: impl IntoIterator<Item = Operation>,
        call: Call,
        mode: Mode,
    ) -> Op<()> {
        let mut operations = operations.into_iter().inspect(|operation| {
            let kind = match operation.change {
                Change::Set(_) | Change::SetRaw(_) => EventKind::Update,
                _ => EventKind::Remove,
            };
            self.clears.note(kind, &self.inner, &operation.key);
        });
        if mode == Mode::Async && !self.is_ending() {
            return self.enqueue(operations, call);
        }
        let outcome = operations.try_for_each(|operation| self.write_through(operation));
        Op::ready(outcome.map_err(|error| self.place(error, call, mode)))
    }

    fn is_ending(&self) -> bool {
        match &self.writer {
            Writer::Threaded(threaded) => threaded.is_ending(),
            Writer::OnJsThread(_) => false,
        }
    }

    fn enqueue(&self, operations: impl IntoIterator<Item = Operation>, call: Call) -> Op<()> {
        match self.control().push(operations) {
            Ok((room, next)) => {
                self.writer.go(next);
                self.when_there_is_room(room)
            }
            Err(error) => Op::fail(self.place(error, call, Mode::Async)),
        }
    }

    fn when_there_is_room(&self, room: Room) -> Op<()> {
        let Some(mut room) = room else {
            return Op::ok(());
        };
        // A driver that answers at once has made room already.
        if let Ok(outcome) = room.try_recv() {
            return Op::ready(outcome);
        }
        self.told(room)
    }

    /// Waits for an answer of the writer, and keeps the event loop alive until it comes. A writer on
    /// the JS thread sees to that itself.
    fn told<T: 'static>(&self, answer: oneshot::Receiver<Result<T>>) -> Op<T> {
        let is_elsewhere = matches!(self.writer, Writer::Threaded(_));
        let alive = is_elsewhere.then(|| self.runtime.keep_alive());
        Op::later(async move {
            let outcome = answer.await;
            drop(alive);
            outcome.unwrap_or_else(|_| Err(Error::new(Kind::Disposed, "the context has ended")))
        })
    }

    fn write_through(&self, operation: Operation) -> Result<()> {
        match &self.writer {
            Writer::Threaded(threaded) => threaded.write_through(&operation, self.merges),
            Writer::OnJsThread(on_js_thread) => on_js_thread.write_through(operation, self.merges),
        }
    }

    /// Names the queue as the place of its own errors.
    fn place(&self, error: Error, call: Call, mode: Mode) -> Error {
        if error.kind() == Kind::Disposed {
            error.driver(NAME).operation(call.name(mode))
        } else {
            error
        }
    }

    fn drain(&self, mode: Mode) -> Op<()> {
        if mode == Mode::Sync {
            return Op::ready(match &self.writer {
                Writer::Threaded(threaded) => threaded.flush_here(),
                Writer::OnJsThread(on_js_thread) => on_js_thread.flush_here(),
            });
        }
        let (flushed, next) = self.control().flush();
        self.writer.go(next);
        self.told(flushed)
    }

    /// The keys of the driver below, with what waits.
    fn list(&self, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        let now_ms = self.now_ms();
        let overlay = self.control().with_pending(|pending| {
            (!pending.is_empty()).then(|| pending.overlay(&query.base, now_ms))
        });
        let listed = fallbacks::get_keys(&self.inner, query, mode);
        let Some(overlay) = overlay else {
            return listed;
        };
        let max_depth = query.max_depth;
        listed.map(move |keys| overlay.apply(keys, max_depth))
    }

    /// Drains what waits, and what clears add that have yet to list.
    fn drain_all(self: &Rc<Self>) -> Op<()> {
        let Some(listing) = self.listing.done() else {
            return self.drain(Mode::Async);
        };
        // What waits need not wait for them.
        let drained = self.drain(Mode::Async);
        let queue = self.clone();
        Op::later(async move {
            let drained = drained.await;
            let _ = listing.await;
            drained.and(queue.drain(Mode::Async).await)
        })
    }

    /// Begins a call: refuses it once the queue is disposed.
    fn enter(&self, call: Call, mode: Mode) -> Result<()> {
        if self.is_over.get() {
            Err(self.place(control::disposed(), call, mode))
        } else {
            Ok(())
        }
    }

    /// Nothing is written any more: what is left is given up.
    fn end(&self, outcome: &Result<()>) {
        self.control().abandon(outcome.as_ref().err());
        self.writer.go(Next::Nothing);
        if let Writer::OnJsThread(on_js_thread) = &self.writer {
            on_js_thread.end();
        }
        self.at_exit.borrow_mut().take();
    }
}

/// Passes on what other threads have to say, for as long as they can.
fn listen(
    mut notices: mpsc::UnboundedReceiver<Notice>,
    inner: Rc<dyn Driver>,
    runtime: &Rc<dyn Runtime>,
) {
    let name = inner.info().name.to_string();
    let inner = Rc::downgrade(&inner);
    let warner = runtime.clone();
    runtime.spawn(Box::pin(async move {
        while let Some(notice) = notices.recv().await {
            match notice {
                Notice::Failed(error) => warn(&*warner, &name, &error),
                Notice::Expires(expires_ms) => {
                    if let Some(inner) = inner.upgrade() {
                        inner.note_expiry(expires_ms);
                    }
                }
            }
        }
    }));
}

impl Drop for QueueDriver {
    fn drop(&mut self) {
        let Writer::Threaded(threaded) = &self.writer else {
            // What waits holds the writer, which goes on until it is written.
            return;
        };
        if threaded.control.with_pending(|pending| pending.is_empty()) {
            return;
        }
        let written = threaded.control.written();
        let (flushed, next) = threaded.control.flush();
        threaded.go(next);
        // Until it is written, it is tried again, and an end of the program tries a last time.
        let held = (threaded.clone(), self.at_exit.borrow_mut().take());
        let (runtime, inner) = (self.runtime.clone(), self.inner.info().name.clone());
        self.runtime.spawn(Box::pin(async move {
            // The program has no handle to ask for more.
            if let Ok(Err(error)) = flushed.await {
                warn(&*runtime, &inner, &error);
            }
            let _ = written.await;
            drop(held);
        }));
    }
}

impl Driver for QueueDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn has_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<bool> {
        if let Err(error) = self.enter(Call::HasItem, mode) {
            return Op::fail(error.key(key));
        }
        match self.seen(key, |_, _| ()) {
            Some(seen) => Op::ok(seen.is_some()),
            None => fallbacks::has_item(&self.inner, key, options, mode),
        }
    }

    fn get_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        if let Err(error) = self.enter(Call::GetItem, mode) {
            return Op::fail(error.key(key));
        }
        match self.seen(key, |operation, value| self.read(operation, value)) {
            Some(seen) => Op::ok(seen.flatten()),
            None => fallbacks::get_item(&self.inner, key, options, mode),
        }
    }

    fn get_items(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        if let Err(error) = self.enter(Call::GetItems, mode) {
            return Op::fail(error);
        }
        let mut found: Vec<Option<Value>> = Vec::with_capacity(items.len());
        let (mut asked, mut places) = (Vec::new(), Vec::new());
        for (place, item) in items.into_iter().enumerate() {
            let seen = self.seen(&item.key, |operation, value| self.read(operation, value));
            if seen.is_none() {
                asked.push(item);
                places.push(place);
            }
            found.push(seen.flatten().flatten());
        }
        if asked.is_empty() {
            return Op::ok(found);
        }
        let read = fallbacks::get_items(&self.inner, asked, common, mode);
        read.map(move |values| {
            for (value, place) in values.into_iter().zip(places) {
                found[place] = value;
            }
            found
        })
    }

    fn get_item_raw(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        if let Err(error) = self.enter(Call::GetItemRaw, mode) {
            return Op::fail(error.key(key));
        }
        match self.seen(key, |operation, value| self.read_raw(operation, value)) {
            Some(seen) => Op::ok(seen.flatten()),
            None => fallbacks::get_item_raw(&self.inner, key, options, mode),
        }
    }

    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        if let Err(error) = self.enter(Call::GetKeys, mode) {
            return Op::fail(error);
        }
        self.list(query, mode)
    }

    fn get_meta(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Meta>> {
        if let Err(error) = self.enter(Call::GetMeta, mode) {
            return Op::fail(error.key(key));
        }
        let now_ms = self.now_ms();
        let seen = self.seen(key, |operation, value| {
            if let Some(stored) = self.stored(operation, value) {
                return stored.meta(now_ms);
            }
            let left = |expires_ms: u64| expires_ms.saturating_sub(now_ms);
            NativeMeta {
                ttl_ms: operation.expires_ms.map(left),
                ..NativeMeta::default()
            }
        });
        match seen {
            Some(None) => Op::ok(None),
            Some(Some(meta)) if self.store.is_some() => Op::ok(Some(Meta::Native(meta))),
            // What a driver in JavaScript knows of its items is its own matter.
            _ => fallbacks::get_meta(&self.inner, key, options, mode),
        }
    }

    fn set_item(self: Rc<Self>, key: &str, value: Text, options: &Options, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::SetItem, mode) {
            return Op::fail(error.key(key));
        }
        let operation = self.operation_of(key, Change::Set(Value::Text(value)), options);
        self.change(operation, Call::SetItem, mode)
    }

    fn set_items(self: Rc<Self>, items: Vec<Item<Text>>, _common: &Options, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::SetItems, mode) {
            return Op::fail(error);
        }
        let operations = items
            .into_iter()
            .map(|item| {
                self.operation_of(
                    &item.key,
                    Change::Set(Value::Text(item.value)),
                    &item.options,
                )
            })
            .collect();
        self.change_all(operations, Call::SetItems, mode)
    }

    fn set_item_raw(
        self: Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        if let Err(error) = self.enter(Call::SetItemRaw, mode) {
            return Op::fail(error.key(key));
        }
        match self.form.keep(value) {
            Ok(value) => {
                let change = if self.form == Form::Text {
                    Change::Set(value)
                } else {
                    Change::SetRaw(value)
                };
                let operation = self.operation_of(key, change, options);
                self.change(operation, Call::SetItemRaw, mode)
            }
            Err(error) => Op::fail(
                error
                    .driver(&self.inner.info().name)
                    .operation(Call::SetItemRaw.name(mode))
                    .key(key),
            ),
        }
    }

    fn remove_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::RemoveItem, mode) {
            return Op::fail(error.key(key));
        }
        let operation = self.operation_of(key, Change::Remove, options);
        self.change(operation, Call::RemoveItem, mode)
    }

    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::Clear, mode) {
            return Op::fail(error);
        }
        match fallbacks::can_clear(&self.inner, mode) {
            Ok(true) => {}
            Ok(false) => return Op::ok(()),
            Err(error) => return Op::fail(error),
        }
        if self.info.filters_clear {
            let cleared = self.clone().clear_listed(base, options, mode, Box::new(Ok));
            return self.listing.track(cleared).map(drop);
        }
        let operation = self.operation_of(base, Change::Clear, options);
        let outcome = match mode {
            Mode::Sync => self.write_through(operation),
            Mode::Async => match self.control().push_clear(operation) {
                Ok((cleared, next)) => {
                    self.writer.go(next);
                    return self.told(cleared);
                }
                Err(error) => Err(error),
            },
        };
        Op::ready(outcome.map_err(|error| self.place(error, Call::Clear, mode)))
    }

    fn clear_filtered(self: Rc<Self>, base: &str, mode: Mode, filter: KeyFilter) -> Op<Keys> {
        if let Err(error) = self.enter(Call::Clear, mode) {
            return Op::fail(error);
        }
        match fallbacks::can_clear(&self.inner, mode) {
            Ok(true) => {}
            Ok(false) => return Op::ok(Keys::new()),
            Err(error) => return Op::fail(error),
        }
        let options = Options::default();
        let cleared = self.clone().clear_listed(base, &options, mode, filter);
        self.listing.track(cleared)
    }

    fn commit(self: Rc<Self>, group: Group, operation: &'static str, mode: Mode) -> Op<Committed> {
        let check = |key: &str| match &self.store {
            Some(store) => store.check_key(key).map_err(|error| {
                let error = error.driver(store.info().name);
                error.operation(operation).key(key)
            }),
            None => Ok(()),
        };
        let place = move |error: Error| match error.kind() {
            Kind::Disposed => error.driver(NAME).operation(operation),
            _ => error,
        };
        if self.is_over.get() {
            return Op::fail(place(control::disposed()));
        }
        if let Err(error) = group.keys().into_iter().try_for_each(check) {
            return Op::fail(error);
        }
        // The group finds what every clear before it leaves.
        self.clears.finish();
        for write in &group.writes {
            self.clears.note(write.event(), &self.inner, write.key());
        }
        let now_ms = self.now_ms();
        let group = Arc::new(QueuedGroup::new(
            group,
            operation,
            |value, is_raw, options| {
                let of = if is_raw { Change::SetRaw } else { Change::Set };
                self.expiry_of(&of(value.clone()), options, now_ms)
            },
        ));
        let outcome = if mode == Mode::Sync || self.is_ending() {
            match &self.writer {
                Writer::Threaded(threaded) => threaded.commit_through(&group),
                Writer::OnJsThread(on_js_thread) => on_js_thread.commit_through(&group),
            }
        } else {
            let group = self.operation_of("", Change::Commit(group), &Options::default());
            match self.control().push_group(group) {
                Ok((committed, next)) => {
                    self.writer.go(next);
                    return self
                        .told(committed)
                        .map_result(move |committed| committed.map_err(place));
                }
                Err(error) => Err(error),
            }
        };
        Op::ready(outcome.map_err(place))
    }

    fn flush(self: Rc<Self>, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::Flush, mode) {
            return Op::fail(error);
        }
        if mode == Mode::Sync {
            self.clears.finish();
            return self.drain(mode).map_result(move |outcome| {
                // What could be written is made durable, whatever could not.
                let Op::Ready(Some(flushed)) = fallbacks::flush(&self.inner, Mode::Sync) else {
                    return outcome;
                };
                outcome.and(flushed)
            });
        }
        let drained = self.drain_all();
        Op::later(async move {
            let drained = drained.await;
            drained.and(fallbacks::flush(&self.inner, Mode::Async).await)
        })
    }

    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()> {
        if self.is_over.replace(true) {
            return Op::ok(());
        }
        if mode == Mode::Sync {
            self.clears.finish();
            self.control().dispose();
            let drained = self.drain(mode);
            let outcome = match &drained {
                Op::Ready(Some(outcome)) => outcome.clone(),
                _ => Ok(()),
            };
            self.end(&outcome);
            let disposed = fallbacks::dispose(&self.inner, mode);
            return fallbacks::all(vec![drained, disposed]);
        }
        let listing = self.listing.done();
        let drained = if listing.is_none() {
            self.control().dispose();
            Some(self.drain(mode))
        } else {
            None
        };
        Op::later(async move {
            if let Some(listing) = listing {
                let _ = listing.await;
            }
            let drained = match drained {
                Some(drained) => drained.await,
                None => {
                    self.control().dispose();
                    self.drain(mode).await
                }
            };
            self.end(&drained);
            let disposed = fallbacks::dispose(&self.inner, mode).await;
            drained.and(disposed)
        })
    }

    delegate!(inner: watch, lock, on_expired, note_corrupt, note_expiry, hold, refuses_clear_of);

    fn shared_store(&self) -> Option<Arc<dyn Store>> {
        // What waits must not be passed by.
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
