//! What a change of an item waits for, and how sure it is to stay.

use super::disk::{Disk, Stat};
use super::engine::Engine;
use super::held::{Held, Wait};
use eas_core::error::Result;

/// Whether a change may be made.
pub(super) enum Permit<D: Disk> {
    /// It may, for as long as these locks are held.
    Granted(Held<D>),
    /// What it relies on does not hold.
    Refused,
}

/// On what terms a change is made.
pub(super) struct Terms<'a, D: Disk> {
    /// Asked right before the first step that others see.
    pub(super) permit: &'a dyn Fn() -> Result<Permit<D>>,
    /// Whether a journal makes good what a loss of power takes: then a value need not be durable before it
    /// gets its name, whatever the options say.
    pub(super) has_journal: bool,
    /// The file whose access a new one gets; `None` where that is a matter of the options.
    pub(super) like: Option<Stat>,
}

impl<'a, D: Disk> Terms<'a, D> {
    /// Those of a change by itself.
    pub(super) fn usual(permit: &'a dyn Fn() -> Result<Permit<D>>) -> Self {
        Terms {
            permit,
            has_journal: false,
            like: None,
        }
    }
}

impl<D: Disk> Engine<D> {
    /// The permit of a change that relies on nothing.
    pub(super) fn usual_permit(&self, key: &str) -> Result<Permit<D>> {
        self.hold([key], Wait::Usual).map(Permit::Granted)
    }
}
