//! `avocet fetch -F`: parts of forms, byte for byte as curl 7.88 sends them.

use std::fs;

use avocet_tests::run::run_in;
use avocet_tests::scripted::{Scripted, response};

/// What curl 7.88.1 was seen to send for these parts, with `BOUNDARY` for its boundaries. The folder
/// has the files that are made below.
const SEEN: [(&[&str], &str); 12] = [
    (&["-F", "x= v "], "Content-Disposition: form-data; name=\"x\"\r\n\r\nv\r\n"),
    (
        &["-F", "x=\"a\\\"b\\\\c;d\"; type=text/x ; filename=\"q;r.gif\""],
        "Content-Disposition: form-data; name=\"x\"; filename=\"q;r.gif\"\r\n\
         Content-Type: text/x\r\n\r\na\"b\\c;d\r\n",
    ),
    (
        &["-F", "x=@a.txt;type=image/gif,b.html;filename=z"],
        "Content-Disposition: form-data; name=\"x\"\r\n\
         Content-Type: multipart/mixed; boundary=BOUNDARY\r\n\r\n--BOUNDARY\r\n\
         Content-Disposition: attachment; filename=\"a.txt\"\r\nContent-Type: image/gif\r\n\r\n\
         AAA\r\n--BOUNDARY\r\nContent-Disposition: attachment; filename=\"z\"\r\n\
         Content-Type: text/html\r\n\r\nBBB\r\n--BOUNDARY--\r\n\r\n",
    ),
    (
        &["-F", "x=@\"c d,e.bin\""],
        "Content-Disposition: form-data; name=\"x\"; filename=\"c d,e.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\nCCC\r\n",
    ),
    (
        &["-F", "x=<b.html"],
        "Content-Disposition: form-data; name=\"x\"\r\nContent-Type: text/html\r\n\r\nBBB\r\n",
    ),
    (&["-F", "x=<a.txt"], "Content-Disposition: form-data; name=\"x\"\r\n\r\nAAA\r\n"),
    (
        &["-F", "x=v;filename=y.pdf"],
        "Content-Disposition: form-data; name=\"x\"; filename=\"y.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\nv\r\n",
    ),
    (
        &["-F", "x=@a.txt;headers=@fields;headers=\"Z: 3;4\""],
        "Content-Disposition: form-data; name=\"x\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\nX: 1\r\nY: 2\r\nZ: 3;4\r\n\r\nAAA\r\n",
    ),
    (
        &["-F", "x=v;type=text/plain; charset=utf-8;filename=f"],
        "Content-Disposition: form-data; name=\"x\"; filename=\"f\"\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nv\r\n",
    ),
    (
        &["--form-string", "x=@a;type=\"b\""],
        "Content-Disposition: form-data; name=\"x\"\r\n\r\n@a;type=\"b\"\r\n",
    ),
    (
        &["-F", "a\"b=@a.txt;filename=\"q\\\"r\""],
        "Content-Disposition: form-data; name=\"a%22b\"; filename=\"q%22r\"\r\n\
         Content-Type: text/plain\r\n\r\nAAA\r\n",
    ),
    (
        &["--form-escape", "-F", "a\"b=@a.txt;filename=\"q\\\"r\""],
        "Content-Disposition: form-data; name=\"a\\\"b\"; filename=\"q\\\"r\"\r\n\
         Content-Type: text/plain\r\n\r\nAAA\r\n",
    ),
];

/// The content of a request with one word for every boundary.
fn content(request: &str) -> String {
    let content = request.split_once("\r\n\r\n").map_or("", |(_, content)| content);
    let dashes = "------------------------";
    let mut parts = content.split(dashes);
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A delimiter has two dashes more.
        let digits = part.trim_start_matches('-');
        all.push_str(&part[..part.len() - digits.len()]);
        all.push_str("BOUNDARY");
        all.push_str(digits.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    all
}

#[test]
fn parts_are_byte_for_byte_those_of_curl() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in
        [("a.txt", "AAA"), ("b.html", "BBB"), ("c d,e.bin", "CCC"), ("fields", "X: 1\nY: 2\n")]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/");
    for (call, _) in SEEN {
        let ran = run_in(folder.path(), &[&["fetch"], call, &[&url]].concat(), "");
        assert_eq!(ran.status, 0, "{call:?}: {}", ran.err);
    }
    let requests = server.requests();
    for ((call, expected), request) in SEEN.iter().zip(&requests) {
        let expected = format!("--BOUNDARY\r\n{expected}--BOUNDARY--\r\n");
        assert_eq!(content(request), expected, "{call:?}");
    }
}

/// curl cuts a value off at a semicolon that it does not understand, and takes a parenthesis for the
/// beginning of a group, which is for mail.
#[test]
fn no_part_of_a_value_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| response("200 OK", "", ""));
    let url = server.url("/");
    for value in ["a;b", "(v)", "\"ab\" cd"] {
        let ran = run_in(folder.path(), &["fetch", "-F", &format!("x={value}"), &url], "");
        assert_eq!(ran.status, 0, "{}", ran.err);
        let request = server.requests().pop().unwrap();
        assert!(request.contains(&format!("\r\n\r\n{value}\r\n--")), "{request}");
    }
    for wrong in ["x", "=v", "x=v;type=foo", "x=\"v\";w", "x=v;encoder=base64", "x=v;headers=n"] {
        let ran = run_in(folder.path(), &["fetch", "-F", wrong, &url], "");
        assert_eq!((ran.status, ran.err.lines().count()), (2, 1), "{wrong}: {}", ran.err);
    }
    assert_eq!(server.requests().len(), 3);
}

/// What is large is not held in memory, and can be sent again all the same.
#[test]
fn a_form_with_a_large_file_follows_a_redirect() {
    let folder = tempfile::tempdir().unwrap();
    let large = "0123456789abcdef".repeat(20_000);
    fs::write(folder.path().join("large"), &large).unwrap();
    let server = Scripted::start(|request| match request.split(' ').nth(1) {
        Some("/from") => response("307 Temporary Redirect", "Location: /to\r\n", ""),
        _ => response("200 OK", "", "done"),
    });
    let call = ["fetch", "-L", "-F", "a=1", "-F", "f=@large", "-F", "b=2", &server.url("/from")];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out), (0, "done"), "{}", ran.err);
    let requests = server.requests();
    assert_eq!(content(&requests[0]), content(&requests[1]));
    assert!(content(&requests[1]).contains(&large));
}
