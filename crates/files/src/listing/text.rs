//! Names, sizes and dates for people.

use avocet_semantics::dates;

/// A name as it can be shown: what is no UTF-8 is replaced, and so are control characters and those
/// that turn the direction of writing, by which a name could look like another.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .map(|shown| if is_deceptive(shown) { char::REPLACEMENT_CHARACTER } else { shown })
        .collect()
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A size with at most four characters of number and a binary unit.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // In tenths of the unit, rounded down, so that no float is needed.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 {
        tenths /= 1024;
        unit += 1;
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if whole >= 100 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{tenth} {}", UNITS[unit])
    }
}

/// A point in time as a machine reads it, `2026-11-20T11:40:00Z`.
pub(super) fn time(seconds: i64) -> String {
    let bytes = dates::format_rfc3339(seconds);
    bytes.iter().copied().map(char::from).collect()
}

/// The same for people, to the minute.
pub(super) fn date(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let table = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (102_400, "100 KiB"),
            (1_048_575, "1023 KiB"),
            (1_048_576, "1.0 MiB"),
            (u64::MAX, "15.9 EiB"),
        ];
        for (bytes, text) in table {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn names_that_would_deceive_are_marked() {
        assert_eq!(shown(b"caf\xc3\xa9 & <b>"), "caf\u{e9} & <b>");
        assert_eq!(shown(b"a\xff\nb\x1b"), "a\u{fffd}\u{fffd}b\u{fffd}");
        assert_eq!(shown("cod\u{202e}gpj.exe".as_bytes()), "cod\u{fffd}gpj.exe");
    }

    #[test]
    fn dates() {
        assert_eq!(time(1_577_934_245), "2020-01-02T03:04:05Z");
        assert_eq!(date("2020-01-02T03:04:05Z"), "2020-01-02 03:04");
    }
}
