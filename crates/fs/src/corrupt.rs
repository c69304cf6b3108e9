//! Damaged values, which the next write keeps aside.

use std::io::ErrorKind;
use std::path::Path;

use super::disk::{Access, Disk, Kind, Stat, is_absent};
use super::durability::Level;
use super::engine::{ATTEMPTS, Engine};
use super::path;
use super::place::{Found, Place, folder_of};
use eas_core::error::{Error, Result, io_from_code};

const MAX_NAME_BYTES: usize = 255;

impl<D: Disk> Engine<D> {
    /// Gives the value a second name that stands for no key. The first stays, so that a write that
    /// fails changes nothing.
    pub(super) fn keep_aside(&self, place: &Place) -> Result<()> {
        let moved = place.moved();
        for number in 0..ATTEMPTS {
            let Some(found) = self.find(place)? else {
                return Ok(());
            };
            // What is left in the place for files on the move would keep that place for good.
            let folder = if found.path == moved {
                place.folder()
            } else {
                folder_of(&found.path)
            };
            let name = found.path.file_name().unwrap_or_default().to_string_lossy();
            let aside = folder.join(kept_name(self.now_ms(), number, &name));
            let is_file = |stat: Stat| stat.kind == Kind::File;
            // A second name of a link would lead to the new value.
            let is_kept = self.stat_name(&found.path)?.is_some_and(is_file)
                && match self.disk.link(&found.path, &aside) {
                    Ok(()) => true,
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    // The file system has no second names.
                    Err(_) => false,
                };
            if is_kept || self.copy_aside(&found, &aside)? {
                self.durability.note_file(&aside);
                self.durability.note_folder(folder);
                return Ok(());
            }
        }
        Err(Error::io(io_from_code("EBUSY"), "open").path(&place.path))
    }

    /// `false` where it has to be looked for again, or the name is taken.
    fn copy_aside(&self, from: &Found, aside: &Path) -> Result<bool> {
        if self.stat_name(aside)?.is_some() {
            return Ok(false);
        }
        let bytes = match self.disk.read(&from.path) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(false),
            Err(error) => return Err(Error::io(error, "open").path(&from.path)),
        };
        let is_synced = self.options.durability == Level::Full;
        self.place_new(&bytes, aside, Access::Like(&from.stat), is_synced)
    }
}

/// A name for what was found at that time under that name.
fn kept_name(now_ms: u64, number: usize, name: &str) -> String {
    let mut kept = format!("{}{now_ms}-{number}-{name}", path::CORRUPT);
    while kept.len() > MAX_NAME_BYTES {
        kept.pop();
    }
    kept.truncate(kept.trim_end_matches(['.', ' ']).len());
    kept
}
