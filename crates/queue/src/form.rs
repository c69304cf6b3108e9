//! What a value that waits reads as: what the driver below would give back for it.

use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::{Call, Driver, Mode};
use eas_core::error::{Error, Kind, Result};
use eas_core::fallbacks;
use eas_core::store::Store;
use eas_core::value::{BytesKind, Value};

/// How the driver below keeps values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are given.
    AsGiven,
    /// As bytes: a raw read gives bytes, also of text.
    Bytes,
    /// As text: bytes are written as text that stands for them.
    Text,
}

impl Form {
    /// The form of a driver.
    pub(super) fn of(inner: &Rc<dyn Driver>, store: Option<&Arc<dyn Store>>) -> Self {
        let has = |mode| inner.info().has(Call::SetItemRaw, mode);
        match store {
            Some(store) if store.info().holds_references => Form::AsGiven,
            Some(_) => Form::Bytes,
            None if has(Mode::Async) || has(Mode::Sync) => Form::AsGiven,
            None => Form::Text,
        }
    }

    /// A raw value as it is queued: a copy where the caller could change it later.
    pub(super) fn keep(self, value: Value) -> Result<Value> {
        if self == Form::Text {
            return fallbacks::to_text(value).map(Value::Text);
        }
        let Value::Js(handle) = value else {
            return Ok(value);
        };
        match handle.bytes() {
            Some((bytes, kind)) if kind != BytesKind::View || self == Form::Bytes => {
                Ok(Value::Bytes(bytes.into(), kind))
            }
            _ if self == Form::AsGiven => Ok(Value::Js(handle)),
            _ => Err(Error::new(
                Kind::InvalidValue,
                "a raw value must be a string, a Buffer or a typed array; use setItem for other values",
            )),
        }
    }

    /// What a raw read gives of what no store keeps as bytes.
    pub(super) fn read_raw(self, value: &Value) -> Value {
        match self {
            Form::AsGiven | Form::Bytes => value.clone(),
            Form::Text => fallbacks::from_text(value.clone()),
        }
    }
}
