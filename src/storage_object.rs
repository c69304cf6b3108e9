//! The functions through which the facade reaches storages. Each takes a handle first.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;

use super::context::{Context, NodeRuntime};
use super::database;
use super::env::{Env, Val};
use super::error::wrong_argument;
use super::function::function;
use super::groups;
use super::handle::Handle;
use super::js_driver::{JsDriver, Pending, settlement};
use super::options::{MaxDepth, call_options, driver_options, max_depth};
use super::reference::{self, Reference};
use super::request::{Handed, Request, coded_or_value, with_key};
use super::strings::{self, BadString, with_str};
use super::values;
use eas_core::driver::{
    Call, Capabilities, DriverInfo, Item, KeyQuery, Meta, Mode, NativeMeta, Op, Options, ReadOnly,
};
use eas_core::error::{Error, Kind, Result};
use eas_core::keys::Keys;
use eas_core::storage::{Change, ItemMeta};
use eas_core::value::{Text, Value};

/// A base is a key that may be left out.
fn with_base<R>(env: Env, value: Val, then: impl FnOnce(&str) -> R) -> Result<R> {
    if env.is_nullish(value) {
        return Ok(then(""));
    }
    with_str(env, value, then).map_err(|bad| match bad {
        BadString::Type => wrong_argument(env, "base", "a string", value),
        BadString::Surrogate => Error::new(Kind::InvalidKey, "Invalid base: half a surrogate pair"),
    })
}

fn undefined(context: &Context, (): ()) -> Val {
    context.env.undefined()
}

fn boolean(context: &Context, flag: bool) -> Val {
    context.env.boolean(flag)
}

fn value(context: &Context, stored: Option<Value>) -> Val {
    values::value(context.env, stored.as_ref())
}

fn coded_values(context: &Context, stored: Vec<Option<Value>>) -> Val {
    let env = context.env;
    let coded = |stored: &Option<Value>| values::coded(env, stored.as_ref());
    context.list(stored.iter().map(coded))
}

fn values(context: &Context, stored: Vec<Option<Value>>) -> Val {
    let env = context.env;
    let value = |stored: &Option<Value>| values::value(env, stored.as_ref());
    context.list(stored.iter().map(value))
}

fn keys(context: &Context, keys: Keys) -> Val {
    let env = context.env;
    context.list(keys.iter().map(|key| strings::string(env, key)))
}

/// `[native, custom]`, where native metadata of this library is an array of numbers.
fn meta(context: &Context, meta: ItemMeta) -> Val {
    let env = context.env;
    let native = match meta.native {
        None => env.undefined(),
        Some(Meta::Js { handle, .. }) => reference::value_of(env, &handle),
        Some(Meta::Native(native)) => native_meta(env, &native),
    };
    env.array([native, values::coded(env, meta.custom.as_ref())].into_iter())
}

fn native_meta(env: Env, meta: &NativeMeta) -> Val {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sizes and times stay far below 2^53"
    )]
    let whole = |number: Option<u64>| number.map(|number| number as f64);
    let numbers = [
        meta.atime_ms,
        meta.mtime_ms,
        meta.ctime_ms,
        meta.birthtime_ms,
        whole(meta.size),
        whole(meta.ttl_ms),
    ];
    env.array(numbers.into_iter().map(|number| match number {
        Some(number) => env.number(number),
        None => env.undefined(),
    }))
}

type Body = fn(&Request<'_>) -> Result<Val>;

/// The functions with a Promise form and a Sync form.
const OPERATIONS: &[(&str, &str, Body)] = &[
    ("hasItem", "hasItemSync", has_item),
    ("getItem", "getItemSync", get_item),
    ("getItemRaw", "getItemRawSync", get_item_raw),
    ("getItems", "getItemsSync", get_items),
    ("readText", "readTextSync", read_text),
    ("readTexts", "readTextsSync", read_texts),
    ("getMeta", "getMetaSync", get_meta),
    ("getKeys", "getKeysSync", get_keys),
    ("setItem", "setItemSync", set_item),
    ("writeText", "writeTextSync", write_text),
    ("setItemRaw", "setItemRawSync", set_item_raw),
    ("setItems", "setItemsSync", set_items),
    ("writeTexts", "writeTextsSync", write_texts),
    ("setMeta", "setMetaSync", set_meta),
    ("removeItem", "removeItemSync", remove_item),
    ("removeMeta", "removeMetaSync", remove_meta),
    ("clear", "clearSync", clear),
    ("flush", "flushSync", flush),
    ("getEntry", "getEntrySync", groups::get_entry),
    (
        "findForUpdate",
        "findForUpdateSync",
        groups::find_for_update,
    ),
    ("swap", "swapSync", groups::swap),
    ("commit", "commitSync", groups::commit),
    ("commitTexts", "commitTextsSync", groups::commit_texts),
];

/// The functions with one form.
const ACTIONS: &[(&str, Body)] = &[
    ("createStorage", create_storage),
    ("mount", mount),
    ("unmount", unmount),
    ("mountOf", mount_of),
    ("mountBases", mount_bases),
    ("watch", watch),
    ("unwatch", unwatch),
    ("dispose", dispose),
    ("openBatch", open_batch),
    ("askFor", ask_for),
    ("openWrites", open_writes),
    ("addWrites", add_writes),
    ("dropWrites", drop_writes),
    ("find", find),
    ("takeFound", take_found),
    ("noteCorrupt", note_corrupt),
    ("forget", groups::forget),
    ("onExpired", on_expired),
    ("refusesClearOf", refuses_clear_of),
    ("isMigrationOpen", is_migration_open),
    ("beginMigration", begin_migration),
    ("commitMigration", commit_migration),
    ("beginSteps", begin_steps),
    ("undoSteps", undo_steps),
    ("endMigration", end_migration),
    ("openDriver", open_driver),
    ("describeDriver", describe_driver),
    ("listDriver", list_driver),
    ("listDriverSync", list_driver_sync),
    ("verifyDatabase", database::verify),
    ("backupDatabase", database::backup),
    ("compactDatabase", database::compact),
];

/// Adds the functions to the object that the facade gets.
pub(super) fn install(context: &Rc<Context>, core: Val) {
    for (name, sync_name, body) in OPERATIONS {
        add(context, core, name, Mode::Async, *body);
        add(context, core, sync_name, Mode::Sync, *body);
    }
    for (name, body) in ACTIONS {
        add(context, core, name, Mode::Async, *body);
    }
}

fn add(context: &Rc<Context>, core: Val, name: &'static str, mode: Mode, body: Body) {
    let held = context.clone();
    let value = function(context.env, name, move |env, arguments| {
        body(&Request {
            context: &held,
            env,
            arguments,
            mode,
            name,
        })
    });
    let name = std::ffi::CString::new(name).expect("names have no NUL");
    context.env.set(core, &name, value);
}

fn has_item(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = request.with_key(1, |key| {
        Ok(request.storage()?.has_item(key, &options, request.mode))
    })??;
    request.finish(op, boolean)
}

fn get_item(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = request.with_key(1, |key| {
        Ok(request.storage()?.get_item(key, &options, request.mode))
    })??;
    request.finish(op, |context, stored| {
        coded_or_value(context, stored.as_ref())
    })
}

/// As `getItem`, with the text as the driver has it.
fn read_text(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = request.with_key(1, |key| {
        Ok(request.storage()?.get_item(key, &options, request.mode))
    })??;
    request.finish(op, value)
}

fn get_item_raw(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = request.with_key(1, |key| {
        Ok(request.storage()?.get_item_raw(key, &options, request.mode))
    })??;
    request.finish(op, value)
}

/// `(handle, keys, options | undefined, commonOptions, isQuiet)`
fn get_items(request: &Request<'_>) -> Result<Val> {
    let op = get_batch(request)?;
    request.finish(op, coded_values)
}

/// As `getItems`, with the texts as the driver has them.
fn read_texts(request: &Request<'_>) -> Result<Val> {
    let op = get_batch(request)?;
    request.finish(op, values)
}

fn get_batch(request: &Request<'_>) -> Result<Op<Vec<Option<Value>>>> {
    let common = request.options(3)?;
    let items = asked_items(request, &common)?;
    let common = Options {
        is_quiet: request.env.is_truthy(request.arguments[4]),
        ..common
    };
    Ok(request.storage()?.get_items(items, &common, request.mode))
}

/// The items that a batch asks for: keys are the second argument, their own options the third.
fn asked_items(request: &Request<'_>, common: &Options) -> Result<Vec<Item<()>>> {
    let env = request.env;
    let keys = request.arguments[1];
    let count = env.length(keys);
    let mut items = Vec::with_capacity(count as usize);
    for index in 0..count {
        let options = item_options(request, 2, index, common)?;
        let key = env.scope(|| with_key(env, env.element(keys, index), str::to_owned))?;
        items.push(Item {
            key,
            value: (),
            options,
        });
    }
    Ok(items)
}

/// A batch of reads on its way across the boundary in slices: what is asked for, then what was
/// found.
#[derive(Default)]
struct Batch {
    asked: RefCell<Vec<Item<()>>>,
    found: RefCell<Vec<Option<Value>>>,
}

impl Batch {
    fn of<'a>(request: &Request<'a>, index: usize) -> Result<&'a Rc<Batch>> {
        request
            .env
            .unwrap_external::<Rc<Batch>>(request.arguments[index])
            .ok_or_else(|| Error::new(Kind::InvalidArgument, "no batch handle"))
    }
}

/// `() => batch`
fn open_batch(request: &Request<'_>) -> Result<Val> {
    Ok(request.env.external(Rc::<Batch>::default()))
}

/// `(batch, keys, options | undefined, commonOptions)`: asks for more.
fn ask_for(request: &Request<'_>) -> Result<Val> {
    let batch = Batch::of(request, 0)?;
    let common = request.options(3)?;
    let items = asked_items(request, &common)?;
    batch.asked.borrow_mut().extend(items);
    Ok(request.env.undefined())
}

/// `(handle, batch, commonOptions, isQuiet)`: reads all that was asked for.
fn find(request: &Request<'_>) -> Result<Val> {
    let batch = Batch::of(request, 1)?.clone();
    let common = Options {
        is_quiet: request.env.is_truthy(request.arguments[3]),
        ..request.options(2)?
    };
    let asked = batch.asked.take();
    let op = request.storage()?.get_items(asked, &common, request.mode);
    let found = op.map(move |found| {
        batch.found.replace(found);
    });
    request.finish(found, undefined)
}

/// `(batch, from, to)`: the values of a slice of what was found.
fn take_found(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    let batch = Batch::of(request, 0)?;
    let mut found = batch.found.borrow_mut();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and the slice is cut to what there is"
    )]
    let place = |index: usize| {
        let given = env.as_number(request.arguments[index]).unwrap_or_default() as usize;
        given.min(found.len())
    };
    let range = place(1)..place(2);
    let slice = found.get_mut(range).unwrap_or_default();
    let values = slice
        .iter_mut()
        .map(|stored| values::coded(env, stored.take().as_ref()));
    request.context.made(request.context.list(values))
}

/// The options of one item of a batch: the common ones unless the list has some of its own.
fn item_options(
    request: &Request<'_>,
    list: usize,
    index: u32,
    common: &Options,
) -> Result<Options> {
    let list = request.arguments[list];
    if request.env.is_nullish(list) {
        return Ok(common.clone());
    }
    let own = request.env.element(list, index);
    if request.env.is_nullish(own) {
        Ok(common.clone())
    } else {
        call_options(request.context, own)
    }
}

/// `(handle, key, handed, options)`, where `handed` is what the facade's writer gives.
fn set_item(request: &Request<'_>) -> Result<Val> {
    write(request, handed_argument(request, 2)?)
}

/// As `setItem`, with the text as the driver is to have it.
fn write_text(request: &Request<'_>) -> Result<Val> {
    write(request, text_argument(request, 2, strings::read_text)?)
}

fn write(request: &Request<'_>, text: Text) -> Result<Val> {
    let options = request.options(3)?;
    let op = request.with_key(1, |key| {
        Ok(request
            .storage()?
            .set_item(key, text, &options, request.mode))
    })??;
    request.finish(op, undefined)
}

/// How a text of JavaScript is read.
type ReadText = fn(Env, Val) -> Option<Text>;

fn text_argument(request: &Request<'_>, index: usize, read: ReadText) -> Result<Text> {
    let given = request.arguments[index];
    read(request.env, given).ok_or_else(|| wrong_argument(request.env, "value", "a string", given))
}

fn handed_argument(request: &Request<'_>, index: usize) -> Result<Text> {
    let given = request.arguments[index];
    Handed::new(request.context)
        .text(given)
        .ok_or_else(|| wrong_argument(request.env, "value", "a text", given))
}

fn set_item_raw(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    let given = request.arguments[2];
    let value = match env.type_of(given) {
        sys::ValueType::napi_string => strings::read_text(env, given).map(Value::Text),
        _ => reference::handle(env, given, &request.context.shared).map(Value::Js),
    };
    let value = value.ok_or_else(|| wrong_argument(env, "raw value", "a value", given))?;
    let options = request.options(3)?;
    let op = request.with_key(1, |key| {
        Ok(request
            .storage()?
            .set_item_raw(key, value, &options, request.mode))
    })??;
    request.finish(op, undefined)
}

/// A batch of writes on its way across the boundary in pieces.
type Writes = RefCell<Vec<Item<Change>>>;

/// `() => writes`
fn open_writes(request: &Request<'_>) -> Result<Val> {
    Ok(request.env.external(Writes::default()))
}

/// `(writes, keys, handed, options | undefined, commonOptions)`: adds items to a batch; `undefined`
/// removes.
fn add_writes(request: &Request<'_>) -> Result<Val> {
    let writes = request
        .env
        .unwrap_external::<Writes>(request.arguments[0])
        .ok_or_else(|| Error::new(Kind::InvalidArgument, "no batch of writes"))?;
    let mut handed = Handed::new(request.context);
    let items = written_items(request, |value| handed.text(value))?;
    writes.borrow_mut().extend(items);
    Ok(request.env.undefined())
}

/// `(writes)`: forgets a batch that is not to be stored. A collector does not know how large it is.
fn drop_writes(request: &Request<'_>) -> Result<Val> {
    let writes = request.env.unwrap_external::<Writes>(request.arguments[0]);
    drop(writes.map(RefCell::take));
    Ok(request.env.undefined())
}

/// `(handle, writes, commonOptions)`
fn set_items(request: &Request<'_>) -> Result<Val> {
    let writes = request
        .env
        .unwrap_external::<Writes>(request.arguments[1])
        .ok_or_else(|| Error::new(Kind::InvalidArgument, "no batch of writes"))?;
    let items = writes.take();
    let common = request.options(2)?;
    let op = request.storage()?.set_items(items, &common, request.mode);
    request.finish(op, undefined)
}

/// `(handle, keys, texts, options | undefined, commonOptions)`: the texts are as the driver is to have
/// them; one that is `undefined` removes.
fn write_texts(request: &Request<'_>) -> Result<Val> {
    let common = request.options(4)?;
    let items = written_items(request, |text| strings::read_text(request.env, text))?;
    let op = request.storage()?.set_items(items, &common, request.mode);
    request.finish(op, undefined)
}

/// The items of a batch: keys are the second argument, then values, then their own options and the
/// common ones.
fn written_items(
    request: &Request<'_>,
    mut read: impl FnMut(Val) -> Option<Text>,
) -> Result<Vec<Item<Change>>> {
    let env = request.env;
    let common = request.options(4)?;
    let count = env.length(request.arguments[1]);
    let mut items = Vec::with_capacity(count as usize);
    for index in 0..count {
        let options = item_options(request, 3, index, &common)?;
        let item = env.scope(|| {
            let key = with_key(env, env.element(request.arguments[1], index), str::to_owned)?;
            let text = env.element(request.arguments[2], index);
            // An environment that is ending gives no elements: they are not the same as `undefined`.
            let value = match read(text) {
                Some(text) => Change::Set(text),
                None if !text.is_null() && env.is_nullish(text) => Change::Remove,
                None => return Err(wrong_argument(env, "value", "a text", text)),
            };
            Ok(Item {
                key,
                value,
                options,
            })
        })?;
        items.push(item);
    }
    Ok(items)
}

/// `(handle, key, nativeOnly, options)`
fn get_meta(request: &Request<'_>) -> Result<Val> {
    let native_only = request.env.is_truthy(request.arguments[2]);
    let options = request.options(3)?;
    let op = request.with_key(1, |key| {
        Ok(request
            .storage()?
            .get_meta(key, native_only, &options, request.mode))
    })??;
    request.finish(op, meta)
}

fn set_meta(request: &Request<'_>) -> Result<Val> {
    let text = text_argument(request, 2, strings::read_packed)?;
    let options = request.options(3)?;
    let op = request.with_key(1, |key| {
        Ok(request
            .storage()?
            .set_meta(key, text, &options, request.mode))
    })??;
    request.finish(op, undefined)
}

/// `(handle, key, removeMeta, options)`
fn remove_item(request: &Request<'_>) -> Result<Val> {
    let and_meta = request.env.is_truthy(request.arguments[2]);
    let options = request.options(3)?;
    let op = request.with_key(1, |key| {
        Ok(request
            .storage()?
            .remove_item(key, and_meta, &options, request.mode))
    })??;
    request.finish(op, undefined)
}

fn remove_meta(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = request.with_key(1, |key| {
        Ok(request.storage()?.remove_meta(key, &options, request.mode))
    })??;
    request.finish(op, undefined)
}

fn get_keys(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let depth = match max_depth(request.context, request.arguments[2])? {
        MaxDepth::Any => None,
        MaxDepth::AtMost(depth) => Some(depth),
        MaxDepth::Nothing => return Ok(keys(request.context, Keys::new())),
    };
    let op = with_base(request.env, request.arguments[1], |base| {
        Ok(request
            .storage()?
            .get_keys(base, depth, &options, request.mode))
    })??;
    request.finish(op, keys)
}

fn clear(request: &Request<'_>) -> Result<Val> {
    let options = request.options(2)?;
    let op = with_base(request.env, request.arguments[1], |base| {
        Ok(request.storage()?.clear(base, &options, request.mode))
    })??;
    request.finish(op, undefined)
}

fn flush(request: &Request<'_>) -> Result<Val> {
    let op = with_base(request.env, request.arguments[1], |base| {
        Ok(request.storage()?.flush(base, request.mode))
    })??;
    request.finish(op, undefined)
}

/// `(driverHandle) => handle`
fn create_storage(request: &Request<'_>) -> Result<Val> {
    let root = request.handle()?.root();
    Ok(request
        .env
        .external(Handle::new(root, &NodeRuntime::of(request.context))))
}

/// `(handle, base, driverHandle)`
fn mount(request: &Request<'_>) -> Result<Val> {
    let driver = request
        .env
        .unwrap_external::<Handle>(request.arguments[2])
        .ok_or_else(|| Error::new(Kind::InvalidArgument, "no driver handle"))?
        .root();
    with_base(request.env, request.arguments[1], |base| {
        request.storage()?.mount(base, driver)
    })??;
    Ok(request.env.undefined())
}

/// `(handle, base, dispose)`
fn unmount(request: &Request<'_>) -> Result<Val> {
    let dispose = request.env.is_truthy(request.arguments[2]);
    let op = with_base(request.env, request.arguments[1], |base| {
        Ok(request.storage()?.unmount(base, dispose))
    })??;
    request.finish(op, undefined)
}

fn mount_of(request: &Request<'_>) -> Result<Val> {
    let base = with_base(request.env, request.arguments[1], |key| {
        Ok(request.storage()?.mount_of(key))
    })??;
    Ok(strings::string(request.env, &base))
}

/// `(handle, base, parents)`
fn mount_bases(request: &Request<'_>) -> Result<Val> {
    let parents = request.env.is_truthy(request.arguments[2]);
    let bases = with_base(request.env, request.arguments[1], |base| {
        Ok(request.storage()?.mount_bases(base, parents))
    })??;
    Ok(keys(request.context, bases.iter().collect()))
}

/// `(handle, emit)`, where `emit(event, key)` does not throw. Gives the number of the listener.
fn watch(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    request.storage()?;
    let handle = request.handle()?;
    let emit = Reference::weak(env, request.arguments[1], &request.context.shared)
        .ok_or_else(|| wrong_argument(env, "listener", "a function", request.arguments[1]))?;
    let emit = Rc::new(emit);
    let context = Rc::downgrade(request.context);
    let listener = {
        let emit = emit.clone();
        move |kind: eas_core::driver::EventKind, key: &str| {
            let (Some(_context), Some(emit)) = (context.upgrade(), emit.get()) else {
                return;
            };
            env.scope(|| {
                let arguments = [strings::string(env, kind.name()), strings::string(env, key)];
                if env.call(emit, &arguments).is_err() {
                    // Only an ending environment fails here: the facade's function does not throw.
                    env.take_exception();
                }
            });
        }
    };
    let shared = request.context.shared.clone();
    let owner = Reference::weak(env, request.arguments[0], &shared);
    handle.storage.keep_while_watched(Rc::new(move || {
        let strong = |weak: &Reference| {
            weak.get()
                .and_then(|value| Reference::new(env, value, &shared))
        };
        Box::new([owner.as_ref().and_then(strong), strong(&emit)])
    }));
    let op = handle.storage.watch(Rc::new(listener));
    #[expect(clippy::cast_precision_loss, reason = "listeners stay far below 2^53")]
    let number = |context: &Context, id: u64| context.env.number(id as f64);
    request.finish(op, number)
}

/// `(handle, listener)`
fn unwatch(request: &Request<'_>) -> Result<Val> {
    let id = request
        .env
        .as_number(request.arguments[1])
        .unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the facade gives back a number that `watch` gave"
    )]
    let op = request.handle()?.storage.unwatch(id as u64);
    request.finish(op, undefined)
}

fn dispose(request: &Request<'_>) -> Result<Val> {
    let op = request.handle()?.storage.dispose();
    request.finish(op, undefined)
}

fn note_corrupt(request: &Request<'_>) -> Result<Val> {
    if request.env.is_truthy(request.arguments[2]) {
        let driver = request.handle()?.root();
        request.with_key(1, |key| driver.note_corrupt(key))?;
    } else {
        let storage = request.storage()?;
        request.with_key(1, |key| storage.note_corrupt(key))?;
    }
    Ok(request.env.undefined())
}

/// `(handle, report)`: has the driver report the keys of items that expired, for as long as what it gives
/// lives.
fn on_expired(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    let report = Reference::new(env, request.arguments[1], &request.context.shared)
        .ok_or_else(|| wrong_argument(env, "listener", "a function", request.arguments[1]))?;
    let context = Rc::downgrade(request.context);
    let sink = move |event: eas_core::driver::Event| {
        let (Some(_context), Some(report)) = (context.upgrade(), report.get()) else {
            return;
        };
        env.scope(|| {
            if env
                .call(report, &[strings::string(env, &event.key)])
                .is_err()
            {
                // Nobody waits for an outcome.
                env.take_exception();
            }
        });
    };
    let subscription = request.handle()?.root().on_expired(Rc::new(sink));
    Ok(subscription.map_or_else(
        || env.undefined(),
        |subscription| env.external(subscription),
    ))
}

fn refuses_clear_of(request: &Request<'_>) -> Result<Val> {
    let storage = request.storage()?;
    let refuses = request.with_key(1, |key| storage.refuses_clear_of(key))?;
    Ok(request.env.boolean(refuses))
}

fn is_migration_open(request: &Request<'_>) -> Result<Val> {
    request.finish(request.storage()?.is_migration_open(), boolean)
}

fn begin_migration(request: &Request<'_>) -> Result<Val> {
    request.finish(request.storage()?.begin_migration(), undefined)
}

fn commit_migration(request: &Request<'_>) -> Result<Val> {
    request.finish(request.storage()?.commit_migration(), undefined)
}

fn begin_steps(request: &Request<'_>) -> Result<Val> {
    request.finish(request.storage()?.begin_steps(), undefined)
}

fn undo_steps(request: &Request<'_>) -> Result<Val> {
    request.finish(request.storage()?.undo_steps(), undefined)
}

fn end_migration(request: &Request<'_>) -> Result<Val> {
    let all = request.env.is_truthy(request.arguments[1]);
    request.finish(request.storage()?.end_migration(all), undefined)
}

/// `(name, options, handles) => driverHandle`
fn open_driver(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    let name = strings::read_lossy(env, request.arguments[0]).unwrap_or_default();
    let entry = eas_drivers::TABLE
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| {
            Error::new(
                Kind::InvalidArgument,
                format!("there is no driver {name:?}"),
            )
        })?;
    let runtime = NodeRuntime::of(request.context);
    let driver = driver_options(request.context, request.arguments[1], request.arguments[2])
        .and_then(|options| (entry.open)(&options, &runtime))
        .map_err(|error| error.driver(entry.name))?;
    Ok(env.external(Handle::new(driver, &runtime)))
}

/// `(driverHandle) => [maxDepth, ttl, readOnly, noClear, watches, atomic]`
fn describe_driver(request: &Request<'_>) -> Result<Val> {
    let env = request.env;
    let driver = request.handle()?.root();
    let info = driver.info();
    let read_only = match info.read_only {
        ReadOnly::Error => strings::string(env, "error"),
        _ => env.boolean(info.takes_nothing()),
    };
    Ok(env.array(
        [
            env.boolean(info.max_depth),
            env.boolean(info.ttl),
            read_only,
            env.boolean(info.no_clear),
            env.boolean(info.watches()),
            env.boolean(info.has(Call::Commit, Mode::Async)),
        ]
        .into_iter(),
    ))
}

/// `(driverHandle, base, options)`: the keys as the driver gives them, those of metadata too.
fn list_driver(request: &Request<'_>) -> Result<Val> {
    let base = with_base(
        request.env,
        request.arguments[1],
        eas_core::key::normalize_base,
    )?;
    let max_depth = match max_depth(request.context, request.arguments[2])? {
        MaxDepth::Any => None,
        MaxDepth::AtMost(depth) => Some(depth),
        MaxDepth::Nothing => return Ok(keys(request.context, Keys::new())),
    };
    let query = KeyQuery {
        base,
        max_depth,
        options: request.options(2)?,
    };
    let op = eas_core::fallbacks::get_keys(&request.handle()?.root(), &query, request.mode);
    request.finish(op, keys)
}

fn list_driver_sync(request: &Request<'_>) -> Result<Val> {
    list_driver(&Request {
        mode: Mode::Sync,
        ..*request
    })
}

/// `(invoke, name, [maxDepth, ttl, readOnly, noClear, clearsBase], capabilities, twins) => driverHandle`
pub(super) fn install_js_driver(context: &Rc<Context>, core: Val) {
    let env = context.env;
    let pending = Rc::new(Pending::default());

    let (held, calls) = (context.clone(), pending.clone());
    let js_driver = function(env, "jsDriver", move |env, arguments| {
        let name = strings::read_lossy(env, arguments[1]).unwrap_or_default();
        let trait_at = |index| env.element(arguments[2], index);
        let is = |index| env.is_truthy(trait_at(index));
        let read_only = match strings::read_lossy(env, trait_at(2)).as_deref() {
            Some("error") => ReadOnly::Error,
            _ if is(2) => ReadOnly::Silent,
            _ => ReadOnly::No,
        };
        let info = DriverInfo {
            capabilities: capabilities(env, arguments[3]),
            twins: twins(env, arguments[4]),
            max_depth: is(0),
            ttl: is(1),
            read_only,
            no_clear: is(3),
            clears_base: is(4),
            in_js: true,
            ..DriverInfo::named(name)
        };
        let driver = JsDriver::new(held.clone(), calls.clone(), arguments[0], info)?;
        Ok(env.external(Handle::new(Rc::new(driver), &NodeRuntime::of(&held))))
    });
    env.set(core, c"jsDriver", js_driver);

    let held = context.clone();
    let settle = function(env, "settle", move |env, arguments| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the facade gives back a call number that it was given"
        )]
        let call_number = env.as_number(arguments[0]).unwrap_or_default() as u64;
        let is_failure = env.is_truthy(arguments[1]);
        let value = arguments[2];
        let shared = Arc::clone(&held.shared);
        held.drain_after(|| {
            pending.settle(call_number, settlement(&held, &shared, is_failure, value))
        });
        Ok(env.undefined())
    });
    env.set(core, c"settle", settle);
}

/// The calls whose forms are twins: an array of booleans in the order of [`Call::ALL`].
fn twins(env: Env, list: Val) -> Capabilities {
    let calls = (0u32..).zip(Call::ALL);
    calls
        .filter(|(index, _)| env.is_truthy(env.element(list, *index)))
        .fold(Capabilities::NONE, |found, (_, call)| {
            found.with(call, Mode::Sync)
        })
}

/// Capabilities from the facade: an array of `[methodIsThere, syncMethodIsThere]` in the order of
/// [`Call::ALL`], flattened.
fn capabilities(env: Env, list: Val) -> Capabilities {
    let mut found = Capabilities::NONE;
    for (index, call) in (0u32..).zip(Call::ALL) {
        for (offset, mode) in [(0, Mode::Async), (1, Mode::Sync)] {
            if env.is_truthy(env.element(list, index * 2 + offset)) {
                found = found.with(call, mode);
            }
        }
    }
    found
}
