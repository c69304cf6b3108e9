//! The locks of keys: who changes an item holds that of its key from the look at it to the rename.
//!
//! Every write, clear and expiry takes them, of this process and of others, so that nothing comes
//! between what a conditional write finds and what it does. They are never taken from a process that
//! is alive. Where the file system has none, plain writes go on without.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use smallvec::SmallVec;

use super::disk::{Disk, KeyLocksNow, is_absent};
use super::engine::Engine;
use super::held::{Held, LEFT_TO_OTHERS, Opened, Wait, Waiting};
use super::lines::{Count, Turn};
use super::path;
use eas_core::error::{Error, Kind, Result, io_from_code};
use eas_core::runtime::lock;
use eas_store::pool::{self, SOON};

/// A file of locks that is another one each time is no file that was removed: such a file system has no
/// locks that keep anybody out.
const MOST_FILES: usize = 1_000;

impl<D: Disk> Engine<D> {
    /// Holds the locks of these keys, which no group that was cut off is waiting to change any more.
    ///
    /// # Errors
    /// `EBUSY` when somebody else holds one for too long; those of the system, and of the groups.
    pub(super) fn hold<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a str>,
        wait: Wait,
    ) -> Result<Held<D>> {
        let slots = self.slots(keys);
        loop {
            let held = self.hold_slots(&slots, wait)?;
            if !held.may_have_groups {
                return Ok(held);
            }
            let journals = self.journals()?;
            if let Some(group) = self.group_of(&journals, &slots)? {
                // Its owner is gone: alive it would hold one of these.
                drop(held);
                self.finish_group(&group, wait)?;
                continue;
            }
            if journals.is_empty() {
                if let Some(opened) = &held.of {
                    opened.tells_of_groups.store(true, Ordering::Release);
                }
                self.unmark_groups();
            }
            return Ok(held);
        }
    }

    /// The locks of keys, each once, in the order in which all take them.
    pub(super) fn slots<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> SmallVec<[u64; 4]> {
        let folds = self.folds_names();
        let slot = |key: &str| {
            let hash = if folds { hash(&folded(key)) } else { hash(key) };
            self.disk.key_slot(hash)
        };
        let mut slots: SmallVec<[u64; 4]> = keys.into_iter().map(slot).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The turns of this thread among those of the process, in the order of the slots: nobody waits in a
    /// circle. `None` where somebody else does not get on for too long.
    fn turns(&self, slots: &[u64], wait: Wait) -> Option<SmallVec<[Turn<u64>; 1]>> {
        let patience = wait.patience();
        let mut aside = None;
        let mut turns = SmallVec::with_capacity(slots.len());
        for slot in slots {
            let turn = match self.key_locks.lines.enter(*slot) {
                Ok(turn) => turn,
                Err(_) if wait == Wait::No => return None,
                Err(waiting) => match waiting.wait(SOON.min(patience), Count::Everything) {
                    Some(turn) => turn,
                    None => {
                        aside = aside.or_else(pool::step_aside);
                        waiting.wait(patience, Count::Standstill)?
                    }
                },
            };
            if turn.is_overdue() {
                thread::sleep(LEFT_TO_OTHERS);
            }
            turns.push(turn);
        }
        Some(turns)
    }

    /// Holds locks. Who waits for one holds no other.
    pub(super) fn hold_slots(&self, slots: &[u64], wait: Wait) -> Result<Held<D>> {
        let failed = |error| Error::io(error, "fcntl").path(&self.key_locks.file);
        let turns = self.turns(slots, wait);
        let turns = turns.ok_or_else(|| failed(io_from_code("EBUSY")))?;
        let mut waiting = None;
        let mut files = 0;
        'tries: loop {
            let Some(opened) = self.key_lock_file()? else {
                return Ok(Held::nothing());
            };
            let mut locks = SmallVec::with_capacity(slots.len());
            for slot in slots {
                match self.disk.try_lock_key(&opened.locks, *slot) {
                    Ok(Some(lock)) => locks.push(lock),
                    Ok(None) => {
                        drop(locks);
                        if !waiting.get_or_insert_with(|| Waiting::new(wait)).goes_on() {
                            return Err(failed(io_from_code("EBUSY")));
                        }
                        continue 'tries;
                    }
                    Err(error) if error.kind() == ErrorKind::Unsupported => {
                        return Ok(Held::nothing());
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
            let file = &self.key_locks.file;
            let may_have_groups = match self.disk.look_at_key_locks(&opened.locks, file) {
                KeyLocksNow::Gone => {
                    // The base was removed: others open the file of a new one.
                    let mut current = lock(&self.key_locks.opened);
                    current.take_if(|current| Arc::ptr_eq(current, &opened));
                    files += 1;
                    if files == MOST_FILES {
                        return Ok(Held::nothing());
                    }
                    continue;
                }
                KeyLocksNow::Quiet => !opened.tells_of_groups.load(Ordering::Acquire),
                KeyLocksNow::MayHaveGroups => true,
            };
            return Ok(Held {
                _locks: locks,
                _turns: turns,
                of: Some(opened),
                may_have_groups,
            });
        }
    }

    /// Has every write of others look for groups from now on; `None` when the locks that are held keep
    /// nobody out any more, or somebody looks whether no group is under way.
    pub(super) fn mark_group(&self, held: &Held<D>) -> Result<Option<D::GroupMark>> {
        let file = &self.key_locks.file;
        let Some(opened) = &held.of else {
            return Ok(None);
        };
        self.disk
            .mark_group(&opened.locks, file)
            .map_err(|error| Error::io(error, "open").path(file))
    }

    /// Has nobody look for groups any more, if there are none. Where that cannot be found out, writes go on
    /// looking.
    pub(super) fn unmark_groups(&self) {
        let mut is_over = || self.journals().is_ok_and(|journals| journals.is_empty());
        let _ = self.disk.unmark_groups(&self.key_locks.file, &mut is_over);
    }

    /// Whether a group may be under way, or was left unfinished.
    pub(super) fn may_have_groups(&self) -> bool {
        self.disk.may_have_groups(&self.key_locks.file)
    }

    /// The open file; `None` where there are no locks, or no base and so no item.
    fn key_lock_file(&self) -> Result<Option<Arc<Opened<D::KeyLocks>>>> {
        let locks = &self.key_locks;
        let mut opened = lock(&locks.opened);
        if let Some(opened) = &*opened {
            return Ok(Some(opened.clone()));
        }
        match self
            .disk
            .open_key_locks(&locks.file, self.options.own_mode())
        {
            Ok(file) => {
                let file = Arc::new(Opened {
                    locks: Arc::new(file),
                    tells_of_groups: AtomicBool::new(false),
                });
                Ok(Some(opened.insert(file).clone()))
            }
            Err(error) if is_absent(&error) || is_out_of_reach(&error) => Ok(None),
            Err(error) => Err(Error::io(error, "open").path(&locks.file)),
        }
    }

    /// Lets go of the file of the locks.
    pub(super) fn close_key_locks(&self) {
        lock(&self.key_locks.opened).take();
    }
}

/// Whether the error says that this process cannot have a lock file there.
fn is_out_of_reach(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

/// What a conditional write is told where there are no locks.
pub(super) fn no_locks() -> Error {
    let message = format!(
        "the file system of the base has no locks between processes, or {:?} in it cannot be opened for writing: use getItem and setItem, or another base",
        path::KEY_LOCKS
    );
    Error::new(Kind::AtomicUnsupported, message)
}

/// FNV-1a, the same for every version and process, its bits mixed once more.
fn hash(key: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.as_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 29)
}

/// One text for all spellings that a file system may not distinguish. Letters before a character that
/// is not ASCII may be a part of it in another Unicode form, so that all of them stand for one.
fn folded(key: &str) -> String {
    let mut folded = String::with_capacity(key.len());
    let mut is_open = false;
    for character in key.chars().flat_map(char::to_lowercase) {
        let character = if character == 'ſ' { 's' } else { character };
        if character.is_ascii() {
            folded.push(character);
            is_open = false;
        } else if !is_open {
            let letters = folded.trim_end_matches(|last: char| last.is_ascii_lowercase());
            let has_mark = letters.ends_with('*');
            folded.truncate(letters.len());
            if !has_mark {
                folded.push('*');
            }
            is_open = true;
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_key_stays_what_it_is() {
        for (key, expected) in HASHES {
            assert_eq!(hash(key), *expected, "{key}");
        }
    }

    /// Another implementation computed these.
    const HASHES: &[(&str, u64)] = &[
        ("a", 0x82b1_9d98_59a6_1322),
        ("b", 0x4a14_e851_4a87_f785),
        ("user:1:name", 0xda8d_b0c6_f157_f12e),
        ("é", 0x499e_0a6c_880d_f608),
    ];

    #[test]
    fn spellings_that_are_one_file_are_folded_alike() {
        for (one, other) in [
            ("User:Name", "uSER:nAME"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("cafe\u{e9}s", "CAFEE\u{301}S"),
            ("\u{212a}elvin", "kelvin"),
            ("me\u{17f}\u{17f}", "mess"),
            ("\u{c5}ngstr\u{f6}m:x", "a\u{30a}ngstro\u{308}m:X"),
            ("\u{e9}\u{e9}", "e\u{301}e\u{301}"),
            ("\u{e9}ab\u{e9}", "e\u{301}abe\u{301}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("a"), folded("b"));
        assert_ne!(folded("a:\u{e9}"), folded("b:\u{e9}"));
    }
}
