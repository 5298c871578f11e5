#![no_main]

use std::{
    fs,
    time::{Duration, UNIX_EPOCH},
};

use avocet_cookies::import;
use libfuzzer_sys::fuzz_target;

// The first two octets say how much of the rest is the write-ahead log; what remains is the
// database. Any of it is read or refused.
fuzz_target!(|data: &[u8]| {
    let Some((len, rest)) = data.split_first_chunk() else { return };
    let split = usize::from(u16::from_be_bytes(*len)).min(rest.len());
    let (log, file) = rest.split_at(split);
    let folder = std::env::temp_dir().join(format!("avocet-fuzz-browser-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("jar");
    fs::write(&path, file).expect("a file");
    fs::write(folder.join("jar-wal"), log).expect("a file");
    if let Ok(imported) = import(&path, UNIX_EPOCH + Duration::from_secs(1_795_000_000)) {
        let all = imported.cookies.len() + imported.left_out.len() + imported.expired;
        assert!(all <= file.len() + log.len());
    }
});
