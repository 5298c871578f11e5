//! An engine under virtual time, whose connections end in the hand of the test.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use avocet_client::{
    Config, Connect, Connector, Error, ErrorKind, Multi, Phase, Receiver, Request, Route,
    TransferEvent, TransferId,
};
use avocet_net::{MemoryTransport, Outbox, Transport, Turn, memory_pair};
use avocet_testkit::{Faults, FaultyTransport, Random};
use avocet_wire::FieldBuf;

/// An engine, its clock, and what it has told.
pub(crate) struct World {
    pub(crate) multi: Multi,
    pub(crate) now: Instant,
    pub(crate) net: Net,
    told: Vec<(TransferId, TransferEvent)>,
    /// Whether events are taken as they come.
    pub(crate) taking: bool,
}

/// What becomes of new connections.
#[derive(Clone, Default)]
pub(crate) struct Net(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    capacity: usize,
    refuse: u32,
    hang: bool,
    faults: Option<(Faults, Random)>,
    dialed: Vec<(Route, Far)>,
}

/// The server's end of a connection.
pub(crate) struct Far {
    transport: MemoryTransport,
    out: Outbox,
    received: Vec<u8>,
    ended: bool,
}

struct Dialing {
    route: Route,
    net: Net,
}

/// How a transfer ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: Option<u16>,
    pub(crate) content: Vec<u8>,
    pub(crate) end: Option<Result<FieldBuf, Error>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let net = Net::default();
        net.0.lock().unwrap().capacity = 64 * 1024;
        let mut config = Config::default();
        config.connector = Arc::new(net.clone());
        change(&mut config);
        let now = Instant::now();
        let multi = Multi::simulated(config, now);
        Self { multi, now, net, told: Vec::new(), taking: true }
    }

    pub(crate) fn get(&mut self, url: &str) -> TransferId {
        self.start(Request::get(url).unwrap())
    }

    pub(crate) fn start(&mut self, request: Request) -> TransferId {
        let id = self.multi.start(request).unwrap();
        self.settle();
        id
    }

    pub(crate) fn start_into(&mut self, request: Request, receiver: Receiver) -> TransferId {
        let id = self.multi.start_into(request, receiver).unwrap();
        self.settle();
        id
    }

    /// Does all that can be done without time passing.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            let sleep = self.multi.turn_at(self.now);
            while self.taking
                && let Some(event) = self.multi.next_event()
            {
                self.told.push(event);
            }
            if sleep != Some(Duration::ZERO) {
                return;
            }
        }
        panic!("the engine turns in a circle");
    }

    /// Lets time pass, with all that happens in it.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.settle();
        while let Some(sleep) =
            self.multi.turn_at(self.now).filter(|sleep| self.now + *sleep <= end)
        {
            self.now += sleep;
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// The far end of the only connection that was made since the last call.
    pub(crate) fn far(&mut self) -> Far {
        let mut fars = self.fars();
        assert_eq!(fars.len(), 1, "connections that were made");
        fars.remove(0)
    }

    pub(crate) fn fars(&mut self) -> Vec<Far> {
        self.settle();
        self.net.0.lock().unwrap().dialed.drain(..).map(|(_, far)| far).collect()
    }

    /// What has been told of a transfer since the last call.
    pub(crate) fn outcome(&mut self, id: TransferId) -> Outcome {
        self.settle();
        let mut outcome = Outcome { status: None, content: Vec::new(), end: None };
        for (of, event) in std::mem::take(&mut self.told) {
            match event {
                event if of != id => self.told.push((of, event)),
                TransferEvent::Head(head) => outcome.status = Some(head.status().as_u16()),
                TransferEvent::Data(bytes) => outcome.content.extend_from_slice(&bytes),
                TransferEvent::End(trailers) => outcome.end = Some(Ok(trailers)),
                TransferEvent::Failed(error) => outcome.end = Some(Err(error)),
                _ => {}
            }
        }
        outcome
    }

    /// The content of a transfer that has ended well.
    pub(crate) fn done(&mut self, id: TransferId) -> (u16, String) {
        let outcome = self.outcome(id);
        outcome.end.expect("it has ended").unwrap();
        (outcome.status.unwrap(), String::from_utf8(outcome.content).unwrap())
    }

    /// The error of a transfer that has failed.
    pub(crate) fn failure(&mut self, id: TransferId) -> Error {
        self.outcome(id).end.expect("it has ended").unwrap_err()
    }

    /// Whether a transfer has neither ended nor failed.
    pub(crate) fn is_under_way(&mut self, id: TransferId) -> bool {
        self.settle();
        self.multi.report(id).is_some_and(|report| report.times.ended.is_none())
    }
}

impl Net {
    /// How many bytes each direction of a connection holds.
    pub(crate) fn capacity(&self, capacity: usize) {
        self.0.lock().unwrap().capacity = capacity;
    }

    /// The next so many connections are refused.
    pub(crate) fn refuse(&self, count: u32) {
        self.0.lock().unwrap().refuse = count;
    }

    /// From now on connections are not made, and not refused either.
    pub(crate) fn hang(&self) {
        self.0.lock().unwrap().hang = true;
    }

    /// Transports get faults.
    pub(crate) fn faults(&self, faults: Faults, random: Random) {
        self.0.lock().unwrap().faults = Some((faults, random));
    }
}

impl Connector for Net {
    fn connect(&self, route: &Route) -> Box<dyn Connect> {
        Box::new(Dialing { route: route.clone(), net: self.clone() })
    }
}

impl Connect for Dialing {
    fn turn(&mut self, cx: &mut Turn<'_>) -> Result<Option<Box<dyn Transport>>, Error> {
        let mut state = self.net.0.lock().unwrap();
        if state.hang {
            return Ok(None);
        }
        if state.refuse > 0 {
            state.refuse -= 1;
            return Err(Error::new(ErrorKind::Connect, Phase::Connect, "refused"));
        }
        let (near, far) = memory_pair(state.capacity);
        let mut near: Box<dyn Transport> = match &mut state.faults {
            Some((faults, random)) => {
                Box::new(FaultyTransport::new(near, faults.clone(), random.fork()))
            }
            None => Box::new(near),
        };
        cx.register(&mut near).unwrap();
        let far = Far { transport: far, out: Outbox::new(), received: Vec::new(), ended: false };
        state.dialed.push((self.route.clone(), far));
        Ok(Some(near))
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn phase(&self) -> Phase {
        Phase::Connect
    }
}

impl Far {
    /// Takes what has come.
    pub(crate) fn take(&mut self) -> String {
        let mut buf = [0; 4096];
        loop {
            match self.transport.read(&mut buf) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.received.extend_from_slice(&buf[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.ended = true;
                    break;
                }
            }
        }
        String::from_utf8(std::mem::take(&mut self.received)).unwrap()
    }

    /// Sends what there is room for; the number of bytes that wait.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> u64 {
        self.out.push_slice(bytes.as_ref());
        // The other side may be gone, which the test finds out by what it is told.
        if self.transport.write(&mut self.out).is_err() {
            self.out.consume(self.out.len());
        }
        self.out.len()
    }

    /// Answers with a length.
    pub(crate) fn answer(&mut self, status: &str, content: &str) {
        self.send(format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{content}",
            content.len()
        ));
    }

    /// Bytes that were sent and not read yet.
    pub(crate) fn unread(&self) -> usize {
        self.transport.unread()
    }

    /// Whether the client has closed or reset the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.take();
        self.ended
    }

    /// Ends this side, the other stays open.
    pub(crate) fn end(&mut self) {
        self.transport.close_write().unwrap();
    }

    pub(crate) fn reset(&mut self) {
        self.transport.reset().unwrap();
    }
}
