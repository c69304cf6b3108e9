//! Thin calls into Node-API: values in, values out, no state.
//!
//! Every function is called on the thread of the environment, inside a callback or a handle scope,
//! which is what makes the raw calls sound. A failed call leaves `undefined`, or `None` where the
//! caller can do something about it: calls fail when an exception is pending or the environment is
//! ending, and in both cases nobody sees the value.

use std::any::TypeId;
use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use napi::sys;
use rustc_hash::FxHashMap;

/// A value of JavaScript, alive until the handle scope closes.
pub(super) type Val = sys::napi_value;

/// The environment of one context.
#[derive(Clone, Copy)]
pub(super) struct Env(pub(super) sys::napi_env);

/// The types that the boundary tells apart.
pub(super) type Type = sys::napi_valuetype;

/// Calls Node-API; see the module on why this is sound.
macro_rules! api {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        // SAFETY: the environment is alive and this is its thread; pointers are to live locals.
        unsafe { ::napi::sys::$function($($argument),*) }
    }};
}
pub(super) use api;

pub(super) fn is_ok(status: sys::napi_status) -> bool {
    status == sys::Status::napi_ok
}

thread_local! {
    /// What the Externals of this thread hold, by address. Type tags of Node-API do the same for objects
    /// alone before Node 20, and take several times longer.
    static EXTERNALS: RefCell<FxHashMap<*mut c_void, TypeId>> = RefCell::default();
}

fn forget_external(data: *mut c_void) {
    let _ = EXTERNALS.try_with(|made| made.borrow_mut().remove(&data));
}

impl Env {
    pub(super) fn null(self) -> Val {
        let mut value = null_mut();
        api!(napi_get_null(self.0, &mut value));
        value
    }

    pub(super) fn undefined(self) -> Val {
        let mut value = null_mut();
        api!(napi_get_undefined(self.0, &mut value));
        value
    }

    pub(super) fn boolean(self, flag: bool) -> Val {
        let mut value = null_mut();
        api!(napi_get_boolean(self.0, flag, &mut value));
        value
    }

    pub(super) fn number(self, number: f64) -> Val {
        let mut value = null_mut();
        api!(napi_create_double(self.0, number, &mut value));
        value
    }

    pub(super) fn object(self) -> Val {
        let mut value = null_mut();
        api!(napi_create_object(self.0, &mut value));
        value
    }

    /// An array of few values; see [`Context::list`](super::context::Context::list) for many.
    pub(super) fn array(self, values: impl ExactSizeIterator<Item = Val>) -> Val {
        let array = self.array_of_length(values.len());
        for (index, value) in (0u32..).zip(values) {
            self.set_element(array, index, value);
        }
        array
    }

    pub(super) fn array_of_length(self, length: usize) -> Val {
        let mut array = null_mut();
        api!(napi_create_array_with_length(self.0, length, &mut array));
        array
    }

    pub(super) fn set_element(self, array: Val, index: u32, value: Val) {
        api!(napi_set_element(self.0, array, index, value));
    }

    pub(super) fn type_of(self, value: Val) -> Type {
        let mut kind = sys::ValueType::napi_undefined;
        api!(napi_typeof(self.0, value, &mut kind));
        kind
    }

    pub(super) fn is_nullish(self, value: Val) -> bool {
        matches!(
            self.type_of(value),
            sys::ValueType::napi_undefined | sys::ValueType::napi_null
        )
    }

    pub(super) fn is_object(self, value: Val) -> bool {
        matches!(
            self.type_of(value),
            sys::ValueType::napi_object | sys::ValueType::napi_function
        )
    }

    /// Whether two values are the same, as `===` tells.
    pub(super) fn is_same(self, one: Val, other: Val) -> bool {
        let mut is_same = false;
        api!(napi_strict_equals(self.0, one, other, &mut is_same));
        is_same
    }

    pub(super) fn is_array(self, value: Val) -> bool {
        let mut flag = false;
        api!(napi_is_array(self.0, value, &mut flag));
        flag
    }

    pub(super) fn get(self, object: Val, name: &CStr) -> Val {
        let mut value = null_mut();
        if is_ok(api!(napi_get_named_property(
            self.0,
            object,
            name.as_ptr(),
            &mut value
        ))) {
            value
        } else {
            self.undefined()
        }
    }

    /// As [`get`](Self::get); `Err` means that a getter threw and its exception is pending.
    pub(super) fn try_get(self, object: Val, name: &CStr) -> Result<Val, ()> {
        let mut value = null_mut();
        let status = api!(napi_get_named_property(
            self.0,
            object,
            name.as_ptr(),
            &mut value
        ));
        if is_ok(status) { Ok(value) } else { Err(()) }
    }

    /// As [`try_get`](Self::try_get), `undefined` for what the object only inherits: what another
    /// library adds to `Object.prototype` is no option.
    pub(super) fn try_get_own(self, object: Val, name: &CStr) -> Result<Val, ()> {
        let value = self.try_get(object, name)?;
        if self.is_nullish(value) {
            return Ok(value);
        }
        let mut key = null_mut();
        let length = name.to_bytes().len() as isize;
        api!(napi_create_string_utf8(
            self.0,
            name.as_ptr(),
            length,
            &mut key
        ));
        let mut is_own = false;
        let status = api!(napi_has_own_property(self.0, object, key, &mut is_own));
        match is_ok(status) {
            true if is_own => Ok(value),
            true => Ok(self.undefined()),
            // A trap of a proxy threw.
            false => Err(()),
        }
    }

    pub(super) fn set(self, object: Val, name: &CStr, value: Val) {
        api!(napi_set_named_property(
            self.0,
            object,
            name.as_ptr(),
            value
        ));
    }

    /// Copies the own enumerable properties of one object to another. One whose getter throws is left out.
    pub(super) fn copy_properties(self, from: Val, to: Val) {
        let mut names = null_mut();
        api!(napi_get_all_property_names(
            self.0,
            from,
            sys::KeyCollectionMode::own_only,
            sys::KeyFilter::enumerable,
            sys::KeyConversion::numbers_to_strings,
            &mut names
        ));
        for index in 0..self.length(names) {
            let (name, mut value) = (self.element(names, index), null_mut());
            if is_ok(api!(napi_get_property(self.0, from, name, &mut value))) {
                api!(napi_set_property(self.0, to, name, value));
            } else {
                self.take_exception();
            }
        }
    }

    pub(super) fn element(self, array: Val, index: u32) -> Val {
        let mut value = null_mut();
        api!(napi_get_element(self.0, array, index, &mut value));
        value
    }

    /// As [`element`](Self::element); `Err` means that a Proxy threw and its exception is pending.
    pub(super) fn try_element(self, array: Val, index: u32) -> Result<Val, ()> {
        let mut value = null_mut();
        let status = api!(napi_get_element(self.0, array, index, &mut value));
        if is_ok(status) { Ok(value) } else { Err(()) }
    }

    pub(super) fn length(self, array: Val) -> u32 {
        let mut length = 0;
        api!(napi_get_array_length(self.0, array, &mut length));
        length
    }

    pub(super) fn as_number(self, value: Val) -> Option<f64> {
        let mut number = 0.0;
        is_ok(api!(napi_get_value_double(self.0, value, &mut number))).then_some(number)
    }

    pub(super) fn as_bool(self, value: Val) -> Option<bool> {
        let mut flag = false;
        is_ok(api!(napi_get_value_bool(self.0, value, &mut flag))).then_some(flag)
    }

    pub(super) fn is_truthy(self, value: Val) -> bool {
        let mut coerced = null_mut();
        api!(napi_coerce_to_bool(self.0, value, &mut coerced));
        self.as_bool(coerced).unwrap_or(false)
    }

    /// Calls a function; `Err` means that an exception is pending.
    pub(super) fn call(self, function: Val, arguments: &[Val]) -> Result<Val, ()> {
        let mut result = null_mut();
        let status = api!(napi_call_function(
            self.0,
            self.undefined(),
            function,
            arguments.len(),
            arguments.as_ptr(),
            &mut result,
        ));
        if is_ok(status) { Ok(result) } else { Err(()) }
    }

    /// Takes the pending exception; `None` when there is none or the environment is ending.
    pub(super) fn take_exception(self) -> Option<Val> {
        let mut exception = null_mut();
        let taken = is_ok(api!(napi_get_and_clear_last_exception(
            self.0,
            &mut exception
        )));
        (taken && !exception.is_null()).then_some(exception)
    }

    /// Wraps a Rust value; it is dropped when JavaScript lets go of the wrapper.
    pub(super) fn external<T: 'static>(self, value: T) -> Val {
        unsafe extern "C" fn drop_value<T>(
            _env: sys::napi_env,
            data: *mut c_void,
            _hint: *mut c_void,
        ) {
            let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                forget_external(data);
                // SAFETY: the pointer came from `Box::into_raw` below, and Node calls this once.
                drop(unsafe { Box::from_raw(data.cast::<T>()) });
            }));
            // A panic must not cross into C; there is nobody to tell.
            drop(dropped);
        }
        let mut external = null_mut();
        let data = Box::into_raw(Box::new(value)).cast::<c_void>();
        let status = api!(napi_create_external(
            self.0,
            data,
            Some(drop_value::<T>),
            null_mut(),
            &mut external
        ));
        if !is_ok(status) {
            // SAFETY: Node did not take the pointer.
            drop(unsafe { Box::from_raw(data.cast::<T>()) });
            return self.undefined();
        }
        // Where the thread is at its end nobody unwraps it any more.
        let _ = EXTERNALS.try_with(|made| made.borrow_mut().insert(data, TypeId::of::<T>()));
        external
    }

    /// What [`external`](Self::external) wrapped, where it was a `T`: an External of somebody else, or of
    /// another type, is none.
    pub(super) fn unwrap_external<'a, T: 'static>(self, value: Val) -> Option<&'a T> {
        let mut data = null_mut();
        if !is_ok(api!(napi_get_value_external(self.0, value, &mut data))) {
            return None;
        }
        let made = EXTERNALS.try_with(|made| made.borrow().get(&data).copied());
        // SAFETY: the pointer is that of a value of this type which was not dropped; the External that
        // holds it is alive in the current scope.
        (made == Ok(Some(TypeId::of::<T>()))).then(|| unsafe { &*data.cast::<T>() })
    }

    /// Runs `body` in a handle scope of its own.
    pub(super) fn scope<R>(self, body: impl FnOnce() -> R) -> R {
        let mut scope = null_mut();
        api!(napi_open_handle_scope(self.0, &mut scope));
        let result = body();
        api!(napi_close_handle_scope(self.0, scope));
        result
    }
}
