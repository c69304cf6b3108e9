//! What the database does for its items, and to files that are not well.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eas_core::driver::EventKind;
use eas_core::error::Kind;
use eas_core::store::{Applied, Batch, SingleWrites, Store, Write};
use eas_core::value::Value;
use eas_sqlite::{SqliteOptions, SqliteStore};
use support::{at, at_time_of, names, text};

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("deep").join("storage.db");
    (folder, file)
}

type Events = Arc<Mutex<Vec<(EventKind, String)>>>;

fn listen(store: &Arc<SqliteStore>) -> (Box<dyn std::any::Any + Send>, Events) {
    let events = Events::default();
    let sink = events.clone();
    let start = store.clone().watch(Arc::new(move |event| {
        sink.lock().unwrap().push((event.kind, event.key))
    }));
    ((start.start)().unwrap(), events)
}

#[test]
fn nothing_is_touched_before_the_first_use() {
    let (folder, file) = folder();
    let store = at(&file);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    store.set("a", &text("1"), None).unwrap();
    assert!(file.exists());
}

#[test]
fn texts_stay_texts_and_bytes_stay_bytes() {
    let (_folder, file) = folder();
    let store = at(&file);
    let values = [
        text(""),
        text("{\"json\":1}"),
        text("ключ 🗝"),
        text("12"),
        Value::buffer(vec![]),
        Value::buffer(vec![0, 255, 1]),
        Value::buffer(b"text".to_vec()),
    ];
    for value in &values {
        store.set("k", value, None).unwrap();
        assert_eq!(store.get_raw("k").unwrap().as_ref(), Some(value));
    }
    drop(store);
    assert_eq!(at(&file).get("k").unwrap(), Some(text("text")));
}

#[test]
fn a_group_is_written_whole_and_says_what_it_changed() {
    let (_folder, file) = folder();
    let store = at(&file);
    let value = text("1");
    store.set("a", &value, None).unwrap();
    let set = |key| Write::Set {
        key,
        value: &value,
        is_raw: false,
        expires_ms: None,
    };
    let remove = |key| Write::Remove {
        key,
        is_listed: false,
    };
    let writes = [set("c"), set("b"), remove("a"), remove("x")];
    let applied = store.apply(&Batch::of(&writes)).unwrap();
    let changed = vec![true, true, true, false];
    assert_eq!(applied, Applied::Done(changed.into()));
    assert_eq!(store.keys("", None).unwrap().sorted(), ["b", "c"]);
}

#[test]
fn keys_of_a_base_are_those_under_it_in_the_order_of_their_bytes() {
    let (_folder, file) = folder();
    let store = at(&file);
    for key in [
        "b",
        "a:z",
        "a",
        "a:b:c",
        "a;x",
        "a:é",
        "a:\u{10FFFF}",
        "ab:c",
        "a:$",
        "A:x",
    ] {
        store.set(key, &text("1"), None).unwrap();
    }
    let keys = |base: &str, depth| {
        let keys = store.keys(base, depth).unwrap();
        keys.iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        keys("a:", None),
        ["a:$", "a:b:c", "a:z", "a:é", "a:\u{10FFFF}"]
    );
    assert_eq!(keys("a:", Some(1)), ["a:$", "a:z", "a:é", "a:\u{10FFFF}"]);
    assert_eq!(keys("none:", None), Vec::<String>::new());
    assert_eq!(keys("", Some(0)), ["a", "a;x", "b"]);
    assert_eq!(keys("", None).len(), 10);
}

#[test]
fn an_item_that_expired_is_gone_for_every_call() {
    let (_folder, file) = folder();
    let now = Arc::new(AtomicU64::new(1_000));
    let store = at_time_of(&file, &now);
    store.set("a", &text("1"), Some(2_000)).unwrap();
    store.set("b", &text("1"), None).unwrap();
    assert_eq!(store.meta("a").unwrap().unwrap().ttl_ms, Some(1_000));
    assert_eq!(store.next_expiry().unwrap(), Some(2_000));
    now.store(2_000, Ordering::SeqCst);
    assert!(!store.has("a").unwrap());
    assert_eq!(store.get("a").unwrap(), None);
    assert_eq!(store.meta("a").unwrap(), None);
    assert_eq!(store.keys("", None).unwrap().sorted(), ["b"]);
    assert!(!store.remove("a").unwrap());
    store.set("c", &text("1"), Some(1_500)).unwrap();
    assert_eq!(store.sweep(2_000).unwrap(), ["c"]);
    assert_eq!(store.next_expiry().unwrap(), None);
}

#[test]
fn all_is_in_the_database_itself_once_its_last_user_is_gone() {
    let (_folder, file) = folder();
    let (one, two) = (at(&file), at(&file));
    for index in 0..2_000 {
        one.set(&format!("k:{index}"), &text("value"), None)
            .unwrap();
    }
    assert_eq!(two.keys("", None).unwrap().len(), 2_000);
    one.dispose().unwrap();
    two.dispose().unwrap();
    assert_eq!(names(&file), ["storage.db"]);
    let copy = file.with_file_name("copy.db");
    std::fs::rename(&file, &copy).unwrap();
    assert_eq!(at(&copy).keys("", None).unwrap().len(), 2_000);
    assert_eq!(one.get("k:1").unwrap_err().kind(), Kind::Disposed);
    assert_eq!(
        one.set("k:1", &text("1"), None).unwrap_err().kind(),
        Kind::Disposed
    );
}

#[test]
fn stores_that_make_the_database_at_once_share_it() {
    for _ in 0..20 {
        let (_folder, file) = folder();
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let file = file.clone();
                std::thread::spawn(move || {
                    let store = at(&file);
                    store.set(&format!("k:{number}"), &text("1"), None).unwrap();
                    store
                })
            })
            .collect();
        let stores: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(stores[0].keys("", None).unwrap().len(), 4);
        assert!(
            names(&file)
                .iter()
                .all(|name| name.starts_with("storage.db") && !name.contains("tmp"))
        );
    }
}

#[test]
fn writes_of_many_threads_are_all_there() {
    let (_folder, file) = folder();
    let store = Arc::new(at(&file));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = store.clone();
            std::thread::spawn(move || {
                for index in 0..500 {
                    store
                        .set(&format!("{thread}:{index}"), &text("1"), None)
                        .unwrap();
                    assert!(store.has(&format!("{thread}:{index}")).unwrap());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(store.keys("", None).unwrap().len(), 2_000);
    assert!(store.verify().unwrap().is_ok);
}

#[test]
fn a_file_that_is_not_ours_is_left_as_it_is() {
    let (folder, _) = folder();
    let other = folder.path().join("other.db");
    let connection = rusqlite_of(&other);
    connection("PRAGMA journal_mode = WAL; CREATE TABLE mine (x); INSERT INTO mine VALUES (1);");
    let text_file = folder.path().join("text.db");
    std::fs::write(&text_file, "just a text, and a long one, ".repeat(50)).unwrap();
    for file in [other, text_file, folder.path().to_path_buf()] {
        let before = std::fs::read(&file).ok();
        let store = at(&file);
        for error in [
            store.get("a").unwrap_err(),
            store.set("a", &text("1"), None).unwrap_err(),
            store.keys("", None).unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::ForeignDatabase, "{error}");
            assert!(
                error.to_string().contains(&*file.to_string_lossy()),
                "{error}"
            );
        }
        store.dispose().unwrap();
        assert_eq!(std::fs::read(&file).ok(), before);
    }
}

/// Runs statements in a database that is not ours.
fn rusqlite_of(file: &Path) -> impl Fn(&str) + use<> {
    let connection = rusqlite::Connection::open(file).unwrap();
    move |statements| connection.execute_batch(statements).unwrap()
}

#[test]
fn an_empty_file_becomes_a_database_unless_a_log_lies_beside_it() {
    let (folder, _) = folder();
    let file = folder.path().join("empty.db");
    std::fs::write(&file, "").unwrap();
    let store = at(&file);
    store.set("a", &text("1"), None).unwrap();
    store.dispose().unwrap();
    assert_eq!(at(&file).get("a").unwrap(), Some(text("1")));

    let file = folder.path().join("lost.db");
    std::fs::write(&file, "").unwrap();
    let log = folder.path().join("lost.db-wal");
    std::fs::write(&log, "all that is left").unwrap();
    assert_eq!(
        at(&file).get("a").unwrap_err().kind(),
        Kind::ForeignDatabase
    );
    assert_eq!(std::fs::read(&log).unwrap(), b"all that is left");
    #[cfg(unix)]
    {
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let refused = at(&link).get("a").unwrap_err();
        assert_eq!(refused.kind(), Kind::ForeignDatabase);
        assert_eq!(std::fs::read(&log).unwrap(), b"all that is left");
    }
}

#[test]
fn a_newer_layout_is_refused() {
    let (_folder, file) = folder();
    let store = at(&file);
    store.set("a", &text("1"), None).unwrap();
    store.dispose().unwrap();
    rusqlite_of(&file)("PRAGMA user_version = 2");
    let error = at(&file).get("a").unwrap_err();
    assert_eq!(error.kind(), Kind::NewerLayout, "{error}");
}

#[test]
fn of_a_damaged_database_what_can_be_read_is_read() {
    let (_folder, file) = folder();
    let store = at(&file);
    for index in 0..3_000 {
        store
            .set(&format!("k:{index:05}"), &text(&"x".repeat(200)), None)
            .unwrap();
    }
    store.dispose().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40_000].fill(0xAA);
    std::fs::write(&file, &bytes).unwrap();
    let store = at(&file);
    let verdict = store.verify().unwrap();
    assert!(!verdict.is_ok && !verdict.problems.is_empty());
    let found: Vec<_> = (0..3_000)
        .map(|index| store.get(&format!("k:{index:05}")))
        .collect();
    assert!(found.iter().any(|found| matches!(found, Ok(Some(_)))));
    for error in found.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), Kind::Damaged, "{error}");
    }
}

#[test]
fn a_store_that_only_reads_makes_and_changes_nothing() {
    let (folder, file) = folder();
    let reads = || {
        let options = SqliteOptions {
            is_read_only: true,
            ..SqliteOptions::at(&file)
        };
        SqliteStore::new(options, Arc::new(|| 1_000))
    };
    let store = reads();
    assert_eq!(store.get("a").unwrap(), None);
    assert!(store.keys("", None).unwrap().is_empty());
    store.set("a", &text("1"), None).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let writes = at(&file);
    writes.set("a", &text("1"), None).unwrap();
    assert_eq!(store.get("a").unwrap(), Some(text("1")));
    store.set("a", &text("2"), None).unwrap();
    assert!(!store.remove("a").unwrap());
    assert_eq!(writes.get("a").unwrap(), Some(text("1")));
}

#[test]
fn a_backup_is_a_whole_database_of_one_moment() {
    let (_folder, file) = folder();
    let store = Arc::new(at(&file));
    for index in 0..3_000 {
        store.set(&format!("k:{index}"), &text("0"), None).unwrap();
    }
    let writing = store.clone();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut round = 0;
        while matches!(
            stopped.try_recv(),
            Err(std::sync::mpsc::TryRecvError::Empty)
        ) {
            round += 1;
            let value = text(&round.to_string());
            let keys: Vec<String> = (0..20).map(|index| format!("k:{index}")).collect();
            let writes: Vec<_> = keys
                .iter()
                .map(|key| Write::Set {
                    key,
                    value: &value,
                    is_raw: false,
                    expires_ms: None,
                })
                .collect();
            writing.apply(&Batch::of(&writes)).unwrap();
        }
    });
    let copy = file.with_file_name("backup.db");
    for _ in 0..5 {
        store.backup(&copy).unwrap();
        let backup = at(&copy);
        assert_eq!(backup.keys("", None).unwrap().len(), 3_000);
        let first = backup.get("k:0").unwrap();
        for index in 1..20 {
            assert_eq!(backup.get(&format!("k:{index}")).unwrap(), first);
        }
        backup.dispose().unwrap();
    }
    drop(stop);
    writer.join().unwrap();
    assert_eq!(
        store.backup(&file).unwrap_err().kind(),
        Kind::InvalidArgument
    );
}

#[test]
fn compacting_gives_back_the_room_of_what_was_removed() {
    let (_folder, file) = folder();
    let store = at(&file);
    for index in 0..2_000 {
        store
            .set(&format!("k:{index}"), &text(&"x".repeat(500)), None)
            .unwrap();
    }
    for index in 0..2_000 {
        store.remove(&format!("k:{index}")).unwrap();
    }
    store.set("left", &text("1"), None).unwrap();
    store.compact().unwrap();
    assert!(file.metadata().unwrap().len() < 100_000);
    assert_eq!(store.get("left").unwrap(), Some(text("1")));
}

#[test]
fn a_value_that_does_not_read_is_kept_among_the_records() {
    let (_folder, file) = folder();
    let store = at(&file);
    // Within one ms.
    for value in ["no json", "none either"] {
        store.set("k", &text(value), None).unwrap();
        store.note_corrupt("k");
    }
    store.set("k", &text("1"), None).unwrap();
    store.set("k", &text("2"), None).unwrap();
    store.dispose().unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let kept: Vec<(String, String)> = connection
        .prepare("SELECT name, value FROM records")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let expected = [
        ("corrupt:k:1000", "no json"),
        ("corrupt:k:1001", "none either"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(kept, expected);
}

#[test]
fn a_store_that_only_reads_watches_what_others_write() {
    let (_folder, file) = folder();
    let options = SqliteOptions {
        is_read_only: true,
        ..SqliteOptions::at(&file)
    };
    let reads = Arc::new(SqliteStore::new(options, Arc::new(|| 1_000)));
    let (watch, events) = listen(&reads);
    assert!(!file.exists());
    let start = Instant::now();
    let heard = |kind, key: &str| {
        while events.lock().unwrap().last() != Some(&(kind, key.to_owned())) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{key}: {:?}",
                events.lock()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    let writes = at(&file);
    writes.set("a", &text("1"), None).unwrap();
    heard(EventKind::Update, "a");
    writes.set("a$", &text("meta"), None).unwrap();
    writes.set("b", &text("1"), None).unwrap();
    heard(EventKind::Update, "b");
    writes
        .set_raw("a", &Value::buffer(b"1".to_vec()), None)
        .unwrap();
    heard(EventKind::Update, "a");
    writes.remove("b").unwrap();
    heard(EventKind::Remove, "b");
    drop(watch);
    assert_eq!(events.lock().unwrap().len(), 4, "{:?}", events.lock());
    assert_eq!(reads.get("a").unwrap(), Some(text("1")));
}

#[test]
fn a_watch_hears_of_every_store_and_leaves_no_trace() {
    let (_folder, file) = folder();
    let (one, two) = (at(&file), at(&file));
    one.set("before", &text("1"), None).unwrap();
    let one = Arc::new(one);
    let (watch, events) = listen(&one);
    one.set("a", &text("1"), None).unwrap();
    two.set("b", &text("1"), None).unwrap();
    two.set("a", &text("2"), None).unwrap();
    one.remove("a").unwrap();
    one.remove("missing").unwrap();
    two.set("a$", &text("meta"), None).unwrap();
    let (update, remove) = (EventKind::Update, EventKind::Remove);
    let expected = [(update, "a"), (update, "b"), (update, "a"), (remove, "a")];
    let expected: Vec<_> = expected.map(|(kind, key)| (kind, key.to_owned())).into();
    let start = Instant::now();
    while *events.lock().unwrap() != expected {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{:?}",
            events.lock()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(watch);
    let objects = || {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let count = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
        connection
            .query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    while objects() != 3 {
        assert!(start.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_watch_that_others_took_for_gone_goes_on() {
    let (_folder, file) = folder();
    let one = Arc::new(at(&file));
    one.set("before", &text("1"), None).unwrap();
    let (_watch, events) = listen(&one);
    // Its process stood still for a minute, as far as this one can tell.
    let late = SqliteStore::new(SqliteOptions::at(&file), Arc::new(|| 61_000));
    late.get("before").unwrap();
    let start = Instant::now();
    for number in 0.. {
        late.set(&format!("k{number}"), &text("1"), None).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        if !events.lock().unwrap().is_empty() {
            break;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "nothing is heard"
        );
    }
    // From here on it hears of everything.
    for number in 0..5 {
        late.set(&format!("then{number}"), &text("1"), None)
            .unwrap();
    }
    loop {
        let heard = events.lock().unwrap().clone();
        let then: Vec<_> = heard
            .iter()
            .map(|(_, key)| key.as_str())
            .filter(|key| key.starts_with("then"))
            .collect();
        if then == ["then0", "then1", "then2", "then3", "then4"] {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{heard:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_store_opens_while_the_last_watch_ends() {
    let (_folder, file) = folder();
    let one = Arc::new(at(&file));
    one.set("a", &text("1"), None).unwrap();
    let (_watch, _events) = listen(&one);
    let ends = rusqlite::Connection::open(&file).unwrap();
    ends.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| at(&file).get("a"));
        std::thread::sleep(Duration::from_millis(300));
        ends.execute_batch(
            "DROP TRIGGER note_insert; DROP TRIGGER note_update; DROP TRIGGER note_delete;
             DROP TABLE changes; DROP TABLE watches; COMMIT",
        )
        .unwrap();
        assert_eq!(opened.join().unwrap().unwrap(), Some(text("1")));
    });
}

#[test]
fn what_killed_processes_left_of_a_database_in_the_making_goes() {
    let (_folder, file) = folder();
    let folder = file.parent().unwrap();
    std::fs::create_dir_all(folder).unwrap();
    let hours_ago = std::time::SystemTime::now() - Duration::from_secs(7_200);
    for name in [
        "storage.db.tmp-1-0",
        "storage.db.tmp-1-0-wal",
        "other.tmp-1-0",
    ] {
        let left = std::fs::File::create(folder.join(name)).unwrap();
        left.set_modified(hours_ago).unwrap();
    }
    std::fs::write(folder.join("storage.db.tmp-2-0"), "").unwrap();
    at(&file).set("a", &text("1"), None).unwrap();
    assert_eq!(
        names(&file),
        ["other.tmp-1-0", "storage.db", "storage.db.tmp-2-0"]
    );
}

#[cfg(unix)]
#[test]
fn a_database_is_made_where_a_link_in_its_place_leads() {
    let (folder, file) = folder();
    let real = folder.path().join("real.db");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    let (done, is_done) = std::sync::mpsc::channel();
    let linked = file.clone();
    std::thread::spawn(move || done.send(at(&linked).set("a", &text("1"), None)));
    let written = is_done.recv_timeout(Duration::from_secs(60));
    written.expect("it ends").unwrap();
    assert!(file.symlink_metadata().unwrap().is_symlink());
    assert_eq!(at(&real).get("a").unwrap(), Some(text("1")));
    assert_eq!(names(&file), ["storage.db"]);
}

#[test]
fn stores_that_fill_an_empty_file_at_once_share_it() {
    for _ in 0..100 {
        let (folder, _) = folder();
        let file = folder.path().join("empty.db");
        std::fs::write(&file, "").unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    let store = at(file);
                    store.set(&format!("k:{number}"), &text("1"), None).unwrap();
                    store.dispose().unwrap();
                });
            }
        });
        assert_eq!(at(&file).keys("", None).unwrap().len(), 4);
    }
}

#[test]
fn a_database_has_its_log_whatever_was_left_of_it() {
    let (_folder, file) = folder();
    let store = at(&file);
    store.set("a", &text("1"), None).unwrap();
    store.dispose().unwrap();
    let mode = |statement: &str| -> String {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let mode = connection.query_row(statement, [], |row| row.get(0));
        mode.unwrap()
    };
    // As a process leaves it that is killed while it fills an empty file; other programs do it too.
    assert_eq!(mode("PRAGMA journal_mode = DELETE"), "delete");
    let store = at(&file);
    assert_eq!(store.get("a").unwrap(), Some(text("1")));
    assert_eq!(mode("PRAGMA journal_mode"), "wal");
}

#[test]
fn a_first_read_waits_for_no_writer_also_while_somebody_watches() {
    let (_folder, file) = folder();
    let one = Arc::new(at(&file));
    one.set("a", &text("1"), None).unwrap();
    let (_watch, _events) = listen(&one);
    let writer = rusqlite::Connection::open(&file).unwrap();
    // The watch of a process that was killed long ago is there as well for the second one.
    for now_ms in [1_000, 61_000] {
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        let reads = SqliteStore::new(SqliteOptions::at(&file), Arc::new(move || now_ms));
        assert_eq!(reads.get("a").unwrap(), Some(text("1")));
        writer.execute_batch("COMMIT").unwrap();
    }
}

#[test]
fn a_watch_hears_of_what_is_committed_while_others_write() {
    let (_folder, file) = folder();
    let now = Arc::new(AtomicU64::new(1_000));
    let store = at_time_of(&file, &now);
    let store = Arc::new(store);
    store.set("a", &text("1"), None).unwrap();
    let (_watch, events) = listen(&store);
    let writer = rusqlite::Connection::open(&file).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The watch has to say that it is there, which is a write.
    now.store(7_000, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(300));
    let next = "INSERT INTO items (key, value) VALUES ('b', '1'); COMMIT; BEGIN IMMEDIATE";
    writer.execute_batch(next).unwrap();
    let start = Instant::now();
    while events.lock().unwrap().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(4), "nothing is heard");
        std::thread::sleep(Duration::from_millis(2));
    }
    writer.execute_batch("COMMIT").unwrap();
    let heard = events.lock().unwrap().clone();
    assert_eq!(heard, [(EventKind::Update, "b".to_owned())]);
}

#[test]
fn the_lock_of_a_store_is_had_by_one_user_of_its_database_at_a_time() {
    let (_folder, file) = folder();
    let (one, two) = (at(&file), at(&file));
    let held = one.lock().unwrap();
    assert!(held.is_some());
    let (locked, is_locked) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let held = two.lock().unwrap();
            locked.send(()).unwrap();
            drop(held);
        });
        let early = is_locked.recv_timeout(Duration::from_millis(200));
        assert!(early.is_err());
        one.set("a", &text("1"), None).unwrap();
        drop(held);
        is_locked.recv_timeout(Duration::from_secs(60)).unwrap();
    });
}

#[test]
fn what_a_killed_watch_left_goes_while_others_write() {
    let (_folder, file) = folder();
    let store = at(&file);
    store.set("a", &text("1"), None).unwrap();
    let killed = rusqlite::Connection::open(&file).unwrap();
    killed
        .execute_batch(
            "CREATE TABLE watches (id INTEGER PRIMARY KEY, seen INTEGER NOT NULL, place INTEGER NOT NULL);
             CREATE TABLE changes (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, is_there INTEGER NOT NULL);
             CREATE TRIGGER note_update AFTER UPDATE ON items
               BEGIN INSERT INTO changes (key, is_there) VALUES (new.key, 1); END;
             INSERT INTO watches (id, seen, place) VALUES (7, -60000, 0);",
        )
        .unwrap();
    let start = Instant::now();
    let is_noted = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'changes')";
    while killed.query_row(is_noted, [], |row| row.get(0)).unwrap() {
        assert!(start.elapsed() < Duration::from_secs(20), "all is noted");
        for _ in 0..100 {
            store.set("a", &text(&"x".repeat(50_000)), None).unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn a_store_that_only_reads_needs_no_folder_to_write_into() {
    let (_folder, file) = folder();
    let file = file.with_file_name("a#b%20.db");
    let filled = |file: &Path, value: &str| {
        let store = at(file);
        store.set("a:b", &text(value), None).unwrap();
        store.dispose().unwrap();
    };
    filled(&file, "1");
    // SQLite follows no link there: it cannot make what those share who have the database open, which is so
    // in a folder that is not to be written as well.
    std::os::unix::fs::symlink("nothing", file.with_file_name("a#b%20.db-shm")).unwrap();
    assert!(at(&file).get("a:b").is_err(), "nobody else can open it");

    let before = names(&file);
    let reads = SqliteStore::new(
        SqliteOptions {
            is_read_only: true,
            ..SqliteOptions::at(&file)
        },
        Arc::new(|| 1_000),
    );
    assert_eq!(reads.get("a:b").unwrap(), Some(text("1")));
    assert_eq!(reads.keys("a:", None).unwrap().sorted(), ["a:b"]);
    assert!(reads.verify().unwrap().is_ok);
    assert_eq!(names(&file), before);

    // Whoever may write there replaces it.
    let newer = file.with_file_name("newer.db");
    filled(&newer, "2");
    std::fs::rename(&newer, &file).unwrap();
    assert_eq!(reads.get("a:b").unwrap(), Some(text("2")));
    // With a log, it is not all that the database holds.
    let log = file.with_file_name("a#b%20.db-wal");
    std::fs::write(&log, "x").unwrap();
    assert!(reads.get("a:b").is_err());
    std::fs::remove_file(&log).unwrap();
    reads.dispose().unwrap();
}
