//! Which files a store leaves alone.

use super::glob::Glob;

/// What is ignored where the option is not given.
pub const DEFAULT: [&str; 2] = ["**/node_modules/**", "**/.git/**"];

/// A list of patterns. One with `!` in front takes back what the others match.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
    except: Vec<Pattern>,
    base: String,
}

#[derive(Debug, Clone)]
struct Pattern {
    glob: Glob,
    absolute: bool,
}

impl Ignore {
    /// Patterns and the absolute path of the base, its names joined by `/`.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>, base: &str) -> Self {
        let mut ignore = Ignore {
            base: base.to_owned(),
            ..Ignore::default()
        };
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(pattern) => ignore.except.push(Pattern::new(pattern)),
                None => ignore.patterns.push(Pattern::new(pattern)),
            }
        }
        ignore
    }

    /// Whether nothing is ignored.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the path itself is ignored. The path is relative to the base, its names joined by
    /// `/`.
    pub fn matches(&self, path: &str) -> bool {
        let any = |patterns: &[Pattern]| {
            patterns
                .iter()
                .any(|pattern| pattern.matches(path, &self.base))
        };
        any(&self.patterns) && !any(&self.except)
    }

    /// Whether the path or a folder that it lies in is ignored.
    pub fn covers(&self, path: &str) -> bool {
        !self.is_empty()
            && path
                .match_indices('/')
                .map(|(index, _)| &path[..index])
                .chain([path])
                .any(|path| self.matches(path))
    }
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        Pattern {
            glob: Glob::new(pattern),
            absolute: is_absolute(pattern),
        }
    }

    fn matches(&self, path: &str, base: &str) -> bool {
        if self.absolute {
            let separator = if base.ends_with('/') { "" } else { "/" };
            self.glob.matches(&format!("{base}{separator}{path}"))
        } else {
            self.glob.matches(path)
        }
    }
}

fn is_absolute(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    pattern.starts_with('/')
        || matches!(bytes, [letter, b':', b'/', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(patterns: &[&str], path: &str) -> bool {
        Ignore::new(patterns.iter().copied(), "/home/me/.config/app").matches(path)
    }

    #[test]
    fn the_default_hides_two_folders_at_any_depth() {
        let ignore = Ignore::new(DEFAULT, "/srv/node_modules/app");
        for (path, ignored) in [
            ("node_modules", true),
            ("node_modules/x", true),
            ("a/node_modules/x/y", true),
            (".git", true),
            (".git/hooks/.x", true),
            ("a/.git/config", true),
            ("a", false),
            ("node_modules2/x", false),
            ("a/b.git", false),
            (".hidden", false),
        ] {
            assert_eq!(ignore.covers(path), ignored, "{path:?}");
        }
    }

    #[test]
    fn a_base_below_an_ignored_name_is_no_reason_to_ignore() {
        assert!(!Ignore::new(DEFAULT, "/srv/node_modules/app").covers("a"));
    }

    #[test]
    fn absolute_patterns_are_matched_with_the_absolute_path() {
        assert!(matches(&["/home/me/.config/app/tmp/**"], "tmp/x"));
        assert!(!matches(&["/home/other/**"], "tmp/x"));
        assert!(!matches(&["/tmp/**"], "tmp/x"));
        assert!(Ignore::new(["C:/data/tmp/*"], "C:/data").matches("tmp/x"));
    }

    #[test]
    fn a_pattern_with_a_bang_takes_back() {
        let ignore = Ignore::new(["**/*.log", "!keep/**"], "/b");
        assert!(ignore.matches("a/x.log"));
        assert!(!ignore.matches("keep/x.log"));
        assert!(!Ignore::new(["!a"], "/b").matches("b"));
    }

    #[test]
    fn a_class_whose_name_is_cut_short_is_taken_by_the_letter() {
        for pattern in ["[:]", "[:]a", "[[:]", "[[:]]", "[[:é:]]", "[:]},:},]}"] {
            Ignore::new([pattern], "/b").covers("a/:");
        }
        assert!(matches(&["[:]"], ":"));
    }

    proptest! {
        #[test]
        fn hostile_patterns_take_bounded_time_and_never_panic(
            pattern in "[-a.*?\\[\\]{},!@+()|/\\\\^:é]{0,40}",
            path in "[a.é/]{0,60}",
        ) {
            Ignore::new([pattern.as_str()], "/b").covers(&path);
        }

        #[test]
        fn text_without_specials_matches_itself_only(text in "[a-z.é_-]{1,8}", other in "[a-z.é_-]{1,8}") {
            prop_assert!(matches(&[&text], &text));
            prop_assert_eq!(matches(&[&text], &other), text == other);
        }
    }
}
