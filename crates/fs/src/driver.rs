//! The file store as a driver: what only the host's thread can do.
//!
//! Functions and RegExps of the host decide what is ignored; they run on its thread, so listings and
//! events are filtered here and not in the engine.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use super::ignore::Ignore;
use super::{FsOptions, FsStore, LITE_NAME};
use eas_core::blocking::BlockingDriver;
use eas_core::driver::{
    Capabilities, Driver, Event, EventSink, Flags, Item, KeyFilter, KeyQuery, Meta, Mode, Op,
    Options, Unwatch,
};
use eas_core::error::{Error, Result};
use eas_core::keys::Keys;
use eas_core::options::{DriverOptions, Given, Predicate, wrong};
use eas_core::runtime::Runtime;
use eas_core::runtime::system_time_ms;
use eas_core::value::{Text, Value};
use eas_store::Offloaded;

/// Files through the host's eyes.
pub struct FsDriver {
    inner: Rc<Offloaded<FsStore>>,
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
    let base = options.base.to_string_lossy().into_owned();
    let watch = given.nested("watchOptions")?;
    let ignore = match given.get("ignore") {
        Some(given @ Given::Predicate(_)) if name == LITE_NAME => Some(given),
        _ => None,
    };
    let ignore = Tests::read("ignore", ignore, &base)?;
    let ignore_events = Tests::read("watchOptions.ignored", watch.get("ignored"), &base)?;
    let is_persistent = watch.bool("persistent", true)?;
    let store = FsStore::new(name, options, Arc::new(system_time_ms));
    let inner = Rc::new(Offloaded::new(store, runtime.clone()));
    Ok(Rc::new(FsDriver {
        inner,
        runtime: runtime.clone(),
        ignore: Rc::new(ignore),
        ignore_events: Rc::new(ignore_events),
        is_persistent,
    }))
}

impl FsDriver {
    fn store(&self) -> &FsStore {
        self.inner.inner()
    }

    /// The keys that no function of the host takes out.
    fn filtered(&self, keys: &Keys) -> Result<Keys> {
        let mut kept = Keys::new();
        for key in keys {
            if !self.ignore.covers(&self.store().relative_path(key))? {
                kept.push(key);
            }
        }
        Ok(kept)
    }
}

impl Driver for FsDriver {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn flags(&self) -> Flags {
        self.inner.flags()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn has_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<bool> {
        self.inner.clone().has_item(key, options, mode)
    }

    fn get_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        self.inner.clone().get_item(key, options, mode)
    }

    fn get_items(
        self: Rc<Self>,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        self.inner.clone().get_items(items, common, mode)
    }

    fn get_item_raw(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        self.inner.clone().get_item_raw(key, options, mode)
    }

    fn get_keys(self: Rc<Self>, query: &KeyQuery, mode: Mode) -> Op<Keys> {
        let listed = self.inner.clone().get_keys(query, mode);
        if self.ignore.is_empty() {
            return listed;
        }
        listed.map_result(move |keys| self.filtered(&keys?))
    }

    fn get_meta(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<Option<Meta>> {
        self.inner.clone().get_meta(key, options, mode)
    }

    fn set_item(self: Rc<Self>, key: &str, value: Text, options: &Options, mode: Mode) -> Op<()> {
        self.inner.clone().set_item(key, value, options, mode)
    }

    fn set_items(self: Rc<Self>, items: Vec<Item<Text>>, common: &Options, mode: Mode) -> Op<()> {
        self.inner.clone().set_items(items, common, mode)
    }

    fn set_item_raw(
        self: Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        self.inner.clone().set_item_raw(key, value, options, mode)
    }

    fn remove_item(self: Rc<Self>, key: &str, options: &Options, mode: Mode) -> Op<()> {
        self.inner.clone().remove_item(key, options, mode)
    }

    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        if self.ignore.is_empty() {
            return self.inner.clone().clear(base, options, mode);
        }
        let cleared = self.clear_filtered(base, mode, Box::new(Ok));
        cleared.map_or_else(|| Op::ok(()), |cleared| cleared.map(drop))
    }

    fn clear_filtered(
        self: Rc<Self>,
        base: &str,
        mode: Mode,
        filter: KeyFilter,
    ) -> Option<Op<Keys>> {
        let inner = self.inner.clone();
        if self.ignore.is_empty() {
            return inner.clear_filtered(base, mode, filter);
        }
        let filter = move |keys| filter(self.filtered(&keys)?);
        inner.clear_filtered(base, mode, Box::new(filter))
    }

    fn filters_clear(&self) -> bool {
        !self.ignore.is_empty()
    }

    fn clears_base(&self) -> bool {
        true
    }

    fn watch(self: Rc<Self>, sink: EventSink) -> Op<Box<dyn Unwatch>> {
        let sink = if self.ignore_events.is_empty() {
            sink
        } else {
            let store = self.store().clone();
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

    fn flush(self: Rc<Self>, mode: Mode) -> Op<()> {
        self.inner.clone().flush(mode)
    }

    fn dispose(self: Rc<Self>, mode: Mode) -> Op<()> {
        self.inner.clone().dispose(mode)
    }

    fn is_read_only(&self) -> bool {
        self.inner.is_read_only()
    }

    fn lock(self: Rc<Self>) -> Op<Option<Box<dyn Any>>> {
        self.inner.clone().lock()
    }

    fn on_expired(&self, sink: EventSink) -> Option<Box<dyn Any>> {
        self.inner.on_expired(sink)
    }

    fn note_expiry(&self, expires_ms: u64) {
        self.inner.note_expiry(expires_ms);
    }

    fn note_corrupt(&self, key: &str) {
        self.inner.note_corrupt(key);
    }

    fn blocking(&self) -> Option<Arc<dyn BlockingDriver>> {
        self.inner.blocking()
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
