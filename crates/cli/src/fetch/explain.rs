//! `--explain`: where the time went, the way there, and what caches may do.

use std::time::{Duration, Instant};

use avocet::client::{Report, Times};
use avocet::wire::OwnedResponseHead;

use super::caching;
use super::trace::note;
use crate::secure;

/// Tells what is on record about a transfer.
pub(super) fn explain(report: &Report, head: Option<&OwnedResponseHead>) {
    for past in &report.history {
        note('*', format_args!("redirect: {} from {}", past.status.as_u16(), past.url));
    }
    note('*', format_args!("answer from: {}", report.url));
    for tried in report.dialed.iter().flat_map(|dialed| &dialed.attempts) {
        let ended = match &tried.result {
            Some(Ok(())) => "connected",
            Some(Err(why)) => why,
            None => "given up",
        };
        let took = tried.duration.as_secs_f64() * 1000.0;
        note('*', format_args!("address tried: {}: {ended} after {took:.2} ms", tried.address));
    }
    if let Some(ends) = &report.peer {
        let state = if report.times.reused { ", used before" } else { "" };
        note('*', format_args!("connection: {} to {}{state}", ends.local, ends.remote));
        for line in ends.secured.iter().flat_map(|secured| secure::facts(secured)) {
            note('*', format_args!("{line}"));
        }
    }
    let (opened, retries) = (report.opened, report.retries);
    note('*', format_args!("connections opened: {opened}, tries after the first: {retries}"));
    let traffic = &report.traffic;
    note(
        '*',
        format_args!(
            "sent: {} bytes of head, {} of content; received: {} and {}",
            traffic.sent_heads,
            traffic.sent_content,
            traffic.received_heads,
            traffic.received_content
        ),
    );
    if let Some(head) = head {
        note('*', format_args!("caching: {}", caching::verdict(head)));
    }
    for line in chart(&phases(&report.times, !report.history.is_empty())) {
        note('*', format_args!("{line}"));
    }
}

/// A phase: what it is called, when it began and when it ended, since the start.
struct Phase {
    name: &'static str,
    from: Duration,
    to: Duration,
}

/// What is known of the phases, in their order. The times are those of the last hop.
fn phases(times: &Times, redirected: bool) -> Vec<Phase> {
    let steps: [(&'static str, Option<Instant>); 7] = [
        (if redirected { "redirects" } else { "waiting" }, times.assigned),
        ("name", times.resolved),
        ("connecting", times.reached),
        ("proxy, TLS", times.connected),
        ("sending", times.sent),
        ("answer", times.head),
        ("content", times.ended),
    ];
    let mut from = Duration::ZERO;
    let mut phases = Vec::new();
    for (name, end) in steps {
        let Some(end) = end else { continue };
        let to = end.saturating_duration_since(times.started).max(from);
        phases.push(Phase { name, from, to });
        from = to;
    }
    phases
}

/// Bars under each other, each beginning where the one before ends.
fn chart(phases: &[Phase]) -> Vec<String> {
    let whole = phases.last().map_or(Duration::ZERO, |last| last.to);
    let column = |time: Duration| match whole.is_zero() {
        true => 0,
        false => (time.as_secs_f64() / whole.as_secs_f64() * WIDTH).round() as usize,
    };
    let line = |phase: &Phase| {
        let (from, to) = (column(phase.from), column(phase.to));
        let took = (phase.to - phase.from).as_secs_f64() * 1000.0;
        // A phase that took any time at all shows.
        let bar = "#".repeat((to - from).max(usize::from(phase.to > phase.from)));
        format!("{:<10} {took:>9.2} ms |{}{bar}", phase.name, " ".repeat(from))
    };
    let mut lines: Vec<String> = phases.iter().map(line).collect();
    if !phases.is_empty() {
        lines.push(format!("{:<10} {:>9.2} ms", "in all", whole.as_secs_f64() * 1000.0));
    }
    lines
}

/// Columns of the longest bar.
const WIDTH: f64 = 48.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_where_the_one_before_ends() {
        let ms = Duration::from_millis;
        let phases = [
            Phase { name: "a", from: ms(0), to: ms(10) },
            Phase { name: "b", from: ms(10), to: ms(10) },
            Phase { name: "c", from: ms(10), to: ms(40) },
        ];
        let lines = chart(&phases);
        assert_eq!(lines[0], format!("a              10.00 ms |{}", "#".repeat(12)));
        assert_eq!(lines[1], format!("b               0.00 ms |{}", " ".repeat(12)));
        assert_eq!(
            lines[2],
            format!("c              30.00 ms |{}{}", " ".repeat(12), "#".repeat(36))
        );
        assert_eq!(lines[3], "in all         40.00 ms");
        assert!(chart(&[]).is_empty());
    }
}
