//! Response content of every kind, and what becomes of content that fails on its way.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread;

use avocet_net::{FileRange, Notifier, Segment};
use avocet_server::{Body, BodySource, Pulled, Reply, Request, Response, channel, respond};
use avocet_wire::FieldBuf;
use bytes::Bytes;
use http::{HeaderName, StatusCode};

use crate::support::{Asked, fields, get, serve};

const SUM: HeaderName = HeaderName::from_static("x-sum");

/// Gives the script's pieces; `None` stands for "nothing yet".
pub(crate) struct Scripted(std::vec::IntoIter<Option<io::Result<Pulled>>>);

impl Scripted {
    pub(crate) fn body(size: Option<u64>, pieces: Vec<Option<io::Result<Pulled>>>) -> Body {
        Body::Source { size, source: Box::new(Self(pieces.into_iter())) }
    }
}

impl BodySource for Scripted {
    fn pull(&mut self, _most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        match self.0.next() {
            Some(Some(pulled)) => pulled,
            Some(None) => {
                wake().wake();
                Ok(Pulled::Pending)
            }
            None => panic!("on purpose: pulled too often"),
        }
    }
}

pub(crate) fn piece(bytes: &'static str) -> Option<io::Result<Pulled>> {
    Some(Ok(Pulled::Piece(Segment::Static(bytes.as_bytes()))))
}

pub(crate) fn end() -> Option<io::Result<Pulled>> {
    Some(Ok(Pulled::End(FieldBuf::new())))
}

pub(crate) fn file(content: &[u8]) -> Arc<std::fs::File> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    Arc::new(file)
}

/// Asks for a body over a keep-alive connection and shows that the connection is in step after it.
fn in_step(make: impl Fn() -> Response + Send + Sync + 'static) -> crate::support::Received {
    let running = serve(respond(move |request| match request.path() {
        "/after" => Response::text("after"),
        _ => make(),
    }));
    let mut client = running.connect();
    client.send([get("/"), get("/after")].concat());
    let received = client.receive();
    assert_eq!(client.receive().text(), "after");
    assert_eq!(running.handle.totals().aborted, 0);
    received
}

#[test]
fn bodies_in_memory_have_a_length() {
    let large: Vec<u8> = (0..1_000_000_u32).map(|index| index as u8).collect();
    let copy = large.clone();
    assert_eq!(in_step(|| Response::ok("static")).field("Content-Length"), Some("6"));
    assert_eq!(in_step(|| Response::ok("owned".to_owned())).text(), "owned");
    let received = in_step(move || Response::ok(large.clone()));
    assert_eq!(received.field("Content-Length"), Some("1000000"));
    assert!(received.content == copy);
    let shared = Bytes::from(copy.clone());
    assert!(in_step(move || Response::ok(shared.clone())).content == copy);
    let received = in_step(|| Response::new(StatusCode::OK));
    assert_eq!((received.field("Content-Length"), received.text()), (Some("0"), ""));
}

#[test]
fn a_file_range_is_sent_whole() {
    let content: Vec<u8> = (0..3_000_000_u32).map(|index| (index / 7) as u8).collect();
    let (file, expected) = (file(&content), content[5..2_900_000].to_vec());
    let received = in_step(move || {
        Response::ok(Body::File(FileRange { file: file.clone(), offset: 5, len: 2_899_995 }))
    });
    assert_eq!(received.field("Content-Length"), Some("2899995"));
    assert!(received.content == expected);
}

#[test]
fn an_empty_file_range_is_an_empty_response() {
    let file = file(b"");
    let received = in_step(move || {
        Response::ok(Body::File(FileRange { file: file.clone(), offset: 0, len: 0 }))
    });
    assert_eq!(received.field("Content-Length"), Some("0"));
}

#[test]
fn a_source_of_known_size_has_a_length() {
    let received = in_step(|| {
        Response::ok(Scripted::body(
            Some(9),
            vec![piece("one "), None, piece("two "), piece("3"), end()],
        ))
    });
    assert_eq!(received.field("Content-Length"), Some("9"));
    assert_eq!(received.text(), "one two 3");
}

#[test]
fn a_source_of_unknown_size_is_chunked() {
    let received = in_step(|| {
        let pieces = vec![None, piece("one "), piece(""), None, None, piece("two"), end()];
        Response::ok(Scripted::body(None, pieces))
    });
    assert_eq!(received.field("Transfer-Encoding"), Some("chunked"));
    assert_eq!(received.text(), "one two");
}

#[test]
fn a_source_of_no_bytes_is_never_pulled() {
    let received = in_step(|| Response::ok(Scripted::body(Some(0), Vec::new())));
    assert_eq!(received.field("Content-Length"), Some("0"));
    let running = serve(respond(|_| Response::ok(Scripted::body(None, Vec::new()))));
    let mut client = running.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.receive_for(Asked::Head).status, 200);
    client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(client.receive_for(Asked::Head).status, 200);
    assert_eq!(running.handle.totals().panics, 0);
}

#[test]
fn trailers_follow_content_of_any_kind() {
    let trailers = || fields(&[(SUM, "42")]);
    let received = in_step(move || Response::ok("content").with_trailers(trailers()));
    assert_eq!((received.text(), received.trailers.as_str()), ("content", "X-Sum: 42\r\n"));
    let received = in_step(move || Response::ok(vec![b'x'; 50_000]).with_trailers(trailers()));
    assert_eq!((received.content.len(), received.trailers.as_str()), (50_000, "X-Sum: 42\r\n"));
    let file = file(&[b'y'; 50_000]);
    let received = in_step(move || {
        let range = FileRange { file: file.clone(), offset: 0, len: 50_000 };
        Response::ok(Body::File(range)).with_trailers(trailers())
    });
    assert_eq!((received.content.len(), received.trailers.as_str()), (50_000, "X-Sum: 42\r\n"));
    let received = in_step(move || {
        let last = Some(Ok(Pulled::End(trailers())));
        Response::ok(Scripted::body(None, vec![piece("content"), last]))
    });
    assert_eq!((received.text(), received.trailers.as_str()), ("content", "X-Sum: 42\r\n"));
}

#[test]
fn trailers_are_left_out_where_there_is_no_place_for_them() {
    let received = in_step(|| {
        let last = Some(Ok(Pulled::End(fields(&[(SUM, "42")]))));
        Response::ok(Scripted::body(Some(7), vec![piece("content"), last]))
    });
    assert_eq!((received.text(), received.trailers.as_str()), ("content", ""));
    for size in [1, 5000, 50_000] {
        let running = serve(respond(move |_| {
            Response::ok(vec![b'x'; size]).with_trailers(fields(&[(SUM, "42")]))
        }));
        let received = running.ask("GET / HTTP/1.0\r\n\r\n");
        assert_eq!(received.content.len(), size);
        assert_eq!(running.handle.totals().aborted, 0);
    }
}

#[test]
fn a_channel_carries_content_from_another_thread() {
    let received = in_step(|| {
        let (mut sender, body) = channel(1000, None);
        thread::spawn(move || {
            for _ in 0..100 {
                sender.send(Bytes::from(vec![b'x'; 700])).unwrap();
            }
            sender.finish(fields(&[(SUM, "70000")]));
        });
        Response::ok(body)
    });
    assert_eq!((received.content.len(), received.trailers.as_str()), (70_000, "X-Sum: 70000\r\n"));
    let received = in_step(|| {
        let (mut sender, body) = channel(1000, Some(4));
        thread::spawn(move || {
            sender.send(Bytes::from_static(b"four")).unwrap();
            sender.finish(FieldBuf::new());
        });
        Response::ok(body)
    });
    assert_eq!((received.field("Content-Length"), received.text()), (Some("4"), "four"));
}

#[test]
fn a_response_that_breaks_the_rules_is_500() {
    let handler = |request: &Request<'_>, reply: Reply<'_>| match request.path() {
        // Content where there can be none.
        "/204" => reply.send(Response::text("content").with_status(StatusCode::NO_CONTENT)),
        // An interim status as the final one.
        "/103" => reply.send(Response::new(StatusCode::EARLY_HINTS)),
        "/101" => reply.send(Response::new(StatusCode::SWITCHING_PROTOCOLS)),
        _ => reply.send(Response::text("fine")),
    };
    let running = serve(handler);
    let mut client = running.connect();
    for path in ["/204", "/103", "/101"] {
        client.send(get(path));
        assert_eq!(client.receive().status, 500, "{path}");
    }
    client.send(get("/"));
    assert_eq!(client.receive().text(), "fine");
}

#[test]
fn statuses_without_content_have_none() {
    let running = serve(respond(|request| match request.path() {
        "/304" => Response::text("the content of a GET").with_status(StatusCode::NOT_MODIFIED),
        "/205" => Response::new(StatusCode::RESET_CONTENT),
        _ => Response::new(StatusCode::NO_CONTENT),
    }));
    let mut client = running.connect();
    client.send([get("/304"), get("/205"), get("/204"), get("/204")].concat());
    let statuses: Vec<_> = (0..4).map(|_| client.receive()).collect();
    assert_eq!(statuses.iter().map(|r| r.status).collect::<Vec<_>>(), [304, 205, 204, 204]);
    assert_eq!(statuses[0].field("Content-Length"), Some("20"));
    assert_eq!(statuses[1].field("Content-Length"), Some("0"));
    assert_eq!(statuses[2].field("Content-Length"), None);
}

#[test]
fn content_of_every_kind_may_come_late() {
    let large = vec![b'x'; 10_000];
    let stored = file(&large);
    let bodies: Vec<Box<dyn Fn() -> Body + Send + Sync>> = vec![
        Box::new(|| Body::from("small")),
        Box::new({
            let large = large.clone();
            move || Body::from(large.clone())
        }),
        Box::new(move || Body::File(FileRange { file: stored.clone(), offset: 0, len: 10_000 })),
        Box::new(|| Scripted::body(None, vec![piece("pie"), None, piece("ces"), end()])),
    ];
    let running = serve(move |request: &Request<'_>, reply: Reply<'_>| {
        let kind: usize = request.path()[1..].parse().unwrap();
        let response = Response::ok(bodies[kind]());
        let ticket = reply.defer();
        thread::spawn(move || ticket.send(response));
    });
    let mut client = running.connect();
    for (kind, expected) in
        [b"small".to_vec(), large.clone(), large, b"pieces".to_vec()].iter().enumerate()
    {
        client.send(get(&format!("/{kind}")));
        assert!(client.receive().content == *expected, "body {kind}");
    }
}
