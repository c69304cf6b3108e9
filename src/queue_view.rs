//! What waits in a queue, for the facade's view of it.

use super::env::{Env, Val};
use super::function::{Arguments, function};
use super::handle::Handle;
use super::reference;
use super::strings;
use super::values;
use eas_core::error::{Error, Kind, Result};
use eas_queue::QueueDriver;
use eas_queue::pending_queue::{Change, Operation};

/// Adds the functions to the object that the facade gets.
pub(super) fn install(env: Env, core: Val) {
    let status = function(env, "queueStatus", move |env, arguments| {
        with_queue(env, arguments, |queue| {
            let (size, is_flushing, is_disposed) = queue.status();
            #[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^53")]
            let size = env.number(size as f64);
            env.array([size, env.boolean(is_flushing), env.boolean(is_disposed)].into_iter())
        })
    });
    env.set(core, c"queueStatus", status);

    let operations = function(env, "queueOperations", move |env, arguments| {
        with_queue(env, arguments, |queue| {
            let operations = queue.operations();
            env.array(operations.iter().map(|operation| value(env, operation)))
        })
    });
    env.set(core, c"queueOperations", operations);

    let operation = function(env, "queueOperation", move |env, arguments| {
        let key = strings::read_lossy(env, arguments[1]).unwrap_or_default();
        with_queue(env, arguments, |queue| match queue.operation(&key) {
            Some(operation) => value(env, &operation),
            None => env.undefined(),
        })
    });
    env.set(core, c"queueOperation", operation);
}

fn with_queue(
    env: Env,
    arguments: &Arguments,
    then: impl FnOnce(&QueueDriver) -> Val,
) -> Result<Val> {
    let handle = env.unwrap_external::<Handle>(arguments[0]);
    let root = handle.map(Handle::root);
    let queue = root
        .as_ref()
        .and_then(|root| root.as_any().downcast_ref::<QueueDriver>());
    match queue {
        Some(queue) => Ok(then(queue)),
        None => Err(Error::new(Kind::InvalidArgument, "no queue handle")),
    }
}

/// The operation as the facade shows it.
fn value(env: Env, operation: &Operation) -> Val {
    let shown = env.object();
    let kind = match operation.change {
        Change::Set(_) | Change::SetRaw(_) => "set",
        Change::Remove | Change::Clear | Change::Commit(_) => "remove",
    };
    env.set(shown, c"type", strings::string(env, kind));
    env.set(shown, c"key", strings::string(env, &operation.key));
    if let Change::Set(value) | Change::SetRaw(value) = &operation.change {
        env.set(shown, c"value", values::value(env, Some(value)));
    }
    if let Some(handle) = &operation.options.handle {
        env.set(shown, c"options", reference::value_of(env, handle));
    }
    #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
    let timestamp = env.number(operation.timestamp_ms as f64);
    env.set(shown, c"timestamp", timestamp);
    if let Change::SetRaw(_) = operation.change {
        env.set(shown, c"isRaw", env.boolean(true));
    }
    shown
}
