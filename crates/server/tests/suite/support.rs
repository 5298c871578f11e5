//! What the tests share: a server on loopback, one under virtual time, raw clients for both, and a
//! reader of responses that knows nothing of the code under test.

mod log;
mod response;
mod simulated;
mod socket;

pub(crate) use log::Recorded;
pub(crate) use response::{Asked, Received, responses};
pub(crate) use simulated::{Peer, Simulated};
pub(crate) use socket::{Client, End, Running, serve, serve_with};

use http::HeaderName;

/// A request of HTTP/1.1 without content.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n")
}

/// A request of HTTP/1.1 with content of known length.
pub(crate) fn post(path: &str, content: &str) -> String {
    let length = content.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: example.com\r\nContent-Length: {length}\r\n\r\n{content}"
    )
}

/// Field lines for a response.
pub(crate) fn fields(lines: &[(HeaderName, &str)]) -> avocet_wire::FieldBuf {
    let mut fields = avocet_wire::FieldBuf::new();
    for (name, value) in lines {
        fields.push(name, value).unwrap();
    }
    fields
}
