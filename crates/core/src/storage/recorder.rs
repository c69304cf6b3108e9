//! The record of a migration: what it overwrites, in memory and in the store itself.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use crate::driver::{Driver, Mode, Options};
use crate::error::{Error, Kind, Result};
use crate::fallbacks;
use crate::group::GroupWrite;
use crate::key;
use crate::value::{BytesKind, Text, Value};

/// Everything of the record begins with this: [`key::MIGRATION_RECORDS`] as a base.
const BASE: &str = "__storage_journal__:";
/// Stands for "not finished".
pub(super) const HEADER: &str = "__storage_journal__:open$";

/// The record of a migration that is running.
pub(super) struct Recorder {
    /// The name of the migration.
    pub(super) id: String,
    /// Lets the writes of a migration through one at a time, in the order of the calls.
    pub(super) gate: Arc<Mutex<()>>,
    /// Whether the migration is over: writes that waited for the gate till then are not part of it.
    pub(super) is_over: Cell<bool>,
    pub(super) recorded: RefCell<Vec<Old>>,
    /// How many of them were recorded before the steps began: undoing the steps leaves those.
    pub(super) before_steps: Cell<usize>,
    /// The keys that are recorded, with how much of each was the base of its mount: a step may change
    /// the mounts.
    pub(super) known: RefCell<HashSet<(usize, String)>>,
    pub(super) journals: RefCell<Vec<Journal>>,
    /// Keeps other processes' migrations of the store waiting.
    _lock: Option<Box<dyn Any>>,
}

/// The entries that one mount keeps. A step may take the mount out; they are found all the same.
pub(super) struct Journal {
    pub(super) driver: Rc<dyn Driver>,
    pub(super) base: String,
    pub(super) len: u64,
    /// Keeps what the driver needs of the JS runtime, for the undo.
    _hold: Box<dyn Any>,
}

/// What a key held before the migration.
pub(super) struct Old {
    pub(super) driver: Rc<dyn Driver>,
    /// The base of the mount.
    pub(super) base: String,
    /// The key within the mount.
    pub(super) key: String,
    pub(super) value: Option<Value>,
    /// Whether the value was read, and has to be written, without the codec.
    pub(super) is_raw: bool,
    /// When the value ends, in ms since the epoch.
    pub(super) expires_ms: Option<u64>,
}

impl Old {
    /// Whether the store can record it: some values only this process can hold, whose store does not outlive it
    /// either.
    fn can_be_stored(&self) -> bool {
        match &self.value {
            Some(Value::Js(handle)) => handle.bytes().is_some(),
            _ => true,
        }
    }

    /// What puts it back at `now_ms`.
    pub(super) fn restored(self, now_ms: u64) -> GroupWrite {
        let has_ended = self.expires_ms.is_some_and(|ms| ms <= now_ms);
        let options = Options {
            ttl_ms: self.expires_ms.map(|ms| ms.saturating_sub(now_ms)),
            ..Options::default()
        };
        match self.value.filter(|_| !has_ended) {
            Some(value) => GroupWrite::Set {
                is_raw: self.is_raw || !matches!(value, Value::Text(_)),
                key: self.key,
                value,
                options,
            },
            None => GroupWrite::Remove {
                key: self.key,
                options,
            },
        }
    }

    /// What tells the key from others: the driver, the base of the mount, the key within it.
    pub(super) fn place(&self) -> (*const (), &str, &str) {
        (Rc::as_ptr(&self.driver).cast(), &self.base, &self.key)
    }
}

impl Recorder {
    pub(super) fn new(id: String, lock: Option<Box<dyn Any>>) -> Self {
        Recorder {
            id,
            gate: Arc::default(),
            is_over: Cell::new(false),
            recorded: RefCell::default(),
            before_steps: Cell::new(0),
            known: RefCell::default(),
            journals: RefCell::default(),
            _lock: lock,
        }
    }

    /// A Sync write cannot wait for its turn.
    pub(super) fn refuse_sync(&self, mode: Mode) -> Result<()> {
        if mode == Mode::Sync && self.gate.try_lock().is_err() {
            let message = "a write of the migration is under way; await it before a Sync write";
            return Err(Error::new(Kind::Migration, message));
        }
        Ok(())
    }

    /// Whether a key is recorded, by the key in full and how much of it is the base of its mount.
    pub(super) fn knows(&self, base_len: usize, key: &str) -> bool {
        let known = self.known.borrow();
        known.contains(&(base_len, key.to_owned()))
    }

    /// Writes the record of what keys hold.
    pub(super) async fn record(&self, old: Vec<Old>, mode: Mode) -> Result<()> {
        let mut written: Vec<Rc<dyn Driver>> = Vec::new();
        for old in old {
            if let Some(entry) = write_entry(&self.id, &old) {
                let number = self.journal_of(&old, |journal| journal.len);
                write_text(&old.driver, &entry_key(&old.base, number), &entry, mode).await?;
                if !written.iter().any(|driver| Rc::ptr_eq(driver, &old.driver)) {
                    written.push(old.driver.clone());
                }
            }
            self.note(vec![old]);
        }
        for driver in written {
            settle(&driver, mode).await?;
        }
        Ok(())
    }

    /// The record of what keys of one driver hold, to be written together with what changes them.
    pub(super) fn record_of(&self, old: &[Old]) -> Vec<GroupWrite> {
        let entries = old
            .iter()
            .filter_map(|old| Some((old, write_entry(&self.id, old)?)));
        let writes = entries.enumerate().map(|(place, (old, entry))| {
            let number = self.journal_of(old, |journal| journal.len) + place as u64;
            let key = entry_key(&old.base, number);
            GroupWrite::set(key, Text::from(&*entry), Options::default())
        });
        writes.collect()
    }

    /// Notes what was recorded.
    pub(super) fn note(&self, old: Vec<Old>) {
        for old in old {
            if old.can_be_stored() {
                self.journal_of(&old, |journal| journal.len += 1);
            }
            let key = format!("{}{}", old.base, old.key);
            self.known.borrow_mut().insert((old.base.len(), key));
            self.recorded.borrow_mut().push(old);
        }
    }

    /// Looks at the journal that takes the entry.
    fn journal_of<T>(&self, old: &Old, look: impl FnOnce(&mut Journal) -> T) -> T {
        let mut journals = self.journals.borrow_mut();
        let is_its = |journal: &Journal| {
            journal.base == old.base && Rc::ptr_eq(&journal.driver, &old.driver)
        };
        let place = journals.iter().position(is_its).unwrap_or_else(|| {
            journals.push(Journal {
                driver: old.driver.clone(),
                base: old.base.clone(),
                len: 0,
                _hold: old.driver.hold(),
            });
            journals.len() - 1
        });
        look(&mut journals[place])
    }

    pub(super) fn drivers(&self) -> Vec<Rc<dyn Driver>> {
        let journals = self.journals.borrow();
        journals
            .iter()
            .map(|journal| journal.driver.clone())
            .collect()
    }

    /// Flushes drivers that a step took out of the storage, too.
    pub(super) async fn flush(&self) -> Result<()> {
        for driver in self.drivers() {
            settle(&driver, Mode::Async).await?;
        }
        Ok(())
    }

    /// Where the entries are, in the order in which they were written.
    pub(super) fn entries(&self) -> Vec<Place> {
        let journals = self.journals.borrow();
        let of_journal = |journal: &Journal| {
            let (driver, base) = (journal.driver.clone(), journal.base.clone());
            (0..journal.len).map(move |number| (driver.clone(), entry_key(&base, number)))
        };
        journals.iter().flat_map(of_journal).collect()
    }
}

/// A driver, and a key within it.
pub(super) type Place = (Rc<dyn Driver>, String);

/// Removes entries, the last first: those that stay when this is cut short are found again.
pub(super) async fn forget(entries: Vec<Place>) -> Result<()> {
    for (driver, key) in entries.into_iter().rev() {
        fallbacks::remove_item(&driver, &key, &Options::default(), Mode::Async).await?;
    }
    Ok(())
}

/// Sees to it that what was written so far reaches the store before what is written next. Stores
/// that are called without anything in between take writes as they come.
pub(super) async fn settle(driver: &Rc<dyn Driver>, mode: Mode) -> Result<()> {
    if driver.shared_store().is_some() {
        return Ok(());
    }
    fallbacks::flush(driver, mode).await
}

/// Whether a key, relative to its mount, belongs to the record.
pub(super) fn is_record(key: &str) -> bool {
    key.starts_with(BASE)
}

pub(super) fn entry_key(base: &str, number: u64) -> String {
    format!("{BASE}{base}{number}{}", key::META_SUFFIX)
}

pub(super) async fn write_text(
    driver: &Rc<dyn Driver>,
    key: &str,
    text: &str,
    mode: Mode,
) -> Result<()> {
    fallbacks::set_item(driver, key, Text::from(text), &Options::default(), mode).await
}

pub(super) async fn read_text(driver: &Rc<dyn Driver>, key: &str) -> Result<Option<String>> {
    let stored = fallbacks::get_item(driver, key, &Options::default(), Mode::Async).await?;
    Ok(stored.map(|stored| match stored {
        Value::Text(text) => text.to_str().into_owned(),
        // Something else than was written: it is there, and says nothing.
        _ => String::new(),
    }))
}

/// The name of the migration that a header stands for.
pub(super) fn read_header(text: &str) -> Option<String> {
    let header: Json = serde_json::from_str(text).ok()?;
    Some(header.get("json")?.as_str()?.to_owned())
}

/// The text of an entry; `None` for a value that only this process can hold, whose store does not
/// outlive it either.
pub(super) fn write_entry(id: &str, old: &Old) -> Option<String> {
    let value = match &old.value {
        None => Json::Null,
        Some(Value::Text(text)) => json!({ "text": text.to_str() }),
        Some(Value::Bytes(bytes, _)) => json!({ "bytes": BASE64.encode(bytes) }),
        Some(Value::Js(handle)) => json!({ "bytes": BASE64.encode(handle.bytes()?.0) }),
    };
    let entry = json!({
        "migration": id,
        "key": old.key,
        "value": value,
        "raw": old.is_raw,
        "expires": old.expires_ms,
    });
    Some(json!({ "json": entry }).to_string())
}

/// What an entry of that migration says.
pub(super) fn read_entry(text: &str, id: &str, driver: &Rc<dyn Driver>, base: &str) -> Option<Old> {
    let entry: Json = serde_json::from_str(text).ok()?;
    let entry = entry.get("json")?;
    if entry.get("migration")?.as_str()? != id {
        return None;
    }
    let old = entry.get("value")?;
    let value = if old.is_null() {
        None
    } else if let Some(text) = old.get("text").and_then(Json::as_str) {
        Some(Value::Text(Text::from(text)))
    } else {
        let bytes = BASE64.decode(old.get("bytes")?.as_str()?).ok()?;
        Some(Value::Bytes(bytes.into(), BytesKind::Buffer))
    };
    Some(Old {
        driver: driver.clone(),
        base: base.to_owned(),
        key: entry.get("key")?.as_str()?.to_owned(),
        value,
        is_raw: entry.get("raw")?.as_bool()?,
        expires_ms: entry.get("expires").and_then(Json::as_u64),
    })
}
