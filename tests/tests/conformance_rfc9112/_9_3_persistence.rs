//! §9.3: connections that stay.

use avocet_tests::program::Target;
use avocet_tests::raw::Connection;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// HTTP/1.1 stays unless somebody says close.
#[test]
fn a_connection_of_1_1_stays() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    for _ in 0..20 {
        connection.send(GET);
        let answer = connection.answer();
        assert!(!answer.closes());
        assert_eq!(answer.text(), "OK");
    }
    connection.expect_silence();
}

/// HTTP/1.0 ends after the answer.
#[test]
fn a_connection_of_1_0_ends() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(connection.answer().text(), "OK");
    connection.expect_close();
}

/// HTTP/1.0 stays where the client asks for it and the server says so.
#[test]
fn a_connection_of_1_0_stays_on_request() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let request = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
    connection.send(request);
    let answer = connection.answer();
    if answer.lists("connection", "keep-alive") {
        connection.send(request);
        assert_eq!(connection.answer().text(), "OK");
    } else {
        connection.expect_close();
    }
}

/// A server must read all content, or close behind its answer: what is left is never a request.
#[test]
fn content_that_nobody_wants_is_read_nevertheless() {
    let target = Target::echo();
    let content = GET.repeat(3);
    for fields in
        [format!("Content-Length: {}", content.len()), "Transfer-Encoding: chunked".into()]
    {
        let mut connection = Connection::open(&target);
        let body = match fields.starts_with('C') {
            true => content.clone(),
            false => format!("{:x}\r\n{content}\r\n0\r\n\r\n", content.len()),
        };
        connection.send(format!("POST /echo HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}"));
        assert_eq!(connection.answer().status, 200);
        connection.expect_silence();
        connection.send(GET);
        assert_eq!(connection.answer().text(), "OK");
    }
}

/// §9.3.2: answers come in the order of the requests.
#[test]
fn pipelined_requests_are_answered_in_order() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    let count = 100;
    let requests: String = (0..count)
        .map(|index| {
            let text = index.to_string();
            let len = text.len();
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n{text}")
        })
        .collect();
    connection.send(requests);
    for index in 0..count {
        assert_eq!(connection.answer().text(), index.to_string());
    }
    connection.expect_silence();
}

/// §9.3.2: the same for requests of all kinds, each with its own framing.
#[test]
fn pipelined_requests_of_all_kinds() {
    let target = Target::echo();
    let mut connection = Connection::open(&target);
    connection.send(
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n\
         POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n\
         DELETE / HTTP/1.1\r\nHost: a\r\n\r\n\
         OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n\
         GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(connection.answer_to_head().status, 200);
    assert_eq!(connection.answer().text(), "a");
    assert_eq!(connection.answer().status, 405);
    assert_eq!(connection.answer().status, 204);
    assert_eq!(connection.answer().text(), "OK");
    connection.expect_close();
}
