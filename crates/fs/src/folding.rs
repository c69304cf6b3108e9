//! Keys on file systems that do not distinguish case or Unicode forms.
//!
//! There `User` opens the file `user`. The name as it is stored decides whose file it is: any other
//! key reads as null, and is refused by a write. A write holds the lock of the folder from this check
//! to its rename, so that of two processes that write `user` and `User` at once one is refused.
//! Elsewhere none of this is looked at.
//!
//! Nearly always the system's own path of what is there ends as the one that was asked for, which one
//! call tells. Otherwise each name on the way is looked at on its own: links may lead elsewhere, and a
//! refusal names what is in the way.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk, is_absent, is_impossible};
use super::engine::Engine;
use super::path;
use super::place::{Place, folder_of};
use eas_core::error::{Error, Kind, Result};

impl<D: Disk> Engine<D> {
    pub(super) fn folds_names(&self) -> bool {
        if let Some(known) = self.folding.folds.get() {
            return *known;
        }
        match self.disk.folds_names(self.base()) {
            Ok(folds) => *self.folding.folds.get_or_init(|| folds),
            // There is nothing yet, or nothing that opens.
            Err(_) => false,
        }
    }

    /// Whether what is at the path is stored under these very names. `false` where one call does not
    /// tell; the error says that nothing is there.
    pub(super) fn is_stored_as_asked(&self, path: &Path) -> io::Result<bool> {
        if !self.folds_names() {
            return Ok(true);
        }
        let Ok(relative) = path.strip_prefix(self.base()) else {
            return Ok(true);
        };
        let Some(real) = self.disk.real_path(self.base(), path)? else {
            return Ok(false);
        };
        let real_base = match self.folding.real_base.get() {
            Some(known) => known,
            None => match self.disk.real_path(self.base(), self.base())? {
                Some(found) => self.folding.real_base.get_or_init(|| found),
                None => return Ok(false),
            },
        };
        Ok(real
            .strip_prefix(real_base)
            .is_ok_and(|real| real == relative))
    }

    /// The path of what has another spelling of this one, or of the beginning of it; `None` where
    /// every name is stored as it is given, as far as they are there.
    pub(super) fn other_spelling(&self, path: &Path) -> Result<Option<PathBuf>> {
        let Ok(relative) = path.strip_prefix(self.base()) else {
            return Ok(None);
        };
        if !self.folds_names() {
            return Ok(None);
        }
        let mut at = self.base().clone();
        for name in relative.components() {
            at.push(name);
            match self.disk.stored_name(&at) {
                Ok(stored) if stored == name.as_os_str() => {}
                Ok(stored) => return Ok(Some(at.with_file_name(stored))),
                Err(error) if is_absent(&error) || is_impossible(&error) => return Ok(None),
                Err(error) => return Err(Error::io(error, "open").path(&at)),
            }
        }
        Ok(None)
    }

    /// Whether the file at this path belongs to a key that is spelled otherwise.
    pub(super) fn is_of_another_key(&self, path: &Path) -> Result<bool> {
        if matches!(self.is_stored_as_asked(path), Ok(true)) {
            return Ok(false);
        }
        self.other_spelling(path).map(|other| other.is_some())
    }

    /// Refuses a write whose file or folder another key has. A value that is being relocated counts.
    pub(super) fn refuse_other_spelling(&self, place: &Place, key: &str) -> Result<()> {
        if !self.folds_names() {
            return Ok(());
        }
        if matches!(self.is_stored_as_asked(&place.path), Ok(true)) {
            return Ok(());
        }
        let mut other = self.other_spelling(&place.path)?;
        if let Some(literal) = &place.literal
            && other.is_none()
        {
            other = self.other_spelling(literal)?;
        }
        if other.is_none() {
            let moved = self.other_spelling(&place.moved())?;
            other = moved.map(|moved| {
                let name = moved.file_name().unwrap_or_default().to_owned();
                folder_of(folder_of(&moved)).join(name)
            });
        }
        let Some(other) = other else {
            return Ok(());
        };
        let relative = other.strip_prefix(self.base()).unwrap_or(&other);
        let names: Vec<_> = relative
            .components()
            .map(|name| name.as_os_str().to_string_lossy())
            .collect();
        let other = path::key_of(&names.join("/")).unwrap_or_else(|| names.join(":"));
        let [key_text, other] = [key, &other].map(serde_json::Value::from);
        let message = format!(
            "Invalid key: {key_text}. This file system does not distinguish it from {other}, which is there. Use one spelling, or remove the other one first"
        );
        Err(Error::new(Kind::InvalidKey, message).key(key))
    }
}
