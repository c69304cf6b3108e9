//! Keys and the relative paths that hold them. Pure, and the same on every system.
//!
//! Each segment of a key is one name in the tree, written as it is except for what some system
//! cannot store, which is percent-escaped. Names that begin with `%~` are the engine's own. A
//! segment whose name would be too long is spread over nested folders: `%~+…~` for each part but
//! the last, `%~-…` for the last.
//!
//! A `%` is escaped only where the name would otherwise be read as an escape, so that names such as
//! `100%` or `a%41` stay as they are. Every name stands for at most one segment, and every segment
//! has exactly one name that is written. Names that other programs wrote without any escape
//! (`a<b`, `con`) stand for themselves; they are read and replaced, never written.
//!
//! Case and Unicode form are kept as they are; [`folding`](super::folding) keeps keys apart on a file
//! system that ignores them.

use std::borrow::Cow;

/// What every name of the engine itself begins with.
pub const RESERVED: &str = "%~";
/// Holds the item of the key that the folder stands for.
pub const SELF: &str = "%~self";
/// Holds files on their way from a name into the folder of that name.
pub const MOVED: &str = "%~moved";
/// What names of files that are being written begin with.
pub const TEMPORARY: &str = "%~tmp-";
/// What names of damaged files that were kept begin with.
pub const CORRUPT: &str = "%~corrupt-";
/// The index of expiries, in the base.
pub const EXPIRY_INDEX: &str = "%~ttl";
/// The file in the base whose lock is that of the store.
pub const LOCK: &str = "%~lock";
/// The file in the base whose locks are those of the keys.
pub const KEY_LOCKS: &str = "%~locks";
/// The folder in the base that holds the journals of groups of changes that are under way.
pub const GROUPS: &str = "%~groups";

const PART: &str = "%~+";
const PART_END: char = '~';
const LAST_PART: &str = "%~-";

/// The longest name that every system stores, in bytes; no shorter in UTF-16 units anywhere.
const MAX_NAME_BYTES: usize = 255;

/// The longest name that any system stores, in UTF-16 units.
const MAX_NAME_UNITS: usize = 255;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Why a key cannot name a file; the text completes `Invalid key: "…". `.
pub fn refusal(key: &str) -> Option<&'static str> {
    if memchr::memchr(0, key.as_bytes()).is_some() {
        return Some("It should not contain NUL characters");
    }
    // Metadata of a key that cannot be is refused with it.
    let key = key.strip_suffix(eas_core::key::META_SUFFIX).unwrap_or(key);
    let bytes = key.as_bytes();
    let dots = memchr::memchr_iter(b'.', bytes).any(|at| bytes.get(at + 1) == Some(&b'.'));
    (dots && key.split(':').any(|segment| segment == ".."))
        .then_some("It should not contain .. segments")
}

/// Whether every segment of the key is its own name, as is that of nearly every key.
pub fn is_plain(key: &str) -> bool {
    key.split(':').all(is_plain_segment)
}

fn is_plain_segment(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    let ordinary = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"-_$@+=,;'!#&()[]{}^~` .".contains(byte) || *byte >= 0x80
    };
    bytes.len() <= MAX_NAME_BYTES
        && bytes.iter().all(ordinary)
        && !matches!(bytes.last(), None | Some(b'.' | b' '))
        && !is_device(segment)
}

/// Appends the path of a key, its parts joined by `separator`.
pub fn push_path(path: &mut String, key: &str, separator: char) {
    for (index, segment) in key.split(':').enumerate() {
        if index > 0 {
            path.push(separator);
        }
        if is_plain_segment(segment) {
            path.push_str(segment);
        } else {
            push_parts(path, &escape(segment), separator);
        }
    }
}

/// The path that a program without escapes uses for the key, where it differs from ours and every
/// name on it stands for its segment.
pub fn literal_path(key: &str, separator: char) -> Option<String> {
    if is_plain(key) {
        return None;
    }
    let literal = key.split(':').all(|segment| {
        is_short(segment)
            && segment != "."
            && !segment.starts_with(RESERVED)
            && unescape(segment) == segment
    });
    let mut ours = String::new();
    push_path(&mut ours, key, separator);
    let path = key.replace(':', separator.encode_utf8(&mut [0; 4]));
    (literal && path != ours).then_some(path)
}

fn push_parts(path: &mut String, name: &str, separator: char) {
    let mut rest = name;
    if name.len() > MAX_NAME_BYTES {
        let part_bytes = MAX_NAME_BYTES - PART.len() - PART_END.len_utf8();
        while rest.len() > MAX_NAME_BYTES - LAST_PART.len() {
            let (part, tail) = rest.split_at(boundary_before(rest, part_bytes));
            path.push_str(PART);
            path.push_str(part);
            path.push(PART_END);
            path.push(separator);
            rest = tail;
        }
        path.push_str(LAST_PART);
    }
    path.push_str(rest);
}

/// Whether there is a system that stores a name of that length.
fn is_short(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES || name.encode_utf16().count() <= MAX_NAME_UNITS
}

fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or(0)
}

/// What a name in the tree is.
#[derive(Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// A segment of a key.
    Segment {
        /// The segment.
        segment: Cow<'a, str>,
        /// Whether this is the name that is written for the segment.
        written: bool,
        /// Whether this is the name that a program without escapes uses for it.
        literal: bool,
    },
    /// A part of a long segment's name, not the last.
    Part(&'a str),
    /// The last part of a long segment's name.
    LastPart(&'a str),
    /// [`SELF`].
    OwnItem,
    /// [`MOVED`].
    Moved,
    /// A file that is or was being written.
    Temporary,
    /// Nothing that stands for a key.
    Other,
}

/// Reads a name.
pub fn read_name(name: &str) -> Name<'_> {
    if is_plain_segment(name) {
        return Name::Segment {
            segment: Cow::Borrowed(name),
            written: true,
            literal: true,
        };
    }
    if name.starts_with(RESERVED) {
        return read_reserved(name);
    }
    if name.contains(['\0', ':', '?', '\\', '/']) || matches!(name, "" | "." | "..") {
        return Name::Other;
    }
    let segment = unescape(name);
    let written = name.len() <= MAX_NAME_BYTES && segment != ".." && escape(&segment) == name;
    let literal = segment == name && is_short(name);
    if written || literal {
        Name::Segment {
            segment,
            written,
            literal,
        }
    } else {
        Name::Other
    }
}

fn read_reserved(name: &str) -> Name<'_> {
    if name == SELF {
        Name::OwnItem
    } else if name == MOVED {
        Name::Moved
    } else if name.starts_with(TEMPORARY) {
        Name::Temporary
    } else if let Some(part) = name
        .strip_prefix(PART)
        .and_then(|part| part.strip_suffix(PART_END))
    {
        Name::Part(part)
    } else if let Some(part) = name.strip_prefix(LAST_PART) {
        Name::LastPart(part)
    } else {
        Name::Other
    }
}

/// The segment of a long name, if these parts are how it is written. `parts` holds all but the
/// last, each followed by `/`.
pub fn join_parts(parts: &str, last: &str) -> Option<String> {
    let mut name = parts.replace('/', "");
    name.push_str(last);
    let segment = unescape(&name).into_owned();
    let mut written = String::new();
    push_parts(&mut written, &escape(&segment), '/');
    let mut given = String::new();
    for part in parts.split_terminator('/') {
        given.push_str(PART);
        given.push_str(part);
        given.push(PART_END);
        given.push('/');
    }
    given.push_str(LAST_PART);
    given.push_str(last);
    (written == given).then_some(segment)
}

/// Reads a path below the base back into its key, names separated by `/`.
pub fn key_of(path: &str) -> Option<String> {
    let mut reading = Reading::default();
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        match read_name(name) {
            Name::OwnItem if last => return reading.own_key(),
            Name::Moved if !last => {
                let name = names.next()?;
                return if names.next().is_none() {
                    reading.enter(&read_name(name))?.item_key()
                } else {
                    None
                };
            }
            name => reading = reading.enter(&name)?,
        }
    }
    reading.item_key()
}

/// How far a path has been read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The key of the folder, with a `:` at its end unless it is empty.
    pub key: String,
    /// The parts of a long name that is not complete, each followed by `/`.
    parts: String,
    written: bool,
    literal: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Reading {
            key: String::new(),
            parts: String::new(),
            written: true,
            literal: true,
        }
    }
}

impl Reading {
    /// The reading of the folder whose key is `base`, which is empty or ends in `:`; `literal`
    /// tells its literal path from the written one.
    pub fn of_base(base: &str, literal: bool) -> Self {
        let plain = base.is_empty() || is_plain(&base[..base.len() - 1]);
        Reading {
            key: base.to_owned(),
            parts: String::new(),
            written: plain || !literal,
            literal: plain || literal,
        }
    }

    /// The key of the folder itself.
    pub fn own_key(&self) -> Option<String> {
        let complete = self.parts.is_empty() && self.written;
        let key = self.key.strip_suffix(':')?;
        complete.then(|| key.to_owned())
    }

    /// Reads one name more. `None` where the path cannot be that of a key.
    pub fn enter(&self, name: &Name<'_>) -> Option<Reading> {
        let mut next = Reading {
            key: String::new(),
            parts: String::new(),
            ..*self
        };
        match name {
            Name::Segment {
                segment,
                written,
                literal,
            } if self.parts.is_empty() => {
                next.written &= written;
                next.literal &= literal;
                next.key = self.below(segment);
                (next.written || next.literal).then_some(next)
            }
            Name::Part(part) if self.written => {
                next.literal = false;
                next.key.push_str(&self.key);
                next.parts = format!("{}{part}/", self.parts);
                Some(next)
            }
            Name::LastPart(part) if self.written && !self.parts.is_empty() => {
                next.literal = false;
                next.key = self.below(&join_parts(&self.parts, part)?);
                Some(next)
            }
            _ => None,
        }
    }

    /// The key of an item with that name in the folder, without reading further.
    pub fn item(&self, name: &Name<'_>) -> Option<String> {
        match name {
            Name::Segment {
                segment,
                written,
                literal,
            } if self.parts.is_empty()
                && ((self.written && *written) || (self.literal && *literal)) =>
            {
                let mut key = String::with_capacity(self.key.len() + segment.len());
                key.push_str(&self.key);
                key.push_str(segment);
                Some(key)
            }
            Name::LastPart(_) => self.enter(name)?.item_key(),
            _ => None,
        }
    }

    fn item_key(mut self) -> Option<String> {
        if !self.parts.is_empty() || self.key.pop() != Some(':') {
            return None;
        }
        Some(self.key)
    }

    fn below(&self, segment: &str) -> String {
        let mut key = String::with_capacity(self.key.len() + segment.len() + 1);
        key.push_str(&self.key);
        key.push_str(segment);
        key.push(':');
        key
    }
}

/// The name of a segment, before it is cut into parts.
fn escape(segment: &str) -> String {
    let mut name = String::with_capacity(segment.len() + 8);
    for (index, character) in segment.char_indices() {
        let rest = &segment[index + character.len_utf8()..];
        match character {
            '%' if reads_as_escape(rest, index == 0) => name.push_str("%25"),
            '.' | ' ' if rest.is_empty() => push_escaped(&mut name, character as u8),
            character if is_unportable(character) => push_escaped(&mut name, character as u8),
            character => name.push(character),
        }
    }
    escape_device(name)
}

/// Escapes the first character where the name is that of a device, and the `%` where it would read
/// as such an escape. The device's name ends before the first dot, where no escape reaches.
fn escape_device(mut name: String) -> String {
    if is_device(&name) {
        let first = name.as_bytes()[0];
        let mut escaped = String::with_capacity(name.len() + 2);
        push_escaped(&mut escaped, first);
        escaped.push_str(&name[1..]);
        return escaped;
    }
    if let Some(rest) = name.strip_prefix('%')
        && escaped_device(skip_quotes(rest)).is_some()
    {
        name.insert_str(1, "25");
    }
    name
}

fn unescape(name: &str) -> Cow<'_, str> {
    if memchr::memchr(b'%', name.as_bytes()).is_none() {
        return Cow::Borrowed(name);
    }
    let mut segment = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        let start = segment.is_empty() && at == 0;
        segment.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let quoted = skip_quotes(after);
        let device = start.then(|| escaped_device(quoted)).flatten();
        if device.is_none() && !reads_as_escape(after, start) {
            segment.push('%');
            rest = after;
        } else if quoted.len() < after.len() {
            // A quoted escape: one quote goes, the rest stands for itself.
            segment.push('%');
            let literal_bytes = after.len() - quoted.len() - 2;
            segment.push_str(&after[2..2 + literal_bytes]);
            rest = quoted;
        } else if quoted.starts_with('~') {
            segment.push('%');
            rest = after;
        } else {
            let byte = hex_byte(quoted).unwrap_or(b'%');
            segment.push(byte as char);
            rest = &quoted[2..];
        }
    }
    segment.push_str(rest);
    Cow::Owned(segment)
}

/// Whether a `%` followed by `rest` reads as an escape or as a quoted one, devices aside.
fn reads_as_escape(rest: &str, at_start: bool) -> bool {
    let rest = skip_quotes(rest);
    if rest == "2E" || rest == "20" || (at_start && rest.starts_with('~')) {
        return true;
    }
    hex_byte(rest).is_some_and(|byte| byte != 0 && is_unportable(byte as char))
}

/// What follows the `25` of any number of quotes.
fn skip_quotes(mut rest: &str) -> &str {
    while let Some(tail) = rest.strip_prefix("25") {
        rest = tail;
    }
    rest
}

/// The letter that the escape stands for, where with it the name is that of a device.
fn escaped_device(rest: &str) -> Option<u8> {
    let letter = hex_byte(rest).filter(u8::is_ascii_alphabetic)?;
    let mut name = String::with_capacity(rest.len());
    name.push(letter as char);
    name.push_str(&rest[2..]);
    is_device(&name).then_some(letter)
}

fn hex_byte(text: &str) -> Option<u8> {
    let [high, low, ..] = text.as_bytes() else {
        return None;
    };
    let digit = |byte: &u8| HEX.iter().position(|hex| hex == byte);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn push_escaped(name: &mut String, byte: u8) {
    name.push('%');
    name.push(HEX[usize::from(byte >> 4)] as char);
    name.push(HEX[usize::from(byte & 15)] as char);
}

fn is_unportable(character: char) -> bool {
    matches!(character, '<' | '>' | '"' | '|' | '*' | '\u{1}'..='\u{1f}')
}

/// Whether Windows takes the name for that of a device, whatever the folder.
fn is_device(name: &str) -> bool {
    if !matches!(
        name.as_bytes().first(),
        Some(b'c' | b'C' | b'p' | b'P' | b'a' | b'A' | b'n' | b'N' | b'l' | b'L')
    ) {
        return false;
    }
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
    {
        return true;
    }
    let Some((kind, port)) = stem.split_at_checked(3) else {
        return false;
    };
    let mut port = port.chars();
    (kind.eq_ignore_ascii_case("COM") || kind.eq_ignore_ascii_case("LPT"))
        && matches!(port.next(), Some('0'..='9' | '¹' | '²' | '³'))
        && port.next().is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    fn path_of(key: &str) -> String {
        let mut path = String::new();
        push_path(&mut path, key, '/');
        path
    }

    #[test]
    fn only_what_some_system_cannot_store_is_escaped() {
        for (key, path) in [
            ("a:b:c", "a/b/c"),
            ("user.json", "user.json"),
            (".hidden", ".hidden"),
            (" a", " a"),
            ("100%", "100%"),
            ("a%2", "a%2"),
            ("a%41", "a%41"),
            ("a%3c", "a%3c"),
            ("%7E", "%7E"),
            ("a%~b", "a%~b"),
            ("a%2Eb", "a%2Eb"),
            ("é:ключ:😀", "é/ключ/😀"),
            (".", "%2E"),
            (".:x", "%2E/x"),
            ("...", "..%2E"),
            ("a.", "a%2E"),
            ("a ", "a%20"),
            ("a .", "a %2E"),
            ("a<b>", "a%3Cb%3E"),
            ("\"|*", "%22%7C%2A"),
            ("a\nb", "a%0Ab"),
            ("a%3Cb", "a%253Cb"),
            ("a%253Cb", "a%25253Cb"),
            ("a%2E", "a%252E"),
            ("%~self", "%25~self"),
            ("%25~self", "%2525~self"),
            ("con", "%63on"),
            ("CON.txt", "%43ON.txt"),
            ("nul .tar.gz", "%6Eul .tar.gz"),
            ("COM1", "%43OM1"),
            ("lpt²", "%6Cpt²"),
            ("%43ON", "%2543ON"),
            ("%2543ON", "%252543ON"),
            ("%43ONE", "%43ONE"),
            ("CON.", "CON%2E"),
            ("console", "console"),
            ("COM10", "COM10"),
            ("conin$", "%63onin$"),
        ] {
            assert_eq!(path_of(key), path, "{key:?}");
            assert_eq!(key_of(path).as_deref(), Some(key), "{path:?}");
        }
    }

    #[test]
    fn names_of_other_programs_stand_for_themselves_or_for_nothing() {
        for (name, key) in [
            ("a<b", Some("a<b")),
            ("con", Some("con")),
            ("a.", Some("a.")),
            ("a<b/c d", Some("a<b:c d")),
            ("a<b/x%3Cy", None),
            ("a%3Cb/x<y", None),
            ("a<%3C", None),
            ("a:b", None),
            ("a?b", None),
            ("a\\b", None),
            ("%~else", None),
            ("%~ttl", None),
            ("%~tmp-1", None),
            ("%~corrupt-1", None),
            ("%~self", None),
            ("a/%~self", Some("a")),
            ("a/b/%~self", Some("a:b")),
            ("a/%~self/b", None),
            ("%~moved/a", Some("a")),
            ("a/%~moved/b", Some("a:b")),
            ("%~moved", None),
            ("%~moved/a/b", None),
            ("%~+ab~/%~-c", None),
            ("%~-c", None),
            ("%~+ab~/c", None),
        ] {
            assert_eq!(key_of(name).as_deref(), key, "{name:?}");
        }
    }

    #[test]
    fn a_literal_path_is_given_only_where_it_stands_for_the_key() {
        for (key, path) in [
            ("a:b", None),
            ("a<b:c", Some("a<b/c")),
            ("con", Some("con")),
            (".:x", None),
            ("a%3Cb", None),
            ("a%3Cb:<", None),
            ("%~x", None),
            ("100%", None),
        ] {
            assert_eq!(literal_path(key, '/').as_deref(), path, "{key:?}");
        }
    }

    #[test]
    fn dots_and_nul_are_refused() {
        for (key, refused) in [
            ("..", true),
            ("a:..", true),
            ("..:a", true),
            ("a:..:b", true),
            ("a\0b", true),
            ("a..", false),
            ("..a", false),
            ("...", false),
            ("a:.:b", false),
        ] {
            assert_eq!(refusal(key).is_some(), refused, "{key:?}");
        }
    }

    #[test]
    fn a_long_segment_is_spread_over_names_that_every_system_stores() {
        for segment in [
            "x".repeat(256),
            ".".repeat(1000),
            "ф".repeat(700),
            "%3C".repeat(300),
            "😀 ".repeat(200),
        ] {
            let path = path_of(&format!("{segment}:y"));
            for name in path.split('/') {
                assert!(name.len() <= MAX_NAME_BYTES, "{name:?}");
                assert!(!name.ends_with(['.', ' ']), "{name:?}");
            }
            assert_eq!(key_of(&path), Some(format!("{segment}:y")));
        }
        assert_eq!(path_of(&"x".repeat(255)), "x".repeat(255));
    }

    fn hostile_segment() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[^:/\\\\?\0]{0,3}",
            2 => prop::sample::select(vec![
                "%", "%2", "%25", "%2E", "%20", "%3C", "%~", "~", "25", "43", "ON", "CON", "con", "%43", "%63",
                ".", "..", " ", "<", "*", "LPT1", "%4C", "PT1", "3C", "2E", "%~self", "%~+", "%~-", "+", "-", "é",
            ])
            .prop_map(str::to_owned),
            1 => prop::sample::select(vec!["x", "ф", "."]).prop_map(|text| text.repeat(130)),
        ];
        prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
    }

    fn hostile_key() -> impl Strategy<Value = String> {
        prop::collection::vec(hostile_segment(), 1..4)
            .prop_map(|segments| eas_core::key::normalize(&segments.join(":")).into_owned())
            .prop_filter("a key that is not refused", |key| {
                !key.is_empty() && refusal(key).is_none()
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn every_key_comes_back_from_its_path(key in hostile_key()) {
            let path = path_of(&key);
            prop_assert_eq!(key_of(&path), Some(key.clone()), "{:?}", path);
            prop_assert_eq!(key_of(&format!("{path}/%~self")), Some(key.clone()));
            if let Some(literal) = literal_path(&key, '/') {
                prop_assert_eq!(key_of(&literal), Some(key), "{:?}", literal);
            }
            for name in path.split('/') {
                prop_assert!(name.len() <= MAX_NAME_BYTES);
                prop_assert!(!matches!(name, "" | "." | ".."));
                prop_assert!(!name.ends_with(['.', ' ']));
                prop_assert!(!is_device(name));
                prop_assert!(!name.contains(is_unportable));
            }
        }

        #[test]
        fn distinct_keys_have_distinct_paths(keys in prop::collection::vec(hostile_key(), 1..40)) {
            let mut paths: HashMap<String, String> = HashMap::new();
            for key in keys {
                let mut path = path_of(&key);
                if let Some(other) = paths.insert(path.clone(), key.clone()) {
                    prop_assert_eq!(&other, &key, "{:?}", path);
                }
                path = literal_path(&key, '/').unwrap_or(path);
                if let Some(other) = paths.insert(path.clone(), key.clone()) {
                    prop_assert_eq!(&other, &key, "{:?}", path);
                }
            }
        }

        #[test]
        fn a_name_is_where_its_key_is_looked_for(name in hostile_segment()) {
            if let Some(key) = key_of(&name) {
                let places = [Some(path_of(&key)), literal_path(&key, '/')];
                prop_assert!(places.contains(&Some(name)), "{:?} {:?}", key, places);
            }
        }
    }
}
