//! Clears that ask the JS thread which keys to remove, between their listing and their removals.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::order::Clear;
use eas_core::driver::KeyFilter;
use eas_core::error::Result;
use eas_core::keys::Keys;

/// The clears of one store that have not asked yet.
#[derive(Default)]
pub(super) struct Unasked(RefCell<Vec<Rc<FilteredClear>>>);

/// A clear that has its place in the order.
pub(super) struct FilteredClear {
    pub(super) place: Arc<Clear>,
    pub(super) base: String,
    filter: Cell<Option<KeyFilter>>,
    outcome: Cell<Option<Result<Keys>>>,
}

impl Unasked {
    pub(super) fn add(&self, place: Clear, base: &str, filter: KeyFilter) -> Rc<FilteredClear> {
        let clear = Rc::new(FilteredClear {
            place: Arc::new(place),
            base: base.to_owned(),
            filter: Cell::new(Some(filter)),
            outcome: Cell::new(None),
        });
        self.0.borrow_mut().push(clear.clone());
        clear
    }

    /// Takes the filter of a clear, for the one that goes on with it; `None` where somebody else does.
    pub(super) fn take(&self, clear: &Rc<FilteredClear>) -> Option<KeyFilter> {
        self.0
            .borrow_mut()
            .retain(|other| !Rc::ptr_eq(other, clear));
        clear.filter.take()
    }

    /// Goes on with each of them at once, for a caller that cannot wait for the JS thread: it is the JS
    /// thread. `finish` may call JavaScript.
    pub(super) fn finish(&self, finish: impl Fn(&FilteredClear, KeyFilter) -> Result<Keys>) {
        loop {
            let next = self.0.borrow().first().cloned();
            let Some(clear) = next else {
                return;
            };
            if let Some(filter) = self.take(&clear) {
                let outcome = finish(&clear, filter);
                clear.outcome.set(Some(outcome));
            }
        }
    }
}

impl FilteredClear {
    /// The outcome, where a call of [`Unasked::finish`] went on with it.
    pub(super) fn outcome(&self) -> Result<Keys> {
        // It may be under way on the JS thread further up the stack.
        self.outcome.take().unwrap_or_else(|| Ok(Keys::new()))
    }
}
