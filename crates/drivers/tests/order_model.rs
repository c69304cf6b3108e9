//! Calls that nobody awaits, reads among them, against a plain sequential model: over memory, over a store that
//! is slow and fails, over sqlite, and over fs on a disk that loses power after the last flush; each alone and under
//! a queue.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../../fs/tests/fs_support/model.rs"]
mod model_disk;

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eas_core::condition::{Check, Expected, conflicts};
use eas_core::driver::{self, Driver, Item, Mode, NativeMeta, Op, Options};
use eas_core::error::{Error, Kind, Result};
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::keys::Keys;
use eas_core::runtime::lock;
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_core::storage::{Change, Storage};
use eas_core::store::{
    Applied, Batch, Prepared, SharedSink, Store, StoreInfo, StoreLock, Write, apply_each, get_each,
};
use eas_core::value::{Text, Value};
use eas_fs::{FsOptions, FsStore, NAME, Ports};
use eas_memory::MemoryStore;
use eas_queue::control::Limits;
use eas_queue::threaded::ProcessThreads;
use eas_queue::{QueueDriver, Settings};
use eas_sqlite::{SqliteOptions, SqliteStore};
use eas_store::{Offloaded, pool};
use model_disk::{ModelDisk, Survives};
use proptest::prelude::*;

/// Keeps items in a map, slowly; writes of the key `bad` fail.
struct Shaky {
    info: StoreInfo,
    items: Mutex<BTreeMap<String, Value>>,
}

impl Shaky {
    fn new(gathers_writes: bool) -> Self {
        Shaky {
            info: StoreInfo {
                commits: true,
                gathers_writes,
                ..StoreInfo::named("shaky")
            },
            items: Mutex::default(),
        }
    }
}

impl Store for Shaky {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn check_key(&self, _key: &str) -> Result<()> {
        Ok(())
    }

    fn has(&self, key: &str) -> Result<bool> {
        Ok(lock(&self.items).contains_key(key))
    }

    fn get(&self, key: &str) -> Result<Option<Value>> {
        Ok(lock(&self.items).get(key).cloned())
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
        apply_each(batch.writes, |write| match *write {
            Write::Set { key, value, .. } => {
                std::thread::sleep(Duration::from_micros(key.len() as u64 * 40));
                if key == "bad" {
                    return Err(Error::new(Kind::System("EIO"), "it fails"));
                }
                lock(&self.items).insert(key.to_owned(), value.clone());
                Ok(true)
            }
            Write::Remove { key, .. } => Ok(lock(&self.items).remove(key).is_some()),
        })
    }

    fn keys(&self, base: &str, _max_depth: Option<usize>) -> Result<Keys> {
        let items = lock(&self.items);
        Ok(items.keys().filter(|key| key.starts_with(base)).collect())
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

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn is_behind_at_exit(&self) -> bool {
        false
    }

    fn flush_at_exit(&self, _progressed: &dyn Fn()) -> Result<()> {
        Ok(())
    }

    fn dispose(&self) -> Result<()> {
        Ok(())
    }

    fn meta(&self, _key: &str) -> Result<Option<NativeMeta>> {
        Ok(None)
    }
}

const KEYS: [&str; 5] = ["a", "a:b", "a:b:c", "d:e", "bad"];

#[derive(Clone, Debug)]
enum Call {
    Set(usize, u8, bool),
    SetRaw(usize, u8, bool),
    Remove(usize, bool),
    SetMany(Vec<(usize, u8)>),
    Clear(bool),
    Commit(Shape, bool),
    Read(usize, bool),
    ReadRaw(usize, bool),
    List(bool),
    Flush(bool),
}

/// A group: the key of its condition, which expects what was called last or something else, and what it writes.
#[derive(Clone, Debug)]
struct Shape {
    check: usize,
    expects_last: bool,
    writes: Vec<(usize, Option<u8>)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    // `bad` is in no group.
    let key = 0..KEYS.len() - 1;
    let write = (key.clone(), proptest::option::of(any::<u8>()));
    let writes = prop::collection::vec(write, 0..4);
    (key, prop::bool::weighted(0.8), writes).prop_map(|(check, expects_last, writes)| Shape {
        check,
        expects_last,
        writes,
    })
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let key = 0..KEYS.len();
    let call = prop_oneof![
        4 => (key.clone(), any::<u8>(), any::<bool>()).prop_map(|(k, v, s)| Call::Set(k, v, s)),
        2 => (key.clone(), any::<u8>(), any::<bool>()).prop_map(|(k, v, s)| Call::SetRaw(k, v, s)),
        2 => (key.clone(), any::<bool>()).prop_map(|(k, s)| Call::Remove(k, s)),
        1 => prop::collection::vec((key.clone(), any::<u8>()), 1..40).prop_map(Call::SetMany),
        1 => any::<bool>().prop_map(Call::Clear),
        3 => (shape(), any::<bool>()).prop_map(|(shape, s)| Call::Commit(shape, s)),
        4 => (key.clone(), any::<bool>()).prop_map(|(k, s)| Call::Read(k, s)),
        2 => (key, any::<bool>()).prop_map(|(k, s)| Call::ReadRaw(k, s)),
        1 => any::<bool>().prop_map(Call::List),
        1 => any::<bool>().prop_map(Call::Flush),
    ];
    prop::collection::vec(call, 1..60)
}

fn mode(is_sync: bool) -> Mode {
    if is_sync { Mode::Sync } else { Mode::Async }
}

fn text(value: u8) -> Text {
    Text::from(format!("{{\"json\":{value}}}").as_str())
}

/// A raw value; every other one is no text.
fn raw(value: u8) -> Vec<u8> {
    let first = if value.is_multiple_of(2) { 0xff } else { b'x' };
    [&[first], value.to_string().as_bytes()].concat()
}

/// What a read may give, as bytes: what the last of the calls leaves, and before it what a clear or a group that
/// is under way has yet to change.
#[derive(Clone, Debug, Default)]
struct Allowed(Vec<Option<Vec<u8>>>);

impl Allowed {
    fn text(value: u8) -> Self {
        Allowed(vec![Some(text(value).to_utf8().into_owned())])
    }

    /// What the last of the calls leaves.
    fn last(&self) -> Option<&[u8]> {
        self.0.last().expect("there is one").as_deref()
    }

    /// A call that is under way will leave this.
    fn becomes(&mut self, value: Option<Vec<u8>>, is_done: bool) {
        if is_done {
            self.0.clear();
        }
        self.0.retain(|other| *other != value);
        self.0.push(value);
    }

    fn allows(&self, found: Option<&Value>) -> bool {
        let found = found.map(|value| value.file_bytes().unwrap());
        self.0
            .iter()
            .any(|allowed| allowed.as_deref() == found.as_deref())
    }

    /// Whether all of it reads as text: what does not is null or an error, by the driver.
    fn is_text(&self) -> bool {
        let mut values = self.0.iter().flatten();
        values.all(|value| str::from_utf8(value).is_ok())
    }
}

/// What is sure of each key; that of `bad` is not.
type Model = BTreeMap<&'static str, Allowed>;

/// Makes the calls and gives what is stored after a flush. Nothing fails, or what holds `bad`.
fn run(
    runtime: &Rc<TestRuntime>,
    driver: Rc<dyn Driver>,
    calls: &[Call],
    bad_fails: bool,
) -> Model {
    let makes_groups = driver.info().has(driver::Call::Commit, Mode::Async);
    let storage = Storage::new(driver, runtime.port());
    let options = Options::default();
    let mut model: Model = KEYS.iter().map(|key| (*key, Allowed(vec![None]))).collect();
    let start = |op: Op<()>| {
        runtime.port().spawn(Box::pin(async move {
            let outcome = op.await;
            assert!(bad_fails || outcome.is_ok(), "{outcome:?}");
        }));
    };
    let write = |key: &str, op: Op<()>| {
        let is_bad = bad_fails && key == "bad";
        runtime.port().spawn(Box::pin(async move {
            let written = op.await;
            assert!(is_bad || written.is_ok(), "{written:?}");
        }));
    };
    let mut groups = Vec::new();
    for call in calls {
        match call {
            Call::Set(key, value, is_sync) => {
                let key = KEYS[*key];
                write(
                    key,
                    storage.set_item(key, text(*value), &options, mode(*is_sync)),
                );
                if key != "bad" {
                    model.insert(key, Allowed::text(*value));
                }
            }
            Call::SetRaw(key, value, is_sync) => {
                let (key, bytes) = (KEYS[*key], raw(*value));
                let value = Value::buffer(bytes.clone());
                write(
                    key,
                    storage.set_item_raw(key, value, &options, mode(*is_sync)),
                );
                if key != "bad" {
                    model.insert(key, Allowed(vec![Some(bytes)]));
                }
            }
            Call::Remove(key, is_sync) => {
                let key = KEYS[*key];
                write(
                    key,
                    storage.remove_item(key, false, &options, mode(*is_sync)),
                );
                model.insert(key, Allowed(vec![None]));
            }
            Call::SetMany(items) => {
                let changes = items.iter().map(|(key, value)| Item {
                    key: KEYS[*key].to_owned(),
                    value: Change::Set(text(*value)),
                    options: Options::default(),
                });
                start(storage.set_items(changes.collect(), &options, Mode::Async));
                for (key, value) in items.iter().filter(|(key, _)| KEYS[*key] != "bad") {
                    model.insert(KEYS[*key], Allowed::text(*value));
                }
            }
            Call::Clear(is_sync) => {
                start(storage.clear("a", &options, mode(*is_sync)));
                for key in ["a:b", "a:b:c"] {
                    let allowed = model.get_mut(key).expect("a key of the model");
                    allowed.becomes(None, *is_sync);
                }
            }
            Call::Commit(shape, is_sync) if makes_groups => {
                let key = KEYS[shape.check];
                let last = model[key].last().map(|bytes| Value::buffer(bytes.to_vec()));
                let expected = match last.clone() {
                    Some(last) if shape.expects_last => Expected::Stored(as_kept(last)),
                    None if shape.expects_last => Expected::Missing,
                    _ => Expected::Stored(Value::Text("never".into())),
                };
                let checks = vec![Check {
                    key: key.to_owned(),
                    expected,
                }];
                let writes = shape.writes.iter().map(|(key, value)| {
                    let (key, options) = (KEYS[*key].to_owned(), Options::default());
                    match value {
                        Some(value) => GroupWrite::set(key, text(*value), options),
                        None => GroupWrite::Remove { key, options },
                    }
                });
                let group = Group {
                    checks: checks.into(),
                    writes: writes.collect(),
                };
                let expected = if shape.expects_last {
                    Committed::Done
                } else {
                    Committed::Conflicts(vec![key.to_owned()])
                };
                let case = format!("{call:?} in {calls:?}");
                let op = storage.commit(group, "commit", mode(*is_sync));
                let check = async move {
                    assert_eq!(op.await.expect("commits"), expected, "{case}");
                };
                if *is_sync {
                    runtime.block_on(check);
                } else {
                    groups.push(check);
                }
                if shape.expects_last {
                    for (key, value) in &shape.writes {
                        let value = value.map(|value| text(value).to_utf8().into_owned());
                        let allowed = model.get_mut(KEYS[*key]).expect("a key of the model");
                        allowed.becomes(value, *is_sync);
                    }
                }
            }
            Call::Commit(..) => {}
            Call::Read(key, is_sync) if KEYS[*key] != "bad" => {
                let key = KEYS[*key];
                let found = runtime.block_on(storage.get_item(key, &options, mode(*is_sync)));
                if model[key].is_text() {
                    let found = found.expect("reads");
                    assert!(
                        model[key].allows(found.as_ref()),
                        "{key}: {found:?} in {calls:?}"
                    );
                }
            }
            Call::ReadRaw(key, is_sync) if KEYS[*key] != "bad" => {
                let key = KEYS[*key];
                let found = runtime.block_on(storage.get_item_raw(key, &options, mode(*is_sync)));
                let found = found.expect("reads");
                assert!(
                    model[key].allows(found.as_ref()),
                    "{key}, raw: {found:?} in {calls:?}"
                );
            }
            Call::Read(..) | Call::ReadRaw(..) => {}
            Call::List(is_sync) => {
                let listed = runtime.block_on(storage.get_keys("", None, &options, mode(*is_sync)));
                let listed = listed.expect("lists").sorted();
                for key in &KEYS[..4] {
                    let is_listed = listed.iter().any(|other| other == key);
                    let is_allowed = model[key]
                        .0
                        .iter()
                        .any(|value| value.is_some() == is_listed);
                    assert!(is_allowed, "{key} is listed: {is_listed} in {calls:?}");
                }
            }
            Call::Flush(is_sync) => {
                // What fails is told to the caller of the write, or to that of a queue's flush.
                let flushed = runtime.block_on(storage.flush("", mode(*is_sync)));
                assert!(bad_fails || flushed.is_ok(), "{flushed:?} in {calls:?}");
                settle(&mut model);
            }
        }
    }
    let flushed = runtime.block_on(storage.flush("", Mode::Async));
    assert!(bad_fails || flushed.is_ok(), "{flushed:?} in {calls:?}");
    for group in groups {
        runtime.block_on(group);
    }
    settle(&mut model);
    for key in &KEYS[..4] {
        let found = runtime.block_on(storage.get_item_raw(key, &options, Mode::Async));
        assert!(
            model[key].allows(found.expect("reads").as_ref()),
            "{key} after the flush of {calls:?}"
        );
    }
    model
}

/// A store holds what is sure of each key, and lists those keys.
fn check(store: &impl Store, model: &Model, case: &str) {
    let listed = store.keys("", None).unwrap().sorted();
    for key in &KEYS[..4] {
        let found = store.get_raw(key).unwrap();
        let bytes = found.as_ref().and_then(Value::file_bytes);
        assert!(
            model[key].allows(found.as_ref()),
            "{case}: {key} is {:?}, not {:?}",
            bytes.as_deref().map(String::from_utf8_lossy),
            model[key]
        );
        let is_listed = listed.iter().any(|other| other == key);
        assert_eq!(is_listed, found.is_some(), "{case}: {key} in {listed:?}");
    }
    for key in &listed {
        assert!(KEYS.contains(&key.as_str()), "{case}: {key}");
    }
}

/// What was flushed has taken effect.
fn settle(model: &mut Model) {
    for allowed in model.values_mut() {
        allowed.0.drain(..allowed.0.len() - 1);
    }
}

/// A value as a store of texts and bytes keeps it: of what the model holds, texts are those of the codec.
fn as_kept(value: Value) -> Value {
    let bytes = value.file_bytes().expect("the model holds bytes");
    match Text::copy_utf8(&bytes) {
        Some(text) if bytes.starts_with(b"{") => Value::Text(text),
        _ => value.clone(),
    }
}

fn queue(inner: Rc<dyn Driver>, runtime: &Rc<TestRuntime>) -> Rc<dyn Driver> {
    let settings = Settings {
        limits: Limits {
            batch_size: 8,
            flush_interval_ms: 1,
            max_queue_size: 10_000,
        },
        merges: true,
    };
    QueueDriver::new(inner, &settings, runtime.port(), Arc::new(ProcessThreads))
}

const BASE: &str = "/disk/base";

fn fs_on(disk: &ModelDisk) -> FsStore<ModelDisk> {
    let ports = Ports {
        disk: disk.clone(),
        clock: Arc::new(|| 0),
        background: Arc::new(pool::submit_after),
    };
    FsStore::with_ports(NAME, FsOptions::at(BASE).unwrap(), ports)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn calls_that_nobody_awaits_are_seen_and_made_in_their_order(calls in calls()) {
        let runtime = TestRuntime::new(Jobs::Threads, 0);
        for is_queued in [false, true] {
            let around = |driver: Rc<dyn Driver>| {
                if is_queued { queue(driver, &runtime) } else { driver }
            };
            let case = format!("queued: {is_queued}, {calls:?}");

            for gathers_writes in [false, true] {
                let store = Arc::new(Shaky::new(gathers_writes));
                let shaky = Rc::new(Offloaded::new(store.clone(), runtime.port()));
                let model = run(&runtime, around(shaky), &calls, true);
                check(&*store, &model, &format!("shaky, gathers: {gathers_writes}, {case}"));
            }

            let store = Arc::new(MemoryStore::new(Arc::new(|| 0)));
            let memory = Rc::new(Offloaded::new(store.clone(), runtime.port()));
            let model = run(&runtime, around(memory), &calls, false);
            check(&*store, &model, &format!("memory, {case}"));

            let folder = tempfile::tempdir().expect("a folder for the test");
            let file = folder.path().join("storage.db");
            let open = || SqliteStore::new(SqliteOptions::at(&file), Arc::new(|| 0));
            let store = Arc::new(open());
            let sqlite = Rc::new(Offloaded::new(store.clone(), runtime.port()));
            let model = run(&runtime, around(sqlite), &calls, false);
            check(&*store, &model, &format!("sqlite, {case}"));
            drop(store);
            check(&open(), &model, &format!("sqlite, opened again, {case}"));

            let disk = ModelDisk::new(Path::new("/disk"));
            let fs = Rc::new(Offloaded::new(Arc::new(fs_on(&disk)), runtime.port()));
            let model = run(&runtime, around(fs), &calls, false);
            let disk = disk.after_power_loss(Survives::Nothing);
            check(&fs_on(&disk), &model, &format!("fs, {case}"));
        }
    }
}
