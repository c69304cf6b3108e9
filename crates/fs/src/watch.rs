//! Changes of the tree, own and external, as events of keys.
//!
//! The system's notices become [`signal`]s; the [`tracker`] turns them into events, on data alone.
//! Here are the thread that waits for them and the watches themselves.

mod notify_adapter;
mod tracker;

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use self::notify_adapter::Signal;
use self::tracker::{ECHO_MS, Entry, Tracker, Tree};
use super::changes::{Change, Changes, FileIdentity, Own};
use super::disk::{Disk, Kind as FileKind};
use super::engine::Engine;
use super::options::WatchOptions;
use super::path::{MOVED, SELF};
use eas_core::error::{Error, Kind, Result};
use eas_core::store::{Prepared, SharedSink};

/// Where the system watches single folders, each gets its own watch: one that is set before a folder
/// is listed misses nothing, and ignored trees cost nothing. Elsewhere the system watches whole trees.
const EACH_FOLDER: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Whether the watch of a folder says nothing when the folder itself gets another name, and follows it
/// there. The folder above is watched as well then.
const FOLLOWS_A_MOVE: bool = cfg!(windows);

/// How long after a failure a folder is watched anew, in ms: doubling from the first to the longest.
const RETRY_MS: u64 = 500;
const LONGEST_RETRY_MS: u64 = 64 * RETRY_MS;

enum Message {
    Notice(notify::Result<notify::Event>),
    Own(Change),
    Stop,
}

/// Ends the watch when it is dropped.
struct Guard(Sender<Message>);

impl Drop for Guard {
    fn drop(&mut self) {
        // The thread may have ended by itself.
        let _ = self.0.send(Message::Stop);
    }
}

/// Prepares a watch: it hears of the store's own changes from now on, and sees every change from when what
/// this gives has returned. That fails as the system does, for example when it has no more watches to give
/// (`ENOSPC`).
pub(super) fn prepare<D: Disk>(
    store: Arc<Engine<D>>,
    options: WatchOptions,
    sink: SharedSink,
) -> Prepared {
    let (messages, inbox) = channel();
    // Before anything is looked at: another watch of the store may have it tell of its changes already, and
    // the notices of those are no news to a watch.
    let changes = store.changes.clone();
    let own = messages.clone();
    let (listening, last) = changes.listen(Arc::new(move |change| {
        // After the end of the watch nobody listens.
        let _ = own.send(Message::Own(change));
    }));
    let start = move || {
        let (started, outcome) = channel();
        let guard = Guard(messages.clone());
        let thread = std::thread::Builder::new().name("eas-watch".to_owned());
        let spawned = thread.spawn(move || {
            let _listening = listening;
            match Watch::start(store, options, sink, messages, last) {
                Ok(watch) => {
                    // The caller waits for this.
                    let _ = started.send(Ok(()));
                    watch.run(&inbox);
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        });
        spawned.map_err(|error| Error::io(error, "start a thread"))?;
        outcome.recv().unwrap_or_else(|_| {
            Err(Error::new(
                Kind::Panic,
                "the watch ended while it was starting",
            ))
        })?;
        Ok(Box::new(guard) as Box<dyn Any + Send>)
    };
    Prepared {
        start: Box::new(start),
        hears: Box::new(move |key| changes.of(key).is_some_and(|own| own.last > last)),
    }
}

struct Watch<D: Disk> {
    folders: Folders<D>,
    tracker: Tracker,
    sink: SharedSink,
    start: Instant,
    /// When to try again what failed.
    retry_ms: Option<u64>,
    /// How long after the next failure that is.
    pause_ms: u64,
    /// When to forget old changes of the store's own.
    forget_ms: u64,
    /// Whether the base itself is watched; if not, the nearest folder above it is.
    is_armed: bool,
    /// What the store's own changes up to this one left is among what was reported at the start.
    reported: u64,
}

/// The tree, and the watches on it.
struct Folders<D: Disk> {
    store: Arc<Engine<D>>,
    options: WatchOptions,
    watcher: RecommendedWatcher,
    /// The base as the system reports it, which may be another name of it.
    real_base: PathBuf,
    /// The folder above the base that is watched for its appearance.
    outer: Option<PathBuf>,
    failure: Option<Error>,
}

impl<D: Disk> Watch<D> {
    fn start(
        store: Arc<Engine<D>>,
        options: WatchOptions,
        sink: SharedSink,
        messages: Sender<Message>,
        heard: u64,
    ) -> Result<Self> {
        let watcher = notify::recommended_watcher(move |notice| {
            // After the end of the watch nobody listens.
            let _ = messages.send(Message::Notice(notice));
        })
        .map_err(watch_error)?;
        let real_base = store.base().to_path_buf();
        let folders = Folders {
            store,
            options,
            watcher,
            real_base,
            outer: None,
            failure: None,
        };
        let mut watch = Watch {
            folders,
            tracker: Tracker::default(),
            sink,
            start: Instant::now(),
            retry_ms: None,
            pause_ms: RETRY_MS,
            forget_ms: 0,
            is_armed: false,
            reported: 0,
        };
        watch.tracker.heard(heard);
        watch.arm(options.ignore_initial)?;
        watch.tracker.run();
        if !options.ignore_initial {
            watch.reported = watch.folders.changes().last();
        }
        Ok(watch)
    }

    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let deadline_ms = self
                .tracker
                .next_deadline_ms()
                .into_iter()
                .chain(self.retry_ms)
                .min();
            let message = match deadline_ms {
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(deadline_ms) => {
                    let wait = deadline_ms.saturating_sub(self.now_ms());
                    inbox.recv_timeout(Duration::from_millis(wait))
                }
            };
            match message {
                Ok(Message::Notice(notice)) => self.notice(notice),
                Ok(Message::Own(change)) => self.own(change),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            let now_ms = self.now_ms();
            if self.retry_ms.is_some_and(|retry_ms| retry_ms <= now_ms) {
                self.retry();
            }
            let mut events = Vec::new();
            self.tracker.settle(&mut self.folders, now_ms, &mut events);
            self.report(events);
            if self.folders.failure.take().is_some() && self.retry_ms.is_none() {
                self.retry_ms = Some(now_ms + self.pause_ms);
                self.pause_ms = (2 * self.pause_ms).min(LONGEST_RETRY_MS);
            }
            if self.forget_ms <= now_ms {
                self.folders.changes().forget_old();
                self.forget_ms = now_ms + ECHO_MS;
            }
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn report(&self, events: Vec<eas_core::driver::Event>) {
        for event in events {
            (self.sink)(event);
        }
    }

    /// Watches the base, or what is nearest to it until it appears.
    fn arm(&mut self, is_silent: bool) -> Result<()> {
        // Until a folder above stays the same for one look at the one below it.
        loop {
            if self.folders.is_folder(self.folders.store.base()) {
                self.folders.leave_outer();
                self.folders.watch_base()?;
                if FOLLOWS_A_MOVE {
                    self.folders.watch_name_of_base();
                }
                self.is_armed = true;
                let now_ms = self.now_ms();
                let mut events = Vec::new();
                self.tracker
                    .appeared(&mut self.folders, "", now_ms, &mut events);
                if let Some(failure) = self.folders.failure.take() {
                    return Err(failure);
                }
                if !is_silent {
                    self.report(events);
                }
                return Ok(());
            }
            if self.folders.watch_outer()? {
                return Ok(());
            }
        }
    }

    fn own(&mut self, change: Change) {
        if !self.is_armed {
            self.arm_again();
        }
        if change.number <= self.reported && self.tracker.knows(&self.folders, &change) {
            self.tracker.heard(change.number);
            return;
        }
        let now_ms = self.now_ms();
        let mut events = Vec::new();
        self.tracker.own(&self.folders, change, now_ms, &mut events);
        self.report(events);
    }

    fn notice(&mut self, notice: notify::Result<notify::Event>) {
        if !self.is_armed {
            self.arm_again();
            return;
        }
        let signals = match notice {
            Ok(event) => notify_adapter::signals(event),
            // Notices may be missing: look for what changed.
            Err(_) => vec![Signal::Rescan],
        };
        let mut events = Vec::new();
        for signal in signals {
            self.signal(signal, &mut events);
        }
        self.report(events);
        if !self.is_armed {
            self.arm_again();
        }
    }

    /// Watches what can be watched; what cannot be now is tried again.
    fn arm_again(&mut self) {
        self.retry_ms = None;
        if self.arm(false).is_err() {
            self.retry_ms = Some(self.now_ms() + RETRY_MS);
        }
    }

    /// Tries again what failed. What is in a folder that could not be watched or listed is not known.
    fn retry(&mut self) {
        if !self.is_armed {
            return self.arm_again();
        }
        self.retry_ms = None;
        let now_ms = self.now_ms();
        let mut events = Vec::new();
        self.tracker.rescan(&mut self.folders, now_ms, &mut events);
        self.report(events);
        if self.folders.failure.is_none() {
            self.pause_ms = RETRY_MS;
        }
    }

    fn signal(&mut self, signal: Signal, events: &mut Vec<eas_core::driver::Event>) {
        let now_ms = self.now_ms();
        let (tracker, folders) = (&mut self.tracker, &mut self.folders);
        match signal {
            Signal::Rescan => tracker.rescan(folders, now_ms, events),
            Signal::Gone(path) | Signal::MovedAway(path) if folders.is_base(&path) => {
                // Where each folder is watched, what has that name by now is another folder.
                if EACH_FOLDER || !folders.is_folder(folders.store.base()) {
                    tracker.gone_all(folders, now_ms, events);
                    self.is_armed = false;
                    if FOLLOWS_A_MOVE {
                        folders.leave("");
                    }
                }
            }
            // The folder above tells of each change in the base.
            signal if FOLLOWS_A_MOVE && folders.is_base(signal.path()) => {}
            signal => {
                let Some(path) = folders.relative(signal.path()) else {
                    return;
                };
                match signal {
                    Signal::Written(_) => tracker.written(folders, &path, now_ms, events),
                    Signal::Made(_) => tracker.made(folders, &path, now_ms, events),
                    Signal::Closed(_) => tracker.closed(folders, &path, now_ms, events),
                    Signal::Touched(_) => tracker.touched(folders, &path, now_ms, events),
                    Signal::MovedAway(_) => tracker.moved_away(folders, &path, now_ms, events),
                    Signal::Gone(_) => tracker.gone(folders, &path, now_ms, events),
                    Signal::Rescan => {}
                }
            }
        }
    }
}

impl<D: Disk> Folders<D> {
    fn changes(&self) -> &Arc<Changes> {
        &self.store.changes
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.store
            .disk
            .stat(path)
            .is_ok_and(|stat| stat.kind == FileKind::Folder)
    }

    fn is_base(&self, path: &Path) -> bool {
        path == self.store.base() || path == self.real_base
    }

    fn relative(&self, path: &Path) -> Option<String> {
        if let Some(relative) = self.store.relative(path) {
            return Some(relative);
        }
        let below = path.strip_prefix(&self.real_base).ok()?;
        self.store.relative(&self.store.base().join(below))
    }

    fn watch_base(&mut self) -> Result<()> {
        let base = self.store.base().to_path_buf();
        self.real_base = std::fs::canonicalize(&base).unwrap_or_else(|_| base.clone());
        let mode = if EACH_FOLDER {
            RecursiveMode::NonRecursive
        } else {
            RecursiveMode::Recursive
        };
        self.watcher.watch(&base, mode).map_err(watch_error)
    }

    /// Without it, a base that is moved away is found missing at its next change only.
    fn watch_name_of_base(&mut self) {
        let above = self.store.base().parent().map(Path::to_path_buf);
        if let Some(above) = above
            && self
                .watcher
                .watch(&above, RecursiveMode::NonRecursive)
                .is_ok()
        {
            self.outer = Some(above);
        }
    }

    /// Watches the nearest folder above the base; says whether the base was still missing then.
    fn watch_outer(&mut self) -> Result<bool> {
        self.leave_outer();
        let base = self.store.base().to_path_buf();
        let outer = base.ancestors().skip(1).find(|outer| self.is_folder(outer));
        let Some(outer) = outer else { return Ok(true) };
        if let Err(error) = self.watcher.watch(outer, RecursiveMode::NonRecursive) {
            // It went in the meantime: the next one above it will do.
            return if self.is_folder(outer) {
                Err(watch_error(error))
            } else {
                Ok(false)
            };
        }
        let next = base.ancestors().take_while(|path| *path != outer).last();
        self.outer = Some(outer.to_path_buf());
        Ok(!next.is_some_and(|next| self.is_folder(next)))
    }

    fn leave_outer(&mut self) {
        if let Some(outer) = self.outer.take() {
            // It may have gone itself.
            let _ = self.watcher.unwatch(&outer);
        }
    }

    fn absolute(&self, path: &str) -> PathBuf {
        if path.is_empty() {
            self.store.base().to_path_buf()
        } else {
            self.store.base().join(path)
        }
    }

    fn note_failure(&mut self, error: Error) {
        let is_permission = matches!(error.kind(), Kind::System("EACCES" | "EPERM"));
        if !(is_permission && self.options.ignore_permission_errors) {
            self.failure.get_or_insert(error);
        }
    }
}

impl<D: Disk> Tree for Folders<D> {
    fn key_of(&self, path: &str) -> Option<String> {
        if is_transit(path) {
            return None;
        }
        self.store.key_of_path(&self.absolute(path))
    }

    fn is_ignored(&self, path: &str) -> bool {
        is_transit(path) || self.store.is_ignored(path)
    }

    fn holder(&self, key: &str) -> Option<FileIdentity> {
        self.store
            .stat_of(key)
            .map(|stat| FileIdentity::from(&stat))
    }

    fn places_of(&self, key: &str) -> [String; 2] {
        let path = self.store.relative_path(key);
        let inside = format!("{path}/{SELF}");
        [path, inside]
    }

    fn own(&self, key: &str) -> Option<Own> {
        self.changes().of(key)
    }

    fn is_own(&self, key: &str, identity: FileIdentity) -> bool {
        self.changes().wrote(key, identity)
    }

    fn look(&self, path: &str) -> Option<Entry> {
        let stat = self.store.disk.stat(&self.absolute(path)).ok()?;
        match stat.kind {
            FileKind::Folder => {
                // A link to a folder is no part of the tree.
                let link = self.store.disk.stat_link(&self.absolute(path)).ok()?;
                Some(if link.kind == FileKind::Folder {
                    Entry::Folder
                } else {
                    Entry::Other
                })
            }
            FileKind::File => Some(Entry::File(FileIdentity::from(&stat))),
            FileKind::Link | FileKind::Other => Some(Entry::Other),
        }
    }

    fn enter(&mut self, path: &str) -> Vec<(String, bool)> {
        let folder = self.absolute(path);
        if EACH_FOLDER
            && !path.is_empty()
            && let Err(error) = self.watcher.watch(&folder, RecursiveMode::NonRecursive)
        {
            if folder.exists() {
                self.note_failure(watch_error(error));
            }
            return Vec::new();
        }
        let mut names = Vec::new();
        let listed = self
            .store
            .disk
            .list(self.store.base(), &folder, &mut |name, kind| {
                if let Some(name) = name.to_str() {
                    names.push((name.to_owned(), kind == FileKind::Folder));
                }
            });
        if let Err(error) = listed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            self.note_failure(Error::io(error, "scandir").path(&folder));
        }
        names
    }

    fn leave(&mut self, path: &str) {
        if EACH_FOLDER || path.is_empty() {
            // The system takes the watch of a folder that is gone away by itself.
            let _ = self.watcher.unwatch(&self.absolute(path));
        }
    }
}

/// Whether the path is a place for files on the move, which are reported where they arrive.
fn is_transit(path: &str) -> bool {
    path.split('/').any(|name| name == MOVED)
}

fn watch_error(error: notify::Error) -> Error {
    match error.kind {
        notify::ErrorKind::Io(source) => {
            let failed = Error::io(source, "watch");
            match error.paths.first() {
                Some(path) => failed.path(path),
                None => failed,
            }
        }
        notify::ErrorKind::MaxFilesWatch => Error::new(
            Kind::System("ENOSPC"),
            "ENOSPC: the system has no more file watches to give; raise its limit \
             (on Linux fs.inotify.max_user_watches) or ignore folders with the option `ignore`",
        ),
        notify::ErrorKind::PathNotFound => Error::new(
            Kind::System("ENOENT"),
            "ENOENT: the folder to watch is gone",
        ),
        _ => Error::new(
            Kind::System("EIO"),
            format!("the system cannot watch the folder: {error}"),
        ),
    }
}
