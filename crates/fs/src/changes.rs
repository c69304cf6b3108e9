//! Changes that the store makes itself, for as long as it is watched.
//!
//! The system's notices of them come late, merged with others, or not at all where a folder was
//! just made. So the store tells its watches of each one, and keeps what it did of late, which lets
//! a watch tell the notices of its own changes from those of others.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::disk::Stat;
use eas_core::runtime::lock;

/// How long the notices of a change may take. They wait behind those of all else that happens.
pub(super) const ECHO: Duration = Duration::from_secs(30);

/// Tells one content of a file from another. Two that are written within one tick of the file
/// system's clock differ by the number of the file only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileIdentity {
    pub(super) number: Option<u64>,
    pub(super) mtime_ns: Option<i128>,
    pub(super) size: u64,
}

impl From<&Stat> for FileIdentity {
    fn from(stat: &Stat) -> Self {
        FileIdentity {
            number: stat.number,
            mtime_ns: stat.mtime_ns,
            size: stat.size,
        }
    }
}

/// A change that was made.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// Counts the changes of the store.
    pub(super) number: u64,
    pub(super) key: String,
    /// What was written; `None` for a removal.
    pub(super) written: Option<FileIdentity>,
}

/// What the store did to a key of late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) is_under_way: bool,
    /// The number of the last change.
    pub(super) last: u64,
}

type Listener = Arc<dyn Fn(Change) + Send + Sync>;

/// The changes of one store, and who watches them.
#[derive(Default)]
pub(super) struct Changes {
    watches: Mutex<Watches>,
    /// How many watches there are.
    count: AtomicUsize,
    recent: Mutex<FxHashMap<String, Recent>>,
}

#[derive(Default)]
struct Watches {
    listeners: Vec<(u64, Listener)>,
    last_id: u64,
    last_change: u64,
}

struct Recent {
    /// The last write and the one before it: while a write is under way either may be found.
    identities: [Option<FileIdentity>; 2],
    under_way: u32,
    last: u64,
    /// The end of the last change, where somebody watched.
    since: Option<Instant>,
}

/// A watch of the changes, which ends when it is dropped.
pub(super) struct Listening {
    changes: Arc<Changes>,
    id: u64,
}

/// A change that is being made.
pub(super) struct Pending<'a> {
    changes: &'a Changes,
    key: &'a str,
    identity: Cell<Option<FileIdentity>>,
}

impl Changes {
    /// Has every change told from now on; gives the number of the last one before as well.
    pub(super) fn listen(self: &Arc<Self>, listener: Listener) -> (Listening, u64) {
        let mut watches = lock(&self.watches);
        watches.last_id += 1;
        let id = watches.last_id;
        watches.listeners.push((id, listener));
        self.count.store(watches.listeners.len(), Ordering::SeqCst);
        let listening = Listening {
            changes: self.clone(),
            id,
        };
        (listening, watches.last_change)
    }

    /// The number of the last change.
    pub(super) fn last(&self) -> u64 {
        lock(&self.watches).last_change
    }

    /// Notes that a change of the key begins: somebody may watch by the time that it is made.
    pub(super) fn begin<'a>(&'a self, key: &'a str) -> Pending<'a> {
        let mut recent = lock(&self.recent);
        let entry = recent.entry(key.to_owned()).or_insert_with(|| Recent {
            identities: [None; 2],
            under_way: 0,
            last: 0,
            since: None,
        });
        entry.under_way += 1;
        Pending {
            changes: self,
            key,
            identity: Cell::new(None),
        }
    }

    /// What was done to the key of late.
    pub(super) fn of(&self, key: &str) -> Option<Own> {
        lock(&self.recent).get(key).map(|recent| Own {
            is_under_way: recent.under_way > 0,
            last: recent.last,
        })
    }

    /// Whether this content of the key was written by the store.
    pub(super) fn wrote(&self, key: &str, identity: FileIdentity) -> bool {
        let recent = lock(&self.recent);
        recent
            .get(key)
            .is_some_and(|recent| recent.identities.contains(&Some(identity)))
    }

    /// Forgets what nobody can ask for any more.
    pub(super) fn forget_old(&self) {
        lock(&self.recent).retain(|_, recent| {
            let is_new = |since: Instant| since.elapsed() < ECHO;
            recent.under_way > 0 || recent.since.is_some_and(is_new)
        });
    }

    fn tell(&self, key: &str, written: Option<FileIdentity>) {
        let mut watches = lock(&self.watches);
        watches.last_change += 1;
        let number = watches.last_change;
        if let Some(recent) = lock(&self.recent).get_mut(key) {
            recent.last = number;
        }
        for (_, listener) in &watches.listeners {
            listener(Change {
                number,
                key: key.to_owned(),
                written,
            });
        }
    }
}

impl Pending<'_> {
    /// The file is about to take its name.
    pub(super) fn names(&self, identity: FileIdentity) {
        self.identity.set(Some(identity));
        if let Some(recent) = lock(&self.changes.recent).get_mut(self.key)
            && recent.identities[0] != Some(identity)
        {
            recent.identities = [Some(identity), recent.identities[0]];
        }
    }

    /// Tells that the change is made.
    pub(super) fn made(&self) {
        self.changes.tell(self.key, self.identity.get());
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let mut all = lock(&self.changes.recent);
        let Some(recent) = all.get_mut(self.key) else {
            return;
        };
        recent.under_way -= 1;
        if self.changes.count.load(Ordering::SeqCst) > 0 {
            recent.since = Some(Instant::now());
        } else if recent.under_way == 0 {
            all.remove(self.key);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut watches = lock(&self.changes.watches);
        watches.listeners.retain(|(id, _)| *id != self.id);
        let count = watches.listeners.len();
        self.changes.count.store(count, Ordering::SeqCst);
        if count == 0 {
            lock(&self.changes.recent).retain(|_, recent| recent.under_way > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_its_place_and_known_until_then() {
        let changes = Arc::new(Changes::default());
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = told.clone();
        let (_listening, _) = changes.listen(Arc::new(move |change: Change| {
            lock(&listener).push((change.number, change.key, change.written));
        }));
        let of = |is_under_way, last| Some(Own { is_under_way, last });
        let identity = FileIdentity {
            size: 1,
            ..FileIdentity::default()
        };
        let write = changes.begin("a");
        write.names(identity);
        assert!(changes.wrote("a", identity));
        assert_eq!(changes.of("a"), of(true, 0));
        write.made();
        drop(write);
        assert_eq!(changes.of("a"), of(false, 1));
        // A removal that finds nothing is no change.
        drop(changes.begin("a"));
        assert_eq!(changes.of("a"), of(false, 1));
        changes.begin("b").made();
        let expected = [
            (1, "a".to_owned(), Some(identity)),
            (2, "b".to_owned(), None),
        ];
        assert_eq!(*lock(&told), expected);
        assert_eq!(changes.last(), 2);
    }

    #[test]
    fn nothing_is_kept_while_nobody_watches() {
        let changes = Arc::new(Changes::default());
        drop(changes.begin("a"));
        assert_eq!(changes.of("a"), None);
        let (listening, _) = changes.listen(Arc::new(|_| {}));
        drop(changes.begin("a"));
        assert!(changes.of("a").is_some());
        drop(listening);
        assert_eq!(changes.of("a"), None);
    }
}
