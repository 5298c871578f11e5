//! §15: what goes with a status.

use avocet_tests::program::Target;
use avocet_tests::raw::ask;

/// §15.5.6: 405 must come with Allow, and Allow must not name the method.
#[test]
fn a_method_that_is_not_allowed_is_told_which_are() {
    let target = Target::echo();
    for method in ["DELETE", "PUT", "PATCH"] {
        let answer = ask(&target, format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.lists("allow", "GET") && !answer.lists("allow", method), "{answer:?}");
    }
}

/// §15.5: an answer of class 4xx should say what is wrong, in a content with a type.
#[test]
fn errors_explain_themselves() {
    let target = Target::echo();
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
        "SPAM / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    ] {
        let answer = ask(&target, request);
        let kind = answer.field("content-type").expect("there is a type");
        assert!(kind.starts_with("text/html"), "{kind}");
        assert!(answer.text().contains(&answer.status.to_string()), "{answer:?}");
    }
}

/// What a request says stands nowhere in a page as markup.
#[test]
fn pages_escape_what_they_show() {
    let target = Target::echo();
    for request in [
        "GET /<script>alert(1)</script> HTTP/2.0\r\nHost: a\r\n\r\n",
        "<script> / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: <script>\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: <script>\r\n\r\n",
    ] {
        let answer = ask(&target, request);
        assert!(answer.status >= 400, "{request:?}");
        assert!(!answer.text().contains("<script"), "{answer:?}");
    }
}
