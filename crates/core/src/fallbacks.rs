//! Calling a driver whatever calls it has: what stands in for those it has not.

use std::rc::Rc;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use futures_util::future::join_all;

use crate::driver::{Call, Driver, DriverInfo, Item, KeyQuery, Meta, Mode, Op, Options, ReadOnly};
use crate::error::{Error, Kind, Result};
use crate::key;
use crate::keys::Keys;
use crate::value::{BytesKind, Text, Value};

/// What raw bytes begin with where a driver stores text alone.
const BASE64_PREFIX: &str = "base64:";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether a write is to be passed on. A driver without the call is one that only reads: an async
/// write does nothing, a Sync one is an error, since its caller has no other way to learn of it.
fn can_write(driver: &dyn Driver, call: Call, mode: Mode) -> Result<bool> {
    let info = driver.info();
    refuse(info, call, mode)?;
    let has = info.has(call, mode);
    if has || mode == Mode::Async || info.read_only == ReadOnly::Silent {
        Ok(has)
    } else {
        Err(unsupported(driver, call))
    }
}

/// Fails where the driver makes writes an error.
///
/// # Errors
/// [`Kind::ReadOnly`].
pub fn refuse(info: &DriverInfo, call: Call, mode: Mode) -> Result<()> {
    if info.read_only == ReadOnly::Error {
        Err(read_only(info, call, mode))
    } else {
        Ok(())
    }
}

/// The error of a write that a driver which only reads does not take.
#[cold]
pub fn read_only(info: &DriverInfo, call: Call, mode: Mode) -> Error {
    takes_no_changes(info).operation(call.name(mode))
}

fn takes_no_changes(info: &DriverInfo) -> Error {
    Error::new(
        Kind::ReadOnly,
        "the driver only reads, so nothing was changed; write to one that was made without `readOnly`",
    )
    .driver(&info.name)
}

/// The error of a Sync call that the driver has no method for.
pub fn unsupported(driver: &dyn Driver, call: Call) -> Error {
    let method = call.name(Mode::Sync);
    let driver_name = &driver.info().name;
    Error::new(
        Kind::SyncUnsupported,
        format!(
            "the driver \"{driver_name}\" has no method `{method}`; add it to the driver or call `{}` instead",
            call.name(Mode::Async)
        ),
    )
    .driver(driver_name)
    .operation(method)
}

macro_rules! require {
    ($driver:expr, $call:expr, $mode:expr) => {
        if !$driver.info().has($call, $mode) {
            return Op::fail(if $mode == Mode::Sync {
                unsupported(&**$driver, $call)
            } else {
                lacks(&**$driver, $call)
            });
        }
    };
}

fn lacks(driver: &dyn Driver, call: Call) -> Error {
    let method = call.name(Mode::Async);
    Error::new(
        Kind::InvalidArgument,
        format!("the driver has no method `{method}`"),
    )
    .driver(&driver.info().name)
    .operation(method)
}

/// Whether there is an item.
pub fn has_item(driver: &Rc<dyn Driver>, key: &str, options: &Options, mode: Mode) -> Op<bool> {
    if driver.info().has(Call::HasItem, mode) {
        return driver.clone().has_item(key, options, mode);
    }
    // Many drivers leave it out: an item that can be read is there.
    get_item(driver, key, options, mode).map(|value| value.is_some())
}

/// The item as the codec wrote it.
pub fn get_item(
    driver: &Rc<dyn Driver>,
    key: &str,
    options: &Options,
    mode: Mode,
) -> Op<Option<Value>> {
    require!(driver, Call::GetItem, mode);
    driver.clone().get_item(key, options, mode)
}

/// Several items, in the order asked for.
pub fn get_items(
    driver: &Rc<dyn Driver>,
    items: Vec<Item<()>>,
    common: &Options,
    mode: Mode,
) -> Op<Vec<Option<Value>>> {
    if driver.info().has(Call::GetItems, mode) {
        return driver.clone().get_items(items, common, mode);
    }
    let found: Vec<_> = items
        .iter()
        .map(|item| get_item(driver, &item.key, &item.options, mode))
        .collect();
    Op::later(async move { join_all(found).await.into_iter().collect() })
}

/// The item without the codec: text and bytes as they were given.
pub fn get_item_raw(
    driver: &Rc<dyn Driver>,
    key: &str,
    options: &Options,
    mode: Mode,
) -> Op<Option<Value>> {
    if driver.info().has(Call::GetItemRaw, mode) {
        return driver.clone().get_item_raw(key, options, mode);
    }
    get_item(driver, key, options, mode).map(|value| value.map(from_text))
}

/// The keys under a base; the driver may give more.
pub fn get_keys(driver: &Rc<dyn Driver>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
    require!(driver, Call::GetKeys, mode);
    driver.clone().get_keys(query, mode)
}

/// The driver's own metadata.
pub fn get_meta(
    driver: &Rc<dyn Driver>,
    key: &str,
    options: &Options,
    mode: Mode,
) -> Op<Option<Meta>> {
    if driver.info().has(Call::GetMeta, mode) {
        return driver.clone().get_meta(key, options, mode);
    }
    Op::ok(None)
}

/// Writes an item.
pub fn set_item(
    driver: &Rc<dyn Driver>,
    key: &str,
    value: Text,
    options: &Options,
    mode: Mode,
) -> Op<()> {
    match can_write(&**driver, Call::SetItem, mode) {
        Ok(true) => driver.clone().set_item(key, value, options, mode),
        Ok(false) => Op::ok(()),
        Err(error) => Op::fail(error.key(key)),
    }
}

/// Writes several items, in order for equal keys.
pub fn set_items(
    driver: &Rc<dyn Driver>,
    items: Vec<Item<Text>>,
    common: &Options,
    mode: Mode,
) -> Op<()> {
    if let Err(error) = refuse(driver.info(), Call::SetItems, mode) {
        return Op::fail(error);
    }
    if driver.info().has(Call::SetItems, mode) {
        return driver.clone().set_items(items, common, mode);
    }
    let written: Vec<_> = items
        .into_iter()
        .map(|item| set_item(driver, &item.key, item.value, &item.options, mode))
        .collect();
    all(written)
}

/// Writes an item without the codec.
pub fn set_item_raw(
    driver: &Rc<dyn Driver>,
    key: &str,
    value: Value,
    options: &Options,
    mode: Mode,
) -> Op<()> {
    if let Err(error) = refuse(driver.info(), Call::SetItemRaw, mode) {
        return Op::fail(error.key(key));
    }
    if driver.info().has(Call::SetItemRaw, mode) {
        return driver.clone().set_item_raw(key, value, options, mode);
    }
    match to_text(value) {
        Ok(text) => set_item(driver, key, text, options, mode),
        Err(error) => Op::fail(
            error
                .driver(&driver.info().name)
                .operation(Call::SetItemRaw.name(mode))
                .key(key),
        ),
    }
}

/// Removes an item.
pub fn remove_item(driver: &Rc<dyn Driver>, key: &str, options: &Options, mode: Mode) -> Op<()> {
    match can_write(&**driver, Call::RemoveItem, mode) {
        Ok(true) => driver.clone().remove_item(key, options, mode),
        Ok(false) => Op::ok(()),
        Err(error) => Op::fail(error.key(key)),
    }
}

/// Removes the given keys.
pub fn remove_items(driver: &Rc<dyn Driver>, keys: &Keys, options: &Options, mode: Mode) -> Op<()> {
    all(keys
        .iter()
        .map(|key| remove_item(driver, key, options, mode))
        .collect())
}

/// Whether clearing does anything: a driver that refuses to be cleared or that only reads is left as it
/// is.
///
/// # Errors
/// [`Kind::ReadOnly`], and [`Kind::SyncUnsupported`] when a Sync clear has no method to use.
pub fn can_clear(driver: &Rc<dyn Driver>, mode: Mode) -> Result<bool> {
    let info = driver.info();
    refuse(info, Call::Clear, mode)?;
    let is_left = info.no_clear || info.read_only.is_read_only();
    if is_left || mode == Mode::Async || info.clears(mode) {
        Ok(info.clears(mode))
    } else {
        Err(unsupported(&**driver, Call::Clear))
    }
}

/// Whether the driver's own clear leaves what the package keeps for itself, or nobody can know what else
/// it has.
pub fn spares_kept(driver: &Rc<dyn Driver>, mode: Mode) -> bool {
    driver.info().ordered || !driver.info().has(Call::GetKeys, mode)
}

/// Removes the items under a base and their metadata, whatever the driver's own `clear` does with a base
/// and with what the package keeps for itself.
///
/// # Errors
/// As [`can_clear`], and those of the driver.
pub fn clear(driver: &Rc<dyn Driver>, base: &str, options: &Options, mode: Mode) -> Op<()> {
    match can_clear(driver, mode) {
        Ok(true) => {}
        Ok(false) => return Op::ok(()),
        Err(error) => return Op::fail(error),
    }
    let keeps_to_base = base.is_empty() || driver.info().clears_base;
    let native = keeps_to_base && driver.info().has(Call::Clear, mode);
    if native && spares_kept(driver, mode) {
        return driver.clone().clear(base, options, mode);
    }
    let query = KeyQuery {
        base: base.to_owned(),
        ..KeyQuery::default()
    };
    let listed = get_keys(driver, &query, mode);
    let (driver, options, base) = (driver.clone(), options.clone(), base.to_owned());
    let remove = move |keys: Keys| {
        if native && !keys.iter().any(|key| key::is_kept(&key::normalize(key))) {
            return driver.clone().clear(&base, &options, mode);
        }
        let items = keys.filtered(|key| {
            let key = key::normalize(key);
            key::is_under(&key, &base) && !key::is_kept(&key)
        });
        remove_items(&driver, &items, &options, mode)
    };
    match listed {
        Op::Ready(Some(Ok(keys))) => remove(keys),
        Op::Ready(Some(Err(error))) if native && error.kind() == Kind::SyncUnsupported => {
            remove(Keys::new())
        }
        listed => Op::later(async move { remove(listed.await?).await }),
    }
}

/// Whether a group can be asked for: who commits relies on the result, so that a driver which takes no
/// writes refuses here, silent or not.
///
/// # Errors
/// [`Kind::ReadOnly`], [`Kind::AtomicUnsupported`], and [`Kind::SyncUnsupported`] where only the async
/// form is missing its twin.
pub fn can_commit(driver: &Rc<dyn Driver>, operation: &'static str, mode: Mode) -> Result<()> {
    let info = driver.info();
    if info.read_only.is_read_only() {
        return Err(takes_no_changes(info).operation(operation));
    }
    if info.has(Call::Commit, mode) {
        return Ok(());
    }
    if info.has(Call::Commit, Mode::Async) {
        return Err(unsupported(&**driver, Call::Commit));
    }
    let message = format!(
        "the driver \"{}\" makes no conditional writes and no groups; keep the key on memory, fs or sqlite, or add `commit` to the driver",
        info.name
    );
    let error = Error::new(Kind::AtomicUnsupported, message);
    Err(error.driver(&info.name).operation(operation))
}

/// Resolves when what was written before is where it belongs.
pub fn flush(driver: &Rc<dyn Driver>, mode: Mode) -> Op<()> {
    if driver.info().has(Call::Flush, mode) {
        return driver.clone().flush(mode);
    }
    Op::ok(())
}

/// Frees what the driver holds.
pub fn dispose(driver: &Rc<dyn Driver>, mode: Mode) -> Op<()> {
    if driver.info().has(Call::Dispose, mode) {
        return driver.clone().dispose(mode);
    }
    Op::ok(())
}

/// Awaits every operation, also after one failed; the outcome is that of the first that failed.
pub fn all(operations: Vec<Op<()>>) -> Op<()> {
    if operations
        .iter()
        .all(|operation| matches!(operation, Op::Ready(Some(Ok(())))))
    {
        return Op::ok(());
    }
    Op::later(async move { join_all(operations).await.into_iter().collect() })
}

/// What a driver that stores text alone stores for a raw value.
///
/// # Errors
/// [`Kind::InvalidValue`] for a value that is neither text nor bytes.
pub fn to_text(value: Value) -> Result<Text> {
    let bytes = match value {
        Value::Text(text) => return Ok(text),
        Value::Bytes(bytes, _) => bytes,
        Value::Js(handle) => match handle.bytes() {
            Some((bytes, _)) => bytes.into(),
            None => {
                return Err(Error::new(
                    Kind::InvalidValue,
                    "a driver without `setItemRaw` stores strings and bytes; use setItem for other values",
                ));
            }
        },
    };
    let mut text = BASE64_PREFIX.to_owned();
    BASE64.encode_string(&bytes, &mut text);
    Ok(Text::from(text.as_str()))
}

/// The raw value that such a driver's text stands for.
pub fn from_text(value: Value) -> Value {
    let Value::Text(text) = &value else {
        return value;
    };
    let text = text.to_str();
    match text
        .strip_prefix(BASE64_PREFIX)
        .map(|encoded| BASE64.decode(encoded))
    {
        Some(Ok(bytes)) => Value::Bytes(bytes.into(), BytesKind::Buffer),
        // A string that only looks like it was stored as it is.
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_text() {
        for bytes in [&b""[..], b"a", b"\x00\xff\xfe", b"four"] {
            let text = to_text(Value::buffer(bytes.to_vec())).expect("bytes have a text form");
            assert_eq!(from_text(Value::Text(text)), Value::buffer(bytes.to_vec()));
        }
    }

    #[test]
    fn a_string_that_only_looks_like_bytes_stays_a_string() {
        let text = Value::Text(Text::from("base64:no base64!"));
        assert_eq!(from_text(text.clone()), text);
    }
}
