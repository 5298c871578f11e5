//! The load generator: one thread, one epoll, every answer checked.
//!
//! `load --port N [--mode steady|fresh] [--connections 64] [--depth 1] [--secs 1] [--requests N]
//! [--pause-us 0] [--path /plaintext]` prints `name=value` pairs on one line.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use avocet_benches::command_line::Options;
use avocet_benches::load::{Mode, Plan};
use avocet_benches::sockets;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("load: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut options = Options::from_args()?;
    let depth = options.optional("depth")?.unwrap_or(1);
    let mode = match options.optional::<String>("mode")?.as_deref() {
        None | Some("steady") => Mode::Steady { depth },
        Some("fresh") => Mode::Fresh,
        Some(other) => return Err(format!("there is no mode {other:?}")),
    };
    let plan = Plan {
        port: options.required("port")?,
        path: options.optional("path")?.unwrap_or_else(|| "/plaintext".to_owned()),
        connections: options.optional("connections")?.unwrap_or(64),
        mode,
        time: Duration::from_secs_f64(options.optional("secs")?.unwrap_or(1.0)),
        requests: options.optional("requests")?.unwrap_or(u64::MAX),
        pause: Duration::from_micros(options.optional("pause-us")?.unwrap_or(0)),
    };
    options.finish()?;
    sockets::raise_descriptors();
    let tally = plan.run().map_err(|error| error.to_string())?;
    let micros = |share| tally.latency.quantile(share).as_secs_f64() * 1e6;
    println!(
        "done={} faults={} reopened={} unclosed={} secs={:.6} p50_us={:.1} p99_us={:.1} p999_us={:.1}",
        tally.done,
        tally.faults,
        tally.reopened,
        tally.unclosed,
        tally.elapsed.as_secs_f64(),
        micros(0.5),
        micros(0.99),
        micros(0.999),
    );
    if let Some(reason) = tally.first_fault {
        eprintln!("load: first fault: {reason}");
    }
    Ok(())
}
