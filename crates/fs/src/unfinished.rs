//! Groups that somebody else has to finish, or is finishing: reads answer as if it were done.
//!
//! A group counts for as long as its journal is there. It goes when all changes are made.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashMap;

use super::disk::{Disk, Kind, Stat, is_absent};
use eas_core::runtime::lock;

/// The groups of one store.
#[derive(Default)]
pub(super) struct Unfinished {
    groups: Mutex<Vec<Group>>,
    count: AtomicUsize,
}

struct Group {
    journal: PathBuf,
    stat: Stat,
    /// What the files of its keys will hold.
    changes: FxHashMap<String, Option<Vec<u8>>>,
}

impl Unfinished {
    /// Adds a group with the state of its journal.
    pub(super) fn add(
        &self,
        journal: PathBuf,
        stat: Stat,
        changes: impl Iterator<Item = (String, Option<Vec<u8>>)>,
    ) {
        let mut groups = lock(&self.groups);
        groups.retain(|group| group.journal != journal);
        groups.push(Group {
            journal,
            stat,
            changes: changes.collect(),
        });
        self.count.store(groups.len(), Ordering::Release);
    }

    /// Whether it was added and may not be over yet.
    pub(super) fn knows(&self, journal: &Path) -> bool {
        lock(&self.groups)
            .iter()
            .any(|group| group.journal == journal)
    }

    /// What the file of a key will hold, and the state that it is given as; `None` where no group says.
    #[inline]
    pub(super) fn change_of<D: Disk>(
        &self,
        disk: &D,
        key: &str,
    ) -> Option<(Option<Vec<u8>>, Stat)> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.look_for(disk, key)
    }

    fn look_for<D: Disk>(&self, disk: &D, key: &str) -> Option<(Option<Vec<u8>>, Stat)> {
        let mut groups = lock(&self.groups);
        self.forget_finished(&mut groups, disk);
        let group = groups
            .iter()
            .rev()
            .find(|group| group.changes.contains_key(key))?;
        let stored = group.changes[key].clone();
        let stat = Stat {
            kind: Kind::File,
            size: stored.as_ref().map_or(0, |stored| stored.len() as u64),
            ..group.stat
        };
        Some((stored, stat))
    }

    /// The keys that are changed, each with whether there will be an item.
    pub(super) fn keys<D: Disk>(&self, disk: &D) -> FxHashMap<String, bool> {
        if self.count.load(Ordering::Acquire) == 0 {
            return FxHashMap::default();
        }
        let mut groups = lock(&self.groups);
        self.forget_finished(&mut groups, disk);
        let changes = groups.iter().flat_map(|group| &group.changes);
        changes
            .map(|(key, stored)| (key.clone(), stored.is_some()))
            .collect()
    }

    fn forget_finished<D: Disk>(&self, groups: &mut Vec<Group>, disk: &D) {
        groups.retain(
            |group| !matches!(disk.stat_link(&group.journal), Err(error) if is_absent(&error)),
        );
        self.count.store(groups.len(), Ordering::Release);
    }
}
