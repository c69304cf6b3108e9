//! Changes that are made together or not at all, if conditions hold.

use std::collections::HashMap;

use smallvec::{SmallVec, smallvec};

use crate::condition::{Check, Expected};
use crate::item::{EventKind, Options};
use crate::value::{Text, Value};

/// A change of one item.
#[derive(Clone)]
pub enum GroupWrite {
    /// Writes it.
    Set {
        /// The key, relative to who is asked.
        key: String,
        /// What is written.
        value: Value,
        /// Whether it is read back raw as it is given, and not what the codec made.
        is_raw: bool,
        /// The options of the change.
        options: Options,
    },
    /// Removes the item.
    Remove {
        /// The key, relative to who is asked.
        key: String,
        /// The options of the change.
        options: Options,
    },
}

impl GroupWrite {
    /// Writes what the codec made.
    pub fn set(key: String, value: Text, options: Options) -> Self {
        GroupWrite::Set {
            key,
            value: Value::Text(value),
            is_raw: false,
            options,
        }
    }

    /// The key of the item.
    pub fn key(&self) -> &str {
        match self {
            GroupWrite::Set { key, .. } | GroupWrite::Remove { key, .. } => key,
        }
    }

    /// The key of the item, to be changed.
    pub fn key_mut(&mut self) -> &mut String {
        match self {
            GroupWrite::Set { key, .. } | GroupWrite::Remove { key, .. } => key,
        }
    }

    /// What listeners hear of it.
    pub fn event(&self) -> EventKind {
        match self {
            GroupWrite::Set { .. } => EventKind::Update,
            GroupWrite::Remove { .. } => EventKind::Remove,
        }
    }
}

/// Changes that belong together: all of them are made, or none is.
#[derive(Clone, Default)]
pub struct Group {
    /// What has to hold when they are made.
    pub checks: SmallVec<[Check; 1]>,
    /// The changes, each key once.
    pub writes: SmallVec<[GroupWrite; 1]>,
}

impl Group {
    /// One change of an item, if that is as expected; without a value it is removed.
    pub fn swap(key: String, expected: Expected, value: Option<Text>, options: Options) -> Self {
        let written = key.clone();
        let write = match value {
            Some(value) => GroupWrite::set(written, value, options),
            None => GroupWrite::Remove {
                key: written,
                options,
            },
        };
        Group {
            checks: smallvec![Check { key, expected }],
            writes: smallvec![write],
        }
    }

    /// The keys that are checked or changed, each once.
    pub fn keys(&self) -> Vec<&str> {
        let checked = self.checks.iter().map(|check| &*check.key);
        let mut keys: Vec<&str> = checked
            .chain(self.writes.iter().map(GroupWrite::key))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// What became of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// All of it was made.
    Done,
    /// Nothing was: these keys are not what they were expected to be.
    Conflicts(Vec<String>),
}

/// Of several changes of one key the last, at its place.
pub fn last_of_each(writes: SmallVec<[GroupWrite; 1]>) -> SmallVec<[GroupWrite; 1]> {
    if writes.len() < 2 {
        return writes;
    }
    let last: HashMap<String, usize> = writes
        .iter()
        .enumerate()
        .map(|(place, write)| (write.key().to_owned(), place))
        .collect();
    let of_key = |(place, write): &(usize, GroupWrite)| last[write.key()] == *place;
    let kept = writes.into_iter().enumerate().filter(of_key);
    kept.map(|(_, write)| write).collect()
}
