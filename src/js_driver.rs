//! Drivers that their users write in JavaScript.
//!
//! The facade gives one function for a driver: it calls the method that a number names and, where
//! the method gave a Promise, returns itself and reports the Promise's end under the number of its call. The function is held weakly: a
//! driver may refer to the storage that it serves. The storage's own closures keep it alive, and
//! it is pinned while an operation or a watch needs it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::context::Context;
use super::env::{Env, Val};
use super::error::caught;
use super::function::{Arguments, function};
use super::reference::{self, Reference};
use super::strings;
use super::values;
use eas_core::condition::{Check, Etag, Expected, named_by_bytes, named_by_text};
use eas_core::driver::{
    Call, Driver, DriverInfo, Event, EventKind, EventSink, Item, KeyFilter, KeyQuery, Meta, Mode,
    Op, Options, Unwatch,
};
use eas_core::error::{Error, Kind, Result};
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::keys::Keys;
use eas_core::store::Store;
use eas_core::value::{JsHandle, Text, Value};

/// The number that stands for [`Driver::note_corrupt`], which is no method of a driver: it is for the
/// built-in driver whose methods the object has.
const NOTE_CORRUPT: f64 = 15.0;

/// As [`NOTE_CORRUPT`], for [`Driver::refuses_clear_of`].
const REFUSES_CLEAR_OF: f64 = 31.0;

/// As [`NOTE_CORRUPT`], for [`Driver::on_expired`].
const ON_EXPIRED: f64 = 32.0;

/// What is done with the outcome of a call.
type Waiting = Box<dyn FnOnce(Result<Val>)>;

/// Calls whose Promise has not settled, by call number. A number is never used again: a late settlement
/// must not reach another call.
#[derive(Default)]
pub(super) struct Pending {
    last_call_number: Cell<u64>,
    waiting: RefCell<FxHashMap<u64, Waiting>>,
}

impl Pending {
    fn next_call_number(&self) -> u64 {
        let call_number = self.last_call_number.get() + 1;
        self.last_call_number.set(call_number);
        call_number
    }

    /// Settles a call; what settles twice, or after its context ended, is ignored.
    pub(super) fn settle(&self, call_number: u64, outcome: Result<Val>) {
        let waiting = self.waiting.borrow_mut().remove(&call_number);
        if let Some(waiting) = waiting {
            waiting(outcome);
        }
    }
}

/// A driver of JavaScript.
pub(super) struct JsDriver {
    context: Rc<Context>,
    pending: Rc<Pending>,
    invoke: Rc<Reference>,
    info: DriverInfo,
}

/// Keeps the driver alive while something needs it.
struct Pin(Rc<Reference>);

impl Pin {
    fn new(reference: &Rc<Reference>) -> Self {
        reference.pin();
        Pin(reference.clone())
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.unpin();
    }
}

/// How the answer of a driver is read.
type Read<T> = fn(&Context, Val) -> Result<T>;

impl JsDriver {
    pub(super) fn new(
        context: Rc<Context>,
        pending: Rc<Pending>,
        invoke: Val,
        info: DriverInfo,
    ) -> Result<Self> {
        let reference = Reference::weak(context.env, invoke, &context.shared)
            .ok_or_else(|| Error::new(Kind::InvalidArgument, "a driver must be an object"))?;
        Ok(JsDriver {
            context,
            pending,
            invoke: Rc::new(reference),
            info,
        })
    }

    /// Asks for a group whose checks name what is stored. Of items that do not read as a value the etags are
    /// given too: a storage that is mounted compares those, since what it stores is no value to it.
    fn commit_stored(
        &self,
        group: &Group,
        unread: &FxHashMap<String, Etag>,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Committed> {
        let arguments = |env: Env| {
            let checks = group.checks.iter().map(|check| {
                let step = named_step(env, "check", &check.key);
                let value = match &check.expected {
                    Expected::Stored(value) => values::value(env, Some(value)),
                    Expected::Missing | Expected::Etag(_) => env.null(),
                };
                env.set(step, c"value", value);
                if let Some(etag) = unread.get(&check.key) {
                    env.set(step, c"etag", strings::string(env, etag.as_str()));
                }
                step
            });
            let writes = group.writes.iter().map(|write| match write {
                GroupWrite::Set {
                    key,
                    value,
                    options,
                    ..
                } => {
                    let step = named_step(env, "set", key);
                    env.set(step, c"value", values::value(env, Some(value)));
                    env.set(step, c"options", options_or_none(env, options));
                    step
                }
                GroupWrite::Remove { key, options } => {
                    let step = named_step(env, "remove", key);
                    env.set(step, c"options", options_or_none(env, options));
                    step
                }
            });
            let steps: Vec<Val> = checks.chain(writes).collect();
            [
                env.array(steps.into_iter()),
                env.undefined(),
                env.undefined(),
            ]
        };
        self.call(Call::Commit, mode, "", arguments, read_committed)
            .map_result(move |committed| committed.map_err(|error| error.operation(operation)))
    }

    fn place(&self, error: Error, call: Call, mode: Mode, key: &str) -> Error {
        let error = error.driver(&self.info.name).operation(call.name(mode));
        if key.is_empty() {
            error
        } else {
            error.key(key)
        }
    }

    fn call<T: 'static>(
        &self,
        call: Call,
        mode: Mode,
        key: &str,
        arguments: impl FnOnce(Env) -> [Val; 3],
        read: Read<T>,
    ) -> Op<T> {
        let env = self.context.env;
        let Some(invoke) = self.invoke.get() else {
            return Op::fail(self.place(
                Error::new(Kind::Disposed, "the driver is gone"),
                call,
                mode,
                key,
            ));
        };
        let call_number = self.pending.next_call_number();
        let number = f64::from(call as u32 + if mode == Mode::Sync { 16 } else { 0 });
        let [first, second, third] = arguments(env);
        #[expect(
            clippy::cast_precision_loss,
            reason = "call numbers stay far below 2^53"
        )]
        let call_value = env.number(call_number as f64);
        let called = env.call(
            invoke,
            &[env.number(number), call_value, first, second, third],
        );
        let Ok(answer) = called else {
            return Op::fail(caught(env, &self.context.shared));
        };
        // The function itself, which a driver never gets hold of, says that the method gave a
        // Promise.
        if !env.is_same(answer, invoke) {
            return Op::ready(
                read(&self.context, answer).map_err(|error| self.place(error, call, mode, key)),
            );
        }
        if mode == Mode::Sync {
            let method = call.name(mode);
            let error = Error::new(
                Kind::SyncUnsupported,
                format!(
                    "the method `{method}` gave a Promise; a Sync method must give the value itself"
                ),
            );
            return Op::fail(self.place(error, call, mode, key));
        }
        let (answer, outcome) = oneshot::channel();
        let context = Rc::downgrade(&self.context);
        self.pending.waiting.borrow_mut().insert(
            call_number,
            Box::new(move |settled| {
                let Some(context) = context.upgrade() else {
                    return;
                };
                // Nobody listens to a call whose operation was given up.
                let _ = answer.send(settled.and_then(|value| read(&context, value)));
            }),
        );
        let pin = Pin::new(&self.invoke);
        let name = self.info.name.clone();
        let operation = call.name(mode);
        Op::later(async move {
            let outcome = outcome.await;
            drop(pin);
            outcome
                .unwrap_or_else(|_| Err(Error::new(Kind::Disposed, "the context is ending")))
                .map_err(|error| error.driver(&name).operation(operation))
        })
    }
}

/// The options as a driver gets them: the object of the caller as it is, or a copy where another time to
/// live is left than was given.
fn options_value(env: Env, options: &Options) -> Val {
    let given = options
        .handle
        .as_ref()
        .map(|handle| reference::value_of(env, handle));
    let Some(ttl_ms) = options.ttl_ms else {
        return given.unwrap_or_else(|| env.undefined());
    };
    if let Some(given) = given
        && super::options::has_ttl(env, given, ttl_ms)
    {
        return given;
    }
    let copy = env.object();
    if let Some(given) = given {
        env.copy_properties(given, copy);
    }
    #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
    env.set(copy, c"ttl", env.number(ttl_ms as f64));
    copy
}

/// As [`options_value`], an empty object where there are none.
fn options_or_none(env: Env, options: &Options) -> Val {
    let value = options_value(env, options);
    if env.is_nullish(value) {
        env.object()
    } else {
        value
    }
}

/// A step of a group as a driver gets it.
fn named_step(env: Env, kind: &str, key: &str) -> Val {
    let step = env.object();
    env.set(step, c"type", strings::string(env, kind));
    env.set(step, c"key", strings::string(env, key));
    step
}

fn read_committed(context: &Context, answer: Val) -> Result<Committed> {
    let env = context.env;
    let expected = "{ ok: true } or { ok: false, conflicts: [key…] }";
    if !env.is_object(answer) {
        return Err(wrong_answer(env, expected, answer));
    }
    let is_done = thrown(context, env.try_get(answer, c"ok"))?;
    if env.is_truthy(is_done) {
        return Ok(Committed::Done);
    }
    let conflicts = thrown(context, env.try_get(answer, c"conflicts"))?;
    if !env.is_array(conflicts) {
        return Err(wrong_answer(env, expected, answer));
    }
    let keys = read_keys(context, conflicts)?;
    Ok(Committed::Conflicts(
        keys.iter().map(str::to_owned).collect(),
    ))
}

fn read_nothing(_context: &Context, _answer: Val) -> Result<()> {
    Ok(())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of the ways to read an answer"
)]
fn read_truth(context: &Context, answer: Val) -> Result<bool> {
    Ok(context.env.is_truthy(answer))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of the ways to read an answer"
)]
fn read_value(context: &Context, answer: Val) -> Result<Option<Value>> {
    let env = context.env;
    Ok(match env.type_of(answer) {
        sys::ValueType::napi_undefined | sys::ValueType::napi_null => None,
        sys::ValueType::napi_string => strings::read_text(env, answer).map(Value::Text),
        _ => reference::handle(env, answer, &context.shared).map(Value::Js),
    })
}

/// What a getter of an answer threw is what the driver threw.
fn thrown<T>(context: &Context, got: Result<T, ()>) -> Result<T> {
    got.map_err(|()| caught(context.env, &context.shared))
}

fn read_keys(context: &Context, answer: Val) -> Result<Keys> {
    let env = context.env;
    if !env.is_array(answer) {
        return Err(wrong_answer(env, "an array of keys", answer));
    }
    (0..env.length(answer))
        .map(|index| {
            env.scope(|| {
                let key = thrown(context, env.try_element(answer, index))?;
                strings::read_lossy(env, key)
                    .ok_or_else(|| wrong_answer(env, "an array of string keys", key))
            })
        })
        .collect()
}

fn read_items(context: &Context, answer: Val) -> Result<Vec<(String, Option<Value>)>> {
    let env = context.env;
    let expected = "an array of { key, value }";
    if !env.is_array(answer) {
        return Err(wrong_answer(env, expected, answer));
    }
    (0..env.length(answer))
        .map(|index| {
            env.scope(|| {
                let item = thrown(context, env.try_element(answer, index))?;
                if !env.is_object(item) {
                    return Err(wrong_answer(env, expected, item));
                }
                let key = thrown(context, env.try_get(item, c"key"))?;
                let key = strings::read_lossy(env, key)
                    .ok_or_else(|| wrong_answer(env, expected, item))?;
                let value = thrown(context, env.try_get(item, c"value"))?;
                Ok((key, read_value(context, value)?))
            })
        })
        .collect()
}

fn read_meta(context: &Context, answer: Val) -> Result<Option<Meta>> {
    let env = context.env;
    if env.is_nullish(answer) {
        return Ok(None);
    }
    if !env.is_object(answer) {
        return Err(wrong_answer(env, "an object or null", answer));
    }
    let ttl = thrown(context, env.try_get_own(answer, c"ttl"))?;
    let ttl_ms = env
        .as_number(ttl)
        .filter(|ttl| *ttl > 0.0 && ttl.is_finite())
        .map(|ttl| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the cast saturates, and the number is above 0"
            )]
            let whole = ttl.ceil() as u64;
            whole
        });
    Ok(reference::handle(env, answer, &context.shared).map(|handle| Meta::Js { handle, ttl_ms }))
}

fn wrong_answer(env: Env, expected: &str, given: Val) -> Error {
    Error::new(
        Kind::DriverResult,
        format!(
            "the driver gave {} where {expected} is expected",
            super::error::describe(env, given)
        ),
    )
}

fn item_value(env: Env, key: &str, value: Option<Val>, options: &Options) -> Val {
    let item = env.object();
    env.set(item, c"key", strings::string(env, key));
    if let Some(value) = value {
        env.set(item, c"value", value);
    }
    env.set(item, c"options", options_value(env, options));
    item
}

impl Driver for JsDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    fn has_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<bool> {
        let arguments = |env| {
            [
                strings::string(env, key),
                options_value(env, options),
                env.undefined(),
            ]
        };
        self.call(Call::HasItem, mode, key, arguments, read_truth)
    }

    fn get_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        let arguments = |env| {
            [
                strings::string(env, key),
                options_value(env, options),
                env.undefined(),
            ]
        };
        self.call(Call::GetItem, mode, key, arguments, read_value)
    }

    fn get_items(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        let arguments = |env: Env| {
            let list = env.array(
                items
                    .iter()
                    .map(|item| item_value(env, &item.key, None, &item.options)),
            );
            [list, options_value(env, common), env.undefined()]
        };
        let found = self.call(Call::GetItems, mode, "", arguments, read_items);
        found.map(move |found| {
            // Drivers may answer in an order of their own and leave missing items out.
            let mut by_key: FxHashMap<String, Option<Value>> = found.into_iter().collect();
            let mut asked: FxHashMap<&str, usize> = FxHashMap::default();
            for item in &items {
                *asked.entry(&item.key).or_default() += 1;
            }
            items
                .iter()
                .map(|item| {
                    let left = asked.entry(&item.key).or_default();
                    *left -= 1;
                    if *left == 0 {
                        by_key.remove(&item.key).flatten()
                    } else {
                        by_key.get(&item.key).cloned().flatten()
                    }
                })
                .collect()
        })
    }

    fn get_item_raw(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        let arguments = |env| {
            [
                strings::string(env, key),
                options_value(env, options),
                env.undefined(),
            ]
        };
        self.call(Call::GetItemRaw, mode, key, arguments, read_value)
    }

    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        let arguments = |env: Env| {
            [
                strings::string(env, &query.base),
                options_value(env, &query.options),
                env.undefined(),
            ]
        };
        self.call(Call::GetKeys, mode, &query.base, arguments, read_keys)
    }

    fn get_meta(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Meta>> {
        let arguments = |env| {
            [
                strings::string(env, key),
                options_value(env, options),
                env.undefined(),
            ]
        };
        self.call(Call::GetMeta, mode, key, arguments, read_meta)
    }

    fn set_item(self: Rc<Self>, key: &str, value: Text, options: &Options, mode: Mode) -> Op<()> {
        if self.info.read_only.is_read_only() {
            return Op::ok(());
        }
        let arguments = |env| {
            [
                strings::string(env, key),
                strings::text(env, &value),
                options_value(env, options),
            ]
        };
        self.call(Call::SetItem, mode, key, arguments, read_nothing)
    }

    fn set_items(self: Rc<Self>, items: Vec<Item<Text>>, common: &Options, mode: Mode) -> Op<()> {
        if self.info.read_only.is_read_only() {
            return Op::ok(());
        }
        let arguments = |env: Env| {
            let list = env.array(items.iter().map(|item| {
                let value = strings::text(env, &item.value);
                item_value(env, &item.key, Some(value), &item.options)
            }));
            [list, options_value(env, common), env.undefined()]
        };
        self.call(Call::SetItems, mode, "", arguments, read_nothing)
    }

    fn set_item_raw(
        self: Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        if self.info.read_only.is_read_only() {
            return Op::ok(());
        }
        let arguments = |env| {
            [
                strings::string(env, key),
                values::value(env, Some(&value)),
                options_value(env, options),
            ]
        };
        self.call(Call::SetItemRaw, mode, key, arguments, read_nothing)
    }

    fn remove_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<()> {
        if self.info.read_only.is_read_only() {
            return Op::ok(());
        }
        let arguments = |env| {
            [
                strings::string(env, key),
                options_value(env, options),
                env.undefined(),
            ]
        };
        self.call(Call::RemoveItem, mode, key, arguments, read_nothing)
    }

    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        let arguments = |env| {
            [
                strings::string(env, base),
                options_value(env, options),
                env.undefined(),
            ]
        };
        self.call(Call::Clear, mode, base, arguments, read_nothing)
    }

    fn commit(self: Rc<Self>, group: Group, operation: &'static str, mode: Mode) -> Op<Committed> {
        let is_etag = |check: &Check| matches!(check.expected, Expected::Etag(_));
        if !group.checks.iter().any(is_etag) {
            return self.commit_stored(&group, &FxHashMap::default(), operation, mode);
        }
        // The driver compares what is stored: an etag stands for what it is the etag of.
        Op::later(async move {
            let mut checks = SmallVec::with_capacity(group.checks.len());
            let mut unread = FxHashMap::default();
            let mut conflicts = Vec::new();
            for check in group.checks {
                if matches!(check.expected, Expected::Stored(_)) {
                    checks.push(check);
                    continue;
                }
                let options = Options::default();
                let encode = |handle: &JsHandle| self.context.encode(handle);
                let mut stored = self.clone().get_item(&check.key, &options, mode).await?;
                let mut named = stored.clone().map(|given| named_by_text(given, encode));
                if let Expected::Etag(etag) = &check.expected
                    && stored.is_none()
                    && self.info.has(Call::GetItemRaw, mode)
                {
                    stored = self
                        .clone()
                        .get_item_raw(&check.key, &options, mode)
                        .await?;
                    named = stored.clone().map(|stored| named_by_bytes(stored, encode));
                    unread.insert(check.key.clone(), etag.clone());
                }
                if check.expected.fits(named.as_ref()) {
                    let expected = stored.map_or(Expected::Missing, Expected::Stored);
                    checks.push(Check { expected, ..check });
                } else if !conflicts.contains(&check.key) {
                    conflicts.push(check.key);
                }
            }
            if !conflicts.is_empty() {
                return Ok(Committed::Conflicts(conflicts));
            }
            let group = Group { checks, ..group };
            self.commit_stored(&group, &unread, operation, mode).await
        })
    }

    fn watch(self: Rc<Self>, sink: EventSink) -> Op<Box<dyn Unwatch>> {
        let report = move |env: Env, arguments: &Arguments| {
            let kind = strings::read_lossy(env, arguments[0]);
            let key = strings::read_lossy(env, arguments[1]);
            let kind = match kind.as_deref() {
                Some("update") => EventKind::Update,
                Some("remove") => EventKind::Remove,
                _ => {
                    let message = "a driver reports \"update\" or \"remove\" and a key";
                    return Err(Error::new(Kind::DriverResult, message));
                }
            };
            if let Some(key) = key {
                sink(Event { kind, key });
            }
            Ok(env.undefined())
        };
        let arguments = |env: Env| {
            [
                function(env, "onChange", report),
                env.undefined(),
                env.undefined(),
            ]
        };
        let pin = Pin::new(&self.invoke);
        let started = self.call(
            Call::Watch,
            Mode::Async,
            "",
            arguments,
            |context, answer| {
                let is_function = context.env.type_of(answer) == sys::ValueType::napi_function;
                Ok(is_function
                    .then(|| Reference::new(context.env, answer, &context.shared))
                    .flatten())
            },
        );
        started.map(move |stop| {
            let stop = RefCell::new(Some((stop, pin)));
            Box::new(JsWatch { driver: self, stop }) as Box<dyn Unwatch>
        })
    }

    fn flush(self: Rc<Self>, mode: Mode) -> Op<()> {
        self.call(
            Call::Flush,
            mode,
            "",
            |env| [env.undefined(); 3],
            read_nothing,
        )
    }

    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()> {
        self.call(
            Call::Dispose,
            mode,
            "",
            |env| [env.undefined(); 3],
            read_nothing,
        )
    }

    fn clear_filtered(self: Rc<Self>, base: &str, mode: Mode, _filter: KeyFilter) -> Op<Keys> {
        let error = Error::new(Kind::DriverResult, "the driver keeps no place for a clear");
        Op::fail(self.place(error, Call::Clear, mode, base))
    }

    fn lock(self: Rc<Self>) -> Op<Option<Box<dyn Any>>> {
        Op::ok(None)
    }

    fn on_expired(&self, sink: EventSink) -> Option<Box<dyn Any>> {
        if !self.info.ttl {
            return None;
        }
        let env = self.context.env;
        let invoke = self.invoke.get()?;
        let is_wanted = Rc::new(Cell::new(true));
        let is_heard = is_wanted.clone();
        let report = function(env, "onExpired", move |env, arguments| {
            if let Some(key) = strings::read_lossy(env, arguments[0])
                && is_heard.get()
            {
                let kind = EventKind::Remove;
                sink(Event { kind, key });
            }
            Ok(env.undefined())
        });
        let arguments = [env.number(ON_EXPIRED), env.undefined(), report];
        let Ok(subscription) = env.call(invoke, &arguments) else {
            env.take_exception();
            return None;
        };
        if env.is_nullish(subscription) {
            return None;
        }
        let subscription = Reference::new(env, subscription, &self.context.shared)?;
        Some(Box::new(Expiries {
            is_wanted,
            _subscription: subscription,
        }))
    }

    fn refuses_clear_of(&self, key: &str) -> bool {
        // Only a storage, which clears a base by itself, has parts that differ.
        if !self.info.clears_base {
            return false;
        }
        let env = self.context.env;
        let Some(invoke) = self.invoke.get() else {
            return false;
        };
        let arguments = [
            env.number(REFUSES_CLEAR_OF),
            env.undefined(),
            strings::string(env, key),
        ];
        match env.call(invoke, &arguments) {
            Ok(refuses) => env.is_truthy(refuses),
            Err(_) => {
                env.take_exception();
                false
            }
        }
    }

    fn note_corrupt(&self, key: &str) {
        let env = self.context.env;
        let Some(invoke) = self.invoke.get() else {
            return;
        };
        let arguments = [
            env.number(NOTE_CORRUPT),
            env.undefined(),
            strings::string(env, key),
        ];
        if env.call(invoke, &arguments).is_err() {
            // Nobody waits for an outcome.
            env.take_exception();
        }
    }

    fn note_expiry(&self, _expires_ms: u64) {}

    fn hold(&self) -> Box<dyn Any> {
        Box::new(Pin::new(&self.invoke))
    }

    fn shared_store(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Reports what expires while it lives. The subscription of the built-in driver ends when its External is
/// collected, which may be later.
struct Expiries {
    is_wanted: Rc<Cell<bool>>,
    _subscription: Reference,
}

impl Drop for Expiries {
    fn drop(&mut self) {
        self.is_wanted.set(false);
    }
}

struct JsWatch {
    driver: Rc<JsDriver>,
    stop: RefCell<Option<(Option<Reference>, Pin)>>,
}

impl Unwatch for JsWatch {
    fn stop(&self, _mode: Mode) -> Op<()> {
        let taken = self.stop.borrow_mut().take();
        let Some((Some(stop), pin)) = taken else {
            return Op::ok(());
        };
        let Some(stop) = stop.get() else {
            return Op::ok(());
        };
        // The facade calls the function and awaits what it gives, under the number of `watch`.
        let stopped = self.driver.call(
            Call::Watch,
            Mode::Async,
            "",
            move |env| [env.undefined(), stop, env.undefined()],
            read_nothing,
        );
        stopped.map_result(move |outcome| {
            drop(pin);
            outcome
        })
    }
}

/// The outcome that the facade reports for a call.
pub(super) fn settlement(
    context: &Context,
    shared: &Arc<super::shared::Shared>,
    is_failure: bool,
    value: Val,
) -> Result<Val> {
    if !is_failure {
        return Ok(value);
    }
    Err(super::error::thrown(context.env, value, shared))
}
