//! How a value replaces another: a new file beside it, then a rename.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::fmt::Write;
use std::hash::BuildHasher;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::changes::{FileIdentity, Pending};
use super::disk::{Access, Disk, Kind, Stat, is_absent, is_folder};
use super::durability::Level;
use super::engine::{ATTEMPTS, Engine};
use super::held::Held;
use super::path;
use super::place::{Place, folder_of};
use super::terms::{Permit, Terms};
use eas_core::error::{Error, Result, io_from_code};

enum Outcome<D: Disk> {
    /// It is made, and the locks of its key are still held.
    Done(Held<D>),
    /// It may not be made.
    Refused,
    /// Another process changed what the write relied on, which made it fail with this.
    Again(Error),
}

enum Target<'a> {
    /// A file, there or not, with what is known of the one to be replaced.
    File {
        path: Cow<'a, Path>,
        old: Option<Stat>,
        linked: bool,
    },
    /// A folder, in which the value has its reserved name.
    Folder { old: Option<Stat> },
}

impl<D: Disk> Engine<D> {
    /// Replaces the value of a key, or makes it, and gives the change, which is not reported yet; `None`
    /// where it may not be made. On an error the old value is in place.
    pub(super) fn write<'a>(
        &'a self,
        key: &'a str,
        bytes: &[u8],
        terms: &Terms<'_, D>,
    ) -> Result<Option<Pending<'a>>> {
        let place = self.place(key);
        let change = self.changes.begin(key);
        let mut failure = None;
        for _ in 0..ATTEMPTS {
            match self.try_write(key, &place, bytes, &change, terms)? {
                Outcome::Again(error) => failure = Some(error),
                Outcome::Refused => return Ok(None),
                Outcome::Done(_held) => {
                    // The new value hides one under the literal name, so that leaving it is no error.
                    if let Some(literal) = &place.literal
                        && matches!(self.unlink_own(literal, |path| self.unlink(path)), Ok(true))
                    {
                        let stays = self.remove_empty(folder_of(literal));
                        self.durability.note_folder(&stays);
                    }
                    self.corrupt.remove(key);
                    return Ok(Some(change));
                }
            }
        }
        // What keeps happening is no race.
        let busy = || Error::io(io_from_code("EBUSY"), "rename").path(&place.path);
        Err(failure.unwrap_or_else(busy))
    }

    fn try_write(
        &self,
        key: &str,
        place: &Place,
        bytes: &[u8],
        change: &Pending<'_>,
        terms: &Terms<'_, D>,
    ) -> Result<Outcome<D>> {
        self.refuse_other_spelling(place, key)?;
        let target = self.target(place)?;
        let (folder, old, linked) = match &target {
            Target::File { path, old, linked } => (folder_of(path), old.as_ref(), *linked),
            Target::Folder { old } => (place.path.as_path(), old.as_ref(), false),
        };
        let name = temporary_in(folder);
        let like = old.or(terms.like.as_ref());
        let access = like.map_or(Access::Mode(self.options.mode), Access::Like);
        let taken = || Outcome::Again(Error::io(io_from_code("EBUSY"), "open").path(&place.path));
        let mut draft = match self.disk.create(&name, access) {
            Ok(draft) => draft,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(taken()),
            Err(error) if is_absent(&error) && !linked => {
                let made = self.make_folders(folder)?;
                let absent = || Error::io(error, "open").path(&place.path);
                return Ok(Outcome::Again(made.unwrap_or_else(absent)));
            }
            Err(error) => return Err(Error::io(error, "open").path(&place.path)),
        };
        let is_synced = self.options.durability == Level::Full && !terms.has_journal;
        let filled = self.fill(&mut draft, bytes, &place.path, access, is_synced);
        let ready = filled.and_then(|stat| {
            let Some(stat) = stat else {
                return Ok(None);
            };
            let permit = (terms.permit)()?;
            if matches!(permit, Permit::Granted(_)) {
                if self.corrupt.has(key) {
                    self.keep_aside(place)?;
                }
                change.names(FileIdentity::from(&stat));
            }
            Ok(Some(permit))
        });
        let held = match ready {
            Ok(Some(Permit::Granted(held))) => held,
            refused => {
                drop(draft);
                self.discard_draft(&name);
                return match refused {
                    Err(error) => Err(error),
                    Ok(None) => Ok(taken()),
                    Ok(Some(_)) => {
                        self.remove_empty(folder);
                        Ok(Outcome::Refused)
                    }
                };
            }
        };
        let outcome = match &target {
            Target::File { path, .. } => self.put_at(key, place, draft, &name, path),
            Target::Folder { .. } => self.put_inside(key, place, draft, &name),
        };
        match outcome.inspect_err(|_| self.discard_draft(&name))? {
            Ok(()) => {
                let path = match target {
                    Target::File { path, .. } => path,
                    Target::Folder { .. } => Cow::Owned(place.own()),
                };
                self.durability.note_file(&path);
                if linked {
                    self.durability.note_folder_behind_link(folder_of(&path));
                } else {
                    self.durability.note_folder(folder_of(&path));
                }
                Ok(Outcome::Done(held))
            }
            Err(error) => {
                self.discard_draft(&name);
                let is_changed = is_absent(&error) || error.kind() == ErrorKind::IsADirectory;
                let error = Error::io(error, "rename").path(&place.path);
                if is_changed {
                    Ok(Outcome::Again(error))
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Where the value is to be written.
    fn target<'a>(&self, place: &'a Place) -> Result<Target<'a>> {
        let Some(stat) = self.stat_name(&place.path)? else {
            // The value that a program without escapes wrote is replaced by one under our name.
            let old = match &place.literal {
                Some(literal) => self.stat_name(literal)?.filter(is_file),
                None => None,
            };
            return Ok(Target::File {
                path: Cow::Borrowed(&place.path),
                old,
                linked: false,
            });
        };
        match stat.kind {
            Kind::Folder => self.inside(place),
            Kind::Link => self.behind_link(place),
            Kind::File => Ok(Target::File {
                path: Cow::Borrowed(&place.path),
                old: Some(stat),
                linked: false,
            }),
            Kind::Other => Err(no_file(&place.path)),
        }
    }

    /// The folder of the key's own name, with what is known of the value that it has.
    fn inside<'a>(&self, place: &'a Place) -> Result<Target<'a>> {
        let mut old = self.stat_name(&place.own())?.filter(is_file);
        if old.is_none() {
            old = self.stat_name(&place.moved())?.filter(is_file);
        }
        Ok(Target::Folder { old })
    }

    /// Where a chain of links ends, there or not.
    fn behind_link<'a>(&self, place: &'a Place) -> Result<Target<'a>> {
        const MAX_LINKS: usize = 40;
        let mut path = place.path.clone();
        for _ in 0..MAX_LINKS {
            let stat = self.stat_name(&path)?;
            match stat.map(|stat| stat.kind) {
                Some(Kind::Link) => {
                    let to = self
                        .disk
                        .read_link(&path)
                        .map_err(|error| Error::io(error, "readlink").path(&path))?;
                    path = folder_of(&path).join(to);
                }
                Some(Kind::Folder) => return self.inside(place),
                Some(Kind::Other) => return Err(no_file(&path)),
                Some(Kind::File) | None => {
                    return Ok(Target::File {
                        path: Cow::Owned(path),
                        old: stat,
                        linked: true,
                    });
                }
            }
        }
        Err(Error::io(io_from_code("ELOOP"), "open").path(&place.path))
    }

    /// Gives the value its name.
    fn put_at(
        &self,
        key: &str,
        place: &Place,
        draft: D::Draft,
        name: &Path,
        to: &Path,
    ) -> Result<io::Result<()>> {
        let mut _lock = None;
        if self.folds_names() {
            _lock = self.lock(place.folder())?;
            if _lock.is_none() {
                return Ok(Err(ErrorKind::NotFound.into()));
            }
            self.refuse_other_spelling(place, key)?;
        }
        Ok(self.disk.persist(draft, name, to))
    }

    /// Gives the value its reserved name in the folder of the key.
    fn put_inside(
        &self,
        key: &str,
        place: &Place,
        draft: D::Draft,
        name: &Path,
    ) -> Result<io::Result<()>> {
        let Some(_lock) = self.lock(place.folder())? else {
            return Ok(Err(ErrorKind::NotFound.into()));
        };
        self.refuse_other_spelling(place, key)?;
        // An older value that a crash left on its way into the folder would be found first.
        let moved = place.moved();
        let _move = self.moves.start();
        if !self.settle(&place.path, &moved)? {
            return Ok(Err(ErrorKind::NotFound.into()));
        }
        self.remove_moved_folder(&moved);
        Ok(self.disk.persist(draft, name, &place.own()))
    }

    /// Writes the file, and makes it durable where that comes before the rename. Gives what is known of it;
    /// `None` where a clean-up took it for abandoned.
    fn fill(
        &self,
        draft: &mut D::Draft,
        bytes: &[u8],
        path: &Path,
        access: Access<'_>,
        is_synced: bool,
    ) -> Result<Option<Stat>> {
        let failed = |error, syscall| Error::io(error, syscall).path(path);
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.disk.write(draft, rest) {
                Ok(0) => return Err(failed(ErrorKind::WriteZero.into(), "write")),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error, "write")),
            }
        }
        let stat = match self.disk.settle_draft(draft, access) {
            Ok(stat) => stat,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(failed(error, "fstat")),
        };
        if is_synced {
            self.disk
                .sync(draft)
                .map_err(|error| failed(error, "fsync"))?;
        }
        Ok(Some(stat))
    }

    /// Makes a file of the store's own, open to whom `access` says; no folder may have its name. `false` where
    /// a clean-up took the new file for abandoned, or somebody the folder: it has to be made again.
    pub(super) fn place_new(
        &self,
        bytes: &[u8],
        to: &Path,
        access: Access<'_>,
        is_synced: bool,
    ) -> Result<bool> {
        let name = temporary_in(folder_of(to));
        let mut draft = match self.disk.create(&name, access) {
            Ok(draft) => draft,
            Err(error) if error.kind() == ErrorKind::WouldBlock || is_absent(&error) => {
                return Ok(false);
            }
            Err(error) => return Err(Error::io(error, "open").path(to)),
        };
        let filled = self.fill(&mut draft, bytes, to, access, is_synced);
        if !matches!(filled, Ok(Some(_))) {
            drop(draft);
            self.discard_draft(&name);
            return filled.map(|_| false);
        }
        match self.disk.persist(draft, &name, to) {
            Ok(()) => Ok(true),
            Err(error) => {
                self.discard_draft(&name);
                if is_absent(&error) {
                    return Ok(false);
                }
                Err(Error::io(error, "rename").path(to))
            }
        }
    }

    fn discard_draft(&self, name: &Path) {
        // What cannot be removed now is removed as abandoned later.
        let _ = self.disk.remove_file(name);
    }

    /// Makes a folder and those above it, down from the first that is there. A file in the way
    /// makes room. Gives what made it fail where that may be the doing of another process.
    pub(super) fn make_folders(&self, folder: &Path) -> Result<Option<Error>> {
        let failed = |error, folder: &Path| Error::io(error, "mkdir").path(folder);
        let mut missing = Vec::new();
        let mut at = folder;
        loop {
            match self.make_folder(at) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    match self.disk.stat(at) {
                        Ok(stat) if is_folder(&stat) => {}
                        Ok(_) => self.make_room(at)?,
                        // Gone again, unless a link leads nowhere.
                        Err(error) if is_absent(&error) => {
                            let is_link = |stat: Stat| stat.kind == Kind::Link;
                            if self.stat_name(at)?.is_some_and(is_link) {
                                return Err(failed(error, at));
                            }
                        }
                        Err(error) => return Err(failed(error, at)),
                    }
                    break;
                }
                Err(error) if is_absent(&error) => {
                    missing.push(at);
                    at = at.parent().ok_or_else(|| failed(error, at))?;
                }
                Err(error) => return Err(failed(error, at)),
            }
        }
        for folder in missing.into_iter().rev() {
            match self.make_folder(folder) {
                Ok(()) => {}
                // Others make folders and remove empty ones at the same time: the write tries again.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if is_absent(&error) => return Ok(Some(failed(error, folder))),
                Err(error) => return Err(failed(error, folder)),
            }
        }
        Ok(None)
    }

    /// The folder above is noted before the new one can be seen, so that whoever writes into it
    /// makes its name durable too.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let above = folder_of(folder);
        self.durability.note_folder(above);
        self.disk
            .create_folder(folder, self.options.folder_mode())?;
        self.durability.note_folder(above);
        Ok(())
    }
}

fn is_file(stat: &Stat) -> bool {
    stat.kind == Kind::File
}

/// A FIFO, a socket or a device is in the way.
fn no_file(path: &Path) -> Error {
    let message = "EEXIST: open failed: what has the name of this key is no file but a FIFO, a socket or a device. Remove it, or use another key";
    Error::io_with(io_from_code("EEXIST"), "open", message).path(path)
}

/// A name in the folder that no other process, thread or call uses.
fn temporary_in(folder: &Path) -> PathBuf {
    const MOST_DIGITS: usize = 16;
    static PROCESS: OnceLock<String> = OnceLock::new();
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let process = PROCESS.get_or_init(|| {
        format!(
            "{}{:x}-{:x}-",
            path::TEMPORARY,
            std::process::id(),
            RandomState::new().hash_one(0)
        )
    });
    let bytes = folder.as_os_str().len() + 1 + process.len() + MOST_DIGITS;
    let mut name = PathBuf::with_capacity(bytes);
    name.push(folder);
    name.push(process);
    // Text can be written to text without end.
    let _ = write!(
        name.as_mut_os_string(),
        "{:x}",
        COUNTER.fetch_add(1, Ordering::Relaxed)
    );
    name
}
