//! The part of a context that other threads may touch.

use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::sys;

use super::env::api;
use eas_core::runtime::lock;

/// Names a task of one context; never used again.
pub(super) type TaskId = u64;

/// What other threads leave for the thread of the context, and how they wake it.
pub(super) struct Shared {
    inner: Mutex<Inner>,
    is_alive: AtomicBool,
}

struct Inner {
    ready: Vec<TaskId>,
    discarded: Vec<sys::napi_ref>,
    /// The context's thread is taking work: it will see what is added.
    is_draining: bool,
    /// A wake-up is on its way.
    is_woken: bool,
    /// Null once the environment is ending.
    wake_up: sys::napi_threadsafe_function,
}

// SAFETY: the pointers are only dereferenced by Node-API. The threadsafe function may be called from
// any thread while it is not null, which the mutex guards; references are freed on the context's thread.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(super) fn new() -> Self {
        Shared {
            inner: Mutex::new(Inner {
                ready: Vec::new(),
                discarded: Vec::new(),
                is_draining: false,
                is_woken: false,
                wake_up: null_mut(),
            }),
            is_alive: AtomicBool::new(true),
        }
    }

    pub(super) fn attach(&self, wake_up: sys::napi_threadsafe_function) {
        lock(&self.inner).wake_up = wake_up;
    }

    /// Whether the environment can still be used, by its own thread.
    pub(super) fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) {
        self.is_alive.store(false, Ordering::Release);
    }

    /// Queues a task and wakes the context's thread.
    pub(super) fn push_ready(&self, task: TaskId) {
        self.leave(|inner| inner.ready.push(task));
    }

    /// Leaves a reference for the context's thread to free. After the end there is nothing to
    /// free: Node frees the references of an environment with it.
    pub(super) fn discard(&self, reference: sys::napi_ref) {
        self.leave(|inner| inner.discarded.push(reference));
    }

    fn leave(&self, add: impl FnOnce(&mut Inner)) {
        let mut inner = lock(&self.inner);
        if inner.wake_up.is_null() {
            return;
        }
        add(&mut inner);
        inner.wake();
    }

    /// Whether a wake-up is on its way.
    pub(super) fn is_woken(&self) -> bool {
        lock(&self.inner).is_woken
    }

    pub(super) fn woken(&self) {
        lock(&self.inner).is_woken = false;
    }

    /// Says that the context's thread takes work from now on; `false` when it does already.
    pub(super) fn start_draining(&self) -> bool {
        !std::mem::replace(&mut lock(&self.inner).is_draining, true)
    }

    /// What there is to do; when there is nothing, or `may_go_on` says no, the draining ends and
    /// what is left gets a wake-up of its own.
    pub(super) fn next_work(&self, may_go_on: bool) -> Option<(Vec<TaskId>, Vec<sys::napi_ref>)> {
        let mut inner = lock(&self.inner);
        let is_empty = inner.ready.is_empty() && inner.discarded.is_empty();
        if may_go_on && !is_empty {
            return Some((
                std::mem::take(&mut inner.ready),
                std::mem::take(&mut inner.discarded),
            ));
        }
        inner.is_draining = false;
        if !is_empty {
            inner.wake();
        }
        None
    }

    /// The threadsafe function, for use by the context's thread.
    pub(super) fn wake_up(&self) -> sys::napi_threadsafe_function {
        lock(&self.inner).wake_up
    }

    /// Takes the threadsafe function away from every thread; waits for one that is using it.
    pub(super) fn detach(&self) -> sys::napi_threadsafe_function {
        let mut inner = lock(&self.inner);
        inner.ready.clear();
        inner.discarded.clear();
        std::mem::replace(&mut inner.wake_up, null_mut())
    }
}

impl Inner {
    fn wake(&mut self) {
        if self.is_draining || self.is_woken || self.wake_up.is_null() {
            return;
        }
        self.is_woken = true;
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        api!(napi_call_threadsafe_function(
            self.wake_up,
            null_mut(),
            mode
        ));
    }
}
