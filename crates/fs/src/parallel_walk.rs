//! Work that finds more work, on several threads for as long as it takes.

use std::sync::{Condvar, Mutex};
use std::thread;

use eas_core::error::{Error, Result};
use eas_core::runtime::lock;
use eas_store::pool;

/// How many items a thread takes at once.
const TAKEN: usize = 4;

struct Heap<T> {
    items: Vec<T>,
    /// Threads that may still find more.
    working: usize,
    failure: Option<Error>,
}

struct Shared<T> {
    heap: Mutex<Heap<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    /// Some of the items, or none when all is done or something failed.
    fn take(&self) -> Vec<T> {
        let mut heap = lock(&self.heap);
        loop {
            if heap.failure.is_some() {
                return Vec::new();
            }
            if !heap.items.is_empty() {
                heap.working += 1;
                let rest = heap.items.len().saturating_sub(TAKEN);
                return heap.items.split_off(rest);
            }
            if heap.working == 0 {
                return Vec::new();
            }
            heap = self
                .changed
                .wait(heap)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

/// Tells the others when a thread has done what it took, also when that panicked.
struct Turn<'a, T> {
    shared: &'a Shared<T>,
    found: Vec<T>,
    failure: Option<Error>,
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let mut heap = lock(&self.shared.heap);
        heap.items.append(&mut self.found);
        heap.working -= 1;
        if let Some(error) = self.failure.take() {
            heap.failure.get_or_insert(error);
        }
        drop(heap);
        self.shared.changed.notify_all();
    }
}

/// Calls `work` for each item and for those that it adds to the list it is given. Each thread has a
/// worker of its own; the workers come back when all is done.
///
/// # Errors
/// The first of `work`; what is left is not tried then.
pub(super) fn spread<T: Send, W: Send>(
    items: Vec<T>,
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, T, &mut Vec<T>) -> Result<()> + Sync,
) -> Result<Vec<W>> {
    let shared = Shared {
        heap: Mutex::new(Heap {
            items,
            working: 0,
            failure: None,
        }),
        changed: Condvar::new(),
    };
    let run = || {
        let mut own = worker();
        loop {
            let taken = shared.take();
            if taken.is_empty() {
                return own;
            }
            let mut turn = Turn {
                shared: &shared,
                found: Vec::new(),
                failure: None,
            };
            let outcome = taken
                .into_iter()
                .try_for_each(|item| work(&mut own, item, &mut turn.found));
            turn.failure = outcome.err();
        }
    };
    let others = pool::parallel_jobs() - 1;
    let workers = thread::scope(|scope| {
        // Where the system has no thread to spare, those that there are do it all.
        let started: Vec<_> = (0..others)
            .filter_map(|_| {
                let thread = thread::Builder::new().name("eas-list".to_owned());
                thread.spawn_scoped(scope, run).ok()
            })
            .collect();
        let own = run();
        let others = started.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        std::iter::once(own).chain(others).collect()
    });
    match lock(&shared.heap).failure.take() {
        Some(error) => Err(error),
        None => Ok(workers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eas_core::error::Kind;

    #[test]
    fn every_item_is_worked_on_once_with_those_that_it_leads_to() {
        for (start, depth) in [(1, 0), (100, 0), (3, 6), (0, 3)] {
            let workers = spread(
                (0..start).map(|number| (number, depth)).collect(),
                Vec::new,
                |done, (number, depth), found| {
                    done.push(number);
                    if depth > 0 {
                        found.extend([(2 * number, depth - 1), (2 * number + 1, depth - 1)]);
                    }
                    Ok(())
                },
            );
            let mut done = workers.unwrap_or_default().concat();
            done.sort_unstable();
            let mut expected: Vec<i32> = (0..=depth).flat_map(|level| 0..start << level).collect();
            expected.sort_unstable();
            assert_eq!(done, expected, "{start} items, {depth} levels");
        }
    }

    #[test]
    fn a_failure_is_given_and_a_panic_goes_on() {
        let fail = spread(
            vec![1; 50],
            || (),
            |(), _, _| Err(Error::new(Kind::Disposed, "no")),
        );
        assert_eq!(fail.err().map(|error| error.kind()), Some(Kind::Disposed));
        let panics = std::panic::catch_unwind(|| {
            spread(vec![1; 50], || (), |(), _: i32, _| panic!("as a test"))
        });
        assert!(panics.is_err());
    }
}
