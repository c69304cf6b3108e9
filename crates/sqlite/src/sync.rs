//! How files and folders are fsynced.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

/// The log is no file that SQLite has locks on: to open and close it is safe.
pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(log) => log.sync_all(),
        // Everything is in the database itself, which SQLite synced before it removed the log; or somebody
        // removed the whole folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in the folder of a file durable, where the system can.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    match std::fs::File::open(folder).and_then(|folder| folder.sync_all()) {
        // Gone, or one that may be entered and written but not read; some network file systems refuse it.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::InvalidInput
                    | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_refuses_it_fails_nothing() {
        use super::*;
        let folder = Path::new("/proc/self");
        let refused = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        sync_folder(&folder.join("name")).unwrap();
        sync_folder(Path::new("/nowhere/name")).unwrap();
    }
}
