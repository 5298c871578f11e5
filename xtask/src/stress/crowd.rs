//! Ten thousand connections that idle or dribble, beside one client that behaves.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::bench::contenders::{Contender, Setting};
use crate::bench::load;
use crate::bench::process::{self, Priority, Server};

/// With the client that behaves these are ten thousand, the bound that a server has by default.
const CROWD: u32 = 9_999;
/// A client's latency beside the crowd, as a multiple of the latency without it. A server whose work
/// for a ready connection does not depend on how many are not ready stays near 1; what a crowd that
/// sends ten thousand bytes a second costs may double it.
const LATENCY: f64 = 2.0;
/// Rounds of quiet and crowded. Server and client run ahead of other programs, and the least of the rounds counts on either side: whatever else runs on
/// the machine only ever adds to a latency, and what the crowd adds is there in every round.
const ROUNDS: usize = 5;
/// A head has 20 s by default, a second more for each 500 bytes, and a second to be noticed.
const HEAD_DEADLINE: Duration = Duration::from_secs(22);

/// Half a thousand questions a second: often enough for a 99th percentile, and far from busy.
const CLIENT: &[&str] = &["--connections", "1", "--pause-us", "2000", "--secs", "4"];

pub(super) fn run(contender: &Contender) -> Result<Vec<String>, String> {
    let mut misses = Vec::new();
    let priority = if process::may_run_in_real_time() {
        Priority::RealTime
    } else {
        println!("without root: what else runs on this machine is in the latencies");
        Priority::Normal
    };
    let server = contender.start_as(&Setting { priority, ..Setting::default() })?;
    for (kind, about) in
        [("idle", "idle after one exchange"), ("head", "a byte of a head each second")]
    {
        let (mut quiets, mut crowdeds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let quiet = client(&server, priority)?;
            let crowd = Crowd::gather(&server, kind)?;
            let crowded = client(&server, priority)?;
            let end = crowd.disperse()?;
            println!(
                "{kind:6} p50 {:4.0} us quiet, {:4.0} crowded; p99 {:4.0} quiet, {:4.0} crowded; \
                 {end}",
                quiet.p50_us, crowded.p50_us, quiet.p99_us, crowded.p99_us
            );
            if crowded.faults > 0.0 || crowded.done == 0.0 {
                misses.push(format!("{kind}: the client got {} faults", crowded.faults));
            }
            if load::pair(&end, "held") != Some(f64::from(CROWD)) {
                misses.push(format!("{kind}: not all {CROWD} were held: {end}"));
            }
            quiets.push(quiet);
            crowdeds.push(crowded);
        }
        let ratio = |value: fn(&load::Run) -> f64| {
            let least = |runs: &[load::Run]| runs.iter().map(value).fold(f64::INFINITY, f64::min);
            least(&crowdeds) / least(&quiets)
        };
        let (p50, p99) = (ratio(|run| run.p50_us), ratio(|run| run.p99_us));
        println!("{kind:6} {about}: p50 x {p50:.2}, p99 x {p99:.2}; bar {LATENCY}");
        if p50 > LATENCY || p99 > LATENCY {
            misses.push(format!("{kind}: latency p50 x {p50:.2}, p99 x {p99:.2}, bar {LATENCY}"));
        }
    }
    misses.extend(cut(&server)?);
    Ok(misses)
}

/// A head that dribbles for ever is cut at its deadline, and told so.
fn cut(server: &Server) -> Result<Vec<String>, String> {
    let crowd = Crowd::gather(server, "head")?;
    std::thread::sleep(HEAD_DEADLINE.saturating_sub(crowd.gathered.elapsed()));
    let end = crowd.disperse()?;
    println!("head   {} s after the last one came: {end}", HEAD_DEADLINE.as_secs());
    if load::pair(&end, "held") == Some(0.0) {
        return Ok(Vec::new());
    }
    Ok(vec![format!("heads that dribble were not all cut in time: {end}")])
}

fn client(server: &Server, priority: Priority) -> Result<load::Run, String> {
    let args: Vec<String> = CLIENT.iter().map(|word| (*word).to_owned()).collect();
    load::run_with(server.port, &args, priority)
}

/// A running crowd; it goes when its standard input ends.
pub(super) struct Crowd {
    child: Child,
    output: BufReader<ChildStdout>,
    gathered: Instant,
}

impl Crowd {
    fn gather(server: &Server, kind: &str) -> Result<Self, String> {
        Self::gather_some(server, kind, CROWD)
    }

    /// Waits until `wanted` connections are there.
    pub(super) fn gather_some(server: &Server, kind: &str, wanted: u32) -> Result<Self, String> {
        let mut child = load::command("crowd")
            .args(["--port", &server.port.to_string(), "--kind", kind, "--connections"])
            .arg(wanted.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the crowd: {error}"))?;
        let output = child.stdout.take().ok_or("the crowd has no output")?;
        let mut crowd = Self { child, output: BufReader::new(output), gathered: Instant::now() };
        let line = crowd.line()?;
        crowd.gathered = Instant::now();
        if load::pair(&line, "ready") != Some(f64::from(wanted)) {
            return Err(format!("{wanted} connections of kind {kind} cannot be had: {line}"));
        }
        Ok(crowd)
    }

    /// Lets it go and returns what it says became of its connections.
    pub(super) fn disperse(mut self) -> Result<String, String> {
        drop(self.child.stdin.take());
        let line = self.line()?;
        let ended: Outcome = match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("the crowd failed: {status}")),
            Err(error) => Err(error.to_string()),
        };
        ended.map(|()| line)
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim().to_owned())
    }
}
