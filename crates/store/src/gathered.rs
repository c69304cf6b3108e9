//! Single writes that wait for a thread are made as one batch, for stores that
//! [gather them](eas_core::store::StoreInfo::gathers_writes).

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use crate::offload::settled;
use crate::order::{Sequenced, run_as_one};
use crate::pool::SerialQueue;
use crate::unheard::{Done, Unheard};
use eas_core::driver::LocalFuture;
use eas_core::error::{At, Kind, Result};
use eas_core::runtime::{Job, Runtime, caught, lock};
use eas_core::store::{Batch, SingleWrites, Store, Write};
use eas_core::value::Value;

/// How many writes a batch has at most: others wait for the store meanwhile.
const MOST_WRITES: usize = 512;

/// From how many bytes on a batch takes no more writes.
const MOST_BYTES: usize = 1024 * 1024;

/// What a single write does to its key.
pub(super) enum Single {
    /// Writes it.
    Set {
        /// What it holds from then on.
        value: Value,
        /// Whether it is read back raw as it is given.
        is_raw: bool,
        /// When it expires, in ms since the epoch.
        expires_ms: Option<u64>,
    },
    /// Removes it.
    Remove,
}

impl Single {
    /// As a store takes it.
    pub(super) fn of<'a>(&'a self, key: &'a str) -> Write<'a> {
        match self {
            Single::Set {
                value,
                is_raw,
                expires_ms,
            } => Write::Set {
                key,
                value,
                is_raw: *is_raw,
                expires_ms: *expires_ms,
            },
            Single::Remove => Write::Remove {
                key,
                is_listed: false,
            },
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Single::Set { value, .. } => value.size(),
            Single::Remove => 0,
        }
    }
}

struct Waiting {
    sequenced: Sequenced,
    write: Single,
    operation: &'static str,
    answer: oneshot::Sender<Done<()>>,
}

/// The single writes of one store that wait for a thread.
#[derive(Default)]
pub(super) struct Gathered {
    state: Mutex<State>,
    queue: Arc<SerialQueue>,
}

#[derive(Default)]
struct State {
    writes: VecDeque<Waiting>,
    /// Whether a job is to take them.
    is_expected: bool,
}

impl Gathered {
    /// Makes a write, together with the others that wait.
    pub(super) fn write(
        self: &Arc<Self>,
        driver: &Arc<dyn Store>,
        runtime: &Rc<dyn Runtime>,
        unheard: &Arc<Unheard>,
        (sequenced, write, operation): (Sequenced, Single, &'static str),
    ) -> LocalFuture<Result<()>> {
        let (answer, outcome) = oneshot::channel();
        let settled = settled(outcome, runtime, Some(unheard.clone()));
        let mut state = lock(&self.state);
        state.writes.push_back(Waiting {
            sequenced,
            write,
            operation,
            answer,
        });
        let is_expected = std::mem::replace(&mut state.is_expected, true);
        drop(state);
        if !is_expected {
            let job = batch(
                Expected(Some(self.clone())),
                driver.clone(),
                unheard.clone(),
            );
            self.queue.submit(job, |job| runtime.run_blocking(job));
        }
        settled
    }

    /// The writes of the next batch; none once none wait.
    fn next(&self) -> Vec<Waiting> {
        let mut state = lock(&self.state);
        let mut bytes = 0;
        let fit = state.writes.iter().take(MOST_WRITES).take_while(|waiting| {
            let is_fit = bytes < MOST_BYTES;
            bytes += waiting.write.bytes();
            is_fit
        });
        let count = fit.count();
        state.is_expected = count > 0;
        state.writes.drain(..count).collect()
    }
}

/// The job that is to take what waits. Where it is dropped, what waits is dropped as well: the callers find
/// their answers gone.
struct Expected(Option<Arc<Gathered>>);

impl Drop for Expected {
    fn drop(&mut self) {
        if let Some(gathered) = self.0.take() {
            let dropped = std::mem::take(&mut *lock(&gathered.state));
            drop(dropped);
        }
    }
}

/// Makes one batch, and leaves what comes after it to a job of its own: others may need the thread.
fn batch(mut expected: Expected, driver: Arc<dyn Store>, unheard: Arc<Unheard>) -> Job {
    Box::new(move || {
        let Some(gathered) = expected.0.clone() else {
            return;
        };
        let writes = gathered.next();
        if writes.is_empty() {
            // Whoever comes now starts a job of its own.
            drop(expected.0.take());
            return;
        }
        apply(&*driver, &unheard, writes);
        let next = batch(expected, driver, unheard);
        gathered
            .queue
            .submit(next, |_| unreachable!("the queue is busy with this job"));
    })
}

/// Makes writes as one; where that fails, each by itself, so that none fails for another's fault.
fn apply(driver: &dyn Store, unheard: &Unheard, waiting: Vec<Waiting>) {
    let (mut sequenced, mut writes) = (Vec::with_capacity(waiting.len()), Vec::new());
    let mut answers = Vec::with_capacity(waiting.len());
    for each in waiting {
        sequenced.push(each.sequenced);
        writes.push(each.write);
        answers.push((each.operation, each.answer));
    }
    let outcomes = unheard.watch_all(|| outcomes(driver, sequenced, &writes, &answers));
    for ((_, answer), outcome) in answers.into_iter().zip(outcomes) {
        // Nobody listens once the JS context has shut down; the write was made all the same.
        let _ = answer.send(outcome);
    }
}

fn outcomes<A>(
    driver: &dyn Store,
    sequenced: Vec<Sequenced>,
    writes: &[Single],
    answers: &[(&'static str, A)],
) -> Vec<Result<()>> {
    let name = driver.info().name;
    let made = caught(|| make(driver, &sequenced, writes));
    let is_shared = match &made {
        Ok(()) => true,
        // It was waited for already, for as long as a write waits.
        Err(error) => sequenced.len() == 1 || error.kind() == Kind::System("EBUSY"),
    };
    let outcomes = sequenced.into_iter().zip(writes).zip(answers);
    outcomes
        .map(|((sequenced, write), (operation, _))| {
            let key = sequenced.shared_key();
            let outcome = if is_shared {
                made.clone()
            } else {
                caught(|| sequenced.run(|key| driver.write(write.of(key)).map(drop)))
            };
            outcome.at(name, operation, &key)
        })
        .collect()
}

fn make(driver: &dyn Store, sequenced: &[Sequenced], writes: &[Single]) -> Result<()> {
    run_as_one(sequenced, |places| {
        let writes: Vec<_> = places
            .iter()
            .map(|place| writes[*place].of(sequenced[*place].key()))
            .collect();
        driver.apply(&Batch::of(&writes)).map(drop)
    })
}
