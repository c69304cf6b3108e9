//! Escapes text for JSON, in place.

/// What a replaced half of a surrogate pair looks like.
const REPLACEMENT: [u8; 3] = [0xef, 0xbf, 0xbd];

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Escapes the first `length` of `bytes`, which are UTF-8, and gives how many there are then. `None`
/// where the text is for the codec to write: there is no room, it holds a control character without a
/// short form, or U+FFFD, which may stand for half a surrogate pair.
pub(super) fn escape(bytes: &mut [u8], length: usize) -> Option<usize> {
    let text = bytes.get(..length)?;
    let first = first_marked(text);
    if first == length {
        return Some(length);
    }
    let mut escaped = 0;
    for (at, byte) in (first..).zip(&text[first..]) {
        match byte {
            b'"' | b'\\' => escaped += 1,
            0..0x20 => {
                letter_of(*byte)?;
                escaped += 1;
            }
            0xef if text[at..].starts_with(&REPLACEMENT) => return None,
            _ => {}
        }
    }
    let end = length + escaped;
    if end > bytes.len() {
        return None;
    }
    let (mut from, mut to) = (length, end);
    // From the end: what has moved is not read again. The rest stays where it is.
    while to > from {
        from -= 1;
        to -= 1;
        let byte = bytes[from];
        let letter = match byte {
            b'"' | b'\\' => byte,
            0..0x20 => letter_of(byte)?,
            _ => {
                bytes[to] = byte;
                continue;
            }
        };
        bytes[to] = letter;
        to -= 1;
        bytes[to] = b'\\';
    }
    Some(end)
}

/// Where the first byte is, or one of eight with it, that may have to be escaped or refused.
fn first_marked(text: &[u8]) -> usize {
    let words = text.chunks_exact(8);
    let rest = words.remainder();
    let count = words.len();
    let marked = words
        .map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")))
        .position(|word| {
            let is = |byte: u8| {
                let zero_where_it_is = word ^ (ONES * u64::from(byte));
                zero_where_it_is.wrapping_sub(ONES) & !zero_where_it_is
            };
            let below_space = word.wrapping_sub(ONES * 0x20) & !word;
            (below_space | is(b'"') | is(b'\\') | is(REPLACEMENT[0])) & HIGHS != 0
        });
    match marked {
        Some(word) => word * 8,
        None => {
            let marks = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\' | 0xef);
            count * 8 + rest.iter().position(marks).unwrap_or(rest.len())
        }
    }
}

/// What JSON writes behind a backslash for a control character, if that is a letter.
fn letter_of(control: u8) -> Option<u8> {
    match control {
        0x08 => Some(b'b'),
        b'\t' => Some(b't'),
        b'\n' => Some(b'n'),
        0x0c => Some(b'f'),
        b'\r' => Some(b'r'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str, room: usize) -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(text.len() + room, b'~');
        let length = escape(&mut bytes, text.len())?;
        Some(String::from_utf8(bytes[..length].to_vec()).expect("UTF-8"))
    }

    #[test]
    fn a_text_is_escaped_as_json_is_wherever_the_marks_stand() {
        for filling in [
            "",
            "x",
            "seven..",
            "eightxyz",
            "ж",
            "é漢🎉",
            "a longer text of many words",
        ] {
            for mark in [
                "",
                "\"",
                "\\",
                "\n",
                "\t\r\u{8}\u{c}",
                "\"\"\\\\",
                "｡",
                "\u{7f}",
            ] {
                for text in [
                    format!("{filling}{mark}{filling}"),
                    format!("{mark}{filling}{filling}{mark}"),
                ] {
                    let expected = serde_json::to_string(&text).expect("JSON");
                    let inside = &expected[1..expected.len() - 1];
                    assert_eq!(escaped(&text, 16).as_deref(), Some(inside), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_for_the_codec_is_left_to_it() {
        for text in [
            "\u{1}",
            "seven..\u{1f}",
            "half a pair \u{fffd}",
            "eightxyz\u{fffd}",
        ] {
            assert_eq!(escaped(text, 16), None, "{text:?}");
        }
    }

    #[test]
    fn a_text_that_grows_over_its_room_is_left_to_the_codec() {
        assert_eq!(escaped("\"\"", 1), None);
        assert_eq!(escaped("\"\"", 2).as_deref(), Some("\\\"\\\""));
        assert_eq!(escaped("plain", 0).as_deref(), Some("plain"));
    }
}
