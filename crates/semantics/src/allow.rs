//! The Allow field.
//!
//! *Spec*: RFC 9110 §10.2.1.

use http::Method;

/// The value of an Allow field that names these methods, in their order, each once.
///
/// No method gives the empty value, which says that the resource allows none.
///
/// ```
/// use avocet_semantics::allow;
/// use http::Method;
///
/// assert_eq!(allow::format([&Method::GET, &Method::HEAD, &Method::GET]), "GET, HEAD");
/// ```
pub fn format<'m>(methods: impl IntoIterator<Item = &'m Method>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for method in methods {
        if !seen.contains(&method.as_str()) {
            seen.push(method.as_str());
        }
    }
    seen.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_allowed_is_an_empty_value() {
        assert_eq!(format([]), "");
    }

    #[test]
    fn methods_of_ones_own_are_named_as_they_are() {
        let spam = Method::from_bytes(b"SPAM").unwrap();
        assert_eq!(format([&spam, &Method::PUT]), "SPAM, PUT");
    }
}
