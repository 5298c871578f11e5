//! Our head read as a ratio of httparse and of httparse with a header map: in time, the parsers taking turns in
//! one run, and in instructions, counted by callgrind. `cargo bench -p avocet-benches --bench parser_ratios`.
//!
//! The machine may be busy and its clock may change; turns of some tens of microseconds see the same machine,
//! and the median of their ratios stands. Instructions need `valgrind`: the program runs itself under callgrind
//! with two numbers of rounds, and the difference is free of what starting costs.
#![expect(clippy::print_stdout, reason = "the table is what this prints")]

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use avocet_wire::{Client, Connection};
use bytes::Bytes;

#[path = "shared/heads.rs"]
mod heads;

use heads::{HEADS, Head, HeaderMapWay, Ours, httparse_request, httparse_response};

const PARSERS: [&str; 3] = ["ours", "httparse", "header_map"];

/// Rounds under callgrind; the difference counts.
const FEW: u64 = 100;
const MANY: u64 = 1100;

/// Turns of each parser, and how long one lasts.
const TURNS: usize = 2000;
const TURN: Duration = Duration::from_micros(40);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let [_, command, parser, head, rounds] = arguments.as_slice()
        && command == "run"
    {
        let head = HEADS.iter().find(|h| h.name == head).expect("a known head");
        Parsers::new(head).run(parser, rounds.parse().expect("a number of rounds"));
        return ExitCode::SUCCESS;
    }
    print_times();
    match print_instructions() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print_row(head: &str, figures: [f64; 3], of_httparse: f64, of_map: f64) {
    let [ours, httparse, map] = figures;
    println!("{head:<14}{ours:>8.0}{httparse:>10.0}{map:>12.0}{of_httparse:>13.2}{of_map:>15.2}");
}

fn print_title(unit: &str) {
    println!("{unit:<14}    ours  httparse  header_map  of httparse  of header_map");
}

fn print_times() {
    print_title("ns, fastest");
    for head in &HEADS {
        let mut parsers = Parsers::new(head);
        let rounds = PARSERS.map(|parser| parsers.rounds_in_a_turn(parser));
        let mut fastest = [f64::MAX; 3];
        let (mut of_httparse, mut of_map) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            let mut times = [0.0; 3];
            for (at, parser) in PARSERS.iter().enumerate() {
                let start = Instant::now();
                parsers.run(parser, rounds[at]);
                times[at] = start.elapsed().as_nanos() as f64 / rounds[at] as f64;
                fastest[at] = times[at].min(fastest[at]);
            }
            of_httparse.push(times[0] / times[1]);
            of_map.push(times[0] / times[2]);
        }
        print_row(head.name, fastest, median(&mut of_httparse), median(&mut of_map));
    }
}

fn median(ratios: &mut [f64]) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn print_instructions() -> Result<(), String> {
    print_title("instructions");
    for head in &HEADS {
        let mut counts = [0.0; 3];
        for (count, parser) in counts.iter_mut().zip(PARSERS) {
            let extra = count_instructions(parser, head, MANY)?
                .checked_sub(count_instructions(parser, head, FEW)?)
                .ok_or("fewer instructions for more rounds")?;
            *count = extra as f64 / (MANY - FEW) as f64;
        }
        print_row(head.name, counts, counts[0] / counts[1], counts[0] / counts[2]);
    }
    Ok(())
}

fn count_instructions(parser: &str, head: &Head, rounds: u64) -> Result<u64, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["run", parser, head.name, &rounds.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr);
    report
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .ok_or_else(|| format!("callgrind reported no count:\n{report}"))
}

/// The parsers, ready for one head.
struct Parsers {
    bytes: &'static [u8],
    shared: Bytes,
    is_request: bool,
    ours: Ours,
    asking: Connection<Client>,
    map: HeaderMapWay,
}

impl Parsers {
    fn new(head: &Head) -> Self {
        let mut ours = Ours::default();
        let asking = ours.asking();
        Self {
            bytes: head.bytes,
            shared: Bytes::copy_from_slice(head.bytes),
            is_request: head.is_request,
            ours,
            asking,
            map: HeaderMapWay::default(),
        }
    }

    fn rounds_in_a_turn(&mut self, parser: &str) -> u64 {
        let mut rounds = 1;
        loop {
            let start = Instant::now();
            self.run(parser, rounds);
            if start.elapsed() >= TURN {
                return rounds;
            }
            rounds += rounds / 4 + 1;
        }
    }

    fn run(&mut self, parser: &str, rounds: u64) {
        let (bytes, shared) = (self.bytes, &self.shared);
        match (parser, self.is_request) {
            ("ours", true) => repeat(rounds, || self.ours.read_request(black_box(bytes))),
            ("ours", false) => {
                repeat(rounds, || self.ours.read_response(&self.asking, black_box(bytes)));
            }
            ("httparse", true) => repeat(rounds, || httparse_request(black_box(bytes))),
            ("httparse", false) => repeat(rounds, || httparse_response(black_box(bytes))),
            ("header_map", true) => repeat(rounds, || self.map.read_request(black_box(shared))),
            ("header_map", false) => repeat(rounds, || self.map.read_response(black_box(shared))),
            (other, _) => panic!("no parser {other}"),
        }
    }
}

#[inline]
fn repeat(rounds: u64, mut read: impl FnMut() -> usize) {
    for _ in 0..rounds {
        black_box(read());
    }
}
