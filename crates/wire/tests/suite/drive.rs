//! Drives a connection as a caller does, over an input that comes in pieces, and writes down what it saw.

use avocet_wire::{
    BodySize, Client, CloseReason, Connection, Eof, Event, FieldBuf, FieldTable, Fields, Framing,
    Leniency, Limits, ReadError, Role, Server,
};
use http::header::{HOST, UPGRADE};
use http::{Method, StatusCode, Version};

/// Something that was read. Positions of errors count from the start of the whole input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Request {
        method: String,
        target: String,
        version: Version,
        fields: Lines,
        framing: Framing,
        expects_continue: bool,
    },
    Response {
        status: u16,
        reason: Vec<u8>,
        version: Version,
        fields: Lines,
        framing: Framing,
    },
    Interim {
        status: u16,
        fields: Lines,
    },
    /// Content, neighbors merged: where a cut falls does not show.
    Data(Vec<u8>),
    End(Lines),
    Error(ReadError),
    /// The connection can carry no further exchange.
    Close(CloseReason),
    Switched,
    /// More bytes were due when the input ended.
    Open,
}

pub(crate) type Lines = Vec<(String, Vec<u8>)>;

/// What was seen of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transcript {
    pub(crate) seen: Vec<Seen>,
    /// The bytes that were used; 0 after an error, when what was used before it depends on the cuts.
    pub(crate) used: usize,
    /// What the end of the input meant.
    pub(crate) eof: Result<Eof, ReadError>,
}

impl Transcript {
    pub(crate) fn error(&self) -> Option<ReadError> {
        self.seen.iter().find_map(|seen| match seen {
            Seen::Error(error) => Some(*error),
            _ => None,
        })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.seen.last() == Some(&Seen::Open)
    }

    pub(crate) fn ends(&self) -> usize {
        self.seen.iter().filter(|seen| matches!(seen, Seen::End(_))).count()
    }

    /// The content of each message.
    pub(crate) fn contents(&self) -> Vec<Vec<u8>> {
        let mut contents = Vec::new();
        for seen in &self.seen {
            match seen {
                Seen::Request { .. } | Seen::Response { .. } => contents.push(Vec::new()),
                Seen::Data(data) => {
                    contents.last_mut().expect("content follows a head").extend_from_slice(data);
                }
                _ => {}
            }
        }
        contents
    }
}

fn lines(fields: Fields<'_>) -> Lines {
    fields.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

/// A role that can be driven.
pub(crate) trait Driven: Role + Sized {
    fn write_down(head: &Self::Incoming<'_>, framing: Framing, expects_continue: bool) -> Seen;
    /// What this side does when a message is complete: a server answers.
    fn finish(connection: &mut Connection<Self>);
}

impl Driven for Server {
    fn write_down(head: &Self::Incoming<'_>, framing: Framing, expects_continue: bool) -> Seen {
        Seen::Request {
            method: head.method.to_string(),
            target: head.target.as_str().to_owned(),
            version: head.version,
            fields: lines(head.fields),
            framing,
            expects_continue,
        }
    }

    fn finish(connection: &mut Connection<Self>) {
        let mut out = Vec::new();
        connection
            .send_response(StatusCode::NOT_FOUND, &[], BodySize::Known(2), &mut out)
            .expect("a response is due");
        if connection.sends_content() {
            connection.frame_data(2, &mut out).expect("content is due");
        }
    }
}

impl Driven for Client {
    fn write_down(head: &Self::Incoming<'_>, framing: Framing, _: bool) -> Seen {
        Seen::Response {
            status: head.status.as_u16(),
            reason: head.reason.to_vec(),
            version: head.version,
            fields: lines(head.fields),
            framing,
        }
    }

    fn finish(_: &mut Connection<Self>) {}
}

/// A server with the default limits.
pub(crate) fn server(input: &[u8], cuts: &[usize]) -> Transcript {
    server_with(Limits::server(), Leniency::strict(), input, cuts)
}

pub(crate) fn server_with(
    limits: Limits,
    leniency: Leniency,
    input: &[u8],
    cuts: &[usize],
) -> Transcript {
    drive(Connection::<Server>::new(), FieldTable::new(limits, leniency), input, cuts)
}

/// A client that has sent one request with this method for each response that may come.
pub(crate) fn client(
    leniency: Leniency,
    method: &Method,
    input: &[u8],
    cuts: &[usize],
) -> Transcript {
    let table = FieldTable::new(Limits::client(), leniency);
    drive(asking(method, false), table, input, cuts)
}

/// A client that has sent requests: as many as may be outstanding.
pub(crate) fn asking(method: &Method, upgrade: bool) -> Connection<Client> {
    let mut connection = Connection::<Client>::new();
    let mut fields = FieldBuf::new();
    fields.push(&HOST, "a:1").expect("a valid line");
    if upgrade {
        fields.push(&UPGRADE, "echo").expect("a valid line");
    }
    let target = if *method == Method::CONNECT { "a:1" } else { "/" };
    let mut out = Vec::new();
    while connection.send_request(method, target, &[&fields], BodySize::Empty, &mut out).is_ok() {}
    assert!(connection.outstanding() > 0, "at least one request was sent");
    connection
}

/// Feeds `input` in pieces that end at `cuts`, which ascend, and at its end. A piece may be empty.
pub(crate) fn drive<R: Driven>(
    mut connection: Connection<R>,
    mut table: FieldTable,
    input: &[u8],
    cuts: &[usize],
) -> Transcript {
    let mut seen = Vec::new();
    let mut used = 0;
    let ends = cuts.iter().copied().chain([input.len()]);
    let mut open = true;
    for end in ends {
        while open {
            open = step(&mut connection, &mut table, &input[..end], &mut used, &mut seen);
            if seen.last() == Some(&Seen::Open) {
                break;
            }
        }
        if !open {
            break;
        }
        seen.pop();
    }
    if open {
        seen.push(Seen::Open);
    }
    if let Some(Seen::Error(_)) = seen.last() {
        let again = connection.read(input, &mut table).err();
        assert_eq!(again, Some(ReadError::Failed), "nothing is read after an error");
        used = 0;
    }
    let eof = connection.read_eof();
    Transcript { seen, used, eof }
}

/// Takes one step. Says whether reading goes on, now or when more bytes have come.
fn step<R: Driven>(
    connection: &mut Connection<R>,
    table: &mut FieldTable,
    input: &[u8],
    used: &mut usize,
    seen: &mut Vec<Seen>,
) -> bool {
    let rest = &input[*used..];
    let result = connection.read(rest, table);
    let step = match result {
        Ok(step) => step,
        Err(error) => {
            seen.push(Seen::Error(absolute(error, *used)));
            return false;
        }
    };
    assert!(step.used <= rest.len(), "only what is there is used");
    *used += step.used;
    match step.event {
        Event::Head { head, body, expects_continue } => {
            seen.push(R::write_down(&head, body, expects_continue));
        }
        Event::Interim(head) => {
            seen.push(Seen::Interim { status: head.status.as_u16(), fields: lines(head.fields) });
        }
        Event::Data(data) => {
            assert!(!data.is_empty(), "content events are not empty");
            match seen.last_mut() {
                Some(Seen::Data(earlier)) => earlier.extend_from_slice(data),
                _ => seen.push(Seen::Data(data.to_vec())),
            }
        }
        Event::End(trailers) => seen.push(Seen::End(lines(trailers))),
        Event::NeedMore => seen.push(Seen::Open),
        Event::Paused => {
            R::finish(connection);
            if connection.has_switched() {
                return true;
            }
            if let Err(reason) = connection.next_cycle() {
                seen.push(Seen::Close(reason));
                return false;
            }
        }
        Event::Switched => {
            seen.push(Seen::Switched);
            return false;
        }
    }
    true
}

/// The error with its position counted from the start of the whole input.
fn absolute(error: ReadError, used: usize) -> ReadError {
    match error {
        ReadError::Malformed { fault, position } => {
            ReadError::Malformed { fault, position: position + used }
        }
        ReadError::LimitExceeded { limit, most, position } => {
            ReadError::LimitExceeded { limit, most, position: position + used }
        }
        ReadError::Unsupported { feature, position } => {
            ReadError::Unsupported { feature, position: position + used }
        }
        other => other,
    }
}
