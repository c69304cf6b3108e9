//! Drivers that differ from the others in what they are, and what can stand around a driver.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use eas_core::delegate;
use eas_core::driver::{Call, Driver, DriverInfo, Mode, Op, Options, ReadOnly};
use eas_core::options::{DriverOptions, Given};
use eas_core::runtime::testing::TestRuntime;
use eas_core::store::Store;
use eas_drivers::TABLE;

/// A memory store with an information of its own, which it lives up to.
struct Odd {
    info: DriverInfo,
    inner: Rc<dyn Driver>,
}

impl Driver for Odd {
    fn info(&self) -> &DriverInfo {
        &self.info
    }

    delegate!(inner: has_item, get_item, get_items, get_item_raw, get_keys, get_meta);
    delegate!(inner: set_item, set_items, set_item_raw, remove_item, clear_filtered);
    delegate!(inner: commit, watch, flush, dispose, lock);
    delegate!(inner: on_expired, note_corrupt, note_expiry, hold);

    fn clear(self: Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        let base = if self.info.clears_base { base } else { "" };
        self.inner.clone().clear(base, options, mode)
    }

    fn shared_store(&self) -> Option<Arc<dyn Store>> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What differs: a name, and how the information does.
pub(crate) type Kind = (&'static str, fn(&mut DriverInfo));

pub(crate) const READ_ONLY: Kind = ("read-only", |info| info.read_only = ReadOnly::Error);
pub(crate) const ONLY_READS: Kind = ("only reads", |info| {
    for call in [
        Call::SetItem,
        Call::SetItems,
        Call::SetItemRaw,
        Call::RemoveItem,
        Call::Clear,
    ] {
        info.capabilities = info.capabilities.without(call);
    }
});
pub(crate) const REFUSES_CLEAR: Kind = ("refuses clear", |info| info.no_clear = true);
pub(crate) const CLEARS_EVERYTHING: Kind = ("clears everything", |info| {
    info.clears_base = false;
    info.ordered = false;
});
pub(crate) const WITHOUT_BATCHES: Kind = ("without batches", |info| {
    info.capabilities = info
        .capabilities
        .without(Call::GetItems)
        .without(Call::SetItems);
});

/// Those that can be written.
pub(crate) const WRITABLE: [Kind; 3] = [REFUSES_CLEAR, CLEARS_EVERYTHING, WITHOUT_BATCHES];

fn row(name: &str, options: &DriverOptions, runtime: &Rc<TestRuntime>) -> Rc<dyn Driver> {
    let row = TABLE.iter().find(|entry| entry.name == name);
    let open = row.expect("the table has it").open;
    open(options, &runtime.port()).expect("the driver opens")
}

/// Such a driver, and the store that it is made of.
pub(crate) fn open(
    (name, change): Kind,
    runtime: &Rc<TestRuntime>,
) -> (Rc<dyn Driver>, Rc<dyn Driver>) {
    let inner = row("memory", &DriverOptions::default(), runtime);
    let mut info = DriverInfo {
        name: name.into(),
        ..inner.info().clone()
    };
    change(&mut info);
    let odd = Rc::new(Odd {
        info,
        inner: inner.clone(),
    });
    (odd, inner)
}

/// What stands around a driver: a name, and how it is put there.
pub(crate) type Wrapper = (&'static str, Wrap);

pub(crate) type Wrap = fn(Rc<dyn Driver>, &Rc<TestRuntime>) -> Rc<dyn Driver>;

pub(crate) const WRAPPERS: [Wrapper; 3] = [
    ("nothing", |driver, _| driver),
    ("a queue", queue),
    ("two queues", |driver, runtime| {
        queue(queue(driver, runtime), runtime)
    }),
];

fn queue(driver: Rc<dyn Driver>, runtime: &Rc<TestRuntime>) -> Rc<dyn Driver> {
    let given = vec![("driver".to_owned(), Given::Driver(driver))];
    row("queue", &DriverOptions::new(given), runtime)
}
