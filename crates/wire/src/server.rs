use http::StatusCode;

use crate::bytes::{invalid_in_value, push_decimal};
use crate::connection::{BodySize, Connection, Event, Step, skip_empty_lines};
use crate::cycle::{Facts, ReadStep, SendStep, Sending};
use crate::error::{Feature, ReadError};
use crate::field_buf::Marks;
use crate::fields::Fields;
use crate::framing::{self, Framing, never_has_content};
use crate::list::ListItems;
use crate::request::{self, Kind, RequestLine};
use crate::role::{Server, sealed::Sealed};
use crate::send_error::SendError;
use crate::unfinished::Unfinished;
use crate::{FieldBuf, FieldTable};

impl Sealed for Server {
    #[inline]
    fn read_head<'b>(
        connection: &mut Connection<Self>,
        input: &'b [u8],
        table: &'b mut FieldTable,
    ) -> Result<Step<'b, Self>, ReadError> {
        let (skipped, taken) = match take_request(&mut connection.unfinished, input, table) {
            Ok(taken) => taken,
            Err(error) => return Err(connection.refuse(error, input)),
        };
        let Some(Taken { line, end, body, expects_continue }) = taken else {
            return Ok(Step { used: skipped, event: Event::NeedMore });
        };
        let bytes = input.get(skipped..skipped + end).unwrap_or_default();
        let fields = Fields { bytes, lines: &table.lines };
        let options = framing::options(fields);
        let facts = &mut connection.cycle.facts;
        facts.note_persistence(options, line.version);
        facts.set(Facts::AWAITS, expects_continue);
        facts.set(Facts::CONNECT, line.kind == Kind::Connect);
        facts.set(Facts::UPGRADE, request::asks_upgrade(fields, line.version, options));
        connection.cycle.begin_exchange(line.kind == Kind::Head);
        connection.begin_content(body);
        let head = line.head(fields);
        Ok(Step { used: skipped + end, event: Event::Head { head, body, expects_continue } })
    }
}

/// What was decided about a request head that is whole and right.
struct Taken {
    line: RequestLine,
    end: usize,
    body: Framing,
    expects_continue: bool,
}

/// Reads a request head, if it is whole, behind empty lines, whose bytes are given first.
#[inline(always)]
fn take_request(
    unfinished: &mut Unfinished,
    input: &[u8],
    table: &mut FieldTable,
) -> Result<(usize, Option<Taken>), ReadError> {
    let mut skipped = 0;
    if unfinished.is_fresh() {
        skipped = skip_empty_lines(input, &mut unfinished.empty_lines)?;
    }
    let rest = input.get(skipped..).unwrap_or_default();
    if rest.is_empty() || rest == b"\r" {
        return Ok((skipped, None));
    }
    let FieldTable { limits, leniency, lines, .. } = table;
    let (line, end) = match request::parse_fresh(rest, limits, leniency, lines, *unfinished) {
        Some(parsed) => parsed,
        None => match request::parse_pieces(rest, limits, leniency, lines, unfinished) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return Ok((skipped, None)),
            Err(error) => return Err(error.shifted(skipped)),
        },
    };
    let fields = Fields { bytes: rest.get(..end).unwrap_or_default(), lines };
    let body = framing::request(fields, line.version, line.kind)
        .map_err(|error| error.shifted(skipped))?;
    let expects_continue = fields.lines.known.expect.any()
        && expects_continue(fields, line.version).map_err(|error| error.shifted(skipped))?
        && body != Framing::Empty;
    Ok((skipped, Some(Taken { line, end, body, expects_continue })))
}

/// Whether the request, which has `Expect`, expects `100-continue`.
///
/// RFC 9110 §10.1.1: "A server that receives an Expect field value containing a member other than
/// 100-continue MAY respond with a 417 (Expectation Failed) status code", and "A server that receives a
/// 100-continue expectation in an HTTP/1.0 request MUST ignore that expectation."
fn expects_continue(fields: Fields<'_>, version: http::Version) -> Result<bool, ReadError> {
    let seen = fields.lines.known.expect;
    if version == http::Version::HTTP_10 {
        return Ok(false);
    }
    let mut expects = false;
    for value in fields.known_all(seen, b"expect").flat_map(ListItems::new) {
        if !value.eq_ignore_ascii_case(b"100-continue") {
            let position = fields
                .lines
                .spans
                .get(usize::from(seen.first))
                .map_or(0, |l| l.name_start as usize);
            return Err(ReadError::Unsupported { feature: Feature::Expectation, position });
        }
        expects = true;
    }
    Ok(expects)
}

impl Connection<Server> {
    /// Notes that nothing more is read.
    ///
    /// RFC 9110 §9.3.2: "the server MUST NOT send content in the response" to HEAD, and a refusal is a
    /// response too. A client that counts on that would take the page for the next answer. So a request
    /// line that begins with HEAD is one, however broken the rest is.
    #[cold]
    fn refuse(&mut self, error: ReadError, input: &[u8]) -> ReadError {
        let blank = input.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if input.get(blank..).is_some_and(|rest| rest.starts_with(b"HEAD ")) {
            self.cycle.begin_exchange(true);
        }
        self.cycle.read(ReadStep::Fail);
        error
    }

    /// Writes an interim response to `out`: a status line with 1xx but 101, `fields`, an empty line.
    ///
    /// *Errors*: [`SendError::HeadNotDue`], [`SendError::NotInterim`], and [`SendError::InterimToHttp10`].
    ///
    /// *Spec*: RFC 9110 §15.2.
    pub fn send_interim(
        &mut self,
        status: StatusCode,
        fields: &FieldBuf,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        if self.cycle.sending != Sending::Head || self.cycle.outstanding() == 0 {
            return Err(SendError::HeadNotDue);
        }
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(SendError::NotInterim);
        }
        // RFC 9110 §15.2: "a server MUST NOT send a 1xx response to an HTTP/1.0 client."
        if self.cycle.facts.has(Facts::OLD_PEER) {
            return Err(SendError::InterimToHttp10);
        }
        if status == StatusCode::CONTINUE {
            self.cycle.facts.remove(Facts::AWAITS);
        }
        self.cycle.send(SendStep::Interim);
        push_status_line(out, status, reason(status));
        out.extend_from_slice(fields.as_bytes());
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Writes the head of the final response to `out`: the status line with the customary reason, the
    /// blocks of `fields` in order, the fields of framing and persistence that the exchange needs, and an
    /// empty line.
    ///
    /// `size` is the size of the content; for HEAD and 304, the size that a GET would have given. Content of
    /// unknown size is chunked, or for a client of HTTP/1.0 lasts until the close. 101, and 2xx for CONNECT,
    /// switch the protocol: once the request has ended, [`read`](Self::read) gives [`Event::Switched`].
    ///
    /// With no request outstanding (after a [`ReadError`], or for a 408 or 503 that answers none) the
    /// response says `Connection: close` and nothing further is read.
    ///
    /// A client that waits for 100 and gets a final response instead may or may not send its content: the
    /// connection closes then.
    ///
    /// *Errors*: [`SendError`]; nothing was written then.
    pub fn send_response(
        &mut self,
        status: StatusCode,
        fields: &[&FieldBuf],
        size: BodySize,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.respond(status, reason(status), fields, size, out)
    }

    /// As [`send_response`](Self::send_response), with a reason phrase of the caller's.
    ///
    /// *Errors*: also [`SendError::Reason`] for a control character other than HTAB.
    pub fn send_response_with_reason(
        &mut self,
        status: StatusCode,
        reason: &str,
        fields: &[&FieldBuf],
        size: BodySize,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        if invalid_in_value(reason.as_bytes()).is_some() {
            return Err(SendError::Reason);
        }
        self.respond(status, reason, fields, size, out)
    }

    /// Writes a whole final response to `out`: the head as [`send_response`](Self::send_response) writes
    /// it, and `content` where it is due, which it is not for HEAD and 304. Gives the number of bytes of
    /// content that were written.
    ///
    /// *Errors*: as [`send_response`](Self::send_response).
    pub fn send_whole_response(
        &mut self,
        status: StatusCode,
        fields: &[&FieldBuf],
        content: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, SendError> {
        let size = match content.len() {
            0 => BodySize::Empty,
            length => BodySize::Known(length as u64),
        };
        self.respond(status, reason(status), fields, size, out)?;
        if self.cycle.sending != Sending::Content {
            return Ok(0);
        }
        out.extend_from_slice(content);
        self.end_sending();
        Ok(content.len())
    }

    fn respond(
        &mut self,
        status: StatusCode,
        reason: &str,
        fields: &[&FieldBuf],
        size: BodySize,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        if self.cycle.sending != Sending::Head {
            return Err(SendError::HeadNotDue);
        }
        let marks = fields.iter().fold(Marks::default(), |marks, block| marks.and(block.marks()));
        let switches = self.check_switch(status, marks)?;
        let has_none =
            switches || status == StatusCode::NO_CONTENT || status == StatusCode::RESET_CONTENT;
        if has_none && !size.is_empty() {
            return Err(SendError::ContentForbidden);
        }
        if self.cycle.facts.has(Facts::AWAITS) {
            self.cycle.facts.remove(Facts::AWAITS);
            self.cycle.facts.add(Facts::CLOSE);
        }
        if self.cycle.outstanding() == 0 {
            self.cycle.read(ReadStep::Fail);
        }
        let old_peer = self.cycle.facts.has(Facts::OLD_PEER);
        let declared = declared(status, size, switches, old_peer);
        if declared == Some(Framing::UntilClose) {
            self.cycle.facts.add(Facts::UNTIL_CLOSE);
        }
        push_status_line(out, status, reason);
        for block in fields {
            out.extend_from_slice(block.as_bytes());
        }
        push_framing(out, declared);
        self.push_connection(out, status, marks);
        out.extend_from_slice(b"\r\n");
        let wire = match declared {
            _ if self.cycle.asked_head() || never_has_content(status) => Framing::Empty,
            None | Some(Framing::Empty | Framing::Length(0)) => Framing::Empty,
            Some(framing) => framing,
        };
        self.begin_sending(wire);
        if switches {
            self.cycle.facts.add(Facts::SWITCHES);
            self.cycle.switch_when_due();
        }
        Ok(())
    }

    /// Whether the response switches the protocol, if it may.
    fn check_switch(&self, status: StatusCode, marks: Marks) -> Result<bool, SendError> {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            if !self.cycle.facts.has(Facts::UPGRADE) || !marks.has(Marks::UPGRADE) {
                return Err(SendError::SwitchNotAsked);
            }
            if self.cycle.facts.has(Facts::AWAITS) {
                return Err(SendError::ContinueFirst);
            }
            return Ok(true);
        }
        if status.is_informational() {
            return Err(SendError::NotFinal);
        }
        Ok(self.cycle.facts.has(Facts::CONNECT) && status.is_success())
    }

    fn push_connection(&self, out: &mut Vec<u8>, status: StatusCode, marks: Marks) {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            out.extend_from_slice(b"Connection: upgrade\r\n");
            return;
        }
        // RFC 9110 §7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option".
        let upgrade = marks.has(Marks::UPGRADE);
        let line: &[u8] = match (self.cycle.will_close(), upgrade) {
            (true, true) => b"Connection: close, upgrade\r\n",
            (true, false) => b"Connection: close\r\n",
            (false, true) => b"Connection: upgrade\r\n",
            (false, false) if self.cycle.facts.has(Facts::OLD_PEER) => {
                b"Connection: keep-alive\r\n"
            }
            (false, false) => return,
        };
        out.extend_from_slice(line);
    }
}

/// What the head says of the content; `None` if it must not say anything.
fn declared(status: StatusCode, size: BodySize, switches: bool, old_peer: bool) -> Option<Framing> {
    // RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with a status
    // code of 1xx (Informational) or 204 (No Content)", nor "in any 2xx (Successful) response to a CONNECT
    // request"; RFC 9112 §6.1 says the same of Transfer-Encoding.
    if switches || status == StatusCode::NO_CONTENT {
        return None;
    }
    match size {
        // A 304 without known size says nothing, for the field would speak of the response to a GET.
        BodySize::Empty | BodySize::Unknown if status == StatusCode::NOT_MODIFIED => None,
        BodySize::Empty => Some(Framing::Length(0)),
        BodySize::Known(length) => Some(Framing::Length(length)),
        // RFC 9112 §6.1: "A server MUST NOT send a response containing Transfer-Encoding unless the
        // corresponding request indicates HTTP/1.1 (or later minor revisions)."
        BodySize::Unknown if old_peer => Some(Framing::UntilClose),
        BodySize::Unknown => Some(Framing::Chunked),
    }
}

/// Appends the field that tells the framing.
pub(crate) fn push_framing(out: &mut Vec<u8>, framing: Option<Framing>) {
    match framing {
        Some(Framing::Length(length)) => {
            out.extend_from_slice(b"Content-Length: ");
            push_decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Some(Framing::Chunked) => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Some(Framing::Empty | Framing::UntilClose) | None => {}
    }
}

/// The registered name of a status: two have other ones in RFC 9110 than in the specifications that
/// the `http` crate follows.
fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::OK => "OK",
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        StatusCode::UNPROCESSABLE_ENTITY => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or_default(),
    }
}

fn push_status_line(out: &mut Vec<u8>, status: StatusCode, reason: &str) {
    if status == StatusCode::OK && reason == "OK" {
        return out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}
