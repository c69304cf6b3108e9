//! Options as JavaScript gives them.

use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use napi::sys;

use super::context::Context;
use super::env::{Env, Val, api};
use super::error::{caught, describe, wrong_argument};
use super::handle::Handle;
use super::reference::{self, Reference};
use super::strings;
use eas_core::driver::Options;
use eas_core::error::{Error, Kind, Result};
use eas_core::options::{DriverOptions, Given, Predicate};

/// How deep options are read; real ones are nested once.
const MOST_DEPTH: usize = 4;

/// The longest time to live, in ms: as far as a JavaScript Date goes.
const MOST_TTL_MS: f64 = 8.64e15;

/// The options of a call.
pub(super) fn call_options(context: &Context, value: Val) -> Result<Options> {
    let env = context.env;
    if env.is_nullish(value) {
        return Ok(Options::default());
    }
    if !env.is_object(value) {
        return Err(wrong_argument(env, "options", "an object", value));
    }
    let ttl = env
        .try_get_own(value, c"ttl")
        .map_err(|()| caught(env, &context.shared))?;
    Ok(Options {
        ttl_ms: read_ttl(env, ttl)?,
        handle: reference::handle(env, value, &context.shared),
        is_quiet: false,
    })
}

/// Whether options name that time to live.
pub(super) fn has_ttl(env: Env, options: Val, ttl_ms: u64) -> bool {
    match env.try_get(options, c"ttl") {
        Ok(ttl) => read_ttl(env, ttl).is_ok_and(|given_ms| given_ms == Some(ttl_ms)),
        Err(()) => {
            // A getter threw, which did not when the call was made.
            env.take_exception();
            false
        }
    }
}

fn read_ttl(env: Env, value: Val) -> Result<Option<u64>> {
    if env.is_nullish(value) {
        return Ok(None);
    }
    match env.as_number(value) {
        Some(ttl) if ttl == 0.0 || ttl == f64::INFINITY => Ok(None),
        Some(ttl) if ttl > 0.0 && ttl <= MOST_TTL_MS => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the guard keeps the number positive and in range"
            )]
            let ttl = ttl.ceil() as u64;
            Ok(Some(ttl))
        }
        _ => Err(Error::new(
            Kind::InvalidOption,
            format!(
                "Invalid option `ttl`: expected a number of ms, or 0 for no expiry, got {}",
                describe(env, value)
            ),
        )),
    }
}

/// What a call option `maxDepth` asks for.
pub(super) enum MaxDepth {
    /// Every depth.
    Any,
    /// At most this.
    AtMost(usize),
    /// A negative depth: no key is that shallow.
    Nothing,
}

/// The option `maxDepth` of a listing.
pub(super) fn max_depth(context: &Context, options: Val) -> Result<MaxDepth> {
    let env = context.env;
    if !env.is_object(options) {
        return Ok(MaxDepth::Any);
    }
    let value = env
        .try_get_own(options, c"maxDepth")
        .map_err(|()| caught(env, &context.shared))?;
    if env.is_nullish(value) {
        return Ok(MaxDepth::Any);
    }
    match env.as_number(value) {
        Some(depth) if depth < 0.0 => Ok(MaxDepth::Nothing),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and the depth is not negative"
        )]
        Some(depth) if !depth.is_nan() => Ok(MaxDepth::AtMost(depth as usize)),
        _ => Err(Error::new(
            Kind::InvalidOption,
            format!(
                "Invalid option `maxDepth`: expected a number of levels, got {}",
                describe(env, value)
            ),
        )),
    }
}

/// The options of a driver.
pub(super) fn driver_options(
    context: &Rc<Context>,
    value: Val,
    handles: Val,
) -> Result<DriverOptions> {
    let env = context.env;
    let reading = Reading { context, handles };
    if env.is_nullish(value) {
        return Ok(DriverOptions::default());
    }
    if !env.is_object(value) || env.is_array(value) {
        return Err(wrong_argument(env, "driver options", "an object", value));
    }
    Ok(DriverOptions::new(reading.entries(value, 0)?))
}

/// The options of one driver on their way in.
struct Reading<'a> {
    context: &'a Rc<Context>,
    /// The handles of the drivers among the options.
    handles: Val,
}

impl Reading<'_> {
    fn entries(&self, object: Val, depth: usize) -> Result<Vec<(String, Given)>> {
        let context = self.context;
        let env = context.env;
        let mut names = null_mut();
        // Own ones: what another library adds to `Object.prototype` is no option.
        api!(napi_get_all_property_names(
            env.0,
            object,
            sys::KeyCollectionMode::own_only,
            sys::KeyFilter::enumerable | sys::KeyFilter::skip_symbols,
            sys::KeyConversion::numbers_to_strings,
            &mut names
        ));
        let mut entries = Vec::new();
        for index in 0..env.length(names) {
            let name = env.element(names, index);
            let mut value = null_mut();
            api!(napi_get_property(env.0, object, name, &mut value));
            if value.is_null() {
                // A getter threw.
                return Err(caught(env, &context.shared));
            }
            if env.is_nullish(value) {
                continue;
            }
            let name = strings::read_lossy(env, name).unwrap_or_default();
            entries.push((name, self.given(value, depth)?));
        }
        Ok(entries)
    }

    fn given(&self, value: Val, depth: usize) -> Result<Given> {
        let context = self.context;
        let env = context.env;
        Ok(match env.type_of(value) {
            sys::ValueType::napi_boolean => Given::Bool(env.as_bool(value).unwrap_or_default()),
            sys::ValueType::napi_number => Given::Number(env.as_number(value).unwrap_or(f64::NAN)),
            sys::ValueType::napi_string => {
                Given::String(strings::read_lossy(env, value).unwrap_or_default())
            }
            sys::ValueType::napi_function => predicate(context, value)
                .map_or_else(|| Given::Other(describe(env, value)), Given::Predicate),
            sys::ValueType::napi_external => match self.handle(value) {
                Some(handle) => Given::Driver(handle.root()),
                None => Given::Other(describe(env, value)),
            },
            sys::ValueType::napi_object if depth < MOST_DEPTH => {
                if env.is_array(value) {
                    let list: Result<Vec<_>> = (0..env.length(value))
                        .map(|index| self.given(env.element(value, index), depth + 1))
                        .collect();
                    Given::List(list?)
                } else {
                    Given::Map(self.entries(value, depth + 1)?)
                }
            }
            _ => Given::Other(describe(env, value)),
        })
    }

    /// The driver that the External stands for, if the facade passed it as one. An External of somebody
    /// else is not even looked into.
    fn handle(&self, value: Val) -> Option<&Handle> {
        let env = self.context.env;
        let mut handles =
            (0..env.length(self.handles)).map(|index| env.element(self.handles, index));
        handles
            .any(|handle| env.is_same(handle, value))
            .then(|| env.unwrap_external::<Handle>(value))
            .flatten()
    }
}

fn predicate(context: &Rc<Context>, function: Val) -> Option<Predicate> {
    let env = context.env;
    let reference = Reference::new(env, function, &context.shared)?;
    let shared = Arc::clone(&context.shared);
    Some(Rc::new(move |path: &str| {
        let Some(function) = reference.get() else {
            return Err(Error::new(Kind::Disposed, "the context is ending"));
        };
        env.scope(|| match env.call(function, &[strings::string(env, path)]) {
            Ok(answer) => Ok(env.is_truthy(answer)),
            Err(()) => Err(caught(env, &shared)),
        })
    }))
}
