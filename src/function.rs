//! Functions of JavaScript from closures of Rust.

use std::ffi::c_void;
use std::ops::Index;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;

use napi::sys;

use super::env::{Env, Val, api};
use super::error::throw;
use eas_core::error::{Error, Result};

/// The most arguments that a function of the boundary takes.
const MOST_ARGUMENTS: usize = 6;

/// The arguments of a call; missing ones are `undefined`.
pub(super) struct Arguments {
    values: [Val; MOST_ARGUMENTS],
    given: usize,
}

impl Arguments {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.given
    }
}

impl Index<usize> for Arguments {
    type Output = Val;

    fn index(&self, index: usize) -> &Val {
        &self.values[index]
    }
}

/// A function that runs `body`; what it fails with, or panics with, is thrown.
pub(super) fn function<F>(env: Env, name: &str, body: F) -> Val
where
    F: Fn(Env, &Arguments) -> Result<Val> + 'static,
{
    let data = Box::into_raw(Box::new(body)).cast::<c_void>();
    let mut value = null_mut();
    let length = isize::try_from(name.len()).unwrap_or_default();
    api!(napi_create_function(
        env.0,
        name.as_ptr().cast(),
        length,
        Some(trampoline::<F>),
        data,
        &mut value,
    ));
    api!(napi_add_finalizer(
        env.0,
        value,
        data,
        Some(finalize::<F>),
        null_mut(),
        null_mut()
    ));
    value
}

unsafe extern "C" fn trampoline<F>(env: sys::napi_env, info: sys::napi_callback_info) -> Val
where
    F: Fn(Env, &Arguments) -> Result<Val> + 'static,
{
    let mut arguments = Arguments {
        values: [null_mut(); MOST_ARGUMENTS],
        given: MOST_ARGUMENTS,
    };
    let mut data = null_mut();
    api!(napi_get_cb_info(
        env,
        info,
        &mut arguments.given,
        arguments.values.as_mut_ptr(),
        null_mut(),
        &mut data,
    ));
    let env = Env(env);
    // SAFETY: the function that is being called keeps its data; see `finalize`.
    let body = unsafe { &*data.cast::<F>() };
    let outcome = catch_unwind(AssertUnwindSafe(|| body(env, &arguments)))
        .unwrap_or_else(|panic| Err(Error::panic(&*panic)));
    match outcome {
        Ok(value) => value,
        Err(error) => {
            throw(env, &error);
            null_mut()
        }
    }
}

unsafe extern "C" fn finalize<F>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the pointer came from `Box::into_raw` above, and Node calls this once, when no
        // call of the function can come any more.
        drop(unsafe { Box::from_raw(data.cast::<F>()) });
    }));
    // A panic must not cross into C; there is nobody to tell.
    drop(dropped);
}
