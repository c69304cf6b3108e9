//! How an item goes.

use std::path::Path;

use super::changes::Pending;
use super::disk::{Disk, Kind};
use super::engine::Engine;
use super::place::{Place, Reach, folder_of};
use super::terms::{Permit, Terms};
use eas_core::error::Result;

impl<D: Disk> Engine<D> {
    /// Removes the value of a key from wherever it is; says whether there was one.
    pub(super) fn discard(&self, key: &str, reach: Reach) -> Result<bool> {
        let permit = || self.usual_permit(key);
        self.discard_if(key, reach, &Terms::usual(&permit))
    }

    /// As [`discard`](Self::discard), if it may be done.
    pub(super) fn discard_if(&self, key: &str, reach: Reach, terms: &Terms<'_, D>) -> Result<bool> {
        let change = self.take_out(key, reach, terms)?;
        let is_removed = change.is_some();
        if let Some(change) = change {
            change.made();
            self.forget_expiry(key);
        }
        self.durability.settle(|| self.place(key))?;
        Ok(is_removed)
    }

    /// Removes the value of a key, and gives the change, which is not reported yet; `None` where there
    /// was none, or it may not be removed.
    pub(super) fn take_out<'a>(
        &'a self,
        key: &'a str,
        reach: Reach,
        terms: &Terms<'_, D>,
    ) -> Result<Option<Pending<'a>>> {
        let place = self.place(key);
        let Permit::Granted(_held) = (terms.permit)()? else {
            return Ok(None);
        };
        let change = self.changes.begin(key);
        let mut removed = match &place.literal {
            // It would show again, were it left behind.
            Some(literal) => {
                let removed = self.unlink_own(literal, |path| self.unlink_item(path, reach))?;
                if removed {
                    self.durability
                        .note_folder(&self.remove_empty(folder_of(literal)));
                }
                removed
            }
            None => false,
        };
        if !self.is_of_another_key(&place.path)? {
            removed |= self.discard_written(&place, reach)?;
        }
        if removed {
            self.corrupt.remove(key);
        } else {
            // Another process may have removed it and ended before that was durable.
            self.durability.note_folder(folder_of(&place.path));
        }
        Ok(removed.then_some(change))
    }

    /// Removes what may be an item: what is neither a file nor a link stays.
    fn unlink_item(&self, path: &Path, reach: Reach) -> Result<bool> {
        match self.stat_name(path)?.map(|stat| stat.kind) {
            Some(Kind::File | Kind::Link) => self.unlink_within(path, reach),
            Some(Kind::Folder | Kind::Other) | None => Ok(false),
        }
    }

    /// Removes the file of a key. Where names fold, no other spelling gets the file between the look at
    /// its name and the removal, since whoever writes it needs the lock.
    pub(super) fn unlink_own(
        &self,
        path: &Path,
        unlink: impl FnOnce(&Path) -> Result<bool>,
    ) -> Result<bool> {
        let mut _lock = None;
        if self.folds_names() {
            _lock = self.lock(folder_of(path))?;
            if _lock.is_none() || self.is_of_another_key(path)? {
                return Ok(false);
            }
        }
        unlink(path)
    }

    fn discard_written(&self, place: &Place, reach: Reach) -> Result<bool> {
        let moved = place.moved();
        let may_move = self.stat_name(&moved)?.is_some();
        let is_file = match self.stat_name(&place.path)? {
            // A link that leads nowhere goes like one that leads to a file.
            Some(stat) if stat.kind == Kind::Link => self
                .disk
                .stat(&place.path)
                .map_or(true, |stat| stat.kind == Kind::File),
            Some(stat) => stat.kind == Kind::File,
            None => false,
        };
        let removed = is_file
            && !may_move
            && self.unlink_own(&place.path, |path| self.unlink_within(path, reach))?;
        if removed && self.stat_name(&moved)?.is_none() {
            self.durability
                .note_folder(&self.remove_empty(place.folder()));
            return Ok(true);
        }
        let own = place.own();
        if !may_move
            && !is_file
            && self.stat_name(&own)?.is_none()
            && self.stat_name(&moved)?.is_none()
        {
            return Ok(false);
        }
        // A value is on the move, or in a folder.
        let Some(lock) = self.lock(place.folder())? else {
            return Ok(removed);
        };
        if self.is_of_another_key(&place.path)? || self.is_of_another_key(&moved)? {
            return Ok(removed);
        }
        let mut removed = removed | self.unlink_item(&moved, reach)?;
        self.remove_moved_folder(&moved);
        if is_file {
            removed |= self.unlink_within(&place.path, reach)?;
        }
        removed |= self.unlink_item(&own, reach)?;
        drop(lock);
        if removed {
            self.durability.note_folder(&self.remove_empty(&place.path));
        }
        Ok(removed)
    }
}
