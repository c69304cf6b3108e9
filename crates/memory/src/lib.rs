//! Items in the memory of the process.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Place;
use rustc_hash::FxBuildHasher;

use eas_core::blocking::BlockingDriver;
use eas_core::driver::{Flags, NativeMeta};
use eas_core::error::Result;
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::runtime::lock;
use eas_core::value::Value;

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

    /// Notes a key that came or went, once that is done. What there is at last counts, in whatever
    /// order the threads that change it get here.
    fn note_key(&self, key: &Arc<str>) {
        if !self.is_indexed.load(Ordering::SeqCst) {
            return;
        }
        let mut index = lock(&self.index);
        if self.items.contains_key(key) {
            index.insert(key.clone());
        } else {
            index.remove(key);
        }
    }

    /// Notes when an item ends, while it is locked: the ends of another thread's value would come
    /// in between, and stay.
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
        let taken = self.items.remove_if(key, |key, entry| {
            let goes = only_expired_at
                .is_none_or(|now| entry.expires_ms.is_some_and(|expires| expires <= now));
            if goes {
                self.note_expiry(key, entry.expires_ms, None);
            }
            goes
        });
        let Some((key, entry)) = taken else {
            return false;
        };
        self.note_key(&key);
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
            self.note_expiry(entry.key(), entry.expires_ms, expires_ms);
            *entry = Entry { value, expires_ms };
            return Ok(());
        }
        let key: Arc<str> = key.into();
        let place = self.items.entry(key.clone());
        let old = match &place {
            // Another thread has added it meanwhile.
            Place::Occupied(place) => place.get().expires_ms,
            Place::Vacant(_) => None,
        };
        self.note_expiry(&key, old, expires_ms);
        drop(place.insert(Entry { value, expires_ms }));
        self.note_key(&key);
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
        // Held until both are empty: a thread that adds a key meanwhile notes it afterwards.
        let mut index = lock(&self.index);
        self.items.retain(|key, entry| {
            self.note_expiry(key, entry.expires_ms, None);
            false
        });
        index.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use eas_core::value::Text;

    const START_MS: u64 = 1_700_000_000_000;

    fn store() -> MemoryStore {
        MemoryStore::new(Arc::new(|| START_MS))
    }

    fn value() -> Value {
        Value::Text(Text::from("{\"json\":1}"))
    }

    /// What is noted of ends and keys is what the items say, and nothing else.
    fn check_books(store: &MemoryStore) {
        let ends: BTreeSet<_> = store
            .items
            .iter()
            .filter_map(|item| Some((item.expires_ms?, item.key().clone())))
            .collect();
        let noted = lock(&store.expiries);
        assert_eq!(noted.symmetric_difference(&ends).next(), None);
        drop(noted);
        let keys: BTreeSet<_> = store.items.iter().map(|item| item.key().clone()).collect();
        assert_eq!(store.index().symmetric_difference(&keys).next(), None);
    }

    #[test]
    fn an_item_that_is_written_over_and_over_is_noted_once() {
        let store = store();
        store.keys("", None).unwrap();
        for step in 0..100_000 {
            let expires_ms = START_MS + 1 + step * 7919 % 100_003;
            store.set("a", &value(), Some(expires_ms)).unwrap();
            assert_eq!(store.next_expiry().unwrap(), Some(expires_ms), "{step}");
            assert_eq!(lock(&store.expiries).len(), 1, "{step}");
        }
        check_books(&store);
        store.set("a", &value(), None).unwrap();
        assert_eq!(store.next_expiry().unwrap(), None);
        check_books(&store);
    }

    #[test]
    fn threads_that_write_one_item_leave_no_end_of_another() {
        const THREADS: u64 = 3;
        let store = store();
        store.keys("", None).unwrap();
        let start = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (store, start) = (&store, &start);
                scope.spawn(move || {
                    start.wait();
                    for step in 0..120_000_u64 {
                        let key = format!("k{}", step / 12);
                        // Each end is another one: what is left of it is not taken out by a later one.
                        let expires_ms = START_MS + 1 + step * THREADS + thread;
                        match (step + thread) % 4 {
                            0 => drop(store.remove(&key).unwrap()),
                            1 => store.set(&key, &value(), None).unwrap(),
                            _ => store.set(&key, &value(), Some(expires_ms)).unwrap(),
                        }
                    }
                });
            }
        });
        check_books(&store);
    }
}
