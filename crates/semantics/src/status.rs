//! What the status codes mean, in a few words and in a sentence.
//!
//! *Spec*: RFC 9110 §15 and the IANA registry of HTTP status codes.
//!
//! ```
//! use avocet_semantics::status;
//! use http::StatusCode;
//!
//! assert_eq!(status::reason(StatusCode::NOT_FOUND), "Not Found");
//! assert_eq!(status::explanation(StatusCode::NOT_FOUND), "Nothing is found at this address");
//! ```

use http::StatusCode;

/// The registered name of a code, as it stands in a status line.
///
/// A code without a name gets that of its class ("Client Error"), because a recipient treats it
/// as the first code of the class.
///
/// *Spec*: RFC 9110 §15; the names are those of the registry, so 413 is "Content Too Large".
pub fn reason(status: StatusCode) -> &'static str {
    entry(status).map_or_else(|| class(status).0, |&(_, reason, _)| reason)
}

/// A sentence for the person who sees an error page: what the code says, without a full stop.
///
/// A code that is not in the registry gets the sentence of its class.
pub fn explanation(status: StatusCode) -> &'static str {
    entry(status).map_or_else(|| class(status).1, |&(_, _, explanation)| explanation)
}

fn entry(status: StatusCode) -> Option<&'static (u16, &'static str, &'static str)> {
    let index = REGISTRY.binary_search_by_key(&status.as_u16(), |&(code, _, _)| code).ok()?;
    REGISTRY.get(index)
}

fn class(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() / 100 {
        1 => ("Informational", "The request goes on and the final answer follows"),
        2 => ("Success", "The request was understood and carried out"),
        3 => ("Redirection", "Something more has to be done to complete the request"),
        4 => ("Client Error", "The request is wrong or cannot be carried out"),
        5 => ("Server Error", "The server failed to carry out a valid request"),
        _ => ("Unknown", "This status code belongs to no class"),
    }
}

/// Code, name, sentence; in the order of the codes.
const REGISTRY: [(u16, &str, &str); 63] = [
    (100, "Continue", "The head of the request was accepted; send the content"),
    (101, "Switching Protocols", "The connection changes to the protocol named in Upgrade"),
    (102, "Processing", "The request is being worked on"),
    (103, "Early Hints", "Some fields of the final answer are known already"),
    (200, "OK", "The request succeeded and the answer follows"),
    (201, "Created", "Something new was made and its address follows"),
    (202, "Accepted", "The request was taken and will be worked on later"),
    (203, "Non-Authoritative Information", "The answer was changed on its way from the origin"),
    (204, "No Content", "The request succeeded and there is nothing to show"),
    (205, "Reset Content", "The request succeeded; clear the form for further input"),
    (206, "Partial Content", "The part that was asked for follows"),
    (207, "Multi-Status", "Several results follow, each with a status of its own"),
    (208, "Already Reported", "These members were listed before in the same answer"),
    (226, "IM Used", "The answer is the result of changes applied to an earlier one"),
    (300, "Multiple Choices", "There are several representations to choose from"),
    (301, "Moved Permanently", "This address has moved for good; use the new one"),
    (302, "Found", "The resource is at another address for now"),
    (303, "See Other", "The result is found at another address by GET"),
    (304, "Not Modified", "The copy that the client has is still good"),
    (305, "Use Proxy", "The resource wants to be reached through a proxy"),
    (307, "Temporary Redirect", "Repeat the request at another address for now"),
    (308, "Permanent Redirect", "Repeat the request, and all later ones, at the new address"),
    (400, "Bad Request", "The request does not follow the rules of HTTP"),
    (401, "Unauthorized", "This resource asks for a name and a password or another proof"),
    (402, "Payment Required", "This resource has to be paid for"),
    (403, "Forbidden", "The request was understood and is refused; a password will not help"),
    (404, "Not Found", "Nothing is found at this address"),
    (405, "Method Not Allowed", "This resource does not support the method of the request"),
    (406, "Not Acceptable", "There is no representation that the client says it accepts"),
    (407, "Proxy Authentication Required", "The proxy asks for a name and a password first"),
    (408, "Request Timeout", "The request did not arrive in time; try again"),
    (409, "Conflict", "The request does not fit the present state of the resource"),
    (410, "Gone", "The resource was removed for good"),
    (411, "Length Required", "The request has to say how long its content is"),
    (412, "Precondition Failed", "A condition in the fields of the request does not hold"),
    (413, "Content Too Large", "The content of the request is larger than the server takes"),
    (414, "URI Too Long", "The address is longer than the server reads"),
    (415, "Unsupported Media Type", "The content has a type or coding that is not supported here"),
    (416, "Range Not Satisfiable", "None of the ranges asked for lies within the content"),
    (417, "Expectation Failed", "What the Expect field asks for cannot be met"),
    (418, "I'm a Teapot", "A teapot was asked for coffee, which it does not make"),
    (421, "Misdirected Request", "This server does not answer for the host that was named"),
    (422, "Unprocessable Content", "The content is well formed but makes no sense here"),
    (423, "Locked", "The resource is locked"),
    (424, "Failed Dependency", "Another action that this one depends on failed"),
    (425, "Too Early", "The request came in early data and might be a replay; send it again"),
    (426, "Upgrade Required", "The server wants another protocol, named in Upgrade"),
    (428, "Precondition Required", "The server answers only conditional requests here"),
    (429, "Too Many Requests", "Too many requests came in too short a time; wait a little"),
    (431, "Request Header Fields Too Large", "The fields of the request are too many or too long"),
    (451, "Unavailable For Legal Reasons", "The law demands that this is not shown"),
    (500, "Internal Server Error", "The server failed while it worked on the request"),
    (501, "Not Implemented", "The server does not know how to do what was asked"),
    (502, "Bad Gateway", "The server behind this one gave no valid answer"),
    (503, "Service Unavailable", "The server cannot answer now, most likely because it is busy"),
    (504, "Gateway Timeout", "The server behind this one did not answer in time"),
    (505, "HTTP Version Not Supported", "The server does not speak this version of HTTP"),
    (506, "Variant Also Negotiates", "The choice of a representation leads in a circle"),
    (507, "Insufficient Storage", "The server has no room for what has to be stored"),
    (508, "Loop Detected", "The request leads in a circle"),
    (509, "Bandwidth Limit Exceeded", "This site has sent more than it is allowed to"),
    (510, "Not Extended", "The request lacks an extension that the server demands"),
    (511, "Network Authentication Required", "The network has to be signed in to first"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_in_order() {
        assert!(REGISTRY.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn sentences_are_fit_for_a_page() {
        for (code, reason, explanation) in REGISTRY {
            assert!(!reason.is_empty() && reason.is_ascii(), "{code}");
            assert!(explanation.len() > 10 && !explanation.ends_with('.'), "{code}");
        }
    }

    #[test]
    fn a_code_without_a_name_is_told_by_its_class() {
        let odd = StatusCode::from_u16(499).unwrap();
        assert_eq!(reason(odd), "Client Error");
        assert_eq!(explanation(odd), "The request is wrong or cannot be carried out");
        assert_eq!(reason(StatusCode::from_u16(999).unwrap()), "Unknown");
    }
}
