//! What SQLite says, in the words of the package.

use std::path::Path;

use eas_core::error::{Error, Kind, Result};
use rusqlite::ErrorCode;

/// Gives errors of SQLite the kind that callers know.
pub(crate) trait Said<T> {
    /// Says what was being done.
    fn said(self, file: &Path, action: &'static str) -> Result<T>;
}

impl<T> Said<T> for rusqlite::Result<T> {
    fn said(self, file: &Path, action: &'static str) -> Result<T> {
        self.map_err(|error| translate(error, file, action))
    }
}

/// The error of a file that is no database of ours.
pub(crate) fn foreign(file: &Path, what: &str) -> Error {
    let file = file.display();
    Error::new(
        Kind::ForeignDatabase,
        format!(
            "{file} is {what}; it is left as it is: choose another `file` or `base`, or move it away"
        ),
    )
}

/// The error of a layout that a later version of the package made.
pub(crate) fn newer(file: &Path, layout: i32) -> Error {
    let file = file.display();
    Error::new(
        Kind::NewerLayout,
        format!(
            "{file} has layout {layout}, which a later version of the package made, and this one knows layout {} alone: update electron-async-storage",
            crate::schema::LAYOUT
        ),
    )
}

fn translate(error: rusqlite::Error, file: &Path, action: &'static str) -> Error {
    let shown = file.display();
    let code = error.sqlite_error_code();
    let kind = match code {
        Some(ErrorCode::NotADatabase) => return foreign(file, "no SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => Kind::Damaged,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::System("EBUSY"),
        Some(ErrorCode::DiskFull) => Kind::System("ENOSPC"),
        Some(ErrorCode::ReadOnly) => Kind::System("EROFS"),
        Some(ErrorCode::PermissionDenied) => Kind::System("EACCES"),
        Some(ErrorCode::CannotOpen) => Kind::System(missing_or_denied(file)),
        Some(ErrorCode::OutOfMemory) => Kind::System("ENOMEM"),
        Some(ErrorCode::TooBig) => {
            return Error::new(
                Kind::InvalidValue,
                "the value is larger than SQLite stores (about 1,000,000,000 bytes)",
            );
        }
        _ => Kind::System("EIO"),
    };
    let advice = match kind {
        Kind::Damaged => {
            "; nothing is repaired or deleted: `verify()` says what is wrong, and what can be read is read"
        }
        Kind::System("EBUSY") => "; another process held the database for more than 5 s",
        _ => "",
    };
    let message = match kind {
        Kind::System(name) => format!("{name}: cannot {action} {shown}: {error}{advice}"),
        _ => format!("cannot {action} {shown}: {error}{advice}"),
    };
    Error::new(kind, message).caused_by(error.into())
}

/// SQLite says only that it cannot open a file.
fn missing_or_denied(file: &Path) -> &'static str {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => "EISDIR",
        Ok(_) => "EACCES",
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => "ENOENT",
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => "ENOTDIR",
        Err(_) => "EACCES",
    }
}
