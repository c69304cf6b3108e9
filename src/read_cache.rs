//! Values that are read again while their text stays the same: copying what a text stood for costs a
//! fraction of parsing it.
//!
//! The text alone decides, after the driver gave it, so that nothing has to be told of changes. A first
//! read costs a hash of the text and one line of memory; a template is made when the same text comes
//! again, which may be under another key or in another storage of the context.

use std::cell::RefCell;
use std::hash::Hasher;
use std::sync::Arc;

use rustc_hash::FxHasher;

use super::env::Val;
use super::reference::Reference;
use eas_core::value::Text;

/// Texts that are longer than this many units gain less and take more room.
const LONGEST_UNITS: usize = 4096;

const SETS: usize = 256;

/// The hashes of a set share a line of memory.
const WAYS: usize = 8;

/// The templates of one context.
#[derive(Default)]
pub(super) struct ReadCache {
    tables: RefCell<Option<Tables>>,
}

struct Tables {
    /// Hashes of the texts that were read last; 0 for none.
    hashes: Box<[[u64; WAYS]]>,
    /// By the place of its hash, a text that was read again.
    known: Box<[Option<Known>]>,
    next_way: usize,
}

struct Known {
    text: Text,
    /// What the facade makes copies from; `None` for a value that has no template.
    template: Option<Reference>,
}

impl Tables {
    fn new() -> Self {
        Tables {
            hashes: vec![[0; WAYS]; SETS].into(),
            known: std::iter::repeat_with(|| None).take(SETS * WAYS).collect(),
            next_way: 0,
        }
    }

    /// Where a hash is; takes it in if it is nowhere.
    #[inline]
    fn place_of(&mut self, hash: u64) -> Option<usize> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash do")]
        let set = hash as usize % SETS;
        let ways = &mut self.hashes[set];
        if let Some(way) = ways.iter().position(|each| *each == hash) {
            return Some(set * WAYS + way);
        }
        let way = self.next_way;
        self.next_way = (way + 1) % WAYS;
        ways[way] = hash;
        self.known[set * WAYS + way] = None;
        None
    }
}

impl ReadCache {
    /// The template of a text that comes again, which `make` makes; `None` where its value is to be made of
    /// the text.
    #[inline]
    pub(super) fn template(
        &self,
        text: &Text,
        make: impl FnOnce() -> Option<(Val, Option<Reference>)>,
    ) -> Option<Val> {
        let hash = hash_of(text)?;
        let place = {
            let mut tables = self.tables.borrow_mut();
            let tables = tables.get_or_insert_with(Tables::new);
            let place = tables.place_of(hash)?;
            if let Some(known) = &tables.known[place]
                && is_same(&known.text, text)
            {
                return known.template.as_ref().and_then(Reference::get);
            }
            place
        };
        self.add(text, place, make())
    }

    #[cold]
    fn add(
        &self,
        text: &Text,
        place: usize,
        made: Option<(Val, Option<Reference>)>,
    ) -> Option<Val> {
        let (template, kept) = made.unzip();
        let known = Known {
            text: text.clone(),
            template: kept.flatten(),
        };
        let replaced = self
            .tables
            .borrow_mut()
            .as_mut()
            .and_then(|tables| tables.known[place].replace(known));
        drop(replaced);
        template
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let tables = self.tables.take();
        drop(tables);
    }
}

/// `None` for a text that is not worth it.
#[inline]
fn hash_of(text: &Text) -> Option<u64> {
    let (bytes, is_worth_it): (&[u8], bool) = match text {
        Text::Latin1(bytes) => (bytes, is_worth_it(bytes, u16::from)),
        Text::Utf8(text) => (text.as_bytes(), is_worth_it(text.as_bytes(), u16::from)),
        Text::Utf16(units) => {
            // SAFETY: the units are as many bytes, of any values.
            let bytes = unsafe {
                std::slice::from_raw_parts(units.as_ptr().cast(), size_of_val(&units[..]))
            };
            (bytes, is_worth_it(units, |unit| unit))
        }
    };
    if !is_worth_it {
        return None;
    }
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    Some(hasher.finish().max(1))
}

/// Only containers are: a text begins with a bracket, in its envelope or without one.
#[inline]
fn is_worth_it<T: Copy>(units: &[T], unit: impl Fn(T) -> u16) -> bool {
    let is = |at: usize, wanted: u8| {
        units
            .get(at)
            .is_some_and(|found| unit(*found) == u16::from(wanted))
    };
    let value_at = if is(1, b'"') && is(2, b'j') && is(7, b':') {
        8
    } else {
        0
    };
    units.len() <= LONGEST_UNITS && (is(value_at, b'{') || is(value_at, b'['))
}

fn is_same(one: &Text, other: &Text) -> bool {
    match (one, other) {
        (Text::Latin1(one), Text::Latin1(other)) => Arc::ptr_eq(one, other) || one == other,
        (Text::Utf16(one), Text::Utf16(other)) => Arc::ptr_eq(one, other) || one == other,
        (Text::Utf8(one), Text::Utf8(other)) => Arc::ptr_eq(one, other) || one == other,
        _ => false,
    }
}
