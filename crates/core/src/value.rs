//! What drivers store: text, bytes, or a value of JavaScript that only memory can hold.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::envelope;

const ENVELOPE_START: &[u8] = b"{\"json\":";

/// Text in the encoding in which it is cheapest to hand on.
///
/// JavaScript engines keep strings with one or two bytes a unit, files keep UTF-8; converting once
/// at the edge that needs it beats a canonical form in the middle.
#[derive(Clone)]
pub enum Text {
    /// One byte a unit, each a code point below 256.
    Latin1(Arc<[u8]>),
    /// Two bytes a unit; may hold lone surrogates.
    Utf16(Arc<[u16]>),
    /// Valid UTF-8.
    Utf8(Arc<str>),
}

impl Text {
    /// The text of a UTF-16 string, narrowed to one byte a unit where all of it fits.
    pub fn from_utf16(units: &[u16]) -> Self {
        if encoding_rs::mem::is_utf16_latin1(units) {
            let mut shared: Arc<[u8]> = std::iter::repeat_n(0, units.len()).collect();
            let bytes = Arc::get_mut(&mut shared).expect("it is new");
            encoding_rs::mem::convert_utf16_to_latin1_lossy(units, bytes);
            Text::Latin1(shared)
        } else {
            Text::Utf16(units.into())
        }
    }

    /// The plain envelope around the JSON text of a value.
    pub fn enveloped(json: &[u16]) -> Self {
        if encoding_rs::mem::is_utf16_latin1(json) {
            Text::enveloped_latin1(json.len(), |inside| {
                encoding_rs::mem::convert_utf16_to_latin1_lossy(json, inside);
            })
        } else {
            let inside = ENVELOPE_START.len()..ENVELOPE_START.len() + json.len();
            let mut shared: Arc<[u16]> =
                std::iter::repeat_n(u16::from(b'}'), inside.end + 1).collect();
            let units = Arc::get_mut(&mut shared).expect("it is new");
            for (unit, byte) in units.iter_mut().zip(ENVELOPE_START) {
                *unit = u16::from(*byte);
            }
            units[inside].copy_from_slice(json);
            Text::Utf16(shared)
        }
    }

    /// The plain envelope around a JSON text of `length` bytes, one a unit. `fill` writes them; it is
    /// given room for one more, as C puts a NUL behind a string.
    pub fn enveloped_latin1(length: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        // One allocation, filled in place: a `Vec` would be copied into the shared one.
        let inside = ENVELOPE_START.len()..ENVELOPE_START.len() + length;
        let mut shared: Arc<[u8]> = std::iter::repeat_n(0, inside.end + 1).collect();
        let bytes = Arc::get_mut(&mut shared).expect("it is new");
        bytes[..inside.start].copy_from_slice(ENVELOPE_START);
        fill(&mut bytes[inside.start..]);
        bytes[inside.end] = b'}';
        Text::Latin1(shared)
    }

    /// The text of bytes with or without a byte order mark, of UTF-8 or UTF-16, which is no part of it.
    /// `None` when they are not text; bytes without a mark are UTF-8.
    pub fn from_marked(bytes: Vec<u8>) -> Option<Self> {
        Text::from_utf8(envelope::text_of(bytes)?)
    }

    /// The text of UTF-8 bytes; `None` when they are not UTF-8.
    pub fn from_utf8(bytes: Vec<u8>) -> Option<Self> {
        if bytes.is_ascii() {
            return Some(Text::Latin1(bytes.into()));
        }
        String::from_utf8(bytes)
            .ok()
            .map(|text| Text::Utf8(text.into()))
    }

    /// A copy of UTF-8 bytes, narrowed to one byte a unit where all of it fits; `None` when they are not
    /// UTF-8.
    pub fn copy_utf8(bytes: &[u8]) -> Option<Self> {
        if bytes.is_ascii() {
            return Some(Text::Latin1(bytes.into()));
        }
        let text = std::str::from_utf8(bytes).ok()?;
        Some(if encoding_rs::mem::is_str_latin1(text) {
            Text::Latin1(encoding_rs::mem::encode_latin1_lossy(text).as_ref().into())
        } else {
            Text::Utf8(text.into())
        })
    }

    /// The text as UTF-8. Lone surrogates become U+FFFD, as Node writes them to files.
    pub fn to_utf8(&self) -> Cow<'_, [u8]> {
        match self {
            Text::Latin1(bytes) if bytes.is_ascii() => Cow::Borrowed(bytes),
            Text::Latin1(bytes) => Cow::Owned(
                encoding_rs::mem::decode_latin1(bytes)
                    .into_owned()
                    .into_bytes(),
            ),
            Text::Utf16(units) => Cow::Owned(String::from_utf16_lossy(units).into_bytes()),
            Text::Utf8(text) => Cow::Borrowed(text.as_bytes()),
        }
    }

    /// The text as a Rust string.
    pub fn to_str(&self) -> Cow<'_, str> {
        match self {
            Text::Utf8(text) => Cow::Borrowed(text),
            Text::Latin1(bytes) => encoding_rs::mem::decode_latin1(bytes),
            Text::Utf16(units) => Cow::Owned(String::from_utf16_lossy(units)),
        }
    }

    /// What stands inside the text's envelope `{"json":…}`, if it is likely to hold nothing else: the
    /// text is the envelope of just that value exactly when the inner text is JSON. Envelopes with
    /// annotations end as superjson 2 ends them.
    #[inline]
    pub fn inside_envelope(&self) -> Option<Inside<'_>> {
        const ANNOTATED_END: &[u8] = b"\"v\":1}}";
        match self {
            Text::Latin1(bytes) => {
                let inside = bytes.strip_prefix(ENVELOPE_START)?.strip_suffix(b"}")?;
                (!bytes.ends_with(ANNOTATED_END)).then_some(Inside::Latin1(inside))
            }
            Text::Utf8(text) => {
                let inside = text.strip_prefix("{\"json\":")?.strip_suffix('}')?;
                (!text.as_bytes().ends_with(ANNOTATED_END)).then_some(Inside::Utf8(inside))
            }
            Text::Utf16(units) => {
                let is = |units: &[u16], ascii: &[u8]| {
                    units
                        .iter()
                        .copied()
                        .eq(ascii.iter().map(|byte| u16::from(*byte)))
                };
                let (start, rest) = units.split_at_checked(ENVELOPE_START.len())?;
                let (last, inside) = rest.split_last()?;
                if !is(start, ENVELOPE_START) || *last != u16::from(b'}') {
                    return None;
                }
                let end = &units[units.len().saturating_sub(ANNOTATED_END.len())..];
                (!is(end, ANNOTATED_END)).then_some(Inside::Utf16(inside))
            }
        }
    }

    /// How much memory the text takes, in bytes.
    pub fn size(&self) -> usize {
        match self {
            Text::Latin1(bytes) => bytes.len(),
            Text::Utf16(units) => std::mem::size_of_val::<[u16]>(units),
            Text::Utf8(text) => text.len(),
        }
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        match self {
            Text::Latin1(bytes) => bytes.is_empty(),
            Text::Utf16(units) => units.is_empty(),
            Text::Utf8(text) => text.is_empty(),
        }
    }
}

/// A part of a text, in its encoding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Inside<'a> {
    /// As in [`Text::Latin1`].
    Latin1(&'a [u8]),
    /// As in [`Text::Utf16`].
    Utf16(&'a [u16]),
    /// As in [`Text::Utf8`].
    Utf8(&'a str),
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.is_ascii() {
            Text::Latin1(text.as_bytes().into())
        } else {
            Text::Utf8(text.into())
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Text::Latin1(one), Text::Latin1(other)) => one == other,
            (Text::Utf8(one), Text::Utf8(other)) => one == other,
            (one, other) => one.to_utf8() == other.to_utf8(),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_str().fmt(f)
    }
}

/// The kind of byte array that bytes came from, so that memory can give the same kind back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BytesKind {
    /// Node's `Buffer`.
    #[default]
    Buffer,
    /// A plain `Uint8Array`.
    Uint8Array,
    /// Any other view of a buffer, or a buffer itself.
    View,
}

/// A value of JavaScript that the core carries by reference.
///
/// It may be moved and dropped on any thread; its methods are called on the JS thread only.
pub trait JsValue: Any + Send + Sync {
    /// A copy of the bytes, if it is a byte array.
    fn bytes(&self) -> Option<(Vec<u8>, BytesKind)> {
        None
    }

    /// A number that no other reference ever has, to the same value neither.
    fn number(&self) -> u64;
}

/// A shared reference to a value of JavaScript.
pub type JsHandle = Arc<dyn JsValue>;

/// A stored value.
#[derive(Clone)]
pub enum Value {
    /// Text: what the codec wrote, or a raw string.
    Text(Text),
    /// Raw bytes.
    Bytes(Arc<[u8]>, BytesKind),
    /// Any other value of JavaScript, by reference.
    Js(JsHandle),
}

impl Value {
    /// Bytes as they come from a file.
    pub fn buffer(bytes: Vec<u8>) -> Self {
        Value::Bytes(bytes.into(), BytesKind::Buffer)
    }

    /// When the value says that it expires: an envelope with `"expires"`, as text or as bytes.
    pub fn expiry_ms(&self) -> Option<u64> {
        envelope::expiry_in_text(&self.file_bytes()?)
    }

    /// As [`expiry_ms`](Value::expiry_ms), for a text that the codec wrote or a copy of what a store
    /// wrote, at no cost for the former.
    pub fn expiry_ms_of_copy(&self) -> Option<u64> {
        let Value::Text(text) = self else { return None };
        let is_copy = match text {
            Text::Latin1(bytes) => bytes.starts_with(envelope::WITH_EXPIRY),
            Text::Utf8(text) => text.as_bytes().starts_with(envelope::WITH_EXPIRY),
            Text::Utf16(units) => {
                let units = units.iter().take(envelope::WITH_EXPIRY.len()).copied();
                units.eq(envelope::WITH_EXPIRY.iter().map(|byte| u16::from(*byte)))
            }
        };
        is_copy.then(|| self.expiry_ms()).flatten()
    }

    /// How much memory the text or the bytes take; 0 for a value of the JS runtime.
    pub fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.size(),
            Value::Bytes(bytes, _) => bytes.len(),
            Value::Js(_) => 0,
        }
    }

    /// The bytes of the value in a file: text as UTF-8, bytes as they are; `None` for a value of
    /// the JS runtime.
    pub fn file_bytes(&self) -> Option<Cow<'_, [u8]>> {
        match self {
            Value::Text(text) => Some(text.to_utf8()),
            Value::Bytes(bytes, _) => Some(Cow::Borrowed(bytes)),
            Value::Js(_) => None,
        }
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Value::Text(text)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::Bytes(a, _), Value::Bytes(b, _)) => a == b,
            (Value::Js(a), Value::Js(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Value::Bytes(bytes, kind) => f.debug_tuple("Bytes").field(bytes).field(kind).finish(),
            Value::Js(_) => f.write_str("Foreign"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_is_the_same_in_every_encoding(text in ".*") {
            let units: Vec<u16> = text.encode_utf16().collect();
            let from_utf16 = Text::from_utf16(&units);
            prop_assert_eq!(&*from_utf16.to_utf8(), text.as_bytes());
            prop_assert_eq!(&from_utf16, &Text::from(text.as_str()));
            prop_assert_eq!(Some(from_utf16), Text::from_utf8(text.clone().into_bytes()));
        }
    }

    #[test]
    fn the_inside_of_an_envelope_is_given_only_where_there_is_no_more_in_it() {
        for (text, inside) in [
            ("{\"json\":1}", Some("1")),
            ("{\"json\":{\"a\":\"ü\"}}", Some("{\"a\":\"ü\"}")),
            ("{\"json\":\"ж\"}", Some("\"ж\"")),
            ("{\"json\":[1],\"meta\":{\"v\":1}}", None),
            ("{\"json\":[\"ж\"],\"meta\":{\"v\":1}}", None),
            ("{\"expires\":1,\"json\":1}", None),
            ("{ \"json\":1}", None),
            ("", None),
        ] {
            let units: Vec<u16> = text.encode_utf16().collect();
            for text in [Text::from(text), Text::from_utf16(&units)] {
                let found = text.inside_envelope().map(|inside| match inside {
                    Inside::Latin1(bytes) => encoding_rs::mem::decode_latin1(bytes).into_owned(),
                    Inside::Utf16(units) => String::from_utf16_lossy(units),
                    Inside::Utf8(text) => text.to_owned(),
                });
                assert_eq!(found.as_deref(), inside, "{text:?}");
            }
        }
    }

    #[test]
    fn an_envelope_is_put_around_json_in_its_encoding() {
        for json in ["1", "\"ü\"", "\"ж\"", "{\"a\":[]}", ""] {
            let units: Vec<u16> = json.encode_utf16().collect();
            let text = Text::enveloped(&units);
            assert_eq!(text.to_str(), format!("{{\"json\":{json}}}"), "{json:?}");
            let is_wide = matches!(text, Text::Utf16(_));
            assert_eq!(is_wide, json.contains('ж'), "{json:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_text() {
        assert!(Text::from_utf8(vec![0x7b, 0xff]).is_none());
    }
}
