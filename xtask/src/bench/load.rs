//! The load generator as seen from a task: how it is started and what it prints.

use std::path::PathBuf;
use std::process::Command;

use super::process::{LOAD_CPU, Priority, pinned};
use crate::shell;

/// Descriptors of the load, enough for the largest crowd.
pub(crate) const DESCRIPTORS: u32 = 16_000;

/// What one run of the load generator brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Run {
    pub(crate) done: f64,
    pub(crate) faults: f64,
    pub(crate) unclosed: f64,
    pub(crate) secs: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// A program of the package `avocet-benches`, in its release build.
pub(crate) fn program(name: &str) -> PathBuf {
    shell::target_dir().join("release").join(name)
}

/// Builds the load generator and what belongs to it.
pub(crate) fn build() -> crate::Outcome {
    shell::run(shell::cargo().args(["build", "--release", "--package", "avocet-benches", "--bins"]))
}

/// The command, on its core and without arguments.
pub(crate) fn command(name: &str) -> Command {
    command_with(name, Priority::Normal)
}

fn command_with(name: &str, priority: Priority) -> Command {
    pinned(LOAD_CPU, DESCRIPTORS, priority, &program(name).to_string_lossy())
}

/// Runs the load generator to its end.
pub(crate) fn run(port: u16, args: &[String]) -> Result<Run, String> {
    run_with(port, args, Priority::Normal)
}

/// Runs the load generator to its end, perhaps ahead of everything else.
pub(crate) fn run_with(port: u16, args: &[String], priority: Priority) -> Result<Run, String> {
    let mut load = command_with("load", priority);
    load.args(["--port", &port.to_string()]).args(args);
    read(&shell::read_quietly(&mut load)?)
}

/// Reads the line that the load generator prints.
pub(crate) fn read(text: &str) -> Result<Run, String> {
    let number = |name| {
        pair(text, name).ok_or_else(|| format!("the load generator printed no {name}: {text:?}"))
    };
    Ok(Run {
        done: number("done")?,
        faults: number("faults")?,
        unclosed: number("unclosed")?,
        secs: number("secs")?,
        p50_us: number("p50_us")?,
        p99_us: number("p99_us")?,
    })
}

/// The number after `name=` in words divided by white space.
pub(crate) fn pair(text: &str, name: &str) -> Option<f64> {
    text.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .find(|(known, _)| *known == name)
        .and_then(|(_, value)| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read() {
        let text = "done=12 faults=0 reopened=0 unclosed=3 secs=1.5 p50_us=9.5 p99_us=11.0\n";
        let run = read(text).unwrap();
        assert_eq!((run.done, run.unclosed, run.p99_us), (12.0, 3.0, 11.0));
        assert!(read("done=12").is_err());
    }
}
