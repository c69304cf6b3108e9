//! The names and numbers of system errors, as Node shows them in `error.code` and `error.errno`.

use std::io::{Error, ErrorKind};

/// The name of an error that has none, as in libuv.
const UNKNOWN: &str = "UNKNOWN";

/// The POSIX name of a system error, as Node shows it in `error.code`.
pub fn code_of(error: &Error) -> &'static str {
    match error.raw_os_error() {
        Some(raw) => RAW
            .iter()
            .find(|(number, _)| *number == raw)
            .map_or(UNKNOWN, |(_, name)| name),
        None => code_of_kind(error.kind()),
    }
}

/// The number of a system error, as Node shows it in `error.errno`: the system's own, negative;
/// libuv's on Windows.
pub fn errno_of(error: &Error) -> i32 {
    match error.raw_os_error() {
        Some(raw) if cfg!(unix) => -raw,
        _ => number_of(code_of(error)),
    }
}

/// An error of the system with that POSIX name.
pub fn io_from_code(code: &str) -> Error {
    let known = RAW.iter().find(|(_, name)| *name == code);
    match known {
        Some((number, _)) => Error::from_raw_os_error(*number),
        // Windows has no number for it.
        None if code == "ENOTDIR" => ErrorKind::NotADirectory.into(),
        None => Error::other(code.to_owned()),
    }
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
        ErrorKind::ExecutableFileBusy => "ETXTBSY",
        ErrorKind::Deadlock => "EDEADLK",
        ErrorKind::InvalidFilename => "ENAMETOOLONG",
        ErrorKind::InvalidInput => "EINVAL",
        ErrorKind::Interrupted => "EINTR",
        ErrorKind::OutOfMemory => "ENOMEM",
        ErrorKind::TimedOut => "ETIMEDOUT",
        ErrorKind::CrossesDevices => "EXDEV",
        ErrorKind::TooManyLinks => "EMLINK",
        ErrorKind::StaleNetworkFileHandle => "ESTALE",
        ErrorKind::NotSeekable => "ESPIPE",
        ErrorKind::BrokenPipe => "EPIPE",
        ErrorKind::WouldBlock => "EAGAIN",
        ErrorKind::Unsupported => "ENOTSUP",
        _ => "EIO",
    }
}

#[cfg(unix)]
fn number_of(code: &str) -> i32 {
    const UV_UNKNOWN: i32 = -4094;
    let known = RAW.iter().find(|(_, name)| *name == code);
    known.map_or(UV_UNKNOWN, |(number, _)| -number)
}

#[cfg(windows)]
fn number_of(code: &str) -> i32 {
    const UV_UNKNOWN: i32 = -4094;
    let known = UV.iter().find(|(_, name)| *name == code);
    known.map_or(UV_UNKNOWN, |(number, _)| *number)
}

// Where libuv has a name, it is that one.
#[cfg(any(target_os = "linux", target_os = "android"))]
const RAW: &[(i32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (3, "ESRCH"),
    (4, "EINTR"),
    (5, "EIO"),
    (6, "ENXIO"),
    (7, "E2BIG"),
    (8, "ENOEXEC"),
    (9, "EBADF"),
    (10, "ECHILD"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (15, "ENOTBLK"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (18, "EXDEV"),
    (19, "ENODEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (25, "ENOTTY"),
    (26, "ETXTBSY"),
    (27, "EFBIG"),
    (28, "ENOSPC"),
    (29, "ESPIPE"),
    (30, "EROFS"),
    (31, "EMLINK"),
    (32, "EPIPE"),
    (33, "EDOM"),
    (34, "ERANGE"),
    (35, "EDEADLK"),
    (36, "ENAMETOOLONG"),
    (37, "ENOLCK"),
    (38, "ENOSYS"),
    (39, "ENOTEMPTY"),
    (40, "ELOOP"),
    (42, "ENOMSG"),
    (43, "EIDRM"),
    (44, "ECHRNG"),
    (45, "EL2NSYNC"),
    (46, "EL3HLT"),
    (47, "EL3RST"),
    (48, "ELNRNG"),
    (49, "EUNATCH"),
    (50, "ENOCSI"),
    (51, "EL2HLT"),
    (52, "EBADE"),
    (53, "EBADR"),
    (54, "EXFULL"),
    (55, "ENOANO"),
    (56, "EBADRQC"),
    (57, "EBADSLT"),
    (59, "EBFONT"),
    (60, "ENOSTR"),
    (61, "ENODATA"),
    (62, "ETIME"),
    (63, "ENOSR"),
    (64, "ENONET"),
    (65, "ENOPKG"),
    (66, "EREMOTE"),
    (67, "ENOLINK"),
    (68, "EADV"),
    (69, "ESRMNT"),
    (70, "ECOMM"),
    (71, "EPROTO"),
    (72, "EMULTIHOP"),
    (73, "EDOTDOT"),
    (74, "EBADMSG"),
    (75, "EOVERFLOW"),
    (76, "ENOTUNIQ"),
    (77, "EBADFD"),
    (78, "EREMCHG"),
    (79, "ELIBACC"),
    (80, "ELIBBAD"),
    (81, "ELIBSCN"),
    (82, "ELIBMAX"),
    (83, "ELIBEXEC"),
    (84, "EILSEQ"),
    (85, "ERESTART"),
    (86, "ESTRPIPE"),
    (87, "EUSERS"),
    (88, "ENOTSOCK"),
    (89, "EDESTADDRREQ"),
    (90, "EMSGSIZE"),
    (91, "EPROTOTYPE"),
    (92, "ENOPROTOOPT"),
    (93, "EPROTONOSUPPORT"),
    (94, "ESOCKTNOSUPPORT"),
    (95, "ENOTSUP"),
    (96, "EPFNOSUPPORT"),
    (97, "EAFNOSUPPORT"),
    (98, "EADDRINUSE"),
    (99, "EADDRNOTAVAIL"),
    (100, "ENETDOWN"),
    (101, "ENETUNREACH"),
    (102, "ENETRESET"),
    (103, "ECONNABORTED"),
    (104, "ECONNRESET"),
    (105, "ENOBUFS"),
    (106, "EISCONN"),
    (107, "ENOTCONN"),
    (108, "ESHUTDOWN"),
    (109, "ETOOMANYREFS"),
    (110, "ETIMEDOUT"),
    (111, "ECONNREFUSED"),
    (112, "EHOSTDOWN"),
    (113, "EHOSTUNREACH"),
    (114, "EALREADY"),
    (115, "EINPROGRESS"),
    (116, "ESTALE"),
    (117, "EUCLEAN"),
    (118, "ENOTNAM"),
    (119, "ENAVAIL"),
    (120, "EISNAM"),
    (121, "EREMOTEIO"),
    (122, "EDQUOT"),
    (123, "ENOMEDIUM"),
    (124, "EMEDIUMTYPE"),
    (125, "ECANCELED"),
    (126, "ENOKEY"),
    (127, "EKEYEXPIRED"),
    (128, "EKEYREVOKED"),
    (129, "EKEYREJECTED"),
    (130, "EOWNERDEAD"),
    (131, "ENOTRECOVERABLE"),
    (132, "ERFKILL"),
];

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const RAW: &[(i32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (3, "ESRCH"),
    (4, "EINTR"),
    (5, "EIO"),
    (6, "ENXIO"),
    (7, "E2BIG"),
    (8, "ENOEXEC"),
    (9, "EBADF"),
    (10, "ECHILD"),
    (11, "EDEADLK"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (15, "ENOTBLK"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (18, "EXDEV"),
    (19, "ENODEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (23, "ENFILE"),
    (24, "EMFILE"),
    (25, "ENOTTY"),
    (26, "ETXTBSY"),
    (27, "EFBIG"),
    (28, "ENOSPC"),
    (29, "ESPIPE"),
    (30, "EROFS"),
    (31, "EMLINK"),
    (32, "EPIPE"),
    (33, "EDOM"),
    (34, "ERANGE"),
    (35, "EAGAIN"),
    (36, "EINPROGRESS"),
    (37, "EALREADY"),
    (38, "ENOTSOCK"),
    (39, "EDESTADDRREQ"),
    (40, "EMSGSIZE"),
    (41, "EPROTOTYPE"),
    (42, "ENOPROTOOPT"),
    (43, "EPROTONOSUPPORT"),
    (44, "ESOCKTNOSUPPORT"),
    (45, "ENOTSUP"),
    (46, "EPFNOSUPPORT"),
    (47, "EAFNOSUPPORT"),
    (48, "EADDRINUSE"),
    (49, "EADDRNOTAVAIL"),
    (50, "ENETDOWN"),
    (51, "ENETUNREACH"),
    (52, "ENETRESET"),
    (53, "ECONNABORTED"),
    (54, "ECONNRESET"),
    (55, "ENOBUFS"),
    (56, "EISCONN"),
    (57, "ENOTCONN"),
    (58, "ESHUTDOWN"),
    (59, "ETOOMANYREFS"),
    (60, "ETIMEDOUT"),
    (61, "ECONNREFUSED"),
    (62, "ELOOP"),
    (63, "ENAMETOOLONG"),
    (64, "EHOSTDOWN"),
    (65, "EHOSTUNREACH"),
    (66, "ENOTEMPTY"),
    (67, "EPROCLIM"),
    (68, "EUSERS"),
    (69, "EDQUOT"),
    (70, "ESTALE"),
    (71, "EREMOTE"),
    (72, "EBADRPC"),
    (73, "ERPCMISMATCH"),
    (74, "EPROGUNAVAIL"),
    (75, "EPROGMISMATCH"),
    (76, "EPROCUNAVAIL"),
    (77, "ENOLCK"),
    (78, "ENOSYS"),
    (79, "EFTYPE"),
    (80, "EAUTH"),
    (81, "ENEEDAUTH"),
    (82, "EPWROFF"),
    (83, "EDEVERR"),
    (84, "EOVERFLOW"),
    (85, "EBADEXEC"),
    (86, "EBADARCH"),
    (87, "ESHLIBVERS"),
    (88, "EBADMACHO"),
    (89, "ECANCELED"),
    (90, "EIDRM"),
    (91, "ENOMSG"),
    (92, "EILSEQ"),
    (93, "ENOATTR"),
    (94, "EBADMSG"),
    (95, "EMULTIHOP"),
    (96, "ENODATA"),
    (97, "ENOLINK"),
    (98, "ENOSR"),
    (99, "ENOSTR"),
    (100, "EPROTO"),
    (101, "ETIME"),
    (102, "EOPNOTSUPP"),
    (103, "ENOPOLICY"),
    (104, "ENOTRECOVERABLE"),
    (105, "EOWNERDEAD"),
    (106, "EQFULL"),
];

// Windows error numbers, named as libuv names them. Of numbers with one name, the first is made from it.
#[cfg(windows)]
const RAW: &[(i32, &str)] = &[
    (1, "EISDIR"),
    (2, "ENOENT"),
    (3, "ENOENT"),
    (4, "EMFILE"),
    (5, "EPERM"),
    (6, "EBADF"),
    (8, "ENOMEM"),
    (13, "EINVAL"),
    (14, "ENOMEM"),
    (15, "ENOENT"),
    (17, "EXDEV"),
    (19, "EROFS"),
    (31, "EIO"),
    (23, "EIO"),
    (32, "EBUSY"),
    (33, "EBUSY"),
    (39, "ENOSPC"),
    (50, "ENOTSUP"),
    (80, "EEXIST"),
    (82, "ENOSPC"),
    (87, "EINVAL"),
    (110, "EIO"),
    (111, "EFAULT"),
    (112, "ENOSPC"),
    (121, "ETIMEDOUT"),
    (122, "EINVAL"),
    (123, "ENOENT"),
    (126, "ENOENT"),
    (145, "ENOTEMPTY"),
    (156, "EIO"),
    (161, "ENOENT"),
    (183, "EEXIST"),
    (203, "ENOENT"),
    (205, "EIO"),
    (206, "ENAMETOOLONG"),
    (208, "E2BIG"),
    (230, "EPIPE"),
    (231, "EBUSY"),
    (232, "EPIPE"),
    (233, "EPIPE"),
    (267, "ENOENT"),
    (277, "ENOSPC"),
    (303, "EPERM"),
    (740, "EACCES"),
    (995, "ECANCELED"),
    (998, "EACCES"),
    (1004, "EBADF"),
    (1100, "ENOSPC"),
    (1101, "EIO"),
    (1102, "EIO"),
    (1103, "EIO"),
    (1104, "EIO"),
    (1106, "EIO"),
    (1111, "EIO"),
    (1113, "ECHARSET"),
    (1117, "EIO"),
    (1129, "EIO"),
    (1165, "EIO"),
    (1166, "EIO"),
    (1314, "EPERM"),
    (1393, "EIO"),
    (1464, "EINVAL"),
    (1920, "EACCES"),
    (1921, "ELOOP"),
    (4392, "ENOENT"),
];

/// libuv's numbers on Windows.
#[cfg(windows)]
const UV: &[(i32, &str)] = &[
    (-4093, "E2BIG"),
    (-4092, "EACCES"),
    (-4088, "EAGAIN"),
    (-4083, "EBADF"),
    (-4082, "EBUSY"),
    (-4081, "ECANCELED"),
    (-4080, "ECHARSET"),
    (-4075, "EEXIST"),
    (-4074, "EFAULT"),
    (-4036, "EFBIG"),
    (-4072, "EINTR"),
    (-4071, "EINVAL"),
    (-4070, "EIO"),
    (-4068, "EISDIR"),
    (-4067, "ELOOP"),
    (-4066, "EMFILE"),
    (-4064, "ENAMETOOLONG"),
    (-4061, "ENFILE"),
    (-4059, "ENODEV"),
    (-4058, "ENOENT"),
    (-4057, "ENOMEM"),
    (-4055, "ENOSPC"),
    (-4054, "ENOSYS"),
    (-4052, "ENOTDIR"),
    (-4051, "ENOTEMPTY"),
    (-4049, "ENOTSUP"),
    (-4048, "EPERM"),
    (-4047, "EPIPE"),
    (-4043, "EROFS"),
    (-4041, "ESPIPE"),
    (-4039, "ETIMEDOUT"),
    (-4038, "ETXTBSY"),
    (-4037, "EXDEV"),
    (-4033, "ENXIO"),
    (-4032, "EMLINK"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_error_survives_a_round_trip() {
        for (_, code) in RAW {
            assert_eq!(code_of(&io_from_code(code)), *code);
        }
    }

    #[cfg(unix)]
    #[test]
    fn every_error_has_its_own_number() {
        for (number, code) in RAW {
            let error = Error::from_raw_os_error(*number);
            assert_eq!((code_of(&error), errno_of(&error)), (*code, -number));
        }
        assert_eq!(code_of(&Error::from_raw_os_error(9999)), UNKNOWN);
        assert_eq!(errno_of(&Error::from_raw_os_error(9999)), -9999);
    }

    #[test]
    fn an_error_without_a_number_has_that_of_its_name() {
        let missing = Error::from(ErrorKind::NotFound);
        assert_eq!(code_of(&missing), "ENOENT");
        assert_eq!(errno_of(&missing), errno_of(&io_from_code("ENOENT")));
        assert_eq!(errno_of(&missing), if cfg!(windows) { -4058 } else { -2 });
    }
}
