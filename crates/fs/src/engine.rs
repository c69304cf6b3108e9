//! A store on its disk: its state, and where things are.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use super::changes::Changes;
use super::disk::{Disk, Stat};
use super::durability::{Background, Durability};
use super::expiry_index::ExpiryIndex;
use super::held::KeyLocks;
use super::locks::Locks;
use super::marks::Marks;
use super::moves::Moves;
use super::options::FsOptions;
use super::path;
use super::place::Place;
use super::seen::Seen;
use super::unfinished::Unfinished;
use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::{Clock, lock};
use eas_core::store::StoreInfo;
use eas_core::value::{Text, Value};

/// How often a step that another process undid meanwhile is tried again.
pub(super) const ATTEMPTS: usize = 100;

/// A store on its disk.
pub(super) struct Engine<D: Disk> {
    pub(super) name: &'static str,
    pub(super) info: StoreInfo,
    pub(super) options: FsOptions,
    pub(super) disk: Arc<D>,
    pub(super) clock: Clock,
    pub(super) background: Background,
    pub(super) durability: Arc<Durability<D>>,
    pub(super) index: ExpiryIndex,
    pub(super) seen: Seen,
    /// Whether something was written.
    pub(super) started: AtomicBool,
    /// For jobs that outlive a call.
    pub(super) me: Weak<Self>,
    pub(super) locks: Locks,
    pub(super) folding: Folding,
    pub(super) corrupt: Marks,
    pub(super) moves: Moves,
    pub(super) changes: Arc<Changes>,
    pub(super) key_locks: KeyLocks<D::KeyLocks>,
    pub(super) unfinished: Unfinished,
    pub(super) is_open: AtomicBool,
    pub(super) opening: Mutex<()>,
}

/// What is found out once the base is there.
#[derive(Default)]
pub(super) struct Folding {
    /// Whether the base is on such a file system.
    pub(super) folds: OnceLock<bool>,
    pub(super) real_base: OnceLock<PathBuf>,
}

impl<D: Disk> Engine<D> {
    /// What earlier processes left half-done is completed or goes when the base is first used.
    pub(super) fn first_use(self: &Arc<Self>) {
        if self.is_open.load(Ordering::Acquire) {
            if self.options.read_only {
                self.note_new_groups();
            }
            return;
        }
        let _opening = lock(&self.opening);
        if self.is_open.load(Ordering::Relaxed) || self.finish_groups().is_err() {
            // The operation meets what keeps the folder from being read, or the next one looks again.
            return;
        }
        self.is_open.store(true, Ordering::Release);
        if !self.options.read_only {
            let engine = self.clone();
            (self.background)(Duration::ZERO, Box::new(move || engine.tidy()));
        }
    }

    pub(super) fn base(&self) -> &PathBuf {
        &self.options.base
    }

    pub(super) fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    pub(super) fn place(&self, key: &str) -> Place {
        Place::new(self.base(), key)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<Value>> {
        let Some(bytes) = self.bytes(key)? else {
            return Ok(None);
        };
        let text = Text::from_marked(bytes).filter(|text| !text.is_empty());
        match text {
            Some(text) => {
                // Whether it is a value is found out by who decodes it, and told again if it is none.
                self.corrupt.remove(key);
                Ok(Some(text.into()))
            }
            None => {
                self.corrupt.add(key);
                let message = "What is stored is not text: the file is empty, or neither UTF-8 nor UTF-16 with a byte order mark.";
                Err(Error::new(Kind::CorruptValue, message))
            }
        }
    }

    /// The key of the item that a path below the base holds. `None` for ignored files and for those
    /// that stand for no key, such as temporary ones.
    pub(super) fn key_of_path(&self, path: &Path) -> Option<String> {
        let path = self.relative(path)?;
        if self.is_ignored(&path) {
            return None;
        }
        path::key_of(&path)
    }

    /// A path below the base relative to it, its names joined by `/`.
    pub(super) fn relative(&self, path: &Path) -> Option<String> {
        let names = path.strip_prefix(self.base()).ok()?.components();
        let names: Option<Vec<&str>> = names.map(|name| name.as_os_str().to_str()).collect();
        Some(names?.join("/"))
    }

    /// The path of a key relative to the base, its names joined by `/`.
    pub(super) fn relative_path(&self, key: &str) -> String {
        let mut path = String::with_capacity(key.len() + 8);
        path::push_path(&mut path, key, '/');
        path
    }

    /// What the system knows about the file that holds a key.
    pub(super) fn stat_of(&self, key: &str) -> Option<Stat> {
        self.find(&self.place(key)).ok()?.map(|found| found.stat)
    }

    /// Whether a file or folder is left alone. The path is relative to the base.
    pub(super) fn is_ignored(&self, path: &str) -> bool {
        if path.contains(path::MOVED) {
            let names = path.split('/').filter(|name| *name != path::MOVED);
            let names: Vec<_> = names.collect();
            return self.options.ignore.covers(&names.join("/"));
        }
        self.options.ignore.covers(path)
    }
}
