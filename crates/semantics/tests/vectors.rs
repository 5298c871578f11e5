//! What other programs compute, and where we differ on purpose.

#![expect(clippy::unwrap_used, reason = "a vector file that cannot be read fails its test")]

use std::path::PathBuf;

use serde_json::Value;

use avocet_semantics::{dates, lists, status};
use http::StatusCode;

/// The cases of a file under `tests/vectors`; each file names its origin.
fn cases(name: &str) -> Vec<Value> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "vectors", name].iter().collect();
    let text = std::fs::read_to_string(&path).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    assert!(file["origin"].as_str().is_some_and(|origin| !origin.is_empty()), "{name}: no origin");
    let cases = file["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{name}: no cases");
    cases
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn dates_are_written_as_python_writes_them() {
    for case in cases("date_format.json") {
        let seconds = case["in"].as_i64().unwrap();
        assert_eq!(text(&dates::format_imf(seconds)), case["imf"].as_str().unwrap());
        let rfc3339 = case["isoz"].as_str().unwrap().replace(' ', "T");
        assert_eq!(text(&dates::format_rfc3339(seconds)), rfc3339);
    }
}

/// Of the dates that Python's mail and cookie modules read, these are HTTP dates. What a field
/// must ignore (a zone other than GMT, a name left out, a day that does not exist) is not here.
const HTTP_DATES: [&str; 8] = [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Wed, 09 Feb 1994 22:23:32 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Tue, 31 Mar 1981 05:00:00 GMT",
    "Wednesday, 09-Feb-94 22:23:32 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
];

#[test]
fn dates_are_read_as_python_reads_them_where_they_are_http_dates() {
    let now = 1_700_000_000;
    let mut read = 0;
    for case in cases("dates.json") {
        let given = case["in"].as_str().unwrap();
        let expected = match given {
            "Thu, 01 Jan 1601 00:00:00 GMT" => case["parsedate"].as_i64(),
            _ if HTTP_DATES.contains(&given) => case["parsedate"].as_i64(),
            _ => None,
        };
        assert_eq!(dates::parse(given.as_bytes(), now), expected, "{given}");
        read += usize::from(expected.is_some());
    }
    assert_eq!(read, HTTP_DATES.len() + 1);
}

/// Python 3.11 has older names for these; ours are those of RFC 9110.
const RENAMED: [(u16, &str); 4] = [
    (413, "Content Too Large"),
    (414, "URI Too Long"),
    (416, "Range Not Satisfiable"),
    (422, "Unprocessable Content"),
];

#[test]
fn every_status_of_python_has_its_name_and_a_sentence() {
    for case in cases("statuses.json") {
        let code = u16::try_from(case["code"].as_u64().unwrap()).unwrap();
        let status = StatusCode::from_u16(code).unwrap();
        let renamed = RENAMED.iter().find(|(renamed, _)| *renamed == code);
        let expected = renamed.map_or_else(|| case["phrase"].as_str().unwrap(), |(_, name)| name);
        assert_eq!(status::reason(status), expected);
        // A code without an entry of its own would get the sentence of a code that has no name.
        let unnamed = StatusCode::from_u16(code / 100 * 100 + 98).unwrap();
        assert_ne!(status::explanation(status), status::explanation(unnamed), "{code}");
    }
}

/// Python drops backslashes and keeps empty elements; RFC 9110 §5.6.1.2 drops the latter, and what
/// a quoted string means is for the reader of the element.
#[test]
fn lists_come_apart_as_python_takes_them_apart() {
    for case in cases("auth_param_lists.json") {
        let given = case["in"].as_str().unwrap();
        let found: Vec<String> = lists::elements(given.as_bytes())
            .map(|element| text(element).replace('\\', ""))
            .collect();
        let expected: Vec<&str> = case["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|element| element.as_str().unwrap())
            .filter(|element| !element.is_empty())
            .collect();
        assert_eq!(found, expected, "{given}");
    }
}
