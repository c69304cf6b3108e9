//! A queue gives what the same calls without one give: at every moment to reads, and in the driver
//! below once it is flushed.

#![allow(clippy::unwrap_used, reason = "a poisoned lock fails the test")]

mod queue_support;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::{Driver, Mode, Op, Options};
use eas_core::error::Result;
use eas_core::group::Committed;
use eas_core::runtime::Runtime;
use eas_core::value::{Text, Value};
use eas_queue::group::QueuedGroup;
use eas_queue::pending_queue::{Change, Operation, PendingQueue, Seen};
use proptest::prelude::*;
use queue_support::{Bench, Done, Keyed, PLACES, Place, group, settings, text};

const KEYS: [&str; 5] = ["a", "b", "a:x", "a:y", "a:x:z"];
const BASES: [&str; 3] = ["", "a:", "a:x:"];

/// What was asked for.
#[derive(Debug, Clone)]
enum Asked {
    Set(&'static str, String),
    Remove(&'static str),
    Clear(&'static str),
    Group(Asking),
}

/// A group: one condition, and what is written to some keys.
#[derive(Debug, Clone)]
struct Asking {
    check: (&'static str, Option<String>),
    writes: Vec<(&'static str, Option<String>)>,
    /// Nothing while it is under way, then whether it was made; or that it failed.
    outcome: Option<std::result::Result<Committed, ()>>,
}

impl Asking {
    fn keys(&self) -> impl Iterator<Item = &'static str> + '_ {
        std::iter::once(self.check.0).chain(self.writes.iter().map(|(key, _)| *key))
    }

    fn borrowed(&self) -> (Keyed<'_>, Vec<Keyed<'_>>) {
        let writes = self.writes.iter();
        (
            (self.check.0, self.check.1.as_deref()),
            writes
                .map(|(key, value)| (*key, value.as_deref()))
                .collect(),
        )
    }
}

/// The calls that were made, one after the other. What is stored after them is what a map would hold.
#[derive(Debug, Default)]
struct Log(Vec<Asked>);

type Items = BTreeMap<String, String>;

impl Log {
    /// What the first of the calls leave, of groups that are made.
    fn replay_to(&self, end: usize) -> Items {
        let mut items = Items::new();
        let is_under_way =
            |asked: &Asked| matches!(asked, Asked::Group(group) if group.outcome.is_none());
        let is_whole = !self.0.iter().any(is_under_way);
        for asked in &self.0[..end] {
            match asked {
                Asked::Set(key, value) => {
                    items.insert((*key).to_owned(), value.clone());
                }
                Asked::Remove(key) => {
                    items.remove(*key);
                }
                Asked::Clear(base) => items.retain(|key, _| !key.starts_with(base)),
                Asked::Group(group) => {
                    let holds = items.get(group.check.0) == group.check.1.as_ref();
                    let is_made = match group.outcome {
                        Some(Ok(Committed::Done)) => true,
                        Some(Ok(Committed::Conflicts(_))) => false,
                        Some(Err(())) | None => continue,
                    };
                    // What became of an older one may not have been heard yet.
                    assert!(!is_whole || is_made == holds, "{group:?}, {holds}");
                    if is_made {
                        write_all(&mut items, &group.writes);
                    }
                }
            }
        }
        items
    }

    fn replay(&self) -> Items {
        self.replay_to(self.0.len())
    }

    /// What groups that are under way may have written to a key.
    fn under_way(&self, key: &str) -> Vec<Option<String>> {
        let groups = self.0.iter().filter_map(|asked| match asked {
            Asked::Group(group) if group.outcome.is_none() => Some(group),
            _ => None,
        });
        let writes = groups.flat_map(|group| &group.writes);
        let of_key = writes.filter(|(other, _)| *other == key);
        of_key.map(|(_, value)| value.clone()).collect()
    }
}

fn write_all(items: &mut Items, writes: &[(&'static str, Option<String>)]) {
    for (key, value) in writes {
        match value {
            Some(value) => items.insert((*key).to_owned(), value.clone()),
            None => items.remove(*key),
        };
    }
}

/// Which keys a group is about, whether it expects what is there, and which of its writes remove.
#[derive(Debug, Clone)]
struct Shape {
    check: usize,
    expects_current: bool,
    first: usize,
    second: usize,
    removes: bool,
}

impl Shape {
    fn asking(&self, now: &Items, value: &str) -> Asking {
        let check = KEYS[self.check];
        let current = now.get(check).cloned();
        let expected = if self.expects_current {
            current
        } else {
            Some("never".to_owned())
        };
        let mut writes = vec![(KEYS[self.first], Some(value.to_owned()))];
        if self.second != self.first {
            writes.push((KEYS[self.second], (!self.removes).then(|| value.to_owned())));
        }
        Asking {
            check: (check, expected),
            writes,
            outcome: None,
        }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let key = 0..KEYS.len();
    let keys = (key.clone(), key.clone(), key);
    (keys, prop::bool::weighted(0.8), any::<bool>()).prop_map(
        |((check, first, second), expects_current, removes)| Shape {
            check,
            expects_current,
            first,
            second,
            removes,
        },
    )
}

#[derive(Debug, Clone)]
enum Call {
    Set(usize, Mode),
    Commit(Shape, Mode),
    SetRaw(usize, Mode),
    Remove(usize, Mode),
    Clear(usize, Mode),
    Flush(Mode),
    Fail(bool),
    FailKey(Option<usize>),
    Steps(usize),
    Advance(u64),
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![4 => Just(Mode::Async), 1 => Just(Mode::Sync)]
}

fn call() -> impl Strategy<Value = Call> {
    let key = 0..KEYS.len();
    prop_oneof![
        8 => (key.clone(), mode()).prop_map(|(key, mode)| Call::Set(key, mode)),
        2 => (key.clone(), mode()).prop_map(|(key, mode)| Call::SetRaw(key, mode)),
        4 => (key.clone(), mode()).prop_map(|(key, mode)| Call::Remove(key, mode)),
        2 => (0..BASES.len(), mode()).prop_map(|(base, mode)| Call::Clear(base, mode)),
        4 => (shape(), mode()).prop_map(|(shape, mode)| Call::Commit(shape, mode)),
        1 => mode().prop_map(Call::Flush),
        1 => any::<bool>().prop_map(Call::Fail),
        1 => proptest::option::of(key).prop_map(Call::FailKey),
        4 => (1..4usize).prop_map(Call::Steps),
        1 => (1..2000u64).prop_map(Call::Advance),
    ]
}

/// Makes the calls on a queue and on a map, and compares what both give after each.
fn compare(place: Place, merges: bool, batch: usize, most: usize, calls: &[Call]) {
    let bench = Bench::new(place, &settings(batch, most, merges));
    let log = Rc::new(RefCell::new(Log::default()));
    let note = |asked: Asked| {
        log.borrow_mut().0.push(asked);
        log.borrow().0.len() - 1
    };
    let (asked, answered) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let start = |op: Op<()>| {
        asked.set(asked.get() + 1);
        let answered = answered.clone();
        bench.host.spawn(Box::pin(async move {
            let _ = op.await;
            answered.set(answered.get() + 1);
        }));
    };
    for (number, call) in calls.iter().enumerate() {
        let value = number.to_string();
        let is_made = |op: Op<()>, mode: Mode| match mode {
            Mode::Async => {
                start(op);
                true
            }
            Mode::Sync => bench.host.finish(op).is_ok(),
        };
        match call {
            Call::Set(key, mode) => {
                if is_made(bench.set(KEYS[*key], &value, *mode), *mode) {
                    note(Asked::Set(KEYS[*key], value));
                }
            }
            Call::SetRaw(key, mode) => {
                if is_made(bench.set_raw(KEYS[*key], &value, *mode), *mode) {
                    note(Asked::Set(KEYS[*key], value));
                }
            }
            Call::Remove(key, mode) => {
                if is_made(bench.remove(KEYS[*key], *mode), *mode) {
                    note(Asked::Remove(KEYS[*key]));
                }
            }
            Call::Clear(base, mode) => {
                // A clear of the store itself may fail halfway, which no model can tell.
                let failing = bench.store.fails_for.lock().unwrap().take();
                if is_made(bench.clear(BASES[*base], *mode), *mode) {
                    note(Asked::Clear(BASES[*base]));
                }
                *bench.store.fails_for.lock().unwrap() = failing;
            }
            Call::Commit(shape, mode) => {
                let mut asking = shape.asking(&log.borrow().replay(), &value);
                let (check, writes) = asking.borrowed();
                let op = bench.commit(check, &writes, *mode);
                match mode {
                    Mode::Async => {
                        let place = note(Asked::Group(asking));
                        let log = log.clone();
                        start(op.map_result(move |outcome| {
                            if let Asked::Group(group) = &mut log.borrow_mut().0[place] {
                                group.outcome = Some(outcome.map_err(drop));
                            }
                            Ok(())
                        }));
                    }
                    Mode::Sync => {
                        asking.outcome = Some(bench.host.finish(op).map_err(drop));
                        note(Asked::Group(asking));
                    }
                }
            }
            Call::Flush(Mode::Async) => start(bench.queue.clone().flush(Mode::Async)),
            Call::Flush(Mode::Sync) => {
                let _ = bench.host.finish(bench.queue.clone().flush(Mode::Sync));
            }
            Call::Fail(is_failing) => bench.fail(*is_failing),
            Call::FailKey(key) => {
                *bench.store.fails_for.lock().unwrap() = key.map(|key| KEYS[key].to_owned());
            }
            Call::Steps(count) => {
                for _ in 0..*count {
                    bench.host.step();
                }
            }
            Call::Advance(ms) => bench.host.advance(*ms),
        }
        let model = log.borrow().replay();
        let is_sure = |key: &str| log.borrow().under_way(key).is_empty();
        for key in KEYS {
            let found = bench.get(key);
            assert!(
                found == model.get(key).cloned() || log.borrow().under_way(key).contains(&found),
                "{key} is {found:?} after {call:?}"
            );
        }
        let base = BASES[number % BASES.len()];
        let mut expected: Vec<String> = model.keys().cloned().collect();
        expected.retain(|key| key.starts_with(base) && is_sure(key));
        let mut listed = bench.keys(base);
        listed.retain(|key| is_sure(key));
        assert_eq!(listed, expected, "keys of {base:?} after {call:?}");
    }
    bench.fail(false);
    *bench.store.fails_for.lock().unwrap() = None;
    bench.host.settle();
    // The attempt under way may be one that failed.
    let flushed = bench.flush().or_else(|_| bench.flush());
    flushed.expect("the store works again");
    bench.host.settle();
    assert_eq!(bench.store.texts(), log.borrow().replay(), "in the store");
    assert_eq!(bench.queue.status().0, 0);
    bench.host.settle();
    assert_eq!(answered.get(), asked.get(), "every caller is answered");
    assert_eq!(
        bench.host.holds.get(),
        0,
        "an empty queue keeps nothing alive"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_queue_gives_what_the_calls_without_one_give(
        on_threads in any::<bool>(),
        merges in any::<bool>(),
        batch in 1..5usize,
        most in 1..7usize,
        calls in proptest::collection::vec(call(), 1..60),
    ) {
        let place = if on_threads { Place::Threads } else { Place::Host };
        compare(place, merges, batch, most, &calls);
    }
}

fn operation(key: &str, change: Change) -> Operation {
    Operation {
        key: key.into(),
        change,
        options: Options::default(),
        expires_ms: None,
        timestamp_ms: 0,
    }
}

#[derive(Debug, Clone)]
enum Event {
    Set(usize),
    Remove(usize),
    Clear(usize),
    /// Takes a batch of at most this size.
    Take(usize),
    /// Takes what waits for a key.
    TakeKey(usize),
    Group(Shape),
    /// Ends the oldest batch; the masks say which operations took effect, and which of the others were
    /// not tried.
    End(u64, u64),
}

fn event() -> impl Strategy<Value = Event> {
    let key = 0..KEYS.len();
    prop_oneof![
        6 => key.clone().prop_map(Event::Set),
        3 => key.clone().prop_map(Event::Remove),
        1 => (0..BASES.len()).prop_map(Event::Clear),
        3 => (1..5usize).prop_map(Event::Take),
        1 => key.prop_map(Event::TakeKey),
        2 => shape().prop_map(Event::Group),
        4 => any::<(u64, u64)>().prop_map(|(made, untried)| Event::End(made, untried)),
    ]
}

fn seen(pending: &PendingQueue, below: &BTreeMap<String, String>, key: &str) -> Option<String> {
    match pending.read(key, 0) {
        Seen::Nothing => below.get(key).cloned(),
        Seen::Gone => None,
        Seen::Value(_, value) => Some(text(value)),
    }
}

/// A pending queue, what was asked of it, and what reached the driver below.
struct World {
    pending: PendingQueue,
    below: Items,
    log: Log,
    /// Where in the log the groups are that are under way.
    groups: BTreeMap<u64, usize>,
}

impl World {
    fn push(&mut self, asked: Asked) {
        let (key, change) = match &asked {
            Asked::Set(key, value) => {
                let value = Value::Text(Text::from(value.as_str()));
                (*key, Change::Set(value))
            }
            Asked::Remove(key) => (*key, Change::Remove),
            Asked::Clear(base) => (*base, Change::Clear),
            Asked::Group(asking) => {
                let (check, writes) = asking.borrowed();
                let queued = QueuedGroup::new(group(check, &writes), "commit", |_, _, _| None);
                ("", Change::Commit(Arc::new(queued)))
            }
        };
        let is_group = matches!(asked, Asked::Group(_));
        let place = self.pending.push(operation(key, change));
        if is_group {
            self.groups.insert(place, self.log.0.len());
        }
        self.log.0.push(asked);
    }

    fn resolve(&mut self, place: u64, outcome: std::result::Result<Committed, ()>) {
        let index = self.groups.remove(&place).expect("is under way");
        if let Asked::Group(group) = &mut self.log.0[index] {
            group.outcome = Some(outcome);
        }
    }

    /// A group finds of its keys what everything before it leaves, and is made or fails.
    fn end_group(&mut self, place: u64, fails: bool) {
        let index = self.groups[&place];
        let Asked::Group(asking) = self.log.0[index].clone() else {
            unreachable!("it is a group");
        };
        let before = self.log.replay_to(index);
        for key in asking.keys() {
            assert_eq!(
                self.below.get(key),
                before.get(key),
                "{key} before {asking:?}"
            );
        }
        let holds = before.get(asking.check.0) == asking.check.1.as_ref();
        let outcome = match (fails, holds) {
            (true, _) => Err(()),
            (false, true) => Ok(Committed::Done),
            (false, false) => Ok(Committed::Conflicts(vec![asking.check.0.to_owned()])),
        };
        if outcome == Ok(Committed::Done) {
            write_all(&mut self.below, &asking.writes);
        }
        self.pending.done(place);
        self.resolve(place, outcome);
    }

    /// The operations take effect for which the mask says so, until one of their key does not.
    fn end(&mut self, batch: Vec<(u64, Operation)>, made: u64, untried: u64) {
        if let [(place, operation)] = &batch[..]
            && operation.group().is_some()
        {
            return self.end_group(*place, made & 1 == 0);
        }
        let says = |mask: u64, index: usize| mask >> (index % 64) & 1 == 1;
        let mut failed: Vec<Arc<str>> = Vec::new();
        for (index, (place, operation)) in batch.into_iter().enumerate() {
            if failed.contains(&operation.key) {
                self.pending.failed(place);
            } else if says(made, index) {
                match &operation.change {
                    Change::Set(value) | Change::SetRaw(value) => {
                        self.below.insert(operation.key.to_string(), text(value));
                    }
                    Change::Remove => {
                        self.below.remove(&*operation.key);
                    }
                    Change::Clear => self
                        .below
                        .retain(|key, _| !key.starts_with(&*operation.key)),
                    Change::Commit(_) => panic!("a group is handed out alone"),
                }
                self.pending.done(place);
            } else {
                failed.push(operation.key.clone());
                if !says(untried, index) {
                    for rejected in self.pending.reject_behind(place) {
                        self.resolve(rejected, Err(()));
                    }
                }
                self.pending.failed(place);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Several batches are on their way at once here, and end with any of their operations failed.
    #[test]
    fn a_pending_queue_keeps_the_order_of_each_key_whatever_fails(
        merges in any::<bool>(),
        has_groups in any::<bool>(),
        events in proptest::collection::vec(event(), 1..80),
    ) {
        use eas_queue::pending_queue::Before;

        let mut world = World {
            pending: PendingQueue::new(merges),
            below: Items::new(),
            log: Log::default(),
            groups: BTreeMap::new(),
        };
        let mut batches = Vec::new();
        for (number, event) in events.iter().enumerate() {
            let value = number.to_string();
            match event {
                Event::Set(key) => world.push(Asked::Set(KEYS[*key], value)),
                Event::Remove(key) => world.push(Asked::Remove(KEYS[*key])),
                Event::Clear(base) => world.push(Asked::Clear(BASES[*base])),
                Event::Group(shape) if has_groups => {
                    let asking = shape.asking(&world.log.replay(), &value);
                    world.push(Asked::Group(asking));
                }
                Event::Group(_) => {}
                Event::Take(limit) => {
                    let last = world.pending.last_place();
                    let taken = world.pending.take(0, last, *limit);
                    batches.extend(taken.map(|(batch, _)| batch.operations));
                }
                Event::TakeKey(key) => {
                    if let Before::Taken(batch) = world.pending.take_key(KEYS[*key]) {
                        batches.push(batch.operations);
                    }
                }
                Event::End(made, untried) => {
                    if !batches.is_empty() {
                        world.end(batches.remove(0), *made, *untried);
                    }
                }
            }
            let model = world.log.replay();
            for key in KEYS {
                let found = seen(&world.pending, &world.below, key);
                prop_assert_eq!(found, model.get(key).cloned(), "{} after {:?}", key, event);
            }
            let overlay = world.pending.overlay("", 0);
            let listed = overlay.apply(world.below.keys().collect(), None).sorted();
            prop_assert!(listed.iter().eq(model.keys()), "keys after {:?}: {:?}", event, listed);
            if merges && !has_groups {
                prop_assert!(world.pending.len() <= 2 * KEYS.len() + 2 * BASES.len());
            }
        }
        for batch in batches {
            world.end(batch, u64::MAX, 0);
        }
        while let Some((batch, _)) = world.pending.take(0, world.pending.last_place(), 3) {
            world.end(batch.operations, u64::MAX, 0);
        }
        prop_assert!(world.pending.is_empty());
        prop_assert!(world.groups.is_empty());
        prop_assert_eq!(world.below, world.log.replay());
    }
}

#[test]
fn without_merging_every_write_of_a_key_reaches_the_driver_in_order() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(7, 1000, false));
        for number in 0..50 {
            let key = KEYS[number % 3];
            drop(bench.set(key, &number.to_string(), Mode::Async));
        }
        bench.flush().expect("flushed");
        for (index, key) in KEYS.iter().take(3).enumerate() {
            let written: Vec<usize> = bench
                .log()
                .into_iter()
                .filter_map(|done| match done {
                    Done::Set(other, value) if other == *key => value.parse().ok(),
                    _ => None,
                })
                .collect();
            let expected: Vec<usize> = (0..50).filter(|number| number % 3 == index).collect();
            assert_eq!(written, expected, "{key} on {place:?}");
        }
    }
}

#[test]
fn with_merging_only_the_last_write_of_a_key_reaches_the_driver() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        for value in ["1", "2", "3"] {
            drop(bench.set("a", value, Mode::Async));
        }
        bench.flush().expect("flushed");
        let sets: Vec<Done> = bench
            .log()
            .into_iter()
            .filter(|done| *done != Done::Flush)
            .collect();
        assert_eq!(sets, [Done::Set("a".into(), "3".into())], "{place:?}");
    }
}

#[test]
fn a_sync_write_leaves_what_waits_for_its_key_in_the_queue_when_it_fails() -> Result<()> {
    for place in PLACES {
        for merges in [true, false] {
            let bench = Bench::new(place, &settings(100, 1000, merges));
            drop(bench.set("a", "old", Mode::Async));
            bench.fail(true);
            let failed = bench.host.finish(bench.set("a", "new", Mode::Sync));
            assert!(failed.is_err());
            assert_eq!(bench.get("a").as_deref(), Some("old"));
            bench.fail(false);
            bench.flush()?;
            assert_eq!(bench.store.texts()["a"], "old", "{place:?} merges {merges}");
        }
    }
    Ok(())
}
