//! §3.2 and §3.3: the target and its host.

use avocet_tests::program::Target;
use avocet_tests::raw::{ask, refused};

fn with_host(target: &Target, host: &str, status: u16) {
    let request = format!("GET / HTTP/1.1\r\n{host}\r\n");
    if status == 200 {
        assert_eq!(ask(target, &request).status, 200, "{host:?}");
    } else {
        refused(target, &request, status);
    }
}

/// A request of HTTP/1.1 without Host must be answered 400.
#[test]
fn a_request_without_host_is_400() {
    let target = Target::echo();
    with_host(&target, "", 400);
    with_host(&target, "X-Host: a\r\n", 400);
}

/// A request with more than one Host line must be answered 400, equal or not.
#[test]
fn a_request_with_two_hosts_is_400() {
    let target = Target::echo();
    with_host(&target, "Host: a\r\nHost: b\r\n", 400);
    with_host(&target, "Host: a\r\nHost: a\r\n", 400);
    with_host(&target, "Host: a\r\nX: y\r\nhost: a\r\n", 400);
}

/// A Host with an invalid value must be answered 400.
#[test]
fn an_invalid_host_is_400() {
    let target = Target::echo();
    for value in [
        "", "u@a", "a/b", "a?b", "a#b", "a b", "a,b", "[::1", "::1", "a:b", "a:65536", "a:-1",
        "a:80:80", "http://a", "a\\b", "a%zz", "[::g]", "\"a\"",
    ] {
        with_host(&target, &format!("Host: {value}\r\n"), 400);
    }
}

/// Valid ones in all forms.
#[test]
fn a_valid_host_is_taken() {
    let target = Target::echo();
    for value in [
        "a",
        "a:80",
        "a.example:65535",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:80",
        "xn--bcher-kva.example",
        "a_b",
        "%41",
        "a.",
    ] {
        with_host(&target, &format!("Host: {value}\r\n"), 200);
    }
}

/// HTTP/1.0 knows no Host, so it may be missing there. It must be valid if it is there.
#[test]
fn host_is_optional_in_1_0() {
    let target = Target::echo();
    assert_eq!(ask(&target, "GET / HTTP/1.0\r\n\r\n").status, 200);
    refused(&target, "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", 400);
}

/// §3.2.1: the usual form, a path with an optional query.
#[test]
fn the_origin_form() {
    let target = Target::echo();
    for path in ["/", "/a/b?c=d&e=/?", "/?", "//a", "/%00", "/;a=b", "/*", "/~!$&'()*+,=:@"] {
        let answer = ask(&target, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// A fragment never goes over the wire, and no byte stands in a target that a URI cannot have.
#[test]
fn a_target_has_no_fragment_and_no_odd_bytes() {
    let target = Target::echo();
    for path in [
        &b"/a#b"[..],
        b"/#",
        b"/\xc3\xa9",
        b"/\xc0\xaf",
        b"/\x7f",
        b"/a\0b",
        b"/a\x01",
        b"a",
        b"?a",
        b"\\",
    ] {
        let request = [b"GET ", path, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        refused(&target, request, 400);
    }
}

/// §3.2.2: a server must accept the absolute form, even if only proxies get it as a rule.
#[test]
fn the_absolute_form_is_accepted() {
    let target = Target::echo();
    for uri in ["http://a/", "http://a", "http://a:80/b?c", "http://[::1]/", "HTTP://A/"] {
        let answer = ask(&target, format!("GET {uri} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.status, 200, "{uri}");
    }
}

/// The host of an absolute form counts, and the Host field is ignored: another one is no error.
#[test]
fn the_absolute_form_outweighs_host() {
    let target = Target::echo();
    let answer = ask(&target, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n");
    assert_eq!(answer.status, 200);
}

/// The Host field must be there nevertheless, and be valid.
#[test]
fn the_absolute_form_needs_host() {
    let target = Target::echo();
    refused(&target, "GET http://a/ HTTP/1.1\r\n\r\n", 400);
    refused(&target, "GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
}

/// An absolute form with a broken authority is a broken request line.
#[test]
fn a_broken_absolute_form_is_refused() {
    let target = Target::echo();
    for uri in [
        "http://",
        "http:///a",
        "http://u@a/",
        "http://a:b/",
        "http://[::1/",
        "http:/a",
        "://a/",
        "1http://a/",
    ] {
        refused(&target, format!("GET {uri} HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }
}

/// §3.2.3: host and port are the target of CONNECT only; an origin server has no tunnels.
#[test]
fn the_authority_form_is_for_connect_only() {
    let target = Target::echo();
    for method in ["GET", "POST", "OPTIONS"] {
        refused(&target, format!("{method} a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"), 400);
    }
    let answer = ask(&target, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    assert!(matches!(answer.status, 405 | 501), "{answer:?}");
    refused(&target, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

/// §3.2.4: the asterisk is for OPTIONS only, and asks about the server as a whole.
#[test]
fn the_asterisk_form_is_for_options_only() {
    let target = Target::echo();
    let answer = ask(&target, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer.status / 100, 2, "{answer:?}");
    for method in ["GET", "POST", "PUT", "DELETE"] {
        refused(&target, format!("{method} * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }
    refused(&target, "OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}
