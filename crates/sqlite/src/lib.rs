//! Items in one SQLite database.
//!
//! - [`SqliteStore`]: the store; [`options`] reads what it is made with;
//! - [`driver`]: the store as a driver;
//! - `open`: how a database is made, and told from a file that is not ours;
//! - `schema`: the statements of its layout;
//! - `database`: the connections, one that writes and several that read;
//! - `commit`: writes that come together share a transaction;
//! - `mode`: the permissions of what is made;
//! - `durable`: checkpoints and fsyncs beside the work; `sync` is how files and folders are fsynced;
//! - `watch`: the changes of every process; `early` is what is committed while one starts;
//! - `error`: what SQLite says, in the words of the package.

mod commit;
mod compare;
mod database;
pub mod driver;
mod durable;
mod early;
mod error;
mod mode;
mod open;
pub mod options;
mod schema;
mod store;
mod sync;
mod watch;

pub use options::{Level, NAME, SqliteOptions};
pub use store::{SqliteStore, Verdict};
