//! The boundary to JavaScript: the only code that names Node-API.
//!
//! - [`context`]: one environment, its tasks and its end; [`shared`]: its part for other threads;
//! - [`env`], [`strings`], [`function`], [`reference`], [`error`], [`options`]: values across;
//! - [`storage_object`]: what the facade calls; [`js_driver`]: drivers that JavaScript gives;
//! - `facade/`: the JavaScript that users see, run once per context.

#![expect(unsafe_code, reason = "Node-API is a C interface")]
#![cfg_attr(
    test,
    allow(dead_code, reason = "tests have no Node to register the addon with")
)]

mod context;
mod env;
mod error;
mod function;
mod js_driver;
mod options;
mod queue_view;
mod reference;
mod shared;
mod storage_object;
mod strings;

use std::ptr::null_mut;

use napi::bindgen_prelude::{JsValue, Object, retain_current_module_for_unload_safety};
use napi_derive::napi;

use context::Context;
use env::{Env, Val, api, is_ok};
use function::function;

/// The codec as a script that evaluates to a function of what it uses of the engine.
const CODEC: &str = concat!(
    include_str!("facade/codec.js"),
    "\n//# sourceURL=electron-async-storage/codec.js",
);

/// The facade as one script that evaluates to a function of the core.
const FACADE: &str = concat!(
    "(function facade(core) {\n\"use strict\";\nconst takeBuiltins = ",
    include_str!("facade/builtins.js"),
    "\nconst makeLateCodec = ",
    include_str!("facade/late-codec.js"),
    "\nconst makeDrivers = ",
    include_str!("facade/drivers.js"),
    "\nconst makeMigrate = ",
    include_str!("facade/migrate.js"),
    "\nconst makePrefix = ",
    include_str!("facade/prefix.js"),
    "\nconst makeRecall = ",
    include_str!("facade/recall.js"),
    "\nconst makeWriter = ",
    include_str!("facade/writer.js"),
    "\nconst makeStorage = ",
    include_str!("facade/storage.js"),
    "\nconst makeHelpers = ",
    include_str!("facade/helpers.js"),
    "\nconst codec = makeLateCodec(core.evaluateCodec, takeBuiltins());\n",
    "const drivers = makeDrivers(core);\n",
    "const helpers = makeHelpers(core);\n",
    "const migrate = makeMigrate(core);\n",
    "Object.assign(helpers, makePrefix(helpers));\n",
    "const writer = makeWriter(codec.pack, core.scratch);\n",
    "return makeStorage(core, codec, writer, makeRecall(), drivers, helpers, migrate);\n",
    "})\n//# sourceURL=electron-async-storage/facade.js",
);

/// Fills the exports of the addon in a new context.
///
/// # Errors
/// When the environment is ending or out of memory.
#[napi(module_exports)]
pub(crate) fn init(exports: Object<'_>, env: napi::Env) -> napi::Result<()> {
    retain_current_module_for_unload_safety();
    let env = Env(env.raw());
    let context = Context::new(env)?;
    let core = env.object();
    storage_object::install(&context, core);
    storage_object::install_js_driver(&context, core);
    queue_view::install(&context, core);
    install_context(&context, core);
    let face = run_facade(env, core)
        .ok_or_else(|| napi::Error::from_reason("the facade failed to load"))?;
    let mut names = null_mut();
    api!(napi_get_property_names(env.0, face, &mut names));
    let target = exports.raw();
    for index in 0..env.length(names) {
        let name = env.element(names, index);
        let mut value = null_mut();
        api!(napi_get_property(env.0, face, name, &mut value));
        api!(napi_set_property(env.0, target, name, value));
    }
    Ok(())
}

fn run_facade(env: Env, core: Val) -> Option<Val> {
    let facade = evaluate(env, FACADE)?;
    env.call(facade, &[core]).ok()
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
    let set_filler = function(env, "setFiller", move |env, arguments| {
        held.set_filler(arguments[0]);
        Ok(env.undefined())
    });
    env.set(core, c"setFiller", set_filler);

    let held = context.clone();
    let put_off = function(env, "putOff", move |env, arguments| {
        Ok(env.boolean(held.put_off(arguments[0])))
    });
    env.set(core, c"putOff", put_off);

    env.set(core, c"scratch", context.make_scratch());

    let evaluate_codec = function(env, "evaluateCodec", |env, _| {
        // Where there is none, its exception is pending.
        Ok(evaluate(env, CODEC).unwrap_or(null_mut()))
    });
    env.set(core, c"evaluateCodec", evaluate_codec);

    let held = context.clone();
    let finish_all = function(env, "finishAll", move |env, _| {
        if held.catch_up().is_err() {
            env.take_exception();
        }
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
