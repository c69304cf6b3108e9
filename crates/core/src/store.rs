//! Stores: plain blocking code that keeps items.
//!
//! A [`Store`] may be called on any thread and knows nothing of modes. `Offloaded` of the store crate
//! makes it a [`Driver`](crate::driver::Driver): Sync calls run in place, async ones on another thread,
//! and writes of one key keep the order of the calls whatever thread they land on.

use std::any::Any;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::condition::Check;
use crate::error::Result;
use crate::item::{Event, NativeMeta};
use crate::keys::Keys;
use crate::value::Value;

/// Where a store reports changes, from any thread.
pub type SharedSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Starts a watch that was prepared. May block, on any thread.
pub type StartWatch = Box<dyn FnOnce() -> Result<Box<dyn Any + Send>> + Send>;

/// A watch that was prepared.
pub struct Prepared {
    /// Starts it.
    pub start: StartWatch,
    /// Whether the last change of the key that the store made itself is reported to it: that change was made
    /// since it was prepared. Called on the JS thread.
    pub hears: Box<dyn Fn(&str) -> bool>,
}

/// A lock of a store, held until it is dropped.
pub type StoreLock = Box<dyn Any + Send>;

/// What a store is, as data. Does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability of its own"
)]
pub struct StoreInfo {
    /// The name for messages.
    pub name: &'static str,
    /// Calls return without waiting for anything slower than memory; they run in place in both modes.
    pub is_instant: bool,
    /// Values of the JS runtime can be kept by reference.
    pub holds_references: bool,
    /// Text is read back raw as text, and bytes as bytes.
    pub keeps_kinds: bool,
    /// Items are [stored in files](crate::envelope::Stored), with the times and the sizes of these.
    pub keeps_files: bool,
    /// Writes do nothing.
    pub read_only: bool,
    /// A clear does nothing.
    pub no_clear: bool,
    /// Listings leave out keys deeper than asked for.
    pub max_depth: bool,
    /// Items with a time to live disappear when it is over.
    pub ttl: bool,
    /// Other processes write items that expire, whose removal is left to whoever has the store open then.
    pub others_expire: bool,
    /// [`watch`](Store::watch) reports changes. Where it does not, the storage reports its own writes.
    pub watches: bool,
    /// A batch is made whole or not at all, whatever it says.
    pub is_transactional: bool,
    /// [`apply`](Store::apply) takes conditions and groups.
    pub commits: bool,
    /// A batch takes little longer than one of its writes: single writes that wait for a thread are made as
    /// one.
    pub gathers_writes: bool,
}

impl StoreInfo {
    /// A store on a medium that keeps texts and bytes and has nothing beyond that.
    pub fn named(name: &'static str) -> Self {
        StoreInfo {
            name,
            is_instant: false,
            holds_references: false,
            keeps_kinds: false,
            keeps_files: false,
            read_only: false,
            no_clear: false,
            max_depth: false,
            ttl: false,
            others_expire: false,
            watches: false,
            is_transactional: false,
            commits: false,
            gathers_writes: false,
        }
    }
}

/// A change of one item.
#[derive(Debug, Clone, Copy)]
pub enum Write<'a> {
    /// Writes it. A write that fails leaves the old value in place.
    Set {
        /// The key.
        key: &'a str,
        /// What it holds.
        value: &'a Value,
        /// Whether it is read back raw as it is given.
        is_raw: bool,
        /// When it expires, in ms since the epoch.
        expires_ms: Option<u64>,
    },
    /// Removes it. Removing a missing one succeeds.
    Remove {
        /// The key.
        key: &'a str,
        /// Whether the key comes from a listing: what [`keys`](Store::keys) does not reach, such as a
        /// folder that has become a link to one outside the store, is left alone then.
        is_listed: bool,
    },
}

impl<'a> Write<'a> {
    /// The key of the item.
    pub fn key(&self) -> &'a str {
        match self {
            Write::Set { key, .. } | Write::Remove { key, .. } => key,
        }
    }
}

/// Writes that belong together, and what has to hold for them to be made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Batch<'a> {
    /// The conditions: all of them hold when the writes are made, or none is made.
    pub checks: &'a [Check],
    /// The writes, each key once.
    pub writes: &'a [Write<'a>],
    /// Whether all of the writes are made or none, also when the process is killed midway.
    pub is_group: bool,
}

impl<'a> Batch<'a> {
    /// Writes without conditions, each of which may fail by itself.
    pub fn of(writes: &'a [Write<'a>]) -> Self {
        Batch {
            checks: &[],
            writes,
            is_group: false,
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Of each write, whether it changed an item: writing always does, removing a missing one does not.
    Done(SmallVec<[bool; 8]>),
    /// The keys whose condition does not hold. Nothing was written.
    Conflicts(Vec<String>),
}

/// Keeps items, and may be called on any thread, by several threads at once.
///
/// The contract for implementors:
/// - a call may block; it must not wait for the JS thread;
/// - keys are in normal form and not empty. [`check_key`](Store::check_key) is asked before any other
///   call with that key;
/// - a missing item reads as `None`;
/// - a reader sees the old value or the new one;
/// - calls that write one key are never made at the same time by the same `Offloaded`, but other
///   processes and other instances may do so at any moment.
///
/// No method has a default: a store says what it does.
pub trait Store: Any + Send + Sync {
    /// What the store is. Does not change: it is asked for once.
    fn info(&self) -> &StoreInfo;

    /// Says whether the key can name an item.
    ///
    /// # Errors
    /// [`Kind::InvalidKey`](crate::error::Kind::InvalidKey) with the reason.
    fn check_key(&self, key: &str) -> Result<()>;

    /// Whether there is an item.
    ///
    /// # Errors
    /// Those of the system.
    fn has(&self, key: &str) -> Result<bool>;

    /// The item as the codec wrote it.
    ///
    /// # Errors
    /// [`Kind::CorruptValue`](crate::error::Kind::CorruptValue) when what is stored cannot be text; those
    /// of the system.
    fn get(&self, key: &str) -> Result<Option<Value>>;

    /// Several items, each as [`get`](Store::get) gives it.
    ///
    /// # Errors
    /// Those of the system that keep it from reading any.
    fn get_many(&self, keys: &[&str]) -> Result<Vec<Result<Option<Value>>>>;

    /// The item as raw bytes, text or value.
    ///
    /// # Errors
    /// Those of the system.
    fn get_raw(&self, key: &str) -> Result<Option<Value>>;

    /// Makes the writes of a batch if its conditions hold.
    ///
    /// # Errors
    /// [`Kind::InvalidValue`](crate::error::Kind::InvalidValue) for a value that the store cannot hold;
    /// those of the system, with the key where one write is to blame. The other writes are made all the
    /// same, unless the batch is a [group](Batch::is_group) or the store is
    /// [transactional](StoreInfo::is_transactional).
    fn apply(&self, batch: &Batch<'_>) -> Result<Applied>;

    /// The keys that begin with `base`, which is empty or ends in `:`, of at most `max_depth`.
    /// Keys that end in `$` are among them.
    ///
    /// # Errors
    /// Those of the system.
    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys>;

    /// Whether [`keys`](Store::keys) gives the key while there is an item: stores leave out what they
    /// are told to ignore.
    fn lists(&self, key: &str) -> bool;

    /// What the store knows about an item; `None` when there is no item.
    ///
    /// # Errors
    /// Those of the system.
    fn meta(&self, key: &str) -> Result<Option<NativeMeta>>;

    /// Notes that the text of the item did not read as a value: the next write keeps it aside.
    fn note_corrupt(&self, key: &str);

    /// Prepares a watch without blocking, which reports changes, own and external, until its guard is
    /// dropped. Of changes that the store makes itself, it sees those from now on. Only called where
    /// [`watches`](StoreInfo::watches) says so.
    fn watch(self: Arc<Self>, sink: SharedSink) -> Prepared;

    /// When the next item expires, in ms since the epoch.
    ///
    /// # Errors
    /// Those of the system.
    fn next_expiry(&self) -> Result<Option<u64>>;

    /// Removes the items that have expired at `now_ms`, and gives their keys.
    ///
    /// # Errors
    /// Those of the system.
    fn sweep(&self, now_ms: u64) -> Result<Vec<String>>;

    /// Waits until no other process holds the store's lock, and takes it. `None` where other processes
    /// cannot reach the store.
    ///
    /// # Errors
    /// Those of the system.
    fn lock(&self) -> Result<Option<StoreLock>>;

    /// Returns when everything written before is durable.
    ///
    /// # Errors
    /// Those of the system.
    fn flush(&self) -> Result<()>;

    /// Whether [`flush_at_exit`](Store::flush_at_exit) has something to do.
    fn is_behind_at_exit(&self) -> bool;

    /// Does what must be done before the program exits, which waits for as long as `progressed` is
    /// called now and then.
    ///
    /// # Errors
    /// Those of the system.
    fn flush_at_exit(&self, progressed: &dyn Fn()) -> Result<()>;

    /// Flushes, and frees what the store holds. Called once, last.
    ///
    /// # Errors
    /// Those of the system.
    fn dispose(&self) -> Result<()>;
}

/// Single writes, as batches of one.
pub trait SingleWrites: Store {
    /// Makes one write; says whether it changed an item.
    ///
    /// # Errors
    /// Those of [`apply`](Store::apply).
    #[inline]
    fn write(&self, write: Write<'_>) -> Result<bool> {
        match self.apply(&Batch::of(&[write]))? {
            Applied::Done(changed) => Ok(changed.first().copied().unwrap_or(false)),
            Applied::Conflicts(_) => Ok(false),
        }
    }

    /// Writes an item; `expires_ms` is when it expires, in ms since the epoch.
    ///
    /// # Errors
    /// Those of [`apply`](Store::apply).
    #[inline]
    fn set(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()> {
        let write = Write::Set {
            key,
            value,
            is_raw: false,
            expires_ms,
        };
        self.write(write).map(drop)
    }

    /// As [`set`](SingleWrites::set), of an item that is read back raw as it is given.
    ///
    /// # Errors
    /// Those of [`apply`](Store::apply).
    #[inline]
    fn set_raw(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()> {
        let write = Write::Set {
            key,
            value,
            is_raw: true,
            expires_ms,
        };
        self.write(write).map(drop)
    }

    /// Removes an item; says whether there was one.
    ///
    /// # Errors
    /// Those of [`apply`](Store::apply).
    fn remove(&self, key: &str) -> Result<bool> {
        let is_listed = false;
        self.write(Write::Remove { key, is_listed })
    }

    /// Removes an item that a listing gave; says whether there was one.
    ///
    /// # Errors
    /// Those of [`apply`](Store::apply).
    fn remove_listed(&self, key: &str) -> Result<bool> {
        let is_listed = true;
        self.write(Write::Remove { key, is_listed })
    }
}

impl<S: Store + ?Sized> SingleWrites for S {}

/// Reads items one after the other, for stores that do not read them at once.
///
/// # Errors
/// None: each item has its own.
pub fn get_each(
    keys: &[&str],
    get: impl Fn(&str) -> Result<Option<Value>>,
) -> Result<Vec<Result<Option<Value>>>> {
    Ok(keys.iter().map(|key| get(key)).collect())
}

/// Makes the writes of a batch one after the other, also after one failed, for stores that do not make
/// them at once.
///
/// # Errors
/// That of the first write that failed, with its key.
#[inline]
pub fn apply_each(
    writes: &[Write<'_>],
    mut apply: impl FnMut(&Write<'_>) -> Result<bool>,
) -> Result<Applied> {
    let mut outcome = Ok(());
    let mut changed = SmallVec::with_capacity(writes.len());
    for write in writes {
        match apply(write) {
            Ok(is_change) => changed.push(is_change),
            Err(error) => {
                changed.push(false);
                outcome = outcome.and(Err(error.key(write.key())));
            }
        }
    }
    outcome.map(|()| Applied::Done(changed))
}
