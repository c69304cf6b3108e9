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

/// Whether a key begins with a base, which ends in `:` or is empty.
pub fn is_under(key: &str, base: &str) -> bool {
    // An empty string may lie at no address at all. Some processors take longer to compare no bytes
    // there than to compare many elsewhere.
    base.is_empty() || key.starts_with(base)
}

/// Whether two bases are the same; see [`is_under`] on those that are empty.
pub fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
}

/// Every call that names a key comes through here: a key is looked at in steps of eight bytes.
pub(crate) fn is_normal(key: &str) -> bool {
    let bytes = key.as_bytes();
    if bytes.first() == Some(&b':') || bytes.last() == Some(&b':') {
        return false;
    }
    let Some(last) = bytes.last_chunk() else {
        return !bytes.iter().any(|byte| matches!(byte, b'?' | b'/' | b'\\'))
            && !bytes.windows(2).any(|pair| pair == b"::");
    };
    let (words, _) = bytes.as_chunks();
    let mut after_separator = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let separators = places_of(b':', word);
        if is_cut_or_slash(word) || separators & (separators << 8 | after_separator) != 0 {
            return false;
        }
        after_separator = separators >> 56;
    }
    // What is left over, with bytes before it that were seen already.
    let word = u64::from_le_bytes(*last);
    let separators = places_of(b':', word);
    !is_cut_or_slash(word) && separators & (separators << 8) == 0
}

const EACH: u64 = u64::from_le_bytes([1; 8]);

/// The top bit of each byte of `word` that is `byte`.
#[inline(always)]
fn places_of(byte: u8, word: u64) -> u64 {
    const LOW: u64 = EACH * 0x7f;
    let zeros = word ^ (EACH * u64::from(byte));
    !(((zeros & LOW) + LOW) | zeros | LOW)
}

#[inline(always)]
fn is_cut_or_slash(word: u64) -> bool {
    // `?` is `/` with one bit more.
    const CUT_OVER_SLASH: u64 = EACH * (b'?' ^ b'/') as u64;
    places_of(b'?', word | CUT_OVER_SLASH) | places_of(b'\\', word) != 0
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

/// The key at which a storage keeps the version of its data.
pub const VERSION: &str = "__storage_version__";

/// The segment that the records of a migration lie under.
pub const MIGRATION_RECORDS: &str = "__storage_journal__";

/// Whether the key holds the version of a storage. That may lie under a base of the storage which is
/// asked: one storage is mounted in another, or under a prefix.
#[inline]
pub fn is_version(key: &str) -> bool {
    key.strip_suffix(VERSION)
        .is_some_and(|base| base.is_empty() || base.ends_with(SEPARATOR))
}

/// Whether what the key holds is kept by the package for itself: the version of a storage, and the
/// records of a migration. That is no item: listings leave it out, clears leave it, and listeners do not
/// hear of it.
pub fn is_kept(key: &str) -> bool {
    let Some(item) = key.strip_suffix(META_SUFFIX) else {
        return is_version(key);
    };
    is_version(item) || item.split(SEPARATOR).any(|part| part == MIGRATION_RECORDS)
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
    fn what_the_package_keeps_is_told_from_items() {
        for (key, is_kept_here) in [
            ("__storage_version__", true),
            ("__storage_version__$", true),
            ("mount:deep:__storage_version__", true),
            ("__storage_journal__:open$", true),
            ("mount:__storage_journal__:m:0$", true),
            ("", false),
            ("a", false),
            ("a$", false),
            ("a__storage_version__", false),
            ("__storage_version__:a", false),
            ("__storage_version__s", false),
            ("__storage_journal__:a", false),
            ("a__storage_journal__:a$", false),
        ] {
            assert_eq!(is_kept(key), is_kept_here, "{key:?}");
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

        #[test]
        fn what_is_in_normal_form_is_told_from_what_is_not(key in "[a:/?\\\\é]{0,40}|(a{1,7}:){0,6}[a?:]{0,9}") {
            let segments: Vec<_> = key.split(':').collect();
            let is_clean = !key.contains(['?', '/', '\\'])
                && (key.is_empty() || segments.iter().all(|segment| !segment.is_empty()));
            prop_assert_eq!(is_normal(&key), is_clean);
        }
    }
}
