#![no_main]

use avocet_cookies::dates;
use libfuzzer_sys::fuzz_target;

// A date that is read is one that can be written, and then means the same.
fuzz_target!(|data: &[u8]| {
    if let Some(at) = dates::cookie(data) {
        assert!((-11_644_473_600..=253_402_300_799).contains(&at));
        assert_eq!(dates::cookie(dates::http(at).as_bytes()), Some(at));
        assert_eq!(dates::cookie(dates::netscape(at).as_bytes()), Some(at));
        assert_eq!(dates::parse_iso(dates::iso(at).as_bytes()), Some(at));
    }
    if let Some(at) = dates::parse_iso(data) {
        assert_eq!(dates::parse_iso(dates::iso(at).as_bytes()), Some(at));
    }
});
