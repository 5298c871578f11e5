//! A request as handlers see it.

use std::time::Instant;

use avocet_net::PeerInfo;
use avocet_wire::{Fields, Framing, RequestHead, Target};
use http::header::HeaderName;
use http::{Method, Version};
use matchit::Params;

/// A request's head and where it came from; its content comes through the reply.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    head: &'a RequestHead<'a>,
    peer: &'a PeerInfo,
    framing: Framing,
    received: Instant,
    params: Option<&'a Params<'a, 'a>>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(
        head: &'a RequestHead<'a>,
        peer: &'a PeerInfo,
        framing: Framing,
        received: Instant,
    ) -> Self {
        Self { head, peer, framing, received, params: None }
    }

    pub(crate) fn with_params(self, params: &'a Params<'a, 'a>) -> Self {
        Self { params: Some(params), ..self }
    }

    /// The same request with another head: for handlers that stand around others and lead a request
    /// elsewhere.
    #[must_use]
    pub fn with_head<'b>(self, head: &'b RequestHead<'b>) -> Request<'b>
    where
        'a: 'b,
    {
        Request { head, ..self }
    }

    /// The whole head.
    pub fn head(&self) -> &'a RequestHead<'a> {
        self.head
    }

    /// The method; its case is kept.
    pub fn method(&self) -> &'a Method {
        &self.head.method
    }

    /// The target in the form it was sent.
    pub fn target(&self) -> Target<'a> {
        self.head.target
    }

    /// The path of the target, percent-encoding and all; empty for `*` and CONNECT.
    pub fn path(&self) -> &'a str {
        self.head.target.path()
    }

    /// What stands behind the first `?`.
    pub fn query(&self) -> Option<&'a str> {
        self.head.target.query()
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The field lines in their order.
    pub fn fields(&self) -> Fields<'a> {
        self.head.fields
    }

    /// The value of the first field line of this name.
    pub fn field(&self, name: &HeaderName) -> Option<&'a [u8]> {
        self.head.fields.get(name)
    }

    /// The length of the content, where the request says it.
    pub fn content_length(&self) -> Option<u64> {
        match self.framing {
            Framing::Empty => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Chunked | Framing::UntilClose => None,
        }
    }

    /// Whether there is content.
    pub fn has_content(&self) -> bool {
        self.content_length() != Some(0)
    }

    /// The two ends of the connection.
    pub fn peer(&self) -> &'a PeerInfo {
        self.peer
    }

    /// When the head was complete.
    pub fn received(&self) -> Instant {
        self.received
    }

    /// A parameter of the route that matched, as it stands in the path.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.and_then(|params| params.get(name))
    }
}
