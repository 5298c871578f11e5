//! The tables exhaustively: against the arrows in the documents, and the joint rules over every pair of states.

use super::*;

const READING: [Reading; 7] = [
    Reading::Head,
    Reading::Content,
    Reading::End,
    Reading::Done,
    Reading::Switched,
    Reading::Closed,
    Reading::Failed,
];

const READ_STEPS: [ReadStep; 9] = [
    ReadStep::Interim,
    ReadStep::HeadBeforeContent,
    ReadStep::HeadAlone,
    ReadStep::LastContent,
    ReadStep::EndTold,
    ReadStep::Switch,
    ReadStep::Close,
    ReadStep::Fail,
    ReadStep::Next,
];

const SENDING: [Sending; 4] = [Sending::Head, Sending::Content, Sending::Done, Sending::Switched];

const SEND_STEPS: [SendStep; 6] = [
    SendStep::Interim,
    SendStep::HeadBeforeContent,
    SendStep::HeadAlone,
    SendStep::LastContent,
    SendStep::Switch,
    SendStep::Next,
];

/// The rows of the tables in the document: those of the reading half, then those of the sending half.
fn documented() -> [Vec<[String; 3]>; 2] {
    let row = |line: &str| -> Option<[String; 3]> {
        let cells: Vec<&str> =
            line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [from, step, to] = cells.as_slice() else { panic!("{line}") };
        (*from != "from" && *from != "---").then(|| [from, step, to].map(|c| (*c).to_owned()))
    };
    let (reading, sending) =
        include_str!("states.md").split_once("The half that sends:").expect("two tables");
    [reading, sending].map(|text| {
        let mut rows: Vec<_> = text.lines().filter_map(row).collect();
        rows.sort();
        rows
    })
}

#[test]
fn the_reading_half_is_as_documented() {
    let mut rows = Vec::new();
    for from in READING {
        for step in READ_STEPS {
            if let Some(to) = from.after(step) {
                rows.push([format!("{from:?}"), format!("{step:?}"), format!("{to:?}")]);
            }
        }
    }
    rows.sort();
    assert_eq!(rows, documented()[0]);
}

#[test]
fn the_sending_half_is_as_documented() {
    let mut rows = Vec::new();
    for from in SENDING {
        for step in SEND_STEPS {
            if let Some(to) = from.after(step) {
                rows.push([format!("{from:?}"), format!("{step:?}"), format!("{to:?}")]);
            }
        }
    }
    rows.sort();
    assert_eq!(rows, documented()[1]);
}

#[test]
fn failing_is_final() {
    for step in READ_STEPS {
        let after = Reading::Failed.after(step);
        assert!(after.is_none_or(|state| state == Reading::Failed), "{step:?}");
    }
}

const FACTS: [Facts; 13] = [
    Facts::CLOSE,
    Facts::PEER_CLOSE,
    Facts::OLD_PEER,
    Facts::KEEP_ALIVE,
    Facts::UNTIL_CLOSE,
    Facts::DOUBT,
    Facts::CONNECT,
    Facts::UPGRADE,
    Facts::SWITCHES,
    Facts::AWAITS,
    Facts::CHUNKED,
    Facts::ENDLESS,
    Facts::NO_CONTENT,
];

/// Every pair of states with every set of facts and 0 to 3 outstanding requests.
fn every_cycle(mut check: impl FnMut(Cycle)) {
    for reading in READING {
        for sending in SENDING {
            for bits in 0..1u16 << FACTS.len() {
                for count in 0..4u8 {
                    let outstanding =
                        Outstanding { heads: u16::from(count / 2), count, interims: 1 };
                    check(Cycle { reading, sending, facts: Facts(bits), outstanding });
                }
            }
        }
    }
}

#[test]
fn facts_are_distinct() {
    let all = FACTS.iter().fold(0, |all, fact| {
        assert_eq!(fact.0.count_ones(), 1);
        assert_eq!(all & fact.0, 0, "{fact:?}");
        all | fact.0
    });
    assert_eq!(all, (1 << FACTS.len()) - 1);
}

#[test]
fn the_next_exchange_begins_exactly_when_it_may() {
    every_cycle(|cycle| {
        let facts = cycle.facts;
        let may_persist = !facts.has(Facts::CLOSE)
            && !facts.has(Facts::PEER_CLOSE)
            && !facts.has(Facts::UNTIL_CLOSE)
            && !facts.has(Facts::DOUBT)
            && (!facts.has(Facts::OLD_PEER) || facts.has(Facts::KEEP_ALIVE));
        let sent = cycle.sending == Sending::Done || cycle.outstanding.count > 1;
        let may = cycle.reading == Reading::Done
            && sent
            && cycle.sending != Sending::Switched
            && may_persist;
        let mut next = cycle;
        let result = next.next();
        assert_eq!(result.is_ok(), may, "{cycle:?} gave {result:?}");
        if !may {
            assert_eq!(format!("{next:?}"), format!("{cycle:?}"), "a refusal changes nothing");
            return;
        }
        assert_eq!(next.reading, Reading::Head);
        assert_eq!(next.outstanding.count, cycle.outstanding.count.saturating_sub(1));
        assert_eq!(next.outstanding.heads, cycle.outstanding.heads >> 1);
        assert_eq!(next.outstanding.interims, 0);
        if next.outstanding.count == 0 {
            assert_eq!(next.sending, Sending::Head);
            assert_eq!(next.facts, Facts::NONE, "nothing of an exchange outlives it");
        } else {
            assert_eq!(next.sending, cycle.sending, "a client that runs ahead goes on");
        }
    });
}

#[test]
fn a_connection_that_will_close_says_so_before() {
    every_cycle(|cycle| {
        let mut next = cycle;
        if next.next().is_ok() {
            assert!(!cycle.will_close(), "{cycle:?}");
        } else if cycle.reading == Reading::Done && cycle.sending == Sending::Done {
            assert!(cycle.will_close(), "{cycle:?}");
        }
    });
}

#[test]
fn halves_switch_only_together_and_only_when_agreed() {
    every_cycle(|cycle| {
        // A half that has switched did so with the fact that says so.
        let was_switched = cycle.sending == Sending::Switched || cycle.reading == Reading::Switched;
        if was_switched {
            return;
        }
        let mut after = cycle;
        after.switch_when_due();
        let agreed = cycle.facts.has(Facts::SWITCHES);
        let sends = agreed && cycle.sending == Sending::Done;
        assert_eq!(after.sending == Sending::Switched, sends, "{cycle:?}");
        let reads = sends && matches!(cycle.reading, Reading::Done | Reading::Closed);
        assert_eq!(after.reading == Reading::Switched, reads, "{cycle:?}");
        if sends {
            assert_eq!(after.next(), Err(CloseReason::Switched));
        }
    });
}

#[test]
fn requests_are_answered_in_order() {
    let mut cycle = Cycle::new();
    let heads: Vec<bool> = (0..Cycle::MOST_OUTSTANDING).map(|at| at % 3 == 1).collect();
    for is_head in &heads {
        cycle.begin_exchange(*is_head);
    }
    assert_eq!(cycle.outstanding(), Cycle::MOST_OUTSTANDING);
    cycle.sending = Sending::Done;
    for (at, is_head) in heads.iter().enumerate() {
        assert_eq!(cycle.asked_head(), *is_head, "{at}");
        assert_eq!(cycle.answers_last(), at + 1 == heads.len());
        cycle.reading = Reading::Done;
        cycle.next().expect("nothing asks for a close");
    }
    assert_eq!(cycle.outstanding(), 0);
}
