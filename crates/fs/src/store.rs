//! The store: every call on its way to the engine, with the names for its errors.

use std::any::Any;
use std::borrow::Cow;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use super::disk::{Disk, Stat, SystemDisk};
use super::durability::{Background, Durability, Level};
use super::engine::{Engine, Folding};
use super::expiry_index::ExpiryIndex;
use super::group::{Staged, Step};
use super::held::KeyLocks;
use super::locks::Locks;
use super::marks::Marks;
use super::moves::Moves;
use super::options::{FsOptions, NAME};
use super::place::{Reach, told_from_placeholder};
use super::seen::Seen;
use super::terms::Terms;
use super::unfinished::Unfinished;
use super::{path, watch};
use eas_core::driver::NativeMeta;
use eas_core::envelope::Stored;
use eas_core::error::{At, Error, Kind, Result};
use eas_core::keys::Keys;
use eas_core::runtime::Clock;
use eas_core::store::{
    Applied, Batch, Prepared, SharedSink, Store, StoreInfo, StoreLock, Write, apply_each, get_each,
};
use eas_core::value::Value;
use eas_store::pool;

/// What a store needs from the machine.
pub struct Ports<D> {
    /// The file system.
    pub disk: D,
    /// The time.
    pub clock: Clock,
    /// Threads for work that nobody waits for.
    pub background: Background,
}

/// Items as files under one folder. Nothing is touched before the first call. Clones are the same
/// store.
pub struct FsStore<D: Disk = SystemDisk> {
    engine: Arc<Engine<D>>,
}

impl<D: Disk> Clone for FsStore<D> {
    fn clone(&self) -> Self {
        FsStore {
            engine: self.engine.clone(),
        }
    }
}

impl FsStore<SystemDisk> {
    /// A store on the machine's file system. `name` is [`NAME`] or [`LITE_NAME`].
    pub fn new(name: &'static str, options: FsOptions, clock: Clock) -> Self {
        let background: Background = Arc::new(|delay, job| {
            if delay.is_zero() {
                pool::submit(job)
            } else {
                pool::submit_after(delay, job)
            }
        });
        FsStore::with_ports(
            name,
            options,
            Ports {
                disk: SystemDisk,
                clock,
                background,
            },
        )
    }
}

impl<D: Disk> FsStore<D> {
    /// A store on the given machine.
    pub fn with_ports(name: &'static str, options: FsOptions, ports: Ports<D>) -> Self {
        let disk = Arc::new(ports.disk);
        let durability = Durability::new(
            disk.clone(),
            options.durability,
            options.base.clone(),
            ports.background.clone(),
        );
        let index_path = options.base.join(path::EXPIRY_INDEX);
        let index = ExpiryIndex::new(index_path, options.own_mode());
        let info = StoreInfo {
            read_only: options.read_only,
            no_clear: options.no_clear,
            max_depth: true,
            ttl: true,
            watches: name == NAME,
            keeps_files: true,
            commits: true,
            ..StoreInfo::named(name)
        };
        let key_locks = KeyLocks::new(options.base.join(path::KEY_LOCKS));
        let engine = Arc::new_cyclic(|me| Engine {
            name,
            info,
            options,
            disk,
            clock: ports.clock,
            background: ports.background,
            durability: Arc::new(durability),
            index,
            seen: Seen::default(),
            started: AtomicBool::new(false),
            me: me.clone(),
            locks: Locks::default(),
            folding: Folding::default(),
            corrupt: Marks::default(),
            moves: Moves::default(),
            changes: Arc::default(),
            key_locks,
            unfinished: Unfinished::default(),
            is_open: AtomicBool::new(false),
            opening: Mutex::default(),
        });
        FsStore { engine }
    }

    /// The folder that holds the items, in the form in which the system is asked for it.
    pub fn base(&self) -> &Path {
        &self.engine.options.base
    }

    /// The key of the item that a path below the base holds. `None` for ignored files and for those
    /// that stand for no key, such as temporary ones.
    pub fn key_of_path(&self, path: &Path) -> Option<String> {
        self.engine.key_of_path(path)
    }

    /// The path of a key relative to the base, its names joined by `/`.
    pub fn relative_path(&self, key: &str) -> String {
        self.engine.relative_path(key)
    }

    fn engine(&self) -> &Engine<D> {
        self.engine.first_use();
        &self.engine
    }
}

impl<D: Disk> Store for FsStore<D> {
    fn info(&self) -> &StoreInfo {
        &self.engine.info
    }

    fn check_key(&self, key: &str) -> Result<()> {
        match path::refusal(key) {
            None => Ok(()),
            Some(reason) => {
                let quoted = serde_json::Value::from(key);
                let error =
                    Error::new(Kind::InvalidKey, format!("Invalid key: {quoted}. {reason}"));
                Err(error.driver(self.engine.name).key(key))
            }
        }
    }

    fn has(&self, key: &str) -> Result<bool> {
        self.engine()
            .live(key)
            .map(|found| found.is_some())
            .at(self.name(), "hasItem", key)
    }

    fn get(&self, key: &str) -> Result<Option<Value>> {
        self.engine().text(key).at(self.name(), "getItem", key)
    }

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Result<Option<Value>>>> {
        get_each(keys, |key| self.get(key))
    }

    fn get_raw(&self, key: &str) -> Result<Option<Value>> {
        let bytes = self
            .engine()
            .bytes(key)
            .at(self.name(), "getItemRaw", key)?;
        Ok(bytes.map(Value::buffer))
    }

    fn apply(&self, batch: &Batch<'_>) -> Result<Applied> {
        if batch.is_group || !batch.checks.is_empty() {
            return self.commit(batch);
        }
        apply_each(batch.writes, |write| match *write {
            Write::Set {
                key,
                value,
                is_raw: false,
                expires_ms,
            } => self.write_item(key, value, expires_ms).map(|()| true),
            Write::Set {
                key,
                value,
                is_raw: true,
                expires_ms,
            } => self.write_raw(key, value, expires_ms).map(|()| true),
            Write::Remove { key, is_listed } => self.delete(key, is_listed),
        })
    }

    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        self.engine()
            .live_keys(base, max_depth)
            .at(self.name(), "getKeys", base)
    }

    fn lists(&self, key: &str) -> bool {
        !self.engine.is_ignored(&self.relative_path(key))
    }

    fn meta(&self, key: &str) -> Result<Option<NativeMeta>> {
        let found = self.engine().live(key).at(self.name(), "getMeta", key)?;
        Ok(found.map(|found| native_meta(&found.stat, found.ttl_ms)))
    }

    fn note_corrupt(&self, key: &str) {
        self.engine.corrupt.add(key);
    }

    fn next_expiry(&self) -> Result<Option<u64>> {
        self.engine
            .next_expiry()
            .map_err(|error| error.driver(self.name()).operation("getMeta"))
    }

    fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        if self.is_read_only() {
            return Ok(Vec::new());
        }
        self.engine()
            .sweep(now_ms)
            .map_err(|error| error.driver(self.name()).operation("removeItem"))
    }

    fn lock(&self) -> Result<Option<StoreLock>> {
        if self.is_read_only() {
            return Ok(None);
        }
        let lock = self.engine().wait_for_lock();
        let lock = lock.map_err(|error| error.driver(self.name()).operation("migrate"))?;
        Ok(lock.map(|lock| Box::new(lock) as Box<dyn Any + Send>))
    }

    fn watch(self: Arc<Self>, sink: SharedSink) -> Prepared {
        let name = self.name();
        let prepared = watch::prepare(self.engine.clone(), self.engine.options.watch, sink);
        let start = prepared.start;
        Prepared {
            start: Box::new(move || start().map_err(|error| error.driver(name).operation("watch"))),
            ..prepared
        }
    }

    fn is_behind_at_exit(&self) -> bool {
        let engine = &self.engine;
        engine.options.durability == Level::Background && engine.durability.is_behind()
    }

    fn flush_at_exit(&self, moved: &dyn Fn()) -> Result<()> {
        match self.engine.options.durability {
            Level::Background => self.flush_telling(moved),
            Level::Full | Level::None => Ok(()),
        }
    }

    fn flush(&self) -> Result<()> {
        self.flush_telling(&|| ())
    }

    fn dispose(&self) -> Result<()> {
        let flushed = self.flush();
        self.engine.close_key_locks();
        flushed
    }
}

impl<D: Disk> FsStore<D> {
    fn name(&self) -> &'static str {
        self.engine.name
    }

    fn is_read_only(&self) -> bool {
        self.engine.options.read_only
    }

    fn write_item(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()> {
        self.put(key, value, "setItem", |bytes| match value {
            Value::Text(_) => Stored::text(bytes, expires_ms),
            Value::Bytes(..) | Value::Js(_) => Stored::raw(bytes, expires_ms),
        })
    }

    fn write_raw(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()> {
        self.put(key, value, "setItemRaw", |bytes| {
            Stored::raw(bytes, expires_ms)
        })
    }

    /// Makes the changes of a batch as one, if its conditions hold.
    fn commit(&self, batch: &Batch<'_>) -> Result<Applied> {
        if self.is_read_only() {
            let nothing = batch.writes.iter().map(|_| false).collect();
            return Ok(Applied::Done(nothing));
        }
        let bytes = batch.writes.iter().map(|write| match write {
            Write::Set { key, value, .. } => self.bytes_of(key, value),
            Write::Remove { .. } => Ok(Cow::Borrowed(&[][..])),
        });
        let bytes = bytes.collect::<Result<Vec<_>>>()?;
        let writes = batch.writes.iter().zip(&bytes);
        let staged: Vec<_> = writes.map(|(write, bytes)| staged(write, bytes)).collect();
        self.engine()
            .commit(batch.checks, &staged)
            .map_err(|error| error.driver(self.name()))
    }

    fn delete(&self, key: &str, is_listed: bool) -> Result<bool> {
        if self.is_read_only() {
            return Ok(false);
        }
        let operation = if is_listed { "clear" } else { "removeItem" };
        self.engine()
            .discard(key, reach_of(is_listed))
            .at(self.name(), operation, key)
    }

    fn put(
        &self,
        key: &str,
        value: &Value,
        operation: &'static str,
        stored: impl FnOnce(&[u8]) -> Stored<'_>,
    ) -> Result<()> {
        if self.is_read_only() {
            return Ok(());
        }
        let bytes = self.bytes_of(key, value)?;
        let stored = told_from_placeholder(stored(&bytes));
        let engine = self.engine();
        let permit = || engine.usual_permit(key);
        engine
            .put(key, &stored, &Terms::usual(&permit))
            .at(self.name(), operation, key)
            .map(drop)
    }

    fn bytes_of<'a>(&self, key: &str, value: &'a Value) -> Result<Cow<'a, [u8]>> {
        let message = "A file holds a string or bytes only. Give setItemRaw a string, a Buffer or a Uint8Array.";
        let none = || Error::new(Kind::InvalidValue, message);
        let bytes = value.file_bytes().ok_or_else(none);
        bytes.at(self.name(), "setItemRaw", key)
    }

    fn flush_telling(&self, moved: &dyn Fn()) -> Result<()> {
        self.engine
            .durability
            .flush(moved)
            .map_err(|error| error.driver(self.name()).operation("flush"))
    }
}

/// A change as it is made; `bytes` are those of the value.
fn staged<'a>(write: &Write<'a>, bytes: &'a [u8]) -> Staged<'a> {
    let (key, step) = match *write {
        Write::Remove { key, is_listed } => (key, Step::Remove(reach_of(is_listed))),
        Write::Set {
            key,
            value,
            is_raw,
            expires_ms,
        } => {
            let stored = if !is_raw && matches!(value, Value::Text(_)) {
                Stored::text(bytes, expires_ms)
            } else {
                Stored::raw(bytes, expires_ms)
            };
            (key, Step::Set(told_from_placeholder(stored)))
        }
    };
    Staged { key, step }
}

fn reach_of(is_listed: bool) -> Reach {
    if is_listed {
        Reach::Listed
    } else {
        Reach::Named
    }
}

fn native_meta(stat: &Stat, ttl_ms: Option<u64>) -> NativeMeta {
    #[expect(
        clippy::cast_precision_loss,
        reason = "ms with a fraction are what JavaScript shows"
    )]
    let ms = |ns: Option<i128>| ns.map(|ns| ns as f64 / 1e6);
    NativeMeta {
        atime_ms: ms(stat.atime_ns),
        mtime_ms: ms(stat.mtime_ns),
        ctime_ms: ms(stat.ctime_ns),
        birthtime_ms: ms(stat.birthtime_ns),
        size: Some(stat.size),
        ttl_ms,
    }
}
