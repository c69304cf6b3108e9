//! The store.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use eas_core::driver::NativeMeta;
use eas_core::error::{Error, Kind, Result};
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::runtime::{Clock, lock};
use eas_core::store::{
    Applied, Batch, Prepared, SharedSink, Store, StoreInfo, StoreLock, Write, get_each,
};
use eas_core::value::{Text, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use rustc_hash::FxHashSet;

use crate::commit;
use crate::database::{Database, disposed};
use crate::durable::Durable;
use crate::early::Listeners;
use crate::error::Said;
use crate::open::{self, Draft};
use crate::options::{NAME, SqliteOptions};
use crate::sync::sync_folder;
use crate::{compare, durable, schema, watch};

/// What [`SqliteStore::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the database is as it should be.
    pub is_ok: bool,
    /// What is wrong with it, in SQLite's words.
    pub problems: Vec<String>,
}

/// Items in one SQLite database. Nothing is touched before the first call.
pub struct SqliteStore {
    info: StoreInfo,
    options: SqliteOptions,
    clock: Clock,
    database: OnceLock<Arc<Database>>,
    /// Held while the database is being opened.
    opening: Mutex<()>,
    is_disposed: AtomicBool,
    durable: Arc<Durable>,
    listeners: Arc<Listeners>,
    /// Keys whose text did not read as a value.
    corrupt: Mutex<FxHashSet<String>>,
    /// How many there are: most stores have none.
    corrupt_count: AtomicUsize,
}

impl SqliteStore {
    /// A store that tells the time by `clock`.
    pub fn new(options: SqliteOptions, clock: Clock) -> Self {
        SqliteStore {
            info: StoreInfo {
                read_only: options.is_read_only,
                no_clear: options.no_clear,
                keeps_kinds: true,
                max_depth: true,
                ttl: true,
                others_expire: !options.is_read_only,
                watches: true,
                is_transactional: true,
                commits: true,
                gathers_writes: true,
                ..StoreInfo::named(NAME)
            },
            durable: Durable::new(options.durability),
            listeners: Arc::default(),
            options,
            clock,
            database: OnceLock::new(),
            opening: Mutex::default(),
            is_disposed: AtomicBool::new(false),
            corrupt: Mutex::default(),
            corrupt_count: AtomicUsize::new(0),
        }
    }

    /// The database file.
    pub fn file(&self) -> &Path {
        &self.options.file
    }

    fn database(&self) -> Result<Option<&Arc<Database>>> {
        if let Some(database) = self.database.get() {
            return Ok(Some(database));
        }
        let _opening = lock(&self.opening);
        if let Some(database) = self.database.get() {
            return Ok(Some(database));
        }
        if self.is_disposed.load(Ordering::Acquire) {
            return Err(disposed());
        }
        let Some(database) = Database::open(&self.options, &self.listeners)? else {
            return Ok(None);
        };
        if !self.options.is_read_only {
            let tidied = database
                .commits
                .with(|connection| watch::tidy(connection, (self.clock)()));
            if let Some(tidied) = tidied {
                tidied.said(&self.options.file, "open")?;
            }
        }
        Ok(Some(self.database.get_or_init(|| database)))
    }

    /// Reads; `missing` where there is no database and the store only reads.
    fn read<T>(&self, missing: T, read: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        match self.database()? {
            None => Ok(missing),
            Some(database) => database.read(read),
        }
    }

    /// As [`read`](Self::read), of one item.
    fn read_one<T>(
        &self,
        missing: T,
        read: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        match self.database()? {
            None => Ok(missing),
            Some(database) => database.read_one(read),
        }
    }

    fn value(&self, key: &str) -> Result<Option<Value>> {
        let now_ms = (self.clock)();
        self.read_one(None, |connection| commit::value(connection, key, now_ms))
    }

    /// What an item holds, as text.
    fn text_of(&self, key: &str, value: Option<Value>) -> Result<Option<Value>> {
        let Some(Value::Bytes(bytes, _)) = &value else {
            return Ok(value);
        };
        match Text::copy_utf8(bytes) {
            Some(text) => Ok(Some(Value::Text(text))),
            None => {
                self.note_corrupt(key);
                Err(Error::new(
                    Kind::CorruptValue,
                    "What is stored is not text.",
                ))
            }
        }
    }

    fn now_ms(&self) -> i64 {
        commit::signed((self.clock)())
    }

    /// The keys of those items that are written whose text did not read as a value.
    fn corrupt_among<'a>(&self, writes: &[Write<'a>]) -> FxHashSet<&'a str> {
        if self.corrupt_count.load(Ordering::Acquire) == 0 {
            return FxHashSet::default();
        }
        let corrupt = lock(&self.corrupt);
        let written = writes.iter().filter_map(|write| match write {
            Write::Set { key, .. } => Some(*key),
            Write::Remove { .. } => None,
        });
        written.filter(|key| corrupt.contains(*key)).collect()
    }

    fn forget_corrupt(&self, keys: &FxHashSet<&str>) {
        if keys.is_empty() {
            return;
        }
        let mut corrupt = lock(&self.corrupt);
        for key in keys {
            corrupt.remove(*key);
        }
        self.corrupt_count.store(corrupt.len(), Ordering::Release);
    }

    /// Looks through the whole database.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn verify(&self) -> Result<Verdict> {
        let problems = self.read(Vec::new(), |connection| {
            let mut check = connection.prepare("PRAGMA integrity_check(1000)")?;
            let lines = check.query_map([], |row| row.get::<_, String>(0))?;
            lines.collect::<rusqlite::Result<Vec<String>>>()
        });
        let problems = match problems {
            Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
            Err(error) if error.kind() == Kind::Damaged => vec![error.to_string()],
            Err(error) => return Err(error),
        };
        Ok(Verdict {
            is_ok: problems.is_empty(),
            problems,
        })
    }

    /// Writes a whole database of one moment to `target`, while this one is in use. What is at
    /// `target` is replaced when the copy is complete.
    ///
    /// # Errors
    /// Those of the database and of the system.
    pub fn backup(&self, target: &Path) -> Result<()> {
        /// Pages that are copied before writers get their turn.
        const PAGES: i32 = 1_000;

        let target = std::path::absolute(target)
            .map_err(|error| Error::io(error, "resolve the path of the backup"))?;
        let database = self.database()?.ok_or_else(|| {
            Error::new(
                Kind::System("ENOENT"),
                "ENOENT: there is no database to back up",
            )
        })?;
        if open::is_part_of(&target, &database.file) {
            return Err(Error::new(
                Kind::InvalidArgument,
                "a backup cannot take the place of the database itself",
            ));
        }
        open::remove_left_drafts(&target);
        let draft = Draft::beside(&target);
        open::make_file(&draft.0, self.options.mode)
            .map_err(|error| Error::io(error, "make the backup"))?;
        database.read(|connection| {
            let mut copy = Connection::open(&draft.0)?;
            // As one transaction: a writer beside it would have the copy begin anew each time.
            let _moment = connection.unchecked_transaction()?;
            rusqlite::backup::Backup::new(connection, &mut copy)?.run_to_completion(
                PAGES,
                Duration::ZERO,
                None,
            )?;
            copy.close().map_err(|(_, error)| error)
        })?;
        std::fs::File::options()
            .write(true)
            .open(&draft.0)
            .and_then(|copy| copy.sync_all())
            .and_then(|()| open::remove_beside(&target))
            .and_then(|()| std::fs::rename(&draft.0, &target))
            .and_then(|()| sync_folder(&target))
            .map_err(|error| Error::io(error, "name the backup"))
    }

    /// Gives back the room of what was removed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn compact(&self) -> Result<()> {
        if self.options.is_read_only {
            return Ok(());
        }
        let database = self.database()?.ok_or_else(disposed)?;
        // Before the connection that writes, as everybody takes the two.
        let _checkpoint = lock(&database.checkpoints);
        let done = database.commits.with(|connection| {
            connection.execute_batch("VACUUM")?;
            durable::checkpoint_whole(connection)
        });
        done.ok_or_else(disposed)?.said(&database.file, "compact")
    }
}

fn storable(value: &Value) -> Result<()> {
    if matches!(value, Value::Text(_)) || value.file_bytes().is_some() {
        return Ok(());
    }
    Err(Error::new(
        Kind::InvalidValue,
        "sqlite stores strings and bytes as raw values; use setItem for other values",
    ))
}

impl Store for SqliteStore {
    fn info(&self) -> &StoreInfo {
        &self.info
    }

    fn check_key(&self, _key: &str) -> Result<()> {
        Ok(())
    }

    fn has(&self, key: &str) -> Result<bool> {
        let now_ms = self.now_ms();
        self.read_one(false, |connection| {
            connection
                .prepare_cached(schema::HAS)?
                .exists(params![key, now_ms])
        })
    }

    fn get(&self, key: &str) -> Result<Option<Value>> {
        self.text_of(key, self.value(key)?)
    }

    fn get_many(&self, keys: &[&str]) -> Result<Vec<Result<Option<Value>>>> {
        let now_ms = (self.clock)();
        let found = self.read(None, |connection| {
            commit::values(connection, keys, now_ms).map(Some)
        });
        let found: Vec<Option<Value>> = match found {
            Ok(found) => found.unwrap_or_else(|| vec![None; keys.len()]),
            // What can be read is read.
            Err(error) if error.kind() == Kind::Damaged => {
                return get_each(keys, |key| self.get(key));
            }
            Err(error) => return Err(error),
        };
        let found = keys.iter().zip(found);
        Ok(found.map(|(key, value)| self.text_of(key, value)).collect())
    }

    fn get_raw(&self, key: &str) -> Result<Option<Value>> {
        self.value(key)
    }

    fn apply(&self, batch: &Batch<'_>) -> Result<Applied> {
        for write in batch.writes {
            if let Write::Set { key, value, .. } = write {
                storable(value).map_err(|error| error.key(key))?;
            }
        }
        let is_empty = batch.writes.is_empty() && batch.checks.is_empty();
        if self.options.is_read_only || is_empty {
            return Ok(Applied::Done(batch.writes.iter().map(|_| false).collect()));
        }
        let database = self.database()?.ok_or_else(disposed)?;
        let kept = self.corrupt_among(batch.writes);
        let (outcome, pages) = database
            .commits
            .commit(batch, &kept, (self.clock)())
            .ok_or_else(disposed)?;
        let applied = outcome.said(&database.file, "write to")?;
        if matches!(applied, Applied::Done(_)) {
            self.forget_corrupt(&kept);
            self.durable.committed(database, pages, &self.clock);
        }
        Ok(applied)
    }

    fn keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        let now_ms = self.now_ms();
        let beyond = schema::beyond(base);
        self.read(Keys::new(), |connection| {
            let mut statement;
            let mut rows = if base.is_empty() {
                statement = connection.prepare_cached(schema::KEYS)?;
                statement.query([now_ms])?
            } else {
                statement = connection.prepare_cached(schema::KEYS_UNDER)?;
                statement.query(params![now_ms, base, beyond])?
            };
            let mut expired = FxHashSet::default();
            let mut keys = Keys::new();
            while let Some(row) = rows.next()? {
                let key = row.get_ref(0)?.as_str()?;
                if row.get_ref(1)? == ValueRef::Null {
                    expired.insert(key.to_owned());
                } else if max_depth.is_none_or(|most| key::depth(key) <= most) {
                    keys.push(key);
                }
            }
            Ok(if expired.is_empty() {
                keys
            } else {
                keys.filtered(|key| !expired.contains(key))
            })
        })
    }

    fn lists(&self, _key: &str) -> bool {
        true
    }

    fn meta(&self, key: &str) -> Result<Option<NativeMeta>> {
        let now_ms = self.now_ms();
        self.read_one(None, |connection| {
            let mut meta = connection.prepare_cached(schema::META)?;
            let found = meta.query_row(params![key, now_ms], |row| {
                let expires: Option<i64> = row.get(1)?;
                Ok(NativeMeta {
                    size: u64::try_from(row.get::<_, i64>(0)?).ok(),
                    ttl_ms: expires.and_then(|expires| u64::try_from(expires - now_ms).ok()),
                    ..NativeMeta::default()
                })
            });
            found.optional()
        })
    }

    fn note_corrupt(&self, key: &str) {
        let mut corrupt = lock(&self.corrupt);
        corrupt.insert(key.to_owned());
        self.corrupt_count.store(corrupt.len(), Ordering::Release);
    }

    fn watch(self: Arc<Self>, sink: SharedSink) -> Prepared {
        let early = self.listeners.listen();
        let heard = early.clone();
        let start = move || {
            if self.options.is_read_only {
                let find = move || self.database().map(Option::<&Arc<Database>>::cloned);
                return compare::start(Box::new(find), sink);
            }
            let database = self.database()?.ok_or_else(disposed)?;
            watch::start(database.clone(), self.clock.clone(), sink, &early)
        };
        Prepared {
            start: Box::new(start),
            hears: Box::new(move |key| heard.has(key)),
        }
    }

    fn next_expiry(&self) -> Result<Option<u64>> {
        let next: Option<i64> = self.read(None, |connection| {
            connection
                .prepare_cached(schema::NEXT_EXPIRY)?
                .query_row([], |row| row.get(0))
        })?;
        Ok(next.and_then(|next| u64::try_from(next).ok()))
    }

    fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        if self.options.is_read_only {
            return Ok(Vec::new());
        }
        let Some(database) = self.database()? else {
            return Ok(Vec::new());
        };
        // To find nothing is no write, which others would have to wait for.
        if self.next_expiry()?.is_none_or(|next| next > now_ms) {
            return Ok(Vec::new());
        }
        let sweep = |connection: &Connection| {
            let mut sweep = connection.prepare_cached(schema::SWEEP)?;
            let keys = sweep.query_map([commit::signed(now_ms)], |row| row.get(0))?;
            keys.collect::<rusqlite::Result<Vec<String>>>()
        };
        let swept = database
            .commits
            .with(|connection| commit::patiently(connection, || sweep(connection)));
        swept.ok_or_else(disposed)?.said(&database.file, "write to")
    }

    fn lock(&self) -> Result<Option<StoreLock>> {
        if self.options.is_read_only {
            return Ok(None);
        }
        let database = self.database()?.ok_or_else(disposed)?;
        let lock = open::wait_for_lock(&database.file, self.options.mode)
            .map_err(|error| Error::io(error, "lock the database for a migration"))?;
        Ok(lock.map(|lock| Box::new(lock) as StoreLock))
    }

    fn flush(&self) -> Result<()> {
        self.durable.flush(&self.options.file)
    }

    fn is_behind_at_exit(&self) -> bool {
        self.durable.is_behind()
    }

    fn flush_at_exit(&self, _progressed: &dyn Fn()) -> Result<()> {
        self.flush()
    }

    fn dispose(&self) -> Result<()> {
        let flushed = self.flush();
        self.is_disposed.store(true, Ordering::Release);
        let _opening = lock(&self.opening);
        match self.database.get() {
            None => flushed,
            Some(database) => flushed.and(database.close()),
        }
    }
}
