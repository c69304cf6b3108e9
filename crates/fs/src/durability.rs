//! What is made durable when.
//!
//! A write is durable once its file and the folders that lead to it are fsynced. `full` does that
//! before the write returns, the file before its rename. `background` does it within a second, and
//! `none` only when asked; until then a loss of power may leave a file without its content on file
//! systems that order names before data, which reads as corrupt.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustc_hash::{FxHashMap, FxHashSet};

use super::disk::{Disk, Kind, is_absent};
use super::place::{Place, folder_of};
use eas_core::error::{Error, Result, code_of};
use eas_core::runtime::{Job, lock};

/// Runs a job on another thread, after a delay.
pub type Background = Arc<dyn Fn(Duration, Job) + Send + Sync>;

/// When what is written is made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Within a second, and by `flush`.
    Background,
    /// Before the write is reported done.
    Full,
    /// By `flush` only.
    None,
}

/// How long writes gather before the files they touched are fsynced.
const GATHER: Duration = Duration::from_millis(500);

/// Nobody may ever ask for what `none` wrote. Beyond this many files `flush` looks for them itself.
const MAX_NOTES: usize = 10_000;

/// From this many names on it is faster to sync the file systems they are on than each name: with
/// 2,000 files on ext4 that takes 27 ms instead of 770 ms.
const MANY_NAMES: usize = 64;

pub(super) struct Durability<D> {
    disk: Arc<D>,
    level: Level,
    base: PathBuf,
    background: Background,
    dirty: Mutex<Dirty>,
    /// Held while files are fsynced.
    syncing: Mutex<()>,
    /// Whether the name of the index of expiries is durable.
    index_is_named: AtomicBool,
}

/// Paths as text: made of names, they take several times as long to be hashed and compared.
#[derive(Default)]
struct Dirty {
    files: FxHashSet<OsString>,
    folders: FxHashMap<OsString, Note>,
    notes: u64,
    /// The file that is written in place, once it was. Unlike those that come by a rename it may be a link
    /// to another file system.
    in_place: Option<PathBuf>,
    /// Too many to note: everything under the base.
    everything: bool,
    scheduled: bool,
    /// What the background could not do, until `flush` tells.
    failure: Option<Error>,
}

/// What is known of a folder in which a name came or went.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Note {
    /// Of the last note, by which one that came while the folder was fsynced is told.
    number: u64,
    /// Whether a link leads to it. The path of no key tells that, so whoever settles next waits for it.
    is_behind_link: bool,
}

impl<D: Disk> Durability<D> {
    pub(super) fn new(disk: Arc<D>, level: Level, base: PathBuf, background: Background) -> Self {
        Durability {
            disk,
            level,
            base,
            background,
            dirty: Mutex::default(),
            syncing: Mutex::default(),
            index_is_named: AtomicBool::new(false),
        }
    }

    /// Notes a file that has its final name. Under `full` its content is durable by then.
    pub(super) fn note_file(&self, path: &Path) {
        if self.level == Level::Full {
            return;
        }
        let mut dirty = self.room_for_a_note();
        if dirty.everything && path.starts_with(&self.base) {
            return;
        }
        let path = path.as_os_str();
        if !dirty.files.contains(path) {
            dirty.files.insert(path.to_owned());
        }
    }

    /// Notes a folder in which a name came or went.
    pub(super) fn note_folder(&self, path: &Path) {
        self.note(path, false);
    }

    /// Notes a folder to which a link leads.
    pub(super) fn note_folder_behind_link(&self, path: &Path) {
        self.note(path, true);
    }

    fn note(&self, path: &Path, is_behind_link: bool) {
        let mut dirty = self.room_for_a_note();
        if dirty.everything && path.starts_with(&self.base) {
            return;
        }
        dirty.notes += 1;
        let number = dirty.notes;
        match dirty.folders.get_mut(path.as_os_str()) {
            Some(noted) => {
                noted.number = number;
                noted.is_behind_link |= is_behind_link;
            }
            None => {
                let note = Note {
                    number,
                    is_behind_link,
                };
                dirty.folders.insert(path.into(), note);
            }
        }
    }

    /// Makes the index of expiries durable, which is written in place, or sees to it that it will be.
    pub(super) fn settle_index(&self, path: &Path) -> Result<()> {
        if self.level != Level::Full {
            self.note_file(path);
            self.note_folder(folder_of(path));
            lock(&self.dirty).in_place = Some(path.to_owned());
            return Ok(());
        }
        self.sync_file(path)?;
        if !self.index_is_named.load(Ordering::Acquire) {
            self.sync_folder(folder_of(path))?;
            self.index_is_named.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Called when the index of expiries is replaced by a new file.
    pub(super) fn forget_index(&self) {
        self.index_is_named.store(false, Ordering::Release);
    }

    fn room_for_a_note(&self) -> MutexGuard<'_, Dirty> {
        let mut dirty = lock(&self.dirty);
        if self.level == Level::None && dirty.files.len() + dirty.folders.len() >= MAX_NOTES {
            // Those above the base, and those behind links, are not found again.
            let is_outside = |path: &OsString| !Path::new(path).starts_with(&self.base);
            dirty.files.retain(is_outside);
            dirty.folders.retain(|folder, _| is_outside(folder));
            dirty.everything = true;
        }
        dirty
    }

    /// Called at the end of each change: makes it durable, or sees to it that it will be.
    pub(super) fn settle(self: &Arc<Self>, place: impl FnOnce() -> Place) -> Result<()> {
        match self.level {
            Level::Full => self.sync_folders(&place()),
            Level::Background => {
                self.schedule();
                Ok(())
            }
            Level::None => Ok(()),
        }
    }

    /// Makes the names durable that lead to a value whose content is, whatever the level.
    pub(super) fn settle_now(self: &Arc<Self>, place: &Place) -> Result<()> {
        self.sync_folders(place)?;
        if self.level == Level::Background {
            self.schedule();
        }
        Ok(())
    }

    /// Makes everything durable that was written before; `moved` is told of each name.
    pub(super) fn flush(&self, moved: &dyn Fn()) -> Result<()> {
        let _syncing = lock(&self.syncing);
        let outcome = self.sync(moved);
        let failure = lock(&self.dirty).failure.take();
        outcome.and(failure.map_or(Ok(()), Err))
    }

    /// Whether there is something to make durable.
    pub(super) fn is_behind(&self) -> bool {
        // What is being made durable is not noted any more.
        let is_at_it = self.syncing.try_lock().is_err();
        let dirty = lock(&self.dirty);
        is_at_it || dirty.everything || !dirty.files.is_empty() || !dirty.folders.is_empty()
    }

    fn schedule(self: &Arc<Self>) {
        let mut dirty = lock(&self.dirty);
        if dirty.scheduled || (dirty.files.is_empty() && dirty.folders.is_empty()) {
            return;
        }
        dirty.scheduled = true;
        drop(dirty);
        let this = self.clone();
        (self.background)(
            GATHER,
            Box::new(move || {
                let _syncing = lock(&this.syncing);
                lock(&this.dirty).scheduled = false;
                if let Err(error) = this.sync(&|| ()) {
                    lock(&this.dirty).failure.get_or_insert(error);
                }
            }),
        );
    }

    /// Syncs the folders that lead to a value. Each stays noted until it is durable, so that a write
    /// into a folder that another thread has just made waits for its name as well.
    fn sync_folders(&self, place: &Place) -> Result<()> {
        let leads = |folder: &Path| {
            place.path.starts_with(folder)
                || place
                    .literal
                    .as_ref()
                    .is_some_and(|literal| literal.starts_with(folder))
        };
        let folders: Vec<(OsString, Note)> = {
            let dirty = lock(&self.dirty);
            let folders = dirty.folders.iter();
            let folders =
                folders.filter(|(folder, note)| note.is_behind_link || leads(Path::new(folder)));
            folders
                .map(|(folder, note)| (folder.clone(), *note))
                .collect()
        };
        for (folder, note) in folders {
            self.sync_folder(Path::new(&folder))?;
            self.forget([(&folder, &note)]);
        }
        Ok(())
    }

    /// What fails stays noted, and each folder until it is durable: who has to wait for it finds it. The
    /// caller holds `syncing` until what failed is told or kept.
    fn sync(&self, moved: &dyn Fn()) -> Result<()> {
        let dirty = {
            let mut dirty = lock(&self.dirty);
            Dirty {
                files: std::mem::take(&mut dirty.files),
                folders: dirty.folders.clone(),
                in_place: dirty.in_place.clone(),
                everything: std::mem::take(&mut dirty.everything),
                ..Dirty::default()
            }
        };
        if self.sync_at_once(&dirty) {
            self.forget(&dirty.folders);
            return Ok(());
        }
        let mut outcome = Ok(());
        if dirty.everything
            && let Err(error) = self.sync_everything()
        {
            lock(&self.dirty).everything = true;
            outcome = Err(error);
        }
        for file in dirty.files {
            if let Err(error) = self.sync_file(Path::new(&file)) {
                lock(&self.dirty).files.insert(file);
                outcome = outcome.and(Err(error));
            }
            moved();
        }
        for folder in &dirty.folders {
            match self.sync_folder(Path::new(folder.0)) {
                Ok(()) => self.forget([folder]),
                Err(error) => outcome = outcome.and(Err(error)),
            }
            moved();
        }
        outcome
    }

    /// Forgets folders that are durable, but those that were noted again since.
    fn forget<'a>(&self, folders: impl IntoIterator<Item = (&'a OsString, &'a Note)>) {
        let mut dirty = lock(&self.dirty);
        for (folder, note) in folders {
            if dirty.folders.get(folder) == Some(note) {
                dirty.folders.remove(folder);
            }
        }
    }

    /// Whether one call made all of it durable.
    fn sync_at_once(&self, dirty: &Dirty) -> bool {
        if dirty.everything || dirty.files.len() + dirty.folders.len() >= MANY_NAMES {
            // Files are on the file system of their folder, and many files have few folders.
            let files = dirty.files.iter();
            let files = files.map(|file| folder_of(Path::new(file)).as_os_str());
            let folders = files.chain(dirty.folders.keys().map(OsString::as_os_str));
            let folders: FxHashSet<&OsStr> = folders.collect();
            let everything = dirty.everything.then_some(&self.base);
            let apart = dirty.in_place.iter().chain(everything);
            let names = folders.into_iter().map(Path::new);
            let mut names = names.chain(apart.map(PathBuf::as_path));
            return self.disk.sync_file_systems(&mut names);
        }
        false
    }

    /// Makes the content of a file durable.
    pub(super) fn sync_file(&self, path: &Path) -> Result<()> {
        match self.disk.sync_file(path) {
            Ok(()) => Ok(()),
            // Removed since, or another kind of thing by now: what made it so was noted as well. What has
            // come to its place while this looked is noted by whoever made it.
            Err(error) if is_absent(&error) || self.is_no(Kind::File, path) => Ok(()),
            Err(error) => Err(Error::io(error, "fsync").path(path)),
        }
    }

    /// Whether a name stands for nothing, or for something of another kind. The system has many
    /// errors for either.
    fn is_no(&self, kind: Kind, path: &Path) -> bool {
        match self.disk.stat(path) {
            Ok(stat) => stat.kind != kind,
            Err(error) => is_absent(&error) || matches!(code_of(&error), "ELOOP" | "ENAMETOOLONG"),
        }
    }

    /// A folder that is gone is durable once the one above it is.
    fn sync_folder(&self, path: &Path) -> Result<()> {
        let mut path = path;
        loop {
            match self.disk.sync_folder(path) {
                Ok(()) => return Ok(()),
                Err(error)
                    if path.parent().is_some()
                        && (is_absent(&error) || self.is_no(Kind::Folder, path)) =>
                {
                    path = folder_of(path);
                }
                // A folder above the base that may be entered but not read.
                Err(error)
                    if error.kind() == ErrorKind::PermissionDenied
                        && !path.starts_with(&self.base) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(Error::io(error, "fsync").path(path)),
            }
        }
    }

    fn sync_everything(&self) -> Result<()> {
        let mut folders = vec![self.base.clone()];
        while let Some(folder) = folders.pop() {
            let mut files = Vec::new();
            let listed = self
                .disk
                .list(&self.base, &folder, &mut |name, kind| match kind {
                    Kind::File => files.push(folder.join(name)),
                    Kind::Folder => folders.push(folder.join(name)),
                    Kind::Link | Kind::Other => {}
                });
            match listed {
                Err(error) if is_absent(&error) => continue,
                outcome => outcome.map_err(|error| Error::io(error, "scandir").path(&folder))?,
            }
            for file in files {
                self.sync_file(&file)?;
            }
            self.sync_folder(&folder)?;
        }
        Ok(())
    }
}
