//! What a clear that lists first knows of writes that come after it.

use std::sync::Arc;

use std::rc::Rc;

use eas_core::clearing::Clears;
use eas_core::driver::{Driver, EventKind};
use eas_core::runtime::testing::{Jobs, TestRuntime};
use eas_memory::MemoryStore;
use eas_store::Offloaded;

fn driver() -> Rc<dyn Driver> {
    let runtime = TestRuntime::new(Jobs::ByHand, 0);
    Rc::new(Offloaded::new(
        Arc::new(MemoryStore::new(Arc::new(|| 0))),
        runtime.port(),
    ))
}

#[test]
fn a_clear_spares_what_was_written_last_and_tells_what_was_not_touched() {
    use EventKind::{Remove, Update};

    for (since, spares, tells) in [
        (&[][..], false, true),
        (&[Update], true, false),
        (&[Remove], false, false),
        (&[Update, Remove], false, false),
        (&[Remove, Update], true, false),
    ] {
        let (clears, driver) = (Rc::<Clears>::default(), driver());
        clears.note(Update, &driver, "a");
        let clear = clears.begin(&driver);
        for kind in since {
            clears.note(*kind, &driver, "a");
        }
        assert_eq!(clear.spares("a"), spares, "{since:?}");
        assert_eq!(clear.spares_any(|key| key == "a"), spares, "{since:?}");
        assert_eq!(clear.tells("a"), tells, "{since:?}");
    }
}

#[test]
fn of_two_clears_one_tells_of_a_key() {
    let (clears, driver) = (Rc::<Clears>::default(), driver());
    let (first, second) = (clears.begin(&driver), clears.begin(&driver));
    assert!(first.tells("a"));
    assert!(!second.tells("a"));
}

#[test]
fn a_clear_hears_of_its_own_driver_alone_and_ends_when_it_is_dropped() {
    let (clears, one, other) = (Rc::<Clears>::default(), driver(), driver());
    let clear = clears.begin(&one);
    clears.note(EventKind::Update, &other, "a");
    assert!(!clear.spares("a"));
    drop(clear);
    assert!(!clears.is_any_open());
}
