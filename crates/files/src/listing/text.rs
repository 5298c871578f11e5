//! Names, sizes and dates for people, written where they go: a folder may have very many.

use std::fmt::Write as _;

use avocet_semantics::dates;

/// A name as it can be shown: what is no UTF-8 is replaced, and so are control characters and those
/// that turn the direction of writing, by which a name could look like another.
pub(super) fn shown(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for_each_shown(name, |character| text.push(character));
    text
}

/// The same, escaped for HTML.
pub(super) fn write_shown(name: &[u8], out: &mut String) {
    for_each_shown(name, |character| match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        _ => out.push(character),
    });
}

fn for_each_shown(name: &[u8], mut each: impl FnMut(char)) {
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            each(if is_deceptive(character) { char::REPLACEMENT_CHARACTER } else { character });
        }
        if !chunk.invalid().is_empty() {
            each(char::REPLACEMENT_CHARACTER);
        }
    }
}

fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// A size with at most four characters of number and a binary unit.
pub(super) fn write_size(bytes: u64, out: &mut String) {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return write(out, format_args!("{bytes} B"));
    }
    // In tenths of the unit, rounded down, so that no float is needed.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 {
        tenths /= 1024;
        unit += 1;
    }
    let (whole, tenth, unit) = (tenths / 10, tenths % 10, UNITS[unit]);
    if whole >= 100 {
        write(out, format_args!("{whole} {unit}"));
    } else {
        write(out, format_args!("{whole}.{tenth} {unit}"));
    }
}

/// A point in time as a machine reads it, `2026-11-20T11:40:00Z`.
pub(super) fn write_time(seconds: i64, out: &mut String) {
    out.extend(dates::format_rfc3339(seconds).map(char::from));
}

/// The same for people, to the minute: `2026-11-20 11:40`.
pub(super) fn write_date(seconds: i64, out: &mut String) {
    let time = dates::format_rfc3339(seconds).map(char::from);
    out.extend(time.iter().take(16).map(|&digit| if digit == 'T' { ' ' } else { digit }));
}

pub(super) fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes what is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

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
            assert_eq!(written(|out| write_size(bytes, out)), text);
        }
    }

    #[test]
    fn names_that_would_deceive_are_marked() {
        assert_eq!(shown(b"caf\xc3\xa9 & <b>"), "caf\u{e9} & <b>");
        assert_eq!(shown(b"a\xff\nb\x1b"), "a\u{fffd}\u{fffd}b\u{fffd}");
        assert_eq!(shown("cod\u{202e}gpj.exe".as_bytes()), "cod\u{fffd}gpj.exe");
        let escaped = written(|out| write_shown(b"<a href=\"x\">&'\xff", out));
        assert_eq!(escaped, "&lt;a href=&quot;x&quot;&gt;&amp;'\u{fffd}");
    }

    #[test]
    fn dates() {
        assert_eq!(written(|out| write_time(1_577_934_245, out)), "2020-01-02T03:04:05Z");
        assert_eq!(written(|out| write_date(1_577_934_245, out)), "2020-01-02 03:04");
    }
}
