//! Conditional changes, and changes that are made together or not at all.

use std::borrow::Cow;
use std::rc::Rc;

use super::routes::{Storage, empty_key};
use crate::condition::{Etag, Expected, named_by_bytes, named_by_text};
use crate::driver::{Call, Driver, Mode, Op, Options};
use crate::error::{Error, Kind, Result};
use crate::fallbacks;
use crate::group::{Committed, Group, GroupWrite, last_of_each};
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

    /// What the item is expected to be for as long as nobody changes it.
    pub fn into_expected(self) -> Expected {
        // A driver may give another reference to the same value.
        if matches!(self.value, Some(Value::Js(_))) {
            return Expected::Etag(self.etag());
        }
        Expected::Stored(self.stored)
    }

    /// What a driver in JavaScript gave as a value: its text names it.
    fn of_js(handle: &JsHandle, runtime: &dyn Runtime) -> Self {
        Entry {
            value: Some(Value::Js(handle.clone())),
            stored: named_by_text(Value::Js(handle.clone()), |handle| runtime.encode(handle)),
            is_exact: false,
        }
    }

    /// What a driver in JavaScript stores of an item that it gives no value of: a stored null, or a text or
    /// bytes that are none.
    fn unread_js(stored: Value, runtime: &dyn Runtime) -> Self {
        Entry {
            value: None,
            stored: named_by_bytes(stored, |handle| runtime.encode(handle)),
            is_exact: false,
        }
    }

    /// Names the value. Computed when it is asked for.
    pub fn etag(&self) -> Etag {
        Etag::of(&self.stored)
    }
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
        let key = key::normalize(key);
        if key.is_empty() {
            return Op::ok(None);
        }
        let (driver, base_len) = self.driver_of(&key);
        let key = &key[base_len..];
        let read = entry_in(&driver, &self.runtime, key, options, mode);
        let info = driver.info();
        if !info.in_js || !info.has(Call::GetItemRaw, mode) {
            return read;
        }
        let (runtime, key, options) = (self.runtime.clone(), key.to_owned(), options.clone());
        let or_unread = move |entry: Option<Entry>| {
            if entry.is_some() {
                return Op::ok(entry);
            }
            let stored = fallbacks::get_item_raw(&driver, &key, &options, mode);
            stored.map(move |stored| stored.map(|stored| Entry::unread_js(stored, &*runtime)))
        };
        match read {
            Op::Ready(Some(Ok(entry))) => or_unread(entry),
            read => Op::later(async move { or_unread(read.await?).await }),
        }
    }

    /// As [`get_entry`](Self::get_entry), for a change that is to be committed then: fails where that
    /// could not be.
    pub fn get_entry_to_change(
        &self,
        given: &str,
        options: &Options,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Option<Entry>> {
        let key = key::normalize(given);
        if key.is_empty() {
            return Op::fail(empty_key(given).operation(operation));
        }
        let (driver, base_len) = self.driver_of(&key);
        match fallbacks::can_commit(&driver, operation, mode) {
            Ok(()) => entry_in(&driver, &self.runtime, &key[base_len..], options, mode),
            Err(error) => Op::fail(error),
        }
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
        self.commit_in(driver, base, group, operation, mode)
    }

    /// Makes one change if the item is still what it was found to be; without a value it is removed. The key
    /// may be in any form.
    pub fn swap(
        self: &Rc<Self>,
        given: String,
        expected: Expected,
        value: Option<Text>,
        options: Options,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Committed> {
        let mut key = key::into_normal(given);
        if key.is_empty() {
            return Op::fail(empty_key(&key).operation(operation));
        }
        let (driver, base_len) = self.driver_of(&key);
        let base: String = key.drain(..base_len).collect();
        let group = Group::swap(key, expected, value, options);
        self.commit_in(driver, base, group, operation, mode)
    }

    /// Makes a group of changes in the driver of one mount.
    fn commit_in(
        self: &Rc<Self>,
        driver: Rc<dyn Driver>,
        base: String,
        group: Group,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Committed> {
        if let Err(error) = fallbacks::can_commit(&driver, operation, mode) {
            return Op::fail(error);
        }
        for write in &group.writes {
            self.clears.note(write.event(), &driver, write.key());
        }
        if !self.is_migrating() {
            return self.commit_routed(&driver, &base, group, Vec::new(), operation, mode);
        }
        let keys = group
            .writes
            .iter()
            .map(|write| format!("{base}{}", write.key()));
        let keys: Vec<String> = keys.collect();
        let storage = self.clone();
        let is_made = |committed: &Committed| *committed == Committed::Done;
        self.recorded(keys, mode, is_made, move |with| {
            storage.commit_routed(&driver, &base, group, with, operation, mode)
        })
    }

    fn commit_routed(
        self: &Rc<Self>,
        driver: &Rc<dyn Driver>,
        base: &str,
        mut group: Group,
        with: Vec<GroupWrite>,
        operation: &'static str,
        mode: Mode,
    ) -> Op<Committed> {
        // Somebody may watch by the time that it is written.
        let may_be_watched = self.hub.is_watched() || mode == Mode::Async;
        let is_reported = may_be_watched && !driver.info().watches();
        let reported = group.writes.iter().filter(|_| is_reported);
        let events: Vec<_> = reported
            .filter(|write| !goes_with_its_item(write, &group.writes))
            .map(|write| (write.event(), format!("{base}{}", write.key())))
            .collect();
        group.writes.extend(with);
        let committed = driver.clone().commit(group, operation, mode);
        let committed = self.tracked(driver, committed);
        if events.is_empty() && matches!(committed, Op::Ready(Some(Ok(Committed::Done)))) {
            return committed;
        }
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
    fn route_group(&self, mut group: Group) -> Result<Option<Routed>> {
        let mut found: Option<(Rc<dyn Driver>, String)> = None;
        let mut make_relative = |key: &mut String| -> Result<()> {
            let normal = key::normalize(key);
            if normal.is_empty() {
                return Err(empty_key(key));
            }
            let (driver, base_len) = self.driver_of(&normal);
            let base = &normal[..base_len];
            match &found {
                Some((_, first)) if key::is_same(first, base) => {}
                Some((_, first)) => return Err(two_mounts(first, base)),
                None => found = Some((driver, base.to_owned())),
            }
            if let Cow::Owned(normal) = normal {
                *key = normal;
            }
            key.drain(..base_len);
            Ok(())
        };
        for check in &mut group.checks {
            make_relative(&mut check.key)?;
        }
        for write in &mut group.writes {
            make_relative(write.key_mut())?;
        }
        group.writes = last_of_each(group.writes);
        Ok(found.map(|(driver, base)| Routed {
            driver,
            base,
            group,
        }))
    }
}

fn entry_in(
    driver: &Rc<dyn Driver>,
    runtime: &Rc<dyn Runtime>,
    key: &str,
    options: &Options,
    mode: Mode,
) -> Op<Option<Entry>> {
    let info = driver.info();
    // A driver of the program may read an item otherwise than raw.
    let stored = if info.in_js {
        fallbacks::get_item(driver, key, options, mode)
    } else {
        fallbacks::get_item_raw(driver, key, options, mode)
    };
    let keeps_values = info.in_js || info.keeps_values;
    let runtime = info.in_js.then(|| runtime.clone());
    stored.map(move |stored| {
        stored.map(|stored| match (&runtime, &stored) {
            (Some(runtime), Value::Js(handle)) => Entry::of_js(handle, &**runtime),
            _ => Entry::of(stored, keeps_values),
        })
    })
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
