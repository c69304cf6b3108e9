//! Undoing what a migration wrote, also after the process was killed in the middle of it.
//!
//! While a migration runs, every write of the storage first records what it overwrites: in memory
//! for an undo by this process, and in the store itself for one after a crash. The record lies
//! under keys that end in `$`, which listings leave out. A header beside it stands for "not
//! finished"; taking it away is the one step that makes the migration final.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use tokio::sync::Mutex;

use super::{Route, Storage};
use crate::calls;
use crate::driver::{Driver, KeyQuery, Mode, Op, Options};
use crate::error::{Error, Kind, Result};
use crate::key;
use crate::value::{BytesKind, Text, Value};

/// Everything of the record begins with this.
const BASE: &str = "__storage_journal__:";
/// Stands for "not finished".
const HEADER: &str = "__storage_journal__:open$";

/// The record of a migration that is running.
pub(super) struct Recorder {
    /// Lets the writes of a migration through one at a time, in the order of the calls.
    gate: Arc<Mutex<()>>,
    recorded: RefCell<Vec<Old>>,
    known: RefCell<HashSet<String>>,
    /// Keeps other processes' migrations of the store waiting.
    _lock: Option<Box<dyn Any>>,
}

/// What a key held before the migration.
struct Old {
    key: String,
    value: Option<Value>,
}

impl Storage {
    /// Waits for other migrations of the store, undoes one that was killed, and records what is
    /// written from now on.
    ///
    /// # Errors
    /// [`Kind::ReadOnly`] for a store that cannot be written; those of the drivers.
    pub fn begin_migration(self: &Rc<Self>) -> Op<()> {
        let root = self.route(HEADER).driver;
        if root.is_read_only() {
            let message = "a read-only store cannot be migrated; mount it without `readOnly`";
            return Op::fail(
                Error::new(Kind::ReadOnly, message)
                    .driver(root.name())
                    .operation("migrate"),
            );
        }
        if self.recorder.borrow().is_some() {
            let message = "a migration of this storage is running";
            return Op::fail(Error::new(Kind::Migration, message).operation("migrate"));
        }
        let storage = self.clone();
        Op::later(async move {
            let lock = root.clone().lock().await?;
            storage.undo_killed().await?;
            let header = route_set(
                &storage.route_normal(HEADER.to_owned()),
                Text::from("{\"json\":true}"),
            );
            header.await?;
            *storage.recorder.borrow_mut() = Some(Rc::new(Recorder {
                gate: Arc::default(),
                recorded: RefCell::default(),
                known: RefCell::default(),
                _lock: lock,
            }));
            Ok(())
        })
    }

    /// Whether a migration is running somewhere, or was killed in the middle.
    pub fn is_migration_open(&self) -> Op<bool> {
        let header = self.route_normal(HEADER.to_owned());
        calls::has_item(
            &header.driver,
            header.relative(),
            &Options::default(),
            Mode::Async,
        )
    }

    /// Makes what was written since [`begin_migration`](Self::begin_migration) final.
    pub fn commit_migration(self: &Rc<Self>) -> Op<()> {
        let storage = self.clone();
        Op::later(async move {
            let Some(recorder) = storage.recorder.borrow().clone() else {
                return Ok(());
            };
            let gate = recorder.gate.clone().lock_owned().await;
            storage.flush("", Mode::Async).await?;
            storage.recorder.borrow_mut().take();
            storage.close_record().await?;
            drop(gate);
            Ok(())
        })
    }

    /// Puts back what was there before [`begin_migration`](Self::begin_migration).
    pub fn undo_migration(self: &Rc<Self>) -> Op<()> {
        let storage = self.clone();
        Op::later(async move {
            let Some(recorder) = storage.recorder.borrow_mut().take() else {
                return Ok(());
            };
            let gate = recorder.gate.clone().lock_owned().await;
            let old: Vec<Old> = std::mem::take(&mut *recorder.recorded.borrow_mut());
            storage.restore(old).await?;
            storage.close_record().await?;
            drop(gate);
            Ok(())
        })
    }

    /// Runs a write of `keys`, all in full and in normal form; during a migration, behind the
    /// record of what they hold.
    pub(super) fn recorded(
        self: &Rc<Self>,
        keys: Vec<String>,
        mode: Mode,
        write: impl FnOnce() -> Op<()> + 'static,
    ) -> Op<()> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return write();
        };
        let storage = self.clone();

        if mode == Mode::Sync && recorder.gate.try_lock().is_err() {
            let message = "a write of the migration is under way; await it before a Sync write";
            return Op::fail(Error::new(Kind::Migration, message));
        }
        Op::later(async move {
            let gate = recorder.gate.clone().lock_owned().await;
            for key in keys {
                recorder.record(&storage, key, mode).await?;
            }
            let written = write().await;
            drop(gate);
            written
        })
    }

    /// Whether writes are being recorded.
    pub(super) fn is_migrating(&self) -> bool {
        self.recorder.borrow().is_some()
    }

    /// Undoes a migration whose process ended in the middle of it.
    async fn undo_killed(self: &Rc<Self>) -> Result<()> {
        let header = self.route_normal(HEADER.to_owned());
        let open = calls::get_item(
            &header.driver,
            header.relative(),
            &Options::default(),
            Mode::Async,
        );
        if open.await?.is_none() {
            return self.forget_entries().await;
        }
        let mut old = Vec::new();
        for (driver, base, entry) in self.entries().await? {
            let stored = calls::get_item(&driver, &entry, &Options::default(), Mode::Async).await?;
            if let Some(Value::Text(text)) = stored {
                let place = text_number(&entry);
                old.extend(read_entry(&text.to_str(), &base).map(|old| (place, old)));
            }
        }
        old.sort_by_key(|(place, _)| *place);
        self.restore(old.into_iter().map(|(_, old)| old).collect())
            .await?;
        self.close_record().await
    }

    /// Puts values back, the oldest of a key last.
    async fn restore(self: &Rc<Self>, old: Vec<Old>) -> Result<()> {
        for Old { key, value } in old.into_iter().rev() {
            let route = self.route_normal(key);
            let options = Options::default();
            match value {
                Some(value) => {
                    calls::set_item_raw(
                        &route.driver,
                        route.relative(),
                        value,
                        &options,
                        Mode::Async,
                    )
                    .await?;
                }
                None => {
                    calls::remove_item(&route.driver, route.relative(), &options, Mode::Async)
                        .await?;
                }
            }
        }
        self.flush("", Mode::Async).await
    }

    /// Takes the header away, which ends the migration, then the entries.
    async fn close_record(self: &Rc<Self>) -> Result<()> {
        let header = self.route_normal(HEADER.to_owned());
        let options = Options::default();
        calls::remove_item(&header.driver, header.relative(), &options, Mode::Async).await?;
        self.forget_entries().await
    }

    async fn forget_entries(self: &Rc<Self>) -> Result<()> {
        for (driver, _, entry) in self.entries().await? {
            calls::remove_item(&driver, &entry, &Options::default(), Mode::Async).await?;
        }
        Ok(())
    }

    /// The recorded entries of every mount, with its base; each mount keeps its own.
    async fn entries(self: &Rc<Self>) -> Result<Vec<(Rc<dyn Driver>, String, String)>> {
        let mounts: Vec<_> = self
            .mounts
            .borrow()
            .iter()
            .map(|(base, driver)| (base.to_owned(), driver.clone()))
            .collect();
        let mut entries = Vec::new();
        for (base, driver) in mounts {
            let query = KeyQuery {
                base: BASE.to_owned(),
                ..KeyQuery::default()
            };
            let keys = calls::get_keys(&driver, &query, Mode::Async).await?;
            entries.extend(
                keys.into_iter()
                    .map(|key| key::normalize(&key).into_owned())
                    .filter(|key| is_record(key) && key != HEADER)
                    .map(|key| (driver.clone(), base.clone(), key)),
            );
        }
        Ok(entries)
    }
}

impl Recorder {
    async fn record(&self, storage: &Rc<Storage>, key: String, mode: Mode) -> Result<()> {
        if is_record(&key) || !self.known.borrow_mut().insert(key.clone()) {
            return Ok(());
        }
        let route = storage.route_normal(key);
        let options = Options::default();
        let value = calls::get_item_raw(&route.driver, route.relative(), &options, mode).await?;
        let number = self.recorded.borrow().len();
        if let Some(entry) = write_entry(route.relative(), value.as_ref()) {
            let entry_key = format!("{BASE}{number}$");
            calls::set_item(
                &route.driver,
                &entry_key,
                Text::from(entry.as_str()),
                &options,
                mode,
            )
            .await?;
        }
        self.recorded.borrow_mut().push(Old {
            key: route.key,
            value,
        });
        Ok(())
    }
}

/// Whether a key, relative to its mount, belongs to the record.
pub(super) fn is_record(key: &str) -> bool {
    key.starts_with(BASE)
}

fn route_set(route: &Route, text: Text) -> Op<()> {
    calls::set_item(
        &route.driver,
        route.relative(),
        text,
        &Options::default(),
        Mode::Async,
    )
}

fn text_number(entry: &str) -> u64 {
    entry[BASE.len()..]
        .trim_end_matches(key::META_SUFFIX)
        .parse()
        .unwrap_or(u64::MAX)
}

/// The text of an entry; `None` for a value that only this process can hold, whose store does not
/// outlive it either.
fn write_entry(relative_key: &str, value: Option<&Value>) -> Option<String> {
    let old = match value {
        None => Json::Null,
        Some(Value::Text(text)) => json!({ "text": text.to_str() }),
        Some(Value::Bytes(bytes, _)) => json!({ "bytes": BASE64.encode(bytes) }),
        Some(Value::Foreign(host)) => json!({ "bytes": BASE64.encode(host.bytes()?.0) }),
    };
    Some(json!({ "json": { "key": relative_key, "old": old } }).to_string())
}

fn read_entry(text: &str, base: &str) -> Option<Old> {
    let entry: Json = serde_json::from_str(text).ok()?;
    let entry = entry.get("json")?;
    let key = format!("{base}{}", entry.get("key")?.as_str()?);
    let old = entry.get("old")?;
    let value = if old.is_null() {
        None
    } else if let Some(text) = old.get("text").and_then(Json::as_str) {
        Some(Value::Text(Text::from(text)))
    } else {
        let bytes = BASE64.decode(old.get("bytes")?.as_str()?).ok()?;
        Some(Value::Bytes(bytes.into(), BytesKind::Buffer))
    };
    Some(Old { key, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_as_what_was_written() {
        for value in [
            None,
            Some(Value::Text(Text::from("{\"json\":\"ü\"}"))),
            Some(Value::buffer(vec![0, 255, 1])),
        ] {
            let text = write_entry("a:b", value.as_ref()).expect("has a text form");
            let old = read_entry(&text, "m:").expect("reads");
            assert_eq!((old.key.as_str(), old.value), ("m:a:b", value));
        }
    }
}
