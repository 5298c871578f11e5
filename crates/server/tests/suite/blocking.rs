//! Handlers on the threads of a pool.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_net::WorkerPool;
use avocet_server::{Grace, Handler, OwnedRequest, Responder, Server, blocking};
use http::header::CONTENT_TYPE;
use http::{HeaderName, StatusCode};

use crate::support::{Asked, End, Recorded, Simulated, get, post, serve, serve_with};

fn pool() -> Arc<WorkerPool> {
    Arc::new(WorkerPool::with_bounds(2, 8))
}

fn on_pool<F>(answer: F) -> impl Handler + 'static
where
    F: Fn(OwnedRequest, &mut Responder) -> io::Result<()> + Send + Sync + 'static,
{
    blocking(pool(), answer)
}

fn chunks(path: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let mut bytes =
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
            .into_bytes();
    for piece in pieces {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

#[test]
fn parity_s24_content_is_read_and_written_as_plain_streams() {
    let running = serve(on_pool(|mut request, responder| {
        let mut text = String::new();
        request.body.read_to_string(&mut text)?;
        responder.status(StatusCode::CREATED);
        responder.field(&CONTENT_TYPE, "text/plain").unwrap();
        writeln!(responder, "{} {} {}", request.method(), request.path(), text.to_uppercase())
    }));
    let mut client = running.connect();
    for _ in 0..3 {
        client.send(post("/shout", "hello"));
        let received = client.receive();
        assert_eq!((received.status, received.text()), (201, "POST /shout HELLO\n"));
        assert_eq!(received.field("Content-Type"), Some("text/plain"));
        assert_eq!(received.field("Content-Length"), Some("18"), "a small response has a length");
    }
    client.send(get("/"));
    assert_eq!(client.receive().text(), "GET / \n");
}

#[test]
fn content_streams_both_ways_at_once() {
    let running =
        serve(on_pool(|mut request, responder| io::copy(&mut request.body, responder).map(drop)));
    // More than all buffers on the way hold, so that reading must go on while writing does.
    let content: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
    let mut client = running.connect();
    let mut other = client.second_half();
    let sent = content.clone();
    let sender = std::thread::spawn(move || {
        other.send(chunks("/echo", &sent.chunks(50_000).collect::<Vec<_>>()));
        other.send("0\r\n\r\n");
        other
    });
    let received = client.receive();
    assert!(received.content == content);
    drop(sender.join().unwrap());
    client.send(post("/echo", "again"));
    assert_eq!(client.receive().text(), "again");
}

#[test]
fn a_flush_sends_what_there_is() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let running = serve(on_pool(move |_, responder| {
        responder.write_all(b"first")?;
        responder.flush()?;
        wait.lock().unwrap().recv().unwrap();
        responder.write_all(b"second")
    }));
    let mut client = running.connect();
    client.send(get("/"));
    let mut text = String::new();
    while !text.ends_with("5\r\nfirst\r\n") {
        text.push_str(std::str::from_utf8(&client.receive_bytes(1)).unwrap());
    }
    go.send(()).unwrap();
    assert_eq!(client.receive_bytes(16), b"6\r\nsecond\r\n0\r\n\r\n");
}

#[test]
fn trailers_follow() {
    let running = serve(on_pool(|_, responder| {
        responder.write_all(&[b'x'; 20_000])?;
        responder.trailer(&HeaderName::from_static("x-sum"), "20000").unwrap();
        Ok(())
    }));
    let received = running.ask(&get("/"));
    assert_eq!((received.content.len(), received.trailers.as_str()), (20_000, "X-Sum: 20000\r\n"));
}

#[test]
fn head_is_answered_without_content() {
    let running = serve(on_pool(|_, responder| {
        for _ in 0..10 {
            responder.write_all(&[b'x'; 20_000])?;
        }
        Ok(())
    }));
    let mut client = running.connect();
    for _ in 0..2 {
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.receive_for(Asked::Head).status, 200);
    }
    client.send(get("/"));
    assert_eq!(client.receive().content.len(), 200_000);
}

#[test]
fn an_error_before_the_first_byte_is_500() {
    let running = serve(on_pool(|request, responder| {
        // What has not gone out yet is not sent.
        responder.write_all(b"half")?;
        match request.path() {
            "/error" => Err(io::Error::other("on purpose")),
            _ => panic!("on purpose"),
        }
    }));
    let mut client = running.connect();
    for path in ["/error", "/panic"] {
        client.send(get(path));
        let received = client.receive();
        assert_eq!(received.status, 500, "{path}");
        assert!(!received.text().contains("half"));
    }
    let totals = running.handle.totals();
    assert_eq!((totals.responses[4], totals.panics), (2, 1));
}

#[test]
fn an_error_after_the_first_byte_cuts_the_response_off() {
    for panics in [false, true] {
        let log = Recorded::new();
        let handler = on_pool(move |_, responder| {
            responder.write_all(b"some")?;
            responder.flush()?;
            assert!(!panics, "on purpose");
            Err(io::Error::other("on purpose"))
        });
        let running = serve_with(Server::new(handler).access_log(log.clone()));
        let mut client = running.connect();
        client.send(get("/"));
        let (bytes, end) = client.receive_all();
        assert!(bytes.ends_with(b"4\r\nsome\r\n"), "no last chunk");
        assert_eq!(end, End::Closed);
        let totals = running.handle.totals();
        assert_eq!((totals.aborted, totals.panics), (1, u64::from(panics)));
        assert!(log.lines()[0].aborted);
    }
}

/// A pool of one thread that is held, with room for one job more.
fn busy() -> (Arc<WorkerPool>, Sender<()>) {
    let pool = Arc::new(WorkerPool::with_bounds(1, 1));
    let (started, wait) = channel();
    let (release, held): (Sender<()>, Receiver<()>) = channel();
    pool.execute(move || {
        started.send(()).unwrap();
        // The end of the sender is the order to go on.
        assert!(held.recv().is_err());
    })
    .unwrap();
    wait.recv().unwrap();
    pool.execute(|| {}).unwrap();
    (pool, release)
}

#[test]
fn a_full_pool_is_503_with_retry_after() {
    let (pool, release) = busy();
    let running = serve(blocking(pool, |mut request, responder| {
        io::copy(&mut request.body, responder).map(drop)
    }));
    let mut client = running.connect();
    client.send(get("/"));
    let received = client.receive();
    assert_eq!((received.status, received.field("Retry-After")), (503, Some("1")));
    // Also with content that nobody will read, and in step after it.
    client.send(post("/", "content"));
    assert_eq!(client.receive().status, 503);
    drop(release);
    // The held jobs end by themselves; then there is room.
    let received = loop {
        client.send(post("/", "content"));
        let received = client.receive();
        if received.status != 503 {
            break received;
        }
    };
    assert_eq!(received.text(), "content");
}

#[test]
fn content_that_the_function_does_not_read_is_drained_within_the_bound() {
    let running = serve(on_pool(|_, responder| responder.write_all(b"early")));
    let mut client = running.connect();
    for _ in 0..2 {
        client.send(post("/", &"x".repeat(200_000)));
        assert_eq!(client.receive().text(), "early");
    }
    // Beyond the bound the connection ends.
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
    let mut sent = 0;
    while client.try_send(&chunk) {
        sent += chunk.len();
        assert!(sent < 100 << 20, "the server reads without end");
    }
}

#[test]
fn content_behind_expect_is_asked_for_by_the_first_read() {
    let running = serve(on_pool(|mut request, responder| {
        if request.path() == "/refuse" {
            responder.status(StatusCode::FORBIDDEN);
            return Ok(());
        }
        io::copy(&mut request.body, responder).map(drop)
    }));
    let request = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n"
        )
    };
    let mut client = running.connect();
    client.send(request("/read"));
    assert_eq!(client.receive().status, 100);
    client.send("content");
    assert_eq!(client.receive().text(), "content");
    client.send(request("/refuse"));
    let received = client.receive();
    assert_eq!(received.status, 403);
    assert!(received.closes());
    client.finish();
    client.expect_end();
}

#[test]
fn time_that_the_function_takes_is_not_the_clients() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let mut simulated = Simulated::new(Server::new(on_pool(move |mut request, responder| {
        wait.lock().unwrap().recv().unwrap();
        io::copy(&mut request.body, responder).map(drop)
    })));
    let mut slow = simulated.connect();
    // More content than is taken ahead of the function.
    let content = "x".repeat(300_000);
    let request = post("/", &content);
    let mut sent = 0;
    loop {
        let count = slow.try_send(&request.as_bytes()[sent..]);
        sent += count;
        simulated.turn();
        if count == 0 {
            break;
        }
    }
    assert!(sent < request.len(), "what is taken ahead is bounded");
    simulated.advance(Duration::from_secs(1000));
    assert!(!slow.is_closed());
    go.send(()).unwrap();
    let received = loop {
        sent += slow.try_send(&request.as_bytes()[sent..]);
        simulated.turn();
        if let Some(received) = slow.received() {
            break received;
        }
        std::thread::yield_now();
    };
    assert_eq!(received.content.len(), 300_000);
}

#[test]
fn content_cut_short_is_an_error_for_its_reader() {
    let (told, wait) = channel();
    let told = Mutex::new(told);
    let running = serve(on_pool(move |mut request, _| {
        let mut content = Vec::new();
        let error = request.body.read_to_end(&mut content).unwrap_err();
        told.lock().unwrap().send((content, error.kind())).unwrap();
        Err(error)
    }));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf");
    client.finish();
    assert_eq!(client.receive().status, 400);
    assert_eq!(wait.recv().unwrap(), (b"half".to_vec(), io::ErrorKind::UnexpectedEof));
}

#[test]
fn a_client_that_leaves_is_an_error_for_the_writer() {
    let (told, wait) = channel();
    let told = Mutex::new(told);
    let running = serve(on_pool(move |_, responder| {
        let error = loop {
            if let Err(error) = responder.write_all(&[b'x'; 10_000]) {
                break error;
            }
        };
        told.lock().unwrap().send(error.kind()).unwrap();
        Err(error)
    }));
    let mut client = running.connect();
    client.send(get("/"));
    client.receive_bytes(100_000);
    drop(client);
    assert_eq!(wait.recv().unwrap(), io::ErrorKind::BrokenPipe);
}

#[test]
fn a_stop_frees_functions_that_wait_for_the_client() {
    let (told, wait) = channel();
    let told = Mutex::new(told);
    let running = serve(on_pool(move |mut request, _| {
        told.lock().unwrap().send(None).unwrap();
        let error = request.body.read(&mut [0; 8]).unwrap_err();
        told.lock().unwrap().send(Some(error.kind())).unwrap();
        Err(error)
    }));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n");
    assert_eq!(wait.recv().unwrap(), None);
    running.stop(Grace::NONE);
    assert_eq!(wait.recv().unwrap(), Some(io::ErrorKind::UnexpectedEof));
}

#[test]
fn an_empty_read_does_not_wait() {
    let running = serve(on_pool(|mut request, responder| {
        let count = request.body.read(&mut [])?;
        write!(responder, "{count}")
    }));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n");
    assert_eq!(client.receive().text(), "0");
}
