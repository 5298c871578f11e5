//! A request to be sent.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use avocet_net::FileRange;
use avocet_wire::{FieldBuf, RequestVersion};
use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderName};
use url::Url;

use crate::error::{Error, ErrorKind, Phase};
use crate::urls;

/// A request: method, URL, fields, content, and what it wants otherwise than its client.
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) fields: FieldBuf,
    pub(crate) content: Content,
    pub(crate) options: Options,
}

/// What one request wants otherwise than its client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The limit on redirects.
    pub redirects: Option<u32>,
    /// The limit on repetitions.
    pub retries: Option<u32>,
    /// The time-out of the whole transfer.
    pub total: Option<Duration>,
    /// HTTP/1.0 instead of 1.1.
    pub version: RequestVersion,
    /// Whether to wait for 100 before content is sent. `None` waits with content of 1 MiB and more.
    pub expect_continue: Option<bool>,
    /// Whether content codings are decoded.
    pub decode: bool,
    /// Whether a connection that was used before may be used.
    pub fresh_connection: bool,
    /// Whether the connection ends with the exchange, which the request says (`Connection: close`).
    pub close: bool,
    /// Fields that must not follow a redirect to another origin, besides Authorization, Cookie and
    /// Proxy-Authorization.
    pub sensitive: Vec<HeaderName>,
    /// The target as it goes on the wire, where it is not that of the URL.
    pub target: Option<String>,
    /// What hooks can tell the transfer by; it means nothing to the client. 0.
    pub tag: u64,
}

/// The content of a request.
#[derive(Default)]
pub enum Content {
    /// None.
    #[default]
    Empty,
    /// Bytes.
    Bytes(Bytes),
    /// A range of a file, sent without a copy where the transport can.
    File(FileRange),
    /// What a reader gives, of known size or chunked. It is read on the engine's thread, can be sent
    /// only once, and may be followed by trailer fields.
    Reader {
        /// The size, where it is known.
        size: Option<u64>,
        /// The reader.
        reader: Box<dyn Read + Send>,
        /// Trailer fields of chunked content.
        trailers: FieldBuf,
    },
    /// Several, one after the other. Its size is known if theirs are, and it can be sent again if
    /// they can.
    Parts(Vec<Self>),
}

impl Request {
    /// A request with a method and a URL.
    ///
    /// *Errors*: a URL that is malformed or not of http or https.
    pub fn new(method: Method, url: &str) -> Result<Self, Error> {
        let parsed = urls::parse(url).map_err(|reason| {
            // A URL that cannot be read may have a password anywhere: what stands before an `@` is
            // not repeated.
            let shown = url.rsplit_once('@').map_or(url, |(_, after)| after).escape_debug();
            let message = format!("`{shown}` is no URL: {reason}");
            Error::new(ErrorKind::Url, Phase::Prepare, message)
        })?;
        Self::to(method, parsed)
    }

    /// A request to a parsed URL.
    ///
    /// *Errors*: a scheme other than http and https, or no host.
    pub fn to(method: Method, url: Url) -> Result<Self, Error> {
        crate::connect::place(&url)?;
        let (fields, content) = (FieldBuf::new(), Content::Empty);
        Ok(Self { method, url, fields, content, options: Options::default() })
    }

    /// GET.
    ///
    /// *Errors*: as [`Request::new`].
    pub fn get(url: &str) -> Result<Self, Error> {
        Self::new(Method::GET, url)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The fields.
    pub fn fields(&self) -> &FieldBuf {
        &self.fields
    }

    /// The fields, to be changed. Names keep the case they are given.
    pub fn fields_mut(&mut self) -> &mut FieldBuf {
        &mut self.fields
    }

    /// What it wants otherwise than its client.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// The same with one more field line.
    ///
    /// *Errors*: an invalid name or value, or a framing field, which is the library's own.
    pub fn with_field(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, Error> {
        self.fields.push_raw(name, value).map_err(|error| {
            Error::new(ErrorKind::Request, Phase::Prepare, format_args!("{name}: {error}"))
        })?;
        Ok(self)
    }

    /// The same with content of a media type, which a Content-Type that is there already overrules.
    ///
    /// *Errors*: the media type cannot stand in a field.
    pub fn with_typed_content(
        self,
        media_type: &str,
        content: impl Into<Content>,
    ) -> Result<Self, Error> {
        let request = if self.fields.contains(&CONTENT_TYPE) {
            self
        } else {
            self.with_field("Content-Type", media_type)?
        };
        Ok(request.with_content(content))
    }

    /// The same with content.
    #[must_use]
    pub fn with_content(mut self, content: impl Into<Content>) -> Self {
        self.content = content.into();
        self
    }
}

impl Content {
    /// The whole of a file.
    ///
    /// *Errors*: when its size cannot be known. *Blocking*: one `fstat`.
    pub fn file(file: File) -> std::io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self::File(FileRange { file: Arc::new(file), offset: 0, len }))
    }

    /// A second copy, for redirects and repetitions; `None` for a reader.
    pub(crate) fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Self::File(range) => Some(Self::File(range.clone())),
            Self::Parts(parts) => {
                parts.iter().map(Self::again).collect::<Option<_>>().map(Self::Parts)
            }
            Self::Reader { .. } => None,
        }
    }

    /// Whether a second copy can be had.
    pub(crate) fn is_repeatable(&self) -> bool {
        match self {
            Self::Empty | Self::Bytes(_) | Self::File(_) => true,
            Self::Parts(parts) => parts.iter().all(Self::is_repeatable),
            Self::Reader { .. } => false,
        }
    }

    /// Its size in bytes; `None` where that is known at its end only.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File(range) => Some(range.len),
            Self::Reader { size, .. } => *size,
            Self::Parts(parts) => {
                parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.size()?))
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Empty => "Empty",
            Self::Bytes(_) => "Bytes",
            Self::File(_) => "File",
            Self::Reader { .. } => "Reader",
            Self::Parts(_) => "Parts",
        };
        f.debug_struct(kind).field("size", &self.size()).finish()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            redirects: None,
            retries: None,
            total: None,
            version: RequestVersion::Http11,
            expect_continue: None,
            decode: true,
            fresh_connection: false,
            close: false,
            sensitive: Vec::new(),
            target: None,
            tag: 0,
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<&'static str> for Content {
    fn from(text: &'static str) -> Self {
        Self::Bytes(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}
