//! Locks of bytes of one file that belong to the open file: those of Linux alone.
//!
//! The file has a byte while groups of changes are under way, and for as long as one that was cut off is
//! not finished. So a look at its name, which has to be taken anyway, tells of them. Who has a group under
//! way shares the lock of one byte more, and only who has that byte alone empties the file.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{Mode, OFlags};

use super::super::types::{KeyLocksNow, no_lock_file};

/// An offset in a file is below 2^63.
const SLOTS: u64 = 1 << 62;
/// The byte that groups share.
const GROUPS: i64 = 1 << 62;

pub(super) struct Slots {
    file: File,
    number: (u64, u64),
}

pub(super) struct Held(i64);

/// The lock goes with the file, which nobody else has.
pub(super) struct Mark {
    _file: File,
}

pub(super) fn slot_of(hash: u64) -> u64 {
    hash % SLOTS
}

impl Slots {
    pub(super) fn open(path: &Path, mode: u32) -> io::Result<Self> {
        let file = open(path, OFlags::CREATE, mode)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(no_lock_file());
        }
        Ok(Slots {
            number: number(&metadata),
            file,
        })
    }

    pub(super) fn look(&self, path: &Path) -> KeyLocksNow {
        match fs::symlink_metadata(path) {
            Ok(found) if number(&found) != self.number => KeyLocksNow::Gone,
            Ok(found) if found.len() == 0 => KeyLocksNow::Quiet,
            Ok(_) => KeyLocksNow::MayHaveGroups,
            Err(_) => KeyLocksNow::Gone,
        }
    }

    pub(super) fn mark_group(&self, path: &Path) -> io::Result<Option<Mark>> {
        let file = match open(path, OFlags::empty(), 0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if number(&file.metadata()?) != self.number || !try_lock(&file, GROUPS, libc::F_RDLCK)? {
            return Ok(None);
        }
        if file.metadata()?.len() == 0 {
            file.set_len(1)?;
        }
        Ok(Some(Mark { _file: file }))
    }

    pub(super) fn try_lock(&self, slot: u64) -> io::Result<Option<Held>> {
        let slot = i64::try_from(slot).map_err(|_| io::ErrorKind::InvalidInput)?;
        let is_locked = try_lock(&self.file, slot, libc::F_WRLCK)?;
        Ok(is_locked.then_some(Held(slot)))
    }

    pub(super) fn unlock(&self, held: &Held) {
        // The system lets go of all of them with the file at the latest.
        let _ = set(&self.file, held.0, libc::F_UNLCK);
    }
}

pub(super) fn may_have_groups(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.len() != 0)
}

pub(super) fn unmark_groups(path: &Path, is_over: &mut dyn FnMut() -> bool) -> io::Result<()> {
    let file = open(path, OFlags::empty(), 0)?;
    // Who comes in between and finds nothing to take away is done as well.
    if file.metadata()?.len() != 0 && try_lock(&file, GROUPS, libc::F_WRLCK)? && is_over() {
        file.set_len(0)?;
    }
    Ok(())
}

/// Opens what is a lock file, if it is one.
fn open(path: &Path, more: OFlags, mode: u32) -> io::Result<File> {
    let flags = OFlags::RDWR
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | more;
    match rustix::fs::open(path, flags, Mode::from_raw_mode(mode)) {
        Ok(file) => Ok(file.into()),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR | rustix::io::Errno::NXIO) => {
            Err(no_lock_file())
        }
        Err(error) => Err(error.into()),
    }
}

fn number(metadata: &fs::Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// `false` while somebody else holds it.
fn try_lock(file: &File, slot: i64, kind: i32) -> io::Result<bool> {
    loop {
        return match set(file, slot, kind) {
            Ok(()) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(Errno::EINTR) => continue,
            Err(
                Errno::ENOLCK
                | Errno::EINVAL
                | Errno::ENOSYS
                | Errno::EOPNOTSUPP
                | Errno::EOVERFLOW,
            ) => Err(io::ErrorKind::Unsupported.into()),
            Err(error) => Err(error.into()),
        };
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the constants are small; their types differ between systems"
)]
fn set(file: &File, slot: i64, kind: i32) -> Result<(), Errno> {
    let range = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: slot,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&range)).map(drop)
}
