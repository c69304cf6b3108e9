//! The machine's file system, with one call that fails. It does not wait for the device: nothing
//! here loses power.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eas_core::error::io_from_code;
use eas_fs::disk::{Access, Disk, KeyLocksNow, Kind, Stat, SystemDisk};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call gives this error and does nothing.
    Error(&'static str),
    /// This call and all that follow fail, as if the process had ended.
    End,
    /// A write takes one byte only; other calls go well.
    ShortWrite,
}

#[derive(Default)]
struct Plan {
    calls_left: Option<usize>,
    fault: Option<Fault>,
    failed: Option<&'static str>,
    are_files_others: bool,
}

type Deed = Box<dyn FnOnce() + Send>;

/// What happens right after a call, as if another process did it.
#[derive(Default)]
struct Meanwhile {
    after: Option<(&'static str, PathBuf, Deed)>,
    calls: Vec<(&'static str, PathBuf)>,
}

/// Fails the call that it is told to.
#[derive(Clone, Default)]
pub(crate) struct FaultyDisk {
    plan: Arc<Mutex<Plan>>,
    meanwhile: Arc<Mutex<Meanwhile>>,
}

impl FaultyDisk {
    /// Does something between the next listing of that folder and the call that follows it.
    pub(crate) fn after_listing(&self, folder: PathBuf, deed: impl FnOnce() + Send + 'static) {
        self.after("list", folder, deed);
    }

    /// Does something between the next such call, by name, with that path and the call that follows
    /// it.
    pub(crate) fn after(
        &self,
        call: &'static str,
        path: PathBuf,
        deed: impl FnOnce() + Send + 'static,
    ) {
        self.meanwhile.lock().unwrap().after = Some((call, path, Box::new(deed)));
    }

    fn called(&self, call: &'static str, path: &Path) {
        let mut meanwhile = self.meanwhile.lock().unwrap();
        meanwhile.calls.push((call, path.to_owned()));
        let deed = meanwhile
            .after
            .take_if(|(after, at, _)| *after == call && at == path);
        drop(meanwhile);
        if let Some((_, _, deed)) = deed {
            deed();
        }
    }

    /// How often a folder was listed.
    pub(crate) fn listings_of(&self, folder: &Path) -> usize {
        self.calls_of("list", folder)
    }

    /// How often a call that looks at the disk, by name, was made for that path.
    pub(crate) fn calls_of(&self, call: &'static str, path: &Path) -> usize {
        let meanwhile = self.meanwhile.lock().unwrap();
        let calls = meanwhile.calls.iter();
        calls
            .filter(|(made, at)| *made == call && at == path)
            .count()
    }

    /// Lets `calls` calls pass and fails the next.
    pub(crate) fn fail_after(&self, calls: usize, fault: Fault) {
        let mut plan = self.plan.lock().unwrap();
        *plan = Plan {
            calls_left: Some(calls),
            fault: Some(fault),
            failed: None,
            are_files_others: plan.are_files_others,
        };
    }

    /// No file is the one that was opened, as on file systems that number their files anew.
    pub(crate) fn take_files_for_others(&self) {
        self.plan.lock().unwrap().are_files_others = true;
    }

    /// Lets all calls pass, and gives the name of the one that failed.
    pub(crate) fn disarm(&self) -> Option<&'static str> {
        std::mem::take(&mut *self.plan.lock().unwrap()).failed
    }

    fn fault(&self, call: &'static str) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        match plan.calls_left {
            Some(0) => {
                if plan.fault != Some(Fault::End) {
                    plan.calls_left = None;
                }
                plan.failed = Some(call);
                plan.fault
            }
            Some(calls) => {
                plan.calls_left = Some(calls - 1);
                None
            }
            None => None,
        }
    }

    fn pass(&self, call: &'static str) -> io::Result<()> {
        match self.fault(call) {
            Some(Fault::Error(code)) => Err(io_from_code(code)),
            Some(Fault::End) => Err(io_from_code("EIO")),
            _ => Ok(()),
        }
    }
}

impl Disk for FaultyDisk {
    type Draft = <SystemDisk as Disk>::Draft;
    type Lock = <SystemDisk as Disk>::Lock;
    type KeyLocks = <SystemDisk as Disk>::KeyLocks;
    type KeyLock = <SystemDisk as Disk>::KeyLock;
    type GroupMark = <SystemDisk as Disk>::GroupMark;

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.pass("read")?;
        let bytes = SystemDisk.read(path);
        self.called("read", path);
        bytes
    }

    fn read_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        self.pass("read_from")?;
        let bytes = SystemDisk.read_from(path, offset);
        self.called("read_from", path);
        bytes
    }

    fn read_with_stat(&self, path: &Path, most: u64) -> io::Result<(Stat, Vec<u8>)> {
        self.pass("read_with_stat")?;
        let read = SystemDisk.read_with_stat(path, most);
        self.called("read", path);
        read
    }

    fn is_empty(&self, folder: &Path) -> io::Result<bool> {
        self.pass("is_empty")?;
        SystemDisk.is_empty(folder)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.pass("stat")?;
        let stat = SystemDisk.stat(path);
        self.called("stat", path);
        stat
    }

    fn stat_link(&self, path: &Path) -> io::Result<Stat> {
        self.pass("stat_link")?;
        let stat = SystemDisk.stat_link(path);
        self.called("stat_link", path);
        stat
    }

    fn folds_names(&self, folder: &Path) -> io::Result<bool> {
        SystemDisk.folds_names(folder)
    }

    fn real_path(&self, base: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
        self.pass("real_path")?;
        SystemDisk.real_path(base, path)
    }

    fn stored_name(&self, path: &Path) -> io::Result<OsString> {
        self.pass("stored_name")?;
        SystemDisk.stored_name(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.pass("read_link")?;
        SystemDisk.read_link(path)
    }

    fn list(
        &self,
        base: &Path,
        folder: &Path,
        entry: &mut dyn FnMut(&OsStr, Kind),
    ) -> io::Result<()> {
        self.pass("list")?;
        let listed = SystemDisk.list(base, folder, entry);
        self.called("list", folder);
        listed
    }

    fn create(&self, path: &Path, access: Access<'_>) -> io::Result<Self::Draft> {
        self.pass("create")?;
        SystemDisk.create(path, access)
    }

    fn write(&self, draft: &mut Self::Draft, bytes: &[u8]) -> io::Result<usize> {
        match self.fault("write") {
            Some(Fault::Error(code)) => Err(io_from_code(code)),
            Some(Fault::End) => Err(io_from_code("EIO")),
            Some(Fault::ShortWrite) => SystemDisk.write(draft, &bytes[..1]),
            None => SystemDisk.write(draft, bytes),
        }
    }

    fn sync(&self, _draft: &mut Self::Draft) -> io::Result<()> {
        self.pass("sync")
    }

    fn settle_draft(&self, draft: &mut Self::Draft, access: Access<'_>) -> io::Result<Stat> {
        self.pass("settle_draft")?;
        SystemDisk.settle_draft(draft, access)
    }

    fn persist(&self, draft: Self::Draft, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("persist")?;
        SystemDisk.persist(draft, from, to)?;
        self.called("persist", to);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("rename")?;
        SystemDisk.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.pass("link")?;
        SystemDisk.link(from, to)
    }

    fn append(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.pass("append")?;
        SystemDisk.append(path, bytes, mode)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.pass("remove_file")?;
        let removed = SystemDisk.remove_file(path);
        self.called("remove_file", path);
        removed
    }

    fn remove_file_below(&self, base: &Path, path: &Path) -> io::Result<()> {
        self.pass("remove_file_below")?;
        SystemDisk.remove_file_below(base, path)
    }

    fn remove_folder(&self, base: &Path, path: &Path) -> io::Result<()> {
        self.pass("remove_folder")?;
        SystemDisk.remove_folder(base, path)
    }

    fn create_folder(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.pass("create_folder")?;
        SystemDisk.create_folder(path, mode)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        self.pass("sync_file")?;
        self.called("sync_file", path);
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.pass("sync_folder")?;
        self.called("sync_folder", path);
        Ok(())
    }

    fn remove_abandoned(&self, base: &Path, path: &Path) -> io::Result<bool> {
        self.pass("remove_abandoned")?;
        SystemDisk.remove_abandoned(base, path)
    }

    fn lock(&self, folder: &Path, patience: Duration) -> io::Result<Option<Self::Lock>> {
        self.pass("lock")?;
        SystemDisk.lock(folder, patience)
    }

    fn wait_for_lock(&self, file: &Path, mode: u32) -> io::Result<Option<Self::Lock>> {
        self.pass("wait_for_lock")?;
        SystemDisk.wait_for_lock(file, mode)
    }

    fn open_key_locks(&self, file: &Path, mode: u32) -> io::Result<Self::KeyLocks> {
        self.pass("open_key_locks")?;
        SystemDisk.open_key_locks(file, mode)
    }

    fn look_at_key_locks(&self, locks: &Self::KeyLocks, file: &Path) -> KeyLocksNow {
        if self.plan.lock().unwrap().are_files_others {
            return KeyLocksNow::Gone;
        }
        SystemDisk.look_at_key_locks(locks, file)
    }

    fn may_have_groups(&self, file: &Path) -> bool {
        SystemDisk.may_have_groups(file)
    }

    fn mark_group(
        &self,
        locks: &Self::KeyLocks,
        file: &Path,
    ) -> io::Result<Option<Self::GroupMark>> {
        self.pass("mark_group")?;
        SystemDisk.mark_group(locks, file)
    }

    fn unmark_groups(&self, file: &Path, is_over: &mut dyn FnMut() -> bool) -> io::Result<()> {
        self.pass("unmark_groups")?;
        SystemDisk.unmark_groups(file, is_over)
    }

    fn key_slot(&self, hash: u64) -> u64 {
        SystemDisk.key_slot(hash)
    }

    fn try_lock_key(
        &self,
        locks: &Arc<Self::KeyLocks>,
        slot: u64,
    ) -> io::Result<Option<Self::KeyLock>> {
        self.pass("try_lock_key")?;
        self.called("try_lock_key", Path::new(""));
        SystemDisk.try_lock_key(locks, slot)
    }
}
