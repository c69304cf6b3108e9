//! Key algebra: normal form, bases, depth.
//!
//! A normal key has segments joined by single `:` and no `:` at either end. A base is empty or a
//! normal key with one `:` at its end.

use std::borrow::Cow;

/// What separates the segments of a key.
pub const SEPARATOR: char = ':';

/// A key that ends in this holds the metadata of the key before it.
pub const META_SUFFIX: char = '$';

/// The normal form of a key: cut from the first `?`, with `/` and `\` read as `:`, runs of `:`
/// joined and none at either end.
pub fn normalize(key: &str) -> Cow<'_, str> {
    if is_normal(key) {
        return Cow::Borrowed(key);
    }
    let key = key.split('?').next().unwrap_or_default();
    let mut normal = String::with_capacity(key.len());
    for segment in key
        .split([':', '/', '\\'])
        .filter(|segment| !segment.is_empty())
    {
        if !normal.is_empty() {
            normal.push(SEPARATOR);
        }
        normal.push_str(segment);
    }
    Cow::Owned(normal)
}

/// As [`normalize`], for a key that is given away: one that is normal is kept as it is.
pub fn into_normal(key: String) -> String {
    match normalize(&key) {
        Cow::Borrowed(_) => key,
        Cow::Owned(normal) => normal,
    }
}

/// The normal form of a base: empty, or a normal key with one `:` at its end.
pub fn normalize_base(base: &str) -> String {
    let mut base = normalize(base).into_owned();
    if !base.is_empty() {
        base.push(SEPARATOR);
    }
    base
}

fn is_normal(key: &str) -> bool {
    let mut previous = b':';
    for &byte in key.as_bytes() {
        match byte {
            b'?' | b'/' | b'\\' => return false,
            b':' if previous == b':' => return false,
            _ => previous = byte,
        }
    }
    previous != b':' || key.is_empty()
}

/// The depth of a key: its number of `:`.
pub fn depth(key: &str) -> usize {
    memchr::memchr_iter(b':', key.as_bytes()).count()
}

/// Whether the key holds metadata of another key.
pub fn is_meta(key: &str) -> bool {
    key.ends_with(META_SUFFIX)
}

/// The key under which the metadata of `key` is kept.
pub fn meta_of(key: &str) -> String {
    let mut meta = String::with_capacity(key.len() + 1);
    meta.push_str(key);
    meta.push(META_SUFFIX);
    meta
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_have_one_normal_form() {
        for (given, normal) in [
            ("", ""),
            ("a", "a"),
            ("a:b", "a:b"),
            ("a/b\\c", "a:b:c"),
            ("::a:::b::", "a:b"),
            ("/a//b/", "a:b"),
            ("a?b:c", "a"),
            ("?", ""),
            ("a:?b", "a"),
            (":", ""),
            ("ключ/é", "ключ:é"),
        ] {
            assert_eq!(normalize(given), normal, "{given:?}");
        }
    }

    #[test]
    fn a_base_ends_in_one_separator_unless_empty() {
        for (given, base) in [
            ("", ""),
            (":", ""),
            ("a", "a:"),
            ("a:", "a:"),
            ("a/b//", "a:b:"),
        ] {
            assert_eq!(normalize_base(given), base, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn normalizing_twice_changes_nothing(key in ".*") {
            let once = normalize(&key).into_owned();
            prop_assert_eq!(normalize(&once), once.as_str());
            prop_assert!(is_normal(&once));
        }
    }
}
