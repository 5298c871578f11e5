//! §5: field lines.

use avocet_tests::program::Target;
use avocet_tests::raw::{ask, refused};

fn echoed(target: &Target, lines: &str) -> String {
    let answer = ask(target, format!("GET /echo HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
    assert_eq!(answer.status, 200, "{lines:?}");
    answer.text().to_owned()
}

fn broken(target: &Target, line: &str) {
    refused(target, format!("GET / HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n"), 400);
}

/// Blanks around a value do not belong to it; blanks within do.
#[test]
fn blanks_around_a_value_are_dropped() {
    let target = Target::echo();
    let echo = echoed(&target, "X-A: \t b  c \t\r\nX-B:d\r\nX-C:\r\nX-D: \t \r\n");
    assert!(echo.ends_with("X-A: b  c\nX-B: d\nX-C: \nX-D: \n"), "{echo}");
}

/// §5.1: a blank between the name and the colon must be answered 400.
#[test]
fn a_blank_before_the_colon_is_400() {
    let target = Target::echo();
    for line in
        ["X-A : b", "X-A\t: b", "Host : a", "Content-Length : 5", "Transfer-Encoding : chunked"]
    {
        broken(&target, line);
    }
}

/// §5.2: a folded line must be answered 400, or be unfolded. Ours is answered 400.
#[test]
fn a_folded_line_is_400() {
    let target = Target::echo();
    for line in ["X-A: b\r\n c", "X-A: b\r\n\tc", "X-A:\r\n b", "Transfer-Encoding:\r\n chunked"] {
        broken(&target, line);
    }
}

/// A name is a token, and there is one.
#[test]
fn a_name_is_a_token() {
    let target = Target::echo();
    for line in [
        ": a",
        "X A: b",
        "X(A): b",
        "X[A]: b",
        "X\"A: b",
        "X,A: b",
        "X@A: b",
        "X/A: b",
        "X\u{1}A: b",
        "X-A",
        "é: b",
    ] {
        broken(&target, line);
    }
}

/// RFC 9110 §5.5: CR, LF and NUL in a value are dangerous, and the other control characters are
/// invalid too.
#[test]
fn a_value_has_no_control_characters() {
    let target = Target::echo();
    for control in (0..0x20u8).chain([0x7f]).filter(|byte| !b"\t\r\n".contains(byte)) {
        broken(&target, &format!("X-A: b{}c", char::from(control)));
    }
}

/// Lines of one name keep their order, and names their spelling.
#[test]
fn order_and_spelling_are_kept() {
    let target = Target::echo();
    let echo = echoed(&target, "x-A: 1\r\nX-B: 2\r\nX-a: 3\r\n");
    assert!(echo.ends_with("x-A: 1\nX-B: 2\nX-a: 3\n"), "{echo}");
}

/// RFC 9110 §5.4: fields larger than the server wants to process must be answered with a status of
/// class 4xx, not be cut or ignored.
#[test]
fn too_many_or_too_long_fields_are_431() {
    let target = Target::echo();
    let lines: String = (0..200).map(|index| format!("X-{index}: a\r\n")).collect();
    refused(&target, format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"), 431);
    let value = "a".repeat(60_000);
    refused(&target, format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {value}\r\n\r\n"), 431);
}

/// The same without an end: what is refused is not waited for.
#[test]
fn a_head_without_an_end_is_431() {
    let target = Target::echo();
    refused(&target, format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}", "a".repeat(60_000)), 431);
}
