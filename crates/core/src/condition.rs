//! What has to hold of an item for a write to be made.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::envelope;
use crate::value::{JsHandle, Text, Value};

/// How many bytes of the hash an etag keeps.
const ETAG_BYTES: usize = 16;

/// Names a stored value: another value has another etag, whoever wrote it.
///
/// The first 128 bits of SHA-256 over one byte that says what kind the value is (`t` for text, `b` for
/// bytes) and the stored bytes without the expiry that they may carry, in base64url. A value of the JS
/// runtime that memory holds by reference has a number instead, which is another for each write. A value
/// that a driver in JavaScript gives has the etag of the text that the codec writes for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// The etag of a stored value, as a raw read gives it.
    pub fn of(value: &Value) -> Self {
        let (kind, bytes) = match value {
            Value::Text(text) => (b't', text.to_utf8()),
            Value::Bytes(bytes, _) => (b'b', bytes.as_ref().into()),
            Value::Js(reference) => return Etag(format!("ref-{}", reference.number())),
        };
        let mut hash = Sha256::new();
        hash.update([kind]);
        hash.update(&*envelope::without_expiry(&bytes));
        Etag(URL_SAFE_NO_PAD.encode(&hash.finalize()[..ETAG_BYTES]))
    }

    /// An etag that a caller gives back. What never was one fits no value.
    pub fn given(text: impl Into<String>) -> Self {
        Etag(text.into())
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the etag is made of where a driver in JavaScript gave the value: the text that the codec writes for it,
/// or the value itself where it has none.
pub fn named_by_text(given: Value, encode: impl FnOnce(&JsHandle) -> Option<Text>) -> Value {
    let text = match &given {
        Value::Js(handle) => encode(handle),
        Value::Text(_) | Value::Bytes(..) => None,
    };
    text.map_or(given, Value::Text)
}

/// The same where it gave what it stores of an item that does not read as a value: bytes name themselves.
pub fn named_by_bytes(stored: Value, encode: impl FnOnce(&JsHandle) -> Option<Text>) -> Value {
    let bytes = match &stored {
        Value::Js(handle) => handle.bytes(),
        Value::Text(_) | Value::Bytes(..) => None,
    };
    match bytes {
        Some((bytes, kind)) => Value::Bytes(bytes.into(), kind),
        None => named_by_text(stored, encode),
    }
}

/// What an item is expected to be.
#[derive(Debug, Clone)]
pub enum Expected {
    /// There is none.
    Missing,
    /// The value of that etag.
    Etag(Etag),
    /// That very value, whenever it expires.
    Stored(Value),
}

impl Expected {
    /// Whether an item is as expected. `stored` is what a raw read of the store gives; a store that keeps
    /// text and bytes alike gives bytes.
    pub fn fits(&self, stored: Option<&Value>) -> bool {
        match (self, stored) {
            (Expected::Missing, stored) => stored.is_none(),
            (_, None) => false,
            (Expected::Etag(etag), Some(stored)) => *etag == Etag::of(stored),
            (Expected::Stored(expected), Some(stored)) => is_same(expected, stored),
        }
    }
}

fn is_same(expected: &Value, stored: &Value) -> bool {
    match (expected, stored) {
        (Value::Text(expected), Value::Text(stored)) if expected == stored => true,
        (Value::Text(_), Value::Text(_)) | (_, Value::Bytes(..)) => {
            let (Some(expected), Some(stored)) = (expected.file_bytes(), stored.file_bytes())
            else {
                return false;
            };
            expected == stored
                || envelope::without_expiry(&expected) == envelope::without_expiry(&stored)
        }
        _ => expected == stored,
    }
}

/// A condition on one item.
#[derive(Debug, Clone)]
pub struct Check {
    /// The key.
    pub key: String,
    /// What it is expected to be.
    pub expected: Expected,
}

/// The keys of those checks that do not hold, each once, in the order of the checks.
///
/// # Errors
/// Those of the reads.
pub fn conflicts<E>(
    checks: &[Check],
    mut stored: impl FnMut(&str) -> Result<Option<Value>, E>,
) -> Result<Vec<String>, E> {
    let mut conflicts: Vec<String> = Vec::new();
    for check in checks {
        if conflicts.contains(&check.key) {
            continue;
        }
        if !check.expected.fits(stored(&check.key)?.as_ref()) {
            conflicts.push(check.key.clone());
        }
    }
    Ok(conflicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(Text::from(text))
    }

    fn bytes(text: &str) -> Value {
        Value::buffer(text.as_bytes().to_vec())
    }

    #[test]
    fn an_etag_is_the_same_for_every_process() {
        for (value, etag) in [
            (text("{\"json\":1}"), "q_i4FHzhJCLDB0L4izu0wg"),
            (bytes("{\"json\":1}"), "x55XXp9ZVQ-5ySVEOw2y1Q"),
        ] {
            assert_eq!(Etag::of(&value).as_str(), etag, "{value:?}");
        }
    }

    #[test]
    fn an_etag_leaves_the_expiry_out() {
        for (with, without) in [
            ("{\"expires\":12,\"json\":1}", "{\"json\":1}"),
            ("{\"expires\":12,\"fresh\":3,\"json\":1}", "{\"json\":1}"),
            (
                "{\"json\":[1],\"meta\":{\"v\":1},\"expires\":7}",
                "{\"json\":[1],\"meta\":{\"v\":1}}",
            ),
        ] {
            assert_eq!(Etag::of(&text(with)), Etag::of(&text(without)), "{with}");
            assert!(Expected::Stored(text(with)).fits(Some(&bytes(without))));
        }
        let own = text("{\"expires\":12,\"name\":1}");
        assert_ne!(Etag::of(&own), Etag::of(&text("{\"name\":1}")));
    }

    #[test]
    fn other_values_have_other_etags() {
        let values = [text("1"), text("2"), bytes("1"), text(""), bytes("")];
        for (place, value) in values.iter().enumerate() {
            for other in &values[place + 1..] {
                assert_ne!(Etag::of(value), Etag::of(other), "{value:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_is_expected_fits_the_same_value_alone() {
        let (one, two) = (text("{\"json\":1}"), text("{\"json\":2}"));
        assert!(Expected::Missing.fits(None));
        assert!(!Expected::Missing.fits(Some(&one)));
        assert!(Expected::Stored(one.clone()).fits(Some(&one)));
        assert!(!Expected::Stored(one.clone()).fits(Some(&two)));
        assert!(!Expected::Stored(one.clone()).fits(None));
        assert!(Expected::Etag(Etag::of(&one)).fits(Some(&one)));
        assert!(!Expected::Etag(Etag::of(&one)).fits(Some(&two)));
        assert!(!Expected::Etag(Etag::given("nonsense")).fits(Some(&one)));
    }
}
