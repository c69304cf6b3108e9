//! Changes that the store makes itself, for as long as it is watched.
//!
//! The system's notices of them come late, merged with others, or not at all where a folder was
//! just made. So the store tells its watches of each one, and keeps what it did of late, which lets
//! a watch tell the notices of its own changes from those of others.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::disk::Stat;
use crate::runtime::lock;

/// How long the notices of a change may take. They wait behind those of all else that happens.
pub(super) const ECHO: Duration = Duration::from_secs(30);

/// Tells one content of a file from another. Two that are written within one tick of the file
/// system's clock differ by the number of the file only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stamp {
    pub(super) number: Option<u64>,
    pub(super) mtime_ns: Option<i128>,
    pub(super) size: u64,
}

impl From<&Stat> for Stamp {
    fn from(stat: &Stat) -> Self {
        Stamp {
            number: stat.number,
            mtime_ns: stat.mtime_ns,
            size: stat.size,
        }
    }
}

/// A change that was made.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Written { key: String, stamp: Stamp },
    Removed { key: String },
}

/// What the store did to a key last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) is_under_way: bool,
    pub(super) is_removal: bool,
}

type Listener = Arc<dyn Fn(Change) + Send + Sync>;

/// The changes of one store, and who watches them.
#[derive(Default)]
pub(super) struct Changes {
    watches: Mutex<Vec<(u64, Listener)>>,
    /// How many watches there are.
    count: AtomicUsize,
    last_id: AtomicU64,
    recent: Mutex<FxHashMap<String, Recent>>,
}

struct Recent {
    /// The last write and the one before it: while a write is under way either may be found.
    stamps: [Option<Stamp>; 2],
    under_way: u32,
    is_removal: bool,
    since: Instant,
}

/// A watch of the changes, which ends when it is dropped.
pub(super) struct Listening {
    changes: Arc<Changes>,
    id: u64,
}

/// A change that is being made.
pub(super) struct Pending<'a> {
    changes: &'a Changes,
    key: &'a str,
    stamp: Cell<Option<Stamp>>,
}

impl Changes {
    pub(super) fn listen(self: &Arc<Self>, listener: Listener) -> Listening {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed);
        let mut watches = lock(&self.watches);
        watches.push((id, listener));
        self.count.store(watches.len(), Ordering::SeqCst);
        Listening {
            changes: self.clone(),
            id,
        }
    }

    /// Notes that a write of the key begins, if anybody watches.
    pub(super) fn writing<'a>(&'a self, key: &'a str) -> Option<Pending<'a>> {
        self.begin(key, false)
    }

    /// Notes that a removal of the key begins, if anybody watches.
    pub(super) fn removing<'a>(&'a self, key: &'a str) -> Option<Pending<'a>> {
        self.begin(key, true)
    }

    fn begin<'a>(&'a self, key: &'a str, is_removal: bool) -> Option<Pending<'a>> {
        if self.count.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let mut recent = lock(&self.recent);
        let entry = recent.entry(key.to_owned()).or_insert_with(|| Recent {
            stamps: [None; 2],
            under_way: 0,
            is_removal: false,
            since: Instant::now(),
        });
        entry.under_way += 1;
        entry.is_removal = is_removal;
        Some(Pending {
            changes: self,
            key,
            stamp: Cell::new(None),
        })
    }

    /// What was done to the key of late.
    pub(super) fn of(&self, key: &str) -> Option<Own> {
        lock(&self.recent).get(key).map(|recent| Own {
            is_under_way: recent.under_way > 0,
            is_removal: recent.is_removal,
        })
    }

    /// Whether this content of the key was written by the store.
    pub(super) fn wrote(&self, key: &str, stamp: Stamp) -> bool {
        let recent = lock(&self.recent);
        recent
            .get(key)
            .is_some_and(|recent| recent.stamps.contains(&Some(stamp)))
    }

    /// Forgets what nobody can ask for any more.
    pub(super) fn forget_old(&self) {
        lock(&self.recent)
            .retain(|_, recent| recent.under_way > 0 || recent.since.elapsed() < ECHO);
    }

    fn tell(&self, change: &Change) {
        let watches = lock(&self.watches);
        for (_, listener) in watches.iter() {
            listener(change.clone());
        }
    }
}

impl Pending<'_> {
    /// The file is about to take its name.
    pub(super) fn names(&self, stamp: Stamp) {
        self.stamp.set(Some(stamp));
        if let Some(recent) = lock(&self.changes.recent).get_mut(self.key)
            && recent.stamps[0] != Some(stamp)
        {
            recent.stamps = [Some(stamp), recent.stamps[0]];
        }
    }

    /// The change is made.
    pub(super) fn is_made(&self) {
        let key = self.key.to_owned();
        self.changes.tell(&match self.stamp.get() {
            Some(stamp) => Change::Written { key, stamp },
            None => Change::Removed { key },
        });
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(recent) = lock(&self.changes.recent).get_mut(self.key) {
            recent.under_way -= 1;
            recent.since = Instant::now();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut watches = lock(&self.changes.watches);
        watches.retain(|(id, _)| *id != self.id);
        self.changes.count.store(watches.len(), Ordering::SeqCst);
        if watches.is_empty() {
            lock(&self.changes.recent).retain(|_, recent| recent.under_way > 0);
        }
    }
}
