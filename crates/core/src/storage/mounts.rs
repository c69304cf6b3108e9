//! Which driver keeps which keys.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Mounts by base. Finding the one of a key costs as much as the key has segments, however many
/// mounts there are.
pub(super) struct Mounts<D> {
    root: D,
    /// By base, each not empty and ending in `:`.
    inner: BTreeMap<String, D>,
}

impl<D> Mounts<D> {
    pub(super) fn new(root: D) -> Self {
        Mounts {
            root,
            inner: BTreeMap::new(),
        }
    }

    pub(super) fn is_mounted(&self, base: &str) -> bool {
        base.is_empty() || self.inner.contains_key(base)
    }

    /// Mounts `driver`, in place of what was there.
    pub(super) fn insert(&mut self, base: String, driver: D) {
        if base.is_empty() {
            self.root = driver;
        } else {
            self.inner.insert(base, driver);
        }
    }

    /// Takes a mount out; the root stays.
    pub(super) fn remove(&mut self, base: &str) -> Option<D> {
        self.inner.remove(base)
    }

    /// The innermost mount whose base the key begins with.
    pub(super) fn find(&self, key: &str) -> (&str, &D) {
        if !self.inner.is_empty() {
            for end in memchr::memrchr_iter(b':', key.as_bytes()) {
                if let Some((base, driver)) = self.inner.get_key_value(&key[..=end]) {
                    return (base, driver);
                }
            }
        }
        ("", &self.root)
    }

    /// The mounts whose base begins with `base`, that of `base` itself among them.
    pub(super) fn under<'a>(&'a self, base: &'a str) -> impl Iterator<Item = (&'a str, &'a D)> {
        let root = base.is_empty().then_some(("", &self.root));
        let from = (Bound::Included(base), Bound::Unbounded);
        let inner = self
            .inner
            .range::<str, _>(from)
            .take_while(move |(mount, _)| mount.starts_with(base))
            .map(|(mount, driver)| (mount.as_str(), driver));
        root.into_iter().chain(inner)
    }

    /// The mounts that `base` lies in, without that of `base` itself; innermost first.
    pub(super) fn around<'a>(&'a self, base: &'a str) -> impl Iterator<Item = (&'a str, &'a D)> {
        let root = (!base.is_empty()).then_some(("", &self.root));
        let outer = base.strip_suffix(':').unwrap_or_default();
        memchr::memrchr_iter(b':', outer.as_bytes())
            .filter_map(|end| self.inner.get_key_value(&base[..=end]))
            .map(|(mount, driver)| (mount.as_str(), driver))
            .chain(root)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &D)> {
        self.under("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Mounts<&'static str> {
        let mut mounts = Mounts::new("root");
        for base in ["a:", "a:b:", "ab:", "a:b:c:d:"] {
            mounts.insert(base.to_owned(), base);
        }
        mounts
    }

    #[test]
    fn a_key_is_kept_by_the_innermost_mount_around_it() {
        for (key, base) in [
            ("", ""),
            ("a", ""),
            ("a:x", "a:"),
            ("a:b", "a:"),
            ("a:b:x", "a:b:"),
            ("a:b:c:x", "a:b:"),
            ("a:b:c:d:x", "a:b:c:d:"),
            ("ab:x", "ab:"),
            ("abc:x", ""),
        ] {
            assert_eq!(mounts().find(key).0, base, "{key:?}");
        }
    }

    #[test]
    fn a_base_has_mounts_under_it_and_around_it() {
        for (base, under, around) in [
            ("", vec!["", "a:", "a:b:", "a:b:c:d:", "ab:"], vec![]),
            ("a:", vec!["a:", "a:b:", "a:b:c:d:"], vec![""]),
            ("a:b:", vec!["a:b:", "a:b:c:d:"], vec!["a:", ""]),
            ("a:b:c:", vec!["a:b:c:d:"], vec!["a:b:", "a:", ""]),
            ("x:", vec![], vec![""]),
        ] {
            let mounts = mounts();
            assert_eq!(
                mounts.under(base).map(|(base, _)| base).collect::<Vec<_>>(),
                under,
                "{base:?}"
            );
            assert_eq!(
                mounts
                    .around(base)
                    .map(|(base, _)| base)
                    .collect::<Vec<_>>(),
                around,
                "{base:?}"
            );
        }
    }
}
