//! What can go wrong, in a form that callers can match on.
//!
//! An [`Error`] is a [`Kind`] plus where it happened: the driver, the operation and the key. The
//! place that fails attaches what it knows; layers further out add the rest and never overwrite.

mod system_code;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use system_code::{code_of, errno_of, io_from_code};

use crate::value::JsHandle;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of an error; the only thing callers should branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A key that cannot name an item of this driver.
    InvalidKey,
    /// A value that has no stored form.
    InvalidValue,
    /// A call with an argument of the wrong type.
    InvalidArgument,
    /// An option with a value that is out of range or of the wrong type.
    InvalidOption,
    /// An option that must be given and was not.
    RequiredOption,
    /// A Sync call of something that the driver can only do asynchronously.
    SyncUnsupported,
    /// Stored text that is not a value.
    CorruptValue,
    /// A mount on a base that has one already.
    AlreadyMounted,
    /// A call on something that was disposed.
    Disposed,
    /// A change of a store that only reads.
    ReadOnly,
    /// An item that is not what a conditional write expects.
    Conflict,
    /// A conditional write, or several as one, where the driver makes none.
    AtomicUnsupported,
    /// A driver gave something that its interface does not allow.
    DriverResult,
    /// A migration that cannot run.
    Migration,
    /// A file that is no database of this package.
    ForeignDatabase,
    /// A database whose layout a later version of this package made.
    NewerLayout,
    /// A database that is damaged.
    Damaged,
    /// A bug of this library: a panic that was caught.
    Panic,
    /// A failed system call, with the system's own name for it (`EACCES`, `ENOSPC`…).
    System(&'static str),
    /// Something that the JS runtime threw; it is handed back as it came.
    Thrown,
}

impl Kind {
    /// The `code` property that JavaScript sees.
    pub fn code(self) -> &'static str {
        match self {
            Kind::InvalidKey => "EAS_INVALID_KEY",
            Kind::InvalidValue => "EAS_INVALID_VALUE",
            Kind::InvalidArgument => "EAS_INVALID_ARGUMENT",
            Kind::InvalidOption => "EAS_INVALID_OPTION",
            Kind::RequiredOption => "EAS_REQUIRED_OPTION",
            Kind::SyncUnsupported => "EAS_SYNC_UNSUPPORTED",
            Kind::CorruptValue => "EAS_CORRUPT_VALUE",
            Kind::AlreadyMounted => "EAS_ALREADY_MOUNTED",
            Kind::Disposed => "EAS_DISPOSED",
            Kind::ReadOnly => "EAS_READ_ONLY",
            Kind::Conflict => "EAS_CONFLICT",
            Kind::AtomicUnsupported => "EAS_ATOMIC_UNSUPPORTED",
            Kind::DriverResult => "EAS_DRIVER_RESULT",
            Kind::Migration => "EAS_MIGRATION",
            Kind::ForeignDatabase => "EAS_FOREIGN_DATABASE",
            Kind::NewerLayout => "EAS_NEWER_LAYOUT",
            Kind::Damaged => "EAS_DAMAGED",
            Kind::Panic => "EAS_PANIC",
            Kind::System(code) => code,
            Kind::Thrown => "EAS_FOREIGN",
        }
    }
}

/// An error and where it happened. Cheap to move: one pointer.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    message: Cow<'static, str>,
    driver: Option<Arc<str>>,
    operation: Option<&'static str>,
    key: Option<Arc<str>>,
    source: Option<Arc<anyhow::Error>>,
    thrown: Option<JsHandle>,
    system: Option<Box<SystemCall>>,
}

/// The system call that failed, as Node shows it.
#[derive(Debug, Clone)]
pub struct SystemCall {
    /// The system's number of the error, negative; libuv's on Windows.
    pub errno: i32,
    /// The call, by Node's name for it.
    pub syscall: &'static str,
    /// What it was called for.
    pub path: Option<Box<str>>,
}

impl Error {
    /// An error of `kind`; `message` says what was given and what to do, without any prefix.
    pub fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            driver: None,
            operation: None,
            key: None,
            source: None,
            thrown: None,
            system: None,
        }))
    }

    /// A call of something that was disposed.
    #[cold]
    pub fn disposed() -> Self {
        Error::new(
            Kind::Disposed,
            "it is disposed; make a new one, and dispose after the last call",
        )
    }

    /// Something that the JS runtime threw.
    pub fn thrown(value: JsHandle) -> Self {
        let mut error = Error::new(Kind::Thrown, "JavaScript threw");
        error.0.thrown = Some(value);
        error
    }

    /// A failed system call; `syscall` is Node's name for it, for example `"rename"`.
    pub fn io(source: std::io::Error, syscall: &'static str) -> Self {
        let message = format!("{}: {syscall} failed: {source}", code_of(&source));
        Error::io_with(source, syscall, message)
    }

    /// A failed system call, with a message of its own.
    pub fn io_with(
        source: std::io::Error,
        syscall: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut error = Error::new(Kind::System(code_of(&source)), message);
        error.0.system = Some(Box::new(SystemCall {
            errno: errno_of(&source),
            syscall,
            path: None,
        }));
        error.0.source = Some(Arc::new(anyhow::Error::new(source).context(syscall)));
        error
    }

    /// Names what the system call was made for, unless a layer below did.
    #[must_use]
    pub fn path(mut self, path: &Path) -> Self {
        if let Some(system) = &mut self.0.system {
            system.path.get_or_insert_with(|| shown(path).into());
        }
        self
    }

    /// A caught panic, as an error of the operation that ran it.
    pub fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown panic".to_owned());
        Error::new(
            Kind::Panic,
            format!(
                "internal error: {text}. The data is as it was before the call; please report this."
            ),
        )
    }

    /// With another kind. What was thrown reaches the caller all the same.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Names the driver, unless a layer below did.
    #[must_use]
    pub fn driver(mut self, name: &str) -> Self {
        self.0.driver.get_or_insert_with(|| name.into());
        self
    }

    /// Names the operation, unless a layer below did.
    #[must_use]
    pub fn operation(mut self, name: &'static str) -> Self {
        self.0.operation.get_or_insert(name);
        self
    }

    /// Names the key, unless a layer below did.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.0.key.get_or_insert_with(|| key.into());
        self
    }

    /// Attaches what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: anyhow::Error) -> Self {
        self.0.source.get_or_insert_with(|| Arc::new(source));
        self
    }

    /// The class of the error.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The driver it happened in.
    pub fn driver_name(&self) -> Option<&str> {
        self.0.driver.as_deref()
    }

    /// The operation that failed.
    pub fn operation_name(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The key that was asked for.
    pub fn key_name(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// The system call that failed, for [`Kind::System`].
    pub fn system_call(&self) -> Option<&SystemCall> {
        self.0.system.as_deref()
    }

    /// What the JS runtime threw, for [`Kind::Thrown`].
    pub fn thrown_value(&self) -> Option<&JsHandle> {
        self.0.thrown.as_ref()
    }

    /// The causes, outermost first.
    pub fn cause(&self) -> Option<&anyhow::Error> {
        self.0.source.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[electron-async-storage] ")?;
        if let Some(driver) = &self.0.driver {
            write!(f, "[{driver}] ")?;
        }
        f.write_str(&self.0.message)?;
        match self.system_call().and_then(|call| call.path.as_deref()) {
            Some(path) => write!(f, ", '{path}'"),
            None => Ok(()),
        }
    }
}

/// A path as its user writes it: without the prefix that lifts the limit of its length on Windows.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    match (text.strip_prefix(r"\\?\UNC\"), text.strip_prefix(r"\\?\")) {
        (Some(share), _) => format!(r"\\{share}"),
        (None, Some(rest)) => rest.to_owned(),
        (None, None) => text.into_owned(),
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("driver", &self.0.driver)
            .field("operation", &self.0.operation)
            .field("key", &self.0.key)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {}

/// Attaches the place to the error of a result.
pub trait At<T> {
    /// Names the driver, the operation and the key, where no layer below did.
    fn at(self, driver: &str, operation: &'static str, key: &str) -> Result<T>;
}

impl<T> At<T> for Result<T> {
    #[inline]
    fn at(self, driver: &str, operation: &'static str, key: &str) -> Result<T> {
        self.map_err(|error| error.driver(driver).operation(operation).key(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_that_fails_names_itself_and_outer_layers_do_not_overwrite() {
        let error = Error::new(Kind::InvalidKey, "no")
            .driver("fs")
            .driver("queue")
            .key("a")
            .key("b");
        assert_eq!(error.driver_name(), Some("fs"));
        assert_eq!(error.key_name(), Some("a"));
        assert_eq!(error.to_string(), "[electron-async-storage] [fs] no");
    }

    #[test]
    fn a_system_error_keeps_its_code() {
        let error = Error::io(std::io::Error::from(std::io::ErrorKind::NotFound), "open");
        assert_eq!(error.kind(), Kind::System("ENOENT"));
        assert_eq!(error.kind().code(), "ENOENT");
    }

    #[test]
    fn a_system_error_names_the_call_and_the_path_that_failed_first() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Error::io(missing, "open")
            .path(Path::new("/x/a"))
            .path(Path::new("/x"));
        let call = error.system_call().expect("a system call");
        assert_eq!((call.syscall, call.path.as_deref()), ("open", Some("/x/a")));
        assert!(error.to_string().ends_with(", '/x/a'"), "{error}");
        for (given, expected) in [
            (r"\\?\C:\x", r"C:\x"),
            (r"\\?\UNC\server\share\x", r"\\server\share\x"),
            ("/x", "/x"),
        ] {
            assert_eq!(shown(Path::new(given)), expected);
        }
    }
}
