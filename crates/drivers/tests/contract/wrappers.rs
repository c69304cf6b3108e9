//! What a driver is reaches through whatever stands around it: a storage over the wrapper says so.

use std::cell::RefCell;
use std::rc::Rc;

use eas_core::driver::{Driver, EventKind, Item, Mode, Op, Options, ReadOnly};
use eas_core::error::{Kind, Result};
use eas_core::runtime::system_time_ms;
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_core::storage::{Change, Storage};
use eas_core::value::{Text, Value};

use crate::odd::{self, CLEARS_EVERYTHING, ONLY_READS, READ_ONLY, REFUSES_CLEAR, WRAPPERS};

const KEYS: [&str; 3] = ["a", "b:c", "in:d"];

/// A storage over such a driver, which has items, in a wrapper.
struct Bench {
    runtime: Rc<TestRuntime>,
    storage: Rc<Storage>,
    driver: Rc<dyn Driver>,
    events: Rc<RefCell<Vec<(EventKind, String)>>>,
    mode: Mode,
    title: String,
}

#[derive(Clone, Copy)]
struct Around {
    is_watched: bool,
    has_mount_inside: bool,
}

fn for_every_wrapper(kind: odd::Kind, check: impl Fn(&Bench)) {
    for (name, wrap) in WRAPPERS {
        for mode in [Mode::Async, Mode::Sync] {
            for (is_watched, has_mount_inside) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let around = Around {
                    is_watched,
                    has_mount_inside,
                };
                let title = format!(
                    "{} in {name} {mode:?}, watched {is_watched}, mount inside {has_mount_inside}",
                    kind.0
                );
                check(&Bench::new(kind, wrap, mode, around, title));
            }
        }
    }
}

impl Bench {
    fn new(kind: odd::Kind, wrap: odd::Wrap, mode: Mode, around: Around, title: String) -> Self {
        let runtime = TestRuntime::new(Jobs::Threads, system_time_ms());
        let (odd, store) = odd::open(kind, &runtime);
        for key in KEYS {
            let options = Options::default();
            let written = store
                .clone()
                .set_item(key, Text::from(key), &options, Mode::Sync);
            runtime.block_on(written).expect("memory takes it");
        }
        let driver = wrap(odd, &runtime);
        let storage = Storage::new(driver.clone(), runtime.port());
        let events = Rc::new(RefCell::new(Vec::new()));
        if around.is_watched {
            let sink = events.clone();
            let listener = move |kind, key: &str| sink.borrow_mut().push((kind, key.to_owned()));
            let watched = storage.watch(Rc::new(listener));
            runtime.block_on(watched).expect("watches");
        }
        if around.has_mount_inside {
            let (inner, _) = odd::open(("plain", |_| {}), &runtime);
            storage.mount("in", inner).expect("nothing is there");
        }
        Bench {
            runtime,
            storage,
            driver,
            events,
            mode,
            title,
        }
    }

    fn wait<T>(&self, operation: Op<T>) -> Result<T> {
        self.runtime.block_on(operation)
    }

    fn clear(&self, base: &str) -> Result<()> {
        self.wait(self.storage.clear(base, &Options::default(), self.mode))
    }

    fn keys(&self) -> Vec<String> {
        let listed = self
            .storage
            .get_keys("", None, &Options::default(), self.mode);
        self.wait(listed).expect("lists").sorted()
    }

    /// Every kind of write, and its outcome.
    fn writes(&self) -> Vec<(&'static str, Result<()>)> {
        let (storage, options, mode) = (&self.storage, Options::default(), self.mode);
        let text = || Text::from("new");
        let item = |value| Item {
            key: "b:c".to_owned(),
            value,
            options: Options::default(),
        };
        let operations = [
            ("set", storage.set_item("a", text(), &options, mode)),
            (
                "set raw",
                storage.set_item_raw("a", Value::Text(text()), &options, mode),
            ),
            ("remove", storage.remove_item("a", true, &options, mode)),
            (
                "set several",
                storage.set_items(vec![item(Change::Set(text()))], &options, mode),
            ),
            (
                "remove several",
                storage.set_items(vec![item(Change::Remove)], &options, mode),
            ),
            ("set meta", storage.set_meta("a", text(), &options, mode)),
            ("remove meta", storage.remove_meta("a", &options, mode)),
            ("clear", storage.clear("b", &options, mode)),
        ];
        operations
            .into_iter()
            .map(|(name, operation)| (name, self.wait(operation)))
            .collect()
    }

    fn flush(&self) {
        self.wait(self.storage.flush("", Mode::Async))
            .expect("flushes");
        self.runtime.settle();
    }
}

#[test]
fn a_driver_that_refuses_clear_keeps_its_items_and_nobody_is_told_otherwise() {
    for_every_wrapper(REFUSES_CLEAR, |bench| {
        let before = bench.keys();
        for base in ["", "b", "in"] {
            bench.clear(base).expect("does nothing");
        }
        bench.flush();
        assert_eq!(bench.keys(), before, "{}", bench.title);
        assert!(bench.events.borrow().is_empty(), "{}", bench.title);
        assert!(bench.driver.info().no_clear, "{}", bench.title);
    });
}

#[test]
fn a_clear_that_ignores_its_base_is_kept_to_it() {
    for_every_wrapper(CLEARS_EVERYTHING, |bench| {
        bench.clear("b").expect("clears");
        bench.flush();
        let mut left = bench.keys();
        left.retain(|key| key != "in:d");
        assert_eq!(left, ["a"], "{}", bench.title);
        bench.clear("").expect("clears");
        bench.flush();
        assert!(bench.keys().is_empty(), "{}", bench.title);
    });
}

#[test]
fn each_write_to_a_read_only_driver_is_the_error_that_it_asks_for() {
    for_every_wrapper(READ_ONLY, |bench| {
        let before = bench.keys();
        for (name, outcome) in bench.writes() {
            let error = outcome.expect_err(name);
            assert_eq!(error.kind(), Kind::ReadOnly, "{} {name}", bench.title);
        }
        bench.flush();
        assert_eq!(bench.keys(), before, "{}", bench.title);
        assert!(bench.events.borrow().is_empty(), "{}", bench.title);
        assert_eq!(bench.driver.info().read_only, ReadOnly::Error);
    });
}

#[test]
fn writes_to_a_driver_that_only_reads_change_and_report_nothing() {
    for_every_wrapper(ONLY_READS, |bench| {
        let before = bench.keys();
        for (name, outcome) in bench.writes() {
            match bench.mode {
                Mode::Async => outcome.unwrap_or_else(|error| panic!("{name}: {error}")),
                Mode::Sync => {
                    let error = outcome.expect_err(name);
                    assert_eq!(error.kind(), Kind::SyncUnsupported, "{}", bench.title);
                    assert_eq!(error.driver_name(), Some(ONLY_READS.0), "{}", bench.title);
                }
            }
        }
        bench.flush();
        assert_eq!(bench.keys(), before, "{}", bench.title);
        assert!(bench.events.borrow().is_empty(), "{}", bench.title);
        assert!(bench.driver.info().is_read_only(), "{}", bench.title);
    });
}

#[test]
fn a_driver_that_takes_no_writes_is_not_migrated() {
    for kind in [READ_ONLY, ONLY_READS] {
        for_every_wrapper(kind, |bench| {
            let error = bench.wait(bench.storage.begin_migration());
            let error = error.expect_err("a migration would write nothing");
            assert_eq!(error.kind(), Kind::ReadOnly, "{}", bench.title);
        });
    }
}
