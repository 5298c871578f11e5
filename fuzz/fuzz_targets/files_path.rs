//! Any path against a folder of files, links and hidden things: the answer is that of a naive reading
//! of the path, and nothing outside the folder is ever sent.
#![no_main]
#![expect(dead_code, reason = "the shared files serve other targets too")]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/files/tests/suite/oracle.rs"]
mod oracle;

use oracle::path::Tree;

thread_local! {
    static TREE: RefCell<Tree> = RefCell::new({
        // The folder outlives the process: a fuzzer that stops at a finding shows what it lay in.
        let around = std::env::temp_dir().join(format!("avocet-fuzz-path-{}", std::process::id()));
        std::fs::create_dir(&around).expect("a folder can be made");
        Tree::new(&around)
    });
}

fuzz_target!(|path: &str| {
    // Other bytes never come so far: the head that holds them is refused.
    let is_target = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>?\\".contains(&byte);
    if path.len() < 4_000 && path.bytes().all(is_target) {
        TREE.with_borrow_mut(|tree| tree.check(&format!("/{path}")));
    }
});
