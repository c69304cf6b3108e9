//! How long the locks of folders are waited for.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustc_hash::FxHashSet;

use super::disk::Disk;
use super::lines::{Count, Lines, Turn};
use eas_core::runtime::lock;
use eas_store::pool::{self, SOON};

/// More than this means that its holder hangs. Less than the patience of the end of a process: what
/// needs no lock has its turn after that.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same, once its holder is known to hang, and where little depends on the lock.
const SHORT_PATIENCE: Duration = Duration::from_millis(10);
/// Longer than the pause of another process that waits for a lock: it gets it.
const LEFT_TO_OTHERS: Duration = Duration::from_millis(25);

/// What hangs on a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The operation.
    Usual,
    /// Tidiness.
    Little,
}

/// Which locks their holders do not let go of. A process that was stopped holds some for as long as
/// it is; not everybody who needs them has to find that out anew.
#[derive(Default)]
pub(super) struct Locks {
    stuck: Mutex<FxHashSet<PathBuf>>,
    count: AtomicUsize,
    /// The threads of this process, of which one at a time asks the system for the lock of a folder.
    lines: Arc<Lines<PathBuf>>,
}

/// The right to move values about in a folder; held until it is dropped.
pub(super) struct Locked<L> {
    _lock: Option<L>,
    /// After the lock: who is next in line finds that free.
    _turn: Turn<PathBuf>,
}

impl Locks {
    /// Locks a folder; see [`Disk::lock`]. A thread of the pool that waits gives its place to another.
    pub(super) fn lock<D: Disk>(
        &self,
        disk: &D,
        folder: &Path,
        need: Need,
    ) -> io::Result<Locked<D::Lock>> {
        let turn = self.turn(folder, need)?;
        if turn.is_overdue() {
            let _aside = pool::step_aside();
            thread::sleep(LEFT_TO_OTHERS);
        }
        let lock = self.wait(folder, need, |patience| disk.lock(folder, patience))?;
        Ok(Locked {
            _lock: lock,
            _turn: turn,
        })
    }

    fn turn(&self, folder: &Path, need: Need) -> io::Result<Turn<PathBuf>> {
        let waiting = match self.lines.enter(folder.to_owned()) {
            Ok(turn) => return Ok(turn),
            Err(waiting) => waiting,
        };
        if let Some(turn) = waiting.wait(SOON, Count::Everything) {
            return Ok(turn);
        }
        let _aside = pool::step_aside();
        let turn = match need {
            Need::Usual => waiting.wait(PATIENCE, Count::Standstill),
            Need::Little => waiting.wait(SHORT_PATIENCE, Count::Everything),
        };
        turn.ok_or_else(|| ErrorKind::ResourceBusy.into())
    }

    fn wait<T>(
        &self,
        folder: &Path,
        need: Need,
        try_for: impl Fn(Duration) -> io::Result<T>,
    ) -> io::Result<T> {
        let is_busy = |outcome: &io::Result<T>| matches!(outcome, Err(error) if error.kind() == ErrorKind::ResourceBusy);
        let mut outcome = try_for(SOON);
        if is_busy(&outcome) {
            let _aside = pool::step_aside();
            let patience = if need == Need::Little || self.is_stuck(folder) {
                SHORT_PATIENCE
            } else {
                PATIENCE
            };
            outcome = try_for(patience);
            if is_busy(&outcome) {
                if patience == PATIENCE {
                    self.note(|stuck| stuck.insert(folder.to_owned()));
                }
                return outcome;
            }
        }
        if self.is_stuck(folder) {
            self.note(|stuck| stuck.remove(folder));
        }
        outcome
    }

    fn is_stuck(&self, folder: &Path) -> bool {
        self.count.load(Ordering::Acquire) > 0 && lock(&self.stuck).contains(folder)
    }

    fn note(&self, change: impl FnOnce(&mut FxHashSet<PathBuf>) -> bool) {
        let mut stuck = lock(&self.stuck);
        change(&mut stuck);
        self.count.store(stuck.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn a_lock_that_is_known_to_be_stuck_is_waited_for_shortly_until_it_is_had_again() {
        let locks = Locks::default();
        let asked = RefCell::new(Vec::new());
        let wait = |folder: &str, need, is_free: bool| {
            asked.take();
            let outcome = locks.wait(Path::new(folder), need, |patience| {
                asked.borrow_mut().push(patience);
                if is_free {
                    Ok(())
                } else {
                    Err(ErrorKind::ResourceBusy.into())
                }
            });
            assert_eq!(outcome.is_ok(), is_free);
            asked.take()
        };
        assert_eq!(wait("a", Need::Little, false), [SOON, SHORT_PATIENCE]);
        assert_eq!(wait("a", Need::Usual, false), [SOON, PATIENCE]);
        assert_eq!(wait("a", Need::Usual, false), [SOON, SHORT_PATIENCE]);
        assert_eq!(wait("b", Need::Usual, false), [SOON, PATIENCE]);
        assert_eq!(wait("a", Need::Usual, true), [SOON]);
        assert_eq!(wait("a", Need::Usual, false), [SOON, PATIENCE]);
        assert_eq!(wait("b", Need::Usual, false), [SOON, SHORT_PATIENCE]);
    }

    #[test]
    fn other_failures_are_no_wait() {
        let locks = Locks::default();
        for _ in 0..2 {
            let gone = |_| Err::<(), _>(ErrorKind::NotFound.into());
            let error = locks.wait(Path::new("a"), Need::Usual, gone);
            assert_eq!(
                error.map_err(|error| error.kind()),
                Err(ErrorKind::NotFound)
            );
        }
    }
}
