//! When a queue writes, whom it keeps waiting and what it says when it cannot.

mod queue_support;

use std::sync::atomic::Ordering;
use std::task::Poll;

use eas_core::driver::{Call, Capabilities, Driver, Mode, Options};
use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::Runtime;
use eas_core::value::Text;
use eas_queue::control::{Control, Next, Step};
use eas_queue::pending_queue::{Change, Operation};
use queue_support::{Bench, Done, PLACES, Place, is_ready, settings};

#[test]
fn a_write_waits_for_the_flush_interval_and_no_longer() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        assert!(is_ready(&bench.set("a", "1", Mode::Async)));
        bench.host.advance(999);
        assert!(bench.store.texts().is_empty(), "{place:?}");
        bench.host.advance(1);
        assert_eq!(bench.store.texts()["a"], "1", "{place:?}");
        drop(bench.set("b", "2", Mode::Async));
        bench.host.advance(1000);
        assert_eq!(bench.store.texts()["b"], "2", "the timer is set again");
    }
}

#[test]
fn a_full_batch_is_written_without_the_clock() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(3, 1000, true));
        for key in ["a", "b"] {
            drop(bench.set(key, "1", Mode::Async));
        }
        bench.host.settle();
        assert!(bench.store.texts().is_empty(), "{place:?}");
        drop(bench.set("c", "1", Mode::Async));
        bench.host.settle();
        assert_eq!(bench.store.texts().len(), 3, "{place:?}");
    }
}

#[test]
fn a_flush_writes_now_and_then_flushes_the_driver_below() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        drop(bench.set("a", "1", Mode::Async));
        bench.flush()?;
        assert_eq!(
            bench.log(),
            [Done::Set("a".into(), "1".into()), Done::Flush],
            "{place:?}"
        );
    }
    Ok(())
}

#[test]
fn a_sync_flush_writes_before_it_returns() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        drop(bench.set("a", "1", Mode::Async));
        drop(bench.remove("b", Mode::Async));
        let mut flushed = bench.queue.clone().flush(Mode::Sync);
        assert!(is_ready(&flushed));
        assert!(matches!(bench.host.poll(&mut flushed), Poll::Ready(Ok(()))));
        assert_eq!(bench.store.texts()["a"], "1", "{place:?}");
        assert_eq!(bench.queue.status().0, 0);
    }
    Ok(())
}

#[test]
fn a_sync_flush_that_fails_makes_durable_what_it_could_write() {
    let bench = Bench::new(Place::Threads, &settings(100, 1000, true));
    *bench.store.fails_for.lock().unwrap() = Some("a".to_owned());
    for key in ["a", "b"] {
        drop(bench.set(key, "1", Mode::Async));
    }
    let flushed = bench.queue.clone().flush(Mode::Sync);
    let error = bench.host.finish(flushed).expect_err("a cannot be written");
    assert_eq!(error.kind(), Kind::System("EIO"));
    assert_eq!(
        bench.log(),
        [Done::Set("b".into(), "1".into()), Done::Flush]
    );
}

#[test]
fn dispose_writes_everything_and_refuses_what_comes_after() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        drop(bench.set("a", "1", Mode::Async));
        bench
            .host
            .finish(bench.queue.clone().dispose(Mode::Async))?;
        assert_eq!(
            bench.log(),
            [Done::Set("a".into(), "1".into()), Done::Dispose],
            "{place:?}"
        );
        for mode in [Mode::Async, Mode::Sync] {
            for refused in [
                bench.set("b", "1", mode),
                bench.remove("a", mode),
                bench.clear("", mode),
            ] {
                let error = bench.host.finish(refused).expect_err("disposed");
                assert_eq!(error.kind(), Kind::Disposed);
                assert_eq!(error.driver_name(), Some("queue"));
            }
        }
        bench
            .host
            .finish(bench.queue.clone().dispose(Mode::Async))?;
        assert_eq!(bench.log().len(), 2, "a second dispose does nothing");
        assert_eq!(bench.host.holds.get(), 0);
    }
    Ok(())
}

#[test]
fn a_write_past_the_bound_waits_for_room_and_is_seen_at_once() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 2, true));
        bench.fail(true);
        assert!(is_ready(&bench.set("a", "1", Mode::Async)));
        assert!(is_ready(&bench.set("b", "1", Mode::Async)));
        let mut waiting = bench.set("c", "1", Mode::Async);
        assert!(bench.host.poll(&mut waiting).is_pending());
        if place == Place::Threads {
            // Nothing is on its way yet: the write takes the place of the one that waits.
            assert!(is_ready(&bench.set("a", "2", Mode::Async)));
        }
        assert_eq!(bench.queue.status().0, 2, "{place:?}");
        assert_eq!(bench.get("c").as_deref(), Some("1"));
        bench.host.settle();
        assert!(bench.host.poll(&mut waiting).is_pending());
        bench.fail(false);
        bench.host.advance(100);
        assert!(matches!(bench.host.poll(&mut waiting), Poll::Ready(Ok(()))));
        assert_eq!(bench.store.texts().len(), 3);
    }
    Ok(())
}

#[test]
fn a_sync_write_past_the_bound_is_written_through() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1, true));
        drop(bench.set("a", "1", Mode::Async));
        bench.host.finish(bench.set("b", "1", Mode::Sync))?;
        assert_eq!(bench.store.texts()["b"], "1", "{place:?}");
    }
    Ok(())
}

#[test]
fn a_failed_flush_gives_the_error_of_the_driver_and_keeps_what_failed() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        *bench.store.fails_for.lock().unwrap() = Some("b".to_owned());
        for key in ["a", "b", "c"] {
            drop(bench.set_raw(key, "1", Mode::Async));
        }
        let error = bench.flush().expect_err("the store fails");
        assert_eq!(error.kind(), Kind::System("EIO"));
        assert_eq!(error.key_name(), Some("b"));
        assert_eq!(bench.queue.status().0, 1, "{place:?}");
        assert_eq!(bench.get("b").as_deref(), Some("1"));
        assert!(
            bench.host.warnings.borrow().is_empty(),
            "the caller was told"
        );
        *bench.store.fails_for.lock().unwrap() = None;
        bench.flush()?;
        assert_eq!(bench.store.texts().len(), 3);
    }
    Ok(())
}

#[test]
fn a_background_failure_backs_off_twice_as_long_each_time_and_warns() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(1, 1000, true));
        bench.fail(true);
        drop(bench.set("a", "1", Mode::Async));
        bench.host.settle();
        let attempts = || bench.host.warnings.borrow().len();
        assert_eq!(attempts(), 1, "{place:?}");
        let mut wait_ms = 100;
        for attempt in 2..12 {
            bench.host.advance(wait_ms - 1);
            assert_eq!(attempts(), attempt - 1, "before {wait_ms} ms on {place:?}");
            bench.host.advance(1);
            assert_eq!(attempts(), attempt, "after {wait_ms} ms on {place:?}");
            wait_ms = (wait_ms * 2).min(10_000);
        }
        let warnings = bench.host.warnings.borrow();
        assert!(warnings.iter().all(|(code, _)| *code == "EAS_QUEUE_FLUSH"));
        assert!(
            warnings.windows(2).all(|pair| pair[0] == pair[1]),
            "the host shows equal warnings once"
        );
        assert!(warnings[0].1.contains("EIO"), "{}", warnings[0].1);
    }
}

#[test]
fn while_a_queue_backs_off_new_writes_do_not_hurry_it() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(1, 1000, true));
        bench.fail(true);
        drop(bench.set("a", "1", Mode::Async));
        bench.host.settle();
        for key in ["b", "c", "d"] {
            drop(bench.set(key, "1", Mode::Async));
            bench.host.settle();
        }
        assert_eq!(bench.host.warnings.borrow().len(), 1, "{place:?}");
    }
}

#[test]
fn an_end_of_the_context_writes_what_waits_and_makes_it_durable() {
    let bench = Bench::new(Place::Threads, &settings(100, 1000, true));
    drop(bench.set("a", "1", Mode::Async));
    assert!(bench.host.end_beside_writers());
    let written = Done::Set("a".to_owned(), "1".to_owned());
    assert_eq!(*bench.store.log.lock().unwrap(), [written, Done::Flush]);
}

#[test]
fn what_was_written_long_before_the_end_is_made_durable_too() {
    let bench = Bench::new(Place::Threads, &settings(100, 1000, true));
    drop(bench.set("a", "1", Mode::Async));
    bench.host.advance(1000);
    assert_eq!(bench.queue.status().0, 0);
    assert!(bench.host.end_beside_writers());
    assert_eq!(bench.store.log.lock().unwrap().last(), Some(&Done::Flush));
}

#[test]
fn an_end_that_was_given_up_waits_for_no_write_that_hangs() -> Result<()> {
    let limits = settings(100, 1000, true).limits;
    let control = Control::new(limits, true);
    let operation = Operation {
        key: "a".into(),
        change: Change::Remove,
        options: Options::default(),
        expires_ms: None,
        timestamp_ms: 0,
    };
    let (_, next) = control.push([operation])?;
    assert!(matches!(next, Next::Wait { .. }));
    assert!(control.begin_pass());
    let Step::Batch(batch) = control.step() else {
        panic!("something waits");
    };
    assert_eq!(control.give_up(), 1);
    let busy = |error: Error| assert_eq!(error.kind(), Kind::System("EBUSY"));
    busy(control.take_key("a", true).err().expect("it is on its way"));
    busy(
        control
            .begin_own_pass(batch.operations[0].0)
            .expect_err("another is under way"),
    );
    Ok(())
}

#[test]
fn a_dropped_queue_goes_on_until_what_waits_is_written_and_tells_of_failures() {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        bench.fail(true);
        drop(bench.set("a", "1", Mode::Async));
        let Bench { host, store, queue } = bench;
        drop(queue);
        host.advance(5000);
        let warnings = host.warnings.borrow().len();
        assert!(warnings > 0, "{place:?}");
        store.is_failing.store(false, Ordering::SeqCst);
        host.advance(20_000);
        assert_eq!(store.texts()["a"], "1", "{place:?}");
        assert_eq!(host.hook_count(), 0, "{place:?}");
    }
}

#[test]
fn the_end_of_the_context_tries_what_a_dropped_queue_could_not_write() {
    let bench = Bench::new(Place::Threads, &settings(100, 1000, true));
    bench.fail(true);
    drop(bench.set("a", "1", Mode::Async));
    let Bench { host, store, queue } = bench;
    drop(queue);
    host.settle();
    store.is_failing.store(false, Ordering::SeqCst);
    assert!(host.end_beside_writers());
    assert_eq!(store.texts()["a"], "1");
}

#[test]
fn a_dropped_queue_writes_what_waits() {
    for place in PLACES {
        let Bench { host, store, queue } = Bench::new(place, &settings(100, 1000, true));
        let options = Options::default();
        drop(
            queue
                .clone()
                .set_item("a", Text::from("1"), &options, Mode::Async),
        );
        drop(queue);
        host.advance(1000);
        assert_eq!(store.texts()["a"], "1", "{place:?}");
        assert_eq!(host.hook_count(), 0);
        assert_eq!(host.holds.get(), 0);
    }
}

#[test]
fn only_a_queue_of_the_hosts_thread_keeps_the_loop_alive_and_gives_up_in_the_end() {
    let threads = Bench::new(Place::Threads, &settings(100, 1000, true));
    drop(threads.set("a", "1", Mode::Async));
    assert_eq!(threads.host.holds.get(), 0);

    let host = Bench::new(Place::Host, &settings(100, 1000, true));
    host.fail(true);
    drop(host.set("a", "1", Mode::Async));
    assert_eq!(host.host.holds.get(), 1);
    host.host.advance(60_000);
    assert_eq!(host.host.holds.get(), 0);
    host.fail(false);
    host.host.advance(10_000);
    assert_eq!(host.store.texts()["a"], "1");
}

#[test]
fn an_item_whose_time_is_over_in_the_queue_is_gone() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        let options = Options {
            ttl_ms: Some(300),
            ..Options::default()
        };
        let queue = bench.queue.clone();
        drop(queue.set_item("a", Text::from("1"), &options, Mode::Async));
        bench.host.advance(299);
        assert_eq!(bench.get("a").as_deref(), Some("1"));
        bench.host.advance(1);
        assert_eq!(bench.get("a"), None);
        assert!(bench.keys("").is_empty(), "{place:?}");
    }
    Ok(())
}

#[test]
fn the_time_to_live_runs_from_the_call_not_from_the_flush() -> Result<()> {
    for place in PLACES {
        let bench = Bench::new(place, &settings(100, 1000, true));
        let options = Options {
            ttl_ms: Some(5000),
            ..Options::default()
        };
        let called_ms = bench.host.now_ms();
        let queue = bench.queue.clone();
        drop(queue.set_item("a", Text::from("1"), &options, Mode::Async));
        bench.host.advance(1000);
        let items = bench.store.items.lock().unwrap();
        assert_eq!(items["a"].1, Some(called_ms + 5000), "{place:?}");
    }
    Ok(())
}

#[test]
fn a_key_that_the_store_cannot_name_is_refused_by_the_call() {
    let bench = Bench::new(Place::Threads, &settings(100, 1000, true));
    for mode in [Mode::Async, Mode::Sync] {
        let error = bench.host.finish(bench.set("a:..:b", "1", mode));
        assert_eq!(error.expect_err("refused").kind(), Kind::InvalidKey);
    }
    assert_eq!(bench.queue.status().0, 0);
}

#[test]
fn writes_to_a_driver_that_only_reads_do_nothing() -> Result<()> {
    let store = Bench::read_only(&settings(100, 1000, true));
    let reader = Capabilities::NONE
        .with(Call::GetItem, Mode::Async)
        .with(Call::GetItem, Mode::Sync)
        .with(Call::GetKeys, Mode::Async)
        .with(Call::GetKeys, Mode::Sync);
    let driver = Bench::with_capabilities(Place::Host, &settings(100, 1000, true), reader);
    for bench in [store, driver] {
        bench.host.finish(bench.set("a", "1", Mode::Async))?;
        bench.host.finish(bench.set_raw("b", "1", Mode::Async))?;
        bench.host.finish(bench.remove("a", Mode::Async))?;
        bench.host.finish(bench.clear("", Mode::Async))?;
        assert_eq!(bench.queue.status().0, 0);
        assert!(bench.keys("").is_empty());
    }
    Ok(())
}

#[test]
fn a_sync_call_names_the_driver_below_that_lacks_its_method() {
    let capabilities = Capabilities::ALL
        .without(Call::SetItem)
        .without(Call::SetItems)
        .with(Call::SetItem, Mode::Async);
    let bench = Bench::with_capabilities(Place::Host, &settings(100, 1000, true), capabilities);
    let error = bench.host.finish(bench.set("a", "1", Mode::Sync));
    let error = error.expect_err("there is no Sync method");
    assert_eq!(error.kind(), Kind::SyncUnsupported);
    assert_eq!(error.driver_name(), Some("hidden"));
    drop(bench.set("a", "1", Mode::Async));
    let error = bench.host.finish(bench.queue.clone().flush(Mode::Sync));
    assert_eq!(error.expect_err("nor here").kind(), Kind::SyncUnsupported);
    assert_eq!(bench.get("a").as_deref(), Some("1"), "it waits on");
}

#[test]
fn a_store_of_transactions_gets_what_is_written_together_as_one() -> Result<()> {
    let bench = Bench::transactional(&settings(100, 1000, false));
    let batches = || std::mem::take(&mut *bench.store.batches.lock().unwrap());
    for key in ["a", "b", "c"] {
        drop(bench.set(key, "1", Mode::Async));
    }
    drop(bench.remove("a", Mode::Async));
    drop(bench.set_raw("d", "2", Mode::Async));
    bench.flush()?;
    // The removal of `a` comes after the write of it.
    assert_eq!(batches(), [3, 2]);
    assert_eq!(bench.keys(""), ["b", "c", "d"]);
    drop(bench.clear("", Mode::Async));
    bench.flush()?;
    assert_eq!(batches(), [3]);
    assert!(bench.store.texts().is_empty());
    Ok(())
}

#[test]
fn one_write_that_a_store_of_transactions_refuses_holds_up_no_other() -> Result<()> {
    let bench = Bench::transactional(&settings(100, 1000, true));
    *bench.store.fails_for.lock().unwrap() = Some("b".to_owned());
    for key in ["a", "b", "c"] {
        drop(bench.set(key, "1", Mode::Async));
    }
    bench.flush().expect_err("one write fails");
    assert_eq!(Vec::from_iter(bench.store.texts().into_keys()), ["a", "c"]);
    *bench.store.fails_for.lock().unwrap() = None;
    bench.flush()?;
    assert_eq!(bench.store.texts().len(), 3);
    Ok(())
}
