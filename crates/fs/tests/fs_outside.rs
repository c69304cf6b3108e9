//! What is no part of a store: what links to folders lead to, and what is neither file nor folder.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use eas_core::error::Kind;
use eas_core::store::{Batch, SingleWrites, Store, Write};
use eas_fs::disk::{Disk, SystemDisk};
use eas_fs::{FsOptions, FsStore, Level};
use fs_support::faulty::{Fault, FaultyDisk};
use fs_support::{Machine, bytes, folder, get, keys, open, text, tree};

fn clear(store: &impl Store, base: &str) {
    for key in &store.keys(base, None).unwrap() {
        store.remove_listed(key).unwrap();
    }
}

#[test]
fn what_is_behind_a_link_to_a_folder_is_neither_listed_nor_cleared() {
    let (root, base) = folder();
    let outside = root.path().join("outside");
    fs::create_dir_all(outside.join("deep")).unwrap();
    fs::write(outside.join("thesis"), "1").unwrap();
    fs::write(outside.join("deep/part"), "1").unwrap();
    fs::write(outside.join("%~self"), "1").unwrap();
    fs::create_dir_all(base.join("x")).unwrap();
    symlink(&outside, base.join("notes")).unwrap();
    symlink(&outside, base.join("x/notes")).unwrap();
    symlink(&outside, base.join("a<b")).unwrap();
    symlink(base.join("notes"), base.join("twice")).unwrap();
    let before = tree(&outside);
    let store = open(&base);
    for asked in [
        "",
        "notes:",
        "notes:deep:",
        "x:",
        "x:notes:",
        "x:notes:deep:",
        "a<b:",
        "twice:deep:",
    ] {
        assert_eq!(keys(&store, asked), [""; 0], "{asked}");
        clear(&store, asked);
    }
    assert_eq!(tree(&outside), before);
    // An item that is asked for by its own key is reached.
    assert_eq!(get(&store, "notes:deep:part").as_deref(), Some("1"));
    assert!(store.remove("x:notes:deep:part").unwrap());
    assert!(outside.join("deep").is_dir(), "no folder goes with it");
    store.set("notes:new", &text("2"), None).unwrap();
    assert_eq!(fs::read(outside.join("new")).unwrap(), b"2");
    assert!(store.remove("notes:new").unwrap());
    assert_eq!(tree(&outside), ["%~self", "deep/", "thesis"]);
}

/// A base whose item `link` is a link to `file` in another folder.
fn linked_outside() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (root, base) = folder();
    let outside = root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(&base).unwrap();
    symlink(outside.join("file"), base.join("link")).unwrap();
    (root, base, outside)
}

#[test]
fn the_folder_that_a_link_to_a_file_leads_to_is_made_durable_like_that_of_the_key() {
    for (level, is_group) in [
        (Level::Full, false),
        (Level::Full, true),
        (Level::Background, true),
    ] {
        let (_root, base, outside) = linked_outside();
        let disk = FaultyDisk::default();
        let options = FsOptions {
            durability: level,
            ..FsOptions::at(&base).unwrap()
        };
        let store = Machine::at(1000).store(disk.clone(), options);
        let value = text("1");
        let writes = ["link", "other"].map(|key| Write::Set {
            key,
            value: &value,
            is_raw: false,
            expires_ms: None,
        });
        let checks = &[];
        let writes = if is_group { &writes[..] } else { &writes[..1] };
        store
            .apply(&Batch {
                checks,
                writes,
                is_group,
            })
            .unwrap();
        assert_eq!(fs::read(outside.join("file")).unwrap(), b"1");
        let synced = disk.calls_of("sync_folder", &outside);
        assert_eq!(synced, 1, "{level:?}, a group: {is_group}");
    }
}

#[test]
fn a_flush_covers_a_file_behind_a_link_though_more_files_are_written_than_are_noted() {
    for links_first in [true, false] {
        let (_root, base, outside) = linked_outside();
        let disk = FaultyDisk::default();
        let options = FsOptions {
            durability: Level::None,
            ..FsOptions::at(&base).unwrap()
        };
        let store = Machine::at(1000).store(disk.clone(), options);
        let set = |key: &str| store.set(key, &text("1"), None).unwrap();
        if links_first {
            set("link");
        }
        (0..10_100).for_each(|number| set(&number.to_string()));
        if !links_first {
            set("link");
        }
        store.flush().unwrap();
        let synced = disk.calls_of("sync_file", &outside.join("file"));
        assert_eq!(synced, 1, "links first: {links_first}");
    }
}

/// The bytes of the damaged values that were kept in a folder.
fn kept_in(folder: &Path) -> Vec<Vec<u8>> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let kept = names.filter(|name| name.file_name().to_string_lossy().starts_with("%~corrupt-"));
    kept.map(|name| fs::read(name.path()).unwrap()).collect()
}

#[test]
fn damaged_bytes_behind_a_link_are_kept_by_the_next_write() {
    let (root, base) = folder();
    let file = root.path().join("file");
    fs::create_dir(&base).unwrap();
    symlink(&file, base.join("link")).unwrap();
    let store = open(&base);
    for times in 1..=2 {
        fs::write(&file, b"\xff damaged").unwrap();
        let error = store.get("link").unwrap_err();
        assert_eq!(error.kind(), Kind::CorruptValue);
        store.set("link", &text("1"), None).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"1");
        assert_eq!(kept_in(&base), [b"\xff damaged"].repeat(times));
    }
}

#[test]
fn damaged_bytes_that_others_move_meanwhile_are_kept_by_the_next_write() {
    let (_root, base) = folder();
    fs::create_dir_all(base.join("%~moved")).unwrap();
    fs::write(base.join("a"), b"\xff damaged").unwrap();
    let disk = FaultyDisk::default();
    let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
    let error = store.get("a").unwrap_err();
    assert_eq!(error.kind(), Kind::CorruptValue);
    // Another process makes room for a folder of the name.
    let (from, to) = (base.join("a"), base.join("%~moved/a"));
    disk.after("stat", base.join("a"), move || {
        fs::rename(from, to).unwrap();
    });
    store.set("a", &text("1"), None).unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
    assert_eq!(kept_in(&base), [b"\xff damaged"]);
}

#[test]
fn the_base_itself_may_be_a_link() {
    let (root, base) = folder();
    let place = root.path().join("place");
    fs::create_dir(&place).unwrap();
    symlink(&place, &base).unwrap();
    let store = open(&base);
    store.set("a:b", &text("1"), None).unwrap();
    assert_eq!(keys(&store, "a:"), ["a:b"]);
    clear(&store, "");
    assert_eq!(tree(&place), [""; 0]);
}

#[test]
fn a_folder_that_becomes_a_link_while_it_is_cleared_leads_nowhere() {
    let (root, base) = folder();
    let outside = root.path().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("a"), "theirs").unwrap();
    let store = open(&base);
    store.set("notes:a", &text("1"), None).unwrap();
    store.set("notes:deep:b", &text("1"), None).unwrap();
    let listed = store.keys("", None).unwrap();
    fs::rename(base.join("notes"), root.path().join("old")).unwrap();
    symlink(&outside, base.join("notes")).unwrap();
    for key in &listed {
        assert!(!store.remove_listed(key).unwrap(), "{key}");
    }
    assert_eq!(tree(&outside), ["a"]);
}

#[test]
fn a_folder_that_becomes_a_link_while_it_is_listed_is_not_entered() {
    let (root, base) = folder();
    let (outside, old) = (root.path().join("outside"), root.path().join("old"));
    fs::create_dir_all(outside.join("deep")).unwrap();
    fs::write(outside.join("deep/theirs"), "1").unwrap();
    let disk = FaultyDisk::default();
    let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
    store.set("notes:deep:a", &text("1"), None).unwrap();
    let notes = base.join("notes");
    disk.after_listing(notes.clone(), move || {
        fs::rename(&notes, old).unwrap();
        symlink(outside, &notes).unwrap();
    });
    assert_eq!(keys(&store, ""), [""; 0]);
}

fn at_once<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    outcome
        .recv_timeout(Duration::from_secs(20))
        .expect("the call waits for ever")
}

fn fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[test]
fn what_is_no_regular_file_is_no_item_and_keeps_nobody_waiting() {
    let (_root, base) = folder();
    fs::create_dir(&base).unwrap();
    fifo(&base.join("fifo"));
    let _socket = UnixListener::bind(base.join("socket")).unwrap();
    symlink("fifo", base.join("to-fifo")).unwrap();
    symlink("/dev/zero", base.join("device")).unwrap();
    fifo(&base.join("a<b"));
    fs::create_dir(base.join("folder")).unwrap();
    fifo(&base.join("folder/%~self"));
    let before = tree(&base);
    let store = open(&base);
    for key in ["fifo", "socket", "to-fifo", "device", "a<b", "folder"] {
        let reader = store.clone();
        at_once(move || {
            assert_eq!(get(&reader, key), None, "{key}");
            assert!(reader.get_raw(key).unwrap().is_none(), "{key}");
            assert!(!reader.has(key).unwrap(), "{key}");
            assert!(reader.meta(key).unwrap().is_none(), "{key}");
            assert!(!reader.remove(key).unwrap(), "{key}");
        });
    }
    for key in ["fifo", "socket", "to-fifo", "device"] {
        let writer = store.clone();
        let error = at_once(move || writer.set(key, &text("1"), None).expect_err("in the way"));
        assert_eq!(error.kind(), Kind::System("EEXIST"), "{key}");
    }
    assert_eq!(keys(&store, ""), [""; 0]);
    assert_eq!(tree(&base), before);
}

#[test]
fn a_name_that_is_to_be_made_durable_may_stand_for_anything_by_then() {
    type Deed = fn(&Path);
    let deeds: [(&str, Deed); 7] = [
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        ("nothing", |path| fs::remove_file(path).unwrap()),
        ("a FIFO", |path| {
            fs::remove_file(path).unwrap();
            fifo(path);
        }),
        ("a link to itself", |path| {
            fs::remove_file(path).unwrap();
            symlink(path, path).unwrap();
        }),
        ("a link to a folder", |path| {
            fs::remove_file(path).unwrap();
            symlink("/", path).unwrap();
        }),
        ("a folder that became a FIFO", |path| {
            let folder = path.parent().unwrap();
            fs::remove_dir_all(folder).unwrap();
            fifo(folder);
        }),
        ("a folder that became a link to itself", |path| {
            let folder = path.parent().unwrap();
            fs::remove_dir_all(folder).unwrap();
            symlink(folder, folder).unwrap();
        }),
    ];
    for level in [Level::Background, Level::None] {
        for (name, deed) in deeds {
            let (_root, base) = folder();
            let options = FsOptions {
                durability: level,
                ..FsOptions::at(&base).unwrap()
            };
            let store = Machine::at(1000).store(SystemDisk, options);
            store.set("a:b", &text("1"), None).unwrap();
            deed(&base.join("a/b"));
            at_once(move || {
                store
                    .flush()
                    .unwrap_or_else(|error| panic!("{name}: {error}"))
            });
        }
    }
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn store_with_mode(base: &Path, mode: u32) -> FsStore {
    let options = FsOptions {
        mode,
        ..FsOptions::at(base).unwrap()
    };
    Machine::at(1000).store(SystemDisk, options)
}

#[test]
fn new_files_and_folders_get_the_mode_of_the_options() {
    let (_root, base) = folder();
    let store = store_with_mode(&base, 0o600);
    store.set("a", &text("1"), None).unwrap();
    store.set("b:c", &bytes(b"1"), None).unwrap();
    assert_eq!(mode_of(&base.join("a")), 0o600);
    assert_eq!(mode_of(&base.join("b/c")), 0o600);
    assert_eq!(mode_of(&base), 0o700);
    assert_eq!(mode_of(&base.join("b")), 0o700);
}

#[test]
fn a_replaced_file_keeps_its_mode_wherever_the_value_is() {
    let (_root, base) = folder();
    let store = open(&base);
    for mode in [0o600, 0o640, 0o664, 0o604, 0o444, 0o755] {
        for (key, path) in [("a", "a"), ("folder", "folder/%~self")] {
            store.set(key, &text("1"), None).unwrap();
            if key == "folder" {
                store.set("folder:x", &text("1"), None).unwrap();
            }
            let path = base.join(path);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            store.set(key, &text("2"), None).unwrap();
            assert_eq!(mode_of(&path), mode, "{key} {mode:o}");
        }
    }
    // The mode goes along when a file makes room for a folder, and when its name is escaped.
    store.set("b", &text("1"), None).unwrap();
    fs::set_permissions(base.join("b"), fs::Permissions::from_mode(0o640)).unwrap();
    store.set("b:c", &text("1"), None).unwrap();
    store.set("b", &text("2"), None).unwrap();
    assert_eq!(mode_of(&base.join("b/%~self")), 0o640);
    fs::write(base.join("x<y"), "1").unwrap();
    fs::set_permissions(base.join("x<y"), fs::Permissions::from_mode(0o600)).unwrap();
    store.set("x<y", &text("2"), None).unwrap();
    assert_eq!(mode_of(&base.join("x%3Cy")), 0o600);
}

#[test]
fn a_base_that_is_a_file_is_an_error_and_no_empty_store() {
    let (_root, base) = folder();
    fs::write(&base, "a file").unwrap();
    for base in [base.clone(), base.join("below")] {
        let store = open(&base);
        let errors = [
            store.get("a").map(drop),
            store.get_raw("a:b").map(drop),
            store.has("a").map(drop),
            store.meta("a").map(drop),
            store.keys("", None).map(drop),
            store.keys("a:", None).map(drop),
            store.remove("a").map(drop),
            store.remove_listed("a").map(drop),
            store.set("a", &text("1"), None),
            store.set("a:b", &text("1"), None),
        ];
        for (index, outcome) in errors.into_iter().enumerate() {
            let error = outcome.expect_err("a file is no folder");
            assert_eq!(error.kind(), Kind::System("ENOTDIR"), "{index}");
            let call = error.system_call().expect("a system call");
            assert!(call.path.is_some(), "{index}: {error:?}");
        }
    }
}

#[test]
fn a_folder_that_the_system_does_not_make_keeps_its_own_error() {
    let store = open(Path::new("/proc/no/such"));
    let error = store.set("a", &text("1"), None).expect_err("no folder");
    assert_eq!(error.kind(), Kind::System("ENOENT"));
    let call = error.system_call().expect("a system call");
    assert_eq!(call.syscall, "mkdir");
}

#[test]
fn the_disk_opens_no_fifo() {
    let (root, _) = folder();
    let path = root.path().join("fifo");
    fifo(&path);
    at_once(move || {
        assert!(SystemDisk.read(&path).is_err());
        assert!(SystemDisk.read_from(&path, 0).is_err());
        assert!(SystemDisk.append(&path, b"x", 0o600).is_err());
        assert!(SystemDisk.sync_file(&path).is_err());
        assert!(SystemDisk.sync_folder(&path).is_err());
        assert!(SystemDisk.wait_for_lock(&path, 0o600).is_err());
        assert!(SystemDisk.lock(&path, Duration::ZERO).is_err());
        let removed = SystemDisk.remove_abandoned(path.parent().unwrap(), &path);
        assert!(!removed.unwrap_or(false));
    });
}

#[test]
fn what_a_group_that_fails_gives_back_is_open_to_no_more_than_before() {
    for calls in 0.. {
        let (_root, base) = folder();
        let disk = FaultyDisk::default();
        let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
        store.set("a:secret", &text("1"), None).unwrap();
        let file = base.join("a/secret");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let value = text("1");
        let remove = Write::Remove {
            key: "a:secret",
            is_listed: false,
        };
        let set = Write::Set {
            key: "b",
            value: &value,
            is_raw: false,
            expires_ms: None,
        };
        disk.fail_after(calls, Fault::Error("ENOSPC"));
        let made = store.apply(&Batch {
            checks: &[],
            writes: &[remove, set],
            is_group: true,
        });
        let Some(failed) = disk.disarm() else {
            break;
        };
        if made.is_err() {
            assert_eq!(get(&store, "a:secret").as_deref(), Some("1"));
            assert_eq!(mode_of(&file), 0o600, "call {calls} ({failed})");
        }
    }
}
