//! System calls of a running server, counted by the kernel's trace points at full speed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use super::load;
use crate::{shell, tools};

/// The calls that servers make; whatever else they make is in the sum.
const NAMES: &[&str] = &[
    "accept",
    "accept4",
    "clock_gettime",
    "close",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_wait",
    "fcntl",
    "futex",
    "getpeername",
    "getsockname",
    "getsockopt",
    "ioctl",
    "mmap",
    "munmap",
    "openat",
    "poll",
    "read",
    "readv",
    "recvfrom",
    "recvmsg",
    "sched_yield",
    "sendfile64",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "write",
    "writev",
];

/// System calls for each request.
pub(super) struct Calls {
    pub(super) all: f64,
    /// By name, the most frequent first, those above one in a hundred requests.
    pub(super) by_name: Vec<(String, f64)>,
}

/// The events that this kernel has.
pub(super) fn events() -> Result<Vec<String>, String> {
    tools::debian("perf", "linux-perf")?;
    let text = shell::read(
        Command::new("perf").args(["list", "syscalls:sys_enter_*"]).stderr(Stdio::null()),
    )?;
    let known: BTreeSet<&str> = text
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("syscalls:sys_enter_"))
        .collect();
    if known.is_empty() {
        return Err("perf lists no trace points of system calls: that needs root".to_owned());
    }
    let named = NAMES.iter().filter(|name| known.contains(**name));
    let named = named.map(|name| format!("syscalls:sys_enter_{name}"));
    Ok(std::iter::once("raw_syscalls:sys_enter".to_owned()).chain(named).collect())
}

/// Counts while the load generator runs to its end.
pub(super) fn count(
    events: &[String],
    pids: &[u32],
    port: u16,
    args: &[String],
    folder: &Path,
) -> Result<Calls, String> {
    let counts = folder.join("perf.csv");
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let load = load::command("load");
    let mut perf = Command::new("perf");
    perf.args(["stat", "--field-separator", ",", "--output"])
        .arg(&counts)
        .args(["--event", &events.join(","), "--pid", &pids.join(","), "--"])
        .arg(load.get_program())
        .args(load.get_args())
        .args(["--port", &port.to_string()])
        .args(args);
    let run = load::read(&shell::read_quietly(&mut perf)?)?;
    if run.done == 0.0 {
        return Err("no request was answered".to_owned());
    }
    if run.unclosed > 0.0 {
        return Err("it does not close though asked to".to_owned());
    }
    let text = std::fs::read_to_string(&counts)
        .map_err(|error| format!("cannot read {}: {error}", counts.display()))?;
    per_request(&text, run.done)
}

/// Reads perf's lines `count,unit,event,...`.
fn per_request(text: &str, requests: f64) -> Result<Calls, String> {
    let mut calls = Calls { all: 0.0, by_name: Vec::new() };
    for line in text.lines() {
        let mut fields = line.split(',');
        let (Some(count), Some(_), Some(event)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let count: f64 =
            count.parse().map_err(|_| format!("perf could not count {event}: {count}"))?;
        let each = count / requests;
        match event.strip_prefix("syscalls:sys_enter_") {
            None => calls.all = each,
            Some(name) if each >= 0.01 => calls.by_name.push((name.to_owned(), each)),
            Some(_) => {}
        }
    }
    calls.by_name.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_divided_by_requests() {
        let text = "# started on Friday\n\n200,,raw_syscalls:sys_enter,1,100.00,,\n\
                    90,,syscalls:sys_enter_sendto,1,100.00,,\n\
                    100,,syscalls:sys_enter_recvfrom,1,100.00,,\n\
                    0,,syscalls:sys_enter_futex,1,100.00,,\n";
        let calls = per_request(text, 100.0).unwrap();
        assert_eq!(calls.all, 2.0);
        assert_eq!(calls.by_name, [("recvfrom".to_owned(), 1.0), ("sendto".to_owned(), 0.9)]);
        assert!(per_request("<not counted>,,raw_syscalls:sys_enter,0,0.00,,", 1.0).is_err());
    }
}
