//! Several stores on one base, as several processes have them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use eas_core::store::{SingleWrites, Store};
use eas_core::value::Value;
use eas_fs::disk::{Disk, SystemDisk};
use fs_support::{folder, get, keys, open, text, tree};

/// Longer than any lock of a test is held.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// A value that shows when it is not whole: its length and its only letter follow from its number.
fn whole(number: usize) -> String {
    let letter = char::from(b'a' + (number % 26) as u8);
    let length = 1 + number * 7919 % 150_000;
    format!("{length}:{}", letter.to_string().repeat(length))
}

fn is_whole(value: &str) -> bool {
    let Some((length, letters)) = value.split_once(':') else {
        return false;
    };
    let first = letters.as_bytes().first();
    length.parse() == Ok(letters.len()) && letters.bytes().all(|letter| Some(&letter) == first)
}

#[test]
fn a_reader_never_sees_part_of_a_value() {
    const WRITERS: usize = 4;
    const WRITES: usize = 300;
    let (_guard, base) = folder();
    open(&base)
        .set("shared:key", &text(&whole(0)), None)
        .unwrap();
    let writing = AtomicUsize::new(WRITERS);
    let start = Barrier::new(WRITERS + 2);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (base, start, writing) = (&base, &start, &writing);
            scope.spawn(move || {
                let store = open(base);
                start.wait();
                for number in 0..WRITES {
                    store
                        .set("shared:key", &text(&whole(writer * WRITES + number)), None)
                        .unwrap();
                }
                writing.fetch_sub(1, Ordering::Release);
            });
        }
        for _ in 0..2 {
            let (base, start, writing) = (&base, &start, &writing);
            scope.spawn(move || {
                let store = open(base);
                start.wait();
                let mut reads = 0;
                while writing.load(Ordering::Acquire) > 0 || reads == 0 {
                    let value = get(&store, "shared:key").expect("there is a value at any time");
                    assert!(is_whole(&value), "{} bytes", value.len());
                    assert_eq!(keys(&store, ""), ["shared:key"]);
                    reads += 1;
                }
            });
        }
    });
    assert!(is_whole(&get(&open(&base), "shared:key").unwrap()));
    assert_eq!(tree(&base), ["shared/", "shared/key"]);
}

#[test]
fn a_write_into_a_folder_that_others_remove_succeeds() {
    const THREADS: usize = 4;
    let (_guard, base) = folder();
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (base, start) = (&base, &start);
            scope.spawn(move || {
                let store = open(base);
                let key = format!("a:b:c:{thread}");
                start.wait();
                for round in 0..400 {
                    let value = format!("{thread} {round}");
                    store.set(&key, &text(&value), None).unwrap();
                    assert_eq!(get(&store, &key), Some(value));
                    assert!(store.remove(&key).unwrap());
                    assert_eq!(get(&store, &key), None);
                }
            });
        }
    });
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn items_on_one_path_never_lose_each_other() {
    const ROUNDS: usize = 300;
    let (_guard, base) = folder();
    open(&base).set("a", &text("stays"), None).unwrap();
    let owned = ["a:b", "a:b:c", "a:b:c:d", "a:x"];
    let start = Barrier::new(owned.len() + 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = {
            let (base, start, done) = (&base, &start, &done);
            scope.spawn(move || {
                let store = open(base);
                start.wait();
                while !done.load(Ordering::Acquire) {
                    assert_eq!(get(&store, "a").as_deref(), Some("stays"));
                    assert!(store.has("a").unwrap());
                }
            })
        };
        let writers: Vec<_> = owned
            .iter()
            .enumerate()
            .map(|(thread, key)| {
                let (base, start) = (&base, &start);
                scope.spawn(move || {
                    let store = open(base);
                    start.wait();
                    for round in 0..ROUNDS {
                        let value = format!("{key} {round}");
                        store.set(key, &text(&value), None).unwrap();
                        assert_eq!(get(&store, key), Some(value), "{key}");
                        if (round + thread) % 3 == 0 {
                            assert!(store.remove(key).unwrap(), "{key}");
                            assert_eq!(get(&store, key), None, "{key}");
                        }
                    }
                    store.set(key, &text(key), None).unwrap();
                })
            })
            .collect();
        let outcomes: Vec<_> = writers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::Release);
        reader.join().unwrap();
        outcomes.into_iter().for_each(|outcome| outcome.unwrap());
    });
    let store = open(&base);
    assert_eq!(keys(&store, ""), ["a", "a:b", "a:b:c", "a:b:c:d", "a:x"]);
    for key in owned {
        assert_eq!(get(&store, key).as_deref(), Some(key));
        assert!(store.remove(key).unwrap());
    }
    assert_eq!(get(&store, "a").as_deref(), Some("stays"));
    assert!(store.remove("a").unwrap());
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn one_key_as_a_file_and_as_a_folder_by_turns_keeps_its_last_value() {
    const ROUNDS: usize = 400;
    let (_guard, base) = folder();
    let start = Barrier::new(3);
    thread::scope(|scope| {
        let (base, start) = (&base, &start);
        scope.spawn(move || {
            let store = open(base);
            start.wait();
            for round in 0..ROUNDS {
                let value = format!("{round}");
                store.set("a", &text(&value), None).unwrap();
                assert_eq!(get(&store, "a"), Some(value));
                if round % 4 == 0 {
                    assert!(store.remove("a").unwrap(), "{round}");
                    assert_eq!(get(&store, "a"), None, "{round}");
                }
            }
        });
        for below in ["a:b", "a:c"] {
            scope.spawn(move || {
                let store = open(base);
                start.wait();
                for _ in 0..ROUNDS {
                    store.set(below, &text("x"), None).unwrap();
                    assert!(store.remove(below).unwrap(), "{below}");
                }
            });
        }
    });
    assert_eq!(get(&open(&base), "a"), Some(format!("{}", ROUNDS - 1)));
    assert_eq!(keys(&open(&base), ""), ["a"]);
}

#[test]
fn a_lock_has_one_holder_though_its_folder_goes_and_comes() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 5_000;
    let (_guard, base) = folder();
    std::fs::create_dir_all(&base).unwrap();
    let locked = base.join("locked");
    let holders = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let (locked, holders) = (&locked, &holders);
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    let _ = SystemDisk.create_folder(locked, 0o777);
                    // Gone already: another thread removed it.
                    let Ok(lock) = SystemDisk.lock(locked, LOCK_PATIENCE) else {
                        continue;
                    };
                    assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    assert!(locked.is_dir(), "removed under a lock");
                    holders.fetch_sub(1, Ordering::SeqCst);
                    drop(lock);
                    let _ = SystemDisk.remove_folder(locked.parent().unwrap(), locked);
                }
            });
        }
    });
}

#[test]
fn writes_and_removals_of_keys_below_each_other_never_fail() {
    const ROUNDS: usize = 20_000;
    const KEYS: [&str; 4] = ["x:a", "x:a:b", "x:a:b:c", "x:a:b:c:d"];
    let (_guard, base) = folder();
    thread::scope(|scope| {
        for writer in 0..3_u64 {
            let base = &base;
            scope.spawn(move || {
                let store = open(base);
                let mut dice = writer;
                for _ in 0..ROUNDS {
                    // Knuth's generator: any sequence that differs from writer to writer will do.
                    dice = dice
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let dice = dice >> 33;
                    let key = KEYS[dice as usize % KEYS.len()];
                    if dice & 16 == 0 {
                        store.set(key, &text("value"), None).unwrap();
                    } else {
                        store.remove(key).unwrap();
                    }
                }
            });
        }
    });
    let store = open(&base);
    for key in KEYS {
        store.remove(key).unwrap();
    }
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn what_is_written_beside_sweeps_is_swept_in_the_end() {
    const ROUNDS: usize = 200;
    let (_guard, base) = folder();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (base, done) = (&base, &done);
        let sweepers: [_; 2] = std::array::from_fn(|_| {
            scope.spawn(move || {
                let store = open(base);
                while !done.load(Ordering::Acquire) {
                    store.sweep(1000).unwrap();
                }
            })
        });
        let writers: [_; 2] = std::array::from_fn(|writer| {
            scope.spawn(move || {
                let store = open(base);
                for round in 0..ROUNDS {
                    // Of one writer, of both, and without an end now and then.
                    let keys = [
                        format!("own{writer}:{}", round % 5),
                        format!("{}", round % 5),
                    ];
                    for key in &keys {
                        let expires_ms = (round % 7 != 0).then_some(1 + round as u64 % 3);
                        store.set(key, &text("{\"json\":1}"), expires_ms).unwrap();
                        let raw = format!("raw:{key}");
                        let value = Value::buffer(format!("{writer} {round}").into_bytes());
                        store.set(&raw, &value, expires_ms).unwrap();
                    }
                }
                for key in 0..5 {
                    for key in [format!("own{writer}:{key}"), format!("{key}")] {
                        store.set(&key, &text("{\"json\":1}"), Some(2)).unwrap();
                        let value = Value::buffer(b"last".to_vec());
                        store.set(&format!("raw:{key}"), &value, Some(2)).unwrap();
                    }
                }
            })
        });
        let outcomes = writers.map(thread::ScopedJoinHandle::join);
        done.store(true, Ordering::Release);
        for sweeper in sweepers {
            sweeper.join().unwrap();
        }
        for outcome in outcomes {
            outcome.unwrap();
        }
    });
    open(&base).sweep(1000).unwrap();
    let mut left = tree(&base);
    left.retain(|name| !name.starts_with('%'));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn a_sweep_never_removes_what_was_written_since() {
    const ROUNDS: usize = 500;
    let (_guard, base) = folder();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (base, done) = (&base, &done);
        let sweeper = scope.spawn(move || {
            let store = open(base);
            while !done.load(Ordering::Acquire) {
                store.sweep(1000).unwrap();
            }
        });
        let writer = scope.spawn(move || {
            let store = open(base);
            for round in 0..ROUNDS {
                store.set("a", &text("{\"json\":1}"), Some(1)).unwrap();
                store.set("raw", &Value::buffer(vec![1]), Some(1)).unwrap();
                let value = format!("{{\"json\":{round}}}");
                store.set("a", &text(&value), None).unwrap();
                let raw = Value::buffer(format!("{round} raw").into_bytes());
                store.set("raw", &raw, None).unwrap();
                assert!(keys(&store, "").len() <= 2);
            }
        });
        let outcome = writer.join();
        done.store(true, Ordering::Release);
        sweeper.join().unwrap();
        outcome.unwrap();
    });
    let store = open(&base);
    assert_eq!(
        get(&store, "a"),
        Some(format!("{{\"json\":{}}}", ROUNDS - 1))
    );
    assert_eq!(get(&store, "raw"), Some(format!("{} raw", ROUNDS - 1)));
}

#[test]
fn a_listing_never_misses_a_key_that_makes_room_for_a_folder() {
    const ROUNDS: usize = 400;
    let (_guard, base) = folder();
    let store = open(&base);
    for round in 0..ROUNDS {
        let key = format!("k{round}");
        store.set(&key, &text("own"), None).unwrap();
        let start = Barrier::new(2);
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let (store, key, start, is_done) = (&store, &key, &start, &is_done);
            scope.spawn(move || {
                start.wait();
                store
                    .set(&format!("{key}:below"), &text("below"), None)
                    .unwrap();
                is_done.store(true, Ordering::SeqCst);
            });
            start.wait();
            while !is_done.load(Ordering::SeqCst) {
                assert!(keys(store, "").contains(key), "round {round}");
            }
        });
        store.remove(&format!("{key}:below")).unwrap();
        store.remove(&key).unwrap();
    }
}

#[test]
fn an_empty_folder_that_somebody_keeps_locked_stays() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a:b", &text("1"), None).unwrap();
    let lock = SystemDisk.lock(&base.join("a"), LOCK_PATIENCE).unwrap();
    assert!(store.remove("a:b").unwrap());
    assert_eq!(get(&store, "a:b"), None);
    if lock.is_some() {
        assert!(base.join("a").is_dir());
    }
    drop(lock);
    store.set("a:b", &text("2"), None).unwrap();
    assert!(store.remove("a:b").unwrap());
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn a_removal_waits_for_no_lock_of_a_folder_that_stays_anyway() {
    const ITEMS: usize = 300;
    let (_guard, base) = folder();
    let store = open(&base);
    let keys: Vec<String> = (0..=ITEMS).map(|number| format!("a:{number}")).collect();
    for key in &keys {
        store.set(key, &text("1"), None).unwrap();
    }
    let lock = SystemDisk.lock(&base.join("a"), LOCK_PATIENCE).unwrap();
    let (done, is_done) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for key in &keys[..ITEMS] {
                assert!(store.remove(key).unwrap());
            }
            done.send(()).unwrap();
        });
        // Each wait would be one of 100 ms.
        is_done
            .recv_timeout(Duration::from_secs(20))
            .expect("no removal waits");
        drop(lock);
    });
}

#[test]
fn items_with_an_end_are_written_while_the_index_is_compacted() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 3_000;
    let (_guard, base) = folder();
    let store = open(&base);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let key = format!("{thread}:{}", round % 16);
                    store
                        .set(&key, &text("{\"json\":1}"), Some(2_000 + round as u64))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(keys(&store, "").len(), THREADS * 16);
}
