//! What a request costs in user space, counted under Valgrind: instructions and allocations.
//!
//! A server runs twice with different numbers of requests, and the difference is divided by the
//! difference: what it costs to start, to accept and to end falls out. Unlike times these figures
//! are nearly the same in every run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::contenders::{self, Contender, Setting};
use super::{load, table};
use crate::{Outcome, shell, tools};

/// Requests of the shorter and the longer run.
const REQUESTS: [u32; 2] = [4_000, 12_000];
/// Valgrind is some fifty times slower than the machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A way of asking, and the connections and requests at a time that it has.
const MODES: &[(&str, &[&str])] = &[
    ("keep-alive", &["--connections", "64"]),
    ("pipelined", &["--connections", "64", "--depth", "16"]),
];

/// A tool of Valgrind and the words before and after its sum.
struct Tool {
    args: &'static [&'static str],
    before: &'static str,
}

const INSTRUCTIONS: Tool =
    Tool { args: &["--tool=callgrind", "--callgrind-out-file=/dev/null"], before: "Collected : " };
const ALLOCATIONS: Tool = Tool {
    args: &["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"],
    before: "bytes allocated",
};

pub(super) fn run(contenders: &[Contender]) -> Outcome {
    tools::debian("valgrind", "valgrind")?;
    println!("\ncounts: user-space instructions and allocations for each request");
    let mut rows = Vec::new();
    for contender in contenders {
        if !contender.is_one_process() {
            println!("{} is left out: it works in processes of its own", contender.name);
            continue;
        }
        for (mode, args) in MODES {
            let mut row = vec![contender.name.clone(), (*mode).to_owned()];
            for (tool, decimals) in [(&INSTRUCTIONS, 0), (&ALLOCATIONS, 2)] {
                row.push(match each(contender, args, tool) {
                    // A rounded nothing is not below nothing.
                    Ok(each) => format!("{:.decimals$}", each.max(0.0)),
                    Err(reason) => {
                        println!("{} {mode}: {reason}", contender.name);
                        "-".to_owned()
                    }
                });
            }
            rows.push(row);
        }
    }
    table::print(&["server", "mode", "instructions", "allocations"], &rows);
    Ok(())
}

/// The count for each request.
fn each(contender: &Contender, args: &[&str], tool: &Tool) -> Result<f64, String> {
    let [less, more] = REQUESTS;
    let [few, many] = [count(contender, args, tool, less)?, count(contender, args, tool, more)?];
    Ok((many - few) / f64::from(more - less))
}

fn count(contender: &Contender, args: &[&str], tool: &Tool, requests: u32) -> Result<f64, String> {
    let report = contenders::folder().join(&contender.name).join("valgrind");
    let mut under = vec!["valgrind".to_owned(), format!("--log-file={}", report.display())];
    under.extend(tool.args.iter().map(|arg| (*arg).to_owned()));
    let mut server = contender.start_as(&Setting { under, ..Setting::default() })?;
    let requests = requests.to_string();
    let args: Vec<String> = args
        .iter()
        .chain(&["--secs", "60", "--requests", &requests])
        .map(|arg| (*arg).to_owned())
        .collect();
    let run = load::run(server.port, &args)?;
    if run.faults > 0.0 {
        return Err(format!("{} faults under Valgrind", run.faults));
    }
    server.end(PATIENCE)?;
    sum(&report, tool.before)
}

/// System calls of a program that runs to its end, its threads and children with it.
pub(super) fn calls((program, args): &(PathBuf, Vec<String>)) -> Result<f64, String> {
    tools::debian("perf", "linux-perf")?;
    let report = contenders::folder().join("perf.csv");
    let mut perf = Command::new("perf");
    perf.args(["stat", "--field-separator", ",", "--event", "raw_syscalls:sys_enter", "--output"]);
    perf.arg(&report).arg("--").arg(program).args(args);
    shell::read_quietly(&mut perf)?;
    let text = std::fs::read_to_string(&report)
        .map_err(|error| format!("cannot read {}: {error}", report.display()))?;
    let line = text.lines().find(|line| line.contains("raw_syscalls:sys_enter"));
    let number = line.and_then(|line| line.split(',').next()?.parse().ok());
    number.ok_or_else(|| format!("perf counted nothing: {text}"))
}

/// Allocations of a program that runs to its end.
pub(super) fn allocations_of((program, args): &(PathBuf, Vec<String>)) -> Result<f64, String> {
    tools::debian("valgrind", "valgrind")?;
    let report = contenders::folder().join("valgrind");
    let mut valgrind = Command::new("valgrind");
    valgrind.arg(format!("--log-file={}", report.display())).args(ALLOCATIONS.args);
    shell::read_quietly(valgrind.arg(program).args(args))?;
    sum(&report, ALLOCATIONS.before)
}

/// The sum in the report of Valgrind.
fn sum(report: &Path, before: &str) -> Result<f64, String> {
    let text = std::fs::read_to_string(report)
        .map_err(|error| format!("cannot read {}: {error}", report.display()))?;
    sum_in(&text, before).ok_or_else(|| format!("no sum in {}", report.display()))
}

/// callgrind: `Collected : 123`; memcheck: `total heap usage: 1,234 allocs, ... bytes allocated`.
fn sum_in(text: &str, before: &str) -> Option<f64> {
    let line = text.lines().rfind(|line| line.contains(before))?;
    let (_, numbers) = line.rsplit_once("= ")?;
    let number = numbers
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    number.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_found_in_the_reports() {
        let text = "==7== Events    : Ir\n==7== Collected : 123456\n";
        assert_eq!(sum_in(text, INSTRUCTIONS.before), Some(123_456.0));
        let text = "==7==   total heap usage: 1,234 allocs, 99 frees, 5,678 bytes allocated\n";
        assert_eq!(sum_in(text, ALLOCATIONS.before), Some(1234.0));
        assert_eq!(sum_in("==7== nothing\n", ALLOCATIONS.before), None);
    }
}
