//! The properties that the fuzz targets look for counter-examples of, on generated input.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[expect(unreachable_pub, reason = "public in the crate of the fuzz targets")]
#[path = "../../../fuzz/src/lib.rs"]
mod properties;

const SEGMENTS: &[&str] = &[
    "a", "..", ".", "...", "con", "NUL.txt", "com1", "%", "%41", "%~self", "%~tmp-1", "%~moved",
    "%~+a~", "%~-a", "<", "\"", "*", "|", " ", ".", "é", "e\u{301}", "ключ", "🗝", "\u{1}",
    "\u{7f}", "\0", "$", "~", "?", "\\", "/", ":",
];

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"json\"",
    "\"meta\"",
    "\"expires\"",
    "{\"json\":",
    "1",
    "-1",
    "1e999",
    "99999999999999999999",
    "null",
    "\"x\"",
    "\"\\ud800\"",
    " ",
    "é",
    "\u{2028}",
];

const GLOB_TOKENS: &[&str] = &[
    "*", "**", "?", "[", "]", "{", "}", "(", ")", "!", "@(", "+(", "!(", "|", ",", "..", "/", "\\",
    "a", "b", ".", "-", "1", "9", "^", "./", "**/", "/**",
];

fn built_of(parts: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    vec(select(parts), 0..most).prop_map(|parts| parts.concat())
}

fn hostile_key() -> impl Strategy<Value = String> {
    let long = (select(SEGMENTS), 1..200_usize).prop_map(|(part, count)| part.repeat(count));
    prop_oneof![built_of(SEGMENTS, 12), ".{0,40}", long]
}

fn hostile_path() -> impl Strategy<Value = String> {
    prop_oneof![
        built_of(SEGMENTS, 12),
        "([%~+a-z.-]{1,6}/){0,3}[%~+a-zA-F0-9-]{1,8}",
        ".{0,40}",
    ]
}

fn hostile_text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        built_of(TOKENS, 14).prop_map(String::into_bytes),
        built_of(TOKENS, 8).prop_map(|inside| format!("{{\"json\":{inside}}}").into_bytes()),
        (any::<u64>(), built_of(TOKENS, 4)).prop_map(|(expires, value)| {
            format!("{{\"expires\":{expires},\"json\":{value}}}").into_bytes()
        }),
        vec(any::<u8>(), 0..40),
    ]
}

fn hostile_index() -> impl Strategy<Value = Vec<u8>> {
    let key = prop_oneof![
        select(
            &[
                "key",
                "..:outside",
                "../outside",
                "ending",
                "",
                "key:",
                "a::b",
                "\0"
            ][..]
        )
        .prop_map(str::to_owned),
        hostile_key(),
    ];
    let ends = select(
        &[
            "1",
            "1700000000001",
            "-1",
            "1e3",
            "99999999999999999999",
            "null",
        ][..],
    );
    let file = select(
        &[
            "",
            ",\"m\":1600000000000000000,\"s\":22",
            ",\"m\":1,\"s\":10",
        ][..],
    );
    let told = (key, ends, file).prop_map(|(key, ends, file)| {
        let key = serde_json::json!(key);
        format!("{{\"k\":{key},\"x\":{ends}{file}}}\n").into_bytes()
    });
    let line = prop_oneof![
        4 => told,
        1 => built_of(TOKENS, 8).prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..20),
    ];
    vec(line, 0..6).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_key_reads_back_from_its_path(key in hostile_key()) {
        properties::key_path(&key);
    }

    #[test]
    fn a_path_stands_for_one_key(path in hostile_path()) {
        properties::path_key(&path);
    }

    #[test]
    fn the_inside_of_an_envelope_is_its_value(bytes in hostile_text()) {
        properties::envelope(&bytes);
    }

    #[test]
    fn matching_a_glob_ends(pattern in built_of(GLOB_TOKENS, 12), path in "[ab./-]{0,16}") {
        properties::glob(&pattern, &path);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_file_of_any_content_is_read_and_replaced(bytes in hostile_text()) {
        properties::stored_file(&bytes);
    }

    #[test]
    fn an_index_of_any_content_expires_only_what_expires(bytes in hostile_index()) {
        properties::expiry_index(&bytes);
    }
}

#[test]
fn the_seeds_of_the_fuzz_targets_hold() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus");
    let seeds = |target: &str| {
        let folder = std::fs::read_dir(format!("{corpus}/{target}")).expect("a folder of seeds");
        let read = folder.map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        let seeds: Vec<Vec<u8>> = read.collect();
        assert!(!seeds.is_empty(), "{target} has no seeds");
        seeds
    };
    let text = |seed: &[u8]| String::from_utf8(seed.to_vec()).expect("a seed that is text");
    seeds("key_path")
        .iter()
        .for_each(|seed| properties::key_path(&text(seed)));
    seeds("path_key")
        .iter()
        .for_each(|seed| properties::path_key(&text(seed)));
    for seed in seeds("stored_file") {
        properties::envelope(&seed);
        properties::stored_file(&seed);
    }
    for seed in seeds("expiry_index") {
        properties::expiry_index(&seed);
    }
    for seed in seeds("glob") {
        let seed = text(&seed);
        let (pattern, path) = seed.split_once('\n').expect("a pattern and a path");
        properties::glob(pattern, path);
    }
}
