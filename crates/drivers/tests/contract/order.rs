use crate::setting::for_every_driver;

#[test]
fn the_last_call_wins_whether_the_others_were_awaited_or_not() {
    for_every_driver(|setting| {
        let written: Vec<_> = (0..100)
            .map(|round| setting.start_set("a", &format!("round {round}")))
            .collect();
        for operation in written {
            setting.finish(operation).expect("writes");
        }
        assert_eq!(setting.get("a").as_deref(), Some("round 99"), "{setting}");
    });
}

#[test]
fn outcomes_taken_in_reverse_change_nothing_of_the_order() {
    for_every_driver(|setting| {
        let operations = vec![
            setting.start_set("a", "first"),
            setting.start_remove("a"),
            setting.start_set("a", "last"),
            setting.start_set("b", "first"),
            setting.start_remove("b"),
        ];
        for operation in operations.into_iter().rev() {
            setting.finish(operation).expect("is done");
        }
        assert_eq!(setting.get("a").as_deref(), Some("last"), "{setting}");
        assert_eq!(setting.get("b"), None, "{setting}");
    });
}

#[test]
fn dropping_the_operation_does_not_undo_the_write() {
    for_every_driver(|setting| {
        drop(setting.start_set("a", "written"));
        setting.flush();
        assert_eq!(setting.get("a").as_deref(), Some("written"), "{setting}");
    });
}
