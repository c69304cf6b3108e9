use eas_core::value::{BytesKind, Text, Value};

use crate::setting::for_every_driver;

#[test]
fn bytes_come_back_whole() {
    for_every_driver(|setting| {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"", b"\xff\xfe", &[7; 100_000]] {
            let value = Value::Bytes(bytes.into(), BytesKind::Uint8Array);
            setting.set_raw("a:b", value).expect("writes");
            assert_eq!(setting.get_raw("a:b").as_deref(), Some(bytes), "{setting}");
        }
        setting.flush();
        assert_eq!(
            setting.get_raw("a:b").as_deref(),
            Some(&[7; 100_000][..]),
            "{setting}"
        );
    });
}

#[test]
fn a_raw_text_keeps_its_text() {
    for_every_driver(|setting| {
        for text in ["", "text", "é€😀"] {
            let value = Value::Text(Text::from(text));
            setting.set_raw("a", value).expect("writes");
            assert_eq!(
                setting.get_raw("a").as_deref(),
                Some(text.as_bytes()),
                "{setting}"
            );
        }
    });
}

#[test]
fn a_raw_read_gives_the_same_before_and_after_a_flush() {
    for_every_driver(|setting| {
        for value in [
            Value::Text(Text::from("text")),
            Value::buffer(b"bytes".to_vec()),
        ] {
            drop(setting.start_set_raw("a", value.clone()));
            let before = setting.try_get_raw("a").expect("reads");
            setting.flush();
            let after = setting.try_get_raw("a").expect("reads");
            assert_eq!(before, after, "{setting}: {value:?}");
        }
    });
}

#[test]
fn text_that_was_written_raw_reads_as_text() {
    for_every_driver(|setting| {
        setting
            .set_raw("a", Value::buffer(b"{\"json\":1}".to_vec()))
            .expect("writes");
        setting.flush();
        let read = setting.try_get("a").expect("reads").expect("is there");
        assert_eq!(
            read.file_bytes().as_deref(),
            Some(&b"{\"json\":1}"[..]),
            "{setting}"
        );
    });
}
