//! When what waits is written: passes over the pending queue, and who waits for them.
//!
//! A pass hands out everything that waited when it began, once, in batches. There is one pass at a
//! time, on whatever thread. What to do next comes back from each call as a [`Next`]: this file
//! starts nothing and tells no time.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::pending_queue::{Batch, Before, Operation, PendingQueue, Place};
use eas_core::error::{Error, Kind, Result};
use eas_core::group::Committed;
use eas_core::runtime::lock;

const FIRST_RETRY_MS: u64 = 100;
const LAST_RETRY_MS: u64 = 10_000;

/// What bounds a queue.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most operations that are handed to the driver at once; as many start a pass.
    pub batch_size: usize,
    /// How long an operation waits at most, in ms.
    pub flush_interval_ms: u64,
    /// The most operations that wait before writes have to.
    pub max_queue_size: usize,
}

/// What is to be done by whoever made the call.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// Start a pass, on any thread.
    Start,
    /// Call [`Control::timer_fired`] with the number after `ms`.
    Wait {
        /// How long, in ms.
        ms: u64,
        /// Which timer it is.
        timer: u64,
    },
}

/// What a pass does next.
pub enum Step {
    /// Write these and report them.
    Batch(Batch),
    /// The pass is over.
    End {
        /// What is to be done now.
        next: Next,
        /// Why something was not written, where nobody else is told.
        unreported: Option<Error>,
    },
}

/// Completes when there is room for a write; nothing to wait for when there is.
pub type Room = Option<oneshot::Receiver<Result<()>>>;

/// The outcome of each operation of a batch; one that is left out was not tried.
pub type Outcomes = Vec<(Place, Result<()>)>;

/// Who waits for a group.
type Committer = oneshot::Sender<Result<Committed>>;

struct Pass {
    number: u64,
    looked_to: Place,
    up_to: Place,
    error: Option<Error>,
    has_written: bool,
}

struct Flush {
    up_to: Place,
    /// The first pass that is sure to have tried everything up to there.
    pass: u64,
    done: oneshot::Sender<Result<()>>,
}

/// Somebody who waits for what is queued without a hurry, also through attempts that fail.
struct Witness {
    up_to: Place,
    /// Told by being dropped.
    _done: oneshot::Sender<()>,
}

struct State {
    pending: PendingQueue,
    pass: Option<Pass>,
    last_pass: u64,
    is_starting: bool,
    /// The timer that counts; 0 for none.
    timer: u64,
    last_timer: u64,
    /// How many passes in a row wrote nothing and failed.
    failures: u32,
    is_backing_off: bool,
    flushes: Vec<Flush>,
    witnesses: Vec<Witness>,
    rooms: BTreeMap<Place, Vec<oneshot::Sender<Result<()>>>>,
    committers: BTreeMap<Place, Committer>,
    is_disposed: bool,
    /// Nobody waits any more for what is on its way: the process ends.
    is_given_up: bool,
    /// How often somebody said that a write got on.
    progress: u64,
}

/// The pending queue and its passes. Shared by the JS thread and those that write.
pub struct Control {
    limits: Limits,
    state: Mutex<State>,
    changed: Condvar,
}

impl Control {
    /// A queue with nothing in it.
    pub fn new(limits: Limits, merges: bool) -> Self {
        Control {
            limits,
            state: Mutex::new(State {
                pending: PendingQueue::new(merges),
                pass: None,
                last_pass: 0,
                is_starting: false,
                timer: 0,
                last_timer: 0,
                failures: 0,
                is_backing_off: false,
                flushes: Vec::new(),
                witnesses: Vec::new(),
                rooms: BTreeMap::new(),
                committers: BTreeMap::new(),
                is_disposed: false,
                is_given_up: false,
                progress: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Looks at the pending queue.
    pub fn with_pending<R>(&self, look: impl FnOnce(&PendingQueue) -> R) -> R {
        look(&lock(&self.state).pending)
    }

    /// Adds operations, in this order.
    ///
    /// # Errors
    /// [`Kind::Disposed`] once the queue is disposed.
    pub fn push(&self, operations: impl IntoIterator<Item = Operation>) -> Result<(Room, Next)> {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if state.is_disposed {
            return Err(disposed());
        }
        let mut last = None;
        for operation in operations {
            let newest = state.pending.last_place();
            let place = state.pending.push(operation);
            if place > newest && state.pending.accepted() > self.limits.max_queue_size {
                state.pending.set_unaccepted(place);
            }
            if !state.pending.has_accepted(place) {
                last = Some(place);
            }
        }
        let room = last.map(|place| {
            let (done, room) = oneshot::channel();
            state.rooms.entry(place).or_default().push(done);
            room
        });
        Ok((room, self.plan(state)))
    }

    /// Adds a clear and completes when it took effect or failed.
    ///
    /// # Errors
    /// [`Kind::Disposed`] once the queue is disposed.
    pub fn push_clear(
        &self,
        operation: Operation,
    ) -> Result<(oneshot::Receiver<Result<()>>, Next)> {
        let mut state = lock(&self.state);
        if state.is_disposed {
            return Err(disposed());
        }
        state.pending.push(operation);
        Ok(self.add_flush(&mut state))
    }

    /// Adds a group and completes with what became of it.
    ///
    /// # Errors
    /// [`Kind::Disposed`] once the queue is disposed.
    pub fn push_group(
        &self,
        operation: Operation,
    ) -> Result<(oneshot::Receiver<Result<Committed>>, Next)> {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if state.is_disposed {
            return Err(disposed());
        }
        let place = state.pending.push(operation);
        let (committer, committed) = oneshot::channel();
        state.committers.insert(place, committer);
        Ok((committed, self.plan(state)))
    }

    /// Completes when everything that waits now took effect, or when the next attempt failed.
    pub fn flush(&self) -> (oneshot::Receiver<Result<()>>, Next) {
        self.add_flush(&mut lock(&self.state))
    }

    /// Completes when everything that waits now took effect or was abandoned, however often that has
    /// to be tried.
    pub fn written(&self) -> oneshot::Receiver<()> {
        let mut state = lock(&self.state);
        let (done, written) = oneshot::channel();
        let up_to = state.pending.last_place();
        if state.pending.has_up_to(up_to) {
            state.witnesses.push(Witness { up_to, _done: done });
        }
        written
    }

    fn add_flush(&self, state: &mut State) -> (oneshot::Receiver<Result<()>>, Next) {
        let (done, flushed) = oneshot::channel();
        let flush = Flush {
            up_to: state.pending.last_place(),
            pass: state.last_pass + 1,
            done,
        };
        if state.pending.has_up_to(flush.up_to) {
            state.flushes.push(flush);
        } else {
            // The receiver is at hand: this cannot fail.
            let _ = flush.done.send(Ok(()));
        }
        (flushed, self.plan(state))
    }

    /// What is to be done, where no pass is under way.
    fn plan(&self, state: &mut State) -> Next {
        if state.pass.is_some() || state.is_starting || state.pending.is_empty() {
            return Next::Nothing;
        }
        let enough = self.limits.batch_size.min(self.limits.max_queue_size);
        let is_due = state.pending.len() >= enough && !state.is_backing_off;
        let is_awaited = !state.flushes.is_empty() || state.pending.has_waiting_group();
        if is_due || is_awaited {
            state.is_starting = true;
            return Next::Start;
        }
        if state.timer != 0 || state.is_disposed {
            return Next::Nothing;
        }
        Self::set_timer(state, self.limits.flush_interval_ms)
    }

    fn set_timer(state: &mut State, ms: u64) -> Next {
        state.last_timer += 1;
        state.timer = state.last_timer;
        Next::Wait {
            ms,
            timer: state.timer,
        }
    }

    /// A timer has run out.
    pub fn timer_fired(&self, timer: u64) -> Next {
        let mut state = lock(&self.state);
        if state.timer != timer {
            return Next::Nothing;
        }
        state.timer = 0;
        state.is_backing_off = false;
        if state.pending.is_empty() || state.pass.is_some() || state.is_starting {
            return self.plan(&mut state);
        }
        state.is_starting = true;
        Next::Start
    }

    /// Begins a pass; `false` when one is under way.
    pub fn begin_pass(&self) -> bool {
        let mut state = lock(&self.state);
        state.is_starting = false;
        Self::begin(&mut state)
    }

    fn begin(state: &mut State) -> bool {
        if state.pass.is_some() {
            return false;
        }
        state.last_pass += 1;
        state.pass = Some(Pass {
            number: state.last_pass,
            looked_to: 0,
            up_to: state.pending.last_place(),
            error: None,
            has_written: false,
        });
        true
    }

    /// Whether somebody waits for what is queued: for its flush, for its room or for a group.
    pub fn is_awaited(&self) -> bool {
        let state = lock(&self.state);
        !state.flushes.is_empty() || !state.rooms.is_empty() || !state.committers.is_empty()
    }

    /// Goes on with the pass that is under way.
    pub fn step(&self) -> Step {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if let Some(pass) = &mut state.pass
            && let Some((batch, looked_to)) =
                state
                    .pending
                    .take(pass.looked_to, pass.up_to, self.limits.batch_size)
        {
            pass.looked_to = looked_to;
            return Step::Batch(batch);
        }
        let step = self.end_pass(state);
        drop(guard);
        self.changed.notify_all();
        step
    }

    fn end_pass(&self, state: &mut State) -> Step {
        let Some(pass) = state.pass.take() else {
            return Step::End {
                next: Next::Nothing,
                unreported: None,
            };
        };
        let mut unreported = pass.error.clone();
        for flush in std::mem::take(&mut state.flushes) {
            if !state.pending.has_up_to(flush.up_to) {
                // A caller that went away needs no answer, here and below.
                let _ = flush.done.send(Ok(()));
            } else if let Some(error) = pass.error.as_ref().filter(|_| pass.number >= flush.pass) {
                unreported = None;
                let _ = flush.done.send(Err(error.clone()));
            } else {
                state.flushes.push(flush);
            }
        }
        let next = if pass.error.is_some() {
            // A key that never succeeds must not slow down those that do.
            state.failures = if pass.has_written {
                1
            } else {
                state.failures + 1
            };
            state.is_backing_off = true;
            state.timer = 0;
            // A group that came since is tried at once.
            let is_awaited = !state.flushes.is_empty() || state.pending.has_waiting_group();
            if !is_awaited && !state.is_disposed && !state.pending.is_empty() {
                let doubled = FIRST_RETRY_MS << (state.failures - 1).min(10);
                Self::set_timer(state, doubled.min(LAST_RETRY_MS))
            } else {
                self.plan(state)
            }
        } else {
            if pass.has_written {
                state.failures = 0;
                state.is_backing_off = false;
            }
            if pass.has_written || !state.pending.is_handed_out() {
                self.plan(state)
            } else {
                // Whoever holds the rest up says what is next when that is reported.
                Next::Nothing
            }
        };
        Step::End { next, unreported }
    }

    /// Reports a batch. Operations without an outcome wait on.
    pub fn finish(&self, batch: &Batch, outcomes: Outcomes) -> Next {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let mut tried: Vec<Place> = Vec::with_capacity(outcomes.len());
        let mut rejected: Vec<(Committer, Error)> = Vec::new();
        for (place, outcome) in outcomes {
            tried.push(place);
            match outcome {
                Ok(()) => {
                    state.pending.done(place);
                    if let Some(pass) = &mut state.pass {
                        pass.has_written = true;
                    }
                }
                Err(error) => {
                    for group in state.pending.reject_behind(place) {
                        let committer = state.committers.remove(&group);
                        rejected.extend(committer.map(|committer| (committer, error.clone())));
                    }
                    state.pending.failed(place);
                    if let Some(pass) = &mut state.pass {
                        pass.error.get_or_insert(error);
                    }
                }
            }
        }
        if tried.len() < batch.operations.len() {
            tried.sort_unstable();
            for (place, _) in &batch.operations {
                if tried.binary_search(place).is_err() {
                    state.pending.failed(*place);
                }
            }
        }
        let report = self.settle(state);
        drop(guard);
        self.changed.notify_all();
        for (committer, error) in rejected {
            // A caller that went away needs no answer, here and below.
            let _ = committer.send(Err(error));
        }
        report.send()
    }

    /// Reports a batch that is a group, which is not tried again.
    pub fn finish_group(&self, batch: &Batch, outcome: Result<Committed>) -> Next {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let mut committer = None;
        for (place, _) in &batch.operations {
            state.pending.done(*place);
            committer = state.committers.remove(place);
        }
        if outcome.is_ok()
            && let Some(pass) = &mut state.pass
        {
            pass.has_written = true;
        }
        let report = self.settle(state);
        drop(guard);
        self.changed.notify_all();
        if let Some(committer) = committer {
            let _ = committer.send(outcome);
        }
        report.send()
    }

    /// Finds out who waits for nothing any more.
    fn settle(&self, state: &mut State) -> Report {
        let rooms = self.make_room(state);
        let (flushed, waiting) = std::mem::take(&mut state.flushes)
            .into_iter()
            .partition(|flush: &Flush| !state.pending.has_up_to(flush.up_to));
        state.flushes = waiting;
        let pending = &state.pending;
        state
            .witnesses
            .retain(|witness| pending.has_up_to(witness.up_to));
        Report {
            rooms,
            flushed,
            next: self.plan(state),
        }
    }

    fn make_room(&self, state: &mut State) -> Vec<oneshot::Sender<Result<()>>> {
        let mut woken = Vec::new();
        while let Some(first) = state.rooms.first_entry() {
            let place = *first.key();
            let has_room = state.pending.accepted() < self.limits.max_queue_size;
            if !has_room && state.pending.has(place) {
                break;
            }
            woken.extend(first.remove());
            state.pending.accept(place);
        }
        woken
    }

    /// Takes what waits for a key; waits on the condition variable first where `may_wait`.
    pub fn take_key(&self, key: &str, may_wait: bool) -> Result<Before> {
        self.take_now(may_wait, |pending| pending.take_key(key))
    }

    /// Takes what waits under a base; as [`take_key`](Self::take_key).
    pub fn take_base(&self, base: &str, may_wait: bool) -> Result<Before> {
        self.take_now(may_wait, |pending| pending.take_base(base))
    }

    fn take_now(
        &self,
        may_wait: bool,
        mut take: impl FnMut(&mut PendingQueue) -> Before,
    ) -> Result<Before> {
        let mut state = lock(&self.state);
        loop {
            if state.is_disposed {
                return Err(disposed());
            }
            match take(&mut state.pending) {
                Before::Busy if may_wait && state.is_given_up => return Err(given_up()),
                Before::Busy if may_wait => state = self.wait(state),
                before => return Ok(before),
            }
        }
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pass for a caller that blocks until everything that waits now is written; `false`
    /// when nothing is left. Waits for the pass of another thread.
    ///
    /// # Errors
    /// `EBUSY` once the queue was given up.
    pub fn begin_own_pass(&self, up_to: Place) -> Result<bool> {
        let mut state = lock(&self.state);
        loop {
            if !state.pending.has_up_to(up_to) {
                return Ok(false);
            }
            if Self::begin(&mut state) {
                return Ok(true);
            }
            if state.is_given_up {
                return Err(given_up());
            }
            state = self.wait(state);
        }
    }

    /// Hands out what waits and is not held up, for a caller that writes it at once beside a pass
    /// that may be under way.
    pub fn take_beside(&self, after: Place, up_to: Place) -> Option<(Batch, Place)> {
        let mut state = lock(&self.state);
        state.pending.take(after, up_to, self.limits.batch_size)
    }

    /// Waits until nothing is left or an attempt failed, and gives how many operations are left;
    /// `progressed` is notified when a write [makes progress](Self::made_progress).
    pub fn wait_for_end(&self, progressed: impl Fn()) -> usize {
        let mut state = lock(&self.state);
        loop {
            let is_idle =
                state.pass.is_none() && !state.is_starting && !state.pending.is_handed_out();
            if state.pending.is_empty() || is_idle {
                return state.pending.len();
            }
            let made = state.progress;
            state = self.wait(state);
            if state.progress > made {
                progressed();
            }
        }
    }

    /// Something of a batch was written.
    pub fn made_progress(&self) {
        lock(&self.state).progress += 1;
        self.changed.notify_all();
    }

    /// From now on nobody waits for what is on its way and does not come to an end; gives how many
    /// operations are left.
    pub fn give_up(&self) -> usize {
        let mut state = lock(&self.state);
        state.is_given_up = true;
        let left = state.pending.len();
        drop(state);
        self.changed.notify_all();
        left
    }

    /// Refuses writes from now on; `false` when that was so.
    pub fn dispose(&self) -> bool {
        !std::mem::replace(&mut lock(&self.state).is_disposed, true)
    }

    /// Drops what could not be written before the driver below went away, and tells those who wait.
    pub fn abandon(&self, error: Option<&Error>) {
        let mut state = lock(&self.state);
        // What becomes of a group that the driver has is what the driver says.
        let (kept, committers): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut state.committers)
                .into_iter()
                .partition(|(place, _)| state.pending.is_on_the_way(*place));
        state.committers = kept;
        state.pending.abandon();
        state.timer = 0;
        let rooms = std::mem::take(&mut state.rooms);
        let flushes = std::mem::take(&mut state.flushes);
        state.witnesses.clear();
        drop(state);
        let outcome = || error.map_or(Ok(()), |error| Err(error.clone()));
        for room in rooms.into_values().flatten() {
            // A caller that went away needs no answer.
            let _ = room.send(outcome());
        }
        for flush in flushes {
            let _ = flush.done.send(outcome());
        }
        for committer in committers.into_values() {
            let _ = committer.send(Err(disposed()));
        }
    }

    /// How many operations are accepted, whether some are on their way, whether it is disposed.
    pub fn status(&self) -> (usize, bool, bool) {
        let state = lock(&self.state);
        let size = state.pending.operations().count();
        (size, state.pending.is_handed_out(), state.is_disposed)
    }

    /// How many passes in a row failed without writing anything.
    pub fn failures(&self) -> u32 {
        lock(&self.state).failures
    }
}

/// Who waits for nothing any more, and what is to be done.
#[must_use]
struct Report {
    rooms: Vec<oneshot::Sender<Result<()>>>,
    flushed: Vec<Flush>,
    next: Next,
}

impl Report {
    /// Called without the lock.
    fn send(self) -> Next {
        for room in self.rooms {
            // A caller that went away needs no answer, here and below.
            let _ = room.send(Ok(()));
        }
        for flush in self.flushed {
            let _ = flush.done.send(Ok(()));
        }
        self.next
    }
}

fn given_up() -> Error {
    Error::new(
        Kind::System("EBUSY"),
        "EBUSY: the process ends, and a write of the queue does not come to an end",
    )
}

/// The error of a call once the queue is disposed.
pub(super) fn disposed() -> Error {
    Error::new(
        Kind::Disposed,
        "the queue is disposed; make a new one to write again",
    )
}
