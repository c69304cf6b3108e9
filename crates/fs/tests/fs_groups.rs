//! Conditional writes and groups of changes: what they compare, whom they keep out, and what a kill or a
//! loss of power leaves of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use eas_core::condition::{Check, Etag, Expected};
use eas_core::error::{Kind, Result};
use eas_core::store::{Applied, Batch, SingleWrites, Store, Write};
use eas_core::value::Value;
use eas_fs::disk::{Disk, SystemDisk};
use eas_fs::{FsOptions, FsStore, Level};
use fs_support::faulty::{Fault, FaultyDisk};
use fs_support::model::{ModelDisk, Survives};
use fs_support::{Machine, bytes, folder, get, keys, open, text, tree};

const NOW_MS: u64 = 1_000_000;

type Change<'a> = (&'a str, Option<&'a str>);

/// Makes changes, a value or none of each key, if these keys hold what is given.
fn commit<D: Disk>(
    store: &FsStore<D>,
    checks: &[(&str, Option<&str>)],
    changes: &[Change<'_>],
) -> Result<Applied> {
    let checks: Vec<_> = checks
        .iter()
        .map(|(key, expected)| Check {
            key: (*key).to_owned(),
            expected: expected.map_or(Expected::Missing, |value| Expected::Stored(text(value))),
        })
        .collect();
    let values: Vec<_> = changes.iter().map(|(_, value)| value.map(text)).collect();
    let writes: Vec<_> = changes
        .iter()
        .zip(&values)
        .map(|((key, _), value)| match value {
            Some(value) => set_of(key, value, None),
            None => Write::Remove {
                key,
                is_listed: false,
            },
        })
        .collect();
    store.apply(&Batch {
        checks: &checks,
        writes: &writes,
        is_group: true,
    })
}

fn set_of<'a>(key: &'a str, value: &'a Value, expires_ms: Option<u64>) -> Write<'a> {
    Write::Set {
        key,
        value,
        is_raw: false,
        expires_ms,
    }
}

fn done(changed: &[bool]) -> Applied {
    Applied::Done(changed.iter().copied().collect())
}

fn conflicts(keys: &[&str]) -> Applied {
    Applied::Conflicts(keys.iter().map(|key| (*key).to_owned()).collect())
}

#[test]
fn a_write_with_a_condition_is_made_if_it_holds() {
    let (_guard, base) = folder();
    let store = open(&base);
    for (checks, changes, expected) in [
        (
            &[("a", Some("0"))][..],
            &[("a", Some("1"))][..],
            conflicts(&["a"]),
        ),
        (&[("a", None)], &[("a", Some("1"))], done(&[true])),
        (&[("a", None)], &[("a", Some("2"))], conflicts(&["a"])),
        (&[("a", Some("1"))], &[("a", Some("2"))], done(&[true])),
        (&[("a", Some("1"))], &[("a", None)], conflicts(&["a"])),
        (
            &[("a", Some("2")), ("b", Some("2"))],
            &[],
            conflicts(&["b"]),
        ),
        (&[("a", Some("2")), ("b", None)], &[], done(&[])),
        (&[("b", None)], &[("b", None)], done(&[false])),
        (&[("a", Some("2"))], &[("a", None)], done(&[true])),
    ] {
        let applied = commit(&store, checks, changes).unwrap();
        assert_eq!(applied, expected, "{checks:?} {changes:?}");
    }
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn a_base_that_is_not_there_is_made_by_a_write_alone() {
    let (_guard, base) = folder();
    let store = open(&base);
    assert_eq!(
        commit(&store, &[("a", Some("1"))], &[]).unwrap(),
        conflicts(&["a"])
    );
    assert_eq!(
        commit(&store, &[("a", None)], &[("a", None)]).unwrap(),
        done(&[false])
    );
    let both = [("a", None), ("b", None)];
    assert_eq!(commit(&store, &[], &both).unwrap(), done(&[false, false]));
    assert!(!store.remove("a").unwrap());
    assert!(!base.exists());
    let both = [("a", Some("1")), ("b:c", Some("2"))];
    assert_eq!(
        commit(&store, &[("a", None)], &both).unwrap(),
        done(&[true, true])
    );
    assert_eq!(tree(&base), ["a", "b/", "b/c"]);
}

#[test]
fn what_is_stored_is_compared_without_its_expiry_and_expired_items_are_missing() {
    let (_guard, base) = folder();
    let machine = Machine::at(NOW_MS);
    let store = machine.open(&base);
    let value = text("{\"json\":1}");
    store.set("text", &value, Some(NOW_MS + 10)).unwrap();
    store
        .set_raw("raw", &bytes(b"\x01"), Some(NOW_MS + 10))
        .unwrap();
    let check = |key: &str, expected| {
        let check = Check {
            key: key.to_owned(),
            expected,
        };
        let batch = Batch {
            checks: &[check],
            writes: &[],
            is_group: true,
        };
        store.apply(&batch).unwrap() == done(&[])
    };
    let stored = store.get_raw("text").unwrap().unwrap();
    for expected in [
        Expected::Stored(value.clone()),
        Expected::Stored(stored.clone()),
        Expected::Etag(Etag::of(&stored)),
        Expected::Etag(Etag::of(&bytes(b"{\"json\":1}"))),
    ] {
        assert!(check("text", expected.clone()), "{expected:?}");
    }
    assert!(check("raw", Expected::Stored(bytes(b"\x01"))));
    assert!(!check("raw", Expected::Missing));
    machine.set_time(NOW_MS + 10);
    assert!(check("raw", Expected::Missing) && check("text", Expected::Missing));
}

#[test]
fn what_another_program_writes_makes_a_condition_fail() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a", &text("1"), None).unwrap();
    fs::write(base.join("a"), "2").unwrap();
    let change = [("a", Some("3"))];
    assert_eq!(
        commit(&store, &[("a", Some("1"))], &change).unwrap(),
        conflicts(&["a"])
    );
    assert_eq!(
        commit(&store, &[("a", Some("2"))], &change).unwrap(),
        done(&[true])
    );
}

#[test]
fn a_group_is_made_with_its_expiries_and_leaves_nothing_else() {
    let (_guard, base) = folder();
    let machine = Machine::at(NOW_MS);
    let store = machine.open(&base);
    for key in ["a", "gone:x"] {
        store.set(key, &text("{\"json\":0}"), None).unwrap();
    }
    let value = text("{\"json\":1}");
    let writes = [
        set_of("a:b", &value, None),
        set_of("ends", &value, Some(NOW_MS + 10)),
        Write::Remove {
            key: "gone:x",
            is_listed: false,
        },
    ];
    let batch = Batch {
        writes: &writes,
        is_group: true,
        ..Batch::default()
    };
    assert_eq!(store.apply(&batch).unwrap(), done(&[true; 3]));
    assert_eq!(keys(&store, ""), ["a", "a:b", "ends"]);
    assert_eq!(tree(&base), ["%~ttl", "a/", "a/%~self", "a/b", "ends"]);
    assert_eq!(store.next_expiry().unwrap(), Some(NOW_MS + 10));
    machine.set_time(NOW_MS + 10);
    assert_eq!(get(&store, "ends"), None);
    assert_eq!(store.sweep(NOW_MS + 10).unwrap(), ["ends"]);
}

#[cfg(unix)]
#[test]
fn locks_and_journals_have_the_permissions_of_the_store_and_lead_nowhere() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (guard, base) = folder();
    let options = FsOptions {
        mode: 0o600,
        ..FsOptions::at(&base).unwrap()
    };
    let disk = FaultyDisk::default();
    let store = Machine::at(NOW_MS).store(disk.clone(), options.clone());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let pair = [("a", Some("1")), ("b", Some("2"))];
    commit(&store, &[], &pair).unwrap();
    assert_eq!(mode(&base.join("%~locks")), 0o600);
    // It is cut off with its journal written, before it changes a thing.
    let journal = cut_off(&base, &[("a", "3"), ("b", "4")]);
    assert_eq!(mode(&journal), 0o600);
    assert_eq!(mode(journal.parent().unwrap()), 0o700);
    drop(store);

    let outside = guard.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for name in ["%~locks", "%~groups"] {
        let (_guard, base) = folder();
        fs::create_dir(&base).unwrap();
        let to = if name == "%~locks" {
            outside.join("file")
        } else {
            outside.clone()
        };
        symlink(to, base.join(name)).unwrap();
        let store = open(&base);
        assert!(commit(&store, &[], &pair).is_err(), "{name}");
        assert_eq!(keys(&store, ""), Vec::<String>::new(), "{name}");
        store.set("plain", &text("1"), None).unwrap();
        assert_eq!(get(&store, "plain").as_deref(), Some("1"), "{name}");
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn without_locks_plain_writes_go_on_and_conditions_are_refused() {
    let (_guard, base) = folder();
    fs::create_dir_all(base.join("%~locks")).unwrap();
    let store = open(&base);
    store.set("a", &text("1"), None).unwrap();
    for changes in [&[("a", Some("2"))][..], &[("a", Some("2")), ("b", None)]] {
        let error = commit(&store, &[("a", Some("1"))], changes).unwrap_err();
        assert_eq!(error.kind(), Kind::AtomicUnsupported);
    }
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
    assert!(store.remove("a").unwrap());
}

#[test]
fn a_base_that_is_removed_and_made_again_has_locks_of_its_own() {
    let (_guard, base) = folder();
    let (one, other) = (open(&base), open(&base));
    one.set("a", &text("1"), None).unwrap();
    fs::remove_dir_all(&base).unwrap();
    other.set("a", &text("2"), None).unwrap();
    assert_eq!(
        commit(&one, &[("a", Some("2"))], &[("a", Some("3"))]).unwrap(),
        done(&[true])
    );
    let held = hold(&base, "a");
    let error = one.set("a", &text("4"), None).unwrap_err();
    assert_eq!(error.kind(), Kind::System("EBUSY"));
    drop(held);
    one.set("a", &text("4"), None).unwrap();
}

/// Has another process hold the lock of a key, which is there, until this is dropped.
fn hold(base: &Path, key: &str) -> impl Drop {
    struct Stopped(Child);
    impl Drop for Stopped {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let child = this_test("as_a_child_holds_a_lock", &[base.as_os_str(), key.as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Stopped(child);
    let out = child.0.stdout.take().unwrap();
    let is_held =
        |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains("held"));
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(out));
    assert!(lines.any(|line| is_held(&line)), "the child holds the lock");
    // The rest of what it says goes nowhere.
    thread::spawn(move || lines.for_each(drop));
    child
}

/// This program, as a process that runs one of its tests with these words.
fn this_test(name: &str, words: &[&std::ffi::OsStr]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--ignored"]);
    for (at, word) in words.iter().enumerate() {
        command.env(format!("EAS_WORD_{at}"), word);
    }
    command.stdout(Stdio::null());
    command
}

fn word(at: usize) -> String {
    std::env::var(format!("EAS_WORD_{at}")).unwrap()
}

/// Stops for good between the compare and the rename.
#[test]
#[ignore = "another test starts it as a process"]
fn as_a_child_holds_a_lock() {
    let (base, key) = (PathBuf::from(word(0)), word(1));
    let disk = FaultyDisk::default();
    let store = Machine::at(NOW_MS).store(disk.clone(), FsOptions::at(&base).unwrap());
    disk.after("read", base.join(&key), || {
        println!("held");
        thread::sleep(Duration::from_secs(600));
    });
    let _ = commit(&store, &[(&key, Some("none"))], &[(&key, Some("x"))]);
}

#[test]
fn who_waits_too_long_for_another_process_is_told_so_and_other_keys_go_on() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a", &text("1"), None).unwrap();
    let held = hold(&base, "a");
    for outcome in [
        store.set("a", &text("2"), None),
        store.remove("a").map(drop),
        commit(&store, &[("a", None)], &[("a", Some("2"))]).map(drop),
        commit(&store, &[], &[("b", Some("2")), ("a", Some("2"))]).map(drop),
    ] {
        assert_eq!(outcome.unwrap_err().kind(), Kind::System("EBUSY"));
    }
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
    store.set("c", &text("2"), None).unwrap();
    assert_eq!(
        commit(&store, &[], &[("b", Some("1")), ("c", None)]).unwrap(),
        done(&[true, true])
    );
    drop(held);
    store.set("a", &text("2"), None).unwrap();
    assert_eq!(keys(&store, ""), ["a", "b"]);
}

/// A group that ends with its journal in place and nothing of it made.
fn cut_off(base: &Path, changes: &[(&str, &str)]) -> PathBuf {
    let changes: Vec<_> = changes
        .iter()
        .map(|(key, value)| (*key, Some(*value)))
        .collect();
    // Found by trying: the first call after which there is a journal.
    for calls in 0.. {
        let disk = FaultyDisk::default();
        let options = FsOptions {
            mode: 0o600,
            durability: Level::None,
            ..FsOptions::at(base).unwrap()
        };
        let store = Machine::at(NOW_MS).store(disk.clone(), options);
        disk.fail_after(calls, Fault::End);
        assert!(
            commit(&store, &[], &changes).is_err(),
            "it is cut off before it is done"
        );
        let journal = tree(base).into_iter().find(|name| {
            name.starts_with("%~groups/") && !name.contains("%~tmp") && !name.ends_with('/')
        });
        if let Some(journal) = journal {
            return base.join(journal);
        }
    }
    unreachable!()
}

#[test]
fn a_group_that_was_cut_off_is_completed_by_the_first_use_and_by_the_next_write() {
    type Use = fn(&FsStore);
    let uses: [(&str, Use); 4] = [
        ("read", |store| drop(get(store, "other"))),
        ("list", |store| drop(keys(store, ""))),
        ("write", |store| {
            store.set("other", &text("1"), None).unwrap()
        }),
        ("write of it", |store| {
            store.set("a", &text("3"), None).unwrap()
        }),
    ];
    for (name, first_use) in uses {
        let (_guard, base) = folder();
        open(&base).set("a", &text("1"), None).unwrap();
        let journal = cut_off(&base, &[("a", "2"), ("b:c", "2")]);
        let store = open(&base);
        first_use(&store);
        let a = if name == "write of it" { "3" } else { "2" };
        assert_eq!(fs::read_to_string(base.join("a")).unwrap(), a, "{name}");
        assert_eq!(fs::read_to_string(base.join("b/c")).unwrap(), "2", "{name}");
        assert!(!journal.exists(), "{name}");
    }
    // One that has the base open already does it with its next write of such a key.
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a", &text("1"), None).unwrap();
    let journal = cut_off(&base, &[("a", "2"), ("b", "2")]);
    assert_eq!(
        commit(&store, &[("b", Some("2"))], &[("b", Some("3"))]).unwrap(),
        done(&[true])
    );
    assert_eq!(get(&store, "a").as_deref(), Some("2"));
    assert!(!journal.exists());
}

#[test]
fn a_group_that_does_not_read_at_the_first_use_is_seen_by_the_next() {
    for read_only in [false, true] {
        for calls in 0.. {
            let (_guard, base) = folder();
            open(&base).set("a", &text("1"), None).unwrap();
            cut_off(&base, &[("a", "2"), ("b", "2")]);
            let disk = FaultyDisk::default();
            let options = options(&base, Level::Background, read_only);
            let store = Machine::at(NOW_MS).store(disk.clone(), options);
            disk.fail_after(calls, Fault::End);
            let _ = store.get("other");
            let Some(failed) = disk.disarm() else {
                break;
            };
            for key in ["a", "b"] {
                let case = format!("{key}, read only: {read_only}, call {calls} ({failed})");
                assert_eq!(get(&store, key).as_deref(), Some("2"), "{case}");
            }
        }
    }
}

/// Whether the next write of a store looks for groups.
#[cfg(target_os = "linux")]
fn looks_for_groups(disk: &FaultyDisk, store: &FsStore<FaultyDisk>, base: &Path) -> bool {
    let looks = || disk.calls_of("stat_link", &base.join("%~groups"));
    let before = looks();
    store.set("plain", &text("1"), None).unwrap();
    looks() > before
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_looks_for_groups_only_where_there_may_be_one() {
    let (_guard, base) = folder();
    let disk = FaultyDisk::default();
    let store = Machine::at(NOW_MS).store(disk.clone(), FsOptions::at(&base).unwrap());
    let looks = || looks_for_groups(&disk, &store, &base);
    looks();
    assert!(!looks());
    commit(&open(&base), &[], &[("a", Some("1")), ("b", Some("1"))]).unwrap();
    assert!(!looks(), "it is over");
    cut_off(&base, &[("a", "2"), ("b", "2")]);
    assert!(looks() && looks());
    store.set("a", &text("3"), None).unwrap();
    assert_eq!(get(&store, "b").as_deref(), Some("2"));
    assert!(!looks(), "it was finished");
    // Killed with a mark and no journal yet.
    fs::write(base.join("%~locks"), "x").unwrap();
    assert!(looks() && !looks());
}

#[test]
fn a_group_that_was_cut_off_is_found_though_the_file_of_the_locks_was_removed() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a", &text("1"), None).unwrap();
    let journal = cut_off(&base, &[("a", "2"), ("b", "2")]);
    for name in fs::read_dir(&base).unwrap() {
        let path = name.unwrap().path();
        if path.to_str().unwrap().contains("%~locks") {
            fs::remove_file(path).unwrap();
        }
    }
    store.set("other", &text("1"), None).unwrap();
    store.set("a", &text("3"), None).unwrap();
    assert_eq!(get(&store, "b").as_deref(), Some("2"));
    assert!(!journal.exists());
    assert_eq!(get(&open(&base), "a").as_deref(), Some("3"));
}

/// The files that version 0.1.0 leaves when it is killed after the first step of a group.
fn cut_off_by_0_1_0(base: &Path) -> PathBuf {
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/files/0.1.0-group");
    let journal = Path::new("%~groups/2b0c8f1e55d04a97");
    fs::create_dir_all(base.join("%~groups")).unwrap();
    for name in ["a", "c", "d", "e", "%~locks"].map(Path::new) {
        fs::copy(fixture.join(name), base.join(name)).unwrap();
    }
    fs::copy(fixture.join(journal), base.join(journal)).unwrap();
    base.join(journal)
}

#[test]
fn a_group_that_version_0_1_0_left_unfinished_is_completed() {
    let (_guard, base) = folder();
    let journal = cut_off_by_0_1_0(&base);
    let store = open(&base);
    assert_eq!(keys(&store, ""), ["a", "deep:b", "e"]);
    for (path, expected) in [("a", "new"), ("e", "old")] {
        let found = fs::read_to_string(base.join(path)).unwrap();
        assert_eq!(found, format!(r#"{{"json":"{expected}"}}"#), "{path}");
    }
    assert_eq!(
        fs::read_to_string(base.join("deep/b")).unwrap(),
        r#"{"json":2}"#
    );
    assert!(!base.join("c").exists() && !base.join("d").exists());
    assert!(!journal.exists());
}

#[test]
fn a_reader_that_never_writes_sees_a_group_that_was_cut_off_as_done() {
    let (_guard, base) = folder();
    let writer = open(&base);
    for key in ["a", "gone"] {
        writer.set(key, &text("1"), None).unwrap();
    }
    let journal = cut_off(&base, &[("a", "2"), ("b:c", "22")]);
    let options = FsOptions {
        read_only: true,
        ..FsOptions::at(&base).unwrap()
    };
    let reader = Machine::at(NOW_MS).store(SystemDisk, options);
    let before = tree(&base);
    assert_eq!(get(&reader, "a").as_deref(), Some("2"));
    assert_eq!(get(&reader, "b:c").as_deref(), Some("22"));
    assert_eq!(reader.meta("b:c").unwrap().unwrap().size, Some(2));
    assert!(reader.has("b:c").unwrap());
    assert_eq!(keys(&reader, ""), ["a", "b:c", "gone"]);
    assert_eq!(keys(&reader, "b:"), ["b:c"]);
    assert_eq!(reader.keys("", Some(0)).unwrap().sorted(), ["a", "gone"]);
    assert_eq!(tree(&base), before);
    // Once somebody finished it, what came since is seen.
    writer.set("a", &text("3"), None).unwrap();
    writer.remove("b:c").unwrap();
    assert!(!journal.exists());
    assert_eq!(get(&reader, "a").as_deref(), Some("3"));
    assert_eq!(keys(&reader, ""), ["a", "gone"]);
}

#[test]
fn a_reader_that_never_writes_and_was_open_sees_a_group_that_is_cut_off_as_done() {
    let (_guard, base) = folder();
    let writer = open(&base);
    for key in ["a", "gone"] {
        writer.set(key, &text("1"), None).unwrap();
    }
    let options = FsOptions {
        read_only: true,
        ..FsOptions::at(&base).unwrap()
    };
    let reader = Machine::at(NOW_MS).store(SystemDisk, options);
    for round in ["2", "3"] {
        assert_eq!(get(&reader, "gone").as_deref(), Some("1"));
        let journal = cut_off(&base, &[("a", round), ("b:c", round)]);
        assert_eq!(get(&reader, "a").as_deref(), Some(round));
        assert_eq!(get(&reader, "b:c").as_deref(), Some(round));
        assert!(reader.has("b:c").unwrap());
        assert_eq!(keys(&reader, ""), ["a", "b:c", "gone"]);
        assert!(journal.exists());
        writer.remove("b:c").unwrap();
        assert!(!journal.exists());
        assert_eq!(keys(&reader, ""), ["a", "gone"]);
        assert_eq!(get(&reader, "b:c"), None);
    }
}

#[test]
fn a_journal_that_is_damaged_or_newer_changes_nothing() {
    let (_guard, base) = folder();
    open(&base).set("a", &text("1"), None).unwrap();
    let journal = cut_off(&base, &[("a", "2"), ("b", "2")]);
    let whole = fs::read(&journal).unwrap();
    for (at, stays) in [(whole.len() - 1, false), (20, false), (8, true)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 2;
        fs::create_dir_all(journal.parent().unwrap()).unwrap();
        fs::write(&journal, &bytes).unwrap();
        let store = open(&base);
        assert_eq!(get(&store, "a").as_deref(), Some("1"), "byte {at}");
        assert_eq!(keys(&store, ""), ["a"]);
        assert_eq!(journal.exists(), stays, "byte {at}");
    }
}

#[test]
fn the_groups_of_others_are_neither_items_nor_cleared() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("x", &text("1"), None).unwrap();
    let journal = cut_off(&base, &[("a", "2"), ("b", "2")]);
    assert_eq!(keys(&store, ""), ["x"]);
    assert!(!store.remove_listed("%~groups").unwrap());
    assert_eq!(store.key_of_path(&journal), None);
    assert_eq!(store.key_of_path(&base.join("%~locks")), None);
    store.remove_listed("x").unwrap();
    assert!(journal.exists());
}

/// Items, and changes of them that are made together.
const OLD: &[(&str, &str)] = &[
    ("a", "old a"),
    ("both", "old"),
    ("both:below", "old"),
    ("gone:x", "old"),
];
const GROUP: &[Change<'_>] = &[
    ("a", Some("new")),
    ("both", None),
    ("new:in:folders", Some("new")),
    ("gone:x", None),
    ("a:below", Some("new")),
];

type Items = BTreeMap<String, String>;

fn items(changes: &[&[Change<'_>]]) -> Items {
    let mut items: Items = OLD
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    for (key, value) in changes.iter().copied().flatten() {
        match value {
            Some(value) => drop(items.insert((*key).to_owned(), (*value).to_owned())),
            None => drop(items.remove(*key)),
        }
    }
    items
}

fn items_of<D: Disk>(store: &FsStore<D>) -> Items {
    let keys = keys(store, "");
    let read = |key: &String| (key.clone(), get(store, key).unwrap_or_default());
    let items: Items = keys.iter().map(read).collect();
    for key in ["a", "both", "new:in:folders", "gone:x", "a:below"] {
        assert_eq!(
            store.has(key).unwrap(),
            items.contains_key(key),
            "{key} {items:?}"
        );
    }
    items
}

fn options(base: &Path, level: Level, read_only: bool) -> FsOptions {
    FsOptions {
        durability: level,
        read_only,
        ..FsOptions::at(base).unwrap()
    }
}

/// The store opened anew by one that never writes, and by one that may.
fn check_whole<D: Disk + Clone>(
    disk: &D,
    base: &Path,
    level: Level,
    allowed: &[&Items],
    case: &str,
) {
    let machine = Machine::at(NOW_MS);
    let read_only = items_of(&machine.store(disk.clone(), options(base, level, true)));
    assert!(
        allowed.contains(&&read_only),
        "{case}: read only: {read_only:?}"
    );
    let store = machine.store(disk.clone(), options(base, level, false));
    let found = items_of(&store);
    assert_eq!(found, read_only, "{case}");
    machine.run_jobs();
    store.set("a", &text("after"), None).unwrap();
    commit(
        &store,
        &[],
        &[("a", Some("later")), ("both", Some("later"))],
    )
    .unwrap();
    let mut after = found;
    for key in ["a", "both"] {
        after.insert(key.to_owned(), "later".to_owned());
    }
    assert_eq!(items_of(&store), after, "{case}");
    assert_eq!(
        items_of(&machine.store(disk.clone(), options(base, level, false))),
        after,
        "{case}"
    );
}

#[test]
fn of_a_group_that_a_kill_cuts_off_all_is_made_or_nothing() {
    let mut cuts = 0;
    for level in [Level::None, Level::Background, Level::Full] {
        for calls in 0.. {
            let (_guard, base) = folder();
            let machine = Machine::at(NOW_MS);
            let disk = FaultyDisk::default();
            let store = machine.store(disk.clone(), options(&base, level, false));
            for (key, value) in OLD {
                store.set(key, &text(value), None).unwrap();
            }
            let reader = machine.store(SystemDisk, options(&base, level, true));
            let writer = machine.store(SystemDisk, options(&base, level, false));
            assert_eq!(items_of(&reader), items(&[]));
            writer.set("a", &text("old a"), None).unwrap();
            disk.fail_after(calls, Fault::End);
            let outcome = commit(&store, &[("a", Some("old a"))], GROUP);
            let Some(failed) = disk.disarm() else {
                outcome.unwrap();
                break;
            };
            drop(store);
            let case = format!("{level:?}, killed at call {calls} ({failed})");
            let allowed = [&items(&[]), &items(&[GROUP])];
            // Those that had it open, each by its next use.
            let found = items_of(&reader);
            assert!(allowed.contains(&&found), "{case}: {found:?}");
            writer.set("both", &text("after"), None).unwrap();
            writer.set("both", &text("old"), None).unwrap();
            if !found.contains_key("both") {
                writer.remove("both").unwrap();
            }
            assert_eq!(items_of(&writer), found, "{case}");
            check_whole(&FaultyDisk::default(), &base, level, &allowed, &case);
            cuts += 1;
        }
    }
    assert!(cuts > 100, "{cuts}");
    // `npm run torture` reads this.
    println!("faults injected: {cuts}");
}

#[test]
fn of_a_group_that_an_outage_cuts_off_its_own_store_sees_all_or_nothing() {
    let mut cuts = 0;
    for level in [Level::None, Level::Background, Level::Full] {
        for calls in 0.. {
            let (_guard, base) = folder();
            let disk = FaultyDisk::default();
            let store = Machine::at(NOW_MS).store(disk.clone(), options(&base, level, false));
            for (key, value) in OLD {
                store.set(key, &text(value), None).unwrap();
            }
            disk.fail_after(calls, Fault::End);
            let outcome = commit(&store, &[], GROUP);
            let Some(failed) = disk.disarm() else {
                outcome.unwrap();
                break;
            };
            let found = items_of(&store);
            let case = format!("{level:?}, out of order from call {calls} ({failed})");
            let allowed = [items(&[]), items(&[GROUP])];
            assert!(allowed.contains(&found), "{case}: {found:?}");
            cuts += 1;
        }
    }
    assert!(cuts > 100, "{cuts}");
    println!("faults injected: {cuts}");
}

fn lose_power_in_groups(level: Level) {
    let base = Path::new("/disk/base");
    let second: &[Change<'_>] = &[
        ("a", Some("again")),
        ("both:below", None),
        ("both", Some("again")),
    ];
    let run = |disk: &ModelDisk| {
        let store = Machine::at(NOW_MS).store(disk.clone(), options(base, level, false));
        for (key, value) in OLD {
            if store.set(key, &text(value), None).is_err() {
                return None;
            }
        }
        if store.flush().is_err() {
            return None;
        }
        let is_done = |changes| commit(&store, &[], changes).is_ok();
        Some([is_done(GROUP), is_done(second)])
    };
    let total = {
        let disk = ModelDisk::new(Path::new("/disk"));
        assert_eq!(run(&disk), Some([true, true]));
        disk.calls()
    };
    let states = [items(&[]), items(&[GROUP]), items(&[GROUP, second])];
    let mut losses = 0;
    for calls in 0..=total {
        let disk = ModelDisk::new(Path::new("/disk"));
        disk.lose_power_after(calls);
        let Some(is_done) = run(&disk) else {
            continue;
        };
        // What was reported is there.
        let first = is_done.iter().filter(|is_done| **is_done).count();
        let allowed: Vec<&Items> = states[first..].iter().collect();
        let random = (0..10).map(|number| Survives::Some(number + calls as u64 * 1000));
        for survives in [Survives::Nothing, Survives::Everything]
            .into_iter()
            .chain(random)
        {
            let found = disk.after_power_loss(survives);
            let case = format!("{level:?}, power lost at call {calls} of {total}, {survives:?}");
            check_whole(&found, base, level, &allowed, &case);
            losses += 1;
        }
    }
    assert!(losses > 500, "{losses}");
    println!("faults injected: {losses}");
}

#[test]
fn with_full_durability_a_loss_of_power_leaves_all_of_a_group_or_nothing() {
    lose_power_in_groups(Level::Full);
}

#[test]
fn in_the_background_a_loss_of_power_leaves_all_of_a_group_or_nothing() {
    lose_power_in_groups(Level::Background);
}

/// What a flush is making durable is not durable yet.
#[test]
fn what_is_reported_during_a_flush_is_durable() {
    let base = Path::new("/disk/base");
    let expected = [("p:b", "1"), ("q", "1"), ("p:c", "1")];
    let mut losses = 0;
    for level in [Level::Background, Level::Full] {
        // A write that fails leaves names to be made durable, whatever the level.
        for failed in 0..40 {
            for calls in 0.. {
                let disk = ModelDisk::new(Path::new("/disk"));
                let open = move |disk: &ModelDisk| {
                    Machine::at(NOW_MS).store(disk.clone(), options(base, level, false))
                };
                let store = open(&disk);
                disk.lose_power_after(failed);
                let _ = store.set("p:a", &text("1"), None);
                disk.power_stays();
                let (writer, power) = (store.clone(), disk.clone());
                disk.meanwhile(calls, move || {
                    let group = [("p:b", Some("1")), ("q", Some("1"))];
                    commit(&writer, &[], &group).unwrap();
                    if level == Level::Full {
                        writer.set("p:c", &text("1"), None).unwrap();
                    }
                    let found = open(&power.after_power_loss(Survives::Nothing));
                    for (key, value) in &expected[..if level == Level::Full { 3 } else { 2 }] {
                        let case = format!("{level:?}, {key}, {failed}, call {calls} of the flush");
                        assert_eq!(get(&found, key).as_deref(), Some(*value), "{case}");
                    }
                });
                store.flush().unwrap();
                if disk.forget_meanwhile() {
                    break;
                }
                losses += 1;
            }
        }
    }
    assert!(losses > 100, "{losses}");
    println!("faults injected: {losses}");
}

#[test]
fn a_loss_of_power_while_the_group_of_a_killed_process_is_finished_leaves_all_or_nothing() {
    let base = Path::new("/disk/base");
    let open = |disk: &ModelDisk| {
        Machine::at(NOW_MS).store(disk.clone(), options(base, Level::Full, false))
    };
    // A disk on which a process was killed at the call of the group with that number; `None` where the group
    // came to its end.
    let killed_at = |calls: usize| {
        let disk = ModelDisk::new(Path::new("/disk"));
        let store = open(&disk);
        for (key, value) in OLD {
            store.set(key, &text(value), None).unwrap();
        }
        store.flush().unwrap();
        disk.lose_power_after(calls);
        let is_made = commit(&store, &[], GROUP).is_ok();
        disk.power_stays();
        (!is_made).then_some(disk)
    };
    let allowed = [items(&[]), items(&[GROUP])];
    let mut losses = 0;
    for killed in 0.. {
        if killed_at(killed).is_none() {
            break;
        }
        for lost in 0.. {
            let disk = killed_at(killed).unwrap();
            disk.lose_power_after(lost);
            let is_lost = open(&disk).get("a").is_err();
            for survives in [Survives::Nothing, Survives::Everything]
                .into_iter()
                .chain((0..4).map(|number| Survives::Some(number + lost as u64 * 1000)))
            {
                let after = disk.after_power_loss(survives);
                let machine = Machine::at(NOW_MS);
                let found = items_of(&machine.store(after, options(base, Level::Full, true)));
                let case = format!("killed at call {killed}, lost at {lost}, {survives:?}");
                assert!(allowed.contains(&found), "{case}: {found:?}");
                losses += 1;
            }
            if !is_lost {
                break;
            }
        }
    }
    assert!(losses > 500, "{losses}");
    println!("faults injected: {losses}");
}

/// Adds one to a number as often as is asked, each time if it is what it was.
fn count_up<D: Disk>(store: &FsStore<D>, key: &str, times: usize) {
    let mut made = 0;
    while made < times {
        let now = get(store, key);
        let next = now.as_deref().map_or(0, |now| now.parse::<u64>().unwrap()) + 1;
        let applied = commit(
            store,
            &[(key, now.as_deref())],
            &[(key, Some(&next.to_string()))],
        );
        match applied {
            Ok(Applied::Done(_)) => made += 1,
            Ok(Applied::Conflicts(_)) => {}
            Err(error) => assert_eq!(error.kind(), Kind::System("EBUSY")),
        }
    }
}

#[test]
fn no_increment_of_many_threads_is_lost() {
    let (_guard, base) = folder();
    let shared = Arc::new(open(&base));
    let threads: Vec<_> = (0..6)
        .map(|number| {
            // Some share a store, and some have their own.
            let store = if number < 3 {
                shared.clone()
            } else {
                Arc::new(open(&base))
            };
            thread::spawn(move || count_up(&store, "counter", 200))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(get(&*shared, "counter").as_deref(), Some("1200"));
}

#[test]
#[ignore = "another test starts it as a process"]
fn as_a_child_counts_up() {
    let store = open(Path::new(&word(0)));
    count_up(&store, "counter", word(1).parse().unwrap());
}

#[test]
fn no_increment_of_many_processes_is_lost() {
    let (_guard, base) = folder();
    let children: Vec<_> = (0..4)
        .map(|_| {
            let words = [base.as_os_str(), "150".as_ref()];
            this_test("as_a_child_counts_up", &words).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(get(&open(&base), "counter").as_deref(), Some("600"));
}

const ACCOUNTS: [&str; 4] = ["acc:0", "acc:1", "acc:2", "bank"];
const EACH: i64 = 1000;

#[test]
#[ignore = "another test starts it as a process and kills it"]
fn as_a_child_moves_amounts() {
    let store = open(Path::new(&word(0)));
    let mut dice = word(1).parse::<usize>().unwrap();
    loop {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (from, to) = ((dice >> 33) % 4, (dice >> 43) % 4);
        if from == to {
            continue;
        }
        let (from, to) = (ACCOUNTS[from], ACCOUNTS[to]);
        let now = [from, to].map(|key| get(&store, key).unwrap());
        let [less, more] = [(&now[0], -1), (&now[1], 1)]
            .map(|(now, by)| (now.parse::<i64>().unwrap() + by).to_string());
        let checks = [(from, Some(&*now[0])), (to, Some(&*now[1]))];
        match commit(&store, &checks, &[(from, Some(&less)), (to, Some(&more))]) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), Kind::System("EBUSY")),
        }
    }
}

#[test]
fn the_sum_of_the_accounts_is_whole_whoever_is_killed() {
    let (_guard, base) = folder();
    let store = open(&base);
    for key in ACCOUNTS {
        store.set(key, &text(&EACH.to_string()), None).unwrap();
    }
    let mut moved = false;
    for round in 0..8_u64 {
        let mut children: Vec<_> = (0..3)
            .map(|child| {
                let seed = (round * 3 + child + 1).to_string();
                let words = [base.as_os_str(), seed.as_ref()];
                this_test("as_a_child_moves_amounts", &words)
                    .spawn()
                    .unwrap()
            })
            .collect();
        thread::sleep(Duration::from_millis(60 + round * 23));
        for child in &mut children {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it goes on until it is killed"
            );
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let amounts = ACCOUNTS.map(|key| get(&open(&base), key).unwrap().parse::<i64>().unwrap());
        assert_eq!(
            amounts.iter().sum::<i64>(),
            4 * EACH,
            "round {round}: {amounts:?}"
        );
        moved |= amounts != [EACH; 4];
    }
    assert!(moved);
    assert_eq!(keys(&store, ""), ACCOUNTS);
}
