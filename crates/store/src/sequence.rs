//! The order of writes: those of one key take effect in the order in which they were asked for.
//!
//! A write takes a [`Ticket`] when it is asked for and uses it on whatever thread does the work. A
//! write that comes late, after a newer one of its key took effect, is dropped: the newer one has
//! overwritten it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::pool::{self, Turns};
use eas_core::error::Result;
use eas_core::key;
use eas_core::runtime::lock;

/// Hands out tickets and keeps the order of each key.
#[derive(Default)]
pub(super) struct Sequence {
    state: Mutex<State>,
    finished: Condvar,
}

#[derive(Default)]
struct State {
    last_number: u64,
    /// Tickets that are not finished, oldest first.
    open: BTreeMap<u64, Arc<str>>,
    /// The numbers of writes of many keys that are not finished, with whether threads finish them
    /// without the host's.
    many: BTreeMap<u64, bool>,
    keys: FxHashMap<Arc<str>, KeyState>,
}

struct KeyState {
    /// How many open tickets the key has. Its entry goes with the last, unless a write of many keys
    /// that is older than what took effect may still come to it.
    open: usize,
    applied: Arc<Applied>,
}

/// What took effect of one key.
#[derive(Default)]
struct Applied {
    /// Had while a write of the key is under way.
    turns: Turns,
    /// The newest number that took effect.
    newest: AtomicU64,
}

/// The right to write one key, at its place in the order.
pub(super) struct Ticket {
    sequence: Arc<Sequence>,
    number: u64,
    key: Arc<str>,
    applied: Arc<Applied>,
    /// Whether the ticket is in `State::open`.
    listed: bool,
}

impl Sequence {
    /// The next ticket of `key`.
    pub(super) fn ticket(self: &Arc<Self>, key: &str) -> Ticket {
        self.tickets(1).next(key)
    }

    /// The next tickets, of about so many keys. No ticket may be dropped before this is.
    pub(super) fn tickets(self: &Arc<Self>, count: usize) -> Tickets<'_> {
        let mut state = lock(&self.state);
        state.keys.reserve(count);
        Tickets {
            sequence: self,
            state,
        }
    }

    /// The next place in the order, for a write of keys that are not known yet.
    pub(super) fn many(self: &Arc<Self>) -> Many {
        let mut state = lock(&self.state);
        state.last_number += 1;
        let number = state.last_number;
        state.many.insert(number, false);
        Many {
            sequence: self.clone(),
            number,
        }
    }
}

/// Hands out tickets that follow each other; nothing else comes in between.
pub(super) struct Tickets<'a> {
    sequence: &'a Arc<Sequence>,
    state: MutexGuard<'a, State>,
}

impl Tickets<'_> {
    /// The next ticket of `key`.
    pub(super) fn next(&mut self, key: &str) -> Ticket {
        self.state.last_number += 1;
        let number = self.state.last_number;
        let (key, applied) = self.state.join(key);
        self.state.open.insert(number, key.clone());
        Ticket {
            sequence: self.sequence.clone(),
            number,
            key,
            applied,
            listed: true,
        }
    }
}

/// The place in the order of a write of many keys.
pub(super) struct Many {
    sequence: Arc<Sequence>,
    number: u64,
}

impl Many {
    /// A ticket of `key` at this place.
    pub(super) fn ticket(&self, key: &str) -> Ticket {
        let (key, applied) = lock(&self.sequence.state).join(key);
        Ticket {
            sequence: self.sequence.clone(),
            number: self.number,
            key,
            applied,
            listed: false,
        }
    }

    /// Waits until every older write under `base` has finished.
    pub(super) fn wait_for_older(&self, base: &str) {
        self.wait_while(
            |state| {
                let mut older = state.open.range(..self.number);
                older.any(|(_, key)| key::is_under(key, base))
            },
            || (),
        );
    }

    /// Whether nothing older that needs no host is under way.
    pub(super) fn is_first(&self) -> bool {
        !self.is_behind(&lock(&self.sequence.state))
    }

    fn is_behind(&self, state: &State) -> bool {
        let mut older = state.many.range(..self.number);
        state.open.range(..self.number).next().is_some()
            || older.any(|(_, needs_no_host)| *needs_no_host)
    }

    /// Says that threads finish this without the host's.
    pub(super) fn needs_no_host(&self) {
        lock(&self.sequence.state).many.insert(self.number, true);
    }

    /// Waits until everything older that needs no host has finished; `moved` is told whenever
    /// something has.
    pub(super) fn wait_for_all_older(&self, moved: impl Fn()) {
        self.wait_while(|state| self.is_behind(state), moved);
    }

    fn wait_while(&self, waits: impl Fn(&State) -> bool, moved: impl Fn()) {
        let mut state = lock(&self.sequence.state);
        if !waits(&state) {
            return;
        }
        // Those that write may be waiting for another process.
        drop(state);
        let _aside = pool::step_aside();
        state = lock(&self.sequence.state);
        while waits(&state) {
            state = self
                .sequence
                .finished
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            moved();
        }
    }
}

impl Drop for Many {
    fn drop(&mut self) {
        let mut state = lock(&self.sequence.state);
        state.many.remove(&self.number);
        let oldest = state.oldest_many();
        state.keys.retain(|_, entry| entry.is_needed(oldest));
        drop(state);
        self.sequence.finished.notify_all();
    }
}

impl KeyState {
    /// `oldest` is the number of the oldest write of many keys that is not finished.
    fn is_needed(&self, oldest: Option<u64>) -> bool {
        self.open > 0
            || oldest.is_some_and(|oldest| self.applied.newest.load(Ordering::Acquire) > oldest)
    }
}

impl State {
    fn oldest_many(&self) -> Option<u64> {
        self.many.first_key_value().map(|(number, _)| *number)
    }

    fn join(&mut self, key: &str) -> (Arc<str>, Arc<Applied>) {
        // Few keys have open tickets already: looking for one first would take as long again.
        let entry = self.keys.entry(key.into());
        let key = entry.key().clone();
        let state = entry.or_insert_with(|| KeyState {
            open: 0,
            applied: Arc::default(),
        });
        state.open += 1;
        (key, state.applied.clone())
    }
}

impl Ticket {
    /// Does the write, unless a newer one of the key has taken effect. Waits for a write of the
    /// key that is under way.
    pub(super) fn run(self, write: impl FnOnce(&str) -> Result<()>) -> Result<()> {
        let _turn = self.applied.turns.take();
        if self.applied.newest.load(Ordering::Acquire) > self.number {
            return Ok(());
        }
        write(&self.key)?;
        self.applied.newest.store(self.number, Ordering::Release);
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = lock(&self.sequence.state);
        if self.listed {
            state.open.remove(&self.number);
        }
        let oldest = state.oldest_many();
        if let Some(entry) = state.keys.get_mut(&self.key) {
            entry.open -= 1;
            if !entry.is_needed(oldest) {
                state.keys.remove(&self.key);
            }
        }
        drop(state);
        self.sequence.finished.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eas_core::error::{Error, Kind};
    use std::cell::RefCell;

    #[test]
    fn a_late_write_does_not_overwrite_a_newer_one() {
        let sequence = Arc::new(Sequence::default());
        let (first, second) = (sequence.ticket("a"), sequence.ticket("a"));
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
    fn an_older_write_takes_effect_when_the_newer_one_failed() {
        let sequence = Arc::new(Sequence::default());
        let (first, second) = (sequence.ticket("a"), sequence.ticket("a"));
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
    fn a_write_of_many_keys_drops_what_it_does_to_those_written_since() {
        let sequence = Arc::new(Sequence::default());
        sequence.ticket("a").run(|_| Ok(())).expect("written");
        let many = sequence.many();
        sequence.ticket("b").run(|_| Ok(())).expect("written");
        let mut done = Vec::new();
        for key in ["a", "b"] {
            let write = |key: &str| {
                done.push(key.to_owned());
                Ok(())
            };
            many.ticket(key).run(write).expect("written or dropped");
        }
        assert_eq!(done, ["a"]);
    }

    #[test]
    fn nothing_is_kept_of_finished_writes() {
        let sequence = Arc::new(Sequence::default());
        for key in ["a", "b", "a"] {
            sequence.ticket(key).run(|_| Ok(())).expect("written");
        }
        let many = sequence.many();
        many.ticket("c").run(|_| Ok(())).expect("written");
        sequence.ticket("d").run(|_| Ok(())).expect("written");
        drop(many);
        let state = lock(&sequence.state);
        assert!(state.keys.is_empty() && state.open.is_empty());
    }

    #[test]
    fn waiting_is_for_older_writes_under_the_base_only() {
        let sequence = Arc::new(Sequence::default());
        let other = sequence.ticket("b:x");
        let older = sequence.ticket("a:x");
        let many = sequence.many();
        let newer = sequence.ticket("a:y");
        let waiting = std::thread::spawn(move || many.wait_for_older("a:"));
        drop(older);
        waiting.join().expect("no longer waits");
        drop((other, newer));
    }
}
