//! Where the value of a key is.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::disk::{Disk, Kind, Stat, is_absent, is_folder, is_impossible};
use super::engine::{ATTEMPTS, Engine};
use super::locks::{Locked, Need};
use super::path;
use super::place::{Found, PLACEHOLDER, Place, Reach, folder_of};
use eas_core::error::{Error, Result, io_from_code};

/// What holds a value is asked for by this path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// The one that the key spells out.
    Key,
    /// Another, which the system may find too long or its names impossible.
    Derived,
}

impl<D: Disk> Engine<D> {
    /// The bytes of the value, wherever it is.
    pub(super) fn fetch(&self, place: &Place) -> Result<Option<Vec<u8>>> {
        self.look_again(place, || self.fetch_once(place))
    }

    /// A value moves against the order of the places where a write takes it from the literal name to the
    /// first, and where its way into a folder fails. Who looked at the first before, and at the other one
    /// after it, looks again.
    fn look_again<T>(
        &self,
        place: &Place,
        look: impl Fn() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let before = self.moves.taken_back();
        let found = look()?;
        let may_be_back = place.literal.is_some() || self.moves.taken_back() != before;
        if found.is_some() || !may_be_back {
            return Ok(found);
        }
        look()
    }

    fn fetch_once(&self, place: &Place) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.read_file(&place.path, Spelling::Key)? {
            return Ok(Some(bytes));
        }
        if let Some(bytes) = self.read_file(&place.moved(), Spelling::Derived)?
            && bytes != PLACEHOLDER
        {
            return Ok(Some(bytes));
        }
        if let Some(bytes) = self.read_file(&place.own(), Spelling::Derived)? {
            return Ok(Some(bytes));
        }
        match &place.literal {
            Some(literal) => self.read_file(literal, Spelling::Derived),
            None => Ok(None),
        }
    }

    fn read_file(&self, path: &Path, spelling: Spelling) -> Result<Option<Vec<u8>>> {
        match self.is_stored_as_asked(path) {
            Ok(true) => {}
            Ok(false) if self.is_of_another_key(path)? => return Ok(None),
            Ok(false) => {}
            Err(error) => return self.none_if_absent(error, "open", path, spelling),
        }
        match self.disk.read(path) {
            // The file may have been replaced by one of another spelling meanwhile.
            Ok(bytes) => Ok((!self.is_of_another_key(path)?).then_some(bytes)),
            Err(error) => self.none_if_absent(error, "open", path, spelling),
        }
    }

    /// Takes an error that says that there is no such file for the absence of a value.
    fn none_if_absent<T>(
        &self,
        error: io::Error,
        syscall: &'static str,
        path: &Path,
        spelling: Spelling,
    ) -> Result<Option<T>> {
        let is_none = match error.kind() {
            ErrorKind::NotADirectory => return self.check_base().map(|()| None),
            ErrorKind::NotFound | ErrorKind::IsADirectory => true,
            ErrorKind::InvalidFilename | ErrorKind::InvalidInput => spelling == Spelling::Derived,
            _ => false,
        };
        if is_none {
            Ok(None)
        } else {
            Err(Error::io(error, syscall).path(path))
        }
    }

    /// Asked where a file is in the way of a name: a base that is one is no empty store.
    pub(super) fn check_base(&self) -> Result<()> {
        let outcome = match self.disk.stat(self.base()) {
            Ok(stat) if is_folder(&stat) => return Ok(()),
            Ok(_) => Err(io_from_code("ENOTDIR")),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => Err(error),
        };
        outcome.map_err(|error| Error::io(error, "open").path(self.base()))
    }

    /// The file that holds the value.
    pub(super) fn find(&self, place: &Place) -> Result<Option<Found>> {
        self.look_again(place, || self.find_once(place))
    }

    fn find_once(&self, place: &Place) -> Result<Option<Found>> {
        if let Some(stat) = self.stat_file(&place.path, Spelling::Key)? {
            return Ok(Some(Found {
                path: place.path.clone(),
                stat,
            }));
        }
        let moved = place.moved();
        if let Some(stat) = self.stat_file(&moved, Spelling::Derived)?
            && !self.is_placeholder(&moved, &stat)?
        {
            return Ok(Some(Found { path: moved, stat }));
        }
        let own = place.own();
        if let Some(stat) = self.stat_file(&own, Spelling::Derived)? {
            return Ok(Some(Found { path: own, stat }));
        }
        let Some(literal) = &place.literal else {
            return Ok(None);
        };
        let stat = self.stat_file(literal, Spelling::Derived)?;
        Ok(stat.map(|stat| Found {
            path: literal.clone(),
            stat,
        }))
    }

    fn stat_file(&self, path: &Path, spelling: Spelling) -> Result<Option<Stat>> {
        match self.disk.stat(path) {
            Ok(stat) if stat.kind == Kind::File => {
                Ok((!self.is_of_another_key(path)?).then_some(stat))
            }
            Ok(_) => Ok(None),
            Err(error) => self.none_if_absent(error, "stat", path, spelling),
        }
    }

    pub(super) fn is_placeholder(&self, path: &Path, stat: &Stat) -> Result<bool> {
        if stat.size != PLACEHOLDER.len() as u64 {
            return Ok(false);
        }
        let bytes = self.read_file(path, Spelling::Key)?;
        Ok(bytes.is_none_or(|bytes| bytes == PLACEHOLDER))
    }

    /// What a name stands for, links not followed; `None` where there is nothing.
    pub(super) fn stat_name(&self, path: &Path) -> Result<Option<Stat>> {
        match self.disk.stat_link(path) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) => self.none_if_absent(error, "lstat", path, Spelling::Derived),
        }
    }

    /// Removes a file; says whether there was one.
    pub(super) fn unlink(&self, path: &Path) -> Result<bool> {
        self.unlink_within(path, Reach::Named)
    }

    pub(super) fn unlink_within(&self, path: &Path, reach: Reach) -> Result<bool> {
        let removed = match reach {
            Reach::Named => self.disk.remove_file(path),
            Reach::Listed => self.disk.remove_file_below(self.base(), path),
        };
        match removed {
            Ok(()) => Ok(true),
            Err(error) => self
                .none_if_absent::<()>(error, "unlink", path, Spelling::Derived)
                .map(|_| false),
        }
    }

    /// Removes a folder and those above it as far as they are empty and reached from the base
    /// through folders alone. Gives the first that stays.
    pub(super) fn remove_empty(&self, folder: &Path) -> PathBuf {
        let mut folder = folder;
        while folder != self.base() && folder.starts_with(self.base()) {
            match self.disk.remove_folder(self.base(), folder) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // A folder that stays, for whatever reason, is no item and does no harm.
                Err(_) => break,
            }
            folder = folder_of(folder);
        }
        folder.to_owned()
    }

    /// Removes the place for files on the move, unless another file is in it.
    pub(super) fn remove_moved_folder(&self, moved: &Path) {
        let place = folder_of(moved);
        let _ = self.disk.remove_folder(folder_of(place), place);
    }

    /// Waits for the lock of the store.
    pub(super) fn wait_for_lock(&self) -> Result<Option<D::Lock>> {
        let file = self.base().join(path::LOCK);
        for _ in 0..ATTEMPTS {
            match self.disk.wait_for_lock(&file, self.options.own_mode()) {
                Ok(lock) => return Ok(lock),
                Err(error) if is_absent(&error) => {
                    self.make_folders(self.base())?.map_or(Ok(()), Err)?;
                }
                Err(error) => return Err(Error::io(error, "open").path(&file)),
            }
        }
        Err(Error::io(io_from_code("EBUSY"), "open").path(&file))
    }

    /// Locks a folder against others that move values about in it. `None` where it is gone, or where no
    /// folder can have that name.
    pub(super) fn lock(&self, folder: &Path) -> Result<Option<Locked<D::Lock>>> {
        match self.locks.lock(&*self.disk, folder, Need::Usual) {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if is_absent(&error) || is_impossible(&error) => Ok(None),
            Err(error) => Err(Error::io(error, "flock").path(folder)),
        }
    }
}
