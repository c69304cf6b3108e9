//! The journal of a group of changes: what is written of each item, in order, so that whoever finds it
//! can make all of them. It is a [record](eas_core::record) of bytes of files.

use eas_core::key;
use eas_core::record::{self, Action, Step};

use super::path;

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
    record::write(changes.map(|(key, change)| {
        let (action, value) = match change {
            Change::Set(value) => (Action::SetFile, value),
            Change::Remove { is_listed: false } => (Action::Remove, &[][..]),
            Change::Remove { is_listed: true } => (Action::RemoveListed, &[][..]),
        };
        Step { action, key, value }
    }))
}

/// Reads a journal.
pub(super) fn read(bytes: &[u8]) -> Read<'_> {
    match record::read(bytes) {
        record::Read::Whole(steps) => {
            let changes: Option<_> = steps.into_iter().map(change_in).collect();
            changes.map_or(Read::Damaged, Read::Whole)
        }
        record::Read::Newer => Read::Newer,
        record::Read::Damaged => Read::Damaged,
    }
}

/// What no change could have named leads out of the base, or to the file of another key.
fn change_in(step: Step<'_>) -> Option<(&str, Change<'_>)> {
    let Step { action, key, value } = step;
    let is_key = !key.is_empty() && key::normalize(key) == key && path::refusal(key).is_none();
    let change = match action {
        Action::SetFile => Change::Set(value),
        Action::Remove => Change::Remove { is_listed: false },
        Action::RemoveListed => Change::Remove { is_listed: true },
        Action::SetText | Action::SetRawText | Action::SetRawBytes => return None,
    };
    is_key.then_some((key, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let changes = [
            ("a", Change::Set(b"{\"json\":1}")),
            ("b:c$", Change::Remove { is_listed: false }),
            ("d", Change::Set(b"")),
            ("e", Change::Remove { is_listed: true }),
        ];
        let bytes = write(changes.into_iter());
        assert_eq!(read(&bytes), Read::Whole(changes.to_vec()));
        assert_eq!(read(&bytes[1..]), Read::Damaged);
    }

    #[test]
    fn keys_that_lead_elsewhere_are_damage() {
        for key in ["", "a::b", "a/b", "../a", "a:..:b", "a\0", ":a"] {
            let bytes = write([(key, Change::Set(b"x"))].into_iter());
            assert_eq!(read(&bytes), Read::Damaged, "{key:?}");
        }
    }

    #[test]
    fn a_record_of_a_migration_is_no_journal() {
        let step = Step {
            action: Action::SetText,
            key: "a",
            value: b"1",
        };
        assert_eq!(read(&record::write([step].into_iter())), Read::Damaged);
    }
}
