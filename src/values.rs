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

/// The value itself of a text that holds a boolean or a whole number: the engine makes it faster than a string
/// to be parsed. `None` for all other texts.
#[inline]
pub(super) fn plain(env: Env, stored: &Text) -> Option<Val> {
    // Every whole number of so many digits has a double of its own.
    const MOST_UNITS: usize = 15;
    let Some(Inside::Latin1(inside)) = stored.inside_envelope() else {
        return None;
    };
    match inside {
        [] => None,
        b"0" => Some(env.number(0.0)),
        b"true" => Some(env.boolean(true)),
        b"false" => Some(env.boolean(false)),
        [b'1'..=b'9', ..] if inside.len() <= MOST_UNITS => {
            whole_number(inside).map(|number| env.number(number))
        }
        [b'-', rest @ ..] if matches!(rest, [b'1'..=b'9', ..]) && rest.len() <= MOST_UNITS => {
            whole_number(rest).map(|number| env.number(-number))
        }
        _ => None,
    }
}

fn whole_number(digits: &[u8]) -> Option<f64> {
    let mut number = 0.0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10.0 + f64::from(digit - b'0');
    }
    Some(number)
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
