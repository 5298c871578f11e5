//! What is told of each exchange.

use std::io::{self, Write};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use avocet_net::Transport;
use avocet_server::{
    AccessLog, Entry, LineLog, LogFormat, Reply, Request, Response, Server, respond,
};

use crate::support::{Recorded, Simulated, get, post, serve_with};

/// A writer that tests can look into.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line of one request in this form.
fn line(format: LogFormat, request: &str) -> String {
    let written = Shared::default();
    let log = LineLog::new(format, written.clone()).unwrap();
    let handler = respond(|_| Response::text("Hello from server!"));
    let running = serve_with(Server::new(handler).access_log(log.clone()));
    let mut client = running.connect();
    client.send(request);
    client.receive();
    log.flush();
    written.text()
}

#[test]
fn parity_b17_common_lines_have_a_zone_and_a_size() {
    let line = line(LogFormat::Common, &get("/a?b=c"));
    let (host, rest) = line.split_once(" - - [").unwrap();
    let (time, rest) = rest.split_once("] ").unwrap();
    assert_eq!(host, "127.0.0.1");
    assert_eq!(rest, "\"GET /a?b=c HTTP/1.1\" 200 18\n");
    // 18/Apr/2013:13:39:33 +0000
    assert_eq!((time.len(), &time[2..3], &time[20..]), (26, "/", " +0000"), "{time}");
}

#[test]
fn parity_b18_the_host_is_an_address_without_a_look_up() {
    assert!(line(LogFormat::Common, &get("/")).starts_with("127.0.0.1 "));
}

#[test]
fn combined_and_json_lines_tell_more() {
    let request = "GET /?q HTTP/1.1\r\nHost: example.com\r\nReferer: http://r/?token=x\r\n\
                   User-Agent: a \"b\" \u{7f}\r\n\r\n"
        .replace('\u{7f}', "");
    let combined = line(LogFormat::Combined, &request);
    assert!(
        combined.ends_with("200 18 \"http://r/?token=[redacted]\" \"a \\\"b\\\"\"\n"),
        "{combined}"
    );
    let json = line(LogFormat::Json, &request);
    for part in [
        "\"remote\":\"127.0.0.1\"",
        "\"request\":\"GET /?q HTTP/1.1\"",
        "\"host\":\"example.com\"",
        "\"referer\":\"http://r/?token=[redacted]\"",
        "\"user_agent\":\"a \\\"b\\\"\"",
        "\"status\":200,\"bytes\":18,\"micros\":",
        "\"aborted\":false}\n",
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
}

#[test]
fn secrets_in_queries_are_redacted_and_the_rest_kept() {
    let request = get("/login?user=me&password=hunter2&Access_Token=t&signature=s&x=1");
    let line = line(LogFormat::Common, &request);
    assert!(line.contains(
        "/login?user=me&password=[redacted]&Access_Token=[redacted]&signature=[redacted]&x=1 HTTP"
    ));
}

#[test]
fn every_kind_of_exchange_is_told_once() {
    let log = Recorded::new();
    let handler = |request: &Request<'_>, reply: Reply<'_>| match request.path() {
        "/collect" => reply.collect(3, |_, content, reply| reply.send(Response::ok(content))),
        "/deferred" => reply.defer().send(Response::text("late")),
        _ => reply.send(Response::text("hello")),
    };
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect();
    peer.send(
        [
            get("/"),
            "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(),
            post("/ignored", "content"),
            post("/collect", "abc"),
            get("/deferred"),
            post("/collect", "abcd"),
        ]
        .concat(),
    );
    simulated.turn();
    let mut bad = simulated.connect();
    bad.send("nonsense\r\n\r\n");
    simulated.turn();
    let told: Vec<_> = log
        .lines()
        .into_iter()
        .map(|line| (line.request, line.status.unwrap(), line.content.min(10), line.aborted))
        .collect();
    let expected = [
        ("GET / HTTP/1.1", 200, 5),
        ("HEAD / HTTP/1.1", 200, 0),
        ("POST /ignored HTTP/1.1", 200, 5),
        ("POST /collect HTTP/1.1", 200, 3),
        ("GET /deferred HTTP/1.1", 200, 4),
        ("POST /collect HTTP/1.1", 413, 10),
        ("", 400, 10),
    ];
    let expected = expected.map(|(line, status, bytes)| (line.to_owned(), status, bytes, false));
    assert_eq!(told, expected);
}

#[test]
fn the_duration_is_that_of_the_exchange() {
    let (tickets, waiting) = channel();
    let tickets = Mutex::new(tickets);
    let log = Recorded::new();
    let handler = move |_: &Request<'_>, reply: Reply<'_>| {
        tickets.lock().unwrap().send(reply.defer()).unwrap();
    };
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect();
    peer.send(get("/"));
    simulated.advance(Duration::from_secs(7));
    waiting.try_recv().unwrap().send(Response::text("late"));
    simulated.turn();
    assert_eq!(log.lines()[0].duration, Duration::from_secs(7));
}

#[test]
fn a_response_that_nobody_took_is_told_as_aborted() {
    let log = Recorded::new();
    let content = vec![b'x'; 1 << 20];
    let handler = respond(move |_| Response::ok(content.clone()));
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect_with_room(1000);
    peer.send(get("/"));
    simulated.turn();
    assert!(log.lines().is_empty(), "it is still on its way");
    drop(peer);
    simulated.turn();
    assert!(log.lines()[0].aborted);
    assert_eq!(simulated.totals().aborted, 1);
}

#[test]
fn a_response_that_was_whole_is_not_told_as_aborted() {
    // The client leaves while the rest of its content is read away.
    let log = Recorded::new();
    let handler = respond(|_| Response::text("early"));
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect();
    peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf");
    simulated.turn();
    assert_eq!(peer.received().unwrap().text(), "early");
    peer.transport.reset().unwrap();
    simulated.turn();
    assert_eq!(log.last(), ("POST / HTTP/1.1".to_owned(), Some(200), 5, false));
    assert_eq!((simulated.totals().aborted, simulated.totals().live), (0, 0));
}

#[test]
fn a_function_is_a_log() {
    let count = Arc::new(Mutex::new(Vec::new()));
    let seen = count.clone();
    let log: Arc<dyn AccessLog> = Arc::new(move |entry: &Entry<'_>| {
        seen.lock().unwrap().push(entry.host.map(<[u8]>::to_vec));
    });
    let handler = respond(|_| Response::text("hello"));
    let running = serve_with(Server::new(handler).access_log(log));
    running.ask(&get("/"));
    assert_eq!(*count.lock().unwrap(), [Some(b"example.com".to_vec())]);
}

#[test]
fn a_log_that_panics_costs_no_response() {
    let log: Arc<dyn AccessLog> = Arc::new(|_: &Entry<'_>| panic!("on purpose"));
    let handler = |request: &Request<'_>, reply: Reply<'_>| match request.path() {
        "/late" => reply.defer().send(Response::text("late")),
        _ => reply.send(Response::text("hello")),
    };
    let running = serve_with(Server::new(handler).access_log(log));
    let mut client = running.connect();
    client.send([get("/"), get("/late"), get("/")].concat());
    for expected in ["hello", "late", "hello"] {
        assert_eq!(client.receive().text(), expected);
    }
    assert_eq!(running.handle.totals().panics, 3);
}

/// A writer that fails as often as it is told to.
struct Failing(u32, Shared);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 > 0 {
            self.0 -= 1;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn security_a_log_that_cannot_be_written_stops_nothing() {
    let written = Shared::default();
    let log = LineLog::new(LogFormat::Common, Failing(2, written.clone())).unwrap();
    let handler = respond(|_| Response::text("hello"));
    let running = serve_with(Server::new(handler).access_log(log.clone()));
    for index in 0..4 {
        assert_eq!(running.ask(&get(&format!("/{index}"))).status, 200);
        log.flush();
    }
    let text = written.text();
    assert!(!text.contains("/1 ") && text.contains("/2 ") && text.contains("/3 "), "{text}");
}

/// A writer that is stuck until it is let go.
struct Stuck(Mutex<std::sync::mpsc::Receiver<()>>, Shared);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody sends; the end of the sender lets go.
        assert!(self.0.lock().unwrap().recv().is_err());
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn security_a_log_that_is_stuck_stops_no_connection_and_is_bounded() {
    let (go, stuck) = channel();
    let written = Shared::default();
    let log = LineLog::new(LogFormat::Common, Stuck(Mutex::new(stuck), written.clone())).unwrap();
    let handler = respond(|_| Response::text("hello"));
    let mut simulated = Simulated::new(Server::new(handler).access_log(log.clone()));
    let mut peer = simulated.connect();
    for _ in 0..4000 {
        peer.send(get("/0123456789"));
        simulated.turn();
        assert_eq!(peer.received().unwrap().status, 200);
    }
    drop(go);
    log.flush();
    let lines = written.text().lines().count();
    // Two batches of 64 KiB at about 70 bytes a line; more were dropped.
    assert!((800..2500).contains(&lines), "{lines} lines");
}

#[test]
fn dropping_a_log_writes_its_last_lines() {
    for _ in 0..50 {
        let written = Shared::default();
        let log = LineLog::new(LogFormat::Common, written.clone()).unwrap();
        let handler = respond(|_| Response::text("hello"));
        let mut simulated = Simulated::new(Server::new(handler).access_log(log));
        let mut peer = simulated.connect();
        peer.send([get("/1"), get("/2"), get("/3")].concat());
        simulated.turn();
        drop(simulated);
        assert_eq!(written.text().lines().count(), 3);
    }
}
