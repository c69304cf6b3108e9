//! What a stored item says of itself: when it expires, and in which encoding its text is.
//!
//! Text carries its expiry in its envelope, `{"expires":N,"json":…}`, wherever the member stands. Raw
//! bytes that expire stand behind a [header](RAW_HEADER_BYTES); so do raw bytes that begin like one,
//! so that what was given is what is read.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

const ENVELOPE: &[u8] = b"{\"json\":";
/// What the text of an item with an expiry begins with, as a store writes it.
pub(crate) const WITH_EXPIRY: &[u8] = b"{\"expires\":";
const AFTER_EXPIRY: &[u8] = b",\"json\":";
const MEMBER: &[u8] = b"\"expires\"";
/// The members of an envelope. An object that has others is a plain value.
const MEMBERS: [&str; 4] = ["json", "meta", "expires", "fresh"];

/// The size of the header of raw bytes: [`MAGIC`], the version, seven zero bytes, the expiry as a
/// little-endian number of 8 bytes, of which all bits are set where there is none.
pub const RAW_HEADER_BYTES: usize = 24;
/// What the header begins with. No text does: the first byte never begins a character of UTF-8.
const MAGIC: &[u8; 8] = b"\x89EAS\r\n\x1a\n";
const RAW_VERSION: u8 = 1;
const NO_EXPIRY: u64 = u64::MAX;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_LE_MARK: &[u8] = b"\xff\xfe";
const UTF16_BE_MARK: &[u8] = b"\xfe\xff";

/// The header of raw bytes that expire at `expires_ms`, or never.
pub fn raw_header(expires_ms: Option<u64>) -> [u8; RAW_HEADER_BYTES] {
    let mut header = [0; RAW_HEADER_BYTES];
    header[..MAGIC.len()].copy_from_slice(MAGIC);
    header[MAGIC.len()] = RAW_VERSION;
    header[16..].copy_from_slice(&expires_ms.unwrap_or(NO_EXPIRY).to_le_bytes());
    header
}

/// Whether bytes begin like a header, of whatever version.
pub fn begins_like_header(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The expiry in the header that the bytes begin with; `None` where they begin with no header.
fn header_of(bytes: &[u8]) -> Option<Option<u64>> {
    let header = bytes.get(..RAW_HEADER_BYTES)?;
    let is_one = header.starts_with(MAGIC)
        && header[MAGIC.len()] == RAW_VERSION
        && header[MAGIC.len() + 1..16].iter().all(|byte| *byte == 0);
    let number = header[16..].try_into().map(u64::from_le_bytes).ok()?;
    is_one.then_some((number != NO_EXPIRY).then_some(number))
}

/// An item as it is stored in a file.
#[derive(Debug)]
pub struct Stored<'a> {
    /// What stands before the bytes.
    pub header: Option<[u8; RAW_HEADER_BYTES]>,
    /// What a raw read gives.
    pub bytes: Cow<'a, [u8]>,
    /// When the item expires, in ms since the epoch.
    pub expires_ms: Option<u64>,
}

impl<'a> Stored<'a> {
    fn plain(bytes: &'a [u8], expires_ms: Option<u64>) -> Self {
        Stored {
            header: None,
            bytes: Cow::Borrowed(bytes),
            expires_ms,
        }
    }

    fn behind_header(bytes: &'a [u8], expires_ms: Option<u64>) -> Self {
        Stored {
            header: Some(raw_header(expires_ms)),
            ..Stored::plain(bytes, expires_ms)
        }
    }

    /// Text that expires at `expires_ms`, or stays.
    pub fn text(bytes: &'a [u8], expires_ms: Option<u64>) -> Self {
        let own_ms = expiry_of_copy(bytes);
        let Some(ms) = expires_ms.filter(|ms| own_ms != Some(*ms)) else {
            return Stored::plain(bytes, own_ms);
        };
        match with_expiry(bytes, ms) {
            Some(spliced) => Stored {
                bytes: Cow::Owned(spliced),
                ..Stored::plain(bytes, expires_ms)
            },
            None => Stored::behind_header(bytes, expires_ms),
        }
    }

    /// Bytes that expire at `expires_ms`, or stay. They are read as they are given.
    pub fn raw(bytes: &'a [u8], expires_ms: Option<u64>) -> Self {
        let own_ms = expiry_in_text(bytes);
        if begins_like_header(bytes) || (expires_ms.is_some() && expires_ms != own_ms) {
            Stored::behind_header(bytes, expires_ms)
        } else {
            Stored::plain(bytes, own_ms)
        }
    }

    /// What a file holds already.
    pub fn found(bytes: &'a [u8]) -> Self {
        Stored::plain(bytes, expiry_of(bytes))
    }

    /// All that the file holds.
    pub fn file_bytes(&self) -> Cow<'_, [u8]> {
        match &self.header {
            None => Cow::Borrowed(&*self.bytes),
            Some(header) => Cow::Owned([&header[..], &*self.bytes].concat()),
        }
    }
}

/// Splits what is stored into what was given and its expiry.
pub fn open(mut stored: Vec<u8>) -> (Vec<u8>, Option<u64>) {
    match header_of(&stored) {
        Some(expires_ms) => {
            stored.drain(..RAW_HEADER_BYTES);
            (stored, expires_ms)
        }
        None => {
            let expires_ms = expiry_in_text(&stored);
            (stored, expires_ms)
        }
    }
}

/// When an item of these stored bytes expires. Bytes that a caller gave have no header of the store:
/// [`expiry_in_text`] is what they say.
pub fn expiry_of(stored: &[u8]) -> Option<u64> {
    header_of(stored).unwrap_or_else(|| expiry_in_text(stored))
}

/// Whether the beginning of what is stored, of 24 bytes or more, leaves it open whether the rest says
/// when the item expires. An `Err` has the answer.
pub fn needs_more(head: &[u8]) -> Result<(), Option<u64>> {
    if let Some(expires_ms) = header_of(head) {
        return Err(expires_ms);
    }
    let is_wide = head.starts_with(UTF16_LE_MARK) || head.starts_with(UTF16_BE_MARK);
    let text = head.strip_prefix(UTF8_MARK).unwrap_or(head);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') | None => Ok(()),
        Some(_) if is_wide => Ok(()),
        Some(_) => Err(None),
    }
}

/// Puts an expiry into the envelope that the codec wrote; `None` for other text.
pub fn with_expiry(text: &[u8], expires_ms: u64) -> Option<Vec<u8>> {
    let rest = text.strip_prefix(ENVELOPE)?;
    let number = expires_ms.to_string();
    let mut spliced = Vec::with_capacity(text.len() + WITH_EXPIRY.len() + number.len() + 1);
    spliced.extend_from_slice(WITH_EXPIRY);
    spliced.extend_from_slice(number.as_bytes());
    spliced.extend_from_slice(AFTER_EXPIRY);
    spliced.extend_from_slice(rest);
    Some(spliced)
}

/// When the item of a text that the codec wrote expires, or of a copy of what a store wrote. Costs
/// nothing for the former.
pub fn expiry_of_copy(text: &[u8]) -> Option<u64> {
    text.starts_with(WITH_EXPIRY)
        .then(|| expiry_in_text(text))
        .flatten()
}

/// The expiry of a text, where it is an envelope that has one. An `expires` in the value itself is
/// the user's own.
pub fn expiry_in_text(bytes: &[u8]) -> Option<u64> {
    if needs_more(bytes).is_err() {
        return None;
    }
    let text = utf8_of(bytes)?;
    memchr::memmem::find(&text, MEMBER)?;
    let Ok(members) = serde_json::from_slice::<HashMap<String, &RawValue>>(&text) else {
        return expiry_in_front(&text);
    };
    let is_envelope =
        members.contains_key("json") && members.keys().all(|name| MEMBERS.contains(&name.as_str()));
    if !is_envelope {
        return None;
    }
    let expires: f64 = members.get("expires")?.get().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "out of range, the nearest time is meant"
    )]
    (expires.is_finite()).then_some(expires as u64)
}

/// A text as it would be if it never expired: an envelope without what it says of its expiry. Other
/// bytes as they are.
pub fn without_expiry(bytes: &[u8]) -> Cow<'_, [u8]> {
    if expiry_in_text(bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let plain = utf8_of(bytes).and_then(|text| {
        let members = serde_json::from_slice::<HashMap<String, &RawValue>>(&text).ok()?;
        let mut plain = ENVELOPE.to_vec();
        plain.extend_from_slice(members.get("json")?.get().as_bytes());
        if let Some(meta) = members.get("meta") {
            plain.extend_from_slice(b",\"meta\":");
            plain.extend_from_slice(meta.get().as_bytes());
        }
        plain.push(b'}');
        Some(plain)
    });
    plain.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// The expiry of an envelope of which the end is damaged.
fn expiry_in_front(text: &[u8]) -> Option<u64> {
    let rest = text.strip_prefix(WITH_EXPIRY)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_written = rest[digits..].starts_with(AFTER_EXPIRY);
    is_written
        .then(|| std::str::from_utf8(&rest[..digits]).ok()?.parse().ok())
        .flatten()
}

/// Bytes as UTF-8 without a byte order mark; `None` where they are UTF-16 that holds no text.
fn utf8_of(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if let Some(text) = bytes.strip_prefix(UTF8_MARK) {
        return Some(Cow::Borrowed(text));
    }
    match utf16_of(bytes) {
        Some(units) => Some(Cow::Owned(String::from_utf16(&units?).ok()?.into_bytes())),
        None => Some(Cow::Borrowed(bytes)),
    }
}

/// The units of UTF-16 with a byte order mark. The inner `None` says that the last one is cut off.
fn utf16_of(bytes: &[u8]) -> Option<Option<Vec<u16>>> {
    let (rest, unit): (_, fn([u8; 2]) -> u16) =
        if let Some(rest) = bytes.strip_prefix(UTF16_LE_MARK) {
            (rest, u16::from_le_bytes)
        } else {
            (bytes.strip_prefix(UTF16_BE_MARK)?, u16::from_be_bytes)
        };
    let pairs = rest.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return Some(None);
    }
    Some(Some(pairs.map(|pair| unit([pair[0], pair[1]])).collect()))
}

/// The text of bytes with or without a byte order mark, which is no part of it; `None` where they are
/// none.
pub fn text_of(bytes: Vec<u8>) -> Option<Vec<u8>> {
    match bytes.first() {
        Some(0xef..) => match utf8_of(&bytes)? {
            Cow::Owned(text) => Some(text),
            Cow::Borrowed(text) if text.len() < bytes.len() => Some(text.to_vec()),
            Cow::Borrowed(_) => Some(bytes),
        },
        _ => Some(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UTF16_LE: fn(u16) -> [u8; 2] = u16::to_le_bytes;
    const UTF16_BE: fn(u16) -> [u8; 2] = u16::to_be_bytes;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(bytes)
            .collect()
    }

    #[test]
    fn only_the_envelope_says_when_an_item_expires() {
        for (text, expires_ms) in [
            (r#"{"expires":5,"json":1}"#, Some(5)),
            (r#"{"json":1,"expires":5}"#, Some(5)),
            (r#"{"json":1,"meta":{"v":1},"expires":5}"#, Some(5)),
            (
                "{\n  \"json\": {\"expires\": 1},\n  \"expires\": 1700000000000\n}\n",
                Some(1_700_000_000_000),
            ),
            (" {\"expires\":5e3,\"json\":null}", Some(5000)),
            (r#"{"expires":-1,"json":1}"#, Some(0)),
            (r#"{"expires":5,"json":{"expires":7}}"#, Some(5)),
            (r#"{"json":{"expires":5}}"#, None),
            (r#"{"json":"\"expires\":5"}"#, None),
            (r#"{"expires":5}"#, None),
            (r#"{"expires":5,"name":"x"}"#, None),
            (r#"{"expires":5,"json":1,"name":"x"}"#, None),
            (r#"{"json":1,"expires":5,"name":"x"}"#, None),
            (r#"{"expires":"soon","json":1}"#, None),
            (r#"{"expires":null,"json":1}"#, None),
            (r#"[{"expires":5,"json":1}]"#, None),
            (r#"{"expires":5,"json":1"#, Some(5)),
            (r#"{"json":1,"expires":5"#, None),
            ("", None),
            ("expires", None),
        ] {
            assert_eq!(expiry_of(text.as_bytes()), expires_ms, "{text}");
            let marked = format!("\u{feff}{text}");
            assert_eq!(expiry_of(marked.as_bytes()), expires_ms, "marked {text}");
            for bytes in [UTF16_LE, UTF16_BE] {
                assert_eq!(expiry_of(&utf16(text, bytes)), expires_ms, "UTF-16 {text}");
            }
        }
    }

    #[test]
    fn only_the_codecs_envelope_takes_an_expiry() {
        assert_eq!(
            with_expiry(b"{\"json\":1}", 5).as_deref(),
            Some(&br#"{"expires":5,"json":1}"#[..])
        );
        for text in ["", "1", "{}", "{\"a\":1}", "base64:AAAA"] {
            assert_eq!(with_expiry(text.as_bytes(), 5), None, "{text}");
        }
    }

    #[test]
    fn a_header_is_what_docs_file_format_says() {
        let header = raw_header(Some(0x0102_0304_0506));
        assert_eq!(&header[..8], b"\x89EAS\r\n\x1a\n");
        assert_eq!(&header[8..16], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&header[16..], [6, 5, 4, 3, 2, 1, 0, 0]);
        assert_eq!(&raw_header(None)[16..], [0xff; 8]);
    }

    #[test]
    fn what_is_no_whole_header_of_a_known_version_is_plain_bytes() {
        let header = raw_header(Some(5));
        for at in 0..16 {
            let mut other = header;
            other[at] ^= 4;
            assert_eq!(open(other.to_vec()), (other.to_vec(), None), "byte {at}");
        }
        for length in 0..header.len() {
            let part = header[..length].to_vec();
            assert_eq!(open(part.clone()), (part, None), "{length} bytes");
        }
    }

    #[test]
    fn text_with_a_mark_is_the_text_after_it() {
        for text in ["", "{\"json\":\"ü\"}", "1", "\u{feff}1"] {
            let marked = format!("\u{feff}{text}").into_bytes();
            assert_eq!(text_of(marked).as_deref(), Some(text.as_bytes()), "{text}");
            for bytes in [UTF16_LE, UTF16_BE] {
                let found = text_of(utf16(text, bytes));
                assert_eq!(found.as_deref(), Some(text.as_bytes()), "{text}");
            }
        }
        assert_eq!(text_of(b"plain".to_vec()).as_deref(), Some(&b"plain"[..]));
        // Half a unit, and half a pair.
        assert_eq!(text_of(b"\xff\xfe1".to_vec()), None);
        assert_eq!(text_of(b"\xff\xfe\x00\xd8".to_vec()), None);
    }

    proptest! {
        #[test]
        fn an_expiry_that_was_put_in_is_read_back(json in "[a-z\"{}:,]{0,20}", expires_ms in 0..1_u64 << 53) {
            let json = serde_json::Value::from(json);
            let text = format!("{{\"json\":{json}}}");
            let spliced = with_expiry(text.as_bytes(), expires_ms).unwrap();
            prop_assert_eq!(expiry_of(&spliced), Some(expires_ms));
            let parsed: serde_json::Value = serde_json::from_slice(&spliced).unwrap();
            prop_assert_eq!(&parsed["json"], &json);
            prop_assert_eq!(expiry_of(text.as_bytes()), None);
        }

        #[test]
        fn raw_bytes_behind_a_header_are_those_that_were_given(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
            expires_ms in prop::option::of(0..u64::MAX),
        ) {
            let header = raw_header(expires_ms);
            let stored = [&header[..], &bytes].concat();
            prop_assert_eq!(needs_more(&stored), Err(expires_ms));
            prop_assert_eq!(open(stored), (bytes, expires_ms));
        }

        #[test]
        fn the_head_answers_as_the_whole_does(bytes in prop::collection::vec(any::<u8>(), 24..60)) {
            for prefix in [&b""[..], b"\xef\xbb\xbf", b"\xff\xfe", b" {\"expires\":1,\"json\":1}"] {
                let stored = [prefix, &bytes].concat();
                if let Err(expires_ms) = needs_more(&stored[..RAW_HEADER_BYTES]) {
                    prop_assert_eq!(expires_ms, expiry_of(&stored));
                }
            }
        }

        #[test]
        fn hostile_text_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            for prefix in [&b""[..], WITH_EXPIRY, ENVELOPE, UTF16_LE_MARK, b"{\"expires\":1,\"json\":"] {
                let stored = [prefix, &bytes].concat();
                let _ = (expiry_of(&stored), text_of(stored));
            }
        }
    }
}
