//! The low-level face, row by row of what Python's httplib has.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_client::{
    Config, Dialer, Direction, Error, ErrorKind, Misuse, Phase, Proxies, PutOptions, RawConnection,
};
use avocet_wire::{FieldBuf, RequestVersion};
use http::Method;
use http::header::{CONTENT_TYPE, SET_COOKIE};

use crate::support::Server;
use crate::support::servers::{field, http_proxy, ok, read_request, status};

/// Answers with the request itself.
fn echo() -> Server {
    Server::http(ok)
}

/// Answers every request with these bytes and closes when they end with `!`.
fn canned(answer: &'static str) -> Server {
    Server::new(move |mut stream, _| {
        while read_request(&mut stream).is_some() {
            stream.write_all(answer.trim_end_matches('!').as_bytes()).unwrap();
            if answer.ends_with('!') {
                return;
            }
        }
    })
}

fn connect(server: &Server) -> RawConnection {
    RawConnection::new(&server.url("/")).unwrap()
}

/// A GET and what came of it, read to the end.
fn get(connection: &mut RawConnection, target: &str) -> Result<(u16, String), Error> {
    connection.put_request(&Method::GET, target)?;
    connection.end_headers(b"")?;
    let mut response = connection.get_response()?;
    Ok((response.status().as_u16(), response.text(1 << 20)?))
}

fn misuse<T>(result: Result<T, Error>) -> Option<Misuse> {
    result.err().unwrap().misuse()
}

#[test]
fn recipe_1_a_page_the_low_level_way() {
    let server = echo();
    let mut connection = connect(&server);
    connection.put_request(&Method::GET, "/page").unwrap();
    connection.put_header("User-Agent", &["mine"]).unwrap();
    connection.end_headers(b"").unwrap();
    let mut response = connection.get_response().unwrap();
    assert_eq!((response.status().as_u16(), response.reason()), (200, &b"OK"[..]));
    assert!(response.text(1000).unwrap().starts_with("GET /page HTTP/1.1\r\n"));
}

#[test]
fn parity_h1_http_1_0_is_spoken_where_it_is_asked_for() {
    let server = echo();
    let mut connection = connect(&server);
    connection.version(RequestVersion::Http10);
    let (_, asked) = get(&mut connection, "/").unwrap();
    let host = server.address;
    assert_eq!(asked, format!("GET / HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
    // The port of the scheme is the default, and the next request finds a connection of its own.
    assert_eq!(get(&mut connection, "/again").unwrap().0, 200);
    assert!(RawConnection::new("http://h").is_ok() && RawConnection::new("h").is_err());
}

#[test]
fn parity_h2_the_exchange_can_be_shown_without_its_secrets() {
    let server = canned(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=secret\r\nContent-Length: 1\r\n\r\nx",
    );
    let mut connection = connect(&server);
    let shown = Arc::new(Mutex::new(String::new()));
    let show = shown.clone();
    connection.trace(move |direction, bytes| {
        let mark = if direction == Direction::Sent { '>' } else { '<' };
        *show.lock().unwrap() += &format!("{mark} {}", String::from_utf8_lossy(bytes));
    });
    connection.put_request(&Method::GET, "/").unwrap();
    connection.put_header("authorization", &["Basic secret"]).unwrap();
    connection.end_headers(b"").unwrap();
    let value = connection.get_response().unwrap().field(&SET_COOKIE);
    assert_eq!(value.as_deref(), Some("a=secret"));
    let shown = shown.lock().unwrap();
    assert!(shown.starts_with("> GET / HTTP/1.1\r\n") && shown.contains("< HTTP/1.1 100 Continue"));
    assert!(shown.contains("authorization: ***\r\n") && shown.contains("Set-Cookie: ***\r\n"));
    assert!(!shown.contains("secret"));
}

#[test]
fn parity_h3_connecting_is_a_step_of_its_own_or_none() {
    let server = echo();
    let mut connection = connect(&server);
    connection.auto_open(false);
    connection.put_request(&Method::GET, "/").unwrap();
    assert_eq!(misuse(connection.end_headers(b"")), Some(Misuse::NotConnected));
    connection.connect().unwrap();
    connection.end_headers(b"").unwrap();
    assert_eq!(connection.get_response().unwrap().status(), 200);
    connection.close();
    connection.auto_open(true);
    assert_eq!(get(&mut connection, "/").unwrap().0, 200);
}

#[test]
fn parity_h4_content_follows_the_head_in_pieces_and_from_readers() {
    let server = echo();
    let mut connection = connect(&server);
    connection.put_request(&Method::PUT, "/").unwrap();
    connection.put_header("Content-Length", &["200006"]).unwrap();
    connection.end_headers(b"").unwrap();
    connection.send(b"one").unwrap();
    assert_eq!(connection.send_from(&mut &[b'x'; 200_000][..]).unwrap(), 200_000);
    assert_eq!(misuse(connection.get_response().map(drop)), Some(Misuse::ResponseNotReady));
    connection.send(b"two").unwrap();
    let too_much = connection.send(b"!").unwrap_err();
    assert_eq!(too_much.kind(), ErrorKind::Request);
    let content = connection.get_response().unwrap().text(1 << 20).unwrap();
    assert!(content.contains("one") && content.ends_with("xtwo"));
}

#[test]
fn parity_h5_host_and_accept_encoding_come_by_themselves_or_not() {
    let server = echo();
    let mut connection = connect(&server);
    let host = server.address;
    let (_, asked) = get(&mut connection, "/a%20b?c").unwrap();
    let head =
        format!("GET /a%20b?c HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n\r\n");
    assert_eq!(asked, head);
    let mut own = PutOptions::default();
    (own.host, own.accept_encoding) = (false, false);
    connection.put_request_with(&Method::GET, "/", own).unwrap();
    connection.put_header("Host", &["other"]).unwrap();
    connection.end_headers(b"").unwrap();
    let asked = connection.get_response().unwrap().text(1000).unwrap();
    assert_eq!(asked, "GET / HTTP/1.1\r\nHost: other\r\n\r\n");
    for target in ["/a b", "/\r\nX: y", "", "/#f"] {
        connection.put_request(&Method::GET, target).unwrap();
        assert_eq!(connection.end_headers(b"").unwrap_err().kind(), ErrorKind::Request, "{target}");
    }
}

#[test]
fn parity_h6_several_values_are_a_list_and_no_folded_lines() {
    let server = echo();
    let mut connection = connect(&server);
    connection.put_request(&Method::GET, "/").unwrap();
    connection.put_header("Accept-Language", &["de", "en"]).unwrap();
    for (name, value) in [("X", "a\r\nY: b"), ("X", "a\0"), ("a b", "c"), ("", "c"), ("a\r\n", "c")]
    {
        let error = connection.put_header(name, &[value]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{name}: {value}");
    }
    connection.end_headers(b"").unwrap();
    let asked = connection.get_response().unwrap().text(1000).unwrap();
    assert_eq!(field(&asked, "Accept-Language"), Some("de, en"));
    assert!(!asked.contains("Y:"));
}

#[test]
fn parity_h7_head_and_small_content_leave_in_one_piece() {
    let server = Server::new(|mut stream, notes| {
        let mut room = [0; 4096];
        let count = stream.read(&mut room).unwrap();
        notes.add(String::from_utf8_lossy(&room[..count]));
        stream.write_all(ok("").as_bytes()).unwrap();
    });
    let mut connection = connect(&server);
    connection.put_request(&Method::POST, "/").unwrap();
    connection.end_headers(b"content").unwrap();
    assert_eq!(connection.get_response().unwrap().status(), 200);
    let first = server.notes.take().remove(0);
    assert!(
        first.contains("Content-Length: 7\r\n") && first.ends_with("\r\n\r\ncontent"),
        "{first}"
    );
}

#[test]
fn parity_h8_h13_what_has_no_status_line_is_an_error() {
    for answer in ["<html>old</html>!", "HTTP/0.9 200 OK\r\n\r\n!", "HTTP/1.1 2x0 OK\r\n\r\n!"] {
        let error = get(&mut connect(&canned(answer)), "/").unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::CutShort), "{error}");
        assert_eq!(error.phase(), Phase::Head);
    }
}

#[test]
fn parity_h9_the_content_is_a_reader() {
    let server = canned(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
    );
    let mut connection = connect(&server);
    for _ in 0..2 {
        connection.put_request(&Method::GET, "/").unwrap();
        connection.end_headers(b"").unwrap();
        let mut response = connection.get_response().unwrap();
        let (mut two, mut rest) = ([0; 2], String::new());
        response.read_exact(&mut two).unwrap();
        assert!(!response.is_read());
        response.read_to_string(&mut rest).unwrap();
        assert_eq!((&two, rest.as_str(), response.is_read()), (b"ab", "cdefg", true));
    }
}

#[test]
fn parity_h10_calls_out_of_order_are_errors_and_change_nothing() {
    let server = echo();
    let mut connection = connect(&server);
    assert_eq!(misuse(connection.put_header("X", &["y"])), Some(Misuse::CannotSendHeader));
    assert_eq!(misuse(connection.end_headers(b"")), Some(Misuse::CannotSendHeader));
    assert_eq!(misuse(connection.send(b"x")), Some(Misuse::CannotSendRequest));
    assert_eq!(misuse(connection.get_response().map(drop)), Some(Misuse::ResponseNotReady));
    connection.put_request(&Method::GET, "/").unwrap();
    let again = connection.put_request(&Method::GET, "/");
    assert_eq!(misuse(again), Some(Misuse::CannotSendRequest));
    assert_eq!(misuse(connection.get_response().map(drop)), Some(Misuse::ResponseNotReady));
    connection.end_headers(b"").unwrap();
    let early = connection.put_request(&Method::GET, "/");
    assert_eq!(misuse(early), Some(Misuse::CannotSendRequest));
    drop(connection.get_response().unwrap());
    let unread = connection.put_request(&Method::GET, "/");
    assert_eq!(misuse(unread), Some(Misuse::CannotSendRequest));
    assert_eq!(misuse(connection.get_response().map(drop)), Some(Misuse::ResponseNotReady));
    connection.close();
    assert_eq!(get(&mut connection, "/").unwrap().0, 200);
}

#[test]
fn parity_h11_requests_may_run_ahead_where_that_is_wanted() {
    let server = Server::http(|request| {
        let mut words = request.split(' ');
        match (words.next().unwrap(), words.next().unwrap()) {
            ("HEAD", _) => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_owned(),
            (_, target) => ok(target),
        }
    });
    let mut connection = connect(&server);
    connection.pipelining(true);
    let is_head = |n: u32| n.is_multiple_of(3);
    for n in 0..16 {
        let method = if is_head(n) { Method::HEAD } else { Method::GET };
        connection.put_request(&method, &format!("/{n}")).unwrap();
        connection.end_headers(b"").unwrap();
    }
    connection.put_request(&Method::GET, "/17").unwrap();
    assert_eq!(connection.end_headers(b"").unwrap_err().kind(), ErrorKind::Request);
    for n in 0..16 {
        let said = connection.get_response().unwrap().text(1000).unwrap();
        assert_eq!(said, if is_head(n) { String::new() } else { format!("/{n}") });
    }
    assert_eq!(misuse(connection.get_response().map(drop)), Some(Misuse::ResponseNotReady));
    assert_eq!(get(&mut connection, "/last").unwrap().1, "/last");
}

#[test]
fn parity_h12_what_a_response_says_of_itself() {
    let server = canned(
        "HTTP/1.1 103 Early Hints\r\nX: early\r\n\r\nHTTP/1.1 404 Nothing there\r\nX: a\r\nx: b\r\n\
         Content-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone!",
    );
    let mut connection = connect(&server);
    connection.put_request(&Method::GET, "/").unwrap();
    connection.end_headers(b"").unwrap();
    let mut response = connection.get_response().unwrap();
    assert_eq!((response.status().as_u16(), response.reason()), (404, &b"Nothing there"[..]));
    assert_eq!(response.version(), http::Version::HTTP_11);
    assert_eq!((response.length(), response.will_close()), (Some(4), true));
    assert_eq!(response.field(&CONTENT_TYPE).as_deref(), Some("text/plain"));
    assert_eq!(response.field(&"x".parse().unwrap()).as_deref(), Some("a, b"));
    let names: Vec<&str> = response.fields().iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["X", "x", "Content-Type", "Content-Length", "Connection"]);
    assert_eq!(response.content(3).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(response.content(4).unwrap(), b"none");
    // A cut response is an error whichever way it is read, and so are two lengths.
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf!",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n!",
    ] {
        let server = canned(answer);
        let error = get(&mut connect(&server), "/").unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::CutShort, Phase::Content));
        let mut connection = connect(&server);
        connection.put_request(&Method::GET, "/").unwrap();
        connection.end_headers(b"").unwrap();
        let mut response = connection.get_response().unwrap();
        assert!(response.read_to_end(&mut Vec::new()).is_err());
    }
    let twice = canned("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab!");
    assert_eq!(get(&mut connect(&twice), "/").unwrap_err().kind(), ErrorKind::Protocol);
}

#[test]
fn parity_h14_chunks_and_trailers_both_ways() {
    let server = echo();
    let mut connection = connect(&server);
    connection.put_request(&Method::POST, "/").unwrap();
    connection.put_header("Transfer-Encoding", &["chunked"]).unwrap();
    connection.end_headers(b"").unwrap();
    connection.send(b"content").unwrap();
    connection.end_content(&FieldBuf::new()).unwrap();
    let asked = connection.get_response().unwrap().text(1000).unwrap();
    assert!(asked.ends_with("\r\n\r\n7\r\ncontent\r\n0\r\n\r\n"), "{asked}");
    let server = canned(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    let mut connection = connect(&server);
    connection.put_request(&Method::GET, "/").unwrap();
    connection.end_headers(b"").unwrap();
    let mut response = connection.get_response().unwrap();
    assert_eq!(response.content(10).unwrap(), b"x");
    assert_eq!(response.trailers().as_bytes(), b"X-Sum: 1\r\n");
    connection.put_request(&Method::GET, "/").unwrap();
    assert!(connection.put_header("Transfer-Encoding", &["gzip"]).is_err());
}

#[test]
fn parity_h15_a_tunnel_through_a_proxy() {
    let (proxy, server) = (http_proxy(None), echo());
    let mut config = Config::default();
    config.proxies = Arc::new(Proxies::all(format!("http://{}", proxy.address).parse().unwrap()));
    let mut fields = FieldBuf::new();
    fields.push_raw("X-Tunnel", "mine").unwrap();
    config.connector = Arc::new(Dialer::new().tunnel_fields(fields));
    let mut connection = RawConnection::with_config(&server.url("/"), config).unwrap();
    let (_, said) = get(&mut connection, "/p").unwrap();
    assert_eq!(said, format!("proxy: GET {} HTTP/1.1 for {}", server.url("/p"), server.address));
    connection.tunnel();
    let (_, said) = get(&mut connection, "/p").unwrap();
    assert!(said.starts_with("GET /p HTTP/1.1\r\n"), "{said}");
    let asked = proxy.notes.take().remove(1);
    assert!(asked.starts_with("CONNECT ") && field(&asked, "X-Tunnel") == Some("mine"));
}

#[test]
fn parity_h17_time_outs_source_addresses_and_hosts() {
    let silent = Server::new(|mut stream, _| drop(stream.read_to_end(&mut Vec::new())));
    let mut config = Config::default();
    config.timeouts.head = Duration::from_millis(50);
    let mut connection = RawConnection::with_config(&silent.url("/"), config).unwrap();
    let error = get(&mut connection, "/").unwrap_err();
    assert_eq!((error.is_timeout(), error.phase()), (true, Phase::Head));
    let server = Server::new(|mut stream, _| {
        let peer = stream.peer_addr().unwrap().ip().to_string();
        read_request(&mut stream).unwrap();
        stream.write_all(ok(&peer).as_bytes()).unwrap();
    });
    let mut config = Config::default();
    config.connector = Arc::new(Dialer::new().source("127.0.0.9".parse().unwrap()));
    let mut connection = RawConnection::with_config(&server.url("/"), config).unwrap();
    assert_eq!(get(&mut connection, "/").unwrap().1, "127.0.0.9");
    let echo = echo();
    let mut config = Config::default();
    let to = Dialer::new().resolve("xn--bcher-kva.test", None, &["127.0.0.1".parse().unwrap()]);
    config.connector = Arc::new(to);
    let url = format!("http://b\u{fc}cher.test:{}/", echo.port());
    let mut connection = RawConnection::with_config(&url, config).unwrap();
    let (_, asked) = get(&mut connection, "/").unwrap();
    let host = format!("xn--bcher-kva.test:{}", echo.port());
    assert_eq!(field(&asked, "Host"), Some(host.as_str()));
}

#[test]
fn parity_h18_every_exception_has_its_kind() {
    let refused = RawConnection::new("http://127.0.0.1:1").unwrap().connect().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Connect);
    assert_eq!(RawConnection::new("http://").err().unwrap().kind(), ErrorKind::Url);
    assert_eq!(RawConnection::new("ftp://h/").err().unwrap().kind(), ErrorKind::Url);
    let long = canned("HTTP/1.1 200 OK\r\nX: 1\r\n");
    let mut config = Config::default();
    config.limits.head = 20;
    let mut connection = RawConnection::with_config(&long.url("/"), config).unwrap();
    assert_eq!(get(&mut connection, "/").unwrap_err().kind(), ErrorKind::Limit);
    let coded = canned("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    assert_eq!(get(&mut connect(&coded), "/").unwrap_err().kind(), ErrorKind::Protocol);
    let gone = Server::new(|mut stream, _| drop(read_request(&mut stream)));
    let error = get(&mut connect(&gone), "/").unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::CutShort, Phase::Head));
}

#[test]
fn a_connection_that_the_server_left_or_spoke_on_unasked_is_not_used_again() {
    let leaving = Server::http(|_| status("200 OK", "X: y\r\n"));
    let mut connection = connect(&leaving);
    for _ in 0..2 {
        assert_eq!(get(&mut connection, "/").unwrap().0, 200);
    }
    let first = Server::new(|mut stream, notes| {
        notes.add("connection");
        read_request(&mut stream).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\n")
            .unwrap();
        stream.write_all(b"Content-Length: 6\r\n\r\npoison").unwrap();
        drop(stream.read(&mut [0]));
    });
    let mut connection = connect(&first);
    for _ in 0..3 {
        assert_eq!(get(&mut connection, "/").unwrap().1, "good");
    }
    assert_eq!(first.notes.take().len(), 3);
}
