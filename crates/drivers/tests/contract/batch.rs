use eas_core::value::{Text, Value};

use crate::setting::for_every_driver;

#[test]
fn a_batch_answers_in_the_order_asked_for() {
    for_every_driver(|setting| {
        setting.set("a", "1");
        setting.set("b:c", "2");
        let found = setting
            .get_items(&["b:c", "missing", "a", "b:c"])
            .expect("reads");
        let text = |text: &str| Some(Value::Text(Text::from(text)));
        assert_eq!(found, [text("2"), None, text("1"), text("2")], "{setting}");
        assert_eq!(setting.get_items(&[]).expect("reads"), [], "{setting}");
    });
}

#[test]
fn a_batch_writes_every_item_and_the_last_of_equal_keys_holds() {
    for_every_driver(|setting| {
        let keys: Vec<String> = (0..200)
            .map(|index| format!("group{}:k{index}", index % 9))
            .collect();
        let mut items: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "old")).collect();
        items.extend(keys.iter().map(|key| (key.as_str(), key.as_str())));
        setting.set_items(&items).expect("writes");
        assert_eq!(setting.keys("", None).len(), 200, "{setting}");
        for key in &keys {
            assert_eq!(setting.get(key), Some(key.clone()), "{setting}");
        }
        setting.set_items(&[]).expect("does nothing");
    });
}
