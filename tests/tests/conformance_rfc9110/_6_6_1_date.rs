//! §6.6.1: Date.

use std::time::{SystemTime, UNIX_EPOCH};

use avocet_semantics::dates;
use avocet_tests::program::Target;
use avocet_tests::raw::ask;

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.expect("the clock is set").as_secs()).expect("seconds are few")
}

/// An origin server with a clock must send Date in every answer of class 2xx, 3xx and 4xx, in the
/// preferred form (§5.6.7), and it is the time of the answer.
#[test]
fn every_answer_is_dated() {
    let target = Target::echo();
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "SPAM / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let before = now();
        let answer = ask(&target, request);
        let date = answer.field("date").unwrap_or_else(|| panic!("{request:?}: no Date"));
        let seconds = dates::parse(date.as_bytes(), before).expect("Date is a date");
        assert_eq!(date.as_bytes(), dates::format_imf(seconds), "not the preferred form");
        // A cached date may be a second old.
        assert!((before - 2..=now() + 1).contains(&seconds), "{date} is not now");
    }
}
