use eas_core::condition::{Check, Etag, Expected};
use eas_core::driver::{Call, Options};
use eas_core::group::{Committed, Group, GroupWrite};
use eas_core::value::{Text, Value};

use crate::setting::{Setting, for_every_driver};

/// Drivers of the package that must make groups.
const COMMITS: [&str; 9] = [
    "memory",
    "fs",
    "fs-lite",
    "sqlite",
    "queue",
    "queue over memory",
    "queue over fs",
    "queue over fs-lite",
    "queue over sqlite",
];

/// Runs a check over every driver that makes groups.
fn for_those_that_commit(check: impl Fn(&Setting)) {
    let seen = std::cell::RefCell::new(Vec::new());
    for_every_driver(|setting| {
        let makes_groups = setting.driver.info().has(Call::Commit, setting.mode);
        seen.borrow_mut()
            .push((setting.title.clone(), makes_groups));
        if makes_groups {
            check(setting);
        }
    });
    for title in COMMITS {
        let mut modes = seen.borrow().clone();
        modes.retain(|(other, _)| other == title);
        let both = [(title.to_owned(), true), (title.to_owned(), true)];
        assert_eq!(modes, both, "in both modes");
    }
}

fn check(key: &str, expected: Expected) -> Check {
    let key = key.to_owned();
    Check { key, expected }
}

fn set(key: &str, text: &str) -> GroupWrite {
    GroupWrite::set(key.to_owned(), Text::from(text), Options::default())
}

fn remove(key: &str) -> GroupWrite {
    GroupWrite::Remove {
        key: key.to_owned(),
        options: Options::default(),
    }
}

fn etag(setting: &Setting, key: &str) -> Expected {
    let stored = setting.try_get_raw(key).expect("reads");
    Expected::Etag(Etag::of(&stored.expect("is there")))
}

fn commit(setting: &Setting, checks: Vec<Check>, writes: Vec<GroupWrite>) -> Committed {
    let committed = setting.start_commit(Group {
        checks: checks.into(),
        writes: writes.into(),
    });
    setting
        .finish(committed)
        .unwrap_or_else(|error| panic!("{setting}: {error}"))
}

fn conflicts(keys: &[&str]) -> Committed {
    Committed::Conflicts(keys.iter().map(|key| (*key).to_owned()).collect())
}

#[test]
fn a_group_is_made_where_its_conditions_hold() {
    for_those_that_commit(|setting| {
        setting.set("a", "1");
        setting.set("b:c", "2");
        let checks = vec![
            check("a", etag(setting, "a")),
            check("b:c", etag(setting, "b:c")),
            check("none", Expected::Missing),
        ];
        let writes = vec![
            set("a", "3"),
            remove("b:c"),
            set("d:e", "4"),
            remove("none"),
        ];
        assert_eq!(
            commit(setting, checks, writes),
            Committed::Done,
            "{setting}"
        );
        assert_eq!(setting.get("a").as_deref(), Some("3"), "{setting}");
        assert_eq!(setting.keys("", None), ["a", "d:e"], "{setting}");
        setting.flush();
        assert_eq!(setting.get("d:e").as_deref(), Some("4"), "{setting}");
    });
}

#[test]
fn a_conflict_names_the_keys_and_nothing_is_written() {
    for_those_that_commit(|setting| {
        setting.set("a", "1");
        let old = etag(setting, "a");
        setting.set("a", "2");
        setting.set("b", "1");
        let checks = vec![
            check("b", etag(setting, "b")),
            check("a", old),
            check("none", Expected::Etag(Etag::given("of nothing"))),
            check("b", Expected::Missing),
        ];
        let writes = vec![set("a", "3"), set("c", "3"), remove("b")];
        let committed = commit(setting, checks, writes);
        assert_eq!(committed, conflicts(&["a", "none", "b"]), "{setting}");
        assert_eq!(setting.get("a").as_deref(), Some("2"), "{setting}");
        assert_eq!(setting.keys("", None), ["a", "b"], "{setting}");
    });
}

#[test]
fn a_condition_tells_text_from_bytes_where_the_driver_does() {
    for_those_that_commit(|setting| {
        for value in [
            Value::Text(Text::from("{\"json\":1}")),
            Value::buffer(vec![0, 255, 7]),
            Value::buffer(Vec::new()),
        ] {
            setting.set_raw("a", value.clone()).expect("writes");
            let before = etag(setting, "a");
            setting.flush();
            let checks = vec![check("a", before)];
            let done = commit(setting, checks, vec![set("b", "1")]);
            assert_eq!(done, Committed::Done, "{setting}: {value:?}");
        }
    });
}

#[test]
fn conditions_alone_write_nothing() {
    for_those_that_commit(|setting| {
        setting.set("a", "1");
        let holds = vec![check("a", etag(setting, "a"))];
        assert_eq!(commit(setting, holds, vec![]), Committed::Done, "{setting}");
        let fails = vec![check("a", Expected::Missing)];
        assert_eq!(
            commit(setting, fails, vec![]),
            conflicts(&["a"]),
            "{setting}"
        );
        assert_eq!(setting.get("a").as_deref(), Some("1"), "{setting}");
    });
}

#[test]
fn of_groups_that_expect_the_same_one_is_made() {
    for_those_that_commit(|setting| {
        setting.set("a", "0");
        let groups: Vec<_> = (1..=20)
            .map(|number| {
                setting.start_commit(Group {
                    checks: vec![check("a", Expected::Stored(Value::Text("0".into())))].into(),
                    writes: vec![set("a", &number.to_string()), set("b", "1")].into(),
                })
            })
            .collect();
        let made = groups.into_iter().map(|group| setting.finish(group));
        let made = made.filter(|made| matches!(made, Ok(Committed::Done)));
        assert_eq!(made.count(), 1, "{setting}");
        assert_eq!(setting.get("a").as_deref(), Some("1"), "{setting}");
    });
}

#[test]
fn groups_and_other_writes_take_effect_in_the_order_of_the_calls() {
    for_those_that_commit(|setting| {
        let written = [setting.start_set("a", "1"), setting.start_set("b", "1")];
        let group = setting.start_commit(Group {
            checks: vec![
                check("a", Expected::Stored(Value::Text("1".into()))),
                check("b", Expected::Stored(Value::Text("1".into()))),
            ]
            .into(),
            writes: vec![set("a", "2"), remove("b"), set("c", "2")].into(),
        });
        let later = [setting.start_set("b", "3"), setting.start_remove("c")];
        for write in later.into_iter().chain(written) {
            setting.finish(write).expect("writes");
        }
        let committed = setting.finish(group).expect("commits");
        assert_eq!(committed, Committed::Done, "{setting}");
        setting.flush();
        assert_eq!(setting.get("a").as_deref(), Some("2"), "{setting}");
        assert_eq!(setting.get("b").as_deref(), Some("3"), "{setting}");
        assert_eq!(setting.get("c"), None, "{setting}");
    });
}

#[test]
fn what_a_group_writes_for_a_time_goes_when_that_is_over() {
    for_those_that_commit(|setting| {
        if !setting.driver.info().ttl {
            return;
        }
        let for_ms = |key: &str, ttl_ms| {
            GroupWrite::set(
                key.to_owned(),
                Text::from("1"),
                Options {
                    ttl_ms: Some(ttl_ms),
                    ..Options::default()
                },
            )
        };
        let writes = vec![
            for_ms("soon", 1),
            for_ms("late", 600_000),
            set("never", "1"),
        ];
        assert_eq!(
            commit(setting, vec![], writes),
            Committed::Done,
            "{setting}"
        );
        while setting.has("soon") {
            std::thread::yield_now();
        }
        assert_eq!(setting.keys("", None), ["late", "never"], "{setting}");
        let checks = vec![
            check("soon", Expected::Missing),
            check("late", etag(setting, "late")),
        ];
        // A change without a time takes the old one away.
        let committed = commit(setting, checks, vec![set("late", "2")]);
        assert_eq!(committed, Committed::Done, "{setting}");
        assert_eq!(setting.get("late").as_deref(), Some("2"), "{setting}");
    });
}
