//! Lists of elements between commas.
//!
//! *Spec*: RFC 9110 §5.6.1.
//!
//! ```
//! use avocet_semantics::lists;
//!
//! let elements: Vec<&[u8]> = lists::elements(br#"a, "b, c" , , d"#).collect();
//! assert_eq!(elements, [&b"a"[..], br#""b, c""#, b"d"]);
//! ```

use crate::grammar;

/// The elements of a list, without the blanks around them and without the empty ones.
///
/// A comma within a quoted string separates nothing. A quoted string that does not end takes the
/// rest of the value, so that its commas do not turn into separators.
///
/// *Bounds*: no allocation; one pass over the value.
pub fn elements(value: &[u8]) -> Elements<'_> {
    Elements { rest: value }
}

/// Whether a list has an element that equals `token` in ASCII, letter case aside.
pub fn contains(value: &[u8], token: &str) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// The iterator that [`elements`] gives.
#[derive(Clone, Debug)]
pub struct Elements<'v> {
    rest: &'v [u8],
}

impl<'v> Iterator for Elements<'v> {
    type Item = &'v [u8];

    fn next(&mut self) -> Option<&'v [u8]> {
        while !self.rest.is_empty() {
            let end = end_of_element(self.rest, b',');
            let (element, after) = self.rest.split_at(end);
            self.rest = after.get(1..).unwrap_or_default();
            let element = grammar::trim(element);
            // "A recipient MUST parse and ignore a reasonable number of empty list elements."
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// The offset of the first separator outside a quoted string, or the length.
pub(crate) fn end_of_element(value: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (index, &byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => return index,
            _ => {}
        }
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(value: &str) -> Vec<&str> {
        elements(value.as_bytes()).map(|element| std::str::from_utf8(element).unwrap()).collect()
    }

    #[test]
    fn empty_elements_are_passed_over() {
        assert_eq!(all(",, a ,\t, b,,"), ["a", "b"]);
        assert_eq!(all(""), [""; 0]);
        assert_eq!(all(" , "), [""; 0]);
    }

    #[test]
    fn commas_in_quoted_strings_stay() {
        assert_eq!(all(r#"a="x, y", b="\", z""#), [r#"a="x, y""#, r#"b="\", z""#]);
        assert_eq!(all(r#"a, "b, c"#), ["a", r#""b, c"#]);
    }

    #[test]
    fn tokens_are_found_in_any_case() {
        assert!(contains(b"keep-alive, Close", "close"));
        assert!(!contains(b"closed, not close", "close"));
    }
}
