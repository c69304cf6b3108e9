//! Writing on other threads, for drivers below that are plain blocking code. The JS thread may
//! be busy: nothing here needs it.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use rustc_hash::{FxBuildHasher, FxHashSet};
use tokio::sync::mpsc::UnboundedSender;

use super::control::{Control, Next, Outcomes, Step};
use super::group::QueuedGroup;
use super::pending_queue::{Batch, Before, Change, Operation, PendingQueue, Place};
use eas_core::driver::{Call, Mode};
use eas_core::error::{At, Error, Result};
use eas_core::group::Committed;
use eas_core::key;
use eas_core::runtime::{AtExit, Job, Progress, caught, lock, run_at_exit};
use eas_core::store::{Batch as StoreBatch, SingleWrites, Store, Write};
use eas_store::{not_durable, pool};

/// How many threads write one batch that somebody waits for. The rest of the pool is for reads.
/// Where nobody waits one does it, which leaves the other cores to the program.
const WRITERS: usize = 2;

/// A batch with fewer operations a writer is not split.
const LEAST_OPERATIONS_A_WRITER: usize = 16;

/// Threads that do not wait for the JS runtime.
pub trait Threads: Send + Sync {
    /// Runs a job soon.
    fn run(&self, job: Job);

    /// Runs a job after `ms`.
    fn run_after(&self, ms: u64, job: Job);
}

/// The threads of the process.
pub struct ProcessThreads;

impl Threads for ProcessThreads {
    fn run(&self, job: Job) {
        pool::submit(job);
    }

    fn run_after(&self, ms: u64, job: Job) {
        pool::submit_after(Duration::from_millis(ms), job);
    }
}

/// What the JS thread has to hear of, whenever it gets to it.
pub enum Notice {
    /// Operations failed and nobody else was told.
    Failed(Error),
    /// An item was written that ends then, in ms since the epoch.
    Expires(u64),
}

/// The writer of one queue.
pub struct Threaded {
    /// What waits.
    pub control: Control,
    store: Arc<dyn Store>,
    threads: Arc<dyn Threads>,
    notices: UnboundedSender<Notice>,
    /// The process has begun to end: there may be no later moment to write.
    is_ending: AtomicBool,
    /// It was told that the process ends with operations that were not written.
    has_told: AtomicBool,
}

/// A batch that several threads write.
struct Split {
    batch: Batch,
    left: AtomicUsize,
    outcomes: Mutex<Outcomes>,
}

impl Threaded {
    /// A writer to `store`.
    pub fn new(
        control: Control,
        store: Arc<dyn Store>,
        threads: Arc<dyn Threads>,
        notices: UnboundedSender<Notice>,
    ) -> Arc<Self> {
        Arc::new(Threaded {
            control,
            store,
            threads,
            notices,
            is_ending: AtomicBool::new(false),
            has_told: AtomicBool::new(false),
        })
    }

    /// Does what is next.
    pub fn go(self: &Arc<Self>, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Start => {
                let this = self.clone();
                self.threads.run(Box::new(move || this.pass()));
            }
            Next::Wait { ms, timer } => {
                let this: Weak<Self> = Arc::downgrade(self);
                let fired = move || {
                    // A queue that is dropped flushes first.
                    if let Some(this) = this.upgrade() {
                        match this.control.timer_fired(timer) {
                            Next::Start => this.pass(),
                            next => this.go(next),
                        }
                    }
                };
                self.threads.run_after(ms, Box::new(fired));
            }
        }
    }

    fn pass(self: &Arc<Self>) {
        if self.control.begin_pass() {
            self.proceed();
        }
    }

    /// Writes batch after batch; returns early when another thread finishes one and proceeds.
    fn proceed(self: &Arc<Self>) {
        loop {
            match self.control.step() {
                Step::Batch(batch) => {
                    let Some(next) = self.write_split(batch) else {
                        return;
                    };
                    self.go(next);
                }
                Step::End { next, unreported } => {
                    if let Some(error) = unreported {
                        self.note(Notice::Failed(error));
                    }
                    self.go(next);
                    return;
                }
            }
        }
    }

    /// The receiver goes with the JS context; notices after that are nobody's.
    fn note(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    fn write_split(self: &Arc<Self>, batch: Batch) -> Option<Next> {
        if let Some(group) = batch.group() {
            let committed = self.commit(group);
            return Some(self.control.finish_group(&batch, committed));
        }
        let is_split = self.control.is_awaited() || self.is_ending();
        // One transaction is faster than two that wait for each other.
        let parts = if is_split && !self.store.info().is_transactional {
            part_by_key(&batch)
        } else {
            vec![(0..batch.operations.len()).collect()]
        };
        let split = Arc::new(Split {
            left: AtomicUsize::new(parts.len()),
            outcomes: Mutex::new(Vec::with_capacity(batch.operations.len())),
            batch,
        });
        let mut parts = parts.into_iter();
        let own = parts.next()?;
        for part in parts {
            let (this, split) = (self.clone(), split.clone());
            self.threads.run(Box::new(move || {
                if let Some(next) = this.write_part(&split, part) {
                    this.go(next);
                    this.proceed();
                }
            }));
        }
        self.write_part(&split, own)
    }

    /// Writes its part and, when it is the last to finish, reports the batch.
    fn write_part(&self, split: &Split, part: Vec<usize>) -> Option<Next> {
        let operations = part.into_iter().map(|index| &split.batch.operations[index]);
        let written = self.write_all(operations);
        lock(&split.outcomes).extend(written);
        if split.left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return None;
        }
        let outcomes = std::mem::take(&mut *lock(&split.outcomes));
        Some(self.control.finish(&split.batch, outcomes))
    }

    /// Writes in order. After one of a key failed, the others of that key are not tried.
    fn write_all<'a>(&self, operations: impl Iterator<Item = &'a (Place, Operation)>) -> Outcomes {
        let mut outcomes: Outcomes = Vec::new();
        let mut failed: FxHashSet<&str> = FxHashSet::default();
        // What the store makes as one is given to it as one: each key once, nothing but items.
        let is_transactional = self.store.info().is_transactional;
        let mut together: Vec<&(Place, Operation)> = Vec::new();
        let mut keys: FxHashSet<&str> = FxHashSet::default();
        for each in operations {
            let joins = is_transactional && each.1.is_of_item();
            if !joins || keys.contains(&*each.1.key) {
                self.write_together(&together, &mut failed, &mut outcomes);
                together.clear();
                keys.clear();
            }
            if joins {
                keys.insert(&each.1.key);
                together.push(each);
            } else {
                self.write_together(&[each], &mut failed, &mut outcomes);
            }
        }
        self.write_together(&together, &mut failed, &mut outcomes);
        outcomes
    }

    /// Writes operations of different keys as one, or one by one where that fails.
    fn write_together<'a>(
        &self,
        operations: &[&'a (Place, Operation)],
        failed: &mut FxHashSet<&'a str>,
        outcomes: &mut Outcomes,
    ) {
        let is_tried = |each: &&(Place, Operation)| !failed.contains(&*each.1.key);
        let tried: Vec<&'a (Place, Operation)> =
            operations.iter().copied().filter(is_tried).collect();
        if tried.len() > 1 {
            let writes: Vec<Write<'_>> =
                tried.iter().filter_map(|each| each.1.as_write()).collect();
            if caught(|| self.store.apply(&StoreBatch::of(&writes))).is_ok() {
                self.made_progress();
                for (place, operation) in tried {
                    if let Some(expires_ms) = operation.expires_ms {
                        self.note(Notice::Expires(expires_ms));
                    }
                    outcomes.push((*place, Ok(())));
                }
                return;
            }
        }
        for (place, operation) in tried {
            let outcome = self.write(operation, Mode::Async);
            if outcome.is_err() {
                failed.insert(&operation.key);
            }
            outcomes.push((*place, outcome));
        }
    }

    /// Writes one operation in place.
    pub fn write(&self, operation: &Operation, mode: Mode) -> Result<()> {
        let (store, key) = (&*self.store, &*operation.key);
        let (call, outcome) = match &operation.change {
            Change::Set(value) => (
                Call::SetItem,
                caught(|| store.set(key, value, operation.expires_ms)),
            ),
            Change::SetRaw(value) => (
                Call::SetItemRaw,
                caught(|| store.set_raw(key, value, operation.expires_ms)),
            ),
            Change::Remove => (Call::RemoveItem, caught(|| store.remove(key).map(drop))),
            Change::Clear => (
                Call::Clear,
                caught(|| clear(store, key, || self.made_progress())),
            ),
            // A batch that is a group does not come here.
            Change::Commit(group) => (Call::Commit, self.commit(group).map(drop)),
        };
        self.made_progress();
        if outcome.is_ok()
            && let Some(expires_ms) = operation.expires_ms
        {
            self.note(Notice::Expires(expires_ms));
        }
        outcome.at(store.info().name, call.name(mode), key)
    }

    /// Makes a group in place.
    fn commit(&self, group: &QueuedGroup) -> Result<Committed> {
        let committed = caught(|| group.apply(&*self.store));
        self.made_progress();
        if let Ok(Committed::Done) = committed
            && let Some(expires_ms) = group.first_expiry()
        {
            self.note(Notice::Expires(expires_ms));
        }
        committed.map_err(|error| {
            error
                .driver(self.store.info().name)
                .operation(group.operation)
        })
    }

    /// Makes a group at once, after what waits for its keys.
    ///
    /// # Errors
    /// Those of the store, also of what waits; then the group is not made.
    pub fn commit_through(self: &Arc<Self>, group: &QueuedGroup) -> Result<Committed> {
        let has_older = || {
            self.control
                .with_pending(|pending| pending.has_any(group.keys()))
        };
        // What fails beside the group is no business of it.
        let mut flushed = Ok(());
        while has_older() {
            flushed?;
            flushed = self.flush_here();
        }
        self.commit(group)
    }

    /// Tells an end that waits for all of it of a part.
    fn made_progress(&self) {
        if self.is_ending() {
            self.control.made_progress();
        }
    }

    /// Makes a change at once, after what waits for its key.
    ///
    /// # Errors
    /// Those of the store, also of what waits; then the change is not made.
    pub fn write_through(self: &Arc<Self>, operation: &Operation, merges: bool) -> Result<()> {
        let is_clear = operation.is_clear();
        // What fails beside the clear is no business of this write.
        let mut flushed = Ok(());
        let batch = loop {
            let before = if is_clear {
                self.control.take_base(&operation.key, true)?
            } else {
                self.control.take_key(&operation.key, true)?
            };
            match before {
                Before::Taken(batch) => break batch,
                Before::First => flushed?,
                Before::Busy => {}
            }
            flushed = self.flush_here();
        };
        let mut outcomes = Outcomes::new();
        let mut outcome = Ok(());
        if !merges && !is_clear {
            for (place, waiting) in &batch.operations {
                outcome = self.write(waiting, Mode::Sync);
                if outcome.is_err() {
                    break;
                }
                outcomes.push((*place, Ok(())));
            }
        }
        if outcome.is_ok() {
            outcome = self.write(operation, Mode::Sync);
        }
        if outcome.is_ok() {
            // What the change made pointless is done as well.
            outcomes = batch
                .operations
                .iter()
                .map(|(place, _)| (*place, Ok(())))
                .collect();
        }
        let next = self.control.finish(&batch, outcomes);
        self.go(next);
        outcome
    }

    /// Writes on this thread until nothing that waits now is left.
    ///
    /// # Errors
    /// The first of the store; what failed waits on.
    pub fn flush_here(self: &Arc<Self>) -> Result<()> {
        let up_to = self.control.with_pending(PendingQueue::last_place);
        while self.control.begin_own_pass(up_to)? {
            let mut outcome = Ok(());
            let next = loop {
                match self.control.step() {
                    Step::Batch(batch) => {
                        if let Some(group) = batch.group() {
                            let committed = self.commit(group);
                            let next = self.control.finish_group(&batch, committed);
                            self.go(next);
                            continue;
                        }
                        let outcomes = self.write_all(batch.operations.iter());
                        if let Some((_, Err(error))) =
                            outcomes.iter().find(|(_, outcome)| outcome.is_err())
                            && outcome.is_ok()
                        {
                            outcome = Err(error.clone());
                        }
                        let next = self.control.finish(&batch, outcomes);
                        self.go(next);
                    }
                    Step::End { next, .. } => break next,
                }
            };
            self.go(next);
            outcome?;
        }
        Ok(())
    }

    /// Whether writes should not wait in the queue any more.
    pub fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Nobody but the standard error is there to be told.
    fn tell_of(&self, left: usize) {
        if left > 0 && !self.has_told.swap(true, Ordering::Relaxed) {
            eprintln!(
                "[electron-async-storage] [queue] the process ends with {left} operations that could not be written to {}",
                self.store.info().name
            );
        }
    }
}

/// What the queue still has to do when the context shuts down.
pub(super) struct Ending(pub(super) Weak<Threaded>);

/// Other threads write everything before the process goes on to end, unless an attempt fails.
impl AtExit for Ending {
    fn start(&self, progress: Progress) {
        let Some(this) = self.0.upgrade() else {
            return;
        };
        this.is_ending.store(true, Ordering::Relaxed);
        if this.control.with_pending(PendingQueue::is_empty) && !this.store.is_behind_at_exit() {
            return;
        }
        let (_, next) = this.control.flush();
        this.go(next);
        let finish = move || {
            let left = this.control.wait_for_end(|| progress.made());
            this.tell_of(left);
            // What was written before may not be durable either.
            if let Err(error) = this.store.flush_at_exit(&|| progress.made()) {
                eprintln!("{}", not_durable(this.store.info().name, &error));
            }
        };
        run_at_exit(Box::new(finish));
    }

    fn give_up(&self) {
        if let Some(this) = self.0.upgrade() {
            this.tell_of(this.control.give_up());
        }
    }
}

fn clear(store: &dyn Store, base: &str, progressed: impl Fn()) -> Result<()> {
    let mut outcome = Ok(());
    let keys = store.keys(base, None)?.filtered(|key| !key::is_kept(key));
    if store.info().is_transactional {
        let is_listed = true;
        let removals: Vec<_> = keys
            .iter()
            .map(|key| Write::Remove { key, is_listed })
            .collect();
        return store.apply(&StoreBatch::of(&removals)).map(drop);
    }
    for key in &keys {
        let removed = store.remove_listed(key).map(drop);
        let removed = removed.map_err(|error| error.key(key));
        outcome = outcome.and(removed);
        progressed();
    }
    outcome
}

/// The indexes of a batch's operations in one part for each writer: a key's are in one part.
fn part_by_key(batch: &Batch) -> Vec<Vec<usize>> {
    let count = batch.operations.len();
    if count < WRITERS * LEAST_OPERATIONS_A_WRITER {
        return vec![(0..count).collect()];
    }
    let mut parts = vec![Vec::new(); WRITERS];
    for (index, (_, operation)) in batch.operations.iter().enumerate() {
        let mut hasher = FxBuildHasher.build_hasher();
        hasher.write(operation.key.as_bytes());
        // The low bits of this hash are weak.
        let part = usize::try_from(hasher.finish() >> 32).unwrap_or_default() % WRITERS;
        parts[part].push(index);
    }
    parts
}
