//! TLS beside an honest peer with somebody in between, who changes, loses, adds and repeats bytes and
//! cuts them anywhere: our side does not panic, holds little, gives out nothing but what the peer has
//! written, and comes to an end when the wire does.
#![no_main]

use std::io;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use avocet_net::{Established, Outbox, Segment, Transport};
use avocet_tls::{
    ClientSettings, ClientTls, Issued, Roots, ServerSettings, ServerTls, TlsError, TlsTransport,
};
use libfuzzer_sys::fuzz_target;

#[path = "shared/wire.rs"]
mod wire;

use wire::{Wire, wire};

#[derive(Arbitrary, Debug)]
struct Case {
    we_serve: bool,
    version: Version,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Version {
    Both,
    Tls12,
    Tls13,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// Both sides go on until neither has anything to say.
    Exchange,
    /// The peer gets what we have said, and answers.
    Collect,
    /// So many bytes of the peer come to us.
    Deliver(u16),
    /// A byte of the peer's that is on its way is changed.
    Change { at: u16, mask: u8 },
    /// So many bytes of the peer never come.
    Lose(u16),
    /// Bytes of somebody else come.
    Insert(Vec<u8>),
    /// The same record of somebody else, of a kind that there is, comes again and again.
    Flood { kind: u8, length: u16, start: [u8; 4], times: u8 },
    Write(u16),
    PeerWrites(u16),
    Read(u16),
    CloseWrite,
    PeerCloses,
    /// The wire takes so many bytes of ours before it is full.
    Room(u16),
    Interrupt,
}

struct Fixture {
    server: ServerTls,
    clients: [ClientTls; 3],
}

static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // An assertion of rustls that our side catches.
        let place = info.location().map_or("", |place| place.file());
        if !(place.contains("rustls") && place.ends_with("common_state.rs")) {
            hook(info);
        }
    }));
    let issued = Issued::self_signed(&["localhost".to_owned()], 30).expect("a certificate");
    let settings = ServerSettings::new()
        .credentials(issued.credentials().expect("what was issued"))
        .protocols(&["http/1.1"])
        .to_plaintext("not here");
    let server = ServerTls::open(settings).expect("a server");
    let path = std::env::temp_dir().join(format!("avocet-fuzz-tls-{}.pem", std::process::id()));
    issued.write(&path).expect("a file");
    let roots = || ClientSettings::new(Roots::none().file(&path)).protocols(&["http/1.1"]);
    let clients = [roots(), roots().only_1_2(), roots().only_1_3()];
    let clients = clients.map(|settings| ClientTls::open(settings).expect("a client"));
    std::fs::remove_file(&path).expect("it was written");
    Fixture { server, clients }
});

/// What both sides write, again and again.
static CONTENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..PERIOD).map(|at| ((at * 131) >> 3) as u8).collect());

fuzz_target!(|case: Case| {
    let Fixture { server, clients } = &*FIXTURE;
    let client = &clients[case.version as usize];
    let (ours, our_wire) = wire();
    let (theirs, their_wire) = wire();
    let serve = |wire| server.wrap(wire);
    let call = |wire| client.wrap(wire, "localhost").expect("a name");
    let mut made = None;
    let info = allocation_counter::measure(|| {
        made = Some(if case.we_serve { serve(ours) } else { call(ours) });
    });
    let ours = made.expect("it was made");
    let theirs = if case.we_serve { call(theirs) } else { serve(theirs) };
    let mut scene = Scene {
        ours: End::new(ours, our_wire),
        peer: End::new(theirs, their_wire),
        said: Vec::new(),
        held: info.bytes_current,
    };
    for step in &case.steps {
        scene.step(step);
    }
    scene.finish();
});

type Tls = TlsTransport<Wire>;

struct Scene {
    ours: End,
    peer: End,
    /// What the peer has said and has not come yet.
    said: Vec<u8>,
    /// Bytes of memory that our side holds.
    held: i64,
}

/// One side of the connection.
struct End {
    tls: Tls,
    below: wire::Other,
    out: Outbox,
    /// Bytes of content that were given to the outbox, and that have been read.
    written: usize,
    read: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Shaking,
    Open,
    Over,
}

impl Scene {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Exchange => {
                for _ in 0..16 {
                    self.collect();
                    if self.said.is_empty() {
                        break;
                    }
                    self.deliver(usize::MAX);
                }
            }
            Step::Collect => self.collect(),
            Step::Deliver(count) => self.deliver(usize::from(*count)),
            Step::Change { at, mask } => {
                if let Some(byte) = self.said.get_mut(usize::from(*at)) {
                    *byte ^= mask;
                }
            }
            Step::Lose(count) => drop(self.said.drain(..self.said.len().min(usize::from(*count)))),
            Step::Insert(bytes) => self.insert(bytes),
            Step::Flood { kind, length, start, times } => {
                let length = length % LONGEST_RECORD;
                let mut record = vec![20 + kind % 5, 3, 3];
                record.extend(length.to_be_bytes());
                record.extend(start);
                record.resize(5 + usize::from(length), 0);
                for _ in 0..*times {
                    self.insert(&record);
                }
            }
            Step::Write(count) => {
                self.ours.push(usize::from(*count));
                self.go_on();
            }
            Step::PeerWrites(count) => {
                self.peer.push(usize::from(*count));
                self.peer.go_on();
            }
            Step::Read(room) => {
                self.read(usize::from(*room));
            }
            Step::CloseWrite => {
                self.watched(|ours| drop(ours.tls.close_write()));
            }
            Step::PeerCloses => drop(self.peer.tls.close_write()),
            Step::Room(room) => self.ours.below.room(usize::from(*room)),
            Step::Interrupt => self.ours.below.interrupt(),
        }
    }

    /// Does something with our side, and looks at what it holds afterwards and meanwhile.
    fn watched<R>(&mut self, act: impl FnOnce(&mut End) -> R) -> R {
        let mut result = None;
        let info = allocation_counter::measure(|| result = Some(act(&mut self.ours)));
        let most = self.held + i64::try_from(info.bytes_max).expect("a size");
        assert!(most <= MOST_HELD, "{most} bytes held: {:?}", self.ours.state);
        self.held += info.bytes_current;
        result.expect("it has run")
    }

    fn go_on(&mut self) {
        self.watched(End::go_on);
    }

    /// Reads from our side, and compares.
    fn read(&mut self, room: usize) -> bool {
        let mut buf = vec![0; room];
        let result = self.watched(|ours| ours.read(&mut buf));
        assert!(self.ours.read <= self.peer.written, "more than was written");
        result
    }

    fn collect(&mut self) {
        self.go_on();
        self.peer.below.give(&self.ours.below.take());
        self.peer.go_on();
        let mut buf = vec![0; 64 * 1024];
        while self.peer.read(&mut buf) {}
        assert!(self.peer.read <= self.ours.written, "more than was written");
        self.said.extend(self.peer.below.take());
    }

    fn deliver(&mut self, count: usize) {
        self.said.extend(self.peer.below.take());
        let count = count.min(self.said.len());
        let bytes: Vec<u8> = self.said.drain(..count).collect();
        self.insert(&bytes);
    }

    /// Bytes come to our side, which reads when the wire is full.
    fn insert(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(MOST_WAITING) {
            if self.ours.below.waiting() + piece.len() > MOST_WAITING {
                while self.read(64 * 1024) {}
                if self.ours.below.waiting() > 0 {
                    return;
                }
            }
            self.ours.below.give(piece);
            self.go_on();
        }
    }

    /// The wire ends. What is still on it is read, and then our side must say that it is over.
    fn finish(mut self) {
        self.ours.below.end();
        self.ours.below.room(usize::MAX);
        for _ in 0..STEPS_TO_THE_END {
            self.ours.below.take();
            self.go_on();
            if self.ours.state == State::Over {
                break;
            }
            while self.read(8 * 1024) {}
        }
        assert_eq!(self.ours.state, State::Over, "the wire has ended and we have not");
        let behind = self.watched(|ours| ours.tls.read(&mut [0; 1024]));
        assert!(!matches!(behind, Ok(1..)), "there was something behind the end");
        let Self { ours, held, .. } = self;
        let info = allocation_counter::measure(|| drop(ours));
        let left = held + info.bytes_current;
        assert!(left <= MOST_LEFT, "{left} bytes left behind");
    }
}

impl End {
    fn new(tls: Tls, below: wire::Other) -> Self {
        Self { tls, below, out: Outbox::new(), written: 0, read: 0, state: State::Shaking }
    }

    /// Puts more of the content behind the rest. The bytes are static: what is counted is not theirs.
    fn push(&mut self, mut count: usize) {
        if self.out.len() > MOST_PUSHED {
            return;
        }
        while count > 0 {
            let at = self.written % PERIOD;
            let part = count.min(PERIOD - at);
            self.out.push(Segment::Static(&CONTENT[at..at + part]));
            self.written += part;
            count -= part;
        }
    }

    /// Goes on with the handshake, or with what is to be written.
    fn go_on(&mut self) {
        if self.state == State::Shaking {
            match self.tls.establish() {
                Ok(Established::Pending) => {}
                Ok(Established::Done) => {
                    assert!(self.tls.info().secured.is_some());
                    self.state = State::Open;
                }
                Err(error) => self.over(&error),
            }
        }
        if self.state == State::Open && !self.out.is_empty() {
            // Its own end is no end of what can be read.
            drop(self.tls.write(&mut self.out));
            self.out.take_pause();
        }
    }

    /// Reads once; whether something came.
    fn read(&mut self, buf: &mut [u8]) -> bool {
        if self.state != State::Open || buf.is_empty() {
            return false;
        }
        match self.tls.read(buf) {
            Ok(0) => {
                self.state = State::Over;
                false
            }
            Ok(count) => {
                for byte in &buf[..count] {
                    assert_eq!(*byte, CONTENT[self.read % PERIOD], "never written, at {}", self.read);
                    self.read += 1;
                }
                true
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            Err(error) => {
                self.over(&error);
                false
            }
        }
    }

    /// Everything that goes wrong on this wire is a matter of TLS.
    fn over(&mut self, error: &io::Error) {
        assert!(TlsError::of(error).is_some(), "{error}");
        self.state = State::Over;
    }
}

const PERIOD: usize = 65_521;
/// Bytes on the wire to us.
const MOST_WAITING: usize = 64 * 1024;
/// Bytes that wait in an outbox before no more are pushed.
const MOST_PUSHED: u64 = 256 * 1024;
/// A batch that is encrypted ahead; or the messages of a handshake, 64 KiB in a buffer that has doubled
/// in size and was copied from a smaller one; or, which is the most, what rustls notes of each message
/// when one record is full of empty ones, before it refuses the first.
const MOST_HELD: i64 = 640 * 1024;
/// What outlives a connection: tickets in the memory of a client, tables that have grown.
const MOST_LEFT: i64 = 32 * 1024;
/// One more than is allowed (RFC 5246 §6.2.3).
const LONGEST_RECORD: u16 = 16 * 1024 + 2048 + 2;
const STEPS_TO_THE_END: usize = 64;
