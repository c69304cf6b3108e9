//! From signals about paths to events of keys, on data alone.
//!
//! A write is one event however many signals it gives. What is known of each file tells a change
//! from a mere touch, a move within the tree from a removal, and what was missed from what was not.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::driver::{Event, EventKind};

/// How long a file that is being changed in place is left alone before it is looked at, in ms.
const QUIET_MS: u64 = 40;

/// How long a file that was moved away may take to appear elsewhere, in ms.
const MOVE_MS: u64 = 15;

/// How long the notices of what a listing found may take, in ms. They wait behind those of all else
/// that happens; a file that was written again has another stamp.
const ECHO_MS: u64 = 30_000;

/// Tells one content of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) mtime_ns: Option<i128>,
    pub(super) size: u64,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    File(Stamp),
    Folder,
}

/// The tree. Paths are relative to the base, their names joined by `/`.
pub(super) trait Tree {
    /// The key that a file there holds.
    fn key_of(&self, path: &str) -> Option<String>;
    /// Whether the path is left alone.
    fn is_ignored(&self, path: &str) -> bool;
    /// The file that holds the key now.
    fn holder(&self, key: &str) -> Option<Stamp>;
    /// What is there now.
    fn look(&self, path: &str) -> Option<Entry>;
    /// Watches a folder from now on and lists its names, with whether each is a folder.
    fn enter(&mut self, path: &str) -> Vec<(String, bool)>;
    /// Stops watching a folder.
    fn leave(&mut self, path: &str);
}

/// What is known of the tree.
#[derive(Default)]
pub(super) struct Tracker {
    files: BTreeMap<String, Known>,
    folders: BTreeSet<String>,
    /// How many files hold each key: while a key changes its place there may be two.
    places: HashMap<String, usize>,
    /// Files that are being changed, with when to look at them.
    changing: BTreeMap<String, u64>,
    /// Keys whose file was moved away, with its stamp and when that counts as a removal.
    moved: BTreeMap<String, (Stamp, u64)>,
    /// Keys whose file is at another place of the same key now, whose notice has not come yet.
    relocated: HashMap<String, Stamp>,
    /// Files that a listing reported, whose own notices may still come, with until when.
    echoes: HashMap<String, (Stamp, u64)>,
    /// Whether the watch has started: what is there before is not being made now.
    is_running: bool,
    /// When to look for echoes that will not come any more.
    echoes_due_ms: u64,
}

struct Known {
    key: String,
    stamp: Stamp,
}

type Events = Vec<Event>;

impl Tracker {
    /// When [`settle`](Self::settle) has something to do.
    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        let changing = self.changing.values().min();
        let moved = self
            .moved
            .values()
            .map(|(_, deadline_ms)| deadline_ms)
            .min();
        changing.into_iter().chain(moved).min().copied()
    }

    /// Says that what appears from now on may be in the making.
    pub(super) fn run(&mut self) {
        self.is_running = true;
    }

    /// Does what has waited long enough.
    pub(super) fn settle(&mut self, tree: &mut impl Tree, now_ms: u64, events: &mut Events) {
        let due = |deadline_ms: &u64| *deadline_ms <= now_ms;
        let quiet: Vec<String> = self
            .changing
            .iter()
            .filter(|(_, at)| due(at))
            .map(|(path, _)| path.clone())
            .collect();
        for path in quiet {
            self.changing.remove(&path);
            if self.compare(tree, &path, events) {
                self.expect_echo(path, now_ms);
            }
        }
        let gone: Vec<String> = self
            .moved
            .iter()
            .filter(|(_, (_, at))| due(at))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            let Some((stamp, _)) = self.moved.remove(&key) else {
                continue;
            };
            if tree.holder(&key) == Some(stamp) {
                self.relocated.insert(key, stamp);
            } else if !self.places.contains_key(&key) {
                events.push(Event {
                    kind: EventKind::Remove,
                    key,
                });
            }
        }
        if self.echoes_due_ms <= now_ms {
            self.echoes.retain(|_, (_, until_ms)| *until_ms > now_ms);
            self.echoes_due_ms = now_ms + ECHO_MS;
        }
    }

    /// A whole file or folder took the name.
    pub(super) fn written(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        match tree.look(path) {
            Some(Entry::Folder) => self.appeared(tree, path, now_ms, events),
            Some(Entry::File(stamp)) => {
                self.changing.remove(path);
                if !self.is_echo(path, stamp) {
                    self.update(tree, path, stamp, events);
                }
            }
            // It was removed or replaced since: that has a signal of its own, and so had this.
            None => {
                if let Some(key) = tree.key_of(path) {
                    self.changing.remove(path);
                    self.update_key(
                        path,
                        key,
                        Stamp {
                            mtime_ns: None,
                            size: 0,
                        },
                        events,
                    );
                }
            }
        }
    }

    /// A folder was made. One that is gone again was no item, whatever its name.
    pub(super) fn made(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        if tree.look(path) == Some(Entry::Folder) {
            self.appeared(tree, path, now_ms, events);
        }
    }

    /// A program that could write let go of the file.
    pub(super) fn closed(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        // Without a change since the last look there is nothing to report.
        if self.changing.contains_key(path) {
            self.written(tree, path, now_ms, events);
        }
    }

    /// Something about the file changed, perhaps not for the last time.
    pub(super) fn touched(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        if self.folders.contains(path) {
            return;
        }
        if tree.look(path) == Some(Entry::Folder) {
            self.appeared(tree, path, now_ms, events);
        } else if tree.key_of(path).is_some() {
            self.changing.insert(path.to_owned(), now_ms + QUIET_MS);
        }
    }

    /// The name is no longer there, and what it named may be elsewhere.
    pub(super) fn moved_away(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        if self.is_there_anew(tree, path, now_ms, events) {
            return;
        }
        for known in self.forget(tree, path) {
            self.moved
                .insert(known.key, (known.stamp, now_ms + MOVE_MS));
        }
    }

    /// The name is no longer there.
    pub(super) fn gone(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        if self.is_there_anew(tree, path, now_ms, events) {
            return;
        }
        for known in self.forget(tree, path) {
            self.relocated.remove(&known.key);
            if !self.places.contains_key(&known.key) {
                events.push(Event {
                    kind: EventKind::Remove,
                    key: known.key,
                });
            }
        }
    }

    /// A late notice of a folder that has been made again since: the new one has to be watched, and
    /// compared with what is known of the old one. Says whether that was so.
    fn is_there_anew(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) -> bool {
        if !self.folders.contains(path) || tree.look(path) != Some(Entry::Folder) {
            return false;
        }
        let inside = format!("{path}/");
        let lost: Vec<String> = self
            .files
            .range(inside.clone()..)
            .map(|(known, _)| known)
            .take_while(|known| known.starts_with(&inside))
            .filter(|known| tree.look(known).is_none())
            .cloned()
            .collect();
        for file in lost {
            self.gone(tree, &file, now_ms, events);
        }
        self.appeared(tree, path, now_ms, events);
        true
    }

    /// The whole tree is gone from its place.
    pub(super) fn gone_all(&mut self, tree: &mut impl Tree, events: &mut Events) {
        for folder in &self.folders {
            tree.leave(folder);
        }
        let keys: BTreeSet<String> = self
            .places
            .keys()
            .cloned()
            .chain(self.moved.keys().cloned())
            .collect();
        *self = Tracker {
            is_running: self.is_running,
            ..Tracker::default()
        };
        events.extend(keys.into_iter().map(|key| Event {
            kind: EventKind::Remove,
            key,
        }));
    }

    /// A folder is there, with whatever is in it.
    pub(super) fn appeared(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        let may_be_begun = self.is_running;
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            if !folder.is_empty() && tree.is_ignored(&folder) {
                continue;
            }
            let names = tree.enter(&folder);
            self.folders.insert(folder.clone());
            for (name, is_folder) in names {
                let path = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                if is_folder {
                    folders.push(path);
                } else if may_be_begun && self.is_begun(tree, &path) {
                    self.changing.insert(path, now_ms + QUIET_MS);
                } else if self.compare(tree, &path, events) {
                    self.expect_echo(path, now_ms);
                }
            }
        }
    }

    /// Notices were lost: everything is looked at.
    pub(super) fn rescan(&mut self, tree: &mut impl Tree, now_ms: u64, events: &mut Events) {
        let lost: Vec<String> = self
            .files
            .keys()
            .filter(|path| tree.look(path).is_none())
            .cloned()
            .collect();
        for path in lost {
            self.gone(tree, &path, now_ms, events);
        }
        let lost: Vec<String> = self
            .folders
            .iter()
            .filter(|path| tree.look(path).is_none())
            .cloned()
            .collect();
        for path in lost {
            self.folders.remove(&path);
        }
        self.appeared(tree, "", now_ms, events);
        self.echoes.clear();
    }

    /// Whether the file is new and has nothing in it yet: a program that has made it is about to
    /// write.
    fn is_begun(&self, tree: &impl Tree, path: &str) -> bool {
        !self.files.contains_key(path)
            && matches!(tree.look(path), Some(Entry::File(stamp)) if stamp.size == 0)
            && tree.key_of(path).is_some()
    }

    /// Notices of what was just reported may still come.
    fn expect_echo(&mut self, path: String, now_ms: u64) {
        if let Some(known) = self.files.get(&path) {
            self.echoes.insert(path, (known.stamp, now_ms + ECHO_MS));
        }
    }

    /// Reports a file that is not as it was known; says whether it did.
    fn compare(&mut self, tree: &mut impl Tree, path: &str, events: &mut Events) -> bool {
        let Some(Entry::File(stamp)) = tree.look(path) else {
            return false;
        };
        if self
            .files
            .get(path)
            .is_some_and(|known| known.stamp == stamp)
        {
            return false;
        }
        self.update(tree, path, stamp, events)
    }

    fn update(&mut self, tree: &impl Tree, path: &str, stamp: Stamp, events: &mut Events) -> bool {
        match tree.key_of(path) {
            Some(key) => self.update_key(path, key, stamp, events),
            None => false,
        }
    }

    fn update_key(&mut self, path: &str, key: String, stamp: Stamp, events: &mut Events) -> bool {
        let moved = self.moved.remove(&key);
        if self
            .files
            .insert(
                path.to_owned(),
                Known {
                    key: key.clone(),
                    stamp,
                },
            )
            .is_none()
        {
            *self.places.entry(key.clone()).or_default() += 1;
        }
        if self.relocated.remove(&key) == Some(stamp) {
            return false;
        }
        match moved {
            // The same file at another place of the same key: making room for keys below it.
            Some((old, _)) if old == stamp => false,
            Some(_) => {
                events.push(Event {
                    kind: EventKind::Remove,
                    key: key.clone(),
                });
                events.push(Event {
                    kind: EventKind::Update,
                    key,
                });
                true
            }
            None => {
                events.push(Event {
                    kind: EventKind::Update,
                    key,
                });
                true
            }
        }
    }

    fn is_echo(&mut self, path: &str, stamp: Stamp) -> bool {
        self.echoes
            .remove(path)
            .is_some_and(|(found, _)| found == stamp)
    }

    /// Takes out a file, or a folder with all that is in it.
    fn forget(&mut self, tree: &mut impl Tree, path: &str) -> Vec<Known> {
        self.changing.remove(path);
        self.echoes.remove(path);
        let inside = format!("{path}/");
        let below = |known: &&String| known.as_str() == path || known.starts_with(&inside);
        let folders: Vec<String> = self
            .folders
            .range(path.to_owned()..)
            .take_while(|known| known.starts_with(path))
            .filter(below)
            .cloned()
            .collect();
        for folder in &folders {
            self.folders.remove(folder);
            tree.leave(folder);
        }
        let files: Vec<String> = if folders.is_empty() {
            vec![path.to_owned()]
        } else {
            let from = self.files.range(path.to_owned()..).map(|(known, _)| known);
            from.take_while(|known| known.starts_with(path))
                .filter(below)
                .cloned()
                .collect()
        };
        let mut forgotten = Vec::new();
        for file in files {
            if let Some(known) = self.files.remove(&file) {
                if let Some(count) = self.places.get_mut(&known.key) {
                    *count -= 1;
                    if *count == 0 {
                        self.places.remove(&known.key);
                    }
                }
                forgotten.push(known);
            }
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of paths; keys are paths with `:` for `/`, `self` in a folder is the folder's own key.
    #[derive(Default)]
    struct Paper {
        entries: BTreeMap<String, Entry>,
        entered: Vec<String>,
    }

    impl Paper {
        fn file(&mut self, path: &str, content: u64) {
            for (index, _) in path.match_indices('/') {
                self.entries.insert(path[..index].to_owned(), Entry::Folder);
            }
            let stamp = Stamp {
                mtime_ns: Some(i128::from(content)),
                size: 1,
            };
            self.entries.insert(path.to_owned(), Entry::File(stamp));
        }

        fn empty(&mut self, path: &str) {
            self.file(path, 0);
            let stamp = Stamp {
                mtime_ns: Some(0),
                size: 0,
            };
            self.entries.insert(path.to_owned(), Entry::File(stamp));
        }

        fn remove(&mut self, path: &str) {
            let inside = format!("{path}/");
            self.entries
                .retain(|known, _| known != path && !known.starts_with(&inside));
        }
    }

    impl Tree for Paper {
        fn key_of(&self, path: &str) -> Option<String> {
            if path.contains("tmp") {
                return None;
            }
            Some(path.strip_suffix("/self").unwrap_or(path).replace('/', ":"))
        }

        fn is_ignored(&self, path: &str) -> bool {
            path.starts_with("ignored")
        }

        fn holder(&self, key: &str) -> Option<Stamp> {
            let path = key.replace(':', "/");
            [path.clone(), format!("{path}/self")]
                .iter()
                .find_map(|path| match self.look(path) {
                    Some(Entry::File(stamp)) => Some(stamp),
                    _ => None,
                })
        }

        fn look(&self, path: &str) -> Option<Entry> {
            if path.is_empty() {
                Some(Entry::Folder)
            } else {
                self.entries.get(path).copied()
            }
        }

        fn enter(&mut self, path: &str) -> Vec<(String, bool)> {
            self.entered.push(path.to_owned());
            let prefix = if path.is_empty() {
                String::new()
            } else {
                format!("{path}/")
            };
            self.entries
                .iter()
                .filter_map(|(known, entry)| {
                    let name = known.strip_prefix(&prefix)?;
                    (!name.contains('/')).then(|| (name.to_owned(), *entry == Entry::Folder))
                })
                .collect()
        }

        fn leave(&mut self, path: &str) {
            self.entered.retain(|entered| entered != path);
        }
    }

    struct Case {
        tree: Paper,
        tracker: Tracker,
        now_ms: u64,
    }

    impl Case {
        fn over(files: &[&str]) -> Self {
            let mut case = Case {
                tree: Paper::default(),
                tracker: Tracker::default(),
                now_ms: 0,
            };
            for file in files {
                case.tree.file(file, 0);
            }
            case.tracker
                .appeared(&mut case.tree, "", 0, &mut Vec::new());
            case.tracker.run();
            case.now_ms = 2 * ECHO_MS;
            case.after(0);
            case
        }

        fn signal(
            &mut self,
            signal: fn(&mut Tracker, &mut Paper, &str, u64, &mut Events),
            path: &str,
        ) -> Vec<String> {
            let mut events = Vec::new();
            signal(
                &mut self.tracker,
                &mut self.tree,
                path,
                self.now_ms,
                &mut events,
            );
            shown(events)
        }

        fn moved_away(&mut self, path: &str) {
            let mut events = Vec::new();
            self.tracker
                .moved_away(&mut self.tree, path, self.now_ms, &mut events);
            assert!(shown(events).is_empty());
        }

        fn after(&mut self, ms: u64) -> Vec<String> {
            self.now_ms += ms;
            let mut events = Vec::new();
            self.tracker
                .settle(&mut self.tree, self.now_ms, &mut events);
            shown(events)
        }
    }

    fn shown(events: Events) -> Vec<String> {
        events
            .into_iter()
            .map(|event| format!("{} {}", event.kind.name(), event.key))
            .collect()
    }

    #[test]
    fn a_rename_over_a_key_is_one_update_each_time() {
        let mut case = Case::over(&["a"]);
        for content in [1, 1, 2] {
            case.tree.file("a", content);
            assert_eq!(case.signal(Tracker::written, "a"), ["update a"]);
        }
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_write_in_place_is_one_update_when_it_is_closed() {
        let mut case = Case::over(&[]);
        case.tree.file("a", 1);
        for _ in 0..3 {
            assert!(case.signal(Tracker::touched, "a").is_empty());
        }
        assert_eq!(case.signal(Tracker::closed, "a"), ["update a"]);
        assert!(case.signal(Tracker::closed, "a").is_empty());
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_file_that_is_not_closed_is_reported_when_it_is_quiet() {
        let mut case = Case::over(&["a"]);
        case.tree.file("a", 1);
        case.signal(Tracker::touched, "a");
        assert_eq!(case.after(QUIET_MS), ["update a"]);
    }

    #[test]
    fn a_touch_that_changes_nothing_is_no_event() {
        let mut case = Case::over(&["a"]);
        case.signal(Tracker::touched, "a");
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn temporary_files_give_nothing() {
        let mut case = Case::over(&[]);
        case.tree.file("tmp1", 1);
        assert!(case.signal(Tracker::touched, "tmp1").is_empty());
        assert!(case.signal(Tracker::closed, "tmp1").is_empty());
        case.tree.remove("tmp1");
        case.moved_away("tmp1");
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn events_of_a_key_come_in_order_however_late_they_are_looked_at() {
        let mut case = Case::over(&["a"]);
        case.tree.file("a", 2);
        assert_eq!(case.signal(Tracker::written, "a"), ["update a"]);
        assert_eq!(case.signal(Tracker::gone, "a"), ["remove a"]);
        assert_eq!(case.signal(Tracker::written, "a"), ["update a"]);
        case.tree.remove("a");
        assert_eq!(case.signal(Tracker::written, "a"), ["update a"]);
        assert_eq!(case.signal(Tracker::gone, "a"), ["remove a"]);
    }

    #[test]
    fn a_file_renamed_away_is_removed_and_its_new_key_updated() {
        let mut case = Case::over(&["a"]);
        case.tree.remove("a");
        case.tree.file("b", 0);
        case.moved_away("a");
        assert_eq!(case.signal(Tracker::written, "b"), ["update b"]);
        assert_eq!(case.after(MOVE_MS), ["remove a"]);
    }

    #[test]
    fn making_room_for_keys_below_is_no_change_of_the_key() {
        let mut case = Case::over(&["a"]);
        case.moved_away("a");
        case.tree.remove("a");
        case.tree.file("a/self", 0);
        assert!(case.signal(Tracker::written, "a").is_empty());
        assert!(case.after(1000).is_empty());
        case.tree.remove("a/self");
        assert_eq!(case.signal(Tracker::gone, "a/self"), ["remove a"]);
    }

    #[test]
    fn making_room_slowly_is_no_change_of_the_key_either() {
        let mut case = Case::over(&["a"]);
        case.moved_away("a");
        case.tree.remove("a");
        case.tree.file("a/self", 0);
        assert!(case.after(MOVE_MS).is_empty());
        assert!(case.signal(Tracker::written, "a").is_empty());
    }

    #[test]
    fn a_folder_that_appears_brings_its_keys_once() {
        let mut case = Case::over(&[]);
        case.tree.file("x/y/a", 1);
        case.tree.file("x/b", 1);
        let mut events = case.signal(Tracker::written, "x");
        events.sort();
        assert_eq!(events, ["update x:b", "update x:y:a"]);
        assert!(
            case.signal(Tracker::written, "x/b").is_empty(),
            "the echo of what was listed"
        );
        case.tree.file("x/b", 2);
        assert_eq!(case.signal(Tracker::written, "x/b"), ["update x:b"]);
    }

    #[test]
    fn a_folder_that_went_as_soon_as_it_was_made_is_no_event() {
        let mut case = Case::over(&[]);
        assert!(case.signal(Tracker::made, "x").is_empty());
        assert!(case.signal(Tracker::gone, "x").is_empty());
        case.tree.file("x/a", 1);
        assert_eq!(case.signal(Tracker::made, "x"), ["update x:a"]);
    }

    #[test]
    fn a_file_that_a_listing_finds_empty_is_reported_once_when_it_is_written() {
        let mut case = Case::over(&[]);
        case.tree.empty("x/a");
        case.tree.empty("x/left");
        assert!(case.signal(Tracker::made, "x").is_empty());
        case.signal(Tracker::touched, "x/a");
        case.tree.file("x/a", 1);
        assert_eq!(case.signal(Tracker::closed, "x/a"), ["update x:a"]);
        assert_eq!(case.after(QUIET_MS), ["update x:left"]);
        case.signal(Tracker::touched, "x/left");
        assert!(
            case.signal(Tracker::closed, "x/left").is_empty(),
            "notices that came late"
        );
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_tree_that_goes_is_left_as_a_whole() {
        let mut case = Case::over(&["a", "x/b"]);
        let mut events = Vec::new();
        case.tracker.gone_all(&mut case.tree, &mut events);
        assert_eq!(shown(events), ["remove a", "remove x:b"]);
        assert!(case.tree.entered.is_empty());
    }

    #[test]
    fn a_folder_that_goes_takes_its_keys_along() {
        for is_moved in [false, true] {
            let mut case = Case::over(&["x/a", "x/y/b", "xy"]);
            case.tree.remove("x");
            let mut events = if is_moved {
                case.moved_away("x");
                case.after(MOVE_MS)
            } else {
                case.signal(Tracker::gone, "x")
            };
            events.sort();
            assert_eq!(events, ["remove x:a", "remove x:y:b"]);
            assert_eq!(case.tree.entered, [""]);
        }
    }

    #[test]
    fn a_late_notice_of_an_old_folder_leaves_the_new_one_of_its_name_watched() {
        let mut case = Case::over(&["a/x", "a/y"]);
        case.tree.remove("a/y");
        assert_eq!(case.signal(Tracker::gone, "a"), ["remove a:y"]);
        assert!(case.tree.entered.contains(&"a".to_owned()));
        case.tree.file("a/x", 1);
        assert_eq!(case.signal(Tracker::written, "a/x"), ["update a:x"]);
    }

    #[test]
    fn a_file_found_in_the_making_when_the_base_is_there_again_is_one_update() {
        let mut case = Case::over(&["a"]);
        case.tracker.gone_all(&mut case.tree, &mut Vec::new());
        case.tree.remove("a");
        let empty = Stamp {
            mtime_ns: Some(1),
            size: 0,
        };
        case.tree.entries.insert("b".to_owned(), Entry::File(empty));
        assert!(case.signal(Tracker::appeared, "").is_empty());
        case.tree.file("b", 2);
        assert_eq!(case.signal(Tracker::closed, "b"), ["update b"]);
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn ignored_folders_are_not_entered() {
        let case = Case::over(&["ignored/a", "b/c"]);
        assert_eq!(case.tree.entered, ["", "b"]);
    }

    #[test]
    fn a_rescan_reports_what_differs_and_no_more() {
        let mut case = Case::over(&["same", "changed", "removed", "x/y"]);
        case.tree.file("changed", 1);
        case.tree.remove("removed");
        case.tree.remove("x");
        case.tree.file("new/a", 1);
        let mut events = Vec::new();
        case.tracker
            .rescan(&mut case.tree, case.now_ms, &mut events);
        let mut events = shown(events);
        events.sort();
        assert_eq!(
            events,
            [
                "remove removed",
                "remove x:y",
                "update changed",
                "update new:a"
            ]
        );
    }
}
