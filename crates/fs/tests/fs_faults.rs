//! Every call of the file system fails in turn, in every operation.
//!
//! The only test of this file, since it counts the open files of the process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::collections::BTreeMap;
use std::path::Path;

use eas_core::condition::{Check, Expected};
use eas_core::error::{Kind, Result};
use eas_core::store::{Applied, Batch, SingleWrites, Store, Write};
use eas_fs::disk::SystemDisk;
use eas_fs::{FsOptions, FsStore, Level};
use fs_support::faulty::{Fault, FaultyDisk};
use fs_support::{Machine, bytes, folder, text, tree};

const NOW_MS: u64 = 1_000_000;
const EXPIRED_MS: u64 = NOW_MS + 50;
const LATER_MS: u64 = NOW_MS + 100;

const FAULTS: [Fault; 6] = [
    Fault::Error("EIO"),
    Fault::Error("ENOSPC"),
    Fault::Error("EACCES"),
    Fault::Error("EMFILE"),
    Fault::Error("EINTR"),
    Fault::ShortWrite,
];

type FaultyStore = FsStore<FaultyDisk>;
type Items = BTreeMap<String, Vec<u8>>;

/// One operation and what it does to the items.
struct Operation {
    name: &'static str,
    run: fn(&FaultyStore) -> Result<()>,
    expect: fn(&mut Items),
}

fn put(items: &mut Items, key: &str, value: &str) {
    items.insert(key.to_owned(), value.as_bytes().to_vec());
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "write in new folders",
        run: |store| store.set("n:o:p", &text("new"), None),
        expect: |items| put(items, "n:o:p", "new"),
    },
    Operation {
        name: "overwrite",
        run: |store| store.set("plain", &text("new"), None),
        expect: |items| put(items, "plain", "new"),
    },
    Operation {
        name: "write below a file",
        run: |store| store.set("plain:below", &text("new"), None),
        expect: |items| put(items, "plain:below", "new"),
    },
    Operation {
        name: "write below a file in a folder",
        run: |store| store.set("folder:one:x:y", &text("new"), None),
        expect: |items| put(items, "folder:one:x:y", "new"),
    },
    Operation {
        name: "write where a folder is",
        run: |store| store.set("folder", &text("new"), None),
        expect: |items| put(items, "folder", "new"),
    },
    Operation {
        name: "overwrite in the folder of the name",
        run: |store| store.set("both", &text("new"), None),
        expect: |items| put(items, "both", "new"),
    },
    Operation {
        name: "overwrite what another program named",
        run: |store| store.set("aux", &text("new"), None),
        expect: |items| put(items, "aux", "new"),
    },
    Operation {
        name: "overwrite a damaged value",
        run: |store| {
            store.note_corrupt("plain");
            store.set("plain", &text("new"), None)
        },
        expect: |items| put(items, "plain", "new"),
    },
    Operation {
        name: "write text that ends",
        run: |store| store.set("plain", &text("{\"json\":1}"), Some(LATER_MS)),
        expect: |items| put(items, "plain", "{\"expires\":1000100,\"json\":1}"),
    },
    Operation {
        name: "write bytes that end",
        run: |store| store.set("q:plain", &bytes(b"new"), Some(LATER_MS)),
        expect: |items| put(items, "q:plain", "new"),
    },
    Operation {
        name: "make bytes that end permanent",
        run: |store| store.set("ending:raw", &bytes(b"new"), None),
        expect: |items| put(items, "ending:raw", "new"),
    },
    Operation {
        name: "remove",
        run: |store| store.remove("plain").map(drop),
        expect: |items| drop(items.remove("plain")),
    },
    Operation {
        name: "remove the last of a folder",
        run: |store| store.remove("deep:er:est").map(drop),
        expect: |items| drop(items.remove("deep:er:est")),
    },
    Operation {
        name: "remove in the folder of the name",
        run: |store| store.remove("both").map(drop),
        expect: |items| drop(items.remove("both")),
    },
    Operation {
        name: "remove what another program named",
        run: |store| store.remove("aux").map(drop),
        expect: |items| drop(items.remove("aux")),
    },
    Operation {
        name: "remove nothing",
        run: |store| {
            assert!(!store.remove("missing")?);
            Ok(())
        },
        expect: |_| {},
    },
    Operation {
        name: "read",
        run: |store| {
            assert_eq!(store.get_raw("plain")?, Some(bytes(b"old plain")));
            assert_eq!(store.get("both")?, Some(text("old both")));
            assert_eq!(store.get("aux")?, Some(text("old aux")));
            assert!(store.get("missing")?.is_none());
            Ok(())
        },
        expect: |_| {},
    },
    Operation {
        name: "ask",
        run: |store| {
            assert!(store.has("plain")? && store.has("both")? && store.has("ending:raw")?);
            assert!(!store.has("folder")? && !store.has("missing")?);
            assert_eq!(store.meta("plain")?.map(|meta| meta.size), Some(Some(9)));
            assert_eq!(
                store.meta("ending:raw")?.map(|meta| meta.ttl_ms),
                Some(Some(EXPIRED_MS - NOW_MS))
            );
            assert_eq!(store.next_expiry()?, Some(EXPIRED_MS));
            Ok(())
        },
        expect: |_| {},
    },
    Operation {
        name: "list",
        run: |store| {
            let keys = store.keys("", None)?.sorted();
            assert_eq!(keys, initial().into_keys().collect::<Vec<_>>());
            let shallow = store.keys("", Some(0))?.sorted();
            assert_eq!(shallow, ["aux", "both", "plain"]);
            Ok(())
        },
        expect: |_| {},
    },
    Operation {
        name: "sweep",
        run: |store| {
            let mut gone = store.sweep(EXPIRED_MS)?;
            gone.sort();
            // What failed stays for the next sweep.
            assert!(
                gone.iter()
                    .all(|key| key == "ending:raw" || key == "ending:text"),
                "{gone:?}"
            );
            Ok(())
        },
        expect: |_| {},
    },
    Operation {
        name: "write and flush",
        run: |store| {
            store.set("plain", &text("new"), None)?;
            store.flush()
        },
        expect: |items| put(items, "plain", "new"),
    },
    Operation {
        name: "change a group",
        run: |store| commit(store, "plain", GROUP),
        expect: |items| {
            put(items, "plain", "new");
            put(items, "folder:one:x", "new");
            put(items, "n:o", "{\"expires\":1000100,\"json\":1}");
            for key in ["both", "deep:er:est", "aux"] {
                items.remove(key);
            }
        },
    },
    Operation {
        name: "write if it is as it was",
        run: |store| commit(store, "plain", &GROUP[..1]),
        expect: |items| put(items, "plain", "new"),
    },
    Operation {
        name: "remove if it is as it was",
        run: |store| commit(store, "both", &GROUP[3..4]),
        expect: |items| drop(items.remove("both")),
    },
    Operation {
        name: "lock",
        run: |store| store.lock().map(drop),
        expect: |_| {},
    },
];

/// Changes as a value or none, and when it expires.
const GROUP: &[(&str, Option<&str>, Option<u64>)] = &[
    ("plain", Some("new"), None),
    ("folder:one:x", Some("new"), None),
    ("n:o", Some("{\"json\":1}"), Some(LATER_MS)),
    ("both", None, None),
    ("deep:er:est", None, None),
    ("aux", None, None),
];

/// Makes these changes as a group, if the item is what it is found to be.
fn commit(
    store: &FaultyStore,
    checked: &str,
    changes: &[(&str, Option<&str>, Option<u64>)],
) -> Result<()> {
    let found = store.get_raw(checked)?;
    let check = Check {
        key: checked.to_owned(),
        expected: found.map_or(Expected::Missing, Expected::Stored),
    };
    let values: Vec<_> = changes
        .iter()
        .map(|(_, value, _)| value.map(text))
        .collect();
    let writes: Vec<_> = changes
        .iter()
        .zip(&values)
        .map(|((key, _, expires_ms), value)| match value {
            Some(value) => Write::Set {
                key,
                value,
                is_raw: false,
                expires_ms: *expires_ms,
            },
            None => Write::Remove {
                key,
                is_listed: false,
            },
        })
        .collect();
    let batch = Batch {
        checks: &[check],
        writes: &writes,
        is_group: true,
    };
    let applied = store.apply(&batch);
    let applied = applied.map_err(|error| error.operation("commit"))?;
    assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
    Ok(())
}

fn initial() -> Items {
    let mut items = Items::new();
    for key in [
        "plain",
        "folder:one",
        "both",
        "both:below",
        "deep:er:est",
        "aux",
        "ending:raw",
    ] {
        put(&mut items, key, &format!("old {key}"));
    }
    put(
        &mut items,
        "ending:text",
        &format!("{{\"expires\":{EXPIRED_MS},\"json\":1}}"),
    );
    items
}

fn prepare(base: &Path, level: Level, machine: &Machine) -> (FaultyStore, FaultyDisk) {
    let options = FsOptions::at(base).unwrap();
    let options = |level| FsOptions {
        durability: level,
        ..options.clone()
    };
    let store = machine.store(SystemDisk, options(Level::None));
    std::fs::create_dir_all(base).unwrap();
    for (key, value) in initial() {
        match key.as_str() {
            "aux" => std::fs::write(base.join("aux"), value).unwrap(),
            "ending:raw" => store.set(&key, &bytes(&value), Some(EXPIRED_MS)).unwrap(),
            "ending:text" => store
                .set(&key, &text("{\"json\":1}"), Some(EXPIRED_MS))
                .unwrap(),
            _ => store.set(&key, &bytes(&value), None).unwrap(),
        }
    }
    let disk = FaultyDisk::default();
    (machine.store(disk.clone(), options(level)), disk)
}

fn items_of(store: &FaultyStore) -> Items {
    let keys = store.keys("", None).unwrap().sorted();
    let value = |key: &String| {
        store
            .get_raw(key)
            .unwrap()
            .unwrap()
            .file_bytes()
            .unwrap()
            .into_owned()
    };
    let items: Items = keys.iter().map(|key| (key.clone(), value(key))).collect();
    assert_eq!(items.len(), keys.len(), "no key twice");
    items
}

/// How many files below that base the process has open: the other tests have theirs.
#[cfg(target_os = "linux")]
fn open_files(base: &Path) -> usize {
    let base = base.canonicalize().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|open| std::fs::read_link(open.unwrap().path()).ok())
        .filter(|file| file.starts_with(&base))
        .count()
}

#[cfg(not(target_os = "linux"))]
fn open_files(_base: &Path) -> usize {
    0
}

/// Runs the operation with its call of that number failing. Says whether there is such a call.
fn fails_well(operation: &Operation, level: Level, fault: Fault, call: usize) -> bool {
    let (_guard, base) = folder();
    let machine = Machine::at(NOW_MS);
    let (store, disk) = prepare(&base, level, &machine);
    let before = open_files(&base);
    disk.fail_after(call, fault);
    let outcome = (operation.run)(&store);
    let Some(failed) = disk.disarm() else {
        outcome.unwrap_or_else(|error| panic!("{}: {error} without a fault", operation.name));
        return false;
    };
    let case = format!(
        "{}, {level:?}, {fault:?} at call {call} ({failed}): {outcome:?}",
        operation.name
    );
    // The file of the locks of keys stays open.
    assert!(open_files(&base) <= before + 1, "{case}");

    let old = initial();
    let mut new = old.clone();
    (operation.expect)(&mut new);
    let is_sweep = operation.name == "sweep";
    let items = items_of(&store);
    match (&outcome, fault) {
        (Err(error), Fault::Error(code)) => {
            let has_no_locks = failed == "open_key_locks"
                && code == "EACCES"
                && error.kind() == Kind::AtomicUnsupported;
            assert!(has_no_locks || error.kind() == Kind::System(code), "{case}");
            assert_eq!(error.driver_name(), Some("fs"), "{case}");
            assert!(error.operation_name().is_some(), "{case}");
            assert!(has_no_locks || error.to_string().contains(code), "{case}");
            // A removal may have happened when its second half fails; so may a write whose
            // durability cannot be shown.
            let may_be_done = operation.name.starts_with("remove") || failed.starts_with("sync_");
            assert!(
                is_sweep || items == old || (may_be_done && items == new),
                "{case}: {items:?}"
            );
        }
        (Ok(()), _) => assert!(is_sweep || items == new, "{case}: {items:?}"),
        (Err(_), Fault::ShortWrite | Fault::End) => panic!("{case}"),
    }
    let left: Vec<_> = tree(&base)
        .into_iter()
        .filter(|name| name.contains("%~"))
        .collect();
    for name in &left {
        let expected = name.ends_with("%~self")
            || name == "%~ttl"
            || name == "%~lock"
            || name == "%~locks"
            || name.starts_with("%~corrupt-")
            // An empty folder that could not be removed does no harm.
            || (failed == "remove_folder" && (name.ends_with("%~moved/") || name == "%~groups/"))
            // The next change of its keys finishes a group whose journal could not be removed.
            || (failed == "remove_file_below" && name.starts_with("%~groups/"));
        assert!(expected, "{case}: {left:?}");
    }

    (operation.run)(&store).unwrap_or_else(|error| panic!("{case}: again: {error}"));
    store.flush().unwrap();
    machine.run_jobs();
    if is_sweep {
        machine.set_time(EXPIRED_MS);
        new.retain(|key, _| !key.starts_with("ending"));
    }
    assert_eq!(items_of(&store), new, "{case}");
    store.dispose().unwrap();
    assert!(open_files(&base) <= before, "{case}");
    true
}

#[test]
fn a_failing_call_is_a_clear_error_and_costs_nothing_else() {
    let mut injected = 0;
    for operation in OPERATIONS {
        for level in [Level::Full, Level::Background] {
            for fault in FAULTS {
                // Where a call fails makes the difference, not with which code.
                if level != Level::Full && fault != FAULTS[0] {
                    continue;
                }
                let calls = (0..)
                    .take_while(|call| fails_well(operation, level, fault, *call))
                    .count();
                assert!(
                    calls > 0 || level == Level::Full,
                    "{} makes no call",
                    operation.name
                );
                injected += calls;
            }
        }
    }
    // `npm run torture` reads this.
    println!("faults injected: {injected}");
}

#[test]
fn a_flush_passes_by_what_others_took_away_and_made_again_meanwhile() {
    let machine = Machine::at(NOW_MS);
    let mut failed = Vec::new();
    for call in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let (store, disk) = prepare(folder.path(), Level::Background, &machine);
        store.set("folder:new", &text("new"), None).unwrap();
        disk.fail_after(call, Fault::Error("ENOENT"));
        let flushed = store.flush();
        let Some(name) = disk.disarm() else { break };
        // Where the system says that it is not there, it is there when the store looks.
        assert!(flushed.is_ok(), "{name}: {flushed:?}");
        failed.push(name);
    }
    for name in ["sync_file", "sync_folder"] {
        assert!(failed.contains(&name), "{failed:?}");
    }
}
