//! `cargo xtask bench server`: whole servers side by side.
//!
//! The server has one core and the load the other. Every round lets each server run in turn, and a
//! ratio is the median over the rounds of the ratios within a round: on a machine that others share,
//! only what was measured within seconds of each other can be compared.
//!
//! CPU time is that of the whole process tree, user and system together. What the kernel does for a
//! connection within the server's own calls is in it; on loopback that is most of it, which is why
//! everything is put beside the floor.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use super::contenders::{self, Contender, FLOOR, OURS};
use super::process::Server;
use super::{compare, counts, load, syscalls, table};
use crate::Outcome;
use crate::args::Args;

/// A way of asking, with the arguments of the load generator.
struct Mode {
    name: &'static str,
    about: &'static str,
    args: &'static [&'static str],
    /// Requests of a run that is counted and not timed.
    counted: u32,
}

const MODES: &[Mode] = &[
    Mode {
        name: "keep-alive",
        about: "64 connections",
        args: &["--connections", "64"],
        counted: 40_000,
    },
    Mode {
        name: "pipelined",
        about: "64 connections, 16 requests at a time",
        args: &["--connections", "64", "--depth", "16"],
        counted: 160_000,
    },
    Mode {
        name: "single",
        about: "one connection",
        args: &["--connections", "1"],
        counted: 10_000,
    },
    Mode {
        name: "fresh",
        about: "a connection for each request, 64 at a time",
        args: &["--connections", "64", "--mode", "fresh"],
        counted: 10_000,
    },
];

/// What our own server has to reach: `--check` fails where it does not.
struct Goal {
    mode: &'static str,
    /// CPU time as a multiple of the floor's.
    cpu: Option<f64>,
    /// System calls for a request.
    calls: Option<f64>,
    /// Servers that may not need less CPU time.
    ahead_of: &'static [&'static str],
}

/// The floor is what the kernel charges; what is allowed above it is parsing, framing and the Date.
const GOALS: &[Goal] = &[
    // One read and one send, and a wait shared by the connections that became ready together.
    Goal {
        mode: "keep-alive",
        cpu: Some(1.08),
        calls: Some(2.05),
        ahead_of: &["hyper", "may_minihttp"],
    },
    // One read, one send and a share of a wait for sixteen requests.
    Goal { mode: "pipelined", cpu: Some(1.45), calls: Some(0.13), ahead_of: &["hyper"] },
    Goal { mode: "single", cpu: None, calls: None, ahead_of: &["hyper"] },
    Goal { mode: "fresh", cpu: None, calls: None, ahead_of: &["hyper"] },
];

/// KiB that one idle connection may cost: its slot in a few tables and nothing else.
const IDLE_KIB: f64 = 0.6;

/// A server that answers less in a run is not measured but stalled.
const FEWEST: f64 = 200.0;

struct Measured {
    run: load::Run,
    cpu_us: f64,
}

/// What one mode brought: for each server its rounds.
type Rounds = BTreeMap<String, Vec<Measured>>;

pub(super) fn run(args: &mut Args) -> Outcome {
    let against = args.value("--against")?;
    let also = args.value("--also")?;
    let rounds = args.number("--rounds", 5)?;
    let secs = args.number("--secs", 1)?;
    let crowd = args.number("--idle-connections", 10_000)?;
    let modes = args.value("--modes")?;
    let check = args.flag("--check");
    args.finish()?;
    let wanted = wanted_modes(modes.as_deref())?;
    let mut contenders = contenders::chosen(against.as_deref())?;
    if let Some(text) = also {
        contenders.push(Contender::from_command(&text)?);
    }
    contenders::prepare(&contenders)?;
    println!("\nserver on CPU 0, load on CPU 1; {rounds} rounds of {secs} s, each server in turn");
    let mut misses = Vec::new();
    {
        let mut servers = Vec::new();
        for contender in &contenders {
            if let Some(server) = started(contender, 2_000)? {
                servers.push((contender.name.clone(), server));
            }
        }
        for mode in MODES.iter().filter(|mode| wanted.contains(&mode.name)) {
            let measured = measure(mode, &servers, rounds, secs)?;
            print(mode, &measured);
            misses.extend(goals_missed(mode, &measured));
        }
        if wanted.contains(&"syscalls") {
            misses.extend(count_calls(&servers)?);
        }
    }
    if wanted.contains(&"counts") {
        counts::run(&contenders)?;
    }
    if wanted.contains(&"idle") {
        misses.extend(weigh_idle(&contenders, crowd)?);
    }
    compare::conclude(&misses, check)
}

fn wanted_modes(names: Option<&str>) -> Result<Vec<&'static str>, String> {
    let usual = MODES.iter().map(|mode| mode.name).chain(["syscalls", "idle"]);
    if names.is_none() {
        return Ok(usual.collect());
    }
    // Valgrind takes its time, so its counts are taken when they are asked for.
    let known: Vec<&'static str> = usual.chain(["counts"]).collect();
    Ok(compare::named(names, &known, |name| name, "mode")?.into_iter().copied().collect())
}

/// Starts a server and warms it up. A peer that stalls under a few connections is left out, with a
/// line that says so; for our own server and the floor that is the end of the run.
fn started(contender: &Contender, requests: u32) -> Result<Option<Server>, String> {
    let server = contender.start()?;
    match warm_up(&contender.name, &server, requests) {
        Ok(()) => Ok(Some(server)),
        Err(reason) if contender.name == OURS || contender.name == FLOOR => Err(reason),
        Err(reason) => {
            println!("left out: {reason}");
            Ok(None)
        }
    }
}

/// The first requests of a server pay for what it builds up, and show whether it answers rightly.
fn warm_up(name: &str, server: &Server, requests: u32) -> Outcome {
    let args = ["--connections", "16", "--secs", "5", "--requests", &requests.to_string()];
    let run = load::run(server.port, &args.map(str::to_owned))?;
    if run.faults > 0.0 || run.done < f64::from(requests) - 16.0 {
        return Err(format!("{name} does not answer as it should: {run:?}"));
    }
    Ok(())
}

fn measure(
    mode: &Mode,
    servers: &[(String, Server)],
    rounds: u64,
    secs: u64,
) -> Result<Rounds, String> {
    let args = |secs: String| -> Vec<String> {
        mode.args.iter().map(|arg| (*arg).to_owned()).chain(["--secs".to_owned(), secs]).collect()
    };
    let mut measured = Rounds::new();
    for (_, server) in servers {
        load::run(server.port, &args("0.2".to_owned()))?;
    }
    for _ in 0..rounds {
        for (name, server) in servers {
            let before = server.usage();
            let run = load::run(server.port, &args(secs.to_string()))?;
            let cpu = server.usage().since(&before);
            let cpu_us = cpu.as_secs_f64() * 1e6 / run.done.max(1.0);
            measured.entry(name.clone()).or_default().push(Measured { run, cpu_us });
        }
    }
    // A server that does not close a connection though asked to is not comparable where that counts.
    measured.retain(|name, rounds| {
        let done = table::median(rounds.iter().map(|one| one.run.done));
        if done < FEWEST {
            println!("{}: {name} is left out, it answered {done} requests", mode.name);
        }
        done >= FEWEST
    });
    Ok(measured)
}

fn print(mode: &Mode, measured: &Rounds) {
    println!("\n{}: {}", mode.name, mode.about);
    let costs = costs(measured);
    let mut rows: Vec<(f64, Vec<String>)> = measured
        .iter()
        .map(|(name, rounds)| {
            let middle = |value: fn(&Measured) -> f64| table::median(rounds.iter().map(value));
            let cpu = middle(|one| one.cpu_us);
            let ratio = compare::cells(compare::ratios(&costs, name, FLOOR));
            let faults: f64 = rounds.iter().map(|one| one.run.faults).sum();
            let cells = vec![
                name.clone(),
                format!("{:.0}", middle(|one| one.run.done / one.run.secs)),
                format!("{cpu:.3}"),
                ratio[0].clone(),
                ratio[1].clone(),
                format!("{:.0}", middle(|one| one.run.p50_us)),
                format!("{:.0}", middle(|one| one.run.p99_us)),
                format!("{faults}"),
            ];
            (cpu, cells)
        })
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let head =
        ["server", "req/s", "CPU us/req", "x floor", "least-most", "p50 us", "p99 us", "faults"];
    table::print(&head, &rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
}

/// CPU time of a request in each round, in microseconds.
fn costs(measured: &Rounds) -> compare::Rounds {
    let cpu = |rounds: &[Measured]| rounds.iter().map(|one| one.cpu_us).collect();
    measured.iter().map(|(name, rounds)| (name.clone(), cpu(rounds))).collect()
}

fn goals_missed(mode: &Mode, measured: &Rounds) -> Vec<String> {
    let Some(goal) = GOALS.iter().find(|goal| goal.mode == mode.name) else { return Vec::new() };
    let floor = goal.cpu.map(|most| (FLOOR, most));
    compare::missed(mode.name, &costs(measured), OURS, floor, goal.ahead_of)
}

fn count_calls(servers: &[(String, Server)]) -> Result<Vec<String>, String> {
    let events = syscalls::events()?;
    let mut misses = Vec::new();
    println!("\nsyscalls: system calls for each request, counted by trace points");
    for mode in MODES {
        let mut rows = Vec::new();
        for (name, server) in servers {
            let mut args: Vec<String> = mode.args.iter().map(|arg| (*arg).to_owned()).collect();
            let requests = mode.counted.to_string();
            args.extend(["--requests", &requests, "--secs", "5"].map(str::to_owned));
            let calls = match syscalls::count(
                &events,
                &server.pids(),
                server.port,
                &args,
                &contenders::folder(),
            ) {
                Ok(calls) => calls,
                Err(reason) => {
                    println!("{}: {name} is left out: {reason}", mode.name);
                    continue;
                }
            };
            let goal = GOALS.iter().find(|goal| goal.mode == mode.name);
            if let Some(most) = goal.and_then(|goal| goal.calls)
                && name == OURS
                // Two decimals are what the goals are given in.
                && (calls.all * 100.0).round() / 100.0 > most
            {
                misses.push(format!(
                    "{}: {:.2} system calls a request, goal {most}",
                    mode.name, calls.all
                ));
            }
            let list = calls.by_name.iter().map(|(name, each)| format!("{name} {each:.2}"));
            let list = list.collect::<Vec<_>>().join(", ");
            rows.push(vec![name.clone(), format!("{:.3}", calls.all), list]);
        }
        println!("\n{}", mode.name);
        for row in rows {
            println!("{:14} {:>8}  {}", row[0], row[1], row[2]);
        }
    }
    Ok(misses)
}

/// Starts each server anew, so that nothing it keeps from before hides what a connection takes.
fn weigh_idle(contenders: &[Contender], crowd: u64) -> Result<Vec<String>, String> {
    println!("\nidle: memory (Pss) of each of {crowd} idle keep-alive connections");
    let mut misses = Vec::new();
    let mut rows = Vec::new();
    for contender in contenders {
        let Some(server) = started(contender, 20_000)? else { continue };
        std::thread::sleep(SETTLING);
        let before = server.memory_kib();
        let mut holder = load::command("crowd")
            .args(["--port", &server.port.to_string(), "--kind", "idle", "--connections"])
            .arg(crowd.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the crowd: {error}"))?;
        let mut line = String::new();
        if let Some(output) = holder.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        }
        std::thread::sleep(SETTLING);
        let after = server.memory_kib();
        // The crowd goes when its standard input ends.
        drop(holder.stdin.take());
        holder.wait().map_err(|error| error.to_string())?;
        let ready = load::pair(&line, "ready").unwrap_or(0.0);
        let each = (after as f64 - before as f64) / ready;
        if ready < crowd as f64 {
            println!("{}: held {ready} of {crowd}", contender.name);
        }
        if contender.name == OURS && (each > IDLE_KIB || ready < crowd as f64) {
            misses.push(format!("idle: {each:.2} KiB a connection, goal {IDLE_KIB}"));
        }
        let name = contender.name.clone();
        rows.push(vec![name, format!("{:.1}", before as f64 / 1024.0), format!("{each:.2}")]);
    }
    table::print(&["server", "MiB before", "KiB each"], &rows);
    Ok(misses)
}

/// Servers give memory back, and finish closing, within this.
const SETTLING: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[f64]) -> Vec<Measured> {
        values.iter().map(|&cpu_us| Measured { run: load::Run::default(), cpu_us }).collect()
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let measured = Rounds::from([
            (OURS.to_owned(), rounds(&[2.0, 4.0, 30.0])),
            (FLOOR.to_owned(), rounds(&[1.0, 2.0, 10.0])),
        ]);
        assert_eq!(compare::ratios(&costs(&measured), OURS, FLOOR), Some(vec![2.0, 2.0, 3.0]));
        assert_eq!(compare::ratios(&costs(&measured), OURS, "hyper"), None);
    }

    #[test]
    fn a_missed_goal_is_said() {
        let mode = &MODES[0];
        let at = |ours: f64| {
            let measured = Rounds::from([
                (OURS.to_owned(), rounds(&[ours])),
                (FLOOR.to_owned(), rounds(&[1.0])),
                ("hyper".to_owned(), rounds(&[1.05])),
            ]);
            goals_missed(mode, &measured).len()
        };
        assert_eq!((at(1.04), at(1.06), at(1.2)), (0, 1, 2));
    }

    #[test]
    fn modes_are_chosen_by_name() {
        assert_eq!(wanted_modes(None).unwrap().len(), MODES.len() + 2);
        assert_eq!(wanted_modes(Some("idle,counts")).unwrap(), ["idle", "counts"]);
        assert!(wanted_modes(Some("other")).is_err());
    }
}
