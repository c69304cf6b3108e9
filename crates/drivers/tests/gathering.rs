//! Single writes that wait for a thread, over a store that counts the batches it is given.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod counting;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::{Driver, Item, Mode, Op, Options};
use eas_core::error::{Kind, Result};
use eas_core::group::{Group, GroupWrite};
use eas_core::runtime::lock;
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_core::store::{SingleWrites, Store};
use eas_core::value::{Text, Value};
use eas_sqlite::{SqliteOptions, SqliteStore};
use eas_store::Offloaded;

use counting::Counting;

struct Fixture {
    runtime: Rc<TestRuntime>,
    driver: Rc<Offloaded>,
    store: Arc<Counting>,
}

impl Fixture {
    /// A store whose jobs wait until they are run.
    fn new(gathers_writes: bool) -> Self {
        let runtime = TestRuntime::new(Jobs::ByHand, 0);
        let store = Arc::new(Counting::new(gathers_writes));
        let driver = Rc::new(Offloaded::new(store.clone(), runtime.port()));
        // The first call looks for items that expire.
        drop(set(&driver, "first", "0", Mode::Sync));
        runtime.settle();
        lock(&store.batches).clear();
        Fixture {
            runtime,
            driver,
            store,
        }
    }

    fn set(&self, key: &str, text: &str) -> Op<()> {
        set(&self.driver, key, text, Mode::Async)
    }

    fn remove(&self, key: &str) -> Op<()> {
        let driver = self.driver.clone();
        driver.remove_item(key, &Options::default(), Mode::Async)
    }

    /// What an operation came to; `None` where it is still under way.
    fn outcome(&self, op: &mut Op<()>) -> Option<Result<()>> {
        self.runtime.now(Pin::new(op))
    }

    /// The same of one that fails, which is known a turn later.
    fn failure(&self, op: &mut Op<()>) -> (Kind, Option<String>, Option<&'static str>) {
        let error = self.runtime.block_on(Pin::new(op)).expect_err("it fails");
        let key = error.key_name().map(str::to_owned);
        (error.kind(), key, error.operation_name())
    }

    fn batches(&self) -> Vec<Vec<String>> {
        lock(&self.store.batches).clone()
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.store.get(key).unwrap() {
            Some(Value::Text(text)) => Some(text.to_str().into_owned()),
            _ => None,
        }
    }
}

fn set(driver: &Rc<Offloaded>, key: &str, text: &str, mode: Mode) -> Op<()> {
    let driver = driver.clone();
    driver.set_item(key, Text::from(text), &Options::default(), mode)
}

#[test]
fn writes_that_wait_are_one_batch_and_done_once_it_is_made() {
    let fixture = Fixture::new(true);
    fixture
        .store
        .set("c", &Value::Text("0".into()), None)
        .unwrap();
    lock(&fixture.store.batches).clear();
    let mut writes = [
        fixture.set("a", "1"),
        fixture.set("b", "2"),
        fixture.remove("c"),
    ];
    for write in &mut writes {
        assert!(fixture.outcome(write).is_none());
    }
    assert_eq!(fixture.batches().len(), 0);
    assert_eq!(fixture.runtime.waiting_jobs(), 1);
    assert!(fixture.runtime.holds() > 0);
    let read = fixture.driver.clone();
    let read = read.get_item("a", &Options::default(), Mode::Sync);
    let read = fixture.runtime.now(read).unwrap().unwrap();
    assert_eq!(read, Some(Value::Text("1".into())), "reads see what waits");

    assert!(fixture.runtime.run_job());
    assert_eq!(fixture.batches(), [["a", "b", "c"]]);
    for write in &mut writes {
        assert!(matches!(fixture.outcome(write), Some(Ok(()))));
    }
    drop(writes);
    fixture.runtime.settle();
    assert_eq!(fixture.runtime.holds(), 0);
    let texts = ["a", "b", "c"].map(|key| fixture.text(key));
    assert_eq!(texts, [Some("1".into()), Some("2".into()), None]);
}

#[test]
fn a_store_that_does_not_gather_gets_each_write_by_itself() {
    let fixture = Fixture::new(false);
    let writes = [fixture.set("a", "1"), fixture.set("b", "2")];
    fixture.runtime.settle();
    drop(writes);
    assert_eq!(fixture.batches(), [["a"], ["b"]]);
}

#[test]
fn of_writes_of_one_key_the_newest_is_made() {
    let fixture = Fixture::new(true);
    let mut writes = [
        fixture.set("a", "1"),
        fixture.remove("b"),
        fixture.remove("a"),
        fixture.set("b", "1"),
        fixture.set("a", "2"),
    ];
    fixture.runtime.settle();
    assert_eq!(fixture.batches(), [["b", "a"]]);
    for write in &mut writes {
        assert!(matches!(fixture.outcome(write), Some(Ok(()))));
    }
    assert_eq!(fixture.text("a").as_deref(), Some("2"));
    assert_eq!(fixture.text("b").as_deref(), Some("1"));
}

#[test]
fn a_write_that_fails_fails_alone() {
    for (key, kind) in [("bad", Kind::InvalidValue), ("odd", Kind::Panic)] {
        let fixture = Fixture::new(true);
        let mut before = fixture.set("a", "1");
        let mut spoilt = fixture.set(key, "1");
        let mut after = fixture.remove("b");
        fixture.runtime.settle();
        let found = fixture.failure(&mut spoilt);
        assert_eq!(found, (kind, Some(key.to_owned()), Some("setItem")));
        for other in [&mut before, &mut after] {
            assert!(matches!(fixture.outcome(other), Some(Ok(()))), "{key}");
        }
        assert_eq!(fixture.text("a").as_deref(), Some("1"));
        let driver = fixture.driver.clone();
        let read = driver.get_item(key, &Options::default(), Mode::Sync);
        let read = fixture.runtime.now(read).unwrap();
        assert!(matches!(read, Ok(None)), "what failed is pending no more");
    }
}

#[test]
fn writes_that_waited_for_others_in_vain_do_not_wait_again() {
    let fixture = Fixture::new(true);
    let mut writes = [fixture.set("a", "1"), fixture.set("busy", "1")];
    let mut removal = fixture.remove("b");
    fixture.runtime.settle();
    let [a, busy] = &mut writes;
    let found = [a, busy, &mut removal].map(|write| fixture.failure(write));
    let busy =
        |key: &str, operation| (Kind::System("EBUSY"), Some(key.to_owned()), Some(operation));
    assert_eq!(
        found,
        [
            busy("a", "setItem"),
            busy("busy", "setItem"),
            busy("b", "removeItem")
        ]
    );
    assert_eq!(fixture.batches().len(), 1);
}

#[test]
fn a_batch_is_bounded_in_its_writes_and_its_bytes() {
    let fixture = Fixture::new(true);
    let writes: Vec<_> = (0..1_200)
        .map(|number| fixture.set(&format!("key:{number}"), "1"))
        .collect();
    fixture.runtime.settle();
    drop(writes);
    let lengths: Vec<usize> = fixture.batches().iter().map(Vec::len).collect();
    assert_eq!(lengths, [512, 512, 176]);

    lock(&fixture.store.batches).clear();
    let long = "x".repeat(600_000);
    let writes = ["a", "b", "c"].map(|key| fixture.set(key, &long));
    fixture.runtime.settle();
    drop(writes);
    assert_eq!(fixture.batches(), [vec!["a", "b"], vec!["c"]]);
}

#[test]
fn other_calls_keep_their_place_among_gathered_writes() {
    let fixture = Fixture::new(true);
    let (driver, options) = (fixture.driver.clone(), Options::default());
    let group = Group {
        checks: Vec::new().into(),
        writes: vec![GroupWrite::set(
            "a".to_owned(),
            "group".into(),
            options.clone(),
        )]
        .into(),
    };
    let mut pending: Vec<Pin<Box<dyn Future<Output = Result<()>>>>> = vec![
        Box::pin(fixture.set("a", "1")),
        Box::pin(fixture.set("old", "1")),
        Box::pin(driver.clone().clear("", &options, Mode::Async)),
        Box::pin(fixture.set("new", "1")),
        Box::pin(
            driver
                .clone()
                .commit(group, "atomic", Mode::Async)
                .map(drop),
        ),
        Box::pin(fixture.set("a", "2")),
        Box::pin(fixture.set("late", "1")),
    ];
    let in_place = set(&driver, "late", "2", Mode::Sync);
    assert!(matches!(fixture.runtime.now(in_place), Some(Ok(()))));
    pending.push(Box::pin(driver.flush(Mode::Async)));
    for op in pending {
        fixture.runtime.block_on(op).unwrap();
    }
    let texts = ["first", "old", "new", "a", "late"].map(|key| fixture.text(key));
    let texts = texts.each_ref().map(Option::as_deref);
    assert_eq!(texts, [None, None, Some("1"), Some("2"), Some("2")]);
}

#[test]
fn a_flush_waits_for_the_writes_before_it() {
    let fixture = Fixture::new(true);
    let write = fixture.set("a", "1");
    let mut flush = fixture.driver.clone().flush(Mode::Async);
    assert!(fixture.runtime.now(Pin::new(&mut flush)).is_none());
    fixture.runtime.block_on(flush).unwrap();
    drop(write);
    assert_eq!(fixture.text("a").as_deref(), Some("1"));
}

#[test]
fn sqlite_gathers() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = TestRuntime::new(Jobs::ByHand, 0);
    let options = SqliteOptions::at(folder.path().join("storage.db"));
    let store = SqliteStore::new(options, Arc::new(|| 0));
    let driver = Rc::new(Offloaded::new(Arc::new(store), runtime.port()));
    let options = Options::default();
    let set = |key: &str, mode| {
        let driver = driver.clone();
        driver.set_item(key, Text::from("1"), &options, mode)
    };
    drop(set("first", Mode::Sync));
    runtime.settle();
    let writes = ["a", "b", "c"].map(|key| set(key, Mode::Async));
    assert_eq!(runtime.waiting_jobs(), 1);
    for write in writes {
        runtime.block_on(write).unwrap();
    }
    let keys = driver.inner().keys("", None).unwrap();
    assert_eq!(keys.sorted(), ["a", "b", "c", "first"]);
}

#[test]
fn batches_that_wait_for_each_other_take_one_thread() {
    let fixture = Fixture::new(true);
    let mut batches: Vec<Op<()>> = (0..8)
        .map(|number| {
            let items = ["a", "b"].map(|key| Item {
                key: format!("{key}{number}"),
                value: Text::from("1"),
                options: Options::default(),
            });
            let driver = fixture.driver.clone();
            driver.set_items(items.into(), &Options::default(), Mode::Async)
        })
        .collect();
    for batch in &mut batches {
        assert!(fixture.outcome(batch).is_none());
    }
    assert_eq!(fixture.runtime.waiting_jobs(), 1);
    for batch in batches {
        fixture.runtime.block_on(batch).unwrap();
    }
    let keys: Vec<_> = (0..8).map(|n| [format!("a{n}"), format!("b{n}")]).collect();
    assert_eq!(fixture.batches(), keys);
}
