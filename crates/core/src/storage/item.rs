//! One item: has, get, set, remove, with and without the codec.

use std::rc::Rc;

use super::migrate::commit_with;
use super::routes::{Route, Storage};
use crate::driver::{Call, Driver, EventKind, Mode, Op, Options};
use crate::error::{Error, Kind};
use crate::fallbacks;
use crate::group::GroupWrite;
use crate::key;
use crate::value::{Text, Value};

impl Storage {
    /// Whether there is an item.
    pub fn has_item(&self, key: &str, options: &Options, mode: Mode) -> Op<bool> {
        let route = self.route(key);
        if route.key.is_empty() {
            return Op::ok(false);
        }
        fallbacks::has_item(&route.driver, route.relative(), options, mode)
    }

    /// The item as the codec wrote it.
    #[inline]
    pub fn get_item(&self, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        let key = key::normalize(key);
        if key.is_empty() {
            return Op::ok(None);
        }
        let (driver, base_len) = self.driver_of(&key);
        fallbacks::get_item(&driver, &key[base_len..], options, mode)
    }

    /// The driver that keeps a key in normal form, and how much of the key is its base.
    // On the way of every call: code that is optimised for size would make it a call of its own.
    #[inline(always)]
    pub(super) fn driver_of(&self, key: &str) -> (Rc<dyn Driver>, usize) {
        let mounts = self.mounts.borrow();
        let (base, driver) = mounts.find(key);
        (driver.clone(), base.len())
    }

    /// The item without the codec.
    pub fn get_item_raw(&self, key: &str, options: &Options, mode: Mode) -> Op<Option<Value>> {
        let route = self.route(key);
        if route.key.is_empty() {
            return Op::ok(None);
        }
        fallbacks::get_item_raw(&route.driver, route.relative(), options, mode)
    }

    /// Writes an item.
    pub fn set_item(
        self: &Rc<Self>,
        key: &str,
        value: Text,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        let normal = key::normalize(key);
        if !normal.is_empty() && !self.hub.is_watched() && !self.is_migrating() {
            let (driver, base_len) = self.driver_of(&normal);
            let key = &normal[base_len..];
            let written = fallbacks::set_item(&driver, key, value, options, mode);
            self.note_for_clears(EventKind::Update, &driver, key, &written);
            if matches!(written, Op::Ready(_)) {
                return written;
            }
            let written = self.tracked(&driver, written);
            if driver.info().watches() {
                return written;
            }
            // Somebody may watch by the time that it is written.
            let route = Route {
                driver,
                base_len,
                key: normal.into_owned(),
            };
            return self.announced(written, Call::SetItem, route, mode);
        }
        let route = match self.route_write(key) {
            Ok(route) => route,
            Err(error) => return Op::fail(error.operation(Call::SetItem.name(mode))),
        };
        if self.is_migrating() {
            let options = options.clone();
            return self.recorded_route(Call::SetItem, route, mode, move |route, with| {
                let (driver, key) = (&route.driver, route.relative());
                if with.is_empty() {
                    return fallbacks::set_item(driver, key, value, &options, mode);
                }
                let set = GroupWrite::set(key.to_owned(), value, options);
                commit_with(driver, with, vec![set], Call::SetItem.name(mode), mode)
            });
        }
        let written = fallbacks::set_item(&route.driver, route.relative(), value, options, mode);
        self.note_for_clears(EventKind::Update, &route.driver, route.relative(), &written);
        let written = self.tracked(&route.driver, written);
        self.announced(written, Call::SetItem, route, mode)
    }

    /// Tells clears that are under way of a write that comes after them, unless it was refused.
    #[inline]
    pub(super) fn note_for_clears(
        &self,
        kind: EventKind,
        driver: &Rc<dyn Driver>,
        key: &str,
        written: &Op<()>,
    ) {
        if self.clears.is_any_open() && !matches!(written, Op::Ready(Some(Err(_)))) {
            self.clears.note(kind, driver, key);
        }
    }

    /// Writes an item without the codec.
    pub fn set_item_raw(
        self: &Rc<Self>,
        key: &str,
        value: Value,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        let route = match self.route_write(key) {
            Ok(route) => route,
            Err(error) => return Op::fail(error.operation(Call::SetItemRaw.name(mode))),
        };
        let options = options.clone();
        self.recorded_route(Call::SetItemRaw, route, mode, move |route, with| {
            let (driver, key) = (&route.driver, route.relative());
            if with.is_empty() {
                return fallbacks::set_item_raw(driver, key, value, &options, mode);
            }
            let set = GroupWrite::Set {
                key: key.to_owned(),
                value,
                is_raw: true,
                options,
            };
            commit_with(driver, with, vec![set], Call::SetItemRaw.name(mode), mode)
        })
    }

    /// Removes an item, and with `and_meta` its metadata.
    pub fn remove_item(
        self: &Rc<Self>,
        key: &str,
        and_meta: bool,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        let route = self.route(key);
        if route.key.is_empty() {
            return Op::ok(());
        }
        let options = options.clone();
        let meta = and_meta.then(|| key::meta_of(&route.key));
        let base_len = route.base_len;
        let remove = move |route: &Route, with: Vec<GroupWrite>| {
            if !with.is_empty() {
                let meta = meta.iter().map(|meta| &meta[base_len..]);
                let removed = std::iter::once(route.relative()).chain(meta);
                let removed = removed.map(|key| GroupWrite::Remove {
                    key: key.to_owned(),
                    options: options.clone(),
                });
                let operation = Call::RemoveItem.name(mode);
                return commit_with(&route.driver, with, removed.collect(), operation, mode);
            }
            let removed = fallbacks::remove_item(&route.driver, route.relative(), &options, mode);
            match &meta {
                None => removed,
                Some(meta) => {
                    let meta =
                        fallbacks::remove_item(&route.driver, &meta[base_len..], &options, mode);
                    fallbacks::all(vec![removed, meta])
                }
            }
        };
        self.recorded_route(Call::RemoveItem, route, mode, remove)
    }

    /// Runs a write of one key, and of its metadata as far as that goes with it, and reports it.
    fn recorded_route(
        self: &Rc<Self>,
        call: Call,
        route: Route,
        mode: Mode,
        write: impl FnOnce(&Route, Vec<GroupWrite>) -> Op<()> + 'static,
    ) -> Op<()> {
        let kind = kind_of(call);
        if !self.is_migrating() {
            let written = write(&route, Vec::new());
            self.note_for_clears(kind, &route.driver, route.relative(), &written);
            let written = self.tracked(&route.driver, written);
            return self.announced(written, call, route, mode);
        }
        // Its place is that of the call, not of its turn at the gate.
        self.clears.note(kind, &route.driver, route.relative());
        let keys = vec![route.key.clone(), key::meta_of(&route.key)];
        let storage = self.clone();
        self.recorded(
            keys,
            mode,
            |()| true,
            move |with| {
                let named = route.key.clone();
                let written = write(&route, with);
                let written =
                    written.map_result(move |written| written.map_err(|error| error.key(&named)));
                storage.announced(written, call, route, mode)
            },
        )
    }

    /// Whether a clear leaves the item because its mount, or a part of it, refuses clears.
    pub fn refuses_clear_of(&self, key: &str) -> bool {
        let route = self.route(key);
        let info = route.driver.info();
        info.no_clear || info.is_read_only() || route.driver.refuses_clear_of(route.relative())
    }

    /// Notes that the text of an item did not read as a value, with a warning once: the item
    /// reads as missing, and the next write of the key keeps the text aside.
    pub fn note_corrupt(&self, key: &str) {
        let route = self.route(key);
        route.driver.note_corrupt(route.relative());
        let error = Error::new(
            Kind::CorruptValue,
            format!(
                "the item {:?} holds text that is no value; it reads as null, and the text is kept \
                 until and beyond the next write",
                route.key
            ),
        );
        self.runtime.warn(
            Kind::CorruptValue.code(),
            error.driver(&route.driver.info().name).to_string(),
        );
    }

    /// Reports a change when it has happened, unless the driver itself does.
    pub(super) fn announced(
        self: &Rc<Self>,
        done: Op<()>,
        call: Call,
        route: Route,
        mode: Mode,
    ) -> Op<()> {
        let info = route.driver.info();
        let is_over = matches!(done, Op::Ready(_));
        if !info.writes(call, mode) || info.watches() || (is_over && !self.hub.is_watched()) {
            return done;
        }
        let storage = self.clone();
        done.map(move |()| storage.announce(kind_of(call), &route.key, &*route.driver))
    }
}

fn kind_of(call: Call) -> EventKind {
    if call == Call::RemoveItem {
        EventKind::Remove
    } else {
        EventKind::Update
    }
}
