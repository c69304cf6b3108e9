//! How a file makes room for a folder of its name.
//!
//! `a` moves to `%~moved/a`, the folder `a` is made, and `%~moved/a` moves to `a/%~self`. After each
//! step the value is in one of the places where readers look, in the order in which they look, so
//! that neither they nor a crash lose it. Values are moved about under a lock of the folder; plain
//! writes and removals of `a` go on meanwhile and need none.

use std::io::ErrorKind;
use std::path::Path;

use super::disk::{Access, Disk, Kind, is_absent, is_folder};
use super::durability::Level;
use super::engine::{ATTEMPTS, Engine};
use super::path::{self, Name};
use super::place::{PLACEHOLDER, folder_of, moved_of};
use eas_core::error::{Error, Result, io_from_code};

/// What became of a placeholder.
enum Put {
    Done,
    /// A clean-up took the new file for abandoned, or removed the folder for files on the move.
    Again,
    /// The folder around it is gone.
    NoFolder,
}

impl<D: Disk> Engine<D> {
    /// Makes the name of a file that of a folder which holds the file's value. Where the file is
    /// gone by then, there may be no folder either: the caller looks again.
    pub(super) fn make_room(&self, file: &Path) -> Result<()> {
        let is_item = file
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| {
                matches!(
                    path::read_name(name),
                    Name::Segment { .. } | Name::LastPart(_)
                )
            });
        let below_base = file != self.base() && file.starts_with(self.base());
        let stat = self.stat_name(file)?;
        // Moved into a folder, a relative link would point elsewhere.
        let is_link = stat.is_some_and(|stat| stat.kind != Kind::File && !is_folder(&stat));
        if !is_item || !below_base || is_link {
            return Err(Error::io(io_from_code("ENOTDIR"), "mkdir").path(file));
        }
        let folder = folder_of(file);
        let Some(_lock) = self.lock(folder)? else {
            return Ok(());
        };
        // The write that wants the folder is refused when it looks again.
        if self.is_of_another_key(file)? {
            return Ok(());
        }
        let moved = moved_of(file);
        let _move = self.moves.start();
        let outcome = self.move_inside(file, &moved);
        if outcome.is_err() {
            // The value goes back to its name. Should that fail too, readers find it where it is.
            self.undo(file, &moved);
        }
        // Another file on the move keeps the folder.
        self.remove_moved_folder(&moved);
        self.durability.note_folder(folder);
        outcome
    }

    fn move_inside(&self, file: &Path, moved: &Path) -> Result<()> {
        for _ in 0..ATTEMPTS {
            self.move_aside(file, moved)?;
            match self.disk.create_folder(file, self.options.folder_mode()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if self.stat_name(file)?.is_some_and(|stat| !is_folder(&stat)) {
                        continue;
                    }
                }
                // The folder around it is gone, and the value with it.
                Err(error) if is_absent(&error) => return Ok(()),
                Err(error) => return Err(Error::io(error, "mkdir").path(file)),
            }
            if self.settle(file, moved)? {
                return Ok(());
            }
        }
        Err(Error::io(io_from_code("EBUSY"), "mkdir").path(file))
    }

    /// Moves a file to the place for files on the move, if it is there and no folder.
    pub(super) fn move_aside(&self, file: &Path, moved: &Path) -> Result<()> {
        let mut attempts = 0;
        while self.stat_name(moved)?.is_none() {
            match self.put_placeholder(moved)? {
                Put::Done => break,
                Put::NoFolder => return Ok(()),
                Put::Again => attempts += 1,
            }
            if attempts == ATTEMPTS {
                return Err(Error::io(io_from_code("EBUSY"), "open").path(moved));
            }
        }
        // The making of the placeholder takes a while, in which the name may have become a folder's.
        if self.stat_name(file)?.is_none_or(|stat| is_folder(&stat)) {
            return Ok(());
        }
        match self.disk.rename(file, moved) {
            Ok(()) if self.stat_name(moved)?.is_some_and(|stat| is_folder(&stat)) => {
                // It did so between the look and the step: no reader looks for a folder there.
                self.disk
                    .rename(moved, file)
                    .map_err(|error| Error::io(error, "rename").path(file))
            }
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) || error.kind() == ErrorKind::IsADirectory => Ok(()),
            Err(error) => Err(Error::io(error, "rename").path(file)),
        }
    }

    /// Moves a value from the place for files on the move into its folder. Says whether the folder
    /// was there.
    pub(super) fn settle(&self, file: &Path, moved: &Path) -> Result<bool> {
        let own = file.join(path::SELF);
        let Some(stat) = self.stat_name(moved)? else {
            return Ok(true);
        };
        // What is in the folder already was written later.
        if self.is_placeholder(moved, &stat)? || self.stat_name(&own)?.is_some() {
            self.unlink(moved)?;
            return Ok(true);
        }
        match self.disk.rename(moved, &own) {
            Ok(()) => {
                self.durability.note_file(&own);
                Ok(true)
            }
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(Error::io(error, "rename").path(file)),
        }
    }

    /// Takes back a move as far as it went. A value that came to the name since is newer and stays.
    pub(super) fn undo(&self, file: &Path, moved: &Path) {
        let Ok(Some(stat)) = self.stat_name(moved) else {
            return;
        };
        let is_placeholder = self.is_placeholder(moved, &stat).unwrap_or(false);
        if !is_placeholder {
            match self.disk.link(moved, file) {
                Ok(()) => self.moves.take_back(),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if matches!(self.stat_name(file), Ok(Some(stat)) if is_folder(&stat)) {
                        // The folder is there: the way on is the way out.
                        let _ = self.settle(file, moved);
                        return;
                    }
                }
                Err(_) if matches!(self.stat_name(file), Ok(None)) => {
                    self.moves.take_back();
                    let _ = self.disk.rename(moved, file);
                    return;
                }
                Err(_) => return,
            }
        }
        let _ = self.unlink(moved);
    }

    fn put_placeholder(&self, moved: &Path) -> Result<Put> {
        let folder = folder_of(moved);
        match self.disk.create_folder(folder, self.options.folder_mode()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if is_absent(&error) => return Ok(Put::NoFolder),
            Err(error) => return Err(Error::io(error, "mkdir").path(folder)),
        }
        let access = Access::Mode(self.options.mode);
        let is_synced = self.options.durability == Level::Full;
        let is_placed = self.place_new(PLACEHOLDER, moved, access, is_synced)?;
        Ok(if is_placed { Put::Done } else { Put::Again })
    }
}
