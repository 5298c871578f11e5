//! How a client wants a folder shown.

use avocet_semantics::accept;

/// What the query of a listing asks for. Whatever is not understood is as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) format: Format,
    pub(crate) sort: Sort,
    pub(crate) order: Order,
    /// Only names that contain this, without regard to case; empty for all.
    pub(crate) search: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Html,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    #[default]
    Name,
    Size,
    Time,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    Up,
    Down,
}

impl Query {
    /// Reads the query and, for the format, what `Accept` prefers.
    pub(crate) fn new(query: Option<&str>, accept: Option<&[u8]>) -> Self {
        let mut wanted = Self::default();
        let offers = ["text/html", "application/json"];
        if accept.and_then(|accept| accept::preferred(accept, &offers)) == Some(1) {
            wanted.format = Format::Json;
        }
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (name, value) {
                ("format", "json") => wanted.format = Format::Json,
                ("format", "html") => wanted.format = Format::Html,
                ("sort", "name") => wanted.sort = Sort::Name,
                ("sort", "size") => wanted.sort = Sort::Size,
                ("sort", "time") => wanted.sort = Sort::Time,
                ("order", "asc") => wanted.order = Order::Up,
                ("order", "desc") => wanted.order = Order::Down,
                ("q", value) => wanted.search = form_value(value),
                _ => {}
            }
        }
        wanted
    }
}

impl Sort {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Time => "time",
        }
    }
}

impl Order {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "asc",
            Self::Down => "desc",
        }
    }
}

/// Decodes a value as forms write it: a plus is a blank. What is no UTF-8 is replaced.
pub(crate) fn form_value(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let hex = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match after.split_at_checked(2) {
                Some((digits, after)) if digits.iter().all(u8::is_ascii_hexdigit) => {
                    bytes.extend(hex(digits));
                    rest = after;
                }
                _ => bytes.push(byte),
            },
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood_is_taken() {
        let query = Query::new(Some("sort=size&order=desc&q=a+b%26%c3%a9&format=json"), None);
        let search = "a b&\u{e9}".to_owned();
        let (sort, order) = (Sort::Size, Order::Down);
        assert_eq!(query, Query { format: Format::Json, sort, order, search });
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for query in ["", "&&", "sort=inode&order=&x", "format", "q"] {
            assert_eq!(Query::new(Some(query), None), Query::default(), "{query}");
        }
        assert_eq!(Query::new(Some("q=%zz%"), None).search, "%zz%");
        assert_eq!(Query::new(Some("q=%ff"), None).search, "\u{fffd}");
    }

    #[test]
    fn accept_chooses_and_the_query_wins() {
        let json = Some(&b"application/json"[..]);
        assert_eq!(Query::new(None, json).format, Format::Json);
        assert_eq!(Query::new(Some("format=html"), json).format, Format::Html);
        assert_eq!(Query::new(None, Some(b"text/html, */*;q=0.8")).format, Format::Html);
        assert_eq!(Query::new(None, Some(b"*/*")).format, Format::Html);
    }
}
