//! What a read sees of a write that has not taken effect: what the store would give for it.
//!
//! Only stores that hold texts and bytes have pending writes.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::order::Change;
use eas_core::driver::NativeMeta;
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::value::{Text, Value};

/// A value as text; `None` for bytes that are none.
pub fn as_text(value: &Value) -> Option<Value> {
    match value {
        Value::Text(Text::Utf16(_)) | Value::Bytes(..) => {
            let bytes = value.file_bytes()?.into_owned();
            Text::from_utf8(bytes).map(Value::Text)
        }
        _ => Some(value.clone()),
    }
}

/// A value as the bytes that are stored.
pub fn as_bytes(value: &Value) -> Option<Value> {
    Some(Value::buffer(value.file_bytes()?.into_owned()))
}

/// How many bytes are stored of a value.
pub fn size(value: &Value) -> Option<u64> {
    u64::try_from(value.file_bytes()?.len()).ok()
}

/// What a store of bytes knows of an item that is to be written.
pub fn meta(value: &Value, called_ms: u64, ttl_ms: Option<u64>) -> NativeMeta {
    #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
    let written_ms = Some(called_ms as f64);
    NativeMeta {
        atime_ms: written_ms,
        mtime_ms: written_ms,
        ctime_ms: written_ms,
        birthtime_ms: None,
        size: size(value),
        ttl_ms,
    }
}

/// How a read answers from what is pending.
pub(super) trait Seen: Sized {
    /// What it gives where there is no item.
    const GONE: Self;

    /// What it gives for an item that is pending.
    fn of(value: &Value, called_ms: u64, ttl_ms: Option<u64>) -> Self;
}

impl Seen for bool {
    const GONE: Self = false;

    fn of(_value: &Value, _called_ms: u64, _ttl_ms: Option<u64>) -> Self {
        true
    }
}

impl Seen for Option<NativeMeta> {
    const GONE: Self = None;

    fn of(value: &Value, called_ms: u64, ttl_ms: Option<u64>) -> Self {
        Some(meta(value, called_ms, ttl_ms))
    }
}

/// A value that is read as text.
pub(super) struct AsText(pub(super) Option<Value>);

/// A value that is read as bytes.
pub(super) struct AsBytes(pub(super) Option<Value>);

impl Seen for AsText {
    const GONE: Self = AsText(None);

    fn of(value: &Value, _called_ms: u64, _ttl_ms: Option<u64>) -> Self {
        AsText(as_text(value))
    }
}

impl Seen for AsBytes {
    const GONE: Self = AsBytes(None);

    fn of(value: &Value, _called_ms: u64, _ttl_ms: Option<u64>) -> Self {
        AsBytes(as_bytes(value))
    }
}

impl Change {
    /// What a read sees of it.
    pub(super) fn seen<S: Seen>(&self, now_ms: u64) -> S {
        match self {
            Change::Set {
                value,
                expires_ms,
                called_ms,
            } if expires_ms.is_none_or(|expires_ms| expires_ms > now_ms) => {
                let ttl_ms = expires_ms.map(|expires_ms| expires_ms - now_ms);
                S::of(value, *called_ms, ttl_ms)
            }
            _ => S::GONE,
        }
    }
}

/// The keys that a store lists, with pending changes applied.
pub(super) fn overlay(
    listed: Keys,
    pending: Vec<(Arc<str>, Change)>,
    max_depth: Option<usize>,
    now_ms: u64,
    is_listed: impl Fn(&str) -> bool,
) -> Keys {
    let pending: FxHashMap<Arc<str>, bool> = pending
        .into_iter()
        .map(|(key, change)| (key, change.seen(now_ms)))
        .collect();
    let mut keys = listed.filtered(|key| !pending.contains_key(key));
    let present = pending.iter().filter(|(key, is_there)| {
        **is_there && max_depth.is_none_or(|max| key::depth(key) <= max) && is_listed(key)
    });
    keys.extend(present.map(|(key, _)| key));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: Value, expires_ms: Option<u64>) -> Change {
        Change::Set {
            value,
            expires_ms,
            called_ms: 1,
        }
    }

    #[test]
    fn a_pending_value_reads_in_each_form_as_the_store_would_give_it() {
        let text = set(Value::Text("é".into()), None);
        let AsBytes(bytes) = text.seen(0);
        assert_eq!(bytes, Some(Value::buffer("é".as_bytes().to_vec())));
        let AsText(same) = text.seen(0);
        assert_eq!(same, Some(Value::Text("é".into())));
        let AsText(none) = set(Value::buffer(vec![0xff]), None).seen(0);
        assert_eq!(none, None);
        assert!(text.seen::<bool>(0) && !Change::Remove.seen::<bool>(0));
    }

    #[test]
    fn a_pending_value_expires() {
        let change = set(Value::Text("x".into()), Some(10));
        let meta: Option<NativeMeta> = change.seen(4);
        assert_eq!(meta.and_then(|meta| meta.ttl_ms), Some(6));
        assert!(!change.seen::<bool>(10));
    }

    #[test]
    fn a_listing_has_what_is_pending() {
        let listed: Keys = ["a", "b"].into_iter().collect();
        let value = Value::Text("x".into());
        let pending = vec![
            ("a".into(), Change::Remove),
            ("b".into(), set(value.clone(), None)),
            ("c".into(), set(value.clone(), None)),
            ("c:d".into(), set(value.clone(), None)),
            ("ignored".into(), set(value, None)),
        ];
        let keys = overlay(listed, pending, Some(0), 0, |key| key != "ignored");
        let mut keys: Vec<&str> = keys.iter().collect();
        keys.sort_unstable();
        assert_eq!(keys, ["b", "c"]);
    }
}
