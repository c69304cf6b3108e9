//! A driver of the table, empty, over a host of the test's own.

use std::future::Future;
use std::rc::Rc;

use eas_core::driver::{Driver, Item, KeyQuery, Mode, Op, Options};
use eas_core::error::Result;
use eas_core::fallbacks;
use eas_core::group::{Committed, Group};
use eas_core::options::{DriverOptions, Given};
use eas_core::runtime::system_time_ms;
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_core::value::{Text, Value};
use eas_drivers::{Entry, TABLE};

use crate::odd::{self, WRAPPERS, WRITABLE};

pub(crate) struct Setting {
    pub(crate) title: String,
    /// The row of the table, where it is one.
    pub(crate) row: Option<&'static str>,
    pub(crate) mode: Mode,
    pub(crate) runtime: Rc<TestRuntime>,
    pub(crate) driver: Rc<dyn Driver>,
    folder: tempfile::TempDir,
}

/// Runs a check over every driver of the table, and over each odd one that can be written in each
/// wrapper, in both modes.
pub(crate) fn for_every_driver(check: impl Fn(&Setting)) {
    let check = |setting: &Setting| {
        check(setting);
        setting
            .wait(fallbacks::dispose(&setting.driver, Mode::Async))
            .expect("disposes");
    };
    for mode in [Mode::Sync, Mode::Async] {
        for entry in TABLE {
            check(&Setting::open(entry, mode));
        }
        for entry in TABLE.iter().filter(|entry| entry.name != "queue") {
            check(&Setting::open_queue(entry, mode));
        }
        for kind in WRITABLE {
            for wrapper in WRAPPERS {
                check(&Setting::open_odd(kind, wrapper, mode));
            }
        }
    }
}

/// What a driver needs to be made. A driver that the table gains needs a line here: without one the
/// suite does not run.
fn options(name: &str, folder: &std::path::Path, runtime: &Rc<TestRuntime>) -> DriverOptions {
    let base = || {
        let path = folder.to_str().expect("the path is text").to_owned();
        ("base".to_owned(), Given::String(path))
    };
    DriverOptions::new(match name {
        "memory" => vec![],
        "fs" | "fs-lite" | "sqlite" => vec![base()],
        "queue" => {
            let memory = TABLE
                .iter()
                .find(|entry| entry.name == "memory")
                .expect("is there");
            let inner = (memory.open)(&DriverOptions::default(), &runtime.port()).expect("opens");
            vec![("driver".to_owned(), Given::Driver(inner))]
        }
        other => panic!("tests/contract does not know how to make the driver {other:?}"),
    })
}

impl Setting {
    fn open(entry: &Entry, mode: Mode) -> Self {
        let runtime = TestRuntime::new(Jobs::Threads, system_time_ms());
        let folder = tempfile::tempdir().expect("a folder for the test");
        let options = options(entry.name, folder.path(), &runtime);
        let driver = (entry.open)(&options, &runtime.port()).expect("the driver opens");
        Setting {
            title: entry.name.to_owned(),
            row: Some(entry.name),
            mode,
            runtime,
            driver,
            folder,
        }
    }

    /// A queue over a driver of the table.
    fn open_queue(entry: &Entry, mode: Mode) -> Self {
        let inner = Setting::open(entry, mode);
        let queue = TABLE.iter().find(|entry| entry.name == "queue");
        let options = vec![("driver".to_owned(), Given::Driver(inner.driver))];
        let port = inner.runtime.port();
        let driver = (queue.expect("is there").open)(&DriverOptions::new(options), &port);
        Setting {
            title: format!("queue over {}", entry.name),
            row: None,
            driver: driver.expect("the queue opens"),
            ..inner
        }
    }

    fn open_odd(kind: odd::Kind, (wrapper, wrap): odd::Wrapper, mode: Mode) -> Self {
        let runtime = TestRuntime::new(Jobs::Threads, system_time_ms());
        let (driver, _) = odd::open(kind, &runtime);
        Setting {
            title: format!("{} in {wrapper}", kind.0),
            row: None,
            mode,
            driver: wrap(driver, &runtime),
            runtime,
            folder: tempfile::tempdir().expect("a folder for the test"),
        }
    }

    /// Whether each item is a file, that of `a` for one.
    pub(crate) fn has_files(&self) -> bool {
        self.folder.path().join("a").exists()
    }

    /// The outcome of an operation, which in Sync mode has to be there at once.
    pub(crate) fn wait<F: Future>(&self, operation: F) -> F::Output {
        self.runtime.block_on(operation)
    }

    fn done<T>(&self, operation: Op<T>) -> Result<T> {
        match self.mode {
            Mode::Async => self.wait(operation),
            Mode::Sync => self
                .runtime
                .now(operation)
                .unwrap_or_else(|| panic!("{self}: a Sync operation is pending")),
        }
    }

    pub(crate) fn start_set(&self, key: &str, text: &str) -> Op<()> {
        fallbacks::set_item(
            &self.driver,
            key,
            Text::from(text),
            &Options::default(),
            self.mode,
        )
    }

    pub(crate) fn start_remove(&self, key: &str) -> Op<()> {
        fallbacks::remove_item(&self.driver, key, &Options::default(), self.mode)
    }

    pub(crate) fn start_commit(&self, group: Group) -> Op<Committed> {
        self.driver.clone().commit(group, "commit", self.mode)
    }

    pub(crate) fn finish<T>(&self, operation: Op<T>) -> Result<T> {
        self.done(operation)
    }

    pub(crate) fn try_set(&self, key: &str, text: &str) -> Result<()> {
        self.done(self.start_set(key, text))
    }

    pub(crate) fn set(&self, key: &str, text: &str) {
        self.try_set(key, text)
            .unwrap_or_else(|error| panic!("{self}: {error}"));
    }

    pub(crate) fn try_get(&self, key: &str) -> Result<Option<Value>> {
        self.done(fallbacks::get_item(
            &self.driver,
            key,
            &Options::default(),
            self.mode,
        ))
    }

    /// The text of an item.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        let value = self
            .try_get(key)
            .unwrap_or_else(|error| panic!("{self}: {error}"));
        value.map(|value| match value {
            Value::Text(text) => text.to_str().into_owned(),
            other => panic!("{self}: {key:?} reads as {other:?}"),
        })
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.done(fallbacks::has_item(
            &self.driver,
            key,
            &Options::default(),
            self.mode,
        ))
        .unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    pub(crate) fn remove(&self, key: &str) {
        self.done(self.start_remove(key))
            .unwrap_or_else(|error| panic!("{self}: {error}"));
    }

    pub(crate) fn start_set_raw(&self, key: &str, value: Value) -> Op<()> {
        fallbacks::set_item_raw(&self.driver, key, value, &Options::default(), self.mode)
    }

    pub(crate) fn set_raw(&self, key: &str, value: Value) -> Result<()> {
        self.done(self.start_set_raw(key, value))
    }

    pub(crate) fn try_get_raw(&self, key: &str) -> Result<Option<Value>> {
        self.done(fallbacks::get_item_raw(
            &self.driver,
            key,
            &Options::default(),
            self.mode,
        ))
    }

    /// The bytes of an item.
    pub(crate) fn get_raw(&self, key: &str) -> Option<Vec<u8>> {
        let value = self
            .try_get_raw(key)
            .unwrap_or_else(|error| panic!("{self}: {error}"));
        value.map(|value| value.file_bytes().expect("text or bytes").into_owned())
    }

    /// The keys under a base, sorted: drivers list them in any order.
    pub(crate) fn keys(&self, base: &str, max_depth: Option<usize>) -> Vec<String> {
        let query = KeyQuery {
            base: base.to_owned(),
            max_depth,
            options: Options::default(),
        };
        self.done(fallbacks::get_keys(&self.driver, &query, self.mode))
            .unwrap_or_else(|error| panic!("{self}: {error}"))
            .sorted()
    }

    pub(crate) fn clear(&self, base: &str) {
        let cleared = self
            .driver
            .clone()
            .clear(base, &Options::default(), self.mode);
        self.done(cleared)
            .unwrap_or_else(|error| panic!("{self}: {error}"));
    }

    pub(crate) fn flush(&self) {
        self.done(fallbacks::flush(&self.driver, self.mode))
            .unwrap_or_else(|error| panic!("{self}: {error}"));
    }

    pub(crate) fn get_items(&self, keys: &[&str]) -> Result<Vec<Option<Value>>> {
        let items = keys.iter().map(|key| item(key, ())).collect();
        self.done(fallbacks::get_items(
            &self.driver,
            items,
            &Options::default(),
            self.mode,
        ))
    }

    pub(crate) fn set_items(&self, items: &[(&str, &str)]) -> Result<()> {
        let items = items
            .iter()
            .map(|(key, text)| item(key, Text::from(*text)))
            .collect();
        self.done(fallbacks::set_items(
            &self.driver,
            items,
            &Options::default(),
            self.mode,
        ))
    }

    pub(crate) fn set_for(&self, key: &str, text: &str, ttl_ms: u64) {
        let options = Options {
            ttl_ms: Some(ttl_ms),
            ..Options::default()
        };
        self.done(fallbacks::set_item(
            &self.driver,
            key,
            Text::from(text),
            &options,
            self.mode,
        ))
        .unwrap_or_else(|error| panic!("{self}: {error}"));
    }
}

fn item<V>(key: &str, value: V) -> Item<V> {
    Item {
        key: key.to_owned(),
        value,
        options: Options::default(),
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.title, self.mode)
    }
}
