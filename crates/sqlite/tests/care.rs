//! What is done to a whole database while it is in use: it is compacted, backed up and closed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use eas_core::error::Kind;
use eas_core::store::{SingleWrites, Store};
use eas_sqlite::{SqliteOptions, SqliteStore};
use support::{at, folder, names, text};

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

#[cfg(unix)]
#[test]
fn a_backup_does_not_take_the_place_of_its_database_by_another_path() {
    let (folder, file) = folder();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(folder.path(), elsewhere.path().join("linked")).unwrap();
    std::os::unix::fs::symlink(&file, elsewhere.path().join("link.db")).unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    let store = at(&file);
    for target in [
        folder.path().join("sub/../storage.db"),
        folder.path().join("sub/../storage.db-wal"),
        elsewhere.path().join("linked/storage.db"),
        elsewhere.path().join("link.db"),
    ] {
        let refused = store.backup(&target).expect_err("is refused");
        assert_eq!(refused.kind(), Kind::InvalidArgument, "{target:?}");
    }
    store.set("b", &text("2"), None).unwrap();
    store.dispose().unwrap();
    assert_eq!(at(&file).get("b").unwrap(), Some(text("2")));
}

#[test]
fn a_backup_knows_nothing_of_the_log_of_what_was_there() {
    let (folder, file) = folder();
    let store = at(&file);
    store.set("new", &text("1"), None).unwrap();
    // As a process that was killed leaves it.
    let old = at(&folder.path().join("old.db"));
    old.set("old", &text("1"), None).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let named = |name: &str| folder.path().join(format!("{name}{suffix}"));
        std::fs::copy(named("old.db"), named("backup.db")).unwrap();
    }
    let target = folder.path().join("backup.db");
    store.backup(&target).unwrap();
    assert_eq!(at(&target).keys("", None).unwrap().sorted(), ["new"]);
}

#[test]
fn backups_to_one_file_may_be_made_at_once() {
    let (folder, file) = folder();
    let store = Arc::new(at(&file));
    fill(&store);
    let target = folder.path().join("backup.db");
    let backups: Vec<_> = (0..3)
        .map(|_| {
            let (store, target) = (store.clone(), target.clone());
            std::thread::spawn(move || store.backup(&target))
        })
        .collect();
    for backup in backups {
        backup.join().unwrap().unwrap();
    }
    let backup = at(&target);
    assert!(backup.verify().unwrap().is_ok);
    backup.dispose().unwrap();
    store.dispose().unwrap();
    assert_eq!(names(&file), ["backup.db", "storage.db"]);
}

#[cfg(unix)]
#[test]
fn a_backup_has_the_permissions_of_new_files() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, file) = folder();
    let options = SqliteOptions {
        mode: Some(0o600),
        ..SqliteOptions::at(&file)
    };
    let store = SqliteStore::new(options, Arc::new(|| 1_000));
    let target = folder.path().join("backup.db");
    store.backup(&target).unwrap();
    assert_eq!(
        target.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn all_is_in_the_database_itself_after_the_end_whatever_was_under_way() {
    let verify: fn(&Arc<SqliteStore>) = |store| {
        fill(store);
        let store = store.clone();
        std::thread::spawn(move || store.verify());
        std::thread::sleep(Duration::from_millis(10));
    };
    let watch: fn(&Arc<SqliteStore>) = |store| {
        store.set("before", &text("1"), None).unwrap();
        let watch = (store.clone().watch(Arc::new(|_| ())).start)();
        store.set("watched", &text("1"), None).unwrap();
        drop(watch);
    };
    for under_way in [verify, watch].repeat(10) {
        let (_folder, file) = folder();
        let store = Arc::new(at(&file));
        under_way(&store);
        ends(move || store.dispose()).unwrap();
        assert_eq!(names(&file), ["storage.db"]);
    }
}

#[test]
fn all_is_in_the_database_itself_also_where_the_last_user_only_reads() {
    let (folder, file) = folder();
    let options = SqliteOptions {
        is_read_only: true,
        ..SqliteOptions::at(&file)
    };
    let (writes, reads) = (at(&file), SqliteStore::new(options, Arc::new(|| 1_000)));
    writes.set("a", &text("1"), None).unwrap();
    assert_eq!(reads.get("a").unwrap(), Some(text("1")));
    writes.dispose().unwrap();
    reads.dispose().unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(&file, &copy).unwrap();
    assert_eq!(at(&copy).get("a").unwrap(), Some(text("1")));
}

#[test]
fn what_a_killed_backup_left_goes_with_the_next_one() {
    let (folder, file) = folder();
    let store = at(&file);
    store.set("a", &text("1"), None).unwrap();
    let target = folder.path().join("backup.db");
    let left = std::fs::File::create(folder.path().join("backup.db.tmp-1-0")).unwrap();
    left.set_modified(std::time::SystemTime::now() - Duration::from_secs(7_200))
        .unwrap();
    store.backup(&target).unwrap();
    store.dispose().unwrap();
    assert_eq!(names(&file), ["backup.db", "storage.db"]);
}
