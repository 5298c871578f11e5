//! Whether a change is wanted by a page of this server, or by no page at all.

use avocet_server::Request;
use avocet_wire::Fields;
use http::HeaderName;
use http::header::ORIGIN;

/// Whether the page of another site sent this request, in which case the person who looks at that
/// page knows nothing of it (cross-site request forgery).
///
/// Browsers say where a request comes from, in `Sec-Fetch-Site` (W3C Fetch Metadata) and, older ones,
/// in `Origin` (RFC 6454 §7.3). Programs that are no browsers send neither, and ask of themselves.
pub(crate) fn is_foreign(request: &Request<'_>) -> bool {
    is_foreign_to(request.head().host(), request.fields())
}

fn is_foreign_to(host: Option<&str>, fields: Fields<'_>) -> bool {
    match fields.single(&SEC_FETCH_SITE) {
        Ok(Some(site)) => return !matches!(site, b"same-origin" | b"none"),
        Ok(None) => {}
        Err(_) => return true,
    }
    let origin = match fields.single(&ORIGIN) {
        Ok(None) => return false,
        Ok(Some(origin)) => std::str::from_utf8(origin).ok(),
        Err(_) => return true,
    };
    // A page without an origin, from a file or in a sandbox, says `null`.
    let Some((scheme, origin)) = origin.and_then(|origin| origin.split_once("://")) else {
        return true;
    };
    let Some(host) = host else { return true };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return true,
    };
    let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_owned();
    !bare(origin).eq_ignore_ascii_case(&bare(host))
}

static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
