//! What a queue asks of the JS runtime.

use eas_core::driver::DriverInfo;
use eas_core::error::Error;
use eas_core::runtime::Runtime;

/// The code of the warning of a flush that failed.
const WARNING: &str = "EAS_QUEUE_FLUSH";

/// The time that holds for a driver.
pub(super) fn now_ms(runtime: &dyn Runtime, info: &DriverInfo) -> u64 {
    if info.in_js {
        runtime.js_now_ms()
    } else {
        runtime.now_ms()
    }
}

/// Tells the developer that writing failed where no caller waits for it.
pub(super) fn warn(runtime: &dyn Runtime, inner: &str, error: &Error) {
    let message = format!(
        "[electron-async-storage] [queue] writing to \"{inner}\" failed, what was queued is kept and tried again: {error}"
    );
    runtime.warn(WARNING, message);
}
