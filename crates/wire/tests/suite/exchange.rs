//! Whole exchanges of both roles, as a caller drives them.

use avocet_wire::{
    BodySize, Client, CloseReason, Connection, Event, FieldBuf, FieldTable, Framing, Leniency,
    Limits, Server,
};
use http::header::{HOST, UPGRADE};
use http::{Method, StatusCode};

fn server_table() -> FieldTable {
    FieldTable::new(Limits::server(), Leniency::strict())
}

fn client_table() -> FieldTable {
    FieldTable::new(Limits::client(), Leniency::client())
}

fn fields(lines: &[(&http::HeaderName, &str)]) -> FieldBuf {
    let mut fields = FieldBuf::new();
    for (name, value) in lines {
        fields.push(name, value).expect("a valid line");
    }
    fields
}

#[test]
fn a_connection_is_small() {
    assert_eq!(size_of::<Connection<Server>>(), 40);
    assert_eq!(size_of::<Connection<Client>>(), 40);
}

#[test]
fn chunked_request_with_trailers_then_a_pipelined_one() {
    let mut table = server_table();
    let mut connection = Connection::<Server>::new();
    let mut input: &[u8] = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
        5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n\
        GET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut content = Vec::new();
    loop {
        let step = connection.read(input, &mut table).unwrap();
        input = &input[step.used..];
        match step.event {
            Event::Head { head, body, .. } => {
                assert_eq!(head.target.path(), "/a");
                assert_eq!(body, Framing::Chunked);
            }
            Event::Data(data) => content.extend_from_slice(data),
            Event::End(trailers) => {
                let lines: Vec<_> = trailers.iter().collect();
                assert_eq!(lines, [("X-Sum", &b"1"[..])]);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(content, b"hello world");
    assert!(matches!(connection.read(input, &mut table).unwrap().event, Event::Paused));
    assert_eq!(connection.next_cycle(), Err(CloseReason::SendingUnfinished));
    let mut out = Vec::new();
    connection.send_response(StatusCode::NO_CONTENT, &[], BodySize::Empty, &mut out).unwrap();
    assert_eq!(out, b"HTTP/1.1 204 No Content\r\n\r\n");
    connection.next_cycle().unwrap();
    let step = connection.read(input, &mut table).unwrap();
    assert!(matches!(step.event, Event::Head { head, .. } if head.target.path() == "/b"));
}

#[test]
fn client_and_server_understand_each_other() {
    let mut client = Connection::<Client>::new();
    let mut server = Connection::<Server>::new();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let head = fields(&[(&HOST, "example.com")]);
    client.send_request(&Method::POST, "/x", &[&head], BodySize::Unknown, &mut to_server).unwrap();
    let suffix = client.frame_data(3, &mut to_server).unwrap();
    to_server.extend_from_slice(b"abc");
    to_server.extend_from_slice(suffix);
    client.send_end(&FieldBuf::new(), &mut to_server).unwrap();

    let mut table = server_table();
    let mut input = to_server.as_slice();
    let mut content = Vec::new();
    while !server.reading_done() {
        let step = server.read(input, &mut table).unwrap();
        input = &input[step.used..];
        if let Event::Data(data) = step.event {
            content.extend_from_slice(data);
        }
    }
    assert_eq!(content, b"abc");
    server.send_response(StatusCode::OK, &[], BodySize::Known(2), &mut to_client).unwrap();
    server.frame_data(2, &mut to_client).unwrap();
    to_client.extend_from_slice(b"ok");
    assert!(server.sending_done());
    server.next_cycle().unwrap();

    let mut table = client_table();
    let step = client.read(&to_client, &mut table).unwrap();
    let used = step.used;
    assert!(matches!(step.event, Event::Head { body: Framing::Length(2), .. }));
    let step = client.read(&to_client[used..], &mut table).unwrap();
    assert!(matches!(step.event, Event::Data(b"ok")));
    assert!(matches!(client.read(b"", &mut table).unwrap().event, Event::End(_)));
    client.next_cycle().unwrap();
}

#[test]
fn an_upgrade_hands_over_only_after_the_101() {
    let mut table = server_table();
    let mut server = Connection::<Server>::new();
    let input = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nraw";
    let step = server.read(input, &mut table).unwrap();
    let rest = &input[step.used..];
    let Event::Head { head, .. } = step.event else { panic!("a head") };
    assert_eq!(head.upgrade().unwrap().collect::<Vec<_>>(), [b"echo"]);
    assert!(matches!(server.read(rest, &mut table).unwrap().event, Event::End(_)));
    assert!(matches!(server.read(rest, &mut table).unwrap().event, Event::Paused));
    let mut out = Vec::new();
    let accept = fields(&[(&UPGRADE, "echo")]);
    server
        .send_response(StatusCode::SWITCHING_PROTOCOLS, &[&accept], BodySize::Empty, &mut out)
        .unwrap();
    assert_eq!(
        out,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n"
    );
    let step = server.read(rest, &mut table).unwrap();
    assert!(matches!(step.event, Event::Switched));
    assert_eq!(step.used, 0);
    assert_eq!(server.next_cycle(), Err(CloseReason::Switched));
}
