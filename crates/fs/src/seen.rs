//! What was found in files.

use std::sync::Mutex;

use rustc_hash::{FxHashMap, FxHashSet};

use super::disk::Stat;
use eas_core::runtime::lock;

/// The expiries of so many items at most are remembered.
const MOST_REMEMBERED: usize = 4096;

/// A file that was changed so shortly ago may change again within one tick of its clock.
const SETTLED_NS: i128 = 2_000_000_000;

/// What was found in files, for as long as they are as they were.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) expiries: Mutex<FxHashMap<String, (Identity, Option<u64>)>>,
    /// Expired items without a line in the index that are being removed.
    pub(super) going: Mutex<FxHashSet<String>>,
}

/// A file and its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    number: Option<u64>,
    size: u64,
    mtime_ns: Option<i128>,
    ctime_ns: Option<i128>,
}

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        Identity {
            number: stat.number,
            size: stat.size,
            mtime_ns: stat.mtime_ns,
            ctime_ns: stat.ctime_ns,
        }
    }

    /// Whether a later change of the file shows.
    pub(super) fn tells(&self, now_ms: u64) -> bool {
        let settled_ns = i128::from(now_ms) * 1_000_000 - SETTLED_NS;
        self.mtime_ns
            .max(self.ctime_ns)
            .is_some_and(|ns| ns < settled_ns)
    }
}

impl Seen {
    pub(super) fn expiry_of(&self, key: &str, identity: &Identity) -> Option<Option<u64>> {
        let expiries = lock(&self.expiries);
        let (seen, expires_ms) = expiries.get(key)?;
        (seen == identity).then_some(*expires_ms)
    }

    pub(super) fn note(&self, key: &str, identity: Identity, expires_ms: Option<u64>) {
        let mut expiries = lock(&self.expiries);
        if expiries.len() >= MOST_REMEMBERED && !expiries.contains_key(key) {
            expiries.clear();
        }
        expiries.insert(key.to_owned(), (identity, expires_ms));
    }
}
