//! The interface between the storage core and what keeps the items.
//!
//! A [`Driver`] is called on the JS thread only. Its operations take a [`Mode`] and return an
//! [`Op`]: in [`Mode::Sync`] the answer must be ready at once, in [`Mode::Async`] it may come
//! later. Wrappers are drivers that hold an `Rc<dyn Driver>` and are written once, as async code.
//!
//! Stores that are plain blocking code (files, memory) implement
//! [`Store`](crate::store::Store) instead, which is made a driver by
//! `Offloaded` of the store crate.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::error::Result;
use crate::group::{Committed, Group};
use crate::keys::Keys;
use crate::store::Store;
use crate::value::{JsHandle, Text, Value};

pub use crate::item::{Event, EventKind, NativeMeta, Options};

/// Whether the caller can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The answer must be ready when the call returns.
    Sync,
    /// The answer may come later.
    Async,
}

/// A future of the JS thread.
pub type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// The outcome of an operation: ready at once, or to be awaited. A ready one costs no allocation.
pub enum Op<T> {
    /// The outcome; taken by the first poll.
    Ready(Option<Result<T>>),
    /// The outcome comes when this completes.
    Pending(LocalFuture<Result<T>>),
}

impl<T> Op<T> {
    /// A success that is ready.
    pub fn ok(value: T) -> Self {
        Op::Ready(Some(Ok(value)))
    }

    /// An outcome that is ready.
    pub fn ready(outcome: Result<T>) -> Self {
        Op::Ready(Some(outcome))
    }

    /// A failure that is ready.
    pub fn fail(error: crate::error::Error) -> Self {
        Op::Ready(Some(Err(error)))
    }

    /// An outcome to be awaited.
    pub fn later(future: impl Future<Output = Result<T>> + 'static) -> Self {
        Op::Pending(Box::pin(future))
    }
}

impl<T: 'static> Op<T> {
    /// Applies `then` to the outcome, now or when it comes.
    pub fn map_result<U: 'static>(
        self,
        then: impl FnOnce(Result<T>) -> Result<U> + 'static,
    ) -> Op<U> {
        match self {
            Op::Ready(outcome) => Op::ready(then(outcome.expect("an operation is taken once"))),
            Op::Pending(future) => Op::later(async move { then(future.await) }),
        }
    }

    /// Applies `then` to a success.
    pub fn map<U: 'static>(self, then: impl FnOnce(T) -> U + 'static) -> Op<U> {
        self.map_result(|outcome| outcome.map(then))
    }
}

impl<T> Unpin for Op<T> {}

impl<T> Future for Op<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Op::Ready(outcome) => Poll::Ready(outcome.take().expect("an operation is taken once")),
            Op::Pending(future) => future.as_mut().poll(cx),
        }
    }
}

/// The calls of a driver, for asking which ones it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the driver method of the same name")]
pub enum Call {
    HasItem,
    GetItem,
    GetItems,
    GetItemRaw,
    GetKeys,
    GetMeta,
    SetItem,
    SetItems,
    SetItemRaw,
    RemoveItem,
    Clear,
    Watch,
    Flush,
    Dispose,
    Commit,
}

impl Call {
    /// Every call, in the order of their bits in [`Capabilities`].
    pub const ALL: [Call; 15] = [
        Call::HasItem,
        Call::GetItem,
        Call::GetItems,
        Call::GetItemRaw,
        Call::GetKeys,
        Call::GetMeta,
        Call::SetItem,
        Call::SetItems,
        Call::SetItemRaw,
        Call::RemoveItem,
        Call::Clear,
        Call::Watch,
        Call::Flush,
        Call::Dispose,
        Call::Commit,
    ];

    /// The name of the method that JavaScript sees in this mode.
    pub fn name(self, mode: Mode) -> &'static str {
        let (plain, sync) = match self {
            Call::HasItem => ("hasItem", "hasItemSync"),
            Call::GetItem => ("getItem", "getItemSync"),
            Call::GetItems => ("getItems", "getItemsSync"),
            Call::GetItemRaw => ("getItemRaw", "getItemRawSync"),
            Call::GetKeys => ("getKeys", "getKeysSync"),
            Call::GetMeta => ("getMeta", "getMetaSync"),
            Call::SetItem => ("setItem", "setItemSync"),
            Call::SetItems => ("setItems", "setItemsSync"),
            Call::SetItemRaw => ("setItemRaw", "setItemRawSync"),
            Call::RemoveItem => ("removeItem", "removeItemSync"),
            Call::Clear => ("clear", "clearSync"),
            Call::Watch => ("watch", "watchSync"),
            Call::Flush => ("flush", "flushSync"),
            Call::Dispose => ("dispose", "disposeSync"),
            Call::Commit => ("commit", "commitSync"),
        };
        match mode {
            Mode::Async => plain,
            Mode::Sync => sync,
        }
    }
}

/// The set of calls that a driver has, in each mode.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(u32);

impl Capabilities {
    /// Every call in both modes.
    pub const ALL: Capabilities = Capabilities(u32::MAX);
    /// No call at all.
    pub const NONE: Capabilities = Capabilities(0);

    fn bit(call: Call, mode: Mode) -> u32 {
        1 << (call as u32 + if mode == Mode::Sync { 16 } else { 0 })
    }

    /// The set with that call added.
    #[must_use]
    pub fn with(self, call: Call, mode: Mode) -> Self {
        Capabilities(self.0 | Self::bit(call, mode))
    }

    /// The set with that call taken out, in both modes.
    #[must_use]
    pub fn without(self, call: Call) -> Self {
        Capabilities(self.0 & !Self::bit(call, Mode::Sync) & !Self::bit(call, Mode::Async))
    }

    /// The set with that call taken out, in one mode.
    #[must_use]
    pub fn without_mode(self, call: Call, mode: Mode) -> Self {
        Capabilities(self.0 & !Self::bit(call, mode))
    }

    /// Whether the driver has that call.
    pub fn has(self, call: Call, mode: Mode) -> bool {
        self.0 & Self::bit(call, mode) != 0
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [Mode::Async, Mode::Sync].into_iter().flat_map(|mode| {
            Call::ALL
                .into_iter()
                .filter(move |call| self.has(*call, mode))
                .map(move |call| call.name(mode))
        });
        f.debug_set().entries(names).finish()
    }
}

/// What a driver makes of writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReadOnly {
    /// It makes them.
    #[default]
    No,
    /// They do nothing.
    Silent,
    /// They are the error [`Kind::ReadOnly`](crate::error::Kind::ReadOnly).
    Error,
}

impl ReadOnly {
    /// Whether writes are not made.
    pub fn is_read_only(self) -> bool {
        self != ReadOnly::No
    }
}

/// What a driver is, as data: callers ask for it instead of trying, and a wrapper passes on what it
/// does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverInfo {
    /// The name for messages.
    pub name: Cow<'static, str>,
    /// Which calls the driver has.
    pub capabilities: Capabilities,
    /// The calls whose Sync form does what the async one does, and may stand in for it. The two
    /// differ where a program replaced one of them.
    pub twins: Capabilities,
    /// Listings leave out keys deeper than asked for.
    pub max_depth: bool,
    /// Items with a time to live disappear when it is over.
    pub ttl: bool,
    /// What becomes of writes.
    pub read_only: ReadOnly,
    /// Whether a clear does nothing.
    pub no_clear: bool,
    /// Whether a clear keeps to its base. Where it does not, one with a base is never asked for.
    pub clears_base: bool,
    /// Whether listings leave out keys that the JS thread alone can recognize, so that a clear has
    /// to list first.
    pub filters_clear: bool,
    /// Whether the driver is written in JavaScript: timers and the clock are those of the program
    /// then, which its tests may replace.
    pub in_js: bool,
    /// Whether raw reads give values as they were given, text as text.
    pub keeps_values: bool,
    /// Whether the driver keeps the order of all that is asked of it: a clear has its place in it
    /// while it asks which keys to remove ([`clear_filtered`](Driver::clear_filtered) is called then)
    /// and leaves what the package keeps for itself, and a flush waits for everything before it.
    pub ordered: bool,
}

impl DriverInfo {
    /// A driver that has every call but `watch` and `commit` and changes with each write, and nothing
    /// else.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        DriverInfo {
            name: name.into(),
            capabilities: Capabilities::ALL.without(Call::Watch).without(Call::Commit),
            twins: Capabilities::ALL,
            max_depth: false,
            ttl: false,
            read_only: ReadOnly::No,
            no_clear: false,
            clears_base: false,
            filters_clear: false,
            in_js: false,
            keeps_values: false,
            ordered: false,
        }
    }

    /// Whether the driver has that call.
    #[inline]
    pub fn has(&self, call: Call, mode: Mode) -> bool {
        self.capabilities.has(call, mode)
    }

    /// Whether the Sync form of a call may stand in for the async one.
    pub fn are_twins(&self, call: Call) -> bool {
        self.twins.has(call, Mode::Sync)
    }

    /// Whether the driver reports changes itself.
    pub fn watches(&self) -> bool {
        self.has(Call::Watch, Mode::Async)
    }

    /// Whether a write of that kind in that mode changes something: a raw one and one of several
    /// may be made as one of a single text.
    pub fn writes(&self, call: Call, mode: Mode) -> bool {
        let falls_back = matches!(call, Call::SetItems | Call::SetItemRaw);
        !self.read_only.is_read_only()
            && (self.has(call, mode) || (falls_back && self.has(Call::SetItem, mode)))
    }

    /// Whether a clear in that mode removes something.
    pub fn clears(&self, mode: Mode) -> bool {
        !self.no_clear && (self.writes(Call::Clear, mode) || self.writes(Call::RemoveItem, mode))
    }

    /// Whether neither writes nor removals are taken, by async calls at least.
    pub fn takes_nothing(&self) -> bool {
        self.is_read_only() && !self.writes(Call::RemoveItem, Mode::Async)
    }

    /// Whether no item is ever written, by an async call at least.
    pub fn is_read_only(&self) -> bool {
        !self.writes(Call::SetItem, Mode::Async)
    }
}

/// One item of a batch.
#[derive(Clone)]
pub struct Item<V> {
    /// The key, relative to the driver.
    pub key: String,
    /// What is written; `()` where the batch reads.
    pub value: V,
    /// The options of this item.
    pub options: Options,
}

/// Which keys a listing asks for.
#[derive(Clone, Default)]
pub struct KeyQuery {
    /// Only keys that begin with this base, which is empty or ends in `:`.
    pub base: String,
    /// Only keys of at most this depth, counted from the driver's root.
    pub max_depth: Option<usize>,
    /// The options of the call.
    pub options: Options,
}

/// Metadata of an item.
#[derive(Clone)]
pub enum Meta {
    /// What a native driver knows.
    Native(NativeMeta),
    /// What a driver of the JS runtime gave.
    Js {
        /// The object itself.
        handle: JsHandle,
        /// The time left to live that it names, in ms.
        ttl_ms: Option<u64>,
    },
}

impl Meta {
    /// Time left to live, in ms.
    pub fn ttl_ms(&self) -> Option<u64> {
        match self {
            Meta::Native(meta) => meta.ttl_ms,
            Meta::Js { ttl_ms, .. } => *ttl_ms,
        }
    }
}

/// Where a watching driver reports on the JS thread.
pub type EventSink = Rc<dyn Fn(Event)>;

/// Stops a watch when it is called; dropping it without a call stops it as well.
pub trait Unwatch {
    /// Stops the watch. A second call does nothing.
    fn stop(&self, mode: Mode) -> Op<()>;
}

/// Chooses on the JS thread which of the keys that a driver lists are removed.
pub type KeyFilter = Box<dyn FnOnce(Keys) -> Result<Keys>>;

/// What keeps items under keys. Called on the JS thread only.
///
/// The contract for implementors, in both modes:
/// - a missing item reads as `None`; removing it succeeds;
/// - keys are in normal form and never empty; a driver that cannot store a key says
///   [`InvalidKey`](crate::error::Kind::InvalidKey) and changes nothing;
/// - a write that fails leaves the old value in place;
/// - writes of one key take effect in the order of the calls, whether awaited or not;
/// - the work of a write starts with the call: dropping the [`Op`] does not undo it;
/// - in [`Mode::Sync`] the returned [`Op`] is ready. A driver that cannot do that leaves the call
///   out of its [`capabilities`](DriverInfo::capabilities), and it is not called;
/// - where [`read_only`](DriverInfo::read_only) is [`ReadOnly::Silent`], writes do nothing; where it
///   is [`ReadOnly::Error`], none is asked for. Where [`no_clear`](DriverInfo::no_clear) is set, no
///   clear is asked for.
///
/// Calls that are not in the capabilities are never made. No method has a default: a wrapper passes
/// calls on by [`delegate!`](crate::delegate), which names each of them, so that a method added here
/// does not compile until each wrapper says what becomes of it.
pub trait Driver {
    /// What the driver is. Does not change.
    fn info(&self) -> &DriverInfo;

    /// Whether there is an item.
    fn has_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<bool>;

    /// The item as the codec wrote it.
    fn get_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>>;

    /// Several items; the answer has one entry per item asked for, in that order.
    fn get_items(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>>;

    /// The item as raw bytes, text or value.
    fn get_item_raw(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>>;

    /// The keys under a base. Keys beyond the base or too deep are allowed: the core filters.
    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys>;

    /// The driver's own metadata of an item.
    fn get_meta(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Meta>>;

    /// Writes an item.
    fn set_item(self: Rc<Self>, key: &str, value: Text, options: &Options, mode: Mode) -> Op<()>;

    /// Writes several items, in order for equal keys.
    fn set_items(self: Rc<Self>, items: Vec<Item<Text>>, common: &Options, mode: Mode) -> Op<()>;

    /// Writes an item without the codec.
    fn set_item_raw(
        self: Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()>;

    /// Removes an item.
    fn remove_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<()>;

    /// Removes every item under a base, which is empty or ends in `:`. Only called with a base
    /// that is not empty when [`clears_base`](DriverInfo::clears_base) says so.
    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()>;

    /// Removes those items under a base that the filter leaves of what the driver lists there, at the
    /// place that the call has in the order of writes: what is written later stays. Gives the keys of
    /// the items that were there. Only called where [`ordered`](DriverInfo::ordered) says so.
    fn clear_filtered(self: Rc<Self>, base: &str, mode: Mode, filter: KeyFilter) -> Op<Keys>;

    /// Whether a clear leaves this item, which the driver lists: it lies in a part of the store that refuses
    /// clears, such as one mount of a storage that serves as a driver. Called on the JS thread.
    fn refuses_clear_of(&self, _key: &str) -> bool {
        false
    }

    /// Makes the changes of a group, all or none, if its conditions hold. `operation` is what the caller
    /// asked for, for messages.
    fn commit(self: Rc<Self>, group: Group, operation: &'static str, mode: Mode) -> Op<Committed>;

    /// Reports changes, own and external, to the sink until the watch is stopped.
    fn watch(self: Rc<Self>, sink: EventSink) -> Op<Box<dyn Unwatch>>;

    /// Resolves when everything written before is where it belongs.
    fn flush(self: Rc<Self>, mode: Mode) -> Op<()>;

    /// Frees what the driver holds. Called once, last.
    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()>;

    /// Keeps other users of the same store, in this process and in others, from taking the lock
    /// until the guard is dropped. `None` where the store has no other users.
    fn lock(self: Rc<Self>) -> Op<Option<Box<dyn Any>>>;

    /// Reports items that expired, until the guard is dropped. `None` from drivers that watch or
    /// have no items that expire.
    fn on_expired(&self, sink: EventSink) -> Option<Box<dyn Any>>;

    /// Notes that the text of the item did not read as a value: the next write keeps it aside.
    fn note_corrupt(&self, key: &str);

    /// Notes that an item was written past the driver, to what [`shared_store`](Driver::shared_store)
    /// gave, and expires at `expires_ms`.
    fn note_expiry(&self, expires_ms: u64);

    /// Keeps what the driver needs of the JS runtime alive for as long as the guard lives, for work
    /// that starts later. While an operation is under way the driver does so itself.
    fn hold(&self) -> Box<dyn Any>;

    /// The store itself, where it can be called on any thread.
    fn shared_store(&self) -> Option<Arc<dyn Store>>;

    /// A view into the driver for inspection.
    fn as_any(&self) -> &dyn Any;
}

/// Passes calls of a [`Driver`] on to the driver in a field: `delegate!(inner: get_item, get_items)`
/// within an `impl Driver`. Names of calls that are not listed have to be written out.
#[macro_export]
macro_rules! delegate {
    ($field:ident: $($call:ident),+ $(,)?) => {
        $($crate::delegate!(@ $field $call);)+
    };
    (@ $field:ident info) => {
        fn info(&self) -> &$crate::driver::DriverInfo {
            self.$field.info()
        }
    };
    (@ $field:ident has_item) => { $crate::delegate!(@by_key $field has_item bool); };
    (@ $field:ident get_item) => {
        $crate::delegate!(@by_key $field get_item Option<$crate::value::Value>);
    };
    (@ $field:ident get_item_raw) => {
        $crate::delegate!(@by_key $field get_item_raw Option<$crate::value::Value>);
    };
    (@ $field:ident get_meta) => {
        $crate::delegate!(@by_key $field get_meta Option<$crate::driver::Meta>);
    };
    (@ $field:ident remove_item) => { $crate::delegate!(@by_key $field remove_item ()); };
    (@ $field:ident clear) => { $crate::delegate!(@by_key $field clear ()); };
    (@by_key $field:ident $call:ident $answer:ty) => {
        fn $call(
            self: std::rc::Rc<Self>,
            key: &str,
            options: &$crate::driver::Options,
            mode: $crate::driver::Mode,
        ) -> $crate::driver::Op<$answer> {
            self.$field.clone().$call(key, options, mode)
        }
    };
    (@ $field:ident get_items) => {
        fn get_items(
            self: std::rc::Rc<Self>,
            items: Vec<$crate::driver::Item<()>>,
            common: &$crate::driver::Options,
            mode: $crate::driver::Mode,
        ) -> $crate::driver::Op<Vec<Option<$crate::value::Value>>> {
            self.$field.clone().get_items(items, common, mode)
        }
    };
    (@ $field:ident get_keys) => {
        fn get_keys(
            self: std::rc::Rc<Self>,
            query: &$crate::driver::KeyQuery,
            mode: $crate::driver::Mode,
        ) -> $crate::driver::Op<$crate::keys::Keys> {
            self.$field.clone().get_keys(query, mode)
        }
    };
    (@ $field:ident set_item) => {
        $crate::delegate!(@by_value $field set_item $crate::value::Text);
    };
    (@ $field:ident set_item_raw) => {
        $crate::delegate!(@by_value $field set_item_raw $crate::value::Value);
    };
    (@by_value $field:ident $call:ident $value:ty) => {
        fn $call(
            self: std::rc::Rc<Self>,
            key: &str,
            value: $value,
            options: &$crate::driver::Options,
            mode: $crate::driver::Mode,
        ) -> $crate::driver::Op<()> {
            self.$field.clone().$call(key, value, options, mode)
        }
    };
    (@ $field:ident set_items) => {
        fn set_items(
            self: std::rc::Rc<Self>,
            items: Vec<$crate::driver::Item<$crate::value::Text>>,
            common: &$crate::driver::Options,
            mode: $crate::driver::Mode,
        ) -> $crate::driver::Op<()> {
            self.$field.clone().set_items(items, common, mode)
        }
    };
    (@ $field:ident clear_filtered) => {
        fn clear_filtered(
            self: std::rc::Rc<Self>,
            base: &str,
            mode: $crate::driver::Mode,
            filter: $crate::driver::KeyFilter,
        ) -> $crate::driver::Op<$crate::keys::Keys> {
            self.$field.clone().clear_filtered(base, mode, filter)
        }
    };
    (@ $field:ident commit) => {
        fn commit(
            self: std::rc::Rc<Self>,
            group: $crate::group::Group,
            operation: &'static str,
            mode: $crate::driver::Mode,
        ) -> $crate::driver::Op<$crate::group::Committed> {
            self.$field.clone().commit(group, operation, mode)
        }
    };
    (@ $field:ident watch) => {
        fn watch(
            self: std::rc::Rc<Self>,
            sink: $crate::driver::EventSink,
        ) -> $crate::driver::Op<Box<dyn $crate::driver::Unwatch>> {
            self.$field.clone().watch(sink)
        }
    };
    (@ $field:ident flush) => { $crate::delegate!(@whole $field flush); };
    (@ $field:ident dispose) => { $crate::delegate!(@whole $field dispose); };
    (@whole $field:ident $call:ident) => {
        fn $call(self: std::rc::Rc<Self>, mode: $crate::driver::Mode) -> $crate::driver::Op<()> {
            self.$field.clone().$call(mode)
        }
    };
    (@ $field:ident lock) => {
        fn lock(
            self: std::rc::Rc<Self>,
        ) -> $crate::driver::Op<Option<Box<dyn std::any::Any>>> {
            self.$field.clone().lock()
        }
    };
    (@ $field:ident on_expired) => {
        fn on_expired(
            &self,
            sink: $crate::driver::EventSink,
        ) -> Option<Box<dyn std::any::Any>> {
            self.$field.on_expired(sink)
        }
    };
    (@ $field:ident refuses_clear_of) => {
        fn refuses_clear_of(&self, key: &str) -> bool {
            self.$field.refuses_clear_of(key)
        }
    };
    (@ $field:ident note_corrupt) => {
        fn note_corrupt(&self, key: &str) {
            self.$field.note_corrupt(key);
        }
    };
    (@ $field:ident note_expiry) => {
        fn note_expiry(&self, expires_ms: u64) {
            self.$field.note_expiry(expires_ms);
        }
    };
    (@ $field:ident hold) => {
        fn hold(&self) -> Box<dyn std::any::Any> {
            self.$field.hold()
        }
    };
    (@ $field:ident shared_store) => {
        fn shared_store(&self) -> Option<std::sync::Arc<dyn $crate::store::Store>> {
            self.$field.shared_store()
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_tell_the_modes_apart() {
        let set = Capabilities::NONE
            .with(Call::GetItem, Mode::Async)
            .with(Call::Dispose, Mode::Sync);
        for call in Call::ALL {
            for mode in [Mode::Async, Mode::Sync] {
                let expected = matches!(
                    (call, mode),
                    (Call::GetItem, Mode::Async) | (Call::Dispose, Mode::Sync)
                );
                assert_eq!(set.has(call, mode), expected, "{call:?} {mode:?}");
            }
        }
        assert!(
            !Capabilities::ALL
                .without(Call::Watch)
                .has(Call::Watch, Mode::Async)
        );
    }
}
