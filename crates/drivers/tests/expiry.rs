//! The end of items, on a clock that the tests move.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eas_core::driver::{Driver, EventKind, Meta, Mode, Options};
use eas_core::runtime::Clock;
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_core::storage::Storage;
use eas_core::store::{SingleWrites, Store};
use eas_core::value::{Text, Value};
use eas_fs::disk::SystemDisk;
use eas_fs::{FsOptions, FsStore, LITE_NAME, Ports};
use eas_memory::MemoryStore;
use eas_sqlite::{SqliteOptions, SqliteStore};
use eas_store::Offloaded;

const START_MS: u64 = 1_700_000_000_000;

struct Host {
    runtime: Rc<TestRuntime>,
    clock: Arc<AtomicU64>,
    storage: Rc<Storage>,
}

impl Host {
    fn memory() -> Self {
        let clock = Arc::new(AtomicU64::new(START_MS));
        let told = clock.clone();
        let store = MemoryStore::new(Arc::new(move || told.load(Ordering::SeqCst)));
        let runtime = TestRuntime::new(Jobs::ByHand, START_MS);
        let driver: Rc<dyn Driver> = Rc::new(Offloaded::new(Arc::new(store), runtime.port()));
        Host::over(driver, runtime, clock)
    }

    fn files(base: &tempfile::TempDir, start_ms: u64) -> Self {
        let clock = Arc::new(AtomicU64::new(start_ms));
        let told = clock.clone();
        let options = FsOptions::at(base.path()).expect("is a folder");
        let ports = Ports {
            disk: SystemDisk,
            clock: Arc::new(move || told.load(Ordering::SeqCst)),
            background: Arc::new(|_, _| {}),
        };
        let store = FsStore::with_ports(LITE_NAME, options, ports);
        let runtime = TestRuntime::new(Jobs::ByHand, start_ms);
        let driver: Rc<dyn Driver> = Rc::new(Offloaded::new(Arc::new(store), runtime.port()));
        Host::over(driver, runtime, clock)
    }

    fn over(driver: Rc<dyn Driver>, runtime: Rc<TestRuntime>, clock: Arc<AtomicU64>) -> Self {
        let storage = Storage::new(driver, runtime.port());
        Host {
            runtime,
            clock,
            storage,
        }
    }

    fn set(&self, key: &str, ttl_ms: Option<u64>, mode: Mode) {
        let options = Options {
            ttl_ms,
            ..Options::default()
        };
        let written = self
            .storage
            .set_item(key, Text::from("{\"json\":1}"), &options, mode);
        self.runtime.block_on(written).expect("writes");
    }

    fn has(&self, key: &str) -> bool {
        let found = self.storage.has_item(key, &Options::default(), Mode::Async);
        self.runtime.block_on(found).expect("reads")
    }

    fn keys(&self) -> Vec<String> {
        let options = Options::default();
        let listed = self.storage.get_keys("", None, &options, Mode::Async);
        self.runtime.block_on(listed).expect("lists").sorted()
    }

    fn ttl(&self, key: &str) -> Option<u64> {
        let options = Options::default();
        let meta = self.storage.get_meta(key, true, &options, Mode::Async);
        match self.runtime.block_on(meta).expect("reads").native {
            Some(Meta::Native(meta)) => meta.ttl_ms,
            _ => None,
        }
    }

    /// Time passes, and what is due is done.
    fn advance(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
        self.runtime.advance(ms);
        self.runtime.settle();
    }

    fn listen(&self) -> Rc<RefCell<Vec<String>>> {
        let events: Rc<RefCell<Vec<String>>> = Rc::default();
        let list = events.clone();
        let listening = self
            .storage
            .watch(Rc::new(move |kind: EventKind, key: &str| {
                list.borrow_mut().push(format!("{} {key}", kind.name()));
            }));
        self.runtime.block_on(listening).expect("listens");
        events
    }
}

fn files_in(base: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(base.path())
        .expect("is there")
        .map(|entry| {
            entry
                .expect("reads")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !name.starts_with("%~"))
        .collect();
    names.sort();
    names
}

fn for_every_host(test: impl Fn(&Host)) {
    test(&Host::memory());
    let base = tempfile::tempdir().expect("makes a folder");
    test(&Host::files(&base, START_MS));
}

#[test]
fn an_item_is_there_to_its_last_millisecond_and_not_after() {
    for_every_host(|host| {
        for mode in [Mode::Async, Mode::Sync] {
            host.set("ends", Some(1000), mode);
            host.set("stays", None, mode);
            host.advance(999);
            assert!(host.has("ends"));
            assert_eq!(host.ttl("ends"), Some(1));
            assert_eq!(host.keys(), ["ends", "stays"]);
            host.advance(1);
            assert!(!host.has("ends"));
            assert_eq!(host.ttl("ends"), None);
            assert_eq!(host.keys(), ["stays"]);
        }
    });
}

#[test]
fn items_end_in_the_order_of_their_times_each_with_one_event() {
    for_every_host(|host| {
        let events = host.listen();
        for (key, ttl_ms) in [("c", 300), ("a", 100), ("d", 90_000_000), ("b", 200)] {
            host.set(key, Some(ttl_ms), Mode::Async);
        }
        events.borrow_mut().clear();
        for _ in 0..10 {
            host.advance(50);
        }
        assert_eq!(*events.borrow(), ["remove a", "remove b", "remove c"]);
        host.advance(90_000_000);
        assert_eq!(events.borrow().last().map(String::as_str), Some("remove d"));
    });
}

#[test]
fn an_item_that_was_written_again_ends_when_its_last_write_says() {
    for_every_host(|host| {
        let events = host.listen();
        host.set("longer", Some(100), Mode::Async);
        host.set("longer", Some(1000), Mode::Async);
        host.set("shorter", Some(1000), Mode::Async);
        host.set("shorter", Some(100), Mode::Async);
        host.set("forever", Some(100), Mode::Async);
        host.set("forever", None, Mode::Async);
        events.borrow_mut().clear();
        host.advance(500);
        assert_eq!(*events.borrow(), ["remove shorter"]);
        assert_eq!(host.keys(), ["forever", "longer"]);
        host.advance(500);
        assert_eq!(host.keys(), ["forever"]);
        host.advance(1_000_000);
        assert!(host.has("forever"));
    });
}

#[test]
fn a_write_that_lands_after_its_own_end_is_still_swept() {
    let base = tempfile::tempdir().expect("makes a folder");
    let host = Host::files(&base, START_MS);
    let options = Options {
        ttl_ms: Some(10),
        ..Options::default()
    };
    let text = Text::from("{\"json\":1}");
    let written = host.storage.set_item("late", text, &options, Mode::Async);
    // The thread that writes is busy until the item's time is over.
    host.clock.fetch_add(20, Ordering::SeqCst);
    host.runtime.advance(0);
    host.runtime.block_on(written).expect("writes");
    host.advance(20);
    host.advance(1);
    assert_eq!(files_in(&base), [""; 0]);
}

#[test]
fn what_an_earlier_process_left_is_swept_at_the_first_use_in_either_mode() {
    for mode in [Mode::Async, Mode::Sync] {
        let base = tempfile::tempdir().expect("makes a folder");
        let earlier = Host::files(&base, START_MS);
        earlier.set("ended", Some(100), Mode::Async);
        earlier.set("later", Some(10_000), Mode::Async);
        drop(earlier);
        let host = Host::files(&base, START_MS + 1000);
        let found = host.storage.has_item("other", &Options::default(), mode);
        assert!(!host.runtime.block_on(found).expect("reads"));
        host.runtime.settle();
        host.advance(1);
        assert_eq!(files_in(&base), ["later"], "{mode:?}");
        host.advance(10_000);
        assert_eq!(files_in(&base), [""; 0], "{mode:?}");
    }
}

#[test]
fn a_store_without_times_to_live_starts_no_timer() {
    for_every_host(|host| {
        host.set("a", None, Mode::Async);
        host.runtime.settle();
        assert_eq!(host.runtime.waiting_jobs(), 0);
        assert_eq!(host.runtime.holds(), 0);
    });
}

#[test]
fn a_waiting_timer_does_not_hold_the_host() {
    for_every_host(|host| {
        host.set("a", Some(1_000_000), Mode::Async);
        host.runtime.settle();
        assert_eq!(host.runtime.holds(), 0);
    });
}

#[test]
fn a_store_has_one_timer_however_often_the_next_end_comes_nearer() {
    for_every_host(|host| {
        host.set("a", Some(1_000_000), Mode::Async);
        host.runtime.settle();
        for ttl_ms in (1000..1100).rev() {
            host.set("a", Some(ttl_ms), Mode::Sync);
        }
        assert_eq!((host.runtime.tasks(), host.runtime.sleeps()), (1, 1));
        host.runtime.settle();
        assert_eq!((host.runtime.tasks(), host.runtime.sleeps()), (1, 1));
        let events = host.listen();
        host.advance(1000);
        assert_eq!(*events.borrow(), ["remove a"]);
        assert_eq!((host.runtime.tasks(), host.runtime.sleeps()), (1, 0));
    });
}

#[test]
fn the_timer_of_a_store_that_is_gone_ends() {
    let base = tempfile::tempdir().expect("makes a folder");
    for host in [Host::memory(), Host::files(&base, START_MS)] {
        host.set("a", Some(1_000_000), Mode::Async);
        host.runtime.settle();
        assert_eq!(host.runtime.sleeps(), 1);
        let Host {
            runtime, storage, ..
        } = host;
        drop(storage);
        runtime.settle();
        assert_eq!((runtime.tasks(), runtime.sleeps()), (0, 0));
    }
}

#[test]
fn a_sweep_that_runs_is_not_ended_by_a_new_timer() {
    let base = tempfile::tempdir().expect("makes a folder");
    let host = Host::files(&base, START_MS);
    let events = host.listen();
    host.set("a", Some(100), Mode::Async);
    events.borrow_mut().clear();
    host.clock.fetch_add(100, Ordering::SeqCst);
    host.runtime.pass(100);
    assert_eq!(host.runtime.waiting_jobs(), 1, "the sweep");
    host.set("b", Some(50), Mode::Sync);
    host.set("b", Some(20), Mode::Sync);
    events.borrow_mut().clear();
    host.runtime.settle();
    assert_eq!(*events.borrow(), ["remove a"]);
    host.advance(20);
    assert_eq!(*events.borrow(), ["remove a", "remove b"]);
}

#[test]
fn a_disposed_store_is_swept_no_more() {
    let base = tempfile::tempdir().expect("makes a folder");
    let host = Host::files(&base, START_MS);
    host.set("a", Some(100), Mode::Async);
    let disposed = host.storage.dispose();
    host.runtime.block_on(disposed).expect("disposes");
    host.runtime.settle();
    assert_eq!(host.runtime.sleeps(), 0);
    host.clock.fetch_add(1000, Ordering::SeqCst);
    host.runtime.advance(1000);
    assert_eq!(host.runtime.waiting_jobs(), 0);
    assert_eq!(files_in(&base), ["a"]);
}

#[test]
fn a_sweep_that_failed_is_tried_again_within_seconds() {
    let base = tempfile::tempdir().expect("makes a folder");
    let host = Host::files(&base, START_MS);
    host.set("a", Some(100), Mode::Async);
    let (index, aside) = (base.path().join("%~ttl"), base.path().join("%~aside"));
    std::fs::rename(&index, &aside).expect("renames");
    std::fs::create_dir(&index).expect("makes a folder");
    host.advance(100);
    assert_eq!(files_in(&base), ["a"]);
    std::fs::remove_dir(&index).expect("removes");
    std::fs::rename(&aside, &index).expect("renames");
    host.advance(5_000);
    assert_eq!(files_in(&base), [""; 0]);
}

#[test]
fn what_another_process_left_to_expire_in_a_database_goes_while_it_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("storage.db");
    let clock = Arc::new(AtomicU64::new(START_MS));
    let told = clock.clone();
    let clocked: Clock = Arc::new(move || told.load(Ordering::SeqCst));
    let store = SqliteStore::new(SqliteOptions::at(&file), clocked.clone());
    let runtime = TestRuntime::new(Jobs::ByHand, START_MS);
    let driver: Rc<dyn Driver> = Rc::new(Offloaded::new(Arc::new(store), runtime.port()));
    let host = Host::over(driver, runtime, clock);
    assert!(!host.has("a"));
    host.runtime.settle();
    let other = SqliteStore::new(SqliteOptions::at(&file), clocked);
    let value = Value::Text(Text::from("{\"json\":1}"));
    for round in 1..4 {
        let expires_ms = START_MS + round * 10_000 - 9_000;
        other.set("a", &value, Some(expires_ms)).expect("writes");
        assert_eq!(other.next_expiry().expect("reads"), Some(expires_ms));
        host.advance(10_000);
        assert_eq!(other.next_expiry().expect("reads"), None, "{round}");
    }
}
