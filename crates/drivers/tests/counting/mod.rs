//! A store that counts the batches it is given.

#![allow(
    unreachable_pub,
    reason = "each test binary has it as a module of its own"
)]

use std::sync::{Arc, Mutex};

use eas_core::driver::NativeMeta;
use eas_core::error::{Error, Kind, Result};
use eas_core::keys::Keys;
use eas_core::runtime::lock;
use eas_core::store::{Applied, Batch, Prepared, SharedSink, Store, StoreInfo, StoreLock, Write};
use eas_core::value::Value;
use eas_memory::MemoryStore;

/// Memory that is slow to write, and makes a batch whole or not at all. Writing the keys `bad` and
/// `busy` fails, and `odd` panics.
pub struct Counting {
    info: StoreInfo,
    inner: Arc<MemoryStore>,
    /// The keys of each batch.
    pub batches: Mutex<Vec<Vec<String>>>,
}

impl Counting {
    pub fn new(gathers_writes: bool) -> Self {
        Counting {
            info: StoreInfo {
                keeps_kinds: true,
                ttl: true,
                is_transactional: true,
                commits: true,
                gathers_writes,
                ..StoreInfo::named("counting")
            },
            inner: Arc::new(MemoryStore::new(Arc::new(|| 0))),
            batches: Mutex::default(),
        }
    }
}

impl Store for Counting {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn check_key(&self, key: &str) -> Result<()> {
        self.inner.check_key(key)
    }

    fn has(&self, key: &str) -> Result<bool> {
        self.inner.has(key)
    }

    fn get(&self, key: &str) -> Result<Option<Value>> {
        self.inner.get(key)
    }

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Result<Option<Value>>>> {
        self.inner.get_many(keys)
    }

    fn get_raw(&self, key: &str) -> Result<Option<Value>> {
        self.inner.get_raw(key)
    }

    fn apply(&self, batch: &Batch<'_>) -> Result<Applied> {
        let keys = batch.writes.iter().map(|write| write.key().to_owned());
        lock(&self.batches).push(keys.collect());
        for write in batch.writes {
            let Write::Set { key, .. } = write else {
                continue;
            };
            match *key {
                "bad" => return Err(Error::new(Kind::InvalidValue, "it cannot be held")),
                "busy" => return Err(Error::new(Kind::System("EBUSY"), "others write")),
                "odd" => panic!("it is odd"),
                _ => {}
            }
        }
        self.inner.apply(batch)
    }

    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        self.inner.keys(base, max_depth)
    }

    fn lists(&self, key: &str) -> bool {
        self.inner.lists(key)
    }

    fn meta(&self, key: &str) -> Result<Option<NativeMeta>> {
        self.inner.meta(key)
    }

    fn note_corrupt(&self, key: &str) {
        self.inner.note_corrupt(key);
    }

    fn watch(self: Arc<Self>, _sink: SharedSink) -> Prepared {
        unreachable!("it does not watch")
    }

    fn next_expiry(&self) -> Result<Option<u64>> {
        self.inner.next_expiry()
    }

    fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        self.inner.sweep(now_ms)
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
        Ok(())
    }
}
