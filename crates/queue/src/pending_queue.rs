//! What waits to be written, as data: no clock, no I/O, no threads.
//!
//! Every operation has a place in the order. An operation stays in the pending queue, visible to reads,
//! until it is reported done; one that failed waits on, at its place. The rules that keep the order
//! of a key:
//! - an operation is handed out only when nothing older of its key is left, other than in the same
//!   batch;
//! - a clear is handed out alone, when nothing older under its base is left, and nothing under its
//!   base is handed out past it; it drops what waits under its base, other than what a group has to
//!   find there;
//! - a group of changes stands under all of its keys, and is handed out alone, when it is the oldest of
//!   each of them and no older clear is over one. It is tried once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use eas_core::driver::Options;
use eas_core::key;
use eas_core::keys::Keys;
use eas_core::store::Write;
use eas_core::value::Value;

use super::group::QueuedGroup;

/// The place of an operation in the order of all.
pub type Place = u64;

/// Names a batch that was handed out.
pub type BatchId = u64;

/// What an operation does.
#[derive(Clone)]
pub enum Change {
    /// Writes what the codec made.
    Set(Value),
    /// Writes a raw value.
    SetRaw(Value),
    /// Removes the item.
    Remove,
    /// Removes every item under the base that stands for the key.
    Clear,
    /// Makes a group of changes; the operation has no key of its own.
    Commit(Arc<QueuedGroup>),
}

/// An operation that was asked for.
#[derive(Clone)]
pub struct Operation {
    /// The key; for a clear the base, which is empty or ends in `:`.
    pub key: Arc<str>,
    /// What is done to it.
    pub change: Change,
    /// The options of the call.
    pub options: Options,
    /// When the item expires, in ms since the epoch.
    pub expires_ms: Option<u64>,
    /// When the call was made, in ms since the epoch.
    pub timestamp_ms: u64,
}

impl Operation {
    /// Whether it is a clear.
    pub fn is_clear(&self) -> bool {
        matches!(self.change, Change::Clear)
    }

    /// The group that it makes, where it is one.
    pub fn group(&self) -> Option<&Arc<QueuedGroup>> {
        match &self.change {
            Change::Commit(group) => Some(group),
            _ => None,
        }
    }

    /// Whether it is of one item.
    pub(super) fn is_of_item(&self) -> bool {
        !self.is_clear() && self.group().is_none()
    }

    /// The operation as a store takes it; `None` for what is not of one item.
    pub(super) fn as_write(&self) -> Option<Write<'_>> {
        let key = &*self.key;
        let set = |value, is_raw| Write::Set {
            key,
            value,
            is_raw,
            expires_ms: self.expires_ms,
        };
        match &self.change {
            Change::Set(value) => Some(set(value, false)),
            Change::SetRaw(value) => Some(set(value, true)),
            Change::Remove => Some(Write::Remove {
                key,
                is_listed: false,
            }),
            Change::Clear | Change::Commit(_) => None,
        }
    }

    /// Whether a clear of a base, made later, has to do with it.
    fn goes_with(&self, base: &str) -> bool {
        match &self.change {
            Change::Clear => self.key.starts_with(base),
            Change::Commit(group) => group.keys().iter().any(|key| clears(base, key)),
            _ => clears(base, &self.key),
        }
    }

    /// What is written, with the time not past its end.
    fn live_value(&self, now_ms: u64) -> Option<&Value> {
        match &self.change {
            Change::Set(value) | Change::SetRaw(value) => self
                .expires_ms
                .is_none_or(|expires_ms| expires_ms > now_ms)
                .then_some(value),
            Change::Remove | Change::Clear | Change::Commit(_) => None,
        }
    }
}

/// Whether a clear of a base takes a key.
fn clears(base: &str, key: &str) -> bool {
    key.starts_with(base) && !key::is_kept(key)
}

/// Whether a group that is newer has to find what an operation, which is no group, does.
fn waits_for(group: &QueuedGroup, operation: &Operation) -> bool {
    group.keys().iter().any(|key| {
        if operation.is_clear() {
            clears(&operation.key, key)
        } else {
            *key == operation.key
        }
    })
}

/// What a read of a key sees of the pending queue.
pub enum Seen<'a> {
    /// Nothing: the driver below has the answer.
    Nothing,
    /// No item: it was removed, or its time is over.
    Gone,
    /// This value.
    Value(&'a Operation, &'a Value),
}

/// What the pending queue changes in a listing.
#[derive(Debug, Default, PartialEq)]
pub struct Overlay {
    present: FxHashSet<Arc<str>>,
    gone: FxHashSet<Arc<str>>,
    cleared: Vec<Arc<str>>,
}

impl Overlay {
    /// The keys of the driver below with the changes applied. Keys of `present` deeper than
    /// `max_depth` are left out.
    pub fn apply(self, keys: Keys, max_depth: Option<usize>) -> Keys {
        let mut keys = keys.filtered(|given| {
            let key = key::normalize(given);
            // What is present is added once below, wherever else it was found.
            !self.present.contains(&*key)
                && !self.gone.contains(&*key)
                && !self.cleared.iter().any(|base| clears(base, &key))
        });
        let shallow = |key: &Arc<str>| max_depth.is_none_or(|max| key::depth(key) <= max);
        keys.extend(self.present.iter().filter(|key| shallow(key)));
        keys
    }
}

/// Operations that were handed out together.
#[derive(Clone)]
pub struct Batch {
    /// Its name.
    pub id: BatchId,
    /// The operations, oldest first.
    pub operations: Vec<(Place, Operation)>,
}

impl Batch {
    /// The group that it is, where it is one: that is handed out alone.
    pub fn group(&self) -> Option<&Arc<QueuedGroup>> {
        self.operations.first()?.1.group()
    }
}

/// What stands before a write that must not wait.
pub enum Before {
    /// Something of the key, or a clear over it, is on its way to the driver.
    Busy,
    /// A clear over the key waits, or a group that it is part of; that must be made first.
    First,
    /// What waited for the key was taken, oldest first; it may be nothing.
    Taken(Batch),
}

struct Entry {
    operation: Operation,
    batch: Option<BatchId>,
    /// Its caller was told that it is queued.
    is_accepted: bool,
}

/// The places of one key, oldest first. Most keys have one.
struct Places {
    first: Place,
    later: VecDeque<Place>,
}

impl Places {
    fn newest(&self) -> Place {
        self.later.back().copied().unwrap_or(self.first)
    }

    /// Oldest first.
    fn all(&self) -> impl DoubleEndedIterator<Item = Place> + '_ {
        std::iter::once(self.first).chain(self.later.iter().copied())
    }
}

/// What waits to be written.
pub struct PendingQueue {
    merges: bool,
    entries: BTreeMap<Place, Entry>,
    keys: FxHashMap<Arc<str>, Places>,
    clears: BTreeMap<Place, Arc<str>>,
    groups: BTreeSet<Place>,
    last_place: Place,
    last_batch: BatchId,
    /// Entries in a batch.
    handed_out: usize,
    /// Entries that are not accepted.
    unaccepted: usize,
}

impl PendingQueue {
    /// An empty one. With `merges` an operation replaces one of its key that still waits.
    pub fn new(merges: bool) -> Self {
        PendingQueue {
            merges,
            entries: BTreeMap::new(),
            keys: FxHashMap::default(),
            clears: BTreeMap::new(),
            groups: BTreeSet::new(),
            last_place: 0,
            last_batch: 0,
            handed_out: 0,
            unaccepted: 0,
        }
    }

    /// How many operations there are, on their way or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many of them are accepted.
    pub fn accepted(&self) -> usize {
        self.entries.len() - self.unaccepted
    }

    /// Whether some are on their way.
    pub fn is_handed_out(&self) -> bool {
        self.handed_out > 0
    }

    /// The newest place that was given.
    pub fn last_place(&self) -> Place {
        self.last_place
    }

    /// Whether an operation at or before `place` is left.
    pub fn has_up_to(&self, place: Place) -> bool {
        self.entries
            .first_key_value()
            .is_some_and(|(first, _)| *first <= place)
    }

    /// Whether the operation at `place` is left.
    pub fn has(&self, place: Place) -> bool {
        self.entries.contains_key(&place)
    }

    /// Whether a group waits to be tried.
    pub fn has_waiting_group(&self) -> bool {
        self.groups.iter().any(|place| !self.is_on_the_way(*place))
    }

    /// Whether something is left of one of the keys, or a clear over one.
    pub fn has_any(&self, keys: &[Arc<str>]) -> bool {
        !self.is_empty()
            && keys
                .iter()
                .any(|key| self.keys.contains_key(key) || self.newest_clear(key).is_some())
    }

    /// Whether the operation at `place` is on its way.
    pub fn is_on_the_way(&self, place: Place) -> bool {
        let entry = self.entries.get(&place);
        entry.is_some_and(|entry| entry.batch.is_some())
    }

    /// Adds an operation; gives its place, which is that of the one it replaces, if any.
    pub fn push(&mut self, operation: Operation) -> Place {
        match &operation.change {
            Change::Clear => return self.push_clear(operation),
            Change::Commit(group) => {
                let group = group.clone();
                let place = self.insert(operation);
                for key in group.keys() {
                    self.add_place(key, place);
                }
                self.groups.insert(place);
                return place;
            }
            _ => {}
        }
        if self.merges
            && let Some(place) = self.waiting_alone(&operation.key)
            && let Some(entry) = self.entries.get_mut(&place)
        {
            entry.operation = operation;
            return place;
        }
        let key = operation.key.clone();
        let place = self.insert(operation);
        self.add_place(&key, place);
        place
    }

    fn add_place(&mut self, key: &Arc<str>, place: Place) {
        match self.keys.get_mut(key) {
            Some(places) => places.later.push_back(place),
            None => {
                let places = Places {
                    first: place,
                    later: VecDeque::new(),
                };
                self.keys.insert(key.clone(), places);
            }
        }
    }

    /// The place of the key's newest operation, if that waits and a newer one may take it.
    fn waiting_alone(&self, key: &str) -> Option<Place> {
        let newest = self.keys.get(key)?.newest();
        let entry = self.entries.get(&newest)?;
        let waits = entry.batch.is_none() && entry.operation.is_of_item();
        // A clear leaves what a group has to find: that may wait before the clear.
        let is_before_clear = || self.newest_clear(key).is_some_and(|clear| clear > newest);
        (waits && !is_before_clear()).then_some(newest)
    }

    /// Whether a group that is newer has to find what the operation does.
    fn is_before_group(&self, place: Place, operation: &Operation) -> bool {
        let mut newer = self
            .groups
            .range((Bound::Excluded(place), Bound::Unbounded))
            .filter_map(|place| self.entries.get(place)?.operation.group());
        newer.any(|group| waits_for(group, operation))
    }

    fn push_clear(&mut self, operation: Operation) -> Place {
        let base = operation.key.clone();
        let superseded: Vec<Place> = self
            .entries
            .iter()
            .filter(|(place, entry)| {
                let operation = &entry.operation;
                entry.batch.is_none()
                    && operation.group().is_none()
                    && operation.goes_with(&base)
                    && !self.is_before_group(**place, operation)
            })
            .map(|(place, _)| *place)
            .collect();
        for place in superseded {
            self.remove(place);
        }
        let place = self.insert(operation);
        self.clears.insert(place, base);
        place
    }

    fn insert(&mut self, operation: Operation) -> Place {
        self.last_place += 1;
        let entry = Entry {
            operation,
            batch: None,
            is_accepted: true,
        };
        self.entries.insert(self.last_place, entry);
        self.last_place
    }

    fn remove(&mut self, place: Place) {
        let Some(entry) = self.entries.remove(&place) else {
            return;
        };
        self.handed_out -= usize::from(entry.batch.is_some());
        self.unaccepted -= usize::from(!entry.is_accepted);
        match &entry.operation.change {
            Change::Clear => {
                self.clears.remove(&place);
            }
            Change::Commit(group) => {
                self.groups.remove(&place);
                for key in group.keys() {
                    self.remove_place(key, place);
                }
            }
            _ => self.remove_place(&entry.operation.key, place),
        }
    }

    fn remove_place(&mut self, key: &str, place: Place) {
        let Some(places) = self.keys.get_mut(key) else {
            return;
        };
        if places.first != place {
            places.later.retain(|other| *other != place);
        } else if let Some(next) = places.later.pop_front() {
            places.first = next;
        } else {
            self.keys.remove(key);
        }
    }

    /// Says that the caller of an operation waits for room.
    pub fn set_unaccepted(&mut self, place: Place) {
        if let Some(entry) = self.entries.get_mut(&place)
            && entry.is_accepted
        {
            entry.is_accepted = false;
            self.unaccepted += 1;
        }
    }

    /// Says that there is room for an operation.
    pub fn accept(&mut self, place: Place) {
        if let Some(entry) = self.entries.get_mut(&place)
            && !entry.is_accepted
        {
            entry.is_accepted = true;
            self.unaccepted -= 1;
        }
    }

    /// Whether a merge would put an operation of this key where one is accepted already.
    pub fn has_accepted(&self, place: Place) -> bool {
        self.entries
            .get(&place)
            .is_some_and(|entry| entry.is_accepted)
    }

    /// The newest clear over the key.
    fn newest_clear(&self, key: &str) -> Option<Place> {
        self.clears
            .iter()
            .rev()
            .find(|(_, base)| clears(base, key))
            .map(|(place, _)| *place)
    }

    /// Whether a clear over the key is older than `place`.
    fn is_behind_clear(&self, place: Place, key: &str) -> bool {
        self.clears
            .range(..place)
            .any(|(_, base)| clears(base, key))
    }

    /// The newest operation of the item alone. Of a group that is under way a read sees what has taken
    /// effect.
    fn newest_of_item(&self, key: &str) -> Option<(Place, &Entry)> {
        self.keys.get(key)?.all().rev().find_map(|place| {
            let entry = self.entries.get(&place)?;
            entry.operation.is_of_item().then_some((place, entry))
        })
    }

    /// What a read of the key sees.
    pub fn read(&self, key: &str, now_ms: u64) -> Seen<'_> {
        let newest = self.newest_of_item(key);
        let clear = self.newest_clear(key);
        if clear.is_some() && clear > newest.map(|(place, _)| place) {
            return Seen::Gone;
        }
        let Some((_, entry)) = newest else {
            return Seen::Nothing;
        };
        match entry.operation.live_value(now_ms) {
            Some(value) => Seen::Value(&entry.operation, value),
            None => Seen::Gone,
        }
    }

    /// What there is to change in a listing of the keys under `base`.
    pub fn overlay(&self, base: &str, now_ms: u64) -> Overlay {
        let mut overlay = Overlay {
            cleared: self.clears.values().cloned().collect(),
            ..Overlay::default()
        };
        for key in self.keys.keys().filter(|key| key::is_under(key, base)) {
            match self.read(key, now_ms) {
                Seen::Value(..) => {
                    overlay.present.insert(key.clone());
                }
                Seen::Gone => {
                    overlay.gone.insert(key.clone());
                }
                Seen::Nothing => {}
            }
        }
        overlay
    }

    /// The accepted operations on items, oldest first.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.entries
            .values()
            .filter(|entry| entry.is_accepted && entry.operation.is_of_item())
            .map(|entry| &entry.operation)
    }

    /// The newest accepted operation of a key.
    pub fn operation(&self, key: &str) -> Option<&Operation> {
        let all = self.keys.get(key)?.all();
        all.rev()
            .filter_map(|place| self.entries.get(&place))
            .find(|entry| entry.is_accepted && entry.operation.is_of_item())
            .map(|entry| &entry.operation)
    }

    /// Hands out at most `limit` operations of the places after `after` up to `up_to`, and says how
    /// far it looked. Operations that must wait for others are passed over.
    pub fn take(&mut self, after: Place, up_to: Place, limit: usize) -> Option<(Batch, Place)> {
        if after >= up_to {
            return None;
        }
        let mut places = Vec::new();
        let mut taken: FxHashSet<&str> = FxHashSet::default();
        let mut looked_to = after;
        for (&place, entry) in self
            .entries
            .range((Bound::Excluded(after), Bound::Included(up_to)))
        {
            if entry.batch.is_some() {
                looked_to = place;
                continue;
            }
            let key = &*entry.operation.key;
            if !entry.operation.is_of_item() {
                if !places.is_empty() {
                    break;
                }
                looked_to = place;
                let is_held_up = match entry.operation.group() {
                    Some(group) => self.is_group_held_up(place, group),
                    None => self.is_clear_held_up(place, key),
                };
                if is_held_up {
                    continue;
                }
                places.push(place);
                break;
            }
            let is_next = taken.contains(key) || self.keys[key].first == place;
            looked_to = place;
            if is_next && !self.is_behind_clear(place, key) {
                places.push(place);
                taken.insert(key);
                if places.len() == limit {
                    break;
                }
            }
        }
        if places.is_empty() {
            return None;
        }
        Some((self.hand_out(places), looked_to))
    }

    /// What is on its way and may be written once more, oldest first, and whether all that was added up to
    /// `up_to` is among it.
    pub fn on_the_way(&self, up_to: Place) -> (Vec<Operation>, bool) {
        let mut operations = Vec::new();
        let mut is_all = true;
        for entry in self.entries.range(..=up_to).map(|(_, entry)| entry) {
            match entry.batch {
                // A group changes what it finds: twice is not once.
                Some(_) if entry.operation.group().is_none() => {
                    operations.push(entry.operation.clone());
                }
                _ => is_all = false,
            }
        }
        (operations, is_all)
    }

    /// Whether something older under the base of a clear is left.
    fn is_clear_held_up(&self, place: Place, base: &str) -> bool {
        self.entries
            .range(..place)
            .any(|(_, entry)| entry.operation.goes_with(base))
    }

    /// Whether something older of one of the keys of a group is left, or an older clear over one.
    fn is_group_held_up(&self, place: Place, group: &QueuedGroup) -> bool {
        group
            .keys()
            .iter()
            .any(|key| self.keys[key].first != place || self.is_behind_clear(place, key))
    }

    fn hand_out(&mut self, places: Vec<Place>) -> Batch {
        self.last_batch += 1;
        let id = self.last_batch;
        let mut operations = Vec::with_capacity(places.len());
        for place in places {
            if let Some(entry) = self.entries.get_mut(&place) {
                entry.batch = Some(id);
                self.handed_out += 1;
                operations.push((place, entry.operation.clone()));
            }
        }
        Batch { id, operations }
    }

    /// Takes what waits for a key, for a write that must not wait.
    pub fn take_key(&mut self, key: &str) -> Before {
        let over: Vec<Place> = self
            .clears
            .iter()
            .filter(|(_, base)| clears(base, key))
            .map(|(place, _)| *place)
            .collect();
        let places: Vec<Place> = self
            .keys
            .get(key)
            .map_or_else(Vec::new, |places| places.all().collect());
        if self.any_handed_out(over.iter().chain(&places)) {
            return Before::Busy;
        }
        if !over.is_empty() || self.any_group(&places) {
            return Before::First;
        }
        Before::Taken(self.hand_out(places))
    }

    /// Takes what waits under a base, for a clear that must not wait.
    pub fn take_base(&mut self, base: &str) -> Before {
        let places: Vec<Place> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.operation.goes_with(base))
            .map(|(place, _)| *place)
            .collect();
        if self.any_handed_out(places.iter()) {
            return Before::Busy;
        }
        if self.any_group(&places) {
            return Before::First;
        }
        Before::Taken(self.hand_out(places))
    }

    fn any_group(&self, places: &[Place]) -> bool {
        places.iter().any(|place| self.groups.contains(place))
    }

    fn any_handed_out<'a>(&self, mut places: impl Iterator<Item = &'a Place>) -> bool {
        places.any(|place| self.is_on_the_way(*place))
    }

    /// The operation took effect.
    pub fn done(&mut self, place: Place) {
        self.remove(place);
    }

    /// The operation did not take effect: it waits on, unless a newer one made it pointless.
    pub fn failed(&mut self, place: Place) {
        let Some(entry) = self.entries.get_mut(&place) else {
            return;
        };
        if entry.batch.take().is_some() {
            self.handed_out -= 1;
        }
        let operation = entry.operation.clone();
        let clear = self.newest_clear(&operation.key);
        if operation.group().is_some() {
            // It was not tried.
        } else if clear.is_some_and(|clear| clear > place) {
            if !self.is_before_group(place, &operation) {
                self.remove(place);
            }
        } else if self.merges && !operation.is_clear() {
            self.fold(place, &operation.key);
        }
    }

    /// Drops the groups that must not be made before an operation that failed; gives their places.
    pub fn reject_behind(&mut self, place: Place) -> Vec<Place> {
        let Some(entry) = self.entries.get(&place) else {
            return Vec::new();
        };
        let operation = &entry.operation;
        let newer = self
            .groups
            .range((Bound::Excluded(place), Bound::Unbounded));
        let rejected: Vec<Place> = newer
            .copied()
            .filter(|newer| {
                let group = self
                    .entries
                    .get(newer)
                    .and_then(|entry| entry.operation.group());
                group.is_some_and(|group| waits_for(group, operation))
            })
            .collect();
        for place in &rejected {
            self.remove(*place);
        }
        rejected
    }

    /// Puts the newest operation of a key at `place`, the oldest of the key, where everything of the
    /// key waits; nothing gets past a group.
    fn fold(&mut self, place: Place, key: &str) {
        let Some(places) = self.keys.get(key).filter(|places| places.first == place) else {
            return;
        };
        let is_group = |place: &Place| self.groups.contains(place);
        let later: Vec<Place> = places
            .later
            .iter()
            .copied()
            .take_while(|place| !is_group(place))
            .collect();
        let Some(newest) = later.last().and_then(|newest| self.entries.get(newest)) else {
            return;
        };
        let operation = newest.operation.clone();
        for place in later {
            self.remove(place);
        }
        if let Some(entry) = self.entries.get_mut(&place) {
            entry.operation = operation;
        }
    }

    /// Drops everything; gives how many operations that were.
    pub fn abandon(&mut self) -> usize {
        let count = self.entries.len();
        self.entries.clear();
        self.keys.clear();
        self.clears.clear();
        self.groups.clear();
        self.handed_out = 0;
        self.unaccepted = 0;
        count
    }
}
