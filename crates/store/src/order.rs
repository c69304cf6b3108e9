//! The one order of a store: what is asked of it takes effect, and is seen, in the order of the calls.
//!
//! A write takes its sequence number ([`Sequenced`]) when it is asked for and uses it on whatever
//! thread does the work. A write that comes late, after a newer one of its key took effect, is
//! dropped: the newer one has overwritten it. Until it has taken effect or failed, its [`Change`] is here for reads to see.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;

use crate::pending::Change;
use crate::pool::{self, Turns};
use eas_core::error::Result;
use eas_core::key;
use eas_core::runtime::lock;

/// The order of one store.
#[derive(Default)]
pub(super) struct Order {
    state: Mutex<State>,
    finished: Condvar,
    /// How many writes are pending: a read that finds none looks no further.
    pending: AtomicUsize,
    /// How many groups are open: a write that finds none waits for none.
    groups: AtomicUsize,
}

#[derive(Default)]
struct State {
    last_number: u64,
    /// Writes that are not finished, oldest first.
    open: BTreeMap<u64, Arc<str>>,
    /// The numbers of clears that are not finished, with whether other threads finish them without
    /// the JS thread.
    clears: BTreeMap<u64, bool>,
    keys: FxHashMap<Arc<str>, KeyState>,
    waiters: Vec<Waiter>,
    /// How many threads wait for something to be finished: to wake nobody is a system call too.
    blocked: usize,
}

struct KeyState {
    /// How many open writes the key has. Its entry goes with the last, unless a clear that is older
    /// than what took effect may still come to it.
    open: usize,
    applied: Arc<Applied>,
    /// The newest pending change, with its number.
    newest: Option<(u64, Change)>,
    /// Those before it, oldest first.
    older: Vec<(u64, Change)>,
    /// The numbers of the open groups that the key is part of, oldest first.
    groups: Vec<u64>,
}

/// What took effect of one key.
#[derive(Default)]
struct Applied {
    /// Held while a write of the key is under way.
    turns: Turns,
    /// The newest number that took effect.
    newest: AtomicU64,
}

/// What somebody waits for.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// The writes of one key.
    Key(Box<str>),
    /// The writes under a base, which is empty or ends in `:`.
    Under(Box<str>),
    /// Every write and every clear.
    All,
}

impl Scope {
    /// `None` stands for a clear.
    fn covers(&self, key: Option<&str>) -> bool {
        match (self, key) {
            (Scope::All, _) => true,
            (_, None) => false,
            (Scope::Key(own), Some(key)) => **own == *key,
            (Scope::Under(base), Some(key)) => key::is_under(key, base),
        }
    }
}

/// Somebody who is notified when what was asked for before is done.
struct Waiter {
    /// The newest number that counts.
    up_to: u64,
    scope: Scope,
    /// How much of it is not finished.
    left: usize,
    done: oneshot::Sender<()>,
}

/// The right to write one key, at its place in the order.
pub(super) struct Sequenced {
    order: Arc<Order>,
    number: u64,
    key: Arc<str>,
    applied: Arc<Applied>,
    role: Role,
    /// Whether a group of the key was open when the sequence number was taken.
    pub(super) is_behind_group: bool,
}

/// What a sequence number stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A write, which reads see until it has taken effect.
    Write,
    /// A removal by a clear, which is known only once the clear has listed.
    Clear,
    /// A part of a group, which nobody sees before all of it has taken effect.
    Group,
}

impl Order {
    /// A write of `key` with the next sequence number.
    pub(super) fn sequenced(self: &Arc<Self>, key: &str, change: Change) -> Sequenced {
        self.sequence(1).next(key, change)
    }

    /// Gives the next sequence numbers, for about so many keys. No write may be dropped before this is.
    pub(super) fn sequence(self: &Arc<Self>, count: usize) -> Sequence<'_> {
        let mut state = lock(&self.state);
        state.keys.reserve(count);
        Sequence { order: self, state }
    }

    /// The next place in the order, for a clear: its keys are not known yet.
    pub(super) fn clear(self: &Arc<Self>) -> Clear {
        let mut state = lock(&self.state);
        state.last_number += 1;
        let number = state.last_number;
        state.clears.insert(number, false);
        Clear {
            order: self.clone(),
            number,
        }
    }

    /// The next place in the order, for changes of these keys that are made as one and look at what is
    /// there: everything older of these keys comes before them, everything newer after.
    pub(super) fn group<'a>(self: &Arc<Self>, keys: impl IntoIterator<Item = &'a str>) -> Group {
        let mut state = lock(&self.state);
        self.groups.fetch_add(1, Ordering::Release);
        let first = state.last_number + 1;
        let sequenced = keys.into_iter().map(|key| {
            state.last_number += 1;
            let number = state.last_number;
            let (key, entry) = state.join(key);
            entry.groups.push(number);
            let applied = entry.applied.clone();
            state.open.insert(number, key.clone());
            Sequenced {
                order: self.clone(),
                number,
                key,
                applied,
                role: Role::Group,
                is_behind_group: false,
            }
        });
        let sequenced = sequenced.collect();
        Group { first, sequenced }
    }

    /// The place in the order that comes after everything asked for so far.
    pub(super) fn now(&self) -> u64 {
        lock(&self.state).last_number
    }

    /// Whether nothing at all is under way.
    pub(super) fn is_idle(&self) -> bool {
        let state = lock(&self.state);
        state.open.is_empty() && state.clears.is_empty()
    }

    /// Whether any write is pending.
    #[inline]
    pub(super) fn has_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire) > 0
    }

    /// What the newest pending write of a key does; `None` where the store has the answer.
    pub(super) fn pending(&self, key: &str) -> Option<Change> {
        let state = lock(&self.state);
        let (_, change) = state.keys.get(key)?.newest.as_ref()?;
        Some(change.clone())
    }

    /// The keys under a base that have pending writes, with what the newest of each does.
    pub(super) fn pending_under(&self, base: &str) -> Vec<(Arc<str>, Change)> {
        let state = lock(&self.state);
        let pending = state.keys.iter().filter_map(|(key, entry)| {
            let (_, change) = entry.newest.as_ref()?;
            key::is_under(key, base).then(|| (key.clone(), change.clone()))
        });
        pending.collect()
    }

    /// Completes when everything of that scope that was asked for before is done; `None` where it is.
    pub(super) fn done(&self, scope: Scope) -> Option<oneshot::Receiver<()>> {
        let mut state = lock(&self.state);
        let writes = state.open.values().map(|key| Some(&**key));
        let clears = state.clears.keys().map(|_| None);
        let left = writes
            .chain(clears)
            .filter(|key| scope.covers(*key))
            .count();
        if left == 0 {
            return None;
        }
        let (done, receiver) = oneshot::channel();
        let up_to = state.last_number;
        state.waiters.push(Waiter {
            up_to,
            scope,
            left,
            done,
        });
        Some(receiver)
    }

    /// Whether something up to that place is not done that needs no JS thread.
    pub(super) fn is_behind(&self, up_to: u64) -> bool {
        lock(&self.state).is_behind(up_to)
    }

    /// Blocks until everything up to that place is done that needs no JS thread; `progressed` is called
    /// whenever something is.
    pub(super) fn wait(&self, up_to: u64, progressed: impl Fn()) {
        self.wait_while(|state| state.is_behind(up_to), progressed);
    }

    fn wait_while(&self, waits: impl Fn(&State) -> bool, progressed: impl Fn()) {
        let mut state = lock(&self.state);
        if !waits(&state) {
            return;
        }
        // Those that write may be waiting for another process.
        drop(state);
        let _aside = pool::step_aside();
        state = lock(&self.state);
        while waits(&state) {
            state.blocked += 1;
            state = self
                .finished
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.blocked -= 1;
            progressed();
        }
    }

    /// Notifies those who wait that something is finished.
    fn finish(&self, state: MutexGuard<'_, State>, done: Vec<oneshot::Sender<()>>) {
        let is_awaited = state.blocked > 0;
        drop(state);
        if is_awaited {
            self.finished.notify_all();
        }
        notify(done);
    }
}

/// Gives sequence numbers that follow each other; nothing else comes in between.
pub(super) struct Sequence<'a> {
    order: &'a Arc<Order>,
    state: MutexGuard<'a, State>,
}

impl Sequence<'_> {
    /// A write of `key` with the next sequence number.
    pub(super) fn next(&mut self, key: &str, change: Change) -> Sequenced {
        self.state.last_number += 1;
        let number = self.state.last_number;
        let (key, entry) = self.state.join(key);
        if let Some(older) = entry.newest.replace((number, change)) {
            entry.older.push(older);
        }
        let applied = entry.applied.clone();
        let is_behind_group = !entry.groups.is_empty();
        self.state.open.insert(number, key.clone());
        self.order.pending.fetch_add(1, Ordering::Release);
        Sequenced {
            order: self.order.clone(),
            number,
            key,
            applied,
            role: Role::Write,
            is_behind_group,
        }
    }
}

/// The place in the order of a clear.
pub(super) struct Clear {
    order: Arc<Order>,
    number: u64,
}

impl Clear {
    /// The removal of `key` with the sequence number of the clear.
    pub(super) fn sequenced(&self, key: &str) -> Sequenced {
        let mut state = lock(&self.order.state);
        let (key, entry) = state.join(key);
        let applied = entry.applied.clone();
        Sequenced {
            order: self.order.clone(),
            number: self.number,
            key,
            applied,
            role: Role::Clear,
            is_behind_group: false,
        }
    }

    /// Blocks until every older write under `base` is finished.
    pub(super) fn wait_for_older(&self, base: &str) {
        self.order.wait_while(
            |state| {
                let mut older = state.open.range(..self.number);
                older.any(|(_, key)| key::is_under(key, base))
            },
            || (),
        );
    }

    /// Says that other threads finish this without the JS thread.
    pub(super) fn needs_no_js(&self) {
        lock(&self.order.state).clears.insert(self.number, true);
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        let mut state = lock(&self.order.state);
        state.clears.remove(&self.number);
        let oldest = state.oldest_clear();
        state.keys.retain(|_, entry| entry.is_needed(oldest));
        let done = state.finish(self.number, None);
        self.order.finish(state, done);
    }
}

/// Notifies those who waited; one that went away needs no answer.
fn notify(done: Vec<oneshot::Sender<()>>) {
    for done in done {
        let _ = done.send(());
    }
}

impl KeyState {
    /// `oldest` is the number of the oldest clear that is not finished.
    fn is_needed(&self, oldest: Option<u64>) -> bool {
        self.open > 0
            || oldest.is_some_and(|oldest| self.applied.newest.load(Ordering::Acquire) > oldest)
    }

    /// Forgets a change that took effect or failed, and those that will not take effect any more.
    fn forget(&mut self, number: u64) {
        let applied = self.applied.newest.load(Ordering::Acquire);
        let is_over = |other: u64| other == number || other <= applied;
        self.older.retain(|(other, _)| !is_over(*other));
        if self
            .newest
            .as_ref()
            .is_some_and(|(other, _)| is_over(*other))
        {
            self.newest = self.older.pop();
        }
    }
}

impl State {
    fn oldest_clear(&self) -> Option<u64> {
        self.clears.first_key_value().map(|(number, _)| *number)
    }

    /// Whether a group of the key, older than that place, is open.
    fn is_behind_group(&self, key: &str, number: u64) -> bool {
        let entry = self.keys.get(key);
        entry.is_some_and(|entry| entry.groups.first().is_some_and(|first| *first < number))
    }

    fn is_behind(&self, up_to: u64) -> bool {
        let mut clears = self.clears.range(..=up_to);
        self.open.range(..=up_to).next().is_some() || clears.any(|(_, needs_no_js)| *needs_no_js)
    }

    fn join(&mut self, key: &str) -> (Arc<str>, &mut KeyState) {
        // Few keys have open writes already: looking for one first would take as long again.
        let entry = self.keys.entry(key.into());
        let key = entry.key().clone();
        let state = entry.or_insert_with(|| KeyState {
            open: 0,
            applied: Arc::default(),
            newest: None,
            older: Vec::new(),
            groups: Vec::new(),
        });
        state.open += 1;
        (key, state)
    }

    /// Notes that something is done, of a key or a clear, and gives those who waited for the last of it.
    fn finish(&mut self, number: u64, key: Option<&str>) -> Vec<oneshot::Sender<()>> {
        let mut done = Vec::new();
        if self.waiters.is_empty() {
            return done;
        }
        for index in (0..self.waiters.len()).rev() {
            let waiter = &mut self.waiters[index];
            if waiter.scope.covers(key) && number <= waiter.up_to {
                waiter.left -= 1;
                if waiter.left == 0 {
                    done.push(self.waiters.swap_remove(index).done);
                }
            }
        }
        done
    }
}

impl Sequenced {
    /// The key that it is of.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The key, to be kept.
    pub(super) fn shared_key(&self) -> Arc<str> {
        self.key.clone()
    }

    /// Blocks until every older group of the key is done: it looks at what is there.
    fn wait_for_groups(&self) {
        if self.order.groups.load(Ordering::Acquire) > 0 {
            self.order
                .wait_while(|state| state.is_behind_group(&self.key, self.number), || ());
        }
    }

    /// Does the write, unless a newer one of the key has taken effect. Waits for a write of the
    /// key that is under way.
    pub(super) fn run(self, write: impl FnOnce(&str) -> Result<()>) -> Result<()> {
        self.wait_for_groups();
        let _turn = self.applied.turns.take();
        if self.applied.newest.load(Ordering::Acquire) > self.number {
            return Ok(());
        }
        write(&self.key)?;
        self.applied.newest.store(self.number, Ordering::Release);
        Ok(())
    }
}

/// Does several writes as one. `apply` gets the places of those that take effect: of each key the newest,
/// unless one that is newer still has taken effect already. Waits for writes of the keys that are under way.
pub(super) fn run_as_one<T>(
    sequenced: &[Sequenced],
    apply: impl FnOnce(&[usize]) -> Result<T>,
) -> Result<T> {
    sequenced.iter().for_each(Sequenced::wait_for_groups);
    let mut places: Vec<usize> = (0..sequenced.len()).collect();
    // Who holds a key and waits for the next one waits for a greater key: nobody waits in a circle.
    places.sort_unstable_by_key(|place| (&sequenced[*place].key, sequenced[*place].number));
    let is_newest = |index: usize| {
        let next = places.get(index + 1);
        next.is_none_or(|next| sequenced[*next].key != sequenced[places[index]].key)
    };
    let newest: Vec<usize> = (0..places.len())
        .filter(|index| is_newest(*index))
        .map(|index| places[index])
        .collect();
    let _turns: Vec<_> = newest
        .iter()
        .map(|place| sequenced[*place].applied.turns.take())
        .collect();
    let mut effective: Vec<usize> = newest
        .into_iter()
        .filter(|place| {
            let sequenced = &sequenced[*place];
            sequenced.applied.newest.load(Ordering::Acquire) <= sequenced.number
        })
        .collect();
    effective.sort_unstable();
    let applied = apply(&effective)?;
    for place in effective {
        let sequenced = &sequenced[place];
        sequenced
            .applied
            .newest
            .store(sequenced.number, Ordering::Release);
    }
    Ok(applied)
}

/// The place in the order of changes that are made as one.
pub(super) struct Group {
    /// The first of the numbers of its keys, which follow each other.
    first: u64,
    sequenced: Vec<Sequenced>,
}

impl Group {
    /// Makes the changes: `apply` says whether it did. Waits for everything older of the keys, and for
    /// older clears.
    pub(super) fn run<T>(
        self,
        apply: impl FnOnce() -> Result<T>,
        is_made: impl FnOnce(&T) -> bool,
    ) -> Result<T> {
        if let Some(sequenced) = self.sequenced.first() {
            let keys: FxHashSet<&str> = self.sequenced.iter().map(Sequenced::key).collect();
            sequenced.order.wait_while(
                |state| {
                    let mut older = state.open.range(..self.first);
                    state.clears.range(..self.first).next().is_some()
                        || older.any(|(_, key)| keys.contains(&**key))
                },
                || (),
            );
        }
        let applied = apply()?;
        if is_made(&applied) {
            for sequenced in &self.sequenced {
                sequenced
                    .applied
                    .newest
                    .store(sequenced.number, Ordering::Release);
            }
        }
        Ok(applied)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(order) = self
            .sequenced
            .first()
            .map(|sequenced| sequenced.order.clone())
        else {
            return;
        };
        self.sequenced.clear();
        order.groups.fetch_sub(1, Ordering::Release);
    }
}

impl Drop for Sequenced {
    fn drop(&mut self) {
        let mut state = lock(&self.order.state);
        let mut done = Vec::new();
        let oldest = state.oldest_clear();
        if let Some(entry) = state.keys.get_mut(&self.key) {
            entry.open -= 1;
            if self.role == Role::Group {
                entry.groups.retain(|number| *number != self.number);
            }
            entry.forget(self.number);
            if !entry.is_needed(oldest) {
                state.keys.remove(&self.key);
            }
        }
        if self.role != Role::Clear {
            state.open.remove(&self.number);
            done = state.finish(self.number, Some(&self.key));
        }
        if self.role == Role::Write {
            self.order.pending.fetch_sub(1, Ordering::Release);
        }
        self.order.finish(state, done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pending::{AsText, Pending};
    use eas_core::error::{Error, Kind};
    use eas_core::store::StoreInfo;
    use eas_core::value::Value;
    use std::cell::RefCell;

    #[test]
    fn a_late_write_does_not_overwrite_a_newer_one() {
        let order = Arc::new(Order::default());
        let (first, second) = (
            order.sequenced("a", Change::Remove),
            order.sequenced("a", Change::Remove),
        );
        let written = RefCell::new(Vec::new());
        let write = |value| {
            let written = &written;
            move |_: &str| {
                written.borrow_mut().push(value);
                Ok(())
            }
        };
        second.run(write(2)).expect("written");
        first.run(write(1)).expect("dropped");
        assert_eq!(*written.borrow(), [2]);
    }

    #[test]
    fn of_writes_made_as_one_the_newest_of_each_key_takes_effect() {
        let order = Arc::new(Order::default());
        let of = |key| order.sequenced(key, Change::Remove);
        let sequenced = [of("b"), of("a"), of("b"), of("c")];
        of("c").run(|_| Ok(())).expect("written");
        let done = run_as_one(&sequenced, |places| Ok(places.to_vec()));
        assert_eq!(done.expect("written"), [1, 2]);
        drop(sequenced);
        assert!(!order.has_pending());
    }

    #[test]
    fn writes_made_as_one_by_many_threads_wait_in_no_circle() {
        let order = Arc::new(Order::default());
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let order = order.clone();
                std::thread::spawn(move || {
                    for round in 0..200 {
                        let mut keys = ["a", "b", "c", "d", "e"];
                        keys.rotate_left((round + thread) % 5);
                        let sequenced: Vec<_> = keys
                            .iter()
                            .map(|key| order.sequenced(key, Change::Remove))
                            .collect();
                        run_as_one(&sequenced, |_| Ok(())).expect("written");
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert!(!order.has_pending());
    }

    #[test]
    fn an_older_write_takes_effect_when_the_newer_one_failed() {
        let order = Arc::new(Order::default());
        let (first, second) = (
            order.sequenced("a", Change::Remove),
            order.sequenced("a", Change::Remove),
        );
        second
            .run(|_| Err(Error::new(Kind::System("EIO"), "no")))
            .expect_err("fails");
        let mut done = false;
        first
            .run(|_| {
                done = true;
                Ok(())
            })
            .expect("written");
        assert!(done);
    }

    #[test]
    fn a_clear_drops_what_it_does_to_those_written_since() {
        let order = Arc::new(Order::default());
        order
            .sequenced("a", Change::Remove)
            .run(|_| Ok(()))
            .expect("written");
        let clear = order.clear();
        order
            .sequenced("b", Change::Remove)
            .run(|_| Ok(()))
            .expect("written");
        let mut done = Vec::new();
        for key in ["a", "b"] {
            let write = |key: &str| {
                done.push(key.to_owned());
                Ok(())
            };
            clear.sequenced(key).run(write).expect("written or dropped");
        }
        assert_eq!(done, ["a"]);
    }

    #[test]
    fn nothing_is_kept_of_finished_writes() {
        let order = Arc::new(Order::default());
        for key in ["a", "b", "a"] {
            order
                .sequenced(key, Change::Remove)
                .run(|_| Ok(()))
                .expect("written");
        }
        let clear = order.clear();
        clear.sequenced("c").run(|_| Ok(())).expect("written");
        order
            .sequenced("d", Change::Remove)
            .run(|_| Ok(()))
            .expect("written");
        drop(clear);
        let state = lock(&order.state);
        assert!(state.keys.is_empty() && state.open.is_empty());
    }

    #[test]
    fn waiting_is_for_older_writes_under_the_base_only() {
        let order = Arc::new(Order::default());
        let other = order.sequenced("b:x", Change::Remove);
        let older = order.sequenced("a:x", Change::Remove);
        let clear = order.clear();
        let newer = order.sequenced("a:y", Change::Remove);
        let waiting = std::thread::spawn(move || clear.wait_for_older("a:"));
        drop(older);
        waiting.join().expect("no longer waits");
        drop((other, newer));
    }

    #[test]
    fn a_group_comes_after_what_is_older_of_its_keys_and_before_what_is_newer() {
        let order = Arc::new(Order::default());
        let log = Arc::new(Mutex::new(Vec::new()));
        let write = |name: &'static str| {
            let log = log.clone();
            move |_: &str| {
                log.lock().expect("whole").push(name);
                Ok(())
            }
        };
        let older = order.sequenced("a", Change::Remove);
        let group = order.group(["a", "b"]);
        let newer = order.sequenced("b", Change::Remove);
        let other = order.sequenced("c", Change::Remove);
        assert!(newer.is_behind_group && !other.is_behind_group);
        let (of_newer, of_group) = (write("newer"), write("group"));
        let threads = [
            std::thread::spawn(move || newer.run(of_newer)),
            std::thread::spawn(move || group.run(|| of_group(""), |()| true)),
        ];
        other.run(write("other")).expect("written");
        older.run(write("older")).expect("written");
        for thread in threads {
            thread.join().expect("no panic").expect("written");
        }
        assert_eq!(
            *log.lock().expect("whole"),
            ["other", "older", "group", "newer"]
        );
        let state = lock(&order.state);
        assert!(state.keys.is_empty() && state.open.is_empty());
        assert_eq!(order.groups.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_group_waits_for_older_clears_and_newer_clears_for_it() {
        let order = Arc::new(Order::default());
        let clear = order.clear();
        let group = order.group(["a"]);
        let second = order.clear();
        let is_done = Arc::new(AtomicUsize::new(0));
        let (made, seen) = (is_done.clone(), is_done.clone());
        let grouped = std::thread::spawn(move || {
            group.run(|| Ok(made.fetch_add(1, Ordering::SeqCst)), |_| true)
        });
        let cleared = std::thread::spawn(move || {
            second.wait_for_older("");
            seen.load(Ordering::SeqCst)
        });
        assert_eq!(is_done.load(Ordering::SeqCst), 0);
        drop(clear);
        grouped.join().expect("no panic").expect("made");
        assert_eq!(cleared.join().expect("no panic"), 1);
    }

    #[test]
    fn a_group_that_is_not_made_leaves_older_and_newer_writes_as_they_are() {
        let order = Arc::new(Order::default());
        let group = order.group(["a"]);
        assert!(!order.has_pending());
        group.run(|| Ok(()), |()| false).expect("no error");
        let mut is_written = false;
        let write = |_: &str| {
            is_written = true;
            Ok(())
        };
        order
            .sequenced("a", Change::Remove)
            .run(write)
            .expect("written");
        assert!(is_written);
    }

    fn set(text: &str) -> Change {
        let (store, value) = (StoreInfo::named("plain"), Value::Text(text.into()));
        Change::Set(Pending::new(&store, &value, false, None, 0))
    }

    /// The text that is pending, `-` for a removal.
    fn pending(order: &Order, key: &str) -> Option<String> {
        order.pending(key).map(|change| match change.seen(0) {
            AsText(Some(Value::Text(text))) => text.to_str().into_owned(),
            _ => "-".to_owned(),
        })
    }

    #[test]
    fn the_newest_change_of_a_key_is_pending_until_it_took_effect() {
        let order = Arc::new(Order::default());
        assert!(!order.has_pending());
        let first = order.sequenced("a", set("1"));
        let second = order.sequenced("a", set("2"));
        let third = order.sequenced("b", Change::Remove);
        assert_eq!(pending(&order, "a").as_deref(), Some("2"));
        assert_eq!(pending(&order, "b").as_deref(), Some("-"));
        assert_eq!(order.pending_under("b").len(), 1);
        second.run(|_| Ok(())).expect("written");
        // The first is late: it will not take effect any more.
        assert_eq!(pending(&order, "a"), None);
        assert!(order.has_pending());
        drop((first, third));
        assert!(!order.has_pending());
    }

    #[test]
    fn a_change_that_failed_is_pending_no_more() {
        let order = Arc::new(Order::default());
        let first = order.sequenced("a", set("1"));
        let second = order.sequenced("a", set("2"));
        second
            .run(|_| Err(Error::new(Kind::System("EIO"), "no")))
            .expect_err("fails");
        assert_eq!(pending(&order, "a").as_deref(), Some("1"));
        drop(first);
        assert_eq!(pending(&order, "a"), None);
    }

    #[test]
    fn who_waits_is_notified_when_the_last_of_it_is_done() {
        let order = Arc::new(Order::default());
        assert!(order.done(Scope::All).is_none());
        let (a, b) = (
            order.sequenced("a:x", set("1")),
            order.sequenced("b:x", set("1")),
        );
        let clear = order.clear();
        let mut key = order.done(Scope::Key("b:x".into())).expect("waits");
        let mut base = order.done(Scope::Under("a:".into())).expect("waits");
        let mut all = order.done(Scope::All).expect("waits");
        assert!(order.done(Scope::Key("c".into())).is_none());
        let newer = order.sequenced("a:x", set("2"));
        drop(a);
        assert!(base.try_recv().is_ok() && key.try_recv().is_err());
        drop(b);
        assert!(key.try_recv().is_ok() && all.try_recv().is_err());
        drop(clear);
        assert!(all.try_recv().is_ok());
        drop(newer);
    }
}
