//! Figures of a running server.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one loop. Only its own thread adds, so that an addition needs no locked instruction;
/// anybody may read.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: Count,
    pub(crate) ended: Count,
    pub(crate) requests: Count,
    pub(crate) responses: [Count; 5],
    pub(crate) bytes_in: Count,
    pub(crate) bytes_out: Count,
    pub(crate) refused: Count,
    pub(crate) timeouts: Count,
    pub(crate) panics: Count,
    pub(crate) aborted: Count,
}

#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

/// The sums over all loops at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Connections accepted.
    pub connections: u64,
    /// Connections open now.
    pub live: u64,
    /// Requests whose head was read.
    pub requests: u64,
    /// Final responses by the first digit of their status, from 1 to 5.
    pub responses: [u64; 5],
    /// Bytes read from connections.
    pub bytes_in: u64,
    /// Bytes handed to connections.
    pub bytes_out: u64,
    /// Requests refused because they were malformed or beyond a limit, and connections for which
    /// there was no room.
    pub refused: u64,
    /// Connections ended by a time-out or a least rate, idle ones not counted.
    pub timeouts: u64,
    /// Handlers that panicked.
    pub panics: u64,
    /// Responses that could not be completed.
    pub aborted: u64,
}

impl Count {
    pub(crate) fn add(&self, amount: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn response(&self, status: u16) {
        if let Some(count) = self.responses.get(usize::from(status / 100).wrapping_sub(1)) {
            count.add(1);
        }
    }

    pub(crate) fn add_to(&self, totals: &mut Totals) {
        // The end first: a connection that ends in between is not counted below nothing.
        let ended = self.ended.value();
        let connections = self.connections.value();
        totals.connections += connections;
        totals.live += connections.saturating_sub(ended);
        totals.requests += self.requests.value();
        for (total, count) in totals.responses.iter_mut().zip(&self.responses) {
            *total += count.value();
        }
        totals.bytes_in += self.bytes_in.value();
        totals.bytes_out += self.bytes_out.value();
        totals.refused += self.refused.value();
        totals.timeouts += self.timeouts.value();
        totals.panics += self.panics.value();
        totals.aborted += self.aborted.value();
    }
}
