//! What can go wrong with a transfer, and when.

use std::error::Error as StdError;
use std::fmt;

use http::StatusCode;
use url::Url;

/// A transfer that failed. It names the phase and the URL and keeps what caused it.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    phase: Phase,
    url: Option<String>,
    message: String,
    status: Option<StatusCode>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A URL that is malformed, or of a scheme that is not spoken.
    Url,
    /// A request that cannot be sent as it is.
    Request,
    /// The host's name has no address.
    Resolve,
    /// No connection.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The proxy refused or failed.
    Proxy,
    /// The connection failed under the transfer.
    Connection,
    /// The response ended before it was complete.
    CutShort,
    /// The response breaks the rules of HTTP.
    Protocol,
    /// A limit was reached: the size of a head, of trailers, of the content.
    Limit,
    /// Something took too long.
    Timeout,
    /// A redirect that must not or cannot be followed.
    Redirect,
    /// The request's content could not be read, or could not be sent a second time.
    Content,
    /// The response's content does not decode.
    Decode,
    /// The receiver of the content failed.
    Receiver,
    /// The transfer was cancelled.
    Cancelled,
    /// A call of the low-level face out of order.
    Misuse,
    /// A status of 400 or above, where the caller takes it for an error.
    Status,
    /// The system refused something the engine needs.
    System,
}

/// The phases of a transfer, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Before anything was done.
    Prepare,
    /// Waiting for a connection to be free.
    Queue,
    /// Looking the name up.
    Resolve,
    /// Connecting.
    Connect,
    /// Talking to a proxy.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for the head of the response.
    Head,
    /// Reading the content.
    Content,
}

impl Error {
    /// An error of this kind in this phase.
    pub fn new(kind: ErrorKind, phase: Phase, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self(Box::new(Inner { kind, phase, url: None, message, status: None, source: None }))
    }

    /// The same with the status that it is about.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = Some(status);
        self
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same with the URL it is about, credentials left out.
    #[must_use]
    pub fn about(mut self, url: &Url) -> Self {
        if self.0.url.is_none() {
            self.0.url = Some(without_credentials(url));
        }
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The phase.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Whether it was a time-out.
    pub fn is_timeout(&self) -> bool {
        self.0.kind == ErrorKind::Timeout
    }

    /// The status that a proxy or, where the caller takes statuses for errors, the server has given.
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The URL, without credentials.
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// What went wrong, without URL and phase.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(url) = &self.0.url {
            write!(f, "{url}: ")?;
        }
        let during = match self.0.phase {
            Phase::Prepare => "",
            Phase::Queue => "while waiting for a free connection: ",
            Phase::Resolve => "while looking up the host: ",
            Phase::Connect => "while connecting: ",
            Phase::Proxy => "while talking to the proxy: ",
            Phase::Tls => "during the TLS handshake: ",
            Phase::Send => "while sending the request: ",
            Phase::Head => "while waiting for the response: ",
            Phase::Content => "while reading the content: ",
        };
        write!(f, "{during}{}", self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

fn without_credentials(url: &Url) -> String {
    if url.username().is_empty() && url.password().is_none() {
        return url.as_str().to_owned();
    }
    let mut clean = url.clone();
    let cleaned = clean.set_username("").and_then(|()| clean.set_password(None));
    match cleaned {
        Ok(()) => clean.into(),
        Err(()) => url.scheme().to_owned(),
    }
}
