//! What one side writes the other reads, however it is cut: random messages, several on one connection.

use avocet_wire::{
    BodySize, Client, Connection, FieldBuf, FieldTable, Framing, Leniency, Limits, Server,
};
use http::{Method, StatusCode, Version};
use proptest::prelude::*;

use crate::drive::{self, Lines, Seen};

/// A message but for its first line.
#[derive(Clone, Debug)]
struct Message {
    fields: Lines,
    /// The content in pieces, as the sender frames it.
    pieces: Vec<Vec<u8>>,
    /// Trailers, if it is chunked.
    chunked: Option<Lines>,
}

impl Message {
    fn content(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    fn size(&self) -> BodySize {
        match self.chunked {
            Some(_) => BodySize::Unknown,
            None => BodySize::Known(self.content().len() as u64),
        }
    }

    fn framing(&self) -> Framing {
        match (&self.chunked, self.content().len()) {
            (Some(_), _) => Framing::Chunked,
            (None, 0) => Framing::Empty,
            (None, length) => Framing::Length(length as u64),
        }
    }

    fn block(&self) -> FieldBuf {
        buffer(&self.fields)
    }

    /// What the reader sees behind the head.
    fn rest(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        if !self.content().is_empty() {
            seen.push(Seen::Data(self.content()));
        }
        seen.push(Seen::End(self.chunked.clone().unwrap_or_default()));
        seen
    }
}

fn buffer(lines: &Lines) -> FieldBuf {
    let mut fields = FieldBuf::new();
    for (name, value) in lines {
        fields.push_raw(name, value).expect("a valid line");
    }
    fields
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}"
}

/// Names that mean nothing to the codec.
fn name() -> impl Strategy<Value = String> {
    token().prop_map(|token| format!("X-{token}"))
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\t'), 0x20..0x7fu8, 0x80..=0xffu8];
    prop::collection::vec(byte, 0..100).prop_map(|bytes| {
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let start = bytes.iter().take_while(|byte| is_blank(byte)).count();
        let end = bytes.iter().rev().take_while(|byte| is_blank(byte)).count();
        bytes.get(start..bytes.len() - end).unwrap_or_default().to_vec()
    })
}

fn lines() -> impl Strategy<Value = Lines> {
    prop::collection::vec((name(), value()), 0..12)
}

fn message() -> impl Strategy<Value = Message> {
    let piece = prop::collection::vec(any::<u8>(), 1..300);
    let pieces = prop::collection::vec(piece, 0..6);
    (lines(), pieces, prop::option::of(lines())).prop_map(|(fields, pieces, chunked)| Message {
        fields,
        pieces,
        chunked,
    })
}

fn target() -> impl Strategy<Value = String> {
    "(/[a-zA-Z0-9._~!$&'()*+,;=:@%-]{0,9}){1,4}(\\?[a-z=&|\\[\\]\\\\{}^`/?-]{0,20})?"
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::GET),
        Just(Method::POST),
        Just(Method::HEAD),
        Just(Method::DELETE),
        token().prop_map(|token| Method::from_bytes(token.as_bytes()).expect("a token")),
    ]
    .prop_filter("has no content", |method| *method != Method::CONNECT && *method != Method::TRACE)
}

fn cuts() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(0..600u16, 0..20)
}

/// Places to cut an input of this length, ascending.
fn places(steps: &[u16], length: usize) -> Vec<usize> {
    let ends = steps.iter().scan(0, |at, step| {
        *at += usize::from(*step);
        Some(*at)
    });
    ends.take_while(|end| *end < length).collect()
}

/// Frames the content of a message whose head was sent.
fn send_content<R: avocet_wire::Role>(
    connection: &mut Connection<R>,
    message: &Message,
    out: &mut Vec<u8>,
) {
    if connection.sends_content() {
        for piece in &message.pieces {
            let suffix = connection.frame_data(piece.len() as u64, out).expect("content is due");
            out.extend_from_slice(piece);
            out.extend_from_slice(suffix);
        }
    }
    let trailers = buffer(message.chunked.as_ref().unwrap_or(&Vec::new()));
    connection.send_end(&trailers, out).expect("the content is complete");
    assert!(connection.sending_done());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn requests(
        messages in prop::collection::vec((method(), target(), message()), 1..5),
        steps in cuts(),
    ) {
        let mut client = Connection::<Client>::new();
        let (mut out, mut due) = (Vec::new(), Vec::new());
        for (method, target, message) in &messages {
            let mut host = FieldBuf::new();
            host.push_raw("Host", "example.com:8080").expect("a valid line");
            let blocks = [&host, &message.block()];
            client.send_request(method, target, &blocks, message.size(), &mut out).expect("due");
            send_content(&mut client, message, &mut out);
            let mut fields = vec![("Host".to_owned(), b"example.com:8080".to_vec())];
            fields.extend(message.fields.clone());
            fields.push(match message.size() {
                BodySize::Known(length) => {
                    ("Content-Length".to_owned(), length.to_string().into_bytes())
                }
                _ => ("Transfer-Encoding".to_owned(), b"chunked".to_vec()),
            });
            due.push(Seen::Request {
                method: method.to_string(),
                target: target.clone(),
                version: Version::HTTP_11,
                fields,
                framing: message.framing(),
                expects_continue: false,
            });
            due.extend(message.rest());
        }
        due.push(Seen::Open);
        let transcript = drive::server(&out, &places(&steps, out.len()));
        prop_assert_eq!(transcript.seen, due);
        prop_assert_eq!(transcript.used, out.len());
    }

    #[test]
    fn responses(
        messages in prop::collection::vec((200u16..600, any::<bool>(), message()), 1..5),
        steps in cuts(),
    ) {
        // The server answers requests of which it saw as many as the client sent.
        let mut table = FieldTable::new(Limits::server(), Leniency::strict());
        let mut server = Connection::<Server>::new();
        let mut client = Connection::<Client>::new();
        let (mut out, mut due) = (Vec::new(), Vec::new());
        for (status, is_head, message) in &messages {
            let status = StatusCode::from_u16(*status).expect("a status");
            let method = if *is_head { Method::HEAD } else { Method::GET };
            let mut host = FieldBuf::new();
            host.push_raw("Host", "a").expect("a valid line");
            let mut request = Vec::new();
            client.send_request(&method, "/", &[&host], BodySize::Empty, &mut request).expect("due");
            let mut used = 0;
            while !server.reading_done() {
                used += server.read(&request[used..], &mut table).expect("a valid request").used;
            }
            let may_have_content = !matches!(status.as_u16(), 204 | 205);
            let size = if may_have_content { message.size() } else { BodySize::Empty };
            server.send_response(status, &[&message.block()], size, &mut out).expect("due");
            if server.sends_content() {
                send_content(&mut server, message, &mut out);
            }
            let has_content = may_have_content && status != StatusCode::NOT_MODIFIED && !is_head;
            let (seen, framing) = due_response(status, message, size, has_content);
            due.push(seen);
            due.extend(if has_content { message.rest() } else { vec![Seen::End(Vec::new())] });
            prop_assert_eq!(framing == Framing::Empty, !has_content || message.framing() == Framing::Empty);
            server.next_cycle().expect("the connection persists");
        }
        let client_table = FieldTable::new(Limits::client(), Leniency::strict());
        let transcript = drive::drive(client, client_table, &out, &places(&steps, out.len()));
        due.push(Seen::Open);
        prop_assert_eq!(transcript.seen, due);
        prop_assert_eq!(transcript.used, out.len());
    }
}

fn due_response(
    status: StatusCode,
    message: &Message,
    size: BodySize,
    has_content: bool,
) -> (Seen, Framing) {
    let mut fields = message.fields.clone();
    let length = |length: u64| ("Content-Length".to_owned(), length.to_string().into_bytes());
    match (size, status.as_u16()) {
        (_, 204) | (BodySize::Unknown | BodySize::Empty, 304) => {}
        (BodySize::Known(known), _) => fields.push(length(known)),
        (BodySize::Empty, _) => fields.push(length(0)),
        (BodySize::Unknown, _) => {
            fields.push(("Transfer-Encoding".to_owned(), b"chunked".to_vec()));
        }
    }
    let framing = if has_content { message.framing() } else { Framing::Empty };
    let reason = match status.as_u16() {
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let reason = reason.as_bytes().to_vec();
    let version = Version::HTTP_11;
    (Seen::Response { status: status.as_u16(), reason, version, fields, framing }, framing)
}
