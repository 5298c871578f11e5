//! Text in the charsets that need no tables: UTF-8, UTF-16, and Windows-1252, which is what the web
//! means by ISO-8859-1 and US-ASCII.

use avocet_semantics::media_types::MediaType;

/// Content as text: by its byte order mark, else by the charset of its type, else UTF-8.
///
/// *Errors*: what it is not, or the charset that is not known here.
pub(crate) fn decode(bytes: Vec<u8>, content_type: Option<&[u8]>) -> Result<String, String> {
    let named = content_type.and_then(|value| MediaType::parse(value).ok());
    let named = named.and_then(|media_type| Some(media_type.charset()?.to_ascii_lowercase()));
    match (&bytes[..], named.as_deref()) {
        ([0xef, 0xbb, 0xbf, rest @ ..], _) => utf8(rest.to_vec()),
        ([0xff, 0xfe, rest @ ..], _) => utf16(rest, u16::from_le_bytes),
        ([0xfe, 0xff, rest @ ..], _) => utf16(rest, u16::from_be_bytes),
        (_, None | Some("utf-8" | "utf8")) => utf8(bytes),
        (rest, Some("utf-16" | "utf-16le")) => utf16(rest, u16::from_le_bytes),
        (rest, Some("utf-16be")) => utf16(rest, u16::from_be_bytes),
        (
            rest,
            Some(
                "us-ascii" | "ascii" | "iso-8859-1" | "iso8859-1" | "latin1" | "windows-1252"
                | "cp1252",
            ),
        ) => Ok(rest.iter().map(|byte| windows_1252(*byte)).collect()),
        (_, Some(other)) => Err(format!("the charset {} is not known here", other.escape_debug())),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| format!("the content is not text in UTF-8: {error}"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> =
        char::decode_utf16(units.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err("the content is not text in UTF-16".to_owned()),
    }
}

/// The Encoding standard's index for windows-1252.
fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => SPECIAL[usize::from(byte - 0x80)],
        byte => char::from(byte),
    }
}

const SPECIAL: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], content_type: &str) -> Option<String> {
        decode(bytes.to_vec(), Some(content_type.as_bytes())).ok()
    }

    #[test]
    fn charsets_by_mark_and_by_name() {
        let euro = Some("\u{20ac}\u{e9}".to_owned());
        assert_eq!(text(b"\xe2\x82\xac\xc3\xa9", "text/html"), euro);
        assert_eq!(text(b"\xef\xbb\xbf\xe2\x82\xac\xc3\xa9", "text/html; charset=latin1"), euro);
        assert_eq!(text(b"\x80\xe9", "text/plain; charset=ISO-8859-1"), euro);
        assert_eq!(text(b"\xac\x20\xe9\0", "text/plain; charset=\"utf-16\""), euro);
        assert_eq!(text(b"\xfe\xff\x20\xac\0\xe9", "text/plain"), euro);
        assert_eq!(text(b"\x20\xac\0\xe9", "text/plain; charset=utf-16be"), euro);
        assert_eq!(decode(b"a".to_vec(), None).as_deref(), Ok("a"));
        assert_eq!(text(b"a", "no media type").as_deref(), Some("a"));
    }

    #[test]
    fn what_is_no_text_is_an_error() {
        assert_eq!(text(b"\xe9", "text/plain"), None);
        assert_eq!(text(b"\0", "text/plain; charset=utf-16"), None);
        assert_eq!(text(b"\0\xd8", "text/plain; charset=utf-16"), None);
        let error = decode(b"a".to_vec(), Some(b"text/plain; charset=Shift_JIS"));
        assert_eq!(error, Err("the charset shift_jis is not known here".to_owned()));
    }
}
