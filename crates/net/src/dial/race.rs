//! Happy Eyeballs (RFC 8305): which address is tried when. Pure: it sees addresses and instants, no
//! socket and no clock.
//!
//! ```text
//!            +--- the delay has passed, or all running attempts have failed ---+
//!            v                                                                 |
//!   untried ---> running ---> connected (the others are abandoned)             |
//!                   |                                                          |
//!                   +-------> failed ------------------------------------------+
//! ```
//!
//! Section 2 begins with two queries, one per family. The system's resolver answers both at once, so
//! the resolution delay of section 3 has no place here.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// One attempt to connect.
#[derive(Debug)]
pub struct Attempt {
    /// The address that was tried.
    pub address: SocketAddr,
    /// When it was begun, after the dialing had begun.
    pub after: Duration,
    /// How long it took or has taken; zero while it runs.
    pub duration: Duration,
    /// What has come of it.
    pub outcome: Outcome,
}

/// What has come of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It runs.
    Running,
    /// It is the connection.
    Connected,
    /// It failed.
    Failed(io::Error),
    /// Another one was faster, or time ran out.
    Abandoned,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Begin this attempt.
    Start(usize, SocketAddr),
    /// Wait for one of those that run, or until then.
    Wait(Option<Instant>),
    /// All have failed.
    Lost,
}

pub(crate) struct Race {
    untried: VecDeque<SocketAddr>,
    attempts: Vec<Attempt>,
    running: usize,
    begun: Instant,
    delay: Duration,
    /// When the next attempt may begin although others run.
    next_at: Instant,
}

impl Race {
    /// A race between the addresses, which stand in the order of the system's preference.
    pub(crate) fn new(
        addresses: &[SocketAddr],
        delay: Duration,
        begun: Instant,
        now: Instant,
    ) -> Self {
        Self {
            untried: interleave(addresses),
            attempts: Vec::new(),
            running: 0,
            begun,
            delay: delay.clamp(SHORTEST_DELAY, LONGEST_DELAY),
            next_at: now,
        }
    }

    /// The next thing to do; to be asked again until it says to wait, and after every change.
    pub(crate) fn step(&mut self, now: Instant) -> Step {
        let Some(address) = self.untried.front().copied() else {
            return if self.running == 0 { Step::Lost } else { Step::Wait(None) };
        };
        if self.running > 0 && now < self.next_at {
            return Step::Wait(Some(self.next_at));
        }
        self.untried.pop_front();
        self.running += 1;
        self.next_at = now + self.delay;
        self.attempts.push(Attempt {
            address,
            after: now.saturating_duration_since(self.begun),
            duration: Duration::ZERO,
            outcome: Outcome::Running,
        });
        Step::Start(self.attempts.len() - 1, address)
    }

    /// An attempt has failed. The next one begins at once: nothing is to be gained by waiting.
    pub(crate) fn failed(&mut self, attempt: usize, error: io::Error, now: Instant) {
        self.end(attempt, Outcome::Failed(error), now);
        self.next_at = now;
    }

    /// An attempt has connected; the others are over.
    pub(crate) fn connected(&mut self, attempt: usize, now: Instant) {
        self.end(attempt, Outcome::Connected, now);
        self.abandon(now);
    }

    /// Ends what runs and what has not begun.
    pub(crate) fn abandon(&mut self, now: Instant) {
        self.untried.clear();
        for attempt in 0..self.attempts.len() {
            self.end(attempt, Outcome::Abandoned, now);
        }
    }

    pub(crate) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    pub(crate) fn into_attempts(self) -> Vec<Attempt> {
        self.attempts
    }

    fn end(&mut self, attempt: usize, outcome: Outcome, now: Instant) {
        let Some(ended) = self.attempts.get_mut(attempt) else { return };
        if !matches!(ended.outcome, Outcome::Running) {
            return;
        }
        ended.duration = now.saturating_duration_since(self.begun).saturating_sub(ended.after);
        ended.outcome = outcome;
        self.running -= 1;
    }
}

/// Puts the families in turn, the one that the system prefers first, and each address once. RFC 8305
/// §4 asks for that, so that a family without a route costs one delay and not one per address.
fn interleave(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let preferred = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let mut seen = Vec::with_capacity(addresses.len());
    let (mut first, mut second) = (VecDeque::new(), VecDeque::new());
    for address in addresses {
        if seen.contains(address) {
            continue;
        }
        seen.push(*address);
        let family = if address.is_ipv6() == preferred { &mut first } else { &mut second };
        family.push_back(*address);
    }
    let mut mixed = VecDeque::with_capacity(seen.len());
    while mixed.len() < seen.len() {
        mixed.extend(first.pop_front());
        mixed.extend(second.pop_front());
    }
    mixed
}

/// RFC 8305 §8: "The minimum value SHOULD be 100 milliseconds", and it "MUST NOT be less than 10
/// milliseconds".
const SHORTEST_DELAY: Duration = Duration::from_millis(10);
/// RFC 8305 §8: "Maximum Connection Attempt Delay [...] 2 seconds".
const LONGEST_DELAY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(250);

    fn addresses(text: &str) -> Vec<SocketAddr> {
        text.split(' ').map(|address| address.parse().unwrap()).collect()
    }

    fn race(text: &str, now: Instant) -> Race {
        Race::new(&addresses(text), DELAY, now, now)
    }

    fn refused() -> io::Error {
        io::ErrorKind::ConnectionRefused.into()
    }

    fn order(text: &str) -> String {
        interleave(&addresses(text)).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn families_alternate_and_the_preferred_one_begins() {
        assert_eq!(
            order("[::1]:1 [::2]:1 [::3]:1 1.1.1.1:1 2.2.2.2:1"),
            "[::1]:1 1.1.1.1:1 [::2]:1 2.2.2.2:1 [::3]:1"
        );
        assert_eq!(
            order("1.1.1.1:1 [::1]:1 [::2]:1 1.1.1.1:1 [::3]:1"),
            "1.1.1.1:1 [::1]:1 [::2]:1 [::3]:1"
        );
        assert_eq!(order("1.1.1.1:1 2.2.2.2:1"), "1.1.1.1:1 2.2.2.2:1");
    }

    #[test]
    fn the_next_attempt_waits_for_the_delay() {
        let start = Instant::now();
        let mut race = race("[::1]:1 1.1.1.1:1", start);
        assert!(matches!(race.step(start), Step::Start(0, address) if address.is_ipv6()));
        assert_eq!(race.step(start), Step::Wait(Some(start + DELAY)));
        let almost = start + DELAY - Duration::from_millis(1);
        assert_eq!(race.step(almost), Step::Wait(Some(start + DELAY)));
        assert!(matches!(race.step(start + DELAY), Step::Start(1, address) if address.is_ipv4()));
        assert_eq!(race.step(start + DELAY), Step::Wait(None));
        race.connected(1, start + DELAY * 2);
        let [slow, fast] = race.attempts() else { panic!("two attempts") };
        assert!(matches!(slow.outcome, Outcome::Abandoned));
        assert_eq!((slow.after, slow.duration), (Duration::ZERO, DELAY * 2));
        assert!(matches!(fast.outcome, Outcome::Connected));
        assert_eq!((fast.after, fast.duration), (DELAY, DELAY));
    }

    #[test]
    fn after_a_failure_the_next_attempt_begins_at_once() {
        let start = Instant::now();
        let mut race = race("1.1.1.1:1 2.2.2.2:1 3.3.3.3:1", start);
        assert!(matches!(race.step(start), Step::Start(0, _)));
        let soon = start + Duration::from_millis(3);
        race.failed(0, refused(), soon);
        assert!(matches!(race.step(soon), Step::Start(1, _)));
        assert_eq!(race.step(soon), Step::Wait(Some(soon + DELAY)));
        race.failed(1, refused(), soon);
        assert!(matches!(race.step(soon), Step::Start(2, _)));
        race.failed(2, refused(), soon);
        assert_eq!(race.step(soon), Step::Lost);
        let failed = |attempt: &Attempt| matches!(attempt.outcome, Outcome::Failed(_));
        assert!(race.attempts().iter().all(failed));
    }

    #[test]
    fn no_address_is_a_lost_race() {
        let now = Instant::now();
        assert_eq!(Race::new(&[], DELAY, now, now).step(now), Step::Lost);
    }

    #[test]
    fn a_late_failure_of_an_early_attempt_does_not_disturb_the_others() {
        let start = Instant::now();
        let mut race = race("1.1.1.1:1 2.2.2.2:1", start);
        race.step(start);
        race.step(start + DELAY);
        race.failed(0, refused(), start + DELAY * 3);
        race.failed(0, refused(), start + DELAY * 4);
        assert_eq!(race.step(start + DELAY * 4), Step::Wait(None));
        race.connected(1, start + DELAY * 5);
        assert_eq!(race.attempts()[0].duration, DELAY * 3);
    }

    #[test]
    fn delays_outside_of_the_rfcs_bounds_are_brought_inside() {
        let now = Instant::now();
        for (asked, given) in [(0, 10), (250, 250), (60_000, 2000)] {
            let asked = Duration::from_millis(asked);
            let mut race = Race::new(&addresses("1.1.1.1:1 2.2.2.2:1"), asked, now, now);
            race.step(now);
            assert_eq!(race.step(now), Step::Wait(Some(now + Duration::from_millis(given))));
        }
    }

    #[test]
    fn time_running_out_abandons_everything() {
        let start = Instant::now();
        let mut race = race("1.1.1.1:1 2.2.2.2:1 3.3.3.3:1", start);
        race.step(start);
        race.step(start + DELAY);
        race.abandon(start + DELAY * 2);
        assert_eq!(race.step(start + DELAY * 2), Step::Lost);
        assert_eq!(race.attempts().len(), 2);
        let abandoned = |attempt: &Attempt| matches!(attempt.outcome, Outcome::Abandoned);
        assert!(race.attempts().iter().all(abandoned));
    }
}
