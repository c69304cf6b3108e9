//! Which keys have, or had, an end: lines of JSON in a file of the base, the last of a key counts.
//!
//! Lines are added under a lock of the base and read without one. A line that does not parse, such
//! as the half of one that a crash left, is passed over. What this process knows is checked against
//! the size and time of the file, so that other processes' lines are seen. Of a file that has grown
//! they are all that is read.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};

use dashmap::DashMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde_json::json;

use super::disk::{Disk, Stat};
use super::locks::{Locks, Need};
use super::{is_absent, path};
use eas_core::error::{Error, Result};
use eas_core::key;
use eas_core::runtime::lock;
use eas_store::pool::{Turn, Turns};

/// A journal below this size is left as it is.
const BLOATED_BYTES: u64 = 64 * 1024;
/// About the size of a line.
const LINE_BYTES: u64 = 80;
/// A journal is rewritten when this much of it is out of date.
const BLOATED_FACTOR: u64 = 4;

/// By so much of the end of what was read is a file known again that has grown. Its number alone
/// does not tell: that of a file that was replaced may be given to a new one.
const TAIL_BYTES: usize = 256;

/// What the journal says about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) expires_ms: u64,
    /// The file of a raw value, which the entry holds for: another file has another time or size.
    pub(super) raw: Option<RawFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawFile {
    mtime_ns: u64,
    size: u64,
}

impl Entry {
    /// The entry of an item whose text says when it ends.
    pub(super) fn of_text(expires_ms: u64) -> Self {
        Entry {
            expires_ms,
            raw: None,
        }
    }

    /// The entry of a raw value.
    pub(super) fn of_raw(expires_ms: u64, stat: &Stat) -> Self {
        Entry {
            expires_ms,
            raw: Some(RawFile::of(stat)),
        }
    }

    pub(super) fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// When the raw value in that file ends.
    pub(super) fn raw_expiry(&self, stat: &Stat) -> Option<u64> {
        (self.raw.as_ref() == Some(&RawFile::of(stat))).then_some(self.expires_ms)
    }

    fn line(key: &str, entry: Option<&Entry>) -> String {
        let line = match entry {
            None => json!({ "k": key }),
            Some(Entry {
                expires_ms,
                raw: None,
            }) => json!({ "k": key, "x": expires_ms }),
            Some(Entry {
                expires_ms,
                raw: Some(file),
            }) => {
                json!({ "k": key, "x": expires_ms, "m": file.mtime_ns, "s": file.size })
            }
        };
        format!("{line}\n")
    }

    fn parse(line: &[u8]) -> Option<(String, Option<Entry>)> {
        let line: serde_json::Value = serde_json::from_slice(line).ok()?;
        let key = line.get("k")?.as_str()?;
        // What no write could have added leads out of the base, or to the file of another key.
        let is_key = !key.is_empty() && key::normalize(key) == key && path::refusal(key).is_none();
        let key = is_key.then(|| key.to_owned())?;
        let number = |name| line.get(name).and_then(serde_json::Value::as_u64);
        let entry = number("x").map(|expires_ms| Entry {
            expires_ms,
            raw: number("m")
                .zip(number("s"))
                .map(|(mtime_ns, size)| RawFile { mtime_ns, size }),
        });
        Some((key, entry))
    }
}

/// What becomes of the entry of a key.
#[derive(Debug, Clone)]
pub(super) struct Amendment {
    pub(super) key: String,
    /// The entry that it depends on: another one is left alone.
    pub(super) seen: Option<Entry>,
    pub(super) entry: Option<Entry>,
}

impl RawFile {
    fn of(stat: &Stat) -> Self {
        let mtime_ns = stat
            .mtime_ns
            .and_then(|ns| u64::try_from(ns).ok())
            .unwrap_or(0);
        RawFile {
            mtime_ns,
            size: stat.size,
        }
    }
}

pub(super) struct Journal {
    path: PathBuf,
    writing: Arc<Writing>,
    known: Mutex<Known>,
    /// That of what is known, for those who do not want to wait for it.
    changes: Arc<AtomicU64>,
}

/// What those of one process share who write the file: only one of them waits for the base.
#[derive(Default)]
struct Writing {
    /// Had before the lock of the base and that of what is known: whoever waits for the base holds up
    /// no reader.
    turns: Turns,
    locks: Locks,
}

/// The journals of the process that are written by somebody.
static WRITINGS: LazyLock<DashMap<PathBuf, Weak<Writing>, FxBuildHasher>> =
    LazyLock::new(DashMap::default);

impl Writing {
    fn of(path: &Path) -> Arc<Self> {
        let mut known = WRITINGS.entry(path.to_owned()).or_default();
        known.upgrade().unwrap_or_else(|| {
            let writing = Arc::default();
            *known = Arc::downgrade(&writing);
            writing
        })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // One that another store has taken up meanwhile is kept.
        let is_last = Arc::strong_count(&self.writing) == 1;
        if is_last {
            WRITINGS.remove_if(&self.path, |_, known| known.strong_count() <= 1);
        }
    }
}

#[derive(Default)]
struct Known {
    entries: FxHashMap<String, Entry>,
    /// The state of the file that the entries come from; `None` before it was first read.
    version: Option<Version>,
    /// Whether the file ends in the middle of a line.
    is_torn: bool,
    /// Where the last whole line that was read ends.
    whole_bytes: u64,
    /// What is right before that.
    tail: Vec<u8>,
    /// The least end of the entries; `None` when it must be looked for.
    earliest: Option<u64>,
    /// Another number whenever any of this may have changed.
    changes: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Version {
    number: Option<u64>,
    size: u64,
    mtime_ns: Option<i128>,
}

impl Known {
    fn apply(&mut self, key: String, entry: Option<Entry>) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        let Some(entry) = entry else {
            self.entries.remove(&key);
            self.earliest = None;
            return;
        };
        let expires_ms = entry.expires_ms;
        match self.entries.insert(key, entry) {
            Some(old) if Some(old.expires_ms) == self.earliest => self.earliest = None,
            _ if self.entries.len() == 1 => self.earliest = Some(expires_ms),
            _ => self.earliest = self.earliest.map(|earliest| earliest.min(expires_ms)),
        }
    }

    fn refresh<D: Disk>(&mut self, disk: &D, path: &Path) -> Result<()> {
        let version = version(disk, path)?;
        if self.version == Some(version) {
            return Ok(());
        }
        let added = self.read_added(disk, path, version)?;
        let is_whole_read = added.is_none();
        let bytes = match added {
            Some(bytes) => bytes,
            None if version == Version::default() => Vec::new(),
            None => read(disk, path)?,
        };
        self.changes.fetch_add(1, Ordering::SeqCst);
        if is_whole_read {
            self.entries.clear();
            self.earliest = None;
            self.whole_bytes = 0;
            self.tail.clear();
        }
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Some((key, entry)) = Entry::parse(line) {
                self.apply(key, entry);
            }
        }
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        self.is_torn = whole < bytes.len();
        self.note_whole(&bytes[..whole]);
        self.version = Some(version);
        Ok(())
    }

    /// What comes after the last whole line that was read; `None` unless the file is the same and
    /// has grown.
    fn read_added<D: Disk>(
        &self,
        disk: &D,
        path: &Path,
        version: Version,
    ) -> Result<Option<Vec<u8>>> {
        let is_grown = |known: Version| known.number == version.number && known.size < version.size;
        if self.tail.is_empty() || !self.version.is_some_and(is_grown) {
            return Ok(None);
        }
        let offset = self.whole_bytes - self.tail.len() as u64;
        match disk.read_from(path, offset) {
            Ok(bytes) => Ok(bytes.strip_prefix(&*self.tail).map(<[u8]>::to_vec)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io(error, "read the journal of expiries")),
        }
    }

    /// Notes whole lines right after those that were read.
    fn note_whole(&mut self, bytes: &[u8]) {
        self.whole_bytes += bytes.len() as u64;
        let new = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
        let old = (self.tail.len() + new.len()).saturating_sub(TAIL_BYTES);
        self.tail.drain(..old.min(self.tail.len()));
        self.tail.extend_from_slice(new);
    }

    /// Notes lines that this process added.
    fn note_added(&mut self, lines: &[u8], version: Version) {
        let size = self.version.map_or(0, |known| known.size);
        if self.is_torn {
            self.tail.clear();
            self.whole_bytes = size;
            self.is_torn = false;
        }
        self.note_whole(lines);
        // Where there are no locks, others may have added some at the same time.
        let is_own = version.size == size + lines.len() as u64;
        self.version = is_own.then_some(version);
    }
}

fn version<D: Disk>(disk: &D, path: &Path) -> Result<Version> {
    match disk.stat(path) {
        Ok(stat) => Ok(Version {
            number: stat.number,
            size: stat.size,
            mtime_ns: stat.mtime_ns,
        }),
        Err(error) if is_absent(&error) => Ok(Version::default()),
        Err(error) => Err(Error::io(error, "stat of the journal of expiries")),
    }
}

fn read<D: Disk>(disk: &D, path: &Path) -> Result<Vec<u8>> {
    match disk.read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(Error::io(error, "read the journal of expiries")),
    }
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Self {
        let known = Known::default();
        Journal {
            writing: Writing::of(&path),
            path,
            changes: known.changes.clone(),
            known: Mutex::new(known),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn fresh<D: Disk, T>(&self, disk: &D, ask: impl FnOnce(&mut Known) -> T) -> Result<T> {
        let mut known = lock(&self.known);
        known.refresh(disk, &self.path)?;
        Ok(ask(&mut known))
    }

    /// What the journal says about a key now.
    pub(super) fn entry<D: Disk>(&self, disk: &D, key: &str) -> Result<Option<Entry>> {
        self.fresh(disk, |known| known.entries.get(key).cloned())
    }

    /// A number that stays the same for as long as nothing new is known of the journal.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// What the journal says about a key now, and whether it is what it said all the while since
    /// [`changes`](Self::changes) gave that number.
    pub(super) fn entry_since<D: Disk>(
        &self,
        disk: &D,
        key: &str,
        changes: u64,
    ) -> Result<(Option<Entry>, bool)> {
        self.fresh(disk, |known| {
            let is_unchanged = known.changes.load(Ordering::SeqCst) == changes;
            (known.entries.get(key).cloned(), is_unchanged)
        })
    }

    /// Whether there is an entry of a key, as far as this process has read.
    pub(super) fn known<D: Disk>(&self, disk: &D, key: &str) -> Result<bool> {
        let mut known = lock(&self.known);
        if known.version.is_none() {
            known.refresh(disk, &self.path)?;
        }
        Ok(known.entries.contains_key(key))
    }

    /// The entries whose time has come.
    pub(super) fn due<D: Disk>(&self, disk: &D, now_ms: u64) -> Result<HashMap<String, Entry>> {
        self.fresh(disk, |known| {
            let due = known
                .entries
                .iter()
                .filter(|(_, entry)| entry.expires_ms <= now_ms);
            due.map(|(key, entry)| (key.clone(), entry.clone()))
                .collect()
        })
    }

    /// The least end of all entries.
    pub(super) fn earliest<D: Disk>(&self, disk: &D) -> Result<Option<u64>> {
        self.fresh(disk, |known| {
            if known.earliest.is_none() {
                known.earliest = known.entries.values().map(|entry| entry.expires_ms).min();
            }
            known.earliest
        })
    }

    /// Adds a line for each key; `None` says that the key has no end. Gives `false` where the folder
    /// is not there.
    pub(super) fn record<D: Disk>(
        &self,
        disk: &D,
        changes: &[(String, Option<Entry>)],
    ) -> Result<bool> {
        self.append(disk, Need::Usual, |_| changes.to_vec())
    }

    /// Like [`record`](Self::record), where the entries are still as they were seen.
    pub(super) fn amend<D: Disk>(
        &self,
        disk: &D,
        amendments: &[Amendment],
        need: Need,
    ) -> Result<bool> {
        self.append(disk, need, |entries| {
            let apply = |amendment: &&Amendment| {
                let now = entries.get(&amendment.key);
                now == amendment.seen.as_ref() && now != amendment.entry.as_ref()
            };
            amendments
                .iter()
                .filter(apply)
                .map(|amendment| (amendment.key.clone(), amendment.entry.clone()))
                .collect()
        })
    }

    fn append<D: Disk>(
        &self,
        disk: &D,
        need: Need,
        changes: impl FnOnce(&FxHashMap<String, Entry>) -> Vec<(String, Option<Entry>)>,
    ) -> Result<bool> {
        let failed = |error: io::Error| Error::io(error, "write the journal of expiries");
        let _turn = match need {
            Need::Usual => self.turn(),
            Need::Little => match self.writing.turns.take_soon() {
                Some(turn) => turn,
                None => return Err(failed(io::ErrorKind::ResourceBusy.into())),
            },
        };
        let folder = self.path.parent().unwrap_or(&self.path);
        let _lock = match self.writing.locks.lock(disk, folder, need) {
            Err(error) if is_absent(&error) => return Ok(false),
            outcome => outcome.map_err(failed)?,
        };
        let mut known = lock(&self.known);
        known.refresh(disk, &self.path)?;
        let changes = changes(&known.entries);
        if changes.is_empty() {
            return Ok(true);
        }
        let mut lines = String::new();
        if known.is_torn {
            lines.push('\n');
        }
        for (key, entry) in &changes {
            lines.push_str(&Entry::line(key, entry.as_ref()));
        }
        if let Err(error) = disk.append(&self.path, lines.as_bytes()) {
            // Some of it may have been written.
            known.version = None;
            return Err(failed(error));
        }
        for (key, entry) in changes {
            known.apply(key, entry);
        }
        known.note_added(lines.as_bytes(), version(disk, &self.path)?);
        Ok(true)
    }

    /// The right of one thread of this process to write the file, to be had before the lock of the
    /// base.
    pub(super) fn turn(&self) -> Turn<'_> {
        self.writing.turns.take()
    }

    /// Whether most of the file is out of date.
    pub(super) fn is_bloated(&self) -> bool {
        let known = lock(&self.known);
        let live_bytes = known.entries.len() as u64 * LINE_BYTES;
        let size = known.version.map_or(0, |version| version.size);
        size > BLOATED_BYTES && size > live_bytes * BLOATED_FACTOR
    }

    /// The content of a journal that says the same and no more.
    pub(super) fn compacted<D: Disk>(&self, disk: &D) -> Result<Vec<u8>> {
        self.fresh(disk, |known| {
            let mut entries: Vec<_> = known.entries.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            entries
                .iter()
                .map(|(key, entry)| Entry::line(key, Some(entry)))
                .collect::<String>()
                .into_bytes()
        })
    }

    /// Forgets what the file said before it was replaced.
    pub(super) fn reload<D: Disk>(&self, disk: &D) -> Result<()> {
        let mut known = lock(&self.known);
        known.version = None;
        known.refresh(disk, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SystemDisk;

    fn journal(folder: &tempfile::TempDir) -> Journal {
        Journal::new(folder.path().join("%~ttl"))
    }

    #[test]
    fn stores_of_one_base_share_their_turns_and_nothing_is_kept_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (journal(&folder), journal(&folder));
        assert!(Arc::ptr_eq(&one.writing, &other.writing));
        let path = one.path.clone();
        drop(one);
        assert!(WRITINGS.contains_key(&path));
        drop(other);
        assert!(!WRITINGS.contains_key(&path));
    }

    #[test]
    fn what_one_process_records_another_reads() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (journal(&folder), journal(&folder));
        assert_eq!(other.entry(&SystemDisk, "a").unwrap(), None);
        one.record(&SystemDisk, &[("a".to_owned(), Some(Entry::of_text(5)))])
            .unwrap();
        assert_eq!(
            other.entry(&SystemDisk, "a").unwrap(),
            Some(Entry::of_text(5))
        );
        other
            .record(&SystemDisk, &[("a".to_owned(), None)])
            .unwrap();
        assert_eq!(one.entry(&SystemDisk, "a").unwrap(), None);
    }

    #[test]
    fn a_torn_line_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("%~ttl");
        std::fs::write(&path, "{\"k\":\"a\",\"x\":1}\n{\"k\":\"b\",\"x").unwrap();
        let journal = journal(&folder);
        journal
            .record(&SystemDisk, &[("c".to_owned(), Some(Entry::of_text(3)))])
            .unwrap();
        journal.reload(&SystemDisk).unwrap();
        assert_eq!(journal.due(&SystemDisk, 9).unwrap().len(), 2);
        assert_eq!(
            journal.entry(&SystemDisk, "c").unwrap(),
            Some(Entry::of_text(3))
        );
    }

    #[test]
    fn what_is_known_follows_the_file_whatever_happens_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("%~ttl");
        let (one, other) = (journal(&folder), journal(&folder));
        let known = |journal: &Journal| {
            let due = journal.due(&SystemDisk, u64::MAX).unwrap();
            due.into_iter()
                .map(|(key, entry)| (key, entry.expires_ms))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        let append = |text: &str| SystemDisk.append(&path, text.as_bytes()).unwrap();
        for step in 0..400_u64 {
            let key = format!("k{}", step * 7 % 13);
            let set = [(key.clone(), Some(Entry::of_text(step)))];
            match step * 31 % 12 {
                0..4 => drop(one.record(&SystemDisk, &set).unwrap()),
                4..6 => drop(other.record(&SystemDisk, &set).unwrap()),
                6 => drop(other.record(&SystemDisk, &[(key, None)]).unwrap()),
                7 => append(&Entry::line(&key, set[0].1.as_ref())[..12]),
                8 => append(Entry::line(&key, set[0].1.as_ref()).trim_end()),
                9 => append("\n"),
                10 => {
                    // A compaction of another process, of which there may be several in a row.
                    let draft = folder.path().join("draft");
                    for _ in 0..=step % 3 {
                        std::fs::write(&draft, other.compacted(&SystemDisk).unwrap()).unwrap();
                        std::fs::rename(&draft, &path).unwrap();
                    }
                    other.record(&SystemDisk, &set).unwrap();
                }
                _ => {
                    // Put back from a copy, in place.
                    let line = Entry::line(&key, set[0].1.as_ref());
                    std::fs::write(&path, line.repeat(1 + step as usize % 90)).unwrap();
                }
            }
            let expected = known(&journal(&folder));
            assert_eq!(known(&one), expected, "{step}");
            assert_eq!(known(&other), expected, "{step}");
        }
    }

    #[test]
    fn a_line_that_arrives_in_pieces_is_seen_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("%~ttl");
        let journal = journal(&folder);
        let mut file = Vec::new();
        for number in 0..3 {
            let line = Entry::line("a", Some(&Entry::of_text(number)));
            for byte in line.as_bytes() {
                file.push(*byte);
                SystemDisk.append(&path, &[*byte]).unwrap();
                let is_there = file.ends_with(b"}") || file.ends_with(b"\n");
                let last = if is_there {
                    Some(number)
                } else {
                    number.checked_sub(1)
                };
                assert_eq!(
                    journal.entry(&SystemDisk, "a").unwrap(),
                    last.map(Entry::of_text)
                );
            }
        }
    }

    #[test]
    fn the_earliest_end_is_known_after_every_change() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(&folder);
        let mut model = std::collections::BTreeMap::new();
        for step in 0..200_u64 {
            let key = format!("k{}", step * 7 % 11);
            let entry = (step % 3 > 0).then(|| Entry::of_text(1000 + step * 37 % 101));
            match &entry {
                Some(entry) => model.insert(key.clone(), entry.expires_ms),
                None => model.remove(&key),
            };
            journal.record(&SystemDisk, &[(key, entry)]).unwrap();
            assert_eq!(
                journal.earliest(&SystemDisk).unwrap(),
                model.values().min().copied(),
                "{step}"
            );
        }
    }

    #[test]
    fn an_entry_of_a_raw_value_holds_for_its_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let entry = Entry::of_raw(5, &SystemDisk.stat(&path).unwrap());
        let line = Entry::line("a", Some(&entry));
        assert_eq!(
            Entry::parse(line.trim_end().as_bytes()),
            Some(("a".to_owned(), Some(entry.clone())))
        );
        assert_eq!(entry.raw_expiry(&SystemDisk.stat(&path).unwrap()), Some(5));
        std::fs::write(&path, "other").unwrap();
        assert_eq!(entry.raw_expiry(&SystemDisk.stat(&path).unwrap()), None);
    }
}
