//! Items that end.
//!
//! The text of an item carries the time of its end in its envelope, `{"expires":N,"json":…}`, and
//! what is there decides. The [journal](super::journal) tells which items to look at without reading
//! all of them, and keeps the ends of raw values, which have no envelope.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::value::RawValue;

use super::Engine;
use super::atomic_write::ATTEMPTS;
use super::disk::{Disk, Kind as FileKind, Stat};
use super::journal::{Amendment, Entry};
use super::locate::{Found, Place, folder_of};
use super::locks::Need;
use eas_core::error::{Error, Kind, Result, io_from_code};
use eas_core::keys::Keys;

const ENVELOPE: &[u8] = b"{\"json\":";
const WITH_EXPIRY: &[u8] = b"{\"expires\":";
const AFTER_EXPIRY: &[u8] = b",\"json\":";
const MEMBER: &[u8] = b"\"expires\"";

/// An item that is there and has not ended.
pub(super) struct Live {
    pub(super) stat: Stat,
    pub(super) ttl_ms: Option<u64>,
}

/// Puts the time of the end into the envelope that the codec wrote; `None` for other text.
fn with_expiry(bytes: &[u8], expires_ms: u64) -> Option<Vec<u8>> {
    let rest = bytes.strip_prefix(ENVELOPE)?;
    let number = expires_ms.to_string();
    let mut spliced = Vec::with_capacity(bytes.len() + WITH_EXPIRY.len() + number.len() + 1);
    spliced.extend_from_slice(WITH_EXPIRY);
    spliced.extend_from_slice(number.as_bytes());
    spliced.extend_from_slice(AFTER_EXPIRY);
    spliced.extend_from_slice(rest);
    Some(spliced)
}

/// The time of the end, where the text is an envelope that has one. An `expires` in the value itself
/// is the user's own.
pub(super) fn expiry_in(bytes: &[u8]) -> Option<u64> {
    if let Some(rest) = bytes.strip_prefix(WITH_EXPIRY) {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if rest[digits..].starts_with(AFTER_EXPIRY) {
            return std::str::from_utf8(&rest[..digits]).ok()?.parse().ok();
        }
    }
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{')
        || memchr::memmem::find(bytes, MEMBER).is_none()
    {
        return None;
    }
    let members: HashMap<String, &RawValue> = serde_json::from_slice(bytes).ok()?;
    members.get("json")?;
    let expires: f64 = members.get("expires")?.get().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "out of range, the nearest time is meant"
    )]
    (expires.is_finite()).then_some(expires as u64)
}

/// Whether the text is an envelope as it is written, which alone says when it ends.
fn is_envelope(bytes: &[u8]) -> bool {
    bytes.starts_with(ENVELOPE) || bytes.starts_with(WITH_EXPIRY)
}

/// Whether two looks at the place of a value met one file, unwritten in between.
fn is_same_file(one: Option<&Stat>, other: Option<&Stat>) -> bool {
    let identity = |stat: &Stat| (stat.number, stat.size, stat.mtime_ns);
    one.is_some() && one.map(identity) == other.map(identity)
}

impl<D: Disk> Engine<D> {
    /// Writes a value that ends at `expires_ms`, or stays.
    pub(super) fn put(
        &self,
        key: &str,
        bytes: &[u8],
        is_text: bool,
        expires_ms: Option<u64>,
    ) -> Result<()> {
        // A copy of what was stored, such as a migration puts back, ends when it says.
        let copied = || {
            let is_copy = bytes.starts_with(WITH_EXPIRY);
            is_copy.then(|| expiry_in(bytes)).flatten()
        };
        let Some(expires_ms) = expires_ms.or_else(copied) else {
            self.write(key, bytes, None)?;
            self.forget_expiry(key);
            return Ok(());
        };
        let previous = self.journal.entry(&*self.disk, key)?;
        if let Some(ended) = previous
            .as_ref()
            .filter(|entry| entry.is_raw() && entry.expires_ms <= self.now_ms())
        {
            // The new entry is there before the new value is: the old one would have no end then.
            self.sweep_one(key, ended, self.now_ms())?;
        }
        let spliced = if is_text {
            with_expiry(bytes, expires_ms)
        } else {
            None
        };
        let recorded = RefCell::new(None);
        let record = |entry: Entry| {
            self.record(key, Some(entry.clone()))?;
            *recorded.borrow_mut() = Some(entry);
            Ok(())
        };
        let outcome = match spliced {
            // Its envelope decides: the journal may know it before it is there.
            Some(bytes) => {
                record(Entry::of_text(expires_ms)).and_then(|()| self.write(key, &bytes, None))
            }
            None => self.write(
                key,
                bytes,
                Some(&|stat| record(Entry::of_raw(expires_ms, stat))),
            ),
        };
        if outcome.is_ok()
            && let Some(entry) = recorded.into_inner()
        {
            self.record_again(key, entry);
        }
        if outcome.is_err()
            && matches!(self.journal.entry(&*self.disk, key), Ok(entry) if entry != previous)
        {
            // The old value is in place, and so is its end, if that can be written.
            let _ = self.record(key, previous);
        }
        outcome
    }

    /// Who found no file, or another one, before the new one was there may have taken its entry out
    /// of the journal. Who does so later looks at the file once more, and finds it.
    fn record_again(&self, key: &str, entry: Entry) {
        // The value and its entry were written: that this cannot be made sure of is no failure.
        if matches!(self.journal.entry(&*self.disk, key), Ok(None)) {
            let amendment = Amendment {
                key: key.to_owned(),
                seen: None,
                entry: Some(entry),
            };
            let _ = self.amend(&[amendment], Need::Usual);
        }
    }

    /// Notes that an item has no end. Nothing depends on it: the envelope is gone with the value,
    /// and an entry for a raw value holds for the file only that it was made for.
    pub(super) fn forget_expiry(&self, key: &str) {
        if matches!(self.journal.known(&*self.disk, key), Ok(true))
            && let Ok(seen) = self.journal.entry(&*self.disk, key)
        {
            let amendment = Amendment {
                key: key.to_owned(),
                seen,
                entry: None,
            };
            let _ = self.settle_entries(vec![amendment], Need::Little);
        }
    }

    /// Changes entries that are still as they were seen. A file that came to one that was taken out
    /// gets its entry again.
    fn settle_entries(&self, amendments: Vec<Amendment>, need: Need) -> Result<()> {
        self.amend(&amendments, need)?;
        let mut again = Vec::new();
        for Amendment { key, seen, entry } in amendments {
            let (Some(seen), None) = (seen, entry) else {
                continue;
            };
            if let Some(found) = self.find_told_of(&self.place(&key))?
                && let Some(expires_ms) = self.expiry_of(&seen, &found)?
            {
                let entry = Some(Entry { expires_ms, ..seen });
                again.push(Amendment {
                    key,
                    seen: None,
                    entry,
                });
            }
        }
        // An entry that a write needs was taken out.
        self.amend(&again, Need::Usual)
    }

    /// The file that holds the value of a key of the journal. There is none where no file can have
    /// that path: no write has added the entry then.
    fn find_told_of(&self, place: &Place) -> Result<Option<Found>> {
        match self.find(place) {
            Err(error) if error.kind() == Kind::System("ENAMETOOLONG") => Ok(None),
            outcome => outcome,
        }
    }

    fn amend(&self, amendments: &[Amendment], need: Need) -> Result<()> {
        if amendments.is_empty() {
            return Ok(());
        }
        self.in_base(|| self.journal.amend(&*self.disk, amendments, need))?;
        self.note_journal()
    }

    fn note_journal(&self) -> Result<()> {
        // What is in the journal comes to be durable before the item that it tells of.
        self.durability.settle_journal(self.journal.path())?;
        if self.journal.is_bloated() {
            self.compact()?;
        }
        Ok(())
    }

    fn record(&self, key: &str, entry: Option<Entry>) -> Result<()> {
        let changes = [(key.to_owned(), entry)];
        self.in_base(|| self.journal.record(&*self.disk, &changes))?;
        self.note_journal()
    }

    /// Tries until the base is there; `step` says whether it was.
    fn in_base(&self, step: impl Fn() -> Result<bool>) -> Result<()> {
        for _ in 0..ATTEMPTS {
            if step()? {
                return Ok(());
            }
            self.make_folders(self.base())?;
        }
        Err(Error::io(
            io_from_code("EBUSY"),
            "write the journal of expiries",
        ))
    }

    fn compact(&self) -> Result<()> {
        let _turn = self.journal.turn();
        if !self.journal.is_bloated() {
            // Another thread has done it meanwhile.
            return Ok(());
        }
        let Some(_lock) = self.lock(self.base())? else {
            return Ok(());
        };
        let bytes = self.journal.compacted(&*self.disk)?;
        let (draft, name) = self
            .draft_in(self.base(), None)
            .map_err(|error| Error::io(error, "create"))?;
        self.fill_and_place(draft, &name, &bytes, self.journal.path())?;
        self.durability.forget_journal();
        self.durability.settle_journal(self.journal.path())?;
        self.journal.reload(&*self.disk)
    }

    /// The bytes of an item, unless it has ended.
    pub(super) fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let place = self.place(key);
        let is_over = |expires_ms: u64| expires_ms <= self.now_ms();
        let mut last = None;
        let mut before: Option<Stat> = None;
        for _ in 0..ATTEMPTS {
            let changes = self.journal.changes();
            let Some(bytes) = self.fetch(&place)? else {
                return Ok(None);
            };
            if let Some(expires_ms) = expiry_in(&bytes) {
                return Ok(Some(bytes).filter(|_| !is_over(expires_ms)));
            }
            if is_envelope(&bytes) {
                return Ok(Some(bytes));
            }
            let (entry, is_unchanged) = self.journal.entry_since(&*self.disk, key, changes)?;
            let entry = entry.filter(Entry::is_raw);
            if entry.is_none() && is_unchanged {
                return Ok(Some(bytes));
            }
            // The bytes may be those of a file that another one has taken the place of since.
            let after = self.find(&place)?.map(|found| found.stat);
            let expires_ms = match (&entry, &after) {
                (Some(entry), Some(stat)) => entry.raw_expiry(stat),
                _ => None,
            };
            if (is_unchanged && expires_ms.is_some())
                || is_same_file(before.as_ref(), after.as_ref())
            {
                return Ok(Some(bytes).filter(|_| !expires_ms.is_some_and(is_over)));
            }
            (before, last) = (after, Some(bytes));
        }
        // Written over faster than it can be looked at.
        Ok(last)
    }

    /// What is known about an item, unless it has ended.
    pub(super) fn live(&self, key: &str) -> Result<Option<Live>> {
        let place = self.place(key);
        let changes = self.journal.changes();
        let mut seen = self.find(&place)?;
        for _ in 0..ATTEMPTS {
            let Some(found) = &seen else {
                return Ok(None);
            };
            let (entry, is_unchanged) = self.journal.entry_since(&*self.disk, key, changes)?;
            let expires_ms = match &entry {
                Some(entry) => self.expiry_of(entry, found)?,
                None => None,
            };
            if is_unchanged && (expires_ms.is_some() || entry.is_none()) {
                return Ok(self.live_until(found.stat, expires_ms));
            }
            // It may have gone since, and its entry with it, or have been replaced.
            let again = self.find(&place)?;
            if is_same_file(Some(&found.stat), again.as_ref().map(|found| &found.stat)) {
                return Ok(self.live_until(found.stat, expires_ms));
            }
            seen = again;
        }
        // Written over faster than it can be looked at.
        Ok(seen.and_then(|found| self.live_until(found.stat, None)))
    }

    fn live_until(&self, stat: Stat, expires_ms: Option<u64>) -> Option<Live> {
        let ttl_ms = match expires_ms {
            Some(expires_ms) => match expires_ms.checked_sub(self.now_ms()) {
                None | Some(0) => return None,
                left => left,
            },
            None => None,
        };
        Some(Live { stat, ttl_ms })
    }

    /// When the file ends, by its content or, if it is the one that the entry was made for, by the
    /// entry.
    fn expiry_of(&self, entry: &Entry, found: &Found) -> Result<Option<u64>> {
        if entry.is_raw() {
            return Ok(entry.raw_expiry(&found.stat));
        }
        match self.disk.read(&found.path) {
            Ok(bytes) => Ok(expiry_in(&bytes)),
            Err(error) if super::is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io(error, "read")),
        }
    }

    /// The keys of items that have not ended.
    pub(super) fn live_keys(&self, base: &str, max_depth: Option<usize>) -> Result<Keys> {
        let keys = self.walk(base, max_depth)?;
        let now_ms = self.now_ms();
        let due = self.journal.due(&*self.disk, now_ms)?;
        if due.is_empty() {
            return Ok(keys);
        }
        let mut failure = None;
        let keys = keys.filtered(|key| {
            if !due.contains_key(key) {
                return true;
            }
            match self.live(key) {
                Ok(live) => live.is_some(),
                Err(error) => {
                    failure.get_or_insert(error);
                    false
                }
            }
        });
        failure.map_or(Ok(keys), Err)
    }

    /// The earliest time at which an item may end.
    pub(super) fn next_expiry(&self) -> Result<Option<u64>> {
        if self.options.read_only {
            return Ok(None);
        }
        self.journal.earliest(&*self.disk)
    }

    /// Removes the items that have ended by `now_ms` and gives their keys.
    pub(super) fn sweep(&self, now_ms: u64) -> Result<Vec<String>> {
        let mut removed = Vec::new();
        let mut settled = Vec::new();
        let mut failure = None;
        for (key, entry) in self.journal.due(&*self.disk, now_ms)? {
            let outcome = match self.sweep_one(&key, &entry, now_ms) {
                Ok(Swept::Removed) => {
                    removed.push(key.clone());
                    None
                }
                Ok(Swept::Stays(entry)) => entry,
                Err(error) => {
                    failure.get_or_insert(error.key(&key));
                    continue;
                }
            };
            settled.push(Amendment {
                key,
                seen: Some(entry),
                entry: outcome,
            });
        }
        if let Err(error) = self.settle_entries(settled, Need::Usual) {
            failure.get_or_insert(error);
        }
        match failure {
            // What was removed must be told; what failed is due again at the next sweep.
            Some(error) if removed.is_empty() => Err(error),
            _ => Ok(removed),
        }
    }

    fn sweep_one(&self, key: &str, entry: &Entry, now_ms: u64) -> Result<Swept> {
        let place = self.place(key);
        let Some(found) = self.find_told_of(&place)? else {
            return Ok(Swept::Stays(None));
        };
        match self.expiry_of(entry, &found)? {
            None => return Ok(Swept::Stays(None)),
            Some(expires_ms) if expires_ms > now_ms => {
                return Ok(Swept::Stays(Some(Entry {
                    expires_ms,
                    ..entry.clone()
                })));
            }
            Some(_) => {}
        }
        if !self.remove_if_ended(key, &place, entry, now_ms)? {
            return Ok(Swept::Stays(Some(entry.clone())));
        }
        self.durability.settle(&place)?;
        Ok(Swept::Removed)
    }

    /// Removes a value if it is still the one that ended, which a write may replace at any moment.
    /// It is moved to where readers look next and no write reaches, looked at again there, and moved
    /// back if it is another.
    fn remove_if_ended(
        &self,
        key: &str,
        place: &Place,
        entry: &Entry,
        now_ms: u64,
    ) -> Result<bool> {
        let Some(lock) = self.lock(place.folder())? else {
            return Ok(false);
        };
        let change = self.changes.begin(key);
        let moved = place.moved();
        let is_file = self
            .stat_name(&place.path)?
            .is_some_and(|stat| stat.kind == FileKind::File);
        let outcome = if is_file {
            self.move_aside(&place.path, &moved)
        } else {
            Ok(())
        }
        .and_then(|()| self.find(place))
        .and_then(|found| match found {
            // A write that came after the move.
            Some(found) if found.path == place.path && is_file => Ok(None),
            Some(found) => {
                let expires_ms = self.expiry_of(entry, &found)?;
                Ok(Some(found)
                    .filter(|_| expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms)))
            }
            None => Ok(None),
        })
        .and_then(|ended| match ended {
            Some(found) => Ok(self.unlink(&found.path)?.then_some(found)),
            None => Ok(None),
        });
        if is_file {
            self.undo(&place.path, &moved);
        }
        self.remove_moved_folder(&moved);
        drop(lock);
        let removed = outcome?;
        if let Some(found) = &removed {
            if let Some(change) = change {
                change.made();
            }
            let folder = if found.path == moved {
                place.folder()
            } else {
                folder_of(&found.path)
            };
            self.durability.note_folder(&self.remove_empty(folder));
        }
        Ok(removed.is_some())
    }
}

enum Swept {
    Removed,
    Stays(Option<Entry>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_envelope_says_when_an_item_ends() {
        for (text, expires_ms) in [
            (r#"{"expires":5,"json":1}"#, Some(5)),
            (r#"{"json":1,"expires":5}"#, Some(5)),
            (
                "{\n  \"json\": {\"expires\": 1},\n  \"expires\": 1700000000000\n}\n",
                Some(1_700_000_000_000),
            ),
            (" {\"expires\":5e3,\"json\":null}", Some(5000)),
            (r#"{"expires":-1,"json":1}"#, Some(0)),
            (r#"{"json":{"expires":5}}"#, None),
            (r#"{"json":"\"expires\":5"}"#, None),
            (r#"{"expires":5}"#, None),
            (r#"{"expires":5,"name":"x"}"#, None),
            (r#"{"expires":"soon","json":1}"#, None),
            (r#"{"expires":null,"json":1}"#, None),
            (r#"[{"expires":5,"json":1}]"#, None),
            (r#"{"expires":5,"json":1"#, Some(5)),
            (r#"{"json":1,"expires":5"#, None),
            ("", None),
            ("expires", None),
        ] {
            assert_eq!(expiry_in(text.as_bytes()), expires_ms, "{text}");
        }
    }

    #[test]
    fn only_the_codecs_envelope_takes_an_end() {
        assert_eq!(
            with_expiry(b"{\"json\":1}", 5).as_deref(),
            Some(&br#"{"expires":5,"json":1}"#[..])
        );
        for text in ["", "1", "{}", "{\"a\":1}", "base64:AAAA"] {
            assert_eq!(with_expiry(text.as_bytes(), 5), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_end_that_was_put_in_is_read_back(json in "[a-z\"{}:,]{0,20}", expires_ms in any::<u64>()) {
            let json = serde_json::Value::from(json);
            let text = format!("{{\"json\":{json}}}");
            let spliced = with_expiry(text.as_bytes(), expires_ms).unwrap();
            prop_assert_eq!(expiry_in(&spliced), Some(expires_ms));
            let parsed: serde_json::Value = serde_json::from_slice(&spliced).unwrap();
            prop_assert_eq!(&parsed["json"], &json);
            prop_assert_eq!(expiry_in(text.as_bytes()), None);
        }

        #[test]
        fn hostile_text_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            for prefix in [&b""[..], WITH_EXPIRY, ENVELOPE, b"{\"expires\":1,\"json\":"] {
                let _ = expiry_in(&[prefix, &bytes].concat());
            }
        }
    }
}
