//! The layout of a database, version 1.

/// Marks a database as one of ours, in SQLite's own header: the letters `eas1`.
pub(crate) const APPLICATION_ID: i32 = 0x6561_7331;

/// Counts the layouts from 1, in SQLite's own header.
pub(crate) const LAYOUT: i32 = 1;

/// Everything that a new database holds. `value` has no affinity, so that texts stay texts and bytes
/// stay bytes.
pub(crate) const CREATE: &str = "
CREATE TABLE items (key TEXT NOT NULL PRIMARY KEY, value NOT NULL, expires INTEGER);
CREATE INDEX items_expires ON items (expires) WHERE expires IS NOT NULL;
CREATE TABLE records (name TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
";

pub(crate) const GET: &str =
    "SELECT value FROM items WHERE key = ?1 AND (expires IS NULL OR expires > ?2)";
pub(crate) const HAS: &str =
    "SELECT 1 FROM items WHERE key = ?1 AND (expires IS NULL OR expires > ?2)";
pub(crate) const META: &str = "SELECT length(CAST(value AS BLOB)), expires FROM items WHERE key = ?1 AND (expires IS NULL OR expires > ?2)";
pub(crate) const SET: &str = "INSERT INTO items (key, value, expires) VALUES (?1, ?2, ?3) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires";
pub(crate) const REMOVE: &str = "DELETE FROM items WHERE key = ?1 RETURNING expires";
/// Everything under a base, from it to what is just beyond it, and the keys that have expired, which have null
/// beside them: one statement reads one moment, and once.
pub(crate) const KEYS_UNDER: &str = "SELECT key, NULL FROM items WHERE expires <= ?1 \
     UNION ALL SELECT key, 1 FROM items WHERE key >= ?2 AND key < ?3";
/// As `KEYS_UNDER`, of all keys; by their order, which needs no other index than that of the keys.
pub(crate) const KEYS: &str = "SELECT key, NULL FROM items WHERE expires <= ?1 \
     UNION ALL SELECT key, 1 FROM items WHERE key >= ''";
pub(crate) const ITEMS: &str = "SELECT key, value FROM items";
pub(crate) const NEXT_EXPIRY: &str = "SELECT min(expires) FROM items WHERE expires IS NOT NULL";
pub(crate) const SWEEP: &str = "DELETE FROM items WHERE expires <= ?1 RETURNING key";
/// Keeps what an item held, under the name `corrupt:KEY:TIME`; the time is put forward where the key has a
/// record of then or later, which is kept as well.
pub(crate) const KEEP_CORRUPT: &str = "INSERT OR REPLACE INTO records (name, value) \
     SELECT 'corrupt:' || key || ':' || max(?2, ( \
       SELECT coalesce(max(CAST(substr(name, length('corrupt:' || ?1 || ':') + 1) AS INTEGER)), 0) + 1 FROM records \
       WHERE name > 'corrupt:' || ?1 || ':' AND name < 'corrupt:' || ?1 || ';' \
     )), value FROM items WHERE key = ?1";

/// The first text that is greater than every text that begins with `base`, which ends in `:`.
pub(crate) fn beyond(base: &str) -> String {
    let mut beyond = base.strip_suffix(':').unwrap_or(base).to_owned();
    beyond.push(';');
    beyond
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn listings_cost_what_they_give() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(CREATE).expect("is made");
        for (statement, range) in [(KEYS_UNDER, "(key>? AND key<?)"), (KEYS, "(key>?)")] {
            let mut plan = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
                .expect("is one");
            let steps = plan.raw_query().mapped(|row| row.get::<_, String>(3));
            let steps: Vec<String> = steps.map(|step| step.expect("is text")).collect();
            let expected = [
                "COMPOUND QUERY",
                "LEFT-MOST SUBQUERY",
                "SEARCH items USING INDEX items_expires (expires<?)",
                "UNION ALL",
                &format!("SEARCH items USING COVERING INDEX sqlite_autoindex_items_1 {range}"),
            ];
            assert_eq!(steps, expected);
        }
    }
}
