//! The classes of attack and of trouble that the loop has to stand (what is slow, what stops and
//! what lingers has files of its own).

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use avocet_net::{Established, Outbox, PeerInfo, Registration, Transport};
use avocet_server::{Response, Server, respond};

use crate::support::{Simulated, get, responses, serve, serve_with};

fn hello() -> impl avocet_server::Handler {
    respond(|_| Response::text("hello"))
}

#[test]
fn security_slow_clients_do_not_delay_others() {
    let running = serve(hello());
    let idle: Vec<_> = (0..200).map(|_| running.connect()).collect();
    let half: Vec<_> = (0..200)
        .map(|_| {
            let mut client = running.connect();
            client.send("GET / HTTP/1.1\r\nX: ");
            client
        })
        .collect();
    let begin = Instant::now();
    let mut good = running.connect();
    for _ in 0..200 {
        good.send(get("/"));
        assert_eq!(good.receive().status, 200);
    }
    // Far below any time-out of those who wait, also on a busy machine.
    assert!(begin.elapsed() < Duration::from_secs(10));
    drop((idle, half));
}

#[test]
fn security_reset_clients_are_dropped_in_silence() {
    let content = vec![b'x'; 1 << 20];
    let running = serve(respond(move |_| Response::ok(content.clone())));
    for _ in 0..50 {
        let stream = TcpStream::connect(running.address).unwrap();
        (&stream).write_all(get("/").as_bytes()).unwrap();
        // Unread bytes make the close a reset.
        (&stream).read_exact(&mut [0; 10]).unwrap();
        drop(stream);
    }
    assert_eq!(running.ask(&get("/")).content.len(), 1 << 20);
    while running.handle.totals().live > 0 {
        std::thread::yield_now();
    }
    assert_eq!(running.handle.totals().panics, 0);
}

#[test]
fn security_busy_loops_do_not_happen_on_a_hang_up() {
    let mut simulated = Simulated::new(Server::new(hello()));
    let mut clients: Vec<_> = (0..10).map(|_| simulated.connect()).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        if index % 2 == 0 {
            client.send(get("/"));
        }
        if index % 3 == 0 {
            client.finish();
        }
    }
    // `advance` panics when some task asks for turns without end.
    simulated.advance(Duration::from_secs(5));
    drop(clients);
    simulated.advance(Duration::from_secs(100));
    assert_eq!(simulated.live(), 0);
}

#[test]
fn security_hash_flooding_has_no_table_to_flood() {
    // A hundred fields of one name are as fast as any: look-ups are linear over at most so many.
    let running = serve(respond(|request| {
        let count = request.fields().get_all(&http::HeaderName::from_static("x-same")).count();
        Response::text(count.to_string())
    }));
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X-Same: 1\r\n".repeat(99));
    assert_eq!(running.ask(&request).text(), "99");
}

#[test]
fn security_many_connections_at_once_are_all_served() {
    let running = serve(hello());
    let mut clients: Vec<_> = (0..300).map(|_| running.connect()).collect();
    for client in &mut clients {
        client.send(get("/"));
    }
    for client in &mut clients {
        assert_eq!(client.receive().status, 200);
    }
    assert_eq!(running.handle.totals().live, 300);
}

/// A transport whose handshake takes a message from the client.
struct Greeted {
    inner: Box<dyn Transport>,
    done: bool,
}

impl Transport for Greeted {
    fn establish(&mut self) -> io::Result<Established> {
        if !self.done {
            match self.inner.read(&mut [0; 5]) {
                Ok(5) => self.done = true,
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Established::Pending);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Established::Done)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buf)
    }

    fn write(&mut self, out: &mut Outbox) -> io::Result<bool> {
        self.inner.write(out)
    }

    fn close_write(&mut self) -> io::Result<()> {
        self.inner.close_write()
    }

    fn reset(&mut self) -> io::Result<()> {
        self.inner.reset()
    }

    fn info(&self) -> &PeerInfo {
        self.inner.info()
    }

    fn register(&mut self, registration: &Registration<'_>) -> io::Result<()> {
        self.inner.register(registration)
    }
}

#[test]
fn a_wrapped_transport_is_served_after_its_handshake() {
    let greeted = || Server::new(hello()).wrap(|inner| Box::new(Greeted { inner, done: false }));
    let running = serve_with(greeted());
    let mut client = running.connect();
    client.send("HELLO");
    client.send(get("/"));
    assert_eq!(client.receive().text(), "hello");
    // The same with everything in one packet, and with a handshake that comes late or never.
    let mut simulated = Simulated::new(greeted());
    let (mut early, mut late, broken) =
        (simulated.connect(), simulated.connect(), simulated.connect());
    early.send(format!("HELLO{}", get("/")));
    simulated.advance(Duration::from_secs(5));
    assert_eq!(early.received().unwrap().text(), "hello");
    late.send("HELLO");
    simulated.turn();
    late.send(get("/"));
    simulated.turn();
    assert_eq!(late.received().unwrap().text(), "hello");
    drop(broken);
    simulated.turn();
    assert_eq!(simulated.live(), 2);
}

#[test]
fn a_unix_socket_is_served_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = format!("unix:{}", path.display()).parse().unwrap();
    let bound = Server::new(respond(|request| Response::text(request.peer().remote.to_string())))
        .workers(1)
        .listen(address)
        .bind()
        .unwrap();
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(responses(&all)[0].text(), "unix:");
    handle.stop(avocet_server::Grace::NONE);
    thread.join().unwrap().unwrap();
    assert!(!path.exists());
}

#[test]
fn an_address_that_is_taken_is_a_clear_error() {
    let running = serve(hello());
    let error = Server::new(hello())
        .listen(running.address.to_string().parse().unwrap())
        .bind()
        .err()
        .unwrap();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains("another program listens there already"), "{error}");
}

#[test]
fn several_addresses_lead_to_one_server() {
    let bound = Server::new(hello())
        .workers(2)
        .listen("127.0.0.1:0".parse().unwrap())
        .listen("127.0.0.1:0".parse().unwrap())
        .bind()
        .unwrap();
    let addresses: Vec<String> = bound.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses.len(), 2);
    assert_ne!(addresses[0], addresses[1]);
    let handle = bound.handle();
    let thread = std::thread::spawn(move || bound.run());
    for address in addresses {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(get("/").as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 1000]).unwrap() > 0);
    }
    assert_eq!(handle.totals().requests, 2);
    handle.stop(avocet_server::Grace::NONE);
    thread.join().unwrap().unwrap();
}
