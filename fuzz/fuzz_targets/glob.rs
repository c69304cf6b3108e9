#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    // The first line is the pattern, the rest the path.
    let (pattern, path) = text.split_once('\n').unwrap_or((text, "a/b"));
    properties::glob(pattern, path);
});
