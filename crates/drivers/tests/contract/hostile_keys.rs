use eas_core::error::Kind;

use crate::setting::for_every_driver;

const ODD: [&str; 16] = [
    "__proto__",
    "constructor",
    "nul",
    "CON",
    "con:aux.txt",
    "<>|*\"",
    "trailing dot.",
    "trailing space ",
    "new\nline",
    "%",
    "%41",
    "%2e%2e",
    "...",
    "~",
    "e\u{301}",
    "é",
];

#[test]
fn odd_keys_never_share_an_item() {
    for_every_driver(|setting| {
        for key in ODD {
            setting.set(key, key);
        }
        for key in ODD {
            assert_eq!(setting.get(key).as_deref(), Some(key), "{setting}");
        }
        let mut sorted = ODD.to_vec();
        sorted.sort_unstable();
        assert_eq!(setting.keys("", None), sorted, "{setting}");
    });
}

#[test]
fn an_unsafe_key_is_kept_whole_or_refused_by_name_with_nothing_changed() {
    for_every_driver(|setting| {
        setting.set("neighbour", "safe");
        for key in [
            "..",
            "a:..",
            "..:a",
            "a:..:b",
            ".",
            "a:.:b",
            "nul\0byte",
            "\0",
        ] {
            match setting.try_set(key, "kept") {
                Ok(()) => {
                    assert_eq!(
                        setting.get(key).as_deref(),
                        Some("kept"),
                        "{setting} {key:?}"
                    );
                    setting.remove(key);
                }
                Err(error) => {
                    assert_eq!(error.kind(), Kind::InvalidKey, "{setting} {key:?}");
                    assert_eq!(error.key_name(), Some(key), "{setting}");
                    assert!(error.driver_name().is_some(), "{setting}");
                    assert!(error.operation_name().is_some(), "{setting}");
                    let batch = [("batched", "1"), (key, "1")];
                    let refused = setting.set_items(&batch).expect_err("is refused");
                    assert_eq!(refused.kind(), Kind::InvalidKey, "{setting} {key:?}");
                    let read = setting.try_get(key).expect_err("is refused");
                    assert_eq!(read.kind(), Kind::InvalidKey, "{setting} {key:?}");
                }
            }
            assert_eq!(setting.keys("", None), ["neighbour"], "{setting} {key:?}");
        }
        assert_eq!(
            setting.get("neighbour").as_deref(),
            Some("safe"),
            "{setting}"
        );
    });
}

#[test]
fn a_long_name_is_written_listed_and_removed() {
    for_every_driver(|setting| {
        for key in [
            "x".repeat(250),
            "x".repeat(1000),
            "я".repeat(200),
            "😀".repeat(100),
        ] {
            setting.set(&key, "1");
            assert_eq!(
                setting.keys("", None),
                std::slice::from_ref(&key),
                "{setting}"
            );
            assert!(setting.has(&key), "{setting}");
            setting.remove(&key);
            assert!(setting.keys("", None).is_empty(), "{setting}");
        }
    });
}
