//! Calls of the file system as Windows has them.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf, Prefix};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::types::{Access, Kind, Stat, kind_of};

const READ_ONLY: u32 = 0o444;
const WRITABLE: u32 = 0o222;

const FILE_SHARE_READ: u32 = 1;
const FILE_ATTRIBUTE_READONLY: u32 = 1;
const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;
const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;
const ERROR_PATH_NOT_FOUND: i32 = 3;
const ERROR_INVALID_NAME: i32 = 123;
/// What some file systems say of a file whose last handle is about to remove it; most deny access.
const ERROR_DELETE_PENDING: i32 = 303;

/// Virus scanners and indexers hold a file for some ms after each write. Doubling from the first
/// pause, the tries go on for about a second.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const TRIES: u32 = 10;

const LONGEST_LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A lock that is being let go of denies access for a moment. So often in a row, without its file
/// being there, it is the folder that may not be written to.
const DENIALS: u32 = 5;

/// The name of the file whose open handle is the lock of its folder.
const LOCK_NAME: &str = "%~busy";

/// The verbatim form, which has no limit of 260 characters and gives no name a second meaning.
pub(super) fn base(path: PathBuf) -> PathBuf {
    let mut components = path.components();
    let Some(Component::Prefix(prefix)) = components.next() else {
        return path;
    };
    let mut verbatim = match prefix.kind() {
        Prefix::Disk(letter) => PathBuf::from(format!(r"\\?\{}:\", letter as char)),
        Prefix::UNC(server, share) => {
            let mut text = std::ffi::OsString::from(r"\\?\UNC\");
            text.push(server);
            text.push("\\");
            text.push(share);
            text.push("\\");
            PathBuf::from(text)
        }
        _ => return path,
    };
    verbatim.extend(components.filter(|component| matches!(component, Component::Normal(_))));
    verbatim
}

fn is_shared(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
        || matches!(
            error.raw_os_error(),
            Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION | ERROR_DELETE_PENDING)
        )
}

/// Tries again while another program may be holding the file. `hopeless` tells refusals that do
/// not pass.
fn patiently<T>(
    mut call: impl FnMut() -> io::Result<T>,
    hopeless: impl Fn() -> bool,
) -> io::Result<T> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match call() {
            Err(error) if is_shared(&error) && !hopeless() => thread::sleep(pause),
            outcome => return outcome,
        }
        pause *= 2;
    }
    call()
}

fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Whether it is a file with the attribute that keeps Windows from writing to it and from replacing it.
fn is_read_only(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().readonly())
}

fn set_read_only(path: &Path, is_read_only: bool) -> io::Result<()> {
    let mut permissions = fs::symlink_metadata(path)?.permissions();
    permissions.set_readonly(is_read_only);
    fs::set_permissions(path, permissions)
}

/// Opens a regular file to be read, and tells its size.
pub(super) fn open(path: &Path) -> io::Result<(File, u64)> {
    regular(patiently(|| File::open(path), || is_folder(path)), path)
}

pub(super) fn metadata(path: &Path) -> io::Result<Metadata> {
    below_folders(fs::metadata(path), path)
}

pub(super) fn link_metadata(path: &Path) -> io::Result<Metadata> {
    below_folders(fs::symlink_metadata(path), path)
}

pub(super) fn open_to_append(path: &Path, _mode: u32) -> io::Result<File> {
    open_to_write(OpenOptions::new().append(true).create(true), path)
}

/// Windows flushes only through handles that may write.
pub(super) fn open_to_sync(path: &Path) -> io::Result<File> {
    open_to_write(OpenOptions::new().write(true), path)
}

pub(super) fn sync_file(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Opens a regular file to be written. Windows opens none that has the read-only attribute: the file is
/// without it meanwhile.
fn open_to_write(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let open = || match options.open(path) {
        Err(error) if is_shared(&error) && is_read_only(path) => {
            set_read_only(path, false)?;
            let opened = options.open(path);
            set_read_only(path, true)?;
            opened
        }
        opened => opened,
    };
    regular(patiently(open, || is_folder(path)), path).map(|(file, _)| file)
}

/// Devices and pipes open like files.
fn regular(opened: io::Result<File>, path: &Path) -> io::Result<(File, u64)> {
    let file = below_folders(without_folder(opened, path), path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata.len()))
    } else {
        Err(ErrorKind::NotFound.into())
    }
}

/// Windows says of a name below a file that its path is not there, and Wine and some file systems
/// that the name of a listing is impossible.
fn below_folders<T>(outcome: io::Result<T>, path: &Path) -> io::Result<T> {
    outcome.map_err(|error| {
        let is_below_file = matches!(
            error.raw_os_error(),
            Some(ERROR_PATH_NOT_FOUND | ERROR_INVALID_NAME)
        ) && path
            .ancestors()
            .skip(1)
            .find_map(|folder| fs::metadata(folder).ok())
            .is_some_and(|found| !found.is_dir());
        if is_below_file {
            ErrorKind::NotADirectory.into()
        } else {
            error
        }
    })
}

/// No folder can have such a name, so none is there.
fn absent_if_impossible(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(ERROR_INVALID_NAME) => ErrorKind::NotFound.into(),
        _ => error,
    }
}

/// Whether a name is reached from `base` through folders alone: links and junctions are none. A
/// folder that holds an open lock cannot be replaced by one.
fn check_below(base: &Path, path: &Path) -> io::Result<()> {
    let folders = path.ancestors().skip(1);
    for folder in folders.take_while(|folder| *folder != base && folder.starts_with(base)) {
        let found = fs::symlink_metadata(folder).map_err(absent_if_impossible)?;
        if !found.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
    }
    Ok(())
}

pub(super) fn list(
    base: &Path,
    folder: &Path,
    entry: &mut dyn FnMut(&OsStr, Kind),
) -> io::Result<()> {
    if folder != base {
        // A name in the folder is checked with the folder itself.
        check_below(base, &folder.join(LOCK_NAME))?;
    }
    // One that is being removed denies access until it is gone, which the next try finds.
    let is_file = || fs::metadata(folder).is_ok_and(|found| !found.is_dir());
    let listed = patiently(|| fs::read_dir(folder), is_file).map_err(|error| {
        if is_file() {
            ErrorKind::NotADirectory.into()
        } else {
            error
        }
    });
    for found in below_folders(listed, folder).map_err(absent_if_impossible)? {
        let found = found?;
        match found.file_type() {
            Ok(kind) => entry(&found.file_name(), kind_of(kind)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The lists of who may do what are inherited from the folder.
pub(super) fn owner(_metadata: &Metadata) -> Option<(u32, u32)> {
    None
}

pub(super) fn create_folder(path: &Path, _mode: u32) -> io::Result<()> {
    below_folders(fs::create_dir(path), path)
}

pub(super) fn folds_names(_folder: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Fails with the same error as an operation on a name that is not there; `None` where the system opens nothing for
/// another reason.
pub(super) fn real_path(_base: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    match below_folders(fs::canonicalize(path), path) {
        Ok(real) => Ok(Some(real)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

/// The system tells the final path of what is opened, in which a link is resolved. Where it opens
/// nothing, because the file is about to be removed or its volume has no such path, the name is
/// looked for in its folder.
pub(super) fn stored_name(path: &Path) -> io::Result<OsString> {
    if !fs::symlink_metadata(path)?.is_symlink() {
        match fs::canonicalize(path) {
            Ok(real) => return Ok(real.file_name().unwrap_or_default().to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
    }
    let wanted = path.file_name().unwrap_or_default();
    let folded = wanted.to_string_lossy().to_lowercase();
    let mut stored = None;
    for found in fs::read_dir(path.parent().unwrap_or(path))? {
        let name = found?.file_name();
        if name == wanted {
            return Ok(name);
        }
        if name.to_string_lossy().to_lowercase() == folded {
            stored = Some(name);
        }
    }
    stored.ok_or_else(|| ErrorKind::NotFound.into())
}

/// The one bit that Windows knows, as Node tells it.
pub(super) fn mode(metadata: &Metadata) -> Option<u32> {
    Some(if metadata.permissions().readonly() {
        READ_ONLY
    } else {
        READ_ONLY | WRITABLE
    })
}

pub(super) fn number(_metadata: &Metadata) -> Option<u64> {
    None
}

pub(super) fn ctime_ns(_metadata: &Metadata) -> Option<i128> {
    None
}

/// Others may read the file but not remove it, which is what marks it as being written. The handle
/// that makes a file with the read-only attribute may write to it.
pub(super) fn create(path: &Path, access: Access<'_>) -> io::Result<File> {
    let attributes = match access {
        Access::Like(Stat {
            mode: Some(READ_ONLY),
            ..
        }) => FILE_ATTRIBUTE_READONLY,
        Access::Like(_) | Access::Mode(_) => 0,
    };
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .share_mode(FILE_SHARE_READ)
        .attributes(attributes)
        .open(path);
    below_folders(opened, path)
}

/// The time of the last change is set, because one that the system notes itself may be another when
/// the file is closed.
pub(super) fn settle_draft(draft: &File, _access: Access<'_>) -> io::Result<Metadata> {
    draft.set_modified(SystemTime::now())?;
    draft.metadata()
}

/// A file that nobody may remove cannot be renamed either, so the handle goes first. Should the
/// file be taken for abandoned in between, the rename finds nothing and the write starts again.
pub(super) fn persist(draft: File, from: &Path, to: &Path) -> io::Result<()> {
    drop(draft);
    rename(from, to)
}

/// A file with the read-only attribute is replaced like any other, as Unix does it.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let rename = || {
        let renamed = fs::rename(from, to);
        if !renamed.as_ref().is_err_and(is_shared) || !is_read_only(to) {
            return renamed;
        }
        set_read_only(to, false)?;
        fs::rename(from, to).inspect_err(|_| {
            // Should that fail too, the error of the rename is the one that tells more.
            let _ = set_read_only(to, true);
        })
    };
    let outcome = patiently(rename, || is_folder(to) || is_folder(from));
    match outcome {
        Err(error) if is_shared(&error) && is_folder(to) => Err(ErrorKind::IsADirectory.into()),
        Err(error) if is_shared(&error) && is_folder(from) => Err(ErrorKind::NotADirectory.into()),
        outcome => outcome,
    }
}

/// A file that may only be read is removed like any other, as Node does it. A link to a folder has
/// a call of its own.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    let remove = || {
        let found = fs::symlink_metadata(path)?;
        let is_folder_link = found.file_attributes() & FILE_ATTRIBUTE_DIRECTORY != 0;
        if found.is_symlink() && is_folder_link {
            return fs::remove_dir(path);
        }
        if found.is_file() && found.permissions().readonly() {
            set_read_only(path, false)?;
        }
        fs::remove_file(path)
    };
    below_folders(patiently(remove, || is_folder(path)), path)
}

pub(super) fn remove_file_below(base: &Path, path: &Path) -> io::Result<()> {
    check_below(base, path)?;
    without_folder(remove_file(path), path)
}

pub(super) fn without_folder<T>(outcome: io::Result<T>, path: &Path) -> io::Result<T> {
    outcome.map_err(|error| {
        if is_shared(&error) && is_folder(path) {
            ErrorKind::IsADirectory.into()
        } else {
            error
        }
    })
}

/// Windows has no call for it; its file systems journal names.
pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Windows syncs a whole volume for administrators alone.
pub(super) fn sync_file_systems(_names: &mut dyn Iterator<Item = &Path>) -> io::Result<bool> {
    Ok(false)
}

pub(super) fn remove_abandoned(base: &Path, path: &Path) -> io::Result<bool> {
    check_below(base, path)?;
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if is_shared(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn lock(folder: &Path, patience: Duration) -> io::Result<Option<File>> {
    let name = folder.join(LOCK_NAME);
    let open = || {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .share_mode(0)
            .custom_flags(FILE_FLAG_DELETE_ON_CLOSE)
            .open(&name)
    };
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut denials = 0;
    loop {
        match open() {
            Ok(file) => return Ok(Some(file)),
            Err(error) if !is_shared(&error) => return Err(error),
            Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED) && !is_there(&name) => {
                denials += 1;
                if denials == DENIALS {
                    return Err(error);
                }
            }
            Err(_) => denials = 0,
        }
        if start.elapsed() >= patience {
            return Err(ErrorKind::ResourceBusy.into());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_LOCK_PAUSE);
    }
}

fn is_there(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// The file that is the lock of a folder keeps it from being empty.
pub(super) fn remove_folder(base: &Path, path: &Path) -> io::Result<()> {
    check_below(base, path)?;
    if is_folder(path) {
        fs::remove_dir(path)
    } else {
        fs::symlink_metadata(path)?;
        Err(ErrorKind::NotADirectory.into())
    }
}
