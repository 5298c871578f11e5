//! What a server writes: the framing and persistence fields that each status, method and version needs.

use avocet_wire::{
    BodySize, CloseReason, Connection, Event, FieldBuf, FieldTable, Leniency, Limits, SendError,
    Server,
};
use http::StatusCode;
use http::header::{CONTENT_TYPE, LINK, UPGRADE};

/// A server that has read this request to its end, or as far as it goes.
fn asked(request: &str) -> Connection<Server> {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection = Connection::new();
    let mut input = request.as_bytes();
    while let Ok(step) = connection.read(input, &mut table) {
        input = &input[step.used..];
        if matches!(step.event, Event::NeedMore | Event::Paused) {
            break;
        }
    }
    connection
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\n\r\n";
const OLD_KEPT: &str = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
const CLOSING: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n";
const CONNECT: &str = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
const UPGRADING: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: y\r\n\r\n";
const WAITING: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";

fn send(
    connection: &mut Connection<Server>,
    status: u16,
    size: BodySize,
) -> Result<String, SendError> {
    let mut out = Vec::new();
    let status = StatusCode::from_u16(status).expect("a status");
    connection.send_response(status, &[], size, &mut out)?;
    Ok(String::from_utf8(out).expect("text"))
}

/// The lines of the head behind the status line, and whether content goes on the wire.
fn written(request: &str, status: u16, size: BodySize) -> (Vec<String>, bool) {
    let mut connection = asked(request);
    let head = send(&mut connection, status, size).expect("a response is due");
    let lines = head.strip_suffix("\r\n\r\n").expect("an empty line").split("\r\n");
    (lines.skip(1).map(str::to_owned).collect(), connection.sends_content())
}

#[test]
fn framing_fields_follow_status_method_and_version() {
    use BodySize::{Empty, Known, Unknown};
    let length = |n: u64| format!("Content-Length: {n}");
    let chunked = "Transfer-Encoding: chunked".to_owned();
    let close = "Connection: close".to_owned();
    let keep = "Connection: keep-alive".to_owned();
    for (request, status, size, fields, content) in [
        (GET, 200, Empty, vec![length(0)], false),
        (GET, 200, Known(0), vec![length(0)], false),
        (GET, 200, Known(5), vec![length(5)], true),
        (GET, 200, Known(u64::MAX), vec![length(u64::MAX)], true),
        (GET, 200, Unknown, vec![chunked.clone()], true),
        (GET, 404, Known(5), vec![length(5)], true),
        (GET, 204, Empty, vec![], false),
        (GET, 205, Empty, vec![length(0)], false),
        (GET, 304, Empty, vec![], false),
        (GET, 304, Unknown, vec![], false),
        (GET, 304, Known(5), vec![length(5)], false),
        (HEAD, 200, Known(5), vec![length(5)], false),
        (HEAD, 200, Unknown, vec![chunked], false),
        (HEAD, 204, Empty, vec![], false),
        (OLD, 200, Known(5), vec![length(5), close.clone()], true),
        (OLD, 200, Unknown, vec![close.clone()], true),
        (OLD_KEPT, 200, Known(5), vec![length(5), keep.clone()], true),
        (OLD_KEPT, 200, Unknown, vec![close.clone()], true),
        (OLD_KEPT, 204, Empty, vec![keep], false),
        (CLOSING, 200, Known(5), vec![length(5), close], true),
        (CONNECT, 200, Empty, vec![], false),
        (CONNECT, 403, Known(5), vec![length(5)], true),
        (UPGRADING, 200, Known(5), vec![length(5)], true),
    ] {
        let due = (fields, content);
        assert_eq!(written(request, status, size), due, "{request:?} {status} {size:?}");
    }
}

#[test]
fn a_response_in_one_go_is_the_same_as_one_in_parts() {
    let requests = [GET, HEAD, OLD, OLD_KEPT, CLOSING, CONNECT, UPGRADING, WAITING, "nonsense\r\n"];
    for request in requests {
        for status in [100, 101, 200, 204, 205, 206, 304, 404] {
            for content in [&b""[..], b"x", b"hello"] {
                let status = StatusCode::from_u16(status).expect("a status");
                let (mut whole, mut out) = (asked(request), Vec::new());
                let sent = whole.send_whole_response(status, &[], content, &mut out);
                let (mut parts, mut due) = (asked(request), Vec::new());
                let size = match content.len() {
                    0 => BodySize::Empty,
                    length => BodySize::Known(length as u64),
                };
                let begun = parts.send_response(status, &[], size, &mut due);
                let expected = begun.and_then(|()| {
                    if !parts.sends_content() {
                        return Ok(0);
                    }
                    parts.frame_data(content.len() as u64, &mut due)?;
                    due.extend_from_slice(content);
                    parts.send_end(&FieldBuf::new(), &mut due)?;
                    Ok(content.len())
                });
                assert_eq!(sent, expected, "{request:?} {status}");
                assert_eq!(out, due, "{request:?} {status}");
                assert_eq!(format!("{whole:?}"), format!("{parts:?}"), "{request:?} {status}");
                assert_eq!(whole.next_cycle(), parts.next_cycle(), "{request:?} {status}");
            }
        }
    }
}

#[test]
fn the_end_is_taken_where_it_would_be_told_and_nowhere_else() {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    let mut connection: Connection<Server> = Connection::new();
    assert!(!connection.take_end(), "nothing has come");
    connection.read(GET.as_bytes(), &mut table).expect("a head");
    assert!(connection.take_end());
    assert!(connection.reading_done());
    assert!(!connection.take_end(), "it was told");
    let step = connection.read(b"", &mut table).expect("no fault");
    assert!(matches!(step.event, Event::Paused));
    let mut connection: Connection<Server> = Connection::new();
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n";
    connection.read(post, &mut table).expect("a head");
    assert!(!connection.take_end(), "content is due");
    connection.read(b"x", &mut table).expect("content");
    assert!(connection.take_end());
}

#[test]
fn the_status_line_has_the_customary_reason_or_the_given_one() {
    assert!(
        send(&mut asked(GET), 404, BodySize::Empty)
            .unwrap()
            .starts_with("HTTP/1.1 404 Not Found\r\n")
    );
    assert!(
        send(&mut asked(OLD), 200, BodySize::Empty).unwrap().starts_with("HTTP/1.1 200 OK\r\n")
    );
    assert!(send(&mut asked(GET), 299, BodySize::Empty).unwrap().starts_with("HTTP/1.1 299 \r\n"));
    let mut out = Vec::new();
    let (ok, empty) = (StatusCode::OK, BodySize::Empty);
    asked(GET).send_response_with_reason(ok, "Fine \u{fc}", &[], empty, &mut out).unwrap();
    assert!(out.starts_with("HTTP/1.1 200 Fine \u{fc}\r\n".as_bytes()));
}

#[test]
fn blocks_of_fields_go_out_in_order_before_the_framing() {
    let (mut first, mut second) = (FieldBuf::new(), FieldBuf::new());
    first.push(&CONTENT_TYPE, "text/plain").unwrap();
    second.push_raw("x-Odd", "1").unwrap();
    let mut out = Vec::new();
    let blocks = [&first, &second];
    asked(GET).send_response(StatusCode::OK, &blocks, BodySize::Known(1), &mut out).unwrap();
    assert_eq!(
        out,
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nx-Odd: 1\r\nContent-Length: 1\r\n\r\n"
    );
}

#[test]
fn content_is_accounted_for() {
    let mut connection = asked(GET);
    let mut out = Vec::new();
    assert_eq!(connection.frame_data(1, &mut out), Err(SendError::ContentNotDue));
    assert_eq!(connection.send_end(&FieldBuf::new(), &mut out), Err(SendError::ContentNotDue));
    send(&mut connection, 200, BodySize::Known(5)).unwrap();
    assert_eq!(connection.frame_data(0, &mut out), Ok(&b""[..]));
    assert_eq!(connection.frame_data(6, &mut out), Err(SendError::TooLong { left: 5 }));
    assert_eq!(connection.frame_data(3, &mut out), Ok(&b""[..]));
    assert_eq!(
        connection.send_end(&FieldBuf::new(), &mut out),
        Err(SendError::TooShort { missing: 2 })
    );
    assert!(!connection.sending_done());
    assert_eq!(connection.frame_data(2, &mut out), Ok(&b""[..]));
    assert!(connection.sending_done() && !connection.sends_content());
    assert_eq!(connection.frame_data(1, &mut out), Err(SendError::TooLong { left: 0 }));
    assert_eq!(connection.send_end(&FieldBuf::new(), &mut out), Ok(()));
    assert!(out.is_empty(), "content of a known length is framed by nothing");
    assert_eq!(send(&mut connection, 200, BodySize::Empty), Err(SendError::HeadNotDue));
}

#[test]
fn chunks_and_trailers() {
    let mut connection = asked(GET);
    send(&mut connection, 200, BodySize::Unknown).unwrap();
    let mut out = Vec::new();
    assert_eq!(connection.frame_data(0, &mut out), Ok(&b""[..]));
    assert_eq!(connection.frame_data(26, &mut out), Ok(&b"\r\n"[..]));
    assert_eq!(out, b"1a\r\n");
    let mut forbidden = FieldBuf::new();
    forbidden.push(&CONTENT_TYPE, "a/b").unwrap();
    assert_eq!(connection.send_end(&forbidden, &mut out), Err(SendError::ForbiddenTrailer));
    let mut trailers = FieldBuf::new();
    trailers.push_raw("X-Sum", "1").unwrap();
    assert_eq!(connection.send_end(&trailers, &mut out), Ok(()));
    assert_eq!(out, b"1a\r\n0\r\nX-Sum: 1\r\n\r\n");
    assert_eq!(connection.send_end(&trailers, &mut out), Err(SendError::ContentNotDue));
    assert_eq!(connection.frame_data(1, &mut out), Err(SendError::ContentNotDue));
    let mut connection = asked(GET);
    send(&mut connection, 200, BodySize::Known(1)).unwrap();
    connection.frame_data(1, &mut out).unwrap();
    assert_eq!(connection.send_end(&trailers, &mut out), Err(SendError::TrailersNotChunked));
}

#[test]
fn messages_without_content_are_complete_with_their_head() {
    for (request, status, size) in [
        (HEAD, 200, BodySize::Known(5)),
        (HEAD, 200, BodySize::Unknown),
        (GET, 304, BodySize::Known(5)),
        (GET, 204, BodySize::Empty),
        (GET, 200, BodySize::Empty),
    ] {
        let mut connection = asked(request);
        send(&mut connection, status, size).unwrap();
        assert!(connection.sending_done(), "{request:?} {status}");
        let mut out = Vec::new();
        assert!(connection.frame_data(5, &mut out).is_err());
        assert_eq!(connection.send_end(&FieldBuf::new(), &mut out), Ok(()));
        assert!(out.is_empty());
        assert_eq!(connection.next_cycle(), Ok(()));
    }
}

#[test]
fn content_where_there_is_none_is_an_error() {
    for (request, status) in [(GET, 204), (GET, 205), (CONNECT, 200), (CONNECT, 299)] {
        for size in [BodySize::Known(5), BodySize::Unknown] {
            let sent = send(&mut asked(request), status, size);
            assert_eq!(sent, Err(SendError::ContentForbidden), "{request:?} {status} {size:?}");
        }
    }
    for status in [100, 102, 103, 199] {
        assert_eq!(send(&mut asked(GET), status, BodySize::Empty), Err(SendError::NotFinal));
    }
}

#[test]
fn interim_responses_come_before_the_final_one_and_not_for_http_1_0() {
    let mut hint = FieldBuf::new();
    hint.push(&LINK, "</a>").unwrap();
    let interim = |connection: &mut Connection<Server>, status: u16| {
        let mut out = Vec::new();
        let status = StatusCode::from_u16(status).expect("a status");
        connection.send_interim(status, &hint, &mut out).map(|()| out)
    };
    let mut connection = asked(GET);
    let out = interim(&mut connection, 103).unwrap();
    assert_eq!(out, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    assert_eq!(interim(&mut connection, 101), Err(SendError::NotInterim));
    assert_eq!(interim(&mut connection, 200), Err(SendError::NotInterim));
    send(&mut connection, 200, BodySize::Empty).unwrap();
    assert_eq!(interim(&mut connection, 103), Err(SendError::HeadNotDue));
    assert_eq!(interim(&mut asked(OLD), 103), Err(SendError::InterimToHttp10));
    assert_eq!(interim(&mut asked(""), 103), Err(SendError::HeadNotDue));
}

#[test]
fn expect_is_in_force_until_100_or_content_or_the_final_answer() {
    let mut connection = asked(WAITING);
    assert!(connection.awaits_continue());
    connection.send_interim(StatusCode::CONTINUE, &FieldBuf::new(), &mut Vec::new()).unwrap();
    assert!(!connection.awaits_continue() && !connection.will_close());
    assert!(!asked(&format!("{WAITING}o")).awaits_continue(), "content has come");
    // The client may send its content after a final answer, or not: nobody knows what follows.
    let mut connection = asked(WAITING);
    let head = send(&mut connection, 413, BodySize::Empty).unwrap();
    assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
    assert!(connection.will_close() && !connection.awaits_continue());
    // Without content there is nothing to wait for, and HTTP/1.0 knows no interim responses.
    let nothing = "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n";
    assert!(!asked(nothing).awaits_continue());
    let old = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    assert!(!asked(old).awaits_continue());
}

#[test]
fn switching_needs_a_request_for_it_and_the_field() {
    let mut fields = FieldBuf::new();
    fields.push(&UPGRADE, "y").unwrap();
    let switch = |request: &str, fields: &FieldBuf| {
        let mut out = Vec::new();
        let status = StatusCode::SWITCHING_PROTOCOLS;
        asked(request).send_response(status, &[fields], BodySize::Empty, &mut out)
    };
    assert_eq!(switch(UPGRADING, &fields), Ok(()));
    assert_eq!(switch(UPGRADING, &FieldBuf::new()), Err(SendError::SwitchNotAsked));
    assert_eq!(switch(GET, &fields), Err(SendError::SwitchNotAsked));
    let no_option = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: y\r\n\r\n";
    assert_eq!(switch(no_option, &fields), Err(SendError::SwitchNotAsked));
    let old = "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: y\r\n\r\n";
    assert_eq!(switch(old, &fields), Err(SendError::SwitchNotAsked));
    let waiting = "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: y\r\n\
        Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(switch(waiting, &fields), Err(SendError::ContinueFirst));
    // An offer to upgrade comes with its connection option.
    let mut out = Vec::new();
    let upgrade_required = StatusCode::UPGRADE_REQUIRED;
    asked(GET).send_response(upgrade_required, &[&fields], BodySize::Empty, &mut out).unwrap();
    assert!(out.ends_with(b"Content-Length: 0\r\nConnection: upgrade\r\n\r\n"));
}

#[test]
fn a_tunnel_begins_when_both_messages_are_complete() {
    let mut table = FieldTable::new(Limits::server(), Leniency::strict());
    for closes_early in [false, true] {
        let mut connection = asked(CONNECT);
        if closes_early {
            connection.read_eof().unwrap();
        }
        assert!(!connection.has_switched());
        send(&mut connection, 200, BodySize::Empty).unwrap();
        assert!(connection.has_switched());
        let step = connection.read(b"\x16\x03\x01", &mut table).unwrap();
        assert!(matches!((step.used, step.event), (0, Event::Switched)));
        assert_eq!(connection.send_end(&FieldBuf::new(), &mut Vec::new()), Ok(()));
        assert_eq!(connection.next_cycle(), Err(CloseReason::Switched));
    }
    // Content before the switch is still content.
    let request = "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: y\r\nContent-Length: 4\r\n\r\nab";
    let mut connection = asked(request);
    let mut fields = FieldBuf::new();
    fields.push(&UPGRADE, "y").unwrap();
    let status = StatusCode::SWITCHING_PROTOCOLS;
    connection.send_response(status, &[&fields], BodySize::Empty, &mut Vec::new()).unwrap();
    let step = connection.read(b"cdraw", &mut table).unwrap();
    assert!(matches!((step.used, step.event), (2, Event::Data(b"cd"))));
    assert!(matches!(connection.read(b"raw", &mut table).unwrap().event, Event::End(_)));
    assert!(matches!(connection.read(b"raw", &mut table).unwrap().event, Event::Switched));
}

#[test]
fn one_answer_to_what_could_not_be_read() {
    let mut connection = asked("GET / HTTP/1.1\r\n\r\n");
    let head = send(&mut connection, 400, BodySize::Known(3)).unwrap();
    assert_eq!(head, "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
    connection.frame_data(3, &mut Vec::new()).unwrap();
    assert_eq!(send(&mut connection, 400, BodySize::Empty), Err(SendError::HeadNotDue));
    assert_eq!(connection.next_cycle(), Err(CloseReason::Fault));
    // Also where no request was seen at all, as for 408 and 503.
    for seen in ["", "GET / HT"] {
        let mut connection = asked(seen);
        let head = send(&mut connection, 408, BodySize::Empty).unwrap();
        assert!(head.contains("\r\nConnection: close\r\n"));
        let mut table = FieldTable::new(Limits::server(), Leniency::strict());
        assert!(connection.read(GET.as_bytes(), &mut table).is_err());
    }
    // A refusal of HEAD has no content.
    let mut connection = asked("HEAD / HTTP/1.1\r\n\r\n");
    send(&mut connection, 400, BodySize::Known(3)).unwrap();
    assert!(!connection.sends_content());
}

#[test]
fn closing_is_said_and_done() {
    let mut connection = asked(GET);
    connection.close_after_cycle();
    let head = send(&mut connection, 200, BodySize::Empty).unwrap();
    assert!(head.ends_with("Connection: close\r\n\r\n"));
    assert_eq!(connection.next_cycle(), Err(CloseReason::Wanted));
    for (request, reason) in [(OLD, CloseReason::Http10), (CLOSING, CloseReason::PeerAsked)] {
        let mut connection = asked(request);
        send(&mut connection, 200, BodySize::Empty).unwrap();
        assert_eq!(connection.next_cycle(), Err(reason));
        assert!(!reason.to_string().is_empty());
    }
    let mut connection = asked(OLD_KEPT);
    send(&mut connection, 200, BodySize::Empty).unwrap();
    assert_eq!(connection.next_cycle(), Ok(()));
}
