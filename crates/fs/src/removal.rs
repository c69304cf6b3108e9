//! How an item goes.

use super::disk::{Disk, Kind};
use super::locate::{Place, folder_of};
use super::{Engine, is_folder};
use eas_core::error::Result;

impl<D: Disk> Engine<D> {
    /// Removes the value of a key from wherever it is; says whether there was one.
    pub(super) fn discard(&self, key: &str) -> Result<bool> {
        let place = self.place(key);
        let change = self.changes.begin(key);
        let mut removed = match &place.literal {
            // It would show again, were it left behind.
            Some(literal) => {
                let removed = self.unlink(literal)?;
                if removed {
                    self.durability
                        .note_folder(&self.remove_empty(folder_of(literal)));
                }
                removed
            }
            None => false,
        };
        removed |= self.discard_written(&place)?;
        if removed {
            if let Some(change) = change {
                change.made();
            }
            self.corrupt.remove(key);
            self.forget_expiry(key);
            self.durability.settle(&place)?;
        }
        Ok(removed)
    }

    fn discard_written(&self, place: &Place) -> Result<bool> {
        let moved = place.moved();
        let may_move = self.stat_name(&moved)?.is_some();
        let is_file = match self.stat_name(&place.path)? {
            Some(stat) if stat.kind == Kind::Link => !self
                .disk
                .stat(&place.path)
                .is_ok_and(|stat| is_folder(&stat)),
            Some(stat) => !is_folder(&stat),
            None => false,
        };
        let removed = is_file && !may_move && self.unlink(&place.path)?;
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
        let mut removed = removed | self.unlink(&moved)?;
        let _ = self.disk.remove_folder(folder_of(&moved));
        if is_file {
            removed |= self.unlink(&place.path)?;
        }
        removed |= self.unlink(&own)?;
        drop(lock);
        if removed {
            self.durability.note_folder(&self.remove_empty(&place.path));
        }
        Ok(removed)
    }
}
