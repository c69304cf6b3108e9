//! Entries with their etags, and groups of changes.

use std::rc::Rc;

use napi::sys;
use smallvec::SmallVec;

use super::context::Context;
use super::env::{Env, Val};
use super::error::wrong_argument;
use super::found::FoundItem;
use super::options::call_options;
use super::request::{Handed, Request, coded_or_value, with_key};
use super::strings;
use super::values;
use eas_core::condition::{Check, Etag, Expected};
use eas_core::driver::{Mode, Op};
use eas_core::error::{Error, Kind, Result};
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::storage::{Entry, Storage};
use eas_core::value::{Text, Value};

/// What a group can be committed for, by the number that the facade gives.
const OPERATIONS: [&str; 8] = [
    "commit",
    "commitSync",
    "setItem",
    "setItemSync",
    "removeItem",
    "removeItemSync",
    "update",
    "updateSync",
];

/// `(handle, key, options) => [coded, etag, isExact] | undefined`
pub(super) fn get_entry(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = request.with_key(1, |key| {
        Ok(request.storage()?.get_entry(key, &options, request.mode))
    })??;
    request.finish(op, entry)
}

fn entry(context: &Context, entry: Option<Entry>) -> Val {
    let env = context.env;
    let Some(entry) = entry else {
        return env.undefined();
    };
    let parts = [
        values::coded(env, entry.value.as_ref()),
        strings::string(env, entry.etag().as_str()),
        env.boolean(entry.is_exact),
    ];
    env.array(parts.into_iter())
}

fn update_number(request: &Request<'_>, index: usize) -> Result<u64> {
    let given = request.arguments[index];
    let number = request.env.as_number(given);
    number
        .map(f64::to_bits)
        .ok_or_else(|| wrong_argument(request.env, "update", "a number", given))
}

/// `(handle, key, update, options) => coded | template | undefined`: the value for an update of that number.
/// What is stored is kept for `swap`, until it or `forget` takes it.
pub(super) fn find_for_update(request: &Request<'_>) -> Result<Val> {
    let update = update_number(request, 2)?;
    let options = request.options(3)?;
    let (operation, mode) = (update_in(request.mode), request.mode);
    let storage = request.storage()?;
    let (op, key) = request.with_key(1, |key| {
        let op = storage.get_entry_to_change(key, &options, operation, mode);
        (op, key.to_owned())
    })?;
    let place = (storage.clone(), key);
    if let Op::Ready(found) = op {
        let found = found.expect("an operation is taken once")?;
        let context = request.context;
        return context.made(keep_found(context, update, place, found));
    }
    let found = op.map(move |found| (update, place, found));
    request.finish(found, |context, (update, place, found)| {
        keep_found(context, update, place, found)
    })
}

fn keep_found(
    context: &Context,
    update: u64,
    (storage, key): (Rc<Storage>, String),
    found: Option<Entry>,
) -> Val {
    let value = found.as_ref().and_then(|found| found.value.as_ref());
    let value = coded_or_value(context, value);
    let found = FoundItem {
        storage,
        key,
        expected: found.map_or(Expected::Missing, Entry::into_expected),
    };
    context.found.keep(update, found);
    value
}

/// `(update)`: the update ends without a `swap`.
pub(super) fn forget(request: &Request<'_>) -> Result<Val> {
    let found = request.context.found.take(update_number(request, 0)?);
    drop(found);
    Ok(request.env.undefined())
}

fn update_in(mode: Mode) -> &'static str {
    match mode {
        Mode::Async => "update",
        Mode::Sync => "updateSync",
    }
}

/// `(update, text, options) => isDone`: one change, if the item is still what the update found. An `undefined`
/// text removes.
pub(super) fn swap(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    let text = request.arguments[1];
    let found = request.context.found.take(update_number(request, 0)?);
    let FoundItem {
        storage,
        key,
        expected,
    } = found.ok_or_else(|| Error::new(Kind::InvalidArgument, "the update found nothing yet"))?;
    request.refuse_disposed(&storage)?;
    let options = request.options(2)?;
    let value = Handed::new(request.context).text(text);
    if value.is_none() && !env.is_nullish(text) {
        return Err(wrong_argument(env, "value", "a text", text));
    }
    let (operation, mode) = (update_in(request.mode), request.mode);
    let op = storage.swap(key, expected, value, options, operation, mode);
    request.finish(op, |context, committed| {
        context.env.boolean(matches!(committed, Committed::Done))
    })
}

/// `(handle, operation, checks, writes) => conflicts | undefined`: texts are as the facade's writer hands
/// them over.
pub(super) fn commit(request: &Request<'_>) -> Result<Val> {
    let mut handed = Handed::new(request.context);
    commit_group(request, &mut |given| handed.text(given))
}

/// As `commit`, with the texts as the driver is to have them.
pub(super) fn commit_texts(request: &Request<'_>) -> Result<Val> {
    commit_group(request, &mut |given| strings::read_text(request.env, given))
}

fn commit_group(request: &Request<'_>, read: &mut dyn FnMut(Val) -> Option<Text>) -> Result<Val> {
    let env = request.env;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and the list is asked whether it has it"
    )]
    let number = env.as_number(request.arguments[1]).unwrap_or_default() as usize;
    let operation = *OPERATIONS.get(number).unwrap_or(&"commit");
    let group = Group {
        checks: checks(env, request.arguments[2])?,
        writes: writes(request.context, request.arguments[3], read)?,
    };
    let op = request.storage()?.commit(group, operation, request.mode);
    request.finish(op, conflicts)
}

fn conflicts(context: &Context, committed: Committed) -> Val {
    match committed {
        Committed::Done => context.env.undefined(),
        Committed::Conflicts(keys) => {
            let env = context.env;
            context.list(keys.iter().map(|key| strings::string(env, key)))
        }
    }
}

/// The elements of a flat list, three at a time.
fn triples<T>(
    env: Env,
    list: Val,
    read: impl FnMut([Val; 3]) -> Result<T>,
) -> Result<SmallVec<[T; 1]>> {
    let count = env.length(list) / 3;
    let at = |index| env.element(list, index);
    let mut read = read;
    (0..count)
        .map(|place| env.scope(|| read([at(place * 3), at(place * 3 + 1), at(place * 3 + 2)])))
        .collect()
}

/// `[key, kind, expected, …]`, where the kind is 0 for no item, 1 for an etag, 2 for what `getEntry` gave
/// as its first part and 3 for a text or bytes as the driver has them.
fn checks(env: Env, list: Val) -> Result<SmallVec<[Check; 1]>> {
    triples(env, list, |[key, kind, expected]| {
        let key = with_key(env, key, str::to_owned)?;
        let wrong = || wrong_argument(env, "expected", "an etag or a stored value", expected);
        let expected = match env.as_number(kind) {
            Some(0.0) => Expected::Missing,
            Some(1.0) => {
                let etag = strings::read_lossy(env, expected).ok_or_else(wrong)?;
                Expected::Etag(Etag::given(etag))
            }
            Some(2.0) => {
                let text = strings::read_packed(env, expected).ok_or_else(wrong)?;
                Expected::Stored(Value::Text(text))
            }
            Some(3.0) => Expected::Stored(stored(env, expected).ok_or_else(wrong)?),
            _ => return Err(Error::new(Kind::InvalidArgument, "no kind of condition")),
        };
        Ok(Check { key, expected })
    })
}

fn stored(env: Env, given: Val) -> Option<Value> {
    if env.type_of(given) == sys::ValueType::napi_string {
        return strings::read_text(env, given).map(Value::Text);
    }
    let (bytes, kind) = strings::read_bytes(env, given)?;
    Some(Value::Bytes(bytes.into(), kind))
}

/// `[key, text, options, …]`, where an `undefined` text removes.
fn writes(
    context: &Rc<Context>,
    list: Val,
    read: &mut dyn FnMut(Val) -> Option<Text>,
) -> Result<SmallVec<[GroupWrite; 1]>> {
    let env = context.env;
    triples(env, list, |[key, text, options]| {
        let key = with_key(env, key, str::to_owned)?;
        let options = call_options(context, options)?;
        match read(text) {
            Some(value) => Ok(GroupWrite::set(key, value, options)),
            // An environment that is ending gives no elements: they are not the same as `undefined`.
            None if !text.is_null() && env.is_nullish(text) => {
                Ok(GroupWrite::Remove { key, options })
            }
            None => Err(wrong_argument(env, "value", "a text", text)),
        }
    })
}
