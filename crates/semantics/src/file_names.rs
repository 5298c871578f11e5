//! Names of files that come from a peer.
//!
//! ```
//! use avocet_semantics::file_names;
//!
//! assert_eq!(file_names::safe("../../.ssh/authorized_keys").as_deref(), Some("authorized_keys"));
//! assert_eq!(file_names::safe("-rf\n"), Some("rf".into()));
//! assert_eq!(file_names::safe(".."), None);
//! ```

/// The longest name that common file systems take, in bytes.
pub const MAX_LEN: usize = 255;

/// A name that can be made in the target folder and nowhere else, or `None` if nothing remains.
///
/// Only what follows the last slash or backslash counts. Control characters and those that turn
/// the direction of writing are dropped: they forge lines and extensions on a terminal. Dots,
/// dashes and blanks at the start go, so that the file is neither hidden nor an option of a
/// command; so do dots and blanks at the end, which some systems ignore. Colons, which open drives
/// and streams there, become underscores, and a device of theirs (`CON`, `NUL` ...) gets one in
/// front.
///
/// *Bounds*: at most 255 bytes; a longer name loses the end of its stem and keeps its extension.
pub fn safe(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let letters = last.chars().filter(|&letter| !is_deceptive(letter));
    let cleaned: String =
        letters.map(|letter| if is_reserved(letter) { '_' } else { letter }).collect();
    let name = cleaned
        .trim_start_matches(|letter: char| matches!(letter, '.' | '-') || letter.is_whitespace())
        .trim_end_matches(|letter: char| letter == '.' || letter.is_whitespace());
    if name.is_empty() {
        return None;
    }
    let guard = if is_device(name) { "_" } else { "" };
    Some(shortened(&format!("{guard}{name}")))
}

fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

fn is_reserved(letter: char) -> bool {
    matches!(letter, ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// Whether the stem names a device on Windows, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let is_numbered = |prefix: &str| {
        let number = stem.get(..3).filter(|start| start.eq_ignore_ascii_case(prefix));
        number.is_some() && matches!(stem.as_bytes(), [_, _, _, b'0'..=b'9'])
    };
    ["con", "prn", "aux", "nul"].iter().any(|device| stem.eq_ignore_ascii_case(device))
        || is_numbered("com")
        || is_numbered("lpt")
}

/// Cuts the stem so that stem and extension fit.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_LEN {
        return name.to_owned();
    }
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_EXTENSION => name.split_at(dot),
        _ => (name, ""),
    };
    let mut end = (MAX_LEN - extension.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &stem[..end])
}

/// An extension longer than this is no extension but a name with a dot in it.
const MAX_EXTENSION: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay() {
        for name in
            ["a.txt", "a b (1).tar.gz", "é", "日本.png", "a-b", "COM10", "console", "%2e%2e"]
        {
            assert_eq!(safe(name).as_deref(), Some(name));
        }
    }

    /// CVE-2020-8177, CVE-2016-0754, CVE-2025-11563: names that left the folder.
    #[test]
    fn a_name_never_leaves_its_folder() {
        let table = [
            ("/etc/passwd", Some("passwd")),
            ("..\\..\\boot.ini", Some("boot.ini")),
            ("C:\\a.exe", Some("a.exe")),
            ("C:a.exe", Some("C_a.exe")),
            ("a.txt:stream", Some("a.txt_stream")),
            ("a/..", None),
            ("a/", None),
            (".", None),
            ("", None),
            ("...", None),
        ];
        for (given, expected) in table {
            assert_eq!(safe(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn a_name_is_neither_hidden_nor_an_option_nor_a_forgery() {
        let table = [
            (".bashrc", "bashrc"),
            ("--help", "help"),
            (" - .a", "a"),
            ("a\u{1b}[2Jb", "a[2Jb"),
            ("a\0b\r\nc", "abc"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a.txt. . ", "a.txt"),
            ("nul.txt", "_nul.txt"),
            ("Com1", "_Com1"),
            ("a?b*c", "a_b_c"),
        ];
        for (given, expected) in table {
            assert_eq!(safe(given).as_deref(), Some(expected), "{given:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let name = safe(&format!("{}.tar.gz", "é".repeat(300))).unwrap();
        assert!(
            name.len() <= MAX_LEN && name.len() > MAX_LEN - 2 && name.ends_with("é.gz"),
            "{name}"
        );
        let name = safe(&format!("a.{}", "x".repeat(300))).unwrap();
        assert_eq!(name.len(), MAX_LEN);
    }
}
