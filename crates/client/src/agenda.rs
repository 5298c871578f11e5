//! What is due, and when, for transfers that have no connection whose task could look after them:
//! those that wait for one, and those that are to be tried again later.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::ids::TransferId;

/// Transfers by the instant at which something has to be done about them.
#[derive(Default)]
pub(crate) struct Agenda(BTreeSet<(Instant, TransferId)>);

impl Agenda {
    pub(crate) fn insert(&mut self, at: Instant, id: TransferId) {
        self.0.insert((at, id));
    }

    pub(crate) fn remove(&mut self, at: Instant, id: TransferId) {
        self.0.remove(&(at, id));
    }

    /// The earliest instant.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the earliest transfer whose instant has come.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<TransferId> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_comes_first_and_none_before_its_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut agenda = Agenda::default();
        assert_eq!(agenda.next(), None);
        for (seconds, id) in [(3, 1), (1, 2), (1, 3), (2, 4)] {
            agenda.insert(at(seconds), TransferId(id));
        }
        agenda.remove(at(2), TransferId(4));
        assert_eq!(agenda.next(), Some(at(1)));
        assert_eq!(agenda.take_due(start), None);
        assert_eq!(agenda.take_due(at(1)), Some(TransferId(2)));
        assert_eq!(agenda.take_due(at(1)), Some(TransferId(3)));
        assert_eq!(agenda.take_due(at(2)), None);
        assert_eq!(agenda.take_due(at(9)), Some(TransferId(1)));
    }
}
