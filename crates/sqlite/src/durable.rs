//! Checkpoints and fsyncs beside the work, so that no write waits for one.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::{Clock, lock};
use eas_store::pool;
use rusqlite::Connection;

use crate::database::Database;
use crate::error::Said;
use crate::open::{wal_of, without_waiting};
use crate::options::Level;
use crate::sync::{sync_file, sync_folder};
use crate::watch;

/// After how many pages of the log it is put into the database.
const PAGES: u32 = 1_000;

/// From how many pages on writers wait for it: as long as they write beside it, the log only grows.
const MOST_PAGES: u32 = 8_000;

/// How long what was written may take to the medium at most.
const SOON: Duration = Duration::from_millis(800);

/// Makes the log of the database in a file durable.
type SyncLog = fn(&Path) -> io::Result<()>;

/// What of a database is still to be done.
pub(crate) struct Durable {
    level: Level,
    sync_log: SyncLog,
    /// Held while something is made durable; what went wrong with that and no flush has told yet.
    untold: Mutex<Option<Error>>,
    /// Whether something was written since the last fsync.
    is_behind: AtomicBool,
    is_sync_due: AtomicBool,
    is_checkpoint_due: AtomicBool,
    /// How many pages the log may have before the next checkpoint.
    next_checkpoint: AtomicU32,
}

impl Durable {
    pub(crate) fn new(level: Level) -> Arc<Self> {
        Self::with_sync(level, sync_log_of)
    }

    fn with_sync(level: Level, sync_log: SyncLog) -> Arc<Self> {
        Arc::new(Durable {
            level,
            sync_log,
            untold: Mutex::default(),
            is_behind: AtomicBool::new(false),
            is_sync_due: AtomicBool::new(false),
            is_checkpoint_due: AtomicBool::new(false),
            next_checkpoint: AtomicU32::new(PAGES),
        })
    }

    /// Something was committed, and the log has so many pages now.
    pub(crate) fn committed(self: &Arc<Self>, database: &Arc<Database>, pages: u32, clock: &Clock) {
        if self.level != Level::Full {
            self.is_behind.store(true, Ordering::Release);
        }
        if self.level == Level::Background && !self.is_sync_due.swap(true, Ordering::AcqRel) {
            let (this, database) = (self.clone(), Arc::downgrade(database));
            let job = move || {
                this.is_sync_due.store(false, Ordering::Release);
                with(&database, |database| {
                    this.sync_in_background(&database.file)
                });
            };
            pool::submit_after(SOON, Box::new(job));
        }
        if pages < PAGES {
            // The log began anew.
            self.next_checkpoint.store(PAGES, Ordering::Relaxed);
        } else if pages >= self.next_checkpoint.load(Ordering::Relaxed)
            && !self.is_checkpoint_due.swap(true, Ordering::AcqRel)
        {
            self.next_checkpoint.store(pages + PAGES, Ordering::Relaxed);
            let (this, database) = (self.clone(), Arc::downgrade(database));
            let clock = clock.clone();
            let job = move || {
                with(&database, |database| {
                    // The log stays, and a later commit asks for it again. But what the medium did not
                    // take may be lost, and the medium says so once.
                    if let Err(error) = checkpoint(database, pages >= MOST_PAGES, clock())
                        && error.kind() == Kind::System("EIO")
                    {
                        lock(&this.untold).get_or_insert(error);
                    }
                });
                this.is_checkpoint_due.store(false, Ordering::Release);
            };
            pool::submit_after(Duration::ZERO, Box::new(job));
        }
    }

    /// Whether something that was written may not be on the medium.
    pub(crate) fn is_behind(&self) -> bool {
        // What is being made durable is not noted any more.
        self.untold
            .try_lock()
            .map_or(true, |untold| untold.is_some())
            || self.is_behind.load(Ordering::Acquire)
    }

    /// Returns when everything that was committed is on the medium.
    ///
    /// # Errors
    /// What went wrong now, or in the background since the last call: what was written before may be lost.
    pub(crate) fn flush(&self, file: &Path) -> Result<()> {
        let mut untold = lock(&self.untold);
        let synced = self.sync(file);
        untold.take().map_or(synced, Err)
    }

    /// Leaves what goes wrong to the next flush: the medium says it once.
    fn sync_in_background(&self, file: &Path) {
        let mut untold = lock(&self.untold);
        if let Err(error) = self.sync(file) {
            untold.get_or_insert(error);
        }
    }

    fn sync(&self, file: &Path) -> Result<()> {
        if !self.is_behind.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        (self.sync_log)(file).map_err(|error| {
            self.is_behind.store(true, Ordering::Release);
            Error::io(error, "fsync the log of the database")
        })
    }
}

fn sync_log_of(file: &Path) -> io::Result<()> {
    let log = wal_of(file);
    sync_file(&log).and_then(|()| sync_folder(&log))
}

fn with(database: &Weak<Database>, work: impl FnOnce(&Arc<Database>)) {
    if let Some(database) = database.upgrade() {
        work(&database);
    }
}

/// Puts the log into the database, as far as no reader needs it, with a connection of its own. Where the
/// log is too long, writers wait for the rest of it, so that it can begin anew.
fn checkpoint(database: &Database, waits: bool, now_ms: u64) -> Result<()> {
    let _checkpoint = lock(&database.checkpoints);
    if database.is_closed() {
        return Ok(());
    }
    let connection = database.side_writer()?;
    // What a watch left whose process was killed has every write noted, and nobody reads it. What cannot go
    // now goes with the next checkpoint.
    let _ = watch::tidy(&connection, now_ms);
    let put = || {
        connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .said(&database.file, "checkpoint")
    };
    put()?;
    if waits {
        database.commits.with(|_| put()).unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// Puts the whole log into the database, and waits for readers and for other processes that do so. The
/// caller holds [`Database::checkpoints`].
pub(crate) fn checkpoint_whole(connection: &Connection) -> rusqlite::Result<()> {
    /// How often it is tried, and how long between two tries.
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(20);

    for _ in 0..TRIES {
        // While SQLite waits for a reader, nobody writes.
        let is_busy: bool = without_waiting(connection, || {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        })?;
        if !is_busy {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    // What a reader still needs goes with the next checkpoint.
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::sync::mpsc;

    /// What a thread's syncs do, one after the other.
    type Does = Box<dyn FnOnce() -> io::Result<()>>;

    thread_local! {
        static DOES: RefCell<Vec<Does>> = RefCell::default();
    }

    /// Succeeds where nothing else was said on this thread.
    fn sync_as_said(_file: &Path) -> io::Result<()> {
        let does = DOES.with_borrow_mut(Vec::pop);
        does.map_or(Ok(()), |does| does())
    }

    fn next_sync(does: impl FnOnce() -> io::Result<()> + 'static) {
        DOES.with_borrow_mut(|all| all.push(Box::new(does)));
    }

    fn behind() -> Arc<Durable> {
        let durable = Durable::with_sync(Level::Background, sync_as_said);
        durable.is_behind.store(true, Ordering::Release);
        durable
    }

    const FILE: &str = "data.db";

    #[test]
    fn a_flush_tells_what_went_wrong_in_the_background_once() {
        let durable = behind();
        next_sync(|| Err(io::Error::other("the medium is gone")));
        durable.sync_in_background(Path::new(FILE));
        assert!(durable.is_behind());
        // The medium takes it now, which says nothing of what it did not take before.
        let told = durable.flush(Path::new(FILE)).unwrap_err();
        assert!(told.to_string().contains("the medium is gone"), "{told}");
        assert!(!durable.is_behind());
        durable.flush(Path::new(FILE)).unwrap();
    }

    #[test]
    fn a_flush_that_fails_is_behind_still() {
        let durable = behind();
        next_sync(|| Err(io::Error::other("the medium is gone")));
        durable.flush(Path::new(FILE)).unwrap_err();
        assert!(durable.is_behind());
        durable.flush(Path::new(FILE)).unwrap();
        assert!(!durable.is_behind());
    }

    #[cfg(unix)]
    #[test]
    fn the_log_is_made_durable_where_a_link_leads() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.db"), folder.path().join("link.db"));
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        sync_log_of(&link).unwrap();
        // It cannot be opened: who looks for it says so.
        std::fs::create_dir(wal_of(&real)).unwrap();
        sync_log_of(&link).unwrap_err();
    }

    #[test]
    fn a_flush_waits_for_the_sync_that_is_under_way() {
        let durable = behind();
        let (begun, has_begun) = mpsc::channel();
        let (flushed, has_flushed) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                next_sync(move || {
                    begun.send(()).unwrap();
                    // A flush that does not wait is over long before.
                    let early = has_flushed.recv_timeout(Duration::from_millis(300));
                    assert!(early.is_err(), "the flush returned before the sync");
                    Ok(())
                });
                durable.sync_in_background(Path::new(FILE));
            });
            has_begun.recv().unwrap();
            assert!(durable.is_behind());
            durable.flush(Path::new(FILE)).unwrap();
            let _ = flushed.send(());
        });
        assert!(!durable.is_behind());
    }
}
