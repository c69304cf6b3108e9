//! The connections of a store: one that writes, and as many that read as read at a time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::lock;
use eas_store::pool;
use rusqlite::Connection;

use crate::commit::Commits;
use crate::early::Listeners;
use crate::error::Said;
use crate::open::{self, Opened};
use crate::options::SqliteOptions;

/// Connections that are kept for the next reads.
const IDLE_READERS: usize = 4;

/// A database that is open.
pub(crate) struct Database {
    pub(crate) file: PathBuf,
    others: Arc<Others>,
    pub(crate) commits: Commits,
    /// Held by the one that puts the log into the database: SQLite lets no other wait for it.
    pub(crate) checkpoints: Mutex<()>,
    is_closed: AtomicBool,
}

/// The connections beside the one that writes.
struct Others {
    state: Mutex<State>,
    unused: Condvar,
}

struct State {
    /// Those that wait for the next reads.
    idle: Vec<Connection>,
    /// How many are in use.
    used: usize,
}

/// A connection is in use until this is dropped; the connection has to go first.
pub(crate) struct InUse(Arc<Others>);

impl Drop for InUse {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.used -= 1;
        let is_unused = state.used == 0;
        drop(state);
        if is_unused {
            self.0.unused.notify_all();
        }
    }
}

impl Database {
    /// Opens the database; `None` where there is none and the store only reads.
    pub(crate) fn open(
        options: &SqliteOptions,
        listeners: &Arc<Listeners>,
    ) -> Result<Option<Arc<Self>>> {
        let (writer, reader) = match open::open(options)? {
            Opened::Nothing => return Ok(None),
            Opened::ToRead(reader) => (None, reader.into_shared()),
            Opened::ToWrite(connection) => (Some(connection), None),
        };
        let state = State {
            idle: reader.into_iter().collect(),
            used: 0,
        };
        let others = Others {
            state: Mutex::new(state),
            unused: Condvar::new(),
        };
        Ok(Some(Arc::new(Database {
            file: options.file.clone(),
            commits: Commits::new(writer, listeners.clone()).said(&options.file, "open")?,
            others: Arc::new(others),
            checkpoints: Mutex::default(),
            is_closed: AtomicBool::new(false),
        })))
    }

    /// Reads with a connection of its own, which no write has to wait for.
    pub(crate) fn read<T>(&self, read: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        loop {
            let (in_use, idle) = self.enter()?;
            let reader = match idle {
                Some(connection) => connection.into(),
                None => open::reader(&self.file)?,
            };
            let found = read(&reader.connection).said(&self.file, "read");
            if reader.is_outdated(&self.file) {
                continue;
            }
            let mut state = lock(&in_use.0.state);
            if let Some(connection) = reader.into_shared()
                && state.idle.len() < IDLE_READERS
                && !self.is_closed()
            {
                state.idle.push(connection);
            }
            drop(state);
            return found;
        }
    }

    /// For who has a connection of its own: the end waits for it.
    pub(crate) fn in_use(&self) -> Result<InUse> {
        self.enter().map(|(in_use, _)| in_use)
    }

    fn enter(&self) -> Result<(InUse, Option<Connection>)> {
        let mut state = lock(&self.others.state);
        if self.is_closed() {
            return Err(disposed());
        }
        state.used += 1;
        Ok((InUse(self.others.clone()), state.idle.pop()))
    }

    /// Reads one item. A call in place uses the connection that writes, if that is free: it has what it wrote
    /// in memory, while what others read is forgotten with every commit.
    pub(crate) fn read_one<T>(
        &self,
        read: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        if !pool::is_off_the_caller()
            && let Some(found) = self.commits.with_free(&read)
        {
            return found.said(&self.file, "read");
        }
        self.read(read)
    }

    /// A connection that writes beside the others: it waits for them, and they for it.
    pub(crate) fn side_writer(&self) -> Result<Connection> {
        open::side_writer(&self.file)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Closes the connections, once those that are in use are closed: the last one of all processes puts
    /// everything into the database itself, which one that only reads cannot.
    pub(crate) fn close(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::Release);
        // Who puts the log into the database has a connection of its own.
        let _checkpoint = lock(&self.checkpoints);
        let state = lock(&self.others.state);
        let waited = self.others.unused.wait_while(state, |state| state.used > 0);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle.clear();
        drop(state);
        self.commits.close().said(&self.file, "close")
    }
}

/// The error of a call after the end.
pub(crate) fn disposed() -> Error {
    Error::new(Kind::Disposed, "the store was disposed of")
}
