//! `cargo xtask bench [NAME]`: the criterion benches, with baselines to compare with, and `server`,
//! `client`, `files` and `tls`, which measure whole programs.

mod client;
mod compare;
pub(crate) mod contenders;
mod counts;
mod debian;
mod file_servers;
mod files;
pub(crate) mod load;
pub(crate) mod process;
mod server;
mod syscalls;
mod table;
mod tls;

use crate::args::Args;
use crate::{Outcome, shell};

/// What `--help` says beyond the usage.
pub(crate) const DETAILS: &str = "\
NAME is a bench of the package avocet-benches, or `server`, which measures whole servers and takes:
  --against A,B,C        who runs: avocet (the example hello), serve (the program), floor, hyper,
                         may_minihttp, actix, ntex, tiny_http, nginx, lighttpd, haproxy; all
  --also NAME=COMMAND    one more, with {port} and {workers} in its command
  --modes A,B            keep-alive, pipelined, single, fresh, syscalls, idle; these are the default;
                         counts (instructions and allocations under Valgrind)
  --rounds N, --secs N   rounds (5) and the seconds of each server in a round (1)
  --idle-connections N   connections of the mode idle (10000)
  --check                fail when a goal is missed

or `client`, which measures whole clients and takes:
  --against A,B,C        who runs: avocet (the example drive), floor, hyper, ureq, reqwest,
                         reqwest-blocking, curl-crate, curl; all
  --modes A,B            seq (small GETs in turn), par (64 in flight), dl (1 GiB), gz (text in gzip),
                         counts (system calls and allocations); all
  --rounds N, --check    as above

or `tls`, which measures servers of https and takes:
  --against A,B,C        who runs: avocet (the example hello), rustls (without any HTTP), rustls-file (the
                         same with large content from its file), serve (the program), nginx,
                         static-web-server; all
  --modes A,B            full-ec, full-rsa, full-pq, resumed, keep-alive, bulk; all
  --rounds N, --check    as above

or `files`, which measures whole file servers and takes:
  --against A,B,C        who runs: avocet, nginx, nginx-cached, lighttpd, h2o, static-web-server,
                         miniserve, dufs; all. What cannot be had is left out, with a line that says so
  --modes A,B            1k, 100k, 100m, head, range, 304, gzip, br, zstd, precompressed; all
  --rounds N, --secs N, --check    as above";

pub(crate) fn run(args: &mut Args) -> Outcome {
    let save = args.value("--save")?;
    let compare = args.value("--compare")?;
    let name = args.positional();
    let whole: Option<fn(&mut Args) -> Outcome> = match name.as_deref() {
        Some("server") => Some(server::run),
        Some("client") => Some(client::run),
        Some("tls") => Some(tls::run),
        Some("files") => Some(files::run),
        _ => None,
    };
    if let Some(whole) = whole {
        if save.is_some() || compare.is_some() {
            return Err("whole programs are compared within a run, by --against".to_owned());
        }
        return whole(args);
    }
    args.finish()?;
    let mut command = shell::cargo();
    command.args(["bench", "--package", "avocet-benches"]);
    if name.is_none() && (save.is_some() || compare.is_some()) {
        return Err("a baseline belongs to one bench: name it".to_owned());
    }
    // The pattern keeps to the bench targets: the library has none of its own.
    command.args(["--bench", name.as_deref().unwrap_or("*")]);
    match (save, compare) {
        (Some(_), Some(_)) => return Err("--save and --compare exclude each other".to_owned()),
        (Some(baseline), None) => command.args(["--", "--save-baseline", &baseline]),
        (None, Some(baseline)) => command.args(["--", "--baseline", &baseline]),
        (None, None) => &mut command,
    };
    shell::run(&mut command)
}
