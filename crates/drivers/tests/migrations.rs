//! What a migration records is undone, by the process that runs it and by one that comes after it.

mod counting;

use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::{Driver, Item, Mode, Options};
use eas_core::error::Kind;
use eas_core::runtime::lock;
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_core::storage::{Change, Storage};
use eas_core::store::{SingleWrites, Store};
use eas_core::value::{Text, Value};
use eas_memory::MemoryStore;
use eas_sqlite::{SqliteOptions, SqliteStore};
use eas_store::Offloaded;
use tempfile::TempDir;

use counting::Counting;

const NOW_MS: u64 = 1_700_000_000_000;

/// A store that outlives its storages, as files do.
struct World {
    runtime: Rc<TestRuntime>,
    driver: Rc<dyn Driver>,
    store: Arc<dyn Store>,
    _folder: TempDir,
}

impl World {
    fn over<S: Store>(open: impl FnOnce(&TempDir) -> S) -> Self {
        let runtime = TestRuntime::new(Jobs::Threads, NOW_MS);
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(open(&folder));
        let driver = Rc::new(Offloaded::new(store.clone(), runtime.port()));
        World {
            runtime,
            store,
            driver,
            _folder: folder,
        }
    }

    fn memory() -> Self {
        World::over(|_| MemoryStore::new(Arc::new(|| NOW_MS)))
    }

    fn sqlite() -> Self {
        World::over(|folder| {
            let options = SqliteOptions::at(folder.path().join("storage.db"));
            SqliteStore::new(options, Arc::new(|| NOW_MS))
        })
    }

    fn storage(&self) -> Rc<Storage> {
        let driver: Rc<dyn Driver> = self.driver.clone();
        Storage::new(driver, self.runtime.port())
    }

    fn begin(&self, storage: &Rc<Storage>) {
        let begun = storage.begin_migration();
        self.runtime.block_on(begun).expect("begins");
    }

    fn set(&self, storage: &Rc<Storage>, key: &str, text: &str, mode: Mode) {
        let written = storage.set_item(key, Text::from(text), &Options::default(), mode);
        self.runtime.block_on(written).expect("writes");
    }

    /// Every key that the store has, those of the record too, with its text.
    fn content(&self) -> Vec<(String, String)> {
        let store = &self.store;
        let keys = store.keys("", None).expect("lists").sorted();
        let text = |key: &str| match store.get_raw(key).expect("reads") {
            Some(Value::Text(text)) => text.to_str().into_owned(),
            other => format!("{other:?}"),
        };
        keys.into_iter()
            .map(|key| (key.clone(), text(&key)))
            .collect()
    }
}

/// The writes that a step may make; each alone, and all prefixes of the list, are undone.
fn write(world: &World, storage: &Rc<Storage>, number: usize) {
    let options = Options::default();
    let done = match number {
        0 => storage.set_item("a", Text::from("new"), &options, Mode::Async),
        1 => storage.set_item("fresh", Text::from("new"), &options, Mode::Sync),
        2 => storage.remove_item("b", true, &options, Mode::Async),
        3 => storage.set_meta("a", Text::from("{\"json\":{}}"), &options, Mode::Async),
        4 => storage.set_item_raw("a", Value::buffer(vec![1, 255]), &options, Mode::Sync),
        5 => {
            let item = |key: &str, value| Item {
                key: key.to_owned(),
                value,
                options: Options::default(),
            };
            let items = vec![
                item("batch", Change::Set(Text::from("new"))),
                item("c:d", Change::Remove),
            ];
            storage.set_items(items, &options, Mode::Async)
        }
        6 => storage.clear("c", &options, Mode::Sync),
        7 => storage.clear("", &options, Mode::Async),
        _ => storage.set_item("a", Text::from("last"), &options, Mode::Async),
    };
    world.runtime.block_on(done).expect("writes");
}

const WRITES: usize = 9;

/// The stores whose migrations are undone: one that takes each write by itself, and those that make a write and
/// its record one transaction.
const WORLDS: [fn() -> World; 3] = [
    World::memory,
    || World::over(|_| Counting::new(true)),
    World::sqlite,
];

fn filled(world: fn() -> World) -> (World, Vec<(String, String)>) {
    let world = world();
    let storage = world.storage();
    for key in ["a", "b", "c:d", "c:e"] {
        world.set(&storage, key, key, Mode::Async);
    }
    for key in ["b", "c:e"] {
        let text = Text::from("{\"json\":{\"owner\":1}}");
        let done = storage.set_meta(key, text, &Options::default(), Mode::Async);
        world.runtime.block_on(done).expect("writes");
    }
    let content = world.content();
    (world, content)
}

#[test]
fn an_undo_leaves_the_store_as_it_was_whatever_was_written() {
    for (world, last) in WORLDS
        .into_iter()
        .flat_map(|world| (0..WRITES).map(move |last| (world, last)))
    {
        let (world, before) = filled(world);
        let storage = world.storage();
        world.begin(&storage);
        for number in 0..=last {
            write(&world, &storage, number);
        }
        assert_ne!(world.content(), before, "after write {last}");
        world
            .runtime
            .block_on(storage.end_migration(true))
            .expect("undoes");
        assert_eq!(world.content(), before, "after write {last}");
    }
}

#[test]
fn a_migration_whose_process_is_gone_is_undone_by_the_next_one() {
    for (world, last) in WORLDS
        .into_iter()
        .flat_map(|world| (0..WRITES).map(move |last| (world, last)))
    {
        let (world, before) = filled(world);
        let killed = world.storage();
        world.begin(&killed);
        for number in 0..=last {
            write(&world, &killed, number);
        }
        drop(killed);
        let next = world.storage();
        assert!(
            world
                .runtime
                .block_on(next.is_migration_open())
                .expect("asks")
        );
        world.begin(&next);
        world
            .runtime
            .block_on(next.commit_migration())
            .expect("commits");
        assert_eq!(world.content(), before, "after write {last}");
    }
}

#[test]
fn a_committed_migration_leaves_what_it_wrote_and_no_record() {
    for world in WORLDS {
        let (world, _) = filled(world);
        let storage = world.storage();
        world.begin(&storage);
        for number in 0..WRITES {
            write(&world, &storage, number);
        }
        world
            .runtime
            .block_on(storage.commit_migration())
            .expect("commits");
        assert_eq!(world.content(), [("a".to_owned(), "last".to_owned())]);
        assert!(
            !world
                .runtime
                .block_on(storage.is_migration_open())
                .expect("asks")
        );
    }
}

#[test]
fn entries_of_another_migration_are_of_no_account() {
    let (world, before) = filled(World::memory);
    let put = |key: &str, text: &str| {
        let text = Value::Text(Text::from(text));
        world.store.set(key, &text, None).expect("writes");
    };
    let other = world.storage();
    put("a", "stale");
    world.begin(&other);
    world.set(&other, "a", "new", Mode::Async);
    drop(other);
    put("a", "a");
    put("__storage_journal__:open$", "{\"json\":\"this\"}");
    put("__storage_journal__:1$", "torn");
    let storage = world.storage();
    world.begin(&storage);
    world
        .runtime
        .block_on(storage.end_migration(true))
        .expect("undoes");
    assert_eq!(world.content(), before);
}

#[test]
fn the_record_is_in_no_listing() {
    let (world, _) = filled(World::memory);
    let storage = world.storage();
    world.begin(&storage);
    write(&world, &storage, 0);
    let listed = storage.get_keys("", None, &Options::default(), Mode::Async);
    let keys = world.runtime.block_on(listed).expect("lists");
    assert_eq!(keys.sorted(), ["a", "b", "c:d", "c:e"]);
}

#[test]
fn a_migration_in_a_migration_is_an_error() {
    let (world, _) = filled(World::memory);
    let storage = world.storage();
    world.begin(&storage);
    let error = world
        .runtime
        .block_on(storage.begin_migration())
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Migration);
}

/// A store that notes its batches, and how many of them it was given so far.
fn noted() -> (World, Arc<Counting>) {
    let runtime = TestRuntime::new(Jobs::Threads, NOW_MS);
    let store = Arc::new(Counting::new(true));
    let driver = Rc::new(Offloaded::new(store.clone(), runtime.port()));
    let world = World {
        runtime,
        store: store.clone(),
        driver,
        _folder: tempfile::tempdir().expect("a folder"),
    };
    let storage = world.storage();
    for key in ["a", "b", "c:d", "c:e"] {
        world.set(&storage, key, key, Mode::Async);
    }
    world.begin(&storage);
    lock(&store.batches).clear();
    for number in 0..WRITES {
        write(&world, &storage, number);
    }
    (world, store)
}

fn is_record(key: &str) -> bool {
    key.starts_with("__storage_journal__:")
}

#[test]
fn a_transactional_store_gets_a_write_and_its_record_at_once() {
    let (_world, store) = noted();
    let mut recorded = std::collections::HashSet::new();
    for batch in &*lock(&store.batches) {
        let written = batch.iter().filter(|key| !is_record(key));
        let first: Vec<_> = written
            .filter(|key| recorded.insert((*key).clone()))
            .collect();
        // The metadata of an item are recorded with it.
        let records = batch.iter().filter(|key| is_record(key)).count();
        assert_eq!(records, usize::from(!first.is_empty()), "{batch:?}");
        assert!(!batch.iter().all(|key| is_record(key)), "{batch:?}");
    }
    assert!(recorded.contains("batch") && recorded.contains("c:e"));
}

#[test]
fn a_transactional_store_gets_an_undo_and_the_end_of_the_record_at_once() {
    let (world, store) = noted();
    let before = lock(&store.batches).len();
    world.begin(&world.storage());
    let batches = lock(&store.batches).split_off(before);
    let undone = &batches[0];
    assert!(undone.iter().any(|key| key == "__storage_journal__:open$"));
    for key in ["a", "b", "c:d", "c:e", "fresh", "batch"] {
        assert!(undone.iter().any(|undone| undone == key), "{key}");
    }
    // Then begins the record of the next one.
    assert_eq!(batches[1..], [["__storage_journal__:open$".to_owned()]]);
}

#[test]
fn a_write_that_a_transactional_store_refuses_leaves_the_record_whole() {
    let (world, before) = filled(|| World::over(|_| Counting::new(true)));
    let killed = world.storage();
    world.begin(&killed);
    world.set(&killed, "a", "new", Mode::Async);
    let refused = killed.set_item("bad", Text::from("new"), &Options::default(), Mode::Async);
    let error = world.runtime.block_on(refused).expect_err("fails");
    assert_eq!(
        (error.kind(), error.key_name()),
        (Kind::InvalidValue, Some("bad"))
    );
    assert_eq!(error.operation_name(), Some("setItem"));
    world.set(&killed, "b", "new", Mode::Sync);
    drop(killed);
    world.begin(&world.storage());
    let after: Vec<_> = world
        .content()
        .into_iter()
        .filter(|(key, _)| !is_record(key))
        .collect();
    assert_eq!(after, before);
}

#[test]
fn many_and_large_values_are_recorded_in_as_many_entries_as_they_need() {
    const KEYS: usize = 40;
    for world in WORLDS {
        let world = world();
        let storage = world.storage();
        let large = "x".repeat(100_000);
        let items = |value: &str| {
            let item = |number| Item {
                key: format!("k{number}"),
                value: Change::Set(Text::from(value)),
                options: Options::default(),
            };
            (0..KEYS).map(item).collect()
        };
        let set_all = |storage: &Rc<Storage>, value: &str| {
            let done = storage.set_items(items(value), &Options::default(), Mode::Async);
            world.runtime.block_on(done).expect("writes");
        };
        set_all(&storage, &large);
        let before = world.content();
        let killed = world.storage();
        world.begin(&killed);
        set_all(&killed, "small");
        let entries = |world: &World| {
            let keys = world.store.keys("", None).expect("lists").sorted();
            keys.iter().filter(|key| is_record(key)).count() - 1
        };
        assert_eq!(entries(&world), 4, "of a megabyte each");
        drop(killed);
        let next = world.storage();
        world.begin(&next);
        world
            .runtime
            .block_on(next.commit_migration())
            .expect("commits");
        assert_eq!(world.content(), before);
    }
}
