//! The storage core: no I/O, no threads.
//!
//! - [`key`], [`keys`], [`value`], [`item`], [`envelope`], [`error`]: pure data and its algebra;
//! - [`driver`]: the interface between the core and what keeps the items; [`fallbacks`] fills in for
//!   calls that a driver lacks; [`store`] is what plain blocking code implements, [`condition`]
//!   what has to hold for its writes; [`group`] is what is written as one, [`record`] the bytes by which
//!   it is finished, and a migration undone, after a kill; [`clearing`] keeps the place of a clear in the
//!   order of writes where a driver does not, and [`in_flight`] knows what has not come to its end;
//! - [`runtime`]: what the core needs from the JS runtime;
//! - [`storage`]: routing, batches, metadata, listings, watching, migrations;
//! - [`options`]: reads what drivers are given.

pub mod clearing;
pub mod condition;
pub mod driver;
pub mod envelope;
pub mod error;
pub mod fallbacks;
pub mod group;
pub mod in_flight;
pub mod item;
pub mod key;
pub mod keys;
pub mod options;
pub mod record;
pub mod runtime;
pub mod storage;
pub mod store;
pub mod value;
