//! The changes of every process.
//!
//! While somebody watches, triggers note each change in a table of their own; a write that nobody
//! watches pays nothing. A watch asks SQLite whether another connection committed, and reads what
//! was noted since. A watch whose process was killed is noticed by its silence, and the last one that
//! goes takes the triggers along.

use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use eas_core::driver::{Event, EventKind};
use eas_core::error::{Error, Result};
use eas_core::key;
use eas_core::runtime::Clock;
use eas_core::store::SharedSink;
use rusqlite::{Connection, params};

use crate::commit::signed;
use crate::database::{Database, InUse, disposed};
use crate::early::Early;
use crate::error::Said;
use crate::open::{is_busy, without_waiting};

/// How often a watch looks, in ms.
pub(crate) const LOOK: Duration = Duration::from_millis(40);

/// How often a watch says that it is there.
const SIGN_MS: u64 = 5_000;

/// After how long a silent watch counts as gone.
const GONE_MS: u64 = 30_000;

/// What notes the changes. A number is never given twice.
const NOTE: &str = "
CREATE TABLE IF NOT EXISTS watches (id INTEGER PRIMARY KEY, seen INTEGER NOT NULL, place INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS changes (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, is_there INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS note_insert AFTER INSERT ON items
  BEGIN INSERT INTO changes (key, is_there) VALUES (new.key, 1); END;
CREATE TRIGGER IF NOT EXISTS note_update AFTER UPDATE ON items
  BEGIN INSERT INTO changes (key, is_there) VALUES (new.key, 1); END;
CREATE TRIGGER IF NOT EXISTS note_delete AFTER DELETE ON items
  BEGIN INSERT INTO changes (key, is_there) VALUES (old.key, 0); END;
";

const STOP_NOTING: &str = "
DROP TRIGGER IF EXISTS note_insert;
DROP TRIGGER IF EXISTS note_update;
DROP TRIGGER IF EXISTS note_delete;
DROP TABLE IF EXISTS changes;
DROP TABLE IF EXISTS watches;
";

/// Ends the watch when it is dropped.
pub(crate) struct Guard(pub(crate) Sender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        // The thread may have ended by itself.
        let _ = self.0.send(());
    }
}

struct Watch {
    database: Arc<Database>,
    connection: Connection,
    clock: Clock,
    sink: SharedSink,
    id: i64,
    /// The number of the last change that was reported.
    place: i64,
    /// What SQLite said of commits at the last look.
    version: i64,
    sign_due_ms: u64,
    _in_use: InUse,
}

/// Starts a watch; it sees every change from when this returns.
///
/// # Errors
/// Those of the database.
pub(crate) fn start(
    database: Arc<Database>,
    clock: Clock,
    sink: SharedSink,
    early: &Early,
) -> Result<Box<dyn Any + Send>> {
    let mut watch = Watch::new(database, clock, sink, early)?;
    let (stop, stopped) = channel();
    std::thread::Builder::new()
        .name("eas-sqlite-watch".to_owned())
        .spawn(move || watch.run(&stopped))
        .map_err(|error| Error::io(error, "start a thread"))?;
    Ok(Box::new(Guard(stop)))
}

/// Takes the triggers of watches away whose processes were killed, where no other watch is there. Waits for
/// nobody: whoever writes at that moment leaves it to the next one.
pub(crate) fn tidy(connection: &Connection, now_ms: u64) -> rusqlite::Result<()> {
    if !is_noted(connection)? {
        return Ok(());
    }
    let tidied = unless_busy(connection, || {
        // The last watch may have ended meanwhile.
        if is_noted(connection)? {
            forget_silent(connection, now_ms)?;
            stop_unless_watched(connection)?;
        }
        Ok(())
    });
    tidied.map(drop)
}

/// As [`in_transaction`], unless somebody else writes.
fn unless_busy<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    match without_waiting(connection, || in_transaction(connection, work)) {
        Err(error) if is_busy(&error) => Ok(None),
        done => done.map(Some),
    }
}

/// Whether changes are noted.
fn is_noted(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'watches')",
        [],
        |row| row.get(0),
    )
}

/// Has changes noted from now on, for one watch more. Gives its number, which no other watch has had, and
/// that of the last change before.
fn begin(connection: &Connection, now_ms: u64) -> rusqlite::Result<(i64, i64)> {
    in_transaction(connection, || {
        connection.execute_batch(NOTE)?;
        forget_silent(connection, now_ms)?;
        let place: i64 = connection.query_row(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)",
            [],
            |row| row.get(0),
        )?;
        connection.execute(
            "INSERT INTO watches (id, seen, place) VALUES (random(), ?1, ?2)",
            params![signed(now_ms), place],
        )?;
        Ok((connection.last_insert_rowid(), place))
    })
}

impl Watch {
    fn new(database: Arc<Database>, clock: Clock, sink: SharedSink, early: &Early) -> Result<Self> {
        let in_use = database.in_use()?;
        let connection = database.side_writer()?;
        let now_ms = clock();
        // Before anything is noted: what is committed from here on makes another version.
        let version = version(&connection).said(&database.file, "watch")?;
        // The store commits nothing meanwhile.
        let begun = database.commits.with(|_| {
            let begun = begin(&connection, now_ms)?;
            Ok((begun, early.begin_noting()))
        });
        let ((id, place), before) = begun.ok_or_else(disposed)?.said(&database.file, "watch")?;
        before.into_iter().for_each(|event| sink(event));
        Ok(Watch {
            database,
            connection,
            clock,
            sink,
            id,
            place,
            version,
            sign_due_ms: now_ms + SIGN_MS,
            _in_use: in_use,
        })
    }

    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK) {
            if self.database.is_closed() {
                break;
            }
            // What cannot be read now is read at the next look.
            let _ = self.look();
            let now_ms = (self.clock)();
            if now_ms >= self.sign_due_ms && matches!(self.sign(now_ms), Ok(true)) {
                self.sign_due_ms = now_ms + SIGN_MS;
            }
        }
        let id = self.id;
        let _ = in_transaction(&self.connection, || {
            self.connection
                .execute("DELETE FROM watches WHERE id = ?1", [id])?;
            stop_unless_watched(&self.connection)
        });
    }

    /// Reports what was committed since the last look.
    fn look(&mut self) -> rusqlite::Result<()> {
        let version = version(&self.connection)?;
        if version == self.version {
            return Ok(());
        }
        if !self.is_listed()? {
            self.begin_again()?;
        }
        let mut events = Vec::new();
        let mut place = self.place;
        {
            let mut changes = self.connection.prepare_cached(
                "SELECT id, key, is_there FROM changes WHERE id > ?1 ORDER BY id",
            )?;
            let mut rows = changes.query([self.place])?;
            while let Some(row) = rows.next()? {
                place = row.get(0)?;
                let key: String = row.get(1)?;
                if !key::is_meta(&key) {
                    let kind = if row.get(2)? {
                        EventKind::Update
                    } else {
                        EventKind::Remove
                    };
                    events.push(Event { kind, key });
                }
            }
        }
        self.place = place;
        self.version = version;
        for event in events {
            (self.sink)(event);
        }
        Ok(())
    }

    /// Whether nobody took this watch for gone.
    fn is_listed(&self) -> rusqlite::Result<bool> {
        if !is_noted(&self.connection)? {
            return Ok(false);
        }
        self.connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM watches WHERE id = ?1)")?
            .query_row([self.id], |row| row.get(0))
    }

    /// Begins anew, as its process stood still for long or the clock was put forward. What others
    /// changed is reported as far as it was noted.
    fn begin_again(&mut self) -> rusqlite::Result<()> {
        let (id, last) = begin(&self.connection, (self.clock)())?;
        self.id = id;
        if last < self.place {
            // Changes are numbered anew.
            self.place = 0;
        }
        Ok(())
    }

    /// Says that this watch is there, and forgets what every watch has seen. Not while others write: what
    /// they commit is to be seen meanwhile.
    fn sign(&self, now_ms: u64) -> rusqlite::Result<bool> {
        let signed = unless_busy(&self.connection, || {
            self.connection.execute(
                "INSERT OR REPLACE INTO watches (id, seen, place) VALUES (?1, ?2, ?3)",
                params![self.id, signed(now_ms), self.place],
            )?;
            forget_silent(&self.connection, now_ms)?;
            self.connection.execute(
                "DELETE FROM changes WHERE id <= (SELECT min(place) FROM watches)",
                [],
            )?;
            Ok(())
        });
        Ok(signed?.is_some())
    }
}

/// A number that changes when another connection commits.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}

fn forget_silent(connection: &Connection, now_ms: u64) -> rusqlite::Result<()> {
    let least = signed(now_ms.saturating_sub(GONE_MS));
    connection.execute("DELETE FROM watches WHERE seen < ?1", [least])?;
    Ok(())
}

fn stop_unless_watched(connection: &Connection) -> rusqlite::Result<()> {
    let is_watched: bool =
        connection.query_row("SELECT EXISTS (SELECT 1 FROM watches)", [], |row| {
            row.get(0)
        })?;
    if is_watched {
        return Ok(());
    }
    connection.execute_batch(STOP_NOTING)
}

fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = work().and_then(|done| {
        connection.execute_batch("COMMIT")?;
        Ok(done)
    });
    if done.is_err() && !connection.is_autocommit() {
        // SQLite rolls back by itself after some failures.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}
