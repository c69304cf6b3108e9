//! A queue gives what the same calls without one give: at every moment to reads, and in the driver
//! below once it is flushed.

#![allow(clippy::unwrap_used, reason = "a poisoned lock fails the test")]

mod queue_support;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::{Driver, Mode, Op, Options};
use eas_core::error::Result;
use eas_core::runtime::Runtime;
use eas_core::value::{Text, Value};
use eas_queue::backlog::{Backlog, Change, Operation, Seen};
use proptest::prelude::*;
use queue_support::{Bench, Done, PLACES, Place, settings, text};

const KEYS: [&str; 5] = ["a", "b", "a:x", "a:y", "a:x:z"];
const BASES: [&str; 3] = ["", "a:", "a:x:"];

#[derive(Debug, Clone)]
enum Call {
    Set(usize, Mode),
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
    let mut model: BTreeMap<String, String> = BTreeMap::new();
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
                    model.insert(KEYS[*key].to_owned(), value);
                }
            }
            Call::SetRaw(key, mode) => {
                if is_made(bench.set_raw(KEYS[*key], &value, *mode), *mode) {
                    model.insert(KEYS[*key].to_owned(), value);
                }
            }
            Call::Remove(key, mode) => {
                if is_made(bench.remove(KEYS[*key], *mode), *mode) {
                    model.remove(KEYS[*key]);
                }
            }
            Call::Clear(base, mode) => {
                // A clear of the store itself may fail halfway, which no model can tell.
                let failing = bench.store.fails_for.lock().unwrap().take();
                if is_made(bench.clear(BASES[*base], *mode), *mode) {
                    model.retain(|key, _| !key.starts_with(BASES[*base]));
                }
                *bench.store.fails_for.lock().unwrap() = failing;
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
        for key in KEYS {
            assert_eq!(
                bench.get(key),
                model.get(key).cloned(),
                "{key} after {call:?}"
            );
        }
        let base = BASES[number % BASES.len()];
        let expected: Vec<String> = model
            .keys()
            .filter(|key| key.starts_with(base))
            .cloned()
            .collect();
        assert_eq!(
            bench.keys(base),
            expected,
            "keys of {base:?} after {call:?}"
        );
    }
    bench.fail(false);
    *bench.store.fails_for.lock().unwrap() = None;
    bench.host.settle();
    // The attempt under way may be one that failed.
    let flushed = bench.flush().or_else(|_| bench.flush());
    flushed.expect("the store works again");
    assert_eq!(bench.store.texts(), model, "in the store");
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
    /// Ends the oldest batch; the mask says which operations took effect.
    End(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let key = 0..KEYS.len();
    prop_oneof![
        6 => key.clone().prop_map(Event::Set),
        3 => key.clone().prop_map(Event::Remove),
        1 => (0..BASES.len()).prop_map(Event::Clear),
        3 => (1..5usize).prop_map(Event::Take),
        1 => key.prop_map(Event::TakeKey),
        4 => any::<u64>().prop_map(Event::End),
    ]
}

fn apply(items: &mut BTreeMap<String, String>, operation: &Operation) {
    match &operation.change {
        Change::Set(value) | Change::SetRaw(value) => {
            items.insert(operation.key.to_string(), text(value));
        }
        Change::Remove => {
            items.remove(&*operation.key);
        }
        Change::Clear => items.retain(|key, _| !key.starts_with(&*operation.key)),
    }
}

fn seen(backlog: &Backlog, below: &BTreeMap<String, String>, key: &str) -> Option<String> {
    match backlog.read(key, 0) {
        Seen::Nothing => below.get(key).cloned(),
        Seen::Gone => None,
        Seen::Value(_, value) => Some(text(value)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Several batches are on their way at once here, and end with any of their operations failed.
    #[test]
    fn a_backlog_keeps_the_order_of_each_key_whatever_fails(
        merges in any::<bool>(),
        events in proptest::collection::vec(event(), 1..80),
    ) {
        use eas_queue::backlog::Before;

        let mut backlog = Backlog::new(merges);
        let (mut below, mut model) = (BTreeMap::new(), BTreeMap::new());
        let mut batches = Vec::new();
        let end = |backlog: &mut Backlog, below: &mut BTreeMap<_, _>, batch: Vec<(u64, Operation)>, mask: u64| {
            let mut failed: Vec<Arc<str>> = Vec::new();
            for (index, (place, operation)) in batch.into_iter().enumerate() {
                if mask >> (index % 64) & 1 == 1 && !failed.contains(&operation.key) {
                    apply(below, &operation);
                    backlog.done(place);
                } else {
                    failed.push(operation.key.clone());
                    backlog.failed(place);
                }
            }
        };
        for (number, event) in events.iter().enumerate() {
            let value = Value::Text(Text::from(number.to_string().as_str()));
            let made = match event {
                Event::Set(key) => Some(operation(KEYS[*key], Change::Set(value))),
                Event::Remove(key) => Some(operation(KEYS[*key], Change::Remove)),
                Event::Clear(base) => Some(operation(BASES[*base], Change::Clear)),
                Event::Take(limit) => {
                    let last = backlog.last_place();
                    batches.extend(backlog.take(0, last, *limit).map(|(batch, _)| batch.operations));
                    None
                }
                Event::TakeKey(key) => {
                    if let Before::Taken(batch) = backlog.take_key(KEYS[*key]) {
                        batches.push(batch.operations);
                    }
                    None
                }
                Event::End(mask) => {
                    if !batches.is_empty() {
                        let batch = batches.remove(0);
                        end(&mut backlog, &mut below, batch, *mask);
                    }
                    None
                }
            };
            if let Some(made) = made {
                apply(&mut model, &made);
                backlog.push(made);
            }
            for key in KEYS {
                prop_assert_eq!(seen(&backlog, &below, key), model.get(key).cloned(), "{} after {:?}", key, event);
            }
            let listed = backlog.overlay("", 0).apply(below.keys().collect(), None).sorted();
            prop_assert!(listed.iter().eq(model.keys()), "keys after {:?}: {:?}", event, listed);
            if merges {
                prop_assert!(backlog.len() <= 2 * KEYS.len() + 2 * BASES.len());
            }
        }
        for batch in batches {
            end(&mut backlog, &mut below, batch, u64::MAX);
        }
        while let Some((batch, _)) = backlog.take(0, backlog.last_place(), 3) {
            end(&mut backlog, &mut below, batch.operations, u64::MAX);
        }
        prop_assert!(backlog.is_empty());
        prop_assert_eq!(below, model);
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
