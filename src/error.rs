//! Errors as JavaScript sees them: the one place where they are converted.

use std::ptr::null_mut;
use std::sync::Arc;

use super::env::{Env, Val, api};
use super::reference;
use super::shared::Shared;
use super::strings::string;
use eas_core::error::{Error, Kind};

/// The JavaScript value of an error: what the JS runtime threw as it came, otherwise an `Error` (a
/// `TypeError` for arguments of a wrong type) with its place as properties.
pub(super) fn settle_error(env: Env, error: &Error) -> Val {
    if let Some(handle) = error.thrown_value() {
        return reference::value_of(env, handle);
    }
    let mut value = null_mut();
    let (code, message) = (
        string(env, error.kind().code()),
        string(env, &error.to_string()),
    );
    if error.kind() == Kind::InvalidArgument {
        api!(napi_create_type_error(env.0, code, message, &mut value));
    } else {
        api!(napi_create_error(env.0, code, message, &mut value));
    }
    if let Some(driver) = error.driver_name() {
        env.set(value, c"driver", string(env, driver));
    }
    if let Some(operation) = error.operation_name() {
        env.set(value, c"operation", string(env, operation));
    }
    if let Some(key) = error.key_name() {
        env.set(value, c"key", string(env, key));
    }
    if let Some(call) = error.system_call() {
        env.set(value, c"errno", env.number(f64::from(call.errno)));
        env.set(value, c"syscall", string(env, call.syscall));
        if let Some(path) = &call.path {
            env.set(value, c"path", string(env, path));
        }
    }
    if let Some(cause) = error.cause() {
        let mut inner = null_mut();
        api!(napi_create_error(
            env.0,
            null_mut(),
            string(env, &format!("{cause:#}")),
            &mut inner
        ));
        env.set(value, c"cause", inner);
    }
    value
}

/// Throws an error into JavaScript.
pub(super) fn throw(env: Env, error: &Error) {
    let value = settle_error(env, error);
    api!(napi_throw(env.0, value));
}

/// The pending exception as an error to pass on.
pub(super) fn caught(env: Env, shared: &Arc<Shared>) -> Error {
    match env.take_exception() {
        Some(value) => thrown(env, value, shared),
        None => Error::new(Kind::Disposed, "the context is ending"),
    }
}

/// What JavaScript threw or rejected with, as an error to pass on.
pub(super) fn thrown(env: Env, value: Val, shared: &Arc<Shared>) -> Error {
    let Some(handle) = reference::handle(env, value, shared) else {
        return Error::new(Kind::Disposed, "the context is ending");
    };
    let error = Error::thrown(handle);
    if is_disposed(env, value) {
        error.of_kind(Kind::Disposed)
    } else {
        error
    }
}

/// Whether it is the error of a storage or driver of the package that was disposed.
fn is_disposed(env: Env, value: Val) -> bool {
    if !env.is_object(value) {
        return false;
    }
    let Ok(code) = env.try_get(value, c"code") else {
        env.take_exception();
        return false;
    };
    super::strings::read_lossy(env, code).as_deref() == Some(Kind::Disposed.code())
}

/// The error of an argument of the wrong type.
pub(super) fn wrong_argument(env: Env, what: &str, expected: &str, given: Val) -> Error {
    Error::new(
        Kind::InvalidArgument,
        format!(
            "Invalid {what}: expected {expected}, got {}",
            describe(env, given)
        ),
    )
}

/// A value in a few words, for messages.
pub(super) fn describe(env: Env, value: Val) -> String {
    use napi::sys::ValueType;
    match env.type_of(value) {
        ValueType::napi_undefined => "undefined".to_owned(),
        ValueType::napi_null => "null".to_owned(),
        ValueType::napi_string => {
            let text = super::strings::read_lossy(env, value).unwrap_or_default();
            format!("the string {text:?}")
        }
        ValueType::napi_number => {
            format!("the number {}", env.as_number(value).unwrap_or(f64::NAN))
        }
        ValueType::napi_boolean => env.as_bool(value).unwrap_or_default().to_string(),
        ValueType::napi_bigint => "a bigint".to_owned(),
        ValueType::napi_symbol => "a symbol".to_owned(),
        ValueType::napi_function => "a function".to_owned(),
        _ if env.is_array(value) => "an array".to_owned(),
        _ => "an object".to_owned(),
    }
}
