//! Locks of keys that are held, and the waiting for them.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::disk::Disk;
use super::lines::{Lines, Turn};
use eas_store::pool::{self, Aside, SOON};

/// How long a lock is waited for off the JS thread.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same in a call that runs in place.
const SYNC_PATIENCE: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);
/// Longer than the pause of another process that waits for a lock: it gets it.
pub(super) const LEFT_TO_OTHERS: Duration = Duration::from_millis(5);

/// The locks of one store, which are opened by its first write.
pub(super) struct KeyLocks<L> {
    pub(super) file: PathBuf,
    pub(super) opened: Mutex<Option<Arc<Opened<L>>>>,
    /// The threads of this process, of which one at a time asks the system for a lock.
    pub(super) lines: Arc<Lines<u64>>,
}

pub(super) struct Opened<L> {
    pub(super) locks: Arc<L>,
    /// Whether it is known that no group was left that the file says nothing of: an older file of the name
    /// may have been marked, and removed since.
    pub(super) tells_of_groups: AtomicBool,
}

/// Locks that are held until this is dropped.
pub(super) struct Held<D: Disk> {
    pub(super) _locks: SmallVec<[D::KeyLock; 1]>,
    /// After the locks: who is next in line finds them free.
    pub(super) _turns: SmallVec<[Turn<u64>; 1]>,
    /// Of what file; `None` for locks that keep nobody out.
    pub(super) of: Option<Arc<Opened<D::KeyLocks>>>,
    pub(super) may_have_groups: bool,
}

impl<D: Disk> Held<D> {
    /// No lock at all.
    pub(super) fn nothing() -> Self {
        Held {
            _locks: SmallVec::new(),
            _turns: SmallVec::new(),
            of: None,
            may_have_groups: false,
        }
    }

    /// Whether they keep anybody out.
    pub(super) fn is_locked(&self) -> bool {
        self.of.is_some()
    }
}

/// How long somebody waits who finds a lock taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// For as long as a caller is kept waiting.
    Usual,
    /// Not at all.
    No,
}

impl<L> KeyLocks<L> {
    pub(super) fn new(file: PathBuf) -> Self {
        KeyLocks {
            file,
            opened: Mutex::default(),
            lines: Arc::default(),
        }
    }
}

/// The waiting for one set of locks.
pub(super) struct Waiting {
    start: Instant,
    pause: Duration,
    patience: Duration,
    aside: Option<Aside>,
}

impl Wait {
    pub(super) fn patience(self) -> Duration {
        match self {
            Wait::No => Duration::ZERO,
            Wait::Usual if pool::is_off_the_caller() => PATIENCE,
            Wait::Usual => SYNC_PATIENCE,
        }
    }
}

impl Waiting {
    pub(super) fn new(wait: Wait) -> Self {
        Waiting {
            start: Instant::now(),
            pause: FIRST_PAUSE,
            patience: wait.patience(),
            aside: None,
        }
    }

    /// Says whether there is time for another try.
    pub(super) fn goes_on(&mut self) -> bool {
        let elapsed = self.start.elapsed();
        if elapsed >= self.patience {
            return false;
        }
        if elapsed >= SOON && self.aside.is_none() {
            self.aside = pool::step_aside();
        }
        thread::sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
