//! What the tests of the fs engine share.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod faulty;
pub(crate) mod model;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use eas_core::runtime::Job;
use eas_core::store::Store;
use eas_core::value::Value;
use eas_fs::disk::{Disk, SystemDisk};
use eas_fs::{FsOptions, FsStore, NAME, Ports};

/// A clock that stands still until it is moved, and jobs that wait until they are run.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    now_ms: Arc<AtomicU64>,
    jobs: Arc<Mutex<Vec<Job>>>,
}

impl Machine {
    pub(crate) fn at(now_ms: u64) -> Self {
        Machine {
            now_ms: Arc::new(AtomicU64::new(now_ms)),
            ..Machine::default()
        }
    }

    pub(crate) fn set_time(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn run_jobs(&self) {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap());
        for job in jobs {
            job();
        }
    }

    pub(crate) fn ports<D: Disk>(&self, disk: D) -> Ports<D> {
        let now_ms = self.now_ms.clone();
        let jobs = self.jobs.clone();
        Ports {
            disk,
            clock: Arc::new(move || now_ms.load(Ordering::Relaxed)),
            background: Arc::new(move |_, job| jobs.lock().unwrap().push(job)),
        }
    }

    pub(crate) fn store<D: Disk>(&self, disk: D, options: FsOptions) -> FsStore<D> {
        FsStore::with_ports(NAME, options, self.ports(disk))
    }

    pub(crate) fn open(&self, base: &Path) -> FsStore {
        self.store(SystemDisk, FsOptions::at(base).unwrap())
    }
}

pub(crate) fn open(base: &Path) -> FsStore {
    Machine::at(1000).open(base)
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::buffer(bytes.to_vec())
}

pub(crate) fn get(store: &impl Store, key: &str) -> Option<String> {
    match store.get(key).unwrap() {
        Some(Value::Text(text)) => Some(text.to_str().into_owned()),
        None => None,
        Some(other) => panic!("{key}: {other:?}"),
    }
}

pub(crate) fn keys(store: &impl Store, base: &str) -> Vec<String> {
    store.keys(base, None).unwrap().sorted()
}

/// Every name under a folder, relative to it, folders with a `/` at their end. The file of the locks of
/// keys, which every write makes, is left out.
pub(crate) fn tree(folder: &Path) -> Vec<String> {
    fn walk(base: &Path, folder: &Path, names: &mut Vec<String>) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(base)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                names.push(format!("{name}/"));
                walk(base, &path, names);
            } else {
                names.push(name);
            }
        }
    }
    let mut names = Vec::new();
    walk(folder, folder, &mut names);
    names.retain(|name| !name.contains("%~locks"));
    names.sort();
    names
}

/// A folder for one test, and a base in it that is not there yet.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    (folder, base)
}
