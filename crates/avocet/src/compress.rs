//! Content codings for responses of any handler, from `avocet-encoding`.

mod coded;

use avocet_encoding::{Choice, Coding, Encoder, Level, encode_all, negotiate};
use avocet_semantics::conditions::{Conditions, Outcome, Validators};
use avocet_semantics::entity_tags::EntityTag;
use avocet_semantics::media_types::MediaType;
use avocet_server::{Body, Handler, Reply, Request, Response};
use avocet_wire::InvalidField;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, VARY,
};
use http::{Method, StatusCode};

/// A handler around another one, whose responses it compresses for clients that ask for it.
///
/// Content whose type compresses is sent in zstd, br or gzip, whichever `Accept-Encoding` weighs
/// most, with `Vary` and an entity tag of its own; `If-None-Match` with that tag is answered 304. Left
/// as they are: content of fewer than 256 bytes, what is coded already or must not be
/// (`Cache-Control: no-transform`), and ranges.
///
/// Secrets should not be compressed together with text that a stranger can choose: from the length
/// such a stranger learns the secret (the BREACH attack).
///
/// *Bounds*: content up to 64 KiB is compressed at once, on the loop, and has a length. Longer
/// content and such that comes in pieces is compressed in gzip while it is sent, a piece of 32 KiB at a
/// time, with 400 KiB of memory for each response.
///
/// *Spec*: RFC 9110 §8.4, §12.5.3.
///
/// ```
/// use avocet::Compress;
/// use avocet::server::{Response, respond};
///
/// let handler = Compress::new(respond(|_| Response::text("the same again ".repeat(100))));
/// # fn is_handler(_: impl avocet::server::Handler) {}
/// # is_handler(handler);
/// ```
#[derive(Debug)]
pub struct Compress<H> {
    inner: H,
    level: Level,
    least: u64,
}

impl<H> Compress<H> {
    /// The handler, with the usual level (6 for gzip).
    pub fn new(inner: H) -> Self {
        Self { inner, level: Level::Default, least: 256 }
    }

    /// The same with another level.
    #[must_use]
    pub fn level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The same with another least length of content that is compressed, in bytes.
    #[must_use]
    pub fn least(self, bytes: u64) -> Self {
        Self { least: bytes, ..self }
    }
}

impl<H: Handler> Handler for Compress<H> {
    fn handle(&self, request: &Request<'_>, reply: Reply<'_>) {
        let lines = || request.fields().get_all(&ACCEPT_ENCODING);
        let is_asked = request.fields().contains(&ACCEPT_ENCODING);
        let choose = |offered: &[Coding]| match negotiate(lines(), offered) {
            Choice::Coding(coding) if is_asked => Some(coding),
            _ => None,
        };
        let built_in: Vec<Coding> =
            OFFERED.into_iter().filter(|coding| coding.is_built_in()).collect();
        let streamed: &[Coding] = if Coding::Gzip.is_built_in() { &[Coding::Gzip] } else { &[] };
        let known = request.fields().get_all(&IF_NONE_MATCH).map(<[u8]>::to_vec).collect();
        let wanted = Wanted {
            whole: choose(&built_in),
            streamed: choose(streamed),
            known,
            method: request.method().clone(),
            level: self.level,
            least: self.least,
        };
        self.inner.handle(request, reply.filtered(move |response| wanted.coded(response)));
    }
}

/// How content is coded.
enum Coded {
    Whole(Vec<u8>),
    Streamed(Encoder),
}

/// What one request wants.
struct Wanted {
    whole: Option<Coding>,
    streamed: Option<Coding>,
    /// The values of `If-None-Match`.
    known: Vec<Vec<u8>>,
    method: Method,
    level: Level,
    least: u64,
}

impl Wanted {
    fn coded(self, response: Response) -> Response {
        if !is_fit(&response) {
            return response;
        }
        self.try_coded(response).unwrap_or_else(|error| {
            log::error!("a response could not be compressed: {error}");
            Response::error(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }

    fn try_coded(self, response: Response) -> Result<Response, InvalidField> {
        let response = response.with_field(&VARY, "Accept-Encoding")?;
        let size = coded::size(response.body());
        if size.is_some_and(|size| size < self.least) {
            return Ok(response);
        }
        let is_whole = coded::bytes(response.body()).is_some_and(|bytes| bytes.len() <= AT_ONCE);
        let Some(coding) = (if is_whole { self.whole } else { self.streamed }) else {
            return Ok(response);
        };
        let coded = match coded::bytes(response.body()).filter(|_| is_whole) {
            Some(bytes) => encode_all(coding, self.level, bytes).map(|shorter| {
                let is_shorter = shorter.len() < bytes.len();
                is_shorter.then_some(Coded::Whole(shorter))
            }),
            None => Encoder::new(coding, self.level).map(|encoder| Some(Coded::Streamed(encoder))),
        };
        let coded = match coded {
            Ok(Some(coded)) => coded,
            Ok(None) => return Ok(response),
            Err(error) => {
                log::error!("a response is sent as it is: {error}");
                return Ok(response);
            }
        };
        let mut response = response.with_field(&CONTENT_ENCODING, coding.name())?;
        response.fields_mut().remove(&ACCEPT_RANGES);
        if let Some(tag) = response.fields().get(&ETAG).and_then(|tag| own_tag(tag, coding)) {
            response.fields_mut().remove(&ETAG);
            response.fields_mut().push(&ETAG, &tag)?;
            if self.is_known(&tag) {
                response.fields_mut().remove(&CONTENT_ENCODING);
                response.fields_mut().remove(&CONTENT_TYPE);
                return Ok(response.with_status(StatusCode::NOT_MODIFIED).with_body(Body::Empty));
            }
        }
        Ok(match coded {
            Coded::Whole(bytes) => response.with_body(bytes),
            Coded::Streamed(encoder) => response.map_body(|body| coded::streamed(body, encoder)),
        })
    }

    /// Whether the client has the coded content already. The handler could not know its tag.
    fn is_known(&self, tag: &[u8]) -> bool {
        let Ok(tag) = EntityTag::parse(tag) else { return false };
        let fields = self.known.iter().map(|value| (IF_NONE_MATCH.as_str(), value.as_slice()));
        let conditions = Conditions::from_fields(fields);
        let current = Validators { tag: Some(tag), modified: None };
        conditions.evaluate(&self.method, Some(&current), 0) == Outcome::NotModified
    }
}

/// Whether content may be coded, and is worth it.
fn is_fit(response: &Response) -> bool {
    let fields = response.fields();
    let has = |name| fields.contains(name);
    let status = response.status();
    let keeps = fields.get(&CACHE_CONTROL).unwrap_or_default().to_ascii_lowercase();
    let no_transform = keeps.windows(12).any(|word| word == b"no-transform");
    let compresses = fields
        .get(&CONTENT_TYPE)
        .and_then(|value| MediaType::parse(value).ok())
        .is_some_and(|media_type| media_type.compresses());
    let has_content = !status.is_informational()
        && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED, StatusCode::PARTIAL_CONTENT]
            .contains(&status);
    compresses && has_content && !no_transform && !has(&CONTENT_ENCODING) && !has(&CONTENT_RANGE)
}

/// The tag of a coding is weak, because another version of the encoder gives other bytes.
fn own_tag(tag: &[u8], coding: Coding) -> Option<Vec<u8>> {
    let opaque = tag.strip_prefix(b"W/").unwrap_or(tag).strip_suffix(b"\"")?;
    Some([b"W/", opaque, b"-", coding.name().as_bytes(), b"\""].concat())
}

/// Best first, where weights are equal.
const OFFERED: [Coding; 3] = [Coding::Zstd, Coding::Br, Coding::Gzip];

/// Content up to this length is compressed at once.
const AT_ONCE: usize = 64 * 1024;
