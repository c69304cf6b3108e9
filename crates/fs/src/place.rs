//! The places that can hold a value.

use std::path::{Path, PathBuf};

use super::disk::Stat;
use super::path;
use eas_core::envelope::{self, Stored};

/// The paths that can hold the value of one key.
///
/// The value is at the first of these that exists: the key's own name, if that is a file; the place
/// for files on the move; the reserved name in the folder of the key's name; the name that a
/// program without escapes uses. Values move along this order only, so that a reader who looks in
/// it misses none, but where a write takes a literal one over and where a move is taken back: for those a reader
/// who found nothing looks again.
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) literal: Option<PathBuf>,
}

/// Content that stands for no value, in the place for files on the move.
///
/// A rename onto it fails if what is renamed has become a folder in the meantime.
pub(super) const PLACEHOLDER: &[u8] = b"%~placeholder\0 3c2e7d1b9a6f4058\n";

/// A value whose file would hold what a placeholder does gets a header, so that it is none.
pub(super) fn told_from_placeholder(stored: Stored<'_>) -> Stored<'_> {
    if stored.header.is_some() || *stored.bytes != *PLACEHOLDER {
        return stored;
    }
    Stored {
        header: Some(envelope::raw_header(stored.expires_ms)),
        ..stored
    }
}

impl Place {
    pub(super) fn new(base: &Path, key: &str) -> Self {
        let separator = std::path::MAIN_SEPARATOR;
        let mut relative = String::with_capacity(key.len() + 16);
        path::push_path(&mut relative, key, separator);
        let literal = path::literal_path(key, separator).map(|literal| base.join(literal));
        Place {
            path: base.join(relative),
            literal,
        }
    }

    /// The folder that the name lies in.
    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    pub(super) fn own(&self) -> PathBuf {
        self.path.join(path::SELF)
    }

    pub(super) fn moved(&self) -> PathBuf {
        moved_of(&self.path)
    }
}

/// The folder of a name below the base, which always has one.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

pub(super) fn moved_of(path: &Path) -> PathBuf {
    let mut moved = folder_of(path).join(path::MOVED);
    moved.extend(path.file_name());
    moved
}

/// How far a removal reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// An item that was asked for by its own key, also through a link to a folder.
    Named,
    /// What a listing gives: below the base, through folders alone.
    Listed,
}

/// A file that holds a value.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) stat: Stat,
}
