//! Stores made drivers: what is around a store, once for all of them.
//!
//! - [`Offloaded`]: a store of plain blocking code as a driver of the JS thread;
//! - [`pool`], [`offload`]: the threads of the process, and work on them.

mod clearing;
mod exit;
mod expiry;
mod filtered;
mod gathered;
pub mod offload;
mod offloaded;
mod order;
pub mod pending;
pub mod pool;
mod undelivered;
pub mod unheard;

pub use exit::not_durable;
pub use offloaded::Offloaded;
