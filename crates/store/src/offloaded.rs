//! A blocking driver as a driver of the host's thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use crate::exit::Exit;
use crate::expiry::Expiry;
use crate::offload::{offload, offload_alone, offload_aside, offload_in};
use crate::pool::{self, Lane};
use crate::sequence::{Many, Sequence, Ticket};
use eas_core::blocking::BlockingDriver;
use eas_core::driver::{
    Call, Capabilities, Driver, DriverInfo, EventSink, Item, KeyFilter, KeyQuery, Meta, Mode, Op,
    Options, ReadOnly, Unwatch,
};
use eas_core::error::{At, Error, Kind, Result};
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::runtime::Runtime;
use eas_core::value::{BytesKind, Text, Value};

/// Fewer items than this a thread are not worth handing over.
const LEAST_ITEMS_A_JOB: usize = 16;

/// Jobs of more items have threads of their own.
const MOST_ITEMS_BESIDE_OTHERS: usize = 512;

/// Lanes for jobs that take long, which get them in turn.
#[derive(Default)]
struct Lanes(RefCell<VecDeque<Arc<Lane>>>);

impl Lanes {
    fn next(&self) -> Arc<Lane> {
        let mut lanes = self.0.borrow_mut();
        lanes.resize_with(pool::long_jobs(), || Arc::new(Lane::alone()));
        lanes.rotate_left(1);
        lanes[0].clone()
    }
}

/// A [`BlockingDriver`] as a [`Driver`].
pub struct Offloaded<D> {
    info: DriverInfo,
    driver: Arc<D>,
    sequence: Arc<Sequence>,
    runtime: Rc<dyn Runtime>,
    expiry: Rc<Expiry<D>>,
    /// Whether items that an earlier process left to end were looked for.
    has_looked: Cell<bool>,
    exit: Exit,
    /// Writes of items that end.
    endings: Arc<Lane>,
    /// Jobs that write many items.
    long_writes: Lanes,
    /// Jobs that read many items, which need not wait for the writes.
    long_reads: Lanes,
    /// Held by the one user of the store that asked for its lock.
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl<D: BlockingDriver> Offloaded<D> {
    /// Makes `driver` callable on the host's thread.
    pub fn new(driver: D, runtime: Rc<dyn Runtime>) -> Self {
        let driver = Arc::new(driver);
        Offloaded {
            info: info_of(&*driver),
            sequence: Arc::default(),
            expiry: Expiry::new(driver.clone(), runtime.clone()),
            has_looked: Cell::new(driver.is_instant() || !driver.flags().ttl),
            exit: Exit::new(runtime.clone()),
            endings: Arc::default(),
            long_writes: Lanes::default(),
            long_reads: Lanes::default(),
            lock: Arc::default(),
            driver,
            runtime,
        }
    }

    /// The store itself.
    pub fn inner(&self) -> &Arc<D> {
        &self.driver
    }

    fn in_place(&self, mode: Mode) -> bool {
        mode == Mode::Sync || self.driver.is_instant() || self.runtime.is_ending()
    }

    fn run<T: Send + 'static>(
        &self,
        mode: Mode,
        work: impl FnOnce(&D) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        self.look_once();
        if self.in_place(mode) {
            return Op::ready(work(&self.driver));
        }
        let driver = self.driver.clone();
        Op::Pending(offload(&self.runtime, move || work(&driver)))
    }

    /// As `run`, for writes. Those of items that end wait for each other, and at times for other
    /// processes: they must not take all threads.
    fn run_write<T: Send + 'static>(
        &self,
        mode: Mode,
        ends: bool,
        work: impl FnOnce(&D) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        if !ends || self.in_place(mode) {
            return self.run(mode, work);
        }
        self.look_once();
        let driver = self.driver.clone();
        Op::Pending(offload_in(&self.endings, &self.runtime, move || {
            work(&driver)
        }))
    }

    /// As `run`, for a job that takes long: it keeps neither the host's thread from running nor single
    /// calls from a thread.
    fn run_long<T: Send + 'static>(
        &self,
        lanes: &Lanes,
        work: impl FnOnce(&D) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        self.look_once();
        let driver = self.driver.clone();
        Op::Pending(offload_aside(&lanes.next(), &self.runtime, move || {
            work(&driver)
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
        read: fn(&D, &str) -> Result<T>,
    ) -> Op<T> {
        let name = self.driver.name();
        let operation = call.name(mode);
        if let Err(error) = self.driver.check_key(key) {
            return Op::fail(error.driver(name).operation(operation).key(key));
        }
        self.look_once();
        if self.in_place(mode) {
            return Op::ready(read(&self.driver, key).at(name, operation, key));
        }
        let key = key.to_owned();
        self.run(mode, move |driver| {
            read(driver, &key).at(name, operation, &key)
        })
    }

    /// Takes the ticket now and writes when the thread is free.
    fn write(
        &self,
        call: Call,
        key: &str,
        mode: Mode,
        ends: bool,
        write: impl FnOnce(&D, &str) -> Result<()> + Send + 'static,
    ) -> Op<()> {
        let name = self.driver.name();
        let operation = call.name(mode);
        if let Err(error) = self.driver.check_key(key) {
            return Op::fail(error.driver(name).operation(operation).key(key));
        }
        if self.driver.is_read_only() {
            return Op::ok(());
        }
        if self.driver.is_instant() {
            return Op::ready(write(&self.driver, key).at(name, operation, key));
        }
        self.exit.wait_for(&self.driver, &self.sequence);
        let ticket = self.sequence.ticket(key);
        self.run_write(mode, ends, move |driver| {
            ticket.run(|key| write(driver, key).at(name, operation, key))
        })
    }

    /// Looks for items that an earlier process left to end, at the first use.
    fn look_once(&self) {
        if !self.has_looked.replace(true) {
            self.expiry.look();
        }
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
        self.expiry.resume();
        Some(expires_ms)
    }

    /// Sees to the end of what was written. Not before it is there: a sweep would pass it over.
    fn ends(&self, written: Op<()>, expires_ms: Option<u64>) -> Op<()> {
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

fn unreadable(error: &Error) -> String {
    format!(
        "{error} The item {:?} reads as null, and its bytes are kept until and beyond the next write.",
        error.key_name().unwrap_or_default()
    )
}

/// Writes every item, also after one failed; the outcome is that of the first that failed.
fn write_all<D: BlockingDriver>(
    driver: &D,
    operation: &'static str,
    items: Vec<(Ticket, Value, Option<u64>)>,
) -> Result<()> {
    let mut outcome = Ok(());
    for (ticket, value, expires_ms) in items {
        let written = ticket.run(|key| {
            driver
                .set(key, &value, expires_ms)
                .at(driver.name(), operation, key)
        });
        outcome = outcome.and(written);
    }
    outcome
}

fn keys_to_clear<D: BlockingDriver>(
    driver: &D,
    many: &Many,
    base: &str,
    mode: Mode,
) -> Result<Keys> {
    many.wait_for_older(base);
    let keys = driver
        .keys(base, None)
        .at(driver.name(), Call::Clear.name(mode), base)?;
    Ok(keys.filtered(|key| !key::is_kept(key)))
}

/// Removes what was not written since the clear was asked for, and gives what was there of it.
fn remove_all<D: BlockingDriver>(driver: &D, many: &Many, keys: &Keys, mode: Mode) -> Result<Keys> {
    let (name, operation) = (driver.name(), Call::Clear.name(mode));
    let mut removed = Keys::new();
    let mut outcome = Ok(());
    for key in keys {
        let done = many.ticket(key).run(|key| {
            if driver.remove_listed(key).at(name, operation, key)? {
                removed.push(key);
            }
            Ok(())
        });
        outcome = outcome.and(done);
    }
    outcome.map(|()| removed)
}

fn info_of<D: BlockingDriver>(driver: &D) -> DriverInfo {
    let flags = driver.flags();
    let mut info = DriverInfo {
        max_depth: flags.max_depth,
        ttl: flags.ttl,
        no_clear: driver.refuses_clear(),
        clears_base: true,
        ordered: true,
        ..DriverInfo::named(driver.name())
    };
    if driver.is_read_only() {
        info.read_only = ReadOnly::Silent;
    }
    if driver.can_watch() {
        info.capabilities = Capabilities::ALL;
    }
    info
}

impl<D: BlockingDriver> Driver for Offloaded<D> {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn has_item(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<bool> {
        self.read(Call::HasItem, key, mode, D::has)
    }

    fn get_item(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<Option<Value>> {
        let found = self.read(Call::GetItem, key, mode, D::get);
        if self.driver.is_instant() {
            return found;
        }
        let runtime = self.runtime.clone();
        found.map_result(move |outcome| Self::forgive(&runtime, outcome))
    }

    fn get_items(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        _common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        let name = self.driver.name();
        let operation = Call::GetItems.name(mode);
        for item in &items {
            if let Err(error) = self.driver.check_key(&item.key) {
                return Op::fail(error.driver(name).operation(operation).key(&item.key));
            }
        }
        let get = move |driver: &D, key: &str| driver.get(key).at(name, operation, key);
        if self.in_place(mode) {
            let found = items
                .iter()
                .map(|item| Self::forgive(&self.runtime, get(&self.driver, &item.key)));
            return Op::ready(found.collect());
        }
        let jobs: Vec<_> = Self::split(items)
            .into_iter()
            .map(|items| {
                let is_large = items.len() > MOST_ITEMS_BESIDE_OTHERS;
                let work = move |driver: &D| {
                    let found = items.iter().map(|item| get(driver, &item.key));
                    Ok(found.collect::<Vec<_>>())
                };
                if is_large {
                    self.run_long(&self.long_reads, work)
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

    fn get_item_raw(
        self: Rc<Self>,
        key: &str,
        _options: &Options,
        mode: Mode,
    ) -> Op<Option<Value>> {
        self.read(Call::GetItemRaw, key, mode, D::get_raw)
    }

    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        let (base, max_depth) = (query.base.clone(), query.max_depth);
        let name = self.driver.name();
        self.run(mode, move |driver| {
            driver
                .keys(&base, max_depth)
                .at(name, Call::GetKeys.name(mode), &base)
        })
    }

    fn get_meta(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<Option<Meta>> {
        self.read(Call::GetMeta, key, mode, D::meta)
            .map(|meta| meta.map(Meta::Native))
    }

    fn set_item(self: Rc<Self>, key: &str, value: Text, options: &Options, mode: Mode) -> Op<()> {
        self.set(Call::SetItem, key, Value::Text(value), options, mode)
    }

    fn set_items(self: Rc<Self>, items: Vec<Item<Text>>, _common: &Options, mode: Mode) -> Op<()> {
        let name = self.driver.name();
        let operation = Call::SetItems.name(mode);
        let check = |key: &str| {
            let checked = self.driver.check_key(key);
            checked.map_err(|error| error.driver(name).operation(operation).key(key))
        };
        if self.driver.is_read_only() || self.driver.is_instant() {
            let checked = items.iter().try_for_each(|item| check(&item.key));
            if let Err(error) = checked {
                return Op::fail(error);
            }
        }
        if self.driver.is_read_only() {
            return Op::ok(());
        }
        if self.driver.is_instant() {
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
        self.exit.wait_for(&self.driver, &self.sequence);
        let in_place = self.in_place(mode);
        let size = if in_place {
            items.len()
        } else {
            Self::job_size(items.len())
        };
        let mut jobs = Vec::new();
        let mut first_end: Option<u64> = None;
        let mut checked = Ok(());
        // Each key is looked at once: of a large batch, no more than a part is in the processor's caches.
        let mut tickets = self.sequence.tickets(items.len());
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
                let ticket = tickets.next(&item.key);
                writes.push((ticket, value, expires_ms));
            }
            jobs.push(writes);
        }
        drop(tickets);
        if let Err(error) = checked {
            return Op::fail(error);
        }
        if in_place {
            let writes = jobs.pop().unwrap_or_default();
            let written = Op::ready(write_all(&*self.driver, operation, writes));
            return self.ends(written, first_end);
        }
        let jobs: Vec<_> = jobs
            .into_iter()
            .map(|writes| {
                let ends = writes.iter().any(|(.., expires_ms)| expires_ms.is_some());
                let is_large = writes.len() > MOST_ITEMS_BESIDE_OTHERS;
                let work = move |driver: &D| write_all(driver, operation, writes);
                if is_large && !ends {
                    self.run_long(&self.long_writes, work)
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
        self.ends(written, first_end)
    }

    fn set_item_raw(
        self: Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        let value = match value {
            Value::Foreign(host) => match host.bytes() {
                Some((bytes, kind))
                    if kind != BytesKind::View || !self.driver.holds_references() =>
                {
                    Value::Bytes(bytes.into(), kind)
                }
                _ if self.driver.holds_references() => Value::Foreign(host),
                _ => {
                    let error = Error::new(
                        Kind::InvalidValue,
                        "a raw value must be a string, a Buffer or a typed array; use setItem for other values",
                    );
                    let operation = Call::SetItemRaw.name(mode);
                    return Op::fail(
                        error
                            .driver(self.driver.name())
                            .operation(operation)
                            .key(key),
                    );
                }
            },
            value => value,
        };
        self.set(Call::SetItemRaw, key, value, options, mode)
    }

    fn remove_item(self: Rc<Self>, key: &str, _options: &Options, mode: Mode) -> Op<()> {
        self.write(Call::RemoveItem, key, mode, false, |driver, key| {
            driver.remove(key).map(drop)
        })
    }

    fn clear(self: Rc<Self>, base: &str, _options: &Options, mode: Mode) -> Op<()> {
        if self.driver.is_read_only() || self.driver.refuses_clear() {
            return Op::ok(());
        }
        let base = base.to_owned();
        self.exit.wait_for(&self.driver, &self.sequence);
        let many = self.sequence.many();
        many.needs_no_host();
        self.run(mode, move |driver| {
            let keys = keys_to_clear(driver, &many, &base, mode)?;
            remove_all(driver, &many, &keys, mode).map(drop)
        })
    }

    fn clear_filtered(self: Rc<Self>, base: &str, mode: Mode, filter: KeyFilter) -> Op<Keys> {
        if self.driver.is_read_only() || self.driver.refuses_clear() {
            return Op::ok(Keys::new());
        }
        let base = base.to_owned();
        self.exit.wait_for(&self.driver, &self.sequence);
        let many = Arc::new(self.sequence.many());
        let listed = {
            let many = many.clone();
            self.run(mode, move |driver| {
                keys_to_clear(driver, &many, &base, mode)
            })
        };
        let chosen = listed.map_result(|keys| filter(keys?));
        let remove = move |this: &Self, keys: Keys| {
            many.needs_no_host();
            this.run(mode, move |driver| remove_all(driver, &many, &keys, mode))
        };
        match chosen {
            // Writes of an instant store have no tickets: nothing may come in between.
            Op::Ready(Some(Ok(keys))) => remove(&self, keys),
            chosen => Op::later(async move { remove(&self, chosen.await?).await }),
        }
    }

    fn watch(self: Rc<Self>, sink: EventSink) -> Op<Box<dyn Unwatch>> {
        let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
        let started = self.run(Mode::Async, move |driver| {
            driver.watch(Arc::new(move |event| {
                // The receiver goes with the host's context; events after that are nobody's.
                let _ = sender.send(event);
            }))
        });
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
        let name = self.driver.name();
        let many = self.sequence.many();
        self.run(mode, move |driver| {
            many.wait_for_older("");
            drop(many);
            driver
                .flush()
                .map_err(|error| error.driver(name).operation(Call::Flush.name(mode)))
        })
    }

    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()> {
        let name = self.driver.name();
        let many = self.sequence.many();
        let dispose = move |driver: &D| {
            many.wait_for_older("");
            driver
                .dispose()
                .map_err(|error| error.driver(name).operation(Call::Dispose.name(mode)))
        };
        let stopped = self.expiry.stop();
        // What was never used is not looked at any more.
        self.has_looked.set(true);
        if self.in_place(mode) {
            return Op::ready(dispose(&self.driver));
        }
        Op::later(async move {
            stopped.await;
            self.run(mode, dispose).await
        })
    }

    fn lock(self: Rc<Self>) -> Op<Option<Box<dyn Any>>> {
        Op::later(async move {
            let own = self.lock.clone().lock_owned().await;
            let driver = self.driver.clone();
            let others = if driver.is_instant() {
                driver.lock()?
            } else {
                // The holder of the lock may be another storage of this process.
                offload_alone(&self.runtime, move || driver.lock()).await?
            };
            Ok(Some(Box::new((own, others)) as Box<dyn Any>))
        })
    }

    fn on_expired(&self, sink: EventSink) -> Option<Box<dyn Any>> {
        self.driver.flags().ttl.then(|| self.expiry.subscribe(sink))
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

    fn blocking(&self) -> Option<Arc<dyn BlockingDriver>> {
        Some(self.driver.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<D: BlockingDriver> Offloaded<D> {
    fn set(&self, call: Call, key: &str, value: Value, options: &Options, mode: Mode) -> Op<()> {
        let write = if call == Call::SetItemRaw {
            D::set_raw
        } else {
            D::set
        };
        let expires_ms = self.expiry_of(call, &value, options);
        if self.driver.is_instant() {
            let name = self.driver.name();
            let written = self
                .driver
                .check_key(key)
                .and_then(|()| write(&self.driver, key, &value, expires_ms));
            let written = written
                .map_err(|error: Error| error.driver(name).operation(call.name(mode)).key(key));
            return self.ends(Op::ready(written), expires_ms);
        }
        let written = self.write(call, key, mode, expires_ms.is_some(), move |driver, key| {
            write(driver, key, &value, expires_ms)
        });
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
