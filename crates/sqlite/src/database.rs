//! The connections of a store: one that writes, and as many that read as read at a time.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::lock;
use eas_store::pool;
use rusqlite::Connection;

use crate::commit::Commits;
use crate::early::Listeners;
use crate::error::Said;
use crate::open;
use crate::options::SqliteOptions;

/// Connections that are kept for the next reads.
const IDLE_READERS: usize = 4;

/// A database that is open.
pub(crate) struct Database {
    pub(crate) file: PathBuf,
    pub(crate) commits: Commits,
    readers: Mutex<Vec<Connection>>,
    /// Held by the one that puts the log into the database: SQLite lets no other wait for it.
    pub(crate) checkpoints: Mutex<()>,
    is_closed: AtomicBool,
}

impl Database {
    /// Opens the database; `None` where there is none and the store only reads.
    pub(crate) fn open(
        options: &SqliteOptions,
        listeners: &Arc<Listeners>,
    ) -> Result<Option<Arc<Self>>> {
        let Some(writer) = open::writer(options)? else {
            return Ok(None);
        };
        Ok(Some(Arc::new(Database {
            file: options.file.clone(),
            commits: Commits::new(writer, listeners.clone()).said(&options.file, "open")?,
            readers: Mutex::default(),
            checkpoints: Mutex::default(),
            is_closed: AtomicBool::new(false),
        })))
    }

    /// Reads with a connection of its own, which no write has to wait for.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None if self.is_closed.load(Ordering::Acquire) => return Err(disposed()),
            None => open::reader(&self.file)?,
        };
        let found = read(&connection).said(&self.file, "read");
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS && !self.is_closed.load(Ordering::Acquire) {
            readers.push(connection);
        }
        found
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

    /// Closes the connections; those that are in use close when they are done. The last one of all
    /// processes puts everything into the database itself.
    pub(crate) fn close(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::Release);
        // Who puts the log into the database has a connection of its own.
        let _checkpoint = lock(&self.checkpoints);
        drop(std::mem::take(&mut *lock(&self.readers)));
        self.commits.close().said(&self.file, "close")
    }
}

/// The error of a call after the end.
pub(crate) fn disposed() -> Error {
    Error::new(Kind::Disposed, "the store was disposed of")
}
