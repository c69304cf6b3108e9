//! What a call of the facade brings.

use std::rc::Rc;

use super::context::Context;
use super::env::{Env, Val};
use super::error::wrong_argument;
use super::function::Arguments;
use super::handle::Handle;
use super::options::call_options;
use super::reference::Reference;
use super::strings::{self, BadString, with_str};
use super::values;
use eas_core::driver::{Mode, Op, Options};
use eas_core::error::{Error, Kind, Result};
use eas_core::storage::Storage;
use eas_core::value::{Text, Value};

/// One call of the facade.
pub(super) struct Request<'a> {
    pub(super) context: &'a Rc<Context>,
    pub(super) env: Env,
    pub(super) arguments: &'a Arguments,
    pub(super) mode: Mode,
    pub(super) name: &'static str,
}

impl Request<'_> {
    pub(super) fn handle(&self) -> Result<&Handle> {
        self.env
            .unwrap_external::<Handle>(self.arguments[0])
            .ok_or_else(|| Error::new(Kind::InvalidArgument, "no storage handle"))
    }

    /// # Errors
    /// [`Kind::Disposed`] once the storage is disposed.
    pub(super) fn storage(&self) -> Result<&Rc<Storage>> {
        let storage = &self.handle()?.storage;
        self.refuse_disposed(storage)?;
        Ok(storage)
    }

    /// # Errors
    /// [`Kind::Disposed`] once the storage is disposed.
    #[inline]
    pub(super) fn refuse_disposed(&self, storage: &Storage) -> Result<()> {
        if storage.is_disposed() {
            return Err(self.disposed());
        }
        Ok(())
    }

    #[cold]
    fn disposed(&self) -> Error {
        Error::disposed().operation(self.name)
    }

    pub(super) fn options(&self, index: usize) -> Result<Options> {
        // Asking for a type takes longer than counting.
        if index >= self.arguments.len() {
            return Ok(Options::default());
        }
        call_options(self.context, self.arguments[index])
    }

    pub(super) fn with_key<R>(&self, index: usize, then: impl FnOnce(&str) -> R) -> Result<R> {
        with_key(self.env, self.arguments[index], then)
    }

    pub(super) fn finish<T: 'static>(
        &self,
        op: Op<T>,
        into_js: fn(&Context, T) -> Val,
    ) -> Result<Val> {
        self.context.finish(op, self.mode, into_js)
    }
}

pub(super) fn with_key<R>(env: Env, value: Val, then: impl FnOnce(&str) -> R) -> Result<R> {
    with_str(env, value, then).map_err(|bad| match bad {
        BadString::Type => wrong_argument(env, "key", "a string", value),
        BadString::Surrogate => {
            let key = strings::read_lossy(env, value).unwrap_or_default();
            let message = format!(
                "Invalid key: {key:?}. It has half a surrogate pair; use well-formed Unicode"
            );
            Error::new(Kind::InvalidKey, message).key(&key)
        }
    })
}

/// As [`values::coded`], or the template of a text that was read before, or the value itself where it is
/// [plain](values::plain).
pub(super) fn coded_or_value(context: &Context, stored: Option<&Value>) -> Val {
    let Some(Value::Text(text)) = stored else {
        return values::coded(context.env, stored);
    };
    let template = context.read_cache.template(text, || {
        let made = context.make_template(values::coded_text(context.env, text))?;
        Some((made, Reference::new(context.env, made, &context.shared)))
    });
    template
        .or_else(|| values::plain(context.env, text))
        .unwrap_or_else(|| values::coded_text(context.env, text))
}

/// Reads what the facade's writer hands over: the lengths of texts that stand in the memory of the
/// context one behind the other, and other texts as strings between them.
pub(super) struct Handed<'a> {
    context: &'a Context,
    at: usize,
}

impl<'a> Handed<'a> {
    pub(super) fn new(context: &'a Context) -> Self {
        Handed { context, at: 0 }
    }

    /// `None` for what is no text.
    pub(super) fn text(&mut self, given: Val) -> Option<Text> {
        let env = self.context.env;
        let Some(length) = env.as_number(given) else {
            return strings::read_packed(env, given);
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and the range is checked against what there is"
        )]
        let end = self.at.saturating_add(length as usize);
        let text = self.context.scratch_text(self.at..end);
        self.at = end;
        text
    }
}
