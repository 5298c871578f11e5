//! The tasks of this workspace: `cargo xtask` lists them, `cargo xtask TASK` runs one.
//!
//! Only the standard library is used, so that the first task starts within seconds on a fresh clone.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod ci;
mod conformance;
mod deny;
mod deps;
mod dist;
mod features;
mod fuzz;
mod interop;
mod lint;
mod providers;
mod shell;
mod stress;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use args::Args;

/// What a task hands back: nothing, or the sentence that says why it failed.
type Outcome = Result<(), String>;

struct Task {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    /// More that `--help` says; empty for most.
    details: &'static str,
    run: fn(&mut Args) -> Outcome,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        usage: "test [ARGS OF CARGO TEST]",
        summary: "every test of the workspace, examples and documentation included",
        details: "",
        run: test::run,
    },
    Task {
        name: "ci",
        usage: "ci [--require-advisories]",
        summary: "every check that the CI machine makes; what is missing is installed",
        details: "",
        run: ci::run,
    },
    Task {
        name: "lint",
        usage: "lint [--fix]",
        summary: "rustfmt, clippy and rustdoc, each without a warning",
        details: "",
        run: lint::run,
    },
    Task {
        name: "conformance",
        usage: "conformance [SUITE]",
        summary: "the conformance suites, or the one named",
        details: "",
        run: conformance::run,
    },
    Task {
        name: "interop",
        usage: "interop [PART]",
        summary: "the program against servers, proxies and clients of others, or the part named",
        details: "",
        run: interop::run,
    },
    Task {
        name: "bench",
        usage: "bench [NAME] [--save NAME | --compare NAME]",
        summary: "the benchmarks; --save keeps a baseline and --compare measures against it",
        details: bench::DETAILS,
        run: bench::run,
    },
    Task {
        name: "stress",
        usage: "stress [crowd | stop | descriptors] [--server NAME]",
        summary: "slow crowds, SIGTERM under load and a lack of descriptors, each with its bar",
        details: "",
        run: stress::run,
    },
    Task {
        name: "fuzz",
        usage: "fuzz [TARGET] [--secs N]",
        summary: "a fuzz target for N seconds (60); without a name the targets are listed",
        details: "",
        run: fuzz::run,
    },
    Task {
        name: "deps",
        usage: "deps",
        summary: "who may depend on whom, and how many crates each package pulls",
        details: "",
        run: deps::run,
    },
    Task {
        name: "providers",
        usage: "providers [ring | graviola]",
        summary: "the tests of TLS with other cryptography than AWS-LC",
        details: "",
        run: providers::run,
    },
    Task {
        name: "deny",
        usage: "deny [--require-advisories]",
        summary: "licences, bans, sources and advisories of all dependencies",
        details: "",
        run: deny::run,
    },
    Task {
        name: "tidy",
        usage: "tidy",
        summary: "the house rules that no compiler checks",
        details: "",
        run: tidy::run,
    },
    Task {
        name: "dist",
        usage: "dist",
        summary: "the program as a stripped release, packed with README and licences",
        details: "",
        run: dist::run,
    },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "help".to_owned());
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print_tasks();
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("xtask: no task is called {name:?}\n");
        print_tasks();
        return ExitCode::from(2);
    };
    let mut args = Args::new(words.collect());
    if args.flag("--help") || args.flag("-h") {
        println!("cargo xtask {}\n\n{}\n{}", task.usage, task.summary, task.details);
        return ExitCode::SUCCESS;
    }
    let outcome = std::env::set_current_dir(shell::root())
        .map_err(|error| format!("cannot enter {}: {error}", shell::root().display()))
        .and_then(|()| (task.run)(&mut args));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn print_tasks() {
    println!("cargo xtask TASK\n");
    let width = TASKS.iter().map(|task| task.usage.len()).max().unwrap_or(0);
    for task in TASKS {
        println!("  {:width$}  {}", task.usage, task.summary);
    }
}
