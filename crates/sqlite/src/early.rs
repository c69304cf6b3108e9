//! What the store commits while a watch is being started, which notes changes only once it is there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use eas_core::driver::{Event, EventKind};
use eas_core::runtime::lock;
use rustc_hash::FxHashSet;

/// The watches that are being started.
#[derive(Default)]
pub(crate) struct Listeners {
    all: Mutex<Vec<Weak<Early>>>,
    /// How many there are: mostly none.
    count: AtomicUsize,
}

/// What was committed since a watch was prepared.
#[derive(Default)]
pub(crate) struct Early(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    keys: FxHashSet<String>,
    /// What the watch has to report itself: what was committed before it noted changes.
    events: Vec<Event>,
    is_noting: bool,
}

impl Listeners {
    /// Hears of commits from now on, for as long as the answer lives.
    pub(crate) fn listen(&self) -> Arc<Early> {
        let early = Arc::<Early>::default();
        let mut all = lock(&self.all);
        all.push(Arc::downgrade(&early));
        self.count.store(all.len(), Ordering::Release);
        early
    }

    /// Whether anybody listens.
    pub(crate) fn is_any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Reports changes that were committed, before anything else is committed.
    pub(crate) fn committed(&self, changes: &[(&str, EventKind)]) {
        let mut all = lock(&self.all);
        all.retain(|early| {
            let Some(early) = early.upgrade() else {
                return false;
            };
            early.committed(changes);
            true
        });
        self.count.store(all.len(), Ordering::Release);
    }
}

impl Early {
    fn committed(&self, changes: &[(&str, EventKind)]) {
        let mut heard = lock(&self.0);
        for (key, kind) in changes {
            heard.keys.insert((*key).to_owned());
            if !heard.is_noting {
                heard.events.push(Event {
                    kind: *kind,
                    key: (*key).to_owned(),
                });
            }
        }
    }

    /// The watch notes changes from now on, and nothing is being committed; gives what came before.
    pub(crate) fn begin_noting(&self) -> Vec<Event> {
        let mut heard = lock(&self.0);
        heard.is_noting = true;
        std::mem::take(&mut heard.events)
    }

    /// Whether a change of the key was committed since the watch was prepared.
    pub(crate) fn has(&self, key: &str) -> bool {
        lock(&self.0).keys.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_starts_has_what_came_before_it_once_and_knows_what_it_hears_of() {
        let listeners = Listeners::default();
        assert!(!listeners.is_any());
        listeners.committed(&[("before", EventKind::Update)]);
        let early = listeners.listen();
        listeners.committed(&[("a", EventKind::Update), ("b", EventKind::Remove)]);
        let events = early.begin_noting();
        let events: Vec<_> = events
            .iter()
            .map(|event| (&*event.key, event.kind))
            .collect();
        assert_eq!(events, [("a", EventKind::Update), ("b", EventKind::Remove)]);
        listeners.committed(&[("c", EventKind::Update)]);
        assert_eq!(early.begin_noting(), []);
        let heard = ["before", "a", "b", "c"].map(|key| early.has(key));
        assert_eq!(heard, [false, true, true, true]);
        drop(early);
        listeners.committed(&[]);
        assert!(!listeners.is_any());
    }
}
