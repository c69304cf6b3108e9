//! A file system in memory that can lose power.
//!
//! Only what was fsynced is sure to be there afterwards. Names come and go by a log of changes;
//! fsync of a folder makes the changes that touch it durable, and any other may be lost on its own,
//! later ones kept, except that a folder is not gone before what was in it. A rename is one change,
//! also between folders. The content of a file that was not fsynced may be lost from any point on.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use eas_core::error::io_from_code;
use eas_fs::disk::{Access, Disk, KeyLocksNow, Kind, Stat};

type Inode = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(Inode),
}

#[derive(Debug, Clone)]
enum Change {
    Create(PathBuf, Inode),
    Folder(PathBuf),
    Remove(PathBuf),
    RemoveFolder(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
}

impl Change {
    fn touches(&self, folder: &Path) -> bool {
        let within = |path: &Path| path.parent() == Some(folder);
        match self {
            Change::Create(path, _)
            | Change::Folder(path)
            | Change::Remove(path)
            | Change::RemoveFolder(path) => within(path),
            Change::Rename(from, to) => within(from) || within(to),
            Change::Link(_, to) => within(to),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    mtime_ns: i128,
}

#[derive(Debug, Clone)]
struct State {
    names: BTreeMap<PathBuf, Node>,
    /// The names at the start of the log.
    start: BTreeMap<PathBuf, Node>,
    contents: Vec<Content>,
    log: Vec<(Change, bool)>,
    clock: i128,
    calls: usize,
    calls_left: Option<usize>,
    is_off: bool,
    syncs_at_once: bool,
    folds: bool,
    tells_real_paths: bool,
    refuses_names: bool,
    synced_at_once: Vec<BTreeSet<PathBuf>>,
    /// Whether the file of the locks says that there may be groups. No loss of power keeps it.
    is_marked: bool,
}

/// What somebody else does between two calls.
type Deed = Box<dyn FnOnce() + Send>;

/// How long a lock is waited for at most: a test that holds one means that it is held for good.
const MODEL_PATIENCE: Duration = Duration::from_millis(200);

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct ModelDisk {
    state: Arc<Mutex<State>>,
    meanwhile: Arc<Mutex<Option<(usize, Deed)>>>,
    locks: Arc<Mutex<BTreeMap<PathBuf, Weak<()>>>>,
}

/// A file that is being written.
pub(crate) struct Draft(Inode);

/// What of the changes that are not durable survives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Survives {
    Nothing,
    Everything,
    Some(u64),
}

/// A generator of numbers, good enough to pick what is lost.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn error<T>(kind: ErrorKind) -> io::Result<T> {
    Err(kind.into())
}

impl State {
    fn apply(names: &mut BTreeMap<PathBuf, Node>, change: &Change) -> io::Result<()> {
        match change {
            Change::Create(path, inode) => {
                Self::check_new(names, path)?;
                names.insert(path.clone(), Node::File(*inode));
            }
            Change::Folder(path) => {
                Self::check_new(names, path)?;
                names.insert(path.clone(), Node::Folder);
            }
            Change::Remove(path) => match Self::look(names, path)? {
                Node::Folder => return error(ErrorKind::IsADirectory),
                Node::File(_) => drop(names.remove(path)),
            },
            Change::RemoveFolder(path) => {
                if Self::look(names, path)? != Node::Folder {
                    return error(ErrorKind::NotADirectory);
                }
                if names.keys().any(|other| other.parent() == Some(path)) {
                    return error(ErrorKind::DirectoryNotEmpty);
                }
                names.remove(path);
            }
            Change::Rename(from, to) => {
                let node = Self::look(names, from)?;
                Self::check_folder(names, to)?;
                match (node, names.get(to)) {
                    (Node::File(_), Some(Node::Folder)) => return error(ErrorKind::IsADirectory),
                    (Node::Folder, Some(Node::File(_))) => return error(ErrorKind::NotADirectory),
                    (Node::Folder, _) => panic!("the engine renames no folder: {from:?}"),
                    _ => {}
                }
                names.remove(from);
                names.insert(to.clone(), node);
            }
            Change::Link(from, to) => match Self::look(names, from)? {
                Node::Folder => return Err(io_from_code("EPERM")),
                node => {
                    Self::check_new(names, to)?;
                    names.insert(to.clone(), node);
                }
            },
        }
        Ok(())
    }

    fn look(names: &BTreeMap<PathBuf, Node>, path: &Path) -> io::Result<Node> {
        Self::check_folder(names, path)?;
        names
            .get(path)
            .copied()
            .ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// A missing folder counts as a file only if one of those above it is a file.
    fn check_folder(names: &BTreeMap<PathBuf, Node>, path: &Path) -> io::Result<()> {
        let Some(folder) = path.parent() else {
            return Ok(());
        };
        match names.get(folder) {
            Some(Node::Folder) => Ok(()),
            Some(Node::File(_)) => error(ErrorKind::NotADirectory),
            None => Self::check_folder(names, folder).and_then(|()| error(ErrorKind::NotFound)),
        }
    }

    fn check_new(names: &BTreeMap<PathBuf, Node>, path: &Path) -> io::Result<()> {
        match Self::look(names, path) {
            Ok(_) => error(ErrorKind::AlreadyExists),
            Err(missing) if missing.kind() == ErrorKind::NotFound => {
                Self::check_folder(names, path)
            }
            Err(other) => Err(other),
        }
    }

    /// The path as it is stored, as far as it is there.
    fn stored(&self, path: &Path) -> PathBuf {
        if !self.folds || self.names.contains_key(path) {
            return path.to_owned();
        }
        let Some((folder, name)) = path.parent().zip(path.file_name()) else {
            return path.to_owned();
        };
        let asked = self.stored(folder).join(name);
        let fold = |path: &Path| {
            let text = path.to_str().unwrap().to_lowercase();
            text.replace("e\u{301}", "\u{e9}")
        };
        let folded = fold(&asked);
        let found = self.names.keys().find(|name| fold(name) == folded);
        found.cloned().unwrap_or(asked)
    }

    fn check_name(&self, path: &Path) -> io::Result<()> {
        if self.refuses_names && path.to_str().unwrap().contains('<') {
            return error(ErrorKind::InvalidFilename);
        }
        Ok(())
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        match &change {
            Change::Create(path, _)
            | Change::Folder(path)
            | Change::Remove(path)
            | Change::RemoveFolder(path)
            | Change::Rename(_, path)
            | Change::Link(_, path) => self.check_name(path)?,
        }
        let change = match change {
            Change::Create(path, inode) => Change::Create(self.stored(&path), inode),
            Change::Folder(path) => Change::Folder(self.stored(&path)),
            Change::Remove(path) => Change::Remove(self.stored(&path)),
            Change::RemoveFolder(path) => Change::RemoveFolder(self.stored(&path)),
            Change::Rename(from, to) => Change::Rename(self.stored(&from), self.stored(&to)),
            Change::Link(from, to) => Change::Link(self.stored(&from), self.stored(&to)),
        };
        Self::apply(&mut self.names, &change)?;
        self.log.push((change, false));
        Ok(())
    }

    /// A folder is not durably gone before everything in it is.
    fn make_durable(&mut self, folder: &Path) {
        let mut gone = vec![(folder.to_owned(), self.log.len())];
        while let Some((folder, end)) = gone.pop() {
            for (index, (change, durable)) in self.log[..end].iter_mut().enumerate() {
                if !*durable && change.touches(&folder) {
                    *durable = true;
                    if let Change::RemoveFolder(path) = change {
                        gone.push((path.clone(), index));
                    }
                }
            }
        }
    }

    fn inode(&self, path: &Path) -> io::Result<Inode> {
        self.check_name(path)?;
        match Self::look(&self.names, &self.stored(path))? {
            Node::Folder => error(ErrorKind::IsADirectory),
            Node::File(inode) => Ok(inode),
        }
    }

    fn stat_of(&self, node: Node) -> Stat {
        let (kind, size, mtime_ns) = match node {
            Node::Folder => (Kind::Folder, 0, 0),
            Node::File(inode) => {
                let content = &self.contents[inode];
                (Kind::File, content.bytes.len() as u64, content.mtime_ns)
            }
        };
        let time = Some(mtime_ns);
        Stat {
            kind,
            number: None,
            size,
            mode: None,
            owner: None,
            atime_ns: time,
            mtime_ns: time,
            ctime_ns: time,
            birthtime_ns: time,
        }
    }

    fn put(&mut self, inode: Inode, bytes: &[u8]) {
        self.clock += 1_000_000;
        let content = &mut self.contents[inode];
        content.bytes.extend_from_slice(bytes);
        content.mtime_ns = self.clock;
    }
}

impl ModelDisk {
    /// An empty disk with this folder on it.
    pub(crate) fn new(folder: &Path) -> Self {
        let names: BTreeMap<_, _> = folder
            .ancestors()
            .map(|folder| (folder.to_owned(), Node::Folder))
            .collect();
        Self::of(State {
            start: names.clone(),
            names,
            contents: Vec::new(),
            log: Vec::new(),
            clock: 0,
            calls: 0,
            calls_left: None,
            is_off: false,
            syncs_at_once: false,
            folds: false,
            tells_real_paths: false,
            refuses_names: false,
            synced_at_once: Vec::new(),
            is_marked: false,
        })
    }

    fn of(state: State) -> Self {
        ModelDisk {
            state: Arc::new(Mutex::new(state)),
            meanwhile: Arc::default(),
            locks: Arc::default(),
        }
    }

    /// Loses power after that many calls more. The call in which it does has no effect.
    pub(crate) fn lose_power_after(&self, calls: usize) {
        self.state.lock().unwrap().calls_left = Some(calls);
    }

    /// Takes what looked like a loss of power for a kill: what was written is there for the next process.
    pub(crate) fn power_stays(&self) {
        let mut state = self.state.lock().unwrap();
        state.calls_left = None;
        state.is_off = false;
    }

    /// Does something before the call that comes after that many calls more.
    pub(crate) fn meanwhile(&self, calls: usize, deed: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some((calls, Box::new(deed)));
    }

    /// Whether what [`meanwhile`](Self::meanwhile) was given is still to be done; it is forgotten.
    pub(crate) fn forget_meanwhile(&self) -> bool {
        self.meanwhile.lock().unwrap().take().is_some()
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    /// The disk, able to sync all of itself in one call.
    pub(crate) fn that_syncs_at_once(self) -> Self {
        self.state.lock().unwrap().syncs_at_once = true;
        self
    }

    /// The disk, not distinguishing case or the forms of an `é`.
    pub(crate) fn that_folds(self) -> Self {
        self.state.lock().unwrap().folds = true;
        self
    }

    /// The disk, able to tell the path as it is stored in one call.
    pub(crate) fn that_tells_real_paths(self) -> Self {
        self.state.lock().unwrap().tells_real_paths = true;
        self
    }

    /// The disk, unable to have a name with a `<` in it.
    pub(crate) fn that_refuses_names(self) -> Self {
        self.state.lock().unwrap().refuses_names = true;
        self
    }

    /// The names of each call that synced all of it.
    pub(crate) fn synced_at_once(&self) -> Vec<BTreeSet<PathBuf>> {
        self.state.lock().unwrap().synced_at_once.clone()
    }

    /// The disk as it is found when power is back.
    pub(crate) fn after_power_loss(&self, survives: Survives) -> Self {
        let state = self.state.lock().unwrap();
        let mut dice = Dice(match survives {
            Survives::Some(seed) => seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            _ => 0,
        });
        let mut names = state.start.clone();
        for (change, durable) in &state.log {
            let kept = match survives {
                Survives::Nothing => *durable,
                Survives::Everything => true,
                Survives::Some(_) => *durable || dice.roll(2) == 0,
            };
            if kept {
                // A change that relies on one that was lost is lost with it.
                let _ = State::apply(&mut names, change);
            }
        }
        let mut contents = state.contents.clone();
        for content in &mut contents {
            if content.bytes != content.durable {
                let least = if content.bytes.starts_with(&content.durable) {
                    content.durable.len()
                } else {
                    0
                };
                let length = match survives {
                    Survives::Nothing => least,
                    Survives::Everything => content.bytes.len(),
                    Survives::Some(_) => {
                        least + dice.roll((content.bytes.len() - least) as u64 + 1) as usize
                    }
                };
                content.bytes.truncate(length);
            }
            content.durable.clone_from(&content.bytes);
        }
        Self::of(State {
            start: names.clone(),
            names,
            contents,
            log: Vec::new(),
            clock: state.clock,
            calls: 0,
            calls_left: None,
            is_off: false,
            syncs_at_once: false,
            folds: false,
            tells_real_paths: false,
            refuses_names: false,
            synced_at_once: Vec::new(),
            is_marked: false,
        })
    }

    fn is_marked(&self) -> bool {
        self.state.lock().unwrap().is_marked
    }

    fn is_locked(&self, folder: &Path) -> bool {
        let locks = self.locks.lock().unwrap();
        locks
            .get(folder)
            .is_some_and(|lock| lock.strong_count() > 0)
    }

    fn call(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut meanwhile = self.meanwhile.lock().unwrap();
        let due = meanwhile.take_if(|(calls, _)| *calls == 0);
        if let Some((calls, _)) = &mut *meanwhile {
            *calls -= 1;
        }
        drop(meanwhile);
        if let Some((_, deed)) = due {
            deed();
        }
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        match &mut state.calls_left {
            Some(0) => state.is_off = true,
            Some(calls) => *calls -= 1,
            None => {}
        }
        if state.is_off {
            Err(io_from_code("EIO"))
        } else {
            Ok(state)
        }
    }
}

impl Disk for ModelDisk {
    type Draft = Draft;
    type Lock = Arc<()>;
    type KeyLocks = ();
    type KeyLock = ();
    type GroupMark = ();

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.call()?;
        let inode = state.inode(path)?;
        Ok(state.contents[inode].bytes.clone())
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        let bytes = self.read(path)?;
        let offset = bytes.len().min(usize::try_from(offset).unwrap());
        Ok(bytes[offset..].to_vec())
    }

    fn read_with_stat(&self, path: &Path, most: u64) -> io::Result<(Stat, Vec<u8>)> {
        let stat = self.stat(path)?;
        let mut bytes = self.read(path)?;
        bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok((stat, bytes))
    }

    fn is_empty(&self, folder: &Path) -> io::Result<bool> {
        let mut is_empty = true;
        self.list(folder, folder, &mut |_, _| is_empty = false)?;
        Ok(is_empty)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let state = self.call()?;
        state.check_name(path)?;
        State::look(&state.names, &state.stored(path)).map(|node| state.stat_of(node))
    }

    fn stat_link(&self, path: &Path) -> io::Result<Stat> {
        self.stat(path)
    }

    fn folds_names(&self, folder: &Path) -> io::Result<bool> {
        let state = self.state.lock().unwrap();
        State::look(&state.names, folder).map(|_| state.folds)
    }

    fn real_path(&self, _base: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
        let state = self.call()?;
        state.check_name(path)?;
        let stored = state.stored(path);
        State::look(&state.names, &stored)?;
        Ok(state.tells_real_paths.then_some(stored))
    }

    fn stored_name(&self, path: &Path) -> io::Result<OsString> {
        let state = self.call()?;
        state.check_name(path)?;
        let stored = state.stored(path);
        State::look(&state.names, &stored)?;
        Ok(stored.file_name().unwrap_or_default().to_owned())
    }

    fn read_link(&self, _path: &Path) -> io::Result<PathBuf> {
        error(ErrorKind::InvalidInput)
    }

    fn list(
        &self,
        _base: &Path,
        folder: &Path,
        entry: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        let state = self.call()?;
        let folder = &*state.stored(folder);
        if State::look(&state.names, folder)? != Node::Folder {
            return error(ErrorKind::NotADirectory);
        }
        for (path, node) in state
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(folder))
        {
            entry(path.file_name().unwrap(), state.stat_of(*node).kind);
        }
        Ok(())
    }

    fn create(&self, path: &Path, _access: Access<'_>) -> io::Result<Draft> {
        let mut state = self.call()?;
        let inode = state.contents.len();
        state.change(Change::Create(path.to_owned(), inode))?;
        state.contents.push(Content::default());
        Ok(Draft(inode))
    }

    fn write(&self, draft: &mut Draft, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(7);
        self.call()?.put(draft.0, &bytes[..length]);
        Ok(length)
    }

    fn sync(&self, draft: &mut Draft) -> io::Result<()> {
        let mut state = self.call()?;
        let content = &mut state.contents[draft.0];
        content.durable.clone_from(&content.bytes);
        Ok(())
    }

    fn settle_draft(&self, draft: &mut Draft, _access: Access<'_>) -> io::Result<Stat> {
        Ok(self.call()?.stat_of(Node::File(draft.0)))
    }

    fn persist(&self, _draft: Draft, from: &Path, to: &Path) -> io::Result<()> {
        self.rename(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?
            .change(Change::Rename(from.to_owned(), to.to_owned()))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?
            .change(Change::Link(from.to_owned(), to.to_owned()))
    }

    fn append(&self, path: &Path, bytes: &[u8], _mode: u32) -> io::Result<()> {
        let mut state = self.call()?;
        if matches!(State::look(&state.names, path), Err(missing) if missing.kind() == ErrorKind::NotFound)
        {
            let inode = state.contents.len();
            state.change(Change::Create(path.to_owned(), inode))?;
            state.contents.push(Content::default());
        }
        let inode = state.inode(path)?;
        state.put(inode, bytes);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call()?.change(Change::Remove(path.to_owned()))
    }

    fn remove_file_below(&self, _base: &Path, path: &Path) -> io::Result<()> {
        self.remove_file(path)
    }

    fn remove_folder(&self, _base: &Path, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        if self.is_locked(&state.stored(path)) {
            return error(ErrorKind::ResourceBusy);
        }
        state.change(Change::RemoveFolder(path.to_owned()))
    }

    fn create_folder(&self, path: &Path, _mode: u32) -> io::Result<()> {
        self.call()?.change(Change::Folder(path.to_owned()))
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let inode = state.inode(path)?;
        let content = &mut state.contents[inode];
        content.durable.clone_from(&content.bytes);
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let path = &*state.stored(path);
        if State::look(&state.names, path)? != Node::Folder {
            return error(ErrorKind::NotADirectory);
        }
        state.make_durable(path);
        Ok(())
    }

    fn sync_file_systems(&self, names: &mut dyn Iterator<Item = &Path>) -> bool {
        let Ok(mut state) = self.call() else {
            return false;
        };
        let names: BTreeSet<_> = names.map(Path::to_owned).collect();
        if !state.syncs_at_once || names.is_empty() {
            return false;
        }
        for content in &mut state.contents {
            content.durable.clone_from(&content.bytes);
        }
        for (_, durable) in &mut state.log {
            *durable = true;
        }
        state.synced_at_once.push(names);
        true
    }

    fn remove_abandoned(&self, _base: &Path, path: &Path) -> io::Result<bool> {
        self.remove_file(path).map(|()| true)
    }

    /// Nobody is waited for: whoever holds the lock does not move on meanwhile.
    fn lock(&self, folder: &Path, patience: Duration) -> io::Result<Option<Arc<()>>> {
        let start = Instant::now();
        let stored = {
            let state = self.call()?;
            let stored = state.stored(folder);
            State::look(&state.names, &stored)?;
            stored
        };
        loop {
            let mut locks = self.locks.lock().unwrap();
            let is_free = locks
                .get(&stored)
                .is_none_or(|held| held.strong_count() == 0);
            if is_free {
                let lock = Arc::new(());
                locks.insert(stored, Arc::downgrade(&lock));
                return Ok(Some(lock));
            }
            drop(locks);
            // Other threads of a test let go soon.
            if start.elapsed() >= patience.min(MODEL_PATIENCE) {
                return error(ErrorKind::ResourceBusy);
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    fn wait_for_lock(&self, _file: &Path, _mode: u32) -> io::Result<Option<Arc<()>>> {
        self.call().map(|_| Some(Arc::new(())))
    }

    fn open_key_locks(&self, file: &Path, _mode: u32) -> io::Result<()> {
        let mut state = self.call()?;
        if state.inode(file).is_ok() {
            return Ok(());
        }
        let inode = state.contents.len();
        state.change(Change::Create(file.to_owned(), inode))?;
        state.contents.push(Content::default());
        Ok(())
    }

    fn look_at_key_locks(&self, _locks: &(), file: &Path) -> KeyLocksNow {
        match self.call().and_then(|state| state.inode(file)) {
            Ok(_) if self.is_marked() => KeyLocksNow::MayHaveGroups,
            Ok(_) => KeyLocksNow::Quiet,
            Err(_) => KeyLocksNow::Gone,
        }
    }

    fn may_have_groups(&self, _file: &Path) -> bool {
        self.is_marked()
    }

    fn mark_group(&self, _locks: &(), _file: &Path) -> io::Result<Option<()>> {
        self.call()?.is_marked = true;
        Ok(Some(()))
    }

    fn unmark_groups(&self, _file: &Path, is_over: &mut dyn FnMut() -> bool) -> io::Result<()> {
        if is_over() {
            self.call()?.is_marked = false;
        }
        Ok(())
    }

    fn key_slot(&self, hash: u64) -> u64 {
        hash
    }

    fn try_lock_key(&self, _locks: &Arc<()>, _slot: u64) -> io::Result<Option<()>> {
        self.call().map(|_| Some(()))
    }
}
