//! What the port to the file system speaks of.

use std::fs;
use std::io::{self, ErrorKind};

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// Anything else, such as a socket.
    Other,
}

/// What the system knows about a name. Times are in ns since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// The number of the file, whatever its name, where the system has such numbers.
    pub number: Option<u64>,
    /// Size in bytes.
    pub size: u64,
    /// The permission bits, where the system has them.
    pub mode: Option<u32>,
    /// The numbers of the owner and the group, where the system has them.
    pub owner: Option<(u32, u32)>,
    /// Last access.
    pub atime_ns: Option<i128>,
    /// Last change of the content.
    pub mtime_ns: Option<i128>,
    /// Last change of the attributes.
    pub ctime_ns: Option<i128>,
    /// Creation.
    pub birthtime_ns: Option<i128>,
}

/// What a look at the locks of keys tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLocksNow {
    /// They are not those that others open by that name now.
    Gone,
    /// They are, and no group of changes is under way, or was left unfinished.
    Quiet,
    /// They are, and there may be such a group.
    MayHaveGroups,
}

/// Who may do what with a new file.
#[derive(Debug, Clone, Copy)]
pub enum Access<'a> {
    /// These permission bits, less the umask.
    Mode(u32),
    /// What is allowed with the file that it is to replace. The owner and the group are kept where
    /// the system allows it, and where it does not, nobody gets more than before.
    Like(&'a Stat),
}

/// Whether the error says that there is nothing of that name.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

pub(crate) fn is_folder(stat: &Stat) -> bool {
    stat.kind == Kind::Folder
}

/// Whether no file can have that name.
pub(crate) fn is_impossible(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidFilename | ErrorKind::InvalidInput
    )
}

/// What a kind of the standard library is here.
pub(super) fn kind_of(kind: fs::FileType) -> Kind {
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Folder
    } else if kind.is_symlink() {
        Kind::Link
    } else {
        Kind::Other
    }
}

/// Nothing that a lock could be taken of: a link, a folder, or what is no regular file.
pub(super) fn no_lock_file() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "what has the name of the lock file is no regular file",
    )
}
