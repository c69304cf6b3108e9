//! The record of a migration: what it overwrites, in memory and in the store itself.

use std::any::Any;
use std::borrow::Cow;
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
use crate::record::{self, Action, Read, Step};
use crate::value::{Text, Value};

/// Everything of the record begins with this: [`key::MIGRATION_RECORDS`] as a base.
const BASE: &str = "__storage_journal__:";
/// How much of what items hold is recorded in one entry, in bytes; an item that holds more has its own.
const ENTRY_BYTES: usize = 1 << 20;
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
    fn is_of_mount_of(&self, other: &Old) -> bool {
        self.base == other.base && Rc::ptr_eq(&self.driver, &other.driver)
    }

    /// Some values only this process can hold, whose store does not outlive it either.
    fn can_be_recorded(&self) -> bool {
        match &self.value {
            Some(Value::Js(handle)) => handle.bytes().is_some(),
            _ => true,
        }
    }

    /// What it is in a record, where it [can be](Self::can_be_recorded).
    fn step(&self) -> Option<(Action, Cow<'_, [u8]>)> {
        Some(match &self.value {
            None => (Action::Remove, Cow::default()),
            Some(Value::Text(text)) => {
                let action = if self.is_raw {
                    Action::SetRawText
                } else {
                    Action::SetText
                };
                (action, Cow::Owned(text.to_str().into_owned().into_bytes()))
            }
            Some(Value::Bytes(bytes, _)) => (Action::SetRawBytes, Cow::Borrowed(&**bytes)),
            Some(Value::Js(handle)) => (Action::SetRawBytes, Cow::Owned(handle.bytes()?.0)),
        })
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
        for part in parts(old) {
            if let Some(text) = write_entry(&self.id, &part) {
                let Old { driver, base, .. } = &part[0];
                let number = self.journal_of(&part[0], |journal| journal.len);
                write_text(driver, &entry_key(base, number), &text, mode).await?;
                if !written.iter().any(|other| Rc::ptr_eq(other, driver)) {
                    written.push(driver.clone());
                }
            }
            self.note(part);
        }
        for driver in written {
            settle(&driver, mode).await?;
        }
        Ok(())
    }

    /// What keys of one mount hold in parts, and the record of them, to be written together with what
    /// changes them.
    pub(super) fn record_with(&self, old: Vec<Old>) -> (Vec<Vec<Old>>, Vec<GroupWrite>) {
        let parts = parts(old);
        let texts = parts
            .iter()
            .filter_map(|part| Some((&part[0], write_entry(&self.id, part)?)));
        let writes = texts.enumerate().map(|(place, (first, text))| {
            let number = self.journal_of(first, |journal| journal.len) + place as u64;
            let key = entry_key(&first.base, number);
            GroupWrite::set(key, Text::from(text.as_str()), Options::default())
        });
        let writes = writes.collect();
        (parts, writes)
    }

    /// Notes what one entry records, or what cannot be recorded.
    pub(super) fn note(&self, part: Vec<Old>) {
        if part.iter().any(Old::can_be_recorded) {
            self.journal_of(&part[0], |journal| journal.len += 1);
        }
        for old in part {
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

/// Values of one mount that one entry records: few enough to be held as one text.
fn parts(old: Vec<Old>) -> Vec<Vec<Old>> {
    let mut parts: Vec<Vec<Old>> = Vec::new();
    let mut size = 0;
    for old in old {
        size += old.value.as_ref().map_or(0, Value::size);
        match parts.last_mut() {
            Some(part) if size <= ENTRY_BYTES && part[0].is_of_mount_of(&old) => part.push(old),
            _ => {
                size = old.value.as_ref().map_or(0, Value::size);
                parts.push(vec![old]);
            }
        }
    }
    parts
}

/// The text of an entry; `None` where nothing of it can be recorded.
fn write_entry(id: &str, part: &[Old]) -> Option<String> {
    let steps: Vec<_> = part
        .iter()
        .filter_map(|old| {
            let (action, value) = old.step()?;
            // When the item expires, in ms since the epoch, or 0, stands before what it holds.
            let expires_ms = old.expires_ms.unwrap_or(0).to_le_bytes();
            Some((action, &*old.key, [&expires_ms[..], &value].concat()))
        })
        .collect();
    if steps.is_empty() {
        return None;
    }
    let steps = steps.iter().map(|(action, key, value)| Step {
        action: *action,
        key,
        value,
    });
    let record = BASE64.encode(record::write(steps));
    Some(json!({ "json": { "migration": id, "record": record } }).to_string())
}

/// What an entry of that migration says; nothing where it is another one's, or damaged.
pub(super) fn read_entry(
    text: &str,
    id: &str,
    driver: &Rc<dyn Driver>,
    base: &str,
) -> Option<Vec<Old>> {
    let entry: Json = serde_json::from_str(text).ok()?;
    let entry = entry.get("json")?;
    if entry.get("migration")?.as_str()? != id {
        return None;
    }
    let bytes = BASE64.decode(entry.get("record")?.as_str()?).ok()?;
    let Read::Whole(steps) = record::read(&bytes) else {
        return None;
    };
    let old = |step: Step<'_>| {
        let (expires_ms, value) = step.value.split_first_chunk::<8>()?;
        let text = || Some(Value::Text(Text::from(std::str::from_utf8(value).ok()?)));
        let value = match step.action {
            Action::Remove => None,
            Action::SetText | Action::SetRawText => Some(text()?),
            Action::SetRawBytes => Some(Value::buffer(value.to_vec())),
            Action::SetFile | Action::RemoveListed => return None,
        };
        Some(Old {
            driver: driver.clone(),
            base: base.to_owned(),
            key: step.key.to_owned(),
            value,
            is_raw: step.action != Action::SetText,
            expires_ms: Some(u64::from_le_bytes(*expires_ms)).filter(|ms| *ms > 0),
        })
    };
    steps.into_iter().map(old).collect()
}
