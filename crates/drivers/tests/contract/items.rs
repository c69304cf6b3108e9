use eas_core::driver::{Meta, Options};
use eas_core::fallbacks;

use crate::setting::for_every_driver;

#[test]
fn a_text_reads_back_as_it_was_written() {
    for_every_driver(|setting| {
        let long = "длинный ".repeat(50_000);
        for text in ["{}", "{\"json\":1}", "no json", "aé€😀\n", long.as_str()] {
            setting.set("a:b", text);
            assert_eq!(setting.get("a:b").as_deref(), Some(text), "{setting}");
            assert!(setting.has("a:b"), "{setting}");
        }
    });
}

#[test]
fn a_missing_item_reads_as_none() {
    for_every_driver(|setting| {
        assert_eq!(setting.get("missing"), None, "{setting}");
        assert_eq!(setting.get_raw("missing"), None, "{setting}");
        assert!(!setting.has("missing"), "{setting}");
    });
}

#[test]
fn removing_an_item_succeeds_whether_it_is_there_or_not() {
    for_every_driver(|setting| {
        setting.set("a", "1");
        setting.remove("a");
        setting.remove("a");
        setting.remove("never:there");
        assert_eq!(setting.get("a"), None, "{setting}");
        assert!(setting.keys("", None).is_empty(), "{setting}");
    });
}

#[test]
fn a_key_and_the_keys_below_it_hold_values_of_their_own() {
    for_every_driver(|setting| {
        for key in ["a:b", "a", "a:b:c"] {
            setting.set(key, key);
        }
        for key in ["a:b", "a", "a:b:c"] {
            assert_eq!(setting.get(key).as_deref(), Some(key), "{setting}");
        }
        setting.remove("a:b");
        assert_eq!(setting.keys("", None), ["a", "a:b:c"], "{setting}");
        setting.remove("a");
        assert!(!setting.has("a"), "{setting}");
        assert_eq!(setting.get("a:b:c").as_deref(), Some("a:b:c"), "{setting}");
    });
}

#[test]
fn a_key_with_keys_below_it_is_no_item() {
    for_every_driver(|setting| {
        setting.set("a:b:c", "1");
        for key in ["a", "a:b"] {
            assert!(!setting.has(key), "{setting}");
            assert_eq!(setting.get(key), None, "{setting}");
            setting.remove(key);
        }
        assert!(setting.has("a:b:c"), "{setting}");
    });
}

#[test]
fn metadata_tells_of_an_item_and_nothing_of_a_missing_one() {
    for_every_driver(|setting| {
        setting.set("a", "text");
        setting.flush();
        let meta = |key| {
            let meta = fallbacks::get_meta(&setting.driver, key, &Options::default(), setting.mode);
            setting.finish(meta).expect("reads")
        };
        match meta("a") {
            Some(Meta::Native(native)) if setting.has_files() => {
                assert_eq!(native.size, Some(4), "{setting}");
                assert!(native.mtime_ms.is_some_and(|time| time > 0.0), "{setting}");
            }
            Some(Meta::Native(native)) => assert_eq!(native.ttl_ms, None, "{setting}"),
            _ => panic!("{setting}: an item that is there has metadata"),
        }
        assert!(meta("missing").is_none(), "{setting}");
    });
}

#[test]
fn a_driver_that_knows_times_to_live_says_how_long_is_left() {
    for_every_driver(|setting| {
        if !setting.driver.info().ttl {
            return;
        }
        setting.set_for("a", "text", 3_600_000);
        assert_eq!(setting.get("a").as_deref(), Some("text"), "{setting}");
        setting.set("a", "kept");
        assert_eq!(setting.get("a").as_deref(), Some("kept"), "{setting}");
    });
}
