//! A store on a database in a folder of its own, and what lies in that folder.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary has it as a module of its own, and uses a part"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eas_core::value::{Text, Value};
use eas_sqlite::{SqliteOptions, SqliteStore};

/// At the time 1,000.
pub fn at(file: &Path) -> SqliteStore {
    SqliteStore::new(SqliteOptions::at(file), Arc::new(|| 1_000))
}

/// At the time that the clock says.
pub fn at_time_of(file: &Path, clock: &Arc<AtomicU64>) -> SqliteStore {
    let clock = clock.clone();
    let now = move || clock.load(Ordering::SeqCst);
    SqliteStore::new(SqliteOptions::at(file), Arc::new(now))
}

pub fn text(value: &str) -> Value {
    Value::Text(Text::from(value))
}

/// A folder, and a database in it that is not there yet.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("storage.db");
    (folder, file)
}

/// The names in the folder of a database.
pub fn names(file: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(file.parent().expect("is in a folder")).expect("is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("reads").file_name().into_string())
        .map(|name| name.expect("is Unicode"))
        .collect();
    names.sort();
    names
}
