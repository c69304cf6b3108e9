//! The file store as a driver: what only the JS thread can do.
//!
//! Functions and RegExps of JavaScript decide what is ignored; they run on its thread, so listings and
//! events are filtered here and not in the engine.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use super::ignore::Ignore;
use super::options::{FsOptions, LITE_NAME};
use super::store::FsStore;
use eas_core::delegate;
use eas_core::driver::{
    Driver, DriverInfo, Event, EventSink, KeyFilter, KeyQuery, Mode, Op, Options, Unwatch,
};
use eas_core::error::{Error, Result};
use eas_core::keys::Keys;
use eas_core::options::{DriverOptions, Given, Predicate, wrong};
use eas_core::runtime::Runtime;
use eas_core::runtime::system_time_ms;
use eas_store::Offloaded;

/// Files through the JS runtime's eyes.
pub struct FsDriver {
    info: DriverInfo,
    store: Arc<FsStore>,
    inner: Rc<Offloaded>,
    runtime: Rc<dyn Runtime>,
    /// What is not listed, not cleared and gives no events.
    ignore: Rc<Tests>,
    /// What gives no events.
    ignore_events: Rc<Tests>,
    /// Whether a watch keeps the program alive.
    is_persistent: bool,
}

/// Tests of a path, each of which can say that it is ignored.
#[derive(Default)]
struct Tests {
    predicates: Vec<Predicate>,
    globs: Ignore,
}

impl Tests {
    fn read(name: &str, given: Option<&Given>, base: &str) -> Result<Self> {
        let mut tests = Tests::default();
        let mut globs = Vec::new();
        let list = match given {
            None => &[][..],
            Some(Given::List(list)) => list,
            Some(one) => std::slice::from_ref(one),
        };
        for one in list {
            match one {
                Given::Predicate(predicate) => tests.predicates.push(predicate.clone()),
                Given::String(glob) => globs.push(glob.as_str()),
                other => {
                    return Err(wrong(
                        name,
                        other,
                        "a function, a RegExp, a glob or a list of them",
                    ));
                }
            }
        }
        tests.globs = Ignore::new(globs, base);
        Ok(tests)
    }

    fn is_empty(&self) -> bool {
        self.predicates.is_empty() && self.globs.is_empty()
    }

    /// Whether the path or a folder that it lies in is ignored.
    fn covers(&self, path: &str) -> Result<bool> {
        if self.globs.covers(path) {
            return Ok(true);
        }
        for end in path
            .match_indices('/')
            .map(|(end, _)| end)
            .chain([path.len()])
        {
            for predicate in &self.predicates {
                if predicate(&path[..end])? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Opens the driver of that name.
///
/// # Errors
/// Those of missing and wrong options.
pub fn open(
    name: &'static str,
    given: &DriverOptions,
    runtime: &Rc<dyn Runtime>,
) -> Result<Rc<dyn Driver>> {
    let options = FsOptions::read(name, given)?;
    let base = super::options::shown(&options.base);
    let watch = given.nested("watchOptions")?;
    let ignore = match given.get("ignore") {
        Some(given @ Given::Predicate(_)) if name == LITE_NAME => Some(given),
        _ => None,
    };
    let ignore = Tests::read("ignore", ignore, &base)?;
    let ignore_events = Tests::read("watchOptions.ignored", watch.get("ignored"), &base)?;
    let is_persistent = watch.bool("persistent", true)?;
    let read_only = given.read_only()?;
    let store = Arc::new(FsStore::new(name, options, Arc::new(system_time_ms)));
    let inner = Rc::new(Offloaded::new(store.clone(), runtime.clone()));
    let info = DriverInfo {
        read_only,
        filters_clear: !ignore.is_empty(),
        ..inner.info().clone()
    };
    Ok(Rc::new(FsDriver {
        info,
        store,
        inner,
        runtime: runtime.clone(),
        ignore: Rc::new(ignore),
        ignore_events: Rc::new(ignore_events),
        is_persistent,
    }))
}

impl FsDriver {
    /// The keys that no function of JavaScript takes out.
    fn filtered(&self, keys: &Keys) -> Result<Keys> {
        let mut kept = Keys::new();
        for key in keys {
            if !self.ignore.covers(&self.store.relative_path(key))? {
                kept.push(key);
            }
        }
        Ok(kept)
    }
}

impl Driver for FsDriver {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    delegate!(inner: has_item, get_item, get_items, get_item_raw, get_meta);
    delegate!(inner: set_item, set_items, set_item_raw, remove_item);
    delegate!(inner: commit, flush, dispose, lock);
    delegate!(inner: on_expired, note_expiry, note_corrupt, hold, shared_store);

    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        let listed = self.inner.clone().get_keys(query, mode);
        if self.ignore.is_empty() {
            return listed;
        }
        listed.map_result(move |keys| self.filtered(&keys?))
    }

    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        if self.ignore.is_empty() {
            return self.inner.clone().clear(base, options, mode);
        }
        self.clear_filtered(base, mode, Box::new(Ok)).map(drop)
    }

    fn clear_filtered(self: Rc<Self>, base: &str, mode: Mode, filter: KeyFilter) -> Op<Keys> {
        let inner = self.inner.clone();
        if self.ignore.is_empty() {
            return inner.clear_filtered(base, mode, filter);
        }
        let filter = move |keys| filter(self.filtered(&keys)?);
        inner.clear_filtered(base, mode, Box::new(filter))
    }

    fn watch(self: Rc<Self>, sink: EventSink) -> Op<Box<dyn Unwatch>> {
        let sink = if self.ignore_events.is_empty() {
            sink
        } else {
            let store = self.store.clone();
            let (tests, runtime) = (self.ignore_events.clone(), self.runtime.clone());
            let filtered = move |event: Event| match tests.covers(&store.relative_path(&event.key))
            {
                Ok(true) => {}
                Ok(false) => sink(event),
                Err(error) => {
                    runtime.warn("EAS_WATCH", ignored_failed(&error));
                    sink(event);
                }
            };
            Rc::new(filtered) as EventSink
        };
        let alive = self.is_persistent.then(|| self.runtime.keep_alive());
        let started = self.inner.clone().watch(sink);
        started.map(move |watch| {
            Box::new(Persistent {
                watch,
                alive: alive.into(),
            }) as Box<dyn Unwatch>
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn ignored_failed(error: &Error) -> String {
    format!("the option `watchOptions.ignored` failed, and the change was reported: {error}")
}

/// A watch that keeps the program alive until it is stopped.
struct Persistent {
    watch: Box<dyn Unwatch>,
    alive: std::cell::RefCell<Option<Box<dyn Any>>>,
}

impl Unwatch for Persistent {
    fn stop(&self, mode: Mode) -> Op<()> {
        self.alive.borrow_mut().take();
        self.watch.stop(mode)
    }
}
