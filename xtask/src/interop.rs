//! `cargo xtask interop [NAME]`: the program against programs of others, over the loopback interface.
//!
//! Servers, proxies and clients are Debian's. Each server is started here, with a configuration of
//! ours, in a temporary folder and on a free port, and ended when its part is over. What is missing is
//! installed, and what cannot be installed fails the task.

mod cookies;
mod dictionaries;
mod downloads;
mod examples;
mod forms;
mod killed;
mod lab;
mod listing;
mod logins;
mod noise;
mod proxies;
mod servers;
mod serving;
mod tls;

use std::process::Command;
use std::time::Instant;

use self::lab::Lab;
use crate::args::Args;
use crate::tools::Package;
use crate::{Outcome, shell, tools};

/// A part works in a laboratory of its own.
type Part = fn(&Lab) -> Outcome;

const PARTS: &[(&str, Part)] = &[
    ("downloads", downloads::run),
    ("killed", killed::run),
    ("logins", logins::run),
    ("proxies", proxies::run),
    ("forms", forms::run),
    ("cookies", cookies::run),
    ("serving", serving::run),
    ("listing", listing::run),
    ("dictionaries", dictionaries::run),
    ("tls", tls::run),
];

const PACKAGES: &[Package] = &[
    Package { program: "nginx", package: "nginx" },
    Package { program: "apache2", package: "apache2-bin" },
    Package { program: "tinyproxy", package: "tinyproxy" },
    Package { program: "microsocks", package: "microsocks" },
    Package { program: "danted", package: "dante-server" },
    Package { program: "curl", package: "curl" },
    Package { program: "wget", package: "wget" },
    Package { program: "aria2c", package: "aria2" },
    Package { program: "python3", package: "python3" },
    Package { program: "chromium", package: "chromium" },
    Package { program: "chromedriver", package: "chromium-driver" },
    Package { program: "openssl", package: "openssl" },
];

pub(crate) fn run(args: &mut Args) -> Outcome {
    let wanted = args.positional();
    args.finish()?;
    let chosen: Vec<_> = PARTS
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted == name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no part is called {:?}: {}", wanted, names.join(", ")));
    }
    tools::debian_all(PACKAGES)?;
    install_requests()?;
    shell::run(shell::cargo().args(["build", "--package", "avocet-cli", "--bin", "avocet"]))?;
    examples::build()?;
    let mut failed = Vec::new();
    for (name, part) in chosen {
        println!("\n-- {name}");
        let begun = Instant::now();
        let lab = Lab::new(name)?;
        match part(&lab) {
            Ok(()) => println!("passed in {:.1} s", begun.elapsed().as_secs_f64()),
            Err(reason) => {
                println!("FAILED: {reason}");
                lab.print_logs();
                failed.push(*name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

/// Python's client for people; it is no program that could be looked for.
fn install_requests() -> Outcome {
    let there = || {
        let import = Command::new(lab::PYTHON).args(["-c", "import requests"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    if there() {
        return Ok(());
    }
    tools::install(&["python3-requests"])?;
    if there() {
        return Ok(());
    }
    Err("python3-requests was installed and cannot be imported".to_owned())
}
