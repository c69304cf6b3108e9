//! Who waits for another process that writes, and who does not.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use eas_core::store::{SingleWrites, Store};
use eas_core::value::{Text, Value};
use eas_sqlite::{SqliteOptions, SqliteStore};
use eas_store::pool::{self, THREADS};

#[test]
fn writes_that_wait_for_another_process_leave_their_threads_to_reads() {
    let folder = tempfile::tempdir().unwrap();
    let value = Value::Text(Text::from("1"));
    let stores: Vec<_> = (0..2 * THREADS)
        .map(|number| {
            let file = folder.path().join(format!("{number}.db"));
            let options = SqliteOptions::at(&file);
            let store = Arc::new(SqliteStore::new(options, Arc::new(|| 1_000)));
            store.set("k", &value, None).unwrap();
            let other = rusqlite::Connection::open(&file).unwrap();
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            (store, other)
        })
        .collect();
    let (written, writes) = channel();
    for (store, _) in stores.iter().flat_map(|store| [store; 3]) {
        let (store, value, written) = (store.clone(), value.clone(), written.clone());
        pool::submit(Box::new(move || {
            written.send(store.set("k", &value, None)).unwrap();
        }));
    }
    let (read, reads) = channel();
    let store = stores[0].0.clone();
    pool::submit(Box::new(move || read.send(store.get("k")).unwrap()));
    let found = reads.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(found.unwrap(), Some(value));
    assert!(writes.try_recv().is_err(), "the read waited for a write");
    for (_, other) in &stores {
        other.execute_batch("COMMIT").unwrap();
    }
    drop(written);
    assert!(writes.iter().all(|written| written.is_ok()));
}
