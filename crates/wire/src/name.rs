//! Field names in the case in which they are customarily written.

/// Names whose customary form is not one capital after each hyphen.
const IRREGULAR: [(&str, &str); 20] = [
    ("accept-ch", "Accept-CH"),
    ("content-md5", "Content-MD5"),
    ("dnt", "DNT"),
    ("dpop", "DPoP"),
    ("etag", "ETag"),
    ("http2-settings", "HTTP2-Settings"),
    ("nel", "NEL"),
    ("sec-ch-ua", "Sec-CH-UA"),
    ("sec-ch-ua-mobile", "Sec-CH-UA-Mobile"),
    ("sec-ch-ua-platform", "Sec-CH-UA-Platform"),
    ("sec-gpc", "Sec-GPC"),
    ("sec-websocket-accept", "Sec-WebSocket-Accept"),
    ("sec-websocket-extensions", "Sec-WebSocket-Extensions"),
    ("sec-websocket-key", "Sec-WebSocket-Key"),
    ("sec-websocket-protocol", "Sec-WebSocket-Protocol"),
    ("sec-websocket-version", "Sec-WebSocket-Version"),
    ("te", "TE"),
    ("www-authenticate", "WWW-Authenticate"),
    ("x-ua-compatible", "X-UA-Compatible"),
    ("x-xss-protection", "X-XSS-Protection"),
];

/// Appends `name`, which is in lower case, in its customary form.
pub(crate) fn push(out: &mut Vec<u8>, name: &str) {
    if let Ok(at) = IRREGULAR.binary_search_by(|(lower, _)| (*lower).cmp(name)) {
        let customary = IRREGULAR.get(at).map_or(name, |(_, customary)| customary);
        out.extend_from_slice(customary.as_bytes());
        return;
    }
    let mut first = true;
    out.extend(name.bytes().map(|byte| {
        let byte = if first { byte.to_ascii_uppercase() } else { byte };
        first = byte == b'-';
        byte
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_follow_hyphens_except_where_custom_differs() {
        for (lower, customary) in [
            ("content-type", "Content-Type"),
            ("host", "Host"),
            ("x-a--b", "X-A--B"),
            ("1a-2b", "1a-2b"),
        ]
        .into_iter()
        .chain(IRREGULAR)
        {
            let mut out = Vec::new();
            push(&mut out, lower);
            assert_eq!(out, customary.as_bytes());
            assert!(lower.eq_ignore_ascii_case(customary));
        }
        assert!(IRREGULAR.is_sorted(), "the search is binary");
    }
}
