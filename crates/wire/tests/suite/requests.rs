//! What a client writes and how it reads the answers: framing, persistence, pipelining, upgrades, tunnels.

use avocet_wire::{
    BodySize, Client, CloseReason, Connection, Eof, Event, Fault, FieldBuf, FieldTable, Framing,
    Leniency, Limits, Part, ReadError, RequestVersion, SendError,
};
use http::Method;
use http::header::{EXPECT, HOST, TE, UPGRADE};

fn fields(lines: &[(&http::HeaderName, &str)]) -> FieldBuf {
    let mut fields = FieldBuf::new();
    for (name, value) in lines {
        fields.push(name, value).expect("a valid line");
    }
    fields
}

fn send(
    connection: &mut Connection<Client>,
    method: &Method,
    target: &str,
    blocks: &[&FieldBuf],
    size: BodySize,
) -> Result<String, SendError> {
    let mut out = Vec::new();
    connection.send_request(method, target, blocks, size, &mut out)?;
    Ok(String::from_utf8(out).expect("text"))
}

fn get(connection: &mut Connection<Client>) -> Result<String, SendError> {
    send(connection, &Method::GET, "/", &[&fields(&[(&HOST, "a")])], BodySize::Empty)
}

fn table() -> FieldTable {
    FieldTable::new(Limits::client(), Leniency::client())
}

/// Reads to the end of one response and gives the bytes used.
fn read_response(connection: &mut Connection<Client>, input: &[u8]) -> Result<usize, ReadError> {
    let (mut table, mut used) = (table(), 0);
    loop {
        let step = connection.read(&input[used..], &mut table)?;
        used += step.used;
        if matches!(step.event, Event::End(_) | Event::NeedMore | Event::Paused | Event::Switched) {
            return Ok(used);
        }
    }
}

#[test]
fn framing_fields_follow_method_and_size() {
    use BodySize::{Empty, Known, Unknown};
    for (method, size, due) in [
        (Method::GET, Empty, Ok("")),
        (Method::GET, Known(0), Ok("Content-Length: 0\r\n")),
        (Method::GET, Known(5), Ok("Content-Length: 5\r\n")),
        (Method::POST, Empty, Ok("Content-Length: 0\r\n")),
        (Method::PUT, Empty, Ok("Content-Length: 0\r\n")),
        (Method::PATCH, Empty, Ok("Content-Length: 0\r\n")),
        (Method::DELETE, Empty, Ok("")),
        (Method::POST, Known(5), Ok("Content-Length: 5\r\n")),
        (Method::POST, Unknown, Ok("Transfer-Encoding: chunked\r\n")),
        (Method::TRACE, Empty, Ok("")),
        (Method::TRACE, Known(5), Err(SendError::ContentForbidden)),
        (Method::TRACE, Unknown, Err(SendError::ContentForbidden)),
    ] {
        let mut connection = Connection::new();
        let host = fields(&[(&HOST, "a")]);
        let head = send(&mut connection, &method, "/x?y", &[&host], size);
        let due = due.map(|field| format!("{method} /x?y HTTP/1.1\r\nHost: a\r\n{field}\r\n"));
        assert_eq!(head, due, "{method} {size:?}");
        let is_content = matches!(size, Known(1..) | Unknown);
        assert_eq!(connection.sends_content(), head.is_ok() && is_content);
    }
}

#[test]
fn http_1_0_closes_and_needs_a_length() {
    let request = |size: BodySize| {
        let mut connection = Connection::<Client>::new();
        let mut out = Vec::new();
        let old = RequestVersion::Http10;
        connection
            .send_request_as(old, &Method::POST, "/", &[], size, &mut out)
            .map(|()| (String::from_utf8(out).expect("text"), connection.will_close()))
    };
    let head = "POST / HTTP/1.0\r\nContent-Length: 5\r\nConnection: close\r\n\r\n".to_owned();
    assert_eq!(request(BodySize::Known(5)), Ok((head, true)));
    assert_eq!(request(BodySize::Unknown), Err(SendError::LengthRequired));
}

#[test]
fn connection_options_come_with_the_fields_that_need_them() {
    let block = fields(&[(&HOST, "a"), (&TE, "trailers"), (&UPGRADE, "x")]);
    let mut connection = Connection::new();
    connection.close_after_cycle();
    let head = send(&mut connection, &Method::GET, "/", &[&block], BodySize::Empty).unwrap();
    assert!(head.ends_with("Upgrade: x\r\nConnection: close, upgrade, TE\r\n\r\n"), "{head}");
    let block = fields(&[(&HOST, "a"), (&TE, "trailers")]);
    let head = send(&mut Connection::new(), &Method::GET, "/", &[&block], BodySize::Empty).unwrap();
    assert!(head.ends_with("TE: trailers\r\nConnection: TE\r\n\r\n"), "{head}");
}

#[test]
fn what_cannot_be_sent() {
    let host = fields(&[(&HOST, "a")]);
    let refused = |method: &str, target: &str, blocks: &[&FieldBuf], size: BodySize| {
        let method = method.parse().expect("a method");
        let mut connection = Connection::new();
        let error = send(&mut connection, &method, target, blocks, size).expect_err("refused");
        assert_eq!(connection.outstanding(), 0, "nothing was sent");
        error
    };
    let empty = BodySize::Empty;
    let two = fields(&[(&HOST, "a"), (&HOST, "a")]);
    for blocks in [&[][..], &[&two], &[&host, &host], &[&fields(&[(&HOST, "a b")])]] {
        assert_eq!(refused("GET", "/", blocks, empty), SendError::Host);
    }
    for target in ["", "a", "*", "/a b", "/#", "http://u@a/"] {
        assert_eq!(refused("GET", target, &[&host], empty), SendError::Target, "{target:?}");
    }
    assert_eq!(refused("CONNECT", "/", &[&host], empty), SendError::Target);
    assert_eq!(
        refused("CONNECT", "a:1", &[&host], BodySize::Known(1)),
        SendError::ContentForbidden
    );
    assert_eq!(refused(&"M".repeat(33), "/", &[&host], empty), SendError::Method);
    let expects = fields(&[(&HOST, "a"), (&EXPECT, "100-continue")]);
    assert_eq!(refused("POST", "/", &[&expects], empty), SendError::ExpectWithoutContent);
}

#[test]
fn pipelined_answers_are_matched_in_order() {
    let mut connection = Connection::new();
    let host = fields(&[(&HOST, "a")]);
    for method in [Method::GET, Method::HEAD, Method::GET] {
        send(&mut connection, &method, "/", &[&host], BodySize::Empty).unwrap();
    }
    assert_eq!(connection.outstanding(), 3);
    // The answer to HEAD has the length of content that does not come.
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let input = format!("{response}ok{response}{response}ok");
    let mut rest = input.as_bytes();
    for left in [2, 1, 0] {
        let used = read_response(&mut connection, rest).unwrap();
        rest = &rest[used..];
        connection.next_cycle().unwrap();
        assert_eq!(connection.outstanding(), left);
    }
    assert!(rest.is_empty());
    assert_eq!(read_response(&mut connection, b"H"), Err(ReadError::Unsolicited));
}

#[test]
fn pipelining_ends_where_the_connection_may() {
    let host = fields(&[(&HOST, "a")]);
    let upgrade = fields(&[(&HOST, "a"), (&UPGRADE, "x")]);
    let mut connection = Connection::new();
    for _ in 0..16 {
        get(&mut connection).unwrap();
    }
    assert_eq!(get(&mut connection), Err(SendError::NoMoreRequests));
    let mut connection = Connection::new();
    send(&mut connection, &Method::GET, "/", &[&upgrade], BodySize::Empty).unwrap();
    assert_eq!(get(&mut connection), Err(SendError::NoMoreRequests));
    let mut connection = Connection::new();
    send(&mut connection, &Method::CONNECT, "a:1", &[&host], BodySize::Empty).unwrap();
    assert_eq!(get(&mut connection), Err(SendError::NoMoreRequests));
    let mut connection = Connection::new();
    connection.close_after_cycle();
    get(&mut connection).unwrap();
    assert_eq!(get(&mut connection), Err(SendError::NoMoreRequests));
    let mut connection = Connection::new();
    send(&mut connection, &Method::POST, "/", &[&host], BodySize::Known(5)).unwrap();
    assert_eq!(get(&mut connection), Err(SendError::HeadNotDue), "content comes first");
}

#[test]
fn a_response_that_comes_before_the_request_is_complete() {
    let mut connection = Connection::new();
    let host = fields(&[(&HOST, "a")]);
    send(&mut connection, &Method::POST, "/", &[&host], BodySize::Unknown).unwrap();
    let response = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(read_response(&mut connection, response), Ok(response.len()));
    assert_eq!(connection.next_cycle(), Err(CloseReason::SendingUnfinished));
    connection.send_end(&FieldBuf::new(), &mut Vec::new()).unwrap();
    assert_eq!(connection.next_cycle(), Ok(()));
}

#[test]
fn expect_is_in_force_until_100_or_the_answer_or_content() {
    let block = fields(&[(&HOST, "a"), (&EXPECT, "100-continue")]);
    let waiting = || {
        let mut connection = Connection::new();
        send(&mut connection, &Method::POST, "/", &[&block], BodySize::Known(2)).unwrap();
        assert!(connection.awaits_continue());
        connection
    };
    let mut table = table();
    let mut connection = waiting();
    let step = connection.read(b"HTTP/1.1 103 \r\n\r\n", &mut table).unwrap();
    assert!(matches!(step.event, Event::Interim(_)));
    assert!(connection.awaits_continue(), "another interim response is no answer to that");
    connection.read(b"HTTP/1.1 100 \r\n\r\n", &mut table).unwrap();
    assert!(!connection.awaits_continue());
    let mut connection = waiting();
    connection.read(b"HTTP/1.1 417 \r\nContent-Length: 0\r\n\r\n", &mut table).unwrap();
    assert!(!connection.awaits_continue());
    let mut connection = waiting();
    connection.frame_data(1, &mut Vec::new()).unwrap();
    assert!(!connection.awaits_continue(), "who sends does not wait");
}

#[test]
fn responses_decide_whether_the_connection_persists() {
    for (response, due) in [
        ("HTTP/1.1 204 \r\n\r\n", Ok(())),
        ("HTTP/1.1 204 \r\nConnection: close\r\n\r\n", Err(CloseReason::PeerAsked)),
        ("HTTP/1.1 204 \r\nConnection: foo, CLOSE\r\n\r\n", Err(CloseReason::PeerAsked)),
        (
            "HTTP/1.1 204 \r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
            Err(CloseReason::PeerAsked),
        ),
        ("HTTP/1.0 204 \r\n\r\n", Err(CloseReason::Http10)),
        ("HTTP/1.0 204 \r\nConnection: Keep-Alive\r\n\r\n", Ok(())),
        ("HTTP/1.0 204 \r\nConnection: Keep-Alive, close\r\n\r\n", Err(CloseReason::PeerAsked)),
    ] {
        let mut connection = Connection::new();
        get(&mut connection).unwrap();
        read_response(&mut connection, response.as_bytes()).unwrap();
        assert_eq!(connection.next_cycle(), due, "{response:?}");
    }
}

#[test]
fn the_end_of_the_input() {
    let eof = |input: &str| {
        let mut connection = Connection::new();
        get(&mut connection).unwrap();
        read_response(&mut connection, input.as_bytes()).unwrap();
        (connection.read_eof(), connection.next_cycle())
    };
    let cut = |during: Part| (Err(ReadError::CutShort { during }), Err(CloseReason::Fault));
    assert_eq!(eof(""), cut(Part::Head));
    assert_eq!(eof("HTTP/1.1 200 O"), cut(Part::Head));
    assert_eq!(eof("HTTP/1.1 103 \r\n\r\n"), cut(Part::Head));
    assert_eq!(eof("HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhell"), cut(Part::Content));
    for content in ["", "5", "5\r\n", "5\r\nhello", "5\r\nhello\r\n", "0\r\n", "0\r\nX: y\r\n"] {
        let response = format!("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n{content}");
        assert_eq!(eof(&response), cut(Part::Chunks), "{content:?}");
    }
    let until_close = (Ok(Eof::End), Err(CloseReason::ContentUntilClose));
    assert_eq!(eof("HTTP/1.1 200 \r\n\r\nhello"), until_close);
    assert_eq!(eof("HTTP/1.1 204 \r\n\r\n"), (Ok(Eof::Clean), Err(CloseReason::PeerClosed)));
    let mut idle = Connection::<Client>::new();
    assert_eq!(idle.read_eof(), Ok(Eof::Clean));
}

#[test]
fn tunnels_and_upgrades() {
    let host = fields(&[(&HOST, "a")]);
    let upgrade = fields(&[(&HOST, "a"), (&UPGRADE, "x")]);
    let cases = [
        (Method::CONNECT, "a:443", &host, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        (Method::CONNECT, "a:443", &host, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
        (
            Method::GET,
            "/",
            &upgrade,
            "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ),
    ];
    for (method, target, block, response) in cases {
        let mut connection = Connection::new();
        send(&mut connection, &method, target, &[block], BodySize::Empty).unwrap();
        let input = format!("{response}raw bytes");
        let used = read_response(&mut connection, input.as_bytes()).unwrap();
        assert_eq!(used, response.len());
        assert!(connection.has_switched());
        let mut table = table();
        let step = connection.read(b"raw bytes", &mut table).unwrap();
        assert!(matches!((step.used, step.event), (0, Event::Switched)));
        assert_eq!(connection.read_eof(), Ok(Eof::Clean));
        assert_eq!(get(&mut connection), Err(SendError::HeadNotDue));
    }
    // A refusal leaves the connection to HTTP.
    let mut connection = Connection::new();
    send(&mut connection, &Method::CONNECT, "a:443", &[&host], BodySize::Empty).unwrap();
    let mut table = table();
    let step =
        connection.read(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", &mut table).unwrap();
    assert!(matches!(step.event, Event::Head { body: Framing::Length(2), .. }));
}

#[test]
fn a_switch_that_was_not_asked_for() {
    let switch = b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    let unexpected = ReadError::Malformed { fault: Fault::UnexpectedSwitch, position: 0 };
    let mut connection = Connection::new();
    get(&mut connection).unwrap();
    assert_eq!(read_response(&mut connection, switch), Err(unexpected));
    // An earlier request on the connection did not ask either.
    let upgrade = fields(&[(&HOST, "a"), (&UPGRADE, "x")]);
    let mut connection = Connection::new();
    get(&mut connection).unwrap();
    send(&mut connection, &Method::GET, "/", &[&upgrade], BodySize::Empty).unwrap();
    assert_eq!(read_response(&mut connection, switch), Err(unexpected));
    // Nor does a tunnel begin with the answer to the request before CONNECT.
    let host = fields(&[(&HOST, "a")]);
    let mut connection = Connection::new();
    get(&mut connection).unwrap();
    send(&mut connection, &Method::CONNECT, "a:1", &[&host], BodySize::Empty).unwrap();
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    assert_eq!(read_response(&mut connection, response), Ok(response.len()));
    assert!(!connection.has_switched());
}
