//! Items in the memory of the process.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::blocking::BlockingDriver;
use crate::driver::{Flags, NativeMeta};
use crate::error::Result;
use crate::key;
use crate::keys::Keys;
use crate::runtime::lock;
use crate::value::Value;

/// The name of the driver.
pub const NAME: &str = "memory";

/// Few threads ever meet in one memory store: the host's, and one that flushes a queue into it.
const SHARDS: usize = 4;

/// Tells the time, in ms since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A store of the process's memory; it ends with the process.
pub struct MemoryStore {
    items: DashMap<Arc<str>, Entry, FxBuildHasher>,
    clock: Clock,
    /// The keys in order, from the first listing on: a store that is never listed does not pay.
    index: Mutex<BTreeSet<Arc<str>>>,
    is_indexed: AtomicBool,
    /// When items end, soonest first.
    expiries: Mutex<BTreeSet<(u64, Arc<str>)>>,
}

struct Entry {
    value: Value,
    expires_ms: Option<u64>,
}

impl MemoryStore {
    /// An empty store that tells the time by `clock`.
    pub fn new(clock: Clock) -> Self {
        MemoryStore {
            items: DashMap::with_hasher_and_shard_amount(FxBuildHasher, SHARDS),
            clock,
            index: Mutex::default(),
            is_indexed: AtomicBool::new(false),
            expiries: Mutex::default(),
        }
    }

    fn is_live(&self, entry: &Entry) -> bool {
        entry
            .expires_ms
            .is_none_or(|expires_ms| expires_ms > (self.clock)())
    }

    fn index(&self) -> std::sync::MutexGuard<'_, BTreeSet<Arc<str>>> {
        let mut index = lock(&self.index);
        // Set before the scan: a key that is added meanwhile waits for the lock and adds itself.
        if !self.is_indexed.swap(true, Ordering::SeqCst) {
            index.extend(self.items.iter().map(|item| item.key().clone()));
        }
        index
    }

    fn note_expiry(&self, key: &Arc<str>, old: Option<u64>, new: Option<u64>) {
        if old == new {
            return;
        }
        let mut expiries = lock(&self.expiries);
        if let Some(old) = old {
            expiries.remove(&(old, key.clone()));
        }
        if let Some(new) = new {
            expiries.insert((new, key.clone()));
        }
    }

    fn take(&self, key: &str, only_expired_at: Option<u64>) -> bool {
        let taken = self.items.remove_if(key, |_, entry| {
            only_expired_at.is_none_or(|now| entry.expires_ms.is_some_and(|expires| expires <= now))
        });
        let Some((key, entry)) = taken else {
            return false;
        };
        if self.is_indexed.load(Ordering::SeqCst) {
            lock(&self.index).remove(&key);
        }
        self.note_expiry(&key, entry.expires_ms, None);
        only_expired_at.is_some() || self.is_live(&entry)
    }
}

impl BlockingDriver for MemoryStore {
    fn name(&self) -> &'static str {
        NAME
    }

    fn flags(&self) -> Flags {
        Flags {
            max_depth: true,
            ttl: true,
        }
    }

    fn is_instant(&self) -> bool {
        true
    }

    fn holds_references(&self) -> bool {
        true
    }

    fn has(&self, key: &str) -> Result<bool> {
        Ok(self
            .items
            .get(key)
            .is_some_and(|entry| self.is_live(&entry)))
    }

    #[inline(always)]
    fn get(&self, key: &str) -> Result<Option<Value>> {
        Ok(self
            .items
            .get(key)
            .filter(|entry| self.is_live(entry))
            .map(|entry| entry.value.clone()))
    }

    fn get_raw(&self, key: &str) -> Result<Option<Value>> {
        self.get(key)
    }

    fn set(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()> {
        let value = value.clone();
        if let Some(mut entry) = self.items.get_mut(key) {
            let old = std::mem::replace(entry.value_mut(), Entry { value, expires_ms });
            if old.expires_ms != expires_ms {
                let key = entry.key().clone();
                drop(entry);
                self.note_expiry(&key, old.expires_ms, expires_ms);
            }
            return Ok(());
        }
        let key: Arc<str> = key.into();
        self.items.insert(key.clone(), Entry { value, expires_ms });
        self.note_expiry(&key, None, expires_ms);
        if self.is_indexed.load(Ordering::SeqCst) {
            lock(&self.index).insert(key);
        }
        Ok(())
    }

    fn remove(&self, key: &str) -> Result<bool> {
        Ok(self.take(key, None))
    }

    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        let index = self.index();
        let under = index
            .range::<str, _>((std::ops::Bound::Included(base), std::ops::Bound::Unbounded))
            .take_while(|key| key::is_under(key, base))
            .filter(|key| max_depth.is_none_or(|max| key::depth(key) <= max));
        let keys: Vec<Arc<str>> = under.cloned().collect();
        drop(index);
        let has_expiries = !lock(&self.expiries).is_empty();
        let mut live = Keys::new();
        for key in keys {
            if !has_expiries || self.has(&key)? {
                live.push(&key);
            }
        }
        Ok(live)
    }

    fn meta(&self, key: &str) -> Result<Option<NativeMeta>> {
        let Some(entry) = self.items.get(key).filter(|entry| self.is_live(entry)) else {
            return Ok(None);
        };
        let ttl_ms = entry
            .expires_ms
            .map(|expires_ms| expires_ms.saturating_sub((self.clock)()));
        Ok(Some(NativeMeta {
            ttl_ms,
            ..NativeMeta::default()
        }))
    }

    fn next_expiry(&self) -> Result<Option<u64>> {
        Ok(lock(&self.expiries)
            .first()
            .map(|(expires_ms, _)| *expires_ms))
    }

    fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        let due: Vec<Arc<str>> = lock(&self.expiries)
            .iter()
            .take_while(|(expires_ms, _)| *expires_ms <= now_ms)
            .map(|(_, key)| key.clone())
            .collect();
        Ok(due
            .iter()
            .filter(|key| self.take(key, Some(now_ms)))
            .map(|key| key.as_ref().to_owned())
            .collect())
    }

    fn dispose(&self) -> Result<()> {
        self.items.clear();
        lock(&self.index).clear();
        lock(&self.expiries).clear();
        Ok(())
    }
}
