//! `cargo xtask deny`: cargo-deny with the rules of `deny.toml`.
//!
//! Licences, bans and sources need nothing but `Cargo.lock` and are always checked. Advisories need
//! the RustSec database, a git repository that some machines cannot reach. That is reported as what
//! it is, not checked, and never as a pass; `--require-advisories` makes it a failure.
//! `AVOCET_ADVISORY_MIRROR` names another copy of the repository, by URL or by path.

use std::path::Path;
use std::process::Command;

use crate::args::Args;
use crate::tools::{self, CARGO_DENY};
use crate::{Outcome, shell};

/// The address in `deny.toml`, which a mirror stands in for.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// What became of the check that may be impossible.
pub(crate) enum Advisories {
    Clean,
    NotChecked(String),
}

pub(crate) fn run(args: &mut Args) -> Outcome {
    let required = args.flag("--require-advisories");
    args.finish()?;
    rules()?;
    match advisories(required)? {
        Advisories::Clean => Ok(()),
        Advisories::NotChecked(reason) => {
            println!("advisories: NOT CHECKED: {reason}");
            Ok(())
        }
    }
}

/// Licences, bans and sources.
pub(crate) fn rules() -> Outcome {
    let program = CARGO_DENY.path()?;
    shell::run(
        command(&program)
            .args(["check", "--hide-inclusion-graph"])
            .args(["licenses", "bans", "sources"]),
    )
}

/// Known vulnerabilities, yanked and abandoned crates.
pub(crate) fn advisories(required: bool) -> Result<Advisories, String> {
    tools::debian("git", "git")?;
    let program = CARGO_DENY.path()?;
    if let Err(reason) = shell::run(command(&program).args(["fetch", "db"])) {
        let reason = format!("the database {DATABASE} cannot be had on this machine: {reason}");
        return if required { Err(reason) } else { Ok(Advisories::NotChecked(reason)) };
    }
    shell::run(command(&program).args(["check", "advisories"]))?;
    Ok(Advisories::Clean)
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(mirror) = std::env::var_os("AVOCET_ADVISORY_MIRROR") {
        // git itself rewrites the address, so that deny.toml is the same for everyone.
        let mirror = mirror.to_string_lossy();
        let mirror =
            if mirror.starts_with('/') { format!("file://{mirror}") } else { mirror.into_owned() };
        command
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", format!("url.{mirror}.insteadOf"))
            .env("GIT_CONFIG_VALUE_0", DATABASE);
    }
    // cargo-deny fills `$CARGO_HOME` into a path of deny.toml, where it is rarely set.
    if std::env::var_os("CARGO_HOME").is_none()
        && let Some(home) = std::env::var_os("HOME")
    {
        command.env("CARGO_HOME", Path::new(&home).join(".cargo"));
    }
    command
}
