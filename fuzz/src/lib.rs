//! What holds for every input: the properties behind the fuzz targets and `tests/fuzz_props.rs`.

use std::sync::Arc;

use eas_core::envelope;
use eas_core::error::Kind;
use eas_core::key;
use eas_core::store::{SingleWrites, Store};
use eas_core::value::{Inside, Text, Value};
use eas_fs::disk::SystemDisk;
use eas_fs::ignore::Ignore;
use eas_fs::{FsOptions, FsStore, NAME, Ports, path};

const MAX_NAME_BYTES: usize = 255;
/// serde_json reads no deeper than 128; the envelope is one level of it.
const MAX_NESTING: usize = 100;

/// The path of a key can be stored on every system, stays below the base and reads back as the key.
pub fn key_path(given: &str) {
    let key = key::normalize(given);
    if key.is_empty() || path::refusal(&key).is_some() {
        return;
    }
    let mut path = String::new();
    path::push_path(&mut path, &key, '/');
    for name in path.split('/') {
        assert!(
            !matches!(name, "" | "." | ".."),
            "{key:?} has the path {path:?}"
        );
        assert!(
            name.len() <= MAX_NAME_BYTES,
            "{key:?} has a name of {} bytes",
            name.len()
        );
        assert!(!name.ends_with(['.', ' ']), "{key:?} has the path {path:?}");
        let forbidden =
            |character: char| u32::from(character) < 0x20 || "<>:\"\\|?*".contains(character);
        assert!(!name.contains(forbidden), "{key:?} has the path {path:?}");
        assert!(!is_device(name), "{key:?} has the path {path:?}");
    }
    assert_eq!(path::key_of(&path).as_deref(), Some(&*key), "path {path:?}");
    if let Some(literal) = path::literal_path(&key, '/') {
        assert_ne!(literal, path);
        assert_eq!(
            path::key_of(&literal).as_deref(),
            Some(&*key),
            "literal path {literal:?}"
        );
    }
}

fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    // Spaces at the end are no part of the name for Windows; other white space is.
    let stem = stem.trim_end_matches(' ');
    matches!(stem, "con" | "prn" | "aux" | "nul")
        || (["com", "lpt"].iter().any(|device| stem.starts_with(device))
            && stem.len() == 4
            && matches!(stem.as_bytes()[3], b'1'..=b'9'))
}

/// A path that reads as a key is one of the places where that key is looked for.
pub fn path_key(given: &str) {
    let Some(key) = path::key_of(given) else {
        return;
    };
    if path::refusal(&key).is_some() || key::normalize(&key) != key {
        return;
    }
    let mut written = String::new();
    path::push_path(&mut written, &key, '/');
    assert_eq!(
        path::key_of(&written).as_deref(),
        Some(&*key),
        "from {given:?}"
    );
    let own = format!("{written}/{}", path::SELF);
    assert_eq!(path::key_of(&own).as_deref(), Some(&*key), "from {given:?}");
}

/// A file of any content reads as its text, as nothing, or as damaged; a write then takes its place.
pub fn stored_file(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("key");
    std::fs::write(&file, bytes).expect("a file for the test");
    let options = FsOptions::at(folder.path()).expect("the base is absolute");
    let ports = Ports {
        disk: SystemDisk,
        clock: Arc::new(|| 1_700_000_000_000),
        background: Arc::new(|_, job| job()),
    };
    let store = FsStore::with_ports(NAME, options, ports);
    match store.get("key") {
        Ok(Some(Value::Text(text))) => {
            let (given, _) = envelope::open(bytes.to_vec());
            let expected = envelope::text_of(given);
            assert_eq!(Some(&*text.to_utf8()), expected.as_deref());
        }
        Ok(Some(other)) => panic!("a file reads as {other:?}"),
        Ok(None) => assert!(
            envelope::expiry_of(bytes).is_some_and(|ms| ms <= 1_700_000_000_000),
            "a text reads as nothing"
        ),
        Err(error) => assert_eq!(error.kind(), Kind::CorruptValue, "{error:?}"),
    }
    let listed = store.keys("", None).expect("the folder can be listed");
    assert!(listed.iter().all(|key| key == "key"), "{listed:?}");
    store.meta("key").expect("metadata can be read");
    store.next_expiry().expect("the index can be read");
    store
        .sweep(1_700_000_000_000)
        .expect("what ended can be removed");
    let value = Value::from(Text::from("{\"json\":1}"));
    store
        .set("key", &value, None)
        .expect("a write replaces anything");
    assert_eq!(store.get("key").expect("it can be read"), Some(value));
    assert_eq!(
        store
            .keys("", None)
            .expect("the folder can be listed")
            .sorted(),
        ["key"]
    );
}

/// What the index of expiries is made of ends no item that has no end, touches nothing outside the
/// base, and stands in the way of no item that ends.
pub fn expiry_index(bytes: &[u8]) {
    const NOW_MS: u64 = 1_700_000_000_000;
    const OUTSIDE: &[u8] = b"{\"expires\":1,\"json\":1}";
    let folder = tempfile::tempdir().expect("a folder for the test");
    let (base, outside) = (folder.path().join("base"), folder.path().join("outside"));
    std::fs::create_dir(&base).expect("a base for the test");
    std::fs::write(&outside, OUTSIDE).expect("a file for the test");
    // An index can tell of it: seeds name this time.
    let modified = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    std::fs::File::options()
        .write(true)
        .open(&outside)
        .and_then(|file| file.set_modified(modified))
        .expect("a time for the file");
    std::fs::write(base.join("key"), "{\"json\":1}").expect("a file for the test");
    std::fs::write(base.join("%~ttl"), bytes).expect("an index for the test");
    let options = FsOptions::at(&base).expect("the base is absolute");
    let ports = Ports {
        disk: SystemDisk,
        clock: Arc::new(|| NOW_MS),
        background: Arc::new(|_, job| job()),
    };
    let store = FsStore::with_ports(NAME, options, ports);
    let value = Value::from(Text::from("{\"json\":1}"));
    let check = |when: &str| {
        let found = store.get("key").expect("it can be read");
        assert_eq!(found.as_ref(), Some(&value), "{when}");
        let found = std::fs::read(&outside).expect("a file outside the base stays");
        assert_eq!(found, OUTSIDE, "{when}");
    };
    check("at first");
    assert_eq!(
        store.keys("", None).expect("it can be listed").sorted(),
        ["key"]
    );
    let meta = store.meta("key").expect("it can be asked for");
    assert_eq!(meta.and_then(|meta| meta.ttl_ms), None);
    let swept = store.sweep(NOW_MS).expect("what ended can be removed");
    assert_eq!(swept, Vec::<String>::new());
    check("after a sweep");

    store
        .set("ending", &value, Some(NOW_MS + 1))
        .expect("an item that ends can be written");
    let next_ms = store.next_expiry().expect("the index can be read");
    assert!(next_ms.is_some_and(|next_ms| next_ms <= NOW_MS + 1));
    let swept = store.sweep(NOW_MS + 1).expect("what ended can be removed");
    assert_eq!(swept, ["ending"]);
    check("after the next sweep");
    assert_eq!(
        store.keys("", None).expect("it can be listed").sorted(),
        ["key"]
    );
}

/// The inside of an envelope, where it is JSON, is the value of that envelope and all there is in it.
pub fn envelope(bytes: &[u8]) {
    let Some(text) = Text::from_utf8(bytes.to_vec()) else {
        return;
    };
    let nesting = bytes
        .iter()
        .filter(|byte| matches!(byte, b'[' | b'{'))
        .count();
    if nesting > MAX_NESTING {
        return;
    }
    let inside = match text.inside_envelope() {
        Some(Inside::Latin1(inside)) => String::from_utf8_lossy(inside).into_owned(),
        Some(Inside::Utf8(inside)) => inside.to_owned(),
        Some(Inside::Utf16(inside)) => String::from_utf16_lossy(inside),
        None => return,
    };
    let Ok(value) = serde_json::from_str::<serde_json::Value>(&inside) else {
        return;
    };
    let whole: serde_json::Value =
        serde_json::from_slice(bytes).expect("what is around JSON makes it an envelope");
    assert_eq!(whole, serde_json::json!({ "json": value }));
}

/// Matching ends, a folder covers what is in it, and a name without special characters is itself.
pub fn glob(pattern: &str, path: &str) {
    let ignore = Ignore::new([pattern], "/base");
    if ignore.matches(path) {
        assert!(
            ignore.covers(path),
            "{pattern:?} matches {path:?} and does not cover it"
        );
        assert!(
            ignore.covers(&format!("{path}/below")),
            "{pattern:?} covers not below {path:?}"
        );
    }
    let is_plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if is_plain(pattern) {
        assert!(ignore.matches(pattern), "{pattern:?} does not match itself");
        if is_plain(path) {
            assert_eq!(
                ignore.matches(path),
                path == pattern,
                "{pattern:?} and {path:?}"
            );
        }
    }
    let taken_back = format!("!{pattern}");
    let nothing = Ignore::new([pattern, &taken_back], "/base");
    if !pattern.starts_with('!') {
        assert!(
            !nothing.matches(path),
            "{pattern:?} and {taken_back:?} match {path:?}"
        );
    }
}
