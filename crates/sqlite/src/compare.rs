//! The changes of others, for a store that only reads and so cannot have them noted.
//!
//! The watch asks SQLite whether somebody committed, and compares every item then with what was there
//! before: it costs as much as the database holds, for each look that finds a commit.

use std::any::Any;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use eas_core::driver::{Event, EventKind};
use eas_core::error::{Error, Result};
use eas_core::key;
use eas_core::store::SharedSink;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use rustc_hash::{FxHashMap, FxHasher};

use crate::database::{Database, InUse};
use crate::error::Said;
use crate::watch::{Guard, LOOK, version};
use crate::{open, schema};

/// Gives the database once it is there, `None` before; an error once nobody watches any more.
pub(crate) type Find = Box<dyn Fn() -> Result<Option<Arc<Database>>> + Send>;

/// By key, what tells a value from another.
type Items = FxHashMap<String, u64>;

struct Comparison {
    find: Find,
    sink: SharedSink,
    found: Option<Found>,
}

/// A database that is there.
struct Found {
    database: Arc<Database>,
    connection: Connection,
    /// What SQLite said of commits at the last look.
    version: i64,
    items: Items,
    _in_use: InUse,
}

/// Starts a watch; it sees every change from when this returns.
///
/// # Errors
/// Those of the database.
pub(crate) fn start(find: Find, sink: SharedSink) -> Result<Box<dyn Any + Send>> {
    let mut comparison = Comparison {
        found: find()?.map(Found::open).transpose()?,
        find,
        sink,
    };
    let (stop, stopped) = channel();
    std::thread::Builder::new()
        .name("eas-sqlite-watch".to_owned())
        .spawn(move || comparison.run(&stopped))
        .map_err(|error| Error::io(error, "start a thread"))?;
    Ok(Box::new(Guard(stop)))
}

impl Comparison {
    fn run(&mut self, stopped: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK) {
            if self
                .found
                .as_ref()
                .is_some_and(|found| found.database.is_closed())
            {
                break;
            }
            // What cannot be read now is read at the next look.
            let _ = self.look();
        }
    }

    fn look(&mut self) -> Result<()> {
        let Some(found) = &mut self.found else {
            let Some(database) = (self.find)()? else {
                return Ok(());
            };
            // All that the database holds is new.
            let mut found = Found::open(database)?;
            let items = std::mem::take(&mut found.items);
            report(&self.sink, &Items::default(), &items);
            self.found = Some(Found { items, ..found });
            return Ok(());
        };
        let file: &PathBuf = &found.database.file;
        let version = version(&found.connection).said(file, "watch")?;
        if version == found.version {
            return Ok(());
        }
        let items = items(&found.connection).said(file, "watch")?;
        let before = std::mem::replace(&mut found.items, items);
        found.version = version;
        report(&self.sink, &before, &found.items);
        Ok(())
    }
}

impl Found {
    fn open(database: Arc<Database>) -> Result<Self> {
        let in_use = database.in_use()?;
        let connection = open::shared_reader(&database.file)?;
        // A commit in between is looked at twice.
        let version = version(&connection).said(&database.file, "watch")?;
        let items = items(&connection).said(&database.file, "watch")?;
        Ok(Found {
            database,
            connection,
            version,
            items,
            _in_use: in_use,
        })
    }
}

fn items(connection: &Connection) -> rusqlite::Result<Items> {
    let mut all = connection.prepare_cached(schema::ITEMS)?;
    let mut rows = all.query([])?;
    let mut items = Items::default();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if !key::is_meta(&key) {
            items.insert(key, mark(row.get_ref(1)?));
        }
    }
    Ok(items)
}

/// Tells a value from another of its key.
fn mark(value: ValueRef<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    match value {
        ValueRef::Text(bytes) => {
            hasher.write_u8(1);
            hasher.write(bytes);
        }
        ValueRef::Blob(bytes) => {
            hasher.write_u8(2);
            hasher.write(bytes);
        }
        ValueRef::Integer(number) => hasher.write_i64(number),
        ValueRef::Real(number) => hasher.write_u64(number.to_bits()),
        ValueRef::Null => {}
    }
    hasher.finish()
}

fn report(sink: &SharedSink, before: &Items, after: &Items) {
    let event = |kind, key: &String| {
        sink(Event {
            kind,
            key: key.clone(),
        });
    };
    for (key, mark) in after {
        if before.get(key) != Some(mark) {
            event(EventKind::Update, key);
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        event(EventKind::Remove, key);
    }
}
