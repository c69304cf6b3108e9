//! Undoing what a migration wrote, also after the process was killed in the middle of it.
//!
//! While a migration runs, every write of the storage first records what it overwrites: in memory
//! for an undo by this process, and in the store itself for one after a crash. The record lies
//! under keys that end in `$`, which listings leave out; its entries are numbered for each mount, so
//! that they are found without a listing. A header beside them stands for "not finished"; taking it
//! away is the one step that makes the migration final. Header and entries carry the name of the
//! migration: an entry of another one is of no account.

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::{Value as Json, json};

use super::recorder::{
    HEADER, Old, Recorder, entry_key, forget, is_record, read_entry, read_header,
};
use super::recorder::{read_text, settle, write_entry, write_text};
use super::routes::{Route, Storage};
use crate::driver::{Call, Driver, EventKind, Mode, Op, Options};
use crate::error::{Error, Kind, Result};
use crate::fallbacks;
use crate::key;
use crate::value::{Text, Value};

impl Storage {
    /// Waits for other migrations of the store, undoes one that was killed, and records what is
    /// written from now on.
    ///
    /// # Errors
    /// [`Kind::ReadOnly`] for a store that cannot be written; those of the drivers.
    pub fn begin_migration(self: &Rc<Self>) -> Op<()> {
        let root = self.route(HEADER).driver;
        if root.info().is_read_only() {
            return Op::fail(takes_no_writes(&*root));
        }
        if self.recorder.borrow().is_some() {
            let message = "a migration of this storage is running";
            return Op::fail(Error::new(Kind::Migration, message).operation("migrate"));
        }
        let storage = self.clone();
        Op::later(async move {
            let lock = root.clone().lock().await?;
            storage.undo_killed().await?;
            // The lock and the process tell migrations of one time apart, the time those of one
            // process.
            let id = format!("{}-{}", storage.runtime.now_ms(), std::process::id());
            let header = storage.route_normal(HEADER.to_owned());
            let text = json!({ "json": id }).to_string();
            write_text(&header.driver, header.relative(), &text, Mode::Async).await?;
            // No entry may be there before the header is, and a driver may drop writes without a word.
            settle(&header.driver, Mode::Async).await?;
            if read_text(&header.driver, header.relative())
                .await?
                .is_none()
            {
                return Err(takes_no_writes(&*root));
            }
            *storage.recorder.borrow_mut() = Some(Rc::new(Recorder::new(id, lock)));
            Ok(())
        })
    }

    /// Whether a migration is running somewhere, or was killed in the middle.
    pub fn is_migration_open(&self) -> Op<bool> {
        let header = self.route_normal(HEADER.to_owned());
        fallbacks::has_item(
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
            storage.flush_drivers("", Mode::Async).await?;
            recorder.flush().await?;
            storage.close_record().await?;
            recorder.is_over.set(true);
            storage.recorder.borrow_mut().take();
            // What is left of the record means nothing without the header; the next migration
            // tidies up what stays now.
            let _ = recorder.forget_entries().await;
            drop(gate);
            Ok(())
        })
    }

    /// Keeps what was written so far when the steps that follow are undone.
    pub fn begin_steps(self: &Rc<Self>) -> Op<()> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return Op::ok(());
        };
        Op::later(async move {
            let gate = recorder.gate.clone().lock_owned().await;
            recorder.before_steps.set(recorder.recorded.borrow().len());
            recorder.known.borrow_mut().clear();
            drop(gate);
            Ok(())
        })
    }

    /// Puts back what was there before [`begin_steps`](Self::begin_steps), or before the migration if
    /// there were none. The migration stays open; [`end_migration`](Self::end_migration) ends it.
    pub fn undo_steps(self: &Rc<Self>) -> Op<()> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return Op::ok(());
        };
        let storage = self.clone();
        Op::later(async move {
            let gate = recorder.gate.clone().lock_owned().await;
            let before = recorder.before_steps.get();
            let steps = recorder.recorded.borrow_mut().split_off(before);
            recorder.known.borrow_mut().clear();
            let restored = storage.restore(steps).await;
            if restored.is_err() {
                // The record stays: the next migration undoes it.
                recorder.is_over.set(true);
                storage.recorder.borrow_mut().take();
            }
            drop(gate);
            restored
        })
    }

    /// Puts back what was there before [`begin_migration`](Self::begin_migration) and ends it. Without
    /// `all`, what was written since [`undo_steps`](Self::undo_steps) stays.
    pub fn end_migration(self: &Rc<Self>, all: bool) -> Op<()> {
        let storage = self.clone();
        Op::later(async move {
            let Some(recorder) = storage.recorder.borrow_mut().take() else {
                return Ok(());
            };
            let gate = recorder.gate.clone().lock_owned().await;
            recorder.is_over.set(true);
            let mut old = std::mem::take(&mut *recorder.recorded.borrow_mut());
            if !all {
                let since = old.split_off(recorder.before_steps.get());
                let written: HashSet<_> = since.iter().map(Old::place).collect();
                old.retain(|old| !written.contains(&old.place()));
            }
            storage.restore(old).await?;
            recorder.flush().await?;
            storage.close_record().await?;
            let _ = recorder.forget_entries().await;
            drop(gate);
            Ok(())
        })
    }

    /// Runs a write of `keys`, all in full and in normal form; during a migration, behind the
    /// record of what they hold.
    pub(super) fn recorded<T: 'static>(
        self: &Rc<Self>,
        keys: Vec<String>,
        mode: Mode,
        write: impl FnOnce() -> Op<T> + 'static,
    ) -> Op<T> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return write();
        };
        let storage = self.clone();
        let refused = recorder
            .refuse_sync(mode)
            .and_then(|()| storage.refuse_read_only(&keys));
        if let Err(error) = refused {
            return Op::fail(error);
        }
        self.in_flight.track(Op::later(async move {
            let gate = recorder.gate.clone().lock_owned().await;
            if !recorder.is_over.get() {
                storage.record(&recorder, keys, mode).await?;
            }
            let written = write().await;
            drop(gate);
            written
        }))
    }

    /// Records what the keys hold, those that are not yet recorded.
    async fn record(&self, recorder: &Recorder, keys: Vec<String>, mode: Mode) -> Result<()> {
        let mut written: Vec<Rc<dyn Driver>> = Vec::new();
        for key in keys {
            let route = self.route_normal(key);
            let known = (route.base_len, route.key.clone());
            if is_record(route.relative()) || recorder.known.borrow().contains(&known) {
                continue;
            }
            let old = read_old(self, &route, mode).await?;
            if let Some(entry) = write_entry(&recorder.id, &old) {
                let (place, number) = recorder.next_entry(&old);
                write_text(&old.driver, &entry_key(&old.base, number), &entry, mode).await?;
                recorder.journals.borrow_mut()[place].len = number + 1;
                if !written.iter().any(|driver| Rc::ptr_eq(driver, &old.driver)) {
                    written.push(old.driver.clone());
                }
            }
            recorder.recorded.borrow_mut().push(old);
            recorder.known.borrow_mut().insert(known);
        }
        for driver in written {
            settle(&driver, mode).await?;
        }
        Ok(())
    }

    /// A migration that writes what is not taken would be taken for done.
    fn refuse_read_only(&self, keys: &[String]) -> Result<()> {
        for key in keys {
            let route = self.route_normal(key.clone());
            if route.driver.info().is_read_only() {
                return Err(takes_no_writes(&*route.driver).key(key));
            }
        }
        Ok(())
    }

    /// Completes when the writes of the migration that were asked for before are made.
    ///
    /// # Errors
    /// As those of a Sync write while another write is under way.
    pub(super) fn older_recorded(&self, mode: Mode) -> Op<()> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return Op::ok(());
        };
        if let Err(error) = recorder.refuse_sync(mode) {
            return Op::fail(error);
        }
        Op::later(async move {
            drop(recorder.gate.lock().await);
            Ok(())
        })
    }

    /// Whether writes are being recorded.
    pub(super) fn is_migrating(&self) -> bool {
        self.recorder.borrow().is_some()
    }

    /// Undoes a migration whose process ended in the middle of it.
    async fn undo_killed(self: &Rc<Self>) -> Result<()> {
        let header = self.route_normal(HEADER.to_owned());
        let open = read_text(&header.driver, header.relative()).await?;
        let id = open.as_deref().and_then(read_header);
        let mounts: Vec<_> = self
            .mounts
            .borrow()
            .iter()
            .map(|(base, driver)| (base.to_owned(), driver.clone()))
            .collect();
        let mut old = Vec::new();
        let mut entries = Vec::new();
        for (base, driver) in mounts {
            for number in 0.. {
                let key = entry_key(&base, number);
                let Some(text) = read_text(&driver, &key).await? else {
                    break;
                };
                if let Some(id) = &id {
                    old.extend(read_entry(&text, id, &driver, &base));
                }
                entries.push((driver.clone(), key));
            }
        }
        if open.is_some() {
            self.restore(old).await?;
            self.close_record().await?;
        }
        forget(entries).await
    }

    /// Puts values back and reports it.
    async fn restore(self: &Rc<Self>, old: Vec<Old>) -> Result<()> {
        let now_ms = self.runtime.now_ms();
        for old in old.into_iter().rev() {
            let full = format!("{}{}", old.base, old.key);
            let has_ended = old
                .expires_ms
                .is_some_and(|expires_ms| expires_ms <= now_ms);
            let options = Options {
                ttl_ms: old
                    .expires_ms
                    .map(|expires_ms| expires_ms.saturating_sub(now_ms)),
                ..Options::default()
            };
            let (driver, key) = (&old.driver, &old.key);
            let (kind, restored) = match old.value.filter(|_| !has_ended) {
                Some(Value::Text(text)) if !old.is_raw => (
                    EventKind::Update,
                    fallbacks::set_item(driver, key, text, &options, Mode::Async),
                ),
                Some(value) => (
                    EventKind::Update,
                    fallbacks::set_item_raw(driver, key, value, &options, Mode::Async),
                ),
                None => (
                    EventKind::Remove,
                    fallbacks::remove_item(driver, key, &options, Mode::Async),
                ),
            };
            restored.await?;
            if !key::is_meta(&full) {
                self.announce(kind, &full, &*old.driver);
            }
        }
        self.flush_drivers("", Mode::Async).await
    }

    /// Takes the header away, which ends the migration.
    async fn close_record(self: &Rc<Self>) -> Result<()> {
        let header = self.route_normal(HEADER.to_owned());
        let options = Options::default();
        fallbacks::remove_item(&header.driver, header.relative(), &options, Mode::Async).await?;
        // No entry may go before the header has.
        settle(&header.driver, Mode::Async).await
    }
}

fn takes_no_writes(driver: &dyn Driver) -> Error {
    let message =
        "a read-only store cannot be migrated; mount it without `readOnly`, or another driver";
    Error::new(Kind::ReadOnly, message)
        .driver(&driver.info().name)
        .operation("migrate")
}

async fn read_old(storage: &Storage, route: &Route, mode: Mode) -> Result<Old> {
    let (driver, key, options) = (&route.driver, route.relative(), Options::default());
    let (value, is_raw) = read_value(driver, key, mode).await?;
    let mut expires_ms = None;
    // What says by itself when it expires needs no more than to be put back.
    if value
        .as_ref()
        .is_some_and(|value| value.expiry_ms().is_none())
        && driver.info().ttl
        && let Some(meta) = fallbacks::get_meta(driver, key, &options, mode).await?
    {
        let left_ms = meta.ttl_ms();
        expires_ms = left_ms.map(|ttl_ms| storage.runtime.now_ms() + ttl_ms);
    }
    Ok(Old {
        driver: driver.clone(),
        base: route.key[..route.base_len].to_owned(),
        key: key.to_owned(),
        value,
        is_raw,
        expires_ms,
    })
}

/// What a key holds, and whether it was read, and has to be written, without the codec.
///
/// Drivers of users differ: one fails to read raw what is not there, one keeps raw values apart from
/// texts, one gives an item's text as bytes. What the codec wrote is to go back through `set_item`.
async fn read_value(
    driver: &Rc<dyn Driver>,
    key: &str,
    mode: Mode,
) -> Result<(Option<Value>, bool)> {
    let options = Options::default();
    let has = |call, mode| driver.info().has(call, mode);
    if has(Call::GetItemRaw, mode) && !has(Call::SetItemRaw, Mode::Async) {
        let value = fallbacks::get_item(driver, key, &options, mode).await?;
        return Ok((value, false));
    }
    if driver.shared_store().is_some() {
        let value = fallbacks::get_item_raw(driver, key, &options, mode).await?;
        return Ok((value, true));
    }
    if !fallbacks::has_item(driver, key, &options, mode).await? {
        return Ok((None, true));
    }
    let raw = fallbacks::get_item_raw(driver, key, &options, mode).await?;
    let envelope = raw.as_ref().and_then(envelope_in);
    let is_readable = match &raw {
        None => false,
        Some(Value::Js(handle)) => handle.bytes().is_some(),
        Some(_) => true,
    };
    // A storage that serves as a driver encodes once more: its raw values are not its texts.
    if (envelope.is_some() || !is_readable)
        && let Some(Value::Text(text)) = fallbacks::get_item(driver, key, &options, mode).await?
        && envelope.is_none_or(|envelope| envelope == text)
    {
        return Ok((Some(Value::Text(text)), false));
    }
    Ok((raw, true))
}

/// The text in a value, where the codec wrote it.
fn envelope_in(value: &Value) -> Option<Text> {
    let text = match value {
        Value::Text(text) => text.to_str().into_owned(),
        Value::Bytes(bytes, _) => String::from_utf8(bytes.to_vec()).ok()?,
        Value::Js(handle) => String::from_utf8(handle.bytes()?.0).ok()?,
    };
    let is_envelope = text.starts_with("{\"json\":") && serde_json::from_str::<Json>(&text).is_ok();
    is_envelope.then(|| Text::from(text.as_str()))
}
