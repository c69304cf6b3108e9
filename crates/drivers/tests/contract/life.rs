use std::collections::BTreeSet;

use eas_core::driver::{Call, Mode};
use eas_core::fallbacks;
use eas_drivers::TABLE;

use crate::setting::for_every_driver;

#[test]
fn names_are_unique_and_the_driver_bears_its_own() {
    let names: BTreeSet<&str> = TABLE.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), TABLE.len());
    for_every_driver(|setting| {
        if let Some(name) = setting.row {
            assert_eq!(setting.driver.info().name, name);
        }
    });
}

#[test]
fn every_call_but_watch_is_there_in_both_modes() {
    for_every_driver(|setting| {
        if setting.row.is_none() {
            return;
        }
        for call in Call::ALL.into_iter().filter(|call| *call != Call::Watch) {
            for mode in [Mode::Sync, Mode::Async] {
                assert!(setting.driver.info().has(call, mode), "{setting} {call:?}");
            }
        }
    });
}

#[test]
fn a_flush_keeps_everything_and_holds_nothing() {
    for_every_driver(|setting| {
        for index in 0..20 {
            drop(setting.start_set(&format!("k{index}"), "1"));
        }
        setting.flush();
        assert_eq!(setting.keys("", None).len(), 20, "{setting}");
        setting.flush();
    });
}

#[test]
fn dispose_waits_for_what_was_written_and_lets_the_program_end() {
    for_every_driver(|setting| {
        drop(setting.start_set("a", "1"));
        setting
            .wait(fallbacks::flush(&setting.driver, Mode::Async))
            .expect("flushes");
        setting.runtime.settle();
        assert_eq!(setting.runtime.holds(), 0, "{setting}");
        assert_eq!(setting.runtime.warnings(), [], "{setting}");
    });
}
