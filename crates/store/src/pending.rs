//! What a read sees of a write that has not taken effect: what the store would give for it.
//!
//! Only stores that hold texts and bytes have pending writes.

use std::borrow::Cow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use eas_core::driver::NativeMeta;
use eas_core::envelope::{self, Stored};
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::store::StoreInfo;
use eas_core::value::{Text, Value};

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Pending {
    /// What reads of the store are going to give.
    value: Value,
    keeping: Keeping,
    /// When the item expires, in ms since the epoch.
    expires_ms: Option<u64>,
    /// When the call was made, in ms since the epoch.
    called_ms: u64,
}

/// How the store keeps an item.
#[derive(Clone, Copy, Debug)]
enum Keeping {
    /// As bytes.
    Bytes,
    /// As the kind of value that it is.
    Kind,
    /// In a file, behind a header of so many bytes.
    File { header_bytes: usize },
}

impl Pending {
    /// What a store makes of a value that is written to it.
    pub fn new(
        store: &StoreInfo,
        value: &Value,
        is_raw: bool,
        expires_ms: Option<u64>,
        called_ms: u64,
    ) -> Self {
        let (value, keeping) = match (store.keeps_files, store.keeps_kinds) {
            (true, _) => in_file(value, is_raw, expires_ms),
            (false, true) => (value.clone(), Keeping::Kind),
            (false, false) => (value.clone(), Keeping::Bytes),
        };
        Pending {
            value,
            keeping,
            expires_ms,
            called_ms,
        }
    }

    /// Whether it expires.
    pub(super) fn expires(&self) -> bool {
        self.expires_ms.is_some()
    }

    /// What a read gives; nothing where bytes are no text.
    pub fn text(&self) -> Option<Value> {
        match &self.value {
            Value::Text(Text::Utf16(_)) | Value::Bytes(..) => {
                let bytes = self.value.file_bytes()?.into_owned();
                Text::from_utf8(bytes).map(Value::Text)
            }
            value => Some(value.clone()),
        }
    }

    /// What a raw read gives.
    pub fn raw(&self) -> Option<Value> {
        match (self.keeping, &self.value) {
            (Keeping::Kind, Value::Text(_)) => Some(self.value.clone()),
            _ => Some(Value::buffer(self.value.file_bytes()?.into_owned())),
        }
    }

    /// What the store is going to know of the item.
    pub fn meta(&self, now_ms: u64) -> NativeMeta {
        let bytes = self.value.file_bytes().map(|bytes| bytes.len());
        let left = |expires_ms: u64| expires_ms.saturating_sub(now_ms);
        let ttl_ms = self.expires_ms.map(left);
        let Keeping::File { header_bytes } = self.keeping else {
            return NativeMeta {
                size: bytes.and_then(|bytes| u64::try_from(bytes).ok()),
                ttl_ms,
                ..NativeMeta::default()
            };
        };
        #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
        let written_ms = Some(self.called_ms as f64);
        NativeMeta {
            atime_ms: written_ms,
            mtime_ms: written_ms,
            ctime_ms: written_ms,
            birthtime_ms: written_ms,
            size: bytes.and_then(|bytes| u64::try_from(bytes + header_bytes).ok()),
            ttl_ms,
        }
    }
}

fn in_file(value: &Value, is_raw: bool, expires_ms: Option<u64>) -> (Value, Keeping) {
    let is_like_header =
        matches!(value, Value::Bytes(bytes, _) if envelope::begins_like_header(bytes));
    let plain = || (value.clone(), Keeping::File { header_bytes: 0 });
    if expires_ms.is_none() && !is_like_header {
        return plain();
    }
    let Some(bytes) = value.file_bytes() else {
        return plain();
    };
    let stored = if is_raw || !matches!(value, Value::Text(_)) {
        Stored::raw(&bytes, expires_ms)
    } else {
        Stored::text(&bytes, expires_ms)
    };
    let header_bytes = stored.header.map_or(0, |header| header.len());
    let value = match stored.bytes {
        Cow::Owned(bytes) => Text::from_utf8(bytes).map_or_else(|| value.clone(), Value::Text),
        Cow::Borrowed(_) => value.clone(),
    };
    (value, Keeping::File { header_bytes })
}

/// How a read answers from what is pending.
pub(super) trait Seen: Sized {
    /// What it gives where there is no item.
    const GONE: Self;

    /// What it gives for an item that is pending.
    fn of(pending: &Pending, now_ms: u64) -> Self;
}

impl Seen for bool {
    const GONE: Self = false;

    fn of(_pending: &Pending, _now_ms: u64) -> Self {
        true
    }
}

impl Seen for Option<NativeMeta> {
    const GONE: Self = None;

    fn of(pending: &Pending, now_ms: u64) -> Self {
        Some(pending.meta(now_ms))
    }
}

/// A value that is read as text.
pub(super) struct AsText(pub(super) Option<Value>);

/// A value that is read raw.
pub(super) struct AsRaw(pub(super) Option<Value>);

impl Seen for AsText {
    const GONE: Self = AsText(None);

    fn of(pending: &Pending, _now_ms: u64) -> Self {
        AsText(pending.text())
    }
}

impl Seen for AsRaw {
    const GONE: Self = AsRaw(None);

    fn of(pending: &Pending, _now_ms: u64) -> Self {
        AsRaw(pending.raw())
    }
}

/// What a write does to its key.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Writes a value.
    Set(Pending),
    /// Removes the item.
    Remove,
}

impl Change {
    /// What a read sees of it.
    pub(super) fn seen<S: Seen>(&self, now_ms: u64) -> S {
        match self {
            Change::Set(pending)
                if pending
                    .expires_ms
                    .is_none_or(|expires_ms| expires_ms > now_ms) =>
            {
                S::of(pending, now_ms)
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
        let store = StoreInfo::named("plain");
        Change::Set(Pending::new(&store, &value, false, expires_ms, 1))
    }

    #[test]
    fn a_pending_value_reads_in_each_form_as_the_store_would_give_it() {
        let text = set(Value::Text("é".into()), None);
        let AsRaw(bytes) = text.seen(0);
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

    #[test]
    fn what_is_pending_for_a_file_is_what_the_file_will_hold() {
        let store = StoreInfo {
            keeps_files: true,
            ..StoreInfo::named("files")
        };
        let text = || Value::Text("{\"json\":1}".into());
        let header = envelope::raw_header(None).to_vec();
        for (value, is_raw, expires_ms, raw, size) in [
            (text(), false, None, "{\"json\":1}", 10),
            (text(), false, Some(9), "{\"expires\":9,\"json\":1}", 22),
            (text(), true, Some(9), "{\"json\":1}", 34),
            (Value::Text("plain".into()), false, Some(9), "plain", 29),
            (Value::buffer(b"plain".to_vec()), true, Some(9), "plain", 29),
            (Value::buffer(b"plain".to_vec()), true, None, "plain", 5),
        ] {
            let change = Change::Set(Pending::new(&store, &value, is_raw, expires_ms, 1));
            let AsRaw(seen) = change.seen(4);
            assert_eq!(seen, Some(Value::buffer(raw.as_bytes().to_vec())), "{raw}");
            let meta: Option<NativeMeta> = change.seen(4);
            let meta = meta.expect("there");
            assert_eq!(
                (meta.size, meta.birthtime_ms),
                (Some(size), Some(1.0)),
                "{raw}"
            );
            assert_eq!(meta.ttl_ms, expires_ms.map(|ms| ms - 4));
        }
        let like_header = Value::buffer(header.clone());
        let change = Change::Set(Pending::new(&store, &like_header, true, None, 1));
        let meta: Option<NativeMeta> = change.seen(4);
        assert_eq!(meta.and_then(|meta| meta.size), Some(48));
    }

    #[test]
    fn what_is_pending_for_a_store_of_kinds_keeps_its_kind_and_has_no_times() {
        let store = StoreInfo {
            keeps_kinds: true,
            ..StoreInfo::named("kinds")
        };
        let text = Value::Text("x".into());
        let change = Change::Set(Pending::new(&store, &text, true, None, 1));
        let AsRaw(seen) = change.seen(4);
        assert_eq!(seen, Some(text));
        let expected = NativeMeta {
            size: Some(1),
            ..NativeMeta::default()
        };
        let meta: Option<NativeMeta> = change.seen(4);
        assert_eq!(meta, Some(expected));
    }
}
