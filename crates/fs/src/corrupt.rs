//! Damaged values, which the next write keeps aside.

use std::io::ErrorKind;
use std::path::Path;

use super::disk::{Access, Disk};
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
        let Some(found) = self.find(place)? else {
            return Ok(());
        };
        let folder = folder_of(&found.path);
        let name = found.path.file_name().unwrap_or_default().to_string_lossy();
        for number in 0.. {
            let aside = folder.join(kept_name(self.now_ms(), number, &name));
            match self.disk.link(&found.path, &aside) {
                Ok(()) => return self.kept(&aside),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                // The file system has no second names, or none for links.
                Err(_) => return self.copy_aside(&found, &aside),
            }
        }
        Ok(())
    }

    fn copy_aside(&self, from: &Found, aside: &Path) -> Result<()> {
        let bytes = self
            .disk
            .read(&from.path)
            .map_err(|error| Error::io(error, "open").path(&from.path))?;
        let is_synced = self.options.durability == Level::Full;
        for _ in 0..ATTEMPTS {
            if self.place_new(&bytes, aside, Access::Like(&from.stat), is_synced)? {
                return self.kept(aside);
            }
        }
        Err(Error::io(io_from_code("EBUSY"), "open").path(aside))
    }

    fn kept(&self, aside: &Path) -> Result<()> {
        self.durability.note_file(aside);
        self.durability.note_folder(folder_of(aside));
        Ok(())
    }
}

/// A name for what was found at that time under that name.
fn kept_name(now_ms: u64, number: u32, name: &str) -> String {
    let mut kept = format!("{}{now_ms}-{number}-{name}", path::CORRUPT);
    while kept.len() > MAX_NAME_BYTES {
        kept.pop();
    }
    kept.truncate(kept.trim_end_matches(['.', ' ']).len());
    kept
}
