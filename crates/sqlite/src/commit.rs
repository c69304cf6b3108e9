//! Writes that come together share a transaction.
//!
//! Who gets the connection that writes takes along everything that waits for it. The others find
//! their work done when it is their turn.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use eas_core::condition::{self, Check};
use eas_core::driver::EventKind;
use eas_core::runtime::lock;
use eas_core::value::Value;
use rusqlite::hooks::Wal;
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, OptionalExtension};

use crate::early::Listeners;
use crate::schema::{GET, KEEP_CORRUPT, REMOVE, SET};

/// A change of one item.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Writes it; `expires_ms` is in ms since the epoch.
    Set {
        /// The key.
        key: String,
        /// What it holds: text or bytes.
        value: Value,
        /// When it expires.
        expires_ms: Option<u64>,
        /// Whether what is there is kept among the records first.
        keeps_old: bool,
    },
    /// Removes it.
    Remove {
        /// The key.
        key: String,
    },
}

/// What a group of writes came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// Of each write, whether it changed something that was alive then.
    Changed(Vec<bool>),
    /// The keys whose condition does not hold. Nothing was written.
    Conflicts(Vec<String>),
}

pub(crate) type Outcome = rusqlite::Result<Made>;

struct Group {
    checks: Vec<Check>,
    writes: Vec<Change>,
    now_ms: u64,
    outcome: Mutex<Option<Outcome>>,
}

impl Group {
    /// What it changed.
    fn changes(&self) -> Vec<(&str, EventKind)> {
        let outcome = lock(&self.outcome);
        let Some(Ok(Made::Changed(changed))) = &*outcome else {
            return Vec::new();
        };
        let made = self.writes.iter().zip(changed);
        made.filter(|(_, is_changed)| **is_changed)
            .map(|(write, _)| match write {
                Change::Set { key, .. } => (&**key, EventKind::Update),
                Change::Remove { key } => (&**key, EventKind::Remove),
            })
            .collect()
    }
}

/// The connection that writes, and what waits for it.
pub(crate) struct Commits {
    waiting: Mutex<Vec<Arc<Group>>>,
    writer: Mutex<Option<Connection>>,
    /// How many pages the log had after the last commit.
    log_pages: Arc<AtomicU32>,
    listeners: Arc<Listeners>,
}

impl Commits {
    pub(crate) fn new(mut writer: Connection, listeners: Arc<Listeners>) -> rusqlite::Result<Self> {
        let log_pages = Arc::<AtomicU32>::default();
        let noted = log_pages.clone();
        writer.wal_hook(Some(move |_: &mut Wal, pages| {
            noted.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Commits {
            waiting: Mutex::default(),
            writer: Mutex::new(Some(writer)),
            log_pages,
            listeners,
        })
    }

    /// Makes the writes, all or none, if the conditions hold. Gives how many pages the log has as well.
    pub(crate) fn commit(
        &self,
        checks: Vec<Check>,
        writes: Vec<Change>,
        now_ms: u64,
    ) -> (Option<Outcome>, u32) {
        let group = Arc::new(Group {
            checks,
            writes,
            now_ms,
            outcome: Mutex::default(),
        });
        lock(&self.waiting).push(group.clone());
        let writer = lock(&self.writer);
        let done = lock(&group.outcome).take();
        if done.is_some() {
            return (done, 0);
        }
        let groups = std::mem::take(&mut *lock(&self.waiting));
        let Some(connection) = &*writer else {
            return (None, 0);
        };
        apply(connection, &groups);
        if self.listeners.is_any() {
            for group in &groups {
                self.listeners.committed(&group.changes());
            }
        }
        let done = lock(&group.outcome).take();
        (done, self.log_pages.load(Ordering::Relaxed))
    }

    /// Uses the connection that writes.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Connection) -> T) -> Option<T> {
        lock(&self.writer).as_ref().map(work)
    }

    pub(crate) fn close(&self) -> rusqlite::Result<()> {
        match lock(&self.writer).take() {
            None => Ok(()),
            Some(connection) => connection.close().map_err(|(_, error)| error),
        }
    }
}

fn apply(connection: &Connection, groups: &[Arc<Group>]) {
    if let [group] = groups
        && group.checks.is_empty()
        && let [write] = &group.writes[..]
        && !matches!(
            write,
            Change::Set {
                keeps_old: true,
                ..
            }
        )
    {
        // One statement is a transaction of its own, at less cost.
        let done = run(connection, write, group.now_ms);
        let done = done.map(|changed| Made::Changed(vec![changed]));
        *lock(&group.outcome) = Some(done);
        return;
    }
    let outcomes = in_transaction(connection, groups);
    match outcomes {
        Ok(outcomes) => {
            for (group, outcome) in groups.iter().zip(outcomes) {
                *lock(&group.outcome) = Some(Ok(outcome));
            }
        }
        // What spoils one group must not fail the others with it.
        Err(_) if groups.len() > 1 => {
            for group in groups {
                apply(connection, std::slice::from_ref(group));
            }
        }
        Err(error) => {
            for group in groups {
                *lock(&group.outcome) = Some(Err(clone_of(&error)));
            }
        }
    }
}

fn in_transaction(connection: &Connection, groups: &[Arc<Group>]) -> rusqlite::Result<Vec<Made>> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let outcomes = groups
        .iter()
        .map(|group| make(connection, group))
        .collect::<rusqlite::Result<Vec<Made>>>();
    let committed = outcomes.and_then(|outcomes| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(outcomes)
    });
    if committed.is_err() && !connection.is_autocommit() {
        // SQLite rolls back by itself after some failures.
        let _ = connection.execute_batch("ROLLBACK");
    }
    committed
}

/// Makes what one group asks for. Its conditions are looked at before its first write, and see what the
/// groups before it wrote: a conflict has nothing to undo.
fn make(connection: &Connection, group: &Group) -> rusqlite::Result<Made> {
    let conflicts =
        condition::conflicts(&group.checks, |key| value(connection, key, group.now_ms))?;
    if !conflicts.is_empty() {
        return Ok(Made::Conflicts(conflicts));
    }
    let writes = group.writes.iter();
    let changed = writes.map(|write| run(connection, write, group.now_ms));
    changed.collect::<rusqlite::Result<_>>().map(Made::Changed)
}

/// The item, unless it has expired.
pub(crate) fn value(
    connection: &Connection,
    key: &str,
    now_ms: u64,
) -> rusqlite::Result<Option<Value>> {
    let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let mut get = connection.prepare_cached(GET)?;
    let mut rows = get.query(rusqlite::params![key, now_ms])?;
    let found = rows.next()?.map(|row| row.get_ref(0).map(value_of));
    Ok(found.transpose()?.flatten())
}

fn run(connection: &Connection, write: &Change, now_ms: u64) -> rusqlite::Result<bool> {
    match write {
        Change::Set {
            key,
            value,
            expires_ms,
            keeps_old,
        } => {
            if *keeps_old {
                let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
                connection
                    .prepare_cached(KEEP_CORRUPT)?
                    .execute(rusqlite::params![key, now])?;
            }
            let mut set = connection.prepare_cached(SET)?;
            let expires = expires_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
            set.raw_bind_parameter(1, key)?;
            match value {
                Value::Text(text) => set.raw_bind_parameter(2, &*text.to_str())?,
                value => match value.file_bytes() {
                    Some(bytes) => set.raw_bind_parameter(2, &*bytes)?,
                    None => set.raw_bind_parameter(2, Null)?,
                },
            }
            set.raw_bind_parameter(3, expires)?;
            set.raw_execute()?;
            Ok(true)
        }
        Change::Remove { key } => {
            let mut remove = connection.prepare_cached(REMOVE)?;
            let expires: Option<Option<i64>> =
                remove.query_row([key], |row| row.get(0)).optional()?;
            Ok(match expires {
                None => false,
                Some(None) => true,
                Some(Some(expires)) => u64::try_from(expires).is_ok_and(|expires| expires > now_ms),
            })
        }
    }
}

/// An error of SQLite for each of those that share it.
fn clone_of(error: &rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            rusqlite::Error::SqliteFailure(*failure, message.clone())
        }
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
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
    use eas_core::condition::{Etag, Expected};
    use eas_core::value::Text;

    fn text(text: &str) -> Value {
        Value::Text(Text::from(text))
    }

    fn check(key: &str, expected: Expected) -> Check {
        Check {
            key: key.to_owned(),
            expected,
        }
    }

    fn set(key: &str, value: &str) -> Change {
        Change::Set {
            key: key.to_owned(),
            value: text(value),
            expires_ms: None,
            keeps_old: false,
        }
    }

    fn group(checks: Vec<Check>, writes: Vec<Change>) -> Arc<Group> {
        Arc::new(Group {
            checks,
            writes,
            now_ms: 1_000,
            outcome: Mutex::default(),
        })
    }

    /// The database after groups that were committed together, and what each came to.
    fn committed_together(groups: &[Arc<Group>]) -> (Connection, Vec<Outcome>) {
        let connection = Connection::open_in_memory().expect("opens");
        connection
            .execute_batch(crate::schema::CREATE)
            .expect("is made");
        apply(&connection, groups);
        let outcomes = groups
            .iter()
            .map(|group| lock(&group.outcome).take().expect("has an outcome"));
        let outcomes = outcomes.collect();
        (connection, outcomes)
    }

    fn read(connection: &Connection, key: &str) -> Option<Value> {
        value(connection, key, 1_000).expect("reads")
    }

    #[test]
    fn a_conflict_of_one_group_undoes_none_of_those_that_share_its_transaction() {
        let is = |value| Expected::Etag(Etag::of(&text(value)));
        let groups = [
            group(
                vec![check("a", Expected::Missing)],
                vec![set("a", "1"), set("b", "1")],
            ),
            group(
                vec![check("a", Expected::Missing)],
                vec![set("a", "2"), set("c", "2")],
            ),
            group(
                vec![check("a", is("1")), check("b", is("1"))],
                vec![set("b", "3")],
            ),
            group(
                vec![check("b", is("1")), check("a", is("0"))],
                vec![set("a", "4")],
            ),
            group(vec![], vec![set("d", "5")]),
        ];
        let (connection, outcomes) = committed_together(&groups);
        let outcomes: Vec<Made> = outcomes
            .into_iter()
            .map(|done| done.expect("no error"))
            .collect();
        let conflicts =
            |keys: &[&str]| Made::Conflicts(keys.iter().map(|key| (*key).to_owned()).collect());
        assert_eq!(
            outcomes,
            [
                Made::Changed(vec![true, true]),
                conflicts(&["a"]),
                Made::Changed(vec![true]),
                conflicts(&["b", "a"]),
                Made::Changed(vec![true]),
            ]
        );
        for (key, expected) in [
            ("a", Some("1")),
            ("b", Some("3")),
            ("c", None),
            ("d", Some("5")),
        ] {
            assert_eq!(read(&connection, key), expected.map(text), "{key}");
        }
    }

    #[test]
    fn a_group_that_cannot_be_written_leaves_no_part_and_the_others_whole() {
        let unwritable = Change::Set {
            key: "b".to_owned(),
            // No text and no bytes: the column takes no null.
            value: Value::Js(Arc::new(Nothing)),
            expires_ms: None,
            keeps_old: false,
        };
        let groups = [
            group(vec![], vec![set("a", "1")]),
            group(vec![], vec![set("a", "2"), unwritable]),
            group(
                vec![check("a", Expected::Stored(text("1")))],
                vec![set("c", "3")],
            ),
        ];
        let (connection, outcomes) = committed_together(&groups);
        assert!(
            matches!(outcomes[..], [Ok(_), Err(_), Ok(Made::Changed(_))]),
            "{outcomes:?}"
        );
        for (key, expected) in [("a", Some("1")), ("b", None), ("c", Some("3"))] {
            assert_eq!(read(&connection, key), expected.map(text), "{key}");
        }
    }

    struct Nothing;

    impl eas_core::value::JsValue for Nothing {
        fn number(&self) -> u64 {
            1
        }
    }
}
