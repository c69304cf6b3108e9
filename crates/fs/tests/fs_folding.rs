//! File systems that do not distinguish case or Unicode forms: two keys never share a file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::collections::BTreeMap;
use std::path::Path;

use eas_core::error::Kind;
use eas_core::store::{SingleWrites, Store};
use eas_fs::{FsOptions, FsStore};
use fs_support::model::ModelDisk;
use fs_support::{Machine, get, keys, text};
use proptest::prelude::*;

fn store() -> FsStore<ModelDisk> {
    let disk = ModelDisk::new(Path::new("/base")).that_folds();
    Machine::at(1000).store(disk, FsOptions::at("/base").unwrap())
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
    let store = store();
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
    assert_eq!(keys(&store, "User:"), [""; 0]);
    assert_eq!(keys(&store, ""), ["user:name"]);
}

proptest! {
    #[test]
    fn a_store_is_as_one_map_in_which_the_first_spelling_counts(
        steps in prop::collection::vec((0..4, "[aA\u{e9}]{1,2}(:[aA]){0,1}|e\u{301}"), 1..40),
    ) {
        let store = store();
        let mut model = BTreeMap::new();
        for (index, (step, key)) in steps.into_iter().enumerate() {
            match step {
                0 | 1 => {
                    let written = store.set(&key, &text(&index.to_string()), None);
                    prop_assert_eq!(written.is_err(), is_taken(&model, &key), "set {}", &key);
                    if written.is_ok() {
                        model.insert(key, index.to_string());
                    }
                }
                2 => {
                    let removed = store.remove(&key).unwrap();
                    prop_assert_eq!(removed, model.remove(&key).is_some(), "remove {}", &key);
                }
                _ => {
                    prop_assert_eq!(get(&store, &key), model.get(&key).cloned(), "get {}", &key);
                    prop_assert_eq!(store.has(&key).unwrap(), model.contains_key(&key));
                }
            }
            let listed: Vec<String> = model.keys().cloned().collect();
            prop_assert_eq!(keys(&store, ""), listed);
        }
    }
}
