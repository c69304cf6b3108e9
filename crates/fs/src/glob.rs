//! Globs as the JavaScript tools that the options come from read them.
//!
//! `*` and `?` stay within a name and leave out a leading dot, `**` as a whole name crosses folders
//! that have none, `[a-z]`, `{a,b}`, `{1..3}`, `(a|b)` and `@ ? * + !` before a group work as in
//! shells. A match keeps the set of positions that a prefix of the pattern can reach, so its time
//! is bounded by pattern length times path length, squared only by `!(…)`.

use std::collections::HashSet;
use std::ops::RangeInclusive;

/// Groups nested deeper than this are taken as text.
const MAX_DEPTH: usize = 8;

/// More numbers than this in `{1..9}` are taken as text.
const MAX_RANGE: usize = 1000;

/// A pattern, parsed.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    pattern: String,
    nodes: Vec<Node>,
    /// Text without which nothing matches; spares nearly every path the match itself.
    required: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(Vec<u8>),
    /// One character of a name.
    One {
        /// Whether it leaves out a leading dot: where the pattern itself says that a name begins.
        is_first: bool,
    },
    /// Any characters of a name, at least `least`.
    Star {
        least: usize,
        /// As in [`One`](Node::One).
        is_first: bool,
    },
    /// Any number of whole names, each followed by `/`.
    Folders,
    /// `/` and any number of whole names, each followed by `/`, or the end of the path.
    Between,
    /// Nothing, or `/` and anything below.
    Below,
    /// Anything below, at least one character.
    All,
    /// Any characters, across folders.
    Across,
    Class {
        negated: bool,
        ranges: Vec<RangeInclusive<char>>,
    },
    Group {
        repeat: Repeat,
        choices: Vec<Vec<Node>>,
        /// Whether it was written as `{…}`.
        is_braces: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Repeat {
    Once,
    Maybe,
    Any,
    Many,
    Not,
}

impl Glob {
    /// Parses a pattern. Every text is one; what cannot be read as a glob stands for itself.
    pub(super) fn new(pattern: &str) -> Self {
        let characters: Vec<char> = pattern
            .strip_prefix("./")
            .unwrap_or(pattern)
            .chars()
            .collect();
        let mut parser = Parser {
            characters: &characters,
            at: 0,
            depth: 0,
            text: HashSet::new(),
        };
        let nodes = parser
            .globstar_with_extension()
            .unwrap_or_else(|| parser.sequence(&[]));
        let required = nodes
            .iter()
            .filter_map(|node| {
                if let Node::Text(text) = node {
                    Some(text)
                } else {
                    None
                }
            })
            .max_by_key(|text| text.len())
            .cloned()
            .unwrap_or_default();
        // The text next to `/**` holds a slash that a path may end before.
        let required = required.strip_suffix(b"/").unwrap_or(&required).to_vec();
        Glob {
            pattern: pattern.to_owned(),
            nodes,
            required,
        }
    }

    /// Whether the path, its names joined by `/`, matches. The empty path is that of the base, which no
    /// pattern matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        if path.is_empty() {
            return false;
        }
        if path == self.pattern {
            return true;
        }
        if memchr::memmem::find(path.as_bytes(), &self.required).is_none() {
            return false;
        }
        let mut starts = vec![false; path.len() + 1];
        starts[0] = true;
        run(&self.nodes, path, starts)[path.len()]
    }
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    /// How many groups are open.
    depth: usize,
    /// Where groups were tried that do not end, so that none is tried twice.
    text: HashSet<usize>,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    /// Parses a pattern that is `**` with extensions, such as `**.log`: there, other than inside of a
    /// longer pattern, it crosses folders.
    fn globstar_with_extension(&self) -> Option<Vec<Node>> {
        let extensions: String = self.characters.strip_prefix(&['*', '*'])?.iter().collect();
        let is_word = |word: &str| {
            let is_word_character = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !word.is_empty() && word.bytes().all(is_word_character)
        };
        let mut words = extensions.strip_prefix('.')?.split('.');
        words.all(is_word).then(|| {
            vec![
                Node::Folders,
                Node::Star {
                    least: 1,
                    is_first: true,
                },
                Node::Text(extensions.into_bytes()),
            ]
        })
    }

    /// Parses up to one of `ends`, which is left unread.
    fn sequence(&mut self, ends: &[char]) -> Vec<Node> {
        let mut nodes = Vec::new();
        while let Some(character) = self.peek(0) {
            if ends.contains(&character) {
                break;
            }
            self.node(character, ends, &mut nodes);
        }
        nodes
    }

    fn node(&mut self, character: char, ends: &[char], nodes: &mut Vec<Node>) {
        if matches!(character, '@' | '?' | '*' | '+' | '!')
            && self.peek(1) == Some('(')
            && !self.text.contains(&self.at)
            && self.group(1, nodes)
        {
            return;
        }
        match character {
            '\\' if self.peek(1).is_some() => {
                push_text(nodes, self.characters[self.at + 1]);
                self.at += 2;
            }
            '*' => self.stars(ends, nodes),
            '/' if self.is_last_globstar(1, ends)
                && !matches!(nodes.last(), Some(Node::Star { .. })) =>
            {
                self.skip_globstars(1);
                nodes.push(Node::Below);
            }
            // What the tools hand on to their regular expression: a choice that may be missing.
            '?' if matches!(
                nodes.last(),
                Some(Node::Group {
                    repeat: Repeat::Once,
                    is_braces: false,
                    ..
                })
            ) =>
            {
                if let Some(Node::Group { repeat, .. }) = nodes.last_mut() {
                    *repeat = Repeat::Maybe;
                }
                self.at += 1;
            }
            '?' => {
                let is_first = self.is_first(nodes);
                nodes.push(Node::One { is_first });
                self.at += 1;
            }
            '[' if self.class(nodes) => {}
            '{' if !self.text.contains(&self.at) && self.braces(nodes) => {}
            '(' if !self.text.contains(&self.at) && self.group(0, nodes) => {}
            character => {
                push_text(nodes, character);
                self.at += 1;
            }
        }
    }

    fn stars(&mut self, ends: &[char], nodes: &mut Vec<Node>) {
        let at_start = match nodes.last() {
            None => true,
            Some(Node::Text(text)) => text.ends_with(b"/"),
            Some(Node::Folders | Node::Between) => true,
            Some(_) => false,
        };
        let stars = self.characters[self.at..]
            .iter()
            .take_while(|character| **character == '*')
            .count();
        let after_group = matches!(
            nodes.last(),
            Some(Node::Group {
                is_braces: false,
                ..
            })
        );
        // The last star is the repeat of the group: `**(a|b)` is `*` and `*(a|b)`.
        let is_repeat = stars > 1
            && self.peek(stars) == Some('(')
            && !self.text.contains(&(self.at + stars - 1));
        let stars = if is_repeat { stars - 1 } else { stars };
        if (at_start || after_group) && stars == 2 && self.begins_group(2) {
            self.at += 2;
            nodes.push(Node::Across);
            return;
        }
        if after_group && stars == 2 && self.peek(2).is_none_or(|next| ends.contains(&next)) {
            self.at += 2;
            nodes.push(Node::Across);
            return;
        }
        if at_start && stars == 2 {
            if self.peek(2) == Some('/') {
                self.at += 3;
                self.folders(nodes);
                return;
            }
            if self.peek(2).is_none_or(|next| ends.contains(&next)) {
                self.at += 2;
                match nodes.pop() {
                    Some(Node::Folders) | None => {}
                    Some(Node::Between) => push_text(nodes, '/'),
                    Some(other) => nodes.push(other),
                }
                nodes.push(Node::All);
                return;
            }
        }
        self.at += stars;
        let at_end = self
            .peek(0)
            .is_none_or(|next| next == '/' || ends.contains(&next));
        let is_first = self.is_first(nodes);
        nodes.push(Node::Star {
            least: usize::from(at_start && at_end),
            is_first,
        });
    }

    /// Adds what `**/` stands for. Between two names the path may end before it, which lets what follows
    /// match nothing.
    fn folders(&self, nodes: &mut Vec<Node>) {
        match nodes.last_mut() {
            Some(Node::Folders | Node::Between) => return,
            Some(Node::Text(text)) if self.peek(0).is_some() => {
                let is_root = text == b"/" && nodes.len() == 1 && self.depth == 0;
                if !is_root {
                    pop_slash(nodes);
                    nodes.push(Node::Between);
                    return;
                }
            }
            _ => {}
        }
        nodes.push(Node::Folders);
    }

    /// Whether the pattern says that a name begins here. A choice of a group does not.
    fn is_first(&self, nodes: &[Node]) -> bool {
        match nodes.last() {
            None => self.depth == 0,
            Some(Node::Text(text)) => text.ends_with(b"/"),
            Some(last) => matches!(last, Node::Folders | Node::Between),
        }
    }

    /// Whether a group that is no plain `(…)` begins there.
    fn begins_group(&self, ahead: usize) -> bool {
        match self.peek(ahead) {
            Some('{') => !self.text.contains(&(self.at + ahead)),
            Some('@') => self.peek(ahead + 1) == Some('('),
            _ => false,
        }
    }

    /// Whether only whole names `**` follow.
    fn is_last_globstar(&self, ahead: usize, ends: &[char]) -> bool {
        let after = self.globstars_end(ahead);
        after > self.at + ahead
            && self
                .characters
                .get(after)
                .is_none_or(|next| ends.contains(next))
    }

    fn globstars_end(&self, ahead: usize) -> usize {
        let mut end = self.at + ahead;
        loop {
            let stars = self.characters[end..]
                .iter()
                .take_while(|character| **character == '*')
                .count();
            if stars != 2 {
                return self.at + ahead;
            }
            end += 2;
            if self.characters[end..].starts_with(&['/', '*', '*']) {
                end += 1;
            } else {
                return end;
            }
        }
    }

    fn skip_globstars(&mut self, ahead: usize) {
        self.at = self.globstars_end(ahead);
    }

    fn group(&mut self, prefix: usize, nodes: &mut Vec<Node>) -> bool {
        let start = self.at;
        let repeat = match self.peek(0) {
            Some('?') => Repeat::Maybe,
            Some('*') => Repeat::Any,
            Some('+') => Repeat::Many,
            Some('!') => Repeat::Not,
            _ => Repeat::Once,
        };
        self.at += prefix + 1;
        match self.choices('|', ')') {
            Some(choices) => {
                nodes.push(Node::Group {
                    repeat,
                    choices,
                    is_braces: false,
                });
                true
            }
            None => self.is_text(start),
        }
    }

    /// Goes back to where a group seemed to begin.
    fn is_text(&mut self, start: usize) -> bool {
        self.at = start;
        self.text.insert(start);
        false
    }

    fn braces(&mut self, nodes: &mut Vec<Node>) -> bool {
        let start = self.at;
        self.at += 1;
        if let Some(choices) = self.range() {
            nodes.push(Node::Group {
                repeat: Repeat::Once,
                choices,
                is_braces: true,
            });
            return true;
        }
        match self.choices(',', '}') {
            Some(choices) if choices.len() > 1 => {
                nodes.push(Node::Group {
                    repeat: Repeat::Once,
                    choices,
                    is_braces: true,
                });
                true
            }
            _ => self.is_text(start),
        }
    }

    /// Parses choices up to and with `close`; `None` where it is missing.
    fn choices(&mut self, separator: char, close: char) -> Option<Vec<Vec<Node>>> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let mut choices = Vec::new();
        let outcome = loop {
            choices.push(self.sequence(&[separator, close]));
            match self.peek(0) {
                None => break None,
                Some(end) => {
                    self.at += 1;
                    if end == close {
                        break Some(choices);
                    }
                }
            }
        };
        self.depth -= 1;
        outcome
    }

    /// Parses `1..3}` or `a..c}`.
    fn range(&mut self) -> Option<Vec<Vec<Node>>> {
        let rest = &self.characters[self.at..];
        let close = rest.iter().position(|character| *character == '}')?;
        let text: String = rest[..close].iter().collect();
        let (first, last) = text.split_once("..")?;
        let words: Vec<String> =
            if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
                (first.min(last)..=first.max(last))
                    .take(MAX_RANGE)
                    .map(|number| number.to_string())
                    .collect()
            } else {
                let (first, last) = (single(first)?, single(last)?);
                (first.min(last)..=first.max(last))
                    .take(MAX_RANGE)
                    .map(String::from)
                    .collect()
            };
        self.at += close + 1;
        Some(
            words
                .into_iter()
                .map(|word| vec![Node::Text(word.into_bytes())])
                .collect(),
        )
    }

    fn class(&mut self, nodes: &mut Vec<Node>) -> bool {
        let mut at = self.at + 1;
        let negated = self.characters.get(at) == Some(&'^');
        at += usize::from(negated);
        let first = at;
        let mut ranges = Vec::new();
        loop {
            match self.characters.get(at) {
                None => return false,
                Some(']') if at > first => break,
                Some('[') if self.characters.get(at + 1) == Some(&':') => {
                    let Some((named, after)) = self.named_class(at) else {
                        return false;
                    };
                    ranges.extend_from_slice(named);
                    at = after;
                }
                Some(character) => {
                    at += usize::from(*character == '\\');
                    let Some(&low) = self.characters.get(at) else {
                        return false;
                    };
                    at += 1;
                    match (self.characters.get(at), self.characters.get(at + 1)) {
                        (Some('-'), Some(&high)) if high != ']' => {
                            ranges.push(low..=high);
                            at += 2;
                        }
                        _ => ranges.push(low..=low),
                    }
                }
            }
        }
        self.at = at + 1;
        nodes.push(Node::Class { negated, ranges });
        true
    }

    fn named_class(&self, at: usize) -> Option<(&'static [RangeInclusive<char>], usize)> {
        let rest: String = self.characters[at..]
            .iter()
            .take("[:xdigit:]".len())
            .collect();
        let end = rest.find(":]")?;
        let ranges: &[RangeInclusive<char>] = match rest.get(2..end)? {
            "alpha" => &['a'..='z', 'A'..='Z'],
            "digit" => &['0'..='9'],
            "alnum" => &['a'..='z', 'A'..='Z', '0'..='9'],
            "lower" => &['a'..='z'],
            "upper" => &['A'..='Z'],
            "word" => &['a'..='z', 'A'..='Z', '0'..='9', '_'..='_'],
            "xdigit" => &['0'..='9', 'a'..='f', 'A'..='F'],
            "space" => &[' '..=' ', '\t'..='\r'],
            _ => return None,
        };
        Some((ranges, at + end + 2))
    }
}

fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn push_text(nodes: &mut Vec<Node>, character: char) {
    let mut buffer = [0; 4];
    let bytes = character.encode_utf8(&mut buffer).as_bytes();
    match nodes.last_mut() {
        Some(Node::Text(text)) => text.extend_from_slice(bytes),
        _ => nodes.push(Node::Text(bytes.to_vec())),
    }
}

fn pop_slash(nodes: &mut Vec<Node>) {
    if let Some(Node::Text(text)) = nodes.last_mut() {
        text.pop();
        if text.is_empty() {
            nodes.pop();
        }
    }
}

/// The positions that the nodes can reach from any of `starts`.
fn run(nodes: &[Node], text: &str, mut starts: Vec<bool>) -> Vec<bool> {
    for node in nodes {
        let mut ends = vec![false; text.len() + 1];
        match node {
            Node::Group {
                repeat, choices, ..
            } => group(*repeat, choices, text, &starts, &mut ends),
            node => {
                for start in positions(&starts) {
                    step(node, text, start, &mut ends);
                }
            }
        }
        starts = ends;
    }
    starts
}

fn positions(set: &[bool]) -> impl Iterator<Item = usize> + '_ {
    set.iter()
        .enumerate()
        .filter_map(|(index, reached)| reached.then_some(index))
}

fn step(node: &Node, text: &str, start: usize, ends: &mut [bool]) {
    let bytes = text.as_bytes();
    let rest = &text[start..];
    let at_start = start == 0 || bytes[start - 1] == b'/';
    let hidden = at_start && rest.starts_with('.');
    match node {
        Node::Text(expected) => {
            if rest.as_bytes().starts_with(expected) {
                ends[start + expected.len()] = true;
            }
        }
        Node::One { is_first } => {
            let is_one = |next: &char| *next != '/' && !(hidden && *is_first);
            if let Some(next) = rest.chars().next().filter(is_one) {
                ends[start + next.len_utf8()] = true;
            }
        }
        Node::Star { least, is_first } => {
            // A name begins with a character, even where what follows the star could match nothing.
            if !(*is_first && (hidden || rest.is_empty())) {
                let name = rest.split('/').next().unwrap_or_default();
                name.char_indices()
                    .map(|(index, _)| index)
                    .chain([name.len()])
                    .for_each(|index| {
                        if index >= *least {
                            ends[start + index] = true;
                        }
                    });
            }
        }
        Node::Folders => reach_folders(text, start, ends),
        Node::Between if rest.is_empty() => ends[start] = true,
        Node::Between => {
            if rest.starts_with('/') {
                reach_folders(text, start + 1, ends);
            }
        }
        Node::Below => {
            ends[start] = true;
            if rest.starts_with('/') {
                ends[start + 1] = true;
                reach_visible(text, start + 1, ends);
            }
        }
        Node::All => reach_visible(text, start, ends),
        Node::Across if hidden => {}
        Node::Across => {
            ends[start] = true;
            let mut reached = vec![false; ends.len()];
            reach_visible(text, start, &mut reached);
            for end in positions(&reached) {
                // Not between a folder and a hidden name in it.
                if !(bytes[end - 1] == b'/' && bytes.get(end) == Some(&b'.')) {
                    ends[end] = true;
                }
            }
        }
        Node::Class { negated, ranges } => {
            if let Some(next) = rest.chars().next().filter(|next| *next != '/')
                && ranges.iter().any(|range| range.contains(&next)) != *negated
            {
                ends[start + next.len_utf8()] = true;
            }
        }
        Node::Group { .. } => {}
    }
}

/// Marks the start and where folders without a leading dot lead to.
fn reach_folders(text: &str, start: usize, ends: &mut [bool]) {
    ends[start] = true;
    let mut at = start;
    while let Some(length) = text[at..]
        .find('/')
        .filter(|_| !text[at..].starts_with('.'))
    {
        at += length + 1;
        ends[at] = true;
    }
}

/// Marks everything that names without a leading dot reach.
fn reach_visible(text: &str, start: usize, ends: &mut [bool]) {
    let mut previous = text[..start].chars().next_back().unwrap_or('/');
    for (index, character) in text[start..].char_indices() {
        if previous == '/' && character == '.' {
            return;
        }
        ends[start + index + character.len_utf8()] = true;
        previous = character;
    }
}

fn group(repeat: Repeat, choices: &[Vec<Node>], text: &str, starts: &[bool], ends: &mut [bool]) {
    let once = |starts: &[bool]| {
        let mut ends = vec![false; text.len() + 1];
        for choice in choices {
            merge(&mut ends, &run(choice, text, starts.to_vec()));
        }
        ends
    };
    match repeat {
        Repeat::Once => {
            merge(ends, &once(starts));
        }
        Repeat::Maybe => {
            merge(ends, starts);
            merge(ends, &once(starts));
        }
        Repeat::Any | Repeat::Many => {
            let mut reached = once(starts);
            while merge(ends, &reached) {
                reached = once(ends);
            }
            if repeat == Repeat::Any {
                merge(ends, starts);
            }
        }
        Repeat::Not => {
            for start in positions(starts) {
                let mut single = vec![false; text.len() + 1];
                single[start] = true;
                let excluded = once(&single);
                let name = text[start..].split('/').next().unwrap_or_default();
                for index in name
                    .char_indices()
                    .map(|(index, _)| index)
                    .chain([name.len()])
                {
                    ends[start + index] |= !excluded[start + index];
                }
            }
        }
    }
}

/// Adds a set to another; says whether that made it larger.
fn merge(into: &mut [bool], from: &[bool]) -> bool {
    let mut grew = false;
    for (into, from) in into.iter_mut().zip(from) {
        grew |= *from && !*into;
        *into |= *from;
    }
    grew
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are those of picomatch 2.3.2 with its defaults.
    #[test]
    fn groups_that_do_not_end_are_text_however_many() {
        for begin in ["{", "(", "{a,", "!(", "*(a|", "{.{a{{.(*("] {
            let pattern = begin.repeat(3_000);
            assert!(Glob::new(&pattern).matches(&pattern));
            assert!(!Glob::new(&pattern).matches("a"));
        }
        let nested = format!("{}a{}", "{".repeat(50), "}".repeat(50));
        assert!(Glob::new(&nested).matches(&nested));
    }

    #[test]
    fn globs_match_what_javascript_tools_match() {
        for (pattern, matching, others) in [
            ("*", &["a", "a.js"][..], &[".a", "a/b"][..]),
            ("?", &["a", "é"][..], &[".", "ab"][..]),
            ("a*", &["a", "ab"][..], &["a/b", ".a"][..]),
            ("*a", &["a", "xa"][..], &[".a"][..]),
            ("*.js", &["a.js"][..], &[".a.js", "a/b.js", ".js"][..]),
            (
                "**/*.js",
                &["a.js", "x/a.js"][..],
                &[".x/a.js", "x/.a.js"][..],
            ),
            ("a/**", &["a", "a/b", "a/b/c"][..], &["a/.b", "ab"][..]),
            ("*/**", &["a/b", "a/b/c"][..], &["a"][..]),
            ("**", &["a", "a/b"][..], &[".a", "a/.b"][..]),
            (
                "a/**/b",
                &["a/b", "a/x/b", "a/x/y/b"][..],
                &["a/.x/b", "ab"][..],
            ),
            ("**/a/**", &["a", "x/a", "x/a/y"][..], &[".x/a", "xa"][..]),
            ("a**", &["a", "ab"][..], &["a/b"][..]),
            ("a/**b", &["a/b", "a/xb"][..], &["a/x/b"][..]),
            ("***", &["a"][..], &["a/b"][..]),
            (".*", &[".a"][..], &["a"][..]),
            ("**/.*", &[".a", "x/.a"][..], &["x/a", ".x/a"][..]),
            ("[ab]c", &["ac", "bc"][..], &["cc"][..]),
            ("[^a]c", &["bc"][..], &["ac", "/c"][..]),
            ("[!a]c", &["ac", "!c"][..], &["bc"][..]),
            ("[a-c]", &["b"][..], &["d", "-"][..]),
            ("[]a]", &["]", "a"][..], &[][..]),
            ("[.]a", &[".a"][..], &[][..]),
            ("a[b", &["a[b"][..], &["ab"][..]),
            ("[[:digit:]]", &["1"][..], &["a"][..]),
            ("{a,b}.js", &["a.js", "b.js"][..], &["c.js"][..]),
            ("{a,b/c}/d", &["a/d", "b/c/d"][..], &["c/d"][..]),
            ("{,a}b", &["b", "ab"][..], &["bb"][..]),
            ("{a}", &["{a}"][..], &["a"][..]),
            ("a{b,c", &["a{b,c"][..], &["ab"][..]),
            ("a/{1..3}", &["a/1", "a/3"][..], &["a/4"][..]),
            ("{a..c}", &["a", "c"][..], &["d"][..]),
            ("@(a|b)", &["a", "b"][..], &["ab"][..]),
            ("+(a|b)", &["ab", "aab"][..], &["c"][..]),
            ("*(a|b)c", &["c", "abc"][..], &["xc"][..]),
            ("?(a)b", &["b", "ab"][..], &["aab"][..]),
            (
                "a/!(b)",
                &["a/c", "a/bc", "a/.c"][..],
                &["a/b", "a/c/d"][..],
            ),
            ("(a|b)c", &["ac", "bc"][..], &["c"][..]),
            ("a|b", &["a|b"][..], &["a"][..]),
            ("a+", &["a+"][..], &["aa"][..]),
            ("$a", &["$a"][..], &[][..]),
            ("\\*", &["*"][..], &["a"][..]),
            ("./a", &["a", "./a"][..], &["b"][..]),
            ("A", &["A"][..], &["a"][..]),
            ("?(.)a", &["a", ".a"][..], &[][..]),
            // What may be missing at the end lets the path end before `/**/`.
            (
                "*/**/?(a)",
                &["x", "x/", "x/a", "x/y/a"][..],
                &[".x", "x/b"][..],
            ),
            ("a/**/{,b}", &["a", "a/b", "a/x/b"][..], &["ab", "x"][..]),
            ("(a/**/?(b)|c)", &["a", "a/b", "c"][..], &["b"][..]),
            ("a/**/*", &["a/b"][..], &["a"][..]),
            ("a/**/*?(b)", &["a/b", "a/c", "a/x/c"][..], &["a"][..]),
            ("a/**/", &["a/", "a/b/"][..], &["a"][..]),
        ] {
            let glob = Glob::new(pattern);
            for path in matching {
                assert!(glob.matches(path), "{pattern:?} {path:?}");
            }
            for path in others {
                assert!(!glob.matches(path), "{pattern:?} {path:?}");
            }
        }
    }
}
