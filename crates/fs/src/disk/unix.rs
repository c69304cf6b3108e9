//! Calls of the file system as Unix has them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{
    DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown,
};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, OFlags};

use super::types::{Access, Kind, Stat};

const SET_USER_ID: u32 = 0o4000;
const SET_GROUP_ID: u32 = 0o2000;
const PERMISSION_BITS: u32 = 0o7777;

/// How long the removal of an empty folder waits for its lock: one that stays does no harm.
const REMOVAL_PATIENCE: Duration = Duration::from_millis(100);
const LOCK_PAUSE: Duration = Duration::from_micros(200);

pub(super) fn base(path: PathBuf) -> PathBuf {
    path
}

/// Neither a FIFO nor a device keeps the call waiting, and no terminal becomes that of the process.
const AT_ONCE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

/// Opens a regular file to be read, and tells its size.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    open_file(OpenOptions::new().read(true), path)
}

fn open_file(options: &mut OpenOptions, path: &Path) -> io::Result<(File, u64)> {
    let opened = options.clone().custom_flags(flags(AT_ONCE)).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Err(error),
        Err(error) => match fs::metadata(path) {
            Ok(found) if is_special(&found) => return Err(ErrorKind::NotFound.into()),
            // Another program has a lease on it, which is waited for.
            Ok(found) if error.kind() == ErrorKind::WouldBlock && found.is_file() => {
                options.open(path)?
            }
            _ => return Err(error),
        },
    };
    let stat = rustix::fs::fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((file, u64::try_from(stat.st_size).unwrap_or_default())),
        FileType::Directory => Err(ErrorKind::IsADirectory.into()),
        _ => Err(ErrorKind::NotFound.into()),
    }
}

pub(super) fn metadata(path: &Path) -> io::Result<Metadata> {
    fs::metadata(path)
}

pub(super) fn link_metadata(path: &Path) -> io::Result<Metadata> {
    fs::symlink_metadata(path)
}

pub(super) fn open_to_append(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(mode);
    open_file(&mut options, path).map(|(file, _)| file)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn is_special(found: &Metadata) -> bool {
    let kind = found.file_type();
    kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device()
}

#[expect(clippy::cast_possible_wrap, reason = "flags are bits")]
fn flags(flags: OFlags) -> i32 {
    flags.bits() as i32
}

fn open_folder(folder: &Path) -> io::Result<File> {
    let flags = flags(AT_ONCE | OFlags::DIRECTORY);
    OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(folder)
}

// On the way to a name no folder needs to be readable.
#[cfg(target_os = "linux")]
const ON_THE_WAY: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const ON_THE_WAY: OFlags = OFlags::RDONLY;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

fn open_at(folder: &OwnedFd, name: &OsStr, more: OFlags) -> io::Result<OwnedFd> {
    let flags = FOLDER | OFlags::NOFOLLOW | more;
    rustix::fs::openat(folder, name, flags, rustix::fs::Mode::empty()).map_err(|error| {
        if error == rustix::io::Errno::LOOP {
            ErrorKind::NotADirectory.into()
        } else {
            error.into()
        }
    })
}

/// The folder of a name below `base`, reached through folders alone, and the name.
fn folder_below<'a>(base: &Path, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
    let outside = || io::Error::from(ErrorKind::InvalidInput);
    let relative = path.strip_prefix(base).map_err(|_| outside())?;
    let mut folder = rustix::fs::open(base, FOLDER | ON_THE_WAY, rustix::fs::Mode::empty())?;
    let mut names = relative.components().peekable();
    while let Some(Component::Normal(name)) = names.next() {
        if names.peek().is_none() {
            return Ok((folder, name));
        }
        folder = open_at(&folder, name, ON_THE_WAY)?;
    }
    Err(outside())
}

pub(super) fn list(
    base: &Path,
    folder: &Path,
    entry: &mut dyn FnMut(&OsStr, Kind),
) -> io::Result<()> {
    let opened = if folder == base || !folder.starts_with(base) {
        rustix::fs::open(folder, FOLDER, rustix::fs::Mode::empty())?
    } else {
        let (above, name) = folder_below(base, folder)?;
        open_at(&above, name, OFlags::RDONLY)?
    };
    let mut names = rustix::fs::Dir::new(opened)?;
    while let Some(found) = names.read() {
        let found = found?;
        let name = OsStr::from_bytes(found.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let kind = match found.file_type() {
            // Some file systems give no kinds with the names, and the name may be gone by now.
            FileType::Unknown => {
                let asked = rustix::fs::statat(names.fd()?, name, AtFlags::SYMLINK_NOFOLLOW);
                match asked {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(rustix::io::Errno::NOENT) => continue,
                    Err(error) => return Err(error.into()),
                }
            }
            kind => kind,
        };
        entry(
            name,
            match kind {
                FileType::RegularFile => Kind::File,
                FileType::Directory => Kind::Folder,
                FileType::Symlink => Kind::Link,
                _ => Kind::Other,
            },
        );
    }
    Ok(())
}

/// Where the kernel remembers how a path was asked for, nothing tells but the names in the folders.
#[cfg(not(target_vendor = "apple"))]
pub(super) fn real_path(_base: &Path, _path: &Path) -> io::Result<Option<PathBuf>> {
    Ok(None)
}

/// APFS tells the name that it has stored. Whether it also tells in which Unicode form is not relied on.
#[cfg(target_vendor = "apple")]
pub(super) fn real_path(base: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let below = path.strip_prefix(base).unwrap_or(path);
    if !below.as_os_str().as_bytes().is_ascii() {
        return Ok(None);
    }
    let real = || {
        let kind = rustix::fs::statfs(path)?.f_fstypename;
        let mut letters = kind.iter().zip(b"apfs\0");
        if letters.all(|(letter, of_apfs)| letter.to_ne_bytes() == [*of_apfs]) {
            fs::canonicalize(path).map(Some)
        } else {
            Ok(None)
        }
    };
    match real() {
        Err(error) if !is_absent(&error) => Ok(None),
        outcome => outcome,
    }
}

/// The name by the number of the file: what a kernel remembers of a path is how it was asked for.
pub(super) fn stored_name(path: &Path) -> io::Result<OsString> {
    let wanted = path.file_name().unwrap_or_default();
    let folder = path.parent().unwrap_or(path);
    let number = fs::symlink_metadata(path)?.ino();
    let mut stored = None;
    for found in fs::read_dir(folder)? {
        let found = found?;
        let name = found.file_name();
        if name == wanted {
            return Ok(name);
        }
        if std::os::unix::fs::DirEntryExt::ino(&found) == number {
            stored = Some(name);
        }
    }
    stored.ok_or_else(|| ErrorKind::NotFound.into())
}

/// APFS folds Unicode forms even where it tells case apart.
#[cfg(not(target_os = "linux"))]
pub(super) fn folds_names(_folder: &Path) -> io::Result<bool> {
    Ok(cfg!(target_vendor = "apple"))
}

#[cfg(target_os = "linux")]
pub(super) fn folds_names(folder: &Path) -> io::Result<bool> {
    // btrfs, XFS, overlay, ramfs, NFS.
    const NEVER: [i128; 5] = [0x9123_683e, 0x5846_5342, 0x794c_7630, 0x8584_58f6, 0x6969];
    // ext4, F2FS, tmpfs, bcachefs: by a flag of the folder, which those made in it inherit.
    const BY_FOLDER: [i128; 4] = [0xef53, 0xf2f5_2010, 0x0102_1994, 0xca45_1a4e];

    const CASEFOLD: u32 = 0x4000_0000;

    let handle = open_folder(folder)?;
    let kind = i128::from(rustix::fs::fstatfs(&handle)?.f_type) & 0xffff_ffff;
    if BY_FOLDER.contains(&kind) {
        let flags = rustix::fs::ioctl_getflags(&handle);
        return Ok(flags.is_ok_and(|flags| flags.bits() & CASEFOLD != 0));
    }
    Ok(!NEVER.contains(&kind))
}

pub(super) fn open_to_sync(path: &Path) -> io::Result<File> {
    open(path).map(|(file, _)| file)
}

pub(super) fn owner(metadata: &Metadata) -> Option<(u32, u32)> {
    Some((metadata.uid(), metadata.gid()))
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

pub(super) fn create(path: &Path, access: Access<'_>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options.mode(match access {
        Access::Mode(mode) => mode,
        // Until the file has its owner and group, those of this process have what all have.
        Access::Like(stat) => stat.mode.map_or(0o600, |mode| {
            let all = (mode >> 3) & mode & 0o7;
            mode & 0o700 | all << 3 | all
        }),
    });
    let file = options.open(path)?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(ErrorKind::WouldBlock.into());
    }
    Ok(file)
}

pub(super) fn settle_draft(draft: &File, access: Access<'_>) -> io::Result<Metadata> {
    let metadata = draft.metadata()?;
    // Between its creation and the lock somebody took it for abandoned.
    if metadata.nlink() == 0 {
        return Err(ErrorKind::WouldBlock.into());
    }
    if let Access::Like(stat) = access {
        keep_access(draft, &metadata, stat)?;
    }
    Ok(metadata)
}

/// Gives a new file the owner, the group and the mode of another, in this order, since a change of
/// the owner takes bits of the mode away.
///
/// Where the system refuses the owner or the group, the bits that would let a program act for them
/// go, and the group of this process gets no more than all others.
fn keep_access(file: &File, new: &Metadata, like: &Stat) -> io::Result<()> {
    let (Some(mut mode), Some(wanted)) = (like.mode, like.owner) else {
        return Ok(());
    };
    let mut has = (new.uid(), new.gid());
    if has.0 != wanted.0 && fchown(file, Some(wanted.0), Some(wanted.1)).is_ok() {
        has = wanted;
    }
    if has.1 != wanted.1 && fchown(file, None, Some(wanted.1)).is_ok() {
        has.1 = wanted.1;
    }
    if has.0 != wanted.0 {
        mode &= !SET_USER_ID;
    }
    if has.1 != wanted.1 {
        let all = (mode >> 3) & mode & 0o7;
        mode = mode & !(SET_GROUP_ID | 0o070) | all << 3;
    }
    let is_changed = has != (new.uid(), new.gid());
    if is_changed || new.mode() & PERMISSION_BITS != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

pub(super) fn create_folder(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().mode(mode).create(path)
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

pub(super) fn remove_file_below(base: &Path, path: &Path) -> io::Result<()> {
    if path.parent() == Some(base) {
        return without_folder(remove_file(path), path);
    }
    let (folder, name) = folder_below(base, path)?;
    match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
        // Some systems answer EPERM where a folder is in the way.
        Err(rustix::io::Errno::PERM) if open_at(&folder, name, ON_THE_WAY).is_ok() => {
            Err(ErrorKind::IsADirectory.into())
        }
        outcome => Ok(outcome?),
    }
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
    match sync_file(&open_folder(path)?) {
        // Some network file systems refuse it for folders.
        Err(error) if is_refused(&error) => Ok(()),
        outcome => outcome,
    }
}

/// Makes a file durable. macOS asks the medium itself, which some network file systems refuse; they take the
/// request of other systems.
pub(super) fn sync_file(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if is_refused(&error) => Ok(rustix::fs::fsync(file)?),
        outcome => outcome,
    }
}

fn is_refused(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(rustix::io::Errno::NOTTY.raw_os_error())
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
        let flags = flags(AT_ONCE);
        let handle = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(existing)?;
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
            // A device has a file system of its own, and a FIFO may be opened by whoever waits at it.
            (Ok(metadata), Some(parent)) if is_special(&metadata) => path = parent,
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

pub(super) fn remove_abandoned(base: &Path, path: &Path) -> io::Result<bool> {
    let (folder, name) = folder_below(base, path)?;
    let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | AT_ONCE;
    let file: File = rustix::fs::openat(&folder, name, flags, rustix::fs::Mode::empty())?.into();
    if !file.metadata()?.is_file() || file.try_lock().is_err() {
        return Ok(false);
    }
    rustix::fs::unlinkat(&folder, name, AtFlags::empty())?;
    Ok(true)
}

/// The lock is one of the folder, not of its name: a folder that was removed and made again since it
/// was opened is another one.
pub(super) fn lock(folder: &Path, patience: Duration) -> io::Result<Option<File>> {
    let is_at = |handle: &File| {
        let (opened, named) = (handle.metadata()?, fs::metadata(folder)?);
        Ok((opened.dev(), opened.ino()) == (named.dev(), named.ino()))
    };
    lock_opened(|| open_folder(folder), is_at, patience)
}

fn lock_opened(
    open: impl Fn() -> io::Result<File>,
    is_at: impl Fn(&File) -> io::Result<bool>,
    patience: Duration,
) -> io::Result<Option<File>> {
    const MOST_STRANGERS: u32 = 1000;
    let start = Instant::now();
    let mut strangers = 0;
    loop {
        let handle = open()?;
        match handle.try_lock() {
            Ok(()) if is_at(&handle)? => return Ok(Some(handle)),
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

pub(super) fn remove_folder(base: &Path, path: &Path) -> io::Result<()> {
    let (above, name) = folder_below(base, path)?;
    let open = || open_at(&above, name, OFlags::RDONLY).map(File::from);
    let is_at = |handle: &File| {
        let opened = rustix::fs::fstat(handle)?;
        let named = rustix::fs::statat(&above, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino))
    };
    let _lock = match lock_opened(open, is_at, Duration::ZERO) {
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {
            // One that stays anyway is not waited for.
            let mut names = rustix::fs::Dir::new(open_at(&above, name, OFlags::RDONLY)?)?;
            let is_name = |found: &rustix::fs::DirEntry| {
                !matches!(found.file_name().to_bytes(), b"." | b"..")
            };
            if names.any(|found| found.as_ref().is_ok_and(is_name)) {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
            lock_opened(open, is_at, REMOVAL_PATIENCE)?
        }
        // Who may not read it cannot have locked it either.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
        outcome => outcome?,
    };
    Ok(rustix::fs::unlinkat(&above, name, AtFlags::REMOVEDIR)?)
}
