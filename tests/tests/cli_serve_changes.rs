//! `avocet serve` with uploads, new folders and deletions.

use std::fs;

use avocet_tests::program::Target;
use avocet_tests::raw::{Answer, ask};
use avocet_tests::run::run;

fn send(target: &Target, method: &str, path: &str, fields: &str, content: &str) -> Answer {
    let length = content.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {fields}\r\n{content}"
    );
    ask(target, request)
}

#[test]
fn a_folder_is_changed_as_far_as_the_flags_allow() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let flags = ["--upload", "--mkdir", "--delete", "--max-upload", "1k", "--quota", "2k"];
    let target =
        Target::start(&[&["serve", root, "--listen", "127.0.0.1:0"][..], &flags[..]].concat());
    assert_eq!(send(&target, "MKCOL", "/in", "", "").status, 201);
    assert_eq!(send(&target, "PUT", "/in/a", "", "one").status, 201);
    assert_eq!(send(&target, "PUT", "/in/a", "", "two").status, 409, "without --overwrite");
    assert_eq!(send(&target, "PUT", "/in/b", "", &"x".repeat(1025)).status, 413);
    assert_eq!(send(&target, "PUT", "/in/b", "", &"x".repeat(1024)).status, 201);
    assert_eq!(send(&target, "PUT", "/in/c", "", &"x".repeat(1024)).status, 507);
    let form =
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"d\"\r\n\r\nd\r\n--b--\r\n";
    let kind = "Content-Type: multipart/form-data; boundary=b\r\n";
    assert_eq!(send(&target, "POST", "/in/", kind, form).status, 201);
    let foreign = format!("{kind}Origin: http://evil.example\r\n");
    assert_eq!(send(&target, "POST", "/in/", &foreign, form).status, 403);
    assert_eq!(send(&target, "DELETE", "/in/b", "", "").status, 204);
    let page = send(&target, "GET", "/in/", "", "");
    let page = String::from_utf8(page.content).unwrap();
    assert!(page.contains("type=\"file\"") && page.contains("value=\"delete\""), "{page}");
    assert_eq!(fs::read_to_string(folder.path().join("in/a")).unwrap(), "one");
    assert_eq!(fs::read_to_string(folder.path().join("in/d")).unwrap(), "d");
    assert_eq!(fs::read_dir(folder.path().join("in")).unwrap().count(), 2);
}

#[test]
fn nothing_changes_without_flags() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "a").unwrap();
    let target =
        Target::start(&["serve", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    for method in ["PUT", "POST", "DELETE", "PATCH", "MKCOL"] {
        assert_eq!(send(&target, method, "/a", "", "x").status, 405, "{method}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "a");
}

#[test]
fn amounts_that_are_none_are_refused() {
    for arguments in [["--max-upload", "0"], ["--quota", "many"]] {
        let ran = run(&[&["serve", "--upload"][..], &arguments[..]].concat());
        assert_eq!(ran.status, 2, "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn an_archive_is_served_and_another_one_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("d")).unwrap();
    fs::write(folder.path().join("d/a.txt"), "a file").unwrap();
    let root = folder.path().to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0"];
    let target = Target::start(&[&["serve", root, "--download-folders"], &listen[..]].concat());
    let zip = send(&target, "GET", "/d/?archive=zip", "", "").content;
    let path = folder.path().join("d.zip");
    fs::write(&path, zip).unwrap();
    let path = path.to_str().unwrap();
    let target = Target::start(&[&["serve", "--archive", path], &listen[..]].concat());
    assert_eq!(send(&target, "GET", "/d/a.txt", "", "").content, b"a file");
    assert_eq!(send(&target, "GET", "/d", "", "").status, 301);
    for (arguments, status) in [
        (vec!["--archive", "/nonexistent.zip"], 2),
        (vec!["--archive", root], 1),
        (vec!["--archive", path, "--upload"], 2),
        (vec!["--archive", path, root], 2),
    ] {
        let ran = run(&[vec!["serve"], arguments.clone()].concat());
        assert_eq!(ran.status, status, "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn what_is_compressed_is_kept_beside_its_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), "the same words ".repeat(100)).unwrap();
    let root = folder.path().to_str().unwrap();
    let target = Target::start(&["serve", root, "--listen", "127.0.0.1:0", "--sidecars"]);
    let beside = folder.path().join("page.html.gz");
    let answer = send(&target, "GET", "/page.html", "Accept-Encoding: gzip\r\n", "");
    assert_eq!(answer.field("Content-Encoding"), Some("gzip"));
    let begin = std::time::Instant::now();
    while !beside.exists() {
        assert!(begin.elapsed().as_secs() < 20, "the sibling does not come");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let answer = send(&target, "GET", "/page.html", "Accept-Encoding: gzip\r\n", "");
    assert_eq!(answer.content, fs::read(beside).unwrap());
}

#[test]
fn versions_of_a_file_are_dictionaries_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app-1.js"), "let the = words;\n".repeat(100)).unwrap();
    let root = folder.path().to_str().unwrap();
    for (flags, expected) in [(&["--dictionaries"][..], Some("match=\"/app-*.js\"")), (&[], None)] {
        let target =
            Target::start(&[&["serve", root, "--listen", "127.0.0.1:0"][..], flags].concat());
        let answer = send(&target, "GET", "/app-1.js", "", "");
        assert_eq!(answer.field("Use-As-Dictionary"), expected);
    }
    let ran = run(&["serve", root, "--dictionaries", "--no-compress"]);
    assert_eq!(ran.status, 2, "{}", ran.err);
}
