use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::{EventLoop, Next, Task, Turn};

/// A resolver whose answers the test gives, a loop, and a task on it that counts its wake-ups.
struct Bench {
    resolver: Resolver,
    questions: Receiver<String>,
    answers: Sender<io::Result<Vec<SocketAddr>>>,
    event_loop: EventLoop,
    waiter: Notifier,
    turns: Arc<AtomicUsize>,
    now: Instant,
}

struct Counter(Arc<AtomicUsize>);

impl Task for Counter {
    fn turn(&mut self, _: &mut Turn<'_>) -> Next {
        self.0.fetch_add(1, Ordering::AcqRel);
        Next::Wait(None)
    }
}

impl Bench {
    fn new() -> Self {
        let (asks, questions) = channel();
        let (answers, given) = channel();
        let given = Mutex::new(given);
        let resolver = Resolver::with_lookup(move |host| {
            asks.send(host.to_owned()).expect("the test lives");
            lock(&given).recv().expect("the test answers")
        });
        let now = Instant::now();
        let mut event_loop = EventLoop::simulated(now);
        let turns = Arc::new(AtomicUsize::new(0));
        let id = event_loop.spawn(Box::new(Counter(turns.clone())));
        event_loop.turn_at(now);
        let waiter = event_loop.notifier(id);
        turns.store(0, Ordering::Release);
        Self { resolver, questions, answers, event_loop, waiter, turns, now }
    }

    fn ask(&self, host: &str) -> Lookup {
        self.resolver.resolve(host, 80, self.now, &self.waiter)
    }

    fn answer(&mut self, addresses: &[&str]) {
        let list = addresses.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect();
        self.answers.send(Ok(list)).unwrap();
        self.wait();
    }

    /// Until the waiter was woken.
    fn wait(&mut self) {
        while self.turns.swap(0, Ordering::AcqRel) == 0 {
            self.event_loop.turn_at(self.now);
            std::thread::yield_now();
        }
    }

    fn questions(&self) -> Vec<String> {
        self.questions.try_iter().collect()
    }
}

fn found(lookup: Lookup) -> Vec<String> {
    match lookup {
        Lookup::Ready(Ok(addresses)) => {
            addresses.with_port(80).iter().map(ToString::to_string).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn failed(lookup: Lookup) -> String {
    match lookup {
        Lookup::Ready(Err(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_is_asked_for_once_and_remembered_for_a_minute() {
    let mut bench = Bench::new();
    assert!(matches!(bench.ask("Example.org"), Lookup::Pending));
    assert!(matches!(bench.ask("example.org."), Lookup::Pending));
    bench.answer(&["2001:db8::1", "192.0.2.1"]);
    assert_eq!(bench.questions(), ["example.org"]);
    let first = bench.ask("example.org");
    assert!(matches!(&first, Lookup::Ready(Ok(addresses)) if !addresses.known));
    assert_eq!(found(first), ["[2001:db8::1]:80", "192.0.2.1:80"]);
    bench.now += KEPT - Duration::from_secs(1);
    let second = bench.ask("EXAMPLE.ORG");
    assert!(matches!(&second, Lookup::Ready(Ok(addresses)) if addresses.known));
    assert_eq!(bench.questions(), [""; 0]);
    bench.now += Duration::from_secs(1);
    assert!(matches!(bench.ask("example.org"), Lookup::Pending));
    bench.answer(&["192.0.2.2"]);
    assert_eq!(found(bench.ask("example.org")), ["192.0.2.2:80"]);
}

#[test]
fn a_failure_is_remembered_for_five_seconds() {
    let mut bench = Bench::new();
    assert!(matches!(bench.ask("nowhere.test"), Lookup::Pending));
    let text = "failed to lookup address information: Name or service not known";
    bench.answers.send(Err(io::Error::other(text))).unwrap();
    bench.wait();
    let message = "cannot find the host nowhere.test: Name or service not known";
    assert_eq!(failed(bench.ask("nowhere.test")), message);
    bench.now += Duration::from_millis(4999);
    assert_eq!(failed(bench.ask("nowhere.test")), message);
    assert_eq!(bench.questions(), ["nowhere.test"]);
    bench.now += Duration::from_millis(1);
    assert!(matches!(bench.ask("nowhere.test"), Lookup::Pending));
    bench.answer(&[]);
    assert!(failed(bench.ask("nowhere.test")).ends_with("it has no address"));
}

#[test]
fn addresses_overrides_and_this_machine_need_no_asking() {
    let bench = Bench::new();
    assert_eq!(found(bench.ask("192.0.2.7")), ["192.0.2.7:80"]);
    assert_eq!(found(bench.ask("[2001:db8::7]")), ["[2001:db8::7]:80"]);
    for host in ["localhost", "LOCALHOST.", "a.b.localhost"] {
        assert_eq!(found(bench.ask(host)), ["[::1]:80", "127.0.0.1:80"]);
    }
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    bench.resolver.set("example.org", Some(443), &[address("192.0.2.1")]);
    bench.resolver.set("Example.org", None, &[address("192.0.2.2"), address("::2")]);
    assert_eq!(found(bench.ask("example.org")), ["192.0.2.2:80", "[::2]:80"]);
    let secure = bench.resolver.resolve("example.org", 443, bench.now, &bench.waiter);
    assert!(
        matches!(secure, Lookup::Ready(Ok(a)) if a.with_port(1)[0].ip() == address("192.0.2.1"))
    );
    assert_eq!(bench.questions(), [""; 0]);
}

#[test]
fn what_is_no_name_is_not_asked_for() {
    let bench = Bench::new();
    for host in ["", "a b", "a\0b", "a\r\nb", &"x".repeat(254)] {
        assert!(failed(bench.ask(host)).contains("no name of a host"), "{host:?}");
    }
    assert!(!failed(bench.ask("a\x1b[31m b")).contains('\x1b'), "escapes are shown, not sent");
    assert_eq!(bench.questions(), [""; 0]);
}

#[test]
fn a_look_up_that_panics_is_a_failure_and_many_addresses_are_cut() {
    let resolver = Resolver::with_lookup(|host| {
        assert_ne!(host, "panic.test", "on purpose");
        Ok((0..100).map(|i| SocketAddr::from(([192, 0, 2, i], 0))).collect())
    });
    let mut bench = Bench::new();
    bench.resolver = resolver;
    assert!(matches!(bench.ask("panic.test"), Lookup::Pending));
    bench.wait();
    assert!(failed(bench.ask("panic.test")).ends_with("looking it up failed"));
    assert!(matches!(bench.ask("many.test"), Lookup::Pending));
    bench.wait();
    assert_eq!(found(bench.ask("many.test")).len(), ADDRESSES);
}

#[test]
fn the_memory_is_bounded_and_the_oldest_answer_goes() {
    let mut bench = Bench::new();
    let names: Vec<String> = (0..NAMES).map(|number| format!("n{number}.test")).collect();
    for name in &names {
        assert!(matches!(bench.ask(name), Lookup::Pending));
        bench.answer(&["192.0.2.1"]);
        found(bench.ask(name));
        bench.now += Duration::from_millis(1);
    }
    assert!(matches!(bench.ask("one-more.test"), Lookup::Pending));
    assert_eq!(lock(&bench.resolver.0.known).len(), NAMES);
    bench.answer(&["192.0.2.1"]);
    bench.questions();
    found(bench.ask(&names[1]));
    assert_eq!(bench.questions(), [""; 0]);
    assert!(matches!(bench.ask(&names[0]), Lookup::Pending), "the oldest had to go");
    bench.answer(&["192.0.2.1"]);
}

#[test]
fn with_every_place_taken_by_names_that_wait_the_answer_is_an_error_at_once() {
    let bench = Bench::new();
    // Eight are being asked for and the others wait behind them.
    let asked: usize = (0..THREADS + WAITING + 10)
        .filter(|number| matches!(bench.ask(&format!("n{number}.test")), Lookup::Pending))
        .count();
    assert_eq!(asked, NAMES);
    assert!(failed(bench.ask("late.test")).ends_with(BUSY));
    for _ in 0..asked {
        bench.answers.send(Ok(Vec::new())).unwrap();
    }
}
