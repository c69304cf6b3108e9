use crate::setting::for_every_driver;

const TREE: [&str; 7] = ["a", "a$", "a:b", "a:b:c", "a:b:c:d", "ab:x", "z"];

#[test]
fn a_listing_gives_each_key_once_those_of_metadata_too() {
    for_every_driver(|setting| {
        for key in TREE {
            setting.set(key, "1");
        }
        assert_eq!(setting.keys("", None), TREE, "{setting}");
    });
}

#[test]
fn a_base_lists_what_begins_with_it() {
    for_every_driver(|setting| {
        for key in TREE {
            setting.set(key, "1");
        }
        assert_eq!(
            setting.keys("a:", None),
            ["a:b", "a:b:c", "a:b:c:d"],
            "{setting}"
        );
        assert_eq!(
            setting.keys("a:b:", None),
            ["a:b:c", "a:b:c:d"],
            "{setting}"
        );
        assert!(setting.keys("nowhere:", None).is_empty(), "{setting}");
    });
}

#[test]
fn a_driver_that_knows_depths_leaves_deeper_keys_out() {
    for_every_driver(|setting| {
        if !setting.driver.info().max_depth {
            return;
        }
        for key in TREE {
            setting.set(key, "1");
        }
        assert_eq!(setting.keys("", Some(0)), ["a", "a$", "z"], "{setting}");
        assert_eq!(
            setting.keys("", Some(1)),
            ["a", "a$", "a:b", "ab:x", "z"],
            "{setting}"
        );
        assert_eq!(setting.keys("a:", Some(2)), ["a:b", "a:b:c"], "{setting}");
    });
}

#[test]
fn clear_keeps_to_its_base_where_the_driver_says_so() {
    for_every_driver(|setting| {
        if setting.driver.info().no_clear {
            return;
        }
        for key in TREE {
            setting.set(key, "1");
        }
        if setting.driver.info().clears_base {
            setting.clear("a:");
            assert_eq!(
                setting.keys("", None),
                ["a", "a$", "ab:x", "z"],
                "{setting}"
            );
        }
        setting.clear("");
        assert!(setting.keys("", None).is_empty(), "{setting}");
    });
}
