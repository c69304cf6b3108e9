//! The drivers that come with the storage, by name.

pub mod fs;
pub mod memory;
pub mod queue;

use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::blocking::Offloaded;
use crate::driver::Driver;
use crate::error::Result;
use crate::options::DriverOptions;
use crate::runtime::Runtime;

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
        name: fs::NAME,
        open: |given, runtime| fs::driver::open(fs::NAME, given, runtime),
    },
    Entry {
        name: fs::LITE_NAME,
        open: |given, runtime| fs::driver::open(fs::LITE_NAME, given, runtime),
    },
    Entry {
        name: memory::NAME,
        open: open_memory,
    },
    Entry {
        name: queue::NAME,
        open: queue::open,
    },
];

fn open_memory(_options: &DriverOptions, runtime: &Rc<dyn Runtime>) -> Result<Rc<dyn Driver>> {
    let store = memory::MemoryStore::new(Arc::new(system_time_ms));
    Ok(Rc::new(Offloaded::new(store, runtime.clone())))
}

/// The time of the system's clock, in ms since the epoch.
pub fn system_time_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        })
}
