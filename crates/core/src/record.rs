//! Records of changes that may be cut off: what a group has yet to make, and what a migration has overwritten.
//!
//! Eight bytes that tell what it is, a version, the steps, and a checksum of all that.

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"\x89EASGRP\n";
const VERSION: u8 = 1;
/// The first bytes of SHA-256.
const CHECKSUM_BYTES: usize = 16;

/// What becomes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// Its file holds the bytes.
    SetFile = 1,
    /// It goes.
    Remove = 2,
    /// It goes, and its key is one that a listing gave.
    RemoveListed = 3,
    /// It holds the text, which the codec wrote.
    SetText = 4,
    /// It holds the text raw.
    SetRawText = 5,
    /// It holds the bytes raw.
    SetRawBytes = 6,
}

/// A change of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// What is done.
    pub action: Action,
    /// The key.
    pub key: &'a str,
    /// What is written, in the form of whoever keeps the record.
    pub value: &'a [u8],
}

/// What bytes turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// The steps, in order.
    Whole(Vec<Step<'a>>),
    /// A version that this program does not know.
    Newer,
    /// No record, or a part of one.
    Damaged,
}

/// The bytes of a record.
pub fn write<'a>(steps: impl ExactSizeIterator<Item = Step<'a>>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(VERSION);
    push_number(&mut bytes, steps.len());
    for step in steps {
        bytes.push(step.action as u8);
        push_number(&mut bytes, step.key.len());
        bytes.extend_from_slice(step.key.as_bytes());
        push_number(&mut bytes, step.value.len());
        bytes.extend_from_slice(step.value);
    }
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

/// Reads a record. Whoever reads it judges the keys.
pub fn read(bytes: &[u8]) -> Read<'_> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Read::Damaged;
    };
    match rest.first() {
        Some(&VERSION) => {}
        Some(version) if *version > VERSION => return Read::Newer,
        _ => return Read::Damaged,
    }
    steps(bytes).map_or(Read::Damaged, Read::Whole)
}

fn steps(bytes: &[u8]) -> Option<Vec<Step<'_>>> {
    let (bytes, expected) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    if checksum(bytes) != *expected {
        return None;
    }
    let mut rest = bytes.get(MAGIC.len() + 1..)?;
    let count = take_number(&mut rest)?;
    let mut steps = Vec::new();
    for _ in 0..count {
        steps.push(Step {
            action: action_of(*rest.split_off_first()?)?,
            key: std::str::from_utf8(take_bytes(&mut rest)?).ok()?,
            value: take_bytes(&mut rest)?,
        });
    }
    rest.is_empty().then_some(steps)
}

fn action_of(byte: u8) -> Option<Action> {
    use Action::{Remove, RemoveListed, SetFile, SetRawBytes, SetRawText, SetText};
    let all = [
        SetFile,
        Remove,
        RemoveListed,
        SetText,
        SetRawText,
        SetRawBytes,
    ];
    all.into_iter().find(|action| *action as u8 == byte)
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

    const fn step<'a>(action: Action, key: &'a str, value: &'a [u8]) -> Step<'a> {
        Step { action, key, value }
    }

    const STEPS: [Step<'_>; 6] = [
        step(Action::SetFile, "a", b"{\"json\":1}"),
        step(Action::Remove, "b:c$", b""),
        step(Action::SetRawBytes, "d", b""),
        step(Action::RemoveListed, "e", b""),
        step(Action::SetText, "f", "\u{e4}".as_bytes()),
        step(Action::SetRawText, "g", b"1"),
    ];

    #[test]
    fn what_was_written_is_read() {
        for count in 0..=STEPS.len() {
            let steps = &STEPS[..count];
            let bytes = write(steps.iter().copied());
            assert_eq!(read(&bytes), Read::Whole(steps.to_vec()));
        }
    }

    /// Another implementation wrote it, after docs/file-format.md.
    const OF_0_1_0: &[u8] =
        include_bytes!("../../../tests/fixtures/files/0.1.0-group/%~groups/2b0c8f1e55d04a97");

    #[test]
    fn what_is_written_has_the_bytes_of_the_fixture() {
        let steps = [
            step(Action::SetFile, "a", b"{\"json\":\"new\"}"),
            step(Action::SetFile, "deep:b", b"{\"json\":2}"),
            step(Action::Remove, "c", b""),
            step(Action::RemoveListed, "d", b""),
        ];
        assert_eq!(write(steps.into_iter()), OF_0_1_0);
        assert_eq!(read(OF_0_1_0), Read::Whole(steps.to_vec()));
    }

    #[test]
    fn a_part_or_a_flipped_bit_is_damage() {
        let bytes = write(STEPS.into_iter());
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
    fn lengths_beyond_the_end_are_damage() {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        push_number(&mut bytes, 1);
        bytes.push(Action::SetFile as u8);
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        assert_eq!(read(&bytes), Read::Damaged);
    }
}
