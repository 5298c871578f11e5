//! Recipe 8 as a library: any handler with a layer around it that compresses.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use avocet::Compress;
use avocet::encoding::{ContentCodings, decode_all};
use avocet::net::{Address, ListenAddress, WorkerPool};
use avocet::server::{Body, Grace, Handler, Reply, Request, Response, Server, blocking, respond};
use avocet_semantics::entity_tags::EntityTag;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use http::{HeaderName, StatusCode};

struct Answer {
    status: u16,
    head: String,
    content: Vec<u8>,
}

impl Answer {
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The content as it was before it was coded.
    fn decoded(&self) -> Vec<u8> {
        let coding = self.field("Content-Encoding").unwrap_or_default();
        let codings = ContentCodings::parse([coding.as_bytes()]).unwrap();
        decode_all(&codings, &self.content, 1 << 24).unwrap()
    }
}

/// Asks a server with this handler once for each line, a method, a path and fields.
fn ask(handler: impl Handler + 'static, requests: &[(&str, &str, &str)]) -> Vec<Answer> {
    let server = Server::new(handler).listen(ListenAddress::loopback(0)).workers(1);
    let bound = server.bind().unwrap();
    let Address::Ip(address) = bound.addresses()[0] else { panic!("a port was asked for") };
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    let answers = requests.iter().map(|(method, path, fields)| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut content = bytes[end + 4..].to_vec();
        if head.contains("Transfer-Encoding: chunked") && *method != "HEAD" {
            content = unchunk(&content);
        }
        Answer { status: head[9..12].parse().unwrap(), head, content }
    });
    let answers = answers.collect();
    handle.stop(Grace::NONE);
    thread.join().unwrap().unwrap();
    answers
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            return content;
        }
        content.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

const TEXT: &str = "the same words again and again, ";

fn page() -> impl Handler {
    Compress::new(respond(|_| {
        let page = Response::text(TEXT.repeat(1000)).with_field(&ETAG, "\"v1\"").unwrap();
        page.with_field(&ACCEPT_RANGES, "bytes").unwrap()
    }))
}

#[test]
fn recipe_8_a_layer_compresses_for_those_who_ask() {
    let answers = ask(
        page(),
        &[
            ("GET", "/", ""),
            ("GET", "/", "Accept-Encoding: gzip\r\n"),
            ("HEAD", "/", "Accept-Encoding: gzip\r\n"),
            ("GET", "/", "Accept-Encoding: gzip;q=0\r\n"),
            ("GET", "/", "Accept-Encoding: gzip;q=0.5, br\r\n"),
        ],
    );
    let [plain, gzip, head, none, br] = &answers[..] else { panic!("five answers") };
    assert_eq!(plain.content, TEXT.repeat(1000).as_bytes());
    for plain in [plain, none] {
        assert_eq!((plain.field("Content-Encoding"), plain.field("ETag")), (None, Some("\"v1\"")));
    }
    assert_eq!((gzip.decoded(), br.decoded()), (plain.content.clone(), plain.content.clone()));
    assert!(gzip.content.len() < plain.content.len() / 10);
    assert_eq!(gzip.field("Content-Length"), Some(gzip.content.len().to_string().as_str()));
    assert_eq!((gzip.field("ETag"), gzip.field("Accept-Ranges")), (Some("W/\"v1-gzip\""), None));
    assert_eq!((br.field("Content-Encoding"), br.field("ETag")), (Some("br"), Some("W/\"v1-br\"")));
    assert!(answers.iter().all(|answer| answer.field("Vary") == Some("Accept-Encoding")));
    let but_date = |answer: &Answer| {
        answer
            .head
            .lines()
            .filter(|line| !line.starts_with("Date"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!((but_date(head), head.content.len()), (but_date(gzip), 0));
}

#[test]
fn the_tag_of_a_coding_is_known_again() {
    let answers = ask(
        page(),
        &[
            ("GET", "/", "Accept-Encoding: gzip\r\nIf-None-Match: W/\"v1-gzip\"\r\n"),
            ("GET", "/", "Accept-Encoding: gzip\r\nIf-None-Match: \"v0\", \"v1\"\r\n"),
            ("GET", "/", "If-None-Match: W/\"v1-gzip\"\r\n"),
        ],
    );
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [304, 200, 200]);
    assert_eq!(answers[0].field("ETag"), Some("W/\"v1-gzip\""));
    assert!(answers[0].content.is_empty() && EntityTag::parse(b"W/\"v1-gzip\"").is_ok());
}

#[test]
fn what_must_not_be_coded_is_left_alone() {
    let coding = "Accept-Encoding: gzip\r\n";
    let handler = respond(|request| {
        let text = Response::text(TEXT.repeat(100));
        let made = match request.path() {
            "/short" => return Response::text("short"),
            "/picture" => Response::ok(TEXT.repeat(100)).with_field(&CONTENT_TYPE, "image/png"),
            "/coded" => text.with_field(&CONTENT_ENCODING, "br"),
            "/kept" => text.with_field(&CACHE_CONTROL, "public, No-Transform"),
            "/part" => text
                .with_status(StatusCode::PARTIAL_CONTENT)
                .with_field(&HeaderName::from_static("content-range"), "bytes 0-3099/9999"),
            _ => Ok(Response::error(StatusCode::NOT_FOUND)),
        };
        made.unwrap()
    });
    let paths = ["/short", "/picture", "/coded", "/kept", "/part", "/none"];
    let requests: Vec<_> = paths.iter().map(|path| ("GET", *path, coding)).collect();
    let answers = ask(Compress::new(handler), &requests);
    for (path, answer) in paths.iter().zip(&answers) {
        let coding = answer.field("Content-Encoding");
        match *path {
            "/coded" => assert_eq!(coding, Some("br")),
            // A page of an error is content like any other.
            "/none" => assert_eq!((answer.status, coding), (404, Some("gzip"))),
            path => assert_eq!(coding, None, "{path}"),
        }
    }
}

#[test]
fn long_content_and_content_in_pieces_are_coded_while_they_are_sent() {
    let large = Arc::new(TEXT.repeat(100_000));
    let (file, pieces) = (tempfile::NamedTempFile::new().unwrap(), large.clone());
    std::fs::write(file.path(), large.as_bytes()).unwrap();
    let path = file.path().to_owned();
    let memory = large.clone();
    let answer = move |request: &Request<'_>, reply: Reply<'_>| {
        let body = match request.path() {
            "/file" => Body::File(avocet::net::FileRange {
                file: Arc::new(std::fs::File::open(&path).unwrap()),
                offset: 32,
                len: 3_199_968,
            }),
            _ => Body::from(memory.as_bytes().to_vec()),
        };
        reply.send(Response::text(body));
    };
    let zipped = "Accept-Encoding: br, gzip\r\n";
    let answers = ask(
        Compress::new(answer),
        &[("GET", "/", zipped), ("GET", "/file", zipped), ("HEAD", "/", zipped)],
    );
    assert_eq!(answers[0].field("Content-Encoding"), Some("gzip"));
    assert!(answers[0].decoded() == large.as_bytes() && answers[0].content.len() < 100_000);
    assert!(answers[1].decoded() == large.as_bytes()[32..]);
    assert_eq!((answers[2].status, answers[2].content.len()), (200, 0));
    let writing = blocking(Arc::new(WorkerPool::new()), move |_, responder| {
        responder.field(&CONTENT_TYPE, "text/plain").map_err(std::io::Error::other)?;
        for piece in pieces.as_bytes().chunks(777_777) {
            responder.write_all(piece)?;
            responder.flush()?;
        }
        Ok(())
    });
    let answers = ask(Compress::new(writing), &[("GET", "/", zipped)]);
    assert!(answers[0].decoded() == large.as_bytes());
}

/// A page that is made while it is sent shows what there is, compressed or not.
#[test]
fn what_was_said_does_not_wait_for_what_comes_later() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let receiver = std::sync::Mutex::new(receiver);
    let writing = blocking(Arc::new(WorkerPool::new()), move |_, responder| {
        responder.field(&CONTENT_TYPE, "text/event-stream").map_err(std::io::Error::other)?;
        responder.write_all(b"data: first\n\n")?;
        responder.flush()?;
        receiver.lock().unwrap().recv().unwrap();
        responder.write_all(b"data: last\n\n")
    });
    let server = Server::new(Compress::new(writing)).listen(ListenAddress::loopback(0)).workers(1);
    let bound = server.bind().unwrap();
    let Address::Ip(address) = bound.addresses()[0] else { panic!("a port was asked for") };
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
        .write_all(
            b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n",
        )
        .unwrap();
    let mut bytes = Vec::new();
    let mut scratch = [0; 4096];
    // A flush of deflate ends in an empty stored block.
    while !bytes.windows(4).any(|four| four == [0, 0, 0xff, 0xff]) {
        let count = stream.read(&mut scratch).unwrap();
        assert!(count > 0, "the first piece comes before the last");
        bytes.extend_from_slice(&scratch[..count]);
    }
    sender.send(()).unwrap();
    stream.read_to_end(&mut bytes).unwrap();
    let start = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let codings = ContentCodings::parse([&b"gzip"[..]]).unwrap();
    let content = decode_all(&codings, &unchunk(&bytes[start..]), 1000).unwrap();
    assert_eq!(content, b"data: first\n\ndata: last\n\n");
    handle.stop(Grace::NONE);
    thread.join().unwrap().unwrap();
}
