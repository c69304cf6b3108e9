//! One environment of Node: its tasks, its one threadsafe function, its end.
//!
//! A context is held by the closures of the functions that JavaScript got; nothing hangs on
//! thread-locals, so any number of contexts can come and go in one process.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use napi::sys;
use rustc_hash::FxHashMap;

use super::env::{Env, Val, api, is_ok};
use super::error::settle_error;
use super::escape::escape;
use super::found::Found;
use super::function::function;
use super::read_cache::ReadCache;
use super::reference::{self, Reference};
use super::shared::{Shared, TaskId};
use super::strings;
use eas_core::driver::{LocalFuture, Mode, Op};
use eas_core::error::{Error, Kind, Result};
use eas_core::runtime::system_time_ms;
use eas_core::runtime::{AtExit, Job, Runtime, finish};
use eas_core::value::{JsHandle, Text};
use eas_store::pool;

/// Tasks polled in one go before the event loop turns: a chain of ready operations must not starve
/// timers and the window.
const POLLS_A_TURN: usize = 4096;

/// Values handed over at once to be stored in a list: they are arguments, which lie on the stack.
const FILLED_AT_ONCE: usize = 2048;

/// Room for the texts of a batch that cross at once, and for one large text.
const SCRATCH_BYTES: usize = 256 * 1024;

/// How long the end of an environment waits for disks that do nothing.
const EXIT_PATIENCE: Duration = Duration::from_secs(5);

/// The same once such an end was given up.
const SECOND_EXIT_PATIENCE: Duration = Duration::from_millis(500);

/// Warnings remembered so that each shows once; beyond that the oldest may show again.
const MOST_WARNINGS: usize = 65_536;

/// The warnings that were shown last.
#[derive(Default)]
struct Shown {
    /// Their hashes: the texts may be long.
    known: HashSet<u64>,
    hasher: RandomState,
    oldest_first: VecDeque<u64>,
}

impl Shown {
    /// Whether the warning is not among them; it is from then on.
    fn is_new(&mut self, code: &str, message: &str) -> bool {
        let warning = self.hasher.hash_one((code, message));
        if !self.known.insert(warning) {
            return false;
        }
        self.oldest_first.push_back(warning);
        if self.oldest_first.len() > MOST_WARNINGS
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

/// What tells JavaScript's time. Looked up by the facade at each call, since tests of programs replace it.
struct Clock {
    set_timer: Reference,
    now: Reference,
}

/// Everything that belongs to one environment.
pub(super) struct Context {
    pub(super) env: Env,
    pub(super) shared: Arc<Shared>,
    this: Weak<Context>,
    tasks: RefCell<FxHashMap<TaskId, Task>>,
    last_task: Cell<TaskId>,
    /// How many guards keep the event loop alive.
    loop_holds: Cell<usize>,
    /// Whether one of them is for tasks that were left to the next turn of the loop.
    holds_next_turn: Cell<bool>,
    /// The facade's function for warnings.
    warner: RefCell<Option<Reference>>,
    /// The facade's functions for the timers and the clock of JavaScript.
    clock: RefCell<Option<Clock>>,
    /// The facade's function that stores values in a list.
    filler: RefCell<Option<Reference>>,
    /// The facade's function that makes a template of a text.
    template_maker: RefCell<Option<Reference>>,
    /// The facade's function that writes a value as text.
    encoder: RefCell<Option<Reference>>,
    /// What is read again and again.
    pub(super) read_cache: ReadCache,
    /// What updates compare with.
    pub(super) found: Found,
    /// Memory of JavaScript that the facade writes texts to.
    scratch: RefCell<Option<Scratch>>,
    warned: RefCell<Shown>,
    /// What is to be done when the environment ends, in order of its registration.
    at_exit: RefCell<BTreeMap<u64, Rc<dyn AtExit>>>,
    last_at_exit: Cell<u64>,
    /// How long an end is waited for in which nothing gets on.
    exit_patience: Cell<Duration>,
    /// All that was asked for before the end is done; what is asked for now is done in place.
    is_ending: Cell<bool>,
}

struct Task {
    /// Taken out while it is polled.
    future: Option<LocalFuture<()>>,
    waker: Arc<TaskWaker>,
    /// It was woken while it was polled, by what the poll itself set off.
    is_woken: bool,
}

impl Task {
    fn put_back(&mut self, future: LocalFuture<()>) {
        self.future = Some(future);
        if std::mem::take(&mut self.is_woken) {
            self.waker.wake_by_ref();
        }
    }
}

struct TaskWaker {
    id: TaskId,
    is_queued: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            self.shared.push_ready(self.id);
        }
    }
}

struct Scratch {
    data: *mut u8,
    held: Reference,
}

impl Scratch {
    /// Code that ran before the facade, and replaced what it makes its views with, may have got hold
    /// of the buffer and given its memory away.
    fn is_there(&self, env: Env) -> bool {
        let (mut data, mut length) = (null_mut(), 0);
        self.held.get().is_some_and(|buffer| {
            is_ok(api!(napi_get_arraybuffer_info(
                env.0,
                buffer,
                &mut data,
                &mut length
            ))) && data.cast() == self.data
                && length == SCRATCH_BYTES
        })
    }
}

/// How an outcome becomes a value of JavaScript.
pub(super) type IntoJs<T> = fn(&Context, T) -> Val;

impl Context {
    /// The context of a new environment.
    pub(super) fn new(env: Env) -> napi::Result<Rc<Self>> {
        let context = Rc::new_cyclic(|this| Context {
            env,
            shared: Arc::new(Shared::new()),
            this: this.clone(),
            tasks: RefCell::default(),
            last_task: Cell::new(0),
            loop_holds: Cell::new(0),
            holds_next_turn: Cell::new(false),
            warner: RefCell::default(),
            clock: RefCell::default(),
            filler: RefCell::default(),
            template_maker: RefCell::default(),
            encoder: RefCell::default(),
            read_cache: ReadCache::default(),
            found: Found::default(),
            scratch: RefCell::default(),
            warned: RefCell::default(),
            at_exit: RefCell::default(),
            last_at_exit: Cell::new(0),
            exit_patience: Cell::new(EXIT_PATIENCE),
            is_ending: Cell::new(false),
        });
        let mut wake_up = null_mut();
        let status = api!(napi_create_threadsafe_function(
            env.0,
            null_mut(),
            null_mut(),
            strings::string(env, "electron-async-storage"),
            0,
            1,
            null_mut(),
            None,
            Rc::as_ptr(&context).cast_mut().cast::<c_void>(),
            Some(on_wake_up),
            &mut wake_up,
        ));
        if !is_ok(status) {
            return Err(napi::Error::from_reason(
                "cannot create a threadsafe function",
            ));
        }
        api!(napi_unref_threadsafe_function(env.0, wake_up));
        context.shared.attach(wake_up);
        // Hooks run last in, first out: this one before Node's own for the threadsafe function.
        let owner = Rc::into_raw(context.clone()).cast_mut().cast::<c_void>();
        api!(napi_add_env_cleanup_hook(
            env.0,
            Some(on_environment_end),
            owner
        ));
        Ok(context)
    }

    fn strong(&self) -> Rc<Context> {
        self.this
            .upgrade()
            .expect("a context that runs is held by its caller")
    }

    /// The facade's functions `(ms, done) => void` and `() => ms` for timers and the clock.
    pub(super) fn set_clock(&self, set_timer: Val, now: Val) {
        let of = |function| Reference::new(self.env, function, &self.shared);
        if let (Some(set_timer), Some(now)) = (of(set_timer), of(now)) {
            *self.clock.borrow_mut() = Some(Clock { set_timer, now });
        }
    }

    /// Calls a function of the clock; `None` where that is not possible, or it threw.
    fn ask_clock(&self, which: fn(&Clock) -> &Reference, arguments: &[Val]) -> Option<Val> {
        let function = self
            .clock
            .borrow()
            .as_ref()
            .and_then(|clock| which(clock).get())?;
        let answer = self.env.call(function, arguments);
        if answer.is_err() {
            self.env.take_exception();
        }
        answer.ok()
    }

    /// The facade's function `(code, message) => void` for warnings.
    pub(super) fn set_warner(&self, function: Val) {
        *self.warner.borrow_mut() = Reference::new(self.env, function, &self.shared);
    }

    /// The facade's function `(list, at, ...values) => void`, which stores values in a list.
    pub(super) fn set_filler(&self, function: Val) {
        *self.filler.borrow_mut() = Reference::new(self.env, function, &self.shared);
    }

    /// The facade's function `(coded) => template | undefined`.
    pub(super) fn set_template_maker(&self, function: Val) {
        *self.template_maker.borrow_mut() = Reference::new(self.env, function, &self.shared);
    }

    /// The facade's function `(value) => text | undefined`.
    pub(super) fn set_encoder(&self, function: Val) {
        *self.encoder.borrow_mut() = Reference::new(self.env, function, &self.shared);
    }

    /// The text that the codec writes for a value; `None` where it has none.
    pub(super) fn encode(&self, value: &JsHandle) -> Option<Text> {
        let encode = self.encoder.borrow().as_ref().and_then(Reference::get)?;
        let Ok(text) = self
            .env
            .call(encode, &[reference::value_of(self.env, value)])
        else {
            // There is no room on the stack.
            self.env.take_exception();
            return None;
        };
        strings::read_text(self.env, text)
    }

    /// What the facade makes of a text; `None` where copies cannot stand for its value.
    pub(super) fn make_template(&self, coded: Val) -> Option<Val> {
        let make = self
            .template_maker
            .borrow()
            .as_ref()
            .and_then(Reference::get)?;
        if coded.is_null() {
            self.env.take_exception();
            return None;
        }
        let Ok(template) = self.env.call(make, &[coded]) else {
            // There is no room on the stack.
            self.env.take_exception();
            return None;
        };
        self.env.is_object(template).then_some(template)
    }

    /// The memory that the facade writes texts to, as an ArrayBuffer.
    pub(super) fn make_scratch(&self) -> Val {
        let (mut data, mut buffer) = (null_mut(), null_mut());
        api!(napi_create_arraybuffer(
            self.env.0,
            SCRATCH_BYTES,
            &mut data,
            &mut buffer
        ));
        let held = Reference::new(self.env, buffer, &self.shared);
        *self.scratch.borrow_mut() = held.map(|held| Scratch {
            data: data.cast(),
            held,
        });
        buffer
    }

    /// A text that the facade wrote.
    pub(super) fn scratch_text(&self, range: Range<usize>) -> Option<Text> {
        let scratch = self.scratch.borrow();
        let scratch = scratch.as_ref()?;
        let data = scratch.data;
        let is_inside = range.start <= range.end && range.end <= SCRATCH_BYTES;
        if data.is_null() || !is_inside || !scratch.is_there(self.env) {
            return None;
        }
        // SAFETY: the reference keeps the buffer, which still has this memory; the range lies inside it
        // and is copied before JavaScript runs again.
        let bytes = unsafe { std::slice::from_raw_parts(data.add(range.start), range.len()) };
        Text::copy_utf8(bytes)
    }

    /// Escapes, as JSON does, a text that the facade wrote, and gives its new end; `None` where the codec is
    /// to write it. There is nothing past `limit`.
    pub(super) fn escape_scratch(&self, range: Range<usize>, limit: usize) -> Option<usize> {
        let scratch = self.scratch.borrow();
        let scratch = scratch.as_ref()?;
        let is_inside = range.start <= range.end && range.end <= limit && limit <= SCRATCH_BYTES;
        if scratch.data.is_null() || !is_inside || !scratch.is_there(self.env) {
            return None;
        }
        // SAFETY: as above, and JavaScript, which alone refers to the memory too, does not run meanwhile.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(scratch.data.add(range.start), limit - range.start)
        };
        Some(range.start + escape(bytes, range.len())?)
    }

    /// A list of any length; null when one of the values is. JavaScript stores the values: Node-API
    /// would look up each index.
    pub(super) fn list(&self, values: impl ExactSizeIterator<Item = Val>) -> Val {
        let env = self.env;
        let list = env.array_of_length(values.len());
        let filler = self.filler.borrow().as_ref().and_then(Reference::get);
        let mut values = values.peekable();
        let mut at = 0;
        while values.peek().is_some() {
            let mut arguments = Vec::with_capacity(2 + values.len().min(FILLED_AT_ONCE));
            arguments.extend([list, env.number(f64::from(at))]);
            arguments.extend(values.by_ref().take(FILLED_AT_ONCE));
            if arguments.iter().any(|value| value.is_null()) {
                return null_mut();
            }
            let filled = filler.is_some_and(|filler| env.call(filler, &arguments).is_ok());
            for value in &arguments[2..] {
                if !filled {
                    // There is no room on the stack.
                    env.take_exception();
                    env.set_element(list, at, *value);
                }
                at += 1;
            }
        }
        list
    }

    /// A value, unless there is none: Node makes no string beyond the length of the engine's, and no
    /// bytes beyond that of a Buffer.
    pub(super) fn made(&self, value: Val) -> Result<Val> {
        if value.is_null() {
            self.env.take_exception();
            let message = "What is stored is longer than a string or a Buffer can be";
            return Err(Error::new(Kind::InvalidValue, message));
        }
        Ok(value)
    }

    /// What an operation gives to JavaScript: the value when it is ready, a Promise when it is not,
    /// an error to throw.
    pub(super) fn finish<T: 'static>(
        &self,
        op: Op<T>,
        mode: Mode,
        into_js: IntoJs<T>,
    ) -> Result<Val> {
        let mut future = match op {
            Op::Ready(outcome) => {
                return outcome
                    .expect("an operation is taken once")
                    .and_then(|value| self.made(into_js(self, value)));
            }
            Op::Pending(future) => future,
        };
        let waker = self.new_task();
        let id = waker.id;
        let first = catch_unwind(AssertUnwindSafe(|| {
            let waker = Waker::from(waker);
            future
                .as_mut()
                .poll(&mut std::task::Context::from_waker(&waker))
        }));
        let first = first.unwrap_or_else(|panic| Poll::Ready(Err(Error::panic(&*panic))));
        self.hold_woken();
        if let Poll::Ready(outcome) = first {
            self.tasks.borrow_mut().remove(&id);
            return outcome.and_then(|value| self.made(into_js(self, value)));
        }
        if mode == Mode::Sync {
            self.tasks.borrow_mut().remove(&id);
            return Err(Error::new(
                Kind::SyncUnsupported,
                "the operation did not finish at once; use its Promise form",
            ));
        }
        let (mut deferred, mut promise) = (null_mut(), null_mut());
        if !is_ok(api!(napi_create_promise(
            self.env.0,
            &mut deferred,
            &mut promise
        ))) {
            self.tasks.borrow_mut().remove(&id);
            return Err(Error::new(Kind::Disposed, "the context is ending"));
        }
        let this = self.this.clone();
        let settled = Box::pin(async move {
            let outcome = AssertUnwindSafe(future)
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Err(Error::panic(&*panic)));
            let Some(context) = this.upgrade() else {
                return;
            };
            let env = context.env;
            match outcome.and_then(|value| context.made(into_js(&context, value))) {
                Ok(value) => {
                    api!(napi_resolve_deferred(env.0, deferred, value));
                }
                Err(error) => {
                    let value = settle_error(env, &error);
                    if error.thrown_value().is_none() {
                        // What runs now has not called: the facade finds out who did.
                        let name = strings::read_lossy(env, env.get(value, c"name"));
                        let header = format!("{}: {error}", name.unwrap_or_default());
                        env.set(value, c"stack", strings::string(env, &header));
                    }
                    api!(napi_reject_deferred(env.0, deferred, value));
                }
            }
        });
        if let Some(task) = self.tasks.borrow_mut().get_mut(&id) {
            task.put_back(settled);
        }
        Ok(promise)
    }

    /// A task without a future yet.
    fn new_task(&self) -> Arc<TaskWaker> {
        let id = self.last_task.get() + 1;
        self.last_task.set(id);
        let waker = Arc::new(TaskWaker {
            id,
            is_queued: AtomicBool::new(false),
            shared: self.shared.clone(),
        });
        let task = Task {
            future: None,
            waker: waker.clone(),
            is_woken: false,
        };
        self.tasks.borrow_mut().insert(id, task);
        waker
    }

    fn poll(&self, id: TaskId) {
        let (mut future, waker) = {
            let mut tasks = self.tasks.borrow_mut();
            let Some(task) = tasks.get_mut(&id) else {
                return;
            };
            task.waker.is_queued.store(false, Ordering::Release);
            match task.future.take() {
                Some(future) => (future, task.waker.clone()),
                None => {
                    task.is_woken = true;
                    return;
                }
            }
        };
        let waker = Waker::from(waker);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future
                .as_mut()
                .poll(&mut std::task::Context::from_waker(&waker))
                .is_pending()
        }));
        if polled.unwrap_or(false) {
            if let Some(task) = self.tasks.borrow_mut().get_mut(&id) {
                task.put_back(future);
                return;
            }
        } else {
            let finished = self.tasks.borrow_mut().remove(&id);
            drop(finished);
        }
        // Dropped outside the borrow: a destructor may start or finish other tasks.
        drop(future);
    }

    /// Runs `first`, then everything that is ready.
    pub(super) fn drain_after(&self, first: impl FnOnce()) {
        let is_outermost = self.shared.start_draining();
        first();
        if !is_outermost {
            return;
        }
        self.env.scope(|| {
            let mut polls = 0;
            while let Some((ready, discarded)) = self.shared.next_work(polls < POLLS_A_TURN) {
                for reference in discarded {
                    api!(napi_delete_reference(self.env.0, reference));
                }
                polls += ready.len();
                for task in ready {
                    self.env.scope(|| self.poll(task));
                }
            }
            if polls >= POLLS_A_TURN {
                self.hold_woken();
            }
        });
    }

    /// Keeps the loop for what waits for its turn: the wake-up that is on its way does not.
    fn hold_woken(&self) {
        if !self.holds_next_turn.get() && self.shared.is_woken() {
            self.holds_next_turn.set(true);
            self.hold_loop();
        }
    }

    fn hold_loop(&self) {
        let holds = self.loop_holds.get();
        self.loop_holds.set(holds + 1);
        if holds > 0 {
            return;
        }
        let wake_up = self.shared.wake_up();
        if !wake_up.is_null() {
            api!(napi_ref_threadsafe_function(self.env.0, wake_up));
        }
    }

    fn release_loop(&self) {
        let holds = self.loop_holds.get() - 1;
        self.loop_holds.set(holds);
        if holds > 0 {
            return;
        }
        let wake_up = self.shared.wake_up();
        if !wake_up.is_null() {
            api!(napi_unref_threadsafe_function(self.env.0, wake_up));
        }
    }

    /// What [`Runtime::at_exit`] was given after so much else. Guards may be dropped, and more of it may
    /// come, while it is done: the list is not borrowed then.
    fn exit_work_since(&self, number: u64) -> Vec<Rc<dyn AtExit>> {
        let work = self.at_exit.borrow();
        work.range(number + 1..)
            .map(|(_, each)| each.clone())
            .collect()
    }

    /// Newest first: what wraps a driver was made after it, and may call it once more. What such a call
    /// uses for the first time comes to the list then.
    fn call_js_at_exit(&self) {
        let mut called = 0;
        while self.last_at_exit.get() > called {
            let work = self.exit_work_since(called);
            called = self.last_at_exit.get();
            work.iter().rev().for_each(|each| each.call_js());
        }
    }

    /// Does what [`Runtime::at_exit`] was given. Node tells the addons of the main thread nothing
    /// of `process.exit()`: there the facade calls this.
    pub(super) fn finish_all(&self, can_call_js: bool) {
        let patience = self.exit_patience.get();
        let finished = catch_unwind(AssertUnwindSafe(|| {
            if can_call_js {
                self.call_js_at_exit();
            }
            finish(&self.exit_work_since(0), patience)
        }));
        // The environment ends all the same; there is nobody to tell of a panic.
        let finished = finished.unwrap_or(false);
        self.is_ending.set(finished);
        if !finished {
            self.exit_patience.set(SECOND_EXIT_PATIENCE);
        }
    }

    fn end(&self) {
        self.finish_all(false);
        let work = std::mem::take(&mut *self.at_exit.borrow_mut());
        drop(work);
        let wake_up = self.shared.detach();
        let abort = sys::ThreadsafeFunctionReleaseMode::abort;
        api!(napi_release_threadsafe_function(wake_up, abort));
        // Containers are taken out first: a destructor may look into the context again.
        let tasks = std::mem::take(&mut *self.tasks.borrow_mut());
        drop(tasks);
        let warner = self.warner.borrow_mut().take();
        drop(warner);
        self.read_cache.clear();
        self.found.clear();
        let clock = self.clock.borrow_mut().take();
        drop(clock);
        self.shared.end();
    }
}

unsafe extern "C" fn on_wake_up(
    env: sys::napi_env,
    _callback: Val,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // Node empties the queue without an environment when it ends.
    if env.is_null() || context.is_null() {
        return;
    }
    // SAFETY: the end hook owns the context and takes the threadsafe function down first.
    let context = unsafe { &*context.cast::<Context>() };
    if !context.shared.is_alive() {
        return;
    }
    let context = context.strong();
    let drained = catch_unwind(AssertUnwindSafe(|| {
        context.shared.woken();
        if context.holds_next_turn.replace(false) {
            context.release_loop();
        }
        context.drain_after(|| ());
    }));
    // Polls catch their own panics; what is left has nobody to go to.
    drop(drained);
}

unsafe extern "C" fn on_environment_end(owner: *mut c_void) {
    // SAFETY: the pointer came from `Rc::into_raw` in `Context::new`, and Node calls this once.
    let context = unsafe { Rc::from_raw(owner.cast_const().cast::<Context>()) };
    let ended = catch_unwind(AssertUnwindSafe(|| context.end()));
    drop(ended);
}

struct LoopHold(Rc<Context>);

impl Drop for LoopHold {
    fn drop(&mut self) {
        self.0.release_loop();
    }
}

/// Takes out what is to be done at the end when it is dropped.
struct AtExitGuard {
    context: Weak<Context>,
    id: u64,
}

impl Drop for AtExitGuard {
    fn drop(&mut self) {
        if let Some(context) = self.context.upgrade() {
            let work = context.at_exit.borrow_mut().remove(&self.id);
            drop(work);
        }
    }
}

/// A timer of the pool that ends with its future.
struct Timer {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The ports of the core, over a context.
pub(super) struct NodeRuntime(Weak<Context>);

impl NodeRuntime {
    pub(super) fn of(context: &Rc<Context>) -> Rc<dyn Runtime> {
        Rc::new(NodeRuntime(Rc::downgrade(context)))
    }
}

impl Runtime for NodeRuntime {
    fn now_ms(&self) -> u64 {
        system_time_ms()
    }

    fn run_blocking(&self, job: Job) {
        pool::submit(job);
    }

    fn sleep(&self, ms: u64) -> LocalFuture<()> {
        let (elapsed, done) = tokio::sync::oneshot::channel();
        let timer = Timer {
            task: pool::spawn(async move {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                // Nobody waits any more when the context has shut down.
                let _ = elapsed.send(());
            }),
        };
        Box::pin(async move {
            let _ = done.await;
            drop(timer);
        })
    }

    fn js_now_ms(&self) -> u64 {
        let context = self.0.upgrade().filter(|context| context.shared.is_alive());
        let told = context.and_then(|context| {
            let now = context.ask_clock(|clock| &clock.now, &[])?;
            context.env.as_number(now)
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "times are whole numbers far below 2^53; a clock that shows less than 0 shows 0"
        )]
        told.map_or_else(system_time_ms, |now| now as u64)
    }

    fn js_sleep(&self, ms: u64) -> LocalFuture<()> {
        let Some(context) = self.0.upgrade().filter(|context| context.shared.is_alive()) else {
            return self.sleep(ms);
        };
        let (elapsed, done) = tokio::sync::oneshot::channel();
        let elapsed = RefCell::new(Some(elapsed));
        let held = self.0.clone();
        let fired = function(context.env, "flush", move |env, _| {
            if let (Some(context), Some(elapsed)) = (held.upgrade(), elapsed.take()) {
                // Nobody waits any more when the queue is gone.
                context.drain_after(|| {
                    let _ = elapsed.send(());
                });
            }
            Ok(env.undefined())
        });
        #[expect(clippy::cast_precision_loss, reason = "times stay far below 2^53")]
        let arguments = [context.env.number(ms as f64), fired];
        if context
            .ask_clock(|clock| &clock.set_timer, &arguments)
            .is_none()
        {
            return self.sleep(ms);
        }
        Box::pin(async move {
            let _ = done.await;
        })
    }

    fn spawn(&self, task: LocalFuture<()>) {
        let Some(context) = self.0.upgrade().filter(|context| context.shared.is_alive()) else {
            return;
        };
        let id = context.new_task().id;
        if let Some(slot) = context.tasks.borrow_mut().get_mut(&id) {
            slot.put_back(task);
        }
        context.poll(id);
        context.hold_woken();
    }

    fn keep_alive(&self) -> Box<dyn Any> {
        match self.0.upgrade() {
            Some(context) => {
                context.hold_loop();
                Box::new(LoopHold(context))
            }
            None => Box::new(()),
        }
    }

    fn at_exit(&self, work: Rc<dyn AtExit>) -> Box<dyn Any> {
        let Some(context) = self.0.upgrade().filter(|context| context.shared.is_alive()) else {
            return Box::new(());
        };
        let id = context.last_at_exit.get() + 1;
        context.last_at_exit.set(id);
        context.at_exit.borrow_mut().insert(id, work);
        Box::new(AtExitGuard {
            context: self.0.clone(),
            id,
        })
    }

    fn is_ending(&self) -> bool {
        self.0
            .upgrade()
            .is_some_and(|context| context.is_ending.get())
    }

    fn encode(&self, value: &JsHandle) -> Option<Text> {
        self.0.upgrade()?.encode(value)
    }

    fn warn(&self, code: &'static str, message: String) {
        let Some(context) = self.0.upgrade().filter(|context| context.shared.is_alive()) else {
            return;
        };
        if !context.warned.borrow_mut().is_new(code, &message) {
            return;
        }
        let env = context.env;
        let warner = context.warner.borrow().as_ref().and_then(Reference::get);
        if let Some(warner) = warner {
            let arguments = [strings::string(env, code), strings::string(env, &message)];
            if env.call(warner, &arguments).is_err() {
                // A warning that cannot be shown must not become the outcome of an operation.
                env.take_exception();
            }
        }
    }
}
