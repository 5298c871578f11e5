//! The server's sessions over TLS, in memory and under virtual time.

#![cfg(all(feature = "server", feature = "certs"))]
#![expect(clippy::unwrap_used, reason = "a test stops where its premise fails")]

use std::io;
use std::time::{Duration, Instant};

use avocet::https;
use avocet::net::{
    Established, EventLoop, MemoryTransport, Notifier, Outbox, Segment, Transport, memory_pair,
};
use avocet::server::{
    Body, BodySource, Connections, Handler, Pulled, Reply, Request, Response, Server,
};
use avocet::tls::{
    Authority, ClientCertificates, ClientTls, ErrorKind, Purpose, Roots, ServerTls, TlsError,
    TlsTransport,
};
use avocet_testkit::{Faults, FaultyTransport, Random, rounds};

/// A loop with a server's sessions on it, under a clock that is set by hand.
struct Site {
    event_loop: EventLoop,
    now: Instant,
    connections: Connections,
    client: ClientTls,
    _folder: tempfile::TempDir,
}

type Client = TlsTransport<MemoryTransport>;

impl Site {
    fn new(handler: impl Handler + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_make(&folder.path().join("ca")).unwrap();
        let roots = || Roots::none().file(authority.path());
        let issue = |name: &str, purpose| authority.issue(&[name.to_owned()], purpose).unwrap();
        let settings = https::server_settings()
            .credentials(issue("localhost", Purpose::Server).credentials().unwrap())
            .clients(ClientCertificates::Optional(roots(), Vec::new()));
        let tls = ServerTls::open(settings).unwrap();
        let own = folder.path().join("alice.pem");
        issue("alice", Purpose::Client).write(&own).unwrap();
        let settings = avocet::tls::ClientSettings::new(roots()).credentials(own, None);
        let now = Instant::now();
        Self {
            event_loop: EventLoop::simulated(now),
            now,
            connections: https::secure(Server::new(handler), &tls).connections().unwrap(),
            client: ClientTls::open(settings).unwrap(),
            _folder: folder,
        }
    }

    /// A connection, of which the client's end is bare.
    fn accept(&mut self) -> MemoryTransport {
        let (here, there) = memory_pair(64 * 1024);
        let task = self.connections.task(Box::new(there), None, self.now);
        self.event_loop.spawn(task);
        here
    }

    /// A connection with little room and with faults under the server.
    fn accept_roughly(&mut self, random: &mut Random) -> MemoryTransport {
        let (here, there) = memory_pair(random.size(200..=6000));
        let faults = Faults::rough(random);
        let there = FaultyTransport::new(there, faults, random.fork());
        let task = self.connections.task(Box::new(there), None, self.now);
        self.event_loop.spawn(task);
        here
    }

    /// A connection whose handshake is over.
    fn connect(&mut self) -> Client {
        let here = self.accept();
        let mut client = self.client.wrap(here, "localhost").unwrap();
        while client.establish().unwrap() == Established::Pending {
            self.turn();
        }
        client
    }

    fn turn(&mut self) {
        while self.event_loop.turn_at(self.now).is_some_and(|wait| wait.is_zero()) {}
    }

    /// One turn of the loop; the clock goes on by a millisecond, for what waits for time.
    fn step(&mut self) {
        self.now += Duration::from_millis(1);
        self.event_loop.turn_at(self.now);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.turn();
    }

    fn ask(&mut self, client: &mut Client, request: &[u8]) -> io::Result<String> {
        write(client, request);
        self.rest(client)
    }

    /// Lets the server work, and reads to the end or until nothing more comes.
    fn rest(&mut self, client: &mut Client) -> io::Result<String> {
        let (mut all, mut buf, mut quiet) = (Vec::new(), vec![0; 64 * 1024], 0);
        while quiet < 3 {
            self.turn();
            match client.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => all.extend_from_slice(&buf[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => quiet += 1,
                Err(error) => return Err(error),
            }
        }
        Ok(String::from_utf8(all).unwrap())
    }
}

fn write(transport: &mut dyn Transport, bytes: &[u8]) {
    let mut out = Outbox::new();
    out.push_slice(bytes);
    assert!(transport.write(&mut out).unwrap());
}

/// Answers with the name that the client's certificate is for.
fn who(request: &Request<'_>, reply: Reply<'_>) {
    let secured = request.peer().secured.as_deref();
    let name = secured.and_then(|secured| secured.peer.as_ref()).map(|peer| &*peer.subject);
    reply.send(Response::text(name.unwrap_or("nobody").to_owned()));
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn handlers_know_who_the_client_is() {
    let mut site = Site::new(who);
    let mut client = site.connect();
    for _ in 0..2 {
        let answer = site.ask(&mut client, GET).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("CN=alice"), "{answer}");
    }
}

#[test]
fn a_request_behind_the_end_of_the_handshake_waits_for_nobody() {
    let mut site = Site::new(who);
    let here = site.accept();
    let mut client = site.client.wrap(here, "localhost").unwrap();
    assert_eq!(client.establish().unwrap(), Established::Pending);
    site.turn();
    // The client's last part and its request reach the server together.
    assert_eq!(client.establish().unwrap(), Established::Done);
    let answer = site.ask(&mut client, GET).unwrap();
    assert!(answer.ends_with("CN=alice"), "{answer}");
}

#[test]
fn a_client_that_ends_its_side_gets_its_answer_in_full() {
    let mut site = Site::new(who);
    let mut client = site.connect();
    write(&mut client, GET);
    client.close_write().unwrap();
    let answer = site.rest(&mut client).unwrap();
    assert!(answer.ends_with("CN=alice"), "{answer}");
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0, "and an orderly end");
}

#[test]
fn the_last_answer_is_followed_by_an_orderly_end() {
    let mut site = Site::new(who);
    let mut client = site.connect();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = site.ask(&mut client, request).unwrap();
    assert!(answer.ends_with("CN=alice"), "{answer}");
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
}

struct Failing(bool);

impl BodySource for Failing {
    fn pull(&mut self, _: usize, _: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        if std::mem::replace(&mut self.0, true) {
            return Err(io::Error::other("the rest is lost"));
        }
        Ok(Pulled::Piece(Segment::Static(b"a part")))
    }
}

#[test]
fn a_body_that_fails_does_not_end_in_order() {
    let mut site = Site::new(|_: &Request<'_>, reply: Reply<'_>| {
        let body = Body::Source { size: None, source: Box::new(Failing(false)) };
        reply.send(Response::ok(body));
    });
    let mut client = site.connect();
    // HTTP/1.0 knows no chunks: the end of the connection would be that of the content.
    let error = site.ask(&mut client, b"GET / HTTP/1.0\r\n\r\n").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
}

#[test]
fn security_a_handshake_that_stalls_is_cut_at_its_deadline() {
    let mut site = Site::new(who);
    let silent = site.accept();
    let mut half = site.accept();
    write(&mut half, &[0x16, 0x03, 0x01, 0x01]);
    site.turn();
    site.wait(Duration::from_secs(9));
    assert!(!silent.peer_ended() && !half.peer_ended());
    site.wait(Duration::from_millis(1100));
    assert!(silent.peer_ended() && half.peer_ended());
}

#[test]
fn http_in_the_clear_is_told_where_it_is() {
    let mut site = Site::new(who);
    let mut plain = site.accept();
    write(&mut plain, GET);
    site.turn();
    let mut buf = [0; 1024];
    let count = plain.read(&mut buf).unwrap();
    let answer = String::from_utf8_lossy(&buf[..count]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("https://"), "{answer}");
}

#[test]
fn content_in_both_directions_is_what_it_was() {
    let mut site = Site::new(|_: &Request<'_>, reply: Reply<'_>| {
        reply.collect(1 << 20, |_, content, reply| reply.send(Response::ok(content)));
    });
    let mut client = site.connect();
    let content = "0123456789abcdef".repeat(40_000);
    let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", content.len());
    let mut out = Outbox::new();
    out.push_slice(head.as_bytes());
    out.push_slice(content.as_bytes());
    while !client.write(&mut out).unwrap() {
        site.turn();
    }
    let answer = site.rest(&mut client).unwrap();
    assert!(answer.ends_with(&content), "{} bytes", answer.len());
}

/// Whatever happens below, nothing is lost and nobody waits for an event that does not come.
#[test]
fn faults_under_the_server_change_no_answer() {
    let mut site = Site::new(|_: &Request<'_>, reply: Reply<'_>| {
        reply.collect(1 << 20, |_, content, reply| reply.send(Response::ok(content)));
    });
    rounds(60, |seed| {
        let mut random = Random::new(seed);
        let here = site.accept_roughly(&mut random);
        let mut client = site.client.wrap(here, "localhost").unwrap();
        while client.establish().unwrap() == Established::Pending {
            site.step();
        }
        let content = "x".repeat(random.size(0..=50_000));
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n", content.len());
        let mut out = Outbox::new();
        out.push_slice(format!("{head}\r\n{content}").repeat(3).as_bytes());
        out.push_slice(format!("{head}Connection: close\r\n\r\n{content}").as_bytes());
        let (mut all, mut buf) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            client.write(&mut out).unwrap();
            site.step();
            match client.read(&mut buf) {
                Ok(0) => break,
                Ok(count) => all.extend_from_slice(&buf[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
        let answers = String::from_utf8(all).unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 4);
        assert_eq!(answers.matches('x').count(), 4 * content.len());
    });
}

/// A client whose bytes pass through a hand that can stop them.
#[test]
fn security_a_cut_connection_is_no_end_for_a_client() {
    let mut site = Site::new(who);
    let mut far = site.accept();
    let (mut near, above) = memory_pair(64 * 1024);
    let mut client = site.client.wrap(above, "localhost").unwrap();
    let mut buf = vec![0; 64 * 1024];
    let mut carry = |site: &mut Site| {
        if let Ok(count) = near.read(&mut buf) {
            write(&mut far, &buf[..count]);
        }
        site.turn();
        if let Ok(count) = far.read(&mut buf) {
            write(&mut near, &buf[..count]);
        }
    };
    while client.establish().unwrap() == Established::Pending {
        carry(&mut site);
    }
    write(&mut client, GET);
    carry(&mut site);
    carry(&mut site);
    near.close_write().unwrap();
    let mut buf = vec![0; 64 * 1024];
    assert!(client.read(&mut buf).unwrap() > 100);
    let error = client.read(&mut buf).unwrap_err();
    assert_eq!(TlsError::of(&error).unwrap().kind(), ErrorKind::Truncated);
}
