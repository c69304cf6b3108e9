//! What goes with an item: the options of a call, its metadata, what happens to it.

use crate::value::JsHandle;

/// Options of one call.
#[derive(Clone, Default)]
pub struct Options {
    /// Time to live of what is written, in ms.
    pub ttl_ms: Option<u64>,
    /// The options object of JavaScript, which drivers in JavaScript get as it is.
    pub handle: Option<JsHandle>,
    /// Whether a batch of reads leaves no trace: bytes that are no text read as missing, without a warning
    /// and without being noted, since the caller looks at them itself.
    pub is_quiet: bool,
}

/// Metadata that a native driver knows. Times are in ms since the epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NativeMeta {
    /// Last access.
    pub atime_ms: Option<f64>,
    /// Last change of the value.
    pub mtime_ms: Option<f64>,
    /// Last change of the file's attributes.
    pub ctime_ms: Option<f64>,
    /// Creation.
    pub birthtime_ms: Option<f64>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Time left to live, in ms.
    pub ttl_ms: Option<u64>,
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The item was written.
    Update,
    /// The item was removed.
    Remove,
}

impl EventKind {
    /// The name that listeners get.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Update => "update",
            EventKind::Remove => "remove",
        }
    }
}

/// A change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The key, relative to the driver that reports it.
    pub key: String,
}
