//! Items that expire.
//!
//! The item itself says when it expires, and every read goes by that: text by `"expires"` in its
//! envelope, raw bytes by the header before them. The [index](super::expiry_index) tells which items
//! a sweep looks at; a listing of a large store goes by it too, one of a small store looks at the
//! items.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::changes::Pending;
use super::disk::{Access, Disk, Kind as FileKind, Stat, is_absent};
use super::durability::Level;
use super::engine::{ATTEMPTS, Engine};
use super::expiry_index::{Added, Expiry, Line};
use super::held::Wait;
use super::locks::Need;
use super::parallel_walk::spread;
use super::place::{Found, Place, folder_of};
use super::seen::Identity;
use super::terms::Terms;
use eas_core::envelope::{self, Stored};
use eas_core::error::{Error, Kind, Result, io_from_code};
use eas_core::keys::Keys;
use eas_core::runtime::lock;

/// A listing of at most this many keys looks at each item that it has not seen as it is.
const MOST_LOOKED_AT: usize = 512;

/// How long after its expiry a sweep has removed what the index knows of.
const SWEPT_WITHIN_MS: u64 = 60_000;

/// Of a file that is larger, the beginning is read first.
const LARGE_BYTES: u64 = 64 * 1024;

/// An item that is there and has not expired.
pub(super) struct Live {
    pub(super) stat: Stat,
    pub(super) ttl_ms: Option<u64>,
}

enum Swept {
    Removed,
    /// There is no such item, or it does not expire.
    Settled,
    /// It expires later.
    Later(u64),
    /// It could not be removed now.
    Stays,
}

impl<D: Disk> Engine<D> {
    /// Writes what is stored of an item if the terms allow it, and says whether they do.
    pub(super) fn put(&self, key: &str, stored: &Stored<'_>, terms: &Terms<'_, D>) -> Result<bool> {
        let Some(change) = self.put_unreported(key, stored, terms)? else {
            return Ok(false);
        };
        change.made();
        self.durability.settle(|| self.place(key))?;
        Ok(true)
    }

    /// Writes what is stored of an item, and gives the change, which is not reported yet; `None` where
    /// the terms do not allow it.
    pub(super) fn put_unreported<'a>(
        &'a self,
        key: &'a str,
        stored: &Stored<'_>,
        terms: &Terms<'_, D>,
    ) -> Result<Option<Pending<'a>>> {
        self.note_start();
        let old = self.index.expiry_known(key);
        let mut line = None;
        if let Some(expires_ms) = stored.expires_ms {
            // An item without a line is worse than a line without an item.
            let lines = [Line::expires(key, Expiry::new(expires_ms))];
            let added = self.add_lines(&lines, Need::Usual)?;
            line = Some(lines).zip(added);
        }
        let change = self.write(key, &stored.file_bytes(), terms)?;
        if let Some((lines, added)) = line
            && !matches!(
                self.index.was_settled(&*self.disk, &lines[0], added),
                Ok(false)
            )
        {
            // A sweep looked for the item before it was there. The item says itself when it expires:
            // that the line cannot be added again is no failure.
            let _ = self.add_lines(&lines, Need::Usual);
        }
        if let (None, Some(old), true) = (stored.expires_ms, old, change.is_some()) {
            // Nothing depends on it.
            let _ = self.add_lines(&[Line::settled(key, old)], Need::Little);
        }
        Ok(change)
    }

    /// The first write of a store finds out whether there is anything in it yet.
    pub(super) fn note_start(&self) {
        if self.started.swap(true, Ordering::Relaxed) {
            return;
        }
        let is_empty = match self.disk.is_empty(self.base()) {
            Err(error) => is_absent(&error),
            Ok(is_empty) => is_empty,
        };
        if is_empty {
            self.index.note_start();
        }
    }

    /// Notes that the item does not expire any more. Nothing depends on it.
    pub(super) fn forget_expiry(&self, key: &str) {
        if let Some(old) = self.index.expiry_known(key) {
            let _ = self.add_lines(&[Line::settled(key, old)], Need::Little);
        }
    }

    fn add_lines(&self, lines: &[Line], need: Need) -> Result<Option<Added>> {
        if lines.is_empty() {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            if let Some(added) = self.index.add(&*self.disk, lines, need)? {
                // A line comes to be durable before the item that it tells of.
                self.durability.settle_index(self.index.path())?;
                if self.index.is_bloated(&*self.disk)? {
                    self.replace_index(|| self.index.compacted(&*self.disk), true)?;
                }
                return Ok(Some(added));
            }
            self.make_folders(self.base())?;
        }
        Err(Error::io(io_from_code("EBUSY"), "write").path(self.index.path()))
    }

    /// Gives the index a new file; `if_bloated` only if it still is too large.
    fn replace_index(
        &self,
        content: impl FnOnce() -> Result<Vec<u8>>,
        if_bloated: bool,
    ) -> Result<()> {
        let _turn = self.index.turn();
        if if_bloated && !self.index.is_bloated(&*self.disk)? {
            // Another thread has done it meanwhile.
            return Ok(());
        }
        let Some(_lock) = self.lock(self.base())? else {
            return Ok(());
        };
        let bytes = content()?;
        let access = Access::Mode(self.options.mode);
        let is_synced = self.options.durability == Level::Full;
        let mut attempts = 0;
        while !self.place_new(&bytes, self.index.path(), access, is_synced)? {
            attempts += 1;
            if attempts == ATTEMPTS {
                return Err(Error::io(io_from_code("EBUSY"), "open").path(self.index.path()));
            }
        }
        self.durability.forget_index();
        self.durability.settle_index(self.index.path())?;
        self.index.reload(&*self.disk)
    }

    /// The bytes of an item as they were given, unless it has expired.
    pub(super) fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let stored = match self.unfinished.change_of(&*self.disk, key) {
            Some((stored, _)) => stored,
            None => self.fetch(&self.place(key))?,
        };
        let Some(stored) = stored else {
            return Ok(None);
        };
        let (bytes, expires_ms) = envelope::open(stored);
        Ok(self.is_live(key, expires_ms).then_some(bytes))
    }

    /// What is known about an item, unless it has expired.
    pub(super) fn live(&self, key: &str) -> Result<Option<Live>> {
        let Some((found, expires_ms)) = self.look(key)? else {
            return Ok(None);
        };
        let live = self.is_live(key, expires_ms).then(|| Live {
            stat: found.stat,
            ttl_ms: expires_ms.map(|expires_ms| expires_ms.saturating_sub(self.now_ms())),
        });
        Ok(live)
    }

    /// Whether an item has not expired yet. One that has, unknown to the index, is removed.
    fn is_live(&self, key: &str, expires_ms: Option<u64>) -> bool {
        let is_live = expires_ms.is_none_or(|expires_ms| expires_ms > self.now_ms());
        // A sweep comes for what the index knows, and reports it.
        let is_due = |expiry: Expiry| expiry.ms.saturating_add(SWEPT_WITHIN_MS) > self.now_ms();
        if !is_live && !self.options.read_only && !self.index.expiry_known(key).is_some_and(is_due)
        {
            self.remove_soon(key);
        }
        is_live
    }

    fn remove_soon(&self, key: &str) {
        let Some(engine) = self.me.upgrade() else {
            return;
        };
        if !lock(&self.seen.going).insert(key.to_owned()) {
            return;
        }
        let key = key.to_owned();
        let job = move || {
            // What cannot be removed now reads as missing all the same, and is tried again then.
            let _ = engine.sweep_one(&key, engine.now_ms(), Wait::Usual);
            lock(&engine.seen.going).remove(&key);
        };
        (self.background)(Duration::ZERO, Box::new(job));
    }

    /// The file of an item and when it expires.
    fn look(&self, key: &str) -> Result<Option<(Found, Option<u64>)>> {
        let place = self.place(key);
        if let Some((stored, stat)) = self.unfinished.change_of(&*self.disk, key) {
            return Ok(stored.map(|stored| {
                let path = place.path;
                (Found { path, stat }, envelope::expiry_of(&stored))
            }));
        }
        for _ in 0..ATTEMPTS {
            let Some(found) = self.find(&place)? else {
                return Ok(None);
            };
            let identity = Identity::of(&found.stat);
            if let Some(expires_ms) = self.seen.expiry_of(key, &identity) {
                return Ok(Some((found, expires_ms)));
            }
            if let Some((stat, expires_ms)) = self.read_expiry(&found)? {
                let identity = Identity::of(&stat);
                if identity.tells(self.now_ms()) {
                    self.seen.note(key, identity, expires_ms);
                }
                let found = Found { stat, ..found };
                return Ok(Some((found, expires_ms)));
            }
            // It has gone or moved since it was found.
        }
        Ok(None)
    }

    fn expiry_in_file(&self, found: &Found) -> Result<Option<u64>> {
        let read = self.read_expiry(found)?;
        Ok(read.and_then(|(_, expires_ms)| expires_ms))
    }

    /// When the item in a file expires, and the state of the file that says so; `None` where the file
    /// is gone.
    fn read_expiry(&self, found: &Found) -> Result<Option<(Stat, Option<u64>)>> {
        let read = || {
            if found.stat.size > LARGE_BYTES {
                let most = envelope::RAW_HEADER_BYTES as u64;
                let (stat, head) = self.disk.read_with_stat(&found.path, most)?;
                if let Err(expires_ms) = envelope::needs_more(&head) {
                    return Ok((stat, expires_ms));
                }
            }
            let (stat, bytes) = self.disk.read_with_stat(&found.path, u64::MAX)?;
            Ok((stat, envelope::expiry_of(&bytes)))
        };
        match read() {
            Ok(read) => Ok(Some(read)),
            Err(error) if is_absent(&error) || error.kind() == std::io::ErrorKind::IsADirectory => {
                Ok(None)
            }
            Err(error) => Err(Error::io(error, "open").path(&found.path)),
        }
    }

    /// The keys of items that have not expired.
    pub(super) fn live_keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        // A sweep may remove an item after the walk has met it, and its line with it.
        let mut due = self.index.due(&*self.disk, self.now_ms())?;
        let mut going = lock(&self.seen.going).clone();
        let keys = self.walk(base, max_depth)?;
        let (keys, is_unfinished) = self.with_unfinished(keys, base, max_depth);
        if keys.is_empty() {
            return Ok(keys);
        }
        if keys.len() <= MOST_LOOKED_AT || is_unfinished {
            return self.only_live(keys, |_| true);
        }
        self.complete_index()?;
        due.extend(self.index.due(&*self.disk, self.now_ms())?);
        going.extend(lock(&self.seen.going).iter().cloned());
        if due.is_empty() && going.is_empty() {
            return Ok(keys);
        }
        self.only_live(keys, |key| due.contains_key(key) || going.contains(key))
    }

    /// The keys but those that `may_expire` and have. What this process must not read is there, and so is
    /// what another program holds.
    fn only_live(&self, keys: Keys, may_expire: impl Fn(&str) -> bool) -> Result<Keys> {
        let mut failure = None;
        let keys = keys.filtered(|key| {
            if !may_expire(key) {
                return true;
            }
            match self.live(key) {
                Ok(live) => live.is_some(),
                Err(error) => {
                    if !matches!(error.kind(), Kind::System("EACCES" | "EPERM" | "EBUSY")) {
                        failure.get_or_insert(error.key(key));
                    }
                    true
                }
            }
        });
        failure.map_or(Ok(keys), Err)
    }

    fn base_number(&self) -> Option<u64> {
        self.disk
            .stat(self.base())
            .ok()
            .and_then(|stat| stat.number)
    }

    /// Makes the index anew from all items, unless it is complete.
    fn complete_index(&self) -> Result<()> {
        let is_complete = || self.index.is_complete(&*self.disk, self.base_number());
        if is_complete()? {
            return Ok(());
        }
        let _alone = self.index.rebuilding();
        if is_complete()? {
            return Ok(());
        }
        let keys = self.walk("", None)?;
        let keys: Vec<String> = keys.iter().map(str::to_owned).collect();
        let looks = spread(keys, Vec::new, |expiries, key, _| {
            if let Ok(Some((_, Some(expires_ms)))) = self.look(&key) {
                expiries.push((key, expires_ms));
            }
            Ok(())
        })?;
        let found: Vec<(String, u64)> = looks.into_iter().flatten().collect();
        let base = self.base_number();
        let content = || self.index.rebuilt(&*self.disk, base, found);
        if self.options.read_only {
            // This store alone knows it.
            return content().map(drop);
        }
        self.replace_index(content, false)
    }

    /// The earliest time at which an item may expire.
    pub(super) fn next_expiry(&self) -> Result<Option<u64>> {
        if self.options.read_only {
            return Ok(None);
        }
        self.index.earliest(&*self.disk)
    }

    /// Removes the items that have expired by `now_ms` and gives their keys.
    pub(super) fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        let mut lines = Vec::new();
        let mut settled = Vec::new();
        let mut failure = None;
        let mut waits = Vec::new();
        let mut due = self.index.due(&*self.disk, now_ms)?.into_iter();
        // Those whose locks others hold come last, so that the rest need not wait for them.
        while let Some((key, due, wait)) = due
            .next()
            .map(|(key, due)| (key, due, Wait::No))
            .or_else(|| waits.pop())
        {
            match self.sweep_one(&key, now_ms, wait) {
                Ok(Swept::Removed) => {
                    lines.push(Line::settled(&key, due));
                    removed.push(key);
                }
                Ok(Swept::Settled) => {
                    lines.push(Line::settled(&key, due));
                    settled.push(key);
                }
                Ok(Swept::Later(expires_ms)) => {
                    lines.push(Line::expires(&key, Expiry::found(expires_ms)));
                }
                Ok(Swept::Stays) if wait == Wait::No => waits.push((key, due, Wait::Usual)),
                Ok(Swept::Stays) => {}
                Err(error) => {
                    failure.get_or_insert(error.key(&key));
                }
            }
        }
        // An item that came between the look and the line is not settled. Its writer looks for the line
        // after the item is there, and this looks for the item after the line is: one of them sees it.
        let outcome = self.add_lines(&lines, Need::Usual).and_then(|_| {
            let again = settled.iter().filter_map(|key| {
                let (_, expires_ms) = self.look(key).ok()??;
                Some(Line::expires(key, Expiry::new(expires_ms?)))
            });
            self.add_lines(&again.collect::<Vec<_>>(), Need::Usual)
        });
        if let Err(error) = outcome {
            failure.get_or_insert(error);
        }
        match failure {
            // What was removed must be reported; what failed is due again at the next sweep.
            Some(error) if removed.is_empty() => Err(error),
            _ => Ok(removed),
        }
    }

    fn sweep_one(&self, key: &str, now_ms: u64, wait: Wait) -> Result<Swept> {
        let place = self.place(key);
        let found = match self.find(&place) {
            // No write has added the line of a path that no file can have.
            Err(error) if error.kind() == Kind::System("ENAMETOOLONG") => None,
            outcome => outcome?,
        };
        let Some(found) = found else {
            return Ok(Swept::Settled);
        };
        match self.expiry_in_file(&found)? {
            None => return Ok(Swept::Settled),
            Some(expires_ms) if expires_ms > now_ms => return Ok(Swept::Later(expires_ms)),
            Some(_) => {}
        }
        if !self.remove_if_expired(key, &place, now_ms, wait)? {
            return Ok(Swept::Stays);
        }
        self.durability.settle(|| place)?;
        Ok(Swept::Removed)
    }

    /// Removes a value if it is still the one that expired, which a write may replace at any moment.
    /// It is moved to where readers look next and no write reaches, looked at again there, and moved
    /// back if it is another.
    fn remove_if_expired(&self, key: &str, place: &Place, now_ms: u64, wait: Wait) -> Result<bool> {
        let _held = match self.hold([key], wait) {
            Ok(held) => held,
            Err(error) if error.kind() == Kind::System("EBUSY") => return Ok(false),
            Err(error) => return Err(error),
        };
        // Whoever held the lock may have written it anew, and that is not moved about.
        let is_expired = |expires_ms: u64| expires_ms <= now_ms;
        let found = self.find(place)?;
        let expires_ms = match &found {
            Some(found) => self.expiry_in_file(found)?,
            None => None,
        };
        if !expires_ms.is_some_and(is_expired) {
            return Ok(false);
        }
        let Some(lock) = self.lock(place.folder())? else {
            return Ok(false);
        };
        if self.is_of_another_key(&place.path)? {
            return Ok(false);
        }
        let change = self.changes.begin(key);
        let moved = place.moved();
        let is_file = self
            .stat_name(&place.path)?
            .is_some_and(|stat| stat.kind == FileKind::File);
        let outcome = if is_file {
            self.move_aside(&place.path, &moved)
        } else {
            Ok(())
        }
        .and_then(|()| self.find(place))
        .and_then(|found| match found {
            // A write that came after the move.
            Some(found) if found.path == place.path && is_file => Ok(None),
            Some(found) => {
                let expires_ms = self.expiry_in_file(&found)?;
                Ok(Some(found).filter(|_| expires_ms.is_some_and(is_expired)))
            }
            None => Ok(None),
        })
        .and_then(|expired| match expired {
            Some(found) => Ok(self.unlink(&found.path)?.then_some(found)),
            None => Ok(None),
        });
        // Where others have it open, the name of a removed file stays until they close it (Windows), and
        // would be given back.
        let is_removed = matches!(&outcome, Ok(Some(found)) if found.path == moved);
        if is_file && !is_removed {
            self.undo(&place.path, &moved);
        }
        self.remove_moved_folder(&moved);
        drop(lock);
        let removed = outcome?;
        if let Some(found) = &removed {
            change.made();
            let folder = if found.path == moved {
                place.folder()
            } else {
                folder_of(&found.path)
            };
            self.durability.note_folder(&self.remove_empty(folder));
        }
        Ok(removed.is_some())
    }
}
