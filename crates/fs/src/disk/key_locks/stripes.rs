//! Locks of whole files, one for each of a few slots, where the system has no locks of bytes that
//! belong to an open file. Keys that share a slot wait for each other.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::super::types::{KeyLocksNow, no_lock_file};

const SLOTS: u64 = 64;

pub(super) struct Slots {
    path: PathBuf,
    mode: u32,
    files: [OnceLock<File>; SLOTS as usize],
}

pub(super) struct Held(usize);

/// These files say nothing of groups: there may always be one.
pub(super) struct Mark;

pub(super) fn slot_of(hash: u64) -> u64 {
    hash % SLOTS
}

impl Slots {
    /// Opens the first of them, which stands for all.
    pub(super) fn open(path: &Path, mode: u32) -> io::Result<Self> {
        let slots = Slots {
            path: path.to_owned(),
            mode,
            files: std::array::from_fn(|_| OnceLock::new()),
        };
        slots.file(0)?;
        Ok(slots)
    }

    /// Whoever removes the file of one slot removes all.
    pub(super) fn look(&self, path: &Path) -> KeyLocksNow {
        let name = name_of(path, 0);
        match std::fs::symlink_metadata(&name) {
            Ok(found) if found.is_file() && self.is_same(&found) => KeyLocksNow::MayHaveGroups,
            _ => KeyLocksNow::Gone,
        }
    }

    pub(super) fn mark_group(&self, path: &Path) -> io::Result<Option<Mark>> {
        Ok((self.look(path) != KeyLocksNow::Gone).then_some(Mark))
    }

    #[cfg(unix)]
    fn is_same(&self, found: &std::fs::Metadata) -> bool {
        use std::os::unix::fs::MetadataExt;
        let opened = self.files[0].get().and_then(|file| file.metadata().ok());
        opened.is_some_and(|opened| (opened.dev(), opened.ino()) == (found.dev(), found.ino()))
    }

    /// Files have no numbers here. Nobody writes to these: the time of the last change is that at which
    /// they were made. That of the making itself is given on to a new file of the name.
    #[cfg(not(unix))]
    fn is_same(&self, found: &std::fs::Metadata) -> bool {
        let opened = self.files[0].get().and_then(|file| file.metadata().ok());
        opened.is_some_and(|opened| opened.modified().ok() == found.modified().ok())
    }

    pub(super) fn try_lock(&self, slot: u64) -> io::Result<Option<Held>> {
        let slot = usize::try_from(slot).map_err(|_| ErrorKind::InvalidInput)?;
        match self.file(slot)?.try_lock() {
            Ok(()) => Ok(Some(Held(slot))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(TryLockError::Error(_)) => Err(ErrorKind::Unsupported.into()),
        }
    }

    pub(super) fn unlock(&self, held: &Held) {
        if let Some(file) = self.files[held.0].get() {
            // The system lets go of it with the file at the latest.
            let _ = file.unlock();
        }
    }

    fn file(&self, slot: usize) -> io::Result<&File> {
        if let Some(file) = self.files[slot].get() {
            return Ok(file);
        }
        let opened = open(&name_of(&self.path, slot), self.mode)?;
        // Another thread may have opened it meanwhile: one of both serves all.
        Ok(self.files[slot].get_or_init(|| opened))
    }
}

pub(super) fn may_have_groups(_path: &Path) -> bool {
    true
}

pub(super) fn unmark_groups(_path: &Path, _is_over: &mut dyn FnMut() -> bool) -> io::Result<()> {
    Ok(())
}

fn name_of(path: &Path, slot: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("-{slot:02x}"));
    name.into()
}

fn open(path: &Path, mode: u32) -> io::Result<File> {
    let is_regular = |found: &std::fs::Metadata| found.is_file();
    if std::fs::symlink_metadata(path).is_ok_and(|found| !is_regular(&found)) {
        return Err(no_lock_file());
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        #[expect(clippy::cast_possible_wrap, reason = "flags are bits")]
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32;
        options.mode(mode).custom_flags(flags);
    }
    #[cfg(not(unix))]
    let _ = mode;
    let file = options.open(path)?;
    if is_regular(&file.metadata()?) {
        Ok(file)
    } else {
        Err(no_lock_file())
    }
}
