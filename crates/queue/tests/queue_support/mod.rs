//! A host with a clock that tests turn, threads that run when told, and a store that fails when
//! told.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part"
)]
#![allow(clippy::unwrap_used, reason = "a poisoned lock fails the test")]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use eas_core::condition::{Check, Expected, conflicts};
use eas_core::delegate;
use eas_core::driver::{
    Capabilities, Driver, DriverInfo, EventSink, KeyQuery, LocalFuture, Mode, NativeMeta, Op,
    Options,
};
use eas_core::error::{Error, Kind, Result};
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::keys::Keys;
use eas_core::runtime::{AtExit, Job, Runtime, finish};
use eas_core::store::{
    Applied, Batch, Prepared, SharedSink, Store, StoreInfo, StoreLock, Write, apply_each, get_each,
};
use eas_core::value::{Text, Value};
use eas_queue::control::Limits;
use eas_queue::threaded::Threads;
use eas_queue::{QueueDriver, Settings};
use eas_store::Offloaded;

/// Threads and timers that move when told.
#[derive(Default)]
pub struct FakeThreads {
    state: Mutex<FakeState>,
}

#[derive(Default)]
struct FakeState {
    now_ms: u64,
    jobs: VecDeque<Job>,
    timers: Vec<(u64, Job)>,
}

impl FakeThreads {
    pub fn run_one(&self) -> bool {
        let job = self.state.lock().unwrap().jobs.pop_front();
        job.map(|job| job()).is_some()
    }
}

impl Threads for FakeThreads {
    fn run(&self, job: Job) {
        self.state.lock().unwrap().jobs.push_back(job);
    }

    fn run_after(&self, ms: u64, job: Job) {
        let mut state = self.state.lock().unwrap();
        let due_ms = state.now_ms + ms;
        state.timers.push((due_ms, job));
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

type Hooks = Rc<RefCell<BTreeMap<u64, Rc<dyn AtExit>>>>;

/// A host on the test's thread.
pub struct TestHost {
    pub threads: Arc<FakeThreads>,
    tasks: RefCell<Vec<LocalFuture<()>>>,
    woken: Arc<Flag>,
    pub warnings: RefCell<Vec<(&'static str, String)>>,
    pub holds: Rc<Cell<usize>>,
    exit_hooks: Hooks,
}

struct Hold(Rc<Cell<usize>>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

struct Hook {
    id: u64,
    hooks: Hooks,
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.hooks.borrow_mut().remove(&self.id);
    }
}

impl TestHost {
    pub fn new() -> Rc<Self> {
        Rc::new(TestHost {
            threads: Arc::default(),
            tasks: RefCell::default(),
            woken: Arc::new(Flag(AtomicBool::new(false))),
            warnings: RefCell::default(),
            holds: Rc::default(),
            exit_hooks: Rc::default(),
        })
    }

    /// Polls tasks until none has anything to do.
    pub fn poll_tasks(&self) {
        let waker = Waker::from(self.woken.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            self.woken.0.store(false, Ordering::SeqCst);
            let tasks = self.tasks.take();
            for mut task in tasks {
                if task.as_mut().poll(&mut context).is_pending() {
                    self.tasks.borrow_mut().push(task);
                }
            }
            if !self.woken.0.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Runs one job of another thread and what follows from it on this one.
    pub fn step(&self) -> bool {
        let ran = self.threads.run_one();
        self.poll_tasks();
        ran
    }

    /// Runs everything that is ready.
    pub fn settle(&self) {
        self.poll_tasks();
        while self.step() {}
    }

    /// Turns the clock and runs what is due on the way.
    pub fn advance(&self, ms: u64) {
        let target_ms = self.now_ms() + ms;
        self.settle();
        loop {
            let due = {
                let mut state = self.threads.state.lock().unwrap();
                let next = (0..state.timers.len())
                    .filter(|index| state.timers[*index].0 <= target_ms)
                    .min_by_key(|index| state.timers[*index].0);
                next.map(|index| {
                    let (due_ms, job) = state.timers.remove(index);
                    state.now_ms = state.now_ms.max(due_ms);
                    job
                })
            };
            match due {
                Some(job) => job(),
                None => break,
            }
            self.settle();
        }
        self.threads.state.lock().unwrap().now_ms = target_ms;
    }

    /// Polls an operation once.
    pub fn poll<T: 'static>(&self, op: &mut Op<T>) -> Poll<Result<T>> {
        let waker = Waker::from(self.woken.clone());
        std::pin::Pin::new(op).poll(&mut Context::from_waker(&waker))
    }

    /// Runs until an operation completes, without turning the clock.
    pub fn finish<T: 'static>(&self, mut op: Op<T>) -> Result<T> {
        loop {
            if let Poll::Ready(outcome) = self.poll(&mut op) {
                return outcome;
            }
            let was_woken = self.woken.0.load(Ordering::SeqCst);
            let has_run = self.step();
            if let Poll::Ready(outcome) = self.poll(&mut op) {
                return outcome;
            }
            assert!(has_run || was_woken, "the operation waits for nothing");
        }
    }

    /// Ends the context; says whether everything came to its end.
    pub fn end(&self, patience: Duration) -> bool {
        let hooks = self.exit_hooks.take();
        let work: Vec<_> = hooks.into_values().collect();
        finish(&work, patience)
    }

    /// Ends the context, whose thread blocks meanwhile, beside others that write.
    pub fn end_beside_writers(&self) -> bool {
        let (threads, is_over) = (self.threads.clone(), Arc::new(AtomicBool::new(false)));
        let writer = {
            let is_over = is_over.clone();
            std::thread::spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    if !threads.run_one() {
                        std::thread::yield_now();
                    }
                }
            })
        };
        let ended = self.end(Duration::from_secs(60));
        is_over.store(true, Ordering::SeqCst);
        writer.join().expect("the writer ends");
        ended
    }

    pub fn hook_count(&self) -> usize {
        self.exit_hooks.borrow().len()
    }
}

impl Runtime for TestHost {
    fn now_ms(&self) -> u64 {
        self.threads.state.lock().unwrap().now_ms
    }

    fn run_blocking(&self, job: Job) {
        self.threads.run(job);
    }

    fn sleep(&self, ms: u64) -> LocalFuture<()> {
        let (elapsed, done) = tokio::sync::oneshot::channel();
        let fire = move || {
            let _ = elapsed.send(());
        };
        self.threads.run_after(ms, Box::new(fire));
        Box::pin(async move {
            let _ = done.await;
        })
    }

    fn spawn(&self, mut task: LocalFuture<()>) {
        let waker = Waker::from(self.woken.clone());
        if task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.tasks.borrow_mut().push(task);
        }
    }

    fn keep_alive(&self) -> Box<dyn Any> {
        self.holds.set(self.holds.get() + 1);
        Box::new(Hold(self.holds.clone()))
    }

    fn at_exit(&self, hook: Rc<dyn AtExit>) -> Box<dyn Any> {
        let mut hooks = self.exit_hooks.borrow_mut();
        let id = hooks.last_key_value().map_or(1, |(last, _)| last + 1);
        hooks.insert(id, hook);
        Box::new(Hook {
            id,
            hooks: self.exit_hooks.clone(),
        })
    }

    fn warn(&self, code: &'static str, message: String) {
        self.warnings.borrow_mut().push((code, message));
    }
}

/// What a store was asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    Set(String, String),
    Remove(String),
    Flush,
    Dispose,
}

/// A store in memory that fails when told.
#[derive(Default)]
pub struct TestStore {
    pub items: Mutex<BTreeMap<String, (Value, Option<u64>)>>,
    pub log: Mutex<Vec<Done>>,
    pub is_failing: AtomicBool,
    pub fails_for: Mutex<Option<String>>,
    pub is_read_only: AtomicBool,
    /// Whether a batch is made whole or not at all.
    pub is_transactional: AtomicBool,
    /// How many writes each batch had that was made.
    pub batches: Mutex<Vec<usize>>,
}

impl TestStore {
    fn try_write(&self, key: &str) -> Result<()> {
        let fails_here = self.fails_for.lock().unwrap().as_deref() == Some(key);
        if self.is_failing.load(Ordering::SeqCst) || fails_here {
            return Err(Error::new(Kind::System("EIO"), "EIO: the disk is gone"));
        }
        Ok(())
    }

    pub fn texts(&self) -> BTreeMap<String, String> {
        let items = self.items.lock().unwrap();
        items
            .iter()
            .map(|(key, (value, _))| (key.clone(), text(value)))
            .collect()
    }
}

pub fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_str().into_owned(),
        other => format!("{other:?}"),
    }
}

pub struct SharedStore(pub Arc<TestStore>);

const WRITABLE: StoreInfo = StoreInfo {
    name: "test",
    is_instant: false,
    holds_references: true,
    keeps_kinds: true,
    keeps_files: false,
    read_only: false,
    no_clear: false,
    max_depth: false,
    ttl: true,
    others_expire: false,
    watches: false,
    is_transactional: false,
    commits: true,
    gathers_writes: false,
};

const READ_ONLY: StoreInfo = StoreInfo {
    read_only: true,
    ..WRITABLE
};

const TRANSACTIONAL: StoreInfo = StoreInfo {
    is_transactional: true,
    ..WRITABLE
};

impl Store for SharedStore {
    fn info(&self) -> &StoreInfo {
        if self.0.is_transactional.load(Ordering::SeqCst) {
            &TRANSACTIONAL
        } else if self.0.is_read_only.load(Ordering::SeqCst) {
            &READ_ONLY
        } else {
            &WRITABLE
        }
    }

    fn check_key(&self, key: &str) -> Result<()> {
        if key.contains("..") {
            return Err(Error::new(Kind::InvalidKey, "dots"));
        }
        Ok(())
    }

    fn has(&self, key: &str) -> Result<bool> {
        Ok(self.0.items.lock().unwrap().contains_key(key))
    }

    fn get(&self, key: &str) -> Result<Option<Value>> {
        let items = self.0.items.lock().unwrap();
        Ok(items.get(key).map(|(value, _)| value.clone()))
    }

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Result<Option<Value>>>> {
        get_each(keys, |key| self.get(key))
    }

    fn get_raw(&self, key: &str) -> Result<Option<Value>> {
        self.get(key)
    }

    fn apply(&self, batch: &Batch<'_>) -> Result<Applied> {
        let conflicts = conflicts(batch.checks, |key| self.get(key))?;
        if !conflicts.is_empty() {
            return Ok(Applied::Conflicts(conflicts));
        }
        if batch.is_group || self.info().is_transactional {
            for write in batch.writes {
                self.0.try_write(write.key())?;
            }
        }
        self.0.batches.lock().unwrap().push(batch.writes.len());
        apply_each(batch.writes, |write| {
            self.0.try_write(write.key())?;
            let mut items = self.0.items.lock().unwrap();
            let (changed, done) = match *write {
                Write::Set {
                    key,
                    value,
                    expires_ms,
                    ..
                } => {
                    items.insert(key.to_owned(), (value.clone(), expires_ms));
                    (true, Done::Set(key.to_owned(), text(value)))
                }
                Write::Remove { key, .. } => {
                    let removed = items.remove(key).is_some();
                    (removed, Done::Remove(key.to_owned()))
                }
            };
            drop(items);
            self.0.log.lock().unwrap().push(done);
            Ok(changed)
        })
    }

    fn lists(&self, _key: &str) -> bool {
        true
    }

    fn note_corrupt(&self, _key: &str) {}

    fn watch(self: Arc<Self>, _sink: SharedSink) -> Prepared {
        unreachable!("it does not watch")
    }

    fn next_expiry(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    fn sweep(&self, _now_ms: u64) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn lock(&self) -> Result<Option<StoreLock>> {
        Ok(None)
    }

    fn keys(&self, base: &str, _max_depth: Option<usize>) -> Result<Keys> {
        let items = self.0.items.lock().unwrap();
        let under = items.keys().filter(|key| key.starts_with(base));
        Ok(under.collect())
    }

    fn meta(&self, key: &str) -> Result<Option<NativeMeta>> {
        Ok(self.has(key)?.then(NativeMeta::default))
    }

    fn flush(&self) -> Result<()> {
        self.0.log.lock().unwrap().push(Done::Flush);
        Ok(())
    }

    fn is_behind_at_exit(&self) -> bool {
        true
    }

    fn flush_at_exit(&self, _progressed: &dyn Fn()) -> Result<()> {
        self.flush()
    }

    fn dispose(&self) -> Result<()> {
        self.0.log.lock().unwrap().push(Done::Dispose);
        Ok(())
    }
}

/// A driver that shows no store behind it, as those of JavaScript.
pub struct Hidden {
    threads: Arc<FakeThreads>,
    pub inner: Rc<dyn Driver>,
    pub info: DriverInfo,
}

impl Hidden {
    /// A Sync call that waits for work of other threads is what lets fake ones run.
    fn let_threads_run(&self, mode: Mode) {
        if mode == Mode::Sync {
            while self.threads.run_one() {}
        }
    }
}

impl Driver for Hidden {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    delegate!(inner: has_item, get_item, get_items, get_item_raw, get_keys, get_meta);
    delegate!(inner: set_item, set_items, set_item_raw, remove_item, clear_filtered, watch, lock);

    fn commit(self: Rc<Self>, group: Group, operation: &'static str, mode: Mode) -> Op<Committed> {
        self.let_threads_run(mode);
        self.inner.clone().commit(group, operation, mode)
    }

    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        self.let_threads_run(mode);
        self.inner.clone().clear(base, options, mode)
    }

    fn flush(self: Rc<Self>, mode: Mode) -> Op<()> {
        // A Sync flush of the store waits for jobs that only this thread runs here.
        match mode {
            Mode::Sync => Op::ok(()),
            Mode::Async => self.inner.clone().flush(mode),
        }
    }

    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()> {
        self.let_threads_run(mode);
        self.inner.clone().dispose(mode)
    }

    fn on_expired(&self, _sink: EventSink) -> Option<Box<dyn Any>> {
        None
    }

    fn note_corrupt(&self, _key: &str) {}

    fn note_expiry(&self, _expires_ms: u64) {}

    fn hold(&self) -> Box<dyn Any> {
        Box::new(())
    }

    fn shared_store(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A key with a text, or without one.
pub type Keyed<'a> = (&'a str, Option<&'a str>);

pub fn group(check: Keyed<'_>, writes: &[Keyed<'_>]) -> Group {
    let (key, expected) = check;
    let expected = match expected {
        Some(text) => Expected::Stored(Value::Text(Text::from(text))),
        None => Expected::Missing,
    };
    let write = |(key, value): &Keyed<'_>| {
        let (key, options) = ((*key).to_owned(), Options::default());
        match value {
            Some(text) => GroupWrite::set(key, Text::from(*text), options),
            None => GroupWrite::Remove { key, options },
        }
    };
    Group {
        checks: vec![Check {
            key: key.to_owned(),
            expected,
        }]
        .into(),
        writes: writes.iter().map(write).collect(),
    }
}

/// A queue over a store, with everything around it.
pub struct Bench {
    pub host: Rc<TestHost>,
    pub store: Arc<TestStore>,
    pub queue: Rc<QueueDriver>,
}

/// Where a queue writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On other threads.
    Threads,
    /// On the JS thread.
    Host,
}

pub const PLACES: [Place; 2] = [Place::Threads, Place::Host];

pub fn settings(batch_size: usize, max_queue_size: usize, merges: bool) -> Settings {
    Settings {
        limits: Limits {
            batch_size,
            flush_interval_ms: 1000,
            max_queue_size,
        },
        merges,
    }
}

impl Bench {
    pub fn new(place: Place, settings: &Settings) -> Self {
        Self::with_capabilities(place, settings, Capabilities::ALL)
    }

    /// A queue in front of a store that only reads.
    pub fn read_only(settings: &Settings) -> Self {
        let store = TestStore::default();
        store.is_read_only.store(true, Ordering::SeqCst);
        Self::over(store, Place::Threads, settings, Capabilities::ALL)
    }

    /// A queue that writes on threads to a store of transactions.
    pub fn transactional(settings: &Settings) -> Self {
        let store = TestStore::default();
        store.is_transactional.store(true, Ordering::SeqCst);
        Self::over(store, Place::Threads, settings, Capabilities::ALL)
    }

    pub fn with_capabilities(
        place: Place,
        settings: &Settings,
        capabilities: Capabilities,
    ) -> Self {
        Self::over(TestStore::default(), place, settings, capabilities)
    }

    fn over(
        store: TestStore,
        place: Place,
        settings: &Settings,
        capabilities: Capabilities,
    ) -> Self {
        let host = TestHost::new();
        let store = Arc::new(store);
        let offloaded = Offloaded::new(Arc::new(SharedStore(store.clone())), host.clone());
        let info = DriverInfo {
            name: "hidden".into(),
            capabilities,
            clears_base: false,
            ordered: false,
            ..offloaded.info().clone()
        };
        let inner: Rc<dyn Driver> = match place {
            Place::Threads => Rc::new(offloaded),
            Place::Host => Rc::new(Hidden {
                threads: host.threads.clone(),
                inner: Rc::new(offloaded),
                info,
            }),
        };
        let queue = QueueDriver::new(inner, settings, host.clone(), host.threads.clone());
        Bench { host, store, queue }
    }

    pub fn set(&self, key: &str, value: &str, mode: Mode) -> Op<()> {
        let queue = self.queue.clone();
        queue.set_item(key, Text::from(value), &Options::default(), mode)
    }

    pub fn set_raw(&self, key: &str, value: &str, mode: Mode) -> Op<()> {
        let value = Value::Text(Text::from(value));
        let queue = self.queue.clone();
        queue.set_item_raw(key, value, &Options::default(), mode)
    }

    pub fn remove(&self, key: &str, mode: Mode) -> Op<()> {
        let queue = self.queue.clone();
        queue.remove_item(key, &Options::default(), mode)
    }

    pub fn clear(&self, base: &str, mode: Mode) -> Op<()> {
        let queue = self.queue.clone();
        queue.clear(base, &Options::default(), mode)
    }

    /// A group of one condition and some changes, where a text is written and none removes.
    pub fn commit(&self, check: Keyed<'_>, writes: &[Keyed<'_>], mode: Mode) -> Op<Committed> {
        let group = group(check, writes);
        self.queue.clone().commit(group, "commit", mode)
    }

    pub fn get(&self, key: &str) -> Option<String> {
        let queue = self.queue.clone();
        let found = queue.get_item(key, &Options::default(), Mode::Sync);
        self.host
            .finish(found)
            .expect("reads do not fail")
            .map(|value| text(&value))
    }

    pub fn keys(&self, base: &str) -> Vec<String> {
        let query = KeyQuery {
            base: base.to_owned(),
            ..KeyQuery::default()
        };
        let listed = self.queue.clone().get_keys(&query, Mode::Sync);
        self.host
            .finish(listed)
            .expect("listings do not fail")
            .sorted()
    }

    pub fn flush(&self) -> Result<()> {
        let flushed = self.queue.clone().flush(Mode::Async);
        self.host.finish(flushed)
    }

    pub fn fail(&self, is_failing: bool) {
        self.store.is_failing.store(is_failing, Ordering::SeqCst);
    }

    pub fn log(&self) -> Vec<Done> {
        self.store.log.lock().unwrap().clone()
    }
}

pub fn is_ready<T>(op: &Op<T>) -> bool {
    matches!(op, Op::Ready(_))
}
