//! What is done to a whole database while it is in use: it is compacted, backed up and closed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use eas_core::store::{SingleWrites, Store};
use eas_core::value::{Text, Value};
use eas_sqlite::{SqliteOptions, SqliteStore};

fn at(file: &Path) -> SqliteStore {
    SqliteStore::new(SqliteOptions::at(file), Arc::new(|| 1_000))
}

fn text(value: &str) -> Value {
    Value::Text(Text::from(value))
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("storage.db");
    (folder, file)
}

/// Fills a database, so that to read or to copy all of it takes a while.
fn fill(store: &SqliteStore) {
    for index in 0..100 {
        let value = text(&"x".repeat(300_000));
        store.set(&format!("k:{index}"), &value, None).unwrap();
    }
}

/// What a thread comes to; fails where it never ends.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, is_done) = channel();
    std::thread::spawn(move || done.send(work()));
    let outcome = is_done.recv_timeout(Duration::from_secs(60));
    outcome.expect("it ends")
}

#[test]
fn a_store_that_is_being_compacted_can_be_disposed_of() {
    for _ in 0..5 {
        let (_folder, file) = folder();
        let store = Arc::new(at(&file));
        fill(&store);
        let compacts = store.clone();
        let compacting = std::thread::spawn(move || compacts.compact());
        std::thread::sleep(Duration::from_millis(10));
        ends(move || store.dispose()).unwrap();
        // It comes before the end or after it.
        let _ = compacting.join().unwrap();
        assert_eq!(at(&file).keys("", None).unwrap().len(), 100);
    }
}

#[test]
fn others_write_while_compacting_waits_for_a_reader() {
    let (_folder, file) = folder();
    let (one, two) = (Arc::new(at(&file)), at(&file));
    one.set("a", &text("1"), None).unwrap();
    two.set("a", &text("1"), None).unwrap();
    let reader = rusqlite::Connection::open(&file).unwrap();
    let read = "BEGIN; SELECT count(*) FROM items";
    reader.execute_batch(read).unwrap();
    one.set("a", &text("2"), None).unwrap();
    let compacting = std::thread::spawn(move || one.compact());
    std::thread::sleep(Duration::from_millis(300));
    two.set("b", &text("1"), None).unwrap();
    reader.execute_batch("COMMIT").unwrap();
    compacting.join().unwrap().unwrap();
}
