//! A listing as JSON.

use super::entries::{Entries, Entry};
use super::text;
use crate::path::encode;

pub(super) fn start(url: &str, out: &mut String) {
    out.push_str("{\"path\":");
    string(url, out);
    out.push_str(",\"entries\":[");
}

/// `name` is text and loses what is no UTF-8; `href` leads to the entry whatever its name is.
pub(super) fn entry(entry: &Entry<'_>, is_first: bool, out: &mut String) {
    out.push_str(if is_first { "\n{\"name\":" } else { ",\n{\"name\":" });
    string(&String::from_utf8_lossy(entry.name), out);
    out.push_str(",\"href\":\"./");
    encode(entry.name, out);
    out.push_str(if entry.is_folder { "/\",\"type\":\"folder\"" } else { "\",\"type\":\"file\"" });
    if !entry.is_folder {
        let size = entry.size;
        text::write(out, format_args!(",\"size\":{size}"));
    }
    if entry.is_link {
        out.push_str(",\"link\":true");
    }
    out.push_str(",\"modified\":\"");
    text::write_time(entry.modified, out);
    out.push_str("\"}");
}

pub(super) fn end(entries: &Entries, out: &mut String) {
    out.push_str(if entries.is_cut() {
        "\n],\"complete\":false}\n"
    } else {
        "\n],\"complete\":true}\n"
    });
}

/// A string of RFC 8259 §7.
pub(crate) fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                let code = u32::from(character);
                text::write(out, format_args!("\\u{code:04x}"));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        let mut out = String::new();
        string("a\"b\\c\n\u{7f}\u{2028}\u{e9}", &mut out);
        assert_eq!(out, "\"a\\\"b\\\\c\\u000a\\u007f\\u2028\u{e9}\"");
    }
}
