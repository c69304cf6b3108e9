//! What one thread of this process has at a time: whoever comes first has it first.
//!
//! A lock of the system is asked for again and again, and had by whoever asks at the right moment.
//! Among many threads of a process some would ask in vain for as long as others come. So the threads
//! stand in line first, and only the one at its head asks the system.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use eas_core::runtime::lock;
use rustc_hash::FxHashMap;

/// How long the threads of this process have something one after the other before they leave it to
/// other processes for a moment.
const OURS_FOR: Duration = Duration::from_millis(200);

/// The lines, one for each thing that somebody has.
pub(super) struct Lines<K>(Mutex<FxHashMap<K, Line>>);

struct Line {
    waiting: VecDeque<Arc<Place>>,
    /// How often it was passed on.
    passed_on: u64,
    /// Since when it was not left to others.
    since: Instant,
}

/// The place of one thread.
struct Place {
    thread: Thread,
    is_first: AtomicBool,
}

/// The right to be the only thread of this process that has it; ends when it is dropped.
pub(super) struct Turn<K: Clone + Eq + Hash> {
    lines: Arc<Lines<K>>,
    key: K,
}

/// A thread in line, which it leaves when this is dropped.
pub(super) struct Waiting<K: Clone + Eq + Hash> {
    lines: Arc<Lines<K>>,
    key: K,
    place: Arc<Place>,
}

/// What the patience of a thread in line counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// All of its wait.
    Everything,
    /// The time in which nobody was done.
    Standstill,
}

impl Count {
    /// Whether patience that has ended begins anew, by how often it was passed on then and now.
    fn goes_on(self, seen: &mut u64, passed_on: u64) -> bool {
        std::mem::replace(seen, passed_on) != passed_on && self == Count::Standstill
    }
}

impl<K> Default for Lines<K> {
    fn default() -> Self {
        Lines(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> Lines<K> {
    /// The turn, where nobody has it; a place in line where somebody does.
    pub(super) fn enter(self: &Arc<Self>, key: K) -> Result<Turn<K>, Waiting<K>> {
        let mut lines = lock(&self.0);
        match lines.entry(key.clone()) {
            Entry::Vacant(vacant) => {
                vacant.insert(Line {
                    waiting: VecDeque::new(),
                    passed_on: 0,
                    since: Instant::now(),
                });
                Ok(self.turn(key))
            }
            Entry::Occupied(mut occupied) => {
                let place = Arc::new(Place {
                    thread: thread::current(),
                    is_first: AtomicBool::new(false),
                });
                occupied.get_mut().waiting.push_back(place.clone());
                Err(Waiting {
                    lines: self.clone(),
                    key,
                    place,
                })
            }
        }
    }

    fn turn(self: &Arc<Self>, key: K) -> Turn<K> {
        Turn {
            lines: self.clone(),
            key,
        }
    }

    fn passed_on(&self, key: &K) -> u64 {
        lock(&self.0).get(key).map_or(0, |line| line.passed_on)
    }

    fn pass_on(&self, key: &K) {
        let mut lines = lock(&self.0);
        let Some(line) = lines.get_mut(key) else {
            return;
        };
        let Some(next) = line.waiting.pop_front() else {
            lines.remove(key);
            return;
        };
        line.passed_on += 1;
        next.is_first.store(true, Ordering::Release);
        drop(lines);
        next.thread.unpark();
    }
}

impl<K: Clone + Eq + Hash> Turn<K> {
    /// Whether this process had it for so long that others should get to it first.
    pub(super) fn is_overdue(&self) -> bool {
        let mut lines = lock(&self.lines.0);
        let line = lines.get_mut(&self.key);
        line.is_some_and(|line| {
            let is_overdue = line.since.elapsed() >= OURS_FOR;
            if is_overdue {
                line.since = Instant::now();
            }
            is_overdue
        })
    }
}

impl<K: Clone + Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        self.lines.pass_on(&self.key);
    }
}

impl<K: Clone + Eq + Hash> Waiting<K> {
    /// Waits for the turn, and keeps the place in line where there was none in time.
    pub(super) fn wait(&self, patience: Duration, count: Count) -> Option<Turn<K>> {
        let mut seen = self.lines.passed_on(&self.key);
        let mut start = Instant::now();
        while !self.place.is_first.swap(false, Ordering::Acquire) {
            let waited = start.elapsed();
            if waited < patience {
                thread::park_timeout(patience - waited);
                continue;
            }
            if !count.goes_on(&mut seen, self.lines.passed_on(&self.key)) {
                return None;
            }
            start = Instant::now();
        }
        Some(self.lines.turn(self.key.clone()))
    }
}

impl<K: Clone + Eq + Hash> Drop for Waiting<K> {
    fn drop(&mut self) {
        let mut lines = lock(&self.lines.0);
        if let Some(line) = lines.get_mut(&self.key) {
            line.waiting
                .retain(|place| !Arc::ptr_eq(place, &self.place));
        }
        drop(lines);
        // The turn came when the wait was over.
        if self.place.is_first.swap(false, Ordering::Acquire) {
            self.lines.pass_on(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    fn in_line(lines: &Lines<&'static str>) -> usize {
        lock(&lines.0).get("a").map_or(0, |line| line.waiting.len())
    }

    #[test]
    fn threads_have_their_turns_in_the_order_in_which_they_came() {
        let lines = Arc::new(Lines::default());
        let had = Arc::new(Mutex::new(Vec::new()));
        let first = lines.enter("a").ok().expect("nobody has it");
        let threads: Vec<_> = (0..20)
            .map(|number| {
                let (lines, had) = (lines.clone(), had.clone());
                let waiting = in_line(&lines);
                let thread = {
                    let lines = lines.clone();
                    thread::spawn(move || {
                        let turn = match lines.enter("a") {
                            Ok(turn) => turn,
                            Err(waiting) => waiting.wait(LONG, Count::Standstill).expect("a turn"),
                        };
                        lock(&had).push(number);
                        drop(turn);
                    })
                };
                while in_line(&lines) == waiting {
                    thread::yield_now();
                }
                thread
            })
            .collect();
        assert!(lines.enter("b").is_ok());
        drop(first);
        for thread in threads {
            thread.join().expect("ends");
        }
        assert_eq!(*lock(&had), (0..20).collect::<Vec<_>>());
        assert!(lock(&lines.0).is_empty());
    }

    #[test]
    fn patience_ends_at_a_standstill_and_begins_anew_while_others_get_on() {
        let mut seen = 0;
        let turns = [(1, true), (5, true), (5, false), (6, true), (6, false)];
        for (passed_on, goes_on) in turns {
            assert_eq!(Count::Standstill.goes_on(&mut seen, passed_on), goes_on);
            assert!(!Count::Everything.goes_on(&mut 0, passed_on));
        }
        let lines = Arc::new(Lines::default());
        let _first = lines.enter("a").ok().expect("nobody has it");
        let second = lines.enter("a").err().expect("somebody has it");
        for count in [Count::Standstill, Count::Everything] {
            assert!(second.wait(Duration::from_millis(1), count).is_none());
        }
    }

    #[test]
    fn whoever_leaves_the_line_keeps_nobody_waiting() {
        let lines = Arc::new(Lines::default());
        let first = lines.enter("a").ok().expect("nobody has it");
        let second = lines.enter("a").err().expect("somebody has it");
        let third = lines.enter("a").err().expect("somebody has it");
        // Its turn comes and it does not look.
        drop(first);
        drop(second);
        let turn = third.wait(Duration::ZERO, Count::Everything);
        assert!(turn.is_some());
        let fourth = lines.enter("a").err().expect("somebody has it");
        drop(fourth);
        drop(turn);
        drop(third);
        assert!(lock(&lines.0).is_empty());
    }
}
