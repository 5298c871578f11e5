//! Text from elsewhere, made harmless for where it is put.

use std::fmt::Write as _;

/// For the text and the quoted attributes of HTML and XML.
pub(crate) fn escape_html(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(character),
        }
    }
}

/// For a quoted part of a log line: nothing that a terminal would obey, no quote that would end the
/// part, no byte beyond ASCII.
pub(crate) fn escape_line(value: &[u8], line: &mut String) {
    for &byte in value {
        match byte {
            b'"' | b'\\' => {
                line.push('\\');
                line.push(char::from(byte));
            }
            0x20..=0x7e => line.push(char::from(byte)),
            _ => append(line, format_args!("\\x{byte:02x}")),
        }
    }
}

/// For a string of JSON; bytes that are no UTF-8 are replaced.
pub(crate) fn escape_json(value: &[u8], text: &mut String) {
    for character in String::from_utf8_lossy(value).chars() {
        match character {
            '"' | '\\' => {
                text.push('\\');
                text.push(character);
            }
            // Besides the control characters, those that turn the direction of text around.
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                append(text, format_args!("\\u{:04x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
}

/// Formatting into a string cannot fail.
pub(crate) fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a string takes everything");
}
