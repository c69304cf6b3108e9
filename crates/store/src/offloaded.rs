//! A store as a driver of the JS thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::clearing::{finish_clear, keys_to_clear, remove_all};
use crate::exit::Exit;
use crate::expiry::Expiry;
use crate::filtered::Unasked;
use crate::gathered::{Gathered, Single};
use crate::offload::{offload, offload_alone, offload_aside, offload_in, offload_write};
use crate::order::{Order, Scope, Sequenced, run_as_one};
use crate::pending::{AsRaw, AsText, Change, Pending, overlay};
use crate::pool::{self, SerialQueue};
use crate::undelivered::{Starting, Undelivered};
use crate::unheard::Unheard;
use eas_core::condition::Check;
use eas_core::driver::{
    Call, Capabilities, Driver, DriverInfo, Event, EventKind, EventSink, Item, KeyFilter, KeyQuery,
    Meta, Mode, Op, Options, ReadOnly, Unwatch,
};
use eas_core::error::{At, Error, Kind, Result};
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::keys::Keys;
use eas_core::runtime::Runtime;
use eas_core::store::{
    Applied, Batch, Prepared, SharedSink, SingleWrites, Store, StoreInfo, Write, get_each,
};
use eas_core::value::{BytesKind, Text, Value};

/// Fewer items than this a thread are not worth handing over.
const LEAST_ITEMS_A_JOB: usize = 16;

/// Jobs of more items have threads of their own.
const MOST_ITEMS_BESIDE_OTHERS: usize = 512;

/// Serial queues for jobs that take long, which get them in turn.
#[derive(Default)]
struct SerialQueues(RefCell<VecDeque<Arc<SerialQueue>>>);

impl SerialQueues {
    fn next(&self) -> Arc<SerialQueue> {
        let mut queues = self.0.borrow_mut();
        queues.resize_with(pool::long_jobs(), || Arc::new(SerialQueue::alone()));
        queues.rotate_left(1);
        queues[0].clone()
    }
}

/// What a call meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Items that an earlier process left to expire were not looked for.
    Unused,
    /// Nothing.
    Ready,
    /// The store was disposed.
    Disposed,
}

/// A [`Store`] as a [`Driver`]. Not generic over the store: this is much code, which each would have a copy of.
pub struct Offloaded {
    info: DriverInfo,
    /// What the store is: to ask the store itself would be a call that nothing is inlined of.
    store_info: StoreInfo,
    driver: Arc<dyn Store>,
    order: Arc<Order>,
    /// Clears that have yet to ask the JS thread.
    unasked: Rc<Unasked>,
    runtime: Rc<dyn Runtime>,
    expiry: Rc<Expiry>,
    /// Whether there is something to do before a call.
    stage: Cell<Stage>,
    exit: Exit,
    /// Writes that a watch may have to be told of.
    undelivered: Rc<Undelivered>,
    /// Single writes, where the store gathers them.
    gathered: Arc<Gathered>,
    /// Writes that failed, of which their callers have not heard.
    unheard: Arc<Unheard>,
    /// Writes of items that expire, and transactions.
    in_turn: Arc<SerialQueue>,
    /// Clears, which wait for older writes: they take one thread, whatever their number.
    clears: Arc<SerialQueue>,
    /// Groups, which wait for older writes, and the writes that wait for groups.
    groups: Arc<SerialQueue>,
    /// Jobs that write many items.
    long_writes: SerialQueues,
    /// Jobs that read many items, which need not wait for the writes.
    long_reads: SerialQueues,
    /// Held by the one user of the store that asked for its lock.
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl Offloaded {
    /// Makes `driver` callable on the JS thread.
    pub fn new(driver: Arc<dyn Store>, runtime: Rc<dyn Runtime>) -> Self {
        Offloaded {
            info: info_of(&*driver),
            store_info: *driver.info(),
            order: Arc::default(),
            unasked: Rc::default(),
            expiry: Expiry::new(driver.clone(), runtime.clone()),
            stage: Cell::new(if driver.info().is_instant || !driver.info().ttl {
                Stage::Ready
            } else {
                Stage::Unused
            }),
            exit: Exit::new(runtime.clone()),
            undelivered: Rc::default(),
            gathered: Arc::default(),
            unheard: Arc::default(),
            in_turn: Arc::default(),
            clears: Arc::default(),
            groups: Arc::default(),
            long_writes: SerialQueues::default(),
            long_reads: SerialQueues::default(),
            lock: Arc::default(),
            driver,
            runtime,
        }
    }

    /// As it is, but described otherwise: for what its options say of it.
    #[must_use]
    pub fn with_info(self, info: DriverInfo) -> Self {
        Offloaded { info, ..self }
    }

    /// The store itself.
    pub fn inner(&self) -> &Arc<dyn Store> {
        &self.driver
    }

    fn in_place(&self, mode: Mode) -> bool {
        mode == Mode::Sync || self.store_info.is_instant || self.runtime.is_ending()
    }

    fn run<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        if self.in_place(mode) {
            return Op::ready(work(&*self.driver));
        }
        let driver = self.driver.clone();
        Op::Pending(offload(&self.runtime, move || work(&*driver)))
    }

    /// As `run`, for writes. Those of items that expire, and transactions, wait for each other, and at times
    /// for other processes: they must not take all threads.
    fn run_write<T: Send + 'static>(
        &self,
        mode: Mode,
        ends: bool,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        if self.in_place(mode) {
            return Op::ready(work(&*self.driver));
        }
        let driver = self.driver.clone();
        let work = move || work(&*driver);
        Op::Pending(if ends || self.store_info.is_transactional {
            offload_in(&self.in_turn, &self.runtime, &self.unheard, work)
        } else {
            offload_write(&self.runtime, &self.unheard, work)
        })
    }

    /// As `run`, for a job that takes long: it keeps neither the JS thread from running nor single
    /// calls from a thread.
    fn run_long<T: Send + 'static>(
        &self,
        queues: &SerialQueues,
        unheard: Option<Arc<Unheard>>,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        let driver = self.driver.clone();
        let queue = queues.next();
        Op::Pending(offload_aside(&queue, &self.runtime, unheard, move || {
            work(&*driver)
        }))
    }

    // On the way of every read, like the next ones: as calls of their own they would take longer than
    // what they do.
    #[inline(always)]
    fn read<T: Send + 'static>(
        &self,
        call: Call,
        key: &str,
        mode: Mode,
        read: fn(&dyn Store, &str) -> Result<T>,
        seen: fn(&Change, u64) -> T,
    ) -> Op<T> {
        let name = self.store_info.name;
        let operation = call.name(mode);
        if let Err(error) = self.driver.check_key(key) {
            return Op::fail(error.driver(name).operation(operation).key(key));
        }
        if let Err(error) = self.enter(call, mode) {
            return Op::fail(error.key(key));
        }
        if self.order.has_pending()
            && let Some(change) = self.order.pending(key)
        {
            return Op::ok(seen(&change, self.runtime.now_ms()));
        }
        if self.in_place(mode) {
            return Op::ready(read(&*self.driver, key).at(name, operation, key));
        }
        let key = key.to_owned();
        self.run(mode, move |driver| {
            read(driver, &key).at(name, operation, &key)
        })
    }

    /// Takes the sequence number now and writes when the thread is free.
    fn write(&self, call: Call, key: &str, mode: Mode, write: Single) -> Op<()> {
        let name = self.store_info.name;
        let operation = call.name(mode);
        if let Err(error) = self.driver.check_key(key) {
            return Op::fail(error.driver(name).operation(operation).key(key));
        }
        if let Err(error) = self.enter(call, mode) {
            return Op::fail(error.key(key));
        }
        if self.store_info.read_only {
            return Op::ok(());
        }
        let in_place = self.in_place(mode);
        if !self.store_info.is_instant {
            self.wait_at_exit();
        }
        if self.store_info.is_instant || (in_place && self.order.is_idle()) {
            // Nothing is under way that it could come before or after.
            let written = self.driver.write(write.of(key)).map(drop);
            return Op::ready(written.at(name, operation, key));
        }
        let (kind, change) = match &write {
            Single::Set {
                value,
                is_raw,
                expires_ms,
            } => {
                let (store, now_ms) = (&self.store_info, self.runtime.now_ms());
                let pending = Pending::new(store, value, *is_raw, *expires_ms, now_ms);
                (EventKind::Update, Change::Set(pending))
            }
            Single::Remove => (EventKind::Remove, Change::Remove),
        };
        let ends = matches!(&change, Change::Set(pending) if pending.expires());
        let sequenced = self.order.sequenced(key, change);
        let key = sequenced.shared_key();
        let is_behind_group = sequenced.is_behind_group;
        if is_behind_group && in_place {
            self.finish_unasked(mode);
        }
        let gathers = self.store_info.gathers_writes && !is_behind_group;
        let written = if gathers && !in_place {
            let gathered = &self.gathered;
            let unheard = &self.unheard;
            let single = (sequenced, write, operation);
            Op::Pending(gathered.write(&self.driver, &self.runtime, unheard, single))
        } else {
            let work = move |driver: &dyn Store| {
                sequenced.run(|key| {
                    let written = driver.write(write.of(key)).map(drop);
                    written.at(name, operation, key)
                })
            };
            if is_behind_group {
                self.run_in_series(&self.groups, mode, work)
            } else {
                self.run_write(mode, ends, work)
            }
        };
        self.reported(written, move |()| {
            let key = (*key).to_owned();
            vec![Event { kind, key }]
        })
    }

    /// A write, followed to its caller where the store reports changes itself.
    fn reported<T: 'static>(
        &self,
        written: Op<T>,
        changes: impl FnOnce(&T) -> Vec<Event> + 'static,
    ) -> Op<T> {
        if !self.store_info.watches {
            return written;
        }
        self.undelivered.track(written, changes)
    }

    /// Begins a call: refuses it once the store is disposed.
    #[inline(always)]
    fn enter(&self, call: Call, mode: Mode) -> Result<()> {
        if self.stage.get() == Stage::Ready {
            return Ok(());
        }
        self.enter_first_or_last(call, mode)
    }

    /// At the first use, looks for items that an earlier process left to expire.
    #[cold]
    fn enter_first_or_last(&self, call: Call, mode: Mode) -> Result<()> {
        if self.stage.get() == Stage::Disposed {
            return Err(Error::disposed()
                .driver(self.store_info.name)
                .operation(call.name(mode)));
        }
        self.stage.set(Stage::Ready);
        self.expiry.look();
        Ok(())
    }

    /// From now on the end of the context waits for writes.
    fn wait_at_exit(&self) {
        self.exit
            .wait_for(&self.driver, &self.order, &self.unasked, &self.unheard);
    }

    /// As `run`, one job of the serial queue after the other.
    fn run_in_series<T: Send + 'static>(
        &self,
        queue: &Arc<SerialQueue>,
        mode: Mode,
        work: impl FnOnce(&dyn Store) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        if self.in_place(mode) {
            return Op::ready(work(&*self.driver));
        }
        let driver = self.driver.clone();
        Op::Pending(offload_in(queue, &self.runtime, &self.unheard, move || {
            work(&*driver)
        }))
    }

    /// Blocks until everything is done that was asked for before.
    fn wait_here(&self, mode: Mode) {
        let up_to = self.order.now();
        self.finish_unasked(mode);
        self.order.wait(up_to, || ());
    }

    /// Goes on with clears that have yet to ask the JS thread, which is this one.
    fn finish_unasked(&self, mode: Mode) {
        self.unasked
            .finish(|clear, filter| finish_clear(&*self.driver, clear, filter, mode));
    }

    fn change_of(&self, value: &Value, expires_ms: Option<u64>) -> Change {
        let (store, now_ms) = (&self.store_info, self.runtime.now_ms());
        Change::Set(Pending::new(store, value, false, expires_ms, now_ms))
    }

    /// When an item expires: as the call says, or as the value itself does.
    fn expiry_of(&self, call: Call, value: &Value, options: &Options) -> Option<u64> {
        let own = match call {
            Call::SetItemRaw => Value::expiry_ms,
            _ => Value::expiry_ms_of_copy,
        };
        let expires_ms = match options.ttl_ms {
            Some(ttl_ms) => self.runtime.now_ms().saturating_add(ttl_ms),
            None if self.info.ttl => own(value)?,
            None => return None,
        };
        Some(expires_ms)
    }

    /// One change in a store that is instant, without the lists that more of them take.
    fn commit_one(&self, mut group: Group, operation: &'static str) -> Op<Committed> {
        let failed = |error: Error| error.driver(self.driver.info().name).operation(operation);
        let write = group.writes.pop().expect("it has one");
        let (key, written) = match self.written(write) {
            Ok(written) => written,
            Err(error) => return Op::fail(failed(error)),
        };
        let write = write_of(&key, written.as_ref());
        let committed = apply_as_one(&*self.driver, &group.checks, &[write]);
        let expires_ms = written.and_then(|written| written.expires_ms);
        self.ends(Op::ready(committed.map_err(failed)), expires_ms)
    }

    /// A change of a group, with what is written, which is absent where the item is removed.
    fn written(&self, write: GroupWrite) -> Result<(String, Option<Written>)> {
        let (key, value, is_raw, options) = match write {
            GroupWrite::Remove { key, .. } => return Ok((key, None)),
            GroupWrite::Set {
                key,
                value,
                is_raw,
                options,
            } => (key, value, is_raw, options),
        };
        let (call, value) = if is_raw {
            let storable = self.storable_raw(value);
            (Call::SetItemRaw, storable.map_err(|error| error.key(&key))?)
        } else {
            (Call::SetItem, value)
        };
        let written = Written {
            expires_ms: self.expiry_of(call, &value, &options),
            value,
            is_raw,
        };
        Ok((key, Some(written)))
    }

    /// A raw value as the store holds it.
    fn storable_raw(&self, value: Value) -> Result<Value> {
        let Value::Js(handle) = value else {
            return Ok(value);
        };
        let holds_references = self.store_info.holds_references;
        match handle.bytes() {
            Some((bytes, kind)) if kind != BytesKind::View || !holds_references => {
                Ok(Value::Bytes(bytes.into(), kind))
            }
            _ if holds_references => Ok(Value::Js(handle)),
            _ => Err(Error::new(
                Kind::InvalidValue,
                "a raw value must be a string, a Buffer or a typed array; use setItem for other values",
            )),
        }
    }

    /// Sees to the end of what was written. Not before it is there: a sweep would pass it over.
    fn ends<T: 'static>(&self, written: Op<T>, expires_ms: Option<u64>) -> Op<T> {
        let Some(expires_ms) = expires_ms else {
            return written;
        };
        let expiry = self.expiry.clone();
        written.map_result(move |outcome| {
            // Of several items, those that were written end, also when another one failed.
            expiry.schedule(expires_ms);
            outcome
        })
    }

    /// Reads that cannot be text read as missing, with a warning; the bytes stay.
    fn forgive(runtime: &Rc<dyn Runtime>, outcome: Result<Option<Value>>) -> Result<Option<Value>> {
        match outcome {
            Err(error) if error.kind() == Kind::CorruptValue => {
                runtime.warn(Kind::CorruptValue.code(), unreadable(&error));
                Ok(None)
            }
            other => other,
        }
    }

    /// How many of so many items a job works on; the jobs run side by side.
    fn job_size(count: usize) -> usize {
        count.div_ceil(pool::parallel_jobs()).max(LEAST_ITEMS_A_JOB)
    }

    /// Splits work on many items into jobs.
    fn split<T>(items: Vec<T>) -> Vec<Vec<T>> {
        let size = Self::job_size(items.len());
        let mut jobs = Vec::new();
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            jobs.push(items.by_ref().take(size).collect());
        }
        jobs
    }
}

/// The text of an item; nothing where it holds none. The store, whose marks are for those who read in
/// earnest, does not hear of it.
fn get_quietly(driver: &dyn Store, key: &str) -> Result<Option<Value>> {
    Ok(match driver.get_raw(key)? {
        Some(Value::Bytes(bytes, _)) => Text::from_marked(bytes.to_vec())
            .filter(|text| !text.is_empty())
            .map(Value::Text),
        found => found,
    })
}

fn unreadable(error: &Error) -> String {
    format!(
        "{error} The item {:?} reads as null, and its bytes are kept until and beyond the next write.",
        error.key_name().unwrap_or_default()
    )
}

/// Writes every item, also after one failed; the outcome is that of the first that failed.
fn write_all(
    driver: &dyn Store,
    operation: &'static str,
    items: Vec<(Sequenced, Value, Option<u64>)>,
) -> Result<()> {
    if driver.info().is_transactional {
        return write_as_one(driver, operation, items);
    }
    let mut outcome = Ok(());
    for (sequenced, value, expires_ms) in items {
        let written = sequenced.run(|key| {
            driver
                .set(key, &value, expires_ms)
                .at(driver.info().name, operation, key)
        });
        outcome = outcome.and(written);
    }
    outcome
}

/// Writes every item or none.
fn write_as_one(
    driver: &dyn Store,
    operation: &'static str,
    items: Vec<(Sequenced, Value, Option<u64>)>,
) -> Result<()> {
    let mut sequenced = Vec::with_capacity(items.len());
    let mut values = Vec::with_capacity(items.len());
    for (write, value, expires_ms) in items {
        sequenced.push(write);
        values.push((value, expires_ms));
    }
    run_as_one(&sequenced, |places| {
        let writes: Vec<_> = places
            .iter()
            .map(|place| Write::Set {
                key: sequenced[*place].key(),
                value: &values[*place].0,
                is_raw: false,
                expires_ms: values[*place].1,
            })
            .collect();
        driver
            .apply(&Batch::of(&writes))
            .map(drop)
            .map_err(|error| error.driver(driver.info().name).operation(operation))
    })
}

/// The events of what a clear removed.
fn removals(keys: &Keys) -> Vec<Event> {
    let removals = keys.iter().map(|key| Event {
        kind: EventKind::Remove,
        key: key.to_owned(),
    });
    removals.collect()
}

/// What a group writes of an item.
struct Written {
    value: Value,
    is_raw: bool,
    /// When the item expires, in ms since the epoch.
    expires_ms: Option<u64>,
}

/// Makes changes as one if the conditions hold; a change without a value removes.
fn commit_writes(
    driver: &dyn Store,
    checks: &[Check],
    writes: &[(String, Option<Written>)],
) -> Result<Committed> {
    let writes: SmallVec<[_; 4]> = writes
        .iter()
        .map(|(key, written)| write_of(key, written.as_ref()))
        .collect();
    apply_as_one(driver, checks, &writes)
}

fn write_of<'a>(key: &'a str, written: Option<&'a Written>) -> Write<'a> {
    match written {
        Some(written) => Write::Set {
            key,
            value: &written.value,
            is_raw: written.is_raw,
            expires_ms: written.expires_ms,
        },
        None => Write::Remove {
            key,
            is_listed: false,
        },
    }
}

fn apply_as_one(driver: &dyn Store, checks: &[Check], writes: &[Write<'_>]) -> Result<Committed> {
    let batch = Batch {
        checks,
        writes,
        is_group: true,
    };
    Ok(match driver.apply(&batch)? {
        Applied::Done(_) => Committed::Done,
        Applied::Conflicts(keys) => Committed::Conflicts(keys),
    })
}

fn info_of(driver: &dyn Store) -> DriverInfo {
    let store = driver.info();
    let mut info = DriverInfo {
        max_depth: store.max_depth,
        ttl: store.ttl,
        no_clear: store.no_clear,
        clears_base: true,
        ordered: true,
        keeps_values: store.keeps_kinds,
        ..DriverInfo::named(store.name)
    };
    if store.read_only {
        info.read_only = ReadOnly::Silent;
    }
    info.capabilities = Capabilities::ALL;
    if !store.watches {
        info.capabilities = info.capabilities.without(Call::Watch);
    }
    if !store.commits {
        info.capabilities = info.capabilities.without(Call::Commit);
    }
    info
}

impl Driver for Offloaded {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn has_item(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<bool> {
        self.read(Call::HasItem, key, mode, <dyn Store>::has, Change::seen)
    }

    fn get_item(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<Option<Value>> {
        let seen = |change: &Change, now_ms| change.seen::<AsText>(now_ms).0;
        let found = self.read(Call::GetItem, key, mode, <dyn Store>::get, seen);
        if self.store_info.is_instant {
            return found;
        }
        let runtime = self.runtime.clone();
        found.map_result(move |outcome| Self::forgive(&runtime, outcome))
    }

    fn get_items(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        let name = self.store_info.name;
        let operation = Call::GetItems.name(mode);
        for item in &items {
            if let Err(error) = self.driver.check_key(&item.key) {
                return Op::fail(error.driver(name).operation(operation).key(&item.key));
            }
        }
        if let Err(error) = self.enter(Call::GetItems, mode) {
            return Op::fail(error);
        }
        if self.order.has_pending() {
            return self.get_items_beside_pending(items, common, mode);
        }
        self.get_stored(items, common, mode)
    }

    fn get_item_raw(
        self: Rc<Self>,
        key: &str,
        _options: &Options,
        mode: Mode,
    ) -> Op<Option<Value>> {
        let seen = |change: &Change, now_ms| change.seen::<AsRaw>(now_ms).0;
        self.read(Call::GetItemRaw, key, mode, <dyn Store>::get_raw, seen)
    }

    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        if let Err(error) = self.enter(Call::GetKeys, mode) {
            return Op::fail(error);
        }
        let (base, max_depth) = (query.base.clone(), query.max_depth);
        if !self.order.has_pending() {
            return self.list(base, max_depth, mode);
        }
        if mode == Mode::Async {
            let Some(written) = self.order.done(Scope::Under(base.as_str().into())) else {
                return self.list(base, max_depth, mode);
            };
            return Op::later(async move {
                let _ = written.await;
                self.list(base, max_depth, mode).await
            });
        }
        let pending = self.order.pending_under(&base);
        let now_ms = self.runtime.now_ms();
        let driver = self.driver.clone();
        self.list(base, max_depth, mode)
            .map(move |keys| overlay(keys, pending, max_depth, now_ms, |key| driver.lists(key)))
    }

    fn get_meta(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<Option<Meta>> {
        let pending = match mode {
            // What the store knows of an item is known once it is there.
            Mode::Async if self.order.has_pending() => self.order.done(Scope::Key(key.into())),
            _ => None,
        };
        if let Some(written) = pending {
            let key = key.to_owned();
            return Op::later(async move {
                let _ = written.await;
                self.read_meta(&key, mode).await
            });
        }
        self.read_meta(key, mode)
    }

    fn set_item(self: Rc<Self>, key: &str, value: Text, options: &Options, mode: Mode) -> Op<()> {
        self.set(Call::SetItem, key, Value::Text(value), options, mode)
    }

    fn set_items(self: Rc<Self>, items: Vec<Item<Text>>, _common: &Options, mode: Mode) -> Op<()> {
        let name = self.store_info.name;
        let operation = Call::SetItems.name(mode);
        let check = |key: &str| {
            let checked = self.driver.check_key(key);
            checked.map_err(|error| error.driver(name).operation(operation).key(key))
        };
        if let Err(error) = self.enter(Call::SetItems, mode) {
            return Op::fail(error);
        }
        if self.store_info.read_only || self.store_info.is_instant {
            let checked = items.iter().try_for_each(|item| check(&item.key));
            if let Err(error) = checked {
                return Op::fail(error);
            }
        }
        if self.store_info.read_only {
            return Op::ok(());
        }
        if self.store_info.is_instant {
            // Nothing of it is ever under way: the order of the calls is that of the effects.
            let mut first_end: Option<u64> = None;
            let mut outcome = Ok(());
            for item in items {
                let value = Value::Text(item.value);
                let expires_ms = self.expiry_of(Call::SetItem, &value, &item.options);
                first_end = first_end.into_iter().chain(expires_ms).min();
                let written = self.driver.set(&item.key, &value, expires_ms);
                outcome = outcome.and(written.at(name, operation, &item.key));
            }
            return self.ends(Op::ready(outcome), first_end);
        }
        self.wait_at_exit();
        let in_place = self.in_place(mode);
        let size = if in_place || self.store_info.is_transactional {
            items.len()
        } else {
            Self::job_size(items.len())
        };
        let mut jobs = Vec::new();
        let mut first_end: Option<u64> = None;
        let mut checked = Ok(());
        // Each key is looked at once: of a large batch, no more than a part is in the processor's caches.
        let mut sequenced = self.order.sequence(items.len());
        let mut items = items.into_iter();
        while items.len() > 0 && checked.is_ok() {
            let mut writes = Vec::with_capacity(size.min(items.len()));
            for item in items.by_ref().take(size) {
                checked = check(&item.key);
                if checked.is_err() {
                    break;
                }
                let value = Value::Text(item.value);
                let expires_ms = self.expiry_of(Call::SetItem, &value, &item.options);
                first_end = first_end.into_iter().chain(expires_ms).min();
                let change = self.change_of(&value, expires_ms);
                let sequenced = sequenced.next(&item.key, change);
                writes.push((sequenced, value, expires_ms));
            }
            jobs.push(writes);
        }
        drop(sequenced);
        if let Err(error) = checked {
            return Op::fail(error);
        }
        if in_place {
            let writes = jobs.pop().unwrap_or_default();
            if writes
                .iter()
                .any(|(sequenced, ..)| sequenced.is_behind_group)
            {
                self.finish_unasked(mode);
            }
            let written = Op::ready(write_all(&*self.driver, operation, writes));
            return self.ends(written, first_end);
        }
        let sequenced = jobs.iter().flatten().map(|(sequenced, ..)| sequenced);
        let keys: Vec<Arc<str>> = if self.store_info.watches {
            sequenced.map(Sequenced::shared_key).collect()
        } else {
            Vec::new()
        };
        let jobs: Vec<_> = jobs
            .into_iter()
            .map(|writes| {
                let ends = writes.iter().any(|(.., expires_ms)| expires_ms.is_some());
                let is_behind_group = writes
                    .iter()
                    .any(|(sequenced, ..)| sequenced.is_behind_group);
                let is_large = writes.len() > MOST_ITEMS_BESIDE_OTHERS;
                let work = move |driver: &dyn Store| write_all(driver, operation, writes);
                if is_behind_group {
                    self.run_in_series(&self.groups, mode, work)
                } else if is_large && !ends {
                    self.run_long(&self.long_writes, Some(self.unheard.clone()), work)
                } else {
                    self.run_write(mode, ends, work)
                }
            })
            .collect();
        let written = Op::later(async move {
            let mut outcome = Ok(());
            for job in jobs {
                outcome = outcome.and(job.await);
            }
            outcome
        });
        let written = self.reported(written, move |()| {
            let updates = keys.iter().map(|key| Event {
                kind: EventKind::Update,
                key: (**key).to_owned(),
            });
            updates.collect()
        });
        self.ends(written, first_end)
    }

    fn set_item_raw(
        self: Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        match self.storable_raw(value) {
            Ok(value) => self.set(Call::SetItemRaw, key, value, options, mode),
            Err(error) => {
                let operation = Call::SetItemRaw.name(mode);
                let error = error.driver(self.store_info.name);
                Op::fail(error.operation(operation).key(key))
            }
        }
    }

    fn remove_item(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<()> {
        self.write(Call::RemoveItem, key, mode, Single::Remove)
    }

    fn clear(self: Rc<Self>, base: &str, _options: &Options, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::Clear, mode) {
            return Op::fail(error);
        }
        if self.store_info.read_only || self.store_info.no_clear {
            return Op::ok(());
        }
        self.wait_at_exit();
        let base = base.to_owned();
        let place = self.order.clear();
        place.needs_no_js();
        let cleared = self.run_in_series(&self.clears, mode, move |driver| {
            let keys = keys_to_clear(driver, &place, &base, mode)?;
            remove_all(driver, &place, &keys, mode)
        });
        self.reported(cleared, removals).map(drop)
    }

    fn clear_filtered(self: Rc<Self>, base: &str, mode: Mode, filter: KeyFilter) -> Op<Keys> {
        if let Err(error) = self.enter(Call::Clear, mode) {
            return Op::fail(error);
        }
        if self.store_info.read_only || self.store_info.no_clear {
            return Op::ok(Keys::new());
        }
        self.wait_at_exit();
        let clear = self.unasked.add(self.order.clear(), base, filter);
        if self.in_place(mode) {
            let filter = self.unasked.take(&clear).expect("nobody else has it");
            return Op::ready(finish_clear(&*self.driver, &clear, filter, mode));
        }
        let (place, base) = (clear.place.clone(), clear.base.clone());
        let listed = self.run_in_series(&self.clears, mode, move |driver| {
            keys_to_clear(driver, &place, &base, mode)
        });
        let tracked = self.clone();
        let cleared = Op::later(async move {
            let listed = listed.await;
            let Some(filter) = self.unasked.take(&clear) else {
                return clear.outcome();
            };
            let keys = filter(listed?)?;
            let place = clear.place.clone();
            drop(clear);
            place.needs_no_js();
            self.run(mode, move |driver| remove_all(driver, &place, &keys, mode))
                .await
        });
        tracked.reported(cleared, removals)
    }

    fn commit(self: Rc<Self>, group: Group, operation: &'static str, mode: Mode) -> Op<Committed> {
        let name = self.store_info.name;
        let checked = group.checks.iter().map(|check| &*check.key);
        for key in checked.chain(group.writes.iter().map(GroupWrite::key)) {
            if let Err(error) = self.driver.check_key(key) {
                return Op::fail(error.driver(name).operation(operation).key(key));
            }
        }
        if let Err(error) = self.enter(Call::Commit, mode) {
            return Op::fail(error);
        }
        if self.driver.info().is_instant && group.writes.len() == 1 {
            return self.commit_one(group, operation);
        }
        let checks = group.checks;
        let writes: Result<SmallVec<[_; 1]>> = group
            .writes
            .into_iter()
            .map(|write| self.written(write))
            .collect();
        let writes = match writes {
            Ok(writes) => writes,
            Err(error) => return Op::fail(error.driver(name).operation(operation)),
        };
        let expiries = writes.iter().filter_map(|(_, written)| written.as_ref());
        let first_expiry = expiries.filter_map(|written| written.expires_ms).min();
        if self.store_info.is_instant {
            let committed = commit_writes(&*self.driver, &checks, &writes);
            let committed = committed.map_err(|error| error.driver(name).operation(operation));
            return self.ends(Op::ready(committed), first_expiry);
        }
        self.wait_at_exit();
        let in_place = self.in_place(mode);
        if in_place {
            self.finish_unasked(mode);
        }
        if in_place && self.order.is_idle() {
            // Nothing is under way that it could come before or after.
            let committed = commit_writes(&*self.driver, &checks, &writes);
            let committed = committed.map_err(|error| error.driver(name).operation(operation));
            return self.ends(Op::ready(committed), first_expiry);
        }
        let events: Vec<Event> = writes
            .iter()
            .map(|(key, change)| Event {
                kind: match change {
                    Some(_) => EventKind::Update,
                    None => EventKind::Remove,
                },
                key: key.clone(),
            })
            .collect();
        let keys = checks.iter().map(|check| &*check.key);
        let keys: FxHashSet<&str> = keys.chain(writes.iter().map(|(key, _)| &**key)).collect();
        let place = self.order.group(keys);
        let committed = self.run_in_series(&self.groups, mode, move |driver| {
            let commit = || {
                let committed = commit_writes(driver, &checks, &writes);
                committed.map_err(|error| error.driver(name).operation(operation))
            };
            place.run(commit, |committed| *committed == Committed::Done)
        });
        let committed = self.reported(committed, move |committed| match committed {
            Committed::Done => events,
            Committed::Conflicts(_) => Vec::new(),
        });
        self.ends(committed, first_expiry)
    }

    fn watch(self: Rc<Self>, sink: EventSink) -> Op<Box<dyn Unwatch>> {
        if let Err(error) = self.enter(Call::Watch, Mode::Async) {
            return Op::fail(error);
        }
        let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
        let report: SharedSink = Arc::new(move |event| {
            // The receiver goes with the JS context; events after that are nobody's.
            let _ = sender.send(event);
        });
        let Prepared { start, hears } = self.driver.clone().watch(report.clone());
        self.undelivered.add(Starting {
            hears,
            sink: report,
        });
        let started = self.run(Mode::Async, move |_| start());
        let runtime = self.runtime.clone();
        started.map(move |guard| {
            runtime.spawn(Box::pin(async move {
                while let Some(event) = events.recv().await {
                    sink(event);
                }
            }));
            Box::new(Watch {
                guard: RefCell::new(Some(guard)),
            }) as Box<dyn Unwatch>
        })
    }

    fn flush(self: Rc<Self>, mode: Mode) -> Op<()> {
        if let Err(error) = self.enter(Call::Flush, mode) {
            return Op::fail(error);
        }
        let name = self.store_info.name;
        let flush = move |driver: &dyn Store| {
            driver
                .flush()
                .map_err(|error| error.driver(name).operation(Call::Flush.name(mode)))
        };
        if self.in_place(mode) {
            self.wait_here(mode);
            return Op::ready(flush(&*self.driver));
        }
        let Some(older) = self.order.done(Scope::All) else {
            return self.run(mode, flush);
        };
        let alive = self.runtime.keep_alive();
        Op::later(async move {
            let _ = older.await;
            drop(alive);
            self.run(mode, flush).await
        })
    }

    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()> {
        let before = self.stage.replace(Stage::Disposed);
        if before == Stage::Disposed {
            return Op::ok(());
        }
        let name = self.store_info.name;
        let dispose = move |driver: &dyn Store| {
            driver
                .dispose()
                .map_err(|error| error.driver(name).operation(Call::Dispose.name(mode)))
        };
        let stopped = self.expiry.stop();
        if self.in_place(mode) {
            self.wait_here(mode);
            return Op::ready(dispose(&*self.driver));
        }
        let older = self.order.done(Scope::All);
        let alive = self.runtime.keep_alive();
        Op::later(async move {
            if let Some(older) = older {
                let _ = older.await;
            }
            stopped.await;
            drop(alive);
            self.run(mode, dispose).await
        })
    }

    fn lock(self: Rc<Self>) -> Op<Option<Box<dyn Any>>> {
        if let Err(error) = self.enter(Call::SetItem, Mode::Async) {
            return Op::fail(error);
        }
        Op::later(async move {
            let own = self.lock.clone().lock_owned().await;
            let driver = self.driver.clone();
            let others = if driver.info().is_instant {
                driver.lock()?
            } else {
                // The holder of the lock may be another storage of this process.
                offload_alone(&self.runtime, move || driver.lock()).await?
            };
            Ok(Some(Box::new((own, others)) as Box<dyn Any>))
        })
    }

    fn on_expired(&self, sink: EventSink) -> Option<Box<dyn Any>> {
        self.store_info.ttl.then(|| self.expiry.subscribe(sink))
    }

    fn note_expiry(&self, expires_ms: u64) {
        self.expiry.schedule(expires_ms);
    }

    fn note_corrupt(&self, key: &str) {
        self.driver.note_corrupt(key);
    }

    fn hold(&self) -> Box<dyn Any> {
        Box::new(())
    }

    fn shared_store(&self) -> Option<Arc<dyn Store>> {
        Some(self.driver.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Offloaded {
    /// The keys as the store has them.
    fn list(&self, base: String, max_depth: Option<usize>, mode: Mode) -> Op<Keys> {
        let name = self.store_info.name;
        self.run(mode, move |driver| {
            driver
                .keys(&base, max_depth)
                .at(name, Call::GetKeys.name(mode), &base)
        })
    }

    /// The items as the store has them.
    fn get_stored(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        let name = self.store_info.name;
        let operation = Call::GetItems.name(mode);
        if self.store_info.is_instant {
            let found = items.iter().map(|item| {
                let found = self.driver.get(&item.key);
                Self::forgive(&self.runtime, found.at(name, operation, &item.key))
            });
            return Op::ready(found.collect());
        }
        let is_quiet = common.is_quiet;
        let get = move |driver: &dyn Store, items: &[Item<()>]| {
            let keys: Vec<&str> = items.iter().map(|item| &*item.key).collect();
            let found = if is_quiet {
                get_each(&keys, |key| get_quietly(driver, key))
            } else {
                driver.get_many(&keys)
            };
            let found = found.map_err(|error| error.driver(name).operation(operation))?;
            let found = keys.into_iter().zip(found);
            Ok(found
                .map(|(key, found)| found.at(name, operation, key))
                .collect::<Vec<_>>())
        };
        if self.in_place(mode) {
            let found = get(&*self.driver, &items).and_then(|found| {
                let found = found.into_iter();
                found
                    .map(|outcome| Self::forgive(&self.runtime, outcome))
                    .collect()
            });
            return Op::ready(found);
        }
        let jobs: Vec<_> = Self::split(items)
            .into_iter()
            .map(|items| {
                let is_large = items.len() > MOST_ITEMS_BESIDE_OTHERS;
                let work = move |driver: &dyn Store| get(driver, &items);
                if is_large {
                    self.run_long(&self.long_reads, None, work)
                } else {
                    self.run(mode, work)
                }
            })
            .collect();
        Op::later(async move {
            let mut found = Vec::new();
            for job in jobs {
                for outcome in job.await? {
                    found.push(Self::forgive(&self.runtime, outcome)?);
                }
            }
            Ok(found)
        })
    }

    /// As `get_stored`, where some may have pending writes.
    fn get_items_beside_pending(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        let now_ms = self.runtime.now_ms();
        let mut found = Vec::with_capacity(items.len());
        let (mut asked, mut places) = (Vec::new(), Vec::new());
        for (place, item) in items.into_iter().enumerate() {
            match self.order.pending(&item.key) {
                Some(change) => found.push(change.seen::<AsText>(now_ms).0),
                None => {
                    asked.push(item);
                    places.push(place);
                    found.push(None);
                }
            }
        }
        if asked.is_empty() {
            return Op::ok(found);
        }
        self.get_stored(asked, common, mode).map(move |values| {
            for (value, place) in values.into_iter().zip(places) {
                found[place] = value;
            }
            found
        })
    }

    fn read_meta(&self, key: &str, mode: Mode) -> Op<Option<Meta>> {
        self.read(Call::GetMeta, key, mode, <dyn Store>::meta, Change::seen)
            .map(|meta| meta.map(Meta::Native))
    }

    fn set(&self, call: Call, key: &str, value: Value, options: &Options, mode: Mode) -> Op<()> {
        let expires_ms = self.expiry_of(call, &value, options);
        if self.store_info.is_instant {
            if let Err(error) = self.enter(call, mode) {
                return Op::fail(error.key(key));
            }
            let write = if call == Call::SetItemRaw {
                <dyn Store>::set_raw
            } else {
                <dyn Store>::set
            };
            let name = self.store_info.name;
            let written = self
                .driver
                .check_key(key)
                .and_then(|()| write(&*self.driver, key, &value, expires_ms));
            let written = written
                .map_err(|error: Error| error.driver(name).operation(call.name(mode)).key(key));
            return self.ends(Op::ready(written), expires_ms);
        }
        let write = Single::Set {
            value,
            is_raw: call == Call::SetItemRaw,
            expires_ms,
        };
        let written = self.write(call, key, mode, write);
        self.ends(written, expires_ms)
    }
}

struct Watch {
    guard: RefCell<Option<Box<dyn Any + Send>>>,
}

impl Unwatch for Watch {
    fn stop(&self, _mode: Mode) -> Op<()> {
        self.guard.borrow_mut().take();
        Op::ok(())
    }
}
