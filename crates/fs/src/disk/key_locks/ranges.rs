//! Locks of bytes of one file that belong to the open file: those of Linux alone.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{FileType, Mode, OFlags};

use super::no_lock_file;

/// An offset in a file is below 2^63.
const SLOTS: u64 = 1 << 62;

pub(super) struct Slots {
    file: File,
    number: (u64, u64),
}

pub(super) struct Held(i64);

pub(super) fn slot_of(hash: u64) -> u64 {
    hash % SLOTS
}

impl Slots {
    pub(super) fn open(path: &Path, mode: u32) -> io::Result<Self> {
        let flags = OFlags::RDWR
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC
            | OFlags::NONBLOCK
            | OFlags::NOCTTY;
        let opened = rustix::fs::open(path, flags, Mode::from_raw_mode(mode));
        let file: File = match opened {
            Ok(file) => file.into(),
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::ISDIR | rustix::io::Errno::NXIO) => {
                return Err(no_lock_file());
            }
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(no_lock_file());
        }
        let metadata = file.metadata()?;
        Ok(Slots {
            number: (metadata.dev(), metadata.ino()),
            file,
        })
    }

    pub(super) fn is_at(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == self.number)
    }

    pub(super) fn try_lock(&self, slot: u64) -> io::Result<Option<Held>> {
        let slot = i64::try_from(slot).map_err(|_| io::ErrorKind::InvalidInput)?;
        loop {
            return match self.set(slot, libc::F_WRLCK) {
                Ok(()) => Ok(Some(Held(slot))),
                Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
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

    pub(super) fn unlock(&self, held: Held) {
        // The system lets go of all of them with the file at the latest.
        let _ = self.set(held.0, libc::F_UNLCK);
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the constants are small; their types differ between systems"
    )]
    fn set(&self, slot: i64, kind: i32) -> Result<(), Errno> {
        let range = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: slot,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&self.file, FcntlArg::F_OFD_SETLK(&range)).map(drop)
    }
}
