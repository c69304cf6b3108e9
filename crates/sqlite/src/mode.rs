//! The permissions of what is made, from its first byte.

use std::fs::{DirBuilder, OpenOptions};

/// A new file gets `mode`, less the umask.
#[cfg(unix)]
pub(crate) fn of_file(options: &mut OpenOptions, mode: Option<u32>) {
    use std::os::unix::fs::OpenOptionsExt;

    if let Some(mode) = mode {
        options.mode(mode);
    }
}

/// A new folder gets `mode` and lets in whoever may read it, less the umask.
#[cfg(unix)]
pub(crate) fn of_folder(builder: &mut DirBuilder, mode: Option<u32>) {
    use std::os::unix::fs::DirBuilderExt;

    if let Some(mode) = mode {
        builder.mode(mode | ((mode & 0o444) >> 2));
    }
}

/// There are no such permissions here.
#[cfg(not(unix))]
pub(crate) fn of_file(_options: &mut OpenOptions, _mode: Option<u32>) {}

/// There are no such permissions here.
#[cfg(not(unix))]
pub(crate) fn of_folder(_builder: &mut DirBuilder, _mode: Option<u32>) {}
