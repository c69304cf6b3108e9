#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| properties::path_key(text));
