//! Which keys have an expiry: lines of JSON in a file of the base, the last of a key counts.
//!
//! The items themselves say when they expire, and reads go by that alone. The index tells a sweep
//! and the listing of a large store which items to look at. A line too many costs a look; one too few
//! leaves an expired item in such a listing until somebody reads it.
//!
//! Its first line names the base of which it knows all expiries. Without that line, with another base
//! in it, or with a damaged line the index is not complete, and is made anew from the items.
//!
//! Lines are added under a lock of the base, without reading the others. Of a file that has grown,
//! what was added is all that is read.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Weak};

use dashmap::DashMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde_json::json;

use super::disk::{Disk, is_absent};
use super::locks::{Locks, Need};
use super::path;
use eas_core::error::{Error, Result};
use eas_core::key;
use eas_core::runtime::lock;
use eas_store::pool::{Turn, Turns};

/// The layout of the file.
const VERSION: u64 = 1;
/// An index below this size is left as it is.
const BLOATED_BYTES: u64 = 64 * 1024;
/// About the size of a line.
const LINE_BYTES: u64 = 80;
/// An index is rewritten when this much of it is out of date.
const BLOATED_FACTOR: u64 = 4;

/// By so much of the end of what was read is a file known again that has grown. Its number alone
/// does not tell: that of a file that was replaced may be given to a new one.
const TAIL_BYTES: usize = 256;

/// An expiry that one write gave an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expiry {
    pub(super) ms: u64,
    /// Tells writes of the same expiry apart: what one process settles is not what another has
    /// written since. Zero where that is not known.
    mark: u32,
}

impl Expiry {
    /// An expiry that was found.
    pub(super) fn found(ms: u64) -> Self {
        Expiry { ms, mark: 0 }
    }

    /// An expiry that is about to be written.
    pub(super) fn new(ms: u64) -> Self {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let hash = HASHER.hash_one(COUNTER.fetch_add(1, Ordering::Relaxed));
        let [.., a, b, c, d] = hash.to_le_bytes();
        Expiry {
            ms,
            mark: u32::from_le_bytes([a, b, c, d]),
        }
    }
}

/// A line of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The base, by the number of its folder, of which the index knows all expiries.
    Complete { base: u64 },
    /// The item may expire then.
    Expires { key: String, expiry: Expiry },
    /// The item does not expire then. What was written since is not meant.
    Settled { key: String, expiry: Option<Expiry> },
}

impl Line {
    pub(super) fn expires(key: &str, expiry: Expiry) -> Self {
        Line::Expires {
            key: key.to_owned(),
            expiry,
        }
    }

    pub(super) fn settled(key: &str, expiry: Expiry) -> Self {
        Line::Settled {
            key: key.to_owned(),
            expiry: Some(expiry),
        }
    }

    fn write(&self, to: &mut String) {
        let line = match self {
            Line::Complete { base } => json!({ "v": VERSION, "base": base }),
            Line::Expires { key, expiry } => {
                json!({ "k": key, "x": expiry.ms, "n": expiry.mark })
            }
            Line::Settled { key, expiry } => json!({
                "k": key,
                "f": expiry.map(|expiry| expiry.ms),
                "n": expiry.map(|expiry| expiry.mark),
            }),
        };
        to.push_str(&line.to_string());
        to.push('\n');
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let line: serde_json::Value = serde_json::from_slice(line).ok()?;
        let number = |name| line.get(name).and_then(serde_json::Value::as_u64);
        if let Some(version) = number("v") {
            let base = number("base").filter(|_| version == VERSION)?;
            return Some(Line::Complete { base });
        }
        let key = line.get("k")?.as_str()?;
        // What no write could have added leads out of the base, or to the file of another key.
        let is_key = !key.is_empty() && key::normalize(key) == key && path::refusal(key).is_none();
        let key = is_key.then(|| key.to_owned())?;
        let mark = number("n").and_then(|mark| u32::try_from(mark).ok());
        let expiry = |ms| Expiry {
            ms,
            mark: mark.unwrap_or_default(),
        };
        Some(match number("x") {
            Some(ms) => Line::Expires {
                key,
                expiry: expiry(ms),
            },
            None => Line::Settled {
                key,
                expiry: number("f").map(expiry),
            },
        })
    }
}

pub(super) struct ExpiryIndex {
    path: PathBuf,
    /// The permission bits of the file.
    mode: u32,
    writing: Arc<Writing>,
    known: Mutex<Known>,
}

/// What those of one process share who write the file: only one of them waits for the base.
#[derive(Default)]
struct Writing {
    /// Had before the lock of the base and that of what is known: whoever waits for the base holds up
    /// nobody who asks.
    turns: Turns,
    locks: Locks,
    /// Held while the index is made anew.
    rebuild: Mutex<()>,
}

/// The indexes of the process that are written by somebody.
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

impl Drop for ExpiryIndex {
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
    expiries: FxHashMap<String, Expiry>,
    /// The state of the file that they come from; `None` before it was first read.
    version: Option<Version>,
    /// Whether the file ends in the middle of a line.
    is_torn: bool,
    /// Where the last whole line that was read ends.
    whole_bytes: u64,
    /// What is right before that.
    tail: Vec<u8>,
    /// The least of the expiries; `None` when it must be looked for.
    earliest: Option<u64>,
    /// The base that the file names.
    base: Option<u64>,
    /// Whether a line was none.
    is_damaged: bool,
    /// Whether the lines that come to what is known are all there are: the store was empty at first,
    /// or all items were looked at.
    is_whole: bool,
}

/// The index right after lines were added.
#[derive(Debug, Clone, Copy)]
pub(super) struct Added(Version);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Version {
    number: Option<u64>,
    size: u64,
    mtime_ns: Option<i128>,
}

impl Known {
    fn apply(&mut self, line: Line) {
        match line {
            Line::Complete { base } => self.base = Some(base),
            Line::Expires { key, expiry } => {
                let old = self.expiries.insert(key, expiry);
                self.earliest = match (old, self.earliest) {
                    (Some(old), Some(earliest)) if old.ms == earliest => None,
                    _ if self.expiries.len() == 1 => Some(expiry.ms),
                    (_, earliest) => earliest.map(|earliest| earliest.min(expiry.ms)),
                };
            }
            Line::Settled { key, expiry } => {
                let now = self.expiries.get(&key).copied();
                if expiry.is_none() || now == expiry {
                    self.expiries.remove(&key);
                    self.earliest = None;
                }
            }
        }
    }

    fn had_file(&self) -> bool {
        self.version
            .is_some_and(|version| version != Version::default())
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
        if is_whole_read {
            if self.had_file() {
                // Another file may lack lines.
                self.is_whole = false;
                self.expiries.clear();
                self.earliest = None;
            }
            self.base = None;
            self.is_damaged = false;
            self.whole_bytes = 0;
            self.tail.clear();
        }
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        let (lines, rest) = bytes.split_at(whole);
        for line in lines.split(|byte| *byte == b'\n') {
            match Line::parse(line) {
                Some(line) => self.apply(line),
                None => self.is_damaged |= !line.is_empty(),
            }
        }
        if let Some(line) = Line::parse(rest) {
            self.apply(line);
        }
        self.is_torn = !rest.is_empty();
        self.note_whole(lines);
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
            Err(error) => Err(Error::io(error, "open").path(path)),
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
        let Some(known) = self.version else {
            // Nobody has asked for the others yet.
            return;
        };
        if self.is_torn || version.size != known.size + lines.len() as u64 {
            // Others may have added some that are still to be read.
            return;
        }
        self.note_whole(lines);
        self.version = Some(version);
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
        Err(error) => Err(Error::io(error, "stat").path(path)),
    }
}

fn read<D: Disk>(disk: &D, path: &Path) -> Result<Vec<u8>> {
    match disk.read(path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(Error::io(error, "open").path(path)),
    }
}

impl ExpiryIndex {
    pub(super) fn new(path: PathBuf, mode: u32) -> Self {
        ExpiryIndex {
            writing: Writing::of(&path),
            path,
            mode,
            known: Mutex::default(),
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

    /// When the item expires, as far as is known without a look at the file.
    pub(super) fn expiry_known(&self, key: &str) -> Option<Expiry> {
        lock(&self.known).expiries.get(key).copied()
    }

    /// The items that are to be looked at at `now_ms`.
    pub(super) fn due<D: Disk>(&self, disk: &D, now_ms: u64) -> Result<FxHashMap<String, Expiry>> {
        self.fresh(disk, |known| {
            let due = known.expiries.iter();
            due.filter(|(_, expiry)| expiry.ms <= now_ms)
                .map(|(key, expiry)| (key.clone(), *expiry))
                .collect()
        })
    }

    /// The least of all expiries.
    pub(super) fn earliest<D: Disk>(&self, disk: &D) -> Result<Option<u64>> {
        self.fresh(disk, |known| {
            if known.earliest.is_none() {
                known.earliest = known.expiries.values().map(|expiry| expiry.ms).min();
            }
            known.earliest
        })
    }

    /// Whether the index knows all expiries of the items in the folder of that number.
    pub(super) fn is_complete<D: Disk>(&self, disk: &D, base: Option<u64>) -> Result<bool> {
        self.fresh(disk, |known| {
            let is_of_base = known.base.is_some() && known.base == Some(base.unwrap_or_default());
            !known.is_damaged && (known.is_whole || is_of_base)
        })
    }

    /// Notes that there is no item yet.
    pub(super) fn note_start(&self) {
        let mut known = lock(&self.known);
        known.is_whole = !known.had_file();
    }

    /// Holds off others of this process who would make the index anew.
    pub(super) fn rebuilding(&self) -> impl Drop + '_ {
        lock(&self.writing.rebuild)
    }

    /// What an index made anew has beside what was found in the items: nothing that was added
    /// meanwhile is lost.
    pub(super) fn rebuilt<D: Disk>(
        &self,
        disk: &D,
        base: Option<u64>,
        found: Vec<(String, u64)>,
    ) -> Result<Vec<u8>> {
        self.fresh(disk, |known| {
            for (key, expires_ms) in found {
                // The item may have been written since it was looked at: the first of both times is
                // when it is to be looked at again.
                let is_first = known
                    .expiries
                    .get(&key)
                    .is_none_or(|known| expires_ms < known.ms);
                if is_first {
                    known.apply(Line::expires(&key, Expiry::found(expires_ms)));
                }
            }
            known.base = Some(base.unwrap_or_default());
            known.is_damaged = false;
            known.is_whole = true;
            known.content()
        })
    }

    /// Whether a line that was added up to there was settled since, by a sweep that came before the
    /// item did.
    pub(super) fn was_settled<D: Disk>(&self, disk: &D, line: &Line, added: Added) -> Result<bool> {
        let now = version(disk, &self.path)?;
        if now.number != added.0.number || now.size < added.0.size {
            // The index was made anew meanwhile.
            return Ok(true);
        }
        if now.size == added.0.size {
            return Ok(false);
        }
        let Line::Expires { key, expiry } = line else {
            return Ok(false);
        };
        let settled = Line::settled(key, *expiry);
        match disk.read_from(&self.path, added.0.size) {
            Ok(bytes) => Ok(bytes
                .split(|byte| *byte == b'\n')
                .any(|line| Line::parse(line).as_ref() == Some(&settled))),
            Err(error) if is_absent(&error) => Ok(true),
            Err(error) => Err(Error::io(error, "open").path(&self.path)),
        }
    }

    /// Adds lines. Gives `None` where the folder is not there.
    pub(super) fn add<D: Disk>(
        &self,
        disk: &D,
        lines: &[Line],
        need: Need,
    ) -> Result<Option<Added>> {
        let failed = |error: io::Error| Error::io(error, "write").path(&self.path);
        let _turn = match need {
            Need::Usual => self.turn(),
            Need::Little => match self.writing.turns.take_soon() {
                Some(turn) => turn,
                None => return Err(failed(io::ErrorKind::ResourceBusy.into())),
            },
        };
        let folder = self.path.parent().unwrap_or(&self.path);
        let _lock = match self.writing.locks.lock(disk, folder, need) {
            Err(error) if is_absent(&error) => return Ok(None),
            outcome => outcome.map_err(failed)?,
        };
        // The line before may be half of one, of a process that was killed.
        let mut text = String::from("\n");
        for line in lines {
            line.write(&mut text);
        }
        let mut known = lock(&self.known);
        if let Err(error) = disk.append(&self.path, text.as_bytes(), self.mode) {
            // Some of it may have been written.
            known.version = known.version.map(|_| Version::default());
            return Err(failed(error));
        }
        for line in lines {
            known.apply(line.clone());
        }
        let version = version(disk, &self.path)?;
        known.note_added(text.as_bytes(), version);
        Ok(Some(Added(version)))
    }

    /// The right of one thread of this process to write the file, to be had before the lock of the
    /// base.
    pub(super) fn turn(&self) -> Turn<'_> {
        self.writing.turns.take()
    }

    /// Whether most of the file is out of date.
    pub(super) fn is_bloated<D: Disk>(&self, disk: &D) -> Result<bool> {
        let size = version(disk, &self.path)?.size;
        if size <= BLOATED_BYTES {
            return Ok(false);
        }
        self.fresh(disk, |known| {
            size > known.expiries.len() as u64 * LINE_BYTES * BLOATED_FACTOR
        })
    }

    /// The content of an index that says the same and no more.
    pub(super) fn compacted<D: Disk>(&self, disk: &D) -> Result<Vec<u8>> {
        self.fresh(disk, |known| known.content())
    }

    /// Forgets what the file said before this process replaced it.
    pub(super) fn reload<D: Disk>(&self, disk: &D) -> Result<()> {
        let mut known = lock(&self.known);
        known.version = None;
        known.refresh(disk, &self.path)
    }
}

impl Known {
    fn content(&self) -> Vec<u8> {
        let mut expiries: Vec<_> = self.expiries.iter().collect();
        expiries.sort();
        let mut text = String::new();
        if let Some(base) = self.base.filter(|_| !self.is_damaged) {
            Line::Complete { base }.write(&mut text);
        }
        for (key, expiry) in expiries {
            Line::expires(key, *expiry).write(&mut text);
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SystemDisk;
    use std::collections::BTreeMap;

    fn index(folder: &tempfile::TempDir) -> ExpiryIndex {
        ExpiryIndex::new(folder.path().join("%~ttl"), 0o600)
    }

    fn add(index: &ExpiryIndex, lines: &[Line]) {
        let added = index.add(&SystemDisk, lines, Need::Usual).unwrap();
        assert!(added.is_some());
    }

    fn known(index: &ExpiryIndex) -> BTreeMap<String, u64> {
        let due = index.due(&SystemDisk, u64::MAX).unwrap();
        due.into_iter()
            .map(|(key, expiry)| (key, expiry.ms))
            .collect()
    }

    fn text(line: &Line) -> String {
        let mut text = String::new();
        line.write(&mut text);
        text
    }

    #[test]
    fn stores_of_one_base_share_their_turns_and_nothing_is_kept_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (index(&folder), index(&folder));
        assert!(Arc::ptr_eq(&one.writing, &other.writing));
        let path = one.path.clone();
        drop(one);
        assert!(WRITINGS.contains_key(&path));
        drop(other);
        assert!(!WRITINGS.contains_key(&path));
    }

    #[test]
    fn what_one_process_adds_another_reads() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (index(&folder), index(&folder));
        assert_eq!(known(&other), BTreeMap::new());
        add(&one, &[Line::expires("a", Expiry::found(5))]);
        assert_eq!(known(&other)["a"], 5);
        add(&other, &[Line::settled("a", Expiry::found(5))]);
        assert_eq!(known(&one), BTreeMap::new());
    }

    #[test]
    fn a_settled_expiry_takes_out_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(&folder);
        add(
            &index,
            &[
                Line::expires("a", Expiry::found(5)),
                Line::expires("a", Expiry::found(9)),
            ],
        );
        add(&index, &[Line::settled("a", Expiry::found(5))]);
        assert_eq!(known(&index)["a"], 9);
    }

    #[test]
    fn the_same_expiry_that_is_written_again_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(&folder);
        let (old, new) = (Expiry::new(5), Expiry::new(5));
        add(&index, &[Line::expires("a", old), Line::expires("a", new)]);
        add(&index, &[Line::settled("a", old)]);
        assert_eq!(known(&index)["a"], 5);
        add(&index, &[Line::settled("a", new)]);
        assert_eq!(known(&index), BTreeMap::new());
    }

    #[test]
    fn a_line_that_is_settled_before_its_item_is_there_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (index(&folder), index(&folder));
        let line = Line::expires("a", Expiry::new(5));
        let lines = [line.clone()];
        let mut added = one.add(&SystemDisk, &lines, Need::Usual).unwrap().unwrap();
        assert!(!one.was_settled(&SystemDisk, &line, added).unwrap());
        add(&other, &[Line::expires("b", Expiry::new(5))]);
        assert!(!one.was_settled(&SystemDisk, &line, added).unwrap());
        let Line::Expires { key, expiry } = &line else {
            unreachable!("it is one");
        };
        add(&other, &[Line::settled(key, *expiry)]);
        assert!(one.was_settled(&SystemDisk, &line, added).unwrap());
        added = one.add(&SystemDisk, &lines, Need::Usual).unwrap().unwrap();
        std::fs::remove_file(&one.path).unwrap();
        assert!(one.was_settled(&SystemDisk, &line, added).unwrap());
    }

    #[test]
    fn a_line_is_added_without_a_look_at_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let line = text(&Line::expires("a", Expiry::found(1)));
        std::fs::write(folder.path().join("%~ttl"), line.repeat(1000)).unwrap();
        let index = index(&folder);
        add(&index, &[Line::expires("b", Expiry::found(2))]);
        assert_eq!(index.expiry_known("a"), None);
        assert_eq!(index.expiry_known("b"), Some(Expiry::found(2)));
        assert_eq!(known(&index).len(), 2);
    }

    #[test]
    fn a_torn_line_costs_no_other_and_makes_the_index_incomplete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("%~ttl");
        let head = text(&Line::Complete { base: 7 });
        std::fs::write(
            &path,
            format!("{head}{{\"k\":\"a\",\"x\":1}}\n{{\"k\":\"b\",\"x"),
        )
        .unwrap();
        let index = index(&folder);
        assert!(index.is_complete(&SystemDisk, Some(7)).unwrap());
        assert!(!index.is_complete(&SystemDisk, Some(8)).unwrap());
        add(&index, &[Line::expires("c", Expiry::found(3))]);
        assert_eq!(known(&index).len(), 2);
        assert!(!index.is_complete(&SystemDisk, Some(7)).unwrap());
    }

    #[test]
    fn an_index_from_the_start_is_complete_until_its_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (index(&folder), index(&folder));
        one.note_start();
        add(&other, &[Line::expires("a", Expiry::found(3))]);
        add(&one, &[Line::expires("b", Expiry::found(4))]);
        assert!(one.is_complete(&SystemDisk, Some(7)).unwrap());
        assert!(!other.is_complete(&SystemDisk, Some(7)).unwrap());
        std::fs::remove_file(&one.path).unwrap();
        assert!(!one.is_complete(&SystemDisk, Some(7)).unwrap());
    }

    #[test]
    fn what_is_known_follows_the_file_whatever_happens_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("%~ttl");
        let (one, other) = (index(&folder), index(&folder));
        let append = |text: &str| SystemDisk.append(&path, text.as_bytes(), 0o600).unwrap();
        for step in 0..400_u64 {
            let key = format!("k{}", step * 7 % 13);
            let line = Line::expires(&key, Expiry::found(step));
            match step * 31 % 12 {
                0..4 => add(&one, &[line]),
                4..6 => add(&other, &[line]),
                6 => {
                    let expires_ms = known(&other).get(&key).copied().unwrap_or_default();
                    add(&other, &[Line::settled(&key, Expiry::found(expires_ms))]);
                }
                7 => append(&text(&line)[..12]),
                8 => append(text(&line).trim_end()),
                9 => append("\n"),
                10 => {
                    // A compaction of another process, of which there may be several in a row.
                    let draft = folder.path().join("draft");
                    for _ in 0..=step % 3 {
                        std::fs::write(&draft, other.compacted(&SystemDisk).unwrap()).unwrap();
                        std::fs::rename(&draft, &path).unwrap();
                    }
                    add(&other, &[line]);
                }
                _ => {
                    // Put back from a copy, in place.
                    std::fs::write(&path, text(&line).repeat(1 + step as usize % 90)).unwrap();
                }
            }
            let expected = known(&index(&folder));
            assert_eq!(known(&one), expected, "{step}");
            assert_eq!(known(&other), expected, "{step}");
        }
    }

    #[test]
    fn a_line_that_arrives_in_pieces_is_seen_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("%~ttl");
        let index = index(&folder);
        let mut file = Vec::new();
        for number in 0..3 {
            for byte in text(&Line::expires("a", Expiry::found(number))).as_bytes() {
                file.push(*byte);
                SystemDisk.append(&path, &[*byte], 0o600).unwrap();
                let is_there = file.ends_with(b"}") || file.ends_with(b"\n");
                let last = if is_there {
                    Some(number)
                } else {
                    number.checked_sub(1)
                };
                assert_eq!(known(&index).get("a").copied(), last);
            }
        }
    }

    #[test]
    fn the_earliest_expiry_is_known_after_every_change() {
        let folder = tempfile::tempdir().unwrap();
        let index = index(&folder);
        let mut model = BTreeMap::new();
        for step in 0..200_u64 {
            let key = format!("k{}", step * 7 % 11);
            let expires_ms = 1000 + step * 37 % 101;
            if step % 3 > 0 {
                add(&index, &[Line::expires(&key, Expiry::found(expires_ms))]);
                model.insert(key, expires_ms);
            } else if let Some(old) = model.remove(&key) {
                add(&index, &[Line::settled(&key, Expiry::found(old))]);
            }
            assert_eq!(
                index.earliest(&SystemDisk).unwrap(),
                model.values().min().copied(),
                "{step}"
            );
        }
    }

    #[test]
    fn lines_of_earlier_layouts_are_read() {
        for (line, expected) in [
            (
                r#"{"k":"a","x":5}"#,
                Some(Line::expires("a", Expiry::found(5))),
            ),
            (
                r#"{"k":"a","m":1,"s":2,"x":5}"#,
                Some(Line::expires("a", Expiry::found(5))),
            ),
            (
                r#"{"k":"a"}"#,
                Some(Line::Settled {
                    key: "a".to_owned(),
                    expiry: None,
                }),
            ),
            (r#"{"k":"../a","x":5}"#, None),
            (r#"{"v":2,"base":5}"#, None),
        ] {
            assert_eq!(Line::parse(line.as_bytes()), expected, "{line}");
        }
    }
}
