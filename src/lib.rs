//! Key-value storage over mountable drivers, for Electron apps.
//!
//! - [`key`], [`value`], [`error`]: pure data and its algebra;
//! - [`driver`]: the interface between the core and what keeps the items; [`calls`] fills in for
//!   calls that a driver lacks; [`blocking`] makes drivers of plain blocking code; [`clearing`] keeps
//!   the place of a clear in the order of writes where a driver does not;
//! - [`runtime`]: what the core needs from its host; [`pool`]: the threads of the process;
//! - [`storage`]: the core: routing, batches, metadata, listings, watching;
//! - [`drivers`]: the drivers that come with it; [`options`] reads what they are given;
//! - `node` (feature): the boundary to JavaScript.

pub mod blocking;
pub mod calls;
pub mod clearing;
pub mod driver;
pub mod drivers;
pub mod error;
pub mod key;
pub mod keys;
#[cfg(feature = "node")]
mod node;
pub mod options;
pub mod pool;
pub mod runtime;
pub mod storage;
pub mod value;
