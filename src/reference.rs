//! References to values of JavaScript that outlive a call.

use std::any::Any;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;

use napi::sys;

use super::env::{Env, Val, api, is_ok};
use super::shared::Shared;
use super::strings;
use eas_core::value::{BytesKind, JsHandle, JsValue};

/// A reference that is freed with this value, on whatever thread that happens.
pub(super) struct Reference {
    env: Env,
    raw: sys::napi_ref,
    shared: Arc<Shared>,
    thread: ThreadId,
    /// Whether the value is kept in a box, since Node-API before version 10 refers to objects only.
    is_boxed: bool,
    /// Tells it from every other reference of the process.
    number: u64,
}

static LAST_NUMBER: AtomicU64 = AtomicU64::new(0);

// SAFETY: the raw pointers are used on the thread of the environment alone: `get`, `pin` and `unpin`
// check for it, and a drop elsewhere hands the pointer over to that thread.
unsafe impl Send for Reference {}
// SAFETY: as above; there is no interior mutability.
unsafe impl Sync for Reference {}

impl Reference {
    /// A strong reference to any value.
    pub(super) fn new(env: Env, value: Val, shared: &Arc<Shared>) -> Option<Self> {
        let is_boxed = !env.is_object(value) && env.type_of(value) != sys::ValueType::napi_external;
        let target = if is_boxed {
            let target = env.object();
            env.set(target, c"value", value);
            target
        } else {
            value
        };
        Self::create(env, target, shared, 1, is_boxed)
    }

    /// A reference that does not keep its function alive, except while it is pinned.
    pub(super) fn weak(env: Env, function: Val, shared: &Arc<Shared>) -> Option<Self> {
        Self::create(env, function, shared, 0, false)
    }

    fn create(
        env: Env,
        target: Val,
        shared: &Arc<Shared>,
        count: u32,
        is_boxed: bool,
    ) -> Option<Self> {
        let mut raw = null_mut();
        is_ok(api!(napi_create_reference(env.0, target, count, &mut raw))).then(|| Reference {
            env,
            raw,
            shared: shared.clone(),
            thread: std::thread::current().id(),
            is_boxed,
            number: LAST_NUMBER.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn is_usable(&self) -> bool {
        self.shared.is_alive() && std::thread::current().id() == self.thread
    }

    /// The value; `None` when it was collected, its environment has ended or this is another
    /// thread.
    pub(super) fn get(&self) -> Option<Val> {
        if !self.is_usable() {
            return None;
        }
        let mut value = null_mut();
        api!(napi_get_reference_value(self.env.0, self.raw, &mut value));
        if value.is_null() {
            return None;
        }
        Some(if self.is_boxed {
            self.env.get(value, c"value")
        } else {
            value
        })
    }

    /// Keeps a weakly held value alive until [`unpin`](Self::unpin).
    pub(super) fn pin(&self) {
        if self.is_usable() {
            api!(napi_reference_ref(self.env.0, self.raw, null_mut()));
        }
    }

    /// Undoes one [`pin`](Self::pin).
    pub(super) fn unpin(&self) {
        if self.is_usable() {
            api!(napi_reference_unref(self.env.0, self.raw, null_mut()));
        }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        if self.is_usable() {
            api!(napi_delete_reference(self.env.0, self.raw));
        } else {
            self.shared.discard(self.raw);
        }
    }
}

impl JsValue for Reference {
    fn number(&self) -> u64 {
        self.number
    }

    fn bytes(&self) -> Option<(Vec<u8>, BytesKind)> {
        strings::read_bytes(self.env, self.get()?)
    }
}

/// A shared reference for the core to carry.
pub(super) fn handle(env: Env, value: Val, shared: &Arc<Shared>) -> Option<JsHandle> {
    Reference::new(env, value, shared).map(|reference| Arc::new(reference) as JsHandle)
}

/// The value that the core carried.
pub(super) fn value_of(env: Env, handle: &JsHandle) -> Val {
    let any: &dyn Any = &**handle;
    any.downcast_ref::<Reference>()
        .and_then(Reference::get)
        .unwrap_or_else(|| env.undefined())
}
