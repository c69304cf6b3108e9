//! The storage core: keys, mounts and what each operation means, over any driver.
//!
//! Operations are methods of [`Storage`], one file to a theme. They take a
//! [`Mode`](crate::driver::Mode) and are written once for both.

mod atomic;
mod batch;
mod hub;
mod item;
mod keys;
mod lifecycle;
mod meta;
mod migrate;
mod mounts;
mod recorder;
mod routes;
mod watch;

pub use atomic::Entry;
pub use batch::Change;
pub use hub::ListenerId;
pub use meta::ItemMeta;
pub use routes::Storage;
