//! Conditional changes, and changes that are made together or not at all.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Route, Storage, empty_key};
use crate::condition::{Check, Etag};
use crate::driver::{Driver, Mode, Op, Options};
use crate::error::{Error, Kind, Result};
use crate::fallbacks;
use crate::group::{Committed, Group, GroupWrite};
use crate::key;
use crate::runtime::Runtime;
use crate::value::{JsHandle, Text, Value};

/// An item with what names its value.
#[derive(Debug)]
pub struct Entry {
    /// The value as the codec wrote it; `None` where what is stored is no text.
    pub value: Option<Value>,
    stored: Value,
    /// Whether `value` is what is stored, to the byte: it may then stand for the etag.
    pub is_exact: bool,
}

impl Entry {
    fn of(stored: Value, keeps_values: bool) -> Self {
        let text = match &stored {
            Value::Bytes(bytes, _) if !keeps_values => {
                Text::from_marked(bytes.to_vec()).filter(|text| !text.is_empty())
            }
            _ => {
                return Entry {
                    value: Some(stored.clone()),
                    stored,
                    is_exact: true,
                };
            }
        };
        let is_exact = matches!((&text, &stored), (Some(text), Value::Bytes(bytes, _)) if *text.to_utf8() == **bytes);
        Entry {
            value: text.map(Value::Text),
            stored,
            is_exact,
        }
    }

    /// What a driver in JavaScript gave as a value: its text names it.
    fn of_js(handle: &JsHandle, runtime: &dyn Runtime) -> Self {
        Entry {
            value: Some(Value::Js(handle.clone())),
            stored: named(handle, runtime),
            is_exact: false,
        }
    }

    /// Names the value. Computed when it is asked for.
    pub fn etag(&self) -> Etag {
        Etag::of(&self.stored)
    }
}

/// What the etag of a value is made of that a driver in JavaScript gave: the text that the codec writes for
/// it, or the value itself where it has none.
fn named(handle: &JsHandle, runtime: &dyn Runtime) -> Value {
    let text = runtime.encode(handle);
    text.map_or_else(|| Value::Js(handle.clone()), Value::Text)
}

/// A group, and the one driver that keeps all of its keys.
struct Routed {
    driver: Rc<dyn Driver>,
    /// The base of its mount.
    base: String,
    /// The group as the driver gets it.
    group: Group,
}

impl Storage {
    /// The item with its etag; `None` where there is none.
    pub fn get_entry(&self, key: &str, options: &Options, mode: Mode) -> Op<Option<Entry>> {
        let route = self.route(key);
        if route.key.is_empty() {
            return Op::ok(None);
        }
        let info = route.driver.info();
        // A driver of the program may read an item otherwise than raw.
        let stored = if info.in_js {
            fallbacks::get_item(&route.driver, route.relative(), options, mode)
        } else {
            fallbacks::get_item_raw(&route.driver, route.relative(), options, mode)
        };
        let keeps_values = info.in_js || info.keeps_values;
        let runtime = info.in_js.then(|| self.runtime.clone());
        stored.map(move |stored| {
            stored.map(|stored| match (&runtime, &stored) {
                (Some(runtime), Value::Js(handle)) => Entry::of_js(handle, &**runtime),
                _ => Entry::of(stored, keeps_values),
            })
        })
    }

    /// Makes a group of changes if its conditions hold. Keys may be in any form; of several changes of
    /// one key the last is made. Conflicts are told by the keys in full.
    pub fn commit(
        self: &Rc<Self>,
        group: Group,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Committed> {
        let Routed {
            driver,
            base,
            group,
        } = match self.route_group(group) {
            Ok(Some(routed)) => routed,
            Ok(None) => return Op::ok(Committed::Done),
            Err(error) => return Op::fail(error.operation(operation)),
        };
        if let Err(error) = fallbacks::can_commit(&driver, operation, mode) {
            return Op::fail(error);
        }
        for write in &group.writes {
            self.clears.note(write.event(), &driver, write.key());
        }
        let keys = group
            .writes
            .iter()
            .map(|write| format!("{base}{}", write.key()));
        let keys: Vec<String> = keys.collect();
        let storage = self.clone();
        let commit = move || storage.commit_routed(&driver, &base, group, operation, mode);
        if self.is_migrating() {
            return self.recorded(keys, mode, commit);
        }
        commit()
    }

    fn commit_routed(
        self: &Rc<Self>,
        driver: &Rc<dyn Driver>,
        base: &str,
        group: Group,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Committed> {
        let events: Vec<_> = group
            .writes
            .iter()
            .filter(|write| !goes_with_its_item(write, &group.writes))
            .map(|write| (write.event(), format!("{base}{}", write.key())))
            .collect();
        let committed = driver.clone().commit(group, operation, mode);
        let committed = self.tracked(driver, committed);
        let (storage, driver, base) = (self.clone(), driver.clone(), base.to_owned());
        committed.map(move |committed| match committed {
            Committed::Done => {
                for (kind, key) in events {
                    storage.announce(kind, &key, &*driver);
                }
                Committed::Done
            }
            Committed::Conflicts(keys) => {
                Committed::Conflicts(keys.into_iter().map(|key| format!("{base}{key}")).collect())
            }
        })
    }

    /// The one driver that keeps all keys of a group, its base, and the group for it; `None` where the
    /// group is empty.
    fn route_group(&self, group: Group) -> Result<Option<Routed>> {
        let mut found: Option<(Rc<dyn Driver>, String)> = None;
        let mut relative = |given: &str| -> Result<String> {
            let Route {
                driver,
                key,
                base_len,
            } = self.route(given);
            if key.is_empty() {
                return Err(empty_key(given));
            }
            let base = &key[..base_len];
            match &found {
                Some((_, first)) if first != base => return Err(two_mounts(first, base)),
                Some(_) => {}
                None => found = Some((driver, base.to_owned())),
            }
            Ok(key[base_len..].to_owned())
        };
        let mut checks = Vec::with_capacity(group.checks.len());
        for check in group.checks {
            let key = relative(&check.key)?;
            checks.push(Check { key, ..check });
        }
        let mut writes: Vec<GroupWrite> = Vec::with_capacity(group.writes.len());
        for mut write in group.writes {
            let key = relative(write.key())?;
            *write.key_mut() = key;
            writes.push(write);
        }
        let writes = last_of_each(writes);
        let group = Group { checks, writes };
        Ok(found.map(|(driver, base)| Routed {
            driver,
            base,
            group,
        }))
    }
}

/// Whether it removes the metadata of an item that goes too: the event of the item says so.
fn goes_with_its_item(write: &GroupWrite, writes: &[GroupWrite]) -> bool {
    let GroupWrite::Remove { key, .. } = write else {
        return false;
    };
    let is_item = |other: &GroupWrite| {
        matches!(other, GroupWrite::Remove { .. }) && key::meta_of(other.key()) == *key
    };
    key::is_meta(key) && writes.iter().any(is_item)
}

/// Of several changes of one key the last, at its place.
fn last_of_each(writes: Vec<GroupWrite>) -> Vec<GroupWrite> {
    let last: HashMap<String, usize> = writes
        .iter()
        .enumerate()
        .map(|(place, write)| (write.key().to_owned(), place))
        .collect();
    let of_key = |(place, write): &(usize, GroupWrite)| last[write.key()] == *place;
    let kept = writes.into_iter().enumerate().filter(of_key);
    kept.map(|(_, write)| write).collect()
}

fn two_mounts(first: &str, second: &str) -> Error {
    let name = |base: &str| match base {
        "" => "the root".to_owned(),
        base => format!("the mount at {:?}", key::normalize(base)),
    };
    let message = format!(
        "a group cannot span {} and {}: keep keys that change together in one mount",
        name(first),
        name(second)
    );
    Error::new(Kind::AtomicUnsupported, message)
}
