//! Times of the calls that programs make most. Run with `--ignored --nocapture` on a release build.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::time::{Duration, Instant};

use eas_core::store::{SingleWrites, Store};
use eas_fs::{FsOptions, FsStore, Level, NAME};
use fs_support::{folder, text};
use std::sync::Arc;

fn time(name: &str, rounds: u32, mut call: impl FnMut(u32)) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        (0..rounds).for_each(&mut call);
        best = best.min(start.elapsed());
    }
    println!(
        "{name}: {:.2} µs",
        best.as_secs_f64() * 1e6 / f64::from(rounds)
    );
}

#[test]
#[ignore = "prints times, checks nothing"]
fn times_of_single_calls() {
    let (_guard, base) = folder();
    let value = text(&format!("{{\"json\":\"{}\"}}", "x".repeat(269)));
    let clock = Arc::new(|| 0);
    let store = FsStore::new(NAME, FsOptions::at(&base).unwrap(), clock.clone());
    for key in 0..5000 {
        store
            .set(&format!("folder{}:key{key}", key % 100), &value, None)
            .unwrap();
    }
    time("get", 5000, |key| {
        drop(store.get(&format!("folder{}:key{key}", key % 100)).unwrap())
    });
    time("get of nothing", 5000, |key| {
        drop(store.get(&format!("folder{}:no{key}", key % 100)).unwrap())
    });
    time("has", 5000, |key| {
        assert!(store.has(&format!("folder{}:key{key}", key % 100)).unwrap());
    });
    time("meta", 5000, |key| {
        let meta = store.meta(&format!("folder{}:key{key}", key % 100));
        assert!(meta.unwrap().is_some());
    });
    time("keys of 5,000", 5, |_| {
        assert_eq!(store.keys("", None).unwrap().len(), 5000)
    });
    time("set of what is there", 2000, |key| {
        store
            .set(&format!("folder{}:key{key}", key % 100), &value, None)
            .unwrap();
    });
    let mut round = 0;
    time("set of what is new", 2000, |key| {
        round += u32::from(key == 0);
        store
            .set(&format!("new{round}:key{key}"), &value, None)
            .unwrap();
    });
    let start = Instant::now();
    for key in 0..2000 {
        assert!(
            store
                .remove(&format!("folder{}:key{key}", key % 100))
                .unwrap()
        );
    }
    println!(
        "remove: {:.2} µs",
        start.elapsed().as_secs_f64() * 1e6 / 2000.0
    );
    store.flush().unwrap();
    let full = FsOptions {
        durability: Level::Full,
        ..FsOptions::at(base.join("full")).unwrap()
    };
    let store = FsStore::new(NAME, full, clock);
    time("set with fsync", 100, |key| {
        store.set(&format!("key{key}"), &value, None).unwrap()
    });
    let start = Instant::now();
    for key in 0..2000 {
        std::fs::write(base.join(format!("plain{}", key % 100)), [b'x'; 280]).unwrap();
    }
    println!(
        "plain write: {:.2} µs",
        start.elapsed().as_secs_f64() * 1e6 / 2000.0
    );
}
