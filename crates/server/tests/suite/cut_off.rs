//! Response content that fails on its way, and content that must wait for its client.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use avocet_net::{FileRange, Notifier, Segment};
use avocet_server::{Body, BodySource, Pulled, Response, Server, channel, respond};
use bytes::Bytes;

use crate::response_content::{Scripted, end, file, piece};
use crate::support::{End, Recorded, Simulated, get, serve, serve_with};

#[test]
fn a_file_that_shrank_ends_the_connection() {
    let file = file(b"short");
    let log = Recorded::new();
    let handler = respond(move |_| {
        Response::ok(Body::File(FileRange { file: file.clone(), offset: 0, len: 1000 }))
    });
    let running = serve_with(Server::new(handler).access_log(log.clone()));
    let mut client = running.connect();
    client.send(get("/"));
    let (bytes, _) = client.receive_all();
    assert!(bytes.ends_with(b"\r\n\r\nshort"), "what there is is sent, and nothing is invented");
    assert_eq!(running.handle.totals().aborted, 1);
    assert!(log.lines()[0].aborted);
}

#[test]
fn a_source_that_gives_too_much_or_too_little_ends_the_connection() {
    let cases = [
        (vec![piece("12345"), piece("6"), end()], "12345"),
        (vec![piece("123"), piece("456"), end()], "123"),
        (vec![piece("123"), end()], "123"),
        (vec![end()], ""),
    ];
    for (pieces, expected) in cases {
        let pieces = std::sync::Mutex::new(Some(pieces));
        let running = serve(respond(move |_| {
            Response::ok(Scripted::body(Some(5), pieces.lock().unwrap().take().unwrap()))
        }));
        let mut client = running.connect();
        client.send(get("/"));
        let (bytes, _) = client.receive_all();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("Content-Length: 5\r\n"), "{text}");
        assert!(text.ends_with(&format!("\r\n\r\n{expected}")), "{text}");
        assert_eq!(running.handle.totals().aborted, 1);
    }
}

#[test]
fn a_source_that_fails_or_panics_is_cut_off_visibly() {
    for panics in [false, true] {
        let log = Recorded::new();
        let handler = respond(move |_| {
            let fails = Some(Err(io::Error::other("on purpose")));
            // Beyond its script the source panics.
            let last = if panics { None } else { Some(fails) };
            let pieces = [piece("some"), None].into_iter().chain(last).collect();
            Response::ok(Scripted::body(None, pieces))
        });
        let running = serve_with(Server::new(handler).access_log(log.clone()));
        let mut client = running.connect();
        client.send(get("/some"));
        let (bytes, _) = client.receive_all();
        assert!(bytes.ends_with(b"4\r\nsome\r\n"), "no last chunk");
        // The loop lives.
        client = running.connect();
        client.send(get("/"));
        client.receive_all();
        let totals = running.handle.totals();
        assert_eq!((totals.aborted, totals.panics), (2, if panics { 2 } else { 0 }));
        assert_eq!(log.lines()[0].request, "GET /some HTTP/1.1");
        assert!(log.lines()[0].aborted && log.lines()[0].content == 4);
    }
}

#[test]
fn cut_off_content_never_looks_complete_to_http_1_0() {
    // Without a length the end of the connection is the end of the content, so that only a reset
    // tells a part from the whole.
    let running = serve(respond(|request| {
        let pieces = match request.path() {
            "/whole" => vec![piece("some"), end()],
            _ => vec![piece("some"), None, Some(Err(io::Error::other("on purpose")))],
        };
        Response::ok(Scripted::body(None, pieces))
    }));
    let mut client = running.connect();
    client.send("GET /whole HTTP/1.0\r\n\r\n");
    let (bytes, end) = client.receive_all();
    assert!(bytes.ends_with(b"\r\n\r\nsome"));
    assert_eq!(end, End::Closed);
    // Also where there is unread input, behind which the server would linger otherwise.
    for behind in ["", "more than was asked for"] {
        let mut client = running.connect();
        client.send(format!("GET /cut HTTP/1.0\r\n\r\n{behind}"));
        let (_, end) = client.receive_all();
        assert_eq!(end, End::Reset, "{behind:?}");
    }
}

#[test]
fn a_channel_whose_sender_is_dropped_is_cut_off() {
    let running = serve(respond(|_| {
        let (mut sender, body) = channel(1000, None);
        sender.send(Bytes::from_static(b"some")).unwrap();
        Response::ok(body)
    }));
    let mut client = running.connect();
    client.send(get("/"));
    assert!(client.receive_all().0.ends_with(b"4\r\nsome\r\n"));
    assert_eq!(running.handle.totals().aborted, 1);
}

#[test]
fn a_channel_holds_its_sender_back() {
    let (mut sender, body) = channel(1000, None);
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let thread = thread::spawn(move || {
        while sender.send(Bytes::from(vec![b'x'; 700])).is_ok() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    while sent.load(Ordering::SeqCst) < 2 {
        thread::yield_now();
    }
    // Time for a sender that is not held back to show it; one that is needs none.
    thread::sleep(std::time::Duration::from_millis(50));
    drop(body);
    thread.join().unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), 2, "1000 bytes and one piece beyond");
}

#[test]
fn the_sender_of_a_channel_learns_that_the_client_has_gone() {
    let (ended, wait) = std::sync::mpsc::channel();
    let running = serve(respond(move |_| {
        let (mut sender, body) = channel(1000, None);
        let ended = ended.clone();
        thread::spawn(move || {
            let error = loop {
                if let Err(error) = sender.send(Bytes::from(vec![b'x'; 1000])) {
                    break error;
                }
            };
            ended.send(error.kind()).unwrap();
        });
        Response::ok(body)
    }));
    let mut client = running.connect();
    client.send(get("/"));
    client.receive_bytes(100_000);
    drop(client);
    assert_eq!(wait.recv().unwrap(), io::ErrorKind::BrokenPipe);
}

/// Gives pieces for ever and counts them.
struct Endless(Arc<AtomicUsize>);

impl BodySource for Endless {
    fn pull(&mut self, most: usize, _: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Pulled::Piece(Segment::Owned(vec![b'x'; most])))
    }
}

#[test]
fn a_source_is_not_pulled_for_a_client_that_does_not_read() {
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = pulled.clone();
    let mut simulated = Simulated::new(Server::new(respond(move |_| {
        Response::ok(Body::Source { size: None, source: Box::new(Endless(count.clone())) })
    })));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.turn();
    let most = (64 * 1024 + 64 * 1024) / (32 * 1024) + 1;
    assert!(pulled.load(Ordering::Relaxed) <= most, "{pulled:?} pieces were pulled");
    for _ in 0..10 {
        let before = pulled.load(Ordering::Relaxed);
        assert_eq!(peer.take(32 * 1024), 32 * 1024);
        simulated.turn();
        assert!(pulled.load(Ordering::Relaxed) <= before + 2);
    }
}

/// A transport that takes everything at once.
struct Bottomless(avocet_net::MemoryTransport);

impl avocet_net::Transport for Bottomless {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }

    fn write(&mut self, out: &mut avocet_net::Outbox) -> io::Result<bool> {
        out.consume(out.len());
        Ok(true)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.0.close_write()
    }

    fn reset(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn info(&self) -> &avocet_net::PeerInfo {
        self.0.info()
    }

    fn register(&mut self, registration: &avocet_net::Registration<'_>) -> io::Result<()> {
        self.0.register(registration)
    }
}

#[test]
fn an_endless_download_leaves_the_loop_to_others() {
    // Also while the client has not sent all its content.
    let half = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf".to_owned();
    for request in [get("/"), half] {
        let pulled = Arc::new(AtomicUsize::new(0));
        let count = pulled.clone();
        let now = std::time::Instant::now();
        let server = Server::new(respond(move |request| match request.path() {
            "/first" => Response::text("first"),
            _ => {
                Response::ok(Body::Source { size: None, source: Box::new(Endless(count.clone())) })
            }
        }));
        let connections = server.connections().unwrap();
        let mut event_loop = avocet_net::EventLoop::simulated(now);
        let (mut peer, accepted) = avocet_net::memory_pair(1000);
        event_loop.spawn(connections.task(Box::new(Bottomless(accepted)), None, now));
        // The first request makes the connection known to the loop, which comes to rest.
        for request in [get("/first"), request] {
            while event_loop.turn_at(now) == Some(std::time::Duration::ZERO) {}
            let mut out = avocet_net::Outbox::new();
            out.push_slice(request.as_bytes());
            avocet_net::Transport::write(&mut peer, &mut out).unwrap();
        }
        for turn in 1..=10 {
            // A turn ends although the client takes all there is, and the next goes on.
            let sleep = event_loop.turn_at(now);
            assert_eq!(sleep, Some(std::time::Duration::ZERO), "turn {turn}");
            let pieces = pulled.load(Ordering::Relaxed);
            assert!(pieces >= turn && pieces <= turn * 20, "{pieces} pieces in {turn} turns");
        }
    }
}
