//! Field names in the case in which they are customarily written.

/// The customary form of a name for which that is not one capital after each hyphen.
fn irregular(lower: &str) -> Option<&'static str> {
    Some(match lower {
        "accept-ch" => "Accept-CH",
        "content-md5" => "Content-MD5",
        "dnt" => "DNT",
        "dpop" => "DPoP",
        "etag" => "ETag",
        "http2-settings" => "HTTP2-Settings",
        "nel" => "NEL",
        "sec-ch-ua" => "Sec-CH-UA",
        "sec-ch-ua-mobile" => "Sec-CH-UA-Mobile",
        "sec-ch-ua-platform" => "Sec-CH-UA-Platform",
        "sec-gpc" => "Sec-GPC",
        "sec-websocket-accept" => "Sec-WebSocket-Accept",
        "sec-websocket-extensions" => "Sec-WebSocket-Extensions",
        "sec-websocket-key" => "Sec-WebSocket-Key",
        "sec-websocket-protocol" => "Sec-WebSocket-Protocol",
        "sec-websocket-version" => "Sec-WebSocket-Version",
        "te" => "TE",
        "www-authenticate" => "WWW-Authenticate",
        "x-ua-compatible" => "X-UA-Compatible",
        "x-xss-protection" => "X-XSS-Protection",
        _ => return None,
    })
}

/// Appends `name`, which is in lower case, in its customary form.
pub(crate) fn push(out: &mut Vec<u8>, name: &str) {
    if let Some(customary) = irregular(name) {
        return out.extend_from_slice(customary.as_bytes());
    }
    let start = out.len();
    out.extend_from_slice(name.as_bytes());
    let mut first = true;
    for byte in out.iter_mut().skip(start) {
        if first {
            byte.make_ascii_uppercase();
        }
        first = *byte == b'-';
    }
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
            ("etag", "ETag"),
            ("www-authenticate", "WWW-Authenticate"),
            ("sec-websocket-key", "Sec-WebSocket-Key"),
            ("te", "TE"),
        ] {
            let mut out = Vec::new();
            push(&mut out, lower);
            assert_eq!(out, customary.as_bytes());
            assert!(lower.eq_ignore_ascii_case(customary));
        }
    }
}
