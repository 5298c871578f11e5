//! A whole file of cases against one server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::case::{Case, Verdict};
use super::exchange::{Outcome, State, exchange};

/// How long a probe waits.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// For a connection, a head, room to send. Silence up to then is an outcome of its own.
    pub timeout: Duration,
    /// After a head, for the content; half of it again for the close that may follow.
    pub settle: Duration,
    /// How many cases run at once. Nearly all of their time is waiting.
    pub parallel: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), settle: Duration::from_millis(150), parallel: 24 }
    }
}

/// Runs all cases and prints each with its verdict and what was got.
///
/// # Panics
///
/// On any failure of a case that is scored, and on any pass that is owed to mere silence: a server
/// that never answers would pass half of the cases otherwise.
pub fn run(file: &Value, address: SocketAddr, settings: &Settings) {
    let start = Instant::now();
    let cases = Case::all(file);
    assert!(!cases.is_empty(), "a suite without cases proves nothing");
    let results = run_all(&cases, address, settings);
    let mut report = Report::default();
    for (case, mut result) in cases.iter().zip(results) {
        if case.scored && result.is_fault() {
            // A close that comes late on a busy machine looks like none. A fault is looked at again,
            // alone and with more patience, before it counts.
            let patient = Settings { settle: settings.settle * 4, ..*settings };
            result = run_one(case, address, &patient);
        }
        report.add(case, &result);
    }
    println!("{}\n{} ms", report.summary(), start.elapsed().as_millis());
    assert!(report.faults.is_empty(), "{}\n{}", report.summary(), report.faults.join("\n"));
}

/// What came of a case.
struct Result {
    verdict: Verdict,
    got: String,
    /// Whether it passes only because nothing came.
    by_silence: bool,
}

impl Result {
    fn is_fault(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Error) || self.by_silence
    }
}

fn run_all(cases: &[Case], address: SocketAddr, settings: &Settings) -> Vec<Result> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Result>> = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..settings.parallel.min(cases.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let result = run_one(case, address, settings);
                    done.lock().expect("no case panics with the lock").insert(index, result);
                }
            });
        }
    });
    done.into_inner().expect("no case panics with the lock").into_values().collect()
}

fn run_one(case: &Case, address: SocketAddr, settings: &Settings) -> Result {
    match exchange(case, address, settings) {
        Ok(outcomes) => judge(case, &outcomes),
        Err(error) => Result { verdict: Verdict::Error, got: error, by_silence: false },
    }
}

fn judge(case: &Case, outcomes: &[Outcome]) -> Result {
    let rule = case.rules.iter().find(|(condition, _)| condition.holds(outcomes, case));
    let verdict = rule.map_or(case.otherwise, |(_, verdict)| *verdict);
    let first = outcomes.first();
    let was_silent =
        first.is_some_and(|first| first.response.is_none() && first.state == State::Silent);
    let wants_silence = case.rules.iter().any(|(condition, _)| condition.expects_silence());
    let got: Vec<String> = outcomes.iter().map(describe).collect();
    Result {
        verdict,
        got: got.join(" | "),
        by_silence: verdict == Verdict::Pass && was_silent && !wants_silence,
    }
}

fn describe(outcome: &Outcome) -> String {
    if !outcome.executed {
        return "not sent".to_owned();
    }
    let status = outcome.response.as_ref().map(|response| response.status.to_string());
    format!("{}/{}", status.as_deref().unwrap_or("none"), outcome.state.name())
}

/// Verdicts, counted and told.
#[derive(Default)]
struct Report {
    /// Passes, warnings and failures of what is scored.
    scored: [usize; 3],
    unscored: [usize; 3],
    faults: Vec<String>,
}

impl Report {
    fn add(&mut self, case: &Case, result: &Result) {
        let Case { id, category, level, description, ideal, .. } = case;
        let (verdict, got) = (result.verdict.name(), &result.got);
        println!("{id} {verdict} {got}");
        let counts = if case.scored { &mut self.scored } else { &mut self.unscored };
        counts[match result.verdict {
            Verdict::Pass => 0,
            Verdict::Warn => 1,
            Verdict::Fail | Verdict::Error => 2,
        }] += 1;
        let fault = match (case.scored, result.verdict, result.by_silence) {
            (true, Verdict::Fail | Verdict::Error, _) => "failed",
            (true, _, true) => "passed by mere silence",
            _ => return,
        };
        self.faults.push(format!(
            "{id} ({category}, {level}: {description}) {fault}: got {got}, wanted {ideal}"
        ));
    }

    fn summary(&self) -> String {
        let [pass, warn, fail] = self.scored;
        let line = format!("{pass} pass, {warn} warn, {fail} fail of {}", pass + warn + fail);
        let [pass, warn, fail] = self.unscored;
        if pass + warn + fail == 0 {
            return line;
        }
        format!("{line}; not scored: {pass} pass, {warn} warn, {fail} fail")
    }
}
