//! How a value replaces another: a new file beside it, then a rename.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::changes::{Pending, Stamp};
use super::disk::{Disk, Kind, Stat};
use super::durability::Level;
use super::locate::{Place, folder_of};
use super::{Engine, is_absent, is_folder, path};
use eas_core::error::{Error, Result, io_from_code};

/// How often a step that another process undid meanwhile is tried again.
pub(super) const ATTEMPTS: usize = 100;

/// What happens between the writing of the file and its renaming.
pub(super) type BeforeRename<'a> = &'a dyn Fn(&Stat) -> Result<()>;

enum Outcome {
    Done,
    /// Another process changed what the write relied on.
    Again,
}

enum Target {
    /// A file, there or not, with the permissions to keep.
    File {
        path: PathBuf,
        mode: Option<u32>,
        linked: bool,
    },
    /// A folder, in which the value has its reserved name.
    Folder,
}

impl<D: Disk> Engine<D> {
    /// Replaces the value of a key, or makes it. On an error the old value is in place.
    pub(super) fn write(
        &self,
        key: &str,
        bytes: &[u8],
        before: Option<BeforeRename<'_>>,
    ) -> Result<()> {
        let place = self.place(key);
        if self.corrupt.has(key) {
            self.keep_aside(&place)?;
        }
        let change = self.changes.begin(key);
        for _ in 0..ATTEMPTS {
            if let Outcome::Done = self.try_write(&place, bytes, before, change.as_ref())? {
                if let Some(change) = change {
                    change.made();
                }
                // The new value hides one under the literal name, so that leaving it is no error.
                if let Some(literal) = &place.literal
                    && matches!(self.unlink(literal), Ok(true))
                {
                    let stays = self.remove_empty(folder_of(literal));
                    self.durability.note_folder(&stays);
                }
                self.corrupt.remove(key);
                return self.durability.settle(&place);
            }
        }
        Err(Error::io(
            io_from_code("EBUSY"),
            "write a file that other processes keep moving",
        ))
    }

    fn try_write(
        &self,
        place: &Place,
        bytes: &[u8],
        before: Option<BeforeRename<'_>>,
        change: Option<&Pending<'_>>,
    ) -> Result<Outcome> {
        let target = self.target(place)?;
        let (folder, mode, linked) = match &target {
            Target::File { path, mode, linked } => (folder_of(path), *mode, *linked),
            Target::Folder => (place.path.as_path(), None, false),
        };
        let (mut draft, name) = match self.draft_in(folder, mode) {
            Ok(made) => made,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Outcome::Again),
            Err(error) if is_absent(&error) && !linked => {
                self.make_folders(folder)?;
                return Ok(Outcome::Again);
            }
            Err(error) => return Err(Error::io(error, "create")),
        };
        let ready = self.fill(&mut draft, bytes).and_then(|()| {
            if before.is_none() && change.is_none() {
                return Ok(());
            }
            let stat = self
                .disk
                .stat_draft(&mut draft)
                .map_err(|error| Error::io(error, "stat"))?;
            if let Some(change) = change {
                change.names(Stamp::from(&stat));
            }
            before.map_or(Ok(()), |before| before(&stat))
        });
        if let Err(error) = ready {
            drop(draft);
            self.discard_draft(&name);
            return Err(error);
        }
        let outcome = match &target {
            Target::File { path, .. } => {
                self.disk.persist(draft, &name, path).map(|()| path.clone())
            }
            Target::Folder => self
                .put_inside(place, draft, &name)
                .inspect_err(|_| self.discard_draft(&name))?,
        };
        match outcome {
            Ok(path) => {
                self.durability.note_file(&path);
                self.durability.note_folder(folder_of(&path));
                Ok(Outcome::Done)
            }
            Err(error) => {
                self.discard_draft(&name);
                let changed = is_absent(&error) || error.kind() == ErrorKind::IsADirectory;
                if changed {
                    Ok(Outcome::Again)
                } else {
                    Err(Error::io(error, "rename"))
                }
            }
        }
    }

    /// Where the value is to be written.
    fn target(&self, place: &Place) -> Result<Target> {
        let file = |path: &Path, mode| Target::File {
            path: path.to_owned(),
            mode,
            linked: false,
        };
        let Some(stat) = self.stat_name(&place.path)? else {
            return Ok(file(&place.path, None));
        };
        match stat.kind {
            Kind::Folder => Ok(Target::Folder),
            Kind::Link => self.behind_link(&place.path),
            Kind::File | Kind::Other => Ok(file(&place.path, stat.mode)),
        }
    }

    /// Where a chain of links ends, there or not.
    fn behind_link(&self, link: &Path) -> Result<Target> {
        const MAX_LINKS: usize = 40;
        let mut path = link.to_owned();
        for _ in 0..MAX_LINKS {
            match self.stat_name(&path)? {
                Some(stat) if stat.kind == Kind::Link => {
                    let to = self
                        .disk
                        .read_link(&path)
                        .map_err(|error| Error::io(error, "read a link"))?;
                    path = folder_of(&path).join(to);
                }
                Some(stat) if is_folder(&stat) => return Ok(Target::Folder),
                stat => {
                    let mode = stat.and_then(|stat| stat.mode);
                    return Ok(Target::File {
                        path,
                        mode,
                        linked: true,
                    });
                }
            }
        }
        Err(Error::io(io_from_code("ELOOP"), "follow a link"))
    }

    /// Gives the value its reserved name in the folder of the key.
    fn put_inside(
        &self,
        place: &Place,
        draft: D::Draft,
        name: &Path,
    ) -> Result<io::Result<PathBuf>> {
        let Some(_lock) = self.lock(place.folder())? else {
            return Ok(Err(ErrorKind::NotFound.into()));
        };
        // An older value that a crash left on its way into the folder would be found first.
        let moved = place.moved();
        let _move = self.moves.start();
        if !self.settle(&place.path, &moved)? {
            return Ok(Err(ErrorKind::NotFound.into()));
        }
        let _ = self.disk.remove_folder(folder_of(&moved));
        let own = place.own();
        Ok(self.disk.persist(draft, name, &own).map(|()| own))
    }

    /// A new file in a folder under a name that no other has.
    pub(super) fn draft_in(
        &self,
        folder: &Path,
        mode: Option<u32>,
    ) -> io::Result<(D::Draft, PathBuf)> {
        let name = folder.join(temporary_name());
        self.disk.create(&name, mode).map(|draft| (draft, name))
    }

    /// Writes the file and makes it durable where that comes before the rename.
    fn fill(&self, draft: &mut D::Draft, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.disk.write(draft, rest) {
                Ok(0) => return Err(Error::io(ErrorKind::WriteZero.into(), "write")),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(error, "write")),
            }
        }
        if self.options.durability == Level::Full {
            self.disk
                .sync(draft)
                .map_err(|error| Error::io(error, "fsync"))?;
        }
        Ok(())
    }

    /// Writes a file and gives it its name, which no folder may have.
    pub(super) fn fill_and_place(
        &self,
        mut draft: D::Draft,
        name: &Path,
        bytes: &[u8],
        to: &Path,
    ) -> Result<()> {
        let outcome = match self.fill(&mut draft, bytes) {
            Ok(()) => self
                .disk
                .persist(draft, name, to)
                .map_err(|error| Error::io(error, "rename")),
            Err(error) => {
                drop(draft);
                Err(error)
            }
        };
        if outcome.is_err() {
            self.discard_draft(name);
        }
        outcome
    }

    fn discard_draft(&self, name: &Path) {
        // What cannot be removed now is removed as abandoned later.
        let _ = self.disk.remove_file(name);
    }

    /// Makes a folder and those above it, down from the first that is there. A file in the way
    /// makes room.
    pub(super) fn make_folders(&self, folder: &Path) -> Result<()> {
        let failed = |error| Error::io(error, "make a folder");
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
                                return Err(failed(error));
                            }
                        }
                        Err(error) => return Err(failed(error)),
                    }
                    break;
                }
                Err(error) if is_absent(&error) => {
                    missing.push(at);
                    at = at.parent().ok_or_else(|| failed(error))?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        for folder in missing.into_iter().rev() {
            match self.make_folder(folder) {
                Ok(()) => {}
                // Others make folders and remove empty ones at the same time: the write tries again.
                Err(error) if is_absent(&error) || error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// The folder above is noted before the new one can be seen, so that whoever writes into it
    /// makes its name durable too.
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        let above = folder_of(folder);
        self.durability.note_folder(above);
        self.disk.create_folder(folder)?;
        self.durability.note_folder(above);
        Ok(())
    }
}

/// A name that no other process, thread or call uses.
fn temporary_name() -> String {
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
    format!("{process}{:x}", COUNTER.fetch_add(1, Ordering::Relaxed))
}
