//! The store as a driver, with what only databases can do.

use std::any::Any;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use eas_core::driver::{Driver, DriverInfo, Op};
use eas_core::error::Result;
use eas_core::options::DriverOptions;
use eas_core::runtime::{Runtime, system_time_ms};
use eas_store::Offloaded;
use eas_store::offload::offload_alone;

use crate::options::{NAME, SqliteOptions};
use crate::store::{SqliteStore, Verdict};

/// Makes a driver. Nothing on disk is touched.
///
/// # Errors
/// Those of missing and wrong options.
pub fn open(given: &DriverOptions, runtime: &Rc<dyn Runtime>) -> Result<Rc<dyn Driver>> {
    let options = SqliteOptions::read(given).map_err(|error| error.driver(NAME))?;
    let read_only = given.read_only()?;
    let store = SqliteStore::new(options, Arc::new(system_time_ms));
    let offloaded = Offloaded::new(Arc::new(store), runtime.clone());
    let info = DriverInfo {
        read_only,
        ..offloaded.info().clone()
    };
    Ok(Rc::new(offloaded.with_info(info)))
}

/// The database of a driver that [`open`] made.
pub fn database_of(driver: &dyn Driver) -> Option<Database> {
    let driver: &dyn Any = driver.as_any();
    let store = driver.downcast_ref::<Offloaded>()?.inner();
    let store: Arc<dyn Any + Send + Sync> = store.clone();
    store.downcast().ok().map(Database)
}

/// What a database can do beside keeping items. Each runs on a thread of its own, since it may take long.
pub struct Database(Arc<SqliteStore>);

impl Database {
    /// As [`SqliteStore::verify`].
    pub fn verify(&self, runtime: &Rc<dyn Runtime>) -> Op<Verdict> {
        self.run(runtime, "verify", SqliteStore::verify)
    }

    /// As [`SqliteStore::backup`].
    pub fn backup(&self, target: String, runtime: &Rc<dyn Runtime>) -> Op<()> {
        let target = PathBuf::from(target);
        self.run(runtime, "backup", move |store| store.backup(&target))
    }

    /// As [`SqliteStore::compact`].
    pub fn compact(&self, runtime: &Rc<dyn Runtime>) -> Op<()> {
        self.run(runtime, "compact", SqliteStore::compact)
    }

    fn run<T: Send + 'static>(
        &self,
        runtime: &Rc<dyn Runtime>,
        operation: &'static str,
        work: impl FnOnce(&SqliteStore) -> Result<T> + Send + 'static,
    ) -> Op<T> {
        let store = self.0.clone();
        Op::Pending(offload_alone(runtime, move || {
            work(&store).map_err(|error| error.driver(NAME).operation(operation))
        }))
    }
}
