//! Stored values as JavaScript gets them.

use super::env::{Env, Val};
use super::{reference, strings};
use eas_core::value::{Inside, Text, Value};

/// A stored value for the codec: the inside of a plain envelope, so that the engine has less to
/// parse; any other text whole, behind [`strings::WHOLE`].
pub(super) fn coded(env: Env, stored: Option<&Value>) -> Val {
    match stored {
        Some(Value::Text(stored)) => coded_text(env, stored),
        _ => value(env, stored),
    }
}

/// As [`coded`], of a text.
pub(super) fn coded_text(env: Env, stored: &Text) -> Val {
    match stored.inside_envelope() {
        Some(Inside::Latin1(bytes)) => strings::latin1(env, bytes),
        Some(Inside::Utf16(units)) => strings::utf16(env, units),
        Some(Inside::Utf8(text)) => strings::string(env, text),
        None => {
            let mut whole = String::from(char::from(strings::WHOLE));
            whole.push_str(&stored.to_str());
            strings::string(env, &whole)
        }
    }
}

/// A stored value, `undefined` for none.
pub(super) fn value(env: Env, stored: Option<&Value>) -> Val {
    match stored {
        None => env.undefined(),
        Some(Value::Text(stored)) => strings::text(env, stored),
        Some(Value::Bytes(stored, kind)) => strings::bytes(env, stored, *kind),
        Some(Value::Js(handle)) => reference::value_of(env, handle),
    }
}
