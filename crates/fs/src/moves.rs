//! Values that change their place while folders are listed.
//!
//! A listing reads name after name: a value that moves from one that is still to be read to one that
//! was read would be in neither. A listing that met a move is made again. So is a read that found
//! nothing and met a move that was taken back, against the order in which it looks.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The moves of one store.
#[derive(Default)]
pub(super) struct Moves {
    under_way: AtomicUsize,
    finished: AtomicU64,
    taken_back: AtomicU64,
}

/// A move that is under way.
pub(super) struct Move<'a>(&'a Moves);

impl Moves {
    pub(super) fn start(&self) -> Move<'_> {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        Move(self)
    }

    /// A number that stays the same for as long as nothing moves; `None` while something does.
    pub(super) fn rest(&self) -> Option<u64> {
        // In this order: a move counts as finished before it is no longer under way.
        let is_at_rest = self.under_way.load(Ordering::SeqCst) == 0;
        is_at_rest.then(|| self.finished.load(Ordering::SeqCst))
    }

    /// Called when a value has its name again, before it leaves the place for files on the move.
    pub(super) fn take_back(&self) {
        self.taken_back.fetch_add(1, Ordering::SeqCst);
    }

    /// A number that stays the same for as long as no move is taken back.
    pub(super) fn taken_back(&self) -> u64 {
        self.taken_back.load(Ordering::SeqCst)
    }
}

impl Drop for Move<'_> {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_shows_while_it_is_under_way_and_after() {
        let moves = Moves::default();
        let before = moves.rest();
        assert_eq!(before, moves.rest());
        let one = moves.start();
        assert_eq!(moves.rest(), None);
        drop(one);
        assert!(moves.rest().is_some());
        assert_ne!(moves.rest(), before);
    }
}
