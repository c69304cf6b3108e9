//! The fs engine on the machine's file system.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::fs;

use eas_core::error::Kind;
use eas_core::store::{SingleWrites, Store};
use eas_core::value::Value;
use eas_fs::disk::SystemDisk;
use eas_fs::ignore::Ignore;
use eas_fs::{FsOptions, FsStore};
use fs_support::faulty::{Fault, FaultyDisk};
use fs_support::{Machine, bytes, folder, get, keys, open, text, tree};

#[test]
fn a_key_is_a_file_under_the_base() {
    let (_guard, base) = folder();
    let store = open(&base);
    assert_eq!(keys(&store, ""), Vec::<String>::new());
    assert!(!base.exists(), "reading makes nothing");
    store.set("a:b:c", &text("one"), None).unwrap();
    assert_eq!(fs::read_to_string(base.join("a/b/c")).unwrap(), "one");
    assert_eq!(get(&store, "a:b:c").as_deref(), Some("one"));
    assert!(store.has("a:b:c").unwrap());
    for missing in ["a", "a:b", "a:b:c:d", "x"] {
        assert!(!store.has(missing).unwrap(), "{missing}");
        assert_eq!(get(&store, missing), None, "{missing}");
        assert!(store.meta(missing).unwrap().is_none(), "{missing}");
        assert!(!store.remove(missing).unwrap(), "{missing}");
    }
    assert_eq!(tree(&base), ["a/", "a/b/", "a/b/c"]);
}

#[test]
fn an_item_and_items_below_its_key_hold_values_in_either_order() {
    for order in [
        ["a", "a:b", "a:b:c"],
        ["a:b:c", "a:b", "a"],
        ["a:b", "a", "a:b:c"],
    ] {
        let (_guard, base) = folder();
        let store = open(&base);
        for key in order {
            store.set(key, &text(key), None).unwrap();
        }
        for key in order {
            assert_eq!(get(&store, key).as_deref(), Some(key), "{order:?}");
            store
                .set(key, &text(&format!("{key} again")), None)
                .unwrap();
            assert_eq!(get(&store, key), Some(format!("{key} again")), "{order:?}");
            assert!(store.has(key).unwrap() && store.meta(key).unwrap().is_some());
        }
        assert_eq!(keys(&store, ""), ["a", "a:b", "a:b:c"]);
        assert_eq!(keys(&store, "a:"), ["a:b", "a:b:c"]);
        assert_eq!(
            tree(&base),
            ["a/", "a/%~self", "a/b/", "a/b/%~self", "a/b/c"]
        );
        let mut left = vec!["a", "a:b", "a:b:c"];
        for key in order {
            assert!(store.remove(key).unwrap(), "{order:?} {key}");
            left.retain(|other| *other != key);
            assert_eq!(keys(&store, ""), left, "{order:?}");
            for other in &left {
                assert_eq!(
                    get(&store, other),
                    Some(format!("{other} again")),
                    "{order:?}"
                );
            }
        }
        assert_eq!(tree(&base), Vec::<String>::new(), "{order:?}");
    }
}

#[test]
fn empty_folders_go_with_their_last_key() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a:b:c", &text("1"), None).unwrap();
    store.set("a:d", &text("2"), None).unwrap();
    assert!(store.remove("a:b:c").unwrap());
    assert_eq!(tree(&base), ["a/", "a/d"]);
    assert!(store.remove("a:d").unwrap());
    assert_eq!(tree(&base), Vec::<String>::new());
    assert!(base.exists());
}

#[test]
fn many_files_are_flushed_also_when_some_of_them_are_gone() {
    let (_guard, base) = folder();
    let store = open(&base);
    for number in 0..200 {
        let key = format!("{}:{number}", number % 10);
        store.set(&key, &text(&key), None).unwrap();
    }
    fs::remove_file(base.join("0/0")).unwrap();
    fs::remove_dir_all(base.join("1")).unwrap();
    store.flush().unwrap();
    assert_eq!(keys(&store, "").len(), 179);
    fs::remove_dir_all(&base).unwrap();
    for number in 0..200 {
        store
            .set(&format!("x:{number}"), &text("again"), None)
            .unwrap();
    }
    fs::remove_dir_all(&base).unwrap();
    store.flush().unwrap();
}

#[test]
fn keys_that_cannot_be_files_are_refused_with_the_key() {
    let (_guard, base) = folder();
    let error = open(&base).check_key("a:..:\"b").expect_err("dots");
    assert_eq!(error.kind(), Kind::InvalidKey);
    assert_eq!(
        error.to_string(),
        r#"[electron-async-storage] [fs] Invalid key: "a:..:\"b". It should not contain .. segments"#
    );
    assert_eq!(error.key_name(), Some("a:..:\"b"));
    assert!(open(&base).check_key("a\0").is_err());
    assert!(open(&base).check_key("a..:.").is_ok());
}

#[test]
fn hostile_keys_have_files_of_their_own() {
    let (_guard, base) = folder();
    let store = open(&base);
    let long = "x".repeat(700);
    let hostile = [
        "x",
        ".:x",
        "con",
        "aux.txt",
        "a<b>|*\"",
        "a.",
        "a ",
        "%~self",
        "%~ttl",
        "%~tmp-1",
        "a%3Cb",
        "a<b",
        "%2E",
        "__proto__",
        "constructor",
        "a\nb",
        "...",
        &long,
        "😀",
        "a:%~self",
        "A:b",
    ];
    for key in hostile {
        store.set(key, &text(key), None).unwrap();
    }
    for key in hostile {
        assert_eq!(get(&store, key).as_deref(), Some(key));
    }
    let mut expected: Vec<&str> = hostile.to_vec();
    expected.sort_unstable();
    assert_eq!(keys(&store, ""), expected);
    for key in hostile {
        assert!(store.remove(key).unwrap(), "{key}");
    }
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn a_long_key_is_listed_with_its_depth_and_under_its_base() {
    let (_guard, base) = folder();
    let store = open(&base);
    let long = "x".repeat(600);
    let below = format!("{long}:y");
    store.set(&long, &text("1"), None).unwrap();
    store.set(&below, &text("2"), None).unwrap();
    assert_eq!(store.keys("", Some(0)).unwrap().sorted(), [long.as_str()]);
    assert_eq!(keys(&store, ""), [long.clone(), below.clone()]);
    assert_eq!(keys(&store, &format!("{long}:")), [below]);
    assert_eq!(get(&store, &long).as_deref(), Some("1"));
}

#[test]
fn files_that_other_programs_wrote_are_read_replaced_and_removed() {
    let (_guard, base) = folder();
    fs::create_dir_all(base.join("a<b")).unwrap();
    for (path, content) in [
        ("a<b/c", "1"),
        ("con", "2"),
        ("dot.", "3"),
        ("100%", "4"),
        ("x%41", "5"),
    ] {
        fs::write(base.join(path), content).unwrap();
    }
    let store = open(&base);
    let items = [
        ("100%", "4"),
        ("a<b:c", "1"),
        ("con", "2"),
        ("dot.", "3"),
        ("x%41", "5"),
    ];
    assert_eq!(keys(&store, ""), items.map(|(key, _)| key));
    for (key, value) in items {
        assert_eq!(get(&store, key).as_deref(), Some(value));
        assert!(store.has(key).unwrap());
    }
    store.set("a<b:c", &text("new"), None).unwrap();
    assert_eq!(get(&store, "a<b:c").as_deref(), Some("new"));
    assert_eq!(keys(&store, "a<b:"), ["a<b:c"]);
    for (key, _) in items {
        assert!(store.remove(key).unwrap(), "{key}");
        assert_eq!(get(&store, key), None);
    }
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn a_file_whose_name_has_an_escape_too_many_is_no_item_of_another_key() {
    let (_guard, base) = folder();
    fs::create_dir_all(&base).unwrap();
    for name in ["a<%3C", "b:c", "%~other"] {
        fs::write(base.join(name), "foreign").unwrap();
    }
    let store = open(&base);
    assert_eq!(keys(&store, ""), Vec::<String>::new());
    for key in ["a<<", "a<%3C", "b:c", "%~other"] {
        assert_eq!(get(&store, key), None, "{key}");
    }
}

#[test]
fn listings_keep_to_base_and_depth() {
    let (_guard, base) = folder();
    let store = open(&base);
    for key in ["a", "a:b", "a:b:c", "a:b:c:d", "ab:c", "e$", "a:x$"] {
        store.set(key, &text("v"), None).unwrap();
    }
    let listed = |base: &str, depth| store.keys(base, depth).unwrap().sorted();
    assert_eq!(listed("", Some(0)), ["a", "e$"]);
    assert_eq!(listed("", Some(1)), ["a", "a:b", "a:x$", "ab:c", "e$"]);
    assert_eq!(
        listed("", Some(2)),
        ["a", "a:b", "a:b:c", "a:x$", "ab:c", "e$"]
    );
    assert_eq!(listed("a:", None), ["a:b", "a:b:c", "a:b:c:d", "a:x$"]);
    assert_eq!(listed("a:", Some(0)), Vec::<String>::new());
    assert_eq!(listed("a:", Some(1)), ["a:b", "a:x$"]);
    assert_eq!(listed("a:b:", Some(2)), ["a:b:c"]);
    assert_eq!(listed("nothing:", None), Vec::<String>::new());
    assert_eq!(listed("..:", None), Vec::<String>::new());
}

#[test]
fn ignored_files_are_not_listed_and_their_folders_not_walked() {
    let (_guard, base) = folder();
    let options = FsOptions::at(&base).unwrap();
    let ignore = Ignore::new(["**/tmp/**", "*.log"], base.to_str().unwrap());
    let store = Machine::at(0).store(SystemDisk, FsOptions { ignore, ..options });
    for key in [
        "a",
        "tmp:x",
        "b:tmp:y:z",
        "b:c",
        "x.log",
        "b:x.log",
        "x.log:y",
    ] {
        store.set(key, &text(key), None).unwrap();
    }
    assert_eq!(keys(&store, ""), ["a", "b:c", "b:x.log"]);
    assert_eq!(keys(&store, "tmp:"), Vec::<String>::new());
    assert_eq!(get(&store, "tmp:x").as_deref(), Some("tmp:x"));
    assert_eq!(store.key_of_path(&base.join("b/c")).as_deref(), Some("b:c"));
    assert_eq!(store.key_of_path(&base.join("b/tmp/y/z")), None);
    assert_eq!(store.key_of_path(&base.join("x.log/%~self")), None);
    assert_eq!(store.key_of_path(&base.join("b/%~tmp-1")), None);
    assert_eq!(
        store.key_of_path(&base.join("%~moved/q")).as_deref(),
        Some("q")
    );
    assert_eq!(store.key_of_path(base.parent().unwrap()), None);
}

#[test]
fn what_is_stored_comes_back_byte_for_byte_at_any_size() {
    let (_guard, base) = folder();
    let store = open(&base);
    for size in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let value: Vec<u8> = (0..size).map(|index| (index * 31 % 251) as u8).collect();
        store.set("raw", &bytes(&value), None).unwrap();
        assert_eq!(
            store.get_raw("raw").unwrap(),
            Some(Value::buffer(value)),
            "{size}"
        );
        assert_eq!(store.meta("raw").unwrap().unwrap().size, Some(size as u64));
    }
    let value = "ключ 😀 é ".repeat(20_000);
    store.set("text", &text(&value), None).unwrap();
    assert_eq!(get(&store, "text"), Some(value));
}

#[test]
fn a_damaged_value_is_an_error_and_its_bytes_are_kept_by_the_next_write() {
    let (_guard, base) = folder();
    fs::create_dir_all(base.join("b")).unwrap();
    fs::write(base.join("empty"), "").unwrap();
    fs::write(base.join("b/latin"), b"{\"json\":\"\xe9\"}").unwrap();
    fs::write(base.join("torn"), "{\"json\":").unwrap();
    let store = open(&base);
    for key in ["empty", "b:latin"] {
        let error = store.get(key).expect_err("damaged");
        assert_eq!(error.kind(), Kind::CorruptValue, "{key}");
        assert_eq!(error.key_name(), Some(key));
    }
    store.note_corrupt("torn");
    for key in ["empty", "b:latin", "torn"] {
        store.set(key, &text("new"), None).unwrap();
        store.set(key, &text("newer"), None).unwrap();
        assert_eq!(get(&store, key).as_deref(), Some("newer"));
    }
    assert_eq!(keys(&store, ""), ["b:latin", "empty", "torn"]);
    let kept = |folder: &str, name: &str| {
        let found: Vec<_> = tree(&base.join(folder))
            .into_iter()
            .filter(|path| path.starts_with("%~corrupt-") && path.ends_with(name))
            .collect();
        assert_eq!(found.len(), 1, "{name}");
        fs::read(base.join(folder).join(&found[0])).unwrap()
    };
    assert_eq!(kept("", "empty"), b"");
    assert_eq!(kept("b", "latin"), b"{\"json\":\"\xe9\"}");
    assert_eq!(kept("", "torn"), b"{\"json\":");
}

#[test]
fn a_read_only_store_changes_nothing_on_disk() {
    let (_guard, base) = folder();
    fs::create_dir_all(&base).unwrap();
    fs::write(base.join("a"), "1").unwrap();
    fs::write(base.join("%~tmp-dead"), "x").unwrap();
    let machine = Machine::at(0);
    let store = machine.store(
        SystemDisk,
        FsOptions {
            read_only: true,
            ..FsOptions::at(&base).unwrap()
        },
    );
    assert!(store.info().read_only);
    store.set("a", &text("2"), Some(5)).unwrap();
    store.set("b", &text("2"), None).unwrap();
    assert!(!store.remove("a").unwrap());
    assert!(store.lock().unwrap().is_none());
    assert_eq!(keys(&store, ""), ["a"]);
    machine.run_jobs();
    assert_eq!(tree(&base), ["%~tmp-dead", "a"]);
    assert_eq!(get(&store, "a").as_deref(), Some("1"));
}

#[test]
fn temporary_files_of_the_dead_go_at_first_use_and_those_of_the_living_stay() {
    for by_listing in [false, true] {
        let (_guard, base) = folder();
        fs::create_dir_all(base.join("a/b")).unwrap();
        fs::create_dir_all(base.join("c")).unwrap();
        fs::write(base.join("a/b/%~tmp-dead"), "half").unwrap();
        fs::write(base.join("c/%~tmp-living"), "half").unwrap();
        let living = fs::File::open(base.join("c/%~tmp-living")).unwrap();
        living.lock().unwrap();
        let machine = Machine::at(0);
        let store = machine.open(&base);
        if by_listing {
            assert_eq!(keys(&store, ""), Vec::<String>::new());
        } else {
            assert_eq!(get(&store, "x"), None);
            machine.run_jobs();
        }
        assert_eq!(
            tree(&base),
            ["c/", "c/%~tmp-living"],
            "by listing: {by_listing}"
        );
    }
}

#[test]
fn a_value_that_a_crash_left_on_the_move_is_found_listed_replaced_and_removed() {
    let prepared = |folder_made: bool| {
        let (guard, base) = folder();
        fs::create_dir_all(base.join("%~moved")).unwrap();
        fs::write(base.join("%~moved/a"), "old").unwrap();
        if folder_made {
            fs::create_dir_all(base.join("a")).unwrap();
            fs::write(base.join("a/b"), "below").unwrap();
        }
        (guard, base)
    };
    for folder_made in [false, true] {
        let (_guard, base) = prepared(folder_made);
        let store = open(&base);
        assert_eq!(get(&store, "a").as_deref(), Some("old"));
        assert!(store.has("a").unwrap());
        assert!(keys(&store, "").contains(&"a".to_owned()));
        store.set("a", &text("new"), None).unwrap();
        assert_eq!(get(&store, "a").as_deref(), Some("new"));
        store.set("a:c", &text("also"), None).unwrap();
        assert_eq!(get(&store, "a").as_deref(), Some("new"));
        assert!(store.remove("a").unwrap());
        assert_eq!(get(&store, "a"), None);

        let (_guard, base) = prepared(folder_made);
        let store = open(&base);
        store.set("a:c", &text("also"), None).unwrap();
        assert_eq!(get(&store, "a").as_deref(), Some("old"));
        assert!(store.remove("a").unwrap());
        assert_eq!(get(&store, "a"), None);
        assert!(!keys(&store, "").contains(&"a".to_owned()));
        assert!(!base.join("%~moved").exists());
    }
}

#[test]
fn a_listing_misses_no_value_that_another_process_moves_meanwhile() {
    /// A value on its way from `a` to the folder `a`, and after which listing it arrives there.
    struct Case {
        name: &'static str,
        has_folder: bool,
        has_neighbour: bool,
        listed: &'static str,
    }
    let case = |name, has_folder, has_neighbour, listed| Case {
        name,
        has_folder,
        has_neighbour,
        listed,
    };
    for case in [
        case("its folder is not there yet", false, false, ""),
        case("its folder was read when it was empty", true, false, "a"),
        case("another one is on the move too", false, true, ""),
    ] {
        let (_guard, base) = folder();
        let (place, own) = (base.join("%~moved"), base.join("a"));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("a"), "value of a").unwrap();
        fs::write(base.join("b"), "value of b").unwrap();
        if case.has_folder {
            fs::create_dir(&own).unwrap();
        }
        if case.has_neighbour {
            fs::write(place.join("c"), "value of c").unwrap();
        }
        let disk = FaultyDisk::default();
        let options = FsOptions::at(&base).unwrap();
        let store = Machine::at(1000).store(disk.clone(), options);
        // Before the move ends both the base and the place may have been read, in any order.
        disk.after_listing(base.join(case.listed), move || {
            let _ = fs::create_dir(&own);
            fs::rename(place.join("a"), own.join("%~self")).unwrap();
            let _ = fs::remove_dir(&place);
        });
        let expected: &[&str] = if case.has_neighbour {
            &["a", "b", "c"]
        } else {
            &["a", "b"]
        };
        assert_eq!(keys(&store, ""), expected, "{}", case.name);
        assert_eq!(get(&store, "a").as_deref(), Some("value of a"));
    }
}

#[test]
fn what_a_crash_left_on_the_move_costs_a_listing_one_more_look() {
    for left in [None, Some("a")] {
        let (_guard, base) = folder();
        let place = base.join("%~moved");
        fs::create_dir_all(&place).unwrap();
        if let Some(name) = left {
            fs::write(place.join(name), "value").unwrap();
        }
        let disk = FaultyDisk::default();
        let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
        let listed: Vec<String> = left.into_iter().map(str::to_owned).collect();
        for _ in 0..2 {
            let before = disk.listings_of(&base);
            assert_eq!(keys(&store, ""), listed);
            assert!(disk.listings_of(&base) - before <= 3, "{left:?}");
        }
    }
}

#[test]
fn errors_of_the_system_keep_their_code_and_the_place() {
    let (_guard, base) = folder();
    fs::write(&base, "a file where the base should be").unwrap();
    let store = open(&base);
    let error = store.get("a").expect_err("no folder");
    assert_eq!(error.kind(), Kind::System("ENOTDIR"));
    let error = store.set("a", &text("1"), None).expect_err("no folder");
    assert_eq!(error.kind(), Kind::System("ENOTDIR"));
    assert_eq!(
        (
            error.driver_name(),
            error.operation_name(),
            error.key_name()
        ),
        (Some("fs"), Some("setItem"), Some("a"))
    );
    assert_eq!(
        fs::read_to_string(&base).unwrap(),
        "a file where the base should be"
    );
}

#[test]
fn metadata_are_those_of_the_file() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a", &text("four"), None).unwrap();
    let meta = store.meta("a").unwrap().unwrap();
    assert_eq!(meta.size, Some(4));
    let mtime = fs::metadata(base.join("a")).unwrap().modified().unwrap();
    let expected = mtime
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
        * 1000.0;
    assert!((meta.mtime_ms.unwrap() - expected).abs() < 0.01);
    assert!(meta.atime_ms.is_some() && meta.ctime_ms.is_some() && meta.birthtime_ms.is_some());
    assert_eq!(meta.ttl_ms, None);
}

#[test]
fn the_lock_of_the_store_is_held_by_one_at_a_time() {
    let (_guard, base) = folder();
    let (one, other) = (open(&base), open(&base));
    let held = one.lock().unwrap();
    assert!(held.is_some());
    let file = fs::File::open(base.join("%~lock")).unwrap();
    assert!(file.try_lock().is_err());
    one.set("a", &text("1"), None).unwrap();
    one.set("a:b", &text("2"), Some(9_000)).unwrap();
    drop(held);
    assert!(other.lock().unwrap().is_some());
    assert_eq!(keys(&other, ""), ["a", "a:b"]);
}

#[cfg(unix)]
mod unix {
    #[cfg(target_os = "linux")]
    #[test]
    fn an_end_in_a_base_that_cannot_be_made_is_an_error() {
        let store = open(std::path::Path::new("/proc/eas/base"));
        for expires_ms in [None, Some(2000)] {
            let error = store
                .set("a", &text("{\"json\":1}"), expires_ms)
                .unwrap_err();
            assert!(matches!(error.kind(), Kind::System(_)), "{error:?}");
        }
    }

    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn an_end_of_a_path_that_no_file_can_have_is_forgotten() {
        let (_guard, base) = folder();
        fs::create_dir_all(&base).unwrap();
        let line = format!("{{\"k\":\"{}\",\"x\":1}}\n", "a:".repeat(4000) + "a");
        fs::write(base.join("%~ttl"), line).unwrap();
        let store = open(&base);
        store.set("b", &text("{\"json\":1}"), Some(2)).unwrap();
        assert_eq!(store.sweep(2000).unwrap(), ["b"]);
        assert_eq!(store.next_expiry().unwrap(), None);
        assert_eq!(store.sweep(2000).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_link_is_written_through_and_stays() {
        let (guard, base) = folder();
        fs::create_dir_all(&base).unwrap();
        let target = guard.path().join("target");
        fs::write(&target, "old").unwrap();
        symlink("../target", base.join("a")).unwrap();
        symlink("a", base.join("chain")).unwrap();
        symlink("../missing", base.join("dangling")).unwrap();
        symlink("../no/folder", base.join("nowhere")).unwrap();
        let store = open(&base);
        assert_eq!(get(&store, "a").as_deref(), Some("old"));
        assert_eq!(get(&store, "dangling"), None);
        for (key, target) in [
            ("a", "target"),
            ("chain", "target"),
            ("dangling", "missing"),
        ] {
            store.set(key, &text(key), None).unwrap();
            assert_eq!(get(&store, key).as_deref(), Some(key));
            assert!(
                fs::symlink_metadata(base.join(key)).unwrap().is_symlink(),
                "{key}"
            );
            assert_eq!(fs::read_to_string(guard.path().join(target)).unwrap(), key);
        }
        let error = store
            .set("nowhere", &text("x"), None)
            .expect_err("no folder there");
        assert_eq!(error.kind(), Kind::System("ENOENT"));
        assert_eq!(keys(&store, ""), ["a", "chain", "dangling"]);
        assert!(store.remove("chain").unwrap());
        assert!(target.exists() && base.join("a").exists() && !base.join("chain").exists());
        assert_eq!(
            tree(guard.path()),
            [
                "base/",
                "base/a",
                "base/dangling",
                "base/nowhere",
                "missing",
                "target"
            ]
        );
    }

    #[test]
    fn a_linked_folder_is_no_item_and_is_not_walked() {
        let (guard, base) = folder();
        fs::create_dir_all(guard.path().join("else")).unwrap();
        fs::create_dir_all(&base).unwrap();
        symlink("../else", base.join("a")).unwrap();
        symlink(".", base.join("loop")).unwrap();
        let store = open(&base);
        assert!(!store.has("a").unwrap());
        assert!(!store.remove("a").unwrap());
        store.set("a:b", &text("1"), None).unwrap();
        assert_eq!(get(&store, "a:b").as_deref(), Some("1"));
        assert_eq!(keys(&store, ""), Vec::<String>::new());
        assert!(fs::symlink_metadata(base.join("a")).unwrap().is_symlink());
    }

    #[test]
    fn a_link_to_a_file_does_not_make_room_for_a_folder() {
        let (guard, base) = folder();
        fs::create_dir_all(&base).unwrap();
        fs::write(guard.path().join("target"), "old").unwrap();
        symlink("../target", base.join("a")).unwrap();
        let store = open(&base);
        let error = store
            .set("a:b", &text("1"), None)
            .expect_err("a link in the way");
        assert_eq!(error.kind(), Kind::System("ENOTDIR"));
        assert_eq!(get(&store, "a").as_deref(), Some("old"));
        assert_eq!(tree(&base), ["a"]);
    }

    #[test]
    fn permissions_of_a_file_are_kept() {
        let (_guard, base) = folder();
        let store = open(&base);
        store.set("a", &text("1"), None).unwrap();
        for mode in [0o600, 0o666, 0o444, 0o640, 0o755] {
            fs::set_permissions(base.join("a"), fs::Permissions::from_mode(mode)).unwrap();
            store.set("a", &text("2"), None).unwrap();
            let kept = fs::metadata(base.join("a")).unwrap().mode() & 0o7777;
            assert_eq!(kept, mode, "{kept:o} for {mode:o}");
        }
    }

    #[test]
    fn a_name_that_is_not_unicode_is_no_item() {
        use std::os::unix::ffi::OsStrExt;
        let (_guard, base) = folder();
        fs::create_dir_all(&base).unwrap();
        fs::write(base.join(std::ffi::OsStr::from_bytes(b"a\xff")), "1").unwrap();
        let store = open(&base);
        assert_eq!(keys(&store, ""), Vec::<String>::new());
    }

    #[test]
    fn a_path_beyond_the_limit_of_the_system_is_an_error_with_its_code() {
        let (_guard, base) = folder();
        let store = open(&base);
        let key = vec!["x".repeat(200); 50].join(":");
        let error = store.set(&key, &text("1"), None).expect_err("too long");
        assert_eq!(error.kind(), Kind::System("ENAMETOOLONG"));
        assert_eq!(tree(&base), Vec::<String>::new());
    }
}

const HOUR_MS: u64 = 3_600_000;

fn with_clock() -> (tempfile::TempDir, std::path::PathBuf, Machine, FsStore) {
    let (guard, base) = folder();
    let machine = Machine::at(HOUR_MS);
    let store = machine.open(&base);
    (guard, base, machine, store)
}

#[test]
fn an_item_with_an_end_is_gone_after_it_for_every_call_and_every_process() {
    let (_guard, base, machine, store) = with_clock();
    let other = machine.open(&base);
    assert!(!other.has("a").unwrap());
    let raw = bytes(b"\x00raw");
    store
        .set("a", &text("{\"json\":1}"), Some(HOUR_MS + 10))
        .unwrap();
    store.set("b:raw", &raw, Some(HOUR_MS + 10)).unwrap();
    store
        .set("c", &text("{\"json\":{\"expires\":1}}"), None)
        .unwrap();
    assert_eq!(
        fs::read_to_string(base.join("a")).unwrap(),
        format!("{{\"expires\":{},\"json\":1}}", HOUR_MS + 10)
    );
    let header = [
        0x89, b'E', b'A', b'S', b'\r', b'\n', 0x1a, b'\n', 1, 0, 0, 0, 0, 0, 0, 0,
    ];
    let expiry = (HOUR_MS + 10).to_le_bytes();
    assert_eq!(
        fs::read(base.join("b/raw")).unwrap(),
        [&header[..], &expiry, b"\x00raw"].concat()
    );
    machine.set_time(HOUR_MS + 9);
    let late = machine.open(&base);
    for store in [&store, &other, &late] {
        assert_eq!(keys(store, ""), ["a", "b:raw", "c"]);
        assert_eq!(store.meta("a").unwrap().unwrap().ttl_ms, Some(1));
        assert_eq!(store.meta("b:raw").unwrap().unwrap().ttl_ms, Some(1));
        assert_eq!(store.meta("c").unwrap().unwrap().ttl_ms, None);
        assert_eq!(store.get_raw("b:raw").unwrap(), Some(raw.clone()));
        assert_eq!(store.next_expiry().unwrap(), Some(HOUR_MS + 10));
    }
    machine.set_time(HOUR_MS + 10);
    for store in [&store, &other, &late] {
        assert_eq!(keys(store, ""), ["c"]);
        for key in ["a", "b:raw"] {
            assert!(!store.has(key).unwrap(), "{key}");
            assert!(store.get(key).unwrap().is_none(), "{key}");
            assert!(store.get_raw(key).unwrap().is_none(), "{key}");
            assert!(store.meta(key).unwrap().is_none(), "{key}");
        }
    }
    let mut swept = other.sweep(HOUR_MS + 10).unwrap();
    swept.sort();
    assert_eq!(swept, ["a", "b:raw"]);
    assert_eq!(store.next_expiry().unwrap(), None);
    assert_eq!(store.sweep(HOUR_MS + 10).unwrap(), Vec::<String>::new());
    assert_eq!(tree(&base), ["%~ttl", "c"]);
}

#[test]
fn overwriting_without_an_end_makes_an_item_permanent() {
    let (_guard, base, machine, store) = with_clock();
    for key in ["text", "raw", "removed"] {
        store
            .set(key, &text("{\"json\":1}"), Some(HOUR_MS + 10))
            .unwrap();
        store.set(key, &bytes(b"1"), Some(HOUR_MS + 10)).unwrap();
    }
    store.set("text", &text("{\"json\":2}"), None).unwrap();
    store.set("raw", &bytes(b"2"), None).unwrap();
    assert!(store.remove("removed").unwrap());
    store.set("removed", &bytes(b"2"), None).unwrap();
    assert_eq!(store.next_expiry().unwrap(), None);
    machine.set_time(2 * HOUR_MS);
    assert_eq!(store.sweep(2 * HOUR_MS).unwrap(), Vec::<String>::new());
    assert_eq!(keys(&machine.open(&base), ""), ["raw", "removed", "text"]);
}

#[test]
fn a_value_that_another_program_wrote_over_an_ending_one_stays() {
    let (_guard, base, machine, store) = with_clock();
    for key in ["text", "raw"] {
        let value = if key == "raw" {
            bytes(b"1")
        } else {
            text("{\"json\":1}")
        };
        store.set(key, &value, Some(HOUR_MS + 10)).unwrap();
        fs::write(base.join(key), "{\"json\":\"foreign\"}").unwrap();
    }
    machine.set_time(2 * HOUR_MS);
    for key in ["text", "raw"] {
        assert_eq!(
            get(&store, key).as_deref(),
            Some("{\"json\":\"foreign\"}"),
            "{key}"
        );
        assert!(store.has(key).unwrap(), "{key}");
    }
    assert_eq!(store.sweep(2 * HOUR_MS).unwrap(), Vec::<String>::new());
    assert_eq!(keys(&store, ""), ["raw", "text"]);
}

#[test]
fn a_file_that_was_formatted_by_hand_keeps_its_end() {
    let (_guard, base, machine, store) = with_clock();
    store
        .set("a", &text("{\"json\":1}"), Some(HOUR_MS + 10))
        .unwrap();
    let by_hand = format!("{{\n  \"json\": 1,\n  \"expires\": {}\n}}\n", HOUR_MS + 20);
    fs::write(base.join("a"), &by_hand).unwrap();
    machine.set_time(HOUR_MS + 10);
    assert_eq!(get(&store, "a"), Some(by_hand));
    assert_eq!(store.meta("a").unwrap().unwrap().ttl_ms, Some(10));
    assert_eq!(store.sweep(HOUR_MS + 10).unwrap(), Vec::<String>::new());
    assert_eq!(store.next_expiry().unwrap(), Some(HOUR_MS + 20));
    machine.set_time(HOUR_MS + 20);
    assert_eq!(get(&store, "a"), None);
    assert_eq!(store.sweep(HOUR_MS + 20).unwrap(), ["a"]);
}

#[test]
fn without_any_end_there_is_no_index() {
    let (_guard, base, _machine, store) = with_clock();
    store.set("a", &text("1"), None).unwrap();
    store.remove("a").unwrap();
    assert_eq!(store.sweep(u64::MAX).unwrap(), Vec::<String>::new());
    assert_eq!(tree(&base), Vec::<String>::new());
}

#[test]
fn the_index_stays_small_whatever_passes_through_it() {
    let (_guard, base, machine, store) = with_clock();
    store
        .set("stays", &bytes(b"1"), Some(HOUR_MS + 50))
        .unwrap();
    for round in 0..3000_u64 {
        store
            .set(&format!("k{}", round % 7), &bytes(b"1"), Some(HOUR_MS + 10))
            .unwrap();
    }
    assert!(fs::metadata(base.join("%~ttl")).unwrap().len() < 70_000);
    let other = machine.open(&base);
    machine.set_time(HOUR_MS + 20);
    assert_eq!(keys(&other, ""), ["stays"]);
    assert_eq!(other.sweep(HOUR_MS + 20).unwrap().len(), 7);
    machine.set_time(HOUR_MS + 50);
    assert_eq!(keys(&store, ""), Vec::<String>::new());
}

#[test]
fn of_the_index_only_what_another_process_added_is_read() {
    let (_guard, base, machine, other) = with_clock();
    let disk = FaultyDisk::default();
    let store = machine.store(disk.clone(), FsOptions::at(&base).unwrap());
    let index = base.join("%~ttl");
    let value = text("{\"json\":1}");
    other.set("k0", &value, Some(2 * HOUR_MS)).unwrap();
    assert_eq!(store.next_expiry().unwrap(), Some(2 * HOUR_MS));
    let reads = disk.calls_of("read", &index);
    for number in 1..=20 {
        let key = format!("k{number}");
        other.set(&key, &value, Some(2 * HOUR_MS - number)).unwrap();
        assert_eq!(store.next_expiry().unwrap(), Some(2 * HOUR_MS - number));
        store
            .set("own", &value, Some(2 * HOUR_MS + number))
            .unwrap();
        assert_eq!(store.next_expiry().unwrap(), Some(2 * HOUR_MS - number));
    }
    assert_eq!(disk.calls_of("read", &index), reads);
    assert!(disk.calls_of("read_from", &index) >= 20);
}

#[test]
fn what_the_background_could_not_fsync_is_told_by_flush_and_tried_again() {
    let (_guard, base) = folder();
    let machine = Machine::at(0);
    let disk = FaultyDisk::default();
    let store = machine.store(disk.clone(), FsOptions::at(&base).unwrap());
    assert!(!store.has("a").unwrap());
    machine.run_jobs();
    store.set("a", &text("1"), None).unwrap();
    disk.fail_after(0, Fault::Error("EIO"));
    machine.run_jobs();
    assert!(disk.disarm().is_some());
    let error = store.flush().expect_err("the background failed");
    assert_eq!(error.kind(), Kind::System("EIO"));
    store.flush().unwrap();

    store.set("a", &text("2"), None).unwrap();
    disk.fail_after(0, Fault::Error("EIO"));
    assert_eq!(
        store.flush().expect_err("the flush failed").kind(),
        Kind::System("EIO")
    );
    disk.fail_after(0, Fault::Error("EIO"));
    assert!(
        store.flush().is_err(),
        "what failed is not taken for durable"
    );
    disk.disarm();
    store.flush().unwrap();
}

#[test]
fn a_raw_value_that_has_ended_does_not_come_back_when_the_next_write_is_cut_off() {
    for calls in 0.. {
        let (_guard, base) = folder();
        let machine = Machine::at(1_000);
        let disk = FaultyDisk::default();
        let store = machine.store(disk.clone(), FsOptions::at(&base).unwrap());
        store.set("k", &bytes(b"old"), Some(1_500)).unwrap();
        machine.set_time(2_000);
        assert_eq!(store.get_raw("k").unwrap(), None);
        disk.fail_after(calls, Fault::End);
        let outcome = store.set("k", &bytes(b"newer"), Some(2_500));
        disk.disarm();
        let found = machine.open(&base).get_raw("k").unwrap();
        assert_ne!(found, Some(bytes(b"old")), "after {calls} calls");
        machine.set_time(3_000);
        assert_eq!(
            machine.open(&base).get_raw("k").unwrap(),
            None,
            "after {calls} calls"
        );
        if outcome.is_ok() {
            break;
        }
    }
}

/// What another process does with an item whose time is over.
type End = fn(&FsStore);

const ENDS: [(&str, End); 5] = [
    ("is swept", |other| {
        other.sweep(10).unwrap();
    }),
    ("is replaced by one that ends", |other| {
        other.set("k", &bytes(b"other"), Some(99)).unwrap();
    }),
    ("is replaced by one that stays", |other| {
        other.set("k", &bytes(b"other"), None).unwrap();
    }),
    ("is replaced by text", |other| {
        other.set("k", &text("{\"json\":1}"), Some(99)).unwrap();
    }),
    ("is replaced and swept", |other| {
        other.set("k", &bytes(b"other"), Some(10)).unwrap();
        other.sweep(10).unwrap();
    }),
];

/// Calls `test` with a store that is about to look at `k` and one of another process, for each way
/// in which that item expires meanwhile.
fn while_an_item_ends(
    value: &Value,
    call: &'static str,
    test: impl Fn(&FsStore<FaultyDisk>, &str),
) {
    for (how, end) in ENDS {
        for has_looked in [false, true] {
            let (_guard, base) = folder();
            let machine = Machine::at(1);
            let other = machine.open(&base);
            other.set("k", value, Some(10)).unwrap();
            let disk = FaultyDisk::default();
            let store = machine.store(disk.clone(), FsOptions::at(&base).unwrap());
            if has_looked {
                assert!(store.meta("k").unwrap().unwrap().ttl_ms.is_some());
            }
            machine.set_time(10);
            disk.after(call, base.join("k"), move || end(&other));
            test(&store, &format!("{how}, has looked: {has_looked}"));
        }
    }
}

#[test]
fn a_raw_value_that_has_ended_is_not_read_while_it_goes() {
    while_an_item_ends(&bytes(b"old"), "read", |store, how| {
        let found = store.get_raw("k").unwrap();
        // The item was missing when it was looked at, whatever came since.
        assert_eq!(found, None, "{how}");
        assert_ne!(store.get_raw("k").unwrap(), Some(bytes(b"old")), "{how}");
    });
}

#[test]
fn an_item_that_has_ended_is_not_there_while_it_goes() {
    for value in [bytes(b"old"), text("{\"json\":\"old\"}")] {
        while_an_item_ends(&value, "stat", |store, how| {
            let found = store.meta("k").unwrap().map(|meta| meta.size);
            let size = store.meta("k").unwrap().map(|meta| meta.size);
            assert_eq!(found, size, "{how}, {value:?}");
        });
    }
}

#[test]
fn a_value_that_reads_again_is_not_kept_aside() {
    let (_guard, base) = folder();
    let store = open(&base);
    store.set("a", &text("1"), None).unwrap();
    fs::write(base.join("a"), b"\xff").unwrap();
    store.get("a").expect_err("damaged");
    fs::write(base.join("a"), "2").unwrap();
    assert_eq!(get(&store, "a").as_deref(), Some("2"));
    store.set("a", &text("3"), None).unwrap();
    assert_eq!(tree(&base), ["a"]);
}

#[test]
fn what_cannot_be_read_is_listed_and_other_failures_name_their_path() {
    for (code, is_listed) in [("EBUSY", true), ("EACCES", true), ("EIO", false)] {
        let mut looks = 0;
        for call in 0.. {
            let (_guard, base) = folder();
            let disk = FaultyDisk::default();
            let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
            fs::create_dir(&base).unwrap();
            fs::write(base.join("a"), "{\"json\":1}").unwrap();
            disk.fail_after(call, Fault::Error(code));
            let listed = store.keys("", None);
            let Some(failed) = disk.disarm() else {
                break;
            };
            if failed == "read_with_stat" {
                looks += 1;
                assert_eq!(listed.is_ok(), is_listed, "{code} {call}");
            }
            match listed {
                Ok(listed) => assert_eq!(listed.sorted(), ["a"], "{code} {failed}"),
                Err(error) => {
                    let path = error.system_call().and_then(|call| call.path.as_deref());
                    let path = std::path::Path::new(path.expect(failed));
                    assert!(path.starts_with(&base), "{code} {failed} {path:?}");
                }
            }
        }
        assert_eq!(looks, 1, "{code}");
    }
}

/// An item that expired before, of which the index knows nothing, and the key of it.
fn expired_by_hand(base: &std::path::Path) -> &'static str {
    fs::create_dir_all(base).unwrap();
    fs::write(base.join("a"), "{\"json\":1,\"expires\":1}").unwrap();
    "a"
}

#[test]
fn an_expired_item_goes_though_its_key_was_locked_when_its_removal_began() {
    let (_guard, base) = folder();
    let key = expired_by_hand(&base);
    let options = || FsOptions::at(&base).unwrap();
    let (disk, machine) = (FaultyDisk::default(), Machine::at(1000));
    let store = machine.store(disk.clone(), options());
    assert_eq!(get(&store, key), None);
    // Another store has the lock until its own removal fails.
    let other_disk = FaultyDisk::default();
    let other = Machine::at(1000).store(other_disk.clone(), options());
    let (started, removal) = std::sync::mpsc::channel();
    let fails = other_disk.clone();
    other_disk.after("stat_link", base.join("%~moved").join(key), move || {
        let removal = std::thread::spawn(move || machine.run_jobs());
        while disk.calls_of("try_lock_key", std::path::Path::new("")) == 0 && !removal.is_finished()
        {
            std::thread::yield_now();
        }
        fails.fail_after(0, Fault::Error("EIO"));
        started.send(removal).unwrap();
    });
    assert!(other.remove(key).is_err());
    removal.try_recv().unwrap().join().unwrap();
    assert_eq!(tree(&base), Vec::<String>::new());
}

/// On Windows the name of a removed file is there until whoever has it open closes it.
#[test]
fn an_expired_item_does_not_come_back_while_a_reader_holds_its_removed_file() {
    let (_guard, base) = folder();
    let key = expired_by_hand(&base);
    let (disk, machine) = (FaultyDisk::default(), Machine::at(1000));
    let store = machine.store(disk.clone(), FsOptions::at(&base).unwrap());
    assert_eq!(get(&store, key), None);
    let moved = base.join("%~moved").join(key);
    let content = fs::read(base.join(key)).unwrap();
    let name = moved.clone();
    disk.after("remove_file", moved.clone(), move || {
        fs::write(name, content).unwrap()
    });
    machine.run_jobs();
    assert!(!base.join(key).exists());
    assert_eq!(disk.calls_of("remove_file", &moved), 1);
}

#[test]
fn a_value_that_takes_the_place_of_an_expired_one_before_its_removal_is_not_touched() {
    let (_guard, base) = folder();
    let key = expired_by_hand(&base);
    let (disk, machine) = (FaultyDisk::default(), Machine::at(1000));
    let store = machine.store(disk.clone(), FsOptions::at(&base).unwrap());
    assert_eq!(get(&store, key), None);
    let other = open(&base);
    disk.after("read", base.join(key), move || {
        other.set("a", &text("new"), None).unwrap();
    });
    let looks = || disk.calls_of("stat_link", &base.join("%~moved").join(key));
    let before = looks();
    machine.run_jobs();
    assert_eq!(looks(), before, "it is not moved aside");
    assert_eq!(get(&store, key).as_deref(), Some("new"));
    assert_eq!(tree(&base), ["a"]);
}

/// The first write of a key whose file has the name without escapes gives it the other name.
#[cfg(unix)]
#[test]
fn a_value_whose_file_changes_its_name_is_there_all_the_time() {
    let key = "a<b";
    let base_of = |name: &str| {
        let (guard, base) = folder();
        fs::create_dir_all(&base).unwrap();
        fs::write(base.join(name), "old").unwrap();
        (guard, base)
    };
    type Read = fn(&FsStore<FaultyDisk>, &str) -> bool;
    let reads: [(&str, Read); 2] = [
        ("read", |store, key| store.get(key).unwrap().is_some()),
        ("stat", |store, key| store.has(key).unwrap()),
    ];
    for (call, read) in reads {
        for last in ["a%3Cb", "%~moved/a%3Cb", "a%3Cb/%~self"] {
            let (_guard, base) = base_of(key);
            let disk = FaultyDisk::default();
            let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
            let other = open(&base);
            disk.after(call, base.join(last), move || {
                other.set(key, &text("new"), None).unwrap();
            });
            assert!(read(&store, key), "{call}, after {last}");
            assert_eq!(fs::read_to_string(base.join("a%3Cb")).unwrap(), "new");
        }
    }
}

#[test]
fn no_value_is_taken_for_the_content_of_a_placeholder() {
    let content = b"%~placeholder\0 3c2e7d1b9a6f4058\n";
    let (_guard, base) = folder();
    let store = open(&base);
    let as_text = text(str::from_utf8(content).unwrap());
    for value in [bytes(content), as_text] {
        store.set("a", &value, None).unwrap();
        store.set("a:b", &text("1"), None).unwrap();
        assert_eq!(store.get_raw("a").unwrap(), Some(bytes(content)));
        assert_eq!(keys(&store, ""), ["a", "a:b"]);
        assert!(store.remove("a:b").unwrap() && store.remove("a").unwrap());
    }
}

#[test]
fn a_name_that_ends_like_the_place_for_files_on_the_move_is_ignored_as_it_is() {
    let (_guard, base) = folder();
    let options = FsOptions {
        ignore: Ignore::new(["xy"], base.to_str().unwrap()),
        ..FsOptions::at(&base).unwrap()
    };
    let store = Machine::at(1000).store(SystemDisk, options);
    store.set("x%~moved:y", &text("1"), None).unwrap();
    assert_eq!(keys(&store, ""), ["x%~moved:y"]);
    assert!(store.lists("x%~moved:y"));
}

/// Where no folder can be made of its name, a file that made room for one gets the name back.
#[test]
fn a_value_whose_way_into_a_folder_fails_is_there_all_the_time() {
    use std::sync::mpsc::channel;
    type Read = fn(&FsStore<FaultyDisk>) -> bool;
    let reads: [(&str, Read); 2] = [
        ("read", |store| store.get("a").unwrap().is_some()),
        ("stat", |store| store.has("a").unwrap()),
    ];
    for (call, read) in reads {
        let (_guard, base) = folder();
        let disk = FaultyDisk::default();
        let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
        store.set("a", &text("1"), None).unwrap();
        let (file, moved) = (base.join("a"), base.join("%~moved/a"));
        let (is_moved, wait_for_move) = channel();
        let (go_on, wait_to_go_on) = channel();
        let again = (disk.clone(), moved.clone());
        // The second look at the place for files on the move comes after the move.
        disk.after("stat_link", moved, move || {
            let (disk, moved) = again;
            disk.after("stat_link", moved, move || {
                is_moved.send(()).unwrap();
                wait_to_go_on.recv().unwrap();
            });
        });
        let writer = store.clone();
        let write = std::thread::spawn(move || writer.set("a:b", &text("2"), None));
        wait_for_move.recv().unwrap();
        let fails = disk.clone();
        disk.after(call, file, move || {
            fails.fail_after(0, Fault::Error("ENOSPC"));
            go_on.send(()).unwrap();
            assert!(write.join().unwrap().is_err());
        });
        assert!(read(&store), "{call}");
        assert_eq!(disk.disarm(), Some("create_folder"));
        assert_eq!(get(&store, "a").as_deref(), Some("1"));
    }
}

#[test]
fn writes_go_on_where_the_file_of_the_locks_is_another_each_time() {
    let (_guard, base) = folder();
    let disk = FaultyDisk::default();
    disk.take_files_for_others();
    let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        store.set("a", &text("1"), None).unwrap();
        store.remove("a").unwrap();
        store.set("b", &text("2"), None).unwrap();
        done.send(()).unwrap();
    });
    let is_over = is_done.recv_timeout(std::time::Duration::from_secs(60));
    assert!(is_over.is_ok(), "a write ends");
    assert_eq!(get(&open(&base), "b").as_deref(), Some("2"));
}
