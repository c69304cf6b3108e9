//! Which values did not read.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashSet;

use eas_core::runtime::lock;

/// The keys whose values did not read.
#[derive(Default)]
pub(super) struct Marks {
    keys: Mutex<FxHashSet<String>>,
    count: AtomicUsize,
}

impl Marks {
    pub(super) fn add(&self, key: &str) {
        let mut keys = lock(&self.keys);
        keys.insert(key.to_owned());
        self.count.store(keys.len(), Ordering::Release);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.count.load(Ordering::Acquire) > 0 && lock(&self.keys).contains(key)
    }

    pub(super) fn remove(&self, key: &str) {
        if self.count.load(Ordering::Acquire) > 0 {
            let mut keys = lock(&self.keys);
            keys.remove(key);
            self.count.store(keys.len(), Ordering::Release);
        }
    }
}
