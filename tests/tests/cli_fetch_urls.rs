//! `avocet fetch`: one URL that stands for several, and files of their own for each.

use std::fs;
use std::process::{Command, Stdio};

use avocet_tests::program::program;
use avocet_tests::run::{Ran, run, run_in};
use avocet_tests::scripted::{Scripted, response};

/// Answers with the path.
fn paths() -> Scripted {
    Scripted::start(|request| response("200 OK", "", request.split(' ').nth(1).unwrap_or_default()))
}

fn lines(server: &Scripted) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_pattern_is_fetched_in_its_order() {
    let server = paths();
    let ran = run(&["fetch", &server.url("/{a,b}[09-11:2]")]);
    assert_eq!((ran.status, &*ran.out), (0, "/a09/a11/b09/b11"), "{}", ran.err);
    let ran = run(&["fetch", "-g", &server.url("/[1-2]")]);
    assert_eq!((ran.status, &*ran.out), (0, "/[1-2]"), "{}", ran.err);
    // The brackets of an address are none of a pattern.
    let ran =
        run(&["fetch", "--connect-to", &format!("::{}", server.address), "http://[::1]/[1-2]"]);
    assert_eq!((ran.status, &*ran.out), (0, "/1/2"), "{}", ran.err);
    let host = format!("http://{{127.0.0.1,localhost}}:{}/", server.address.port());
    let ran = run(&["fetch", "-4", "-w", "%{urlnum} ", &host, &server.url("/x")]);
    assert_eq!((ran.status, &*ran.out), (0, "/0 /0 /x1 "), "{}", ran.err);
}

#[test]
fn files_are_named_by_what_the_pattern_stands_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = paths();
    let call = [
        "fetch",
        "-Z",
        "-o",
        "#2_#1.txt",
        "-O",
        &server.url("/{a,b}[1-2]"),
        &server.url("/c{1,2}"),
    ];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out), (0, ""), "{}", ran.err);
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for (name, text) in [
        ("1_a.txt", "/a1"),
        ("2_a.txt", "/a2"),
        ("1_b.txt", "/b1"),
        ("2_b.txt", "/b2"),
        ("c1", "/c1"),
        ("c2", "/c2"),
    ] {
        assert_eq!(file(name), text);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6);
}

#[test]
fn what_is_no_pattern_ends_the_call_before_it_begins() {
    let server = paths();
    for wrong in ["/[5-1]", "/{a", "/[1-2]{b,[3-4]}", "/[0-18446744073709551615]"] {
        let ran = run(&["fetch", &server.url("/fine"), &server.url(wrong)]);
        assert_eq!((ran.status, &*ran.out), (3, ""), "{wrong}");
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        assert!(ran.err.starts_with("avocet: ") && ran.err.contains(" --> `"), "{}", ran.err);
    }
    assert!(server.requests().is_empty());
}

/// As long as a range may be: it is counted, so that the first pages come at once.
#[test]
fn a_range_without_end_is_begun() {
    let server = paths();
    let mut command = Command::new(program());
    let mut child = command
        .args(["fetch", "--fail", "--fail-early"])
        .arg(server.url("/[1-9223372036854775807]"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut read = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut read).unwrap();
    assert_eq!(&read, b"/1/2/3");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn each_url_has_the_file_that_stands_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = paths();
    fs::write(folder.path().join("up1"), "1").unwrap();
    fs::write(folder.path().join("up2"), "2").unwrap();
    let url = |path: &str| server.url(path);
    let call = ["fetch", "-O", &url("/one"), "-o", "f", "--url", &url("/two"), &url("/three")];
    let ran = run_in(folder.path(), &call, "");
    assert_eq!((ran.status, &*ran.out), (0, "/three"), "{}", ran.err);
    assert_eq!(fs::read_to_string(folder.path().join("one")).unwrap(), "/one");
    assert_eq!(fs::read_to_string(folder.path().join("f")).unwrap(), "/two");
    let call = ["fetch", "-T", "up{1,2}", &url("/in/"), &url("/get")];
    assert_eq!(run_in(folder.path(), &call, "").status, 0);
    let sent = lines(&server);
    assert_eq!(sent[3..], ["PUT /in/up1 HTTP/1.1", "PUT /in/up2 HTTP/1.1", "GET /get HTTP/1.1"]);
    let ran = run_in(folder.path(), &["fetch", "-o", "a", "-o", "b", &url("/")], "");
    assert_eq!(ran.status, 0);
    assert!(ran.err.contains("more of -o and -O than URLs"), "{}", ran.err);
}

#[test]
fn what_is_read_once_is_sent_to_every_url() {
    let folder = tempfile::tempdir().unwrap();
    let server = paths();
    let run = |call: &[&str]| -> Ran { run_in(folder.path(), call, "from stdin") };
    assert_eq!(run(&["fetch", "-d", "@-", &server.url("/[1-2]")]).status, 0);
    assert_eq!(run(&["fetch", "-F", "f=@-", &server.url("/[3-4]")]).status, 0);
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.contains("from stdin")), "{requests:?}");
}

/// A file that every call writes to would take the place of those that the line names.
#[test]
fn files_of_urls_are_no_settings() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    for key in ["output = [\"x\"]", "remote-name = true", "upload-file = [\"x\"]"] {
        fs::write(&config, format!("[fetch]\n{key}\n")).unwrap();
        let mut command = Command::new(program());
        let output = command
            .env("AVOCET_CONFIG", &config)
            .args(["fetch", "http://127.0.0.1:1/"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("config.toml, line 2") && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn passwords_in_urls_are_not_repeated() {
    for verb in ["fetch", "download", "check"] {
        for url in [
            "http://me:secret@127.0.0.1:1/x",
            "http://me:sec ret@h h/x",
            "foo://me:secret@h/x",
            "http://me:secret@h:99999/x",
        ] {
            let ran = run(&[verb, url]);
            assert_ne!(ran.status, 0);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            let said = [ran.out, ran.err].concat();
            assert!(!said.contains("sec") && !said.contains("ret"), "{verb}: {said}");
        }
    }
}
