use http::{Method, StatusCode};

use crate::connection::{BodySize, Connection, Event, Step, skip_empty_lines};
use crate::cycle::{Cycle, Facts, ReadStep, SendStep, Sending};
use crate::error::{Fault, Limit, ReadError};
use crate::field_buf::Marks;
use crate::fields::Fields;
use crate::framing::{self, Asked, Framing, ResponseFraming};
use crate::host::{Port, is_authority};
use crate::request::{Kind, LONGEST_METHOD};
use crate::response::{self, Parsed, ResponseHead};
use crate::role::{Client, sealed::Sealed};
use crate::send_error::SendError;
use crate::server::push_framing;
use crate::unfinished::Unfinished;
use crate::{FieldBuf, FieldTable, Target};

/// The protocol version that a request names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestVersion {
    /// HTTP/1.0: no chunks, no `Host` needed, and the connection closes after the exchange.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
}

impl Sealed for Client {
    #[inline]
    fn read_head<'b>(
        connection: &mut Connection<Self>,
        input: &'b [u8],
        table: &'b mut FieldTable,
    ) -> Result<Step<'b, Self>, ReadError> {
        if connection.cycle.outstanding() == 0 {
            return if input.is_empty() {
                Ok(Step { used: 0, event: Event::NeedMore })
            } else {
                Err(connection.refuse(ReadError::Unsolicited))
            };
        }
        let (skipped, parsed) = match take_response(&mut connection.unfinished, input, table) {
            Ok(taken) => taken,
            Err(error) => return Err(connection.refuse(error)),
        };
        let Some(Parsed { line, end, unfolded }) = parsed else {
            return Ok(Step { used: skipped, event: Event::NeedMore });
        };
        let table: &'b FieldTable = table;
        let rest = input.get(skipped..).unwrap_or_default();
        let bytes = if unfolded { table.unfolded.as_slice() } else { rest };
        let fields = Fields { bytes: bytes.get(..end).unwrap_or_default(), lines: &table.lines };
        let head = ResponseHead {
            status: line.status,
            reason: line.reason,
            version: line.version,
            fields,
        };
        let used = skipped + end;
        match connection.take_head(&head, table) {
            Ok(Some(body)) => {
                let event = Event::Head { head, body, expects_continue: false };
                Ok(Step { used, event })
            }
            Ok(None) => Ok(Step { used, event: Event::Interim(head) }),
            Err(error) => Err(connection.refuse(error.shifted(skipped))),
        }
    }
}

/// Reads a response head, if it is whole, behind empty lines, whose bytes are given first.
#[inline(always)]
fn take_response<'b>(
    unfinished: &mut Unfinished,
    input: &'b [u8],
    table: &mut FieldTable,
) -> Result<(usize, Option<Parsed<'b>>), ReadError> {
    let mut skipped = 0;
    if unfinished.is_fresh() && table.leniency.empty_lines_before_response {
        skipped = skip_empty_lines(input, &mut unfinished.empty_lines)?;
    }
    let rest = input.get(skipped..).unwrap_or_default();
    if rest.is_empty() || rest == b"\r" {
        return Ok((skipped, None));
    }
    if unfinished.is_fresh()
        && let Some(parsed) = response::parse_fresh(rest, table)
    {
        return Ok((skipped, Some(parsed)));
    }
    let parsed = response::parse_pieces(rest, table, unfinished);
    Ok((skipped, parsed.map_err(|error| error.shifted(skipped))?))
}

impl Connection<Client> {
    /// Writes the head of a request of HTTP/1.1 to `out`; see
    /// [`send_request_as`](Self::send_request_as).
    ///
    /// *Errors*: [`SendError`]; nothing was written then.
    pub fn send_request(
        &mut self,
        method: &Method,
        target: &str,
        fields: &[&FieldBuf],
        size: BodySize,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.send_request_as(RequestVersion::Http11, method, target, fields, size, out)
    }

    /// Writes the head of a request to `out`: the request line, the blocks of `fields` in order, the fields
    /// of framing and persistence that it needs, and an empty line.
    ///
    /// `fields` must hold one `Host`. They may hold `Upgrade` and `TE`, for which the `Connection` options
    /// are added, and `Expect: 100-continue` if there is content. Content of unknown size is chunked.
    ///
    /// A further request may be sent before the response to an earlier one has come (pipelining): up to 16
    /// are outstanding, and none is sent after one with CONNECT, `Upgrade` or `Connection: close`.
    /// [`next_cycle`](Self::next_cycle) then leads to the next response.
    ///
    /// *Errors*: [`SendError`]; nothing was written then.
    ///
    /// *Spec*: RFC 9112 §3, §6, §9.3.2.
    pub fn send_request_as(
        &mut self,
        version: RequestVersion,
        method: &Method,
        target: &str,
        fields: &[&FieldBuf],
        size: BodySize,
        out: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.check_request_due()?;
        if method.as_str().len() > LONGEST_METHOD {
            return Err(SendError::Method);
        }
        if Target::parse(Kind::of(method.as_str().as_bytes()), target.as_bytes()).is_err() {
            return Err(SendError::Target);
        }
        check_host(version, fields)?;
        let marks = fields.iter().fold(Marks::default(), |marks, block| marks.and(block.marks()));
        let declared = declared(version, method, size)?;
        let expects = marks.has(Marks::EXPECT);
        if expects && size.is_empty() {
            return Err(SendError::ExpectWithoutContent);
        }
        if self.cycle.sending == Sending::Done {
            self.cycle.send(SendStep::Next);
        }
        let facts = &mut self.cycle.facts;
        facts.set(Facts::CONNECT, *method == Method::CONNECT);
        let upgrade = version == RequestVersion::Http11 && marks.has(Marks::UPGRADE);
        facts.set(Facts::UPGRADE, upgrade);
        facts.set(Facts::AWAITS, expects && version == RequestVersion::Http11);
        if version == RequestVersion::Http10 {
            facts.add(Facts::CLOSE);
        }
        out.extend_from_slice(method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(target.as_bytes());
        out.extend_from_slice(match version {
            RequestVersion::Http10 => b" HTTP/1.0\r\n",
            RequestVersion::Http11 => b" HTTP/1.1\r\n",
        });
        for block in fields {
            out.extend_from_slice(block.as_bytes());
        }
        push_framing(out, declared);
        push_connection(out, facts.has(Facts::CLOSE), upgrade, marks.has(Marks::TE));
        out.extend_from_slice(b"\r\n");
        self.cycle.begin_exchange(*method == Method::HEAD);
        self.begin_sending(match declared {
            None | Some(Framing::Length(0)) => Framing::Empty,
            Some(framing) => framing,
        });
        Ok(())
    }

    /// The number of requests sent whose responses are not complete.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        usize::from(self.cycle.outstanding())
    }

    fn check_request_due(&self) -> Result<(), SendError> {
        match self.cycle.sending {
            Sending::Head => {}
            Sending::Done => {
                let last = self.cycle.facts.has(Facts::CONNECT)
                    || self.cycle.facts.has(Facts::UPGRADE)
                    || self.cycle.will_close();
                if last || self.cycle.outstanding() >= Cycle::MOST_OUTSTANDING {
                    return Err(SendError::NoMoreRequests);
                }
            }
            Sending::Content | Sending::Switched => return Err(SendError::HeadNotDue),
        }
        Ok(())
    }

    /// Notes that nothing more is read.
    #[cold]
    fn refuse(&mut self, error: ReadError) -> ReadError {
        self.cycle.read(ReadStep::Fail);
        error
    }

    /// Decides what a response head means and moves the halves. Gives the framing of its content, and
    /// `None` if it is an interim response.
    #[inline]
    fn take_head(
        &mut self,
        head: &ResponseHead<'_>,
        table: &FieldTable,
    ) -> Result<Option<Framing>, ReadError> {
        let last = self.cycle.answers_last();
        let upgrades = head.status == StatusCode::SWITCHING_PROTOCOLS;
        if head.status.is_informational() && !upgrades {
            self.unfinished = Unfinished::NOTHING;
            if self.cycle.count_interim() > table.limits.interim {
                let most = u64::from(table.limits.interim);
                return Err(ReadError::LimitExceeded { limit: Limit::Interim, most, position: 0 });
            }
            if last && head.status == StatusCode::CONTINUE {
                self.cycle.facts.remove(Facts::AWAITS);
            }
            self.cycle.read(ReadStep::Interim);
            return Ok(None);
        }
        // RFC 9110 §7.8: "A server MUST NOT switch to a protocol that was not indicated by the client in the
        // corresponding request's Upgrade header field."
        if upgrades && !(last && self.cycle.facts.has(Facts::UPGRADE)) {
            return Err(ReadError::malformed(Fault::UnexpectedSwitch, 0));
        }
        let asked = if self.cycle.asked_head() {
            Asked::Head
        } else if last && self.cycle.facts.has(Facts::CONNECT) {
            Asked::Connect
        } else {
            Asked::Other
        };
        let ResponseFraming { framing: body, must_close } =
            framing::response(head.fields, head.version, head.status, asked, &table.leniency)?;
        let facts = &mut self.cycle.facts;
        facts.note_persistence(framing::options(head.fields), head.version);
        if last {
            facts.remove(Facts::AWAITS);
        }
        if body == Framing::UntilClose {
            facts.add(Facts::UNTIL_CLOSE);
        } else if must_close {
            facts.add(Facts::DOUBT);
        }
        if upgrades || (asked == Asked::Connect && head.status.is_success()) {
            facts.add(Facts::SWITCHES);
        }
        self.begin_content(body);
        Ok(Some(body))
    }
}

/// RFC 9112 §3.2: "A client MUST send a Host header field [...] in all HTTP/1.1 request messages."
fn check_host(version: RequestVersion, fields: &[&FieldBuf]) -> Result<(), SendError> {
    let mut hosts = fields
        .iter()
        .filter(|block| block.marks().has(Marks::HOST))
        .flat_map(|block| block.get_all_raw("host"));
    match (hosts.next(), hosts.next()) {
        (None, _) if version == RequestVersion::Http10 => Ok(()),
        (Some(host), None) if is_authority(host, Port::Optional) => Ok(()),
        _ => Err(SendError::Host),
    }
}

/// What the head says of the content; `None` if nothing.
fn declared(
    version: RequestVersion,
    method: &Method,
    size: BodySize,
) -> Result<Option<Framing>, SendError> {
    // RFC 9110 §9.3.8: "A client MUST NOT send content in a TRACE request"; §9.3.6: content of CONNECT has
    // no meaning, and what follows it is the tunnel.
    let forbidden = *method == Method::TRACE || *method == Method::CONNECT;
    match size {
        _ if forbidden => {
            if size == BodySize::Empty {
                Ok(None)
            } else {
                Err(SendError::ContentForbidden)
            }
        }
        // RFC 9110 §8.6: "a user agent SHOULD send Content-Length in a request when the method defines a
        // meaning for enclosed content and it is not sending Transfer-Encoding".
        BodySize::Empty if [Method::POST, Method::PUT, Method::PATCH].contains(method) => {
            Ok(Some(Framing::Length(0)))
        }
        BodySize::Empty => Ok(None),
        BodySize::Known(length) => Ok(Some(Framing::Length(length))),
        BodySize::Unknown if version == RequestVersion::Http10 => Err(SendError::LengthRequired),
        BodySize::Unknown => Ok(Some(Framing::Chunked)),
    }
}

fn push_connection(out: &mut Vec<u8>, close: bool, upgrade: bool, te: bool) {
    let options = [(close, "close"), (upgrade, "upgrade"), (te, "TE")];
    let mut before: &[u8] = b"Connection: ";
    for (_, option) in options.iter().filter(|(wanted, _)| *wanted) {
        out.extend_from_slice(before);
        out.extend_from_slice(option.as_bytes());
        before = b", ";
    }
    if close || upgrade || te {
        out.extend_from_slice(b"\r\n");
    }
}
