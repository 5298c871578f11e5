//! §9: methods.

use avocet_tests::program::Target;
use avocet_tests::raw::{Connection, ask};

fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// §9.1: GET and HEAD must be supported, all others are optional.
#[test]
fn get_and_head_are_supported() {
    let target = Target::echo();
    assert_eq!(ask(&target, request("GET", "/")).status, 200);
    let mut connection = Connection::open(&target);
    connection.send(request("HEAD", "/"));
    assert_eq!(connection.answer_to_head().status, 200);
    connection.expect_silence();
}

/// §9.3.2: HEAD has the fields of GET, and no content.
#[test]
fn head_has_the_fields_of_get() {
    let target = Target::echo();
    for path in ["/", "/echo", "/cookie", "/a?b"] {
        let mut connection = Connection::open(&target);
        connection.send(request("GET", path));
        let get = connection.answer();
        connection.send(request("HEAD", path));
        let head = connection.answer_to_head();
        let names = |answer: &avocet_tests::raw::Answer| -> Vec<String> {
            answer.fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect()
        };
        assert_eq!((get.status, names(&get)), (head.status, names(&head)), "{path}");
        assert_eq!(get.field("content-type"), head.field("content-type"), "{path}");
        connection.expect_silence();
    }
}

/// §9.3.7: OPTIONS tells what is possible; a server that has nothing to say more sends Allow.
#[test]
fn options_tells_the_methods() {
    let target = Target::echo();
    let answer = ask(&target, request("OPTIONS", "/"));
    assert_eq!(answer.status, 204);
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        assert!(answer.lists("allow", method), "{answer:?}");
    }
    assert!(!answer.lists("allow", "DELETE"), "{answer:?}");
}

/// §9.3.8: TRACE shows credentials to scripts. It is not supported here, and nothing of the request
/// comes back.
#[test]
fn trace_is_not_supported() {
    let target = Target::echo();
    let answer = ask(&target, "TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n");
    assert!(matches!(answer.status, 405 | 501), "{answer:?}");
    assert!(!answer.text().contains("secret"));
}
