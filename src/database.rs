//! What a database can do beside keeping items.

use super::context::NodeRuntime;
use super::env::Val;
use super::request::Request;
use super::strings;
use eas_core::error::{Error, Kind, Result};
use eas_sqlite::driver::{Database, database_of};

/// `(driverHandle) => Promise<[ok, problems]>`
pub(super) fn verify(request: &Request<'_>) -> Result<Val> {
    let op = database(request)?.verify(&NodeRuntime::of(request.context));
    request.finish(op, |context, verdict| {
        let env = context.env;
        let problems = verdict
            .problems
            .iter()
            .map(|problem| strings::string(env, problem));
        let problems = env.array(problems);
        env.array([env.boolean(verdict.is_ok), problems].into_iter())
    })
}

/// `(driverHandle, file) => Promise<void>`
pub(super) fn backup(request: &Request<'_>) -> Result<Val> {
    let Some(target) = strings::read_lossy(request.env, request.arguments[1]) else {
        return Err(Error::new(
            Kind::InvalidArgument,
            "backup takes the path of a file, a string",
        )
        .driver(eas_sqlite::NAME)
        .operation("backup"));
    };
    let op = database(request)?.backup(target, &NodeRuntime::of(request.context));
    request.finish(op, |context, ()| context.env.undefined())
}

/// `(driverHandle) => Promise<void>`
pub(super) fn compact(request: &Request<'_>) -> Result<Val> {
    let op = database(request)?.compact(&NodeRuntime::of(request.context));
    request.finish(op, |context, ()| context.env.undefined())
}

fn database(request: &Request<'_>) -> Result<Database> {
    let root = request.handle()?.root();
    database_of(&*root).ok_or_else(|| Error::new(Kind::InvalidArgument, "no handle of a database"))
}
