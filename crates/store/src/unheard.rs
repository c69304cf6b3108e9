//! Writes that failed and whose callers have not heard of it yet. Where the context shuts down first, the
//! standard error is all that is left to tell.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use eas_core::error::{Error, Result};
use eas_core::runtime::lock;

/// The failures of one store that are on their way to their callers.
#[derive(Default)]
pub struct Unheard {
    failures: Mutex<Failures>,
    noted: Condvar,
}

#[derive(Default)]
struct Failures {
    last: u64,
    open: BTreeMap<u64, Error>,
    /// How many writes are under way.
    running: usize,
}

/// A write that is done is noted right after.
const NOTED_WITHIN: Duration = Duration::from_secs(1);

/// The outcome of a write, and the number under which it is [`heard`](Unheard::heard) of if it failed.
pub type Done<T> = (Result<T>, Option<u64>);

impl Failures {
    fn note<T>(&mut self, outcome: Result<T>) -> Done<T> {
        let number = outcome.as_ref().err().map(|error| {
            self.last += 1;
            self.open.insert(self.last, error.clone());
            self.last
        });
        (outcome, number)
    }
}

impl Unheard {
    /// Does a write, which must not panic.
    pub fn watch<T>(&self, write: impl FnOnce() -> Result<T>) -> Done<T> {
        lock(&self.failures).running += 1;
        let outcome = write();
        self.done(|failures| failures.note(outcome))
    }

    /// Does several writes, which must not panic.
    pub fn watch_all<T>(&self, write: impl FnOnce() -> Vec<Result<T>>) -> Vec<Done<T>> {
        lock(&self.failures).running += 1;
        let outcomes = write().into_iter();
        self.done(|failures| outcomes.map(|outcome| failures.note(outcome)).collect())
    }

    fn done<R>(&self, note: impl FnOnce(&mut Failures) -> R) -> R {
        let mut failures = lock(&self.failures);
        failures.running -= 1;
        let is_last = failures.running == 0;
        let done = note(&mut failures);
        drop(failures);
        if is_last {
            self.noted.notify_all();
        }
        done
    }

    /// The caller hears of it.
    pub fn heard(&self, number: u64) {
        lock(&self.failures).open.remove(&number);
    }

    /// Whether somebody has not heard of a failure.
    pub fn is_empty(&self) -> bool {
        lock(&self.failures).open.is_empty()
    }

    /// What the standard error is told of those that nobody will hear of any more, once.
    pub fn last_words(&self, driver: &str) -> Option<String> {
        let failures = lock(&self.failures);
        let noted = self
            .noted
            .wait_timeout_while(failures, NOTED_WITHIN, |failures| failures.running > 0);
        let (mut failures, _) = noted.unwrap_or_else(PoisonError::into_inner);
        let open = std::mem::take(&mut failures.open);
        drop(failures);
        let first = open.values().next()?;
        let (writes, colon) = match open.len() {
            1 => ("write", ""),
            _ => ("writes", "; the first"),
        };
        Some(format!(
            "[electron-async-storage] [{driver}] the process ends with {} failed {writes} that nobody heard of{colon}: {first}",
            open.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eas_core::error::Kind;

    #[test]
    fn failures_are_kept_until_they_are_heard_of_and_told_once() {
        let unheard = Unheard::default();
        let failed = |text: &str| Err::<(), _>(Error::new(Kind::System("EIO"), text.to_owned()));
        assert_eq!(unheard.watch(|| Ok(())).1, None);
        assert!(unheard.is_empty() && unheard.last_words("fs").is_none());
        let watch = |text| unheard.watch(|| failed(text)).1.expect("a number");
        let heard = watch("heard of");
        watch("first");
        watch("second");
        unheard.heard(heard);
        let words = unheard.last_words("fs").expect("two are left");
        assert!(
            words.contains("[fs] the process ends with 2 failed writes"),
            "{words}"
        );
        assert!(
            words.contains("first: ") && !words.contains("second"),
            "{words}"
        );
        assert!(unheard.is_empty() && unheard.last_words("fs").is_none());
    }
}
