//! Lists of keys.

use crate::key;

/// Keys one after the other in one piece of memory.
///
/// A listing is made on other threads and read on that of JavaScript: strings of their own would be
/// as many allocations, and as many waits for the memory of another processor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    text: String,
    /// Where each key ends in the text.
    ends: Vec<usize>,
}

impl Keys {
    /// No keys.
    pub fn new() -> Self {
        Keys::default()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a key.
    pub fn push(&mut self, key: &str) {
        self.text.push_str(key);
        self.ends.push(self.text.len());
    }

    /// The keys in the order in which they were added.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            text: &self.text,
            start: 0,
            ends: self.ends.iter(),
        }
    }

    /// The keys as strings of their own, in the order of their bytes.
    pub fn sorted(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.iter().map(str::to_owned).collect();
        keys.sort_unstable();
        keys
    }

    /// The keys and those of their metadata. A driver may keep the latter out of its listings, as a
    /// storage does that serves as one; a listing with any of them has them all.
    #[must_use]
    pub fn with_metadata(mut self) -> Self {
        if !self.iter().any(key::is_meta) {
            let meta: Vec<String> = self
                .iter()
                .map(|key| key::meta_of(&key::normalize(key)))
                .collect();
            self.extend(meta);
        }
        self
    }

    /// The keys for which `keep` says so.
    pub fn filtered(self, mut keep: impl FnMut(&str) -> bool) -> Self {
        match self.iter().position(|key| !keep(key)) {
            None => self,
            Some(first) => {
                let mut kept: Keys = self.iter().take(first).collect();
                kept.extend(self.iter().skip(first + 1).filter(|key| keep(key)));
                kept
            }
        }
    }
}

/// The keys of a list.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    text: &'a str,
    start: usize,
    ends: std::slice::Iter<'a, usize>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let end = *self.ends.next()?;
        let key = &self.text[self.start..end];
        self.start = end;
        Some(key)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ends.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Keys {
    type Item = &'a str;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<S: AsRef<str>> Extend<S> for Keys {
    fn extend<I: IntoIterator<Item = S>>(&mut self, keys: I) {
        for key in keys {
            self.push(key.as_ref());
        }
    }
}

impl<S: AsRef<str>> FromIterator<S> for Keys {
    fn from_iter<I: IntoIterator<Item = S>>(keys: I) -> Self {
        let mut list = Keys::new();
        list.extend(keys);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were_added() {
        let given = ["a", "", "ä:€", "b:c"];
        let keys: Keys = given.into_iter().collect();
        assert_eq!(keys.iter().len(), 4);
        assert!(keys.iter().eq(given));
        assert_eq!(keys.sorted(), ["", "a", "b:c", "ä:€"]);
        assert!(Keys::new().iter().next().is_none());
    }

    #[test]
    fn a_filter_asks_for_each_key_once() {
        let given = ["a", "b", "a", "c", "b"];
        for left_out in ["", "a", "b", "c"] {
            let mut asked = Vec::new();
            let kept = given.into_iter().collect::<Keys>().filtered(|key| {
                asked.push(key.to_owned());
                key != left_out
            });
            assert_eq!(asked, given);
            assert!(
                kept.iter()
                    .eq(given.into_iter().filter(|key| *key != left_out))
            );
        }
    }
}
