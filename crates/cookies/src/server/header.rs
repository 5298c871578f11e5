//! The Cookie field of a request.

use std::borrow::Cow;

use super::quote::unquote;
use crate::octets::{split_once, trim};

/// A cookie as a request carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookiePair<'h> {
    /// The name; empty where the client sent a value alone.
    pub name: &'h [u8],
    /// The value as it stands there, quotation marks and percent signs included.
    pub value: &'h [u8],
}

impl<'h> CookiePair<'h> {
    /// The value without quotation marks, with `\"` and `\073` taken back: what
    /// [`ValueEncoding::Quoted`](super::ValueEncoding::Quoted) and Python write.
    pub fn unquoted(&self) -> Cow<'h, [u8]> {
        unquote(self.value)
    }

    /// The value with `%XX` taken back: what
    /// [`ValueEncoding::Percent`](super::ValueEncoding::Percent) writes.
    pub fn percent_decoded(&self) -> Cow<'h, [u8]> {
        percent_encoding::percent_decode(self.value).into()
    }
}

/// The cookies of a Cookie field, in the order of the field. Of several with one name the first
/// is the most specific; a client cannot prove that it is the right one.
///
/// Reading never fails: clients send what servers told them, and one odd cookie must not hide the
/// others. A semicolon always ends a cookie, also inside quotation marks: a parser that lets
/// quoted values span semicolons can be made to swallow other cookies into a value that a page
/// shows. Empty parts are passed over.
///
/// *Spec*: RFC 6265bis §4.2; the inverse of §5.8.3 step 6.
///
/// ```
/// use avocet_cookies::server::parse_cookie_header;
/// let names: Vec<_> = parse_cookie_header(b"a=1; b=x=y").map(|pair| pair.name).collect();
/// assert_eq!(names, [b"a", b"b"]);
/// ```
pub fn parse_cookie_header(value: &[u8]) -> impl Iterator<Item = CookiePair<'_>> {
    value.split(|octet| *octet == b';').map(trim).filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = split_once(part, b'=').unwrap_or((b"", part));
        CookiePair { name: trim(name), value: trim(value) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(header: &[u8]) -> Vec<CookiePair<'_>> {
        parse_cookie_header(header).collect()
    }

    #[test]
    fn a_quoted_value_cannot_swallow_other_cookies() {
        let found = pairs(b"a=\"start; sid=secret; b=end\"");
        assert_eq!(found.len(), 3);
        assert_eq!(found[1], CookiePair { name: b"sid", value: b"secret" });
    }

    #[test]
    fn odd_parts_hide_no_others() {
        for header in [&b"a=1;\xff=\xfe; =; ;b=2"[..], b";;a=1;=;=;b=2;", b"\ta=1\t;\x01;b=2"] {
            let named: Vec<_> = pairs(header).into_iter().filter(|p| p.name.len() == 1).collect();
            let (first, last) = (named.first().unwrap(), named.last().unwrap());
            assert_eq!((first.name, first.value), (&b"a"[..], &b"1"[..]));
            assert_eq!((last.name, last.value), (&b"b"[..], &b"2"[..]));
        }
        assert!(pairs(b"").is_empty());
    }

    #[test]
    fn percent_signs_are_taken_back_on_request_only() {
        let found = pairs(b"a=100%25%20%zz");
        assert_eq!(found[0].value, b"100%25%20%zz");
        assert_eq!(&*found[0].percent_decoded(), b"100% %zz");
    }
}
