//! The priority of a thread.

#[cfg(target_os = "linux")]
use rustix::process::{getpriority_process, setpriority_process};

/// As far below that of others as programs in the background are by custom.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// Lets the other threads of the machine go first where they need all of its processors. The priority of
/// a thread cannot be raised again without special rights.
#[cfg(target_os = "linux")]
pub(super) fn lower() {
    // Linux takes a thread for a process here. Without it the work is done all the same.
    if getpriority_process(None).is_ok_and(|niceness| niceness < NICENESS) {
        let _ = setpriority_process(None, NICENESS);
    }
}

/// Other systems have no such call for a single thread, or favour the threads of windows by themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn lower() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn it_is_lowered_for_one_thread() {
        let of_others = getpriority_process(None).expect("it is known");
        let lowered = std::thread::spawn(|| {
            lower();
            getpriority_process(None).expect("it is known")
        });
        let lowered = lowered.join().expect("it ends");
        assert_eq!(lowered, NICENESS.max(of_others));
        assert_eq!(getpriority_process(None).expect("it is known"), of_others);
    }
}
