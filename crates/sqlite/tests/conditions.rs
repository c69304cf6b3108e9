//! Conditional writes and groups, by stores of one process and of several.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eas_core::condition::{Check, Etag, Expected};
use eas_core::store::{Applied, Batch, SingleWrites, Store, Write};
use eas_core::value::Value;
use eas_sqlite::{SqliteOptions, SqliteStore};
use support::{at, folder, text};

/// Tells a child of a test which database it works on.
const CHILD: &str = "EAS_TEST_DATABASE";

fn check(key: &str, expected: Expected) -> Check {
    Check {
        key: key.to_owned(),
        expected,
    }
}

fn set<'a>(key: &'a str, value: &'a Value) -> Write<'a> {
    Write::Set {
        key,
        value,
        is_raw: false,
        expires_ms: None,
    }
}

fn commit(store: &SqliteStore, checks: &[Check], writes: &[Write<'_>]) -> Applied {
    let batch = Batch {
        checks,
        writes,
        is_group: true,
    };
    store.apply(&batch).unwrap()
}

fn number(store: &SqliteStore, key: &str) -> i64 {
    match store.get(key).unwrap() {
        Some(Value::Text(text)) => text.to_str().parse().unwrap(),
        other => panic!("{key}: {other:?}"),
    }
}

/// Sets both items by what `next` makes of them, until nobody comes in between.
fn change(store: &SqliteStore, keys: [&str; 2], next: impl Fn([i64; 2]) -> [i64; 2]) {
    loop {
        let old = keys.map(|key| number(store, key));
        let checks: Vec<_> = keys
            .iter()
            .zip(old)
            .map(|(key, old)| check(key, Expected::Stored(text(&old.to_string()))))
            .collect();
        let new = next(old).map(|number| text(&number.to_string()));
        let writes = [set(keys[0], &new[0]), set(keys[1], &new[1])];
        match commit(store, &checks, &writes) {
            Applied::Done(_) => return,
            Applied::Conflicts(conflicts) => {
                assert!(
                    conflicts.iter().all(|key| keys.contains(&&**key)),
                    "{conflicts:?}"
                );
            }
        }
    }
}

/// Runs the test of that name once more, in a process of its own.
fn child(test: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--quiet"])
        .env(CHILD, file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn writes_are_made_where_the_conditions_hold_and_none_where_one_does_not() {
    let (_folder, file) = folder();
    let now_ms = Arc::new(AtomicU64::new(1_000));
    let clock = now_ms.clone();
    let store = SqliteStore::new(
        SqliteOptions::at(&file),
        Arc::new(move || clock.load(Ordering::Relaxed)),
    );
    let (one, two) = (text("{\"json\":1}"), text("{\"json\":2}"));
    let bytes = Value::buffer(b"{\"json\":1}".to_vec());
    let expiring = text("{\"json\":1,\"expires\":2000}");
    store.set("text", &one, None).unwrap();
    store.set_raw("bytes", &bytes, None).unwrap();
    store.set("expires", &expiring, Some(2_000)).unwrap();
    let etag = |value| Expected::Etag(Etag::of(value));
    let table = [
        ("text", etag(&one), true),
        ("text", etag(&bytes), false),
        ("text", etag(&two), false),
        ("text", Expected::Missing, false),
        ("text", Expected::Stored(one.clone()), true),
        ("text", Expected::Stored(two.clone()), false),
        ("bytes", etag(&bytes), true),
        ("bytes", etag(&one), false),
        ("none", Expected::Missing, true),
        ("none", etag(&one), false),
        ("expires", etag(&one), true),
        ("expires", Expected::Missing, false),
    ];
    for (key, expected, holds) in &table {
        let case = format!("{key} {expected:?}");
        let checks = [check("text", etag(&one)), check(key, expected.clone())];
        let done = commit(&store, &checks, &[set("other", &two), set("last", &one)]);
        if *holds {
            assert_eq!(done, Applied::Done(vec![true, true].into()), "{case}");
            assert_eq!(store.get("other").unwrap().as_ref(), Some(&two), "{case}");
            assert!(store.remove("other").unwrap() && store.remove("last").unwrap());
        } else {
            assert_eq!(done, Applied::Conflicts(vec![(*key).to_owned()]), "{case}");
            assert!(
                !store.has("other").unwrap() && !store.has("last").unwrap(),
                "{case}"
            );
        }
    }
    now_ms.store(2_000, Ordering::Relaxed);
    let checks = [check("expires", Expected::Missing)];
    assert_eq!(
        commit(&store, &checks, &[]),
        Applied::Done(Vec::new().into())
    );
    let done = commit(&store, &checks, &[set("expires", &two)]);
    assert_eq!(done, Applied::Done(vec![true].into()));
    assert_eq!(store.get("expires").unwrap(), Some(two));
}

#[test]
fn a_conflict_keeps_what_does_not_read_where_it_is() {
    let (_folder, file) = folder();
    let store = at(&file);
    store.set("k", &text("no json"), None).unwrap();
    store.note_corrupt("k");
    let checks = [check("k", Expected::Missing)];
    let done = commit(&store, &checks, &[set("k", &text("1"))]);
    assert_eq!(done, Applied::Conflicts(vec!["k".to_owned()]));
    let checks = [check("k", Expected::Etag(Etag::of(&text("no json"))))];
    commit(&store, &checks, &[set("k", &text("1"))]);
    store.dispose().unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    let kept: String = connection
        .query_row("SELECT value FROM records", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, "no json");
}

#[test]
fn increments_of_threads_and_of_stores_are_all_kept() {
    const ROUNDS: i64 = 50;

    let (_folder, file) = folder();
    let stores = [Arc::new(at(&file)), Arc::new(at(&file))];
    for key in ["a", "b"] {
        stores[0].set(key, &text("0"), None).unwrap();
    }
    let threads: Vec<_> = (0..6)
        .map(|thread| {
            let store = stores[thread % 2].clone();
            std::thread::spawn(move || {
                for round in 0..ROUNDS {
                    change(&store, ["a", "b"], |[a, b]| [a + 1, b - 1]);
                    store.set("plain", &text(&round.to_string()), None).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(number(&stores[1], "a"), 6 * ROUNDS);
    assert_eq!(number(&stores[0], "b"), -6 * ROUNDS);
}

#[test]
fn increments_of_several_processes_are_all_kept() {
    const ROUNDS: i64 = 100;
    const CHILDREN: i64 = 3;

    let increment = |store: &SqliteStore| {
        for _ in 0..ROUNDS {
            change(store, ["a", "b"], |[a, b]| [a + 1, b + 2]);
        }
    };
    if let Some(file) = std::env::var_os(CHILD) {
        let store = at(Path::new(&file));
        increment(&store);
        store.dispose().unwrap();
        return;
    }
    let (_folder, file) = folder();
    let store = at(&file);
    for key in ["a", "b"] {
        store.set(key, &text("0"), None).unwrap();
    }
    let children: Vec<_> = (0..CHILDREN)
        .map(|_| child("increments_of_several_processes_are_all_kept", &file))
        .collect();
    increment(&store);
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(number(&store, "a"), (CHILDREN + 1) * ROUNDS);
    assert_eq!(number(&store, "b"), 2 * (CHILDREN + 1) * ROUNDS);
}

#[test]
fn no_reader_sees_part_of_a_group_also_when_its_process_is_killed() {
    const TOTAL: i64 = 1_000;
    const KILLS: i64 = 5;

    if let Some(file) = std::env::var_os(CHILD) {
        let store = at(Path::new(&file));
        for amount in (1..).map(|round| round % 7) {
            change(&store, ["a", "b"], |[a, b]| [a - amount, b + amount]);
        }
    }
    let (_folder, file) = folder();
    let store = at(&file);
    store.set("a", &text(&TOTAL.to_string()), None).unwrap();
    store.set("b", &text("0"), None).unwrap();
    let sum_of_a_moment = || {
        let connection = rusqlite::Connection::open(&file).unwrap();
        let sum = "SELECT sum(CAST(value AS INTEGER)) FROM items WHERE key IN ('a', 'b')";
        connection
            .query_row(sum, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    for kill in 0..KILLS {
        let mut child = child(
            "no_reader_sees_part_of_a_group_also_when_its_process_is_killed",
            &file,
        );
        let first = number(&store, "b");
        let mut changes = 0;
        let mut last = first;
        while changes < 20 + kill {
            assert_eq!(sum_of_a_moment(), TOTAL);
            let now = number(&store, "b");
            changes += i64::from(now != last);
            last = now;
            assert!(
                child.try_wait().unwrap().is_none(),
                "the child goes on for ever"
            );
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(sum_of_a_moment(), TOTAL, "after kill {kill}");
    }
    store.dispose().unwrap();
    assert_eq!(sum_of_a_moment(), TOTAL);
}
