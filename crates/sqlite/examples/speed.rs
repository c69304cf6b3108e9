//! Time of single writes and reads, without anything around the store.
use eas_core::blocking::BlockingDriver;
use eas_core::value::{Text, Value};
use eas_sqlite::{SqliteOptions, SqliteStore};
use std::sync::Arc;
use std::time::Instant;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let file = std::path::Path::new(&dir).join("s.db");
    let s = SqliteStore::new(
        SqliteOptions::at(&file),
        Arc::new(eas_core::runtime::system_time_ms),
    );
    let v = Value::Text(Text::from(
        format!("{{\"json\":\"{}\"}}", "x".repeat(300)).as_str(),
    ));
    let n = 20000;
    for round in 0..2 {
        let t = Instant::now();
        let mut worst = 0u128;
        for i in 0..n {
            let t1 = Instant::now();
            s.set(&format!("k:{i}"), &v, None).unwrap();
            worst = worst.max(t1.elapsed().as_micros());
        }
        println!(
            "set round {round}: {:.2} us, worst {worst}",
            t.elapsed().as_secs_f64() * 1e6 / n as f64
        );
    }
    let t = Instant::now();
    for i in 0..n {
        assert!(s.get(&format!("k:{i}")).unwrap().is_some());
    }
    println!("get: {:.2} us", t.elapsed().as_secs_f64() * 1e6 / n as f64);
    let t = Instant::now();
    println!(
        "keys {} in {:.2} ms",
        s.keys("k:", None).unwrap().len(),
        t.elapsed().as_secs_f64() * 1e3
    );
    s.dispose().unwrap();
}
