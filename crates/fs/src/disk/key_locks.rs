//! The locks of keys, one slot for the hash of a key, between the processes that have a base open.
//!
//! What the system locks belongs to an open file, and one of a process serves all of its threads: only one
//! of them may ask for a slot at a time.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::types::KeyLocksNow;

#[cfg(target_os = "linux")]
#[path = "key_locks/ranges.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "key_locks/stripes.rs"]
mod system;

/// Both ways are tested wherever tests run.
#[cfg(all(test, target_os = "linux"))]
#[path = "key_locks/stripes.rs"]
mod stripes;

/// The open file, or files, of the locks of one base.
pub struct KeyLockFile {
    system: system::Slots,
}

/// One locked slot.
pub struct KeyLockHeld {
    file: Arc<KeyLockFile>,
    system: system::Held,
}

/// Says that a group is under way, for as long as it lives.
pub struct GroupMark {
    _system: system::Mark,
}

impl KeyLockFile {
    pub(super) fn open(file: &Path, mode: u32) -> io::Result<Self> {
        Ok(KeyLockFile {
            system: system::Slots::open(file, mode)?,
        })
    }

    pub(super) fn look(&self, file: &Path) -> KeyLocksNow {
        self.system.look(file)
    }

    pub(super) fn mark_group(&self, file: &Path) -> io::Result<Option<GroupMark>> {
        let mark = self.system.mark_group(file)?;
        Ok(mark.map(|system| GroupMark { _system: system }))
    }

    /// `None` while another process, or another open file, holds it.
    pub(super) fn try_lock(self: &Arc<Self>, slot: u64) -> io::Result<Option<KeyLockHeld>> {
        let held = self.system.try_lock(slot)?;
        Ok(held.map(|system| KeyLockHeld {
            file: self.clone(),
            system,
        }))
    }
}

impl Drop for KeyLockHeld {
    fn drop(&mut self) {
        self.file.system.unlock(&self.system);
    }
}

/// Whether the file of the locks says that a group may be under way.
pub(super) fn may_have_groups(file: &Path) -> bool {
    system::may_have_groups(file)
}

/// Has it say so no more, if none is.
pub(super) fn unmark_groups(file: &Path, is_over: &mut dyn FnMut() -> bool) -> io::Result<()> {
    system::unmark_groups(file, is_over)
}

/// The slot of a hash.
pub(super) fn slot_of(hash: u64) -> u64 {
    system::slot_of(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_had_once_by_two_open_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("locks");
        let open = || Arc::new(KeyLockFile::open(&name, 0o600).expect("opens"));
        let (one, other) = (open(), open());
        let is_free = |file: &Arc<KeyLockFile>, slot| file.try_lock(slot).expect("asks").is_some();
        let held = one.try_lock(7).expect("asks").expect("is free");
        assert!(!is_free(&other, 7));
        assert!(is_free(&one, 8) && is_free(&other, 8));
        // What failed took nothing away from who has it.
        assert!(!is_free(&other, 7));
        drop(held);
        assert!(is_free(&one, 7) && is_free(&other, 7));
    }

    #[test]
    fn the_file_is_known_to_be_another_once_it_was_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("locks");
        let file = KeyLockFile::open(&name, 0o600).expect("opens");
        assert!(file.look(&name) != KeyLocksNow::Gone);
        std::fs::remove_file(&name).expect("removed");
        assert!(file.look(&name) == KeyLocksNow::Gone);
        let again = KeyLockFile::open(&name, 0o600).expect("opens");
        assert!(again.look(&name) != KeyLocksNow::Gone && file.look(&name) == KeyLocksNow::Gone);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_file_tells_of_groups_until_none_is_under_way_or_unfinished() {
        use KeyLocksNow::{Gone, MayHaveGroups, Quiet};
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("locks");
        let open = || KeyLockFile::open(&name, 0o600).expect("opens");
        let (one, other) = (open(), open());
        let mark = |file: &KeyLockFile| file.mark_group(&name).expect("asks");
        let unmark = |is_over| unmark_groups(&name, &mut || is_over).expect("asks");
        assert!(one.look(&name) == Quiet && !may_have_groups(&name));
        let first = mark(&one).expect("is free");
        let second = mark(&other).expect("is shared");
        for file in [&one, &other] {
            assert!(file.look(&name) == MayHaveGroups && may_have_groups(&name));
        }
        drop(first);
        unmark(true);
        assert_eq!(one.look(&name), MayHaveGroups, "the second is under way");
        drop(second);
        assert_eq!(one.look(&name), MayHaveGroups, "it may have been cut off");
        unmark(false);
        assert_eq!(one.look(&name), MayHaveGroups, "it was");
        // None begins while somebody finds out.
        let mut began = true;
        unmark_groups(&name, &mut || {
            began = mark(&one).is_some();
            true
        })
        .expect("asks");
        assert!(!began);
        assert_eq!(other.look(&name), Quiet);
        // The mark of another file is not that of this one.
        std::fs::remove_file(&name).expect("removed");
        assert!(mark(&one).is_none() && !may_have_groups(&name));
        let again = open();
        assert!(mark(&one).is_none() && again.look(&name) == Quiet && one.look(&name) == Gone);
    }

    #[cfg(unix)]
    #[test]
    fn neither_a_link_nor_a_folder_nor_a_fifo_is_a_lock_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink(at("outside"), at("link")).expect("a link");
        std::fs::create_dir(at("folder")).expect("a folder");
        let made = std::process::Command::new("mkfifo")
            .arg(at("fifo"))
            .status();
        assert!(made.expect("mkfifo").success());
        for name in ["link", "folder", "fifo"] {
            let error = KeyLockFile::open(&at(name), 0o600).err().expect(name);
            assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{name}");
        }
        assert!(!at("outside").exists());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn stripes_exclude_like_ranges() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("locks");
        let open = || stripes::Slots::open(&name, 0o600).expect("opens");
        let (one, other) = (open(), open());
        let slot = stripes::slot_of(u64::MAX);
        let held = one.try_lock(slot).expect("asks").expect("is free");
        assert!(other.try_lock(slot).expect("asks").is_none());
        assert!(other.try_lock(slot - 1).expect("asks").is_some());
        one.unlock(&held);
        assert!(other.try_lock(slot).expect("asks").is_some());
        assert_eq!(one.look(&name), KeyLocksNow::MayHaveGroups);
        assert!(one.mark_group(&name).expect("asks").is_some() && stripes::may_have_groups(&name));
        stripes::unmark_groups(&name, &mut || true).expect("there is nothing to do");
        std::fs::remove_dir_all(folder.path()).expect("removed");
        assert_eq!(one.look(&name), KeyLocksNow::Gone);
        assert!(one.mark_group(&name).expect("asks").is_none());
    }
}
