//! §2.3: the version.

use avocet_tests::program::Target;
use avocet_tests::raw::{ask, refused};

/// The version tells what the sender can do: a server says 1.1 to a client of 1.0 too.
#[test]
fn the_answer_has_the_version_of_the_server() {
    let target = Target::echo();
    let answer = ask(&target, "GET / HTTP/1.0\r\n\r\n");
    assert_eq!((answer.status, answer.version.as_str()), (200, "HTTP/1.1"));
}

/// A minor version above ours is read as the highest that we know (RFC 9110 §2.5).
#[test]
fn a_higher_minor_version_is_read_as_1_1() {
    let target = Target::echo();
    let answer = ask(&target, "GET / HTTP/1.2\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, answer.version.as_str()), (200, "HTTP/1.1"));
}

/// Another major version is another protocol: 505.
#[test]
fn another_major_version_is_refused() {
    let target = Target::echo();
    for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"] {
        refused(&target, format!("GET / {version}\r\nHost: a\r\n\r\n"), 505);
    }
}

/// The name is upper case, the numbers are one digit each, and nothing stands between them.
#[test]
fn a_version_has_one_spelling() {
    let target = Target::echo();
    for version in [
        "http/1.1",
        "Http/1.1",
        "HTTP/1.10",
        "HTTP/01.1",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/ 1.1",
        "HTTP 1.1",
        "HTTP/1,1",
        "HTTPS/1.1",
    ] {
        refused(&target, format!("GET / {version}\r\nHost: a\r\n\r\n"), 400);
    }
}
