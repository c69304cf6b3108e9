//! Groups of changes in a queue: when they are made, and what becomes of those that cannot be.

#![allow(clippy::unwrap_used, reason = "a poisoned lock fails the test")]

mod queue_support;

use std::task::Poll;

use eas_core::driver::{Driver, Mode, Op};
use eas_core::error::{Kind, Result};
use eas_core::group::Committed;
use queue_support::{Bench, Done, PLACES, Place, settings};

fn bench(place: Place) -> Bench {
    Bench::new(place, &settings(100, 1000, true))
}

fn set(key: &str, value: &str) -> Done {
    Done::Set(key.into(), value.into())
}

fn conflict(key: &str) -> Committed {
    Committed::Conflicts(vec![key.to_owned()])
}

/// What became of it, without turning the clock.
fn settled(bench: &Bench, op: &mut Op<Committed>) -> Result<Committed> {
    bench.host.settle();
    match bench.host.poll(op) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("it is not known what became of the group"),
    }
}

fn made(bench: &Bench, op: Op<Committed>) -> Committed {
    bench.host.finish(op).expect("no error")
}

#[test]
fn a_group_is_made_at_once_with_what_is_older_of_its_keys() {
    for place in PLACES {
        let bench = bench(place);
        drop(bench.set("a", "1", Mode::Async));
        let mut group = bench.commit(("a", Some("1")), &[("b", Some("2"))], Mode::Async);
        drop(bench.set("b", "3", Mode::Async));
        assert_eq!(bench.get("b").as_deref(), Some("3"), "{place:?}");
        // The clock stands still.
        assert_eq!(
            settled(&bench, &mut group).expect("no error"),
            Committed::Done
        );
        assert_eq!(
            bench.log()[..2],
            [set("a", "1"), set("b", "2")],
            "{place:?}"
        );
        bench.flush().expect("flushed");
        assert_eq!(bench.store.texts()["b"], "3", "{place:?}");
    }
}

#[test]
fn a_group_says_which_conditions_do_not_hold_and_writes_nothing() {
    for place in PLACES {
        for mode in [Mode::Async, Mode::Sync] {
            let bench = bench(place);
            drop(bench.set("a", "1", Mode::Async));
            let group = bench.commit(("a", None), &[("b", Some("2"))], mode);
            let committed = made(&bench, group);
            assert_eq!(committed, conflict("a"), "{place:?} {mode:?}");
            assert_eq!(bench.get("b"), None);
            let group = bench.commit(("a", Some("1")), &[("a", None)], mode);
            assert_eq!(made(&bench, group), Committed::Done);
            assert_eq!(bench.get("a"), None, "{place:?} {mode:?}");
        }
    }
}

#[test]
fn what_is_seen_of_a_group_under_way_is_what_has_taken_effect() {
    for place in PLACES {
        let bench = bench(place);
        drop(bench.set("a", "1", Mode::Sync));
        drop(bench.set("b", "old", Mode::Async));
        let writes = [("a", Some("2")), ("b", None), ("c", Some("2"))];
        let group = bench.commit(("a", Some("1")), &writes, Mode::Async);
        assert_eq!(bench.get("a").as_deref(), Some("1"), "{place:?}");
        assert_eq!(bench.get("b").as_deref(), Some("old"));
        assert_eq!(bench.keys(""), ["a", "b"]);
        let shown: Vec<_> = bench.queue.operations();
        let shown: Vec<_> = shown.iter().map(|operation| &*operation.key).collect();
        if place == Place::Threads {
            assert_eq!(shown, ["b"], "groups are not shown");
            assert_eq!(bench.queue.status().0, 1);
        }
        assert_eq!(made(&bench, group), Committed::Done);
        assert_eq!(bench.keys(""), ["a", "c"], "{place:?}");
    }
}

#[test]
fn a_clear_leaves_what_a_group_before_it_has_to_find() {
    for place in PLACES {
        for mode in [Mode::Async, Mode::Sync] {
            let bench = bench(place);
            drop(bench.set("a", "1", Mode::Async));
            drop(bench.set("other", "1", Mode::Async));
            let mut group = bench.commit(("a", Some("1")), &[("b", Some("2"))], Mode::Async);
            let cleared = bench.clear("", mode);
            assert_eq!(bench.keys(""), Vec::<String>::new(), "{place:?} {mode:?}");
            bench.host.finish(cleared).expect("cleared");
            let made = settled(&bench, &mut group).expect("no error");
            assert_eq!(made, Committed::Done, "{place:?} {mode:?}");
            bench.flush().expect("flushed");
            assert!(bench.store.texts().is_empty(), "{place:?} {mode:?}");
        }
    }
}

#[test]
fn a_group_waits_for_an_older_clear() {
    for place in PLACES {
        let bench = bench(place);
        drop(bench.set("a", "1", Mode::Sync));
        drop(bench.clear("", Mode::Async));
        let group = bench.commit(("a", None), &[("b", Some("2"))], Mode::Async);
        assert_eq!(made(&bench, group), Committed::Done, "{place:?}");
        assert_eq!(bench.keys(""), ["b"]);
    }
}

#[test]
fn a_group_waits_for_an_older_clear_that_lists_first() {
    for place in PLACES {
        for mode in [Mode::Async, Mode::Sync] {
            let bench = bench(place);
            drop(bench.set("a", "1", Mode::Sync));
            let queue = bench.queue.clone();
            let cleared = queue.clear_filtered("", Mode::Async, Box::new(Ok));
            let group = bench.commit(("a", None), &[("b", Some("2"))], mode);
            assert_eq!(made(&bench, group), Committed::Done, "{place:?} {mode:?}");
            bench.host.finish(cleared).expect("cleared");
            assert_eq!(bench.keys(""), ["b"], "{place:?} {mode:?}");
        }
    }
}

#[test]
fn a_sync_write_comes_behind_a_group_of_its_key() {
    for place in PLACES {
        let bench = bench(place);
        let mut group = bench.commit(("a", None), &[("a", Some("1"))], Mode::Async);
        let written = bench.set("a", "2", Mode::Sync);
        bench.host.finish(written).expect("written");
        assert_eq!(bench.get("a").as_deref(), Some("2"), "{place:?}");
        assert_eq!(
            settled(&bench, &mut group).expect("no error"),
            Committed::Done
        );
        bench.flush().expect("flushed");
        assert_eq!(bench.store.texts()["a"], "2", "{place:?}");
    }
}

#[test]
fn a_sync_group_leaves_what_waits_for_other_keys_in_the_queue() {
    for place in PLACES {
        let bench = bench(place);
        drop(bench.set("other", "1", Mode::Async));
        let group = bench.commit(("a", None), &[("b", Some("2"))], Mode::Sync);
        assert_eq!(made(&bench, group), Committed::Done, "{place:?}");
        assert_eq!(bench.log(), [set("b", "2")], "{place:?}");
    }
}

#[test]
fn a_group_that_fails_is_not_tried_again() {
    for place in PLACES {
        for mode in [Mode::Async, Mode::Sync] {
            let bench = bench(place);
            bench.fail(true);
            let group = bench.commit(("a", None), &[("a", Some("1"))], mode);
            let error = bench.host.finish(group).expect_err("the disk is gone");
            assert_eq!(error.kind(), Kind::System("EIO"), "{place:?} {mode:?}");
            assert_eq!(error.operation_name(), Some("commit"));
            bench.fail(false);
            bench.flush().expect("nothing is left that could fail");
            assert!(bench.store.texts().is_empty(), "{place:?} {mode:?}");
            assert!(
                bench.host.warnings.borrow().is_empty(),
                "the caller was told"
            );
        }
    }
}

#[test]
fn a_group_fails_with_what_is_older_of_its_keys_which_is_tried_again() {
    for place in PLACES {
        for mode in [Mode::Async, Mode::Sync] {
            let bench = bench(place);
            *bench.store.fails_for.lock().unwrap() = Some("a".to_owned());
            drop(bench.set("a", "1", Mode::Async));
            let group = bench.commit(("a", Some("1")), &[("b", Some("2"))], mode);
            let error = bench.host.finish(group).expect_err("what is older failed");
            assert_eq!(error.kind(), Kind::System("EIO"), "{place:?} {mode:?}");
            let beside = bench.commit(("c", None), &[("d", Some("2"))], mode);
            assert_eq!(made(&bench, beside), Committed::Done);
            *bench.store.fails_for.lock().unwrap() = None;
            bench.flush().expect("the disk is back");
            let expected = [("a", "1"), ("d", "2")];
            let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(bench.store.texts(), expected.into(), "{place:?} {mode:?}");
        }
    }
}

#[test]
fn groups_of_one_key_are_made_one_after_the_other() {
    for place in PLACES {
        let bench = bench(place);
        let mut expected = None;
        let mut groups = Vec::new();
        for number in 0..20 {
            let next = number.to_string();
            let writes = [("a", Some(&*next))];
            groups.push(bench.commit(("a", expected.as_deref()), &writes, Mode::Async));
            expected = Some(next);
        }
        for group in groups {
            assert_eq!(made(&bench, group), Committed::Done, "{place:?}");
        }
        assert_eq!(bench.get("a").as_deref(), Some("19"));
    }
}

#[test]
fn dispose_makes_the_groups_that_were_called_and_refuses_later_ones() {
    for place in PLACES {
        for mode in [Mode::Async, Mode::Sync] {
            let bench = bench(place);
            let mut group = bench.commit(("a", None), &[("a", Some("1"))], Mode::Async);
            let disposed = bench.queue.clone().dispose(mode);
            let disposed = bench.host.finish(disposed).map_err(|error| error.kind());
            // The driver has the group, and its answer cannot be waited for.
            let is_on_its_way = (place, mode) == (Place::Host, Mode::Sync);
            let expected = if is_on_its_way {
                Err(Kind::SyncUnsupported)
            } else {
                Ok(())
            };
            assert_eq!(disposed, expected, "{place:?} {mode:?}");
            let made = settled(&bench, &mut group).expect("no error");
            assert_eq!(made, Committed::Done, "{place:?} {mode:?}");
            for late in [Mode::Async, Mode::Sync] {
                let late = bench.commit(("a", None), &[("b", None)], late);
                let error = bench.host.finish(late).expect_err("disposed");
                assert_eq!(error.kind(), Kind::Disposed);
                assert_eq!(error.driver_name(), Some("queue"));
            }
        }
    }
}

#[test]
fn a_group_that_is_given_up_is_told_that_the_queue_is_disposed() {
    let bench = bench(Place::Host);
    drop(bench.set("a", "1", Mode::Async));
    let mut group = bench.commit(("a", Some("1")), &[("b", Some("1"))], Mode::Async);
    // The driver has the write alone.
    let disposed = bench.queue.clone().dispose(Mode::Sync);
    let error = bench.host.finish(disposed).expect_err("it cannot wait");
    assert_eq!(error.kind(), Kind::SyncUnsupported);
    let outcome = settled(&bench, &mut group);
    assert_eq!(outcome.expect_err("given up").kind(), Kind::Disposed);
    assert!(!bench.store.texts().contains_key("b"));
}

#[test]
fn a_sync_flush_makes_no_group_twice() {
    let bench = bench(Place::Host);
    let group = bench.commit(("n", None), &[("n", Some("1"))], Mode::Async);
    // The driver has the group, and its answer is on its way.
    bench.host.poll_tasks();
    let flushed = bench.queue.clone().flush(Mode::Sync);
    let _ = bench.host.finish(flushed);
    assert_eq!(made(&bench, group), Committed::Done);
    assert_eq!(bench.log(), [set("n", "1")]);
}

#[test]
fn an_end_of_the_context_makes_the_groups_that_were_called() {
    let bench = bench(Place::Threads);
    drop(bench.commit(("a", None), &[("a", Some("1"))], Mode::Async));
    assert!(bench.host.end_beside_writers());
    let late = bench.commit(("a", Some("1")), &[("a", Some("2"))], Mode::Async);
    assert_eq!(made(&bench, late), Committed::Done);
    assert_eq!(bench.log(), [set("a", "1"), Done::Flush, set("a", "2")]);
}

#[test]
fn a_key_that_the_store_cannot_name_refuses_the_group() {
    let bench = bench(Place::Threads);
    for (check, write) in [("a..", "b"), ("a", "b..")] {
        let group = bench.commit((check, None), &[(write, Some("1"))], Mode::Async);
        let error = bench.host.finish(group).expect_err("refused");
        assert_eq!(error.kind(), Kind::InvalidKey);
    }
}
