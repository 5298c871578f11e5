//! The head of a part.

use crate::Error;
use crate::grammar::{self, Cursor};

/// What the head of a part says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The name of the field.
    pub name: String,
    /// The name that the file has at the sender's, where the part is one. It is not safe: pass it
    /// through [`file_names::safe`](crate::file_names::safe) before it touches a disk.
    pub filename: Option<String>,
    /// Content-Type as it was sent, if it was.
    pub media_type: Option<String>,
}

impl PartHead {
    /// Reads the lines of a head, without the break that ends the last one.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut disposition = None;
        let mut media_type = None;
        let mut at = 0;
        for (count, line) in lines(bytes).enumerate() {
            if count == MOST_FIELDS {
                return Err(Error::TooMany { what: "fields of a part", limit: MOST_FIELDS });
            }
            let (name, value) = field(line).map_err(|error| error.after(at))?;
            if name.eq_ignore_ascii_case(b"content-disposition") {
                if disposition.replace((at + name.len() + 1, value)).is_some() {
                    return Err(Error::Syntax { what: "repeated content disposition", at });
                }
            } else if name.eq_ignore_ascii_case(b"content-type") {
                media_type = Some(text(value).ok_or(Error::Syntax { what: "media type", at })?);
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                // "Senders SHOULD NOT generate any parts with a Content-Transfer-Encoding header
                // field" (RFC 7578 §4.7); one that changes the bytes would be stored as it came.
                let plain: [&[u8]; 3] = [b"7bit", b"8bit", b"binary"];
                if !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
                    return Err(Error::Syntax { what: "transfer encoding of a part", at });
                }
            }
            at += line.len() + 2;
        }
        let missing = Error::Syntax { what: "content disposition of a part", at: 0 };
        let (at, value) = disposition.ok_or(missing)?;
        let (name, filename) = disposed(value).map_err(|error| error.after(at))?;
        Ok(Self { name, filename, media_type })
    }
}

/// Lines that end in CRLF; a line feed or a carriage return alone is left in its line, where no
/// field allows it.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = bytes.windows(2).position(|two| two == b"\r\n");
        rest = end.map(|end| &bytes[end + 2..]);
        Some(&bytes[..end.unwrap_or(bytes.len())])
    })
}

fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
    let (name, value) = line.split_at(colon);
    let value = grammar::trim(value.get(1..).unwrap_or_default());
    let is_control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    // A blank before the colon, or at the start of a line (RFC 5322's folding), is no token.
    if !grammar::is_token(name) || colon == line.len() || value.iter().any(is_control) {
        return Err(Error::Syntax { what: "field of a part", at: 0 });
    }
    Ok((name, value))
}

/// The name and the name of the file.
fn disposed(value: &[u8]) -> Result<(String, Option<String>), Error> {
    let mut cursor = Cursor::new(value);
    let kind = cursor.token().ok_or_else(|| cursor.error("content disposition of a part"))?;
    if !kind.eq_ignore_ascii_case("form-data") {
        return Err(cursor.error("content disposition of a part"));
    }
    let (mut name, mut filename) = (None, None);
    loop {
        cursor.skip_blanks();
        if cursor.is_done() {
            break;
        }
        if !cursor.eat(b';') {
            return Err(cursor.error("parameter of a part"));
        }
        cursor.skip_blanks();
        let parameter = cursor.token().ok_or_else(|| cursor.error("parameter of a part"))?;
        if !cursor.eat(b'=') {
            return Err(cursor.error("parameter of a part"));
        }
        let value = word(&mut cursor).ok_or_else(|| cursor.error("parameter of a part"))?;
        // "The encoding method described in [RFC5987], which would add a 'filename*' parameter to
        // the Content-Disposition header field, MUST NOT be used" (RFC 7578 §4.2).
        let place = match parameter {
            _ if parameter.eq_ignore_ascii_case("name") => &mut name,
            _ if parameter.eq_ignore_ascii_case("filename") => &mut filename,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(cursor.error("repeated parameter of a part"));
        }
    }
    Ok((name.ok_or_else(|| cursor.error("name of a part"))?, filename))
}

/// A token, or what stands between quotes. Browsers write a backslash as it is and a quote as `%22`,
/// others put a backslash before both, so that only these two pairs are escapes.
fn word(cursor: &mut Cursor<'_>) -> Option<String> {
    if !cursor.eat(b'"') {
        return cursor.token().map(str::to_owned);
    }
    let mut bytes = Vec::new();
    let mut rest = cursor.rest();
    loop {
        match rest {
            [b'\\', escaped @ (b'"' | b'\\'), after @ ..] => {
                bytes.push(*escaped);
                rest = after;
            }
            [b'"', after @ ..] => {
                rest = after;
                break;
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                rest = after;
            }
            [] => return None,
        }
    }
    cursor.move_to(cursor.at() + cursor.rest().len() - rest.len());
    String::from_utf8(bytes).ok()
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}

const MOST_FIELDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(value: &str) -> Option<(String, Option<String>)> {
        disposed(value.as_bytes()).ok()
    }

    fn both(name: &str, filename: &str) -> Option<(String, Option<String>)> {
        Some((name.to_owned(), Some(filename.to_owned())))
    }

    #[test]
    fn names_as_browsers_and_others_write_them() {
        assert_eq!(names("form-data; name=a"), Some(("a".to_owned(), None)));
        assert_eq!(names("Form-Data ; NAME=\"a b\" ;filename=c.txt"), both("a b", "c.txt"));
        assert_eq!(names(r#"form-data; name="f"; filename="a\"b\\c""#), both("f", "a\"b\\c"));
        assert_eq!(
            names(r#"form-data; name="f"; filename="C:\dir\x.txt""#),
            both("f", r"C:\dir\x.txt")
        );
        assert_eq!(
            names("form-data; name=f; filename=\"\u{e9}%22;\"; filename*=x"),
            both("f", "\u{e9}%22;")
        );
    }

    #[test]
    fn what_names_no_field_is_refused() {
        for value in [
            "",
            "form-data",
            "attachment; name=a",
            "form-data; filename=a",
            "form-data; name=a; name=b",
            "form-data; name=a b",
            "form-data; name=\"a",
            "form-data; name",
            "form-data, name=a",
        ] {
            assert_eq!(names(value), None, "{value}");
        }
        assert!(disposed(b"form-data; name=\"\xff\"").is_err());
    }

    #[test]
    fn heads() {
        let parse = |text: &str| PartHead::parse(text.as_bytes());
        let head =
            parse("content-type:  text/x \r\nX: y\r\nContent-Disposition: form-data; name=a")
                .unwrap();
        assert_eq!((head.name.as_str(), head.media_type.as_deref()), ("a", Some("text/x")));
        let disposition = "Content-Disposition: form-data; name=a";
        assert!(parse(&format!("{disposition}\r\nContent-Transfer-Encoding: BINARY")).is_ok());
        for lines in [
            "".to_owned(),
            "X: y".to_owned(),
            format!("{disposition}\r\n{disposition}"),
            format!("{disposition}\r\n folded"),
            format!("{disposition}\r\nX : y"),
            format!("{disposition}\r\n: y"),
            format!("{disposition}\r\nno colon"),
            format!("{disposition}\r\nX: a\nY: b"),
            format!("{disposition}\r\nContent-Transfer-Encoding: base64"),
            format!("{disposition}\r\n{}", "X: y\r\n".repeat(16)),
        ] {
            assert!(parse(&lines).is_err(), "{lines:?}");
        }
    }
}
