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
/// Everything under a base, from it to what is just beyond it.
pub(crate) const KEYS_UNDER: &str = "SELECT key FROM items WHERE key >= ?1 AND key < ?2";
pub(crate) const KEYS: &str = "SELECT key FROM items ORDER BY key";
pub(crate) const ITEMS: &str = "SELECT key, value FROM items";
pub(crate) const EXPIRED: &str = "SELECT key FROM items WHERE expires <= ?1";
pub(crate) const NEXT_EXPIRY: &str = "SELECT min(expires) FROM items WHERE expires IS NOT NULL";
pub(crate) const SWEEP: &str = "DELETE FROM items WHERE expires <= ?1 RETURNING key";
/// Keeps what an item held, under the name `corrupt:KEY:TIME`.
pub(crate) const KEEP_CORRUPT: &str = "INSERT OR REPLACE INTO records (name, value) \
     SELECT 'corrupt:' || key || ':' || ?2, value FROM items WHERE key = ?1";

/// The first text that is greater than every text that begins with `base`, which ends in `:`.
pub(crate) fn beyond(base: &str) -> String {
    let mut beyond = base.strip_suffix(':').unwrap_or(base).to_owned();
    beyond.push(';');
    beyond
}
