//! Small operations on octet strings that every parser here needs.

use std::fmt::Write as _;

/// Whether `octet` is WSP (space or tab), the only white space a cookie parser trims.
pub(crate) fn is_blank(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// `octets` without leading and trailing WSP.
pub(crate) fn trim(mut octets: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = octets
        && is_blank(*first)
    {
        octets = rest;
    }
    while let [rest @ .., last] = octets
        && is_blank(*last)
    {
        octets = rest;
    }
    octets
}

/// What stands before and after the first `separator`, or `None` where there is none.
pub(crate) fn split_once(octets: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = octets.iter().position(|octet| *octet == separator)?;
    Some((&octets[..at], &octets[at + 1..]))
}

/// Whether a control octet other than tab is inside (%x00-08 / %x0A-1F / %x7F).
pub(crate) fn has_control(octets: &[u8]) -> bool {
    octets.iter().any(|octet| matches!(octet, 0x00..=0x08 | 0x0a..=0x1f | 0x7f))
}

/// Whether `octets` begins with `prefix` in any ASCII case.
pub(crate) fn starts_with_ignore_case(octets: &[u8], prefix: &[u8]) -> bool {
    octets.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// `octets` as text that is safe to show on a terminal: UTF-8 stays, control characters and
/// octets that are no UTF-8 become `\xHH`, a backslash is doubled.
///
/// Names and values come from the network; shown raw they could move the cursor or recolor the
/// screen.
pub fn escape(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => out.push_str("\\\\"),
                // C0, DEL and C1 drive terminals; the marks that turn text around hide what a
                // value says.
                control if control.is_control() || is_direction_mark(control) => {
                    let mut buf = [0; 4];
                    push_hex(control.encode_utf8(&mut buf).as_bytes(), &mut out);
                }
                plain => out.push(plain),
            }
        }
        push_hex(chunk.invalid(), &mut out);
    }
    out
}

fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn push_hex(octets: &[u8], out: &mut String) {
    for octet in octets {
        write!(out, "\\x{octet:02x}").expect("a String takes every write");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_spaces_and_tabs_only() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b" \t"), b"");
        assert_eq!(trim("\u{a0}x".as_bytes()), "\u{a0}x".as_bytes());
    }

    #[test]
    fn control_octets_are_seen_and_tab_is_not_one() {
        for octet in 0..=255_u8 {
            let control = octet != 9 && (octet < 0x20 || octet == 0x7f);
            assert_eq!(has_control(&[b'a', octet]), control, "{octet:#x}");
        }
    }

    #[test]
    fn escape_leaves_nothing_that_drives_a_terminal() {
        assert_eq!(escape(b"a\x1b[31m\\\xff"), "a\\x1b[31m\\\\\\xff");
        assert_eq!(
            escape("\u{9b}\u{202e}ok\u{e9}".as_bytes()),
            "\\xc2\\x9b\\xe2\\x80\\xaeok\u{e9}"
        );
    }
}
