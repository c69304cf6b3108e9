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
use std::sync::Arc;

use serde_json::{Value as Json, json};
use smallvec::SmallVec;
use tokio::sync::OwnedMutexGuard;

use super::recorder::{
    HEADER, Old, Place, Recorder, entry_key, forget, is_record, read_entry, read_header, read_text,
    settle, write_text,
};
use super::routes::{Route, Storage};
use crate::driver::{Call, Driver, EventKind, Mode, Op, Options};
use crate::error::{Error, Kind, Result};
use crate::fallbacks;
use crate::group::{Group, GroupWrite, last_of_each};
use crate::key;
use crate::store::Store;
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
            // What is still under way is no part of the migration, and must not be undone with it.
            if let Some(older) = storage.in_flight.done() {
                let _ = older.await;
            }
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
            let gate = storage.end_phase(&recorder).await;
            storage.flush_drivers("", Mode::Async).await?;
            recorder.flush().await?;
            let left = storage.close_record(Vec::new(), recorder.entries()).await?;
            recorder.is_over.set(true);
            storage.recorder.borrow_mut().take();
            // What is left of the record means nothing without the header; the next migration
            // tidies up what stays now.
            let _ = forget(left).await;
            drop(gate);
            Ok(())
        })
    }

    /// Keeps what was written so far when the steps that follow are undone.
    pub fn begin_steps(self: &Rc<Self>) -> Op<()> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return Op::ok(());
        };
        let storage = self.clone();
        Op::later(async move {
            let gate = storage.end_phase(&recorder).await;
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
            let gate = storage.end_phase(&recorder).await;
            let before = recorder.before_steps.get();
            let steps = recorder.recorded.borrow_mut().split_off(before);
            recorder.known.borrow_mut().clear();
            let restored = storage.restore(steps, |_| false).await.map(drop);
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
            let gate = storage.end_phase(&recorder).await;
            recorder.is_over.set(true);
            let mut old = std::mem::take(&mut *recorder.recorded.borrow_mut());
            if !all {
                let since = old.split_off(recorder.before_steps.get());
                let written: HashSet<_> = since.iter().map(Old::place).collect();
                old.retain(|old| !written.contains(&old.place()));
            }
            let last = storage
                .restore(old, |driver| storage.ends_in(driver))
                .await?;
            recorder.flush().await?;
            let left = storage.close_record(last, recorder.entries()).await?;
            let _ = forget(left).await;
            drop(gate);
            Ok(())
        })
    }

    /// Completes when the writes and clears of a phase of the migration are made, also those that nobody
    /// awaits; those that come then wait for as long as the guard is held.
    async fn end_phase(&self, recorder: &Recorder) -> OwnedMutexGuard<()> {
        if let Some(older) = self.in_flight.done() {
            let _ = older.await;
        }
        recorder.gate.clone().lock_owned().await
    }

    /// Runs a write of `keys`, all in full and in normal form; during a migration, behind the record of
    /// what they hold, or together with it: `write` gets changes that belong into one group with its own,
    /// and says whether anything was changed by `is_made`.
    pub(super) fn recorded<T: 'static>(
        self: &Rc<Self>,
        keys: Vec<String>,
        mode: Mode,
        is_made: impl Fn(&T) -> bool + 'static,
        write: impl FnOnce(Vec<GroupWrite>) -> Op<T> + 'static,
    ) -> Op<T> {
        let Some(recorder) = self.recorder.borrow().clone() else {
            return write(Vec::new());
        };
        let storage = self.clone();
        let refused = recorder
            .refuse_sync(mode)
            .and_then(|()| storage.refuse_read_only(&keys));
        if let Err(error) = refused {
            return Op::fail(error);
        }
        self.in_flight.track(Op::later(async move {
            let _gate = recorder.gate.clone().lock_owned().await;
            if recorder.is_over.get() {
                return write(Vec::new()).await;
            }
            let old = storage.unrecorded(&recorder, &keys, mode).await?;
            if !storage.are_of_one_transaction(&keys, mode) {
                recorder.record(old, mode).await?;
                return write(Vec::new()).await;
            }
            let (parts, record) = recorder.record_with(old);
            let written = write(record).await;
            match &written {
                Ok(written) if is_made(written) => {
                    parts.into_iter().for_each(|part| recorder.note(part));
                }
                Ok(_) => {}
                // What became of the write is not known for sure: the record is not to miss it.
                Err(_) => {
                    let old = parts.into_iter().flatten().collect();
                    let _ = recorder.record(old, mode).await;
                }
            }
            written
        }))
    }

    /// Whether one store keeps all of the keys and makes several changes as one transaction.
    fn are_of_one_transaction(&self, keys: &[String], mode: Mode) -> bool {
        let mut routes = keys.iter().map(|key| self.route_normal(key.clone()));
        let Some(first) = routes.next() else {
            return false;
        };
        let is_first = |route: Route| {
            route.base_len == first.base_len && Rc::ptr_eq(&route.driver, &first.driver)
        };
        is_transactional(&first.driver, mode) && routes.all(is_first)
    }

    /// What those of the keys hold that are not recorded yet.
    async fn unrecorded(
        &self,
        recorder: &Recorder,
        keys: &[String],
        mode: Mode,
    ) -> Result<Vec<Old>> {
        let mut found = Vec::new();
        for key in keys {
            let route = self.route_normal(key.clone());
            if !is_record(route.relative()) && !recorder.knows(route.base_len, &route.key) {
                found.push(read_old(self, &route, mode).await?);
            }
        }
        Ok(found)
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
                    old.extend(read_entry(&text, id, &driver, &base).unwrap_or_default());
                }
                entries.push((driver.clone(), key));
            }
        }
        if open.is_some() {
            let last = self.restore(old, |driver| self.ends_in(driver)).await?;
            entries = self.close_record(last, entries).await?;
        }
        forget(entries).await
    }

    /// Whether taking away the header and changes of this driver are one transaction.
    fn ends_in(&self, driver: &Rc<dyn Driver>) -> bool {
        let header = self.route_normal(HEADER.to_owned()).driver;
        Rc::ptr_eq(&header, driver) && is_transactional(driver, Mode::Async)
    }

    /// Puts values back and reports it, the last that was recorded first. Those of drivers that are
    /// `put_off` are given back.
    async fn restore(
        self: &Rc<Self>,
        old: Vec<Old>,
        put_off: impl Fn(&Rc<dyn Driver>) -> bool,
    ) -> Result<Vec<Old>> {
        let (last, old): (Vec<_>, Vec<_>) = old.into_iter().partition(|old| put_off(&old.driver));
        let (together, each): (Vec<_>, Vec<_>) = old
            .into_iter()
            .partition(|old| is_transactional(&old.driver, Mode::Async));
        for old in each.into_iter().rev() {
            let (driver, base) = (old.driver.clone(), old.base.clone());
            let write = old.restored(self.runtime.now_ms());
            let event = event_of(&base, &write);
            make(&driver, write).await?;
            self.announce_undone(event, &driver);
        }
        let mut together = together;
        while let Some(driver) = together.first().map(|old| old.driver.clone()) {
            let (its, others): (Vec<_>, Vec<_>) = together
                .into_iter()
                .partition(|old| Rc::ptr_eq(&old.driver, &driver));
            self.restore_as_one(&driver, its, Vec::new()).await?;
            together = others;
        }
        self.flush_drivers("", Mode::Async).await?;
        Ok(last)
    }

    /// Puts values of one driver back and removes keys of it, as one transaction.
    async fn restore_as_one(
        self: &Rc<Self>,
        driver: &Rc<dyn Driver>,
        old: Vec<Old>,
        removed: Vec<String>,
    ) -> Result<()> {
        let now_ms = self.runtime.now_ms();
        let mut writes = Vec::with_capacity(old.len() + removed.len());
        let mut events = Vec::with_capacity(old.len());
        for old in old.into_iter().rev() {
            let base = old.base.clone();
            let write = old.restored(now_ms);
            events.push(event_of(&base, &write));
            writes.push(write);
        }
        writes.extend(removed.into_iter().map(|key| GroupWrite::Remove {
            key,
            options: Options::default(),
        }));
        commit_with(driver, Vec::new(), writes, "migrate", Mode::Async).await?;
        for event in events {
            self.announce_undone(event, driver);
        }
        Ok(())
    }

    fn announce_undone(&self, (kind, key): (EventKind, String), driver: &Rc<dyn Driver>) {
        if !key::is_meta(&key) {
            self.announce(kind, &key, &**driver);
        }
    }

    /// Takes the header away, which ends the migration, and puts back the `last` values with it where the
    /// driver [makes that one transaction](Self::ends_in). Gives the entries that are left.
    async fn close_record(
        self: &Rc<Self>,
        last: Vec<Old>,
        entries: Vec<Place>,
    ) -> Result<Vec<Place>> {
        let header = self.route_normal(HEADER.to_owned());
        if self.ends_in(&header.driver) {
            let (its, left): (Vec<_>, Vec<_>) = entries
                .into_iter()
                .partition(|(driver, _)| Rc::ptr_eq(driver, &header.driver));
            let mut removed = vec![header.relative().to_owned()];
            removed.extend(its.into_iter().map(|(_, key)| key));
            self.restore_as_one(&header.driver, last, removed).await?;
            return Ok(left);
        }
        let options = Options::default();
        fallbacks::remove_item(&header.driver, header.relative(), &options, Mode::Async).await?;
        // No entry may go before the header has.
        settle(&header.driver, Mode::Async).await?;
        Ok(entries)
    }
}

/// Whether others see all or nothing of several changes that the driver makes together, whatever their
/// number.
pub(super) fn is_transactional(driver: &Rc<dyn Driver>, mode: Mode) -> bool {
    let commits = driver.info().has(Call::Commit, mode);
    let is_transactional = |store: Arc<dyn Store>| store.info().is_transactional;
    commits && driver.shared_store().is_some_and(is_transactional)
}

/// Makes changes and those that belong `with` them, as one transaction.
pub(super) fn commit_with(
    driver: &Rc<dyn Driver>,
    with: Vec<GroupWrite>,
    writes: Vec<GroupWrite>,
    operation: &'static str,
    mode: Mode,
) -> Op<()> {
    let group = Group {
        checks: SmallVec::new(),
        writes: last_of_each(with.into_iter().chain(writes).collect()),
    };
    driver.clone().commit(group, operation, mode).map(drop)
}

fn event_of(base: &str, write: &GroupWrite) -> (EventKind, String) {
    (write.event(), format!("{base}{}", write.key()))
}

/// Makes one change.
fn make(driver: &Rc<dyn Driver>, write: GroupWrite) -> Op<()> {
    match write {
        GroupWrite::Set {
            key,
            value: Value::Text(text),
            is_raw: false,
            options,
        } => fallbacks::set_item(driver, &key, text, &options, Mode::Async),
        GroupWrite::Set {
            key,
            value,
            options,
            ..
        } => fallbacks::set_item_raw(driver, &key, value, &options, Mode::Async),
        GroupWrite::Remove { key, options } => {
            fallbacks::remove_item(driver, &key, &options, Mode::Async)
        }
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
