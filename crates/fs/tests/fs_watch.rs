//! Watches of a base on which a look fails.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fs_support;

use std::fs;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use eas_core::store::Store;
use eas_fs::FsOptions;
use fs_support::faulty::{Fault, FaultyDisk};
use fs_support::{Machine, folder};

/// Longer than any event takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_is_in_a_folder_that_does_not_list_at_first_is_seen_when_it_does() {
    let (root, base) = folder();
    fs::create_dir(&base).unwrap();
    let made = root.path().join("made");
    fs::create_dir(&made).unwrap();
    fs::write(made.join("x"), "1").unwrap();
    let disk = FaultyDisk::default();
    let store = Machine::at(1000).store(disk.clone(), FsOptions::at(&base).unwrap());
    let (events, reported) = mpsc::channel();
    let sink = Arc::new(move |event: eas_core::driver::Event| {
        let _ = events.send(event.key);
    });
    let _watch = (Arc::new(store).watch(sink).start)().unwrap();
    let fails = disk.clone();
    disk.after("stat_link", base.join("new"), move || {
        fails.fail_after(0, Fault::Error("EMFILE"));
    });
    fs::rename(made, base.join("new")).unwrap();
    assert_eq!(reported.recv_timeout(PATIENCE).as_deref(), Ok("new:x"));
    assert_eq!(disk.disarm(), Some("list"));
}
