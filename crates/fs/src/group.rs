//! Conditional changes, and changes that are made together or not at all.
//!
//! A group is written to a journal first, in a folder of the base that is there for as long as groups are
//! under way. From then on it counts: its changes are made as any others are, and the journal goes. Who
//! finds one whose owner is gone makes the changes anew, all of them, which changes nothing where they
//! were made already. That nobody changes an item after the group did, and before its journal is gone,
//! is what the locks of its keys are for: whoever holds one of them and finds the journal knows that its
//! owner is gone, and finishes the group first.
//!
//! Unless the durability is `none`, each step is durable before the next: the journal, the items, and
//! that the journal is gone before the locks are.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::changes::Pending;
use super::disk::{Access, Disk, Kind as FileKind, Stat, is_absent};
use super::durability::Level;
use super::engine::{ATTEMPTS, Engine};
use super::held::{Held, Wait, Waiting};
use super::journal::{self, Change, Read};
use super::key_locks::no_locks;
use super::path;
use super::place::{Place, Reach};
use super::terms::{Permit, Terms};
use eas_core::condition::{Check, conflicts};
use eas_core::envelope::Stored;
use eas_core::error::{Error, Result, io_from_code};
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::store::Applied;
use eas_core::value::Value;

/// A change of an item as it is made.
pub(super) struct Staged<'a> {
    pub(super) key: &'a str,
    pub(super) step: Step<'a>,
}

/// What a group found of an item.
struct Old {
    bytes: Option<Vec<u8>>,
    /// Of a file that it removes: one that is replaced tells by itself who may do what with it.
    stat: Option<Stat>,
}

/// What is done to its file.
pub(super) enum Step<'a> {
    /// It is written.
    Set(Stored<'a>),
    /// It is removed.
    Remove(Reach),
}

impl<'a> Staged<'a> {
    fn of(key: &'a str, change: Change<'a>) -> Self {
        let step = match change {
            Change::Set(bytes) => Step::Set(Stored::found(bytes)),
            Change::Remove { is_listed: true } => Step::Remove(Reach::Listed),
            Change::Remove { is_listed: false } => Step::Remove(Reach::Named),
        };
        Staged { key, step }
    }

    fn is_listed(&self) -> bool {
        matches!(self.step, Step::Remove(Reach::Listed))
    }

    fn is_set(&self) -> bool {
        matches!(self.step, Step::Set(_))
    }
}

/// The changes of a group that were made, not reported yet; `None` for those that changed nothing.
type Made<'a> = SmallVec<[Option<Pending<'a>>; 8]>;

impl<D: Disk> Engine<D> {
    /// Makes changes as one if the conditions hold.
    pub(super) fn commit(&self, checks: &[Check], writes: &[Staged<'_>]) -> Result<Applied> {
        match writes {
            [] | [_] => self.commit_one(checks, writes),
            writes => self.commit_many(checks, writes),
        }
    }

    fn commit_one(&self, checks: &[Check], writes: &[Staged<'_>]) -> Result<Applied> {
        let write = writes.first();
        let refused = RefCell::new(Vec::new());
        let permit = || self.hold_checked(checks, writes, &refused);
        let terms = Terms::usual(&permit);
        let is_made = match write {
            None => permit().map(|_| false)?,
            Some(write) => match &write.step {
                Step::Set(stored) => self.put(write.key, stored, &terms),
                Step::Remove(reach) => self.discard_if(write.key, *reach, &terms),
            }
            .map_err(|error| error.key(write.key))?,
        };
        let conflicts = refused.take();
        if conflicts.is_empty() {
            Ok(Applied::Done(write.map(|_| is_made).into_iter().collect()))
        } else {
            Ok(Applied::Conflicts(conflicts))
        }
    }

    fn commit_many(&self, checks: &[Check], writes: &[Staged<'_>]) -> Result<Applied> {
        self.note_start();
        let refused = RefCell::new(Vec::new());
        let mut waiting = None;
        let (held, mark) = loop {
            let Permit::Granted(held) = self.hold_checked(checks, writes, &refused)? else {
                return Ok(Applied::Conflicts(refused.take()));
            };
            if !held.is_locked() {
                // There is no base, and so nothing to remove.
                return Ok(Applied::Done(writes.iter().map(|_| false).collect()));
            }
            if let Some(mark) = self.mark_group(&held)? {
                break (held, mark);
            }
            drop(held);
            let waiting = waiting.get_or_insert_with(|| Waiting::new(Wait::Usual));
            if !waiting.goes_on() {
                return Err(Error::io(io_from_code("EBUSY"), "open").path(self.base()));
            }
        };
        let old: Vec<_> = writes
            .iter()
            .map(|write| self.old(write).map_err(|error| error.key(write.key)))
            .collect::<Result<_>>()?;
        let journal = self.groups_folder().join(journal_name());
        let made = self.make_with_journal(&journal, writes, &old);
        drop(mark);
        self.unmark_groups();
        let made = made?;
        let changed = made.iter().map(Option::is_some).collect();
        drop(held);
        self.report(writes, made);
        Ok(Applied::Done(changed))
    }

    /// Makes all changes of a group whose keys are locked, with a journal meanwhile.
    fn make_with_journal<'a>(
        &'a self,
        journal: &Path,
        writes: &'a [Staged<'a>],
        old: &[Old],
    ) -> Result<Made<'a>> {
        if let Err(error) = self.write_journal(journal, writes) {
            if self.remove_journal(journal).is_err() {
                self.leave_unfinished(journal);
            }
            return Err(error);
        }
        let made = match self.make_all(writes, |_| None) {
            Ok(made) => made,
            Err(error) => {
                if self.take_back(writes, old).is_err() || self.remove_journal(journal).is_err() {
                    self.leave_unfinished(journal);
                }
                return Err(error);
            }
        };
        // One that stays is finished by the next change of its keys, which changes nothing.
        if self.remove_journal(journal).is_err() {
            self.durability.note_folder(&self.groups_folder());
            self.durability.note_folder(self.base());
        }
        Ok(made)
    }

    /// Holds the locks of all keys if the conditions hold; adds the keys of those that do not.
    fn hold_checked(
        &self,
        checks: &[Check],
        writes: &[Staged<'_>],
        refused: &RefCell<Vec<String>>,
    ) -> Result<Permit<D>> {
        let held = self.hold_all(checks, writes)?;
        let found = conflicts(checks, |key| {
            let bytes = self.bytes(key).map_err(|error| error.key(key))?;
            Ok::<_, Error>(bytes.map(Value::buffer))
        })?;
        if found.is_empty() {
            return Ok(Permit::Granted(held));
        }
        refused.borrow_mut().extend(found);
        Ok(Permit::Refused)
    }

    fn hold_all(&self, checks: &[Check], writes: &[Staged<'_>]) -> Result<Held<D>> {
        let checked = checks.iter().map(|check| &*check.key);
        let keys: SmallVec<[&str; 8]> = checked
            .chain(writes.iter().map(|write| write.key))
            .collect();
        let mut had_base = false;
        for _ in 0..ATTEMPTS {
            let held = self.hold(keys.iter().copied(), Wait::Usual)?;
            if held.is_locked() {
                return Ok(held);
            }
            match self.disk.stat(self.base()) {
                Err(error) if is_absent(&error) => had_base = false,
                _ if had_base => return Err(no_locks()),
                // Somebody may have made it since the locks were looked for.
                _ => {
                    had_base = true;
                    continue;
                }
            }
            if !writes.iter().any(Staged::is_set) {
                // Without a base there is no item, and nothing to remove.
                return Ok(held);
            }
            self.make_folders(self.base())?;
        }
        Err(Error::io(io_from_code("EBUSY"), "mkdir").path(self.base()))
    }

    fn groups_are_durable(&self) -> bool {
        self.options.durability != Level::None
    }

    /// Makes all changes of a group whose keys are locked. `like` gives the file, by the number of the
    /// change, whose access one gets that is not there.
    fn make_all<'a>(
        &'a self,
        writes: &'a [Staged<'a>],
        like: impl Fn(usize) -> Option<Stat>,
    ) -> Result<Made<'a>> {
        let permit = || Ok(Permit::Granted(Held::nothing()));
        let mut made = Made::with_capacity(writes.len());
        for (number, write) in writes.iter().enumerate() {
            let terms = Terms {
                permit: &permit,
                has_journal: true,
                like: like(number),
            };
            let change = match &write.step {
                Step::Set(stored) => self.put_unreported(write.key, stored, &terms),
                Step::Remove(reach) => self.take_out(write.key, *reach, &terms),
            };
            made.push(change.map_err(|error| error.key(write.key))?);
        }
        if self.groups_are_durable() {
            // All that waits for the medium comes together: the first of these calls has most to do.
            for write in writes {
                self.sync_made(write)
                    .map_err(|error| error.key(write.key))?;
            }
            for write in writes {
                let settled = self.durability.settle_now(&self.place(write.key));
                settled.map_err(|error| error.key(write.key))?;
            }
        }
        Ok(made)
    }

    /// Makes the content durable of an item that a group wrote.
    fn sync_made(&self, write: &Staged<'_>) -> Result<()> {
        if !write.is_set() {
            return Ok(());
        }
        match self.find(&self.place(write.key))? {
            Some(found) => self.durability.sync_file(&found.path),
            None => Ok(()),
        }
    }

    /// Reports the changes of a group that is over, in order.
    fn report(&self, writes: &[Staged<'_>], made: Made<'_>) {
        for (write, made) in writes.iter().zip(made) {
            if let Some(made) = made {
                made.made();
                if !write.is_set() {
                    self.forget_expiry(write.key);
                }
            }
        }
    }

    /// Undoes what a group did that failed midway. Where that fails too, the group is still to be
    /// finished, and is read as if it were.
    fn take_back(&self, writes: &[Staged<'_>], old: &[Old]) -> Result<()> {
        let mut back = Vec::new();
        let mut like = Vec::new();
        for (write, old) in writes.iter().zip(old) {
            if self.fetch(&self.place(write.key))? != old.bytes {
                let remove = Change::Remove { is_listed: false };
                let change = old.bytes.as_deref().map_or(remove, Change::Set);
                back.push(Staged::of(write.key, change));
                like.push(old.stat);
            }
        }
        self.make_all(&back, |number| like[number]).map(drop)
    }

    fn old(&self, write: &Staged<'_>) -> Result<Old> {
        let place = self.place(write.key);
        let stat = if write.is_set() {
            None
        } else {
            self.find(&place)?.map(|found| found.stat)
        };
        Ok(Old {
            bytes: self.fetch(&place)?,
            stat,
        })
    }

    fn groups_folder(&self) -> PathBuf {
        self.base().join(path::GROUPS)
    }

    /// Writes the journal of a group. With its last step the group counts.
    fn write_journal(&self, journal: &Path, writes: &[Staged<'_>]) -> Result<()> {
        let folder = self.groups_folder();
        let files: Vec<_> = writes
            .iter()
            .map(|write| match &write.step {
                Step::Set(stored) => Some(stored.file_bytes()),
                Step::Remove(_) => None,
            })
            .collect();
        let bytes = journal::write(writes.iter().zip(&files).map(|(write, file)| {
            let is_listed = write.is_listed();
            let remove = Change::Remove { is_listed };
            (write.key, file.as_deref().map_or(remove, Change::Set))
        }));
        let failed = |error, syscall| Error::io(error, syscall).path(journal);
        for _ in 0..ATTEMPTS {
            match self.disk.create_folder(&folder, self.options.folder_mode()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    // A link would lead elsewhere.
                    let found = self.stat_name(&folder)?;
                    if found.is_some_and(|stat| stat.kind != FileKind::Folder) {
                        return Err(failed(io_from_code("ENOTDIR"), "mkdir"));
                    }
                }
                Err(error) if is_absent(&error) => {
                    self.make_folders(self.base())?;
                    continue;
                }
                Err(error) => return Err(failed(error, "mkdir")),
            }
            let access = Access::Mode(self.options.own_mode());
            // Another group that is over may take the folder away, and a clean-up the file.
            if !self.place_new(&bytes, journal, access, false)? {
                continue;
            }
            return self.sync_journal(journal);
        }
        Err(failed(io_from_code("EBUSY"), "open"))
    }

    /// Makes a journal durable, if need be. A loss of power before that leaves a damaged one at most, and no
    /// change was made.
    fn sync_journal(&self, journal: &Path) -> Result<()> {
        if !self.groups_are_durable() {
            return Ok(());
        }
        self.durability.sync_file(journal)?;
        self.durability.note_folder(&self.groups_folder());
        self.durability.note_folder(self.base());
        self.durability.settle_now(&Place {
            path: journal.to_owned(),
            literal: None,
        })
    }

    /// Removes the journal of a group that is over, and the folder with the last.
    fn remove_journal(&self, journal: &Path) -> Result<()> {
        let was_there = match self.disk.remove_file_below(self.base(), journal) {
            Ok(()) => true,
            Err(error) if is_absent(&error) => false,
            Err(error) => return Err(Error::io(error, "unlink").path(journal)),
        };
        let folder = self.groups_folder();
        let removed = self.disk.remove_folder(self.base(), &folder);
        if was_there && self.groups_are_durable() {
            let changed = match removed {
                Ok(()) => self.base(),
                Err(_) => &folder,
            };
            match self.disk.sync_folder(changed) {
                Ok(()) => {}
                // Others removed it meanwhile.
                Err(error) if is_absent(&error) => {
                    let synced = self.disk.sync_folder(self.base());
                    synced.map_err(|error| Error::io(error, "fsync").path(self.base()))?;
                }
                Err(error) => return Err(Error::io(error, "fsync").path(changed)),
            }
        }
        Ok(())
    }

    /// That of the journals whose group is to change an item with one of these locks.
    pub(super) fn group_of(&self, journals: &[PathBuf], slots: &[u64]) -> Result<Option<PathBuf>> {
        for journal in journals {
            let Some(bytes) = self.read_journal(journal)? else {
                continue;
            };
            if let Read::Whole(changes) = journal::read(&bytes) {
                let of_group = self.slots(changes.iter().map(|(key, _)| *key));
                if of_group.iter().any(|slot| slots.contains(slot)) {
                    return Ok(Some(journal.clone()));
                }
            }
        }
        Ok(None)
    }

    /// The journals that are there.
    pub(super) fn journals(&self) -> Result<Vec<PathBuf>> {
        let folder = self.groups_folder();
        match self.disk.stat_link(&folder) {
            Ok(stat) if stat.kind == FileKind::Folder => {}
            Err(error) if !is_absent(&error) => {
                return Err(Error::io(error, "lstat").path(&folder));
            }
            _ => return Ok(Vec::new()),
        }
        let mut journals = Vec::new();
        let listed = self.disk.list(self.base(), &folder, &mut |name, kind| {
            let is_journal = name
                .to_str()
                .is_some_and(|name| !name.starts_with(path::RESERVED));
            if is_journal && kind == FileKind::File {
                journals.push(folder.join(name));
            }
        });
        match listed {
            Err(error) if !is_absent(&error) => Err(Error::io(error, "scandir").path(&folder)),
            _ => Ok(journals),
        }
    }

    fn read_journal(&self, journal: &Path) -> Result<Option<Vec<u8>>> {
        match self.disk.read(journal) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io(error, "open").path(journal)),
        }
    }

    /// Makes all changes of a group whose owner is gone.
    pub(super) fn finish_group(&self, journal: &Path, wait: Wait) -> Result<()> {
        let Some(bytes) = self.read_journal(journal)? else {
            return Ok(());
        };
        let changes = match journal::read(&bytes) {
            Read::Whole(changes) => changes,
            Read::Newer => return Ok(()),
            // It got its name when it was whole: a loss of power cut it, and no change was made.
            Read::Damaged => {
                self.remove_journal(journal)?;
                self.unmark_groups();
                return Ok(());
            }
        };
        let slots = self.slots(changes.iter().map(|(key, _)| *key));
        let held = self.hold_slots(&slots, wait)?;
        if !held.is_locked() {
            return Err(no_locks());
        }
        // Its owner or somebody else may have been finishing it.
        if self.read_journal(journal)?.as_ref() != Some(&bytes) {
            return Ok(());
        }
        // Its owner ended before it made anything durable.
        self.sync_journal(journal)?;
        for (key, _) in &changes {
            self.note_folders_of(&self.place(key));
        }
        let writes: Vec<_> = changes
            .into_iter()
            .map(|(key, change)| Staged::of(key, change))
            .collect();
        let made = self.make_all(&writes, |_| None)?;
        self.remove_journal(journal)?;
        self.unmark_groups();
        drop(held);
        self.report(&writes, made);
        Ok(())
    }

    /// Notes each folder in which a name that leads to a value may have come or gone.
    fn note_folders_of(&self, place: &Place) {
        let paths = std::iter::once(&place.path).chain(&place.literal);
        let folders = paths.flat_map(|path| path.ancestors());
        for folder in folders.filter(|folder| folder.starts_with(self.base())) {
            self.durability.note_folder(folder);
        }
    }

    /// Finishes the groups that were cut off. Those of others that are alive, and those that cannot be
    /// finished here, are read as if they were done.
    pub(super) fn finish_groups(&self) -> Result<()> {
        for journal in self.journals()? {
            if self.options.read_only || self.finish_group(&journal, Wait::No).is_err() {
                self.note_unfinished(&journal)?;
            }
        }
        Ok(())
    }

    /// Who never writes looks at each use for groups that began since.
    pub(super) fn note_new_groups(&self) {
        if !self.may_have_groups() {
            return;
        }
        for journal in self.journals().unwrap_or_default() {
            if !self.unfinished.knows(&journal) {
                // What does not read now is looked at again by the next use.
                let _ = self.note_unfinished(&journal);
            }
        }
    }

    /// Notes a group that this store began and could neither finish nor undo.
    fn leave_unfinished(&self, journal: &Path) {
        if self.note_unfinished(journal).is_err() {
            // The next use looks for groups as the first did.
            self.is_open.store(false, Ordering::Release);
        }
    }

    fn note_unfinished(&self, journal: &Path) -> Result<()> {
        let Some(stat) = self.stat_name(journal)? else {
            return Ok(());
        };
        let Some(bytes) = self.read_journal(journal)? else {
            return Ok(());
        };
        if let Read::Whole(changes) = journal::read(&bytes) {
            let changes = changes.into_iter().map(|(key, change)| {
                let stored = match change {
                    Change::Set(bytes) => Some(bytes.to_vec()),
                    Change::Remove { .. } => None,
                };
                (key.to_owned(), stored)
            });
            self.unfinished.add(journal.to_owned(), stat, changes);
        }
        Ok(())
    }

    /// The keys of a listing as they will be, and whether groups had a say.
    pub(super) fn with_unfinished(
        &self,
        keys: Keys,
        base: &str,
        max_depth: Option<usize>,
    ) -> (Keys, bool) {
        let mut changed = self.unfinished.keys(&*self.disk);
        if changed.is_empty() {
            return (keys, false);
        }
        let mut keys = keys.filtered(|key| changed.remove(key) != Some(false));
        let depth = |key: &str| memchr::memchr_iter(b':', key.as_bytes()).count();
        for (key, is_item) in changed {
            let is_listed = is_item
                && key::is_under(&key, base)
                && max_depth.is_none_or(|most| depth(&key) <= most);
            if is_listed && !self.ignores(&key) {
                keys.push(&key);
            }
        }
        (keys, true)
    }

    fn ignores(&self, key: &str) -> bool {
        let mut relative = String::with_capacity(key.len() + 8);
        path::push_path(&mut relative, key, '/');
        self.options.ignore.covers(&relative)
    }
}

/// A name that no other group has.
fn journal_name() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
