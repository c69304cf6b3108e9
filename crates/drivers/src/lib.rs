//! The drivers that come with the storage, by name.

use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::Driver;
use eas_core::error::Result;
use eas_core::options::DriverOptions;
use eas_core::runtime::{Runtime, system_time_ms};
use eas_store::Offloaded;

/// A driver that programs can ask for by name.
pub struct Entry {
    /// Its name, which is also that of its module under `drivers/`.
    pub name: &'static str,
    /// Makes one. Nothing outside the process is touched.
    pub open: Open,
}

/// Makes a driver from what the program gave.
pub type Open = fn(&DriverOptions, &Rc<dyn Runtime>) -> Result<Rc<dyn Driver>>;

/// Every driver, one row each.
pub const TABLE: &[Entry] = &[
    Entry {
        name: eas_fs::NAME,
        open: |given, runtime| eas_fs::driver::open(eas_fs::NAME, given, runtime),
    },
    Entry {
        name: eas_fs::LITE_NAME,
        open: |given, runtime| eas_fs::driver::open(eas_fs::LITE_NAME, given, runtime),
    },
    Entry {
        name: eas_memory::NAME,
        open: open_memory,
    },
    Entry {
        name: eas_queue::NAME,
        open: eas_queue::open,
    },
    Entry {
        name: eas_sqlite::NAME,
        open: eas_sqlite::driver::open,
    },
];

fn open_memory(_options: &DriverOptions, runtime: &Rc<dyn Runtime>) -> Result<Rc<dyn Driver>> {
    let store = eas_memory::MemoryStore::new(Arc::new(system_time_ms));
    Ok(Rc::new(Offloaded::new(Arc::new(store), runtime.clone())))
}
