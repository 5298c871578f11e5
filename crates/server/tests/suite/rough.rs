//! Any network gives the same responses: pieces and buffers of any size, delays, short reads and
//! writes, interrupted calls, false `WouldBlock`, events without a reason, resets.

use std::io;
use std::time::Duration;

use avocet_net::{Input, Next, Notifier, Outbox, Segment, Task, Transport, Turn};
use avocet_server::{
    Body, BodySource, Pulled, Reply, Request, Response, Server, Sink, Totals, Upgraded,
};
use avocet_testkit::{
    Client, Closed, Faults, FaultyTransport, HttpReply, Network, Random, Simulation, rounds,
};
use avocet_wire::{FieldBuf, Fields};
use http::StatusCode;
use http::header::UPGRADE;

use crate::support::{Recorded, fields, get, post};

/// Gives so many bytes, with pauses in between.
struct Counting {
    left: usize,
    pause: bool,
}

impl BodySource for Counting {
    fn pull(&mut self, most: usize, wake: &dyn Fn() -> Notifier) -> io::Result<Pulled> {
        self.pause = !self.pause;
        if self.pause {
            wake().wake();
            return Ok(Pulled::Pending);
        }
        let count = self.left.min(most).min(7000);
        self.left -= count;
        Ok(match count {
            0 => Pulled::End(FieldBuf::new()),
            _ => Pulled::Piece(Segment::Owned(vec![b'c'; count])),
        })
    }
}

/// Sums its content up and is ready only every other time.
#[derive(Default)]
struct Summing {
    sum: u64,
    shut: bool,
    notifier: Option<Notifier>,
}

impl Sink for Summing {
    fn data(&mut self, bytes: &[u8]) {
        self.sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }

    fn ready(&mut self) -> bool {
        self.shut = !self.shut;
        if self.shut
            && let Some(notifier) = &self.notifier
        {
            notifier.wake();
        }
        !self.shut
    }

    fn end(self: Box<Self>, _: &Request<'_>, _: Fields<'_>, reply: Reply<'_>) {
        reply.send(Response::text(self.sum.to_string()));
    }
}

fn handler(request: &Request<'_>, mut reply: Reply<'_>) {
    match request.path() {
        "/collect" => reply.collect(10_000, |_, content, reply| reply.send(Response::ok(content))),
        "/sum" => {
            let notifier = Some(reply.notifier());
            reply.consume(Box::new(Summing { notifier, ..Summing::default() }));
        }
        "/source" => {
            let source = Box::new(Counting { left: 20_000, pause: false });
            reply.send(Response::ok(Body::Source { size: None, source }));
        }
        "/sized" => {
            let source = Box::new(Counting { left: 12_000, pause: false });
            reply.send(Response::ok(Body::Source { size: Some(12_000), source }));
        }
        "/large" => reply.send(Response::ok(vec![b'l'; 70_000])),
        "/hints" => {
            reply.interim(StatusCode::EARLY_HINTS, &FieldBuf::new()).unwrap();
            reply.send(Response::text("after hints"));
        }
        "/deferred" => reply.defer().send(Response::text("deferred")),
        "/upgrade" => {
            let offer = fields(&[(UPGRADE, "echo")]);
            reply.upgrade(StatusCode::SWITCHING_PROTOCOLS, &offer, Echo::start);
        }
        path => reply.send(Response::text(path.to_owned())),
    }
}

/// What follows an upgrade.
struct Echo {
    transport: Box<dyn Transport>,
    out: Outbox,
}

impl Echo {
    fn start(upgraded: Upgraded) -> Box<dyn Task> {
        let mut out = Outbox::new();
        out.push_slice(&upgraded.early);
        Box::new(Self { transport: upgraded.transport, out })
    }
}

impl Task for Echo {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Next {
        let mut buf = [0; 4096];
        loop {
            if !self.out.is_empty() {
                if !cx.writable() {
                    return Next::Wait(None);
                }
                if cx.write(&mut self.transport, &mut self.out).is_err() {
                    return Next::Done;
                }
                continue;
            }
            if !cx.readable() {
                return Next::Wait(None);
            }
            match cx.read(&mut self.transport, &mut buf) {
                Ok(Input::Bytes(count)) => self.out.push_slice(&buf[..count]),
                Ok(Input::Blocked) => {}
                Ok(Input::Closed) | Err(_) => return Next::Done,
            }
        }
    }
}

/// A request and what has to come of it: the status and the content.
fn exchange(random: &mut Random) -> (String, Vec<(u16, Vec<u8>)>) {
    let content = "0123456789".repeat(random.size(0..=700));
    let sum: u64 = content.bytes().map(u64::from).sum();
    let text = |text: &str| text.as_bytes().to_vec();
    match random.size(0..=10) {
        0 => (post("/collect", &content), vec![(200, text(&content))]),
        1 => (chunked("/collect", &content, random), vec![(200, text(&content))]),
        2 => (post("/sum", &content), vec![(200, text(&sum.to_string()))]),
        3 => (chunked("/sum", &content, random), vec![(200, text(&sum.to_string()))]),
        4 => (get("/source"), vec![(200, vec![b'c'; 20_000])]),
        5 => (get("/sized"), vec![(200, vec![b'c'; 12_000])]),
        6 => (get("/large"), vec![(200, vec![b'l'; 70_000])]),
        7 => (get("/hints"), vec![(103, text("")), (200, text("after hints"))]),
        8 => (get("/deferred"), vec![(200, text("deferred"))]),
        9 => (post("/ignored", &content), vec![(200, text("/ignored"))]),
        _ => (get("/plain"), vec![(200, text("/plain"))]),
    }
}

fn chunked(path: &str, content: &str, random: &mut Random) -> String {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in content.as_bytes().chunks(random.size(1..=2_000)) {
        let text = std::str::from_utf8(piece).unwrap();
        request.push_str(&format!("{:x}\r\n{text}\r\n", text.len()));
    }
    request + "0\r\n\r\n"
}

struct Stage {
    simulation: Simulation,
    connections: avocet_server::Connections,
}

impl Stage {
    fn new(simulation: Simulation, server: Server) -> Self {
        Self { simulation, connections: server.connections().unwrap() }
    }

    fn connect(&mut self, faults: Option<Faults>) -> Client {
        let (client, transport) = self.simulation.connect();
        let seed = self.simulation.random().size(0..=usize::MAX - 1) as u64;
        let transport: Box<dyn Transport> = match faults {
            Some(faults) => Box::new(FaultyTransport::new(transport, faults, Random::new(seed))),
            None => Box::new(transport),
        };
        let task = self.connections.task(transport, None, self.simulation.now());
        self.simulation.spawn(task);
        client
    }

    fn totals(&self) -> Totals {
        self.connections.totals()
    }
}

fn check(reply: &HttpReply, expected: &(u16, Vec<u8>)) {
    assert_eq!(reply.status, expected.0, "{}", reply.text());
    assert!(reply.content == expected.1, "{} bytes came", reply.content.len());
}

#[test]
fn security_short_writes_interrupts_and_false_eagain_change_no_answer() {
    rounds(16, |seed| {
        let mut stage = Stage::new(Simulation::new(seed), Server::new(handler));
        let faults = (seed % 3 > 0).then(|| Faults::rough(stage.simulation.random()));
        let mut clients = Vec::new();
        for _ in 0..3 {
            let client = stage.connect(faults.clone());
            let count = stage.simulation.random().size(1..=12);
            let exchanges: Vec<_> =
                (0..count).map(|_| exchange(stage.simulation.random())).collect();
            for (request, _) in &exchanges {
                client.send(request);
            }
            client.end();
            clients.push((client, exchanges));
        }
        stage.simulation.run_for(Duration::from_secs(1000));
        for (client, exchanges) in clients {
            for expected in exchanges.iter().flat_map(|(_, expected)| expected) {
                check(&client.take_reply(false).expect("a whole response"), expected);
            }
            assert_eq!((client.text().as_str(), client.closed()), ("", Some(Closed::End)));
        }
        let totals = stage.totals();
        assert_eq!((totals.live, totals.timeouts, totals.aborted, totals.panics), (0, 0, 0, 0));
    });
}

#[test]
fn security_lost_wakeups_do_not_happen_with_single_bytes() {
    let network = Network::single_bytes();
    let simulation = Simulation::with_network(Random::new(1), network);
    let mut stage = Stage::new(simulation, Server::new(handler));
    let client = stage.connect(None);
    client.send([get("/a"), post("/collect", "content"), get("/hints"), get("/deferred")].concat());
    stage.simulation.settle();
    for expected in ["/a", "content", "", "after hints", "deferred"] {
        assert_eq!(client.take_reply(false).expect("a whole response").text(), expected);
    }
}

#[test]
fn an_upgrade_survives_any_network() {
    rounds(16, |seed| {
        let mut stage = Stage::new(Simulation::new(seed), Server::new(handler));
        let faults = Faults::rough(stage.simulation.random());
        let client = stage.connect(Some(faults));
        let early = "early and ".repeat(200);
        client.send(format!(
            "GET /upgrade HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n{early}"
        ));
        stage.simulation.settle();
        client.send("late");
        let length = early.len() + 4;
        let came = stage.simulation.run_until(Duration::from_secs(100), |_| {
            client.text().split_once("\r\n\r\n").is_some_and(|(_, rest)| rest.len() >= length)
        });
        assert!(came, "{} bytes came", client.text().len());
        assert!(client.text().ends_with(&format!("\r\n\r\n{early}late")));
    });
}

#[test]
fn security_resets_at_any_moment_cost_one_connection_and_leave_nothing() {
    rounds(16, |seed| {
        let log = Recorded::new();
        let server = Server::new(handler).access_log(log.clone());
        let mut stage = Stage::new(Simulation::new(seed), server);
        let after = stage.simulation.random().size(0..=100_000) as u64;
        let faults = Faults { reset_after: Some(after), ..Faults::default() };
        let broken = stage.connect(Some(faults));
        let whole = stage.connect(None);
        for client in [&broken, &whole] {
            for _ in 0..6 {
                let (request, _) = exchange(stage.simulation.random());
                client.send(request);
            }
        }
        broken.end();
        whole.send(get("/last"));
        whole.end();
        stage.simulation.run_for(Duration::from_secs(1000));
        assert!(whole.text().ends_with("\r\n\r\n/last"));
        assert_eq!(whole.closed(), Some(Closed::End));
        let totals = stage.totals();
        assert_eq!((totals.live, totals.panics), (0, 0));
        // Each request whose head was read is told to the log, whatever became of it.
        assert_eq!(log.lines().len() as u64, totals.requests);
        assert!(totals.aborted <= 1);
    });
}
