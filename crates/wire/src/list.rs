use crate::bytes::trim;

/// The members of a comma-separated list (RFC 9110 §5.6.1): trimmed, empty ones left out.
///
/// A comma in a quoted string separates nothing. A quoted string that does not end takes in the rest.
#[derive(Clone, Debug)]
pub struct ListItems<'b> {
    rest: &'b [u8],
}

impl<'b> ListItems<'b> {
    /// Splits one field value.
    #[must_use]
    pub fn new(value: &'b [u8]) -> Self {
        Self { rest: value }
    }
}

impl<'b> Iterator for ListItems<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        while !self.rest.is_empty() {
            let end = member_len(self.rest);
            let (member, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest.get(1..).unwrap_or_default();
            let member = trim(member);
            if !member.is_empty() {
                return Some(member);
            }
        }
        None
    }
}

fn member_len(bytes: &[u8]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        match (quoted, byte) {
            (false, b',') => return at,
            (false, b'"') => quoted = true,
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => quoted = false,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(value: &str) -> Vec<&str> {
        ListItems::new(value.as_bytes()).map(|item| std::str::from_utf8(item).unwrap()).collect()
    }

    #[test]
    fn members_are_trimmed_and_empty_ones_left_out() {
        assert_eq!(items("a, b\t,c"), ["a", "b", "c"]);
        assert_eq!(items(",, a ,,"), ["a"]);
        assert_eq!(items(""), [""; 0]);
        assert_eq!(items(" , "), [""; 0]);
    }

    #[test]
    fn quoted_strings_keep_their_commas() {
        assert_eq!(items(r#"a="x, y", b"#), [r#"a="x, y""#, "b"]);
        assert_eq!(items(r#""a\",b", c"#), [r#""a\",b""#, "c"]);
        assert_eq!(items(r#"a, "b, c"#), ["a", "\"b, c"]);
    }
}
