//! The cases of a file server against `avocet serve`, or against the server of `AVOCET_TARGET`, which
//! must serve such a folder.
#![expect(clippy::unwrap_used, reason = "a folder that cannot be made fails the test")]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use avocet_tests::probe::{self, Settings};
use avocet_tests::{corpus, program::Target};

#[test]
fn conformance_static() {
    let around = tempfile::tempdir().unwrap();
    let root = around.path().join("www");
    make_root(&root);
    let target = Target::named().unwrap_or_else(|| {
        Target::start(&["serve", root.to_str().unwrap(), "--listen", "127.0.0.1:0"])
    });
    probe::run(&corpus::read("static.json"), target.address, &Settings::default());
}

/// The folder that the cases speak of, with something beside it that must not be reached.
fn make_root(root: &Path) {
    fs::create_dir_all(root.join("dir/sub")).unwrap();
    fs::create_dir(root.join("../outside")).unwrap();
    fs::write(root.join("../outside/secret.txt"), "zq7-leak").unwrap();
    symlink("../../outside/secret.txt", root.join("dir/link.txt")).unwrap();
    let big = "0123456789".repeat(2_000);
    let files = [
        ("file.txt", "abcdefghijklmnopqrstuvwxyz"),
        ("index.html", "<p>hi</p>"),
        ("a b.txt", "space"),
        ("100%.txt", "pct"),
        ("empty.txt", ""),
        ("a+b.txt", "plus"),
        ("caf\u{e9}.txt", "utf"),
        ("data.json", "{}"),
        ("big.bin", &big),
    ];
    for (name, content) in files {
        let path = root.join(name);
        fs::write(&path, content).unwrap();
        // 2020-01-02T03:04:05Z, the date that conditional cases name.
        let time = UNIX_EPOCH + Duration::from_secs(1_577_934_245);
        File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    fs::write(root.join("dir/index.html"), "sub index").unwrap();
    fs::write(root.join(".hidden"), "hidden").unwrap();
    fs::write(root.join("noext"), "x").unwrap();
}
