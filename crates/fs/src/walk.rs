//! Listings, and the removal of what dead writers left.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::disk::{Disk, Kind, is_absent};
use super::engine::Engine;
use super::parallel_walk::spread;
use super::path::{self, Name, Reading};
use eas_core::error::{Error, Result, code_of};
use eas_core::keys::Keys;

/// How long a listing waits for values that move, and how long in one go.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_micros(100);

/// From this many folders on, several threads list them.
const MANY_FOLDERS: usize = 32;

/// A folder to be listed.
struct Folder {
    /// Its path relative to the base, with a `/` at its end unless it is empty.
    path: String,
    reading: Reading,
    /// The depth of the items in it.
    depth: usize,
    /// Whether it is the place for files on the move of the folder that `reading` tells.
    is_moved: bool,
}

/// What one listing of a folder leaves to be done.
#[derive(Default)]
struct Later {
    folders: Vec<Folder>,
    /// Keys whose item is in the folder of their name, which is not listed.
    own: Vec<(String, PathBuf)>,
    /// Keys whose file counts only if it is one when it is looked at.
    doubtful: Vec<(String, PathBuf)>,
    temporary: Vec<PathBuf>,
}

struct Walk<'a, D: Disk> {
    engine: &'a Engine<D>,
    max_depth: usize,
    keys: Keys,
    /// Whether a key may have been met twice.
    may_repeat: bool,
    moving: Moving,
}

/// What a walk met in the places for files on the move, those of other processes included.
///
/// A value that leaves such a place before it is looked into may be in a folder that was not there
/// yet when its name was read. Leftovers of a crash stay as they are.
#[derive(Default, PartialEq)]
struct Moving {
    /// The places, each with the time of its last change.
    places: Vec<(PathBuf, Option<i128>)>,
    files: Vec<PathBuf>,
    /// Whether one of them went meanwhile.
    is_gone: bool,
}

impl Moving {
    fn add(&mut self, other: Moving) {
        self.places.extend(other.places);
        self.files.extend(other.files);
        self.is_gone |= other.is_gone;
    }

    /// Whether the walk that met this missed nothing, given what the walk before it met.
    fn is_at_rest(&self, before: &Moving) -> bool {
        !self.is_gone && (self.places.is_empty() || self == before)
    }
}

impl<D: Disk> Engine<D> {
    /// The keys that begin with `base`, of at most `max_depth`. A store in which values move all
    /// the time gives its last listing in the end.
    pub(super) fn walk(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        let start = Instant::now();
        let mut met = Moving::default();
        loop {
            let before = self.moves.rest();
            let is_last = start.elapsed() > PATIENCE;
            if before.is_none() && !is_last {
                // A move is a few calls of the file system.
                thread::sleep(PAUSE);
                continue;
            }
            let (keys, moving) = self.walk_once(base, max_depth)?;
            if is_last || (before == self.moves.rest() && moving.is_at_rest(&met)) {
                return Ok(keys);
            }
            met = moving;
        }
    }

    fn walk_once(&self, base: &str, max_depth: Option<usize>) -> Result<(Keys, Moving)> {
        let max_depth = max_depth.unwrap_or(usize::MAX);
        let mut walk = Walk {
            engine: self,
            max_depth,
            keys: Keys::new(),
            may_repeat: false,
            moving: Moving::default(),
        };
        let depth = memchr::memchr_iter(b':', base.as_bytes()).count();
        let folder = |path, literal| Folder {
            path,
            reading: Reading::of_base(base, literal),
            depth,
            is_moved: false,
        };
        let mut path = String::new();
        if let Some(key) = base.strip_suffix(':') {
            if path::refusal(key).is_some() {
                return Ok((Keys::new(), Moving::default()));
            }
            path::push_path(&mut path, key, '/');
            if let Some(mut literal) = path::literal_path(key, '/') {
                literal.push('/');
                walk.may_repeat = true;
                walk.run(folder(literal, true))?;
            }
            path.push('/');
        }
        walk.run(folder(path, false))?;
        if walk.may_repeat {
            let mut seen = HashSet::with_capacity(walk.keys.len());
            walk.keys = std::mem::take(&mut walk.keys).filtered(|key| seen.insert(key.to_owned()));
        }
        walk.moving.places.sort_unstable();
        walk.moving.files.sort_unstable();
        Ok((walk.keys, walk.moving))
    }

    /// Removes what dead writers left anywhere below the base.
    pub(super) fn tidy(&self) {
        let mut folders = vec![self.base().clone()];
        while let Some(folder) = folders.pop() {
            let mut abandoned = Vec::new();
            // What cannot be listed now is met by a listing that reports it.
            let _ = self
                .disk
                .list(self.base(), &folder, &mut |name, kind| match kind {
                    Kind::Folder => folders.push(folder.join(name)),
                    Kind::File if is_temporary(name) => abandoned.push(folder.join(name)),
                    _ => {}
                });
            self.remove_abandoned(&folder, &abandoned);
            folders.retain(|folder| !self.is_left_alone(folder));
        }
    }

    fn is_left_alone(&self, folder: &Path) -> bool {
        let ignore = &self.options.ignore;
        !ignore.is_empty()
            && folder
                .strip_prefix(self.base())
                .ok()
                .and_then(Path::to_str)
                .is_some_and(|path| {
                    if MAIN_SEPARATOR == '/' {
                        ignore.matches(path)
                    } else {
                        ignore.matches(&path.replace(MAIN_SEPARATOR, "/"))
                    }
                })
    }

    fn remove_abandoned(&self, folder: &Path, files: &[PathBuf]) {
        if self.options.read_only {
            return;
        }
        let mut removed = false;
        for file in files {
            removed |= self
                .disk
                .remove_abandoned(self.base(), file)
                .unwrap_or(false);
        }
        if removed {
            self.remove_empty(folder);
        }
    }
}

fn is_temporary(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with(path::TEMPORARY))
}

impl<D: Disk> Walk<'_, D> {
    fn run(&mut self, start: Folder) -> Result<()> {
        if start.depth > self.max_depth
            || self
                .engine
                .options
                .ignore
                .covers(start.path.trim_end_matches('/'))
        {
            return Ok(());
        }
        if self
            .engine
            .is_of_another_key(&self.system_path(&start.path))?
        {
            return Ok(());
        }
        let mut folders = Vec::new();
        self.visit(&start, true, &mut folders)?;
        while let Some(folder) = folders.pop() {
            if folders.len() >= MANY_FOLDERS {
                folders.push(folder);
                return self.visit_on_threads(folders);
            }
            self.visit(&folder, false, &mut folders)?;
        }
        Ok(())
    }

    fn visit_on_threads(&mut self, folders: Vec<Folder>) -> Result<()> {
        let worker = || Walk {
            engine: self.engine,
            max_depth: self.max_depth,
            keys: Keys::new(),
            may_repeat: false,
            moving: Moving::default(),
        };
        let walks = spread(folders, worker, |walk, folder, found| {
            walk.visit(&folder, false, found)
        })?;
        for walk in walks {
            self.keys.extend(&walk.keys);
            self.may_repeat |= walk.may_repeat;
            self.moving.add(walk.moving);
        }
        Ok(())
    }

    /// Lists one folder; those in it are added to `folders`.
    fn visit(&mut self, folder: &Folder, is_start: bool, folders: &mut Vec<Folder>) -> Result<()> {
        let mut later = Later::default();
        if folder.is_moved {
            self.note_place(folder)?;
        }
        self.list(folder, is_start, &mut later)?;
        self.look_at(later.own, true)?;
        if folder.is_moved {
            let files = later.doubtful.iter().map(|(_, path)| path.clone());
            self.moving.files.extend(files);
        }
        let all_there = self.look_at(later.doubtful, false)?;
        self.moving.is_gone |= folder.is_moved && !all_there;
        if !later.temporary.is_empty() {
            self.engine
                .remove_abandoned(&self.system_path(&folder.path), &later.temporary);
        }
        folders.append(&mut later.folders);
        Ok(())
    }

    fn system_path(&self, path: &str) -> PathBuf {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return self.engine.base().clone();
        }
        if MAIN_SEPARATOR == '/' {
            self.engine.base().join(path)
        } else {
            self.engine
                .base()
                .join(path.replace('/', std::path::MAIN_SEPARATOR_STR))
        }
    }

    fn list(&mut self, folder: &Folder, is_start: bool, later: &mut Later) -> Result<()> {
        let path = self.system_path(&folder.path);
        let mut relative = folder.path.clone();
        let base = self.engine.base();
        let listed = self.engine.disk.list(base, &path, &mut |name, kind| {
            if let Some(name) = name.to_str() {
                self.entry(folder, is_start, name, kind, &path, &mut relative, later);
            }
        });
        match listed {
            // Removed since, or a file or a link by now.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotADirectory => self.engine.check_base(),
            outcome => outcome.map_err(|error| {
                let key = folder
                    .reading
                    .key
                    .strip_suffix(':')
                    .unwrap_or(&folder.reading.key);
                Error::io(error, "scandir").path(&path).key(key)
            }),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one listing, spelled out"
    )]
    fn entry(
        &mut self,
        folder: &Folder,
        is_start: bool,
        name: &str,
        kind: Kind,
        path: &Path,
        relative: &mut String,
        later: &mut Later,
    ) {
        let read = path::read_name(name);
        match (&read, kind) {
            (Name::Temporary, Kind::File) => later.temporary.push(path.join(name)),
            (Name::Moved, Kind::Folder) if !folder.is_moved => {
                self.may_repeat = true;
                later.folders.push(Folder {
                    path: format!("{}{name}/", folder.path),
                    reading: folder.reading.clone(),
                    depth: folder.depth,
                    is_moved: true,
                });
            }
            (Name::OwnItem, Kind::File | Kind::Link) if !is_start && !folder.is_moved => {
                if let Some(key) = folder.reading.own_key() {
                    self.may_repeat = true;
                    later.own.push((key, path.join(name)));
                }
            }
            (_, Kind::Folder) if !folder.is_moved && !self.ignored(relative, folder, name) => {
                self.enter(folder, &read, name, path, later);
            }
            (_, Kind::File | Kind::Link) if folder.depth <= self.max_depth => {
                let Some(key) = folder.reading.item(&read) else {
                    return;
                };
                if matches!(
                    &read,
                    Name::Segment { written: false, .. } | Name::Segment { literal: false, .. }
                ) {
                    self.may_repeat = true;
                }
                if self.ignored(relative, folder, name) {
                    return;
                }
                if kind == Kind::File && !folder.is_moved {
                    self.keys.push(&key);
                } else {
                    later.doubtful.push((key, path.join(name)));
                }
            }
            _ => {}
        }
    }

    fn ignored(&self, relative: &mut String, folder: &Folder, name: &str) -> bool {
        let ignore = &self.engine.options.ignore;
        if ignore.is_empty() {
            return false;
        }
        // A file on the move goes by the path it came from.
        let moved = if folder.is_moved {
            path::MOVED.len() + 1
        } else {
            0
        };
        relative.truncate(folder.path.len() - moved);
        relative.push_str(name);
        ignore.matches(relative)
    }

    fn enter(
        &mut self,
        folder: &Folder,
        read: &Name<'_>,
        name: &str,
        path: &Path,
        later: &mut Later,
    ) {
        let Some(reading) = folder.reading.enter(read) else {
            return;
        };
        let depth = folder.depth + usize::from(!matches!(read, Name::Part(_)));
        if depth <= self.max_depth {
            let path = format!("{}{name}/", folder.path);
            later.folders.push(Folder {
                path,
                reading,
                depth,
                is_moved: false,
            });
        } else if folder.depth <= self.max_depth
            && let Some(key) = reading.own_key()
        {
            later.own.push((key, path.join(name).join(path::SELF)));
        }
    }

    /// Notes the state of a place for files on the move before it is listed.
    fn note_place(&mut self, place: &Folder) -> Result<()> {
        let path = self.system_path(&place.path);
        match self.engine.disk.stat(&path) {
            Ok(stat) => self.moving.places.push((path, stat.mtime_ns)),
            Err(error) if is_absent(&error) => self.moving.is_gone = true,
            Err(error) => return Err(Error::io(error, "stat").path(&path)),
        }
        Ok(())
    }

    /// Keeps the keys whose files are there: own items where the walk does not go, links that lead
    /// to a file, files on the move that hold a value. Says whether all were there.
    fn look_at(&mut self, files: Vec<(String, PathBuf)>, is_own: bool) -> Result<bool> {
        let mut all_there = true;
        for (key, path) in files {
            let stat = match self.engine.disk.stat(&path) {
                Ok(stat) => stat,
                Err(error) if is_absent(&error) => {
                    all_there = false;
                    continue;
                }
                // A chain of links that leads nowhere.
                Err(error) if code_of(&error) == "ELOOP" => continue,
                Err(error) => return Err(Error::io(error, "stat").path(&path).key(&key)),
            };
            if stat.kind == Kind::File && (is_own || !self.engine.is_placeholder(&path, &stat)?) {
                self.keys.push(&key);
            }
        }
        Ok(all_there)
    }
}
