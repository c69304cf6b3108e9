//! The boundary to JavaScript: the only code that names Node-API.
//!
//! - [`context`]: one environment, its tasks and its end; [`shared`]: its part for other threads;
//! - [`env`], [`strings`], [`function`], [`reference`], [`error`], [`options`]: values across;
//! - [`read_cache`]: values that are read again;
//! - [`database`]: what a database can do beside keeping items;
//! - [`groups`]: entries with their etags, and groups of changes;
//! - [`storage_object`]: what the facade calls; [`js_driver`]: drivers that JavaScript gives;
//! - `js/`: the JavaScript that users see, run once per context.

#![expect(unsafe_code, reason = "Node-API is a C interface")]
#![cfg_attr(
    test,
    allow(dead_code, reason = "tests have no Node to register the addon with")
)]

mod context;
mod database;
mod env;
mod error;
mod escape;
mod found;
mod function;
mod groups;
mod handle;
mod js_driver;
mod options;
mod queue_view;
mod read_cache;
mod reference;
mod request;
mod shared;
mod storage_object;
mod strings;
mod values;

use std::ptr::null_mut;

use napi::bindgen_prelude::{JsValue, Object, retain_current_module_for_unload_safety};
use napi_derive::napi;

use context::Context;
use eas_core::error::{Error, Kind};
use env::{Env, Val, api, is_ok};
use function::function;

/// The facade as a script that evaluates to a function of the exports to fill and of the core.
const FACADE: &str = include_str!("js/bundle/facade.js");

/// The codec as a script that evaluates to a function of the object to fill and of what the codec uses of
/// the engine.
const CODEC: &str = include_str!("js/bundle/codec.js");

/// Fills the exports of the addon in a new context.
///
/// # Errors
/// When the environment is ending or out of memory.
#[napi(module_exports)]
pub(crate) fn init(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    retain_current_module_for_unload_safety();
    let env = Env(env.raw());
    let core = new_core(env)?;
    run_facade(env, exports.raw(), core)
        .ok_or_else(|| napi::Error::from_reason("the facade failed to load"))?;
    env.set(exports.raw(), c"forRealm", for_realm(env));
    Ok(())
}

/// What the facade gets, of a context of its own.
fn new_core(env: Env) -> napi::Result<Val> {
    let context = Context::new(env)?;
    let core = env.object();
    storage_object::install(&context, core);
    storage_object::install_js_driver(&context, core);
    queue_view::install(env, core);
    install_context(&context, core);
    Ok(core)
}

/// `() => { core, facade, codec }`: a new core, and the scripts for another realm to evaluate itself. What the
/// addon evaluates belongs to the realm that the environment began with, such as the one around a test runner's.
fn for_realm(env: Env) -> Val {
    function(env, "forRealm", |env, _| {
        let core =
            new_core(env).map_err(|error| Error::new(Kind::Disposed, error.reason.clone()))?;
        let parts = env.object();
        env.set(parts, c"core", core);
        env.set(parts, c"facade", strings::string(env, FACADE));
        env.set(parts, c"codec", strings::string(env, CODEC));
        Ok(parts)
    })
}

fn run_facade(env: Env, exports: Val, core: Val) -> Option<Val> {
    let facade = evaluate(env, FACADE)?;
    env.call(facade, &[exports, core]).ok()
}

fn evaluate(env: Env, script: &str) -> Option<Val> {
    let mut value = null_mut();
    let script = strings::string(env, script);
    is_ok(api!(napi_run_script(env.0, script, &mut value))).then_some(value)
}

/// What concerns the context as a whole.
fn install_context(context: &std::rc::Rc<Context>, core: Val) {
    let env = context.env;
    let held = context.clone();
    let set_warner = function(env, "setWarner", move |env, arguments| {
        held.set_warner(arguments[0]);
        Ok(env.undefined())
    });
    env.set(core, c"setWarner", set_warner);

    let held = context.clone();
    let set_clock = function(env, "setClock", move |env, arguments| {
        held.set_clock(arguments[0], arguments[1]);
        Ok(env.undefined())
    });
    env.set(core, c"setClock", set_clock);

    let held = context.clone();
    let set_filler = function(env, "setFiller", move |env, arguments| {
        held.set_filler(arguments[0]);
        Ok(env.undefined())
    });
    env.set(core, c"setFiller", set_filler);

    let held = context.clone();
    let set_template_maker = function(env, "setTemplateMaker", move |env, arguments| {
        held.set_template_maker(arguments[0]);
        Ok(env.undefined())
    });
    env.set(core, c"setTemplateMaker", set_template_maker);

    let held = context.clone();
    let set_encoder = function(env, "setEncoder", move |env, arguments| {
        held.set_encoder(arguments[0]);
        Ok(env.undefined())
    });
    env.set(core, c"setEncoder", set_encoder);

    let held = context.clone();
    let escape_scratch = function(env, "escapeScratch", move |env, arguments| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates, and the range is checked against what there is"
        )]
        let place = |index: usize| env.as_number(arguments[index]).unwrap_or_default() as usize;
        let end = held.escape_scratch(place(0)..place(1), place(2));
        #[expect(clippy::cast_precision_loss, reason = "places are far below 2^53")]
        let end = end.map_or(-1.0, |end| end as f64);
        Ok(env.number(end))
    });
    env.set(core, c"escapeScratch", escape_scratch);

    env.set(core, c"scratch", context.make_scratch());

    let evaluate_codec = function(env, "evaluateCodec", |env, _| {
        // Where there is none, its exception is pending.
        Ok(evaluate(env, CODEC).unwrap_or(null_mut()))
    });
    env.set(core, c"evaluateCodec", evaluate_codec);

    let held = context.clone();
    let finish_all = function(env, "finishAll", move |env, _| {
        held.finish_all(true);
        Ok(env.undefined())
    });
    env.set(core, c"finishAll", finish_all);

    let normalize_key = function(env, "normalizeKey", |env, arguments| {
        let key = strings::read_lossy(env, arguments[0]).unwrap_or_default();
        Ok(strings::string(env, &eas_core::key::normalize(&key)))
    });
    env.set(core, c"normalizeKey", normalize_key);

    let calls = env.array(
        eas_core::driver::Call::ALL
            .into_iter()
            .map(|call| strings::string(env, call.name(eas_core::driver::Mode::Async)))
            .collect::<Vec<_>>()
            .into_iter(),
    );
    env.set(core, c"calls", calls);

    let names = env.array(
        eas_drivers::TABLE
            .iter()
            .map(|entry| strings::string(env, entry.name)),
    );
    env.set(core, c"driverNames", names);
}
