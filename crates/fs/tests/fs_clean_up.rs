//! A listing removes what it takes for abandoned, also a file that somebody is about to give its name: that
//! write is made again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::path::Path;

use eas_core::error::Result;
use eas_core::store::{Batch, SingleWrites, Store, Write};
use eas_fs::disk::Disk;
use eas_fs::{FsOptions, FsStore};
use fs_support::model::ModelDisk;
use fs_support::{Machine, get, text};

const NOW_MS: u64 = 1_000;

/// What is written, and the keys that hold `new` after it.
type Operation = (
    fn(&FsStore<ModelDisk>) -> Result<()>,
    &'static [&'static str],
);

const OPERATIONS: [Operation; 7] = [
    (|store| store.set("new", &text("new"), None), &["new"]),
    (|store| store.set("n:o:p", &text("new"), None), &["n:o:p"]),
    (
        |store| store.set("file:below", &text("new"), None),
        &["file:below"],
    ),
    (
        |store| store.set("file:below:deep", &text("new"), None),
        &["file:below:deep"],
    ),
    (|store| store.set("folder", &text("new"), None), &["folder"]),
    (
        |store| store.set("ends", &text("new"), Some(NOW_MS + 100)),
        &["ends"],
    ),
    (
        |store| {
            let value = text("new");
            let set = |key| Write::Set {
                key,
                value: &value,
                is_raw: false,
                expires_ms: None,
            };
            let writes = [set("one"), set("file:two")];
            store
                .apply(&Batch {
                    is_group: true,
                    ..Batch::of(&writes)
                })
                .map(drop)
        },
        &["one", "file:two"],
    ),
];

fn store_on(disk: &ModelDisk) -> FsStore<ModelDisk> {
    Machine::at(NOW_MS).store(disk.clone(), FsOptions::at("/base").unwrap())
}

fn prepared() -> (ModelDisk, FsStore<ModelDisk>) {
    let disk = ModelDisk::new(Path::new("/base"));
    let store = store_on(&disk);
    for key in ["file", "folder:one"] {
        store.set(key, &text("old"), None).unwrap();
    }
    // Lines that say nothing: the next item that expires replaces the index.
    let lines = "x\n".repeat(40_000);
    disk.append(Path::new("/base/%~ttl"), lines.as_bytes(), 0o600)
        .unwrap();
    (disk, store)
}

#[test]
fn a_write_is_made_whose_new_file_a_listing_removes() {
    for (index, (run, written)) in OPERATIONS.iter().enumerate() {
        for gap in 0.. {
            let (disk, store) = prepared();
            let somebody = store_on(&disk);
            disk.meanwhile(gap, move || drop(somebody.keys("", None).unwrap()));
            let outcome = run(&store);
            if disk.forget_meanwhile() {
                break;
            }
            assert!(outcome.is_ok(), "{index}, {gap}: {outcome:?}");
            for key in *written {
                let found = get(&store, key);
                assert_eq!(found.as_deref(), Some("new"), "{index}, {gap}: {key}");
            }
            for key in ["file", "folder:one"] {
                assert_eq!(get(&store, key).as_deref(), Some("old"), "{index}, {gap}");
            }
        }
    }
}
