//! Calls of the file system as Windows has them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf, Prefix};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const FILE_SHARE_READ: u32 = 1;
const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;

/// Virus scanners and indexers hold a file for some ms after each write. Doubling from the first
/// pause, the tries go on for about a second.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const TRIES: u32 = 10;

const LONGEST_LOCK_PAUSE: Duration = Duration::from_millis(20);

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
            Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION)
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

fn is_read_only(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    without_folder(patiently(|| File::open(path), || is_folder(path)), path)
}

/// Windows flushes only through handles that may write.
pub(super) fn open_to_sync(path: &Path) -> io::Result<File> {
    patiently(
        || OpenOptions::new().write(true).open(path),
        || is_folder(path) || is_read_only(path),
    )
}

pub(super) fn mode(_metadata: &Metadata) -> Option<u32> {
    None
}

pub(super) fn number(_metadata: &Metadata) -> Option<u64> {
    None
}

pub(super) fn ctime_ns(_metadata: &Metadata) -> Option<i128> {
    None
}

/// Others may read the file but not remove it, which is what marks it as being written.
pub(super) fn create(path: &Path, _mode: Option<u32>) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .share_mode(FILE_SHARE_READ)
        .open(path)
}

/// The time of the last change is set, because one that the system notes itself may be another when
/// the file is closed.
pub(super) fn draft_metadata(draft: &File) -> io::Result<Metadata> {
    draft.set_modified(SystemTime::now())?;
    draft.metadata()
}

/// A file that nobody may remove cannot be renamed either, so the handle goes first. Should the
/// file be taken for abandoned in between, the rename finds nothing and the write starts again.
pub(super) fn persist(draft: File, from: &Path, to: &Path) -> io::Result<()> {
    drop(draft);
    rename(from, to)
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let outcome = patiently(
        || fs::rename(from, to),
        || is_folder(to) || is_folder(from) || is_read_only(to),
    );
    match outcome {
        Err(error) if is_shared(&error) && is_folder(to) => Err(ErrorKind::IsADirectory.into()),
        Err(error) if is_shared(&error) && is_folder(from) => Err(ErrorKind::NotADirectory.into()),
        outcome => outcome,
    }
}

pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    patiently(
        || fs::remove_file(path),
        || is_folder(path) || is_read_only(path),
    )
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

pub(super) fn remove_abandoned(path: &Path) -> io::Result<bool> {
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
    loop {
        match open() {
            Ok(file) => return Ok(Some(file)),
            Err(error) if !is_shared(&error) => return Err(error),
            Err(_) if start.elapsed() >= patience => return Err(ErrorKind::ResourceBusy.into()),
            Err(_) => thread::sleep(pause),
        }
        pause = (pause * 2).min(LONGEST_LOCK_PAUSE);
    }
}

/// The file that is the lock of a folder keeps it from being empty.
pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    fs::remove_dir(folder)
}
