//! A group of changes that waits for its turn.

use std::sync::Arc;

use smallvec::SmallVec;

use eas_core::condition::Check;
use eas_core::driver::Options;
use eas_core::error::Result;
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::store::{Applied, Batch, Store, Write};
use eas_core::value::Value;

/// Changes that are made together, if their conditions hold.
pub struct QueuedGroup {
    checks: SmallVec<[Check; 1]>,
    writes: Vec<QueuedWrite>,
    keys: Vec<Arc<str>>,
    /// What the caller asked for, for messages.
    pub operation: &'static str,
}

struct QueuedWrite {
    key: String,
    /// What is written; `None` removes the item.
    value: Option<Value>,
    is_raw: bool,
    options: Options,
    /// When the item expires, in ms since the epoch.
    expires_ms: Option<u64>,
}

impl QueuedGroup {
    /// The group, with the moments at which items expire by `expiry_of`, which is told what is written, whether
    /// raw, and with which options.
    pub fn new(
        group: Group,
        operation: &'static str,
        expiry_of: impl Fn(&Value, bool, &Options) -> Option<u64>,
    ) -> Self {
        let keys = group.keys().into_iter().map(Arc::from).collect();
        let writes = group.writes.into_iter().map(|write| match write {
            GroupWrite::Set {
                key,
                value,
                is_raw,
                options,
            } => QueuedWrite {
                key,
                expires_ms: expiry_of(&value, is_raw, &options),
                value: Some(value),
                is_raw,
                options,
            },
            GroupWrite::Remove { key, options } => QueuedWrite {
                key,
                value: None,
                is_raw: false,
                options,
                expires_ms: None,
            },
        });
        QueuedGroup {
            writes: writes.collect(),
            checks: group.checks,
            keys,
            operation,
        }
    }

    /// The keys that are checked or changed, each once.
    pub fn keys(&self) -> &[Arc<str>] {
        &self.keys
    }

    /// When the first of the written items expires.
    pub fn first_expiry(&self) -> Option<u64> {
        self.writes
            .iter()
            .filter_map(|write| write.expires_ms)
            .min()
    }

    /// Makes the changes in a store.
    ///
    /// # Errors
    /// Those of the store.
    pub fn apply(&self, store: &dyn Store) -> Result<Committed> {
        let writes = self.writes.iter().map(|write| match &write.value {
            Some(value) => Write::Set {
                key: &write.key,
                value,
                is_raw: write.is_raw,
                expires_ms: write.expires_ms,
            },
            None => Write::Remove {
                key: &write.key,
                is_listed: false,
            },
        });
        let applied = store.apply(&Batch {
            checks: &self.checks,
            writes: &writes.collect::<Vec<_>>(),
            is_group: true,
        })?;
        Ok(match applied {
            Applied::Done(_) => Committed::Done,
            Applied::Conflicts(keys) => Committed::Conflicts(keys),
        })
    }

    /// The group as it is to be made at `now_ms`: with what is left of the times to live, and without
    /// what has expired.
    pub fn at(&self, now_ms: u64) -> Group {
        let writes = self.writes.iter().map(|write| {
            let key = write.key.clone();
            let has_expired = write.expires_ms.is_some_and(|ms| ms <= now_ms);
            let options = Options {
                ttl_ms: write.expires_ms.map(|ms| ms.saturating_sub(now_ms)),
                ..write.options.clone()
            };
            match &write.value {
                Some(value) if !has_expired => GroupWrite::Set {
                    key,
                    value: value.clone(),
                    is_raw: write.is_raw,
                    options,
                },
                // What the driver still has of the key is older.
                _ => GroupWrite::Remove {
                    key,
                    options: Options {
                        ttl_ms: None,
                        ..options
                    },
                },
            }
        });
        Group {
            checks: self.checks.clone(),
            writes: writes.collect(),
        }
    }
}
