//! Forms as they are written into queries and contents.
//!
//! ```
//! use avocet_client::forms;
//!
//! let text = forms::encode([("user", "you@email.com"), ("note", "a b&c")]);
//! assert_eq!(text, "user=you%40email.com&note=a+b%26c");
//! assert_eq!(forms::decode(&text)[1], ("note".to_owned(), "a b&c".to_owned()));
//! ```
//!
//! *Spec*: the `application/x-www-form-urlencoded` serializer and parser of the URL standard. It
//! escapes `~` and leaves `*`, other than Python's `urlencode`; what reads forms reads both.

use url::form_urlencoded;

/// Puts names and values together.
pub fn encode<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Takes a text apart. Bytes that are no UTF-8 become U+FFFD.
pub fn decode(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The media type of content that [`encode`] makes.
pub(crate) const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python's `urlencode` gives for the same pairs.
    #[test]
    fn parity_u16_the_pairs_of_python() {
        for (pairs, text) in [
            (&[("a", "1"), ("b", "x y")][..], "a=1&b=x+y"),
            (
                &[("id_username", "you@email.com"), ("id_password", "my p&ss")],
                "id_username=you%40email.com&id_password=my+p%26ss",
            ),
            (&[("n", ""), ("\u{e9}", "\u{4e2d}")], "n=&%C3%A9=%E4%B8%AD"),
            (&[("a", "1"), ("a", "2")], "a=1&a=2"),
            (&[("=", "&+%")], "%3D=%26%2B%25"),
        ] {
            assert_eq!(encode(pairs.iter().copied()), text);
            let back: Vec<(String, String)> =
                pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(decode(text), back);
        }
    }
}
