//! Where the value of a key is.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::atomic_write::ATTEMPTS;
use super::disk::{Disk, Kind, Stat};
use super::locks::Need;
use super::{Engine, is_absent, path};
use eas_core::error::{Error, Result, io_from_code};

/// The paths that can hold the value of one key.
///
/// The value is at the first of these that exists: the key's own name, if that is a file; the place
/// for files on the move; the reserved name in the folder of the key's name; the name that a
/// program without escapes uses. Values move along this order only, so that a reader who looks in
/// this order misses none.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) literal: Option<PathBuf>,
}

/// Content that stands for no value, in the place for files on the move.
///
/// A rename onto it fails if what is renamed has become a folder in the meantime.
pub(super) const PLACEHOLDER: &[u8] = b"%~placeholder\0 3c2e7d1b9a6f4058\n";

impl Place {
    pub(super) fn new(base: &Path, key: &str) -> Self {
        let separator = std::path::MAIN_SEPARATOR;
        let mut relative = String::with_capacity(key.len() + 16);
        path::push_path(&mut relative, key, separator);
        let literal = path::literal_path(key, separator).map(|literal| base.join(literal));
        Place {
            path: base.join(relative),
            literal,
        }
    }

    /// The folder that the name lies in.
    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    pub(super) fn own(&self) -> PathBuf {
        self.path.join(path::SELF)
    }

    pub(super) fn moved(&self) -> PathBuf {
        moved_of(&self.path)
    }
}

/// The folder of a name below the base, which always has one.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

pub(super) fn moved_of(path: &Path) -> PathBuf {
    let mut moved = folder_of(path).join(path::MOVED);
    moved.extend(path.file_name());
    moved
}

/// Takes an error that says that there is no such file for the absence of a value.
fn none_if_absent<T>(action: &'static str) -> impl Fn(io::Error) -> Result<Option<T>> {
    move |error| {
        if is_absent(&error) || error.kind() == ErrorKind::IsADirectory {
            Ok(None)
        } else {
            Err(Error::io(error, action))
        }
    }
}

/// The same for a path that the key does not spell out: the system may find it too long, or its
/// names impossible.
fn none_if_impossible<T>(action: &'static str) -> impl Fn(io::Error) -> Result<Option<T>> {
    move |error| match error.kind() {
        ErrorKind::InvalidFilename | ErrorKind::InvalidInput => Ok(None),
        _ => none_if_absent(action)(error),
    }
}

/// A file that holds a value.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stat: Stat,
}

impl<D: Disk> Engine<D> {
    /// The bytes of the value, wherever it is.
    pub(super) fn fetch(&self, place: &Place) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self
            .read_file(&place.path)
            .or_else(none_if_absent("read"))?
        {
            return Ok(Some(bytes));
        }
        if let Some(bytes) = self
            .read_file(&place.moved())
            .or_else(none_if_impossible("read"))?
            && bytes != PLACEHOLDER
        {
            return Ok(Some(bytes));
        }
        if let Some(bytes) = self
            .read_file(&place.own())
            .or_else(none_if_impossible("read"))?
        {
            return Ok(Some(bytes));
        }
        match &place.literal {
            Some(literal) => self.read_file(literal).or_else(none_if_impossible("read")),
            None => Ok(None),
        }
    }

    fn read_file(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.disk.read(path).map(Some)
    }

    /// The file that holds the value.
    pub(super) fn find(&self, place: &Place) -> Result<Option<Found>> {
        if let Some(stat) = self
            .stat_file(&place.path)
            .or_else(none_if_absent("stat"))?
        {
            return Ok(Some(Found {
                path: place.path.clone(),
                stat,
            }));
        }
        let moved = place.moved();
        if let Some(stat) = self.stat_file(&moved).or_else(none_if_impossible("stat"))?
            && !self.is_placeholder(&moved, &stat)?
        {
            return Ok(Some(Found { path: moved, stat }));
        }
        let own = place.own();
        if let Some(stat) = self.stat_file(&own).or_else(none_if_impossible("stat"))? {
            return Ok(Some(Found { path: own, stat }));
        }
        let Some(literal) = &place.literal else {
            return Ok(None);
        };
        let stat = self
            .stat_file(literal)
            .or_else(none_if_impossible("stat"))?;
        Ok(stat.map(|stat| Found {
            path: literal.clone(),
            stat,
        }))
    }

    fn stat_file(&self, path: &Path) -> io::Result<Option<Stat>> {
        self.disk
            .stat(path)
            .map(|stat| Some(stat).filter(|stat| stat.kind == Kind::File))
    }

    pub(super) fn is_placeholder(&self, path: &Path, stat: &Stat) -> Result<bool> {
        if stat.size != PLACEHOLDER.len() as u64 {
            return Ok(false);
        }
        let bytes = self.read_file(path).or_else(none_if_absent("read"))?;
        Ok(bytes.is_none_or(|bytes| bytes == PLACEHOLDER))
    }

    /// What a name stands for, links not followed; `None` where there is nothing.
    pub(super) fn stat_name(&self, path: &Path) -> Result<Option<Stat>> {
        match self.disk.stat_link(path) {
            Ok(stat) => Ok(Some(stat)),
            Err(error) if is_absent(&error) || error.kind() == ErrorKind::InvalidFilename => {
                Ok(None)
            }
            Err(error) => Err(Error::io(error, "stat")),
        }
    }

    /// Removes a file; says whether there was one.
    pub(super) fn unlink(&self, path: &Path) -> Result<bool> {
        match self.disk.remove_file(path) {
            Ok(()) => Ok(true),
            Err(error)
                if is_absent(&error)
                    || matches!(
                        error.kind(),
                        ErrorKind::IsADirectory | ErrorKind::InvalidFilename
                    ) =>
            {
                Ok(false)
            }
            Err(error) => Err(Error::io(error, "remove")),
        }
    }

    /// Removes a folder and those above it as far as they are empty and below the base. Gives the
    /// first that stays.
    pub(super) fn remove_empty(&self, folder: &Path) -> PathBuf {
        let mut folder = folder;
        while folder != self.base() && folder.starts_with(self.base()) {
            match self.disk.remove_folder(folder) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // A folder that stays, for whatever reason, is no item and does no harm.
                Err(_) => break,
            }
            folder = folder_of(folder);
        }
        folder.to_owned()
    }

    /// Waits for the lock of the store.
    pub(super) fn wait_for_lock(&self) -> Result<Option<D::Lock>> {
        let file = self.base().join(path::LOCK);
        for _ in 0..ATTEMPTS {
            match self.disk.wait_for_lock(&file) {
                Ok(lock) => return Ok(lock),
                Err(error) if is_absent(&error) => self.make_folders(self.base())?,
                Err(error) => return Err(Error::io(error, "lock")),
            }
        }
        Err(Error::io(io_from_code("EBUSY"), "lock"))
    }

    /// Locks a folder against others that move values about in it. `None` where it is gone.
    pub(super) fn lock(&self, folder: &Path) -> Result<Option<Locked<D::Lock>>> {
        match self.locks.lock(&*self.disk, folder, Need::Usual) {
            Ok(lock) => Ok(Some(Locked { _lock: lock })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io(error, "lock")),
        }
    }
}

/// The right to move values about in a folder; held until it is dropped.
pub(super) struct Locked<L> {
    _lock: Option<L>,
}
