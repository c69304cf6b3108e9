//! The port to the file system: every call that the engine makes, and nothing else.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[path = "disk/key_locks.rs"]
mod key_locks;
#[cfg(unix)]
#[path = "disk/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "disk/windows.rs"]
mod system;
#[path = "disk/types.rs"]
mod types;

pub use self::key_locks::{GroupMark, KeyLockFile, KeyLockHeld};
use self::types::kind_of;
pub use self::types::{Access, KeyLocksNow, Kind, Stat};
pub(crate) use self::types::{is_absent, is_folder, is_impossible};

/// The calls. Paths are absolute, or as the JS runtime gave the base.
///
/// The contract for implementors:
/// - a folder where a file is expected is [`ErrorKind::IsADirectory`], a file on the way to a name
///   is [`ErrorKind::NotADirectory`], whatever the system says;
/// - what is neither a file nor a folder, such as a FIFO, has no content: reading or syncing it is
///   [`ErrorKind::NotFound`], at once;
/// - calls that are given a `base` reach what is below it through folders alone: where one of the
///   names between is a link by the time of the call, it is [`ErrorKind::NotADirectory`]. The base
///   itself may be a link;
/// - [`rename`](Disk::rename) and [`persist`](Disk::persist) replace a file in one step and never
///   replace a folder by a file or a file by a folder;
/// - a folder that is [locked](Disk::lock) is not removed: the lock would be that of a folder which
///   is no longer there, beside another one of its name.
pub trait Disk: Send + Sync + 'static {
    /// A new file that is being written. While it lives, nobody takes it for abandoned.
    type Draft: Send;
    /// Held while a folder is locked.
    type Lock: Send;
    /// The locks of the keys of one base, open.
    type KeyLocks: Send + Sync;
    /// Held while one of them is locked.
    type KeyLock: Send;
    /// Held while a group of changes is under way. The mark itself stays.
    type GroupMark: Send;

    /// The content of a file.
    ///
    /// # Errors
    /// Those of the system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The content of a file from `offset` bytes on; nothing past its end.
    ///
    /// # Errors
    /// Those of the system.
    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>>;

    /// At most `most` bytes of the beginning of a file, and what the system knows about that same
    /// file.
    ///
    /// # Errors
    /// Those of the system.
    fn read_with_stat(&self, path: &Path, most: u64) -> io::Result<(Stat, Vec<u8>)>;

    /// Whether there is no name in a folder.
    ///
    /// # Errors
    /// Those of the system.
    fn is_empty(&self, folder: &Path) -> io::Result<bool>;

    /// What a name stands for, links followed.
    ///
    /// # Errors
    /// Those of the system.
    fn stat(&self, path: &Path) -> io::Result<Stat>;

    /// What a name stands for, links not followed.
    ///
    /// # Errors
    /// Those of the system.
    fn stat_link(&self, path: &Path) -> io::Result<Stat>;

    /// Whether names in the folder, or below it, that differ in case or Unicode form alone may stand
    /// for one file.
    ///
    /// # Errors
    /// Those of the system.
    fn folds_names(&self, folder: &Path) -> io::Result<bool>;

    /// The path as it is stored of what a path leads to, links followed, told by one call that looks
    /// at that alone. `None` where the system has no such call, or none that is right about the names
    /// below `base`.
    ///
    /// # Errors
    /// That nothing is there.
    fn real_path(&self, base: &Path, path: &Path) -> io::Result<Option<PathBuf>>;

    /// The name in its folder, as it is stored there, of what a path leads to, links not followed.
    ///
    /// # Errors
    /// Those of the system.
    fn stored_name(&self, path: &Path) -> io::Result<OsString>;

    /// Where a link points, as it is written.
    ///
    /// # Errors
    /// Those of the system.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;

    /// Calls `entry` for each name in a folder at or below `base`.
    ///
    /// # Errors
    /// Those of the system.
    fn list(
        &self,
        base: &Path,
        folder: &Path,
        entry: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()>;

    /// Makes a file that was not there. From its first byte nobody may do more with it than `access`
    /// allows; what it allows beyond that comes by [`settle_draft`](Disk::settle_draft).
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when another process took it for abandoned already; those of the
    /// system.
    fn create(&self, path: &Path, access: Access<'_>) -> io::Result<Self::Draft>;

    /// Writes some of the bytes to the end of the file and says how many.
    ///
    /// # Errors
    /// Those of the system.
    fn write(&self, draft: &mut Self::Draft, bytes: &[u8]) -> io::Result<usize>;

    /// Makes the content of the file durable.
    ///
    /// # Errors
    /// Those of the system.
    fn sync(&self, draft: &mut Self::Draft) -> io::Result<()>;

    /// Gives the file its access once it is written, and says what the system knew about it before.
    ///
    /// # Errors
    /// As [`create`](Disk::create).
    fn settle_draft(&self, draft: &mut Self::Draft, access: Access<'_>) -> io::Result<Stat>;

    /// Gives the file its final name and lets go of it.
    ///
    /// # Errors
    /// Those of the system.
    fn persist(&self, draft: Self::Draft, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file.
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name that was not there.
    ///
    /// # Errors
    /// Those of the system.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Adds bytes to the end of a file, which is made with the permission bits `mode`, less the umask, if
    /// it is not there.
    ///
    /// # Errors
    /// Those of the system.
    fn append(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()>;

    /// Removes a file or a link.
    ///
    /// # Errors
    /// Those of the system.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a file or a link below `base`.
    ///
    /// # Errors
    /// Those of the system.
    fn remove_file_below(&self, base: &Path, path: &Path) -> io::Result<()>;

    /// Removes a folder below `base` that is empty and that nobody has locked. The caller must not
    /// hold its lock.
    ///
    /// # Errors
    /// As [`lock`](Disk::lock); those of the system.
    fn remove_folder(&self, base: &Path, path: &Path) -> io::Result<()>;

    /// Makes a folder in one that is there; `mode` are its permission bits, less the umask.
    ///
    /// # Errors
    /// Those of the system.
    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Makes the content of a file that has its final name durable.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_file(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable, where the system can.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes everything durable that is on the file systems of these names, in one go, and says
    /// whether it did. `false` where the system has no call for it that can be relied on, or where
    /// it failed: each name is to be synced then. A name that is gone stands for the folder it was in.
    fn sync_file_systems(&self, _names: &mut dyn Iterator<Item = &Path>) -> bool {
        false
    }

    /// Removes a draft below `base` if its writer is gone, and says whether it did. Where that cannot
    /// be told, nothing is removed.
    ///
    /// # Errors
    /// Those of the system.
    fn remove_abandoned(&self, base: &Path, path: &Path) -> io::Result<bool>;

    /// Keeps other processes and threads from locking the folder until the lock is dropped. `None`
    /// where the file system has no locks.
    ///
    /// # Errors
    /// [`ErrorKind::ResourceBusy`] when somebody else holds it for longer than `patience`; those of
    /// the system.
    fn lock(&self, folder: &Path, patience: Duration) -> io::Result<Option<Self::Lock>>;

    /// Waits for as long as other processes and threads hold a lock on the file, which is made as by
    /// [`append`](Disk::append) if it is not there, and holds it until the lock is dropped. `None` where
    /// the file system has no locks.
    ///
    /// # Errors
    /// Those of the system.
    fn wait_for_lock(&self, file: &Path, mode: u32) -> io::Result<Option<Self::Lock>>;

    /// Opens the locks of keys, whose file is made with these permission bits, less the umask, if it is
    /// not there. A link is not followed, and nothing keeps the call waiting.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where what has the name is no regular file; those of the system.
    fn open_key_locks(&self, file: &Path, mode: u32) -> io::Result<Self::KeyLocks>;

    /// What one look at that name tells of them.
    fn look_at_key_locks(&self, locks: &Self::KeyLocks, file: &Path) -> KeyLocksNow;

    /// Whether a group of changes may be under way, told by the name of the locks alone. Nobody misses one
    /// that was marked before.
    fn may_have_groups(&self, file: &Path) -> bool;

    /// Marks the file of the locks as that of a base in which a group is under way. `None` when they are not
    /// those of that name any more, and while somebody takes the mark away.
    ///
    /// # Errors
    /// Those of the system.
    fn mark_group(
        &self,
        locks: &Self::KeyLocks,
        file: &Path,
    ) -> io::Result<Option<Self::GroupMark>>;

    /// Takes the mark away if nobody's group is under way and `is_over` says, asked while none can begin,
    /// that none was left unfinished.
    ///
    /// # Errors
    /// Those of the system.
    fn unmark_groups(&self, file: &Path, is_over: &mut dyn FnMut() -> bool) -> io::Result<()>;

    /// The lock of the keys of that hash. Those of two hashes may be the same.
    fn key_slot(&self, hash: u64) -> u64;

    /// Locks one, against other processes and all others that opened them. `None` while one of these holds
    /// it. Whoever uses these open ones sees to it that nobody asks for one that is held by them.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where the file system has no locks; those of the system.
    fn try_lock_key(
        &self,
        locks: &Arc<Self::KeyLocks>,
        slot: u64,
    ) -> io::Result<Option<Self::KeyLock>>;
}

/// The file system of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

impl SystemDisk {
    /// The form of an absolute path under which the system reaches files below it, however long
    /// their paths are.
    pub fn base(path: PathBuf) -> PathBuf {
        system::base(path)
    }
}

impl Disk for SystemDisk {
    type Draft = File;
    type Lock = File;
    type KeyLocks = KeyLockFile;
    type KeyLock = KeyLockHeld;
    type GroupMark = GroupMark;

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let (file, size) = system::open(path)?;
        read_whole(file, size)
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        let (mut file, size) = system::open(path)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
        read_whole(file, size.saturating_sub(offset))
    }

    fn read_with_stat(&self, path: &Path, most: u64) -> io::Result<(Stat, Vec<u8>)> {
        let (file, _) = system::open(path)?;
        let stat = stat_of(&file.metadata()?);
        let size = usize::try_from(stat.size.min(most)).unwrap_or_default();
        let mut bytes = Vec::with_capacity(size);
        let read = file.take(most).read_to_end(&mut bytes);
        system::without_folder(read.map(|_| (stat, bytes)), path)
    }

    fn is_empty(&self, folder: &Path) -> io::Result<bool> {
        Ok(fs::read_dir(folder)?.next().is_none())
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        system::metadata(path).map(|metadata| stat_of(&metadata))
    }

    fn stat_link(&self, path: &Path) -> io::Result<Stat> {
        system::link_metadata(path).map(|metadata| stat_of(&metadata))
    }

    fn folds_names(&self, folder: &Path) -> io::Result<bool> {
        system::folds_names(folder)
    }

    fn real_path(&self, base: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
        system::real_path(base, path)
    }

    fn stored_name(&self, path: &Path) -> io::Result<OsString> {
        system::stored_name(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn list(
        &self,
        base: &Path,
        folder: &Path,
        entry: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        system::list(base, folder, entry)
    }

    fn create(&self, path: &Path, access: Access<'_>) -> io::Result<File> {
        system::create(path, access)
    }

    fn write(&self, draft: &mut File, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(draft, bytes)
    }

    fn sync(&self, draft: &mut File) -> io::Result<()> {
        system::sync_file(draft)
    }

    fn settle_draft(&self, draft: &mut File, access: Access<'_>) -> io::Result<Stat> {
        system::settle_draft(draft, access).map(|metadata| stat_of(&metadata))
    }

    fn persist(&self, draft: File, from: &Path, to: &Path) -> io::Result<()> {
        system::persist(draft, from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        system::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn append(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut file = system::open_to_append(path, mode)?;
        io::Write::write_all(&mut file, bytes)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        system::without_folder(system::remove_file(path), path)
    }

    fn remove_file_below(&self, base: &Path, path: &Path) -> io::Result<()> {
        system::remove_file_below(base, path)
    }

    fn remove_folder(&self, base: &Path, path: &Path) -> io::Result<()> {
        system::remove_folder(base, path)
    }

    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        system::create_folder(path, mode)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        system::sync_file(&system::open_to_sync(path)?)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        system::sync_folder(path)
    }

    fn sync_file_systems(&self, names: &mut dyn Iterator<Item = &Path>) -> bool {
        system::sync_file_systems(names).unwrap_or(false)
    }

    fn remove_abandoned(&self, base: &Path, path: &Path) -> io::Result<bool> {
        system::remove_abandoned(base, path)
    }

    fn lock(&self, folder: &Path, patience: Duration) -> io::Result<Option<File>> {
        system::lock(folder, patience)
    }

    fn wait_for_lock(&self, file: &Path, mode: u32) -> io::Result<Option<File>> {
        let handle = system::open_to_append(file, mode)?;
        Ok(handle.lock().is_ok().then_some(handle))
    }

    fn open_key_locks(&self, file: &Path, mode: u32) -> io::Result<KeyLockFile> {
        KeyLockFile::open(file, mode)
    }

    fn look_at_key_locks(&self, locks: &KeyLockFile, file: &Path) -> KeyLocksNow {
        locks.look(file)
    }

    fn may_have_groups(&self, file: &Path) -> bool {
        key_locks::may_have_groups(file)
    }

    fn mark_group(&self, locks: &KeyLockFile, file: &Path) -> io::Result<Option<GroupMark>> {
        locks.mark_group(file)
    }

    fn unmark_groups(&self, file: &Path, is_over: &mut dyn FnMut() -> bool) -> io::Result<()> {
        key_locks::unmark_groups(file, is_over)
    }

    fn key_slot(&self, hash: u64) -> u64 {
        key_locks::slot_of(hash)
    }

    fn try_lock_key(&self, locks: &Arc<KeyLockFile>, slot: u64) -> io::Result<Option<KeyLockHeld>> {
        locks.try_lock(slot)
    }
}

/// Small files arrive with one call to read into this much.
const READ_BYTES: usize = 64 * 1024;

thread_local! {
    static READ_BUFFER: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Reads a file that had this size when it was opened.
fn read_whole(mut file: impl Read, size: u64) -> io::Result<Vec<u8>> {
    READ_BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(READ_BYTES, 0);
        loop {
            return match file.read(buffer) {
                // Less than there is comes before what does not read, and from some file systems.
                Ok(length) if length as u64 == size && length < READ_BYTES => {
                    Ok(buffer[..length].to_vec())
                }
                Ok(length) => {
                    let mut bytes =
                        Vec::with_capacity(usize::try_from(size).unwrap_or(0).max(length));
                    bytes.extend_from_slice(&buffer[..length]);
                    file.read_to_end(&mut bytes)?;
                    Ok(bytes)
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    })
}

fn stat_of(metadata: &Metadata) -> Stat {
    let mtime_ns = metadata.modified().ok().and_then(since_epoch_ns);
    let ctime_ns = system::ctime_ns(metadata).or(mtime_ns);
    Stat {
        kind: kind_of(metadata.file_type()),
        number: system::number(metadata),
        size: metadata.len(),
        mode: system::mode(metadata),
        owner: system::owner(metadata),
        atime_ns: metadata.accessed().ok().and_then(since_epoch_ns),
        mtime_ns,
        ctime_ns,
        birthtime_ns: metadata
            .created()
            .ok()
            .and_then(since_epoch_ns)
            .or(ctime_ns),
    }
}

fn since_epoch_ns(time: SystemTime) -> Option<i128> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).ok(),
        Err(before) => i128::try_from(before.duration().as_nanos())
            .ok()
            .map(|ns| -ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each call to read gives.
    struct Parts(Vec<io::Result<&'static [u8]>>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0)?;
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn a_file_that_comes_in_parts_is_read_whole_or_not_at_all() {
        for size in [0, 6] {
            let whole = read_whole(Parts(vec![Ok(b"abc"), Ok(b"def")]), size);
            assert_eq!(whole.expect("is read"), b"abcdef", "{size}");
        }
        // A medium gives what it can read before it fails.
        let error = io::Error::other("a bad sector");
        let part = read_whole(Parts(vec![Ok(b"abc"), Err(error)]), 6);
        assert_eq!(part.expect_err("fails").kind(), ErrorKind::Other);
    }
}
