//! The connection that writes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use eas_core::condition;
use eas_core::driver::EventKind;
use eas_core::runtime::lock;
use eas_core::store::{Applied, Batch, Write};
use eas_core::value::Value;
use eas_store::pool::{self, Turns};
use rusqlite::hooks::Wal;
use rusqlite::types::{Null, ValueRef};
use rusqlite::{CachedStatement, Connection, MAIN_DB, Statement};
use rustc_hash::FxHashSet;

use crate::early::Listeners;
use crate::open::{is_busy, without_waiting};
use crate::schema::{GET, KEEP_CORRUPT, REMOVE, SET};

/// The connection that writes, which one at a time has.
pub(crate) struct Commits {
    /// Threads that wait for the writer leave their places to others meanwhile.
    turns: Turns,
    writer: Mutex<Option<Connection>>,
    /// How many pages the log had after the last commit.
    log_pages: Arc<AtomicU32>,
    listeners: Arc<Listeners>,
}

impl Commits {
    /// `None` for a store that only reads.
    pub(crate) fn new(
        mut writer: Option<Connection>,
        listeners: Arc<Listeners>,
    ) -> rusqlite::Result<Self> {
        let log_pages = Arc::<AtomicU32>::default();
        if let Some(writer) = &mut writer {
            let noted = log_pages.clone();
            writer.wal_hook(Some(move |_: &mut Wal, pages| {
                noted.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))?;
        }
        Ok(Commits {
            turns: Turns::default(),
            writer: Mutex::new(writer),
            log_pages,
            listeners,
        })
    }

    /// Makes the writes of a batch, all or none, if the conditions hold. What the keys of `kept` held is kept
    /// among the records first. Gives how many pages the log has as well; `None` after the end.
    pub(crate) fn commit(
        &self,
        batch: &Batch<'_>,
        kept: &FxHashSet<&str>,
        now_ms: u64,
    ) -> Option<(rusqlite::Result<Applied>, u32)> {
        let _turn = self.turns.take();
        let writer = lock(&self.writer);
        let connection = writer.as_ref()?;
        let outcome = patiently(connection, || apply(connection, batch, kept, now_ms));
        if let Ok(Applied::Done(changed)) = &outcome
            && self.listeners.is_any()
        {
            self.listeners.committed(&changes(batch, changed));
        }
        Some((outcome, self.log_pages.load(Ordering::Relaxed)))
    }

    /// Uses the connection that writes.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Connection) -> T) -> Option<T> {
        let _turn = self.turns.take();
        lock(&self.writer).as_ref().map(work)
    }

    /// As [`with`](Self::with), unless somebody else uses it.
    pub(crate) fn with_free<T>(&self, work: impl FnOnce(&Connection) -> T) -> Option<T> {
        self.writer.try_lock().ok()?.as_ref().map(work)
    }

    /// Leaves the log in the database: the last one to close would do so, but not if it only reads.
    pub(crate) fn close(&self) -> rusqlite::Result<()> {
        let _turn = self.turns.take();
        let Some(connection) = lock(&self.writer).take() else {
            return Ok(());
        };
        let put = match connection.is_readonly(MAIN_DB) {
            Ok(true) => Ok(()),
            Ok(false) => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
            Err(error) => Err(error),
        };
        connection.close().map_err(|(_, error)| error).and(put)
    }
}

/// Does what another process may be in the way of. A thread that has to wait for it leaves its place to others.
pub(crate) fn patiently<T>(
    connection: &Connection,
    work: impl Fn() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    match without_waiting(connection, &work) {
        Err(error) if is_busy(&error) => {
            let _aside = pool::step_aside();
            work()
        }
        done => done,
    }
}

/// What the writes of a batch changed.
fn changes<'a>(batch: &Batch<'a>, changed: &[bool]) -> Vec<(&'a str, EventKind)> {
    let made = batch.writes.iter().zip(changed);
    made.filter(|(_, is_changed)| **is_changed)
        .map(|(write, _)| match write {
            Write::Set { key, .. } => (*key, EventKind::Update),
            Write::Remove { key, .. } => (*key, EventKind::Remove),
        })
        .collect()
}

fn apply(
    connection: &Connection,
    batch: &Batch<'_>,
    kept: &FxHashSet<&str>,
    now_ms: u64,
) -> rusqlite::Result<Applied> {
    if batch.checks.is_empty() && batch.writes.len() == 1 && kept.is_empty() {
        // One statement is a transaction of its own, at less cost.
        return make(connection, batch, kept, now_ms);
    }
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let committed = make(connection, batch, kept, now_ms).and_then(|made| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(made)
    });
    if committed.is_err() && !connection.is_autocommit() {
        // SQLite rolls back by itself after some failures.
        let _ = connection.execute_batch("ROLLBACK");
    }
    committed
}

/// Makes what a batch asks for. Its conditions are looked at before its first write: a conflict has nothing
/// to undo.
fn make(
    connection: &Connection,
    batch: &Batch<'_>,
    kept: &FxHashSet<&str>,
    now_ms: u64,
) -> rusqlite::Result<Applied> {
    let conflicts = condition::conflicts(batch.checks, |key| value(connection, key, now_ms))?;
    if !conflicts.is_empty() {
        return Ok(Applied::Conflicts(conflicts));
    }
    let mut statements = Statements {
        connection,
        set: None,
        remove: None,
    };
    let changed = batch.writes.iter().map(|write| match *write {
        Write::Set {
            key,
            value,
            expires_ms,
            ..
        } => {
            if kept.contains(key) {
                connection
                    .prepare_cached(KEEP_CORRUPT)?
                    .execute(rusqlite::params![key, signed(now_ms)])?;
            }
            statements.set(key, value, expires_ms).map(|()| true)
        }
        Write::Remove { key, .. } => statements.remove(key, now_ms),
    });
    changed.collect::<rusqlite::Result<_>>().map(Applied::Done)
}

/// The statements that write, looked up once for all writes of a batch.
struct Statements<'a> {
    connection: &'a Connection,
    set: Option<CachedStatement<'a>>,
    remove: Option<CachedStatement<'a>>,
}

impl Statements<'_> {
    fn set(&mut self, key: &str, value: &Value, expires_ms: Option<u64>) -> rusqlite::Result<()> {
        let set = match &mut self.set {
            Some(set) => set,
            none => none.insert(self.connection.prepare_cached(SET)?),
        };
        set.raw_bind_parameter(1, key)?;
        match value {
            Value::Text(text) => set.raw_bind_parameter(2, &*text.to_str())?,
            value => match value.file_bytes() {
                Some(bytes) => set.raw_bind_parameter(2, &*bytes)?,
                None => set.raw_bind_parameter(2, Null)?,
            },
        }
        set.raw_bind_parameter(3, expires_ms.map(signed))?;
        set.raw_execute().map(drop)
    }

    /// Says whether it removed something that was alive then.
    fn remove(&mut self, key: &str, now_ms: u64) -> rusqlite::Result<bool> {
        let remove = match &mut self.remove {
            Some(remove) => remove,
            none => none.insert(self.connection.prepare_cached(REMOVE)?),
        };
        let mut rows = remove.query([key])?;
        let removed = rows.next()?.map(|row| row.get::<_, Option<i64>>(0));
        let expires = removed.transpose()?;
        // The statement is over, and what it did is committed, once it says that there are no more.
        while rows.next()?.is_some() {}
        Ok(match expires {
            None => false,
            Some(None) => true,
            Some(Some(expires)) => u64::try_from(expires).is_ok_and(|expires| expires > now_ms),
        })
    }
}

/// The item, unless it has expired.
pub(crate) fn value(
    connection: &Connection,
    key: &str,
    now_ms: u64,
) -> rusqlite::Result<Option<Value>> {
    get(&mut *connection.prepare_cached(GET)?, key, now_ms)
}

/// Items of one moment, each unless it has expired.
pub(crate) fn values(
    connection: &Connection,
    keys: &[&str],
    now_ms: u64,
) -> rusqlite::Result<Vec<Option<Value>>> {
    // In one transaction: SQLite takes its locks once.
    let _moment = connection.unchecked_transaction()?;
    let mut statement = connection.prepare_cached(GET)?;
    let found = keys.iter().map(|key| get(&mut statement, key, now_ms));
    found.collect()
}

fn get(statement: &mut Statement<'_>, key: &str, now_ms: u64) -> rusqlite::Result<Option<Value>> {
    let mut rows = statement.query(rusqlite::params![key, signed(now_ms)])?;
    let found = rows.next()?.map(|row| row.get_ref(0).map(value_of));
    Ok(found.transpose()?.flatten())
}

/// A time as SQLite keeps it.
pub(crate) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// What a column holds, as a value.
fn value_of(column: ValueRef<'_>) -> Option<Value> {
    match column {
        ValueRef::Text(text) => match eas_core::value::Text::copy_utf8(text) {
            Some(text) => Some(Value::Text(text)),
            None => Some(Value::buffer(text.to_vec())),
        },
        ValueRef::Blob(bytes) => Some(Value::buffer(bytes.to_vec())),
        ValueRef::Null => None,
        // Another program wrote a number.
        ValueRef::Integer(number) => Some(Value::Text(number.to_string().as_str().into())),
        ValueRef::Real(number) => Some(Value::Text(number.to_string().as_str().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eas_core::condition::{Check, Etag, Expected};
    use eas_core::value::Text;

    fn text(text: &str) -> Value {
        Value::Text(Text::from(text))
    }

    fn set<'a>(key: &'a str, value: &'a Value) -> Write<'a> {
        Write::Set {
            key,
            value,
            is_raw: false,
            expires_ms: None,
        }
    }

    fn database() -> Connection {
        let connection = Connection::open_in_memory().expect("opens");
        connection
            .execute_batch(crate::schema::CREATE)
            .expect("is made");
        connection
    }

    fn committed(
        connection: &Connection,
        checks: &[(&str, Expected)],
        writes: &[Write<'_>],
    ) -> rusqlite::Result<Applied> {
        let checks: Vec<_> = checks
            .iter()
            .map(|(key, expected)| Check {
                key: (*key).to_owned(),
                expected: expected.clone(),
            })
            .collect();
        let batch = Batch {
            checks: &checks,
            writes,
            is_group: true,
        };
        apply(connection, &batch, &FxHashSet::default(), 1_000)
    }

    fn holds(connection: &Connection, expected: &[(&str, Option<&str>)]) {
        for (key, expected) in expected {
            let found = value(connection, key, 1_000).expect("reads");
            assert_eq!(found, expected.map(text), "{key}");
        }
    }

    #[test]
    fn a_conflict_is_looked_for_before_anything_is_written() {
        let connection = database();
        let is = |value| Expected::Etag(Etag::of(&text(value)));
        let (one, two) = (text("1"), text("2"));
        let done = Applied::Done([true, true].into_iter().collect());
        let conflicts =
            |keys: &[&str]| Applied::Conflicts(keys.iter().map(|key| (*key).to_owned()).collect());
        let first = committed(
            &connection,
            &[("a", Expected::Missing)],
            &[set("a", &one), set("b", &one)],
        );
        assert_eq!(first, Ok(done));
        let second = committed(
            &connection,
            &[("b", is("0")), ("a", Expected::Missing), ("b", is("1"))],
            &[set("a", &two), set("c", &two)],
        );
        assert_eq!(second, Ok(conflicts(&["b", "a"])));
        holds(&connection, &[("a", Some("1")), ("c", None)]);
    }

    #[test]
    fn a_batch_that_cannot_be_written_leaves_no_part() {
        let connection = database();
        let (one, two) = (text("1"), text("2"));
        // No text and no bytes: the column takes no null.
        let nothing = Value::Js(Arc::new(Nothing));
        committed(&connection, &[], &[set("a", &one)]).expect("is written");
        committed(&connection, &[], &[set("a", &two), set("b", &nothing)]).expect_err("fails");
        holds(&connection, &[("a", Some("1")), ("b", None)]);
        assert!(connection.is_autocommit());
        committed(&connection, &[], &[set("a", &two), set("b", &one)]).expect("is written");
        holds(&connection, &[("a", Some("2")), ("b", Some("1"))]);
    }

    #[test]
    fn a_write_that_cannot_be_committed_fails_also_where_it_removes() {
        let mut connection = database();
        let one = text("1");
        committed(&connection, &[], &[set("a", &one)]).expect("is written");
        connection.commit_hook(Some(|| true)).expect("is hooked");
        let remove = Write::Remove {
            key: "a",
            is_listed: false,
        };
        for writes in [vec![set("a", &one)], vec![remove], vec![remove, remove]] {
            committed(&connection, &[], &writes).expect_err("fails");
        }
        holds(&connection, &[("a", Some("1"))]);
    }

    struct Nothing;

    impl eas_core::value::JsValue for Nothing {
        fn number(&self) -> u64 {
            1
        }
    }
}
