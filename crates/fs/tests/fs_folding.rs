//! File systems that do not distinguish case or Unicode forms: two keys never share a file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::collections::BTreeMap;
use std::path::Path;

use eas_core::error::Kind;
use eas_core::store::{SingleWrites, Store};
use eas_fs::disk::Disk;
use eas_fs::{FsOptions, FsStore};
use fs_support::model::ModelDisk;
use fs_support::{Machine, get, keys, text};
use proptest::prelude::*;

/// Disks that fold: one that tells real paths in one call, and one where each name is looked for.
fn disks() -> [ModelDisk; 2] {
    let disk = || ModelDisk::new(Path::new("/base")).that_folds();
    [disk(), disk().that_tells_real_paths()]
}

fn store_on(disk: &ModelDisk) -> FsStore<ModelDisk> {
    Machine::at(1000).store(disk.clone(), FsOptions::at("/base").unwrap())
}

fn fold(key: &str) -> String {
    key.to_lowercase().replace("e\u{301}", "\u{e9}")
}

/// Whether the model holds something that has the file or a folder of the key, spelled otherwise.
fn is_taken(model: &BTreeMap<String, String>, key: &str) -> bool {
    let wanted: Vec<&str> = key.split(':').collect();
    model.keys().any(|there| {
        let there = there.split(':');
        let mut same = wanted
            .iter()
            .zip(there)
            .take_while(|(wanted, there)| fold(wanted) == fold(there));
        same.any(|(wanted, there)| *wanted != there)
    })
}

#[test]
fn the_key_that_is_refused_and_the_one_that_is_there_are_named() {
    for disk in disks() {
        the_key_that_is_refused_is_named(&store_on(&disk));
    }
}

fn the_key_that_is_refused_is_named(store: &FsStore<ModelDisk>) {
    store.set("user:name", &text("1"), None).unwrap();
    for key in ["User", "USER:name", "user:Name", "User:other"] {
        let error = store.set(key, &text("2"), None).expect_err(key);
        assert_eq!(error.kind(), Kind::InvalidKey);
        assert_eq!(error.key_name(), Some(key));
        let other = if key == "user:Name" {
            "user:name"
        } else {
            "user"
        };
        let message = error.to_string();
        assert!(message.contains(&format!("{key:?}")), "{message}");
        assert!(message.contains(&format!("{other:?}")), "{message}");
    }
    assert_eq!(keys(store, "User:"), [""; 0]);
    assert_eq!(keys(store, ""), ["user:name"]);
}

/// `a<b` is stored as `a%3Cb`; another program gives a file the name `A<b`, which nothing but case tells
/// from that key.
#[test]
fn the_file_of_another_program_is_not_taken_for_another_spelling_of_its_key() {
    for disk in disks() {
        let store = store_on(&disk);
        store.set("a<b", &text("1"), None).unwrap();
        let literal = Path::new("/base/A<b");
        disk.append(literal, b"2", 0o600).unwrap();
        assert_eq!(keys(&store, ""), ["A<b", "a<b"]);
        // It may be refused.
        let value = match store.set("a<b", &text("3"), None) {
            Ok(()) => "3",
            Err(error) => {
                assert_eq!(error.kind(), Kind::InvalidKey);
                "1"
            }
        };
        assert_eq!(get(&store, "A<b").as_deref(), Some("2"));
        assert!(store.remove("A<b").unwrap());
        assert_eq!(keys(&store, ""), ["a<b"]);
        assert_eq!(get(&store, "a<b").as_deref(), Some(value));
    }
}

#[test]
fn a_read_asks_for_real_paths_twice_however_deep_the_key_is() {
    let [_, disk] = disks();
    let store = store_on(&disk);
    for key in ["a", "b:a", "c:b:b:b:b:a"] {
        store.set(key, &text(key), None).unwrap();
        get(&store, key);
        let before = disk.calls();
        assert_eq!(get(&store, key).as_deref(), Some(key));
        assert_eq!(disk.calls() - before, 3, "{key}");
    }
}

/// Two keys that would share a file or a folder.
const PAIRS: [(&str, &str); 5] = [
    ("user", "User"),
    ("user", "User:name"),
    ("user:name", "User"),
    ("user:name", "user:Name"),
    ("user:a", "User:b"),
];

/// For each pair, in either order, on each disk: calls `run` with a gap between two calls of the disk, first
/// the one before the first, until it says that there was no such gap.
fn in_each_gap(run: impl Fn(&ModelDisk, (&'static str, &'static str), usize) -> bool) {
    for (a, b) in PAIRS {
        for pair in [(a, b), (b, a)] {
            for which in 0..disks().len() {
                let is_gap = |gap| run(&disks()[which], pair, gap);
                let gaps = (0..).take_while(|gap| is_gap(*gap)).count();
                assert!(gaps > 1, "{pair:?}");
            }
        }
    }
}

#[test]
fn a_read_never_gives_the_value_of_the_key_that_comes_instead_meanwhile() {
    in_each_gap(|disk, (one, other), gap| {
        let store = store_on(disk);
        store.set(one, &text("old"), None).unwrap();
        let somebody = store_on(disk);
        disk.meanwhile(gap, move || {
            somebody.remove(one).unwrap();
            somebody.set(other, &text("new"), None).unwrap();
        });
        let read = get(&store, one);
        let was_done = !disk.forget_meanwhile();
        assert!(
            read.as_deref().is_none_or(|value| value == "old"),
            "{one} {other} {gap}: {read:?}"
        );
        assert_eq!(get(&store, one).is_none(), was_done);
        was_done
    });
}

#[test]
fn a_removal_never_takes_the_key_that_comes_instead_meanwhile() {
    let removals: [fn(&FsStore<ModelDisk>, &str); 2] = [
        |store, key| drop(store.remove(key)),
        |store, key| drop(store.remove_listed(key)),
    ];
    for remove in removals {
        in_each_gap(|disk, (one, other), gap| {
            let store = store_on(disk);
            store.set(one, &text(one), None).unwrap();
            let somebody = store_on(disk);
            let (sender, receiver) = std::sync::mpsc::channel();
            disk.meanwhile(gap, move || {
                let removed = somebody.remove(one);
                let written = somebody.set(other, &text(other), None);
                sender.send((removed.is_ok(), written.is_ok())).unwrap();
            });
            remove(&store, one);
            if disk.forget_meanwhile() {
                return false;
            }
            let (removed, written) = receiver.recv().unwrap();
            let case = format!("{one} {other} {gap}: {removed} {written}");
            assert_eq!(get(&store, one), None, "{case}");
            assert_eq!(
                get(&store, other).as_deref(),
                written.then_some(other),
                "{case}"
            );
            true
        });
    }
}

#[test]
fn of_two_that_write_at_once_only_one_has_the_file() {
    in_each_gap(|disk, (one, other), gap| {
        let (store, somebody) = (store_on(disk), store_on(disk));
        let (sender, receiver) = std::sync::mpsc::channel();
        disk.meanwhile(gap, move || {
            let outcome = somebody.set(other, &text(other), None);
            sender.send(outcome.map_err(|error| error.kind())).unwrap();
        });
        let mine = store.set(one, &text(one), None);
        if disk.forget_meanwhile() {
            return false;
        }
        let theirs = receiver.recv().unwrap();
        let case = format!("{one} {other} {gap}: {mine:?} {theirs:?}");
        assert!(mine.is_err() || theirs.is_err(), "{case}");
        let mut written = Vec::new();
        for (key, is_written) in [(one, mine.is_ok()), (other, theirs.is_ok())] {
            assert_eq!(
                get(&store, key).as_deref(),
                is_written.then_some(key),
                "{case}"
            );
            written.extend(is_written.then(|| key.to_owned()));
        }
        assert_eq!(keys(&store, ""), written, "{case}");
        assert!(!written.is_empty(), "{case}");
        true
    });
}

proptest! {
    #[test]
    fn a_store_is_as_one_map_in_which_the_first_spelling_counts(
        steps in prop::collection::vec((0..2_usize, 0..6, "[aA\u{e9}]{1,2}(:[aA]){0,2}|e\u{301}|[aA]<(:a){0,1}"), 1..40),
        unescaped in prop::option::of("[aA]<"),
        tells_real_paths: bool,
    ) {
        let [plain, telling] = disks();
        let mut disk = if tells_real_paths { telling } else { plain };
        if unescaped.is_none() {
            disk = disk.that_refuses_names();
        }
        let stores = [store_on(&disk), store_on(&disk)];
        let mut model = BTreeMap::new();
        // As a program without escapes writes it.
        if let Some(key) = unescaped {
            disk.append(&Path::new("/base").join(&key), b"unescaped", 0o600).unwrap();
            model.insert(key, "unescaped".to_owned());
        }
        for (index, (by, step, key)) in steps.into_iter().enumerate() {
            let store = &stores[by];
            match step {
                0..=2 => {
                    let written = store.set(&key, &text(&index.to_string()), None);
                    prop_assert_eq!(written.is_err(), is_taken(&model, &key), "set {}", &key);
                    if written.is_ok() {
                        model.insert(key, index.to_string());
                    }
                }
                3 => {
                    let removed = store.remove(&key).unwrap();
                    prop_assert_eq!(removed, model.remove(&key).is_some(), "remove {}", &key);
                }
                4 => {
                    let below = format!("{key}:");
                    for listed in keys(store, &below) {
                        prop_assert!(store.remove_listed(&listed).unwrap(), "clear {}", &listed);
                    }
                    model.retain(|there, _| !there.starts_with(&below));
                }
                _ => {
                    prop_assert_eq!(get(store, &key), model.get(&key).cloned(), "get {}", &key);
                    prop_assert_eq!(store.has(&key).unwrap(), model.contains_key(&key));
                }
            }
            let listed: Vec<String> = model.keys().cloned().collect();
            prop_assert_eq!(keys(&stores[1 - by], ""), listed);
            for (key, value) in &model {
                let read = get(&stores[1 - by], key);
                prop_assert_eq!(read.as_ref(), Some(value), "get {}", key);
            }
        }
    }
}
