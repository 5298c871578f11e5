//! Any Range field against files of three lengths: the bytes that come are those that were asked for,
//! each once, or the whole file.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/files/tests/suite/oracle.rs"]
mod oracle;

use oracle::range::Ranged;

thread_local! {
    static FILES: RefCell<Ranged> = RefCell::new({
        let root = std::env::temp_dir().join(format!("avocet-fuzz-range-{}", std::process::id()));
        std::fs::create_dir(&root).expect("a folder can be made");
        Ranged::new(&root)
    });
}

fuzz_target!(|range: &str| {
    let is_value = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if range.len() < 8_000 && range.bytes().all(is_value) {
        FILES.with_borrow_mut(|files| files.check(range));
    }
});
