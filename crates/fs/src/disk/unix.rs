//! Calls of the file system as Unix has them.

use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const PERMISSION_BITS: u32 = 0o7777;

/// How long the removal of an empty folder waits for its lock: one that stays does no harm.
const REMOVAL_PATIENCE: Duration = Duration::from_millis(100);
const LOCK_PAUSE: Duration = Duration::from_micros(200);

pub(super) fn base(path: PathBuf) -> PathBuf {
    path
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn draft_metadata(draft: &File) -> io::Result<Metadata> {
    draft.metadata()
}

pub(super) fn open_to_sync(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn number(metadata: &Metadata) -> Option<u64> {
    Some(metadata.ino())
}

pub(super) fn mode(metadata: &Metadata) -> Option<u32> {
    Some(metadata.mode() & PERMISSION_BITS)
}

pub(super) fn ctime_ns(metadata: &Metadata) -> Option<i128> {
    Some(i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec()))
}

pub(super) fn create(path: &Path, mode: Option<u32>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if let Some(mode) = mode {
        options.mode(mode);
    }
    let file = options.open(path)?;
    match ready(&file, mode) {
        Ok(()) => Ok(file),
        Err(error) => {
            // The error that is reported matters more than that of the clean-up.
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

/// Takes the lock of a new file and sees to its mode.
fn ready(file: &File, mode: Option<u32>) -> io::Result<()> {
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(ErrorKind::WouldBlock.into());
    }
    let metadata = file.metadata()?;
    // Between its creation and the lock somebody took it for abandoned.
    if metadata.nlink() == 0 {
        return Err(ErrorKind::WouldBlock.into());
    }
    match mode {
        // The umask may have taken some of the bits.
        Some(mode) if metadata.mode() & PERMISSION_BITS != mode => {
            file.set_permissions(Permissions::from_mode(mode))
        }
        _ => Ok(()),
    }
}

/// The lock goes with the handle, after the rename, so that nobody finds the file unlocked under
/// its temporary name.
pub(super) fn persist(draft: File, from: &Path, to: &Path) -> io::Result<()> {
    let outcome = rename(from, to);
    drop(draft);
    outcome
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Some systems answer EPERM where a folder is in the way.
pub(super) fn without_folder<T>(outcome: io::Result<T>, path: &Path) -> io::Result<T> {
    outcome.map_err(|error| {
        let folder = error.kind() == ErrorKind::PermissionDenied
            && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
        if folder {
            ErrorKind::IsADirectory.into()
        } else {
            error
        }
    })
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // Some network file systems refuse it for folders.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

/// Syncs each file system once. Only those that are known to pass the call on to their medium: some
/// that stand before another one do not.
#[cfg(target_os = "linux")]
pub(super) fn sync_file_systems(names: &mut dyn Iterator<Item = &Path>) -> io::Result<bool> {
    // ext2 to 4, btrfs, XFS, F2FS, tmpfs.
    const RELIABLE: [i128; 5] = [0xef53, 0x9123_683e, 0x5846_5342, 0xf2f5_2010, 0x0102_1994];

    let mut devices: Vec<(u64, File)> = Vec::new();
    for name in names {
        let (existing, metadata) = existing(name)?;
        if devices.iter().any(|(device, _)| *device == metadata.dev()) {
            continue;
        }
        let handle = File::open(existing)?;
        // The field has another type on each platform, with a sign on some.
        let kind = i128::from(rustix::fs::fstatfs(&handle)?.f_type) & 0xffff_ffff;
        if !RELIABLE.contains(&kind) {
            return Ok(false);
        }
        devices.push((metadata.dev(), handle));
    }
    for (_, handle) in &devices {
        rustix::fs::syncfs(handle)?;
    }
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_file_systems(_names: &mut dyn Iterator<Item = &Path>) -> io::Result<bool> {
    Ok(false)
}

/// The name, or the innermost folder around it that is there.
#[cfg(target_os = "linux")]
fn existing(name: &Path) -> io::Result<(&Path, Metadata)> {
    let mut path = name;
    loop {
        match (fs::metadata(path), path.parent()) {
            (Ok(metadata), _) => return Ok((path, metadata)),
            (Err(error), Some(parent))
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                path = parent;
            }
            (Err(error), _) => return Err(error),
        }
    }
}

pub(super) fn remove_abandoned(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    if file.try_lock().is_err() {
        return Ok(false);
    }
    fs::remove_file(path).map(|()| true)
}

/// The lock is one of the folder, not of its name: a folder that was removed and made again since it
/// was opened is another one.
pub(super) fn lock(folder: &Path, patience: Duration) -> io::Result<Option<File>> {
    const MOST_STRANGERS: u32 = 1000;
    let start = Instant::now();
    let mut strangers = 0;
    loop {
        let handle = File::open(folder)?;
        match handle.try_lock() {
            Ok(()) if is_at(&handle, folder)? => return Ok(Some(handle)),
            Ok(()) if strangers < MOST_STRANGERS => strangers += 1,
            // No folder is made again that often: the numbers of this file system mean nothing.
            Ok(()) => return Ok(None),
            Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                thread::sleep(LOCK_PAUSE);
            }
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

fn is_at(handle: &File, path: &Path) -> io::Result<bool> {
    let (opened, named) = (handle.metadata()?, fs::metadata(path)?);
    Ok((opened.dev(), opened.ino()) == (named.dev(), named.ino()))
}

pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    let _lock = match lock(folder, Duration::ZERO) {
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {
            // One that stays anyway is not waited for.
            if fs::read_dir(folder)?.next().is_some() {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
            lock(folder, REMOVAL_PATIENCE)?
        }
        // Who may not read it cannot have locked it either.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
        outcome => outcome?,
    };
    fs::remove_dir(folder)
}
