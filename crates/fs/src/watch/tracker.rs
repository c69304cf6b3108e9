//! From signals about paths to events of keys, on data alone.
//!
//! A write is one event however many signals it gives. What is known of each file tells a change
//! from a mere touch, a move within the tree from a removal, and what was missed from what was not.
//! Changes of the store's own are told by the store; their signals only say where things are.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::super::changes::{Change, ECHO, FileIdentity, Own};
use eas_core::driver::{Event, EventKind};

/// How long a file that is being changed in place is left alone before it is looked at, in ms.
const QUIET_MS: u64 = 40;

/// How much longer one is left alone that has nothing in it: a program that emptied it is about to write, and
/// may be held up. A file that stays empty is to be reported within 100 ms all the same.
const BEGUN_MS: u64 = 50;

/// How long a file that was moved away may take to appear elsewhere, in ms.
const MOVE_MS: u64 = 15;

/// How long the notices of what a listing found may take, in ms; a file that was written again has
/// another identity.
#[expect(clippy::cast_possible_truncation, reason = "half a minute")]
pub(super) const ECHO_MS: u64 = ECHO.as_millis() as u64;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    File(FileIdentity),
    Folder,
    /// What is no item, such as a FIFO or a link to a folder.
    Other,
}

/// The tree. Paths are relative to the base, their names joined by `/`.
pub(super) trait Tree {
    /// The key that a file there holds.
    fn key_of(&self, path: &str) -> Option<String>;
    /// Whether the path is left alone.
    fn is_ignored(&self, path: &str) -> bool;
    /// The file that holds the key now.
    fn holder(&self, key: &str) -> Option<FileIdentity>;
    /// Where the store itself puts the value of a key.
    fn places_of(&self, key: &str) -> [String; 2];
    /// What the store itself did to the key of late.
    fn own(&self, key: &str) -> Option<Own>;
    /// Whether the store itself wrote this content of the key.
    fn is_own(&self, key: &str, identity: FileIdentity) -> bool;
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
    /// Files that are being changed, with when to look at them, and whether they are looked at then even if
    /// nothing is in them.
    changing: BTreeMap<String, (u64, bool)>,
    /// Keys whose file was moved away, with its identity and when that counts as a removal.
    moved: BTreeMap<String, (FileIdentity, u64)>,
    /// Keys whose file is at another place of the same key now, whose notice has not come yet. It may
    /// never come: what is removed from there is looked for again at the next removal of anything.
    relocated: HashMap<String, FileIdentity>,
    /// Files that a listing reported, whose own notices may still come, with until when.
    echoes: HashMap<String, (FileIdentity, u64)>,
    /// Whether the watch has started: what is there before is not being made now.
    is_running: bool,
    /// The number of the last change of the store's own that was told.
    heard: u64,
    /// What the last event said of keys that the store changes too.
    told: BTreeMap<String, Told>,
    /// The keys of these to check, in the order of when.
    checks: VecDeque<(u64, String)>,
    /// When to look for what is not needed any more.
    cleaning_due_ms: u64,
}

/// What the last event said of a key.
struct Told {
    /// What is there; `None` after a removal.
    identity: Option<FileIdentity>,
    /// Whether it is going to be seen if it is so.
    is_due: bool,
    /// What was found instead, by a look before the notices of it may have come.
    differs: Option<Option<FileIdentity>>,
}

struct Known {
    key: String,
    identity: FileIdentity,
}

type Events = Vec<Event>;

impl Tracker {
    /// When [`settle`](Self::settle) has something to do.
    pub(super) fn next_deadline_ms(&self) -> Option<u64> {
        let changing = self.changing.values().map(|(at, _)| at).min();
        let moved = self
            .moved
            .values()
            .map(|(_, deadline_ms)| deadline_ms)
            .min();
        let checks = self.checks.front().map(|(check_ms, _)| check_ms);
        changing
            .into_iter()
            .chain(moved)
            .chain(checks)
            .min()
            .copied()
    }

    /// Says that what appears from now on may be in the making.
    pub(super) fn run(&mut self) {
        self.is_running = true;
    }

    /// Says that the store told of its own changes up to this one.
    pub(super) fn heard(&mut self, number: u64) {
        self.heard = self.heard.max(number);
    }

    /// Whether what a change left is what is known.
    pub(super) fn knows(&self, tree: &impl Tree, change: &Change) -> bool {
        let is_known = |path: String| {
            let known = self.files.get(&path);
            known.is_some_and(|known| Some(known.identity) == change.written)
        };
        tree.places_of(&change.key).into_iter().any(is_known)
    }

    /// Does what has waited long enough.
    pub(super) fn settle(&mut self, tree: &mut impl Tree, now_ms: u64, events: &mut Events) {
        let due = |deadline_ms: &u64| *deadline_ms <= now_ms;
        let quiet: Vec<(String, bool)> = self
            .changing
            .iter()
            .filter(|(_, (at, _))| due(at))
            .map(|(path, (_, is_last))| (path.clone(), *is_last))
            .collect();
        for (path, is_last) in quiet {
            if !is_last && self.is_begun(tree, &path) {
                self.changing.insert(path, (now_ms + BEGUN_MS, true));
                continue;
            }
            self.changing.remove(&path);
            if self.compare(tree, &path, now_ms, events) {
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
            let Some((identity, _)) = self.moved.remove(&key) else {
                continue;
            };
            let own = tree.own(&key);
            if own.is_some_and(|own| own.is_under_way || own.last > self.heard) {
                self.moved.insert(key, (identity, now_ms + MOVE_MS));
                continue;
            }
            let holder = tree.holder(&key);
            let is_own = holder.is_some_and(|holder| tree.is_own(&key, holder));
            if holder == Some(identity) {
                self.relocated.insert(key, identity);
            } else if !is_own && !self.places.contains_key(&key) && !self.is_told_gone(tree, &key) {
                self.tell(tree, key, None, now_ms, events);
            }
        }
        self.check(tree, now_ms, events);
        if self.cleaning_due_ms <= now_ms {
            self.echoes.retain(|_, (_, until_ms)| *until_ms > now_ms);
            self.told
                .retain(|key, told| told.is_due || tree.own(key).is_some());
            self.cleaning_due_ms = now_ms + ECHO_MS;
        }
    }

    /// Sees whether keys that the store changes too are as the last event said. Reports and notices
    /// reach the watch in an order of their own, so that the last of them may not be of the last
    /// change.
    fn check(&mut self, tree: &mut impl Tree, now_ms: u64, events: &mut Events) {
        while let Some((check_ms, key)) = self.checks.pop_front() {
            if check_ms > now_ms {
                self.checks.push_front((check_ms, key));
                break;
            }
            let Some(own) = tree.own(&key) else {
                self.told.remove(&key);
                continue;
            };
            let places = tree.places_of(&key);
            let is_unsettled = own.is_under_way
                || own.last > self.heard
                || self.moved.contains_key(&key)
                || places
                    .iter()
                    .any(|path| self.changing.contains_key(path) || self.is_begun(tree, path));
            let Some(told) = self.told.get_mut(&key) else {
                continue;
            };
            if is_unsettled {
                self.checks.push_back((now_ms + QUIET_MS, key));
                continue;
            }
            let holder = tree.holder(&key);
            if told.identity != holder && told.differs != Some(holder) {
                told.differs = Some(holder);
                self.checks.push_back((now_ms + QUIET_MS, key));
                continue;
            }
            told.is_due = false;
            told.differs = None;
            if told.identity == holder {
                continue;
            }
            for path in places {
                match tree.look(&path) {
                    Some(Entry::File(identity)) => {
                        self.record(&path, &key, identity);
                        self.expect_echo(path, now_ms);
                    }
                    _ => {
                        self.forget_file(&path);
                    }
                }
            }
            self.tell(tree, key, holder, now_ms, events);
        }
    }

    /// Notes that something is told of a file, which may be more than is done about it.
    fn note_signal(&mut self, tree: &impl Tree, path: &str, now_ms: u64) {
        if !self.told.is_empty()
            && let Some(key) = tree.key_of(path)
            && let Some(told) = self.told.get_mut(&key)
        {
            if !told.is_due {
                self.checks.push_back((now_ms + QUIET_MS, key));
            }
            told.is_due = true;
        }
    }

    /// Notes that a folder is no longer there, or another one is: keys in it may be without notices of
    /// their own.
    fn note_folder(&mut self, tree: &impl Tree, path: &str, now_ms: u64) {
        if self.told.is_empty() || !self.folders.contains(path) {
            return;
        }
        let inside = match tree.key_of(path) {
            Some(key) => format!("{key}:"),
            None => return,
        };
        let told = self.told.range_mut(inside.clone()..);
        for (key, told) in told.take_while(|(key, _)| key.starts_with(&inside)) {
            if !told.is_due {
                self.checks.push_back((now_ms + QUIET_MS, key.clone()));
            }
            told.is_due = true;
        }
    }

    /// Something was removed or moved on, perhaps what was found at another place of its key, such as
    /// one that gives no notices: sees whether it is still there.
    fn doubt_relocated(&mut self, now_ms: u64) {
        for (key, identity) in self.relocated.drain() {
            self.moved
                .entry(key)
                .or_insert((identity, now_ms + MOVE_MS));
        }
    }

    /// Whether the last event of a key that the store changes too said that it was removed.
    fn is_told_gone(&self, tree: &impl Tree, key: &str) -> bool {
        let told = self.told.get(key);
        tree.own(key).is_some() && told.is_some_and(|told| told.identity.is_none())
    }

    /// Reports what is there of a key by now.
    fn tell(
        &mut self,
        tree: &impl Tree,
        key: String,
        identity: Option<FileIdentity>,
        now_ms: u64,
        events: &mut Events,
    ) {
        if tree.own(&key).is_some() {
            let told = Told {
                identity,
                is_due: true,
                differs: None,
            };
            let before = self.told.insert(key.clone(), told);
            if !before.is_some_and(|before| before.is_due) {
                self.checks.push_back((now_ms + QUIET_MS, key.clone()));
            }
        } else {
            self.told.remove(&key);
        }
        let kind = if identity.is_some() {
            EventKind::Update
        } else {
            EventKind::Remove
        };
        events.push(Event { kind, key });
    }

    /// A whole file or folder took the name.
    pub(super) fn written(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) {
        self.note_signal(tree, path, now_ms);
        match tree.look(path) {
            Some(Entry::Folder) => self.appeared(tree, path, now_ms, events),
            Some(Entry::File(identity)) if is_written_here(tree, path) => {
                self.written_beside_store(tree, path, identity, now_ms, events);
            }
            Some(Entry::File(identity)) => self.finished(tree, path, identity, now_ms, events),
            // An item was replaced by what is none.
            Some(Entry::Other) => self.gone(tree, path, now_ms, events),
            // It was removed, replaced or moved on since: that has a signal of its own, and so had this.
            // Where there was no item before, what took the name may have been a folder, or what the
            // notice is about may be elsewhere, since its folder was moved.
            None => {
                if self.files.contains_key(path)
                    && let Some(key) = tree.key_of(path)
                    && tree.own(&key).is_none()
                {
                    self.changing.remove(path);
                    self.update_key(tree, path, key, FileIdentity::default(), now_ms, events);
                }
            }
        }
    }

    /// A file took the name of a key that the store writes too. What is found may be more than the
    /// signal tells of: a change that another program made since, whose own signals are to come.
    fn written_beside_store(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        identity: FileIdentity,
        now_ms: u64,
        events: &mut Events,
    ) {
        if self.is_begun(tree, path) {
            self.changing
                .insert(path.to_owned(), (now_ms + QUIET_MS, false));
            return;
        }
        let echo = self.echoes.get(path);
        if echo.is_none_or(|(found, _)| *found != identity) {
            self.changing.remove(path);
            self.update(tree, path, identity, now_ms, events);
            self.expect_echo(path.to_owned(), now_ms);
        }
    }

    /// The file is complete.
    fn finished(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        identity: FileIdentity,
        now_ms: u64,
        events: &mut Events,
    ) {
        self.changing.remove(path);
        if !self.is_echo(path, identity) {
            self.update(tree, path, identity, now_ms, events);
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
        self.note_signal(tree, path, now_ms);
        // Without a change since the last look there is nothing to report.
        if !self.changing.contains_key(path) {
            return;
        }
        match tree.look(path) {
            Some(Entry::File(identity)) => self.finished(tree, path, identity, now_ms, events),
            _ => self.written(tree, path, now_ms, events),
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
        self.note_signal(tree, path, now_ms);
        if self.folders.contains(path) {
            return;
        }
        if tree.look(path) == Some(Entry::Folder) {
            self.appeared(tree, path, now_ms, events);
        } else if tree.key_of(path).is_some() {
            self.changing
                .insert(path.to_owned(), (now_ms + QUIET_MS, false));
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
        self.note_signal(tree, path, now_ms);
        self.note_folder(tree, path, now_ms);
        self.doubt_relocated(now_ms);
        if self.is_late(tree, path) || self.is_there_anew(tree, path, now_ms, events) {
            return;
        }
        for known in self.forget(tree, path) {
            self.moved
                .insert(known.key, (known.identity, now_ms + MOVE_MS));
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
        self.note_signal(tree, path, now_ms);
        self.note_folder(tree, path, now_ms);
        self.doubt_relocated(now_ms);
        if self.is_late(tree, path) || self.is_there_anew(tree, path, now_ms, events) {
            return;
        }
        for known in self.forget(tree, path) {
            if tree.own(&known.key).is_some() {
                // Perhaps it was the store, and what it removed is written again by now.
                self.moved
                    .insert(known.key, (known.identity, now_ms + MOVE_MS));
            } else if !self.places.contains_key(&known.key) {
                self.moved.remove(&known.key);
                self.tell(tree, known.key, None, now_ms, events);
            }
        }
    }

    /// Whether the file of a key that the store writes too is there as it is known: the notice is of
    /// an older one.
    fn is_late(&self, tree: &impl Tree, path: &str) -> bool {
        self.files.get(path).is_some_and(|known| {
            tree.own(&known.key).is_some() && tree.look(path) == Some(Entry::File(known.identity))
        })
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
        self.appeared(tree, path, now_ms, events);
        true
    }

    /// What is known to be in a folder and is not, though it is watched by now.
    fn lost(&self, tree: &impl Tree, folder: &str) -> Vec<String> {
        let inside = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let files = self.files.range(inside.clone()..).map(|(known, _)| known);
        let folders = self.folders.range(inside.clone()..);
        let inside = inside.as_str();
        files
            .take_while(move |known| known.starts_with(inside))
            .chain(folders.take_while(move |known| known.starts_with(inside)))
            .filter(|known| known.len() > inside.len() && !known[inside.len()..].contains('/'))
            .filter(|known| is_no_more(tree, known))
            .cloned()
            .collect()
    }

    /// The whole tree is gone from its place.
    pub(super) fn gone_all(&mut self, tree: &mut impl Tree, now_ms: u64, events: &mut Events) {
        for folder in &self.folders {
            tree.leave(folder);
        }
        let files = std::mem::take(&mut self.files).into_values();
        let mut identities: BTreeMap<String, FileIdentity> =
            files.map(|known| (known.key, known.identity)).collect();
        self.doubt_relocated(now_ms);
        let moved = std::mem::take(&mut self.moved).into_iter();
        identities.extend(moved.map(|(key, (identity, _))| (key, identity)));
        *self = Tracker {
            is_running: self.is_running,
            heard: self.heard,
            told: std::mem::take(&mut self.told),
            checks: std::mem::take(&mut self.checks),
            ..Tracker::default()
        };
        for (key, identity) in identities {
            if tree.own(&key).is_some() {
                self.moved.insert(key, (identity, now_ms + MOVE_MS));
            } else {
                self.tell(tree, key, None, now_ms, events);
            }
        }
    }

    /// The store made a change.
    pub(super) fn own(
        &mut self,
        tree: &impl Tree,
        change: Change,
        now_ms: u64,
        events: &mut Events,
    ) {
        self.heard(change.number);
        match change.written {
            Some(identity) => self.own_written(tree, change.key, identity, now_ms, events),
            None => self.own_removed(tree, change.key, now_ms, events),
        }
    }

    /// The store wrote a value, whatever became of it since.
    fn own_written(
        &mut self,
        tree: &impl Tree,
        key: String,
        identity: FileIdentity,
        now_ms: u64,
        events: &mut Events,
    ) {
        let places = tree.places_of(&key);
        if tree.key_of(&places[0]).is_none() {
            return;
        }
        self.moved.remove(&key);
        self.relocated.remove(&key);
        let found = places.into_iter().find_map(|path| match tree.look(&path) {
            Some(Entry::File(found)) => Some((path, found)),
            _ => None,
        });
        match found {
            Some((path, found)) if tree.is_own(&key, found) => self.record(&path, &key, found),
            // Another program's change, which its signals tell.
            Some(_) => {}
            None => {
                self.moved.insert(key.clone(), (identity, now_ms + MOVE_MS));
            }
        }
        self.tell(tree, key, Some(identity), now_ms, events);
    }

    /// The store removed a value, whatever came to its place since.
    fn own_removed(&mut self, tree: &impl Tree, key: String, now_ms: u64, events: &mut Events) {
        let places = tree.places_of(&key);
        if tree.key_of(&places[0]).is_none() {
            return;
        }
        self.moved.remove(&key);
        self.relocated.remove(&key);
        for path in places {
            if !matches!(tree.look(&path), Some(Entry::File(_))) {
                self.forget_file(&path);
            }
        }
        self.tell(tree, key, None, now_ms, events);
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
            for path in self.lost(tree, &folder) {
                self.gone(tree, &path, now_ms, events);
            }
            for (name, is_folder) in names {
                let path = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                if is_folder {
                    folders.push(path);
                } else if may_be_begun && self.is_begun(tree, &path) {
                    self.changing.insert(path, (now_ms + QUIET_MS, false));
                } else if self.compare(tree, &path, now_ms, events) {
                    self.expect_echo(path, now_ms);
                }
            }
        }
    }

    /// Notices were lost: everything is looked at.
    pub(super) fn rescan(&mut self, tree: &mut impl Tree, now_ms: u64, events: &mut Events) {
        self.doubt_relocated(now_ms);
        let lost: Vec<String> = self
            .files
            .keys()
            .filter(|path| is_no_more(tree, path))
            .cloned()
            .collect();
        for path in lost {
            self.gone(tree, &path, now_ms, events);
        }
        let lost: Vec<String> = self
            .folders
            .iter()
            .filter(|path| is_no_more(tree, path))
            .cloned()
            .collect();
        for path in lost {
            self.folders.remove(&path);
        }
        self.appeared(tree, "", now_ms, events);
        self.echoes.clear();
    }

    /// Whether the file has nothing in it yet, and is not known like that: a program that has made or
    /// emptied it is about to write.
    fn is_begun(&self, tree: &impl Tree, path: &str) -> bool {
        let Some(Entry::File(identity)) = tree.look(path) else {
            return false;
        };
        let is_known = self
            .files
            .get(path)
            .is_some_and(|known| known.identity == identity);
        identity.size == 0 && !is_known && tree.key_of(path).is_some()
    }

    /// Notices of what was just reported may still come.
    fn expect_echo(&mut self, path: String, now_ms: u64) {
        if let Some(known) = self.files.get(&path) {
            self.echoes.insert(path, (known.identity, now_ms + ECHO_MS));
        }
    }

    /// Reports a file that is not as it was known; says whether that was so.
    fn compare(
        &mut self,
        tree: &mut impl Tree,
        path: &str,
        now_ms: u64,
        events: &mut Events,
    ) -> bool {
        self.note_signal(tree, path, now_ms);
        let Some(Entry::File(identity)) = tree.look(path) else {
            return false;
        };
        if self
            .files
            .get(path)
            .is_some_and(|known| known.identity == identity)
        {
            return false;
        }
        self.update(tree, path, identity, now_ms, events);
        true
    }

    fn update(
        &mut self,
        tree: &impl Tree,
        path: &str,
        identity: FileIdentity,
        now_ms: u64,
        events: &mut Events,
    ) {
        let Some(key) = tree.key_of(path) else {
            return;
        };
        let mut identity = identity;
        while tree.own(&key).is_some() {
            if tree.is_own(&key, identity) {
                self.moved.remove(&key);
                self.relocated.remove(&key);
                self.record(path, &key, identity);
                return;
            }
            // The store may have written again since the file was looked at.
            match tree.look(path) {
                Some(Entry::File(now)) if now != identity => identity = now,
                _ => break,
            }
        }
        self.update_key(tree, path, key, identity, now_ms, events);
    }

    /// Keeps what is at a path.
    fn record(&mut self, path: &str, key: &str, identity: FileIdentity) {
        let known = Known {
            key: key.to_owned(),
            identity,
        };
        if self.files.insert(path.to_owned(), known).is_none() {
            *self.places.entry(key.to_owned()).or_default() += 1;
        }
    }

    fn update_key(
        &mut self,
        tree: &impl Tree,
        path: &str,
        key: String,
        identity: FileIdentity,
        now_ms: u64,
        events: &mut Events,
    ) {
        let moved = self.moved.remove(&key);
        self.record(path, &key, identity);
        // The same file at another place of the same key: making room for keys below it.
        let was_moved = moved.map(|(old, _)| old);
        if self.relocated.remove(&key) == Some(identity) || was_moved == Some(identity) {
            return;
        }
        if was_moved.is_some() {
            self.tell(tree, key.clone(), None, now_ms, events);
        }
        self.tell(tree, key, Some(identity), now_ms, events);
    }

    fn is_echo(&mut self, path: &str, identity: FileIdentity) -> bool {
        self.echoes
            .remove(path)
            .is_some_and(|(found, _)| found == identity)
    }

    /// Takes out a file, or a folder with all that is in it.
    fn forget(&mut self, tree: &mut impl Tree, path: &str) -> Vec<Known> {
        self.changing.remove(path);
        self.echoes.remove(path);
        let inside = format!("{path}/");
        let folders = self.folders.range(inside.clone()..);
        let below: Vec<String> = folders
            .take_while(|known| known.starts_with(&inside))
            .cloned()
            .collect();
        for folder in below.iter().map(String::as_str).chain([path]) {
            if self.folders.remove(folder) {
                tree.leave(folder);
            }
        }
        let files = self.files.range(inside.clone()..).map(|(known, _)| known);
        let below: Vec<String> = files
            .take_while(|known| known.starts_with(&inside))
            .cloned()
            .collect();
        let files = below.iter().map(String::as_str).chain([path]);
        files.filter_map(|file| self.forget_file(file)).collect()
    }

    fn forget_file(&mut self, path: &str) -> Option<Known> {
        let known = self.files.remove(path)?;
        if let Some(count) = self.places.get_mut(&known.key) {
            *count -= 1;
            if *count == 0 {
                self.places.remove(&known.key);
            }
        }
        Some(known)
    }
}

/// Whether neither a file nor a folder is there.
fn is_no_more(tree: &impl Tree, path: &str) -> bool {
    matches!(tree.look(path), None | Some(Entry::Other))
}

/// Whether the path is that of a key that the store itself changed of late.
fn is_written_here(tree: &impl Tree, path: &str) -> bool {
    tree.key_of(path)
        .is_some_and(|key| tree.own(&key).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of paths; keys are paths with `:` for `/`, `self` in a folder is the folder's own key.
    #[derive(Default)]
    struct Paper {
        entries: BTreeMap<String, Entry>,
        entered: Vec<String>,
        own: HashMap<String, Own>,
        own_identities: Vec<(String, FileIdentity)>,
        last: u64,
    }

    impl Paper {
        fn file(&mut self, path: &str, content: u64) {
            for (index, _) in path.match_indices('/') {
                self.entries.insert(path[..index].to_owned(), Entry::Folder);
            }
            let identity = FileIdentity {
                mtime_ns: Some(i128::from(content)),
                size: 1,
                ..FileIdentity::default()
            };
            self.entries.insert(path.to_owned(), Entry::File(identity));
        }

        fn empty(&mut self, path: &str) {
            self.file(path, 0);
            let identity = FileIdentity {
                mtime_ns: Some(0),
                ..FileIdentity::default()
            };
            self.entries.insert(path.to_owned(), Entry::File(identity));
        }

        fn identity(&self, path: &str) -> FileIdentity {
            match self.look(path) {
                Some(Entry::File(identity)) => identity,
                other => panic!("{other:?} is at {path}"),
            }
        }

        /// A change of the store's own that is made on disk and has not been told yet.
        fn own(&mut self, key: &str) {
            self.last += 1;
            let own = Own {
                is_under_way: false,
                last: self.last,
            };
            self.own.insert(key.to_owned(), own);
        }

        fn own_write(&mut self, path: &str, content: u64) -> FileIdentity {
            self.file(path, content);
            let (key, identity) = (self.key_of(path).unwrap(), self.identity(path));
            self.own(&key);
            self.own_identities.push((key, identity));
            identity
        }

        fn own_remove(&mut self, path: &str) {
            self.remove(path);
            let key = self.key_of(path).unwrap();
            self.own(&key);
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

        fn holder(&self, key: &str) -> Option<FileIdentity> {
            let path = key.replace(':', "/");
            [path.clone(), format!("{path}/self")]
                .iter()
                .find_map(|path| match self.look(path) {
                    Some(Entry::File(identity)) => Some(identity),
                    _ => None,
                })
        }

        fn places_of(&self, key: &str) -> [String; 2] {
            let path = key.replace(':', "/");
            let inside = format!("{path}/self");
            [path, inside]
        }

        fn own(&self, key: &str) -> Option<Own> {
            self.own.get(key).copied()
        }

        fn is_own(&self, key: &str, identity: FileIdentity) -> bool {
            self.own_identities.contains(&(key.to_owned(), identity))
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

        fn own(&mut self, key: &str, written: Option<FileIdentity>) -> Vec<String> {
            let mut events = Vec::new();
            let change = Change {
                number: self.tracker.heard + 1,
                key: key.to_owned(),
                written,
            };
            self.tracker
                .own(&self.tree, change, self.now_ms, &mut events);
            shown(events)
        }

        fn own_written(&mut self, key: &str, identity: FileIdentity) -> Vec<String> {
            self.own(key, Some(identity))
        }

        fn own_removed(&mut self, key: &str) -> Vec<String> {
            self.own(key, None)
        }

        fn gone_all(&mut self) -> Vec<String> {
            let mut events = Vec::new();
            self.tracker
                .gone_all(&mut self.tree, self.now_ms, &mut events);
            shown(events)
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
    fn what_was_never_an_item_gives_no_event() {
        // Late notices of a folder that was moved on, and of files in it.
        let mut case = Case::over(&["a/x"]);
        case.tree.remove("a");
        case.tree.file("c/x", 0);
        case.moved_away("a");
        assert_eq!(case.signal(Tracker::written, "b"), [""; 0]);
        assert_eq!(case.signal(Tracker::touched, "a/new"), [""; 0]);
        assert_eq!(case.signal(Tracker::closed, "a/new"), [""; 0]);
        assert_eq!(case.signal(Tracker::written, "a/new"), [""; 0]);
        assert_eq!(case.signal(Tracker::written, "c"), ["update c:x"]);
        assert_eq!(case.after(QUIET_MS), ["remove a:x"]);
        // A FIFO, a link to a folder.
        case.tree.entries.insert("fifo".to_owned(), Entry::Other);
        assert_eq!(case.signal(Tracker::written, "fifo"), [""; 0]);
        assert_eq!(case.signal(Tracker::touched, "fifo"), [""; 0]);
        assert_eq!(case.after(QUIET_MS), [""; 0]);
    }

    #[test]
    fn an_item_that_something_else_takes_the_place_of_is_removed() {
        let mut case = Case::over(&["a", "b"]);
        for path in ["a", "b"] {
            case.tree.entries.insert(path.to_owned(), Entry::Other);
        }
        assert_eq!(case.signal(Tracker::written, "a"), ["remove a"]);
        let mut events = Vec::new();
        case.tracker.rescan(&mut case.tree, 0, &mut events);
        assert_eq!(shown(events), ["remove b"]);
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
    fn a_value_that_made_room_slowly_is_removed_whatever_notice_comes_of_it() {
        type Notice = fn(&mut Case) -> Vec<String>;
        let notices: [(&str, Notice); 7] = [
            ("of it", |case| case.signal(Tracker::gone, "a/self")),
            ("of a move", |case| {
                case.moved_away("a/self");
                Vec::new()
            }),
            ("of its folder", |case| case.signal(Tracker::gone, "a")),
            ("of the folder above", |case| case.signal(Tracker::gone, "")),
            ("of a temporary file", |case| {
                case.signal(Tracker::gone, "tmp")
            }),
            ("of all", Case::gone_all),
            ("of none, since they were lost", |case| {
                let mut events = Vec::new();
                case.tracker
                    .rescan(&mut case.tree, case.now_ms, &mut events);
                shown(events)
            }),
        ];
        for (name, notice) in notices {
            let mut case = Case::over(&["a"]);
            case.moved_away("a");
            case.tree.remove("a");
            case.tree.file("a/self", 0);
            assert!(case.after(MOVE_MS).is_empty(), "{name}");
            case.tree.remove("a");
            let events = [notice(&mut case), case.after(MOVE_MS), case.after(1000)].concat();
            assert_eq!(events, ["remove a"], "{name}");
        }
    }

    #[test]
    fn a_value_that_makes_room_is_there_though_something_else_is_removed() {
        let mut case = Case::over(&["a", "b"]);
        case.moved_away("a");
        case.tree.remove("a");
        case.tree.file("a/self", 0);
        assert!(case.after(MOVE_MS).is_empty());
        case.tree.remove("b");
        assert_eq!(case.signal(Tracker::gone, "b"), ["remove b"]);
        assert!(case.after(MOVE_MS).is_empty());
        assert!(case.signal(Tracker::written, "a/self").is_empty());
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_removal_by_another_of_what_is_reported_as_removed_is_no_event() {
        let mut case = Case::over(&[]);
        let identity = case.tree.own_write("a", 1);
        assert_eq!(case.own_written("a", identity), ["update a"]);
        case.tree.own_remove("a");
        // Another program makes it again, and removes it before its notice is looked at.
        case.tree.file("a", 2);
        assert_eq!(case.own_removed("a"), ["remove a"]);
        case.tree.remove("a");
        assert!(case.signal(Tracker::written, "a").is_empty());
        assert!(case.signal(Tracker::gone, "a").is_empty());
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_key_whose_folder_goes_is_seen_to_be_gone_without_a_notice_of_its_own() {
        let mut case = Case::over(&["x/b"]);
        let identity = case.tree.own_write("x/a", 1);
        case.tree.file("x/a", 2);
        assert_eq!(case.own_written("x:a", identity), ["update x:a"]);
        let events = [case.after(QUIET_MS), case.after(QUIET_MS)].concat();
        assert_eq!(events, ["update x:a"]);
        case.tree.remove("x");
        assert_eq!(case.signal(Tracker::gone, "x"), ["remove x:b"]);
        let events = [case.after(QUIET_MS), case.after(QUIET_MS)].concat();
        assert_eq!(events, ["remove x:a"]);
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn making_room_is_no_change_however_the_folder_is_found() {
        for is_slow in [false, true] {
            let mut case = Case::over(&["a"]);
            case.moved_away("a");
            case.tree.remove("a");
            case.tree.file("a/self", 0);
            assert!(case.after(if is_slow { MOVE_MS } else { 0 }).is_empty());
            assert!(case.signal(Tracker::made, "a").is_empty());
            assert!(case.signal(Tracker::written, "a/self").is_empty());
            assert!(case.after(1000).is_empty());
        }
    }

    #[test]
    fn a_known_file_that_a_listing_finds_emptied_is_reported_when_it_is_written() {
        let mut case = Case::over(&[]);
        let identity = case.tree.own_write("x/a", 1);
        assert_eq!(case.own_written("x:a", identity), ["update x:a"]);
        case.tree.empty("x/a");
        assert!(case.signal(Tracker::made, "x").is_empty());
        case.signal(Tracker::touched, "x/a");
        case.tree.file("x/a", 2);
        assert_eq!(case.signal(Tracker::closed, "x/a"), ["update x:a"]);
        assert!(case.after(1000).is_empty());
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
        assert!(case.after(QUIET_MS).is_empty(), "it may be in the making");
        assert_eq!(case.after(BEGUN_MS), ["update x:left"]);
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
        assert_eq!(case.gone_all(), ["remove a", "remove x:b"]);
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
        case.gone_all();
        case.tree.remove("a");
        let empty = FileIdentity {
            mtime_ns: Some(1),
            ..FileIdentity::default()
        };
        case.tree.entries.insert("b".to_owned(), Entry::File(empty));
        assert!(case.signal(Tracker::appeared, "").is_empty());
        case.tree.file("b", 2);
        assert_eq!(case.signal(Tracker::closed, "b"), ["update b"]);
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_change_of_the_stores_own_is_one_event_wherever_its_signals_come() {
        // As bits: before which of the three reports the three signals come.
        for order in 0..64 {
            let mut case = Case::over(&[]);
            let first = case.tree.own_write("x/a", 1);
            case.tree.own_remove("x/a");
            let second = case.tree.own_write("x/a", 2);
            let mut signals = [
                ("written", 3 & order),
                ("gone", 3 & (order >> 2)),
                ("written", 3 & (order >> 4)),
            ];
            // Signals come in order, and after the changes that they tell of.
            signals[1].1 = signals[1].1.max(signals[0].1);
            signals[2].1 = signals[2].1.max(signals[1].1);
            let mut events = Vec::new();
            for report in 0..4 {
                for (name, _) in signals.iter().filter(|(_, at)| *at == report) {
                    events.extend(match *name {
                        "written" => case.signal(Tracker::written, "x/a"),
                        _ => case.signal(Tracker::gone, "x/a"),
                    });
                }
                events.extend(match report {
                    0 => case.own_written("x:a", first),
                    1 => case.own_removed("x:a"),
                    2 => case.own_written("x:a", second),
                    _ => case.after(1000),
                });
            }
            let expected = ["update x:a", "remove x:a", "update x:a"];
            assert_eq!(events, expected, "{signals:?}");
        }
    }

    #[test]
    fn a_removal_by_another_after_late_notices_of_the_stores_own_is_reported() {
        let mut case = Case::over(&[]);
        let first = case.tree.own_write("a", 1);
        assert_eq!(case.own_written("a", first), ["update a"]);
        case.tree.own_remove("a");
        assert_eq!(case.own_removed("a"), ["remove a"]);
        let second = case.tree.own_write("a", 2);
        assert_eq!(case.own_written("a", second), ["update a"]);
        assert!(case.signal(Tracker::gone, "a").is_empty());
        assert!(case.after(1000).is_empty());
        case.tree.remove("a");
        assert!(case.signal(Tracker::gone, "a").is_empty());
        assert_eq!(case.after(MOVE_MS), ["remove a"]);
    }

    #[test]
    fn a_key_that_another_changes_after_the_store_is_reported_again() {
        let mut case = Case::over(&[]);
        let identity = case.tree.own_write("a", 1);
        assert_eq!(case.own_written("a", identity), ["update a"]);
        assert!(case.signal(Tracker::written, "a").is_empty());
        case.tree.file("a", 2);
        assert_eq!(case.signal(Tracker::written, "a"), ["update a"]);
        case.tree.remove("a");
        assert!(case.signal(Tracker::gone, "a").is_empty());
        assert_eq!(case.after(MOVE_MS), ["remove a"]);
    }

    #[test]
    fn a_late_signal_of_the_stores_own_tells_nothing_of_a_change_by_another() {
        for (truncated, late) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
            let mut case = Case::over(&[]);
            let first = case.tree.own_write("a", 1);
            let second = case.tree.own_write("a", 2);
            assert_eq!(case.own_written("a", first), ["update a"]);
            assert_eq!(case.own_written("a", second), ["update a"]);
            let mut events = Vec::new();
            if truncated {
                case.tree.empty("a");
                events.extend(case.signal(Tracker::written, "a"));
            } else {
                case.tree.file("a", 3);
                events.extend(case.signal(Tracker::written, "a"));
                events.extend(case.signal(Tracker::written, "a"));
            }
            case.tree.file("a", 3);
            if late == 1 {
                events.extend(case.signal(Tracker::written, "a"));
            }
            events.extend(case.signal(Tracker::touched, "a"));
            events.extend(case.signal(Tracker::closed, "a"));
            events.extend(case.after(1000));
            assert_eq!(events, ["update a"], "{truncated} {late}");
        }
    }

    #[test]
    fn a_value_that_is_gone_before_the_store_tells_of_it_is_an_update_and_a_removal() {
        for is_signalled in [false, true] {
            let mut case = Case::over(&[]);
            let identity = case.tree.own_write("x/a", 1);
            case.tree.remove("x");
            if is_signalled {
                assert!(case.signal(Tracker::gone, "x/a").is_empty());
            }
            assert_eq!(case.own_written("x:a", identity), ["update x:a"]);
            assert_eq!(case.after(MOVE_MS), ["remove x:a"]);
            assert!(case.after(1000).is_empty());
        }
    }

    #[test]
    fn a_removal_by_another_of_what_the_store_had_removed_is_reported() {
        let mut case = Case::over(&["a"]);
        case.tree.own_remove("a");
        assert_eq!(case.own_removed("a"), ["remove a"]);
        assert!(case.signal(Tracker::gone, "a").is_empty());
        case.tree.file("a", 2);
        assert_eq!(case.signal(Tracker::written, "a"), ["update a"]);
        case.tree.remove("a");
        assert!(case.signal(Tracker::gone, "a").is_empty());
        assert_eq!(case.after(MOVE_MS), ["remove a"]);
    }

    #[test]
    fn the_last_event_tells_what_is_there_in_whatever_order_changes_become_known() {
        // Another program writes after the store removed the key, and the notice is the first to come.
        let mut case = Case::over(&["a"]);
        case.tree.own_remove("a");
        case.tree.file("a", 2);
        case.signal(Tracker::written, "a");
        case.own_removed("a");
        assert!(case.after(QUIET_MS).is_empty(), "a notice may come");
        assert_eq!(case.after(QUIET_MS), ["update a"]);
        assert!(case.signal(Tracker::written, "a").is_empty(), "known");
        assert!(case.after(1000).is_empty());
        // It removes the key after the store wrote it, and the notice is the first to come.
        let identity = case.tree.own_write("a", 3);
        case.tree.remove("a");
        case.signal(Tracker::gone, "a");
        case.own_written("a", identity);
        let events = [case.after(QUIET_MS), case.after(QUIET_MS)].concat();
        assert_eq!(events.last().map(String::as_str), Some("remove a"));
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_look_while_another_program_writes_is_no_event_of_its_own() {
        let mut case = Case::over(&[]);
        let identity = case.tree.own_write("a", 1);
        assert_eq!(case.own_written("a", identity), ["update a"]);
        case.tree.empty("a");
        assert!(case.after(QUIET_MS).is_empty());
        case.tree.file("a", 2);
        assert!(case.signal(Tracker::touched, "a").is_empty());
        assert_eq!(case.signal(Tracker::closed, "a"), ["update a"]);
        assert!(case.after(1000).is_empty());
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_program_that_is_held_up_after_it_emptied_a_file_makes_one_update() {
        for is_own in [false, true] {
            let mut case = Case::over(&["a"]);
            if is_own {
                let identity = case.tree.own_write("a", 1);
                assert_eq!(case.own_written("a", identity), ["update a"]);
                assert!(case.after(QUIET_MS).is_empty());
            }
            let empty = FileIdentity {
                mtime_ns: Some(2),
                ..FileIdentity::default()
            };
            case.tree.entries.insert("a".to_owned(), Entry::File(empty));
            assert!(case.signal(Tracker::touched, "a").is_empty());
            assert!(case.after(QUIET_MS).is_empty(), "{is_own}");
            assert!(case.after(QUIET_MS).is_empty(), "{is_own}");
            case.tree.file("a", 3);
            assert!(case.signal(Tracker::touched, "a").is_empty());
            assert_eq!(case.signal(Tracker::closed, "a"), ["update a"]);
            assert!(case.after(1000).is_empty());
        }
    }

    #[test]
    fn a_removal_waits_for_a_write_that_is_under_way() {
        let mut case = Case::over(&["a"]);
        case.tree.own.insert(
            "a".to_owned(),
            Own {
                is_under_way: true,
                last: 0,
            },
        );
        case.tree.remove("a");
        assert!(case.signal(Tracker::gone, "a").is_empty());
        assert!(case.after(MOVE_MS).is_empty());
        let identity = case.tree.own_write("a", 1);
        assert_eq!(case.own_written("a", identity), ["update a"]);
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_base_that_the_store_makes_again_keeps_what_it_wrote_into_it() {
        let mut case = Case::over(&["a", "b"]);
        case.tree.own_remove("a");
        let identity = case.tree.own_write("a", 1);
        case.tree.remove("b");
        assert_eq!(case.own_removed("a"), ["remove a"]);
        assert_eq!(case.own_written("a", identity), ["update a"]);
        assert_eq!(case.gone_all(), ["remove b"]);
        assert!(case.signal(Tracker::appeared, "").is_empty());
        assert!(case.after(1000).is_empty());
    }

    #[test]
    fn a_value_of_the_stores_own_that_makes_room_is_no_change() {
        let mut case = Case::over(&[]);
        let identity = case.tree.own_write("a", 1);
        assert_eq!(case.own_written("a", identity), ["update a"]);
        case.moved_away("a");
        case.tree.remove("a");
        case.tree.file("a/self", 1);
        assert!(case.signal(Tracker::written, "a/self").is_empty());
        assert!(case.after(1000).is_empty());
        case.tree.own_remove("a/self");
        assert_eq!(case.own_removed("a"), ["remove a"]);
        assert!(case.signal(Tracker::gone, "a/self").is_empty());
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
