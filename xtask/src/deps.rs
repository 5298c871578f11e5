//! `cargo xtask deps`: who may depend on whom, and how many crates each package may pull.

mod providers;

use std::collections::BTreeSet;

use crate::args::Args;
use crate::{Outcome, features, shell};

/// What one package of the workspace may depend on.
struct Rule {
    package: &'static str,
    /// Packages of this workspace that it may name itself. Nothing points back.
    arrows: &'static [&'static str],
    /// Third-party crates that must not be anywhere below it.
    never: &'static [&'static [&'static str]],
    /// The most third-party crates below it, on this platform, with its default features.
    ceiling: usize,
    /// Where the ceiling is meant to go; equal to it once reached.
    goal: usize,
}

/// Crates that open, configure or wait for sockets.
const SOCKETS: &[&str] = &["mio", "socket2", "polling", "signal-hook", "async-io", "quinn-udp"];
/// Crates of system calls. The jar has files to lock and to replace; what is pure has nothing to ask
/// of a system.
const SYSTEM: &[&str] = &["rustix", "nix", "libc"];
/// Crates that know what a message of HTTP is.
const HTTP: &[&str] = &["http", "httparse", "httpdate", "http-body", "headers", "cookie"];
/// Crates that belong above the server and the client, which know only traits for them.
const ABOVE: &[&str] =
    &["rustls", "ring", "aws-lc-rs", "openssl", "cookie", "psl", "flate2", "brotli", "zstd"];

const RULES: &[Rule] = &[
    Rule {
        package: "avocet-wire",
        arrows: &[],
        never: &[SOCKETS, SYSTEM, ABOVE],
        ceiling: 5,
        goal: 5,
    },
    Rule {
        package: "avocet-semantics",
        arrows: &[],
        never: &[SOCKETS, SYSTEM, ABOVE],
        ceiling: 3,
        goal: 3,
    },
    Rule { package: "avocet-net", arrows: &[], never: &[HTTP, ABOVE], ceiling: 8, goal: 8 },
    Rule {
        package: "avocet-encoding",
        arrows: &[],
        never: &[SOCKETS, HTTP],
        ceiling: 15,
        goal: 15,
    },
    Rule { package: "avocet-cookies", arrows: &[], never: &[SOCKETS], ceiling: 70, goal: 70 },
    Rule {
        package: "avocet-server",
        arrows: &["avocet-wire", "avocet-semantics", "avocet-net"],
        never: &[ABOVE],
        ceiling: 12,
        goal: 12,
    },
    Rule {
        package: "avocet-client",
        arrows: &["avocet-wire", "avocet-semantics", "avocet-net"],
        never: &[ABOVE],
        ceiling: 45,
        goal: 45,
    },
    Rule {
        package: "avocet-tls",
        arrows: &["avocet-net"],
        never: &[HTTP, &["ring", "openssl", "rustls-platform-verifier"]],
        ceiling: 20,
        goal: 20,
    },
    Rule {
        package: "avocet-files",
        arrows: &[
            "avocet-wire",
            "avocet-semantics",
            "avocet-net",
            "avocet-server",
            "avocet-encoding",
        ],
        never: &[],
        ceiling: 40,
        goal: 40,
    },
    Rule {
        package: "avocet",
        arrows: &[
            "avocet-wire",
            "avocet-semantics",
            "avocet-net",
            "avocet-server",
            "avocet-client",
            "avocet-files",
            "avocet-cookies",
            "avocet-encoding",
            "avocet-tls",
        ],
        never: &[],
        ceiling: 18,
        goal: 18,
    },
    Rule { package: "avocet-cli", arrows: &["avocet"], never: &[], ceiling: 145, goal: 145 },
];

/// Every feature of the umbrella but those of TLS: a build with all of them has nothing of it below.
const WITHOUT_TLS: &str = "client,digest,download,cookies,encoding,files,server,signals";
/// What TLS brings.
const TLS: &[&str] =
    &["avocet-tls", "rustls", "rustls-webpki", "aws-lc-rs", "aws-lc-sys", "ring", "graviola"];

/// Packages that are not published: tests and tools, which may name anything.
const UNPUBLISHED: &[&str] = &["avocet-testkit", "avocet-tests", "avocet-benches", "xtask"];

/// Nothing in the workspace brings these, not even for tests.
const ASYNC: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "async-executor",
    "async-io",
    "futures-executor",
    "futures-util",
    "hyper",
    "h2",
    "tower",
    "tower-service",
];

pub(crate) fn run(args: &mut Args) -> Outcome {
    args.finish()?;
    let mut faults = Vec::new();
    println!("{:18} {:>7} {:>7} {:>4}", "package", "crates", "ceiling", "goal");
    for rule in RULES {
        let tree = |more: &[&str]| {
            let mut command = shell::cargo();
            command
                .args(["tree", "--locked", "--package", rule.package, "--prefix", "none"])
                .args(["--no-dedupe", "--edges", "normal"])
                .args(more);
            shell::read_quietly(&mut command).map(|text| crates(&text))
        };
        let features = features::of(rule.package)?;
        let direct = tree(&["--depth", "1", "--features", &features])?;
        let below = tree(&["--features", &features, "--target", "all"])?;
        let plain = tree(&[])?.iter().filter(|name| !is_own(name)).count();
        println!("{:18} {plain:>7} {:>7} {:>4}", rule.package, rule.ceiling, rule.goal);
        faults.extend(faults_of(rule, &direct, &below, plain));
    }
    let without = shell::read_quietly(
        shell::cargo()
            .args(["tree", "--locked", "--package", "avocet", "--prefix", "none", "--no-dedupe"])
            .args(["--edges", "normal", "--target", "all", "--no-default-features"])
            .args(["--features", WITHOUT_TLS]),
    )?;
    for name in crates(&without).iter().map(|id| name_of(id)).filter(|name| TLS.contains(name)) {
        faults.push(format!("{name} is below avocet without its feature `tls`"));
    }
    faults.extend(providers::check()?);
    let everything = shell::read(
        shell::cargo()
            .args(["tree", "--locked", "--workspace", "--prefix", "none", "--no-dedupe"])
            .args(["--edges", "normal,build,dev", "--target", "all"])
            .args(["--features", &features::of_workspace()?]),
    )?;
    let everything = crates(&everything);
    faults.extend(unruled(&everything));
    for name in everything.iter().map(|id| name_of(id)).filter(|name| ASYNC.contains(name)) {
        faults.push(format!("{name} is in the workspace: no async runtime and nothing of one"));
    }
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() { Ok(()) } else { Err(format!("{} broken rules", faults.len())) }
}

fn faults_of(
    rule: &Rule,
    direct: &BTreeSet<String>,
    below: &BTreeSet<String>,
    plain: usize,
) -> Vec<String> {
    let mut faults = Vec::new();
    let package = rule.package;
    for name in direct.iter().map(|id| name_of(id)) {
        if is_own(name) && name != package && !rule.arrows.contains(&name) {
            faults.push(format!("{package} must not depend on {name}"));
        }
    }
    for name in below.iter().map(|id| name_of(id)) {
        if rule.never.iter().any(|list| list.contains(&name)) {
            faults.push(format!("{name} must not be below {package}"));
        }
    }
    if plain > rule.ceiling {
        faults.push(format!("{package} pulls {plain} crates, more than {}", rule.ceiling));
    }
    faults
}

/// Packages of the workspace that no rule speaks of: a new crate needs its arrows written down.
fn unruled(everything: &BTreeSet<String>) -> Vec<String> {
    everything
        .iter()
        .map(|id| name_of(id))
        .filter(|name| is_own(name))
        .filter(|name| !UNPUBLISHED.contains(name))
        .filter(|name| RULES.iter().all(|rule| rule.package != *name))
        .map(|name| format!("{name} has no rule in xtask/src/deps.rs"))
        .collect()
}

/// The distinct `name version` pairs of what `cargo tree --prefix none` printed.
fn crates(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some(format!("{} {}", words.next()?, words.next()?))
        })
        .collect()
}

fn name_of(id: &str) -> &str {
    id.split(' ').next().unwrap_or(id)
}

fn is_own(id: &str) -> bool {
    let name = name_of(id);
    name == "xtask" || name == "avocet" || name.starts_with("avocet-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "avocet-wire v0.1.0 (/x/crates/wire)\nhttp v1.5.0\nbytes v1.12.1\n\
                        avocet-net v0.1.0 (/x/crates/net)\nsocket2 v0.6.5\nhttp v1.5.0 (*)\n";

    #[test]
    fn a_tree_is_read_once_per_crate() {
        let crates = crates(TREE);
        assert_eq!(crates.len(), 5);
        assert_eq!(crates.iter().filter(|id| !is_own(id)).count(), 3);
    }

    #[test]
    fn each_kind_of_fault_is_found() {
        let tree = crates(TREE);
        let wire = &RULES[0];
        assert_eq!(wire.package, "avocet-wire");
        let faults = faults_of(wire, &tree, &tree, 6);
        assert_eq!(
            faults,
            [
                "avocet-wire must not depend on avocet-net",
                "socket2 must not be below avocet-wire",
                "avocet-wire pulls 6 crates, more than 5",
            ]
        );
        assert_eq!(faults_of(wire, &BTreeSet::new(), &BTreeSet::new(), 5), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_rule_is_found() {
        let tree = crates("avocet-new v0.1.0\navocet-wire v0.1.0\navocet-tests v0.1.0\n");
        assert_eq!(unruled(&tree), ["avocet-new has no rule in xtask/src/deps.rs"]);
    }
}
