//! Any bytes as a zip: it is refused or served, and nothing of it is believed without a look.
#![no_main]

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use avocet_files::Folder;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static PLACE: RefCell<(File, PathBuf)> = RefCell::new({
        let path = std::env::temp_dir().join(format!("avocet-fuzz-{}.zip", std::process::id()));
        (File::create(&path).expect("a file can be made"), path)
    });
}

fuzz_target!(|bytes: &[u8]| {
    PLACE.with_borrow_mut(|(file, path)| {
        file.set_len(0).expect("a file can be emptied");
        file.write_all_at(bytes, 0).expect("a file can be written");
        // The threads of a service start with its first request, so that none does here.
        drop(Folder::new(path.as_path()).open_archive());
    });
});
