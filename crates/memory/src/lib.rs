//! Items in the memory of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;
use rustc_hash::FxBuildHasher;

use eas_core::condition::conflicts;
use eas_core::driver::NativeMeta;
use eas_core::error::Result;
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::runtime::{Clock, lock};
use eas_core::store::{
    Applied, Batch, Prepared, SharedSink, Store, StoreInfo, StoreLock, Write, apply_each, get_each,
};
use eas_core::value::Value;

/// The name of the driver.
pub const NAME: &str = "memory";

/// Few threads ever meet in one memory store: the JS runtime's, and one that flushes a queue into it.
const SHARDS: usize = 4;

/// A store of the process's memory; it ends with the process.
pub struct MemoryStore {
    info: StoreInfo,
    items: DashMap<Arc<str>, Entry, FxBuildHasher>,
    clock: Clock,
    /// The number that the next key gets.
    next_place: AtomicU64,
    /// How many listings looked at every item.
    scans: AtomicUsize,
    /// Once there were some listings: a store that is hardly ever listed does not pay.
    index: Mutex<Index>,
    is_indexed: AtomicBool,
    /// When items expire, soonest first.
    expiries: Mutex<BTreeSet<(u64, Arc<str>)>>,
    /// Writes share it; a group, or a write with a condition, has it alone.
    groups: RwLock<()>,
}

fn shared(lock: &RwLock<()>) -> RwLockReadGuard<'_, ()> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn alone(lock: &RwLock<()>) -> RwLockWriteGuard<'_, ()> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

struct Entry {
    value: Value,
    expires_ms: Option<u64>,
    /// Counts the keys in the order in which they came; a key that is overwritten stays where it is.
    place: u64,
}

/// The keys, as listings give and find them.
#[derive(Default)]
struct Index {
    /// In the order of insertion.
    by_place: BTreeMap<u64, Arc<str>>,
    /// In the order of text, once listings below a base have looked at more keys than sorting takes.
    by_key: Option<BTreeMap<Arc<str>, u64>>,
    /// How many keys such listings have looked at.
    looked_at: usize,
}

/// Listings look at every item so many times before there is an index.
const SCANS_BEFORE_INDEXING: usize = 2;

/// Listings below a base look at every key so many times before the keys are sorted.
const LOOKS_BEFORE_SORTING: usize = 4;

impl Index {
    fn insert(&mut self, key: &Arc<str>, place: u64) {
        self.by_place.insert(place, key.clone());
        if let Some(by_key) = &mut self.by_key {
            by_key.insert(key.clone(), place);
        }
    }

    fn remove(&mut self, key: &Arc<str>, place: u64) {
        self.by_place.remove(&place);
        if let Some(by_key) = &mut self.by_key
            && by_key.get(key) == Some(&place)
        {
            by_key.remove(key);
        }
    }

    /// The keys under a base that `is_wanted`, in the order of insertion.
    fn under(&mut self, base: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        if base.is_empty() {
            let all = self.by_place.values().filter(|key| is_wanted(key));
            return all.cloned().collect();
        }
        if self.by_key.is_none() {
            let count = self.by_place.len();
            if self.looked_at < LOOKS_BEFORE_SORTING * count {
                self.looked_at += count;
                let under = self.by_place.values();
                let under = under.filter(|key| key::is_under(key, base) && is_wanted(key));
                return under.cloned().collect();
            }
            let places = self.by_place.iter();
            self.by_key = Some(places.map(|(place, key)| (key.clone(), *place)).collect());
        }
        let Some(by_key) = &self.by_key else {
            return Vec::new();
        };
        let mut under: Vec<(u64, &Arc<str>)> = by_key
            .range::<str, _>((Bound::Included(base), Bound::Unbounded))
            .take_while(|(key, _)| key::is_under(key, base))
            .filter(|(key, _)| is_wanted(key))
            .map(|(key, place)| (*place, key))
            .collect();
        under.sort_unstable_by_key(|(place, _)| *place);
        under.into_iter().map(|(_, key)| key.clone()).collect()
    }
}

impl MemoryStore {
    /// An empty store that tells the time by `clock`.
    pub fn new(clock: Clock) -> Self {
        MemoryStore {
            info: StoreInfo {
                is_instant: true,
                holds_references: true,
                keeps_kinds: true,
                max_depth: true,
                ttl: true,
                commits: true,
                ..StoreInfo::named(NAME)
            },
            groups: RwLock::default(),
            items: DashMap::with_hasher_and_shard_amount(FxBuildHasher, SHARDS),
            clock,
            next_place: AtomicU64::new(0),
            scans: AtomicUsize::new(0),
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

    fn new_place(&self) -> u64 {
        self.next_place.fetch_add(1, Ordering::Relaxed)
    }

    /// The place of what replaces an entry: one that has expired was gone.
    fn place_after(&self, entry: &Entry) -> u64 {
        if self.is_live(entry) {
            entry.place
        } else {
            self.new_place()
        }
    }

    fn index(&self) -> std::sync::MutexGuard<'_, Index> {
        let mut index = lock(&self.index);
        // Set before the scan: a key that is added meanwhile waits for the lock and adds itself.
        if !self.is_indexed.swap(true, Ordering::SeqCst) {
            let items = self.items.iter();
            let mut places: Vec<_> = items.map(|item| (item.place, item.key().clone())).collect();
            places.sort_unstable_by_key(|(place, _)| *place);
            index.by_place.extend(places);
        }
        index
    }

    /// The keys under a base that `is_wanted`, in the order of insertion: sorts those alone.
    fn scan(&self, base: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Arc<str>> {
        let items = self.items.iter();
        let under = items.filter(|item| key::is_under(item.key(), base) && is_wanted(item.key()));
        let mut under: Vec<_> = under.map(|item| (item.place, item.key().clone())).collect();
        under.sort_unstable_by_key(|(place, _)| *place);
        under.into_iter().map(|(_, key)| key).collect()
    }

    /// Notes a key that came or went with this place, once that is done. What there is at last counts, in
    /// whatever order the threads that change it get here.
    fn note_key(&self, key: &Arc<str>, place: u64) {
        if !self.is_indexed.load(Ordering::SeqCst) {
            return;
        }
        let mut index = lock(&self.index);
        let is_there = self
            .items
            .get(key)
            .is_some_and(|entry| entry.place == place);
        if is_there {
            index.insert(key, place);
        } else {
            index.remove(key, place);
        }
    }

    /// Notes when an item expires, while it is locked: the ends of another thread's value would come
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
        self.note_key(&key, entry.place);
        only_expired_at.is_some() || self.is_live(&entry)
    }

    fn put(&self, key: &str, value: &Value, expires_ms: Option<u64>) {
        let value = value.clone();
        if let Some(mut entry) = self.items.get_mut(key) {
            self.note_expiry(entry.key(), entry.expires_ms, expires_ms);
            let old_place = entry.place;
            let place = self.place_after(&entry);
            *entry = Entry {
                value,
                expires_ms,
                place,
            };
            if place != old_place {
                let key = entry.key().clone();
                drop(entry);
                self.note_key(&key, old_place);
                self.note_key(&key, place);
            }
            return;
        }
        let key: Arc<str> = key.into();
        let slot = self.items.entry(key.clone());
        let (old, old_place) = match &slot {
            // Another thread has added it meanwhile.
            Slot::Occupied(slot) => (slot.get().expires_ms, Some(slot.get().place)),
            Slot::Vacant(_) => (None, None),
        };
        self.note_expiry(&key, old, expires_ms);
        let place = match &slot {
            Slot::Occupied(slot) => self.place_after(slot.get()),
            Slot::Vacant(_) => self.new_place(),
        };
        drop(slot.insert(Entry {
            value,
            expires_ms,
            place,
        }));
        if let Some(old_place) = old_place.filter(|old_place| *old_place != place) {
            self.note_key(&key, old_place);
        }
        self.note_key(&key, place);
    }

    fn write_all(&self, writes: &[Write<'_>]) -> Result<Applied> {
        apply_each(writes, |write| match *write {
            Write::Set {
                key,
                value,
                expires_ms,
                ..
            } => {
                self.put(key, value, expires_ms);
                Ok(true)
            }
            Write::Remove { key, .. } => Ok(self.take(key, None)),
        })
    }
}

impl Store for MemoryStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn check_key(&self, _key: &str) -> Result<()> {
        Ok(())
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

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Result<Option<Value>>>> {
        get_each(keys, |key| self.get(key))
    }

    fn get_raw(&self, key: &str) -> Result<Option<Value>> {
        self.get(key)
    }

    #[inline]
    fn apply(&self, batch: &Batch<'_>) -> Result<Applied> {
        if batch.checks.is_empty() && !batch.is_group {
            let _shared = shared(&self.groups);
            return self.write_all(batch.writes);
        }
        let _alone = alone(&self.groups);
        let conflicts = conflicts(batch.checks, |key| self.get(key))?;
        if !conflicts.is_empty() {
            return Ok(Applied::Conflicts(conflicts));
        }
        self.write_all(batch.writes)
    }

    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        let is_wanted = |key: &str| max_depth.is_none_or(|max| key::depth(key) <= max);
        let is_scan = !self.is_indexed.load(Ordering::SeqCst)
            && self.scans.fetch_add(1, Ordering::Relaxed) < SCANS_BEFORE_INDEXING;
        let keys = if is_scan {
            self.scan(base, is_wanted)
        } else {
            self.index().under(base, is_wanted)
        };
        let has_expiries = !lock(&self.expiries).is_empty();
        let mut live = Keys::new();
        for key in keys {
            if !has_expiries || self.has(&key)? {
                live.push(&key);
            }
        }
        Ok(live)
    }

    fn lists(&self, _key: &str) -> bool {
        true
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

    fn note_corrupt(&self, _key: &str) {}

    fn watch(self: Arc<Self>, _sink: SharedSink) -> Prepared {
        unreachable!("the store does not watch")
    }

    fn next_expiry(&self) -> Result<Option<u64>> {
        Ok(lock(&self.expiries)
            .first()
            .map(|(expires_ms, _)| *expires_ms))
    }

    fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        let _shared = shared(&self.groups);
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

    fn lock(&self) -> Result<Option<StoreLock>> {
        Ok(None)
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn is_behind_at_exit(&self) -> bool {
        false
    }

    fn flush_at_exit(&self, _progressed: &dyn Fn()) -> Result<()> {
        Ok(())
    }

    fn dispose(&self) -> Result<()> {
        // Held until both are empty: a thread that adds a key meanwhile notes it afterwards.
        let mut index = lock(&self.index);
        self.items.retain(|key, entry| {
            self.note_expiry(key, entry.expires_ms, None);
            false
        });
        *index = Index::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use eas_core::store::SingleWrites;
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
        let items = store.items.iter();
        let places: BTreeMap<_, _> = items.map(|item| (item.key().clone(), item.place)).collect();
        let index = store.index();
        let noted = index
            .by_place
            .iter()
            .map(|(place, key)| (key.clone(), *place));
        assert_eq!(noted.collect::<BTreeMap<_, _>>(), places);
        assert_eq!(index.by_place.len(), places.len());
        if let Some(by_key) = &index.by_key {
            assert_eq!(*by_key, places);
        }
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

    fn listed(store: &MemoryStore, base: &str) -> Vec<String> {
        let keys = store.keys(base, None).unwrap();
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn keys_are_listed_in_the_order_in_which_they_came() {
        let store = store();
        let set = |key: &str| store.set(key, &value(), None).unwrap();
        ["b:2", "c", "b:1", "a"].into_iter().for_each(set);
        // Before and after the keys are sorted for listings below a base.
        for round in 0..2 * LOOKS_BEFORE_SORTING {
            assert_eq!(listed(&store, ""), ["b:2", "c", "b:1", "a"], "{round}");
            assert_eq!(listed(&store, "b:"), ["b:2", "b:1"], "{round}");
            set("b:2");
            check_books(&store);
        }
        store.remove("b:2").unwrap();
        ["b:3", "b:2"].into_iter().for_each(set);
        assert_eq!(listed(&store, ""), ["c", "b:1", "a", "b:3", "b:2"]);
        assert_eq!(listed(&store, "b:"), ["b:1", "b:3", "b:2"]);
        check_books(&store);
    }

    #[test]
    fn a_key_that_is_set_once_it_has_expired_goes_to_the_end() {
        let store = store();
        store.set("a", &value(), Some(START_MS)).unwrap();
        store.set("b", &value(), None).unwrap();
        assert_eq!(listed(&store, ""), ["b"]);
        store.set("a", &value(), None).unwrap();
        assert_eq!(listed(&store, ""), ["b", "a"]);
        check_books(&store);
    }

    #[test]
    fn the_first_listings_sort_only_what_they_give() {
        let store = store();
        for step in 0..1000 {
            let key = format!("k{}:{step}", step % 10);
            store.set(&key, &value(), None).unwrap();
        }
        for _ in 0..SCANS_BEFORE_INDEXING {
            assert_eq!(listed(&store, "k1:").len(), 100);
            assert!(!store.is_indexed.load(Ordering::SeqCst));
        }
        for _ in 0..LOOKS_BEFORE_SORTING {
            assert_eq!(listed(&store, "k2:").len(), 100);
            assert!(lock(&store.index).by_key.is_none());
        }
        assert_eq!(listed(&store, "k3:").len(), 100);
        assert!(lock(&store.index).by_key.is_some());
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
