//! Listing and clearing, across mounts.

use std::rc::Rc;

use futures_util::future::join_all;

use super::migrate::is_transactional;
use super::routes::Storage;
use crate::clearing::Clear;
use crate::driver::{Call, Driver, EventKind, KeyQuery, Mode, Op, Options};
use crate::error::{Kind, Result};
use crate::fallbacks;
use crate::key;
use crate::keys::Keys;

/// One mount's share of a base.
struct Share {
    driver: Rc<dyn Driver>,
    mount: String,
    /// The base within the mount; empty for all of it.
    relative_base: String,
    /// Bases of mounts inside this one, which hide its keys.
    hidden: Vec<String>,
}

impl Share {
    /// Whether a key of the driver shows, given in full.
    fn shows(&self, key: &str) -> bool {
        !self
            .hidden
            .iter()
            .any(|base| key.starts_with(base.as_str()))
    }

    /// A key of the driver in full, in normal form.
    fn full(&self, key: &str) -> String {
        self.mount.clone() + &key::normalize(key)
    }

    /// Whether a key of the driver is of the base, shows, and holds an item or its metadata.
    fn has(&self, key: &str) -> bool {
        let normal = key::normalize(key);
        key::is_under(&normal, &self.relative_base)
            && !key::is_kept(&normal)
            && self.shows(&self.full(key))
            && !self.driver.refuses_clear_of(&normal)
    }
}

impl Storage {
    /// The keys under `base`, in full, of at most `max_depth`. Keys that hold metadata or what the
    /// package keeps for itself, and keys that an inner mount hides, are left out.
    pub fn get_keys(
        &self,
        base: &str,
        max_depth: Option<usize>,
        options: &Options,
        mode: Mode,
    ) -> Op<Keys> {
        let base = key::normalize_base(base);
        let mut lists = Vec::new();
        for share in self.shares(&base) {
            let depth = key::depth(&share.mount);
            if max_depth.is_some_and(|max| max < depth) {
                continue;
            }
            let query = KeyQuery {
                base: share.relative_base.clone(),
                max_depth: max_depth.map(|max| max - depth),
                options: options.clone(),
            };
            lists.push((fallbacks::get_keys(&share.driver, &query, mode), share));
        }
        let shows = move |key: &str| {
            key::is_under(key, &base)
                && !key::is_meta(key)
                && !key::is_version(key)
                && !key.is_empty()
                && max_depth.is_none_or(|max| key::depth(key) <= max)
        };
        if lists.len() == 1 && lists[0].1.mount.is_empty() && lists[0].1.hidden.is_empty() {
            let (list, _) = lists.pop().expect("there is one");
            return list.map(move |keys| {
                if keys.iter().all(key::is_normal) {
                    keys.filtered(shows)
                } else {
                    let normal = keys.iter().map(key::normalize);
                    normal.filter(|key| shows(key)).collect()
                }
            });
        }
        Op::later(async move {
            let (lists, shares): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
            let mut all = Keys::new();
            for (keys, share) in join_all(lists).await.into_iter().zip(shares) {
                let keys = keys?;
                let full = keys
                    .iter()
                    .map(|key| share.mount.clone() + &key::normalize(key));
                all.extend(full.filter(|key| share.shows(key) && shows(key)));
            }
            Ok(all)
        })
    }

    /// Removes what [`get_keys`](Self::get_keys) lists under `base`, and its metadata.
    pub fn clear(self: &Rc<Self>, base: &str, options: &Options, mode: Mode) -> Op<()> {
        let base = key::normalize_base(base);
        if self.is_migrating() {
            return self.clear_recorded(base, options, mode);
        }
        // A mount that refuses refuses all of it, before anything is removed.
        let mut cleared = Vec::new();
        for share in self.shares(&base) {
            match fallbacks::can_clear(&share.driver, mode) {
                Ok(true) => cleared.push(share),
                Ok(false) => {}
                Err(error) => return Op::fail(error),
            }
        }
        fallbacks::all(
            cleared
                .into_iter()
                .map(|share| self.clear_share(share, options, mode))
                .collect(),
        )
    }

    /// During a migration a clear is a removal of each key, so that each can be put back.
    fn clear_recorded(self: &Rc<Self>, base: String, options: &Options, mode: Mode) -> Op<()> {
        let shares: Vec<_> = self
            .shares(&base)
            .into_iter()
            .map(|share| (self.clears.begin(&share.driver), share))
            .collect();
        let older = self.older_recorded(mode);
        let (storage, options) = (self.clone(), options.clone());
        self.in_flight.track(Op::later(async move {
            older.await?;
            for (clear, share) in shares {
                if !fallbacks::can_clear(&share.driver, mode)? {
                    continue;
                }
                let query = KeyQuery {
                    base: share.relative_base.clone(),
                    ..KeyQuery::default()
                };
                let keys = fallbacks::get_keys(&share.driver, &query, mode).await?;
                let is_removed = |key: &str, full: &str| {
                    let is_its = key::is_under(full, &base) && share.shows(full);
                    let is_left = key::is_kept(key)
                        || clear.spares(key)
                        || share.driver.refuses_clear_of(item_of(key));
                    is_its && !is_left
                };
                let keys = keys.with_metadata();
                let keys = keys.iter().map(key::normalize);
                let keys = keys.map(|key| (share.full(&key), key));
                if is_transactional(&share.driver, mode) {
                    let removed = keys.filter(|(full, key)| is_removed(key, full));
                    let removed = removed.map(|(full, _)| full).collect();
                    storage.remove_recorded(removed, &options, mode).await?;
                    continue;
                }
                for (full, key) in keys {
                    // Looked at each time: it may be written while those before it are removed.
                    if is_removed(&key, &full) {
                        storage.remove_item(&full, false, &options, mode).await?;
                    }
                }
            }
            Ok(())
        }))
    }

    fn clear_share(self: &Rc<Self>, share: Share, options: &Options, mode: Mode) -> Op<()> {
        let driver = share.driver.clone();
        let info = driver.info();
        let whole = share.relative_base.is_empty() || info.clears_base;
        let native = info.has(Call::Clear, mode) && whole && share.hidden.is_empty();
        let reports = self.hub.is_watched() && !info.watches();
        if native && !reports && fallbacks::spares_kept(&driver, mode) {
            let cleared = driver.clone().clear(&share.relative_base, options, mode);
            return self.tracked(&driver, cleared);
        }
        let share = Rc::new(share);
        let clear = Rc::new(self.clears.begin(&driver));
        let filter = {
            let share = share.clone();
            Box::new(move |keys: Keys| Ok(keys.filtered(|key| share.has(key))))
        };
        let removed = if info.ordered {
            let base = &share.relative_base;
            driver.clone().clear_filtered(base, mode, filter)
        } else {
            remove_unspared(&share, &clear, native, options, mode)
        };
        let storage = self.clone();
        let told = {
            let driver = driver.clone();
            removed.map(move |keys| {
                for key in keys.iter().filter(|key| !key::is_meta(key)) {
                    if clear.tells(key) {
                        storage.announce(EventKind::Remove, &share.full(key), &*driver);
                    }
                }
            })
        };
        self.tracked(&driver, told)
    }

    /// The mounts that keep keys under `base`.
    fn shares(&self, base: &str) -> Vec<Share> {
        let mounts = self.mounts.borrow();
        let share = |mount: &str, driver: &Rc<dyn Driver>| Share {
            driver: driver.clone(),
            mount: mount.to_owned(),
            relative_base: base.get(mount.len()..).unwrap_or_default().to_owned(),
            hidden: mounts
                .under(if mount.len() > base.len() {
                    mount
                } else {
                    base
                })
                .map(|(inner, _)| inner)
                .filter(|inner| inner.len() > mount.len())
                .map(str::to_owned)
                .collect(),
        };
        // The innermost mount around the base keeps the keys beside those under it; mounts further
        // out are hidden there by it.
        let around = (!mounts.is_mounted(base)).then(|| mounts.find(base));
        around
            .into_iter()
            .chain(mounts.under(base))
            .map(|(mount, driver)| share(mount, driver))
            .collect()
    }
}

/// The item whose metadata a key holds, or the key itself.
fn item_of(key: &str) -> &str {
    key.strip_suffix(key::META_SUFFIX).unwrap_or(key)
}

/// Removes what the driver lists of a share and what was not written since the clear was asked for, and
/// gives its keys; by the driver's own clear where that removes the same. For drivers that keep no
/// place for a clear in the order of writes.
fn remove_unspared(
    share: &Rc<Share>,
    clear: &Rc<Clear>,
    native: bool,
    options: &Options,
    mode: Mode,
) -> Op<Keys> {
    let query = KeyQuery {
        base: share.relative_base.clone(),
        max_depth: None,
        options: options.clone(),
    };
    let list = {
        let driver = share.driver.clone();
        move |mode| fallbacks::get_keys(&driver, &query, mode)
    };
    let remove = {
        let (share, clear, options) = (share.clone(), clear.clone(), options.clone());
        move |listed: Result<Keys>, mode| {
            let driver = &share.driver;
            let clear_all = || driver.clone().clear(&share.relative_base, &options, mode);
            let listed = match listed {
                Ok(listed) => listed,
                // Nobody can know what else it has, and it says itself whether it can clear.
                Err(error) if native && error.kind() == Kind::SyncUnsupported => {
                    return clear_all().map(|()| Keys::new());
                }
                Err(error) => return Op::fail(error),
            };
            let has_kept = listed.iter().any(|key| key::is_kept(&key::normalize(key)));
            let keys = listed.filtered(|key| share.has(key));
            if native && !has_kept && !clear.spares_any(|key| share.has(key)) {
                return clear_all().map(move |()| keys);
            }
            let removed = keys
                .clone()
                .with_metadata()
                .filtered(|key| !clear.spares(key));
            fallbacks::remove_items(driver, &removed, &options, mode).map(move |()| keys)
        }
    };
    clear.in_steps(mode, list, remove)
}
