//! Items as files in a folder: the engine of `fs` and `fs-lite`.
//!
//! The key `a:b:c` is the file `a/b/c` under the base. Where `a` and `a:b` both hold values, that
//! of `a` is the file `a/%~self`. [`path`] tells how names are made; [`nesting`] how a file makes
//! room for a folder; [`atomic_write`] how a value replaces another; [`durability`] what is fsynced
//! when; [`expiry`] how items expire, and [`expiry_index`] which of them do.

pub mod disk;
pub mod driver;
pub mod ignore;
pub mod path;

mod atomic_write;
mod changes;
mod corrupt;
mod durability;
mod engine;
mod expiry;
mod expiry_index;
mod folding;
mod glob;
mod group;
mod held;
mod journal;
mod key_locks;
mod lines;
mod locate;
mod locks;
mod marks;
mod moves;
mod nesting;
mod options;
mod parallel_walk;
mod place;
mod removal;
mod seen;
mod store;
mod terms;
mod unfinished;
mod walk;
pub mod watch;

pub use self::durability::{Background, Level};
pub use self::options::{FsOptions, LITE_NAME, NAME};
pub use self::store::{FsStore, Ports};
