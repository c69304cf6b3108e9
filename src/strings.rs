//! Strings and bytes across the boundary.
//!
//! Measured: reading UTF-16 into a reused buffer and creating one-byte or two-byte strings is
//! several times faster than going through UTF-8 in the engine for anything that is not ASCII.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ptr::null_mut;

use napi::sys;

use super::env::{Env, Val, api, is_ok};
use eas_core::value::{BytesKind, Text};

/// What stands before a text that is handed over whole; JSON text never begins with it.
pub(super) const WHOLE: u8 = b'\0';

/// Keys that are shorter than this many units are read without the shared buffer.
const SHORT_KEY: usize = 512;

/// A reused buffer that grew beyond this is given back.
const KEEP_UNITS: usize = 512 * 1024;

thread_local! {
    // A scratch buffer only: nothing of one call is seen by another.
    static UNITS: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// Why a key could not be read.
#[derive(Debug, PartialEq)]
pub(super) enum BadString {
    /// The value is no string.
    Type,
    /// The string has lone surrogates: as UTF-8 different ones would be the same key.
    Surrogate,
}

/// Reads a string and hands it on as UTF-8.
pub(super) fn with_str<R>(
    env: Env,
    value: Val,
    then: impl FnOnce(&str) -> R,
) -> Result<R, BadString> {
    let mut units = [const { MaybeUninit::<u16>::uninit() }; SHORT_KEY];
    let mut length = 0;
    let status = api!(napi_get_value_string_utf16(
        env.0,
        value,
        units.as_mut_ptr().cast(),
        SHORT_KEY,
        &mut length,
    ));
    if !is_ok(status) {
        return Err(BadString::Type);
    }
    // Of a longer string Node gives as much as there is room for.
    if length + 1 < SHORT_KEY {
        // SAFETY: Node wrote that many units.
        let units = unsafe { std::slice::from_raw_parts(units.as_ptr().cast::<u16>(), length) };
        let mut bytes = [const { MaybeUninit::<u8>::uninit() }; SHORT_KEY];
        let mut all = 0;
        for (byte, unit) in bytes.iter_mut().zip(units) {
            all |= unit;
            byte.write(*unit as u8);
        }
        if all < 0x80 {
            // SAFETY: as many bytes were written, and ASCII is UTF-8.
            let text = unsafe {
                let bytes = std::slice::from_raw_parts(bytes.as_ptr().cast::<u8>(), length);
                std::str::from_utf8_unchecked(bytes)
            };
            return Ok(then(text));
        }
        let text = String::from_utf16(units).map_err(|_| BadString::Surrogate)?;
        return Ok(then(&text));
    }
    let text = with_units(env, value, |_, _| None, String::from_utf16).ok_or(BadString::Type)?;
    text.map(|text| then(&text))
        .map_err(|_| BadString::Surrogate)
}

/// Reads a string as a Rust one; lone surrogates become U+FFFD.
pub(super) fn read_lossy(env: Env, value: Val) -> Option<String> {
    with_units(env, value, |_, _| None, String::from_utf16_lossy)
}

/// Reads a string in the form in which it is cheapest to keep.
pub(super) fn read_text(env: Env, value: Val) -> Option<Text> {
    let ascii = |_: &[u16], length| read_ascii(env, value, length);
    with_units(env, value, ascii, Text::from_utf16)
}

/// Reads what the codec packed: the inside of a plain envelope, which is put around it, or a whole
/// text behind [`WHOLE`].
pub(super) fn read_packed(env: Env, value: Val) -> Option<Text> {
    let is_whole = |units: &[u16]| units.first() == Some(&u16::from(WHOLE));
    let ascii = |start: &[u16], length| {
        if is_whole(start) || !is_ascii(env, value, length) {
            return None;
        }
        let mut written = 0;
        let text = Text::enveloped_latin1(length, |inside| {
            written = write_latin1(env, value, inside);
        });
        (written == length).then_some(text)
    };
    with_units(env, value, ascii, |units| {
        if is_whole(units) {
            Text::from_utf16(&units[1..])
        } else {
            Text::enveloped(units)
        }
    })
}

/// Reads a string of so many units if all of them are ASCII.
fn read_ascii(env: Env, value: Val, length: usize) -> Option<Text> {
    if !is_ascii(env, value, length) {
        return None;
    }
    let mut bytes = vec![0; length + 1];
    let written = write_latin1(env, value, &mut bytes);
    (written == length).then(|| Text::Latin1(bytes[..length].into()))
}

/// Whether all of a string's units are ASCII: as UTF-8 it has as many bytes then.
fn is_ascii(env: Env, value: Val, length: usize) -> bool {
    let mut size = 0;
    api!(napi_get_value_string_utf8(
        env.0,
        value,
        null_mut(),
        0,
        &mut size
    ));
    size == length
}

/// Writes a string of one byte a unit, and a NUL; gives how many units.
fn write_latin1(env: Env, value: Val, bytes: &mut [u8]) -> usize {
    let mut written = 0;
    api!(napi_get_value_string_latin1(
        env.0,
        value,
        bytes.as_mut_ptr().cast(),
        bytes.len(),
        &mut written,
    ));
    written
}

/// Hands a string on as UTF-16. Of a long one, `long` is given the start and the length first; what it makes
/// of it is the result.
fn with_units<R>(
    env: Env,
    value: Val,
    long: impl FnOnce(&[u16], usize) -> Option<R>,
    then: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    // The buffer is taken out while it is in use, in case `then` comes back here.
    let mut units = UNITS.take();
    if units.is_empty() {
        units.resize(4096, 0);
    }
    let read = |units: &mut Vec<u16>| {
        let mut length = 0;
        let status = api!(napi_get_value_string_utf16(
            env.0,
            value,
            units.as_mut_ptr(),
            units.len(),
            &mut length,
        ));
        is_ok(status).then_some(length)
    };
    let mut length = read(&mut units)?;
    if length + 1 == units.len() {
        let mut whole = 0;
        api!(napi_get_value_string_utf16(
            env.0,
            value,
            null_mut(),
            0,
            &mut whole
        ));
        if whole > length {
            let start = &units[..length];
            if start.iter().all(|unit| *unit < 0x80)
                && let Some(result) = long(start, whole)
            {
                UNITS.set(units);
                return Some(result);
            }
            units.resize(whole + 1, 0);
            length = read(&mut units)?;
        }
    }
    let result = then(&units[..length]);
    if units.len() <= KEEP_UNITS {
        UNITS.set(units);
    }
    Some(result)
}

/// A string of UTF-8; null when it is longer than the engine takes.
pub(super) fn string(env: Env, text: &str) -> Val {
    if text.is_ascii() {
        return latin1(env, text.as_bytes());
    }
    let mut units = UNITS.take();
    if units.len() < text.len() + 1 {
        units.resize(text.len() + 1, 0);
    }
    let length = encoding_rs::mem::convert_str_to_utf16(text, &mut units);
    let value = utf16(env, &units[..length]);
    if units.len() <= KEEP_UNITS {
        UNITS.set(units);
    }
    value
}

pub(super) fn latin1(env: Env, bytes: &[u8]) -> Val {
    let mut value = null_mut();
    let length = isize::try_from(bytes.len()).unwrap_or(isize::MAX);
    api!(napi_create_string_latin1(
        env.0,
        bytes.as_ptr().cast(),
        length,
        &mut value
    ));
    value
}

pub(super) fn utf16(env: Env, units: &[u16]) -> Val {
    let mut value = null_mut();
    let length = isize::try_from(units.len()).unwrap_or(isize::MAX);
    api!(napi_create_string_utf16(
        env.0,
        units.as_ptr(),
        length,
        &mut value
    ));
    value
}

/// A string of stored text; null when it is longer than the engine takes.
pub(super) fn text(env: Env, text: &Text) -> Val {
    match text {
        Text::Latin1(bytes) => latin1(env, bytes),
        Text::Utf16(units) => utf16(env, units),
        Text::Utf8(text) => string(env, text),
    }
}

/// A copy of bytes, owned by JavaScript: Electron refuses memory from outside. Null when there are
/// more than the engine takes.
pub(super) fn bytes(env: Env, bytes: &[u8], kind: BytesKind) -> Val {
    let mut value = null_mut();
    if kind == BytesKind::Uint8Array {
        let (mut data, mut buffer) = (null_mut(), null_mut());
        api!(napi_create_arraybuffer(
            env.0,
            bytes.len(),
            &mut data,
            &mut buffer
        ));
        if !data.is_null() && !bytes.is_empty() {
            // SAFETY: the new buffer has as many bytes, and nothing else refers to it yet.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), data.cast::<u8>(), bytes.len())
            };
        }
        let uint8_array = sys::TypedarrayType::uint8_array;
        api!(napi_create_typedarray(
            env.0,
            uint8_array,
            bytes.len(),
            buffer,
            0,
            &mut value
        ));
        return value;
    }
    api!(napi_create_buffer_copy(
        env.0,
        bytes.len(),
        bytes.as_ptr().cast(),
        null_mut(),
        &mut value
    ));
    value
}

/// A copy of the bytes of a Buffer, a typed array, a DataView or an ArrayBuffer.
pub(super) fn read_bytes(env: Env, value: Val) -> Option<(Vec<u8>, BytesKind)> {
    let (mut data, mut length) = (null_mut(), 0);
    // The functions have a type of their own on each system: a closure could not take them.
    macro_rules! is {
        ($check:ident) => {{
            let mut flag = false;
            api!($check(env.0, value, &mut flag));
            flag
        }};
    }
    let kind = if is!(napi_is_typedarray) {
        let (mut array_type, mut units, mut buffer, mut offset) = (0, 0, null_mut(), 0);
        api!(napi_get_typedarray_info(
            env.0,
            value,
            &mut array_type,
            &mut units,
            &mut data,
            &mut buffer,
            &mut offset,
        ));
        length = units * unit_size(array_type);
        if array_type != sys::TypedarrayType::uint8_array {
            BytesKind::View
        } else if is_node_buffer(env, value) {
            BytesKind::Buffer
        } else {
            BytesKind::Uint8Array
        }
    } else if is!(napi_is_dataview) {
        let (mut buffer, mut offset) = (null_mut(), 0);
        api!(napi_get_dataview_info(
            env.0,
            value,
            &mut length,
            &mut data,
            &mut buffer,
            &mut offset
        ));
        BytesKind::View
    } else if is!(napi_is_arraybuffer) {
        api!(napi_get_arraybuffer_info(
            env.0,
            value,
            &mut data,
            &mut length
        ));
        BytesKind::View
    } else {
        return None;
    };
    if data.is_null() || length == 0 {
        return Some((Vec::new(), kind));
    }
    // SAFETY: Node gives the address and size of the live view; it is copied before JavaScript runs.
    let bytes = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
    Some((bytes.to_vec(), kind))
}

fn unit_size(array_type: sys::napi_typedarray_type) -> usize {
    match array_type {
        sys::TypedarrayType::int16_array | sys::TypedarrayType::uint16_array => 2,
        sys::TypedarrayType::int32_array
        | sys::TypedarrayType::uint32_array
        | sys::TypedarrayType::float32_array => 4,
        sys::TypedarrayType::float64_array
        | sys::TypedarrayType::bigint64_array
        | sys::TypedarrayType::biguint64_array => 8,
        _ => 1,
    }
}

/// `napi_is_buffer` holds for every view; a Buffer is told by its own method.
fn is_node_buffer(env: Env, value: Val) -> bool {
    env.type_of(env.get(value, c"readUInt8")) == sys::ValueType::napi_function
}
