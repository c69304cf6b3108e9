//! The priority of a thread.

/// As far below that of others as programs in the background are by custom.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// Lets the other threads of the machine go first where they need all of its processors. The priority of
/// a thread cannot be raised again without special rights.
#[cfg(target_os = "linux")]
pub(super) fn lower() {
    // Linux takes a thread for a process here. Without it the work is done all the same.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// Other systems have no such call for a single thread, or favour the threads of windows by themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn lower() {}
