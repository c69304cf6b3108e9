//! Power goes at every call of the file system, and whatever was not fsynced may be lost.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::collections::BTreeMap;
use std::path::Path;

use eas_core::error::Kind;
use eas_core::store::{SingleWrites, Store};
use eas_fs::{FsOptions, FsStore, Level};
use fs_support::model::{ModelDisk, Survives};
use fs_support::{Machine, bytes, keys, text};

const NOW_MS: u64 = 1_000_000;
const END_MS: u64 = NOW_MS + 1000;
const RANDOM_LOSSES: u64 = 12;

#[derive(Debug, Clone, Copy)]
enum Step {
    Set(&'static str, &'static str),
    SetEnding(&'static str, &'static str),
    SetRawEnding(&'static str, &'static str),
    Remove(&'static str),
    Flush,
}
use Step::{Flush, Remove, Set, SetEnding, SetRawEnding};

impl Step {
    fn key(self) -> Option<&'static str> {
        match self {
            Set(key, _) | SetEnding(key, _) | SetRawEnding(key, _) | Remove(key) => Some(key),
            Flush => None,
        }
    }

    /// What the key holds afterwards: its value, and whether that ends.
    fn outcome(self) -> Outcome {
        match self {
            Set(_, value) => Some((value, false)),
            SetEnding(_, value) | SetRawEnding(_, value) => Some((value, true)),
            Remove(_) | Flush => None,
        }
    }

    fn run(self, store: &FsStore<ModelDisk>) -> bool {
        let outcome = match self {
            Set(key, value) => store.set(key, &text(&json(value)), None),
            SetEnding(key, value) => store.set(key, &text(&json(value)), Some(END_MS)),
            SetRawEnding(key, value) => store.set(key, &bytes(value.as_bytes()), Some(END_MS)),
            Remove(key) => store.remove(key).map(drop),
            Flush => store.flush(),
        };
        outcome.is_ok()
    }
}

type Outcome = Option<(&'static str, bool)>;

fn json(value: &str) -> String {
    format!("{{\"json\":\"{value}\"}}")
}

/// Values of one and the same length hide nothing: a part of any reads as corrupt.
const STEPS: &[Step] = &[
    Set("a", "first value of a"),
    Set("a", "second value of a"),
    Set("a:b", "below a file"),
    Set("a", "third value of a"),
    Flush,
    Set("a:b:c", "below that"),
    Set("d:e:f", "in new folders"),
    Remove("a:b"),
    Set("d:e", "beside its folder"),
    SetEnding("t:text", "ends"),
    SetRawEnding("t:raw", "raw ends"),
    Flush,
    Remove("d:e:f"),
    Set("d:e", "in the folder alone"),
    Set("t:text", "stays now"),
    Remove("a:b:c"),
    Remove("d:e"),
    Set("d", "where the folder was"),
    SetRawEnding("a", "a ends as well"),
    Flush,
    Set("d:e:f", "again"),
    Remove("d"),
    Set("con.<x>", "an escaped name"),
];

/// What the last read of a key may give, in the order of the writes.
struct Allowed {
    /// What is sure, and what may have come since.
    outcomes: Vec<Outcome>,
}

fn store_on(disk: &ModelDisk, base: &Path, level: Level, now_ms: u64) -> FsStore<ModelDisk> {
    let options = FsOptions {
        durability: level,
        ..FsOptions::at(base).unwrap()
    };
    Machine::at(now_ms).store(disk.clone(), options)
}

fn check(
    disk: &ModelDisk,
    base: &Path,
    level: Level,
    allowed: &BTreeMap<&str, Allowed>,
    case: &str,
) {
    for (now_ms, is_over) in [(NOW_MS, false), (END_MS, true)] {
        // Each look at it is at a disk of its own, since it goes on to change it.
        let disk = disk.after_power_loss(Survives::Everything);
        let store = store_on(&disk, base, level, now_ms);
        let listed = keys(&store, "");
        for (key, allowed) in allowed {
            let is_sure = allowed.outcomes.len() == 1;
            let value = match store.get_raw(key) {
                Ok(value) => value.map(|value| {
                    // A part of a header is no text.
                    String::from_utf8_lossy(&value.file_bytes().unwrap()).into_owned()
                }),
                Err(error) => panic!("{case}: {key}: {error}"),
            };
            let reads = |outcome: &Outcome| match (outcome, &value) {
                (None, None) => true,
                (Some((_, true)), None) => is_over,
                (Some((expected, ends)), Some(found)) => {
                    let with_end = format!("{{\"expires\":{END_MS},\"json\":\"{expected}\"}}");
                    let written =
                        *found == json(expected) || *found == with_end || found == expected;
                    written && !(is_over && *ends)
                }
                (None, Some(_)) | (Some((_, false)), None) => false,
            };
            if level == Level::Full || is_sure {
                assert!(
                    allowed.outcomes.iter().any(reads),
                    "{case}: {key} is {value:?}, not one of {:?}",
                    allowed.outcomes
                );
                assert_eq!(
                    listed.contains(&(*key).to_owned()),
                    value.is_some(),
                    "{case}: {key} in {listed:?}"
                );
                assert_eq!(store.has(key).unwrap(), value.is_some(), "{case}: {key}");
            } else if let Err(error) = store.get(key) {
                // A file without its content is told from a value.
                assert_eq!(error.kind(), Kind::CorruptValue, "{case}: {key}");
            }
        }
        for key in &listed {
            assert!(
                allowed.contains_key(key.as_str()),
                "{case}: {key} was never written"
            );
        }
        // The store goes on from there.
        for key in ["a", "a:b", "d:e:f"] {
            store.set(key, &text("{\"json\":\"after\"}"), None).unwrap();
            assert_eq!(
                store.get(key).unwrap(),
                Some(text("{\"json\":\"after\"}")),
                "{case}: {key}"
            );
        }
        for key in keys(&store, "") {
            assert!(store.remove(&key).unwrap(), "{case}: {key}");
        }
        assert_eq!(keys(&store, ""), Vec::<String>::new(), "{case}");
    }
}

fn lose_power_everywhere(level: Level) {
    let base = Path::new("/disk/base");
    let total = {
        let disk = ModelDisk::new(Path::new("/disk"));
        let store = store_on(&disk, base, level, NOW_MS);
        for step in STEPS {
            assert!(step.run(&store), "{step:?}");
        }
        disk.calls()
    };
    assert!(total > 100, "the workload makes {total} calls");
    let mut losses_of_power = 0;
    for calls in 0..=total {
        let disk = ModelDisk::new(Path::new("/disk"));
        disk.lose_power_after(calls);
        let store = store_on(&disk, base, level, NOW_MS);
        let mut allowed: BTreeMap<&str, Allowed> = STEPS
            .iter()
            .filter_map(|step| step.key())
            .map(|key| {
                (
                    key,
                    Allowed {
                        outcomes: vec![None],
                    },
                )
            })
            .collect();
        for step in STEPS {
            let done = step.run(&store);
            if let Some(allowed) = step.key().and_then(|key| allowed.get_mut(key)) {
                if level == Level::Full && done {
                    allowed.outcomes.clear();
                }
                allowed.outcomes.push(step.outcome());
            }
            if matches!(step, Flush) && done {
                for allowed in allowed.values_mut() {
                    allowed.outcomes.drain(..allowed.outcomes.len() - 1);
                }
            }
            if !done {
                break;
            }
        }
        let losses = (0..RANDOM_LOSSES).map(|number| Survives::Some(number + calls as u64 * 1000));
        for survives in [Survives::Nothing, Survives::Everything]
            .into_iter()
            .chain(losses)
        {
            let found = disk.after_power_loss(survives);
            check(
                &found,
                base,
                level,
                &allowed,
                &format!("{level:?}, power lost at call {calls}, {survives:?}"),
            );
            losses_of_power += 1;
        }
    }
    // `npm run torture` reads this.
    println!("faults injected: {losses_of_power}");
}

#[test]
fn with_full_durability_what_was_reported_done_is_there_and_the_rest_is_old_or_new() {
    lose_power_everywhere(Level::Full);
}

#[test]
fn in_the_background_what_was_flushed_is_there_whole() {
    lose_power_everywhere(Level::Background);
}

#[test]
fn without_durability_what_was_flushed_is_there_whole() {
    lose_power_everywhere(Level::None);
}

#[test]
fn a_removal_that_another_process_did_not_make_durable_is_by_who_removes_it_again() {
    let base = Path::new("/disk/base");
    for level in [Level::None, Level::Background, Level::Full] {
        let disk = ModelDisk::new(Path::new("/disk"));
        let first = store_on(&disk, base, Level::None, NOW_MS);
        for key in ["a", "b:c", "b:c:d"] {
            first.set(key, &text("1"), None).unwrap();
        }
        first.flush().unwrap();
        for key in ["a", "b:c", "b:c:d"] {
            assert!(first.remove(key).unwrap());
        }
        let second = store_on(&disk, base, level, NOW_MS);
        for key in ["a", "b:c", "b:c:d"] {
            assert!(!second.remove(key).unwrap());
        }
        if level != Level::Full {
            second.flush().unwrap();
        }
        let after = disk.after_power_loss(Survives::Nothing);
        let found = keys(&store_on(&after, base, level, NOW_MS), "");
        assert_eq!(found, Vec::<String>::new(), "{level:?}");
    }
}

fn flush_many(level: Level, files: usize, disk: &ModelDisk) {
    let base = Path::new("/disk/base");
    let store = store_on(disk, base, level, NOW_MS);
    for number in 0..files {
        store
            .set(&format!("{}:{number}", number % 100), &text("1"), None)
            .unwrap();
    }
    store.flush().unwrap();
    let found = disk.after_power_loss(Survives::Nothing);
    let store = store_on(&found, base, level, NOW_MS);
    assert_eq!(keys(&store, "").len(), files);
    let last = format!("{}:{}", (files - 1) % 100, files - 1);
    assert_eq!(store.get(&last).unwrap(), Some(text("1")));
}

#[test]
fn a_flush_covers_more_files_than_are_noted() {
    flush_many(Level::None, 11_000, &ModelDisk::new(Path::new("/disk")));
}

#[test]
fn a_flush_of_many_files_syncs_their_file_systems_where_that_can_be_relied_on() {
    for (level, files, times) in [
        (Level::Background, 1000, 1),
        (Level::None, 11_000, 1),
        (Level::Background, 10, 0),
    ] {
        let disk = ModelDisk::new(Path::new("/disk")).that_syncs_at_once();
        flush_many(level, files, &disk);
        assert_eq!(
            disk.synced_at_once().len(),
            times,
            "{level:?}, {files} files"
        );
    }
}

#[test]
fn file_systems_are_found_by_folders_and_by_the_index_of_expiries_which_may_be_a_link() {
    let base = Path::new("/disk/base");
    let disk = ModelDisk::new(Path::new("/disk")).that_syncs_at_once();
    let store = store_on(&disk, base, Level::None, NOW_MS);
    store.set("0:ends", &text("1"), Some(END_MS)).unwrap();
    for flush in 1..=2 {
        for number in 0..200 {
            let key = format!("{}:{number}", number % 3);
            store.set(&key, &text("1"), None).unwrap();
        }
        store.flush().unwrap();
        let calls = disk.synced_at_once();
        assert_eq!(calls.len(), flush);
        let names = calls.last().unwrap();
        for name in ["0", "1", "2", "%~ttl"] {
            assert!(names.contains(&base.join(name)), "{name}: {names:?}");
        }
        assert!(names.len() < 10, "{names:?}");
    }
}

#[test]
fn the_model_loses_what_was_not_fsynced() {
    let base = Path::new("/disk/base");
    let disk = ModelDisk::new(Path::new("/disk"));
    let store = store_on(&disk, base, Level::None, NOW_MS);
    store.set("a", &text("1"), None).unwrap();
    assert!(
        keys(
            &store_on(
                &disk.after_power_loss(Survives::Nothing),
                base,
                Level::None,
                NOW_MS
            ),
            ""
        )
        .is_empty()
    );
    let torn = (0..200).any(|seed| {
        let found = disk.after_power_loss(Survives::Some(seed));
        store_on(&found, base, Level::None, NOW_MS)
            .get("a")
            .is_err()
    });
    assert!(torn, "some loss leaves a name without its content");
}
