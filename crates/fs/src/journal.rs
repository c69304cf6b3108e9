//! The journal of a group of changes: what is written of each item, in order, so that whoever finds it
//! can make all of them.
//!
//! Eight bytes that tell what it is, a version, the changes, and a checksum of all that.

use sha2::{Digest, Sha256};

use super::path;
use eas_core::key;

const MAGIC: &[u8; 8] = b"\x89EASGRP\n";
const VERSION: u8 = 1;
/// The first bytes of SHA-256.
const CHECKSUM_BYTES: usize = 16;

const SET: u8 = 1;
const REMOVE: u8 = 2;
const REMOVE_LISTED: u8 = 3;

/// What becomes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change<'a> {
    /// Its file holds these bytes.
    Set(&'a [u8]),
    /// It goes.
    Remove {
        /// Whether a listing gave its key.
        is_listed: bool,
    },
}

/// What a file turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    /// The changes, in order.
    Whole(Vec<(&'a str, Change<'a>)>),
    /// A version that this program does not know.
    Newer,
    /// No journal, or a part of one.
    Damaged,
}

/// The bytes of a journal.
pub(super) fn write<'a>(changes: impl ExactSizeIterator<Item = (&'a str, Change<'a>)>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    push_number(&mut bytes, changes.len());
    for (key, change) in changes {
        let (kind, value) = match change {
            Change::Set(value) => (SET, value),
            Change::Remove { is_listed: false } => (REMOVE, &[][..]),
            Change::Remove { is_listed: true } => (REMOVE_LISTED, &[][..]),
        };
        bytes.push(kind);
        push_number(&mut bytes, key.len());
        bytes.extend_from_slice(key.as_bytes());
        push_number(&mut bytes, value.len());
        bytes.extend_from_slice(value);
    }
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// Reads a journal.
pub(super) fn read(bytes: &[u8]) -> Read<'_> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Read::Damaged;
    };
    match rest.first() {
        Some(&VERSION) => {}
        Some(version) if *version > VERSION => return Read::Newer,
        _ => return Read::Damaged,
    }
    changes(bytes).map_or(Read::Damaged, Read::Whole)
}

fn changes(bytes: &[u8]) -> Option<Vec<(&str, Change<'_>)>> {
    let (bytes, expected) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    if checksum(bytes) != *expected {
        return None;
    }
    let mut rest = bytes.get(MAGIC.len() + 1..)?;
    let count = take_number(&mut rest)?;
    let mut changes = Vec::new();
    for _ in 0..count {
        let kind = *rest.split_off_first()?;
        let key = take_bytes(&mut rest)?;
        let value = take_bytes(&mut rest)?;
        let change = match kind {
            SET => Change::Set(value),
            REMOVE => Change::Remove { is_listed: false },
            REMOVE_LISTED => Change::Remove { is_listed: true },
            _ => return None,
        };
        changes.push((key_in(key)?, change));
    }
    rest.is_empty().then_some(changes)
}

/// What no change could have named leads out of the base, or to the file of another key.
fn key_in(bytes: &[u8]) -> Option<&str> {
    let key = std::str::from_utf8(bytes).ok()?;
    let is_key = !key.is_empty() && key::normalize(key) == key && path::refusal(key).is_none();
    is_key.then_some(key)
}

fn push_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&(number as u64).to_le_bytes());
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let (number, tail) = rest.split_first_chunk::<8>()?;
    *rest = tail;
    usize::try_from(u64::from_le_bytes(*number)).ok()
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest)?;
    rest.split_off(..length)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Sha256::digest(bytes);
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [(&str, Change<'_>); 4] = [
        ("a", Change::Set(b"{\"json\":1}")),
        ("b:c$", Change::Remove { is_listed: false }),
        ("d", Change::Set(b"")),
        ("e", Change::Remove { is_listed: true }),
    ];

    #[test]
    fn what_was_written_is_read() {
        for count in 0..=CHANGES.len() {
            let changes = &CHANGES[..count];
            let bytes = write(changes.iter().copied());
            assert_eq!(read(&bytes), Read::Whole(changes.to_vec()));
        }
    }

    /// Another implementation wrote it, after docs/file-format.md.
    const OF_0_1_0: &[u8] =
        include_bytes!("../../../tests/fixtures/files/0.1.0-group/%~groups/2b0c8f1e55d04a97");

    #[test]
    fn what_is_written_has_the_bytes_of_the_fixture() {
        let changes = [
            ("a", Change::Set(b"{\"json\":\"new\"}")),
            ("deep:b", Change::Set(b"{\"json\":2}")),
            ("c", Change::Remove { is_listed: false }),
            ("d", Change::Remove { is_listed: true }),
        ];
        assert_eq!(write(changes.into_iter()), OF_0_1_0);
        assert_eq!(read(OF_0_1_0), Read::Whole(changes.to_vec()));
    }

    #[test]
    fn a_part_or_a_flipped_bit_is_damage() {
        let bytes = write(CHANGES.into_iter());
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length]), Read::Damaged, "{length} bytes");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            let newer = at == MAGIC.len();
            let expected = if newer { Read::Newer } else { Read::Damaged };
            assert_eq!(read(&flipped), expected, "byte {at}");
        }
    }

    #[test]
    fn keys_that_lead_elsewhere_are_damage() {
        for key in ["", "a::b", "a/b", "../a", "a:..:b", "a\0", ":a"] {
            let bytes = write([(key, Change::Set(b"x"))].into_iter());
            assert_eq!(read(&bytes), Read::Damaged, "{key:?}");
        }
    }

    #[test]
    fn lengths_beyond_the_file_are_damage() {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        push_number(&mut bytes, 1);
        bytes.push(SET);
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        assert_eq!(read(&bytes), Read::Damaged);
    }
}
