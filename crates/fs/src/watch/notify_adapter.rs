//! What a notice of the system says about a path.

use std::path::{Path, PathBuf};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind};

/// A notice, as far as it concerns the tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// A whole file or folder took this name.
    Written(PathBuf),
    /// A folder was made there.
    Made(PathBuf),
    /// A program that could write to the file has let go of it.
    Closed(PathBuf),
    /// Something about it changed, perhaps not for the last time.
    Touched(PathBuf),
    /// It has another name now, or is outside the tree.
    MovedAway(PathBuf),
    /// It is no more.
    Gone(PathBuf),
    /// Notices were lost.
    Rescan,
}

impl Signal {
    pub(super) fn path(&self) -> &Path {
        match self {
            Signal::Written(path)
            | Signal::Made(path)
            | Signal::Closed(path)
            | Signal::Touched(path)
            | Signal::MovedAway(path)
            | Signal::Gone(path) => path,
            Signal::Rescan => Path::new(""),
        }
    }
}

/// The signals of a notice, in order.
pub(super) fn signals(event: Event) -> Vec<Signal> {
    if event.need_rescan() {
        return vec![Signal::Rescan];
    }
    let make: fn(PathBuf) -> Signal = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Signal::Closed,
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Signal::Written,
        EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Signal::MovedAway,
        // Comes after the two halves, which said it all.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) | EventKind::Access(_) => {
            return Vec::new();
        }
        EventKind::Create(CreateKind::Folder) => Signal::Made,
        EventKind::Remove(_) => Signal::Gone,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            Signal::Touched
        }
    };
    event.paths.into_iter().map(make).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{DataChange, Flag, MetadataKind, RemoveKind};

    #[test]
    fn notices_are_read_for_what_they_say() {
        let path = || PathBuf::from("a");
        let table: [(EventKind, Vec<Signal>); 8] = [
            (
                EventKind::Create(CreateKind::File),
                vec![Signal::Touched(path())],
            ),
            (
                EventKind::Create(CreateKind::Folder),
                vec![Signal::Made(path())],
            ),
            (
                EventKind::Modify(ModifyKind::Data(DataChange::Any)),
                vec![Signal::Touched(path())],
            ),
            (
                EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
                vec![Signal::Touched(path())],
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                vec![Signal::Closed(path())],
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Read)),
                vec![],
            ),
            (
                EventKind::Modify(ModifyKind::Name(RenameMode::Both)),
                vec![],
            ),
            (
                EventKind::Remove(RemoveKind::File),
                vec![Signal::Gone(path())],
            ),
        ];
        for (kind, expected) in table {
            assert_eq!(
                signals(Event::new(kind).add_path(path())),
                expected,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn lost_notices_ask_for_a_rescan() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(signals(event), [Signal::Rescan]);
    }
}
