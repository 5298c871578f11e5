//! The table of conditions, one test per sentence of RFC 9110 §13.

use super::*;

const NOW: i64 = 1_700_000_000;
const MODIFIED: i64 = 1_577_934_245;
const SAME: &[u8] = b"Thu, 02 Jan 2020 03:04:05 GMT";
const EARLIER: &[u8] = b"Thu, 02 Jan 2020 03:04:04 GMT";
const LATER: &[u8] = b"Thu, 02 Jan 2020 03:04:06 GMT";

fn current() -> Validators<'static> {
    Validators { tag: EntityTag::strong(b"now"), modified: Some(MODIFIED) }
}

fn outcome(method: Method, fields: &[(&str, &[u8])]) -> Outcome {
    Conditions::from_fields(fields.iter().copied()).evaluate(&method, Some(&current()), NOW)
}

fn range(fields: &[(&str, &[u8])]) -> bool {
    let conditions = Conditions::from_fields(fields.iter().copied());
    conditions.range(&Method::GET, &current(), NOW) == Some(b"bytes=0-4")
}

#[test]
fn no_condition_lets_everything_through() {
    let none = Conditions::from_fields([("Host", &b"a"[..]), ("Accept-Ranges", b"bytes")]);
    assert!(none.is_empty());
    assert_eq!(none.evaluate(&Method::PUT, None, NOW), Outcome::Proceed);
}

#[test]
fn if_match_compares_strongly() {
    let table: [(&[u8], Outcome); 7] = [
        (b"*", Outcome::Proceed),
        (br#""now""#, Outcome::Proceed),
        (br#""a", "now""#, Outcome::Proceed),
        (br#"W/"now""#, Outcome::PreconditionFailed),
        (br#""old""#, Outcome::PreconditionFailed),
        (br#"now"#, Outcome::PreconditionFailed),
        (b"", Outcome::PreconditionFailed),
    ];
    for (value, expected) in table {
        assert_eq!(outcome(Method::PUT, &[("If-Match", value)]), expected, "{value:?}");
        assert_eq!(outcome(Method::GET, &[("if-match", value)]), expected, "{value:?}");
    }
}

#[test]
fn if_none_match_compares_weakly() {
    let table: [(&[u8], bool); 7] = [
        (b"*", true),
        (br#""now""#, true),
        (br#"W/"now""#, true),
        (br#""a,b", "now""#, true),
        (br#""old""#, false),
        (br#"now"#, false),
        (br#"now, "now""#, false),
    ];
    for (value, known) in table {
        let fields = [("If-None-Match", value)];
        let (read, write) = match known {
            true => (Outcome::NotModified, Outcome::PreconditionFailed),
            false => (Outcome::Proceed, Outcome::Proceed),
        };
        assert_eq!(outcome(Method::GET, &fields), read, "{value:?}");
        assert_eq!(outcome(Method::HEAD, &fields), read, "{value:?}");
        assert_eq!(outcome(Method::PUT, &fields), write, "{value:?}");
    }
}

#[test]
fn nothing_there_satisfies_if_none_match_and_fails_if_match() {
    for value in [&b"*"[..], br#""now""#] {
        let conditions = Conditions::from_fields([("If-None-Match", value)]);
        assert_eq!(conditions.evaluate(&Method::PUT, None, NOW), Outcome::Proceed);
        let conditions = Conditions::from_fields([("If-Match", value)]);
        assert_eq!(conditions.evaluate(&Method::PUT, None, NOW), Outcome::PreconditionFailed);
    }
}

#[test]
fn if_modified_since_counts_on_reads_only() {
    let table: [(&[u8], Outcome); 5] = [
        (SAME, Outcome::NotModified),
        (LATER, Outcome::NotModified),
        (EARLIER, Outcome::Proceed),
        (b"Thursday, 02-Jan-20 03:04:05 GMT", Outcome::NotModified),
        (b"yesterday", Outcome::Proceed),
    ];
    for (value, expected) in table {
        let fields = [("If-Modified-Since", value)];
        assert_eq!(outcome(Method::GET, &fields), expected, "{value:?}");
        assert_eq!(outcome(Method::HEAD, &fields), expected, "{value:?}");
        assert_eq!(outcome(Method::POST, &fields), Outcome::Proceed, "{value:?}");
    }
}

#[test]
fn if_unmodified_since_guards_against_lost_updates() {
    let table: [(&[u8], Outcome); 4] = [
        (SAME, Outcome::Proceed),
        (LATER, Outcome::Proceed),
        (EARLIER, Outcome::PreconditionFailed),
        (b"yesterday", Outcome::Proceed),
    ];
    for (value, expected) in table {
        assert_eq!(outcome(Method::PUT, &[("If-Unmodified-Since", value)]), expected);
    }
}

#[test]
fn a_tag_outweighs_a_date() {
    let fields = [("If-None-Match", &br#""old""#[..]), ("If-Modified-Since", SAME)];
    assert_eq!(outcome(Method::GET, &fields), Outcome::Proceed);
    let fields = [("If-Match", &br#""now""#[..]), ("If-Unmodified-Since", EARLIER)];
    assert_eq!(outcome(Method::GET, &fields), Outcome::Proceed);
}

#[test]
fn a_failed_precondition_comes_before_not_modified() {
    let fields = [("If-None-Match", &b"*"[..]), ("If-Match", br#""old""#)];
    assert_eq!(outcome(Method::GET, &fields), Outcome::PreconditionFailed);
    let fields = [("If-Match", &br#""now""#[..]), ("If-None-Match", br#""now""#)];
    assert_eq!(outcome(Method::GET, &fields), Outcome::NotModified);
}

#[test]
fn several_lines_of_tags_are_one_list() {
    let fields = [("If-None-Match", &br#""a""#[..]), ("If-None-Match", br#""now""#)];
    assert_eq!(outcome(Method::GET, &fields), Outcome::NotModified);
    let broken = [("If-None-Match", &b"a"[..]), ("If-None-Match", br#""now""#)];
    assert_eq!(outcome(Method::GET, &broken), Outcome::Proceed);
}

#[test]
fn several_dates_are_no_date() {
    let fields = [("If-Modified-Since", SAME), ("If-Modified-Since", SAME)];
    assert_eq!(outcome(Method::GET, &fields), Outcome::Proceed);
}

#[test]
fn methods_without_a_representation_ignore_conditions() {
    for method in [Method::OPTIONS, Method::TRACE, Method::CONNECT] {
        assert_eq!(outcome(method, &[("If-Match", br#""old""#)]), Outcome::Proceed);
    }
}

#[test]
fn what_has_no_validators_is_never_known() {
    let fields = [("If-None-Match", &br#""now""#[..]), ("If-Unmodified-Since", EARLIER)];
    let conditions = Conditions::from_fields(fields);
    let bare = Validators::default();
    assert_eq!(conditions.evaluate(&Method::GET, Some(&bare), NOW), Outcome::Proceed);
    let star = Conditions::from_fields([("If-None-Match", &b"*"[..])]);
    assert_eq!(star.evaluate(&Method::GET, Some(&bare), NOW), Outcome::NotModified);
}

#[test]
fn a_range_counts_where_if_range_holds() {
    let wanted = ("Range", &b"bytes=0-4"[..]);
    assert!(range(&[wanted]));
    assert!(range(&[wanted, ("If-Range", br#""now""#)]));
    assert!(range(&[wanted, ("If-Range", SAME)]));
    let failing: [&[u8]; 6] = [br#"W/"now""#, br#""old""#, EARLIER, LATER, b"junk", b""];
    for value in failing {
        assert!(!range(&[wanted, ("If-Range", value)]), "{value:?}");
    }
    assert!(!range(&[wanted, ("If-Range", br#""now""#), ("If-Range", br#""now""#)]));
    assert!(!range(&[wanted, wanted]));
}

#[test]
fn a_range_counts_on_get_only() {
    let conditions = Conditions::from_fields([("Range", &b"bytes=0-4"[..])]);
    assert!(!conditions.is_empty());
    for method in [Method::HEAD, Method::POST, Method::PUT] {
        assert_eq!(conditions.range(&method, &current(), NOW), None);
    }
}

#[test]
fn a_weak_tag_of_ours_never_joins_ranges() {
    let current = Validators { tag: EntityTag::weak(b"now"), modified: Some(MODIFIED) };
    for value in [&br#""now""#[..], br#"W/"now""#] {
        let conditions =
            Conditions::from_fields([("Range", &b"bytes=0-4"[..]), ("If-Range", value)]);
        assert_eq!(conditions.range(&Method::GET, &current, NOW), None);
    }
}

#[test]
fn a_date_of_this_moment_is_too_young_for_if_range() {
    let conditions = Conditions::from_fields([("Range", &b"bytes=0-4"[..]), ("If-Range", SAME)]);
    for (now, counts) in [(MODIFIED, false), (MODIFIED + 1, false), (MODIFIED + 2, true)] {
        assert_eq!(conditions.range(&Method::GET, &current(), now).is_some(), counts, "{now}");
    }
}
