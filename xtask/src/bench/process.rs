//! A server under test: started on one core, looked at through `/proc`, ended when dropped.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The core of the server; the load has the other one.
pub(crate) const SERVER_CPU: u32 = 0;
/// The core of the load generator.
pub(crate) const LOAD_CPU: u32 = 1;

/// How long a server may take until it listens.
const STARTING: Duration = Duration::from_secs(20);
/// The clock tick that `/proc/PID/stat` counts in, the same on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// How a server is started.
pub(crate) struct Launch {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    /// The most descriptors it may have.
    pub(crate) descriptors: u32,
    pub(crate) priority: Priority,
}

/// How a program stands towards everything else that runs on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    Normal,
    /// Ahead of every normal program: for measuring latencies of programs that mostly wait. It needs
    /// root.
    RealTime,
}

pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts it and waits until something listens on `port`.
    ///
    /// What it writes goes to `log`.
    pub(crate) fn start(launch: &Launch, port: u16, log: &std::path::Path) -> Result<Self, String> {
        let file = fs::File::create(log)
            .map_err(|error| format!("cannot make {}: {error}", log.display()))?;
        let copy = file.try_clone().map_err(|error| error.to_string())?;
        let mut command = pinned(SERVER_CPU, launch.descriptors, launch.priority, &launch.program);
        command.args(&launch.args).stdin(Stdio::null()).stdout(copy).stderr(file);
        let child =
            command.spawn().map_err(|error| format!("cannot start {}: {error}", launch.program))?;
        let mut server = Self { child, port };
        let begun = Instant::now();
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(server);
            }
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("it ended ({status}): see {}", log.display()));
            }
            if begun.elapsed() > STARTING {
                return Err(format!("nothing listens on port {port}: see {}", log.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The process that was started, which is the server itself.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process and all below it.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for pid in numbers_in("/proc") {
            if let Some(parent) = stat_of(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
                children.entry(parent).or_default().push(pid);
            }
        }
        let mut found = vec![self.pid()];
        let mut at = 0;
        while let Some(pid) = found.get(at) {
            found.extend(children.get(pid).into_iter().flatten());
            at += 1;
        }
        found
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage { ticks: 0, threads: BTreeMap::new() };
        for pid in self.pids() {
            // Fields 14 and 15 of the manual, counted here from the state, which is field 3.
            let fields = stat_of(pid).unwrap_or_default();
            let ticks = |at: usize| fields.get(at).and_then(|text| text.parse().ok()).unwrap_or(0);
            usage.ticks += ticks(11) + ticks(12);
            for thread in numbers_in(&format!("/proc/{pid}/task")) {
                let path = format!("/proc/{pid}/task/{thread}/schedstat");
                let text = fs::read_to_string(path).unwrap_or_default();
                let run = text.split(' ').next().and_then(|text| text.parse().ok());
                usage.threads.insert((pid, thread), run.unwrap_or(0));
            }
        }
        usage
    }

    /// Proportional set size of the process and all below it, in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let sizes = self.pids().into_iter().filter_map(|pid| {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            let line = text.lines().find(|line| line.starts_with("Pss:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        });
        sizes.sum()
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self, patience: Duration) -> Result<(), String> {
        signal("TERM", &[self.pid()]);
        match self.wait(patience) {
            Some(_) => Ok(()),
            None => Err(format!("the server did not end within {patience:?}")),
        }
    }

    /// Waits for its end; `None` if it lives on after `patience`.
    pub(crate) fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if begun.elapsed() > patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    /// Asks it to end, and makes it.
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        let pids = self.pids();
        signal("TERM", &[self.child.id()]);
        if self.wait(Duration::from_secs(2)).is_none() {
            signal("KILL", &pids);
            // Nothing outlives SIGKILL for long, and nobody is left to tell.
            let _ended = self.child.wait();
        }
    }
}

/// CPU time at one moment.
pub(crate) struct Usage {
    ticks: u32,
    threads: BTreeMap<(u32, u32), u64>,
}

impl Usage {
    /// CPU time from an earlier moment until this one.
    ///
    /// The scheduler's run time is exact to the nanosecond but is gone with a thread; so it counts
    /// if the threads are still the same, and otherwise the process's own sum, which keeps what
    /// ended threads used and is exact to a tick.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        if self.threads.keys().eq(earlier.threads.keys()) {
            let sum = |usage: &Self| usage.threads.values().sum::<u64>();
            return Duration::from_nanos(sum(self).saturating_sub(sum(earlier)));
        }
        TICK * self.ticks.saturating_sub(earlier.ticks)
    }
}

/// Whether this user may put a program ahead of all others.
pub(crate) fn may_run_in_real_time() -> bool {
    Command::new("chrt")
        .args(["--rr", "1", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A command that runs on one core, with a bound on its descriptors.
pub(crate) fn pinned(cpu: u32, descriptors: u32, priority: Priority, program: &str) -> Command {
    let mut command = Command::new("sh");
    let class = if priority == Priority::RealTime { "chrt --rr 1 " } else { "" };
    let script = format!("ulimit -n {descriptors} && exec {class}taskset -c {cpu} \"$@\"");
    command.args(["-c", &script, "sh", program]);
    command
}

/// A port of loopback that nobody listens on right now.
pub(crate) fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

/// Sends a signal by its name to each process that still is there.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    for pid in pids {
        let _gone_already = Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .stderr(Stdio::null())
            .status();
    }
}

/// The entries of a folder whose names are numbers; none if the folder is gone.
fn numbers_in(folder: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The fields of `/proc/PID/stat` from the third one on: the second may hold blanks.
fn stat_of(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(ticks: u32, threads: &[((u32, u32), u64)]) -> Usage {
        Usage { ticks, threads: threads.iter().copied().collect() }
    }

    #[test]
    fn exact_times_count_while_the_threads_stay() {
        let before = usage(10, &[((1, 1), 100), ((1, 2), 50)]);
        let after = usage(12, &[((1, 1), 150), ((1, 2), 75)]);
        assert_eq!(after.since(&before), Duration::from_nanos(75));
        let other = usage(12, &[((1, 1), 150), ((1, 3), 75)]);
        assert_eq!(other.since(&before), Duration::from_millis(20));
    }

    #[test]
    fn a_process_is_found_with_its_children_and_ends() {
        let port = free_port().unwrap();
        let launch = Launch {
            program: "sleep".to_owned(),
            args: vec![],
            descriptors: 64,
            priority: Priority::Normal,
        };
        let log = std::env::temp_dir().join(format!("xtask-process-{}", std::process::id()));
        let refused = Server::start(&launch, port, &log).err().unwrap();
        assert!(refused.contains("it ended"), "{refused}");
        fs::remove_file(log).unwrap();
        let child = Command::new("sh").args(["-c", "sleep 60; true"]).spawn().unwrap();
        let server = Server { child, port };
        let begun = Instant::now();
        while server.pids().len() < 2 && begun.elapsed() < Duration::from_secs(10) {
            std::thread::yield_now();
        }
        let pids = server.pids();
        assert_eq!(pids.len(), 2);
        assert!(server.memory_kib() > 0);
        signal("KILL", &pids);
        drop(server);
        assert!(stat_of(pids[0]).is_none());
    }
}
