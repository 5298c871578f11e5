use http::{HeaderName, Method, StatusCode, Version};

use crate::fields::Fields;
use crate::table::{Line, Lines};
use crate::{RequestHead, ResponseHead, Target, TargetForm};

/// A request head that owns its bytes: it can be kept and sent to another thread.
///
/// *Bounds*: one copy of the bytes of the head and 16 bytes for each line.
#[derive(Clone, Debug)]
pub struct OwnedHead {
    method: Method,
    form: TargetForm,
    target: Span,
    raw_line: Span,
    version: Version,
    fields: OwnedFields,
}

/// A response head that owns its bytes: it can be kept and sent to another thread.
///
/// *Bounds*: one copy of the bytes of the head and 16 bytes for each line.
#[derive(Clone, Debug)]
pub struct OwnedResponseHead {
    status: StatusCode,
    reason: Span,
    version: Version,
    fields: OwnedFields,
}

type Span = (usize, usize);

#[derive(Clone, Debug)]
struct OwnedFields {
    bytes: Box<[u8]>,
    lines: Lines,
}

impl OwnedFields {
    /// Copies the fields and, behind them, `line`. Gives the place of `line`.
    fn copy(fields: Fields<'_>, line: &[u8]) -> (Self, Span) {
        let from = fields.lines.spans.first().map_or(0, |line| line.name_start);
        let to = fields.lines.spans.last().map_or(from, |line| line.value_end);
        let used = fields.bytes.get(from as usize..to as usize).unwrap_or_default();
        let mut bytes = Vec::with_capacity(used.len() + line.len());
        bytes.extend_from_slice(used);
        bytes.extend_from_slice(line);
        let place = (used.len(), bytes.len());
        let spans = fields
            .lines
            .spans
            .iter()
            .map(|line| Line {
                name_start: line.name_start - from,
                name_end: line.name_end - from,
                value_start: line.value_start - from,
                value_end: line.value_end - from,
            })
            .collect();
        let lines = Lines { spans, known: fields.lines.known };
        (Self { bytes: bytes.into_boxed_slice(), lines }, place)
    }

    fn get(&self, span: Span) -> &[u8] {
        self.bytes.get(span.0..span.1).unwrap_or_default()
    }

    fn fields(&self) -> Fields<'_> {
        Fields { bytes: &self.bytes, lines: &self.lines }
    }
}

impl RequestHead<'_> {
    /// A copy that borrows nothing.
    #[must_use]
    pub fn to_owned(&self) -> OwnedHead {
        let (fields, raw_line) = OwnedFields::copy(self.fields, self.raw_line);
        let target = raw_line.0 + self.method.as_str().len() + 1;
        OwnedHead {
            method: self.method.clone(),
            form: self.target.form(),
            target: (target, target + self.target.as_bytes().len()),
            raw_line,
            version: self.version,
            fields,
        }
    }
}

impl OwnedHead {
    /// The head as [`Connection::read`](crate::Connection::read) gave it.
    #[must_use]
    pub fn as_head(&self) -> RequestHead<'_> {
        RequestHead {
            method: self.method.clone(),
            target: self.target(),
            version: self.version,
            fields: self.fields(),
            raw_line: self.fields.get(self.raw_line),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        Target::checked(self.fields.get(self.target), self.form)
    }

    /// HTTP/1.0 or HTTP/1.1.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The field lines.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        self.fields.fields()
    }

    /// The host that the request is for; see [`RequestHead::host`].
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.target().authority().or_else(|| self.fields().host())
    }

    /// Whether `Connection` has this option; see [`RequestHead::has_connection_option`].
    #[must_use]
    pub fn has_connection_option(&self, option: &HeaderName) -> bool {
        self.as_head().has_connection_option(option)
    }

    /// The protocols of `Upgrade`; see [`RequestHead::upgrade`].
    pub fn upgrade(&self) -> Option<impl Iterator<Item = &[u8]>> {
        self.as_head().upgrade()
    }
}

impl ResponseHead<'_> {
    /// A copy that borrows nothing.
    #[must_use]
    pub fn to_owned(&self) -> OwnedResponseHead {
        let (fields, reason) = OwnedFields::copy(self.fields, self.reason);
        OwnedResponseHead { status: self.status, reason, version: self.version, fields }
    }
}

impl OwnedResponseHead {
    /// The head as [`Connection::read`](crate::Connection::read) gave it.
    #[must_use]
    pub fn as_head(&self) -> ResponseHead<'_> {
        ResponseHead {
            status: self.status,
            reason: self.reason(),
            version: self.version,
            fields: self.fields(),
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.fields.get(self.reason)
    }

    /// HTTP/1.0 or HTTP/1.1.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The field lines.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        self.fields.fields()
    }
}
