//! A response as handlers make it.

use avocet_wire::{FieldBuf, InvalidField};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};

use crate::body::Body;

/// A status, fields and content. Framing fields are not among them: the library decides how the
/// content is framed.
///
/// ```
/// use avocet_server::Response;
/// use http::StatusCode;
///
/// let response = Response::text("Hello\n").with_status(StatusCode::CREATED);
/// assert_eq!(response.status(), StatusCode::CREATED);
/// ```
pub struct Response {
    pub(crate) status: StatusCode,
    pub(crate) fields: FieldBuf,
    pub(crate) body: Body,
    pub(crate) trailers: FieldBuf,
    pub(crate) page: Option<Page>,
    pub(crate) close: bool,
}

/// Asks the server for its page of an error.
#[derive(Default)]
pub(crate) struct Page {
    /// Replaces the usual explanation of the status.
    pub(crate) explanation: Option<String>,
}

impl Response {
    /// A response without content.
    pub fn new(status: StatusCode) -> Self {
        Self {
            status,
            fields: FieldBuf::new(),
            body: Body::Empty,
            trailers: FieldBuf::new(),
            page: None,
            close: false,
        }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Body>) -> Self {
        Self { body: body.into(), ..Self::new(StatusCode::OK) }
    }

    /// 200 with text in UTF-8.
    pub fn text(text: impl Into<Body>) -> Self {
        Self::ok(text).of_type("text/plain; charset=utf-8")
    }

    /// 200 with an HTML page in UTF-8.
    pub fn html(page: impl Into<Body>) -> Self {
        Self::ok(page).of_type("text/html; charset=utf-8")
    }

    /// 200 with JSON.
    pub fn json(text: impl Into<Body>) -> Self {
        Self::ok(text).of_type("application/json")
    }

    /// An error with the server's page for it.
    pub fn error(status: StatusCode) -> Self {
        Self { page: Some(Page::default()), ..Self::new(status) }
    }

    /// An error whose page gives this explanation instead of the usual one.
    pub fn error_because(status: StatusCode, explanation: impl Into<String>) -> Self {
        let page = Page { explanation: Some(explanation.into()) };
        Self { page: Some(page), ..Self::new(status) }
    }

    /// There is no room: 503, to be tried again.
    pub(crate) fn busy() -> Self {
        let mut busy = Self::error(StatusCode::SERVICE_UNAVAILABLE);
        let pushed = busy.fields.push(&RETRY_AFTER, "1");
        debug_assert!(pushed.is_ok(), "a number of seconds is a valid value");
        busy
    }

    /// A redirect to `location`.
    ///
    /// *Errors*: a location with control characters.
    pub fn redirect(status: StatusCode, location: &str) -> Result<Self, InvalidField> {
        Self::new(status).with_field(&LOCATION, location)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with one more field line.
    ///
    /// *Errors*: a value with CR, LF, NUL or another control character, or a field that is the
    /// library's own (Content-Length, Transfer-Encoding, Connection).
    pub fn with_field(
        mut self,
        name: &HeaderName,
        value: impl AsRef<[u8]>,
    ) -> Result<Self, InvalidField> {
        self.fields.push(name, value)?;
        Ok(self)
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with another body, made of this one: for filters.
    #[must_use]
    pub fn map_body(mut self, map: impl FnOnce(Body) -> Body) -> Self {
        self.body = map(self.body);
        self
    }

    /// The same with trailer fields, which makes the content chunked; a client of HTTP/1.0 does not
    /// get them.
    ///
    /// *Errors*: a field that cannot stand in trailers cuts the response off.
    ///
    /// *Spec*: RFC 9110 §6.5.
    #[must_use]
    pub fn with_trailers(mut self, trailers: FieldBuf) -> Self {
        self.trailers = trailers;
        self
    }

    /// The same, and the connection ends after it.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The fields.
    pub fn fields(&self) -> &FieldBuf {
        &self.fields
    }

    /// The fields, to be changed.
    pub fn fields_mut(&mut self) -> &mut FieldBuf {
        &mut self.fields
    }

    /// The body.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The parts: status, fields and body.
    pub fn into_parts(self) -> (StatusCode, FieldBuf, Body) {
        (self.status, self.fields, self.body)
    }

    fn of_type(mut self, value: &'static str) -> Self {
        let pushed = self.fields.push(&CONTENT_TYPE, value);
        debug_assert!(pushed.is_ok(), "the types above are valid values");
        self
    }
}
