//! Stores that are plain blocking code, made drivers.
//!
//! A [`BlockingDriver`] may be called on any thread and knows nothing of modes. `Offloaded` of the store
//! crate makes it a [`Driver`](crate::driver::Driver): Sync calls run in place, async ones on another
//! thread, and writes of one key keep the order of the calls whatever thread they land on.

use std::any::Any;
use std::sync::Arc;

use crate::driver::{Event, Flags, NativeMeta};
use crate::error::{Error, Kind, Result};
use crate::keys::Keys;
use crate::value::Value;

/// Where a blocking driver reports changes, from any thread.
pub type SharedSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Starts a watch that was prepared. May block, on any thread.
pub type StartWatch = Box<dyn FnOnce() -> Result<Box<dyn Any + Send>> + Send>;

/// A change of one item.
#[derive(Debug, Clone, Copy)]
pub enum Write<'a> {
    /// Writes it, as [`BlockingDriver::set`].
    Set {
        /// The key.
        key: &'a str,
        /// What it holds.
        value: &'a Value,
        /// When it expires, in ms since the epoch.
        expires_ms: Option<u64>,
    },
    /// Removes it, as [`BlockingDriver::remove_listed`].
    Remove {
        /// The key.
        key: &'a str,
    },
}

impl<'a> Write<'a> {
    /// The key of the item.
    pub fn key(&self) -> &'a str {
        match self {
            Write::Set { key, .. } | Write::Remove { key } => key,
        }
    }
}

/// A store that may be called on any thread, by several threads at once.
///
/// The law for implementors:
/// - a call may block; it must not wait for the host's thread;
/// - keys are in normal form and not empty. [`check_key`](BlockingDriver::check_key) is asked
///   before any other call with that key;
/// - a missing item reads as `None` and removing it succeeds;
/// - a write that fails leaves the old value in place; a reader sees the old value or the new one;
/// - calls that write one key are never made at the same time by the same `Offloaded`, but other
///   processes and other instances may do so at any moment.
pub trait BlockingDriver: Send + Sync + 'static {
    /// The name for messages.
    fn name(&self) -> &'static str;

    /// What the store does natively.
    fn flags(&self) -> Flags;

    /// Whether calls return without waiting for anything slower than memory; such calls run in
    /// place in both modes.
    fn is_instant(&self) -> bool {
        false
    }

    /// Whether values of the host can be kept by reference.
    fn holds_references(&self) -> bool {
        false
    }

    /// Whether changes are refused silently.
    fn is_read_only(&self) -> bool {
        false
    }

    /// Whether `clear` is refused silently.
    fn refuses_clear(&self) -> bool {
        false
    }

    /// Says whether the key can name an item.
    ///
    /// # Errors
    /// [`Kind::InvalidKey`] with the reason.
    fn check_key(&self, _key: &str) -> Result<()> {
        Ok(())
    }

    /// Whether there is an item.
    ///
    /// # Errors
    /// Those of the system.
    fn has(&self, key: &str) -> Result<bool>;

    /// The item as the codec wrote it.
    ///
    /// # Errors
    /// [`Kind::CorruptValue`] when what is stored cannot be text; those of the system.
    fn get(&self, key: &str) -> Result<Option<Value>>;

    /// The item as raw bytes, text or value.
    ///
    /// # Errors
    /// Those of the system.
    fn get_raw(&self, key: &str) -> Result<Option<Value>>;

    /// Writes an item; `expires_ms` is when it ends, in ms since the epoch.
    ///
    /// # Errors
    /// [`Kind::InvalidValue`] for a value that the store cannot hold; those of the system.
    fn set(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()>;

    /// Writes an item that is read raw as it is given; `expires_ms` is when it expires, in ms since the
    /// epoch.
    ///
    /// # Errors
    /// As [`set`](BlockingDriver::set).
    fn set_raw(&self, key: &str, value: &Value, expires_ms: Option<u64>) -> Result<()> {
        self.set(key, value, expires_ms)
    }

    /// Removes an item; says whether there was one.
    ///
    /// # Errors
    /// Those of the system.
    fn remove(&self, key: &str) -> Result<bool>;

    /// Removes an item that [`keys`](BlockingDriver::keys) gave; says whether there was one. What
    /// `keys` does not reach, such as a folder that has become a link to one outside the store, is
    /// left alone.
    ///
    /// # Errors
    /// Those of the system.
    fn remove_listed(&self, key: &str) -> Result<bool> {
        self.remove(key)
    }

    /// Whether [`apply`](BlockingDriver::apply) makes all of its writes or none.
    fn is_atomic(&self) -> bool {
        false
    }

    /// Makes several writes, each key once, and says of each whether it changed an item.
    ///
    /// # Errors
    /// Those of [`set`](BlockingDriver::set) and [`remove`](BlockingDriver::remove), with the key where one
    /// write is to blame. Of a store that is not atomic the others are made all the same.
    fn apply(&self, writes: &[Write<'_>]) -> Result<Vec<bool>> {
        let mut outcome = Ok(());
        let mut changed = Vec::with_capacity(writes.len());
        for write in writes {
            let done = match *write {
                Write::Set {
                    key,
                    value,
                    expires_ms,
                } => self.set(key, value, expires_ms).map(|()| true),
                Write::Remove { key } => self.remove_listed(key),
            };
            changed.push(*done.as_ref().unwrap_or(&false));
            outcome = outcome.and(done.map(drop).map_err(|error| error.key(write.key())));
        }
        outcome.map(|()| changed)
    }

    /// The keys that begin with `base`, which is empty or ends in `:`, of at most `max_depth`.
    /// Keys that end in `$` are among them.
    ///
    /// # Errors
    /// Those of the system.
    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys>;

    /// Whether [`keys`](BlockingDriver::keys) gives the key while there is an item: stores leave out
    /// what they are told to ignore.
    fn lists(&self, _key: &str) -> bool {
        true
    }

    /// What the store knows about an item; `None` when there is no item.
    ///
    /// # Errors
    /// Those of the system.
    fn meta(&self, key: &str) -> Result<Option<NativeMeta>>;

    /// Notes that the text of the item did not read as a value: the next write keeps it aside.
    fn note_corrupt(&self, _key: &str) {}

    /// Whether [`watch`](BlockingDriver::watch) reports changes. Where it does not, the storage
    /// reports its own writes.
    fn can_watch(&self) -> bool {
        false
    }

    /// Reports changes, own and foreign, until the guard is dropped.
    ///
    /// # Errors
    /// Those of the system.
    fn watch(&self, _sink: SharedSink) -> Result<Box<dyn Any + Send>> {
        Err(Error::new(Kind::DriverResult, "this driver does not watch").driver(self.name()))
    }

    /// Prepares a watch without blocking: of changes that the store makes itself, it sees those from now on.
    fn prepare_watch(self: Arc<Self>, sink: SharedSink) -> StartWatch {
        Box::new(move || self.watch(sink))
    }

    /// When the next item ends, in ms since the epoch.
    ///
    /// # Errors
    /// Those of the system.
    fn next_expiry(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Removes the items whose time is over at `now_ms`, and gives their keys.
    ///
    /// # Errors
    /// Those of the system.
    fn sweep(&self, _now_ms: u64) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Waits until no other process holds the store's lock, and holds it until the guard is
    /// dropped. `None` where other processes cannot reach the store.
    ///
    /// # Errors
    /// Those of the system.
    fn lock(&self) -> Result<Option<Box<dyn Any + Send>>> {
        Ok(None)
    }

    /// Returns when everything written before is durable.
    ///
    /// # Errors
    /// Those of the system.
    fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// Whether [`flush_at_exit`](BlockingDriver::flush_at_exit) has something to do.
    fn is_behind_at_exit(&self) -> bool {
        false
    }

    /// Does what must be done before the program ends, which waits for as long as `moved` is told
    /// now and then.
    ///
    /// # Errors
    /// Those of the system.
    fn flush_at_exit(&self, _moved: &dyn Fn()) -> Result<()> {
        Ok(())
    }

    /// Frees what the store holds. Called once, last.
    ///
    /// # Errors
    /// Those of the system.
    fn dispose(&self) -> Result<()> {
        self.flush()
    }
}
