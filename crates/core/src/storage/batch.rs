//! Many items at once: one driver call per mount.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use futures_util::future::join_all;

use super::migrate::commit_with;
use super::routes::{Storage, empty_key};
use crate::driver::{Call, Driver, EventKind, Item, Mode, Op, Options};
use crate::error::Result;
use crate::fallbacks;
use crate::group::GroupWrite;
use crate::key;
use crate::value::{Text, Value};

/// What a batch does to one item.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Writes it.
    Set(Text),
    /// Removes it.
    Remove,
}

/// The part of a batch that one mount serves.
struct Part<V> {
    driver: Rc<dyn Driver>,
    base: String,
    items: Vec<Item<V>>,
    /// Where each item stands in the whole batch.
    places: Vec<usize>,
}

impl Storage {
    /// Several items, in the order asked for, also across mounts.
    pub fn get_items(
        &self,
        items: Vec<Item<()>>,
        common: &Options,
        mode: Mode,
    ) -> Op<Vec<Option<Value>>> {
        let count = items.len();
        let named = items
            .into_iter()
            .map(|item| Item {
                key: key::into_normal(item.key),
                ..item
            })
            .enumerate()
            .filter(|(_, item)| !item.key.is_empty());
        let parts = self.part(named);
        let mut places = Vec::with_capacity(parts.len());
        let mut reads = Vec::with_capacity(parts.len());
        for part in parts {
            places.push(part.places);
            reads.push(fallbacks::get_items(&part.driver, part.items, common, mode));
        }
        if reads.len() == 1 && places[0].len() == count {
            // One mount serves all, in order: nothing to put together.
            return reads.pop().expect("there is one");
        }
        Op::later(async move {
            let mut found = vec![None; count];
            for (values, places) in join_all(reads).await.into_iter().zip(places) {
                for (value, place) in values?.into_iter().zip(places) {
                    found[place] = value;
                }
            }
            Ok(found)
        })
    }

    /// Writes and removes several items, in order for equal keys.
    pub fn set_items(
        self: &Rc<Self>,
        items: Vec<Item<Change>>,
        common: &Options,
        mode: Mode,
    ) -> Op<()> {
        let parts = match self.change_parts(items) {
            Ok(parts) => parts,
            Err(error) => return Op::fail(error.operation(Call::SetItems.name(mode))),
        };
        let refused = parts
            .iter()
            .try_for_each(|part| fallbacks::refuse(part.driver.info(), Call::SetItems, mode));
        if let Err(error) = refused {
            return Op::fail(error);
        }
        if self.clears.is_any_open() {
            for part in &parts {
                for item in &part.items {
                    self.clears
                        .note(kind_of(&item.value), &part.driver, &item.key);
                }
            }
        }
        if !self.is_migrating() {
            return self.change(parts, common, mode);
        }
        self.change_recorded(parts, common, Call::SetItems, mode)
    }

    /// Makes changes behind the record of what they overwrite, or together with it.
    fn change_recorded(
        self: &Rc<Self>,
        parts: Vec<Part<Change>>,
        common: &Options,
        call: Call,
        mode: Mode,
    ) -> Op<()> {
        let full = |part: &Part<Change>| {
            part.items
                .iter()
                .map(|item| format!("{}{}", part.base, item.key))
                .collect::<Vec<_>>()
        };
        let keys = parts.iter().flat_map(full).collect();
        let (storage, common) = (self.clone(), common.clone());
        self.recorded(
            keys,
            mode,
            |()| true,
            move |with| {
                if with.is_empty() {
                    storage.change(parts, &common, mode)
                } else {
                    storage.change_as_one(parts, with, call, mode)
                }
            },
        )
    }

    /// Removes keys of one mount, all in full and in normal form, and records what they held.
    pub(super) fn remove_recorded(
        self: &Rc<Self>,
        keys: Vec<String>,
        options: &Options,
        mode: Mode,
    ) -> Op<()> {
        let removal = |key| Item {
            key,
            value: Change::Remove,
            options: options.clone(),
        };
        let parts = self.part(keys.into_iter().map(removal).enumerate());
        self.change_recorded(parts, options, Call::Clear, mode)
    }

    /// Makes changes of one mount, and those that belong `with` them, as one transaction.
    fn change_as_one(
        self: &Rc<Self>,
        parts: Vec<Part<Change>>,
        with: Vec<GroupWrite>,
        call: Call,
        mode: Mode,
    ) -> Op<()> {
        let mut writes = Vec::new();
        let mut events = Vec::new();
        let mut driver = None;
        for part in parts {
            if !part.driver.info().watches() {
                events.extend(part_events(&part, mode));
            }
            writes.extend(part.items.into_iter().map(|item| match item.value {
                Change::Set(value) => GroupWrite::set(item.key, value, item.options),
                Change::Remove => GroupWrite::Remove {
                    key: item.key,
                    options: item.options,
                },
            }));
            driver = Some(part.driver);
        }
        let Some(driver) = driver else {
            return Op::ok(());
        };
        let made = commit_with(&driver, with, writes, call.name(mode), mode);
        let storage = self.clone();
        made.map(move |()| {
            for (kind, key) in events {
                storage.announce(kind, &key, &*driver);
            }
        })
    }

    fn change(self: &Rc<Self>, parts: Vec<Part<Change>>, common: &Options, mode: Mode) -> Op<()> {
        let watched = self.hub.is_watched();
        let mut done = Vec::with_capacity(parts.len());
        for part in parts {
            // Somebody may watch by the time that it is written.
            let is_instant = || {
                part.driver
                    .shared_store()
                    .is_some_and(|store| store.info().is_instant)
            };
            let may_be_watched = watched || mode == Mode::Async && !is_instant();
            let events =
                (may_be_watched && !part.driver.info().watches()).then(|| part_events(&part, mode));
            let removals: Vec<_> = part
                .items
                .iter()
                .filter(|item| matches!(item.value, Change::Remove))
                .map(|item| (item.key.clone(), item.options.clone()))
                .collect();
            // In place where the sizes allow it: a batch may be large.
            let sets: Vec<_> = part
                .items
                .into_iter()
                .filter_map(|item| match item.value {
                    Change::Set(value) => Some(Item {
                        key: item.key,
                        value,
                        options: item.options,
                    }),
                    Change::Remove => None,
                })
                .collect();
            let mut writes = Vec::with_capacity(1 + removals.len());
            if !sets.is_empty() {
                writes.push(fallbacks::set_items(&part.driver, sets, common, mode));
            }
            for (key, options) in &removals {
                writes.push(fallbacks::remove_item(&part.driver, key, options, mode));
            }
            let written = self.tracked(&part.driver, fallbacks::all(writes));
            done.push(match events {
                None => written,
                Some(events) => {
                    let storage = self.clone();
                    written.map(move |()| {
                        for (kind, key) in events {
                            storage.announce(kind, &key, &*part.driver);
                        }
                    })
                }
            });
        }
        fallbacks::all(done)
    }

    /// The changes by mount. A key that is written and removed in one batch ends as its last change
    /// says, and only that one is made, since writes go first.
    fn change_parts(&self, mut items: Vec<Item<Change>>) -> Result<Vec<Part<Change>>> {
        let mut removes = false;
        for item in &mut items {
            match key::normalize(&item.key) {
                normal if normal.is_empty() => return Err(empty_key(&item.key)),
                Cow::Borrowed(_) => {}
                Cow::Owned(normal) => item.key = normal,
            }
            removes |= matches!(item.value, Change::Remove);
        }
        if removes {
            let last: HashMap<String, usize> = items
                .iter()
                .enumerate()
                .map(|(place, item)| (item.key.clone(), place))
                .collect();
            let mut place = 0;
            items.retain(|item| {
                place += 1;
                last[&item.key] == place - 1
            });
        }
        Ok(self.part(items.into_iter().enumerate()))
    }

    fn part<V>(&self, items: impl Iterator<Item = (usize, Item<V>)>) -> Vec<Part<V>> {
        let mounts = self.mounts.borrow();
        let mut parts: Vec<Part<V>> = Vec::new();
        let mut by_base: HashMap<&str, usize> = HashMap::new();
        let expected = items.size_hint().0;
        // Keys that follow each other are mostly of one mount.
        let mut last: Option<(&str, usize)> = None;
        for (place, mut item) in items {
            let (base, driver) = mounts.find(&item.key);
            let index = match last {
                Some((last, index)) if key::is_same(last, base) => index,
                _ => *by_base.entry(base).or_insert_with(|| {
                    parts.push(Part {
                        driver: driver.clone(),
                        base: base.to_owned(),
                        items: Vec::with_capacity(if parts.is_empty() { expected } else { 0 }),
                        places: Vec::with_capacity(if parts.is_empty() { expected } else { 0 }),
                    });
                    parts.len() - 1
                }),
            };
            last = Some((base, index));
            item.key.drain(..base.len());
            parts[index].items.push(item);
            parts[index].places.push(place);
        }
        parts
    }
}

/// The changes that a part makes.
fn part_events(part: &Part<Change>, mode: Mode) -> Vec<(EventKind, String)> {
    let info = part.driver.info();
    let sets = info.writes(Call::SetItems, mode);
    let removes = info.writes(Call::RemoveItem, mode);
    part.items
        .iter()
        .filter(|item| match item.value {
            Change::Set(_) => sets,
            Change::Remove => removes,
        })
        .map(|item| {
            let key = format!("{}{}", part.base, item.key);
            (kind_of(&item.value), key)
        })
        .collect()
}

fn kind_of(change: &Change) -> EventKind {
    match change {
        Change::Set(_) => EventKind::Update,
        Change::Remove => EventKind::Remove,
    }
}
