//! The names of system errors, the same on every system.

use std::io::{Error, ErrorKind};

/// The POSIX name of a system error, as Node shows it in `error.code`.
pub fn code_of(error: &Error) -> &'static str {
    error
        .raw_os_error()
        .and_then(|raw| RAW.iter().find(|(number, _)| *number == raw))
        .map_or_else(|| code_of_kind(error.kind()), |(_, name)| name)
}

/// An error of the system with that POSIX name; for tests that inject faults.
pub fn io_from_code(code: &str) -> Error {
    RAW.iter().find(|(_, name)| *name == code).map_or_else(
        || Error::other(code.to_owned()),
        |(number, _)| Error::from_raw_os_error(*number),
    )
}

fn code_of_kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "ENOENT",
        ErrorKind::PermissionDenied => "EACCES",
        ErrorKind::AlreadyExists => "EEXIST",
        ErrorKind::NotADirectory => "ENOTDIR",
        ErrorKind::IsADirectory => "EISDIR",
        ErrorKind::DirectoryNotEmpty => "ENOTEMPTY",
        ErrorKind::ReadOnlyFilesystem => "EROFS",
        ErrorKind::StorageFull => "ENOSPC",
        ErrorKind::QuotaExceeded => "EDQUOT",
        ErrorKind::FileTooLarge => "EFBIG",
        ErrorKind::ResourceBusy => "EBUSY",
        ErrorKind::InvalidFilename => "ENAMETOOLONG",
        ErrorKind::InvalidInput => "EINVAL",
        ErrorKind::Interrupted => "EINTR",
        ErrorKind::OutOfMemory => "ENOMEM",
        ErrorKind::TimedOut => "ETIMEDOUT",
        ErrorKind::CrossesDevices => "EXDEV",
        _ => "EIO",
    }
}

#[cfg(all(unix, any(target_os = "linux", target_os = "android")))]
const RAW: &[(i32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (4, "EINTR"),
    (5, "EIO"),
    (9, "EBADF"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (18, "EXDEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (27, "EFBIG"),
    (28, "ENOSPC"),
    (30, "EROFS"),
    (36, "ENAMETOOLONG"),
    (39, "ENOTEMPTY"),
    (40, "ELOOP"),
    (116, "ESTALE"),
    (122, "EDQUOT"),
];

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const RAW: &[(i32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (4, "EINTR"),
    (5, "EIO"),
    (9, "EBADF"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (18, "EXDEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (27, "EFBIG"),
    (28, "ENOSPC"),
    (30, "EROFS"),
    (35, "EAGAIN"),
    (62, "ELOOP"),
    (63, "ENAMETOOLONG"),
    (66, "ENOTEMPTY"),
    (69, "EDQUOT"),
    (70, "ESTALE"),
];

// Windows error numbers, named as libuv names them.
#[cfg(windows)]
const RAW: &[(i32, &str)] = &[
    (2, "ENOENT"),
    (3, "ENOENT"),
    (4, "EMFILE"),
    (5, "EPERM"),
    (8, "ENOMEM"),
    (17, "EXDEV"),
    (19, "EROFS"),
    (23, "EIO"),
    (32, "EBUSY"),
    (33, "EBUSY"),
    (39, "ENOSPC"),
    (80, "EEXIST"),
    (82, "EACCES"),
    (87, "EINVAL"),
    (111, "ENAMETOOLONG"),
    (112, "ENOSPC"),
    (123, "EINVAL"),
    (145, "ENOTEMPTY"),
    (183, "EEXIST"),
    (206, "ENAMETOOLONG"),
    (267, "ENOTDIR"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_error_survives_a_round_trip() {
        for code in ["EIO", "ENOSPC", "EMFILE", "EBUSY"] {
            assert_eq!(code_of(&io_from_code(code)), code);
        }
    }
}
